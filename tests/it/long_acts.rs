//! What takes the desk's thread for longer than the minute of the idle window does not shut the window before its result can be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use menka::app::command::{Command, StaffCommand};
use menka::app::desk::{DeskConfig, Devices};
use menka::app::event::{Event, StaffEvent};
use menka::app::evidence::EvidenceCommand;
use menka::app::idle::IDLE_LOCK_MS;
use menka::app::operators::{OperatorsCommand, OperatorsEvent};
use menka::app::pairing::PairingCommand;
use menka::app::posture::{PostureCommand, PostureEvent};
use menka::app::runner;
use menka::domain::Realm;
use menka::domain::notice::Language;
use menka::domain::posture::MachineFacts;
use menka::domain::site::SiteFacts;
use menka::domain::time::Timestamp;
use menka::domain::training::Standing;
use menka::ports::{Clock, Posture};

use super::operators::{CHEAP, START, Station, devices, passphrase};

const LONG_MS: i64 = 70_000;

/// A clock that goes on when it is told to.
#[derive(Default)]
struct ByHand(AtomicI64);

impl Clock for ByHand {
    fn now(&self) -> Timestamp {
        START.plus_ms(self.0.load(Ordering::SeqCst))
    }
}

/// A machine whose look takes long, once.
struct Slow {
    machine: Box<dyn Posture>,
    clock: Arc<ByHand>,
    next: Arc<AtomicBool>,
}

impl Posture for Slow {
    fn check(&mut self) -> MachineFacts {
        if self.next.swap(false, Ordering::SeqCst) {
            self.clock.0.fetch_add(LONG_MS, Ordering::SeqCst);
        }
        self.machine.check()
    }

    fn is_apart(&self, path: &std::path::Path) -> bool {
        self.machine.is_apart(path)
    }
}

fn until(events: &Receiver<Event>, what: &str, is: impl Fn(&StaffEvent) -> bool) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        match events.recv_timeout(Duration::from_millis(100)) {
            Ok(Event::Staff(event)) if is(&event) => return,
            _ => {}
        }
    }
    panic!("not told: {what}");
}

fn is_curtain(event: &StaffEvent) -> bool {
    matches!(event, StaffEvent::Operators(OperatorsEvent::Curtain(_)))
}

#[test]
fn p25_the_runner_counts_no_time_inside_a_command_as_time_without_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, next) = (Arc::new(ByHand::default()), Arc::new(AtomicBool::new(false)));
    let (into, events) = channel();
    let sink = move |event: &Event| {
        let _ = into.send(event.clone());
        true
    };
    let data = folder.path().to_owned();
    let slow = (Arc::clone(&clock), Arc::clone(&next));
    let made = Box::new(move || {
        let all = devices(&data);
        Devices { posture: Box::new(Slow { machine: all.posture, clock: slow.0, next: slow.1 }), ..all }
    });
    let config = DeskConfig { data_dir: folder.path().to_owned(), realm: Realm::Real, kdf: CHEAP.into() };
    let at: Arc<dyn Clock + Sync> = clock.clone();
    let running = runner::start(config, made, at, Box::new(sink)).unwrap();
    let give = |command| running.commands().send(Command::Staff(command)).unwrap();
    let (operator, facts) = ("主管甲".into(), SiteFacts::default());
    give(StaffCommand::CreateVault { operator, passphrase: passphrase("主管甲"), facts });
    for command in [
        OperatorsCommand::RecoveryKept,
        OperatorsCommand::ReadRules(Language::Chinese),
        OperatorsCommand::RulesReachedEnd,
        OperatorsCommand::SignRules("主管甲".into()),
    ] {
        give(StaffCommand::Operators(command));
    }
    until(&events, "the signature", |event| {
        matches!(event, StaffEvent::Operators(OperatorsEvent::Entered { standing: Standing::Works(_), .. }))
    });
    next.store(true, Ordering::SeqCst);
    give(StaffCommand::Posture(PostureCommand::Examine));
    until(&events, "the examination", |event| matches!(event, StaffEvent::Posture(PostureEvent::Examined(_))));
    assert_eq!(clock.0.load(Ordering::SeqCst), LONG_MS);
    let shut = || {
        // Several ticks of the desk.
        std::thread::sleep(Duration::from_millis(500));
        events.try_iter().any(|event| matches!(&event, Event::Staff(event) if is_curtain(event)))
    };
    assert!(!shut(), "the result can still be read");
    clock.0.fetch_add(IDLE_LOCK_MS - 1, Ordering::SeqCst);
    assert!(!shut());
    clock.0.fetch_add(1, Ordering::SeqCst);
    until(&events, "a minute after it", is_curtain);
    give(StaffCommand::Lock);
    running.commands().send(Command::Close).unwrap();
    running.join();
}

#[test]
fn p25_every_command_of_staff_is_waited_for_but_the_look_for_gates_that_a_page_gives_by_itself() {
    let (mut station, _) = Station::new();
    let commands = [
        (StaffCommand::Evidence(EvidenceCommand::CheckAll), false),
        (StaffCommand::Operators(OperatorsCommand::ShowLooks(0)), false),
        (StaffCommand::Pairing(PairingCommand::Look), true),
    ];
    for (command, shuts) in commands {
        let what = format!("{command:?}");
        station.operators(OperatorsCommand::Awake);
        station.told.clear();
        station.staff(command);
        let over = station.now.plus_ms(LONG_MS);
        station.desk.command_over(over);
        station.tick_after(LONG_MS);
        assert_eq!(station.shut_for().is_some(), shuts, "{what}");
        station.tick_after(IDLE_LOCK_MS - 1);
        assert_eq!(station.shut_for().is_some(), shuts, "{what}");
        station.tick_after(1);
        assert!(station.shut_for().is_some(), "{what}: a minute after it");
        station.enter("主管甲");
    }
}
