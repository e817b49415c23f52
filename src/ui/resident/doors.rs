//! The person's own doors: pause the face, take it up again, take a door out. The card is not touched by any of it. Rules: P44, P15a.

use iced::widget::{Column, column, container, row};
use iced::{Center, Element, Fill};

use crate::app::deletion::{DoorChange, DoorLine, DoorState, DoorsView};
use crate::domain::id::GateId;
use crate::i18n::Texts;
use crate::trr;
use crate::ui::theme::{Sizes, Tone, Weight};
use crate::ui::widget::{self, Side};

use super::Message;
use super::parts::{self, Page};

/// Ids of the first buttons, for tests; a consent names few doors.
const DROP_IDS: [&str; 8] = ["drop-0", "drop-1", "drop-2", "drop-3", "drop-4", "drop-5", "drop-6", "drop-7"];

/// The page, or the question about one door.
pub(super) fn view<'a>(sizes: Sizes, texts: &'a Texts, view: &'a DoorsView, dropping: Option<GateId>) -> Page<'a> {
    match dropping.and_then(|id| view.doors.iter().find(|door| door.gate == id)) {
        Some(door) => ask(sizes, texts, door),
        None => list(sizes, texts, view),
    }
}

fn list<'a>(sizes: Sizes, texts: &'a Texts, view: &'a DoorsView) -> Page<'a> {
    let lines = view.doors.iter().enumerate().map(|(at, door)| line(sizes, texts, at, door));
    let said = if view.paused { trr!(texts, "doors-paused") } else { trr!(texts, "doors-text") };
    let content = column![
        sizes.title(trr!(texts, "doors-title")),
        sizes.text(said),
        parts::panel(sizes, Tone::Plain, Column::with_children(lines).spacing(sizes.space)),
        parts::card_works(sizes, texts),
    ]
    .spacing(sizes.space * 1.25);
    let (id, label, change) = if view.paused {
        ("resume", trr!(texts, "doors-resume"), DoorChange::Resume)
    } else {
        ("pause", trr!(texts, "doors-pause"), DoorChange::Pause)
    };
    let change = parts::button(sizes, id, label, Weight::Plain, Some(Message::DoorsChanged(change)));
    let back = parts::button(sizes, "back", trr!(texts, "finish"), Weight::Plain, Some(Message::BackPressed));
    parts::middle(sizes, "page-doors", content, Some(parts::foot(sizes, [change, back])))
}

fn line<'a>(sizes: Sizes, texts: &'a Texts, at: usize, door: &'a DoorLine) -> Element<'a, Message> {
    let (tone, word) = match door.state {
        DoorState::Open => (Tone::Well, trr!(texts, "door-open")),
        DoorState::Paused => (Tone::Told, trr!(texts, "door-paused")),
        DoorState::Stopped => (Tone::Warn, trr!(texts, "door-stopped")),
        DoorState::Waiting => (Tone::Warn, trr!(texts, "door-waiting")),
        DoorState::Dropped => (Tone::Told, trr!(texts, "door-dropped")),
        DoorState::Dropping => (Tone::Warn, trr!(texts, "door-dropping")),
        DoorState::Empty => (Tone::Told, trr!(texts, "door-empty")),
        DoorState::Filling => (Tone::Told, trr!(texts, "door-filling")),
        DoorState::Lost => (Tone::Warn, trr!(texts, "door-lost")),
    };
    let still_there = !matches!(door.state, DoorState::Dropped | DoorState::Dropping);
    let small = Sizes { button: sizes.button.min(64.0), ..sizes };
    let drop = DROP_IDS.get(at).filter(|_| still_there).map(|id| {
        let press = Some(Message::DropPressed(Some(door.gate)));
        widget::action(small, *id, trr!(texts, "door-drop"), Weight::Plain, press)
    });
    row![container(sizes.text(door.label.as_str())).width(Fill), widget::pill(sizes, tone, word),]
        .push(drop)
        .spacing(sizes.space)
        .align_y(Center)
        .into()
}

fn ask<'a>(sizes: Sizes, texts: &'a Texts, door: &'a DoorLine) -> Page<'a> {
    let content = column![
        sizes.title(trr!(texts, "drop-title", gate = door.label.as_str())),
        sizes.text(trr!(texts, "drop-text")),
        parts::card_works(sizes, texts),
    ]
    .spacing(sizes.space * 1.5);
    let drop = Some(Message::DoorsChanged(DoorChange::Drop(door.gate)));
    let foot = widget::equal_pair(
        sizes,
        Side::new("drop-confirm", trr!(texts, "drop-confirm"), drop),
        Side::new("drop-back", trr!(texts, "back"), Some(Message::DropPressed(None))),
    );
    parts::middle(sizes, "page-drop", content, Some(foot))
}
