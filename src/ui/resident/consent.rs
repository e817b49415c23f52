//! The decision, alone on its page: two lines, one box, two equal buttons. Then the signature. Rules: P14a, P29, J04-2, F06a.

use iced::widget::{canvas, checkbox, column, container, row, stack, text_input};
use iced::{Center, Element, Fill, Padding};

use crate::i18n::Texts;
use crate::secret::Typed;
use crate::trr;
use crate::ui::contrast::Contrast;
use crate::ui::theme::{self, Sizes, Tone, Weight};
use crate::ui::widget::{self, Side};

use super::decision::Decision;
use super::guardian;
use super::pad::Pad;
use super::parts::{self, Page};
use super::{Message, SignMessage};

/// The page of the decision.
pub(super) fn view<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    preamble: &'a [String],
    sentence: &'a str,
    buttons: &'a (String, String),
    ticked: bool,
) -> Page<'a> {
    decide(sizes, "page-consent", trr!(texts, "consent-title"), preamble, sentence, buttons, ticked)
}

/// A decision, whoever makes it: a title, lines, one box with the sentence, two equal buttons.
pub(super) fn decide<'a>(
    sizes: Sizes,
    id: &'static str,
    title: impl iced::widget::text::IntoFragment<'a>,
    preamble: &'a [String],
    sentence: &'a str,
    buttons: &'a (String, String),
    ticked: bool,
) -> Page<'a> {
    let lines = preamble.iter().map(|line| sizes.text(line.as_str()).width(Fill).into());
    let tick = checkbox(ticked)
        .label(sentence)
        .size(sizes.body * 1.6)
        .text_size(sizes.body)
        .text_line_height(theme::LINE)
        .spacing(sizes.space * 1.5)
        .width(Fill)
        .style(|theme, status| Contrast::of(theme).tick(theme::tick_style(status)))
        .on_toggle(Message::Ticked);
    let tick = widget::by_key(tick, Some(Message::Ticked(!ticked)));
    let boxed = parts::panel(sizes, Tone::Plain, container(tick).id("tick")).padding(sizes.space);
    let content = column![sizes.heading(title)]
        .push(iced::widget::Column::with_children(lines).spacing(sizes.space * 0.5))
        .push(boxed)
        .spacing(sizes.space);
    let foot = widget::equal_pair(
        sizes,
        Side::new("no", buttons.0.as_str(), Some(Message::NoPressed)),
        Side::new("yes", buttons.1.as_str(), ticked.then_some(Message::YesPressed)),
    );
    parts::middle(sizes, id, content, Some(foot))
}

/// The signature, with the sentence it stands under. *No* is still there, as large as the confirmation.
pub(super) fn sign<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    sentence: &'a str,
    no: &'a str,
    decision: &'a Decision,
) -> Page<'a> {
    // The way to sign is chosen above the field, in letters that leave the field its room.
    let small = Sizes { body: sizes.body.min(34.0), button: sizes.button.min(64.0), ..sizes };
    let choice = |id, label: String, typing: bool| {
        let weight = if decision.typing == typing { Weight::Plain } else { Weight::Quiet };
        let message = Some(Message::Signed(SignMessage::ByTyping(typing)));
        widget::by_key(widget::action(small, id, label, weight, message.clone()), message)
    };
    let given = !decision.strokes.is_empty() || !decision.name.as_str().is_empty();
    let clear = given.then_some(Message::Signed(SignMessage::Cleared));
    let choices = row![
        choice("sign-draw", trr!(texts, "sign-draw"), false),
        choice("sign-type", trr!(texts, "sign-type"), true),
        widget::gap(),
        widget::by_key(
            widget::action(small, "sign-clear", trr!(texts, "sign-clear"), Weight::Quiet, clear.clone()),
            clear
        ),
        widget::by_key(
            widget::action(small, "sign-back", trr!(texts, "sign-back"), Weight::Plain, Some(Message::SignBackPressed)),
            Some(Message::SignBackPressed)
        ),
    ]
    .spacing(sizes.space)
    .align_y(Center);
    let field: Element<'a, Message> = if decision.typing {
        let input = text_input(&trr!(texts, "sign-name"), decision.name.as_str())
            .id("sign-name")
            .size(sizes.section)
            .line_height(1.4)
            .padding(Padding::from([sizes.space * 1.5, sizes.space * 2.0]))
            .style(|theme, status| Contrast::of(theme).field(theme::field_style(false, status)))
            .on_input(|name| Message::Signed(SignMessage::NameTyped(Typed::new(name))));
        container(column![input, sizes.soft(trr!(texts, "sign-type-hint"))].spacing(sizes.space)).into()
    } else {
        let hint = decision.strokes.is_empty().then(|| sizes.soft(trr!(texts, "sign-draw-hint")));
        // The hint lies below the field, where the pen goes over it.
        let pad = canvas(Pad { strokes: &decision.strokes }).width(Fill).height(FIELD);
        let pad = stack![container(hint).center_x(Fill).padding(sizes.space), pad].width(Fill).height(FIELD);
        container(pad)
            .id("sign-pad")
            .width(Fill)
            .style(|theme| {
                let mut style = theme::panel_style(Tone::Plain);
                style.border.color = theme::LINE_FIELD;
                Contrast::of(theme).panel(style)
            })
            .into()
    };
    let said = sizes.text(sentence);
    let content = if sizes.body > Sizes::RESIDENT.body * 1.2 {
        // In large letters the field comes first, so that it is in view.
        column![choices, field, said]
    } else {
        column![said, choices, field]
    };
    let content = content.push(guardian::paper_link(sizes, texts));
    let content = content.spacing(sizes.space * 0.75);
    let foot = widget::equal_pair(
        sizes,
        Side::new("no", no, Some(Message::NoPressed)),
        Side::new("sign-confirm", trr!(texts, "sign-confirm"), decision.is_signed().then_some(Message::SignConfirmed)),
    );
    parts::middle(sizes, "page-sign", content, Some(foot))
}

/// Height of the field to sign in, in pixels.
const FIELD: f32 = 156.0;
