//! Unpairing: after a gate was taken out of use and has signed for each of its erasures, or refused one for good, it is told to erase whatever
//! else it holds and to forget this station. Its receipt is kept, and with it ends everything that the outbox still has for that gate.

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
    /// The unpairing that is due at a gate: everything else was signed for or refused for good, and the gate is not stopped.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn unpairing_due(&self, gate: GateId) -> Result<Option<OpId>, VaultError> {
        if gate_is_stopped(&self.main, gate)? != Some(false) {
            return Ok(None);
        }
        let sql = "SELECT op FROM unpairings WHERE gate = ?1 AND settled_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.gate = ?1 AND state = 'pending')";
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
        // It signed that it holds nobody.
        let sql = "UPDATE held SET erased_at = ?2 WHERE gate = ?1 AND erased_at IS NULL";
        work.execute(sql, params![gate.bytes(), now.ms()])?;
        self.settle_former(&work, gate, now)?;
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
        let sql = "SELECT gate FROM unpairings WHERE op = ?1";
        let gate = work.query_row(sql, [op.bytes()], |row| row.get(0).map(GateId::from_bytes)).optional()?;
        if let Some(gate) = gate {
            self.settle_former(&work, gate, now)?;
        }
        Ok(work.commit()?)
    }

    /// Settles what the outbox has for a gate out of use and what nothing will come of any more. While the gate is still to be told to forget
    /// this station: what would let somebody in, or match again; what it refused of the rest goes once more, and its refusal then keeps
    /// the unpairing waiting no longer. After that: everything. How many rows were settled so goes into the log.
    pub(super) fn settle_former(&self, work: &Connection, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
        let sql = "SELECT retired_at IS NOT NULL,
                 EXISTS (SELECT 1 FROM unpairings WHERE gate = ?1 AND settled_at IS NULL)
                     AND id NOT IN (SELECT gate FROM boards),
                 EXISTS (SELECT 1 FROM unpairings WHERE gate = ?1 AND settled_at IS NOT NULL),
                 id IN (SELECT gate FROM boards)
             FROM gates WHERE id = ?1";
        let (retired, open, settled, board): (bool, bool, bool, bool) =
            work.query_row(sql, [gate.bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let which = match (retired, open, settled) {
            (false, ..) => return Ok(()),
            (true, true, _) => "state IN ('pending', 'wedged') AND kind IN ('resume', 'thaw', 'put-card')",
            // A card that a board would not let go of goes on opening: it is asked again for as long as it takes.
            (true, false, false) if board => "state = 'wedged' AND kind <> 'remove-card'",
            (true, false, true) => "state IN ('pending', 'wedged')",
            // Of a version that unpaired nobody: it goes on waiting for what it has not been told yet.
            (true, false, false) => "state = 'wedged'",
        };
        let sql = format!("UPDATE outbox SET state = 'superseded', settled_at = ?2 WHERE gate = ?1 AND {which}");
        let count = work.execute(&sql, params![gate.bytes(), now.ms()])?;
        if count > 0 {
            let label = format!("settled:{count}");
            self.append_with(work, Actor::Station, &AuditEvent::GateRetired(gate), Some(&label), None, now)?;
        }
        if open || board {
            // The reason stays: papers go on saying that it was refused.
            let sql = "UPDATE outbox SET state = 'pending', settled_at = NULL, attempts = 0, not_before = ?2
                 WHERE gate = ?1 AND state = 'wedged'";
            work.execute(sql, params![gate.bytes(), now.ms()])?;
        }
        Ok(())
    }

    /// The same for every gate that is out of use, at an unlock: rows of earlier versions of this program too.
    pub(super) fn settle_former_gates(&self, work: &Connection, now: Timestamp) -> Result<(), VaultError> {
        let gates: Vec<GateId> = {
            let mut statement = work.prepare(
                "SELECT id FROM gates WHERE retired_at IS NOT NULL AND EXISTS (SELECT 1 FROM outbox
                     WHERE outbox.gate = gates.id AND state IN ('pending', 'wedged')) ORDER BY id",
            )?;
            let rows = statement.query_map([], |row| row.get(0).map(GateId::from_bytes))?;
            rows.collect::<Result<_, _>>()?
        };
        gates.into_iter().try_for_each(|gate| self.settle_former(work, gate, now))
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
