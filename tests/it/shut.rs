//! A staff window that nobody is at, over real gate processes: residents withdraw all the same, the gates are served, and the next one at the
//! desk, whoever it is, takes over what stands.

use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{Failure, ResidentScene};
use menka::app::idle::{CLOSE_AFTER_MS, IDLE_LOCK_MS};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::role::LookWhy;
use menka::ports::Clock;
use menka::practice::site::PASSPHRASE;
use menka::secret::Passphrase;
use menka::vault::Vault;

use super::deletion::{NAME, UNIT, enrolled, name_of, pdf_text, with_card};

/// Nobody touches the staff window for a minute.
fn leave(site: &mut super::deletion::Site) {
    let events = site.drive.desk.tick(SystemClock.now().plus_ms(IDLE_LOCK_MS + 1_000));
    site.drive.hear(events);
    assert!(site.drive.told.iter().any(|told| told.contains("Curtain(")), "{:?}", site.drive.told.last());
    assert!(!site.drive.is_locked());
}

// Shows: P15a
#[test]
fn p15a_a_resident_withdraws_while_the_staff_window_is_shut_and_a_gate_that_comes_back_is_told() {
    let (mut site, resident) = enrolled(2);
    site.deliver_until("both gates", Duration::from_secs(20), |s| {
        s.drive.gates.iter().filter(|g| g.reachable).count() == 2
    });
    let address = site.gates[1].address.clone();
    site.gates[1].kill();
    leave(&mut site);
    site.drive.told.clear();
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }), "{:?}", site.drive.scene);
    // A new face needs somebody of the staff; withdrawing needs nobody.
    site.drive.resident(ResidentCommand::AskFace);
    assert!(matches!(site.drive.scene, ResidentScene::Idle { .. }));
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.tap_card(0).unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::WithdrawConfirm { .. }), "{:?}", site.drive.scene);
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    site.deliver_until("the gate that answers", Duration::from_secs(20), |s| s.gates[0].faces().unwrap() == 0);
    site.drive.tick();
    let ResidentScene::Withdrawn { pending, .. } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    assert_eq!(pending, &[name_of(1)]);
    // Their own certificate is theirs in the log too, and not the absent clerk's.
    let paper = site.folder.path().join("own.pdf");
    site.drive.resident(ResidentCommand::SaveReceipt(paper.clone()));
    assert!(paper.exists());
    // The paper names nobody who was not there.
    let text = pdf_text(&paper);
    assert!(text.contains("经办人：本人自助办理复核人："), "{text}");
    site.drive.resident(ResidentCommand::Back);
    // Nothing of this went to the shut window.
    let staff: Vec<&String> = site.drive.told.iter().filter(|told| told.starts_with("Staff(")).collect();
    assert!(staff.is_empty(), "{staff:?}");
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    site.drive.staff(StaffCommand::Find { query: UNIT.into() });
    assert!(!site.drive.told.join("\n").contains(NAME) && site.drive.opened.is_none());

    // The gate comes back with nobody at the desk: erased, and the certificate completed.
    site.gates[1].restart(&address).unwrap();
    site.deliver_until("the gate that was away", Duration::from_secs(30), |s| s.gates[1].faces().unwrap() == 0);
    site.drive.tick();

    // A wrong passphrase leaves it shut; the right one shows the desk as it is.
    let try_with = |site: &mut super::deletion::Site, words: &str| {
        let passphrase = Passphrase::new(words.into());
        site.drive.staff(StaffCommand::Unlock { account: None, passphrase });
    };
    try_with(&mut site, "not the passphrase");
    assert!(matches!(site.drive.failures.last(), Some(Failure::WrongPassphrase { .. })));
    assert!(!site.drive.told.iter().any(|told| told.contains("Unlocked")));
    site.drive.told.clear();
    try_with(&mut site, PASSPHRASE);
    let told = site.drive.told.join("\n");
    for what in ["Unlocked", "Gates(", "Posture(", "Deletion(", "HeadDue", "Facts(", "Idle { face_offered: true"] {
        assert!(told.contains(what), "{what} is not told to a window that opens: {told}");
    }

    site.drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
    let consent = vault.endings_of(resident).unwrap()[0].consent;
    assert!(!vault.certificates_of(consent).unwrap().is_empty());
    let log = vault.log_records(0, u32::MAX).unwrap();
    let last =
        |what: &str| log.iter().rposition(|r| r.what == what).unwrap_or_else(|| panic!("{what} is not in the log"));
    let back = log[..last("unlocked")].iter().rposition(|r| r.what == "unlocked").unwrap();
    let issued: Vec<_> = log.iter().filter(|r| r.what == "receipt-issued").collect();
    assert!(issued.len() > 1 && issued.iter().all(|r| !r.who.starts_with("staff:")), "{issued:?}");
    assert!(last("consent-ended") < back, "withdrawn before anybody came back");
    assert!(vault.audit().unwrap().is_sound());
}

#[test]
fn k2_7_a_desk_that_nobody_comes_back_to_for_a_day_closes() {
    let (mut site, _) = with_card(0);
    leave(&mut site);
    let later = |site: &mut super::deletion::Site, ms: i64| {
        let events = site.drive.desk.tick(SystemClock.now().plus_ms(IDLE_LOCK_MS + 1_000 + ms));
        site.drive.hear(events);
    };
    later(&mut site, CLOSE_AFTER_MS - 60_000);
    assert!(!site.drive.is_locked());
    later(&mut site, CLOSE_AFTER_MS + 1);
    assert!(site.drive.is_locked());
    assert!(matches!(site.drive.scene, ResidentScene::Closed));
}
