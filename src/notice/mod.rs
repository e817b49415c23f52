//! The legal texts: versioned files under `assets/notices/<language>/`, rendered with the site's facts, the same bytes every time.
//!
//! Deliberately absent: any default for a fact that the site must write, any date or clock, any way to change a wording at run time.
//!
//! ```
//! use menka::domain::{notice::Language, site::SiteFacts};
//! use menka::notice::{Text, Values, render};
//!
//! // An empty site cannot show its notice: every missing fact is named.
//! let missing = render(Text::Notice, Language::Chinese, &Values::new()).unwrap_err();
//! assert!(missing.0.contains(&"processor_name".to_owned()));
//! ```

mod asset;
mod change;
mod fill;
mod guardian;
mod held_words;
mod page;
mod parse;
mod schema;
mod sections;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use crate::domain::notice::{Language, NoticeRef};

pub use asset::Header;
pub use change::{change_values, section_names, stand};
pub use fill::{ROWS_MAX, placeholders};
pub use guardian::{
    GuardianCase, childs_words, guardian_values, has_childrens_rules, paper_form, role as guardian_role, statement,
};
pub use held_words::{HeldWords, explanations};
pub use page::{ConsentPage, Page, consent_page, decision_page, page};
pub use parse::{blocks, plain, plain_spans};
pub use schema::{Placeholder, Source, placeholder};
pub use sections::{sections, spoken};
pub use values::{PersonCase, values_for};

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
    /// 人脸信息删除证明 (part 5). `done_all` and `done_part` are `✓` or `—`; a row for each gate comes from numbered values.
    DeletionCertificate,
    /// 6.4, the letter when a request is not done.
    RefusalReply,
    /// Everything held about a person (PIPL 45).
    Held,
    /// What is held about a guardian, for that guardian (PIPL 45).
    HeldGuardian,
    /// The words for codes in [`Text::Held`]; read by [`HeldWords`].
    HeldWords,
    /// What goes with an electronic copy, and why the template does not (PIPL 45(3)).
    Transfer,
    /// Each section of the notice in plain words (PIPL 48).
    Explain,
    /// 2.4, the decision after a change.
    Change,
    /// The sheet of what changed, old and new, for somebody who must decide.
    ChangeSheet,
    /// The same for somebody who is only told.
    ChangeTold,
    /// 6.1, at a gate or at the desk.
    Sign,
    /// A registered impact assessment, on paper.
    Assessment,
    /// To an entrusted party whose contract ends (P21).
    EntrustedEnd,
    /// 内部管理制度和保密承诺: read and signed by each member of staff every year. No placeholders.
    InternalRules,
    /// The sheet with the printed recovery key.
    RecoverySheet,
    /// The sheet with the printed backup key.
    BackupSheet,
    /// The weekly sheet of looks at records; a row for each account comes from numbered values.
    LooksSheet,
    /// 儿童人脸信息处理规则和监护人告知书 (part 3), with what is read to the child.
    ChildrensRules,
    /// 监护人单独同意 (part 3): the guardian of a child.
    GuardianConsent,
    /// 2.6: the guardian of a young person signs as informed.
    GuardianInformed,
    /// 2.7: the guardian of an adult.
    WardConsent,
    /// What an adult under guardianship is asked, in plain words.
    WardWords,
    /// Receipt of a guardian's consent.
    GuardianReceipt,
    /// Receipt of a young person's consent, with the guardian's signature as informed.
    InformedReceipt,
    /// What stands below the words of a page that is signed on paper.
    PaperForm,
    /// 6.5, to each person whom an incident concerns.
    Incident,
    /// The same for everybody, without a name (NDR 11).
    IncidentPublic,
    /// The draft of the report to the authority (PIPL 57).
    IncidentReport,
    /// The total of what was erased when the manager leaves (PIPL 22); a row for each gate comes from numbered values.
    ManagerLeft,
    /// The compliance audit pack (PIPL 54).
    AuditPack,
    /// The controls sheet for the graded protection file.
    Controls,
}

impl Text {
    /// Every text.
    pub const ALL: [Text; 38] = [
        Self::Notice,
        Self::Consent,
        Self::Refused,
        Self::Withdraw,
        Self::OtherWays,
        Self::CameraHint,
        Self::Receipt,
        Self::DeletionCertificate,
        Self::RefusalReply,
        Self::Held,
        Self::HeldGuardian,
        Self::HeldWords,
        Self::Transfer,
        Self::Explain,
        Self::Change,
        Self::ChangeSheet,
        Self::ChangeTold,
        Self::Sign,
        Self::Assessment,
        Self::EntrustedEnd,
        Self::InternalRules,
        Self::RecoverySheet,
        Self::BackupSheet,
        Self::LooksSheet,
        Self::ChildrensRules,
        Self::GuardianConsent,
        Self::GuardianInformed,
        Self::WardConsent,
        Self::WardWords,
        Self::GuardianReceipt,
        Self::InformedReceipt,
        Self::PaperForm,
        Self::Incident,
        Self::IncidentPublic,
        Self::IncidentReport,
        Self::ManagerLeft,
        Self::AuditPack,
        Self::Controls,
    ];

    /// The placeholder that holds the digest of this very text, if it carries one.
    ///
    /// The digest is SHA-256 over the text rendered with everything but this placeholder, which stays in braces.
    fn own_hash(self) -> Option<&'static str> {
        match self {
            Self::Notice | Self::ChildrensRules => Some("notice_hash"),
            Self::DeletionCertificate => Some("cert_hash"),
            Self::Consent
            | Self::Refused
            | Self::Withdraw
            | Self::OtherWays
            | Self::CameraHint
            | Self::Receipt
            | Self::Change
            | Self::ChangeSheet
            | Self::ChangeTold
            | Self::Sign
            | Self::Assessment
            | Self::EntrustedEnd
            | Self::RefusalReply
            | Self::Held
            | Self::HeldGuardian
            | Self::HeldWords
            | Self::Transfer
            | Self::InternalRules
            | Self::RecoverySheet
            | Self::BackupSheet
            | Self::LooksSheet
            | Self::GuardianConsent
            | Self::GuardianInformed
            | Self::WardConsent
            | Self::WardWords
            | Self::GuardianReceipt
            | Self::InformedReceipt
            | Self::PaperForm
            | Self::Incident
            | Self::IncidentPublic
            | Self::IncidentReport
            | Self::ManagerLeft
            | Self::AuditPack
            | Self::Controls
            | Self::Explain => None,
        }
    }
}

/// A rendered text: what is shown, stored and hashed is exactly [`Rendered::markdown`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The exact bytes, a small Markdown: `#`, `>`, `**bold**`, tables, lists. Lines end with LF, and the last one does too.
    pub markdown: String,
    /// Number, version, language and SHA-256 of `markdown`.
    pub reference: NoticeRef,
}

impl Rendered {
    /// Makes a text of finished bytes; the digest is taken here and nowhere else.
    fn new(header: &Header, language: Language, markdown: String) -> Self {
        let sha256 = sha256(markdown.as_bytes());
        let reference = NoticeRef { id: header.id.clone(), version: header.version.clone(), language, sha256 };
        Self { markdown, reference }
    }
}

/// A placeholder without a value: the text must not be shown, printed or consented to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unfilled placeholders: {0:?}")]
pub struct Unfilled(pub Vec<String>);

/// Values of placeholders, by name without braces.
///
/// A table row of a text is repeated for `name.1`, `name.2`, … when those are there (the gates of a deletion certificate).
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
    /// A paragraph: one line of the text.
    Paragraph(Vec<Span>),
    /// The box to be read first: its paragraphs.
    Summary(Vec<Vec<Span>>),
    /// A table: header, rows; each cell a list of spans.
    Table(Vec<Vec<Span>>, Vec<Vec<Vec<Span>>>),
}

/// Renders a text. The same text, language and values give the same bytes. Rules: P17a, J02-4.
///
/// # Errors
/// [`Unfilled`] names every placeholder that has no value, or whose value still holds a brace.
pub fn render(text: Text, language: Language, values: &Values) -> Result<Rendered, Unfilled> {
    let (header, body) = asset::load(text, language)?;
    let Some(own) = text.own_hash() else {
        let header = header.in_force(text, values);
        return fill::fill(&body, values, None).map(|markdown| Rendered::new(&header, language, markdown));
    };
    let open = fill::fill(&body, values, Some(own))?;
    let digest = hex(&sha256(open.as_bytes()));
    let markdown = open.replace(&format!("{{{own}}}"), &digest);
    Ok(Rendered::new(&header.in_force(text, values), language, markdown))
}

/// Number, version and date of a text.
///
/// # Errors
/// [`Unfilled`] when the file's header cannot be read.
pub fn header(text: Text, language: Language) -> Result<Header, Unfilled> {
    asset::load(text, language).map(|(header, _)| header)
}

/// The check code printed inside a rendered notice (`{notice_hash}`) or certificate (`{cert_hash}`), in hex.
///
/// # Errors
/// [`Unfilled`], as [`render`].
pub fn check_code(text: Text, language: Language, values: &Values) -> Result<String, Unfilled> {
    let (_, body) = asset::load(text, language)?;
    let open = fill::fill(&body, values, text.own_hash())?;
    Ok(hex(&sha256(open.as_bytes())))
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}
