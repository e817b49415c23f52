//! A gate seals a template that it holds to another key: for a copy that the person asked for. The station never reads it.
//!
//! The station authorises each one with its signing key, over the gate, the template's random number, the consent that covers it, the
//! purpose, the key it is sealed to and the instant. The gate's own signature answers, so that both sides can show what was given out,
//! under which consent, and for what. Deliberately absent: a message for more than one template.

use ed25519_dalek::{Signature, VerifyingKey};
use minicbor::{Decode, Encode};

use super::envelope::{SealError, header_of, seal};
use super::frame::encode;
use super::keys::IdentityKeys;
use super::message::Receipt;
use crate::domain::Realm;
use crate::domain::consent::ConsentGranted;
use crate::domain::gate::GateRecord;
use crate::domain::id::OpId;
use crate::domain::time::Timestamp;
use crate::secret::FaceTemplate;

const CONTEXT: &[u8; 15] = b"menka reseal 1\0";

/// What a template is sealed again for. Part of the authorisation and of the envelope's `info`: what was sealed for one purpose opens for
/// no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ResealFor {
    /// A copy for the person, under a key made from the person's own pass-phrase (PIPL 45).
    #[n(0)]
    Copy,
}

impl ResealFor {
    /// The word in the envelope's `info`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Copy => "copy",
        }
    }

    /// The number that a gate writes down.
    pub fn number(self) -> u8 {
        match self {
            Self::Copy => 0,
        }
    }
}

/// Asks a gate to seal one template that it holds to a key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reseal {
    /// Number used once; never answered twice.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub op: [u8; 16],
    /// The gate it is for.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub gate: [u8; 16],
    /// The random number.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub template: [u8; 16],
    /// SHA-256 of the signed consent record that covers the template now.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub consent: [u8; 32],
    /// What for.
    #[n(4)]
    pub purpose: ResealFor,
    /// X25519 public key of who shall open it.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub to: [u8; 32],
    /// When the station asked, in milliseconds since 1970; older than 30 s is refused.
    #[n(6)]
    pub sent_at: i64,
    /// Ed25519 by the station's signing key over [`Reseal::signed_bytes`].
    #[cbor(n(7), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl Reseal {
    /// Authorises one: only under a consent that was just read, for a gate that it names. Rules: P14, P45, L2-6.
    ///
    /// # Errors
    /// [`SealError::GateNotNamed`], [`SealError::CardsOnly`].
    pub fn authorised(
        consent: &ConsentGranted,
        record_sha256: [u8; 32],
        purpose: ResealFor,
        (gate, to): (&GateRecord, [u8; 32]),
        (station, op, now): (&IdentityKeys, OpId, Timestamp),
    ) -> Result<Self, SealError> {
        super::envelope::may_go(consent, gate)?;
        let mut ask = Self {
            op: *op.bytes(),
            gate: *gate.id.bytes(),
            template: *consent.template().bytes(),
            consent: record_sha256,
            purpose,
            to,
            sent_at: now.ms(),
            signature: [0; 64],
        };
        ask.signature = station.sign(&ask.signed_bytes(station.realm()));
        Ok(ask)
    }

    /// What the station signs: `menka reseal 1` and a zero byte, length of the realm 1, realm, gate 16, op 16, template 16, consent 32,
    /// the purpose as CBOR, the key 32, the instant 8 (big endian).
    pub fn signed_bytes(&self, realm: Realm) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160);
        bytes.extend_from_slice(CONTEXT);
        bytes.push(u8::try_from(realm.label().len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(realm.label().as_bytes());
        bytes.extend_from_slice(&self.gate);
        bytes.extend_from_slice(&self.op);
        bytes.extend_from_slice(&self.template);
        bytes.extend_from_slice(&self.consent);
        bytes.extend_from_slice(&encode(&self.purpose));
        bytes.extend_from_slice(&self.to);
        bytes.extend_from_slice(&self.sent_at.to_be_bytes());
        bytes
    }

    /// Whether the station's key made this authorisation (strict verification).
    pub fn is_signed_by(&self, station_sign: &[u8; 32], realm: Realm) -> bool {
        let signature = Signature::from_bytes(&self.signature);
        let signed = self.signed_bytes(realm);
        VerifyingKey::from_bytes(station_sign).is_ok_and(|key| key.verify_strict(&signed, &signature).is_ok())
    }
}

/// A template, sealed again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Resealed {
    /// Signed by the gate: its stored digest is that of the template that was sealed.
    #[n(0)]
    pub receipt: Receipt,
    /// Which model made the template.
    #[n(1)]
    pub engine: String,
    /// Last day, in days since 1970-01-01 (China time).
    #[n(2)]
    pub ends_on: i64,
    /// HPKE in Auth mode, sender the gate's sealing key: encapsulated key, then ciphertext and tag.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// The envelope's `info`: protocol, realm, purpose and the consent's digest in hex.
pub fn info(realm: Realm, purpose: ResealFor, consent: &[u8; 32]) -> Vec<u8> {
    let mut text = format!("menka/1 {} {} ", realm.label(), purpose.label());
    text.extend(consent.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|n| char::from_digit(n.into(), 16)));
    text.into_bytes()
}

/// Seals a held template to the key of an authorised request, inside the gate that holds it.
///
/// # Errors
/// [`SealError::Key`] for a key that is none.
pub fn seal_again(face: &FaceTemplate, ends_on: i64, ask: &Reseal, gate: &IdentityKeys) -> Result<Vec<u8>, SealError> {
    let header = header_of(&ask.op, &ask.gate, &ask.template, face.engine().as_str(), ends_on);
    seal(face, &ask.to, gate, &info(gate.realm(), ask.purpose, &ask.consent), &header, &mut rand::rng())
}
