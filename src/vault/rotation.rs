//! New master keys: both files are copied under new keys, every account is dealt the new master key, and the new set takes
//! the old one's place at once (`swap`). Needs two people. Rules: P51-4, K2-7.
//!
//! The keys of single columns (persons', station's, index) are carried along inside the new files: they open nothing
//! without the file's own key. The epoch secret is another one, and so is the half of the key of `keys.db` beside it (`epoch_secret`). An old copy of the slots opens old copies of the files, and nothing that is written from
//! here on.

use std::sync::Arc;

use crate::domain::approval::Approval;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::time::Timestamp;

use super::Vault;
use super::binding::Binding;
use super::database::{self, Opening};
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use super::keys::{Ring, VaultKey};
use super::steps;
use super::swap::{self, Old};

/// Where the carried keys are kept.
pub(super) const CARRIED: &str = "carried";
/// Where the station keeps when its keys were changed last.
pub(super) const CHANGED_AT: &str = "keys-changed-at";

/// New keys are in force; everybody logs in anew, with the passphrase they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Accounts that were dealt the new key.
    pub accounts: usize,
}

impl Vault {
    /// Whether this is the only connection: the courier of this session has ended.
    pub fn is_alone(&self) -> bool {
        Arc::strong_count(&self.lock) == 1
    }

    /// Whether the keys can be changed now: every account that is not switched off has logged in since slots have pairs.
    ///
    /// # Errors
    /// [`VaultError::SlotsOld`], and those of the disk.
    pub fn check_rotation(&self) -> Result<(), VaultError> {
        let slots = self.slots()?;
        if slots.without_pair().is_empty() { Ok(()) } else { Err(VaultError::SlotsOld) }
    }

    /// When the keys were changed last.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn keys_changed_at(&self) -> Result<Option<Timestamp>, VaultError> {
        let stored = self.read_station(CHANGED_AT)?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        Ok(stored.map(|bytes| Timestamp::from_ms(i64::from_be_bytes(bytes))))
    }

    /// Changes the master key and both files' keys. The vault is locked whatever happens; when the program ends in between,
    /// either the old set is there or the new one.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], [`VaultError::Busy`] while another connection is open, [`VaultError::SlotsOld`], and those of the
    /// disk.
    pub fn rotate_keys(self, approval: Approval, now: Timestamp) -> Result<Rotated, VaultError> {
        self.change_keys(Binding::Kept, approval, now)
    }

    /// New keys, and what the slots are bound to from now on.
    pub(super) fn change_keys(
        self,
        binding: Binding<'_>,
        approval: Approval,
        now: Timestamp,
    ) -> Result<Rotated, VaultError> {
        approval.spend(binding.act()).ok_or(VaultError::ApprovalNeeded)?;
        if !self.is_alone() {
            return Err(VaultError::Busy);
        }
        let mut slots = self.slots()?;
        let event = binding.event();
        binding.set(&mut slots)?;
        let master = VaultKey::make();
        slots.deal(self.ring.master(), &master)?;
        let accounts = slots.accounts().count();
        let ring = Ring::derive(VaultKey::from_slice(master.bytes()).ok_or(VaultError::Refused(0))?, self.realm)?;
        let stage = swap::fresh(&self.dir, swap::NEXT)?;
        let secrets = self.people_keys.secret_into(&stage, &ring)?;
        steps::reached("rotate/secret");
        let copies = [
            (&self.main, MAIN_FILE, ring.file_key(MAIN_FILE)?),
            (&*self.people_keys, KEYS_FILE, secrets.file_key(&ring)?),
        ];
        for (from, file, key) in copies {
            let mut to = database::open_aside(&stage.join(file), &key, true)?;
            database::copy(from, &mut to)?;
        }
        steps::reached("rotate/copied");
        {
            let carried = self.ring.carry(&master)?;
            let main = database::open_aside(&stage.join(MAIN_FILE), &ring.file_key(MAIN_FILE)?, true)?;
            let sql = "INSERT INTO station (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
            main.execute(sql, rusqlite::params![CARRIED, carried])?;
        }
        steps::reached("rotate/carried");
        let lock = Arc::clone(&self.lock);
        let staged = Self::open(&stage, self.realm, self.site, self.staff, (ring, None), lock, Opening::Checked)?;
        // The old secret was carried into the new set; it ends with the old one.
        staged.people_keys.renew()?;
        steps::reached("rotate/sealed");
        // The copies are read back before they count: the whole tree of the log, and a key of a person.
        if !staged.audit()?.is_sound() && self.audit()?.is_sound() {
            return Err(VaultError::corrupt(MAIN_FILE));
        }
        staged.people_keys.epoch()?;
        let work = staged.begin()?;
        staged.append(&work, Actor::Staff(self.staff), &AuditEvent::Keep(event), now)?;
        staged.write_station(&work, CHANGED_AT, &now.ms().to_be_bytes())?;
        staged.keep_head(&work)?;
        work.commit()?;
        staged.empty_logs()?;
        drop(staged);
        steps::reached("rotate/recorded");
        slots.write(&stage)?;
        steps::reached("rotate/slots");
        swap::decide(&self.dir, Old::Goes)?;
        let (dir, lock) = (self.dir.clone(), Arc::clone(&self.lock));
        drop(self);
        swap::settle(&dir)?;
        drop(lock);
        Ok(Rotated { accounts })
    }
}
