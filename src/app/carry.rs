//! Many operations of the outbox in one request: the gate makes them durable with one write and signs for each; the desk reads all of them
//! back with one question and records them with one write.

use std::collections::BTreeSet;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::courier::{ANSWER_LIMIT, Courier, is_passing, what_of};
use crate::domain::delivery::{Delivery, GateOp};
use crate::domain::gate::GateRecord;
use crate::domain::relay::reason;
use crate::domain::time::Timestamp;
use crate::ports::LinkError;
use crate::vault::{Carried, VaultError};
use crate::wire::batch::{Step, StepReply};
use crate::wire::frame;
use crate::wire::held::AskHeld;
use crate::wire::message::{Apply, Holdings, Refusal, Reply, Request};

/// Operations of one batch.
pub(super) const BATCH: usize = 400;
/// Batches that one gate gets in one pass, so that no gate starves another.
pub(super) const BATCHES_PER_PASS: usize = 4;
/// Longest wait for a batch: one durable write of the gate.
pub(super) const BATCH_LIMIT: Duration = Duration::from_millis(10_000);

/// What came of a batch.
pub(super) enum Carry {
    /// So many operations were signed for; there may be more.
    Done(u32),
    /// So many were signed for; the gate takes no more just now.
    Rest(u32),
    /// The gate did not answer.
    Away(LinkError),
    /// The gate does not know batches.
    Unable,
}

/// What an operation is about, so that of several in one batch the last one is read back, and an erasure in any case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Face([u8; 16]),
    Card([u8; 32]),
    None,
}

fn key_of(what: &GateOp) -> Key {
    match what {
        GateOp::EraseFace { template } | GateOp::FreezeFace { template } | GateOp::ThawFace { template } => {
            Key::Face(*template.bytes())
        }
        GateOp::PutCard { uid, .. } | GateOp::RemoveCard { uid } => Key::Card(Sha256::digest(uid.bytes()).into()),
        GateOp::StopFaces | GateOp::ResumeFaces => Key::None,
    }
}

impl Courier {
    /// Sends a batch to a gate.
    ///
    /// # Errors
    /// The vault failed.
    pub(super) fn carry_batch(
        &mut self,
        gate: &GateRecord,
        due: &[Delivery],
        now: Timestamp,
    ) -> Result<Carry, VaultError> {
        let steps: Vec<Step> = due
            .iter()
            .map(|delivery| {
                let (op, sequence) = (*delivery.op.bytes(), delivery.sequence);
                Step::Apply(Apply { op, sequence, what: what_of(&delivery.what) })
            })
            .collect();
        let fail_first = |courier: &mut Self| match due.first() {
            Some(first) => courier.vault.record_try_failed(first.op, now),
            None => Ok(()),
        };
        let replies = match self.link.ask(gate, &Request::Batch(steps.clone()), BATCH_LIMIT) {
            Ok(Reply::Batch(replies)) if replies.len() == due.len() => replies,
            Ok(Reply::Refused(Refusal::Malformed)) => return Ok(Carry::Unable),
            Ok(Reply::Refused(refusal)) => {
                if let Some(first) = due.first() {
                    self.vault.record_not_taken(first.op, &refusal.to_string(), now)?;
                }
                return Ok(Carry::Rest(0));
            }
            Ok(_) => {
                fail_first(self)?;
                return Ok(Carry::Away(LinkError::Protocol));
            }
            Err(error) => {
                fail_first(self)?;
                return Ok(Carry::Away(error));
            }
        };
        let mut full = false;
        let mut outcomes = vec![];
        let mut signed = vec![];
        for ((delivery, step), reply) in due.iter().zip(steps).zip(replies) {
            let request = step.request();
            match reply {
                StepReply::Done(receipt) => match receipt.check(gate, self.realm, &request) {
                    Ok(()) => {
                        let overtaken = receipt.was_overtaken(&request);
                        signed.push((delivery, frame::encode(&receipt), overtaken));
                    }
                    Err(_) => outcomes.push(wedged(delivery, reason::RECEIPT)),
                },
                StepReply::Refused(refusal) if is_passing(&refusal) => {
                    full = true;
                    outcomes.push(Carried::Failed { op: delivery.op, reason: refusal.to_string() });
                }
                StepReply::Refused(refusal) => outcomes.push(wedged(delivery, &refusal.to_string())),
            }
        }
        // What the gate holds now, for the last operation on each number.
        let found = match self.find(gate, signed.iter().map(|(delivery, ..)| key_of(&delivery.what))) {
            Ok(found) => found,
            // Asked again later; the gate answers the same operations with the same receipts.
            Err(error) => {
                fail_first(self)?;
                return Ok(Carry::Away(error));
            }
        };
        let mut later = BTreeSet::new();
        for (delivery, receipt, overtaken) in signed.into_iter().rev() {
            let key = key_of(&delivery.what);
            let last = later.insert(key);
            // An erasure is final: whatever followed it on the same number, the gate must hold nothing under it.
            let is_final = matches!(delivery.what, GateOp::EraseFace { .. });
            let read_back = !overtaken && (last || is_final);
            if read_back && !fits(&delivery.what, &found) {
                outcomes.push(wedged(delivery, reason::READ_BACK));
            } else {
                outcomes.push(Carried::Signed { op: delivery.op, receipt, read_back });
            }
        }
        let done = self.vault.record_carried(gate.id, &outcomes, now)?;
        let last_card = due.iter().rev().find_map(|delivery| match &delivery.what {
            GateOp::PutCard { uid, .. } => Some(uid.bytes().to_vec()),
            _ => None,
        });
        if let Some(uid) = last_card {
            self.test_card_way(gate, &uid, now)?;
        }
        Ok(if full { Carry::Rest(done) } else { Carry::Done(done) })
    }

    /// Asks a gate what it holds under some numbers.
    fn find(&mut self, gate: &GateRecord, keys: impl Iterator<Item = Key>) -> Result<Holdings, LinkError> {
        let (mut faces, mut cards) = (vec![], vec![]);
        for key in keys {
            match key {
                Key::Face(template) => faces.extend_from_slice(&template),
                Key::Card(digest) => cards.extend_from_slice(&digest),
                Key::None => {}
            }
        }
        match self.link.ask(gate, &Request::Find(AskHeld { faces, cards }), ANSWER_LIMIT)? {
            Reply::Entries(found) => Ok(found),
            _ => Err(LinkError::Protocol),
        }
    }

    /// Whether a gate holds a card as an operation on it should have led to; `None` when the gate does not know the question.
    pub(super) fn card_fits(&mut self, gate: &GateRecord, what: &GateOp) -> Result<Option<bool>, LinkError> {
        let Key::Card(digest) = key_of(what) else { return Ok(None) };
        let ask = Request::Find(AskHeld { faces: vec![], cards: digest.to_vec() });
        match self.link.ask(gate, &ask, ANSWER_LIMIT)? {
            Reply::Entries(found) => Ok(Some(fits(what, &found))),
            Reply::Refused(Refusal::Malformed) => Ok(None),
            _ => Err(LinkError::Protocol),
        }
    }
}

fn wedged(delivery: &Delivery, reason: &str) -> Carried {
    Carried::Wedged { op: delivery.op, reason: reason.to_owned() }
}

fn fits(what: &GateOp, found: &Holdings) -> bool {
    let face = |template: &[u8; 16]| found.faces.iter().find(|face| face.template == *template);
    let card = |digest: [u8; 32]| found.cards.iter().find(|card| card.digest == digest);
    match (what, key_of(what)) {
        (GateOp::EraseFace { template }, _) => face(template.bytes()).is_none(),
        (GateOp::FreezeFace { template }, _) => face(template.bytes()).is_none_or(|held| held.frozen),
        (GateOp::ThawFace { template }, _) => face(template.bytes()).is_none_or(|held| !held.frozen),
        (GateOp::PutCard { ends_on, .. }, Key::Card(digest)) => {
            card(digest).is_some_and(|held| held.ends_on == ends_on.epoch_days())
        }
        (GateOp::RemoveCard { .. }, Key::Card(digest)) => card(digest).is_none(),
        _ => true,
    }
}
