//! The page of gates beside each other: what differs, the button that puts it right, a replacement and who must be asked anew.

use iced_test::selector::id;
use menka::app::command::StaffCommand;
use menka::app::event::{ResidentRow, StaffEvent};
use menka::app::relay::{JoinedView, RelayCommand, RelayEvent};
use menka::domain::gate::GateStatus;
use menka::domain::id::{GateId, ResidentId};
use menka::domain::relay::{DriftKind, DriftLine, Replacement, Wedged};
use menka::domain::role::JoinWhy;
use menka::domain::time::Timestamp;
use menka::ui::staff::{self, Action, Message, Route, Staff, relay};

use super::ui_staff::{LARGE, SMALL, after, both, commands, gate, press, unlocked, window};

const BEGUN: Timestamp = Timestamp::from_ms(1_795_317_000_000);

fn gates() -> Vec<GateStatus> {
    let line = |kind, number: &str| DriftLine { kind, number: number.into() };
    let mut differs = gate(2, "西门车库");
    differs.in_step = Some(false);
    differs.drift = vec![
        line(DriftKind::FaceLeftOver, "3fa2c1d0"),
        line(DriftKind::FaceMissing, "77e01b2c"),
        line(DriftKind::FaceMissing, "90aa4410"),
        line(DriftKind::CardLeftOver, "deadbeef"),
        line(DriftKind::CardMissing, "0badcafe"),
        line(DriftKind::CardDay, "1234abcd"),
    ];
    differs.drift_count = 6;
    let mut new = gate(3, "3 栋大堂");
    (new.in_step, new.compared_at) = (None, None);
    let mut away = gate(4, "南门");
    away.reachable = false;
    vec![gate(1, "东门"), differs, new, away]
}

fn replacements() -> Vec<Replacement> {
    let one = |n: u8, name: &str, done| Replacement {
        gate: GateId::from_bytes([n; 16]),
        replaces: GateId::from_bytes([n + 100; 16]),
        name: name.into(),
        begun_at: BEGUN,
        done_at: done,
        faces: 118,
        waiting: if done.is_some() { 0 } else { 42 },
        resting: if n == 1 { 3 } else { 0 },
        not_taken: 0,
        digest: done.map(|_| [0xA7; 32]),
        signed: true,
        to_invite: 2,
    };
    vec![one(3, "3 栋大堂", None), one(1, "东门", Some(BEGUN.plus_ms(60_000)))]
}

fn troubled() -> Staff {
    let mut staff = unlocked();
    let mut gates = gates();
    gates[0].wedged = 3;
    staff.apply(StaffEvent::Gates(gates));
    staff.update(Message::Go(Route::Relay));
    staff.apply(StaffEvent::Relay(RelayEvent::Replacements(replacements())));
    let refused = |n: u8, reason: &str, count| Wedged {
        gate: GateId::from_bytes([n; 16]),
        reason: reason.into(),
        count,
        still_tried: false,
    };
    let wedged = vec![refused(1, "already expired", 2), refused(1, "read-back differs", 1)];
    staff.apply(StaffEvent::Relay(RelayEvent::Wedged(wedged)));
    let row = |n: u8, name: &str| ResidentRow {
        id: ResidentId::from_bytes([n; 16]),
        masked_name: name.into(),
        unit: format!("3-120{n}"),
        has_card: true,
    };
    let rows = vec![row(1, "王**"), row(2, "李*")];
    staff.apply(StaffEvent::Relay(RelayEvent::Invited(GateId::from_bytes([3; 16]), 0, rows)));
    staff
}

fn replacing() -> Staff {
    let mut staff = unlocked();
    staff.apply(StaffEvent::Gates(gates()));
    staff.update(Message::Go(Route::Relay));
    let open = relay::Message::ReplacePressed(Some(GateId::from_bytes([4; 16])));
    let typed = [
        open,
        relay::Message::AddressTyped("192.168.10.44:7443".into()),
        relay::Message::CodeTyped("1234 5678".into()),
    ];
    after(&mut staff, typed.map(Message::Relay));
    staff
}

/// The pages, for the tests that look at every one.
pub fn pages() -> Vec<(&'static str, Staff, Vec<&'static str>)> {
    let mut home = unlocked();
    home.apply(StaffEvent::Gates(gates()));
    vec![
        ("relay", troubled(), vec!["repair-1", "replace-0", "retry-0"]),
        ("relay-replacing", replacing(), vec!["replace-address", "replace-code", "replace-action"]),
        ("home-drift", home, vec!["drift-alarm", "drift-open", "home-search"]),
    ]
}

/// Writes pictures into the folder named by `MENKA_SHOTS`; without it, draws nothing.
#[test]
fn pictures_of_the_gates_beside_each_other_for_looking_at() {
    let Some(folder) = std::env::var_os("MENKA_SHOTS") else { return };
    for texts in both() {
        for (name, staff, _) in pages() {
            let mut ui = window((1366.0, 1300.0), staff.view(&texts));
            let path = std::path::Path::new(&folder).join(format!("{name}-{}-tall", texts.language().tag()));
            assert!(ui.snapshot(&menka::ui::theme::theme()).unwrap().matches_image(path).unwrap());
        }
    }
}

#[test]
fn a_difference_is_said_on_every_page_and_its_button_asks_for_that_gate() {
    let mut staff = unlocked();
    staff.apply(StaffEvent::Gates(vec![gate(1, "东门")]));
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find(id("drift-alarm")).is_err(), "nothing is said without reason");
    }
    staff.apply(StaffEvent::Gates(gates()));
    for texts in both() {
        for size in [LARGE, SMALL] {
            assert!(window(size, staff.view(&texts)).find(id("drift-alarm")).is_ok());
        }
    }
    let asked = press(&mut staff, "drift-open");
    assert!(matches!(commands(asked)[..], [StaffCommand::Relay(RelayCommand::Show)]));
    let asked = press(&mut staff, "repair-1");
    let second = GateId::from_bytes([2; 16]);
    assert!(matches!(commands(asked)[..], [StaffCommand::Relay(RelayCommand::Repair(gate))] if gate == second));
}

#[test]
fn a_clock_that_is_off_is_said_and_set_by_a_supervisors_press_unless_it_is_far_ahead() {
    let drifting = |ms: &[i64]| {
        let gates = ms.iter().zip(1u8..).map(|(ms, n)| GateStatus { clock_drift_ms: Some(*ms), ..gate(n, "东门") });
        let mut staff = unlocked();
        staff.apply(StaffEvent::Gates(gates.collect()));
        staff.update(Message::Go(Route::Relay));
        staff
    };
    let mut staff = drifting(&[-3_600_000, 29_999, 95_000, 121_000]);
    for texts in both() {
        let view = staff.view(&texts);
        let mut ui = window((1366.0, 1300.0), view);
        for (at, there) in [("clock-0", true), ("clock-1", false), ("clock-2", true), ("clock-3", false)] {
            assert_eq!(ui.find(id(at)).is_ok(), there, "{at}");
        }
    }
    let asked = press(&mut staff, "clock-2");
    let third = GateId::from_bytes([3; 16]);
    assert!(matches!(commands(asked)[..], [StaffCommand::Relay(RelayCommand::SetClock(gate))] if gate == third));
}

#[test]
fn what_a_gate_refused_is_said_with_what_to_do_and_sent_again_by_a_press() {
    let mut staff = troubled();
    let asked = press(&mut staff, "retry-0");
    let first = GateId::from_bytes([1; 16]);
    assert!(matches!(commands(asked)[..], [StaffCommand::Relay(RelayCommand::Retry(gate))] if gate == first));
}

#[test]
fn a_replacement_asks_for_the_two_things_it_needs_and_says_what_came_of_it() {
    let mut staff = replacing();
    let asked = press(&mut staff, "replace-action");
    let [StaffCommand::Relay(RelayCommand::Replace { old, address, code })] = &commands(asked)[..] else {
        panic!("no replacement asked for")
    };
    assert_eq!((*old, address.as_str()), (GateId::from_bytes([4; 16]), "192.168.10.44:7443"));
    assert!(code.is_some());
    // Nothing is asked for while a field is empty: the caret goes there.
    let mut empty = unlocked();
    empty.apply(StaffEvent::Gates(gates()));
    empty.update(Message::Go(Route::Relay));
    let open = relay::Message::ReplacePressed(Some(GateId::from_bytes([4; 16])));
    let actions = after(&mut empty, [Message::Relay(open), Message::Relay(relay::Message::ReplaceConfirmed)]);
    assert!(matches!(actions[..], [Action::Focus(relay::ADDRESS), Action::Focus(relay::ADDRESS)]), "{actions:?}");
    staff.apply(StaffEvent::Relay(RelayEvent::Replaced(GateId::from_bytes([4; 16]))));
    let texts = menka::i18n::Texts::new(menka::domain::notice::Language::Chinese);
    assert!(window(LARGE, staff.view(&texts)).find(id("flash")).is_ok());
    assert!(window(LARGE, staff.view(&texts)).find(id("replace-address")).is_err(), "the form is closed");
}

#[test]
fn who_must_be_asked_anew_is_shown_masked_and_only_when_asked_for() {
    let mut staff = unlocked();
    staff.apply(StaffEvent::Gates(gates()));
    staff.update(Message::Go(Route::Relay));
    staff.apply(StaffEvent::Relay(RelayEvent::Replacements(replacements())));
    let asked = after(&mut staff, [Message::Relay(relay::Message::InvitedPressed(GateId::from_bytes([3; 16]), 0))]);
    assert!(matches!(commands(asked)[..], [StaffCommand::Relay(RelayCommand::Invited(_, 0))]));
    // Sixty-one people: nobody waits behind those who do not come.
    let mut all = replacements();
    all[0].to_invite = 61;
    staff.apply(StaffEvent::Relay(RelayEvent::Replacements(all)));
    let page = |page: u32, rows: u8| {
        let row = |n: u8| ResidentRow {
            id: ResidentId::from_bytes([n; 16]),
            masked_name: "王**".into(),
            unit: format!("3-{n}"),
            has_card: true,
        };
        StaffEvent::Relay(RelayEvent::Invited(GateId::from_bytes([3; 16]), page, (0..rows).map(row).collect()))
    };
    let texts = menka::i18n::Texts::new(menka::domain::notice::Language::Chinese);
    // A page as long as it takes: the list stands below the gates.
    let press = |staff: &mut Staff, what: &'static str| {
        let messages: Vec<Message> = {
            let mut ui = window((LARGE.0, 3_000.0), staff.view(&texts));
            ui.click(id(what)).unwrap();
            ui.into_messages().collect()
        };
        after(staff, messages)
    };
    staff.apply(page(0, 4));
    let asked = commands(press(&mut staff, "invited-after-0"));
    assert!(matches!(asked[..], [StaffCommand::Relay(RelayCommand::Invited(_, 1))]), "{asked:?}");
    staff.apply(page(1, 4));
    let asked = commands(press(&mut staff, "invited-before-0"));
    assert!(matches!(asked[..], [StaffCommand::Relay(RelayCommand::Invited(_, 0))]), "{asked:?}");
    assert_eq!(commands(press(&mut staff, "invited-after-0")).len(), 0, "that was the last page");
    let mut staff = troubled();
    let open = relay::Message::OpenPressed(ResidentId::from_bytes([2; 16]));
    let asked = commands(after(&mut staff, [Message::Relay(open)]));
    assert!(matches!(asked[..], [StaffCommand::OpenResident(who, _)] if who == ResidentId::from_bytes([2; 16])));
}

#[test]
fn whose_number_it_is_is_asked_with_a_reason_only_and_the_answer_goes_with_the_page() {
    use relay::Message as M;
    use staff::whose::Message as W;
    let mut staff = troubled();
    let give = |staff: &mut Staff, message| staff.update(Message::Relay(M::Whose(message)));
    give(&mut staff, W::Typed("3fa2c1d0".into()));
    assert!(matches!(give(&mut staff, W::Asked), Action::Focus(_)), "no reason is chosen beforehand");
    give(&mut staff, W::WhyPressed(JoinWhy::Repair));
    let asked = give(&mut staff, W::Asked);
    let Action::Ask(StaffCommand::Relay(RelayCommand::WhoseNumber { digits, why })) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!((digits.as_str(), why), ("3fa2c1d0", JoinWhy::Repair));
    let one = JoinedView { number: "3fa2c1d0-0000".into(), name: "王小明".into(), unit: "3-1201".into() };
    staff.apply(StaffEvent::Relay(RelayEvent::Joined(vec![one])));
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find("王小明").is_ok());
    }
    staff.update(Message::Go(Route::Home));
    staff.update(Message::Go(Route::Relay));
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find("王小明").is_err(), "nothing is kept");
    }
}
