//! The vault bound to a computer's security chip, with a TPM 2.0 in software (swtpm) for each computer.

use std::path::{Path, PathBuf};
use std::process::Command;

use menka::domain::Realm;
use menka::domain::approval::Act;
use menka::domain::id::StaffId;
use menka::domain::role::Role;
use menka::domain::time::Timestamp;
use menka::ports::{ChipError, NoChip, SecurityChip};
use menka::secret::{Passphrase, RecoveryKey};
use menka::vault::{NewAccount, STEPS, Vault, VaultError};
use tempfile::TempDir;

use super::site::*;
use crate::chip::Swtpm;

fn later(ms: i64) -> Timestamp {
    NOW.plus_ms(60_000 + ms)
}

/// A site with two supervisors, somebody in it, and a printed recovery key that was put away.
fn site() -> (TempDir, Vault, StaffId, RecoveryKey) {
    let (folder, vault) = new_vault(Realm::Real);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    resident(&mut vault, "诸葛暖暖", "1-101");
    let printed = vault.make_recovery_key(None, NOW).unwrap();
    vault.record_recovery_key_kept().unwrap();
    (folder, vault, second, printed)
}

fn open(dir: &Path, chip: &mut dyn SecurityChip, now: Timestamp) -> Result<Vault, VaultError> {
    open_as(dir, Vault::first_account(dir)?, chip, now)
}

fn open_as(dir: &Path, who: StaffId, chip: &mut dyn SecurityChip, now: Timestamp) -> Result<Vault, VaultError> {
    Vault::unlock_with(dir, Realm::Real, who, &passphrase(), chip, now)
}

fn bind(mut vault: Vault, second: StaffId, chip: &mut dyn SecurityChip, now: Timestamp) -> Result<(), VaultError> {
    let approval = vault.approve(Act::BindComputer, second, &passphrase(), now)?;
    vault.bind_to(chip, approval, now).map(|_| ())
}

/// How often the log has this word.
fn logged(vault: &Vault, word: &str) -> usize {
    vault.log_records(0, 1_000).unwrap().iter().filter(|record| record.what == word).count()
}

const MISSING: VaultError = VaultError::Chip(ChipError::Missing);
const OTHER: VaultError = VaultError::Chip(ChipError::Other);

#[test]
fn a_chip_opens_what_it_sealed_and_no_other_chip_does() {
    let (Some(here), Some(there)) = (Swtpm::start(), Swtpm::start()) else { return };
    let (mut here, mut there) = (here.chip(), there.chip());
    assert!(here.is_there() && !NoChip.is_there());
    let secret = [7; 32];
    let sealed = here.seal(&secret).unwrap();
    assert!(!contains(&sealed, &secret));
    assert_ne!(here.seal(&secret).unwrap(), sealed);
    // Nothing stays in the chip from one time to the next: it has room for a few objects only.
    for _ in 0..10 {
        assert_eq!(*here.unseal(&sealed).unwrap(), secret);
    }
    assert_eq!(there.unseal(&sealed).err(), Some(ChipError::Other));
    let mut refused = 0;
    for at in (0..sealed.len()).step_by(5) {
        let mut broken = sealed.clone();
        broken[at] ^= 1;
        refused += usize::from(here.unseal(&broken).is_err());
        assert!(here.unseal(&sealed[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(refused, sealed.len().div_ceil(5), "each changed byte is refused");
}

#[test]
fn p51_a_bound_vault_opens_on_its_own_computer_only_even_with_the_right_passphrase() {
    let (Some(here), Some(there)) = (Swtpm::start(), Swtpm::start()) else { return };
    let (mut here, mut thief) = (here.chip(), there.chip());
    let (folder, mut vault, second, _) = site();
    let dir = folder.path();
    let first = vault.operator().0;
    let wrong = vault.approve(Act::ChangeKeys, second, &passphrase(), NOW).unwrap();
    assert_eq!(vault.bind_to(&mut *here, wrong, NOW).err(), Some(VaultError::ApprovalNeeded));
    let before = std::fs::read(dir.join("slots")).unwrap();
    let vault = open(dir, &mut NoChip, later(0)).unwrap();
    assert!(!vault.is_bound().unwrap());
    assert_eq!(bind(vault, second, &mut NoChip, later(0)), Err(MISSING), "nothing to bind to");
    let vault = open(dir, &mut NoChip, later(0)).unwrap();
    bind(vault, second, &mut *here, later(0)).unwrap();

    // Both accounts, here, with the passphrases they had.
    for who in [first, second] {
        let vault = open_as(dir, who, &mut *here, later(1_000)).unwrap();
        assert!(vault.is_bound().unwrap() && vault.audit().unwrap().is_sound());
        assert_eq!(vault.find("诸葛 1-101").unwrap().rows.len(), 1);
        assert_eq!(logged(&vault, "computer-bound"), 1);
    }
    // The files on another computer: refused, and not as a wrong passphrase.
    for n in 0..5 {
        assert_eq!(open(dir, &mut *thief, later(2_000 + n)).err(), Some(OTHER));
        assert_eq!(open(dir, &mut NoChip, later(2_000 + n)).err(), Some(MISSING));
    }
    assert!(Vault::accounts_at_the_door(dir, later(2_010)).unwrap().iter().all(|account| account.wait_ms == 0));
    // The slots file of before the binding, as freed blocks of the disk may still hold it.
    let now = std::fs::read(dir.join("slots")).unwrap();
    std::fs::write(dir.join("slots"), &before).unwrap();
    assert!(matches!(open(dir, &mut *thief, later(3_000)), Err(VaultError::Corrupt { .. })));
    // The layer is said away in the file, or what the chip sealed is damaged.
    let text = String::from_utf8(now.clone()).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let sealed = file["chip"].as_str().unwrap().to_owned();
    file["format"] = 3.into();
    file.as_object_mut().unwrap().remove("chip");
    std::fs::write(dir.join("slots"), file.to_string()).unwrap();
    assert!(matches!(open(dir, &mut *here, later(4_000)), Err(VaultError::WrongPassphrase { .. })));
    for broken in [sealed.replace(&sealed[100..110], "0123456789"), sealed[..sealed.len() - 2].into(), "00".into()] {
        std::fs::write(dir.join("slots"), text.replace(&sealed, &broken)).unwrap();
        assert_eq!(open(dir, &mut *here, later(5_000)).err(), Some(OTHER), "{broken}");
    }
    std::fs::write(dir.join("slots"), text.replace(&sealed, "")).unwrap();
    assert!(matches!(open(dir, &mut *here, later(5_000)), Err(VaultError::Corrupt { .. })));
    std::fs::write(dir.join("slots"), now).unwrap();
    assert!(open(dir, &mut *here, later(90_000)).is_ok(), "and whole again, here, it opens");
}

#[test]
fn accounts_and_new_keys_stay_bound_until_two_people_release_the_vault() {
    let Some(here) = Swtpm::start() else { return };
    let mut here = here.chip();
    let (folder, vault, second, _) = site();
    let dir = folder.path();
    bind(vault, second, &mut *here, later(0)).unwrap();
    let mut vault = open(dir, &mut *here, later(1_000)).unwrap();
    // Whatever is done to accounts meanwhile stays under the layer.
    let (name, role) = ("前台小周".to_owned(), Role::FrontDesk);
    let new = NewAccount { name, role, passphrase: passphrase(), trained_on: NOW.date() };
    let act = Act::AddAccount(Role::FrontDesk);
    let approval = vault.approve(act, second, &passphrase(), later(1_000)).unwrap();
    let third = vault.add_account(&new, Some(approval), later(1_000)).unwrap();
    let changed = Passphrase::new("another long passphrase".into());
    vault.change_passphrase(&passphrase(), &changed, later(2_000)).unwrap();
    vault.change_passphrase(&changed, &passphrase(), later(3_000)).unwrap();
    for round in 0..2 {
        for who in [Vault::first_account(dir).unwrap(), second, third] {
            drop(vault);
            assert_eq!(open_as(dir, who, &mut NoChip, later(4_000)).err(), Some(MISSING));
            vault = open_as(dir, who, &mut *here, later(4_000)).unwrap();
        }
        drop(vault);
        vault = open(dir, &mut *here, later(5_000)).unwrap();
        if round == 0 {
            let approval = vault.approve(Act::ChangeKeys, second, &passphrase(), later(5_000)).unwrap();
            vault.rotate_keys(approval, later(5_000)).unwrap();
            vault = open(dir, &mut *here, later(6_000)).unwrap();
            assert!(vault.is_bound().unwrap());
        }
    }
    let wrong = vault.approve(Act::BindComputer, second, &passphrase(), later(7_000)).unwrap();
    assert_eq!(vault.release(wrong, later(7_000)).err(), Some(VaultError::ApprovalNeeded));
    let mut vault = open(dir, &mut *here, later(8_000)).unwrap();
    let approval = vault.approve(Act::ReleaseComputer, second, &passphrase(), later(8_000)).unwrap();
    vault.release(approval, later(8_000)).unwrap();
    for who in [Vault::first_account(dir).unwrap(), second, third] {
        let vault = open_as(dir, who, &mut NoChip, later(9_000)).unwrap();
        assert!(!vault.is_bound().unwrap() && logged(&vault, "computer-released") == 1);
    }
}

#[test]
fn the_printed_key_opens_after_a_dead_mainboard_and_binds_to_the_new_one() {
    let (Some(dead), Some(new)) = (Swtpm::start(), Swtpm::start()) else { return };
    let (mut old, mut new) = (dead.chip(), new.chip());
    let (folder, vault, second, printed) = site();
    let dir = folder.path();
    let first = vault.operator().0;
    bind(vault, second, &mut *old, later(0)).unwrap();
    let recover = |key: &RecoveryKey, chip: &mut dyn SecurityChip, ms: i64| {
        Vault::recover_with(dir, Realm::Real, key, (first, &passphrase()), chip, later(ms))
    };
    // On the computer that it is bound to, a forgotten passphrase changes nothing about the binding.
    let (vault, printed) = recover(&printed, &mut *old, 1_000).unwrap();
    assert!(vault.is_bound().unwrap() && logged(&vault, "computer-bound") == 1);
    drop(vault);
    drop(dead);
    assert_eq!(open(dir, &mut *old, later(2_000)).err(), Some(MISSING), "the chip is away at the start");
    assert_eq!(open(dir, &mut *new, later(2_000)).err(), Some(OTHER));

    let (mut vault, printed) = recover(&printed, &mut *new, 3_000).unwrap();
    assert!(vault.is_bound().unwrap() && logged(&vault, "computer-bound") == 2);
    vault.record_recovery_key_kept().unwrap();
    // What the session writes to the slots file goes under the new layer.
    let changed = Passphrase::new("another long passphrase".into());
    vault.change_passphrase(&passphrase(), &changed, later(4_000)).unwrap();
    vault.change_passphrase(&changed, &passphrase(), later(5_000)).unwrap();
    drop(vault);
    for who in [first, second] {
        assert_eq!(open_as(dir, who, &mut NoChip, later(6_000)).err(), Some(MISSING));
        assert!(open_as(dir, who, &mut *new, later(6_000)).is_ok(), "nobody else had to type anything");
    }
    // A computer without a chip: the vault is released, and says so.
    let (vault, _) = recover(&printed, &mut NoChip, 7_000).unwrap();
    assert!(!vault.is_bound().unwrap() && logged(&vault, "computer-released") == 1);
    drop(vault);
    assert!(open_as(dir, second, &mut NoChip, later(8_000)).is_ok());
}

#[test]
fn a_backup_of_a_bound_vault_is_restored_on_another_computer_and_is_bound_to_none() {
    let Some(here) = Swtpm::start() else { return };
    let mut here = here.chip();
    let (folder, mut vault, second, _) = site();
    gate(&mut vault, "东门");
    let key = vault.make_backup_key(None, NOW).unwrap();
    vault.record_backup_key_kept(NOW).unwrap();
    bind(vault, second, &mut *here, later(0)).unwrap();
    let mut vault = open(folder.path(), &mut *here, later(1_000)).unwrap();
    let stick = tempfile::tempdir().unwrap();
    let backup = stick.path().join(vault.back_up(stick.path(), later(2_000)).unwrap().name);
    let note = vault.epoch_note().unwrap();
    assert!(vault.begin_drill(&backup, &key).is_ok());
    drop(vault);
    let fresh = tempfile::tempdir().unwrap();
    let mut restoring = begin_restore(fresh.path(), &backup, &key, &[], later(3_000)).unwrap();
    assert!(restoring.take_note(note.number, &note.sealed).unwrap());
    assert!(restoring.finish(later(3_000)).unwrap().sound);
    for account in Vault::accounts_at_the_door(fresh.path(), later(4_000)).unwrap() {
        let vault = open_as(fresh.path(), account.id, &mut NoChip, later(4_000)).unwrap();
        assert!(!vault.is_bound().unwrap() && logged(&vault, "computer-released") == 1);
        assert_eq!(vault.find("诸葛 1-101").unwrap().rows.len(), 1);
    }
}

/// Where the child of the next test finds its folder.
const CHILD: &str = "MENKA_TEST_BINDING_CHILD";
const END_AT: &str = "MENKA_END_AT";

/// The child: this test binary again, which ends at a named point as if the power had failed.
#[test]
fn binding_child_acts_until_it_ends() {
    let Some(dir) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let at = std::fs::read_to_string(dir.join("chip")).unwrap();
    let mut chip = menka::chip::this_computer(Some(&at)).unwrap();
    let folder = dir.join("desk");
    let second = Vault::accounts_at_the_door(&folder, later(0)).unwrap().remove(1).id;
    let vault = open(&folder, &mut *chip, later(0)).unwrap();
    bind(vault, second, &mut *chip, later(0)).unwrap();
    panic!("not ended");
}

#[test]
fn an_end_at_any_point_of_binding_leaves_a_vault_that_opens_here() {
    let (Some(here), Some(there)) = (Swtpm::start(), Swtpm::start()) else { return };
    let (folder, vault, ..) = site();
    drop(vault);
    let mut bound = 0;
    for step in STEPS.iter().filter(|step| step.starts_with("rotate/") || step.starts_with("swap/")) {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("desk");
        std::fs::create_dir(&dir).unwrap();
        for (name, bytes) in all_bytes(&folder) {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
        std::fs::write(place.path().join("chip"), &here.at).unwrap();
        let out = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "vault::binding::binding_child_acts_until_it_ends", "--nocapture", "--test-threads=1"])
            .env(CHILD, place.path())
            .env(END_AT, step)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && !told.contains("panicked"), "{step}: {told}");
        let vault = open(&dir, &mut *here.chip(), later(5_000)).unwrap();
        assert!(vault.audit().unwrap().is_sound() && vault.start_check().sound, "{step}");
        let is_bound = vault.is_bound().unwrap();
        assert_eq!(is_bound, step.starts_with("swap/"), "{step}: wholly or not at all");
        assert_eq!(logged(&vault, "computer-bound"), usize::from(is_bound), "{step}");
        drop(vault);
        assert_eq!(open(&dir, &mut *there.chip(), later(6_000)).is_err(), is_bound, "{step}");
        bound += usize::from(is_bound);
    }
    assert_eq!(bound, STEPS.iter().filter(|step| step.starts_with("swap/")).count());
    assert!(bound > 3);
}

/// A chip that is there and refuses, as one does that is locked for a while.
struct Refusing;

impl SecurityChip for Refusing {
    fn is_there(&mut self) -> bool {
        true
    }

    fn seal(&mut self, _secret: &[u8; 32]) -> Result<Vec<u8>, ChipError> {
        Err(ChipError::Refused("locked out".into()))
    }

    fn unseal(&mut self, _sealed: &[u8]) -> Result<zeroize::Zeroizing<[u8; 32]>, ChipError> {
        Err(ChipError::Refused("locked out".into()))
    }
}

#[test]
fn recovery_writes_an_account_as_the_vault_knows_it_and_not_as_the_file_says() {
    let (folder, vault, _, mut printed) = site();
    let (dir, (first, name)) = (folder.path(), vault.operator());
    drop(vault);
    let slots = || std::fs::read_to_string(dir.join("slots")).unwrap();
    let role = format!("\"{}\"", Role::Supervisor.label());
    let rounds = [(name.as_str(), "别人"), (role.as_str(), "\"auditor\""), (role.as_str(), "\"front-desk\"")];
    for (round, (truth, lie)) in (0i64..).zip(rounds) {
        let at = |ms: i64| later(round * 1_000_000 + ms);
        assert!(slots().contains(truth), "{truth}");
        std::fs::write(dir.join("slots"), slots().replace(truth, lie)).unwrap();
        assert!(
            Vault::unlock_as(dir, Realm::Real, first, &passphrase(), at(1_000)).is_err(),
            "{lie}: the file is not believed"
        );
        let whom = (first, &passphrase());
        let (recovered, next) = Vault::recover_with(dir, Realm::Real, &printed, whom, &mut NoChip, at(90_000)).unwrap();
        printed = next;
        assert_eq!((recovered.operator(), recovered.role()), ((first, name.clone()), Role::Supervisor), "{lie}");
        drop(recovered);
        assert!(slots().contains(truth), "{lie}");
        let own = Vault::unlock_as(dir, Realm::Real, first, &passphrase(), at(180_000)).unwrap();
        assert_eq!(own.role(), Role::Supervisor, "{lie}");
    }
}

#[test]
fn a_chip_that_refuses_for_a_moment_releases_nothing_and_a_way_back_without_it_advises_new_keys() {
    let Some(here) = Swtpm::start() else { return };
    let mut here = here.chip();
    let (folder, vault, second, printed) = site();
    let dir = folder.path();
    let first = vault.operator().0;
    bind(vault, second, &mut *here, later(0)).unwrap();
    let slots = || std::fs::read(dir.join("slots")).unwrap();
    let recover = |chip: &mut dyn SecurityChip, ms: i64| {
        Vault::recover_with(dir, Realm::Real, &printed, (first, &passphrase()), chip, later(ms)).map(|(vault, _)| vault)
    };
    let refused = recover(&mut Refusing, 1_000).err();
    assert_eq!(refused, Some(VaultError::Chip(ChipError::Refused("locked out".into()))));
    assert!(String::from_utf8(slots()).unwrap().contains("\"chip\""), "still bound");
    assert!(!open(dir, &mut *here, later(90_000)).unwrap().new_keys_advised().unwrap());

    let mut vault = recover(&mut NoChip, 200_000).unwrap();
    assert!(!vault.is_bound().unwrap() && vault.new_keys_advised().unwrap());
    let approval = vault.approve(Act::ChangeKeys, second, &passphrase(), later(201_000)).unwrap();
    vault.rotate_keys(approval, later(202_000)).unwrap();
    assert!(!open(dir, &mut NoChip, later(203_000)).unwrap().new_keys_advised().unwrap());
}

#[test]
fn a_practice_site_that_somebody_bound_starts_its_gates_again_on_its_own_computer() {
    use menka::practice::drive::tls_links;
    use menka::practice::site::{self, PASSPHRASE, SiteError};
    let Some(here) = Swtpm::start() else { return };
    let mut here = here.chip();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("desk");
    let program = crate::day::gate_program();
    let gates = |chip: &mut dyn SecurityChip, ms| {
        site::prepare(folder.path(), &program, &tls_links(), chip, later(ms)).map(|gates| gates.len())
    };
    assert_eq!(gates(&mut *here, 0).unwrap(), site::GATES);
    let typed = Passphrase::new(PASSPHRASE.into());
    let mut vault = Vault::unlock(&data, Realm::Practice, &typed, later(1_000)).unwrap();
    let colleague = vault.approvers(later(1_000)).unwrap()[0].0;
    let approval = vault.approve(Act::BindComputer, colleague, &typed, later(1_000)).unwrap();
    vault.bind_to(&mut *here, approval, later(1_000)).unwrap();
    assert_eq!(gates(&mut *here, 2_000).unwrap(), site::GATES);
    assert!(matches!(gates(&mut NoChip, 3_000), Err(SiteError::Vault(MISSING))));
}
