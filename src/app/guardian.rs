//! When somebody else must decide, or must know: the child or ward is asked first, then the guardian, each on a page of their own of the
//! resident window. Rules: P31a, P31b, F07a, F07b, J02-3, M1, M2, M3, M11, M12.
//!
//! Deliberately absent: any staff command that answers for a child, a ward or a guardian, and any way past a no.

use super::command::ResidentCommand;
use super::desk::{Desk, failure_of};
use super::enroll::{Flow, Noticed, Person};
use super::event::{Event, Failure, ResidentScene};
use super::visit::scene_of;
use crate::domain::audit::Actor;
use crate::domain::consent::{ConsentDraft, ConsentError, Signature};
use crate::domain::guardian::{ByGuardian, Decider, Guardian, Party, View, ViewHeard};
use crate::domain::id::{ConsentId, ResidentId, TemplateId, ViewId};
use crate::domain::notice::Language;
use crate::domain::time::Timestamp;
use crate::evidence::consent::{ConsentFacts, decided_json};
use crate::notice::{self, ConsentPage, GuardianCase, Text, Values};
use crate::secret::random_bytes;

/// Acts of a guardian, a child or a ward on the resident window.
#[derive(Debug)]
pub enum GuardianAct {
    /// What the child or ward pressed.
    Heard(View),
    /// The guardian of a young person signs as informed.
    SignInformed {
        /// As drawn or typed.
        signature: Signature,
    },
    /// Whoever is to sign wants to do so on paper.
    AskForm,
    /// The form is signed and was seen: this is my signature.
    ConfirmForm,
    /// Back from the form to the page it belongs to.
    LeaveForm,
}

/// Pages of the resident window on which a guardian, a child or a ward acts.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardianScene {
    /// The child or ward is asked, in words of their own.
    Ask {
        /// A child, rather than an adult under guardianship.
        is_child: bool,
        /// A few plain sentences.
        words: Vec<String>,
    },
    /// The guardian's consent page: one box, two buttons.
    Consent {
        /// Title of the page.
        title: String,
        /// Lines above the box.
        preamble: Vec<String>,
        /// The one sentence beside the box.
        sentence: String,
        /// Words on *No* and *Yes*.
        buttons: (String, String),
    },
    /// The guardian of a young person reads what is signed as informed; the decision was the young person's.
    Informed {
        /// The words that are signed (2.6).
        words: String,
        /// Words on *No*: the young person may still leave it.
        no: String,
    },
    /// Signing on paper.
    Form {
        /// The form's short number, as printed on it.
        number: String,
        /// Staff looked at the signed form.
        seen: bool,
        /// Words on *No*.
        no: String,
    },
}

impl ResidentScene {
    /// Whether the other scene is the same page, so that what was done on it stays.
    pub fn is_same_page(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Guardian(one), Self::Guardian(two)) => std::mem::discriminant(one) == std::mem::discriminant(two),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// Who decides in this visit, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub decider: Decider,
    pub guardian: Option<Guardian>,
    /// Shown name of the account that checked the guardian.
    pub checked_by: String,
    /// The child's or ward's yes.
    pub view: Option<ViewHeard>,
}

/// A yes with its signature, not yet on disk.
pub(super) struct Yes {
    pub signature: Signature,
    pub at: Timestamp,
}

/// The young person said yes; the guardian is to sign as informed.
pub(super) struct Informing {
    pub noticed: Box<Noticed>,
    pub page: ConsentPage,
    pub yes: Yes,
    pub words: String,
}

/// The full text that must be read to its end before anything is decided.
pub(super) fn notice_text(decider: Decider) -> Text {
    match decider {
        Decider::ChildsGuardian => Text::ChildrensRules,
        Decider::Own | Decider::OwnInformed | Decider::WardsGuardian => Text::Notice,
    }
}

/// The receipt for this kind of consent.
pub(super) fn receipt_text(decider: Decider) -> Text {
    match decider {
        Decider::Own => Text::Receipt,
        Decider::OwnInformed => Text::InformedReceipt,
        Decider::ChildsGuardian | Decider::WardsGuardian => Text::GuardianReceipt,
    }
}

fn decision_text(decider: Decider) -> Text {
    match decider {
        Decider::Own | Decider::OwnInformed => Text::Consent,
        Decider::ChildsGuardian => Text::GuardianConsent,
        Decider::WardsGuardian => Text::WardConsent,
    }
}

impl Desk {
    pub(super) fn handle_guardian(&mut self, act: GuardianAct, now: Timestamp) {
        match act {
            GuardianAct::Heard(view) => self.heard(view, now),
            GuardianAct::SignInformed { signature } => self.sign_informed(signature, now),
            GuardianAct::AskForm => self.ask_form(now),
            GuardianAct::ConfirmForm => self.confirm_form(now),
            GuardianAct::LeaveForm => self.leave_form(),
        }
    }

    /// Who decides about this person, with the guardian where one must be there.
    ///
    /// # Errors
    /// What keeps the visit from beginning; the card works whatever it is.
    pub(super) fn case_of(&mut self, resident: ResidentId, now: Timestamp) -> Result<Case, Failure> {
        let Some(open) = self.open.as_ref() else { return Err(Failure::FaceNotOffered) };
        let decider = open.vault.decider(resident, now).map_err(failure_of)?;
        let mut case = Case { decider, guardian: None, checked_by: String::new(), view: None };
        if !decider.needs_guardian() {
            return Ok(case);
        }
        if decider == Decider::ChildsGuardian && !notice::has_childrens_rules(&open.facts) {
            return Err(Failure::ChildrensRulesMissing);
        }
        // A child's or ward's own no rests: nobody is asked until they say yes.
        if open.vault.view_rests_until(resident, now).map_err(failure_of)?.is_some() {
            return Err(Failure::ViewRests);
        }
        let guardian = open.vault.current_guardian(resident).map_err(failure_of)?;
        let guardian = guardian.filter(|g| g.is_here(now)).ok_or(Failure::GuardianNotChecked)?;
        if !guardian.role.fits(decider) || !guardian.proof.fits(decider) {
            return Err(Failure::GuardianNotChecked);
        }
        case.checked_by = open.vault.checker_name(&guardian).map_err(failure_of)?;
        case.guardian = Some(guardian);
        Ok(case)
    }

    /// Reads again who decides; a guardian who was checked anew meanwhile counts as another one, and the person's own answer with the
    /// former one no longer does.
    pub(super) fn renew_case(&mut self, person: &mut Person, now: Timestamp) {
        if let Ok(case) = self.case_of(person.resident.id, now)
            && case.guardian != person.case.guardian
        {
            person.case = case;
        }
    }

    /// Adds what the texts say of the guardian.
    pub(super) fn add_guardian(values: &mut Values, language: Language, person: &Person) {
        let Some(guardian) = &person.case.guardian else { return };
        let case = GuardianCase {
            decider: person.case.decider,
            person: person.resident.name.as_str(),
            role: guardian.role,
            proof: guardian.proof,
            checked_by: &person.case.checked_by,
            view: person.case.view.map(|heard| heard.view),
        };
        notice::guardian_values(values, language, &case);
    }

    /// After the rules: the child or ward first, then whoever decides.
    pub(super) fn decide(&mut self, noticed: Box<Noticed>) {
        let heard_on = noticed.person.case.view.map(|heard| heard.showing);
        let shown = noticed.current().map(|(shown, _)| shown.id);
        if noticed.person.case.decider.hears_person() && (heard_on.is_none() || heard_on != shown) {
            return self.ask_person(noticed);
        }
        let values = noticed.values.get(&noticed.language).cloned().unwrap_or_default();
        match notice::decision_page(decision_text(noticed.person.case.decider), noticed.language, &values) {
            Ok(page) => self.show_decision(noticed, page),
            Err(_) => self.ended(Some(Failure::FaceNotOffered)),
        }
    }

    pub(super) fn show_decision(&mut self, noticed: Box<Noticed>, page: ConsentPage) {
        self.scene(decision_scene(noticed.person.case.decider, &page));
        self.set(Flow::Deciding(noticed, page));
    }

    fn ask_person(&mut self, noticed: Box<Noticed>) {
        let is_child = noticed.person.case.decider == Decider::ChildsGuardian;
        let words = match noticed.current() {
            Some((_, rules)) if is_child => notice::childs_words(&rules.markdown),
            _ => notice::render(Text::WardWords, noticed.language, &Values::new())
                .map(|text| notice::plain(&text.markdown).lines().map(str::to_owned).collect())
                .unwrap_or_default(),
        };
        if words.is_empty() {
            return self.ended(Some(Failure::FaceNotOffered));
        }
        self.scene(ResidentScene::Guardian(GuardianScene::Ask { is_child, words }));
        self.set(Flow::Asking(noticed));
    }

    /// The child's or ward's own answer. A no is on disk as a refusal before anything else happens, and nothing overrules it.
    pub(super) fn heard(&mut self, view: View, now: Timestamp) {
        let mut noticed = match self.flow() {
            Flow::Asking(noticed) => noticed,
            other => return self.set(other),
        };
        let Some((shown, _)) = noticed.current() else { return self.to_idle(now) };
        let heard = ViewHeard {
            id: ViewId::from_bytes(random_bytes()),
            resident: noticed.person.resident.id,
            showing: shown.id,
            view,
        };
        let recorded = self.open.as_mut().map(|open| open.vault.record_view(&heard, now));
        match (recorded, view) {
            (Some(Ok(())), View::Yes) => {
                noticed.person.case.view = Some(heard);
                for (language, values) in &mut noticed.values {
                    Self::add_guardian(values, *language, &noticed.person);
                }
                self.decide(noticed);
            }
            (Some(Ok(())), View::No) => {
                self.devices.engine.rest();
                self.set(Flow::Refused);
                self.show_refused();
            }
            (Some(Err(error)), _) => {
                let failure = failure_of(error);
                self.fail(failure.clone());
                self.ended(Some(failure));
            }
            (None, _) => {}
        }
    }

    /// Who said no, for the log.
    pub(super) fn who_refused(person: &Person) -> Actor {
        match (&person.case.guardian, person.case.decider.hears_person()) {
            (Some(guardian), true) => Actor::Guardian(guardian.id),
            _ => Actor::Resident(person.resident.id),
        }
    }

    /// A signed yes on the decision page. A young person's waits for the guardian's signature; every other one is complete.
    pub(super) fn said_yes(&mut self, noticed: Box<Noticed>, page: ConsentPage, yes: Yes, now: Timestamp) {
        if !yes.signature.is_given() {
            // The page stays: the signature step asks again.
            return self.show_decision(noticed, page);
        }
        if noticed.person.case.decider != Decider::OwnInformed {
            return self.record_yes(noticed, page, yes, None, now);
        }
        let values = noticed.values.get(&noticed.language).cloned().unwrap_or_default();
        match notice::statement(Text::GuardianInformed, noticed.language, &values) {
            Ok(words) => self.show_informed(Box::new(Informing { noticed, page, yes, words })),
            Err(_) => self.ended(Some(Failure::FaceNotOffered)),
        }
    }

    pub(super) fn show_informed(&mut self, informing: Box<Informing>) {
        let (words, no) = (informing.words.clone(), informing.page.no.clone());
        self.scene(ResidentScene::Guardian(GuardianScene::Informed { words, no }));
        self.set(Flow::Informing(informing));
    }

    fn sign_informed(&mut self, signature: Signature, now: Timestamp) {
        match self.flow() {
            Flow::Informing(informing) => self.informed(informing, signature, now),
            other => self.set(other),
        }
    }

    pub(super) fn informed(&mut self, mut informing: Box<Informing>, signature: Signature, now: Timestamp) {
        if self.is_outdated(&mut informing.noticed, now) {
            return self.show_notice(*informing.noticed, now);
        }
        if !signature.is_given() {
            return self.show_informed(informing);
        }
        let Informing { noticed, page, yes, words } = *informing;
        self.record_yes(noticed, page, yes, Some((words, signature)), now);
    }

    /// A complete yes: written to the vault first; only then is the camera asked for.
    fn record_yes(
        &mut self,
        noticed: Box<Noticed>,
        page: ConsentPage,
        yes: Yes,
        informed: Option<(String, Signature)>,
        now: Timestamp,
    ) {
        let Some((shown, _)) = noticed.current().cloned() else { return self.to_idle(now) };
        let person = &noticed.person;
        let Some(party) = party_of(&person.case, &page, informed, now) else {
            return self.ended(Some(Failure::GuardianNotChecked));
        };
        let Yes { signature, at } = yes;
        let reading = self.how_read(shown.id);
        let person = &noticed.person;
        let draft = ConsentDraft::decided(
            &shown,
            person.resident.id,
            person.case.decider,
            party,
            page.sentence.clone(),
            person.gate_ids(),
            person.ends_on,
            signature,
            at,
        );
        let draft = match draft {
            Ok(draft) => ConsentDraft { reading, ..draft },
            Err(ConsentError::SignatureMissing) => return self.show_decision(noticed, page),
            Err(_) => return self.ended(Some(Failure::FaceNotOffered)),
        };
        let consent = ConsentId::from_bytes(random_bytes());
        let template = TemplateId::from_bytes(random_bytes());
        let Some(open) = self.open.as_mut() else { return };
        let facts = ConsentFacts {
            consent,
            template,
            draft: &draft,
            facts: &open.facts,
            site: open.vault.site(),
            realm: self.config.realm,
        };
        let record = decided_json(&facts, person.case.guardian.as_ref());
        match open.vault.record_consent(&draft, consent, template, &record, now) {
            Ok(granted) => self.consented(*noticed, page, granted, at, now),
            Err(error) => {
                let failure = failure_of(error);
                self.fail(failure.clone());
                self.ended(Some(failure));
            }
        }
    }

    /// Shows the page again that a form was asked from.
    pub(super) fn show_page(&mut self, page: Flow) {
        match page {
            Flow::Deciding(noticed, page) => self.show_decision(noticed, page),
            Flow::Informing(informing) => self.show_informed(informing),
            other => self.set(other),
        }
    }

    pub(super) fn say_scene(&mut self, scene: GuardianScene) {
        self.out.push(Event::Resident(ResidentScene::Guardian(scene)));
    }
}

/// What stands in the consent record; `None` when a guardian is needed and there is none.
fn party_of(case: &Case, page: &ConsentPage, informed: Option<(String, Signature)>, now: Timestamp) -> Option<Party> {
    let guardian = case.guardian.as_ref().map(|guardian| guardian.id);
    let by = || {
        let (guardian, heard) = (guardian?, case.view.filter(|heard| heard.view == View::Yes)?);
        Some(ByGuardian { guardian, view: heard.id, statement: page.statement() })
    };
    match case.decider {
        Decider::Own => Some(Party::Own),
        Decider::OwnInformed => {
            let (statement, signature) = informed?;
            Some(Party::Informed { guardian: guardian?, statement, signature, signed_at: now })
        }
        Decider::ChildsGuardian => by().map(Party::ForChild),
        Decider::WardsGuardian => by().map(Party::ForWard),
    }
}

fn decision_scene(decider: Decider, page: &ConsentPage) -> ResidentScene {
    match decider {
        Decider::Own | Decider::OwnInformed => scene_of(page),
        Decider::ChildsGuardian | Decider::WardsGuardian => ResidentScene::Guardian(GuardianScene::Consent {
            title: page.title.clone(),
            preamble: page.preamble.clone(),
            sentence: page.sentence.clone(),
            buttons: (page.no.clone(), page.yes.clone()),
        }),
    }
}

impl From<GuardianAct> for ResidentCommand {
    fn from(act: GuardianAct) -> Self {
        Self::Guardian(act)
    }
}
