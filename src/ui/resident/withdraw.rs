//! Withdrawing: the words, two equal buttons, and which gates have signed. Rules: P15a, P47b.

use iced::Fill;
use iced::widget::{Column, column};

use crate::app::event::GateLabel;
use crate::domain::time::Timestamp;
use crate::i18n::Texts;
use crate::notice::Page as Words;
use crate::trr;
use crate::ui::theme::{Sizes, Tone, Weight};
use crate::ui::widget::{self, Side};

use super::Message;
use super::parts::{self, Page};

/// The confirmation.
pub(super) fn confirm<'a>(sizes: Sizes, texts: &'a Texts, words: &'a Words, gates: &'a [GateLabel]) -> Page<'a> {
    let lines = words.lines.iter().map(|line| sizes.text(line.as_str()).width(Fill).into());
    let mut content = column![sizes.title(trr!(texts, "withdraw-title"))]
        .push(Column::with_children(lines).spacing(sizes.space))
        .spacing(sizes.space * 1.5);
    if !gates.is_empty() {
        let list = parts::gate_lines(sizes, Tone::Told, trr!(texts, "withdraw-holds"), gates);
        content = content.push(parts::panel(sizes, Tone::Plain, list));
    }
    // Below what is asked, and quieter: it must not keep anybody from withdrawing.
    let fewer = parts::button(sizes, "doors", trr!(texts, "doors-action"), Weight::Quiet, Some(Message::DoorsPressed));
    let content = content.push(fewer);
    let label = |at: usize, ours: String| words.buttons.get(at).cloned().unwrap_or(ours);
    let foot = widget::equal_pair(
        sizes,
        Side::new("withdraw-confirm", label(0, trr!(texts, "withdraw-confirm")), Some(Message::WithdrawConfirmed)),
        Side::new("back", label(1, trr!(texts, "back")), Some(Message::BackPressed)),
    );
    parts::middle(sizes, "page-withdraw", content, Some(foot))
}

/// What came of it.
pub(super) fn done<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    erased: &'a [GateLabel],
    pending: &[(&'a GateLabel, &'a Option<Timestamp>)],
    saved_to: Option<&'a str>,
) -> Page<'a> {
    let title = if pending.is_empty() { trr!(texts, "withdrawn-all") } else { trr!(texts, "withdrawn-part") };
    let mut list = Column::new().spacing(sizes.space);
    if !erased.is_empty() {
        list = list.push(parts::gate_lines(sizes, Tone::Well, trr!(texts, "withdrawn-gate-erased"), erased));
    }
    if !pending.is_empty() {
        for (gate, stops_at) in pending {
            let word = trr!(texts, "withdrawn-gate-pending");
            list = list.push(parts::gate_lines(sizes, Tone::Warn, word, [*gate]));
            let stops = match stops_at {
                Some(at) => trr!(texts, "withdrawn-stops-at", at = at.minute_text()),
                None => trr!(texts, "withdrawn-not-stopped"),
            };
            list = list.push(sizes.soft(stops));
        }
    }
    let mut content = column![sizes.title(title)].spacing(sizes.space);
    if !(erased.is_empty() && pending.is_empty()) {
        content = content.push(parts::panel(sizes, Tone::Plain, list));
    }
    if !pending.is_empty() {
        content = content.push(sizes.text(trr!(texts, "withdrawn-pending-text")));
    }
    let saved = saved_to.map(|path| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        parts::telling(sizes, "saved", Tone::Well, trr!(texts, "certificate-saved", name = name))
    });
    let content = content.push(saved).push(parts::card_works(sizes, texts));
    let save = parts::button(sizes, "save", trr!(texts, "certificate-save"), Weight::Plain, Some(Message::SavePressed));
    let back = parts::button(sizes, "back", trr!(texts, "finish"), Weight::Primary, Some(Message::BackPressed));
    parts::middle(sizes, "page-withdrawn", content, Some(parts::foot(sizes, [save, back])))
}
