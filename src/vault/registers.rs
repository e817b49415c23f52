//! Impact assessments, major incidents, entrusted parties and posted signs: entered, read, never edited, never given up here. Rules: P21,
//! P26, P55, P56, F09a–c, F13a, NDR12.

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::assessment::{Assessment, MajorIncident};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::change::NoticeAudit;
use crate::domain::entrusted::Entrusted;
use crate::domain::id::{GateId, StaffId};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::{Kind, registry, statement};

use super::Vault;
use super::error::{MAIN_FILE, VaultError};

/// A registered assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentRow {
    /// What was entered.
    pub assessment: Assessment,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// SHA-256 of the signed record.
    pub sha256: [u8; 32],
}

/// An entry of the register of entrusted parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntrustedRow {
    /// Counts from 1.
    pub number: i64,
    /// What was entered.
    pub entry: Entrusted,
}

/// The newest mark that a sign was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignRow {
    /// Which gate; `None` is the desk.
    pub gate: Option<GateId>,
    /// SHA-256 of the words that were posted.
    pub words_sha256: [u8; 32],
    /// The day.
    pub posted_on: CivilDate,
    /// Shown name of who entered it.
    pub by: String,
}

impl Vault {
    /// Registers an impact assessment, signed by the station.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_assessment(&mut self, assessment: &Assessment, now: Timestamp) -> Result<(), VaultError> {
        let json = registry::assessment_json(assessment, self.site, self.realm, now);
        let record = statement::sign(&self.signer, Kind::Assessment, &json)?;
        let work = self.begin()?;
        let sql = "INSERT INTO assessments (record, registered_at, staff) VALUES (?1, ?2, ?3)";
        work.execute(sql, params![record, now.ms(), self.staff.bytes()])?;
        let event = AuditEvent::Notice(NoticeAudit::AssessmentRegistered);
        self.append_with(&work, Actor::Staff(self.staff), &event, None, Some(Sha256::digest(&record).into()), now)?;
        Ok(work.commit()?)
    }

    /// All registered assessments, the newest last.
    ///
    /// # Errors
    /// [`VaultError::RegistryRefused`] when one is not as the station signed it, and those of the disk.
    pub fn assessments(&self) -> Result<Vec<AssessmentRow>, VaultError> {
        let mut read = self.main.prepare_cached("SELECT record, registered_at FROM assessments ORDER BY number")?;
        let rows = read.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?)))?;
        let key = self.evidence_public();
        rows.map(|row| {
            let (record, at) = row?;
            let signed = statement::verify(&record, &key).map_err(|_| VaultError::RegistryRefused)?;
            if signed.kind != Kind::Assessment {
                return Err(VaultError::RegistryRefused);
            }
            let assessment = registry::read(&signed.payload, self.site, self.realm);
            Ok(AssessmentRow {
                assessment: assessment.map_err(|_| VaultError::RegistryRefused)?,
                registered_at: Timestamp::from_ms(at),
                sha256: Sha256::digest(&record).into(),
            })
        })
        .collect()
    }

    /// Enters the day of a major incident: from then on the assessment must be made anew (F09c).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_incident(&mut self, happened_on: CivilDate, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "INSERT INTO incidents (happened_on, entered_at, staff) VALUES (?1, ?2, ?3)";
        work.execute(sql, params![happened_on.epoch_days(), now.ms(), self.staff.bytes()])?;
        let event = AuditEvent::Notice(NoticeAudit::IncidentEntered);
        self.append(&work, Actor::Staff(self.staff), &event, now)?;
        Ok(work.commit()?)
    }

    /// The major incidents, in the order in which they were entered.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn major_incidents(&self) -> Result<Vec<MajorIncident>, VaultError> {
        let mut read = self.main.prepare_cached("SELECT happened_on, entered_at FROM incidents ORDER BY number")?;
        let rows = read.query_map([], |row| {
            let happened_on = CivilDate::from_epoch_days(row.get(0)?);
            Ok(MajorIncident { happened_on, entered_at: Timestamp::from_ms(row.get(1)?) })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Enters an entrusted party.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_entrusted(&mut self, entry: &Entrusted, now: Timestamp) -> Result<(), VaultError> {
        // Strings only: serialising them cannot fail.
        let fields = serde_json::to_string(&entry.fields).unwrap_or_default();
        let work = self.begin()?;
        let sql = "INSERT INTO entrusted (fields, begins_on, ends_on, entered_at) VALUES (?1, ?2, ?3, ?4)";
        work.execute(sql, params![fields, entry.begins_on.epoch_days(), entry.ends_on.epoch_days(), now.ms()])?;
        let event = AuditEvent::Notice(NoticeAudit::EntrustedEntered);
        self.append(&work, Actor::Staff(self.staff), &event, now)?;
        Ok(work.commit()?)
    }

    /// Ends an entrustment today, before its term. A term is never extended: that is a new entry under a new contract.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::EndWrong`] when it is over already, and those of the disk.
    pub fn end_entrusted(&mut self, number: i64, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "SELECT begins_on, ends_on FROM entrusted WHERE number = ?1";
        let (begins, ends): (i64, i64) = work.query_row(sql, [number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // The day before today is its last: from now on it is not in force.
        let last = now.date().plus_days(-1).epoch_days();
        if ends <= last {
            return Err(VaultError::EndWrong);
        }
        // One that has not begun ends before its beginning: it was never in force.
        work.execute("UPDATE entrusted SET ends_on = ?2 WHERE number = ?1", params![number, last.max(begins - 1)])?;
        let event = AuditEvent::Notice(NoticeAudit::EntrustedEnded);
        self.append(&work, Actor::Staff(self.staff), &event, now)?;
        Ok(work.commit()?)
    }

    /// The register of entrusted parties, also the ended ones, which stay at least three years (NDR 12).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn entrusted(&self) -> Result<Vec<EntrustedRow>, VaultError> {
        let sql = "SELECT number, fields, begins_on, ends_on FROM entrusted ORDER BY number";
        let mut read = self.main.prepare_cached(sql)?;
        let rows = read.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
        })?;
        rows.map(|row| {
            let (number, fields, begins, ends) = row?;
            let fields = serde_json::from_str(&fields).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            let (begins_on, ends_on) = (CivilDate::from_epoch_days(begins), CivilDate::from_epoch_days(ends));
            Ok(EntrustedRow { number, entry: Entrusted { fields, begins_on, ends_on } })
        })
        .collect()
    }

    /// Marks a sign as posted, by who is logged in. `gate` is `None` for the desk's sign.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] gate, and those of the disk.
    pub fn record_sign(
        &mut self,
        gate: Option<GateId>,
        words_sha256: [u8; 32],
        posted_on: CivilDate,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        if let Some(gate) = gate {
            super::station::gate_is_stopped(&work, gate)?.ok_or(VaultError::Unknown)?;
        }
        work.execute(
            "INSERT INTO signs (gate, words_sha256, posted_on, entered_at, staff) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                gate.as_ref().map(|id| id.bytes()),
                words_sha256,
                posted_on.epoch_days(),
                now.ms(),
                self.staff.bytes()
            ],
        )?;
        let event = AuditEvent::Notice(gate.map_or(NoticeAudit::DeskSignPosted, NoticeAudit::SignPosted));
        self.append_with(&work, Actor::Staff(self.staff), &event, None, Some(words_sha256), now)?;
        Ok(work.commit()?)
    }

    /// The newest mark of each sign.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn signs(&self) -> Result<Vec<SignRow>, VaultError> {
        let mut read = self.main.prepare_cached(
            "SELECT gate, words_sha256, posted_on, staff FROM signs AS mark
             WHERE number = (SELECT max(number) FROM signs WHERE gate IS mark.gate) ORDER BY number",
        )?;
        type Row = (Option<[u8; 16]>, [u8; 32], i64, [u8; 16]);
        let rows = read.query_map([], |row| Ok::<Row, _>((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        rows.map(|row| {
            let (gate, words_sha256, posted_on, staff) = row?;
            Ok(SignRow {
                gate: gate.map(GateId::from_bytes),
                words_sha256,
                posted_on: CivilDate::from_epoch_days(posted_on),
                by: self.read_staff(StaffId::from_bytes(staff))?.0,
            })
        })
        .collect()
    }

    /// Number of persons whose face a gate holds (F15a counts persons, not templates).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn persons_held(&self) -> Result<u64, VaultError> {
        let sql = "SELECT count(DISTINCT resident) FROM held JOIN consents ON consents.id = held.consent
             WHERE erased_at IS NULL";
        let count: Option<i64> = self.main.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }
}
