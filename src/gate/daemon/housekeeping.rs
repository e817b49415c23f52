//! What a gate does by itself: erases what has outlived its days, forgets old receipts, reads its rows again.

use super::{
    CLOCK_BELIEVED_AFTER_MS, DAY_MS, ENDED_KEPT_DAYS, FORGOTTEN_AT_ONCE, Gate, READ_AGAIN_AFTER, RECEIPTS_KEPT_DAYS,
};
use crate::domain::time::{CivilDate, Timestamp};
use crate::gate::error::GateError;
use crate::gate::lease::CLOCK_BACK_MAX_MS;

impl Gate {
    /// What must be done now and then: instants written down, old opening records and long ended templates erased.
    ///
    /// # Errors
    /// [`GateError`]; the next call tries again.
    pub fn tick(&mut self, clock: Timestamp) -> Result<(), GateError> {
        let now = self.look(clock);
        self.record_instants();
        self.unread += 1;
        if self.unread >= READ_AGAIN_AFTER {
            (self.unread, self.index) = (0, None);
        }
        self.erase_openings()?;
        // While the clock is back, only what ended by the earlier time too: a jump forward that was put right ended nothing.
        let back = self.lease.clock_is_back();
        let ended_by = if back { self.lease.corrected(clock) } else { now };
        self.erase_ended(ended_by.date().plus_days(-ENDED_KEPT_DAYS))?;
        if !back && self.lease.steady_ms() >= CLOCK_BELIEVED_AFTER_MS {
            self.store.forget_operations_before(now.plus_ms(-RECEIPTS_KEPT_DAYS * DAY_MS), FORGOTTEN_AT_ONCE)?;
        }
        self.empty_log()
    }

    /// Erases openings of more than the days they are kept, counted by the time that has passed, and those of a time that never came: of a
    /// clock that a pairing put right.
    fn erase_openings(&mut self) -> Result<(), GateError> {
        let now = self.lease.passed();
        let kept = now.plus_ms(-i64::from(self.setup.passlog_days) * DAY_MS)..now.plus_ms(CLOCK_BACK_MAX_MS);
        self.log_due |= self.store.erase_openings_outside(&kept)? > 0;
        if let Some(ran_ms) = self.lease.due_ran_back() {
            self.store.record_ran_back(ran_ms)?;
            self.lease.ran_back_recorded(ran_ms);
        }
        Ok(())
    }

    /// Erases what ended long ago, if the clock has run long enough to be believed: an erasure cannot be taken back.
    fn erase_ended(&mut self, before: CivilDate) -> Result<(), GateError> {
        let ended = self.faces.any_ended_before(before);
        if !ended || self.lease.steady_ms() < CLOCK_BELIEVED_AFTER_MS {
            return Ok(());
        }
        let erased = self.store.erase_ended_before(before)?;
        self.faces.remove(|template| erased.contains(template));
        self.index = None;
        self.log_due = true;
        tracing::info!(count = erased.len(), "templates erased after their last day");
        Ok(())
    }
}
