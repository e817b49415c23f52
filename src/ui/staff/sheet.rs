//! The recovery key, shown once: to be printed or written down, and put away. Wiped when the page goes.

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};

use super::{AccountPaper, Action, S};
use crate::app::command::StaffCommand;
use crate::app::operators::OperatorsCommand;
use crate::i18n::Texts;
use crate::secret::Typed;
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::widget;

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Writes the sheet as a PDF.
    SavePressed,
    /// "It is put away."
    Ticked(bool),
    /// On.
    DonePressed,
}

/// The sheet.
#[derive(Debug)]
pub struct Sheet {
    key: Typed,
    ticked: bool,
}

impl Sheet {
    /// With the key as it is shown.
    pub fn new(key: Typed) -> Self {
        Self { key, ticked: false }
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::SavePressed => Action::SaveSheet(AccountPaper::RecoverySheet),
            Message::Ticked(ticked) => {
                self.ticked = ticked;
                Action::None
            }
            Message::DonePressed if self.ticked => Action::Ask(StaffCommand::Operators(OperatorsCommand::RecoveryKept)),
            Message::DonePressed => Action::None,
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let groups: Vec<&str> = self.key.as_str().split('-').collect();
        let line = |from: usize| {
            let shown = groups.iter().enumerate().skip(from).take(4).map(|(at, group)| {
                row![
                    S.hint((at + 1).to_string()),
                    text((*group).to_owned()).size(28.0).font(theme::BOLD).line_height(1.4),
                ]
                .spacing(S.space)
                .align_y(Center)
                .into()
            });
            row(shown).spacing(S.space * 4.0)
        };
        let key = container(column![line(0), line(4)].spacing(S.space)).id("sheet-key").padding(S.space * 2.0);
        let content = column![
            S.title(tr!(texts, "sheet-title")),
            S.text(tr!(texts, "sheet-what")),
            container(key).center_x(Fill).style(|_theme| theme::panel_style(Tone::Told)),
            S.soft(tr!(texts, "sheet-how")),
            row![
                widget::action(S, "sheet-save", tr!(texts, "sheet-save"), Weight::Plain, Some(Message::SavePressed)),
                S.hint(tr!(texts, "sheet-save-hint")),
            ]
            .spacing(S.space * 1.5)
            .align_y(Center),
            widget::tick(S, "sheet-tick", tr!(texts, "sheet-tick"), self.ticked, Some(Message::Ticked)),
            row![
                widget::gap(),
                widget::action(
                    S,
                    "sheet-done",
                    tr!(texts, "next"),
                    Weight::Primary,
                    self.ticked.then_some(Message::DonePressed),
                ),
            ],
        ]
        .spacing(S.space * 1.5);
        let panel = widget::panel(S, Tone::Plain, content).max_width(760);
        widget::scroll("sheet-scroll", container(panel).center_x(Fill)).height(Fill).into()
    }
}
