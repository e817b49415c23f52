//! What the texts say of a guardian and of the person who is guarded, what a child hears, and the page that is signed on paper.

use crate::domain::guardian::{Decider, GuardianRole, ProofSeen, View};
use crate::domain::notice::Language;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::CivilDate;

use super::{Block, ConsentPage, Rendered, Text, Unfilled, Values, asset, blocks, plain_spans, render};

/// What the texts say of one person's guardian.
#[derive(Clone, Copy, Debug)]
pub struct GuardianCase<'a> {
    /// Who decides.
    pub decider: Decider,
    /// The person's full name: the guardian's page names whom it is about.
    pub person: &'a str,
    /// What the guardian is to the person.
    pub role: GuardianRole,
    /// Which kind of proof was looked at.
    pub proof: ProofSeen,
    /// Shown name of the account that checked it.
    pub checked_by: &'a str,
    /// The person's own answer, once it was given.
    pub view: Option<View>,
}

/// Adds what the guardian's texts need to the values of a person's case. For a child, number, version and date are those of the
/// children's rules.
pub fn guardian_values(values: &mut Values, language: Language, case: &GuardianCase<'_>) {
    let mut put = |key: &str, value: &str| {
        values.insert(key.to_owned(), value.to_owned());
    };
    for key in ["child_name", "minor_name", "ward_name"] {
        put(key, case.person);
    }
    put("guardian_role", role(case.role, language));
    put("guardian_basis_seen", proof(case.proof, language));
    put("operator_name", case.checked_by);
    if let Some(view) = case.view {
        put("child_view", said(view, language));
        put("ward_view", said(view, language));
    }
    if case.decider == Decider::ChildsGuardian
        && let Ok((header, _)) = asset::load(Text::ChildrensRules, language)
    {
        put("notice_version", &header.version);
        let date = CivilDate::parse(&header.date).map(|day| match language {
            Language::Chinese => day.chinese(),
            Language::English => day.to_string(),
        });
        put("notice_date", &date.unwrap_or_default());
    }
}

/// Whether the children's rules can be shown: the named person for children's data is written (rules P31b, M8). Leaving it empty keeps
/// children under fourteen card-only.
pub fn has_childrens_rules(facts: &SiteFacts) -> bool {
    [Fact::ChildOfficerName, Fact::ChildOfficerPhone].iter().all(|fact| {
        let text = facts.get(*fact);
        !text.is_empty() && !text.contains(['{', '}'])
    })
}

/// What is read to the child: the last section of the children's rules as rendered, so that it is the same words.
pub fn childs_words(rules: &str) -> Vec<String> {
    let mut words = vec![];
    for block in blocks(rules) {
        match block {
            Block::Heading(..) => words.clear(),
            Block::Paragraph(spans) => words.push(plain_spans(&spans)),
            Block::Summary(_) | Block::Table(..) => {}
        }
    }
    words
}

/// The words of a text without box and buttons that somebody signs (2.6), without its line for the signature.
///
/// # Errors
/// [`Unfilled`], as [`render`].
pub fn statement(text: Text, language: Language, values: &Values) -> Result<String, Unfilled> {
    let rendered = render(text, language, values)?;
    let lines = super::plain(&rendered.markdown);
    Ok(lines.lines().filter(|line| !line.contains('＿')).collect::<Vec<_>>().join("\n"))
}

/// The form that is signed on paper: the page as it is on the screen, then its number, the digests and the line to sign on.
///
/// `values` must hold `form_no`, `notice_hash` and `words_hash`.
///
/// # Errors
/// [`Unfilled`], as [`render`].
pub fn paper_form(page: &str, language: Language, values: &Values) -> Result<Rendered, Unfilled> {
    let (header, _) = asset::load(Text::PaperForm, language)?;
    let foot = render(Text::PaperForm, language, values)?;
    // The box is ticked and the buttons are pressed on the screen; on paper there is nothing to press.
    let words: Vec<&str> = page.lines().filter(|line| !line.starts_with(['〔', '['])).collect();
    let markdown = format!("{}\n\n{}", words.join("\n").trim_end(), foot.markdown);
    Ok(Rendered::new(&header, language, markdown))
}

impl ConsentPage {
    /// The words of the page without what stands on its buttons: what a guardian's signature stands under.
    pub fn statement(&self) -> String {
        let mut lines = self.preamble.clone();
        lines.push(self.sentence.clone());
        lines.join("\n")
    }
}

/// What a guardian is to the person, as the forms say it.
pub fn role(role: GuardianRole, language: Language) -> &'static str {
    match (role, language) {
        (GuardianRole::Father, Language::Chinese) => "父亲",
        (GuardianRole::Mother, Language::Chinese) => "母亲",
        (GuardianRole::Spouse, Language::Chinese) => "配偶",
        (GuardianRole::AdultChild, Language::Chinese) => "成年子女",
        (GuardianRole::Other, Language::Chinese) => "其他监护人",
        (GuardianRole::Father, Language::English) => "father",
        (GuardianRole::Mother, Language::English) => "mother",
        (GuardianRole::Spouse, Language::English) => "spouse",
        (GuardianRole::AdultChild, Language::English) => "adult child",
        (GuardianRole::Other, Language::English) => "other guardian",
    }
}

fn proof(proof: ProofSeen, language: Language) -> &'static str {
    match (proof, language) {
        (ProofSeen::HouseholdBook, Language::Chinese) => "户口簿",
        (ProofSeen::BirthCertificate, Language::Chinese) => "出生医学证明",
        (ProofSeen::GuardianshipPaper, Language::Chinese) => "监护证明",
        (ProofSeen::CourtDecision, Language::Chinese) => "法院判决书",
        (ProofSeen::HouseholdBook, Language::English) => "household register",
        (ProofSeen::BirthCertificate, Language::English) => "birth certificate",
        (ProofSeen::GuardianshipPaper, Language::English) => "certificate of guardianship",
        (ProofSeen::CourtDecision, Language::English) => "court decision",
    }
}

fn said(view: View, language: Language) -> &'static str {
    match (view, language) {
        (View::Yes, Language::Chinese) => "愿意",
        (View::No, Language::Chinese) => "不愿意",
        (View::Yes, Language::English) => "yes",
        (View::No, Language::English) => "no",
    }
}
