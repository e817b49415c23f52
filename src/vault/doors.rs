//! Pausing a face and taking a door out of a consent. The consent stays as it was signed; events amend it. Rules: P44, P15b.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::id::{ConsentId, GateId, OpId, ResidentId};
use crate::domain::time::Timestamp;

use super::consents::gates_named;
use super::error::VaultError;
use super::log;
use super::outbox::{self, Queued};
use super::versions::{live_gates, stopped_gates};
use super::{Vault, cards};

/// One door of a person's consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Which.
    pub gate: GateId,
    /// The gate signed that it holds the face, and has not signed that it is gone.
    pub holds: bool,
    /// The person took this door out.
    pub dropped: bool,
    /// The last pause or resumption has not been signed by this gate.
    pub waiting: bool,
    /// No face opens there, whoever's: all are stopped, or this one is until its person has answered a changed notice.
    pub stopped: bool,
    /// How a face that is not there comes there.
    pub fill: Fill,
}

/// How a face comes to a gate that does not hold it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// It does not: the person must be asked anew.
    #[default]
    Not,
    /// Another gate of the consent passes it on when both answer.
    Waits,
    /// The gate had it and lost it; staff have it put right.
    Lost,
}

impl Vault {
    /// Pauses a face: every gate of the consent keeps the template and stops matching it. Returns `false` when it is paused already.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`], and those of the disk.
    pub fn pause_face(&mut self, resident: ResidentId, by: Actor, now: Timestamp) -> Result<bool, VaultError> {
        let work = self.begin()?;
        let consent = current(&work, resident)?.ok_or(VaultError::ConsentNotCurrent)?;
        if !self.rest_in(&work, consent, by, now)? {
            return Ok(false);
        }
        work.commit()?;
        Ok(true)
    }

    /// [`Self::pause_face`] inside a transaction. The station does it when it finds a face at rest that this vault takes for one in use: only
    /// the person takes it up again.
    pub(super) fn rest_in(
        &self,
        work: &Connection,
        consent: ConsentId,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        if paused_since(work, consent)?.is_some() {
            return Ok(false);
        }
        let sql = "INSERT INTO pauses (consent, paused_at) VALUES (?1, ?2)";
        work.execute(sql, params![consent.bytes(), now.ms()])?;
        self.append(work, by, &AuditEvent::FacePaused(consent), now)?;
        for gate in in_force(work, consent)? {
            outbox::queue(work, gate, Queued::Freeze(consent), now)?;
        }
        Ok(true)
    }

    /// Takes a paused face up again at every gate of the consent. Returns `false` when it is not paused.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`], [`VaultError::CardNeeded`] (a card comes first, also again), and those of the disk.
    pub fn resume_face(&mut self, resident: ResidentId, by: Actor, now: Timestamp) -> Result<bool, VaultError> {
        let work = self.begin()?;
        let consent = current(&work, resident)?.ok_or(VaultError::ConsentNotCurrent)?;
        let sql = "UPDATE pauses SET resumed_at = ?2 WHERE consent = ?1 AND resumed_at IS NULL";
        if work.execute(sql, params![consent.bytes(), now.ms()])? == 0 {
            return Ok(false);
        }
        if !cards::has_card(&work, resident, now.date())? {
            return Err(VaultError::CardNeeded);
        }
        self.append(&work, by, &AuditEvent::FaceResumed(consent), now)?;
        // Where the face has stopped because the notice changed, it goes on standing still until the person answers that.
        let stopped = stopped_gates(&work, consent)?;
        for gate in in_force(&work, consent)?.into_iter().filter(|gate| !stopped.contains(gate)) {
            outbox::queue(&work, gate, Queued::Thaw(consent), now)?;
        }
        work.commit()?;
        Ok(true)
    }

    /// Takes one door out of a consent: an erasure at that gate only. The last door ends the consent. Returns what was queued.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`], [`VaultError::GateNotNamed`] for a door that is not, or no longer, in it, and those of the
    /// disk.
    pub fn drop_door(
        &mut self,
        resident: ResidentId,
        gate: GateId,
        by: Actor,
        now: Timestamp,
    ) -> Result<Vec<OpId>, VaultError> {
        let work = self.begin()?;
        let consent = current(&work, resident)?.ok_or(VaultError::ConsentNotCurrent)?;
        let ops = self.drop_in(&work, (resident, consent), gate, EraseReason::Withdrawn, by, now)?;
        work.commit()?;
        Ok(ops)
    }

    /// [`Self::drop_door`] inside a transaction, for this reason; the last door ends the consent. When the gate has signed and was read back,
    /// a deletion certificate of this place makes itself.
    pub(super) fn drop_in(
        &self,
        work: &Connection,
        (resident, consent): (ResidentId, ConsentId),
        gate: GateId,
        reason: EraseReason,
        by: Actor,
        now: Timestamp,
    ) -> Result<Vec<OpId>, VaultError> {
        let doors = in_force(work, consent)?;
        if !doors.contains(&gate) {
            return Err(VaultError::GateNotNamed);
        }
        if doors.len() == 1 {
            return Ok(self.end_current(work, resident, reason.label(), by, now)?.unwrap_or_default());
        }
        let log_n = log::number(log::length(work)?);
        let sql = "INSERT INTO dropped_doors (consent, gate, dropped_at, reason, log_n) VALUES (?1, ?2, ?3, ?4, ?5)";
        work.execute(sql, params![consent.bytes(), gate.bytes(), now.ms(), reason.label(), log_n])?;
        // Nothing is left there to answer for.
        let sql = "UPDATE notice_stopped SET ended_at = ?3 WHERE consent = ?1 AND gate = ?2 AND ended_at IS NULL";
        work.execute(sql, params![consent.bytes(), gate.bytes(), now.ms()])?;
        let sql = "DELETE FROM fills WHERE consent = ?1 AND gate = ?2 AND state <> 'closed'";
        work.execute(sql, params![consent.bytes(), gate.bytes()])?;
        self.append(work, by, &AuditEvent::DoorDropped(consent, gate), now)?;
        Ok(vec![outbox::queue(work, gate, Queued::Erase(consent), now)?])
    }

    /// The doors of a person's current consent, and since when the face is paused; `None` without a current consent.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn doors(&self, resident: ResidentId) -> Result<Option<(Vec<Door>, Option<Timestamp>)>, VaultError> {
        let Some(consent) = current(&self.main, resident)? else { return Ok(None) };
        let gone = dropped(&self.main, consent)?;
        let all_stopped = self.faces_stopped()?;
        let doors = gates_named(&self.main, consent)?.into_iter().map(|gate| {
            let ids = params![consent.bytes(), gate.bytes()];
            let sql = "SELECT EXISTS (SELECT 1 FROM held WHERE consent = ?1 AND gate = ?2 AND erased_at IS NULL)";
            let holds = self.main.prepare_cached(sql)?.query_row(ids, |row| row.get(0))?;
            let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE consent = ?1 AND gate = ?2
                 AND state IN ('pending', 'wedged') AND kind IN ('freeze', 'thaw', 'erase'))";
            let waiting = self.main.prepare_cached(sql)?.query_row(ids, |row| row.get(0))?;
            let fill = if holds { Fill::Not } else { fill_of(&self.main, consent, gate)? };
            let sql =
                "SELECT EXISTS (SELECT 1 FROM notice_stopped WHERE consent = ?1 AND gate = ?2 AND ended_at IS NULL)";
            let by_notice: bool = self.main.prepare_cached(sql)?.query_row(ids, |row| row.get(0))?;
            let stopped = by_notice || all_stopped.contains(&gate);
            Ok(Door { gate, holds, dropped: gone.contains(&gate), waiting, stopped, fill })
        });
        let doors = doors.collect::<Result<_, VaultError>>()?;
        Ok(Some((doors, paused_since(&self.main, consent)?)))
    }
}

/// The current consent of a person.
pub(super) fn current(view: &Connection, resident: ResidentId) -> Result<Option<ConsentId>, VaultError> {
    let sql = "SELECT id FROM consents WHERE resident = ?1 AND ended_at IS NULL";
    Ok(view.query_row(sql, [resident.bytes()], |row| row.get(0).map(ConsentId::from_bytes)).optional()?)
}

fn fill_of(view: &Connection, consent: ConsentId, gate: GateId) -> Result<Fill, VaultError> {
    let ids = params![consent.bytes(), gate.bytes()];
    let sql = "SELECT EXISTS (SELECT 1 FROM held JOIN gates ON gates.id = held.gate
             WHERE consent = ?1 AND gate <> ?2 AND erased_at IS NULL AND retired_at IS NULL),
         EXISTS (SELECT 1 FROM held WHERE consent = ?1 AND gate = ?2 AND erased_at IS NOT NULL),
         EXISTS (SELECT 1 FROM fills WHERE consent = ?1 AND gate = ?2 AND state = 'closed')";
    let (elsewhere, lost, closed): (bool, bool, bool) =
        view.prepare_cached(sql)?.query_row(ids, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(match (elsewhere && !closed, lost) {
        (false, _) => Fill::Not,
        (true, true) => Fill::Lost,
        (true, false) => Fill::Waits,
    })
}

fn paused_since(view: &Connection, consent: ConsentId) -> Result<Option<Timestamp>, VaultError> {
    let sql = "SELECT paused_at FROM pauses WHERE consent = ?1 AND resumed_at IS NULL";
    Ok(view.query_row(sql, [consent.bytes()], |row| row.get(0).map(Timestamp::from_ms)).optional()?)
}

/// The doors that were taken out of a consent.
pub(super) fn dropped(view: &Connection, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
    let mut statement = view.prepare_cached("SELECT gate FROM dropped_doors WHERE consent = ?1")?;
    let rows = statement.query_map([consent.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The doors that a consent still names.
pub(super) fn in_force(view: &Connection, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
    live_gates(view, consent)
}
