//! What was shown to the person whose record is open: which texts, and each of them again, exactly as it was.

use std::path::PathBuf;
use std::sync::Arc;

use iced::widget::text::Span as Piece;
use iced::widget::{Column, column, container, rich_text, row, span};
use iced::{Center, Element, Fill, Font};

use super::{Action, Pick, Route, S};
use crate::app::command::StaffCommand;
use crate::app::evidence::{EvidenceCommand, EvidenceEvent, ShownText, ShownView};
use crate::domain::id::ShowingId;
use crate::domain::notice::Language;
use crate::i18n::Texts;
use crate::notice::{Block, Span, blocks};
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::widget;

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Back to the record.
    BackPressed,
    /// Shows one again.
    ShowPressed(ShowingId),
    /// Writes the one that is shown into a file.
    SavePressed,
}

/// The page.
#[derive(Debug, Default)]
pub struct Shown {
    rows: Option<Vec<ShownView>>,
    again: Option<(Box<ShownText>, Arc<Vec<Block>>)>,
    broken: Option<(&'static str, &'static str)>,
    saved: Option<String>,
}

impl Shown {
    /// Takes in what the desk says.
    pub fn hear(&mut self, event: &EvidenceEvent) {
        match event {
            EvidenceEvent::Shown(rows) => self.rows = Some(rows.clone()),
            EvidenceEvent::ShownAgain(text) => {
                let drawn = Arc::new(blocks(&text.text.markdown));
                (self.again, self.broken, self.saved) = (Some((text.clone(), drawn)), None, None);
            }
            EvidenceEvent::NotAsShown { zh, en } => (self.again, self.broken) = (None, Some((*zh, *en))),
            EvidenceEvent::ReplaySaved(path) => self.saved = Some(path.clone()),
            EvidenceEvent::Chain(_)
            | EvidenceEvent::HeadDue(_)
            | EvidenceEvent::Checked(_)
            | EvidenceEvent::HeadSaved { .. }
            | EvidenceEvent::HeadChecked(_)
            | EvidenceEvent::Exported { .. } => {}
        }
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::BackPressed => Action::Go(Route::Record),
            Message::ShowPressed(showing) => Action::Ask(StaffCommand::Evidence(EvidenceCommand::ShowAgain(showing))),
            Message::SavePressed if self.again.is_some() => Action::Pick(Pick::Replay),
            Message::SavePressed => Action::None,
        }
    }

    /// A file was chosen.
    pub fn picked(&mut self, path: PathBuf) -> Action {
        match &self.again {
            Some((text, _)) => Action::Ask(StaffCommand::Evidence(EvidenceCommand::SaveReplay(text.showing, path))),
            None => Action::None,
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let head = row![
            container(S.title(tr!(texts, "shown-title"))).width(Fill),
            widget::action(S, "shown-back", tr!(texts, "shown-back"), Weight::Plain, Some(Message::BackPressed)),
        ]
        .align_y(Center);
        let broken = self.broken.map(|(zh, en)| {
            let step = if texts.language() == Language::Chinese { zh } else { en };
            let said = tr!(texts, "shown-broken", step = step);
            widget::telling(S, "shown-broken", Tone::Alarm, said, Some(tr!(texts, "shown-broken-todo")))
        });
        let content = column![head, self.list(texts)]
            .push(broken)
            .push(self.again.as_ref().map(|(text, drawn)| self.again(texts, text, drawn)))
            .spacing(S.space * 2.0);
        widget::scroll("shown-scroll", content).height(Fill).into()
    }

    fn list<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let Some(rows) = &self.rows else { return S.soft(tr!(texts, "starting")).into() };
        let lines = rows.iter().enumerate().map(|(at, shown)| {
            let language = match shown.language {
                Language::Chinese => "中文",
                Language::English => "English",
            };
            let (tone, read) = if shown.read_to_end {
                (Tone::Well, tr!(texts, "shown-read"))
            } else {
                (Tone::Warn, tr!(texts, "shown-not-read"))
            };
            row![
                S.text(shown.opened_at.minute_text()),
                S.soft(format!("{} · {language}", shown.notice)),
                widget::pill(S, tone, read),
                widget::gap(),
                widget::action(
                    S,
                    format!("shown-row-{at}"),
                    tr!(texts, "shown-again"),
                    Weight::Plain,
                    Some(Message::ShowPressed(shown.showing)),
                ),
            ]
            .spacing(S.space * 1.5)
            .align_y(Center)
            .into()
        });
        let none = rows.is_empty().then(|| S.text(tr!(texts, "shown-none")));
        widget::panel(S, Tone::Plain, column![].push(none).extend(lines).spacing(S.space)).into()
    }

    fn again<'a>(&'a self, texts: &Texts, shown: &'a ShownText, drawn: &'a [Block]) -> Element<'a, Message> {
        let digest: String = shown.text.reference.sha256.iter().map(|b| format!("{b:02x}")).collect();
        let consent = if shown.consented { tr!(texts, "shown-consented") } else { tr!(texts, "shown-no-consent") };
        let saved = self.saved.as_ref().map(|path| S.hint(tr!(texts, "shown-saved", path = path.as_str())));
        let head = row![
            column![
                S.heading(tr!(texts, "shown-exact", date = shown.opened_at.minute_text())),
                S.hint(format!("SHA-256 {digest}")),
                S.soft(consent),
            ]
            .spacing(S.space * 0.5)
            .width(Fill),
            widget::action(S, "shown-save", tr!(texts, "shown-save"), Weight::Plain, Some(Message::SavePressed)),
        ]
        .spacing(S.space)
        .align_y(Center);
        let content = column![head].push(saved).push(legal(drawn)).spacing(S.space * 2.0);
        widget::panel(S, Tone::Plain, content).into()
    }
}

/// A legal text as blocks, in the letters of this window.
fn legal<'a>(drawn: &'a [Block]) -> Column<'a, Message> {
    let mut column = Column::new().spacing(S.space);
    for block in drawn {
        column = column.push(match block {
            Block::Heading(1, words) => rich(S.title, words, true),
            Block::Heading(_, words) => rich(S.section, words, true),
            Block::Paragraph(words) => rich(S.body, words, false),
            Block::Summary(lines) => {
                let lines = lines.iter().map(|line| rich(S.body, line, false));
                widget::panel(S, Tone::Told, Column::with_children(lines).spacing(S.space * 0.5)).into()
            }
            Block::Table(head, rows) => {
                let all = std::iter::once(head).chain(rows);
                let lines = all.enumerate().map(|(at, cells)| {
                    let cells = cells.iter().map(|cell| container(rich(S.small, cell, at == 0)).width(Fill).into());
                    row(cells).spacing(S.space).into()
                });
                Column::with_children(lines).spacing(S.space * 0.5).into()
            }
        });
    }
    column
}

fn rich<'a>(size: f32, words: &'a [Span], bold: bool) -> Element<'a, Message> {
    let pieces: Vec<Piece<'a, (), Font>> = words
        .iter()
        .map(|part| span(part.text.as_str()).font(if bold || part.bold { theme::BOLD } else { theme::REGULAR }))
        .collect();
    rich_text(pieces).size(size).line_height(theme::LINE).color(theme::INK).width(Fill).into()
}
