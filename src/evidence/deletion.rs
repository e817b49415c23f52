//! The statement of deletion: JSON that says which gates signed that a template is gone, and which have not answered.
//! Rules: P15, P47.

use serde::{Deserialize, Serialize};

use crate::domain::Realm;
use crate::domain::id::{ConsentId, GateId, ResidentId, SiteId, TemplateId};
use crate::domain::time::Timestamp;

use super::{EvidenceError, hex};

/// Version of this shape.
pub const SCHEMA: &str = "menka-deletion/1";

/// One gate's signed answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedAt {
    /// Which gate.
    pub gate: GateId,
    /// When the station took its receipt.
    pub at: Timestamp,
    /// SHA-256 of the gate's signed receipt, which the station keeps.
    pub receipt_sha256: [u8; 32],
}

/// What a statement of deletion is made of.
#[derive(Clone, Debug)]
pub struct DeletionFacts<'a> {
    /// The consent that ended.
    pub consent: ConsentId,
    /// Whose.
    pub resident: ResidentId,
    /// The random number.
    pub template: TemplateId,
    /// Which site.
    pub site: SiteId,
    /// Practice has no legal effect, and the statement says so.
    pub realm: Realm,
    /// Label of the reason.
    pub reason: &'a str,
    /// When the consent ended.
    pub ended_at: Timestamp,
    /// When this statement is made.
    pub stated_at: Timestamp,
    /// Gates that signed.
    pub erased: Vec<ErasedAt>,
    /// Gates that have not answered.
    pub pending: Vec<GateId>,
    /// Records in the evidence log at that time.
    pub log_size: u64,
    /// Root of the evidence log at that time.
    pub log_root: [u8; 32],
}

/// Builds the statement. The same facts give the same bytes.
pub fn deletion_json(facts: &DeletionFacts<'_>) -> Vec<u8> {
    let statement = Statement {
        schema_version: SCHEMA.into(),
        record_id: facts.consent.to_string(),
        pii_principal_id: facts.resident.to_string(),
        storage_link: facts.template.to_string(),
        site_id: facts.site.to_string(),
        realm: facts.realm.label().into(),
        reason: facts.reason.into(),
        ended_at_ms: facts.ended_at.ms(),
        stated_at_ms: facts.stated_at.ms(),
        complete: facts.pending.is_empty(),
        erased: facts
            .erased
            .iter()
            .map(|e| Erased { gate: e.gate.to_string(), at_ms: e.at.ms(), receipt_sha256: hex(&e.receipt_sha256) })
            .collect(),
        pending: facts.pending.iter().map(ToString::to_string).collect(),
        log_size: facts.log_size,
        log_root: hex(&facts.log_root),
    };
    // Strings and numbers only: serialising them cannot fail.
    serde_json::to_vec(&statement).unwrap_or_default()
}

/// Whether a statement says that every gate has signed.
///
/// # Errors
/// [`EvidenceError::Malformed`].
pub fn is_complete(json: &[u8]) -> Result<bool, EvidenceError> {
    let statement: Statement = serde_json::from_slice(json).map_err(|_| EvidenceError::Malformed)?;
    if statement.schema_version != SCHEMA {
        return Err(EvidenceError::Malformed);
    }
    Ok(statement.complete && statement.pending.is_empty())
}

#[derive(Serialize, Deserialize)]
struct Statement {
    schema_version: String,
    record_id: String,
    pii_principal_id: String,
    storage_link: String,
    site_id: String,
    realm: String,
    reason: String,
    ended_at_ms: i64,
    stated_at_ms: i64,
    complete: bool,
    erased: Vec<Erased>,
    pending: Vec<String>,
    log_size: u64,
    log_root: String,
}

#[derive(Serialize, Deserialize)]
struct Erased {
    gate: String,
    at_ms: i64,
    receipt_sha256: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p47_a_statement_with_a_silent_gate_is_not_complete() {
        let mut facts = DeletionFacts {
            consent: ConsentId::from_bytes([1; 16]),
            resident: ResidentId::from_bytes([2; 16]),
            template: TemplateId::from_bytes([3; 16]),
            site: SiteId::from_bytes([4; 16]),
            realm: Realm::Real,
            reason: "withdrawn",
            ended_at: Timestamp::from_ms(1),
            stated_at: Timestamp::from_ms(2),
            erased: vec![],
            pending: vec![GateId::from_bytes([5; 16])],
            log_size: 9,
            log_root: [0; 32],
        };
        assert_eq!(is_complete(&deletion_json(&facts)), Ok(false));
        facts.pending.clear();
        assert_eq!(is_complete(&deletion_json(&facts)), Ok(true));
        assert_eq!(is_complete(b"{}"), Err(EvidenceError::Malformed));
    }
}
