//! The internal rules, read to the end and signed by name; and, when only a supervisor can help, why the account does not work today.

use std::sync::Arc;

use iced::widget::{Column, column, container, rich_text, row, scrollable, sensor, span};
use iced::{Center, Element, Fill, Font};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::app::operators::OperatorsCommand;
use crate::i18n::Texts;
use crate::notice::{Block, Rendered, Span, blocks};
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::widget;

/// Id of the signature field.
pub const NAME: &str = "rules-name";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The end is on screen.
    EndShown,
    /// Scrolled; whether to the end.
    Scrolled(bool),
    /// The name changed.
    NameTyped(String),
    /// Signs.
    SignPressed,
}

/// The rules as they are read.
#[derive(Debug, Default)]
pub struct Rules {
    blocks: Vec<Block>,
    digest: Option<[u8; 32]>,
    end_shown: bool,
    name: String,
    asked: bool,
}

impl Rules {
    /// The text came; another language begins at its top.
    pub fn set_text(&mut self, text: &Arc<Rendered>) {
        self.blocks = blocks(&text.markdown);
        self.digest = Some(text.reference.sha256);
        self.end_shown = false;
    }

    /// The desk said no.
    pub fn failed(&mut self) {
        self.asked = false;
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Operators(command));
        match message {
            Message::EndShown | Message::Scrolled(true) if !self.end_shown && self.digest.is_some() => {
                self.end_shown = true;
                ask(OperatorsCommand::RulesReachedEnd)
            }
            Message::EndShown | Message::Scrolled(_) => Action::None,
            Message::NameTyped(text) => {
                self.name = text;
                Action::None
            }
            Message::SignPressed if self.ready() => {
                self.asked = true;
                ask(OperatorsCommand::SignRules(self.name.trim().to_owned()))
            }
            Message::SignPressed => Action::None,
        }
    }

    fn ready(&self) -> bool {
        self.end_shown && !self.asked && !self.name.trim().is_empty()
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let end = container(S.soft(tr!(texts, "rules-end"))).padding([S.space, 0.0]);
        let end = sensor(end).key(self.digest).on_show(|_size| Message::EndShown);
        let text = container(legal(&self.blocks).push(end)).padding([S.space * 1.5, S.space * 2.5]);
        let read = widget::scroll("rules-scroll", text)
            .height(Fill)
            .on_scroll(|view: scrollable::Viewport| Message::Scrolled(view.relative_offset().y > 0.995));
        let hint = if self.end_shown { tr!(texts, "rules-sign-hint") } else { tr!(texts, "rules-read-hint") };
        let field = widget::Field::new(NAME, tr!(texts, "rules-name"), &self.name).hint(hint).view(
            S,
            Message::NameTyped,
            Some(Message::SignPressed),
        );
        let press = self.ready().then_some(Message::SignPressed);
        column![
            S.title(tr!(texts, "rules-title")),
            S.soft(tr!(texts, "rules-why")),
            container(read).height(Fill).style(|_theme| theme::panel_style(Tone::Plain)),
            row![
                container(field).width(Fill),
                widget::action(S, "rules-sign", tr!(texts, "rules-sign"), Weight::Primary, press),
            ]
            .spacing(S.space * 2.0)
            .align_y(Center),
        ]
        .spacing(S.space * 1.25)
        .into()
    }
}

/// Only a supervisor can help: what is missing, and the way out.
pub fn untrained<'a, M: Clone + 'a>(texts: &Texts, lock: M) -> Element<'a, M> {
    let content = column![
        S.title(tr!(texts, "untrained-title")),
        S.text(tr!(texts, "untrained-why")),
        S.text(tr!(texts, "untrained-todo")),
        widget::wide_action(S, "untrained-lock", tr!(texts, "lock"), Weight::Primary, Some(lock)),
    ]
    .spacing(S.space * 2.0);
    container(widget::panel(S, Tone::Warn, content).max_width(640)).id("untrained").center(Fill).into()
}

fn legal<'a>(blocks: &'a [Block]) -> Column<'a, Message> {
    let mut column = Column::new().spacing(S.space);
    for block in blocks {
        column = column.push(match block {
            Block::Heading(1, words) => rich(S.title, words, true),
            Block::Heading(_, words) => rich(S.section, words, true),
            Block::Paragraph(words) => rich(S.body, words, false),
            Block::Summary(lines) => Column::with_children(lines.iter().map(|l| rich(S.body, l, false))).into(),
            Block::Table(_, rows) => {
                let cells = rows.iter().flatten().map(|cell| rich(S.body, cell, false));
                Column::with_children(cells).into()
            }
        });
    }
    column
}

fn rich<'a>(size: f32, words: &[Span], bold: bool) -> Element<'a, Message> {
    let spans: Vec<iced::widget::text::Span<'a, (), Font>> = words
        .iter()
        .map(|part| {
            let font = if bold || part.bold { theme::BOLD } else { theme::REGULAR };
            span(part.text.clone()).font(font)
        })
        .collect();
    rich_text(spans).size(size).line_height(theme::LINE).color(theme::INK).width(Fill).into()
}
