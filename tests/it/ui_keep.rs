//! The pages about backups and keys: every state, both languages, both sizes; what is pressed asks for the right thing.

use iced::{Element, Size};
use iced_test::Simulator;
use iced_test::selector::id;
use menka::app::command::StaffCommand;
use menka::app::event::{Failure, StaffEvent};
use menka::app::keep::{
    BackupReport, BackupRow, ComputerView, KeepCommand, KeepFailure, KeepTold, KeepView, KeeperView, RestoreReport,
};
use menka::app::operators::{DoorView, OperatorsEvent};
use menka::domain::Realm;
use menka::domain::id::StaffId;
use menka::domain::notice::Language;
use menka::domain::role::Role;
use menka::domain::time::{CivilDate, Timestamp};
use menka::domain::training::Standing;
use menka::i18n::Texts;
use menka::secret::{RecoveryKey, RecoveryKeyFault, Typed};
use menka::ui::staff::keep::{Message as K, Pick};
use menka::ui::staff::{Action, Message, Route, Staff};
use menka::ui::theme;

use crate::ui_staff::{press, settings};

const LARGE: (f32, f32) = (1366.0, 768.0);
const SMALL: (f32, f32) = (1024.0, 600.0);
const AT: Timestamp = Timestamp::from_ms(1_795_276_800_000);

fn window<'a>(size: (f32, f32), view: Element<'a, Message>) -> Simulator<'a, Message> {
    Simulator::with_size(settings(), Size::new(size.0, size.1), view)
}

fn tell(staff: &mut Staff, told: KeepTold) {
    staff.apply(StaffEvent::Keep(told));
}

fn inside() -> Staff {
    let mut staff = Staff::new(Realm::Real);
    staff.apply(StaffEvent::Unlocked { operator: "主管甲".into() });
    let standing = Standing::Works(CivilDate::parse("2027-11-21").unwrap());
    staff.apply(StaffEvent::Operators(OperatorsEvent::Entered { role: Role::Supervisor, standing }));
    staff.update(Message::Go(Route::Keep));
    staff
}

fn keeper(name: &str, newest: Option<bool>) -> KeeperView {
    KeeperView { name: name.into(), newest }
}

fn at(view: KeepView) -> Staff {
    let mut staff = inside();
    tell(&mut staff, KeepTold::View(Box::new(view)));
    staff
}

fn good() -> KeepView {
    KeepView {
        key_made_at: Some(AT),
        backups: vec![BackupRow {
            made_at: AT,
            people: 1_284,
            bytes: 9_400_000,
            drilled_at: Some(AT),
            drill_failed_at: None,
            opens: true,
        }],
        keepers: vec![keeper("东门", Some(true)), keeper("西门", Some(true))],
        keys_changed_at: Some(AT),
        restored_at: None,
        unheard: vec![],
        keys_advised: false,
        computer: ComputerView::Free,
    }
}

fn report() -> RestoreReport {
    RestoreReport {
        made_at: AT,
        people: 1_281,
        records: 20_111,
        lost: Some(37),
        erased: 3,
        faces: 5,
        cards: 7,
        closed: 4,
        accounts: 1,
        gates: 2,
        stopped: true,
        recovery_void: true,
        sound: true,
        ..RestoreReport::default()
    }
}

fn drilling() -> Staff {
    let mut staff = at(good());
    staff.update(Message::Keep(K::DrillPressed(true)));
    let path = Some("/media/stick/menka-backup-202611220930-a1b2c3".into());
    staff.update(Message::Keep(K::Picked(Pick::From, Language::Chinese, path)));
    staff.update(Message::Keep(K::KeyTyped(Typed::new("4H7KD-Q2M9X".into()))));
    staff
}

#[test]
fn where_nobody_is_known_who_could_unlock_a_backup_can_still_be_restored() {
    // As the desk tells it while the slots file cannot be read.
    let mut staff = Staff::new(Realm::Real);
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    staff.apply(StaffEvent::Operators(OperatorsEvent::AtTheDoor(vec![])));
    staff.apply(StaffEvent::Failed(Failure::VaultDamaged("slots".into())));
    for texts in [Texts::new(Language::Chinese), Texts::new(Language::English)] {
        for size in [LARGE, SMALL] {
            let mut ui = window(size, staff.view(&texts));
            assert!(ui.find(id("unlock-passphrase")).is_err(), "there is no passphrase to ask for");
            assert!(ui.find(id("flash")).is_ok());
            let seen = ui.find(id("unlock-restore")).unwrap();
            assert_eq!(seen.visible_bounds(), Some(seen.bounds()), "the way that is left is in sight");
        }
    }
    press(&mut staff, "unlock-restore");
    let texts = Texts::new(Language::Chinese);
    assert!(window(LARGE, staff.view(&texts)).find(id("restore-back")).is_ok());
}

fn restoring(first: bool) -> Staff {
    let mut staff = Staff::new(Realm::Real);
    if first {
        staff.apply(StaffEvent::FirstRun);
    } else {
        staff.apply(StaffEvent::Locked { wait_ms: 0 });
        let account =
            DoorView { id: StaffId::from_bytes([1; 16]), name: "主管甲".into(), role: Role::Supervisor, wait_ms: 0 };
        staff.apply(StaffEvent::Operators(OperatorsEvent::AtTheDoor(vec![account])));
    }
    staff.update(Message::Go(Route::Restore));
    staff
}

/// Every page, with the ids of what must be in sight at once.
fn pages() -> Vec<(&'static str, Staff, Vec<&'static str>)> {
    let mut some = good();
    some.keepers[1].newest = Some(false);
    some.backups[0].drilled_at = None;
    let mut failed = good();
    failed.backups[0].drill_failed_at = Some(AT.plus_ms(1));
    let mut void = good();
    void.backups[0].opens = false;
    void.restored_at = Some(AT);
    let mut sheet = at(KeepView::default());
    // A fixed one, so that pictures do not differ from run to run; it opens nothing.
    tell(&mut sheet, KeepTold::Sheet(Typed::new("4H7KD-Q2M9X-7TRW0-AB3CE-5FGJN-9PSV2-X6Y8Z-1D4H7".into())));
    let mut backed_up = at(good());
    let name = "menka-backup-202611220930-a1b2c3".to_owned();
    tell(&mut backed_up, KeepTold::BackedUp(BackupReport { name, bytes: 9_400_000, people: 1_284, records: 20_148 }));
    let mut drilled = at(good());
    tell(&mut drilled, KeepTold::Drilled(report()));
    let mut unsound = at(good());
    tell(&mut unsound, KeepTold::Drilled(RestoreReport { sound: false, ..report() }));
    let mut nowhere = drilling();
    nowhere.apply(StaffEvent::Failed(Failure::Keep(KeepFailure::KeptNowhere)));
    let mut mistyped = restoring(true);
    mistyped.apply(StaffEvent::Failed(Failure::Keep(KeepFailure::Key(RecoveryKeyFault::Group(3)))));
    let mut restored = restoring(false);
    restored.apply(StaffEvent::Locked { wait_ms: 0 });
    tell(&mut restored, KeepTold::Restored(report()));
    let since = KeepView { backups: vec![], restored_at: Some(AT), ..good() };
    let mut changing = restoring(false);
    changing.apply(StaffEvent::Locked { wait_ms: 0 });
    tell(&mut changing, KeepTold::Changing);
    let mut other_chip = restoring(false);
    other_chip.apply(StaffEvent::Locked { wait_ms: 0 });
    other_chip.apply(StaffEvent::Failed(Failure::Keep(KeepFailure::ChipOther)));
    let mut bound = restoring(false);
    bound.apply(StaffEvent::Locked { wait_ms: 0 });
    tell(&mut bound, KeepTold::Bound);
    vec![
        ("keep-none", at(KeepView::default()), vec!["keep-last", "keep-back-up", "keep-drill"]),
        ("keep-good", at(good()), vec!["keep-last", "keep-back-up", "keep-drill"]),
        ("keep-some", at(some), vec!["keep-last", "keep-back-up", "keep-drill"]),
        ("keep-drill-failed", at(failed), vec!["keep-last", "keep-back-up", "keep-drill"]),
        ("keep-void", at(void), vec!["keep-restored", "keep-last", "keep-back-up"]),
        ("keep-none-since", at(since), vec!["keep-restored", "keep-last", "keep-back-up"]),
        ("keep-sheet", sheet, vec!["keep-sheet-key", "keep-sheet-save", "keep-sheet-tick", "keep-sheet-done"]),
        ("keep-backed-up", backed_up, vec!["flash", "keep-last"]),
        ("keep-drilling", drilling(), vec!["keep-pick", "keep-key", "keep-try"]),
        ("keep-nowhere", nowhere, vec!["flash", "keep-pick", "keep-key"]),
        ("keep-drilled", drilled, vec!["flash", "keep-last"]),
        ("keep-unsound", unsound, vec!["flash", "keep-last"]),
        ("keep-restore", restoring(false), vec!["restore-old", "keep-pick", "keep-key", "restore-action"]),
        ("keep-mistyped", mistyped, vec!["flash", "keep-pick", "keep-key"]),
        ("keep-restored", restored, vec!["flash", "unlock-passphrase"]),
        ("keep-changing", changing, vec!["flash", "unlock-passphrase"]),
        ("keep-other-chip", other_chip, vec!["flash", "unlock-passphrase"]),
        ("keep-bound", bound, vec!["flash", "unlock-passphrase"]),
    ]
}

/// Writes pictures of every page into the folder named by `MENKA_SHOTS`; without it, draws nothing.
#[test]
fn pictures_of_every_page_about_backups_for_looking_at() {
    let Some(folder) = std::env::var_os("MENKA_SHOTS") else { return };
    for texts in [Texts::new(Language::Chinese), Texts::new(Language::English)] {
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
fn every_page_about_backups_shows_its_actions_in_both_languages_and_both_sizes() {
    for texts in [Texts::new(Language::Chinese), Texts::new(Language::English)] {
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

#[test]
fn a_restored_desk_says_that_it_was_not_backed_up_since_and_not_that_it_never_was() {
    let never = "There is no backup yet. If this computer breaks, the residents' records are gone.";
    let since = "There is no backup since this desk was restored. Please make one now.";
    for (restored_at, expected) in [(None, [true, false]), (Some(AT), [false, true])] {
        let staff = at(KeepView { backups: vec![], restored_at, ..good() });
        let mut ui = window(LARGE, staff.view(&Texts::new(Language::English)));
        assert_eq!([never, since].map(|words| ui.find(words).is_ok()), expected, "{restored_at:?}");
    }
}

fn asked(action: Action) -> KeepCommand {
    match action {
        Action::Ask(StaffCommand::Keep(command)) => command,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_backup_goes_where_it_is_sent_and_the_key_is_put_away_before_it_counts() {
    let texts = Texts::new(Language::Chinese);
    let mut none = at(KeepView::default());
    let mut ui = window(LARGE, none.view(&texts));
    let _ = ui.click(id("keep-back-up")).unwrap();
    assert_eq!(ui.into_messages().count(), 0, "no backup without a key");
    assert!(matches!(asked(none.update(Message::Keep(K::KeyPressed))), KeepCommand::NewKey));
    tell(&mut none, KeepTold::Sheet(Typed::new("4H7KD-Q2M9X".into())));
    assert!(matches!(none.update(Message::Keep(K::SheetDonePressed)), Action::None), "first it is put away");
    none.update(Message::Keep(K::SheetTicked(true)));
    assert!(matches!(asked(none.update(Message::Keep(K::SheetDonePressed))), KeepCommand::SheetKept));

    let mut staff = at(good());
    assert!(matches!(staff.update(Message::Keep(K::BackUpPressed)), Action::PickKeep(Pick::Into)));
    assert!(matches!(staff.update(Message::Keep(K::Picked(Pick::Into, Language::Chinese, None))), Action::None));
    let place = Some("/media/stick".into());
    let command = asked(staff.update(Message::Keep(K::Picked(Pick::Into, Language::Chinese, place))));
    assert!(matches!(command, KeepCommand::BackUp(path) if path.ends_with("stick")));
    assert!(matches!(staff.update(Message::Keep(K::BackUpPressed)), Action::None), "one at a time");
    assert!(matches!(asked(staff.update(Message::Keep(K::MasterPressed))), KeepCommand::ChangeKeys));
}

#[test]
fn the_page_says_whether_the_vault_is_bound_and_offers_only_what_can_be_done() {
    let offers = [
        (ComputerView::NoChip, None),
        (ComputerView::Free, Some("keep-computer-bind")),
        (ComputerView::Bound, Some("keep-computer-release")),
    ];
    for texts in [Texts::new(Language::Chinese), Texts::new(Language::English)] {
        for (computer, offered) in offers {
            let mut staff = at(KeepView { computer, ..good() });
            let mut presses = vec![];
            {
                // Tall enough for the whole page: what is looked for stands at its end.
                let mut ui = window((1366.0, 1600.0), staff.view(&texts));
                for press in ["keep-computer-bind", "keep-computer-release"] {
                    assert_eq!(ui.find(id(press)).is_ok(), offered == Some(press), "{computer:?}: {press}");
                }
                if let Some(press) = offered {
                    let _ = ui.click(id(press)).unwrap();
                }
                presses.extend(ui.into_messages());
            }
            let asked: Vec<KeepCommand> = presses.into_iter().map(|press| asked(staff.update(press))).collect();
            match computer {
                ComputerView::NoChip => assert!(asked.is_empty()),
                ComputerView::Free => assert!(matches!(asked[..], [KeepCommand::BindComputer])),
                ComputerView::Bound => assert!(matches!(asked[..], [KeepCommand::ReleaseComputer])),
            }
        }
    }
}

#[test]
fn restoring_begins_at_the_first_run_or_the_lock_screen_and_leads_back_there() {
    for first in [true, false] {
        let mut staff = restoring(first);
        assert!(matches!(staff.update(Message::Keep(K::TryPressed)), Action::None), "nothing is chosen");
        let path = Some("/media/stick/menka-backup-1".into());
        let action = staff.update(Message::Keep(K::Picked(Pick::From, Language::Chinese, path)));
        assert!(matches!(action, Action::Focus("keep-key")));
        let key = RecoveryKey::make().shown();
        staff.update(Message::Keep(K::KeyTyped(key.clone())));
        if !first {
            assert!(matches!(staff.update(Message::Keep(K::TryPressed)), Action::None), "nobody of this desk agreed");
            staff.update(Message::Keep(K::WhoTyped(0, Typed::new("一句口令".into()))));
        }
        let command = asked(staff.update(Message::Keep(K::TryPressed)));
        assert!(matches!(&command, KeepCommand::Restore(from, typed, by) if from.ends_with("menka-backup-1")
                && *typed == key && by.supervisors.len() == usize::from(!first) && by.recovery.is_none()));
        assert!(matches!(staff.update(Message::Keep(K::TryPressed)), Action::None), "once");
        staff.update(Message::Keep(K::BackPressed));
        let texts = Texts::new(Language::English);
        let mut ui = window(LARGE, staff.view(&texts));
        assert!(ui.find(id(if first { "first-next" } else { "unlock-action" })).is_ok());
    }
}

#[test]
fn a_backup_key_with_a_slip_stays_in_its_field_and_only_the_group_that_is_said_is_typed_again() {
    let key = RecoveryKey::make().shown();
    let slip = |key: &Typed| {
        let other = if key.as_str().starts_with('0') { "1" } else { "0" };
        Typed::new(format!("{other}{}", &key.as_str()[1..]))
    };
    let mut restore = restoring(true);
    restore.update(Message::Keep(K::Picked(Pick::From, Language::Chinese, Some("/media/menka-backup-1".into()))));
    for (what, mut staff) in [("drill", drilling()), ("restore", restore)] {
        for (typed, said) in [
            (slip(&key), ["第 1 组输错了，请核对。", "Group 1 is mistyped, please check it."]),
            (Typed::new("4H7KD-Q2M9X".into()), ["应该是八组，每组五个字符。", "There are eight groups of five signs."]),
        ] {
            staff.update(Message::Keep(K::KeyTyped(typed.clone())));
            let pressed = staff.update(Message::Keep(K::TryPressed));
            assert!(matches!(pressed, Action::Focus("keep-key")), "{what}: {pressed:?}");
            for (texts, said) in [Texts::new(Language::Chinese), Texts::new(Language::English)].iter().zip(said) {
                let mut ui = window(LARGE, staff.view(texts));
                assert!(ui.find(typed.as_str()).is_ok(), "{what}: what was typed is still there");
                assert!(ui.find(said).is_ok(), "{what}: {said}");
            }
        }
        staff.update(Message::Keep(K::KeyTyped(key.clone())));
        let command = asked(staff.update(Message::Keep(K::TryPressed)));
        assert!(
            matches!(&command, KeepCommand::Drill(_, typed) | KeepCommand::Restore(_, typed, _) if *typed == key),
            "{what}: {command:?}"
        );
    }
}

#[test]
fn p51_4_over_a_desk_that_is_there_two_supervisors_type_their_passphrases_or_somebody_the_recovery_key() {
    let account =
        |n: u8, role| DoorView { id: StaffId::from_bytes([n; 16]), name: format!("员工{n}"), role, wait_ms: 0 };
    let there = || {
        let mut staff = Staff::new(Realm::Real);
        staff.apply(StaffEvent::Locked { wait_ms: 0 });
        let accounts = vec![
            account(1, Role::Supervisor),
            account(2, Role::FrontDesk),
            account(3, Role::Supervisor),
            account(4, Role::Supervisor),
        ];
        staff.apply(StaffEvent::Operators(OperatorsEvent::AtTheDoor(accounts)));
        staff.update(Message::Go(Route::Restore));
        staff.update(Message::Keep(K::Picked(Pick::From, Language::Chinese, Some("/media/menka-backup-1".into()))));
        staff.update(Message::Keep(K::KeyTyped(RecoveryKey::make().shown())));
        staff
    };
    let typed = |text: &str| Typed::new(text.into());
    let mut staff = there();
    for texts in [Texts::new(Language::Chinese), Texts::new(Language::English)] {
        let mut ui = window((1366.0, 1600.0), staff.view(&texts));
        for field in ["restore-who-1", "restore-who-2", "restore-account-1-2", "restore-by-recovery"] {
            assert!(ui.find(id(field)).is_ok(), "{field}");
        }
        assert!(ui.find(id("restore-account-1-3")).is_err(), "supervisors only");
    }
    staff.update(Message::Keep(K::WhoTyped(0, typed("甲的口令"))));
    assert!(matches!(staff.update(Message::Keep(K::TryPressed)), Action::None), "one is not enough");
    // The second is another person, whoever is pressed.
    staff.update(Message::Keep(K::WhoChosen(1, StaffId::from_bytes([1; 16]))));
    staff.update(Message::Keep(K::WhoChosen(1, StaffId::from_bytes([4; 16]))));
    staff.update(Message::Keep(K::WhoTyped(1, typed("丁的口令"))));
    let KeepCommand::Restore(_, _, by) = asked(staff.update(Message::Keep(K::TryPressed))) else { panic!("restore") };
    let who: Vec<StaffId> = by.supervisors.iter().map(|(id, _)| *id).collect();
    assert_eq!(who, [StaffId::from_bytes([1; 16]), StaffId::from_bytes([4; 16])]);

    let mut staff = there();
    staff.update(Message::Keep(K::InsteadPressed(true)));
    assert!(matches!(staff.update(Message::Keep(K::TryPressed)), Action::None), "nothing is typed");
    staff.update(Message::Keep(K::InsteadTyped(typed("4H7KD-Q2M9X"))));
    assert!(matches!(staff.update(Message::Keep(K::TryPressed)), Action::Focus("restore-recovery")), "that is no key");
    let recovery = RecoveryKey::make().shown();
    staff.update(Message::Keep(K::InsteadTyped(recovery.clone())));
    for texts in [Texts::new(Language::Chinese), Texts::new(Language::English)] {
        let mut ui = window((1366.0, 1600.0), staff.view(&texts));
        assert!(ui.find(id("restore-recovery")).is_ok() && ui.find(id("restore-who-1")).is_err());
    }
    let KeepCommand::Restore(_, _, by) = asked(staff.update(Message::Keep(K::TryPressed))) else { panic!("restore") };
    assert!(by.supervisors.is_empty() && by.recovery == Some(recovery));
}

#[test]
fn after_a_restore_the_page_says_whose_passphrase_is_which() {
    let said = |passphrases| {
        let told = KeepTold::Restored(RestoreReport { passphrases, ..report() });
        let (_, words) = menka::ui::staff::keep::said(&Texts::new(Language::English), &told).unwrap();
        let then = "Log in with an account and passphrase of that time.";
        let typed = format!("logs in with the passphrase typed for it (accounts: {passphrases})");
        (words.todo.contains(then), words.todo.contains(&typed))
    };
    assert_eq!((said(0), said(2)), ((true, false), (false, true)));
}
