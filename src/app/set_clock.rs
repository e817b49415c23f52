//! A gate whose clock is off gets the desk's time, by a supervisor's press: last days and the lease at the gate follow its clock. Card boards are
//! set without a press (`board_courier`): nothing but days hangs on their clock, and nobody there could refuse.

use std::time::Duration;

use super::desk::Desk;
use super::event::{Failure, FieldFault};
use super::orders;
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, OpId};
use crate::domain::time::Timestamp;
use crate::ports::LinkError;
use crate::secret::random_bytes;
use crate::wire::message::{Apply, Health, Reply, Request, What};

/// Longest wait for one answer.
const CLOCK_LIMIT: Duration = Duration::from_secs(3);

/// How far the clock that was just set may stand from ours at the read-back, in milliseconds: both answers' time on the way.
const READ_BACK_MS: i64 = 2_000 * 3;

impl Desk {
    /// Sets a gate's clock to ours, unless ours is in doubt itself.
    pub(super) fn set_gate_clock(&mut self, gate: GateId, now: Timestamp) {
        if self.open.as_ref().is_some_and(|open| open.clock_doubt.is_some()) {
            return self.fail(Failure::DateDoubted);
        }
        let gates = self.vault(|v| v.gates()).unwrap_or_default();
        let Some(gate) = gates.into_iter().find(|known| known.id == gate) else {
            return self.fail(Failure::Field(FieldFault::Gate));
        };
        if let Err(failure) = self.set_clock_at(&gate, now) {
            self.fail(failure);
        }
    }

    fn set_clock_at(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), Failure> {
        let unclear = |error| Failure::Link(gate.name.clone(), error);
        let Some(open) = self.open.as_mut() else { return Err(unclear(LinkError::Away)) };
        let op = OpId::from_bytes(random_bytes());
        let request = Request::Apply(Apply { op: *op.bytes(), sequence: 0, what: What::SetClock(now.ms()) });
        let told = orders::tell(&open.vault, open.link.as_mut(), gate, CLOCK_LIMIT);
        let signed = match told.and_then(|()| open.link.ask(gate, &request, CLOCK_LIMIT)) {
            Ok(Reply::Done(signed)) => signed,
            Ok(Reply::Refused(refusal)) => return Err(Failure::Refused(gate.name.clone(), refusal)),
            Ok(_) => return Err(unclear(LinkError::Protocol)),
            Err(error) => return Err(unclear(error)),
        };
        signed.check(gate, self.config.realm, &request).map_err(|_| unclear(LinkError::KeyChanged))?;
        let drift_ms = match open.link.ask(gate, &Request::Health, CLOCK_LIMIT) {
            Ok(Reply::Health(Health { clock, .. })) => Timestamp::from_ms(clock).since(now),
            Ok(_) => return Err(unclear(LinkError::Protocol)),
            Err(error) => return Err(unclear(error)),
        };
        if drift_ms.saturating_abs() > READ_BACK_MS {
            return Err(unclear(LinkError::Protocol));
        }
        open.vault.record_clock_set(gate.id, now).map_err(super::desk::failure_of)?;
        open.shared.note_clock(gate.id, drift_ms);
        Ok(())
    }
}
