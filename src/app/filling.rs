//! Fills a gate from another gate of the same consent: asks the one that holds a face to seal it to the other, relays the bytes from memory,
//! reads back, records. The consent is asked for again before each send. Nothing of a face is kept here, sealed or not; after a crash the gate
//! is asked for the receipt of what may have gone out.

use std::collections::BTreeSet;
use std::time::Duration;

use super::courier::{ANSWER_LIMIT, Courier};
use super::orders;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ConsentId, GateId, OpId};
use crate::domain::relay::FillGranted;
use crate::domain::time::Timestamp;
use crate::ports::LinkError;
use crate::secret::random_bytes;
use crate::vault::{FillRefused, Filled, HeldWord, VaultError};
use crate::wire::batch::{BATCH_BYTES, Step, StepReply};
use crate::wire::frame;
use crate::wire::held::AskHeld;
use crate::wire::message::{Apply, Outcome, Receipt, Refusal, Reply, Request, What};
use crate::wire::receipt::request_digest;
use crate::wire::relay::{PASSES_MAX, PassOn, PutPassed, Want};

/// Faces that one gate is filled with in one turn.
const TURN: usize = PASSES_MAX;
/// Turns of one gate in one pass, so that no gate starves another.
const TURNS_PER_PASS: usize = 4;
/// Longest wait for a gate to seal, or to store, a turn of faces.
const RELAY_LIMIT: Duration = Duration::from_millis(15_000);

/// A face that may go, and the gates that were asked for it in this turn.
type Asked = (FillGranted, BTreeSet<GateId>);

/// A face between two gates.
struct OnTheWay {
    granted: FillGranted,
    /// What the gate that sealed it says its read-back must give.
    digest: [u8; 32],
    passed: PutPassed,
    op: OpId,
}

impl Courier {
    /// Fills a gate that has just answered and been compared.
    ///
    /// # Errors
    /// The vault failed.
    pub(super) fn fill(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        // Before it is compared nobody knows what the gate holds; what waits for it (an erasure, a card) goes first, and a card must have been
        // seen to let in there: a face is never the only way (rule J10a).
        let card_way = gate.card_way_tested_at.is_some();
        if !self.compared.contains_key(&gate.id) || self.vault.something_waits(gate.id)? {
            return Ok(());
        }
        if !gate.takes_faces || !card_way {
            return Ok(());
        }
        let log_len = self.vault.log_len()?;
        let looked = self.filled.get(&gate.id).copied();
        if looked.is_some_and(|(len, at)| len == log_len && (0..self.pace.fill_ms).contains(&now.since(at))) {
            return Ok(());
        }
        self.finish_sent(gate, now)?;
        for _ in 0..TURNS_PER_PASS {
            if self.shared().is_over() || !self.fill_turn(gate, now)? {
                break;
            }
        }
        self.filled.insert(gate.id, (self.vault.log_len()?, now));
        Ok(())
    }

    /// Ends a replacement by the new gate's own word: it signs for the digest of what it holds, which is asked for once more and must be that of
    /// what it should hold.
    ///
    /// # Errors
    /// The vault failed.
    pub(super) fn end_replacement(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        let in_step = self.step_of(gate.id).in_step == Some(true);
        if !in_step || !self.vault.replacement_may_end(gate.id, now)? {
            return Ok(());
        }
        let op = OpId::from_bytes(random_bytes());
        let request = Request::Apply(Apply { op: *op.bytes(), sequence: 0, what: What::AttestHeld });
        let signed = match self.link.ask(gate, &request, ANSWER_LIMIT) {
            Ok(Reply::Done(signed)) if signed.check(gate, self.realm, &request).is_ok() => Some(signed),
            // Of an earlier revision: its word over the authenticated line is all there is.
            Ok(Reply::Refused(Refusal::Malformed)) => None,
            _ => return Ok(()),
        };
        let Ok(Reply::Health(said)) = self.link.ask(gate, &Request::Health, ANSWER_LIMIT) else { return Ok(()) };
        let should = self.vault.expected(gate.id, &mut self.numbers)?.held;
        let same = signed.as_ref().is_none_or(|signed| signed.stored_digest == said.digest)
            && should.digest() == said.digest
            && should.counts() == (said.faces, said.cards);
        if !same {
            tracing::warn!(gate = %gate.id.short(), "a replacement is not called done: the new gate's list is not what it should be");
            return Ok(());
        }
        let faces = u32::try_from(said.faces).unwrap_or(u32::MAX);
        let held = HeldWord { faces, digest: said.digest, receipt: signed.as_ref().map(frame::encode) };
        if self.vault.settle_replacement(gate.id, &held, now)? {
            self.shared().touch();
        }
        Ok(())
    }

    /// What a run that ended in the middle had sent: the gate knows whether it did it.
    fn finish_sent(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        for sent in self.vault.fills_sent(gate.id)? {
            match self.link.ask(gate, &Request::ReceiptOf(*sent.op.bytes()), ANSWER_LIMIT) {
                Ok(Reply::ReceiptOf(Some(receipt))) => {
                    let fits = receipt.is_signed_by(&gate.sign_key)
                        && receipt.gate == *gate.id.bytes()
                        && receipt.realm == self.realm.label()
                        && receipt.op == *sent.op.bytes()
                        && receipt.request_digest == sent.request_digest
                        && receipt.outcome == Outcome::FaceStored;
                    if fits {
                        let filled = filled(sent.consent, &receipt);
                        self.vault.record_filled(gate.id, &[filled], now)?;
                    } else {
                        self.vault.record_fill_failed(sent.consent, gate.id, now)?;
                    }
                }
                // It never came, or was refused: it goes again under a new number of its own.
                Ok(Reply::ReceiptOf(None)) => self.vault.record_fill_failed(sent.consent, gate.id, now)?,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// One turn. `false` when there is no more to do now.
    fn fill_turn(&mut self, gate: &GateRecord, now: Timestamp) -> Result<bool, VaultError> {
        let due = self.vault.fills_due(gate.id, TURN, now)?;
        let (count, mut went) = (due.len(), 0);
        let sources = self.vault.gates()?;
        // A source that does not give a face is not asked for it again in this turn; the next one is.
        let mut wanted: Vec<Asked> = due.into_iter().map(|one| (one, BTreeSet::new())).collect();
        while !wanted.is_empty() {
            let (by_source, away) = self.sort_by_source(std::mem::take(&mut wanted));
            for consent in away {
                self.vault.record_fill_failed(consent, gate.id, now)?;
            }
            for (source, some) in by_source {
                let Some(source) = sources.iter().find(|record| record.id == source) else {
                    for (granted, _) in some {
                        self.vault.record_fill_failed(granted.consent(), gate.id, now)?;
                    }
                    continue;
                };
                for some in in_frames(some) {
                    let (sealed, none) = self.pass_on(source, gate, some, now)?;
                    wanted.extend(none.into_iter().map(|(granted, mut asked)| {
                        asked.insert(source.id);
                        (granted, asked)
                    }));
                    match self.hand_on(gate, sealed, now)? {
                        Some(stored) => went += stored,
                        None => return Ok(false),
                    }
                }
            }
        }
        Ok(count == TURN && went > 0)
    }

    /// Faces by the gate that is asked for them: the first that answers and was not asked. Those without one come back by their consent.
    fn sort_by_source(&self, wanted: Vec<Asked>) -> (Vec<(GateId, Vec<Asked>)>, Vec<ConsentId>) {
        let there = self.shared().gates().0;
        let reachable = |id: GateId| there.iter().any(|status| status.id == id && status.reachable);
        let (mut by_source, mut away): (Vec<(GateId, Vec<Asked>)>, _) = (vec![], vec![]);
        for (granted, asked) in wanted {
            let fits = |id: &&GateId| !asked.contains(id) && reachable(**id) && self.compared.contains_key(id);
            match granted.sources().iter().find(fits).copied() {
                Some(source) => match by_source.iter_mut().find(|(id, _)| *id == source) {
                    Some((_, list)) => list.push((granted, asked)),
                    None => by_source.push((source, vec![(granted, asked)])),
                },
                None => away.push(granted.consent()),
            }
        }
        (by_source, away)
    }

    /// Asks the gate that holds the faces to seal them to the other. What it does not give comes back.
    fn pass_on(
        &mut self,
        source: &GateRecord,
        gate: &GateRecord,
        wanted: Vec<Asked>,
        now: Timestamp,
    ) -> Result<(Vec<OnTheWay>, Vec<Asked>), VaultError> {
        let consents: Vec<_> = wanted.iter().map(|(granted, _)| granted.consent()).collect();
        let introduction = self.vault.introduce(gate, &consents, now)?;
        let with_ops: Vec<_> = wanted.into_iter().map(|one| (one, OpId::from_bytes(random_bytes()))).collect();
        let wants = with_ops.iter().map(|((granted, _), op)| Want {
            op: *op.bytes(),
            template: *granted.template().bytes(),
            consent: granted.evidence().to_vec(),
        });
        let request = Request::PassOn(PassOn { introduction, wants: wants.collect() });
        let told = orders::tell(&self.vault, self.link.as_mut(), source, RELAY_LIMIT);
        let passed = match told.and_then(|()| self.link.ask(source, &request, RELAY_LIMIT)) {
            Ok(Reply::PassedOn(passed)) if passed.len() == with_ops.len() => passed,
            other => {
                let why = match other {
                    Ok(Reply::Refused(refusal)) => refusal.to_string(),
                    Ok(_) => LinkError::Protocol.to_string(),
                    Err(error) => error.to_string(),
                };
                tracing::warn!(from = %source.id.short(), to = %gate.id.short(), why, "no face was passed on");
                return Ok((vec![], with_ops.into_iter().map(|(one, _)| one).collect()));
            }
        };
        let (mut sealed, mut none) = (vec![], vec![]);
        for (((granted, asked), op), passed) in with_ops.into_iter().zip(passed) {
            let digest = passed.digest;
            let put = passed.put.filter(|put| {
                put.op == *op.bytes()
                    && put.gate == *gate.id.bytes()
                    && put.template == *granted.template().bytes()
                    && put.ends_on <= granted.ends_on().epoch_days()
            });
            match put {
                Some(put) => {
                    let passed = PutPassed { put, from: *source.id.bytes(), from_seal: source.seal_key };
                    sealed.push(OnTheWay { granted, digest, passed, op });
                }
                None => none.push((granted, asked)),
            }
        }
        Ok((sealed, none))
    }

    /// Hands sealed faces to the gate that they are for. Returns how many it stored; `None` when it went away.
    fn hand_on(
        &mut self,
        gate: &GateRecord,
        sealed: Vec<OnTheWay>,
        now: Timestamp,
    ) -> Result<Option<usize>, VaultError> {
        let digests: Vec<_> = sealed
            .iter()
            .map(|one| (&one.granted, one.op, request_digest(&Request::PutPassed(one.passed.clone()))))
            .collect();
        // Asks again whether each consent is current, and writes down that the faces go now, before they go.
        let may = self.vault.record_fills_sent(gate.id, &digests, now)?;
        drop(digests);
        let going: Vec<OnTheWay> = sealed.into_iter().filter(|one| may.contains(&one.granted.consent())).collect();
        if going.is_empty() {
            return Ok(Some(0));
        }
        let steps: Vec<Step> = going.iter().map(|one| Step::Passed(one.passed.clone())).collect();
        let replies = match self.link.ask(gate, &Request::Batch(steps), RELAY_LIMIT) {
            Ok(Reply::Batch(replies)) if replies.len() == going.len() => replies,
            // Whether they arrived is asked the next time (`finish_sent`).
            _ => return Ok(None),
        };
        let (mut stored, mut spent) = (vec![], vec![]);
        for (one, reply) in going.iter().zip(replies) {
            let consent = one.granted.consent();
            let request = Request::PutPassed(one.passed.clone());
            match reply {
                StepReply::Done(receipt)
                    if receipt.check(gate, self.realm, &request).is_ok() && receipt.stored_digest == one.digest =>
                {
                    stored.push((one.passed.put.template, filled(consent, &receipt)));
                }
                StepReply::Done(_) => self.vault.record_fill_failed(consent, gate.id, now)?,
                StepReply::Refused(Refusal::Spent) => spent.push((one.passed.put.template, consent)),
                StepReply::Refused(Refusal::Engine | Refusal::CardsOnly | Refusal::Expired) => {
                    self.vault.record_fill_refused(consent, gate.id, FillRefused::CannotTake, now)?;
                }
                StepReply::Refused(refusal) => {
                    tracing::warn!(to = %gate.id.short(), %refusal, "a face was not taken");
                    self.vault.record_fill_failed(consent, gate.id, now)?;
                }
            }
        }
        let asked = stored.iter().map(|(template, _)| template).chain(spent.iter().map(|(template, _)| template));
        let faces: Vec<u8> = asked.flatten().copied().collect();
        let held = match self.link.ask(gate, &Request::Find(AskHeld { faces, cards: vec![] }), ANSWER_LIMIT) {
            Ok(Reply::Entries(held)) => held,
            _ => return Ok(None),
        };
        for (template, consent) in spent {
            // Held with other content is no erasure; the comparison says what differs.
            if held.faces.iter().any(|face| face.template == template) {
                self.vault.record_fill_failed(consent, gate.id, now)?;
            } else if self.vault.record_fill_refused(consent, gate.id, FillRefused::Spent, now)? {
                self.shared().ring();
            }
        }
        let (read_back, differs): (Vec<_>, Vec<_>) = stored.into_iter().partition(|(template, one)| {
            held.faces.iter().any(|face| face.template == *template && face.digest == one.digest)
        });
        for (_, one) in differs {
            self.vault.record_fill_failed(one.consent, gate.id, now)?;
        }
        let filled: Vec<Filled> = read_back.into_iter().map(|(_, one)| one).collect();
        self.vault.record_filled(gate.id, &filled, now)?;
        self.shared().touch();
        Ok(Some(filled.len()))
    }
}

fn filled(consent: ConsentId, receipt: &Receipt) -> Filled {
    Filled { consent, digest: receipt.stored_digest, receipt: frame::encode(receipt) }
}

/// As many as fit into one request, with their signed consents.
fn in_frames(wanted: Vec<Asked>) -> Vec<Vec<Asked>> {
    let (mut frames, mut bytes) = (vec![vec![]], 0);
    for one in wanted {
        let size = one.0.evidence().len() + 64;
        if bytes + size > BATCH_BYTES && bytes > 0 {
            frames.push(vec![]);
            bytes = 0;
        }
        bytes += size;
        if let Some(last) = frames.last_mut() {
            last.push(one);
        }
    }
    frames
}
