//! Epochs of the keys to backups: a tree of keys, cut smaller at every erasure, and the note about it that gates keep.
//!
//! The tree itself and everybody's keys lie in `keys.db` (`people_keys`), under a secret that changes with each erasure (`epoch_secret`).
//!
//! A backup holds no leaf of the tree, so it opens only together with the newest tree, which is here and, sealed, at the
//! gates. What was erased since the backup was made is cut out of both. The note also lists what ended since (`epoch_lists`):
//! faces, cards, records, accounts, refusals, and what rests, so that a restored desk ends them again. Rules: P47, P56, K2-9.

use minicbor::{Decode, Encode};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{GateId, ResidentId};
use crate::domain::time::Timestamp;
use crate::secret::random_bytes;

use super::Vault;
use super::epoch_lists::{self, Lists};
use super::error::{KEYS_FILE, VaultError};
use super::keys::VaultKey;
use super::punctures::{BRANCHES_MAX, Leaf, PLACES, Tree};

/// Entries of each list in a note of an earlier version, at most.
pub(super) const OLD_LIST: usize = 1_500;
/// The outbox's order is told in steps of this size, so that the note does not change with every operation.
const SEQUENCE_STEP: i64 = 100_000;
/// So are the places in the tree: somebody new does not change the note.
const PLACE_STEP: u32 = 1_000;
/// Where the key that seals the note is kept. It stays the same for ever, since every backup carries it.
const NOTE_KEY: &str = "epoch-key";

/// The tree as stored.
pub(super) struct Epoch {
    /// Which tree.
    pub(super) generation: [u8; 16],
    /// Grows with every change.
    pub(super) number: i64,
    /// What is left of it.
    pub(super) tree: Tree,
    /// The next free place.
    pub(super) next_place: u32,
    /// Number of the secret that seals it here.
    pub(super) secret: i64,
}

/// What a gate keeps for the station, sealed.
#[derive(Clone, Encode, Decode)]
pub(super) struct Note {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(super) generation: [u8; 16],
    #[cbor(n(1), with = "minicbor::bytes")]
    branches: Vec<u8>,
    /// No place above this one was given out.
    #[n(2)]
    pub(super) next_place: u32,
    /// No operation had a higher place in the outbox.
    #[n(3)]
    pub(super) sequence: i64,
    /// Random numbers of faces whose consent ended; 16 bytes each. Empty where there are `lists`, like the next and the last two.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(super) faces: Vec<u8>,
    /// Cards that ended; 16 bytes each.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub(super) cards: Vec<u8>,
    /// Accounts that were switched off; 16 bytes each.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub(super) accounts: Vec<u8>,
    /// Who refuses any processing of a face; 16 bytes each.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub(super) refusing: Vec<u8>,
    /// Records that were closed.
    #[n(8)]
    pub(super) closed: Vec<Closed>,
    /// What ended, shorter and further back. A note of an earlier version has none.
    #[n(9)]
    pub(super) lists: Option<Lists>,
}

/// A record that was closed.
#[derive(Clone, Encode, Decode)]
pub(super) struct Closed {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(super) resident: [u8; 16],
    #[n(1)]
    pub(super) at: i64,
    #[n(2)]
    pub(super) reason: String,
}

impl Drop for Note {
    fn drop(&mut self) {
        self.branches.zeroize();
    }
}

impl Note {
    /// The tree in it.
    pub(super) fn tree(&self) -> Result<Tree, VaultError> {
        Tree::from_bytes(&self.branches)
    }

    /// Opens what a gate kept; `None` when it is no note of this log under this number.
    pub(super) fn open(key: &VaultKey, origin: &str, number: u64, sealed: &[u8]) -> Option<Self> {
        let plain = key.open(&place(origin, number), sealed)?;
        minicbor::decode(&plain).ok()
    }
}

/// What is to be kept by a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochNote {
    /// Name of the station's log, under which gates keep it.
    pub origin: String,
    /// A gate lets only a higher number take the place of the one it keeps.
    pub number: u64,
    /// Sealed by the station; a gate cannot read it.
    pub sealed: Vec<u8>,
}

/// Which number of the note a gate was last seen to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateEpoch {
    /// Which gate.
    pub gate: GateId,
    /// Its number.
    pub number: u64,
    /// When it took it.
    pub kept_at: Timestamp,
    /// Whether it is the newest.
    pub is_newest: bool,
}

impl Vault {
    /// The note about erasures as it is now, for every gate to keep. Its number grows whenever what it says changes.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn epoch_note(&mut self) -> Result<EpochNote, VaultError> {
        self.epoch_note_in(usize::MAX)
    }

    /// The same with shorter lists, for tests of what happens when they do not reach back to a backup.
    ///
    /// # Errors
    /// Those of the disk.
    #[cfg(feature = "practice")]
    pub fn epoch_note_within(&mut self, room: usize) -> Result<EpochNote, VaultError> {
        self.epoch_note_in(room)
    }

    fn epoch_note_in(&mut self, room: usize) -> Result<EpochNote, VaultError> {
        let key = self.note_key()?;
        let view = self.main.unchecked_transaction()?;
        let work = begin(&self.people_keys)?;
        let epoch = self.people_keys.epoch()?;
        let note = note_of(self, &view, &epoch, room)?;
        let plain = Zeroizing::new(minicbor::to_vec(&note).map_err(|_| VaultError::Refused(0))?);
        let says: [u8; 32] = Sha256::digest(&plain[..]).into();
        let told: [u8; 32] =
            work.query_row("SELECT told FROM epoch", [], |row| row.get(0)).map_err(|error| in_keys(&error))?;
        let mut number = epoch.number;
        if told != says {
            number += 1;
            let sql = "UPDATE epoch SET number = ?1, told = ?2";
            work.execute(sql, params![number, says]).map_err(|error| in_keys(&error))?;
        }
        work.commit().map_err(|error| in_keys(&error))?;
        let number = number.unsigned_abs();
        let origin = self.epoch_origin();
        let sealed = key.seal(&place(&origin, number), &plain)?;
        Ok(EpochNote { origin, number, sealed })
    }

    /// Notes that a gate keeps the note with this number.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_gate_epoch(&mut self, gate: GateId, number: u64, now: Timestamp) -> Result<(), VaultError> {
        let (generation, latest) = numbers(&self.people_keys)?;
        let work = self.begin()?;
        if super::log::number(number) > latest && !is_older(&self.people_keys)? {
            // It was given by a later state of the keys than the one that is here.
            mark_older(&self.people_keys)?;
            self.append(&work, Actor::Gate(gate), &AuditEvent::HeadConflict(gate, "erasures-ahead"), now)?;
        }
        work.execute(
            "INSERT INTO gate_epochs (gate, generation, number, kept_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (gate) DO UPDATE SET generation = ?2, number = ?3, kept_at = ?4",
            params![gate.bytes(), generation, super::log::number(number), now.ms()],
        )?;
        Ok(work.commit()?)
    }

    /// What gates in use were last seen to keep.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gate_epochs(&self) -> Result<Vec<GateEpoch>, VaultError> {
        let (newest, latest) = numbers(&self.people_keys)?;
        let sql = "SELECT gate, generation, number, kept_at FROM gate_epochs JOIN gates ON gates.id = gate
             WHERE retired_at IS NULL ORDER BY gate";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let (generation, number): ([u8; 16], i64) = (row.get(1)?, row.get(2)?);
            Ok(GateEpoch {
                gate: row.get(0).map(GateId::from_bytes)?,
                number: number.unsigned_abs(),
                kept_at: Timestamp::from_ms(row.get(3)?),
                is_newest: generation == newest && number == latest,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether the file of the persons' keys is not older than what is known of it elsewhere: than a note about erasures that a gate keeps, or
    /// than the end of somebody's evidence. Once it was found older, only another file is current again.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn keys_are_current(&self) -> Result<bool, VaultError> {
        Ok(!is_older(&self.people_keys)?)
    }

    /// Whether the key of the file of the persons' keys is independent of the master key. One of an earlier version's is not until new keys are dealt
    /// or a backup is restored.
    pub fn keys_file_has_own_key(&self) -> bool {
        self.people_keys.has_own_file_key()
    }

    /// Looks at every start whether an older file of keys was put back: neither the log nor its heads would show that.
    pub(super) fn check_keys(&self, work: &Connection, now: Timestamp) -> Result<(), VaultError> {
        if is_older(&self.people_keys)? {
            return Ok(());
        }
        // Of every tree: numbers only grow, also when a tree is dealt anew and when a backup is restored.
        let seen: i64 = work.query_row("SELECT coalesce(max(number), 0) FROM gate_epochs", [], |row| row.get(0))?;
        let mut older = seen > numbers(&self.people_keys)?.1;
        let mut ended = work.prepare("SELECT id FROM residents WHERE evidence_ended_at IS NOT NULL")?;
        let mut ended = ended.query([])?;
        while let Some(row) = ended.next()? {
            older |= place_of(&self.people_keys, ResidentId::from_bytes(row.get(0)?))?.is_some();
        }
        if older {
            mark_older(&self.people_keys)?;
            self.append(work, Actor::Station, &AuditEvent::LogChecked("not-sound"), now)?;
        }
        Ok(())
    }

    /// Under which name gates keep the note: the log's, whatever was restored since.
    pub fn epoch_origin(&self) -> String {
        format!("menka.{}/{}", self.realm.label(), self.site)
    }

    /// The key that seals notes.
    pub(super) fn note_key(&self) -> Result<VaultKey, VaultError> {
        if let Some(bytes) = self.read_station_sealed(NOTE_KEY)? {
            return VaultKey::from_slice(&bytes).ok_or_else(|| VaultError::corrupt(super::error::MAIN_FILE));
        }
        let work = self.begin()?;
        // Another connection may have been faster.
        if self.read_station(NOTE_KEY)?.is_none() {
            self.write_station_sealed(&work, NOTE_KEY, VaultKey::make().bytes())?;
        }
        work.commit()?;
        let bytes = self.read_station_sealed(NOTE_KEY)?.ok_or(VaultError::Unknown)?;
        VaultKey::from_slice(&bytes).ok_or_else(|| VaultError::corrupt(super::error::MAIN_FILE))
    }

    /// Cuts people's leaves out of the tree: no backup that was ever made opens them again, and nothing that the disk still holds.
    pub(super) fn cut_leaves(&self, cuts: &[(ResidentId, Leaf)]) -> Result<(), VaultError> {
        if is_older(&self.people_keys)? {
            // Whatever the right file has more than this one would be lost: its secret would be destroyed with this one's.
            return Err(VaultError::KeysOlder);
        }
        self.people_keys.cut(cuts, BRANCHES_MAX)
    }
}

/// The note, with as much of the lists as a gate's limit leaves room for, and no more than this, in bytes.
pub(super) fn note_of(vault: &Vault, view: &Connection, epoch: &Epoch, room: usize) -> Result<Note, VaultError> {
    let branches = epoch.tree.to_bytes().to_vec();
    let room = room.min(epoch_lists::room(branches.len()));
    let sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'";
    let sequence: i64 = view.query_row(sql, [], |row| row.get(0))?;
    let mut lists = Lists::read(view, room)?;
    lists.recovery = vault.slots()?.recovery().map(|slot| slot.id.bytes().to_vec()).unwrap_or_default();
    Ok(Note {
        generation: epoch.generation,
        branches,
        next_place: (epoch.next_place / PLACE_STEP + 1).saturating_mul(PLACE_STEP),
        sequence: (sequence / SEQUENCE_STEP + 1).saturating_mul(SEQUENCE_STEP),
        faces: vec![],
        cards: vec![],
        accounts: Lists::accounts(view)?,
        refusing: vec![],
        closed: vec![],
        lists: Some(lists),
    })
}

/// Writes the first tree where there is none, in plain: it is sealed right after (`people_keys`).
pub(super) fn ensure(keys: &Connection) -> Result<(), VaultError> {
    if stored_secret(keys)?.is_some() {
        return Ok(());
    }
    keys.execute(
        "INSERT OR IGNORE INTO epoch (one, generation, number, branches, next_place, told)
         SELECT 1, ?1, 0, ?2, coalesce(max(place) + 1, 0), zeroblob(32) FROM person_keys_plain",
        params![random_bytes::<16>(), Tree::make().to_bytes().as_slice()],
    )
    .map_err(|error| in_keys(&error))?;
    Ok(())
}

/// The row about the tree, as it is stored.
pub(super) struct Stored {
    pub(super) generation: [u8; 16],
    pub(super) number: i64,
    /// Sealed under the secret, in plain where its number is 0.
    pub(super) branches: Zeroizing<Vec<u8>>,
    pub(super) next_place: u32,
    pub(super) secret: i64,
}

/// Reads the row about the tree.
pub(super) fn stored(keys: &Connection) -> Result<Stored, VaultError> {
    let sql = "SELECT generation, number, branches, next_place, secret_number FROM epoch";
    keys.query_row(sql, [], |row| {
        Ok(Stored {
            generation: row.get(0)?,
            number: row.get(1)?,
            branches: Zeroizing::new(row.get(2)?),
            next_place: row.get(3)?,
            secret: row.get(4)?,
        })
    })
    .map_err(|error| in_keys(&error))
}

/// Which secret seals the tree: 0 while it is in plain, `None` while there is none.
pub(super) fn stored_secret(keys: &Connection) -> Result<Option<i64>, VaultError> {
    let sql = "SELECT secret_number FROM epoch";
    keys.prepare_cached(sql)
        .and_then(|mut read| read.query_row([], |row| row.get(0)).optional())
        .map_err(|error| in_keys(&error))
}

/// Which tree it is, and its number.
pub(super) fn numbers(keys: &Connection) -> Result<([u8; 16], i64), VaultError> {
    let sql = "SELECT generation, number FROM epoch";
    keys.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(|error| in_keys(&error))
}

/// Writes the tree, sealed under the secret with its number, over the one that is there.
pub(super) fn write(keys: &Connection, epoch: &Epoch, sealed: &[u8]) -> Result<(), VaultError> {
    let sql = "UPDATE epoch SET generation = ?1, number = ?2, branches = ?3, next_place = ?4, secret_number = ?5,
             told = zeroblob(32)";
    keys.execute(sql, params![epoch.generation, epoch.number, sealed, epoch.next_place, epoch.secret])
        .map_err(|error| in_keys(&error))?;
    Ok(())
}

/// Gives out the next place.
pub(super) fn take_place(keys: &Connection) -> Result<u32, VaultError> {
    let sql = "UPDATE epoch SET next_place = next_place + 1 RETURNING next_place - 1";
    let place: u32 = keys.query_row(sql, [], |row| row.get(0)).map_err(|error| in_keys(&error))?;
    if place < PLACES { Ok(place) } else { Err(VaultError::Refused(0)) }
}

/// The place of a person; `None` once the person's key is gone.
pub(super) fn place_of(keys: &Connection, resident: ResidentId) -> Result<Option<u32>, VaultError> {
    let sql = "SELECT place FROM person_keys WHERE resident = ?1";
    keys.query_row(sql, [resident.bytes()], |row| row.get(0)).optional().map_err(|error| in_keys(&error))
}

/// A transaction on the keys' file.
pub(super) fn begin(keys: &Connection) -> Result<Transaction<'_>, VaultError> {
    Transaction::new_unchecked(keys, TransactionBehavior::Immediate).map_err(|error| in_keys(&error))
}

/// What SQLite's field for a program's own use holds in a file of keys that was found older. The mark is in the file itself: the right one,
/// put in its place, and a restored one do not have it, while the numbers of a marked file may grow as they like.
const OLDER: i64 = 0x6f6c_6465;

/// Whether this file of keys was found older than what is known of it.
fn is_older(keys: &Connection) -> Result<bool, VaultError> {
    let field: i64 = keys.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(|error| in_keys(&error))?;
    Ok(field == OLDER)
}

fn mark_older(keys: &Connection) -> Result<(), VaultError> {
    tracing::error!("the file of the persons' keys is older than what is known of it: an old copy was put back");
    keys.pragma_update(None, "application_id", OLDER).map_err(|error| in_keys(&error))
}

/// Puts an error of the keys' file into our words.
pub(super) fn in_keys(error: &rusqlite::Error) -> VaultError {
    VaultError::of(KEYS_FILE, error)
}

fn place(origin: &str, number: u64) -> Vec<u8> {
    format!("menka/epoch/1/{origin}/{number}").into_bytes()
}
