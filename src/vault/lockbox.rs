//! A key pair whose private half only a passphrase opens: what is put in needs no passphrase, what is taken out does.
//! So a backup is made, and a new master key is dealt to every account, without anybody's passphrase.
//!
//! HPKE (RFC 9180) in Base mode: X25519, HKDF-SHA256, ChaCha20-Poly1305. Who puts something in is not authenticated here;
//! the places that use it are (a keyed tag over each slot, the backup's own digests).

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::evidence::hex;
use crate::secret::{Passphrase, random_bytes};

use super::error::VaultError;
use super::keys::{KdfCost, VaultKey};
use super::slots::unhex;

const INFO: &[u8] = b"menka/lockbox/1";
const ENC: usize = 32;

/// The pair, the private half sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lockbox {
    cost: KdfCost,
    salt: [u8; 16],
    public: [u8; 32],
    private: Vec<u8>,
}

impl Lockbox {
    /// Makes a pair whose private half the passphrase opens. `place` says where it belongs.
    ///
    /// # Errors
    /// Those of the derivation.
    pub(super) fn make(passphrase: &Passphrase, cost: KdfCost, place: &[u8]) -> Result<Self, VaultError> {
        let seed = Zeroizing::new(random_bytes::<32>());
        let (secret, public) = Kem::derive_keypair(&seed[..]);
        let public: [u8; 32] = public.to_bytes().into();
        let mut made = Self { cost, salt: random_bytes(), public, private: vec![] };
        let private = Zeroizing::new(<[u8; 32]>::from(secret.to_bytes()));
        made.private = cost.stretch(passphrase, &made.salt)?.seal(&made.header(place), &private[..])?;
        Ok(made)
    }

    /// Seals a key to the pair.
    ///
    /// # Errors
    /// [`VaultError::Refused`] when the public half is no key.
    pub(super) fn put(&self, place: &[u8], key: &VaultKey) -> Result<Vec<u8>, VaultError> {
        let refused = |_| VaultError::Refused(0);
        let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&self.public).map_err(refused)?;
        let (enc, sealed) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem, _>(
            &OpModeS::Base,
            &public,
            INFO,
            key.bytes(),
            place,
            &mut rand::rng(),
        )
        .map_err(refused)?;
        Ok([enc.to_bytes().as_slice(), &sealed].concat())
    }

    /// Takes a key out by the passphrase; `None` when it is another one, or anything was changed.
    ///
    /// # Errors
    /// Those of the derivation.
    pub(super) fn take(
        &self,
        passphrase: &Passphrase,
        place: &[u8],
        sealed: &[u8],
    ) -> Result<Option<VaultKey>, VaultError> {
        Ok(self.unlock(passphrase, place)?.and_then(|private| take_out(&private, place, sealed)))
    }

    /// The private half, when this is the passphrase.
    ///
    /// # Errors
    /// Those of the derivation.
    pub(super) fn unlock(
        &self,
        passphrase: &Passphrase,
        place: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        Ok(self.cost.stretch(passphrase, &self.salt)?.open(&self.header(place), &self.private))
    }

    /// Everything of it that a tag must cover.
    pub(super) fn stated(&self, place: &[u8]) -> Vec<u8> {
        [&self.header(place), &self.public[..], &self.private].concat()
    }

    /// What is authenticated beside the private half.
    fn header(&self, place: &[u8]) -> Vec<u8> {
        let KdfCost { memory_kib, passes, lanes } = self.cost;
        let kdf = format!("/argon2id-{memory_kib}-{passes}-{lanes}/{}/{}", hex(&self.salt), hex(&self.public));
        [b"menka/lockbox/", place, kdf.as_bytes()].concat()
    }

    /// As it is written.
    pub(super) fn shape(&self) -> BoxShape {
        BoxShape {
            kdf: "argon2id".into(),
            memory_kib: self.cost.memory_kib,
            passes: self.cost.passes,
            lanes: self.cost.lanes,
            salt: hex(&self.salt),
            public: hex(&self.public),
            private: hex(&self.private),
        }
    }

    /// Reads what was written; `None` when it is none, or asks for more than this program accepts.
    pub(super) fn from_shape(shape: &BoxShape) -> Option<Self> {
        let cost = KdfCost { memory_kib: shape.memory_kib, passes: shape.passes, lanes: shape.lanes };
        Some(Self {
            cost: Some(cost).filter(|cost| shape.kdf == "argon2id" && cost.is_sane())?,
            salt: unhex(&shape.salt)?.try_into().ok()?,
            public: unhex(&shape.public)?.try_into().ok()?,
            private: unhex(&shape.private)?,
        })
    }
}

/// Takes out what was put in at a place.
pub(super) fn take_out(private: &[u8], place: &[u8], sealed: &[u8]) -> Option<VaultKey> {
    let (enc, body) = sealed.split_at_checked(ENC)?;
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(private).ok()?;
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(enc).ok()?;
    let opened =
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(&OpModeR::Base, &secret, &enc, INFO, body, place);
    opened.ok().map(Zeroizing::new).and_then(|bytes| VaultKey::from_slice(&bytes))
}

/// The pair in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct BoxShape {
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    public: String,
    private: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_taken_out_by_the_passphrase_at_its_place_only() -> Result<(), VaultError> {
        let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
        let (right, wrong) = (Passphrase::new("an old iron key".into()), Passphrase::new("another one".into()));
        let pair = Lockbox::make(&right, cost, b"here")?;
        let key = VaultKey::make();
        let sealed = pair.put(b"here", &key)?;
        assert!(pair.take(&right, b"here", &sealed)?.is_some_and(|taken| taken.same_as(&key)));
        assert!(pair.take(&wrong, b"here", &sealed)?.is_none());
        assert!(pair.take(&right, b"there", &sealed)?.is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(pair.take(&right, b"here", &changed)?.is_none(), "{at}");
            assert!(pair.take(&right, b"here", &sealed[..at])?.is_none(), "{at}");
        }
        // Another public half in the file does not open by this passphrase either.
        let other = Lockbox { public: Lockbox::make(&wrong, cost, b"here")?.public, ..pair.clone() };
        assert!(other.take(&right, b"here", &sealed)?.is_none());
        assert_eq!(Lockbox::from_shape(&pair.shape()).as_ref(), Some(&pair));
        Ok(())
    }
}
