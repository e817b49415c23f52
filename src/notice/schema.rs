//! Every placeholder of every text: where its value comes from, and whether staff may type it (notice, part 0).

use crate::domain::site::{Fact, Need};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The signed site file, or what the program keeps of the site ([`Fact`]).
    Site(Fact),
    /// The text itself, the gates, the template method.
    Text,
    /// The person's record.
    Person,
    /// A guardian's record.
    Guardian,
    /// The card.
    Card,
    /// A gate.
    Gate,
    /// A consent.
    Consent,
    /// A change of the notice.
    Change,
    /// An ending, with the gates' receipts.
    Deletion,
    /// A request for rights.
    Request,
    /// An incident.
    Incident,
    /// A receiver of information; none at any site of this program.
    Recipient,
    /// The registry of impact assessments.
    Assessment,
    /// The register of entrusted parties.
    Entrusted,
    /// What the station counts of itself, for an audit and at the end of a manager's work.
    Duty,
}

/// One placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// Where its value comes from.
    pub source: Source,
    /// † in the table: words that staff type; all others are filled by the program.
    pub typed: bool,
    /// May be empty.
    pub optional: bool,
    /// Longest value, in characters: a value must not drown the text it stands in.
    pub chars_max: usize,
}

/// Longest words that staff type into a text.
pub const TYPED_CHARS_MAX: usize = 500;
/// Longest value of any other kind; lists of gates are tables of their own.
pub const CHARS_MAX: usize = 20_000;

const fn filled(source: Source) -> Placeholder {
    Placeholder { source, typed: false, optional: false, chars_max: CHARS_MAX }
}

const fn typed(source: Source) -> Placeholder {
    Placeholder { source, typed: true, optional: false, chars_max: TYPED_CHARS_MAX }
}

/// Looks a placeholder up by its name without braces; `None` for one that no table knows.
pub fn placeholder(name: &str) -> Option<Placeholder> {
    use Source as S;
    if let Some(fact) = Fact::by_key(name) {
        let need = fact.need();
        let optional = matches!(need, Need::Optional);
        return Some(Placeholder { typed: need != Need::Derived, optional, ..filled(S::Site(fact)) });
    }
    Some(match name {
        "notice_id" | "notice_hash" | "algo_name" | "algo_version" | "gate_list" | "gate_names" | "face_end_date" => {
            filled(S::Text)
        }
        "person_name" | "unit" | "minor_name" | "child_name" | "ward_name" => filled(S::Person),
        "child_view" | "ward_view" => typed(S::Guardian),
        "guardian_name" | "guardian_role" | "guardian_basis_seen" | "requester_name" | "requester_relation" => {
            filled(S::Guardian)
        }
        "card_last4" | "card_valid_to" | "card_gates" => filled(S::Card),
        "gate_name" | "gate_place" | "gate_serial" | "capture_area" => filled(S::Gate),
        "consent_time" | "consent_sentence" | "consent_record_id" => filled(S::Consent),
        "change_text" | "part" | "old_text" | "new_text" | "old_version" | "stopped_gates" | "answer_by" => {
            filled(S::Change)
        }
        "cert_no" | "cert_time" | "cert_hash" | "ref_id_masked" | "delete_reason" | "blocked_time" | "deleted_time"
        | "template_count" | "readback_result" | "pc_check_result" | "pc_check_time" | "pending_gates"
        | "pending_measures" | "pending_deadline" | "evidence_end_date" | "log_from" | "log_to" | "operator_name"
        | "reviewer_name" | "done_all" | "done_part" => filled(S::Deletion),
        "entrusted_delete_result" | "recipient_delete_result" => typed(S::Deletion),
        "request_no" | "request_kind" | "request_time" | "reply_time" => filled(S::Request),
        "refused_part" | "refusal_reason" | "legal_basis" => typed(S::Request),
        "incident_time" | "data_kinds" | "letter_to" | "face_state" | "incident_no" | "entered_time"
        | "people_count" | "minors_count" | "incident_grade" | "report_by" | "reassess" => filled(S::Incident),
        "end_receiver" | "ended_time" | "made_time" | "certified_count" | "end_by" | "left_count" | "erased_count"
        | "gate_left" | "gate_stop" | "log_digest" | "registers_digest" => filled(S::Duty),
        name if name.starts_with("audit_") || name.starts_with("ctl_") => filled(S::Duty),
        "incident_what" | "cause" | "possible_harm" | "measures_taken" | "self_help" => typed(S::Incident),
        "recipient_name" | "recipient_contact" | "recipient_purpose" | "recipient_method" => filled(S::Recipient),
        "pia_signer" | "pia_review" | "pia_scope" | "pia_kept_until" | "pia_record" => filled(S::Assessment),
        "pia_lawful" | "pia_effect" | "pia_risk" | "pia_safeguards" | "pia_necessity" => {
            Placeholder { chars_max: crate::domain::assessment::Assessment::CHARS_MAX, ..typed(S::Assessment) }
        }
        "entrusted_name" | "entrusted_task" | "entrusted_kinds" | "entrusted_contract" | "entrusted_ends_on" => {
            filled(S::Entrusted)
        }
        _ => return None,
    })
}
