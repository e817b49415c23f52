//! The outbox by the batch: many operations that may go to a gate together, and many that it signed for, in one transaction. The order is
//! that of [`Vault::next_due`].

use rusqlite::params;

use crate::domain::delivery::{Delivery, DeliveryState, GateOp, PAUSE_MAX_MS};
use crate::domain::id::{CardId, GateId, OpId};
use crate::domain::relay::{Wedged, reason};
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::VaultError;
use super::outbox::{self, Queued};
use super::station::gate_is_stopped;

/// What became of one operation of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The gate signed for it; `read_back` says that it was asked again and told what the operation should have led to.
    Signed {
        /// Which.
        op: OpId,
        /// The receipt.
        receipt: Vec<u8>,
        /// Asked again.
        read_back: bool,
    },
    /// Staff must act.
    Wedged {
        /// Which.
        op: OpId,
        /// The gate's reason code.
        reason: String,
    },
    /// It is tried again later.
    Failed {
        /// Which.
        op: OpId,
        /// The gate's reason code.
        reason: String,
    },
}

impl Vault {
    /// The operations that may go to a gate now, in their order: at most `max`, and a stop or resumption of all faces only by itself.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn due_together(&self, gate: GateId, max: usize, now: Timestamp) -> Result<Vec<Delivery>, VaultError> {
        if gate_is_stopped(&self.main, gate)? != Some(false) {
            return Ok(vec![]);
        }
        let mut statement = self.main.prepare_cached(
            "SELECT sequence, op, kind, consent, card, attempts, not_before, link FROM outbox
             WHERE gate = ?1 AND state = 'pending' AND (reason IS NULL OR not_before <= ?2 OR not_before > ?3)
             ORDER BY rank, sequence",
        )?;
        let mut rows = statement.query(params![gate.bytes(), now.ms(), now.plus_ms(PAUSE_MAX_MS).ms()])?;
        let mut due: Vec<Delivery> = vec![];
        while let Some(row) = rows.next()? {
            let row = outbox::row_of(row)?;
            // As in `next_due`: what lies further ahead than a pause can was written by a clock that was wrong.
            if row.not_before > now && row.not_before <= now.plus_ms(PAUSE_MAX_MS) {
                break;
            }
            // A row that cannot be read keeps nothing in front of it waiting; by itself it is an error, and set aside.
            let what = match self.operation(&row) {
                Err(_) if !due.is_empty() => break,
                read => read?,
            };
            let alone = matches!(what, GateOp::StopFaces | GateOp::ResumeFaces);
            if alone && !due.is_empty() {
                break;
            }
            let state = DeliveryState::Pending { attempts: row.attempts, not_before: row.not_before };
            due.push(Delivery { op: row.op, sequence: row.sequence, what, state });
            if alone || due.len() >= max {
                break;
            }
        }
        Ok(due)
    }

    /// Sets aside what waits for a gate and cannot be made from its row: an older file of keys was put back, say, and a card's number cannot be
    /// read any more. It waits for staff, and keeps nothing behind it. Returns how many.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn set_aside_unreadable(&mut self, gate: GateId, now: Timestamp) -> Result<u32, VaultError> {
        let unreadable = {
            let mut statement = self.main.prepare_cached(
                "SELECT sequence, op, kind, consent, card, attempts, not_before, link FROM outbox
                 WHERE gate = ?1 AND state = 'pending' ORDER BY rank, sequence",
            )?;
            let mut rows = statement.query([gate.bytes()])?;
            let mut unreadable = vec![];
            while let Some(row) = rows.next()? {
                let row = outbox::row_of(row)?;
                match self.operation(&row) {
                    Ok(_) => {}
                    Err(error) if error.is_of_a_row() => unreadable.push(row.op),
                    Err(error) => return Err(error),
                }
            }
            unreadable
        };
        if unreadable.is_empty() {
            return Ok(0);
        }
        let work = self.begin()?;
        for op in &unreadable {
            self.wedge_in(&work, *op, reason::UNREADABLE, now)?;
        }
        work.commit()?;
        Ok(u32::try_from(unreadable.len()).unwrap_or(u32::MAX))
    }

    /// The orders that wait for a gate to match somebody no more, or nobody: stops, erasures, freezes, and what undoes a stop or a freeze in its
    /// place among them. Also those that rest after a failed try, and those for a gate that is stopped.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn orders_waiting(&self, gate: GateId, max: usize) -> Result<Vec<Delivery>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT sequence, op, kind, consent, card, attempts, not_before, link FROM outbox
             WHERE gate = ?1 AND state = 'pending' AND rank <= 1 ORDER BY rank, sequence LIMIT ?2",
        )?;
        let mut rows = statement.query(params![gate.bytes(), i64::try_from(max).unwrap_or(i64::MAX)])?;
        let mut orders = vec![];
        while let Some(row) = rows.next()? {
            let row = outbox::row_of(row)?;
            let state = DeliveryState::Pending { attempts: row.attempts, not_before: row.not_before };
            orders.push(Delivery { op: row.op, sequence: row.sequence, what: self.operation(&row)?, state });
        }
        Ok(orders)
    }

    /// Ends the pause of the orders that wait for a gate ([`Self::orders_waiting`]): the gate is about to be asked something, and they go first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn hurry_orders(&mut self, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox
             WHERE gate = ?1 AND state = 'pending' AND rank <= 1 AND not_before > ?2)";
        let of = params![gate.bytes(), now.ms()];
        if !self.main.prepare_cached(sql)?.query_row(of, |row| row.get(0))? {
            return Ok(());
        }
        let work = self.begin()?;
        let sql = "UPDATE outbox SET not_before = ?2
             WHERE gate = ?1 AND state = 'pending' AND rank <= 1 AND not_before > ?2";
        work.execute(sql, params![gate.bytes(), now.ms()])?;
        Ok(work.commit()?)
    }

    /// Records what became of a batch, in one transaction.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] for an operation that is not this gate's, and those of the disk.
    pub fn record_carried(&mut self, gate: GateId, all: &[Carried], now: Timestamp) -> Result<u32, VaultError> {
        let work = self.begin()?;
        let mut signed = 0;
        for one in all {
            match one {
                Carried::Signed { op, receipt, read_back } => {
                    self.settle_in(&work, *op, gate, receipt, read_back.then_some(now), now)?;
                    signed += 1;
                }
                Carried::Wedged { op, reason } => self.wedge_in(&work, *op, reason, now)?,
                Carried::Failed { op, reason } => self.failed_in(&work, *op, Some(reason), now)?,
            }
        }
        work.commit()?;
        Ok(signed)
    }

    /// Queues a card for a gate again: the gate has lost it, or has another last day for it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn put_card_again(&mut self, card: CardId, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "SELECT EXISTS (SELECT 1 FROM card_gates JOIN cards ON cards.id = card_gates.card
             WHERE card = ?1 AND gate = ?2 AND ended_at IS NULL)";
        if work.query_row(sql, params![card.bytes(), gate.bytes()], |row| row.get(0))? {
            outbox::queue(&work, gate, Queued::PutCard(card), now)?;
        }
        Ok(work.commit()?)
    }

    /// What gates in use did not take, by reason: refused for good, or refused so often that it is noted.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn wedged(&self) -> Result<Vec<Wedged>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT gate, coalesce(reason, ''), count(*), state = 'pending' FROM outbox
             JOIN gates ON gates.id = outbox.gate AND (retired_at IS NULL OR gates.id IN (SELECT gate FROM boards))
             WHERE state = 'wedged' OR (state = 'pending' AND reason IS NOT NULL)
             GROUP BY gate, reason, state ORDER BY gate, reason, state",
        )?;
        let rows = statement.query_map([], |row| {
            let (reason, count, still_tried) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Wedged { gate: GateId::from_bytes(row.get(0)?), reason, count, still_tried })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The highest number of the outbox: what is sent beside it comes after everything that was queued.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn last_sequence(&self) -> Result<u64, VaultError> {
        let sql = "SELECT coalesce(max(sequence), 0) FROM outbox";
        Ok(self.main.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }
}
