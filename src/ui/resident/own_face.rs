//! The own template: a copy of it, and a new one in place of a bad one. The risk comes before the field, and leaving is as large as going on.
//! Rules: P45a, P46.

use std::path::PathBuf;

use iced::widget::{Column, column, row};
use iced::{Center, Element, Fill};

use crate::app::command::ResidentCommand;
use crate::app::event::GateLabel;
use crate::app::rights::{CopyTrouble, OwnFaceAct, OwnFaceScene, RightsAct};
use crate::domain::phrase::{Strength, judge};
use crate::i18n::Texts;
use crate::secret::Typed;
use crate::trr;
use crate::ui::theme::{Sizes, Tone, Weight};
use crate::ui::widget::{self, Side};

use super::parts::{self, Page};
use super::rights::{Message, Pick};
use super::{Action, Message as Window};

/// What is being typed for a copy; wiped when the page goes.
#[derive(Debug, Default)]
pub(super) struct Phrase {
    first: Typed,
    again: Typed,
}

impl Phrase {
    /// Whether it is typed twice and hard enough to guess. The desk judges again.
    fn is_ready(&self) -> bool {
        judge(self.first.as_str()) > Strength::Weak && self.first == self.again
    }

    /// Takes in a field.
    pub(super) fn typed(&mut self, again: bool, text: Typed) {
        if again { self.again = text } else { self.first = text }
    }

    /// Hands the pass-phrase over with the place; the fields are empty afterwards.
    pub(super) fn make(&mut self, path: PathBuf) -> Action {
        let (first, again) = (self.first.take_passphrase(), self.again.take_passphrase());
        let act = OwnFaceAct::MakeCopy { first, again, path };
        Action::Ask(ResidentCommand::Rights(RightsAct::OwnFace(act)))
    }
}

/// Draws a page.
pub(super) fn view<'a>(sizes: Sizes, texts: &'a Texts, scene: &'a OwnFaceScene, phrase: &'a Phrase) -> Page<'a> {
    match scene {
        OwnFaceScene::Copy { saved_to: Some(path), .. } => saved(sizes, texts, path),
        OwnFaceScene::Copy { trouble, saved_to: None } => copy(sizes, texts, trouble.as_ref(), phrase),
        OwnFaceScene::Redo { gates, confirmed: false, .. } => ask_redo(sizes, texts, gates),
        OwnFaceScene::Redo { gates, confirmed: true, ready } => redo(sizes, texts, gates, *ready),
    }
}

fn say(message: Message) -> Option<Window> {
    Some(Window::Rights(message))
}

fn copy<'a>(sizes: Sizes, texts: &'a Texts, trouble: Option<&'a CopyTrouble>, phrase: &'a Phrase) -> Page<'a> {
    let risk = column![
        sizes.text(trr!(texts, "copy-risk")),
        sizes.text(trr!(texts, "copy-alone")),
        sizes.text(trr!(texts, "copy-forgotten")),
    ];
    let risk = parts::panel(sizes, Tone::Warn, risk.spacing(sizes.space * 0.5));
    let strength = match judge(phrase.first.as_str()) {
        _ if phrase.first.as_str().is_empty() => trr!(texts, "copy-phrase-hint"),
        Strength::Weak => trr!(texts, "copy-weak"),
        Strength::Enough => trr!(texts, "copy-enough"),
        Strength::Strong => trr!(texts, "copy-strong"),
    };
    let differs = !phrase.again.as_str().is_empty() && phrase.again != phrase.first;
    let save = phrase.is_ready().then_some(Window::Rights(Message::SavePressed(Pick::Template)));
    let typed = |again: bool| move |text: String| Window::Rights(Message::PhraseTyped(again, Typed::new(text)));
    let small = Sizes { body: sizes.body.min(34.0), ..sizes };
    let fields = row![
        iced::widget::container(
            widget::Field::new("copy-first", trr!(texts, "copy-first"), phrase.first.as_str())
                .hint(strength)
                .secret()
                .view(small, typed(false), None),
        )
        .width(Fill),
        iced::widget::container(
            widget::Field::new("copy-again", trr!(texts, "copy-second"), phrase.again.as_str())
                .wrong(differs.then(|| trr!(texts, "copy-differ")))
                .secret()
                .view(small, typed(true), save.clone()),
        )
        .width(Fill),
    ]
    .spacing(sizes.space * 2.0);
    let trouble = trouble.map(|trouble| parts::telling(sizes, "copy-trouble", Tone::Warn, said(texts, trouble)));
    let content = column![sizes.title(trr!(texts, "copy-title"))].push(trouble).push(risk).push(fields);
    let foot = widget::equal_pair(
        sizes,
        Side::new("mine-list", trr!(texts, "copy-leave"), say(Message::ListPressed)),
        Side::new("copy-save", trr!(texts, "copy-save"), save),
    );
    parts::middle(sizes, "page-copy", content.spacing(sizes.space * 1.25), Some(foot))
}

fn said(texts: &Texts, trouble: &CopyTrouble) -> String {
    match trouble {
        CopyTrouble::Differ => trr!(texts, "copy-differ"),
        CopyTrouble::Weak => trr!(texts, "copy-weak"),
        CopyTrouble::NoFace => trr!(texts, "copy-no-face"),
        CopyTrouble::Stopped => trr!(texts, "copy-stopped"),
        CopyTrouble::GuardianNeeded => trr!(texts, "copy-guardian"),
        CopyTrouble::Tomorrow => trr!(texts, "copy-tomorrow"),
        CopyTrouble::Away(gates) => trr!(texts, "copy-away", gates = gates.join("、")),
        CopyTrouble::NotWritten => trr!(texts, "copy-not-written"),
    }
}

fn saved<'a>(sizes: Sizes, texts: &'a Texts, path: &'a str) -> Page<'a> {
    // The folder is nobody's business on this screen.
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let content = column![
        sizes.title(trr!(texts, "copy-saved", name = name)).align_x(Center),
        sizes.text(trr!(texts, "copy-keep")).align_x(Center),
        sizes.text(trr!(texts, "copy-open")).align_x(Center),
        parts::card_works(sizes, texts),
    ];
    let foot = parts::foot(
        sizes,
        [
            parts::button(sizes, "mine-list", trr!(texts, "asked-more"), Weight::Plain, say(Message::ListPressed)),
            parts::button(sizes, "back", trr!(texts, "finish"), Weight::Primary, Some(Window::BackPressed)),
        ],
    );
    parts::calm(sizes, "page-copy-saved", content, Some(foot))
}

fn ask_redo<'a>(sizes: Sizes, texts: &'a Texts, gates: &'a [(GateLabel, bool)]) -> Page<'a> {
    let mut content = column![
        sizes.title(trr!(texts, "redo-title")),
        sizes.text(trr!(texts, "redo-text")),
        sizes.text(trr!(texts, "redo-order")),
    ]
    .spacing(sizes.space * 1.5);
    if !gates.is_empty() {
        let names: Vec<&str> = gates.iter().map(|(gate, _)| gate.as_str()).collect();
        let list = sizes.text(trr!(texts, "redo-gates", gates = names.join("、")));
        content = content.push(parts::panel(sizes, Tone::Plain, list));
    }
    let foot = widget::equal_pair(
        sizes,
        Side::new("redo-confirm", trr!(texts, "redo-confirm"), say(Message::RedoConfirmed)),
        Side::new("mine-list", trr!(texts, "back"), say(Message::ListPressed)),
    );
    parts::middle(sizes, "page-redo", content, Some(foot))
}

fn redo<'a>(sizes: Sizes, texts: &'a Texts, gates: &'a [(GateLabel, bool)], ready: bool) -> Page<'a> {
    let erased = gates.iter().all(|(_, gone)| *gone);
    let lines: Column<'a, Window> = Column::with_children(gates.iter().map(|(gate, gone)| -> Element<'a, Window> {
        let state = if *gone {
            widget::pill(sizes, Tone::Well, trr!(texts, "redo-gone"))
        } else {
            widget::pill(sizes, Tone::Warn, trr!(texts, "redo-waits"))
        };
        row![sizes.text(gate.as_str()).width(Fill), state].spacing(sizes.space).align_y(Center).into()
    }));
    let (title, text) = match (erased, ready) {
        (true, true) => (trr!(texts, "redo-erased"), trr!(texts, "redo-ready")),
        (true, false) => (trr!(texts, "redo-erased"), trr!(texts, "redo-not-now")),
        (false, _) => (trr!(texts, "redo-erasing"), trr!(texts, "redo-away")),
    };
    let content = column![
        sizes.title(title),
        sizes.text(text),
        parts::panel(sizes, Tone::Plain, lines.spacing(sizes.space)),
        parts::card_works(sizes, texts),
    ];
    let begin = ready.then_some(Window::Rights(Message::RedoBegun));
    let foot = widget::equal_pair(
        sizes,
        Side::new("back", trr!(texts, "finish"), Some(Window::BackPressed)),
        Side::new("redo-begin", trr!(texts, "redo-begin"), begin),
    );
    parts::middle(sizes, "page-redo-erased", content.spacing(sizes.space * 1.25), Some(foot))
}
