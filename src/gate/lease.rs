//! Whether faces may be matched now: the lease of contact with the station, and a clock that must not go back. Cards
//! never depend on it.
//!
//! A clock without a battery goes on after a start where it stopped, and the gate cannot know for how long it was off: then the lease is
//! over until the station was heard, unless whoever set the gate up says that its clock is kept while it is off.

use crate::domain::gate::CLOCK_SET_BACK_MAX_MS;
use crate::domain::time::Timestamp;
use crate::wire::message::FacesOff;

/// How far the clock may fall behind the latest instant seen, in milliseconds.
pub const CLOCK_BACK_MAX_MS: i64 = CLOCK_SET_BACK_MAX_MS;

/// Longest time between two looks at a clock that runs steadily, in milliseconds; the daemon looks every half minute.
const LOOKS_WITHIN_MS: i64 = 600_000;

/// Longest time between two writes of the instants, in milliseconds.
const RECORD_EVERY_MS: i64 = 60_000;

const HOUR_MS: i64 = 3_600_000;

/// The lease and the clock of one gate.
#[derive(Clone, Debug)]
pub struct Lease {
    offline_ms: i64,
    contact: Timestamp,
    latest: Timestamp,
    recorded: (Timestamp, Timestamp),
    clock_back: bool,
    /// Added to the system's clock, in milliseconds: the station has set it ([`super::clock`]).
    offset_ms: i64,
    /// The last look and the first one since the clock last jumped.
    steady: Option<(Timestamp, Timestamp)>,
    /// Started with instants of an earlier run, and the station was not heard since.
    unheard: bool,
    /// How long the clock ran while it was back, in milliseconds: now, and as written down.
    ran_back_ms: (i64, i64),
}

impl Lease {
    /// Starts with a contact of this run.
    pub fn new(offline_hours: u32, contact: Timestamp, latest: Timestamp) -> Self {
        let offline_ms = i64::from(offline_hours) * HOUR_MS;
        let recorded = (contact, latest);
        Self {
            offline_ms,
            contact,
            latest,
            recorded,
            clock_back: false,
            offset_ms: 0,
            steady: None,
            unheard: false,
            ran_back_ms: (0, 0),
        }
    }

    /// Starts from what the store holds of an earlier run: faces are off until the station is heard.
    pub fn resumed(offline_hours: u32, contact: Timestamp, latest: Timestamp, ran_back_ms: i64) -> Self {
        let lease = Self::new(offline_hours, contact, latest);
        Self { unheard: true, ran_back_ms: (ran_back_ms, ran_back_ms), ..lease }
    }

    /// The clock of this gate goes on while it is off: the lease of the earlier run goes on too.
    pub fn believe_clock(&mut self) {
        self.unheard = false;
    }

    /// Other hours without contact from now on.
    pub fn allow(&mut self, offline_hours: u32) {
        self.offline_ms = i64::from(offline_hours) * HOUR_MS;
    }

    /// What is added to the system's clock from now on, in milliseconds.
    pub fn set_offset(&mut self, offset_ms: i64) {
        self.offset_ms = offset_ms;
    }

    /// What is added to the system's clock, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms
    }

    /// The time here when the system's clock says `clock`.
    pub fn corrected(&self, clock: Timestamp) -> Timestamp {
        clock.plus_ms(self.offset_ms)
    }

    /// What must be added so that it is `right` when the system's clock says `clock`. `None` when a later instant was seen: nothing that
    /// ended may come back to life.
    pub fn offset_for(&self, clock: Timestamp, right: Timestamp) -> Option<i64> {
        (self.latest.since(right) <= CLOCK_BACK_MAX_MS).then(|| right.since(clock))
    }

    /// Somebody else has put the system's clock right since the station did: added on top of that, the offset would run ahead. A clock that
    /// still needs the offset stands as far behind the latest instant. (A small one cannot be told from the time between two looks, and does
    /// little harm: the station may set the clock back by as much.) At the first look of a run the two cannot be told apart when the gate was off
    /// for about as long as the offset: the offset goes, for a clock that runs ahead would end what is not over; and no face is matched until the
    /// station, which sees the difference, was heard.
    fn drop_offset(&mut self, clock: Timestamp) {
        let behind = self.latest.since(clock);
        if self.offset_ms > CLOCK_BACK_MAX_MS && behind <= (self.offset_ms / 2).min(CLOCK_BACK_MAX_MS) {
            self.offset_ms = 0;
            self.unheard |= self.steady.is_none();
        }
    }

    /// Looks at the system's clock. Returns the instant to judge last days by: never before the latest one seen.
    pub fn look(&mut self, clock: Timestamp) -> Timestamp {
        self.drop_offset(clock);
        let clock = self.corrected(clock);
        self.clock_back = self.latest.since(clock) > CLOCK_BACK_MAX_MS;
        let since =
            self.steady.filter(|(last, _)| (-CLOCK_BACK_MAX_MS..=LOOKS_WITHIN_MS).contains(&clock.since(*last)));
        if let Some((last, _)) = since.filter(|_| self.clock_back) {
            self.ran_back_ms.0 += clock.since(last).max(0);
        }
        self.steady = Some((clock, since.map_or(clock, |(_, since)| since)));
        self.latest = self.latest.max(clock);
        self.latest
    }

    /// The paired station was heard, over its pinned key.
    pub fn heard(&mut self) {
        self.contact = self.latest;
        self.unheard = false;
    }

    /// Whether the clock stands before an instant that was seen.
    pub fn clock_is_back(&self) -> bool {
        self.clock_back
    }

    /// A time that goes on also while the clock is back, and never goes back itself: what is kept for some days is counted by it.
    pub fn passed(&self) -> Timestamp {
        self.latest.plus_ms(self.ran_back_ms.0)
    }

    /// How long the clock has run while it was back, when what is written of that is more than ten minutes old.
    pub fn due_ran_back(&self) -> Option<i64> {
        let (now, written) = self.ran_back_ms;
        (now - written >= 10 * RECORD_EVERY_MS).then_some(now)
    }

    /// That is in the store.
    pub fn ran_back_recorded(&mut self, ran_ms: i64) {
        self.ran_back_ms.1 = ran_ms;
    }

    /// Why faces are not matched now, if so.
    pub fn faces_off(&self) -> Option<FacesOff> {
        if self.clock_back {
            Some(FacesOff::ClockBack)
        } else if self.unheard || self.latest.since(self.contact) > self.offline_ms {
            Some(FacesOff::NoContact)
        } else {
            None
        }
    }

    /// For how long the clock has been looked at without a jump in either direction, in milliseconds. What cannot be
    /// undone waits for it.
    pub fn steady_ms(&self) -> i64 {
        self.steady.map_or(0, |(last, since)| last.since(since))
    }

    /// The latest instant seen.
    pub fn latest(&self) -> Timestamp {
        self.latest
    }

    /// The instants in the store and those to write there (contact, latest), when the store's are more than a minute
    /// old.
    pub fn due_record(&self) -> Option<Change> {
        let due = self.contact.since(self.recorded.0) >= RECORD_EVERY_MS
            || self.latest.since(self.recorded.1) >= RECORD_EVERY_MS;
        due.then_some(Change { from: self.recorded, to: (self.contact, self.latest) })
    }

    /// A change of [`Self::due_record`] is in the store.
    pub fn recorded(&mut self, change: &Change) {
        self.recorded = change.to;
    }
}

/// Instants (contact, latest) in the store and what they become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// As they must still be: a new pairing has written others.
    pub from: (Timestamp, Timestamp),
    /// As they become.
    pub to: (Timestamp, Timestamp),
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_795_000_000_000);

    #[test]
    fn d12_faces_stop_after_the_allowed_hours_without_contact() {
        let mut lease = Lease::new(24, START, START);
        lease.look(START.plus_ms(24 * HOUR_MS));
        assert_eq!(lease.faces_off(), None);
        lease.look(START.plus_ms(24 * HOUR_MS + 1));
        assert_eq!(lease.faces_off(), Some(FacesOff::NoContact));
        lease.heard();
        assert_eq!(lease.faces_off(), None);
    }

    #[test]
    fn a_clock_that_jumps_back_stops_faces_until_it_has_caught_up() {
        let mut lease = Lease::new(24, START, START);
        assert_eq!(lease.look(START.plus_ms(-CLOCK_BACK_MAX_MS)), START);
        assert_eq!(lease.faces_off(), None);
        assert_eq!(lease.look(START.plus_ms(-CLOCK_BACK_MAX_MS - 1)), START, "days are judged by the latest instant");
        assert_eq!(lease.faces_off(), Some(FacesOff::ClockBack));
        lease.heard();
        assert_eq!(lease.faces_off(), Some(FacesOff::ClockBack), "contact does not mend the clock");
        lease.look(START);
        assert_eq!(lease.faces_off(), None);
    }

    #[test]
    fn a_jump_in_either_direction_is_not_steady() {
        let mut lease = Lease::new(24, START, START);
        let minute = |n: i64| START.plus_ms(n * 60_000);
        for n in 0..=60 {
            lease.look(minute(n));
        }
        assert_eq!(lease.steady_ms(), HOUR_MS);
        lease.look(minute(75));
        assert_eq!(lease.steady_ms(), 0, "forward");
        lease.look(minute(80));
        assert_eq!(lease.steady_ms(), 300_000);
        lease.look(minute(70));
        assert_eq!(lease.steady_ms(), 0, "back");
    }

    #[test]
    fn a_clock_that_is_set_runs_on_from_there_and_never_goes_back() {
        let mut lease = Lease::new(24, START, START);
        let asleep = START.plus_ms(-400 * 24 * HOUR_MS);
        lease.look(asleep);
        assert_eq!(lease.faces_off(), Some(FacesOff::ClockBack), "a clock without a battery");
        assert_eq!(lease.offset_for(asleep, START.plus_ms(-CLOCK_BACK_MAX_MS - 1)), None, "not even now");
        let offset = lease.offset_for(asleep, START.plus_ms(HOUR_MS));
        assert_eq!(offset, Some(400 * 24 * HOUR_MS + HOUR_MS));
        lease.set_offset(offset.unwrap_or_default());
        assert_eq!(lease.look(asleep.plus_ms(1_000)), START.plus_ms(HOUR_MS + 1_000));
        assert_eq!((lease.faces_off(), lease.steady_ms()), (None, 0), "that was a jump: nothing is erased on it");
        assert_eq!(lease.offset_for(asleep, START), None, "and what was seen was seen");
        assert_eq!(
            lease.offset_for(asleep.plus_ms(1_000), START.plus_ms(HOUR_MS)),
            Some(400 * 24 * HOUR_MS + HOUR_MS - 1_000)
        );
        // A time server is found: the offset would run a year ahead.
        assert_eq!(lease.look(START.plus_ms(HOUR_MS + 31_000)), START.plus_ms(HOUR_MS + 31_000));
        assert_eq!(lease.offset_ms(), 0);
    }

    #[test]
    fn a_gate_that_was_off_as_long_as_its_offset_matches_nobody_before_its_station_is_heard() {
        let clock = START.plus_ms(-HOUR_MS);
        for off_for in [HOUR_MS - 50_000, HOUR_MS, 3 * HOUR_MS] {
            let mut lease = Lease::resumed(24, START, START, 0);
            lease.set_offset(HOUR_MS);
            lease.believe_clock();
            let slow = clock.plus_ms(off_for);
            lease.look(slow);
            assert_eq!((lease.offset_ms(), lease.faces_off()), (0, Some(FacesOff::NoContact)), "{off_for}");
            lease.look(slow.plus_ms(30_000));
            assert_eq!(lease.faces_off(), Some(FacesOff::NoContact), "not by itself");
            // The station hears a clock that is an hour slow, says so, and may set it.
            lease.heard();
            assert_eq!(lease.faces_off(), None);
            let right = slow.plus_ms(HOUR_MS + 30_000);
            assert_eq!(lease.offset_for(slow.plus_ms(30_000), right), Some(HOUR_MS));
        }
        let mut soon = Lease::resumed(24, START, START, 0);
        soon.set_offset(HOUR_MS);
        soon.believe_clock();
        soon.look(clock.plus_ms(HOUR_MS / 2));
        assert_eq!((soon.offset_ms(), soon.faces_off()), (HOUR_MS, None), "half an hour is no doubt");
    }

    #[test]
    fn a_small_offset_stays_while_the_clock_runs_as_it_did() {
        for offset in [40_000, 90_000, 120_001, 600_000, -90_000] {
            let mut lease = Lease::new(24, START, START);
            lease.set_offset(offset);
            let system = START.plus_ms(-offset);
            for looks in 0..200 {
                let elapsed = looks * 30_000;
                assert_eq!(lease.look(system.plus_ms(elapsed)), START.plus_ms(elapsed), "{offset} {looks}");
            }
            assert_eq!(lease.offset_ms(), offset);
        }
    }

    #[test]
    fn instants_are_written_once_a_minute() {
        let mut lease = Lease::new(24, START, START);
        lease.look(START.plus_ms(59_999));
        assert_eq!(lease.due_record(), None);
        lease.look(START.plus_ms(60_000));
        let change = Change { from: (START, START), to: (START, START.plus_ms(60_000)) };
        assert_eq!(lease.due_record(), Some(change));
        assert_eq!(lease.due_record(), Some(change), "until it is known to be written");
        lease.recorded(&change);
        assert_eq!(lease.due_record(), None);
        lease.heard();
        let contact = Change { from: change.to, to: (START.plus_ms(60_000), START.plus_ms(60_000)) };
        assert_eq!(lease.due_record(), Some(contact));
    }
}
