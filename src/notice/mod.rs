//! The legal texts: versioned files under `assets/notices/<language>/`, rendered with the site's facts, the same bytes every time.

use std::collections::BTreeMap;

use crate::domain::notice::{Language, NoticeRef};

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Text {
    /// 告知书, adults and minors of fourteen and over (notice, part 1).
    Notice,
    /// 单独同意 2.1: the sentence lines, one page.
    Consent,
    /// 2.2, after a refusal.
    Refused,
    /// 2.3, withdrawal.
    Withdraw,
    /// 其他进门方式说明 (part 4).
    OtherWays,
    /// 6.2, beside the camera.
    CameraHint,
    /// 6.3, receipt of a consent.
    Receipt,
    /// 人脸信息删除证明 (part 5).
    DeletionCertificate,
}

/// A rendered text: what is shown, stored and hashed is exactly [`Rendered::markdown`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The exact bytes, a small Markdown: `#`, `>`, `**bold**`, tables, lists.
    pub markdown: String,
    /// Number, version, language and SHA-256 of `markdown`.
    pub reference: NoticeRef,
}

/// A placeholder without a value: the text must not be shown, printed or consented to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unfilled placeholders: {0:?}")]
pub struct Unfilled(pub Vec<String>);

/// Values of placeholders, by name without braces.
pub type Values = BTreeMap<String, String>;

/// A run of characters of one weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The characters.
    pub text: String,
    /// Set in bold.
    pub bold: bool,
}

/// A block of a rendered text, for windows and papers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading of level 1 to 3.
    Heading(u8, Vec<Span>),
    /// A paragraph.
    Paragraph(Vec<Span>),
    /// The box to be read first: its paragraphs.
    Summary(Vec<Vec<Span>>),
    /// A table: header, rows; each cell a list of spans.
    Table(Vec<Vec<Span>>, Vec<Vec<Vec<Span>>>),
}

/// Renders a text.
///
/// # Errors
/// [`Unfilled`] names every placeholder that has no value.
pub fn render(text: Text, language: Language, values: &Values) -> Result<Rendered, Unfilled> {
    let _ = (text, language, values);
    Err(Unfilled(vec![]))
}

/// Splits a rendered text into blocks.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let _ = markdown;
    vec![]
}
