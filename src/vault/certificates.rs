//! Deletion certificates: made from the gates' signed receipts and read-backs, kept as stubs of random ids, never edited. The names stand on
//! the paper that is made when it is handed over. Rules: P15, P47a, P47b, P69.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{ConsentId, GateId, OpId, ResidentId, TemplateId};
use crate::domain::time::Timestamp;
use crate::evidence::certificate::{self, CertificateFacts, GateState, GateStep, HeardBy};
use crate::evidence::{Kind, statement};
use crate::secret::random_bytes;
use crate::wire::frame::decode;
use crate::wire::message::Receipt;

use super::Vault;
use super::consents::gates_ever_named;
use super::doors;
use super::error::{MAIN_FILE, VaultError};
use super::replace::predecessors;
use super::signatures::{key_of, last_signature};

/// A certificate as it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What it says; names of gates, random ids, no person.
    pub facts: CertificateFacts,
    /// The file for `menka-verify`: signed statement, receipts, consent record.
    pub file: Vec<u8>,
    /// The signed statement (COSE_Sign1).
    pub statement: Vec<u8>,
    /// Printed or saved for the person before.
    pub handed_at: Option<Timestamp>,
}

/// A consent that ended, as staff see it: to be certified, or to be handed a supplement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub consent: ConsentId,
    /// Whose.
    pub resident: ResidentId,
    /// When.
    pub ended_at: Timestamp,
    /// Label of the reason.
    pub reason: String,
    /// It ended at this place only and the consent goes on; `None`: it ended everywhere.
    pub place: Option<GateId>,
    /// Gates that have not signed and been read back.
    pub pending: Vec<GateId>,
    /// A certificate that says more than the last one handed over waits for the person.
    pub supplement_waits: bool,
}

impl Vault {
    /// The certificate of an ended consent as things stand now. While nothing has changed since the last one, that one is given again.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when there is no such ended consent, and those of the disk.
    pub fn certificate(&mut self, consent: ConsentId, now: Timestamp) -> Result<Certificate, VaultError> {
        self.certificate_at(consent, None, now)
    }

    /// The certificate of one place at which a face ended while its consent goes on; of everything with `None`.
    ///
    /// # Errors
    /// As [`Self::certificate`].
    pub fn certificate_at(
        &mut self,
        consent: ConsentId,
        place: Option<GateId>,
        now: Timestamp,
    ) -> Result<Certificate, VaultError> {
        self.certificate_by(consent, place, self.who(), now)
    }

    /// The same, naming for whom it is made: staff, or the person at the resident window, whoever is logged in.
    ///
    /// # Errors
    /// As [`Self::certificate`].
    pub fn certificate_by(
        &mut self,
        consent: ConsentId,
        place: Option<GateId>,
        who: Actor,
        now: Timestamp,
    ) -> Result<Certificate, VaultError> {
        let work = self.begin()?;
        let issued = self.issue(&work, consent, place, who, now)?;
        work.commit()?;
        Ok(issued)
    }

    /// Notes that a certificate was printed or saved for the person.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_handed(&mut self, id: [u8; 16], now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        work.execute("UPDATE certificates SET handed_at = ?2 WHERE id = ?1", params![id, now.ms()])?;
        Ok(work.commit()?)
    }

    /// The ended consents of a person, the newest first. Consents under which no gate ever held anything are left out.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn endings_of(&self, resident: ResidentId) -> Result<Vec<Ended>, VaultError> {
        self.endings("resident = ?1", Some(resident))
    }

    /// Whose consent it was that ended, at least at one place.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when there is no such ending, and those of the disk.
    pub fn whose_ending(&self, consent: ConsentId) -> Result<ResidentId, VaultError> {
        let sql = "SELECT resident FROM consents WHERE id = ?1
             AND (ended_at IS NOT NULL OR EXISTS (SELECT 1 FROM dropped_doors WHERE consent = consents.id))";
        let found = self.main.query_row(sql, [consent.bytes()], |row| row.get(0)).optional()?;
        found.map(ResidentId::from_bytes).ok_or(VaultError::Unknown)
    }

    /// Places at which a face ended while its consent goes on: of one person, or of all; the newest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn places_ended(&self, resident: Option<ResidentId>) -> Result<Vec<Ended>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT d.consent, resident, d.gate, d.dropped_at, d.reason FROM dropped_doors AS d
             JOIN consents ON consents.id = d.consent
             WHERE consents.ended_at IS NULL AND (?1 IS NULL OR resident = ?1)
             ORDER BY d.dropped_at DESC, d.consent, d.gate",
        )?;
        let rows = statement.query_map([resident.map(|r| *r.bytes())], |row| {
            Ok(Ended {
                consent: ConsentId::from_bytes(row.get(0)?),
                resident: ResidentId::from_bytes(row.get(1)?),
                place: Some(GateId::from_bytes(row.get(2)?)),
                ended_at: Timestamp::from_ms(row.get(3)?),
                reason: row.get(4)?,
                pending: vec![],
                supplement_waits: false,
            })
        })?;
        let mut all = rows.collect::<Result<Vec<_>, _>>()?;
        for ended in &mut all {
            if let Some(gate) = ended.place {
                ended.pending = unsigned(&self.main, ended.consent, gates_at(&self.main, ended.consent, gate)?)?;
            }
            ended.supplement_waits = supplement_waits(&self.main, ended.consent, ended.place)?;
        }
        Ok(all)
    }

    /// Every ending, also of one place, with a gate that has not signed, or with a supplement that waits for its person.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn endings_open(&self) -> Result<Vec<Ended>, VaultError> {
        let mut all = self.endings("?1 IS NULL AND evidence_ended_at IS NULL", None)?;
        all.extend(self.places_ended(None)?);
        Ok(all.into_iter().filter(|e| !e.pending.is_empty() || e.supplement_waits).collect())
    }

    pub(super) fn endings(
        &self,
        condition: &'static str,
        resident: Option<ResidentId>,
    ) -> Result<Vec<Ended>, VaultError> {
        let sql = format!(
            "SELECT consents.id, resident, ended_at, end_reason FROM consents
             JOIN residents ON residents.id = consents.resident
             WHERE ended_at IS NOT NULL AND {condition} ORDER BY ended_at DESC, consents.id"
        );
        let mut statement = self.main.prepare_cached(&sql)?;
        let rows = statement.query_map([resident.map(|r| *r.bytes())], |row| {
            let ids = (ConsentId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(1)?));
            Ok((ids, Timestamp::from_ms(row.get(2)?), row.get::<_, String>(3)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let mut endings = vec![];
        for ((consent, resident), ended_at, reason) in rows {
            let pending = unsigned(&self.main, consent, gates_ever_named(&self.main, consent)?)?;
            let supplement_waits = supplement_waits(&self.main, consent, None)?;
            endings.push(Ended { consent, resident, ended_at, reason, place: None, pending, supplement_waits });
        }
        Ok(endings)
    }

    /// Every gate that must answer for a consent: those of the doors it names, those that stood there before, and any other that may have had
    /// the face.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gates_to_answer(&self, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
        gates_ever_named(&self.main, consent)
    }

    /// The gates that signed that they held the face of a consent, also those that have erased it since.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn held_ever(&self, consent: ConsentId) -> Result<Vec<GateId>, VaultError> {
        let mut statement = self.main.prepare_cached("SELECT DISTINCT gate FROM held WHERE consent = ?1")?;
        let rows = statement.query_map([consent.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Certificates ever issued for the end of a consent: whether each was complete, the oldest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn certificates_of(&self, consent: ConsentId) -> Result<Vec<bool>, VaultError> {
        self.certificates_at(consent, None)
    }

    /// The same for one place at which a face ended while its consent goes on.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn certificates_at(&self, consent: ConsentId, place: Option<GateId>) -> Result<Vec<bool>, VaultError> {
        let sql = "SELECT complete FROM certificates WHERE consent = ?1 AND gate IS ?2 ORDER BY number";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map(params![consent.bytes(), place.map(|gate| *gate.bytes())], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A gate signed that it erased. The last gate of an ended consent, and the gate of a door that was taken out, make the certificate by
    /// that, or the supplement of one that was partly done.
    pub(super) fn certify_when_complete(
        &self,
        work: &Connection,
        consent: ConsentId,
        gate: GateId,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let sql = "SELECT ended_at IS NOT NULL FROM consents WHERE id = ?1";
        let ended: bool = work.query_row(sql, [consent.bytes()], |row| row.get(0))?;
        if !ended {
            for door in doors::dropped(work, consent)? {
                let there = gates_at(work, consent, door)?;
                if there.contains(&gate) && unsigned(work, consent, there)?.is_empty() {
                    self.issue(work, consent, Some(door), Actor::Station, now)?;
                }
            }
            return Ok(());
        }
        if !unsigned(work, consent, gates_ever_named(work, consent)?)?.is_empty() {
            return Ok(());
        }
        self.issue(work, consent, None, Actor::Station, now).map(|_| ())
    }

    /// Issues a certificate inside a transaction, or gives the last one again when it says the same.
    fn issue(
        &self,
        work: &Connection,
        consent: ConsentId,
        place: Option<GateId>,
        by: Actor,
        now: Timestamp,
    ) -> Result<Certificate, VaultError> {
        let mut facts = self.certificate_facts(work, consent, place, now)?;
        let place = place.map(|gate| *gate.bytes());
        let says = says(&facts);
        type Last = ([u8; 16], [u8; 32], i64, Option<i64>, Vec<u8>, Option<[u8; 16]>);
        let sql = "SELECT id, says, issued_at, handed_at, statement, supplement_of FROM certificates
             WHERE consent = ?1 AND gate IS ?2 ORDER BY number DESC LIMIT 1";
        let last: Option<Last> = work
            .query_row(sql, params![consent.bytes(), place], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
            })
            .optional()?;
        let evidence: Vec<u8> =
            work.query_row("SELECT evidence FROM consents WHERE id = ?1", [consent.bytes()], |row| row.get(0))?;
        if let Some((id, said, issued_at, handed_at, statement, supplement_of)) = last {
            if said == says {
                facts = CertificateFacts { id, supplement_of, stated_at: Timestamp::from_ms(issued_at), ..facts };
                // The log as it was then, as signed: it has grown since.
                let read = statement::verify(&statement, &self.evidence_public())?;
                (facts.log_size, facts.log_root) = certificate::log_of(&read.payload)?;
                let handed_at = handed_at.map(Timestamp::from_ms);
                return Ok(Certificate { file: file_of(&facts, &statement, &evidence), facts, statement, handed_at });
            }
            facts.supplement_of = Some(id);
        } else if place.is_none() {
            facts.supplement_of = left_partial(work, consent)?;
        }
        self.append(work, by, &AuditEvent::ReceiptIssued(consent), now)?;
        let head = self.head(work)?;
        (facts.log_size, facts.log_root) = (head.size, head.root);
        let statement = statement::sign(&self.signer, Kind::Deletion, &certificate::statement_json(&facts))?;
        work.execute(
            "INSERT INTO certificates (id, consent, gate, supplement_of, complete, issued_at, says, statement)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                facts.id,
                consent.bytes(),
                place,
                facts.supplement_of,
                facts.is_complete(),
                now.ms(),
                says,
                statement
            ],
        )?;
        Ok(Certificate { file: file_of(&facts, &statement, &evidence), facts, statement, handed_at: None })
    }

    fn certificate_facts(
        &self,
        work: &Connection,
        consent: ConsentId,
        place: Option<GateId>,
        now: Timestamp,
    ) -> Result<CertificateFacts, VaultError> {
        let sql = match place {
            None => {
                "SELECT resident, link, ended_at, end_reason, log_n FROM consents
                 JOIN endings ON endings.consent = consents.id WHERE id = ?1 AND ended_at IS NOT NULL AND ?2 IS NULL"
            }
            Some(_) => {
                "SELECT resident, link, dropped_at, reason, log_n FROM consents
                 JOIN dropped_doors ON dropped_doors.consent = consents.id WHERE id = ?1 AND gate = ?2"
            }
        };
        type Row = ([u8; 16], [u8; 16], i64, String, i64);
        let (resident, link, ended_at, reason, log_n): Row =
            work.query_row(sql, params![consent.bytes(), place.map(|gate| *gate.bytes())], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
            })?;
        let ended_at = Timestamp::from_ms(ended_at);
        let concerned = match place {
            None => gates_ever_named(work, consent)?,
            Some(gate) => gates_at(work, consent, gate)?,
        };
        let mut gates = vec![];
        for gate in concerned {
            let sql = "SELECT shown_name, place, sign_key FROM gates WHERE id = ?1";
            let (name, place, sign_key) =
                work.query_row(sql, [gate.bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let (state, heard) = match last_erasure(work, consent, gate)? {
                Some(erased) => (erased, None),
                None => {
                    let (stop, freeze) = self.stop_of(work, gate, Some(consent), ended_at)?;
                    let heard = match freeze {
                        Some(receipt) => Some(HeardBy::Receipt(receipt)),
                        None => last_signature(work, gate)?.map(|signed| signed.by),
                    };
                    (GateState::Pending(stop), heard)
                }
            };
            // Of a gate that was paired anew under another key: the key that signed what this speaks of.
            let signed = match (&state, &heard) {
                (GateState::Erased { receipt, .. }, _) | (_, Some(HeardBy::Receipt(receipt))) => {
                    decode::<Receipt>(receipt).ok().map(|receipt| key_of(work, gate, &receipt)).transpose()?.flatten()
                }
                (_, Some(HeardBy::Head(_))) => last_signature(work, gate)?.map(|signed| signed.key),
                (_, None) => None,
            };
            let sign_key = signed.unwrap_or(sign_key);
            gates.push(GateStep { gate, name, place, sign_key, state, heard });
        }
        let head = self.head(work)?;
        Ok(CertificateFacts {
            id: random_bytes(),
            supplement_of: None,
            consent,
            resident: ResidentId::from_bytes(resident),
            template: TemplateId::from_bytes(link),
            site: self.site,
            realm: self.realm,
            reason,
            ended_at,
            stated_at: now,
            one_place: place.map(|gate| named_at(work, consent, gate)).transpose()?,
            gates,
            log_from: u64::try_from(log_n).map_err(|_| VaultError::corrupt(MAIN_FILE))?,
            log_size: head.size,
            log_root: head.root,
        })
    }
}

/// The gates that must answer for one door of a consent: the one that stands there, and those that stood there before it and had to do with
/// this consent.
fn gates_at(view: &Connection, consent: ConsentId, door: GateId) -> Result<Vec<GateId>, VaultError> {
    let ever = gates_ever_named(view, consent)?;
    let before = predecessors(view, door)?.into_iter().filter(|gate| ever.contains(gate));
    Ok(std::iter::once(door).chain(before).collect())
}

/// Those that have not signed and been read back.
fn unsigned(view: &Connection, consent: ConsentId, gates: Vec<GateId>) -> Result<Vec<GateId>, VaultError> {
    let mut pending = vec![];
    for gate in gates {
        if last_erasure(view, consent, gate)?.is_none() {
            pending.push(gate);
        }
    }
    Ok(pending)
}

/// The gate that a consent names for a door, whichever gate stands there now.
fn named_at(view: &Connection, consent: ConsentId, gate: GateId) -> Result<GateId, VaultError> {
    let sql = "SELECT gate FROM consent_gates WHERE consent = ?1 AND coalesce(taken_over_by, gate) = ?2 ORDER BY place";
    let named = view.query_row(sql, params![consent.bytes(), gate.bytes()], |row| row.get(0).map(GateId::from_bytes));
    Ok(named.optional()?.unwrap_or(gate))
}

/// Whether a certificate that says more than the last one handed over waits for the person. That of everything also says more than one of a place
/// that was handed over while its gate was away.
fn supplement_waits(view: &Connection, consent: ConsentId, place: Option<GateId>) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM certificates WHERE consent = ?1 AND gate IS ?2 AND complete = 1
         AND handed_at IS NULL AND EXISTS (SELECT 1 FROM certificates WHERE consent = ?1 AND gate IS ?2
             AND handed_at IS NOT NULL))";
    let of = params![consent.bytes(), place.map(|gate| *gate.bytes())];
    if view.prepare_cached(sql)?.query_row(of, |row| row.get(0))? {
        return Ok(true);
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM certificates WHERE consent = ?1 AND gate IS NULL AND complete = 1)
         AND NOT EXISTS (SELECT 1 FROM certificates WHERE consent = ?1 AND gate IS NULL AND handed_at IS NOT NULL)";
    let unhanded: bool = view.prepare_cached(sql)?.query_row([consent.bytes()], |row| row.get(0))?;
    Ok(place.is_none() && unhanded && left_partial(view, consent)?.is_some())
}

/// The last certificate of one place that says less than all of it and was handed over, where none that says all of it was.
fn left_partial(view: &Connection, consent: ConsentId) -> Result<Option<[u8; 16]>, VaultError> {
    let sql = "SELECT id FROM certificates AS partial
         WHERE consent = ?1 AND gate IS NOT NULL AND complete = 0 AND handed_at IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM certificates AS whole WHERE whole.consent = ?1 AND whole.gate = partial.gate
                 AND whole.complete = 1 AND whole.handed_at IS NOT NULL)
         ORDER BY number DESC LIMIT 1";
    Ok(view.prepare_cached(sql)?.query_row([consent.bytes()], |row| row.get(0)).optional()?)
}

/// The last erasure at a gate, when it was signed and read back and no newer one waits.
fn last_erasure(view: &Connection, consent: ConsentId, gate: GateId) -> Result<Option<GateState>, VaultError> {
    let mut statement = view.prepare_cached(
        "SELECT op, sequence, state, settled_at, read_back_at, receipt FROM outbox
         WHERE consent = ?1 AND gate = ?2 AND kind = 'erase' ORDER BY sequence DESC LIMIT 1",
    )?;
    type Row = ([u8; 16], i64, String, Option<i64>, Option<i64>, Option<Vec<u8>>);
    let row: Option<Row> = statement
        .query_row(params![consent.bytes(), gate.bytes()], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
        })
        .optional()?;
    let Some((op, sequence, state, Some(settled), Some(read_back), Some(receipt))) = row else { return Ok(None) };
    if state != "delivered" {
        return Ok(None);
    }
    // By the gate's own clock, as it signed.
    let at = decode::<Receipt>(&receipt).map_or(settled, |signed| signed.at);
    Ok(Some(GateState::Erased {
        op: OpId::from_bytes(op),
        sequence: sequence.unsigned_abs(),
        at: Timestamp::from_ms(at),
        read_back_at: Timestamp::from_ms(read_back),
        receipt,
    }))
}

/// What a certificate says of the gates, without its own number and time.
fn says(facts: &CertificateFacts) -> [u8; 32] {
    let blank = CertificateFacts {
        id: [0; 16],
        supplement_of: None,
        stated_at: Timestamp::default(),
        log_size: 0,
        log_root: [0; 32],
        ..facts.clone()
    };
    Sha256::digest(certificate::statement_json(&blank)).into()
}

fn file_of(facts: &CertificateFacts, statement: &[u8], evidence: &[u8]) -> Vec<u8> {
    let receipts: Vec<Vec<u8>> = facts
        .gates
        .iter()
        .filter_map(|step| match (&step.state, &step.heard) {
            (GateState::Erased { receipt, .. }, _) | (GateState::Pending(_), Some(HeardBy::Receipt(receipt))) => {
                Some(receipt.clone())
            }
            (GateState::Pending(_), Some(HeardBy::Head(_)) | None) => None,
        })
        .collect();
    certificate::file(statement, &receipts, evidence)
}
