//! The gate as a witness: it keeps the newest head of the station's evidence log that it was given, and lets another
//! take its place only when that one continues it. A station whose log was cut, put back or written anew cannot take its
//! earlier head back from here. Rule: P69.
//!
//! Pairing again is an act at the gate: it sets the kept head aside, where it can still be read, and begins anew.

use rusqlite::{Connection, OptionalExtension, params};

use super::daemon::Halt;
use super::error::GateError;
use super::store::Store;
use crate::domain::Realm;
use crate::domain::id::GateId;
use crate::domain::time::Timestamp;
use crate::evidence::checkpoint::{self, Head};
use crate::evidence::head::{continues, cosign};
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{KeepHead, NOTE_MAX, Refusal};

/// Added to the store's schema; made where it is missing.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS heads (                                -- heads of the station's log; no people
        number      INTEGER PRIMARY KEY AUTOINCREMENT,
        origin      TEXT NOT NULL,
        key         BLOB NOT NULL CHECK (length(key) = 32),           -- of the log, as first told
        note        TEXT NOT NULL,                                    -- signed by the station, cosigned by this gate
        kept_at     INTEGER NOT NULL,
        aside_at    INTEGER                                           -- paired again since: kept, but no longer in force
    ) STRICT;
    CREATE UNIQUE INDEX IF NOT EXISTS one_head_in_force ON heads (origin) WHERE aside_at IS NULL;";

/// Most logs that a gate keeps heads of.
pub const ORIGINS_MAX: i64 = 16;
/// Most heads that are kept after they were set aside; the oldest goes first.
pub const ASIDE_MAX: i64 = 64;

/// A kept head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHead {
    /// The cosigned note.
    pub note: String,
    /// The log's key.
    pub key: [u8; 32],
    /// By the gate's clock.
    pub kept_at: Timestamp,
    /// Whether it was set aside by a pairing since.
    pub aside: bool,
}

/// The head in force of a log.
///
/// # Errors
/// [`GateError`].
pub fn kept(store: &Store, origin: &str) -> Result<Option<KeptHead>, GateError> {
    let sql = "SELECT note, key, kept_at FROM heads WHERE origin = ?1 AND aside_at IS NULL";
    let found = store.connection().prepare_cached(sql)?.query_row([origin], |row| {
        Ok(KeptHead { note: row.get(0)?, key: row.get(1)?, kept_at: Timestamp::from_ms(row.get(2)?), aside: false })
    });
    Ok(found.optional()?)
}

/// The key that signs a site's log, by every head in force of it: a desk that was restored from a backup goes on under the same name with a
/// number behind it, and a gate that was paired since has never seen the first. The key stays the same; where two heads name two, one of them
/// is not the station's, and neither is believed.
///
/// # Errors
/// [`GateError`].
pub(super) fn key_of(store: &Store, origin: &str) -> Result<Option<[u8; 32]>, GateError> {
    let sql = "SELECT DISTINCT key FROM heads WHERE aside_at IS NULL
         AND (origin = ?1 OR substr(origin, 1, length(?1) + 1) = ?1 || '/') LIMIT 2";
    let mut statement = store.connection().prepare_cached(sql)?;
    let keys = statement.query_map([origin], |row| row.get(0))?.collect::<Result<Vec<[u8; 32]>, _>>()?;
    Ok(if let [key] = keys[..] { Some(key) } else { None })
}

/// Every kept head, also those set aside, newest first.
///
/// # Errors
/// [`GateError`].
pub fn all(store: &Store) -> Result<Vec<KeptHead>, GateError> {
    let sql = "SELECT note, key, kept_at, aside_at IS NOT NULL FROM heads ORDER BY number DESC";
    let mut statement = store.connection().prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let kept_at = Timestamp::from_ms(row.get(2)?);
        Ok(KeptHead { note: row.get(0)?, key: row.get(1)?, kept_at, aside: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a head if it continues the one in force; answers with the cosigned head that is in force then.
pub(super) fn keep(
    store: &mut Store,
    keys: &IdentityKeys,
    gate: GateId,
    offer: &KeepHead,
    now: Timestamp,
) -> Result<String, Halt> {
    let (hashes, rest) = offer.proof.as_chunks::<32>();
    if offer.note.len() > NOTE_MAX || !rest.is_empty() {
        return Err(Refusal::Malformed.into());
    }
    let new = checkpoint::verify(&offer.note, &offer.key).map_err(|_| Refusal::Malformed)?;
    if !new.origin.starts_with(&prefix(keys.realm())) {
        return Err(Refusal::Realm.into());
    }
    let before = kept(store, &new.origin)?;
    if let Some(before) = before {
        let old = checkpoint::verify(&before.note, &before.key).map_err(|_| GateError::Corrupt)?;
        let fits = before.key == offer.key && old.size < new.size && continues(&old, &new, hashes);
        if !fits {
            return Ok(before.note);
        }
    }
    Ok(write(store, keys, gate, (&new, offer), now)?)
}

fn write(
    store: &mut Store,
    keys: &IdentityKeys,
    gate: GateId,
    (head, offer): (&Head, &KeepHead),
    now: Timestamp,
) -> Result<String, GateError> {
    let at_s = u64::try_from(now.ms() / 1_000).unwrap_or_default();
    // Signatures of others in the note are not the gate's to pass on.
    let (body, signed) = offer.note.split_once("\n\n").ok_or(GateError::Corrupt)?;
    let station = signed.lines().next().ok_or(GateError::Corrupt)?;
    let note = format!("{body}\n\n{station}\n");
    checkpoint::verify(&note, &offer.key).map_err(|_| GateError::Corrupt)?;
    let note = cosign(&note, &gate.to_string(), &keys.sign_public(), at_s, |bytes| keys.sign(bytes))
        .map_err(|_| GateError::Corrupt)?;
    let db = store.connection();
    let tx = db.unchecked_transaction()?;
    let updated = tx.execute(
        "UPDATE heads SET note = ?2, kept_at = ?3 WHERE origin = ?1 AND aside_at IS NULL",
        params![head.origin, note, now.ms()],
    )?;
    if updated == 0 {
        let count: i64 = tx.query_row("SELECT count(*) FROM heads WHERE aside_at IS NULL", [], |row| row.get(0))?;
        if count >= ORIGINS_MAX {
            // The one that was not heard of for the longest time makes room.
            let sql = "DELETE FROM heads WHERE number = (SELECT number FROM heads WHERE aside_at IS NULL
                 ORDER BY kept_at, number LIMIT 1)";
            tx.execute(sql, [])?;
        }
        let sql = "INSERT INTO heads (origin, key, note, kept_at) VALUES (?1, ?2, ?3, ?4)";
        tx.execute(sql, params![head.origin, offer.key, note, now.ms()])?;
    }
    tx.commit()?;
    Ok(note)
}

/// Sets every head in force aside, inside the transaction of a pairing.
pub(super) fn set_aside(tx: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    tx.execute_batch(SCHEMA)?;
    tx.execute("UPDATE heads SET aside_at = ?1 WHERE aside_at IS NULL", [now.ms()])?;
    let sql = "DELETE FROM heads WHERE aside_at IS NOT NULL AND number NOT IN
         (SELECT number FROM heads WHERE aside_at IS NOT NULL ORDER BY number DESC LIMIT ?1)";
    tx.execute(sql, [ASIDE_MAX])?;
    Ok(())
}

pub(super) fn prefix(realm: Realm) -> String {
    format!("menka.{}/", realm.label())
}
