//! One opening of one camera: a thread that fetches frames, a slot with the newest one, and a watchdog.
//!
//! Every opening has its own slot. A thread that hangs in a driver keeps nothing but its own slot, which refuses frames once it is closed:
//! whatever such a thread brings back later is wiped, never shown.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ports::CameraError;
use crate::secret::Frame;

/// How long a camera may be silent before it counts as stalled.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(2);

/// How long opening may take. The port allows three seconds.
pub(super) const OPEN_MAX: Duration = Duration::from_millis(2_700);

/// How long one wait for a frame lasts before the thread looks whether it should stop.
const WAIT_SLICE: Duration = Duration::from_millis(100);

/// How long a new opening waits for the thread of the last one to let go of the device.
const HANDOVER_MAX: Duration = Duration::from_millis(1_200);

/// An open camera, used on one thread only. Dropping it turns the camera off.
pub(super) trait Source {
    /// Waits for at most `wait` for a frame; `None` when none came or the one that came was damaged.
    fn next(&mut self, wait: Duration) -> Result<Option<Frame>, CameraError>;
}

/// The owner's side.
pub(super) struct Pump {
    slot: Option<Arc<Slot>>,
    last: Option<Arc<Slot>>,
}

impl Pump {
    /// Nothing is open.
    pub(super) fn new() -> Self {
        Self { slot: None, last: None }
    }

    /// Closes what is open, then opens on a new thread and waits for the answer, at most [`OPEN_MAX`].
    pub(super) fn open<S: Source>(
        &mut self,
        start: impl FnOnce() -> Result<S, CameraError> + Send + 'static,
    ) -> Result<(), CameraError> {
        self.close();
        let slot = Arc::new(Slot::new());
        let (inside, before) = (slot.clone(), self.last.take());
        std::thread::Builder::new()
            .name("camera".into())
            .spawn(move || {
                // A panic inside a camera library ends this opening, not the program.
                let ran = catch_unwind(AssertUnwindSafe(|| run(&inside, before.as_deref(), start)));
                inside.end(ran.unwrap_or(Err(CameraError::Stalled)));
            })
            .map_err(|_| CameraError::Stalled)?;
        let answer = slot.wait_open(OPEN_MAX);
        if answer.is_ok() {
            self.slot = Some(slot);
        } else {
            slot.close();
            self.last = Some(slot);
        }
        answer
    }

    /// The newest frame, once.
    pub(super) fn newest(&mut self) -> Result<Option<Frame>, CameraError> {
        self.slot.as_ref().map_or(Ok(None), |slot| slot.take())
    }

    /// How many frames came since it was opened.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only the Linux adapter and the tests ask"))]
    pub(super) fn frames(&self) -> u64 {
        self.slot.as_ref().map_or(0, |slot| slot.lock().frames)
    }

    /// Tells the thread to stop and wipes the slot. Returns at once.
    pub(super) fn close(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.close();
            self.last = Some(slot);
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.close();
    }
}

/// What the two threads share. Held only to move a frame in or out, never while one is fetched or decoded.
struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    phase: Phase,
    newest: Option<Frame>,
    heard: Instant,
    lost: Option<CameraError>,
    frames: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Open,
    /// The owner closed it; the thread may still be stuck.
    Closed,
    /// The thread has ended and the device is free.
    Ended,
}

impl Slot {
    fn new() -> Self {
        let state = State { phase: Phase::Opening, newest: None, heard: Instant::now(), lost: None, frames: 0 };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread says that the camera is on. `false` when nobody waits any more.
    fn opened(&self) -> bool {
        let mut state = self.lock();
        if state.phase != Phase::Opening {
            return false;
        }
        state.phase = Phase::Open;
        state.heard = Instant::now();
        self.changed.notify_all();
        true
    }

    /// The thread brings a frame. `false` (and the frame is wiped) when nobody wants it any more.
    fn put(&self, frame: Frame) -> bool {
        let mut state = self.lock();
        if state.phase != Phase::Open || state.lost.is_some() {
            return false;
        }
        state.newest = Some(frame);
        state.heard = Instant::now();
        state.frames += 1;
        true
    }

    fn is_wanted(&self) -> bool {
        let state = self.lock();
        matches!(state.phase, Phase::Opening | Phase::Open) && state.lost.is_none()
    }

    fn end(&self, how: Result<(), CameraError>) {
        let mut state = self.lock();
        if let Err(error) = how {
            state.lost.get_or_insert(error);
            state.newest = None;
        }
        state.phase = Phase::Ended;
        self.changed.notify_all();
    }

    fn close(&self) {
        let mut state = self.lock();
        state.newest = None;
        if state.phase != Phase::Ended {
            state.phase = Phase::Closed;
        }
    }

    fn take(&self) -> Result<Option<Frame>, CameraError> {
        let mut state = self.lock();
        if state.lost.is_none() && state.heard.elapsed() >= SILENCE_MAX {
            state.lost = Some(CameraError::Stalled);
            state.newest = None;
        }
        match &state.lost {
            Some(error) => Err(error.clone()),
            None => Ok(state.newest.take()),
        }
    }

    fn wait_open(&self, limit: Duration) -> Result<(), CameraError> {
        let waiting = |state: &mut State| state.phase == Phase::Opening;
        let (state, _) =
            self.changed.wait_timeout_while(self.lock(), limit, waiting).unwrap_or_else(PoisonError::into_inner);
        match state.phase {
            Phase::Open => Ok(()),
            Phase::Ended => Err(state.lost.clone().unwrap_or(CameraError::Stalled)),
            Phase::Opening | Phase::Closed => Err(CameraError::Stalled),
        }
    }

    fn wait_end(&self, limit: Duration) -> bool {
        let going = |state: &mut State| state.phase != Phase::Ended;
        let (state, _) =
            self.changed.wait_timeout_while(self.lock(), limit, going).unwrap_or_else(PoisonError::into_inner);
        state.phase == Phase::Ended
    }
}

/// The thread: waits for the last opening to let go, opens, and fetches until it is told to stop or the camera is lost.
fn run<S: Source>(
    slot: &Slot,
    before: Option<&Slot>,
    start: impl FnOnce() -> Result<S, CameraError>,
) -> Result<(), CameraError> {
    let free = before.is_none_or(|last| last.wait_end(HANDOVER_MAX));
    let mut source = start().map_err(|error| match error {
        // Held by our own stuck thread, not by another program.
        CameraError::Busy if !free => CameraError::Stalled,
        other => other,
    })?;
    if !slot.opened() {
        return Ok(());
    }
    while slot.is_wanted() {
        if let Some(frame) = source.next(WAIT_SLICE)?
            && !slot.put(frame)
        {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    fn frame(shade: u8) -> Frame {
        Frame::new(64, 64, vec![shade; 64 * 64 * 3]).unwrap()
    }

    /// Hands out what the test sends; silent when nothing is sent; unplugged when the test hangs up.
    struct Fed(mpsc::Receiver<Frame>);

    impl Source for Fed {
        fn next(&mut self, wait: Duration) -> Result<Option<Frame>, CameraError> {
            match self.0.recv_timeout(wait) {
                Ok(frame) => Ok(Some(frame)),
                Err(mpsc::RecvTimeoutError::Timeout) => Ok(None),
                Err(mpsc::RecvTimeoutError::Disconnected) => Err(CameraError::Unplugged),
            }
        }
    }

    fn until<T>(mut step: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(done) = step() {
                return done;
            }
            assert!(start.elapsed() < Duration::from_secs(5), "nothing happened");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn only_the_newest_frame_waits_and_it_is_handed_out_once() {
        let (feed, frames) = mpsc::channel();
        let mut pump = Pump::new();
        pump.open(|| Ok(Fed(frames))).unwrap();
        (1..=3).for_each(|shade| feed.send(frame(shade)).unwrap());
        until(|| (pump.frames() == 3).then_some(()));
        assert_eq!(pump.newest().unwrap().unwrap().rgb()[0], 3);
        assert!(pump.newest().unwrap().is_none());
    }

    #[test]
    fn an_unplugged_camera_says_so_until_it_is_opened_again() {
        let (feed, frames) = mpsc::channel();
        let mut pump = Pump::new();
        pump.open(|| Ok(Fed(frames))).unwrap();
        feed.send(frame(1)).unwrap();
        drop(feed);
        until(|| pump.newest().is_err().then_some(()));
        assert_eq!(pump.newest().unwrap_err(), CameraError::Unplugged);
        let (feed, frames) = mpsc::channel();
        pump.open(|| Ok(Fed(frames))).unwrap();
        feed.send(frame(2)).unwrap();
        assert_eq!(until(|| pump.newest().unwrap()).rgb()[0], 2);
    }

    #[test]
    fn two_silent_seconds_are_a_stall() {
        let (feed, frames) = mpsc::channel();
        let mut pump = Pump::new();
        pump.open(|| Ok(Fed(frames))).unwrap();
        let start = Instant::now();
        feed.send(frame(1)).unwrap();
        until(|| pump.newest().unwrap());
        let error = until(|| pump.newest().err());
        assert_eq!(error, CameraError::Stalled);
        assert!(start.elapsed() >= SILENCE_MAX && start.elapsed() < SILENCE_MAX * 2);
        let _ = feed.send(frame(2));
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(pump.newest().unwrap_err(), CameraError::Stalled, "a lost camera does not come back by itself");
    }

    /// Ignores every request to stop for as long as the test holds the door shut.
    struct Stuck(Arc<AtomicBool>, Arc<AtomicUsize>);

    impl Source for Stuck {
        fn next(&mut self, _wait: Duration) -> Result<Option<Frame>, CameraError> {
            while !self.0.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(2));
            }
            self.1.fetch_add(1, Ordering::SeqCst);
            Ok(Some(frame(66)))
        }
    }

    #[test]
    fn f08b_a_stuck_thread_is_left_behind_and_can_never_hand_out_a_frame_later() {
        let (released, brought) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut pump = Pump::new();
        let stuck = Stuck(released.clone(), brought.clone());
        pump.open(move || Ok(stuck)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let start = Instant::now();
        pump.close();
        assert!(start.elapsed() < Duration::from_millis(500), "closing must not wait for the driver");
        let old = pump.last.clone().unwrap();

        let (feed, frames) = mpsc::channel();
        pump.open(|| Ok(Fed(frames))).unwrap();
        released.store(true, Ordering::SeqCst);
        until(|| (brought.load(Ordering::SeqCst) == 1 && old.lock().phase == Phase::Ended).then_some(()));
        assert!(old.lock().newest.is_none(), "what it brought was wiped");
        assert!(pump.newest().unwrap().is_none(), "and never reached the new opening");
        feed.send(frame(9)).unwrap();
        assert_eq!(until(|| pump.newest().unwrap()).rgb()[0], 9);
    }

    #[test]
    fn closing_wipes_what_waits_and_frees_the_device() {
        let (feed, frames) = mpsc::channel();
        let mut pump = Pump::new();
        pump.open(|| Ok(Fed(frames))).unwrap();
        feed.send(frame(1)).unwrap();
        until(|| (pump.frames() == 1).then_some(()));
        pump.close();
        assert!(pump.newest().unwrap().is_none());
        let old = pump.last.clone().unwrap();
        assert!(old.lock().newest.is_none());
        assert!(old.wait_end(Duration::from_secs(1)), "the thread lets go within a slice");
    }

    #[test]
    fn opening_never_takes_longer_than_three_seconds() {
        let start = Instant::now();
        let hangs = || {
            std::thread::sleep(Duration::from_secs(4));
            Err::<Fed, _>(CameraError::None)
        };
        assert_eq!(Pump::new().open(hangs).unwrap_err(), CameraError::Stalled);
        assert!(start.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_panicking_driver_is_a_lost_camera_and_errors_of_opening_arrive() {
        struct Panics;
        impl Source for Panics {
            fn next(&mut self, _wait: Duration) -> Result<Option<Frame>, CameraError> {
                let none: Option<u8> = None;
                none.map(|_| Ok(None)).unwrap()
            }
        }
        let mut pump = Pump::new();
        pump.open(|| Ok(Panics)).unwrap();
        assert_eq!(until(|| pump.newest().err()), CameraError::Stalled);
        for error in [CameraError::Busy, CameraError::NotAllowed, CameraError::None] {
            let expected = error.clone();
            assert_eq!(pump.open(move || Err::<Fed, _>(error)).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_device_held_by_our_own_stuck_thread_is_not_blamed_on_another_program() {
        let (released, brought) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut pump = Pump::new();
        let stuck = Stuck(released.clone(), brought);
        pump.open(move || Ok(stuck)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(pump.open(|| Err::<Fed, _>(CameraError::Busy)).unwrap_err(), CameraError::Stalled);
        released.store(true, Ordering::SeqCst);
    }
}
