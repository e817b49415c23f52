//! What a resident was shown, in one file to take home: the text, what it was made of, the consent, and the proof that
//! the log speaks of it. Rules: P14, P69.
//!
//! The file is JSON in one accepted form (the bytes that [`Bundle::to_bytes`] gives), so that a change of any character
//! is found, and each part is bound to the next, so that the failing step can be named.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::checkpoint::{self, Head};
use super::consent::{self, Stated};
use super::opening::Entry;
use super::record::LogRecord;
use super::showing::Showing;
use super::statement::{self, Kind};
use super::step::{Failed, Step};
use super::{EvidenceError, hash_of, hex, unhex};

/// Version of this shape.
pub const SCHEMA: &str = "menka-replay/1";
/// Largest accepted file, in bytes.
pub const LEN_MAX: usize = 4 * 1024 * 1024;
/// Domain of the signature over the whole file.
const CONTEXT: &[u8] = b"menka replay 1\0";

/// The file. The field order is the byte order: do not move fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it was made, in milliseconds since 1970.
    pub made_at: i64,
    /// Ed25519 public key of the station, in hex.
    pub station_key: String,
    /// What was on the screen, byte for byte.
    pub text: String,
    /// The [`Showing`], byte for byte.
    pub showing: String,
    /// The log entry of the showing.
    pub shown: Entry,
    /// The log entry that its end was on screen; absent when it was not.
    pub read: Option<Entry>,
    /// The signed consent record (COSE_Sign1), in hex; absent when there was no consent to this text.
    pub consent: Option<String>,
    /// The log entry of the consent.
    pub consented: Option<Entry>,
    /// The signed head that the entries are under.
    pub head: String,
    /// Ed25519 by the station over `menka replay 1\0` and the SHA-256 of this file with this field empty, in hex.
    pub signature: String,
}

/// A file that passed every step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// What was on the screen, byte for byte.
    pub text: String,
    /// What it was made of.
    pub showing: Showing,
    /// When its end was on screen, in milliseconds since 1970.
    pub reached_end_at: Option<i64>,
    /// What the consent record states, when there is one.
    pub consent: Option<Stated>,
    /// The head that all of it is under.
    pub head: Head,
}

impl Bundle {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers only: serialising them cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Signs the whole, in place.
    pub fn sign(mut self, key: &SigningKey) -> Self {
        self.signature.clear();
        self.signature = hex(&key.sign(&self.signed_bytes()).to_bytes());
        self
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let open = Self { signature: String::new(), ..self.clone() };
        [CONTEXT, &Sha256::digest(open.to_bytes())].concat()
    }
}

/// Checks a file against the station's public key that the checker got on another way.
///
/// # Errors
/// The first [`Step`] that failed. Never panics, whatever the bytes are.
pub fn verify(bytes: &[u8], key: &[u8; 32]) -> Result<Replayed, Failed> {
    let read = parse(bytes).ok_or(Failed(Step::Shape))?;
    require(hash_of(&read.station_key) == Some(*key), Step::Key)?;
    let showing = Showing::from_bytes(read.showing.as_bytes()).map_err(|_| Failed(Step::Showing))?;
    require(hex(&Sha256::digest(read.text.as_bytes())) == showing.text_sha256, Step::Text)?;

    let shown = read.shown.opened().map_err(|_| Failed(Step::Showing))?;
    let digest = hex(&Sha256::digest(read.showing.as_bytes()));
    require(is(&shown, "notice-opened", &showing.showing) && shown.digest == Some(digest), Step::Showing)?;
    let ended = match &read.read {
        None => None,
        Some(entry) => Some(entry.opened().map_err(|_| Failed(Step::ReadToEnd))?),
    };
    require(ended.as_ref().is_none_or(|r| is(r, "notice-reached-end", &showing.showing)), Step::ReadToEnd)?;
    let stated = match (&read.consent, &read.consented) {
        (None, None) => None,
        (Some(signed), Some(entry)) => Some(consent_of(signed, entry, &showing, key)?),
        _ => return Err(Failed(Step::ConsentFits)),
    };

    let head = checkpoint::verify(&read.head, key).map_err(|_| Failed(Step::Head))?;
    let mut entries = [Some(&read.shown), read.read.as_ref(), read.consented.as_ref()].into_iter().flatten();
    require(entries.all(|entry| entry.is_under(&head)), Step::Inclusion)?;
    require(is_sealed(&read, key), Step::Seal)?;
    let reached_end_at = ended.map(|record| record.at);
    Ok(Replayed { text: read.text, showing, reached_end_at, consent: stated, head })
}

/// Reads a file in its only accepted form.
fn parse(bytes: &[u8]) -> Option<Bundle> {
    let read: Bundle = (bytes.len() <= LEN_MAX).then(|| serde_json::from_slice(bytes).ok()).flatten()?;
    (read.schema == SCHEMA && read.to_bytes() == bytes).then_some(read)
}

fn consent_of(signed: &str, entry: &Entry, showing: &Showing, key: &[u8; 32]) -> Result<Stated, Failed> {
    let cose = unhex(signed).ok_or(Failed(Step::Consent))?;
    let read = statement::verify(&cose, key).map_err(|_: EvidenceError| Failed(Step::Consent))?;
    require(read.kind == Kind::Consent && hex(&cose) == signed, Step::Consent)?;
    let stated = consent::read(&read.payload).map_err(|_| Failed(Step::Consent))?;
    let record = entry.opened().map_err(|_| Failed(Step::ConsentFits))?;
    let fits = stated.notice_sha256 == showing.text_sha256
        && stated.resident.to_string() == showing.resident
        && is(&record, "consented", &stated.consent.to_string())
        && record.digest == Some(hex(&Sha256::digest(&cose)));
    require(fits, Step::ConsentFits)?;
    Ok(stated)
}

/// Whether a record is of this kind and about this id first.
fn is(record: &LogRecord, what: &str, id: &str) -> bool {
    record.what == what && record.ids.first().is_some_and(|first| first == id)
}

fn is_sealed(bundle: &Bundle, key: &[u8; 32]) -> bool {
    let signature = unhex(&bundle.signature).filter(|bytes| hex(bytes) == bundle.signature);
    let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
    let key = VerifyingKey::from_bytes(key).ok();
    matches!((key, signature), (Some(key), Some(signature))
        if key.verify_strict(&bundle.signed_bytes(), &signature).is_ok())
}

fn require(holds: bool, step: Step) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(Failed(step)) }
}
