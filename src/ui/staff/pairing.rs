//! Pairing a gate: choose one that waits or type its address, then type the code that it shows.
//!
//! While the form is open the desk is asked about once a second to look for gates; when the page goes, so does the search.

use iced::widget::{column, container, row};
use iced::{Element, Fill};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::app::pairing::{GateWords, PairingCommand, PairingEvent};
use crate::i18n::Texts;
use crate::secret::PairingCode;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// Id of the field for the address.
pub const ADDRESS: &str = "pair-address";

/// Pause between two questions to the desk, in milliseconds.
const LOOK_EVERY_MS: i64 = 1_000;

/// Without an answer for so long the button may be pressed again, in milliseconds.
const ANSWER_MS: i64 = 6_000;

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairField {
    /// `ip:port`.
    Address,
    /// Eight digits from its console.
    Code,
    /// Shown name.
    Name,
    /// Place.
    Place,
    /// The other way in.
    OtherWay,
    /// What its camera takes in.
    CaptureArea,
    /// Why a face reader is needed here.
    WhyNeeded,
}

impl PairField {
    /// In the order of the form.
    pub const ALL: [Self; 7] =
        [Self::Address, Self::Code, Self::Name, Self::Place, Self::OtherWay, Self::CaptureArea, Self::WhyNeeded];

    /// Id of its input.
    pub fn id(self) -> &'static str {
        match self {
            Self::Address => ADDRESS,
            Self::Code => "pair-code",
            Self::Name => "pair-name",
            Self::Place => "pair-place",
            Self::OtherWay => "pair-other-way",
            Self::CaptureArea => "pair-capture-area",
            Self::WhyNeeded => "pair-why-needed",
        }
    }
}

/// What happens in the form.
#[derive(Clone, Debug)]
pub enum Message {
    /// A field changed.
    Typed(PairField, String),
    /// A gate that waits was chosen, by its address.
    FoundPressed(String),
    /// An address of this machine was chosen to look on.
    LanPressed(String),
    /// Gates are to be reached over this network no more.
    LeavePressed(String),
    /// Enter, or the button.
    PairPressed,
}

/// The form.
#[derive(Debug, Default)]
pub struct Pairing {
    fields: [String; 7],
    search: Option<PairingEvent>,
    asked_ms: Option<i64>,
    since_look_ms: i64,
}

impl Pairing {
    /// What the desk is asked when the form opens.
    pub fn opened() -> Action {
        Action::Ask(StaffCommand::Pairing(PairingCommand::Look))
    }

    /// Time goes by.
    pub fn tick(&mut self, ms: i64) -> Action {
        self.asked_ms = self.asked_ms.map(|so_far| so_far + ms).filter(|so_far| *so_far < ANSWER_MS);
        self.since_look_ms += ms;
        if self.since_look_ms < LOOK_EVERY_MS {
            return Action::None;
        }
        self.since_look_ms = 0;
        Self::opened()
    }

    /// The desk did not accept the last request.
    pub fn failed(&mut self) {
        self.asked_ms = None;
    }

    /// What the desk found.
    pub fn hear(&mut self, search: PairingEvent) {
        self.search = Some(search);
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Typed(field, text) => self.fields[field as usize] = text,
            Message::FoundPressed(address) => {
                self.fields[PairField::Address as usize] = address;
                return Action::Focus(PairField::Code.id());
            }
            Message::LanPressed(address) => {
                return Action::Ask(StaffCommand::Pairing(PairingCommand::ChooseLan(address)));
            }
            Message::LeavePressed(name) => {
                return Action::Ask(StaffCommand::Pairing(PairingCommand::LeaveNetwork(name)));
            }
            Message::PairPressed => {
                if let Some(empty) = self.first_empty() {
                    return Action::Focus(empty.id());
                }
                self.asked_ms = Some(0);
                let text = |field| self.text(field).trim().to_owned();
                let words = GateWords {
                    name: text(PairField::Name),
                    place: text(PairField::Place),
                    capture_area: text(PairField::CaptureArea),
                    other_way: text(PairField::OtherWay),
                    why_needed: text(PairField::WhyNeeded),
                };
                let (address, code) = (text(PairField::Address), PairingCode::parse(self.text(PairField::Code)));
                return Action::Ask(StaffCommand::Pairing(PairingCommand::Pair { words, address, code }));
            }
        }
        Action::None
    }

    /// Address, code and name are needed to pair; the rest keeps face entry off only.
    fn first_empty(&self) -> Option<PairField> {
        [PairField::Address, PairField::Code, PairField::Name]
            .into_iter()
            .find(|field| self.text(*field).trim().is_empty())
    }

    fn text(&self, field: PairField) -> &str {
        &self.fields[field as usize]
    }

    /// Draws the form.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let pair = |left: PairField, right: PairField| {
            row![self.field(texts, left), self.field(texts, right)].spacing(S.space * 2.0)
        };
        let waits = self.asked_ms.is_some();
        let label = if waits { tr!(texts, "pair-working") } else { tr!(texts, "pair-action") };
        let content = column![S.heading(tr!(texts, "pair-title")), S.soft(tr!(texts, "pair-step-gate"))]
            .push(self.networks(texts))
            .push(self.used(texts))
            .push(S.soft(tr!(texts, "pair-step-code")))
            .push(self.found(texts))
            .push(pair(PairField::Address, PairField::Code))
            .push(S.soft(tr!(texts, "pair-step-words")))
            .push(pair(PairField::Name, PairField::Place))
            .push(pair(PairField::OtherWay, PairField::CaptureArea))
            .push(self.field(texts, PairField::WhyNeeded))
            .push(row![
                widget::gap(),
                widget::action(S, "pair-action", label, Weight::Primary, (!waits).then_some(Message::PairPressed)),
            ])
            .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }

    /// On which LAN is looked, where this machine is on several.
    fn networks<'a>(&'a self, texts: &Texts) -> Option<Element<'a, Message>> {
        let Some(PairingEvent::Search { lans, chosen, networks, .. }) = &self.search else { return None };
        let unused = !networks.is_empty() && !lans.iter().any(|lan| networks.contains(&lan.name));
        let ways = lans.iter().map(|lan| {
            let words = format!("{}  {}", lan.address, lan.name);
            let weight = if chosen.as_ref() == Some(&lan.address) { Weight::Primary } else { Weight::Plain };
            let message = Message::LanPressed(lan.address.clone());
            widget::action(S, format!("pair-lan-{}", lan.address), words, weight, Some(message))
        });
        let choose = column![S.hint(tr!(texts, "pair-which-lan")), row(ways).spacing(S.space).wrap()];
        (lans.len() > 1 || unused && !lans.is_empty()).then(|| choose.spacing(S.space).into())
    }

    /// Over which networks gates are reached. The only one cannot be left.
    fn used<'a>(&'a self, texts: &Texts) -> Option<Element<'a, Message>> {
        let Some(PairingEvent::Search { networks, .. }) = &self.search else { return None };
        let [_, _, ..] = &networks[..] else {
            let only = networks.first()?;
            return Some(S.hint(format!("{} {only}", tr!(texts, "pair-networks"))).into());
        };
        let ways = networks.iter().map(|name| {
            let words = tr!(texts, "pair-leave-network", name = name.as_str());
            let message = Message::LeavePressed(name.clone());
            widget::action(S, format!("pair-leave-{name}"), words, Weight::Plain, Some(message))
        });
        let listed = format!("{} {}", tr!(texts, "pair-networks"), networks.join("  "));
        Some(column![S.hint(listed), row(ways).spacing(S.space).wrap()].spacing(S.space).into())
    }

    /// Who waits to be paired.
    fn found<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let Some(PairingEvent::Search { lans, chosen, found, .. }) = &self.search else {
            return S.hint(tr!(texts, "pair-looking")).into();
        };
        if lans.is_empty() {
            return S.hint(tr!(texts, "pair-no-lan")).into();
        }
        if chosen.is_none() {
            return S.hint(tr!(texts, "pair-choose-lan")).into();
        }
        if found.is_empty() {
            return S.hint(tr!(texts, "pair-looking")).into();
        }
        let gates = found.iter().enumerate().map(|(at, gate)| {
            let words = tr!(texts, "pair-found", name = gate.name.as_str(), address = gate.address.as_str());
            let is_chosen = self.text(PairField::Address) == gate.address;
            let weight = if is_chosen { Weight::Primary } else { Weight::Plain };
            let message = Message::FoundPressed(gate.address.clone());
            widget::action(S, format!("pair-found-{at}"), words, weight, Some(message))
        });
        row(gates).spacing(S.space).wrap().into()
    }

    fn field<'a>(&'a self, texts: &Texts, which: PairField) -> Element<'a, Message> {
        let (label, hint) = match which {
            PairField::Address => (tr!(texts, "pair-address"), tr!(texts, "pair-address-hint")),
            PairField::Code => (tr!(texts, "pair-code"), tr!(texts, "pair-code-hint")),
            PairField::Name => (tr!(texts, "pair-name"), tr!(texts, "pair-name-hint")),
            PairField::Place => (tr!(texts, "pair-place"), tr!(texts, "pair-place-hint")),
            PairField::OtherWay => (tr!(texts, "pair-other-way"), tr!(texts, "pair-other-way-hint")),
            PairField::CaptureArea => (tr!(texts, "pair-capture"), tr!(texts, "pair-capture-hint")),
            PairField::WhyNeeded => (tr!(texts, "pair-why"), tr!(texts, "pair-why-hint")),
        };
        container(widget::Field::new(which.id(), label, self.text(which)).hint(hint).view(
            S,
            move |text| Message::Typed(which, text),
            Some(Message::PairPressed),
        ))
        .width(Fill)
        .into()
    }
}
