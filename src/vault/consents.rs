//! Consents: the row, the signed evidence and the log entry in one transaction; the witness only after it is on disk.
//! Rules: P13, P14, P16, P29, J04.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::{ConsentDraft, ConsentGranted, Signature};
use crate::domain::id::{ConsentId, FormId, GateId, ResidentId, TemplateId};
use crate::domain::notice::{Language, NoticeRef};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::{Kind, consent as record, hex, statement};

use super::Vault;
use super::audit::AuditReport;
use super::cards::has_card;
use super::error::{MAIN_FILE, VaultError};
use super::guardians;
use super::notices::{refusal_stands, was_read};
use super::outbox;
use super::own_face::correction_waits;
use super::residents::{open_text, resident_ends_on, resident_is_known};
use super::station::gate_is_stopped;
use super::versions::{asked_consent, is_stopped};

/// A current consent as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRow {
    /// Number of the record.
    pub consent: ConsentId,
    /// Whose.
    pub resident: ResidentId,
    /// The random number that gates know the template by.
    pub template: TemplateId,
    /// The exact text that was shown.
    pub notice: NoticeRef,
    /// The exact sentence beside the box.
    pub sentence: String,
    /// The gates named in it.
    pub gates: Vec<GateId>,
    /// Last day named in it.
    pub ends_on: CivilDate,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// The signed consent record (COSE_Sign1), as given to the resident and read by `menka-verify`.
    pub evidence: Vec<u8>,
}

impl Vault {
    /// Records a consent. The witness is made only after the transaction is on disk.
    ///
    /// `record_json` is what `evidence::consent::consent_json` made of the same draft and numbers; it is compared, then
    /// signed.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] resident or gate, [`VaultError::GuardianNeeded`], [`VaultError::CardNeeded`],
    /// [`VaultError::RefusalStands`], [`VaultError::NoticeNotShown`], [`VaultError::ConsentThere`],
    /// [`VaultError::NoGate`], [`VaultError::EndWrong`], [`VaultError::RecordDiffers`], [`VaultError::IdUsed`], and
    /// those of the disk.
    pub fn record_consent(
        &mut self,
        draft: &ConsentDraft,
        consent: ConsentId,
        template: TemplateId,
        record_json: &[u8],
        now: Timestamp,
    ) -> Result<ConsentGranted, VaultError> {
        let work = self.begin()?;
        self.check_draft(&work, draft, consent, template, now)?;
        self.make_way(&work, draft.resident, now)?;
        let states = record::read(record_json).map_err(|_| VaultError::RecordDiffers)?;
        if states != record::stated(draft, consent, template, self.realm) {
            return Err(VaultError::RecordDiffers);
        }
        self.check_party(&work, draft, record_json, now)?;
        let evidence = statement::sign(&self.signer, Kind::Consent, record_json)?;
        let key = self.person_key(draft.resident)?;
        let sentence = key.seal(&place(consent, "sentence"), draft.sentence.as_bytes())?;
        let signature = key.seal(&place(consent, "signature"), &signature_bytes(&draft.signature))?;
        work.execute(
            "INSERT INTO consents (id, resident, link, notice_id, notice_version, language, text_sha256, sentence,
                 signature, ends_on, signed_at, evidence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                consent.bytes(),
                draft.resident.bytes(),
                template.bytes(),
                draft.notice.id,
                draft.notice.version,
                draft.notice.language.tag(),
                draft.notice.sha256,
                sentence,
                signature,
                draft.ends_on.epoch_days(),
                draft.signed_at.ms(),
                evidence,
            ],
        )?;
        for (order, gate) in (0i64..).zip(&draft.gates) {
            let sql = "INSERT OR IGNORE INTO consent_gates (consent, gate, place) VALUES (?1, ?2, ?3)";
            work.execute(sql, params![consent.bytes(), gate.bytes(), order])?;
        }
        self.write_party(&work, draft, consent)?;
        let (who, event) = (guardians::actor(draft), AuditEvent::Consented(consent));
        self.append_with(&work, who, &event, None, Some(Sha256::digest(&evidence).into()), now)?;
        work.commit()?;
        // On disk now (synchronous = FULL), and only now.
        Ok(ConsentGranted::assert_recorded(draft.resident, consent, template, draft.gates.clone(), draft.ends_on))
    }

    /// Asks again whether a consent is current: not ended, not expired, no refusal since, and the card in force. Asked
    /// before the camera opens and before each face is sent.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`], and those of the disk.
    pub fn confirm(&self, granted: &ConsentGranted, now: Timestamp) -> Result<(), VaultError> {
        if is_current(&self.main, granted, now)? { Ok(()) } else { Err(VaultError::ConsentNotCurrent) }
    }

    /// The consent in force of a person, as a proof: read now, with every condition of [`Self::confirm`].
    ///
    /// # Errors
    /// Those of the disk.
    pub fn granted_now(&self, resident: ResidentId, now: Timestamp) -> Result<Option<ConsentGranted>, VaultError> {
        let Some(row) = self.current_consent(resident)? else { return Ok(None) };
        let granted = ConsentGranted::assert_recorded(resident, row.consent, row.template, row.gates, row.ends_on);
        Ok(is_current(&self.main, &granted, now)?.then_some(granted))
    }

    /// A proof for invented people of no vault, so that the bench can seal what no product path seals without a person. Practice builds only.
    #[cfg(feature = "practice")]
    pub fn granted_to_nobody(gate: GateId, template: TemplateId, ends_on: CivilDate) -> ConsentGranted {
        let (nobody, none) = (ResidentId::from_bytes([0; 16]), ConsentId::from_bytes([0; 16]));
        ConsentGranted::assert_recorded(nobody, none, template, vec![gate], ends_on)
    }

    /// The consent in force of a person.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn current_consent(&self, resident: ResidentId) -> Result<Option<ConsentRow>, VaultError> {
        let sql = "SELECT id FROM consents WHERE resident = ?1 AND ended_at IS NULL";
        let found = self.main.query_row(sql, [resident.bytes()], |row| row.get(0).map(ConsentId::from_bytes));
        found.optional()?.map(|consent| self.consent(consent)).transpose()
    }

    /// One consent, also an ended one.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn consent(&self, consent: ConsentId) -> Result<ConsentRow, VaultError> {
        let sql = "SELECT resident, link, notice_id, notice_version, language, text_sha256, sentence, ends_on,
                 signed_at, evidence
             FROM consents WHERE id = ?1";
        let (mut row, language, sentence) = self.main.query_row(sql, [consent.bytes()], |row| {
            let (language, sentence): (String, Vec<u8>) = (row.get(4)?, row.get(6)?);
            let notice =
                NoticeRef { id: row.get(2)?, version: row.get(3)?, language: Language::default(), sha256: row.get(5)? };
            let read = ConsentRow {
                consent,
                resident: ResidentId::from_bytes(row.get(0)?),
                template: TemplateId::from_bytes(row.get(1)?),
                notice,
                sentence: String::new(),
                gates: vec![],
                ends_on: CivilDate::from_epoch_days(row.get(7)?),
                signed_at: Timestamp::from_ms(row.get(8)?),
                evidence: row.get(9)?,
            };
            Ok((read, language, sentence))
        })?;
        let known = [Language::Chinese, Language::English].into_iter().find(|known| known.tag() == language);
        row.notice.language = known.ok_or_else(|| VaultError::corrupt(MAIN_FILE))?;
        let key = self.person_key(row.resident)?;
        row.sentence = open_text(&key, &place(consent, "sentence"), &sentence)?.to_string();
        row.gates = gates_named(&self.main, consent)?;
        Ok(row)
    }

    /// How the person signed.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::Corrupt`], and those of the disk.
    pub fn consent_signature(&self, consent: ConsentId) -> Result<Signature, VaultError> {
        let sql = "SELECT resident, signature FROM consents WHERE id = ?1";
        let (resident, sealed): ([u8; 16], Vec<u8>) =
            self.main.query_row(sql, [consent.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let key = self.person_key(ResidentId::from_bytes(resident))?;
        let plain = key.open(&place(consent, "signature"), &sealed);
        plain.and_then(|bytes| signature_of(&bytes)).ok_or_else(|| VaultError::corrupt(MAIN_FILE))
    }

    /// Records that the receipt of a consent was made: by the program itself, whoever is at the desk or is not.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_receipt_issued(&mut self, consent: ConsentId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        outbox::link_of(&work, consent)?;
        self.append(&work, Actor::Station, &AuditEvent::ReceiptIssued(consent), now)?;
        Ok(work.commit()?)
    }

    /// The conditions of a consent that only the vault can know; the draft has checked the others.
    fn check_draft(
        &self,
        work: &Connection,
        draft: &ConsentDraft,
        consent: ConsentId,
        template: TemplateId,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let resident = draft.resident;
        if !resident_is_known(work, resident)? {
            return Err(VaultError::Unknown);
        }
        if guardians::decider_in(work, resident, now.date())? != draft.party.decider() {
            return Err(VaultError::GuardianNeeded);
        }
        if !has_card(work, resident, now.date())? {
            return Err(VaultError::CardNeeded);
        }
        if refusal_stands(work, resident)? {
            return Err(VaultError::RefusalStands);
        }
        if !was_read(work, resident, &draft.notice.sha256)? {
            return Err(VaultError::NoticeNotShown);
        }
        if draft.gates.is_empty() {
            return Err(VaultError::NoGate);
        }
        for gate in &draft.gates {
            gate_is_stopped(work, *gate)?.ok_or(VaultError::Unknown)?;
        }
        if draft.ends_on < now.date() || draft.ends_on > resident_ends_on(work, resident)? {
            return Err(VaultError::EndWrong);
        }
        // A minor's term ends before the birthday on which somebody else begins to decide (M12).
        if guardians::next_band(work, resident, now.date())?.is_some_and(|birthday| draft.ends_on >= birthday) {
            return Err(VaultError::EndWrong);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM consents WHERE resident = ?1 AND ended_at IS NULL)";
        let is_there: bool = work.query_row(sql, [resident.bytes()], |row| row.get(0))?;
        // Under a changed notice the new consent takes the place of the old one (P14b); else the old one stands in its way.
        if is_there && asked_consent(work, resident)?.is_none() {
            return Err(VaultError::ConsentThere);
        }
        // A bad template goes first, everywhere; only then may there be a new one (the notice's section 11).
        if !correction_waits(work, resident)?.is_empty() {
            return Err(VaultError::OldFaceThere);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM consents WHERE id = ?1 OR link = ?2)";
        if work.query_row(sql, [consent.bytes(), template.bytes()], |row| row.get(0))? {
            return Err(VaultError::IdUsed);
        }
        Ok(())
    }

    /// Each signed consent must verify, and be the one that the log speaks of.
    pub(super) fn audit_consents(
        &self,
        view: &Connection,
        logged: &std::collections::BTreeMap<String, String>,
        without_key: &std::collections::BTreeSet<ResidentId>,
        report: &mut AuditReport,
    ) -> Result<(), VaultError> {
        let mut statement =
            view.prepare("SELECT id, evidence, resident, link, text_sha256, ends_on FROM consents ORDER BY id")?;
        let rows = statement.query_map([], |row| {
            let ids = (ConsentId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(2)?));
            let told = (TemplateId::from_bytes(row.get(3)?), row.get::<_, [u8; 32]>(4)?, row.get::<_, i64>(5)?);
            Ok((ids, row.get::<_, Vec<u8>>(1)?, told))
        })?;
        let mut kept = std::collections::BTreeSet::new();
        for row in rows {
            let ((id, resident), evidence, (link, text, ends_on)) = row?;
            let genuine = statement::verify(&evidence, &self.evidence_public()).is_ok_and(|read| {
                record::read(&read.payload).is_ok_and(|states| {
                    (states.consent, states.resident, states.template) == (id, resident, link)
                        && states.notice_sha256 == hex(&text)
                        && states.ends_on == CivilDate::from_epoch_days(ends_on).to_string()
                })
            });
            let told = without_key.contains(&resident)
                || logged.get(&id.to_string()) == Some(&hex(&Sha256::digest(&evidence)));
            if !genuine || !told {
                report.consents_broken.push(id.to_string());
            }
            kept.insert(id.to_string());
        }
        // A consent that the log speaks of and that is gone.
        report.consents_broken.extend(logged.keys().filter(|id| !kept.contains(*id)).cloned());
        Ok(())
    }
}

/// The gates that stand now at the doors named in a consent, in the order of the sentence.
pub(super) fn gates_named(view: &Connection, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
    let mut statement = view
        .prepare_cached("SELECT coalesce(taken_over_by, gate) FROM consent_gates WHERE consent = ?1 ORDER BY place")?;
    let rows = statement.query_map([consent.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every gate that must answer for a consent: those of the doors it names, and those that stood there before.
pub(super) fn gates_ever_named(view: &Connection, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
    let mut all = gates_named(view, consent)?;
    let mut statement = view.prepare_cached(
        // One that was sent a face without telling so has an erasure too: also in the middle of a chain of replacements.
        "SELECT gate FROM (SELECT gate, place FROM consent_gates WHERE consent = ?1
             UNION ALL SELECT gate, 1000 FROM held WHERE consent = ?1
             UNION ALL SELECT gate, 1001 FROM outbox WHERE consent = ?1 AND kind = 'erase') ORDER BY place, gate",
    )?;
    let rows = statement.query_map([consent.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
    for gate in rows {
        let gate = gate?;
        if !all.contains(&gate) {
            all.push(gate);
        }
    }
    Ok(all)
}

/// Whether a consent is current: not ended, not expired, given by who must decide today, no refusal, and the card in force.
pub(super) fn is_current(view: &Connection, granted: &ConsentGranted, now: Timestamp) -> Result<bool, VaultError> {
    row_is_current(view, granted.consent(), granted.resident(), granted.template(), now)
}

/// The same by the numbers of the row.
pub(super) fn row_is_current(
    view: &Connection,
    consent: ConsentId,
    resident: ResidentId,
    link: TemplateId,
    now: Timestamp,
) -> Result<bool, VaultError> {
    let mut statement = view.prepare_cached(
        "SELECT min(consents.ends_on, residents.ends_on)
         FROM consents JOIN residents ON residents.id = consents.resident
         WHERE consents.id = ?1 AND consents.resident = ?2 AND link = ?3 AND ended_at IS NULL",
    )?;
    let ids = [consent.bytes(), resident.bytes(), link.bytes()];
    let ends_on: Option<i64> = statement.query_row(ids, |row| row.get(0)).optional()?;
    let today = now.date();
    Ok(ends_on.is_some_and(|day| CivilDate::from_epoch_days(day) >= today)
        && guardians::fits(view, consent, resident, today)?
        && !refusal_stands(view, resident)?
        && !is_stopped(view, consent)?
        && has_card(view, resident, today)?)
}

pub(super) fn place(consent: ConsentId, column: &str) -> Vec<u8> {
    format!("consents/{consent}/{column}").into_bytes()
}

/// First byte says how: 1 strokes (JSON), 2 a typed name, 3 the number of a paper form.
pub(super) fn signature_bytes(signature: &Signature) -> Zeroizing<Vec<u8>> {
    match signature {
        Signature::Strokes(strokes) => {
            let kept: Vec<Vec<(u16, u16)>> = strokes
                .iter()
                .take(Signature::STROKES_MAX)
                .map(|stroke| stroke.iter().copied().take(Signature::POINTS_MAX).collect())
                .collect();
            // Numbers only: serialising them cannot fail.
            let json = Zeroizing::new(serde_json::to_vec(&kept).unwrap_or_default());
            Zeroizing::new([&[1], json.as_slice()].concat())
        }
        Signature::TypedName(name) => Zeroizing::new([&[2], name.as_bytes()].concat()),
        Signature::Paper(form) => Zeroizing::new([&[3], form.bytes().as_slice()].concat()),
    }
}

pub(super) fn signature_of(bytes: &[u8]) -> Option<Signature> {
    match bytes.split_first()? {
        (1, json) => serde_json::from_slice(json).ok().map(Signature::Strokes),
        (2, name) => String::from_utf8(name.to_vec()).ok().map(Signature::TypedName),
        (3, form) => form.try_into().ok().map(|id| Signature::Paper(FormId::from_bytes(id))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_reads_back() {
        let strokes = Signature::Strokes(vec![vec![(0, 1), (999, 1000)], vec![]]);
        let name = Signature::TypedName("司马相如".into());
        let paper = Signature::Paper(FormId::from_bytes([7; 16]));
        for signature in [strokes, name, paper] {
            assert!(signature_of(&signature_bytes(&signature)) == Some(signature));
        }
        assert!(signature_of(&[]).is_none() && signature_of(&[9, 1]).is_none() && signature_of(&[1, b'x']).is_none());
    }

    #[test]
    fn an_endless_signature_is_cut() {
        let endless = Signature::Strokes(vec![vec![(1, 1); Signature::POINTS_MAX + 5]; Signature::STROKES_MAX + 5]);
        let kept = match signature_of(&signature_bytes(&endless)) {
            Some(Signature::Strokes(strokes)) => (strokes.len(), strokes.iter().map(Vec::len).max()),
            _ => (0, None),
        };
        assert_eq!(kept, (Signature::STROKES_MAX, Some(Signature::POINTS_MAX)));
    }
}
