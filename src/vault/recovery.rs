//! The printed recovery key's slot. The key itself is nowhere but on the page that shows it once, and on paper.

use crate::domain::account::AccountEvent;
use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::StaffId;
use crate::domain::time::Timestamp;
use crate::secret::{RecoveryKey, random_bytes};

use super::Vault;
use super::error::VaultError;
use super::slots::{Kind, Slots};

/// Where the station keeps that the sheet was put away; empty while it was not.
pub(super) const KEPT: &str = "recovery-kept";

impl Vault {
    /// Whether somebody said that the recovery key in force was put away.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn recovery_key_is_kept(&self) -> Result<bool, VaultError> {
        Ok(self.read_station(KEPT)?.is_some_and(|value| !value.is_empty()))
    }

    /// Makes a recovery key; an earlier one is void. Alone only as long as none was put away; then a second person approves.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], [`VaultError::AccountsFull`], and those of the disk.
    pub fn make_recovery_key(&mut self, approval: Option<Approval>, now: Timestamp) -> Result<RecoveryKey, VaultError> {
        let approved = approval.is_some_and(|given| given.spend(Act::NewRecoveryKey).is_some());
        if !approved && self.recovery_key_is_kept()? {
            return Err(VaultError::ApprovalNeeded);
        }
        let mut slots = self.slots()?;
        let before = slots.clone();
        let key = self.wrap_recovery_key(&mut slots)?;
        let work = self.begin()?;
        let made = AuditEvent::Account(AccountEvent::RecoveryKeyMade);
        self.append(&work, Actor::Staff(self.staff), &made, now)?;
        self.write_station(&work, KEPT, &[])?;
        self.write_with(work, &slots, &before)?;
        Ok(key)
    }

    /// Records that the sheet was put away: the first run is over.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_recovery_key_kept(&mut self) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.write_station(&work, KEPT, b"kept")?;
        Ok(work.commit()?)
    }

    /// Puts a new key's slot in the place of the old one; the file is not yet written.
    pub(super) fn wrap_recovery_key(&self, slots: &mut Slots) -> Result<RecoveryKey, VaultError> {
        let cost = slots.slot(self.staff).map(|slot| slot.cost).ok_or(VaultError::Unknown)?;
        if let Some(old) = slots.recovery().map(|slot| slot.id) {
            slots.remove(old);
        }
        let key = RecoveryKey::make();
        let id = StaffId::from_bytes(random_bytes());
        slots.put(id, Kind::Recovery, &key.passphrase(), self.ring.master(), cost)?;
        Ok(key)
    }
}
