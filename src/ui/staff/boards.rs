//! Card boards: which there are, how each is, whether what it holds is what it should hold, and adding one. Cards only: no control here has to
//! do with a face.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::{Action, Known, Route, S, notice, relay};
use crate::app::boards::{BoardSeen, BoardView, BoardsCommand, DriftLine};
use crate::app::command::StaffCommand;
use crate::app::deletion::DeletionCommand;
use crate::app::relay::RelayCommand;
use crate::domain::board::{BoardFault, CardFormat, DOORS, DoorNumber};
use crate::domain::gate::{GateKind, GateStatus};
use crate::domain::id::{GateId, ResidentId};
use crate::domain::role::{LookWhy, Role};
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// Id of the first field of the form.
pub const NAME: &str = "board-name";

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardField {
    /// Shown name.
    Name,
    /// Place.
    Place,
    /// `ip:port`.
    Address,
    /// From the label.
    Serial,
}

impl BoardField {
    const ALL: [Self; 4] = [Self::Name, Self::Place, Self::Address, Self::Serial];

    /// Id of its input.
    pub fn id(self) -> &'static str {
        match self {
            Self::Name => NAME,
            Self::Place => "board-place",
            Self::Address => "board-address",
            Self::Serial => "board-serial",
        }
    }
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Another page of the settings.
    GoPressed(Route),
    /// Opens or closes the form.
    FormPressed,
    /// A field of it changed.
    Typed(BoardField, String),
    /// A door was ticked.
    DoorTicked(u8, bool),
    /// How the readers are wired.
    FormatChosen(CardFormat),
    /// Enter, or the button.
    AddPressed,
    /// One of the acts on a board that are asked about once more.
    Weighty(Weighty),
    /// Rather not.
    Dropped,
    /// Yes, do it.
    Confirmed,
    /// Asks whether the last issued card opens it.
    TestPressed(GateId),
    /// No more events to others.
    StopEventsPressed(GateId),
    /// What the board refused is sent again.
    RetryPressed(GateId),
    /// Shows whom a difference concerns.
    ConcernedPressed(GateId),
    /// Opens one of them.
    OpenPressed(ResidentId),
}

/// What is asked about once more before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighty {
    /// Erase what the desk does not know, write what is missing.
    Mend(GateId),
    /// Open a door once.
    Open(GateId, DoorNumber),
    /// Take the board out of use.
    Retire(GateId),
}

impl Weighty {
    fn board(self) -> GateId {
        match self {
            Self::Mend(board) | Self::Open(board, _) | Self::Retire(board) => board,
        }
    }
}

/// The page.
#[derive(Debug)]
pub struct Boards {
    open: bool,
    fields: [String; 4],
    doors: [bool; DOORS as usize],
    format: CardFormat,
    asked: bool,
    weighty: Option<Weighty>,
}

impl Default for Boards {
    fn default() -> Self {
        let doors = [true, false, false, false];
        Self {
            open: false,
            fields: Default::default(),
            doors,
            format: CardFormat::default(),
            asked: false,
            weighty: None,
        }
    }
}

impl Boards {
    /// The desk did not accept the last request.
    pub fn failed(&mut self) {
        self.asked = false;
    }

    /// The board was added.
    pub fn added(&mut self) {
        *self = Self::default();
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::GoPressed(route) => return Action::Go(route),
            Message::FormPressed => {
                self.open = !self.open;
                if self.open {
                    return Action::Focus(NAME);
                }
            }
            Message::Typed(field, text) => self.fields[field as usize] = text,
            Message::DoorTicked(number, on) => {
                if let Some(door) = self.doors.get_mut(usize::from(number)) {
                    *door = on;
                }
            }
            Message::FormatChosen(format) => self.format = format,
            Message::AddPressed => return self.add(),
            Message::Weighty(act) => self.weighty = Some(act),
            Message::Dropped => self.weighty = None,
            Message::Confirmed => {
                return match self.weighty.take() {
                    Some(Weighty::Mend(board)) => Action::Ask(StaffCommand::Boards(BoardsCommand::Mend(board))),
                    Some(Weighty::Open(board, door)) => {
                        Action::Ask(StaffCommand::Boards(BoardsCommand::OpenDoor(board, door)))
                    }
                    Some(Weighty::Retire(board)) => {
                        Action::Ask(StaffCommand::Deletion(DeletionCommand::RetireGate(board)))
                    }
                    None => Action::None,
                };
            }
            Message::TestPressed(board) => return Action::Ask(StaffCommand::TestCardWay(board)),
            Message::RetryPressed(board) => return Action::Ask(StaffCommand::Relay(RelayCommand::Retry(board))),
            Message::ConcernedPressed(board) => {
                return Action::Ask(StaffCommand::Relay(RelayCommand::Concerned(board)));
            }
            Message::OpenPressed(resident) => {
                return Action::Ask(StaffCommand::OpenResident(resident, LookWhy::Other));
            }
            Message::StopEventsPressed(board) => {
                return Action::Ask(StaffCommand::Boards(BoardsCommand::StopEvents(board)));
            }
        }
        Action::None
    }

    fn add(&mut self) -> Action {
        let needed = [BoardField::Name, BoardField::Address, BoardField::Serial];
        if let Some(empty) = needed.into_iter().find(|field| self.text(*field).trim().is_empty()) {
            return Action::Focus(empty.id());
        }
        self.asked = true;
        let text = |field| self.text(field).trim().to_owned();
        Action::Ask(StaffCommand::Boards(BoardsCommand::Add {
            name: text(BoardField::Name),
            place: text(BoardField::Place),
            address: text(BoardField::Address),
            serial: text(BoardField::Serial),
            doors: self.doors,
            format: self.format,
        }))
    }

    fn text(&self, field: BoardField) -> &str {
        &self.fields[field as usize]
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known, role: Role) -> Element<'a, Message> {
        // Adding a board, and the pages beside this one, are the supervisor's.
        let chief = role == Role::Supervisor;
        let tabs = chief.then(|| notice::tabs(texts, Route::Boards).map(Message::GoPressed));
        let toggle = if self.open { tr!(texts, "board-close") } else { tr!(texts, "board-open") };
        let weight = if self.open { Weight::Quiet } else { Weight::Primary };
        let head = row![S.heading(tr!(texts, "boards-title")), widget::gap(),]
            .push(chief.then(|| widget::action(S, "board-open", toggle, weight, Some(Message::FormPressed))))
            .align_y(Center);
        let none = known.boards.is_empty().then(|| S.text(tr!(texts, "boards-none")));
        let list = known.boards.iter().enumerate().map(|(at, view)| self.board(texts, at, view, known, role));
        let content = column![]
            .push(self.open.then(|| self.form(texts)))
            .push(widget::telling(
                S,
                "boards-wire",
                Tone::Warn,
                tr!(texts, "boards-wire"),
                Some(tr!(texts, "boards-wire-todo")),
            ))
            .push(head)
            .push(none)
            .extend(list)
            .extend(Self::former(texts, known, role))
            .spacing(S.space * 1.5);
        column![].push(tabs).push(widget::scroll("boards-scroll", content).height(Fill)).spacing(S.space * 1.5).into()
    }

    fn board<'a>(
        &'a self,
        texts: &Texts,
        at: usize,
        view: &'a BoardView,
        known: &'a Known,
        role: Role,
    ) -> Element<'a, Message> {
        let board = &view.board;
        let state = known.gates.iter().find(|gate| gate.id == board.id);
        let pills = state.map(|gate| words::gate_states(texts, gate)).unwrap_or_default();
        let pills = pills.into_iter().map(|(tone, said)| widget::pill(S, tone, said));
        let doors: Vec<String> = board.doors.each().map(|door| door.get().to_string()).collect();
        let doors = words::list(texts, doors.iter().map(String::as_str));
        let serial = board.serial.to_string();
        let mut lines =
            vec![tr!(texts, "board-where", address = board.address.as_str(), serial = serial, doors = doors)];
        lines.extend(state.map(|gate| words::gate_numbers(texts, gate)));
        lines.extend(view.seen.as_ref().map(|seen| seen_line(texts, seen)));
        let lines = lines.into_iter().map(|line| S.hint(line).into());
        let name = match board.place.is_empty() {
            true => board.name.clone(),
            false => tr!(texts, "board-name-place", name = board.name.as_str(), place = board.place.as_str()),
        };
        let retry = Message::RetryPressed(board.id);
        let refused = relay::refused(texts, known, (board.id, &board.name), format!("board-retry-{at}"), retry, role);
        let whose = state.is_some_and(|gate| gate.drift.iter().any(|line| line.kind.names_somebody()));
        let pressed = (Message::ConcernedPressed(board.id), Message::OpenPressed as fn(ResidentId) -> Message);
        let whose = whose.then(|| relay::concerned(texts, known, board.id, at, pressed, role)).flatten();
        let content = column![S.heading(name), row(pills).spacing(S.space * 0.75).wrap()]
            .push(column(lines).spacing(S.space * 0.25))
            .push(view.seen.as_ref().and_then(|seen| drift(texts, seen)))
            .push(whose)
            .push(refused)
            .push(match self.weighty.filter(|act| act.board() == board.id) {
                Some(act) => ask(texts, act, view),
                None => acts(texts, at, view, role),
            })
            .spacing(S.space);
        widget::panel(S, Tone::Plain, content).into()
    }

    /// Boards out of use that still hold cards which the desk could not take out: nothing else names them any more.
    fn former<'a>(texts: &Texts, known: &'a Known, role: Role) -> Vec<Element<'a, Message>> {
        let listed = |gate: &GateStatus| known.boards.iter().any(|view| view.board.id == gate.id);
        let former = known.gates.iter().filter(|gate| gate.kind == GateKind::Board && !listed(gate));
        let panels = former.enumerate().filter_map(|(at, gate)| {
            let of = (gate.id, gate.name.as_str());
            let retry = Message::RetryPressed(gate.id);
            let refused = relay::refused(texts, known, of, format!("board-former-retry-{at}"), retry, role)?;
            let content = column![S.heading(gate.name.clone()), S.text(tr!(texts, "board-former")), refused];
            Some(widget::panel(S, Tone::Alarm, content.spacing(S.space)).into())
        });
        panels.collect()
    }

    fn form<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let field = |which: BoardField| -> Element<'a, Message> {
            let (label, hint) = match which {
                BoardField::Name => (tr!(texts, "board-field-name"), tr!(texts, "board-field-name-hint")),
                BoardField::Place => (tr!(texts, "board-field-place"), tr!(texts, "board-field-place-hint")),
                BoardField::Address => (tr!(texts, "board-field-address"), tr!(texts, "board-field-address-hint")),
                BoardField::Serial => (tr!(texts, "board-field-serial"), tr!(texts, "board-field-serial-hint")),
            };
            let field = widget::Field::new(which.id(), label, self.text(which)).hint(hint);
            container(field.view(S, move |text| Message::Typed(which, text), Some(Message::AddPressed)))
                .width(Fill)
                .into()
        };
        let rows =
            BoardField::ALL.chunks(2).map(|pair| row(pair.iter().map(|f| field(*f))).spacing(S.space * 2.0).into());
        let doors = (0u8..).zip(self.doors).map(|(n, on)| {
            let number: u8 = n + 1;
            let label = tr!(texts, "board-door", door = number);
            widget::tick(S, format!("board-door-{number}"), label, on, Some(move |on| Message::DoorTicked(n, on)))
        });
        let formats = CardFormat::ALL.map(|format| {
            let label = match format {
                CardFormat::Wiegand26 => tr!(texts, "board-wiegand-26"),
                CardFormat::Wiegand34 => tr!(texts, "board-wiegand-34"),
            };
            let weight = if format == self.format { Weight::Here } else { Weight::Quiet };
            widget::action(S, format.label(), label, weight, Some(Message::FormatChosen(format)))
        });
        let ready = !self.asked && self.doors.contains(&true);
        let label = if self.asked { tr!(texts, "board-adding") } else { tr!(texts, "board-add") };
        let content = column![S.heading(tr!(texts, "board-add-title")), S.soft(tr!(texts, "board-add-how"))]
            .extend(rows)
            .push(row![S.text(tr!(texts, "board-doors"))].extend(doors).spacing(S.space * 2.0).align_y(Center))
            .push(row![S.text(tr!(texts, "board-wiring"))].extend(formats).spacing(S.space).align_y(Center))
            .push(row![
                container(S.hint(tr!(texts, "board-wiring-hint"))).width(Fill),
                widget::action(S, "board-add", label, Weight::Primary, ready.then_some(Message::AddPressed)),
            ])
            .spacing(S.space * 1.25);
        widget::panel(S, Tone::Plain, content).into()
    }
}

fn seen_line(texts: &Texts, seen: &BoardSeen) -> String {
    let mut parts = vec![tr!(texts, "board-cards", count = seen.cards)];
    parts.push(match seen.compared_at {
        Some(at) => tr!(texts, "board-compared", at = at.minute_text()),
        None => tr!(texts, "board-comparing"),
    });
    let open = (1u8..).zip(seen.doors_open).filter(|(_, on)| *on).map(|(n, _)| n.to_string());
    let open: Vec<String> = open.collect();
    if !open.is_empty() {
        parts.push(tr!(texts, "board-doors-open", doors = words::list(texts, open.iter().map(String::as_str))));
    }
    if seen.error != 0 {
        parts.push(tr!(texts, "board-error", number = seen.error));
    }
    if seen.clock_doubted {
        parts.push(tr!(texts, "board-clock-doubted"));
    }
    parts.join(" · ")
}

/// The exact difference, card by card.
fn drift<'a>(texts: &Texts, seen: &BoardSeen) -> Option<Element<'a, Message>> {
    let line = |line: &DriftLine| {
        let last4 = line.last4.as_str();
        match line.fault {
            BoardFault::Extra => tr!(texts, "board-extra", last4 = last4),
            BoardFault::Missing => tr!(texts, "board-missing", last4 = last4),
            BoardFault::Differs => tr!(texts, "board-other-days", last4 = last4),
        }
    };
    let lines = seen.drift.iter().map(|fault| S.text(line(fault)).into());
    let more = usize::try_from(seen.drift_count).unwrap_or(usize::MAX).saturating_sub(seen.drift.len());
    let more = (more > 0).then(|| S.hint(tr!(texts, "board-drift-more", count = more)));
    (seen.drift_count > 0).then(|| {
        let content =
            column![S.text(tr!(texts, "board-drift-title")).color(Tone::Alarm.ink())].extend(lines).push(more);
        widget::panel(S, Tone::Alarm, content.spacing(S.space * 0.5)).into()
    })
}

/// What this role may do at a board (`app::boards`, `app::roles`).
fn acts<'a>(texts: &Texts, at: usize, view: &'a BoardView, role: Role) -> Element<'a, Message> {
    let id = view.board.id;
    let quiet =
        |name: String, label: String, message: Message| widget::action(S, name, label, Weight::Plain, Some(message));
    let drifts = view.seen.as_ref().is_some_and(|seen| seen.drift_count > 0);
    let chief = role == Role::Supervisor;
    let mend = (drifts && chief).then(|| {
        let message = Some(Message::Weighty(Weighty::Mend(id)));
        widget::action(S, format!("board-mend-{at}"), tr!(texts, "board-mend"), Weight::Primary, message)
    });
    let events = view.seen.as_ref().and_then(|seen| seen.events_to.as_ref()).map(|to| {
        row![
            container(S.text(tr!(texts, "board-events", to = to.as_str())).color(Tone::Warn.ink())).width(Fill),
            quiet(format!("board-events-{at}"), tr!(texts, "board-events-stop"), Message::StopEventsPressed(id)),
        ]
        .spacing(S.space)
        .align_y(Center)
    });
    let doors = view.board.doors.each().filter(|_| role.sees_people()).map(|door| {
        let label = tr!(texts, "board-open-door", door = door.get());
        quiet(format!("board-open-{at}-{}", door.get()), label, Message::Weighty(Weighty::Open(id, door)))
    });
    let buttons = row![]
        .push(mend)
        .push(
            role.sees_people()
                .then(|| quiet(format!("board-test-{at}"), tr!(texts, "gate-test"), Message::TestPressed(id))),
        )
        .extend(doors)
        .push(chief.then(|| {
            let retire = Some(Message::Weighty(Weighty::Retire(id)));
            widget::action(S, format!("board-retire-{at}"), tr!(texts, "board-retire"), Weight::Quiet, retire)
        }));
    column![].push(events).push(buttons.spacing(S.space).wrap().vertical_spacing(S.space)).spacing(S.space).into()
}

fn ask<'a>(texts: &Texts, act: Weighty, view: &'a BoardView) -> Element<'a, Message> {
    let name = view.board.name.as_str();
    let (asked, hint, yes) = match act {
        Weighty::Mend(_) => {
            let (all, extra) = view.seen.as_ref().map_or((0, 0), |seen| (seen.drift_count, seen.extra_count));
            let others = all.saturating_sub(extra);
            let asked = tr!(texts, "board-mend-ask", name = name, extra = extra, others = others);
            (asked, tr!(texts, "board-mend-hint"), tr!(texts, "board-mend-yes"))
        }
        Weighty::Open(_, door) => (
            tr!(texts, "board-open-ask", name = name, door = door.get()),
            tr!(texts, "board-open-hint"),
            tr!(texts, "board-open-yes"),
        ),
        Weighty::Retire(_) => (
            tr!(texts, "board-retire-ask", name = name),
            tr!(texts, "board-retire-hint"),
            tr!(texts, "board-retire-yes"),
        ),
    };
    column![
        widget::telling(S, "board-ask", Tone::Warn, asked, Some(hint)),
        widget::equal_pair(
            S,
            widget::Side::new("board-no", tr!(texts, "board-no"), Some(Message::Dropped)),
            widget::Side::new("board-yes", yes, Some(Message::Confirmed)),
        ),
    ]
    .spacing(S.space)
    .into()
}
