//! The log seen from outside: heads that gates keep, heads on paper, the log given to an inspector. Rules: P69, P63.

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};
use tlog_tiles::{prove_tree, tree_hash};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::GateId;
use crate::domain::time::Timestamp;
use crate::evidence::checkpoint::{self, Head};
use crate::evidence::export::{self, Elsewhere, Footer, Header, Kept, Witnessed};
use crate::evidence::{EvidenceError, head, hex};

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::log::{Nodes, length, number};

/// How the head that a gate keeps compares with this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadState {
    /// This log continues it.
    Fits,
    /// The gate has seen a longer log: an end was cut off here, or an older copy was put back.
    Ahead,
    /// The gate has seen another log of that length: this one was written anew.
    Differs,
    /// The gate keeps a head of this log that this station's key did not sign.
    OtherKey,
}

impl HeadState {
    /// The word in the database and in the log; `None` when it fits.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Self::Fits => None,
            Self::Ahead => Some("ahead"),
            Self::Differs => Some("differs"),
            Self::OtherKey => Some("other-key"),
        }
    }

    fn of(label: Option<&str>) -> Self {
        [Self::Ahead, Self::Differs, Self::OtherKey].into_iter().find(|s| s.label() == label).unwrap_or(Self::Fits)
    }
}

/// The newest head that a gate was seen to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateHead {
    /// Which gate.
    pub gate: GateId,
    /// Records it stands for.
    pub size: u64,
    /// The note, cosigned by the gate.
    pub note: String,
    /// When this station saw it.
    pub seen_at: Timestamp,
    /// How it compares.
    pub state: HeadState,
}

/// A signed head to be kept by a gate, with the proof that it continues the one that the gate keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The signed note.
    pub note: String,
    /// Records in the head that the gate keeps; 0 for none.
    pub old_size: u64,
    /// RFC 6962 consistency proof; empty when the gate keeps none.
    pub proof: Vec<[u8; 32]>,
}

impl Vault {
    /// Compares the head that a gate says it keeps with this log, and notes the result. A conflict is logged once.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] gate, [`VaultError::Evidence`] when the gate did not cosign it, and those of the disk.
    pub fn record_gate_head(&mut self, gate: GateId, note: &str, now: Timestamp) -> Result<GateHead, VaultError> {
        let work = self.begin()?;
        let sql = "SELECT sign_key FROM gates WHERE id = ?1";
        let gate_key: [u8; 32] = work.query_row(sql, [gate.bytes()], |row| row.get(0))?;
        head::cosigned_at(note, &gate.to_string(), &gate_key)?;
        let kept = checkpoint::verify(note, &self.evidence_public()).ok().filter(|kept| kept.origin == self.origin());
        let (state, size) = match &kept {
            None => (HeadState::OtherKey, 0),
            Some(kept) => (self.judge(&work, &Elsewhere::Signed(kept.clone()))?.into(), kept.size),
        };
        let sql = "SELECT size, conflict FROM gate_heads WHERE gate = ?1";
        let before: Option<(i64, Option<String>)> =
            work.query_row(sql, [gate.bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let known = before.as_ref().map(|(size, conflict)| (*size, HeadState::of(conflict.as_deref())));
        let head = GateHead { gate, size, note: note.to_owned(), seen_at: now, state };
        if known == Some((number(size), state)) {
            return Ok(head);
        }
        work.execute(
            "INSERT INTO gate_heads (gate, size, note, seen_at, conflict) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (gate) DO UPDATE SET size = ?2, note = ?3, seen_at = ?4, conflict = ?5",
            params![gate.bytes(), number(size), note, now.ms(), state.label()],
        )?;
        if let Some(why) = state.label().filter(|_| known.is_none_or(|(_, before)| before != state)) {
            self.append(&work, Actor::Gate(gate), &AuditEvent::HeadConflict(gate, why), now)?;
        }
        work.commit()?;
        Ok(head)
    }

    /// A gate keeps no head of this log: it was paired anew, by an act at the gate, or never given one.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn forget_gate_head(&mut self, gate: GateId) -> Result<(), VaultError> {
        self.main.execute("DELETE FROM gate_heads WHERE gate = ?1", [gate.bytes()])?;
        Ok(())
    }

    /// The heads that gates were last seen to keep.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gate_heads(&self) -> Result<Vec<GateHead>, VaultError> {
        let sql = "SELECT gate, size, note, seen_at, conflict FROM gate_heads ORDER BY gate";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(GateHead {
                gate: GateId::from_bytes(row.get(0)?),
                size: row.get::<_, i64>(1)?.unsigned_abs(),
                note: row.get(2)?,
                seen_at: Timestamp::from_ms(row.get(3)?),
                state: HeadState::of(row.get::<_, Option<String>>(4)?.as_deref()),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The head of now for a gate that keeps one of `old_size` records (0: none).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn offer_head(&self, old_size: u64) -> Result<Offer, VaultError> {
        let view = self.main.unchecked_transaction()?;
        let head = self.head(&view)?;
        let proof = if (1..=head.size).contains(&old_size) {
            prove_tree(head.size, old_size, &Nodes(&view)).map_err(|_| VaultError::corrupt(MAIN_FILE))?
        } else {
            vec![]
        };
        let proof = proof.into_iter().map(|hash| hash.0).collect();
        Ok(Offer { note: checkpoint::sign(&self.signer, &head)?, old_size, proof })
    }

    /// The name of this log in heads.
    pub fn log_origin(&self) -> String {
        self.origin()
    }

    /// A signed head to be taken outside on paper. Logged; a copy stays in the file.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn take_head(&mut self, now: Timestamp) -> Result<(Head, String), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::HeadTaken, now)?;
        self.keep_head(&work)?;
        let head = self.head(&work)?;
        let note = checkpoint::sign(&self.signer, &head)?;
        work.commit()?;
        Ok((head, note))
    }

    /// Compares a head that lay elsewhere (typed from paper, scanned, or a signed note) with this log.
    ///
    /// # Errors
    /// [`VaultError::Evidence`] when it is not a head of this station, and those of the disk.
    pub fn check_elsewhere(&self, text: &str) -> Result<Witnessed, VaultError> {
        let elsewhere = Elsewhere::parse(text, &self.evidence_public())?;
        if matches!(&elsewhere, Elsewhere::Signed(head) if head.origin != self.origin() && head.origin != self.origin_at(head.size))
        {
            return Err(EvidenceError::Malformed.into());
        }
        let view = self.main.unchecked_transaction()?;
        self.judge(&view, &elsewhere)
    }

    /// The whole log as one file for an inspector: records, hash list, signed heads, heads of gates; no names. Who asked
    /// for it is in the file and stays at the desk (rule P63).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn export_log(&mut self, authority: &str, case_number: &str, now: Timestamp) -> Result<String, VaultError> {
        let work = self.begin()?;
        let n = length(&work)?;
        let asked = serde_json::json!({ "authority": authority, "case_number": case_number }).to_string();
        let digest = Sha256::digest(asked.as_bytes()).into();
        self.append_with(&work, Actor::Staff(self.staff), &AuditEvent::LogExported, None, Some(digest), now)?;
        let sql = "INSERT INTO log_exports (n, authority, case_number, made_at) VALUES (?1, ?2, ?3, ?4)";
        work.execute(sql, params![number(n), authority, case_number, now.ms()])?;
        let heads: Vec<String> = work
            .prepare("SELECT note FROM log_heads WHERE size > ?1 ORDER BY size")?
            .query_map([number(self.restarts.last().copied().unwrap_or(0))], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let kept: Vec<Kept> = work
            .prepare("SELECT gate, sign_key, note FROM gate_heads JOIN gates ON gates.id = gate ORDER BY gate")?
            .query_map([], |row| {
                let (gate, key): ([u8; 16], [u8; 32]) = (row.get(0)?, row.get(1)?);
                Ok(Kept { gate: GateId::from_bytes(gate).to_string(), gate_key: hex(&key), note: row.get(2)? })
            })?
            .collect::<Result<_, _>>()?;
        let records: Vec<Vec<u8>> = work
            .prepare("SELECT record FROM log ORDER BY n")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        self.keep_head(&work)?;
        let head = self.head(&work)?;
        let header = Header {
            schema: export::SCHEMA.into(),
            origin: self.origin(),
            station_key: hex(&self.evidence_public()),
            size: head.size,
            made_at: now.ms(),
            authority: authority.into(),
            case_number: case_number.into(),
        };
        let footer = Footer {
            leaves: records.iter().map(|record| hex(&tlog_tiles::record_hash(record).0)).collect(),
            heads,
            kept,
            head: checkpoint::sign(&self.signer, &head)?,
            signature: String::new(),
        };
        let text = export::write(&header, &records, footer, &self.signer);
        work.commit()?;
        Ok(text)
    }

    /// How often the log was given away, and when last.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn exports(&self) -> Result<Vec<(Timestamp, String, String)>, VaultError> {
        let sql = "SELECT made_at, authority, case_number FROM log_exports ORDER BY n DESC LIMIT 20";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((Timestamp::from_ms(row.get(0)?), row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records that staff searched (not for what).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_searched(&mut self, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Searched, now)?;
        Ok(work.commit()?)
    }

    fn judge(&self, view: &rusqlite::Connection, elsewhere: &Elsewhere) -> Result<Witnessed, VaultError> {
        let at = |size| {
            let root = tree_hash(size, &Nodes(view)).ok()?.0;
            // A head of the log before a backup was restored compares with that part of this one.
            let origin = match elsewhere {
                Elsewhere::Signed(head) => head.origin.clone(),
                Elsewhere::Short(_) => self.origin(),
            };
            Some(Head { origin, size, root })
        };
        Ok(elsewhere.judge(length(view)?, at))
    }
}

impl From<Witnessed> for HeadState {
    fn from(found: Witnessed) -> Self {
        match found {
            Witnessed::Fits { .. } => Self::Fits,
            Witnessed::Ahead { .. } => Self::Ahead,
            Witnessed::Differs { .. } => Self::Differs,
        }
    }
}
