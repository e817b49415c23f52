//! Versions of the notice, who has been told and who has not (in numbers; a name only on that person's own page), and the site file.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::super::S;
use super::Message;
use crate::app::notice::{NoticeView, Paper};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

pub(super) fn view<'a>(texts: &Texts, view: &'a NoticeView) -> Element<'a, Message> {
    let head = match view.version {
        Some((version, since)) => {
            tr!(texts, "notice-in-use", version = version.to_string(), since = since.to_string())
        }
        None => tr!(texts, "notice-none"),
    };
    let rows = view.versions.iter().map(|news| {
        let mut states = vec![];
        if news.concerned == 0 {
            states.push(widget::pill(S, Tone::Plain, tr!(texts, "notice-nobody")));
        } else {
            states.push(widget::pill(S, Tone::Well, tr!(texts, "notice-told", count = news.told)));
        }
        if news.untold > 0 {
            states.push(widget::pill(S, Tone::Warn, tr!(texts, "notice-untold", count = news.untold)));
        }
        if news.unanswered > 0 {
            let by = news.answer_by.map(|day| day.to_string()).unwrap_or_default();
            states.push(widget::pill(S, Tone::Warn, tr!(texts, "notice-unanswered", count = news.unanswered, by = by)));
        }
        let numbers = tr!(texts, "notice-concerned", concerned = news.concerned, asked = news.asked);
        row![
            container(S.text(tr!(texts, "notice-version", version = news.version.to_string())))
                .width(Length::FillPortion(2)),
            container(S.soft(news.in_use_on.to_string())).width(Length::FillPortion(2)),
            column![row(states).spacing(S.space).wrap(), S.hint(numbers)]
                .spacing(S.space * 0.5)
                .width(Length::FillPortion(8)),
        ]
        .spacing(S.space * 1.5)
        .into()
    });
    let versions = column![S.heading(head), S.soft(tr!(texts, "notice-rule"))]
        .extend(rows)
        .push(S.hint(tr!(texts, "notice-who")))
        .spacing(S.space * 1.25);
    column![widget::panel(S, Tone::Plain, versions), site_file(texts, view)].spacing(S.space * 2.0).into()
}

fn site_file<'a>(texts: &Texts, view: &'a NoticeView) -> Element<'a, Message> {
    let said = match &view.site_file {
        Some((number, digest, at)) => {
            let short: String = digest.chars().take(16).collect();
            let number = number.to_string();
            tr!(texts, "site-file-is", number = number, at = at.minute_text(), digest = short)
        }
        None => tr!(texts, "site-file-none"),
    };
    let save = view.site_file.is_some().then_some(Message::SavePressed(Paper::SiteFile));
    let content = row![
        column![S.heading(tr!(texts, "site-file-title")), S.text(said), S.hint(tr!(texts, "site-file-hint"))]
            .spacing(S.space * 0.5)
            .width(Fill),
        widget::action(S, "site-file-save", tr!(texts, "site-file-save"), Weight::Plain, save),
        widget::action(S, "site-file-load", tr!(texts, "site-file-load"), Weight::Plain, Some(Message::LoadPressed)),
    ]
    .spacing(S.space)
    .align_y(Center);
    widget::panel(S, Tone::Plain, content).into()
}
