//! A day at the desk, end to end: station and two gates as separate processes' worth of real parts (SQLCipher, TLS, the engine child, real
//! face pictures from packages). Only camera and card reader are practice devices.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::templates;
use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{FaceState, Failure, ResidentScene};
use menka::domain::card::CardUid;
use menka::domain::quality::Guidance;
use menka::domain::role::LookWhy;
use menka::face::{self, EngineKind};
use menka::ports::{CameraError, FaceEngine};
use menka::practice::drive::Drive;
use menka::practice::site::GateProcess;
use menka::practice::{Person, PracticeAct, people, practice_card};

pub fn gate_program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_menka-gate"))
}

pub fn models() -> PathBuf {
    std::env::var_os("MENKA_MODELS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("var/models"), Into::into)
}

pub fn pictures() -> PathBuf {
    std::env::var_os("MENKA_PICTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("var/pictures"), Into::into)
}

fn card_uid(number: usize) -> CardUid {
    practice_card(number).unwrap()
}

pub fn engine() -> Box<dyn FaceEngine> {
    face::engine_for(EngineKind::Sface, &models(), &gate_program())
}

pub fn persons() -> Vec<Person> {
    people(&pictures()).expect("make pictures fetches them")
}

/// A desk with `n` running gates, paired.
fn desk_with_gates(folder: &Path, n: usize) -> (Drive, Vec<GateProcess>) {
    let mut drive = Drive::new(folder, engine(), persons());
    drive.create();
    let names = ["东门", "西门", "北门"];
    let mut gates = vec![];
    for (number, name) in names.iter().enumerate().take(n) {
        let gate = GateProcess::start(&gate_program(), &folder.join(format!("gate{number}")), number).unwrap();
        drive.pair(&gate, name);
        gates.push(gate);
    }
    assert_eq!(drive.failures, vec![]);
    drive.deliver().unwrap();
    drive.tick();
    assert_eq!(drive.gates.iter().filter(|g| g.reachable).count(), n);
    (drive, gates)
}

/// Every regular file under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else if entry.path().is_file() {
            found.push(entry.path());
        }
    }
    found
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

/// Searches every file that station and gates wrote, as it lies on the disk.
fn search_disk(folder: &Path, words: &[&str], sealed: &[Vec<u8>]) {
    for file in files(folder) {
        let bytes = std::fs::read(&file).unwrap();
        // Shorter words turn up in encrypted bytes by chance.
        for word in words.iter().filter(|w| w.chars().count() >= 3) {
            assert!(!holds(&bytes, word.as_bytes()), "{} holds {word}", file.display());
            let utf16: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(!holds(&bytes, &utf16), "{} holds {word} in UTF-16", file.display());
        }
        for header in [&b"\xFF\xD8\xFF\xE0"[..], b"\x89PNG\r\n\x1a\n", b"JFIF\0"] {
            assert!(!holds(&bytes, header), "{} holds a picture header", file.display());
        }
        for envelope in sealed {
            assert!(!holds(&bytes, &envelope[40..72]), "{} holds an envelope", file.display());
        }
    }
}

// Shows: P08, J02-5, F08a, N8-3, N8-14
#[test]
fn eight_people_are_enrolled_and_known_and_everyone_else_is_a_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, mut gates) = desk_with_gates(folder.path(), 2);
    let all = persons();
    assert!(all.len() >= 10, "eight to enroll, two strangers");
    let names = ["王小明", "李秀英", "欧阳静", "Maria Rossi", "赵奶奶", "𠮷野太郎", "陈", "周建国"];
    let mut residents = vec![];
    for (n, name) in names.iter().enumerate() {
        let resident = drive.add(name, &format!("{}-10{n}", n / 3 + 1)).unwrap();
        drive.issue(resident, n).unwrap();
        residents.push(resident);
        let card = drive.opened.as_ref().and_then(|v| v.card.clone()).expect("the card comes first");
        assert!(card.gates.iter().all(|(_, _, there)| *there), "both gates signed for the card");
        assert_eq!(drive.opened.as_ref().map(|v| v.face.clone()), Some(FaceState::None));
    }
    drive.staff(StaffCommand::CloseResident);
    for (n, person) in all.iter().enumerate().take(names.len()) {
        drive.controls.act(PracticeAct::Seat(n));
        let recognised = drive.enroll(n).unwrap_or_else(|e| panic!("{}: {e}", person.label()));
        assert!(recognised, "{} at the desk's try", person.label());
        let sealed = drive.tap.lock().unwrap().clone();
        search_disk(&folder.path().join("desk"), &names, &sealed);
    }
    assert_eq!(drive.failures, vec![]);

    // At the gates' own cameras: a second picture where the packages have one; else a re-lit, shifted, recompressed variant, which tests the
    // pipeline and is no figure of accuracy.
    for (number, gate) in gates.iter_mut().enumerate() {
        for (n, person) in all.iter().enumerate() {
            let known = gate.knows(n).unwrap();
            assert_eq!(known, n < names.len(), "{} at gate {number} ({} pictures)", person.label(), person.pictures());
        }
    }

    // What the gates hold, and what went over the wire, is nowhere at the desk: not as it lies on the disk, and not under its encryption.
    let mut vectors = vec![];
    for number in 0..gates.len() {
        let gate = folder.path().join(format!("gate{number}"));
        let (handed, kept) = (templates::handed_over(&drive, &gate), templates::kept(&gate));
        assert_eq!((handed.len(), kept.len()), (names.len(), names.len()));
        vectors.extend(handed.into_iter().chain(kept));
    }
    let sealed = drive.tap.lock().unwrap().clone();
    let inside = drive.desk.decrypted_values().unwrap();
    assert!(holds(&inside, "人脸识别门禁告知书".as_bytes()), "the search finds what is there");
    for vector in &vectors {
        assert!(!holds(&inside, &vector[..32]), "the vault holds a template");
        for file in files(folder.path()) {
            assert!(!holds(&std::fs::read(&file).unwrap(), &vector[..32]), "{} holds a template", file.display());
        }
    }
    for envelope in &sealed {
        assert!(!holds(&inside, &envelope[40..72]), "the vault holds an envelope");
    }

    // Nothing was told to a screen that a screen must not know.
    let told = drive.told.join("\n");
    assert!(!told.contains("ConsentGranted") && !told.contains("CameraPermit"));
    let sealed = drive.tap.lock().unwrap().clone();
    assert!(sealed.len() >= names.len() * 3, "an envelope a gate and a probe");
    drive.close();
    search_disk(folder.path(), &names, &sealed);

    // Practice over: the gates erased and signed.
    for gate in &mut gates {
        assert_eq!(gate.faces().unwrap(), 0);
        assert!(!gate.knows(0).unwrap());
    }
    for gate in &mut gates {
        gate.kill();
    }
    search_disk(folder.path(), &names, &sealed);
}

// Shows: N8-2
#[test]
fn p16_a_refuser_has_a_working_card_and_no_template_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, mut gates) = desk_with_gates(folder.path(), 2);
    let resident = drive.add("刘一一", "5-501").unwrap();
    drive.issue(resident, 3).unwrap();
    let before = drive.opened.as_ref().and_then(|v| v.card.clone());
    drive.staff(StaffCommand::CloseResident);
    drive.ask_for_face(3).unwrap();
    drive.resident(ResidentCommand::NoticeReachedEnd);
    drive.resident(ResidentCommand::GoToConsent);
    drive.resident(ResidentCommand::Refuse);
    assert!(matches!(drive.scene, ResidentScene::Refused { .. }));
    drive.resident(ResidentCommand::Back);
    assert_eq!(drive.previews, 0, "the camera stayed dark");
    assert!(drive.tap.lock().unwrap().is_empty(), "nothing was sealed");
    drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    assert_eq!(drive.opened.as_ref().and_then(|v| v.card.clone()), before, "the card is what it was");
    for gate in &mut gates {
        assert!(gate.opens_for(&card_uid(3)).unwrap());
        assert_eq!(gate.faces().unwrap(), 0);
    }
    // Reopened by the resident's own tap only.
    drive.ask_for_face(3).unwrap();
}

// Shows: J12, F06b, NDR23, N8-9
#[test]
fn p15_withdrawal_reaches_every_gate_also_one_that_was_away() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, mut gates) = desk_with_gates(folder.path(), 2);
    let resident = drive.add("孙悦", "1-1").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::Seat(1));
    assert!(drive.enroll(0).unwrap());
    let address = gates[1].address.clone();
    gates[1].kill();

    drive.resident(ResidentCommand::AskWithdraw);
    drive.tap_card(0).unwrap();
    assert!(matches!(drive.scene, ResidentScene::WithdrawConfirm { .. }), "{:?}", drive.scene);
    drive.resident(ResidentCommand::ConfirmWithdraw);
    drive.deliver().unwrap();
    drive.tick();
    assert!(
        matches!(&drive.scene, ResidentScene::Withdrawn { erased, pending, .. } if erased == &["东门"] && pending == &["西门"]),
        "{:?}",
        drive.scene
    );
    assert_eq!(gates[0].faces().unwrap(), 0);
    assert!(gates[0].opens_for(&card_uid(0)).unwrap(), "the card is not touched");

    // The desk is shut, the gate comes back, the desk is opened again: the erasure was kept.
    drive.staff(StaffCommand::Lock);
    gates[1].restart(&address).unwrap();
    drive.unlock();
    let again = std::time::Instant::now();
    while gates[1].faces().unwrap() != 0 {
        assert!(again.elapsed() < Duration::from_secs(20), "the erasure reaches the gate that was away");
        drive.deliver().unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn trouble_with_the_camera_loses_nothing_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, _gates) = desk_with_gates(folder.path(), 1);
    let resident = drive.add("周", "1-1").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::UnplugCamera);
    drive.ask_for_face(0).unwrap();
    drive.read_and_consent().unwrap();
    assert!(
        matches!(
            &drive.scene,
            ResidentScene::Ended { failure: Some(Failure::Camera(CameraError::None)), may_retry: true }
        ),
        "{:?}",
        drive.scene
    );

    // Plugged in, two people before it: advice, no template; then unplugged in the middle.
    drive.controls.act(PracticeAct::PlugCamera);
    drive.controls.act(PracticeAct::TwoPeople);
    drive.resident(ResidentCommand::TryAgain);
    drive
        .until("advice about two people", Duration::from_secs(10), |d| d.guidance == Some(Guidance::OnePersonOnly))
        .unwrap();
    drive.controls.act(PracticeAct::Nobody);
    drive.until("advice about nobody", Duration::from_secs(10), |d| d.guidance == Some(Guidance::NoFace)).unwrap();
    assert!(drive.tap.lock().unwrap().is_empty());
    drive.controls.act(PracticeAct::UnplugCamera);
    drive
        .until("the unplugged camera", Duration::from_secs(5), |d| matches!(d.scene, ResidentScene::Ended { .. }))
        .unwrap();
    assert!(matches!(&drive.scene, ResidentScene::Ended { failure: Some(Failure::Camera(_)), may_retry: true }));

    // A camera that goes silent is noticed.
    drive.controls.act(PracticeAct::PlugCamera);
    drive.resident(ResidentCommand::TryAgain);
    drive.until("the camera", Duration::from_secs(5), |d| matches!(d.scene, ResidentScene::Camera { .. })).unwrap();
    drive.controls.act(PracticeAct::StallCamera);
    drive
        .until("the silent camera", Duration::from_secs(5), |d| matches!(d.scene, ResidentScene::Ended { .. }))
        .unwrap();
    assert!(matches!(&drive.scene, ResidentScene::Ended { failure: Some(Failure::Camera(CameraError::Stalled)), .. }));

    // Mended: the same consent goes on to the end.
    drive.controls.act(PracticeAct::PlugCamera);
    drive.controls.act(PracticeAct::Seat(0));
    drive.resident(ResidentCommand::TryAgain);
    drive.until("the try", Duration::from_secs(30), |d| matches!(d.scene, ResidentScene::TryGate { .. })).unwrap();
}

#[test]
fn stopping_wipes_what_is_held_and_leaves_a_working_card() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, mut gates) = desk_with_gates(folder.path(), 1);
    let resident = drive.add("吴", "1-1").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::Seat(2));
    drive.ask_for_face(0).unwrap();
    drive.read_and_consent().unwrap();
    drive.until("a preview", Duration::from_secs(5), |d| d.previews > 0).unwrap();
    drive.resident(ResidentCommand::Stop);
    assert!(matches!(drive.scene, ResidentScene::Ended { failure: None, may_retry: false }));
    drive.deliver().unwrap();
    assert_eq!(gates[0].faces().unwrap(), 0);
    assert!(gates[0].opens_for(&card_uid(0)).unwrap());
    // A new decision is possible, from the beginning.
    drive.resident(ResidentCommand::Back);
    assert!(drive.enroll(0).unwrap());
}
