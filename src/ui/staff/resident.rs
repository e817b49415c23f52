//! One opened record. The card comes first and is the default; what is said of a face below is for reading only.
//!
//! Deliberately absent: any control that starts, suggests or repeats face entry.

use std::collections::BTreeSet;

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};

use super::{Action, Route, S, Stray, guardian};
use crate::app::command::StaffCommand;
use crate::app::event::{CardRead, CardView, FaceState, GatePlace, ResidentView};
use crate::app::guardian_desk::GuardianEvent;
use crate::app::notice::Paper;
use crate::domain::gate::GateStatus;
use crate::domain::guardian::GuardianError;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::resident::Resident;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::explain::Words;
use crate::ui::theme::{Tone, Weight};
use crate::ui::words::Thing;
use crate::ui::{widget, words};

/// Id of the field into which keyboard-wedge readers type.
pub const CARD_FIELD: &str = "card-field";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The card field changed.
    CardTyped(String),
    /// Enter in the card field, as a wedge reader sends.
    CardSubmitted,
    /// A gate was ticked or unticked.
    GateTicked(GateId, bool),
    /// Issue the card that was read.
    IssuePressed,
    /// To the form.
    EditPressed,
    /// Information and rights.
    RightsPressed,
    /// Close the record.
    ClosePressed,
    /// What was shown to this person.
    ShownPressed,
    /// The resident phoned or wrote: withdraw.
    WithdrawPressed,
    /// Yes, the resident asked for it.
    WithdrawConfirmed,
    /// No, go back.
    WithdrawDropped,
    /// The person is here without the card: on their own screen.
    WithdrawAtScreen,
    /// To pausing, doors, certificates.
    DeletionPressed,
    /// Saves the other ways in, for this card.
    OtherWaysPressed,
    /// About the guardian.
    Guardian(guardian::Message),
}

/// An opened record and what is being done with it.
#[derive(Debug)]
pub struct Record {
    view: ResidentView,
    gates: Vec<(GateId, String)>,
    ticked: BTreeSet<GateId>,
    typed: String,
    read: Option<CardRead>,
    asked: bool,
    withdrawing: bool,
    guardian: guardian::Panel,
}

impl Record {
    /// A record that was just opened: every gate is ticked.
    pub fn new(view: ResidentView, gates: &[GateStatus]) -> Self {
        let gates: Vec<_> = gates.iter().map(|gate| (gate.id, gate.name.clone())).collect();
        let ticked = gates.iter().map(|(id, _)| *id).collect();
        let guardian = guardian::Panel::default();
        Self { view, gates, ticked, typed: String::new(), read: None, asked: false, withdrawing: false, guardian }
    }

    /// What the desk tells of the guardian.
    pub fn guardian_told(&mut self, event: &GuardianEvent) {
        let of_another = matches!(event, GuardianEvent::Shown { resident, .. } if *resident != self.id());
        if !of_another {
            self.guardian.apply(event);
        }
    }

    /// The desk did not accept a field of the guardian.
    pub fn guardian_failed(&mut self, fault: GuardianError) {
        self.guardian.failed(fault);
    }

    /// Whose.
    pub fn id(&self) -> ResidentId {
        self.view.resident.id
    }

    /// The record.
    pub fn resident(&self) -> &Resident {
        &self.view.resident
    }

    /// The same record with news from the desk.
    pub fn refresh(&mut self, view: ResidentView) {
        self.withdrawing &= matches!(view.face, FaceState::Held { .. });
        self.asked = false;
        self.view = view;
    }

    /// Gates came or went; what was unticked stays unticked.
    pub fn gates_changed(&mut self, gates: &[GateStatus]) {
        let before: BTreeSet<GateId> = self.gates.iter().map(|(id, _)| *id).collect();
        self.gates = gates.iter().map(|gate| (gate.id, gate.name.clone())).collect();
        self.ticked.retain(|id| gates.iter().any(|gate| gate.id == *id));
        self.ticked.extend(gates.iter().map(|gate| gate.id).filter(|id| !before.contains(id)));
    }

    /// A card lies on the reader, or a wedge reader's text was a card.
    pub fn card_read(&mut self, card: CardRead) {
        self.typed.clear();
        self.asked = false;
        self.read = Some(card);
    }

    /// The card was issued.
    pub fn card_issued(&mut self) {
        self.read = None;
        self.asked = false;
    }

    /// The desk did not accept the last request.
    pub fn failed(&mut self) {
        self.typed.clear();
        self.asked = false;
    }

    /// A reader typed while the caret was elsewhere. Enter alone does nothing then: only a field or a button issues a card.
    pub fn stray(&mut self, stray: Stray) -> Action {
        match stray {
            Stray::Text(text) => {
                self.typed.push_str(text.as_str());
                Action::Focus(CARD_FIELD)
            }
            Stray::Enter if self.typed.trim().is_empty() => Action::None,
            Stray::Enter => self.update(Message::CardSubmitted),
        }
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::CardTyped(text) => self.typed = text,
            Message::CardSubmitted => {
                let text = std::mem::take(&mut self.typed).trim().to_owned();
                if !text.is_empty() {
                    return Action::Ask(StaffCommand::WedgeTyped(text));
                }
                // Enter without a number is "issue" for who works by keyboard.
                return self.issue();
            }
            Message::GateTicked(gate, true) => {
                self.ticked.insert(gate);
            }
            Message::GateTicked(gate, false) => {
                self.ticked.remove(&gate);
            }
            Message::IssuePressed => return self.issue(),
            Message::EditPressed => return Action::Go(Route::Edit),
            Message::DeletionPressed => return Action::Go(Route::PersonDeletion),
            Message::RightsPressed => return Action::Go(Route::Rights),
            Message::ShownPressed => return Action::Go(Route::Shown),
            Message::ClosePressed => return Action::Go(Route::Home),
            Message::WithdrawPressed => self.withdrawing = matches!(self.view.face, FaceState::Held { .. }),
            Message::WithdrawDropped => self.withdrawing = false,
            Message::WithdrawAtScreen if matches!(self.view.face, FaceState::Held { .. }) => {
                return Action::Ask(StaffCommand::WithdrawAtScreen(self.id()));
            }
            Message::WithdrawAtScreen => {}
            Message::WithdrawConfirmed if self.withdrawing => {
                self.withdrawing = false;
                return Action::Ask(StaffCommand::WithdrawFor(self.id()));
            }
            Message::WithdrawConfirmed => {}
            Message::OtherWaysPressed => return Action::SavePaper(Paper::OtherWaysFor(self.id())),
            Message::Guardian(message) => {
                let id = self.id();
                return self.guardian.update(message, id);
            }
        }
        Action::None
    }

    fn issue(&mut self) -> Action {
        match (&self.read, self.can_issue()) {
            (Some(read), true) => {
                let uid = read.uid.clone();
                self.asked = true;
                // In the order of the page, so that the log and the paper read alike.
                let gates = self.gates.iter().map(|(id, _)| *id).filter(|id| self.ticked.contains(id)).collect();
                Action::Ask(StaffCommand::IssueCard { resident: self.id(), uid, gates })
            }
            _ => Action::None,
        }
    }

    fn can_issue(&self) -> bool {
        !self.asked && !self.ticked.is_empty() && self.read.as_ref().is_some_and(|read| !read.taken)
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        // One decision at a time: while a withdrawal is being confirmed, the card steps aside.
        let one_thing = self.withdrawing || self.guardian.is_typing();
        let card = (!one_thing).then(|| self.card(texts));
        let gap = S.space * 2.0;
        let guardian = (!self.withdrawing).then(|| self.guardian.view(texts)).flatten();
        let guardian = guardian.map(|panel| panel.map(Message::Guardian));
        let face = (!self.guardian.is_typing()).then(|| self.face(texts));
        let content =
            column![self.head(texts), column![widget::at_times(card, gap)].push(face)].push(guardian).spacing(gap);
        widget::scroll("record-scroll", content).height(Fill).into()
    }

    fn head<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let resident = &self.view.resident;
        // The bold letters lack rare characters, so a name is never set in them.
        let name = text(resident.name.as_str()).size(S.title).line_height(1.35);
        let what = row![
            S.text(resident.unit.as_str()),
            widget::pill(S, Tone::Plain, words::age_band(texts, resident.age_band)),
            S.soft(tr!(texts, "ends-on", date = resident.ends_on.to_string())),
        ]
        .push(resident.next_band_on.map(|date| S.soft(tr!(texts, "next-band-on", date = date.to_string()))))
        .spacing(S.space * 1.5)
        .align_y(Center);
        row![
            column![name, what.wrap()].spacing(S.space * 0.5).width(Fill),
            widget::action(
                S,
                "record-rights",
                tr!(texts, "record-rights"),
                Weight::Plain,
                Some(Message::RightsPressed)
            ),
            widget::action(S, "record-shown", tr!(texts, "record-shown"), Weight::Quiet, Some(Message::ShownPressed)),
            widget::action(S, "record-edit", tr!(texts, "record-edit"), Weight::Plain, Some(Message::EditPressed)),
            widget::action(S, "record-close", tr!(texts, "record-close"), Weight::Plain, Some(Message::ClosePressed)),
        ]
        .spacing(S.space * 1.5)
        .align_y(Center)
        .into()
    }

    fn card<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let (said, tone) = match &self.read {
            None => (tr!(texts, "card-put"), Tone::Told),
            Some(read) if read.taken => (tr!(texts, "card-taken", last4 = read.last4.as_str()), Tone::Alarm),
            Some(read) => (tr!(texts, "card-read", last4 = read.last4.as_str()), Tone::Well),
        };
        let field = widget::Field::new(CARD_FIELD, tr!(texts, "card-field"), &self.typed)
            .placeholder(tr!(texts, "card-field-placeholder"))
            .view(S, Message::CardTyped, Some(Message::CardSubmitted));
        let ticks = self.gates.iter().enumerate().map(|(at, (id, name))| {
            let id = *id;
            let toggled = move |on| Message::GateTicked(id, on);
            widget::tick(S, format!("card-gate-{at}"), name.as_str(), self.ticked.contains(&id), Some(toggled))
        });
        let gates: Element<'a, Message> = if self.gates.is_empty() {
            S.soft(tr!(texts, "card-no-gates")).into()
        } else {
            row(ticks).spacing(S.space * 2.5).wrap().vertical_spacing(S.space).into()
        };
        let label = if self.asked {
            tr!(texts, "card-issuing")
        } else if self.view.card.is_some() {
            tr!(texts, "card-issue-new")
        } else {
            tr!(texts, "card-issue")
        };
        let issue = self.can_issue().then_some(Message::IssuePressed);
        let act = column![
            row![
                widget::telling(S, "card-said", tone, said, None),
                widget::action(S, "card-issue", label, Weight::Primary, issue),
            ]
            .spacing(S.space * 1.5)
            .align_y(Center),
            row![S.soft(tr!(texts, "card-gates")), gates].spacing(S.space * 2.0),
            field,
            S.hint(tr!(texts, "card-promise")),
        ]
        .spacing(S.space * 1.25);
        let held = self.view.card.as_ref().map(|card| in_force(texts, card));
        let at = &self.view.places;
        let content = column![S.heading(tr!(texts, "card-title"))]
            .push(widget::at_times(held, S.space * 0.5))
            .push(widget::at_times(places(texts, "card-places", &at.card, Thing::Card), S.space * 0.5))
            .push(widget::at_times(places(texts, "old-card-places", &at.old_card, Thing::OldCard), S.space * 0.5))
            .push(act)
            .spacing(S.space * 0.5);
        widget::panel(S, Tone::Plain, content).into()
    }

    fn face<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let title = S.heading(tr!(texts, "face-title"));
        let content = match &self.view.face {
            FaceState::None => column![title, S.soft(tr!(texts, "face-none"))],
            FaceState::Held { gates, ends_on } => {
                let names = words::list(texts, gates.iter().map(|(_, name)| name.as_str()));
                let said = tr!(texts, "face-held", gates = names, date = ends_on.to_string());
                column![title, S.text(said)].push(self.withdraw(texts))
            }
            FaceState::Erasing { pending } if pending.is_empty() => {
                column![title, S.text(tr!(texts, "face-erasing-last"))]
            }
            FaceState::Erasing { pending } => {
                let names = words::list(texts, pending.iter().map(String::as_str));
                column![title, S.text(tr!(texts, "face-erasing", gates = names))]
            }
        };
        let more = widget::action(
            S,
            "record-deletion",
            tr!(texts, "record-deletion"),
            Weight::Quiet,
            Some(Message::DeletionPressed),
        );
        let content = content
            .push(places(texts, "face-places", &self.view.places.face, Thing::Face))
            .push((!self.withdrawing).then_some(more));
        widget::panel(S, Tone::Plain, content.spacing(S.space)).into()
    }

    fn withdraw<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        if !self.withdrawing {
            let line =
                |hint, action| row![container(S.hint(hint)).width(Fill), action].spacing(S.space * 1.5).align_y(Center);
            let (here, far) = (Some(Message::WithdrawAtScreen), Some(Message::WithdrawPressed));
            let here = widget::action(S, "withdraw-here", tr!(texts, "withdraw-here"), Weight::Plain, here);
            let far = widget::action(S, "withdraw", tr!(texts, "withdraw"), Weight::Plain, far);
            return column![line(tr!(texts, "withdraw-here-hint"), here), line(tr!(texts, "withdraw-hint"), far)]
                .spacing(S.space)
                .into();
        }
        column![
            widget::telling(
                S,
                "withdraw-ask",
                Tone::Warn,
                tr!(texts, "withdraw-ask"),
                Some(tr!(texts, "withdraw-ask-todo")),
            ),
            widget::equal_pair(
                S,
                widget::Side::new("withdraw-no", tr!(texts, "withdraw-no"), Some(Message::WithdrawDropped)),
                widget::Side::new("withdraw-yes", tr!(texts, "withdraw-yes"), Some(Message::WithdrawConfirmed)),
            ),
        ]
        .spacing(S.space * 1.5)
        .into()
    }
}

/// The card in force, and beside it how it stands at each gate.
fn in_force<'a>(texts: &Texts, card: &'a CardView) -> Element<'a, Message> {
    row![
        container(S.text(tr!(texts, "card-held", last4 = card.last4.as_str(), date = card.ends_on.to_string())))
            .width(Fill),
        widget::action(
            S,
            "card-other-ways",
            tr!(texts, "card-other-ways"),
            Weight::Quiet,
            Some(Message::OtherWaysPressed),
        ),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center)
    .into()
}

/// How something stands at each gate: a state each, and below them what is wrong and what to do. Nothing where it is at no gate.
fn places<'a>(texts: &Texts, id: &'static str, at: &[GatePlace], kind: Thing) -> Option<Element<'a, Message>> {
    let all = at.iter().map(|place| words::place(texts, place, kind)).collect::<Vec<_>>();
    let mut told: Vec<Words> = vec![];
    for words in all.iter().filter_map(|(.., words)| words.clone()) {
        if !told.contains(&words) {
            told.push(words);
        }
    }
    let told = told.into_iter().map(|words| S.hint(format!("{} {}", words.what, words.todo)).into());
    let pills = all.into_iter().map(|(tone, said, _)| widget::pill(S, tone, said));
    let pills = row(pills).spacing(S.space * 0.75).wrap().vertical_spacing(S.space * 0.5);
    (!at.is_empty()).then(|| container(column![pills].extend(told).spacing(S.space * 0.5)).id(id).width(Fill).into())
}
