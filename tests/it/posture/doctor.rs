//! The examination of the whole station: real vault, gate process, engine child; what is saved names nobody.

use std::path::Path;
use std::sync::Mutex;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::deletion::DeletionCommand;
use menka::app::doctor::Health;
use menka::app::event::Failure;
use menka::app::posture::PostureCommand;
use menka::app::program_log::ProgramLog;
use menka::face::{self, EngineKind};
use menka::practice::drive::Drive;
use menka::practice::site::{COLLEAGUE, GateProcess, OPERATOR};
use menka::practice::{PracticeAct, people};

use crate::day::{gate_program, models, pictures};

/// A practice desk with a gate, and a resident with a card.
fn desk(folder: &Path, models: &Path) -> (Drive, GateProcess) {
    let engine = face::engine_for(EngineKind::Sface, models, &gate_program());
    let mut drive = Drive::new(folder, engine, people(&pictures()).expect("make pictures fetches them"));
    drive.create();
    let gate = GateProcess::start(&gate_program(), &folder.join("gate"), 0).unwrap();
    drive.pair(&gate, "东门");
    let resident = drive.add("王小明", "3-1201").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    (drive, gate)
}

fn ask(drive: &mut Drive, command: PostureCommand) {
    drive.staff(StaffCommand::Posture(command));
}

#[test]
fn an_examination_asks_every_part_and_what_is_saved_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    // As the program does: its own log lies beside the vault.
    let log = ProgramLog::open(&folder.path().join("desk")).unwrap();
    let logged = tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(log)).finish();
    let _logged = tracing::subscriber::set_default(logged);
    let (mut drive, mut gate) = desk(folder.path(), &models());
    let to = |name: &str| folder.path().join(name);
    let save = |drive: &mut Drive, name: &str| {
        ask(drive, PostureCommand::Save { path: to(name), text: "words of the page".into() });
    };
    save(&mut drive, "early.txt");
    assert!(matches!(drive.failures[..], [Failure::PaperNotWritten(_)]), "nothing was examined yet");
    drive.failures.clear();

    ask(&mut drive, PostureCommand::Examine);
    let doctor = drive.doctor.clone().expect("the desk answers");
    assert_eq!((&doctor.vault, &doctor.log.health, &doctor.models), (&Health::Well, &Health::Well, &Health::Well));
    assert!(doctor.log.records > 5, "{doctor:?}");
    assert_eq!((doctor.gates.paired, doctor.gates.answering), (1, 1));
    assert_eq!(doctor.reader, Health::Well);
    assert_eq!(doctor.cameras.len(), 1);
    assert!(doctor.machine.len() >= 10, "every check has its line");

    save(&mut drive, "report.json");
    save(&mut drive, "report.txt");
    save(&mut drive, "no/such/folder.txt");
    assert!(matches!(drive.failures[..], [Failure::PaperNotWritten(_)]), "{:?}", drive.failures);
    let text = std::fs::read_to_string(to("report.txt")).unwrap();
    assert!(text.starts_with("words of the page\n\n") && text.contains("the station is examined"), "{text}");
    let json = std::fs::read_to_string(to("report.json")).unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["gates"]["answering"], 1);
    assert_eq!(read["vault"], "well");
    assert_eq!(read["machine"][0]["check"], "internet");
    assert!(!read["program_log"].as_array().unwrap().is_empty(), "the end of the log goes with it");
    let station: String = drive.fingerprint.unwrap().iter().map(|b| format!("{b:02x}")).collect();
    for name in ["王小明", "3-1201", "东门", OPERATOR, "127.0.0.1", &gate.address, &station[..16], "练习"] {
        assert!(!json.contains(name) && !text.contains(name), "{name} is in {json} or {text}");
    }

    // A gate that went away is counted, and trouble is said; that it was away is in the log, and not under its name.
    gate.kill();
    drive.add_colleague();
    drive.staff(StaffCommand::Deletion(DeletionCommand::RenewTemplates));
    drive.approve();
    ask(&mut drive, PostureCommand::Examine);
    save(&mut drive, "away.json");
    let away = std::fs::read_to_string(to("away.json")).unwrap();
    assert!(away.contains("templates were not turned anew") && away.contains("Link(Away)"), "{away}");
    for name in ["东门", "王小明", OPERATOR, COLLEAGUE, &gate.address] {
        assert!(!away.contains(name), "{name} is in {away}");
    }
    let start = std::time::Instant::now();
    while drive.gates.iter().any(|g| g.reachable) {
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "the courier notices that the gate is gone");
        drive.deliver().unwrap();
        drive.tick();
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    drive.controls.act(PracticeAct::UnplugReader);
    ask(&mut drive, PostureCommand::Examine);
    let doctor = drive.doctor.clone().unwrap();
    assert_eq!((doctor.gates.paired, doctor.gates.answering), (1, 0));
    assert!(matches!(doctor.reader, Health::Trouble(_)), "{:?}", doctor.reader);
}

#[test]
fn whoever_is_being_served_is_not_disturbed_by_an_examination() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, _gate) = desk(folder.path(), &models());
    drive.ask_for_face(0).unwrap();
    ask(&mut drive, PostureCommand::Examine);
    let doctor = drive.doctor.clone().unwrap();
    assert_eq!(
        (&doctor.vault, &doctor.log.health, &doctor.models),
        (&Health::NotNow, &Health::NotNow, &Health::NotNow)
    );
    drive.controls.act(PracticeAct::Nobody);
    drive.read_and_consent().unwrap();
    ask(&mut drive, PostureCommand::Examine);
    let before = drive.previews;
    drive.until("pictures go on", std::time::Duration::from_secs(10), |d| d.previews > before).unwrap();
    drive.resident(ResidentCommand::Stop);
}

#[test]
fn missing_models_are_said_without_the_path_that_may_hold_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, _gate) = desk(folder.path(), &folder.path().join("home-of-somebody"));
    ask(&mut drive, PostureCommand::Examine);
    let doctor = drive.doctor.clone().unwrap();
    assert_eq!(doctor.models, Health::Trouble("the face models are missing".into()));
    assert!(!format!("{doctor:?}").contains("home-of-somebody"));
}
