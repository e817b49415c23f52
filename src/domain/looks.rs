//! Which weekly sheets of looks a supervisor has looked at, and which one waits. Rules: F14, P51-4.

use std::collections::BTreeSet;

use super::time::CivilDate;

/// How many weeks back a sheet can be looked at; an older one waits no longer.
pub const WEEKS_BACK_MAX: u8 = 52;

const WEEK: i64 = 7;

/// The Monday of the week of a day.
pub fn monday(day: CivilDate) -> CivilDate {
    // 1970-01-01 was a Thursday.
    day.plus_days(-(day.epoch_days() + 3).rem_euclid(WEEK))
}

/// The sheets that were looked at. Weeks are told by their Mondays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeeksSeen {
    /// No week up to this one waits.
    pub until: Option<CivilDate>,
    /// Weeks after it that were looked at.
    pub later: BTreeSet<CivilDate>,
}

impl WeeksSeen {
    /// Whether this week's sheet waits no longer.
    pub fn has(&self, week: CivilDate) -> bool {
        self.until.is_some_and(|until| week <= until) || self.later.contains(&week)
    }

    /// The oldest week that is over and whose sheet waits. `begun_on` is the day on which the log began.
    pub fn oldest_due(&self, begun_on: CivilDate, today: CivilDate) -> Option<CivilDate> {
        let this = monday(today);
        let mut week = monday(begun_on).max(this.plus_days(-WEEK * i64::from(WEEKS_BACK_MAX)));
        while week < this && self.has(week) {
            week = week.plus_days(WEEK);
        }
        (week < this).then_some(week)
    }

    /// This week's sheet was looked at. Keeps no more than the weeks that can still wait.
    pub fn see(&mut self, week: CivilDate, begun_on: CivilDate, today: CivilDate) {
        self.later.insert(week);
        let next = self.oldest_due(begun_on, today).unwrap_or_else(|| monday(today));
        let until = next.plus_days(-WEEK);
        self.until = Some(self.until.map_or(until, |old| old.max(until)));
        let kept = self.until;
        self.later.retain(|week| Some(*week) > kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CivilDate {
        CivilDate::parse(text).unwrap_or(CivilDate::from_epoch_days(0))
    }

    fn seen(weeks: &[&str], begun: &str, today: &str) -> WeeksSeen {
        let mut seen = WeeksSeen::default();
        weeks.iter().for_each(|week| seen.see(day(week), day(begun), day(today)));
        seen
    }

    #[test]
    fn f14_a_week_is_due_from_its_next_monday_until_it_was_looked_at() {
        // 2026-11-22 is a Sunday.
        let due = |weeks: &[&str], begun: &str, today: &str| {
            seen(weeks, begun, today).oldest_due(day(begun), day(today)).map(|week| week.to_string())
        };
        let week = |text: &str| Some(text.to_owned());
        assert_eq!(due(&[], "2026-11-18", "2026-11-22"), None, "the first week is not over");
        assert_eq!(due(&[], "2026-11-18", "2026-11-23"), week("2026-11-16"), "it is");
        assert_eq!(due(&["2026-11-16"], "2026-11-18", "2026-11-29"), None, "looked at, all week");
        assert_eq!(due(&["2026-11-16"], "2026-11-18", "2026-11-30"), week("2026-11-23"), "the next one");
        let begun = "2026-11-04";
        assert_eq!(due(&["2026-11-16"], begun, "2026-11-23"), week("2026-11-02"), "the oldest that was left out");
        assert_eq!(due(&["2026-11-16", "2026-11-02"], begun, "2026-11-23"), week("2026-11-09"));
        assert_eq!(due(&["2026-11-16", "2026-11-02", "2026-11-09"], begun, "2026-11-23"), None);
        assert_eq!(due(&[], "2020-01-01", "2026-11-23"), week("2025-11-24"), "no older one can be looked at");
    }

    #[test]
    fn what_is_kept_of_the_weeks_that_were_looked_at_stays_small() {
        let (begun, mut today) = (day("2026-11-04"), day("2026-11-16"));
        let mut seen = WeeksSeen::default();
        for _ in 0..200 {
            // The first week stays unread until it can be read no longer.
            seen.see(monday(today).plus_days(-WEEK), begun, today);
            assert!(seen.later.len() <= usize::from(WEEKS_BACK_MAX), "{}", seen.later.len());
            today = today.plus_days(WEEK);
        }
        assert_eq!(seen.oldest_due(begun, today.plus_days(-WEEK)), None);
        // A clock that is set back takes nothing of it away.
        let before = seen.clone();
        seen.see(day("2026-11-09"), begun, day("2026-11-16"));
        assert_eq!(seen, before);
    }
}
