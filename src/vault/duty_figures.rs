//! Counts for a compliance audit: numbers over a span of time, no names, no ids. Rules: P54, AU2, AU3.

use std::collections::BTreeMap;

use rusqlite::params;

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::incident::DutyEvent;
use crate::domain::resident::AgeBand;
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::VaultError;
use super::residents::band_number;

/// What a compliance audit counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DutyFigures {
    /// Records of the log by their word.
    pub logged: BTreeMap<String, u32>,
    /// Consents given in the span; of them for minors or wards by a guardian's act.
    pub consents: u32,
    /// Of them with a guardian.
    pub consents_guarded: u32,
    /// Consents in force now.
    pub in_force: u32,
    /// Refusals in the span.
    pub refusals: u32,
    /// Consents that ended in the span, by the reason's label.
    pub endings: BTreeMap<String, u32>,
    /// Milliseconds from the end of a consent to the last gate's signature and read-back, for each that is complete, ascending.
    pub erased_after_ms: Vec<i64>,
    /// Ended consents with a gate that has not signed.
    pub endings_open: u32,
    /// Templates that gates hold without a consent in force: must be none.
    pub orphans: u32,
    /// Requests received in the span, done, refused in writing, and answered or still open after their day.
    pub requests: [u32; 4],
    /// Records of people by age band: adults, fourteen to seventeen, under fourteen.
    pub people: [u32; 3],
    /// Certificates issued and handed over.
    pub certificates: [u32; 2],
}

impl DutyFigures {
    /// How often the log has this word in the span.
    pub fn count(&self, what: &str) -> u32 {
        self.logged.get(what).copied().unwrap_or(0)
    }

    /// The middle and the largest of the times to erase, in milliseconds; none when nothing was erased.
    pub fn erase_times(&self) -> Option<(i64, i64)> {
        let middle = self.erased_after_ms.get(self.erased_after_ms.len() / 2)?;
        Some((*middle, *self.erased_after_ms.last()?))
    }
}

impl Vault {
    /// Counts what an audit asks for, from `from` to before `until`.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn duty_figures(&self, from: Timestamp, until: Timestamp) -> Result<DutyFigures, VaultError> {
        let view = self.main.unchecked_transaction()?;
        let span = params![from.ms(), until.ms()];
        let one = |sql: &str| -> Result<u32, VaultError> { Ok(view.query_row(sql, span, |row| row.get(0))?) };
        let all = |sql: &str| -> Result<u32, VaultError> { Ok(view.query_row(sql, [], |row| row.get(0))?) };
        let by_word = |sql: &str| -> Result<BTreeMap<String, u32>, VaultError> {
            let mut read = view.prepare(sql)?;
            let rows = read.query_map(span, |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let band = |band: AgeBand| -> Result<u32, VaultError> {
            let sql = "SELECT count(*) FROM residents WHERE age_band = ?1 AND identity_ended_at IS NULL";
            Ok(view.query_row(sql, [band_number(band)], |row| row.get(0))?)
        };
        let mut erased_after_ms = vec![];
        {
            // Complete: every erasure of the consent was signed and read back.
            let mut read = view.prepare(
                "SELECT max(outbox.read_back_at) - consents.ended_at FROM consents JOIN outbox ON outbox.consent = consents.id
                 WHERE outbox.kind = 'erase' AND outbox.state <> 'superseded' AND consents.ended_at >= ?1
                     AND consents.ended_at < ?2
                 GROUP BY consents.id HAVING count(*) = count(outbox.read_back_at)",
            )?;
            let rows = read.query_map(span, |row| row.get::<_, i64>(0))?;
            for row in rows {
                erased_after_ms.push(row?.max(0));
            }
        }
        erased_after_ms.sort_unstable();
        Ok(DutyFigures {
            logged: by_word(
                "SELECT json_extract(CAST(record AS TEXT), '$.what'), count(*) FROM log
                 WHERE json_extract(CAST(record AS TEXT), '$.at') >= ?1
                     AND json_extract(CAST(record AS TEXT), '$.at') < ?2 GROUP BY 1",
            )?,
            consents: one("SELECT count(*) FROM consents WHERE signed_at >= ?1 AND signed_at < ?2")?,
            consents_guarded: one("SELECT count(*) FROM consents JOIN consent_parties ON consent = consents.id
                 WHERE consents.signed_at >= ?1 AND consents.signed_at < ?2")?,
            in_force: all("SELECT count(*) FROM consents WHERE ended_at IS NULL")?,
            refusals: one("SELECT count(*) FROM refusals WHERE refused_at >= ?1 AND refused_at < ?2")?,
            endings: by_word(
                "SELECT end_reason, count(*) FROM consents WHERE ended_at >= ?1 AND ended_at < ?2 GROUP BY 1",
            )?,
            erased_after_ms,
            endings_open: all(
                "SELECT count(DISTINCT consent) FROM outbox WHERE kind = 'erase' AND consent IS NOT NULL
                     AND state IN ('pending', 'wedged')",
            )?,
            orphans: all("SELECT count(*) FROM held JOIN consents ON consents.id = held.consent
                 WHERE held.erased_at IS NULL AND consents.ended_at IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.consent = consents.id AND outbox.gate = held.gate
                         AND kind = 'erase' AND state IN ('pending', 'wedged'))")?,
            requests: [
                one("SELECT count(*) FROM requests WHERE received_at >= ?1 AND received_at < ?2")?,
                one(
                    "SELECT count(*) FROM requests WHERE received_at >= ?1 AND received_at < ?2 AND done_at IS NOT NULL",
                )?,
                one(
                    "SELECT count(*) FROM requests WHERE received_at >= ?1 AND received_at < ?2 AND outcome = 'refused'",
                )?,
                one(
                    // The last instant of a day in China is sixteen hours into it in UTC.
                    "SELECT count(*) FROM requests WHERE received_at >= ?1 AND received_at < ?2
                         AND coalesce(decided_at, ?2) >= (due_on + 1) * 86400000 - 28800000",
                )?,
            ],
            people: [band(AgeBand::Adult)?, band(AgeBand::From14To17)?, band(AgeBand::Under14)?],
            certificates: [
                one("SELECT count(*) FROM certificates WHERE issued_at >= ?1 AND issued_at < ?2")?,
                one("SELECT count(*) FROM certificates WHERE handed_at >= ?1 AND handed_at < ?2")?,
            ],
        })
    }

    /// The day on which a head of the log was last taken outside on paper; none when never.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn head_taken_on(&self) -> Result<Option<crate::domain::time::CivilDate>, VaultError> {
        use rusqlite::OptionalExtension;
        let sql = "SELECT json_extract(CAST(record AS TEXT), '$.at') FROM log
             WHERE json_extract(CAST(record AS TEXT), '$.what') = 'head-taken' ORDER BY n DESC LIMIT 1";
        let at: Option<i64> = self.main.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(at.map(|at| Timestamp::from_ms(at).date()))
    }

    /// The day on which the vault was made: before it there was no head to take.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn begun_on(&self) -> Result<Option<crate::domain::time::CivilDate>, VaultError> {
        let first = self.log_records(0, 1)?.into_iter().next();
        Ok(first.map(|record| Timestamp::from_ms(record.at).date()))
    }

    /// Logs that a paper for an audit was written.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_audit_paper(&mut self, which: &'static str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Duty(DutyEvent::AuditPapers(which)), now)?;
        Ok(work.commit()?)
    }

    /// Version of SQLCipher, as it states it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn cipher_version(&self) -> Result<String, VaultError> {
        Ok(self.main.query_row("PRAGMA cipher_version", [], |row| row.get(0))?)
    }
}
