//! Opens one template that this gate holds and seals it to another key. Rules: P45, L2-6 (one person at a time, never in bulk).
//!
//! It wants the station's signature over this gate, this template, the consent that covers it, the purpose and the key; it answers each
//! authorisation once; it writes down what it gave out, for which purpose, under which consent; and it gives out at most
//! [`COPIES_A_DAY_MAX`] copies a day, so that a station in wrong hands cannot empty a gate unseen.

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::admit;
use super::daemon::Halt;
use super::error::GateError;
use super::rows;
use super::store::Store;
use crate::domain::id::{GateId, OpId, TemplateId};
use crate::domain::time::Timestamp;
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{Outcome, Receipt, Refusal};
use crate::wire::reseal::{Reseal, ResealFor, Resealed, seal_again};

/// Added to the store's schema; made where it is missing.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS resealed (                             -- templates that were given out; random numbers only
        op          BLOB PRIMARY KEY CHECK (length(op) = 16),
        template    BLOB NOT NULL CHECK (length(template) = 16),
        consent     BLOB NOT NULL CHECK (length(consent) = 32),       -- SHA-256 of the signed consent record
        purpose     INTEGER NOT NULL,                                 -- 0: a copy for the person
        recipient   BLOB NOT NULL CHECK (length(recipient) = 32),     -- public key
        at          INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// Most copies that a gate gives out within [`COPIES_WITHIN_MS`].
pub const COPIES_A_DAY_MAX: u64 = 5;

/// The span of [`COPIES_A_DAY_MAX`], in milliseconds.
pub const COPIES_WITHIN_MS: i64 = 86_400_000;

/// What this gate gave out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The operation.
    pub op: OpId,
    /// The template's random number.
    pub template: TemplateId,
    /// What for, as written down.
    pub purpose: u8,
    /// By the gate's clock.
    pub at: Timestamp,
}

/// This gate, as far as it takes part.
pub(super) struct Holder<'a> {
    pub(super) store: &'a mut Store,
    pub(super) keys: &'a IdentityKeys,
    pub(super) id: GateId,
}

/// Answers one authorised request. The reply is made only after what was given out is durable in the store.
pub(super) fn answer(
    holder: Holder<'_>,
    station_sign: Option<&[u8; 32]>,
    ask: &Reseal,
    body: &[u8],
    now: Timestamp,
) -> Result<Resealed, Halt> {
    let Holder { store, keys, id } = holder;
    let setup = store.setup()?;
    if !setup.takes_faces {
        return Err(Refusal::CardsOnly.into());
    }
    if ask.gate != *id.bytes() {
        return Err(Refusal::Envelope.into());
    }
    if !station_sign.is_some_and(|key| ask.is_signed_by(key, setup.realm)) {
        return Err(Refusal::NotAuthorised.into());
    }
    let age = now.since(Timestamp::from_ms(ask.sent_at));
    if !(-admit::PROBE_AGE_MAX_MS..=admit::PROBE_AGE_MAX_MS).contains(&age) {
        return Err(Refusal::Stale.into());
    }
    if store.done(&ask.op)?.is_some() {
        return Err(Refusal::Spent.into());
    }
    let live = store.handed_over(&ask.template)?.ok_or(Refusal::NotHeld)?;
    if live.frozen {
        return Err(Refusal::NotAuthorised.into());
    }
    if live.ends_on < now.date() {
        return Err(Refusal::Expired.into());
    }
    if ask.purpose == ResealFor::Copy && copies_since(store, now.plus_ms(-COPIES_WITHIN_MS))? >= COPIES_A_DAY_MAX {
        return Err(Refusal::TooMany.into());
    }
    let ends_on = live.ends_on.epoch_days();
    let sealed = seal_again(&live.face, ends_on, ask, keys).map_err(|_| Refusal::Malformed)?;
    let request_digest: [u8; 32] = Sha256::digest(body).into();
    let blank = Receipt {
        op: ask.op,
        gate: *id.bytes(),
        outcome: Outcome::FaceResealed,
        request_digest,
        stored_digest: [0; 32],
        at: now.ms(),
        realm: setup.realm.label().into(),
        signature: [0; 64],
    };
    let receipt = store.perform(
        &ask.op,
        &request_digest,
        |tx| write_down(tx, ask, now),
        |outcome, stored_digest| Receipt { outcome, stored_digest, ..blank }.sign(keys),
    )?;
    let (op, template) = (OpId::from_bytes(ask.op), TemplateId::from_bytes(ask.template));
    tracing::info!(op = %op.short(), template = %template.short(), purpose = ask.purpose.label(), "template given out, sealed");
    Ok(Resealed { receipt, engine: live.face.engine().as_str().into(), ends_on, sealed })
}

/// Everything that this gate gave out, the oldest first.
///
/// # Errors
/// [`GateError`].
pub fn given(store: &Store) -> Result<Vec<Given>, GateError> {
    let mut statement =
        store.connection().prepare_cached("SELECT op, template, purpose, at FROM resealed ORDER BY at, op")?;
    let rows = statement.query_map([], |row| {
        Ok(Given {
            op: OpId::from_bytes(row.get(0)?),
            template: TemplateId::from_bytes(row.get(1)?),
            purpose: row.get(2)?,
            at: Timestamp::from_ms(row.get(3)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn copies_since(store: &Store, since: Timestamp) -> Result<u64, GateError> {
    let sql = "SELECT count(*) FROM resealed WHERE purpose = ?1 AND at > ?2";
    let count: i64 = store
        .connection()
        .prepare_cached(sql)?
        .query_row(params![ResealFor::Copy.number(), since.ms()], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

fn write_down(tx: &Connection, ask: &Reseal, now: Timestamp) -> rusqlite::Result<(Outcome, [u8; 32])> {
    let held = rows::read_back_face(tx, &ask.template)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    tx.prepare_cached(
        "INSERT INTO resealed (op, template, consent, purpose, recipient, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![ask.op, ask.template, ask.consent, ask.purpose.number(), ask.to, now.ms()])?;
    Ok((Outcome::FaceResealed, held.digest))
}
