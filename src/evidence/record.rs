//! One record of the evidence log: compact JSON, version 1. Ids and labels only (rules CS1, F14, P55).

use serde::{Deserialize, Serialize};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::time::Timestamp;

use super::{EvidenceError, hex};

/// Version of the encoding.
pub const VERSION: u8 = 1;

/// A record as it is hashed into the tree. The field order is the byte order: do not move fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRecord {
    /// [`VERSION`].
    pub v: u8,
    /// Position in the log, from 0.
    pub n: u64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// `station`, or `staff:…`, `resident:…`, `gate:…` with an id.
    pub who: String,
    /// What happened, e.g. `consented`.
    pub what: String,
    /// The ids it is about, in the order of [`AuditEvent`].
    pub ids: Vec<String>,
    /// A word that says more, e.g. a reason; never free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// SHA-256 of the document that this record speaks of (a signed consent, a gate's receipt), in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl LogRecord {
    /// Puts an event into words.
    pub fn new(
        n: u64,
        at: Timestamp,
        who: Actor,
        event: &AuditEvent,
        more: Option<&str>,
        digest: Option<[u8; 32]>,
    ) -> Self {
        let (what, ids, label) = words(event);
        let label = label.or(more).map(str::to_owned);
        Self {
            v: VERSION,
            n,
            at: at.ms(),
            who: who_text(who),
            what: what.to_owned(),
            ids,
            label,
            digest: digest.map(|d| hex(&d)),
        }
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
        if record.v == VERSION { Ok(record) } else { Err(EvidenceError::Malformed) }
    }
}

fn who_text(who: Actor) -> String {
    match who {
        Actor::Staff(id) => format!("staff:{id}"),
        Actor::Resident(id) => format!("resident:{id}"),
        Actor::Gate(id) => format!("gate:{id}"),
        Actor::Station => "station".into(),
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
        E::GateRetired(gate) => ("gate-retired", one(gate), None),
        E::SwitchedOff(gate) => ("switched-off", one(gate), None),
        E::FaceDrift(template, gate, what) => ("face-drift", two(template, gate), Some(what)),
        E::RecordClosed(resident, reason) => ("record-closed", one(resident), Some(reason)),
        E::IdentityErased(resident) => ("identity-erased", one(resident), None),
        E::EvidenceErased(resident) => ("evidence-erased", one(resident), None),
        E::DateConfirmed => ("date-confirmed", vec![], None),
        E::Rights(event) => event.words(),
        E::ActRefused(command) => ("act-refused", vec![], Some(command)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ConsentId, StaffId};

    #[test]
    fn a_record_reads_back_and_its_bytes_are_fixed() {
        let event = AuditEvent::ConsentEnded(ConsentId::from_bytes([2; 16]), "withdrawn");
        let who = Actor::Staff(StaffId::from_bytes([1; 16]));
        let record = LogRecord::new(7, Timestamp::from_ms(1_795_276_800_000), who, &event, None, Some([0xAB; 32]));
        let text = String::from_utf8(record.to_bytes()).unwrap_or_default();
        let expected = format!(
            concat!(
                r#"{{"v":1,"n":7,"at":1795276800000,"who":"staff:01010101-0101-0101-0101-010101010101","#,
                r#""what":"consent-ended","ids":["02020202-0202-0202-0202-020202020202"],"#,
                r#""label":"withdrawn","digest":"{}"}}"#
            ),
            "ab".repeat(32)
        );
        assert_eq!(text, expected);
        assert_eq!(LogRecord::from_bytes(text.as_bytes()), Ok(record));
    }

    #[test]
    fn another_version_or_an_unknown_field_is_refused() {
        for bad in
            [r#"{"v":2,"n":0,"at":0,"who":"station","what":"locked","ids":[]}"#, "{}", "", r#"{"v":1,"name":"x"}"#]
        {
            assert_eq!(LogRecord::from_bytes(bad.as_bytes()), Err(EvidenceError::Malformed), "{bad}");
        }
    }
}
