//! Evidence that a stranger can check: log records, signed statements, signed tree heads. Pure: bytes in, bytes or a
//! verdict out.
//!
//! Four shapes, each versioned:
//! * a log record (`record`): compact JSON, ids and labels only, hashed into an RFC 6962 tree by the vault;
//! * a statement (`statement`): COSE_Sign1 (RFC 9052, EdDSA) over JSON; a consent record shaped after ISO/IEC TS 27560,
//!   or a statement of deletion;
//! * a deletion certificate (`certificate`): such a statement with the gates' receipts beside it;
//! * a checkpoint (`checkpoint`): a C2SP signed note over the log's size and root.
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

pub mod certificate;
mod certificate_shape;
pub mod checkpoint;
pub mod consent;
pub mod record;
pub mod statement;

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
}

/// Reads a public key of 64 hex digits, with or without spaces and colons.
///
/// # Errors
/// [`EvidenceError::Key`].
pub fn parse_key(text: &str) -> Result<[u8; 32], EvidenceError> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(EvidenceError::Key))
        .collect::<Result<_, _>>()?;
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |all, digit| all << 4 | digit)).collect();
    if digits.len() != 64 {
        return Err(EvidenceError::Key);
    }
    bytes.try_into().map_err(|_| EvidenceError::Key)
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
