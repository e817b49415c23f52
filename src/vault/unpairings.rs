//! Unpairing: after a gate was taken out of use and has signed for each of its erasures, it is told to erase whatever else it holds and to
//! forget this station. Its receipt is kept.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{GateId, OpId};
use crate::domain::time::Timestamp;
use crate::secret::random_bytes;

use super::Vault;
use super::error::VaultError;
use super::station::gate_is_stopped;

/// What is kept of an unpairing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpairing {
    /// Its idempotency key.
    pub op: OpId,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
    /// The gate's receipt, when it signed.
    pub receipt: Option<Vec<u8>>,
}

impl Vault {
    /// The unpairing that is due at a gate: everything else was signed for, and the gate is not stopped.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn unpairing_due(&self, gate: GateId) -> Result<Option<OpId>, VaultError> {
        if gate_is_stopped(&self.main, gate)? != Some(false) {
            return Ok(None);
        }
        let sql = "SELECT op FROM unpairings WHERE gate = ?1 AND settled_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.gate = ?1 AND state IN ('pending', 'wedged'))";
        let found = self.main.prepare_cached(sql)?.query_row([gate.bytes()], |row| row.get(0).map(OpId::from_bytes));
        Ok(found.optional()?)
    }

    /// Every unpairing of a gate, newest last.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn unpairings(&self, gate: GateId) -> Result<Vec<Unpairing>, VaultError> {
        let sql = "SELECT op, asked_at, settled_at, receipt FROM unpairings WHERE gate = ?1 ORDER BY asked_at, op";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([gate.bytes()], |row| {
            Ok(Unpairing {
                op: OpId::from_bytes(row.get(0)?),
                asked_at: Timestamp::from_ms(row.get(1)?),
                settled_at: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_ms),
                receipt: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records that a gate signed that nobody is held there any more. The courier has checked the receipt.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_unpaired(
        &mut self,
        op: OpId,
        gate: GateId,
        receipt: &[u8],
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql =
            "UPDATE unpairings SET settled_at = ?3, receipt = ?4 WHERE op = ?1 AND gate = ?2 AND settled_at IS NULL";
        if work.execute(sql, params![op.bytes(), gate.bytes(), now.ms(), receipt])? == 0 {
            return Err(VaultError::Unknown);
        }
        let digest = Some(Sha256::digest(receipt).into());
        self.append_with(&work, Actor::Gate(gate), &AuditEvent::GateUnpaired(gate), None, digest, now)?;
        Ok(work.commit()?)
    }

    /// Records that a gate will not do it (an earlier version does not know how): what it held was erased one by one before.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_unpairing_refused(&mut self, op: OpId, reason: &str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE unpairings SET settled_at = ?2, reason = ?3 WHERE op = ?1 AND settled_at IS NULL";
        work.execute(sql, params![op.bytes(), now.ms(), reason])?;
        Ok(work.commit()?)
    }
}

/// Asks for the unpairing of a gate, in the transaction that takes it out of use.
pub(super) fn ask(work: &Connection, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
    let op: [u8; 16] = random_bytes();
    let sql = "INSERT OR IGNORE INTO unpairings (op, gate, asked_at) VALUES (?1, ?2, ?3)";
    work.execute(sql, params![op, gate.bytes(), now.ms()])?;
    Ok(())
}

/// A gate that is paired again is not unpaired by what was asked before.
pub(super) fn overtake(work: &Connection, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
    let sql = "UPDATE unpairings SET settled_at = ?2, reason = 'paired-again' WHERE gate = ?1 AND settled_at IS NULL";
    work.execute(sql, params![gate.bytes(), now.ms()])?;
    Ok(())
}
