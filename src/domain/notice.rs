//! Which exact text was shown, to whom, for how long.

use super::id::ResidentId;
use super::id::ShowingId;
use super::time::Timestamp;

/// Language of a window or a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Language {
    /// 简体中文; its texts govern.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// BCP 47 tag, also the folder name under `i18n/` and `assets/notices/`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// The exact text that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRef {
    /// Number of the notice, e.g. `MK-N1`.
    pub id: String,
    /// Version, e.g. `1.0`.
    pub version: String,
    /// Language.
    pub language: Language,
    /// SHA-256 of the rendered text, byte for byte as stored in the vault.
    pub sha256: [u8; 32],
}

/// One showing of a notice: what was shown and how it was read. Rules: P14, P17.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeShown {
    /// This showing.
    pub id: ShowingId,
    /// To whom.
    pub resident: ResidentId,
    /// Which text.
    pub notice: NoticeRef,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When its end was on screen; `None` until then.
    pub reached_end_at: Option<Timestamp>,
}

impl NoticeShown {
    /// Whether the whole text was on screen.
    pub fn is_complete(&self) -> bool {
        self.reached_end_at.is_some_and(|end| end >= self.opened_at)
    }
}
