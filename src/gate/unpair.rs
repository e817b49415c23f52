//! `menka-gate unpair`: at a gate whose station is lost. Erases everybody and forgets the station, as the station's own order does, and prints
//! the signed receipt for the file. A running daemon notices before it matches anything again.

use std::io::{BufRead, Write};

use sha2::{Digest, Sha256};

use super::error::GateError;
use super::pairing;
use super::store::Store;
use crate::domain::time::Timestamp;
use crate::secret::random_bytes;
use crate::wire::frame::encode;
use crate::wire::message::{Apply, Outcome, Receipt, Request, What};

/// The word that is typed to confirm.
pub const WORD: &str = "ERASE";

/// Asks for the word, erases, prints the receipt.
///
/// # Errors
/// [`GateError::NotConfirmed`] without the word, and those of the store; then nothing was changed.
pub fn unpair(
    store: &mut Store,
    now: Timestamp,
    typed: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<(), GateError> {
    let mut say = |text: std::fmt::Arguments<'_>| {
        let said = writeln!(out, "{text}").and_then(|()| out.flush());
        said.map_err(|source| GateError::File { file: "standard output".into(), source })
    };
    let (faces, cards) = (store.faces()?, store.cards()?);
    say(format_args!("This erases {faces} faces and {cards} cards here, and forgets the station."))?;
    say(format_args!(
        "If the station still works, unpair there: it keeps the receipts of everybody whom this concerns."
    ))?;
    say(format_args!("Type {WORD} to go on:"))?;
    let mut word = String::new();
    typed.read_line(&mut word).map_err(|source| GateError::File { file: "standard input".into(), source })?;
    if word.trim() != WORD {
        return Err(GateError::NotConfirmed);
    }
    let (gate, keys, setup) = (store.gate()?, store.keys()?, store.setup()?);
    let now = now.max(store.instants()?.1);
    let order = Request::Apply(Apply { op: random_bytes(), sequence: 0, what: What::Unpair });
    let Request::Apply(Apply { op, .. }) = &order else { return Err(GateError::Corrupt) };
    let request_digest: [u8; 32] = Sha256::digest(encode(&order)).into();
    let sign = |outcome: Outcome, stored_digest| {
        let realm = setup.realm.label().into();
        let (op, gate, signature) = (*op, *gate.bytes(), [0; 64]);
        Receipt { op, gate, outcome, request_digest, stored_digest, at: now.ms(), realm, signature }.sign(&keys)
    };
    // The lost station asked for nothing that it could repeat.
    let receipt = store.perform(op, &request_digest, pairing::unpair_for_good, sign)?;
    // The erasure is durable; what lay in the journal goes as soon as nobody reads there.
    for _ in 0..50 {
        if store.empty_log().is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    store.empty_log()?;
    say(format_args!("erased at: {}", now.minute_text()))?;
    say(format_args!("gate: {gate}"))?;
    say(format_args!("signing key: {}", hex(&keys.sign_public())))?;
    say(format_args!("order: {}", hex(&encode(&order))))?;
    say(format_args!("receipt: {}", hex(&encode(&receipt))))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
