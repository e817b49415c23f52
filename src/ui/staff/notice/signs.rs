//! Signs at the gates and at the desk: print, post, mark. And the other ways in, for the lobby.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::super::S;
use super::Message;
use crate::app::notice::{NoticeView, Paper, SignState};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

pub(super) fn view<'a>(texts: &Texts, view: &'a NoticeView, posted_on: &'a str) -> Element<'a, Message> {
    let rows = view.signs.iter().enumerate().map(|(at, sign)| {
        let name = if sign.gate.is_some() { sign.name.clone() } else { tr!(texts, "sign-desk") };
        let (tone, said) = match sign.state {
            SignState::Missing => (Tone::Warn, tr!(texts, "sign-missing")),
            SignState::Outdated(day) => (Tone::Warn, tr!(texts, "sign-outdated", day = day.to_string())),
            SignState::Posted(day) => {
                (Tone::Well, tr!(texts, "sign-posted", day = day.to_string(), by = sign.by.as_str()))
            }
        };
        let mark = (!posted_on.trim().is_empty()).then_some(Message::PostedPressed(sign.gate));
        row![
            container(S.text(name)).width(Length::FillPortion(3)),
            container(widget::pill(S, tone, said)).width(Length::FillPortion(5)),
            widget::action(
                S,
                format!("sign-print-{at}"),
                tr!(texts, "paper-save"),
                Weight::Plain,
                Some(Message::SavePressed(Paper::Sign(sign.gate))),
            ),
            widget::action(S, format!("sign-posted-{at}"), tr!(texts, "sign-mark"), Weight::Plain, mark),
        ]
        .spacing(S.space)
        .align_y(Center)
        .into()
    });
    let day = container(
        widget::Field::new("sign-day", tr!(texts, "sign-day"), posted_on)
            .placeholder(tr!(texts, "form-date-placeholder"))
            .view(S, Message::PostedTyped, None),
    )
    .max_width(360);
    let signs = column![S.heading(tr!(texts, "sign-title")), S.soft(tr!(texts, "sign-hint")), day]
        .extend(rows)
        .spacing(S.space * 1.25);
    let lobby = row![
        column![S.heading(tr!(texts, "other-ways-title")), S.hint(tr!(texts, "other-ways-hint"))]
            .spacing(S.space * 0.5)
            .width(Fill),
        widget::action(
            S,
            "other-ways-print",
            tr!(texts, "paper-save"),
            Weight::Plain,
            Some(Message::SavePressed(Paper::OtherWays)),
        ),
    ]
    .align_y(Center);
    column![widget::panel(S, Tone::Plain, signs), widget::panel(S, Tone::Plain, lobby)].spacing(S.space * 2.0).into()
}
