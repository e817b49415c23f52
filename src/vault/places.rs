//! Where what one person has stands at each gate: from the outbox, from what gates signed for, and from what they lost.

use rusqlite::{OptionalExtension, params};

use crate::domain::card::CardUid;
use crate::domain::id::{CardId, ConsentId, GateId, ResidentId};
use crate::domain::relay::Place;
use crate::domain::time::Timestamp;

use super::Vault;
use super::doors::in_force;
use super::error::VaultError;
use super::residents::FoundRow;

/// People of one difference that are shown at most.
const CONCERNED_MAX: usize = 50;

/// The newest operation on a row that a gate has not signed for.
const OPEN_CARD: &str = "SELECT state, queued_at, reason FROM outbox
     WHERE card = ?1 AND gate = ?2 AND kind = ?3 AND state IN ('pending', 'wedged') ORDER BY sequence DESC LIMIT 1";

/// An operation that waits or was not taken.
fn open_place(row: &rusqlite::Row<'_>) -> rusqlite::Result<Place> {
    let (state, since, reason): (String, i64, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(match reason {
        Some(reason) => Place::Refused(reason),
        None if state == "wedged" => Place::Refused(String::new()),
        None => Place::Pending(Timestamp::from_ms(since)),
    })
}

impl Vault {
    /// A card at each of its gates, in their order on the record.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn card_places(&self, card: CardId) -> Result<Vec<(GateId, Place)>, VaultError> {
        let mut places = vec![];
        for (gate, there) in self.card_delivered_at(card)? {
            let mut open = self.main.prepare_cached(OPEN_CARD)?;
            let open = open.query_row(params![card.bytes(), gate.bytes(), "put-card"], open_place).optional()?;
            let place = match open {
                Some(place) => place,
                None if there => Place::Synced,
                None => Place::Missing(self.card_issued_at(card)?),
            };
            places.push((gate, place));
        }
        Ok(places)
    }

    /// Gates that must give up earlier cards of a person and have not signed for that, with the last of each.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn old_card_places(&self, resident: ResidentId) -> Result<Vec<(GateId, Place)>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT state, queued_at, reason, gate FROM outbox JOIN cards ON cards.id = outbox.card
             WHERE resident = ?1 AND kind = 'remove-card' AND state IN ('pending', 'wedged') ORDER BY gate, sequence",
        )?;
        let rows = statement.query_map([resident.bytes()], |row| {
            let place = match open_place(row)? {
                Place::Pending(since) => Place::LeftOver(since),
                other => other,
            };
            Ok((GateId::from_bytes(row.get(3)?), place))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every number that a person once had and has no more.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn old_cards(&self, resident: ResidentId) -> Result<Vec<CardUid>, VaultError> {
        let sql = "SELECT id FROM cards WHERE resident = ?1 AND ended_at IS NOT NULL
             AND number_hash NOT IN (SELECT number_hash FROM cards WHERE ended_at IS NULL)
             AND NOT EXISTS (SELECT 1 FROM residents WHERE id = ?1 AND identity_ended_at IS NOT NULL)";
        let mut statement = self.main.prepare_cached(sql)?;
        let rows = statement.query_map([resident.bytes()], |row| row.get(0).map(CardId::from_bytes))?;
        rows.map(|card| self.card_number(&self.main, card?)).collect()
    }

    /// A person's face at each gate: those that the consent in force names, and those that have not signed for an erasure.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn face_places(&self, resident: ResidentId) -> Result<Vec<(GateId, Place)>, VaultError> {
        let mut places = vec![];
        let sql = "SELECT id, signed_at FROM consents WHERE resident = ?1 AND ended_at IS NULL";
        let current: Option<(ConsentId, i64)> = self
            .main
            .prepare_cached(sql)?
            .query_row([resident.bytes()], |row| Ok((ConsentId::from_bytes(row.get(0)?), row.get(1)?)))
            .optional()?;
        let mut leaving = self.main.prepare_cached(
            "SELECT state, queued_at, reason, gate FROM outbox JOIN consents ON consents.id = outbox.consent
             WHERE resident = ?1 AND kind = 'erase' AND state IN ('pending', 'wedged') ORDER BY gate, sequence",
        )?;
        let rows = leaving.query_map([resident.bytes()], |row| {
            let place = match open_place(row)? {
                Place::Pending(since) => Place::LeftOver(since),
                other => other,
            };
            Ok((GateId::from_bytes(row.get(3)?), place))
        })?;
        let leaving: Vec<(GateId, Place)> = rows.collect::<Result<_, _>>()?;
        if let Some((consent, signed_at)) = current {
            for gate in in_force(&self.main, consent)? {
                if !leaving.iter().any(|(left, _)| *left == gate) {
                    places.push((gate, self.face_place(consent, gate, Timestamp::from_ms(signed_at))?));
                }
            }
        }
        places.extend(leaving);
        Ok(places)
    }

    fn face_place(&self, consent: ConsentId, gate: GateId, signed_at: Timestamp) -> Result<Place, VaultError> {
        let about = params![consent.bytes(), gate.bytes()];
        let sql = "SELECT state, queued_at, reason FROM outbox WHERE consent = ?1 AND gate = ?2
             AND kind IN ('freeze', 'thaw') AND state IN ('pending', 'wedged') ORDER BY sequence DESC LIMIT 1";
        if let Some(open) = self.main.prepare_cached(sql)?.query_row(about, open_place).optional()? {
            return Ok(open);
        }
        let sql = "SELECT erased_at FROM held WHERE consent = ?1 AND gate = ?2";
        let held: Option<Option<i64>> = self.main.prepare_cached(sql)?.query_row(about, |row| row.get(0)).optional()?;
        match held {
            Some(None) => return Ok(Place::Synced),
            Some(Some(lost_at)) => return Ok(Place::Missing(Timestamp::from_ms(lost_at))),
            None => {}
        }
        let sql = "SELECT coalesce(reason, '') FROM fills WHERE consent = ?1 AND gate = ?2 AND state = 'closed'";
        let closed = self.main.prepare_cached(sql)?.query_row(about, |row| row.get(0)).optional()?;
        Ok(closed.map_or(Place::Pending(signed_at), Place::Refused))
    }

    fn card_issued_at(&self, card: CardId) -> Result<Timestamp, VaultError> {
        let sql = "SELECT issued_at FROM cards WHERE id = ?1";
        Ok(Timestamp::from_ms(self.main.query_row(sql, [card.bytes()], |row| row.get(0))?))
    }

    /// Whose cards these are and whose faces a gate has lost, masked: at most fifty people.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn concerned(&self, gate: GateId, cards: &[CardId]) -> Result<Vec<FoundRow>, VaultError> {
        let mut people: Vec<ResidentId> = vec![];
        let mut statement = self.main.prepare_cached(
            "SELECT resident FROM cards JOIN residents ON residents.id = cards.resident
             WHERE cards.id = ?1 AND identity_ended_at IS NULL",
        )?;
        for card in cards.iter().take(CONCERNED_MAX) {
            people
                .extend(statement.query_row([card.bytes()], |row| row.get(0).map(ResidentId::from_bytes)).optional()?);
        }
        let mut statement = self.main.prepare_cached(
            "SELECT resident FROM consents JOIN residents ON residents.id = consents.resident
             WHERE link = ?1 AND identity_ended_at IS NULL",
        )?;
        for link in self.faces_lost(gate)?.iter().take(CONCERNED_MAX) {
            people
                .extend(statement.query_row([link.bytes()], |row| row.get(0).map(ResidentId::from_bytes)).optional()?);
        }
        people.sort();
        people.dedup();
        people.into_iter().take(CONCERNED_MAX).map(|id| self.found_row(id)).collect()
    }
}
