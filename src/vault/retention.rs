//! What ends by rule, without an operator: faces on their day, records after it, identity fields thirty days later, and at the end of the
//! evidence's term the person's key; each in every backup too (`epoch`). Rules: P19, P47a, P56, L3.

use rusqlite::{Connection, params};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::id::{CardId, ResidentId};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::record::LogRecord;
use crate::secret::random_bytes;

use super::Vault;
use super::audit::{ENDS_THE_TERM, TERM_MS};
use super::endings::residents_of;
use super::epoch;
use super::error::{MAIN_FILE, VaultError};
use super::guardian_terms::GuardianDue;
use super::outbox::{self, Queued};
use super::punctures::Leaf;

/// Days after a record is closed at which name, unit and card numbers are erased, at the latest (the notice's `identity_end_rule`).
pub const IDENTITY_DAYS: i64 = 30;
/// Where the instant of the last run is kept.
const RAN_AT: &str = "retention-ran";
/// Fewest years that evidence is kept (PIPL 56).
const EVIDENCE_YEARS_MIN: i64 = 3;
/// How many people are erased in one transaction of each file: each costs the disk a few writes that are waited for.
const TOGETHER: usize = 64;

/// What is due, and would be ended or erased by a run now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Faces whose last day has passed.
    pub faces: Vec<ResidentId>,
    /// Persons who did not answer a change of the notice in time: the face in its gates ends ([`Vault::end_unanswered`]).
    pub unanswered: Vec<ResidentId>,
    /// Persons whose birthday brings them to another decider ([`Vault::pass_age_bands`]): a face ends.
    pub birthdays: Vec<ResidentId>,
    /// Records whose own last day has passed: cards end everywhere, the record closes.
    pub records: Vec<ResidentId>,
    /// Closed records whose name, unit and card numbers are to be erased.
    pub identities: Vec<ResidentId>,
    /// Closed records that would be due, but for a gate that has not signed: the person is still to get the certificate.
    pub waiting: Vec<ResidentId>,
    /// Guardians whose phone, or name, has reached its term.
    pub guardians: Vec<GuardianDue>,
    /// Persons whose evidence has reached its term: the key goes.
    pub evidence: Vec<ResidentId>,
}

impl RetentionPlan {
    /// Whether nothing is due.
    pub fn is_empty(&self) -> bool {
        let faces = self.faces.is_empty() && self.unanswered.is_empty() && self.birthdays.is_empty();
        faces
            && self.records.is_empty()
            && self.identities.is_empty()
            && self.guardians.is_empty()
            && self.evidence.is_empty()
    }
}

/// What a run has ended and erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionReport {
    /// When.
    pub run_at: Timestamp,
    /// Faces ended.
    pub faces: u32,
    /// Records closed.
    pub records: u32,
    /// Identities erased, those of guardians among them.
    pub identities: u32,
    /// Keys destroyed.
    pub evidence: u32,
}

/// What failed in a run, which goes on with the others.
#[derive(Default)]
struct Run {
    failed: Option<VaultError>,
}

impl Run {
    fn of<T>(&mut self, done: Result<T, VaultError>) -> Option<T> {
        done.map_err(|error| {
            tracing::warn!(%error, "something that is due could not be ended or erased");
            self.failed.get_or_insert(error);
        })
        .ok()
    }

    /// How many of these were done: together, or where that fails one by one.
    fn some(&mut self, who: &[ResidentId], mut erase: impl FnMut(&[ResidentId]) -> Result<(), VaultError>) -> u32 {
        match erase(who) {
            Ok(()) => u32::try_from(who.len()).unwrap_or(u32::MAX),
            Err(_) => who.iter().map(|one| self.one(erase(std::slice::from_ref(one)))).sum(),
        }
    }

    /// 1 for what was done.
    fn one<T>(&mut self, done: Result<T, VaultError>) -> u32 {
        u32::from(self.of(done).is_some())
    }
}

impl Vault {
    /// Whether a gate in use has not signed for an erasure or the end of a card of this person.
    fn is_awaited(&self, resident: ResidentId) -> Result<bool, VaultError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox JOIN gates ON gates.id = outbox.gate
                 LEFT JOIN consents ON consents.id = outbox.consent LEFT JOIN cards ON cards.id = outbox.card
             WHERE retired_at IS NULL AND state IN ('pending', 'wedged') AND kind IN ('erase', 'remove-card')
                 AND ?1 IN (consents.resident, cards.resident))";
        Ok(self.main.query_row(sql, [resident.bytes()], |row| row.get(0))?)
    }

    /// What a run would do now, without doing it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn retention_plan(&self, now: Timestamp) -> Result<RetentionPlan, VaultError> {
        let today = now.date();
        let faces = self.consents_due(now)?;
        let sql = "SELECT id FROM residents WHERE closed_at IS NULL AND ends_on < ?1 ORDER BY id";
        let records = residents_of(&self.main, sql, Some(today.epoch_days()))?;
        let over = today.plus_days(-IDENTITY_DAYS).end().plus_ms(-DAY_MS).ms();
        let sql = "SELECT id FROM residents WHERE closed_at < ?1 AND identity_ended_at IS NULL ORDER BY id";
        let (mut identities, mut waiting) = (vec![], vec![]);
        for resident in residents_of(&self.main, sql, Some(over))? {
            if self.is_awaited(resident)? { waiting.push(resident) } else { identities.push(resident) }
        }
        let sql = "SELECT id FROM residents WHERE identity_ended_at IS NOT NULL AND evidence_ended_at IS NULL
             AND max(closed_at, coalesce((SELECT max(coalesce(ended_at, signed_at)) FROM consents
                 WHERE resident = residents.id), 0)) < ?1 ORDER BY id";
        let mut evidence = vec![];
        for resident in residents_of(&self.main, sql, Some(self.evidence_over(now)?))? {
            // Whatever was recorded about the person last begins the term: a certificate, a request, a look at the record.
            if self.last_record_of(resident)?.is_none_or(|last| now.ms().saturating_sub(last) >= TERM_MS) {
                evidence.push(resident);
            }
        }
        let guardians = self.guardians_due(self.evidence_over(now)?, now)?;
        let unanswered = super::versions::unanswered(&self.main, now)?.into_iter().map(|(person, ..)| person).collect();
        let birthdays = super::guardians::birthdays(&self.main, today)?;
        Ok(RetentionPlan { faces, unanswered, birthdays, records, identities, waiting, guardians, evidence })
    }

    /// Ends and erases everything that is due, and notes that it ran, also when nothing was. With an older file of keys nobody is erased. What is erased is overwritten in both files
    /// before this returns.
    ///
    /// # Errors
    /// The first one, when all that could be ended and erased is: one person's row that cannot be read keeps nobody else's. The rest is due
    /// again.
    pub fn run_retention(&mut self, now: Timestamp) -> Result<RetentionReport, VaultError> {
        let mut run = Run::default();
        let mut report = RetentionReport { run_at: now, faces: 0, records: 0, identities: 0, evidence: 0 };
        let several = |ended: Vec<ResidentId>| u32::try_from(ended.len()).unwrap_or(u32::MAX);
        report.faces += run.of(self.pass_age_bands(now)).map_or(0, several);
        report.faces += run.of(self.end_unanswered(now)).map_or(0, several);
        let mut plan = self.retention_plan(now)?;
        if !self.keys_are_current()? {
            // They stay due until the right file is back in its place; the desk says so.
            tracing::warn!("nobody is erased with an older file of keys");
            (plan.identities, plan.evidence) = (vec![], vec![]);
        }
        for resident in &plan.faces {
            report.faces += run.one(self.end_consent(*resident, EraseReason::TermOver, now));
        }
        for resident in &plan.records {
            report.records += run.one(self.close_record(*resident, EraseReason::TermOver, Actor::Station, now));
        }
        for some in plan.identities.chunks(TOGETHER) {
            report.identities += run.some(some, |some| self.erase_identities(some, now));
        }
        for due in &plan.guardians {
            report.identities += run.one(self.erase_guardian(due, now));
        }
        for some in plan.evidence.chunks(TOGETHER) {
            report.evidence += run.some(some, |some| self.erase_evidences(some, now));
        }
        let work = self.begin()?;
        self.write_station(&work, RAN_AT, &now.ms().to_be_bytes())?;
        if report.faces + report.records + report.identities + report.evidence > 0 {
            work.execute(
                "INSERT INTO retention_runs (run_at, faces, records, identities, evidence) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![now.ms(), report.faces, report.records, report.identities, report.evidence],
            )?;
        }
        work.commit()?;
        super::swap::sweep(&self.dir, now.ms())?;
        // Also on a day without anything due: a log that was in use at the last run is emptied now.
        match self.empty_logs() {
            Err(VaultError::Busy) if report.identities + report.evidence == 0 => {}
            done => done?,
        }
        run.failed.map_or(Ok(report), Err)
    }

    /// When this ran last, whether or not something was due; `None` before the first time.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn retention_ran_at(&self) -> Result<Option<Timestamp>, VaultError> {
        let stored = self.read_station(RAN_AT)?;
        let stored = stored.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        Ok(stored.map(|bytes| Timestamp::from_ms(i64::from_be_bytes(bytes))))
    }

    /// The last runs that ended or erased something, the newest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn retention_reports(&self, count: u32) -> Result<Vec<RetentionReport>, VaultError> {
        let sql = "SELECT run_at, faces, records, identities, evidence FROM retention_runs
             ORDER BY number DESC LIMIT ?1";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([count], |r| {
            Ok(RetentionReport {
                run_at: Timestamp::from_ms(r.get(0)?),
                faces: r.get(1)?,
                records: r.get(2)?,
                identities: r.get(3)?,
                evidence: r.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the last record about a person was written, in milliseconds; those of the end of the records themselves do not count.
    fn last_record_of(&self, resident: ResidentId) -> Result<Option<i64>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT record FROM log JOIN log_details ON log_details.n = log.n WHERE resident = ?1 ORDER BY log.n",
        )?;
        let mut last = None;
        for bytes in statement.query_map([resident.bytes()], |row| row.get::<_, Vec<u8>>(0))? {
            let record = LogRecord::from_bytes(&bytes?).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            if !ENDS_THE_TERM.contains(&record.what.as_str()) {
                last = last.max(Some(record.at));
            }
        }
        Ok(last)
    }

    /// Closes a record (moved out, 注销, deceased, term over): the face is erased and the card ends everywhere, in one transaction. The
    /// record is kept to its term. Returns `false` when it is closed already.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn close_record(
        &mut self,
        resident: ResidentId,
        reason: EraseReason,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let work = self.begin()?;
        if !super::residents::resident_is_known(&work, resident)? {
            return Err(VaultError::Unknown);
        }
        // The last day is over with it: no card and no consent goes beyond. A later edit with a new last day opens the record again.
        let sql = "UPDATE residents SET closed_at = ?2, close_reason = ?3, ends_on = min(ends_on, ?4)
             WHERE id = ?1 AND closed_at IS NULL";
        let yesterday = now.date().plus_days(-1).epoch_days();
        if work.execute(sql, params![resident.bytes(), now.ms(), reason.label(), yesterday])? == 0 {
            return Ok(false);
        }
        self.append(&work, by, &AuditEvent::RecordClosed(resident, reason.label()), now)?;
        self.end_current(&work, resident, reason.label(), by, now)?;
        self.end_card_in(&work, resident, by, now)?;
        work.commit()?;
        Ok(true)
    }

    /// Since when a record is closed, and why.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn closed_since(&self, resident: ResidentId) -> Result<Option<(Timestamp, String)>, VaultError> {
        let sql = "SELECT closed_at, close_reason FROM residents WHERE id = ?1";
        let row: (Option<i64>, Option<String>) =
            self.main.query_row(sql, [resident.bytes()], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(row.0.map(|at| (Timestamp::from_ms(at), row.1.unwrap_or_default())))
    }

    /// The latest instant at which the date was believed: the clock had not jumped, or staff confirmed it. A vault that never wrote one
    /// gives its last log record.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn trusted_at(&self) -> Result<Timestamp, VaultError> {
        match self.read_station(TRUSTED)? {
            Some(bytes) => {
                let bytes: [u8; 8] = bytes.try_into().map_err(|_| VaultError::corrupt(MAIN_FILE))?;
                Ok(Timestamp::from_ms(i64::from_be_bytes(bytes)))
            }
            None => {
                let from = self.log_len()?.saturating_sub(2);
                // The very last record is the unlock that asks this question.
                let before = self.log_records(from, 1)?.into_iter().next();
                Ok(Timestamp::from_ms(before.map_or(0, |record| record.at)))
            }
        }
    }

    /// Believes the clock. With an actor, somebody confirmed it after a jump, which is logged.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn trust(&mut self, confirmed_by: Option<Actor>, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.write_station(&work, TRUSTED, &now.ms().to_be_bytes())?;
        if let Some(by) = confirmed_by {
            self.append(&work, by, &AuditEvent::DateConfirmed, now)?;
        }
        Ok(work.commit()?)
    }

    /// Overwrites names, units, surname forms, card numbers and changes of them, here and in every backup: of several people in one transaction of each file.
    pub(super) fn erase_identities(&self, residents: &[ResidentId], now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        // First: what is left after a crash is due again, and no backup opens it meanwhile.
        let cuts: Vec<_> = residents.iter().map(|resident| (*resident, Leaf::Identity)).collect();
        self.cut_leaves(&cuts)?;
        for resident in residents.iter().copied() {
            work.execute(
                "UPDATE residents SET name = x'', unit = x'', unit_hash = ?2, next_band_on = NULL, identity_ended_at = ?3
                 WHERE id = ?1",
                params![resident.bytes(), random_bytes::<32>(), now.ms()],
            )?;
            work.execute("DELETE FROM resident_surnames WHERE resident = ?1", [resident.bytes()])?;
            super::identity_apart::empty_changes(&work, resident)?;
            for card in cards_of(&work, resident)? {
                let sql = "UPDATE cards SET number = x'', number_hash = ?2 WHERE id = ?1";
                work.execute(sql, params![card.bytes(), random_bytes::<32>()])?;
                // Left over for retired gates only: without the number it cannot be built any more.
                let sql = "UPDATE outbox SET state = 'superseded', settled_at = ?2
                     WHERE card = ?1 AND state IN ('pending', 'wedged')";
                work.execute(sql, params![card.bytes(), now.ms()])?;
            }
            self.append(&work, Actor::Station, &AuditEvent::IdentityErased(resident), now)?;
        }
        Ok(work.commit()?)
    }

    /// Destroys people's keys, and the shown texts that were theirs alone: of several people in one transaction of each file. The signed records of
    /// random ids stay, and say nothing.
    pub(super) fn erase_evidences(&self, residents: &[ResidentId], now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        for resident in residents.iter().copied() {
            let sql = "UPDATE residents SET evidence_ended_at = ?2 WHERE id = ?1";
            work.execute(sql, params![resident.bytes(), now.ms()])?;
            work.execute(
                "UPDATE texts SET body = '' WHERE sha256 IN (SELECT text_sha256 FROM showings WHERE resident = ?1)
                 AND NOT EXISTS (SELECT 1 FROM showings JOIN residents ON residents.id = showings.resident
                     WHERE showings.text_sha256 = texts.sha256 AND evidence_ended_at IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM undertakings WHERE undertakings.text_sha256 = texts.sha256)",
                [resident.bytes()],
            )?;
            let sql = "DELETE FROM certificates WHERE consent IN (SELECT id FROM consents WHERE resident = ?1)";
            work.execute(sql, [resident.bytes()])?;
            if epoch::place_of(&self.people_keys, resident)?.is_none() {
                // The run before this one ended between the two files: a key for the moment in which that is written down.
                self.make_person_key(resident, now)?;
            }
            self.append(&work, Actor::Station, &AuditEvent::EvidenceErased(resident), now)?;
        }
        // The keys go first, here and in every backup: what is left of the rest after a crash cannot be read.
        let cuts: Vec<_> = residents.iter().map(|resident| (*resident, Leaf::Evidence)).collect();
        self.cut_leaves(&cuts)?;
        Ok(work.commit()?)
    }

    /// Moves both write-ahead logs into their files and cuts them to nothing; freed pages are overwritten already (`secure_delete`).
    pub(super) fn empty_logs(&self) -> Result<(), VaultError> {
        for file in [&self.main, &*self.people_keys] {
            let busy: i64 = file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if busy != 0 {
                return Err(VaultError::Busy);
            }
        }
        Ok(())
    }

    fn evidence_over(&self, now: Timestamp) -> Result<i64, VaultError> {
        let facts = match self.facts() {
            // Without the site's own term nothing has reached it: evidence can be destroyed later, and never brought back.
            Err(VaultError::SiteFileRefused) => return Ok(i64::MIN),
            read => read?,
        };
        let years = facts.get(crate::domain::site::Fact::EvidenceYears).trim().parse().unwrap_or(0);
        let years: i64 = i64::max(years, EVIDENCE_YEARS_MIN);
        let day: CivilDate = now.date().plus_days(years.saturating_mul(-366));
        Ok(day.end().plus_ms(-DAY_MS).ms())
    }

    /// Ends the person's card inside a transaction, if there is one.
    pub(super) fn end_card_in(
        &self,
        work: &Connection,
        resident: ResidentId,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let sql = "SELECT id FROM cards WHERE resident = ?1 AND ended_at IS NULL";
        let mut statement = work.prepare(sql)?;
        let cards: Vec<CardId> = statement
            .query_map([resident.bytes()], |row| row.get(0).map(CardId::from_bytes))?
            .collect::<Result<_, _>>()?;
        for card in cards {
            work.execute("UPDATE cards SET ended_at = ?2 WHERE id = ?1", params![card.bytes(), now.ms()])?;
            self.append(work, by, &AuditEvent::CardEnded(resident), now)?;
            let mut statement = work.prepare("SELECT gate FROM card_gates WHERE card = ?1 ORDER BY place")?;
            let gates: Vec<[u8; 16]> =
                statement.query_map([card.bytes()], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for gate in gates {
                outbox::queue(work, crate::domain::id::GateId::from_bytes(gate), Queued::RemoveCard(card), now)?;
            }
        }
        Ok(())
    }
}

const TRUSTED: &str = "trusted-at";
const DAY_MS: i64 = 86_400_000;

fn cards_of(view: &Connection, resident: ResidentId) -> Result<Vec<CardId>, VaultError> {
    let mut statement = view.prepare("SELECT id FROM cards WHERE resident = ?1")?;
    let rows = statement.query_map([resident.bytes()], |row| row.get(0).map(CardId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
