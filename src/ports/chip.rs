//! The computer's security chip: something that opens what it sealed itself, and nothing else does.

use zeroize::Zeroizing;

/// Why the security chip did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChipError {
    /// There is none, or it does not answer.
    #[error("there is no security chip that answers")]
    Missing,
    /// Another chip sealed this, or this one was cleared since, or what was sealed is damaged.
    #[error("this security chip did not seal this")]
    Other,
    /// It refused for another reason; what the chip said.
    #[error("the security chip refused: {0}")]
    Refused(String),
}

/// A security chip. Takes milliseconds; nothing stays open between two calls.
pub trait SecurityChip: Send {
    /// Whether one is there and answers.
    fn is_there(&mut self) -> bool;
    /// Seals a secret so that only this chip opens it. Nothing of the secret stays in the chip.
    ///
    /// # Errors
    /// See [`ChipError`].
    fn seal(&mut self, secret: &[u8; 32]) -> Result<Vec<u8>, ChipError>;
    /// Opens what [`Self::seal`] made.
    ///
    /// # Errors
    /// See [`ChipError`].
    fn unseal(&mut self, sealed: &[u8]) -> Result<Zeroizing<[u8; 32]>, ChipError>;
}

/// A computer without a security chip.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChip;

impl SecurityChip for NoChip {
    fn is_there(&mut self) -> bool {
        false
    }

    fn seal(&mut self, _secret: &[u8; 32]) -> Result<Vec<u8>, ChipError> {
        Err(ChipError::Missing)
    }

    fn unseal(&mut self, _sealed: &[u8]) -> Result<Zeroizing<[u8; 32]>, ChipError> {
        Err(ChipError::Missing)
    }
}
