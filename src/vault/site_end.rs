//! The manager leaves (物业退出): every face of the site ends in one transaction, nothing of a face is handed over, cards go on. What follows (erasures,
//! receipts, certificates) goes the way of every ending, so that a restart in the middle loses nothing. Rules: P22, LHZ3, N8-20, L2-6.

use rusqlite::{OptionalExtension, params};

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::id::GateId;
use crate::domain::incident::DutyEvent;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::Timestamp;

use super::Vault;
use super::certificates::Ended;
use super::endings::residents_of;
use super::error::VaultError;

/// The end of a manager's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteEndRow {
    /// The company that leaves.
    pub processor: String,
    /// Its credit code.
    pub uscc: String,
    /// Who takes over the registers.
    pub receiver: String,
    /// When every face ended.
    pub ended_at: Timestamp,
    /// Shown names of who did it and who approved.
    pub by: (String, String),
    /// When the papers were last written.
    pub papers_at: Option<Timestamp>,
}

/// What is left of faces at one gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateLeft {
    /// Which gate.
    pub gate: GateId,
    /// Templates that it signed as erased since.
    pub erased: u32,
    /// Templates that it holds, as far as it has signed.
    pub left: u32,
}

impl Vault {
    /// Ends every face of the site because the manager leaves, stops faces at every gate, and notes who takes over the registers: one
    /// transaction, approved by a second supervisor. Returns how many consents ended.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], and those of the disk.
    pub fn end_site(
        &mut self,
        facts: &SiteFacts,
        receiver: &str,
        approval: Approval,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        let approved_by = approval.spend(Act::EndSite).ok_or(VaultError::ApprovalNeeded)?;
        let by = Actor::Staff(self.staff);
        let work = self.begin()?;
        work.execute(
            "INSERT INTO site_ends (processor, uscc, receiver, ended_at, staff, approved_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                facts.get(Fact::ProcessorName).trim(),
                facts.get(Fact::Uscc).trim(),
                receiver,
                now.ms(),
                self.staff.bytes(),
                approved_by.bytes()
            ],
        )?;
        self.append(&work, by, &AuditEvent::Duty(DutyEvent::ManagerLeft), now)?;
        self.stop_in(&work, None, by, now)?;
        let sql = "SELECT resident FROM consents WHERE ended_at IS NULL ORDER BY id";
        let people = residents_of(&work, sql, None)?;
        for resident in &people {
            self.end_current(&work, *resident, EraseReason::ManagerLeft.label(), by, now)?;
        }
        work.commit()?;
        Ok(people.len())
    }

    /// The newest end of a manager's work; none when no manager has left.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn site_end(&self) -> Result<Option<SiteEndRow>, VaultError> {
        type Row = (String, String, String, i64, [u8; 16], [u8; 16], Option<i64>);
        let sql = "SELECT processor, uscc, receiver, ended_at, staff, approved_by, papers_at FROM site_ends
             ORDER BY number DESC LIMIT 1";
        let row: Option<Row> = self
            .main
            .query_row(sql, [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
            })
            .optional()?;
        let Some((processor, uscc, receiver, ended_at, staff, approved_by, papers_at)) = row else {
            return Ok(None);
        };
        let name = |id: [u8; 16]| Ok::<_, VaultError>(self.read_staff(crate::domain::id::StaffId::from_bytes(id))?.0);
        Ok(Some(SiteEndRow {
            processor,
            uscc,
            receiver,
            ended_at: Timestamp::from_ms(ended_at),
            by: (name(staff)?, name(approved_by)?),
            papers_at: papers_at.map(Timestamp::from_ms),
        }))
    }

    /// Whether the manager who is named in these facts has left: faces stay off until another one is named.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn manager_has_left(&self, facts: &SiteFacts) -> Result<bool, VaultError> {
        let (name, code) = (facts.get(Fact::ProcessorName).trim(), facts.get(Fact::Uscc).trim());
        let same = |end: SiteEndRow| name.is_empty() || end.processor == name || end.uscc == code;
        Ok(self.site_end()?.is_some_and(same))
    }

    /// The consents that ended with it, and which gates have still to sign.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn ended_with_manager(&self, since: Timestamp) -> Result<Vec<Ended>, VaultError> {
        let mut all = self.endings("?1 IS NULL AND end_reason = 'manager-left'", None)?;
        all.retain(|ended| ended.ended_at >= since);
        all.reverse();
        Ok(all)
    }

    /// What each gate has erased since an instant, and what it still holds: of every person, also of those who ended earlier.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn faces_left(&self, since: Timestamp) -> Result<Vec<GateLeft>, VaultError> {
        let sql =
            "SELECT gates.id, count(CASE WHEN erased_at >= ?1 THEN 1 END), count(CASE WHEN held.consent IS NOT NULL
                 AND erased_at IS NULL THEN 1 END)
             FROM gates LEFT JOIN held ON held.gate = gates.id GROUP BY gates.id ORDER BY gates.id";
        let mut read = self.main.prepare(sql)?;
        let rows = read.query_map([since.ms()], |row| {
            Ok(GateLeft { gate: GateId::from_bytes(row.get(0)?), erased: row.get(1)?, left: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes that the papers of it were written into a folder.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when no manager has left, and those of the disk.
    pub fn record_manager_papers(&mut self, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE site_ends SET papers_at = ?1 WHERE number = (SELECT max(number) FROM site_ends)";
        if work.execute(sql, [now.ms()])? == 0 {
            return Err(VaultError::Unknown);
        }
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Duty(DutyEvent::ManagerPapers), now)?;
        Ok(work.commit()?)
    }
}
