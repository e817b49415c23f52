//! Card boards as a second kind of gate: the real desk and courier against a board in software (a process of its own) over real UDP.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use menka::app::boards::{BoardDone, BoardView, BoardsCommand, BoardsEvent};
use menka::app::command::{Command, StaffCommand};
use menka::app::courier::Courier;
use menka::app::deletion::{Closing, DeletionCommand};
use menka::app::desk::{Desk, DeskConfig, Devices};
use menka::app::event::{Event, Failure, FieldFault, ResidentView, StaffEvent};
use menka::app::operators::OperatorsCommand;
use menka::app::relay::RelayEvent;
use menka::app::runner::SystemClock;
use menka::boards::{BoardListener, UdpBoards};
use menka::domain::Realm;
use menka::domain::board::{
    BoardCard, BoardDoors, BoardEntry, BoardFault, BoardRecord, BoardSerial, CardFormat, DoorNumber,
};
use menka::domain::card::CardUid;
use menka::domain::gate::{GateKind, GateStatus, Step};
use menka::domain::id::{GateId, ResidentId};
use menka::domain::notice::Language;
use menka::domain::relay::{Place, Wedged, reason};
use menka::domain::resident::AgeBand;
use menka::domain::site::SiteFacts;
use menka::domain::time::{CivilDate, Timestamp};
use menka::face::{self, EngineKind};
use menka::ports::{BoardLink, Clock, LinkError};
use menka::practice::{Controls, PictureCamera, PracticeReader};
use menka::secret::{Passphrase, random_bytes};
use menka::vault::{KdfCost, Vault, VaultError};
use menka::wire::board::{Answer, Ask, Slot};

use crate::day::{gate_program, models};
use crate::vault::site as small;

const LIMIT: Duration = Duration::from_millis(1_500);
const SERIAL: u32 = menka::practice::board::SERIAL;

/// A board in software. Ends when dropped.
pub struct Board {
    child: Child,
    said: BufReader<ChildStdout>,
    pub address: String,
}

impl Board {
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    pub fn start_at(listen: &str) -> Self {
        let mut child = Process::new(gate_program())
            .args(["--practice-board", "--listen", listen])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening: ").unwrap().to_owned();
        Self { child, said, address }
    }

    pub fn tell(&mut self, line: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        self.said.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }

    fn ask(&self, ask: Ask) -> Result<Answer, LinkError> {
        UdpBoards::new().ask(&self.address, BoardSerial::new(SERIAL), &ask, LIMIT).map(|(_, answer)| answer)
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A desk with one resident a card, and its courier, driven by hand.
struct Station {
    _folder: tempfile::TempDir,
    desk: Desk,
    courier: Courier,
    now: Timestamp,
    told: Vec<StaffEvent>,
}

const PASSPHRASE: &str = "the passphrase of 主管甲";

fn config(folder: &std::path::Path) -> DeskConfig {
    let kdf = KdfCost { memory_kib: 64, passes: 1, lanes: 1 }.into();
    DeskConfig { data_dir: folder.to_owned(), realm: Realm::Real, kdf }
}

fn devices(folder: &std::path::Path) -> Devices {
    let controls = Controls::default();
    Devices {
        camera: Box::new(PictureCamera::new(vec![], controls.clone())),
        engine: face::engine_for(EngineKind::Sface, &models(), &gate_program()),
        reader: Box::new(PracticeReader::new(controls)),
        link: menka::practice::drive::tls_links(),
        boards: menka::boards::links(),
        speech: Box::new(menka::speech::SystemSpeech::new()),
        printer: Box::new(menka::printing::SystemPrinter::new()),
        posture: menka::posture::this_machine(folder),
        chip: menka::chip::none(),
    }
}

impl Station {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let devices = devices(folder.path());
        let mut desk = Desk::new(config(folder.path()), devices);
        let now = SystemClock.now();
        desk.start(now);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let create =
            StaffCommand::CreateVault { operator: "主管甲".into(), passphrase, facts: SiteFacts::default() };
        desk.handle(Command::Staff(create), now);
        let courier = desk.take_courier().unwrap();
        let mut station = Self { _folder: folder, desk, courier, now, told: vec![] };
        for command in [
            OperatorsCommand::RecoveryKept,
            OperatorsCommand::ReadRules(Language::Chinese),
            OperatorsCommand::RulesReachedEnd,
            OperatorsCommand::SignRules("主管甲".into()),
        ] {
            station.staff(StaffCommand::Operators(command));
        }
        station.told.clear();
        station
    }

    /// The program is started again.
    fn again(self) -> Self {
        let Self { _folder, desk, courier, now, .. } = self;
        drop((desk, courier));
        let mut desk = Desk::new(config(_folder.path()), devices(_folder.path()));
        desk.start(now);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let events = desk.handle(Command::Staff(StaffCommand::Unlock { account: None, passphrase }), now);
        let courier = desk.take_courier().expect("unlocked");
        let mut station = Self { _folder, desk, courier, now, told: vec![] };
        station.take(events);
        station
    }

    /// What the log says was done at boards. The program has ended.
    fn acts(self) -> Vec<String> {
        let Self { _folder, desk, courier, now, .. } = self;
        drop((desk, courier));
        let vault = Vault::unlock(_folder.path(), Realm::Real, &Passphrase::new(PASSPHRASE.into()), now).unwrap();
        let records = vault.log_records(0, 10_000).unwrap();
        records.into_iter().filter(|record| record.what == "board-act").filter_map(|record| record.label).collect()
    }

    fn staff(&mut self, command: StaffCommand) {
        let events = self.desk.handle(Command::Staff(command), self.now);
        self.take(events);
    }

    fn boards(&mut self, command: BoardsCommand) {
        self.staff(StaffCommand::Boards(command));
    }

    fn take(&mut self, events: Vec<Event>) {
        self.told.extend(events.into_iter().filter_map(|event| match event {
            Event::Staff(event) => Some(event),
            _ => None,
        }));
    }

    /// The courier's rounds, a second apart, and the desk's tick after each.
    fn rounds(&mut self, count: i64) {
        for _ in 0..count {
            self.now = self.now.plus_ms(1_000);
            self.courier.pass(self.now).unwrap();
            let events = self.desk.tick(self.now);
            self.take(events);
        }
    }

    fn failures(&mut self) -> Vec<Failure> {
        let failed = |event: &StaffEvent| match event {
            StaffEvent::Failed(failure) => Some(failure.clone()),
            _ => None,
        };
        let failures = self.told.iter().filter_map(failed).collect();
        self.told.clear();
        failures
    }

    fn view(&self) -> BoardView {
        let told = |event: &StaffEvent| match event {
            StaffEvent::Boards(BoardsEvent::Told(views)) => Some(views.clone()),
            _ => None,
        };
        self.told.iter().rev().find_map(told).and_then(|views| views.into_iter().next()).expect("a board was told")
    }

    fn gate(&self) -> GateStatus {
        let told = |event: &StaffEvent| match event {
            StaffEvent::Gates(gates) => gates.iter().find(|gate| gate.kind == GateKind::Board).cloned(),
            _ => None,
        };
        self.told.iter().rev().find_map(told).expect("the board is among the gates")
    }

    fn opened(&self) -> ResidentView {
        let told = |event: &StaffEvent| match event {
            StaffEvent::Opened(view) => Some((**view).clone()),
            _ => None,
        };
        self.told.iter().rev().find_map(told).expect("a record is open")
    }

    fn add(&mut self, board: &Board) -> GateId {
        self.add_as(&board.address, "405419896", [true, false, false, false]);
        assert_eq!(self.failures_kept(), Vec::<&Failure>::new());
        assert!(self.told.contains(&StaffEvent::Boards(BoardsEvent::Done(BoardDone::Added))));
        self.view().board.id
    }

    fn failures_kept(&self) -> Vec<&Failure> {
        let mut failures = vec![];
        for event in &self.told {
            if let StaffEvent::Failed(failure) = event {
                failures.push(failure);
            }
        }
        failures
    }

    fn add_as(&mut self, address: &str, serial: &str, doors: [bool; 4]) {
        self.boards(BoardsCommand::Add {
            name: "地库门".into(),
            place: "2 号楼地下一层".into(),
            address: address.into(),
            serial: serial.into(),
            doors,
            format: CardFormat::Wiegand34,
        });
    }

    /// A new resident with this card for the board.
    fn resident(&mut self, name: &str, card: u32, gate: GateId) -> ResidentId {
        self.staff(StaffCommand::SaveResident {
            id: None,
            name: name.into(),
            unit: format!("3-{card}"),
            age_band: AgeBand::Adult,
            next_band_on: String::new(),
            ends_on: last_day(self.now).to_string(),
        });
        let id = self.opened().resident.id;
        self.staff(StaffCommand::IssueCard { resident: id, uid: uid(card), gates: vec![gate] });
        id
    }
}

fn uid(card: u32) -> CardUid {
    CardUid::from_bytes(&card.to_be_bytes()).unwrap()
}

fn last_day(now: Timestamp) -> CivilDate {
    now.date().plus_days(300)
}

fn entry(card: u32, now: Timestamp) -> BoardEntry {
    BoardEntry::of(BoardCard::new(card).unwrap(), last_day(now), BoardDoors::from_bits(1).unwrap())
}

fn held(board: &Board, card: u32) -> Option<BoardEntry> {
    match board.ask(Ask::Card(BoardCard::new(card).unwrap())).unwrap() {
        Answer::Card(entry) => entry,
        other => panic!("{other:?}"),
    }
}

// Shows: J10b
#[test]
fn a_card_reaches_a_board_as_it_reaches_a_gate_and_leaves_it_with_its_end() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    station.rounds(2);
    let resident = station.resident("王小明", 0x0456_7890, id);
    station.rounds(1);
    assert_eq!(held(&board, 0x0456_7890), Some(entry(0x0456_7890, station.now)));
    assert_eq!(board.tell(&format!("swipe {} 1", 0x0456_7890)), "opens");
    assert_eq!(board.tell(&format!("swipe {} 2", 0x0456_7890)), "shut", "the other doors stay shut");
    let card = station.opened().card.unwrap();
    assert_eq!(card.gates, [(id, "地库门".to_owned(), true)], "read back: counted as there");
    let status = station.gate();
    assert!(status.reachable && status.card_way_tested && status.pending == 0, "{status:?}");
    assert_eq!(status.version.as_deref(), Some("UHPPOTE 8.92"));
    station.staff(StaffCommand::TestCardWay(id));
    assert!(station.told.contains(&StaffEvent::CardWay(id, true)));

    // Another card for the same person: the old one leaves the board.
    station.staff(StaffCommand::IssueCard { resident, uid: uid(0x0456_7891), gates: vec![id] });
    station.rounds(1);
    assert_eq!(held(&board, 0x0456_7890), None);
    assert!(held(&board, 0x0456_7891).is_some());
    // Out of use: every card leaves.
    station.staff(StaffCommand::Deletion(DeletionCommand::RetireGate(id)));
    station.rounds(2);
    assert_eq!(board.tell("cards"), "0");
    assert_eq!(station.failures(), vec![]);
}

#[test]
fn what_was_lost_repeated_late_or_spoilt_on_the_wire_changes_nothing_in_the_end() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    for (n, mischief) in ["lose 3", "twice", "hold-back", "spoil 3", "pose-as 9"].into_iter().enumerate() {
        let card = 0x0500_0000 + u32::try_from(n).unwrap();
        board.tell(mischief);
        station.resident("李秀英", card, id);
        station.rounds(2);
        board.tell("well");
        // What did not get through is tried again after its pause, a minute at most.
        station.rounds(20);
        assert_eq!(held(&board, card), Some(entry(card, station.now)), "{mischief}");
        assert_eq!(station.gate().wedged, 0, "{mischief}");
    }
    assert_eq!(board.tell("cards"), "5");
    station.rounds(40);
    assert_eq!(station.view().seen.unwrap().drift_count, 0);
}

#[test]
fn a_board_that_says_yes_and_does_nothing_is_found_by_the_read_back() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    board.tell("deaf-to-puts");
    station.resident("张伟", 0x0500_0001, id);
    station.rounds(6);
    assert_eq!((station.gate().wedged, station.gate().card_way_tested), (1, false));
    assert_eq!(station.opened().card.unwrap().gates, [(id, "地库门".to_owned(), false)]);
    // Said for what it is: on the first page, on the board's, and on the person's.
    assert!(!matches!(station.gate().step(), Step::InStep), "{:?}", station.gate());
    assert_eq!(station.opened().places.card[0].place, Place::Refused(reason::READ_BACK.into()));
    let told = Wedged { gate: id, reason: reason::READ_BACK.into(), count: 1, still_tried: false };
    assert!(station.told.contains(&StaffEvent::Relay(RelayEvent::Wedged(vec![told]))));
    // Mended and described anew: what was refused goes again.
    board.tell("well");
    station.add(&board);
    station.rounds(2);
    assert!(held(&board, 0x0500_0001).is_some());
}

/// The write that ends somebody's way in.
#[test]
fn a_board_that_says_it_took_a_card_out_and_keeps_it_is_found_by_the_read_back() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    let resident = station.resident("张伟", 0x0500_0001, id);
    station.rounds(2);
    board.tell("deaf-to-deletes");
    station.staff(StaffCommand::Deletion(DeletionCommand::CloseRecord { resident, why: Closing::MovedOut }));
    station.rounds(3);
    assert_eq!((station.gate().wedged, station.gate().pending), (1, 0));
    assert!(!matches!(station.gate().step(), Step::InStep), "{:?}", station.gate());
    let told = Wedged { gate: id, reason: reason::READ_BACK.into(), count: 1, still_tried: false };
    assert!(station.told.contains(&StaffEvent::Relay(RelayEvent::Wedged(vec![told]))));
    assert_eq!(board.tell(&format!("swipe {} 1", 0x0500_0001)), "opens");
    // Out of use nobody looks at it any more: it goes on being asked, and is listed as what it is, after a new start too.
    station.staff(StaffCommand::Deletion(DeletionCommand::RetireGate(id)));
    station.rounds(40);
    let kept = |station: &mut Station| {
        let told = Wedged { gate: id, reason: reason::READ_BACK.into(), count: 1, still_tried: true };
        assert_eq!((station.gate().pending, station.gate().wedged), (1, 0));
        assert!(station.told.contains(&StaffEvent::Relay(RelayEvent::Wedged(vec![told]))));
    };
    kept(&mut station);
    let mut station = station.again();
    station.rounds(40);
    kept(&mut station);
    board.tell("well");
    station.rounds(70);
    assert_eq!(board.tell("cards"), "0");
    assert_eq!(board.tell(&format!("swipe {} 1", 0x0500_0001)), "shut");
}

#[test]
fn a_board_that_keeps_its_clock_or_its_listener_is_said_to_do_so() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    board.tell("deaf-to-time");
    board.tell("ahead 3600");
    station.rounds(12);
    let drift = station.gate().clock_drift_ms.unwrap();
    assert!(drift > 3_000_000, "what was read back, not what was said: {drift}");
    let to = "127.0.0.1:60001".parse().unwrap();
    assert_eq!(board.ask(Ask::SetListener(to, 0)), Ok(Answer::ListenerSet(true)));
    board.tell("deaf-to-listeners");
    station.rounds(6);
    station.told.clear();
    station.boards(BoardsCommand::StopEvents(id));
    assert!(!station.told.contains(&StaffEvent::Boards(BoardsEvent::Done(BoardDone::EventsStopped))));
    assert_eq!(station.failures(), vec![Failure::Link("地库门".into(), LinkError::Protocol)]);
    station.rounds(6);
    assert!(station.view().seen.unwrap().events_to.is_some(), "and the page goes on saying so");
}

/// The board opened, and its answer was lost: staff hear that it is away, and the log has to know that somebody asked.
#[test]
fn a_door_that_was_opened_without_an_answer_is_in_the_log() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    station.rounds(1);
    board.tell("lose 50");
    station.boards(BoardsCommand::OpenDoor(id, DoorNumber::new(2).unwrap()));
    assert!(board.tell("opened 2").parse::<u32>().unwrap() >= 1);
    assert_eq!(station.failures(), vec![Failure::Link("地库门".into(), LinkError::Away)]);
    board.tell("well");
    station.boards(BoardsCommand::OpenDoor(id, DoorNumber::new(2).unwrap()));
    assert_eq!(station.acts(), ["door-unanswered", "door-opened"]);
}

#[test]
fn a_board_that_differs_is_an_alarm_within_a_minute_and_one_press_mends_it() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    for card in 1..=70 {
        // More than are read in one round.
        station.resident("周", 0x0600_0000 + card, id);
    }
    station.rounds(5);
    assert_eq!(station.view().seen.unwrap().drift_count, 0);
    board.tell("add 777777");
    board.tell(&format!("forget {}", 0x0600_0003));
    board.tell(&format!("shut-door {}", 0x0600_0004));
    // Less than what an idle desk locks after.
    station.rounds(45);
    let seen = station.view().seen.unwrap();
    let faults: Vec<(BoardFault, &str)> = seen.drift.iter().map(|line| (line.fault, line.last4.as_str())).collect();
    let last4 = |n: u32| format!("{:04}", (0x0600_0000 + n) % 10_000);
    assert_eq!((station.gate().step(), station.gate().in_step), (Step::Differs(3), Some(false)));
    let expected =
        [(BoardFault::Extra, "7777".to_owned()), (BoardFault::Missing, last4(3)), (BoardFault::Differs, last4(4))];
    assert_eq!(faults, expected.iter().map(|(f, s)| (*f, s.as_str())).collect::<Vec<_>>());
    assert_eq!(board.tell("swipe 777777 1"), "opens", "nothing is changed at the board before somebody says so");

    station.boards(BoardsCommand::Mend(id));
    station.rounds(12);
    let seen = station.view().seen.unwrap();
    assert_eq!((seen.drift_count, seen.cards), (0, 70));
    assert_eq!((station.gate().step(), station.gate().in_step), (Step::InStep, Some(true)));
    assert_eq!(board.tell("swipe 777777 1"), "shut");
    assert_eq!(board.tell(&format!("swipe {} 1", 0x0600_0003)), "opens");
    assert_eq!(board.tell(&format!("swipe {} 1", 0x0600_0004)), "opens");
    assert_eq!(station.failures(), vec![]);
}

/// A list that takes several rounds was begun anew with every card that the desk wrote, and never came to its end while the page said "in step".
#[test]
fn a_board_with_many_cards_is_compared_while_cards_go_to_it() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    for card in 1..=200 {
        station.resident("周", 0x0600_0000 + card, id);
    }
    station.rounds(12);
    assert_eq!((station.gate().step(), station.view().seen.unwrap().cards), (Step::InStep, 200));
    let compared_at = station.gate().compared_at.unwrap();
    board.tell("add 777777");
    board.tell(&format!("forget {}", 0x0600_0003));
    for more in 201..=222 {
        // Before each list is through there is another card.
        station.resident("吴", 0x0600_0000 + more, id);
        station.rounds(2);
    }
    let seen = station.view().seen.unwrap();
    let faults: Vec<BoardFault> = seen.drift.iter().map(|line| line.fault).collect();
    assert!(station.gate().compared_at.unwrap() > compared_at);
    assert_eq!(faults, [BoardFault::Extra, BoardFault::Missing], "and none of the cards that went there meanwhile");
    assert_eq!((station.gate().step(), station.failures()), (Step::Differs(2), vec![]));
}

/// At 64 places a round, one a second, a board of 5,000 cards was compared every two minutes.
#[test]
fn a_long_list_is_read_on_while_nothing_waits_and_left_at_once_when_somebody_rings() {
    let (mut board, mut station) = (Board::start(), Station::new());
    station.add(&board);
    (1..=5_000).for_each(|card| drop(board.tell(&format!("add {card}"))));
    let shared = Arc::clone(station.courier.shared());
    let asked = |board: &mut Board| board.tell("asked").parse::<u32>().unwrap();
    let before = asked(&mut board);
    shared.ring();
    station.rounds(1);
    let questions = asked(&mut board) - before;
    assert!((64..80).contains(&questions), "one go and the look at the board: {questions}");
    // One that answers slowly keeps nobody waiting for a whole go of it.
    board.tell("slow 100");
    let before = asked(&mut board);
    shared.wait(Duration::ZERO);
    station.rounds(1);
    let questions = asked(&mut board) - before;
    assert!((1..=10).contains(&questions), "as many as go into a round: {questions}");
    board.tell("well");
    let mut rounds = 0;
    while station.gate().step() != Step::Differs(5_000) {
        rounds += 1;
        assert!(rounds < 40, "64 a round would be 78");
        shared.wait(Duration::ZERO);
        station.rounds(1);
    }
    assert_eq!(station.failures(), vec![]);
}

#[test]
fn two_cards_that_a_board_cannot_tell_apart_never_lock_each_other_out() {
    let (mut board, mut station) = (Board::start(), Station::new());
    station.boards(BoardsCommand::Add {
        name: "地库门".into(),
        place: String::new(),
        address: board.address.clone(),
        serial: "405419896".into(),
        doors: [true, false, false, false],
        format: CardFormat::Wiegand26,
    });
    let id = station.view().board.id;
    // The low three bytes are the same: 0x567890 is 86,30864.
    let first = station.resident("王小明", 0x0456_7890, id);
    station.rounds(1);
    station.resident("李秀英", 0x0556_7890, id);
    station.rounds(1);
    assert_eq!(station.gate().wedged, 1, "said, not overwritten");
    assert_eq!(board.tell("swipe 8630864 1"), "opens");
    // The first card ends; the second may have the place once staff try again.
    station.staff(StaffCommand::IssueCard { resident: first, uid: uid(0x0456_1111), gates: vec![id] });
    station.rounds(1);
    assert_eq!(board.tell("swipe 8630864 1"), "opens", "the number still belongs to somebody");
    station.add_as(&board.address.clone(), "405419896", [true, false, false, false]);
    station.rounds(3);
    assert_eq!(station.gate().wedged, 0);
}

#[test]
fn the_clock_of_a_board_is_set_and_read_back() {
    let (mut board, mut station) = (Board::start(), Station::new());
    board.tell("ahead 86400");
    station.add(&board);
    station.now = SystemClock.now();
    station.rounds(1);
    let drift = station.gate().clock_drift_ms.unwrap();
    assert!(drift.abs() < 5_000, "{drift}");
    let Answer::Time(Some(clock)) = board.ask(Ask::Time).unwrap() else { panic!("no time") };
    assert!(clock.since(SystemClock.now()).abs() < 5_000);
}

#[test]
fn a_board_is_added_only_under_its_own_serial_number_and_on_the_lan() {
    let (board, mut station) = (Board::start(), Station::new());
    let address = board.address.clone();
    let door = [true, false, false, false];
    let mut refused = |address: &str, serial: &str, doors: [bool; 4]| {
        station.add_as(address, serial, doors);
        station.failures()
    };
    let link = |error| vec![Failure::Link("地库门".into(), error)];
    assert_eq!(refused(&address, "405419897", door), link(LinkError::OtherBoard));
    assert_eq!(refused("8.8.8.8:60000", "405419896", door), link(LinkError::NotLan));
    assert_eq!(refused("127.0.0.1:9", "405419896", door), link(LinkError::Away));
    let field = vec![Failure::Field(FieldFault::Board)];
    assert_eq!(refused(&address, "abc", door), field);
    assert_eq!(refused(&address, "405419896", [false; 4]), field);
    assert_eq!(refused(&address, "405419896", door), vec![]);
}

#[test]
fn a_board_that_is_away_keeps_its_queue_and_gets_it_when_it_is_back() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    station.rounds(1);
    board.kill();
    station.resident("王小明", 0x0700_0001, id);
    let begun = Instant::now();
    station.rounds(3);
    assert!(begun.elapsed() < Duration::from_secs(9), "an absent board does not hold up the round");
    let status = station.gate();
    assert_eq!((status.reachable, status.pending), (false, 1));
    assert!(!matches!(status.step(), Step::InStep), "{status:?}");
    let board = Board::start_at(&board.address.clone());
    station.rounds(30);
    assert!(station.gate().reachable);
    assert!(held(&board, 0x0700_0001).is_some());
}

#[test]
fn a_door_is_opened_once_and_events_to_others_are_seen_and_stopped() {
    let (mut board, mut station) = (Board::start(), Station::new());
    let id = station.add(&board);
    station.boards(BoardsCommand::OpenDoor(id, DoorNumber::new(2).unwrap()));
    assert_eq!((board.tell("opened 2"), board.tell("opened 1")), ("1".into(), "0".into()));
    let to = "10.1.2.3:60001".parse().unwrap();
    assert_eq!(board.ask(Ask::SetListener(to, 0)), Ok(Answer::ListenerSet(true)));
    station.rounds(6);
    assert_eq!(station.view().seen.unwrap().events_to.as_deref(), Some("10.1.2.3:60001"));
    station.boards(BoardsCommand::StopEvents(id));
    assert!(station.told.contains(&StaffEvent::Boards(BoardsEvent::Done(BoardDone::EventsStopped))));
    assert_eq!(board.ask(Ask::Listener).unwrap().events_to(), None);
    assert_eq!(station.failures(), vec![]);
}

#[test]
fn listening_hears_everybody_who_passes_from_the_first_moment_and_from_that_board_only() {
    let mut board = Board::start();
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let std::net::SocketAddr::V4(to) = free else { panic!("not of version 4") };
    let listener = BoardListener::at(free, BoardSerial::new(SERIAL).unwrap()).unwrap();
    // The address is taken: a second one says so before it has changed anything at the board.
    assert_eq!(BoardListener::at(free, BoardSerial::new(SERIAL).unwrap()).err(), Some(LinkError::Away));
    board.ask(Ask::SetListener(to, 0)).unwrap();
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for door in 1..=4 {
        stranger.send_to(&[0x17; 64], to).unwrap();
        board.tell(&format!("swipe 4242 {door}"));
    }
    // All four passed before anybody looked: none of them is lost.
    for door in 1..=4 {
        let event = listener.next(Duration::from_secs(20)).expect("an event");
        assert_eq!((event.door, event.granted, event.card.map(BoardCard::get)), (door, false, Some(4_242)));
    }
    assert!(listener.next(Duration::from_millis(100)).is_none());
}

#[test]
fn the_list_of_a_board_ends_and_freed_places_are_passed_over() {
    let mut board = Board::start();
    for card in [11, 12, 13] {
        board.tell(&format!("add {card}"));
    }
    board.tell("forget 12");
    let at = |index| board.ask(Ask::CardAt(index)).unwrap();
    assert!(matches!(at(1), Answer::CardAt(Slot::Held(_))));
    assert_eq!((at(2), at(4)), (Answer::CardAt(Slot::Freed), Answer::CardAt(Slot::End)));
    assert_eq!(board.ask(Ask::Count), Ok(Answer::Count(2)));
}

// Shows: L2-2
#[test]
fn a_board_never_gets_a_face_whatever_asks_for_it() {
    let (_folder, mut vault) = small::new_vault(Realm::Real);
    let gate = small::gate(&mut vault, "东门");
    let board = BoardRecord {
        id: GateId::from_bytes(random_bytes()),
        name: "地库门".into(),
        place: String::new(),
        address: "192.168.20.5:60000".into(),
        serial: BoardSerial::new(SERIAL).unwrap(),
        doors: BoardDoors::from_bits(1).unwrap(),
        format: CardFormat::Wiegand26,
    };
    let id = vault.record_board(&board, small::NOW).unwrap();
    assert_eq!(vault.boards().unwrap(), [BoardRecord { id, ..board.clone() }]);
    assert!(vault.gates().unwrap().iter().all(|gate| gate.id != id), "no list for faces has it");
    assert_eq!(vault.doors_ever().unwrap().len(), 2);
    let reader = small::reader(&mut vault, "王小明", "3-1201", 0x0456_7890, &[gate, id]);
    assert!(reader.consent(&mut vault, &[gate, id]).is_err(), "a consent that names a board is not recorded");
    let _consented = reader.consent(&mut vault, &[gate]).unwrap();
    // Stopping all faces tells the gate and not the board.
    let by = menka::domain::audit::Actor::Station;
    assert_eq!(vault.stop_faces(None, by, small::NOW).unwrap(), 1);
    assert!(matches!(vault.stop_faces(Some(id), by, small::NOW), Err(VaultError::Unknown)));
    let next = vault.next_due(id, small::NOW).unwrap().unwrap();
    assert!(matches!(next.what, menka::domain::delivery::GateOp::PutCard { .. }));
    vault.record_board_done(next.op, id, "menka board read-back 1: a test", small::NOW).unwrap();
    assert!(vault.audit().unwrap().is_sound(), "an unsigned read-back is part of the evidence, as such");
    // Described anew under the same serial number: the same board, its cards again when other doors are meant.
    let again = BoardRecord { doors: BoardDoors::from_bits(3).unwrap(), name: "车库".into(), ..board };
    assert_eq!(vault.record_board(&again, small::NOW).unwrap(), id);
    assert_eq!(vault.boards().unwrap()[0].name, "车库");
    assert!(vault.next_due(id, small::NOW).unwrap().is_some());
    let _: &Vault = &vault;
}
