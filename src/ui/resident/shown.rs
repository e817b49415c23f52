//! "What I was shown": the list of the own texts, and each of them again, byte for byte. Rules: P17d, P69.

use iced::Fill;
use iced::widget::{Column, column, row};

use crate::app::rights::RightsAct;
use crate::app::shown_again::{ShownAct, ShownScene};
use crate::domain::notice::Language;
use crate::i18n::Texts;
use crate::notice::{Block, blocks};
use crate::trr;
use crate::ui::theme::{Sizes, Tone, Weight};

use super::Message as Window;
use super::parts::{self, Page};
use super::rights::{Message, Pick};

/// The legal text of a scene, read once.
pub(super) fn texts_of(scene: &ShownScene) -> Vec<Vec<Block>> {
    match scene {
        ShownScene::Again { shown, .. } => vec![blocks(&shown.text.markdown)],
        ShownScene::List(_) | ShownScene::Broken { .. } => vec![],
    }
}

/// Draws a scene.
pub(super) fn view<'a>(sizes: Sizes, texts: &'a Texts, scene: &'a ShownScene, blocks: &'a [Vec<Block>]) -> Page<'a> {
    let say = |message| Some(Window::Rights(message));
    let list = |message| parts::button(sizes, "shown-list", trr!(texts, "back"), Weight::Plain, say(message));
    match scene {
        ShownScene::List(rows) => {
            let none = rows.is_empty().then(|| sizes.text(trr!(texts, "own-shown-none")));
            let rows = rows.iter().enumerate().map(|(at, shown)| {
                let language = match shown.language {
                    Language::Chinese => "中文",
                    Language::English => "English",
                };
                let read =
                    if shown.read_to_end { trr!(texts, "own-shown-read") } else { trr!(texts, "own-shown-not-read") };
                let button = Sizes { body: sizes.body.min(34.0), ..sizes };
                let what = column![
                    sizes.text(shown.opened_at.minute_text()),
                    sizes.soft(format!("{} · {language} · {read}", shown.notice)),
                ];
                let again = crate::ui::widget::action(
                    button,
                    format!("shown-{at}"),
                    trr!(texts, "own-shown-again"),
                    Weight::Plain,
                    say(Message::Shown(OwnShown::Again(shown.showing))),
                );
                // In large letters the button stands below the words.
                if sizes.body > Sizes::RESIDENT.body * 1.2 {
                    parts::panel(sizes, Tone::Plain, column![what, again].spacing(sizes.space)).into()
                } else {
                    let line = row![what.width(Fill), again].spacing(sizes.space).align_y(iced::Center);
                    parts::panel(sizes, Tone::Plain, line).into()
                }
            });
            let head = column![sizes.title(trr!(texts, "own-shown-title")), sizes.soft(trr!(texts, "own-shown-text"))];
            let content = column![head.spacing(sizes.space * 0.5)]
                .push(none)
                .push(Column::with_children(rows).spacing(sizes.space))
                .spacing(sizes.space * 1.25);
            parts::page(sizes, "page-shown", content, Some(parts::foot(sizes, [list(Message::ListPressed)])))
        }
        ShownScene::Again { shown, saved_to } => {
            let saved = saved_to.as_deref().map(|path| {
                // The folder is nobody's business on this screen.
                let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
                parts::telling(sizes, "saved", Tone::Well, trr!(texts, "own-shown-saved", name = name))
            });
            let digest: String = shown.text.reference.sha256.iter().map(|b| format!("{b:02x}")).collect();
            let said = trr!(texts, "own-shown-exact", date = shown.opened_at.minute_text());
            let consent =
                if shown.consented { trr!(texts, "own-shown-agreed") } else { trr!(texts, "own-shown-not-agreed") };
            let facts = column![
                sizes.text(said),
                sizes.soft(consent),
                sizes.soft(trr!(texts, "own-shown-code", code = digest))
            ];
            let text = Column::with_children(blocks.iter().map(|text| parts::legal(sizes, text).into()));
            let content = column![]
                .push(saved)
                .push(parts::panel(sizes, Tone::Told, facts.spacing(sizes.space * 0.5)))
                .push(text)
                .spacing(sizes.space);
            let save = parts::button(
                sizes,
                "shown-save",
                trr!(texts, "own-shown-save"),
                Weight::Plain,
                say(Message::SavePressed(Pick::Shown)),
            );
            let back = list(Message::Shown(OwnShown::List));
            parts::page(sizes, "page-shown-again", content, Some(parts::foot(sizes, [back, save])))
        }
        ShownScene::Broken { zh, en } => {
            let step = if texts.language() == Language::Chinese { *zh } else { *en };
            let content = column![
                sizes.title(trr!(texts, "own-shown-broken")),
                parts::telling(sizes, "shown-broken", Tone::Alarm, trr!(texts, "own-shown-broken-step", step = step)),
                sizes.text(trr!(texts, "own-shown-broken-todo")),
            ];
            let back = list(Message::Shown(OwnShown::List));
            parts::calm(sizes, "page-shown-broken", content, Some(parts::foot(sizes, [back])))
        }
    }
}

/// What is pressed here; [`ShownAct`] without the path, which the dialog gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnShown {
    /// The list.
    List,
    /// One of them.
    Again(crate::domain::id::ShowingId),
}

impl OwnShown {
    /// The act that it asks for.
    pub(super) fn act(self) -> RightsAct {
        RightsAct::Shown(match self {
            Self::List => ShownAct::List,
            Self::Again(showing) => ShownAct::Again(showing),
        })
    }
}
