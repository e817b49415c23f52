//! The panels of the deletion pages.

use iced::widget::{Column, column, container, row};
use iced::{Center, Element, Fill};

use super::S;
use super::deletion::{Ask, Message, Told};
use crate::app::deletion::{Closing, DoorLine, DoorState, EndingView, PersonView, SiteView};
use crate::domain::time::Timestamp;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

pub(super) fn asked<'a>(texts: &Texts, what: &Ask) -> Column<'a, Message> {
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
        Ask::Renew => (tr!(texts, "ask-renew"), tr!(texts, "ask-renew-todo"), tr!(texts, "renew-action")),
        Ask::Retire(_, gate) => {
            (tr!(texts, "ask-retire", gate = gate.as_str()), tr!(texts, "ask-retire-todo"), tr!(texts, "retire-action"))
        }
    };
    column![
        widget::telling(S, "deletion-ask", Tone::Warn, said, Some(todo)),
        widget::equal_pair(
            S,
            widget::Side::new("deletion-no", tr!(texts, "deletion-no"), Some(Message::Dropped)),
            widget::Side::new("deletion-yes", yes, Some(Message::Confirmed)),
        ),
    ]
}

/// New transforms for the templates at every gate: when a gate, or a copy of its store, was stolen.
pub(super) fn renewal<'a>(texts: &Texts, told: &'a Told) -> Element<'a, Message> {
    let press = (!told.site.gates.is_empty()).then_some(Message::AskPressed(Ask::Renew));
    let head = row![
        container(column![S.heading(tr!(texts, "renew-title")), S.soft(tr!(texts, "renew-text"))]).width(Fill),
        widget::action(S, "renew", tr!(texts, "renew-action"), Weight::Plain, press),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center);
    let said = told.renewed.as_ref().map(|(done, left)| {
        let done = words::list(texts, done.iter().map(String::as_str));
        let (tone, todo) = match left.as_slice() {
            [] => (Tone::Well, None),
            left => {
                let left = words::list(texts, left.iter().map(String::as_str));
                (Tone::Warn, Some(tr!(texts, "renew-left", gates = left)))
            }
        };
        let done = if done.is_empty() { tr!(texts, "renew-none") } else { tr!(texts, "renew-done", gates = done) };
        widget::telling(S, "renewed", tone, done, todo)
    });
    widget::panel(S, Tone::Plain, column![head].push(said).spacing(S.space * 1.25)).into()
}

pub(super) fn doors<'a>(texts: &Texts, person: &'a PersonView) -> Option<Element<'a, Message>> {
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
        DoorState::Stopped => (Tone::Warn, tr!(texts, "door-state-stopped")),
        DoorState::Waiting => (Tone::Warn, tr!(texts, "door-state-waiting")),
        DoorState::Dropped => (Tone::Told, tr!(texts, "door-state-dropped")),
        DoorState::Dropping => (Tone::Warn, tr!(texts, "door-state-dropping")),
        DoorState::Empty => (Tone::Told, tr!(texts, "door-state-empty")),
        DoorState::Filling => (Tone::Told, tr!(texts, "door-state-filling")),
        DoorState::Lost => (Tone::Alarm, tr!(texts, "door-state-lost")),
    };
    widget::pill(S, tone, word)
}

pub(super) fn endings_of<'a>(texts: &Texts, person: &'a PersonView) -> Element<'a, Message> {
    let lines = person.endings.iter().enumerate().map(|(at, ending)| ending_line(texts, at, ending, false));
    let none = person.endings.is_empty().then(|| S.soft(tr!(texts, "endings-none")));
    let content = column![S.heading(tr!(texts, "endings-title"))].push(none).extend(lines).spacing(S.space * 1.25);
    widget::panel(S, Tone::Plain, content).into()
}

fn ending_line<'a>(texts: &Texts, at: usize, ending: &'a EndingView, on_site: bool) -> Element<'a, Message> {
    let number = ending.consent.short();
    let (at_text, why) = (ending.ended_at.minute_text(), reason(texts, &ending.reason));
    let what = match &ending.place {
        None => tr!(texts, "ending-line", at = at_text, number = number, why = why),
        Some((_, gate)) => {
            tr!(texts, "ending-place-line", at = at_text, number = number, why = why, gate = gate.as_str())
        }
    };
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
        let place = ending.place.as_ref().map(|(gate, _)| *gate);
        let save = Some(Message::SavePressed(ending.consent, place));
        widget::action(S, format!("certificate-{at}"), tr!(texts, "certificate-action"), Weight::Plain, save)
    };
    let line = row![container(S.text(what)).width(Fill), state, button].spacing(S.space).align_y(Center);
    let pending = ending.pending.iter().map(|(gate, stops_at)| {
        let said = match stops_at {
            Some(at) => tr!(texts, "ending-gate", gate = gate.as_str(), at = at.minute_text()),
            None => tr!(texts, "ending-gate-refuses", gate = gate.as_str()),
        };
        S.soft(said).into()
    });
    column![line].extend(pending).spacing(S.space * 0.5).into()
}

pub(super) fn closing<'a>(texts: &Texts, person: &PersonView) -> Element<'a, Message> {
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

pub(super) fn clock<'a>(texts: &Texts, trusted: Timestamp, now: Timestamp) -> Element<'a, Message> {
    let said = tr!(texts, "clock-ahead", now = now.minute_text(), trusted = trusted.minute_text());
    let right = widget::action(S, "date-right", tr!(texts, "clock-right"), Weight::Plain, Some(Message::DatePressed));
    column![widget::telling(S, "clock-ahead", Tone::Alarm, said, Some(tr!(texts, "clock-ahead-todo"))), right]
        .spacing(S.space)
        .into()
}

pub(super) fn open_endings<'a>(texts: &Texts, site: &'a SiteView) -> Element<'a, Message> {
    let lines = site.open.iter().enumerate().map(|(at, ending)| ending_line(texts, at, ending, true));
    let none = site.open.is_empty().then(|| S.soft(tr!(texts, "open-none")));
    let content = column![S.heading(tr!(texts, "open-title"))].push(none).extend(lines).spacing(S.space * 1.25);
    widget::panel(S, Tone::Plain, content).into()
}

pub(super) fn retention<'a>(texts: &Texts, site: &'a SiteView) -> Element<'a, Message> {
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
    let (unanswered, birthdays, guardians) = (plan.unanswered.len(), plan.birthdays.len(), plan.guardians.len());
    let more = (unanswered + birthdays + guardians > 0).then(|| {
        let texts =
            tr!(texts, "retention-due-more", unanswered = unanswered, birthdays = birthdays, guardians = guardians);
        S.text(texts)
    });
    let ran = S.soft(match site.ran_at {
        Some(at) => tr!(texts, "retention-ran", at = at.minute_text()),
        None => tr!(texts, "retention-never-ran"),
    });
    let failed = site.retention_failed.then(|| S.text(tr!(texts, "retention-failed")).color(Tone::Alarm.ink()));
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
    let content = column![head, S.soft(tr!(texts, "retention-text")), due]
        .push(more)
        .push(ran)
        .push(failed)
        .push(waiting)
        .extend(reports)
        .spacing(S.space);
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
        "notice-changed" => tr!(texts, "reason-notice-changed"),
        "next-age-band" => tr!(texts, "reason-next-age-band"),
        "other-decider" => tr!(texts, "reason-other-decider"),
        "manager-left" => tr!(texts, "reason-manager-left"),
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
