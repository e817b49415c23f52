//! A template goes from one gate to another through the station, which relays bytes that it cannot read.
//!
//! The gate that holds it seals it to the other gate's key (HPKE, Auth mode, its own key as the sender's) and only for a gate that the station
//! has introduced and that the person's signed consent names. The other gate opens it with the sender's key that the station tells.

use minicbor::{Decode, Encode};

use super::envelope::OpenError;
use super::message::PutFace;
use crate::domain::id::{GateId, OpId, TemplateId};
use crate::secret::FaceTemplate;

use super::envelope::{open_passed_with, seal_passed_with};
use super::keys::IdentityKeys;

/// Most templates of one [`PassOn`].
pub const PASSES_MAX: usize = 128;

/// Asks a gate to seal templates to another gate.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PassOn {
    /// The station's signed introduction of the other gate (COSE_Sign1, `evidence::introduction`).
    #[cbor(n(0), with = "minicbor::bytes")]
    pub introduction: Vec<u8>,
    /// Which templates.
    #[n(1)]
    pub wants: Vec<Want>,
}

/// One template to be passed on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Want {
    /// Idempotency key at the other gate.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub op: [u8; 16],
    /// The random number.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub template: [u8; 16],
    /// The signed consent record (COSE_Sign1) that names this template and the other gate, or the gate that it replaces.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub consent: Vec<u8>,
}

/// One template of the answer, in the order that was asked; nothing where the gate does not hold it, or must not pass it on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Passed {
    /// Header and sealed template, for the other gate.
    #[n(0)]
    pub put: Option<PutFace>,
    /// The digest that the other gate's read-back must give; zeros where there is nothing.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 32],
}

impl Passed {
    /// What was sealed and its digest, or nothing.
    pub fn of(sealed: Option<(PutFace, [u8; 32])>) -> Self {
        match sealed {
            Some((put, digest)) => Self { put: Some(put), digest },
            None => Self { put: None, digest: [0; 32] },
        }
    }
}

/// A template that another gate has sealed to this one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PutPassed {
    /// Header and sealed template. Every header field and `from` are authenticated by the seal.
    #[n(0)]
    pub put: PutFace,
    /// The gate that sealed it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub from: [u8; 16],
    /// Its X25519 public key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub from_seal: [u8; 32],
}

/// Proof that a gate checked the station's introduction of another gate and the person's signed consent that names it.
///
/// Made in `gate/relay.rs` only.
///
/// ```compile_fail
/// # use menka::domain::id::{GateId, TemplateId};
/// let forged = menka::wire::relay::PassAllowed::assert_checked(
///     TemplateId::from_bytes([0; 16]), GateId::from_bytes([0; 16]), [0; 32]);
/// ```
#[must_use]
pub struct PassAllowed {
    template: TemplateId,
    to: GateId,
    to_seal: [u8; 32],
}

impl PassAllowed {
    /// Asserts that both signatures were verified. One caller: `gate/relay.rs`.
    pub(crate) fn assert_checked(template: TemplateId, to: GateId, to_seal: [u8; 32]) -> Self {
        Self { template, to, to_seal }
    }

    /// Which template.
    pub fn template(&self) -> TemplateId {
        self.template
    }
}

/// Seals a held template to the gate that the proof names. `None` when a key is not usable.
pub fn seal_passed(
    allowed: &PassAllowed,
    face: &FaceTemplate,
    ends_on: i64,
    op: OpId,
    (from, keys): (GateId, &IdentityKeys),
) -> Option<PutFace> {
    let mut put = PutFace {
        op: *op.bytes(),
        gate: *allowed.to.bytes(),
        template: *allowed.template.bytes(),
        engine: face.engine().as_str().to_owned(),
        ends_on,
        sealed: Vec::new(),
    };
    put.sealed = seal_passed_with(face, &allowed.to_seal, keys, &put, from).ok()?;
    Some(put)
}

/// Opens it inside the other gate.
///
/// # Errors
/// [`OpenError`].
pub fn open_passed(passed: &PutPassed, gate: &IdentityKeys) -> Result<FaceTemplate, OpenError> {
    open_passed_with(&passed.put, GateId::from_bytes(passed.from), &passed.from_seal, gate)
}
