//! Signed tree heads of the evidence log: C2SP tlog-checkpoint inside a C2SP signed note.

use ed25519_dalek::{SigningKey, VerifyingKey};
use signed_note::{Note, NoteError, StandardVerifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash};

use super::EvidenceError;

/// A tree head whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which log: `menka.<realm>/<site id>`.
    pub origin: String,
    /// Number of records.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: [u8; 32],
}

/// Signs a tree head. `origin` has no spaces and no plus sign.
///
/// # Errors
/// [`EvidenceError::Malformed`] when the origin does not fit.
pub fn sign(key: &SigningKey, head: &Head) -> Result<String, EvidenceError> {
    let body = Checkpoint::new(&head.origin, head.size, Hash(head.root), "").map_err(|_| EvidenceError::Malformed)?;
    let mut note = Note::new(&body.to_bytes(), &[]).map_err(|_| EvidenceError::Malformed)?;
    note.add_sigs(&[&NoteKey { key, origin: &head.origin }]).map_err(|_| EvidenceError::Malformed)?;
    String::from_utf8(note.to_bytes()).map_err(|_| EvidenceError::Malformed)
}

/// Checks a signed tree head against a public key that the verifier got on another way.
///
/// # Errors
/// See [`EvidenceError`]. Never panics, whatever the text is.
pub fn verify(text: &str, key: &[u8; 32]) -> Result<Head, EvidenceError> {
    let note = Note::from_bytes(text.as_bytes()).map_err(|_| EvidenceError::Malformed)?;
    let body = Checkpoint::from_bytes(note.text()).map_err(|_| EvidenceError::Malformed)?;
    let key = VerifyingKey::from_bytes(key).map_err(|_| EvidenceError::Key)?;
    let verifier = StandardVerifier::new(&signed_note::new_ed25519_verifier_key(body.origin(), &key))
        .map_err(|_| EvidenceError::Malformed)?;
    match note.verify(&VerifierList::new(vec![Box::new(verifier)])) {
        Ok(_) => Ok(Head { origin: body.origin().to_owned(), size: body.size(), root: body.hash().0 }),
        // Another key has another id in the note, so it counts as "nobody known signed this".
        Err(NoteError::InvalidSignature { .. } | NoteError::UnverifiedNote) => Err(EvidenceError::Signature),
        Err(_) => Err(EvidenceError::Malformed),
    }
}

/// A signer that borrows the key, so that it is never copied into text.
struct NoteKey<'a> {
    key: &'a SigningKey,
    origin: &'a str,
}

/// Algorithm byte of Ed25519 in C2SP signed notes.
pub(super) const NOTE_ED25519: u8 = 1;

impl signed_note::Signer for NoteKey<'_> {
    fn name(&self) -> &str {
        self.origin
    }

    fn key_id(&self) -> u32 {
        let mut public = vec![NOTE_ED25519];
        public.extend(self.key.verifying_key().to_bytes());
        signed_note::key_id(self.origin, &public)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        use ed25519_dalek::Signer;
        self.key.try_sign(message).map(|signature| signature.to_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head { origin: "menka.real/0102".into(), size: 3, root: [9; 32] }
    }

    #[test]
    fn a_head_verifies_under_its_own_key_only() -> Result<(), EvidenceError> {
        let key = SigningKey::from_bytes(&[3; 32]);
        let text = sign(&key, &head())?;
        assert_eq!(verify(&text, &key.verifying_key().to_bytes()), Ok(head()));
        let other = SigningKey::from_bytes(&[4; 32]).verifying_key().to_bytes();
        assert_eq!(verify(&text, &other), Err(EvidenceError::Signature));
        Ok(())
    }

    #[test]
    fn a_changed_head_is_refused() -> Result<(), EvidenceError> {
        let key = SigningKey::from_bytes(&[3; 32]);
        let public = key.verifying_key().to_bytes();
        let text = sign(&key, &head())?;
        assert_eq!(verify(&text.replacen("\n3\n", "\n2\n", 1), &public), Err(EvidenceError::Signature));
        for cut in 0..text.len() {
            assert!(text.get(..cut).is_none_or(|part| verify(part, &public).is_err()), "cut at {cut}");
        }
        for junk in ["", "\n", "\n\n", "a b\n3\nAAAA\n\n— a b AAAA\n", "a+b\n1\n\n"] {
            assert!(verify(junk, &public).is_err(), "{junk:?}");
        }
        Ok(())
    }

    #[test]
    fn an_origin_with_a_space_is_not_signed() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let bad = Head { origin: "a b".into(), ..head() };
        assert_eq!(sign(&key, &bad), Err(EvidenceError::Malformed));
    }
}
