//! A registered impact assessment as JSON that the station signs. Rules: P55, P56, F09a.

use serde::{Deserialize, Serialize};

use crate::domain::Realm;
use crate::domain::assessment::Assessment;
use crate::domain::id::SiteId;
use crate::domain::time::{CivilDate, Timestamp};

use super::{EvidenceError, hex};

/// Version of this shape.
pub const SCHEMA: &str = "menka-assessment/1";

/// Builds the JSON.
pub fn assessment_json(assessment: &Assessment, site: SiteId, realm: Realm, now: Timestamp) -> Vec<u8> {
    let [lawful, effect, risk, safeguards] = assessment.heads.clone();
    let shape = Shape {
        schema: SCHEMA.into(),
        site_id: site.to_string(),
        realm: realm.label().into(),
        registered_at_ms: now.ms(),
        number: assessment.number.clone(),
        signed_on: assessment.signed_on.to_string(),
        signer: assessment.signer.clone(),
        lawful,
        effect,
        risk,
        safeguards,
        necessity: assessment.necessity.clone(),
        review_on: assessment.review_on.to_string(),
        scope_sha256: hex(&assessment.scope_sha256),
    };
    // Strings and numbers only: serialising them cannot fail; an empty record is refused by `read`.
    serde_json::to_vec(&shape).unwrap_or_default()
}

/// Reads the JSON and compares it with the site and realm it must belong to.
///
/// # Errors
/// [`EvidenceError::Malformed`], also for another version of the shape, another site or realm.
pub fn read(json: &[u8], site: SiteId, realm: Realm) -> Result<Assessment, EvidenceError> {
    let shape: Shape = serde_json::from_slice(json).map_err(|_| EvidenceError::Malformed)?;
    let day = |text: &str| CivilDate::parse(text).ok_or(EvidenceError::Malformed);
    if shape.schema != SCHEMA || shape.site_id != site.to_string() || shape.realm != realm.label() {
        return Err(EvidenceError::Malformed);
    }
    Ok(Assessment {
        signed_on: day(&shape.signed_on)?,
        review_on: day(&shape.review_on)?,
        number: shape.number,
        signer: shape.signer,
        heads: [shape.lawful, shape.effect, shape.risk, shape.safeguards],
        necessity: shape.necessity,
        scope_sha256: digest(&shape.scope_sha256).ok_or(EvidenceError::Malformed)?,
    })
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    schema: String,
    site_id: String,
    realm: String,
    registered_at_ms: i64,
    number: String,
    signed_on: String,
    signer: String,
    lawful: String,
    effect: String,
    risk: String,
    safeguards: String,
    necessity: String,
    review_on: String,
    scope_sha256: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p55_an_assessment_reads_back_for_its_own_site_and_realm_only() {
        let day = CivilDate::from_epoch_days(20_000);
        let assessment = Assessment {
            number: "PIA-1".into(),
            signed_on: day,
            signer: "周敏".into(),
            heads: ["甲", "乙", "丙", "丁"].map(String::from),
            necessity: "必要".into(),
            review_on: day.plus_days(300),
            scope_sha256: [0xAB; 32],
        };
        let (site, other) = (SiteId::from_bytes([1; 16]), SiteId::from_bytes([2; 16]));
        let json = assessment_json(&assessment, site, Realm::Real, Timestamp::from_ms(0));
        assert_eq!(read(&json, site, Realm::Real), Ok(assessment));
        assert_eq!(read(&json, other, Realm::Real), Err(EvidenceError::Malformed));
        assert_eq!(read(&json, site, Realm::Practice), Err(EvidenceError::Malformed));
        assert_eq!(read(b"{}", site, Realm::Real), Err(EvidenceError::Malformed));
    }
}
