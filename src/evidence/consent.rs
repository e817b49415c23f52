//! The consent record: JSON shaped after ISO/IEC TS 27560 (consent record information structure). Rules: P14, P29,
//! F06a.
//!
//! It holds the resident's random id, never the name, the unit, the card or the signature; those stay sealed in the
//! vault.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::Realm;
use crate::domain::consent::{ConsentDraft, Signature};
use crate::domain::guardian::{Decider, Guardian, Party as DecidedBy, View};
use crate::domain::id::{ConsentId, ResidentId, SiteId, TemplateId};
use crate::domain::site::{Fact, SiteFacts};

use super::{EvidenceError, hex};

/// Version of this shape.
pub const SCHEMA: &str = "menka-consent/1 (ISO/IEC TS 27560:2023)";

/// What a consent record is made of.
#[derive(Clone, Copy, Debug)]
pub struct ConsentFacts<'a> {
    /// Number of the record.
    pub consent: ConsentId,
    /// The random number that gates will know the template by.
    pub template: TemplateId,
    /// What the resident said yes to.
    pub draft: &'a ConsentDraft,
    /// Who processes.
    pub facts: &'a SiteFacts,
    /// Which site.
    pub site: SiteId,
    /// Practice has no legal effect, and the record says so.
    pub realm: Realm,
}

/// The ids a record states, for comparing it with the row that it is stored with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Number of the record.
    pub consent: ConsentId,
    /// Whose.
    pub resident: ResidentId,
    /// The random number.
    pub template: TemplateId,
    /// SHA-256 of the notice that was shown.
    pub notice_sha256: String,
    /// Last day, `2027-01-31`.
    pub ends_on: String,
    /// Gates, as ids.
    pub gates: Vec<String>,
    /// `real` or `practice`.
    pub realm: String,
    /// Who gave it; [`crate::domain::guardian::Decider::label`].
    pub given_by: String,
    /// The number of the person's own answer, where a guardian consented.
    pub view: Option<String>,
}

/// What a record states of the guardian: ids and kinds, no name (that stays sealed in the vault).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedGuardian {
    /// Number of the check.
    pub guardian_id: String,
    /// What the guardian is to the person.
    pub guardian_role: String,
    /// Which kind of proof was looked at; no number, no copy.
    pub proof_seen: String,
    /// The account that checked it, in person.
    pub checked_by: String,
    /// When.
    pub checked_at_ms: i64,
}

impl StatedGuardian {
    /// What a record must state of this guardian.
    pub fn of(guardian: &Guardian) -> Self {
        Self {
            guardian_id: guardian.id.to_string(),
            guardian_role: guardian.role.label().into(),
            proof_seen: guardian.proof.label().into(),
            checked_by: guardian.checked_by.to_string(),
            checked_at_ms: guardian.checked_at.ms(),
        }
    }
}

/// Builds the record of a consent that no guardian took part in. The same facts give the same bytes.
pub fn consent_json(facts: &ConsentFacts<'_>) -> Vec<u8> {
    decided_json(facts, None)
}

/// Builds the record of any consent; `guardian` is the one that the draft's party names. The same facts give the same bytes.
pub fn decided_json(facts: &ConsentFacts<'_>, guardian: Option<&Guardian>) -> Vec<u8> {
    let draft = facts.draft;
    let gates: Vec<String> = draft.gates.iter().map(ToString::to_string).collect();
    let party = |fact| facts.facts.get(fact).to_owned();
    let record = Record {
        record_metadata: Metadata {
            schema_version: SCHEMA.into(),
            record_id: facts.consent.to_string(),
            pii_principal_id: draft.resident.to_string(),
            realm: facts.realm.label().into(),
            site_id: facts.site.to_string(),
        },
        party_identification: vec![Party {
            party_role: "processor of personal information (个人信息处理者)".into(),
            party_name: party(Fact::ProcessorName),
            party_identifier: party(Fact::Uscc),
            party_address: party(Fact::ProcessorAddress),
            party_phone: party(Fact::ContactPhone),
            party_email: party(Fact::ContactEmail),
        }],
        pii_processing: Processing {
            privacy_notice: Notice {
                notice_id: draft.notice.id.clone(),
                notice_version: draft.notice.version.clone(),
                notice_sha256: hex(&draft.notice.sha256),
                language: draft.notice.language.tag().into(),
                reading: draft.reading.as_ref().map(|reading| HowRead {
                    sections_ms: reading.sections_ms.clone(),
                    letters_percent: reading.letters_percent,
                    high_contrast: reading.high_contrast,
                    read_aloud: reading.read_aloud,
                }),
            },
            statement_sha256: hex(&Sha256::digest(draft.sentence.as_bytes())),
            purposes: vec![Purpose {
                purpose: "open the doors named here for this person by face, as a choice beside the card".into(),
                purpose_type: "access control".into(),
                lawful_basis: "separate consent (PIPL 13(1)(1), 14, 29)".into(),
                pii_type: "face template (人脸特征)".into(),
                sensitive_pii: true,
                collection_method: "camera at the desk, frames in memory only".into(),
                processing_method: "template sealed to each gate; compared inside the gate".into(),
                storage_location: gates,
                storage_link: facts.template.to_string(),
                retention_end: draft.ends_on.to_string(),
                recipients: party(Fact::RecipientList),
            }],
            jurisdiction: "CN".into(),
            withdrawal_method: "card tap on the resident window, or by phone or paper at the desk; same visit".into(),
            withdrawal_contact: party(Fact::ContactPhone),
        },
        consent_event: Event {
            consent_type: "explicit, separate (单独同意)".into(),
            state: "given".into(),
            method_of_expression: format!(
                "own act on the resident window: box ticked, Yes pressed, {}",
                how_signed(&draft.signature)
            ),
            event_time_ms: draft.signed_at.ms(),
            event_time: format!("{} +08:00", draft.signed_at.minute_text()),
            given_by: draft.party.decider().label().into(),
            own_view: draft.party.view().map(|view| OwnView {
                view_id: view.to_string(),
                answer: View::Yes.label().into(),
                asked: "on the resident window, in words of their own, before the guardian was asked".into(),
            }),
            guardian: guardian.map(StatedGuardian::of),
            guardian_informed: informed(&draft.party),
        },
    };
    // Strings and numbers only: serialising them cannot fail; an empty record is refused by `read`.
    serde_json::to_vec(&record).unwrap_or_default()
}

fn how_signed(signature: &Signature) -> String {
    match signature {
        Signature::Strokes(_) => "signed by hand".into(),
        Signature::TypedName(_) => "name typed".into(),
        Signature::Paper(form) => format!("signed on paper form {form}, seen by staff"),
    }
}

fn informed(party: &DecidedBy) -> Option<Informed> {
    match party {
        DecidedBy::Informed { statement, signature, signed_at, .. } => Some(Informed {
            statement_sha256: hex(&Sha256::digest(statement.as_bytes())),
            method_of_expression: format!("own act on the resident window: {}", how_signed(signature)),
            event_time_ms: signed_at.ms(),
        }),
        DecidedBy::Own | DecidedBy::ForChild(_) | DecidedBy::ForWard(_) => None,
    }
}

/// Reads what a record states of the guardian; `None` when none took part.
///
/// # Errors
/// [`EvidenceError::Malformed`].
pub fn read_guardian(json: &[u8]) -> Result<Option<StatedGuardian>, EvidenceError> {
    let record: Record = serde_json::from_slice(json).map_err(|_| EvidenceError::Malformed)?;
    Ok(record.consent_event.guardian)
}

/// Reads the ids out of a record.
///
/// # Errors
/// [`EvidenceError::Malformed`], also for another version of the shape.
pub fn read(json: &[u8]) -> Result<Stated, EvidenceError> {
    let record: Record = serde_json::from_slice(json).map_err(|_| EvidenceError::Malformed)?;
    let purpose = record.pii_processing.purposes.into_iter().next().ok_or(EvidenceError::Malformed)?;
    if record.record_metadata.schema_version != SCHEMA {
        return Err(EvidenceError::Malformed);
    }
    Ok(Stated {
        consent: ConsentId::parse(&record.record_metadata.record_id).ok_or(EvidenceError::Malformed)?,
        resident: ResidentId::parse(&record.record_metadata.pii_principal_id).ok_or(EvidenceError::Malformed)?,
        template: TemplateId::parse(&purpose.storage_link).ok_or(EvidenceError::Malformed)?,
        notice_sha256: record.pii_processing.privacy_notice.notice_sha256,
        ends_on: purpose.retention_end,
        gates: purpose.storage_location,
        realm: record.record_metadata.realm,
        given_by: record.consent_event.given_by,
        view: record.consent_event.own_view.map(|view| view.view_id),
    })
}

/// Reads the ids out of a draft and its numbers, in the same form as [`read`].
pub fn stated(draft: &ConsentDraft, consent: ConsentId, template: TemplateId, realm: Realm) -> Stated {
    Stated {
        consent,
        resident: draft.resident,
        template,
        notice_sha256: hex(&draft.notice.sha256),
        ends_on: draft.ends_on.to_string(),
        gates: draft.gates.iter().map(ToString::to_string).collect(),
        realm: realm.label().into(),
        given_by: draft.party.decider().label().into(),
        view: draft.party.view().map(|view| view.to_string()),
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    record_metadata: Metadata,
    party_identification: Vec<Party>,
    pii_processing: Processing,
    consent_event: Event,
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    schema_version: String,
    record_id: String,
    pii_principal_id: String,
    realm: String,
    site_id: String,
}

#[derive(Serialize, Deserialize)]
struct Party {
    party_role: String,
    party_name: String,
    party_identifier: String,
    party_address: String,
    party_phone: String,
    party_email: String,
}

#[derive(Serialize, Deserialize)]
struct Processing {
    privacy_notice: Notice,
    statement_sha256: String,
    purposes: Vec<Purpose>,
    jurisdiction: String,
    withdrawal_method: String,
    withdrawal_contact: String,
}

#[derive(Serialize, Deserialize)]
struct Notice {
    notice_id: String,
    notice_version: String,
    notice_sha256: String,
    language: String,
    /// How it was read; absent where nothing was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reading: Option<HowRead>,
}

#[derive(Serialize, Deserialize)]
struct HowRead {
    sections_ms: Vec<u64>,
    letters_percent: u16,
    high_contrast: bool,
    read_aloud: bool,
}

#[derive(Serialize, Deserialize)]
struct Purpose {
    purpose: String,
    purpose_type: String,
    lawful_basis: String,
    pii_type: String,
    sensitive_pii: bool,
    collection_method: String,
    processing_method: String,
    storage_location: Vec<String>,
    storage_link: String,
    retention_end: String,
    recipients: String,
}

#[derive(Serialize, Deserialize)]
struct Event {
    consent_type: String,
    state: String,
    method_of_expression: String,
    event_time_ms: i64,
    event_time: String,
    #[serde(default = "given_alone")]
    given_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own_view: Option<OwnView>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guardian: Option<StatedGuardian>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guardian_informed: Option<Informed>,
}

/// A record that says nothing else is of an adult who decided alone.
fn given_alone() -> String {
    Decider::Own.label().into()
}

/// The child's or ward's own yes.
#[derive(Serialize, Deserialize)]
struct OwnView {
    view_id: String,
    answer: String,
    asked: String,
}

/// What the guardian of a young person signed.
#[derive(Serialize, Deserialize)]
struct Informed {
    statement_sha256: String,
    method_of_expression: String,
    event_time_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::GateId;
    use crate::domain::notice::{Language, NoticeRef};
    use crate::domain::time::{CivilDate, Timestamp};

    fn draft() -> ConsentDraft {
        ConsentDraft {
            resident: ResidentId::from_bytes([1; 16]),
            notice: NoticeRef {
                id: "MK-N1".into(),
                version: "1.0".into(),
                language: Language::Chinese,
                sha256: [7; 32],
            },
            sentence: "我同意".into(),
            gates: vec![GateId::from_bytes([4; 16]), GateId::from_bytes([5; 16])],
            ends_on: CivilDate::from_epoch_days(20_900),
            signature: Signature::TypedName("司马相如".into()),
            signed_at: Timestamp::from_ms(1_795_276_800_000),
            party: DecidedBy::Own,
            reading: None,
        }
    }

    #[test]
    fn m11_the_record_names_the_guardians_role_proof_and_checker_and_no_name() {
        use crate::domain::guardian::{ByGuardian, GuardianRole, ProofSeen};
        use crate::domain::id::{GuardianId, StaffId, ViewId};
        use crate::domain::resident::PersonName;
        let guardian = Guardian {
            id: GuardianId::from_bytes([7; 16]),
            resident: ResidentId::from_bytes([1; 16]),
            name: PersonName::parse("王芳").expect("a name"),
            role: GuardianRole::Mother,
            proof: ProofSeen::HouseholdBook,
            phone: "138 0000 0000".into(),
            checked_by: StaffId::from_bytes([8; 16]),
            checked_at: Timestamp::from_ms(1_795_276_000_000),
        };
        let mut draft = draft();
        let view = ViewId::from_bytes([9; 16]);
        draft.party =
            DecidedBy::ForChild(ByGuardian { guardian: guardian.id, view, statement: "我是小周的母亲".into() });
        let (consent, template) = (ConsentId::from_bytes([2; 16]), TemplateId::from_bytes([3; 16]));
        let (facts, site, realm) = (SiteFacts::default(), SiteId::from_bytes([6; 16]), Realm::Practice);
        let about = ConsentFacts { consent, template, draft: &draft, facts: &facts, site, realm };
        let json = decided_json(&about, Some(&guardian));
        assert_eq!(read(&json), Ok(stated(&draft, consent, template, realm)));
        assert_eq!(read_guardian(&json), Ok(Some(StatedGuardian::of(&guardian))));
        let text = String::from_utf8_lossy(&json);
        for needed in ["guardian of a child under fourteen", "\"mother\"", "household book", "08080808", "\"yes\""] {
            assert!(text.contains(needed), "{needed}");
        }
        for kept in ["王芳", "小周", "138 0000"] {
            assert!(!text.contains(kept), "{kept} stays in the vault");
        }
    }

    // Shows: J03
    #[test]
    fn p14_the_record_states_what_was_agreed_and_no_name() {
        let (draft, facts) = (draft(), SiteFacts::default());
        let (consent, template) = (ConsentId::from_bytes([2; 16]), TemplateId::from_bytes([3; 16]));
        let (site, realm) = (SiteId::from_bytes([6; 16]), Realm::Practice);
        let json = consent_json(&ConsentFacts { consent, template, draft: &draft, facts: &facts, site, realm });
        assert_eq!(read(&json), Ok(stated(&draft, consent, template, realm)));
        let text = String::from_utf8_lossy(&json);
        assert!(!text.contains("司马相如"), "the signature stays in the vault");
        for needed in ["\"jurisdiction\":\"CN\"", "separate consent", "withdrawal_method", "\"sensitive_pii\":true"] {
            assert!(text.contains(needed), "{needed}");
        }
    }

    // Shows: J03
    #[test]
    fn p17b_how_the_notice_was_read_is_in_the_signed_record_and_older_records_are_read_as_before() {
        let facts = SiteFacts::default();
        let (consent, template) = (ConsentId::from_bytes([2; 16]), TemplateId::from_bytes([3; 16]));
        let (site, realm) = (SiteId::from_bytes([6; 16]), Realm::Practice);
        let made =
            |draft: &ConsentDraft| consent_json(&ConsentFacts { consent, template, draft, facts: &facts, site, realm });
        let mut draft = draft();
        let without = made(&draft);
        assert!(!String::from_utf8_lossy(&without).contains("sections_ms"));
        draft.reading = Some(crate::domain::reading::Reading {
            sections_ms: vec![9_000, 41_250],
            letters_percent: 150,
            high_contrast: true,
            read_aloud: false,
        });
        let with = made(&draft);
        assert!(String::from_utf8_lossy(&with).contains("\"sections_ms\":[9000,41250],\"letters_percent\":150"));
        assert_eq!(read(&with), read(&without));
    }

    #[test]
    fn junk_is_refused() {
        for junk in [&b""[..], b"{}", b"[]", b"\xff", b"{\"record_metadata\":{}}"] {
            assert_eq!(read(junk), Err(EvidenceError::Malformed));
        }
    }
}
