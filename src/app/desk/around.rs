//! What is around the desk: the card on the reader, the gates that answer, and all of it together as the conditions of a permit.

use std::time::Duration;

use super::{Desk, failure_of};
use crate::app::conditions::{self, Around, PersonFacts};
use crate::app::enroll::Flow;
use crate::app::event::{Failure, StaffEvent};
use crate::app::evidence;
use crate::app::orders;
use crate::app::rights_window::RightsFlow;
use crate::domain::card::CardUid;
use crate::domain::gate::GateRecord;
use crate::domain::permit::{Condition, Conditions};
use crate::domain::site::SiteFacts;
use crate::domain::time::Timestamp;
use crate::ports::LinkError;
use crate::wire::message::{Reply, Request};

impl Desk {
    pub(super) fn poll_reader(&mut self, now: Timestamp) {
        if self.open.is_none() || self.reader_asked.is_some_and(|at| self.moment.since(at) < READER_EVERY_MS) {
            return;
        }
        self.reader_asked = Some(self.moment);
        let (state, card) = match self.devices.reader.present() {
            Ok(card) => (None, card),
            Err(error) => (Some(error), None),
        };
        if state != self.reader_state {
            self.reader_state = state.clone();
            if let Some(error) = state.clone() {
                self.tap_failed(Failure::Reader(error));
            }
            self.say(StaffEvent::Reader(state));
        }
        if card != self.card_there {
            self.card_there.clone_from(&card);
            if let Some(uid) = card {
                self.card_tapped(uid, now);
            }
        }
    }

    /// A card came onto the reader: the resident's window takes it when it waits for one, else it is for the staff.
    pub(super) fn card_tapped(&mut self, uid: CardUid, now: Timestamp) {
        match self.open.as_ref().map(|o| &o.flow) {
            Some(Flow::Rights(RightsFlow::Tap)) => {
                self.acted_at = self.moment;
                self.rights_tapped(&uid, now);
            }
            Some(Flow::TapCard { withdraw, .. }) => {
                let withdraw = *withdraw;
                self.acted_at = self.moment;
                self.resident_tapped(uid, withdraw, now);
            }
            Some(_) if self.sees_people(now) && !self.is_curtained() => {
                self.staff_acted();
                self.staff_card(uid, now);
            }
            Some(_) => {}
            None => {}
        }
    }

    /// Asks gates, just now, whether they are there.
    pub(in crate::app) fn answering_now(&mut self, gates: &[GateRecord]) -> (Vec<GateRecord>, Option<Failure>) {
        let Some(open) = self.open.as_mut() else { return (vec![], None) };
        let mut failure = None;
        let mut there = vec![];
        let seen = open.shared.gates().0;
        let all_stopped = open.vault.faces_stopped().unwrap_or_default();
        let stopped = match open.vault.gates_stopped() {
            Ok(stopped) => stopped,
            Err(error) => return (vec![], Some(failure_of(error))),
        };
        // Somebody is waiting: of the gates that were away a moment ago, two are asked, not twenty.
        let mut away_left = AWAY_ASKED_MAX;
        for gate in gates.iter().filter(|gate| !all_stopped.contains(&gate.id)) {
            if stopped.contains(&gate.id) {
                failure = Some(Failure::Link(gate.name.clone(), LinkError::KeyChanged));
                continue;
            }
            if seen.iter().any(|s| s.id == gate.id && !s.reachable) {
                if away_left == 0 {
                    continue;
                }
                away_left -= 1;
            }
            let told = orders::tell(&open.vault, open.link.as_mut(), gate, GATE_CHECK);
            match told.and_then(|()| open.link.ask(gate, &Request::Health, GATE_CHECK)) {
                Ok(Reply::Health(_)) => there.push(gate.clone()),
                Ok(Reply::Refused(refusal)) => failure = Some(Failure::Refused(gate.name.clone(), refusal)),
                Ok(_) => failure = Some(Failure::Link(gate.name.clone(), LinkError::Protocol)),
                Err(error) => failure = Some(Failure::Link(gate.name.clone(), error)),
            }
        }
        (there, failure)
    }

    /// Everything known for the permit, with the gates that answered a moment ago.
    pub(in crate::app) fn conditions(&self, answering: &[GateRecord], person: PersonFacts) -> Conditions {
        let empty = SiteFacts::default();
        let facts = self.open.as_ref().map_or(&empty, |o| &o.facts);
        let gates = self.open.as_ref().and_then(|o| o.vault.gates().ok()).unwrap_or_default();
        // The answering gates may have passed their card test since they were read.
        let fresh: Vec<GateRecord> = gates.iter().filter(|g| answering.iter().any(|a| a.id == g.id)).cloned().collect();
        let around = Around {
            assessment: self.open.as_ref().map(|o| o.notice.standing).unwrap_or_default(),
            log_is_whole: self.open.as_ref().is_some_and(|o| evidence::log_is_whole(&o.vault)),
            staffed: self.staffed(),
            trained: self.standing(self.told.unwrap_or_default()).condition(),
            machine: self.watch.report.as_ref(),
            terms: self.open.as_ref().map_or(Condition::NotYetChecked, |o| {
                conditions::terms(&o.shared.gates().0, &o.vault.faces_stopped().unwrap_or_default())
            }),
        };
        conditions::gather(self.config.realm, facts, &gates, &fresh, around, Some(person))
    }
}

/// How often the reader is asked, in milliseconds.
const READER_EVERY_MS: i64 = 150;

/// Longest wait for a gate to say that it is there, when a resident is waiting.
const GATE_CHECK: Duration = Duration::from_millis(800);

/// Most gates that were away a moment ago and are asked again while a resident is waiting.
const AWAY_ASKED_MAX: u8 = 2;
