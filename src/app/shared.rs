//! What the desk's thread and the courier's share while the desk is open: how gates and boards stand, what somebody wants put right, and a bell.
//! In memory only.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::board::BoardCard;
use crate::domain::gate::GateStatus;
use crate::domain::id::{CardId, GateId, StaffId};
use crate::domain::relay::DriftKind;
use crate::domain::time::Timestamp;

/// What desk and courier share: the state of the gates, and a bell.
#[derive(Debug, Default)]
pub struct Shared {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    gates: BTreeMap<GateId, GateStatus>,
    pub(super) boards: BTreeMap<GateId, super::boards::BoardSeen>,
    /// Gates that somebody wants put right, and who.
    pub(super) repairs: BTreeMap<GateId, StaffId>,
    differs: BTreeMap<GateId, Differs>,
    /// What gates keep that were not heard at the restore, until the desk has taken it.
    pub(super) late: BTreeMap<GateId, super::epochs::KeptNote>,
    changes: u64,
    rung: bool,
    over: bool,
}

/// Cards that a gate does not hold as it should, by the last comparison. In memory only, as long as the desk is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Differs {
    /// Cards of the register, in which way, and since when that is known.
    pub(super) cards: BTreeMap<CardId, (DriftKind, Timestamp)>,
    /// Numbers that the register does not have there, and since when that is known.
    pub(super) left_over: BTreeMap<LeftOver, Timestamp>,
}

/// How a gate says a number that it should not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeftOver {
    /// SHA-256 of the card's number.
    Digest([u8; 32]),
    /// As a board's readers make it.
    Board(BoardCard),
}

impl Differs {
    /// The same, where what was known before keeps its age.
    pub(super) fn since(mut self, before: &Self) -> Self {
        for (card, (kind, since)) in &mut self.cards {
            if let Some((same, first)) = before.cards.get(card)
                && *same == *kind
            {
                *since = *first;
            }
        }
        for (number, since) in &mut self.left_over {
            if let Some(first) = before.left_over.get(number) {
                *since = *first;
            }
        }
        self
    }
}

impl Shared {
    /// Which cards a gate does not hold as it should.
    pub(super) fn differs(&self, gate: GateId) -> Differs {
        self.read(|state| state.differs.get(&gate).cloned().unwrap_or_default())
    }

    pub(super) fn note_differs(&self, gate: GateId, found: Differs) {
        self.change(|state| {
            let before = state.differs.remove(&gate).unwrap_or_default();
            let now = found.since(&before);
            let news = now != before;
            state.differs.insert(gate, now);
            news
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gates as last seen, and a number that grows with every change.
    pub fn gates(&self) -> (Vec<GateStatus>, u64) {
        let state = self.lock();
        (state.gates.values().cloned().collect(), state.changes)
    }

    /// The number that grows with every change.
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// Whether the desk was locked.
    pub fn is_over(&self) -> bool {
        self.lock().over
    }

    /// Something is waiting: do not sleep.
    pub fn ring(&self) {
        self.lock().rung = true;
        self.bell.notify_all();
    }

    /// Whether the courier has something else to do than what may take its time: somebody rang, or the desk was locked.
    pub fn is_awaited(&self) -> bool {
        let state = self.lock();
        state.rung || state.over
    }

    /// The desk is locked: the courier's thread ends.
    pub fn end(&self) {
        self.lock().over = true;
        self.bell.notify_all();
    }

    /// Sleeps until the bell or the limit. Returns `false` when the courier must end.
    pub fn wait(&self, limit: Duration) -> bool {
        let state = self.lock();
        let (mut state, _) =
            self.bell.wait_timeout_while(state, limit, |s| !s.rung && !s.over).unwrap_or_else(PoisonError::into_inner);
        state.rung = false;
        !state.over
    }

    /// A gate's clock was set: how far it stands from ours now, in milliseconds.
    pub(super) fn note_clock(&self, gate: GateId, drift_ms: i64) {
        self.change(|state| match state.gates.get_mut(&gate) {
            Some(status) => {
                status.clock_drift_ms = Some(drift_ms);
                true
            }
            None => false,
        });
    }

    /// Forgets gates that are served no more.
    pub(super) fn keep(&self, served: &[GateId]) {
        self.change(|state| {
            let before = state.gates.len();
            state.gates.retain(|id, _| served.contains(id));
            state.boards.retain(|id, _| served.contains(id));
            state.differs.retain(|id, _| served.contains(id));
            state.gates.len() != before
        });
    }

    /// Changes the state; `true` from `act` is news for the desk, and comes back.
    pub(super) fn change(&self, act: impl FnOnce(&mut State) -> bool) -> bool {
        let mut state = self.lock();
        let news = act(&mut state);
        state.changes += u64::from(news);
        news
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Something else that the desk must look at has changed.
    pub(super) fn touch(&self) {
        self.lock().changes += 1;
    }

    pub(super) fn note(&self, status: GateStatus) {
        let mut state = self.lock();
        if state.gates.get(&status.id) != Some(&status) {
            state.gates.insert(status.id, status);
            state.changes += 1;
        }
    }
}
