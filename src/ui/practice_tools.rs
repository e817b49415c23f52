//! A small third window of practice sites: stands in for the card reader and for whoever sits before the camera.
//!
//! It moves the practice devices only. Nothing here reaches the desk, so nothing here can start, consent to or finish anything.

use iced::widget::{column, container, row};
use iced::{Element, Fill};

use super::theme::{Sizes, Tone, Weight};
use super::widget;
pub use crate::app::command::PracticeAct;
use crate::i18n::Texts;
use crate::tr;

/// The practice devices as the window sees them.
pub struct PracticeTools {
    /// Shown names of the cards.
    pub cards: Vec<String>,
    /// Shown names of the people.
    pub people: Vec<String>,
    /// Does it.
    pub act: Box<dyn Fn(PracticeAct) + Send + Sync>,
}

impl std::fmt::Debug for PracticeTools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PracticeTools({} cards, {} people)", self.cards.len(), self.people.len())
    }
}

/// What happens here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A button.
    Pressed(PracticeAct),
}

/// The tools window: what was done last.
#[derive(Debug, Default)]
pub struct Tools {
    card: Option<usize>,
    seat: Option<PracticeAct>,
}

impl Tools {
    /// Takes in what a person did; the act is for `program` to carry out.
    pub fn update(&mut self, message: Message) -> PracticeAct {
        let Message::Pressed(act) = message;
        match act {
            PracticeAct::TapCard(card) => self.card = Some(card),
            PracticeAct::TakeCardAway | PracticeAct::PullCard => self.card = None,
            PracticeAct::Seat(_) | PracticeAct::Nobody | PracticeAct::TwoPeople | PracticeAct::Dark => {
                self.seat = Some(act);
            }
            PracticeAct::UnplugCamera
            | PracticeAct::PlugCamera
            | PracticeAct::StallCamera
            | PracticeAct::UnplugReader
            | PracticeAct::PlugReader => {}
        }
        act
    }

    /// Draws the window.
    pub fn view<'a>(&'a self, texts: &Texts, cards: &'a [String], people: &'a [String]) -> Element<'a, Message> {
        let s = Sizes { body: 15.0, button: 36.0, ..Sizes::STAFF };
        let key = |id: String, words: String, act: PracticeAct, lit: bool| {
            let weight = if lit { Weight::Primary } else { Weight::Plain };
            widget::wide_action(s, id, words, weight, Some(Message::Pressed(act)))
        };
        let fixed = |id: &str, words: String, act: PracticeAct| key(id.to_owned(), words, act, self.seat == Some(act));
        let tap = cards.iter().enumerate().map(|(at, name)| {
            key(format!("tool-card-{at}"), name.clone(), PracticeAct::TapCard(at), self.card == Some(at))
        });
        let seat = people.iter().enumerate().map(|(at, name)| {
            let act = PracticeAct::Seat(at);
            key(format!("tool-seat-{at}"), name.clone(), act, self.seat == Some(act))
        });
        let card_keys = tap.chain([
            fixed("tool-take-away", tr!(texts, "tools-take-away"), PracticeAct::TakeCardAway),
            fixed("tool-pull-card", tr!(texts, "tools-pull-card"), PracticeAct::PullCard),
        ]);
        let people_keys = seat.chain([
            fixed("tool-nobody", tr!(texts, "tools-nobody"), PracticeAct::Nobody),
            fixed("tool-two", tr!(texts, "tools-two"), PracticeAct::TwoPeople),
            fixed("tool-dark", tr!(texts, "tools-dark"), PracticeAct::Dark),
        ]);
        let device_keys = [
            fixed("tool-unplug-camera", tr!(texts, "tools-unplug-camera"), PracticeAct::UnplugCamera),
            fixed("tool-plug-camera", tr!(texts, "tools-plug-camera"), PracticeAct::PlugCamera),
            fixed("tool-stall-camera", tr!(texts, "tools-stall-camera"), PracticeAct::StallCamera),
            fixed("tool-unplug-reader", tr!(texts, "tools-unplug-reader"), PracticeAct::UnplugReader),
            fixed("tool-plug-reader", tr!(texts, "tools-plug-reader"), PracticeAct::PlugReader),
        ];
        let group = |title: String, keys: Vec<Element<'a, Message>>| {
            widget::panel(s, Tone::Plain, column![s.strong(title), grid(keys)].spacing(s.space)).padding(s.space * 1.5)
        };
        let steps = [
            tr!(texts, "tools-step-1"),
            tr!(texts, "tools-step-2"),
            tr!(texts, "tools-step-3"),
            tr!(texts, "tools-step-4"),
            tr!(texts, "tools-step-5"),
        ];
        let steps =
            steps.into_iter().fold(column![s.strong(tr!(texts, "tools-steps"))], |list, step| list.push(s.soft(step)));
        let content = column![
            s.hint(tr!(texts, "tools-hint")),
            widget::panel(s, Tone::Told, steps.spacing(s.space * 0.5)).padding(s.space * 1.5),
            group(tr!(texts, "tools-cards"), card_keys.collect()),
            group(tr!(texts, "tools-people"), people_keys.collect()),
            group(tr!(texts, "tools-devices"), device_keys.into_iter().collect()),
        ]
        .spacing(s.space * 1.25)
        .padding(s.space * 1.5);
        column![widget::practice_banner(s, texts), widget::scroll("tools-scroll", content).height(Fill)].into()
    }
}

/// Two buttons a row.
fn grid<'a>(keys: Vec<Element<'a, Message>>) -> Element<'a, Message> {
    let mut rows = column![].spacing(8);
    let mut keys = keys.into_iter();
    while let Some(left) = keys.next() {
        let right = keys.next().unwrap_or_else(|| container("").width(Fill).into());
        rows = rows.push(row![left, right].spacing(8));
    }
    rows.into()
}
