//! Residents: sealed with the person's own key, found by keyed hashes, never listed. Rules: F14, L2.

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::card::CardUid;
use crate::domain::id::ResidentId;
use crate::domain::resident::{AgeBand, PersonName, Resident, ResidentDraft, Unit};
use crate::domain::role::LookWhy;
use crate::domain::time::{CivilDate, Timestamp};

use super::Vault;
use super::epoch;
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use super::keys::VaultKey;
use super::lookup::{self, Reading};

/// Why a record is opened; written to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenWhy {
    /// Staff opened it, for this reason.
    Staff(LookWhy),
    /// A card was tapped at the staff window, which shows its holder's record.
    CardTap,
    /// A duty of the program, e.g. an end date.
    Duty,
}

impl OpenWhy {
    /// The word in the log.
    pub fn label(self) -> &'static str {
        match self {
            Self::Staff(why) => why.label(),
            Self::CardTap => "card-tap",
            Self::Duty => "duty",
        }
    }
}

/// One hit of a search, masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRow {
    /// Which.
    pub id: ResidentId,
    /// `王**`.
    pub masked_name: String,
    /// Unit, as typed when it was recorded.
    pub unit: Unit,
    /// Has a card in force.
    pub has_card: bool,
}

/// Hits of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// At most [`Found::ROWS_MAX`].
    pub rows: Vec<FoundRow>,
    /// More matched than are shown.
    pub more: bool,
}

impl Found {
    /// Most rows of one search.
    pub const ROWS_MAX: usize = 10;
}

impl Vault {
    /// Records a new resident under `new_id`, or changes the one named in the draft. Returns whose record it is.
    ///
    /// # Errors
    /// [`VaultError::IdUsed`] for a new resident under a used id, [`VaultError::Unknown`] for a change of nobody, and
    /// those of the disk.
    pub fn record_resident(
        &mut self,
        draft: &ResidentDraft,
        new_id: ResidentId,
        now: Timestamp,
    ) -> Result<ResidentId, VaultError> {
        let id = draft.id.unwrap_or(new_id);
        let work = self.begin()?;
        match (draft.id, resident_is_known(&work, id)?) {
            (None, true) => return Err(VaultError::IdUsed),
            (Some(_), false) => return Err(VaultError::Unknown),
            _ => {}
        }
        // The key is durable before anything is sealed with it. A key that is left over after a crash here opens
        // nothing.
        if draft.id.is_none() {
            self.make_person_key(id, now)?;
        }
        if draft.id.is_some() {
            let old = self.read_resident(&work, id)?;
            self.note_changes(&work, &old, draft, now)?;
        }
        let key = self.identity_key(id)?;
        let name = key.seal(&place(id, "name"), draft.name.as_str().as_bytes())?;
        let unit = key.seal(&place(id, "unit"), draft.unit.as_str().as_bytes())?;
        let unit_hash = self.unit_hash(draft.unit.as_str())?;
        work.execute(
            "INSERT INTO residents (id, name, unit, unit_hash, age_band, next_band_on, ends_on, recorded_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET name = ?2, unit = ?3, unit_hash = ?4, age_band = ?5,
                 next_band_on = ?6, ends_on = ?7, recorded_at = ?8, closed_at = NULL, close_reason = NULL",
            params![
                id.bytes(),
                name,
                unit,
                unit_hash,
                band_number(draft.age_band),
                draft.next_band_on.map(CivilDate::epoch_days),
                draft.ends_on.epoch_days(),
                now.ms(),
            ],
        )?;
        self.index_surname(&work, id, draft.name.as_str())?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::ResidentRecorded(id), now)?;
        self.end_unfitting(&work, id, now)?;
        work.commit()?;
        if draft.id.is_none() {
            // Who has just typed a new record has it open.
            self.looked_at = Some(id);
        }
        Ok(id)
    }

    /// Writes the keyed hashes by which a name is found.
    pub(super) fn index_surname(&self, work: &Connection, id: ResidentId, name: &str) -> Result<(), VaultError> {
        work.prepare_cached("DELETE FROM resident_surnames WHERE resident = ?1")?.execute([id.bytes()])?;
        for form in lookup::surname_forms(name) {
            let hash = self.ring.index_hash("surname", form.as_bytes())?;
            let sql = "INSERT OR IGNORE INTO resident_surnames (resident, surname_hash) VALUES (?1, ?2)";
            work.prepare_cached(sql)?.execute(params![id.bytes(), hash])?;
        }
        Ok(())
    }

    /// Writes the keyed hashes of everybody's name anew, once, when an earlier version of the program wrote others.
    pub(super) fn index_anew(&self) -> Result<(), VaultError> {
        if self.read_station(FORMS_AT)?.as_deref() == Some(&[lookup::FORMS]) {
            return Ok(());
        }
        let work = self.begin()?;
        for (id, name, _) in super::backup::names(&work)? {
            let key = self.identity_key(id)?;
            self.index_surname(&work, id, &open_text(&key, &place(id, "name"), &name)?)?;
        }
        self.write_station(&work, FORMS_AT, &[lookup::FORMS])?;
        Ok(work.commit()?)
    }

    /// The keyed hash by which a unit is found.
    pub(super) fn unit_hash(&self, unit: &str) -> Result<[u8; 32], VaultError> {
        self.ring.index_hash("unit", lookup::unit_form(unit).as_bytes())
    }

    /// Opens one record. Logged, with the reason.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`] for a minor's record ([`Self::open_minor`]), [`VaultError::Unknown`],
    /// [`VaultError::Corrupt`], and those of the disk.
    pub fn open_resident(&mut self, id: ResidentId, why: OpenWhy, now: Timestamp) -> Result<Resident, VaultError> {
        if self.needs_second_person(id, now)? {
            return Err(VaultError::ApprovalNeeded);
        }
        self.open_logged(id, why, now)
    }

    /// Opens a minor's record, which a second person approved. Logged, with the reason; the approval was logged under the other's name.
    /// Rule M6.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`] when something else was approved, and as [`Self::open_resident`].
    pub fn open_minor(
        &mut self,
        id: ResidentId,
        why: OpenWhy,
        approval: Approval,
        now: Timestamp,
    ) -> Result<Resident, VaultError> {
        approval.spend(Act::MinorRecord(id)).ok_or(VaultError::ApprovalNeeded)?;
        self.open_logged(id, why, now)
    }

    /// Whether a record is a minor's, so that staff open it with a second person only.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn needs_second_person(&self, id: ResidentId, now: Timestamp) -> Result<bool, VaultError> {
        Ok(resident_band(&self.main, id, now.date())?.0 != AgeBand::Adult)
    }

    fn open_logged(&mut self, id: ResidentId, why: OpenWhy, now: Timestamp) -> Result<Resident, VaultError> {
        let who = match why {
            OpenWhy::Staff(_) | OpenWhy::CardTap => Actor::Staff(self.staff),
            OpenWhy::Duty => Actor::Station,
        };
        let work = self.begin()?;
        let resident = self.read_resident(&work, id)?;
        // Logged before it is handed out: a record that could not be logged is not opened.
        self.append_with(&work, who, &AuditEvent::ResidentOpened(id), Some(why.label()), None, now)?;
        work.commit()?;
        if who == Actor::Staff(self.staff) {
            self.looked_at = Some(id);
        }
        Ok(resident)
    }

    /// One look that leaves no record open, for a paper that names its person. Logged as every look; a minor's takes the approval of a second
    /// person.
    ///
    /// # Errors
    /// As [`Self::open_resident`] and [`Self::open_minor`].
    pub fn glance(
        &mut self,
        id: ResidentId,
        why: OpenWhy,
        approval: Option<Approval>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let open = self.looked_at;
        match approval {
            Some(approval) => self.open_minor(id, why, approval, now)?,
            None => self.open_resident(id, why, now)?,
        };
        self.looked_at = open;
        Ok(())
    }

    /// Logs that staff did something about a person whose record stays shut, as a look with its reason.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_look(&mut self, id: ResidentId, why: LookWhy, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.read_resident(&work, id)?;
        let label = OpenWhy::Staff(why).label();
        self.append_with(&work, Actor::Staff(self.staff), &AuditEvent::ResidentOpened(id), Some(label), None, now)?;
        Ok(work.commit()?)
    }

    /// Staff look at nobody's record any more.
    pub fn close_look(&mut self) {
        self.looked_at = None;
    }

    /// Whether staff have this record open: what the reads that give out everything held ask before anything else.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`] when it is a minor's, [`VaultError::RecordShut`] when it is anybody else's.
    pub(super) fn check_looked_at(&self, id: ResidentId, now: Timestamp) -> Result<(), VaultError> {
        match self.looked_at {
            Some(open) if open == id => Ok(()),
            _ if self.needs_second_person(id, now)? => Err(VaultError::ApprovalNeeded),
            _ => Err(VaultError::RecordShut),
        }
    }

    /// A record that was opened before, or the record of the person who stands at the desk with their own card. Not a new look by staff, so not
    /// logged; [`Vault::open_resident`] is the logged one.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::Corrupt`], and those of the disk.
    pub(crate) fn resident(&self, id: ResidentId) -> Result<Resident, VaultError> {
        self.read_resident(&self.main, id)
    }

    /// Searches by a unit, by surname and unit in either order, or by a card's number as a reader types it.
    ///
    /// # Errors
    /// [`VaultError::NeedsUnit`] when neither a unit nor a card can be read from the text, and those of the disk.
    pub fn find(&self, query: &str) -> Result<Found, VaultError> {
        let mut ids: Vec<ResidentId> = vec![];
        for reading in lookup::readings(query) {
            for id in self.matching(&reading)? {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        if let Some(id) = CardUid::from_wedge(query).map(|uid| self.resident_by_card(&uid)).transpose()?.flatten()
            && !ids.contains(&id)
        {
            ids.push(id);
        }
        if ids.is_empty() && !lookup::has_digit(query) {
            return Err(VaultError::NeedsUnit);
        }
        let more = ids.len() > Found::ROWS_MAX;
        let rows = ids.into_iter().take(Found::ROWS_MAX).map(|id| self.found_row(id)).collect::<Result<_, _>>()?;
        Ok(Found { rows, more })
    }

    /// Whose card this is, if it is in nobody's record `None`. A card past its last day is found too.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn resident_by_card(&self, uid: &CardUid) -> Result<Option<ResidentId>, VaultError> {
        let hash = self.ring.index_hash("card", uid.bytes())?;
        let sql = "SELECT resident FROM cards WHERE number_hash = ?1 AND ended_at IS NULL";
        Ok(self.main.query_row(sql, [hash], |row| row.get(0).map(ResidentId::from_bytes)).optional()?)
    }

    fn matching(&self, reading: &Reading) -> Result<Vec<ResidentId>, VaultError> {
        let unit = self.ring.index_hash("unit", reading.unit.as_bytes())?;
        let surname = match &reading.surname {
            Some(surname) => Some(self.ring.index_hash("surname", surname.as_bytes())?),
            None => None,
        };
        let mut statement = self.main.prepare_cached(
            "SELECT id FROM residents WHERE unit_hash = ?1
                 AND (?2 IS NULL OR EXISTS (SELECT 1 FROM resident_surnames WHERE resident = id AND surname_hash = ?2))
             ORDER BY recorded_at, id LIMIT ?3",
        )?;
        let limit = i64::try_from(Found::ROWS_MAX).unwrap_or(i64::MAX) + 1;
        let rows = statement.query_map(params![unit, surname, limit], |row| row.get(0).map(ResidentId::from_bytes))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A person as a search shows them.
    pub(super) fn found_row(&self, id: ResidentId) -> Result<FoundRow, VaultError> {
        let resident = self.read_resident(&self.main, id)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM cards WHERE resident = ?1 AND ended_at IS NULL)";
        let has_card = self.main.query_row(sql, [id.bytes()], |row| row.get(0))?;
        Ok(FoundRow { id, masked_name: resident.name.masked(), unit: resident.unit, has_card })
    }

    /// Reads one record without a log entry; callers inside `vault` show at most a masked form of it.
    pub(super) fn read_resident(&self, view: &Connection, id: ResidentId) -> Result<Resident, VaultError> {
        let damaged = || VaultError::corrupt(MAIN_FILE);
        type Row = (Vec<u8>, Vec<u8>, u8, Option<i64>, i64);
        let mut statement =
            view.prepare_cached("SELECT name, unit, age_band, next_band_on, ends_on FROM residents WHERE id = ?1")?;
        let found: Option<Row> = statement
            .query_row([id.bytes()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))
            .optional()?;
        let (name, unit, band, next_band_on, ends_on) = found.ok_or(VaultError::Unknown)?;
        if name.is_empty() {
            // Erased at the end of its term (`vault::retention`): nobody is recorded here any more.
            return Err(VaultError::Unknown);
        }
        let key = self.identity_key(id)?;
        let name = open_text(&key, &place(id, "name"), &name)?;
        let unit = open_text(&key, &place(id, "unit"), &unit)?;
        Ok(Resident {
            id,
            name: PersonName::parse(&name).map_err(|_| damaged())?,
            unit: Unit::parse(&unit).map_err(|_| damaged())?,
            age_band: band_of(band).ok_or_else(damaged)?,
            next_band_on: next_band_on.map(CivilDate::from_epoch_days),
            ends_on: CivilDate::from_epoch_days(ends_on),
        })
    }

    /// The key that seals one person's columns.
    pub(super) fn person_key(&self, id: ResidentId) -> Result<VaultKey, VaultError> {
        self.people_keys.own_of(id)?.ok_or_else(|| VaultError::corrupt(KEYS_FILE))
    }

    /// The key that seals one person's name, unit and card numbers.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] once the identity was erased, and as [`Self::person_key`].
    pub(super) fn identity_key(&self, id: ResidentId) -> Result<VaultKey, VaultError> {
        let pair = self.people_keys.pair_of(id)?.ok_or_else(|| VaultError::corrupt(KEYS_FILE))?;
        pair.of_identity()?.ok_or(VaultError::Unknown)
    }

    pub(super) fn make_person_key(&self, id: ResidentId, now: Timestamp) -> Result<VaultKey, VaultError> {
        // The person is not recorded (checked by the caller), so a key that is there is left over and may be replaced.
        let work = epoch::begin(&self.people_keys)?;
        let key = self.people_keys.make_in(&work, id, now)?.own;
        work.commit().map_err(|error| VaultError::of(KEYS_FILE, &error))?;
        Ok(key)
    }
}

/// Where the version of the stored forms of names is kept.
pub(super) const FORMS_AT: &str = "surname-forms";

/// Whether a resident is recorded.
pub(super) fn resident_is_known(view: &Connection, id: ResidentId) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM residents WHERE id = ?1)";
    Ok(view.query_row(sql, [id.bytes()], |row| row.get(0))?)
}

/// The last day of a resident's right to enter.
pub(super) fn resident_ends_on(view: &Connection, id: ResidentId) -> Result<CivilDate, VaultError> {
    let sql = "SELECT ends_on FROM residents WHERE id = ?1";
    Ok(view.query_row(sql, [id.bytes()], |row| row.get(0).map(CivilDate::from_epoch_days))?)
}

/// The age band of a recorded resident on a day, and when the next one begins.
pub(super) fn resident_band(
    view: &Connection,
    id: ResidentId,
    day: CivilDate,
) -> Result<(AgeBand, Option<CivilDate>), VaultError> {
    let sql = "SELECT age_band, next_band_on FROM residents WHERE id = ?1";
    let (band, next): (u8, Option<i64>) = view.query_row(sql, [id.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let band = band_of(band).ok_or_else(|| VaultError::corrupt(MAIN_FILE))?;
    Ok(band.on(next.map(CivilDate::from_epoch_days), day))
}

/// Opens a sealed text.
pub(super) fn open_text(key: &VaultKey, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<String>, VaultError> {
    let plain = key.open(place, sealed).ok_or_else(|| VaultError::corrupt(MAIN_FILE))?;
    std::str::from_utf8(&plain).map(|t| Zeroizing::new(t.to_owned())).map_err(|_| VaultError::corrupt(MAIN_FILE))
}

pub(super) fn place(id: ResidentId, column: &str) -> Vec<u8> {
    format!("residents/{id}/{column}").into_bytes()
}

pub(super) fn band_number(band: AgeBand) -> u8 {
    match band {
        AgeBand::Under14 => 0,
        AgeBand::From14To17 => 1,
        AgeBand::Adult => 2,
    }
}

fn band_of(number: u8) -> Option<AgeBand> {
    [AgeBand::Under14, AgeBand::From14To17, AgeBand::Adult].into_iter().find(|band| band_number(*band) == number)
}
