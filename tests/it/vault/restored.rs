//! Who may put a backup in the place of a vault that is there, and which keys open it afterwards.

use std::path::PathBuf;

use menka::domain::Realm;
use menka::domain::approval::Act;
use menka::domain::id::StaffId;
use menka::domain::time::Timestamp;
use menka::ports::NoChip;
use menka::secret::{Passphrase, RecoveryKey};
use menka::vault::{EpochNote, Restorers, Restoring, Vault, VaultError};

use super::site::*;

fn later(ms: i64) -> Timestamp {
    NOW.plus_ms(60_000 + ms)
}

struct There {
    folder: tempfile::TempDir,
    stick: tempfile::TempDir,
    backup: PathBuf,
    key: RecoveryKey,
    recovery: RecoveryKey,
    first: StaffId,
    second: StaffId,
    note: EpochNote,
    vault: Vault,
}

/// A desk with two supervisors, a recovery key that was put away, and a backup.
fn there() -> There {
    let (folder, vault) = new_vault(Realm::Real);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    gate(&mut vault, "东门");
    resident(&mut vault, "诸葛暖暖", "1-101");
    let recovery = vault.make_recovery_key(None, NOW).unwrap();
    vault.record_recovery_key_kept().unwrap();
    let key = vault.make_backup_key(None, NOW).unwrap();
    vault.record_backup_key_kept(NOW).unwrap();
    let stick = tempfile::tempdir().unwrap();
    let backup = stick.path().join(vault.back_up(stick.path(), later(0)).unwrap().name);
    let (first, note) = (vault.operator().0, vault.epoch_note().unwrap());
    There { folder, stick, backup, key, recovery, first, second, note, vault }
}

fn finish(mut restoring: Restoring, note: &EpochNote, now: Timestamp) -> menka::vault::RestoreReport {
    assert!(restoring.take_note(note.number, &note.sealed).unwrap());
    let report = restoring.finish(now).unwrap();
    assert!(report.sound && report.fresh_keys, "{report:?}");
    report
}

#[test]
fn p51_4_a_vault_that_is_there_is_put_aside_by_its_own_two_supervisors_or_its_recovery_key_only() {
    let There { folder, stick, backup, key, recovery, first, second, note, vault } = there();
    let dir = folder.path();
    drop(vault);
    let ids = |by: &[StaffId], now| begin_restore(dir, &backup, &key, by, now).err();
    assert_eq!(ids(&[], later(1)), Some(VaultError::ApprovalNeeded), "the printed key and the stick are not enough");
    assert_eq!(ids(&[first], later(1)), Some(VaultError::ApprovalNeeded));
    assert_eq!(ids(&[first, first], later(1)), Some(VaultError::ApprovalNeeded), "one person is not two");
    assert_eq!(ids(&[first, StaffId::from_bytes([9; 16])], later(1)), Some(VaultError::ApprovalNeeded));
    let wrong = |supervisors, recovery, now| {
        let by = Restorers { supervisors, recovery };
        Vault::begin_restore(dir, Realm::Real, (&backup, &key), by, &mut NoChip, now).err()
    };
    let other = || Passphrase::new("ten letters and more".into());
    for _ in 0..3 {
        let refused = wrong(vec![(first, passphrase()), (second, other())], None, later(1));
        assert!(matches!(refused, Some(VaultError::WrongPassphrase { .. })), "{refused:?}");
    }
    let refused = wrong(vec![(first, passphrase()), (second, passphrase())], None, later(2));
    assert!(matches!(refused, Some(VaultError::TooSoon { .. })), "counted as at the door: {refused:?}");
    let refused = wrong(vec![], Some(RecoveryKey::make()), later(3));
    assert!(matches!(refused, Some(VaultError::WrongPassphrase { .. })), "{refused:?}");

    // Another site's backup, with all of its keys and this desk's supervisors.
    let foreign = self::there();
    let elsewhere = begin_restore(dir, &foreign.backup, &foreign.key, &[first, second], later(90_000)).err();
    assert_eq!(elsewhere, Some(VaultError::OtherSite));
    assert_eq!(stick.path().read_dir().unwrap().count(), 1);
    let vault = Vault::unlock(dir, Realm::Real, &passphrase(), later(100_000)).unwrap();
    assert!(vault.restored_at().unwrap().is_none(), "nothing has happened");
    drop(vault);

    // Damaged data does not open the door either: the slots alone are asked.
    let main = std::fs::read(dir.join("vault.db")).unwrap();
    std::fs::write(dir.join("vault.db"), &main[..main.len() / 2]).unwrap();
    assert_eq!(ids(&[first], later(200_000)), Some(VaultError::ApprovalNeeded));
    let restoring = begin_restore(dir, &backup, &key, &[first, second], later(200_000)).unwrap();
    assert_eq!(finish(restoring, &note, later(200_000)).passphrases, 2);
    assert!(Vault::unlock(dir, Realm::Real, &passphrase(), later(201_000)).is_ok());

    // Nobody knows a passphrase: the sheet in the safe.
    let by = Restorers { supervisors: vec![], recovery: Some(recovery) };
    let restoring = Vault::begin_restore(dir, Realm::Real, (&backup, &key), by, &mut NoChip, later(300_000)).unwrap();
    let report = finish(restoring, &note, later(300_000));
    assert!(!report.recovery_void && report.passphrases == 0, "{report:?}");
}

#[test]
fn k2_7_a_restore_brings_no_key_back_that_was_changed_since() {
    let There { folder, stick: _stick, backup, key, recovery: old, first, second, mut vault, .. } = there();
    let dir = folder.path().to_owned();
    let slots = std::fs::read(dir.join("slots")).unwrap();
    let approval = vault.approve(Act::NewRecoveryKey, second, &passphrase(), later(1)).unwrap();
    let new = vault.make_recovery_key(Some(approval), later(1)).unwrap();
    vault.record_recovery_key_kept().unwrap();
    let changed = Passphrase::new("another long enough one".into());
    vault.change_passphrase(&passphrase(), &changed, later(2)).unwrap();
    let note = vault.epoch_note().unwrap();
    drop(vault);

    let by = Restorers { supervisors: vec![(first, changed), (second, passphrase())], recovery: None };
    let restoring = Vault::begin_restore(&dir, Realm::Real, (&backup, &key), by, &mut NoChip, later(10)).unwrap();
    let report = finish(restoring, &note, later(10));
    assert!(report.recovery_void && report.passphrases == 2, "{report:?}");

    let changed = || Passphrase::new("another long enough one".into());
    let refused = Vault::unlock_as(&dir, Realm::Real, first, &passphrase(), later(1_000)).err();
    assert!(matches!(refused, Some(VaultError::WrongPassphrase { .. })), "the one of that time: {refused:?}");
    let vault = Vault::unlock_as(&dir, Realm::Real, first, &changed(), later(100_000)).unwrap();
    assert!(!vault.recovery_key_is_kept().unwrap(), "a new one is to be made");
    assert_eq!(vault.keys_changed_at().unwrap(), Some(later(10)));
    drop(vault);
    for key in [old, new] {
        let refused = Vault::recover(&dir, Realm::Real, &key, first, &changed(), later(200_000)).err();
        assert_eq!(refused, Some(VaultError::Unknown), "void");
    }
    // The slots file of that time opens nothing that is there now.
    let right = std::fs::read(dir.join("slots")).unwrap();
    std::fs::write(dir.join("slots"), &slots).unwrap();
    assert!(Vault::unlock_as(&dir, Realm::Real, first, &passphrase(), later(300_000)).is_err());
    std::fs::write(dir.join("slots"), right).unwrap();
    assert!(Vault::unlock_as(&dir, Realm::Real, first, &changed(), later(400_000)).is_ok());
}

#[test]
fn who_allowed_a_restore_is_logged_by_name() {
    let There { folder, stick: _stick, backup, key, recovery, first, second, note, vault } = there();
    let dir = folder.path();
    drop(vault);
    let allowed = |vault: &Vault| {
        let records = vault.log_records(0, 1_000).unwrap().into_iter();
        records.filter(|record| record.what == "restore-allowed").map(|record| record.who.clone()).collect::<Vec<_>>()
    };
    let restoring = begin_restore(dir, &backup, &key, &[first, second], later(1)).unwrap();
    finish(restoring, &note, later(1));
    let vault = Vault::unlock(dir, Realm::Real, &passphrase(), later(1_000)).unwrap();
    let (named, mut both) = (allowed(&vault), vec![first, second]);
    both.sort();
    assert_eq!(named.len(), 2, "{named:?}");
    for (who, id) in named.iter().zip(both) {
        assert!(who.contains(&id.to_string()), "{who} {id}");
    }
    drop(vault);
    let by = Restorers { supervisors: vec![], recovery: Some(recovery) };
    let restoring = Vault::begin_restore(dir, Realm::Real, (&backup, &key), by, &mut NoChip, later(2_000)).unwrap();
    finish(restoring, &note, later(2_000));
    let vault = Vault::unlock(dir, Realm::Real, &passphrase(), later(3_000)).unwrap();
    assert_eq!(allowed(&vault).len(), 1, "the key, and nobody");
}
