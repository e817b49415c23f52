//! A resident wants to sign on paper: print the form, look at it when it is signed. The resident confirms on their own window; nothing here
//! consents for anybody.

use std::path::PathBuf;

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::app::on_paper::{FormCommand, FormView};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::widget;

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// "Save the form as PDF."
    SavePressed,
    /// Where to; `None` when the dialog was left.
    PathPicked(Option<PathBuf>),
    /// The signed form was looked at.
    SeenPressed,
}

/// What a message leads to.
pub fn update(message: Message) -> Action {
    let ask = |command| Action::Ask(StaffCommand::Form(command));
    match message {
        Message::SavePressed => Action::PickFormPath,
        Message::PathPicked(Some(path)) => ask(FormCommand::Save(path)),
        Message::PathPicked(None) => Action::None,
        Message::SeenPressed => ask(FormCommand::Seen),
    }
}

/// The line below the header.
pub fn view<'a>(texts: &Texts, form: &'a FormView) -> Element<'a, Message> {
    let todo = if form.seen { tr!(texts, "paper-wait") } else { tr!(texts, "paper-todo") };
    let saved = form.saved_to.as_deref().map(|path| S.hint(tr!(texts, "paper-saved", path = path)));
    let seen = (!form.seen).then_some(Message::SeenPressed);
    let words = column![
        S.text(tr!(texts, "paper-asked", number = form.number.as_str())).color(theme::TOLD),
        S.hint(todo).color(theme::INK),
    ]
    .push(saved);
    container(
        row![
            words.width(Fill),
            widget::action(S, "paper-save", tr!(texts, "form-save-pdf"), Weight::Plain, Some(Message::SavePressed)),
            widget::action(S, "paper-seen", tr!(texts, "paper-seen"), Weight::Plain, seen),
        ]
        .spacing(S.space)
        .align_y(Center),
    )
    .id("paper-form")
    .padding([S.space, S.space * 2.0])
    .style(|_theme| theme::panel_style(Tone::Told))
    .into()
}
