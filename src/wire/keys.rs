//! The keys of one side, station or gate: one for the channel, one for sealing, one for signing. The realm is part of
//! them, so that practice keys can never meet real ones. Where they rest is the business of the vault (station) and of
//! the gate's store.

use ed25519_dalek::{Signer, SigningKey};
use hpke::{Deserializable, Kem as _, Serializable};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::Realm;
use crate::secret::random_bytes;

pub(super) type Kem = hpke::kem::X25519HkdfSha256;
pub(super) type SealSecret = <Kem as hpke::Kem>::PrivateKey;
pub(super) type SealPublic = <Kem as hpke::Kem>::PublicKey;

const MAGIC: &[u8; 12] = b"menka-keys/1";

/// Why keys could not be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The certificate could not be made.
    #[error("the certificate could not be made")]
    Certificate,
    /// The stored bytes are not keys of this version.
    #[error("the stored keys cannot be read")]
    Unreadable,
}

/// The keys of a station or of a gate. Secrets are wiped when dropped.
pub struct IdentityKeys {
    realm: Realm,
    tls_pkcs8: Zeroizing<Vec<u8>>,
    tls_cert_der: Vec<u8>,
    seal_secret: Zeroizing<[u8; 32]>,
    sign_secret: Zeroizing<[u8; 32]>,
    /// The same key, made ready once: a gate signs thousands of receipts in a row. Wiped when dropped.
    signer: SigningKey,
    fingerprint: [u8; 32],
}

impl IdentityKeys {
    /// Makes new random keys.
    ///
    /// # Errors
    /// [`KeyError::Certificate`] when the crypto library refuses.
    pub fn make(realm: Realm) -> Result<Self, KeyError> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).map_err(|_| KeyError::Certificate)?;
        let mut params = rcgen::CertificateParams::new(Vec::new()).map_err(|_| KeyError::Certificate)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, common_name(realm));
        let certificate = params.self_signed(&pair).map_err(|_| KeyError::Certificate)?;
        Self::from_parts(
            realm,
            Zeroizing::new(pair.serialize_der()),
            certificate.der().to_vec(),
            Zeroizing::new(random_bytes()),
            Zeroizing::new(random_bytes()),
        )
    }

    /// The bytes to store, under the owner's encryption: `menka-keys/1`, realm (0 real, 1 practice), both secrets, then
    /// the TLS key and the certificate, each after two bytes of length.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(128 + self.tls_pkcs8.len() + self.tls_cert_der.len()));
        bytes.extend_from_slice(MAGIC);
        bytes.push(u8::from(self.realm == Realm::Practice));
        bytes.extend_from_slice(&*self.seal_secret);
        bytes.extend_from_slice(&*self.sign_secret);
        for part in [self.tls_pkcs8.as_slice(), self.tls_cert_der.as_slice()] {
            let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&part[..usize::from(length)]);
        }
        bytes
    }

    /// Reads [`Self::to_bytes`] back.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(KeyError::Unreadable)?;
        let realm = match cut(&mut rest, 1)? {
            [0] => Realm::Real,
            [1] => Realm::Practice,
            _ => return Err(KeyError::Unreadable),
        };
        let seal_secret = cut_secret(&mut rest)?;
        let sign_secret = cut_secret(&mut rest)?;
        let pkcs8 = Zeroizing::new(cut_long(&mut rest)?.to_vec());
        let certificate = cut_long(&mut rest)?.to_vec();
        if !rest.is_empty() {
            return Err(KeyError::Unreadable);
        }
        Self::from_parts(realm, pkcs8, certificate, seal_secret, sign_secret)
    }

    /// Real or practice.
    pub fn realm(&self) -> Realm {
        self.realm
    }

    /// SHA-256 of the SubjectPublicKeyInfo of the TLS key: what people compare and what the other side pins.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// X25519 public key for sealing.
    pub fn seal_public(&self) -> [u8; 32] {
        let mut bytes = [0u8; 32];
        if let Ok(secret) = SealSecret::from_bytes(&*self.seal_secret) {
            Kem::sk_to_pk(&secret).write_exact(&mut bytes);
        }
        bytes
    }

    /// Ed25519 public key of receipts.
    pub fn sign_public(&self) -> [u8; 32] {
        self.signer.verifying_key().to_bytes()
    }

    /// Signs with the Ed25519 key.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.signer.sign(bytes).to_bytes()
    }

    /// The certificate, self-signed. Nobody checks its dates or its issuer: the key is pinned.
    pub fn tls_cert_der(&self) -> &[u8] {
        &self.tls_cert_der
    }

    /// The certificate's private key, PKCS#8, for the TLS library only.
    pub(super) fn tls_pkcs8(&self) -> &[u8] {
        &self.tls_pkcs8
    }

    /// The secret that opens envelopes, for [`super::envelope`] only.
    pub(super) fn seal_secret(&self) -> Option<SealSecret> {
        SealSecret::from_bytes(&*self.seal_secret).ok()
    }

    /// The sealing key pair, for [`super::envelope`] only.
    pub(super) fn seal_pair(&self) -> Option<(SealSecret, SealPublic)> {
        let secret = self.seal_secret()?;
        let public = Kem::sk_to_pk(&secret);
        Some((secret, public))
    }

    /// Keys with given sealing and signing secrets, for the vectors in the document.
    #[cfg(test)]
    pub(super) fn fixed(realm: Realm, seal: u8, sign: u8) -> Result<Self, KeyError> {
        let made = Self::make(realm)?;
        let (seal_secret, sign_secret) = (Zeroizing::new([seal; 32]), Zeroizing::new([sign; 32]));
        Ok(Self { seal_secret, signer: SigningKey::from_bytes(&sign_secret), sign_secret, ..made })
    }

    fn from_parts(
        realm: Realm,
        tls_pkcs8: Zeroizing<Vec<u8>>,
        tls_cert_der: Vec<u8>,
        seal_secret: Zeroizing<[u8; 32]>,
        sign_secret: Zeroizing<[u8; 32]>,
    ) -> Result<Self, KeyError> {
        let fingerprint = spki_fingerprint(&tls_cert_der).ok_or(KeyError::Unreadable)?;
        let signer = SigningKey::from_bytes(&sign_secret);
        Ok(Self { realm, tls_pkcs8, tls_cert_der, seal_secret, sign_secret, signer, fingerprint })
    }
}

impl std::fmt::Debug for IdentityKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdentityKeys({}, [REDACTED])", self.realm.label())
    }
}

/// SHA-256 of the SubjectPublicKeyInfo inside a certificate. `None` when the bytes are not a certificate.
pub fn spki_fingerprint(certificate: &[u8]) -> Option<[u8; 32]> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(Sha256::digest(parsed.public_key().raw).into())
}

/// The common name in the certificates of a realm.
pub(super) fn common_name(realm: Realm) -> &'static str {
    match realm {
        Realm::Real => "menka",
        Realm::Practice => "menka-practice",
    }
}

/// A fingerprint in 16 groups of four digits, as people read it aloud.
pub fn fingerprint_text(fingerprint: &[u8; 32]) -> String {
    let groups: Vec<String> = fingerprint.chunks(2).map(|pair| format!("{:02x}{:02x}", pair[0], pair[1])).collect();
    groups.join(" ")
}

/// Reads a fingerprint that a person typed: 64 hex digits, spaces, colons and dashes ignored.
pub fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, ':' | '-'))
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == 64).then(|| bytes.try_into().ok()).flatten()
}

fn cut<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], KeyError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(KeyError::Unreadable)?;
    *rest = tail;
    Ok(head)
}

fn cut_secret(rest: &mut &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut secret = Zeroizing::new([0u8; 32]);
    secret.copy_from_slice(cut(rest, 32)?);
    Ok(secret)
}

fn cut_long<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], KeyError> {
    let length = cut(rest, 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    cut(rest, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_to_bytes_and_back() {
        let keys = IdentityKeys::make(Realm::Practice).unwrap();
        let again = IdentityKeys::from_bytes(&keys.to_bytes()).unwrap();
        assert_eq!(again.realm(), Realm::Practice);
        assert_eq!(again.fingerprint(), keys.fingerprint());
        assert_eq!(again.seal_public(), keys.seal_public());
        assert_eq!(again.sign_public(), keys.sign_public());
        assert_eq!(again.sign(b"x"), keys.sign(b"x"));
        assert_ne!(keys.seal_public(), [0; 32]);
    }

    #[test]
    fn no_cut_or_flipped_header_is_accepted() {
        let bytes = IdentityKeys::make(Realm::Real).unwrap().to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(IdentityKeys::from_bytes(&bytes[..length]).err(), Some(KeyError::Unreadable), "{length}");
        }
        let mut other = bytes.to_vec();
        other[MAGIC.len()] = 7;
        assert!(IdentityKeys::from_bytes(&other).is_err());
        other[MAGIC.len()] = 0;
        other.push(0);
        assert!(IdentityKeys::from_bytes(&other).is_err());
    }

    #[test]
    fn printing_keys_shows_nothing() {
        let keys = IdentityKeys::make(Realm::Real).unwrap();
        assert_eq!(format!("{keys:?}"), "IdentityKeys(real, [REDACTED])");
    }

    #[test]
    fn a_fingerprint_can_be_read_aloud_and_typed() {
        let fingerprint = IdentityKeys::make(Realm::Real).unwrap().fingerprint();
        let text = fingerprint_text(&fingerprint);
        assert_eq!((text.len(), text.split(' ').count()), (79, 16));
        assert_eq!(parse_fingerprint(&text.to_uppercase().replace(' ', ":")), Some(fingerprint));
        for bad in ["", "12", &text[1..], &format!("{text}0"), &text.replace(' ', "g")] {
            assert_eq!(parse_fingerprint(bad), None, "{bad}");
        }
    }
}
