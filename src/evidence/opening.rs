//! What names a person in a log record, kept beside it: who, which ids, which document. The record holds a salted
//! commitment to it; without the salt the commitment tells nothing.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tlog_tiles::Hash;

use super::checkpoint::Head;
use super::record::LogRecord;
use super::{EvidenceError, hash_of, hex};

/// Domain of the commitment.
const CONTEXT: &[u8] = b"menka log detail 2\0";

/// What a record says about a person. The field order is the byte order: do not move fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// `station`, or `staff:…`, `resident:…`, `gate:…` with an id.
    pub who: String,
    /// Every id that the record is about.
    pub ids: Vec<String>,
    /// SHA-256 of the document that it speaks of, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A salt and the exact bytes of a [`Detail`]: what the record's commitment opens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    salt: [u8; 32],
    detail: Vec<u8>,
}

impl Opening {
    /// Puts a detail under a salt.
    pub fn new(salt: [u8; 32], detail: &Detail) -> Self {
        // Strings only: serialising them cannot fail; an empty detail opens to nothing.
        Self { salt, detail: serde_json::to_vec(detail).unwrap_or_default() }
    }

    /// SHA-256 over `menka log detail 2\0`, the salt (32 bytes) and the detail.
    pub fn commitment(&self) -> [u8; 32] {
        Sha256::new().chain_update(CONTEXT).chain_update(self.salt).chain_update(&self.detail).finalize().into()
    }

    /// What it says.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`].
    pub fn detail(&self) -> Result<Detail, EvidenceError> {
        serde_json::from_slice(&self.detail).map_err(|_| EvidenceError::Malformed)
    }

    /// Salt, then detail: the form that is sealed under the person's key.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.salt[..], &self.detail].concat()
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let (salt, detail) = bytes.split_first_chunk::<32>().ok_or(EvidenceError::Malformed)?;
        Ok(Self { salt: *salt, detail: detail.to_vec() })
    }
}

/// A record of the log, opened, with the proof that it is under a head: what a person can carry away of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The record, byte for byte.
    pub record: String,
    /// The salt of its opening, in hex.
    pub salt: String,
    /// The detail of its opening, byte for byte.
    pub detail: String,
    /// RFC 6962 audit path, lowest first, in hex.
    pub proof: Vec<String>,
}

impl Entry {
    /// Puts an entry together.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] for bytes that are no text.
    pub fn new(record: &[u8], opening: &Opening, proof: &[[u8; 32]]) -> Result<Self, EvidenceError> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| EvidenceError::Malformed);
        Ok(Self {
            record: text(record)?,
            salt: hex(&opening.salt),
            detail: text(&opening.detail)?,
            proof: proof.iter().map(|hash| hex(hash)).collect(),
        })
    }

    /// The record with its opening put in.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`], or [`EvidenceError::Commitment`] when the opening is not the record's.
    pub fn opened(&self) -> Result<LogRecord, EvidenceError> {
        let record = LogRecord::from_bytes(self.record.as_bytes())?;
        let salt = hash_of(&self.salt).ok_or(EvidenceError::Malformed)?;
        record.opened(&Opening { salt, detail: self.detail.clone().into_bytes() })
    }

    /// Whether the record is in the log that a head stands for.
    pub fn is_under(&self, head: &Head) -> bool {
        let Ok(record) = LogRecord::from_bytes(self.record.as_bytes()) else { return false };
        let proof: Option<Vec<Hash>> = self.proof.iter().map(|text| hash_of(text).map(Hash)).collect();
        let leaf = tlog_tiles::record_hash(self.record.as_bytes());
        record.n < head.size
            && proof.is_some_and(|proof| {
                // A path is never longer than the tree is high.
                proof.len() <= 64
                    && tlog_tiles::check_record(&proof, head.size, Hash(head.root), record.n, leaf).is_ok()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lsz4_a_commitment_depends_on_every_byte_and_on_the_salt() -> Result<(), EvidenceError> {
        let detail = Detail { who: "station".into(), ids: vec!["a".into()], digest: None };
        let opening = Opening::new([1; 32], &detail);
        assert_eq!(opening.detail()?, detail);
        let bytes = opening.to_bytes();
        assert_eq!(Opening::from_bytes(&bytes)?, opening);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_ne!(Opening::from_bytes(&changed)?.commitment(), opening.commitment(), "byte {at}");
        }
        assert_eq!(Opening::from_bytes(&bytes[..31]), Err(EvidenceError::Malformed));
        Ok(())
    }
}
