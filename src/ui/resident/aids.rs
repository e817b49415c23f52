//! What every page of the window offers beside itself: letters, colours, a voice, paper; and the question before a page is put away.
//!
//! Nothing here decides anything, and nothing covers the page: what has to be said stands in a tray between the frame and the page.

use iced::widget::{Column, column, row};
use iced::{Center, Element};

use crate::app::aids::{AidCommand, AidEvent, Paper, PaperState, View};
use crate::app::command::ResidentCommand;
use crate::app::event::ResidentScene;
use crate::domain::notice::Language;
use crate::i18n::Texts;
use crate::notice::{Block, sections, spoken};
use crate::ports::{PrintError, SpeechError};
use crate::trr;
use crate::ui::contrast::Contrast;
use crate::ui::keys::Touch;
use crate::ui::theme::{Sizes, Tone, Weight};
use crate::ui::widget;

use super::{Action, LetterSize, Message, parts};

/// What happened to the aids.
#[derive(Clone, Debug)]
pub enum AidMessage {
    /// The other colours.
    ContrastPressed,
    /// Read aloud, or stop.
    ReadPressed,
    /// The words of a page without sections.
    PageRead(Vec<String>),
    /// Print or save; again: close.
    CopyPressed,
    /// Print this.
    PrintPressed(Paper),
    /// Save this.
    SavePressed(Paper),
    /// Where to; `None` when the dialog was left.
    PathPicked(Paper, Option<std::path::PathBuf>),
    /// "I am still here."
    StillHerePressed,
    /// The window was touched.
    Touched(Touch),
    /// Sections of which something is on screen.
    InView(Vec<u16>),
}

/// The state of the aids in this window.
#[derive(Default)]
pub(super) struct Aids {
    contrast: Contrast,
    copying: bool,
    paper: Option<PaperState>,
    reading: Option<usize>,
    /// Reading was stopped by a press that has not ended: its release must not begin it anew.
    silenced: bool,
    failed: Option<SpeechError>,
    still_there: bool,
    in_view: Option<View>,
}

impl Aids {
    pub(super) fn contrast(&self) -> Contrast {
        self.contrast
    }

    /// The section that is read aloud.
    pub(super) fn reading(&self) -> Option<usize> {
        self.reading
    }

    /// Another page: what was said about the old one goes.
    pub(super) fn turn(&mut self, idle: bool) {
        let contrast = if idle { Contrast::default() } else { self.contrast };
        *self = Self { contrast, reading: self.reading, silenced: self.silenced, ..Self::default() };
    }

    pub(super) fn apply(&mut self, event: &AidEvent) {
        match event {
            AidEvent::Reading(section) => self.reading = *section,
            AidEvent::ReadingFailed(error) => {
                self.reading = None;
                self.failed = Some(*error);
            }
            AidEvent::Paper(state) => self.paper = Some(state.clone()),
            AidEvent::StillThere(asked) => self.still_there = *asked,
        }
    }

    pub(super) fn update(
        &mut self,
        message: AidMessage,
        scene: &ResidentScene,
        texts: &[Vec<Block>],
        letters: LetterSize,
    ) -> Action {
        let ask = |command| Action::Ask(ResidentCommand::Aid(command));
        match message {
            AidMessage::ContrastPressed => {
                self.contrast = self.contrast.other();
                Action::None
            }
            AidMessage::ReadPressed if self.silenced => Action::None,
            AidMessage::ReadPressed if self.reading.is_some() => ask(AidCommand::Hush),
            AidMessage::ReadPressed => {
                self.failed = None;
                let by_section = matches!(scene, ResidentScene::Notice { .. } | ResidentScene::Rules { .. });
                let words: Vec<String> = texts.iter().flat_map(|text| sections(text)).map(spoken).collect();
                if by_section && !words.is_empty() { ask(AidCommand::Read(words)) } else { Action::ReadPage }
            }
            AidMessage::PageRead(words) => ask(AidCommand::Read(words)),
            AidMessage::CopyPressed => {
                self.copying = !self.copying;
                self.paper = None;
                Action::None
            }
            AidMessage::PrintPressed(paper) => ask(AidCommand::Print(paper)),
            AidMessage::SavePressed(paper) => Action::PickPaperPath(paper),
            AidMessage::PathPicked(paper, Some(path)) => ask(AidCommand::Save(paper, path)),
            AidMessage::PathPicked(_, None) => Action::None,
            AidMessage::StillHerePressed => ask(AidCommand::Here),
            AidMessage::Touched(Touch::Up) => {
                self.silenced = false;
                Action::None
            }
            AidMessage::Touched(touch) if self.reading.is_some() => {
                self.silenced = touch == Touch::Down;
                ask(AidCommand::Hush)
            }
            AidMessage::Touched(_) if self.still_there => ask(AidCommand::Here),
            AidMessage::Touched(_) => Action::None,
            AidMessage::InView(sections) => {
                let high_contrast = self.contrast == Contrast::High;
                let view = View { sections, letters_percent: letters.percent(), high_contrast };
                if self.in_view.as_ref() == Some(&view) || !matches!(scene, ResidentScene::Notice { .. }) {
                    return Action::None;
                }
                self.in_view = Some(view.clone());
                ask(AidCommand::InView(view))
            }
        }
    }

    /// Language, letters, colours, voice and paper, on every page.
    pub(super) fn frame<'a>(
        &self,
        sizes: Sizes,
        texts: &'a Texts,
        letters: LetterSize,
        masked_name: Option<&'a str>,
        papers: &[Paper],
    ) -> Element<'a, Message> {
        let small = Sizes { button: 48.0, space: 8.0, ..sizes };
        let size = |id, label: &'static str, to: LetterSize| {
            let weight = if to == letters { Weight::Here } else { Weight::Quiet };
            let message = Some(Message::SizePressed(to));
            widget::by_key(widget::action(small, id, label, weight, message.clone()), message)
        };
        let aid = |id, label: String, here: bool, message| {
            let weight = if here { Weight::Here } else { Weight::Quiet };
            let message = Some(Message::Aid(message));
            widget::by_key(widget::action(small, id, label, weight, message.clone()), message)
        };
        let other = match texts.language() {
            Language::Chinese => "English",
            Language::English => "中文",
        };
        let reads = self.reading.is_some();
        let read = if reads { trr!(texts, "aid-hush") } else { trr!(texts, "aid-read") };
        let copy =
            (!papers.is_empty()).then(|| aid("copy", trr!(texts, "aid-copy"), self.copying, AidMessage::CopyPressed));
        row![
            sizes.soft(trr!(texts, "letters-label")),
            size("letters-1", "A", LetterSize::Standard),
            size("letters-2", "A+", LetterSize::Large),
            size("letters-3", "A++", LetterSize::Huge),
            aid("contrast", trr!(texts, "aid-contrast"), self.contrast == Contrast::High, AidMessage::ContrastPressed),
            aid("read", read, reads, AidMessage::ReadPressed),
        ]
        .push(copy)
        .push(widget::gap())
        .push(masked_name.map(|name| sizes.soft(name)))
        .push(widget::by_key(
            widget::action(small, "language", other, Weight::Plain, Some(Message::LanguagePressed)),
            Some(Message::LanguagePressed),
        ))
        .spacing(small.space * 0.5)
        .align_y(Center)
        .padding([small.space * 0.75, sizes.space * 3.0])
        .into()
    }

    /// What has to be said beside the page; `None` when there is nothing.
    pub(super) fn tray<'a>(&self, sizes: Sizes, texts: &'a Texts, papers: &[Paper]) -> Option<Element<'a, Message>> {
        let mut lines = Column::new().spacing(sizes.space * 0.75);
        let small = Sizes { button: 56.0, ..sizes };
        let key = |id: &'static str, label: String, message: Option<AidMessage>| {
            let message = message.map(Message::Aid);
            widget::by_key(widget::action(small, id, label, Weight::Plain, message.clone()), message)
        };
        let mut empty = true;
        if self.still_there {
            empty = false;
            let here = key("still-here", trr!(texts, "still-here"), Some(AidMessage::StillHerePressed));
            let words = sizes.text(trr!(texts, "still-there")).width(iced::Fill);
            let line = row![words, here].spacing(sizes.space * 1.5).align_y(Center);
            lines = lines.push(parts::panel(sizes, Tone::Told, line).padding(sizes.space));
        }
        if let Some(error) = self.failed {
            empty = false;
            lines = lines.push(parts::telling(sizes, "read-failed", Tone::Told, said(texts, error)));
        }
        if self.copying && !papers.is_empty() {
            empty = false;
            let busy = self.paper == Some(PaperState::Printing);
            let mut rows = Column::new().spacing(sizes.space * 0.5);
            for paper in papers.iter().copied() {
                let (name, print, save) = match paper {
                    Paper::Rules => (trr!(texts, "paper-rules"), "print-rules", "save-rules"),
                    Paper::Notice => (trr!(texts, "paper-notice"), "print-notice", "save-notice"),
                    Paper::Receipt => (trr!(texts, "paper-receipt"), "print-receipt", "save-receipt"),
                };
                let line = row![
                    sizes.text(name).width(iced::Fill),
                    key(print, trr!(texts, "paper-print"), (!busy).then_some(AidMessage::PrintPressed(paper))),
                    key(save, trr!(texts, "paper-save"), Some(AidMessage::SavePressed(paper))),
                ];
                rows = rows.push(line.spacing(sizes.space * 1.5).align_y(Center));
            }
            let state = self.paper.as_ref().map(|state| {
                let (tone, words) = told(texts, state);
                iced::widget::container(sizes.text(words).color(sizes.ink(tone.ink()))).id("paper-state")
            });
            let panel = parts::panel(sizes, Tone::Plain, column![rows].push(state).spacing(sizes.space * 0.5));
            lines = lines.push(panel.padding(sizes.space));
        }
        (!empty).then(|| lines.into())
    }
}

/// The papers that belong to a page.
pub(super) fn papers(scene: &ResidentScene) -> &'static [Paper] {
    match scene {
        ResidentScene::Rules { texts } if !texts.is_empty() => &[Paper::Rules],
        ResidentScene::Notice { .. } => &[Paper::Notice],
        ResidentScene::Done { .. } => &[Paper::Receipt, Paper::Notice],
        _ => &[],
    }
}

fn said(texts: &Texts, error: SpeechError) -> String {
    match error {
        SpeechError::NoService => trr!(texts, "read-no-service"),
        SpeechError::NoVoice => trr!(texts, "read-no-voice"),
        SpeechError::Lost => trr!(texts, "read-lost"),
    }
}

fn told(texts: &Texts, state: &PaperState) -> (Tone, String) {
    match state {
        PaperState::Printing => (Tone::Told, trr!(texts, "paper-printing")),
        PaperState::Printed => (Tone::Well, trr!(texts, "paper-printed")),
        PaperState::Saved(name) => (Tone::Well, trr!(texts, "paper-saved", name = name.as_str())),
        PaperState::NotPrinted(PrintError::NoService | PrintError::NoPrinter) => {
            (Tone::Warn, trr!(texts, "paper-no-printer"))
        }
        PaperState::NotPrinted(PrintError::Stuck) => (Tone::Warn, trr!(texts, "paper-stuck")),
        PaperState::NotPrinted(PrintError::Refused(_)) => (Tone::Warn, trr!(texts, "paper-refused")),
        PaperState::NotSaved(_) => (Tone::Warn, trr!(texts, "paper-not-saved")),
    }
}
