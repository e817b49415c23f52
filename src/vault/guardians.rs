//! Guardians, wards, what a child or ward answered, and the party of a consent. Rules: P31a, F07a, J02-3, M1, M2, M6, M11, M12.
//!
//! Deliberately absent: any way to record an answer for somebody, or to make a yes of a no.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::{ConsentDraft, EraseReason, Signature};
use crate::domain::guardian::{Decider, Guardian, GuardianDraft, GuardianRole, Party, ProofSeen, View, ViewHeard};
use crate::domain::id::{ConsentId, GuardianId, ResidentId, StaffId};
use crate::domain::resident::{AgeBand, PersonName};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::consent as record;

use super::Vault;
use super::consents::{place as consent_place, signature_bytes};
use super::error::{MAIN_FILE, VaultError};
use super::forms;
use super::residents::{band_number, open_text, resident_band, resident_is_known};

impl Vault {
    /// Who must decide about this person's face today.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn decider(&self, resident: ResidentId, now: Timestamp) -> Result<Decider, VaultError> {
        decider_in(&self.main, resident, now.date())
    }

    /// Records that a guardian was checked in person. An earlier check ends. An adult counts as under guardianship from now on; a consent
    /// that the adult gave alone ends with that.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::IdUsed`], and those of the disk.
    pub fn record_guardian(
        &mut self,
        draft: &GuardianDraft,
        id: GuardianId,
        now: Timestamp,
    ) -> Result<Guardian, VaultError> {
        let work = self.begin()?;
        if !resident_is_known(&work, draft.resident)? {
            return Err(VaultError::Unknown);
        }
        if read_guardian(self, &work, id)?.is_some() {
            return Err(VaultError::IdUsed);
        }
        let key = self.person_key(draft.resident)?;
        let name = key.seal(&place(id, "name"), draft.name.as_str().as_bytes())?;
        let phone = key.seal(&place(id, "phone"), draft.phone.as_bytes())?;
        let sql = "UPDATE guardians SET ended_at = ?2 WHERE resident = ?1 AND ended_at IS NULL";
        work.execute(sql, params![draft.resident.bytes(), now.ms()])?;
        work.execute(
            "INSERT INTO guardians (id, resident, name, phone, role, proof, checked_by, checked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                id.bytes(),
                draft.resident.bytes(),
                name,
                phone,
                draft.role.label(),
                draft.proof.label(),
                self.staff.bytes(),
                now.ms(),
            ],
        )?;
        let said = format!("{}, {}", draft.role.label(), draft.proof.label());
        let event = AuditEvent::GuardianChecked(draft.resident, id);
        self.append_with(&work, Actor::Staff(self.staff), &event, Some(&said), None, now)?;
        let guardian = read_guardian(self, &work, id)?.ok_or(VaultError::Unknown)?;
        work.commit()?;
        Ok(guardian)
    }

    /// The guardian who was last checked.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn current_guardian(&self, resident: ResidentId) -> Result<Option<Guardian>, VaultError> {
        let sql = "SELECT id FROM guardians WHERE resident = ?1 AND ended_at IS NULL";
        let found = self.main.query_row(sql, [resident.bytes()], |row| row.get(0).map(GuardianId::from_bytes));
        match found.optional()? {
            Some(id) => read_guardian(self, &self.main, id),
            None => Ok(None),
        }
    }

    /// One check of a guardian, also an ended one; `None` too when the name has reached its term.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn guardian(&self, id: GuardianId) -> Result<Option<Guardian>, VaultError> {
        read_guardian(self, &self.main, id)
    }

    /// Shown name of the account that checked a guardian.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn checker_name(&self, guardian: &Guardian) -> Result<String, VaultError> {
        Ok(self.read_staff(guardian.checked_by)?.0)
    }

    /// Marks an adult as under guardianship, or takes the mark away. A consent that somebody else should have given ends with it.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn mark_ward(&mut self, resident: ResidentId, is_ward: bool, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        if !resident_is_known(&work, resident)? {
            return Err(VaultError::Unknown);
        }
        let (sql, word) = if is_ward {
            ("INSERT OR IGNORE INTO wards (resident, marked_at) VALUES (?1, ?2)", "marked")
        } else {
            ("DELETE FROM wards WHERE resident = ?1 AND ?2 IS NOT NULL", "taken away")
        };
        if work.execute(sql, params![resident.bytes(), now.ms()])? == 1 {
            let event = AuditEvent::WardMarked(resident, word);
            self.append(&work, Actor::Staff(self.staff), &event, now)?;
            if !is_ward {
                let sql = "UPDATE guardians SET ended_at = ?2 WHERE resident = ?1 AND ended_at IS NULL";
                work.execute(sql, params![resident.bytes(), now.ms()])?;
            }
            self.end_unfitting(&work, resident, now)?;
        }
        Ok(work.commit()?)
    }

    /// Records what a child or ward answered after the rules were read to their end. A no is a refusal in the same moment.
    ///
    /// # Errors
    /// [`VaultError::GuardianNotChecked`], [`VaultError::NoticeNotShown`], [`VaultError::GuardianNeeded`] for somebody who decides alone,
    /// and those of the disk.
    pub fn record_view(&mut self, heard: &ViewHeard, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        if !decider_in(&work, heard.resident, now.date())?.hears_person() {
            return Err(VaultError::GuardianNeeded);
        }
        let guardian = here(self, &work, heard.resident, now)?;
        let sql =
            "SELECT EXISTS (SELECT 1 FROM showings WHERE id = ?1 AND resident = ?2 AND reached_end_at IS NOT NULL)";
        let read: bool = work.query_row(sql, [heard.showing.bytes(), heard.resident.bytes()], |row| row.get(0))?;
        if !read {
            return Err(VaultError::NoticeNotShown);
        }
        work.execute(
            "INSERT INTO views (id, resident, showing, guardian, answer, heard_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                heard.id.bytes(),
                heard.resident.bytes(),
                heard.showing.bytes(),
                guardian.id.bytes(),
                heard.view.label(),
                now.ms(),
            ],
        )?;
        let (who, event) = (Actor::Resident(heard.resident), AuditEvent::ViewHeard(heard.id, heard.view.label()));
        self.append(&work, who, &event, now)?;
        if heard.view == View::No {
            self.refuse(&work, heard.resident, heard.showing, who, now)?;
        }
        Ok(work.commit()?)
    }

    /// The day until which a child's or ward's own no keeps everybody from asking again, if it does.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn view_rests_until(&self, resident: ResidentId, now: Timestamp) -> Result<Option<CivilDate>, VaultError> {
        rests_until(&self.main, resident, now)
    }

    /// Who gave a consent; [`Decider::Own`] for one without a party.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn consent_given_by(&self, consent: ConsentId) -> Result<Decider, VaultError> {
        given_by(&self.main, consent)
    }

    /// The words that a guardian signed for a consent, with the check of that guardian.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn consent_statement(&self, consent: ConsentId) -> Result<Option<(Guardian, String)>, VaultError> {
        let sql = "SELECT consents.resident, guardian, statement
             FROM consent_parties JOIN consents ON consents.id = consent_parties.consent WHERE consent = ?1";
        type Row = ([u8; 16], [u8; 16], Vec<u8>);
        let found: Option<Row> =
            self.main.query_row(sql, [consent.bytes()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()?;
        let Some((resident, guardian, sealed)) = found else { return Ok(None) };
        let key = self.person_key(ResidentId::from_bytes(resident))?;
        let statement = open_text(&key, &consent_place(consent, "guardian-statement"), &sealed)?;
        let guardian = self.guardian(GuardianId::from_bytes(guardian))?;
        Ok(guardian.map(|guardian| (guardian, statement.to_string())))
    }

    /// Moves everybody whose birthday has come into the next age band, and ends a consent that stood under the old one: nobody is asked
    /// anything by that. Returns whose consents ended. Rule M12.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn pass_age_bands(&mut self, now: Timestamp) -> Result<Vec<ResidentId>, VaultError> {
        let today = now.date();
        if birthdays(&self.main, today)?.is_empty() {
            return Ok(vec![]);
        }
        let work = self.begin()?;
        let mut ended = vec![];
        for resident in birthdays(&work, today)? {
            let (band, next) = resident_band(&work, resident, today)?;
            let sql = "UPDATE residents SET age_band = ?2, next_band_on = ?3 WHERE id = ?1";
            work.execute(sql, params![resident.bytes(), band_number(band), next.map(CivilDate::epoch_days)])?;
            self.append(&work, Actor::Station, &AuditEvent::AgeBandPassed(resident), now)?;
            if band == AgeBand::Adult {
                let sql = "UPDATE guardians SET ended_at = ?2 WHERE resident = ?1 AND ended_at IS NULL";
                work.execute(sql, params![resident.bytes(), now.ms()])?;
            }
            let reason = EraseReason::NextAgeBand.label();
            if self.end_current(&work, resident, reason, Actor::Station, now)?.is_some() {
                ended.push(resident);
            }
        }
        work.commit()?;
        Ok(ended)
    }

    /// The conditions of a consent that concern who gave it, as they are on disk; and that the record states the same of the guardian.
    pub(super) fn check_party(
        &self,
        work: &Connection,
        draft: &ConsentDraft,
        record_json: &[u8],
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let words = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
        forms::check(work, &draft.signature, draft.resident, words(&draft.sentence), now)?;
        let stated = record::read_guardian(record_json).map_err(|_| VaultError::RecordDiffers)?;
        let Some(named) = draft.party.guardian() else {
            return if stated.is_none() { Ok(()) } else { Err(VaultError::RecordDiffers) };
        };
        let guardian = here(self, work, draft.resident, now)?;
        if guardian.id != named {
            return Err(VaultError::GuardianNotChecked);
        }
        if stated != Some(record::StatedGuardian::of(&guardian)) {
            return Err(VaultError::RecordDiffers);
        }
        if let Party::Informed { statement, signature, .. } = &draft.party {
            forms::check(work, signature, draft.resident, words(statement), now)?;
        }
        if let Some(view) = draft.party.view() {
            // The person's own yes: to these very rules, heard with this very guardian, and not used before.
            let sql = "SELECT EXISTS (SELECT 1 FROM views JOIN showings ON showings.id = views.showing
                 WHERE views.id = ?1 AND views.resident = ?2 AND guardian = ?3 AND answer = 'yes' AND text_sha256 = ?4
                     AND NOT EXISTS (SELECT 1 FROM consent_parties WHERE consent_parties.view = views.id))";
            let values = params![view.bytes(), draft.resident.bytes(), named.bytes(), draft.notice.sha256];
            if !work.query_row(sql, values, |row| row.get::<_, bool>(0))? {
                return Err(VaultError::ViewMissing);
            }
        }
        Ok(())
    }

    /// Writes who gave a consent, beside its row.
    pub(super) fn write_party(
        &self,
        work: &Connection,
        draft: &ConsentDraft,
        consent: ConsentId,
    ) -> Result<(), VaultError> {
        forms::use_up(work, &draft.signature, consent)?;
        let (statement, signature, signed_at) = match &draft.party {
            Party::Own => return Ok(()),
            Party::Informed { statement, signature, signed_at, .. } => (statement, Some(signature), *signed_at),
            Party::ForChild(by) | Party::ForWard(by) => (&by.statement, None, draft.signed_at),
        };
        let key = self.person_key(draft.resident)?;
        let statement = key.seal(&consent_place(consent, "guardian-statement"), statement.as_bytes())?;
        let sealed = |s: &Signature| key.seal(&consent_place(consent, "guardian-signature"), &signature_bytes(s));
        let sealed = signature.map(sealed).transpose()?;
        work.execute(
            "INSERT INTO consent_parties (consent, given_by, guardian, view, statement, signature, signed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                consent.bytes(),
                draft.party.decider().label(),
                draft.party.guardian().map(|id| *id.bytes()),
                draft.party.view().map(|id| *id.bytes()),
                statement,
                sealed,
                signed_at.ms(),
            ],
        )?;
        if let Some(signature) = signature {
            forms::use_up(work, signature, consent)?;
        }
        Ok(())
    }

    /// Ends the current consent of a person when it was not given by who must decide now.
    pub(super) fn end_unfitting(
        &self,
        work: &Connection,
        resident: ResidentId,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let sql = "SELECT id FROM consents WHERE resident = ?1 AND ended_at IS NULL";
        let found = work.query_row(sql, [resident.bytes()], |row| row.get(0).map(ConsentId::from_bytes)).optional()?;
        if let Some(consent) = found
            && !fits(work, consent, resident, now.date())?
        {
            let (reason, by) = (EraseReason::OtherDecider.label(), Actor::Staff(self.staff));
            self.end_current(work, resident, reason, by, now)?;
        }
        Ok(())
    }
}

/// Who must decide about a person's face on a day.
pub(super) fn decider_in(view: &Connection, resident: ResidentId, day: CivilDate) -> Result<Decider, VaultError> {
    let (band, _) = resident_band(view, resident, day)?;
    let sql = "SELECT EXISTS (SELECT 1 FROM wards WHERE resident = ?1)";
    Ok(Decider::of(band, view.query_row(sql, [resident.bytes()], |row| row.get(0))?))
}

/// The day on which the next age band begins.
pub(super) fn next_band(
    view: &Connection,
    resident: ResidentId,
    day: CivilDate,
) -> Result<Option<CivilDate>, VaultError> {
    Ok(resident_band(view, resident, day)?.1)
}

/// Whether a consent was given by who must decide on this day.
pub(super) fn fits(
    view: &Connection,
    consent: ConsentId,
    resident: ResidentId,
    day: CivilDate,
) -> Result<bool, VaultError> {
    Ok(given_by(view, consent)? == decider_in(view, resident, day)?)
}

/// Who stands behind a consent in the log.
pub(super) fn actor(draft: &ConsentDraft) -> Actor {
    match &draft.party {
        Party::Own | Party::Informed { .. } => Actor::Resident(draft.resident),
        Party::ForChild(by) | Party::ForWard(by) => Actor::Guardian(by.guardian),
    }
}

/// The day until which a child's or ward's no rests, if it still does.
pub(super) fn rests_until(
    view: &Connection,
    resident: ResidentId,
    now: Timestamp,
) -> Result<Option<CivilDate>, VaultError> {
    if !decider_in(view, resident, now.date())?.hears_person() {
        return Ok(None);
    }
    let sql = "SELECT max(heard_at) FROM views WHERE resident = ?1 AND answer = 'no'";
    let last: Option<i64> = view.query_row(sql, [resident.bytes()], |row| row.get(0))?;
    let until = last.map(|at| Timestamp::from_ms(at).date().plus_days(View::NO_RESTS_DAYS));
    Ok(until.filter(|until| now.date() < *until))
}

fn given_by(view: &Connection, consent: ConsentId) -> Result<Decider, VaultError> {
    let sql = "SELECT given_by FROM consent_parties WHERE consent = ?1";
    let label: Option<String> = view.query_row(sql, [consent.bytes()], |row| row.get(0)).optional()?;
    let Some(label) = label else { return Ok(Decider::Own) };
    let known = Decider::ALL.into_iter().find(|decider| decider.label() == label);
    known.ok_or_else(|| VaultError::corrupt(MAIN_FILE))
}

/// The guardian of a person who was checked a short while ago.
fn here(vault: &Vault, view: &Connection, resident: ResidentId, now: Timestamp) -> Result<Guardian, VaultError> {
    let sql = "SELECT id FROM guardians WHERE resident = ?1 AND ended_at IS NULL";
    let found = view.query_row(sql, [resident.bytes()], |row| row.get(0).map(GuardianId::from_bytes)).optional()?;
    let guardian = found.map(|id| read_guardian(vault, view, id)).transpose()?.flatten();
    guardian.filter(|guardian| guardian.is_here(now)).ok_or(VaultError::GuardianNotChecked)
}

fn read_guardian(vault: &Vault, view: &Connection, id: GuardianId) -> Result<Option<Guardian>, VaultError> {
    let damaged = || VaultError::corrupt(MAIN_FILE);
    let sql = "SELECT resident, name, phone, role, proof, checked_by, checked_at FROM guardians WHERE id = ?1";
    type Row = ([u8; 16], Vec<u8>, Vec<u8>, String, String, [u8; 16], i64);
    let found: Option<Row> = view
        .query_row(sql, [id.bytes()], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?))
        })
        .optional()?;
    let Some((resident, name, phone, role, proof, checked_by, checked_at)) = found else { return Ok(None) };
    // Overwritten at its term (`guardian_terms`): who it was is not known any more.
    if name.is_empty() {
        return Ok(None);
    }
    let resident = ResidentId::from_bytes(resident);
    let key = vault.person_key(resident)?;
    let name = open_text(&key, &place(id, "name"), &name)?;
    Ok(Some(Guardian {
        id,
        resident,
        name: PersonName::parse(&name).map_err(|_| damaged())?,
        role: GuardianRole::parse(&role).ok_or_else(damaged)?,
        proof: ProofSeen::parse(&proof).ok_or_else(damaged)?,
        phone: match phone.is_empty() {
            true => String::new(),
            false => open_text(&key, &place(id, "phone"), &phone)?.to_string(),
        },
        checked_by: StaffId::from_bytes(checked_by),
        checked_at: Timestamp::from_ms(checked_at),
    }))
}

fn place(id: GuardianId, column: &str) -> Vec<u8> {
    format!("guardians/{id}/{column}").into_bytes()
}

/// Persons whose birthday has brought them to another age band.
pub(super) fn birthdays(view: &Connection, today: CivilDate) -> Result<Vec<ResidentId>, VaultError> {
    let sql = "SELECT id FROM residents WHERE next_band_on IS NOT NULL AND next_band_on <= ?1 ORDER BY id";
    let mut statement = view.prepare_cached(sql)?;
    let rows = statement.query_map([today.epoch_days()], |row| row.get(0).map(ResidentId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
