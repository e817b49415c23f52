//! Reading everything that the desk holds about one person, in one transaction that also logs the look. Rules: P45a, P45b.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::card::CardUid;
use crate::domain::consent::Signature;
use crate::domain::id::{CardId, ConsentId, GateId, OpId, ResidentId, ShowingId, StaffId, TemplateId};
use crate::domain::resident::PersonName;
use crate::domain::rights::{Given, RightsEvent};
use crate::domain::role::JoinWhy;
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::hex;
use crate::evidence::record::LogRecord;

use super::Vault;
use super::changes::band_word;
use super::dossier::{Capture, Card, Consent, Dossier, Entry, Held, Message, Refusal, Registered, Showing, ShownText};
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use super::held_parties::{self, PartyOf, ReadHow};
use super::joins;
use super::openings::PersonKeys;

impl Vault {
    /// Puts together everything held about one person, and logs that it was given: by staff, or to the person whose card lies on the
    /// reader. The log entry of this very look is in it. On the staff window the numbers that gates know are left out; the person's own
    /// copy has them, and when staff make that copy, it is logged as a name put together with a number.
    ///
    /// # Errors
    /// For staff, [`VaultError::ApprovalNeeded`] or [`VaultError::RecordShut`] unless they have that record open; [`VaultError::Unknown`],
    /// [`VaultError::Corrupt`], and those of the disk.
    pub fn everything_held(
        &mut self,
        resident: ResidentId,
        how: Given,
        by_staff: bool,
        now: Timestamp,
    ) -> Result<Dossier, VaultError> {
        if by_staff {
            self.check_looked_at(resident, now)?;
        }
        let work = self.begin()?;
        let who = if by_staff { Actor::Staff(self.staff) } else { Actor::Resident(resident) };
        self.append(&work, who, &AuditEvent::Rights(RightsEvent::Given(resident, how)), now)?;
        let on_screen = by_staff && how == Given::Shown;
        if by_staff && !on_screen && joins::has_number(&work, resident)? {
            // The person's own copy is whole, and staff have it in hand for a moment: that is said aloud.
            self.note_join(&work, resident, JoinWhy::Copy, now)?;
        }
        let mut dossier = self.read_dossier(&work, resident, now)?;
        work.commit()?;
        if on_screen {
            dossier.leave_numbers_out();
        }
        Ok(dossier)
    }

    fn read_dossier(&self, view: &Connection, id: ResidentId, now: Timestamp) -> Result<Dossier, VaultError> {
        let names = self.gate_names(view)?;
        let name_of = |gate: GateId| {
            names.iter().find(|(known, _)| *known == gate).map_or_else(|| gate.short(), |(_, name)| name.clone())
        };
        let person = self.read_registered(view, id)?;
        let cards = self.read_cards(view, id, &name_of)?;
        let notices = self.read_showings(view, id)?;
        let (answers, forms) = (held_parties::read_answers(view, id)?, self.read_forms(view, id)?);
        let texts = read_texts(view, id)?;
        let refusals = read_refusals(view, id)?;
        let consents = self.read_consents(view, id, &name_of)?;
        let messages = read_messages(view, id, &name_of)?;
        let requests = self.requests_of(view, id)?;
        let mut ids: BTreeSet<String> = BTreeSet::from([id.to_string()]);
        ids.extend(notices.iter().map(|n| n.id.clone()));
        ids.extend(consents.iter().flat_map(|c| [c.id.clone(), c.random_number.clone()]));
        ids.extend(messages.iter().map(|m| m.op.clone()));
        ids.extend(answers.iter().map(|a| a.id.clone()).chain(forms.iter().map(|f| f.id.clone())));
        ids.extend(requests.iter().map(|r| format!("request:{}", r.number)));
        Ok(Dossier {
            taken_at: now.second_text(),
            person,
            cards,
            notices,
            texts,
            guardians: self.read_guardians(view, id)?,
            answers,
            forms,
            news: held_parties::read_news(view, id)?,
            stopped_by_change: held_parties::read_stopped(view, id, &name_of)?,
            refusals,
            consents,
            messages,
            changes: self.changes_of(view, id)?,
            requests,
            restrictions: self.restrictions_of(view, id)?,
            death: self.death_of(view, id)?,
            log: self.read_log_of(view, &[format!("resident:{id}")], &ids, "self")?,
        })
    }

    fn read_showings(&self, view: &Connection, id: ResidentId) -> Result<Vec<Showing>, VaultError> {
        let mut all = read_showings_of(view, id)?;
        for shown in &mut all {
            let showing = ShowingId::parse(&shown.id).ok_or_else(|| VaultError::corrupt(MAIN_FILE))?;
            shown.read = self.reading(showing)?.map(|read| ReadHow {
                sections_ms: read.sections_ms,
                letters_percent: read.letters_percent,
                high_contrast: read.high_contrast,
                read_aloud: read.read_aloud,
            });
            shown.record = self.read_showing_record(view, id, showing)?;
        }
        Ok(all)
    }

    fn read_registered(&self, view: &Connection, id: ResidentId) -> Result<Registered, VaultError> {
        let resident = self.read_resident(view, id)?;
        let sql = "SELECT recorded_at, (SELECT count(*) FROM resident_surnames WHERE resident = ?1)
             FROM residents WHERE id = ?1";
        let (recorded_at, search_marks): (i64, u32) =
            view.query_row(sql, [id.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let sql = "SELECT made_at FROM person_keys WHERE resident = ?1";
        let key_made_at: i64 = self
            .people_keys
            .query_row(sql, [id.bytes()], |row| row.get(0))
            .map_err(|error| VaultError::of(KEYS_FILE, &error))?;
        Ok(Registered {
            id: id.to_string(),
            name: resident.name.as_str().to_owned(),
            unit: resident.unit.as_str().to_owned(),
            age_band: band_word(resident.age_band).into(),
            next_band_on: resident.next_band_on.map(|day| day.to_string()),
            ward_since: held_parties::ward_since(view, id)?,
            ends_on: resident.ends_on.to_string(),
            recorded_at: at(recorded_at),
            key_made_at: at(key_made_at),
            search_marks,
        })
    }

    fn read_cards(
        &self,
        view: &Connection,
        id: ResidentId,
        name_of: &dyn Fn(GateId) -> String,
    ) -> Result<Vec<Card>, VaultError> {
        let sql = "SELECT id, ends_on, issued_at, ended_at FROM cards WHERE resident = ?1 ORDER BY issued_at, id";
        let mut statement = view.prepare(sql)?;
        let mut rows = statement.query([id.bytes()])?;
        let mut all = vec![];
        while let Some(row) = rows.next()? {
            let card = CardId::from_bytes(row.get(0)?);
            let sql = "SELECT gate FROM card_gates WHERE card = ?1 ORDER BY place";
            all.push(Card {
                id: card.to_string(),
                number: uid_text(&self.card_number(view, card)?),
                gates: gates_in(view, sql, card.bytes(), name_of)?,
                ends_on: CivilDate::from_epoch_days(row.get(1)?).to_string(),
                issued_at: at(row.get(2)?),
                ended_at: maybe_at(row.get(3)?),
            });
        }
        Ok(all)
    }

    fn read_consents(
        &self,
        view: &Connection,
        id: ResidentId,
        name_of: &dyn Fn(GateId) -> String,
    ) -> Result<Vec<Consent>, VaultError> {
        let sql = "SELECT id, link, notice_id, notice_version, language, text_sha256, ends_on, signed_at, evidence,
             ended_at, end_reason FROM consents WHERE resident = ?1 ORDER BY signed_at, id";
        let mut statement = view.prepare(sql)?;
        let mut rows = statement.query([id.bytes()])?;
        let mut all = vec![];
        while let Some(row) = rows.next()? {
            let consent = ConsentId::from_bytes(row.get(0)?);
            let (signature, party) = (self.consent_signature(consent)?, self.read_party(view, consent)?);
            // Where a guardian consented, the signature is the guardian's: another person's.
            let own = !party.as_ref().is_some_and(PartyOf::is_consent_of_guardian);
            let signed_how = held_parties::how(&signature).to_owned();
            let (signed_name, signed_strokes) = match signature {
                Signature::TypedName(name) if own => (Some(name), vec![]),
                Signature::TypedName(name) => (PersonName::parse(&name).ok().map(|name| name.masked()), vec![]),
                Signature::Strokes(strokes) if own => (None, strokes),
                Signature::Strokes(_) | Signature::Paper(_) => (None, vec![]),
            };
            let evidence: Vec<u8> = row.get(8)?;
            let sql = "SELECT gate FROM consent_gates WHERE consent = ?1 ORDER BY place";
            all.push(Consent {
                id: consent.to_string(),
                random_number: TemplateId::from_bytes(row.get(1)?).to_string(),
                notice_id: row.get(2)?,
                notice_version: row.get(3)?,
                language: row.get(4)?,
                text_sha256: hex(&row.get::<_, [u8; 32]>(5)?),
                sentence: self.consent(consent)?.sentence,
                signed_how,
                signed_name,
                signed_strokes,
                party,
                gates: gates_in(view, sql, consent.bytes(), name_of)?,
                ends_on: CivilDate::from_epoch_days(row.get(6)?).to_string(),
                signed_at: at(row.get(7)?),
                signed_record_sha256: hex(&Sha256::digest(&evidence)),
                signed_record_hex: hex(&evidence),
                ended_at: maybe_at(row.get(9)?),
                end_reason: row.get(10)?,
                captures: read_captures(view, consent)?,
                held: read_held(view, consent, name_of)?,
                certificates_hex: read_certificates(view, consent)?,
            });
        }
        Ok(all)
    }

    /// The records of the log that speak of somebody: by what they did themselves, or by an id that hangs on them. Reads the whole log.
    pub(super) fn read_log_of(
        &self,
        view: &Connection,
        own: &[String],
        ids: &BTreeSet<String>,
        resident_is: &'static str,
    ) -> Result<Vec<Entry>, VaultError> {
        let names = self.gate_names(view)?;
        let name_of = |gate: GateId| {
            names.iter().find(|(known, _)| *known == gate).map_or_else(|| gate.short(), |(_, name)| name.clone())
        };
        let mut statement = view.prepare("SELECT record FROM log ORDER BY n")?;
        let mut rows = statement.query([])?;
        let mut all = vec![];
        let mut keys = PersonKeys::new(self);
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(0)?.as_blob().map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            let record = LogRecord::from_bytes(bytes).map_err(|_| VaultError::corrupt(MAIN_FILE))?;
            let record = keys.opened(view, record)?;
            if own.contains(&record.who) || record.ids.iter().any(|about| ids.contains(about)) {
                let who = match record.who.split_once(':') {
                    Some(("resident", _)) => resident_is.to_owned(),
                    Some(("guardian", _)) => "guardian".to_owned(),
                    Some(("staff", id)) => {
                        StaffId::parse(id).map(|id| self.name_of_staff(id)).transpose()?.unwrap_or_default()
                    }
                    Some(("gate", id)) => GateId::parse(id).map(&name_of).unwrap_or_default(),
                    _ => "program".to_owned(),
                };
                all.push(Entry {
                    n: record.n,
                    at: at(record.at),
                    who,
                    what: record.what,
                    why: record.label,
                    digest: record.digest,
                });
            }
        }
        Ok(all)
    }

    fn gate_names(&self, view: &Connection) -> Result<Vec<(GateId, String)>, VaultError> {
        let mut statement = view.prepare_cached("SELECT id, shown_name FROM gates")?;
        let rows = statement.query_map([], |row| Ok((GateId::from_bytes(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn read_showings_of(view: &Connection, id: ResidentId) -> Result<Vec<Showing>, VaultError> {
    let sql = "SELECT id, notice_id, notice_version, language, text_sha256, opened_at, reached_end_at
         FROM showings WHERE resident = ?1 ORDER BY opened_at, id";
    let mut statement = view.prepare(sql)?;
    let rows = statement.query_map([id.bytes()], |row| {
        Ok(Showing {
            id: ShowingId::from_bytes(row.get(0)?).to_string(),
            notice_id: row.get(1)?,
            notice_version: row.get(2)?,
            language: row.get(3)?,
            text_sha256: hex(&row.get::<_, [u8; 32]>(4)?),
            opened_at: at(row.get(5)?),
            reached_end_at: maybe_at(row.get(6)?),
            read: None,
            record: None,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_texts(view: &Connection, id: ResidentId) -> Result<Vec<ShownText>, VaultError> {
    let sql = "SELECT sha256, body FROM texts WHERE sha256 IN (SELECT text_sha256 FROM showings WHERE resident = ?1)
             OR sha256 IN (SELECT text_sha256 FROM consents WHERE resident = ?1) ORDER BY sha256";
    let mut statement = view.prepare(sql)?;
    let rows = statement
        .query_map([id.bytes()], |row| Ok(ShownText { sha256: hex(&row.get::<_, [u8; 32]>(0)?), body: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_refusals(view: &Connection, id: ResidentId) -> Result<Vec<Refusal>, VaultError> {
    let sql = "SELECT number, showing, refused_at, lifted_at FROM refusals WHERE resident = ?1 ORDER BY number";
    let mut statement = view.prepare(sql)?;
    let rows = statement.query_map([id.bytes()], |row| {
        Ok(Refusal {
            number: row.get(0)?,
            showing: ShowingId::from_bytes(row.get(1)?).to_string(),
            refused_at: at(row.get(2)?),
            lifted_at: maybe_at(row.get(3)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_captures(view: &Connection, consent: ConsentId) -> Result<Vec<Capture>, VaultError> {
    let sql = "SELECT number, begun_at, over_at, lost_at FROM captures WHERE consent = ?1 ORDER BY number";
    let mut statement = view.prepare_cached(sql)?;
    let rows = statement.query_map([consent.bytes()], |row| {
        Ok(Capture {
            number: row.get(0)?,
            begun_at: at(row.get(1)?),
            over_at: maybe_at(row.get(2)?),
            lost_at: maybe_at(row.get(3)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_certificates(view: &Connection, consent: ConsentId) -> Result<Vec<String>, VaultError> {
    let sql = "SELECT statement FROM certificates WHERE consent = ?1 AND length(statement) > 0 ORDER BY number";
    let mut statement = view.prepare_cached(sql)?;
    let rows = statement.query_map([consent.bytes()], |row| row.get::<_, Vec<u8>>(0).map(|bytes| hex(&bytes)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_held(
    view: &Connection,
    consent: ConsentId,
    name_of: &dyn Fn(GateId) -> String,
) -> Result<Vec<Held>, VaultError> {
    let sql = "SELECT gate, digest, receipt, since, recognised_at, erased_at FROM held WHERE consent = ?1 ORDER BY since, gate";
    let mut statement = view.prepare_cached(sql)?;
    let rows = statement.query_map([consent.bytes()], |row| {
        let receipt: Vec<u8> = row.get(2)?;
        Ok(Held {
            gate: name_of(GateId::from_bytes(row.get(0)?)),
            since: at(row.get(3)?),
            recognised_at: maybe_at(row.get(4)?),
            erased_at: maybe_at(row.get(5)?),
            digest: hex(&row.get::<_, [u8; 32]>(1)?),
            receipt_sha256: hex(&Sha256::digest(&receipt)),
            receipt_hex: hex(&receipt),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_messages(
    view: &Connection,
    id: ResidentId,
    name_of: &dyn Fn(GateId) -> String,
) -> Result<Vec<Message>, VaultError> {
    let sql = "SELECT sequence, op, gate, kind, consent, card, state, attempts, queued_at, settled_at, reason, receipt
         FROM outbox WHERE consent IN (SELECT id FROM consents WHERE resident = ?1)
             OR card IN (SELECT id FROM cards WHERE resident = ?1) ORDER BY sequence";
    let mut statement = view.prepare(sql)?;
    let rows = statement.query_map(params![id.bytes()], |row| {
        let receipt: Option<Vec<u8>> = row.get(11)?;
        Ok(Message {
            sequence: row.get(0)?,
            op: OpId::from_bytes(row.get(1)?).to_string(),
            gate: name_of(GateId::from_bytes(row.get(2)?)),
            kind: row.get(3)?,
            consent: row.get::<_, Option<[u8; 16]>>(4)?.map(|id| ConsentId::from_bytes(id).to_string()),
            card: row.get::<_, Option<[u8; 16]>>(5)?.map(|id| CardId::from_bytes(id).to_string()),
            state: row.get(6)?,
            attempts: row.get(7)?,
            queued_at: at(row.get(8)?),
            settled_at: maybe_at(row.get(9)?),
            reason: row.get(10)?,
            receipt_sha256: receipt.as_ref().map(|r| hex(&Sha256::digest(r))),
            receipt_hex: receipt.map(|r| hex(&r)),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn gates_in(
    view: &Connection,
    sql: &'static str,
    id: &[u8; 16],
    name_of: &dyn Fn(GateId) -> String,
) -> Result<Vec<String>, VaultError> {
    let mut statement = view.prepare_cached(sql)?;
    let rows = statement.query_map([id], |row| Ok(name_of(GateId::from_bytes(row.get(0)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn uid_text(uid: &CardUid) -> String {
    hex(uid.bytes()).to_uppercase()
}

pub(super) fn at(ms: i64) -> String {
    Timestamp::from_ms(ms).second_text()
}

pub(super) fn maybe_at(ms: Option<i64>) -> Option<String> {
    ms.map(at)
}
