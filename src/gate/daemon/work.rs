//! What a gate does for its station: takes a face, carries out an operation, answers a probe. Each act is signed.

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{Gate, Halt, PROBES_MAX, PROBES_WITHIN_MS};
use crate::domain::Realm;
use crate::domain::card::CardUid;
use crate::domain::id::{GateId, OpId, TemplateId};
use crate::domain::time::Timestamp;
use crate::gate::admit::{self, Room};
use crate::gate::error::GateError;
use crate::gate::gallery::Gallery;
use crate::gate::{matcher, pairing, rows};
use crate::secret::FaceTemplate;
use crate::wire::envelope::{open_face, open_probe};
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{Apply, CARDS_MAX, FacesOff, Outcome, Probe, Probed, PutFace, Receipt, Refusal, What};

impl Gate {
    pub(in crate::gate) fn put_face(
        &mut self,
        put: &PutFace,
        seal: &[u8; 32],
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Receipt, Halt> {
        self.take_face(put, digest, now, |gate| open_face(put, &gate.keys, seal).map_err(|_| Refusal::Envelope))
    }

    /// Writes the row and the receipt.
    pub(in crate::gate) fn store_face(
        &mut self,
        put: &PutFace,
        (face, turned): (&FaceTemplate, &FaceTemplate),
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Receipt, GateError> {
        self.sign_face(put, digest, now, |tx| rows::put_face(tx, put, face, turned))
    }

    /// Has an effect on a template, and writes the receipt for it.
    pub(in crate::gate) fn sign_face(
        &mut self,
        put: &PutFace,
        digest: [u8; 32],
        now: Timestamp,
        effect: impl FnOnce(&Connection) -> rusqlite::Result<(Outcome, [u8; 32])>,
    ) -> Result<Receipt, GateError> {
        let (keys, signer) = (&self.keys, Signer::new(self.id, self.setup.realm, put.op, digest, now));
        self.store.perform(&put.op, &digest, effect, |outcome, stored| signer.sign(keys, outcome, stored))
    }

    pub(in crate::gate) fn apply(&mut self, apply: &Apply, digest: [u8; 32], now: Timestamp) -> Result<Receipt, Halt> {
        self.hear(apply);
        if let Some(receipt) = self.done_before(&apply.op, &digest)? {
            return Ok(receipt);
        }
        let card = match &apply.what {
            What::PutCard(uid, days) => {
                let held = self.store.card_ends_on(uid)?.is_some();
                let free = if held || self.held()?.counts().1 < CARDS_MAX { Room::Free } else { Room::Full };
                Some(admit::card(uid, *days, free, now.date())?)
            }
            What::RemoveCard(uid) if CardUid::from_bytes(uid).is_none() => return Err(Refusal::Malformed.into()),
            What::RemoveCard(_)
            | What::RemoveCardBy(_)
            | What::EraseFace(_)
            | What::FreezeFace(_)
            | What::ThawFace(_)
            | What::StopFaces
            | What::ResumeFaces
            | What::RenewFaces
            | What::AttestHeld
            | What::Unpair => None,
            // Has a way of its own, which knows the system's clock.
            What::SetClock(_) => return Err(Refusal::Malformed.into()),
        };
        // A card that only its digest is known of: looked for among those held.
        let found = match &apply.what {
            What::RemoveCardBy(digest) => self.store.card_with(digest)?,
            _ => None,
        };
        let held = match apply.what {
            What::AttestHeld => Some(self.held_digest()?.0),
            _ => None,
        };
        let (keys, signer) = (&self.keys, Signer::new(self.id, self.setup.realm, apply.op, digest, now));
        let (gate, sequence) = (self.id, apply.sequence);
        if apply.what == What::RenewFaces {
            let receipt = self.store.renew(&apply.op, &digest, |outcome, stored| signer.sign(keys, outcome, stored))?;
            self.take_renewed()?;
            return Ok(receipt);
        }
        let receipt = self.store.perform(
            &apply.op,
            &digest,
            |tx| match (&apply.what, &card) {
                (What::PutCard(..), Some(card)) => {
                    rows::put_card(tx, gate, card.uid.bytes(), card.ends_on.epoch_days(), sequence)
                }
                (What::PutCard(uid, days), None) => rows::put_card(tx, gate, uid, *days, sequence),
                (What::RemoveCard(uid), _) => rows::remove_card(tx, gate, uid, sequence),
                (What::RemoveCardBy(_), _) => match &found {
                    Some(uid) => rows::remove_card(tx, gate, uid, sequence),
                    None => Ok(rows::no_card()),
                },
                (What::EraseFace(template), _) => rows::erase_face(tx, template),
                (What::FreezeFace(template), _) => rows::freeze_face(tx, template),
                (What::ThawFace(template), _) => rows::thaw_face(tx, template),
                (What::StopFaces, _) => rows::stop_faces(tx, true, sequence),
                (What::ResumeFaces, _) => rows::stop_faces(tx, false, sequence),
                (What::Unpair, _) => pairing::unpair(tx),
                (What::AttestHeld, _) => {
                    held.map(|digest| (Outcome::HeldAttested, digest)).ok_or(rusqlite::Error::InvalidQuery)
                }
                // Done above.
                (What::RenewFaces | What::SetClock(_), _) => Err(rusqlite::Error::InvalidQuery),
            },
            |outcome, stored| signer.sign(keys, outcome, stored),
        )?;
        match (&apply.what, &found) {
            (What::EraseFace(template) | What::FreezeFace(template) | What::ThawFace(template), _) => {
                self.note_face(template);
            }
            (What::PutCard(uid, _) | What::RemoveCard(uid), _) | (What::RemoveCardBy(_), Some(uid)) => {
                self.note_card(uid);
            }
            (What::Unpair, _) => self.index = None,
            (What::RemoveCardBy(_), None)
            | (What::StopFaces | What::ResumeFaces | What::RenewFaces | What::SetClock(_) | What::AttestHeld, _) => {}
        }
        self.written(&apply.what);
        self.match_again(&apply.what)?;
        if matches!(apply.what, What::EraseFace(_) | What::Unpair) {
            self.log_due = true;
            self.empty_log()?;
        }
        tracing::info!(op = %OpId::from_bytes(apply.op).short(), outcome = ?receipt.outcome, "operation done");
        Ok(receipt)
    }

    /// The receipt of an operation, if exactly this one was done before.
    pub(super) fn done_again(&mut self, apply: &Apply, body: &[u8]) -> Result<Option<Receipt>, Halt> {
        self.done_before(&apply.op, &Sha256::digest(body).into())
    }

    /// Takes in an order before anything is tried with it: what cannot be written, or not now, is not matched all the same. One that was done
    /// before changes nothing: what it ordered may have been taken back since.
    pub(in crate::gate) fn hear(&mut self, apply: &Apply) {
        match self.store.done(&apply.op) {
            Ok(Some(_)) => {}
            Ok(None) => {
                self.withheld.heard(&apply.what);
                self.stop_matching(&apply.what);
            }
            Err(error) => {
                // Nobody knows whether it was: on the safe side.
                tracing::error!(%error, op = %OpId::from_bytes(apply.op).short(), "the receipts cannot be read");
                self.withheld.heard(&apply.what);
                self.stop_matching(&apply.what);
            }
        }
    }

    /// Ahead of the store: whatever the disk does, a template that shall go is not matched from here on.
    pub(super) fn stop_matching(&mut self, what: &What) {
        match what {
            What::EraseFace(template) => self.faces.remove(|held| held.bytes() == template),
            What::FreezeFace(template) => {
                self.faces.freeze(template, true);
            }
            What::StopFaces => self.stopped = true,
            What::Unpair => self.faces.remove(|_| true),
            What::PutCard(..)
            | What::RemoveCard(_)
            | What::RemoveCardBy(_)
            | What::ThawFace(_)
            | What::ResumeFaces
            | What::RenewFaces
            | What::SetClock(_)
            | What::AttestHeld => {}
        }
    }

    /// Behind the store: only what is durable is matched again.
    pub(super) fn match_again(&mut self, what: &What) -> Result<(), GateError> {
        match what {
            What::ThawFace(template) => {
                let frozen = self.store.held(template)?.is_none_or(|held| held.frozen);
                self.faces.freeze(template, frozen);
            }
            What::StopFaces | What::ResumeFaces | What::Unpair => {
                self.stopped = self.withheld.stops(self.store.faces_stopped()?);
            }
            What::EraseFace(_)
            | What::FreezeFace(_)
            | What::PutCard(..)
            | What::RemoveCard(_)
            | What::RemoveCardBy(_)
            | What::RenewFaces
            | What::SetClock(_)
            | What::AttestHeld => {}
        }
        Ok(())
    }

    /// What is matched is what the store holds now.
    pub(in crate::gate) fn reload_faces(&mut self) -> Result<(), GateError> {
        let mut faces = Gallery::new(self.setup.engine.clone());
        let mut live = self.store.live_faces()?;
        self.withheld.keep_out(&mut live);
        faces.extend(live);
        self.faces = faces;
        Ok(())
    }

    /// Everything in memory is as it was turned before: it is read again. Nothing of that time stays in a journal.
    fn take_renewed(&mut self) -> Result<(), GateError> {
        self.reload_faces()?;
        self.log_due = true;
        self.empty_log()?;
        tracing::info!(faces = self.faces.len(), "templates turned anew");
        Ok(())
    }

    /// The receipt of an operation done before. The same id with other bytes is another operation: refused.
    pub(in crate::gate) fn done_before(&mut self, op: &[u8; 16], digest: &[u8; 32]) -> Result<Option<Receipt>, Halt> {
        // An erasure may have been durable while its log was not yet empty: no receipt before that.
        self.empty_log()?;
        match self.store.done(op)? {
            Some((first, receipt)) if first == *digest => Ok(Some(receipt)),
            Some(_) => Err(Refusal::Spent.into()),
            None => Ok(None),
        }
    }

    pub(super) fn probe(
        &mut self,
        probe: &Probe,
        one: Option<TemplateId>,
        seal: &[u8; 32],
        clock: Timestamp,
    ) -> Result<Probed, Halt> {
        let now = self.look(clock);
        self.probes.retain(|(at, _)| now.since(*at) < 3 * admit::PROBE_AGE_MAX_MS);
        let recent = self.probes.iter().filter(|(at, _)| now.since(*at) < PROBES_WITHIN_MS).count();
        if recent >= PROBES_MAX {
            return Err(Refusal::TooMany.into());
        }
        let seen = self.probes.iter().any(|(_, op)| *op == probe.op);
        self.probes.push_back((now, probe.op));
        admit::probe(probe, seen, &self.facts(now), self.lease.corrected(clock))?;
        let off = if one.is_some() { self.faces_off_for_one(clock) } else { self.faces_off(clock) };
        match off {
            None => {}
            Some(FacesOff::CardFirst) => return Err(Refusal::CardFirst.into()),
            Some(_) => return Err(Refusal::CardsOnly.into()),
        }
        let face = open_probe(probe, &self.keys, seal).map_err(|_| Refusal::Envelope)?;
        let ((best, same), least) = match one {
            Some(template) => (self.verify(&face, template, now.date()), self.least_for_one()),
            None => (self.recognise(&face, now.date()), self.least_among_all()),
        };
        Ok(Probed {
            op: probe.op,
            template: best.filter(|_| same).map(|best| *best.template.bytes()),
            similarity: best.map_or(0, |best| matcher::thousandths(best.similarity)),
            threshold: least.map_or(1000, matcher::thousandths),
        })
    }
}

/// What a receipt says besides its outcome.
pub(in crate::gate) struct Signer {
    blank: Receipt,
}

impl Signer {
    pub(in crate::gate) fn new(
        gate: GateId,
        realm: Realm,
        op: [u8; 16],
        request_digest: [u8; 32],
        now: Timestamp,
    ) -> Self {
        let blank = Receipt {
            op,
            gate: *gate.bytes(),
            outcome: Outcome::FaceErased,
            request_digest,
            stored_digest: [0; 32],
            at: now.ms(),
            realm: realm.label().into(),
            signature: [0; 64],
        };
        Self { blank }
    }

    pub(in crate::gate) fn sign(self, keys: &IdentityKeys, outcome: Outcome, stored_digest: [u8; 32]) -> Receipt {
        Receipt { outcome, stored_digest, ..self.blank }.sign(keys)
    }
}
