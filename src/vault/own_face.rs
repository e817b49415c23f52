//! What a person may ask about the own template: a copy of it, and a new one in place of a bad one. Rules: P45a, P46, P47.
//!
//! A bad template goes first: the consent ends with an erasure for every gate, and no new consent is recorded while a gate in use has not
//! signed for its erasure. The order cannot be turned round, whatever a window asks for.

use rusqlite::{Connection, OptionalExtension, params};

use super::Vault;
use super::consents::is_current;
use super::error::VaultError;
use super::requests::NewRequest;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::{ConsentGranted, EraseReason};
use crate::domain::id::{GateId, ResidentId, TemplateId};
use crate::domain::rights::{RequestKind, RequestNo, RightsEvent};
use crate::domain::time::Timestamp;

impl Vault {
    /// Writes down, before anything is sent, that a gate is asked for a copy of the person's own template.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`], and those of the disk.
    pub fn record_template_asked(
        &mut self,
        granted: &ConsentGranted,
        gate: GateId,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.note_template(granted, gate, None, now)
    }

    /// Writes down that the sealed copy was written where the person chose; `receipt` is the SHA-256 of the gate's signed receipt.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`], and those of the disk.
    pub fn record_template_given(
        &mut self,
        granted: &ConsentGranted,
        gate: GateId,
        receipt: [u8; 32],
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.note_template(granted, gate, Some(receipt), now)
    }

    fn note_template(
        &mut self,
        granted: &ConsentGranted,
        gate: GateId,
        receipt: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        if !is_current(&work, granted, now)? {
            return Err(VaultError::ConsentNotCurrent);
        }
        let (resident, template): (ResidentId, TemplateId) = (granted.resident(), granted.template());
        let event = match receipt {
            None => RightsEvent::TemplateAsked(resident, template, gate),
            Some(_) => RightsEvent::TemplateGiven(resident, template, gate),
        };
        self.append_with(&work, Actor::Resident(resident), &AuditEvent::Rights(event), None, receipt, now)?;
        Ok(work.commit()?)
    }

    /// The person finds the template bad: the consent ends, each gate is to erase, and the request is registered, in one transaction.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`] when there is none, and those of the disk.
    pub fn begin_correction(
        &mut self,
        resident: ResidentId,
        new: &NewRequest,
        now: Timestamp,
    ) -> Result<RequestNo, VaultError> {
        let work = self.begin()?;
        let no = self.note_request(&work, new, false, now)?;
        let reason = EraseReason::Correction.label();
        self.end_current(&work, resident, reason, Actor::Resident(resident), now)?
            .ok_or(VaultError::ConsentNotCurrent)?;
        work.commit()?;
        Ok(no)
    }

    /// Gates in use that have not signed that the bad template is gone; until then nothing new is recorded for the person.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn correction_waits(&self, resident: ResidentId) -> Result<Vec<GateId>, VaultError> {
        correction_waits(&self.main, resident)
    }

    /// Whether the last thing that ended for this person ended because the template was bad: a new one may be made in its place.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn is_correcting(&self, resident: ResidentId) -> Result<bool, VaultError> {
        let sql = "SELECT ended_at IS NOT NULL AND end_reason = 'correction' FROM consents WHERE resident = ?1
             ORDER BY signed_at DESC, id LIMIT 1";
        let found: Option<bool> = self.main.query_row(sql, [resident.bytes()], |row| row.get(0)).optional()?;
        Ok(found == Some(true))
    }

    /// Stamps as done the requests whose bad template is erased at every gate in use. Returns how many.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn settle_corrections(&mut self, now: Timestamp) -> Result<u32, VaultError> {
        let due = corrections_open(&self.main)?;
        let mut settled = 0;
        for (no, resident) in due {
            if correction_waits(&self.main, resident)?.is_empty() {
                let work = self.begin()?;
                self.note_granted(&work, no, Some(resident), None, now)?;
                self.note_done(&work, no, Some(resident), Some("old-face-erased"), false, now)?;
                work.commit()?;
                settled += 1;
            }
        }
        Ok(settled)
    }
}

/// As [`Vault::correction_waits`], inside a transaction.
pub(super) fn correction_waits(view: &Connection, resident: ResidentId) -> Result<Vec<GateId>, VaultError> {
    let mut statement = view.prepare_cached(
        "SELECT DISTINCT outbox.gate FROM outbox JOIN consents ON consents.id = outbox.consent
             JOIN gates ON gates.id = outbox.gate
         WHERE resident = ?1 AND end_reason = 'correction' AND kind = 'erase' AND state IN ('pending', 'wedged')
             AND retired_at IS NULL ORDER BY outbox.gate",
    )?;
    let rows = statement.query_map([resident.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Requests for a new template that are not decided, whose consent has ended for it since.
fn corrections_open(view: &Connection) -> Result<Vec<(RequestNo, ResidentId)>, VaultError> {
    let mut statement = view.prepare_cached(
        "SELECT n, resident, received_at FROM requests WHERE done_at IS NULL AND outcome IS NULL AND kind = ?1
             AND EXISTS (SELECT 1 FROM consents WHERE consents.resident = requests.resident
                 AND end_reason = 'correction' AND ended_at >= received_at)
         ORDER BY n",
    )?;
    let rows = statement.query_map(params![RequestKind::Redo.label()], |row| {
        let received = Timestamp::from_ms(row.get(2)?);
        Ok((RequestNo::new(row.get(0)?, received.date()), ResidentId::from_bytes(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
