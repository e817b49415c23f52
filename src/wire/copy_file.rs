//! The file in which a person takes a copy of the own template home: sealed by the gate to a key that only the person's pass-phrase makes.
//! Rule: P45 (a copy of everything held), S4 (encrypted).
//!
//! JSON, so that it can be looked at; everything that it states is authenticated by the seal, except the words on how to open it. No name,
//! no unit, no card number. `menka-verify template FILE` opens it.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use hpke::{Kem as _, Serializable};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::envelope::{SEALED_LEN, header_of, open_with};
use super::keys::{Kem, SealSecret};
use super::reseal::{Reseal, ResealFor, Resealed, info};
use crate::domain::Realm;
use crate::domain::time::CivilDate;
use crate::secret::{FaceTemplate, Passphrase, random_bytes};

/// First field of every such file.
pub const WHAT: &str = "menka face template copy 1";

/// Longest accepted file, in bytes.
pub const LEN_MAX: usize = 16 * 1024;

const HOW: &str = "menka-verify template FILE, pass-phrase on standard input; docs/gate-protocol.md, section 11";

/// Cost of turning the pass-phrase into a key (Argon2id): 128 MiB, 4 passes, since whoever finds the file may try for years.
pub const COST: Cost = Cost { memory_kib: 128 * 1024, passes: 4, lanes: 1 };

/// Why a copy could not be made or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// Not such a file, or cut off.
    #[error("this is not a whole copy of a face template")]
    Malformed,
    /// The pass-phrase does not make the key that it is sealed to: a slip of the hand, or another person's file.
    #[error("the pass-phrase does not open this file")]
    Passphrase,
    /// The pass-phrase fits, but something in the file was changed.
    #[error("the file was changed")]
    Changed,
    /// The key derivation refused its cost.
    #[error("the cost of the key derivation is out of range")]
    Cost,
}

/// Cost of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// A forged file must not exhaust the computer that opens it.
    fn is_sane(self) -> bool {
        (8..=1024 * 1024).contains(&self.memory_kib) && (1..=16).contains(&self.passes) && (1..=8).contains(&self.lanes)
    }
}

/// The key pair that a pass-phrase and a salt make. The secret half is wiped when dropped.
pub struct PersonKey {
    secret: SealSecret,
    public: [u8; 32],
    salt: [u8; 16],
}

impl PersonKey {
    /// Makes it with a fresh salt. Takes about half a second by design.
    ///
    /// # Errors
    /// [`CopyError::Cost`].
    pub fn make(passphrase: &Passphrase) -> Result<Self, CopyError> {
        Self::derive(passphrase, random_bytes(), COST)
    }

    /// The public half: what a gate is told.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// Keeps what the file needs and wipes the secret half.
    pub fn forget_secret(self) -> ([u8; 32], [u8; 16]) {
        (self.public, self.salt)
    }

    fn derive(passphrase: &Passphrase, salt: [u8; 16], cost: Cost) -> Result<Self, CopyError> {
        if !cost.is_sane() {
            return Err(CopyError::Cost);
        }
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| CopyError::Cost)?;
        let mut blocks = vec![Block::default(); params.block_count()];
        let mut ikm = Zeroizing::new([0u8; 32]);
        let done = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
            // EXPOSE: Argon2id needs the bytes.
            passphrase.expose(),
            &salt,
            &mut ikm[..],
            &mut blocks,
        );
        // Clear intermediates: the crate's working memory holds what the key was made of.
        blocks.fill(Block::default());
        std::hint::black_box(&blocks);
        done.map_err(|_| CopyError::Cost)?;
        let (secret, public) = Kem::derive_keypair(&ikm[..]);
        let mut bytes = [0u8; 32];
        public.write_exact(&mut bytes);
        Ok(Self { secret, public: bytes, salt })
    }
}

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonKey([REDACTED])")
    }
}

/// The file as written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CopyFile {
    what: String,
    realm: String,
    engine: String,
    ends_on: String,
    template: String,
    consent_sha256: String,
    gate: String,
    gate_seal_key: String,
    op: String,
    argon2id: Cost,
    salt: String,
    to: String,
    sealed: String,
    open_with: String,
}

/// An opened copy.
#[derive(Debug)]
pub struct OpenedCopy {
    /// The template itself.
    pub face: FaceTemplate,
    /// Real or practice.
    pub realm: Realm,
    /// Last day of the consent.
    pub ends_on: CivilDate,
    /// The random number that gates know.
    pub template: [u8; 16],
    /// SHA-256 of the signed consent record.
    pub consent: [u8; 32],
    /// The gate that sealed it.
    pub gate: [u8; 16],
}

/// The file of what a gate sealed, for a key of which only the public half and the salt are left.
pub fn write(
    realm: Realm,
    ask: &Reseal,
    resealed: &Resealed,
    gate_seal_key: &[u8; 32],
    (public, salt): (&[u8; 32], &[u8; 16]),
) -> Vec<u8> {
    let file = CopyFile {
        what: WHAT.into(),
        realm: realm.label().into(),
        engine: resealed.engine.clone(),
        ends_on: CivilDate::from_epoch_days(resealed.ends_on).to_string(),
        template: hex(&ask.template),
        consent_sha256: hex(&ask.consent),
        gate: hex(&ask.gate),
        gate_seal_key: hex(gate_seal_key),
        op: hex(&ask.op),
        argon2id: COST,
        salt: hex(salt),
        to: hex(public),
        sealed: hex(&resealed.sealed),
        open_with: HOW.into(),
    };
    // Texts and numbers only: writing them as JSON cannot fail.
    let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Opens a file with the pass-phrase.
///
/// # Errors
/// See [`CopyError`].
pub fn open(bytes: &[u8], passphrase: &Passphrase) -> Result<OpenedCopy, CopyError> {
    if bytes.len() > LEN_MAX {
        return Err(CopyError::Malformed);
    }
    let file: CopyFile = serde_json::from_slice(bytes).map_err(|_| CopyError::Malformed)?;
    let realm = [Realm::Real, Realm::Practice].into_iter().find(|realm| realm.label() == file.realm);
    let (Some(realm), true) = (realm, file.what == WHAT) else { return Err(CopyError::Malformed) };
    let ends_on = CivilDate::parse(&file.ends_on).ok_or(CopyError::Malformed)?;
    let (template, gate, op): ([u8; 16], [u8; 16], [u8; 16]) =
        (part(&file.template)?, part(&file.gate)?, part(&file.op)?);
    let (consent, sender, to) = (part(&file.consent_sha256)?, part(&file.gate_seal_key)?, part::<32>(&file.to)?);
    let sealed: [u8; SEALED_LEN] = part(&file.sealed)?;
    let key = PersonKey::derive(passphrase, part(&file.salt)?, file.argon2id)?;
    if key.public != to {
        return Err(CopyError::Passphrase);
    }
    let header = header_of(&op, &gate, &template, &file.engine, ends_on.epoch_days());
    let info = info(realm, ResealFor::Copy, &consent);
    let face =
        open_with(&sealed, &file.engine, &key.secret, &sender, &info, &header).map_err(|_| CopyError::Changed)?;
    Ok(OpenedCopy { face, realm, ends_on, template, consent, gate })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

fn part<const N: usize>(text: &str) -> Result<[u8; N], CopyError> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 2 * N).ok_or(CopyError::Malformed)?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.try_into().map_err(|_| CopyError::Malformed)
}
