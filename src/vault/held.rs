//! What happened under a consent: when the camera was open, and which gates signed that they hold a face. Ids and
//! digests, nothing else.

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::card::CardUid;
use crate::domain::consent::ConsentGranted;
use crate::domain::gate::FaceHeld;
use crate::domain::id::{CardId, GateId, OpId, ResidentId, TemplateId};
use crate::domain::presence::PresenceShown;
use crate::domain::time::Timestamp;

use super::Vault;
use super::consents::{gates_named, is_current};
use super::error::VaultError;
use super::fills;
use super::outbox::{self, Queued};

impl Vault {
    /// Records that the camera opens. Written before the lamp goes on; refused when the consent is no longer current.
    ///
    /// # Errors
    /// [`VaultError::ConsentNotCurrent`], and those of the disk.
    pub fn record_capture_begun(&mut self, granted: &ConsentGranted, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        if !is_current(&work, granted, now)? {
            return Err(VaultError::ConsentNotCurrent);
        }
        let sql = "INSERT INTO captures (consent, begun_at) VALUES (?1, ?2)";
        work.execute(sql, params![granted.consent().bytes(), now.ms()])?;
        self.append(&work, Actor::Station, &AuditEvent::CameraOpened(granted.consent()), now)?;
        Ok(work.commit()?)
    }

    /// Records that the capture is over: the camera is closed, and what was held in memory is handed over or wiped.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_capture_over(&mut self, granted: &ConsentGranted, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE captures SET over_at = ?2 WHERE consent = ?1 AND over_at IS NULL AND lost_at IS NULL";
        if work.execute(sql, params![granted.consent().bytes(), now.ms()])? > 0 {
            self.append(&work, Actor::Station, &AuditEvent::CameraClosed(granted.consent()), now)?;
        }
        Ok(work.commit()?)
    }

    /// Records that a head was seen to turn as asked (a hint, see [`crate::domain::presence`]).
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_presence(
        &mut self,
        granted: &ConsentGranted,
        _shown: PresenceShown,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Station, &AuditEvent::PresenceShown(granted.consent()), now)?;
        Ok(work.commit()?)
    }

    /// Records that what was held was wiped before an end was reached.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_stopped(&mut self, granted: &ConsentGranted, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Station, &AuditEvent::Stopped(granted.consent()), now)?;
        Ok(work.commit()?)
    }

    /// Records that the face goes to a gate now, by which operation and with which digest of the request. Written before it goes; refused
    /// when the consent is no longer current or does not name the gate. Until the gate's answer is in, a later run can ask the gate for the
    /// receipt of this operation.
    ///
    /// # Errors
    /// [`VaultError::GateNotNamed`], [`VaultError::ConsentNotCurrent`], and those of the disk.
    pub fn record_face_sent(
        &mut self,
        granted: &ConsentGranted,
        gate: GateId,
        (op, request_digest): (OpId, [u8; 32]),
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        if !gates_named(&work, granted.consent())?.contains(&gate) {
            return Err(VaultError::GateNotNamed);
        }
        if !is_current(&work, granted, now)? {
            return Err(VaultError::ConsentNotCurrent);
        }
        fills::sent(&work, granted.consent(), gate, (op, request_digest), now)?;
        self.append(&work, Actor::Station, &AuditEvent::FaceSent(granted.template(), gate), now)?;
        Ok(work.commit()?)
    }

    /// The gate refused the face: nothing of it is there, and no receipt is to be asked for.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_face_refused(&mut self, granted: &ConsentGranted, gate: GateId) -> Result<(), VaultError> {
        let work = self.begin()?;
        fills::answered(&work, granted.consent(), gate)?;
        Ok(work.commit()?)
    }

    /// The card in force of each person whose face a gate holds, for a gate at which a card comes first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn cards_of_faces(&self, gate: GateId) -> Result<Vec<(TemplateId, CardUid)>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT link, cards.id FROM held JOIN consents ON consents.id = held.consent
             JOIN cards ON cards.resident = consents.resident AND cards.ended_at IS NULL
             JOIN card_gates ON card_gates.card = cards.id AND card_gates.gate = held.gate
             WHERE held.gate = ?1 AND erased_at IS NULL AND consents.ended_at IS NULL ORDER BY link",
        )?;
        let rows = statement.query_map([gate.bytes()], |row| {
            Ok((TemplateId::from_bytes(row.get(0)?), CardId::from_bytes(row.get(1)?)))
        })?;
        rows.map(|row| {
            let (template, card) = row?;
            Ok((template, self.card_number(&self.main, card)?))
        })
        .collect()
    }

    /// A card that a gate signed for and that is in force there, for the test of its card way.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn card_at(&self, gate: GateId, now: Timestamp) -> Result<Option<CardUid>, VaultError> {
        let sql = "SELECT cards.id FROM cards JOIN card_gates ON card_gates.card = cards.id
             WHERE card_gates.gate = ?1 AND ended_at IS NULL AND ends_on >= ?2
                 AND EXISTS (SELECT 1 FROM outbox WHERE outbox.card = cards.id AND outbox.gate = ?1
                     AND kind = 'put-card' AND state = 'delivered') LIMIT 1";
        let params = params![gate.bytes(), now.date().epoch_days()];
        let card = self.main.prepare_cached(sql)?.query_row(params, |row| row.get(0).map(CardId::from_bytes));
        card.optional()?.map(|card| self.card_number(&self.main, card)).transpose()
    }

    /// Records that a gate signed that it holds the face: a digest and the receipt, nothing else.
    ///
    /// When the consent ended in the meantime the truth is recorded all the same, an erasure is queued for that gate,
    /// and the error says so.
    ///
    /// # Errors
    /// [`VaultError::GateNotNamed`], [`VaultError::ConsentNotCurrent`], and those of the disk.
    pub fn record_face_held(
        &mut self,
        granted: &ConsentGranted,
        gate: GateId,
        digest: [u8; 32],
        receipt: &[u8],
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let consent = granted.consent();
        let work = self.begin()?;
        if !gates_named(&work, consent)?.contains(&gate) {
            return Err(VaultError::GateNotNamed);
        }
        work.execute(
            "INSERT INTO held (consent, gate, digest, receipt, since) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (consent, gate) DO UPDATE SET digest = ?3, receipt = ?4, since = ?5, erased_at = NULL",
            params![consent.bytes(), gate.bytes(), digest, receipt, now.ms()],
        )?;
        fills::answered(&work, consent, gate)?;
        let event = AuditEvent::FaceHeld(granted.template(), gate);
        self.append_with(&work, Actor::Gate(gate), &event, None, Some(Sha256::digest(receipt).into()), now)?;
        let ended = !is_current(&work, granted, now)? || super::doors::dropped(&work, consent)?.contains(&gate);
        if ended {
            outbox::queue(&work, gate, Queued::Erase(consent), now)?;
        }
        work.commit()?;
        if ended { Err(VaultError::ConsentNotCurrent) } else { Ok(()) }
    }

    /// What gates hold of a person, as ids and digests, until they signed that it is erased.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn faces_held(&self, resident: ResidentId) -> Result<Vec<FaceHeld>, VaultError> {
        let mut statement = self.main.prepare_cached(
            "SELECT gate, link, digest, since FROM held JOIN consents ON consents.id = held.consent
             WHERE resident = ?1 AND erased_at IS NULL ORDER BY since, gate",
        )?;
        let rows = statement.query_map([resident.bytes()], |row| {
            Ok(FaceHeld {
                gate: GateId::from_bytes(row.get(0)?),
                template: TemplateId::from_bytes(row.get(1)?),
                digest: row.get(2)?,
                since: Timestamp::from_ms(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records that a gate recognised the person at the try.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when that gate holds nothing under this consent, and those of the disk.
    pub fn record_recognised(
        &mut self,
        granted: &ConsentGranted,
        gate: GateId,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE held SET recognised_at = ?3 WHERE consent = ?1 AND gate = ?2 AND erased_at IS NULL";
        if work.execute(sql, params![granted.consent().bytes(), gate.bytes(), now.ms()])? == 0 {
            return Err(VaultError::Unknown);
        }
        self.append(&work, Actor::Gate(gate), &AuditEvent::Recognised(granted.template(), gate), now)?;
        Ok(work.commit()?)
    }
}
