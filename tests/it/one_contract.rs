//! One contract for every kind of gate: the same acts at the same desk, with the same words of it, for a gate of ours and for a card board, each a
//! process of its own. What only one of them can (a face, a receipt) has tests of its own.

use std::time::{Duration, Instant};

use menka::app::boards::BoardsCommand;
use menka::app::command::StaffCommand;
use menka::app::deletion::{Closing, DeletionCommand};
use menka::app::relay::RelayCommand;
use menka::domain::board::CardFormat;
use menka::domain::gate::{GateKind, GateStatus, Step};
use menka::domain::relay::Place;
use menka::domain::role::LookWhy;
use menka::practice::drive::Drive;
use menka::practice::practice_card;
use menka::practice::site::GateProcess;

use super::boards::Board;
use super::day::gate_program;
use super::relay::{drive_in, tamper};

const LIMIT: Duration = Duration::from_secs(60);
const NAME: &str = "东门";

/// What stands at the door.
enum Door {
    Gate(GateProcess),
    Board(Board),
}

impl Door {
    fn kind(&self) -> GateKind {
        match self {
            Self::Gate(_) => GateKind::Signing,
            Self::Board(_) => GateKind::Board,
        }
    }

    fn join(&self, drive: &mut Drive) {
        match self {
            Self::Gate(gate) => drive.pair(gate, NAME),
            Self::Board(board) => drive.staff(StaffCommand::Boards(BoardsCommand::Add {
                name: NAME.into(),
                place: "东侧".into(),
                address: board.address.clone(),
                serial: menka::practice::board::SERIAL.to_string(),
                doors: [true, false, false, false],
                format: CardFormat::Wiegand34,
            })),
        }
    }

    /// Somebody holds a card to its reader.
    fn opens(&mut self, card: usize) -> bool {
        let uid = practice_card(card).unwrap();
        match self {
            Self::Gate(gate) => gate.opens_for(&uid).unwrap(),
            Self::Board(board) => board.tell(&format!("swipe {} 1", number(card))) == "opens",
        }
    }

    /// Behind the desk's back: this card is gone, and there is one that nobody issued.
    fn change(&mut self, card: usize) {
        match self {
            Self::Gate(gate) => tamper(gate, "DELETE FROM cards; INSERT INTO cards VALUES (x'DEADBEEF', 99999)"),
            Self::Board(board) => {
                board.tell("add 777777");
                board.tell(&format!("forget {}", number(card)));
            }
        }
    }

    /// An hour behind.
    fn slow(&mut self) {
        match self {
            Self::Gate(gate) => {
                let address = gate.address.clone();
                gate.kill();
                tamper(gate, "INSERT INTO clock_set (one, offset_ms, set_at) VALUES (1, -3600000, 0)");
                gate.restart(&address).unwrap();
            }
            Self::Board(board) => drop(board.tell("ahead 3600")),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Gate(gate) => gate.kill(),
            Self::Board(board) => board.kill(),
        }
    }

    /// With what it held.
    fn start(&mut self, drive: &mut Drive) {
        match self {
            Self::Gate(gate) => {
                let address = gate.address.clone();
                gate.restart(&address).unwrap();
            }
            // One in software forgets; a real one does not. What it lacks is a difference, and put right by a press.
            Self::Board(board) => {
                *board = Board::start_at(&board.address.clone());
                until(drive, "the list that is gone", |seen| matches!(seen.step(), Step::Differs(_)));
                press(drive, GateKind::Board);
            }
        }
    }
}

/// The number that a board's reader makes of a card.
fn number(card: usize) -> u32 {
    let uid = practice_card(card).unwrap();
    u32::from_be_bytes(*uid.bytes().last_chunk::<4>().unwrap())
}

fn seen(drive: &Drive) -> GateStatus {
    drive.gates.iter().find(|gate| gate.name == NAME).expect("it is on the first screen").clone()
}

fn until(drive: &mut Drive, what: &str, holds: impl Fn(&GateStatus) -> bool) {
    let begun = Instant::now();
    loop {
        drive.deliver().unwrap();
        drive.tick();
        let seen = seen(drive);
        if holds(&seen) {
            return;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain for {what}: {:?} {seen:?}", drive.failures);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The button beside the difference.
fn press(drive: &mut Drive, kind: GateKind) {
    let id = seen(drive).id;
    match kind {
        GateKind::Signing => drive.staff(StaffCommand::Relay(RelayCommand::Repair(id))),
        GateKind::Board => drive.staff(StaffCommand::Boards(BoardsCommand::Mend(id))),
    }
}

#[test]
fn a_gate_and_a_card_board_answer_to_one_contract() {
    for make in [
        (|folder| Door::Gate(GateProcess::start(&gate_program(), folder, 0).unwrap())) as fn(&std::path::Path) -> Door,
        |_| Door::Board(Board::start()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut drive = drive_in(folder.path());
        drive.hasten();
        drive.create();
        let mut door = make(&folder.path().join("gate"));
        let kind = door.kind();
        door.join(&mut drive);
        assert_eq!(drive.failures, vec![], "{kind:?}");

        // Health, and "in step" only after a comparison.
        until(&mut drive, "health", |seen| seen.reachable && seen.step() == Step::InStep);
        assert_eq!(seen(&drive).kind, kind);

        // Put, with what is read back on the person's page.
        let resident = drive.add("王小明", "1-101").unwrap();
        drive.issue(resident, 0).unwrap();
        until(&mut drive, "the card", |seen| seen.pending == 0 && seen.step() == Step::InStep);
        assert!(door.opens(0), "{kind:?}");
        let places = drive.opened.clone().unwrap().places.card;
        assert_eq!(places.iter().map(|at| at.place.clone()).collect::<Vec<_>>(), [Place::Synced], "{kind:?}");

        // List and compare: what it lacks and what it has too much is an alarm, changed by a press and not before.
        door.change(0);
        until(&mut drive, "the alarm", |seen| seen.step() == Step::Differs(2));
        assert!(!door.opens(0), "{kind:?}");
        press(&mut drive, kind);
        until(&mut drive, "it to be put right", |seen| seen.step() == Step::InStep);
        assert!(door.opens(0), "{kind:?}");

        // Set the clock: a board's by itself, for it has no record that a clock could spoil; a gate's by a press.
        door.slow();
        if kind == GateKind::Signing {
            until(&mut drive, "the drift", |seen| seen.clock_drift_ms.is_some_and(|ms| ms < -3_000_000));
            let id = seen(&drive).id;
            drive.staff(StaffCommand::Relay(RelayCommand::SetClock(id)));
        }
        until(&mut drive, "the clock", |seen| seen.reachable && seen.clock_drift_ms.is_some_and(|ms| ms.abs() < 5_000));

        // Away: what waits is counted, and done when it is back.
        door.stop();
        until(&mut drive, "it to be away", |seen| !seen.reachable);
        let other = drive.add("李阿姨", "1-102").unwrap();
        drive.issue(other, 1).unwrap();
        until(&mut drive, "what waits", |seen| seen.pending == 1 && seen.oldest_pending_at.is_some());
        assert_ne!(seen(&drive).step(), Step::InStep);
        door.start(&mut drive);
        until(&mut drive, "the second card", |seen| seen.reachable && seen.step() == Step::InStep);
        assert!(door.opens(0) && door.opens(1), "{kind:?}");

        // Erase: the end of a record takes its card out, the other one stays.
        drive.staff(StaffCommand::OpenResident(resident, LookWhy::Card));
        drive.staff(StaffCommand::Deletion(DeletionCommand::CloseRecord { resident, why: Closing::MovedOut }));
        until(&mut drive, "the end", |seen| seen.step() == Step::InStep);
        assert!(!door.opens(0) && door.opens(1), "{kind:?}");
        assert_eq!(drive.failures, vec![], "{kind:?}");
    }
}
