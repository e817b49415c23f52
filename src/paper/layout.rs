//! From blocks to marks on pages: pure arithmetic in points, y downwards.

use crate::notice::{Block, Span};

use super::line::{Fonts, Line};

/// A4 in points.
pub(super) const PAGE: (f32, f32) = (595.276, 841.89);
/// Left, right and top margin.
const MARGIN: f32 = 60.0;
/// The last usable y; the footer is below.
const BOTTOM: f32 = 772.0;
/// Width of the text.
pub(super) const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
/// Left edge of the text.
pub(super) const LEFT: f32 = MARGIN;

const BODY: f32 = 10.5;
const CELL: f32 = 8.5;
const PAD: f32 = 4.0;

/// Something on a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// A line of text: left edge, baseline, size.
    Text(f32, f32, f32, Line),
    /// A filled rectangle: x, y, width, height, grey 0 to 255.
    Fill(f32, f32, f32, f32, u8),
    /// A QR code of this side length.
    Qr(f32, f32, f32),
}

/// The pages under way.
pub(super) struct Layout<'a> {
    fonts: &'a Fonts,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

impl<'a> Layout<'a> {
    /// Begins the first page.
    pub(super) fn new(fonts: &'a Fonts) -> Self {
        Self { fonts, pages: vec![vec![]], y: MARGIN }
    }

    /// The finished pages.
    pub(super) fn finish(self) -> Vec<Vec<Mark>> {
        self.pages
    }

    /// Puts a block below what is there.
    pub(super) fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(1, words) => {
                self.text(words, 20.0, 30.0, true, 0.0);
                self.y += 8.0;
            }
            Block::Heading(_, words) => {
                self.y += 7.0;
                // A heading stays with the first lines below it.
                self.need(100.0);
                self.text(words, 12.5, 20.0, true, 0.0);
                self.y += 2.0;
            }
            Block::Paragraph(words) => {
                self.text(words, BODY, 17.0, false, 0.0);
                self.y += 3.0;
            }
            Block::Summary(paragraphs) => self.summary(paragraphs),
            Block::Table(head, rows) => self.table(head, rows),
        }
    }

    /// Puts the QR code and the words below it, together on one page.
    pub(super) fn qr(&mut self, words: &str) {
        const SIDE: f32 = 112.0;
        self.y += 14.0;
        self.need(SIDE + 30.0);
        let y = self.y;
        self.mark(Mark::Qr(LEFT, y, SIDE));
        self.y += SIDE + 4.0;
        self.text(&[Span { text: words.to_owned(), bold: false }], CELL, 13.0, false, 0.0);
    }

    fn text(&mut self, words: &[Span], size: f32, leading: f32, bold: bool, indent: f32) {
        let words: Vec<Span> = words.iter().map(|s| Span { text: s.text.clone(), bold: bold || s.bold }).collect();
        for line in self.fonts.lines(&words, size, WIDTH - 2.0 * indent) {
            self.need(leading);
            let baseline = self.y + leading * 0.5 + size * 0.36;
            self.mark(Mark::Text(LEFT + indent, baseline, size, line));
            self.y += leading;
        }
    }

    fn summary(&mut self, paragraphs: &[Vec<Span>]) {
        const INDENT: f32 = 14.0;
        self.y += 6.0;
        self.need(60.0);
        for (at, words) in paragraphs.iter().enumerate() {
            for line in self.fonts.lines(words, BODY, WIDTH - 2.0 * INDENT) {
                self.need(17.0);
                let y = self.y;
                // The box is drawn line by line, so that it may go over a page's end.
                self.mark(Mark::Fill(LEFT, y - 2.0, WIDTH, 19.0, 240));
                self.mark(Mark::Fill(LEFT, y - 2.0, 3.0, 19.0, 90));
                self.mark(Mark::Text(LEFT + INDENT, y + 12.4, BODY, line));
                self.y += 17.0;
            }
            if at + 1 < paragraphs.len() {
                self.y += 2.0;
            }
        }
        self.y += 10.0;
    }

    fn table(&mut self, head: &[Vec<Span>], rows: &[Vec<Vec<Span>>]) {
        if head.is_empty() {
            return;
        }
        self.y += 4.0;
        let widths = self.columns(head, rows);
        let bold: Vec<Vec<Span>> =
            head.iter().map(|cell| cell.iter().map(|s| Span { text: s.text.clone(), bold: true }).collect()).collect();
        self.need(60.0);
        self.row(&bold, &widths, true);
        for row in rows {
            self.row(row, &widths, false);
        }
        self.y += 8.0;
    }

    /// Column widths by how much stands in them; none is too narrow for a word.
    fn columns(&self, head: &[Vec<Span>], rows: &[Vec<Vec<Span>>]) -> Vec<f32> {
        let natural: Vec<f32> = (0..head.len())
            .map(|column| {
                let cells = std::iter::once(head).chain(rows.iter().map(Vec::as_slice)).filter_map(|r| r.get(column));
                let widest = cells.map(|cell| self.fonts.measure(cell) * CELL).fold(0.0_f32, f32::max);
                // A square root evens out: a long text takes more lines rather than everybody's width.
                (widest + 2.0 * PAD).clamp(22.0, WIDTH).sqrt()
            })
            .collect();
        let sum: f32 = natural.iter().sum();
        natural.iter().map(|n| n / sum * WIDTH).collect()
    }

    /// One row; what does not fit goes on over the page's end.
    fn row(&mut self, cells: &[Vec<Span>], widths: &[f32], head: bool) {
        const LEADING: f32 = 12.5;
        let mut columns: Vec<Vec<Line>> =
            cells.iter().zip(widths).map(|(cell, w)| self.fonts.lines(cell, CELL, w - 2.0 * PAD)).collect();
        loop {
            let lines = columns.iter().map(Vec::len).max().unwrap_or(0).max(1);
            self.need((lines.min(4) as f32) * LEADING + 2.0 * PAD);
            let fits = (((BOTTOM - self.y - 2.0 * PAD) / LEADING).floor().max(1.0)) as usize;
            let now = lines.min(fits);
            let (top, height) = (self.y, now as f32 * LEADING + 2.0 * PAD);
            if head {
                self.mark(Mark::Fill(LEFT, top, WIDTH, height, 232));
            }
            let mut x = LEFT;
            for (column, width) in columns.iter_mut().zip(widths) {
                let rest = column.split_off(now.min(column.len()));
                for (at, line) in std::mem::replace(column, rest).into_iter().enumerate() {
                    let baseline = top + PAD + at as f32 * LEADING + LEADING * 0.5 + CELL * 0.36;
                    self.mark(Mark::Text(x + PAD, baseline, CELL, line));
                }
                self.mark(Mark::Fill(x, top, 0.5, height, 150));
                x += width;
            }
            self.mark(Mark::Fill(LEFT + WIDTH - 0.5, top, 0.5, height, 150));
            self.mark(Mark::Fill(LEFT, top, WIDTH, 0.5, 150));
            self.mark(Mark::Fill(LEFT, top + height, WIDTH, 0.5, 150));
            self.y += height;
            if columns.iter().all(Vec::is_empty) {
                return;
            }
        }
    }

    /// Begins a new page unless `height` still fits.
    fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > MARGIN {
            self.pages.push(vec![]);
            self.y = MARGIN;
        }
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }
}
