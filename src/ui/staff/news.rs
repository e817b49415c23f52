//! On an opened record: what this resident must be told or asked about the notice, with the sheet to hand over. Reading and telling only: the
//! answer is the resident's own, on the resident window.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::S;
use crate::app::notice::PersonNews;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// What happens here.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Saves the change sheet.
    SheetPressed,
    /// The sheet was handed over.
    GivenPressed,
}

/// The news of one resident; nothing when there is none.
pub(super) fn view<'a>(texts: &Texts, news: &'a PersonNews) -> Element<'a, Message> {
    let (from, to) = (news.from.to_string(), news.to.to_string());
    let mut lines = column![S.text(tr!(texts, "news-versions", from = from, to = to))].spacing(S.space * 0.5);
    if let Some(day) = news.answer_by {
        let gates = words::list(texts, news.stopped.iter().map(String::as_str));
        lines = lines.push(S.text(tr!(texts, "news-asked", gates = gates, day = day.to_string())));
    }
    lines = lines.push(match (news.untold, news.told_at) {
        (true, _) => S.hint(tr!(texts, "news-untold")),
        (false, Some(at)) => S.hint(tr!(texts, "news-told", at = at.minute_text())),
        (false, None) => S.hint(tr!(texts, "news-untold")),
    });
    let given = news.untold.then_some(Message::GivenPressed);
    let content = row![
        column![S.heading(tr!(texts, "news-title")), lines].spacing(S.space * 0.5).width(Fill),
        widget::action(S, "news-sheet", tr!(texts, "news-sheet"), Weight::Plain, Some(Message::SheetPressed)),
        widget::action(S, "news-given", tr!(texts, "news-given"), Weight::Plain, given),
    ]
    .spacing(S.space)
    .align_y(Center);
    let tone = if news.untold || news.answer_by.is_some() { Tone::Warn } else { Tone::Plain };
    container(widget::panel(S, tone, content)).id("news").into()
}
