//! The files. Each begins with a small header between two `---` lines, which is not part of what is shown.

use crate::domain::notice::Language;

use super::{Text, Unfilled};

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number, e.g. `MK-N1`.
    pub id: String,
    /// Version, e.g. `1.0`.
    pub version: String,
    /// In use from, `2026-11-22`.
    pub date: String,
}

macro_rules! files {
    ($($text:ident = $name:literal,)*) => {
        fn file(text: Text, language: Language) -> (&'static str, &'static str) {
            match (text, language) {
                $(
                    (Text::$text, Language::Chinese) =>
                        ($name, include_str!(concat!("../../assets/notices/zh-CN/", $name, ".md"))),
                    (Text::$text, Language::English) =>
                        ($name, include_str!(concat!("../../assets/notices/en/", $name, ".md"))),
                )*
            }
        }
    };
}

files! {
    Notice = "notice",
    Consent = "consent",
    Refused = "refused",
    Withdraw = "withdraw",
    OtherWays = "other-ways",
    CameraHint = "camera-hint",
    Receipt = "receipt",
    DeletionCertificate = "deletion-certificate",
    RefusalReply = "refusal-reply",
    Held = "held",
    HeldWords = "held-words",
    Transfer = "transfer",
    Explain = "explain",
}

/// Header and body of a text. Line ends are made LF, so that a checkout on Windows gives the same bytes.
pub(super) fn load(text: Text, language: Language) -> Result<(Header, String), Unfilled> {
    let (name, raw) = file(text, language);
    split(&raw.replace("\r\n", "\n"), language).ok_or_else(|| Unfilled(vec![format!("header of {name}")]))
}

/// Takes the header off. `None` when a field is missing or the language is another one.
pub(super) fn split(raw: &str, language: Language) -> Option<(Header, String)> {
    let (head, body) = raw.strip_prefix("---\n")?.split_once("\n---\n")?;
    let field = |name: &str| {
        let value = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(value.trim().to_owned()).filter(|v| !v.is_empty())
    };
    if field("language")? != language.tag() {
        return None;
    }
    let header = Header { id: field("id")?, version: field("version")?, date: field("date")? };
    Some((header, body.trim_matches('\n').to_owned()))
}
