//! Heads of the log outside the desk: in one line for a QR code, short enough to be typed back from paper, and cosigned
//! by a gate that keeps one (C2SP tlog-cosignature). Rule P69.
//!
//! A head that somebody else kept is what finds a cut, a roll-back and a log that was written and signed anew.

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use signed_note::{Note, Verifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash, TreeProof};

use super::checkpoint::{self, Head, NOTE_ED25519};
use super::{EvidenceError, hash_of, hex, unhex};

/// First word of a head in one line.
const LINE: &str = "menka-head-1";
/// First letters of a short head.
const SHORT: &str = "MK1";
/// Domain of the short head.
const SHORT_CONTEXT: &[u8] = b"menka short head 1\0";
/// Letters of Crockford's base 32: none that looks like another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters that carry the digest (120 bits).
const DIGEST_LETTERS: usize = 24;
/// Letters that find a slip of the hand.
const CHECK_LETTERS: usize = 2;
/// Algorithm byte of a timestamped Ed25519 cosignature in C2SP signed notes.
const NOTE_COSIGNED: u8 = 4;
/// Longest accepted note, in bytes.
pub const NOTE_MAX: usize = 4096;

/// A signed head as one line: `menka-head-1 <origin> <size> <root> <signature>`, hex, for a QR code and a log book.
///
/// # Errors
/// [`EvidenceError`] when the note is not signed by this key.
pub fn line(note: &str, key: &[u8; 32]) -> Result<String, EvidenceError> {
    let head = checkpoint::verify(note, key)?;
    let read = Note::from_bytes(note.as_bytes()).map_err(|_| EvidenceError::Malformed)?;
    let id = key_id(&head.origin, NOTE_ED25519, key);
    let (signed, _) =
        read.verify(&VerifierList::new(vec![station(&head.origin, key)?])).map_err(|_| EvidenceError::Signature)?;
    let signature = signed.iter().find(|s| s.id() == id).ok_or(EvidenceError::Signature)?;
    Ok(format!("{LINE} {} {} {} {}", head.origin, head.size, hex(&head.root), hex(signature.signature())))
}

/// The signed note that a line stands for.
///
/// # Errors
/// [`EvidenceError::Malformed`]; the signature is the caller's to check ([`checkpoint::verify`]).
pub fn note_of(line: &str, key: &[u8; 32]) -> Result<String, EvidenceError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [LINE, origin, size, root, signature] = words[..] else { return Err(EvidenceError::Malformed) };
    let size: u64 = size.parse().map_err(|_| EvidenceError::Malformed)?;
    let root = hash_of(root).ok_or(EvidenceError::Malformed)?;
    let signature = unhex(signature).ok_or(EvidenceError::Malformed)?;
    let body = Checkpoint::new(origin, size, Hash(root), "").map_err(|_| EvidenceError::Malformed)?;
    let signed = signed_note::Signature::new(origin.to_owned(), key_id(origin, NOTE_ED25519, key), signature)
        .map_err(|_| EvidenceError::Malformed)?;
    let note = Note::new(&body.to_bytes(), &[signed]).map_err(|_| EvidenceError::Malformed)?;
    String::from_utf8(note.to_bytes()).map_err(|_| EvidenceError::Malformed)
}

/// A head short enough to be written on paper and typed back: the size and 120 bits of a digest. Not signed: it is a
/// witness because it lies where nobody at the desk can change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short {
    /// Number of records.
    pub size: u64,
    digest: String,
}

impl Short {
    /// Shortens a head.
    pub fn of(head: &Head) -> Self {
        let digest = Sha256::new()
            .chain_update(SHORT_CONTEXT)
            .chain_update(head.origin.as_bytes())
            .chain_update([0])
            .chain_update(head.size.to_be_bytes())
            .chain_update(head.root)
            .finalize();
        Self { size: head.size, digest: letters(&digest, DIGEST_LETTERS) }
    }

    /// Reads what was typed: spaces and dashes do not matter, nor do capitals; `O` is 0, `I` and `L` are 1.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`] for anything that is not a short head, or in which a letter is wrong.
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        let bad = || EvidenceError::Malformed;
        let text = text.trim().to_uppercase();
        let rest = text.strip_prefix(SHORT).ok_or_else(bad)?.trim_start_matches(['-', ' ']);
        let (size, rest) = rest.split_once(['-', ' ']).ok_or_else(bad)?;
        let size: u64 = size.parse().map_err(|_| bad())?;
        let typed: String = rest.chars().filter(|c| !matches!(c, '-' | ' ')).map(alike).collect();
        let known = typed.len() == DIGEST_LETTERS + CHECK_LETTERS && typed.bytes().all(|b| LETTERS.contains(&b));
        let (digest, check) = known.then(|| typed.split_at(DIGEST_LETTERS)).ok_or_else(bad)?;
        let read = Self { size, digest: digest.to_owned() };
        if read.check() == check { Ok(read) } else { Err(bad()) }
    }

    /// Whether it was made from this head.
    pub fn fits(&self, head: &Head) -> bool {
        *self == Self::of(head)
    }

    fn check(&self) -> String {
        let digest = Sha256::new()
            .chain_update(SHORT_CONTEXT)
            .chain_update(self.size.to_be_bytes())
            .chain_update(self.digest.as_bytes())
            .finalize();
        letters(&digest, CHECK_LETTERS)
    }
}

impl std::fmt::Display for Short {
    /// `MK1-<size>-`, then 26 letters in groups of 5, 5, 5, 5 and 6.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{SHORT}-{}", self.size)?;
        let all: Vec<char> = self.digest.chars().chain(self.check().chars()).collect();
        for (at, letter) in all.iter().enumerate() {
            if at % 5 == 0 && at < 25 {
                write!(f, "-")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

/// The name of a gate in cosignatures.
pub fn cosigner(gate: &str) -> String {
    format!("menka.gate/{gate}")
}

/// Adds a gate's cosignature to a signed head: the gate keeps it since `at_s` (seconds since 1970). An earlier
/// cosignature of the same gate is left out.
///
/// # Errors
/// [`EvidenceError::Malformed`] when it is no signed note.
pub fn cosign(
    note: &str,
    gate: &str,
    public: &[u8; 32],
    at_s: u64,
    sign: impl Fn(&[u8]) -> [u8; 64],
) -> Result<String, EvidenceError> {
    let (text, _) = note.split_once("\n\n").ok_or(EvidenceError::Malformed)?;
    let name = cosigner(gate);
    let body = format!("{text}\n");
    let signature = sign(&cosigned_bytes(at_s, body.as_bytes()));
    let signature = [&at_s.to_be_bytes()[..], &signature].concat();
    let line = signed_note::Signature::new(name.clone(), key_id(&name, NOTE_COSIGNED, public), signature)
        .map_err(|_| EvidenceError::Malformed)?;
    let line = String::from_utf8(line.to_bytes()).map_err(|_| EvidenceError::Malformed)?;
    let ours = format!("— {name} ");
    let before: String = note.split_inclusive('\n').filter(|kept| !kept.starts_with(&ours)).collect();
    Ok(format!("{before}{}\n", line.trim_end()))
}

/// When a gate cosigned a head, in seconds since 1970.
///
/// # Errors
/// [`EvidenceError::Signature`] when it did not.
pub fn cosigned_at(note: &str, gate: &str, public: &[u8; 32]) -> Result<u64, EvidenceError> {
    let read = Note::from_bytes(note.as_bytes()).map_err(|_| EvidenceError::Malformed)?;
    let name = cosigner(gate);
    let public = VerifyingKey::from_bytes(public).map_err(|_| EvidenceError::Key)?;
    let id = key_id(&name, NOTE_COSIGNED, &public.to_bytes());
    let verifiers = VerifierList::new(vec![Box::new(Cosigner { name, id, public })]);
    let (signed, _) = read.verify(&verifiers).map_err(|_| EvidenceError::Signature)?;
    let stamp = signed.first().and_then(|s| s.signature().first_chunk::<8>()).ok_or(EvidenceError::Signature)?;
    Ok(u64::from_be_bytes(*stamp))
}

/// Whether the log of `new` begins with the log of `old` (RFC 6962 consistency proof).
pub fn continues(old: &Head, new: &Head, proof: &[[u8; 32]]) -> bool {
    let proof: TreeProof = proof.iter().map(|hash| Hash(*hash)).collect();
    // A proof is never longer than twice the height of the tree.
    old.origin == new.origin
        && (1..=new.size).contains(&old.size)
        && proof.len() <= 128
        && tlog_tiles::check_tree(&proof, new.size, Hash(new.root), old.size, Hash(old.root)).is_ok()
}

fn station(origin: &str, key: &[u8; 32]) -> Result<Box<dyn Verifier>, EvidenceError> {
    let key = VerifyingKey::from_bytes(key).map_err(|_| EvidenceError::Key)?;
    let text = signed_note::new_ed25519_verifier_key(origin, &key);
    Ok(Box::new(signed_note::StandardVerifier::new(&text).map_err(|_| EvidenceError::Malformed)?))
}

fn key_id(name: &str, algorithm: u8, key: &[u8; 32]) -> u32 {
    signed_note::key_id(name, &[&[algorithm][..], key].concat())
}

/// What a cosignature signs (C2SP tlog-cosignature, cosignature/v1).
fn cosigned_bytes(at_s: u64, body: &[u8]) -> Vec<u8> {
    [format!("cosignature/v1\ntime {at_s}\n").as_bytes(), body].concat()
}

/// The first letters of a digest in base 32.
fn letters(digest: &[u8], count: usize) -> String {
    let bit = |at: usize| digest.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let letter = |n: usize| char::from(LETTERS[(0..5).fold(0, |all, at| all << 1 | bit(n * 5 + at)) & 31]);
    (0..count).map(letter).collect()
}

fn alike(letter: char) -> char {
    match letter {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

struct Cosigner {
    name: String,
    id: u32,
    public: VerifyingKey,
}

impl Verifier for Cosigner {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some((stamp, signature)) = signature.split_first_chunk::<8>() else { return false };
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        let message = cosigned_bytes(u64::from_be_bytes(*stamp), message);
        self.public.verify_strict(&message, &signature).is_ok()
    }
}
