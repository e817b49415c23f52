//! Passphrases, damaged files and full disks.

use std::path::Path;
use std::process::Command as Process;
use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{FaceState, Failure, ResidentScene};
use menka::domain::role::LookWhy;

use super::*;

fn wrong(drive: &mut Drive) -> Failure {
    drive.failures.clear();
    drive.staff(StaffCommand::Unlock { account: None, passphrase: Passphrase::new("not the passphrase".into()) });
    drive.failures.pop().expect("it fails")
}

#[test]
fn wrong_passphrases_wait_longer_and_the_right_one_opens_after_the_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    drive.create();
    drive.staff(StaffCommand::Lock);
    assert_eq!(wrong(&mut drive), Failure::WrongPassphrase { wait_ms: 0 });
    assert_eq!(wrong(&mut drive), Failure::WrongPassphrase { wait_ms: 0 });
    assert_eq!(wrong(&mut drive), Failure::WrongPassphrase { wait_ms: 1_000 });
    assert!(drive.told.iter().any(|t| t == "Staff(Locked { wait_ms: 1000 })"));
    drive.unlock();
    let early = drive.failures.pop();
    assert!(matches!(early, Some(Failure::WrongPassphrase { wait_ms: 1..=1_000 })), "{early:?}");
    assert!(drive.desk.is_locked());
    let waited = std::time::Instant::now();
    drive.until("the wait", Duration::from_secs(3), |_| waited.elapsed() > Duration::from_millis(1_050)).unwrap();
    assert_eq!(wrong(&mut drive), Failure::WrongPassphrase { wait_ms: 2_000 });
    drive.until("the wait", Duration::from_secs(5), |_| waited.elapsed() > Duration::from_millis(3_300)).unwrap();
    drive.unlock();
    assert_eq!(drive.failures, vec![]);
    assert!(!drive.desk.is_locked());
    // A second unlock of an open desk is no failure and no second vault.
    drive.unlock();
    assert_eq!(drive.failures, vec![]);
}

#[test]
fn a_file_cut_in_half_is_named_and_the_whole_one_opens_again() {
    for name in ["vault.db", "keys.db"] {
        let folder = tempfile::tempdir().unwrap();
        let mut drive = drive_in(folder.path());
        drive.create();
        // Larger than a page, so that half a file has lost something.
        for n in 0..40 {
            drive.add(&format!("住户{n}"), &format!("1-{n}")).unwrap();
        }
        drive.staff(StaffCommand::Lock);
        let path = drive.data().join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        drive.unlock();
        assert_eq!(drive.failures, vec![Failure::VaultDamaged(name.into())]);
        assert!(drive.desk.is_locked());
        std::fs::write(&path, &whole).unwrap();
        drive.failures.clear();
        drive.unlock();
        assert_eq!(drive.failures, vec![], "{name}");
        drive.staff(StaffCommand::Find { query: "1-39".into() });
        assert!(drive.told.last().unwrap().contains("住*"));
    }
}

/// A small disk of its own.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let options = format!("size={size}");
        let run = Process::new("mount").args(["-t", "tmpfs", "-o", &options, "menka-test"]).arg(at).output();
        match run {
            Ok(run) if run.status.success() => Some(Self(at.to_owned())),
            other => {
                let reason = format!("a small disk could not be mounted: {other:?}");
                assert!(std::env::var_os("MENKA_REQUIRE_DEVICES").is_none(), "devices are required: {reason}");
                println!("skipped: {reason}");
                None
            }
        }
    }

    /// Fills what is left.
    fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[7; 4_096]).is_ok() {}
        while file.write_all(&[7; 64]).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Process::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// Nothing more can be written. A write-ahead log has some room of its own: it is used up too.
fn fill_up(site: &mut Site, disk: &SmallDisk) {
    disk.fill();
    let mut written = 0;
    while site.drive.failures.is_empty() {
        let _ = site.drive.add("住户", &format!("8-{written}"));
        written += 1;
        assert!(written < 5_000, "the disk never filled");
    }
    assert_eq!(site.drive.failures, vec![Failure::DiskFull]);
    site.drive.staff(StaffCommand::CloseResident);
    site.drive.failures.clear();
}

/// A site with one gate and one resident, whose desk keeps its files on a disk of 8 MB; `None` where none can be mounted.
fn on_a_small_disk() -> Option<(Site, SmallDisk, ResidentId)> {
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(&folder.path().join("desk"), "8m")?;
    let mut site = site_in(folder, &[&[]]);
    let resident = site.resident("周", 0);
    Some((site, disk, resident))
}

/// The resident withdraws, and the disk does not take it.
fn withdraw_in_vain(site: &mut Site) {
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.resident(ResidentCommand::WedgeTyped(typed(0)));
    assert!(matches!(site.drive.scene, ResidentScene::WithdrawConfirm { .. }), "{:?}", site.drive.scene);
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    assert_eq!(ended(&site.drive.scene), Some((Some(Failure::DiskFull), false)));
}

#[test]
fn an_ending_that_a_full_disk_did_not_take_does_not_stand_in_the_way_of_who_comes_again_at_once() {
    let Some((mut site, disk, resident)) = on_a_small_disk() else { return };
    assert!(site.drive.enroll(0).unwrap());
    fill_up(&mut site, &disk);
    withdraw_in_vain(&mut site);
    disk.empty();
    site.drive.failures.clear();
    // No tick of the desk in between.
    site.drive.resident(ResidentCommand::Back);
    site.drive.resident(ResidentCommand::AskFace);
    site.drive.resident(ResidentCommand::WedgeTyped(typed(0)));
    assert!(matches!(site.drive.scene, ResidentScene::Notice { .. }), "{:?}", site.drive.scene);
    assert_eq!(site.vault().current_consent(resident).unwrap(), None, "the earlier yes has ended");
    drop(site);
    drop(disk);
}

#[test]
fn a_full_disk_is_told_says_erased_of_nothing_and_loses_nothing() {
    let Some((mut site, disk, resident)) = on_a_small_disk() else { return };
    assert!(site.drive.enroll(0).unwrap());

    fill_up(&mut site, &disk);

    // Nobody's name is shown by a search that is not in the log.
    site.drive.told.clear();
    site.drive.staff(StaffCommand::Find { query: "8-0".into() });
    assert_eq!(site.drive.failures.split_off(0), vec![Failure::DiskFull]);
    assert!(!site.drive.told.iter().any(|told| told.contains("Found")), "{:?}", site.drive.told);

    // A withdrawal that is not on disk is not said to be done.
    withdraw_in_vain(&mut site);
    assert_eq!(site.gates[0].faces().unwrap(), 1);
    site.assert_card_opens(0);

    // With room again the desk does by itself what it owes, and everything else goes on.
    disk.empty();
    site.drive.failures.clear();
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    let erasing = |d: &Drive| matches!(d.opened.as_ref().map(|v| &v.face), Some(FaceState::Erasing { .. }));
    site.drive.until("the ending that was owed", Duration::from_secs(15), erasing).unwrap();
    assert_eq!(site.drive.failures, vec![]);
    site.assert_faces_gone();
    site.drive.failures.clear();
    site.drive.add("住户", "8-9999").unwrap();
    assert_eq!(site.drive.failures, vec![]);
    drop(site);
    drop(disk);
}

#[test]
fn p13_with_a_disk_that_fills_while_the_consent_is_written_there_is_no_consent_and_no_camera() {
    let Some((mut site, disk, resident)) = on_a_small_disk() else { return };
    site.drive.ask_for_face(0).unwrap();
    site.drive.resident(ResidentCommand::NoticeReachedEnd);
    site.drive.resident(ResidentCommand::GoToConsent);
    assert!(matches!(site.drive.scene, ResidentScene::Consent { .. }), "{:?}", site.drive.scene);
    // The staff window may be used meanwhile.
    fill_up(&mut site, &disk);
    let signature = menka::domain::consent::Signature::TypedName("本人".into());
    site.drive.resident(ResidentCommand::Consent { signature });
    assert_eq!(ended(&site.drive.scene), Some((Some(Failure::DiskFull), false)));
    site.assert_dark();
    assert_eq!(site.drive.previews, 0);
    site.assert_card_opens(0);
    disk.empty();
    assert_eq!(site.vault().current_consent(resident).unwrap(), None);
    drop(site);
    drop(disk);
}
