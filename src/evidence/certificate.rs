//! The deletion certificate as data: one signed statement over every gate of a consent, the gates' own receipts beside it, and the check that
//! names the first step that does not hold. Rules: P15, P47a, P47b, K1-10.
//!
//! The statement is COSE over JSON and says of each gate either *erased*, with the digest of that gate's signed receipt and the instant of the
//! station's own read-back, or *pending*, with what stops the face there meanwhile. A certificate file carries the statement, the
//! receipts and the signed consent record, so that a stranger needs nothing but the desk's public key. A certificate of one place says that a
//! face ended at one door while its consent goes on.
//!
//! Deliberately absent: names, units, card numbers. They stand on the paper only.

use std::collections::BTreeMap;

use minicbor::Encoder;
use sha2::{Digest, Sha256};

use crate::domain::Realm;
use crate::domain::id::{ConsentId, GateId, OpId, ResidentId, SiteId, TemplateId};
use crate::domain::time::Timestamp;

pub use super::certificate_step::Step;

use super::certificate_shape::{Erased, Gate, Papers, Pending, Receipt, Said, unhex};
use super::{EvidenceError, Kind, consent, hex, statement};

/// Version of the statement's shape: what every certificate needs.
pub const SCHEMA: &str = "menka-deletion/2";
/// The same, where a gate answers and refuses, or where several gates stood at the door that a certificate of one place speaks of. A verifier
/// that does not know it says so at once, instead of finding fault with a gate.
pub const SCHEMA_WIDER: &str = "menka-deletion/3";
/// Version of the file's shape.
pub const FILE_SCHEMA: &str = "menka-deletion-file/1";

/// What stops a face at a gate that has not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The gate's contact lease: it stops matching by itself.
    Lease {
        /// The station's last contact with it, never earlier than the gate's own.
        contact_at: Timestamp,
        /// Hours without contact that the gate allows itself.
        hours: u32,
    },
    /// Somebody went to the door and switched the face function off.
    SwitchedOff {
        /// When, as entered, and not before the gate's newest signature.
        at: Timestamp,
    },
    /// The gate answers and has not erased, but it signed that it keeps this template without matching it.
    Frozen {
        /// The operation.
        op: OpId,
        /// Its place in the station's order.
        sequence: u64,
        /// When the gate did it, by its own clock.
        at: Timestamp,
    },
    /// The gate answers and has not erased. Each contact renews its lease, so that nothing stops the face there by itself.
    Refused {
        /// The station's last contact with it.
        contact_at: Timestamp,
    },
}

impl Stop {
    /// From when on the face opens nothing there, at the latest. `None` while nothing is known to stop it.
    pub fn stops_at(self) -> Option<Timestamp> {
        match self {
            Self::Lease { contact_at, hours } => Some(contact_at.plus_ms(i64::from(hours).saturating_mul(3_600_000))),
            Self::SwitchedOff { at } | Self::Frozen { at, .. } => Some(at),
            Self::Refused { .. } => None,
        }
    }
}

/// Where the erasure stands at one gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateState {
    /// Erased, signed, read back.
    Erased {
        /// The operation.
        op: OpId,
        /// Its place in the station's order.
        sequence: u64,
        /// When the gate did it, by its own clock.
        at: Timestamp,
        /// When the station asked the gate again and was told that nothing is held.
        read_back_at: Timestamp,
        /// The gate's receipt as received (CBOR).
        receipt: Vec<u8>,
    },
    /// Not signed yet.
    Pending(Stop),
}

/// A signature of a gate, which carries an instant: the gate was heard then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeardBy {
    /// A receipt as received (CBOR).
    Receipt(Vec<u8>),
    /// A head of the log that the gate cosigned.
    Head(String),
}

/// One gate of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateStep {
    /// Which.
    pub gate: GateId,
    /// Shown name.
    pub name: String,
    /// Place.
    pub place: String,
    /// The key of its receipts, as pinned at pairing.
    pub sign_key: [u8; 32],
    /// Where it stands.
    pub state: GateState,
    /// Of a gate that has not signed for this: its newest signature for anything (its last contact is never stated as earlier), or its receipt
    /// of the freeze.
    pub heard: Option<HeardBy>,
}

/// What a certificate is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Number of this certificate.
    pub id: [u8; 16],
    /// The certificate that this one completes.
    pub supplement_of: Option<[u8; 16]>,
    /// The consent that ended.
    pub consent: ConsentId,
    /// Whose, as a random number.
    pub resident: ResidentId,
    /// The random number in the gates, void from now on.
    pub template: TemplateId,
    /// Which site.
    pub site: SiteId,
    /// Practice has no legal effect, and the statement says so.
    pub realm: Realm,
    /// Label of the reason.
    pub reason: String,
    /// When the consent ended, which is when it was asked for or fell due.
    pub ended_at: Timestamp,
    /// When this is stated.
    pub stated_at: Timestamp,
    /// Only one door of the consent, by the gate that the consent names there; the consent goes on. `None`: every gate of it.
    pub one_place: Option<GateId>,
    /// Every gate that the consent named, or the one of the one place.
    pub gates: Vec<GateStep>,
    /// Place of the ending in the evidence log.
    pub log_from: u64,
    /// Records in the log when this was stated.
    pub log_size: u64,
    /// Root of the log then.
    pub log_root: [u8; 32],
}

impl CertificateFacts {
    /// Whether every gate has signed and was read back. Never said before.
    pub fn is_complete(&self) -> bool {
        !self.gates.is_empty() && self.gates.iter().all(|step| matches!(step.state, GateState::Erased { .. }))
    }

    /// From when on the face opens nothing anywhere: the last erasure, or what stops the gates that are away. `None` while nothing stops it at
    /// some gate.
    pub fn blocked_at(&self) -> Option<Timestamp> {
        let at = |step: &GateStep| match &step.state {
            GateState::Erased { at, .. } => Some(*at),
            GateState::Pending(stop) => stop.stops_at(),
        };
        let all: Option<Vec<Timestamp>> = self.gates.iter().map(at).collect();
        all.map(|all| all.into_iter().fold(self.ended_at, Timestamp::max))
    }

    /// Version of the statement's shape that says this.
    fn schema(&self) -> &'static str {
        let wider =
            |step: &GateStep| matches!(step.state, GateState::Pending(Stop::Frozen { .. } | Stop::Refused { .. }));
        if (self.one_place.is_some() && self.gates.len() > 1) || self.gates.iter().any(wider) {
            SCHEMA_WIDER
        } else {
            SCHEMA
        }
    }
}

/// Builds the statement that is signed. The same facts give the same bytes.
pub fn statement_json(facts: &CertificateFacts) -> Vec<u8> {
    let gates = facts.gates.iter().map(|step| {
        let (mut erased, mut pending) = (None, None);
        match &step.state {
            GateState::Erased { op, sequence, at, read_back_at, receipt } => {
                erased = Some(Erased {
                    op: op.to_string(),
                    sequence: *sequence,
                    at_ms: at.ms(),
                    read_back_at_ms: Some(read_back_at.ms()),
                    receipt_sha256: hex(&Sha256::digest(receipt)),
                });
            }
            GateState::Pending(stop) => {
                let (measure, contact, hours) = match stop {
                    Stop::Lease { contact_at, hours } => (LEASE, Some(contact_at.ms()), Some(*hours)),
                    Stop::SwitchedOff { .. } => (SWITCHED_OFF, None, None),
                    Stop::Frozen { .. } => (FROZEN, None, None),
                    Stop::Refused { contact_at } => (REFUSED, Some(contact_at.ms()), None),
                };
                let (op, sequence) = match stop {
                    Stop::Frozen { op, sequence, .. } => (Some(op.to_string()), Some(*sequence)),
                    _ => (None, None),
                };
                pending = Some(Pending {
                    measure: measure.into(),
                    stops_at_ms: stop.stops_at().map_or(NOT_STOPPED, Timestamp::ms),
                    op,
                    sequence,
                    last_contact_ms: contact,
                    offline_hours: hours,
                    signed_receipt_sha256: match &step.heard {
                        Some(HeardBy::Receipt(receipt)) => Some(hex(&Sha256::digest(receipt))),
                        _ => None,
                    },
                    signed_head: match &step.heard {
                        Some(HeardBy::Head(note)) => Some(note.clone()),
                        _ => None,
                    },
                });
            }
        }
        Gate {
            gate: step.gate.to_string(),
            name: step.name.clone(),
            place: step.place.clone(),
            sign_key: hex(&step.sign_key),
            erased,
            pending,
        }
    });
    let said = Said {
        schema_version: facts.schema().into(),
        certificate_id: hex(&facts.id),
        supplement_of: facts.supplement_of.map(|id| hex(&id)),
        record_id: facts.consent.to_string(),
        pii_principal_id: facts.resident.to_string(),
        storage_link: facts.template.to_string(),
        site_id: facts.site.to_string(),
        realm: facts.realm.label().into(),
        reason: facts.reason.clone(),
        ended_at_ms: facts.ended_at.ms(),
        stated_at_ms: facts.stated_at.ms(),
        complete: facts.is_complete(),
        one_place: facts.one_place.map(|gate| gate.to_string()),
        gates: gates.collect(),
        log_from: facts.log_from,
        log_size: facts.log_size,
        log_root: hex(&facts.log_root),
    };
    // Strings and numbers only: serialising them cannot fail.
    serde_json::to_vec(&said).unwrap_or_default()
}

/// Puts a signed statement, the receipts it speaks of and the signed consent record into one file.
pub fn file(statement: &[u8], receipts: &[Vec<u8>], consent_record: &[u8]) -> Vec<u8> {
    let file = Papers {
        schema_version: FILE_SCHEMA.into(),
        statement: hex(statement),
        consent_record: hex(consent_record),
        receipts: receipts.iter().map(|r| hex(r)).collect(),
    };
    serde_json::to_vec_pretty(&file).unwrap_or_default()
}

/// What the verifier knows on another way than from the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The desk's public key, as posted there.
    pub station: [u8; 32],
    /// Receipt keys of gates, by whoever noted them at the doors. A gate that is not here counts with the key that the desk states.
    pub gates: BTreeMap<GateId, [u8; 32]>,
}

/// What a certificate says, after every step of it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Number of the certificate, in hex.
    pub certificate: String,
    /// The certificate that it completes.
    pub supplement_of: Option<String>,
    /// Number of the consent record.
    pub record: String,
    /// Real or practice, as stated.
    pub realm: String,
    /// Why the consent ended.
    pub reason: String,
    /// When it was stated.
    pub stated_at: Timestamp,
    /// It speaks of one door only; the consent goes on at the others.
    pub one_place: bool,
    /// Gates that signed, with the instant by the gate's clock.
    pub erased: Vec<(String, Timestamp)>,
    /// Gates that have not, with the instant from which on the face opens nothing there; `None` for one that answers and refuses, where nothing
    /// is known to stop it.
    pub pending: Vec<(String, Option<Timestamp>)>,
    /// Of those: gates whose last contact is the desk's word alone, since the file has no signature of theirs.
    pub unproved: Vec<String>,
}

impl Checked {
    /// Whether nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.pending.is_empty()
    }
}

/// Checks a certificate file, step by step, with the desk's key and nothing else. Never panics, whatever the bytes are.
///
/// # Errors
/// The first [`Step`] that does not hold.
pub fn verify(bytes: &[u8], keys: &Keys) -> Result<Checked, Step> {
    if bytes.len() > FILE_MAX {
        return Err(Step::File);
    }
    let file: Papers = serde_json::from_slice(bytes).map_err(|_| Step::File)?;
    if file.schema_version != FILE_SCHEMA {
        return Err(Step::File);
    }
    let signed = unhex(&file.statement).ok_or(Step::File)?;
    let read = statement::verify(&signed, &keys.station).map_err(Step::Signature)?;
    if read.kind != Kind::Deletion {
        return Err(Step::Signature(EvidenceError::Malformed));
    }
    let said: Said = serde_json::from_slice(&read.payload).map_err(|_| Step::File)?;
    let wider = said.schema_version == SCHEMA_WIDER;
    if !wider && said.schema_version != SCHEMA {
        return Err(Step::File);
    }
    let named = gates_of_consent(&file.consent_record, &said, keys).ok_or(Step::Consent)?;
    let missing = match &said.one_place {
        None => named.iter().find(|gate| !said.gates.iter().any(|g| g.gate == **gate)),
        Some(door) if !named.contains(door) => return Err(Step::Consent),
        // Where another gate has taken a door over, the one that the consent names must answer too; the shape before said one gate only.
        Some(door) if wider && !said.gates.iter().any(|g| g.gate == *door) => Some(door),
        Some(door) if !wider && said.gates.len() != 1 => Some(door),
        Some(_) => None,
    };
    if let Some(missing) = missing {
        return Err(Step::GateMissing(missing.clone()));
    }
    let receipts: BTreeMap<String, Vec<u8>> = file
        .receipts
        .iter()
        .filter_map(|text| unhex(text))
        .map(|bytes| (hex(&Sha256::digest(&bytes)), bytes))
        .collect();
    let (mut erased, mut pending, mut unproved) = (vec![], vec![], vec![]);
    for gate in &said.gates {
        match (&gate.erased, &gate.pending) {
            (Some(step), None) => {
                check_receipt(gate, step, &said, &receipts, keys)?;
                erased.push((gate.name.clone(), Timestamp::from_ms(step.at_ms)));
            }
            (None, Some(step)) => {
                let stop = stop_of(step, wider).ok_or_else(|| Step::Stop(gate.name.clone()))?;
                let signed = check_contact(gate, step, &said, &receipts, keys)?;
                if let Stop::Frozen { op, sequence, at } = stop {
                    check_frozen(gate, step, &said, &receipts, (op, sequence, at))?;
                } else if !signed && !matches!(stop, Stop::SwitchedOff { .. }) {
                    unproved.push(gate.name.clone());
                }
                pending.push((gate.name.clone(), stop.stops_at()));
            }
            (None, None) | (Some(_), Some(_)) => return Err(Step::Stop(gate.name.clone())),
        }
    }
    if said.gates.is_empty() || said.complete != pending.is_empty() {
        return Err(Step::Conclusion);
    }
    Ok(Checked {
        certificate: said.certificate_id,
        supplement_of: said.supplement_of,
        record: said.record_id,
        realm: said.realm,
        reason: said.reason,
        stated_at: Timestamp::from_ms(said.stated_at_ms),
        one_place: said.one_place.is_some(),
        erased,
        pending,
        unproved,
    })
}

/// Whether a statement says that every gate has signed and was read back. What it says, not what the receipts prove: that takes
/// the whole file ([`verify`]).
///
/// # Errors
/// [`EvidenceError::Malformed`].
pub fn is_complete(json: &[u8]) -> Result<bool, EvidenceError> {
    let said: Said = serde_json::from_slice(json).map_err(|_| EvidenceError::Malformed)?;
    if ![SCHEMA, SCHEMA_WIDER].contains(&said.schema_version.as_str()) {
        return Err(EvidenceError::Malformed);
    }
    let erased = |gate: &Gate| gate.erased.is_some() && gate.pending.is_none();
    Ok(said.complete && !said.gates.is_empty() && said.gates.iter().all(erased))
}

/// Size and root of the log as a statement says them.
///
/// # Errors
/// [`EvidenceError::Malformed`].
pub fn log_of(json: &[u8]) -> Result<(u64, [u8; 32]), EvidenceError> {
    let said: Said = serde_json::from_slice(json).map_err(|_| EvidenceError::Malformed)?;
    let root = unhex(&said.log_root).and_then(|root| root.try_into().ok()).ok_or(EvidenceError::Malformed)?;
    Ok((said.log_size, root))
}

/// Largest accepted file, in bytes.
pub const FILE_MAX: usize = 4 * 1024 * 1024;

const LEASE: &str = "contact-lease";
const SWITCHED_OFF: &str = "switched-off-by-hand";
const FROZEN: &str = "frozen-by-receipt";
const REFUSED: &str = "answers-and-refuses";
/// In the place of an instant where nothing is known to stop the face.
const NOT_STOPPED: i64 = 0;

/// The gates that the signed consent record names; `None` when it does not verify or is another record.
fn gates_of_consent(record: &str, said: &Said, keys: &Keys) -> Option<Vec<String>> {
    let read = statement::verify(&unhex(record)?, &keys.station).ok()?;
    let stated = consent::read(&read.payload).ok()?;
    let same = read.kind == Kind::Consent
        && stated.consent.to_string() == said.record_id
        && stated.template.to_string() == said.storage_link
        && stated.resident.to_string() == said.pii_principal_id
        && stated.realm == said.realm;
    same.then_some(stated.gates)
}

fn check_receipt(
    gate: &Gate,
    step: &Erased,
    said: &Said,
    receipts: &BTreeMap<String, Vec<u8>>,
    keys: &Keys,
) -> Result<(), Step> {
    let name = || gate.name.clone();
    let bytes = receipts.get(&step.receipt_sha256).ok_or_else(|| Step::ReceiptMissing(name()))?;
    let receipt: Receipt = minicbor::decode(bytes).map_err(|_| Step::ReceiptMissing(name()))?;
    let other = || Step::ReceiptOther(name());
    let id = GateId::parse(&gate.gate).ok_or_else(other)?;
    let stated = unhex(&gate.sign_key).and_then(|k| <[u8; 32]>::try_from(k).ok());
    let key = keys.gates.get(&id).copied().or(stated).ok_or_else(|| Step::ReceiptSignature(name()))?;
    if !is_signed_by(&receipt, &key) {
        return Err(Step::ReceiptSignature(name()));
    }
    let op = OpId::parse(&step.op).ok_or_else(other)?;
    let template = TemplateId::parse(&said.storage_link).ok_or_else(other)?;
    let fits = receipt.gate == *id.bytes()
        && receipt.op == *op.bytes()
        && receipt.realm == said.realm
        && receipt.at == step.at_ms
        && receipt.outcome == FACE_ERASED
        && receipt.request_digest == erase_digest(op, step.sequence, template);
    if !fits {
        return Err(other());
    }
    if receipt.stored_digest != [0; 32] || step.read_back_at_ms.is_none() {
        return Err(Step::ReadBack(name()));
    }
    Ok(())
}

fn is_signed_by(receipt: &Receipt, key: &[u8; 32]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(key).is_ok_and(|key| {
        let signature = ed25519_dalek::Signature::from_bytes(&receipt.signature);
        key.verify_strict(&receipt.signed_bytes(), &signature).is_ok()
    })
}

/// The newest signature of a gate that has not signed for this erasure: neither the last contact nor a switch-off by hand is stated as earlier.
/// Returns whether there is one.
fn check_contact(
    gate: &Gate,
    step: &Pending,
    said: &Said,
    receipts: &BTreeMap<String, Vec<u8>>,
    keys: &Keys,
) -> Result<bool, Step> {
    let unproved = || Step::Stop(gate.name.clone());
    let id = GateId::parse(&gate.gate).ok_or_else(unproved)?;
    let stated = unhex(&gate.sign_key).and_then(|k| <[u8; 32]>::try_from(k).ok());
    let key = keys.gates.get(&id).copied().or(stated).ok_or_else(unproved)?;
    let heard_ms = match (&step.signed_receipt_sha256, &step.signed_head) {
        (None, None) => return Ok(false),
        (Some(digest), None) => {
            let bytes = receipts.get(digest).ok_or_else(|| Step::ReceiptMissing(gate.name.clone()))?;
            let receipt: Receipt = minicbor::decode(bytes).map_err(|_| unproved())?;
            let fits = receipt.gate == *id.bytes() && receipt.realm == said.realm && is_signed_by(&receipt, &key);
            fits.then_some(receipt.at).ok_or_else(unproved)?
        }
        (None, Some(note)) => {
            let at_s = super::head::cosigned_at(note, &gate.gate, &key).map_err(|_| unproved())?;
            i64::try_from(at_s).unwrap_or(i64::MAX).saturating_mul(1_000)
        }
        (Some(_), Some(_)) => return Err(unproved()),
    };
    // Whoever is said to have switched it off cannot have done so before it signed.
    let switched_off_ms = (step.measure == SWITCHED_OFF).then_some(step.stops_at_ms);
    if [step.last_contact_ms, switched_off_ms].into_iter().flatten().any(|stated| stated < heard_ms) {
        return Err(Step::Contact(gate.name.clone()));
    }
    Ok(true)
}

/// The gate's receipt, whose signature was checked, is for the freeze of this very template.
fn check_frozen(
    gate: &Gate,
    step: &Pending,
    said: &Said,
    receipts: &BTreeMap<String, Vec<u8>>,
    (op, sequence, at): (OpId, u64, Timestamp),
) -> Result<(), Step> {
    let unstopped = || Step::Stop(gate.name.clone());
    let bytes = step.signed_receipt_sha256.as_ref().and_then(|digest| receipts.get(digest)).ok_or_else(unstopped)?;
    let receipt: Receipt = minicbor::decode(bytes).map_err(|_| unstopped())?;
    let template = TemplateId::parse(&said.storage_link).ok_or_else(unstopped)?;
    let fits = receipt.op == *op.bytes()
        && receipt.at == at.ms()
        && receipt.outcome == FACE_FROZEN
        && receipt.request_digest == freeze_digest(op, sequence, template);
    if fits { Ok(()) } else { Err(unstopped()) }
}

fn stop_of(step: &Pending, wider: bool) -> Option<Stop> {
    let stop = match (step.measure.as_str(), step.last_contact_ms, step.offline_hours) {
        (LEASE, Some(contact), Some(hours)) => Stop::Lease { contact_at: Timestamp::from_ms(contact), hours },
        (SWITCHED_OFF, _, _) => Stop::SwitchedOff { at: Timestamp::from_ms(step.stops_at_ms) },
        (FROZEN, None, None) if wider => {
            let op = OpId::parse(step.op.as_deref()?)?;
            Stop::Frozen { op, sequence: step.sequence?, at: Timestamp::from_ms(step.stops_at_ms) }
        }
        (REFUSED, Some(contact), None) if wider => Stop::Refused { contact_at: Timestamp::from_ms(contact) },
        _ => return None,
    };
    (stop.stops_at().map_or(NOT_STOPPED, Timestamp::ms) == step.stops_at_ms).then_some(stop)
}

/// SHA-256 of the request that asks a gate to erase a template, as `docs/gate-protocol.md` writes it. Computed here anew, so that a receipt
/// counts for this template and no other.
pub fn erase_digest(op: OpId, sequence: u64, template: TemplateId) -> [u8; 32] {
    apply_digest(op, sequence, ERASE, template)
}

/// The same of the request that tells a gate to match a template no more.
pub fn freeze_digest(op: OpId, sequence: u64, template: TemplateId) -> [u8; 32] {
    apply_digest(op, sequence, FREEZE, template)
}

fn apply_digest(op: OpId, sequence: u64, what: u8, template: TemplateId) -> [u8; 32] {
    let mut body = vec![];
    let mut out = Encoder::new(&mut body);
    // Writing into memory cannot fail; a digest of fewer bytes would fit no receipt.
    let _ = out.array(2).and_then(|out| out.u8(3)).and_then(|out| out.array(1)).and_then(|out| {
        out.array(3)?.bytes(op.bytes())?.u64(sequence)?.array(2)?.u8(what)?.array(1)?.bytes(template.bytes())
    });
    Sha256::digest(&body).into()
}

/// Numbers of the operations in a request.
const ERASE: u8 = 0;
const FREEZE: u8 = 1;
/// The outcomes in a receipt.
const FACE_ERASED: u8 = 1;
const FACE_FROZEN: u8 = 2;
