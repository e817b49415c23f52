//! One record of the evidence log: compact JSON. Ids and labels only (rules CS1, F14, P55, P69).
//!
//! Version 2, which is written: what names a person is not in the record but in an [`Opening`] beside it, sealed under
//! that person's key; the record holds a salted commitment to it. Once the key is erased at its term (rules CC10, LSZ4)
//! nobody can link the record to anybody, and the tree over the records still verifies. Version 1, with every id in the
//! open, is still read.

use serde::{Deserialize, Serialize};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::time::Timestamp;

use super::opening::{Detail, Opening};
use super::{EvidenceError, hex};

/// Version of the encoding that is written.
pub const VERSION: u8 = 2;
/// Versions that are read.
const VERSIONS_READ: [u8; 2] = [1, VERSION];

/// A record as it is hashed into the tree. The field order is the byte order: do not move fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRecord {
    /// Version of the encoding, 1 or [`VERSION`].
    pub v: u8,
    /// Position in the log, from 0.
    pub n: u64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// `station`, or `staff:…`, `gate:…`, `guardian:…` with an id; `resident`, whose id is in the opening (version 1: `resident:…`).
    pub who: String,
    /// What happened, e.g. `consented`.
    pub what: String,
    /// The ids it is about that name no person (gates, staff), in the order of [`AuditEvent`]; version 1: all.
    pub ids: Vec<String>,
    /// A word that says more, e.g. a reason; never free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// SHA-256 of the document that this record speaks of (a signed consent, a gate's receipt), in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Commitment to the [`Opening`] of a record that concerns a person, in hex; never in version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
}

/// A record to be written, before it is known which of its ids are public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What happened.
    pub what: &'static str,
    /// Every id, in the order of [`AuditEvent`].
    pub ids: Vec<String>,
    /// A word that says more.
    pub label: Option<String>,
    /// SHA-256 of the document that it speaks of.
    pub digest: Option<[u8; 32]>,
    /// Who did it.
    pub who: Actor,
}

impl Draft {
    /// Puts an event into words.
    pub fn new(who: Actor, event: &AuditEvent, more: Option<&str>, digest: Option<[u8; 32]>) -> Self {
        let (what, ids, label) = words(event);
        Self { what, ids, label: label.or(more).map(str::to_owned), digest, who }
    }

    /// The record at position `n`, and what opens it.
    ///
    /// `is_public` says of an id that it names no person. A record without any other id, and that no resident made, has
    /// no opening. The salt must be random and used once.
    pub fn seal(
        self,
        n: u64,
        at: Timestamp,
        salt: [u8; 32],
        is_public: impl Fn(&str) -> bool,
    ) -> (LogRecord, Option<Opening>) {
        let open: Vec<String> = self.ids.iter().filter(|id| is_public(id)).cloned().collect();
        let personal = open.len() < self.ids.len() || matches!(self.who, Actor::Resident(_));
        let digest = self.digest.map(|d| hex(&d));
        let record = |who, ids, digest, on| LogRecord {
            v: VERSION,
            n,
            at: at.ms(),
            who,
            what: self.what.to_owned(),
            ids,
            label: self.label.clone(),
            digest,
            on,
        };
        if !personal {
            return (record(who_text(self.who), open, digest, None), None);
        }
        let detail = Detail { who: who_text(self.who), ids: self.ids, digest };
        let opening = Opening::new(salt, &detail);
        let who = if matches!(self.who, Actor::Resident(_)) { "resident".into() } else { who_text(self.who) };
        (record(who, open, None, Some(hex(&opening.commitment()))), Some(opening))
    }
}

impl LogRecord {
    /// The record as its keeper reads it: who, ids and digest from the opening put in.
    ///
    /// # Errors
    /// [`EvidenceError::Commitment`] when the opening is not this record's.
    pub fn opened(mut self, opening: &Opening) -> Result<Self, EvidenceError> {
        if self.on.as_deref() != Some(hex(&opening.commitment()).as_str()) {
            return Err(EvidenceError::Commitment);
        }
        let detail = opening.detail()?;
        (self.who, self.ids, self.digest) = (detail.who, detail.ids, detail.digest);
        Ok(self)
    }

    /// The bytes that are stored and hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and options only: serialising them cannot fail; an empty record would be named by the audit.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// [`EvidenceError::Malformed`], also for another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let record: Self = serde_json::from_slice(bytes).map_err(|_| EvidenceError::Malformed)?;
        let known = VERSIONS_READ.contains(&record.v) && (record.v > 1 || record.on.is_none());
        if known { Ok(record) } else { Err(EvidenceError::Malformed) }
    }
}

fn who_text(who: Actor) -> String {
    match who {
        Actor::Staff(id) => format!("staff:{id}"),
        Actor::Resident(id) => format!("resident:{id}"),
        Actor::Gate(id) => format!("gate:{id}"),
        Actor::Station => "station".into(),
        Actor::Guardian(id) => format!("guardian:{id}"),
    }
}

/// The event's word, ids and label. Words are part of the format: never reuse one for something else.
fn words(event: &AuditEvent) -> (&'static str, Vec<String>, Option<&'static str>) {
    use AuditEvent as E;
    let one = |id: &dyn ToString| vec![id.to_string()];
    let two = |a: &dyn ToString, b: &dyn ToString| vec![a.to_string(), b.to_string()];
    match event {
        E::VaultCreated => ("vault-created", vec![], None),
        E::Unlocked => ("unlocked", vec![], None),
        E::UnlockRefused => ("unlock-refused", vec![], None),
        E::Locked => ("locked", vec![], None),
        E::SiteFactsRecorded => ("site-facts-recorded", vec![], None),
        E::GatePaired(gate) => ("gate-paired", one(gate), None),
        E::GateKeyChanged(gate) => ("gate-key-changed", one(gate), None),
        E::ResidentOpened(resident) => ("resident-opened", one(resident), None),
        E::ResidentRecorded(resident) => ("resident-recorded", one(resident), None),
        E::CardIssued(resident) => ("card-issued", one(resident), None),
        E::CardEnded(resident) => ("card-ended", one(resident), None),
        E::CardWayTested(gate) => ("card-way-tested", one(gate), None),
        E::FaceAsked(resident) => ("face-asked", one(resident), None),
        E::NoticeOpened(showing) => ("notice-opened", one(showing), None),
        E::NoticeReachedEnd(showing) => ("notice-reached-end", one(showing), None),
        E::Refused(resident) => ("refused", one(resident), None),
        E::Consented(consent) => ("consented", one(consent), None),
        E::CameraOpened(consent) => ("camera-opened", one(consent), None),
        E::PresenceShown(consent) => ("presence-shown", one(consent), None),
        E::CameraClosed(consent) => ("camera-closed", one(consent), None),
        E::FaceHeld(template, gate) => ("face-held", two(template, gate), None),
        E::Recognised(template, gate) => ("recognised", two(template, gate), None),
        E::Stopped(consent) => ("stopped", one(consent), None),
        E::ConsentEnded(consent, reason) => ("consent-ended", one(consent), Some(reason)),
        E::Delivered(op, gate) => ("delivered", two(op, gate), None),
        E::Wedged(op, gate) => ("wedged", two(op, gate), None),
        E::FaceErased(template, gate) => ("face-erased", two(template, gate), None),
        E::ReceiptIssued(consent) => ("receipt-issued", one(consent), None),
        E::FacePaused(consent) => ("face-paused", one(consent), None),
        E::FaceResumed(consent) => ("face-resumed", one(consent), None),
        E::DoorDropped(consent, gate) => ("door-dropped", two(consent, gate), None),
        E::FacesStopped(gate) => ("faces-stopped", one(gate), None),
        E::FacesResumed(gate) => ("faces-resumed", one(gate), None),
        E::RenewalBegun => ("renewal-begun", vec![], None),
        E::TemplatesRenewed(gate) => ("templates-renewed", one(gate), None),
        E::GateRetired(gate) => ("gate-retired", one(gate), None),
        E::GateUnpaired(gate) => ("gate-unpaired", one(gate), None),
        E::SwitchedOff(gate) => ("switched-off", one(gate), None),
        E::FaceDrift(template, gate, what) => ("face-drift", two(template, gate), Some(what)),
        E::RecordClosed(resident, reason) => ("record-closed", one(resident), Some(reason)),
        E::IdentityErased(resident) => ("identity-erased", one(resident), None),
        E::EvidenceErased(resident) => ("evidence-erased", one(resident), None),
        E::DateConfirmed => ("date-confirmed", vec![], None),
        E::Rights(event) => event.words(),
        E::Notice(event) => {
            let (what, ids) = event.words();
            (what, ids, None)
        }
        E::FaceSent(template, gate) => ("face-sent", two(template, gate), None),
        E::NumberJoined(resident, why) => ("number-joined", one(resident), Some(*why)),
        E::Searched => ("searched", vec![], None),
        E::GateRetried(gate) => ("gate-retried", one(gate), None),
        E::ShownAgain(showing) => ("shown-again", one(showing), None),
        E::ReplaySaved(showing) => ("replay-saved", one(showing), None),
        E::HeadTaken => ("head-taken", vec![], None),
        E::LogExported => ("log-exported", vec![], None),
        E::LogChecked(verdict) => ("log-checked", vec![], Some(verdict)),
        E::HeadConflict(gate, why) => ("head-conflict", one(gate), Some(why)),
        E::Account(event) => event.words(),
        E::Keep(event) => {
            let (ids, more) = event.about();
            (event.label(), ids, more)
        }
        E::GuardianChecked(resident, guardian) => ("guardian-checked", two(resident, guardian), None),
        E::GuardianErased(resident, guardian, what) => ("guardian-erased", two(resident, guardian), Some(what)),
        E::WardMarked(resident, mark) => ("ward-marked", one(resident), Some(mark)),
        E::ViewHeard(view, answer) => ("view-heard", one(view), Some(answer)),
        E::AgeBandPassed(resident) => ("age-band-passed", one(resident), None),
        E::FormMade(form) => ("form-made", one(form), None),
        E::FormSeen(form) => ("form-seen", one(form), None),
        E::GateReplaced(old, new) => ("gate-replaced", two(old, new), None),
        E::ReplacementDone(old, new) => ("replacement-done", two(old, new), None),
        E::CardDrift(gate, what) => ("card-drift", one(gate), Some(what)),
        E::GateRepaired(gate) => ("gate-repaired", one(gate), None),
        E::GateClockSet(gate) => ("gate-repaired", one(gate), Some("clock-set")),
        E::BoardRecorded(board) => ("board-recorded", one(board), None),
        E::BoardDrift(board, label) => ("board-drift", one(board), Some(label)),
        E::BoardAct(board, label) => ("board-act", one(board), Some(label)),
        E::Duty(event) => event.words(),
        E::MachineFound(what) => ("machine-found", vec![], Some(what.label())),
        E::CameraAccepted => ("camera-accepted", vec![], None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ConsentId, StaffId};

    fn draft() -> Draft {
        let event = AuditEvent::ConsentEnded(ConsentId::from_bytes([2; 16]), "withdrawn");
        Draft::new(Actor::Staff(StaffId::from_bytes([1; 16])), &event, None, Some([0xAB; 32]))
    }

    const AT: Timestamp = Timestamp::from_ms(1_795_276_800_000);

    #[test]
    fn p69_a_record_names_no_person_and_its_bytes_are_fixed() -> Result<(), EvidenceError> {
        let (record, opening) = draft().seal(7, AT, [9; 32], |_| false);
        let text = String::from_utf8(record.to_bytes()).unwrap_or_default();
        assert_eq!(
            text,
            concat!(
                r#"{"v":2,"n":7,"at":1795276800000,"who":"staff:01010101-0101-0101-0101-010101010101","#,
                r#""what":"consent-ended","ids":[],"label":"withdrawn","#,
                r#""on":"99ffd821f1a5f8189e10eae72598593df525a56f392fb5453821dc1f2909cbea"}"#
            )
        );
        assert_eq!(LogRecord::from_bytes(text.as_bytes())?, record);
        let opening = opening.ok_or(EvidenceError::Malformed)?;
        let opened = record.clone().opened(&opening)?;
        assert_eq!(opened.ids, ["02020202-0202-0202-0202-020202020202"]);
        assert_eq!(opened.digest, Some("ab".repeat(32)));
        let (_, other) = draft().seal(7, AT, [8; 32], |_| false);
        assert_eq!(record.opened(&other.ok_or(EvidenceError::Malformed)?), Err(EvidenceError::Commitment));
        Ok(())
    }

    #[test]
    fn a_record_about_no_person_has_no_opening() {
        let event = AuditEvent::GatePaired(crate::domain::id::GateId::from_bytes([3; 16]));
        let (record, opening) = Draft::new(Actor::Station, &event, None, None).seal(0, AT, [9; 32], |_| true);
        assert_eq!((record.on, opening), (None, None));
        assert_eq!(record.ids, ["03030303-0303-0303-0303-030303030303"]);
    }

    #[test]
    fn a_resident_is_never_named_in_the_open() {
        let resident = crate::domain::id::ResidentId::from_bytes([5; 16]);
        let draft = Draft::new(Actor::Resident(resident), &AuditEvent::Searched, None, None);
        let (record, opening) = draft.seal(0, AT, [9; 32], |_| true);
        assert_eq!(record.who, "resident");
        assert!(opening.is_some());
    }

    #[test]
    fn version_1_is_still_read() -> Result<(), EvidenceError> {
        let text = concat!(
            r#"{"v":1,"n":7,"at":1795276800000,"who":"resident:05050505-0505-0505-0505-050505050505","#,
            r#""what":"consented","ids":["02020202-0202-0202-0202-020202020202"],"digest":"ab"}"#
        );
        let record = LogRecord::from_bytes(text.as_bytes())?;
        assert_eq!((record.v, record.ids.len()), (1, 1));
        assert_eq!(record.to_bytes(), text.as_bytes());
        Ok(())
    }

    #[test]
    fn another_version_or_an_unknown_field_is_refused() {
        for bad in [
            r#"{"v":3,"n":0,"at":0,"who":"station","what":"locked","ids":[]}"#,
            r#"{"v":1,"n":0,"at":0,"who":"station","what":"locked","ids":[],"on":"00"}"#,
            "{}",
            "",
            r#"{"v":1,"name":"x"}"#,
        ] {
            assert_eq!(LogRecord::from_bytes(bad.as_bytes()), Err(EvidenceError::Malformed), "{bad}");
        }
    }
}
