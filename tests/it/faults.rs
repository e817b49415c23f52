//! What goes wrong at a desk, one test a fault: each says exactly what happened, loses nothing, and works again once it is mended. Real
//! parts throughout (vault, engine child, TLS, gate processes); only camera and card reader are practice devices.

mod aids;
mod another_face;
mod card_first;
mod clocks;
mod devices;
mod disks;
mod gates;
mod papers;
mod rollback;
mod visits;

use std::path::Path;
use std::time::{Duration, Instant};

use menka::app::command::{Command, ResidentCommand, StaffCommand};
use menka::app::event::{Event, Failure, ResidentScene};
use menka::app::operators::OperatorsCommand;
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::card::CardUid;
use menka::domain::id::ResidentId;
use menka::domain::resident::AgeBand;
use menka::domain::time::Timestamp;
use menka::face::{self, EngineKind};
use menka::ports::Clock;
use menka::practice::drive::Drive;
use menka::practice::site::{GateProcess, PASSPHRASE};
use menka::practice::{PracticeAct, people, practice_card};
use menka::secret::Passphrase;
use menka::vault::Vault;

use super::day::{gate_program, models, pictures};

/// A desk with running, paired gates. Fields end in this order.
struct Site {
    drive: Drive,
    gates: Vec<GateProcess>,
    folder: tempfile::TempDir,
}

const NAMES: [&str; 3] = ["东门", "西门", "北门"];

fn site(gates: usize) -> Site {
    site_in(tempfile::tempdir().unwrap(), &vec![&[][..]; gates])
}

/// One gate for each list of options of `menka-gate init`.
fn site_in(folder: tempfile::TempDir, options: &[&[&str]]) -> Site {
    let drive = drive_in(folder.path());
    site_of(folder, drive, options)
}

fn site_of(folder: tempfile::TempDir, mut drive: Drive, options: &[&[&str]]) -> Site {
    drive.create();
    assert_eq!(drive.failures, vec![]);
    let mut gates = vec![];
    for (number, options) in options.iter().enumerate() {
        init_gate(&folder.path().join(format!("gate{number}")), "practice", options);
        let gate = start_gate(folder.path(), number);
        drive.pair(&gate, NAMES[number]);
        gates.push(gate);
    }
    assert_eq!(drive.failures, vec![]);
    drive.deliver().unwrap();
    drive.tick();
    assert_eq!(drive.gates.iter().filter(|g| g.reachable).count(), gates.len());
    Site { drive, gates, folder }
}

/// A locked desk over a folder, as a program that was just started.
fn drive_in(folder: &Path) -> Drive {
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    Drive::new(folder, engine, people(&pictures()).expect("make pictures fetches them"))
}

fn init_gate(folder: &Path, realm: &str, options: &[&str]) {
    let data = folder.to_string_lossy().into_owned();
    let run = std::process::Command::new(gate_program())
        .args(["init", "--data", &data, "--realm", realm])
        .args(options)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Starts gate `number`; makes its store when there is none.
fn start_gate(folder: &Path, number: usize) -> GateProcess {
    GateProcess::start(&gate_program(), &folder.join(format!("gate{number}")), number).unwrap()
}

impl Site {
    /// A resident whose card every gate has signed for; no record is open afterwards.
    fn resident(&mut self, name: &str, card: usize) -> ResidentId {
        let resident = self.drive.add(name, &format!("{}-101", card + 1)).unwrap();
        self.drive.issue(resident, card).unwrap();
        let view = self.drive.opened.as_ref().and_then(|v| v.card.clone()).expect("the card comes first");
        assert!(view.gates.iter().all(|(_, _, there)| *there), "every gate signed for the card");
        self.drive.staff(StaffCommand::CloseResident);
        resident
    }

    /// From the idle screen to a camera that shows somebody.
    fn camera_on(&mut self, card: usize) {
        self.drive.ask_for_face(card).unwrap();
        self.drive.read_and_consent().unwrap();
        assert!(matches!(self.drive.scene, ResidentScene::Camera { .. }), "{:?}", self.drive.scene);
        let before = self.drive.previews;
        self.drive.until("a picture", Duration::from_secs(10), |d| d.previews > before).unwrap();
    }

    /// With nobody before it, so that the capture does not end by itself.
    fn camera_on_nobody(&mut self, card: usize) {
        self.drive.controls.act(PracticeAct::Nobody);
        self.camera_on(card);
        self.drive.controls.act(PracticeAct::Seat(0));
    }

    /// The camera is dark: for half a second no picture comes.
    fn assert_dark(&mut self) {
        let (before, start) = (self.drive.previews, Instant::now());
        while start.elapsed() < Duration::from_millis(500) {
            self.drive.tick();
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.drive.previews, before, "the camera is dark");
    }

    /// Delivers until every gate is free of faces.
    fn assert_faces_gone(&mut self) {
        let start = Instant::now();
        loop {
            self.drive.deliver().unwrap();
            if self.gates.iter_mut().all(|gate| gate.faces().unwrap() == 0) {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "the erasures reach the gates");
            std::thread::sleep(Duration::from_millis(100));
        }
        self.drive.tick();
    }

    fn assert_card_opens(&mut self, card: usize) {
        for gate in &mut self.gates {
            assert!(gate.opens_for(&uid(card)).unwrap(), "the card works");
        }
    }

    /// Back on the idle screen, the whole way works and the gates know the person.
    fn assert_enrolls(&mut self, card: usize) {
        self.drive.controls.act(PracticeAct::Seat(0));
        self.drive.resident(ResidentCommand::Back);
        assert!(self.drive.enroll(card).unwrap(), "{:?}", self.drive.failures);
    }

    /// Locks the desk and opens its vault beside it.
    fn vault(&mut self) -> Vault {
        self.drive.staff(StaffCommand::Lock);
        Vault::unlock(self.drive.data(), Realm::Practice, &passphrase(), SystemClock.now()).unwrap()
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.into())
}

fn uid(card: usize) -> CardUid {
    practice_card(card).unwrap()
}

/// What a keyboard-wedge reader types for a practice card.
fn typed(card: usize) -> String {
    uid(card).bytes().iter().map(|b| format!("{b:02X}")).collect()
}

fn in_days(days: i64) -> Timestamp {
    SystemClock.now().plus_ms(days * 86_400_000)
}

/// The last scene among events of a desk that is driven at a time of its own.
fn scene_of(events: &[Event]) -> Option<ResidentScene> {
    events.iter().rev().find_map(|event| match event {
        Event::Resident(scene) => Some(scene.clone()),
        _ => None,
    })
}

/// Somebody is at the staff window at this time.
fn awake_at(drive: &mut Drive, now: Timestamp) {
    drive.desk.handle(Command::Staff(StaffCommand::Operators(OperatorsCommand::Awake)), now);
}

fn resident_at(drive: &mut Drive, command: ResidentCommand, now: Timestamp) -> Vec<Event> {
    drive.desk.handle(Command::Resident(command), now)
}

fn add_minor(drive: &mut Drive, name: &str, unit: &str, age_band: AgeBand, next: i64) -> ResidentId {
    drive.staff(StaffCommand::SaveResident {
        id: None,
        name: name.into(),
        unit: unit.into(),
        age_band,
        next_band_on: in_days(next).date().to_string(),
        ends_on: in_days(300).date().to_string(),
    });
    drive.opened.as_ref().expect("the record opens").resident.id
}

fn ended(scene: &ResidentScene) -> Option<(Option<Failure>, bool)> {
    match scene {
        ResidentScene::Ended { failure, may_retry } => Some((failure.clone(), *may_retry)),
        _ => None,
    }
}

/// The failure on the tap screen.
fn tap_failure(scene: &ResidentScene) -> Option<Failure> {
    match scene {
        ResidentScene::TapCard { failure, .. } => failure.clone(),
        _ => None,
    }
}
