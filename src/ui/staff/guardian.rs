//! The guardian on an opened record: who decides for this person, and that a guardian showed a proof. Rules: M6, M11.
//!
//! Deliberately absent: any control that asks for, begins or decides anything about a face; any field for a document's number.

use iced::widget::{column, container, radio, row};
use iced::{Center, Element, Fill};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::app::guardian_desk::{GuardianCommand, GuardianEvent, GuardianView};
use crate::domain::guardian::{Decider, GuardianError, GuardianRole, ProofSeen};
use crate::domain::id::ResidentId;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::{explain, widget};

/// Id of the field for the guardian's name.
pub const NAME: &str = "guardian-name";
/// Id of the field for the phone.
pub const PHONE: &str = "guardian-phone";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Opens the form.
    FormPressed,
    /// Leaves it.
    FormLeft,
    /// The name changed.
    NameTyped(String),
    /// The phone changed.
    PhoneTyped(String),
    /// A relation was chosen.
    RoleChosen(GuardianRole),
    /// A kind of proof was chosen.
    ProofChosen(ProofSeen),
    /// The proof was looked at: note it.
    CheckPressed,
    /// An adult needs a guardian, or no longer does.
    WardPressed(bool),
}

/// What is being typed.
#[derive(Debug, Default)]
struct Form {
    name: String,
    phone: String,
    role: Option<GuardianRole>,
    proof: Option<ProofSeen>,
    fault: Option<GuardianError>,
    asked: bool,
}

/// The panel.
#[derive(Debug, Default)]
pub struct Panel {
    decider: Option<Decider>,
    guardian: Option<GuardianView>,
    is_card_only: bool,
    form: Option<Form>,
}

impl Panel {
    /// Takes in what the desk tells of this record.
    pub fn apply(&mut self, event: &GuardianEvent) {
        match event {
            GuardianEvent::Shown { decider, guardian, is_card_only, .. } => {
                if self.decider != Some(*decider) {
                    self.form = None;
                }
                self.decider = Some(*decider);
                self.guardian.clone_from(guardian);
                self.is_card_only = *is_card_only;
            }
            GuardianEvent::Checked => self.form = None,
            GuardianEvent::Figures { .. } => {}
        }
    }

    /// The desk did not accept a field.
    pub fn failed(&mut self, fault: GuardianError) {
        if let Some(form) = &mut self.form {
            form.fault = Some(fault);
            form.asked = false;
        }
    }

    /// Whether a guardian is being typed.
    pub fn is_typing(&self) -> bool {
        self.form.is_some()
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message, resident: ResidentId) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Guardian(command));
        match (message, &mut self.form) {
            (Message::FormPressed, _) => {
                self.form = Some(Form::default());
                return Action::Focus(NAME);
            }
            (Message::FormLeft, _) => self.form = None,
            (Message::NameTyped(text), Some(form)) => form.name = text,
            (Message::PhoneTyped(text), Some(form)) => form.phone = text,
            (Message::RoleChosen(role), Some(form)) => form.role = Some(role),
            (Message::ProofChosen(proof), Some(form)) => form.proof = Some(proof),
            (Message::CheckPressed, Some(form)) => {
                if let (Some(role), Some(proof), false) = (form.role, form.proof, form.asked) {
                    (form.fault, form.asked) = (None, true);
                    let (name, phone) = (form.name.clone(), form.phone.clone());
                    return ask(GuardianCommand::Check { resident, name, role, proof, phone });
                }
            }
            (Message::WardPressed(is_ward), _) => return ask(GuardianCommand::MarkWard { resident, is_ward }),
            (_, None) => {}
        }
        Action::None
    }

    /// Draws the panel; nothing until the desk has said who decides.
    pub fn view<'a>(&'a self, texts: &Texts) -> Option<Element<'a, Message>> {
        let decider = self.decider?;
        if decider == Decider::Own {
            let mark = widget::action(
                S,
                "ward-mark",
                tr!(texts, "ward-mark"),
                Weight::Quiet,
                Some(Message::WardPressed(true)),
            );
            let line = row![container(S.hint(tr!(texts, "decides-own"))).width(Fill), mark];
            return Some(line.spacing(S.space).align_y(Center).into());
        }
        let rule = match decider {
            Decider::Own | Decider::OwnInformed => tr!(texts, "decides-informed"),
            Decider::ChildsGuardian => tr!(texts, "decides-child"),
            Decider::WardsGuardian => tr!(texts, "decides-ward"),
        };
        let unmark = (decider == Decider::WardsGuardian).then(|| {
            let words = tr!(texts, "ward-unmark");
            widget::action(S, "ward-unmark", words, Weight::Quiet, Some(Message::WardPressed(false)))
        });
        let head = row![S.heading(tr!(texts, "guardian-title")), widget::gap()].push(unmark).align_y(Center);
        let card_only = self.is_card_only.then(|| {
            let todo = Some(tr!(texts, "guardian-card-only-todo"));
            widget::telling(S, "guardian-card-only", Tone::Told, tr!(texts, "guardian-card-only"), todo)
        });
        let body = match &self.form {
            Some(form) => form.view(texts, decider),
            None => self.shown(texts),
        };
        let content = column![head, S.soft(rule)].push(card_only).push(body).spacing(S.space);
        Some(widget::panel(S, Tone::Plain, content).into())
    }

    fn shown<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let form = |words| widget::action(S, "guardian-check", words, Weight::Plain, Some(Message::FormPressed));
        let Some(guardian) = &self.guardian else {
            let button = form(tr!(texts, "guardian-note"));
            let line = row![container(S.text(tr!(texts, "guardian-none"))).width(Fill), button];
            return line.spacing(S.space * 1.5).align_y(Center).into();
        };
        let (tone, state) = if guardian.is_here {
            (Tone::Well, tr!(texts, "guardian-here"))
        } else {
            (Tone::Warn, tr!(texts, "guardian-again"))
        };
        let seen = tr!(
            texts,
            "guardian-seen",
            proof = proof(texts, guardian.proof),
            at = guardian.checked_at.minute_text(),
            by = guardian.checked_by.as_str(),
        );
        let phone = (!guardian.phone.is_empty()).then(|| S.soft(guardian.phone.as_str()));
        let who = row![S.text(guardian.name.as_str()), S.soft(role(texts, guardian.role))]
            .push(phone)
            .push(widget::pill(S, tone, state))
            .spacing(S.space * 1.5)
            .align_y(Center);
        row![column![who.wrap(), S.hint(seen)].spacing(S.space * 0.5).width(Fill), form(tr!(texts, "guardian-anew"))]
            .spacing(S.space * 1.5)
            .align_y(Center)
            .into()
    }
}

impl Form {
    fn view<'a>(&'a self, texts: &Texts, decider: Decider) -> Element<'a, Message> {
        let check = (self.role.is_some() && self.proof.is_some() && !self.asked).then_some(Message::CheckPressed);
        let wrong =
            |id: &str| self.fault.filter(|fault| field_of(*fault) == id).map(|f| explain::guardian(texts, f).what);
        let name = widget::Field::new(NAME, tr!(texts, "guardian-name"), &self.name).wrong(wrong(NAME));
        let phone = widget::Field::new(PHONE, tr!(texts, "guardian-phone"), &self.phone)
            .hint(tr!(texts, "guardian-phone-hint"))
            .wrong(wrong(PHONE));
        let roles = GuardianRole::ALL.iter().enumerate().filter(|(_, one)| one.fits(decider)).map(|(at, one)| {
            let chosen = self.role.and_then(|role| GuardianRole::ALL.iter().position(|r| *r == role));
            choice(format!("guardian-role-{at}"), role(texts, *one), at, chosen, Message::RoleChosen(*one))
        });
        let proofs = ProofSeen::ALL.iter().enumerate().filter(|(_, one)| one.fits(decider)).map(|(at, one)| {
            let chosen = self.proof.and_then(|proof| ProofSeen::ALL.iter().position(|p| *p == proof));
            choice(format!("guardian-proof-{at}"), proof(texts, *one), at, chosen, Message::ProofChosen(*one))
        });
        let other = self.fault.filter(|fault| ![NAME, PHONE].contains(&field_of(*fault)));
        let other = other.map(|fault| S.hint(explain::guardian(texts, fault).what).color(theme::ALARM));
        column![
            widget::telling(S, "guardian-look-only", Tone::Told, tr!(texts, "guardian-look-only"), None),
            row![
                container(name.view(S, Message::NameTyped, check.clone())).width(Fill),
                container(phone.view(S, Message::PhoneTyped, check.clone())).width(Fill),
            ]
            .spacing(S.space * 2.0),
            S.text(tr!(texts, "guardian-role")),
            row(roles).spacing(S.space * 2.5).wrap().vertical_spacing(S.space * 0.5),
            S.text(tr!(texts, "guardian-proof")),
            row(proofs).spacing(S.space * 2.5).wrap().vertical_spacing(S.space * 0.5),
        ]
        .push(other)
        .push(row![
            widget::action(S, "guardian-leave", tr!(texts, "back"), Weight::Plain, Some(Message::FormLeft)),
            widget::gap(),
            widget::action(S, "guardian-save", tr!(texts, "guardian-save"), Weight::Primary, check),
        ])
        .spacing(S.space)
        .into()
    }
}

fn choice<'a>(id: String, label: String, at: usize, chosen: Option<usize>, message: Message) -> Element<'a, Message> {
    let button = radio(label, at, chosen, move |_| message.clone())
        .size(20)
        .text_size(S.body)
        .text_line_height(1.5)
        .spacing(S.space)
        .style(|_theme, _status| theme::radio_style());
    container(button).id(id).into()
}

/// A relation in words.
pub fn role(texts: &Texts, role: GuardianRole) -> String {
    match role {
        GuardianRole::Father => tr!(texts, "role-father"),
        GuardianRole::Mother => tr!(texts, "role-mother"),
        GuardianRole::Spouse => tr!(texts, "role-spouse"),
        GuardianRole::AdultChild => tr!(texts, "role-adult-child"),
        GuardianRole::Other => tr!(texts, "role-other"),
    }
}

/// A kind of proof in words.
pub fn proof(texts: &Texts, proof: ProofSeen) -> String {
    match proof {
        ProofSeen::HouseholdBook => tr!(texts, "proof-household-book"),
        ProofSeen::BirthCertificate => tr!(texts, "proof-birth-certificate"),
        ProofSeen::GuardianshipPaper => tr!(texts, "proof-guardianship-paper"),
        ProofSeen::CourtDecision => tr!(texts, "proof-court-decision"),
    }
}

/// Which field a fault belongs to.
fn field_of(fault: GuardianError) -> &'static str {
    match fault {
        GuardianError::Name(_) => NAME,
        GuardianError::Phone => PHONE,
        GuardianError::Role => "guardian-role",
        GuardianError::Proof => "guardian-proof",
        GuardianError::NotNeeded => "guardian-title",
    }
}
