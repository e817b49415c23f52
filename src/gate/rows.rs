//! What each operation changes in the store, inside the transaction that also writes its receipt. Each ends with a look
//! at what is there.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::protect::{SALT_LEN, Transform};
use crate::domain::id::GateId;
use crate::secret::{EngineId, FaceTemplate};
use crate::wire::envelope::template_from_bytes;
use crate::wire::message::{HeldFace, Outcome, PutFace};
use crate::wire::receipt::{card_digest, face_digest};

/// Added to the store's schema; made where it is missing.
pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS frozen_first (                         -- numbers frozen before their template came
        template    BLOB PRIMARY KEY CHECK (length(template) = 16)
    ) STRICT, WITHOUT ROWID;";

/// The read-back of something that is not there.
const ABSENT: [u8; 32] = [0; 32];

/// Stores a template as this gate turns it, frozen where its number was frozen before, and reads it back. The digest is of the template as
/// handed over.
pub(super) fn put_face(
    tx: &Connection,
    put: &PutFace,
    face: &FaceTemplate,
    turned: &FaceTemplate,
) -> rusqlite::Result<(Outcome, [u8; 32])> {
    let digest = digest_of(put, face);
    let vector = numbers(turned);
    let kept = kept_digest(&digest, &put.template, &put.engine, put.ends_on, vector.as_slice());
    tx.prepare_cached(
        // Only a damaged row can be in the way; a freeze of it goes on.
        "INSERT OR REPLACE INTO faces (template, engine, vector, ends_on, op, digest, kept, frozen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, EXISTS (SELECT 1 FROM frozen_first WHERE template = ?1)
             OR EXISTS (SELECT 1 FROM faces WHERE template = ?1 AND frozen = 1))",
    )?
    .execute(params![put.template, put.engine, vector.as_slice(), put.ends_on, put.op, digest, kept])?;
    tx.prepare_cached("DELETE FROM frozen_first WHERE template = ?1")?.execute([put.template])?;
    let back = read_back_face(tx, &put.template)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok((Outcome::FaceStored, back.digest))
}

/// The same template came again under another operation: nothing is changed, and what is held is said.
pub(super) fn face_again(tx: &Connection, put: &PutFace) -> rusqlite::Result<(Outcome, [u8; 32])> {
    let held = read_back_face(tx, &put.template)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok((Outcome::FaceStored, held.digest))
}

/// The digest of a template as it was handed over.
pub(super) fn digest_of(put: &PutFace, face: &FaceTemplate) -> [u8; 32] {
    face_digest(&put.template, &put.engine, put.ends_on, numbers(face).as_slice())
}

/// Turns every template that is held from one transform to another; the salt of the first is overwritten. What is damaged stays as it is,
/// and stays unmatched.
pub(super) fn renew_faces(
    tx: &Connection,
    old: &Transform,
    new: &Transform,
    salt: &[u8; SALT_LEN],
) -> rusqlite::Result<()> {
    let held: Vec<[u8; 16]> =
        tx.prepare("SELECT template FROM faces")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut change = tx.prepare("UPDATE faces SET vector = ?2, kept = ?3 WHERE template = ?1")?;
    for template in held {
        let Some(Kept { digest, ends_on, face, .. }) = face_as_kept(tx, &template)? else { continue };
        let Some(turned) = old.turn_back(&face).and_then(|plain| new.turn(&plain)) else { continue };
        let vector = numbers(&turned);
        let kept = kept_digest(&digest, &template, face.engine().as_str(), ends_on, vector.as_slice());
        change.execute(params![template, vector.as_slice(), kept])?;
    }
    tx.execute("UPDATE settings SET transform_salt = ?1", [salt])?;
    Ok(())
}

/// A template as this gate keeps it.
pub(super) struct Kept {
    /// Of the template as it was handed over.
    pub digest: [u8; 32],
    /// Last day, days since 1970.
    pub ends_on: i64,
    /// Not matched.
    pub frozen: bool,
    /// Turned.
    pub face: FaceTemplate,
}

/// Reads a template. `None` for one that is not held or damaged.
pub(super) fn face_as_kept(db: &Connection, template: &[u8; 16]) -> rusqlite::Result<Option<Kept>> {
    let sql = "SELECT engine, vector, digest, kept, ends_on, frozen FROM faces WHERE template = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement
        .query_row([template], |row| {
            let (engine, digest): (String, [u8; 32]) = (row.get(0)?, row.get(2)?);
            let vector = Zeroizing::new(row.get::<_, [u8; 512]>(1)?);
            let (ends_on, frozen) = (row.get(4)?, row.get(5)?);
            let sound =
                kept_digest(&digest, template, &engine, ends_on, vector.as_slice()) == row.get::<_, [u8; 32]>(3)?;
            let face = EngineId::parse(&engine).filter(|_| sound).and_then(|e| template_from_bytes(e, &vector));
            Ok(face.map(|face| Kept { digest, ends_on, frozen, face }))
        })
        .optional()?;
    Ok(found.flatten())
}

/// From version 2 of the store, which kept templates as they were handed over.
pub(super) fn keep_turned(tx: &Connection, transform: &Transform) -> rusqlite::Result<()> {
    let mut rows = tx.prepare("SELECT template, engine, vector, ends_on, digest FROM faces")?;
    let mut rows = rows.query([])?;
    let mut change = tx.prepare("UPDATE faces SET vector = ?2, kept = ?3 WHERE template = ?1")?;
    while let Some(row) = rows.next()? {
        let (template, engine): ([u8; 16], String) = (row.get(0)?, row.get(1)?);
        let vector = Zeroizing::new(row.get::<_, [u8; 512]>(2)?);
        let digest: [u8; 32] = row.get(4)?;
        let ends_on = row.get(3)?;
        let sound = face_digest(&template, &engine, ends_on, vector.as_slice()) == digest;
        let face = EngineId::parse(&engine).filter(|_| sound).and_then(|e| template_from_bytes(e, &vector));
        // A damaged one was not matched before and is not matched after: its `kept` stays empty.
        let Some(turned) = face.and_then(|face| transform.turn(&face)) else { continue };
        let vector = numbers(&turned);
        let kept = kept_digest(&digest, &template, &engine, ends_on, vector.as_slice());
        change.execute(params![template, vector.as_slice(), kept])?;
    }
    Ok(())
}

pub(super) fn numbers(face: &FaceTemplate) -> Zeroizing<[u8; 512]> {
    let mut bytes = Zeroizing::new([0u8; 512]);
    // EXPOSE: this file is where a template rests.
    for (out, number) in bytes.chunks_exact_mut(4).zip(face.expose()) {
        out.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// Digest of a row as it is kept: a changed bit on the disk is noticed.
fn kept_digest(digest: &[u8; 32], template: &[u8; 16], engine: &str, ends_on: i64, vector: &[u8]) -> [u8; 32] {
    let row = face_digest(template, engine, ends_on, vector);
    Sha256::new().chain_update(b"menka kept face 1\0").chain_update(digest).chain_update(row).finalize().into()
}

/// Erases a template, whether or not it is there, spends its number, and looks for it.
pub(super) fn erase_face(tx: &Connection, template: &[u8; 16]) -> rusqlite::Result<(Outcome, [u8; 32])> {
    tx.prepare_cached("DELETE FROM faces WHERE template = ?1")?.execute([template])?;
    tx.prepare_cached("DELETE FROM frozen_first WHERE template = ?1")?.execute([template])?;
    tx.prepare_cached("INSERT OR IGNORE INTO spent (template) VALUES (?1)")?.execute([template])?;
    if tx.prepare_cached("SELECT 1 FROM faces WHERE template = ?1")?.exists([template])? {
        return Err(rusqlite::Error::StatementChangedRows(0));
    }
    Ok((Outcome::FaceErased, ABSENT))
}

/// Freezes a template. One that is not there is frozen when it comes, so that a late hand-over does not undo the freeze.
pub(super) fn freeze_face(tx: &Connection, template: &[u8; 16]) -> rusqlite::Result<(Outcome, [u8; 32])> {
    tx.prepare_cached("UPDATE faces SET frozen = 1 WHERE template = ?1")?.execute([template])?;
    let held = read_back_face(tx, template)?;
    if held.is_none() {
        let sql = "INSERT OR IGNORE INTO frozen_first (template) SELECT ?1
             WHERE NOT EXISTS (SELECT 1 FROM spent WHERE template = ?1)";
        tx.prepare_cached(sql)?.execute([template])?;
    }
    Ok((Outcome::FaceFrozen, held.map_or(ABSENT, |face| face.digest)))
}

/// Lets a frozen template be matched again. One that is not held stays absent, and is matched when it comes.
pub(super) fn thaw_face(tx: &Connection, template: &[u8; 16]) -> rusqlite::Result<(Outcome, [u8; 32])> {
    tx.prepare_cached("UPDATE faces SET frozen = 0 WHERE template = ?1")?.execute([template])?;
    tx.prepare_cached("DELETE FROM frozen_first WHERE template = ?1")?.execute([template])?;
    let held = read_back_face(tx, template)?;
    Ok((Outcome::FaceThawed, held.map_or(ABSENT, |face| face.digest)))
}

/// Stops all faces of this gate, or lets them be matched again, unless a later such operation was done before.
pub(super) fn stop_faces(tx: &Connection, stop: bool, sequence: u64) -> rusqlite::Result<(Outcome, [u8; 32])> {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    tx.prepare_cached("UPDATE settings SET faces_stopped = ?1, stop_sequence = ?2 WHERE stop_sequence <= ?2")?
        .execute(params![stop, sequence])?;
    let stopped: bool = tx.query_row("SELECT faces_stopped FROM settings", [], |row| row.get(0))?;
    Ok((if stopped { Outcome::FacesStopped } else { Outcome::FacesResumed }, ABSENT))
}

/// Lets a card in until a day, unless a later operation on the same card was done before.
pub(super) fn put_card(
    tx: &Connection,
    gate: GateId,
    uid: &[u8],
    ends_on: i64,
    sequence: u64,
) -> rusqlite::Result<(Outcome, [u8; 32])> {
    if take_turn(tx, gate, uid, sequence)? {
        tx.prepare_cached(
            "INSERT INTO cards (uid, ends_on) VALUES (?1, ?2) ON CONFLICT (uid) DO UPDATE SET ends_on = ?2",
        )?
        .execute(params![uid, ends_on])?;
    }
    read_back_card(tx, uid)
}

/// Lets a card in no more, unless a later operation on the same card was done before.
pub(super) fn remove_card(
    tx: &Connection,
    gate: GateId,
    uid: &[u8],
    sequence: u64,
) -> rusqlite::Result<(Outcome, [u8; 32])> {
    if take_turn(tx, gate, uid, sequence)? {
        tx.prepare_cached("DELETE FROM cards WHERE uid = ?1")?.execute([uid])?;
    }
    read_back_card(tx, uid)
}

/// The read-back of a card that was not found.
pub(super) fn no_card() -> (Outcome, [u8; 32]) {
    (Outcome::CardRemoved, ABSENT)
}

/// Removals overtake issues in the station's queue, so the order of queueing decides which of the two holds.
fn take_turn(tx: &Connection, gate: GateId, uid: &[u8], sequence: u64) -> rusqlite::Result<bool> {
    let card: [u8; 32] = Sha256::new().chain_update(gate.bytes()).chain_update(uid).finalize().into();
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    let changed = tx
        .prepare_cached(
            "INSERT INTO card_order (card, sequence) VALUES (?1, ?2)
             ON CONFLICT (card) DO UPDATE SET sequence = ?2 WHERE sequence <= ?2",
        )?
        .execute(params![card, sequence])?;
    Ok(changed == 1)
}

fn read_back_card(tx: &Connection, uid: &[u8]) -> rusqlite::Result<(Outcome, [u8; 32])> {
    let mut statement = tx.prepare_cached("SELECT ends_on FROM cards WHERE uid = ?1")?;
    let ends_on: Option<i64> = statement.query_row([uid], |row| row.get(0)).optional()?;
    Ok(match ends_on {
        Some(days) => (Outcome::CardStored, card_digest(uid, days)),
        None => (Outcome::CardRemoved, ABSENT),
    })
}

/// A held template, if what is stored still gives its digest.
pub(super) fn read_back_face(db: &Connection, template: &[u8; 16]) -> rusqlite::Result<Option<HeldFace>> {
    let mut statement =
        db.prepare_cached("SELECT vector, kept, ends_on, frozen, digest, engine FROM faces WHERE template = ?1")?;
    let found = statement
        .query_row([template], |row| {
            let vector = Zeroizing::new(row.get::<_, [u8; 512]>(0)?);
            let held = HeldFace { template: *template, digest: row.get(4)?, ends_on: row.get(2)?, frozen: row.get(3)? };
            let engine: String = row.get(5)?;
            let kept = kept_digest(&held.digest, template, &engine, held.ends_on, vector.as_slice());
            let sound = kept == row.get::<_, [u8; 32]>(1)?;
            Ok(sound.then_some(held))
        })
        .optional()?;
    Ok(found.flatten())
}
