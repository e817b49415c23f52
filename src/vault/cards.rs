//! Cards: issued before anything else, in a transaction that has no link to the face step. Rules: P16, J10.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::card::{CardRecord, CardUid};
use crate::domain::id::{CardId, GateId, OpId, ResidentId};
use crate::domain::rights::Field;
use crate::domain::time::{CivilDate, Timestamp};
use crate::secret::random_bytes;

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::outbox::{self, Queued};
use super::residents::{resident_ends_on, resident_is_known};
use super::station::gate_is_stopped;

impl Vault {
    /// Issues a card: replaces an older card of the person, and queues what each gate must know, in one transaction.
    ///
    /// A card that another person had until a day that has passed is taken from that record and from its gates first.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] resident or gate, [`VaultError::NoGate`], [`VaultError::EndWrong`],
    /// [`VaultError::CardTaken`], [`VaultError::CardSame`] (same number, gates and last day), and those of the disk.
    pub fn issue_card(
        &mut self,
        resident: ResidentId,
        uid: &CardUid,
        gates: &[GateId],
        ends_on: CivilDate,
        now: Timestamp,
    ) -> Result<CardRecord, VaultError> {
        let mut chosen: Vec<GateId> = vec![];
        for gate in gates {
            if !chosen.contains(gate) {
                chosen.push(*gate);
            }
        }
        if chosen.is_empty() {
            return Err(VaultError::NoGate);
        }
        let hash = self.ring.index_hash("card", uid.bytes())?;
        let work = self.begin()?;
        if !resident_is_known(&work, resident)? {
            return Err(VaultError::Unknown);
        }
        for gate in &chosen {
            gate_is_stopped(&work, *gate)?.ok_or(VaultError::Unknown)?;
        }
        if ends_on < now.date() || ends_on > resident_ends_on(&work, resident)? {
            return Err(VaultError::EndWrong);
        }
        let mut keep: &[GateId] = &[];
        if let Some(other) = in_force(&work, "number_hash", &hash)? {
            let same_person = other.resident == resident;
            if !same_person && other.ends_on >= now.date() {
                return Err(VaultError::CardTaken);
            }
            if same_person {
                let had = gates_of(&work, other.id)?;
                let same_gates = had.len() == chosen.len() && had.iter().all(|gate| chosen.contains(gate));
                if same_gates && other.ends_on == ends_on {
                    return Err(VaultError::CardSame);
                }
                // The same number stays in these gates; the new entry overwrites the old one there.
                keep = &chosen;
            } else {
                self.end_issue(&work, &other, &[], now)?;
            }
        }
        if let Some(own) = in_force(&work, "resident", resident.bytes())? {
            let old = self.card_number(&work, own.id)?;
            if old != *uid {
                self.note_change(&work, resident, Field::Card, &old.last4(), &uid.last4(), now)?;
            }
            self.end_issue(&work, &own, keep, now)?;
        }
        let card = CardId::from_bytes(random_bytes());
        let sealed = self.identity_key(resident)?.seal(&place(card), uid.bytes())?;
        work.execute(
            "INSERT INTO cards (id, resident, number, number_hash, ends_on, issued_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![card.bytes(), resident.bytes(), sealed, hash, ends_on.epoch_days(), now.ms()],
        )?;
        for (order, gate) in (0i64..).zip(&chosen) {
            let sql = "INSERT INTO card_gates (card, gate, place) VALUES (?1, ?2, ?3)";
            work.execute(sql, params![card.bytes(), gate.bytes(), order])?;
            outbox::queue(&work, *gate, Queued::PutCard(card), now)?;
        }
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::CardIssued(resident), now)?;
        work.commit()?;
        Ok(CardRecord { id: card, resident, uid: uid.clone(), gates: chosen, ends_on, issued_at: now })
    }

    /// Ends the person's card (returned, lost, moved out) and queues its removal from every gate.
    ///
    /// A current consent stays on record, but no camera opens under it without a card.
    ///
    /// # Errors
    /// [`VaultError::CardNeeded`] when there is none, and those of the disk.
    pub fn end_card(&mut self, resident: ResidentId, now: Timestamp) -> Result<Vec<OpId>, VaultError> {
        let work = self.begin()?;
        let card = in_force(&work, "resident", resident.bytes())?.ok_or(VaultError::CardNeeded)?;
        let ops = self.end_issue(&work, &card, &[], now)?;
        work.commit()?;
        Ok(ops)
    }

    /// The person's card. One past its last day is still returned; its date says so.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn current_card(&self, resident: ResidentId) -> Result<Option<CardRecord>, VaultError> {
        let Some(card) = in_force(&self.main, "resident", resident.bytes())? else {
            return Ok(None);
        };
        let uid = self.card_number(&self.main, card.id)?;
        let gates = gates_of(&self.main, card.id)?;
        Ok(Some(CardRecord { id: card.id, resident, uid, gates, ends_on: card.ends_on, issued_at: card.issued_at }))
    }

    /// The number of the person's last card, in force or ended; `None` when there never was one.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn last_card(&self, resident: ResidentId) -> Result<Option<CardUid>, VaultError> {
        let sql = "SELECT id FROM cards WHERE resident = ?1 ORDER BY ended_at IS NULL DESC, issued_at DESC LIMIT 1";
        let card = self.main.query_row(sql, [resident.bytes()], |row| row.get(0).map(CardId::from_bytes)).optional()?;
        card.map(|card| self.card_number(&self.main, card)).transpose()
    }

    /// Each gate of a card, and whether it has signed for the card.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn card_delivered_at(&self, card: CardId) -> Result<Vec<(GateId, bool)>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT gate, EXISTS (SELECT 1 FROM outbox
                 WHERE outbox.card = card_gates.card AND outbox.gate = card_gates.gate
                 AND kind = 'put-card' AND state = 'delivered')
             FROM card_gates WHERE card = ?1 ORDER BY place",
        )?;
        let rows = statement.query_map([card.bytes()], |row| Ok((GateId::from_bytes(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ends one issue of a card and queues its removal from all its gates but those in `keep`.
    fn end_issue(
        &self,
        work: &Connection,
        card: &CardRow,
        keep: &[GateId],
        now: Timestamp,
    ) -> Result<Vec<OpId>, VaultError> {
        work.execute("UPDATE cards SET ended_at = ?2 WHERE id = ?1", params![card.id.bytes(), now.ms()])?;
        self.append(work, Actor::Staff(self.staff), &AuditEvent::CardEnded(card.resident), now)?;
        let gone = gates_of(work, card.id)?.into_iter().filter(|gate| !keep.contains(gate));
        gone.map(|gate| outbox::queue(work, gate, Queued::RemoveCard(card.id), now)).collect()
    }

    /// Opens a card's sealed number.
    pub(super) fn card_number(&self, view: &Connection, card: CardId) -> Result<CardUid, VaultError> {
        let damaged = || VaultError::corrupt(MAIN_FILE);
        let mut statement = view.prepare_cached("SELECT resident, number FROM cards WHERE id = ?1")?;
        let (resident, sealed): ([u8; 16], Vec<u8>) =
            statement.query_row([card.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let key = self.identity_key(ResidentId::from_bytes(resident))?;
        let number = key.open(&place(card), &sealed).ok_or_else(damaged)?;
        CardUid::from_bytes(&number).ok_or_else(damaged)
    }
}

/// Whether the person has a card in force on this day. Rule P16: the card comes first.
pub(super) fn has_card(view: &Connection, resident: ResidentId, today: CivilDate) -> Result<bool, VaultError> {
    Ok(in_force(view, "resident", resident.bytes())?.is_some_and(|card| card.ends_on >= today))
}

/// A card's row, without the number.
struct CardRow {
    id: CardId,
    resident: ResidentId,
    ends_on: CivilDate,
    issued_at: Timestamp,
}

/// The card in force that matches; `column` is one of ours, never typed text.
fn in_force(view: &Connection, column: &'static str, value: &[u8]) -> Result<Option<CardRow>, VaultError> {
    let sql = format!("SELECT id, resident, ends_on, issued_at FROM cards WHERE {column} = ?1 AND ended_at IS NULL");
    let row = view.query_row(&sql, [value], |row| {
        Ok(CardRow {
            id: CardId::from_bytes(row.get(0)?),
            resident: ResidentId::from_bytes(row.get(1)?),
            ends_on: CivilDate::from_epoch_days(row.get(2)?),
            issued_at: Timestamp::from_ms(row.get(3)?),
        })
    });
    Ok(row.optional()?)
}

fn gates_of(view: &Connection, card: CardId) -> Result<Vec<GateId>, VaultError> {
    let mut statement = view.prepare_cached("SELECT gate FROM card_gates WHERE card = ?1 ORDER BY place")?;
    let rows = statement.query_map([card.bytes()], |row| row.get(0).map(GateId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn place(card: CardId) -> Vec<u8> {
    format!("cards/{card}/number").into_bytes()
}
