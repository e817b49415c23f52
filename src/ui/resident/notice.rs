//! The full notice, to its end; and the public rules, which anybody may read.

use std::collections::BTreeSet;

use iced::widget::{Column, container, scrollable, sensor};
use iced::{Center, Element, Fill};

use crate::i18n::Texts;
use crate::notice::{Block, sections};
use crate::trr;
use crate::ui::contrast::Contrast;
use crate::ui::sections::section_id;
use crate::ui::theme::{self, Sizes, Weight};
use crate::ui::widget;

use super::Message;
use super::parts::{self, Page};
use super::rights;

/// The plain words beside the sections, and which of them are open.
#[derive(Clone, Copy)]
pub(super) struct Explained<'a> {
    /// By section; 0 stands for what is above them.
    pub plain: &'a [Vec<Block>],
    /// Open ones.
    pub open: &'a BTreeSet<u8>,
}

/// The notice. *Continue* can be pressed once the end was on screen; *No* at once, since nobody has to read in order to refuse (P16). None of
/// the three is brighter than another (P05).
///
/// Two signals say so, because each alone misses a case: the scroll position says nothing when the text fits the page, and the end
/// mark's own signal comes only once for one text (`digest` tells texts apart).
pub(super) fn view<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    blocks: &'a [Vec<Block>],
    words: Explained<'a>,
    digest: [u8; 32],
    end_shown: bool,
    read: Option<usize>,
) -> Page<'a> {
    let end = container(sizes.soft(trr!(texts, "notice-end")).align_x(Center)).id("notice-end").center_x(Fill);
    let end = sensor(end.padding([sizes.space * 1.5, 0.0])).key(digest).on_show(|_size| Message::EndShown);
    let text = all(sizes, texts, blocks, words, read).push(end);
    let padded = container(container(text).padding([sizes.space, 0.0]).max_width(1180)).center_x(Fill);
    let body = widget::scroll("page-notice", padded).height(Fill).on_scroll(|view| Message::Scrolled(is_at_end(&view)));

    let forward = end_shown.then_some(Message::ContinuePressed);
    let words = if end_shown { trr!(texts, "notice-continue") } else { trr!(texts, "notice-scroll") };
    // Three side by side: two lines of each label fit.
    let narrow = Sizes { body: sizes.body.min(34.0), ..sizes };
    let foot = parts::foot(
        sizes,
        [
            parts::button(narrow, "back", trr!(texts, "back"), Weight::Plain, Some(Message::BackPressed)),
            parts::button(narrow, "no", trr!(texts, "notice-no"), Weight::Plain, Some(Message::NoPressed)),
            parts::button(narrow, "continue", words, Weight::Plain, forward),
        ],
    );
    Page { body: body.into(), foot: Some(foot) }
}

/// The public rules. The notice among them has the same explanations.
pub(super) fn rules<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    blocks: &'a [Vec<Block>],
    words: Explained<'a>,
    read: Option<usize>,
) -> Page<'a> {
    let content: Element<'a, Message> = if blocks.is_empty() {
        sizes.text(trr!(texts, "rules-none")).into()
    } else {
        all(sizes, texts, blocks, words, read).into()
    };
    let back = parts::button(sizes, "back", trr!(texts, "back"), Weight::Plain, Some(Message::BackPressed));
    parts::page(sizes, "page-rules", content, Some(parts::foot(sizes, [back])))
}

/// The texts, each section in a container of its own, by which it is found, timed and marked while it is read aloud. The notice has "What
/// does this mean?" beside each heading (P48).
fn all<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    blocks: &'a [Vec<Block>],
    words: Explained<'a>,
    read: Option<usize>,
) -> Column<'a, Message> {
    let mut number = 0;
    let columns = blocks.iter().map(|text| {
        let heads = text.iter().filter(|block| matches!(block, Block::Heading(2, _))).count();
        let is_notice = heads + 1 == words.plain.len();
        let mut head = 0u8;
        let parts = sections(text).into_iter().map(|section| {
            let mark = read == Some(number);
            let starts = matches!(section.first(), Some(Block::Heading(2, _)));
            head = head.saturating_add(u8::from(starts));
            let body = if is_notice && starts {
                rights::explained(sizes, texts, section, head, words)
            } else {
                parts::legal(sizes, section)
            };
            let part = container(body).id(section_id(number)).padding(iced::Padding::ZERO.left(MARK * 3.0)).style(
                move |theme| {
                    let line = if mark { theme::PRIMARY } else { iced::Color::TRANSPARENT };
                    let border =
                        iced::Border { color: Contrast::of(theme).shade(line), width: MARK, radius: 8.0.into() };
                    container::Style { border, ..container::Style::default() }
                },
            );
            number += 1;
            part.into()
        });
        Column::with_children(parts).spacing(sizes.space).into()
    });
    Column::with_children(columns).spacing(sizes.space * 4.0)
}

/// Width of the line around what is read aloud.
const MARK: f32 = 3.0;

/// Whether the last line is in view, within two pixels.
fn is_at_end(view: &scrollable::Viewport) -> bool {
    view.absolute_offset_reversed().y <= 2.0
}
