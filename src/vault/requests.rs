//! The register of requests: numbered, stamped, with a clock; closed as refused only with a letter. Rules: P49, P50, NDR20, L4.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{ResidentId, StaffId};
use crate::domain::rights::{
    Came, Clock, Identity, RequestCounts, RequestKind, RequestLine, RequestNo, RightsEvent, WrittenRefusal,
};
use crate::domain::time::{CivilDate, Timestamp};

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::residents::{open_text, resident_is_known};

/// A request that comes in.
#[derive(Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// About whose information; `None` for somebody who is not in the register.
    pub resident: Option<ResidentId>,
    /// What is asked.
    pub kind: RequestKind,
    /// How it came.
    pub came: Came,
    /// How it was known who asked.
    pub identity: Identity,
    /// Who asked, when it was not the resident: name and relation, or how to reach them. Personal: sealed.
    pub asker: String,
    /// What was asked, in short. Personal: sealed.
    pub words: String,
    /// Last day for an answer.
    pub due_on: CivilDate,
}

impl std::fmt::Debug for NewRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewRequest({}, {}, [REDACTED])", self.kind.label(), self.came.label())
    }
}

/// One request with everything in it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RequestFull {
    /// Number, as it is said: `2026-0007`.
    pub number: String,
    /// [`RequestKind::label`].
    pub kind: String,
    /// [`Came::label`].
    pub came: String,
    /// [`Identity::label`].
    pub identity: String,
    /// Who asked, when it was not the resident.
    pub asker: String,
    /// What was asked, in short.
    pub words: String,
    /// When it came in.
    pub received_at: String,
    /// Last day for an answer.
    pub due_on: String,
    /// Shown name of the account that took it; the person's own act without one.
    pub received_by: Option<String>,
    /// `granted` or `refused`.
    pub outcome: Option<String>,
    /// When it was decided.
    pub decided_at: Option<String>,
    /// By whom; the program at once without one.
    pub decided_by: Option<String>,
    /// What was done, or the letter of refusal.
    pub answer: Option<String>,
    /// SHA-256 of the letter, in hex.
    pub letter_sha256: Option<String>,
    /// When it was done, or the letter was handed over.
    pub done_at: Option<String>,
}

impl std::fmt::Debug for RequestFull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RequestFull({}, {}, [REDACTED])", self.number, self.kind)
    }
}

impl Vault {
    /// Most open requests of one list.
    pub const REQUESTS_MAX: u32 = 200;

    /// Takes a request: gives it the next number and stamps it. `by_staff` says whether staff entered it.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] resident, and those of the disk.
    pub fn receive_request(
        &mut self,
        new: &NewRequest,
        by_staff: bool,
        now: Timestamp,
    ) -> Result<RequestNo, VaultError> {
        let work = self.begin()?;
        let no = self.note_request(&work, new, by_staff, now)?;
        work.commit()?;
        Ok(no)
    }

    /// Takes a request that the program answers in the same instant, such as a look at everything held.
    ///
    /// # Errors
    /// As [`Self::receive_request`].
    pub fn request_done_at_once(
        &mut self,
        new: &NewRequest,
        answer: &str,
        by_staff: bool,
        now: Timestamp,
    ) -> Result<RequestNo, VaultError> {
        let work = self.begin()?;
        let no = self.note_request(&work, new, by_staff, now)?;
        let decided_by = by_staff.then_some(self.staff);
        self.note_granted(&work, no, new.resident, decided_by, now)?;
        self.note_done(&work, no, new.resident, Some(answer), by_staff, now)?;
        work.commit()?;
        Ok(no)
    }

    /// Decides that a request will be done.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] number, [`VaultError::RequestDecided`], and those of the disk.
    pub fn grant_request(&mut self, no: RequestNo, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let resident = undecided(&work, no)?;
        self.note_granted(&work, no, resident, Some(self.staff), now)?;
        Ok(work.commit()?)
    }

    /// Stamps a request as done, with what was done. One that was refused is done when its letter is handed over; then `answer` is not
    /// taken.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] number, [`VaultError::RequestUndecided`], [`VaultError::RequestDecided`] when it is done already, and those of
    /// the disk.
    pub fn finish_request(&mut self, no: RequestNo, answer: &str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "SELECT resident, outcome, done_at FROM requests WHERE n = ?1";
        type Found = (Option<[u8; 16]>, Option<String>, Option<i64>);
        let found: Option<Found> =
            work.query_row(sql, [no.n()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()?;
        let (resident, outcome, done_at) = found.ok_or(VaultError::Unknown)?;
        if done_at.is_some() {
            return Err(VaultError::RequestDecided);
        }
        let resident = resident.map(ResidentId::from_bytes);
        match outcome.as_deref() {
            None => return Err(VaultError::RequestUndecided),
            Some("refused") => self.note_done(&work, no, resident, None, true, now)?,
            Some(_) => self.note_done(&work, no, resident, Some(answer), true, now)?,
        }
        Ok(work.commit()?)
    }

    /// Decides that a request, or a part of it, is not done. There is no other way to refuse one. Rule P50.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] number, [`VaultError::RequestDecided`], and those of the disk.
    pub fn refuse_request(
        &mut self,
        no: RequestNo,
        refusal: &WrittenRefusal,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        let resident = undecided(&work, no)?;
        let digest: [u8; 32] = Sha256::digest(refusal.letter().as_bytes()).into();
        let letter = self.seal_request(no.n(), resident, "answer", refusal.letter())?;
        work.execute(
            "UPDATE requests SET outcome = 'refused', decided_at = ?2, decided_by = ?3, answer = ?4, letter_sha256 = ?5
             WHERE n = ?1",
            params![no.n(), now.ms(), self.staff.bytes(), letter, digest],
        )?;
        let event = AuditEvent::Rights(RightsEvent::Refused(resident, no));
        self.append_with(&work, Actor::Staff(self.staff), &event, None, Some(digest), now)?;
        Ok(work.commit()?)
    }

    /// Opens one request with everything in it. Logged: it is a look at somebody's information.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn open_request(&mut self, no: RequestNo, now: Timestamp) -> Result<RequestFull, VaultError> {
        let work = self.begin()?;
        let sql = "SELECT resident FROM requests WHERE n = ?1";
        let resident: Option<[u8; 16]> = work.query_row(sql, [no.n()], |r| r.get(0))?;
        let event = AuditEvent::Rights(RightsEvent::Opened(resident.map(ResidentId::from_bytes), no));
        self.append(&work, Actor::Staff(self.staff), &event, now)?;
        let full = self.read_request(&work, no.n())?;
        work.commit()?;
        Ok(full)
    }

    /// The letter of a refusal, byte for byte.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when there is none, [`VaultError::TextDiffers`] when it is not the one that was signed off, and those of the
    /// disk.
    pub fn refusal_letter(&self, no: RequestNo) -> Result<String, VaultError> {
        let sql = "SELECT resident, answer, letter_sha256 FROM requests WHERE n = ?1 AND outcome = 'refused'";
        let (resident, sealed, digest): (Option<[u8; 16]>, Vec<u8>, [u8; 32]) =
            self.main.query_row(sql, [no.n()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        let letter = self.open_sealed(no.n(), resident.map(ResidentId::from_bytes), "answer", &sealed)?;
        let same = <[u8; 32]>::from(Sha256::digest(letter.as_bytes())) == digest;
        if same { Ok(letter) } else { Err(VaultError::TextDiffers) }
    }

    /// Requests that are not done, the most urgent first; nothing personal in them.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open_requests(&self, now: Timestamp) -> Result<Vec<RequestLine>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT n, resident, kind, came, received_at, due_on, outcome FROM requests
             WHERE done_at IS NULL ORDER BY due_on, n LIMIT ?1",
        )?;
        let rows = statement.query_map([Self::REQUESTS_MAX], |row| Ok(line_of(row, now)))?;
        rows.map(|row| row?).collect()
    }

    /// One request that is not done; nothing personal in it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn request_line(&self, no: RequestNo, now: Timestamp) -> Result<Option<RequestLine>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT n, resident, kind, came, received_at, due_on, outcome FROM requests
             WHERE done_at IS NULL AND n = ?1",
        )?;
        statement.query_row([no.n()], |row| Ok(line_of(row, now))).optional()?.transpose()
    }

    /// A person's own requests that are not done, oldest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open_requests_of(&self, resident: ResidentId, now: Timestamp) -> Result<Vec<RequestLine>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT n, resident, kind, came, received_at, due_on, outcome FROM requests
             WHERE done_at IS NULL AND resident = ?1 ORDER BY n LIMIT ?2",
        )?;
        let rows = statement.query_map(params![resident.bytes(), Self::REQUESTS_MAX], |row| Ok(line_of(row, now)))?;
        rows.map(|row| row?).collect()
    }

    /// How many requests wait.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn request_counts(&self, now: Timestamp) -> Result<RequestCounts, VaultError> {
        let today = now.date().epoch_days();
        let sql = "SELECT count(*), coalesce(sum(due_on BETWEEN ?1 AND ?2), 0), coalesce(sum(due_on < ?1), 0)
             FROM requests WHERE done_at IS NULL";
        Ok(self.main.prepare_cached(sql)?.query_row(params![today, today + Clock::SOON_DAYS], |r| {
            Ok(RequestCounts { open: r.get(0)?, soon: r.get(1)?, overdue: r.get(2)? })
        })?)
    }

    /// The requests of one person, oldest first.
    pub(super) fn requests_of(&self, view: &Connection, resident: ResidentId) -> Result<Vec<RequestFull>, VaultError> {
        let mut statement = view.prepare_cached("SELECT n FROM requests WHERE resident = ?1 ORDER BY n")?;
        let numbers: Vec<u32> = statement.query_map([resident.bytes()], |row| row.get(0))?.collect::<Result<_, _>>()?;
        numbers.into_iter().map(|n| self.read_request(view, n)).collect()
    }

    pub(super) fn note_request(
        &self,
        work: &Connection,
        new: &NewRequest,
        by_staff: bool,
        now: Timestamp,
    ) -> Result<RequestNo, VaultError> {
        if let Some(resident) = new.resident
            && !resident_is_known(work, resident)?
        {
            return Err(VaultError::Unknown);
        }
        // The number comes first: what is sealed is bound to it.
        let next = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'requests'), 0) + 1";
        let n: u32 = work.query_row(next, [], |row| row.get(0))?;
        let asker = self.seal_request(n, new.resident, "asker", &new.asker)?;
        let words = self.seal_request(n, new.resident, "words", &new.words)?;
        work.execute(
            "INSERT INTO requests (n, resident, kind, came, identity, asker, words, received_at, due_on, received_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                n,
                new.resident.map(|id| *id.bytes()),
                new.kind.label(),
                new.came.label(),
                new.identity.label(),
                asker,
                words,
                now.ms(),
                new.due_on.epoch_days(),
                by_staff.then_some(*self.staff.bytes()),
            ],
        )?;
        let no = RequestNo::new(n, now.date());
        let event = AuditEvent::Rights(RightsEvent::Received(new.resident, no, new.kind));
        self.append(work, self.actor(new.resident, by_staff), &event, now)?;
        Ok(no)
    }

    pub(super) fn note_granted(
        &self,
        work: &Connection,
        no: RequestNo,
        resident: Option<ResidentId>,
        by: Option<StaffId>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let sql = "UPDATE requests SET outcome = 'granted', decided_at = ?2, decided_by = ?3 WHERE n = ?1";
        work.execute(sql, params![no.n(), now.ms(), by.map(|id| *id.bytes())])?;
        let who = by.map_or(Actor::Station, Actor::Staff);
        self.append(work, who, &AuditEvent::Rights(RightsEvent::Granted(resident, no)), now)
    }

    pub(super) fn note_done(
        &self,
        work: &Connection,
        no: RequestNo,
        resident: Option<ResidentId>,
        answer: Option<&str>,
        by_staff: bool,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let sealed = answer.map(|text| self.seal_request(no.n(), resident, "answer", text)).transpose()?;
        let sql = "UPDATE requests SET done_at = ?2, answer = coalesce(?3, answer) WHERE n = ?1";
        work.execute(sql, params![no.n(), now.ms(), sealed])?;
        let who = if by_staff { Actor::Staff(self.staff) } else { Actor::Station };
        self.append(work, who, &AuditEvent::Rights(RightsEvent::Done(resident, no)), now)
    }

    fn actor(&self, resident: Option<ResidentId>, by_staff: bool) -> Actor {
        match resident {
            Some(resident) if !by_staff => Actor::Resident(resident),
            _ if by_staff => Actor::Staff(self.staff),
            _ => Actor::Station,
        }
    }

    fn seal_request(
        &self,
        n: u32,
        resident: Option<ResidentId>,
        column: &str,
        text: &str,
    ) -> Result<Vec<u8>, VaultError> {
        match resident {
            Some(resident) => self.person_key(resident)?.seal(&place(n, column), text.as_bytes()),
            None => self.ring.station.seal(&place(n, column), text.as_bytes()),
        }
    }

    fn open_sealed(
        &self,
        n: u32,
        resident: Option<ResidentId>,
        column: &str,
        sealed: &[u8],
    ) -> Result<String, VaultError> {
        let text = match resident {
            Some(resident) => open_text(&self.person_key(resident)?, &place(n, column), sealed)?,
            None => open_text(&self.ring.station, &place(n, column), sealed)?,
        };
        Ok(text.to_string())
    }

    fn read_request(&self, view: &Connection, n: u32) -> Result<RequestFull, VaultError> {
        let mut statement = view.prepare_cached("SELECT * FROM requests WHERE n = ?1")?;
        let mut rows = statement.query([n])?;
        let row = rows.next()?.ok_or(VaultError::Unknown)?;
        let resident = row.get::<_, Option<[u8; 16]>>("resident")?.map(ResidentId::from_bytes);
        let text = |column: &str| self.open_sealed(n, resident, column, &row.get::<_, Vec<u8>>(column)?);
        let at = |column: &str| -> Result<Option<String>, VaultError> {
            Ok(row.get::<_, Option<i64>>(column)?.map(|ms| Timestamp::from_ms(ms).second_text()))
        };
        let staff = |column: &str| -> Result<Option<String>, VaultError> {
            let id = row.get::<_, Option<[u8; 16]>>(column)?.map(StaffId::from_bytes);
            id.map(|id| self.name_of_staff(id)).transpose()
        };
        let received = Timestamp::from_ms(row.get("received_at")?);
        let answered = row.get_ref("answer")? != rusqlite::types::ValueRef::Null;
        Ok(RequestFull {
            number: RequestNo::new(n, received.date()).to_string(),
            kind: row.get("kind")?,
            came: row.get("came")?,
            identity: row.get("identity")?,
            asker: text("asker")?,
            words: text("words")?,
            received_at: received.second_text(),
            due_on: CivilDate::from_epoch_days(row.get("due_on")?).to_string(),
            received_by: staff("received_by")?,
            outcome: row.get("outcome")?,
            decided_at: at("decided_at")?,
            decided_by: staff("decided_by")?,
            answer: answered.then(|| text("answer")).transpose()?,
            letter_sha256: row.get::<_, Option<[u8; 32]>>("letter_sha256")?.map(|d| crate::evidence::hex(&d)),
            done_at: at("done_at")?,
        })
    }
}

impl Vault {
    /// The last request that somebody made on a person's behalf between two instants: its number, and who that was.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn asked_for(
        &self,
        resident: ResidentId,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<(String, String)>, VaultError> {
        let sql = "SELECT n FROM requests WHERE resident = ?1 AND identity = ?2 AND received_at BETWEEN ?3 AND ?4
             ORDER BY n DESC LIMIT 1";
        let of = params![resident.bytes(), Identity::ActsForPerson.label(), since.ms(), until.ms()];
        let Some(n) = self.main.query_row(sql, of, |row| row.get(0)).optional()? else { return Ok(None) };
        let request = self.read_request(&self.main, n)?;
        Ok(Some((request.number, request.asker)).filter(|(_, asker)| !asker.trim().is_empty()))
    }
}

fn undecided(work: &Connection, no: RequestNo) -> Result<Option<ResidentId>, VaultError> {
    let sql = "SELECT resident, outcome FROM requests WHERE n = ?1";
    let found: Option<(Option<[u8; 16]>, Option<String>)> =
        work.query_row(sql, [no.n()], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    match found.ok_or(VaultError::Unknown)? {
        (_, Some(_)) => Err(VaultError::RequestDecided),
        (resident, None) => Ok(resident.map(ResidentId::from_bytes)),
    }
}

fn line_of(row: &Row<'_>, now: Timestamp) -> Result<RequestLine, VaultError> {
    let damaged = || VaultError::corrupt(MAIN_FILE);
    let received_at = Timestamp::from_ms(row.get(4)?);
    let due_on = CivilDate::from_epoch_days(row.get(5)?);
    let outcome: Option<String> = row.get(6)?;
    Ok(RequestLine {
        no: RequestNo::new(row.get(0)?, received_at.date()),
        resident: row.get::<_, Option<[u8; 16]>>(1)?.map(ResidentId::from_bytes),
        kind: RequestKind::parse(&row.get::<_, String>(2)?).ok_or_else(damaged)?,
        came: Came::parse(&row.get::<_, String>(3)?).ok_or_else(damaged)?,
        received_at,
        due_on,
        decided: outcome.is_some(),
        refused: outcome.as_deref() == Some("refused"),
        clock: Clock::read(due_on, None, now.date()),
    })
}

fn place(n: u32, column: &str) -> Vec<u8> {
    format!("requests/{n}/{column}").into_bytes()
}
