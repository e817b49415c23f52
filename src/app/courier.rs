//! Carries the outbox to the gates: stops and erasures first, then freezes, then cards, each read back. One [`Courier::pass`] at a time, on a thread of its own.
//!
//! Deliberately absent: faces. They go from memory, once, in `app::enroll`, and are never queued.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::board_courier::Boards;
use super::carry::{BATCH, BATCH_LIMIT, BATCHES_PER_PASS, Carry};
use super::drift::ComparedGates;
use super::orders;
use super::pace::Pace;
pub use super::shared::Shared;
pub(super) use super::shared::{Differs, LeftOver};
use crate::domain::Realm;
use crate::domain::audit::Actor;
use crate::domain::delivery::GateOp;
use crate::domain::gate::{FacesRest, GateKind, GateRecord, GateStatus, GateTerms};
use crate::domain::id::GateId;
use crate::domain::relay::reason;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::Timestamp;
use crate::ports::{BoardLink, GateLink, LinkError};
use crate::vault::{CardNumbers, Vault, VaultError};
use crate::wire::frame;
use crate::wire::message::{Apply, FacesOff, Health, Refusal, Reply, Request, What};

/// Longest wait for one answer.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_millis(2_000);
/// Most operations sent to one gate in one pass, so that no gate starves another.
pub(super) const OPS_PER_PASS: usize = 200;
/// Gates that did not answer the last time and are tried in one pass: each may cost [`ANSWER_LIMIT`], and the others must not wait for all.
const AWAY_PER_PASS: usize = 2;

/// The courier.
pub struct Courier {
    pub(super) vault: Vault,
    pub(super) link: Box<dyn GateLink>,
    pub(super) realm: Realm,
    shared: Arc<Shared>,
    asked_at: BTreeMap<GateId, Timestamp>,
    /// When this pass began.
    began: Instant,
    /// Gates that did not answer the last time, and in which pass that was.
    away: BTreeMap<GateId, u64>,
    passes: u64,
    pub(super) compared: ComparedGates,
    pub(super) numbers: CardNumbers,
    pub(super) filled: BTreeMap<GateId, (u64, Timestamp)>,
    /// Gates of an earlier revision, which take one operation at a time.
    single: BTreeSet<GateId>,
    pub(super) heads: BTreeMap<GateId, super::witness::Asked>,
    pub(super) boards: Boards,
    pub(super) bound: BTreeMap<GateId, super::card_first::Bound>,
    pub(super) kept: BTreeMap<GateId, super::epochs::Kept>,
    pub(super) pace: Pace,
}

impl Courier {
    /// Takes a connection of its own to the vault and links of its own to both kinds of gate.
    pub fn new(vault: Vault, link: Box<dyn GateLink>, boards: Box<dyn BoardLink>, shared: Arc<Shared>) -> Self {
        let realm = vault.realm();
        Self {
            vault,
            link,
            realm,
            shared,
            asked_at: BTreeMap::new(),
            began: Instant::now(),
            away: BTreeMap::new(),
            passes: 0,
            compared: ComparedGates::new(),
            numbers: CardNumbers::new(),
            filled: BTreeMap::new(),
            single: BTreeSet::new(),
            heads: BTreeMap::new(),
            boards: Boards::new(boards),
            bound: BTreeMap::new(),
            kept: BTreeMap::new(),
            pace: Pace::USUAL,
        }
    }

    /// Shortens the pauses, so that a test that goes through thousands of acts does not spend its hours in them. Practice only.
    #[cfg(feature = "practice")]
    pub fn hasten(&mut self) {
        self.pace = Pace::HASTY;
    }

    /// What it shares with the desk.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Sends what is due to every gate and asks after its health. Returns how many operations gates signed for.
    ///
    /// # Errors
    /// The vault failed; gates that do not answer are not an error.
    pub fn pass(&mut self, now: Timestamp) -> Result<u32, VaultError> {
        self.began = Instant::now();
        let (mut signed, mut failed) = (0, None);
        let served = self.vault.gates_to_serve()?;
        let boards = self.vault.boards_to_serve()?;
        let ids: Vec<GateId> = served.iter().map(|gate| gate.id).chain(boards.iter().map(|board| board.id)).collect();
        self.shared.keep(&ids);
        self.away.retain(|id, _| ids.contains(id));
        self.passes += 1;
        for gate in self.in_turn(served) {
            // A desk that is being locked waits for this thread: gates that are away must not keep it waiting one by one.
            if self.shared.is_over() {
                break;
            }
            // What cannot be sent to one gate keeps nothing from the others.
            match self.visit(&gate, now) {
                Ok(done) => signed += done,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match self.pass_boards(now) {
            Ok(done) => signed += done,
            Err(error) => failed = failed.or(Some(error)),
        }
        failed.map_or(Ok(signed), Err)
    }

    /// Gates that answered the last time, then some of those that did not: the ones that were not tried for longest.
    fn in_turn(&self, served: Vec<GateRecord>) -> Vec<GateRecord> {
        let (mut away, mut turn): (Vec<_>, Vec<_>) = served.into_iter().partition(|g| self.away.contains_key(&g.id));
        away.sort_by_key(|gate| self.away.get(&gate.id).copied());
        away.truncate(AWAY_PER_PASS);
        turn.append(&mut away);
        turn
    }

    /// One gate's turn: what is due, then its health.
    fn visit(&mut self, gate: &GateRecord, now: Timestamp) -> Result<u32, VaultError> {
        let due = self.asked_at.get(&gate.id).is_none_or(|at| now.since(*at) >= self.pace.health_ms || now < *at);
        let tries = due || self.something_due(gate, now)?;
        if tries {
            // A gate that was away, or has just started, matches nobody until its station is heard. What it hears first is whom it shall match
            // no more, also when that waits for its next try.
            self.vault.hurry_orders(gate.id, now)?;
        }
        let (done, last_error) = match self.tell_many(gate, now)? {
            Some(error) => (0, Some(error)),
            None => self.serve(gate, now)?,
        };
        if last_error.is_none() {
            self.unpair(gate, now)?;
        }
        if let Some(tried) = self.away.get_mut(&gate.id) {
            // Also when nothing was due: its place goes to the next.
            *tried = self.passes;
        }
        // Also when the gate took nothing of what was due: what waits for it is told as it is.
        if tries || done > 0 || last_error.is_some() {
            self.asked_at.insert(gate.id, now);
            let health = match last_error {
                Some(error) => Err(error),
                None => match self.link.ask(gate, &Request::Health, ANSWER_LIMIT) {
                    Ok(Reply::Health(health)) => Ok(health),
                    Ok(_) => Err(LinkError::Protocol),
                    Err(error) => Err(error),
                },
            };
            let health = match health {
                // Another key where this gate should be: no changed key when it is that of a gate that stood there before.
                Err(LinkError::KeyChanged) if self.meet_former(gate, now)? => Err(LinkError::Away),
                health => health,
            };
            if health.is_ok() {
                self.away.remove(&gate.id);
            } else {
                self.away.insert(gate.id, self.passes);
            }
            if let Ok(health) = &health {
                self.hear_late(gate)?;
                self.compare_stop(gate, health, now)?;
                self.repair(gate, now)?;
                self.compare_held(gate, health, now)?;
                let card = match self.vault.card_at(gate.id, now) {
                    _ if gate.card_way_tested_at.is_some() => None,
                    // One whose number cannot be read tests nothing.
                    Err(error) if error.is_of_a_row() => None,
                    read => read?,
                };
                if let Some(card) = card {
                    // The run that wrote the card ended before it could ask.
                    self.test_card_way(gate, card.bytes(), now)?;
                }
                if health.faces_off == Some(FacesOff::CardFirst) {
                    self.bind_cards(gate)?;
                }
                // Before the gate counts as answering: a log that does not continue what it keeps must not act on faces.
                self.witness(gate, now)?;
                self.fill(gate, now)?;
                self.end_replacement(gate, now)?;
                self.keep_epoch(gate, now)?;
            }
            self.note(gate, health, now)?;
        }
        Ok(done)
    }

    /// Where more orders wait than one batch holds, the gate is told all of them before anything is done one batch after the other: the first
    /// batch, or the question what came of it, would be contact, and the gate would match those of the next.
    fn tell_many(&mut self, gate: &GateRecord, now: Timestamp) -> Result<Option<LinkError>, VaultError> {
        let read = match self.vault.orders_waiting(gate.id, usize::MAX) {
            Err(error) if error.is_of_a_row() && self.vault.set_aside_unreadable(gate.id, now)? > 0 => {
                self.vault.orders_waiting(gate.id, usize::MAX)
            }
            read => read,
        };
        let waiting = read?;
        let Some(first) = waiting.first().filter(|_| waiting.len() > BATCH) else { return Ok(None) };
        let told = orders::tell(&self.vault, self.link.as_mut(), gate, BATCH_LIMIT);
        if told.is_err() {
            self.vault.record_try_failed(first.op, now)?;
        }
        Ok(told.err())
    }

    /// Whether an operation would go to a gate now.
    fn something_due(&self, gate: &GateRecord, now: Timestamp) -> Result<bool, VaultError> {
        match self.vault.next_due(gate.id, now) {
            Err(error) if error.is_of_a_row() => Ok(true),
            read => Ok(read?.is_some()),
        }
    }

    /// Whether a gate out of use answers at a gate's address: switched on again, say, while the one that replaced it is off. It is told what
    /// waits for it, erasures and the end of its pairing.
    fn meet_former(&mut self, gate: &GateRecord, now: Timestamp) -> Result<bool, VaultError> {
        for former in self.vault.former_gates_at(&gate.address)? {
            let told = orders::tell(&self.vault, self.link.as_mut(), &former, ANSWER_LIMIT);
            match told.and_then(|()| self.link.ask(&former, &Request::Health, ANSWER_LIMIT)) {
                Ok(Reply::Health(_)) => {
                    tracing::warn!(former = %former.id.short(), gate = %gate.id.short(), "a gate out of use answers in another's place");
                    self.vault.record_met(former.id, &former.address, now)?;
                    if let (_, None) = self.serve(&former, now)? {
                        self.unpair(&former, now)?;
                    }
                    return Ok(true);
                }
                // It has proved its key, and has forgotten this station since.
                Ok(_) | Err(LinkError::NotPaired) => return Ok(true),
                Err(_) => {}
            }
        }
        Ok(false)
    }

    fn serve(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(u32, Option<LinkError>), VaultError> {
        let (mut done, mut batches) = (0, 0);
        for _ in 0..OPS_PER_PASS {
            let read = match self.single.contains(&gate.id) {
                true => self.vault.next_due(gate.id, now).map(|next| next.into_iter().collect()),
                false => self.vault.due_together(gate.id, BATCH, now),
            };
            let mut due = match read {
                // What can be read goes on.
                Err(error) if error.is_of_a_row() && self.vault.set_aside_unreadable(gate.id, now)? > 0 => continue,
                read => read?,
            };
            if due.len() > 1 {
                batches += 1;
                match self.carry_batch(gate, &due, now)? {
                    Carry::Done(count) if batches < BATCHES_PER_PASS => done += count,
                    Carry::Done(count) => {
                        // The other gates have their turn; then this one goes on.
                        self.shared.ring();
                        return Ok((done + count, None));
                    }
                    Carry::Rest(count) => return Ok((done + count, None)),
                    Carry::Away(error) => return Ok((done, Some(error))),
                    Carry::Unable => drop(self.single.insert(gate.id)),
                }
                continue;
            }
            let Some(delivery) = due.pop() else { break };
            let what = what_of(&delivery.what);
            let request = Request::Apply(Apply { op: *delivery.op.bytes(), sequence: delivery.sequence, what });
            match self.link.ask(gate, &request, ANSWER_LIMIT) {
                Ok(Reply::Done(signed)) => match signed.check(gate, self.realm, &request) {
                    Ok(()) => {
                        let receipt = frame::encode(&signed);
                        let overtaken = signed.was_overtaken(&request);
                        match self.read_back(gate, &delivery.what, overtaken) {
                            Ok(None) => self.vault.record_delivered(delivery.op, gate.id, &receipt, now)?,
                            Ok(Some(true)) => self.vault.record_read_back(delivery.op, gate.id, &receipt, now)?,
                            Ok(Some(false)) => {
                                self.vault.record_wedged(delivery.op, reason::READ_BACK, now)?;
                                continue;
                            }
                            // Asked again later; the gate answers the same operation with the same receipt.
                            Err(error) => {
                                self.vault.record_try_failed(delivery.op, now)?;
                                return Ok((done, Some(error)));
                            }
                        }
                        done += 1;
                        if let GateOp::PutCard { uid, .. } = &delivery.what {
                            self.test_card_way(gate, uid.bytes(), now)?;
                        }
                    }
                    Err(_) => self.vault.record_wedged(delivery.op, reason::RECEIPT, now)?,
                },
                Ok(Reply::Refused(refusal)) if is_passing(&refusal) => {
                    self.vault.record_not_taken(delivery.op, &refusal.to_string(), now)?;
                    break;
                }
                Ok(Reply::Refused(refusal)) => self.vault.record_wedged(delivery.op, &refusal.to_string(), now)?,
                Ok(_) => {
                    self.vault.record_try_failed(delivery.op, now)?;
                    return Ok((done, Some(LinkError::Protocol)));
                }
                Err(error) => {
                    self.vault.record_try_failed(delivery.op, now)?;
                    return Ok((done, Some(error)));
                }
            }
        }
        Ok((done, None))
    }

    /// Compares whether all faces are stopped at a gate with what was decided. A gate that lost a stop is told again. One that is stopped and
    /// nobody here knows why (it was stopped by a desk before this one, or an older state was put back here) stays so, and is recorded as
    /// stopped: a supervisor takes it up again.
    fn compare_stop(&mut self, gate: &GateRecord, health: &Health, now: Timestamp) -> Result<(), VaultError> {
        let said = match health.faces_off {
            Some(FacesOff::CardsOnly) => return Ok(()),
            off => off == Some(FacesOff::Stopped),
        };
        if self.vault.match_stop(gate.id, said, now)? {
            tracing::warn!(gate = %gate.id.short(), said, "a gate and the vault did not agree whether all faces are stopped there");
            self.shared.ring();
        }
        if matches!(health.faces_off, None | Some(FacesOff::CardFirst)) {
            self.vault.record_faces_on(gate.id, now)?;
        }
        Ok(())
    }

    /// Tells a gate that was taken out of use, and has signed for everything else, to erase what is left and to forget this station.
    fn unpair(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        let Some(op) = self.vault.unpairing_due(gate.id)? else { return Ok(()) };
        let request = Request::Apply(Apply { op: *op.bytes(), sequence: 0, what: What::Unpair });
        match self.link.ask(gate, &request, ANSWER_LIMIT) {
            Ok(Reply::Done(signed)) if signed.check(gate, self.realm, &request).is_ok() => {
                self.vault.record_unpaired(op, gate.id, &frame::encode(&signed), now)
            }
            Ok(Reply::Refused(refusal)) if is_passing(&refusal) => Ok(()),
            Ok(Reply::Refused(refusal)) => self.vault.record_unpairing_refused(op, &refusal.to_string(), now),
            // Away, or an answer that counts for nothing: the same operation goes again.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Asks the gate what it holds after an operation: whether that is what the operation should have led to. `None` for a card operation
    /// that a later one has overtaken, and for cards at a gate that does not know the question.
    fn read_back(&mut self, gate: &GateRecord, what: &GateOp, overtaken: bool) -> Result<Option<bool>, LinkError> {
        let request = match what {
            GateOp::PutCard { .. } | GateOp::RemoveCard { .. } if overtaken => return Ok(None),
            GateOp::PutCard { .. } | GateOp::RemoveCard { .. } => return self.card_fits(gate, what),
            GateOp::StopFaces | GateOp::ResumeFaces => Request::Health,
            GateOp::EraseFace { template } | GateOp::FreezeFace { template } | GateOp::ThawFace { template } => {
                Request::ReadBack(*template.bytes())
            }
        };
        let fits = match (what, self.link.ask(gate, &request, ANSWER_LIMIT)?) {
            (GateOp::StopFaces, Reply::Health(health)) => {
                matches!(health.faces_off, Some(FacesOff::Stopped | FacesOff::CardsOnly))
            }
            (GateOp::ResumeFaces, Reply::Health(health)) => health.faces_off != Some(FacesOff::Stopped),
            (GateOp::EraseFace { .. }, Reply::Held(held)) => held.is_none(),
            (GateOp::FreezeFace { .. }, Reply::Held(held)) => held.is_none_or(|held| held.frozen),
            (GateOp::ThawFace { .. }, Reply::Held(held)) => held.is_none_or(|held| !held.frozen),
            _ => return Err(LinkError::Protocol),
        };
        Ok(Some(fits))
    }

    /// A card that a gate just signed for is asked for at once: that is the card way test of L1.
    pub(super) fn test_card_way(&mut self, gate: &GateRecord, uid: &[u8], now: Timestamp) -> Result<(), VaultError> {
        let opens = self.link.ask(gate, &Request::TestCard(uid.to_vec()), ANSWER_LIMIT);
        if matches!(opens, Ok(Reply::CardTested(true))) {
            self.vault.record_card_way_test(gate.id, Actor::Station, now)?;
        }
        Ok(())
    }

    /// The gate's own limits, beside what the notice says of them.
    fn terms(&self, health: &Health) -> Result<GateTerms, VaultError> {
        let facts = match self.vault.facts() {
            // A site file that is not believed promises nothing; which gates there are does not depend on it.
            Err(VaultError::SiteFileRefused) => SiteFacts::default(),
            read => read?,
        };
        let promised = |fact: Fact| facts.get(fact).trim().parse().unwrap_or(0);
        let said = GateTerms {
            offline_hours: health.offline_hours,
            passlog_days: health.passlog_days,
            faces: Some(health.faces),
            people_max: health.people_max,
            strangers_in_ppm: health.strangers_in_ppm,
            ..GateTerms::default()
        };
        Ok(said.against(promised(Fact::OfflineHours), promised(Fact::PasslogDays)))
    }

    fn note(&mut self, gate: &GateRecord, health: Result<Health, LinkError>, now: Timestamp) -> Result<(), VaultError> {
        let before = self.shared.gates().0.into_iter().find(|s| s.id == gate.id);
        // What answers where a gate out of use was last is no concern of that gate's.
        let is_in_use = self.vault.gates()?.iter().any(|g| g.id == gate.id);
        if is_in_use && matches!(health, Err(LinkError::KeyChanged)) && !before.as_ref().is_some_and(|s| s.key_changed)
        {
            self.vault.record_key_changed(gate.id, now)?;
        }
        if !is_in_use && health.is_ok() && self.vault.gates_stopped()?.contains(&gate.id) {
            self.vault.record_met(gate.id, &gate.address, now)?;
            self.shared.ring();
        }
        // A gate that was stopped stays stopped until it is paired again, also when its old key is back.
        let key_changed = self.vault.gates_stopped()?.contains(&gate.id);
        let counts = self.vault.queue_counts()?;
        let count = counts.iter().find(|c| c.gate == gate.id);
        let tested = self.vault.gates()?.iter().any(|g| g.id == gate.id && g.card_way_tested_at.is_some());
        let was_reachable = before.as_ref().is_some_and(|s| s.reachable);
        // By the end of the exchange: in a long pass that is much later than its beginning.
        let heard_at = now.plus_ms(i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX));
        let maybe = self.link.take_heard(gate.id) || was_reachable;
        match &health {
            Ok(health) => self.vault.record_contact(gate.id, health.offline_hours, heard_at)?,
            // A request that was not answered may have been heard: the gate's lease counts from it.
            Err(_) if maybe => self.vault.record_contact(gate.id, None, heard_at)?,
            Err(_) => {}
        }
        let health = health.ok();
        let terms = match &health {
            Some(health) => self.terms(health)?,
            None => before.as_ref().map(|status| status.terms).unwrap_or_default(),
        };
        let too_long = is_in_use && gate.takes_faces && terms.lease_too_long;
        if too_long && !self.vault.faces_stopped()?.contains(&gate.id) {
            // It would go on longer without contact than people were told: no face opens there until its limit is right and a supervisor
            // takes faces up again. The other gates go on.
            tracing::warn!(gate = %gate.id.short(), "goes on longer without contact than the notice says: faces are stopped there");
            self.vault.stop_faces(Some(gate.id), Actor::Station, now)?;
            self.shared.ring();
        }
        let told = self.step_of(gate.id);
        let faces_rest = match &health {
            Some(health) => faces_rest(health),
            None => before.as_ref().and_then(|status| status.faces_rest),
        };
        let card_first = health.as_ref().is_some_and(|h| h.faces_off == Some(FacesOff::CardFirst));
        self.shared.note(GateStatus {
            id: gate.id,
            name: gate.name.clone(),
            kind: GateKind::Signing,
            reachable: health.is_some(),
            last_seen_at: health.as_ref().map(|_| now).or(before.as_ref().and_then(|s| s.last_seen_at)),
            pending: count.map_or(0, |c| c.pending),
            wedged: count.map_or(0, |c| c.wedged),
            oldest_pending_at: count.and_then(|c| c.oldest_pending_at),
            clock_drift_ms: health.as_ref().map(|h| h.clock.saturating_sub(now.ms())),
            version: health.map(|h| h.version).or(before.and_then(|s| s.version)),
            card_way_tested: tested,
            key_changed,
            in_step: told.in_step,
            compared_at: told.at,
            drift: told.lines,
            drift_counts: told.counts,
            drift_count: told.count,
            card_first,
            faces_rest,
            terms,
        });
        Ok(())
    }
}

/// Why a gate matches no face, where that is not how it is meant to be.
fn faces_rest(health: &Health) -> Option<FacesRest> {
    match health.faces_off {
        Some(FacesOff::Stopped) => Some(FacesRest::Stopped),
        Some(FacesOff::NoContact) => Some(FacesRest::NoContact),
        Some(FacesOff::ClockBack) => Some(FacesRest::ClockBack),
        None | Some(FacesOff::CardsOnly | FacesOff::CardFirst) => None,
    }
}

/// An operation of the outbox as it is sent.
pub(super) fn what_of(op: &GateOp) -> What {
    match op {
        GateOp::StopFaces => What::StopFaces,
        GateOp::ResumeFaces => What::ResumeFaces,
        GateOp::EraseFace { template } => What::EraseFace(*template.bytes()),
        GateOp::FreezeFace { template } => What::FreezeFace(*template.bytes()),
        GateOp::ThawFace { template } => What::ThawFace(*template.bytes()),
        GateOp::PutCard { uid, ends_on } => What::PutCard(uid.bytes().to_vec(), ends_on.epoch_days()),
        GateOp::RemoveCard { uid } => What::RemoveCard(uid.bytes().to_vec()),
    }
}

/// Refusals that may go away by themselves.
pub(super) fn is_passing(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Storage | Refusal::Full | Refusal::TooMany)
}
