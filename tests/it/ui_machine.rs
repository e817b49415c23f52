//! The machine page and the examination: every finding in words, what needs doing first, a report without names.

use iced_test::selector::id;
use menka::app::command::StaffCommand;
use menka::app::doctor::{Doctor, FindingLine, GateCounts, Health, LogHealth};
use menka::app::event::StaffEvent;
use menka::app::operators::OperatorsEvent;
use menka::app::posture::{PostureCommand, PostureEvent};
use menka::domain::Realm;
use menka::domain::posture::{
    Before, CameraSeen, Check, FileAccess, Finding, Grade, Helper, HelperKind, HelperSeen, Login, MachineFacts,
    PostureReport, Reading, Storage, What, judge,
};
use menka::domain::role::Role;
use menka::domain::time::CivilDate;
use menka::domain::training::Standing;
use menka::ui::staff::{Action, Message, Page, Route, Staff, machine, machine_words};
use menka::ui::theme;

use super::ui_staff::{LARGE, SMALL, both, commands, is_worded, press, window};

fn facts() -> MachineFacts {
    let camera = CameraSeen { name: "HD Webcam".into(), place: "usb-1".into(), is_virtual: false };
    MachineFacts {
        system: "Debian GNU/Linux 12 (bookworm), Linux 6.1.0-30-amd64".into(),
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

fn sound() -> PostureReport {
    judge(&facts(), &Before::default())
}

/// A machine with a fault of every grade.
pub fn troubled() -> PostureReport {
    let mut facts = facts();
    let todesk = Helper { name: "ToDesk".into(), kind: HelperKind::RemoteHelp, seen: HelperSeen::Runs };
    facts.helpers = Reading::Seen(vec![todesk]);
    facts.routes_out = Reading::Seen(vec!["eth0".into(), "wlan0".into()]);
    facts.data_disk = Reading::Seen(Storage::Plain("sda2".into()));
    facts.login = Reading::Unread;
    facts.screen_locks = Reading::Unread;
    judge(&facts, &Before::default())
}

/// Two cameras that nobody accepted.
fn strange() -> PostureReport {
    let mut facts = facts();
    let camera = |place: &str| CameraSeen { name: "USB 2.0 Camera".into(), place: place.into(), is_virtual: false };
    facts.cameras =
        Reading::Seen(vec![camera("devices/pci0000:00/usb1/1-3/1-3:1.0"), camera("devices/usb2/2-1/2-1:1.0")]);
    judge(&facts, &Before { cameras: Some(vec![]), ..Before::default() })
}

fn unverified() -> PostureReport {
    let mut facts = facts();
    facts.routes_out = Reading::Unverified(vec![]);
    facts.data_disk = Reading::Unverified(Storage::Encrypted);
    judge(&facts, &Before::default())
}

fn examined() -> Doctor {
    Doctor {
        version: "0.1.0",
        system: sound().system,
        realm: "real",
        at: "2026-11-22 16:00".into(),
        vault: Health::Well,
        memory: Health::Well,
        log: LogHealth { records: 1234, health: Health::Well },
        gates: GateCounts { paired: 6, answering: 5, pending: 3, clock_drift_ms_max: 420, ..GateCounts::default() },
        reader: Health::Trouble("no card reader is connected".into()),
        cameras: vec!["HD Webcam".into()],
        engine: "yunet-2023mar+sface-2021dec/1".into(),
        models: Health::NotNow,
        machine: vec![FindingLine { check: "clock", grade: "well", what: "clock-sound", names: vec![], proven: true }],
    }
}

fn at_machine(realm: Realm, report: PostureReport) -> Staff {
    let mut staff = Staff::new(realm);
    staff.apply(StaffEvent::Unlocked { operator: "李前台".into() });
    staff.apply(StaffEvent::Posture(PostureEvent::Report(report)));
    staff.update(Message::Go(Route::Machine));
    staff
}

fn at_doctor() -> Staff {
    let mut staff = at_machine(Realm::Real, sound());
    staff.update(Message::Machine(machine::Message::DoctorPressed));
    staff.apply(StaffEvent::Posture(PostureEvent::Examined(Box::new(examined()))));
    staff
}

fn at_home(realm: Realm, report: PostureReport) -> Staff {
    let mut staff = at_machine(realm, report);
    staff.update(Message::Go(Route::Home));
    staff
}

/// Writes pictures into the folder named by `MENKA_SHOTS`; without it, draws nothing.
#[test]
fn pictures_of_the_machine_page_for_looking_at() {
    let Some(folder) = std::env::var_os("MENKA_SHOTS") else { return };
    let pages = [
        ("machine-sound", at_machine(Realm::Real, sound())),
        ("machine-troubled", at_machine(Realm::Real, troubled())),
        ("machine-unverified", at_machine(Realm::Real, unverified())),
        ("machine-practice", at_machine(Realm::Practice, troubled())),
        ("machine-strange", at_machine(Realm::Real, strange())),
        ("machine-doctor", at_doctor()),
        ("machine-banner", at_home(Realm::Real, troubled())),
    ];
    for texts in both() {
        for (name, staff) in &pages {
            for (label, size) in [("1366", LARGE), ("1024", SMALL)] {
                let mut ui = window(size, staff.view(&texts));
                let path = std::path::Path::new(&folder).join(format!("{name}-{}-{label}", texts.language().tag()));
                assert!(ui.snapshot(&theme::theme()).unwrap().matches_image(path).unwrap());
            }
        }
    }
}

#[test]
fn every_finding_has_words_and_whatever_is_not_well_says_what_to_do() {
    for texts in both() {
        for what in What::ALL {
            let finding = Finding { what: *what, names: vec!["NAME".into()], proven: true };
            let said = machine_words::finding(&texts, &finding);
            assert!(!said.what.contains(['{', '}', '$']) && said.what.chars().count() > 3, "{what:?}: {}", said.what);
            assert_eq!(said.todo.is_empty(), what.grade() == Grade::Well, "{what:?}");
            assert!(said.todo.is_empty() || is_worded(&said.todo), "{what:?}: {}", said.todo);
            let open = Finding { proven: false, ..finding };
            assert_ne!(machine_words::finding(&texts, &open).what, said.what, "{what:?}: unverified is said");
            assert_ne!(machine_words::shown_grade(&open), Grade::Well, "{what:?}");
        }
        for check in Check::ALL {
            assert!(!machine_words::check(&texts, check).contains('{'), "{check:?}");
        }
    }
}

#[test]
fn l2_each_strange_camera_has_its_button_for_whoever_answers_for_it_and_for_nobody_else() {
    for texts in both() {
        for role in Role::ALL {
            let mut staff = at_machine(Realm::Real, strange());
            let standing = Standing::Works(CivilDate::parse("2027-11-21").unwrap());
            staff.apply(StaffEvent::Operators(OperatorsEvent::Entered { role, standing }));
            staff.update(Message::Go(Route::Machine));
            let answers = matches!(role, Role::Supervisor | Role::Technician);
            let shown = |staff: &Staff, at: usize| {
                let mut ui = window(SMALL, staff.view(&texts));
                ui.find(id(if at == 0 { "camera-accept-0" } else { "camera-accept-1" })).is_ok()
            };
            assert_eq!((shown(&staff, 0), shown(&staff, 1)), (answers, answers), "{role:?}");
            if answers {
                let pressed = commands(press(&mut staff, "camera-accept-1"));
                let [StaffCommand::Posture(PostureCommand::AcceptCamera(camera))] = &pressed[..] else {
                    panic!("{pressed:?}")
                };
                assert_eq!(camera, &strange().strangers[1]);
                staff.apply(StaffEvent::Posture(PostureEvent::Report(sound())));
                assert!(!shown(&staff, 0), "accepted: the buttons are gone");
            }
        }
    }
}

#[test]
fn what_must_be_seen_to_at_once_is_on_every_page_of_a_real_site_until_it_is_over() {
    for texts in both() {
        let mut staff = at_home(Realm::Real, troubled());
        assert!(window(SMALL, staff.view(&texts)).find(id("machine-banner")).is_ok());
        assert!(matches!(staff.update(Message::Go(Route::Machine)), Action::None | Action::Go(_)));
        assert!(matches!(staff.page(), Page::Machine(_)));
        staff.apply(StaffEvent::Posture(PostureEvent::Report(sound())));
        staff.update(Message::Go(Route::Home));
        assert!(window(SMALL, staff.view(&texts)).find(id("machine-banner")).is_err());
        let practice = at_home(Realm::Practice, troubled());
        assert!(window(SMALL, practice.view(&texts)).find(id("machine-banner")).is_err(), "practice is not disturbed");
    }
}

#[test]
fn the_worst_findings_come_first() {
    for texts in both() {
        let staff = at_machine(Realm::Real, troubled());
        let mut ui = window((1366.0, 2000.0), staff.view(&texts));
        let mut top = |what: What| {
            let report = troubled();
            let finding = report.findings.iter().find(|f| f.what == what).unwrap();
            let said = machine_words::finding(&texts, finding).what;
            ui.find(said.as_str()).unwrap_or_else(|_| panic!("{said} is not shown")).bounds().y
        };
        let order = [What::RouteOut, What::DataPlain, What::LoginUnread, What::ScreenLockUnread, What::ClockSound];
        let places: Vec<f32> = order.into_iter().map(&mut top).collect();
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
    }
}

#[test]
fn looking_again_and_examining_ask_the_desk_and_wait_for_it() {
    let mut staff = at_machine(Realm::Real, troubled());
    assert!(matches!(commands(press(&mut staff, "machine-again"))[..], [StaffCommand::Posture(PostureCommand::Check)]));
    assert!(press(&mut staff, "machine-again").is_empty(), "it is being looked at");
    staff.apply(StaffEvent::Posture(PostureEvent::Report(troubled())));
    let asked = commands(press(&mut staff, "machine-doctor"));
    assert!(matches!(asked[..], [StaffCommand::Posture(PostureCommand::Examine)]));
    assert!(press(&mut staff, "doctor-save").is_empty(), "there is nothing to save yet");
}

#[test]
fn the_report_is_saved_where_staff_chose_and_nowhere_when_they_did_not() {
    let mut staff = at_doctor();
    let picks = press(&mut staff, "doctor-save");
    assert!(matches!(picks[..], [Action::PickReportPath]), "{picks:?}");
    let picked = |path: Option<&str>| Message::Machine(machine::Message::PathPicked(path.map(Into::into)));
    assert!(matches!(staff.update(picked(None)), Action::None));
    assert!(
        matches!(staff.update(picked(Some("/stick/late.txt"))), Action::None),
        "a dialog that was left saves nothing"
    );
    press(&mut staff, "doctor-save");
    let saved = commands(vec![staff.update(picked(Some("/stick/report.txt")))]);
    let [StaffCommand::Posture(PostureCommand::Save { path, text })] = &saved[..] else { panic!("{saved:?}") };
    assert_eq!(path.to_str(), Some("/stick/report.txt"));
    for line in ["0.1.0", "1234", "HD Webcam", "no card reader is connected", "时钟正常"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("李前台"), "nobody's name is in it");
}
