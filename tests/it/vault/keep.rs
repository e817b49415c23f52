//! Backups, drills, restoring and new keys, on real files.

use std::path::{Path, PathBuf};
use std::process::Command;

use menka::domain::Realm;
use menka::domain::approval::Act;
use menka::domain::audit::Actor;
use menka::domain::consent::EraseReason;
use menka::domain::id::{ResidentId, StaffId};
use menka::domain::role::Role;
use menka::domain::time::Timestamp;
use menka::secret::{Passphrase, RecoveryKey};
use menka::vault::{EpochNote, NewAccount, RestoreReport, STEPS, Vault, VaultError};

use super::site::*;

const DAY: i64 = 86_400_000;

fn later(ms: i64) -> Timestamp {
    NOW.plus_ms(60_000 + ms)
}

/// A site with a gate, three people with cards, and a backup key that was put away.
struct Kept {
    folder: tempfile::TempDir,
    stick: tempfile::TempDir,
    vault: Vault,
    people: Vec<ResidentId>,
    key: RecoveryKey,
}

const PEOPLE: [(&str, &str); 3] = [("诸葛暖暖", "1-101"), ("司马元元", "2-202"), ("上官多多", "3-303")];

fn site() -> Kept {
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let people = (1u32..)
        .zip(PEOPLE)
        .map(|(n, (name, unit))| {
            let reader = reader(&mut vault, name, unit, n, &[east]);
            let _ = reader.consent(&mut vault, &[east]).unwrap();
            reader.resident
        })
        .collect();
    let key = vault.make_backup_key(None, NOW).unwrap();
    vault.record_backup_key_kept(NOW).unwrap();
    Kept { folder, stick: tempfile::tempdir().unwrap(), vault, people, key }
}

impl Kept {
    fn back_up(&mut self, now: Timestamp) -> PathBuf {
        let report = self.vault.back_up(self.stick.path(), now).unwrap();
        self.stick.path().join(report.name)
    }
}

fn restore(
    into: &Path,
    from: &Path,
    key: &RecoveryKey,
    notes: &[&EpochNote],
    now: Timestamp,
) -> Result<RestoreReport, VaultError> {
    let there = Vault::accounts_at_the_door(into, now)?.into_iter().map(|account| account.id);
    let mut restoring = begin_restore(into, from, key, &there.collect::<Vec<_>>(), now)?;
    for note in notes {
        assert!(restoring.take_note(note.number, &note.sealed)?, "the station's own note opens");
    }
    restoring.finish(now)
}

#[test]
fn p56_a_backup_brings_nobody_back_who_was_erased_and_no_card_and_no_face_that_ended() {
    let mut kept = site();
    let at_backup = kept.vault.epoch_note().unwrap();
    let backup = kept.back_up(later(0));
    let rows = kept.vault.backups(9).unwrap();
    assert_eq!((rows.len(), rows[0].people, rows[0].opens), (1, 3, true));

    // The first withdraws, the second loses the card, the third moves out and is erased after thirty days.
    let [first, second, third] = kept.people[..] else { panic!("three people") };
    kept.vault.end_consent(first, EraseReason::Withdrawn, later(1)).unwrap();
    kept.vault.end_card(second, later(2)).unwrap();
    kept.vault.close_record(third, EraseReason::MovedOut, Actor::Station, later(3)).unwrap();
    let gone = kept.vault.gates().unwrap().remove(0).id;
    // The gate has signed for everything.
    while let Some(delivery) = kept.vault.next_due(gone, later(4)).unwrap() {
        kept.vault.record_delivered(delivery.op, gone, b"signed", later(4)).unwrap();
    }
    let plan = kept.vault.run_retention(later(31 * DAY)).unwrap();
    assert_eq!(plan.identities, 1);
    let note = kept.vault.epoch_note().unwrap();
    assert!(note.number > at_backup.number);

    // The disk is lost; a new one.
    let fresh = tempfile::tempdir().unwrap();
    let dir = fresh.path().join("menka");
    let now = later(32 * DAY);
    let report = restore(&dir, &backup, &kept.key, &[&at_backup, &note], now).unwrap();
    assert!(report.sound, "{report:?}");
    assert_eq!((report.people, report.erased, report.closed), (2, 1, 1), "{report:?}");
    assert_eq!((report.faces, report.cards), (1, 1), "those of the closed record count with it: {report:?}");

    let vault = Vault::unlock(&dir, Realm::Real, &passphrase(), now).unwrap();
    assert!(vault.audit().unwrap().is_sound());
    assert_eq!(vault.find("诸葛 1-101").unwrap().rows.len(), 1);
    assert_eq!(vault.find("司马 2-202").unwrap().rows.len(), 1);
    assert_eq!(vault.find("上官 3-303").unwrap().rows.len(), 0);
    assert_eq!(vault.find("3-303").unwrap().rows.len(), 0);
    assert_eq!(vault.resident_by_card(&uid(1)).unwrap(), Some(first));
    assert!(vault.resident_by_card(&uid(2)).unwrap().is_none() && vault.current_card(second).unwrap().is_none());
    assert!(vault.current_consent(first).unwrap().is_none());
    assert!(vault.current_consent(second).unwrap().is_some(), "what was not ended goes on");
    assert!(vault.current_consent(third).unwrap().is_none());
    assert_eq!(vault.restored_at().unwrap(), Some(now));
    // Nothing of the erased one, under the encryption and in free pages too.
    let mut values = vault.decrypted_values().unwrap();
    values.extend(vault.decrypted_pages());
    assert!(!contains(&values, "上官多多".as_bytes()) && !contains(&values, b"3-303"));
    // Operations begin above everything that a gate has ever seen.
    drop(vault);
    let mut vault = Vault::unlock(&dir, Realm::Real, &passphrase(), now).unwrap();
    let op = vault.next_due(gone, now).unwrap().expect("what was ended again is told to the gate again");
    assert!(op.sequence > 0);
    drop(vault.epoch_note().unwrap());
    assert!(vault.epoch_note().unwrap().number > note.number, "gates take the next note");
}

#[test]
fn without_the_gates_half_or_with_one_of_another_site_nothing_opens() {
    let mut kept = site();
    let backup = kept.back_up(later(0));
    let fresh = tempfile::tempdir().unwrap();
    let tried = restore(fresh.path(), &backup, &kept.key, &[], later(1));
    assert_eq!(tried, Err(VaultError::KeptNowhere));
    assert!(matches!(Vault::state(fresh.path(), later(1)), Ok(menka::vault::VaultState::Absent)));
    assert!(!fresh.path().join("next").exists(), "what did not count is swept up");

    let mut other = site();
    let foreign = other.vault.epoch_note().unwrap();
    let mut restoring = begin_restore(fresh.path(), &backup, &kept.key, &[], later(1)).unwrap();
    assert!(!restoring.take_note(foreign.number, &foreign.sealed).unwrap());
    // Nor one under another number.
    let own = kept.vault.epoch_note().unwrap();
    assert!(!restoring.take_note(own.number + 1, &own.sealed).unwrap());
    drop(restoring);
    // What is on the stick tells nothing: no names, no card, no key, no slot of anybody.
    let mut bytes = vec![];
    for entry in std::fs::read_dir(&backup).unwrap().flatten() {
        bytes.extend(std::fs::read(entry.path()).unwrap());
    }
    for (name, unit) in PEOPLE {
        assert!(!contains(&bytes, name.as_bytes()) && !contains(&bytes, unit.as_bytes()));
    }
    let person = kept.vault.person_key_bytes(kept.people[0]).unwrap();
    assert!(!contains(&bytes, &person));
}

#[test]
fn another_key_a_changed_file_and_files_of_two_backups_are_refused_and_nothing_is_touched() {
    let mut kept = site();
    let note = kept.vault.epoch_note().unwrap();
    let (one, two) = (kept.back_up(later(0)), kept.back_up(later(DAY)));
    let fresh = tempfile::tempdir().unwrap();
    let attempt = |from: &Path, key: &RecoveryKey| restore(fresh.path(), from, key, &[&note], later(2 * DAY)).err();
    assert_eq!(attempt(&one, &RecoveryKey::make()), Some(VaultError::WrongBackupKey));
    assert_eq!(attempt(kept.stick.path(), &kept.key), Some(VaultError::NotABackup));
    let none = menka::vault::Restorers::default();
    let no_chip = &mut menka::ports::NoChip;
    let real = Vault::begin_restore(fresh.path(), Realm::Practice, (&one, &kept.key), none, no_chip, NOW).err();
    assert_eq!(real, Some(VaultError::OtherRealm));
    for file in ["vault.db", "keys.db", "backup.json"] {
        let whole = std::fs::read(one.join(file)).unwrap();
        std::fs::copy(two.join(file), one.join(file)).unwrap();
        assert_eq!(attempt(&one, &kept.key), Some(VaultError::BackupDamaged), "{file} of another backup");
        let mut changed = whole.clone();
        let at = whole.len() * 2 / 3;
        changed[at] ^= 0x01;
        std::fs::write(one.join(file), &changed).unwrap();
        let refused = attempt(&one, &kept.key);
        assert!(
            matches!(refused, Some(VaultError::BackupDamaged | VaultError::NotABackup | VaultError::WrongBackupKey)),
            "{file}: {refused:?}"
        );
        std::fs::write(one.join(file), &whole[..whole.len() - 1]).unwrap();
        assert!(attempt(&one, &kept.key).is_some(), "{file} is cut");
        std::fs::write(one.join(file), &whole).unwrap();
    }
    assert!(matches!(Vault::state(fresh.path(), NOW), Ok(menka::vault::VaultState::Absent)));
    assert_eq!(attempt(&one, &kept.key), None, "whole again it opens");
}

#[test]
fn a_drill_restores_into_a_scratch_place_and_changes_nobody() {
    let mut kept = site();
    let backup = kept.back_up(later(0));
    let first = kept.people[0];
    kept.vault.end_consent(first, EraseReason::Withdrawn, later(1)).unwrap();
    let note = kept.vault.epoch_note().unwrap();
    let before = kept.vault.log_len().unwrap();
    let mut drill = kept.vault.begin_drill(&backup, &kept.key).unwrap();
    assert!(drill.take_note(note.number, &note.sealed).unwrap());
    drill.take_head(&kept.vault.checkpoint().unwrap());
    let id = drill.id();
    let report = drill.finish(later(2)).unwrap();
    assert!(report.sound && report.people == 3 && report.faces == 1, "{report:?}");
    assert_eq!(report.lost, Some(before - report.records));
    assert_eq!(kept.vault.log_len().unwrap(), before, "the drill writes nothing into the vault");
    assert!(!kept.folder.path().join("scratch").exists() && !kept.folder.path().join("next").exists());
    kept.vault.record_drill(id, later(3)).unwrap();
    assert_eq!(kept.vault.backups(1).unwrap()[0].drilled_at, Some(later(3)));
    assert!(kept.vault.audit().unwrap().is_sound());
    // The backup of another site is no drill of this one's.
    let mut other = site();
    let foreign = other.back_up(later(0));
    assert_eq!(kept.vault.begin_drill(&foreign, &other.key).err(), Some(VaultError::NotABackup));
}

#[test]
fn a_vault_that_was_there_is_put_aside_and_goes_after_thirty_days() {
    let mut kept = site();
    let backup = kept.back_up(later(0));
    let note = kept.vault.epoch_note().unwrap();
    let dir = kept.folder.path().to_owned();
    drop(kept.vault);
    restore(&dir, &backup, &kept.key, &[&note], later(1)).unwrap();
    let aside = || {
        let names = std::fs::read_dir(&dir).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains(".aside-")).count()
    };
    assert!(aside() >= 3, "both files and the slots");
    let mut vault = Vault::unlock(&dir, Realm::Real, &passphrase(), later(2)).unwrap();
    assert!(vault.check_no_face().unwrap().is_clean());
    vault.run_retention(later(29 * DAY)).unwrap();
    assert!(aside() >= 3);
    vault.run_retention(later(31 * DAY)).unwrap();
    assert_eq!(aside(), 0);
}

#[test]
fn an_account_that_was_switched_off_since_stays_off_and_who_refuses_stays_refusing() {
    let (folder, vault) = new_vault(Realm::Real);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    let act = Act::AddAccount(Role::FrontDesk);
    let approval = vault.approve(act, second, &passphrase(), NOW).unwrap();
    let (name, trained_on) = ("前台小周".to_owned(), NOW.date());
    let new = NewAccount { name, role: Role::FrontDesk, passphrase: passphrase(), trained_on };
    let clerk = vault.add_account(&new, Some(approval), NOW).unwrap();
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "欧阳明明", "5-505", 9, &[east]);
    let key = vault.make_backup_key(None, NOW).unwrap();
    assert_eq!(vault.back_up(folder.path(), NOW).err(), Some(VaultError::BackupKeyMissing), "not yet put away");
    vault.record_backup_key_kept(NOW).unwrap();
    let stick = tempfile::tempdir().unwrap();
    let backup = stick.path().join(vault.back_up(stick.path(), later(0)).unwrap().name);
    let approval = vault.approve(Act::DisableAccount(clerk), second, &passphrase(), later(1)).unwrap();
    vault.disable_account(clerk, Some(approval), later(1)).unwrap();
    vault.restrict(reader.resident, Actor::Station, later(2)).unwrap();
    let note = vault.epoch_note().unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let report = restore(fresh.path(), &backup, &key, &[&note], later(3)).unwrap();
    assert_eq!((report.accounts, report.sound), (1, true));
    let door = Vault::accounts_at_the_door(fresh.path(), later(4)).unwrap();
    assert_eq!(door.iter().map(|account| account.id).filter(|id| *id == clerk).count(), 0);
    let restored = Vault::unlock(fresh.path(), Realm::Real, &passphrase(), later(4)).unwrap();
    assert!(restored.is_restricted(reader.resident).unwrap());
}

pub fn rotate(folder: &Path, second: StaffId, now: Timestamp) -> Result<(), VaultError> {
    let mut vault = Vault::unlock(folder, Realm::Real, &passphrase(), now)?;
    let approval = vault.approve(Act::ChangeKeys, second, &passphrase(), now)?;
    vault.rotate_keys(approval, now).map(|_| ())
}

#[test]
fn new_keys_open_for_every_account_and_an_old_slots_file_opens_nothing_that_is_written_since() {
    let (folder, vault) = new_vault(Realm::Real);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    let dir = folder.path();
    resident(&mut vault, "诸葛暖暖", "1-101");
    let printed = vault.make_recovery_key(None, NOW).unwrap();
    let courier = vault.second_connection().unwrap();
    let approval = |vault: &mut Vault, act| vault.approve(act, second, &passphrase(), NOW).unwrap();
    let wrong = approval(&mut vault, Act::NewRecoveryKey);
    assert!(!vault.is_alone());
    drop(courier);
    assert!(vault.is_alone());
    assert_eq!(vault.rotate_keys(wrong, NOW).err(), Some(VaultError::ApprovalNeeded));

    let old: Vec<(String, Vec<u8>)> = all_bytes(&folder);
    for round in 0..2i64 {
        rotate(dir, second, later(round * 1_000)).unwrap();
        for account in Vault::accounts_at_the_door(dir, later(0)).unwrap() {
            let vault = Vault::unlock_as(dir, Realm::Real, account.id, &passphrase(), later(10_000)).unwrap();
            assert_eq!(vault.find("诸葛 1-101").unwrap().rows.len(), 1);
            assert!(vault.audit().unwrap().is_sound());
            assert!(vault.keys_changed_at().unwrap().is_some() && vault.keys_file_has_own_key());
        }
    }
    // Everything that a former employee copied, with the passphrase: it opens the copy, and nothing of now.
    for (name, bytes) in old.iter().filter(|(name, _)| name == "slots") {
        let now = std::fs::read(dir.join(name)).unwrap();
        std::fs::write(dir.join(name), bytes).unwrap();
        let tried = Vault::unlock(dir, Realm::Real, &passphrase(), later(20_000));
        assert!(matches!(tried, Err(VaultError::Corrupt { .. })), "{tried:?}");
        std::fs::write(dir.join(name), now).unwrap();
    }
    // The printed recovery key was dealt the new one too.
    let first = Vault::accounts_at_the_door(dir, later(0)).unwrap().remove(0).id;
    let new = Passphrase::new("a wholly new passphrase".into());
    let (vault, _) = Vault::recover(dir, Realm::Real, &printed, first, &new, later(30_000)).unwrap();
    assert_eq!(vault.find("诸葛 1-101").unwrap().rows.len(), 1);
}

/// The folder and the act of the child; without them the child's test does nothing.
const CHILD: &str = "MENKA_TEST_KEEP_CHILD";
const END_AT: &str = "MENKA_END_AT";

/// When the identity of somebody whose record was closed at the beginning is due.
fn month_over() -> Timestamp {
    NOW.plus_ms(32 * 86_400_000)
}

/// The child: this test binary, started again by the test below, which ends at a named point as if the power had failed.
#[test]
fn keep_child_acts_until_it_ends() {
    let Some(dir) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let folder = dir.join("desk");
    let note = std::fs::read(dir.join("note")).unwrap();
    let (number, sealed) = note.split_at(8);
    let number = u64::from_be_bytes(number.try_into().unwrap());
    let now = later(1_000);
    let at = std::env::var(END_AT).unwrap();
    let act = std::fs::read_to_string(dir.join("act")).unwrap();
    match act.as_str() {
        "backup" => {
            let mut vault = Vault::unlock(&folder, Realm::Real, &passphrase(), now).unwrap();
            vault.back_up(&dir.join("stick"), now).unwrap();
        }
        "restore" => {
            let key = menka::secret::Typed::new(std::fs::read_to_string(dir.join("key")).unwrap());
            let key = RecoveryKey::parse(&key).unwrap();
            let from = std::fs::read_dir(dir.join("kept")).unwrap().next().unwrap().unwrap().path();
            let by = Vault::accounts_at_the_door(&folder, now).unwrap().into_iter().map(|account| account.id);
            let mut restoring = begin_restore(&folder, &from, &key, &by.collect::<Vec<_>>(), now).unwrap();
            assert!(restoring.take_note(number, sealed).unwrap());
            restoring.finish(now).unwrap();
        }
        "erase" => {
            let mut vault = Vault::unlock(&folder, Realm::Real, &passphrase(), month_over()).unwrap();
            vault.run_retention(month_over()).unwrap();
        }
        _ => {
            let second = Vault::accounts_at_the_door(&folder, now).unwrap().remove(1).id;
            rotate(&folder, second, now).unwrap();
        }
    }
    panic!("{act} did not pass {at}");
}

#[test]
fn an_end_at_any_point_of_backup_restore_and_new_keys_leaves_the_old_set_or_the_new_one_whole() {
    // Prepared once, copied for every point.
    let (folder, vault) = new_vault(Realm::Real);
    let (mut vault, _) = with_second_supervisor(&folder, vault);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "诸葛暖暖", "1-101", 1, &[east]);
    let _ = reader.consent(&mut vault, &[east]).unwrap();
    let key = vault.make_backup_key(None, NOW).unwrap();
    vault.record_backup_key_kept(NOW).unwrap();
    let stick = tempfile::tempdir().unwrap();
    vault.back_up(stick.path(), NOW).unwrap();
    let late = resident(&mut vault, "司马元元", "2-202");
    let goes = resident(&mut vault, "上官多多", "3-303");
    vault.close_record(goes, EraseReason::MovedOut, Actor::Station, NOW).unwrap();
    let note = vault.epoch_note().unwrap();
    let before = vault.log_len().unwrap();
    drop(vault);

    let mut passed = 0;
    for step in STEPS {
        let acts: &[&str] = match step.split_once('/') {
            Some(("backup", _)) => &["backup"],
            Some(("restore", _)) => &["restore"],
            Some(("rotate", _)) => &["rotate"],
            // New sets begin with a new secret.
            Some(("erase", _)) => &["erase", "rotate", "restore"],
            // What all of them go through in the end.
            _ => &["rotate", "restore"],
        };
        for act in acts {
            let place = tempfile::tempdir().unwrap();
            for (from, to) in [(folder.path(), "desk"), (stick.path(), "kept")] {
                copy_all(from, &place.path().join(to));
            }
            std::fs::create_dir(place.path().join("stick")).unwrap();
            std::fs::write(place.path().join("act"), act).unwrap();
            std::fs::write(place.path().join("key"), key.shown().as_str()).unwrap();
            std::fs::write(place.path().join("note"), [&note.number.to_be_bytes()[..], &note.sealed].concat()).unwrap();
            let out = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "vault::keep::keep_child_acts_until_it_ends", "--nocapture", "--test-threads=1"])
                .env(CHILD, place.path())
                .env(END_AT, step)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&out.stdout);
            let told = String::from_utf8_lossy(&out.stderr);
            assert!(!out.status.success() && !told.contains("panicked"), "{act} at {step}: {said}{told}");

            // The program starts again.
            let dir = place.path().join("desk");
            let state = Vault::state(&dir, later(5_000)).unwrap();
            assert!(matches!(state, menka::vault::VaultState::Locked { .. }), "{act} at {step}");
            let vault = Vault::unlock(&dir, Realm::Real, &passphrase(), later(5_000)).unwrap();
            assert!(vault.audit().unwrap().is_sound(), "{act} at {step}");
            assert!(vault.start_check().sound, "{act} at {step}");
            assert_eq!(vault.find("诸葛 1-101").unwrap().rows.len(), 1, "{act} at {step}");
            assert!(vault.current_consent(reader.resident).unwrap().is_some(), "{act} at {step}");
            if *act == "erase" {
                // The next run finishes what was due, and nothing else is gone.
                drop(vault);
                let mut vault = Vault::unlock(&dir, Realm::Real, &passphrase(), month_over()).unwrap();
                vault.run_retention(month_over()).unwrap();
                assert!(vault.retention_plan(month_over()).unwrap().is_empty(), "{step}");
                assert_eq!(vault.find("上官 3-303").unwrap().rows.len(), 0, "{step}");
                assert_eq!(vault.find("司马 2-202").unwrap().rows.len(), 1, "{step}");
                assert!(vault.audit().unwrap().is_sound() && vault.keys_are_current().unwrap(), "{step}");
                passed += 1;
                continue;
            }
            let restored = vault.restored_at().unwrap().is_some();
            let counts = step.starts_with("swap/");
            assert_eq!(restored, *act == "restore" && counts, "{act} at {step}: one or the other");
            assert_eq!(vault.keys_changed_at().unwrap().is_some(), *act != "backup" && counts, "{act} at {step}");
            // Whoever came after the backup is there unless the backup took the vault's place.
            assert_eq!(vault.find("司马 2-202").unwrap().rows.len(), usize::from(!restored), "{act} at {step}");
            assert!(restored || vault.log_len().unwrap() >= before);
            assert_eq!(vault.needs_second_person(late, later(0)).is_err(), restored);
            for left in ["next", "scratch", "swap"] {
                assert!(!dir.join(left).exists(), "{act} at {step}: {left} is left");
            }
            for entry in std::fs::read_dir(place.path().join("stick")).unwrap().flatten() {
                let whole = entry.path().join("backup.json").exists();
                let drilled = vault.begin_drill(&entry.path(), &key);
                assert_eq!(drilled.is_ok(), whole, "a broken-off backup is none: {act} at {step}");
            }
            passed += 1;
        }
    }
    assert!(passed >= 20, "{passed}");
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy_all(&entry.path(), &target) } else { drop(std::fs::copy(entry.path(), target)) }
    }
}
