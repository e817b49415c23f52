//! The manager leaves: what will happen, one act of two supervisors, how far the gates are, the papers.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::{Action, Pick, S, ask};
use crate::app::duties::{DutiesCommand, SiteEndCommand, SiteEndView};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Who takes over the registers.
    ReceiverTyped(String),
    /// Asks first.
    EndPressed,
    /// Do it; a second supervisor approves.
    EndConfirmed,
    /// Do not.
    EndDropped,
    /// Writes the papers.
    PapersPressed,
}

/// The form.
#[derive(Debug, Default)]
pub(super) struct Form {
    receiver: String,
    asking: bool,
    pub(super) asked: bool,
}

impl Form {
    pub(super) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::ReceiverTyped(text) => self.receiver = text,
            Message::EndPressed => self.asking = !self.receiver.trim().is_empty(),
            Message::EndDropped => self.asking = false,
            Message::EndConfirmed if self.asking => {
                self.asking = false;
                let receiver = self.receiver.clone();
                return ask(DutiesCommand::SiteEnd(SiteEndCommand::End { receiver }));
            }
            Message::EndConfirmed => {}
            Message::PapersPressed => return Action::PickDuty(Pick::SiteEnd),
        }
        Action::None
    }

    pub(super) fn view<'a>(
        &'a self,
        texts: &Texts,
        heard: Option<&'a Option<Box<SiteEndView>>>,
        acts: bool,
    ) -> Element<'a, Message> {
        let title = S.title(tr!(texts, "site-end-title"));
        let body: Element<'a, Message> = match heard {
            None => S.soft(tr!(texts, "starting")).into(),
            Some(Some(end)) => {
                let again = (end.successor && acts).then(|| self.before(texts));
                column![done(texts, end, acts)].push(again).spacing(S.space * 2.0).into()
            }
            Some(None) if acts => self.before(texts),
            Some(None) => S.soft(tr!(texts, "site-end-none")).into(),
        };
        column![title, body].spacing(S.space * 2.0).into()
    }

    fn before<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let lines = [
            tr!(texts, "site-end-1"),
            tr!(texts, "site-end-2"),
            tr!(texts, "site-end-3"),
            tr!(texts, "site-end-4"),
            tr!(texts, "site-end-5"),
        ];
        let lines = lines.into_iter().map(|line| S.text(line).into());
        let receiver = widget::Field::new("site-end-receiver", tr!(texts, "site-end-receiver"), &self.receiver)
            .hint(tr!(texts, "site-end-receiver-hint"))
            .view(S, Message::ReceiverTyped, Some(Message::EndPressed));
        let ready = !self.receiver.trim().is_empty();
        let act: Element<'a, Message> = if self.asking {
            let question = widget::telling(
                S,
                "site-end-question",
                Tone::Alarm,
                tr!(texts, "site-end-question"),
                Some(tr!(texts, "site-end-question-todo")),
            );
            let answers = row![
                widget::action(S, "site-end-no", tr!(texts, "site-end-no"), Weight::Plain, Some(Message::EndDropped)),
                widget::gap(),
                widget::action(
                    S,
                    "site-end-yes",
                    tr!(texts, "site-end-yes"),
                    Weight::Plain,
                    Some(Message::EndConfirmed)
                ),
            ];
            column![question, answers].spacing(S.space * 1.5).into()
        } else {
            let press = (ready && !self.asked).then_some(Message::EndPressed);
            row![widget::gap(), widget::action(S, "site-end-act", tr!(texts, "site-end-act"), Weight::Plain, press)]
                .into()
        };
        let content = column![S.heading(tr!(texts, "site-end-what"))]
            .extend(lines)
            .push(receiver)
            .push(act)
            .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }
}

fn done<'a>(texts: &Texts, end: &'a SiteEndView, acts: bool) -> Element<'a, Message> {
    let left: u32 = end.gates.iter().map(|gate| gate.left).sum();
    let (tone, said, todo) = if left == 0 {
        (Tone::Well, tr!(texts, "site-end-whole"), None)
    } else {
        (Tone::Alarm, tr!(texts, "site-end-left", count = left), Some(tr!(texts, "site-end-left-todo")))
    };
    let gates = end.gates.iter().enumerate().map(|(at, gate)| {
        let (tone, said) = match gate.stops_at {
            None if gate.left == 0 => (Tone::Well, tr!(texts, "site-end-gate-done", count = gate.erased)),
            None => (Tone::Alarm, tr!(texts, "site-end-gate-refuses", count = gate.left)),
            Some(stop) => {
                let (left, date) = (gate.left, stop.minute_text());
                (Tone::Alarm, tr!(texts, "site-end-gate-left", count = left, date = date))
            }
        };
        container(row![S.text(gate.name.as_str()), widget::gap(), widget::pill(S, tone, said)].align_y(Center))
            .id(format!("site-end-gate-{at}"))
            .into()
    });
    let fact = |label: String, value: String| widget::fact(S, label, S.text(value));
    let papers = match end.papers_at {
        Some(at) => tr!(texts, "site-end-papers-at", date = at.minute_text()),
        None => tr!(texts, "site-end-papers-never"),
    };
    let save = acts.then(|| {
        widget::action(
            S,
            "site-end-papers",
            tr!(texts, "site-end-papers"),
            Weight::Primary,
            Some(Message::PapersPressed),
        )
    });
    let successor = end.successor.then(|| {
        let todo = Some(tr!(texts, "site-end-successor-todo"));
        widget::telling(S, "site-end-successor", Tone::Told, tr!(texts, "site-end-successor"), todo)
    });
    let by = format!("{} · {}", end.by.0, end.by.1);
    let content = column![
        widget::telling(S, "site-end-state", tone, said, todo),
        fact(tr!(texts, "site-end-leaves"), end.processor.clone()),
        fact(tr!(texts, "site-end-at"), end.ended_at.minute_text()),
        fact(tr!(texts, "site-end-by"), by),
        fact(tr!(texts, "site-end-receiver"), end.receiver.clone()),
        fact(tr!(texts, "site-end-people"), tr!(texts, "site-end-certified", count = end.people, done = end.certified)),
        column(gates).spacing(S.space),
        row![container(S.soft(papers)).width(Fill)].push(save).spacing(S.space).align_y(Center),
        S.hint(tr!(texts, "site-end-papers-why")),
    ]
    .push(successor)
    .spacing(S.space * 1.5);
    widget::panel(S, Tone::Plain, content).into()
}
