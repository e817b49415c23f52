//! A gate takes the place of another at the same door. One transaction: the old gate is out of use, the door's cards are rewritten, and the
//! consents that name the door name its new gate; the faces follow by `fills`, from gates that hold them. Rules: P19, P47, P51-4.
//!
//! Deliberately absent: any face for a door that a consent does not name; any contact with the people who must be asked again.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{CardId, ConsentId, GateId, ResidentId};
use crate::domain::relay::{INVITED_A_PAGE, Replacement};
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::VaultError;
use super::outbox::{self, Queued};
use super::residents::FoundRow;

/// Most gates that stood at one door one after the other.
const CHAIN_MAX: usize = 64;
impl Vault {
    /// Puts a gate in the place of another: same door, same place, other keys. What is said of the door stays as it was.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`] when something else was approved, [`VaultError::Unknown`] when the old gate is not in use,
    /// [`VaultError::IdUsed`] when the new one is a gate of this site already, and those of the disk.
    pub fn replace_gate(
        &mut self,
        old: GateId,
        new: &GateRecord,
        approval: Approval,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let approver = approval.spend(Act::ReplaceGate(old)).ok_or(VaultError::ApprovalNeeded)?;
        let ever = self.gates_ever()?;
        let door = self.gates()?.into_iter().find(|gate| gate.id == old).ok_or(VaultError::Unknown)?;
        if ever.iter().any(|gate| gate.id == new.id || gate.tls_pin == new.tls_pin) {
            return Err(VaultError::IdUsed);
        }
        let work = self.begin()?;
        work.execute(
            "INSERT INTO gates (id, shown_name, place, capture_area, other_way, why_needed, address, tls_pin, seal_key,
                 sign_key, takes_faces, paired_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                new.id.bytes(),
                door.name,
                door.place,
                door.capture_area,
                door.other_way,
                door.why_needed,
                new.address,
                new.tls_pin,
                new.seal_key,
                new.sign_key,
                new.takes_faces,
                now.ms(),
            ],
        )?;
        let sql = "INSERT INTO replacements (gate, replaces, begun_at) VALUES (?1, ?2, ?3)";
        work.execute(sql, params![new.id.bytes(), old.bytes(), now.ms()])?;
        // From here on the old gate's keys are good for nothing but the receipt of an erasure or a removal.
        work.execute("UPDATE gates SET retired_at = ?2 WHERE id = ?1", params![old.bytes(), now.ms()])?;
        let by = Actor::Staff(self.staff);
        self.append(&work, by, &AuditEvent::GatePaired(new.id), now)?;
        self.append_with(&work, by, &AuditEvent::GateReplaced(old, new.id), Some(&approver.short()), None, now)?;
        // Should it ever answer again: after its erasures it forgets everybody and this station.
        super::unpairings::ask(&work, old, now)?;
        self.stop_newcomer_like(&work, old, new.id, now)?;
        self.move_cards(&work, old, new.id, now)?;
        self.move_consents(&work, old, new.id, now)?;
        work.execute(
            "INSERT INTO signs (gate, words_sha256, posted_on, entered_at, staff)
             SELECT ?2, words_sha256, posted_on, entered_at, staff FROM signs WHERE gate = ?1 ORDER BY number",
            params![old.bytes(), new.id.bytes()],
        )?;
        Ok(work.commit()?)
    }

    /// All faces stay stopped at the door, if they were.
    fn stop_newcomer_like(
        &self,
        work: &Connection,
        old: GateId,
        new: GateId,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        work.execute(
            "UPDATE face_stops SET gate = ?2 WHERE gate = ?1 AND resumed_at IS NULL",
            params![old.bytes(), new.bytes()],
        )?;
        self.stop_newcomer(work, new, now)
    }

    /// Every card of the door goes to the new gate at once.
    fn move_cards(&self, work: &Connection, old: GateId, new: GateId, now: Timestamp) -> Result<(), VaultError> {
        let cards: Vec<CardId> = {
            let mut statement = work.prepare(
                "SELECT cards.id FROM cards JOIN card_gates ON card_gates.card = cards.id
                 WHERE gate = ?1 AND ended_at IS NULL ORDER BY cards.id",
            )?;
            let rows = statement.query_map([old.bytes()], |row| row.get(0).map(CardId::from_bytes))?;
            rows.collect::<Result<_, _>>()?
        };
        for card in cards {
            let sql = "UPDATE card_gates SET gate = ?3 WHERE card = ?1 AND gate = ?2";
            work.execute(sql, params![card.bytes(), old.bytes(), new.bytes()])?;
            outbox::queue(work, old, Queued::RemoveCard(card), now)?;
            outbox::queue(work, new, Queued::PutCard(card), now)?;
        }
        Ok(())
    }

    /// Consents that name the door name its new gate. What the old one holds is to be erased there, if it ever answers again. Whose face
    /// no other gate has must be asked anew: that consent ends.
    fn move_consents(&self, work: &Connection, old: GateId, new: GateId, now: Timestamp) -> Result<(), VaultError> {
        let named: Vec<(ConsentId, ResidentId, bool)> = {
            let mut statement = work.prepare(
                "SELECT consents.id, resident,
                     EXISTS (SELECT 1 FROM held WHERE held.consent = consents.id AND gate = ?1 AND erased_at IS NULL)
                 FROM consents JOIN consent_gates AS named ON named.consent = consents.id
                 WHERE coalesce(named.taken_over_by, named.gate) = ?1 AND ended_at IS NULL
                     AND NOT EXISTS (SELECT 1 FROM dropped_doors AS d WHERE d.consent = consents.id AND d.gate = ?1)
                 ORDER BY consents.id",
            )?;
            let rows = statement.query_map([old.bytes()], |row| {
                Ok((ConsentId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(1)?), row.get(2)?))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        for (consent, resident, held) in named {
            let elsewhere: bool = work.query_row(
                "SELECT EXISTS (SELECT 1 FROM held JOIN gates ON gates.id = held.gate
                     WHERE consent = ?1 AND gate <> ?2 AND erased_at IS NULL AND retired_at IS NULL)",
                params![consent.bytes(), old.bytes()],
                |row| row.get(0),
            )?;
            if held && !elsewhere {
                self.end_current(work, resident, EraseReason::GateRetired.label(), Actor::Staff(self.staff), now)?;
                continue;
            }
            work.execute(
                "UPDATE consent_gates SET taken_over_by = ?3 WHERE consent = ?1 AND coalesce(taken_over_by, gate) = ?2",
                params![consent.bytes(), old.bytes(), new.bytes()],
            )?;
            work.execute(
                "UPDATE notice_stopped SET gate = ?3 WHERE consent = ?1 AND gate = ?2 AND ended_at IS NULL",
                params![consent.bytes(), old.bytes(), new.bytes()],
            )?;
            outbox::queue(work, old, Queued::Erase(consent), now)?;
        }
        Ok(())
    }

    /// Replacements, the newest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn replacements(&self, now: Timestamp) -> Result<Vec<Replacement>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT gate, replaces, shown_name, begun_at, done_at FROM replacements JOIN gates ON gates.id = gate
             ORDER BY begun_at DESC, gate",
        )?;
        type Row = ([u8; 16], [u8; 16], String, i64, Option<i64>);
        let rows = statement
            .query_map([], |row| Ok::<Row, _>((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        rows.into_iter()
            .map(|(gate, replaces, name, begun_at, done_at)| {
                let (gate, replaces) = (GateId::from_bytes(gate), GateId::from_bytes(replaces));
                let (faces, digest) = faces_there(&self.main, gate)?;
                let waiting = self.fills_due(gate, usize::MAX, now)?.len() + self.fills_sent(gate)?.len();
                Ok(Replacement {
                    gate,
                    replaces,
                    name,
                    begun_at: Timestamp::from_ms(begun_at),
                    done_at: done_at.map(Timestamp::from_ms),
                    faces,
                    waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
                    digest,
                    to_invite: u32::try_from(self.left_behind(gate)?.len()).unwrap_or(u32::MAX),
                })
            })
            .collect()
    }

    /// Notes that every face that another gate had is at the new gate: how many, and a digest over them. Returns whether it was noted now.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn settle_replacement(&mut self, gate: GateId, now: Timestamp) -> Result<bool, VaultError> {
        let sql = "SELECT replaces FROM replacements WHERE gate = ?1 AND done_at IS NULL";
        let open: Option<[u8; 16]> = self.main.query_row(sql, [gate.bytes()], |row| row.get(0)).optional()?;
        let Some(replaces) = open.map(GateId::from_bytes) else { return Ok(false) };
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE gate = ?1 AND state IN ('pending', 'wedged'))
             OR EXISTS (SELECT 1 FROM fills WHERE gate = ?1 AND state IN ('sent', 'waits', 'asked'))";
        let waits: bool = self.main.query_row(sql, [gate.bytes()], |row| row.get(0))?;
        if waits || !self.fills_due(gate, 1, now)?.is_empty() {
            return Ok(false);
        }
        let work = self.begin()?;
        let (faces, digest) = faces_there(&work, gate)?;
        let sql = "UPDATE replacements SET done_at = ?2, faces = ?3, digest = ?4 WHERE gate = ?1 AND done_at IS NULL";
        work.execute(sql, params![gate.bytes(), now.ms(), faces, digest])?;
        let event = AuditEvent::ReplacementDone(replaces, gate);
        self.append_with(&work, Actor::Station, &event, Some(&faces.to_string()), Some(digest), now)?;
        work.commit()?;
        Ok(true)
    }

    /// People whose face was on the replaced gate only and who have not decided anew: masked, as a search shows them, by the page
    /// ([`INVITED_A_PAGE`]) from 0. Nobody is contacted by this program.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn to_invite(&self, gate: GateId, page: u32) -> Result<Vec<FoundRow>, VaultError> {
        let mut rows = vec![];
        let a_page = INVITED_A_PAGE as usize;
        let before = a_page.saturating_mul(page as usize);
        for resident in self.left_behind(gate)?.into_iter().skip(before).take(a_page) {
            rows.push(self.found_row(resident)?);
        }
        Ok(rows)
    }

    fn left_behind(&self, gate: GateId) -> Result<Vec<ResidentId>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT DISTINCT c.resident FROM replacements AS r
             JOIN consents AS c ON c.ended_at = r.begun_at AND c.end_reason = 'gate-retired'
             JOIN consent_gates AS named ON named.consent = c.id AND coalesce(named.taken_over_by, named.gate) = r.replaces
             JOIN residents ON residents.id = c.resident
             WHERE r.gate = ?1 AND closed_at IS NULL AND identity_ended_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM consents AS later WHERE later.resident = c.resident
                     AND later.signed_at > c.ended_at)
                 AND NOT EXISTS (SELECT 1 FROM refusals WHERE refusals.resident = c.resident
                     AND refused_at > c.ended_at AND lifted_at IS NULL)
             ORDER BY c.resident",
        )?;
        let rows = statement.query_map([gate.bytes()], |row| row.get(0).map(ResidentId::from_bytes))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The gates in use, each under the id of the first gate at its door: what the notice speaks of are doors, and a gate that was replaced
    /// at the same place changes nothing that people consented to.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn doors_in_use(&self) -> Result<Vec<GateRecord>, VaultError> {
        let gates = self.gates()?.into_iter();
        gates.map(|gate| Ok(GateRecord { id: door_of(&self.main, gate.id)?, ..gate })).collect()
    }
}

/// The gates that stood at a gate's door before it, the last one first.
pub(super) fn predecessors(view: &Connection, gate: GateId) -> Result<Vec<GateId>, VaultError> {
    let mut statement = view.prepare_cached("SELECT replaces FROM replacements WHERE gate = ?1")?;
    let (mut chain, mut at) = (vec![], gate);
    while let Some(before) = statement.query_row([at.bytes()], |row| row.get(0).map(GateId::from_bytes)).optional()? {
        if chain.len() >= CHAIN_MAX {
            break;
        }
        chain.push(before);
        at = before;
    }
    Ok(chain)
}

/// The first gate at a gate's door.
pub(super) fn door_of(view: &Connection, gate: GateId) -> Result<GateId, VaultError> {
    Ok(predecessors(view, gate)?.last().copied().unwrap_or(gate))
}

fn faces_there(view: &Connection, gate: GateId) -> Result<(u32, [u8; 32]), VaultError> {
    let mut statement = view.prepare_cached(
        "SELECT link, digest FROM held JOIN consents ON consents.id = held.consent
         WHERE gate = ?1 AND erased_at IS NULL ORDER BY link",
    )?;
    let mut rows = statement.query([gate.bytes()])?;
    let (mut count, mut hash) = (0u32, Sha256::new());
    hash.update(b"menka replacement 1\0");
    while let Some(row) = rows.next()? {
        count = count.saturating_add(1);
        hash.update(row.get::<_, [u8; 16]>(0)?);
        hash.update(row.get::<_, [u8; 32]>(1)?);
    }
    Ok((count, hash.finalize().into()))
}
