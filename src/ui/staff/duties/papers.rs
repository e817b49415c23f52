//! Papers for an audit and for the graded protection file.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::{Message, Pick, S};
use crate::app::duties::DutyPaper;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// Draws the page.
pub(super) fn view<'a>(texts: &Texts) -> Element<'a, Message> {
    let panel = |id: &'static str, title: String, why: String, paper: DutyPaper| {
        let save = Some(Message::SavePressed(Pick::Paper(paper)));
        let line = row![
            container(column![S.heading(title), S.soft(why)].spacing(S.space)).width(Fill),
            widget::action(S, id, tr!(texts, "duty-save"), Weight::Plain, save),
        ]
        .spacing(S.space * 2.0)
        .align_y(Center);
        widget::panel(S, Tone::Plain, line)
    };
    column![
        S.title(tr!(texts, "papers-title")),
        panel("paper-audit", tr!(texts, "paper-audit"), tr!(texts, "paper-audit-why"), DutyPaper::Audit),
        panel("paper-controls", tr!(texts, "paper-controls"), tr!(texts, "paper-controls-why"), DutyPaper::Controls),
    ]
    .spacing(S.space * 2.0)
    .into()
}
