//! The messages. CBOR with numbered fields (minicbor), each in a frame of 4 bytes length (big endian) + body, at most [`FRAME_MAX`].
//!
//! A gate learns ids, templates, card numbers and last days. Never a name, a unit or an age.

mod holdings;
mod refusal;
mod signed;

use minicbor::{Decode, Encode};

use super::batch::{Step, StepReply};
use super::held::{AskDigests, AskEntries, AskHeld};
use super::relay::{PassOn, Passed, PutPassed};
use super::reseal::{Reseal, Resealed};

pub use holdings::{CardDigest, HeldFace, Holdings};
pub use refusal::Refusal;
pub use signed::{Outcome, Receipt};

/// Version of this protocol. A gate answers another version with [`Refusal::Version`].
pub const PROTOCOL: u16 = 1;

/// Revision within the version: sides of different revisions talk, and what one of them does not know it refuses as malformed.
pub const REVISION: u16 = 7;

/// Largest accepted frame body, in bytes.
pub const FRAME_MAX: usize = 256 * 1024;

/// Largest accepted body of a reply, in bytes. A gate that holds more than fits is compared part by part ([`Request::Digests`]).
pub const REPLY_MAX: usize = 4 * 1024 * 1024;

/// Most templates of one gate.
pub const FACES_MAX: u64 = 120_000;

/// Most cards of one gate.
pub const CARDS_MAX: u64 = 150_000;

/// Who a gate or a station is; exchanged at pairing and checked on each connection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// [`PROTOCOL`].
    #[n(0)]
    pub protocol: u16,
    /// `real` or `practice`.
    #[n(1)]
    pub realm: String,
    /// The gate's id (16 bytes), or the station's site id.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub id: [u8; 16],
    /// X25519 public key for sealing (gate: recipient; station: authenticated sender).
    #[cbor(n(3), with = "minicbor::bytes")]
    pub seal_key: [u8; 32],
    /// Ed25519 public key of receipts.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sign_key: [u8; 32],
    /// Program version, e.g. `menka-gate 0.1.0`.
    #[n(5)]
    pub version: String,
    /// Whether this gate matches faces.
    #[n(6)]
    pub takes_faces: bool,
    /// [`REVISION`]; absent before revision 3.
    #[n(7)]
    pub revision: Option<u16>,
}

/// A question to a gate.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Request {
    /// Who are you?
    #[n(0)]
    Hello(#[n(0)] Hello),
    /// Are you well?
    #[n(1)]
    Health,
    /// Take a sealed template.
    #[n(2)]
    PutFace(#[n(0)] PutFace),
    /// Do an operation of the outbox.
    #[n(3)]
    Apply(#[n(0)] Apply),
    /// What do you hold under this random number?
    #[n(4)]
    ReadBack(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
    /// Everything you hold, as ids and digests.
    #[n(5)]
    List,
    /// Try to recognise a sealed probe.
    #[n(6)]
    Probe(#[n(0)] Probe),
    /// Would this card open the door now? Nothing opens.
    #[n(7)]
    TestCard(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// Seal a template that you hold to this key. Since revision 3.
    #[n(8)]
    Reseal(#[n(0)] Reseal),
    /// As [`Request::Probe`], compared with one held template only: also where too many are held for looking one up. Since revision 4.
    #[n(40)]
    ProbeOne(#[n(0)] ProbeOne),
    /// From now on this card stands for that template, where a card must come first. Since revision 4.
    #[n(41)]
    BindCard(#[n(0)] BindCard),
    /// Which head of the log with this name do you keep?
    #[n(20)]
    HeadOf(#[n(0)] String),
    /// Keep this head, if it continues the one that you keep.
    #[n(21)]
    KeepHead(#[n(0)] KeepHead),
    /// Do these in their order, with one durable write. At most [`super::batch::BATCH_MAX`]. Since revision 3.
    #[n(30)]
    Batch(#[n(0)] Vec<Step>),
    /// As [`Request::Batch`], and more orders follow that you were not told yet. This is no contact: a gate that matched nobody until its
    /// station is heard goes on so, or it would match those whom the next batch is about. Since revision 7.
    #[n(37)]
    Orders(#[n(0)] Vec<Step>),
    /// Digests over parts of what you hold. Since revision 3.
    #[n(31)]
    Digests(#[n(0)] AskDigests),
    /// Everything that you hold in some parts. Since revision 3.
    #[n(32)]
    Entries(#[n(0)] AskEntries),
    /// What do you hold under these keys? Since revision 3.
    #[n(33)]
    Find(#[n(0)] AskHeld),
    /// Seal templates that you hold to another gate of the same consent. Since revision 3.
    #[n(34)]
    PassOn(#[n(0)] PassOn),
    /// Take a template that another gate has sealed to you. Since revision 3.
    #[n(35)]
    PutPassed(#[n(0)] PutPassed),
    /// The receipt of an operation that you did, if you did it. Since revision 3.
    #[n(36)]
    ReceiptOf(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
    /// Shall we pair? Heard from anybody, while a code is shown at the gate. Since revision 3.
    #[n(22)]
    PairBegin(#[n(0)] PairShare),
    /// The station knows the code too. Since revision 3.
    #[n(23)]
    PairConfirm(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// Keep this note about erasures, if its number is higher than that of the one that you keep.
    #[n(42)]
    KeepEpoch(#[n(0)] KeepEpoch),
    /// Which note about erasures do you keep for the log with this name?
    #[n(43)]
    EpochOf(#[n(0)] String),
}

/// One side's part of a pairing (`wire::pairing`).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PairShare {
    /// SPAKE2 message: 33 bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub share: Vec<u8>,
    /// Who says it, with the keys that will be pinned.
    #[n(1)]
    pub hello: Hello,
}

/// Longest sealed note about erasures, in bytes. With its name it fits into a frame.
pub const EPOCH_MAX: usize = 224 * 1024;
/// Longest name of a log, in bytes.
pub const ORIGIN_MAX: usize = 128;

/// What the station opens its backups with, sealed by the station for itself: random numbers and keys, cut smaller at every erasure. The gate
/// cannot read it, and overwrites the one before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeepEpoch {
    /// Name of the station's log.
    #[n(0)]
    pub origin: String,
    /// Grows with every erasure.
    #[n(1)]
    pub number: u64,
    /// Sealed bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// A kept note about erasures.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeptEpoch {
    /// Its number.
    #[n(0)]
    pub number: u64,
    /// As it was given; left out in the answer to [`Request::KeepEpoch`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Longest note of a head, in bytes.
pub const NOTE_MAX: usize = 4096;

/// A signed head of the station's evidence log, to be kept by a gate. The gate keeps the first key it is told for a log,
/// and lets a head take the place of another only when it continues it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeepHead {
    /// C2SP signed note, signed by `key`.
    #[n(0)]
    pub note: String,
    /// Ed25519 public key of the log.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: [u8; 32],
    /// RFC 6962 consistency proof from the head that the gate keeps: 32 bytes a hash; empty when it keeps none.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub proof: Vec<u8>,
}

/// Header and sealed template. Every header field is authenticated by the seal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PutFace {
    /// Idempotency key.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub op: [u8; 16],
    /// The gate it is for.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub gate: [u8; 16],
    /// The random number.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub template: [u8; 16],
    /// Which model made it.
    #[n(3)]
    pub engine: String,
    /// Last day, in days since 1970-01-01 (China time).
    #[n(4)]
    pub ends_on: i64,
    /// HPKE: encapsulated key, then ciphertext and tag.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// A sealed probe: opened, compared, wiped. Never stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Probe {
    /// Number used once.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub op: [u8; 16],
    /// The gate it is for.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub gate: [u8; 16],
    /// Which model made it.
    #[n(2)]
    pub engine: String,
    /// When the station sent it, in milliseconds since 1970; older than 30 s is refused.
    #[n(3)]
    pub sent_at: i64,
    /// HPKE: encapsulated key, then ciphertext and tag.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// A probe and the one template that it is compared with. Since revision 4.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProbeOne {
    /// The probe.
    #[n(0)]
    pub probe: Probe,
    /// The random number of the template.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub template: [u8; 16],
}

/// Which card stands for a template. Since revision 4.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BindCard {
    /// The random number of the template.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub template: [u8; 16],
    /// The card's number.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub card: Vec<u8>,
}

/// An operation of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Apply {
    /// Idempotency key: a gate answers a known one with the same receipt.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub op: [u8; 16],
    /// Order of queueing at the station.
    #[n(1)]
    pub sequence: u64,
    /// What to do.
    #[n(2)]
    pub what: What,
}

/// What an [`Apply`] asks for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum What {
    /// Erase a template; one that is not there counts as erased.
    #[n(0)]
    EraseFace(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
    /// Stop matching a template.
    #[n(1)]
    FreezeFace(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
    /// Let a card in until the end of a day (days since 1970-01-01, China time).
    #[n(2)]
    PutCard(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>, #[n(1)] i64),
    /// Let a card in no more.
    #[n(3)]
    RemoveCard(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// Match a frozen template again: the person asked for it. One that is not held stays absent. Since revision 2.
    #[n(4)]
    ThawFace(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
    /// Match no face at all until [`What::ResumeFaces`]; cards go on (rule P51-5). Since revision 2.
    #[n(5)]
    StopFaces,
    /// Match faces again: a deliberate act. Since revision 2.
    #[n(6)]
    ResumeFaces,
    /// Let a card in no more that is known by the SHA-256 of its number only. Since revision 3.
    #[n(10)]
    RemoveCardBy(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// It is this instant now, in milliseconds since 1970. Never before an instant that the gate has seen. Since revision 5.
    #[n(11)]
    SetClock(#[n(0)] i64),
    /// Sign what you hold: the receipt's digest is that of [`Health::digest`]. Changes nothing. Since revision 6.
    #[n(12)]
    AttestHeld,
    /// Keep all templates under a new transform; a copy from before then opens nothing (rule S40660b). Since revision 3.
    #[n(7)]
    RenewFaces,
    /// Erase everything and everybody, then hear this station no more, except to repeat this receipt. Since revision 3.
    #[n(20)]
    Unpair,
}

/// A gate's answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Reply {
    /// To [`Request::Hello`].
    #[n(0)]
    Hello(#[n(0)] Hello),
    /// To [`Request::Health`].
    #[n(1)]
    Health(#[n(0)] Health),
    /// To [`Request::PutFace`] and [`Request::Apply`]: durable, read back, signed.
    #[n(2)]
    Done(#[n(0)] Receipt),
    /// To [`Request::ReadBack`]: the digest, if held and matching.
    #[n(3)]
    Held(#[n(0)] Option<HeldFace>),
    /// To [`Request::List`].
    #[n(4)]
    List(#[n(0)] Holdings),
    /// To [`Request::Probe`].
    #[n(5)]
    Probed(#[n(0)] Probed),
    /// To [`Request::TestCard`].
    #[n(6)]
    CardTested(#[n(0)] bool),
    /// Anything a gate will not do.
    #[n(7)]
    Refused(#[n(0)] Refusal),
    /// To [`Request::Reseal`]. Since revision 3.
    #[n(8)]
    Resealed(#[n(0)] Resealed),
    /// To [`Request::BindCard`]: whether that template is held. Since revision 4.
    #[n(41)]
    Bound(#[n(0)] bool),
    /// To [`Request::HeadOf`] and [`Request::KeepHead`]: the head that the gate keeps now, with its cosignature (C2SP
    /// tlog-cosignature); nothing when it keeps none.
    #[n(20)]
    Head(#[n(0)] Option<String>),
    /// To [`Request::Batch`] and [`Request::Orders`]: one a step, in their order.
    #[n(30)]
    Batch(#[n(0)] Vec<StepReply>),
    /// To [`Request::Digests`]: [`super::held::PART_DIGEST`] bytes a part.
    #[n(31)]
    Digests(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// To [`Request::Entries`] and [`Request::Find`].
    #[n(32)]
    Entries(#[n(0)] Holdings),
    /// To [`Request::PassOn`]: one a template, in their order.
    #[n(34)]
    PassedOn(#[n(0)] Vec<Passed>),
    /// To [`Request::ReceiptOf`].
    #[n(36)]
    ReceiptOf(#[n(0)] Option<Receipt>),
    /// To [`Request::PairBegin`]. Since revision 3.
    #[n(21)]
    PairShare(#[n(0)] PairShare),
    /// To [`Request::PairConfirm`]: the gate knows the code too, and has pinned this station. Since revision 3.
    #[n(22)]
    Paired(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// To [`Request::EpochOf`] and [`Request::KeepEpoch`]: the note that the gate keeps now; nothing when it keeps none.
    #[n(40)]
    Epoch(#[n(0)] Option<KeptEpoch>),
}

/// State of a gate, without people.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Health {
    /// Its clock, milliseconds since 1970.
    #[n(0)]
    pub clock: i64,
    /// Templates held.
    #[n(1)]
    pub faces: u64,
    /// Cards held.
    #[n(2)]
    pub cards: u64,
    /// Program version.
    #[n(3)]
    pub version: String,
    /// SHA-256 over everything held, in a fixed order.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Why it matches no faces just now, if so. Cards go on.
    #[n(5)]
    pub faces_off: Option<FacesOff>,
    /// Hours without contact after which it stops matching faces; absent before revision 2.
    #[n(6)]
    pub offline_hours: Option<u32>,
    /// Days that it keeps opening records; absent before revision 5.
    #[n(7)]
    pub passlog_days: Option<u32>,
    /// Most people among whom it looks one face up; more, and a card comes first. Absent before revision 5.
    #[n(8)]
    pub people_max: Option<u64>,
    /// Its site's limit behind that: of a million strangers who look in, how many may be taken for somebody. Absent before revision 5.
    #[n(9)]
    pub strangers_in_ppm: Option<u32>,
    /// What it adds to its system's clock since a station set it ([`What::SetClock`]), in milliseconds; absent where nothing is added, and before
    /// revision 5.
    #[n(12)]
    pub clock_offset_ms: Option<i64>,
}

/// Why a gate matches no faces. Cards always go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum FacesOff {
    /// It is a card-only gate.
    #[n(0)]
    CardsOnly,
    /// No authenticated contact for longer than the site allows.
    #[n(1)]
    NoContact,
    /// Its clock stands before an instant that it has already seen: nothing can be said of last days.
    #[n(2)]
    ClockBack,
    /// The station stopped them ([`What::StopFaces`]).
    #[n(3)]
    Stopped,
    /// So many templates are held that looking one face up among all would let in more strangers than the site allows: a card comes first,
    /// and the face is compared with that card's template only. Since revision 4.
    #[n(10)]
    CardFirst,
}

/// The answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Probed {
    /// Which probe.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub op: [u8; 16],
    /// The random number that matched.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub template: Option<[u8; 16]>,
    /// Thousandths of the cosine similarity of the best candidate (0 when the gate holds none).
    #[n(2)]
    pub similarity: i16,
    /// Thousandths of the threshold in force.
    #[n(3)]
    pub threshold: i16,
}
