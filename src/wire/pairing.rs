//! Pairing by a short code: SPAKE2 over a TLS 1.3 connection on which neither side knows the other's key yet, then key confirmation both
//! ways. Who does not know the code learns nothing that helps to guess it, and may try [`TRIES_MAX`] times.
//!
//! What both sides confirm is the whole of it: the realm, the TLS connection (its exporter and both keys), and both messages with the keys
//! that will be pinned. Somebody who stands between the two has two connections, and their transcripts differ.
//!
//! The `spake2` crate is not written in constant time. A code is random, used within minutes and at most three times, and both sides
//! answer once each: there is nothing to average over.

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::frame::{decode, encode};
use super::message::{Hello, PairShare, Refusal, Reply, Request};
use crate::domain::Realm;
use crate::secret::PairingCode;

/// Tries that one code allows. Counted by the gate before it answers.
pub const TRIES_MAX: u8 = 3;

/// How long a code is good for, in milliseconds.
pub const CODE_LIFE_MS: i64 = 10 * 60_000;

/// Label of the TLS exporter (RFC 9266).
pub const EXPORTER: &[u8] = b"EXPORTER-Channel-Binding";

const CONTEXT: &[u8] = b"menka pairing 1\0";

/// The connection over which two sides pair, as both of them see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Real or practice.
    pub realm: Realm,
    /// 32 bytes of the connection's TLS exporter, label [`EXPORTER`], no context.
    pub exporter: [u8; 32],
    /// Fingerprint of the station's TLS key, proved in the handshake.
    pub station: [u8; 32],
    /// Fingerprint of the gate's TLS key, proved in the handshake.
    pub gate: [u8; 32],
}

impl Channel {
    fn identities(&self) -> (Identity, Identity) {
        let named = |who: &[u8], pin: &[u8; 32]| Identity::new(&[who, pin].concat());
        (named(b"menka station ", &self.station), named(b"menka gate ", &self.gate))
    }

    /// What both sides must have seen alike.
    fn transcript(&self, begin: &[u8], share: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(CONTEXT);
        for part in [self.realm.label().as_bytes(), &self.exporter, &self.station, &self.gate, begin, share] {
            hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Why a pairing did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    /// The gate refused.
    #[error("the gate refused: {0}")]
    Refused(Refusal),
    /// What came is not what comes here.
    #[error("not a message of a pairing")]
    Malformed,
    /// The other side knows another code, or somebody stands between.
    #[error("the other side does not know the code")]
    OtherCode,
}

/// The station's side, after its first message went out.
pub struct Station {
    exchange: Spake2<Ed25519Group>,
    channel: Channel,
    begin: Vec<u8>,
}

impl Station {
    /// Begins; the request goes to the gate as it is.
    pub fn begin(code: &PairingCode, channel: Channel, hello: Hello) -> (Self, Request) {
        let (station, gate) = channel.identities();
        // EXPOSE: the password of the exchange.
        let (exchange, share) = Spake2::start_a(&Password::new(code.expose()), &station, &gate);
        let request = Request::PairBegin(PairShare { share, hello });
        (Self { exchange, channel, begin: encode(&request) }, request)
    }

    /// As [`Self::begin`] with a given random source, for the vectors in the document.
    #[cfg(test)]
    pub(super) fn begin_with(
        code: &PairingCode,
        channel: Channel,
        hello: Hello,
        random: impl rand_core::CryptoRng + rand_core::RngCore,
    ) -> (Self, Request) {
        let (station, gate) = channel.identities();
        let (exchange, share) = Spake2::start_a_with_rng(&Password::new(code.expose()), &station, &gate, random);
        let request = Request::PairBegin(PairShare { share, hello });
        (Self { exchange, channel, begin: encode(&request) }, request)
    }

    /// Takes the gate's share (the reply's body). The request in the answer proves that this side knows the code.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn confirm(self, reply: &[u8]) -> Result<(Confirmed, Request), PairingError> {
        let share = match decode(reply) {
            Ok(Reply::PairShare(share)) => share,
            Ok(Reply::Refused(refusal)) => return Err(PairingError::Refused(refusal)),
            _ => return Err(PairingError::Malformed),
        };
        let tags = finish(self.exchange, &share.share, &self.channel.transcript(&self.begin, reply))?;
        let request = Request::PairConfirm(tags.station);
        Ok((Confirmed { gate_tag: tags.gate, hello: share.hello, pin: self.channel.gate }, request))
    }
}

/// The station's side, after it confirmed.
pub struct Confirmed {
    gate_tag: [u8; 32],
    hello: Hello,
    pin: [u8; 32],
}

impl Confirmed {
    /// Checks that the gate knows the code too; what it said of itself and its fingerprint may then be pinned.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn check(self, reply: &[u8]) -> Result<(Hello, [u8; 32]), PairingError> {
        match decode(reply) {
            Ok(Reply::Paired(tag)) if bool::from(tag.ct_eq(&self.gate_tag)) => Ok((self.hello, self.pin)),
            Ok(Reply::Paired(_) | Reply::Refused(Refusal::OtherCode)) => Err(PairingError::OtherCode),
            Ok(Reply::Refused(refusal)) => Err(PairingError::Refused(refusal)),
            _ => Err(PairingError::Malformed),
        }
    }
}

/// The gate's side, after it sent its share.
pub struct Gate {
    tags: Tags,
    hello: Hello,
}

impl Gate {
    /// Answers the station's first message (`begin`, the request's body as received). The reply's body must go out as it is encoded here.
    ///
    /// # Errors
    /// [`PairingError::Malformed`] for a share that is none.
    pub fn answer(
        code: &PairingCode,
        channel: &Channel,
        (begin, asked): (&[u8], &PairShare),
        hello: Hello,
    ) -> Result<(Self, Reply), PairingError> {
        let (station, gate) = channel.identities();
        // EXPOSE: the password of the exchange.
        let started = Spake2::start_b(&Password::new(code.expose()), &station, &gate);
        Self::answer_from(started, channel, (begin, asked), hello)
    }

    /// As [`Self::answer`] with a given random source, for the vectors in the document.
    #[cfg(test)]
    pub(super) fn answer_with(
        code: &PairingCode,
        channel: &Channel,
        (begin, asked): (&[u8], &PairShare),
        hello: Hello,
        random: impl rand_core::CryptoRng + rand_core::RngCore,
    ) -> Result<(Self, Reply), PairingError> {
        let (station, gate) = channel.identities();
        let started = Spake2::start_b_with_rng(&Password::new(code.expose()), &station, &gate, random);
        Self::answer_from(started, channel, (begin, asked), hello)
    }

    fn answer_from(
        (exchange, share): (Spake2<Ed25519Group>, Vec<u8>),
        channel: &Channel,
        (begin, asked): (&[u8], &PairShare),
        hello: Hello,
    ) -> Result<(Self, Reply), PairingError> {
        let reply = Reply::PairShare(PairShare { share, hello });
        let tags = finish(exchange, &asked.share, &channel.transcript(begin, &encode(&reply)))?;
        Ok((Self { tags, hello: asked.hello.clone() }, reply))
    }

    /// Checks that the station knows the code. Brings back what it said of itself, and the proof to send once that is pinned.
    ///
    /// # Errors
    /// [`PairingError::OtherCode`].
    pub fn check(self, tag: &[u8; 32]) -> Result<(Hello, [u8; 32]), PairingError> {
        if bool::from(self.tags.station.ct_eq(tag)) {
            Ok((self.hello, self.tags.gate))
        } else {
            Err(PairingError::OtherCode)
        }
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate([REDACTED])")
    }
}

/// What each side sends to prove that it knows the code. Good for one connection and one run.
struct Tags {
    station: [u8; 32],
    gate: [u8; 32],
}

fn finish(exchange: Spake2<Ed25519Group>, share: &[u8], transcript: &[u8; 32]) -> Result<Tags, PairingError> {
    let key = exchange.finish(share).map(Zeroizing::new).map_err(|_| PairingError::Malformed)?;
    let derived = Hkdf::<Sha256>::new(Some(transcript), &key);
    let mut tags = Tags { station: [0; 32], gate: [0; 32] };
    for (label, tag) in [(&b"station confirms"[..], &mut tags.station), (b"gate confirms", &mut tags.gate)] {
        derived.expand(label, tag).map_err(|_| PairingError::Malformed)?;
    }
    Ok(tags)
}

#[cfg(test)]
#[path = "pairing_tests.rs"]
mod tests;
