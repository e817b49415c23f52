//! The written shapes of a deletion certificate: the statement's and the file's JSON, and a gate's receipt. No rules here; those are in
//! [`super::certificate`].

use minicbor::Decode;
use serde::{Deserialize, Serialize};

/// A gate's receipt, read here on its own: this layer shares no code with the wire, as a stranger's verifier would not.
#[derive(Decode)]
pub(super) struct Receipt {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(super) op: [u8; 16],
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(super) gate: [u8; 16],
    #[n(2)]
    pub(super) outcome: u8,
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(super) request_digest: [u8; 32],
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(super) stored_digest: [u8; 32],
    #[n(5)]
    pub(super) at: i64,
    #[n(6)]
    pub(super) realm: String,
    #[cbor(n(7), with = "minicbor::bytes")]
    pub(super) signature: [u8; 64],
}

impl Receipt {
    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"menka receipt 1\0".to_vec();
        bytes.push(u8::try_from(self.realm.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(self.realm.as_bytes());
        bytes.extend_from_slice(&self.gate);
        bytes.extend_from_slice(&self.op);
        bytes.push(self.outcome);
        bytes.extend_from_slice(&self.request_digest);
        bytes.extend_from_slice(&self.stored_digest);
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes
    }
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

#[derive(Serialize, Deserialize)]
pub(super) struct Papers {
    pub(super) schema_version: String,
    pub(super) statement: String,
    pub(super) consent_record: String,
    pub(super) receipts: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) schema_version: String,
    pub(super) certificate_id: String,
    pub(super) supplement_of: Option<String>,
    pub(super) record_id: String,
    pub(super) pii_principal_id: String,
    pub(super) storage_link: String,
    pub(super) site_id: String,
    pub(super) realm: String,
    pub(super) reason: String,
    pub(super) ended_at_ms: i64,
    pub(super) stated_at_ms: i64,
    pub(super) complete: bool,
    /// The door of which alone this speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) one_place: Option<String>,
    pub(super) gates: Vec<Gate>,
    pub(super) log_from: u64,
    pub(super) log_size: u64,
    pub(super) log_root: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Gate {
    pub(super) gate: String,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) sign_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) erased: Option<Erased>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pending: Option<Pending>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Erased {
    pub(super) op: String,
    pub(super) sequence: u64,
    pub(super) at_ms: i64,
    pub(super) read_back_at_ms: Option<i64>,
    pub(super) receipt_sha256: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) measure: String,
    pub(super) stops_at_ms: i64,
    pub(super) last_contact_ms: Option<i64>,
    pub(super) offline_hours: Option<u32>,
    /// Of the freeze that the gate signed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) op: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u64>,
    /// The newest signature of the gate that the station holds: the last contact is not earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signed_receipt_sha256: Option<String>,
    /// The same where it is a cosigned head of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signed_head: Option<String>,
}
