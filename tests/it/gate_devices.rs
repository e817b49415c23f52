//! A gate's own reader and camera, as processes: a card that is typed or laid opens the door, a known face opens it, a stranger does not.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::ResidentScene;
use menka::domain::Realm;
use menka::ports::GateLink;
use menka::practice::drive::Drive;
use menka::practice::practice_card;
use menka::practice::site::GateProcess;
use menka::wire::frame::decode;
use menka::wire::message::{Outcome, Receipt, Reply, Request};

use crate::day::{engine, gate_program, persons};
use crate::gate::{Daemon, Site, put_card};

const LIMIT: Duration = Duration::from_secs(10);

/// A door that writes a line each time it is opened.
pub struct CountingDoor(PathBuf);

impl CountingDoor {
    pub fn new(folder: &Path) -> Self {
        Self(folder.join("opened"))
    }

    /// Its part of `gate.toml`.
    pub fn file(&self) -> String {
        format!(
            "[door]\nopen = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"echo open >> '{}'\"]\n",
            self.0.display()
        )
    }

    pub fn count(&self) -> usize {
        std::fs::read_to_string(&self.0).map_or(0, |text| text.lines().count())
    }

    /// Waits until it was opened this often.
    pub fn wait(&self, count: usize, within: Duration, what: &str) {
        let begun = Instant::now();
        while self.count() < count {
            assert!(begun.elapsed() < within, "{what}: opened {} times", self.count());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.count(), count, "{what}");
    }

    /// Watches that it is not opened again.
    pub fn stays(&self, count: usize, time: Duration, what: &str) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            assert_eq!(self.count(), count, "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Types a line where the gate reads cards.
fn type_line(daemon: &mut Daemon, line: &str) {
    let input = daemon.child.stdin.as_mut().unwrap();
    writeln!(input, "{line}").unwrap();
    input.flush().unwrap();
}

fn status(site: &Site) -> String {
    String::from_utf8_lossy(&site.gate(&["status"]).stdout).into_owned()
}

// Shows: J10a
#[test]
fn a_card_typed_at_a_real_gate_opens_its_door_once_and_is_written_down() {
    let site = Site::new(Realm::Real);
    let door = CountingDoor::new(&site.data());
    std::fs::write(site.data().join("gate.toml"), door.file()).unwrap();
    let mut daemon = site.run_with(&["--reader", "stdin"]);
    let record = site.record(&daemon);
    let reply = site.link().ask(&record, &put_card(&[4, 0xa1, 0xb2, 0xc3]), LIMIT).unwrap();
    assert!(matches!(reply, Reply::Done(_)));
    assert!(status(&site).contains("card seen to open: no"));

    type_line(&mut daemon, "04:A1:B2:C3");
    door.wait(1, LIMIT, "the card opens");
    type_line(&mut daemon, "04A1B2C3");
    type_line(&mut daemon, "hello");
    type_line(&mut daemon, "04A1B2C4");
    door.stays(1, Duration::from_millis(1_500), "repeated at once, nonsense, and a card that does not let in");
    std::thread::sleep(Duration::from_secs(1));
    type_line(&mut daemon, "04A1B2C3");
    door.wait(2, LIMIT, "the same card, later");
    let said = status(&site);
    for line in ["openings recorded: 2", "card seen to open: yes"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(daemon.is_running());
    drop(daemon.child.stdin.take());
    let begun = Instant::now();
    while daemon.is_running() {
        assert!(begun.elapsed() < LIMIT, "the gate ends with its input");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_wrong_reader_or_file_stops_the_start() {
    let site = Site::unpaired(Realm::Real);
    let said = site.gate(&["run", "--listen", "127.0.0.1:0", "--reader", "usb"]);
    assert!(!said.status.success() && String::from_utf8_lossy(&said.stderr).contains("pcsc or stdin"));
    std::fs::write(site.data().join("gate.toml"), "[camera]\nnear = 2.0").unwrap();
    let said = site.gate(&["run", "--listen", "127.0.0.1:0"]);
    assert!(!said.status.success() && String::from_utf8_lossy(&said.stderr).contains("near: 0.03 to 0.6"));
}

/// A desk with one paired gate that has devices of its own, and one person with card and face there.
struct Place {
    folder: tempfile::TempDir,
    drive: Drive,
    gate: GateProcess,
    door: CountingDoor,
}

impl Place {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("gate");
        let init = ["init", "--data", data.to_str().unwrap(), "--realm", "practice"];
        assert!(Command::new(gate_program()).args(init).output().unwrap().status.success());
        let door = CountingDoor::new(folder.path());
        std::fs::write(data.join("gate.toml"), format!("{}[camera]\ndevice = \"practice\"\n{more}", door.file()))
            .unwrap();
        let gate = GateProcess::start(&gate_program(), &data, 0).unwrap();
        let mut drive = Drive::new(folder.path(), engine(), persons());
        drive.create();
        drive.pair(&gate, "东门");
        drive.deliver().unwrap();
        drive.tick();
        let resident = drive.add("周", "1-1").unwrap();
        drive.issue(resident, 0).unwrap();
        drive.staff(StaffCommand::CloseResident);
        Self { folder, drive, gate, door }
    }

    fn stand(&mut self, who: &str) {
        assert_eq!(self.gate.ask(&format!("stand {who}")).unwrap(), "done");
    }

    /// Nobody stands there for long enough that the next approach is a new one.
    fn go(&mut self) {
        self.stand("nobody");
        std::thread::sleep(Duration::from_secs(2));
    }

    fn openings(&self) -> String {
        let data = self.folder.path().join("gate");
        let status = ["status", "--realm", "practice", "--data", data.to_str().unwrap()];
        let said = Command::new(gate_program()).args(status).output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        said.lines().find_map(|line| line.strip_prefix("openings recorded: ")).unwrap_or_default().to_owned()
    }

    fn withdraw(&mut self) {
        self.drive.resident(ResidentCommand::AskWithdraw);
        self.drive.tap_card(0).unwrap();
        self.drive.resident(ResidentCommand::ConfirmWithdraw);
        self.drive.deliver().unwrap();
        self.drive.tick();
        assert!(matches!(self.drive.scene, ResidentScene::Withdrawn { .. }), "{:?}", self.drive.scene);
        assert_eq!(self.gate.faces().unwrap(), 0);
    }

    /// Names and sizes of what lies in the gate's folder.
    fn files(&self) -> (Vec<String>, u64) {
        let mut found: Vec<(String, u64)> = std::fs::read_dir(self.folder.path().join("gate"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
            .collect();
        found.sort();
        (found.iter().map(|(name, _)| name.clone()).collect(), found.iter().map(|(_, size)| size).sum())
    }
}

/// The children of a process, from the kernel's list.
fn children(parent: u32) -> Vec<u32> {
    let mut found = vec![];
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let of = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)).and_then(|id| id.parse::<u32>().ok());
        if of == Some(parent) {
            found.push(id);
        }
    }
    found
}

const LONG: Duration = Duration::from_secs(40);

/// Longer than several tries of one approach take.
const WATCH: Duration = Duration::from_secs(5);

// Shows: NDR24, F08a, J10a
#[test]
fn a_known_face_opens_the_gates_door_once_an_approach_and_a_stranger_never() {
    let mut place = Place::new("");
    assert!(place.drive.enroll(0).unwrap());
    let before = place.files();
    place.stand("0");
    place.door.wait(1, LONG, "the known person");
    place.door.stays(1, WATCH, "once, however long they stay");
    place.go();
    place.stand("1");
    place.door.stays(1, WATCH, "a stranger");
    place.go();
    assert_eq!(place.openings(), "1", "nothing is written down of a stranger");
    let after = place.files();
    assert_eq!(before.0, after.0, "no file is new");
    assert!(after.1 < before.1 + 200_000, "a picture has 900,000 bytes: {} and {}", before.1, after.1);
    let files = menka::gate::place::Place::new(&place.gate.folder, None);
    let left = super::remains::at_gate(&place.gate.folder, &files.open_beside(Realm::Practice).unwrap());
    assert_eq!(left, Ok(0), "in pages, free pages and the log no template but the enrolled person's");

    // The engine's process dies: the next face is recognised by a new one.
    let engines = children(place.gate.process_id());
    assert_eq!(engines.len(), 1, "one engine");
    assert!(Command::new("kill").args(["-9", &engines[0].to_string()]).status().unwrap().success());
    place.stand("0");
    place.door.wait(2, LONG, "after the engine was killed");
    place.go();

    // The camera is unplugged and comes back; the card goes on meanwhile.
    assert_eq!(place.gate.ask("unplug").unwrap(), "done");
    place.stand("0");
    assert!(place.gate.opens_for(&practice_card(0).unwrap()).unwrap());
    place.door.wait(3, LONG, "the card");
    place.door.stays(3, Duration::from_secs(3), "nobody is seen");
    assert_eq!(place.gate.ask("plug").unwrap(), "done");
    place.door.wait(4, LONG, "the camera is back");
    place.go();

    place.withdraw();
    place.stand("0");
    place.door.stays(4, WATCH, "after the withdrawal");
    assert_eq!(place.openings(), "4");
    assert!(children(place.gate.process_id()).is_empty(), "nobody is held: the camera is dark and the engine gone");
}

// Shows: N8-11
#[test]
fn the_program_log_of_a_gate_says_of_nobody_who_passes_or_stands_there() {
    let mut place = Place::new("[reader]\nkind = \"stdin\"\n");
    assert!(place.drive.enroll(0).unwrap());
    let (address, path) = (place.gate.address.clone(), place.folder.path().join("log"));
    place.gate.restart_logging(&address, std::fs::File::create(&path).unwrap()).unwrap();
    let begun = Instant::now();
    place.stand("0");
    while place.door.count() == 0 {
        assert!(begun.elapsed() < LONG, "heard again");
        place.drive.deliver().unwrap();
        place.drive.tick();
        std::thread::sleep(Duration::from_millis(300));
    }
    place.go();
    let lines = || std::fs::read_to_string(&path).unwrap();
    let before = lines();
    assert!(before.contains("gate opened"), "the log is where it is looked for: {before}");
    let opened = place.door.count();
    place.stand("0");
    place.door.wait(opened + 1, LONG, "a known face");
    place.go();
    place.stand("1");
    place.door.stays(opened + 1, WATCH, "a stranger");
    place.go();
    let card: String = practice_card(0).unwrap().bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    place.gate.type_line(&card).unwrap();
    place.door.wait(opened + 2, LONG, "a card");
    for line in ["04a1b2c4", "hello"] {
        place.gate.type_line(line).unwrap();
    }
    place.door.stays(opened + 2, Duration::from_secs(2), "a strange card, and none");
    assert_eq!(lines(), before, "no line tells of any of them");
    assert_eq!(place.openings(), (opened + 2).to_string(), "the opening records do, for their days");
}

// Shows: P19
#[test]
fn a_gate_that_was_cut_off_for_longer_than_its_lease_knows_no_face_until_the_station_is_heard() {
    // A clock that is kept: a start alone does not turn faces off, so the lease must.
    let mut place = Place::new("[faces]\nclock_kept = true\n");
    assert!(place.drive.enroll(0).unwrap());
    let address = place.gate.address.clone();
    place.gate.restart(&address).unwrap();
    place.stand("0");
    place.door.wait(1, LONG, "started again within the lease, nobody heard: the face opens");
    place.gate.kill();
    // As if the last contact had been an hour more ago than the lease lasts.
    let files = menka::gate::place::Place::new(&place.gate.folder, None);
    let hours = i64::from(files.open_beside(Realm::Practice).unwrap().setup().unwrap().offline_hours) + 1;
    let earlier = format!("UPDATE settings SET last_contact = last_contact - {}", hours * 3_600_000);
    assert!(files.open_beside(Realm::Practice).unwrap().execute_for_a_test(&earlier));
    place.gate.restart(&address).unwrap();
    place.stand("0");
    place.door.stays(1, WATCH, "faces are off");
    assert!(place.gate.opens_for(&practice_card(0).unwrap()).unwrap());
    place.door.wait(2, LONG, "the card");
    let begun = Instant::now();
    while place.door.count() < 3 {
        assert!(begun.elapsed() < LONG, "heard again, faces go on");
        place.drive.deliver().unwrap();
        place.drive.tick();
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn where_a_card_comes_first_its_holders_face_opens_and_the_card_opens_without_it_all_the_same() {
    let mut place = Place::new("[reader]\nkind = \"stdin\"\n[faces]\nstrangers_in_max = 0.0\n");
    assert!(place.drive.enroll(0).unwrap());
    let card: String = practice_card(0).unwrap().bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let begun = Instant::now();
    while place.gate.ask(&format!("both 0x{card} 0")).unwrap() != "recognised" {
        assert!(begun.elapsed() < LONG, "the station tells the gate whose card it is");
        place.drive.deliver().unwrap();
        place.drive.tick();
        std::thread::sleep(Duration::from_millis(300));
    }
    let before = place.door.count();
    place.stand("0");
    place.door.stays(before, WATCH, "a face alone is looked up among nobody");
    // A busy machine may need longer than the gate waits, and the card opens by itself: then the card again.
    let by_face = (1..=4).find(|count| {
        let begun = Instant::now();
        place.gate.type_line(&card).unwrap();
        place.door.wait(before + count, LONG, "card and face");
        let took = begun.elapsed();
        std::thread::sleep(Duration::from_millis(2_500));
        took < Duration::from_millis(2_800)
    });
    let before = before + by_face.expect("the face opens before the card does") - 1;
    place.go();
    place.stand("1");
    let begun = Instant::now();
    place.gate.type_line(&card).unwrap();
    place.door.wait(before + 2, LONG, "somebody else holds the card: it opens as every card does");
    assert!(begun.elapsed() >= Duration::from_secs(2), "after its holder was looked for");
    place.door.stays(before + 2, Duration::from_secs(3), "once");
    // Without a camera the card waits for nothing.
    assert_eq!(place.gate.ask("unplug").unwrap(), "done");
    let begun = Instant::now();
    place.gate.type_line(&card).unwrap();
    place.door.wait(before + 3, LONG, "the camera is away");
    assert!(begun.elapsed() < Duration::from_secs(2), "at once");
    assert_eq!(place.openings(), (before + 3).to_string());
}

#[test]
fn a_gate_whose_station_is_lost_is_unpaired_at_its_console_and_prints_a_signed_receipt() {
    let site = Site::new(Realm::Real);
    let daemon = site.run();
    let record = site.record(&daemon);
    let mut link = site.link();
    link.ask(&record, &put_card(&[4, 0xa1, 0xb2, 0xc3]), LIMIT).unwrap();
    let no = site.gate_typing(&["unpair"], "no\n");
    assert!(!no.status.success() && String::from_utf8_lossy(&no.stderr).contains("nothing was changed"), "{no:?}");
    assert!(status(&site).contains("cards: 1"));
    let done = site.gate_typing(&["unpair"], "ERASE\n");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{done:?}");
    let bytes = |what: &str| -> Vec<u8> {
        let hex = said.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    let receipt: Receipt = decode(&bytes("receipt: ")).unwrap();
    let order: Request = decode(&bytes("order: ")).unwrap();
    assert_eq!(receipt.check(&record, Realm::Real, &order), Ok(()));
    assert_eq!((receipt.outcome, bytes("signing key: ")), (Outcome::Unpaired, record.sign_key.to_vec()));
    let after = status(&site);
    for line in ["station: not paired", "faces: 0", "cards: 0", "openings recorded: 0"] {
        assert!(after.contains(line), "{line}: {after}");
    }
    drop(link);
    assert!(site.link().ask(&record, &Request::Health, LIMIT).is_err(), "the old station is a stranger");
    site.pair(&daemon);
    assert!(
        site.link().ask(&site.record(&daemon), &put_card(&[1, 2, 3, 4]), LIMIT).is_ok(),
        "and a new one is welcome"
    );
}
