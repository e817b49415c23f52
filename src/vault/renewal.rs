//! New transforms for the templates at the gates: who approved, which gate signed. The gates hold the rest. Rule: S40660b.

use sha2::{Digest, Sha256};

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::gate::GateRecord;
use crate::domain::id::GateId;
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::VaultError;

impl Vault {
    /// Spends the approval, writes down that it was begun, and returns the gates to be asked: those that take faces.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], and those of the disk.
    pub fn begin_renewal(&mut self, approval: Approval, now: Timestamp) -> Result<Vec<GateRecord>, VaultError> {
        approval.spend(Act::RenewTemplates).ok_or(VaultError::ApprovalNeeded)?;
        let gates: Vec<GateRecord> = self.gates()?.into_iter().filter(|gate| gate.takes_faces).collect();
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::RenewalBegun, now)?;
        work.commit()?;
        Ok(gates)
    }

    /// Writes down that a gate signed for a new transform.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_renewed(&mut self, gate: GateId, receipt: &[u8], now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let digest = Some(Sha256::digest(receipt).into());
        self.append_with(&work, Actor::Gate(gate), &AuditEvent::TemplatesRenewed(gate), None, digest, now)?;
        Ok(work.commit()?)
    }
}
