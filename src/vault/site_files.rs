//! The signed site file: written, chained, and checked at every reading. Rules: P09, P17a.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::entrusted;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::{Kind, hex, site_file, statement};

use super::Vault;
use super::error::VaultError;

/// The site file in force, as staff may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFileRow {
    /// Counts from 1.
    pub number: u64,
    /// SHA-256 of the signed file.
    pub sha256: [u8; 32],
    /// When it was written.
    pub recorded_at: Timestamp,
    /// The signed bytes (COSE_Sign1).
    pub file: Vec<u8>,
}

impl Vault {
    /// What the site wrote, with what the program fills: number and day of the newest assessment, version and day of the notice.
    ///
    /// # Errors
    /// [`VaultError::SiteFileRefused`] when the file is not as the station signed it, and those of the disk.
    pub fn facts(&self) -> Result<SiteFacts, VaultError> {
        let mut facts = self.site_facts(&self.main)?;
        match self.assessments() {
            Ok(mut all) => {
                if let Some(newest) = all.pop() {
                    facts.set(Fact::PiaNo, &newest.assessment.number);
                    facts.set(Fact::PiaDate, &newest.assessment.signed_on.to_string());
                }
            }
            // An assessment that cannot be trusted is none; the rest of the notice is not touched by it.
            Err(VaultError::RegistryRefused) => {}
            Err(error) => return Err(error),
        }
        if let Some(version) = self.notice_version()? {
            facts.set(Fact::NoticeVersion, &version.version.to_string());
            facts.set(Fact::NoticeDate, &version.in_use_on.to_string());
        }
        Ok(facts)
    }

    /// [`Self::facts`], with the entrusted parties that are in force on a day (P21).
    ///
    /// # Errors
    /// As [`Self::facts`].
    pub fn facts_on(&self, today: CivilDate) -> Result<SiteFacts, VaultError> {
        let mut facts = self.facts()?;
        let register = self.entrusted()?;
        facts.set(Fact::EntrustedList, &entrusted::list(register.iter().map(|row| &row.entry), today));
        Ok(facts)
    }

    /// Records what the site wrote, as a new signed site file. Facts that the program fills are passed over. The same facts again change
    /// nothing. A second person approves what changes, where there is one.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], and those of the disk.
    pub fn record_facts(
        &mut self,
        facts: &SiteFacts,
        approval: Option<Approval>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        let unchanged = match self.site_facts(&work) {
            Ok(before) => Fact::typed().all(|fact| before.get(fact) == facts.get(fact)),
            // What was refused is written anew from what staff see and save.
            Err(VaultError::SiteFileRefused) => false,
            Err(error) => return Err(error),
        };
        if !unchanged {
            self.second_person_in(&work, Act::ChangeSite, approval, now)?;
            self.write_facts(&work, facts, Actor::Staff(self.staff), now)?;
        }
        Ok(work.commit()?)
    }

    /// Takes over a site file that this station signed earlier.
    ///
    /// # Errors
    /// [`VaultError::SiteFileRefused`] when it is not signed by this station, was edited, or belongs to another site or realm, and those of
    /// the disk.
    pub fn read_site_file(&self, bytes: &[u8]) -> Result<SiteFacts, VaultError> {
        let refused = |_| VaultError::SiteFileRefused;
        let signed = statement::verify(bytes, &self.evidence_public()).map_err(refused)?;
        if signed.kind != Kind::SiteFile {
            return Err(VaultError::SiteFileRefused);
        }
        let read = site_file::read(&signed.payload).map_err(refused)?;
        if read.site != self.site || read.realm != self.realm.label() {
            return Err(VaultError::SiteFileRefused);
        }
        Ok(read.facts)
    }

    /// The site file in force; `None` before the first.
    ///
    /// # Errors
    /// Those of the disk. Whether it is genuine, [`Self::facts`] tells.
    pub fn site_file(&self) -> Result<Option<SiteFileRow>, VaultError> {
        newest(&self.main)
    }

    /// The typed facts of the newest file: its signature, its number, and the file before it must fit.
    fn site_facts(&self, view: &Connection) -> Result<SiteFacts, VaultError> {
        let Some(row) = newest(view)? else { return Ok(SiteFacts::default()) };
        let facts = self.read_site_file(&row.file)?;
        let payload = statement::verify(&row.file, &self.evidence_public()).map_err(|_| VaultError::SiteFileRefused)?;
        let read = site_file::read(&payload.payload).map_err(|_| VaultError::SiteFileRefused)?;
        let sql = "SELECT file FROM site_files WHERE number = ?1";
        let before = i64::try_from(row.number).unwrap_or(i64::MAX).saturating_sub(1);
        let previous: Option<Vec<u8>> = view.query_row(sql, [before], |row| row.get(0)).optional()?;
        let chained = previous.map(|file| hex(&Sha256::digest(&file))) == read.previous;
        if read.number == row.number && chained { Ok(facts) } else { Err(VaultError::SiteFileRefused) }
    }

    /// Signs and appends a site file; the log has the digest of the one before it as label and the new one as digest.
    pub(super) fn write_facts(
        &self,
        work: &Connection,
        facts: &SiteFacts,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let before = newest(work)?;
        let number = before.as_ref().map_or(1, |row| row.number.saturating_add(1));
        let previous = before.map(|row| row.sha256);
        let json = site_file::site_json(number, self.site, self.realm, previous.as_ref(), facts, now);
        let file = statement::sign(&self.signer, Kind::SiteFile, &json)?;
        let digest = Sha256::digest(&file).into();
        let sql = "INSERT INTO site_files (number, file, recorded_at) VALUES (?1, ?2, ?3)";
        work.execute(sql, params![i64::try_from(number).unwrap_or(i64::MAX), file, now.ms()])?;
        let before = previous.map(|digest| hex(&digest));
        self.append_with(work, by, &AuditEvent::SiteFactsRecorded, before.as_deref(), Some(digest), now)
    }

    /// Signs what an earlier version of this program kept unsigned; called once, at the first unlock after the update.
    pub(super) fn adopt_facts(&self, work: &Connection, now: Timestamp) -> Result<(), VaultError> {
        let mut old = SiteFacts::default();
        {
            let mut statement = work.prepare("SELECT key, value FROM facts")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            for row in rows {
                let (key, value) = row?;
                if let Some(fact) = Fact::by_key(&key) {
                    old.set(fact, &value);
                }
            }
        }
        if newest(work)?.is_none() {
            self.write_facts(work, &old, Actor::Station, now)?;
        }
        work.execute("DELETE FROM facts", [])?;
        Ok(())
    }
}

fn newest(view: &Connection) -> Result<Option<SiteFileRow>, VaultError> {
    let sql = "SELECT number, file, recorded_at FROM site_files ORDER BY number DESC LIMIT 1";
    let row = view.query_row(sql, [], |row| {
        let file: Vec<u8> = row.get(1)?;
        Ok(SiteFileRow {
            number: row.get::<_, i64>(0)?.unsigned_abs(),
            sha256: Sha256::digest(&file).into(),
            recorded_at: Timestamp::from_ms(row.get(2)?),
            file,
        })
    });
    Ok(row.optional()?)
}
