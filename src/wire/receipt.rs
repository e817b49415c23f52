//! Receipts: what a gate signed, how the desk checks it, and the digests both sides compute alike.

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::frame::encode;
use super::keys::IdentityKeys;
use super::message::{Apply, Holdings, Outcome, PutFace, Receipt, Request, What};
use crate::domain::Realm;
use crate::domain::gate::GateRecord;

const CONTEXT: &[u8] = b"menka receipt 1\0";
const FACE_CONTEXT: &[u8] = b"menka held face 1\0";
const CARD_CONTEXT: &[u8] = b"menka held card 1\0";
const HOLDINGS_CONTEXT: &[u8] = b"menka holdings 1\0";

/// Why a receipt does not count. A wrong receipt is a broken or hostile gate: staff must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not signed by the key that this gate proved at pairing.
    #[error("the signature is not the gate's")]
    Signature,
    /// Of another gate.
    #[error("the receipt is of another gate")]
    Gate,
    /// Of another realm.
    #[error("the receipt is of another realm")]
    Realm,
    /// For another operation, or for other bytes than were sent.
    #[error("the receipt is for another operation")]
    Operation,
    /// It attests something else than was asked.
    #[error("the receipt attests something else")]
    Outcome,
    /// It says that something is kept which should be gone, or the other way round.
    #[error("the receipt's read-back does not fit")]
    ReadBack,
}

impl Receipt {
    /// The bytes under the signature: `menka receipt 1\0`, length of realm 1, realm, gate 16, operation 16, outcome 1,
    /// request digest 32, stored digest 32, instant 8 (big endian).
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CONTEXT.len() + 130);
        bytes.extend_from_slice(CONTEXT);
        bytes.push(u8::try_from(self.realm.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(self.realm.as_bytes());
        bytes.extend_from_slice(&self.gate);
        bytes.extend_from_slice(&self.op);
        bytes.push(outcome_byte(self.outcome));
        bytes.extend_from_slice(&self.request_digest);
        bytes.extend_from_slice(&self.stored_digest);
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes
    }

    /// Signs with the gate's key, in place.
    pub fn sign(mut self, gate: &IdentityKeys) -> Self {
        self.signature = gate.sign(&self.signed_bytes());
        self
    }

    /// Whether the Ed25519 key made this signature (strict verification).
    pub fn is_signed_by(&self, sign_key: &[u8; 32]) -> bool {
        let signature = Signature::from_bytes(&self.signature);
        VerifyingKey::from_bytes(sign_key).is_ok_and(|key| key.verify_strict(&self.signed_bytes(), &signature).is_ok())
    }

    /// Checks everything that the desk knows: the gate's key, gate, realm, operation, the digest of what was sent, and
    /// that the outcome answers it. A card operation that a later one has overtaken is attested as what holds
    /// ([`Self::was_overtaken`]).
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(&self, gate: &GateRecord, realm: Realm, request: &Request) -> Result<(), ReceiptError> {
        if !self.is_signed_by(&gate.sign_key) {
            return Err(ReceiptError::Signature);
        }
        if self.gate != *gate.id.bytes() {
            return Err(ReceiptError::Gate);
        }
        if self.realm != realm.label() {
            return Err(ReceiptError::Realm);
        }
        if Some(self.op) != request_op(request) || self.request_digest != request_digest(request) {
            return Err(ReceiptError::Operation);
        }
        if !outcome_answers(request, self.outcome) {
            return Err(ReceiptError::Outcome);
        }
        let kept = self.stored_digest != [0; 32];
        let fits = match self.outcome {
            Outcome::FaceStored
            | Outcome::CardStored
            | Outcome::FaceResealed
            | Outcome::FacesRenewed
            | Outcome::HeldAttested => kept,
            Outcome::FaceErased | Outcome::CardRemoved | Outcome::Unpaired | Outcome::ClockSet => !kept,
            Outcome::FaceFrozen | Outcome::FaceThawed => true,
            Outcome::FacesStopped | Outcome::FacesResumed => !kept,
        };
        if fits { Ok(()) } else { Err(ReceiptError::ReadBack) }
    }

    /// Whether a card operation, a stop or a resumption changed nothing because one queued later was done before it.
    pub fn was_overtaken(&self, request: &Request) -> bool {
        match request {
            Request::Apply(Apply { what: What::PutCard(..), .. }) => self.outcome == Outcome::CardRemoved,
            Request::Apply(Apply { what: What::RemoveCard(..), .. }) => self.outcome == Outcome::CardStored,
            Request::Apply(Apply { what: What::StopFaces, .. }) => self.outcome == Outcome::FacesResumed,
            Request::Apply(Apply { what: What::ResumeFaces, .. }) => self.outcome == Outcome::FacesStopped,
            _ => false,
        }
    }
}

/// The idempotency key of a request, if it is an operation.
pub fn request_op(request: &Request) -> Option<[u8; 16]> {
    match request {
        Request::PutFace(PutFace { op, .. }) | Request::Apply(Apply { op, .. }) => Some(*op),
        Request::PutPassed(passed) => Some(passed.put.op),
        Request::Reseal(ask) => Some(ask.op),
        _ => None,
    }
}

/// SHA-256 of the request's frame body, as this program writes it.
pub fn request_digest(request: &Request) -> [u8; 32] {
    Sha256::digest(encode(request)).into()
}

/// The digest that stands for a held template: over its random number and header too, so that the same face under two
/// numbers gives digests that say nothing of each other.
pub fn face_digest(template: &[u8; 16], engine: &str, ends_on: i64, vector: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(FACE_CONTEXT);
    hash.update(template);
    hash.update([u8::try_from(engine.len()).unwrap_or(u8::MAX)]);
    hash.update(engine);
    hash.update(ends_on.to_be_bytes());
    hash.update(vector);
    hash.finalize().into()
}

/// The digest that stands for a held card in a receipt.
pub fn card_digest(uid: &[u8], ends_on: i64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(CARD_CONTEXT);
    hash.update(Sha256::digest(uid));
    hash.update(ends_on.to_be_bytes());
    hash.finalize().into()
}

impl Holdings {
    /// SHA-256 over everything held, in the order of the list: what [`super::message::Health::digest`] must equal.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(HOLDINGS_CONTEXT);
        hash.update((self.faces.len() as u64).to_be_bytes());
        for face in &self.faces {
            hash.update(face.template);
            hash.update(face.digest);
            hash.update(face.ends_on.to_be_bytes());
            hash.update([u8::from(face.frozen)]);
        }
        hash.update((self.cards.len() as u64).to_be_bytes());
        for card in &self.cards {
            hash.update(card.digest);
            hash.update(card.ends_on.to_be_bytes());
        }
        hash.finalize().into()
    }
}

fn outcome_byte(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::FaceStored => 0,
        Outcome::FaceErased => 1,
        Outcome::FaceFrozen => 2,
        Outcome::CardStored => 3,
        Outcome::CardRemoved => 4,
        Outcome::FaceThawed => 5,
        Outcome::FacesStopped => 6,
        Outcome::FacesResumed => 7,
        Outcome::FaceResealed => 8,
        Outcome::FacesRenewed => 9,
        Outcome::ClockSet => 10,
        Outcome::HeldAttested => 11,
        Outcome::Unpaired => 20,
    }
}

fn outcome_answers(request: &Request, outcome: Outcome) -> bool {
    match request {
        Request::PutFace(_) | Request::PutPassed(_) => outcome == Outcome::FaceStored,
        Request::Reseal(_) => outcome == Outcome::FaceResealed,
        Request::Apply(apply) => match apply.what {
            What::EraseFace(_) => outcome == Outcome::FaceErased,
            What::FreezeFace(_) => outcome == Outcome::FaceFrozen,
            What::ThawFace(_) => outcome == Outcome::FaceThawed,
            What::RenewFaces => outcome == Outcome::FacesRenewed,
            What::SetClock(_) => outcome == Outcome::ClockSet,
            What::AttestHeld => outcome == Outcome::HeldAttested,
            What::Unpair => outcome == Outcome::Unpaired,
            What::StopFaces | What::ResumeFaces => matches!(outcome, Outcome::FacesStopped | Outcome::FacesResumed),
            What::PutCard(..) | What::RemoveCard(_) | What::RemoveCardBy(_) => {
                matches!(outcome, Outcome::CardStored | Outcome::CardRemoved)
            }
        },
        _ => false,
    }
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
