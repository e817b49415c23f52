//! Many operations with one durable write. Each step gets its own receipt; nothing is answered before the whole is on disk, so every receipt
//! stays true. Envelopes are opened by other threads while the one that has the store writes what was opened before, and by that one too when
//! nothing is ready: opening is most of the work.

use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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

/// Of fewer steps each is opened in its turn, by the thread that stores it.
const STEPS_APART: usize = 16;
/// Most threads that open, beside the one that stores.
const THREADS_MAX: usize = 3;

/// What of a step needs neither the store nor its turn.
struct Ready {
    digest: [u8; 32],
    /// Of a step that brings a template.
    face: Option<Result<FaceTemplate, Refusal>>,
}

/// Opens what a step brings. Nothing is decided here: a step that is refused by its header is refused by that, in its turn.
fn ready(step: &Step, keys: &IdentityKeys, seal: &[u8; 32]) -> Ready {
    Ready {
        digest: request_digest(&step.clone().request()),
        face: match step {
            Step::Put(put) => Some(open_face(put, keys, seal).map_err(|_| Refusal::Envelope)),
            Step::Passed(passed) => Some(open_passed(passed, keys).map_err(|_| Refusal::Envelope)),
            Step::Apply(_) => None,
        },
    }
}

/// What the threads of one batch share.
struct Shared {
    /// The first step that nobody has taken to open.
    next: usize,
    /// What was opened and not yet stored, by the step's place.
    ready: Vec<Option<Ready>>,
    /// Threads beside the one that stores that may still bring something.
    openers: usize,
}

/// The steps of one batch, opened by whoever has time.
struct Opening<'a> {
    steps: &'a [Step],
    keys: &'a IdentityKeys,
    seal: &'a [u8; 32],
    shared: Mutex<Shared>,
    news: Condvar,
}

/// One of the openers; when it ends, in whatever way, the one that stores no longer waits for it.
struct Opener<'a>(&'a Opening<'a>);

impl Drop for Opener<'_> {
    fn drop(&mut self) {
        self.0.lock().openers -= 1;
        self.0.news.notify_one();
    }
}

impl Opening<'_> {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, step: &Step) -> Ready {
        ready(step, self.keys, self.seal)
    }

    /// Opens one step after another until none is left.
    fn work(&self) {
        let mut shared = self.lock();
        while let Some((at, step)) = shared.take_next(self.steps) {
            drop(shared);
            let opened = self.open(step);
            shared = self.lock();
            shared.put(at, opened);
            self.news.notify_one();
        }
    }

    /// What this step brings, once it is its turn. Where it is not opened yet, the thread that stores opens too instead of waiting.
    fn of(&self, at: usize, step: &Step) -> Ready {
        let mut shared = self.lock();
        loop {
            if let Some(opened) = shared.ready.get_mut(at).and_then(Option::take) {
                return opened;
            }
            if let Some((next, step)) = shared.take_next(self.steps) {
                drop(shared);
                let opened = self.open(step);
                shared = self.lock();
                shared.put(next, opened);
            } else if shared.openers == 0 {
                // Whoever took it did not bring it.
                drop(shared);
                return self.open(step);
            } else {
                shared = self.news.wait(shared).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Shared {
    /// The step to open next, and its place.
    fn take_next<'a>(&mut self, steps: &'a [Step]) -> Option<(usize, &'a Step)> {
        let at = self.next;
        let step = steps.get(at)?;
        self.next += 1;
        Some((at, step))
    }

    fn put(&mut self, at: usize, opened: Ready) {
        if let Some(slot) = self.ready.get_mut(at) {
            *slot = Some(opened);
        }
    }
}

/// Has each step done in its order by this thread, while others open what the next ones bring. Ends with the first error; what was opened beyond
/// it is wiped and forgotten.
fn each_in_order<E>(
    steps: &[Step],
    keys: &IdentityKeys,
    seal: &[u8; 32],
    mut act: impl FnMut(&Step, Ready) -> Result<(), E>,
) -> Result<(), E> {
    let others = std::thread::available_parallelism().map_or(1, NonZero::get) - 1;
    let threads = if steps.len() < STEPS_APART { 0 } else { others.clamp(1, THREADS_MAX) };
    let shared = Shared { next: 0, ready: steps.iter().map(|_| None).collect(), openers: threads };
    let opening = Opening { steps, keys, seal, shared: Mutex::new(shared), news: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let opener = Opener(&opening);
            // Where the system gives no thread, the closure is dropped, and with it the opener.
            let _ = std::thread::Builder::new().spawn_scoped(scope, move || opener.0.work());
        }
        let done = steps.iter().enumerate().try_for_each(|(at, step)| act(step, opening.of(at, step)));
        // After an error nobody opens what is left.
        opening.lock().next = steps.len();
        done
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
        let keys = Arc::clone(&self.keys);
        let done = each_in_order(steps, &keys, seal, |step, ready| {
            match self.step(step, ready, now) {
                Ok(receipt) => replies.push(StepReply::Done(receipt)),
                Err(Halt::Refused(refusal)) => replies.push(StepReply::Refused(refusal)),
                Err(Halt::Failed(error)) => return Err(error),
            }
            Ok(())
        });
        if let Err(error) = done {
            return Err(self.undo_batch(error));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::domain::Realm;
    use crate::wire::message::Apply;

    fn numbered(count: u8) -> Vec<Step> {
        let one = |n| Step::Apply(Apply { op: [n; 16], sequence: n.into(), what: What::EraseFace([n; 16]) });
        (0..count).map(one).collect()
    }

    #[test]
    fn each_step_is_done_once_in_its_order_with_what_belongs_to_it_whoever_opened_it() {
        let keys = IdentityKeys::make(Realm::Practice).unwrap();
        for count in [0, 1, 15, 16, 17, 64, 250] {
            let steps = numbered(count);
            let mut done = vec![];
            let ended = each_in_order(&steps, &keys, &[0; 32], |step, ready| {
                assert_eq!(ready.digest, request_digest(&step.clone().request()));
                done.push(step.clone());
                Ok::<(), ()>(())
            });
            assert_eq!((ended, &done), (Ok(()), &steps), "{count}");
        }
    }

    #[test]
    fn what_an_opener_took_and_never_brought_is_opened_by_who_stores() {
        let (keys, steps) = (IdentityKeys::make(Realm::Practice).unwrap(), numbered(3));
        let shared = Shared { next: 0, ready: steps.iter().map(|_| None).collect(), openers: 1 };
        let opening =
            Opening { steps: &steps, keys: &keys, seal: &[0; 32], shared: Mutex::new(shared), news: Condvar::new() };
        let opener = Opener(&opening);
        let taken = opening.lock().take_next(&steps).map(|(at, _)| at);
        assert_eq!(taken, Some(0));
        std::thread::scope(|scope| {
            let of_first = scope.spawn(|| opening.of(0, &steps[0]).digest);
            // The one that stores has opened everything else, and waits.
            while opening.lock().next < steps.len() {
                std::thread::yield_now();
            }
            drop(opener);
            assert_eq!(of_first.join().unwrap(), request_digest(&steps[0].clone().request()));
        });
        for (at, step) in steps.iter().enumerate().skip(1) {
            assert_eq!(opening.of(at, step).digest, request_digest(&step.clone().request()));
        }
    }

    #[test]
    fn the_first_error_ends_it_and_waits_for_nobody() {
        let keys = IdentityKeys::make(Realm::Practice).unwrap();
        let steps = numbered(250);
        for at in [0, 1, 40, 249] {
            let mut done = 0;
            let ended = each_in_order(&steps, &keys, &[0; 32], |_, _| {
                done += 1;
                if done > at { Err(at) } else { Ok(()) }
            });
            assert_eq!((ended, done), (Err(at), at + 1));
        }
    }
}
