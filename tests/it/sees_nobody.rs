//! A role that sees no people, and everything that is told to its window: entering, a card on the reader, a window that is taken over from
//! somebody with a record open, news from a gate. Real vault, TLS and gate process.

use std::time::Duration;

use menka::app::command::{Command, ResidentCommand, StaffCommand};
use menka::app::deletion::{DeletionEvent, DoorChange};
use menka::app::duties::DutiesEvent;
use menka::app::event::{Event, Failure, ResidentScene, StaffEvent};
use menka::app::evidence::EvidenceEvent;
use menka::app::guardian_desk::GuardianEvent;
use menka::app::notice::NoticeEvent;
use menka::app::operators::OperatorsCommand;
use menka::app::relay::RelayEvent;
use menka::app::rights::RightsTold;
use menka::app::runner::SystemClock;
use menka::domain::role::{LookWhy, Role};
use menka::ports::Clock;
use menka::practice::PracticeAct;
use menka::practice::site::PASSPHRASE;
use menka::secret::Passphrase;
use menka::vault::Vault;

use super::deletion::{NAME, Site, UNIT, enrolled};

/// Whether an event shows somebody. Without a wildcard: a new event does not compile here until somebody has said what it shows.
fn shows_somebody(event: &StaffEvent) -> bool {
    match event {
        StaffEvent::Found { rows, .. } => !rows.is_empty(),
        StaffEvent::Opened(_) | StaffEvent::Saved(_) | StaffEvent::CardRead(_) | StaffEvent::CardIssued(_) => true,
        StaffEvent::Rights(told) => match told {
            RightsTold::Counts(_) | RightsTold::Saved(_) | RightsTold::Noted => false,
            RightsTold::Register(lines) => !lines.is_empty(),
            RightsTold::Request(_) | RightsTold::All(_) | RightsTold::Received(_) => true,
        },
        StaffEvent::Evidence(told) => match told {
            EvidenceEvent::Shown(rows) => !rows.is_empty(),
            EvidenceEvent::ShownAgain(_) | EvidenceEvent::ReplaySaved(_) => true,
            EvidenceEvent::Chain(_)
            | EvidenceEvent::Checked(_)
            | EvidenceEvent::HeadSaved { .. }
            | EvidenceEvent::HeadChecked(_)
            | EvidenceEvent::Exported { .. }
            | EvidenceEvent::NotAsShown { .. }
            | EvidenceEvent::HeadDue(_) => false,
        },
        StaffEvent::Relay(told) => match told {
            RelayEvent::Invited(_, _, rows) | RelayEvent::Concerned(_, rows) => !rows.is_empty(),
            RelayEvent::Joined(_) => true,
            RelayEvent::Replacements(_) | RelayEvent::Replaced(_) | RelayEvent::Wedged(_) => false,
        },
        StaffEvent::Duties(told) => match told {
            DutiesEvent::Incidents(_)
            | DutiesEvent::IncidentEntered(_)
            | DutiesEvent::SiteEnd(_)
            | DutiesEvent::Saved(..) => false,
        },
        StaffEvent::Deletion(told) => match told {
            DeletionEvent::Person(_) => true,
            // Counts and random ids.
            DeletionEvent::Site(_)
            | DeletionEvent::Saved(_)
            | DeletionEvent::Met(_)
            | DeletionEvent::SwitchedOff(_)
            | DeletionEvent::Renewed { .. }
            | DeletionEvent::ClockAhead { .. } => false,
        },
        StaffEvent::Notice(told) => match told {
            NoticeEvent::Person(..) => true,
            NoticeEvent::View(_)
            | NoticeEvent::WouldStop { .. }
            | NoticeEvent::NewVersion { .. }
            | NoticeEvent::Entered
            | NoticeEvent::Saved(_) => false,
        },
        StaffEvent::Guardian(told) => match told {
            GuardianEvent::Shown { .. } => true,
            GuardianEvent::Checked | GuardianEvent::Figures { .. } => false,
        },
        StaffEvent::Form(form) => form.is_some(),
        StaffEvent::FirstRun
        | StaffEvent::Locked { .. }
        | StaffEvent::Unlocked { .. }
        | StaffEvent::Gates(_)
        | StaffEvent::Pairing(_)
        | StaffEvent::StationFingerprint(_)
        | StaffEvent::Facts(..)
        | StaffEvent::Desk(_)
        | StaffEvent::Closed
        | StaffEvent::CardWay(..)
        | StaffEvent::Reader(_)
        | StaffEvent::ResidentBusy(_)
        | StaffEvent::Posture(_)
        | StaffEvent::Boards(_)
        | StaffEvent::Keep(_)
        | StaffEvent::Failed(_)
        | StaffEvent::Operators(_) => false,
    }
}

/// Ticks for a while; what was told to the staff window.
fn told_while(site: &mut Site, ms: u64) -> Vec<StaffEvent> {
    let mut told = vec![];
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(ms) {
        let events = site.drive.desk.tick(SystemClock.now());
        told.extend(staff(&events));
        site.drive.hear(events);
        std::thread::sleep(Duration::from_millis(20));
    }
    told
}

fn staff(events: &[Event]) -> Vec<StaffEvent> {
    let of = |event: &Event| if let Event::Staff(event) = event { Some(event.clone()) } else { None };
    events.iter().filter_map(of).collect()
}

fn give(site: &mut Site, command: StaffCommand) -> Vec<StaffEvent> {
    let events = site.drive.desk.handle(Command::Staff(command), SystemClock.now());
    let told = staff(&events);
    site.drive.hear(events);
    told
}

fn resident(site: &mut Site, command: ResidentCommand) -> Vec<StaffEvent> {
    let events = site.drive.desk.handle(Command::Resident(command), SystemClock.now());
    let told = staff(&events);
    site.drive.hear(events);
    told
}

fn nobody(told: &[StaffEvent], when: &str) {
    for event in told {
        assert!(!shows_somebody(event), "{when}: {event:?}");
        let text = format!("{event:?}");
        assert!(!text.contains(NAME) && !text.contains(UNIT), "{when}: {text}");
    }
}

fn unlock(site: &mut Site, name: &str) -> Vec<StaffEvent> {
    let accounts = Vault::accounts_at_the_door(site.drive.data(), SystemClock.now()).unwrap();
    let account = accounts.into_iter().find(|account| account.name == name).map(|account| account.id);
    give(site, StaffCommand::Unlock { account, passphrase: Passphrase::new(PASSPHRASE.into()) })
}

#[test]
fn p51_4_nothing_that_is_told_to_a_technician_or_an_auditor_shows_anybody() {
    let (mut site, person) = enrolled(1);
    site.drive.add_colleague();
    for (name, role) in [("技术员小陈", Role::Technician), ("审计小吴", Role::Auditor)] {
        site.drive.operators(OperatorsCommand::Add {
            name: name.into(),
            role,
            passphrase: Passphrase::new(PASSPHRASE.into()),
            trained_on: SystemClock.now().date().to_string(),
        });
        site.drive.approve();
        site.drive.staff(StaffCommand::Lock);
        unlock(&mut site, name);
        site.drive.sign_rules(name);
        site.drive.staff(StaffCommand::Lock);

        // A supervisor has a record open and walks away; this test would see it.
        site.drive.unlock();
        let told = give(&mut site, StaffCommand::OpenResident(person, LookWhy::Here));
        assert!(told.iter().any(shows_somebody), "a supervisor sees the record");
        let told = give(&mut site, StaffCommand::Shut);
        nobody(&told, "shutting");
        let told = unlock(&mut site, name);
        assert!(told.iter().any(|event| matches!(event, StaffEvent::Unlocked { operator } if operator == name)));
        nobody(&told, "taking over");
        nobody(&told_while(&mut site, 300), "after taking over");

        // A card on the reader, with the resident window idle.
        assert!(matches!(site.drive.scene, ResidentScene::Idle { .. }), "{:?}", site.drive.scene);
        site.drive.controls.act(PracticeAct::TapCard(0));
        nobody(&told_while(&mut site, 1_500), "a card");
        site.drive.controls.act(PracticeAct::TakeCardAway);
        nobody(&told_while(&mut site, 600), "no card");
        let told = give(&mut site, StaffCommand::WedgeTyped("04A1B2C3".into()));
        nobody(&told, "a typed card");
        assert!(told.contains(&StaffEvent::Failed(Failure::NotYourRole)));

        // News from a gate: the person pauses their face at the other window, and takes it up again.
        for change in [DoorChange::Pause, DoorChange::Resume] {
            let mut told = resident(&mut site, ResidentCommand::AskWithdraw);
            site.drive.controls.act(PracticeAct::TapCard(0));
            told.extend(told_while(&mut site, 1_500));
            site.drive.controls.act(PracticeAct::TakeCardAway);
            assert!(matches!(site.drive.scene, ResidentScene::WithdrawConfirm { .. }), "{:?}", site.drive.scene);
            told.extend(resident(&mut site, ResidentCommand::AskDoors));
            told.extend(resident(&mut site, ResidentCommand::ChangeDoors(change)));
            for _ in 0..10 {
                site.drive.deliver().unwrap();
                told.extend(told_while(&mut site, 60));
            }
            told.extend(resident(&mut site, ResidentCommand::Back));
            nobody(&told, "a resident at the other window");
            assert!(told.iter().any(|event| matches!(event, StaffEvent::Gates(_))), "there was news: {told:?}");
        }
        site.drive.staff(StaffCommand::Lock);
        site.drive.unlock();
    }
}
