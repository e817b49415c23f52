//! The outbox: what gates must still be told, queued in the transaction that decided it, delivered by the courier.
//!
//! Each gate's queue is strict: the first operation by rank (stops, erasures, freezes, removals, cards), then by sequence, is
//! the only one that may go. While it waits for its next try, nothing behind it goes, so that a removal never overtakes
//! and nothing overtakes an erasure.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::delivery::{Delivery, DeliveryState, GateOp, NOTED_FROM, PAUSE_MAX_MS, pause_ms};
use crate::domain::id::{CardId, ConsentId, GateId, OpId, TemplateId};
use crate::domain::time::{CivilDate, Timestamp};
use crate::secret::random_bytes;

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::station::gate_is_stopped;
use super::stops;

/// What waits for one gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueCount {
    /// Which gate.
    pub gate: GateId,
    /// Operations waiting.
    pub pending: u32,
    /// Operations the gate refused; staff must act. None of a gate that is out of use.
    pub wedged: u32,
    /// When the oldest waiting operation was queued.
    pub oldest_pending_at: Option<Timestamp>,
}

/// An operation as it is queued: by the row it is about, so that no number is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queued {
    /// Match no face at all.
    Stop,
    /// Match faces again.
    Resume,
    /// Erase what the gate holds under a consent.
    Erase(ConsentId),
    /// Erase what the gate holds under a number that no consent here knows.
    EraseNumber(TemplateId),
    /// Match no more what the gate holds under a consent.
    Freeze(ConsentId),
    /// Match it again.
    Thaw(ConsentId),
    /// Let a card in.
    PutCard(CardId),
    /// Let a card in no more.
    RemoveCard(CardId),
}

impl Vault {
    /// The next operation for a gate; `None` when nothing waits, when its first one is not due yet, or when the gate is
    /// stopped. One that the gate has refused so often that its reason is noted keeps nothing behind it waiting: gates and boards go by the
    /// newest operation on a number, whatever the order.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn next_due(&self, gate: GateId, now: Timestamp) -> Result<Option<Delivery>, VaultError> {
        if gate_is_stopped(&self.main, gate)? != Some(false) {
            return Ok(None);
        }
        let mut statement = self.main.prepare_cached(
            "SELECT sequence, op, kind, consent, card, attempts, not_before, link FROM outbox
             WHERE gate = ?1 AND state = 'pending' AND (reason IS NULL OR not_before <= ?2 OR not_before > ?3)
             ORDER BY rank, sequence LIMIT 1",
        )?;
        let head = statement.query_row(params![gate.bytes(), now.ms(), now.plus_ms(PAUSE_MAX_MS).ms()], row_of);
        // A pause is never longer than `PAUSE_MAX_MS`: what lies further ahead was written by a clock that was wrong, and must not wait for
        // that day.
        let is_due = |row: &Row| row.not_before <= now || row.not_before > now.plus_ms(PAUSE_MAX_MS);
        let Some(row) = head.optional()?.filter(is_due) else {
            return Ok(None);
        };
        let what = self.operation(&row)?;
        let state = DeliveryState::Pending { attempts: row.attempts, not_before: row.not_before };
        Ok(Some(Delivery { op: row.op, sequence: row.sequence, what, state }))
    }

    /// Records that a gate signed for an operation; an erasure is then also noted as done. Repeats change nothing.
    ///
    /// The courier has checked the receipt's signature before.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when this gate has no such operation, and those of the disk.
    pub fn record_delivered(
        &mut self,
        op: OpId,
        gate: GateId,
        receipt: &[u8],
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.settle(op, gate, receipt, None, now)
    }

    /// As [`Self::record_delivered`], after the gate was also asked again and told what the operation should have led to. The last erasure
    /// of a consent makes its deletion certificate, in the same transaction (rule P47a).
    ///
    /// # Errors
    /// As [`Self::record_delivered`].
    pub fn record_read_back(
        &mut self,
        op: OpId,
        gate: GateId,
        receipt: &[u8],
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.settle(op, gate, receipt, Some(now), now)
    }

    fn settle(
        &self,
        op: OpId,
        gate: GateId,
        receipt: &[u8],
        read_back_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.settle_in(&work, op, gate, receipt, read_back_at, now)?;
        Ok(work.commit()?)
    }

    /// Settles one operation inside a transaction.
    pub(super) fn settle_in(
        &self,
        work: &Connection,
        op: OpId,
        gate: GateId,
        receipt: &[u8],
        read_back_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let row = Settling::read(work, op)?.filter(|row| row.gate == gate).ok_or(VaultError::Unknown)?;
        if row.state == "delivered" {
            return Ok(());
        }
        let digest = Some(Sha256::digest(receipt).into());
        work.prepare_cached(
            "UPDATE outbox SET state = 'delivered', settled_at = ?2, receipt = ?3, reason = NULL, read_back_at = ?4
             WHERE op = ?1",
        )?
        .execute(params![op.bytes(), now.ms(), receipt, read_back_at.map(Timestamp::ms)])?;
        self.append_with(work, Actor::Gate(gate), &AuditEvent::Delivered(op, gate), None, digest, now)?;
        if let (true, Some(consent)) = (row.kind == "erase", row.consent) {
            let sql = "UPDATE held SET erased_at = ?3 WHERE consent = ?1 AND gate = ?2 AND erased_at IS NULL";
            work.execute(sql, params![consent.bytes(), gate.bytes(), now.ms()])?;
            // What was to keep it from being matched meanwhile has nothing left to do.
            let sql = "UPDATE outbox SET state = 'superseded', settled_at = ?3
                 WHERE gate = ?1 AND consent = ?2 AND kind IN ('freeze', 'thaw') AND state IN ('pending', 'wedged')";
            work.execute(sql, params![gate.bytes(), consent.bytes(), now.ms()])?;
            let erased = AuditEvent::FaceErased(link_of(work, consent)?, gate);
            self.append_with(work, Actor::Gate(gate), &erased, None, digest, now)?;
            self.certify_when_complete(work, consent, gate, now)?;
        }
        Ok(())
    }

    /// Records a try that did not reach the gate; the next one waits longer (`domain::delivery::pause_ms`).
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_try_failed(&mut self, op: OpId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.failed_in(&work, op, None, now)?;
        Ok(work.commit()?)
    }

    /// Records a refusal that may pass: tried again as after [`Self::record_try_failed`], and after [`NOTED_FROM`] tries noted with its
    /// reason, so that staff see why it waits.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_not_taken(&mut self, op: OpId, reason: &str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.failed_in(&work, op, Some(reason), now)?;
        Ok(work.commit()?)
    }

    /// A try failed, inside a transaction.
    pub(super) fn failed_in(
        &self,
        work: &Connection,
        op: OpId,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let row = Settling::read(work, op)?.ok_or(VaultError::Unknown)?;
        let attempts = row.attempts.saturating_add(1);
        let noted = reason.filter(|_| attempts >= NOTED_FROM);
        work.execute(
            "UPDATE outbox SET attempts = ?2, not_before = ?3, reason = coalesce(?4, reason)
             WHERE op = ?1 AND state = 'pending'",
            params![op.bytes(), attempts, now.plus_ms(pause_ms(attempts)).ms(), noted],
        )?;
        if let (Some(_), "erase", Some(consent)) = (noted, row.kind.as_str(), row.consent) {
            stops::freeze_instead(work, row.gate, consent, now)?;
        }
        Ok(())
    }

    /// Records that a gate refused an operation: it waits for staff. `reason` is a code, never free text about a
    /// person.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_wedged(&mut self, op: OpId, reason: &str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.wedge_in(&work, op, reason, now)?;
        Ok(work.commit()?)
    }

    /// A refusal, inside a transaction.
    pub(super) fn wedge_in(&self, work: &Connection, op: OpId, reason: &str, now: Timestamp) -> Result<(), VaultError> {
        let row = Settling::read(work, op)?.ok_or(VaultError::Unknown)?;
        if row.state != "pending" {
            return Ok(());
        }
        let sql = "UPDATE outbox SET state = 'wedged', settled_at = ?2, reason = ?3 WHERE op = ?1";
        work.execute(sql, params![op.bytes(), now.ms(), reason])?;
        self.append(work, Actor::Gate(row.gate), &AuditEvent::Wedged(op, row.gate), now)?;
        if let ("erase", Some(consent)) = (row.kind.as_str(), row.consent) {
            stops::freeze_instead(work, row.gate, consent, now)?;
        }
        Ok(())
    }

    /// Puts the operations that a gate refused back into its queue, after staff acted. Returns how many.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn retry_wedged(&mut self, gate: GateId, now: Timestamp) -> Result<u32, VaultError> {
        let work = self.begin()?;
        let count = work.execute(
            "UPDATE outbox SET state = 'pending', settled_at = NULL, attempts = 0, not_before = ?2, reason = NULL
             WHERE gate = ?1 AND (state = 'wedged' OR (state = 'pending' AND reason IS NOT NULL))",
            params![gate.bytes(), now.ms()],
        )?;
        if count > 0 {
            self.append(&work, Actor::Staff(self.staff), &AuditEvent::GateRetried(gate), now)?;
        }
        work.commit()?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// What waits for each paired gate.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn queue_counts(&self) -> Result<Vec<QueueCount>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT gates.id, count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'wedged' AND retired_at IS NULL),
                 min(queued_at) FILTER (WHERE state = 'pending')
             FROM gates LEFT JOIN outbox ON outbox.gate = gates.id AND state IN ('pending', 'wedged')
             GROUP BY gates.id ORDER BY shown_name, gates.id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(QueueCount {
                gate: GateId::from_bytes(row.get(0)?),
                pending: row.get(1)?,
                wedged: row.get(2)?,
                oldest_pending_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_ms),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Builds what goes to the gate.
    pub(super) fn operation(&self, row: &Row) -> Result<GateOp, VaultError> {
        let damaged = || VaultError::corrupt(MAIN_FILE);
        match (row.kind.as_str(), row.consent, row.card) {
            ("stop", ..) => Ok(GateOp::StopFaces),
            ("resume", ..) => Ok(GateOp::ResumeFaces),
            ("erase", None, _) => Ok(GateOp::EraseFace { template: row.link.ok_or_else(damaged)? }),
            ("thaw", Some(consent), _) => Ok(GateOp::ThawFace { template: link_of(&self.main, consent)? }),
            ("erase", Some(consent), _) => Ok(GateOp::EraseFace { template: link_of(&self.main, consent)? }),
            ("freeze", Some(consent), _) => Ok(GateOp::FreezeFace { template: link_of(&self.main, consent)? }),
            ("remove-card", _, Some(card)) => Ok(GateOp::RemoveCard { uid: self.card_number(&self.main, card)? }),
            ("put-card", _, Some(card)) => {
                let sql = "SELECT ends_on FROM cards WHERE id = ?1";
                let ends_on = self.main.query_row(sql, [card.bytes()], |r| r.get(0).map(CivilDate::from_epoch_days))?;
                Ok(GateOp::PutCard { uid: self.card_number(&self.main, card)?, ends_on })
            }
            _ => Err(damaged()),
        }
    }
}

/// Waiting entries of the same card number at a gate. The plus signs keep the search to that card: by gate and state it would look through
/// everything that waits, for each card of a first sync again.
pub(super) const SUPERSEDE_CARD: &str = "UPDATE outbox SET state = 'superseded', settled_at = ?3
     WHERE +gate = ?1 AND kind = 'put-card' AND +state IN ('pending', 'wedged')
         AND card IN (SELECT id FROM cards WHERE number_hash = (SELECT number_hash FROM cards WHERE id = ?2))";

/// Queues one operation for one gate. Waiting operations that it makes pointless are superseded, so that an old entry
/// of a card can never arrive after its removal.
pub(super) fn queue(work: &Connection, gate: GateId, what: Queued, now: Timestamp) -> Result<OpId, VaultError> {
    let link = if let Queued::EraseNumber(link) = what { Some(*link.bytes()) } else { None };
    // Ranks as in `domain::delivery::GateOp::rank`.
    let (kind, rank, consent, card) = match what {
        Queued::Stop => ("stop", -1, None, None),
        Queued::Resume => ("resume", -1, None, None),
        Queued::Erase(consent) => ("erase", 0, Some(*consent.bytes()), None),
        Queued::EraseNumber(_) => ("erase", 0, None, None),
        Queued::Freeze(consent) => ("freeze", 1, Some(*consent.bytes()), None),
        Queued::Thaw(consent) => ("thaw", 1, Some(*consent.bytes()), None),
        Queued::RemoveCard(card) => ("remove-card", 2, None, Some(*card.bytes())),
        Queued::PutCard(card) => ("put-card", 3, None, Some(*card.bytes())),
    };
    match what {
        Queued::Erase(consent) => work.execute(
            "UPDATE outbox SET state = 'superseded', settled_at = ?3
             WHERE gate = ?1 AND consent = ?2 AND kind IN ('freeze', 'thaw') AND state IN ('pending', 'wedged')",
            params![gate.bytes(), consent.bytes(), now.ms()],
        )?,
        // A freeze takes nothing back: an erasure that waits goes first by its rank.
        Queued::Stop | Queued::Resume | Queued::EraseNumber(_) | Queued::Freeze(_) | Queued::Thaw(_) => 0,
        // The same number may be in several rows of `cards`: one an issue.
        Queued::RemoveCard(card) | Queued::PutCard(card) => {
            let of = params![gate.bytes(), card.bytes(), now.ms()];
            work.prepare_cached(SUPERSEDE_CARD)?.execute(of)?
        }
    };
    let op = OpId::from_bytes(random_bytes());
    work.prepare_cached(
        "INSERT INTO outbox (op, gate, rank, kind, consent, card, state, not_before, queued_at, link)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7, ?7, ?8)",
    )?
    .execute(params![op.bytes(), gate.bytes(), rank, kind, consent, card, now.ms(), link])?;
    Ok(op)
}

/// The random number that gates know a consent by.
pub(super) fn link_of(view: &Connection, consent: ConsentId) -> Result<TemplateId, VaultError> {
    let mut statement = view.prepare_cached("SELECT link FROM consents WHERE id = ?1")?;
    Ok(statement.query_row([consent.bytes()], |row| row.get(0).map(TemplateId::from_bytes))?)
}

/// A waiting operation as it lies in the table.
pub(super) struct Row {
    pub(super) sequence: u64,
    pub(super) op: OpId,
    kind: String,
    consent: Option<ConsentId>,
    card: Option<CardId>,
    pub(super) attempts: u32,
    pub(super) not_before: Timestamp,
    link: Option<TemplateId>,
}

/// Reads `sequence, op, kind, consent, card, attempts, not_before, link`.
pub(super) fn row_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        sequence: row.get::<_, i64>(0)?.unsigned_abs(),
        op: OpId::from_bytes(row.get(1)?),
        kind: row.get(2)?,
        consent: row.get::<_, Option<[u8; 16]>>(3)?.map(ConsentId::from_bytes),
        card: row.get::<_, Option<[u8; 16]>>(4)?.map(CardId::from_bytes),
        attempts: row.get(5)?,
        not_before: Timestamp::from_ms(row.get(6)?),
        link: row.get::<_, Option<[u8; 16]>>(7)?.map(TemplateId::from_bytes),
    })
}

/// What is needed to settle an operation.
struct Settling {
    gate: GateId,
    kind: String,
    state: String,
    consent: Option<ConsentId>,
    attempts: u32,
}

impl Settling {
    fn read(view: &Connection, op: OpId) -> Result<Option<Self>, VaultError> {
        let mut statement =
            view.prepare_cached("SELECT gate, kind, state, consent, attempts FROM outbox WHERE op = ?1")?;
        let row = statement.query_row([op.bytes()], |row| {
            Ok(Self {
                gate: GateId::from_bytes(row.get(0)?),
                kind: row.get(1)?,
                state: row.get(2)?,
                consent: row.get::<_, Option<[u8; 16]>>(3)?.map(ConsentId::from_bytes),
                attempts: row.get(4)?,
            })
        });
        Ok(row.optional()?)
    }
}
