//! Four eyes: the one maker of [`Approval`]. A second person's passphrase opens their own slot; nothing less counts. Rule: P51-4.

use crate::domain::account::AccountEvent;
use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::StaffId;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::secret::Passphrase;

use super::Vault;
use super::accounts::Account;
use super::error::VaultError;

impl Vault {
    /// Who may approve acts of the account that is logged in: the other active supervisors who may work today and have a slot to prove
    /// themselves by.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn approvers(&self, now: Timestamp) -> Result<Vec<(StaffId, String)>, VaultError> {
        let fits = |a: &Account| {
            let works = self.standing_of(a, now).works();
            a.role == Role::Supervisor && !a.disabled && a.has_slot && works && a.id != self.staff
        };
        let accounts = self.accounts()?.into_iter().filter(fits);
        Ok(accounts.map(|account| (account.id, account.name)).collect())
    }

    /// The same for this very act: nobody approves what is done to their own account.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn approvers_of(&self, act: Act, now: Timestamp) -> Result<Vec<(StaffId, String)>, VaultError> {
        let mut found = self.approvers(now)?;
        found.retain(|(id, _)| act.account() != Some(*id));
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
        if !self.approvers_of(act, now)?.iter().any(|(id, _)| *id == by) {
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
