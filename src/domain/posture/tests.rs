//! Both sides of every judgement.

use super::*;
use crate::domain::permit::{Blocker, Condition};

/// A machine on which nothing is wrong.
fn sound() -> MachineFacts {
    let camera = CameraSeen { name: "HD Webcam".into(), place: "usb-1".into(), is_virtual: false };
    MachineFacts {
        system: "Debian".into(),
        routes_out: Reading::Seen(vec![]),
        public_addresses: Reading::Seen(vec![]),
        helpers: Reading::Seen(vec![]),
        data_disk: Reading::Seen(Storage::Encrypted),
        plain_swaps: Reading::Seen(vec![]),
        login: Reading::Seen(Login { without_password: 0, own_has_password: true, automatic: vec![] }),
        screen_locks: Reading::Seen(true),
        cameras: Reading::Seen(vec![camera]),
        uptime_ms: Reading::Seen(60_000),
        free_bytes: Reading::Seen(9 << 30),
        files: Reading::Seen(FileAccess::default()),
    }
}

fn states(report: &PostureReport) -> Vec<Condition> {
    MACHINE.iter().map(|b| report.condition(*b)).collect()
}

fn whats(report: &PostureReport) -> Vec<What> {
    report.findings.iter().map(|f| f.what).collect()
}

fn helper(kind: HelperKind, seen: HelperSeen) -> Reading<Vec<Helper>> {
    Reading::Seen(vec![Helper { name: "ToDesk".into(), kind, seen }])
}

#[test]
fn l1_a_sound_machine_meets_every_condition_and_each_check_has_its_finding() {
    let report = judge(&sound(), &Before::default());
    assert_eq!(states(&report), vec![Condition::Holds; 5]);
    assert!(report.lets_faces());
    for check in Check::ALL {
        assert_eq!(report.grade(check), Grade::Well, "{check:?}");
    }
}

#[test]
fn l1_a_machine_of_which_nothing_is_known_meets_no_condition() {
    let report = judge(&MachineFacts::unread(), &Before::default());
    assert_eq!(states(&report), vec![Condition::NotYetChecked; 5]);
    assert_eq!(states(&PostureReport::default()), vec![Condition::NotYetChecked; 5]);
}

type Spoil = fn(&mut MachineFacts);

#[test]
fn l1_each_fault_of_the_machine_alone_fails_its_own_condition_only() {
    let table: &[(Blocker, What, Spoil)] = &[
        (Blocker::InternetRoute, What::RouteOut, |f| f.routes_out = Reading::Seen(vec!["eth0".into()])),
        (Blocker::InternetRoute, What::PublicAddress, |f| {
            f.public_addresses = Reading::Seen(vec!["203.0.113.9".into()]);
        }),
        (Blocker::RemoteHelp, What::RemoteHelpRuns, |f| {
            f.helpers = helper(HelperKind::RemoteHelp, HelperSeen::Runs);
        }),
        (Blocker::RemoteHelp, What::RemoteHelpRuns, |f| {
            f.helpers = helper(HelperKind::RemoteHelp, HelperSeen::Listens);
        }),
        (Blocker::RemoteHelp, What::RemoteHelpInstalled, |f| {
            f.helpers = helper(HelperKind::RemoteHelp, HelperSeen::Installed);
        }),
        (Blocker::RemoteHelp, What::SharingRuns, |f| {
            f.helpers = helper(HelperKind::Sharing, HelperSeen::Enabled);
        }),
        (Blocker::DiskEncryption, What::DataPlain, |f| {
            f.data_disk = Reading::Seen(Storage::Plain("sda2".into()));
        }),
        (Blocker::DiskEncryption, What::SwapPlain, |f| f.plain_swaps = Reading::Seen(vec!["sda3".into()])),
        (Blocker::LoginPassword, What::NoPassword, |f| {
            f.login = Reading::Seen(Login { without_password: 1, own_has_password: true, automatic: vec![] });
        }),
        (Blocker::LoginPassword, What::NoPassword, |f| f.login = Reading::Seen(Login::default())),
        (Blocker::LoginPassword, What::AutomaticLogin, |f| {
            let automatic = vec!["lightdm".into()];
            f.login = Reading::Seen(Login { without_password: 0, own_has_password: true, automatic });
        }),
        (Blocker::LoginPassword, What::ScreenNeverLocks, |f| f.screen_locks = Reading::Seen(false)),
        (Blocker::MachineState, What::VirtualCameraThere, |f| {
            let camera = CameraSeen { name: "OBS".into(), place: "v".into(), is_virtual: true };
            f.cameras = Reading::Seen(vec![camera]);
        }),
        (Blocker::MachineState, What::FilesOpen, |f| {
            f.files = Reading::Seen(FileAccess { open_to_others: 1, of_others: 0 });
        }),
        (Blocker::MachineState, What::FilesOfOthers, |f| {
            f.files = Reading::Seen(FileAccess { open_to_others: 0, of_others: 1 });
        }),
    ];
    for (blocker, what, spoil) in table {
        let mut facts = sound();
        spoil(&mut facts);
        let report = judge(&facts, &Before::default());
        assert!(whats(&report).contains(what), "{what:?}");
        for other in MACHINE {
            let wanted = if other == *blocker { Condition::Fails } else { Condition::Holds };
            assert_eq!(report.condition(other), wanted, "{what:?}: {other:?}");
        }
        assert!(!report.lets_faces());
    }
}

#[test]
fn warnings_leave_face_entry_on() {
    let table: &[(What, Spoil)] = &[
        (What::SharingInstalled, |f| f.helpers = helper(HelperKind::Sharing, HelperSeen::Installed)),
        (What::RemoteShell, |f| f.helpers = helper(HelperKind::RemoteShell, HelperSeen::Listens)),
        (What::ScreenLockUnread, |f| f.screen_locks = Reading::Unread),
        (What::RoomLittle, |f| f.free_bytes = Reading::Seen(5)),
        (What::RoomUnread, |f| f.free_bytes = Reading::Unread),
        (What::NoCamera, |f| f.cameras = Reading::Seen(vec![])),
    ];
    for (what, spoil) in table {
        let mut facts = sound();
        spoil(&mut facts);
        let report = judge(&facts, &Before::default());
        assert!(whats(&report).contains(what), "{what:?}");
        assert!(report.lets_faces(), "{what:?}");
    }
}

#[test]
fn l1_what_was_read_by_an_unproven_means_may_convict_but_never_acquits() {
    let mut facts = sound();
    facts.routes_out = Reading::Unverified(vec![]);
    facts.helpers = Reading::Unverified(vec![]);
    facts.data_disk = Reading::Unverified(Storage::Plain("C:".into()));
    let report = judge(&facts, &Before::default());
    assert_eq!(report.condition(Blocker::InternetRoute), Condition::NotYetChecked);
    assert_eq!(report.condition(Blocker::RemoteHelp), Condition::NotYetChecked);
    assert_eq!(report.condition(Blocker::DiskEncryption), Condition::Fails);
}

#[test]
fn a_clock_behind_the_log_fails_and_one_that_was_set_is_said() {
    let now = Timestamp::from_ms(1_795_276_800_000);
    let at = |ms| Some(now.plus_ms(ms));
    let judged = |latest_record, booted_at| {
        let report = judge(&sound(), &Before { now, latest_record, booted_at, cameras: None });
        report.findings.iter().map(|f| f.what).find(|w| w.check() == Check::Clock)
    };
    assert_eq!(judged(at(-1), at(-60_000)), Some(What::ClockSound));
    assert_eq!(judged(at(60_000), None), Some(What::ClockSound));
    assert_eq!(judged(at(60_001), None), Some(What::ClockBehind));
    assert_eq!(judged(None, at(-60_000 + 300_000)), Some(What::ClockSound));
    assert_eq!(judged(None, at(-60_000 + 300_001)), Some(What::ClockMoved));
    assert_eq!(judged(None, at(-60_000 - 300_001)), Some(What::ClockMoved));
}

#[test]
fn a_camera_that_was_not_there_at_the_beginning_is_named() {
    let mut before = Before { cameras: sound().cameras.value().cloned(), ..Before::default() };
    let what = |before: &Before, facts: &MachineFacts| {
        judge(facts, before).findings.into_iter().rfind(|f| f.what.check() == Check::Cameras)
    };
    assert_eq!(what(&before, &sound()).map(|f| f.what), Some(What::CamerasAsBefore));
    before.cameras = Some(vec![]);
    let found = what(&before, &sound());
    assert_eq!(found.map(|f| (f.what, f.names)), Some((What::CameraAppeared, vec!["HD Webcam".to_owned()])));
}
