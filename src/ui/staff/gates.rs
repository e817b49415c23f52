//! The gates: how they are, pairing one, and the card way test.

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};

use super::{Action, Known, Route, S, home, notice, pairing};
use crate::app::command::StaffCommand;
use crate::app::pairing::PairingEvent;
use crate::domain::id::GateId;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Another page of the settings.
    GoPressed(Route),
    /// Copies the station's fingerprint.
    CopyPressed(String),
    /// Opens or closes the pairing form.
    PairFormPressed,
    /// In the pairing form.
    Pairing(pairing::Message),
    /// Asks a gate whether the last issued card opens it.
    TestPressed(GateId),
}

/// The gates page.
#[derive(Debug, Default)]
pub struct Gates {
    pairing: Option<pairing::Pairing>,
}

impl Gates {
    /// The desk did not accept the last request.
    pub fn failed(&mut self) {
        if let Some(form) = &mut self.pairing {
            form.failed();
        }
    }

    /// What the desk tells about pairing: once a gate is paired, the form folds away.
    pub fn hear(&mut self, event: PairingEvent) {
        match (event, &mut self.pairing) {
            (PairingEvent::Paired(_), form) => *form = None,
            (search @ PairingEvent::Search { .. }, Some(form)) => form.hear(search),
            (PairingEvent::Search { .. }, None) => {}
        }
    }

    /// Whether time must be told: the open form looks for gates.
    pub fn looks(&self) -> bool {
        self.pairing.is_some()
    }

    /// Time goes by.
    pub fn tick(&mut self, ms: i64) -> Action {
        self.pairing.as_mut().map_or(Action::None, |form| form.tick(ms))
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::GoPressed(route) => Action::Go(route),
            Message::CopyPressed(digits) => Action::Copy(digits),
            Message::PairFormPressed if self.pairing.is_some() => {
                self.pairing = None;
                Action::None
            }
            Message::PairFormPressed => {
                self.pairing = Some(pairing::Pairing::default());
                pairing::Pairing::opened()
            }
            Message::Pairing(message) => self.pairing.as_mut().map_or(Action::None, |form| form.update(message)),
            Message::TestPressed(gate) => Action::Ask(StaffCommand::TestCardWay(gate)),
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known) -> Element<'a, Message> {
        let tabs = notice::tabs(texts, Route::Gates).map(Message::GoPressed);
        let toggle = if self.pairing.is_some() { tr!(texts, "pair-close") } else { tr!(texts, "pair-open") };
        let weight = if self.pairing.is_some() { Weight::Quiet } else { Weight::Primary };
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
            .push(self.pairing.as_ref().map(|form| form.view(texts).map(Message::Pairing)))
            .push(widget::panel(S, Tone::Plain, gates))
            .push(station(texts, known))
            .spacing(S.space * 2.0);
        column![tabs, widget::scroll("gates-scroll", content).height(Fill)].spacing(S.space * 1.5).into()
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
