//! The full notice, to its end; and the public rules, which anybody may read.

use std::collections::BTreeSet;

use iced::widget::{Column, container, scrollable, sensor};
use iced::{Center, Element, Fill};

use crate::i18n::Texts;
use crate::notice::Block;
use crate::trr;
use crate::ui::theme::{Sizes, Weight};
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

/// The notice. *Continue* can be pressed once the end was on screen.
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
) -> Page<'a> {
    let end = container(sizes.soft(trr!(texts, "notice-end")).align_x(Center)).id("notice-end").center_x(Fill);
    let end = sensor(end.padding([sizes.space * 1.5, 0.0])).key(digest).on_show(|_size| Message::EndShown);
    let explained = blocks.iter().map(|text| rights::explained(sizes, texts, text, words.plain, words.open).into());
    let text = Column::with_children(explained).spacing(sizes.space * 4.0).push(end);
    let padded = container(container(text).padding([sizes.space, 0.0]).max_width(1180)).center_x(Fill);
    let body = widget::scroll("page-notice", padded).height(Fill).on_scroll(|view| Message::Scrolled(is_at_end(&view)));

    let forward = end_shown.then_some(Message::ContinuePressed);
    let words = if end_shown { trr!(texts, "notice-continue") } else { trr!(texts, "notice-scroll") };
    let foot = parts::foot(
        sizes,
        [
            parts::button(sizes, "back", trr!(texts, "back"), Weight::Plain, Some(Message::BackPressed)),
            parts::button(sizes, "continue", words, Weight::Primary, forward),
        ],
    );
    Page { body: body.into(), foot: Some(foot) }
}

/// The public rules. The notice among them has the same explanations.
pub(super) fn rules<'a>(sizes: Sizes, texts: &'a Texts, blocks: &'a [Vec<Block>], words: Explained<'a>) -> Page<'a> {
    let is_notice = |text: &&Vec<Block>| {
        text.iter().filter(|block| matches!(block, Block::Heading(2, _))).count() + 1 == words.plain.len()
    };
    let parts = blocks.iter().map(|text| match Some(text).filter(is_notice) {
        Some(text) => rights::explained(sizes, texts, text, words.plain, words.open).into(),
        None => parts::legal(sizes, text).into(),
    });
    let content: Element<'a, Message> = if blocks.is_empty() {
        sizes.text(trr!(texts, "rules-none")).into()
    } else {
        Column::with_children(parts).spacing(sizes.space * 4.0).into()
    };
    let back = parts::button(sizes, "back", trr!(texts, "back"), Weight::Plain, Some(Message::BackPressed));
    parts::page(sizes, "page-rules", content, Some(parts::foot(sizes, [back])))
}

/// Whether the last line is in view, within two pixels.
fn is_at_end(view: &scrollable::Viewport) -> bool {
    view.absolute_offset_reversed().y <= 2.0
}
