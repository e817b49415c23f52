//! The weekly sheet of looks: which week's sheet waits for a supervisor. Rules: F14, P51-4.
//!
//! Deliberately absent: anything that keeps somebody from working until it is done.

use super::desk::Desk;
use super::operators::{LooksWeek, OperatorsEvent};
use crate::domain::looks::monday;
use crate::domain::role::Role;
use crate::domain::time::{CivilDate, Timestamp};

impl Desk {
    /// Tells the staff window which sheet waits, the oldest first: at unlock, with each new day, and after one was looked at.
    pub(super) fn tell_looks_due(&mut self, now: Timestamp) {
        let today = now.date();
        let read = self.vault(|v| Ok(v.looks_seen()?.oldest_due(v.begun_on()?.unwrap_or(today), today)));
        if let Some(due) = read {
            let back = |from: CivilDate| (monday(today).epoch_days() - from.epoch_days()) / 7;
            let week = |from| LooksWeek { from, weeks: u8::try_from(back(from)).unwrap_or(u8::MAX) };
            self.tell(OperatorsEvent::LooksDue(due.map(week)));
        }
    }

    /// The sheet of this week is on the screen, or on paper. A week that is not over is not done with; what a supervisor has seen of names
    /// beside numbers is seen.
    pub(super) fn looks_were_seen(&mut self, from: CivilDate, sunday: CivilDate, now: Timestamp) {
        if from < monday(now.date()) {
            self.vault(|v| v.record_looks_seen(from, now));
        }
        if self.open.as_ref().is_some_and(|open| open.vault.role() == Role::Supervisor) {
            self.vault(|v| v.record_joins_seen(from, sunday));
        }
        self.tell_looks_due(now);
        self.tell_joins();
    }

    /// Tells the staff window how often a name stood beside a gate's number since a supervisor looked: at unlock, and when that changes.
    pub(super) fn tell_joins(&mut self) {
        if let Some(days) = self.vault(|v| v.joins_unseen()) {
            let count = u32::try_from(days.len()).unwrap_or(u32::MAX);
            self.tell(OperatorsEvent::Joins(days.into_iter().min().map(|first| (count, first))));
        }
    }
}
