//! What a gate holds, compared with what it should: nothing more than consents in force, nothing less than its receipts say. Given
//! what a comparison found. Rules: P47, K2-9; and a backup that is put back brings no face back.

use rusqlite::{OptionalExtension, params};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::id::{ConsentId, GateId, ResidentId, TemplateId};
use crate::domain::time::Timestamp;

use super::Vault;
use super::doors::in_force;
use super::error::VaultError;
use super::outbox::{self, Queued};

/// What a comparison has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Numbers that the gate holds and must not: an erasure is queued for each.
    pub left_over: Vec<TemplateId>,
    /// Numbers that the gate signed for and does not hold.
    pub missing: Vec<TemplateId>,
    /// Persons whose consent ended because no gate holds anything under it any more.
    pub ended: Vec<ResidentId>,
}

impl Drift {
    /// Whether gate and vault agree.
    pub fn is_none(&self) -> bool {
        self.left_over.is_empty() && self.missing.is_empty()
    }
}

impl Vault {
    /// Compares what a gate holds with what it should. What it must not hold is queued for erasure; what is gone is noted, and a consent
    /// under which no gate holds anything any more ends.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn reconcile(
        &mut self,
        gate: GateId,
        should: &[TemplateId],
        holds: &[TemplateId],
        now: Timestamp,
    ) -> Result<Drift, VaultError> {
        let mut drift = Drift::default();
        let work = self.begin()?;
        for link in holds {
            let sql = "SELECT id, ended_at IS NOT NULL,
                     EXISTS (SELECT 1 FROM held WHERE held.consent = consents.id AND gate = ?2 AND erased_at IS NULL),
                     EXISTS (SELECT 1 FROM captures WHERE captures.consent = consents.id AND over_at IS NULL
                         AND lost_at IS NULL)
                     OR EXISTS (SELECT 1 FROM fills WHERE fills.consent = consents.id AND fills.gate = ?2
                         AND fills.state = 'sent')
                 FROM consents WHERE link = ?1";
            let known: Option<(ConsentId, bool, bool, bool)> = work
                .query_row(sql, params![link.bytes(), gate.bytes()], |r| {
                    Ok((r.get(0).map(ConsentId::from_bytes)?, r.get(1)?, r.get(2)?, r.get(3)?))
                })
                .optional()?;
            let waits: bool = work.query_row(
                "SELECT EXISTS (SELECT 1 FROM outbox LEFT JOIN consents ON consents.id = outbox.consent
                 WHERE gate = ?1 AND kind = 'erase' AND state IN ('pending', 'wedged')
                     AND ?2 IN (outbox.link, consents.link))",
                params![gate.bytes(), link.bytes()],
                |row| row.get(0),
            )?;
            let queued = match known {
                _ if waits => continue,
                None => Queued::EraseNumber(*link),
                // Being handed over just now, or handed over and not recorded: the gate is asked for its receipt (`app::filling`).
                Some((_, false, _, true)) => continue,
                Some((consent, false, true, false)) if in_force(&work, consent)?.contains(&gate) => continue,
                Some((consent, ..)) => Queued::Erase(consent),
            };
            outbox::queue(&work, gate, queued, now)?;
            self.append(&work, Actor::Station, &AuditEvent::FaceDrift(*link, gate, "left-over"), now)?;
            drift.left_over.push(*link);
        }
        for link in should.iter().filter(|link| !holds.contains(link)) {
            let sql = "UPDATE held SET erased_at = ?3 WHERE gate = ?2 AND erased_at IS NULL
                 AND consent = (SELECT id FROM consents WHERE link = ?1 AND ended_at IS NULL)";
            if work.execute(sql, params![link.bytes(), gate.bytes(), now.ms()])? == 0 {
                continue;
            }
            self.append(&work, Actor::Station, &AuditEvent::FaceDrift(*link, gate, "missing"), now)?;
            drift.missing.push(*link);
            // In a restored vault one gate without it is enough: the person may have withdrawn after the backup was made, while the others
            // were away.
            let sql = if self.restored_at()?.is_some() {
                "SELECT resident FROM consents WHERE link = ?1 AND ended_at IS NULL"
            } else {
                "SELECT resident FROM consents WHERE link = ?1 AND NOT EXISTS (
                     SELECT 1 FROM held WHERE held.consent = consents.id AND erased_at IS NULL)"
            };
            let bare: Option<ResidentId> =
                work.query_row(sql, [link.bytes()], |row| row.get(0).map(ResidentId::from_bytes)).optional()?;
            if let Some(resident) = bare {
                self.end_current(&work, resident, EraseReason::FoundErased.label(), Actor::Station, now)?;
                drift.ended.push(resident);
            }
        }
        work.commit()?;
        Ok(drift)
    }
}
