//! Four eyes: the one maker of [`Approval`]. A second person's passphrase opens their own slot; nothing less counts. Rule: P51-4.

use crate::domain::account::AccountEvent;
use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::StaffId;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::domain::training;
use crate::secret::Passphrase;

use super::Vault;
use super::error::VaultError;

impl Vault {
    /// Who may approve an act of the account that is logged in: the other active supervisors whose training and undertaking are on record.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn approvers(&self, now: Timestamp) -> Result<Vec<(StaffId, String)>, VaultError> {
        let mut found = vec![];
        for account in self.accounts()? {
            let works = training::judge(account.record, now.date()).works();
            let fits = account.role == Role::Supervisor && !account.disabled && works;
            if fits && account.id != self.staff {
                found.push((account.id, account.name));
            }
        }
        Ok(found)
    }

    /// Checks a second person's passphrase for one act, counted as at the door, and logs the approval under their name.
    ///
    /// # Errors
    /// [`VaultError::NotAnApprover`], [`VaultError::TooSoon`], [`VaultError::WrongPassphrase`], and those of the disk.
    pub fn approve(
        &mut self,
        act: Act,
        by: StaffId,
        passphrase: &Passphrase,
        now: Timestamp,
    ) -> Result<Approval, VaultError> {
        if !self.approvers(now)?.iter().any(|(id, _)| *id == by) {
            return Err(VaultError::NotAnApprover);
        }
        self.check_slot_of(by, passphrase, now)?;
        let work = self.begin()?;
        let approved = AuditEvent::Account(AccountEvent::Approved(self.staff, act));
        self.append(&work, Actor::Staff(by), &approved, now)?;
        work.commit()?;
        Ok(Approval::assert_checked(act, by))
    }
}
