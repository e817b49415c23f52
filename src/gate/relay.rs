//! Passing a template on: from this gate to another one of the same consent, and taking one in that another gate has sealed.
//!
//! This gate seals a template for another gate only when the station's evidence key, which it keeps since the first head of the log
//! (`heads`), has signed both who the other gate is and the person's consent, and that consent names the other gate or the one that it
//! replaces. Deliberately absent: any way to ask for all templates.

use rusqlite::{Connection, params};

use super::admit::{self, Number};
use super::daemon::{Gate, Halt};
use super::error::GateError;
use super::heads;
use super::rows;
use super::store::{LiveFace, Store};
use crate::domain::id::{GateId, OpId, TemplateId};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::introduction::{self, Introduction};
use crate::evidence::{Kind, consent, statement};
use crate::wire::message::{PutFace, Receipt, Refusal};
use crate::wire::receipt::face_digest;
use crate::wire::relay::{PASSES_MAX, PassAllowed, PassOn, Passed, PutPassed, Want, open_passed, seal_passed};

/// Added to the store's schema; made where it is missing. Counts and gates only: no random number of a template.
pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS passed (                               -- acts of passing templates on; no people
        number      INTEGER PRIMARY KEY AUTOINCREMENT,
        to_gate     BLOB NOT NULL CHECK (length(to_gate) = 16),
        templates   INTEGER NOT NULL,
        at          INTEGER NOT NULL
    ) STRICT;";

/// Most acts that are kept; the oldest goes first.
const ACTS_KEPT: i64 = 10_000;
/// Most templates that are passed on within [`PASSES_WITHIN_MS`].
pub const PASSES_PER_MINUTE_MAX: i64 = 1_000;
/// The span of [`PASSES_PER_MINUTE_MAX`], in milliseconds.
pub const PASSES_WITHIN_MS: i64 = 60_000;
/// Oldest and newest accepted introduction, in milliseconds from the gate's clock.
pub const INTRODUCTION_AGE_MAX_MS: i64 = 600_000;

/// How many templates this gate has passed on, and in how many acts.
///
/// # Errors
/// [`GateError`].
pub fn passed_count(store: &Store) -> Result<(u64, u64), GateError> {
    // `status` may look at a store that no newer gate has opened yet.
    let made = "SELECT count(*) FROM sqlite_schema WHERE name = 'passed'";
    if store.connection().query_row(made, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok((0, 0));
    }
    let sql = "SELECT coalesce(sum(templates), 0), count(*) FROM passed";
    let counts: (i64, i64) = store.connection().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((counts.0.unsigned_abs(), counts.1.unsigned_abs()))
}

impl Gate {
    /// Seals templates to another gate. One that must not be passed on, or is not here, is answered with nothing.
    ///
    /// # Errors
    /// [`Refusal::NotAuthorised`] when the introduction does not hold, [`Refusal::TooMany`].
    pub(super) fn pass_on(&mut self, ask: &PassOn, now: Timestamp) -> Result<Vec<Passed>, Halt> {
        if ask.wants.len() > PASSES_MAX {
            return Err(Refusal::Malformed.into());
        }
        let key = self.log_key()?.ok_or(Refusal::NotAuthorised)?;
        let to = introduction::verify(&ask.introduction, &key).map_err(|_| Refusal::NotAuthorised)?;
        let fresh = (-INTRODUCTION_AGE_MAX_MS..=INTRODUCTION_AGE_MAX_MS).contains(&now.since(to.at));
        if !fresh || to.realm != self.setup.realm || to.gate == self.id || to.replaces.contains(&self.id) {
            return Err(Refusal::NotAuthorised.into());
        }
        if recent(self.store.connection(), now)?.saturating_add(count(ask.wants.len())) > PASSES_PER_MINUTE_MAX {
            return Err(Refusal::TooMany.into());
        }
        let passed: Vec<Passed> = ask.wants.iter().map(|want| Passed::of(self.pass(want, &to, &key, now))).collect();
        let sealed = count(passed.iter().filter(|passed| passed.put.is_some()).count());
        if sealed > 0 {
            record(self.store.connection(), to.gate, sealed, now)?;
            tracing::info!(to = %to.gate.short(), count = sealed, "templates passed on");
        }
        Ok(passed)
    }

    fn pass(&self, want: &Want, to: &Introduction, key: &[u8; 32], now: Timestamp) -> Option<(PutFace, [u8; 32])> {
        // As it was handed over, not as this gate keeps it.
        let live = self.store.handed_over(&want.template).ok()??;
        // A paused or stopped face stays where it is: elsewhere it would be matched.
        if live.frozen || live.ends_on < now.date() {
            return None;
        }
        let allowed = self.allow(want, to, key)?;
        let op = OpId::from_bytes(want.op);
        let put = seal_passed(&allowed, &live.face, live.ends_on.epoch_days(), op, (self.id, &self.keys))?;
        let digest = face_digest(&put.template, &put.engine, put.ends_on, rows::numbers(&live.face).as_slice());
        Some((put, digest))
    }

    /// The person's signed consent names this template, and the other gate or the one that it replaces.
    fn allow(&self, want: &Want, to: &Introduction, key: &[u8; 32]) -> Option<PassAllowed> {
        let signed = statement::verify(&want.consent, key).ok().filter(|signed| signed.kind == Kind::Consent)?;
        let states = consent::read(&signed.payload).ok()?;
        let named = |gate: GateId| states.gates.contains(&gate.to_string());
        let door = named(to.gate) || to.replaces.iter().any(|gate| named(*gate));
        let fits = states.template.bytes() == &want.template && states.realm == self.setup.realm.label() && door;
        fits.then(|| PassAllowed::assert_checked(states.template, to.gate, to.seal_key))
    }

    /// The key of the paired station's log, as first told; nothing while heads in force of one site name two keys.
    fn log_key(&self) -> Result<Option<[u8; 32]>, GateError> {
        let sql = "SELECT station_site FROM settings";
        let site: Option<[u8; 16]> = self.store.connection().query_row(sql, [], |row| row.get(0))?;
        let Some(site) = site.map(crate::domain::id::SiteId::from_bytes) else { return Ok(None) };
        let origin = format!("menka.{}/{site}", self.setup.realm.label());
        heads::key_of(&self.store, &origin)
    }

    /// Takes a template in that another gate sealed to this one.
    pub(super) fn put_passed(&mut self, passed: &PutPassed, digest: [u8; 32], now: Timestamp) -> Result<Receipt, Halt> {
        if passed.from == *self.id.bytes() {
            return Err(Refusal::Envelope.into());
        }
        self.take_face(&passed.put, digest, now, |gate| open_passed(passed, &gate.keys).map_err(|_| Refusal::Envelope))
    }

    /// Admits, opens, stores and signs; how it is opened depends on who sealed it.
    pub(super) fn take_face(
        &mut self,
        put: &PutFace,
        digest: [u8; 32],
        now: Timestamp,
        open: impl FnOnce(&Self) -> Result<crate::secret::FaceTemplate, Refusal>,
    ) -> Result<Receipt, Halt> {
        if let Some(receipt) = self.done_before(&put.op, &digest)? {
            return Ok(receipt);
        }
        let held = self.store.held(&put.template)?;
        let number = if self.store.is_spent(&put.template)? { Number::Spent } else { Number::Free };
        admit::face(put, number, &self.facts(now))?;
        let face = open(self)?;
        if !self.store.card_way_seen()? {
            // A face is never the only way in (rules J10a, F10a).
            return Err(Refusal::CardWay.into());
        }
        if let Some(held) = held {
            return self.face_again(put, &face, held.digest, digest, now);
        }
        let turned = self.store.transform()?.turn(&face).ok_or(Refusal::Envelope)?;
        let receipt = self.store_face(put, (&face, &turned), digest, now)?;
        let template = TemplateId::from_bytes(put.template);
        let ends_on = CivilDate::from_epoch_days(put.ends_on);
        // Paired with the look inside the transaction: the answer goes out only if the committed row gives its digest
        // too.
        let held = self.store.held(&put.template)?.filter(|held| held.digest == receipt.stored_digest);
        let frozen = held.as_ref().ok_or(GateError::Corrupt)?.frozen;
        // A damaged row of the same number was written over; what was read of it before it was damaged may still be in memory.
        self.faces.remove(|held| *held == template);
        let mut live = vec![LiveFace { template, ends_on, frozen, face: turned }];
        self.withheld.keep_out(&mut live);
        self.faces.extend(live);
        self.note_face(&put.template);
        tracing::info!(op = %OpId::from_bytes(put.op).short(), template = %template.short(), "template stored");
        Ok(receipt)
    }

    /// The number is held: the same content under another operation is answered by what is held, other content is refused.
    fn face_again(
        &mut self,
        put: &PutFace,
        face: &crate::secret::FaceTemplate,
        held: [u8; 32],
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Receipt, Halt> {
        if rows::digest_of(put, face) != held {
            return Err(Refusal::Spent.into());
        }
        Ok(self.sign_face(put, digest, now, |tx| rows::face_again(tx, put))?)
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn recent(db: &Connection, now: Timestamp) -> Result<i64, GateError> {
    let sql = "SELECT coalesce(sum(templates), 0) FROM passed WHERE at > ?1 AND at <= ?2";
    Ok(db.query_row(sql, params![now.ms().saturating_sub(PASSES_WITHIN_MS), now.ms()], |row| row.get(0))?)
}

fn record(db: &Connection, to: GateId, templates: i64, now: Timestamp) -> Result<(), GateError> {
    let sql = "INSERT INTO passed (to_gate, templates, at) VALUES (?1, ?2, ?3)";
    db.execute(sql, params![to.bytes(), templates, now.ms()])?;
    db.execute("DELETE FROM passed WHERE number <= (SELECT max(number) FROM passed) - ?1", [ACTS_KEPT])?;
    Ok(())
}
