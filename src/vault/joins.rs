//! A name beside the random number that gates know: what makes a gate's disk speak of a person. Each time is logged with a reason, counted on
//! the weekly sheet, and told until a supervisor has looked at that week. Rules: F14, P51-4.
//!
//! Deliberately absent: a way to go through numbers; one is asked for at a time, with a second person.

use rusqlite::{Connection, params};

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{ResidentId, TemplateId};
use crate::domain::resident::Resident;
use crate::domain::role::JoinWhy;
use crate::domain::time::{CivilDate, Timestamp};

use super::Vault;
use super::error::{MAIN_FILE, VaultError};

/// Where the days are kept on which a name and a number were put together and no supervisor has looked since.
const UNSEEN: &str = "joins-unseen";
/// Most such days that are kept: beyond it the oldest stay, and every one is in the log.
const UNSEEN_MAX: usize = 1_000;
/// Bytes of one day.
const DAY_BYTES: usize = 8;

/// A number and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Joined {
    /// The random number.
    pub template: TemplateId,
    /// The person.
    pub resident: Resident,
}

impl std::fmt::Debug for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Joined([REDACTED])")
    }
}

impl Vault {
    /// Says whose face a gate knows under a number that begins with these four bytes. Logged for each person found, with the reason; takes a
    /// second person, always.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`] when something else was approved, [`VaultError::Unknown`] when nobody's number begins so, and those of
    /// the disk.
    pub fn join_number(
        &mut self,
        first: u32,
        why: JoinWhy,
        approval: Approval,
        now: Timestamp,
    ) -> Result<Vec<Joined>, VaultError> {
        approval.spend(Act::JoinNumber(first)).ok_or(VaultError::ApprovalNeeded)?;
        let work = self.begin()?;
        let sql = "SELECT resident, link FROM consents JOIN residents ON residents.id = consents.resident
             WHERE substr(link, 1, 4) = ?1 AND identity_ended_at IS NULL ORDER BY signed_at, consents.id";
        let found: Vec<(ResidentId, TemplateId)> = work
            .prepare(sql)?
            .query_map([&first.to_be_bytes()[..]], |row| {
                Ok((ResidentId::from_bytes(row.get(0)?), TemplateId::from_bytes(row.get(1)?)))
            })?
            .collect::<Result<_, _>>()?;
        let mut joined = vec![];
        for (resident, template) in found {
            self.note_join(&work, resident, why, now)?;
            joined.push(Joined { template, resident: self.read_resident(&work, resident)? });
        }
        work.commit()?;
        if joined.is_empty() { Err(VaultError::Unknown) } else { Ok(joined) }
    }

    /// Logs that a paper with both goes out.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_join(&mut self, resident: ResidentId, why: JoinWhy, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.note_join(&work, resident, why, now)?;
        Ok(work.commit()?)
    }

    /// The same in the transaction that makes the paper.
    pub(super) fn note_join(
        &self,
        work: &Connection,
        resident: ResidentId,
        why: JoinWhy,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.append(work, Actor::Staff(self.staff), &AuditEvent::NumberJoined(resident, why.label()), now)?;
        let mut days = self.joins_unseen()?;
        if days.len() < UNSEEN_MAX {
            days.push(now.date());
        }
        self.write_unseen(work, &days)
    }

    /// The days on which a name and a number were put together and no supervisor has looked since, each as often as it happened.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn joins_unseen(&self) -> Result<Vec<CivilDate>, VaultError> {
        let bytes = self.read_station(UNSEEN)?.unwrap_or_default();
        let read = |day: &[u8]| -> Result<CivilDate, VaultError> {
            let day = <[u8; DAY_BYTES]>::try_from(day).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            Ok(CivilDate::from_epoch_days(i64::from_be_bytes(day)))
        };
        bytes.chunks(DAY_BYTES).map(read).collect()
    }

    /// A supervisor has looked at these days.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_joins_seen(&mut self, from: CivilDate, until: CivilDate) -> Result<(), VaultError> {
        let unseen = self.joins_unseen()?;
        let left: Vec<CivilDate> = unseen.iter().copied().filter(|day| *day < from || *day > until).collect();
        if left.len() == unseen.len() {
            return Ok(());
        }
        let work = self.begin()?;
        self.write_unseen(&work, &left)?;
        Ok(work.commit()?)
    }

    fn write_unseen(&self, work: &Connection, days: &[CivilDate]) -> Result<(), VaultError> {
        let bytes: Vec<u8> = days.iter().flat_map(|day| day.epoch_days().to_be_bytes()).collect();
        self.write_station(work, UNSEEN, &bytes)
    }
}

/// Whether gates know, or knew, this person under a number.
pub(super) fn has_number(view: &Connection, resident: ResidentId) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM consents WHERE resident = ?1)";
    Ok(view.query_row(sql, params![resident.bytes()], |row| row.get(0))?)
}
