//! Nobody is here: the ways in, the rules, two quiet buttons. And the page that asks for the card.

use iced::widget::{canvas, column, container, row};
use iced::{Center, Element, Length};

use crate::app::event::Failure;
use crate::i18n::Texts;
use crate::trr;
use crate::ui::explain;
use crate::ui::theme::{Sizes, Tone, Weight};
use crate::ui::widget;

use super::Message;
use super::drawing::{CardOnReader, Way};
use super::parts::{self, Page};
use super::rights;

/// The first page.
pub(super) fn view<'a>(sizes: Sizes, texts: &'a Texts, face_offered: bool, site: &'a str) -> Page<'a> {
    let way = |picture: Way, title: String, words: String| -> Element<'a, Message> {
        let title =
            row![canvas(picture).width(88).height(54), sizes.heading(title)].spacing(sizes.space).align_y(Center);
        let content = column![title, sizes.text(words)].spacing(sizes.space * 0.75);
        parts::panel(sizes, Tone::Plain, content).padding(sizes.space * 1.5).width(Length::FillPortion(1)).into()
    };
    let ways = [
        way(Way::Card, trr!(texts, "way-card-title"), trr!(texts, "way-card")),
        way(Way::Staff, trr!(texts, "way-staff-title"), trr!(texts, "way-staff")),
        way(Way::Visitor, trr!(texts, "way-visitor-title"), trr!(texts, "way-visitor")),
    ];
    // Three panels side by side do not hold large letters.
    let ways: Element<'a, Message> = if sizes.body > Sizes::RESIDENT.body * 1.2 {
        iced::widget::Column::with_children(ways).spacing(sizes.space).into()
    } else {
        iced::widget::Row::with_children(ways).spacing(sizes.space * 1.5).into()
    };
    let place = (!site.is_empty()).then(|| sizes.soft(site).size(sizes.section));
    let mine = widget::action(
        Sizes { button: sizes.button.min(56.0), body: sizes.body.min(26.0), ..sizes },
        "ask-mine",
        trr!(texts, "mine-title"),
        Weight::Quiet,
        Some(Message::Rights(rights::Message::MinePressed)),
    );
    let greeting = row![sizes.title(trr!(texts, "welcome"))]
        .push(place)
        .push(widget::gap())
        .push(mine)
        .spacing(sizes.space * 1.5)
        .align_y(Center);
    let content = column![greeting, sizes.heading(trr!(texts, "ways-title")), ways].spacing(sizes.space * 1.25);
    // Three side by side: in large letters their labels take three lines.
    let button = if sizes.body > Sizes::RESIDENT.body * 1.2 { 136.0 } else { sizes.button };
    let narrow = Sizes { body: sizes.body.min(34.0), button, ..sizes };
    let mut buttons =
        vec![parts::button(narrow, "rules", trr!(texts, "rules-action"), Weight::Plain, Some(Message::RulesPressed))];
    if face_offered {
        buttons.push(parts::button(
            narrow,
            "ask-face",
            trr!(texts, "face-action"),
            Weight::Plain,
            Some(Message::FacePressed),
        ));
    }
    let withdraw = trr!(texts, "withdraw-action");
    buttons.push(parts::button(narrow, "ask-withdraw", withdraw, Weight::Plain, Some(Message::WithdrawPressed)));
    parts::middle(sizes, "page-idle", content, Some(parts::foot(sizes, buttons)))
}

/// Please put the card on the reader.
pub(super) fn tap_card<'a>(sizes: Sizes, texts: &'a Texts, withdraw: bool, failure: Option<&Failure>) -> Page<'a> {
    let why = if withdraw { trr!(texts, "tap-withdraw") } else { trr!(texts, "tap-face") };
    let trouble = failure.map(|failure| {
        container(parts::telling(sizes, "tap-trouble", Tone::Warn, explain::for_resident(texts, failure)))
            .max_width(760)
    });
    let picture = canvas(CardOnReader).width(420).height(190);
    let content = column![
        sizes.title(trr!(texts, "tap-title")).align_x(Center),
        sizes.soft(why).align_x(Center),
        container(picture).id("tap-picture"),
    ]
    .push(withdraw.then(|| sizes.soft(trr!(texts, "tap-withdraw-no-card")).align_x(Center)))
    .push(trouble);
    let back = parts::button(sizes, "back", trr!(texts, "back"), Weight::Plain, Some(Message::BackPressed));
    parts::calm(sizes, "page-tap", content, Some(parts::foot(sizes, [back])))
}

/// The desk is locked.
pub(super) fn closed<'a>(sizes: Sizes, texts: &'a Texts) -> Page<'a> {
    let content = column![
        sizes.title(trr!(texts, "closed-title")).align_x(Center),
        sizes.text(trr!(texts, "closed-text")).align_x(Center),
        parts::card_works(sizes, texts),
    ];
    let rules = parts::button(sizes, "rules", trr!(texts, "rules-action"), Weight::Plain, Some(Message::RulesPressed));
    parts::calm(sizes, "page-closed", content, Some(parts::foot(sizes, [rules])))
}
