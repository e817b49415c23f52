//! Evidence that a stranger can check: log records, signed statements, signed tree heads. Pure: bytes in, bytes or a
//! verdict out.
//!
//! The shapes, each versioned (docs/evidence.md has them with test vectors):
//! * a log record (`record`): compact JSON, ids and labels only, hashed into an RFC 6962 tree by the vault; what names a
//!   person is in an opening (`opening`) beside it;
//! * a statement (`statement`): COSE_Sign1 (RFC 9052, EdDSA) over JSON; a consent record shaped after ISO/IEC TS 27560,
//!   or a statement of deletion;
//! * a deletion certificate (`certificate`): such a statement with the gates' receipts beside it;
//! * a checkpoint (`checkpoint`): a C2SP signed note over the log's size and root; cosigned by gates that keep it, and
//!   short enough for paper (`head`);
//! * what a person was shown (`showing`), to take home in one file (`bundle`);
//! * the whole log for an inspector (`export`).
//!
//! Deliberately absent: names, units, card numbers, files, sockets, clocks.
//!
//! ```
//! use menka::evidence::{Kind, statement};
//! let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
//! let bytes = statement::sign(&key, Kind::Deletion, b"{}")?;
//! let read = statement::verify(&bytes, &key.verifying_key().to_bytes())?;
//! assert_eq!(read.payload, b"{}");
//! # Ok::<(), menka::evidence::EvidenceError>(())
//! ```

pub mod bundle;
pub mod certificate;
mod certificate_shape;
mod certificate_step;
pub mod checkpoint;
pub mod consent;
pub mod export;
pub mod head;
pub mod introduction;
pub mod opening;
pub mod record;
pub mod registry;
pub mod showing;
pub mod site_file;
pub mod statement;
pub mod step;
#[cfg(test)]
mod vector_tests;

pub use statement::Kind;

/// Why a piece of evidence is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Not a document of this kind at all.
    #[error("this is not a Menka document, or it is damaged")]
    Malformed,
    /// Signed with an algorithm other than Ed25519.
    #[error("the document is signed in a way that is not accepted")]
    Algorithm,
    /// Well formed, but not signed by this key, or changed after signing.
    #[error("the signature does not match: another key, or changed after signing")]
    Signature,
    /// The public key is not one.
    #[error("the key is not an Ed25519 public key of 64 hex digits")]
    Key,
    /// Larger than anything this program signs.
    #[error("the document is too large")]
    TooLarge,
    /// An opening that is not of this record.
    #[error("the opening does not belong to this record")]
    Commitment,
}

/// Reads a public key of 64 hex digits, with or without spaces and colons.
///
/// # Errors
/// [`EvidenceError::Key`].
pub fn parse_key(text: &str) -> Result<[u8; 32], EvidenceError> {
    unhex(text).and_then(|bytes| bytes.try_into().ok()).ok_or(EvidenceError::Key)
}

/// Reads hex digits, with or without spaces and colons.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().filter(|c| !c.is_whitespace() && *c != ':');
    let digits: Vec<u8> = digits.map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let whole = digits.len().is_multiple_of(2);
    whole.then(|| digits.chunks(2).map(|pair| pair.iter().fold(0, |all, digit| all << 4 | digit)).collect())
}

/// 32 bytes from 64 hex digits, nothing else.
pub(crate) fn hash_of(text: &str) -> Option<[u8; 32]> {
    (text.len() == 64).then(|| unhex(text)).flatten()?.try_into().ok()
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sixty_four_hex_digits() {
        let text = "AB".repeat(32);
        assert_eq!(parse_key(&text), Ok([0xAB; 32]));
        assert_eq!(parse_key(&format!("{}:{} ", "ab ".repeat(16), "ab".repeat(16))), Ok([0xAB; 32]));
        for bad in ["", "ab", &"zz".repeat(32), &"ab".repeat(33), &"钥".repeat(64), &"a".repeat(63)] {
            assert_eq!(parse_key(bad), Err(EvidenceError::Key), "{bad}");
        }
    }
}
