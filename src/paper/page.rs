//! From marks to a PDF.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};

use crate::notice::{Block, Rendered, Span, blocks, plain_spans};

use super::font::Widths;
use super::layout::{LEFT, Layout, Mark, PAGE, WIDTH};
use super::line::Fonts;
use super::{FONT_FILES, PaperError};

/// Draws texts one after the other, each with pages of its own, and a QR code below each.
pub(super) fn draw(texts: &[&Rendered], qr: Option<&str>) -> Result<Vec<u8>, PaperError> {
    let (fonts, [regular, bold]) = tools(FONT_FILES)?;
    let pen = Pen { regular, bold, qr: qr.map(code).transpose()? };
    let mut document = Document::new();
    for (number, text) in texts.iter().enumerate() {
        let blocks = blocks(&text.markdown);
        if number == 0 {
            let title = blocks.iter().find_map(|block| match block {
                Block::Heading(1, words) => Some(plain_spans(words)),
                _ => None,
            });
            let metadata = Metadata::new().language(text.reference.language.tag().to_owned());
            document.set_metadata(match title {
                Some(title) => metadata.title(title),
                None => metadata,
            });
        }
        let mut layout = Layout::new(&fonts);
        for block in &blocks {
            layout.block(block);
        }
        if let Some(words) = qr {
            layout.qr(words);
        }
        pages(&mut document, &pen, &fonts, text, layout.finish())?;
    }
    document.finish().map_err(|error| PaperError::Pdf(format!("{error:?}")))
}

/// Reads the font files.
pub(super) fn tools(files: [&'static [u8]; 2]) -> Result<(Fonts, [Font; 2]), PaperError> {
    let widths = |data| Widths::read(data).ok_or(PaperError::Font);
    let face = |data: &'static [u8]| Font::new(data.into(), 0).ok_or(PaperError::Font);
    let fonts = Fonts { regular: widths(files[0])?, bold: widths(files[1])? };
    Ok((fonts, [face(files[0])?, face(files[1])?]))
}

fn pages(
    document: &mut Document,
    pen: &Pen,
    fonts: &Fonts,
    text: &Rendered,
    pages: Vec<Vec<Mark>>,
) -> Result<(), PaperError> {
    let count = pages.len();
    for (at, marks) in pages.into_iter().enumerate() {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| PaperError::Pdf("page size".into()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            pen.mark(&mut surface, mark);
        }
        for mark in footer(text, fonts, at + 1, count) {
            pen.mark(&mut surface, mark);
        }
        surface.finish();
        page.finish();
    }
    Ok(())
}

/// Which text this is, its digest, and the page.
fn footer(text: &Rendered, fonts: &Fonts, page: usize, pages: usize) -> Vec<Mark> {
    const SIZE: f32 = 7.5;
    let reference = &text.reference;
    let digest: String = reference.sha256.iter().map(|b| format!("{b:02x}")).collect();
    let left = format!("{} {}  SHA-256 {digest}", reference.id, reference.version);
    let right = format!("{page} / {pages}");
    let words = |text: String| vec![Span { text, bold: false }];
    let right_width = fonts.measure(&words(right.clone())) * SIZE;
    let line = |text: String, x: f32| {
        fonts.lines(&words(text), SIZE, WIDTH).into_iter().next().map(|l| Mark::Text(x, 806.0, SIZE, l))
    };
    let rule = Mark::Fill(LEFT, 792.0, WIDTH, 0.5, 190);
    [Some(rule), line(left, LEFT), line(right, LEFT + WIDTH - right_width)].into_iter().flatten().collect()
}

struct Pen {
    regular: Font,
    bold: Font,
    qr: Option<qrcode::QrCode>,
}

impl Pen {
    fn mark(&self, surface: &mut Surface<'_>, mark: Mark) {
        match mark {
            Mark::Text(x, y, size, runs) => {
                surface.set_fill(grey(20));
                for run in runs {
                    let font = if run.bold { &self.bold } else { &self.regular };
                    let at = Point::from_xy(x + run.x, y);
                    surface.draw_text(at, font.clone(), size, &run.text, false, TextDirection::LeftToRight);
                }
            }
            Mark::Fill(x, y, width, height, shade) => {
                surface.set_fill(grey(shade));
                rectangles(surface, Rect::from_xywh(x, y, width, height));
            }
            Mark::Qr(x, y, side) => {
                let Some(code) = &self.qr else { return };
                surface.set_fill(grey(0));
                let cells = code.width();
                let cell = side / cells as f32;
                let dark = code.to_colors().into_iter().enumerate().filter(|(_, c)| *c == qrcode::Color::Dark);
                rectangles(
                    surface,
                    dark.filter_map(|(i, _)| {
                        let (column, row) = ((i % cells) as f32, (i / cells) as f32);
                        Rect::from_xywh(x + column * cell, y + row * cell, cell, cell)
                    }),
                );
            }
        }
    }
}

fn rectangles(surface: &mut Surface<'_>, shapes: impl IntoIterator<Item = Rect>) {
    let mut path = PathBuilder::new();
    for shape in shapes {
        path.push_rect(shape);
    }
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

fn grey(shade: u8) -> Option<Fill> {
    let paint = rgb::Color::new(shade, shade, shade).into();
    Some(Fill { paint, opacity: NormalizedF32::ONE, rule: FillRule::NonZero })
}

fn code(words: &str) -> Result<qrcode::QrCode, PaperError> {
    qrcode::QrCode::with_error_correction_level(words, qrcode::EcLevel::M).map_err(|_| PaperError::QrTooLong)
}
