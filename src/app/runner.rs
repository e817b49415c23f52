//! Gives the desk a thread, a clock and its channels, and the courier a thread of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::command::Command;
use super::courier::Courier;
use super::desk::{Desk, DeskConfig, Devices};
use super::event::{Event, ResidentScene, StaffEvent};
use crate::domain::time::Timestamp;
use crate::ports::Clock;

/// Most events that wait for the windows; of previews only the newest waits.
pub const EVENTS_MAX: usize = 64;
/// Pause between two looks at camera and gates while somebody is being served.
const TICK_LIVELY: Duration = Duration::from_millis(8);
/// Pause otherwise.
const TICK_CALM: Duration = Duration::from_millis(50);
/// Pause between two rounds of the courier.
const COURIER_EVERY: Duration = Duration::from_millis(1_000);

/// Where events go. Returns `false` when it is full just now; an error of the other side counts as taken.
pub type EventSink = Box<dyn FnMut(&Event) -> bool + Send>;

/// A running desk.
pub struct Running {
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// A handle that the windows send commands through. What people press waits in its order, however much that is while the desk is about
    /// something long: no press is lost, and no window waits.
    pub fn commands(&self) -> Sender<Command> {
        self.commands.clone()
    }

    /// Waits until the desk's thread has ended (after [`Command::Close`]).
    pub fn join(mut self) {
        drop(self.commands);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts the desk's thread. `devices` is called on that thread, since some devices must be made where they are used.
///
/// # Errors
/// The operating system gave no thread.
pub fn start(
    config: DeskConfig,
    devices: Box<dyn FnOnce() -> Devices + Send>,
    clock: Arc<dyn Clock + Sync>,
    sink: EventSink,
) -> std::io::Result<Running> {
    let (commands, inbox) = channel();
    let thread = std::thread::Builder::new().name("desk".into()).spawn(move || {
        let desk = Desk::new(config, devices());
        run(desk, &inbox, &clock, sink);
    })?;
    Ok(Running { commands, thread: Some(thread) })
}

fn run(mut desk: Desk, inbox: &Receiver<Command>, clock: &Arc<dyn Clock + Sync>, mut sink: EventSink) {
    let mut waiting: VecDeque<Event> = desk.start(clock.now()).into();
    let mut couriers: Vec<JoinHandle<()>> = vec![];
    let mut over = false;
    while !over {
        let pause = if desk.is_lively() || !waiting.is_empty() { TICK_LIVELY } else { TICK_CALM };
        let events = match inbox.recv_timeout(pause) {
            Ok(command) => {
                over = matches!(command, Command::Close);
                let events = desk.handle(command, clock.now());
                desk.command_over(clock.now());
                events
            }
            Err(RecvTimeoutError::Timeout) => desk.tick(clock.now()),
            Err(RecvTimeoutError::Disconnected) => {
                over = true;
                desk.handle(Command::Close, clock.now())
            }
        };
        if let Some(courier) = desk.take_courier() {
            match spawn_courier(courier, Arc::clone(clock)) {
                Ok(thread) => couriers.push(thread),
                Err(error) => {
                    tracing::error!(%error, "the courier got no thread");
                    desk.courier_fell().into_iter().for_each(|event| queue(&mut waiting, event));
                }
            }
        }
        events.into_iter().for_each(|event| queue(&mut waiting, event));
        flush(&mut waiting, &mut sink);
        if desk.is_locked() {
            // A courier that still runs would keep the vault in use.
            couriers.drain(..).for_each(|courier| drop(courier.join()));
        }
        // One that ends by itself at a locked desk was told to; at an open one it fell.
        for fallen in couriers.extract_if(.., |courier| courier.is_finished()) {
            if fallen.join().is_err() {
                tracing::error!("the courier fell");
                desk.courier_fell().into_iter().for_each(|event| queue(&mut waiting, event));
            }
        }
    }
    drop(desk);
    for courier in couriers {
        let _ = courier.join();
    }
    for _ in 0..200 {
        flush(&mut waiting, &mut sink);
        if waiting.is_empty() {
            break;
        }
        std::thread::sleep(TICK_LIVELY);
    }
}

/// A newer picture, advice or state replaces the one that still waits: what comes by itself never piles up before a window that does not
/// look. What answers a command waits in its order.
fn queue(waiting: &mut VecDeque<Event>, event: Event) {
    let kind = |event: &Event| match event {
        Event::Preview(_) => Some(0u8),
        Event::Guide { .. } => Some(1),
        Event::Staff(StaffEvent::Gates(_)) => Some(2),
        Event::Staff(StaffEvent::Desk(_)) => Some(3),
        Event::Staff(StaffEvent::Reader(_)) => Some(4),
        Event::Resident(ResidentScene::Withdrawn { .. }) => Some(5),
        _ => None,
    };
    if let Some(this) = kind(&event) {
        waiting.retain(|waits| kind(waits) != Some(this));
    }
    waiting.push_back(event);
}

fn flush(waiting: &mut VecDeque<Event>, sink: &mut EventSink) {
    while let Some(event) = waiting.front() {
        if !sink(event) {
            break;
        }
        waiting.pop_front();
    }
}

fn spawn_courier(mut courier: Courier, clock: Arc<dyn Clock + Sync>) -> std::io::Result<JoinHandle<()>> {
    let round = move || {
        let shared = Arc::clone(courier.shared());
        loop {
            if let Err(error) = courier.pass(clock.now()) {
                tracing::warn!(%error, "the courier's round failed");
            }
            if !shared.wait(COURIER_EVERY) {
                break;
            }
        }
    };
    std::thread::Builder::new().name("courier".into()).spawn(round)
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_ms(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }
}
