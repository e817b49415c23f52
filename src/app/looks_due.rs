//! The weekly sheet of looks: whether somebody has looked at last week's. Rules: F14, P51-4.
//!
//! Deliberately absent: anything that keeps somebody from working until it is done.

use super::accounts::week;
use super::desk::Desk;
use super::operators::OperatorsEvent;
use crate::domain::role::Role;
use crate::domain::time::{CivilDate, Timestamp};

/// Whether last week's sheet waits to be looked at. `seen` is the Monday of the newest week whose sheet was looked at, `begun_on` the day on
/// which the log began.
pub fn is_due(seen: Option<CivilDate>, begun_on: CivilDate, today: CivilDate) -> bool {
    let (this, last) = (week(today, 0).0, week(today, 1).0);
    begun_on < this && seen.is_none_or(|seen| seen < last)
}

impl Desk {
    /// Tells the staff window whether last week's sheet waits: at unlock, with each new day, and after it was looked at.
    pub(super) fn tell_looks_due(&mut self, now: Timestamp) {
        let today = now.date();
        let read = self.vault(|v| Ok(is_due(v.looks_seen()?, v.begun_on()?.unwrap_or(today), today)));
        if let Some(due) = read {
            self.tell(OperatorsEvent::LooksDue(due));
        }
    }

    /// The sheet of this week is on the screen, or on paper. A week that is not over is not done with; what a supervisor has seen of names
    /// beside numbers is seen.
    pub(super) fn looks_were_seen(&mut self, monday: CivilDate, sunday: CivilDate, now: Timestamp) {
        if monday < week(now.date(), 0).0 {
            self.vault(|v| v.record_looks_seen(monday, now));
        }
        if self.open.as_ref().is_some_and(|open| open.vault.role() == Role::Supervisor) {
            self.vault(|v| v.record_joins_seen(monday, sunday));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f14_a_week_is_due_from_its_next_monday_until_it_was_looked_at() {
        let day = |text: &str| CivilDate::parse(text).unwrap_or(CivilDate::from_epoch_days(0));
        // 2026-11-22 is a Sunday.
        let due = |seen: Option<&str>, begun: &str, today: &str| is_due(seen.map(day), day(begun), day(today));
        assert!(!due(None, "2026-11-18", "2026-11-22"), "the first week is not over");
        assert!(due(None, "2026-11-18", "2026-11-23"), "it is");
        assert!(!due(Some("2026-11-16"), "2026-11-18", "2026-11-29"), "looked at, all week");
        assert!(due(Some("2026-11-16"), "2026-11-18", "2026-11-30"), "the next one");
        assert!(due(Some("2026-11-09"), "2026-11-01", "2026-11-23"), "one week was left out");
    }
}
