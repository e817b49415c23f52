//! Forms that are signed on paper instead of on the screen. A form is bound to the words it carries, is looked at by staff, and serves
//! one consent. It replaces the signature and nothing else. Rules: P14a, P29.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::Signature;
use crate::domain::id::{ConsentId, FormId, ResidentId};
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::VaultError;
use super::residents::{open_text, resident_is_known};

/// Longest time between the printing of a form and its use, in milliseconds: one visit.
const FORM_MS_MAX: i64 = 24 * 3_600_000;

/// A form as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormRow {
    /// Whose.
    pub resident: ResidentId,
    /// The form, byte for byte as printed.
    pub body: String,
    /// Whether staff looked at the signed form.
    pub seen: bool,
    /// The consent it was used for.
    pub consent: Option<ConsentId>,
}

impl Vault {
    /// Records a form that the resident asked for: `words` is the one sentence or statement that is signed, `body` what is printed.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::IdUsed`], and those of the disk.
    pub fn record_form(
        &mut self,
        form: FormId,
        resident: ResidentId,
        words: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        if !resident_is_known(&work, resident)? {
            return Err(VaultError::Unknown);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM paper_forms WHERE id = ?1)";
        if work.query_row(sql, [form.bytes()], |row| row.get(0))? {
            return Err(VaultError::IdUsed);
        }
        let sealed = self.person_key(resident)?.seal(&place(form), body.as_bytes())?;
        let digest: [u8; 32] = Sha256::digest(words.as_bytes()).into();
        let sql = "INSERT INTO paper_forms (id, resident, words_sha256, body, made_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        work.execute(sql, params![form.bytes(), resident.bytes(), digest, sealed, now.ms()])?;
        let printed = Some(Sha256::digest(body.as_bytes()).into());
        self.append_with(&work, Actor::Resident(resident), &AuditEvent::FormMade(form), None, printed, now)?;
        Ok(work.commit()?)
    }

    /// Records that staff looked at the signed form. Consents to nothing.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_form_seen(&mut self, form: FormId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let known = work.query_row("SELECT seen_at FROM paper_forms WHERE id = ?1", [form.bytes()], |r| r.get(0));
        let seen_at: Option<i64> = known?;
        if seen_at.is_none() {
            let sql = "UPDATE paper_forms SET seen_by = ?2, seen_at = ?3 WHERE id = ?1";
            work.execute(sql, params![form.bytes(), self.staff.bytes(), now.ms()])?;
            self.append(&work, Actor::Staff(self.staff), &AuditEvent::FormSeen(form), now)?;
        }
        Ok(work.commit()?)
    }

    /// One form.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn form(&self, form: FormId) -> Result<Option<FormRow>, VaultError> {
        let sql = "SELECT resident, body, seen_at, consent FROM paper_forms WHERE id = ?1";
        type Row = ([u8; 16], Vec<u8>, Option<i64>, Option<[u8; 16]>);
        let found: Option<Row> = self
            .main
            .query_row(sql, [form.bytes()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
            .optional()?;
        let Some((resident, body, seen_at, consent)) = found else { return Ok(None) };
        let resident = ResidentId::from_bytes(resident);
        let body = open_text(&self.person_key(resident)?, &place(form), &body)?.to_string();
        let consent = consent.map(ConsentId::from_bytes);
        Ok(Some(FormRow { resident, body, seen: seen_at.is_some(), consent }))
    }
}

/// A signature on paper: the form is this person's, carries these words, was seen, is of today and was not used before.
pub(super) fn check(
    work: &Connection,
    signature: &Signature,
    resident: ResidentId,
    words: [u8; 32],
    now: Timestamp,
) -> Result<(), VaultError> {
    let Signature::Paper(form) = signature else { return Ok(()) };
    let sql = "SELECT EXISTS (SELECT 1 FROM paper_forms WHERE id = ?1 AND resident = ?2 AND words_sha256 = ?3
         AND seen_at IS NOT NULL AND consent IS NULL AND made_at >= ?4)";
    let since = now.plus_ms(-FORM_MS_MAX).ms();
    let fits: bool = work.query_row(sql, params![form.bytes(), resident.bytes(), words, since], |row| row.get(0))?;
    if fits { Ok(()) } else { Err(VaultError::FormWrong) }
}

/// A form serves one consent.
pub(super) fn use_up(work: &Connection, signature: &Signature, consent: ConsentId) -> Result<(), VaultError> {
    let Signature::Paper(form) = signature else { return Ok(()) };
    let sql = "UPDATE paper_forms SET consent = ?2 WHERE id = ?1 AND consent IS NULL";
    match work.execute(sql, params![form.bytes(), consent.bytes()])? {
        1 => Ok(()),
        _ => Err(VaultError::FormWrong),
    }
}

fn place(form: FormId) -> Vec<u8> {
    format!("paper_forms/{form}/body").into_bytes()
}
