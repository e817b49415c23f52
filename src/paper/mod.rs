//! Papers to take away: a rendered text as an A4 PDF with its check code, page numbers and, on a receipt, a QR code.
//!
//! Deliberately absent: any wording of its own (what is printed is the rendered text), files and printers.

mod font;
mod layout;
mod line;
mod page;
#[cfg(test)]
mod tests;

use crate::notice::Rendered;

/// Why no paper came out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    /// A built-in font cannot be read: the program is damaged.
    #[error("a built-in font cannot be read")]
    Font,
    /// The string does not fit a QR code.
    #[error("the text for the QR code is too long")]
    QrTooLong,
    /// The page could not be written.
    #[error("the page could not be made: {0}")]
    Pdf(String),
}

/// The font files, shared with the windows: 400 weight with every character, 700 weight with the 7,500 most used ones.
pub const FONT_FILES: [&[u8]; 2] = [
    include_bytes!("../../assets/fonts/NotoSansSC-Regular.ttf"),
    include_bytes!("../../assets/fonts/NotoSansSC-Bold-GB2312.ttf"),
];

/// Makes a receipt: the text, then a QR code that carries `qr` (also printed below it, to be read by people).
///
/// The file holds what the text holds: names, units, dates. It goes to the resident; the desk keeps none.
///
/// # Errors
/// [`PaperError`].
pub fn receipt_pdf(text: &Rendered, qr: &str) -> Result<Vec<u8>, PaperError> {
    page::draw(&[text], Some(qr))
}

/// Makes a paper of any rendered text.
///
/// # Errors
/// [`PaperError`].
pub fn text_pdf(text: &Rendered) -> Result<Vec<u8>, PaperError> {
    page::draw(&[text], None)
}

/// Makes one paper of several texts, each beginning on a page of its own.
///
/// # Errors
/// [`PaperError`].
pub fn texts_pdf(texts: &[Rendered]) -> Result<Vec<u8>, PaperError> {
    page::draw(&texts.iter().collect::<Vec<_>>(), None)
}
