//! Pausing, fewer doors, stopping all faces, closing a record, certificates, retention: one page for a person, one for the site. One
//! decision at a time; nothing here starts or suggests face entry.

use iced::widget::{Column, column, container, row};
use iced::{Center, Element, Fill};

use super::{Action, Known, Route, S};
use crate::app::command::StaffCommand;
use crate::app::deletion::{
    Closing, DeletionCommand, DeletionEvent, DoorLine, DoorState, EndingView, PersonView, SiteView,
};
use crate::domain::id::{ConsentId, GateId, ResidentId};
use crate::domain::role::LookWhy;
use crate::domain::time::Timestamp;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// Id of the field for the time of a switch-off.
pub const SWITCHED_AT: &str = "switched-at";
/// Id of the field for who switched it off.
pub const SWITCHED_BY: &str = "switched-by";

/// What the desk told about these matters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The open record's.
    pub person: Option<PersonView>,
    /// The site's.
    pub site: SiteView,
}

impl Told {
    /// Takes in what the desk tells. Returns where a certificate was saved, if it was.
    pub(super) fn apply(&mut self, event: DeletionEvent) -> Option<String> {
        match event {
            DeletionEvent::Person(view) => self.person = Some(*view),
            DeletionEvent::Site(view) => self.site = *view,
            DeletionEvent::ClockAhead { trusted, now } => self.site.clock_doubt = Some((trusted, now)),
            DeletionEvent::Saved(path) => return Some(path),
        }
        None
    }
}

/// Which of the two pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The open record.
    Person,
    /// The site.
    Site,
}

/// What is asked before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Pause this person's face.
    Pause(ResidentId),
    /// Take it up again.
    Resume(ResidentId),
    /// Take a door out.
    Drop(ResidentId, GateId, String),
    /// Close the record.
    Close(ResidentId, Closing),
    /// Stop faces at a gate (with its name), or everywhere.
    Stop(Option<(GateId, String)>),
    /// Take faces up again.
    ResumeAt(Option<(GateId, String)>),
    /// Retire a gate.
    Retire(GateId, String),
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Asks first.
    AskPressed(Ask),
    /// Yes.
    Confirmed,
    /// No.
    Dropped,
    /// Saves a certificate: where to, comes next.
    SavePressed(ConsentId),
    /// Where to; `None` when the dialog was left.
    PathPicked(ConsentId, Option<std::path::PathBuf>),
    /// Opens the record of an ending.
    OpenPressed(ResidentId),
    /// Back to the record.
    RecordPressed,
    /// Opens or closes the entry of a switch-off for a gate.
    SwitchedOffPressed(Option<GateId>),
    /// When.
    AtTyped(String),
    /// Who.
    ByTyped(String),
    /// Enters it.
    SwitchedOffSaved,
    /// Does now what is due by rule.
    RetentionPressed,
    /// The date is right.
    DatePressed,
}

/// The page.
#[derive(Debug)]
pub struct Deletion {
    about: About,
    asking: Option<Ask>,
    switching: Option<GateId>,
    at: String,
    by: String,
}

impl Deletion {
    /// A page on which nothing is asked.
    pub fn new(about: About) -> Self {
        Self { about, asking: None, switching: None, at: String::new(), by: String::new() }
    }

    /// Which of the two.
    pub fn about(&self) -> About {
        self.about
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Deletion(command));
        match message {
            Message::AskPressed(what) => self.asking = Some(what),
            Message::Dropped => self.asking = None,
            Message::Confirmed => {
                let Some(what) = self.asking.take() else { return Action::None };
                return ask(match what {
                    Ask::Pause(resident) => DeletionCommand::PauseFor(resident),
                    Ask::Resume(resident) => DeletionCommand::ResumeFor(resident),
                    Ask::Drop(resident, gate, _) => DeletionCommand::DropDoorFor { resident, gate },
                    Ask::Close(resident, why) => DeletionCommand::CloseRecord { resident, why },
                    Ask::Stop(gate) => DeletionCommand::StopFaces(gate.map(|(id, _)| id)),
                    Ask::ResumeAt(gate) => DeletionCommand::ResumeFaces(gate.map(|(id, _)| id)),
                    Ask::Retire(gate, _) => DeletionCommand::RetireGate(gate),
                });
            }
            Message::SavePressed(consent) => return Action::PickCertificatePath(consent),
            Message::PathPicked(consent, Some(path)) => {
                return ask(DeletionCommand::SaveCertificate { consent, path });
            }
            Message::PathPicked(_, None) => {}
            Message::OpenPressed(resident) => return Action::Ask(StaffCommand::OpenResident(resident, LookWhy::Request)),
            Message::RecordPressed => return Action::Go(Route::Record),
            Message::SwitchedOffPressed(gate) => {
                self.switching = gate;
                if gate.is_some() {
                    return Action::Focus(SWITCHED_AT);
                }
            }
            Message::AtTyped(text) => self.at = text,
            Message::ByTyped(text) => self.by = text,
            Message::SwitchedOffSaved => {
                let Some(gate) = self.switching else { return Action::None };
                if self.at.trim().is_empty() {
                    return Action::Focus(SWITCHED_AT);
                }
                if self.by.trim().is_empty() {
                    return Action::Focus(SWITCHED_BY);
                }
                self.switching = None;
                let (at, by) = (std::mem::take(&mut self.at), std::mem::take(&mut self.by));
                return ask(DeletionCommand::SwitchedOff { gate, at, by });
            }
            Message::RetentionPressed => return ask(DeletionCommand::RunRetention),
            Message::DatePressed => return ask(DeletionCommand::ConfirmDate),
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known) -> Element<'a, Message> {
        let content = match (&self.asking, self.about, &known.deletion.person) {
            (Some(what), ..) => asked(texts, what),
            (None, About::Person, Some(person)) => self.person(texts, person),
            (None, About::Person, None) => column![S.soft(tr!(texts, "starting"))],
            (None, About::Site, _) => self.site(texts, &known.deletion.site),
        };
        widget::scroll("deletion-scroll", content.spacing(S.space * 2.0)).height(Fill).into()
    }

    fn person<'a>(&'a self, texts: &Texts, person: &'a PersonView) -> Column<'a, Message> {
        let back = widget::action(
            S,
            "deletion-record",
            tr!(texts, "deletion-record"),
            Weight::Quiet,
            Some(Message::RecordPressed),
        );
        let head = row![S.heading(tr!(texts, "deletion-person")), widget::gap(), back].align_y(Center);
        column![head].push(doors(texts, person)).push(endings_of(texts, person)).push(closing(texts, person))
    }

    fn site<'a>(&'a self, texts: &Texts, site: &'a SiteView) -> Column<'a, Message> {
        column![S.heading(tr!(texts, "deletion-site"))]
            .push(site.clock_doubt.map(|(trusted, now)| clock(texts, trusted, now)))
            .push(self.stops(texts, site))
            .push(open_endings(texts, site))
            .push(retention(texts, site))
    }

    fn stops<'a>(&'a self, texts: &Texts, site: &'a SiteView) -> Element<'a, Message> {
        let stopped = site.gates.iter().filter(|(_, _, stopped, _)| *stopped).count();
        let all = if stopped < site.gates.len() || site.gates.is_empty() {
            let press = (!site.gates.is_empty()).then_some(Message::AskPressed(Ask::Stop(None)));
            widget::action(S, "stop-all", tr!(texts, "stop-all"), Weight::Primary, press)
        } else {
            let press = Some(Message::AskPressed(Ask::ResumeAt(None)));
            widget::action(S, "resume-all", tr!(texts, "resume-all"), Weight::Plain, press)
        };
        let head = row![
            container(column![S.heading(tr!(texts, "stop-title")), S.soft(tr!(texts, "stop-text"))]).width(Fill),
            all
        ]
        .spacing(S.space * 1.5)
        .align_y(Center);
        let lines = site
            .gates
            .iter()
            .enumerate()
            .map(|(at, (gate, name, stopped, waiting))| self.gate_line(texts, at, *gate, name, *stopped, *waiting));
        let content = column![head].extend(lines).spacing(S.space * 1.25);
        widget::panel(S, Tone::Plain, content).into()
    }

    fn gate_line<'a>(
        &'a self,
        texts: &Texts,
        at: usize,
        gate: GateId,
        name: &'a str,
        stopped: bool,
        waiting: bool,
    ) -> Element<'a, Message> {
        let (tone, word) = match (stopped, waiting) {
            (true, true) => (Tone::Warn, tr!(texts, "stop-waiting")),
            (true, false) => (Tone::Alarm, tr!(texts, "stop-stopped")),
            (false, true) => (Tone::Warn, tr!(texts, "stop-resuming")),
            (false, false) => (Tone::Well, tr!(texts, "stop-running")),
        };
        let named = (gate, name.to_owned());
        let (label, ask) = if stopped {
            (tr!(texts, "resume-one"), Ask::ResumeAt(Some(named.clone())))
        } else {
            (tr!(texts, "stop-one"), Ask::Stop(Some(named.clone())))
        };
        let button = |id: String, label: String, message| widget::action(S, id, label, Weight::Plain, Some(message));
        let open = self.switching == Some(gate);
        let next = if open { None } else { Some(gate) };
        let line = row![
            container(S.text(name)).width(Fill),
            widget::pill(S, tone, word),
            button(format!("stop-{at}"), label, Message::AskPressed(ask)),
            button(format!("switched-off-{at}"), tr!(texts, "switched-off-action"), Message::SwitchedOffPressed(next)),
            button(
                format!("retire-{at}"),
                tr!(texts, "retire-action"),
                Message::AskPressed(Ask::Retire(named.0, named.1))
            ),
        ]
        .spacing(S.space)
        .align_y(Center);
        column![line].push(open.then(|| self.switched_off(texts))).spacing(S.space).into()
    }

    fn switched_off<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let at = widget::Field::new(SWITCHED_AT, tr!(texts, "switched-at"), &self.at)
            .placeholder("2026-11-22 10:30")
            .view(S, Message::AtTyped, Some(Message::SwitchedOffSaved));
        let by = widget::Field::new(SWITCHED_BY, tr!(texts, "switched-by"), &self.by).view(
            S,
            Message::ByTyped,
            Some(Message::SwitchedOffSaved),
        );
        let save = widget::action(
            S,
            "switched-save",
            tr!(texts, "switched-save"),
            Weight::Primary,
            Some(Message::SwitchedOffSaved),
        );
        let fields = row![container(at).width(Fill), container(by).width(Fill), save].spacing(S.space * 1.5);
        let content = column![S.soft(tr!(texts, "switched-text")), fields.align_y(iced::Bottom)].spacing(S.space);
        widget::panel(S, Tone::Told, content).into()
    }
}

fn asked<'a>(texts: &Texts, what: &Ask) -> Column<'a, Message> {
    let (said, todo, yes) = match what {
        Ask::Pause(_) => (tr!(texts, "ask-pause"), tr!(texts, "ask-person"), tr!(texts, "pause-action")),
        Ask::Resume(_) => (tr!(texts, "ask-resume"), tr!(texts, "ask-person"), tr!(texts, "resume-action")),
        Ask::Drop(_, _, gate) => {
            (tr!(texts, "ask-drop", gate = gate.as_str()), tr!(texts, "ask-person"), tr!(texts, "drop-action"))
        }
        Ask::Close(_, why) => (
            tr!(texts, "ask-close", why = closing_word(texts, *why)),
            tr!(texts, "ask-close-todo"),
            tr!(texts, "close-action"),
        ),
        Ask::Stop(gate) => (
            match gate {
                Some((_, name)) => tr!(texts, "ask-stop", gate = name.as_str()),
                None => tr!(texts, "ask-stop-all"),
            },
            tr!(texts, "ask-stop-todo"),
            tr!(texts, "stop-one"),
        ),
        Ask::ResumeAt(gate) => (
            match gate {
                Some((_, name)) => tr!(texts, "ask-resume-at", gate = name.as_str()),
                None => tr!(texts, "ask-resume-all"),
            },
            tr!(texts, "ask-resume-todo"),
            tr!(texts, "resume-one"),
        ),
        Ask::Retire(_, gate) => {
            (tr!(texts, "ask-retire", gate = gate.as_str()), tr!(texts, "ask-retire-todo"), tr!(texts, "retire-action"))
        }
    };
    column![
        widget::telling(S, "deletion-ask", Tone::Warn, said, Some(todo)),
        widget::equal_pair(
            S,
            widget::Side::new("deletion-no", tr!(texts, "withdraw-no"), Some(Message::Dropped)),
            widget::Side::new("deletion-yes", yes, Some(Message::Confirmed)),
        ),
    ]
}

fn doors<'a>(texts: &Texts, person: &'a PersonView) -> Option<Element<'a, Message>> {
    if person.doors.is_empty() {
        return None;
    }
    let resident = person.resident;
    let (id, label, ask) = match person.paused_since {
        Some(_) => ("resume", tr!(texts, "resume-action"), Ask::Resume(resident)),
        None => ("pause", tr!(texts, "pause-action"), Ask::Pause(resident)),
    };
    let said = match person.paused_since {
        Some(at) => tr!(texts, "paused-since", at = at.minute_text()),
        None => tr!(texts, "doors-now"),
    };
    let pause = widget::action(S, id, label, Weight::Plain, Some(Message::AskPressed(ask)));
    let head = row![container(S.text(said)).width(Fill), pause].spacing(S.space * 1.5).align_y(Center);
    let lines =
        person.doors.iter().enumerate().map(|(at, door)| {
            let there = !matches!(door.state, DoorState::Dropped | DoorState::Dropping);
            let ask = Message::AskPressed(Ask::Drop(resident, door.gate, door.label.clone()));
            row![container(S.text(door.label.as_str())).width(Fill), door_pill(texts, door)]
                .push(there.then(|| {
                    widget::action(S, format!("drop-{at}"), tr!(texts, "drop-action"), Weight::Plain, Some(ask))
                }))
                .spacing(S.space)
                .align_y(Center)
                .into()
        });
    let content = column![head].extend(lines).spacing(S.space * 1.25);
    Some(widget::panel(S, Tone::Plain, content).into())
}

fn door_pill<'a>(texts: &Texts, door: &DoorLine) -> Element<'a, Message> {
    let (tone, word) = match door.state {
        DoorState::Open => (Tone::Well, tr!(texts, "door-state-open")),
        DoorState::Paused => (Tone::Told, tr!(texts, "door-state-paused")),
        DoorState::Waiting => (Tone::Warn, tr!(texts, "door-state-waiting")),
        DoorState::Dropped => (Tone::Told, tr!(texts, "door-state-dropped")),
        DoorState::Dropping => (Tone::Warn, tr!(texts, "door-state-dropping")),
        DoorState::Empty => (Tone::Told, tr!(texts, "door-state-empty")),
    };
    widget::pill(S, tone, word)
}

fn endings_of<'a>(texts: &Texts, person: &'a PersonView) -> Element<'a, Message> {
    let lines = person.endings.iter().enumerate().map(|(at, ending)| ending_line(texts, at, ending, false));
    let none = person.endings.is_empty().then(|| S.soft(tr!(texts, "endings-none")));
    let content = column![S.heading(tr!(texts, "endings-title"))].push(none).extend(lines).spacing(S.space * 1.25);
    widget::panel(S, Tone::Plain, content).into()
}

fn ending_line<'a>(texts: &Texts, at: usize, ending: &'a EndingView, on_site: bool) -> Element<'a, Message> {
    let number = ending.consent.short();
    let what = tr!(
        texts,
        "ending-line",
        at = ending.ended_at.minute_text(),
        number = number,
        why = reason(texts, &ending.reason)
    );
    let state = if ending.pending.is_empty() {
        let (tone, word) = if ending.supplement_waits {
            (Tone::Warn, tr!(texts, "ending-supplement"))
        } else {
            (Tone::Well, tr!(texts, "ending-done"))
        };
        widget::pill(S, tone, word)
    } else {
        widget::pill(S, Tone::Warn, tr!(texts, "ending-pending", count = ending.pending.len()))
    };
    let button = if on_site {
        let open = Some(Message::OpenPressed(ending.resident));
        widget::action(S, format!("ending-open-{at}"), tr!(texts, "ending-open"), Weight::Plain, open)
    } else {
        let save = Some(Message::SavePressed(ending.consent));
        widget::action(S, format!("certificate-{at}"), tr!(texts, "certificate-action"), Weight::Plain, save)
    };
    let line = row![container(S.text(what)).width(Fill), state, button].spacing(S.space).align_y(Center);
    let pending = ending.pending.iter().map(|(gate, stops_at)| {
        let at = stops_at.minute_text();
        S.soft(tr!(texts, "ending-gate", gate = gate.as_str(), at = at)).into()
    });
    column![line].extend(pending).spacing(S.space * 0.5).into()
}

fn closing<'a>(texts: &Texts, person: &PersonView) -> Element<'a, Message> {
    let title = S.heading(tr!(texts, "close-title"));
    let content = match person.closed_since {
        Some(at) => column![title, S.text(tr!(texts, "closed-since", at = at.minute_text()))],
        None => {
            let buttons = Closing::ALL.iter().enumerate().map(|(at, why)| {
                let ask = Some(Message::AskPressed(Ask::Close(person.resident, *why)));
                widget::action(S, format!("close-{at}"), closing_word(texts, *why), Weight::Plain, ask)
            });
            column![
                title,
                S.soft(tr!(texts, "close-text")),
                row(buttons).spacing(S.space).wrap().vertical_spacing(S.space)
            ]
        }
    };
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.25)).into()
}

fn closing_word(texts: &Texts, why: Closing) -> String {
    match why {
        Closing::MovedOut => tr!(texts, "close-moved-out"),
        Closing::Closed => tr!(texts, "close-closed"),
        Closing::Deceased => tr!(texts, "close-deceased"),
        Closing::Unlawful => tr!(texts, "close-unlawful"),
    }
}

fn clock<'a>(texts: &Texts, trusted: Timestamp, now: Timestamp) -> Element<'a, Message> {
    let said = tr!(texts, "clock-ahead", now = now.minute_text(), trusted = trusted.minute_text());
    let right = widget::action(S, "date-right", tr!(texts, "clock-right"), Weight::Plain, Some(Message::DatePressed));
    column![widget::telling(S, "clock-ahead", Tone::Alarm, said, Some(tr!(texts, "clock-ahead-todo"))), right]
        .spacing(S.space)
        .into()
}

fn open_endings<'a>(texts: &Texts, site: &'a SiteView) -> Element<'a, Message> {
    let lines = site.open.iter().enumerate().map(|(at, ending)| ending_line(texts, at, ending, true));
    let none = site.open.is_empty().then(|| S.soft(tr!(texts, "open-none")));
    let content = column![S.heading(tr!(texts, "open-title"))].push(none).extend(lines).spacing(S.space * 1.25);
    widget::panel(S, Tone::Plain, content).into()
}

fn retention<'a>(texts: &Texts, site: &'a SiteView) -> Element<'a, Message> {
    let plan = &site.plan;
    let due = if plan.is_empty() {
        S.soft(tr!(texts, "retention-none"))
    } else {
        S.text(tr!(
            texts,
            "retention-due",
            faces = plan.faces.len(),
            records = plan.records.len(),
            identities = plan.identities.len(),
            evidence = plan.evidence.len()
        ))
    };
    let waiting =
        (!plan.waiting.is_empty()).then(|| S.soft(tr!(texts, "retention-waiting", count = plan.waiting.len())));
    let may = !plan.is_empty() && site.clock_doubt.is_none();
    let run = widget::action(
        S,
        "retention-run",
        tr!(texts, "retention-run"),
        Weight::Plain,
        may.then_some(Message::RetentionPressed),
    );
    let reports = site.reports.iter().map(|report| {
        S.soft(tr!(
            texts,
            "retention-report",
            at = report.run_at.minute_text(),
            faces = report.faces,
            records = report.records,
            identities = report.identities,
            evidence = report.evidence
        ))
        .into()
    });
    let head = row![container(S.heading(tr!(texts, "retention-title"))).width(Fill), run].align_y(Center);
    let content =
        column![head, S.soft(tr!(texts, "retention-text")), due].push(waiting).extend(reports).spacing(S.space);
    widget::panel(S, Tone::Plain, content).into()
}

/// A reason's label in words.
fn reason(texts: &Texts, label: &str) -> String {
    match label {
        "withdrawn" => tr!(texts, "reason-withdrawn"),
        "moved-out" => tr!(texts, "reason-moved-out"),
        "term-over" => tr!(texts, "reason-term-over"),
        "gate-retired" => tr!(texts, "reason-gate-retired"),
        "correction" => tr!(texts, "reason-correction"),
        "closed" => tr!(texts, "reason-closed"),
        "deceased" => tr!(texts, "reason-deceased"),
        "unlawful" => tr!(texts, "reason-unlawful"),
        "notice-unanswered" => tr!(texts, "reason-notice-unanswered"),
        "turned-fourteen" => tr!(texts, "reason-turned-fourteen"),
        "found-erased" => tr!(texts, "reason-found-erased"),
        _ => tr!(texts, "reason-other"),
    }
}

/// Names of the stopped gates in a row, for the line under the header.
pub(super) fn stopped_line(texts: &Texts, site: &SiteView) -> Option<String> {
    let stopped: Vec<&str> =
        site.gates.iter().filter(|(_, _, stopped, _)| *stopped).map(|(_, name, ..)| name.as_str()).collect();
    let names = words::list(texts, stopped.iter().copied());
    (!stopped.is_empty()).then(|| tr!(texts, "stopped-line", gates = names))
}
