//! What changed in the notice, old and new, and three answers of the same size (2.4); or one way out when it is told only. Rules: P14b, P17c.

use iced::Fill;
use iced::widget::{Column, column, row};

use crate::app::notice::ChangeAnswer;
use crate::i18n::Texts;
use crate::notice::{Block, Page as Words};
use crate::trr;
use crate::ui::theme::{Sizes, Tone, Weight};

use super::Message;
use super::parts::{self, Page};

/// The page.
pub(super) fn view<'a>(sizes: Sizes, texts: &'a Texts, blocks: &'a [Vec<Block>], words: &'a Words) -> Page<'a> {
    let sheet = Column::with_children(blocks.iter().map(|text| parts::legal(sizes, text).into()));
    let mut content = column![sheet].spacing(sizes.space * 1.5);
    if words.buttons.is_empty() {
        let seen = Message::ChangeAnswered(ChangeAnswer::Seen);
        let ok = parts::button(sizes, "change-seen", trr!(texts, "ok"), Weight::Plain, Some(seen));
        return parts::page(sizes, "page-change", content, Some(parts::foot(sizes, [ok])));
    }
    let lines = words.lines.iter().map(|line| sizes.text(line.as_str()).width(Fill).into());
    content = content
        .push(parts::panel(sizes, Tone::Plain, Column::with_children(lines).spacing(sizes.space)))
        .push(parts::card_works(sizes, texts));
    let answers = [
        ("change-no", ChangeAnswer::Refuse),
        ("change-yes", ChangeAnswer::Agree),
        ("change-withdraw", ChangeAnswer::Withdraw),
    ];
    // Three answers of one size and weight: none is nudged.
    // Three side by side: two lines of each label fit.
    let narrow = Sizes { body: sizes.body.min(30.0), ..sizes };
    let buttons = answers.into_iter().zip(&words.buttons).map(|((id, answer), label)| {
        parts::button(narrow, id, label.clone(), Weight::Plain, Some(Message::ChangeAnswered(answer)))
    });
    parts::page(sizes, "page-change", content, Some(row(buttons).spacing(sizes.space * 2.0).width(Fill).into()))
}
