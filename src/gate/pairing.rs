//! Pairing at the gate: a code that is shown on its console for ten minutes, and who may call while it is.
//!
//! `menka-gate pair` writes the code beside a running daemon, which reads it at each new connection. While no code is shown, a stranger does
//! not get past the TLS handshake.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::daemon::{Caller, Gate, Halt};
use super::error::GateError;
use super::store::Store;
use super::{admit, clock, heads};
use crate::domain::time::Timestamp;
use crate::secret::PairingCode;
use crate::wire::message::{Hello, Outcome, PairShare, Refusal, Reply};
use crate::wire::pairing::{self, CODE_LIFE_MS, Channel, TRIES_MAX};
use crate::wire::tls::Peer;

/// Added to the store's schema; made where it is missing.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS pairing (                              -- one row; no people
        one         INTEGER PRIMARY KEY CHECK (one = 1),
        listens     TEXT,                                             -- where the daemon listens, as it last said
        code        TEXT,                                             -- shown just now; NULL: none
        tries_left  INTEGER NOT NULL DEFAULT 0,
        shown_at    INTEGER NOT NULL DEFAULT 0,
        times       INTEGER NOT NULL DEFAULT 0,                       -- how often this gate was paired
        former_pin  BLOB CHECK (length(former_pin) = 32)              -- the station that unpaired it: may repeat, no more
    ) STRICT;
    INSERT OR IGNORE INTO pairing (one) VALUES (1);";

/// What the console sees of a code that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nobody has used it up yet.
    Waiting,
    /// A station paired; how often this gate was paired before is in the store.
    Paired,
    /// Three tries failed: it is void.
    UsedUp,
    /// Its time is over.
    Over,
}

/// Shows a code from now on, in the place of an earlier one. Returns how often this gate was paired so far.
///
/// # Errors
/// [`GateError`].
pub fn show(store: &Store, code: &PairingCode, now: Timestamp) -> Result<u64, GateError> {
    let db = store.connection();
    db.execute_batch(SCHEMA)?;
    // EXPOSE: the store is sealed; the daemon needs the digits for the exchange.
    let digits = std::str::from_utf8(code.expose()).map_err(|_| GateError::Corrupt)?;
    db.execute("UPDATE pairing SET code = ?1, tries_left = ?2, shown_at = ?3", params![digits, TRIES_MAX, now.ms()])?;
    times(db)
}

/// Shows no code any more.
///
/// # Errors
/// [`GateError`].
pub fn hide(store: &Store) -> Result<(), GateError> {
    store.connection().execute("UPDATE pairing SET code = NULL, tries_left = 0", [])?;
    Ok(())
}

/// What became of the code, for the console that shows it. `before` is what [`show`] returned.
///
/// # Errors
/// [`GateError`].
pub fn look(store: &Store, before: u64, now: Timestamp) -> Result<Shown, GateError> {
    let db = store.connection();
    if times(db)? != before {
        return Ok(Shown::Paired);
    }
    let sql = "SELECT code IS NOT NULL AND tries_left > 0, shown_at FROM pairing";
    let (good, shown_at): (bool, i64) = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(match (good, is_good(shown_at, now)) {
        (_, false) => Shown::Over,
        (false, true) => Shown::UsedUp,
        (true, true) => Shown::Waiting,
    })
}

/// Writes down where the daemon listens, for the console.
///
/// # Errors
/// [`GateError`].
fn record_address(store: &Store, address: &str) -> Result<(), GateError> {
    store.connection().execute("UPDATE pairing SET listens = ?1", [address])?;
    Ok(())
}

/// Where the daemon listens, as it last said.
///
/// # Errors
/// [`GateError`].
pub fn address(store: &Store) -> Result<Option<String>, GateError> {
    store.connection().execute_batch(SCHEMA)?;
    Ok(store.connection().query_row("SELECT listens FROM pairing", [], |row| row.get(0))?)
}

/// Whether a code is shown that can still be used.
fn is_shown(db: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "SELECT shown_at FROM pairing WHERE code IS NOT NULL AND tries_left > 0";
    let shown: Option<i64> = db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    Ok(shown.is_some_and(|at| is_good(at, now)))
}

/// Takes one of the tries of the code that is shown, before anything is answered: a caller that breaks off has used it up all the same.
fn take_try(db: &Connection, now: Timestamp) -> rusqlite::Result<Option<PairingCode>> {
    if !is_shown(db, now)? {
        return Ok(None);
    }
    let sql = "UPDATE pairing SET tries_left = tries_left - 1 WHERE code IS NOT NULL AND tries_left > 0 RETURNING code";
    let code: Option<String> = db.query_row(sql, [], |row| row.get(0)).optional()?;
    let code = code.map(zeroize::Zeroizing::new);
    Ok(code.and_then(|text| PairingCode::parse(&text)))
}

/// A clock that was set back does not make a code live longer than one that runs.
fn is_good(shown_at: i64, now: Timestamp) -> bool {
    (0..CODE_LIFE_MS).contains(&now.ms().saturating_sub(shown_at))
}

fn times(db: &Connection) -> Result<u64, GateError> {
    let times: i64 = db.query_row("SELECT times FROM pairing", [], |row| row.get(0))?;
    Ok(times.unsigned_abs())
}

fn former(db: &Connection) -> rusqlite::Result<Option<[u8; 32]>> {
    db.prepare_cached("SELECT former_pin FROM pairing")?.query_row([], |row| row.get(0))
}

/// Pins a station: the only one that is heard from now on. The clock is trusted again and the order of card operations starts anew (a
/// station that was restored from a backup counts from an earlier number). The code is used up.
pub(super) fn pin(tx: &Transaction<'_>, pin: &[u8; 32], hello: &Hello, now: Timestamp) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE settings SET station_pin = ?1, station_seal = ?2, station_sign = ?3, station_site = ?4, last_contact = ?5,
             last_instant = ?5, stop_sequence = 0",
        params![pin, hello.seal_key, hello.sign_key, hello.id, now.ms()],
    )?;
    tx.execute("UPDATE pairing SET code = NULL, tries_left = 0, times = times + 1, former_pin = NULL", [])?;
    tx.execute("DELETE FROM card_order", [])?;
    clock::forget(tx)?;
    tx.execute("DELETE FROM ran_back", [])?;
    heads::set_aside(tx, now)
}

/// Erases everybody, spends the numbers, and forgets the station, which may only repeat what it asked. The note about erasures goes too: nobody
/// would ever overwrite it here again, and it opens backups of whoever is erased from now on.
pub(super) fn unpair(tx: &Connection) -> rusqlite::Result<(Outcome, [u8; 32])> {
    tx.execute_batch(
        "INSERT OR IGNORE INTO spent (template) SELECT template FROM faces;
         DELETE FROM faces; DELETE FROM cards; DELETE FROM card_order; DELETE FROM openings;
         DELETE FROM frozen_first; DELETE FROM epochs; DELETE FROM card_way;
         UPDATE pairing SET former_pin = (SELECT station_pin FROM settings), code = NULL, tries_left = 0;
         UPDATE settings SET station_pin = NULL, station_seal = NULL, station_sign = NULL, station_site = NULL,
             faces_stopped = 0, stop_sequence = 0;",
    )?;
    let sql = "SELECT EXISTS (SELECT 1 FROM faces UNION ALL SELECT 1 FROM cards UNION ALL SELECT 1 FROM openings)";
    if tx.query_row(sql, [], |row| row.get(0))? {
        return Err(rusqlite::Error::StatementChangedRows(0));
    }
    Ok((Outcome::Unpaired, [0; 32]))
}

/// As [`unpair`], asked for at this gate: the station that is gone is not heard again either.
pub(super) fn unpair_for_good(tx: &Connection) -> rusqlite::Result<(Outcome, [u8; 32])> {
    let done = unpair(tx)?;
    tx.execute("UPDATE pairing SET former_pin = NULL", [])?;
    Ok(done)
}

impl Gate {
    /// Whose key is let through a TLS handshake that begins now.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn expects(&self, now: Timestamp) -> Result<Peer, GateError> {
        let db = self.store.connection();
        if is_shown(db, now)? {
            return Ok(Peer::Anybody);
        }
        let known = match self.store.station()? {
            Some(station) => Some(station.pin),
            None => former(db)?,
        };
        Ok(known.map_or(Peer::Nobody, Peer::Only))
    }

    /// Whether a caller whose handshake is over may still be heard: another station may have been paired since, or the time of the code is
    /// over.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn hears(&self, caller: &Caller, now: Timestamp) -> Result<bool, GateError> {
        let db = self.store.connection();
        Ok(match self.store.station()? {
            // Paired anew with the same station: what it stated as its keys must still be what is pinned.
            Some(station) if station.pin == caller.pin() => caller.seal().is_none_or(|seal| station.seal == Some(seal)),
            None if former(db)? == Some(caller.pin()) => true,
            _ => caller.pairs() || is_shown(db, now)?,
        })
    }

    /// Whether this is the key of the paired station.
    pub(super) fn is_station(&self, pin: &[u8; 32]) -> bool {
        self.store.station().is_ok_and(|station| station.is_some_and(|station| station.pin == *pin))
    }

    /// Whether this is the station that unpaired the gate.
    pub(super) fn is_former(&self, caller: &Caller) -> Result<bool, GateError> {
        Ok(self.store.station()?.is_none() && former(self.store.connection())? == Some(caller.pin()))
    }

    /// Writes down where this gate listens, for `menka-gate pair`.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn record_address(&self, address: std::net::SocketAddr) -> Result<(), GateError> {
        record_address(&self.store, &address.to_string())
    }

    pub(super) fn pair_begin(
        &mut self,
        caller: &mut Caller,
        (asked, body): (&PairShare, &[u8]),
        now: Timestamp,
    ) -> Result<Reply, Halt> {
        admit::hello(&asked.hello, self.realm().label())?;
        let exporter = caller.exporter().ok_or(Refusal::Malformed)?;
        let code = take_try(self.store.connection(), now).map_err(GateError::from)?.ok_or(Refusal::NoCode)?;
        let (station, gate) = (caller.pin(), self.keys().fingerprint());
        let channel = Channel { realm: self.realm(), exporter, station, gate };
        let (run, reply) =
            pairing::Gate::answer(&code, &channel, (body, asked), self.hello()).map_err(|_| Refusal::Malformed)?;
        caller.keep_pairing(Some(run));
        Ok(reply)
    }

    pub(super) fn pair_confirm(&mut self, caller: &mut Caller, tag: &[u8; 32], now: Timestamp) -> Result<Reply, Halt> {
        let run = caller.take_pairing().ok_or(Refusal::NoCode)?;
        let (hello, proof) = run.check(tag).map_err(|_| {
            tracing::warn!("somebody tried to pair with another code");
            Refusal::OtherCode
        })?;
        self.pin_station(&caller.pin(), &hello, now)?;
        tracing::info!("paired with a station");
        Ok(Reply::Paired(proof))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_for_ten_minutes_of_a_clock_that_runs_forward() {
        let at = |ms| is_good(1_000_000, Timestamp::from_ms(1_000_000 + ms));
        assert_eq!([at(-1), at(0), at(CODE_LIFE_MS - 1), at(CODE_LIFE_MS)], [false, true, true, false]);
    }
}
