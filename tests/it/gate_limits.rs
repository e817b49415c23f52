//! A gate whose own limits are beyond the notice, over real gate processes: faces are stopped there, and the other gates go on.

use std::process::Command;
use std::time::{Duration, Instant};

use menka::app::command::StaffCommand;
use menka::app::deletion::DeletionCommand;
use menka::app::event::ResidentScene;
use menka::app::operators::OperatorsCommand;
use menka::domain::permit::Blocker;
use menka::domain::site::Fact;
use menka::face::{EngineKind, engine_for};
use menka::practice::drive::Drive;
use menka::practice::site::{self, GateProcess};
use menka::practice::{PracticeAct, people};
use menka::secret::Passphrase;

use super::day::{gate_program, models, pictures};

const LIMIT: Duration = Duration::from_secs(60);

/// As somebody does at the gate's console, and starts it again.
fn limits(gate: &mut GateProcess, option: &str, value: &str) {
    let address = gate.address.clone();
    gate.kill();
    let set = Command::new(gate_program())
        .args(["limits", option, value, "--realm", "practice", "--data"])
        .arg(&gate.folder)
        .output()
        .unwrap();
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    gate.restart(&address).unwrap();
}

fn until(drive: &mut Drive, what: &str, mut holds: impl FnMut(&mut Drive) -> bool) {
    let start = Instant::now();
    loop {
        drive.deliver().unwrap();
        drive.tick();
        if holds(drive) {
            return;
        }
        assert!(start.elapsed() < LIMIT, "waited in vain for {what}: {:?} {:?}", drive.failures, drive.gates);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// On a busy machine the gate's engine may need more than one look.
fn look(gate: &mut GateProcess, person: usize) -> String {
    let mut said = String::new();
    for _ in 0..5 {
        said = gate.ask(&format!("look {person}")).unwrap();
        if said != "Engine(Restarted)" {
            break;
        }
    }
    said
}

fn enrolled(drive: &mut Drive, person: usize) {
    let resident = drive.add(&format!("住户{person}"), &format!("9-{person}")).unwrap();
    drive.issue(resident, person).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::Seat(person));
    assert!(drive.enroll(person).unwrap(), "{:?}", drive.failures);
}

// Shows: P19
#[test]
fn p19_a_gate_that_goes_on_longer_without_contact_than_people_were_told_knows_no_face_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_for(EngineKind::Sface, &models(), &gate_program());
    let mut drive = Drive::new(folder.path(), engine, people(&pictures()).expect("make pictures fetches them"));
    let mut facts = site::facts();
    facts.set(Fact::OfflineHours, "12");
    drive.staff(StaffCommand::CreateVault {
        operator: site::OPERATOR.into(),
        passphrase: Passphrase::new(site::PASSPHRASE.into()),
        facts,
    });
    drive.operators(OperatorsCommand::RecoveryKept);
    drive.sign_rules(site::OPERATOR);
    let mut gates = ["gate0", "gate1"].map(|name| {
        let mut gate = GateProcess::start(&gate_program(), &folder.path().join(name), 0).unwrap();
        limits(&mut gate, "--offline-hours", "12");
        gate
    });
    drive.pair(&gates[0], "东门");
    drive.pair(&gates[1], "西门");
    enrolled(&mut drive, 0);
    assert_eq!(gates.each_mut().map(|gate| gate.faces().unwrap()), [1, 1]);
    let west = drive.gates.iter().find(|gate| gate.name == "西门").unwrap().id;

    limits(&mut gates[1], "--offline-hours", "24");
    until(&mut drive, "the west gate to say so", |d| d.gates.iter().any(|gate| gate.terms.lease_too_long));
    until(&mut drive, "the stop there", |_| look(&mut gates[1], 0) == "FacesOff(Stopped)");
    assert_eq!(look(&mut gates[0], 0), "recognised");
    until(&mut drive, "face entry to be offered", |d| {
        matches!(d.scene, ResidentScene::Idle { face_offered: true, .. })
    });
    assert!(drive.blockers.iter().all(|(blocker, _)| *blocker != Blocker::GateTerms), "{:?}", drive.blockers);
    enrolled(&mut drive, 1);
    assert_eq!((look(&mut gates[0], 1), look(&mut gates[1], 1)), ("recognised".into(), "FacesOff(Stopped)".into()));
    // Taken up again too early, it is stopped again.
    let resume = || StaffCommand::Deletion(DeletionCommand::ResumeFaces(Some(west)));
    drive.staff(resume());
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(8) {
        drive.deliver().unwrap();
        drive.tick();
        std::thread::sleep(Duration::from_millis(200));
    }
    until(&mut drive, "the stop again", |_| look(&mut gates[1], 0) == "FacesOff(Stopped)");

    limits(&mut gates[1], "--offline-hours", "12");
    until(&mut drive, "the limit as told", |d| d.gates.iter().all(|gate| gate.reachable && !gate.terms.lease_too_long));
    drive.staff(resume());
    until(&mut drive, "faces there again, also the one of the meantime", |_| {
        look(&mut gates[1], 0) == "recognised" && look(&mut gates[1], 1) == "recognised"
    });
}
