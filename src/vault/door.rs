//! Getting in: which accounts there are before anything is open, a passphrase counted before it is tried, and the printed recovery key. Rules:
//! P51-4, K2-7.

use std::path::Path;
use std::sync::Arc;

use crate::domain::Realm;
use crate::domain::account::AccountEvent;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::StaffId;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::ports::{NoChip, SecurityChip};
use crate::secret::{Passphrase, RecoveryKey};

use super::Vault;
use super::attempts::{Attempts, Counts};
use super::binding::Bound;
use super::database::Opening;
use super::error::{SLOTS_FILE, VaultError};
use super::keys::{KdfCost, Ring, VaultKey};
use super::slots::{Kind, Slots};

/// Most wrong passphrases that are written to the log one by one.
pub(super) const REFUSALS_LOGGED_MAX: u32 = 100;

/// An account as the lock screen shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorAccount {
    /// Which.
    pub id: StaffId,
    /// Shown name; empty for the one account of an old slots file, whose name only the vault knows.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// What is left of the pause after wrong passphrases, in milliseconds.
    pub wait_ms: i64,
}

impl Vault {
    /// The accounts that a passphrase may be typed for, without opening anything.
    ///
    /// # Errors
    /// A slots file that is damaged or cannot be read.
    pub fn accounts_at_the_door(dir: &Path, now: Timestamp) -> Result<Vec<DoorAccount>, VaultError> {
        let Some(slots) = Slots::read(dir)? else { return Ok(vec![]) };
        let counts = Counts::read(dir, now)?;
        let account = |slot: &super::slots::Slot| {
            let (name, role) = match &slot.kind {
                Kind::Account { name, role } => (name.clone(), *role),
                Kind::Unnamed | Kind::Recovery => (String::new(), Role::Supervisor),
            };
            DoorAccount { id: slot.id, name, role, wait_ms: counts.of(slot.id).worse(slot.attempts).wait_ms(now) }
        };
        Ok(slots.accounts().map(account).collect())
    }

    /// Opens a vault as the account that was made first. See [`Self::unlock_as`].
    ///
    /// # Errors
    /// As [`Self::unlock_as`].
    pub fn unlock(dir: &Path, realm: Realm, passphrase: &Passphrase, now: Timestamp) -> Result<Self, VaultError> {
        Self::unlock_as(dir, realm, Self::first_account(dir)?, passphrase, now)
    }

    /// The account that was made first.
    ///
    /// # Errors
    /// [`VaultError::Absent`], and a slots file that is damaged or cannot be read.
    pub fn first_account(dir: &Path) -> Result<StaffId, VaultError> {
        let slots = Slots::read(dir)?.ok_or(VaultError::Absent)?;
        slots.accounts().next().map(|slot| slot.id).ok_or_else(|| VaultError::corrupt(SLOTS_FILE))
    }

    /// [`Self::unlock_with`] on a computer without a security chip.
    ///
    /// # Errors
    /// As [`Self::unlock_with`].
    pub fn unlock_as(
        dir: &Path,
        realm: Realm,
        account: StaffId,
        passphrase: &Passphrase,
        now: Timestamp,
    ) -> Result<Self, VaultError> {
        Self::unlock_with(dir, realm, account, passphrase, &mut NoChip, now)
    }

    /// Opens a vault as one of its accounts. A wrong passphrase is counted before it is tried, so that ending the program
    /// in between wins nothing.
    ///
    /// A capture that was running when the program last ended is found here: its consent ends, and erasures are queued
    /// for every gate named in it (a gate may have taken the face already); see [`Vault::captures_lost`].
    ///
    /// # Errors
    /// [`VaultError::Absent`], [`VaultError::OtherRealm`] (before any key is derived), [`VaultError::Unknown`],
    /// [`VaultError::Chip`] (before a passphrase is tried or counted), [`VaultError::AccountDisabled`], [`VaultError::TooSoon`],
    /// [`VaultError::WrongPassphrase`], [`VaultError::SlotDamaged`], [`VaultError::InUse`], [`VaultError::Corrupt`], [`VaultError::KeysOlder`],
    /// [`VaultError::TooNew`], and those of the disk.
    pub fn unlock_with(
        dir: &Path,
        realm: Realm,
        account: StaffId,
        passphrase: &Passphrase,
        chip: &mut dyn SecurityChip,
        now: Timestamp,
    ) -> Result<Self, VaultError> {
        Self::settle_files(dir)?;
        let mut slots = Slots::read(dir)?.ok_or(VaultError::Absent)?;
        if slots.realm != realm {
            return Err(VaultError::OtherRealm);
        }
        let lock = Arc::new(super::take_lock(dir)?);
        // Never the recovery key's slot: that one is for `recover`.
        if !slots.accounts().any(|slot| slot.id == account) {
            return Err(VaultError::Unknown);
        }
        slots.ask(chip)?;
        let (master, failed) = try_slot(dir, &mut slots, account, passphrase, now)?;
        let ring = Ring::derive(master, realm)?;
        let mut vault = Self::open(dir, realm, slots.site, account, (ring, None), lock, Opening::Checked)?;
        vault.chip_key = slots.bound.as_ref().and_then(Bound::key);
        vault.check_slot(&mut slots, passphrase)?;
        vault.entered(failed, now)?;
        Ok(vault)
    }

    /// Opens the vault by the printed recovery key and gives a supervisor's account another passphrase. The key is void
    /// afterwards; the new one that is returned must be shown and put away. Logged loudly.
    ///
    /// # Errors
    /// As [`Self::unlock_as`]; [`VaultError::WrongPassphrase`] for another key, [`VaultError::Unknown`] when there is no
    /// recovery key or the account is no active supervisor, [`VaultError::PassphraseTooShort`].
    pub fn recover(
        dir: &Path,
        realm: Realm,
        key: &RecoveryKey,
        account: StaffId,
        passphrase: &Passphrase,
        now: Timestamp,
    ) -> Result<(Self, RecoveryKey), VaultError> {
        Self::recover_with(dir, realm, key, (account, passphrase), &mut NoChip, now)
    }

    /// [`Self::recover`], where a security chip may be. Slots that were bound to a chip that is not here are bound to this one, or released
    /// where there is none; that is logged. The master key stays the same: new keys are advised ([`Self::new_keys_advised`]).
    ///
    /// # Errors
    /// As [`Self::recover`]; [`VaultError::Chip`] when a chip that is there does not do its part, which says nothing about whose it is.
    pub fn recover_with(
        dir: &Path,
        realm: Realm,
        key: &RecoveryKey,
        (account, passphrase): (StaffId, &Passphrase),
        chip: &mut dyn SecurityChip,
        now: Timestamp,
    ) -> Result<(Self, RecoveryKey), VaultError> {
        if passphrase.chars() < Passphrase::CHARS_MIN {
            return Err(VaultError::PassphraseTooShort);
        }
        Self::settle_files(dir)?;
        let mut slots = Slots::read(dir)?.ok_or(VaultError::Absent)?;
        if slots.realm != realm {
            return Err(VaultError::OtherRealm);
        }
        let lock = Arc::new(super::take_lock(dir)?);
        let old = slots.recovery().map(|slot| slot.id).ok_or(VaultError::Unknown)?;
        let cost = slots.accounts().find(|slot| slot.id == account).map(|slot| slot.cost);
        let Some(cost) = cost else { return Err(VaultError::Unknown) };
        let (master, failed) = try_slot(dir, &mut slots, old, &key.passphrase(), now)?;
        let ring = Ring::derive(master, realm)?;
        let mut vault = Self::open(dir, realm, slots.site, account, (ring, None), lock, Opening::Checked)?;
        if vault.role != Role::Supervisor || vault.is_disabled(account)? {
            return Err(VaultError::Unknown);
        }
        let before = slots.clone();
        let settled = slots.settle_binding(vault.ring.master(), chip)?;
        vault.chip_key = slots.bound.as_ref().and_then(Bound::key);
        // As the vault knows the account: nobody has proved what the file says of it.
        let kind = Kind::Account { name: vault.staff_name.clone(), role: vault.role };
        slots.put(account, kind, passphrase, vault.ring.master(), cost)?;
        let new = vault.wrap_recovery_key(&mut slots)?;
        let work = vault.begin()?;
        let used = AuditEvent::Account(AccountEvent::RecoveryKeyUsed(account));
        vault.append(&work, Actor::Station, &used, now)?;
        vault.append(&work, Actor::Station, &AuditEvent::Account(AccountEvent::RecoveryKeyMade), now)?;
        if let Some(event) = settled {
            vault.append(&work, Actor::Station, &AuditEvent::Keep(event), now)?;
            vault.write_station(&work, super::binding::SETTLED_AT, &now.ms().to_be_bytes())?;
        }
        vault.write_station(&work, super::recovery::KEPT, &[])?;
        // One write: the old key is void in the moment in which the new passphrase opens.
        vault.write_with(work, &slots, &before)?;
        let mut counts = Counts::read(dir, now)?;
        counts.set(account, Attempts::default());
        counts.write(dir)?;
        vault.staff = account;
        vault.entered(failed, now)?;
        Ok((vault, new))
    }

    /// Checks the passphrase of the account that is logged in, counted as at the door.
    ///
    /// # Errors
    /// [`VaultError::TooSoon`], [`VaultError::WrongPassphrase`], and those of the disk.
    pub fn check_own(&mut self, passphrase: &Passphrase, now: Timestamp) -> Result<(), VaultError> {
        self.check_slot_of(self.staff, passphrase, now)
    }

    /// Checks another account's passphrase while the vault is open; earlier refusals are logged as at the door. Whoever gives up leaves the count
    /// as it is, and the next right passphrase logs it, wherever that is.
    pub(super) fn check_slot_of(
        &mut self,
        account: StaffId,
        passphrase: &Passphrase,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let mut slots = self.slots()?;
        let (master, failed) = try_slot(&self.dir, &mut slots, account, passphrase, now)?;
        if !master.same_as(self.ring.master()) {
            return Err(VaultError::corrupt(SLOTS_FILE));
        }
        if failed > 0 {
            let work = self.begin()?;
            for _ in 0..failed.min(REFUSALS_LOGGED_MAX) {
                self.append(&work, Actor::Station, &AuditEvent::UnlockRefused, now)?;
            }
            work.commit()?;
        }
        Ok(())
    }

    /// Wraps the slot of the account that is logged in anew when its derivation is cheaper than this. Returns whether it was.
    ///
    /// # Errors
    /// [`VaultError::CostWrong`], [`VaultError::WrongPassphrase`] when this is not the passphrase of the slot, and those of the disk; then the slot
    /// stays as it is.
    pub fn raise_cost(&mut self, passphrase: &Passphrase, cost: KdfCost) -> Result<bool, VaultError> {
        if !cost.is_sane() {
            return Err(VaultError::CostWrong);
        }
        let mut slots = self.slots()?;
        let slot = slots.slot(self.staff).ok_or(VaultError::Unknown)?;
        if !slot.cost.is_cheaper_than(cost) {
            return Ok(false);
        }
        let kind = slot.kind.clone();
        // Another passphrase would lock the account out of its own slot.
        let opened = slots.open(self.staff, passphrase)?;
        if !opened.is_some_and(|master| master.same_as(self.ring.master())) {
            return Err(VaultError::WrongPassphrase { wait_ms: 0 });
        }
        slots.put(self.staff, kind, passphrase, self.ring.master(), cost)?;
        slots.write(&self.dir)?;
        Ok(true)
    }

    /// The slot and the vault must say the same of the account; a slot of an older shape is written anew.
    pub(super) fn check_slot(&self, slots: &mut Slots, passphrase: &Passphrase) -> Result<(), VaultError> {
        if self.is_disabled(self.staff)? {
            // Switching off was broken off between the two files: the slot goes now.
            slots.remove(self.staff);
            slots.write(&self.dir)?;
            return Err(VaultError::AccountDisabled);
        }
        let Some(slot) = slots.slot(self.staff) else { return Err(VaultError::Unknown) };
        let told = Kind::Account { name: self.staff_name.clone(), role: self.role };
        match &slot.kind {
            kind if *kind == told && !slots.without_pair().contains(&self.staff) => Ok(()),
            // Of an older shape: it learns its name, or gets its pair of keys.
            kind if *kind == told || *kind == Kind::Unnamed => {
                let cost = slot.cost;
                slots.put(self.staff, told, passphrase, self.ring.master(), cost)?;
                slots.write(&self.dir)
            }
            Kind::Account { .. } | Kind::Recovery | Kind::Unnamed => Err(VaultError::corrupt(SLOTS_FILE)),
        }
    }

    /// What follows every way in: earlier refusals and this entry are logged, lost captures end.
    fn entered(&mut self, failed: u32, now: Timestamp) -> Result<(), VaultError> {
        self.seal_identities()?;
        self.index_anew()?;
        self.sweep_slots()?;
        let work = self.begin()?;
        let start_check = self.check_start(&work)?;
        self.check_keys(&work, now)?;
        for _ in 0..failed.min(REFUSALS_LOGGED_MAX) {
            self.append(&work, Actor::Station, &AuditEvent::UnlockRefused, now)?;
        }
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Unlocked, now)?;
        self.end_lost_captures(&work, now)?;
        self.settle_former_gates(&work, now)?;
        self.adopt_facts(&work, now)?;
        self.keep_head(&work)?;
        work.commit()?;
        self.start_check = start_check;
        Ok(())
    }
}

/// Counts a try in both places, looks at the passphrase, and starts the count again when it is right. Returns the master key, and how often it
/// was wrong before.
pub(super) fn try_slot(
    dir: &Path,
    slots: &mut Slots,
    id: StaffId,
    passphrase: &Passphrase,
    now: Timestamp,
) -> Result<(VaultKey, u32), VaultError> {
    let mut counts = Counts::read(dir, now)?;
    let in_slot = slots.slot(id).map(|slot| slot.attempts).ok_or(VaultError::Unknown)?;
    let before = counts.of(id).worse(in_slot);
    let mut note = |slots: &mut Slots, attempts: Attempts| {
        counts.set(id, attempts);
        counts.write(dir)?;
        slots.note(id, attempts);
        slots.write(dir)
    };
    let wait_ms = before.wait_ms(now);
    if wait_ms > 0 {
        if now.ms() < before.last_at {
            // The clock went back: the pause starts again from the clock as it is now, or it would never end.
            note(slots, Attempts { last_at: now.ms(), ..before })?;
        }
        // Of a damaged slot no wait is said: the next try would be refused all the same.
        return Err(if slots.is_damaged(id) { VaultError::SlotDamaged } else { VaultError::TooSoon { wait_ms } });
    }
    let counted = Attempts { failed: before.failed.saturating_add(1), last_at: now.ms() };
    note(slots, counted)?;
    let Some(master) = slots.open(id, passphrase)? else {
        if slots.is_damaged(id) {
            return Err(VaultError::SlotDamaged);
        }
        return Err(VaultError::WrongPassphrase { wait_ms: counted.wait_ms(now) });
    };
    note(slots, Attempts::default())?;
    Ok((master, before.failed))
}
