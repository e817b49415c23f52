//! The whole log in one file for an inspector or a court (rules P63, P69): every record byte for byte, the list of their
//! hashes, every signed head, heads that gates keep, and one signature over all of it. No names: the openings stay in
//! the vault.
//!
//! Lines of text: a header (JSON), one record a line, a footer (JSON). A record that is no single line of text is
//! written as `!` and its bytes in hex, so that damage can be exported too.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tlog_tiles::{Hash, HashReader, stored_hashes, tree_hash};

use super::checkpoint::{self, Head};
use super::head::{self, Short};
use super::record::LogRecord;
use super::step::{Failed, Step};
use super::{EvidenceError, hash_of, hex, unhex};

/// Version of this shape.
pub const SCHEMA: &str = "menka-log/1";
/// Largest accepted file, in bytes: some millions of records.
pub const LEN_MAX: usize = 1024 * 1024 * 1024;
/// Domain of the signature over the whole file.
const CONTEXT: &[u8] = b"menka log 1\0";

/// First line. The field order is the byte order: do not move fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: String,
    /// Which log.
    pub origin: String,
    /// Ed25519 public key of the station, in hex.
    pub station_key: String,
    /// Number of records.
    pub size: u64,
    /// When it was made, in milliseconds since 1970.
    pub made_at: i64,
    /// Which authority it was made for, as typed.
    pub authority: String,
    /// Its case number, as typed.
    pub case_number: String,
}

/// A head that a gate keeps, with its cosignature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The gate's id.
    pub gate: String,
    /// The gate's Ed25519 public key as this desk paired it, in hex.
    pub gate_key: String,
    /// The cosigned note.
    pub note: String,
}

/// Last line. The field order is the byte order: do not move fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    /// RFC 6962 leaf hash of each record, in hex: the hash list.
    pub leaves: Vec<String>,
    /// Every earlier signed head.
    pub heads: Vec<String>,
    /// Heads that gates keep.
    pub kept: Vec<Kept>,
    /// The signed head over all records.
    pub head: String,
    /// Ed25519 over `menka log 1\0` and the SHA-256 of the file with this field empty, in hex.
    pub signature: String,
}

/// Puts a file together. `records` are the stored bytes in order.
pub fn write(header: &Header, records: &[Vec<u8>], footer: Footer, key: &SigningKey) -> String {
    let mut text = json(header);
    for record in records {
        let line = std::str::from_utf8(record).ok().filter(|t| !t.contains(['\n', '\r']) && !t.starts_with('!'));
        text.push('\n');
        text.push_str(&line.map_or_else(|| format!("!{}", hex(record)), str::to_owned));
    }
    text.push('\n');
    let open = Footer { signature: String::new(), ..footer };
    let signature = key.sign(&signed_bytes(&text, &open)).to_bytes();
    text.push_str(&json(&Footer { signature: hex(&signature), ..open }));
    text.push('\n');
    text
}

/// A head that lies elsewhere: on paper, with an inspector, in a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Typed from paper.
    Short(Short),
    /// Signed by the station.
    Signed(Head),
}

impl Elsewhere {
    /// Reads a short head, a head in one line, or a signed note.
    ///
    /// # Errors
    /// [`EvidenceError`]; a signed form must be signed by this key.
    pub fn parse(text: &str, key: &[u8; 32]) -> Result<Self, EvidenceError> {
        let text = text.trim_start();
        if text.trim_end().starts_with("menka-head-") {
            return Ok(Self::Signed(checkpoint::verify(&head::note_of(text, key)?, key)?));
        }
        if text.contains("\n\n") {
            return Ok(Self::Signed(checkpoint::verify(text, key)?));
        }
        Ok(Self::Short(Short::parse(text)?))
    }

    /// Number of records it stands for.
    pub fn size(&self) -> u64 {
        match self {
            Self::Short(short) => short.size,
            Self::Signed(head) => head.size,
        }
    }

    /// Compares it with a log of `size` records whose head at this size `at` gives.
    pub fn judge(&self, size: u64, at: impl FnOnce(u64) -> Option<Head>) -> Witnessed {
        if self.size() > size {
            return Witnessed::Ahead { kept: self.size(), here: size };
        }
        let fits = at(self.size()).is_some_and(|head| match self {
            Self::Short(short) => short.fits(&head),
            Self::Signed(kept) => *kept == head,
        });
        if fits { Witnessed::Fits { size: self.size() } } else { Witnessed::Differs { kept: self.size() } }
    }
}

/// What a head that was kept elsewhere says of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witnessed {
    /// The first so many records are those that were there.
    Fits {
        /// Number of records.
        size: u64,
    },
    /// More records were there once: the end was cut off, or an older copy was put back.
    Ahead {
        /// Number of records at that time.
        kept: u64,
        /// Number of records now.
        here: u64,
    },
    /// Other records were there: the log was written anew before this position.
    Differs {
        /// Number of records at that time.
        kept: u64,
    },
}

/// What checking a file has shown when no step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The first line.
    pub header: Header,
    /// The head over all records.
    pub head: Head,
    /// Gates whose cosignature on a kept head verifies under the key in the file, with the size it covers.
    pub kept: Vec<(Kept, u64)>,
    /// Records up to which a head from elsewhere fits; `None` when none was given.
    pub witnessed_to: Option<u64>,
    /// Time of the last record so covered, in milliseconds since 1970.
    pub witnessed_at: Option<i64>,
    /// Time of the first record.
    pub first_at: Option<i64>,
}

/// Why a log is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The step that failed.
    pub step: Step,
    /// Positions of records that are not what they were, as far as they can be told apart.
    pub at: Vec<u64>,
    /// What a head from elsewhere says, if that was the step.
    pub witness: Option<Witnessed>,
}

impl From<Failed> for Refused {
    fn from(failed: Failed) -> Self {
        Self { step: failed.0, at: vec![], witness: None }
    }
}

/// Checks a file against the station's public key and heads from elsewhere.
///
/// # Errors
/// [`Refused`], with positions where they can be told. Never panics, whatever the bytes are.
pub fn verify(bytes: &[u8], key: &[u8; 32], elsewhere: &[Elsewhere]) -> Result<Checked, Refused> {
    let (header, lines, footer) = parse(bytes).ok_or(Failed(Step::Shape))?;
    require(hash_of(&header.station_key) == Some(*key), Step::Key)?;
    let records: Vec<Vec<u8>> = lines
        .iter()
        .map(|line| line.strip_prefix('!').map_or_else(|| Some(line.as_bytes().to_vec()), unhex))
        .collect::<Option<_>>()
        .ok_or(Failed(Step::Records))?;
    let read: Vec<Option<LogRecord>> = records.iter().map(|bytes| LogRecord::from_bytes(bytes).ok()).collect();
    let misplaced = |(n, record): (u64, &Option<LogRecord>)| record.as_ref().is_none_or(|r| r.n != n).then_some(n);
    refuse_at((0..).zip(&read).filter_map(misplaced).collect(), Step::Records)?;
    if records.len() as u64 != header.size || footer.leaves.len() != records.len() {
        return Err(Refused { step: Step::Records, at: vec![records.len() as u64], witness: None });
    }
    let mut tree = Tree::default();
    let mut other = vec![];
    for ((n, record), leaf) in (0u64..).zip(&records).zip(&footer.leaves) {
        tree.push(n, record).ok_or(Failed(Step::Root))?;
        if hash_of(leaf) != Some(tlog_tiles::record_hash(record).0) {
            other.push(n);
        }
    }
    refuse_at(other, Step::Hashes)?;
    let head = checkpoint::verify(&footer.head, key).map_err(|_| Failed(Step::Head))?;
    require(head.origin == header.origin, Step::Head)?;
    require(head.size == header.size && tree.root(head.size) == Some(head.root), Step::Root)?;
    let at = |size| tree.root(size).map(|root| Head { origin: header.origin.clone(), size, root });
    let fits = |note: &String| checkpoint::verify(note, key).is_ok_and(|h| at(h.size).as_ref() == Some(&h));
    require(footer.heads.iter().all(fits), Step::EarlierHeads)?;
    require(is_sealed(bytes, &footer, key), Step::Seal)?;

    let mut witnessed_to = None;
    for head in elsewhere {
        match head.judge(header.size, at) {
            Witnessed::Fits { size } => witnessed_to = witnessed_to.max(Some(size)),
            found => return Err(Refused { step: Step::Witness, at: vec![], witness: Some(found) }),
        }
    }
    let kept = footer.kept.into_iter().filter_map(|kept| {
        let gate_key = hash_of(&kept.gate_key)?;
        head::cosigned_at(&kept.note, &kept.gate, &gate_key).ok()?;
        let head = checkpoint::verify(&kept.note, key).ok().filter(|h| at(h.size).as_ref() == Some(h))?;
        Some((kept, head.size))
    });
    let kept = kept.collect();
    let time = |n: u64| usize::try_from(n).ok().and_then(|n| read.get(n)).and_then(|r| r.as_ref()).map(|r| r.at);
    let witnessed_at = witnessed_to.and_then(|size| size.checked_sub(1)).and_then(time);
    Ok(Checked { head, kept, witnessed_to, witnessed_at, first_at: time(0), header })
}

fn parse(bytes: &[u8]) -> Option<(Header, Vec<&str>, Footer)> {
    let text = (bytes.len() <= LEN_MAX).then(|| std::str::from_utf8(bytes).ok()).flatten()?.strip_suffix('\n')?;
    let mut lines: Vec<&str> = text.split('\n').collect();
    let (last, first) = (lines.pop()?, (!lines.is_empty()).then(|| lines.remove(0))?);
    let header: Header = serde_json::from_str(first).ok()?;
    let footer: Footer = serde_json::from_str(last).ok()?;
    let whole = header.schema == SCHEMA && json(&header) == first && json(&footer) == last;
    whole.then_some((header, lines, footer))
}

fn is_sealed(bytes: &[u8], footer: &Footer, key: &[u8; 32]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let before = text.strip_suffix('\n').and_then(|t| t.rfind('\n')).and_then(|at| text.get(..=at));
    let signature = unhex(&footer.signature).filter(|s| hex(s) == footer.signature);
    let signature = signature.and_then(|s| Signature::from_slice(&s).ok());
    let open = Footer { signature: String::new(), ..footer.clone() };
    matches!((before, signature, VerifyingKey::from_bytes(key)), (Some(before), Some(signature), Ok(key))
        if key.verify_strict(&signed_bytes(before, &open), &signature).is_ok())
}

fn signed_bytes(before: &str, open: &Footer) -> Vec<u8> {
    let digest = Sha256::new().chain_update(before).chain_update(json(open)).chain_update("\n").finalize();
    [CONTEXT, &digest].concat()
}

fn json<T: Serialize>(value: &T) -> String {
    // Strings and numbers only: serialising them cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn require(holds: bool, step: Step) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(Failed(step).into()) }
}

fn refuse_at(at: Vec<u64>, step: Step) -> Result<(), Refused> {
    if at.is_empty() { Ok(()) } else { Err(Refused { step, at, witness: None }) }
}

/// A tree built from records.
#[derive(Default)]
struct Tree(Vec<Hash>);

impl Tree {
    fn push(&mut self, n: u64, record: &[u8]) -> Option<()> {
        let hashes = stored_hashes(n, record, self).ok()?;
        self.0.extend(hashes);
        Some(())
    }

    fn root(&self, size: u64) -> Option<[u8; 32]> {
        tree_hash(size, self).ok().map(|hash| hash.0)
    }
}

impl HashReader for Tree {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |i: &u64| {
            let at = usize::try_from(*i).ok();
            at.and_then(|at| self.0.get(at)).copied().ok_or(tlog_tiles::Error::IndexesNotInTree)
        };
        indexes.iter().map(read).collect()
    }
}
