//! Reading the evidence again: the whole on demand, a part at every start. Rules: P69, F14.
//!
//! What is compared: records with their tree, the tree with the signed heads, openings with the records' commitments,
//! signed consents, gates' receipts, shown texts and their showing records with the digests in the log. What a reader of
//! this file alone cannot see (a cut end, an older copy put back, everything written anew by a holder of the keys) needs
//! a head that was kept elsewhere: see `gate_heads`.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tlog_tiles::{Hash, HashReader, record_hash, stored_hash_count, stored_hash_index, stored_hashes, tree_hash};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{GateId, OpId, ResidentId, TemplateId};
use crate::domain::time::Timestamp;
use crate::evidence::record::LogRecord;
use crate::evidence::{checkpoint, hex};

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::log::{Nodes, node, number, position};
use super::openings::{Found, PersonKeys};
use super::showings;

/// How long a person's evidence is kept after the last record about the person, in milliseconds: three years (CC10,
/// P56). A key that is gone earlier is a fault.
pub(super) const TERM_MS: i64 = 3 * 365 * 86_400_000;
/// Kinds of record that tell of the end of a person's records, and begin no term of their own.
pub(super) const ENDS_THE_TERM: [&str; 3] = ["identity-erased", "evidence-erased", "guardian-erased"];
/// The kind that tells of the end of the person's key: in no order of writes is the record there and the key too.
const KEY_ENDS: &str = "evidence-erased";
/// Records that a start reads again besides those of the last session.
const SLICE: u64 = 1_000;
/// Most records of the last session that a start reads again.
const TAIL_MAX: u64 = 5_000;
/// Kinds of record whose transaction also keeps a signed head of exactly that size.
const HEADED: [&str; 3] = ["locked", "head-taken", "log-exported"];

/// What reading the whole log again has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Records read.
    pub records: u64,
    /// Root over the records as they are now.
    pub root: [u8; 32],
    /// Positions of records that are not what was once written there.
    pub edited: Vec<u64>,
    /// Positions at which a record is missing.
    pub missing: Vec<u64>,
    /// Positions of tree nodes that do not follow from the records.
    pub nodes_broken: Vec<u64>,
    /// Sizes of signed heads that do not fit the log as it is now.
    pub heads_broken: Vec<u64>,
    /// Positions of records that a signed head was kept with, which is gone.
    pub heads_missing: Vec<u64>,
    /// Positions of records whose opening is missing, changed or of another record.
    pub openings_broken: Vec<u64>,
    /// Positions of records whose person's key is gone before its term.
    pub keys_gone: Vec<u64>,
    /// Positions of records that tell of the end of a person's key, which is there all the same: an old file of keys was put back.
    pub keys_back: Vec<u64>,
    /// Records whose person's key was erased at its term: the chain holds, nobody is named.
    pub erased_at_term: u64,
    /// Consents (as text ids) whose signed record does not verify, or is not the one that the log speaks of.
    pub consents_broken: Vec<String>,
    /// Gates' receipts (as text ids of the operation, or of template and gate) that are not those the log speaks of.
    pub receipts_broken: Vec<String>,
    /// Showings (as text ids, or the SHA-256 of a text) whose text or record is not what was shown.
    pub showings_broken: Vec<String>,
}

impl AuditReport {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.faults() == 0
    }

    /// How many things are wrong.
    pub fn faults(&self) -> usize {
        [&self.edited, &self.missing, &self.nodes_broken, &self.heads_broken, &self.heads_missing]
            .into_iter()
            .chain([&self.openings_broken, &self.keys_gone, &self.keys_back])
            .map(Vec::len)
            .chain([&self.consents_broken, &self.receipts_broken, &self.showings_broken].into_iter().map(Vec::len))
            .sum()
    }

    /// The first record that is not as it was, if it can be told.
    pub fn first_fault(&self) -> Option<u64> {
        let lists =
            [&self.edited, &self.missing, &self.openings_broken, &self.keys_gone, &self.keys_back, &self.heads_broken];
        lists.into_iter().filter_map(|list| list.iter().min()).min().copied()
    }
}

/// What the look at every start has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartCheck {
    /// Records in the log.
    pub records: u64,
    /// How many of them were read again this time.
    pub read: u64,
    /// Whether they, the tree and the newest signed head fit together.
    pub sound: bool,
}

/// What the log says of the documents beside it.
#[derive(Default)]
struct Told {
    consents: BTreeMap<String, String>,
    delivered: BTreeMap<String, String>,
    held: BTreeMap<(String, String), String>,
    shown: BTreeMap<String, String>,
    reached_end: BTreeMap<String, i64>,
    /// Positions at which a session began, and those whose transaction kept a head.
    unlocked: Vec<u64>,
    headed: Vec<u64>,
}

impl Vault {
    /// Reads every record again and compares it with the tree, the signed heads, the openings and the documents beside
    /// it.
    ///
    /// # Errors
    /// Those of the disk; what is wrong with the log is in the report.
    pub fn audit(&self) -> Result<AuditReport, VaultError> {
        // One snapshot: the other connection may append meanwhile.
        let view = self.main.unchecked_transaction()?;
        self.audit_view(&view)
    }

    /// [`Self::audit`], and the verdict goes into the log. What does not fit keeps face entry off until the next unlock
    /// looks again.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn audit_logged(&mut self, now: Timestamp) -> Result<AuditReport, VaultError> {
        let report = self.audit()?;
        self.start_check.sound &= report.is_sound();
        let work = self.begin()?;
        let verdict = if report.is_sound() { "sound" } else { "not-sound" };
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::LogChecked(verdict), now)?;
        work.commit()?;
        Ok(report)
    }

    /// What the look at the last unlock has shown; no longer sound when a full comparison since then found something.
    pub fn start_check(&self) -> StartCheck {
        self.start_check
    }

    pub(super) fn audit_view(&self, view: &Connection) -> Result<AuditReport, VaultError> {
        let mut report = AuditReport::default();
        let mut built = Built(vec![]);
        let mut told = Told::default();
        let mut gone: Vec<(u64, ResidentId)> = vec![];
        let mut last_of: BTreeMap<ResidentId, i64> = BTreeMap::new();
        let mut latest = i64::MIN;
        {
            let mut keys = PersonKeys::new(self);
            let mut statement = view.prepare("SELECT n, record FROM log ORDER BY n")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (n, bytes): (u64, Vec<u8>) = (position(row.get(0)?)?, row.get(1)?);
                while report.records + (report.missing.len() as u64) < n {
                    report.missing.push(report.records + report.missing.len() as u64);
                }
                let hashes =
                    stored_hashes(report.records, &bytes, &built).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
                let leaf = node(view, stored_hash_index(0, n))?;
                built.0.extend(hashes);
                report.records += 1;
                let read = LogRecord::from_bytes(&bytes).ok().filter(|record| record.n == n);
                if leaf != Some(record_hash(&bytes).0) || read.is_none() {
                    report.edited.push(n);
                }
                let Some(mut record) = read else { continue };
                latest = latest.max(record.at);
                if record.on.is_some() {
                    let (whose, found) = keys.open(view, number(n))?;
                    if record.what == KEY_ENDS && !matches!(found, Found::KeyGone(_)) {
                        report.keys_back.push(n);
                    }
                    if let Some(resident) = whose.filter(|_| !ENDS_THE_TERM.contains(&record.what.as_str())) {
                        last_of.entry(resident).and_modify(|at| *at = record.at.max(*at)).or_insert(record.at);
                    }
                    match found {
                        Found::Open(opening) => match record.clone().opened(&opening) {
                            Ok(opened) => record = opened,
                            Err(_) => report.openings_broken.push(n),
                        },
                        Found::KeyGone(resident) => gone.push((n, resident)),
                        Found::Broken => report.openings_broken.push(n),
                    }
                }
                told.take(record);
            }
        }
        let without_key: BTreeSet<ResidentId> = gone.iter().map(|(_, resident)| *resident).collect();
        for (n, resident) in gone {
            let over = last_of.get(&resident).is_some_and(|last| latest.saturating_sub(*last) >= TERM_MS);
            if over { report.erased_at_term += 1 } else { report.keys_gone.push(n) }
        }
        audit_tail(view, &mut report)?;
        audit_nodes(view, &built, &mut report)?;
        report.root = tree_hash(report.records, &built).map_err(|_| VaultError::corrupt(MAIN_FILE))?.0;
        self.audit_heads(view, &built, &told, &mut report)?;
        // Of a person whose key is gone the log tells nothing any more that rows could be compared with.
        self.audit_consents(view, &told.consents, &without_key, &mut report)?;
        audit_receipts(view, &told, &without_key, &mut report)?;
        showings::audit(self, view, (&told.shown, &told.reached_end), &without_key, &mut report)?;
        Ok(report)
    }

    fn audit_heads(
        &self,
        view: &Connection,
        built: &Built,
        told: &Told,
        report: &mut AuditReport,
    ) -> Result<(), VaultError> {
        // As bytes: a note that is no text any more is one that does not fit.
        let mut statement = view.prepare("SELECT size, CAST(note AS BLOB) FROM log_heads ORDER BY size")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let mut sizes = BTreeSet::new();
        for row in rows {
            let (size, note) = row?;
            let size = position(size)?;
            let now = (size <= report.records).then(|| tree_hash(size, built).ok()).flatten().map(|hash| hash.0);
            let note = String::from_utf8(note).unwrap_or_default();
            let fits = checkpoint::verify(&note, &self.evidence_public())
                .is_ok_and(|head| head.size == size && head.origin == self.origin_at(size) && Some(head.root) == now);
            if !fits {
                report.heads_broken.push(size);
            }
            sizes.insert(size);
        }
        report.heads_missing.extend(told.headed.iter().filter(|n| !sizes.contains(&(*n + 1))));
        let ends = told.unlocked.iter().skip(1).copied().chain([report.records]);
        for (n, end) in told.unlocked.iter().zip(ends) {
            // Damage may put the positions out of order: nothing is taken for granted of them.
            if sizes.range(n + 1..).next().is_none_or(|size| *size > end) {
                report.heads_missing.push(*n);
            }
        }
        Ok(())
    }

    /// What every start compares: the newest signed head with the tree, the records of the last session and a slice of
    /// the older ones with their leaves. The slice moves on, so that in time every record is read again.
    pub(super) fn check_start(&self, work: &Connection) -> Result<StartCheck, VaultError> {
        let records = super::log::length(work)?;
        let newest: Option<(i64, String)> = rusqlite::OptionalExtension::optional(work.query_row(
            "SELECT size, note FROM log_heads ORDER BY size DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        ))?;
        let mut check = StartCheck { records, read: 0, sound: true };
        let mut from = 0;
        if let Some((size, note)) = newest {
            let size = position(size)?;
            let root = if size <= records { tree_hash(size, &Nodes(work)).ok().map(|hash| hash.0) } else { None };
            check.sound = checkpoint::verify(&note, &self.evidence_public())
                .is_ok_and(|head| head.size == size && head.origin == self.origin_at(size) && Some(head.root) == root);
            from = size;
        }
        let before: Option<i64> =
            work.query_row("SELECT max(size) FROM log_heads WHERE size < ?1", [number(from)], |r| r.get(0))?;
        let session = before.map(position).transpose()?.unwrap_or(0).max(records.saturating_sub(TAIL_MAX));
        self.compare(work, session, records, &mut check)?;
        let kept = self.read_station(CHECKED_TO)?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        let begin = kept.map_or(0, u64::from_be_bytes);
        let begin = if begin >= session { 0 } else { begin };
        let end = (begin + SLICE).min(session);
        self.compare(work, begin, end, &mut check)?;
        self.write_station(work, CHECKED_TO, &end.to_be_bytes())?;
        Ok(check)
    }

    /// Compares the records from `from` up to `to` with their leaves.
    fn compare(&self, work: &Connection, from: u64, to: u64, check: &mut StartCheck) -> Result<(), VaultError> {
        let mut statement = work.prepare_cached("SELECT n, record FROM log WHERE n >= ?1 AND n < ?2 ORDER BY n")?;
        let mut rows = statement.query([number(from), number(to)])?;
        let mut next = from;
        while let Some(row) = rows.next()? {
            let (n, bytes): (u64, Vec<u8>) = (position(row.get(0)?)?, row.get(1)?);
            let leaf = node(work, stored_hash_index(0, n))?;
            check.sound &= n == next && leaf == Some(record_hash(&bytes).0);
            next = n + 1;
            check.read += 1;
        }
        check.sound &= next == to;
        Ok(())
    }
}

/// Where the slice of older records begins at the next start.
const CHECKED_TO: &str = "checked-to";

impl Told {
    fn take(&mut self, record: LogRecord) {
        let n = record.n;
        if HEADED.contains(&record.what.as_str()) {
            self.headed.push(n);
        }
        if record.what == "unlocked" {
            self.unlocked.push(n);
        }
        let (at, mut ids, digest) = (record.at, record.ids.into_iter(), record.digest);
        let (Some(first), second) = (ids.next(), ids.next()) else { return };
        match (record.what.as_str(), digest, second) {
            ("consented", Some(digest), _) => drop(self.consents.insert(first, digest)),
            ("delivered", Some(digest), _) => drop(self.delivered.insert(first, digest)),
            ("notice-opened", Some(digest), _) => drop(self.shown.insert(first, digest)),
            ("notice-reached-end", ..) => drop(self.reached_end.insert(first, at)),
            ("face-held", Some(digest), Some(gate)) => drop(self.held.insert((first, gate), digest)),
            _ => {}
        }
    }
}

/// Records cut off at the end leave their nodes behind.
fn audit_tail(view: &Connection, report: &mut AuditReport) -> Result<(), VaultError> {
    let mut n = report.records + report.missing.len() as u64;
    while node(view, stored_hash_index(0, n))?.is_some() {
        report.missing.push(n);
        n += 1;
    }
    Ok(())
}

/// Every node must follow from the records. Told apart only when all records are there and as they were: otherwise
/// everything above a changed record differs.
fn audit_nodes(view: &Connection, built: &Built, report: &mut AuditReport) -> Result<(), VaultError> {
    if !report.edited.is_empty() || !report.missing.is_empty() {
        return Ok(());
    }
    let mut statement = view.prepare("SELECT i, hash FROM log_nodes ORDER BY i")?;
    let mut rows = statement.query([])?;
    let mut next = 0u64;
    while let Some(row) = rows.next()? {
        let (i, hash): (u64, [u8; 32]) = (position(row.get(0)?)?, row.get(1)?);
        let follows = usize::try_from(i).ok().and_then(|at| built.0.get(at)).is_some_and(|made| made.0 == hash);
        if i != next || !follows {
            report.nodes_broken.push(i);
        }
        next = i + 1;
    }
    if next < stored_hash_count(report.records) {
        report.nodes_broken.push(next);
    }
    Ok(())
}

/// Each signed answer of a gate must be the one that the log speaks of.
fn audit_receipts(
    view: &Connection,
    told: &Told,
    without_key: &BTreeSet<ResidentId>,
    report: &mut AuditReport,
) -> Result<(), VaultError> {
    let digest = |bytes: &[u8]| hex(&Sha256::digest(bytes));
    let mut statement = view.prepare(
        "SELECT op, receipt, coalesce(consents.resident, cards.resident) FROM outbox
         LEFT JOIN consents ON consents.id = outbox.consent LEFT JOIN cards ON cards.id = outbox.card
         WHERE state = 'delivered' ORDER BY op",
    )?;
    type Row = (OpId, Option<Vec<u8>>, Option<[u8; 16]>);
    let rows = statement.query_map([], |row| Ok((OpId::from_bytes(row.get(0)?), row.get(1)?, row.get(2)?)))?;
    let mut kept = BTreeSet::new();
    for row in rows {
        let (op, receipt, whose): Row = row?;
        if whose.is_some_and(|id| without_key.contains(&ResidentId::from_bytes(id))) {
            continue;
        }
        let op = op.to_string();
        if told.delivered.get(&op) != receipt.map(|bytes| digest(&bytes)).as_ref() {
            report.receipts_broken.push(op.clone());
        }
        kept.insert(op);
    }
    report.receipts_broken.extend(told.delivered.keys().filter(|op| !kept.contains(*op)).cloned());
    let mut statement = view.prepare(
        "SELECT link, gate, receipt, resident FROM held JOIN consents ON consents.id = held.consent ORDER BY link",
    )?;
    let rows = statement.query_map([], |row| {
        let ids = (TemplateId::from_bytes(row.get(0)?).to_string(), GateId::from_bytes(row.get(1)?).to_string());
        Ok((ids, row.get::<_, Vec<u8>>(2)?, ResidentId::from_bytes(row.get(3)?)))
    })?;
    let mut kept = BTreeSet::new();
    for row in rows {
        let (ids, receipt, whose) = row?;
        if without_key.contains(&whose) {
            continue;
        }
        if told.held.get(&ids) != Some(&digest(&receipt)) {
            report.receipts_broken.push(format!("{} {}", ids.0, ids.1));
        }
        kept.insert(ids);
    }
    let lost = told.held.keys().filter(|ids| !kept.contains(*ids));
    report.receipts_broken.extend(lost.map(|(template, gate)| format!("{template} {gate}")));
    Ok(())
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
