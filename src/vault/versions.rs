//! Versions of the notice at this site, who must be told or asked, and how a changed part ends. Rules: P14b, P17c, NDR22-6.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::change::{Change, News, NoticeAudit, Part, Stand, ToldOn, Version, VersionNews, answer_by};
use crate::domain::consent::EraseReason;
use crate::domain::id::{ConsentId, GateId, ResidentId};
use crate::domain::time::{CivilDate, Timestamp};

use super::Vault;
use super::consents::gates_named;
use super::doors::dropped;
use super::error::{MAIN_FILE, VaultError};
use super::outbox::{self, Queued};
use super::replace::door_of;

/// A version as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// Counts from 1.
    pub number: i64,
    /// Its version.
    pub version: Version,
    /// First day.
    pub in_use_on: CivilDate,
    /// Last day to answer, where somebody is asked.
    pub answer_by: Option<CivilDate>,
    /// What it says.
    pub stand: Stand,
}

/// What recording a stand came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is the one in use.
    Same,
    /// Nobody had seen the first version: it says this now.
    Draft,
    /// A new version or sub-version.
    New {
        /// Which.
        version: Version,
        /// Whose face stopped at some gate.
        stopped: Vec<ResidentId>,
        /// How many others must be told.
        told: u32,
    },
}

/// Most versions in the list.
const VERSIONS_LISTED: i64 = 12;

impl Vault {
    /// The version of the notice in use; `None` before the first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn notice_version(&self) -> Result<Option<VersionRow>, VaultError> {
        version_where(&self.main, "ORDER BY number DESC LIMIT 1", 0)
    }

    /// What recording this stand would do: the change, and how many persons' faces would stop.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn foresee_stand(&self, stand: &Stand) -> Result<(Change, u32), VaultError> {
        let Some(latest) = self.notice_version()? else { return Ok((Change::default(), 0)) };
        let change = stand.change_since(&latest.stand);
        let mut count = 0;
        for (consent, _) in current_consents(&self.main)? {
            count += u32::from(!stopped_by(&self.main, &change, consent)?.is_empty());
        }
        Ok((change, count))
    }

    /// Records what the notice says now. On a change of a material part the version is raised, the faces that it touches stop at their gates
    /// (a freeze for each, in this transaction), and those persons are asked; everybody else with a consent is to be told. The first version
    /// is put right in place until somebody has seen it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_stand(&mut self, stand: &Stand, now: Timestamp) -> Result<Recorded, VaultError> {
        let work = self.begin()?;
        let log = |event| AuditEvent::Notice(event);
        let latest = version_where(&work, "ORDER BY number DESC LIMIT 1", 0)?;
        let change = latest.as_ref().map(|latest| stand.change_since(&latest.stand));
        let (latest, change) = match (latest, change) {
            (Some(_), Some(change)) if change.parts.is_empty() => return Ok(Recorded::Same),
            (Some(latest), Some(change)) if latest.number > 1 || was_shown(&work)? => (latest, change),
            _ => {
                let first = Version::FIRST;
                work.execute(
                    "INSERT INTO notice_versions (number, major, minor, in_use_on, parts) VALUES (1, ?1, ?2, ?3, ?4)
                     ON CONFLICT (number) DO UPDATE SET in_use_on = ?3, parts = ?4",
                    params![first.major, first.minor, now.date().epoch_days(), parts_json(stand)],
                )?;
                let digest = Some(stand.sha256());
                self.append_with(&work, Actor::Station, &log(NoticeAudit::DraftChanged), None, digest, now)?;
                work.commit()?;
                return Ok(Recorded::Draft);
            }
        };
        let version = latest.version.after(&change).unwrap_or(latest.version);
        let number = latest.number.saturating_add(1);
        let mut touched = vec![];
        for (consent, resident) in current_consents(&work)? {
            touched.push((consent, resident, stopped_by(&work, &change, consent)?));
        }
        let asked = touched.iter().any(|(_, _, gates)| !gates.is_empty());
        let due = asked.then(|| answer_by(now.date()).epoch_days());
        work.execute(
            "INSERT INTO notice_versions (number, major, minor, in_use_on, answer_by, parts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![number, version.major, version.minor, now.date().epoch_days(), due, parts_json(stand)],
        )?;
        let (mut stopped, mut told) = (vec![], 0);
        for (consent, resident, gates) in touched {
            let sql = "INSERT INTO notice_news (version, consent, asks) VALUES (?1, ?2, ?3)";
            work.execute(sql, params![number, consent.bytes(), !gates.is_empty()])?;
            for gate in &gates {
                let sql = "INSERT INTO notice_stopped (version, consent, gate) VALUES (?1, ?2, ?3)";
                work.execute(sql, params![number, consent.bytes(), gate.bytes()])?;
                outbox::queue(&work, *gate, Queued::Freeze(consent), now)?;
            }
            if gates.is_empty() { told += 1 } else { stopped.push(resident) }
        }
        let event = if change.is_material() { NoticeAudit::VersionRaised } else { NoticeAudit::WordingChanged };
        let label = version.to_string();
        self.append_with(&work, Actor::Station, &log(event), Some(&label), Some(stand.sha256()), now)?;
        work.commit()?;
        Ok(Recorded::New { version, stopped, told })
    }

    /// What a person must be told or asked; `None` when nothing changed since they consented, or there is no consent in force.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn news_of(&self, resident: ResidentId) -> Result<Option<News>, VaultError> {
        let sql = "SELECT id FROM consents WHERE resident = ?1 AND ended_at IS NULL";
        let consent = self.main.query_row(sql, [resident.bytes()], |row| row.get(0).map(ConsentId::from_bytes));
        let Some(consent) = consent.optional()? else { return Ok(None) };
        let mut read = self.main.prepare_cached(
            "SELECT version, asks AND answer IS NULL, told_at FROM notice_news WHERE consent = ?1 ORDER BY version",
        )?;
        type Row = (i64, bool, Option<i64>);
        let rows = read.query_map([consent.bytes()], |row| Ok::<Row, _>((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        let open = rows.iter().find(|(_, asks, told)| *asks || told.is_none());
        let Some((first, ..)) = open.or(rows.last()) else { return Ok(None) };
        let damaged = || VaultError::corrupt(MAIN_FILE);
        let from = version_where(&self.main, "WHERE number = ?1", first - 1)?.ok_or_else(damaged)?;
        let to = self.notice_version()?.ok_or_else(damaged)?;
        let sql = "SELECT min(answer_by) FROM notice_versions JOIN notice_news ON version = number
             WHERE consent = ?1 AND asks AND answer IS NULL";
        let due: Option<i64> = self.main.query_row(sql, [consent.bytes()], |row| row.get(0))?;
        Ok(Some(News {
            consent,
            from: from.version,
            to: to.version,
            in_use_on: to.in_use_on,
            asks: rows.iter().any(|(_, asks, _)| *asks),
            untold: rows.iter().any(|(_, _, told)| told.is_none()),
            told_at: rows.iter().filter_map(|(_, _, told)| *told).max().map(Timestamp::from_ms),
            stopped: stopped_gates(&self.main, consent)?,
            answer_by: due.map(CivilDate::from_epoch_days),
            change: to.stand.change_since(&from.stand),
        }))
    }

    /// Records that a person was told what changed. Told once, it stays told.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`] when there is nothing to tell, and those of the disk.
    pub fn record_told(
        &mut self,
        resident: ResidentId,
        on: ToldOn,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let news = self.news_of(resident)?.ok_or(VaultError::ConsentNotCurrent)?;
        let work = self.begin()?;
        let label = match on {
            ToldOn::Screen => "screen",
            ToldOn::Paper => "paper",
        };
        let sql = "UPDATE notice_news SET told_at = ?2, told_on = ?3 WHERE consent = ?1 AND told_at IS NULL";
        if work.execute(sql, params![news.consent.bytes(), now.ms(), label])? > 0 {
            let event = AuditEvent::Notice(NoticeAudit::ChangeTold(news.consent));
            self.append_with(&work, by, &event, Some(label), None, now)?;
        }
        Ok(work.commit()?)
    }

    /// Records that a person does not agree to the change: the face in the stopped gates is erased now, the rest goes on.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`] when nothing is asked, and those of the disk.
    pub fn record_change_refused(&mut self, resident: ResidentId, now: Timestamp) -> Result<(), VaultError> {
        let news = self.news_of(resident)?.filter(|news| news.asks).ok_or(VaultError::ConsentNotCurrent)?;
        let work = self.begin()?;
        let by = Actor::Resident(resident);
        self.append(&work, by, &AuditEvent::Notice(NoticeAudit::ChangeRefused(news.consent)), now)?;
        self.end_part(&work, resident, news.consent, i64::MAX, "no", by, now)?;
        Ok(work.commit()?)
    }

    /// Ends what was not answered in time: the face in the gates of the changed part is erased. Returns whose.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn end_unanswered(&mut self, now: Timestamp) -> Result<Vec<ResidentId>, VaultError> {
        let work = self.begin()?;
        let mut ended = vec![];
        for (resident, consent, version) in unanswered(&work, now)? {
            self.end_part(&work, resident, consent, version, "unanswered", Actor::Station, now)?;
            ended.push(resident);
        }
        work.commit()?;
        Ok(ended)
    }

    /// Counts of the newest versions: who is concerned, told, and has answered. Numbers only; per person it stands on that person's page.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn version_news(&self) -> Result<Vec<VersionNews>, VaultError> {
        let mut read = self.main.prepare_cached(
            "SELECT major, minor, in_use_on, answer_by, count(notice_news.consent), coalesce(sum(asks), 0),
                 count(told_at),
                 count(*) FILTER (WHERE notice_news.consent IS NOT NULL AND told_at IS NULL AND ended_at IS NULL),
                 count(*) FILTER (WHERE asks AND answer IS NULL AND ended_at IS NULL)
             FROM notice_versions LEFT JOIN notice_news ON version = notice_versions.number
                 LEFT JOIN consents ON consents.id = notice_news.consent
             GROUP BY notice_versions.number ORDER BY notice_versions.number DESC LIMIT ?1",
        )?;
        let rows = read.query_map([VERSIONS_LISTED], |row| {
            Ok(VersionNews {
                version: Version { major: row.get(0)?, minor: row.get(1)? },
                in_use_on: CivilDate::from_epoch_days(row.get(2)?),
                answer_by: row.get::<_, Option<i64>>(3)?.map(CivilDate::from_epoch_days),
                concerned: row.get(4)?,
                asked: row.get(5)?,
                told: row.get(6)?,
                untold: row.get(7)?,
                unanswered: row.get(8)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A new consent takes the place of one whose changed part waits for an answer. `false` when the current one is not of that kind.
    pub(super) fn make_way(&self, work: &Connection, resident: ResidentId, now: Timestamp) -> Result<bool, VaultError> {
        let Some(consent) = asked_consent(work, resident)? else { return Ok(false) };
        settle(work, consent, i64::MAX, "again", now)?;
        let by = Actor::Resident(resident);
        self.end_current(work, resident, EraseReason::NoticeChanged.label(), by, now)?;
        Ok(true)
    }

    /// Ends the stopped part of a consent, up to a version: all of the consent when nothing else is left of it.
    #[allow(clippy::too_many_arguments, reason = "each is one fact of the ending")]
    fn end_part(
        &self,
        work: &Connection,
        resident: ResidentId,
        consent: ConsentId,
        up_to: i64,
        answer: &str,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let mut read = work.prepare_cached(
            "SELECT DISTINCT gate FROM notice_stopped
             WHERE consent = ?1 AND version <= ?2 AND ended_at IS NULL ORDER BY gate",
        )?;
        let rows = read.query_map(params![consent.bytes(), up_to], |row| row.get(0).map(GateId::from_bytes))?;
        let stopped: Vec<GateId> = rows.collect::<Result<_, _>>()?;
        let live = live_gates(work, consent)?;
        if live.iter().all(|gate| stopped.contains(gate)) {
            settle(work, consent, up_to, answer, now)?;
            self.end_current(work, resident, EraseReason::NoticeChanged.label(), by, now)?;
            return Ok(());
        }
        for gate in stopped.iter().copied().filter(|gate| live.contains(gate)) {
            self.drop_in(work, (resident, consent), gate, EraseReason::NoticeChanged, by, now)?;
            let event = AuditEvent::Notice(NoticeAudit::PartEnded(consent, gate));
            let label = Some(EraseReason::NoticeChanged.label());
            self.append_with(work, by, &event, label, None, now)?;
        }
        settle(work, consent, up_to, answer, now)
    }
}

/// Whether a consent's face has stopped somewhere until its person answers: nothing more may be done under it.
pub(super) fn is_stopped(view: &Connection, consent: ConsentId) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM notice_stopped WHERE consent = ?1 AND ended_at IS NULL)";
    Ok(view.query_row(sql, [consent.bytes()], |row| row.get(0))?)
}

/// The current consent of a person, when its changed part waits for an answer.
pub(super) fn asked_consent(view: &Connection, resident: ResidentId) -> Result<Option<ConsentId>, VaultError> {
    let sql = "SELECT id FROM consents WHERE resident = ?1 AND ended_at IS NULL
         AND EXISTS (SELECT 1 FROM notice_news WHERE consent = consents.id AND asks AND answer IS NULL)";
    Ok(view.query_row(sql, [resident.bytes()], |row| row.get(0).map(ConsentId::from_bytes)).optional()?)
}

/// Whose answer to a change was due before today, under which consent, and up to which version.
pub(super) fn unanswered(view: &Connection, now: Timestamp) -> Result<Vec<(ResidentId, ConsentId, i64)>, VaultError> {
    let mut read = view.prepare_cached(
        "SELECT resident, consents.id, max(version) FROM notice_news
         JOIN consents ON consents.id = notice_news.consent
         JOIN notice_versions ON notice_versions.number = notice_news.version
         WHERE consents.ended_at IS NULL AND asks AND answer IS NULL AND answer_by < ?1
         GROUP BY consents.id ORDER BY consents.id",
    )?;
    let rows = read.query_map([now.date().epoch_days()], |row| {
        Ok((ResidentId::from_bytes(row.get(0)?), ConsentId::from_bytes(row.get(1)?), row.get(2)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn settle(view: &Connection, consent: ConsentId, up_to: i64, answer: &str, now: Timestamp) -> Result<(), VaultError> {
    let sql = "UPDATE notice_news SET answer = ?3, answered_at = ?4
         WHERE consent = ?1 AND version <= ?2 AND asks AND answer IS NULL";
    view.execute(sql, params![consent.bytes(), up_to, answer, now.ms()])?;
    let sql = "UPDATE notice_stopped SET ended_at = ?3 WHERE consent = ?1 AND version <= ?2 AND ended_at IS NULL";
    view.execute(sql, params![consent.bytes(), up_to, now.ms()])?;
    Ok(())
}

/// The gates at which a consent's face has stopped until its person answers.
pub(super) fn stopped_gates(view: &Connection, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
    let sql = "SELECT DISTINCT gate FROM notice_stopped WHERE consent = ?1 AND ended_at IS NULL ORDER BY gate";
    let mut read = view.prepare_cached(sql)?;
    let rows = read.query_map([consent.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The gates that a consent names, without the doors that its person took out and those at which its face ended already with an
/// earlier change.
pub(super) fn live_gates(view: &Connection, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM notice_stopped WHERE consent = ?1 AND gate = ?2 AND ended_at IS NOT NULL)";
    let mut live = vec![];
    let gone = dropped(view, consent)?;
    for gate in gates_named(view, consent)?.into_iter().filter(|gate| !gone.contains(gate)) {
        let ended: bool = view.query_row(sql, params![consent.bytes(), gate.bytes()], |row| row.get(0))?;
        if !ended {
            live.push(gate);
        }
    }
    Ok(live)
}

/// The gates of a consent at which a change stops its face. The notice speaks of doors, whichever gate stands there now.
fn stopped_by(view: &Connection, change: &Change, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
    let mut stopped = vec![];
    for gate in live_gates(view, consent)? {
        if !change.stops(&[door_of(view, gate)?]).is_empty() {
            stopped.push(gate);
        }
    }
    Ok(stopped)
}

fn current_consents(view: &Connection) -> Result<Vec<(ConsentId, ResidentId)>, VaultError> {
    let mut read = view.prepare_cached("SELECT id, resident FROM consents WHERE ended_at IS NULL ORDER BY id")?;
    let rows =
        read.query_map([], |row| Ok((ConsentId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn was_shown(view: &Connection) -> Result<bool, VaultError> {
    Ok(view.query_row("SELECT EXISTS (SELECT 1 FROM showings)", [], |row| row.get(0))?)
}

fn parts_json(stand: &Stand) -> String {
    let parts: BTreeMap<String, &str> = stand.parts().map(|(part, words)| (part.label(), words)).collect();
    // Strings only: serialising them cannot fail.
    serde_json::to_string(&parts).unwrap_or_default()
}

/// One version by a fixed condition; `number` is its parameter where it has one.
fn version_where(view: &Connection, condition: &'static str, number: i64) -> Result<Option<VersionRow>, VaultError> {
    let sql = format!("SELECT number, major, minor, in_use_on, answer_by, parts FROM notice_versions {condition}");
    let mut read = view.prepare_cached(&sql)?;
    type Row = (i64, u32, u32, i64, Option<i64>, String);
    let of = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Row> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    };
    let row = if condition.contains("?1") { read.query_row([number], of) } else { read.query_row([], of) };
    let Some((number, major, minor, day, due, parts)) = row.optional()? else { return Ok(None) };
    let parts: BTreeMap<String, String> = serde_json::from_str(&parts).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
    let mut stand = Stand::default();
    for (label, words) in parts {
        if let Some(part) = Part::parse(&label) {
            stand.set(part, words);
        }
    }
    let (in_use_on, answer_by) = (CivilDate::from_epoch_days(day), due.map(CivilDate::from_epoch_days));
    Ok(Some(VersionRow { number, version: Version { major, minor }, in_use_on, answer_by, stand }))
}
