//! The gate as a keeper of what the station opens its backups with: one sealed note a log, overwritten by the next one.
//! The gate can read none of it. Because the note here is cut smaller at every erasure, a desk that was lost with its
//! disk is restored from a backup without anybody coming back who was erased since. Rules: P47, P56.

use rusqlite::{OptionalExtension, params};

use super::daemon::Halt;
use super::error::GateError;
use super::heads::ORIGINS_MAX;
use super::store::Store;
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{EPOCH_MAX, KeepEpoch, KeptEpoch, ORIGIN_MAX, Refusal};

/// Added to the store's schema; made where it is missing.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS epochs (                               -- sealed by the station for itself; no people
        origin      TEXT PRIMARY KEY NOT NULL,
        number      INTEGER NOT NULL,
        sealed      BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// The note that is kept for a log.
///
/// # Errors
/// [`GateError`].
pub fn kept(store: &Store, origin: &str) -> Result<Option<KeptEpoch>, GateError> {
    let sql = "SELECT number, sealed FROM epochs WHERE origin = ?1";
    let found = store
        .connection()
        .prepare_cached(sql)?
        .query_row([origin], |row| Ok(KeptEpoch { number: row.get::<_, i64>(0)?.unsigned_abs(), sealed: row.get(1)? }));
    Ok(found.optional()?)
}

/// Lets a note take the place of one with a lower number, and overwrites that one; answers which number is kept then.
pub(super) fn keep(store: &Store, keys: &IdentityKeys, offer: &KeepEpoch) -> Result<KeptEpoch, Halt> {
    let number = i64::try_from(offer.number).map_err(|_| Refusal::Malformed)?;
    let fits = (1..=ORIGIN_MAX).contains(&offer.origin.len()) && (1..=EPOCH_MAX).contains(&offer.sealed.len());
    if !fits {
        return Err(Refusal::Malformed.into());
    }
    if !offer.origin.starts_with(&super::heads::prefix(keys.realm())) {
        return Err(Refusal::Realm.into());
    }
    let before = kept(store, &offer.origin)?;
    if let Some(before) = before.as_ref().filter(|before| before.number >= offer.number) {
        return Ok(KeptEpoch { number: before.number, sealed: vec![] });
    }
    write(store, offer, number)?;
    Ok(KeptEpoch { number: offer.number, sealed: vec![] })
}

fn write(store: &Store, offer: &KeepEpoch, number: i64) -> Result<(), GateError> {
    let tx = store.connection().unchecked_transaction()?;
    let others: i64 =
        tx.query_row("SELECT count(*) FROM epochs WHERE origin <> ?1", [&offer.origin], |row| row.get(0))?;
    if others >= ORIGINS_MAX {
        // Stations of other sites that this gate was paired with before; the one with the fewest erasures makes room.
        tx.execute("DELETE FROM epochs WHERE origin = (SELECT origin FROM epochs ORDER BY number LIMIT 1)", [])?;
    }
    tx.execute(
        "INSERT INTO epochs (origin, number, sealed) VALUES (?1, ?2, ?3)
         ON CONFLICT (origin) DO UPDATE SET number = ?2, sealed = ?3",
        params![offer.origin, number, offer.sealed],
    )?;
    tx.commit()?;
    // The one before opened backups of who is erased now: it must not stay in the log of the file.
    store.empty_log()
}
