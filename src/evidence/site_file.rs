//! The site file: what the site wrote for its notice, as JSON that the station signs. Each names the one before it, so that none can be left
//! out or put back. Rules: P09, P17a.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::Realm;
use crate::domain::id::SiteId;
use crate::domain::site::{Fact, Need, SiteFacts};
use crate::domain::time::Timestamp;

use super::{EvidenceError, hex};

/// Version of this shape.
pub const SCHEMA: &str = "menka-site/1";

/// A site file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFile {
    /// Counts from 1.
    pub number: u64,
    /// Which site.
    pub site: SiteId,
    /// `real` or `practice`.
    pub realm: String,
    /// SHA-256 of the signed file before it, in hex; `None` for the first.
    pub previous: Option<String>,
    /// What the site typed.
    pub facts: SiteFacts,
}

/// Builds the JSON. Facts that the program fills are no part of it.
pub fn site_json(
    number: u64,
    site: SiteId,
    realm: Realm,
    previous: Option<&[u8; 32]>,
    facts: &SiteFacts,
    now: Timestamp,
) -> Vec<u8> {
    let written = |fact: &Fact| facts.get(*fact) != fact.default_text();
    let shape = Shape {
        schema: SCHEMA.into(),
        number,
        site_id: site.to_string(),
        realm: realm.label().into(),
        previous: previous.map(|digest| hex(digest)),
        written_at_ms: now.ms(),
        // Defaults belong to the texts: a site that wrote nothing follows a later version's default.
        facts: Fact::typed().filter(written).map(|fact| (fact.key().to_owned(), facts.get(fact).to_owned())).collect(),
    };
    // Strings and numbers only: serialising them cannot fail; an empty file is refused by `read`.
    serde_json::to_vec(&shape).unwrap_or_default()
}

/// Reads the JSON. A fact that a later version dropped is passed over; one that the program fills is not taken from a file.
///
/// # Errors
/// [`EvidenceError::Malformed`], also for another version of the shape.
pub fn read(json: &[u8]) -> Result<SiteFile, EvidenceError> {
    let shape: Shape = serde_json::from_slice(json).map_err(|_| EvidenceError::Malformed)?;
    if shape.schema != SCHEMA {
        return Err(EvidenceError::Malformed);
    }
    let mut facts = SiteFacts::default();
    for (key, text) in &shape.facts {
        if let Some(fact) = Fact::by_key(key).filter(|fact| fact.need() != Need::Derived) {
            facts.set(fact, text);
        }
    }
    Ok(SiteFile {
        number: shape.number,
        site: SiteId::parse(&shape.site_id).ok_or(EvidenceError::Malformed)?,
        realm: shape.realm,
        previous: shape.previous,
        facts,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    schema: String,
    number: u64,
    site_id: String,
    realm: String,
    previous: Option<String>,
    written_at_ms: i64,
    facts: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_file_reads_back_and_carries_nothing_that_the_program_fills() -> Result<(), EvidenceError> {
        let mut facts = SiteFacts::default();
        facts.set(Fact::SiteName, "春江花园");
        let typed = facts.clone();
        facts.set(Fact::PiaNo, "PIA-1");
        let site = SiteId::from_bytes([1; 16]);
        let json = site_json(2, site, Realm::Real, Some(&[7; 32]), &facts, Timestamp::from_ms(5));
        let read_back = read(&json)?;
        assert_eq!((read_back.number, read_back.site, &read_back.facts), (2, site, &typed));
        assert_eq!((read_back.previous, read_back.realm.as_str()), (Some(hex(&[7; 32])), "real"));

        let text = String::from_utf8(json).unwrap_or_default();
        let forged = text.replace("\"site_name\"", "\"recipient_list\"");
        assert_eq!(read(forged.as_bytes())?.facts, SiteFacts::default(), "a recipient cannot be brought in by a file");
        for bad in ["", "{}", &text.replace("menka-site/1", "menka-site/2")] {
            assert_eq!(read(bad.as_bytes()).err(), Some(EvidenceError::Malformed));
        }
        Ok(())
    }
}
