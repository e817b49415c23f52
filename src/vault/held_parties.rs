//! The part of everything held that concerns other persons too: guardians, the answers of children and wards, forms signed on paper, news of a
//! changed notice, and how notices were read. Rules: P45a, P31a, P17b.
//!
//! On the resident's own sheet a guardian is a relation and a masked name; the name, the phone and the signature are the guardian's, and are on
//! the guardian's own sheet ([`GuardianSheet`]), where the resident is a masked name in turn. Legal basis: PIPL 45 gives each person the own
//! information; the other's is given only as far as it says who decided.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::Vault;
use super::changes::band_word;
use super::consents::{place as consent_place, signature_of};
use super::dossier::Entry;
use super::error::{MAIN_FILE, VaultError};
use super::held_about::{at, maybe_at};
use super::residents::open_text;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::Signature;
use crate::domain::guardian::Decider;
use crate::domain::id::{ConsentId, FormId, GateId, GuardianId, ResidentId, ShowingId, StaffId, ViewId};
use crate::domain::rights::{Given, RightsEvent};
use crate::domain::time::Timestamp;
use crate::evidence::hex;

/// One check of a guardian, as the guarded person sees it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct GuardianSeen {
    /// Random number of the check.
    pub id: String,
    /// `王**`; absent once the name has reached its term.
    pub masked_name: Option<String>,
    /// `father`, `mother`, ….
    pub role: String,
    /// Which kind of proof was looked at.
    pub proof: String,
    /// When.
    pub checked_at: String,
    /// By whom of the staff.
    pub checked_by: String,
    /// A newer check, or the birthday, took its place.
    pub ended_at: Option<String>,
    /// The phone was overwritten.
    pub phone_ended_at: Option<String>,
    /// Name and signature were overwritten.
    pub name_ended_at: Option<String>,
}

/// What the child or ward answered on the own page.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// Random number.
    pub id: String,
    /// About which showing.
    pub showing: String,
    /// `yes` or `no`.
    pub answer: String,
    /// When.
    pub heard_at: String,
    /// With which check of a guardian.
    pub guardian: String,
}

/// A form that was signed on paper.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Random number.
    pub id: String,
    /// SHA-256 of the one sentence or statement that is signed.
    pub words_sha256: String,
    /// The form, byte for byte as printed; in the electronic copy.
    pub body: String,
    /// Printed.
    pub made_at: String,
    /// Seen by whom of the staff.
    pub seen_by: Option<String>,
    /// When.
    pub seen_at: Option<String>,
    /// The consent it was used for.
    pub consent: Option<String>,
}

/// News of a changed notice.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct News {
    /// Version of the notice.
    pub notice_version: String,
    /// About which consent.
    pub consent: String,
    /// Whether a new consent was asked for, or only the change told.
    pub asks: bool,
    /// Told.
    pub told_at: Option<String>,
    /// `screen` or `paper`.
    pub told_on: Option<String>,
    /// `again`, `no`, `unanswered`.
    pub answer: Option<String>,
    /// When.
    pub answered_at: Option<String>,
}

/// A gate at which the face stopped with a changed notice.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct StoppedByChange {
    /// Version of the notice.
    pub notice_version: String,
    /// Under which consent.
    pub consent: String,
    /// Where.
    pub gate: String,
    /// The stop ended.
    pub ended_at: Option<String>,
}

/// How a notice was read.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ReadHow {
    /// For each section in order, how long some of it was on screen, in milliseconds.
    pub sections_ms: Vec<u64>,
    /// Size of the letters, in percent.
    pub letters_percent: u16,
    /// The high-contrast colours were on.
    pub high_contrast: bool,
    /// Some of it was read aloud.
    pub read_aloud: bool,
}

/// Who else stands behind a consent.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PartyOf {
    /// `own, guardian informed`, `guardian of a child under fourteen`, `guardian of an adult`.
    pub given_by: String,
    /// With which check of a guardian.
    pub guardian: String,
    /// The words that the guardian signed.
    pub statement: String,
    /// `typed`, `drawn`, `paper`; absent where the consent's own signature is the guardian's.
    pub signed_how: Option<String>,
    /// When.
    pub signed_at: String,
}

impl PartyOf {
    /// Whether the guardian decided, so that the consent's own signature is the guardian's.
    pub(super) fn is_consent_of_guardian(&self) -> bool {
        self.given_by != Decider::OwnInformed.label()
    }
}

/// A guardian's own sheet: what is held about the guardian under one child's or ward's record. Personal throughout.
#[derive(Clone, PartialEq, Serialize)]
pub struct GuardianSheet {
    /// When it was put together (China time).
    pub taken_at: String,
    /// Name, as typed.
    pub name: String,
    /// `小**`, and the age band.
    pub guarded: (String, String),
    /// Every check under this name and relation, the newest last, with its phone.
    pub checks: Vec<(GuardianSeen, String)>,
    /// What was signed: words, `typed`, `drawn` or `paper`, the typed name, when, and the end of the consent.
    pub signed: Vec<Signed>,
    /// Every record of the log that speaks of these checks.
    pub log: Vec<Entry>,
}

/// What a guardian signed.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// Number of the consent record.
    pub consent: String,
    /// As for [`PartyOf::given_by`].
    pub given_by: String,
    /// The words.
    pub statement: String,
    /// `typed`, `drawn`, `paper`.
    pub how: String,
    /// The typed name.
    pub typed_name: Option<String>,
    /// When.
    pub signed_at: String,
    /// The consent ended.
    pub ended_at: Option<String>,
}

impl std::fmt::Debug for GuardianSheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GuardianSheet({} checks, [REDACTED])", self.checks.len())
    }
}

impl Vault {
    /// Puts together what is held about the guardian who was checked in person a short while ago, and logs that it was given.
    ///
    /// # Errors
    /// [`VaultError::GuardianNotChecked`] unless that guardian is here, and those of the disk.
    pub fn everything_held_of_guardian(
        &mut self,
        resident: ResidentId,
        how: Given,
        now: Timestamp,
    ) -> Result<GuardianSheet, VaultError> {
        let here = self.current_guardian(resident)?.filter(|guardian| guardian.is_here(now));
        let here = here.ok_or(VaultError::GuardianNotChecked)?;
        let work = self.begin()?;
        let event = AuditEvent::Rights(RightsEvent::GuardianGiven(resident, here.id, how));
        self.append(&work, Actor::Staff(self.staff), &event, now)?;
        let who = self.read_resident(&work, resident)?;
        let (mut checks, mut ids) = (vec![], vec![]);
        for seen in self.read_guardians(&work, resident)? {
            let id = GuardianId::parse(&seen.id).ok_or_else(|| VaultError::corrupt(MAIN_FILE))?;
            let same = self.guardian(id)?.filter(|g| g.name == here.name && g.role == here.role);
            if let Some(guardian) = same {
                ids.push(id);
                checks.push((seen, guardian.phone));
            }
        }
        let signed = self.read_signed(&work, resident, &ids)?;
        let about = ids.iter().map(ToString::to_string).collect();
        let own: Vec<String> = ids.iter().map(|id| format!("guardian:{id}")).collect();
        let log = self.read_log_of(&work, &own, &about, "guarded")?;
        work.commit()?;
        Ok(GuardianSheet {
            taken_at: now.second_text(),
            name: here.name.as_str().to_owned(),
            guarded: (who.name.masked(), band_word(who.age_band).into()),
            checks,
            signed,
            log,
        })
    }

    pub(super) fn read_guardians(
        &self,
        view: &Connection,
        resident: ResidentId,
    ) -> Result<Vec<GuardianSeen>, VaultError> {
        let sql =
            "SELECT id, role, proof, checked_at, checked_by, ended_at, phone_ended_at, name_ended_at FROM guardians
             WHERE resident = ?1 ORDER BY checked_at, id";
        let mut statement = view.prepare(sql)?;
        let mut rows = statement.query([resident.bytes()])?;
        let mut all = vec![];
        while let Some(row) = rows.next()? {
            let id = GuardianId::from_bytes(row.get(0)?);
            all.push(GuardianSeen {
                id: id.to_string(),
                masked_name: self.guardian(id)?.map(|guardian| guardian.name.masked()),
                role: row.get(1)?,
                proof: row.get(2)?,
                checked_at: at(row.get(3)?),
                checked_by: self.name_of_staff(StaffId::from_bytes(row.get(4)?))?,
                ended_at: maybe_at(row.get(5)?),
                phone_ended_at: maybe_at(row.get(6)?),
                name_ended_at: maybe_at(row.get(7)?),
            });
        }
        Ok(all)
    }

    pub(super) fn read_forms(&self, view: &Connection, resident: ResidentId) -> Result<Vec<Form>, VaultError> {
        let sql = "SELECT id, words_sha256, made_at, seen_by, seen_at, consent FROM paper_forms
             WHERE resident = ?1 ORDER BY made_at, id";
        let mut statement = view.prepare(sql)?;
        let mut rows = statement.query([resident.bytes()])?;
        let mut all = vec![];
        while let Some(row) = rows.next()? {
            let id = FormId::from_bytes(row.get(0)?);
            let seen_by = row.get::<_, Option<[u8; 16]>>(3)?.map(|id| self.name_of_staff(StaffId::from_bytes(id)));
            all.push(Form {
                id: id.to_string(),
                words_sha256: hex(&row.get::<_, [u8; 32]>(1)?),
                body: self.form(id)?.map(|form| form.body).unwrap_or_default(),
                made_at: at(row.get(2)?),
                seen_by: seen_by.transpose()?,
                seen_at: maybe_at(row.get(4)?),
                consent: row.get::<_, Option<[u8; 16]>>(5)?.map(|id| ConsentId::from_bytes(id).to_string()),
            });
        }
        Ok(all)
    }

    pub(super) fn read_party(&self, view: &Connection, consent: ConsentId) -> Result<Option<PartyOf>, VaultError> {
        let sql = "SELECT consents.resident, given_by, guardian, statement, consent_parties.signature, consent_parties.signed_at
             FROM consent_parties JOIN consents ON consents.id = consent WHERE consent = ?1";
        type Row = ([u8; 16], String, [u8; 16], Vec<u8>, Option<Vec<u8>>, i64);
        let found: Option<Row> = view
            .query_row(sql, [consent.bytes()], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
            })
            .optional()?;
        let Some((resident, given_by, guardian, statement, signature, signed_at)) = found else { return Ok(None) };
        let key = self.person_key(ResidentId::from_bytes(resident))?;
        let open = |sealed: Vec<u8>| {
            let plain = key.open(&consent_place(consent, "guardian-signature"), &sealed);
            plain.and_then(|bytes| signature_of(&bytes)).ok_or_else(|| VaultError::corrupt(MAIN_FILE))
        };
        // One that has reached its term is empty.
        let signature = signature.filter(|sealed| !sealed.is_empty()).map(open).transpose()?;
        Ok(Some(PartyOf {
            given_by,
            guardian: GuardianId::from_bytes(guardian).to_string(),
            statement: open_text(&key, &consent_place(consent, "guardian-statement"), &statement)?.to_string(),
            signed_how: signature.as_ref().map(|signature| how(signature).to_owned()),
            signed_at: at(signed_at),
        }))
    }

    fn read_signed(
        &self,
        view: &Connection,
        resident: ResidentId,
        checks: &[GuardianId],
    ) -> Result<Vec<Signed>, VaultError> {
        let sql = "SELECT consents.id, consents.ended_at, consent_parties.signature FROM consents
             JOIN consent_parties ON consent = consents.id WHERE resident = ?1 ORDER BY consents.signed_at, consents.id";
        let mut statement = view.prepare(sql)?;
        let mut rows = statement.query([resident.bytes()])?;
        let mut all = vec![];
        while let Some(row) = rows.next()? {
            let consent = ConsentId::from_bytes(row.get(0)?);
            let Some(party) = self.read_party(view, consent)? else { continue };
            if !checks.iter().any(|id| id.to_string() == party.guardian) {
                continue;
            }
            let sealed: Option<Vec<u8>> = row.get(2)?;
            let signature = match sealed {
                // The guardian consented: the consent's own signature is theirs.
                None => self.consent_signature(consent)?,
                Some(sealed) => {
                    let plain = self.person_key(resident)?.open(&consent_place(consent, "guardian-signature"), &sealed);
                    plain.and_then(|bytes| signature_of(&bytes)).ok_or_else(|| VaultError::corrupt(MAIN_FILE))?
                }
            };
            all.push(Signed {
                consent: consent.to_string(),
                given_by: party.given_by,
                statement: party.statement,
                how: how(&signature).to_owned(),
                typed_name: if let Signature::TypedName(name) = signature { Some(name) } else { None },
                signed_at: party.signed_at,
                ended_at: maybe_at(row.get(1)?),
            });
        }
        Ok(all)
    }

    /// The record from which a showing was made, as it is hashed into the log; `None` for one of an early version.
    pub(super) fn read_showing_record(
        &self,
        view: &Connection,
        resident: ResidentId,
        showing: ShowingId,
    ) -> Result<Option<String>, VaultError> {
        let sql = "SELECT sealed FROM showing_records WHERE showing = ?1";
        let sealed: Option<Vec<u8>> = view.query_row(sql, [showing.bytes()], |row| row.get(0)).optional()?;
        let Some(sealed) = sealed else { return Ok(None) };
        let key = self.person_key(resident)?;
        open_text(&key, &super::showings::place(showing), &sealed).map(|text| Some(text.to_string()))
    }
}

/// How a signature was given, as a code.
pub(super) fn how(signature: &Signature) -> &'static str {
    match signature {
        Signature::TypedName(_) => "typed",
        Signature::Strokes(_) => "drawn",
        Signature::Paper(_) => "paper",
    }
}

pub(super) fn read_answers(view: &Connection, resident: ResidentId) -> Result<Vec<Answered>, VaultError> {
    let sql = "SELECT id, showing, answer, heard_at, guardian FROM views WHERE resident = ?1 ORDER BY heard_at, id";
    let mut statement = view.prepare(sql)?;
    let rows = statement.query_map([resident.bytes()], |row| {
        Ok(Answered {
            id: ViewId::from_bytes(row.get(0)?).to_string(),
            showing: ShowingId::from_bytes(row.get(1)?).to_string(),
            answer: row.get(2)?,
            heard_at: at(row.get(3)?),
            guardian: GuardianId::from_bytes(row.get(4)?).to_string(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Since when an adult counts as under guardianship.
pub(super) fn ward_since(view: &Connection, resident: ResidentId) -> Result<Option<String>, VaultError> {
    let sql = "SELECT marked_at FROM wards WHERE resident = ?1";
    Ok(view.query_row(sql, [resident.bytes()], |row| row.get(0)).optional()?.map(at))
}

pub(super) fn read_news(view: &Connection, resident: ResidentId) -> Result<Vec<News>, VaultError> {
    let sql = "SELECT major, minor, consent, asks, told_at, told_on, answer, answered_at FROM notice_news
         JOIN notice_versions ON number = version JOIN consents ON consents.id = consent
         WHERE resident = ?1 ORDER BY number, consent";
    let mut statement = view.prepare(sql)?;
    let rows = statement.query_map(params![resident.bytes()], |row| {
        Ok(News {
            notice_version: version(row.get(0)?, row.get(1)?),
            consent: ConsentId::from_bytes(row.get(2)?).to_string(),
            asks: row.get(3)?,
            told_at: maybe_at(row.get(4)?),
            told_on: row.get(5)?,
            answer: row.get(6)?,
            answered_at: maybe_at(row.get(7)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn read_stopped(
    view: &Connection,
    resident: ResidentId,
    name_of: &dyn Fn(GateId) -> String,
) -> Result<Vec<StoppedByChange>, VaultError> {
    let sql = "SELECT major, minor, consent, gate, notice_stopped.ended_at FROM notice_stopped
         JOIN notice_versions ON number = version JOIN consents ON consents.id = consent
         WHERE resident = ?1 ORDER BY number, consent, gate";
    let mut statement = view.prepare(sql)?;
    let rows = statement.query_map(params![resident.bytes()], |row| {
        Ok(StoppedByChange {
            notice_version: version(row.get(0)?, row.get(1)?),
            consent: ConsentId::from_bytes(row.get(2)?).to_string(),
            gate: name_of(GateId::from_bytes(row.get(3)?)),
            ended_at: maybe_at(row.get(4)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn version(major: i64, minor: i64) -> String {
    format!("{major}.{minor}")
}
