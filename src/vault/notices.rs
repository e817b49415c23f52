//! Notices that were shown, byte for byte, and refusals. Rules: P14, P17, L2 (a past event is never edited).

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::id::{ResidentId, ShowingId};
use crate::domain::notice::NoticeShown;
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::VaultError;
use super::guardians::rests_until;
use super::residents::resident_is_known;
use super::showings::ShownFrom;

impl Vault {
    /// Records that a notice was opened, with its exact text (kept once).
    ///
    /// # Errors
    /// [`VaultError::TextDiffers`] when the text does not have the stated SHA-256, [`VaultError::Unknown`] resident,
    /// [`VaultError::IdUsed`], and those of the disk.
    pub fn record_showing(&mut self, shown: &NoticeShown, exact_text: &str, now: Timestamp) -> Result<(), VaultError> {
        self.record_showing_from(shown, exact_text, &ShownFrom::default(), now)
    }

    /// [`Self::record_showing`], with the size of the letters and what the text was filled with.
    ///
    /// # Errors
    /// As [`Self::record_showing`].
    pub fn record_showing_from(
        &mut self,
        shown: &NoticeShown,
        exact_text: &str,
        from: &ShownFrom,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let digest: [u8; 32] = Sha256::digest(exact_text.as_bytes()).into();
        if digest != shown.notice.sha256 {
            return Err(VaultError::TextDiffers);
        }
        let work = self.begin()?;
        if !resident_is_known(&work, shown.resident)? {
            return Err(VaultError::Unknown);
        }
        if showing_resident(&work, shown.id)?.is_some() {
            return Err(VaultError::IdUsed);
        }
        work.execute("INSERT OR IGNORE INTO texts (sha256, body) VALUES (?1, ?2)", params![digest, exact_text])?;
        work.execute(
            "INSERT INTO showings (id, resident, notice_id, notice_version, language, text_sha256, opened_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                shown.id.bytes(),
                shown.resident.bytes(),
                shown.notice.id,
                shown.notice.version,
                shown.notice.language.tag(),
                digest,
                shown.opened_at.ms(),
            ],
        )?;
        let record = self.write_showing_record(&work, shown, from)?;
        let (who, event) = (Actor::Resident(shown.resident), AuditEvent::NoticeOpened(shown.id));
        self.append_with(&work, who, &event, None, Some(record), now)?;
        if let Some(end) = shown.reached_end_at.filter(|_| shown.is_complete()) {
            self.note_end(&work, shown.resident, shown.id, end)?;
        }
        Ok(work.commit()?)
    }

    /// Records that the end of a notice was on screen. The first time counts.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_reached_end(&mut self, showing: ShowingId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let resident = showing_resident(&work, showing)?.ok_or(VaultError::Unknown)?;
        self.note_end(&work, resident, showing, now)?;
        Ok(work.commit()?)
    }

    /// The exact text that was shown, byte for byte.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn shown_text(&self, sha256: &[u8; 32]) -> Result<Option<String>, VaultError> {
        let sql = "SELECT body FROM texts WHERE sha256 = ?1";
        Ok(self.main.query_row(sql, [sha256], |row| row.get(0)).optional()?)
    }

    /// Records a refusal. It stands until the person's own card tap ([`Self::record_face_asked`]); a current consent
    /// ends with it, and what gates hold under it is erased.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when the showing is not this person's, and those of the disk.
    pub fn record_refusal(
        &mut self,
        resident: ResidentId,
        showing: ShowingId,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.record_refusal_by(resident, showing, Actor::Resident(resident), now)
    }

    /// [`Self::record_refusal`], naming who said no: the person, or the guardian who decides for them.
    ///
    /// # Errors
    /// As [`Self::record_refusal`].
    pub fn record_refusal_by(
        &mut self,
        resident: ResidentId,
        showing: ShowingId,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.refuse(&work, resident, showing, by, now)?;
        Ok(work.commit()?)
    }

    /// A refusal inside a transaction.
    pub(super) fn refuse(
        &self,
        work: &Connection,
        resident: ResidentId,
        showing: ShowingId,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        if showing_resident(work, showing)? != Some(resident) {
            return Err(VaultError::Unknown);
        }
        work.execute(
            "INSERT INTO refusals (resident, showing, refused_at) VALUES (?1, ?2, ?3)",
            params![resident.bytes(), showing.bytes(), now.ms()],
        )?;
        self.append(work, by, &AuditEvent::Refused(resident), now)?;
        self.end_current(work, resident, EraseReason::Withdrawn.label(), by, now)?;
        Ok(())
    }

    /// Whether a refusal stands.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn refusal_stands(&self, resident: ResidentId) -> Result<bool, VaultError> {
        refusal_stands(&self.main, resident)
    }

    /// Records that the person asked for face entry by tapping their own card. Lifts a standing refusal, but not a child's or ward's own
    /// no while it rests ([`Self::view_rests_until`]): the card may be in the guardian's hand.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::RefusalStands`], and those of the disk.
    pub fn record_face_asked(&mut self, resident: ResidentId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        if !resident_is_known(&work, resident)? {
            return Err(VaultError::Unknown);
        }
        if rests_until(&work, resident, now)?.is_some() {
            return Err(VaultError::RefusalStands);
        }
        let sql = "UPDATE refusals SET lifted_at = ?2 WHERE resident = ?1 AND lifted_at IS NULL";
        work.execute(sql, params![resident.bytes(), now.ms()])?;
        self.append(&work, Actor::Resident(resident), &AuditEvent::FaceAsked(resident), now)?;
        Ok(work.commit()?)
    }

    fn note_end(
        &self,
        work: &Connection,
        resident: ResidentId,
        showing: ShowingId,
        at: Timestamp,
    ) -> Result<(), VaultError> {
        let sql = "UPDATE showings SET reached_end_at = max(?2, opened_at) WHERE id = ?1 AND reached_end_at IS NULL";
        if work.execute(sql, params![showing.bytes(), at.ms()])? == 1 {
            self.append(work, Actor::Resident(resident), &AuditEvent::NoticeReachedEnd(showing), at)?;
        }
        Ok(())
    }
}

/// Whether a refusal stands.
pub(super) fn refusal_stands(view: &Connection, resident: ResidentId) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM refusals WHERE resident = ?1 AND lifted_at IS NULL)";
    Ok(view.query_row(sql, [resident.bytes()], |row| row.get(0))?)
}

/// Whether this exact text was on this person's screen to its end.
pub(super) fn was_read(view: &Connection, resident: ResidentId, sha256: &[u8; 32]) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM showings WHERE resident = ?1 AND text_sha256 = ?2
         AND reached_end_at IS NOT NULL)";
    Ok(view.query_row(sql, params![resident.bytes(), sha256], |row| row.get(0))?)
}

fn showing_resident(view: &Connection, showing: ShowingId) -> Result<Option<ResidentId>, VaultError> {
    let sql = "SELECT resident FROM showings WHERE id = ?1";
    Ok(view.query_row(sql, [showing.bytes()], |row| row.get(0).map(ResidentId::from_bytes)).optional()?)
}
