//! The daily head of the log on paper: whether today's was taken, and how many days went by without one. Rule: P69.
//!
//! Deliberately absent: anything that keeps somebody from working until it is done.

use super::desk::Desk;
use super::event::StaffEvent;
use super::evidence::EvidenceEvent;
use crate::domain::time::{CivilDate, Timestamp};

/// Today's head was not taken outside yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadDue {
    /// The day of the last one; none when there was never one.
    pub last_on: Option<CivilDate>,
    /// Whole days before today without one.
    pub skipped: u32,
}

/// Whether a head is due today. `begun_on` is the day on which the log began.
pub fn judge(last_on: Option<CivilDate>, begun_on: CivilDate, today: CivilDate) -> Option<HeadDue> {
    let days = |from: CivilDate| today.epoch_days().saturating_sub(from.epoch_days());
    let skipped = match last_on {
        // A clock that was ahead once asks for nothing until its day is reached again.
        Some(last) if last >= today => return None,
        Some(last) => days(last).saturating_sub(1),
        None => days(begun_on).max(0),
    };
    Some(HeadDue { last_on, skipped: u32::try_from(skipped).unwrap_or(u32::MAX) })
}

impl Desk {
    /// Tells the staff window whether today's head is due: at unlock, with each new day, and after one was taken.
    pub(super) fn tell_head_due(&mut self, now: Timestamp) {
        let today = now.date();
        let read = self.vault(|v| {
            let begun = v.begun_on()?.unwrap_or(today);
            Ok(judge(v.head_taken_on()?, begun, today))
        });
        if let Some(due) = read {
            self.say(StaffEvent::Evidence(EvidenceEvent::HeadDue(due)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> CivilDate {
        CivilDate::from_epoch_days(20_000 + n)
    }

    #[test]
    fn p69_a_head_is_due_once_a_day_and_skipped_days_are_counted() {
        let due = |last: Option<i64>, today: i64| judge(last.map(day), day(0), day(today)).map(|due| due.skipped);
        assert_eq!(due(None, 0), Some(0), "the first day");
        assert_eq!(due(None, 3), Some(3), "never, on the fourth day");
        assert_eq!(due(Some(3), 3), None, "done today");
        assert_eq!(due(Some(3), 4), Some(0), "yesterday");
        assert_eq!(due(Some(3), 7), Some(3), "three days without");
        assert_eq!(due(Some(9), 7), None, "the clock was ahead");
    }
}
