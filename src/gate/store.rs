//! The gate's store: one SQLCipher file. What an operation changes and the receipt for it are written in one durable
//! transaction.
//!
//! An erased template is overwritten (`secure_delete`) and the write-ahead log is emptied before anybody is told that
//! it is gone.

mod connect;
mod held;
mod openings;

use std::cell::OnceCell;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use zeroize::Zeroizing;

use self::connect::connect;
use super::clock;
use super::epochs;
use super::error::GateError;
use super::heads;
use super::key_file::create_private;
use super::lease::Change;
use super::protect::{SALT_LEN, Transform};
use super::{bound, pairing, relay, reseal, rows};
use crate::domain::Realm;
use crate::domain::id::{GateId, TemplateId};
use crate::domain::time::{CivilDate, Timestamp};
use crate::secret::{EngineId, FaceTemplate, random_bytes};
use crate::wire::frame::{decode, encode};
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{Hello, Outcome, Receipt};

const SCHEMA: &str = include_str!("schema.sql");
const SCHEMA_VERSION: i64 = 4;
/// From version 1: stopping all faces.
const TO_VERSION_2: &str = "ALTER TABLE settings ADD COLUMN faces_stopped INTEGER NOT NULL DEFAULT 0
         CHECK (faces_stopped IN (0, 1));
     ALTER TABLE settings ADD COLUMN stop_sequence INTEGER NOT NULL DEFAULT 0;";
/// What is looked for when old receipts are forgotten.
const OPS_BY_DAY: &str = "CREATE INDEX IF NOT EXISTS ops_by_day ON ops (done_at);";
/// From version 2: the station's signing key, which authorises that a template is sealed again.
const TO_VERSION_3: &str = "ALTER TABLE settings ADD COLUMN station_sign BLOB CHECK (length(station_sign) = 32);";
/// From version 3: templates are kept turned ([`super::protect`]).
const TO_VERSION_4: &str = "ALTER TABLE settings ADD COLUMN transform_salt BLOB NOT NULL DEFAULT x''
         CHECK (length(transform_salt) IN (0, 32));
     ALTER TABLE faces ADD COLUMN kept BLOB NOT NULL DEFAULT x'' CHECK (length(kept) IN (0, 32));";
/// Most hours without contact after which faces stop: what the notice can promise at most.
pub const OFFLINE_HOURS_MAX: u32 = 24;
/// Most days that opening records are kept; the same.
pub const PASSLOG_DAYS_MAX: u32 = 30;

/// What is decided when a gate is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Real or practice.
    pub realm: Realm,
    /// The only face engine whose templates are matched.
    pub engine: EngineId,
    /// `false` for a card-only gate.
    pub takes_faces: bool,
    /// Hours without contact after which faces stop, 1 to 24 (up to 720 in gates of earlier versions).
    pub offline_hours: u32,
    /// Days that opening records are kept, 0 to 30.
    pub passlog_days: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Self { realm: Realm::Real, engine: EngineId::sface(), takes_faces: true, offline_hours: 24, passlog_days: 30 }
    }
}

/// The paired station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// Fingerprint of its TLS key.
    pub pin: [u8; 32],
    /// Its sealing key, once it has said hello.
    pub seal: Option<[u8; 32]>,
    /// Its signing key, once it has said hello.
    pub sign: Option<[u8; 32]>,
}

/// The way somebody asked the door to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A card.
    Card,
    /// A face.
    Face,
}

/// A template in memory, ready to be matched.
pub struct LiveFace {
    /// Its random number.
    pub template: TemplateId,
    /// Last day.
    pub ends_on: CivilDate,
    /// Kept but not matched.
    pub frozen: bool,
    /// The template itself; wiped when dropped.
    pub face: FaceTemplate,
}

/// The open store.
pub struct Store {
    db: Connection,
    key: Zeroizing<[u8; 32]>,
    transform: OnceCell<Transform>,
}

impl Store {
    /// Creates the file. Fails when it exists.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn create(
        path: &Path,
        key: &[u8; 32],
        setup: &Setup,
        keys: &IdentityKeys,
        now: Timestamp,
    ) -> Result<Self, GateError> {
        // The database library would create it readable for all.
        create_private(path, &[])?;
        let mut db = connect(path, key)?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(SCHEMA)?;
        tx.execute_batch(heads::SCHEMA)?;
        tx.execute_batch(relay::SCHEMA)?;
        tx.execute_batch(pairing::SCHEMA)?;
        tx.execute_batch(epochs::SCHEMA)?;
        tx.execute_batch(reseal::SCHEMA)?;
        tx.execute_batch(bound::SCHEMA)?;
        tx.execute_batch(rows::SCHEMA)?;
        tx.execute_batch(clock::SCHEMA)?;
        tx.execute(
            "INSERT INTO settings (one, gate, realm, identity, engine, takes_faces, offline_hours, passlog_days,
                 last_contact, last_instant, transform_salt)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)",
            params![
                random_bytes::<16>(),
                setup.realm.label(),
                keys.to_bytes().as_slice(),
                setup.engine.as_str(),
                setup.takes_faces,
                setup.offline_hours,
                setup.passlog_days,
                now.ms(),
                random_bytes::<SALT_LEN>()
            ],
        )?;
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        tx.commit()?;
        Ok(Self { db, key: Zeroizing::new(*key), transform: OnceCell::new() })
    }

    /// Opens the file and empties its log, so that an erasure whose answer was cut off is complete too.
    ///
    /// # Errors
    /// [`GateError::Corrupt`] for a wrong key, a damaged file or another version.
    pub fn open(path: &Path, key: &[u8; 32]) -> Result<Self, GateError> {
        let store = Self::open_beside(path, key)?;
        // Made where an earlier version of this program left it out; there already otherwise.
        store.db.execute_batch(heads::SCHEMA)?;
        store.db.execute_batch(relay::SCHEMA)?;
        store.db.execute_batch(pairing::SCHEMA)?;
        store.db.execute_batch(OPS_BY_DAY)?;
        store.db.execute_batch(bound::SCHEMA)?;
        store.db.execute_batch(rows::SCHEMA)?;
        store.db.execute_batch(epochs::SCHEMA)?;
        store.db.execute_batch(clock::SCHEMA)?;
        store.empty_log()?;
        Ok(store)
    }

    /// Opens the file beside a running daemon: nothing is changed, except that a store of an older version is brought up to this one.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_beside(path: &Path, key: &[u8; 32]) -> Result<Self, GateError> {
        let mut db = connect(path, key)?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if !(1..=SCHEMA_VERSION).contains(&version) {
            return Err(GateError::Corrupt);
        }
        if version < SCHEMA_VERSION {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if version < 2 {
                tx.execute_batch(TO_VERSION_2)?;
            }
            if version < 3 {
                tx.execute_batch(TO_VERSION_3)?;
                tx.execute_batch(reseal::SCHEMA)?;
            }
            tx.execute_batch(TO_VERSION_4)?;
            let salt = random_bytes::<SALT_LEN>();
            tx.execute("UPDATE settings SET transform_salt = ?1", [salt])?;
            rows::keep_turned(&tx, &Transform::derive(key, &salt))?;
            tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            tx.commit()?;
        }
        let store = Self { db, key: Zeroizing::new(*key), transform: OnceCell::new() };
        if version < SCHEMA_VERSION {
            // The templates as they lay before are in no journal any more.
            store.empty_log()?;
        }
        Ok(store)
    }

    /// How templates are turned here, now.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn transform(&self) -> Result<&Transform, GateError> {
        if let Some(known) = self.transform.get() {
            return Ok(known);
        }
        let salt: [u8; SALT_LEN] = self.db.query_row("SELECT transform_salt FROM settings", [], |row| row.get(0))?;
        Ok(self.transform.get_or_init(|| Transform::derive(&self.key, &salt)))
    }

    /// A held template as it was handed over: to seal it to another key under the same person's consent. `None` for one that is not held
    /// or damaged.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn handed_over(&self, template: &[u8; 16]) -> Result<Option<LiveFace>, GateError> {
        let Some(kept) = rows::face_as_kept(&self.db, template)? else { return Ok(None) };
        let (ends_on, frozen) = (CivilDate::from_epoch_days(kept.ends_on), kept.frozen);
        let plain = self.transform()?.turn_back(&kept.face);
        Ok(plain.map(|face| LiveFace { template: TemplateId::from_bytes(*template), ends_on, frozen, face }))
    }

    /// Turns everything held to a new transform, as an operation of the station: no face is needed. The receipt's digest is that of the
    /// holdings, which stay as they were.
    ///
    /// # Errors
    /// [`GateError`]; then nothing was changed.
    pub fn renew(
        &mut self,
        op: &[u8; 16],
        request_digest: &[u8; 32],
        sign: impl FnOnce(Outcome, [u8; 32]) -> Receipt,
    ) -> Result<Receipt, GateError> {
        self.transform()?;
        let holdings = self.holdings()?.digest();
        let salt = random_bytes::<SALT_LEN>();
        let new = Transform::derive(&self.key, &salt);
        let Some(old) = self.transform.take() else { return Err(GateError::Corrupt) };
        let done = self.perform(
            op,
            request_digest,
            |tx| {
                rows::renew_faces(tx, &old, &new, &salt)?;
                Ok((Outcome::FacesRenewed, holdings))
            },
            sign,
        );
        self.transform = OnceCell::from(if done.is_ok() { new } else { old });
        done
    }

    /// The decisions of the set-up.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn setup(&self) -> Result<Setup, GateError> {
        let (realm, engine, takes_faces, offline_hours, passlog_days) = self.db.query_row(
            "SELECT realm, engine, takes_faces, offline_hours, passlog_days FROM settings",
            [],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )?;
        let realm = if realm == Realm::Practice.label() { Realm::Practice } else { Realm::Real };
        let engine = EngineId::parse(&engine).ok_or(GateError::Corrupt)?;
        Ok(Setup { realm, engine, takes_faces, offline_hours, passlog_days })
    }

    /// This gate's id.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn gate(&self) -> Result<GateId, GateError> {
        let id = self.db.query_row("SELECT gate FROM settings", [], |row| row.get(0))?;
        Ok(GateId::from_bytes(id))
    }

    /// This gate's keys.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn keys(&self) -> Result<IdentityKeys, GateError> {
        let bytes: Zeroizing<Vec<u8>> =
            self.db.query_row("SELECT identity FROM settings", [], |row| row.get(0).map(Zeroizing::new))?;
        Ok(IdentityKeys::from_bytes(&bytes)?)
    }

    /// The paired station, if any.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn station(&self) -> Result<Option<Station>, GateError> {
        let mut statement = self.db.prepare_cached("SELECT station_pin, station_seal, station_sign FROM settings")?;
        let station = statement.query_row([], |row| {
            let pin: Option<[u8; 32]> = row.get(0)?;
            let (seal, sign) = (row.get(1)?, row.get(2)?);
            Ok(pin.map(|pin| Station { pin, seal, sign }))
        })?;
        Ok(station)
    }

    /// Pairs with a station: the only one that is heard from now on.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn pair(&mut self, pin: &[u8; 32], hello: &Hello, now: Timestamp) -> Result<(), GateError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        pairing::pin(&tx, pin, hello, now)?;
        tx.commit()?;
        Ok(())
    }

    /// Number of operations whose receipts are kept.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn operations(&self) -> Result<u64, GateError> {
        let count: i64 = self.db.query_row("SELECT count(*) FROM ops", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Forgets receipts of operations that were done before an instant, at most so many at once. Returns how many.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn forget_operations_before(&self, instant: Timestamp, at_once: u32) -> Result<usize, GateError> {
        let sql = "DELETE FROM ops WHERE op IN (SELECT op FROM ops WHERE done_at < ?1 ORDER BY done_at LIMIT ?2)";
        Ok(self.db.execute(sql, params![instant.ms(), at_once])?)
    }

    /// Writes down the keys and site that the paired station stated first.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn learn_station(&self, seal: &[u8; 32], sign: &[u8; 32], site: &[u8; 16]) -> Result<(), GateError> {
        let sql = "UPDATE settings SET station_seal = ?1, station_sign = ?2, station_site = ?3";
        self.db.execute(sql, params![seal, sign, site])?;
        Ok(())
    }

    /// Whether the station stopped all faces here.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn faces_stopped(&self) -> Result<bool, GateError> {
        Ok(self.db.query_row("SELECT faces_stopped FROM settings", [], |row| row.get(0))?)
    }

    /// Last contact and latest instant seen.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn instants(&self) -> Result<(Timestamp, Timestamp), GateError> {
        let mut statement = self.db.prepare_cached("SELECT last_contact, last_instant FROM settings")?;
        let both = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((Timestamp::from_ms(both.0), Timestamp::from_ms(both.1)))
    }

    /// Writes both down, unless somebody else (a pairing) has written others since. Returns whether they are written.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn record_instants(&self, change: &Change) -> Result<bool, GateError> {
        let written = self.db.execute(
            "UPDATE settings SET last_contact = ?1, last_instant = ?2 WHERE last_contact = ?3 AND last_instant = ?4",
            params![change.to.0.ms(), change.to.1.ms(), change.from.0.ms(), change.from.1.ms()],
        )?;
        Ok(written == 1)
    }

    /// An operation done before: the digest of its bytes and its receipt.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn done(&self, op: &[u8; 16]) -> Result<Option<([u8; 32], Receipt)>, GateError> {
        let mut statement = self.db.prepare_cached("SELECT request_digest, receipt FROM ops WHERE op = ?1")?;
        let found: Option<([u8; 32], Vec<u8>)> =
            statement.query_row([op], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((digest, receipt)) = found else { return Ok(None) };
        let receipt = decode(&receipt).map_err(|_| GateError::Corrupt)?;
        Ok(Some((digest, receipt)))
    }

    /// Does an operation and writes its receipt, both or neither. `effect` changes the tables and says what a look at
    /// them found; `sign` makes the receipt of it.
    ///
    /// # Errors
    /// [`GateError::Store`]; then nothing was changed.
    pub fn perform(
        &mut self,
        op: &[u8; 16],
        request_digest: &[u8; 32],
        effect: impl FnOnce(&Connection) -> rusqlite::Result<(Outcome, [u8; 32])>,
        sign: impl FnOnce(Outcome, [u8; 32]) -> Receipt,
    ) -> Result<Receipt, GateError> {
        let write = |db: &Connection| -> rusqlite::Result<Receipt> {
            let (outcome, stored) = effect(db)?;
            let receipt = sign(outcome, stored);
            db.prepare_cached("INSERT INTO ops (op, request_digest, receipt, done_at) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![op, request_digest, encode(&receipt), receipt.at])?;
            Ok(receipt)
        };
        // A step of a batch needs no savepoint: a refusal comes before anything is written, and any failure undoes the whole batch.
        if self.in_batch() {
            return Ok(write(&self.db)?);
        }
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let receipt = write(&tx)?;
        tx.commit()?;
        Ok(receipt)
    }

    /// Begins a write that many operations share.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn begin_batch(&self) -> Result<(), GateError> {
        Ok(self.db.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// [`GateError`]; then it is still to be undone.
    pub(super) fn commit_batch(&self) -> Result<(), GateError> {
        Ok(self.db.execute_batch("COMMIT")?)
    }

    /// Undoes it.
    pub(super) fn undo_batch(&self) {
        if self.in_batch()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a batch could not be undone");
        }
    }

    /// Whether a write that many operations share is open.
    pub(super) fn in_batch(&self) -> bool {
        !self.db.is_autocommit()
    }

    /// A number that changes when another process writes the file.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn data_version(&self) -> Result<i64, GateError> {
        Ok(self.db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    /// Erases templates whose last day is before `day`, and spends their numbers. Returns the numbers. The log is the
    /// caller's to empty.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn erase_ended_before(&mut self, day: CivilDate) -> Result<Vec<TemplateId>, GateError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ended: Vec<[u8; 16]> = tx
            .prepare_cached("SELECT template FROM faces WHERE ends_on < ?1")?
            .query_map([day.epoch_days()], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for template in &ended {
            rows::erase_face(&tx, template)?;
        }
        tx.commit()?;
        Ok(ended.into_iter().map(TemplateId::from_bytes).collect())
    }

    /// Changes what was decided at the set-up: hours until faces stop, and days that opening records are kept.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn change_limits(&self, offline_hours: u32, passlog_days: u32) -> Result<(), GateError> {
        let sql = "UPDATE settings SET offline_hours = ?1, passlog_days = ?2";
        self.db.execute(sql, params![offline_hours, passlog_days])?;
        Ok(())
    }

    /// Moves the write-ahead log into the file and cuts it to nothing: what was erased is in neither.
    ///
    /// # Errors
    /// [`GateError::Store`] when another process reads the log too long.
    pub fn empty_log(&self) -> Result<(), GateError> {
        let busy: i64 = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 {
            return Ok(());
        }
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        Err(rusqlite::Error::SqliteFailure(code, None).into())
    }

    /// Writes into the file as nobody should: for tests of what notices that.
    #[cfg(feature = "practice")]
    pub fn execute_for_a_test(&self, sql: &str) -> bool {
        self.db.execute_batch(sql).is_ok()
    }

    /// Every page of the file, decrypted, free ones too: for tests that look for what must not be there.
    #[cfg(feature = "practice")]
    #[allow(unsafe_code)]
    pub fn decrypted_pages(&self) -> Vec<u8> {
        let mut length = 0i64;
        // SAFETY: the handle is open; the returned block of `length` bytes is ours until it is freed, and is copied before.
        unsafe {
            let start = rusqlite::ffi::sqlite3_serialize(self.db.handle(), c"main".as_ptr(), &raw mut length, 0);
            if start.is_null() {
                return vec![];
            }
            let pages = std::slice::from_raw_parts(start, usize::try_from(length).unwrap_or(0)).to_vec();
            rusqlite::ffi::sqlite3_free(start.cast());
            pages
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.db
    }
}
