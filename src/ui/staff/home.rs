//! The first page: one search field, the gates and counts. Never a list of everybody.

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill, Length};

use super::{Action, Known, Pick, Route, S, Stray, machine_words};
use crate::app::command::StaffCommand;
use crate::app::event::ResidentRow;
use crate::domain::card::CardUid;
use crate::domain::gate::GateStatus;
use crate::domain::id::ResidentId;
use crate::domain::posture::Grade;
use crate::domain::role::{LookWhy, Role};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::{widget, words};

/// Id of the search field. Keyboard-wedge readers type here.
pub const SEARCH: &str = "home-search";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The query changed.
    QueryTyped(String),
    /// Enter, or the button.
    FindPressed,
    /// A row was chosen; the reason comes next.
    RowPressed(ResidentId),
    /// The reason: the record is opened.
    WhyPressed(ResidentId, LookWhy),
    /// To another page.
    GoPressed(Route),
    /// The gates again.
    RefreshPressed,
    /// Today's head of the log, for paper.
    HeadPressed,
}

/// The home page.
#[derive(Debug, Default)]
pub struct Home {
    query: String,
    result: Option<(Vec<ResidentRow>, bool)>,
    chosen: Option<ResidentId>,
}

impl Home {
    /// A search was answered.
    pub fn found(&mut self, rows: Vec<ResidentRow>, more: bool) {
        self.chosen = None;
        self.result = Some((rows, more));
    }

    /// A reader typed while the caret was elsewhere.
    pub fn stray(&mut self, stray: Stray) -> Action {
        match stray {
            Stray::Text(text) => {
                self.query.push_str(text.as_str());
                Action::Focus(SEARCH)
            }
            Stray::Enter if self.query.trim().is_empty() => Action::None,
            Stray::Enter => self.update(Message::FindPressed),
        }
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::QueryTyped(text) => {
                self.query = text;
                Action::None
            }
            Message::FindPressed => {
                let query = self.query.trim().to_owned();
                self.result = None;
                if query.is_empty() {
                    Action::Focus(SEARCH)
                } else if is_card(&query) {
                    self.query.clear();
                    Action::Ask(StaffCommand::WedgeTyped(query))
                } else {
                    Action::Ask(StaffCommand::Find { query })
                }
            }
            Message::RowPressed(resident) => {
                self.chosen = Some(resident);
                Action::None
            }
            Message::WhyPressed(resident, why) => Action::Ask(StaffCommand::OpenResident(resident, why)),
            Message::GoPressed(route) => Action::Go(route),
            Message::RefreshPressed => Action::Ask(StaffCommand::ShowGates),
            Message::HeadPressed => Action::Pick(Pick::Head),
        }
    }

    /// Draws the page; the search only for who sees people.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known, role: Role) -> Element<'a, Message> {
        let people = role.sees_people();
        let field = widget::Field::new(SEARCH, tr!(texts, "home-search"), &self.query)
            .placeholder(tr!(texts, "home-search-placeholder"))
            .view(S, Message::QueryTyped, Some(Message::FindPressed));
        let search = row![
            container(field).width(Fill),
            widget::action(S, "home-find", tr!(texts, "home-find"), Weight::Primary, Some(Message::FindPressed)),
            widget::action(S, "home-add", tr!(texts, "home-add"), Weight::Plain, Some(Message::GoPressed(Route::Add)),),
        ]
        .spacing(S.space * 1.5)
        .align_y(iced::Bottom);
        let result = self.result.as_ref().map(|(rows, more)| result(texts, rows, *more, self.chosen));
        let search = widget::panel(S, Tone::Plain, column![search].push(result).spacing(S.space * 1.5));
        let content = column![]
            .push(people.then_some(search))
            .push(face_line(texts, known))
            .push(machine_line(texts, known))
            .push(requests_line(texts, known))
            .push(notice_line(texts, known))
            .push(people.then(|| head_line(texts, known)).flatten())
            .push(looks_line(texts, known))
            .push(gates(texts, &known.gates, role))
            .spacing(S.space * 2.0);
        widget::scroll("home-scroll", content).height(Fill).into()
    }
}

/// Whether a reader typed this rather than a person: a card number without dashes, since units have dashes.
fn is_card(query: &str) -> bool {
    !query.contains('-') && CardUid::from_wedge(query).is_some()
}

fn result<'a>(texts: &Texts, rows: &'a [ResidentRow], more: bool, chosen: Option<ResidentId>) -> Element<'a, Message> {
    if rows.is_empty() {
        return widget::telling(
            S,
            "home-none",
            Tone::Told,
            tr!(texts, "home-none"),
            Some(tr!(texts, "home-none-todo")),
        );
    }
    let list = rows.iter().enumerate().map(|(at, found)| {
        let card = if found.has_card {
            widget::pill(S, Tone::Well, tr!(texts, "card-in-force"))
        } else {
            widget::pill(S, Tone::Warn, tr!(texts, "card-none"))
        };
        let line = row![
            container(S.text(&found.masked_name)).width(Length::FillPortion(2)),
            container(S.text(&found.unit)).width(Length::FillPortion(2)),
            container(card).width(Length::FillPortion(2)),
            widget::action(
                S,
                format!("home-row-{at}"),
                tr!(texts, "open"),
                Weight::Plain,
                Some(Message::RowPressed(found.id)),
            ),
        ]
        .spacing(S.space * 1.5)
        .align_y(Center);
        match chosen == Some(found.id) {
            true => column![line, reasons(texts, found.id)].spacing(S.space).into(),
            false => line.into(),
        }
    });
    let more = more.then(|| S.hint(tr!(texts, "home-more")));
    column(list).push(more).spacing(S.space).into()
}

/// How many requests wait: counts only.
fn requests_line<'a>(texts: &Texts, known: &'a Known) -> Option<Element<'a, Message>> {
    let counts = known.requests;
    let pill = |tone, words| widget::pill(S, tone, words);
    (counts.open > 0).then(|| {
        let tone = if counts.overdue > 0 { Tone::Alarm } else { Tone::Told };
        row![pill(tone, tr!(texts, "home-requests", open = counts.open))]
            .push(
                (counts.overdue > 0)
                    .then(|| pill(Tone::Alarm, tr!(texts, "home-requests-overdue", count = counts.overdue))),
            )
            .push((counts.soon > 0).then(|| pill(Tone::Warn, tr!(texts, "home-requests-soon", count = counts.soon))))
            .push(widget::gap())
            .push(widget::action(
                S,
                "home-requests",
                tr!(texts, "open"),
                Weight::Quiet,
                Some(Message::GoPressed(Route::Rights)),
            ))
            .spacing(S.space)
            .align_y(Center)
            .into()
    })
}

/// Why this record is opened: one press more, and the weekly sheet can tell work from curiosity.
fn reasons<'a>(texts: &Texts, resident: ResidentId) -> Element<'a, Message> {
    let button = |why: LookWhy| {
        let id = format!("look-{}", why.label());
        widget::action(S, id, words::look(texts, why), Weight::Plain, Some(Message::WhyPressed(resident, why)))
    };
    row![S.soft(tr!(texts, "look-why"))].extend(LookWhy::ALL.map(button)).spacing(S.space).align_y(Center).wrap().into()
}

fn face_line<'a>(texts: &Texts, known: &Known) -> Option<Element<'a, Message>> {
    let blockers = known.blockers.as_ref()?;
    if blockers.is_empty() {
        return Some(
            row![widget::pill(S, Tone::Well, tr!(texts, "face-ready")), S.hint(tr!(texts, "face-ready-hint")),]
                .spacing(S.space)
                .align_y(Center)
                .into(),
        );
    }
    Some(
        row![
            widget::pill(S, Tone::Told, tr!(texts, "face-off")),
            S.hint(tr!(texts, "face-off-hint")),
            widget::gap(),
            widget::action(
                S,
                "home-why",
                tr!(texts, "face-why"),
                Weight::Quiet,
                Some(Message::GoPressed(Route::WhyOff)),
            ),
        ]
        .spacing(S.space)
        .align_y(Center)
        .into(),
    )
}

/// What of this machine is not as it should be although faces go on: said before somebody goes looking for it.
fn machine_line<'a>(texts: &Texts, known: &Known) -> Option<Element<'a, Message>> {
    let report = known.posture.as_ref()?;
    let warned = report.findings.iter().filter(|finding| finding.what.grade() == Grade::Warn);
    let mut checks: Vec<_> = warned.map(|finding| finding.what.check()).collect();
    checks.dedup();
    let names: Vec<String> = checks.into_iter().map(|check| machine_words::check(texts, check)).collect();
    let said = tr!(texts, "home-machine", checks = words::list(texts, names.iter().map(String::as_str)));
    (!names.is_empty()).then(|| warn(said, "home-machine", tr!(texts, "machine-open"), Route::Machine))
}

/// Signs that are not posted (P26, F13a), and people who must be told of a change (P17c): counts, with the page to go to.
fn notice_line<'a>(texts: &Texts, known: &'a Known) -> Option<Element<'a, Message>> {
    let view = known.notice.as_ref()?;
    let names: Vec<String> = view
        .signs_missing()
        .map(|sign| if sign.gate.is_some() { sign.name.clone() } else { tr!(texts, "sign-desk") })
        .collect();
    let untold: u32 = view.versions.iter().map(|news| news.untold.max(news.unanswered)).max().unwrap_or(0);
    let mut lines = column![].spacing(S.space);
    if !names.is_empty() {
        let said = tr!(texts, "home-signs", gates = words::list(texts, names.iter().map(String::as_str)));
        lines = lines.push(warn(said, "home-signs", tr!(texts, "home-to-signs"), Route::Signs));
    }
    if untold > 0 {
        let said = tr!(texts, "home-untold", count = untold);
        lines = lines.push(warn(said, "home-untold", tr!(texts, "home-to-changes"), Route::Notice));
    }
    (!names.is_empty() || untold > 0).then(|| lines.into())
}

/// Today's head of the log on paper: one calm line with one button, and the days that went by without (P69).
fn head_line<'a>(texts: &Texts, known: &Known) -> Option<Element<'a, Message>> {
    let due = known.evidence.head_due()?;
    let last =
        due.last_on.map_or_else(|| tr!(texts, "head-never"), |day| tr!(texts, "head-last", date = day.to_string()));
    let skipped =
        (due.skipped > 0).then(|| widget::pill(S, Tone::Warn, tr!(texts, "head-skipped", count = due.skipped)));
    Some(
        row![widget::pill(S, Tone::Told, tr!(texts, "head-today"))]
            .push(skipped)
            .push(container(S.hint(last)).width(Fill))
            .push(widget::action(
                S,
                "head-today",
                tr!(texts, "head-today-save"),
                Weight::Plain,
                Some(Message::HeadPressed),
            ))
            .spacing(S.space)
            .align_y(Center)
            .into(),
    )
}

/// The oldest sheet of looks that no supervisor has looked at (F14).
fn looks_line<'a>(texts: &Texts, known: &Known) -> Option<Element<'a, Message>> {
    let said = known.looks_due.map(|due| tr!(texts, "looks-due", from = due.from.to_string()))?;
    Some(warn(said, "looks-due", tr!(texts, "looks-due-open"), Route::Looks))
}

fn warn<'a>(said: String, id: &'static str, label: String, route: Route) -> Element<'a, Message> {
    row![
        widget::pill(S, Tone::Warn, said),
        widget::gap(),
        widget::action(S, id, label, Weight::Quiet, Some(Message::GoPressed(route))),
    ]
    .spacing(S.space)
    .align_y(Center)
    .into()
}

fn gates<'a>(texts: &Texts, gates: &'a [GateStatus], role: Role) -> Element<'a, Message> {
    let answering = gates.iter().filter(|gate| gate.reachable && !gate.key_changed).count();
    let waiting: u32 = gates.iter().fold(0, |sum, gate| sum.saturating_add(gate.pending));
    let head = row![
        S.heading(tr!(texts, "gates-title")),
        S.soft(tr!(texts, "gates-counts", answering = answering, all = gates.len(), waiting = waiting)),
        widget::gap(),
        widget::action(
            S,
            "home-relay",
            tr!(texts, "home-relay"),
            Weight::Quiet,
            (!gates.is_empty()).then_some(Message::GoPressed(Route::Relay)),
        ),
        widget::action(S, "home-refresh", tr!(texts, "refresh"), Weight::Quiet, Some(Message::RefreshPressed)),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center);
    // Pairing is a supervisor's.
    let pair = (role == Role::Supervisor).then(|| {
        let to_gates = Some(Message::GoPressed(Route::Gates));
        widget::action(S, "home-pair", tr!(texts, "gates-pair"), Weight::Plain, to_gates)
    });
    let body: Element<'a, Message> = if gates.is_empty() {
        row![container(S.text(tr!(texts, "gates-none"))).width(Fill)]
            .push(pair)
            .spacing(S.space * 1.5)
            .align_y(Center)
            .into()
    } else {
        column(gates.iter().map(|gate| gate_row(texts, gate))).spacing(S.space * 1.5).into()
    };
    widget::panel(S, Tone::Plain, column![head, body].spacing(S.space * 1.5)).into()
}

/// One gate: name, states in words, and a line of numbers.
pub(super) fn gate_row<'a, M: 'a>(texts: &Texts, gate: &'a GateStatus) -> Element<'a, M> {
    let states = words::gate_states(texts, gate).into_iter().map(|(tone, said)| widget::pill(S, tone, said));
    let name = container(text(&gate.name).size(S.section).line_height(1.4)).width(Length::FillPortion(3));
    row![
        name,
        column![
            row(states).spacing(S.space * 0.75).wrap(),
            S.hint(words::gate_numbers(texts, gate)).color(theme::INK_SOFT),
        ]
        .spacing(S.space * 0.5)
        .width(Length::FillPortion(9)),
    ]
    .spacing(S.space * 1.5)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_not_taken_for_a_card() {
        for unit in ["3-1201", "10-12-1201", "王 3-1201", "12栋301"] {
            assert!(!is_card(unit), "{unit}");
        }
        for card in ["04A1B2C3", "04:a1:b2:c3", "0012345678"] {
            assert!(is_card(card), "{card}");
        }
    }
}
