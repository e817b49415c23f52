//! From one account to the next while the vault stays open: a staff window that was shut is opened by whoever knows a passphrase.

use super::Vault;
use super::door::{REFUSALS_LOGGED_MAX, try_slot};
use super::error::{SLOTS_FILE, VaultError};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::StaffId;
use crate::domain::time::Timestamp;
use crate::secret::Passphrase;

impl Vault {
    /// Logs that the staff window was shut; the vault stays open for residents and gates.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn note_shut(&mut self, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Locked, now)?;
        self.keep_head(&work)?;
        work.commit()?;
        Ok(())
    }

    /// Makes an account the one that is logged in, by its passphrase, counted as at the door. The same account may come back.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::AccountDisabled`], [`VaultError::TooSoon`], [`VaultError::WrongPassphrase`], and those of the
    /// disk; then the account that was logged in stays so.
    pub fn hand_over(&mut self, account: StaffId, passphrase: &Passphrase, now: Timestamp) -> Result<(), VaultError> {
        let mut slots = self.slots()?;
        if !slots.accounts().any(|slot| slot.id == account) {
            return Err(VaultError::Unknown);
        }
        if self.is_disabled(account)? {
            return Err(VaultError::AccountDisabled);
        }
        let (name, role) = self.read_staff(account)?;
        let (master, failed) = try_slot(&self.dir, &mut slots, account, passphrase, now)?;
        if !master.same_as(self.ring.master()) {
            return Err(VaultError::corrupt(SLOTS_FILE));
        }
        let before = (self.staff, std::mem::replace(&mut self.staff_name, name), self.role);
        (self.staff, self.role) = (account, role);
        let logged = self.check_slot(&mut slots, passphrase).and_then(|()| {
            let work = self.begin()?;
            for _ in 0..failed.min(REFUSALS_LOGGED_MAX) {
                self.append(&work, Actor::Station, &AuditEvent::UnlockRefused, now)?;
            }
            self.append(&work, Actor::Staff(account), &AuditEvent::Unlocked, now)?;
            self.keep_head(&work)?;
            work.commit()?;
            Ok(())
        });
        if logged.is_err() {
            (self.staff, self.staff_name, self.role) = before;
        }
        logged
    }
}
