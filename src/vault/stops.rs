//! Stopping all faces at a gate or the site, taking a gate out of use, and what stops a gate that does not answer. Cards go on in each case.
//! Rules: P51-5, P47a, P47b.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{CardId, ConsentId, GateId, OpId, ResidentId};
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::Timestamp;
use crate::evidence::certificate::Stop;
use crate::wire::frame::decode;
use crate::wire::message::{Outcome, Receipt};

use super::Vault;
use super::error::VaultError;
use super::outbox::{self, Queued};
use super::signatures::{key_of, last_signature};
use super::unpairings;

/// Hours of a gate's contact lease when neither the gate nor the site says another figure.
const OFFLINE_HOURS_USUAL: u32 = 24;
/// Contact is written down at most this often, in milliseconds; the times that are reckoned from it are later by as much.
pub(super) const CONTACT_EVERY_MS: i64 = 60_000;
/// The same after a request that was not answered.
const UNANSWERED_EVERY_MS: i64 = 1_000;

/// Of a gate: something that it must erase, or forget, is not signed for.
macro_rules! has_not_signed {
    () => {
        "(EXISTS (SELECT 1 FROM outbox WHERE outbox.gate = gates.id AND state = 'pending')
             OR EXISTS (SELECT 1 FROM unpairings WHERE unpairings.gate = gates.id AND settled_at IS NULL))"
    };
}

impl Vault {
    /// Stops all faces at a gate, or at every gate of the site. Cards go on. Returns how many gates were told.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] gate, and those of the disk.
    pub fn stop_faces(&mut self, gate: Option<GateId>, by: Actor, now: Timestamp) -> Result<usize, VaultError> {
        let work = self.begin()?;
        let told = self.stop_in(&work, gate, by, now)?;
        work.commit()?;
        Ok(told)
    }

    /// [`Self::stop_faces`] inside a transaction of this connection.
    pub(super) fn stop_in(
        &self,
        work: &Connection,
        gate: Option<GateId>,
        by: Actor,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        let stopped = self.faces_stopped()?;
        let told = face_gates(work, gate)?.into_iter().filter(|g| !stopped.contains(g)).collect::<Vec<_>>();
        if gate.is_none() && !site_stopped(work)? {
            work.execute("INSERT INTO face_stops (gate, stopped_at) VALUES (NULL, ?1)", [now.ms()])?;
        }
        for gate in &told {
            let sql = "INSERT INTO face_stops (gate, stopped_at) VALUES (?1, ?2)";
            work.execute(sql, params![gate.bytes(), now.ms()])?;
            self.append(work, by, &AuditEvent::FacesStopped(*gate), now)?;
            outbox::queue(work, *gate, Queued::Stop, now)?;
        }
        Ok(told.len())
    }

    /// When a restore stopped all faces, while nobody has taken them up since.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn stopped_by_restore(&self) -> Result<Option<Timestamp>, VaultError> {
        let Some(at) = self.restored_at()? else { return Ok(None) };
        let sql =
            "SELECT EXISTS (SELECT 1 FROM face_stops WHERE gate IS NULL AND resumed_at IS NULL AND stopped_at = ?1)";
        let stopped: bool = self.main.query_row(sql, [at.ms()], |row| row.get(0))?;
        Ok(stopped.then_some(at))
    }

    /// Lets faces be matched again at a gate, or at every gate. Returns how many gates were told. What takes up the whole site
    /// ([`Self::resumes_the_site`]) takes a second person, where there is one.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], [`VaultError::ManagerLeft`] while the facts name a manager who has left, [`VaultError::Unknown`] gate, and those of the disk.
    pub fn resume_faces(
        &mut self,
        gate: Option<GateId>,
        by: Actor,
        approval: Option<Approval>,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        let facts = match self.facts() {
            Err(VaultError::SiteFileRefused) => SiteFacts::default(),
            read => read?,
        };
        if self.manager_has_left(&facts)? {
            return Err(VaultError::ManagerLeft);
        }
        let stopped = self.faces_stopped()?;
        let work = self.begin()?;
        let told = face_gates(&work, gate)?.into_iter().filter(|g| stopped.contains(g)).collect::<Vec<_>>();
        if self.resumes_the_site(gate)? {
            self.second_person_in(&work, Act::ResumeFaces(gate), approval, now)?;
        }
        // One gate taken up again means that the site is no longer stopped as a whole.
        work.execute("UPDATE face_stops SET resumed_at = ?1 WHERE gate IS NULL AND resumed_at IS NULL", [now.ms()])?;
        for gate in &told {
            let sql = "UPDATE face_stops SET resumed_at = ?2 WHERE gate = ?1 AND resumed_at IS NULL";
            work.execute(sql, params![gate.bytes(), now.ms()])?;
            self.append(&work, by, &AuditEvent::FacesResumed(*gate), now)?;
            outbox::queue(&work, *gate, Queued::Resume, now)?;
        }
        work.commit()?;
        Ok(told.len())
    }

    /// Whether taking faces up again there lifts a stop of the whole site: every gate at once, or the first one after such a stop.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn resumes_the_site(&self, gate: Option<GateId>) -> Result<bool, VaultError> {
        Ok(gate.is_none() || site_stopped(&self.main)?)
    }

    /// A gate in use says whether all faces are stopped there. What was decided goes again to a gate that lost it; a stop that nobody here
    /// decided is recorded, so that it is seen and a supervisor can end it. Returns whether they did not agree. Nothing while something about
    /// it is on its way.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn match_stop(&mut self, gate: GateId, said: bool, now: Timestamp) -> Result<bool, VaultError> {
        let work = self.begin()?;
        let in_use = "SELECT EXISTS (SELECT 1 FROM gates WHERE id = ?1 AND retired_at IS NULL AND takes_faces = 1)";
        let in_use: bool = work.prepare_cached(in_use)?.query_row([gate.bytes()], |row| row.get(0))?;
        let stopped = self.faces_stopped()?.contains(&gate);
        if !in_use || stopped == said || self.stops_waiting()?.contains(&gate) {
            return Ok(false);
        }
        if stopped {
            outbox::queue(&work, gate, Queued::Stop, now)?;
        } else {
            let sql = "INSERT INTO face_stops (gate, stopped_at) VALUES (?1, ?2)";
            work.execute(sql, params![gate.bytes(), now.ms()])?;
            self.append(&work, Actor::Gate(gate), &AuditEvent::FacesStopped(gate), now)?;
        }
        work.commit()?;
        Ok(true)
    }

    /// Gates at which all faces are stopped.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn faces_stopped(&self) -> Result<Vec<GateId>, VaultError> {
        let sql = "SELECT DISTINCT gate FROM face_stops WHERE gate IS NOT NULL AND resumed_at IS NULL";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get(0).map(GateId::from_bytes))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Gates that have not signed for the last stop or resumption.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn stops_waiting(&self) -> Result<Vec<GateId>, VaultError> {
        let sql =
            "SELECT DISTINCT gate FROM outbox WHERE kind IN ('stop', 'resume') AND state IN ('pending', 'wedged')";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get(0).map(GateId::from_bytes))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A gate that is paired while the site is stopped starts stopped.
    pub(super) fn stop_newcomer(&self, work: &Connection, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
        let known: bool = work.query_row(
            "SELECT EXISTS (SELECT 1 FROM face_stops WHERE gate = ?1 AND resumed_at IS NULL)",
            [gate.bytes()],
            |row| row.get(0),
        )?;
        if known || site_stopped(work)? {
            if !known {
                let sql = "INSERT INTO face_stops (gate, stopped_at) VALUES (?1, ?2)";
                work.execute(sql, params![gate.bytes(), now.ms()])?;
                self.append(work, Actor::Station, &AuditEvent::FacesStopped(gate), now)?;
            }
            outbox::queue(work, gate, Queued::Stop, now)?;
        }
        Ok(())
    }

    /// Takes a gate out of use: its door leaves every consent (the last door ends it), every card leaves the gate, and the gate is served
    /// only until it has signed for that and has forgotten this station. Returns how many persons had a face there.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`] unless a second person approved or there is none, [`VaultError::Unknown`], and those of the disk.
    pub fn retire_gate(
        &mut self,
        gate: GateId,
        by: Actor,
        approval: Option<Approval>,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        let work = self.begin()?;
        self.second_person_in(&work, Act::RetireGate(gate), approval, now)?;
        let sql = "UPDATE gates SET retired_at = ?2 WHERE id = ?1 AND retired_at IS NULL";
        if work.execute(sql, params![gate.bytes(), now.ms()])? == 0 {
            return Err(VaultError::Unknown);
        }
        self.append(&work, by, &AuditEvent::GateRetired(gate), now)?;
        let faces = self.drop_door_everywhere(&work, gate, by, now)?;
        let cards: Vec<CardId> = {
            let mut statement = work.prepare(
                "SELECT cards.id FROM cards JOIN card_gates ON card_gates.card = cards.id
                 WHERE gate = ?1 AND ended_at IS NULL ORDER BY cards.id",
            )?;
            let rows = statement.query_map([gate.bytes()], |row| row.get(0).map(CardId::from_bytes))?;
            rows.collect::<Result<_, _>>()?
        };
        for card in cards {
            let sql = "DELETE FROM card_gates WHERE card = ?1 AND gate = ?2";
            work.execute(sql, params![card.bytes(), gate.bytes()])?;
            outbox::queue(&work, gate, Queued::RemoveCard(card), now)?;
        }
        unpairings::ask(&work, gate, now)?;
        self.settle_former(&work, gate, now)?;
        work.commit()?;
        Ok(faces)
    }

    /// Takes a door out of every consent in force that names it; the last door ends the consent. Returns how many persons that concerns.
    pub(super) fn drop_door_everywhere(
        &self,
        work: &Connection,
        gate: GateId,
        by: Actor,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        let faces: Vec<(ResidentId, ConsentId)> = {
            let mut statement = work.prepare(
                "SELECT resident, consents.id FROM consents JOIN consent_gates ON consent_gates.consent = consents.id
                 WHERE coalesce(taken_over_by, gate) = ?1 AND ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM dropped_doors
                     WHERE dropped_doors.consent = consents.id AND dropped_doors.gate = ?1) ORDER BY consents.id",
            )?;
            let rows = statement.query_map([gate.bytes()], |row| {
                Ok((ResidentId::from_bytes(row.get(0)?), ConsentId::from_bytes(row.get(1)?)))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        for face in &faces {
            self.drop_in(work, *face, gate, EraseReason::GateRetired, by, now)?;
        }
        Ok(faces.len())
    }

    /// Gates that must still be served: those in use, and retired ones that have not signed for everything.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gates_to_serve(&self) -> Result<Vec<GateRecord>, VaultError> {
        // Where another gate has its address now, the old one is met only if that one is not there ([`Self::former_gates_at`]).
        self.gates_where(concat!(
            "retired_at IS NULL OR (",
            has_not_signed!(),
            " AND NOT EXISTS (SELECT 1 FROM gates AS other WHERE other.retired_at IS NULL AND other.address = gates.address))"
        ))
    }

    /// Gates out of use that have not signed yet that they hold nobody any more.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gates_to_meet(&self) -> Result<Vec<GateRecord>, VaultError> {
        self.gates_where(concat!("retired_at IS NOT NULL AND ", has_not_signed!()))
    }

    /// Gates out of use that were met last at an address.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn former_gates_at(&self, address: &str) -> Result<Vec<GateRecord>, VaultError> {
        let mut former = self.gates_where("retired_at IS NOT NULL")?;
        former.retain(|gate| gate.address == address);
        Ok(former)
    }

    /// Writes down where a gate out of use has just proved its own keys. Nothing but erasures and the end of its pairing goes there, so a
    /// stop after a changed key (another gate may have stood at its address before it was taken out of use) is over for it. What waits for it
    /// goes at once; its lease runs anew.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when it is not out of use, and those of the disk.
    pub fn record_met(&mut self, gate: GateId, address: &str, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE gates SET address = ?2, key_changed_at = NULL, contact_at = ?3
             WHERE id = ?1 AND retired_at IS NOT NULL";
        if work.execute(sql, params![gate.bytes(), address, now.ms()])? == 0 {
            return Err(VaultError::Unknown);
        }
        let sql = "UPDATE outbox SET not_before = ?2 WHERE gate = ?1 AND state = 'pending' AND not_before > ?2";
        work.execute(sql, params![gate.bytes(), now.ms()])?;
        Ok(work.commit()?)
    }

    /// Every gate that was ever paired, for the names on papers.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gates_ever(&self) -> Result<Vec<GateRecord>, VaultError> {
        self.gates_where("1")
    }

    /// Writes down that a gate answered, or (with `maybe`) may have heard a request that was not answered: its lease counts from there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_contact(&mut self, gate: GateId, hours: Option<u32>, now: Timestamp) -> Result<(), VaultError> {
        let sql = "SELECT contact_at, offline_hours FROM gates WHERE id = ?1";
        let known: Option<(Option<i64>, Option<u32>)> =
            self.main.query_row(sql, [gate.bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((at, before)) = known else { return Ok(()) };
        // A gate that may have heard a request without answering it may also have heard it late.
        let every = if hours.is_some() { CONTACT_EVERY_MS } else { UNANSWERED_EVERY_MS };
        let fresh = at.is_some_and(|at| (0..every).contains(&now.ms().saturating_sub(at)));
        if fresh && (hours.is_none() || hours == before) {
            return Ok(());
        }
        let work = self.begin()?;
        work.execute(
            "UPDATE gates SET contact_at = ?2, offline_hours = coalesce(?3, offline_hours) WHERE id = ?1",
            params![gate.bytes(), now.ms(), hours],
        )?;
        Ok(work.commit()?)
    }

    /// From when on, at the latest, a face of a consent (of any, with `None`) whose erasure was asked for at `since` opens nothing at a gate that
    /// has not signed. `None` while the gate answers and refuses, and nothing is known to stop the face there.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn stops_at(
        &self,
        gate: GateId,
        consent: Option<ConsentId>,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, VaultError> {
        Ok(self.stop_of(&self.main, gate, consent, since)?.0.stops_at())
    }

    /// What stops a face at a gate that has not signed for an erasure asked for at `since`, and the gate's receipt where that is the stop.
    pub(super) fn stop_of(
        &self,
        view: &Connection,
        gate: GateId,
        consent: Option<ConsentId>,
        since: Timestamp,
    ) -> Result<(Stop, Option<Vec<u8>>), VaultError> {
        let refused = refuses(view, gate, consent)?;
        let entry = self.switch_off(view, gate, since)?;
        // What was typed is stated unless the gate's own word is later. That it matches faces is written down once a minute.
        let heard_at = self.heard_matching(view, gate, CONTACT_EVERY_MS)?;
        if let Some(entry) = entry.as_ref().filter(|entry| heard_at.is_none_or(|heard| heard <= entry.at)) {
            return Ok((Stop::SwitchedOff { at: entry.at }, None));
        }
        if let (true, Some(consent)) = (refused, consent)
            && let Some((stop, receipt)) = frozen(view, gate, consent)?
        {
            return Ok((stop, Some(receipt)));
        }
        if let Some(entry) = entry {
            let at = heard_at.map_or(entry.at, |heard| heard.max(entry.at));
            return Ok((Stop::SwitchedOff { at }, None));
        }
        let sql = "SELECT coalesce(contact_at, paired_at), offline_hours FROM gates WHERE id = ?1";
        let (contact, hours): (i64, Option<u32>) =
            view.query_row(sql, [gate.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // Rather later than the truth: contact is written down once a minute; and never earlier than what the gate itself has signed.
        let written = Timestamp::from_ms(contact).plus_ms(CONTACT_EVERY_MS);
        let signed = last_signature(view, gate)?.map(|signed| signed.at);
        let contact_at = signed.map_or(written, |signed| signed.max(written));
        if refused {
            return Ok((Stop::Refused { contact_at }, None));
        }
        let hours = match hours {
            Some(hours) => hours,
            None => match self.facts() {
                Err(VaultError::SiteFileRefused) => OFFLINE_HOURS_USUAL,
                read => read?.get(Fact::OfflineHours).trim().parse().unwrap_or(OFFLINE_HOURS_USUAL),
            },
        };
        Ok((Stop::Lease { contact_at, hours }, None))
    }
}

/// Whether a gate was heard and did not take an erasure: for good, or so often that it is noted. Its lease is renewed each time.
fn refuses(view: &Connection, gate: GateId, consent: Option<ConsentId>) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE gate = ?1 AND kind = 'erase' AND (?2 IS NULL OR consent = ?2)
         AND (state = 'wedged' OR (state = 'pending' AND reason IS NOT NULL)))";
    let of = params![gate.bytes(), consent.map(|consent| *consent.bytes())];
    Ok(view.prepare_cached(sql)?.query_row(of, |row| row.get(0))?)
}

/// The freeze of a template that a gate signed for and that nothing took back.
fn frozen(view: &Connection, gate: GateId, consent: ConsentId) -> Result<Option<(Stop, Vec<u8>)>, VaultError> {
    let sql = "SELECT kind, op, sequence, receipt FROM outbox WHERE consent = ?1 AND gate = ?2
         AND kind IN ('freeze', 'thaw') AND state = 'delivered' ORDER BY sequence DESC LIMIT 1";
    type Row = (String, [u8; 16], i64, Option<Vec<u8>>);
    let row: Option<Row> = view
        .prepare_cached(sql)?
        .query_row(params![consent.bytes(), gate.bytes()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
        .optional()?;
    let Some((kind, op, sequence, Some(bytes))) = row else { return Ok(None) };
    let Ok(receipt) = decode::<Receipt>(&bytes) else { return Ok(None) };
    let signed = receipt.gate == *gate.bytes() && receipt.op == op && key_of(view, gate, &receipt)?.is_some();
    if kind != "freeze" || receipt.outcome != Outcome::FaceFrozen || !signed {
        return Ok(None);
    }
    let at = Timestamp::from_ms(receipt.at);
    Ok(Some((Stop::Frozen { op: OpId::from_bytes(op), sequence: sequence.unsigned_abs(), at }, bytes)))
}

/// A gate does not take an erasure: it is told to match that number no more, once, and its receipt for that is the stop.
pub(super) fn freeze_instead(
    work: &Connection,
    gate: GateId,
    consent: ConsentId,
    now: Timestamp,
) -> Result<(), VaultError> {
    let sql = "SELECT kind FROM outbox WHERE consent = ?1 AND gate = ?2 AND kind IN ('freeze', 'thaw')
         AND state IN ('pending', 'wedged', 'delivered') ORDER BY sequence DESC LIMIT 1";
    let last: Option<String> =
        work.prepare_cached(sql)?.query_row(params![consent.bytes(), gate.bytes()], |row| row.get(0)).optional()?;
    if last.as_deref() != Some("freeze") {
        outbox::queue(work, gate, Queued::Freeze(consent), now)?;
    }
    Ok(())
}

fn face_gates(view: &Connection, gate: Option<GateId>) -> Result<Vec<GateId>, VaultError> {
    let mut statement =
        view.prepare("SELECT id FROM gates WHERE retired_at IS NULL AND takes_faces = 1 ORDER BY id")?;
    let all: Vec<GateId> =
        statement.query_map([], |row| row.get(0).map(GateId::from_bytes))?.collect::<Result<_, _>>()?;
    match gate {
        None => Ok(all),
        Some(gate) if all.contains(&gate) => Ok(vec![gate]),
        Some(_) => Err(VaultError::Unknown),
    }
}

fn site_stopped(view: &Connection) -> Result<bool, VaultError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM face_stops WHERE gate IS NULL AND resumed_at IS NULL)";
    Ok(view.query_row(sql, [], |row| row.get(0))?)
}
