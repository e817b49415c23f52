//! Incidents: what was entered, whom it concerns, who was told, what was reported. Faces stop in the transaction that enters it. Rules: P57, M5,
//! NDR11, F09c, P56.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::change::NoticeAudit;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::incident::{Channel, DataKind, DutyEvent, Incident};
use crate::domain::resident::AgeBand;
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::residents::band_number;

/// An incident as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRow {
    /// Counts from 1.
    pub number: i64,
    /// What was entered.
    pub incident: Incident,
    /// When.
    pub entered_at: Timestamp,
    /// How many people it concerns, of them minors, and minors and wards without a guardian on record.
    pub people: u32,
    /// Of them under eighteen.
    pub minors: u32,
    /// Minors and wards for whom no guardian is on record.
    pub without_guardian: u32,
    /// How many were told.
    pub told: u32,
    /// Reports to an authority: when, to whom.
    pub reports: Vec<(Timestamp, String)>,
}

impl IncidentRow {
    /// Whether everybody was told and the authority too.
    pub fn is_done(&self) -> bool {
        self.told == self.people && !self.reports.is_empty()
    }
}

/// One person whom an incident concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentPerson {
    /// Who.
    pub resident: ResidentId,
    /// A gate held a template of theirs then.
    pub enrolled: bool,
    /// When they were told.
    pub told_at: Option<Timestamp>,
}

/// The sealed words.
#[derive(Serialize, Deserialize)]
struct Kept {
    happened_at: i64,
    answers: [String; 5],
    kinds: Vec<String>,
    gates: Vec<[u8; 16]>,
    larger: bool,
}

impl Vault {
    /// Enters an incident: stops all faces of the site, fixes whom it concerns, and, when it is a larger one, asks for a new impact assessment.
    /// One transaction. Returns its number.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_incident_case(&mut self, incident: &Incident, now: Timestamp) -> Result<i64, VaultError> {
        let by = Actor::Staff(self.staff);
        let kept = Kept {
            happened_at: incident.happened_at.ms(),
            answers: incident.answers.clone(),
            kinds: incident.kinds.iter().map(|kind| kind.label().to_owned()).collect(),
            gates: incident.gates.iter().map(|gate| *gate.bytes()).collect(),
            larger: incident.larger,
        };
        // Strings, numbers and lists only: serialising them cannot fail.
        let plain = serde_json::to_vec(&kept).unwrap_or_default();
        let work = self.begin()?;
        let sealed = self.ring.station.seal(&place(now), &plain)?;
        let sql = "INSERT INTO incident_cases (sealed, entered_at, staff) VALUES (?1, ?2, ?3)";
        work.execute(sql, params![sealed, now.ms(), self.staff.bytes()])?;
        let number = work.last_insert_rowid();
        self.append(&work, by, &AuditEvent::Duty(DutyEvent::IncidentOpened), now)?;
        // Wherever it was: the same template lies in other gates too, and the notice says so without a place (section 13).
        self.stop_in(&work, None, by, now)?;
        if incident.larger {
            let sql = "INSERT INTO incidents (happened_on, entered_at, staff) VALUES (?1, ?2, ?3)";
            work.execute(sql, params![incident.happened_at.date().epoch_days(), now.ms(), self.staff.bytes()])?;
            self.append(&work, by, &AuditEvent::Notice(NoticeAudit::IncidentEntered), now)?;
        }
        for (resident, enrolled) in concerned(&work, incident)? {
            let sql = "INSERT INTO incident_people (incident, resident, enrolled) VALUES (?1, ?2, ?3)";
            work.execute(sql, params![number, resident.bytes(), enrolled])?;
            self.append(&work, by, &AuditEvent::Duty(DutyEvent::IncidentConcerns(resident)), now)?;
        }
        work.commit()?;
        Ok(number)
    }

    /// Every incident, the newest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn incident_cases(&self) -> Result<Vec<IncidentRow>, VaultError> {
        let mut read =
            self.main.prepare("SELECT number, sealed, entered_at FROM incident_cases ORDER BY number DESC")?;
        let rows = read.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, Timestamp::from_ms(row.get(2)?)))
        })?;
        rows.map(|row| {
            let (number, sealed, entered_at) = row?;
            let damaged = || VaultError::corrupt(MAIN_FILE);
            let plain = self.ring.station.open(&place(entered_at), &sealed).ok_or_else(damaged)?;
            let kept: Kept = serde_json::from_slice(&plain).map_err(|_| damaged())?;
            let incident = Incident {
                happened_at: Timestamp::from_ms(kept.happened_at),
                answers: kept.answers,
                kinds: kept.kinds.iter().filter_map(|label| DataKind::parse(label)).collect(),
                gates: kept.gates.into_iter().map(GateId::from_bytes).collect(),
                larger: kept.larger,
            };
            let count = |sql: &str| -> Result<u32, VaultError> {
                Ok(self.main.query_row(sql, params![number, band_number(AgeBand::Adult)], |row| row.get(0))?)
            };
            Ok(IncidentRow {
                number,
                incident,
                entered_at,
                people: count("SELECT count(*) FROM incident_people WHERE incident = ?1 AND ?2 = ?2")?,
                minors: count(
                    "SELECT count(*) FROM incident_people JOIN residents ON residents.id = resident
                     WHERE incident = ?1 AND age_band <> ?2",
                )?,
                without_guardian: count(
                    "SELECT count(*) FROM incident_people JOIN residents ON residents.id = incident_people.resident
                     WHERE incident = ?1 AND (age_band <> ?2
                             OR EXISTS (SELECT 1 FROM wards WHERE wards.resident = residents.id))
                         AND NOT EXISTS (SELECT 1 FROM guardians
                             WHERE guardians.resident = residents.id AND guardians.ended_at IS NULL)",
                )?,
                told: count(
                    "SELECT count(*) FROM incident_people WHERE incident = ?1 AND told_at IS NOT NULL AND ?2 = ?2",
                )?,
                reports: self.reports_of(number)?,
            })
        })
        .collect()
    }

    fn reports_of(&self, number: i64) -> Result<Vec<(Timestamp, String)>, VaultError> {
        let sql = "SELECT reported_at, reported_to FROM incident_reports WHERE incident = ?1 ORDER BY number";
        let mut read = self.main.prepare_cached(sql)?;
        let rows = read.query_map([number], |row| Ok((Timestamp::from_ms(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whom an incident concerns, in an order that says nothing of them.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn incident_people(&self, number: i64) -> Result<Vec<IncidentPerson>, VaultError> {
        let sql = "SELECT resident, enrolled, told_at FROM incident_people WHERE incident = ?1 ORDER BY resident";
        let mut read = self.main.prepare_cached(sql)?;
        let rows = read.query_map([number], |row| {
            Ok(IncidentPerson {
                resident: ResidentId::from_bytes(row.get(0)?),
                enrolled: row.get(1)?,
                told_at: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_ms),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Logs that the letters were written into a folder.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_letters_written(&mut self, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Duty(DutyEvent::LettersWritten), now)?;
        Ok(work.commit()?)
    }

    /// Everybody who was not told yet was told now, in this way. Returns how many.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_incident_told(&mut self, number: i64, how: Channel, now: Timestamp) -> Result<u32, VaultError> {
        let waiting: Vec<IncidentPerson> =
            self.incident_people(number)?.into_iter().filter(|person| person.told_at.is_none()).collect();
        let work = self.begin()?;
        for person in &waiting {
            let sql = "UPDATE incident_people SET told_at = ?3, told_how = ?4
                 WHERE incident = ?1 AND resident = ?2 AND told_at IS NULL";
            work.execute(sql, params![number, person.resident.bytes(), now.ms(), how.label()])?;
            let event = AuditEvent::Duty(DutyEvent::IncidentTold(person.resident, how.label()));
            self.append(&work, Actor::Staff(self.staff), &event, now)?;
        }
        work.commit()?;
        Ok(u32::try_from(waiting.len()).unwrap_or(u32::MAX))
    }

    /// The authority was told of an incident.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_incident_report(&mut self, number: i64, to: &str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        work.execute(
            "INSERT INTO incident_reports (incident, reported_to, reported_at, staff)
             SELECT number, ?2, ?3, ?4 FROM incident_cases WHERE number = ?1",
            params![number, to, now.ms(), self.staff.bytes()],
        )?;
        if work.changes() == 0 {
            return Err(VaultError::Unknown);
        }
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Duty(DutyEvent::IncidentReported), now)?;
        Ok(work.commit()?)
    }

    /// The language of the last notice that was shown to a person; none when none was.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn language_read(&self, resident: ResidentId) -> Result<Option<String>, VaultError> {
        Ok(self.showings(resident, 1)?.into_iter().next().map(|shown| shown.language))
    }
}

/// Whom an incident concerns: everybody in the register when the desk is, else who had a face or a card at its gates then.
fn concerned(view: &Connection, incident: &Incident) -> Result<Vec<(ResidentId, bool)>, VaultError> {
    let enrolled = "EXISTS (SELECT 1 FROM held JOIN consents ON consents.id = held.consent
         WHERE consents.resident = residents.id AND (erased_at IS NULL OR erased_at >= ?1)";
    let read = |sql: &str, gate: Option<&GateId>| -> Result<Vec<(ResidentId, bool)>, VaultError> {
        let mut statement = view.prepare(sql)?;
        let of = |row: &rusqlite::Row<'_>| Ok((ResidentId::from_bytes(row.get(0)?), row.get(1)?));
        let at = incident.happened_at.ms();
        let rows = match gate {
            Some(gate) => statement.query_map(params![at, gate.bytes()], of)?.collect::<Result<_, _>>(),
            None => statement.query_map([at], of)?.collect::<Result<_, _>>(),
        };
        Ok(rows?)
    };
    let mut found: std::collections::BTreeMap<ResidentId, bool> = std::collections::BTreeMap::new();
    let mut add = |rows: Vec<(ResidentId, bool)>| {
        for (resident, face) in rows {
            *found.entry(resident).or_default() |= face;
        }
    };
    if incident.concerns_desk() {
        let sql = format!("SELECT id, {enrolled}) FROM residents WHERE identity_ended_at IS NULL");
        add(read(&sql, None)?);
    }
    for gate in &incident.gates {
        if incident.kinds.contains(&DataKind::Face) {
            let sql = format!("SELECT id, 1 FROM residents WHERE {enrolled} AND held.gate = ?2)");
            add(read(&sql, Some(gate))?);
        }
        if incident.kinds.contains(&DataKind::Openings) {
            // Who has, or had then, a card or a face there may stand in its opening records.
            let sql = format!(
                "SELECT id, {enrolled} AND held.gate = ?2) FROM residents WHERE {enrolled} AND held.gate = ?2)
                 OR EXISTS (SELECT 1 FROM cards JOIN card_gates ON card_gates.card = cards.id
                     WHERE cards.resident = residents.id AND card_gates.gate = ?2
                         AND (cards.ended_at IS NULL OR cards.ended_at >= ?1))"
            );
            add(read(&sql, Some(gate))?);
        }
    }
    Ok(found.into_iter().collect())
}

fn place(entered_at: Timestamp) -> Vec<u8> {
    format!("incident_cases/{}/sealed", entered_at.ms()).into_bytes()
}
