//! What a gate should hold, in the form in which it says what it holds. Rules: P47, K2-9.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{CardId, ConsentId, GateId, TemplateId};
use crate::domain::relay::DriftKind;
use crate::domain::time::Timestamp;
use crate::wire::held::Held;
use crate::wire::message::HeldFace;

use super::Vault;
use super::error::VaultError;
use super::outbox::{self, Queued};

/// SHA-256 of card numbers, by the row of the card. Kept in memory while the desk is open: on the disk it would outlive the person's key.
pub type CardNumbers = BTreeMap<CardId, [u8; 32]>;

/// What a gate should hold, and what is on its way.
#[derive(Debug, Default)]
pub struct Expected {
    /// What the gate signed for and was not told to give up.
    pub held: Held,
    /// Which card an entry is.
    pub cards: BTreeMap<[u8; 32], CardId>,
    /// Templates that something is on its way for: neither has to be there, nor must not.
    pub moving_faces: BTreeSet<[u8; 16]>,
    /// The same for cards.
    pub moving_cards: BTreeSet<[u8; 32]>,
    /// Cards in force there whose number cannot be read: an older file of keys was put back, say. They are not among the others.
    pub unread: Vec<CardId>,
}

impl Vault {
    /// What a gate should hold. Read before the gate is asked, so that what goes there meanwhile is not taken for a difference.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn expected(&self, gate: GateId, numbers: &mut CardNumbers) -> Result<Expected, VaultError> {
        let mut expected = Expected::default();
        let mut statement = self.main.prepare_cached(
            "SELECT link, digest, ends_on,
                 EXISTS (SELECT 1 FROM pauses WHERE pauses.consent = held.consent AND resumed_at IS NULL)
                 OR EXISTS (SELECT 1 FROM notice_stopped AS s WHERE s.consent = held.consent AND s.gate = held.gate
                     AND s.ended_at IS NULL)
             FROM held JOIN consents ON consents.id = held.consent
             WHERE held.gate = ?1 AND erased_at IS NULL AND consents.ended_at IS NULL AND NOT EXISTS (
                 SELECT 1 FROM dropped_doors AS d WHERE d.consent = held.consent AND d.gate = held.gate)
             AND NOT EXISTS (SELECT 1 FROM notice_stopped AS s WHERE s.consent = held.consent AND s.gate = held.gate
                 AND s.ended_at IS NOT NULL)",
        )?;
        let rows = statement.query_map([gate.bytes()], |row| {
            Ok(HeldFace { template: row.get(0)?, digest: row.get(1)?, ends_on: row.get(2)?, frozen: row.get(3)? })
        })?;
        for face in rows {
            expected.held.put_face(face?);
        }
        let mut statement = self.main.prepare_cached(
            "SELECT DISTINCT coalesce(outbox.link, consents.link) FROM outbox
                 LEFT JOIN consents ON consents.id = outbox.consent
             WHERE gate = ?1 AND state IN ('pending', 'wedged') AND kind IN ('erase', 'freeze', 'thaw')
             UNION SELECT link FROM captures JOIN consents ON consents.id = captures.consent
             WHERE over_at IS NULL AND lost_at IS NULL
             UNION SELECT link FROM fills JOIN consents ON consents.id = fills.consent
             WHERE gate = ?1 AND state = 'sent'",
        )?;
        let rows = statement.query_map([gate.bytes()], |row| row.get::<_, [u8; 16]>(0))?;
        expected.moving_faces = rows.collect::<Result<_, _>>()?;
        let mut statement = self.main.prepare_cached(
            "SELECT cards.id, cards.ends_on FROM card_gates JOIN cards ON cards.id = card_gates.card
             WHERE gate = ?1 AND ended_at IS NULL",
        )?;
        let rows = statement.query_map([gate.bytes()], |row| Ok((CardId::from_bytes(row.get(0)?), row.get(1)?)))?;
        for row in rows {
            let (card, ends_on) = row?;
            let number = match self.number_of(card, numbers) {
                Err(error) if error.is_of_a_row() => {
                    expected.unread.push(card);
                    continue;
                }
                read => read?,
            };
            expected.held.put_card(number, ends_on);
            expected.cards.insert(number, card);
        }
        let mut statement = self.main.prepare_cached(
            "SELECT DISTINCT card FROM outbox WHERE gate = ?1 AND state IN ('pending', 'wedged') AND card IS NOT NULL",
        )?;
        let rows = statement.query_map([gate.bytes()], |row| row.get(0).map(CardId::from_bytes))?;
        for card in rows {
            // The number of a card whose person's key is destroyed is gone; so is the card from every gate by then.
            if let Ok(number) = self.number_of(card?, numbers) {
                expected.moving_cards.insert(number);
            }
        }
        Ok(expected)
    }

    fn number_of(&self, card: CardId, numbers: &mut CardNumbers) -> Result<[u8; 32], VaultError> {
        if let Some(known) = numbers.get(&card) {
            return Ok(*known);
        }
        let digest: [u8; 32] = Sha256::digest(self.card_number(&self.main, card)?.bytes()).into();
        numbers.insert(card, digest);
        Ok(digest)
    }

    /// A face is held otherwise than it should be. Where it should rest it is told to; where it rests and this vault knows of no pause (an
    /// older state was put back), the pause is recorded: only the person takes it up again. Other content than was signed for is erased.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn put_face_right(
        &mut self,
        gate: GateId,
        ours: &HeldFace,
        theirs: &HeldFace,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "SELECT id FROM consents WHERE link = ?1";
        let consent = work.query_row(sql, [&ours.template], |row| row.get(0).map(ConsentId::from_bytes))?;
        let same = (ours.digest, ours.ends_on) == (theirs.digest, theirs.ends_on);
        match (same, ours.frozen) {
            (false, _) => drop(outbox::queue(&work, gate, Queued::Erase(consent), now)?),
            (true, true) => drop(outbox::queue(&work, gate, Queued::Freeze(consent), now)?),
            (true, false) => drop(self.rest_in(&work, consent, Actor::Station, now)?),
        }
        let link = TemplateId::from_bytes(ours.template);
        let event = AuditEvent::FaceDrift(link, gate, DriftKind::FaceState.label());
        self.append(&work, Actor::Station, &event, now)?;
        Ok(work.commit()?)
    }

    /// Logs that a gate holds cards otherwise than the vault: how many, and in which way.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_card_drift(&mut self, gate: GateId, kind: DriftKind, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Station, &AuditEvent::CardDrift(gate, kind.label()), now)?;
        Ok(work.commit()?)
    }

    /// Logs that somebody had a gate put right: whoever pressed, who need not be the one who is logged in by now.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_repair(&mut self, gate: GateId, who: Actor, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, who, &AuditEvent::GateRepaired(gate), now)?;
        Ok(work.commit()?)
    }

    /// Staff set a gate's clock: that goes into the log.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_clock_set(&mut self, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::GateClockSet(gate), now)?;
        Ok(work.commit()?)
    }

    /// Whether something is on its way to a gate.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn something_waits(&self, gate: GateId) -> Result<bool, VaultError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE gate = ?1 AND state = 'pending')";
        Ok(self.main.prepare_cached(sql)?.query_row(params![gate.bytes()], |row| row.get(0))?)
    }
}
