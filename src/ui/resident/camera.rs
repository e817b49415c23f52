//! The camera is on: the picture in a box, one word of advice, dots, *Stop*. Then the hand-over, and the try at the gate.

use iced::widget::{Column, canvas, column, container, image, responsive, row, stack, text};
use iced::{Center, ContentFit, Element, Fill, Length};

use crate::app::event::{Failure, GateLabel, HandOver};
use crate::domain::quality::Guidance;
use crate::i18n::Texts;
use crate::trr;
use crate::ui::theme::{self, Sizes, Tone, Weight};
use crate::ui::widget;

use super::drawing::{Dots, GuideBox};
use super::parts::{self, Page};
use super::{Guide, Message};

/// What stands below the advice.
pub(super) enum Words<'a> {
    /// The text 6.2.
    Hint(&'a str),
    /// The gate that is being tried.
    Gate(&'a str),
}

/// The live picture and what to do.
pub(super) fn view<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    words: Words<'a>,
    preview: Option<&'a (image::Handle, f32)>,
    guide: Option<Guide>,
) -> Page<'a> {
    let good =
        guide.is_some_and(|guide| matches!(guide.guidance, Guidance::Good | Guidance::TurnLeft | Guidance::TurnRight));
    let picture: Element<'a, Message> = match preview {
        Some((handle, ratio)) => responsive(move |space| {
            let width = space.width.min(space.height * ratio);
            let height = width / ratio.max(0.1);
            // The picture is a little smaller than the mask, so that no row of it can show at the mask's edge.
            let picture = image(handle.clone()).content_fit(ContentFit::Fill).width(Fill).height(Fill);
            let guide = canvas(GuideBox { good }).width(Fill).height(Fill);
            let picture = stack![container(picture).padding(2), guide].width(width).height(height);
            container(picture).center(Fill).into()
        })
        .into(),
        None => container(sizes.soft(trr!(texts, "camera-starting"))).center(Fill).into(),
    };
    let advice = guide.map_or_else(|| trr!(texts, "camera-starting"), |guide| advice(texts, guide.guidance));
    let ink = if good { theme::PRIMARY } else { theme::INK };
    let advice = text(advice).size(sizes.huge).line_height(1.25).font(theme::BOLD).color(sizes.ink(ink));
    let dots = guide.filter(|guide| guide.needed > 0).map(|guide| {
        canvas(Dots { taken: guide.taken, needed: guide.needed })
            .width(36.0 + 40.0 * f32::from(guide.needed.min(12)))
            .height(36)
    });
    let below = match words {
        Words::Hint(hint) => container(sizes.text(hint.trim())).id("camera-hint"),
        Words::Gate(gate) => container(sizes.text(trr!(texts, "try-looking", gate = gate))).id("try-gate"),
    };
    let said = column![container(advice).id("guidance")].push(dots).push(below).spacing(sizes.space * 1.25);
    let said = widget::scroll("page-camera", said).width(Length::FillPortion(5));
    let picture = container(picture).id("preview").width(Length::FillPortion(6)).height(Fill);
    let body = row![picture, said].spacing(sizes.space * 2.5).align_y(Center).height(Fill).padding([sizes.space, 0.0]);
    let stop = parts::button(sizes, "stop", trr!(texts, "stop"), Weight::Plain, Some(Message::StopPressed));
    Page { body: body.into(), foot: Some(parts::foot(sizes, [stop])) }
}

/// One big word of advice, from the person's own point of view.
fn advice(texts: &Texts, guidance: Guidance) -> String {
    match guidance {
        Guidance::NoFace => trr!(texts, "guide-no-face"),
        Guidance::OnePersonOnly => trr!(texts, "guide-one-person"),
        Guidance::Closer => trr!(texts, "guide-closer"),
        Guidance::Farther => trr!(texts, "guide-farther"),
        Guidance::Left => trr!(texts, "guide-left"),
        Guidance::Right => trr!(texts, "guide-right"),
        Guidance::Up => trr!(texts, "guide-up"),
        Guidance::Down => trr!(texts, "guide-down"),
        Guidance::MoreLight => trr!(texts, "guide-more-light"),
        Guidance::LessLight => trr!(texts, "guide-less-light"),
        Guidance::LookHere => trr!(texts, "guide-look-here"),
        Guidance::HoldStill => trr!(texts, "guide-hold-still"),
        Guidance::Good => trr!(texts, "guide-good"),
        Guidance::TurnLeft => trr!(texts, "guide-turn-left"),
        Guidance::TurnRight => trr!(texts, "guide-turn-right"),
    }
}

/// Sealing and handing over.
pub(super) fn working<'a>(sizes: Sizes, texts: &'a Texts, gates: &'a [(GateLabel, HandOver)]) -> Page<'a> {
    let lines = gates.iter().map(|(gate, state)| {
        let (tone, word) = match state {
            HandOver::Waiting => (Tone::Told, trr!(texts, "hand-waiting")),
            HandOver::Stored => (Tone::Well, trr!(texts, "hand-stored")),
            HandOver::Away => (Tone::Warn, trr!(texts, "hand-away")),
        };
        parts::gate_lines(sizes, tone, word, [gate])
    });
    let list = parts::panel(sizes, Tone::Plain, Column::with_children(lines).spacing(sizes.space)).max_width(820);
    let content = column![
        sizes.title(trr!(texts, "working-title")).align_x(Center),
        sizes.soft(trr!(texts, "working-text")).align_x(Center),
        list,
    ];
    let stop = parts::button(sizes, "stop", trr!(texts, "stop"), Weight::Plain, Some(Message::StopPressed));
    parts::calm(sizes, "page-working", content, Some(parts::foot(sizes, [stop])))
}

/// Before the try: what will happen, and that it may be skipped.
pub(super) fn try_gate<'a>(sizes: Sizes, texts: &'a Texts, gate: &'a str, failure: Option<&Failure>) -> Page<'a> {
    // Only what somebody beside the resident can mend: that a look came to nothing is no news to whoever just looked.
    let why = failure.filter(|failure| **failure == Failure::NobodyAtDesk);
    let content = column![
        parts::large(sizes, trr!(texts, "try-title", gate = gate)),
        sizes.soft(trr!(texts, "try-text")).align_x(Center),
    ]
    .push(why.map(|_| {
        let words = trr!(texts, "try-nobody");
        container(parts::telling(sizes, "try-why", Tone::Told, words)).max_width(900)
    }));
    let foot = parts::foot(
        sizes,
        [
            parts::button(sizes, "skip", trr!(texts, "try-skip"), Weight::Plain, Some(Message::FinishPressed)),
            parts::button(sizes, "try", trr!(texts, "try-action"), Weight::Primary, Some(Message::TryPressed)),
        ],
    );
    parts::calm(sizes, "page-try", content, Some(foot))
}
