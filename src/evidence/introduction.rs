//! The station introduces one gate to another: who it is, which key templates are sealed to, and which gates stood at its door before.
//!
//! A gate that is asked to pass a template on believes nothing else about the other gate.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use super::{EvidenceError, Kind, hash_of, hex, statement};
use crate::domain::Realm;
use crate::domain::id::GateId;
use crate::domain::time::Timestamp;

/// Version of the shape.
const SHAPE: u8 = 1;

/// What a station states of a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Real or practice.
    pub realm: Realm,
    /// The gate.
    pub gate: GateId,
    /// Its X25519 public key.
    pub seal_key: [u8; 32],
    /// The gates that stood at the same door before it.
    pub replaces: Vec<GateId>,
    /// When it was stated.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    v: u8,
    realm: String,
    gate: String,
    seal_key: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaces: Vec<String>,
    at_ms: i64,
}

/// Signs an introduction.
///
/// # Errors
/// [`EvidenceError::TooLarge`] never in practice.
pub fn sign(key: &SigningKey, states: &Introduction) -> Result<Vec<u8>, EvidenceError> {
    let shape = Shape {
        v: SHAPE,
        realm: states.realm.label().into(),
        gate: states.gate.to_string(),
        seal_key: hex(&states.seal_key),
        replaces: states.replaces.iter().map(ToString::to_string).collect(),
        at_ms: states.at.ms(),
    };
    let json = serde_json::to_vec(&shape).map_err(|_| EvidenceError::Malformed)?;
    statement::sign(key, Kind::Introduction, &json)
}

/// Checks an introduction against the key of the station's log.
///
/// # Errors
/// See [`EvidenceError`]. Never panics, whatever the bytes are.
pub fn verify(bytes: &[u8], key: &[u8; 32]) -> Result<Introduction, EvidenceError> {
    let signed = statement::verify(bytes, key)?;
    if signed.kind != Kind::Introduction {
        return Err(EvidenceError::Malformed);
    }
    let shape: Shape = serde_json::from_slice(&signed.payload).map_err(|_| EvidenceError::Malformed)?;
    let realm = [Realm::Real, Realm::Practice].into_iter().find(|realm| realm.label() == shape.realm);
    if shape.v != SHAPE {
        return Err(EvidenceError::Malformed);
    }
    let gate = |text: &str| GateId::parse(text).ok_or(EvidenceError::Malformed);
    Ok(Introduction {
        realm: realm.ok_or(EvidenceError::Malformed)?,
        gate: gate(&shape.gate)?,
        seal_key: hash_of(&shape.seal_key).ok_or(EvidenceError::Malformed)?,
        replaces: shape.replaces.iter().map(|text| gate(text)).collect::<Result<_, _>>()?,
        at: Timestamp::from_ms(shape.at_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_introduction_verifies_under_its_own_key_only() -> Result<(), EvidenceError> {
        let key = SigningKey::from_bytes(&[3; 32]);
        let states = Introduction {
            realm: Realm::Real,
            gate: GateId::from_bytes([1; 16]),
            seal_key: [2; 32],
            replaces: vec![GateId::from_bytes([4; 16])],
            at: Timestamp::from_ms(1_795_276_800_000),
        };
        let bytes = sign(&key, &states)?;
        assert_eq!(verify(&bytes, &key.verifying_key().to_bytes())?, states);
        let other = SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
        assert_eq!(verify(&bytes, &other), Err(EvidenceError::Signature));
        let consent = statement::sign(&key, Kind::Consent, b"{}")?;
        assert_eq!(verify(&consent, &key.verifying_key().to_bytes()), Err(EvidenceError::Malformed));
        let blank = statement::sign(&key, Kind::Introduction, b"{\"v\":1}")?;
        assert_eq!(verify(&blank, &key.verifying_key().to_bytes()), Err(EvidenceError::Malformed));
        Ok(())
    }
}
