//! When a guardian's name and phone end. A guardian is a person of their own: what is kept of them is kept as long as it proves a consent, and
//! not as long as the child's or ward's record happens to last. Rules: P19, P31a, P47.
//!
//! * The phone is for reaching the guardian about a face that is there: it ends [`IDENTITY_DAYS`] after the last consent under that check ended.
//! * Name and signature prove who consented: they end with the term of the evidence of that consent.
//! * A check under which nobody consented proves nothing: both end [`IDENTITY_DAYS`] after it.

use rusqlite::{Connection, params};

use super::Vault;
use super::error::VaultError;
use super::retention::IDENTITY_DAYS;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{GuardianId, ResidentId};
use crate::domain::time::Timestamp;

/// What of one check of a guardian is to be overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardianDue {
    /// Whose guardian.
    pub resident: ResidentId,
    /// The check.
    pub guardian: GuardianId,
    /// The name and signature too, not the phone alone.
    pub name: bool,
}

impl Vault {
    /// Checks of guardians whose phone, or name, has reached its term.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn guardians_due(&self, evidence_over: i64, now: Timestamp) -> Result<Vec<GuardianDue>, VaultError> {
        let days_over = now.date().plus_days(-IDENTITY_DAYS).end().plus_ms(-DAY_MS).ms();
        // The last instant at which a consent stood on the check; NULL while one still does.
        let sql = "SELECT guardians.id, guardians.resident, phone_ended_at IS NOT NULL, checked_at,
                 count(consents.id), count(consents.id) - count(consents.ended_at), max(consents.ended_at)
             FROM guardians LEFT JOIN consent_parties ON consent_parties.guardian = guardians.id
                 LEFT JOIN consents ON consents.id = consent_parties.consent
             WHERE name_ended_at IS NULL GROUP BY guardians.id ORDER BY guardians.id";
        let mut statement = self.main.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut due = vec![];
        while let Some(row) = rows.next()? {
            let (guardian, resident) = (GuardianId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(1)?));
            let (phone_gone, checked_at): (bool, i64) = (row.get(2)?, row.get(3)?);
            let (consents, current): (i64, i64) = (row.get(4)?, row.get(5)?);
            let last: Option<i64> = row.get(6)?;
            if current > 0 {
                continue;
            }
            let since = last.unwrap_or(checked_at);
            let name = since < if consents == 0 { days_over } else { evidence_over };
            if name || (!phone_gone && since < days_over) {
                due.push(GuardianDue { resident, guardian, name });
            }
        }
        Ok(due)
    }

    /// Overwrites what is due of one check; `secure_delete` overwrites the old bytes.
    pub(super) fn erase_guardian(&self, due: &GuardianDue, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        erase_phone(&work, due.guardian, now)?;
        if due.name {
            let sql =
                "UPDATE guardians SET name = x'', name_ended_at = ?2, ended_at = coalesce(ended_at, ?2) WHERE id = ?1";
            work.execute(sql, params![due.guardian.bytes(), now.ms()])?;
            let sql = "UPDATE consent_parties SET signature = x'' WHERE guardian = ?1 AND signature IS NOT NULL";
            work.execute(sql, [due.guardian.bytes()])?;
        }
        let event = AuditEvent::GuardianErased(due.resident, due.guardian, if due.name { "name" } else { "phone" });
        self.append(&work, Actor::Station, &event, now)?;
        Ok(work.commit()?)
    }
}

fn erase_phone(work: &Connection, guardian: GuardianId, now: Timestamp) -> Result<(), VaultError> {
    let sql = "UPDATE guardians SET phone = x'', phone_ended_at = ?2 WHERE id = ?1 AND phone_ended_at IS NULL";
    work.execute(sql, params![guardian.bytes(), now.ms()])?;
    Ok(())
}

const DAY_MS: i64 = 86_400_000;
