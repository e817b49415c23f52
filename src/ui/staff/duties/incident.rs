//! Incidents: what happened, the clock, how many people, and the letters. No name is on this page.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::{Action, Pick, S, ask};
use crate::app::duties::{ANSWERS, DutiesCommand, IncidentCommand, IncidentTyped, IncidentView};
use crate::domain::gate::GateStatus;
use crate::domain::id::GateId;
use crate::domain::incident::{Answer, Channel, DataKind};
use crate::domain::role::Role;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Opens or leaves the form.
    FormPressed,
    /// When it happened.
    WhenTyped(String),
    /// One of the five answers.
    AnswerTyped(usize, String),
    /// A kind of information.
    KindTicked(DataKind, bool),
    /// A gate.
    GateTicked(GateId, bool),
    /// A larger incident.
    LargerTicked(bool),
    /// Enters it: all faces stop.
    EnterPressed,
    /// Writes the letters.
    LettersPressed(i64),
    /// Everybody was told, in this way.
    ToldPressed(i64, Channel),
    /// Whom it was reported to.
    ToTyped(String),
    /// It was reported.
    ReportedPressed(i64),
}

/// The form.
#[derive(Debug, Default)]
pub(super) struct Form {
    open: bool,
    typed: IncidentTyped,
    to: String,
    pub(super) asked: bool,
}

impl Form {
    pub(super) fn update(&mut self, message: Message) -> Action {
        let command = |command| ask(DutiesCommand::Incident(command));
        match message {
            Message::FormPressed => self.open = !self.open,
            Message::WhenTyped(text) => self.typed.happened_at = text,
            Message::AnswerTyped(at, text) => {
                if let Some(answer) = self.typed.answers.get_mut(at) {
                    *answer = text;
                }
            }
            Message::KindTicked(kind, on) => tick(&mut self.typed.kinds, kind, on),
            Message::GateTicked(gate, on) => tick(&mut self.typed.gates, gate, on),
            Message::LargerTicked(on) => self.typed.larger = on,
            Message::EnterPressed => {
                self.asked = true;
                return command(IncidentCommand::Enter(Box::new(self.typed.clone())));
            }
            Message::LettersPressed(number) => return Action::PickDuty(Pick::Letters(number)),
            Message::ToldPressed(number, how) => return command(IncidentCommand::Told { number, how }),
            Message::ToTyped(text) => self.to = text,
            Message::ReportedPressed(number) => {
                let to = std::mem::take(&mut self.to);
                return command(IncidentCommand::Reported { number, to });
            }
        }
        Action::None
    }

    pub(super) fn view<'a>(
        &'a self,
        texts: &Texts,
        incidents: Option<&'a [IncidentView]>,
        gates: &'a [GateStatus],
        role: Role,
    ) -> Element<'a, Message> {
        let may_enter = matches!(role, Role::Supervisor | Role::Technician);
        let label = if self.open { tr!(texts, "incident-back") } else { tr!(texts, "incident-new") };
        let open =
            may_enter.then(|| widget::action(S, "incident-form", label, Weight::Plain, Some(Message::FormPressed)));
        let head = row![container(S.title(tr!(texts, "incidents-title"))).width(Fill)].push(open).align_y(Center);
        if self.open && may_enter {
            return column![head, self.form(texts, gates)].spacing(S.space * 2.0).into();
        }
        let Some(incidents) = incidents else {
            return column![head, S.soft(tr!(texts, "starting"))].spacing(S.space * 2.0).into();
        };
        let none = incidents.is_empty().then(|| {
            let todo = Some(tr!(texts, "incidents-none-todo"));
            widget::telling(S, "incidents-none", Tone::Well, tr!(texts, "incidents-none"), todo)
        });
        let list = incidents.iter().map(|one| self.one(texts, one, role == Role::Supervisor));
        column![head].push(none).extend(list).spacing(S.space * 2.0).into()
    }

    fn form<'a>(&'a self, texts: &Texts, gates: &'a [GateStatus]) -> Element<'a, Message> {
        let when = widget::Field::new("incident-when", tr!(texts, "incident-when"), &self.typed.happened_at)
            .placeholder("2026-11-22 10:30")
            .view(S, Message::WhenTyped, None);
        let answers = ANSWERS.iter().zip(&self.typed.answers).enumerate().map(|(at, (answer, text))| {
            widget::Field::new(format!("incident-answer-{at}"), question(texts, *answer), text).view(
                S,
                move |text| Message::AnswerTyped(at, text),
                None,
            )
        });
        let kinds = DataKind::ALL.map(|kind| {
            let ticked = self.typed.kinds.contains(&kind);
            let id = format!("incident-kind-{}", kind.label());
            widget::tick(S, id, words::data_kind(texts, kind), ticked, Some(move |on| Message::KindTicked(kind, on)))
        });
        let places = gates.iter().enumerate().map(|(at, gate)| {
            let (id, ticked) = (gate.id, self.typed.gates.contains(&gate.id));
            let name = gate.name.as_str();
            widget::tick(S, format!("incident-gate-{at}"), name, ticked, Some(move |on| Message::GateTicked(id, on)))
        });
        let larger = widget::tick(
            S,
            "incident-larger",
            tr!(texts, "incident-larger"),
            self.typed.larger,
            Some(Message::LargerTicked),
        );
        let enter = (!self.asked).then_some(Message::EnterPressed);
        let said = widget::telling(
            S,
            "incident-stops",
            Tone::Warn,
            tr!(texts, "incident-stops"),
            Some(tr!(texts, "incident-stops-todo")),
        );
        let content = column![said, when]
            .extend(answers)
            .push(S.heading(tr!(texts, "incident-kinds")))
            .push(row(kinds).spacing(S.space * 2.0).wrap())
            .push(S.heading(tr!(texts, "incident-gates")))
            .push(row(places).spacing(S.space * 2.0).wrap())
            .push(larger)
            .push(row![
                widget::gap(),
                widget::action(S, "incident-enter-case", tr!(texts, "incident-enter-case"), Weight::Primary, enter)
            ])
            .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }

    fn one<'a>(&'a self, texts: &Texts, one: &'a IncidentView, people: bool) -> Element<'a, Message> {
        let (tone, clock) = match (&one.reports[..], one.report_by, one.late) {
            ([(at, to), ..], ..) => {
                (Tone::Well, tr!(texts, "incident-reported", date = at.minute_text(), to = to.as_str()))
            }
            ([], Some(by), true) => (Tone::Alarm, tr!(texts, "incident-late", date = by.minute_text())),
            ([], Some(by), false) => (Tone::Warn, tr!(texts, "incident-by", date = by.minute_text())),
            ([], None, _) => (Tone::Warn, tr!(texts, "incident-at-once")),
        };
        let kinds: Vec<String> = one.kinds.iter().map(|kind| words::data_kind(texts, *kind)).collect();
        let kinds = words::list(texts, kinds.iter().map(String::as_str));
        let places = match one.gates.is_empty() {
            true => tr!(texts, "incident-desk"),
            false => words::list(texts, one.gates.iter().map(String::as_str)),
        };
        let fact = |label: String, value: String| widget::fact(S, label, S.text(value));
        let told = if one.told == one.people { Tone::Well } else { Tone::Warn };
        let waits = (!one.stops_waiting.is_empty()).then(|| {
            let gates = words::list(texts, one.stops_waiting.iter().map(String::as_str));
            S.text(tr!(texts, "incident-stop-waits", gates = gates)).color(Tone::Alarm.ink())
        });
        let unguarded = (one.without_guardian > 0).then(|| {
            let said = tr!(texts, "incident-no-guardian", count = one.without_guardian);
            widget::telling(S, "incident-no-guardian", Tone::Warn, said, None)
        });
        let number = one.number;
        let told_by = Channel::ALL.map(|how| {
            let press = (one.told < one.people).then_some(Message::ToldPressed(number, how));
            widget::action(S, format!("incident-told-{}", how.label()), channel(texts, how), Weight::Plain, press)
        });
        let report = widget::Field::new("incident-to", tr!(texts, "incident-to"), &self.to).view(
            S,
            Message::ToTyped,
            Some(Message::ReportedPressed(number)),
        );
        let reported = (!self.to.trim().is_empty()).then_some(Message::ReportedPressed(number));
        let acts = people.then(|| {
            column![
                row![
                    container(S.soft(tr!(texts, "incident-letters-why"))).width(Fill),
                    widget::action(
                        S,
                        format!("incident-letters-{number}"),
                        tr!(texts, "incident-letters"),
                        Weight::Primary,
                        Some(Message::LettersPressed(number)),
                    ),
                ]
                .spacing(S.space)
                .align_y(Center),
                S.text(tr!(texts, "incident-tell")),
                row(told_by).spacing(S.space).wrap(),
                row![
                    container(report).width(Fill),
                    widget::action(
                        S,
                        format!("incident-reported-{number}"),
                        tr!(texts, "incident-report-done"),
                        Weight::Plain,
                        reported
                    ),
                ]
                .spacing(S.space * 1.5)
                .align_y(iced::Bottom),
            ]
            .spacing(S.space * 1.5)
        });
        let content = column![
            row![
                container(S.heading(tr!(texts, "incident-number", number = number))).width(Fill),
                widget::pill(S, tone, clock),
            ]
            .spacing(S.space)
            .align_y(Center),
            S.text(one.what.as_str()),
            fact(tr!(texts, "incident-when"), one.happened_at.minute_text()),
            fact(tr!(texts, "incident-kinds"), kinds),
            fact(tr!(texts, "incident-gates"), places),
            row![
                S.text(tr!(texts, "incident-people", count = one.people, minors = one.minors)),
                widget::gap(),
                widget::pill(S, told, tr!(texts, "incident-told", told = one.told, count = one.people)),
            ]
            .align_y(Center),
        ]
        .push(waits)
        .push(unguarded)
        .push(acts)
        .spacing(S.space * 1.5);
        container(widget::panel(S, Tone::Plain, content)).id(format!("incident-{number}")).into()
    }
}

fn tick<T: PartialEq>(list: &mut Vec<T>, what: T, on: bool) {
    list.retain(|there| *there != what);
    if on {
        list.push(what);
    }
}

fn question(texts: &Texts, answer: Answer) -> String {
    match answer {
        Answer::What => tr!(texts, "incident-q-what"),
        Answer::Cause => tr!(texts, "incident-q-cause"),
        Answer::Harm => tr!(texts, "incident-q-harm"),
        Answer::Measures => tr!(texts, "incident-q-measures"),
        Answer::SelfHelp => tr!(texts, "incident-q-self-help"),
    }
}

fn channel(texts: &Texts, how: Channel) -> String {
    match how {
        Channel::Phone => tr!(texts, "told-phone"),
        Channel::Message => tr!(texts, "told-message"),
        Channel::Letter => tr!(texts, "told-letter"),
        Channel::Public => tr!(texts, "told-public"),
    }
}
