//! Card boards at the desk: adding one by its address and serial number, what is seen of it, and what staff do there. The carrying itself is
//! the courier's (`board_courier`). Nothing of a face has a way here: a board is no `GateRecord`.

use super::board_courier::BOARD_LIMIT;
use super::courier::Shared;
use super::desk::Desk;
use super::event::{Failure, FieldFault, StaffEvent};
use super::roles::{GATES, PEOPLE, Row, SUPERVISOR, only};
use crate::domain::board::{BoardDoors, BoardFault, BoardRecord, BoardSerial, CardFormat, DOORS, DoorNumber};
use crate::domain::card::CardUid;
use crate::domain::id::{GateId, StaffId};
use crate::domain::time::Timestamp;
use crate::ports::{BoardLink, LinkError};
use crate::secret::random_bytes;
use crate::wire::board::{Answer, Ask};

/// Makes a link to boards.
pub type BoardLinkMaker = Box<dyn Fn() -> Box<dyn BoardLink> + Send>;

/// What staff may do about boards.
#[derive(Debug)]
pub enum BoardsCommand {
    /// Shows the page.
    Show,
    /// Adds a board, or describes a known one anew (the same serial number).
    Add {
        /// Shown name.
        name: String,
        /// Place.
        place: String,
        /// `ip:port`.
        address: String,
        /// As typed from the label.
        serial: String,
        /// Ticked: door 1 to 4.
        doors: [bool; DOORS as usize],
        /// How its readers are wired.
        format: CardFormat,
    },
    /// Brings the board to what it should hold: what the desk does not know is erased there, what is missing is written.
    Mend(GateId),
    /// Opens a door once, from the desk.
    OpenDoor(GateId, DoorNumber),
    /// The board shall tell nobody who passes.
    StopEvents(GateId),
}

/// The rows of the table of roles. Mending erases cards of people: the supervisor's.
pub(super) fn row(command: &BoardsCommand) -> Row {
    match command {
        BoardsCommand::Show => only("show-boards", GATES),
        BoardsCommand::Add { .. } => only("add-board", SUPERVISOR),
        BoardsCommand::Mend(_) => only("mend-board", SUPERVISOR),
        BoardsCommand::OpenDoor(..) => only("open-door", PEOPLE),
        BoardsCommand::StopEvents(_) => only("stop-events", GATES),
    }
}

/// What the desk tells of boards.
#[derive(Clone, Debug, PartialEq)]
pub enum BoardsEvent {
    /// All of them, whenever something changed.
    Told(Vec<BoardView>),
    /// Something was done.
    Done(BoardDone),
}

/// What was done at a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardDone {
    /// It was added or described anew.
    Added,
    /// A door was opened once.
    Opened(DoorNumber),
    /// It tells nobody any more who passes.
    EventsStopped,
}

/// One board on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardView {
    /// The record.
    pub board: BoardRecord,
    /// What was seen of it since the desk was unlocked; nothing before the first answer.
    pub seen: Option<BoardSeen>,
}

/// What was seen of a board.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardSeen {
    /// Cards that it holds.
    pub cards: u32,
    /// Which doors stand open.
    pub doors_open: [bool; DOORS as usize],
    /// Its own error number, 0 for none.
    pub error: u8,
    /// Where it sends events, if anywhere.
    pub events_to: Option<String>,
    /// When its whole list was last compared with what it should hold.
    pub compared_at: Option<Timestamp>,
    /// How many cards differ.
    pub drift_count: u32,
    /// How many of them the desk does not know: mending erases these.
    pub extra_count: u32,
    /// The first of them.
    pub drift: Vec<DriftLine>,
    /// Its clock is off and was not set: the desk's own cannot be believed just now.
    pub clock_doubted: bool,
}

/// One card that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftLine {
    /// How.
    pub fault: BoardFault,
    /// Last digits of the number that the board knows.
    pub last4: String,
}

impl Shared {
    /// What was seen of a board.
    pub(super) fn note_board(&self, board: GateId, seen: BoardSeen) {
        self.change(|state| {
            let news = state.boards.get(&board) != Some(&seen);
            state.boards.insert(board, seen);
            news
        });
    }

    /// What was seen of a board since the desk was unlocked.
    pub fn board(&self, board: GateId) -> Option<BoardSeen> {
        self.read(|state| state.boards.get(&board).cloned())
    }

    /// Somebody wants a board mended, or what a gate holds put right.
    pub(super) fn ask_repair(&self, gate: GateId, by: StaffId) {
        self.change(|state| state.repairs.insert(gate, by).is_none());
        self.ring();
    }

    /// Who wants a gate put right, if anybody does.
    pub(super) fn repair_wanted(&self, gate: GateId) -> Option<StaffId> {
        self.read(|state| state.repairs.get(&gate).copied())
    }

    /// Who wants it; once.
    pub(super) fn take_repair(&self, gate: GateId) -> Option<StaffId> {
        let mut by = None;
        self.change(|state| {
            by = state.repairs.remove(&gate);
            by.is_some()
        });
        by
    }
}

impl Desk {
    pub(super) fn handle_boards(&mut self, command: BoardsCommand, now: Timestamp) {
        match command {
            BoardsCommand::Show => {}
            BoardsCommand::Add { name, place, address, serial, doors, format } => {
                self.add_board([name, place, address], &serial, doors, format, now);
            }
            BoardsCommand::Mend(board) => {
                if let Some(open) = self.open.as_ref() {
                    open.shared.ask_repair(board, open.vault.operator().0);
                }
            }
            BoardsCommand::OpenDoor(board, door) => self.open_board_door(board, door, now),
            BoardsCommand::StopEvents(board) => self.stop_events(board, now),
        }
        if let Some(open) = self.open.as_mut() {
            open.boards_shown = None;
            open.shared.ring();
        }
        self.show_boards();
    }

    /// Tells the boards as they are, when that is news.
    pub(super) fn show_boards(&mut self) {
        let Some(boards) = self.vault(|v| v.boards()) else { return };
        let Some(open) = self.open.as_mut() else { return };
        let seen = |board: &BoardRecord| open.shared.board(board.id);
        let views: Vec<BoardView> = boards.into_iter().map(|board| BoardView { seen: seen(&board), board }).collect();
        if open.boards_shown.as_ref() != Some(&views) {
            open.boards_shown = Some(views.clone());
            self.say(StaffEvent::Boards(BoardsEvent::Told(views)));
        }
    }

    fn add_board(
        &mut self,
        described: [String; 3],
        serial: &str,
        doors: [bool; DOORS as usize],
        format: CardFormat,
        now: Timestamp,
    ) {
        let [name, place, address] = described.map(|text| text.trim().to_owned());
        let bits = (0..).zip(doors).fold(0, |bits, (n, on): (u8, bool)| bits | u8::from(on) << n);
        let (Some(serial), Some(doors)) = (BoardSerial::parse(serial), BoardDoors::from_bits(bits)) else {
            return self.fail(Failure::Field(FieldFault::Board));
        };
        if name.is_empty() || address.is_empty() {
            return self.fail(Failure::Field(FieldFault::Board));
        }
        let mut link = self.board_link();
        // Whoever is there says its number: a mistyped one is told apart from a board that is away.
        match link.ask(&address, None, &Ask::Find, BOARD_LIMIT) {
            Ok((there, Answer::Found(_))) if there == serial => {}
            Ok((_, Answer::Found(_))) => return self.fail(Failure::Link(name, LinkError::OtherBoard)),
            Ok(_) => return self.fail(Failure::Link(name, LinkError::Protocol)),
            Err(error) => return self.fail(Failure::Link(name, error)),
        }
        let id = GateId::from_bytes(random_bytes());
        let board = BoardRecord { id, name, place, address, serial, doors, format };
        if let Some(id) = self.vault(|v| v.record_board(&board, now)) {
            self.take_network_of(&board.address);
            self.vault(|v| v.retry_wedged(id, now));
            self.say(StaffEvent::Boards(BoardsEvent::Done(BoardDone::Added)));
            self.show_opened(now);
        }
    }

    fn open_board_door(&mut self, id: GateId, door: DoorNumber, now: Timestamp) {
        if self.vault(|v| v.boards()).is_none_or(|boards| boards.iter().all(|board| board.id != id)) {
            return;
        }
        let act = match self.ask_board(id, &Ask::Open(door)) {
            Some(Answer::Opened(true)) => "door-opened",
            // Nothing was done.
            Some(_) => return self.refused_by(id),
            // The answer may be what was lost.
            None => "door-unanswered",
        };
        let logged = self.vault(|v| v.record_board_act(id, act, v.who(), now)).is_some();
        if logged && act == "door-opened" {
            self.say(StaffEvent::Boards(BoardsEvent::Done(BoardDone::Opened(door))));
        }
    }

    fn stop_events(&mut self, id: GateId, now: Timestamp) {
        let Some(set) = self.ask_board(id, &Ask::STOP_EVENTS) else { return };
        let Some(back) = self.ask_board(id, &Ask::Listener) else { return };
        if set != Answer::ListenerSet(true) || back.events_to().is_some() {
            return self.refused_by(id);
        }
        if self.vault(|v| v.record_board_act(id, "events-stopped", v.who(), now)).is_some() {
            self.say(StaffEvent::Boards(BoardsEvent::Done(BoardDone::EventsStopped)));
        }
    }

    /// A board answered that it would not, or says one thing and does another: staff are told instead of left to wonder.
    fn refused_by(&mut self, id: GateId) {
        let boards = self.vault(|v| v.boards()).unwrap_or_default();
        if let Some(board) = boards.into_iter().find(|board| board.id == id) {
            self.fail(Failure::Link(board.name, LinkError::Protocol));
        }
    }

    fn ask_board(&mut self, id: GateId, ask: &Ask) -> Option<Answer> {
        let board = self.vault(|v| v.boards())?.into_iter().find(|board| board.id == id)?;
        match self.board_link().ask(&board.address, Some(board.serial), ask, BOARD_LIMIT) {
            Ok((_, answer)) => Some(answer),
            Err(error) => {
                self.fail(Failure::Link(board.name, error));
                None
            }
        }
    }

    /// The card way test at a board: whether it holds the card so that its doors open today. `None` when it is no board.
    pub(super) fn board_card_way(&mut self, id: GateId, uid: &CardUid, now: Timestamp) -> Option<bool> {
        let board = self.vault(|v| v.boards())?.into_iter().find(|board| board.id == id)?;
        let Some(number) = board.format.number(uid) else { return Some(false) };
        let held = self.ask_board(id, &Ask::Card(number));
        let opens = matches!(held, Some(Answer::Card(Some(entry))) if entry.opens(board.doors, now.date()));
        if opens {
            self.vault(|v| v.record_card_way_test(id, v.who(), now));
        }
        Some(opens)
    }
}
