//! The evidence log: an RFC 6962 tree in the main file, appended in the transaction that does what it tells. Rules:
//! CS1, P55, P69. Reading it again and comparing is in `audit`.
//!
//! Whoever holds the key of this file could rewrite all of it; a head that was carried out earlier (a receipt, a gate,
//! a note) shows it.

use rusqlite::{Connection, OptionalExtension, params};
use tlog_tiles::{Hash, HashReader, stored_hash_index, stored_hashes, tree_hash};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::time::Timestamp;
use crate::evidence::checkpoint::{self, Head};
use crate::evidence::record::{Draft, LogRecord};
use crate::secret::random_bytes;

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::openings::{PersonKeys, is_public};

impl Vault {
    /// Number of records.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn log_len(&self) -> Result<u64, VaultError> {
        length(&self.main)
    }

    /// A signed head of the log (C2SP checkpoint): what a visitor, a gate or a receipt carries away.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn checkpoint(&self) -> Result<String, VaultError> {
        Ok(checkpoint::sign(&self.signer, &self.head(&self.main)?)?)
    }

    /// The records from `from` on, at most `count`, with what names a person put in, as long as that person's key is
    /// there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn log_records(&self, from: u64, count: u32) -> Result<Vec<LogRecord>, VaultError> {
        let mut statement = self.main.prepare("SELECT record FROM log WHERE n >= ?1 ORDER BY n LIMIT ?2")?;
        let rows = statement.query_map(params![number(from), count], |row| row.get::<_, Vec<u8>>(0))?;
        let mut keys = PersonKeys::new(self);
        rows.map(|bytes| {
            let record = LogRecord::from_bytes(&bytes?).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            keys.opened(&self.main, record)
        })
        .collect()
    }

    /// The actor is the resident, the gate or the account; see [`LogRecord`].
    pub(super) fn append(
        &self,
        work: &Connection,
        who: Actor,
        event: &AuditEvent,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.append_with(work, who, event, None, None, now)
    }

    /// Appends one record, with a word or the digest of a document that it speaks of.
    pub(super) fn append_with(
        &self,
        work: &Connection,
        who: Actor,
        event: &AuditEvent,
        more: Option<&str>,
        digest: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let n = length(work)?;
        let draft = Draft::new(who, event, more, digest);
        let ids = draft.ids.clone();
        let mut public = vec![];
        for id in &ids {
            if is_public(work, id)? {
                public.push(id.clone());
            }
        }
        let (record, opening) = draft.seal(n, now, random_bytes(), |id| public.iter().any(|known| known == id));
        let bytes = record.to_bytes();
        let hashes = stored_hashes(n, &bytes, &Nodes(work)).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
        work.prepare_cached("INSERT INTO log (n, record) VALUES (?1, ?2)")?.execute(params![number(n), bytes])?;
        let mut insert = work.prepare_cached("INSERT INTO log_nodes (i, hash) VALUES (?1, ?2)")?;
        for (i, hash) in (stored_hash_index(0, n)..).zip(hashes) {
            insert.execute(params![number(i), hash.0])?;
        }
        match opening {
            Some(opening) => self.seal_opening(work, number(n), who, &ids, &opening),
            None => Ok(()),
        }
    }

    /// Keeps a signed head in the file, for a later audit.
    pub(super) fn keep_head(&self, work: &Connection) -> Result<(), VaultError> {
        let head = self.head(work)?;
        let note = checkpoint::sign(&self.signer, &head)?;
        work.execute("INSERT OR IGNORE INTO log_heads (size, note) VALUES (?1, ?2)", params![number(head.size), note])?;
        Ok(())
    }

    /// Size and root now.
    pub(super) fn head(&self, view: &Connection) -> Result<Head, VaultError> {
        let size = length(view)?;
        let root = tree_hash(size, &Nodes(view)).map_err(|_| VaultError::corrupt(MAIN_FILE))?.0;
        Ok(Head { origin: self.origin(), size, root })
    }

    /// The name of this log in heads. A restored backup goes on under another name: what it lost can never be said again by this log, and
    /// gates keep the last head of the one before.
    pub(super) fn origin(&self) -> String {
        self.origin_at(u64::MAX)
    }

    /// The name under which a head of so many records was signed.
    pub(super) fn origin_at(&self, size: u64) -> String {
        let restarts = self.restarts.iter().filter(|begun| **begun < size).count();
        let ending = if restarts == 0 { String::new() } else { format!("/{restarts}") };
        format!("menka.{}/{}{ending}", self.realm.label(), self.site)
    }

    /// At which sizes a backup was put in the place of the log.
    pub(super) fn read_restarts(&self) -> Result<Vec<u64>, VaultError> {
        let stored = self.read_station(RESTARTS)?.unwrap_or_default();
        let (sizes, rest) = stored.as_chunks::<8>();
        if rest.is_empty() {
            Ok(sizes.iter().copied().map(u64::from_be_bytes).collect())
        } else {
            Err(VaultError::corrupt(MAIN_FILE))
        }
    }

    /// Begins a log of another name from here on.
    pub(super) fn begin_restart(&mut self) -> Result<(), VaultError> {
        self.restarts.push(length(&self.main)?);
        let stored: Vec<u8> = self.restarts.iter().flat_map(|size| size.to_be_bytes()).collect();
        let work = self.begin()?;
        self.write_station(&work, RESTARTS, &stored)?;
        Ok(work.commit()?)
    }
}

/// Where the restarts of the log are kept.
const RESTARTS: &str = "restarts";

pub(super) fn length(view: &Connection) -> Result<u64, VaultError> {
    position(view.prepare_cached("SELECT coalesce(max(n) + 1, 0) FROM log")?.query_row([], |row| row.get(0))?)
}

pub(super) fn node(view: &Connection, i: u64) -> Result<Option<[u8; 32]>, VaultError> {
    let mut statement = view.prepare_cached("SELECT hash FROM log_nodes WHERE i = ?1")?;
    Ok(statement.query_row([number(i)], |row| row.get(0)).optional()?)
}

/// A position as SQLite stores it.
pub(super) fn number(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// A position as it was stored.
pub(super) fn position(number: i64) -> Result<u64, VaultError> {
    u64::try_from(number).map_err(|_| VaultError::corrupt(MAIN_FILE))
}

/// The tree as it is stored.
pub(super) struct Nodes<'a>(pub(super) &'a Connection);

impl HashReader for Nodes<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |i: &u64| node(self.0, *i).ok().flatten().map(Hash).ok_or(tlog_tiles::Error::IndexesNotInTree);
        indexes.iter().map(read).collect()
    }
}
