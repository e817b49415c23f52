//! Papers to take away: a rendered text as an A4 PDF with its check code, page numbers and, on a receipt, a QR code.
//!
//! Deliberately absent: any wording of its own (what is printed is the rendered text), files and printers.

mod font;
mod layout;
mod line;
mod page;
#[cfg(test)]
mod tests;

use std::path::Path;

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

/// Whether a file at `path` would lie on another disk than `data`; a place that cannot be looked at is not apart.
pub fn is_apart(path: &Path, data: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (disk_of(folder), disk_of(data)) {
        (Some(there), Some(here)) => there != here,
        _ => false,
    }
}

/// Which disk a folder is on.
#[cfg(unix)]
fn disk_of(folder: &Path) -> Option<u64> {
    std::fs::metadata(folder).ok().map(|found| std::os::unix::fs::MetadataExt::dev(&found))
}

/// Which drive a folder is on.
#[cfg(not(unix))]
fn disk_of(folder: &Path) -> Option<std::ffi::OsString> {
    let whole = std::fs::canonicalize(folder).ok()?;
    whole.components().next().map(|first| first.as_os_str().to_owned())
}

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
