//! Unit tests of widths, lines and pages.

use super::font::Widths;
use super::layout::{Layout, Mark, PAGE, WIDTH};
use super::line::Fonts;
use super::*;
use crate::domain::notice::{Language, NoticeRef};
use crate::notice::{Block, Span, blocks};

fn fonts() -> Fonts {
    Fonts { regular: Widths::read(FONT_FILES[0]).expect("400"), bold: Widths::read(FONT_FILES[1]).expect("700") }
}

fn words(text: &str, bold: bool) -> Vec<Span> {
    vec![Span { text: text.into(), bold }]
}

fn rendered(markdown: &str) -> Rendered {
    let reference =
        NoticeRef { id: "MK-R1".into(), version: "1.0".into(), language: Language::Chinese, sha256: [0xab; 32] };
    Rendered { markdown: markdown.into(), reference }
}

#[test]
fn han_characters_are_square_and_latin_ones_narrow() {
    let fonts = fonts();
    assert_eq!(fonts.regular.of('门'), Some(1.0));
    assert_eq!(fonts.bold.of('门'), Some(1.0));
    assert!(fonts.regular.of('i').is_some_and(|w| (0.15..0.4).contains(&w)));
    assert!(fonts.regular.of('\u{10FFFF}').is_none());
    // Marks that certificates and consent pages need.
    for mark in ['✓', '—', '□', '〔', '〕', '＿', '–'] {
        assert!(fonts.regular.of(mark).is_some(), "{mark}");
    }
}

#[test]
fn a_rare_character_in_bold_is_drawn_in_the_font_that_has_it() {
    let fonts = fonts();
    assert!(fonts.regular.of('喆').is_some());
    let rare = "㛃";
    assert!(fonts.bold.of('㛃').is_none());
    let lines = fonts.lines(&words(&format!("王{rare}明"), true), 10.0, 100.0);
    let weights: Vec<bool> = lines[0].iter().map(|run| run.bold).collect();
    assert_eq!(weights, [true, false, true]);
}

#[test]
fn every_character_of_every_text_is_in_the_font() {
    let fonts = fonts();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/notices");
    for language in ["zh-CN", "en"] {
        for entry in std::fs::read_dir(folder.join(language)).expect("folder") {
            let path = entry.expect("entry").path();
            let text = std::fs::read_to_string(&path).expect("text");
            for line in text.lines() {
                for c in fonts.lines(&words(line, true), 10.0, 400.0).iter().flatten().flat_map(|run| run.text.chars())
                {
                    assert!(fonts.regular.of(c).is_some(), "{c} in {}", path.display());
                }
            }
        }
    }
}

#[test]
fn damaged_fonts_are_refused_without_a_panic() {
    assert!(Widths::read(b"").is_none());
    assert!(Widths::read(&FONT_FILES[1][..4_000]).is_none_or(|w| w.of('门').is_none()));
    assert!(Widths::read(&[0xff; 64]).is_none());
}

#[test]
fn no_line_is_too_wide_and_none_begins_with_a_closing_mark() {
    let fonts = fonts();
    let text = "根据《个人信息保护法》第二十九条，处理敏感个人信息应当取得“单独同意”。（见下）check code 0123456789abcdef\
                0123456789abcdef0123456789abcdef0123456789abcdef is here; 门（东）、门（西）。";
    for width in [60.0, 97.0, 140.0, 333.0] {
        let lines = fonts.lines(&words(text, false), 10.5, width);
        let shown: String = lines.iter().flatten().map(|run| run.text.as_str()).collect();
        assert_eq!(shown.replace(' ', ""), text.replace(' ', ""), "nothing is lost");
        for line in &lines {
            let line: String = line.iter().map(|run| run.text.as_str()).collect();
            assert!(fonts.measure(&words(&line, false)) * 10.5 <= width + 0.01, "{line}");
            assert!(!line.starts_with(['，', '。', '）', '》', '”', '、', ';']), "{line}");
            assert!(!line.ends_with(['（', '《', '“']), "{line}");
        }
    }
}

#[test]
fn latin_words_stay_whole_when_they_can() {
    let lines = fonts().lines(&words("withdraw at any time", false), 10.0, 60.0);
    let lines: Vec<String> = lines.iter().map(|l| l.iter().map(|r| r.text.as_str()).collect()).collect();
    assert_eq!(lines, ["withdraw at", "any time"]);
}

#[test]
fn nothing_leaves_the_page_however_long_the_text() {
    let fonts = fonts();
    let cell = "很长的说明".repeat(300);
    let table = format!("| 门 | 说明 |\n|---|---|\n| 东门 | {cell} |\n| 西门 | {cell} |\n");
    let text = format!("# 题\n\n> **先看**\n> {cell}\n\n{cell}\n\n## 二\n\n{table}{table}");
    let mut layout = Layout::new(&fonts);
    for block in blocks(&text) {
        layout.block(&block);
    }
    layout.qr("MK-1");
    let pages = layout.finish();
    assert!(pages.len() >= 4);
    let mut drawn = 0;
    for mark in pages.iter().flatten() {
        match mark {
            Mark::Text(x, y, _, line) => {
                assert!(*x >= 60.0 && *y <= 780.0, "{x} {y}");
                drawn += line.iter().map(|r| r.text.chars().filter(|c| !c.is_whitespace()).count()).sum::<usize>();
            }
            Mark::Fill(x, y, w, h, _) => assert!(x + w <= PAGE.0 - 59.0 && y + h <= 785.0, "{x} {y} {w} {h}"),
            Mark::Qr(x, y, side) => assert!(x + side <= WIDTH + 60.0 && y + side <= 780.0),
        }
    }
    let expected = crate::notice::plain(&text).chars().filter(|c| !c.is_whitespace()).count() + "MK-1".len();
    assert_eq!(drawn, expected, "every character is on some page");
}

#[test]
fn a_table_without_a_header_or_rows_is_harmless() {
    let fonts = fonts();
    let mut layout = Layout::new(&fonts);
    layout.block(&Block::Table(vec![], vec![]));
    layout.block(&Block::Table(vec![words("门", false)], vec![vec![], vec![vec![]]]));
    assert_eq!(layout.finish().len(), 1);
}

#[test]
fn the_same_text_gives_the_same_bytes() {
    let text = rendered("# 同意回执\n\n您于 2026-11-22 同意。\n");
    let first = receipt_pdf(&text, "MENKA:1").expect("pdf");
    assert!(first.starts_with(b"%PDF-"));
    assert_eq!(first, receipt_pdf(&text, "MENKA:1").expect("pdf"));
}

#[test]
fn a_qr_text_that_does_not_fit_is_an_error() {
    assert_eq!(receipt_pdf(&rendered("x\n"), &"x".repeat(5_000)), Err(PaperError::QrTooLong));
}

#[test]
fn a_font_that_is_damaged_is_said_and_nothing_is_drawn() {
    for junk in [&b""[..], b"not a font", &FONT_FILES[0][..4_096]] {
        let opened = super::page::tools([junk, FONT_FILES[1]]).err();
        assert_eq!(opened, Some(PaperError::Font));
    }
    assert!(super::page::tools(FONT_FILES).is_ok());
}

#[test]
fn p17d_several_texts_make_one_paper_with_pages_of_their_own() {
    let (one, two) = (rendered("# 甲\n\n一行\n"), rendered("# 乙\n\n一行\n"));
    let single = text_pdf(&one).expect("one");
    let both = texts_pdf(&[one, two]).expect("both");
    // The number of pages stands in the root of the page tree.
    let says = |pdf: &[u8], count: u8| String::from_utf8_lossy(pdf).contains(&format!("/Count {count}"));
    assert!(says(&single, 1) && says(&both, 2));
}
