//! Corrections with old and new values, the refusal of any processing of a face, and the death of a resident. Rules: P44, P46, P49.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::id::{OpId, ResidentId, StaffId};
use crate::domain::resident::{AgeBand, Resident, ResidentDraft};
use crate::domain::rights::{Field, RightsEvent};
use crate::domain::time::{CivilDate, Timestamp};

use super::Vault;
use super::error::VaultError;
use super::residents::{open_text, resident_is_known};

/// One field of a record that was changed.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// [`Field::label`].
    pub field: String,
    /// What it was.
    pub old: String,
    /// What it is.
    pub new: String,
    /// When.
    pub changed_at: String,
    /// Shown name of the account that wrote it.
    pub changed_by: String,
    /// When the person confirmed it with the own card.
    pub confirmed_at: Option<String>,
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change({}, [REDACTED])", self.field)
    }
}

/// The refusal of any processing of a face, from when to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restriction {
    /// Since.
    pub since: String,
    /// Shown name of the account that entered it; the person's own act without one.
    pub entered_by: Option<String>,
    /// Lifted by the person's own card.
    pub lifted_at: Option<String>,
}

/// What was noted of a death.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Death {
    /// Name of the near relative who came.
    pub kin: String,
    /// The relation, as looked at.
    pub relation: String,
    /// When.
    pub noted_at: String,
    /// Shown name of the account.
    pub noted_by: String,
}

impl std::fmt::Debug for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Death([REDACTED])")
    }
}

impl Vault {
    /// The changes of a person's record that the person has not confirmed yet, oldest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn changes_unconfirmed(&self, resident: ResidentId) -> Result<Vec<Change>, VaultError> {
        Ok(self.changes_of(&self.main, resident)?.into_iter().filter(|c| c.confirmed_at.is_none()).collect())
    }

    /// The person, with the own card on the reader, says that the changes are right. Returns how many that were.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn confirm_changes(&mut self, resident: ResidentId, now: Timestamp) -> Result<usize, VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE changes SET confirmed_at = ?2 WHERE resident = ?1 AND confirmed_at IS NULL";
        let confirmed = work.execute(sql, params![resident.bytes(), now.ms()])?;
        if confirmed > 0 {
            let event = AuditEvent::Rights(RightsEvent::ChangesConfirmed(resident));
            self.append(&work, Actor::Resident(resident), &event, now)?;
        }
        work.commit()?;
        Ok(confirmed)
    }

    /// Records that a person refuses any processing of a face, and ends a current consent with it, in one transaction. No consent is
    /// taken while it stands. Returns the erasures that were queued.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] resident, and those of the disk.
    pub fn restrict(&mut self, resident: ResidentId, by: Actor, now: Timestamp) -> Result<Vec<OpId>, VaultError> {
        let work = self.begin()?;
        if !resident_is_known(&work, resident)? {
            return Err(VaultError::Unknown);
        }
        let staff = match by {
            Actor::Staff(id) => Some(*id.bytes()),
            Actor::Resident(_) | Actor::Guardian(_) | Actor::Gate(_) | Actor::Station => None,
        };
        let sql = "INSERT OR IGNORE INTO restrictions (resident, since, entered_by) VALUES (?1, ?2, ?3)";
        if work.execute(sql, params![resident.bytes(), now.ms(), staff])? > 0 {
            self.append(&work, by, &AuditEvent::Rights(RightsEvent::Restricted(resident)), now)?;
        }
        let ops = self.end_current(&work, resident, EraseReason::Withdrawn.label(), by, now)?.unwrap_or_default();
        work.commit()?;
        Ok(ops)
    }

    /// The person lifts the refusal, with the own card on the reader. Nothing else does.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn unrestrict(&mut self, resident: ResidentId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE restrictions SET lifted_at = ?2 WHERE resident = ?1 AND lifted_at IS NULL";
        if work.execute(sql, params![resident.bytes(), now.ms()])? > 0 {
            let event = AuditEvent::Rights(RightsEvent::Unrestricted(resident));
            self.append(&work, Actor::Resident(resident), &event, now)?;
        }
        Ok(work.commit()?)
    }

    /// Whether the person refuses any processing of a face.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn is_restricted(&self, resident: ResidentId) -> Result<bool, VaultError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM restrictions WHERE resident = ?1 AND lifted_at IS NULL)";
        Ok(self.main.query_row(sql, [resident.bytes()], |row| row.get(0))?)
    }

    /// Records that a resident has died and ends a current consent with it, in one transaction. `kin` and `relation` say who came; the
    /// relation was looked at, nothing was copied. Returns the erasures that were queued.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] resident, [`VaultError::IdUsed`] when it was recorded before, and those of the disk.
    pub fn record_death(
        &mut self,
        resident: ResidentId,
        kin: &str,
        relation: &str,
        now: Timestamp,
    ) -> Result<Vec<OpId>, VaultError> {
        let work = self.begin()?;
        if !resident_is_known(&work, resident)? {
            return Err(VaultError::Unknown);
        }
        let key = self.person_key(resident)?;
        let seal = |column: &str, text: &str| key.seal(&death_place(resident, column), text.as_bytes());
        let sql =
            "INSERT OR IGNORE INTO deceased (resident, kin, relation, noted_at, noted_by) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values =
            params![resident.bytes(), seal("kin", kin)?, seal("relation", relation)?, now.ms(), self.staff.bytes()];
        if work.execute(sql, values)? == 0 {
            return Err(VaultError::IdUsed);
        }
        let by = Actor::Staff(self.staff);
        self.append(&work, by, &AuditEvent::Rights(RightsEvent::Died(resident)), now)?;
        let ops = self.end_current(&work, resident, EraseReason::Deceased.label(), by, now)?.unwrap_or_default();
        work.commit()?;
        Ok(ops)
    }

    /// Whether a resident has died.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn has_died(&self, resident: ResidentId) -> Result<bool, VaultError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM deceased WHERE resident = ?1)";
        Ok(self.main.query_row(sql, [resident.bytes()], |row| row.get(0))?)
    }

    /// Records that a person opened the own page on the resident window.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_own_page_opened(&mut self, resident: ResidentId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let event = AuditEvent::Rights(RightsEvent::OwnPageOpened(resident));
        self.append(&work, Actor::Resident(resident), &event, now)?;
        Ok(work.commit()?)
    }

    /// Records that a section of the notice was explained: by staff, or by the program's own panel while the person reads.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_explained(
        &mut self,
        resident: ResidentId,
        section: &'static str,
        by_staff: bool,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        let who = if by_staff { Actor::Staff(self.staff) } else { Actor::Station };
        self.append(&work, who, &AuditEvent::Rights(RightsEvent::Explained(resident, section)), now)?;
        Ok(work.commit()?)
    }

    /// The shown name of an account, for the person's own papers: who looked and who wrote.
    pub(super) fn name_of_staff(&self, staff: StaffId) -> Result<String, VaultError> {
        self.read_staff(staff).map(|(name, _)| name)
    }

    /// Notes each field that a draft changes; called in the transaction that changes it.
    pub(super) fn note_changes(
        &self,
        work: &Connection,
        old: &Resident,
        new: &ResidentDraft,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let day = |day: Option<CivilDate>| day.map(|d| d.to_string()).unwrap_or_default();
        let fields = [
            (Field::Name, old.name.as_str().to_owned(), new.name.as_str().to_owned()),
            (Field::Unit, old.unit.as_str().to_owned(), new.unit.as_str().to_owned()),
            (Field::AgeBand, band_word(old.age_band).to_owned(), band_word(new.age_band).to_owned()),
            (Field::NextBand, day(old.next_band_on), day(new.next_band_on)),
            (Field::EndsOn, old.ends_on.to_string(), new.ends_on.to_string()),
        ];
        for (field, old_text, new_text) in fields.iter().filter(|(_, old, new)| old != new) {
            self.note_change(work, old.id, *field, old_text, new_text, now)?;
        }
        Ok(())
    }

    /// Notes one change. The values are sealed with the person's key, those of the identity with its own; the log has the field's label only.
    pub(super) fn note_change(
        &self,
        work: &Connection,
        resident: ResidentId,
        field: Field,
        old: &str,
        new: &str,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let key = if is_of_identity(field.label()) { self.identity_key(resident)? } else { self.person_key(resident)? };
        let next = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) + 1";
        let n: i64 = work.query_row(next, [], |row| row.get(0))?;
        let sql = "INSERT INTO changes (n, resident, field, old, new, changed_at, changed_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let seal = |column: &str, text: &str| key.seal(&change_place(n, column), text.as_bytes());
        let by = self.staff.bytes();
        work.execute(
            sql,
            params![n, resident.bytes(), field.label(), seal("old", old)?, seal("new", new)?, now.ms(), by],
        )?;
        let event = AuditEvent::Rights(RightsEvent::Changed(resident, field));
        self.append(work, Actor::Staff(self.staff), &event, now)
    }

    pub(super) fn changes_of(&self, view: &Connection, resident: ResidentId) -> Result<Vec<Change>, VaultError> {
        let pair = self.people_keys.pair_of(resident)?.ok_or_else(|| VaultError::corrupt(super::error::KEYS_FILE))?;
        let of_identity = pair.of_identity()?;
        let mut statement = view.prepare_cached(
            "SELECT n, field, old, new, changed_at, changed_by, confirmed_at FROM changes WHERE resident = ?1 ORDER BY n",
        )?;
        let mut rows = statement.query([resident.bytes()])?;
        let mut all = vec![];
        while let Some(row) = rows.next()? {
            let (n, field): (i64, String) = (row.get(0)?, row.get(1)?);
            let key = if is_of_identity(&field) { of_identity.as_ref() } else { Some(&pair.own) };
            let open = |column: &str, sealed: Vec<u8>| match key {
                Some(key) if !sealed.is_empty() => Ok(open_text(key, &change_place(n, column), &sealed)?.to_string()),
                // It went with the identity.
                _ => Ok::<_, VaultError>(String::new()),
            };
            all.push(Change {
                old: open("old", row.get(2)?)?,
                new: open("new", row.get(3)?)?,
                field,
                changed_at: Timestamp::from_ms(row.get(4)?).second_text(),
                changed_by: self.name_of_staff(StaffId::from_bytes(row.get(5)?))?,
                confirmed_at: row.get::<_, Option<i64>>(6)?.map(|ms| Timestamp::from_ms(ms).second_text()),
            });
        }
        Ok(all)
    }

    pub(super) fn restrictions_of(
        &self,
        view: &Connection,
        resident: ResidentId,
    ) -> Result<Vec<Restriction>, VaultError> {
        let sql = "SELECT since, entered_by, lifted_at FROM restrictions WHERE resident = ?1 ORDER BY n";
        let mut statement = view.prepare_cached(sql)?;
        let mut rows = statement.query([resident.bytes()])?;
        let mut all = vec![];
        while let Some(row) = rows.next()? {
            let by = row.get::<_, Option<[u8; 16]>>(1)?.map(StaffId::from_bytes);
            all.push(Restriction {
                since: Timestamp::from_ms(row.get(0)?).second_text(),
                entered_by: by.map(|id| self.name_of_staff(id)).transpose()?,
                lifted_at: row.get::<_, Option<i64>>(2)?.map(|ms| Timestamp::from_ms(ms).second_text()),
            });
        }
        Ok(all)
    }

    /// That a resident has died, and who said so.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn death(&self, resident: ResidentId) -> Result<Option<Death>, VaultError> {
        self.death_of(&self.main, resident)
    }

    pub(super) fn death_of(&self, view: &Connection, resident: ResidentId) -> Result<Option<Death>, VaultError> {
        let sql = "SELECT kin, relation, noted_at, noted_by FROM deceased WHERE resident = ?1";
        type Found = (Vec<u8>, Vec<u8>, i64, [u8; 16]);
        let found: Option<Found> =
            view.query_row(sql, [resident.bytes()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))).optional()?;
        let Some((kin, relation, noted_at, noted_by)) = found else { return Ok(None) };
        let key = self.person_key(resident)?;
        Ok(Some(Death {
            kin: open_text(&key, &death_place(resident, "kin"), &kin)?.to_string(),
            relation: open_text(&key, &death_place(resident, "relation"), &relation)?.to_string(),
            noted_at: Timestamp::from_ms(noted_at).second_text(),
            noted_by: self.name_of_staff(StaffId::from_bytes(noted_by))?,
        }))
    }
}

/// The word for an age band in stored changes and copies.
pub(super) fn band_word(band: AgeBand) -> &'static str {
    match band {
        AgeBand::Under14 => "under-14",
        AgeBand::From14To17 => "14-to-17",
        AgeBand::Adult => "adult",
    }
}

/// Whether a change of this field names the person as the record itself does.
pub(super) fn is_of_identity(field: &str) -> bool {
    [Field::Name, Field::Unit, Field::Card].iter().any(|of| of.label() == field)
}

pub(super) fn change_place(n: i64, column: &str) -> Vec<u8> {
    format!("changes/{n}/{column}").into_bytes()
}

fn death_place(resident: ResidentId, column: &str) -> Vec<u8> {
    format!("deceased/{resident}/{column}").into_bytes()
}
