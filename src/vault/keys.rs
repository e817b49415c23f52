//! Keys: one random master key, from which every other key of the vault is derived with the realm in it.
//!
//! A practice vault therefore cannot be opened as a real one even by somebody who knows its master key and edits the
//! header.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::domain::Realm;
use crate::secret::{LockedKey, Passphrase, random_bytes};

use super::error::VaultError;

/// A 32-byte key in a page that is not swapped. Wiped when dropped, never printed.
pub(super) struct VaultKey(LockedKey);

impl VaultKey {
    /// A new random key.
    pub(super) fn make() -> Self {
        let bytes = Zeroizing::new(random_bytes::<32>());
        Self(LockedKey::copy_of(&bytes))
    }

    /// Takes a copy of 32 bytes; `None` for another length.
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes: &[u8; 32]| Self(LockedKey::copy_of(bytes)))
    }

    /// The bytes, inside `vault` only.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        // EXPOSE: ciphers, HKDF, HMAC and SQLCipher need the bytes.
        self.0.expose()
    }

    /// Whether two keys are the same, in constant time.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.bytes().ct_eq(other.bytes()).into()
    }

    /// A keyed tag over something.
    pub(super) fn tag(&self, what_for: &str, stated: &[u8]) -> Result<[u8; 32], VaultError> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.bytes()).map_err(|_| VaultError::Refused(0))?;
        mac.update(what_for.as_bytes());
        mac.update(&[0]);
        mac.update(stated);
        Ok(mac.finalize().into_bytes().into())
    }

    /// Seals `plain` under a random nonce: nonce, then ciphertext and tag.
    pub(super) fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = random_bytes::<NONCE_LEN>();
        let sealed = XChaCha20Poly1305::new(self.bytes().into())
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad })
            .map_err(|_| VaultError::Refused(0))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::seal`] made under the same `aad`; `None` when it does not open.
    pub(super) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let cipher = XChaCha20Poly1305::new(self.bytes().into());
        cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: body, aad }).ok().map(Zeroizing::new)
    }
}

/// Bytes of an XChaCha20-Poly1305 nonce.
const NONCE_LEN: usize = 24;

/// The keys of an open vault. Dropped with it, and then wiped.
pub(super) struct Ring {
    master: VaultKey,
    realm: Realm,
    /// Seals what belongs to the station, not to a person (signing key, identity, staff names).
    pub(super) station: VaultKey,
    /// Keyed hashes of what is looked up.
    pub(super) index: VaultKey,
}

impl Ring {
    /// Derives the ring of a realm from the master key.
    pub(super) fn derive(master: VaultKey, realm: Realm) -> Result<Self, VaultError> {
        let station = derive(&master, realm, "station")?;
        let index = derive(&master, realm, "index")?;
        Ok(Self { master, realm, station, index })
    }

    /// What a vault carries along when its master key is changed: the keys of single columns, sealed under the new one. They are inside a file
    /// that only the new key opens.
    pub(super) fn carry(&self, new: &VaultKey) -> Result<Vec<u8>, VaultError> {
        let both = Zeroizing::new([self.station.bytes().as_slice(), self.index.bytes().as_slice()].concat());
        derive(new, self.realm, "carry")?.seal(CARRIED, &both)
    }

    /// Takes over what [`Self::carry`] sealed.
    pub(super) fn take_carried(&mut self, sealed: &[u8]) -> Result<(), VaultError> {
        let damaged = || VaultError::corrupt(super::error::MAIN_FILE);
        let both = derive(&self.master, self.realm, "carry")?.open(CARRIED, sealed).ok_or_else(damaged)?;
        let (station, index) = both.split_at_checked(32).ok_or_else(damaged)?;
        self.station = VaultKey::from_slice(station).ok_or_else(damaged)?;
        self.index = VaultKey::from_slice(index).ok_or_else(damaged)?;
        Ok(())
    }

    /// The SQLCipher key of one file.
    pub(super) fn file_key(&self, file: &str) -> Result<VaultKey, VaultError> {
        derive(&self.master, self.realm, file)
    }

    /// The SQLCipher key of a file that has a random half of its own: it follows from neither half alone.
    pub(super) fn file_key_with(&self, file: &str, half: &VaultKey) -> Result<VaultKey, VaultError> {
        let both = Zeroizing::new([self.master.bytes().as_slice(), half.bytes()].concat());
        expand(&both, self.realm, &format!("{file}/2"))
    }

    /// The master key, to be wrapped for another passphrase.
    pub(super) fn master(&self) -> &VaultKey {
        &self.master
    }

    /// A second ring for a second connection.
    pub(super) fn again(&self) -> Result<Self, VaultError> {
        let master = VaultKey::from_slice(self.master.bytes()).ok_or(VaultError::Refused(0))?;
        Self::derive(master, self.realm)
    }

    /// Keyed hash for finding an exact value (unit, surname, card) without storing it in the clear.
    pub(super) fn index_hash(&self, kind: &str, value: &[u8]) -> Result<[u8; 32], VaultError> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.index.bytes()).map_err(|_| VaultError::Refused(0))?;
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        Ok(mac.finalize().into_bytes().into())
    }
}

/// Place of the carried keys.
const CARRIED: &[u8] = b"station/carried";

pub(super) fn derive(master: &VaultKey, realm: Realm, purpose: &str) -> Result<VaultKey, VaultError> {
    expand(master.bytes(), realm, purpose)
}

fn expand(from: &[u8], realm: Realm, purpose: &str) -> Result<VaultKey, VaultError> {
    let mut key = Zeroizing::new([0u8; 32]);
    let info = format!("menka/vault/1/{}/{purpose}", realm.label());
    Hkdf::<Sha256>::new(None, from).expand(info.as_bytes(), &mut key[..]).map_err(|_| VaultError::Refused(0))?;
    VaultKey::from_slice(&key[..]).ok_or(VaultError::Refused(0))
}

/// The key that signs for the station, in one place for as long as the vault is open; `None` unless the seed has 32 bytes.
pub(super) fn signer(seed: &[u8]) -> Option<Box<SigningKey>> {
    let key = SigningKey::try_from(seed).ok().map(Box::new);
    overwrite_stack();
    key
}

/// Overwrites what the calls before it have left below on the stack: a key goes through their frames on its way to its place.
#[inline(never)]
fn overwrite_stack() {
    let mut below = [0u8; 16 * 1024];
    std::hint::black_box(&mut below);
}

/// Cost of turning a passphrase into a key (Argon2id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for KdfCost {
    /// 64 MiB, 3 passes, 1 lane: the least that a real vault costs.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

impl KdfCost {
    /// Most memory that a slots file may ask for, in KiB: a forged file must not exhaust the computer.
    const MEMORY_MAX_KIB: u32 = 1024 * 1024;
    /// Most passes.
    const PASSES_MAX: u32 = 16;
    /// Most lanes.
    const LANES_MAX: u32 = 8;

    /// About how long a derivation is to take on the machine that does it.
    pub const AIM: Duration = Duration::from_millis(700);

    /// The default, with as many passes more as fit into [`Self::AIM`]. `took` derives a key at a cost and says how long that took.
    pub fn calibrated(mut took: impl FnMut(Self) -> Duration) -> Self {
        let least = Self::default();
        let a_pass = (took(least) / least.passes).max(Duration::from_micros(1));
        let fit = u32::try_from(Self::AIM.as_micros() / a_pass.as_micros()).unwrap_or(u32::MAX);
        let mut cost = Self { passes: fit.clamp(least.passes, Self::PASSES_MAX), ..least };
        // Looked at, since a machine does not go on as it began: two thirds are tried until it is short enough.
        while cost.passes > least.passes && took(cost) > Self::AIM * 3 / 2 {
            cost.passes = (cost.passes * 2 / 3).max(least.passes);
        }
        cost
    }

    /// What this machine does in about [`Self::AIM`]; takes one to two seconds to find out.
    pub fn of_this_machine() -> Self {
        let tried = Passphrase::new("nobody's passphrase".into());
        Self::calibrated(|cost| {
            let start = Instant::now();
            // A machine without the room for it takes for ever: the least is asked of it.
            cost.stretch(&tried, &[0; 16]).map_or(Duration::MAX, |_| start.elapsed())
        })
    }

    /// Whether a derivation at this cost is to be replaced by one at another: less memory, or a quarter of the work less. Less than that is the
    /// measurement's own doubt.
    pub(super) fn is_cheaper_than(self, other: Self) -> bool {
        let work = |cost: Self| u64::from(cost.memory_kib) * u64::from(cost.passes);
        self.memory_kib < other.memory_kib || work(self) * 4 < work(other) * 3
    }

    /// Whether it is within what this program accepts.
    pub fn is_sane(self) -> bool {
        (8..=Self::MEMORY_MAX_KIB).contains(&self.memory_kib)
            && (1..=Self::PASSES_MAX).contains(&self.passes)
            && (1..=Self::LANES_MAX).contains(&self.lanes)
    }

    /// Turns a passphrase into a key.
    pub(super) fn stretch(self, passphrase: &Passphrase, salt: &[u8]) -> Result<VaultKey, VaultError> {
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| VaultError::CostWrong)?;
        let mut blocks = vec![Block::default(); params.block_count()];
        let mut key = Zeroizing::new([0u8; 32]);
        let done = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
            // EXPOSE: Argon2id needs the bytes.
            passphrase.expose(),
            salt,
            &mut key[..],
            &mut blocks,
        );
        // Clear intermediates: the crate's working memory holds what the key was made of.
        blocks.fill(Block::default());
        std::hint::black_box(&blocks);
        done.map_err(|_| VaultError::CostWrong)?;
        VaultKey::from_slice(&key[..]).ok_or(VaultError::CostWrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_realm_is_in_every_key() -> Result<(), VaultError> {
        let ring = |realm| Ring::derive(VaultKey::from_slice(&[9; 32]).ok_or(VaultError::Refused(0))?, realm);
        let (real, practice) = (ring(Realm::Real)?, ring(Realm::Practice)?);
        for file in ["vault.db", "keys.db"] {
            assert_ne!(real.file_key(file)?.bytes(), practice.file_key(file)?.bytes());
        }
        assert_ne!(real.file_key("vault.db")?.bytes(), real.file_key("keys.db")?.bytes());
        assert_ne!(real.station.bytes(), practice.station.bytes());
        assert_ne!(real.index_hash("unit", b"3-1201")?, practice.index_hash("unit", b"3-1201")?);
        assert_ne!(real.index_hash("unit", b"3-1201")?, real.index_hash("card", b"3-1201")?);
        Ok(())
    }

    #[test]
    fn a_sealed_value_opens_under_its_own_key_and_place_only() -> Result<(), VaultError> {
        let (key, other) = (VaultKey::make(), VaultKey::make());
        let sealed = key.seal(b"row 1/name", "诸葛亮".as_bytes())?;
        assert_eq!(key.open(b"row 1/name", &sealed).as_deref().map(Vec::as_slice), Some("诸葛亮".as_bytes()));
        assert!(key.open(b"row 2/name", &sealed).is_none());
        assert!(other.open(b"row 1/name", &sealed).is_none());
        for cut in 0..sealed.len() {
            assert!(key.open(b"row 1/name", &sealed[..cut]).is_none());
        }
        Ok(())
    }

    #[test]
    fn the_cost_follows_the_machine_and_is_never_below_the_least() {
        let passes = |a_pass_ms: u64| {
            let mut tried = vec![];
            let cost = KdfCost::calibrated(|cost| {
                tried.push(cost.passes);
                Duration::from_millis(a_pass_ms * u64::from(cost.passes))
            });
            assert!(
                cost.is_sane() && cost.memory_kib == KdfCost::default().memory_kib && tried.len() <= 2,
                "{tried:?}"
            );
            cost.passes
        };
        // A pass of 100 ms: seven. Slow machines stay at the least, fast ones at the most that is accepted.
        assert_eq!([100, 70, 230, 240, 5_000, 1, 0].map(passes), [7, 10, 3, 3, 3, 16, 16]);
        // A machine that slows down under the work gets less again.
        let slows = KdfCost::calibrated(|cost| match cost.passes {
            3 => Duration::from_millis(150),
            passes => Duration::from_millis(200 * u64::from(passes)),
        });
        assert_eq!(slows.passes, 4);
        assert_eq!(KdfCost::calibrated(|_| Duration::MAX), KdfCost::default());
        let of = |memory_kib, passes| KdfCost { memory_kib, passes, lanes: 1 };
        assert!(of(64, 3).is_cheaper_than(of(64, 5)) && of(32, 9).is_cheaper_than(of(64, 3)));
        assert!(!of(64, 3).is_cheaper_than(of(64, 4)) && !of(64, 9).is_cheaper_than(of(64, 3)));
    }

    #[test]
    fn this_machines_cost_is_told() {
        let cost = KdfCost::of_this_machine();
        let start = Instant::now();
        assert!(cost.stretch(&Passphrase::new("nobody's passphrase".into()), &[0; 16]).is_ok());
        println!("{} KiB, {} passes: {} ms", cost.memory_kib, cost.passes, start.elapsed().as_millis());
        assert!(cost.is_sane() && cost.passes >= KdfCost::default().passes);
    }

    #[test]
    fn absurd_costs_are_refused() {
        assert!(KdfCost::default().is_sane());
        for cost in [(1, 1, 1), (u32::MAX, 1, 1), (64, 0, 1), (64, 1_000, 1), (64, 1, 0), (64, 1, 99)] {
            assert!(!KdfCost { memory_kib: cost.0, passes: cost.1, lanes: cost.2 }.is_sane(), "{cost:?}");
        }
    }
}
