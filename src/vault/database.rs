//! Opening the two SQLCipher files: raw keys through the C call (never SQL text), settings, shape, integrity.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use zeroize::{Zeroize, Zeroizing};

use super::error::{EPOCH_FILE, KEYS_FILE, MAIN_FILE, VaultError};
use super::keys::VaultKey;
use super::swap::ORPHAN;

/// Numbered migrations of `vault.db`. Never edited after a release.
const MAIN_MIGRATIONS: &[&str] = &[
    include_str!("migrations/vault/0001_init.sql"),
    include_str!("migrations/vault/0002_staff.sql"),
    include_str!("migrations/vault/0003_notice.sql"),
    include_str!("migrations/vault/0004_guardians.sql"),
    include_str!("migrations/vault/0005_rights.sql"),
    include_str!("migrations/vault/0006_deletion.sql"),
    include_str!("migrations/vault/0007_evidence.sql"),
    include_str!("migrations/vault/0008_reading.sql"),
    include_str!("migrations/vault/0009_letters.sql"),
    include_str!("migrations/vault/0010_promises.sql"),
    include_str!("migrations/vault/0011_pairing.sql"),
    include_str!("migrations/vault/0012_boards.sql"),
    include_str!("migrations/vault/0013_keep.sql"),
    include_str!("migrations/vault/0014_relay.sql"),
    include_str!("migrations/vault/0015_one_place.sql"),
    include_str!("migrations/vault/0016_cameras.sql"),
    include_str!("migrations/vault/0017_papers.sql"),
    include_str!("migrations/vault/0018_face_last.sql"),
    include_str!("migrations/vault/0019_ages.sql"),
    include_str!("migrations/vault/0020_identity_apart.sql"),
    include_str!("migrations/vault/0021_drills.sql"),
];
/// Numbered migrations of `keys.db`. Never edited after a release.
const KEYS_MIGRATIONS: &[&str] = &[
    include_str!("migrations/keys/0001_init.sql"),
    include_str!("migrations/keys/0002_epoch.sql"),
    include_str!("migrations/keys/0003_epoch_secret.sql"),
];

/// How long a write waits for the other connection, in milliseconds.
const BUSY_MS: u64 = 5_000;
/// Prepared statements that are kept ready: more than one operation uses.
const STATEMENTS_KEPT: usize = 64;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// First run: the file must not be there.
    New,
    /// At unlock: every page is checked, migrations run.
    Checked,
    /// A second connection to a file that was checked.
    Again,
}

/// Opens one file.
///
/// # Errors
/// [`VaultError::Corrupt`] for a file that is missing, cut, changed, or not under this key.
pub(super) fn open(dir: &Path, file: &str, key: &VaultKey, opening: Opening) -> Result<Connection, VaultError> {
    let path = dir.join(file);
    match opening {
        Opening::New => drop(create_private(&path)?),
        // An empty file would count as an empty database, and a new one would be made in its place.
        Opening::Checked | Opening::Again => match std::fs::metadata(&path) {
            Ok(found) if found.len() > 0 => {}
            Ok(_) => return Err(VaultError::corrupt(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(VaultError::corrupt(file)),
            Err(error) => return Err(error.into()),
        },
    }
    let in_file = |error: rusqlite::Error| VaultError::of(file, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(in_file)?;
    // SQLCipher would print the state of a damaged file on the terminal.
    connection.execute_batch("PRAGMA cipher_log_level = NONE; PRAGMA cipher_memory_security = ON;").map_err(in_file)?;
    give_key(&connection, key, file)?;
    connection.busy_timeout(Duration::from_millis(BUSY_MS)).map_err(in_file)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // The key call accepts any key; the first read tells.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).map_err(in_file)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
        )
        .map_err(in_file)?;
    let migrations = if file == KEYS_FILE { KEYS_MIGRATIONS } else { MAIN_MIGRATIONS };
    match opening {
        Opening::New => migrate(&connection, 0, migrations).map_err(in_file)?,
        Opening::Checked => {
            // The page check reads the file and not the log. A page that a power cut tore on its way from the log into the file is whole
            // in the log, so the log is moved first; a page that was tampered with there is found in the file afterwards.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).map_err(in_file)?;
            check_pages(&connection, file)?;
            let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(in_file)?;
            let version = usize::try_from(version).map_err(|_| VaultError::corrupt(file))?;
            if version > migrations.len() {
                return Err(VaultError::TooNew { file: file.into() });
            }
            if version == 0 {
                return Err(VaultError::corrupt(file));
            }
            migrate(&connection, version, migrations).map_err(in_file)?;
        }
        Opening::Again => {}
    }
    Ok(connection)
}

/// Opens a file of one of our own formats outside the vault (a copy, a backup) without looking at its shape. An empty one is made when it is
/// not there.
///
/// # Errors
/// [`VaultError::Corrupt`] for a file that is not under this key.
pub(super) fn open_aside(path: &Path, key: &VaultKey, writes: bool) -> Result<Connection, VaultError> {
    if writes && !path.exists() {
        drop(create_private(path)?);
    }
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let in_file = |error: rusqlite::Error| VaultError::of(&file, &error);
    let way = if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let connection = Connection::open_with_flags(path, way | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(in_file)?;
    connection.execute_batch("PRAGMA cipher_log_level = NONE; PRAGMA cipher_memory_security = ON;").map_err(in_file)?;
    give_key(&connection, key, &file)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).map_err(in_file)?;
    connection
        .execute_batch("PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")
        .map_err(in_file)?;
    Ok(connection)
}

/// Copies a whole database into another one, each under its own key, as of one moment.
///
/// # Errors
/// Those of both disks.
pub(super) fn copy(from: &Connection, to: &mut Connection) -> Result<(), VaultError> {
    use rusqlite::backup::{Backup, StepResult};
    let backup = Backup::new(from, to)?;
    for _ in 0..COPY_TRIES {
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked => std::thread::sleep(COPY_PAUSE),
            _ => {}
        }
    }
    Err(VaultError::Busy)
}

/// Tries for a copy, and the pause between two.
const COPY_TRIES: u32 = 50;
const COPY_PAUSE: Duration = Duration::from_millis(100);

/// Runs the migrations after `from`, all in one transaction.
fn migrate(connection: &Connection, from: usize, migrations: &[&str]) -> Result<(), rusqlite::Error> {
    let pending = migrations.get(from..).unwrap_or_default();
    if pending.is_empty() {
        return Ok(());
    }
    let work = connection.unchecked_transaction()?;
    for sql in pending {
        work.execute_batch(sql)?;
    }
    work.pragma_update(None, "user_version", i64::try_from(migrations.len()).unwrap_or(i64::MAX))?;
    work.commit()
}

/// Reads every page (SQLCipher checks each page's HMAC) and the structure.
pub(super) fn check_pages(connection: &Connection, file: &str) -> Result<(), VaultError> {
    let damaged = |error: rusqlite::Error| match VaultError::of(file, &error) {
        refused @ (VaultError::Busy | VaultError::DiskFull | VaultError::Disk(_)) => refused,
        _ => VaultError::corrupt(file),
    };
    // Lists the pages whose HMAC does not fit, and a file whose length is not a whole number of pages.
    let mut statement = connection.prepare("PRAGMA cipher_integrity_check").map_err(damaged)?;
    let sound = statement.query([]).and_then(|mut rows| Ok(rows.next()?.is_none())).map_err(damaged)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(damaged)?;
    if sound && verdict == "ok" { Ok(()) } else { Err(VaultError::corrupt(file)) }
}

/// Hands the raw key to SQLCipher.
#[allow(unsafe_code)]
fn give_key(connection: &Connection, key: &VaultKey, file: &str) -> Result<(), VaultError> {
    // `x'…'` means a raw key: no second key derivation.
    let mut text = Zeroizing::new(Vec::with_capacity(67));
    text.extend_from_slice(b"x'");
    for byte in key.bytes() {
        for digit in [byte >> 4, byte & 15] {
            text.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
    text.push(b'\'');
    let length = i32::try_from(text.len()).map_err(|_| VaultError::corrupt(file))?;
    // SAFETY: the handle lives as long as `connection`; the call copies `length` bytes, which `text` has, and keeps no
    // pointer.
    let code = unsafe { rusqlite::ffi::sqlite3_key(connection.handle(), text.as_ptr().cast(), length) };
    text.zeroize();
    if code == rusqlite::ffi::SQLITE_OK { Ok(()) } else { Err(VaultError::Refused(code)) }
}

/// Makes the data folder, for this account only.
pub(super) fn make_folder(dir: &Path) -> Result<(), VaultError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700).create(dir)?;
        // The folder may have been there before, with wider rights.
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    }
    #[cfg(not(unix))]
    builder.create(dir)?;
    Ok(())
}

/// Makes a file for this account only, empty; what was there under this name is emptied.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a rename in the folder durable.
pub(super) fn sync_folder(dir: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Moves leftovers of a first run that did not end out of the way. They cannot be opened, but they are not destroyed at once: the slots file
/// may have been lost by mistake, and a copy of it would open them again. After thirty days they go (`swap::sweep`).
pub(super) fn set_aside_leftovers(dir: &Path, at_ms: i64) -> Result<(), VaultError> {
    for file in [MAIN_FILE, KEYS_FILE, EPOCH_FILE] {
        for ending in ["", "-wal", "-shm"] {
            let path = dir.join(format!("{file}{ending}"));
            if path.exists() {
                std::fs::rename(&path, dir.join(format!("{file}{ending}{ORPHAN}{at_ms}")))?;
            }
        }
    }
    Ok(())
}
