//! How notices were read; and the signature under the public copy of the rules. Rules: P07, P17b.

use rusqlite::{OptionalExtension, params};

use crate::domain::id::ShowingId;
use crate::domain::reading::Reading;
use crate::evidence::{Kind, statement};

use super::Vault;
use super::error::{MAIN_FILE, VaultError};

impl Vault {
    /// Records how a showing was read. Times only grow: what was recorded before stays where it is larger.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] showing, and those of the disk.
    pub fn record_reading(&mut self, showing: ShowingId, reading: &Reading) -> Result<(), VaultError> {
        let before = self.reading(showing)?.unwrap_or_default();
        let work = self.begin()?;
        let known: bool =
            work.query_row("SELECT EXISTS (SELECT 1 FROM showings WHERE id = ?1)", [showing.bytes()], |r| r.get(0))?;
        if !known {
            return Err(VaultError::Unknown);
        }
        let mut sections = reading.sections_ms.clone();
        sections.resize(sections.len().max(before.sections_ms.len()), 0);
        for (ms, old) in sections.iter_mut().zip(&before.sections_ms) {
            *ms = (*ms).max(*old);
        }
        // A list of numbers: writing it as JSON cannot fail.
        let sections = serde_json::to_string(&sections).unwrap_or_default();
        work.execute(
            "INSERT INTO showing_reading (showing, sections_ms, letters_percent, high_contrast, read_aloud)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (showing) DO UPDATE SET sections_ms = ?2, letters_percent = ?3, high_contrast = ?4,
                 read_aloud = ?5",
            params![
                showing.bytes(),
                sections,
                reading.letters_percent,
                reading.high_contrast,
                reading.read_aloud || before.read_aloud,
            ],
        )?;
        Ok(work.commit()?)
    }

    /// How a showing was read; `None` when nothing was recorded.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn reading(&self, showing: ShowingId) -> Result<Option<Reading>, VaultError> {
        let sql = "SELECT sections_ms, letters_percent, high_contrast, read_aloud FROM showing_reading
             WHERE showing = ?1";
        let found = self.main.query_row(sql, [showing.bytes()], |row| {
            let (sections, letters_percent): (String, u16) = (row.get(0)?, row.get(1)?);
            Ok((sections, letters_percent, row.get(2)?, row.get(3)?))
        });
        let Some((sections, letters_percent, high_contrast, read_aloud)) = found.optional()? else { return Ok(None) };
        let sections_ms = serde_json::from_str(&sections).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
        Ok(Some(Reading { sections_ms, letters_percent, high_contrast, read_aloud }))
    }

    /// Signs the public copy of the rules, so that it can be shown while nobody is logged in.
    ///
    /// # Errors
    /// [`VaultError::Evidence`] when it is too large.
    pub fn sign_rules(&self, json: &[u8]) -> Result<Vec<u8>, VaultError> {
        Ok(statement::sign(&self.signer, Kind::Rules, json)?)
    }
}
