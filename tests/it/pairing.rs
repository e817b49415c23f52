//! Pairing through the desk, with real gates as processes of their own: the page's commands, four eyes, unpairing, looking for gates.

use std::time::{Duration, Instant};

use menka::app::command::StaffCommand;
use menka::app::deletion::DeletionCommand;
use menka::app::event::Failure;
use menka::app::pairing::{PairingCommand, PairingFailure, WRONG_CODES_MAX};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::ports::{Clock, GateLink, LinkError, PairError};
use menka::practice::drive::Drive;
use menka::practice::people;
use menka::practice::site::{GateProcess, PASSPHRASE};
use menka::secret::Passphrase;
use menka::vault::Vault;
use menka::wire::frame::decode;
use menka::wire::message::{Outcome, Receipt};

use crate::day::{gate_program, models, pictures};

fn drive_in(folder: &std::path::Path) -> Drive {
    let engine = menka::face::engine_for(menka::face::EngineKind::Sface, &models(), &gate_program());
    let mut drive = Drive::new(folder, engine, people(&pictures()).expect("make pictures fetches them"));
    drive.create();
    drive
}

fn gate_in(folder: &std::path::Path, name: &str) -> GateProcess {
    GateProcess::start(&gate_program(), &folder.join(name), 0).unwrap()
}

fn look(drive: &mut Drive) -> String {
    drive.staff(StaffCommand::Pairing(PairingCommand::Look));
    drive.tick();
    drive.told.iter().rev().find(|told| told.contains("Pairing(Search")).cloned().unwrap_or_default()
}

/// The sockets over which this process looks for gates.
fn search_sockets() -> usize {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    let open: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .collect();
    let inodes = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9));
    inodes.filter(|inode| open.contains(&format!("socket:[{inode}]"))).count()
}

#[test]
fn a_staff_window_that_is_shut_over_the_pairing_page_closes_the_socket_of_the_search() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    let before = search_sockets();
    drive.staff(StaffCommand::Pairing(PairingCommand::ChooseLan("127.0.0.1".into())));
    look(&mut drive);
    assert_eq!(search_sockets(), before + 1, "it looks for gates");
    drive.staff(StaffCommand::Shut);
    drive.tick();
    assert_eq!(search_sockets(), before, "nothing listens behind a shut window");
}

#[test]
fn p38_a_pairing_page_that_was_left_closes_the_socket_of_the_search() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    let before = search_sockets();
    drive.staff(StaffCommand::Pairing(PairingCommand::ChooseLan("127.0.0.1".into())));
    let left = Instant::now();
    while left.elapsed() < Duration::from_secs(6) {
        look(&mut drive);
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(search_sockets(), before + 1, "it looks for gates as long as the page asks");
    // The page is left: it asks no more, and five seconds later nothing is open.
    let left = Instant::now();
    while left.elapsed() < Duration::from_millis(5_500) {
        drive.tick();
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(search_sockets(), before, "nothing listens once the page is left");
}

#[test]
fn a_gate_that_shows_a_code_is_found_and_paired_and_looked_for_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    let gate = gate_in(folder.path(), "gate");
    look(&mut drive);
    drive.staff(StaffCommand::Pairing(PairingCommand::ChooseLan("8.8.8.8".into())));
    assert!(!look(&mut drive).contains("chosen: Some(\"8.8.8.8\")"), "only an address of this machine");
    drive.staff(StaffCommand::Pairing(PairingCommand::ChooseLan("127.0.0.1".into())));
    let searched = Instant::now();
    while searched.elapsed() < Duration::from_millis(2_500) {
        assert!(!look(&mut drive).contains(&gate.address), "a gate that shows no code says nothing");
        std::thread::sleep(Duration::from_millis(250));
    }

    let shown = gate.show_code().unwrap();
    let name = shown.gate.split(' ').next().unwrap().to_owned();
    let searched = Instant::now();
    while !look(&mut drive).contains(&gate.address) {
        assert!(searched.elapsed() < Duration::from_secs(10), "{}", look(&mut drive));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(look(&mut drive).contains(&name), "under the name that its console shows");
    drive.pair_by(&shown.code, &gate.address, "东门");
    assert_eq!(drive.failures, vec![]);
    assert!(drive.told.iter().any(|told| told.contains("Paired(\"东门\")")));
    assert!(!look(&mut drive).contains(&gate.address), "a gate that works needs no pairing");
    let station: String = drive.fingerprint.unwrap().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(shown.paired().unwrap().replace(' ', ""), station);
}

#[test]
fn a_wrong_code_is_said_and_the_third_one_asks_for_a_new_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    let gate = gate_in(folder.path(), "gate");
    drive.pair_by("", &gate.address, "东门");
    drive.pair_by("12345678", &gate.address, "东门");
    let no_code = PairingFailure::Gate("东门".into(), PairError::NoCode);
    assert_eq!(
        std::mem::take(&mut drive.failures),
        vec![Failure::Pairing(PairingFailure::CodeUnreadable), Failure::Pairing(no_code)]
    );
    let mut shown = gate.show_code().unwrap();
    let first = shown.code.clone();
    let wrong = if first.starts_with('1') { "2222 2222" } else { "1111 1111" };
    for _ in 0..WRONG_CODES_MAX {
        drive.pair_by(wrong, &gate.address, "东门");
    }
    let other = Failure::Pairing(PairingFailure::Gate("东门".into(), PairError::OtherCode));
    let many = Failure::Pairing(PairingFailure::TooManyTries("东门".into()));
    assert_eq!(std::mem::take(&mut drive.failures), vec![other.clone(), other, many]);
    shown.next_code().unwrap();
    assert_ne!(shown.code, first, "three tries, then a new code");
    drive.pair_by(&first, &gate.address, "东门");
    assert_eq!(drive.failures.len(), 1, "the void one pairs nobody");
    drive.failures.clear();
    drive.pair_by(&shown.code, &gate.address, "东门");
    assert_eq!(drive.failures, vec![]);
}

#[test]
fn pairing_again_leaves_the_courier_able_to_talk() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    let gate = gate_in(folder.path(), "gate");
    drive.pair(&gate, "东门");
    assert!(drive.gates[0].reachable);
    // Somebody at the gate's console pairs it again; the courier's connection is open all the while.
    drive.pair(&gate, "东门");
    let resident = drive.add("王小明", "1-101").unwrap();
    drive.issue(resident, 0).unwrap();
    let later = SystemClock.now().plus_ms(10_000);
    drive.courier.as_mut().unwrap().pass(later).unwrap();
    drive.tick();
    let card = drive.opened.as_ref().and_then(|v| v.card.clone()).unwrap();
    assert!(card.gates.iter().all(|(_, _, there)| *there), "the gate signed: {:?}", drive.gates);
    assert_eq!((drive.gates[0].wedged, drive.failures.clone()), (0, vec![]));
}

#[test]
fn other_keys_of_a_known_gate_need_the_code_and_a_second_person() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    drive.add_colleague();
    let mut gate = gate_in(folder.path(), "gate");
    drive.pair(&gate, "东门");
    let old = drive.gates[0].id;
    // The station's record of it is older than its keys: as if the gate's had changed.
    drive.staff(StaffCommand::Lock);
    {
        let now = SystemClock.now();
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let mut vault = Vault::unlock(drive.data(), Realm::Practice, &passphrase, now).unwrap();
        vault.record_key_changed(old, now).unwrap();
        vault.lock(now).unwrap();
    }
    drive.unlock();
    drive.deliver().unwrap();
    drive.tick();
    assert!(drive.gates[0].key_changed, "stopped");
    let shown = gate.show_code().unwrap();
    drive.pair_by(&shown.code, &gate.address, "东门");
    assert!(drive.asked.is_some(), "a second person is asked");
    assert!(drive.gates[0].key_changed, "not by one person");
    drive.approve();
    drive.courier.as_mut().unwrap().pass(SystemClock.now().plus_ms(10_000)).unwrap();
    drive.tick();
    assert!(!drive.gates[0].key_changed, "{:?}", drive.failures);
    assert_eq!(drive.failures, vec![]);
    // Nothing of the proof is left to be used a second time.
    drive.staff(StaffCommand::Pairing(PairingCommand::Repair(old)));
    assert_eq!(gate.faces().unwrap(), 0);
}

#[test]
fn a_gate_taken_out_of_use_erases_everybody_and_its_receipt_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    let mut gate = gate_in(folder.path(), "gate");
    drive.pair(&gate, "东门");
    let id = drive.gates[0].id;
    let resident = drive.add("王小明", "1-101").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(menka::practice::PracticeAct::Seat(0));
    assert!(drive.enroll(0).unwrap(), "{:?}", drive.failures);
    assert_eq!(gate.faces().unwrap(), 1);
    // Away while it is taken out of use: told when it is back.
    let address = gate.address.clone();
    gate.kill();
    drive.staff(StaffCommand::Deletion(DeletionCommand::RetireGate(id)));
    drive.deliver().unwrap();
    gate.restart(&address).unwrap();
    let later = SystemClock.now().plus_ms(120_000);
    for n in 0..3 {
        drive.courier.as_mut().unwrap().pass(later.plus_ms(n * 60_000)).unwrap();
    }
    assert_eq!(gate.faces().unwrap(), 0);
    drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let vault = Vault::unlock(drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
    let kept = vault.unpairings(id).unwrap();
    let receipt: Receipt = decode(kept[0].receipt.as_deref().expect("signed")).unwrap();
    assert_eq!((kept.len(), receipt.outcome, receipt.op), (1, Outcome::Unpaired, *kept[0].op.bytes()));
    let record = vault.gates_ever().unwrap().into_iter().find(|gate| gate.id == id).unwrap();
    assert!(receipt.is_signed_by(&record.sign_key));
    assert!(vault.log_records(0, 10_000).unwrap().iter().any(|r| r.what == "gate-unpaired"));
    assert!(vault.gates_to_serve().unwrap().is_empty(), "nothing goes to it any more");
    drop(vault);
    let status = std::process::Command::new(gate_program())
        .args(["status", "--realm", "practice", "--data"])
        .arg(&gate.folder)
        .output()
        .unwrap();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("station: not paired") && status.contains("cards: 0"), "{status}");
}

// Shows: P38
#[test]
fn p38_public_addresses_are_refused() {
    let keys = std::sync::Arc::new(menka::wire::keys::IdentityKeys::make(Realm::Real).unwrap());
    let mut link = menka::lan::TlsLink::new(keys, menka::domain::id::SiteId::from_bytes([1; 16]));
    let code = menka::secret::PairingCode::parse("12345678").unwrap();
    for public in ["8.8.8.8:7443", "100.64.0.1:7443", "[2001:db8::1]:7443", "gate.example:7443", "0.0.0.0:7443"] {
        let refused = link.pair(public, &code, Duration::from_secs(5)).err();
        assert_eq!(refused, Some(PairError::Link(LinkError::NotLan)), "{public}");
    }
    for public in ["8.8.8.8", "0.0.0.0", "127.0.0.1", "fe80::1"] {
        assert_eq!(link.search(public).err(), Some(LinkError::NotLan), "{public}: on a real site");
    }
}
