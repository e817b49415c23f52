//! The ends: done with a receipt, refused, stopped. Each says that the card works, and has one way out.

use iced::widget::{Column, column, container};
use iced::{Center, Element, Fill};

use crate::app::event::{Failure, ReceiptView};
use crate::domain::notice::Language;
use crate::i18n::Texts;
use crate::notice::{Block, Page as Words};
use crate::trr;
use crate::ui::explain;
use crate::ui::theme::{Sizes, Tone, Weight};

use super::Message;
use super::parts::{self, Page};

/// The receipt.
pub(super) fn done<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    recognised: bool,
    receipt: &'a ReceiptView,
    blocks: &'a [Vec<Block>],
    saved_to: Option<&'a str>,
) -> Page<'a> {
    let date = match texts.language() {
        Language::Chinese => receipt.ends_on.chinese(),
        Language::English => receipt.ends_on.to_string(),
    };
    let title = if recognised { trr!(texts, "done-recognised") } else { trr!(texts, "done-stored") };
    let mut gates = Column::new().spacing(sizes.space * 0.75);
    if !receipt.gates.is_empty() {
        gates = gates.push(parts::gate_lines(sizes, Tone::Well, trr!(texts, "done-gate-holds"), &receipt.gates));
    }
    if !receipt.away.is_empty() {
        gates = gates.push(parts::gate_lines(sizes, Tone::Warn, trr!(texts, "done-gate-away"), &receipt.away));
    }
    let saved = saved_to.map(|path| {
        // The folder is nobody's business on this screen.
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        parts::telling(sizes, "saved", Tone::Well, trr!(texts, "done-saved", name = name))
    });
    let content = column![
        sizes.title(title),
        sizes.soft(trr!(texts, "done-text", date = date)),
        parts::panel(sizes, Tone::Plain, gates),
    ]
    .push(saved)
    .push(parts::panel(sizes, Tone::Plain, legal(sizes, blocks)))
    .push(parts::card_works(sizes, texts))
    .spacing(sizes.space * 1.25);
    let foot = parts::foot(
        sizes,
        [
            parts::button(sizes, "save", trr!(texts, "done-save"), Weight::Plain, Some(Message::SavePressed)),
            parts::button(sizes, "finish", trr!(texts, "finish"), Weight::Primary, Some(Message::FinishPressed)),
        ],
    );
    parts::page(sizes, "page-done", content, Some(foot))
}

fn legal<'a>(sizes: Sizes, blocks: &'a [Vec<Block>]) -> Element<'a, Message> {
    Column::with_children(blocks.iter().map(|text| parts::legal(sizes, text).into())).into()
}

/// The refusal is noted: nothing more is asked.
pub(super) fn refused<'a>(sizes: Sizes, texts: &'a Texts, words: &'a Words) -> Page<'a> {
    let lines = words.lines.iter().map(|line| parts::large(sizes, line.as_str()).width(Fill).into());
    let content = Column::with_children(lines);
    let back = parts::button(sizes, "back", trr!(texts, "ok"), Weight::Primary, Some(Message::BackPressed));
    parts::calm(sizes, "page-refused", content, Some(parts::foot(sizes, [back])))
}

/// Stopped or failed: nothing is held, the card works.
pub(super) fn ended<'a>(sizes: Sizes, texts: &'a Texts, failure: Option<&Failure>, may_retry: bool) -> Page<'a> {
    let title = if failure.is_some() { trr!(texts, "ended-title") } else { trr!(texts, "stopped-title") };
    let what = failure.map(|failure| {
        container(parts::telling(sizes, "ended-why", Tone::Told, explain::for_resident(texts, failure))).max_width(900)
    });
    let content = column![sizes.title(title).align_x(Center)]
        .push(what)
        .push(failure.is_none().then(|| sizes.text(trr!(texts, "ended-nothing-held")).align_x(Center)))
        .push(parts::card_works(sizes, texts));
    let mut buttons =
        vec![parts::button(sizes, "back", trr!(texts, "finish"), Weight::Plain, Some(Message::BackPressed))];
    if may_retry {
        buttons.push(parts::button(sizes, "retry", trr!(texts, "retry"), Weight::Plain, Some(Message::RetryPressed)));
    }
    parts::calm(sizes, "page-ended", content, Some(parts::foot(sizes, buttons)))
}
