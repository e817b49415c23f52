//! An older copy of the vault is put back: the gates remember.

use menka::app::deletion::{Closing, DeletionCommand};
use menka::app::evidence::EvidenceCommand;

use super::*;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten().filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The last word on what keeps face entry off.
fn blocked(drive: &Drive) -> bool {
    let last = drive.told.iter().rev().find(|told| told.starts_with("Staff(Desk("));
    last.is_some_and(|told| told.contains("LogNotWhole"))
}

#[test]
fn p69_a_rolled_back_vault_is_refused_to_act_on_faces_and_said_and_cards_go_on() {
    let mut site = site(1);
    site.resident("周", 0);
    let (data, old) = (site.drive.data().to_owned(), site.folder.path().join("old"));
    site.drive.staff(StaffCommand::Lock);
    copy(&data, &old);

    // Another session: the gate keeps its head.
    site.drive.unlock();
    site.resident("吴", 1);
    site.drive.deliver().unwrap();
    site.drive.tick();
    assert!(!blocked(&site.drive));
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }), "{:?}", site.drive.scene);
    let head = site.folder.path().join("head.pdf");
    site.drive.staff(StaffCommand::Evidence(EvidenceCommand::SaveHead(head.clone())));
    assert!(std::fs::read(&head).unwrap().starts_with(b"%PDF-"));
    if let Some(folder) = std::env::var_os("MENKA_SHOTS") {
        std::fs::copy(&head, Path::new(&folder).join("head.pdf")).unwrap();
    }
    let told = site.drive.told.iter().rev().find(|told| told.contains("HeadSaved")).unwrap();
    let from = told.find("MK1-").expect("the line on the paper");
    let paper: String = told[from..].chars().take_while(|c| *c != '"').collect();
    site.drive.staff(StaffCommand::Evidence(EvidenceCommand::CheckHead(paper.clone())));
    assert!(site.drive.told.iter().any(|told| told.contains("HeadChecked(Fits")));

    // The older copy comes back.
    site.drive.staff(StaffCommand::Lock);
    copy(&old, &data);
    site.drive.unlock();
    site.drive.deliver().unwrap();
    site.drive.tick();
    assert!(blocked(&site.drive), "{:?}", site.drive.told.last());
    assert!(site.drive.told.iter().any(|told| told.contains("SawMore")), "it is said");
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }));
    site.drive.staff(StaffCommand::Evidence(EvidenceCommand::CheckHead(paper)));
    assert!(site.drive.told.iter().any(|told| told.contains("HeadChecked(SawMore")), "the paper says the same");
    // A card all the same.
    site.resident("郑", 2);
    site.assert_card_opens(2);

    // Paired again at the gate itself, by somebody who stands there: the earlier head is set aside, not lost.
    let folder = site.gates[0].folder.to_string_lossy().into_owned();
    let at_the_gate = |words: &[&str]| {
        let run = std::process::Command::new(gate_program())
            .args(words)
            .args(["--data", &folder, "--realm", "practice"])
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    };
    site.drive.pair(&site.gates[0], NAMES[0]);
    let later = SystemClock.now().plus_ms(30_000);
    site.drive.courier.as_mut().unwrap().pass(later).unwrap();
    site.drive.tick();
    assert!(!blocked(&site.drive));
    let heads = at_the_gate(&["heads"]);
    assert!(heads.contains("set aside by a pairing since") && heads.matches("kept since").count() == 2, "{heads}");
    let mut vault = site.vault();
    let log = vault.log_records(0, 10_000).unwrap();
    assert!(log.iter().any(|r| r.what == "head-conflict" && r.label.as_deref() == Some("ahead")));
    assert!(vault.audit_logged(SystemClock.now()).unwrap().is_sound());
}

/// One file of the vault, and what SQLite keeps beside it, put back as it was.
fn put_back(file: &str, from: &Path, to: &Path) {
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(to.join(format!("{file}{ending}")));
    }
    std::fs::copy(from.join(file), to.join(file)).unwrap();
}

#[test]
fn p69_either_file_alone_rolled_back_is_found_and_said_and_cards_go_on() {
    for (file, said) in [("keys.db", "keys_older: true"), ("vault.db", "SawMore")] {
        let mut site = site(1);
        let resident = site.resident("周", 0);
        site.drive.deliver().unwrap();
        let (data, old) = (site.drive.data().to_owned(), site.folder.path().join("old"));
        site.drive.staff(StaffCommand::Lock);
        copy(&data, &old);

        // Somebody moves out; the gate takes the note about it, and the head of the log.
        site.drive.unlock();
        let why = Closing::MovedOut;
        site.drive.staff(StaffCommand::Deletion(DeletionCommand::CloseRecord { resident, why }));
        site.drive.deliver().unwrap();
        let later = SystemClock.now().plus_ms(70_000);
        site.drive.courier.as_mut().unwrap().pass(later).unwrap();
        site.drive.tick();
        assert!(!blocked(&site.drive), "{file}: {:?}", site.drive.failures);
        site.drive.staff(StaffCommand::Lock);
        put_back(file, &old, &data);

        for start in 0..2 {
            site.drive.told.clear();
            site.drive.unlock();
            site.drive.deliver().unwrap();
            site.drive.tick();
            assert!(blocked(&site.drive), "{file} at start {start}: {:?}", site.drive.told.last());
            assert!(site.drive.told.iter().any(|told| told.contains(said)), "{file}: it is said");
            assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }), "{file}");
            if start == 0 {
                site.drive.staff(StaffCommand::Lock);
            }
        }
        // A card all the same.
        site.resident("郑", 2);
        site.assert_card_opens(2);
    }
}

#[test]
fn p47_a_file_of_keys_from_before_an_erasure_does_not_open_and_says_that_the_right_one_does() {
    let mut site = site(1);
    let resident = site.resident("周", 0);
    site.drive.deliver().unwrap();
    let why = Closing::MovedOut;
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::CloseRecord { resident, why }));
    site.drive.deliver().unwrap();
    site.drive.staff(StaffCommand::Lock);
    let (data, old, right) =
        (site.drive.data().to_owned(), site.folder.path().join("old"), site.folder.path().join("right"));
    copy(&data, &old);
    // A month later name and unit are erased.
    let month = SystemClock.now().plus_ms(40 * 86_400_000);
    let mut vault = site.vault();
    assert_eq!(vault.run_retention(month).unwrap().identities, 1);
    drop(vault);
    copy(&data, &right);

    put_back("keys.db", &old, &data);
    site.drive.failures.clear();
    site.drive.unlock();
    assert!(site.drive.is_locked());
    assert_eq!(site.drive.failures, vec![Failure::KeysOlder]);
    put_back("keys.db", &right, &data);
    site.drive.failures.clear();
    site.drive.unlock();
    assert!(!site.drive.is_locked(), "{:?}", site.drive.failures);
}
