//! Many operations with one durable write. Each step gets its own receipt; nothing is answered before the whole is on disk, so every receipt
//! stays true. Envelopes are opened ahead of the write by as many threads as the machine has processors: that is most of the work.

use std::num::NonZero;

use super::daemon::{Gate, Halt};
use super::error::GateError;
use super::gallery::Gallery;
use crate::domain::time::Timestamp;
use crate::secret::FaceTemplate;
use crate::wire::batch::{BATCH_MAX, Step, StepReply};
use crate::wire::envelope::open_face;
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{Receipt, Refusal, What};
use crate::wire::receipt::request_digest;
use crate::wire::relay::open_passed;

/// Fewer steps than this are opened by one thread.
const STEPS_A_THREAD: usize = 16;
/// Most threads.
const THREADS_MAX: usize = 4;

/// What of a step needs neither the store nor its turn.
struct Ready {
    digest: [u8; 32],
    /// Of a step that brings a template.
    face: Option<Result<FaceTemplate, Refusal>>,
}

/// Opens what the steps bring. Nothing is decided here: a step that is refused by its header is refused by that, in its turn.
fn make_ready(steps: &[Step], keys: &IdentityKeys, seal: &[u8; 32]) -> Vec<Ready> {
    let one = |step: &Step| Ready {
        digest: request_digest(&step.clone().request()),
        face: match step {
            Step::Put(put) => Some(open_face(put, keys, seal).map_err(|_| Refusal::Envelope)),
            Step::Passed(passed) => Some(open_passed(passed, keys).map_err(|_| Refusal::Envelope)),
            Step::Apply(_) => None,
        },
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let each = steps.len().div_ceil(threads).max(STEPS_A_THREAD);
    if steps.len() <= each {
        return steps.iter().map(one).collect();
    }
    std::thread::scope(|scope| {
        let some = |some: &[Step]| some.iter().map(one).collect::<Vec<Ready>>();
        let spawned = |part| {
            let work = std::thread::Builder::new();
            (part, work.spawn_scoped(scope, move || some(part)).ok())
        };
        let parts: Vec<_> = steps.chunks(each).map(spawned).collect();
        // Where the system gives no thread, this one does the part.
        let joined =
            parts.into_iter().map(|(part, handle)| handle.and_then(|h| h.join().ok()).unwrap_or_else(|| some(part)));
        joined.flatten().collect()
    })
}

/// Turning everything anew, forgetting the station, another time, and a word on what is durable, is a write of its own.
fn is_alone(what: &What) -> bool {
    matches!(what, What::RenewFaces | What::Unpair | What::SetClock(_) | What::AttestHeld)
}

impl Gate {
    /// Does the steps in their order.
    ///
    /// # Errors
    /// A refusal of the whole: too many steps, or the disk failed; then nothing was done.
    pub(super) fn batch(&mut self, steps: &[Step], seal: &[u8; 32], now: Timestamp) -> Result<Vec<StepReply>, Halt> {
        if steps.len() > BATCH_MAX {
            return Err(Refusal::Malformed.into());
        }
        let ready = make_ready(steps, &self.keys, seal);
        // All of them, before the first is tried: a step that fails undoes the whole write, and the disk may take none.
        for step in steps {
            if let Step::Apply(apply) = step
                && !is_alone(&apply.what)
            {
                self.hear(apply);
            }
        }
        // What an erasure before left in the log is not locked in by a long write.
        self.empty_log()?;
        self.store.begin_batch()?;
        let mut replies = Vec::with_capacity(steps.len());
        for (step, ready) in steps.iter().zip(ready) {
            match self.step(step, ready, now) {
                Ok(receipt) => replies.push(StepReply::Done(receipt)),
                Err(Halt::Refused(refusal)) => replies.push(StepReply::Refused(refusal)),
                Err(Halt::Failed(error)) => return Err(self.undo_batch(error)),
            }
        }
        if let Err(error) = self.store.commit_batch() {
            return Err(self.undo_batch(error));
        }
        self.batch_written();
        // A stop and what takes it back may both have been in it.
        self.stopped = self.withheld.stops(self.store.faces_stopped().unwrap_or(true));
        self.empty_log()?;
        Ok(replies)
    }

    fn step(&mut self, step: &Step, ready: Ready, now: Timestamp) -> Result<Receipt, Halt> {
        let Ready { digest, face } = ready;
        let face = face.unwrap_or(Err(Refusal::Envelope));
        match step {
            Step::Put(put) => self.take_face(put, digest, now, |_| face),
            Step::Apply(apply) if is_alone(&apply.what) => Err(Refusal::Malformed.into()),
            Step::Apply(apply) => self.apply(apply, digest, now),
            Step::Passed(passed) if passed.from == *self.id().bytes() => Err(Refusal::Envelope.into()),
            Step::Passed(passed) => self.take_face(&passed.put, digest, now, |_| face),
        }
    }

    /// The disk holds what it held before; so must the memory, but for what the station ordered to be matched no more.
    fn undo_batch(&mut self, error: GateError) -> Halt {
        self.store.undo_batch();
        self.batch_undone();
        self.stopped = self.withheld.stops(self.store.faces_stopped().unwrap_or(true));
        self.index = None;
        if let Err(error) = self.reload_faces() {
            tracing::error!(%error, "the templates could not be read again");
            self.faces = Gallery::new(self.setup.engine.clone());
        }
        error.into()
    }
}
