//! What names a person in the log: sealed under that person's key, beside the record that commits to it. Rules: CC10,
//! LSZ4, P69.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::audit::Actor;
use crate::domain::id::ResidentId;
use crate::evidence::opening::Opening;
use crate::evidence::record::LogRecord;

use super::Vault;
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use super::keys::VaultKey;

/// What became of an opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Here it is.
    Open(Opening),
    /// The person's key is gone; whose it was.
    KeyGone(ResidentId),
    /// The row is missing, changed, or of another record.
    Broken,
}

/// The keys of persons, each read once.
pub(super) struct PersonKeys<'a> {
    vault: &'a Vault,
    known: BTreeMap<ResidentId, Option<VaultKey>>,
}

impl<'a> PersonKeys<'a> {
    /// None read yet.
    pub(super) fn new(vault: &'a Vault) -> Self {
        Self { vault, known: BTreeMap::new() }
    }

    fn of(&mut self, resident: ResidentId) -> Result<Option<&VaultKey>, VaultError> {
        if !self.known.contains_key(&resident) {
            let key = match self.vault.person_key(resident) {
                Ok(key) => Some(key),
                Err(VaultError::Corrupt { file }) if file == KEYS_FILE => None,
                Err(error) => return Err(error),
            };
            self.known.insert(resident, key);
        }
        Ok(self.known.get(&resident).and_then(Option::as_ref))
    }

    /// The opening of the record at `n`, and whose key it is under.
    pub(super) fn open(&mut self, view: &Connection, n: i64) -> Result<(Option<ResidentId>, Found), VaultError> {
        let sql = "SELECT resident, sealed FROM log_details WHERE n = ?1";
        let row: Option<(Option<[u8; 16]>, Vec<u8>)> =
            view.prepare_cached(sql)?.query_row([n], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((resident, sealed)) = row else { return Ok((None, Found::Broken)) };
        let resident = resident.map(ResidentId::from_bytes);
        let plain = match resident {
            None => self.vault.ring.station.open(&place(n), &sealed),
            Some(resident) => match self.of(resident)? {
                None => return Ok((Some(resident), Found::KeyGone(resident))),
                Some(key) => key.open(&place(n), &sealed),
            },
        };
        let opening = plain.and_then(|bytes| Opening::from_bytes(&bytes).ok());
        Ok((resident, opening.map_or(Found::Broken, Found::Open)))
    }

    /// The record as its keeper reads it; as it is stored when it cannot be opened.
    pub(super) fn opened(&mut self, view: &Connection, record: LogRecord) -> Result<LogRecord, VaultError> {
        if record.on.is_none() {
            return Ok(record);
        }
        match self.open(view, i64::try_from(record.n).unwrap_or(i64::MAX))? {
            (_, Found::Open(opening)) => Ok(record.clone().opened(&opening).unwrap_or(record)),
            _ => Ok(record),
        }
    }
}

impl Vault {
    /// Seals an opening beside the record at `n`, under the key of the person whom the record concerns.
    pub(super) fn seal_opening(
        &self,
        work: &Connection,
        n: i64,
        who: Actor,
        ids: &[String],
        opening: &Opening,
    ) -> Result<(), VaultError> {
        let subject = subject_of(work, who, ids)?;
        // Somebody's key may be missing for a time (an older file of keys was put back): what the station does meanwhile is its own record.
        let key = subject.map_or(Ok(None), |resident| self.people_keys.own_of(resident))?;
        let subject = subject.filter(|_| key.is_some());
        let sealed = key.as_ref().unwrap_or(&self.ring.station).seal(&place(n), &opening.to_bytes())?;
        let sql = "INSERT INTO log_details (n, resident, sealed) VALUES (?1, ?2, ?3)";
        work.prepare_cached(sql)?.execute(params![n, subject.map(|r| *r.bytes()), sealed])?;
        Ok(())
    }

    /// Every record about a person, opened, with the bytes as stored.
    pub(super) fn entries_of(
        &self,
        view: &Connection,
        resident: ResidentId,
    ) -> Result<Vec<(Vec<u8>, Opening, LogRecord)>, VaultError> {
        let mut keys = PersonKeys::new(self);
        let sql = "SELECT log.n, record FROM log JOIN log_details ON log_details.n = log.n
             WHERE resident = ?1 ORDER BY log.n";
        let mut statement = view.prepare_cached(sql)?;
        let rows =
            statement.query_map([resident.bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let mut entries = vec![];
        for row in rows {
            let (n, bytes) = row?;
            let record = LogRecord::from_bytes(&bytes).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            let (_, Found::Open(opening)) = keys.open(view, n)? else {
                return Err(VaultError::corrupt(MAIN_FILE));
            };
            let record = record.opened(&opening).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            entries.push((bytes, opening, record));
        }
        Ok(entries)
    }
}

/// Whether an id names no person: a gate's or an account's.
pub(super) fn is_public(view: &Connection, id: &str) -> Result<bool, VaultError> {
    let Some(id) = ResidentId::parse(id) else { return Ok(false) };
    let sql = "SELECT EXISTS (SELECT 1 FROM gates WHERE id = ?1) OR EXISTS (SELECT 1 FROM staff WHERE id = ?1)";
    Ok(view.prepare_cached(sql)?.query_row([id.bytes()], |row| row.get(0))?)
}

/// Whom a record concerns: the resident who acted, or the person behind the first id that leads to one.
fn subject_of(view: &Connection, who: Actor, ids: &[String]) -> Result<Option<ResidentId>, VaultError> {
    if let Actor::Resident(resident) = who {
        return Ok(Some(resident));
    }
    let mut statement = view.prepare_cached(
        "SELECT id FROM residents WHERE id = ?1
         UNION ALL SELECT resident FROM consents WHERE id = ?1
         UNION ALL SELECT resident FROM consents WHERE link = ?1
         UNION ALL SELECT resident FROM showings WHERE id = ?1
         UNION ALL SELECT resident FROM cards WHERE id = ?1
         UNION ALL SELECT resident FROM outbox JOIN consents ON consents.id = outbox.consent WHERE op = ?1
         UNION ALL SELECT resident FROM outbox JOIN cards ON cards.id = outbox.card WHERE op = ?1
         LIMIT 1",
    )?;
    for id in ids.iter().filter_map(|id| ResidentId::parse(id)) {
        let found = statement.query_row([id.bytes()], |row| row.get(0).map(ResidentId::from_bytes)).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn place(n: i64) -> Vec<u8> {
    format!("log/{n}/detail").into_bytes()
}
