//! The files. Each begins with a small header between two `---` lines, which is not part of what is shown.

use crate::domain::notice::Language;

use super::{Text, Unfilled, Values};

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

impl Header {
    /// The header as it applies at a site: a text that is part of the site's notice carries the version in force there, which counts changes
    /// of facts and gates too; a file's own version counts changes of its wording only.
    pub(super) fn in_force(mut self, text: Text, values: &Values) -> Self {
        let counted =
            matches!(text, Text::Notice | Text::Consent | Text::Change | Text::ChangeSheet | Text::ChangeTold);
        if let Some(version) = values.get("notice_version").filter(|v| counted && !v.is_empty()) {
            self.version.clone_from(version);
        }
        self
    }
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
    HeldGuardian = "held-guardian",
    HeldWords = "held-words",
    Transfer = "transfer",
    Explain = "explain",
    Change = "change",
    ChangeSheet = "change-sheet",
    ChangeTold = "change-told",
    Sign = "sign",
    Assessment = "assessment",
    EntrustedEnd = "entrusted-end",
    InternalRules = "internal-rules",
    RecoverySheet = "recovery-sheet",
    BackupSheet = "backup-sheet",
    LooksSheet = "looks-sheet",
    ChildrensRules = "children",
    GuardianConsent = "guardian-consent",
    GuardianInformed = "guardian-informed",
    WardConsent = "ward",
    WardWords = "ward-words",
    GuardianReceipt = "guardian-receipt",
    InformedReceipt = "informed-receipt",
    PaperForm = "paper-form",
    Incident = "incident",
    IncidentPublic = "incident-public",
    IncidentReport = "incident-report",
    ManagerLeft = "manager-left",
    AuditPack = "audit-pack",
    Controls = "controls",
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
