//! Unit tests of the reader and the filler. What the texts must say is tested in `tests/it/notice.rs`.

use super::parse::spans;
use super::*;

fn paragraph(text: &str) -> Block {
    Block::Paragraph(vec![Span { text: text.into(), bold: false }])
}

#[test]
fn every_file_has_a_header_that_is_not_shown() {
    for text in Text::ALL {
        for language in [Language::Chinese, Language::English] {
            let (header, body) = asset::load(text, language).expect("header");
            assert!(header.id.starts_with("MK-") && !body.starts_with("---"), "{text:?}");
            assert!(crate::domain::time::CivilDate::parse(&header.date).is_some(), "{text:?}");
        }
    }
}

#[test]
fn a_header_of_another_language_or_without_a_field_is_refused() {
    let raw = "---\nid: X\nversion: 1.0\ndate: 2026-11-22\nlanguage: en\n---\n\ntext\n";
    assert!(asset::split(raw, Language::English).is_some_and(|(_, body)| body == "text"));
    assert!(asset::split(raw, Language::Chinese).is_none());
    assert!(asset::split(&raw.replace("id: X\n", ""), Language::English).is_none());
    assert!(asset::split("no header", Language::English).is_none());
}

#[test]
fn lines_headings_boxes_and_tables_are_told_apart() {
    let text = "# 题\n\n一\n二 **重** 三\n\n> **先看**\n>\n> 1. 甲\n\n| a | **b** |\n|---|---|\n| 1 | 2 |\n";
    let parsed = blocks(text);
    assert!(matches!(&parsed[0], Block::Heading(1, words) if plain_spans(words) == "题"));
    assert_eq!(parsed[1], paragraph("一"));
    assert!(matches!(&parsed[2], Block::Paragraph(s) if s.len() == 3 && s[1].bold && s[1].text == "重"));
    assert!(matches!(&parsed[3], Block::Summary(lines) if lines.len() == 2));
    assert!(matches!(&parsed[4], Block::Table(head, rows) if head.len() == 2 && rows.len() == 1));
    assert_eq!(parsed.len(), 5);
}

#[test]
fn an_escaped_value_reads_back_as_the_same_words() {
    for nasty in ["| a | b |", "**fett**", "# titel", "> zitat", r"\|\*", "`x`", "a|b", r"c:\*", "1. x", "〔 是 〕"]
    {
        assert_eq!(plain_spans(&spans(&fill::escape(nasty))), nasty);
        let parsed = blocks(&fill::escape(nasty));
        assert_eq!(parsed, vec![paragraph(nasty)], "{nasty}");
    }
}

#[test]
fn a_table_row_is_repeated_for_numbered_values() {
    let values: Values =
        [("gate.1", "东门"), ("gate.2", "西|门"), ("at", "今天")].map(|(k, v)| (k.into(), v.into())).into();
    let filled = fill::fill("| 门 | 时 |\n|---|---|\n| {gate} | {at} |", &values, None).expect("filled");
    assert_eq!(filled, "| 门 | 时 |\n|---|---|\n| 东门 | 今天 |\n| 西\\|门 | 今天 |\n");
}

#[test]
fn a_sentence_as_a_value_does_not_double_the_full_stop() {
    let values: Values = [("a".to_owned(), "是。".to_owned()), ("b".to_owned(), "so.".to_owned())].into();
    assert_eq!(fill::fill("原文：{a}。", &values, None).expect("filled"), "原文：是。\n");
    assert_eq!(fill::fill("text {b}; and {b}", &values, None).expect("filled"), "text so; and so.\n");
}

#[test]
fn an_empty_optional_line_disappears() {
    let values = Values::new();
    assert_eq!(fill::fill("甲\n{local_rule_line}\n\n乙", &values, None).expect("filled"), "甲\n\n乙\n");
    assert_eq!(fill::fill("甲\n\n{local_rule_line}\n\n乙", &values, None).expect("filled"), "甲\n\n乙\n");
}

#[test]
fn directions_and_line_breaks_in_a_value_are_taken_out() {
    let values: Values = [("a".to_owned(), "王\u{202e}\n# 小\u{2028}明\u{85}\t".to_owned())].into();
    assert_eq!(fill::fill("{a}", &values, None).expect("filled"), "王 \\# 小 明\n");
}

#[test]
fn any_bytes_give_blocks_and_none_panics() {
    let alphabet: Vec<char> = "#>|*\\-: \n〔〕☐{}[]`门a😀\u{0}\u{301}".chars().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..20_000 {
        let len = next() % 48;
        let text: String = (0..len).map(|_| alphabet[(next() % alphabet.len() as u64) as usize]).collect();
        for block in blocks(&text) {
            if let Block::Table(head, rows) = block {
                assert!(rows.iter().all(|row| row.len() == head.len()), "{text:?}");
            }
        }
        let _ = (page(&text), plain(&text), placeholders(&text));
        let escaped = fill::escape(&fill::one_line(&text));
        assert!(blocks(&escaped).iter().all(|b| matches!(b, Block::Paragraph(_))), "{text:?}");
        assert!(blocks(&escaped).len() <= 1, "{text:?}");
    }
}
