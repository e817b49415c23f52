//! The record of one showing: which text, to whom, in which language and size, from which inputs. Rules: P14, P17.
//!
//! It goes into the vault sealed under the person's key; the log commits to its SHA-256.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::notice::NoticeShown;

use super::{EvidenceError, hex};

/// Version of this shape.
pub const SCHEMA: &str = "menka-showing/1";

/// What was shown, and from what it was made. The field order is the byte order: do not move fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Showing {
    /// [`SCHEMA`].
    pub schema: String,
    /// Id of the showing.
    pub showing: String,
    /// Whose screen it was.
    pub resident: String,
    /// Number of the notice.
    pub notice_id: String,
    /// Its version.
    pub notice_version: String,
    /// Language tag.
    pub language: String,
    /// Size of the letters when it opened, in percent; absent when it was not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letters_percent: Option<u16>,
    /// SHA-256 of the text, in hex.
    pub text_sha256: String,
    /// When it opened, in milliseconds since 1970.
    pub opened_at: i64,
    /// What the text was filled with: placeholder and value.
    pub inputs: BTreeMap<String, String>,
}

impl Showing {
    /// Describes a showing.
    pub fn new(shown: &NoticeShown, letters_percent: Option<u16>, inputs: &BTreeMap<String, String>) -> Self {
        Self {
            schema: SCHEMA.into(),
            showing: shown.id.to_string(),
            resident: shown.resident.to_string(),
            notice_id: shown.notice.id.clone(),
            notice_version: shown.notice.version.clone(),
            language: shown.notice.language.tag().into(),
            letters_percent,
            text_sha256: hex(&shown.notice.sha256),
            opened_at: shown.opened_at.ms(),
            inputs: inputs.clone(),
        }
    }

    /// The bytes that are stored and hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and a number only: serialising them cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`], also for another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let read: Self = serde_json::from_slice(bytes).map_err(|_| EvidenceError::Malformed)?;
        if read.schema == SCHEMA { Ok(read) } else { Err(EvidenceError::Malformed) }
    }
}
