//! Seals a template or a probe to one gate, and opens it there.
//!
//! HPKE (RFC 9180) in Auth mode: X25519, HKDF-SHA256, ChaCha20-Poly1305. The `info` names protocol, realm and purpose;
//! the additional data is every field of the header, so that an envelope cannot be moved to another gate, number, date,
//! realm or purpose, nor come from anybody but the paired station. Plaintexts live in wiped buffers that are encrypted
//! and decrypted in place.

use hpke::aead::{AeadTag, ChaCha20Poly1305};
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable, OpModeR, OpModeS, Serializable};
use rand::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

use super::keys::{IdentityKeys, Kem, SealPublic, SealSecret};
use super::message::{Probe, PutFace};
use crate::domain::Realm;
use crate::domain::consent::ConsentGranted;
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, OpId};
use crate::domain::time::Timestamp;
use crate::secret::{EngineId, FaceTemplate, TEMPLATE_LEN};

const ENC: usize = 32;
const TAG: usize = 16;
const PLAIN: usize = TEMPLATE_LEN * 4;

/// Length of every envelope, in bytes: encapsulated key, 128 little-endian float32, tag.
pub const SEALED_LEN: usize = ENC + PLAIN + TAG;

/// Why a template was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The consent does not name this gate.
    #[error("the consent does not name this gate")]
    GateNotNamed,
    /// The gate matches cards only.
    #[error("this gate takes cards only")]
    CardsOnly,
    /// A key is not usable.
    #[error("a sealing key is not usable")]
    Key,
    /// The crypto library refused.
    #[error("the template could not be sealed")]
    Failed,
}

/// The envelope is not for this gate, not from this station, of another realm or purpose, or was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the envelope does not open")]
pub struct OpenError;

/// Seals a template to one gate that the consent names; number and last day come from the consent. Rules: P13, P14,
/// P29.
///
/// Without the witness it does not compile:
/// ```compile_fail
/// use menka::domain::{gate::GateRecord, id::OpId};
/// use menka::{secret::FaceTemplate, wire::{envelope::seal_face, keys::IdentityKeys}};
/// fn leak(face: &FaceTemplate, to: &GateRecord, keys: &IdentityKeys, op: OpId) {
///     let _ = seal_face(face, to, keys, op);
/// }
/// ```
/// With one it does:
/// ```
/// use menka::domain::{consent::ConsentGranted, gate::GateRecord, id::OpId};
/// use menka::{secret::FaceTemplate, wire::{envelope::seal_face, keys::IdentityKeys}};
/// fn hand_over(consent: &ConsentGranted, face: &FaceTemplate, to: &GateRecord, keys: &IdentityKeys, op: OpId) {
///     let _ = seal_face(consent, face, to, keys, op);
/// }
/// ```
///
/// # Errors
/// See [`SealError`].
pub fn seal_face(
    consent: &ConsentGranted,
    face: &FaceTemplate,
    to: &GateRecord,
    station: &IdentityKeys,
    op: OpId,
) -> Result<PutFace, SealError> {
    seal_face_with(consent, face, to, station, op, &mut rand::rng())
}

/// Seals a fresh template as a probe for the try at the desk, to one gate that the consent names.
///
/// Without the witness it does not compile:
/// ```compile_fail
/// use menka::{domain::{gate::GateRecord, id::OpId, time::Timestamp}, secret::FaceTemplate};
/// use menka::wire::{envelope::seal_probe, keys::IdentityKeys};
/// fn leak(face: &FaceTemplate, to: &GateRecord, keys: &IdentityKeys, op: OpId, now: Timestamp) {
///     let _ = seal_probe(face, to, keys, op, now);
/// }
/// ```
///
/// # Errors
/// See [`SealError`].
pub fn seal_probe(
    consent: &ConsentGranted,
    face: &FaceTemplate,
    to: &GateRecord,
    station: &IdentityKeys,
    op: OpId,
    now: Timestamp,
) -> Result<Probe, SealError> {
    seal_probe_with(consent, face, to, station, op, now, &mut rand::rng())
}

/// Opens a template inside the gate.
///
/// # Errors
/// [`OpenError`].
pub fn open_face(put: &PutFace, gate: &IdentityKeys, station_seal: &[u8; 32]) -> Result<FaceTemplate, OpenError> {
    let info = info(gate.realm(), Purpose::Face);
    open(&put.sealed, &put.engine, gate, station_seal, &info, &face_header(put))
}

/// Opens a probe inside the gate.
///
/// # Errors
/// [`OpenError`].
pub fn open_probe(probe: &Probe, gate: &IdentityKeys, station_seal: &[u8; 32]) -> Result<FaceTemplate, OpenError> {
    let info = info(gate.realm(), Purpose::Probe);
    open(&probe.sealed, &probe.engine, gate, station_seal, &info, &probe_header(probe))
}

pub(super) fn seal_face_with<R: CryptoRng + RngCore>(
    consent: &ConsentGranted,
    face: &FaceTemplate,
    to: &GateRecord,
    station: &IdentityKeys,
    op: OpId,
    random: &mut R,
) -> Result<PutFace, SealError> {
    may_go(consent, to)?;
    let mut put = PutFace {
        op: *op.bytes(),
        gate: *to.id.bytes(),
        template: *consent.template().bytes(),
        engine: face.engine().as_str().to_owned(),
        ends_on: consent.ends_on().epoch_days(),
        sealed: Vec::new(),
    };
    let info = info(station.realm(), Purpose::Face);
    put.sealed = seal(face, &to.seal_key, station, &info, &face_header(&put), random)?;
    Ok(put)
}

pub(super) fn seal_probe_with<R: CryptoRng + RngCore>(
    consent: &ConsentGranted,
    face: &FaceTemplate,
    to: &GateRecord,
    station: &IdentityKeys,
    op: OpId,
    now: Timestamp,
    random: &mut R,
) -> Result<Probe, SealError> {
    may_go(consent, to)?;
    let engine = face.engine().as_str().to_owned();
    let mut probe = Probe { op: *op.bytes(), gate: *to.id.bytes(), engine, sent_at: now.ms(), sealed: Vec::new() };
    let info = info(station.realm(), Purpose::Probe);
    probe.sealed = seal(face, &to.seal_key, station, &info, &probe_header(&probe), random)?;
    Ok(probe)
}

/// Seals a template that a gate holds to another gate: the sender is the gate that holds it.
pub(super) fn seal_passed_with(
    face: &FaceTemplate,
    to_seal: &[u8; 32],
    keys: &IdentityKeys,
    put: &PutFace,
    from: GateId,
) -> Result<Vec<u8>, SealError> {
    let info = info(keys.realm(), Purpose::Pass);
    seal(face, to_seal, keys, &info, &passed_header(put, from), &mut rand::rng())
}

/// Opens what [`seal_passed_with`] made, inside the gate that it is for.
pub(super) fn open_passed_with(
    put: &PutFace,
    from: GateId,
    from_seal: &[u8; 32],
    gate: &IdentityKeys,
) -> Result<FaceTemplate, OpenError> {
    let info = info(gate.realm(), Purpose::Pass);
    open(&put.sealed, &put.engine, gate, from_seal, &info, &passed_header(put, from))
}

pub(super) fn may_go(consent: &ConsentGranted, to: &GateRecord) -> Result<(), SealError> {
    if !consent.gates().contains(&to.id) {
        return Err(SealError::GateNotNamed);
    }
    if !to.takes_faces {
        return Err(SealError::CardsOnly);
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Purpose {
    Face,
    Probe,
    Pass,
}

fn info(realm: Realm, purpose: Purpose) -> Vec<u8> {
    let purpose = match purpose {
        Purpose::Face => "face",
        Purpose::Probe => "probe",
        Purpose::Pass => "pass",
    };
    format!("menka/1 {} {purpose}", realm.label()).into_bytes()
}

/// op 16, gate 16, template 16, length of engine 1, engine, last day 8 (big endian).
pub(super) fn face_header(put: &PutFace) -> Vec<u8> {
    header_of(&put.op, &put.gate, &put.template, &put.engine, put.ends_on)
}

/// The same from its parts.
pub(super) fn header_of(op: &[u8; 16], gate: &[u8; 16], template: &[u8; 16], engine: &str, ends_on: i64) -> Vec<u8> {
    let mut header = Vec::with_capacity(64 + engine.len());
    header.extend_from_slice(op);
    header.extend_from_slice(gate);
    header.extend_from_slice(template);
    push_engine(&mut header, engine);
    header.extend_from_slice(&ends_on.to_be_bytes());
    header
}

/// As a face's, then the gate that sealed it, 16.
fn passed_header(put: &PutFace, from: GateId) -> Vec<u8> {
    let mut header = face_header(put);
    header.extend_from_slice(from.bytes());
    header
}

/// op 16, gate 16, length of engine 1, engine, instant 8 (big endian).
pub(super) fn probe_header(probe: &Probe) -> Vec<u8> {
    let mut header = Vec::with_capacity(48 + probe.engine.len());
    header.extend_from_slice(&probe.op);
    header.extend_from_slice(&probe.gate);
    push_engine(&mut header, &probe.engine);
    header.extend_from_slice(&probe.sent_at.to_be_bytes());
    header
}

fn push_engine(header: &mut Vec<u8>, engine: &str) {
    // An id longer than a byte can say is longer than any `EngineId` and does not open.
    header.push(u8::try_from(engine.len()).unwrap_or(u8::MAX));
    header.extend_from_slice(engine.as_bytes());
}

pub(super) fn seal<R: CryptoRng + RngCore>(
    face: &FaceTemplate,
    to: &[u8; 32],
    station: &IdentityKeys,
    info: &[u8],
    header: &[u8],
    random: &mut R,
) -> Result<Vec<u8>, SealError> {
    let to = SealPublic::from_bytes(to).map_err(|_| SealError::Key)?;
    let pair = station.seal_pair().ok_or(SealError::Key)?;
    let mut body = Zeroizing::new([0u8; PLAIN]);
    // EXPOSE: what is sealed is the numbers.
    for (out, number) in body.chunks_exact_mut(4).zip(face.expose()) {
        out.copy_from_slice(&number.to_le_bytes());
    }
    let (enc, tag) = hpke::single_shot_seal_in_place_detached::<ChaCha20Poly1305, HkdfSha256, Kem, _>(
        &OpModeS::Auth(pair),
        &to,
        info,
        body.as_mut_slice(),
        header,
        random,
    )
    .map_err(|_| SealError::Failed)?;
    let mut sealed = Vec::with_capacity(SEALED_LEN);
    sealed.extend_from_slice(&enc.to_bytes());
    sealed.extend_from_slice(body.as_slice());
    sealed.extend_from_slice(&tag.to_bytes());
    Ok(sealed)
}

fn open(
    sealed: &[u8],
    engine: &str,
    gate: &IdentityKeys,
    station_seal: &[u8; 32],
    info: &[u8],
    header: &[u8],
) -> Result<FaceTemplate, OpenError> {
    let secret = gate.seal_secret().ok_or(OpenError)?;
    open_with(sealed, engine, &secret, station_seal, info, header)
}

/// Opens an envelope with a secret key and the sender's public one.
pub(super) fn open_with(
    sealed: &[u8],
    engine: &str,
    secret: &SealSecret,
    sender: &[u8; 32],
    info: &[u8],
    header: &[u8],
) -> Result<FaceTemplate, OpenError> {
    if sealed.len() != SEALED_LEN {
        return Err(OpenError);
    }
    let engine = EngineId::parse(engine).ok_or(OpenError)?;
    let (enc, rest) = sealed.split_at(ENC);
    let (body, tag) = rest.split_at(PLAIN);
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(enc).map_err(|_| OpenError)?;
    let tag = AeadTag::<ChaCha20Poly1305>::from_bytes(tag).map_err(|_| OpenError)?;
    let sender = SealPublic::from_bytes(sender).map_err(|_| OpenError)?;
    let mut plain = Zeroizing::new([0u8; PLAIN]);
    plain.copy_from_slice(body);
    hpke::single_shot_open_in_place_detached::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Auth(sender),
        secret,
        &enc,
        info,
        plain.as_mut_slice(),
        header,
        &tag,
    )
    .map_err(|_| OpenError)?;
    template_from_bytes(engine, &plain).ok_or(OpenError)
}

/// Little-endian float32 to a template. `None` unless the vector is finite and of unit length.
pub(crate) fn template_from_bytes(engine: EngineId, bytes: &[u8; PLAIN]) -> Option<FaceTemplate> {
    let mut vector = Zeroizing::new([0f32; TEMPLATE_LEN]);
    for (number, four) in vector.iter_mut().zip(bytes.chunks_exact(4)) {
        let mut four: [u8; 4] = four.try_into().ok()?;
        *number = f32::from_le_bytes(four);
        // Clear intermediates
        four.zeroize();
    }
    FaceTemplate::from_unit_vector(engine, &mut vector)
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
