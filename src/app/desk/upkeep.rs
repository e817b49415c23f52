//! What the desk does without anybody's asking: consents end on their day, and what changed is told.

use super::{Desk, failure_of};
use crate::app::conditions::{self, Around};
use crate::app::enroll::Flow;
use crate::app::event::{Failure, StaffEvent};
use crate::app::evidence;
use crate::app::public_rules::keep_public_rules;
use crate::domain::audit::Actor;
use crate::domain::consent::EraseReason;
use crate::domain::id::ResidentId;
use crate::domain::time::Timestamp;
use crate::vault::VaultError;

impl Desk {
    /// What must happen without anybody's doing: consents end on their day, also when the desk is never locked; an ending that the disk
    /// did not take is tried again.
    pub(super) fn care(&mut self, now: Timestamp) {
        if self.open.as_ref().and_then(|open| open.overdue_at).is_some_and(|at| now >= at) {
            self.show_deletions(now);
        }
        let Some(open) = self.open.as_mut() else { return };
        if (open.owed.is_empty() && open.cared_on == now.date()) || self.moment.since(self.cared_at) < CARE_EVERY_MS {
            return;
        }
        self.cared_at = self.moment;
        self.end_owed(now);
        if self.open.as_ref().is_some_and(|open| open.cared_on != now.date()) {
            self.retain(now);
            self.tell_head_due(now);
            self.tell_looks_due(now);
            if let Some(open) = self.open.as_mut() {
                // A training may have ended with the day.
                open.stale = true;
            }
            self.tell_request_counts(now);
            self.show_deletions(now);
            self.show_opened(now);
        }
    }

    /// Tries again to end what the disk did not let end.
    pub(in crate::app) fn end_owed(&mut self, now: Timestamp) {
        let owed = self.open.as_mut().map(|open| std::mem::take(&mut open.owed)).unwrap_or_default();
        let owes = !owed.is_empty();
        for (resident, reason, by) in owed {
            if let Err(failure) = self.end_consent(resident, reason, by, now) {
                tracing::warn!(why = %failure.kind(), "a consent could not be ended yet");
            }
        }
        if owes {
            self.show_opened(now);
        }
    }

    /// Ends a consent and lets the courier erase at once; `false` when there is none to end. What the disk does not take is tried again.
    pub(in crate::app) fn end_consent(
        &mut self,
        resident: ResidentId,
        reason: EraseReason,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let Some(open) = self.open.as_mut() else { return Ok(false) };
        match open.vault.end_consent_by(resident, reason, by, now) {
            Ok(_) => {
                open.shared.ring();
                Ok(true)
            }
            Err(VaultError::ConsentNotCurrent) => Ok(false),
            Err(error) => {
                open.owed.push((resident, reason, by));
                Err(failure_of(error))
            }
        }
    }

    /// What follows every command and tick: gates' states, desk's readiness, busy flag.
    pub(super) fn after(&mut self, now: Timestamp) {
        self.say_form();
        let Some(open) = self.open.as_mut() else { return };
        let busy = open.flow.is_busy();
        // Most ticks end here: nothing was done and no gate changed.
        if !open.stale && open.shared.changes() == open.changes_seen && busy == self.busy_shown {
            return;
        }
        let (staffed, trained) = (self.staffed(), self.standing(now).condition());
        let Some(open) = self.open.as_mut() else { return };
        let (seen, changes) = open.shared.gates();
        let mut events = vec![];
        let refresh_record = changes != open.changes_seen;
        if refresh_record {
            events.push(StaffEvent::Gates(seen.clone()));
        }
        if refresh_record || open.stale {
            let read = open.vault.gates();
            open.stale = read.is_err();
            open.gates = read.unwrap_or_default();
        }
        open.changes_seen = changes;
        let place = (self.config.data_dir.as_path(), self.config.realm);
        keep_public_rules(&mut self.aids.public, open, &open.gates, &self.devices.engine.engine(), place, now);
        let stopped = open.vault.faces_stopped().unwrap_or_default();
        let mut answering = conditions::answering(&open.gates, &seen);
        answering.retain(|gate| !stopped.contains(&gate.id));
        let around = Around {
            assessment: open.notice.standing,
            log_is_whole: evidence::log_is_whole(&open.vault),
            staffed,
            trained,
            machine: self.watch.report.as_ref(),
            terms: conditions::terms(&seen, &stopped),
        };
        let known = conditions::gather(self.config.realm, &open.facts, &open.gates, &answering, around, None);
        if open.desk_shown.as_ref() != Some(&known) {
            events.push(StaffEvent::Desk(known.desk_blockers()));
            open.desk_shown = Some(known.clone());
        }
        let idle = matches!(open.flow, Flow::Idle);
        let offered = known.desk_blockers().is_empty();
        if busy != self.busy_shown {
            self.busy_shown = busy;
            events.push(StaffEvent::ResidentBusy(busy));
        }
        for event in events {
            self.say(event);
        }
        if idle && offered != self.last_offered {
            self.to_idle(now);
        }
        self.show_chain_if_changed();
        if refresh_record {
            self.show_opened_if_changed();
            self.show_boards();
            self.refresh_withdrawn();
            self.follow_corrections(now);
            self.show_doors();
            self.show_deletions(now);
            self.show_replacements(now);
        }
    }
}

/// Pause between two looks at what is due without anybody's doing, in milliseconds.
const CARE_EVERY_MS: i64 = 5_000;
