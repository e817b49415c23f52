//! Compares what a gate holds with what it should: by one digest at each health answer, and only where that differs part by part down to
//! the entries that do. What must not be matched is put right at once; the rest is an alarm with a button. Rules: P47, K2-9.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::Digest;

use super::courier::{ANSWER_LIMIT, Courier, Differs, LeftOver};
use crate::domain::audit::Actor;
use crate::domain::gate::GateRecord;
use crate::domain::id::{CardId, GateId, OpId, TemplateId};
use crate::domain::relay::{DriftCounts, DriftKind, DriftLine, drift_counts};
use crate::domain::time::Timestamp;
use crate::ports::{GateLink, LinkError};
use crate::secret::random_bytes;
use crate::vault::{Expected, VaultError};
use crate::wire::held::{AskDigests, AskEntries, DEPTH_MAX, Difference, Held, Kind, PARTS_MAX};
use crate::wire::message::{Apply, Health, Holdings, Refusal, Reply, Request, What};

/// Longest wait for a list.
const LIST_LIMIT: Duration = Duration::from_millis(8_000);
/// A comparison is made at least this often, in milliseconds, also when nothing is known to have changed.
const COMPARE_EVERY_MS: i64 = 3_600_000;
/// Shortest pause between two comparisons with a gate of more than [`SMALL`] entries, in milliseconds: reading what it should hold takes a
/// moment. A small one: [`super::pace::Pace`].
const PAUSE_LARGE_MS: i64 = 20_000;
/// Entries of a small gate.
const SMALL: u64 = 5_000;
/// A part with at most so many entries of ours is listed instead of divided.
const LEAF: usize = 8;
/// Parts of one list.
const LISTED: usize = 512;
/// Most lines that are shown of one gate; the count is exact.
const LINES_MAX: usize = 200;

/// What the last comparison with a gate has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Compared {
    at: Timestamp,
    /// The last answer that was found to say the same as at the comparison.
    same_at: Timestamp,
    log_len: u64,
    digest: [u8; 32],
    /// Something changed since, and the gate did not let itself be compared to the end.
    unfinished: bool,
    /// Nothing was on its way to the gate.
    settled: bool,
    /// The exact difference: the first [`LINES_MAX`] lines.
    lines: Vec<DriftLine>,
    counts: DriftCounts,
    count: u32,
    cards: Vec<Difference>,
}

/// The same, for the screen.
#[derive(Debug, Default)]
pub(super) struct ToldStep {
    pub(super) in_step: Option<bool>,
    pub(super) at: Option<Timestamp>,
    pub(super) lines: Vec<DriftLine>,
    pub(super) counts: DriftCounts,
    pub(super) count: u32,
}

impl Courier {
    /// Compares a gate that has just answered with `health`, when something may have changed.
    ///
    /// # Errors
    /// The vault failed.
    pub(super) fn compare_held(
        &mut self,
        gate: &GateRecord,
        health: &Health,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        if self.vault.gates_stopped()?.contains(&gate.id) {
            return Ok(());
        }
        let log_len = self.vault.log_len()?;
        let settled = !self.vault.something_waits(gate.id)?;
        if let Some(last) = self.compared.get_mut(&gate.id) {
            let since = now.since(last.at);
            // What was still on its way the last time has arrived: whether it did is said at once.
            let arrived = settled && !last.settled;
            let pause = match health.faces + health.cards {
                _ if arrived => 0,
                SMALL.. => PAUSE_LARGE_MS,
                _ => self.pace.compare_ms,
            };
            let same = last.log_len == log_len && last.digest == health.digest && since < COMPARE_EVERY_MS;
            if since >= 0 && (same || since < pause) {
                if same {
                    (last.same_at, last.unfinished) = (now, false);
                }
                return Ok(());
            }
        }
        let before = self.vault.expected(gate.id, &mut self.numbers)?;
        let mut differ = vec![];
        if before.held.digest() != health.digest {
            differ = match differences(self.link.as_mut(), gate, &before.held) {
                Ok(differ) => differ,
                // Asked again with the next health. What the last comparison said keeps its age, and is no more than that.
                Err(_) => {
                    if let Some(last) = self.compared.get_mut(&gate.id) {
                        last.unfinished = true;
                    }
                    return Ok(());
                }
            };
        }
        // What went there or was decided meanwhile is no difference.
        let after = if differ.is_empty() { before } else { self.vault.expected(gate.id, &mut self.numbers)? };
        differ.retain(|one| still_differs(one, &after));
        let told = self.compared.get(&gate.id).map(|last| last.lines.clone()).unwrap_or_default();
        let mut lines = self.put_right(gate, &differ, now)?;
        lines.extend(self.vault.faces_lost(gate.id)?.iter().map(|link| line(DriftKind::FaceMissing, link.bytes())));
        let cards: Vec<Difference> = differ.into_iter().filter(|one| matches!(one, Difference::Card(..))).collect();
        lines.extend(cards.iter().filter_map(card_line));
        lines.extend(after.unread.iter().map(|card| unread_line(*card)));
        self.shared().note_differs(gate.id, differing_cards(&cards, &after, now));
        lines.sort();
        lines.dedup();
        for kind in [DriftKind::CardLeftOver, DriftKind::CardMissing, DriftKind::CardDay] {
            let of = |lines: &[DriftLine]| lines.iter().filter(|l| l.kind == kind).cloned().collect::<Vec<_>>();
            if of(&lines).iter().any(|line| !told.contains(line)) {
                self.vault.record_card_drift(gate.id, kind, now)?;
            }
        }
        if !lines.is_empty() && lines != told {
            tracing::warn!(gate = %gate.id.short(), count = lines.len(), "a gate and the vault differ");
        }
        let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let counts = drift_counts(&lines);
        lines.truncate(LINES_MAX);
        let (log_len, digest) = (self.vault.log_len()?, health.digest);
        let compared = Compared {
            at: now,
            same_at: now,
            log_len,
            digest,
            unfinished: false,
            settled,
            lines,
            counts,
            count,
            cards,
        };
        self.compared.insert(gate.id, compared);
        Ok(())
    }

    /// What differs at faces is put right by itself: what must not be there is erased, what must rest is told to, what rests goes on resting. What
    /// is gone is noted.
    fn put_right(
        &mut self,
        gate: &GateRecord,
        differ: &[Difference],
        now: Timestamp,
    ) -> Result<Vec<DriftLine>, VaultError> {
        let (mut should, mut holds, mut lines) = (vec![], vec![], vec![]);
        for one in differ {
            match one {
                Difference::Face(key, Some(ours), Some(theirs)) => {
                    self.vault.put_face_right(gate.id, ours, theirs, now)?;
                    lines.push(line(DriftKind::FaceState, key));
                }
                Difference::Face(key, Some(_), None) => should.push(TemplateId::from_bytes(*key)),
                Difference::Face(key, None, Some(_)) => holds.push(TemplateId::from_bytes(*key)),
                Difference::Face(_, None, None) | Difference::Card(..) => {}
            }
        }
        if !should.is_empty() || !holds.is_empty() {
            let drift = self.vault.reconcile(gate.id, &should, &holds, now)?;
            lines.extend(drift.left_over.iter().map(|link| line(DriftKind::FaceLeftOver, link.bytes())));
        }
        if !lines.is_empty() {
            self.shared().ring();
        }
        Ok(lines)
    }

    /// Staff pressed the button: what differs at a gate is put right.
    ///
    /// # Errors
    /// The vault failed.
    pub(super) fn repair(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        let Some(by) = self.shared().take_repair(gate.id) else { return Ok(()) };
        let Some(compared) = self.compared.remove(&gate.id) else { return Ok(()) };
        self.vault.record_repair(gate.id, Actor::Staff(by), now)?;
        self.vault.ask_refill(gate.id, now)?;
        let expected = self.vault.expected(gate.id, &mut self.numbers)?;
        let sequence = self.vault.last_sequence()?;
        for one in compared.cards.iter().filter(|one| still_differs(one, &expected)) {
            let Difference::Card(number, ours, _) = one else { continue };
            if ours.is_some() {
                // Whether a doubted one is still in force nobody knows: it is issued anew, or stays out.
                if let Some(card) = expected.cards.get(number)
                    && !self.vault.card_is_doubted(*card)?
                {
                    self.vault.put_card_again(*card, gate.id, now)?;
                }
                continue;
            }
            let op = OpId::from_bytes(random_bytes());
            let request = Request::Apply(Apply { op: *op.bytes(), sequence, what: What::RemoveCardBy(*number) });
            // What is not taken stays a difference, and the button stays with it.
            match self.link.ask(gate, &request, ANSWER_LIMIT) {
                Ok(Reply::Done(signed)) if signed.check(gate, self.realm, &request).is_ok() => {}
                other => tracing::warn!(gate = %gate.id.short(), ok = other.is_ok(), "a card was not taken out"),
            }
        }
        self.shared().ring();
        Ok(())
    }

    /// What the last comparison has shown, for the screen.
    pub(super) fn step_of(&self, gate: GateId) -> ToldStep {
        let Some(compared) = self.compared.get(&gate) else { return ToldStep::default() };
        let known = (!compared.unfinished).then_some(compared.count == 0);
        ToldStep {
            in_step: known,
            at: Some(compared.same_at),
            lines: compared.lines.clone(),
            counts: compared.counts.clone(),
            count: compared.count,
        }
    }
}

/// The entries that a gate and we do not hold alike.
fn differences(link: &mut dyn GateLink, gate: &GateRecord, ours: &Held) -> Result<Vec<Difference>, LinkError> {
    let mut all = vec![];
    for kind in [Kind::Faces, Kind::Cards] {
        match descend(link, gate, ours, kind)? {
            Some(found) => all.extend(found),
            // A gate of an earlier revision: its whole list.
            None => return by_list(link, gate, ours),
        }
    }
    Ok(all)
}

/// Divides what differs until its parts are small, and lists those. `None` when the gate does not know the question.
fn descend(
    link: &mut dyn GateLink,
    gate: &GateRecord,
    ours: &Held,
    kind: Kind,
) -> Result<Option<Vec<Difference>>, LinkError> {
    let (mut found, mut under) = (vec![], vec![0u32]);
    for depth in 1..=DEPTH_MAX {
        let mut differ = vec![];
        for some in under.chunks(PARTS_MAX / 16) {
            let ask = AskDigests { kind, depth, under: some.to_vec() };
            match link.ask(gate, &Request::Digests(ask.clone()), ANSWER_LIMIT)? {
                Reply::Digests(theirs) => {
                    differ.extend(ours.differing(&ask, &theirs).ok_or(LinkError::Protocol)?);
                }
                Reply::Refused(Refusal::Malformed) if depth == 1 => return Ok(None),
                _ => return Err(LinkError::Protocol),
            }
        }
        let small = |part: &u32| depth == DEPTH_MAX || ours.count(kind, depth, *part) <= LEAF;
        let (listed, mut deeper): (Vec<u32>, Vec<u32>) = differ.into_iter().partition(small);
        for some in listed.chunks(LISTED) {
            let ask = AskEntries { kind, depth, parts: some.to_vec() };
            match link.ask(gate, &Request::Entries(ask.clone()), LIST_LIMIT)? {
                Reply::Entries(theirs) => found.extend(ours.compare(&ask, &theirs)),
                // The gate has far more there than we.
                Reply::Refused(Refusal::TooMany) if depth < DEPTH_MAX => deeper.extend_from_slice(some),
                _ => return Err(LinkError::Protocol),
            }
        }
        if deeper.is_empty() {
            break;
        }
        under = deeper;
    }
    Ok(Some(found))
}

fn by_list(link: &mut dyn GateLink, gate: &GateRecord, ours: &Held) -> Result<Vec<Difference>, LinkError> {
    let Reply::List(theirs) = link.ask(gate, &Request::List, LIST_LIMIT)? else {
        return Err(LinkError::Protocol);
    };
    let Holdings { faces, cards } = theirs;
    let all = |kind| AskEntries { kind, depth: 1, parts: (0..16).collect() };
    let mut found = ours.compare(&all(Kind::Faces), &Holdings { faces, cards: vec![] });
    found.extend(ours.compare(&all(Kind::Cards), &Holdings { faces: vec![], cards }));
    Ok(found)
}

/// Comparisons by gate.
pub(super) type ComparedGates = BTreeMap<GateId, Compared>;

/// Whether a difference is one also by what the gate should hold now.
fn still_differs(one: &Difference, expected: &Expected) -> bool {
    let (kind, depth) = match one {
        Difference::Face(key, ..) if expected.moving_faces.contains(key) => return false,
        Difference::Card(key, ..) if expected.moving_cards.contains(key) => return false,
        Difference::Face(..) => (Kind::Faces, DEPTH_MAX),
        Difference::Card(..) => (Kind::Cards, DEPTH_MAX),
    };
    let (part, theirs) = match one {
        Difference::Face(key, _, theirs) => {
            (first_four(key), Holdings { faces: theirs.iter().cloned().collect(), cards: vec![] })
        }
        Difference::Card(key, _, theirs) => {
            let cards =
                theirs.iter().map(|ends_on| crate::wire::message::CardDigest { digest: *key, ends_on: *ends_on });
            (first_four(key), Holdings { faces: vec![], cards: cards.collect() })
        }
    };
    let now = expected.held.compare(&AskEntries { kind, depth, parts: vec![part] }, &theirs);
    now.contains(one)
}

/// Which cards of the register a gate does not hold as it should, and what it holds beside them.
fn differing_cards(cards: &[Difference], expected: &Expected, now: Timestamp) -> Differs {
    let mut differs = Differs::default();
    for one in cards {
        let Difference::Card(number, ours, theirs) = one else { continue };
        let kind = if theirs.is_none() { DriftKind::CardMissing } else { DriftKind::CardDay };
        match expected.cards.get(number).filter(|_| ours.is_some()) {
            Some(card) => {
                differs.cards.insert(*card, (kind, now));
            }
            None => {
                differs.left_over.insert(LeftOver::Digest(*number), now);
            }
        }
    }
    differs
}

fn first_four(key: &[u8]) -> u32 {
    key.iter().take(4).fold(0, |all, byte| (all << 8) | u32::from(*byte))
}

fn line(kind: DriftKind, key: &[u8]) -> DriftLine {
    DriftLine { kind, number: format!("{:08x}", first_four(key)) }
}

/// A card whose number the desk cannot read is named by its row.
pub(super) fn unread_line(card: CardId) -> DriftLine {
    line(DriftKind::CardUnread, card.bytes())
}

/// A card is named by digits of a digest over its digest: its own is too easily searched for.
fn card_line(one: &Difference) -> Option<DriftLine> {
    let Difference::Card(key, ours, theirs) = one else { return None };
    let kind = match (ours, theirs) {
        (None, _) => DriftKind::CardLeftOver,
        (Some(_), None) => DriftKind::CardMissing,
        (Some(_), Some(_)) => DriftKind::CardDay,
    };
    Some(line(kind, &sha2::Sha256::digest(key)))
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
