//! The camera goes on beside somebody of the desk only: a staff window that is shut, by itself or by hand, and one that a technician took over.
//! Real vault, real gate over TLS, practice camera; the engine is played.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::command::{ResidentCommand, StaffCommand};
use super::enroll::Flow;
use super::event::{Failure, ResidentScene};
use super::idle::{IDLE_LOCK_MS, VISIT_COUNTDOWN_MS};
use super::operators::OperatorsCommand;
use super::posture_tests::{Site, site};
use super::runner::SystemClock;
use crate::domain::notice::Language;
use crate::domain::permit::{Blocker, Condition};
use crate::domain::role::Role;
use crate::ports::Clock;
use crate::practice::drive::Drive;
use crate::practice::site::PASSPHRASE;
use crate::secret::Passphrase;

const WORDS: &str = "the passphrase of the technician";

impl Site {
    /// One tick so long after now, with nobody at the staff window in between.
    fn later(&mut self, ms: i64) {
        // A frame is there, or the jump of the clock alone would look like a silent camera.
        std::thread::sleep(Duration::from_millis(80));
        let events = self.drive.desk.tick(SystemClock.now().plus_ms(ms));
        self.drive.hear(events);
    }

    fn shut(&mut self) {
        self.drive.staff(StaffCommand::Shut);
        assert!(self.drive.desk.is_curtained());
    }

    fn open_as(&mut self, account: Option<crate::domain::id::StaffId>, words: &str) {
        let passphrase = Passphrase::new(words.into());
        self.drive.staff(StaffCommand::Unlock { account, passphrase });
        assert!(!self.drive.desk.is_curtained(), "{:?}", self.drive.failures);
    }

    /// The last countdown that was told.
    fn locks_in(&self) -> Option<&String> {
        self.drive.told.iter().rev().find(|told| told.contains("LocksIn"))
    }
}

fn waits_for_somebody(scene: &ResidentScene) -> bool {
    matches!(scene, ResidentScene::Ended { failure: Some(Failure::NobodyAtDesk), may_retry: true })
}

// Shows: L1-9
#[test]
fn l1_the_camera_waits_until_somebody_of_the_desk_is_at_an_open_window() {
    let mut site = site();
    site.drive.ask_for_face(0).unwrap();
    // The window shuts while the resident reads; reading and the decision go on.
    site.later(IDLE_LOCK_MS + 1_000);
    assert!(site.drive.desk.is_curtained());
    assert!(matches!(site.drive.scene, ResidentScene::Notice { .. }), "{:?}", site.drive.scene);
    site.drive.failures.clear();
    site.drive.read_and_consent().unwrap();
    assert!(waits_for_somebody(&site.drive.scene), "{:?}", site.drive.scene);
    assert_eq!(site.drive.failures, vec![Failure::NobodyAtDesk], "and the staff window says so");
    site.drive.resident(ResidentCommand::TryAgain);
    assert!(waits_for_somebody(&site.drive.scene));
    assert_eq!(site.drive.previews, 0, "the camera never went on");
    // Somebody comes: the same consent is enough.
    site.open_as(None, PASSPHRASE);
    site.drive.resident(ResidentCommand::TryAgain);
    assert!(matches!(site.flow(), Flow::Capturing(_)), "{:?} {:?}", site.drive.scene, site.drive.blockers);
}

// Shows: L1-9
#[test]
fn l1_a_window_that_is_shut_by_hand_turns_the_camera_off_and_the_try_waits_too() {
    let mut site = site();
    site.face.store(true, Ordering::SeqCst);
    site.camera_on();
    site.shut();
    assert!(waits_for_somebody(&site.drive.scene), "{:?}", site.drive.scene);
    let pictures = site.drive.previews;
    for _ in 0..10 {
        site.drive.tick();
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(site.drive.previews, pictures, "the camera is dark");
    site.open_as(None, PASSPHRASE);
    site.drive.resident(ResidentCommand::TryAgain);
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { looking: false, .. });
    site.drive.until("the try", Duration::from_secs(20), tries).unwrap();
    site.shut();
    site.drive.resident(ResidentCommand::TryGate);
    let waits = |d: &Drive| {
        matches!(&d.scene, ResidentScene::TryGate { looking: false, failure: Some(Failure::NobodyAtDesk), .. })
    };
    assert!(waits(&site.drive), "{:?}", site.drive.scene);
    site.open_as(None, PASSPHRASE);
    site.face.store(false, Ordering::SeqCst);
    site.drive.resident(ResidentCommand::TryGate);
    assert!(matches!(site.flow(), Flow::Trying(trying) if trying.looking), "{:?}", site.drive.scene);
    site.shut();
    assert!(waits(&site.drive), "a look that had begun is ended: {:?}", site.drive.scene);
}

#[test]
fn p25_whoever_helps_a_resident_is_warned_longer_and_a_capture_comes_to_its_end_before_the_window_shuts() {
    let mut site = site();
    site.drive.operators(OperatorsCommand::Awake);
    site.drive.ask_for_face(0).unwrap();
    site.drive.told.clear();
    site.later(IDLE_LOCK_MS - VISIT_COUNTDOWN_MS + 500);
    let told = site.locks_in().cloned().unwrap_or_default();
    assert!((25..=30).any(|seconds| told.contains(&format!("Some({seconds})"))), "{told}");
    site.drive.operators(OperatorsCommand::Awake);
    // Ten seconds later the camera goes on; when the minute without anybody is over it is still on.
    site.later(10_000);
    site.drive.read_and_consent().unwrap();
    site.later(IDLE_LOCK_MS - 5_000);
    assert!(matches!(site.flow(), Flow::Capturing(_)), "{:?}", site.drive.scene);
    assert!(!site.drive.desk.is_curtained() && site.locks_in().is_some_and(|told| told.contains("Some(0)")));
    // Its own minute is over as well: dark, and the window shuts at once.
    site.later(IDLE_LOCK_MS + 5_000);
    assert!(matches!(site.drive.scene, ResidentScene::Ended { failure: Some(Failure::TooLong), may_retry: true }));
    assert!(site.drive.desk.is_curtained());
    site.drive.resident(ResidentCommand::TryAgain);
    assert!(waits_for_somebody(&site.drive.scene), "{:?}", site.drive.scene);
}

// Shows: P51-4
#[test]
fn p51_4_beside_a_technician_or_auditor_face_entry_is_not_offered_and_no_camera_goes_on() {
    for role in [Role::Technician, Role::Auditor] {
        let mut site = site();
        site.drive.add_colleague();
        site.drive.operators(OperatorsCommand::Add {
            name: "技术员".into(),
            role,
            passphrase: Passphrase::new(WORDS.into()),
            trained_on: SystemClock.now().date().to_string(),
        });
        site.drive.approve();
        site.drive.deliver().unwrap();
        site.drive.tick();
        let accounts = site.drive.desk.vault(|v| v.accounts()).unwrap();
        let account = accounts.iter().find(|account| account.role == role).unwrap().id;
        let take_over = |site: &mut Site| {
            site.shut();
            site.open_as(Some(account), WORDS);
            site.drive.operators(OperatorsCommand::ReadRules(Language::Chinese));
            site.drive.operators(OperatorsCommand::RulesReachedEnd);
            site.drive.operators(OperatorsCommand::SignRules("技术员".into()));
        };
        // Taken over in the middle of a visit.
        site.drive.ask_for_face(0).unwrap();
        take_over(&mut site);
        site.drive.read_and_consent().unwrap();
        assert!(waits_for_somebody(&site.drive.scene), "{role:?}: {:?}", site.drive.scene);
        assert_eq!(site.drive.previews, 0, "{role:?}");
        // "Finish" leaves the page, and nothing comes of the consent.
        site.drive.resident(ResidentCommand::Back);
        site.drive.tick();
        assert_eq!(site.drive.blockers, vec![(Blocker::OperatorLoggedIn, Condition::Fails)], "{role:?}");
        assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }), "{:?}", site.drive.scene);
        site.drive.resident(ResidentCommand::AskFace);
        assert!(matches!(site.drive.scene, ResidentScene::Idle { .. }), "{role:?}");
        // Withdrawing needs nobody.
        site.drive.resident(ResidentCommand::AskWithdraw);
        assert!(matches!(site.drive.scene, ResidentScene::TapCard { withdraw: true, .. }), "{role:?}");
    }
}
