//! What was shown to a person, kept so that it can be shown again byte for byte, and given away in one file. Rules: P14,
//! P17, P69.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use tlog_tiles::prove_record;

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{ConsentId, ResidentId, ShowingId};
use crate::domain::notice::NoticeShown;
use crate::domain::time::Timestamp;
use crate::evidence::bundle::{self, Bundle};
use crate::evidence::opening::{Entry, Opening};
use crate::evidence::record::LogRecord;
use crate::evidence::showing::Showing;
use crate::evidence::{checkpoint, hex};

use super::Vault;
use super::audit::AuditReport;
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use super::log::Nodes;

/// What a text on a person's screen was made of, besides its wording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownFrom {
    /// Size of the letters when it opened, in percent, if the window stated it.
    pub letters_percent: Option<u16>,
    /// Placeholder and value.
    pub inputs: BTreeMap<String, String>,
}

/// One showing of a person, for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRow {
    /// Which.
    pub showing: ShowingId,
    /// Number of the notice.
    pub notice_id: String,
    /// Its version.
    pub version: String,
    /// Language tag.
    pub language: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When its end was on screen.
    pub reached_end_at: Option<Timestamp>,
}

impl Vault {
    /// What was shown to a person, newest first, at most `count`.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn showings(&self, resident: ResidentId, count: u32) -> Result<Vec<ShownRow>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT id, notice_id, notice_version, language, opened_at, reached_end_at FROM showings
             WHERE resident = ?1 ORDER BY opened_at DESC, id LIMIT ?2",
        )?;
        let rows = statement.query_map(params![resident.bytes(), count], |row| {
            Ok(ShownRow {
                showing: ShowingId::from_bytes(row.get(0)?),
                notice_id: row.get(1)?,
                version: row.get(2)?,
                language: row.get(3)?,
                opened_at: Timestamp::from_ms(row.get(4)?),
                reached_end_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_ms),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The showing under which a consent was given: the last one of that text that was read to its end before it.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn showing_of(&self, consent: ConsentId) -> Result<ShowingId, VaultError> {
        let sql = "SELECT showings.id FROM consents JOIN showings ON showings.resident = consents.resident
                 AND showings.text_sha256 = consents.text_sha256 AND showings.reached_end_at IS NOT NULL
             WHERE consents.id = ?1 ORDER BY opened_at > signed_at, opened_at DESC LIMIT 1";
        Ok(self.main.query_row(sql, [consent.bytes()], |row| row.get(0).map(ShowingId::from_bytes))?)
    }

    /// Everything about one showing in one file for the person, checked before it is given away: what does not pass its
    /// own check is refused. Logged.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::NotAsShown`] with the failing step, and those of the disk.
    pub fn replay_bundle(&mut self, showing: ShowingId, now: Timestamp) -> Result<Vec<u8>, VaultError> {
        self.replay_bundle_by(showing, Actor::Staff(self.staff), now)
    }

    /// [`Self::replay_bundle`], naming who asked: the person too takes it away by an act of their own.
    ///
    /// # Errors
    /// As [`Self::replay_bundle`].
    pub fn replay_bundle_by(&mut self, showing: ShowingId, by: Actor, now: Timestamp) -> Result<Vec<u8>, VaultError> {
        self.bundle_logged(showing, by, AuditEvent::ReplaySaved(showing), now)
    }

    /// The exact text of one showing, byte for byte, after the same checks as [`Self::replay_bundle`]. Logged.
    ///
    /// # Errors
    /// As [`Self::replay_bundle`].
    pub fn show_again(&mut self, showing: ShowingId, now: Timestamp) -> Result<bundle::Replayed, VaultError> {
        self.show_again_by(showing, Actor::Staff(self.staff), now)
    }

    /// [`Self::show_again`], naming who looked.
    ///
    /// # Errors
    /// As [`Self::replay_bundle`].
    pub fn show_again_by(
        &mut self,
        showing: ShowingId,
        by: Actor,
        now: Timestamp,
    ) -> Result<bundle::Replayed, VaultError> {
        let bytes = self.bundle_logged(showing, by, AuditEvent::ShownAgain(showing), now)?;
        bundle::verify(&bytes, &self.evidence_public()).map_err(|failed| VaultError::NotAsShown(failed.0))
    }

    fn bundle_logged(
        &mut self,
        showing: ShowingId,
        by: Actor,
        event: AuditEvent,
        now: Timestamp,
    ) -> Result<Vec<u8>, VaultError> {
        let work = self.begin()?;
        self.append(&work, by, &event, now)?;
        let bytes = self.bundle(&work, showing, now)?;
        bundle::verify(&bytes, &self.evidence_public()).map_err(|failed| VaultError::NotAsShown(failed.0))?;
        work.commit()?;
        Ok(bytes)
    }

    pub(super) fn bundle(&self, view: &Connection, showing: ShowingId, now: Timestamp) -> Result<Vec<u8>, VaultError> {
        let sql = "SELECT showings.resident, text_sha256, sealed FROM showings
             JOIN showing_records ON showing = id WHERE id = ?1";
        let (resident, sha256, sealed): ([u8; 16], [u8; 32], Vec<u8>) =
            view.query_row(sql, [showing.bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let resident = ResidentId::from_bytes(resident);
        let damaged = || VaultError::corrupt(MAIN_FILE);
        let record = self.person_key(resident)?.open(&place(showing), &sealed).ok_or_else(damaged)?;
        let text: String = view.query_row("SELECT body FROM texts WHERE sha256 = ?1", [sha256], |row| row.get(0))?;
        let sql = "SELECT id, evidence FROM consents WHERE resident = ?1 AND text_sha256 = ?2 ORDER BY signed_at DESC LIMIT 1";
        let consent: Option<(ConsentId, Vec<u8>)> = view
            .query_row(sql, params![resident.bytes(), sha256], |row| {
                Ok((ConsentId::from_bytes(row.get(0)?), row.get(1)?))
            })
            .optional()?;

        let head = self.head(view)?;
        let entries = self.entries_of(view, resident)?;
        let entry = |what: &str, id: String| -> Result<Option<Entry>, VaultError> {
            let is = |(_, _, read): &&(Vec<u8>, Opening, LogRecord)| read.what == what && read.ids.first() == Some(&id);
            let Some((bytes, opening, read)) = entries.iter().find(is) else { return Ok(None) };
            let proof = prove_record(head.size, read.n, &Nodes(view)).map_err(|_| damaged())?;
            let proof: Vec<[u8; 32]> = proof.into_iter().map(|hash| hash.0).collect();
            Ok(Some(Entry::new(bytes, opening, &proof)?))
        };
        let consented = match &consent {
            Some((id, _)) => entry("consented", id.to_string())?,
            None => None,
        };
        let bundle = Bundle {
            schema: bundle::SCHEMA.into(),
            made_at: now.ms(),
            station_key: hex(&self.evidence_public()),
            text,
            showing: String::from_utf8(record.to_vec()).map_err(|_| damaged())?,
            shown: entry("notice-opened", showing.to_string())?.ok_or_else(damaged)?,
            read: entry("notice-reached-end", showing.to_string())?,
            consent: consent.map(|(_, evidence)| hex(&evidence)),
            consented,
            head: checkpoint::sign(&self.signer, &head)?,
            signature: String::new(),
        };
        Ok(bundle.sign(&self.signer).to_bytes())
    }

    /// Writes the showing record, sealed; returns its SHA-256 for the log.
    pub(super) fn write_showing_record(
        &self,
        work: &Connection,
        shown: &NoticeShown,
        from: &ShownFrom,
    ) -> Result<[u8; 32], VaultError> {
        let record = Showing::new(shown, from.letters_percent, &from.inputs).to_bytes();
        let sealed = self.person_key(shown.resident)?.seal(&place(shown.id), &record)?;
        let sql = "INSERT INTO showing_records (showing, sealed) VALUES (?1, ?2)";
        work.execute(sql, params![shown.id.bytes(), sealed])?;
        Ok(Sha256::digest(&record).into())
    }
}

/// Compares every shown text and every showing with what the log says of them.
pub(super) fn audit(
    vault: &Vault,
    view: &Connection,
    (shown, reached_end): (&BTreeMap<String, String>, &BTreeMap<String, i64>),
    without_key: &BTreeSet<ResidentId>,
    report: &mut AuditReport,
) -> Result<(), VaultError> {
    // As bytes: a body that is no valid text any more is compared all the same.
    let mut statement = view.prepare("SELECT sha256, CAST(body AS BLOB) FROM texts ORDER BY sha256")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let mut texts = BTreeSet::new();
    for row in rows {
        let (sha256, body) = row?;
        let overwritten = body.is_empty() && was_theirs_alone(view, &sha256, without_key)?;
        if <[u8; 32]>::from(Sha256::digest(&body)) != sha256 && !overwritten {
            report.showings_broken.push(hex(&sha256));
        }
        texts.insert(sha256);
    }
    let mut statement = view.prepare(
        "SELECT id, showings.resident, notice_id, notice_version, language, text_sha256, opened_at, reached_end_at, sealed
         FROM showings LEFT JOIN showing_records ON showing = id ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut kept = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let (id, resident) = (ShowingId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(1)?));
        if without_key.contains(&resident) {
            continue;
        }
        let (sha256, opened_at): ([u8; 32], i64) = (row.get(5)?, row.get(6)?);
        let (reached, sealed): (Option<i64>, Option<Vec<u8>>) = (row.get(7)?, row.get(8)?);
        let key = match vault.person_key(resident) {
            Ok(key) => Some(key),
            Err(VaultError::Corrupt { file }) if file == KEYS_FILE => None,
            Err(error) => return Err(error),
        };
        let record = key.zip(sealed).and_then(|(key, sealed)| key.open(&place(id), &sealed));
        let told = record.as_ref().and_then(|bytes| Showing::from_bytes(bytes).ok());
        let digest = record.as_ref().map(|bytes| hex(&Sha256::digest(bytes)));
        let stated = Showing {
            schema: crate::evidence::showing::SCHEMA.into(),
            showing: id.to_string(),
            resident: resident.to_string(),
            notice_id: row.get(2)?,
            notice_version: row.get(3)?,
            language: row.get(4)?,
            letters_percent: told.as_ref().and_then(|t| t.letters_percent),
            text_sha256: hex(&sha256),
            opened_at,
            inputs: told.as_ref().map(|t| t.inputs.clone()).unwrap_or_default(),
        };
        let text_id = id.to_string();
        let end = reached_end.get(&text_id).map(|at| (*at).max(opened_at));
        let recorded = told.as_ref() == Some(&stated) && digest.is_some() && shown.get(&text_id) == digest.as_ref();
        // Version 1 of the log had no showing record: it speaks of the text itself.
        let early = record.is_none() && shown.get(&text_id) == Some(&hex(&sha256));
        if !((recorded || early) && end == reached && texts.contains(&sha256)) {
            report.showings_broken.push(text_id.clone());
        }
        kept.insert(text_id);
    }
    report.showings_broken.extend(shown.keys().filter(|id| !kept.contains(*id)).cloned());
    Ok(())
}

/// Whether a text was shown to persons only whose evidence has reached its term; such a text is overwritten with the key.
fn was_theirs_alone(
    view: &Connection,
    sha256: &[u8; 32],
    without_key: &BTreeSet<ResidentId>,
) -> Result<bool, VaultError> {
    let mut statement = view.prepare_cached("SELECT DISTINCT resident FROM showings WHERE text_sha256 = ?1")?;
    let rows = statement.query_map([sha256], |row| row.get(0).map(ResidentId::from_bytes))?;
    let shown_to: Vec<ResidentId> = rows.collect::<Result<_, _>>()?;
    Ok(!shown_to.is_empty() && shown_to.iter().all(|resident| without_key.contains(resident)))
}

pub(super) fn place(showing: ShowingId) -> Vec<u8> {
    format!("showings/{showing}/record").into_bytes()
}
