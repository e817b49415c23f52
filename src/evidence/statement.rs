//! Signed statements: COSE_Sign1 (RFC 9052) with Ed25519 over a JSON payload, the kind in the protected header.

use coset::{CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable, iana};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use super::EvidenceError;

/// What a statement is about. Part of the signed header, so one kind cannot pass for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A consent record.
    Consent,
    /// A statement that a template was erased.
    Deletion,
    /// The facts of a site.
    SiteFile,
    /// A registered impact assessment.
    Assessment,
    /// The public copy of the rules.
    Rules,
    /// Who a gate is, for another gate.
    Introduction,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Kind] =
        &[Self::Consent, Self::Deletion, Self::SiteFile, Self::Assessment, Self::Rules, Self::Introduction];

    /// The content type in the protected header.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Consent => "application/vnd.menka.consent.v1+json",
            Self::Deletion => "application/vnd.menka.deletion.v1+json",
            Self::SiteFile => "application/vnd.menka.site.v1+json",
            Self::Assessment => "application/vnd.menka.assessment.v1+json",
            Self::Rules => "application/vnd.menka.rules.v1+json",
            Self::Introduction => "application/vnd.menka.introduction.v1+json",
        }
    }
}

/// A statement whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub kind: Kind,
    /// The JSON that was signed, byte for byte.
    pub payload: Vec<u8>,
}

/// Largest accepted statement, in bytes.
pub const LEN_MAX: usize = 256 * 1024;

/// Signs a payload.
///
/// # Errors
/// [`EvidenceError::TooLarge`].
pub fn sign(key: &SigningKey, kind: Kind, payload: &[u8]) -> Result<Vec<u8>, EvidenceError> {
    let header = HeaderBuilder::new()
        .algorithm(iana::Algorithm::EdDSA)
        .content_type(kind.content_type().to_owned())
        .key_id(key.verifying_key().to_bytes().to_vec())
        .build();
    let bytes = CoseSign1Builder::new()
        .protected(header)
        .payload(payload.to_vec())
        .create_signature(b"", |message| key.sign(message).to_bytes().to_vec())
        .build()
        .to_tagged_vec()
        .map_err(|_| EvidenceError::Malformed)?;
    if bytes.len() > LEN_MAX { Err(EvidenceError::TooLarge) } else { Ok(bytes) }
}

/// Checks a statement against the public key that the verifier got on another way (the key inside is not trusted).
///
/// # Errors
/// See [`EvidenceError`]. Never panics, whatever the bytes are.
pub fn verify(bytes: &[u8], key: &[u8; 32]) -> Result<Statement, EvidenceError> {
    if bytes.len() > LEN_MAX {
        return Err(EvidenceError::TooLarge);
    }
    let key = VerifyingKey::from_bytes(key).map_err(|_| EvidenceError::Key)?;
    let sealed = CoseSign1::from_tagged_slice(bytes).map_err(|_| EvidenceError::Malformed)?;
    let header = &sealed.protected.header;
    if header.alg != Some(coset::RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA))
        || !header.crit.is_empty()
    {
        return Err(EvidenceError::Algorithm);
    }
    let content_type = match &header.content_type {
        Some(coset::RegisteredLabel::Text(text)) => text.as_str(),
        _ => return Err(EvidenceError::Malformed),
    };
    let kind =
        Kind::ALL.iter().copied().find(|kind| kind.content_type() == content_type).ok_or(EvidenceError::Malformed)?;
    sealed.verify_signature(b"", |signature, message| {
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| EvidenceError::Malformed)?;
        key.verify_strict(message, &signature).map_err(|_| EvidenceError::Signature)
    })?;
    let payload = sealed.payload.ok_or(EvidenceError::Malformed)?;
    Ok(Statement { kind, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_verifies_under_its_own_key_only() -> Result<(), EvidenceError> {
        let (ours, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let bytes = sign(&ours, Kind::Consent, b"{\"a\":1}")?;
        let read = verify(&bytes, &ours.verifying_key().to_bytes())?;
        assert_eq!(read, Statement { kind: Kind::Consent, payload: b"{\"a\":1}".to_vec() });
        assert_eq!(verify(&bytes, &other.verifying_key().to_bytes()), Err(EvidenceError::Signature));
        Ok(())
    }

    #[test]
    fn no_changed_or_shortened_statement_is_accepted() -> Result<(), EvidenceError> {
        let key = SigningKey::from_bytes(&[1; 32]);
        let public = key.verifying_key().to_bytes();
        let bytes = sign(&key, Kind::Consent, b"{\"resident\":\"x\"}")?;
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let payload = verify(&changed, &public).map(|read| read.payload);
            assert!(payload.is_err(), "byte {at} changed");
            assert!(verify(&bytes[..at], &public).is_err(), "cut at {at}");
        }
        Ok(())
    }

    #[test]
    fn one_kind_does_not_pass_for_another() -> Result<(), EvidenceError> {
        let key = SigningKey::from_bytes(&[1; 32]);
        let bytes = sign(&key, Kind::Deletion, b"{}")?;
        assert_eq!(verify(&bytes, &key.verifying_key().to_bytes())?.kind, Kind::Deletion);
        Ok(())
    }
}
