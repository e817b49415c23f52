//! How a consent ends: always the same way, with an erasure for every gate that the consent names. Rules: P15, P19,
//! P47.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::id::{ConsentId, GateId, OpId, ResidentId};
use crate::domain::time::Timestamp;

use super::Vault;
use super::consents::gates_named;
use super::doors;
use super::error::VaultError;
use super::outbox::{self, Queued};

/// The word for a consent whose capture was lost in a crash.
pub(super) const CAPTURE_LOST: &str = "capture-lost";

impl Vault {
    /// Ends the current consent and queues an erasure for every gate named in it, also for those that never
    /// acknowledged, ahead of everything else, in one transaction. Who did it follows from the reason; see
    /// [`Self::end_consent_by`].
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`] when there is none, and those of the disk.
    pub fn end_consent(
        &mut self,
        resident: ResidentId,
        reason: EraseReason,
        now: Timestamp,
    ) -> Result<Vec<OpId>, VaultError> {
        let by = match reason {
            EraseReason::Withdrawn => Actor::Resident(resident),
            EraseReason::MovedOut
            | EraseReason::GateRetired
            | EraseReason::Correction
            | EraseReason::Closed
            | EraseReason::Deceased
            | EraseReason::Unlawful
            | EraseReason::OtherDecider
            | EraseReason::ManagerLeft => Actor::Staff(self.staff),
            EraseReason::TermOver
            | EraseReason::NotAccepted
            | EraseReason::PracticeOver
            | EraseReason::NextAgeBand
            | EraseReason::NoticeChanged
            | EraseReason::FoundErased => Actor::Station,
        };
        self.end_consent_by(resident, reason, by, now)
    }

    /// [`Self::end_consent`], naming who did it: a withdrawal by phone or paper is entered by staff, and the log must
    /// say so.
    ///
    /// # Errors
    /// As [`Self::end_consent`].
    pub fn end_consent_by(
        &mut self,
        resident: ResidentId,
        reason: EraseReason,
        by: Actor,
        now: Timestamp,
    ) -> Result<Vec<OpId>, VaultError> {
        let work = self.begin()?;
        let ops = self.end_current(&work, resident, reason.label(), by, now)?.ok_or(VaultError::ConsentNotCurrent)?;
        work.commit()?;
        Ok(ops)
    }

    /// Ends every current consent: a practice session is over.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn end_all_faces(&mut self, reason: EraseReason, now: Timestamp) -> Result<Vec<OpId>, VaultError> {
        let work = self.begin()?;
        let mut ops = vec![];
        for resident in residents_of(&work, "SELECT resident FROM consents WHERE ended_at IS NULL ORDER BY id", None)? {
            ops.extend(self.end_current(&work, resident, reason.label(), Actor::Station, now)?.unwrap_or_default());
        }
        work.commit()?;
        Ok(ops)
    }

    /// Gates that have not signed that they erased what they held of a person (waiting or refused).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn erase_pending(&self, resident: ResidentId) -> Result<Vec<GateId>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT DISTINCT gate FROM outbox JOIN consents ON consents.id = outbox.consent
             WHERE resident = ?1 AND kind = 'erase' AND state IN ('pending', 'wedged') ORDER BY gate",
        )?;
        let rows = statement.query_map([resident.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Erasures that no gate has signed for yet, over all persons.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn erasures_pending(&self) -> Result<Vec<(OpId, GateId)>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT op, gate FROM outbox WHERE kind = 'erase' AND state IN ('pending', 'wedged') ORDER BY sequence",
        )?;
        let rows =
            statement.query_map([], |row| Ok((OpId::from_bytes(row.get(0)?), GateId::from_bytes(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Persons whose consent's last day, or whose own last day, has passed. Rule P19: ended without an operator.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn consents_due(&self, now: Timestamp) -> Result<Vec<ResidentId>, VaultError> {
        let sql = "SELECT resident FROM consents JOIN residents ON residents.id = consents.resident
             WHERE ended_at IS NULL AND min(consents.ends_on, residents.ends_on) < ?1
             ORDER BY consents.ends_on, consents.id";
        residents_of(&self.main, sql, Some(now.date().epoch_days()))
    }

    /// Persons with a current consent under which no gate signed for anything: after an unlock, what a run left that ended between the
    /// decision and the hand-over.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn consents_without_face(&self) -> Result<Vec<ResidentId>, VaultError> {
        let sql = "SELECT resident FROM consents WHERE ended_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM held WHERE held.consent = consents.id AND erased_at IS NULL) ORDER BY id";
        residents_of(&self.main, sql, None)
    }

    /// How many captures were lost because the program ended in the middle of one. Each is told once; its consent has
    /// ended, and the person must be asked again. A capture under which a gate had already signed that it holds the
    /// face is not lost.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn captures_lost(&mut self) -> Result<u32, VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE captures SET lost_told = 1 WHERE lost_at IS NOT NULL AND lost_told = 0";
        let count = work.execute(sql, [])?;
        work.commit()?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Ends the current consent of a person inside a transaction; `None` when there is none.
    pub(super) fn end_current(
        &self,
        work: &Connection,
        resident: ResidentId,
        reason: &'static str,
        by: Actor,
        now: Timestamp,
    ) -> Result<Option<Vec<OpId>>, VaultError> {
        self.end_current_at(work, resident, reason, by, (now, now))
    }

    /// The same for one that had ended at another instant already, before a backup was put back.
    pub(super) fn end_current_at(
        &self,
        work: &Connection,
        resident: ResidentId,
        reason: &'static str,
        by: Actor,
        (ended_at, now): (Timestamp, Timestamp),
    ) -> Result<Option<Vec<OpId>>, VaultError> {
        let sql = "SELECT id FROM consents WHERE resident = ?1 AND ended_at IS NULL";
        let found = work.query_row(sql, [resident.bytes()], |row| row.get(0).map(ConsentId::from_bytes)).optional()?;
        let Some(consent) = found else {
            return Ok(None);
        };
        let sql = "UPDATE consents SET ended_at = ?2, end_reason = ?3 WHERE id = ?1";
        work.execute(sql, params![consent.bytes(), ended_at.ms(), reason])?;
        let log_n = i64::try_from(super::log::length(work)?).unwrap_or(i64::MAX);
        work.execute("INSERT INTO endings (consent, log_n) VALUES (?1, ?2)", params![consent.bytes(), log_n])?;
        self.append(work, by, &AuditEvent::ConsentEnded(consent, reason), now)?;
        work.execute(
            "UPDATE pauses SET resumed_at = ?2 WHERE consent = ?1 AND resumed_at IS NULL",
            params![consent.bytes(), now.ms()],
        )?;
        // What may still be on its way meets the erasure, which spends the number; no receipt needs to be asked for.
        work.execute("DELETE FROM fills WHERE consent = ?1 AND state <> 'closed'", [consent.bytes()])?;
        // A door that was dropped has an erasure of its own already, done or on its way.
        let dropped = doors::dropped(work, consent)?;
        let gates = gates_named(work, consent)?.into_iter().filter(|gate| !dropped.contains(gate));
        let ops: Result<Vec<OpId>, VaultError> =
            gates.map(|gate| outbox::queue(work, gate, Queued::Erase(consent), now)).collect();
        ops.map(Some)
    }

    /// Finds captures that the last run did not end; called at unlock, when no capture can be running.
    pub(super) fn end_lost_captures(&self, work: &Connection, now: Timestamp) -> Result<(), VaultError> {
        // A gate that signed before the crash has it all: the enrollment stands, only the try at the gate was cut
        // short.
        work.execute(
            "UPDATE captures SET over_at = ?1 WHERE over_at IS NULL AND lost_at IS NULL
                 AND EXISTS (SELECT 1 FROM held WHERE held.consent = captures.consent AND erased_at IS NULL)",
            [now.ms()],
        )?;
        // Its consent ended while the disk did not take the end of the capture: that is over, and a newer yes of the same person stands.
        work.execute(
            "UPDATE captures SET over_at = ?1 WHERE over_at IS NULL AND lost_at IS NULL
                 AND EXISTS (SELECT 1 FROM consents WHERE consents.id = captures.consent AND ended_at IS NOT NULL)",
            [now.ms()],
        )?;
        let sql = "SELECT DISTINCT resident FROM captures JOIN consents ON consents.id = captures.consent
             WHERE over_at IS NULL AND lost_at IS NULL";
        for resident in residents_of(work, sql, None)? {
            self.end_current(work, resident, CAPTURE_LOST, Actor::Station, now)?;
        }
        work.execute("UPDATE captures SET lost_at = ?1 WHERE over_at IS NULL AND lost_at IS NULL", [now.ms()])?;
        Ok(())
    }
}

pub(super) fn residents_of(view: &Connection, sql: &str, day: Option<i64>) -> Result<Vec<ResidentId>, VaultError> {
    let mut statement = view.prepare(sql)?;
    let of = |row: &rusqlite::Row<'_>| row.get(0).map(ResidentId::from_bytes);
    let rows = match day {
        Some(day) => statement.query_map([day], of)?.collect::<Result<_, _>>(),
        None => statement.query_map([], of)?.collect::<Result<_, _>>(),
    };
    Ok(rows?)
}
