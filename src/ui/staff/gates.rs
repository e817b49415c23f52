//! The gates: how they are, pairing a new one by address and fingerprint, and the card way test.

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};

use super::{Action, Known, Route, S, home, notice};
use crate::app::command::StaffCommand;
use crate::domain::gate::GateStatus;
use crate::domain::id::GateId;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// Id of the first field of the pairing form.
pub const NAME: &str = "pair-name";

/// A field of the pairing form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairField {
    /// Shown name.
    Name,
    /// Place.
    Place,
    /// What its camera takes in.
    CaptureArea,
    /// The other way in.
    OtherWay,
    /// Why a face reader is needed here.
    WhyNeeded,
    /// `host:port`.
    Address,
    /// 64 hex digits from its console.
    Fingerprint,
}

impl PairField {
    /// In the order of the form.
    pub const ALL: [Self; 7] =
        [Self::Name, Self::Place, Self::Address, Self::Fingerprint, Self::OtherWay, Self::CaptureArea, Self::WhyNeeded];

    /// Id of its input.
    pub fn id(self) -> &'static str {
        match self {
            Self::Name => NAME,
            Self::Place => "pair-place",
            Self::CaptureArea => "pair-capture-area",
            Self::OtherWay => "pair-other-way",
            Self::WhyNeeded => "pair-why-needed",
            Self::Address => "pair-address",
            Self::Fingerprint => "pair-fingerprint",
        }
    }
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Another page of the settings.
    GoPressed(Route),
    /// Copies the station's fingerprint.
    CopyPressed(String),
    /// Opens or closes the pairing form.
    PairFormPressed,
    /// A field of it changed.
    Typed(PairField, String),
    /// Enter, or the button.
    PairPressed,
    /// Asks a gate whether the last issued card opens it.
    TestPressed(GateId),
}

/// The gates page.
#[derive(Debug, Default)]
pub struct Gates {
    open: bool,
    fields: [String; 7],
    asked: bool,
}

impl Gates {
    /// The desk did not accept the last request.
    pub fn failed(&mut self) {
        self.asked = false;
    }

    /// The gates changed: a gate with the typed name means that pairing is done.
    pub fn gates_changed(&mut self, gates: &[GateStatus]) {
        let name = self.text(PairField::Name).trim();
        if self.asked && gates.iter().any(|gate| gate.name == name) {
            *self = Self::default();
        }
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::GoPressed(route) => return Action::Go(route),
            Message::CopyPressed(digits) => return Action::Copy(digits),
            Message::PairFormPressed => {
                self.open = !self.open;
                if self.open {
                    return Action::Focus(NAME);
                }
            }
            Message::Typed(field, text) => self.fields[field as usize] = text,
            Message::PairPressed => {
                if let Some(empty) = self.first_empty() {
                    return Action::Focus(empty.id());
                }
                self.asked = true;
                let text = |field| self.text(field).trim().to_owned();
                return Action::Ask(StaffCommand::PairGate {
                    name: text(PairField::Name),
                    place: text(PairField::Place),
                    capture_area: text(PairField::CaptureArea),
                    other_way: text(PairField::OtherWay),
                    why_needed: text(PairField::WhyNeeded),
                    address: text(PairField::Address),
                    fingerprint: text(PairField::Fingerprint),
                });
            }
            Message::TestPressed(gate) => return Action::Ask(StaffCommand::TestCardWay(gate)),
        }
        Action::None
    }

    /// Name, address and fingerprint are needed to meet a gate; the rest keeps face entry off only.
    fn first_empty(&self) -> Option<PairField> {
        [PairField::Name, PairField::Address, PairField::Fingerprint]
            .into_iter()
            .find(|field| self.text(*field).trim().is_empty())
    }

    fn text(&self, field: PairField) -> &str {
        &self.fields[field as usize]
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known) -> Element<'a, Message> {
        let tabs = notice::tabs(texts, Route::Gates).map(Message::GoPressed);
        let toggle = if self.open { tr!(texts, "pair-close") } else { tr!(texts, "pair-open") };
        let weight = if self.open { Weight::Quiet } else { Weight::Primary };
        let head = row![
            S.heading(tr!(texts, "gates-title")),
            widget::gap(),
            widget::action(S, "pair-open", toggle, weight, Some(Message::PairFormPressed)),
        ]
        .align_y(Center);
        let list = known.gates.iter().enumerate().map(|(at, gate)| {
            row![
                container(home::gate_row(texts, gate)).width(Fill),
                widget::action(
                    S,
                    format!("gate-test-{at}"),
                    tr!(texts, "gate-test"),
                    Weight::Plain,
                    Some(Message::TestPressed(gate.id)),
                ),
            ]
            .spacing(S.space * 1.5)
            .align_y(Center)
            .into()
        });
        let gates = column![head]
            .push(known.gates.is_empty().then(|| S.text(tr!(texts, "gates-none"))))
            .extend(list)
            .push((!known.gates.is_empty()).then(|| S.hint(tr!(texts, "gate-test-hint"))))
            .spacing(S.space * 1.5);
        let content = column![]
            .push(self.open.then(|| self.form(texts)))
            .push(widget::panel(S, Tone::Plain, gates))
            .push(station(texts, known))
            .spacing(S.space * 2.0);
        column![tabs, widget::scroll("gates-scroll", content).height(Fill)].spacing(S.space * 1.5).into()
    }

    fn form<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let field = |which: PairField| -> Element<'a, Message> {
            let (label, hint) = match which {
                PairField::Name => (tr!(texts, "pair-name"), tr!(texts, "pair-name-hint")),
                PairField::Place => (tr!(texts, "pair-place"), tr!(texts, "pair-place-hint")),
                PairField::CaptureArea => (tr!(texts, "pair-capture"), tr!(texts, "pair-capture-hint")),
                PairField::OtherWay => (tr!(texts, "pair-other-way"), tr!(texts, "pair-other-way-hint")),
                PairField::WhyNeeded => (tr!(texts, "pair-why"), tr!(texts, "pair-why-hint")),
                PairField::Address => (tr!(texts, "pair-address"), tr!(texts, "pair-address-hint")),
                PairField::Fingerprint => (tr!(texts, "pair-fingerprint"), tr!(texts, "pair-fingerprint-hint")),
            };
            container(widget::Field::new(which.id(), label, self.text(which)).hint(hint).view(
                S,
                move |text| Message::Typed(which, text),
                Some(Message::PairPressed),
            ))
            .width(Fill)
            .into()
        };
        let rows =
            PairField::ALL.chunks(2).map(|pair| row(pair.iter().map(|f| field(*f))).spacing(S.space * 2.0).into());
        let label = if self.asked { tr!(texts, "pair-working") } else { tr!(texts, "pair-action") };
        let content =
            column![S.heading(tr!(texts, "pair-title")), S.soft(tr!(texts, "pair-how"))]
                .extend(rows)
                .push(row![
                    widget::gap(),
                    widget::action(
                        S,
                        "pair-action",
                        label,
                        Weight::Primary,
                        (!self.asked).then_some(Message::PairPressed),
                    ),
                ])
                .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }
}

fn station<'a>(texts: &Texts, known: &'a Known) -> Element<'a, Message> {
    let digits = grouped(&known.fingerprint);
    let copy = (!known.fingerprint.is_empty()).then(|| Message::CopyPressed(known.fingerprint.clone()));
    let content = column![
        row![
            S.heading(tr!(texts, "station-fingerprint")),
            widget::gap(),
            widget::action(S, "fingerprint-copy", tr!(texts, "copy"), Weight::Plain, copy),
        ]
        .align_y(Center),
        text(digits).size(S.body).line_height(1.6),
        S.hint(tr!(texts, "station-fingerprint-hint")),
    ]
    .spacing(S.space);
    widget::panel(S, Tone::Plain, content).into()
}

/// Hex digits in groups of four, which people can compare by eye.
fn grouped(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().collect();
    digits.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_shown_in_groups_of_four() {
        assert_eq!(grouped("0123456789ab"), "0123 4567 89ab");
        assert_eq!(grouped(""), "");
    }
}
