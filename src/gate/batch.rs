//! Many operations with one durable write. Each step is a savepoint of its own and gets its own receipt; nothing is answered before the
//! whole is on disk, so every receipt stays true.

use super::daemon::{Gate, Halt};
use super::error::GateError;
use super::gallery::Gallery;
use crate::domain::time::Timestamp;
use crate::wire::batch::{BATCH_MAX, Step, StepReply};
use crate::wire::message::{Apply, Refusal, What};
use crate::wire::receipt::request_digest;

impl Gate {
    /// Does the steps in their order.
    ///
    /// # Errors
    /// A refusal of the whole: too many steps, or the disk failed; then nothing was done.
    pub(super) fn batch(&mut self, steps: &[Step], seal: &[u8; 32], now: Timestamp) -> Result<Vec<StepReply>, Halt> {
        if steps.len() > BATCH_MAX {
            return Err(Refusal::Malformed.into());
        }
        // What an erasure before left in the log is not locked in by a long write.
        self.empty_log()?;
        self.store.begin_batch()?;
        let mut replies = Vec::with_capacity(steps.len());
        for step in steps {
            match self.step(step, seal, now) {
                Ok(receipt) => replies.push(StepReply::Done(receipt)),
                Err(Halt::Refused(refusal)) => replies.push(StepReply::Refused(refusal)),
                Err(Halt::Failed(error)) => return Err(self.undo_batch(error)),
            }
        }
        if let Err(error) = self.store.commit_batch() {
            return Err(self.undo_batch(error));
        }
        self.empty_log()?;
        Ok(replies)
    }

    fn step(&mut self, step: &Step, seal: &[u8; 32], now: Timestamp) -> Result<crate::wire::message::Receipt, Halt> {
        let digest = request_digest(&step.clone().request());
        match step {
            Step::Put(put) => self.put_face(put, seal, digest, now),
            // Turning everything anew, forgetting the station, and another time, is a write of its own.
            Step::Apply(Apply { what: What::RenewFaces | What::Unpair | What::SetClock(_), .. }) => {
                Err(Refusal::Malformed.into())
            }
            Step::Apply(apply) => self.apply(apply, digest, now),
            Step::Passed(passed) => self.put_passed(passed, digest, now),
        }
    }

    /// The disk holds what it held before; so must the memory.
    fn undo_batch(&mut self, error: GateError) -> Halt {
        self.store.undo_batch();
        self.index = None;
        if let Err(error) = self.reload_faces() {
            tracing::error!(%error, "the templates could not be read again");
            self.faces = Gallery::new(self.setup.engine.clone());
        }
        error.into()
    }
}
