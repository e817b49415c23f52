//! What the pages of this window share: the frame with language and letter size, the row of buttons at the foot, legal texts as blocks.

use iced::widget::{Column, Row, column, container, rich_text, row, span};
use iced::{Center, Color, Element, Fill, Font, Length};

use crate::app::aids::Paper;
use crate::domain::Realm;
use crate::i18n::Texts;
use crate::notice::{Block, Span, plain_spans};
use crate::trr;
use crate::ui::contrast::Contrast;
use crate::ui::theme::{self, Sizes, Tone, Weight};
use crate::ui::widget;

use super::aids::Aids;
use super::{LetterSize, Message};

/// A page: what is read, and the buttons that always stay in view.
pub(super) struct Page<'a> {
    /// The middle of the window.
    pub body: Element<'a, Message>,
    /// The foot.
    pub foot: Option<Element<'a, Message>>,
}

/// The frame around every page.
pub(super) fn window<'a>(
    texts: &'a Texts,
    realm: Realm,
    letters: LetterSize,
    masked_name: Option<&'a str>,
    papers: &[Paper],
    aids: &Aids,
    page: Page<'a>,
) -> Element<'a, Message> {
    // The frame keeps its size: it must not take the page away when the letters grow.
    let sizes = Sizes { contrast: aids.contrast(), ..LetterSize::Standard.sizes() };
    let banner = (realm == Realm::Practice).then(|| widget::practice_banner(sizes, texts));
    let foot = page.foot.map(|foot| {
        container(foot)
            .width(Fill)
            .padding([sizes.space * 0.75, sizes.space * 3.0])
            .style(|theme| Contrast::of(theme).panel(theme::bar_style(theme::SURFACE, theme::INK)))
    });
    let body = container(page.body).width(Fill).height(Fill).padding([0.0, sizes.space * 3.0]);
    // Always in its place, also when it is empty: a page below it that lost its place would forget how far it was scrolled.
    let tray = container(widget::at_times(aids.tray(sizes, texts, papers), sizes.space * 0.5))
        .id("tray")
        .padding([0.0, sizes.space * 3.0]);
    column![]
        .push(banner)
        .push(container(aids.frame(sizes, texts, letters, masked_name, papers)).id("frame").width(Fill))
        .push(tray)
        .push(body)
        .push(foot)
        .width(Fill)
        .height(Fill)
        .into()
}

/// A page whose body scrolls when it is too tall, with some buttons below.
pub(super) fn page<'a>(
    sizes: Sizes,
    id: &'static str,
    content: impl Into<Element<'a, Message>>,
    foot: Option<Element<'a, Message>>,
) -> Page<'a> {
    let padded = container(content).padding([sizes.space, 0.0]).width(Fill).max_width(1180.0);
    Page { body: widget::scroll(id, container(padded).center_x(Fill)).height(Fill).into(), foot }
}

/// The same, in the middle of the window's height when it is short.
pub(super) fn middle<'a>(
    sizes: Sizes,
    id: &'static str,
    content: impl Into<Element<'a, Message>>,
    foot: Option<Element<'a, Message>>,
) -> Page<'a> {
    let padded = container(content).padding([sizes.space * 0.75, 0.0]).width(Fill).max_width(1240.0);
    Page { body: container(widget::scroll(id, container(padded).center_x(Fill))).center_y(Fill).into(), foot }
}

/// A page with few words, set in the middle.
pub(super) fn calm<'a>(
    sizes: Sizes,
    id: &'static str,
    content: Column<'a, Message>,
    foot: Option<Element<'a, Message>>,
) -> Page<'a> {
    let content = container(content.spacing(sizes.space * 1.5).align_x(Center).width(Fill)).max_width(1060.0);
    Page { body: container(widget::scroll(id, container(content).center_x(Fill))).center_y(Fill).into(), foot }
}

/// Buttons side by side, as wide as they share the foot.
pub(super) fn foot<'a>(sizes: Sizes, buttons: impl IntoIterator<Item = Element<'a, Message>>) -> Element<'a, Message> {
    Row::with_children(buttons).spacing(sizes.space * 2.0).align_y(Center).width(Fill).into()
}

/// One button in the foot.
pub(super) fn button<'a>(
    sizes: Sizes,
    id: &'static str,
    label: String,
    weight: Weight,
    message: Option<Message>,
) -> Element<'a, Message> {
    // Two lines of a label always fit its button.
    let sizes = Sizes { body: sizes.body.min(40.0), ..sizes };
    widget::by_key(widget::wide_action(sizes, id, label, weight, message.clone()), message)
}

/// Words in the middle of a calm page; they may hold a name, so they are not bold.
pub(super) fn large<'a>(sizes: Sizes, words: impl iced::widget::text::IntoFragment<'a>) -> iced::widget::Text<'a> {
    iced::widget::text(words).size(sizes.section).line_height(1.5).align_x(Center)
}

/// "Your card works": what is true on every page that ends something.
pub(super) fn card_works<'a>(sizes: Sizes, texts: &'a Texts) -> Element<'a, Message> {
    container(
        panel(sizes, Tone::Well, sizes.text(trr!(texts, "card-works")).color(sizes.ink(Tone::Well.ink())))
            .width(Length::Shrink)
            .padding([sizes.space, sizes.space * 2.5]),
    )
    .id("card-works")
    .into()
}

/// A panel. Without the shadow of the staff window's panels: the software renderer draws shadows over what lies outside a scrolling page.
pub(super) fn panel<'a>(
    sizes: Sizes,
    tone: Tone,
    content: impl Into<Element<'a, Message>>,
) -> container::Container<'a, Message> {
    container(content).padding(sizes.space * 1.5).width(Fill).style(move |theme| {
        let mut style = Contrast::of(theme).panel(theme::panel_style(tone));
        style.shadow = iced::Shadow::default();
        style
    })
}

/// One line of what happened.
pub(super) fn telling<'a>(sizes: Sizes, id: &'static str, tone: Tone, words: String) -> Element<'a, Message> {
    container(panel(sizes, tone, sizes.text(words).color(sizes.ink(tone.ink())))).id(id).width(Fill).into()
}

/// Names of gates, one a line, each with a word on its state.
pub(super) fn gate_lines<'a>(
    sizes: Sizes,
    tone: Tone,
    word: String,
    gates: impl IntoIterator<Item = &'a String>,
) -> Element<'a, Message> {
    let lines = gates.into_iter().map(|gate| {
        row![sizes.text(gate.as_str()), widget::gap(), widget::pill(sizes, tone, word.clone())]
            .align_y(Center)
            .spacing(sizes.space)
            .into()
    });
    Column::with_children(lines).spacing(sizes.space).into()
}

/// A legal text. Tables become one panel a row, since a table of seven columns cannot be read in large letters.
pub(super) fn legal<'a>(sizes: Sizes, blocks: &'a [Block]) -> Column<'a, Message> {
    let mut column = Column::new().spacing(sizes.space);
    for block in blocks {
        column = column.push(match block {
            Block::Heading(1, words) => Element::from(rich(sizes.title, sizes.ink(theme::INK), words, true)),
            Block::Heading(_, words) => container(rich(sizes.section, sizes.ink(theme::PRIMARY_DEEP), words, true))
                .padding(iced::Padding::ZERO.top(sizes.space * 1.5))
                .into(),
            Block::Paragraph(words) => rich(sizes.body, sizes.ink(theme::INK), words, false),
            Block::Summary(lines) => {
                let lines = lines.iter().map(|line| rich(sizes.body, sizes.ink(theme::INK), line, false));
                panel(sizes, Tone::Told, Column::with_children(lines).spacing(sizes.space * 0.8)).into()
            }
            Block::Table(head, rows) => table(sizes, head, rows),
        });
    }
    column
}

fn table<'a>(sizes: Sizes, head: &'a [Vec<Span>], rows: &'a [Vec<Vec<Span>>]) -> Element<'a, Message> {
    let rows = rows.iter().map(|cells| {
        // A running number is no heading: the next cell joins it.
        let digits = |cell: &Vec<Span>| plain_spans(cell).bytes().all(|b| b.is_ascii_digit());
        let numbered = cells.len() > 2 && cells.first().is_some_and(digits);
        let lead = if numbered { 2 } else { 1 };
        let title: Vec<Span> = cells
            .iter()
            .take(lead)
            .flat_map(|cell| cell.iter().cloned().chain([Span { text: " ".into(), bold: false }]))
            .collect();
        let mut lines =
            Column::new().push(rich_owned(sizes.body, sizes.ink(theme::INK), title, true)).spacing(sizes.space * 0.4);
        for (label, cell) in head.iter().zip(cells).skip(lead) {
            if head.len() == 2 {
                lines = lines.push(rich(sizes.body, sizes.ink(theme::INK), cell, false));
                continue;
            }
            let label = sizes.soft(plain_spans(label)).width(Length::FillPortion(2));
            let words = container(rich(sizes.body, sizes.ink(theme::INK), cell, false)).width(Length::FillPortion(5));
            lines = lines.push(row![label, words].spacing(sizes.space));
        }
        panel(sizes, Tone::Plain, lines).into()
    });
    Column::with_children(rows).spacing(sizes.space * 0.8).into()
}

fn rich<'a>(size: f32, ink: Color, words: &[Span], bold: bool) -> Element<'a, Message> {
    rich_owned(size, ink, words.to_vec(), bold)
}

fn rich_owned<'a>(size: f32, ink: Color, words: Vec<Span>, bold: bool) -> Element<'a, Message> {
    let spans: Vec<iced::widget::text::Span<'a, (), Font>> = words
        .into_iter()
        .map(|part| {
            let font = if bold || part.bold { theme::BOLD } else { theme::REGULAR };
            span(part.text).font(font)
        })
        .collect();
    rich_text(spans).size(size).line_height(if bold { 1.4 } else { theme::LINE }).color(ink).width(Fill).into()
}
