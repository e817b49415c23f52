//! A clock that the station has set: how far the gate's time stands from its system's clock. For gates whose clock nobody else keeps right (no
//! time server on the segment, no battery). What is set never goes back before an instant that the gate has seen, and is dropped when a
//! person pairs anew or the system's clock turns out to have been put right by somebody else.

use rusqlite::{Connection, OptionalExtension, params};

use super::daemon::work::Signer;
use super::daemon::{Gate, Halt};
use super::error::GateError;
use super::store::Store;
use crate::domain::id::OpId;
use crate::domain::time::Timestamp;
use crate::wire::message::{Outcome, Receipt, Refusal};

/// Made where it is missing.
pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS clock_set (                            -- one row once the station has set the clock; no people
        one         INTEGER PRIMARY KEY CHECK (one = 1),
        offset_ms   INTEGER NOT NULL,                                 -- added to the system's clock
        set_at      INTEGER NOT NULL                                  -- ms since 1970, as set
    ) STRICT;
    CREATE TABLE IF NOT EXISTS ran_back (                             -- one row once the clock was back; no people
        one         INTEGER PRIMARY KEY CHECK (one = 1),
        ran_ms      INTEGER NOT NULL                                  -- how long the clock ran behind the latest instant, altogether
    ) STRICT;";

/// Instants that a station may set: 2020 to 2100, in milliseconds since 1970.
const BELIEVABLE: std::ops::Range<i64> = 1_577_836_800_000..4_102_444_800_000;

impl Store {
    /// What is added to the system's clock, in milliseconds; 0 where the station never set it.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn clock_offset_ms(&self) -> Result<i64, GateError> {
        let sql = "SELECT offset_ms FROM clock_set";
        Ok(self.connection().query_row(sql, [], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// How long the clock has run behind the latest instant since the last pairing, in milliseconds.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn ran_back_ms(&self) -> Result<i64, GateError> {
        let sql = "SELECT ran_ms FROM ran_back";
        Ok(self.connection().query_row(sql, [], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// Writes that down.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn record_ran_back(&self, ran_ms: i64) -> Result<(), GateError> {
        let sql = "INSERT INTO ran_back (one, ran_ms) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET ran_ms = ?1";
        Ok(self.connection().execute(sql, [ran_ms]).map(drop)?)
    }

    /// The system's clock is right by itself again.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn forget_clock_offset(&self) -> Result<(), GateError> {
        Ok(forget(self.connection())?)
    }
}

/// Nothing is added any more.
pub(super) fn forget(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM clock_set", []).map(drop)
}

fn write(db: &Connection, offset_ms: i64, at: Timestamp) -> rusqlite::Result<(Outcome, [u8; 32])> {
    let sql = "INSERT INTO clock_set (one, offset_ms, set_at) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET offset_ms = excluded.offset_ms, set_at = excluded.set_at";
    db.execute(sql, params![offset_ms, at.ms()])?;
    let written: i64 = db.query_row("SELECT offset_ms FROM clock_set", [], |row| row.get(0))?;
    if written == offset_ms { Ok((Outcome::ClockSet, [0; 32])) } else { Err(rusqlite::Error::StatementChangedRows(0)) }
}

impl Gate {
    /// Sets the clock, as an operation of the station. `clock` is the system's.
    ///
    /// # Errors
    /// [`Refusal::ClockBack`] when the gate has seen a later instant, [`Refusal::Malformed`] for an instant out of all reason.
    pub(super) fn set_clock(
        &mut self,
        op: &[u8; 16],
        right_ms: i64,
        digest: [u8; 32],
        clock: Timestamp,
    ) -> Result<Receipt, Halt> {
        // The same operation later would set an hour that is past: it gets its receipt, and is not done again.
        if let Some(receipt) = self.done_before(op, &digest)? {
            return Ok(receipt);
        }
        if !BELIEVABLE.contains(&right_ms) {
            return Err(Refusal::Malformed.into());
        }
        let right = Timestamp::from_ms(right_ms);
        let offset_ms = self.lease.offset_for(clock, right).ok_or(Refusal::ClockBack)?;
        let at = right.max(self.lease.latest());
        let (keys, signer) = (&self.keys, Signer::new(self.id, self.setup.realm, *op, digest, at));
        let receipt = self.store.perform(
            op,
            &digest,
            |tx| write(tx, offset_ms, right),
            |outcome, stored| signer.sign(keys, outcome, stored),
        )?;
        self.lease.set_offset(offset_ms);
        self.look(clock);
        // The station is heard at this moment, whatever the clock said before.
        self.heard();
        tracing::info!(op = %OpId::from_bytes(*op).short(), offset_ms, "the clock was set");
        Ok(receipt)
    }
}
