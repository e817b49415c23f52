//! Everything that the desk holds about one person, for that person: one value that becomes the paper and the electronic copy. Rules: P45a,
//! P45b, P24.
//!
//! Each column that hangs on a resident is in here or on [`NOT_IN_IT`] with a reason; a test walks the schema, so that a new column fails
//! until somebody has decided. Deliberately absent: anything made from a picture (the desk has none), and any other person beyond a relation and a masked name.

use serde::Serialize;

use super::changes::{Change, Death, Restriction};
use super::held_parties::{Answered, Form, GuardianSeen, News, PartyOf, ReadHow, StoppedByChange};
use super::requests::RequestFull;

/// Everything held about one person. Personal throughout; not kept, made anew for each look.
#[derive(Clone, PartialEq, Serialize)]
pub struct Dossier {
    /// When it was put together (China time).
    pub taken_at: String,
    /// Who the person is at this desk.
    pub person: Registered,
    /// Every card, the newest last.
    pub cards: Vec<Card>,
    /// Every notice that was opened.
    pub notices: Vec<Showing>,
    /// The exact texts that were shown, byte for byte; in the electronic copy, with their check codes on the paper.
    pub texts: Vec<ShownText>,
    /// Guardians, each check in person; names masked, since they are other persons.
    pub guardians: Vec<GuardianSeen>,
    /// What a child or ward answered.
    pub answers: Vec<Answered>,
    /// Forms signed on paper.
    pub forms: Vec<Form>,
    /// News of a changed notice.
    pub news: Vec<News>,
    /// Gates at which the face stopped with a changed notice.
    pub stopped_by_change: Vec<StoppedByChange>,
    /// Every refusal.
    pub refusals: Vec<Refusal>,
    /// Every consent.
    pub consents: Vec<Consent>,
    /// Every message to a gate.
    pub messages: Vec<Message>,
    /// Every change of the record.
    pub changes: Vec<Change>,
    /// Every request.
    pub requests: Vec<RequestFull>,
    /// Refusals of any processing of a face.
    pub restrictions: Vec<Restriction>,
    /// What was noted of a death.
    pub death: Option<Death>,
    /// Every record of the log that speaks of the person: who looked, when and why, and what was done.
    pub log: Vec<Entry>,
}

/// The resident's row.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// Random number of the record.
    pub id: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// `under-14`, `14-to-17`, `adult`.
    pub age_band: String,
    /// Day of the next age band.
    pub next_band_on: Option<String>,
    /// An adult under guardianship since.
    pub ward_since: Option<String>,
    /// Last day.
    pub ends_on: String,
    /// When the row was last written.
    pub recorded_at: String,
    /// When the key that seals the person's columns was made.
    pub key_made_at: String,
    /// How many keyed search marks of the surname there are.
    pub search_marks: u32,
}

/// A card.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Random number of the issue.
    pub id: String,
    /// The card's number, in hex.
    pub number: String,
    /// Gates in the order as ticked.
    pub gates: Vec<String>,
    /// Last day.
    pub ends_on: String,
    /// Issued.
    pub issued_at: String,
    /// Ended.
    pub ended_at: Option<String>,
}

/// A notice that was opened.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Showing {
    /// Random number of the showing.
    pub id: String,
    /// Number of the notice.
    pub notice_id: String,
    /// Version.
    pub notice_version: String,
    /// Language.
    pub language: String,
    /// SHA-256 of the exact text.
    pub text_sha256: String,
    /// Opened.
    pub opened_at: String,
    /// Its end was on screen.
    pub reached_end_at: Option<String>,
    /// How it was read.
    pub read: Option<ReadHow>,
    /// From what it was made, as hashed into the log (JSON).
    pub record: Option<String>,
}

/// A text that was shown.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ShownText {
    /// SHA-256 of the text.
    pub sha256: String,
    /// The text, byte for byte.
    pub body: String,
}

/// A refusal.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Number.
    pub number: i64,
    /// Which showing was refused.
    pub showing: String,
    /// When.
    pub refused_at: String,
    /// Lifted by the person's own card.
    pub lifted_at: Option<String>,
}

/// A consent with what happened under it.
#[derive(Clone, PartialEq, Serialize)]
pub struct Consent {
    /// Number of the record.
    pub id: String,
    /// The random number that gates know; empty on the staff window.
    pub random_number: String,
    /// Number of the notice.
    pub notice_id: String,
    /// Version.
    pub notice_version: String,
    /// Language.
    pub language: String,
    /// SHA-256 of the exact text.
    pub text_sha256: String,
    /// The exact sentence.
    pub sentence: String,
    /// `typed`, `drawn` or `paper`.
    pub signed_how: String,
    /// The typed name, when it was typed; masked when a guardian typed it.
    pub signed_name: Option<String>,
    /// The strokes in thousandths of the field, when the person drew it; those of a guardian are the guardian's.
    pub signed_strokes: Vec<Vec<(u16, u16)>>,
    /// Who else stands behind it.
    pub party: Option<PartyOf>,
    /// Gates in the order of the sentence.
    pub gates: Vec<String>,
    /// Last day.
    pub ends_on: String,
    /// Signed.
    pub signed_at: String,
    /// The signed record (COSE_Sign1), in hex; `menka-verify` reads it.
    pub signed_record_hex: String,
    /// Its SHA-256.
    pub signed_record_sha256: String,
    /// Ended.
    pub ended_at: Option<String>,
    /// Why.
    pub end_reason: Option<String>,
    /// When the camera was open.
    pub captures: Vec<Capture>,
    /// Which gates hold, or held, the template.
    pub held: Vec<Held>,
    /// Signed statements of its deletion certificates (COSE_Sign1), in hex.
    pub certificates_hex: Vec<String>,
}

/// When the camera was open.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Capture {
    /// Number.
    pub number: i64,
    /// From.
    pub begun_at: String,
    /// To.
    pub over_at: Option<String>,
    /// Found to be lost after a crash.
    pub lost_at: Option<String>,
}

/// What a gate signed that it holds.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Gate.
    pub gate: String,
    /// Since.
    pub since: String,
    /// Recognised at the try.
    pub recognised_at: Option<String>,
    /// Erased.
    pub erased_at: Option<String>,
    /// The gate's own check digest.
    pub digest: String,
    /// The gate's signed receipt, in hex.
    pub receipt_hex: String,
    /// Its SHA-256.
    pub receipt_sha256: String,
}

/// A message to a gate.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Place in the queue over the life of the site.
    pub sequence: i64,
    /// Random number of the operation.
    pub op: String,
    /// Gate.
    pub gate: String,
    /// `erase`, `freeze`, `remove-card`, `put-card`.
    pub kind: String,
    /// About this consent.
    pub consent: Option<String>,
    /// About this issue of a card.
    pub card: Option<String>,
    /// `pending`, `delivered`, `wedged`, `superseded`.
    pub state: String,
    /// Tries.
    pub attempts: i64,
    /// Written.
    pub queued_at: String,
    /// Settled.
    pub settled_at: Option<String>,
    /// The gate's reason code.
    pub reason: Option<String>,
    /// The gate's signed receipt, in hex.
    pub receipt_hex: Option<String>,
    /// Its SHA-256.
    pub receipt_sha256: Option<String>,
}

/// A record of the log.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Position.
    pub n: u64,
    /// When.
    pub at: String,
    /// `self`, `program`, or the shown name of an account or gate.
    pub who: String,
    /// What happened.
    pub what: String,
    /// What it says more: why, or the reason.
    pub why: Option<String>,
    /// SHA-256 of the document that it speaks of.
    pub digest: Option<String>,
}

impl Dossier {
    /// Takes out what gates know the person by, and the signed records that hold it: for the staff window, where it would stand beside the
    /// name.
    pub(super) fn leave_numbers_out(&mut self) {
        for consent in &mut self.consents {
            consent.random_number.clear();
            consent.signed_record_hex.clear();
            consent.certificates_hex.clear();
            consent.held.iter_mut().for_each(|held| held.receipt_hex.clear());
        }
        self.messages.iter_mut().for_each(|message| message.receipt_hex = None);
    }
}

impl std::fmt::Debug for Dossier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dossier({} log records, [REDACTED])", self.log.len())
    }
}

/// Why a column that hangs on a resident is not in the paper or the copy. Each reason is printed on the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotInIt {
    /// A keyed hash of a value that is in it; nobody can read it back.
    SearchMark,
    /// A secret that protects everything else.
    Key,
    /// An order or a time of the next try; says nothing about the person.
    Mechanics,
    /// Said already: the row stands under that person, card or consent, or the log above tells it.
    Said,
    /// Another person's: on that person's own sheet.
    OtherPerson,
}

/// The named exceptions: table, column, reason.
pub const NOT_IN_IT: &[(&str, &str, NotInIt)] = &[
    ("residents", "unit_hash", NotInIt::SearchMark),
    ("resident_surnames", "resident", NotInIt::Said),
    ("resident_surnames", "surname_hash", NotInIt::SearchMark),
    ("cards", "resident", NotInIt::Said),
    ("cards", "number_hash", NotInIt::SearchMark),
    ("card_gates", "card", NotInIt::Said),
    ("card_gates", "place", NotInIt::Mechanics),
    ("showings", "resident", NotInIt::Said),
    ("refusals", "resident", NotInIt::Said),
    ("consents", "resident", NotInIt::Said),
    ("consent_gates", "consent", NotInIt::Said),
    ("consent_gates", "place", NotInIt::Mechanics),
    ("consent_gates", "taken_over_by", NotInIt::Said),
    ("fills", "consent", NotInIt::Said),
    ("fills", "gate", NotInIt::Said),
    ("fills", "state", NotInIt::Mechanics),
    ("fills", "op", NotInIt::Mechanics),
    ("fills", "request_digest", NotInIt::Mechanics),
    ("fills", "attempts", NotInIt::Mechanics),
    ("fills", "not_before", NotInIt::Mechanics),
    ("fills", "reason", NotInIt::Mechanics),
    ("captures", "consent", NotInIt::Said),
    ("captures", "lost_told", NotInIt::Mechanics),
    ("held", "consent", NotInIt::Said),
    ("residents", "closed_at", NotInIt::Said),
    ("residents", "close_reason", NotInIt::Said),
    ("residents", "identity_ended_at", NotInIt::Said),
    ("residents", "evidence_ended_at", NotInIt::Said),
    ("pauses", "number", NotInIt::Mechanics),
    ("pauses", "consent", NotInIt::Said),
    ("pauses", "paused_at", NotInIt::Said),
    ("pauses", "resumed_at", NotInIt::Said),
    ("dropped_doors", "consent", NotInIt::Said),
    ("dropped_doors", "gate", NotInIt::Said),
    ("dropped_doors", "dropped_at", NotInIt::Said),
    ("dropped_doors", "reason", NotInIt::Said),
    ("dropped_doors", "log_n", NotInIt::Mechanics),
    ("endings", "consent", NotInIt::Said),
    ("endings", "log_n", NotInIt::Mechanics),
    ("certificates", "number", NotInIt::Mechanics),
    ("certificates", "id", NotInIt::Said),
    ("certificates", "consent", NotInIt::Said),
    ("certificates", "gate", NotInIt::Said),
    ("certificates", "supplement_of", NotInIt::Said),
    ("certificates", "complete", NotInIt::Said),
    ("certificates", "issued_at", NotInIt::Said),
    ("certificates", "handed_at", NotInIt::Mechanics),
    ("certificates", "says", NotInIt::Mechanics),
    ("outbox", "link", NotInIt::Mechanics),
    ("outbox", "read_back_at", NotInIt::Mechanics),
    ("outbox", "rank", NotInIt::Mechanics),
    ("outbox", "not_before", NotInIt::Mechanics),
    ("requests", "resident", NotInIt::Said),
    ("changes", "n", NotInIt::Mechanics),
    ("changes", "resident", NotInIt::Said),
    ("restrictions", "n", NotInIt::Mechanics),
    ("restrictions", "resident", NotInIt::Said),
    ("deceased", "resident", NotInIt::Said),
    ("consent_parties", "consent", NotInIt::Said),
    ("consent_parties", "view", NotInIt::Said),
    ("guardians", "resident", NotInIt::Said),
    ("log_details", "resident", NotInIt::Said),
    ("log_details", "sealed", NotInIt::Said),
    ("paper_forms", "resident", NotInIt::Said),
    ("showing_reading", "showing", NotInIt::Said),
    ("showing_records", "showing", NotInIt::Said),
    ("views", "resident", NotInIt::Said),
    ("wards", "resident", NotInIt::Said),
    // The log above tells that an incident concerned the person, and when and how they were told.
    ("incident_people", "incident", NotInIt::Mechanics),
    ("incident_people", "resident", NotInIt::Said),
    ("incident_people", "enrolled", NotInIt::Said),
    ("incident_people", "told_at", NotInIt::Said),
    ("incident_people", "told_how", NotInIt::Said),
    ("log_details", "n", NotInIt::Mechanics),
    // The name is in it, masked.
    ("guardians", "phone", NotInIt::OtherPerson),
    ("consent_parties", "signature", NotInIt::OtherPerson),
    ("person_keys", "resident", NotInIt::Said),
    ("person_keys", "sealing_key", NotInIt::Key),
    ("person_keys", "identity_key", NotInIt::Key),
    ("person_keys", "place", NotInIt::Key),
];
