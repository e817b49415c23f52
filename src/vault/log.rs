//! The evidence log: an RFC 6962 tree in the main file, appended in the transaction that does what it tells. Rules:
//! CS1, P55.
//!
//! Whoever holds the key of this file could rewrite all of it; a head that was carried out earlier (a receipt, a gate,
//! a note) shows it.

use rusqlite::{Connection, OptionalExtension, params};
use tlog_tiles::{Hash, HashReader, stored_hash_index, stored_hashes, tree_hash};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::time::Timestamp;
use crate::evidence::checkpoint::{self, Head};
use crate::evidence::record::LogRecord;

use super::Vault;
use super::error::{MAIN_FILE, VaultError};

/// What reading the whole log again has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Records read.
    pub records: u64,
    /// Root over the records as they are now.
    pub root: [u8; 32],
    /// Positions of records that are not what was once written there.
    pub edited: Vec<u64>,
    /// Positions at which a record is missing.
    pub missing: Vec<u64>,
    /// Sizes of signed heads that do not fit the log as it is now.
    pub heads_broken: Vec<u64>,
    /// Consents (as text ids) whose signed record does not verify, or is not the one that the log speaks of.
    pub consents_broken: Vec<String>,
}

impl AuditReport {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.edited.is_empty()
            && self.missing.is_empty()
            && self.heads_broken.is_empty()
            && self.consents_broken.is_empty()
    }
}

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

    /// The records from `from` on, at most `count`, as stored.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn log_records(&self, from: u64, count: u32) -> Result<Vec<LogRecord>, VaultError> {
        let mut statement = self.main.prepare("SELECT record FROM log WHERE n >= ?1 ORDER BY n LIMIT ?2")?;
        let rows = statement.query_map(params![number(from), count], |row| row.get::<_, Vec<u8>>(0))?;
        rows.map(|bytes| LogRecord::from_bytes(&bytes?).map_err(|_| VaultError::corrupt(MAIN_FILE))).collect()
    }

    /// Reads every record again and compares it with the tree, the signed heads and the signed consents.
    ///
    /// # Errors
    /// Those of the disk; what is wrong with the log is in the report.
    pub fn audit(&self) -> Result<AuditReport, VaultError> {
        // One snapshot: the other connection may append meanwhile.
        let view = self.main.unchecked_transaction()?;
        let mut report = AuditReport {
            records: 0,
            root: [0; 32],
            edited: vec![],
            missing: vec![],
            heads_broken: vec![],
            consents_broken: vec![],
        };
        let mut built = Built(vec![]);
        let mut digests = std::collections::BTreeMap::new();
        {
            let mut statement = view.prepare("SELECT n, record FROM log ORDER BY n")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (n, bytes): (u64, Vec<u8>) = (position(row.get(0)?)?, row.get(1)?);
                while report.records + (report.missing.len() as u64) < n {
                    report.missing.push(report.records + report.missing.len() as u64);
                }
                let hashes =
                    stored_hashes(report.records, &bytes, &built).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
                let leaf = node(&view, stored_hash_index(0, n))?;
                let read = LogRecord::from_bytes(&bytes);
                if leaf != hashes.first().map(|h| h.0) || !read.as_ref().is_ok_and(|record| record.n == n) {
                    report.edited.push(n);
                }
                if let Ok(record) = read
                    && record.what == "consented"
                    && let (Some(id), Some(digest)) = (record.ids.into_iter().next(), record.digest)
                {
                    digests.insert(id, digest);
                }
                built.0.extend(hashes);
                report.records += 1;
            }
        }
        self.audit_tail(&view, &mut report)?;
        report.root = tree_hash(report.records, &built).map_err(|_| VaultError::corrupt(MAIN_FILE))?.0;
        self.audit_heads(&view, &built, &mut report)?;
        self.audit_consents(&view, &digests, &mut report)?;
        Ok(report)
    }

    /// Records cut off at the end leave their nodes, or a signed head, behind.
    fn audit_tail(&self, view: &Connection, report: &mut AuditReport) -> Result<(), VaultError> {
        let mut n = report.records + report.missing.len() as u64;
        while node(view, stored_hash_index(0, n))?.is_some() {
            report.missing.push(n);
            n += 1;
        }
        Ok(())
    }

    fn audit_heads(&self, view: &Connection, built: &Built, report: &mut AuditReport) -> Result<(), VaultError> {
        let mut statement = view.prepare("SELECT size, note FROM log_heads ORDER BY size")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        for row in rows {
            let (size, note) = row?;
            let size = position(size)?;
            let now = (size <= report.records).then(|| tree_hash(size, built).ok()).flatten().map(|hash| hash.0);
            let fits = checkpoint::verify(&note, &self.evidence_public())
                .is_ok_and(|head| head.size == size && head.origin == self.origin() && Some(head.root) == now);
            if !fits {
                report.heads_broken.push(size);
            }
        }
        Ok(())
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
        let bytes = LogRecord::new(n, now, who, event, more, digest).to_bytes();
        let hashes = stored_hashes(n, &bytes, &Nodes(work)).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
        work.prepare_cached("INSERT INTO log (n, record) VALUES (?1, ?2)")?.execute(params![number(n), bytes])?;
        let mut insert = work.prepare_cached("INSERT INTO log_nodes (i, hash) VALUES (?1, ?2)")?;
        for (i, hash) in (stored_hash_index(0, n)..).zip(hashes) {
            insert.execute(params![number(i), hash.0])?;
        }
        Ok(())
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

    fn origin(&self) -> String {
        format!("menka.{}/{}", self.realm.label(), self.site)
    }
}

pub(super) fn length(view: &Connection) -> Result<u64, VaultError> {
    position(view.prepare_cached("SELECT coalesce(max(n) + 1, 0) FROM log")?.query_row([], |row| row.get(0))?)
}

fn node(view: &Connection, i: u64) -> Result<Option<[u8; 32]>, VaultError> {
    let mut statement = view.prepare_cached("SELECT hash FROM log_nodes WHERE i = ?1")?;
    Ok(statement.query_row([number(i)], |row| row.get(0)).optional()?)
}

/// A position as SQLite stores it.
fn number(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// A position as it was stored.
fn position(number: i64) -> Result<u64, VaultError> {
    u64::try_from(number).map_err(|_| VaultError::corrupt(MAIN_FILE))
}

/// The tree as it is stored.
struct Nodes<'a>(&'a Connection);

impl HashReader for Nodes<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |i: &u64| node(self.0, *i).ok().flatten().map(Hash).ok_or(tlog_tiles::Error::IndexesNotInTree);
        indexes.iter().map(read).collect()
    }
}

/// The tree as the records make it.
struct Built(Vec<Hash>);

impl HashReader for Built {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |i: &u64| {
            let at = usize::try_from(*i).ok();
            at.and_then(|at| self.0.get(at)).copied().ok_or(tlog_tiles::Error::IndexesNotInTree)
        };
        indexes.iter().map(read).collect()
    }
}
