//! Opens the sealed file.

use std::path::Path;

use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::gate::error::GateError;

const BUSY_MS: u64 = 3_000;
/// Prepared statements that are kept ready: more than one operation uses.
const STATEMENTS_KEPT: usize = 64;

pub(super) fn connect(path: &Path, key: &[u8; 32]) -> Result<Connection, GateError> {
    let db = Connection::open_with_flags(
        path,
        rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Damage is reported to the caller; the library would also print it.
    db.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    give_key(&db, key)?;
    // A wrong key is only noticed at the first read.
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(|_| GateError::Corrupt)?;
    db.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    db.execute_batch(
        "PRAGMA cipher_memory_security = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -16384;",
    )?;
    Ok(db)
}

/// Hands over the raw key, so that it is never part of an SQL text.
#[allow(unsafe_code)]
fn give_key(db: &Connection, key: &[u8; 32]) -> Result<(), GateError> {
    let mut text = Zeroizing::new(*b"x'0000000000000000000000000000000000000000000000000000000000000000'");
    for (pair, byte) in text[2..66].chunks_exact_mut(2).zip(key) {
        for (digit, nibble) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
    }
    // SAFETY: the handle is open for as long as `db` is borrowed, and the library copies the 67 bytes before it
    // returns.
    let code = unsafe { rusqlite::ffi::sqlite3_key(db.handle(), text.as_ptr().cast(), 67) };
    if code == rusqlite::ffi::SQLITE_OK { Ok(()) } else { Err(GateError::Corrupt) }
}
