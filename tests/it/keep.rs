//! Backups, restoring and new keys through the desk's own commands; a damaged, swapped or older vault at the real start.

use std::path::{Path, PathBuf};

use menka::app::command::StaffCommand;
use menka::app::event::Failure;
use menka::app::keep::{KeepCommand, KeepFailure, KeepTold, KeepView, RestoreReport};
use menka::domain::role::LookWhy;
use menka::face::{self, EngineKind};
use menka::practice::drive::Drive;
use menka::practice::people;
use menka::secret::Typed;

use crate::day::{gate_program, models, pictures};

pub fn drive_in(folder: &Path) -> Drive {
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    Drive::new(folder, engine, people(&pictures()).expect("make pictures fetches them"))
}

pub fn keep(drive: &mut Drive, command: KeepCommand) {
    drive.staff(StaffCommand::Keep(command));
}

/// Makes a backup key and puts it away; what is on the sheet.
pub fn backup_key(drive: &mut Drive) -> Typed {
    keep(drive, KeepCommand::NewKey);
    let key = drive.keep.iter().rev().find_map(|told| match told {
        KeepTold::Sheet(key) => Some(key.clone()),
        _ => None,
    });
    keep(drive, KeepCommand::SheetKept);
    key.unwrap_or_else(|| panic!("no key: {:?}", drive.failures))
}

/// Makes a backup below a folder; where it lies.
pub fn back_up(drive: &mut Drive, into: &Path) -> PathBuf {
    std::fs::create_dir_all(into).unwrap();
    keep(drive, KeepCommand::BackUp(into.to_owned()));
    let name = drive.keep.iter().rev().find_map(|told| match told {
        KeepTold::BackedUp(report) => Some(report.name.clone()),
        _ => None,
    });
    into.join(name.unwrap_or_else(|| panic!("no backup: {:?}", drive.failures)))
}

/// What restoring said last.
pub fn restored(drive: &Drive) -> RestoreReport {
    let found = drive.keep.iter().rev().find_map(|told| match told {
        KeepTold::Restored(report) | KeepTold::Drilled(report) => Some(report.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing was restored: {:?}", drive.failures))
}

fn view(drive: &mut Drive) -> KeepView {
    keep(drive, KeepCommand::Show);
    let found = drive.keep.iter().rev().find_map(|told| match told {
        KeepTold::View(view) => Some((**view).clone()),
        _ => None,
    });
    found.expect("the page is told")
}

#[test]
fn a_backup_needs_a_key_a_gate_and_is_not_restored_over_an_open_desk() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    drive.create();
    assert_eq!(view(&mut drive).key_made_at, None);
    keep(&mut drive, KeepCommand::BackUp(folder.path().into()));
    assert_eq!(drive.failures.pop(), Some(Failure::Keep(KeepFailure::NoGate)));
    let key = backup_key(&mut drive);
    assert!(view(&mut drive).key_made_at.is_some());
    drive.restore(folder.path(), &key);
    assert_eq!(drive.failures.pop(), Some(Failure::Keep(KeepFailure::NotLocked)));
    keep(&mut drive, KeepCommand::Drill(folder.path().into(), key));
    assert_eq!(drive.failures.pop(), Some(Failure::Keep(KeepFailure::NotABackup)));
    keep(&mut drive, KeepCommand::Drill(folder.path().into(), Typed::new("0000".into())));
    assert!(matches!(drive.failures.pop(), Some(Failure::Keep(KeepFailure::Key(_)))));
    // Another key takes a second person from now on.
    keep(&mut drive, KeepCommand::NewKey);
    assert!(matches!(drive.failures.pop(), Some(Failure::Operators(_))), "nobody is there to approve");
}

#[test]
fn p51_4_the_keys_are_changed_by_two_people_and_everybody_logs_in_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = drive_in(folder.path());
    drive.create();
    let resident = drive.add("欧阳暖暖", "9-1909").unwrap();
    drive.staff(StaffCommand::CloseResident);
    keep(&mut drive, KeepCommand::ChangeKeys);
    assert!(matches!(drive.failures.pop(), Some(Failure::Operators(_))), "nobody is there to approve");
    drive.add_colleague();
    let before = std::fs::read(drive.data().join("vault.db")).unwrap();
    keep(&mut drive, KeepCommand::ChangeKeys);
    assert!(!drive.keep.iter().any(|told| matches!(told, KeepTold::Changing)), "not before the second person");
    drive.approve();
    // The courier of the session has a connection of its own: the keys wait for it.
    for _ in 0..3 {
        drive.tick();
    }
    assert!(drive.keep.iter().any(|told| matches!(told, KeepTold::Changed(2))), "{:?}", drive.failures);
    assert_ne!(std::fs::read(drive.data().join("vault.db")).unwrap()[..64], before[..64]);
    drive.failures.clear();
    drive.unlock();
    drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    assert_eq!(drive.opened.as_ref().map(|v| v.resident.name.as_str().to_owned()).as_deref(), Some("欧阳暖暖"));
    assert!(view(&mut drive).keys_changed_at.is_some());
    assert_eq!(drive.failures, vec![]);
}

#[test]
fn a_changed_page_a_swapped_file_and_a_missing_one_are_refused_and_said_at_the_start() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut other = drive_in(two.path());
    other.create();
    other.staff(StaffCommand::Lock);
    let mut drive = drive_in(one.path());
    drive.create();
    drive.staff(StaffCommand::Lock);
    let data = drive.data().to_owned();
    let mut refused = |what: &str, file: &str, change: &dyn Fn(&Path)| {
        let whole = std::fs::read(data.join(file)).unwrap();
        change(&data.join(file));
        drive.failures.clear();
        // As after a start of the program.
        drive.unlock();
        assert!(drive.is_locked(), "{what}");
        let said = drive.failures.iter().any(|failure| match failure {
            Failure::VaultDamaged(named) => ["vault.db", "keys.db", "epoch.key", "slots"].contains(&named.as_str()),
            Failure::WrongPassphrase { .. } => file == "slots",
            _ => false,
        });
        assert!(said, "{what}: {:?}", drive.failures);
        std::fs::write(data.join(file), whole).unwrap();
    };
    for file in ["vault.db", "keys.db"] {
        let pages = std::fs::metadata(one.path().join("desk").join(file)).unwrap().len() / 4096;
        for page in [1, pages / 2, pages - 1] {
            refused(&format!("page {page} of {file}"), file, &|path| {
                let mut bytes = std::fs::read(path).unwrap();
                bytes[usize::try_from(page).unwrap() * 4096 + 77] ^= 1;
                std::fs::write(path, bytes).unwrap();
            });
        }
        refused(&format!("two pages of {file} swapped"), file, &|path| {
            let mut bytes = std::fs::read(path).unwrap();
            let (front, back) = bytes.split_at_mut(2 * 4096);
            front[4096..].swap_with_slice(&mut back[..4096]);
            std::fs::write(path, bytes).unwrap();
        });
        refused(&format!("{file} of another site"), file, &|path| {
            std::fs::copy(two.path().join("desk").join(file), path).unwrap();
        });
        refused(&format!("{file} is empty"), file, &|path| std::fs::write(path, b"").unwrap());
    }
    refused("epoch.key of another site", "epoch.key", &|path| {
        std::fs::copy(two.path().join("desk/epoch.key"), path).unwrap();
    });
    refused("epoch.key cut in half", "epoch.key", &|path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    });
    refused("the slots of another site", "slots", &|path| {
        std::fs::copy(two.path().join("desk/slots"), path).unwrap();
    });
    drive.failures.clear();
    drive.unlock();
    if drive.is_locked() {
        // The pause after the refusals above.
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        drive.unlock();
    }
    assert!(!drive.is_locked(), "whole again it opens: {:?}", drive.failures);
}

#[test]
fn p51_the_desk_binds_the_vault_to_its_computer_and_says_on_another_why_it_does_not_open() {
    use crate::chip::Swtpm;
    use menka::app::keep::ComputerView;
    let (Some(here), Some(there)) = (Swtpm::start(), Swtpm::start()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let on = |chip: &Swtpm| {
        let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
        Drive::with_chip(folder.path(), engine, people(&pictures()).unwrap(), chip.chip())
    };
    let mut drive = on(&here);
    drive.create();
    drive.add_colleague();
    assert_eq!(view(&mut drive).computer, ComputerView::Free);
    keep(&mut drive, KeepCommand::BindComputer);
    assert!(!drive.keep.iter().any(|told| matches!(told, KeepTold::Changing)), "not before the second person");
    drive.approve();
    for _ in 0..3 {
        drive.tick();
    }
    assert!(drive.keep.contains(&KeepTold::Bound), "{:?}", drive.failures);
    drive.unlock();
    assert_eq!(view(&mut drive).computer, ComputerView::Bound);
    drive.staff(StaffCommand::Lock);
    assert_eq!(drive.failures, vec![]);
    drop(drive);

    let mut stolen = on(&there);
    stolen.unlock();
    assert!(stolen.is_locked());
    assert_eq!(stolen.failures, vec![Failure::Keep(KeepFailure::ChipOther)]);
    drop(stolen);

    let mut drive = on(&here);
    drive.unlock();
    keep(&mut drive, KeepCommand::ReleaseComputer);
    drive.approve();
    for _ in 0..3 {
        drive.tick();
    }
    assert!(drive.keep.contains(&KeepTold::Released), "{:?}", drive.failures);
    drop(drive);
    // Without a chip there is nothing to bind to; what was released opens.
    let mut drive = drive_in(folder.path());
    drive.unlock();
    assert_eq!(view(&mut drive).computer, ComputerView::NoChip);
    keep(&mut drive, KeepCommand::BindComputer);
    assert_eq!(drive.failures, vec![Failure::Keep(KeepFailure::ChipMissing)]);
}

/// Rounds of desk and courier until these gates keep what the desk says now.
fn all_keep(site: &mut crate::relay::Site, names: &[&str]) {
    // The note is looked at with a gate's health: what was written last is in it after that.
    site.passes(1);
    site.until("gates that keep the newest note", |s| {
        let keepers = view(&mut s.drive).keepers;
        keepers.iter().filter(|k| names.contains(&k.name.as_str())).all(|k| k.newest == Some(true))
    });
}

/// The same site with shorter pauses between two questions.
fn hasty(count: usize) -> crate::relay::Site {
    let mut site = crate::relay::site(count);
    site.drive.hasten();
    site.drive.staff(StaffCommand::Lock);
    site.drive.unlock();
    site
}

#[test]
fn p47_what_only_a_gate_knows_that_was_away_at_the_restore_ends_again_when_it_answers_and_its_note_is_not_lost() {
    use menka::app::deletion::{Closing, DeletionCommand};
    use menka::app::operators::OperatorsCommand;
    use menka::domain::role::Role;
    use menka::practice::site::PASSPHRASE;
    use menka::secret::Passphrase;

    let stick = tempfile::tempdir().unwrap();
    let mut site = hasty(2);
    let passphrase = || Passphrase::new(PASSPHRASE.into());
    let trained_on = menka::ports::Clock::now(&menka::app::runner::SystemClock).date().to_string();
    let clerk =
        OperatorsCommand::Add { name: "小赵".into(), role: Role::FrontDesk, passphrase: passphrase(), trained_on };
    site.drive.operators(clerk);
    site.drive.approve();
    let resident = site.drive.add("欧阳暖暖", "9-1909").unwrap();
    site.drive.staff(StaffCommand::CloseResident);
    let key = backup_key(&mut site.drive);
    all_keep(&mut site, &["1号门", "2号门"]);
    let backup = back_up(&mut site.drive, stick.path());

    // The second gate is away while a clerk is switched off and a record closed; the first one hears of it.
    let addresses = [site.gates[0].address.clone(), site.gates[1].address.clone()];
    site.gates[1].kill();
    let who = |drive: &Drive| drive.door.iter().find(|account| account.name == "小赵").map(|account| account.id);
    site.drive.staff(StaffCommand::Lock);
    let clerk = who(&site.drive).expect("the clerk is at the door");
    site.drive.unlock();
    site.drive.operators(OperatorsCommand::Disable(clerk));
    site.drive.approve();
    site.drive.staff(StaffCommand::OpenResident(resident, LookWhy::Request));
    let close = DeletionCommand::CloseRecord { resident, why: Closing::MovedOut };
    site.drive.staff(StaffCommand::Deletion(close));
    site.drive.staff(StaffCommand::CloseResident);
    assert_eq!(site.drive.failures, vec![]);
    all_keep(&mut site, &["1号门"]);
    let closed = |site: &mut crate::relay::Site| site.vault(|v| v.closed_since(resident).unwrap().is_some());
    assert!(closed(&mut site));
    all_keep(&mut site, &["1号门"]);

    // The desk is lost; at the restore only the one answers that heard nothing of it.
    site.drive.staff(StaffCommand::Lock);
    std::fs::remove_dir_all(site.drive.data()).unwrap();
    site.gates[0].kill();
    site.gates[1].restart(&addresses[1]).unwrap();
    site.drive.restore(&backup, &key);
    let report = restored(&site.drive);
    assert_eq!((report.gates, report.heard, report.gates_all), (1, 1, 2), "{report:?}");
    assert_eq!((report.accounts, report.closed), (0, 0), "nobody could know: {report:?}");
    site.drive.unlock();
    assert_eq!(view(&mut site.drive).unheard, ["1号门"]);
    // The desk goes on, so that its number passes the one that the first gate keeps.
    all_keep(&mut site, &["2号门"]);
    for n in 0..3 {
        site.drive.add(&format!("新住户{n}"), "8-808").unwrap();
        let newcomer = site.drive.opened.as_ref().unwrap().resident.id;
        site.drive
            .staff(StaffCommand::Deletion(DeletionCommand::CloseRecord { resident: newcomer, why: Closing::MovedOut }));
        site.drive.staff(StaffCommand::CloseResident);
        all_keep(&mut site, &["2号门"]);
    }
    assert!(!closed(&mut site));

    site.gates[0].restart(&addresses[0]).unwrap();
    let heard = |drive: &Drive| {
        let late = drive.keep.iter().filter_map(|told| match told {
            KeepTold::HeardLate(name, report) => Some((name.clone(), report.clone())),
            _ => None,
        });
        late.collect::<Vec<_>>()
    };
    site.until("the gate that was away", |s| !heard(&s.drive).is_empty());
    let late = heard(&site.drive);
    assert_eq!((late.len(), late[0].0.as_str(), late[0].1.accounts, late[0].1.closed), (1, "1号门", 1, 1), "{late:?}");
    assert!(view(&mut site.drive).unheard.is_empty());
    assert!(closed(&mut site), "closed again");
    let words = site.vault(|v| v.log_records(0, 10_000).unwrap().into_iter().map(|r| r.what).collect::<Vec<_>>());
    for word in ["ended-again", "account-disabled", "record-closed"] {
        assert!(words.iter().any(|what| what == word), "{word}: {words:?}");
    }
    site.drive.staff(StaffCommand::Lock);
    site.drive.failures.clear();
    site.drive.staff(StaffCommand::Unlock { account: Some(clerk), passphrase: passphrase() });
    assert!(site.drive.is_locked(), "the clerk's passphrase opens nothing");
    site.drive.unlock();
    all_keep(&mut site, &["1号门", "2号门"]);

    // The desk is lost once more, and this time only the first gate is there: what it knew is still known.
    site.drive.staff(StaffCommand::Lock);
    std::fs::remove_dir_all(site.drive.data()).unwrap();
    site.gates[1].kill();
    site.drive.restore(&backup, &key);
    let report = restored(&site.drive);
    assert_eq!((report.heard, report.accounts, report.closed), (1, 1, 1), "{report:?}");
}

#[test]
fn a_drill_that_fails_leaves_nothing_behind_and_the_lock_screen_says_who_may_unlock() {
    let stick = tempfile::tempdir().unwrap();
    let mut site = hasty(1);
    let key = backup_key(&mut site.drive);
    all_keep(&mut site, &["1号门"]);
    let backup = back_up(&mut site.drive, stick.path());
    site.gates[0].kill();
    keep(&mut site.drive, KeepCommand::Drill(backup, key));
    assert_eq!(site.drive.failures.pop(), Some(Failure::Keep(KeepFailure::KeptNowhere)));
    assert!(!site.drive.data().join("scratch").exists(), "nothing of it is left");
    // As a program that was killed in a drill leaves it, and while the courier still holds the vault.
    std::fs::create_dir(site.drive.data().join("scratch")).unwrap();
    site.drive.door.clear();
    site.drive.failures.clear();
    site.drive.staff(StaffCommand::Lock);
    assert_eq!(site.drive.failures, vec![]);
    assert_eq!(site.drive.door.len(), 2, "both supervisors can be chosen");
    // Somebody's damaged note keeps nobody out.
    std::fs::write(site.drive.data().join("swap"), b"{").unwrap();
    site.drive.unlock();
    assert!(!site.drive.is_locked(), "{:?}", site.drive.failures);
}

#[test]
fn a_drill_that_does_not_read_back_whole_is_told_and_not_noted_as_one_that_works() {
    let stick = tempfile::tempdir().unwrap();
    let mut site = hasty(1);
    let key = backup_key(&mut site.drive);
    all_keep(&mut site, &["1号门"]);
    site.drive.add("王小明", "1-101").unwrap();
    site.drive.staff(StaffCommand::CloseResident);
    // Somebody with the keys changed what a record was sealed with.
    let vault = {
        let passphrase = menka::secret::Passphrase::new(menka::practice::site::PASSPHRASE.into());
        let now = menka::ports::Clock::now(&menka::app::runner::SystemClock);
        site.drive.staff(StaffCommand::Lock);
        menka::vault::Vault::unlock(site.drive.data(), menka::domain::Realm::Practice, &passphrase, now).unwrap()
    };
    for sql in [
        "DROP TRIGGER log_details_stay",
        "UPDATE log_details SET sealed = x'00' WHERE n = (SELECT min(n) FROM log_details)",
        "CREATE TRIGGER log_details_stay BEFORE UPDATE ON log_details
         BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    ] {
        vault.execute_for_a_test(false, sql).unwrap();
    }
    drop(vault);
    site.drive.unlock();
    site.drive.failures.clear();
    let backup = back_up(&mut site.drive, stick.path());
    all_keep(&mut site, &["1号门"]);
    keep(&mut site.drive, KeepCommand::Drill(backup, key));
    let report = restored(&site.drive);
    assert!(!report.sound, "{report:?}");
    let seen = view(&mut site.drive).backups[0];
    assert_eq!(seen.drilled_at, None, "it is not said to work");
    assert!(seen.drill_failed_at.is_some(), "and the page says that it does not");
    assert_eq!(logged(&mut site, "backup-drill-failed"), 1);
}

fn logged(site: &mut crate::relay::Site, word: &str) -> usize {
    site.vault(|v| v.log_records(0, 10_000).unwrap()).iter().filter(|record| record.what == word).count()
}

#[test]
fn a_backup_that_worked_once_and_was_damaged_since_is_no_longer_said_to_work() {
    let stick = tempfile::tempdir().unwrap();
    let mut site = hasty(1);
    let key = backup_key(&mut site.drive);
    site.drive.add("王小明", "1-101").unwrap();
    site.drive.staff(StaffCommand::CloseResident);
    let backup = back_up(&mut site.drive, stick.path());
    all_keep(&mut site, &["1号门"]);
    keep(&mut site.drive, KeepCommand::Drill(backup.clone(), key.clone()));
    assert!(restored(&site.drive).sound);
    let worked = view(&mut site.drive).backups[0];
    assert!(worked.drilled_at.is_some() && worked.drill_failed_at.is_none());

    // A mistyped key says nothing about the backup.
    let other = menka::secret::RecoveryKey::make().shown();
    keep(&mut site.drive, KeepCommand::Drill(backup.clone(), other));
    assert_eq!(view(&mut site.drive).backups[0], worked);
    assert_eq!(logged(&mut site, "backup-drill-failed"), 0);

    // The stick lost a bit.
    let file = backup.join("vault.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    site.drive.failures.clear();
    keep(&mut site.drive, KeepCommand::Drill(backup, key));
    assert!(!site.drive.failures.is_empty(), "it is said at once");
    let seen = view(&mut site.drive).backups[0];
    assert_eq!(seen.drilled_at, worked.drilled_at);
    assert!(seen.drill_failed_at > seen.drilled_at, "{seen:?}");
    assert_eq!(logged(&mut site, "backup-drill-failed"), 1);
}

#[test]
fn the_time_of_a_backup_is_none_without_anybody_at_the_window() {
    use menka::app::command::Command;
    use menka::domain::time::Timestamp;
    use menka::ports::Clock;
    let stick = tempfile::tempdir().unwrap();
    let mut site = hasty(1);
    let _ = backup_key(&mut site.drive);
    all_keep(&mut site, &["1号门"]);
    let at = menka::app::runner::SystemClock.now().plus_ms(500);
    let shut = |site: &mut crate::relay::Site, now: Timestamp| {
        let events = site.drive.desk.tick(now);
        format!("{events:?}").contains("Curtain")
    };
    let command = Command::Staff(StaffCommand::Keep(KeepCommand::BackUp(stick.path().into())));
    let events = format!("{:?}", site.drive.desk.handle(command, at));
    assert!(events.contains("BackedUp"), "{events}");
    site.drive.desk.command_over(at.plus_ms(70_000));
    assert!(!shut(&mut site, at.plus_ms(70_000)), "a slow stick: the result can still be read");
    assert!(!shut(&mut site, at.plus_ms(120_000)));
    assert!(shut(&mut site, at.plus_ms(131_000)), "a minute after it");
}

#[test]
fn no_backup_and_no_drill_begin_while_a_resident_is_served() {
    let stick = tempfile::tempdir().unwrap();
    let mut site = hasty(1);
    let key = backup_key(&mut site.drive);
    let resident = site.drive.add("欧阳暖暖", "9-1909").unwrap();
    site.drive.issue(resident, 0).unwrap();
    site.drive.staff(StaffCommand::CloseResident);
    site.drive.ask_for_face(0).unwrap();
    keep(&mut site.drive, KeepCommand::BackUp(stick.path().into()));
    assert_eq!(site.drive.failures.pop(), Some(Failure::Keep(KeepFailure::Serving)));
    keep(&mut site.drive, KeepCommand::Drill(stick.path().into(), key));
    assert_eq!(site.drive.failures.pop(), Some(Failure::Keep(KeepFailure::Serving)));
    assert_eq!(stick.path().read_dir().unwrap().count(), 0);
}
