//! A gate takes the place of another at the same door. One transaction: the old gate is out of use, the door's cards are rewritten, and the
//! consents that name the door name its new gate; the faces follow by `fills`, from gates that hold them. Rules: P19, P47, P51-4.
//!
//! Deliberately absent: any face for a door that a consent does not name; any contact with the people who must be asked again.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{CardId, ConsentId, GateId, ResidentId, TemplateId};
use crate::domain::relay::{INVITED_A_PAGE, Replacement};
use crate::domain::time::Timestamp;

use super::Vault;
use super::consents::row_is_current;
use super::error::{MAIN_FILE, VaultError};
use super::fills;
use super::outbox::{self, Queued};
use super::residents::FoundRow;
use super::versions::live_gates;

/// What a gate says that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldWord {
    /// Templates.
    pub faces: u32,
    /// SHA-256 of everything, as in its health.
    pub digest: [u8; 32],
    /// Its signed receipt for that digest; none from a gate of an earlier version.
    pub receipt: Option<Vec<u8>>,
}

/// Faces that a gate does not have yet.
#[derive(Clone, Copy, Debug, Default)]
struct ToCome {
    waiting: u32,
    resting: u32,
    not_taken: u32,
}

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
        match new.takes_faces {
            true => self.move_consents(&work, old, new.id, now)?,
            // No face can ever come there: the door leaves every consent, as with a gate that is taken out of use.
            false => drop(self.drop_door_everywhere(&work, old, by, now)?),
        }
        work.execute(
            "INSERT INTO signs (gate, words_sha256, posted_on, entered_at, staff)
             SELECT ?2, words_sha256, posted_on, entered_at, staff FROM signs WHERE gate = ?1 ORDER BY number",
            params![old.bytes(), new.id.bytes()],
        )?;
        self.settle_former(&work, old, now)?;
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
            let elsewhere = fills::is_elsewhere(work, consent, old)?;
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
            "SELECT gate, replaces, shown_name, begun_at, done_at, coalesce(faces, (SELECT count(*) FROM held
                 WHERE held.gate = replacements.gate AND erased_at IS NULL)), digest
             FROM replacements JOIN gates ON gates.id = gate ORDER BY begun_at DESC, gate",
        )?;
        type Row = ([u8; 16], [u8; 16], String, i64, Option<i64>, u32, Option<[u8; 32]>);
        let rows = statement.query_map([], |row| {
            Ok::<Row, _>((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })?;
        let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        rows.into_iter()
            .map(|(gate, replaces, name, begun_at, done_at, faces, digest)| {
                let (gate, replaces) = (GateId::from_bytes(gate), GateId::from_bytes(replaces));
                let to_come = self.to_come(gate, now)?;
                Ok(Replacement {
                    gate,
                    replaces,
                    name,
                    begun_at: Timestamp::from_ms(begun_at),
                    done_at: done_at.map(Timestamp::from_ms),
                    faces,
                    waiting: to_come.waiting,
                    resting: to_come.resting,
                    not_taken: to_come.not_taken,
                    digest,
                    signed: self.replacement_receipt(gate)?.is_some(),
                    to_invite: u32::try_from(self.left_behind(gate)?.len()).unwrap_or(u32::MAX),
                })
            })
            .collect()
    }

    /// Whether a replacement is open of which nothing is on its way, or to come but for what rests: the new gate may be asked for its word.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn replacement_may_end(&self, gate: GateId, now: Timestamp) -> Result<bool, VaultError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM replacements WHERE gate = ?1 AND done_at IS NULL)
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE gate = ?1 AND state IN ('pending', 'wedged'))
             AND NOT EXISTS (SELECT 1 FROM fills WHERE gate = ?1 AND state IN ('sent', 'waits', 'asked'))";
        let may: bool = self.main.query_row(sql, [gate.bytes()], |row| row.get(0))?;
        Ok(may && self.to_come(gate, now)?.waiting == 0)
    }

    /// Notes that a replacement is done, by what the new gate says that it holds: how many faces, the digest of everything, and its receipt.
    /// Returns whether it was noted now.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn settle_replacement(&mut self, gate: GateId, held: &HeldWord, now: Timestamp) -> Result<bool, VaultError> {
        if !self.replacement_may_end(gate, now)? {
            return Ok(false);
        }
        let to_come = self.to_come(gate, now)?;
        let work = self.begin()?;
        let sql = "SELECT replaces FROM replacements WHERE gate = ?1";
        let replaces = work.query_row(sql, [gate.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
        let sql = "UPDATE replacements SET done_at = ?2, faces = ?3, digest = ?4 WHERE gate = ?1 AND done_at IS NULL";
        work.execute(sql, params![gate.bytes(), now.ms(), held.faces, held.digest])?;
        if let Some(receipt) = &held.receipt {
            self.write_station(&work, &receipt_place(gate), receipt)?;
        }
        let event = AuditEvent::ReplacementDone(replaces, gate);
        let label = match to_come.resting + to_come.not_taken {
            0 => held.faces.to_string(),
            _ => format!("{} resting:{} not-taken:{}", held.faces, to_come.resting, to_come.not_taken),
        };
        self.append_with(&work, Actor::Station, &event, Some(&label), Some(held.digest), now)?;
        work.commit()?;
        Ok(true)
    }

    /// The receipt with which the new gate of a replacement signed for what it held at the end; `None` before, and where a gate of an earlier
    /// version does not sign for that.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn replacement_receipt(&self, gate: GateId) -> Result<Option<Vec<u8>>, VaultError> {
        self.read_station(&receipt_place(gate))
    }

    /// Of the faces that consents in force name a gate for and that another gate in use has: those that the gate does not have yet.
    fn to_come(&self, gate: GateId, now: Timestamp) -> Result<ToCome, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT c.id, c.resident, c.link,
                 EXISTS (SELECT 1 FROM pauses WHERE pauses.consent = c.id AND resumed_at IS NULL),
                 EXISTS (SELECT 1 FROM fills WHERE fills.consent = c.id AND fills.gate = ?1 AND state = 'closed')
             FROM consents AS c JOIN consent_gates AS named ON named.consent = c.id
             WHERE coalesce(named.taken_over_by, named.gate) = ?1 AND c.ended_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM held WHERE held.consent = c.id AND held.gate = ?1 AND erased_at IS NULL)",
        )?;
        let mut rows = statement.query([gate.bytes()])?;
        let mut all = ToCome::default();
        while let Some(row) = rows.next()? {
            let (consent, resident) = (ConsentId::from_bytes(row.get(0)?), ResidentId::from_bytes(row.get(1)?));
            let (link, paused, closed): (_, bool, bool) =
                (row.get(2).map(TemplateId::from_bytes)?, row.get(3)?, row.get(4)?);
            if !live_gates(&self.main, consent)?.contains(&gate) || !fills::is_elsewhere(&self.main, consent, gate)? {
                continue;
            }
            let count = match closed {
                true => &mut all.not_taken,
                false if paused || !row_is_current(&self.main, consent, resident, link, now)? => &mut all.resting,
                false => &mut all.waiting,
            };
            *count = count.saturating_add(1);
        }
        Ok(all)
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
    let mut seen = BTreeSet::from([gate]);
    while let Some(before) = statement.query_row([at.bytes()], |row| row.get(0).map(GateId::from_bytes)).optional()? {
        // A ring is a damaged table.
        if !seen.insert(before) {
            return Err(VaultError::corrupt(MAIN_FILE));
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

/// Where the receipt of a replacement's end is kept.
fn receipt_place(gate: GateId) -> String {
    format!("replacement-receipt/{gate}")
}
