//! "My information and rights": what may be asked, everything held, and what came of a request. Rules: P44–P46, P50.

use std::path::PathBuf;

use iced::widget::{Column, Row, canvas, column, container, row};
use iced::{Center, Element, Fill};

use crate::app::command::ResidentCommand;
use crate::app::event::GateLabel;
use crate::app::rights::{ChangeView, MineView, OwnFaceAct, RightsAct, RightsScene};
use crate::app::shown_again::ShownAct;
use crate::domain::notice::Language;
use crate::domain::rights::RequestKind;
use crate::domain::time::CivilDate;
use crate::i18n::Texts;
use crate::notice::{Block, blocks};
use crate::secret::Typed;
use crate::trr;
use crate::ui::theme::{Sizes, Tone, Weight};
use crate::ui::widget::{self, Side};
use crate::ui::{explain, words_rights as words};

use super::drawing::CardOnReader;
use super::notice::Explained;
use super::own_face::{self, Phrase};
use super::parts::{self, Page};
use super::shown::{self, OwnShown};
use super::{Action, Message as Window};

/// What happens on these pages.
#[derive(Clone, Debug)]
pub enum Message {
    /// "My information and rights."
    MinePressed,
    /// Everything held.
    SeeAllPressed,
    /// "Save as PDF", or the electronic copy.
    SavePressed(Pick),
    /// Where to; `None` when the dialog was left.
    PathPicked(Pick, Option<PathBuf>),
    /// The corrections are right.
    ConfirmPressed,
    /// Asks for something that staff do.
    AskPressed(RequestKind),
    /// Wants to refuse any processing of a face.
    RefusePressed,
    /// Confirms it.
    RefuseConfirmed,
    /// Lifts it.
    AllowPressed,
    /// To the withdrawal.
    WithdrawPressed,
    /// "A copy of my face template."
    CopyPressed,
    /// A field of the pass-phrase; `true` for the second.
    PhraseTyped(bool, Typed),
    /// "It does not know me well."
    RedoPressed,
    /// Erase the old one everywhere.
    RedoConfirmed,
    /// Every gate has erased: make a new one.
    RedoBegun,
    /// Back to what may be asked.
    ListPressed,
    /// "What does this mean?" of one section of the notice.
    ExplainPressed(u8),
    /// What was on the own screen, again.
    Shown(OwnShown),
}

/// What is to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Everything held, as a PDF.
    Paper,
    /// The electronic copy.
    Copy,
    /// A copy of the own template.
    Template,
    /// A text that was shown, with its proof.
    Shown,
}

impl Pick {
    /// The name that the dialog offers, and its ending.
    pub fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Paper => ("menka-my-information.pdf", "pdf"),
            Self::Copy => ("menka-my-information.json", "json"),
            Self::Template => ("menka-my-face.menka", "menka"),
            Self::Shown => ("menka-shown.json", "json"),
        }
    }
}

/// What a message leads to; [`Message::ExplainPressed`] is the notice page's own affair.
pub(super) fn act(message: Message) -> Action {
    let ask = |act| Action::Ask(ResidentCommand::Rights(act));
    match message {
        Message::MinePressed => ask(RightsAct::AskMine),
        Message::SeeAllPressed => ask(RightsAct::SeeAll),
        Message::SavePressed(pick) => Action::PickRightsPath(pick),
        Message::PathPicked(Pick::Paper, Some(path)) => ask(RightsAct::SavePaper(path)),
        Message::PathPicked(Pick::Copy, Some(path)) => ask(RightsAct::SaveCopy(path)),
        Message::CopyPressed => ask(RightsAct::OwnFace(OwnFaceAct::AskCopy)),
        Message::RedoPressed => ask(RightsAct::OwnFace(OwnFaceAct::AskRedo)),
        Message::RedoConfirmed => ask(RightsAct::OwnFace(OwnFaceAct::ConfirmRedo)),
        Message::RedoBegun => ask(RightsAct::OwnFace(OwnFaceAct::BeginRedo)),
        // The window holds what was typed: [`super::own_face::Phrase`].
        Message::PhraseTyped(..) | Message::PathPicked(Pick::Template, Some(_)) => Action::None,
        Message::PathPicked(Pick::Shown, Some(path)) => ask(RightsAct::Shown(ShownAct::Save(path))),
        Message::PathPicked(_, None) => Action::None,
        Message::ConfirmPressed => ask(RightsAct::ConfirmChanges),
        Message::AskPressed(kind) => ask(RightsAct::Ask(kind)),
        Message::RefusePressed => ask(RightsAct::RefuseFace),
        Message::RefuseConfirmed => ask(RightsAct::ConfirmRefuseFace),
        Message::AllowPressed => ask(RightsAct::AllowFace),
        Message::WithdrawPressed => ask(RightsAct::Withdraw),
        Message::ListPressed => ask(RightsAct::Mine),
        Message::ExplainPressed(section) => ask(RightsAct::Explain(section)),
        Message::Shown(shown) => ask(shown.act()),
    }
}

/// The legal text of a scene, read once.
pub(super) fn texts_of(scene: &RightsScene) -> Vec<Vec<Block>> {
    match scene {
        RightsScene::All { text, .. } => vec![blocks(&text.0.markdown)],
        RightsScene::Shown(shown) => shown::texts_of(shown),
        RightsScene::Tap { .. }
        | RightsScene::Mine(_)
        | RightsScene::Asked { .. }
        | RightsScene::OwnFace(_)
        | RightsScene::RefuseFace { .. } => vec![],
    }
}

/// The masked name in the frame.
pub(super) fn masked_name(scene: &RightsScene) -> Option<&str> {
    match scene {
        RightsScene::Mine(mine) => Some(mine.masked_name.as_str()),
        _ => None,
    }
}

/// Draws a scene.
pub(super) fn view<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    scene: &'a RightsScene,
    blocks: &'a [Vec<Block>],
    phrase: &'a Phrase,
) -> Page<'a> {
    match scene {
        RightsScene::Tap { failure } => {
            let trouble = failure.as_ref().map(|failure| {
                let said = explain::for_resident(texts, failure);
                container(parts::telling(sizes, "tap-trouble", Tone::Warn, said)).max_width(760)
            });
            let picture = canvas(CardOnReader).width(420).height(190);
            let content = column![
                sizes.title(trr!(texts, "tap-title")).align_x(Center),
                sizes.soft(trr!(texts, "tap-mine")).align_x(Center),
                container(picture).id("tap-picture"),
            ]
            .push(trouble);
            let back = parts::button(sizes, "back", trr!(texts, "back"), Weight::Plain, Some(Window::BackPressed));
            parts::calm(sizes, "page-tap-mine", content, Some(parts::foot(sizes, [back])))
        }
        RightsScene::Mine(mine) => self::mine(sizes, texts, mine),
        RightsScene::All { saved_to, .. } => all(sizes, texts, blocks, saved_to.as_deref()),
        RightsScene::Asked { number, kind, due_on } => asked(sizes, texts, number, *kind, *due_on),
        RightsScene::OwnFace(scene) => own_face::view(sizes, texts, scene, phrase),
        RightsScene::RefuseFace { gates } => refuse_face(sizes, texts, gates),
        RightsScene::Shown(scene) => shown::view(sizes, texts, scene, blocks),
    }
}

fn mine<'a>(sizes: Sizes, texts: &'a Texts, mine: &'a MineView) -> Page<'a> {
    let say = |message: Message| Some(Window::Rights(message));
    let mut choices: Vec<(&'static str, String, Message)> = vec![
        ("mine-see", trr!(texts, "mine-see"), Message::SeeAllPressed),
        ("mine-shown", trr!(texts, "mine-shown"), Message::Shown(OwnShown::List)),
        ("mine-correct", trr!(texts, "mine-correct"), Message::AskPressed(RequestKind::Correct)),
    ];
    if mine.has_face && !mine.redo {
        choices.push(("mine-redo", trr!(texts, "mine-redo"), Message::RedoPressed));
        choices.push(("mine-template", trr!(texts, "mine-template"), Message::CopyPressed));
    }
    if mine.redo {
        choices.push(("mine-redo", trr!(texts, "mine-redo-on"), Message::RedoPressed));
    }
    if mine.has_face {
        choices.push(("mine-pause", trr!(texts, "mine-pause"), Message::AskPressed(RequestKind::Pause)));
        choices.push(("mine-withdraw", trr!(texts, "mine-withdraw"), Message::WithdrawPressed));
    }
    choices.push(if mine.restricted {
        ("mine-allow", trr!(texts, "mine-allow"), Message::AllowPressed)
    } else {
        ("mine-refuse", trr!(texts, "mine-refuse"), Message::RefusePressed)
    });
    choices.push(("mine-explain", trr!(texts, "mine-explain"), Message::AskPressed(RequestKind::Explain)));
    choices.push(("mine-complaint", trr!(texts, "mine-complaint"), Message::AskPressed(RequestKind::Complaint)));
    choices.push(("mine-close", trr!(texts, "mine-close"), Message::AskPressed(RequestKind::Close)));

    let narrow = Sizes { body: sizes.body.min(34.0), button: sizes.button.min(84.0), ..sizes };
    let mut buttons = choices
        .into_iter()
        .map(|(id, label, message)| parts::button(narrow, id, label, Weight::Plain, say(message)))
        .collect::<Vec<_>>()
        .into_iter();
    // Two columns do not hold large letters.
    let across = if sizes.body > Sizes::RESIDENT.body * 1.2 { 1 } else { 2 };
    let mut list = Column::new().spacing(sizes.space);
    loop {
        let line: Vec<Element<'a, Window>> = buttons.by_ref().take(across).collect();
        if line.is_empty() {
            break;
        }
        let short = across - line.len();
        let fill = (0..short).map(|_| container("").width(Fill).into());
        list = list.push(Row::with_children(line.into_iter().chain(fill)).spacing(sizes.space));
    }
    let head = column![sizes.title(trr!(texts, "mine-title")), sizes.soft(trr!(texts, "mine-text"))];
    let content = column![head.spacing(sizes.space * 0.5)]
        .push((!mine.changes.is_empty()).then(|| changes(sizes, texts, &mine.changes)))
        .push((!mine.waiting.is_empty()).then(|| waiting(sizes, texts, &mine.waiting)))
        .push(list)
        .spacing(sizes.space * 1.25);
    let back = parts::button(sizes, "back", trr!(texts, "finish"), Weight::Primary, Some(Window::BackPressed));
    parts::page(sizes, "page-mine", content, Some(parts::foot(sizes, [back])))
}

/// What the desk corrected, and the person's word on it.
fn changes<'a>(sizes: Sizes, texts: &'a Texts, changes: &'a [ChangeView]) -> Element<'a, Window> {
    let lines = changes.iter().map(|change| {
        let value = |text: &str| words::value_for_resident(texts, change.field, text);
        let what = words::field_for_resident(texts, change.field);
        let said = trr!(texts, "mine-change", what = what, old = value(&change.old), new = value(&change.new));
        sizes.text(said).into()
    });
    let say = |message| Some(Window::Rights(message));
    let answer = widget::equal_pair(
        sizes,
        Side::new("change-right", trr!(texts, "mine-change-right"), say(Message::ConfirmPressed)),
        Side::new("change-wrong", trr!(texts, "mine-change-wrong"), say(Message::AskPressed(RequestKind::Correct))),
    );
    let content = column![sizes.text(trr!(texts, "mine-changes")), Column::with_children(lines), answer];
    parts::panel(sizes, Tone::Told, content.spacing(sizes.space)).into()
}

fn waiting<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    requests: &'a [(String, RequestKind, CivilDate)],
) -> Element<'a, Window> {
    let lines = requests.iter().map(|(number, kind, due_on)| {
        let what = words::kind_for_resident(texts, *kind);
        let said = trr!(texts, "mine-waiting", number = number.as_str(), what = what, date = date(texts, *due_on));
        sizes.text(said).into()
    });
    container(parts::panel(sizes, Tone::Plain, Column::with_children(lines).spacing(sizes.space * 0.5)))
        .id("mine-waiting")
        .into()
}

fn all<'a>(sizes: Sizes, texts: &'a Texts, blocks: &'a [Vec<Block>], saved_to: Option<&'a str>) -> Page<'a> {
    let saved = saved_to.map(|path| {
        // The folder is nobody's business on this screen.
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        parts::telling(sizes, "saved", Tone::Well, trr!(texts, "mine-saved", name = name))
    });
    let text = Column::with_children(blocks.iter().map(|text| parts::legal(sizes, text).into()));
    let content = column![].push(saved).push(text).spacing(sizes.space);
    let say = |message| Some(Window::Rights(message));
    let foot = parts::foot(
        sizes,
        [
            parts::button(sizes, "mine-list", trr!(texts, "back"), Weight::Plain, say(Message::ListPressed)),
            parts::button(
                sizes,
                "save-paper",
                trr!(texts, "mine-save-paper"),
                Weight::Plain,
                say(Message::SavePressed(Pick::Paper)),
            ),
            parts::button(
                sizes,
                "save-copy",
                trr!(texts, "mine-save-copy"),
                Weight::Plain,
                say(Message::SavePressed(Pick::Copy)),
            ),
        ],
    );
    parts::page(sizes, "page-all", content, Some(foot))
}

fn asked<'a>(sizes: Sizes, texts: &'a Texts, number: &'a str, kind: RequestKind, due_on: CivilDate) -> Page<'a> {
    let what = words::kind_for_resident(texts, kind);
    let content = column![
        sizes.title(trr!(texts, "asked-title", number = number)).align_x(Center),
        parts::large(sizes, what).width(Fill),
        sizes.text(trr!(texts, "asked-text", date = date(texts, due_on))).align_x(Center),
        parts::card_works(sizes, texts),
    ];
    let say = |message| Some(Window::Rights(message));
    let foot = parts::foot(
        sizes,
        [
            parts::button(sizes, "mine-list", trr!(texts, "asked-more"), Weight::Plain, say(Message::ListPressed)),
            parts::button(sizes, "back", trr!(texts, "finish"), Weight::Primary, Some(Window::BackPressed)),
        ],
    );
    parts::calm(sizes, "page-asked", content, Some(foot))
}

fn refuse_face<'a>(sizes: Sizes, texts: &'a Texts, gates: &'a [GateLabel]) -> Page<'a> {
    let mut content = column![
        sizes.title(trr!(texts, "refuse-title")),
        sizes.text(trr!(texts, "refuse-text")),
        sizes.text(trr!(texts, "refuse-again")),
    ]
    .spacing(sizes.space * 1.5);
    if !gates.is_empty() {
        let list = parts::gate_lines(sizes, Tone::Told, trr!(texts, "refuse-erased"), gates);
        content = content.push(parts::panel(sizes, Tone::Plain, list));
    }
    let foot = widget::equal_pair(
        sizes,
        Side::new("refuse-confirm", trr!(texts, "refuse-confirm"), Some(Window::Rights(Message::RefuseConfirmed))),
        Side::new("mine-list", trr!(texts, "back"), Some(Window::Rights(Message::ListPressed))),
    );
    parts::middle(sizes, "page-refuse-face", content, Some(foot))
}

/// One section of the notice, beginning with its heading, with "What does this mean?" beside it. Rule P48.
pub(super) fn explained<'a>(
    sizes: Sizes,
    texts: &'a Texts,
    section: &'a [Block],
    number: u8,
    words: Explained<'a>,
) -> Column<'a, Window> {
    let (head, body) = section.split_at(section.len().min(1));
    let plain = words.plain.get(usize::from(number));
    let small = Sizes { button: 44.0, space: 8.0, body: sizes.body.min(24.0), ..sizes };
    let is_open = words.open.contains(&number);
    let label = if is_open { trr!(texts, "explain-close") } else { trr!(texts, "explain-open") };
    let button = plain.map(|_| {
        let message = Window::Rights(Message::ExplainPressed(number));
        widget::action(small, format!("explain-{number}"), label, Weight::Quiet, Some(message))
    });
    let heading = container(parts::legal(sizes, head)).width(Fill);
    let mut page = column![row![heading].push(button).spacing(sizes.space).align_y(iced::Bottom)].spacing(sizes.space);
    if let Some(plain) = plain.filter(|_| is_open) {
        let panel = parts::panel(sizes, Tone::Told, parts::legal(sizes, plain));
        page = page.push(container(panel).id(format!("explained-{number}")));
    }
    page.push(parts::legal(sizes, body))
}

fn date(texts: &Texts, day: CivilDate) -> String {
    match texts.language() {
        Language::Chinese => day.chinese(),
        Language::English => day.to_string(),
    }
}
