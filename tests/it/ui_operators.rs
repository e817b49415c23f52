//! The pages about accounts: lock screen with a choice, recovery, rules, sheet, people, approval, looks; both languages, both sizes.

use std::sync::Arc;

use iced::{Element, Size};
use iced_test::Simulator;
use iced_test::selector::id;
use menka::app::command::StaffCommand;
use menka::app::event::{Failure, StaffEvent};
use menka::app::operators::{AccountView, Concerned, DoorView, LooksRow, LooksWeek, OperatorsCommand, OperatorsEvent};
use menka::domain::Realm;
use menka::domain::approval::Act;
use menka::domain::id::{GateId, ResidentId, StaffId};
use menka::domain::notice::Language;
use menka::domain::role::{JoinWhy, Role};
use menka::domain::site::Fact;
use menka::domain::time::{CivilDate, Timestamp};
use menka::domain::training::Standing;
use menka::i18n::Texts;
use menka::notice::{self, Text, Values};
use menka::secret::{RecoveryKey, Typed};
use menka::ui::staff::{self, AccountPaper, Action, Message, Route, Staff};
use menka::ui::{theme, words};

use crate::ui_staff::settings;

const LARGE: (f32, f32) = (1366.0, 768.0);
const SMALL: (f32, f32) = (1024.0, 600.0);

fn window<'a>(size: (f32, f32), view: Element<'a, Message>) -> Simulator<'a, Message> {
    Simulator::with_size(settings(), Size::new(size.0, size.1), view)
}

fn both() -> [Texts; 2] {
    [Texts::new(Language::Chinese), Texts::new(Language::English)]
}

fn account(n: u8) -> StaffId {
    StaffId::from_bytes([n; 16])
}

fn day(text: &str) -> CivilDate {
    CivilDate::parse(text).unwrap()
}

fn works() -> Standing {
    Standing::Works(day("2027-11-21"))
}

fn tell(staff: &mut Staff, event: OperatorsEvent) -> Action {
    staff.apply(StaffEvent::Operators(event))
}

fn door() -> Vec<DoorView> {
    let view = |n: u8, name: &str, role, wait_ms| DoorView { id: account(n), name: name.into(), role, wait_ms };
    vec![
        view(1, "主管甲", Role::Supervisor, 0),
        view(2, "李前台", Role::FrontDesk, 0),
        view(3, "主管乙", Role::Supervisor, 32_000),
    ]
}

fn locked() -> Staff {
    let mut staff = Staff::new(Realm::Real);
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    tell(&mut staff, OperatorsEvent::AtTheDoor(door()));
    staff
}

fn entered(role: Role, standing: Standing) -> Staff {
    let mut staff = Staff::new(Realm::Real);
    staff.apply(StaffEvent::Unlocked { operator: "主管甲".into() });
    tell(&mut staff, OperatorsEvent::Entered { role, standing });
    staff
}

fn list() -> Vec<AccountView> {
    let view = |n: u8, name: &str, role, disabled, standing| AccountView {
        id: account(n),
        name: name.into(),
        role,
        disabled,
        own: n == 1,
        trained_on: Some(day("2026-11-22")),
        signed_on: None,
        standing,
        slot_missing: false,
    };
    vec![
        view(1, "主管甲", Role::Supervisor, false, works()),
        view(2, "李前台", Role::FrontDesk, false, Standing::RulesUnsigned),
        view(3, "主管乙", Role::Supervisor, false, Standing::TrainingMissing),
        view(4, "技术员小陈", Role::Technician, true, works()),
    ]
}

fn people(approvers: usize) -> Staff {
    let mut staff = entered(Role::Supervisor, works());
    staff.update(Message::Go(Route::Operators));
    tell(&mut staff, OperatorsEvent::Accounts(list(), approvers));
    staff
}

fn rules() -> Staff {
    let mut staff = entered(Role::FrontDesk, Standing::RulesUnsigned);
    let text = notice::render(Text::InternalRules, Language::Chinese, &Values::new()).unwrap();
    tell(&mut staff, OperatorsEvent::Rules(Arc::new(text)));
    staff
}

fn new_account() -> Concerned {
    Concerned::Account { name: "李前台".into(), role: Role::FrontDesk }
}

/// One of every kind, with a part of what must be read on the page.
fn every_kind() -> Vec<(Act, Concerned, &'static str)> {
    let (resident, gate) = (ResidentId::from_bytes([5; 16]), GateId::from_bytes([6; 16]));
    let chief = || Concerned::Account { name: "王主管".into(), role: Role::Supervisor };
    let happened_at = Timestamp::from_ms(1_795_276_800_000);
    let receiver = |number: &str| Concerned::Receiver { name: "公安局".into(), case_number: number.into() };
    vec![
        (Act::AddAccount(Role::FrontDesk), new_account(), "李前台"),
        (Act::ResetPassphrase(account(2)), chief(), "王主管"),
        (Act::DisableAccount(account(2)), chief(), "王主管"),
        (Act::MinorRecord(resident), Concerned::Person { masked: "周**".into(), unit: "9-101".into() }, "9-101"),
        (Act::RepairGate(gate), Concerned::Gate("东门".into()), "东门"),
        (Act::ReplaceGate(gate), Concerned::Gate("东门".into()), "东门"),
        (Act::RetireGate(gate), Concerned::Gate("东门".into()), "东门"),
        (Act::ResumeFaces(Some(gate)), Concerned::Gate("东门".into()), "东门"),
        (Act::IncidentLetters(3), Concerned::Incident { number: 3, happened_at }, "3"),
        (Act::ExportLog, receiver("沪公-17"), "沪公-17"),
        (Act::EndSite, receiver(""), "公安局"),
        (Act::JoinNumber(7), Concerned::Reason(JoinWhy::Complaint), ""),
    ]
}

#[test]
fn p51_4_the_second_person_reads_whom_it_is_about_before_they_type() {
    for texts in both() {
        for (act, about, read) in every_kind() {
            let mut staff = people(1);
            let by = vec![(account(3), "主管乙".into())];
            let words = words::concerned(&texts, &about).unwrap();
            assert!(words.contains(read), "{act:?}: {words}");
            tell(&mut staff, OperatorsEvent::ApprovalAsked { act, by, about });
            for size in [LARGE, SMALL] {
                let mut ui = window(size, staff.view(&texts));
                assert!(ui.find(id("approve-about")).is_ok(), "{act:?}");
                let text = ui.find(words.as_str()).unwrap_or_else(|_| panic!("{act:?}: {words}"));
                assert!(text.visible_bounds().is_some(), "{act:?}");
            }
        }
    }
}

#[test]
fn a_slot_that_was_taken_out_is_an_alarm_on_every_page() {
    let mut staff = people(1);
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find(id("slots-alarm")).is_err());
    }
    tell(&mut staff, OperatorsEvent::SlotsMissing(vec!["主管乙".into()]));
    for route in [Route::Home, Route::Mine, Route::Operators] {
        staff.update(Message::Go(route));
        for texts in both() {
            assert!(window(LARGE, staff.view(&texts)).find(id("slots-alarm")).is_ok(), "{route:?}");
        }
    }
    tell(&mut staff, OperatorsEvent::SlotsMissing(vec![]));
    assert!(window(LARGE, staff.view(&Texts::new(Language::Chinese))).find(id("slots-alarm")).is_err());
}

fn asked() -> Staff {
    let mut staff = people(1);
    let by = vec![(account(3), "主管乙".into())];
    tell(&mut staff, OperatorsEvent::ApprovalAsked { act: Act::AddAccount(Role::FrontDesk), by, about: new_account() });
    staff
}

/// Every page, with the ids of what can be pressed there at once.
fn pages() -> Vec<(&'static str, Staff, Vec<&'static str>)> {
    use staff::operators::Message as O;
    use staff::unlock::Message as U;
    let mut waiting = locked();
    waiting.update(Message::Unlock(U::AccountChosen(account(3))));
    let mut recover = locked();
    recover.update(Message::Unlock(U::RecoverPressed(true)));
    recover.update(Message::Unlock(U::KeyTyped(Typed::new("00000-00000".into()))));
    recover.update(Message::Unlock(U::RecoverConfirmed));
    let mut curtain = entered(Role::Supervisor, works());
    tell(&mut curtain, OperatorsEvent::Curtain(door()));
    let mut sheet = entered(Role::Supervisor, Standing::TrainingMissing);
    // A fixed one, so that pictures do not differ from run to run; it opens nothing.
    tell(
        &mut sheet,
        OperatorsEvent::RecoverySheet(Typed::new("4H7KD-Q2M9X-7TRW0-AB3CE-5FGJN-9PSV2-X6Y8Z-1D4H7".into())),
    );
    let mut counting = people(1);
    tell(&mut counting, OperatorsEvent::LocksIn(Some(7)));
    let mut visit = people(1);
    visit.apply(StaffEvent::ResidentBusy(true));
    tell(&mut visit, OperatorsEvent::LocksIn(Some(27)));
    let mut camera = people(1);
    camera.apply(StaffEvent::ResidentBusy(true));
    tell(&mut camera, OperatorsEvent::LocksIn(Some(0)));
    let mut adding = people(1);
    adding.update(Message::Operators(O::AddPressed(true)));
    adding.update(Message::Operators(O::SavePressed));
    let mut changing = people(1);
    changing.update(Message::Operators(O::RowPressed(Some(account(2)))));
    let mut resetting = people(1);
    let by = vec![(account(3), "主管乙".into())];
    let (act, about, _) = every_kind().remove(1);
    tell(&mut resetting, OperatorsEvent::ApprovalAsked { act, by, about });
    let mut taken_out = entered(Role::Supervisor, works());
    taken_out.update(Message::Go(Route::Operators));
    let mut rows = list();
    rows[2].slot_missing = true;
    tell(&mut taken_out, OperatorsEvent::Accounts(rows, 1));
    tell(&mut taken_out, OperatorsEvent::SlotsMissing(vec!["主管乙".into()]));
    let mut refused = asked();
    tell(&mut refused, OperatorsEvent::ApprovalRefused { wait_ms: 4_000 });
    let mut looks = entered(Role::Auditor, works());
    let row = |name: &str, role, by_why: [u32; 4], taps| {
        let all = by_why.iter().sum::<u32>() + taps;
        LooksRow {
            name: name.into(),
            role,
            taps,
            by_why,
            all,
            people: all / 2,
            given: taps / 5,
            requests: 2,
            searches: all * 2,
            joined: taps / 20,
            bulk: taps / 10,
        }
    };
    let rows = vec![
        row("李前台", Role::FrontDesk, [31, 12, 4, 19], 22),
        row("主管甲", Role::Supervisor, [3, 1, 2, 0], 5),
        row("主管乙", Role::Supervisor, [0, 0, 0, 0], 0),
    ];
    tell(&mut looks, OperatorsEvent::Looks { weeks: 1, from: day("2026-11-09"), until: day("2026-11-15"), rows });
    let mut mine = entered(Role::FrontDesk, works());
    mine.update(Message::Go(Route::Mine));
    let mut technician = entered(Role::Technician, works());
    technician.apply(StaffEvent::Failed(Failure::NotYourRole));
    vec![
        (
            "accounts-unlock",
            locked(),
            vec!["unlock-account-0", "unlock-account-2", "unlock-passphrase", "unlock-action", "unlock-recover"],
        ),
        ("accounts-unlock-wait", waiting, vec!["unlock-wait", "unlock-action", "unlock-account-0"]),
        ("accounts-recover", recover, vec!["recover-key", "recover-new", "recover-repeat", "recover-action"]),
        (
            "accounts-curtain",
            curtain,
            vec!["unlock-account-0", "unlock-account-2", "unlock-passphrase", "unlock-action", "unlock-close"],
        ),
        ("accounts-sheet", sheet, vec!["sheet-key", "sheet-save", "sheet-tick", "sheet-done"]),
        ("accounts-rules", rules(), vec!["rules-scroll", "rules-name", "rules-sign", "lock"]),
        (
            "accounts-untrained",
            entered(Role::FrontDesk, Standing::TrainingMissing),
            vec!["untrained", "untrained-lock", "lock"],
        ),
        ("accounts-people", people(0), vec!["accounts-add", "accounts-alone", "accounts-recovery", "account-row-1"]),
        ("accounts-counting", counting, vec!["locks-in", "accounts-add", "lock"]),
        ("accounts-counting-visit", visit, vec!["locks-in", "stop", "lock"]),
        ("accounts-counting-camera", camera, vec!["locks-in", "stop", "lock"]),
        ("accounts-add", adding, vec!["account-name", "account-role-auditor"]),
        ("accounts-change", changing, vec!["account-train", "account-trained"]),
        ("accounts-approve", asked(), vec!["approve-by-0", "approve-passphrase", "approve-yes", "approve-no"]),
        (
            "accounts-approve-reset",
            resetting,
            vec!["approve-about", "approve-by-0", "approve-passphrase", "approve-yes", "approve-no"],
        ),
        ("accounts-slot-missing", taken_out, vec!["slots-alarm", "accounts-add", "account-row-1"]),
        ("accounts-approve-wait", refused, vec!["approve-passphrase", "approve-no"]),
        ("accounts-looks", looks, vec!["looks-older", "looks-newer", "looks-save", "go-looks"]),
        ("accounts-mine", mine, vec!["mine-old", "mine-new", "mine-repeat", "mine-save", "go-home"]),
        ("accounts-technician", technician, vec!["go-home", "lock", "flash"]),
    ]
}

/// Writes pictures of every page into the folder named by `MENKA_SHOTS`; without it, draws nothing.
#[test]
fn pictures_of_every_page_about_accounts_for_looking_at() {
    let Some(folder) = std::env::var_os("MENKA_SHOTS") else { return };
    for texts in both() {
        for (name, staff, _) in pages() {
            for (label, size) in [("1366", LARGE), ("1024", SMALL)] {
                let mut ui = window(size, staff.view(&texts));
                let path = std::path::Path::new(&folder).join(format!("{name}-{}-{label}", texts.language().tag()));
                assert!(ui.snapshot(&theme::theme()).unwrap().matches_image(path).unwrap());
            }
        }
    }
}

#[test]
fn every_page_about_accounts_shows_its_actions_in_both_languages_and_both_sizes() {
    for texts in both() {
        for (name, staff, ids) in pages() {
            for size in [LARGE, SMALL] {
                let mut ui = window(size, staff.view(&texts));
                for what in &ids {
                    let found = ui.find(id(*what)).unwrap_or_else(|_| panic!("{name}: {what} is not there"));
                    let seen = found.visible_bounds().unwrap_or_else(|| panic!("{name}: {what} is out of sight"));
                    let whole = found.bounds();
                    assert!(seen.width >= whole.width - 1.0 && seen.height >= whole.height / 2.0, "{name}: {what}");
                    assert!(whole.x >= 0.0 && whole.x + whole.width <= size.0, "{name}: {what} is cut off");
                }
            }
        }
    }
}

fn command(action: Action) -> OperatorsCommand {
    match action {
        Action::Ask(StaffCommand::Operators(command)) => command,
        other => panic!("{other:?}"),
    }
}

#[test]
fn p51_1_the_rules_are_signed_only_after_their_end_was_on_screen() {
    use staff::rules::Message as R;
    let mut staff = rules();
    let say = |staff: &mut Staff, message| staff.update(Message::Rules(message));
    say(&mut staff, R::NameTyped("李前台".into()));
    assert!(matches!(say(&mut staff, R::SignPressed), Action::None));
    assert!(matches!(say(&mut staff, R::Scrolled(false)), Action::None));
    assert!(matches!(command(say(&mut staff, R::Scrolled(true))), OperatorsCommand::RulesReachedEnd));
    assert!(matches!(say(&mut staff, R::EndShown), Action::None), "told once");
    let signed = command(say(&mut staff, R::SignPressed));
    assert!(matches!(signed, OperatorsCommand::SignRules(name) if name == "李前台"));
    // In another language it is another text: read again.
    let text = notice::render(Text::InternalRules, Language::English, &Values::new()).unwrap();
    tell(&mut staff, OperatorsEvent::Rules(Arc::new(text)));
    assert!(matches!(say(&mut staff, R::SignPressed), Action::None));
}

#[test]
fn the_account_that_was_chosen_stays_chosen_after_a_wrong_passphrase() {
    use staff::unlock::Message as U;
    let mut staff = locked();
    staff.update(Message::Unlock(U::AccountChosen(account(2))));
    staff.update(Message::Unlock(U::PassphraseTyped(Typed::new("not the passphrase".into()))));
    let first = staff.update(Message::Unlock(U::UnlockPressed));
    assert!(matches!(first, Action::Ask(StaffCommand::Unlock { account: Some(who), .. }) if who == account(2)));
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    tell(&mut staff, OperatorsEvent::AtTheDoor(door()));
    staff.apply(StaffEvent::Failed(Failure::WrongPassphrase { wait_ms: 0 }));
    staff.update(Message::Unlock(U::PassphraseTyped(Typed::new("the right one this time".into()))));
    let second = staff.update(Message::Unlock(U::UnlockPressed));
    assert!(matches!(second, Action::Ask(StaffCommand::Unlock { account: Some(who), .. }) if who == account(2)));
}

#[test]
fn a_recovery_names_the_wrong_group_and_moves_the_key_out_of_the_page() {
    use staff::unlock::Message as U;
    let key = RecoveryKey::make().shown();
    let mut staff = locked();
    let say = |staff: &mut Staff, message| staff.update(Message::Unlock(message));
    say(&mut staff, U::RecoverPressed(true));
    let mistyped = key.as_str().replacen('-', "-%", 1);
    say(&mut staff, U::KeyTyped(Typed::new(mistyped)));
    say(&mut staff, U::NewTyped(Typed::new("a long enough new one".into())));
    say(&mut staff, U::RepeatTyped(Typed::new("a long enough new one".into())));
    assert!(matches!(say(&mut staff, U::RecoverConfirmed), Action::Focus(_)));
    say(&mut staff, U::KeyTyped(key.clone()));
    let asked = command(say(&mut staff, U::RecoverConfirmed));
    assert!(matches!(asked, OperatorsCommand::Recover(who, typed, passphrase)
        if who == account(1) && typed == key && passphrase.chars() == 21));
    assert!(matches!(say(&mut staff, U::RecoverConfirmed), Action::Focus(_)), "the page holds it no more");
}

#[test]
fn the_sheet_stays_until_somebody_says_that_it_is_put_away_and_nothing_of_it_is_left() {
    use staff::sheet::Message as S;
    let mut staff = entered(Role::Supervisor, Standing::TrainingMissing);
    tell(&mut staff, OperatorsEvent::RecoverySheet(Typed::new("AAAAA-BBBBB".into())));
    assert!(!format!("{staff:?}").contains("AAAAA"));
    assert!(matches!(staff.update(Message::Sheet(S::DonePressed)), Action::None));
    assert!(matches!(staff.update(Message::Sheet(S::SavePressed)), Action::SaveSheet(AccountPaper::RecoverySheet)));
    staff.update(Message::Sheet(S::Ticked(true)));
    assert!(matches!(command(staff.update(Message::Sheet(S::DonePressed))), OperatorsCommand::RecoveryKept));
    // The rules come next.
    let next = tell(&mut staff, OperatorsEvent::RecoverySheetOver);
    assert!(matches!(command(next), OperatorsCommand::ReadRules(Language::Chinese)));
}

#[test]
fn an_approval_stands_before_the_page_until_it_is_answered() {
    use staff::approve::Message as A;
    let mut staff = asked();
    let texts = Texts::new(Language::Chinese);
    assert!(window(LARGE, staff.view(&texts)).find(id("accounts-add")).is_err(), "the page is not there meanwhile");
    assert!(matches!(staff.update(Message::Approve(A::ApprovePressed)), Action::None), "nothing typed");
    staff.update(Message::Approve(A::Typed(Typed::new("the passphrase of 主管乙".into()))));
    let asked = command(staff.update(Message::Approve(A::ApprovePressed)));
    assert!(matches!(asked, OperatorsCommand::Approve(by, _) if by == account(3)));
    assert!(matches!(command(staff.update(Message::Approve(A::DropPressed))), OperatorsCommand::ApproveNot));
    tell(&mut staff, OperatorsEvent::ApprovalOver);
    assert!(window(LARGE, staff.view(&texts)).find(id("accounts-add")).is_ok());
}

#[test]
fn p51_4_each_role_is_offered_its_own_pages_only() {
    let texts = Texts::new(Language::Chinese);
    let offered = |role| {
        let staff = entered(role, works());
        let mut ui = window(LARGE, staff.view(&texts));
        let all = ["go-home", "go-settings", "go-people", "go-looks", "go-machine", "go-mine", "home-search", "lock"];
        all.into_iter().filter(|what| ui.find(id(*what)).is_ok()).collect::<Vec<_>>()
    };
    let chief = ["go-home", "go-settings", "go-people", "go-mine", "home-search", "lock"];
    assert_eq!(offered(Role::Supervisor), chief);
    assert_eq!(offered(Role::FrontDesk), ["go-home", "go-machine", "go-mine", "home-search", "lock"]);
    assert_eq!(offered(Role::Technician), ["go-home", "go-machine", "go-mine", "lock"]);
    assert_eq!(offered(Role::Auditor), ["go-looks", "go-mine", "lock"]);
}

#[test]
fn who_may_not_pair_or_set_up_is_not_led_there() {
    let texts = Texts::new(Language::Chinese);
    let settings = ["home-pair", "why-facts", "why-assessment", "why-gates", "why-machine"];
    let offered = |role| {
        let mut staff = entered(role, works());
        let mut found = vec![];
        for route in [Route::Home, Route::WhyOff] {
            staff.update(Message::Go(route));
            let mut ui = window(LARGE, staff.view(&texts));
            found.extend(settings.into_iter().filter(|what| ui.find(id(*what)).is_ok()));
        }
        found
    };
    assert_eq!(offered(Role::Supervisor), settings);
    assert_eq!(offered(Role::FrontDesk), ["why-machine"]);
    assert_eq!(offered(Role::Technician), ["why-machine"]);
}

#[test]
fn from_an_open_record_the_people_page_asks_once_the_record_is_closed() {
    let mut staff = entered(Role::Supervisor, works());
    staff.update(Message::Go(Route::Operators));
    assert!(matches!(command(staff.apply(StaffEvent::Closed)), OperatorsCommand::Show));
    tell(&mut staff, OperatorsEvent::Accounts(list(), 1));
    assert!(matches!(staff.apply(StaffEvent::Closed), Action::None));
}

#[test]
fn moving_the_mouse_tells_the_desk_and_a_locked_screen_forgets_the_list() {
    let mut staff = people(1);
    assert!(matches!(command(staff.update(Message::Awake)), OperatorsCommand::Awake));
    tell(&mut staff, OperatorsEvent::LocksIn(Some(3)));
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    assert!(!format!("{staff:?}").contains("技术员小陈"));
}

#[test]
fn the_second_person_sees_what_of_the_facts_would_change() {
    let mut staff = asked();
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find(id("approve-changed")).is_err());
    }
    let by = vec![(account(3), "主管乙".into())];
    tell(&mut staff, OperatorsEvent::ApprovalAsked { act: Act::ChangeSite, by, about: Concerned::Site });
    let changed = vec![(Fact::ContactPhone, "021-60000001".to_owned()), (Fact::DeskHours, String::new())];
    tell(&mut staff, OperatorsEvent::ApprovalAbout(changed));
    for texts in both() {
        let mut ui = window(LARGE, staff.view(&texts));
        for seen in ["approve-changed", "approve-passphrase", "approve-yes"] {
            assert!(ui.find(id(seen)).is_ok(), "{seen}");
        }
        assert!(ui.find("021-60000001").is_ok());
    }
}

#[test]
fn a_name_beside_a_number_is_said_on_every_page_until_a_supervisor_has_looked_and_last_week_on_the_home_page() {
    for role in [Role::FrontDesk, Role::Supervisor] {
        let mut staff = entered(role, works());
        let due =
            |staff: &Staff| window(LARGE, staff.view(&Texts::new(Language::Chinese))).find(id("looks-due")).is_ok();
        assert!(!due(&staff));
        tell(&mut staff, OperatorsEvent::LooksDue(Some(LooksWeek { from: day("2026-11-02"), weeks: 3 })));
        assert_eq!(due(&staff), role == Role::Supervisor, "who may look is reminded");
        if role == Role::Supervisor {
            let texts = Texts::new(Language::English);
            let words = "No supervisor has looked at the sheet of looks of the week from 2026-11-02 yet.";
            assert!(window(LARGE, staff.view(&texts)).find(words).is_ok());
            let Action::Ask(StaffCommand::Operators(OperatorsCommand::ShowLooks(3))) =
                staff.update(Message::Go(Route::Looks))
            else {
                panic!("not to the week that waits");
            };
            staff.update(Message::Go(Route::Home));
        }
        tell(&mut staff, OperatorsEvent::Joins(Some((2, day("2026-11-20")))));
        for route in [Route::Home, Route::Mine] {
            staff.update(Message::Go(route));
            for texts in both() {
                assert!(window(LARGE, staff.view(&texts)).find(id("joins-alarm")).is_ok(), "{route:?}");
            }
        }
        tell(&mut staff, OperatorsEvent::Joins(None));
        assert!(window(LARGE, staff.view(&Texts::new(Language::Chinese))).find(id("joins-alarm")).is_err());
    }
}
