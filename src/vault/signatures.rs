//! What gates have signed, by the keys that they have now and had before. Rules: P47a, P47b.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::id::GateId;
use crate::domain::time::Timestamp;
use crate::evidence::certificate::HeardBy;
use crate::evidence::head::cosigned_at;
use crate::wire::frame::decode;
use crate::wire::message::Receipt;

use super::error::VaultError;

/// The newest signature of a gate that is kept here, and its instant by the gate's clock: a receipt, or a head of the log that it cosigned.
pub(super) fn last_signature(view: &Connection, gate: GateId) -> Result<Option<Signed>, VaultError> {
    let keys = keys_of(view, gate)?;
    let mut found = vec![];
    let mut take = |bytes: Option<Vec<u8>>| {
        if let Some(bytes) = bytes
            && let Ok(receipt) = decode::<Receipt>(&bytes)
            && receipt.gate == *gate.bytes()
            && let Some(key) = keys.iter().find(|key| receipt.is_signed_by(key))
        {
            let at = Timestamp::from_ms(receipt.at);
            found.push(Signed { by: HeardBy::Receipt(bytes), at, key: *key });
        }
    };
    // By rank, so that the index of the queue gives each without a look through the whole of it.
    for rank in -1..=3 {
        let sql = "SELECT receipt FROM outbox WHERE gate = ?1 AND state = 'delivered' AND rank = ?2
             ORDER BY sequence DESC LIMIT 1";
        let of = params![gate.bytes(), rank];
        take(view.prepare_cached(sql)?.query_row(of, |row| row.get(0)).optional()?.flatten());
    }
    let sql = "SELECT receipt FROM held WHERE gate = ?1 ORDER BY since DESC LIMIT 1";
    take(view.prepare_cached(sql)?.query_row([gate.bytes()], |row| row.get(0)).optional()?.flatten());
    let sql = "SELECT note FROM gate_heads WHERE gate = ?1";
    let note: Option<String> = view.prepare_cached(sql)?.query_row([gate.bytes()], |row| row.get(0)).optional()?;
    if let Some(note) = note {
        let cosigned = |key: &[u8; 32]| Some((cosigned_at(&note, &gate.to_string(), key).ok()?, *key));
        if let Some((at_s, key)) = keys.iter().find_map(cosigned) {
            let at = Timestamp::from_ms(i64::try_from(at_s).unwrap_or(i64::MAX).saturating_mul(1_000));
            found.push(Signed { by: HeardBy::Head(note), at, key });
        }
    }
    Ok(found.into_iter().max_by_key(|signed| signed.at))
}

/// A signature of a gate that is kept here.
pub(super) struct Signed {
    /// Over what.
    pub(super) by: HeardBy,
    /// When, by the gate's clock.
    pub(super) at: Timestamp,
    /// With which of its keys.
    pub(super) key: [u8; 32],
}

/// The keys that a gate signs with, the one of today first, then those of before, the last one first.
fn keys_of(view: &Connection, gate: GateId) -> Result<Vec<[u8; 32]>, VaultError> {
    let sql = "SELECT sign_key FROM (SELECT sign_key, 9223372036854775807 AS until FROM gates WHERE id = ?1
         UNION ALL SELECT sign_key, until FROM gate_keys_before WHERE gate = ?1) ORDER BY until DESC";
    let mut statement = view.prepare_cached(sql)?;
    let rows = statement.query_map([gate.bytes()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The key of a gate that signed a receipt.
pub(super) fn key_of(view: &Connection, gate: GateId, receipt: &Receipt) -> Result<Option<[u8; 32]>, VaultError> {
    Ok(keys_of(view, gate)?.into_iter().find(|key| receipt.is_signed_by(key)))
}
