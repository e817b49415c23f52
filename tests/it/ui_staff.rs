//! The staff window: messages in, actions out; every page in both languages and both sizes.

use iced::{Element, Settings, Size};
use iced_test::Simulator;
use iced_test::core::widget::operation::{Operation, Outcome, focusable};
use iced_test::runtime::user_interface::{Cache, UserInterface};
use iced_test::selector::id;
use menka::app::command::StaffCommand;
use menka::app::deletion::{DeletionCommand, DeletionEvent, DoorLine, DoorState, EndingView, PersonView, SiteView};
use menka::app::event::{
    CardRead, CardView, FaceState, Failure, FieldFault, GatePlace, Places, ResidentRow, ResidentView, StaffEvent,
};
use menka::app::guardian_desk::GuardianCommand;
use menka::app::on_paper::FormCommand;
use menka::app::operators::{OperatorsEvent, OperatorsFailure};
use menka::app::pairing::{PairingCommand, PairingFailure};
use menka::app::posture::{PostureCommand, PostureEvent};
use menka::domain::Realm;
use menka::domain::card::CardUid;
use menka::domain::gate::{GateKind, GateStatus, GateTerms};
use menka::domain::id::{ConsentId, GateId, ResidentId};
use menka::domain::notice::Language;
use menka::domain::permit::{Blocker, Condition};
use menka::domain::relay::Place;
use menka::domain::resident::{AgeBand, PersonName, Resident, ResidentError, Unit};
use menka::domain::role::{LookWhy, Role};
use menka::domain::site::{Fact, SiteFacts};
use menka::domain::time::{CivilDate, Timestamp};
use menka::domain::training::Standing;
use menka::i18n::Texts;
use menka::ui::focus::{self, Step};
use menka::ui::practice_tools::{PracticeAct, Tools};
use menka::ui::staff::{self, Action, Flash, Message, Page, Route, Staff, Stray};
use menka::ui::{explain, theme};
use menka::vault::{RetentionPlan, RetentionReport};

/// The fonts once for the whole binary: loading ten megabytes for every simulator would take seconds.
pub fn settings() -> Settings {
    static FONTS: std::sync::Once = std::sync::Once::new();
    let mut settings = theme::settings();
    let fonts = std::mem::take(&mut settings.fonts);
    FONTS.call_once(|| {
        let mut system = iced_test::renderer::graphics::text::font_system().write().unwrap();
        fonts.into_iter().for_each(|font| system.load_font(font));
    });
    settings
}

pub fn window<'a, M>(size: (f32, f32), view: Element<'a, M>) -> Simulator<'a, M> {
    Simulator::with_size(settings(), Size::new(size.0, size.1), view)
}

pub const LARGE: (f32, f32) = (1366.0, 768.0);
pub const SMALL: (f32, f32) = (1024.0, 600.0);

pub fn both() -> [Texts; 2] {
    [Texts::new(Language::Chinese), Texts::new(Language::English)]
}

pub fn gate_status(n: u8, name: &str) -> GateStatus {
    gate(n, name)
}

pub fn gate(n: u8, name: &str) -> GateStatus {
    GateStatus {
        id: GateId::from_bytes([n; 16]),
        name: name.into(),
        kind: GateKind::Signing,
        reachable: true,
        last_seen_at: Some(Timestamp::from_ms(1_795_317_000_000)),
        pending: 0,
        wedged: 0,
        oldest_pending_at: None,
        clock_drift_ms: Some(-420),
        version: Some("0.1.0".into()),
        card_way_tested: true,
        key_changed: false,
        in_step: Some(true),
        compared_at: Some(Timestamp::from_ms(1_795_317_000_000)),
        drift: vec![],
        drift_counts: menka::domain::relay::DriftCounts::new(),
        drift_count: 0,
        card_first: false,
        faces_rest: None,
        terms: GateTerms::default(),
    }
}

fn gates() -> Vec<GateStatus> {
    let mut away = gate(2, "西门车库");
    away.reachable = false;
    away.pending = 3;
    away.oldest_pending_at = Some(Timestamp::from_ms(1_795_310_000_000));
    away.card_way_tested = false;
    let mut strange = gate(3, "3 栋大堂");
    strange.key_changed = true;
    strange.wedged = 1;
    strange.clock_drift_ms = Some(95_000);
    vec![gate(1, "东门"), away, strange]
}

pub fn person(face: FaceState) -> ResidentView {
    let day = |text| CivilDate::parse(text).unwrap();
    ResidentView {
        resident: Resident {
            id: ResidentId::from_bytes([7; 16]),
            name: PersonName::parse("王𠮷小明").unwrap(),
            unit: Unit::parse("3-1201").unwrap(),
            age_band: AgeBand::Adult,
            next_band_on: None,
            ends_on: day("2027-06-30"),
        },
        card: Some(CardView {
            last4: "B2C3".into(),
            ends_on: day("2027-06-30"),
            gates: vec![
                (GateId::from_bytes([1; 16]), "东门".into(), true),
                (GateId::from_bytes([2; 16]), "西门车库".into(), false),
            ],
        }),
        places: Places {
            card: vec![
                at(1, "东门", Place::Synced),
                at(2, "西门车库", Place::Pending(Timestamp::from_ms(1_795_310_000_000))),
            ],
            old_card: vec![],
            face: match face {
                FaceState::Held { .. } => vec![at(1, "东门", Place::Synced)],
                _ => vec![],
            },
        },
        face,
    }
}

pub fn at(n: u8, label: &str, place: Place) -> GatePlace {
    GatePlace { gate: GateId::from_bytes([n; 16]), label: label.into(), place }
}

/// Somebody whose record may be opened.
pub fn somebody() -> ResidentView {
    person(held())
}

pub fn held() -> FaceState {
    FaceState::Held {
        gates: vec![(GateId::from_bytes([1; 16]), "东门".into())],
        ends_on: CivilDate::parse("2027-06-30").unwrap(),
    }
}

fn read(taken: bool) -> CardRead {
    CardRead { uid: CardUid::from_wedge("04A1B2C3").unwrap(), last4: "B2C3".into(), taken }
}

pub fn unlocked() -> Staff {
    let mut staff = Staff::new(Realm::Practice);
    staff.apply(StaffEvent::Unlocked { operator: "李前台".into() });
    let standing = Standing::Works(CivilDate::parse("2027-11-21").unwrap());
    staff.apply(StaffEvent::Operators(OperatorsEvent::Entered { role: Role::Supervisor, standing }));
    staff.apply(StaffEvent::Gates(gates()));
    staff.apply(StaffEvent::StationFingerprint("0123456789abcdef".repeat(4)));
    let mut facts = SiteFacts::default();
    facts.set(Fact::SiteName, "安和家园");
    let missing = facts.missing();
    staff.apply(StaffEvent::Facts(facts, missing));
    staff.apply(StaffEvent::Desk(vec![
        (Blocker::ProcessorFields, Condition::Fails),
        (Blocker::InternetRoute, Condition::Fails),
        (Blocker::RemoteHelp, Condition::NotYetChecked),
        (Blocker::CardWayTested, Condition::Fails),
    ]));
    staff.apply(StaffEvent::Posture(PostureEvent::Report(super::ui_machine::troubled())));
    staff
}

fn ending(pending: bool) -> EndingView {
    EndingView {
        consent: ConsentId::from_bytes([9; 16]),
        resident: ResidentId::from_bytes([7; 16]),
        ended_at: Timestamp::from_ms(1_795_310_000_000),
        reason: "withdrawn".into(),
        place: None,
        pending: if pending {
            vec![("西门车库".into(), Some(Timestamp::from_ms(1_795_396_400_000)))]
        } else {
            vec![]
        },
        supplement_waits: !pending,
    }
}

fn face_matters() -> PersonView {
    let door = |n: u8, label: &str, state| DoorLine { gate: GateId::from_bytes([n; 16]), label: label.into(), state };
    PersonView {
        resident: ResidentId::from_bytes([7; 16]),
        doors: vec![door(1, "东门", DoorState::Open), door(2, "西门车库", DoorState::Dropping)],
        paused_since: None,
        endings: vec![ending(true), ending(false)],
        closed_since: None,
    }
}

/// The site's page; with a clock that cannot be believed, or with something due and one gate stopped.
fn site_with(doubt: bool, due: bool) -> Staff {
    let mut staff = unlocked();
    let at = Timestamp::from_ms(1_795_310_000_000);
    let someone = ResidentId::from_bytes([7; 16]);
    let mut plan = RetentionPlan::default();
    if due {
        plan.faces = vec![someone];
        plan.records = vec![someone];
        plan.waiting = vec![someone];
        plan.unanswered = vec![someone];
        plan.birthdays = vec![someone];
    }
    let report = RetentionReport { run_at: at, faces: 2, records: 1, identities: 1, evidence: 0 };
    let view = SiteView {
        gates: vec![
            (GateId::from_bytes([1; 16]), "东门".into(), false, false),
            (GateId::from_bytes([2; 16]), "西门车库".into(), due, due),
        ],
        restored_at: doubt.then_some(at),
        unmet: due.then(|| (GateId::from_bytes([7; 16]), "东门".into())).into_iter().collect(),
        open: vec![ending(true)],
        plan,
        ran_at: due.then_some(at),
        retention_failed: due,
        reports: vec![report],
        overdue: 0,
        clock_doubt: doubt.then_some((at, Timestamp::from_ms(1_895_310_000_000))),
    };
    staff.apply(StaffEvent::Deletion(DeletionEvent::Site(Box::new(view))));
    staff.update(Message::Go(Route::Deletion));
    staff
}

/// Every page of the window, with the ids of what can be pressed there at once.
fn pages() -> Vec<(&'static str, Staff, Vec<&'static str>)> {
    let first = |steps: usize| {
        let mut staff = Staff::new(Realm::Practice);
        staff.apply(StaffEvent::FirstRun);
        use staff::first_run::Message as M;
        let send = |staff: &mut Staff, message| {
            staff.update(Message::FirstRun(message));
        };
        send(&mut staff, M::OperatorTyped("李前台".into()));
        send(&mut staff, M::PassphraseTyped("correct horse battery".to_owned().into()));
        send(&mut staff, M::RepeatTyped("correct horse battery".to_owned().into()));
        (0..steps).for_each(|_| send(&mut staff, M::NextPressed));
        staff
    };
    let mut locked = Staff::new(Realm::Real);
    locked.apply(StaffEvent::Locked { wait_ms: 0 });
    let mut waiting = Staff::new(Realm::Practice);
    waiting.apply(StaffEvent::Locked { wait_ms: 0 });
    waiting.apply(StaffEvent::Failed(Failure::WrongPassphrase { wait_ms: 8_000 }));
    let mut results = unlocked();
    let row = |n: u8, name: &str, has_card| ResidentRow {
        id: ResidentId::from_bytes([n; 16]),
        masked_name: name.into(),
        unit: format!("3-120{n}"),
        has_card,
    };
    results.apply(StaffEvent::Found { rows: vec![row(1, "王**", true), row(2, "李*", false)], more: true });
    let mut reason = unlocked();
    reason.apply(StaffEvent::Found { rows: vec![row(1, "王**", true), row(2, "李*", false)], more: false });
    reason.update(Message::Home(staff::home::Message::RowPressed(ResidentId::from_bytes([1; 16]))));
    let mut issuing = unlocked();
    issuing.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
    issuing.apply(StaffEvent::CardRead(read(false)));
    let mut face = unlocked();
    face.apply(StaffEvent::ResidentBusy(true));
    face.apply(StaffEvent::Opened(Box::new(person(held()))));
    let mut withdrawing = unlocked();
    withdrawing.apply(StaffEvent::Opened(Box::new(person(held()))));
    withdrawing.update(Message::Resident(staff::resident::Message::WithdrawPressed));
    let at = |route| {
        let mut staff = unlocked();
        staff.update(Message::Go(route));
        staff
    };
    let mut wrong = at(Route::Add);
    wrong.update(Message::Form(staff::form::Message::BandChosen(AgeBand::From14To17)));
    wrong.apply(StaffEvent::Failed(Failure::Field(FieldFault::Name(ResidentError::NextBandMissing))));
    let mut pairing = at(Route::Gates);
    pairing.update(Message::Gates(staff::gates::Message::PairFormPressed));
    let [mut closing, mut gone, mut farewell] = [unlocked(), unlocked(), unlocked()];
    closing.closing();
    gone.gone();
    farewell.farewell(2, vec!["西门车库".into()]);
    let mut about_person = unlocked();
    about_person.apply(StaffEvent::Opened(Box::new(person(held()))));
    about_person.apply(StaffEvent::Deletion(DeletionEvent::Person(Box::new(face_matters()))));
    about_person.update(Message::Go(Route::PersonDeletion));
    let mut stopping = site_with(false, false);
    stopping.update(Message::Deletion(staff::deletion::Message::AskPressed(staff::deletion::Ask::Stop(None))));
    let mut troubled = unlocked();
    troubled.apply(StaffEvent::Reader(Some(menka::ports::ReaderError::None)));
    troubled.apply(StaffEvent::Failed(Failure::CardUnknown));
    vec![
        ("first-1", first(0), vec!["first-operator", "first-passphrase", "first-repeat", "first-next"]),
        ("first-2", first(1), vec!["site_name", "first-back", "first-next"]),
        ("first-3", first(2), vec!["first-back", "first-create"]),
        ("unlock", locked, vec!["unlock-passphrase", "unlock-action", "language"]),
        ("unlock-wait", waiting, vec!["unlock-passphrase", "unlock-wait", "unlock-action"]),
        ("home", unlocked(), vec!["home-search", "home-find", "home-add", "home-why", "lock", "go-settings"]),
        ("home-found", results, vec!["home-search", "home-row-0", "home-row-1"]),
        ("home-reason", reason, vec!["look-here", "look-card", "look-request", "look-other"]),
        ("home-trouble", troubled, vec!["home-search", "reader-said", "flash-close"]),
        ("record-issue", issuing, vec!["record-edit", "record-close", "card-field", "card-gate-2"]),
        ("record-face", face, vec!["stop", "card-field"]),
        ("record-withdraw", withdrawing, vec!["record-close", "withdraw-no", "withdraw-yes"]),
        (
            "form",
            at(Route::Add),
            vec!["form-name", "form-unit", "form-ends-on", "form-band-14", "form-save", "form-back"],
        ),
        ("form-wrong", wrong, vec!["form-name", "form-next-band", "form-ends-on", "form-back", "form-save"]),
        ("facts", at(Route::Facts), vec!["settings-gates", "facts-save", "facts-group-terms", "site_name"]),
        ("gates", at(Route::Gates), vec!["settings-facts", "pair-open", "gate-test-0"]),
        ("pair", pairing, vec!["pair-name", "pair-address"]),
        ("closing", closing, vec!["language"]),
        ("gone", gone, vec!["gone"]),
        ("farewell", farewell, vec!["farewell-left"]),
        ("why", at(Route::WhyOff), vec!["why-facts", "why-gates", "why-machine", "why-cards-work"]),
        ("machine", at(Route::Machine), vec!["settings-facts", "settings-gates", "machine-doctor", "machine-again"]),
        ("boards", crate::ui_boards::at_boards(), vec!["settings-boards", "boards-wire", "board-open"]),
        ("boards-form", crate::ui_boards::adding(), vec!["board-name", "board-address", "board-serial"]),
        ("evidence", crate::ui_evidence::whole(unlocked()), vec!["go-evidence", "chain-state", "check-all"]),
        ("evidence-alarm", crate::ui_evidence::alarming(unlocked()), vec!["chain-alarm", "chain-state"]),
        ("shown", crate::ui_evidence::shown(unlocked(), person(held())), vec!["shown-back", "shown-row-0"]),
        ("shown-broken", crate::ui_evidence::broken(unlocked(), person(held())), vec!["shown-back", "shown-broken"]),
        ("deletion-person", about_person, vec!["deletion-record", "pause", "drop-0"]),
        ("deletion-ask", stopping, vec!["deletion-no", "deletion-yes"]),
        ("deletion-site", site_with(true, false), vec!["date-right", "stop-all"]),
        ("deletion-due", site_with(false, true), vec!["stop-all", "stop-0", "switched-off-1", "retire-1"]),
    ]
    .into_iter()
    .chain(super::ui_notice::pages())
    .chain(super::ui_relay::pages())
    .chain(super::ui_duties::pages())
    .collect()
}

/// Writes pictures of every page into the folder named by `MENKA_SHOTS`; without it, draws nothing.
#[test]
fn pictures_of_every_page_for_looking_at() {
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

/// What the window asks for after these messages.
pub fn after(staff: &mut Staff, messages: impl IntoIterator<Item = Message>) -> Vec<Action> {
    messages.into_iter().map(|message| staff.update(message)).collect()
}

/// Presses what has this id and gives back what came of it.
pub fn press(staff: &mut Staff, what: &'static str) -> Vec<Action> {
    let texts = Texts::new(Language::Chinese);
    let messages: Vec<Message> = {
        let mut ui = window(LARGE, staff.view(&texts));
        ui.click(id(what)).unwrap();
        ui.into_messages().collect()
    };
    after(staff, messages)
}

/// Types into the field with this id, then Enter.
fn type_and_enter(staff: &mut Staff, field: &'static str, words: &str) -> Vec<Action> {
    let texts = Texts::new(Language::Chinese);
    let typed: Vec<Message> = {
        let mut ui = window(LARGE, staff.view(&texts));
        ui.click(id(field)).unwrap();
        ui.typewrite(words);
        ui.into_messages().collect()
    };
    let mut actions = after(staff, typed);
    let entered: Vec<Message> = {
        let mut ui = window(LARGE, staff.view(&texts));
        ui.click(id(field)).unwrap();
        ui.tap_key(iced::keyboard::key::Named::Enter);
        ui.into_messages().collect()
    };
    actions.extend(after(staff, entered));
    actions
}

pub fn commands(actions: Vec<Action>) -> Vec<StaffCommand> {
    actions
        .into_iter()
        .filter_map(|action| match action {
            Action::Ask(command) => Some(command),
            _ => None,
        })
        .collect()
}

#[test]
fn every_page_shows_its_actions_in_both_languages_and_both_sizes() {
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

#[test]
fn the_practice_banner_is_on_every_page_of_a_practice_site_and_on_none_of_a_real_one() {
    for texts in both() {
        for (name, mut staff, _) in pages() {
            staff.set_realm(Realm::Practice);
            assert!(window(SMALL, staff.view(&texts)).find(id("practice-banner")).is_ok(), "{name}");
            staff.set_realm(Realm::Real);
            assert!(window(SMALL, staff.view(&texts)).find(id("practice-banner")).is_err(), "{name}");
        }
        let tools = Tools::default();
        assert!(window((420.0, 640.0), tools.view(&texts, &[], &[])).find(id("practice-banner")).is_ok());
    }
}

#[test]
fn a_passphrase_goes_to_the_desk_and_nowhere_else() {
    let mut staff = Staff::new(Realm::Real);
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    assert!(commands(press(&mut staff, "unlock-action")).is_empty(), "nothing is typed yet");
    let actions = type_and_enter(&mut staff, "unlock-passphrase", "swordfish-77");
    assert!(!format!("{actions:?}").contains("swordfish"));
    let asked = commands(actions);
    assert!(matches!(&asked[..], [StaffCommand::Unlock { account: None, passphrase }] if passphrase.chars() == 12));
    assert!(!format!("{staff:?}").contains("swordfish"));
    let message = staff::unlock::Message::PassphraseTyped("swordfish-77".to_owned().into());
    assert!(!format!("{:?}", Message::Unlock(message)).contains("swordfish"));
}

#[test]
fn a_typed_passphrase_is_drawn_as_dots() {
    let texts = Texts::new(Language::Chinese);
    let mut staff = Staff::new(Realm::Real);
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    let message = |words: &str| Message::Unlock(staff::unlock::Message::PassphraseTyped(words.to_owned().into()));
    let picture = |staff: &Staff| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        let mut ui = window(SMALL, staff.view(&texts));
        ui.snapshot(&theme::theme()).unwrap().matches_image(&path).unwrap();
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        std::fs::read(file).unwrap()
    };
    staff.update(message("aaaaaa"));
    let first = picture(&staff);
    staff.update(message("MWqj8人"));
    assert_eq!(first, picture(&staff), "two passphrases of one length look the same");
    staff.update(message("a"));
    assert_ne!(first, picture(&staff));
}

#[test]
fn a_wrong_passphrase_makes_the_next_try_wait() {
    let mut staff = Staff::new(Realm::Real);
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    let focus = staff.apply(StaffEvent::Failed(Failure::WrongPassphrase { wait_ms: 2_500 }));
    assert!(matches!(focus, Action::Focus("unlock-passphrase")));
    assert!(staff.counts_down());
    assert!(commands(type_and_enter(&mut staff, "unlock-passphrase", "again-and-again")).is_empty());
    staff.update(Message::Ticked(1_000));
    assert!(staff.counts_down());
    staff.update(Message::Ticked(1_500));
    assert!(!staff.counts_down());
    assert_eq!(commands(press(&mut staff, "unlock-action")).len(), 1, "what was typed meanwhile is still there");
}

#[test]
fn the_first_run_explains_what_is_wrong_and_then_makes_the_vault() {
    use staff::first_run::{Message as M, Step};
    let mut staff = Staff::new(Realm::Practice);
    staff.apply(StaffEvent::FirstRun);
    let step = |staff: &Staff| match staff.page() {
        Page::FirstRun(screen) => screen.step(),
        _ => panic!("left the first run"),
    };
    let say = |staff: &mut Staff, message| staff.update(Message::FirstRun(message));
    assert!(matches!(say(&mut staff, M::NextPressed), Action::Focus("first-operator")));
    say(&mut staff, M::OperatorTyped("李前台".into()));
    say(&mut staff, M::PassphraseTyped("short".to_owned().into()));
    assert!(matches!(say(&mut staff, M::NextPressed), Action::Focus("first-passphrase")));
    say(&mut staff, M::PassphraseTyped("one two three four".to_owned().into()));
    say(&mut staff, M::RepeatTyped("one two three fuor".to_owned().into()));
    assert!(matches!(say(&mut staff, M::NextPressed), Action::Focus("first-repeat")));
    assert_eq!(step(&staff), Step::You);
    say(&mut staff, M::RepeatTyped("one two three four".to_owned().into()));
    say(&mut staff, M::NextPressed);
    assert_eq!(step(&staff), Step::Site);
    say(&mut staff, M::FactTyped(Fact::SiteName, "安和家园".into()));
    assert!(matches!(say(&mut staff, M::CreatePressed), Action::None), "not before the last step");
    say(&mut staff, M::NextPressed);
    let asked = commands(press(&mut staff, "first-create"));
    match &asked[..] {
        [StaffCommand::CreateVault { operator, passphrase, facts }] => {
            assert_eq!((operator.as_str(), passphrase.chars()), ("李前台", 18));
            assert_eq!(facts.get(Fact::SiteName), "安和家园");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(say(&mut staff, M::CreatePressed), Action::None), "once is enough");
    staff.apply(StaffEvent::Failed(Failure::DiskFull));
    assert_eq!(step(&staff), Step::You, "the passphrase is gone, so it is asked for again");
}

#[test]
fn the_search_field_finds_units_and_takes_cards() {
    let mut staff = unlocked();
    let asked = commands(type_and_enter(&mut staff, "home-search", "3-1201"));
    assert!(matches!(&asked[..], [StaffCommand::Find { query }] if query == "3-1201"));
    let mut staff = unlocked();
    let asked = commands(type_and_enter(&mut staff, "home-search", "0012345678"));
    assert!(matches!(&asked[..], [StaffCommand::WedgeTyped(text)] if text == "0012345678"));
    let mut staff = unlocked();
    assert!(commands(type_and_enter(&mut staff, "home-search", "  ")).is_empty(), "never a list of everybody");
}

#[test]
fn a_found_row_opens_its_record_for_a_reason() {
    let (_, mut staff, _) = pages().into_iter().find(|(name, ..)| *name == "home-found").unwrap();
    assert!(commands(press(&mut staff, "home-row-1")).is_empty(), "the reason comes first");
    let asked = commands(press(&mut staff, "look-request"));
    let second = ResidentId::from_bytes([2; 16]);
    assert!(matches!(asked[..], [StaffCommand::OpenResident(who, LookWhy::Request)] if who == second));
}

#[test]
fn j10_the_card_is_the_first_thing_on_a_record_and_its_default() {
    let mut staff = unlocked();
    let focus = staff.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
    assert!(matches!(focus, Action::Focus("card-field")));
    assert!(commands(press(&mut staff, "card-issue")).is_empty(), "no card was read");
    staff.apply(StaffEvent::CardRead(read(true)));
    assert!(commands(press(&mut staff, "card-issue")).is_empty(), "somebody else's card");
    staff.apply(StaffEvent::CardRead(read(false)));
    press(&mut staff, "card-gate-1");
    let asked = commands(press(&mut staff, "card-issue"));
    match &asked[..] {
        [StaffCommand::IssueCard { resident, uid, gates }] => {
            assert_eq!((*resident, uid.last4().as_str()), (ResidentId::from_bytes([7; 16]), "B2C3"));
            let left = [GateId::from_bytes([1; 16]), GateId::from_bytes([3; 16])];
            assert_eq!(gates, &left, "all were ticked but the one that was unticked");
        }
        other => panic!("{other:?}"),
    }
    assert!(commands(press(&mut staff, "card-issue")).is_empty(), "once is enough");
    staff.apply(StaffEvent::CardIssued(ResidentId::from_bytes([7; 16])));
    let texts = Texts::new(Language::Chinese);
    assert!(window(LARGE, staff.view(&texts)).find(id("flash")).is_ok());
}

#[test]
fn a_keyboard_reader_types_into_the_card_field_and_enter_issues() {
    let mut staff = unlocked();
    staff.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
    let asked = commands(type_and_enter(&mut staff, "card-field", "04A1B2C3"));
    assert!(matches!(&asked[..], [StaffCommand::WedgeTyped(text)] if text == "04A1B2C3"));
    staff.apply(StaffEvent::CardRead(read(false)));
    let asked = commands(type_and_enter(&mut staff, "card-field", ""));
    assert!(matches!(&asked[..], [StaffCommand::IssueCard { .. }]));
}

#[test]
fn what_a_reader_types_while_the_caret_is_elsewhere_is_not_lost() {
    let keys = |text: &str| {
        let letters = text.chars().map(|c| Stray::Text(c.to_string().into()));
        letters.chain([Stray::Enter]).map(Message::Stray).collect::<Vec<_>>()
    };
    let mut staff = unlocked();
    let actions = after(&mut staff, keys("0012345678"));
    assert!(matches!(actions[0], Action::Focus("home-search")));
    assert!(matches!(&commands(actions)[..], [StaffCommand::WedgeTyped(text)] if text == "0012345678"));
    staff.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
    let asked = commands(after(&mut staff, keys("04A1B2C3")));
    assert!(matches!(&asked[..], [StaffCommand::WedgeTyped(text)] if text == "04A1B2C3"));
    staff.apply(StaffEvent::CardRead(read(false)));
    assert!(commands(after(&mut staff, keys(""))).is_empty(), "a stray Enter issues nothing");
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    assert!(commands(after(&mut staff, keys("0012345678"))).is_empty(), "and nothing while locked");
}

#[test]
fn gates_that_come_later_are_ticked_and_unticked_ones_stay_unticked() {
    let mut staff = unlocked();
    staff.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
    staff.apply(StaffEvent::CardRead(read(false)));
    press(&mut staff, "card-gate-0");
    let mut more = gates();
    more.push(gate(4, "南门"));
    staff.apply(StaffEvent::Gates(more));
    let asked = commands(press(&mut staff, "card-issue"));
    let ids: Vec<GateId> = [2, 3, 4].map(|n| GateId::from_bytes([n; 16])).to_vec();
    assert!(matches!(&asked[..], [StaffCommand::IssueCard { gates, .. }] if *gates == ids));
}

#[test]
fn ndr22_5_withdrawing_is_offered_only_while_a_face_is_held_and_takes_two_presses() {
    let texts = Texts::new(Language::Chinese);
    for face in [FaceState::None, FaceState::Erasing { pending: vec!["东门".into()] }] {
        let mut staff = unlocked();
        staff.apply(StaffEvent::Opened(Box::new(person(face))));
        assert!(window((1366.0, 2000.0), staff.view(&texts)).find(id("withdraw")).is_err());
        let forced = staff.update(Message::Resident(staff::resident::Message::WithdrawConfirmed));
        assert!(matches!(forced, Action::None));
    }
    let mut staff = unlocked();
    staff.apply(StaffEvent::Opened(Box::new(person(held()))));
    use staff::resident::Message as M;
    assert!(matches!(staff.update(Message::Resident(M::WithdrawPressed)), Action::None));
    {
        let mut ui = window((1366.0, 2000.0), staff.view(&texts));
        let no = ui.find(id("withdraw-no")).unwrap().bounds();
        let yes = ui.find(id("withdraw-yes")).unwrap().bounds();
        assert_eq!((no.width, no.height), (yes.width, yes.height), "neither is nudged");
    }
    let asked = commands(after(&mut staff, [Message::Resident(M::WithdrawConfirmed)]));
    assert!(matches!(asked[..], [StaffCommand::WithdrawFor(who)] if who == ResidentId::from_bytes([7; 16])));
}

/// The name of a command. Exhaustive: a new command does not compile until somebody has looked at this test.
pub fn kind(command: &StaffCommand) -> &'static str {
    match command {
        StaffCommand::CreateVault { .. } => "create-vault",
        StaffCommand::Unlock { .. } => "unlock",
        StaffCommand::Shut | StaffCommand::Lock => "lock",
        StaffCommand::Find { .. } => "find",
        StaffCommand::OpenResident(..) => "open",
        StaffCommand::CloseResident => "close",
        StaffCommand::SaveResident { .. } => "save",
        StaffCommand::WedgeTyped(_) => "wedge",
        StaffCommand::IssueCard { .. } => "issue-card",
        StaffCommand::SaveFacts(_) => "save-facts",
        StaffCommand::Pairing(PairingCommand::Look) => "look-for-gates",
        StaffCommand::Pairing(PairingCommand::ChooseLan(_)) => "choose-lan",
        StaffCommand::Pairing(PairingCommand::LeaveNetwork(_)) => "leave-network",
        StaffCommand::Pairing(PairingCommand::Pair { .. }) => "pair-gate",
        StaffCommand::Pairing(PairingCommand::Repair(_)) => "repair-gate",
        StaffCommand::TestCardWay(_) => "test-card-way",
        StaffCommand::ShowGates => "show-gates",
        StaffCommand::StopFace => "stop-face",
        StaffCommand::WithdrawFor(_) => "withdraw-for",
        StaffCommand::WithdrawAtScreen(_) => "withdraw-at-screen",
        StaffCommand::Keep(_) => "keep",
        StaffCommand::Deletion(command) => match command {
            DeletionCommand::PauseFor(_) => "pause-for",
            DeletionCommand::ResumeFor(_) => "resume-for",
            DeletionCommand::DropDoorFor { .. } => "drop-door-for",
            DeletionCommand::CloseRecord { .. } => "close-record",
            DeletionCommand::SaveCertificate { .. } => "save-certificate",
            DeletionCommand::StopFaces(_) => "stop-faces",
            DeletionCommand::ResumeFaces(_) => "resume-faces",
            DeletionCommand::RenewTemplates => "change-gate-transform",
            DeletionCommand::RetireGate(_) => "retire-gate",
            DeletionCommand::SwitchedOff { .. } => "switched-off",
            DeletionCommand::MeetFormer { .. } => "meet-former",
            DeletionCommand::Show => "show-deletions",
            DeletionCommand::RunRetention => "run-retention",
            DeletionCommand::ConfirmDate => "confirm-date",
        },
        StaffCommand::Rights(menka::app::rights::RightsCommand::Show) => "requests",
        StaffCommand::Rights(_) => "rights",
        StaffCommand::Notice(command) => super::ui_notice::kind(command),
        StaffCommand::Evidence(_) => "evidence",
        StaffCommand::Duties(command) => super::ui_duties::kind(command),
        StaffCommand::Operators(_) => menka::app::roles::row(command).name,
        StaffCommand::Guardian(GuardianCommand::Check { .. }) => "guardian-check",
        StaffCommand::Guardian(GuardianCommand::MarkWard { .. }) => "ward-mark",
        StaffCommand::Guardian(GuardianCommand::ShowFigures { .. }) => "minors-figures",
        StaffCommand::Form(FormCommand::Save(_)) => "form-save",
        StaffCommand::Form(FormCommand::Seen) => "form-seen",
        StaffCommand::Relay(_) => menka::app::roles::row(command).name,
        StaffCommand::Posture(PostureCommand::Check) => "machine-check",
        StaffCommand::Posture(PostureCommand::Examine) => "machine-examine",
        StaffCommand::Posture(PostureCommand::AcceptCamera(_)) => "accept-device",
        StaffCommand::Posture(PostureCommand::Save { .. }) => "machine-save",
        StaffCommand::Boards(_) => menka::app::roles::row(command).name,
    }
}

// Shows: N8-15
#[test]
fn ndr22_5_nothing_on_the_staff_window_starts_suggests_or_repeats_face_entry() {
    // Every spot of every page, pressed on a grid finer than the smallest button: what a page can ask for is exactly this.
    for (name, staff, _) in pages() {
        let own: &[&str] = match name {
            "first-3" => &["create-vault"],
            "first-1" | "first-2" | "unlock" | "unlock-wait" | "closing" | "gone" | "farewell" => &[],
            "home" | "home-trouble" => &["lock", "requests", "show-deletions", "show-gates", "show-relay"],
            "home-found" => &["lock", "requests", "show-deletions", "show-gates", "show-relay"],
            "home-reason" => &["lock", "open", "requests", "show-deletions", "show-gates", "show-relay"],
            "relay" => &[
                "lock",
                "open",
                "put-gate-right",
                "requests",
                "retry-refused",
                "show-concerned",
                "show-deletions",
                "show-invited",
            ],
            "relay-replacing" => {
                &["lock", "put-gate-right", "replace-gate", "requests", "show-concerned", "show-deletions"]
            }
            "home-drift" => &["lock", "requests", "show-deletions", "show-gates", "show-relay"],
            "record-issue" => &["close", "evidence", "issue-card", "lock", "requests"],
            "record-face" => &["close", "evidence", "lock", "requests", "stop-face", "withdraw-at-screen"],
            "record-withdraw" => &["close", "evidence", "lock", "requests", "withdraw-for"],
            "evidence" | "evidence-alarm" => {
                &["evidence", "lock", "requests", "show-deletions", "show-incidents", "show-site-end"]
            }
            "shown" | "shown-broken" => &["close", "evidence", "lock", "requests"],
            "form" | "form-wrong" => &["lock", "requests", "save", "show-deletions"],
            "facts" => &["lock", "minors-figures", "requests", "save-facts", "show-deletions", "show-gates"],
            // To open the form is to look for gates that wait.
            "gates" => &["lock", "look-for-gates", "minors-figures", "requests", "show-deletions", "test-card-way"],
            "pair" => &["lock", "minors-figures", "requests", "show-deletions", "test-card-way"],
            "boards" => {
                &["lock", "minors-figures", "requests", "show-deletions", "show-gates", "stop-events", "test-card-way"]
            }
            "boards-form" => &["lock", "minors-figures", "requests", "show-deletions", "show-gates"],
            "why" => &["lock", "requests", "show-deletions", "show-gates"],
            "machine" => &[
                "lock",
                "machine-check",
                "machine-examine",
                "minors-figures",
                "requests",
                "show-deletions",
                "show-gates",
            ],
            "deletion-person" => &["close", "lock", "requests"],
            "deletion-ask" => &["lock", "requests", "show-deletions", "stop-faces"],
            "deletion-site" => &["confirm-date", "lock", "open", "requests", "show-deletions"],
            "deletion-due" => &["lock", "open", "requests", "run-retention", "show-deletions"],
            other => super::ui_notice::own_commands(other)
                .or_else(|| super::ui_duties::own_commands(other))
                .unwrap_or_else(|| panic!("a new page: {other}")),
        };
        // The header of every page inside leads a supervisor to the accounts.
        let mut own = own.to_vec();
        let inside = own.contains(&"lock");
        // From an open record, that is closed first; its answer leads on.
        own.extend((inside && !own.contains(&"close")).then_some("show-accounts"));
        // The pages of the settings lead to each other.
        own.extend((own.contains(&"minors-figures") && !name.starts_with("boards")).then_some("show-boards"));
        own.sort_unstable();
        let texts = Texts::new(Language::Chinese);
        let mut asked = std::collections::BTreeSet::new();
        for y in (8..1400).step_by(24) {
            let messages: Vec<Message> = {
                let mut ui = window((1366.0, 1400.0), staff.view(&texts));
                for x in (8..1366).step_by(32) {
                    ui.point_at(iced::Point::new(x as f32, y as f32));
                    ui.simulate(iced_test::simulator::click());
                }
                ui.into_messages().collect()
            };
            for message in messages {
                let mut fresh = pages().into_iter().find(|(other, ..)| *other == name).unwrap().1;
                asked.extend(commands(after(&mut fresh, [message])).iter().map(kind));
            }
        }
        let asked: Vec<&str> = asked.into_iter().collect();
        assert_eq!(asked, own, "{name}");
    }
    for file in [include_str!("../../i18n/zh-CN/menka.ftl"), include_str!("../../i18n/en/menka.ftl")] {
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            let key = line.split(" =").next().unwrap_or_default();
            for word in ["enrol", "capture-start", "face-start", "face-add", "invite"] {
                assert!(!key.contains(word), "{key}");
            }
            for words in ["录入人脸", "开始录", "采集人脸", "Enroll", "Start face", "Add face"] {
                assert!(!line.contains(words), "{line}");
            }
        }
    }
}

// Shows: NDR22-1
#[test]
fn p06_the_form_asks_for_name_unit_age_band_and_last_day_only() {
    let texts = Texts::new(Language::Chinese);
    let mut staff = unlocked();
    staff.update(Message::Go(Route::Add));
    let fields = |staff: &Staff| {
        let mut ui = window(LARGE, staff.view(&texts));
        let all = ["form-name", "form-unit", "form-next-band", "form-ends-on"];
        all.into_iter().filter(|field| ui.find(id(*field)).is_ok()).collect::<Vec<_>>()
    };
    assert_eq!(fields(&staff), ["form-name", "form-unit", "form-ends-on"]);
    press(&mut staff, "form-band-under-14");
    assert_eq!(fields(&staff), ["form-name", "form-unit", "form-next-band", "form-ends-on"]);
    use staff::form::Message as M;
    let asked = commands(after(
        &mut staff,
        [
            M::NameTyped("李小龙".into()),
            M::UnitTyped("5-301".into()),
            M::NextBandTyped("2030-05-01".into()),
            M::EndsOnTyped("20270630".into()),
            M::SavePressed,
        ]
        .map(Message::Form),
    ));
    match &asked[..] {
        [StaffCommand::SaveResident { id: None, name, unit, age_band: AgeBand::Under14, next_band_on, ends_on }] => {
            assert_eq!([name, unit, next_band_on, ends_on], ["李小龙", "5-301", "2030-05-01", "20270630"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refused_field_gets_the_caret_and_a_saved_form_gives_way_to_the_record() {
    let mut staff = unlocked();
    staff.update(Message::Go(Route::Add));
    let focus = staff.apply(StaffEvent::Failed(Failure::Field(FieldFault::EndDate)));
    assert!(matches!(focus, Action::Focus("form-ends-on")));
    staff.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
    assert!(matches!(staff.page(), Page::Form(_)), "news does not tear the form away");
    staff.apply(StaffEvent::Saved(ResidentId::from_bytes([7; 16])));
    staff.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
    assert!(matches!(staff.page(), Page::Resident));
}

#[test]
fn leaving_a_record_closes_it_at_the_desk() {
    for way in ["record-close", "go-home", "go-settings"] {
        let mut staff = unlocked();
        staff.apply(StaffEvent::Opened(Box::new(person(FaceState::None))));
        let asked = commands(press(&mut staff, way));
        assert!(matches!(asked[..], [StaffCommand::CloseResident]), "{way}: {asked:?}");
    }
}

#[test]
fn a_locked_window_shows_nothing_of_anybody() {
    for texts in both() {
        let mut staff = unlocked();
        staff.apply(StaffEvent::Opened(Box::new(person(held()))));
        assert!(window(LARGE, staff.view(&texts)).find("王𠮷小明").is_ok());
        assert!(matches!(staff.update(Message::LockPressed), Action::Ask(StaffCommand::Shut)));
        staff.apply(StaffEvent::Locked { wait_ms: 0 });
        let mut ui = window(LARGE, staff.view(&texts));
        for words in ["王𠮷小明", "3-1201", "李前台", "东门"] {
            assert!(ui.find(words).is_err(), "{words}");
        }
        assert!(!format!("{staff:?}").contains("3-1201"));
    }
}

#[test]
fn facts_are_saved_as_typed_and_the_missing_ones_are_counted() {
    use staff::settings::Message as M;
    let texts = Texts::new(Language::Chinese);
    let mut staff = unlocked();
    staff.update(Message::Go(Route::Facts));
    let missing = staff.known().facts_missing.len();
    assert!(window(LARGE, staff.view(&texts)).find(id("facts-said")).is_ok());
    staff.update(Message::Facts(M::Typed((Fact::GuardPhone, "010-1234".into()))));
    let asked = commands(press(&mut staff, "facts-save"));
    match &asked[..] {
        [StaffCommand::SaveFacts(facts)] => {
            assert_eq!(facts.get(Fact::GuardPhone), "010-1234");
            assert_eq!(facts.get(Fact::SiteName), "安和家园", "the rest stays");
            assert_eq!(facts.missing().len(), missing - 1);
            staff.apply(StaffEvent::Facts(facts.clone(), facts.missing()));
        }
        other => panic!("{other:?}"),
    }
    assert!(window(LARGE, staff.view(&texts)).find(id("flash")).is_ok(), "says that it is saved");
}

#[test]
fn a_gate_is_tested_with_the_last_card() {
    let mut staff = unlocked();
    staff.update(Message::Go(Route::Gates));
    let asked = commands(press(&mut staff, "gate-test-1"));
    assert!(matches!(asked[..], [StaffCommand::TestCardWay(which)] if which == GateId::from_bytes([2; 16])));
}

#[test]
fn the_station_fingerprint_can_be_copied_whole() {
    let (_, mut staff, _) = pages().into_iter().find(|(name, ..)| *name == "gates").unwrap();
    let copied = press(&mut staff, "fingerprint-copy");
    assert!(matches!(&copied[..], [Action::Copy(digits)] if digits.len() == 64));
}

#[test]
fn whoever_is_at_the_resident_window_can_be_stopped_but_not_seen() {
    let mut staff = unlocked();
    staff.apply(StaffEvent::ResidentBusy(true));
    assert!(matches!(commands(press(&mut staff, "stop"))[..], [StaffCommand::StopFace]));
}

#[test]
fn a_line_that_comes_or_goes_does_not_take_the_caret_away() {
    let texts = Texts::new(Language::Chinese);
    let mut staff = Staff::new(Realm::Practice);
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    staff.apply(StaffEvent::Failed(Failure::DiskFull));
    let mut renderer = renderer();
    let size = Size::new(LARGE.0, LARGE.1);
    let cache = {
        let mut ui = UserInterface::build(staff.view(&texts), size, Cache::default(), &mut renderer);
        ui.operate(&renderer, &mut focusable::focus::<()>(staff::unlock::PASSPHRASE.into()));
        ui.into_cache()
    };
    // The first letter takes the red line away.
    staff.update(Message::Unlock(staff::unlock::Message::PassphraseTyped("s".to_owned().into())));
    let mut ui = UserInterface::build(staff.view(&texts), size, cache, &mut renderer);
    assert_eq!(focused(&mut ui, &renderer), Some(staff::unlock::PASSPHRASE.into()));
}

/// Runs an operation over windows as the program does: over all of them, then the next part of the chain.
fn operate(
    windows: &mut [UserInterface<'_, Message, iced::Theme, iced_test::renderer::Renderer>],
    renderer: &iced_test::renderer::Renderer,
    first: impl Operation<()> + 'static,
) {
    let mut next: Option<Box<dyn Operation<()>>> = Some(Box::new(first));
    while let Some(mut operation) = next.take() {
        windows.iter_mut().for_each(|window| window.operate(renderer, operation.as_mut()));
        if let Outcome::Chain(then) = operation.finish() {
            next = Some(then);
        }
    }
}

fn focused(
    window: &mut UserInterface<'_, Message, iced::Theme, iced_test::renderer::Renderer>,
    renderer: &iced_test::renderer::Renderer,
) -> Option<iced::widget::Id> {
    let mut find = focusable::find_focused();
    window.operate(renderer, &mut iced_test::core::widget::operation::black_box(&mut find));
    match find.finish() {
        Outcome::Some(field) => Some(field),
        _ => None,
    }
}

#[test]
fn tab_stays_inside_its_window() {
    let texts = Texts::new(Language::Chinese);
    let mut form = unlocked();
    form.update(Message::Go(Route::Add));
    let mut other = Staff::new(Realm::Practice);
    other.apply(StaffEvent::Locked { wait_ms: 0 });
    let mut renderer = renderer();
    let size = Size::new(LARGE.0, LARGE.1);
    let root = |staff, id: &'static str| iced::widget::container(Staff::view(staff, &texts)).id(id);
    let mut windows = [
        UserInterface::build(root(&form, "one"), size, Cache::default(), &mut renderer),
        UserInterface::build(root(&other, "two"), size, Cache::default(), &mut renderer),
    ];
    let id = |name: &'static str| Some(iced::widget::Id::from(name));
    operate(&mut windows, &renderer, focus::operation("two", Step::To("unlock-passphrase".into())));
    for expected in ["form-name", "form-unit", "form-ends-on", "form-name"] {
        operate(&mut windows, &renderer, focus::operation("one", Step::Next));
        assert_eq!(focused(&mut windows[0], &renderer), id(expected));
        assert_eq!(focused(&mut windows[1], &renderer), id("unlock-passphrase"), "the other window keeps its caret");
    }
    operate(&mut windows, &renderer, focus::operation("one", Step::Previous));
    assert_eq!(focused(&mut windows[0], &renderer), id("form-ends-on"));
}

#[test]
fn a_field_that_gets_the_caret_is_scrolled_into_sight() {
    let texts = Texts::new(Language::Chinese);
    let mut staff = unlocked();
    staff.update(Message::Go(Route::Facts));
    let mut renderer = renderer();
    let view = iced::widget::container(staff.view(&texts)).id("one");
    let mut windows = [UserInterface::build(view, Size::new(SMALL.0, SMALL.1), Cache::default(), &mut renderer)];
    let seen = |windows: &mut [UserInterface<'_, Message, iced::Theme, iced_test::renderer::Renderer>]| {
        let mut find = iced_test::Selector::find(id("card_fee"));
        windows[0].operate(&renderer, &mut iced_test::core::widget::operation::black_box(&mut find));
        match find.finish() {
            Outcome::Some(Some(target)) => target.visible_bounds().is_some_and(|seen| seen.height > 30.0),
            _ => false,
        }
    };
    assert!(!seen(&mut windows), "below the fold at first");
    operate(&mut windows, &renderer, focus::operation("one", Step::To("card_fee".into())));
    assert!(seen(&mut windows));
}

fn renderer() -> iced_test::renderer::Renderer {
    let settings = settings();
    iced_test::renderer::Renderer::new(settings.default_font, settings.default_text_size)
}

#[test]
fn the_practice_tools_name_what_they_do() {
    let texts = Texts::new(Language::Chinese);
    let names = |what: &str, n: usize| (1..=n).map(|at| format!("{what} {at}")).collect::<Vec<_>>();
    let (cards, people) = (names("卡", 8), names("人", 5));
    let mut tools = Tools::default();
    for (what, act) in [
        ("tool-card-2", PracticeAct::TapCard(2)),
        ("tool-take-away", PracticeAct::TakeCardAway),
        ("tool-seat-4", PracticeAct::Seat(4)),
        ("tool-nobody", PracticeAct::Nobody),
        ("tool-unplug-camera", PracticeAct::UnplugCamera),
    ] {
        let messages: Vec<_> = {
            let mut ui = window((420.0, 900.0), tools.view(&texts, &cards, &people));
            ui.click(id(what)).unwrap();
            ui.into_messages().collect()
        };
        let acts: Vec<_> = messages.into_iter().map(|message| tools.update(message)).collect();
        assert_eq!(acts, [act]);
    }
}

#[test]
fn news_of_an_issued_card_is_flashed_until_read() {
    let mut staff = unlocked();
    staff.apply(StaffEvent::CardWay(GateId::from_bytes([1; 16]), false));
    assert!(format!("{staff:?}").contains(&format!("{:?}", Flash::CardWay(false))));
    press(&mut staff, "flash-close");
    let texts = Texts::new(Language::Chinese);
    assert!(window(LARGE, staff.view(&texts)).find(id("flash")).is_err());
}

/// Every failure that exists, with a marked word in every text it carries.
fn failures() -> Vec<Failure> {
    use menka::app::event::Failure as F;
    use menka::ports::{CameraError as C, FaceError as E, LinkError as L, PairError, ReaderError as R};
    use menka::wire::message::Refusal as N;
    let mark = || "MARK".to_owned();
    let mut all = vec![
        F::WrongPassphrase { wait_ms: 1 },
        F::PassphraseTooShort,
        F::OtherRealm,
        F::VaultDamaged(mark()),
        F::KeysOlder,
        F::SlotsGone,
        F::DiskFull,
        F::DiskFailed(mark()),
        F::VaultInUse,
        F::VaultTooNew(mark()),
        F::VaultBusy,
        F::GatesUnserved { again: true },
        F::GatesUnserved { again: false },
        F::NotRecorded,
        F::UsedAlready,
        F::NotDone(mark()),
        F::NobodyAtDesk,
        F::Operators(OperatorsFailure::NothingToRecover),
        F::CardTaken,
        F::CardSame,
        F::CardUnknown,
        F::CardExpired,
        F::CardTextUnreadable,
        F::NoGateChosen,
        F::Pairing(PairingFailure::CodeUnreadable),
        F::Pairing(PairingFailure::Gate(mark(), PairError::NoCode)),
        F::Pairing(PairingFailure::Gate(mark(), PairError::OtherCode)),
        F::Pairing(PairingFailure::OtherGate(mark())),
        F::Pairing(PairingFailure::TooManyTries(mark())),
        F::NotRecognised,
        F::TooLong,
        F::DeciderChanged,
        F::GuardianNotChecked,
        F::ViewRests,
        F::ChildrensRulesMissing,
        F::CaptureLost,
        F::NothingToWithdraw,
        F::PaperNotWritten(mark()),
        F::Field(FieldFault::EndDate),
        F::Field(FieldFault::SwitchedOffAt),
        F::Field(FieldFault::HeardSince(menka::domain::time::Timestamp::from_ms(1_795_320_000_000))),
        F::Field(FieldFault::NextBandDate),
        F::Field(FieldFault::Operator),
        F::Field(FieldFault::Gate),
        F::Field(FieldFault::PrivateRoom),
        F::Field(FieldFault::Number),
    ];
    use menka::app::duties::DutyFailure as D;
    use menka::domain::incident::{Answer, IncidentFault as I};
    all.extend([D::Receiver, D::ManagerLeft, D::Nothing, D::FactsMissing].map(F::Duty));
    all.extend([I::When, I::Answer(Answer::Cause), I::Kinds, I::Gates, I::To].map(|fault| F::Duty(D::Incident(fault))));
    use ResidentError as P;
    all.extend(
        [
            P::NameEmpty,
            P::NameTooLong,
            P::NameUnprintable,
            P::UnitInvalid,
            P::NextBandMissing,
            P::NextBandWrong,
            P::EndPast,
        ]
        .map(|error| F::Field(FieldFault::Name(error))),
    );
    all.extend([R::None, R::ServiceDown, R::CardPulled, R::Unreadable].map(F::Reader));
    all.extend([C::None, C::Busy, C::NotAllowed, C::Unplugged, C::Stalled, C::Unsupported(mark())].map(F::Camera));
    all.extend(
        [
            E::ModelMissing { folder: mark() },
            E::ModelWrong { file: mark() },
            E::OutOfRange,
            E::Restarted,
            E::CannotStart(mark()),
            E::Unsound,
        ]
        .map(F::Face),
    );
    all.extend(
        [L::Away, L::KeyChanged, L::NotPaired, L::OtherRealm, L::Protocol, L::NotLan, L::OtherNetwork]
            .map(|e| F::Link(mark(), e)),
    );
    all.extend(
        [
            N::Malformed,
            N::Version,
            N::Realm,
            N::Envelope,
            N::Engine,
            N::Expired,
            N::Spent,
            N::Full,
            N::Storage,
            N::Stale,
            N::CardsOnly,
            N::TooMany,
        ]
        .map(|no| F::Refused(mark(), no)),
    );
    all
}

pub fn is_worded(words: &str) -> bool {
    !words.trim().is_empty()
        && !words.contains(['{', '}', '$', '\u{2068}'])
        && words.contains([' ', '。', '，', '：', '.'])
}

#[test]
fn every_failure_says_what_happened_and_what_to_do_in_both_languages() {
    for texts in both() {
        for failure in failures() {
            let said = explain::failure(&texts, &failure);
            assert!(is_worded(&said.what), "{failure:?}: {}", said.what);
            assert!(is_worded(&said.todo), "{failure:?}: {}", said.todo);
            let carried = format!("{failure:?}").contains("MARK");
            assert_eq!(said.what.contains("MARK"), carried, "{failure:?}: {}", said.what);
        }
        for blocker in Blocker::ALL {
            for condition in [Condition::Fails, Condition::NotYetChecked, Condition::Practice] {
                let said = explain::blocker(&texts, *blocker, condition);
                assert!(!said.what.contains(['{', '}']) && said.what.chars().count() > 4, "{blocker:?}");
                assert!(is_worded(&said.todo), "{blocker:?}: {}", said.todo);
            }
        }
    }
}

#[test]
fn residents_get_one_neutral_line_without_names_paths_or_causes() {
    for texts in both() {
        for failure in failures() {
            let line = explain::for_resident(&texts, &failure);
            assert!(is_worded(&line) && !line.contains("MARK") && !line.contains('\n'), "{failure:?}: {line}");
        }
    }
}

/// Each key of a Fluent file with the variables its text uses.
fn keys(file: &str) -> std::collections::BTreeMap<String, Vec<String>> {
    let mut found: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    let mut key = String::new();
    for line in file.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if !line.starts_with(' ') {
            key = line.split('=').next().unwrap_or_default().trim().to_owned();
            assert!(found.insert(key.clone(), vec![]).is_none(), "{key} is there twice");
        }
        for part in line.split('$').skip(1) {
            let name: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            found.entry(key.clone()).or_default().push(name);
        }
    }
    found.values_mut().for_each(|names| {
        names.sort();
        names.dedup();
    });
    found
}

#[test]
fn both_languages_have_the_same_keys_and_variables() {
    for (chinese, english) in [
        (include_str!("../../i18n/zh-CN/menka.ftl"), include_str!("../../i18n/en/menka.ftl")),
        (include_str!("../../i18n/zh-CN/resident.ftl"), include_str!("../../i18n/en/resident.ftl")),
    ] {
        assert_eq!(keys(chinese), keys(english));
    }
    assert!(keys(include_str!("../../i18n/zh-CN/menka.ftl")).len() > 300, "the files were read");
}

#[test]
fn english_uses_narrow_quotes_because_the_chinese_font_draws_curly_ones_wide() {
    for file in [include_str!("../../i18n/en/menka.ftl"), include_str!("../../i18n/en/resident.ftl")] {
        assert!(!file.contains(['’', '‘', '“', '”']));
    }
}

#[test]
fn p51_5_all_faces_are_stopped_by_two_presses_and_every_page_says_so_until_it_is_over() {
    let mut staff = site_with(false, false);
    assert!(press(&mut staff, "stop-all").iter().all(|a| matches!(a, Action::None)), "asked first");
    let asked = commands(press(&mut staff, "deletion-yes"));
    assert!(matches!(asked[..], [StaffCommand::Deletion(DeletionCommand::StopFaces(None))]), "{asked:?}");
    let texts = Texts::new(Language::Chinese);
    let mut staff = site_with(false, true);
    staff.update(Message::Go(Route::Home));
    assert!(window(LARGE, staff.view(&texts)).find(id("faces-stopped")).is_ok());
}

#[test]
fn n8_12_a_renewal_asks_first_and_says_which_gate_is_left() {
    let mut staff = site_with(false, false);
    press(&mut staff, "renew");
    let asked = commands(press(&mut staff, "deletion-yes"));
    assert!(matches!(asked[..], [StaffCommand::Deletion(DeletionCommand::RenewTemplates)]), "{asked:?}");
    let told = DeletionEvent::Renewed { done: vec!["东门".into()], left: vec!["西门车库".into()] };
    staff.apply(StaffEvent::Deletion(told));
    for (texts, name) in both().into_iter().zip(["renewed-zh", "renewed-en"]) {
        let mut shown = window(SMALL, staff.view(&texts));
        assert!(shown.find(id("renewed")).is_ok());
        if let Some(folder) = std::env::var_os("MENKA_SHOTS") {
            let path = std::path::Path::new(&folder).join(name);
            assert!(shown.snapshot(&theme::theme()).unwrap().matches_image(path).unwrap());
        }
    }
}

#[test]
fn p47b_a_deletion_that_is_late_is_an_alarm_on_every_page() {
    let mut staff = unlocked();
    let late = SiteView { overdue: 1, open: vec![ending(true)], ..SiteView::default() };
    staff.apply(StaffEvent::Deletion(DeletionEvent::Site(Box::new(late))));
    for texts in both() {
        assert!(window(SMALL, staff.view(&texts)).find(id("endings-overdue")).is_ok());
    }
}

#[test]
fn p47b_a_switch_off_is_entered_with_time_and_name() {
    let mut staff = site_with(false, false);
    press(&mut staff, "switched-off-1");
    assert!(commands(press(&mut staff, "switched-save")).is_empty(), "time and name are needed");
    use staff::deletion::Message as M;
    staff.update(Message::Deletion(M::AtTyped("2026-11-22 10:30".into())));
    staff.update(Message::Deletion(M::ByTyped("保安老李".into())));
    let asked = commands(press(&mut staff, "switched-save"));
    let [StaffCommand::Deletion(DeletionCommand::SwitchedOff { gate, at, by })] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((*gate, at.as_str(), by.as_str()), (GateId::from_bytes([2; 16]), "2026-11-22 10:30", "保安老李"));
}

#[test]
fn p47b_a_switch_off_that_is_refused_keeps_what_was_typed() {
    use staff::deletion::{Message as M, SWITCHED_AT, SWITCHED_BY};
    let gate = GateId::from_bytes([2; 16]);
    let mut staff = site_with(false, false);
    press(&mut staff, "switched-off-1");
    staff.update(Message::Deletion(M::AtTyped("2026-11-22 1030".into())));
    staff.update(Message::Deletion(M::ByTyped("保安老李".into())));
    let refusals = [
        (FieldFault::SwitchedOffAt, SWITCHED_AT),
        (FieldFault::HeardSince(Timestamp::from_ms(1_795_310_000_000)), SWITCHED_AT),
        (FieldFault::Operator, SWITCHED_BY),
    ];
    for (fault, field) in refusals {
        assert_eq!(commands(press(&mut staff, "switched-save")).len(), 1, "{fault:?}");
        assert!(commands(press(&mut staff, "switched-save")).is_empty(), "once, until the desk has answered");
        let next = staff.apply(StaffEvent::Failed(Failure::Field(fault)));
        assert!(matches!(next, Action::Focus(id) if id == field), "{fault:?}: {next:?}");
        for texts in both() {
            let mut ui = window(LARGE, staff.view(&texts));
            assert!(ui.find("2026-11-22 1030").is_ok() && ui.find("保安老李").is_ok(), "{fault:?}: it is still there");
        }
    }
    staff.update(Message::Deletion(M::AtTyped("2026-11-22 10:30".into())));
    let asked = commands(press(&mut staff, "switched-save"));
    let [StaffCommand::Deletion(DeletionCommand::SwitchedOff { at, by, .. })] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((at.as_str(), by.as_str()), ("2026-11-22 10:30", "保安老李"), "only the time was typed again");
    staff.apply(StaffEvent::Deletion(DeletionEvent::SwitchedOff(gate)));
    for texts in both() {
        let mut ui = window(LARGE, staff.view(&texts));
        assert!(ui.find(id(SWITCHED_AT)).is_err() && ui.find(id("flash")).is_ok(), "entered: the form closes");
    }
    // Another gate has a time of its own.
    press(&mut staff, "switched-off-0");
    assert!(window(LARGE, staff.view(&Texts::new(Language::Chinese))).find("保安老李").is_err());
}

#[test]
fn p47_a_gate_out_of_use_that_has_not_signed_is_listed_and_looked_for_where_staff_say_it_is() {
    let mut staff = site_with(false, true);
    use staff::deletion::Message as M;
    press(&mut staff, "meet-0");
    assert!(commands(press(&mut staff, "meet-action")).is_empty(), "an address is needed");
    staff.update(Message::Deletion(M::AddressTyped(" 192.168.10.61:7443 ".into())));
    let asked = commands(press(&mut staff, "meet-action"));
    let [StaffCommand::Deletion(DeletionCommand::MeetFormer { gate, address })] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((*gate, address.as_str()), (GateId::from_bytes([7; 16]), "192.168.10.61:7443"));
    staff.apply(StaffEvent::Deletion(DeletionEvent::Met("东门".into())));
    for texts in both() {
        assert!(window(LARGE, staff.view(&texts)).find(id("flash")).is_ok());
    }
    press(&mut staff, "meet-0");
    press(&mut staff, "former-off-0");
    staff.update(Message::Deletion(M::AtTyped("2026-11-22 10:30".into())));
    staff.update(Message::Deletion(M::ByTyped("保安老李".into())));
    let asked = commands(press(&mut staff, "switched-save"));
    assert!(
        matches!(&asked[..], [StaffCommand::Deletion(DeletionCommand::SwitchedOff { gate, .. })] if *gate == GateId::from_bytes([7; 16]))
    );
    // Where every gate has signed, nothing is listed.
    for texts in both() {
        assert!(window(LARGE, site_with(false, false).view(&texts)).find(id("meet-0")).is_err());
    }
}

#[test]
fn p44_a_persons_doors_are_changed_after_a_question_and_news_do_not_turn_the_page() {
    let pages = || pages().into_iter().find(|(name, ..)| *name == "deletion-person").unwrap().1;
    let mut staff = pages();
    assert!(commands(press(&mut staff, "drop-0")).is_empty(), "asked first");
    let asked = commands(press(&mut staff, "deletion-yes"));
    let first = GateId::from_bytes([1; 16]);
    assert!(
        matches!(asked[..], [StaffCommand::Deletion(DeletionCommand::DropDoorFor { gate, .. })] if gate == first),
        "{asked:?}"
    );
    staff.apply(StaffEvent::Opened(Box::new(person(held()))));
    assert!(matches!(staff.page(), Page::Deletion(_)));
    let mut staff = pages();
    let saved = press(&mut staff, "certificate-0");
    assert!(matches!(saved[..], [Action::PickCertificatePath(..)]), "{saved:?}");
    let mut staff = pages();
    press(&mut staff, "close-0");
    let asked = commands(press(&mut staff, "deletion-yes"));
    assert!(matches!(asked[..], [StaffCommand::Deletion(DeletionCommand::CloseRecord { .. })]), "{asked:?}");
    staff.apply(StaffEvent::Locked { wait_ms: 0 });
    assert!(staff.known().deletion.person.is_none(), "nothing of anybody stays on a locked screen");
}

#[test]
fn the_first_screen_says_of_each_gate_whether_it_answers_is_in_step_waits_and_since_when_its_clock_and_version() {
    let mut staff = unlocked();
    let mut new = gate(4, "南门");
    (new.in_step, new.compared_at) = (None, None);
    let mut all = gates();
    all.push(new);
    staff.apply(StaffEvent::Gates(all));
    // Somebody is open: there is somebody to show.
    staff.apply(StaffEvent::Opened(Box::new(person(held()))));
    for texts in &both() {
        let mut ui = window((1366.0, 1600.0), staff.view(texts));
        assert!(ui.find("王𠮷小明").is_ok(), "their own page has them");
    }
    staff.update(Message::Go(Route::Home));
    let at = |ms| Timestamp::from_ms(ms).minute_text();
    let (seen, queued) = (at(1_795_317_000_000), at(1_795_310_000_000));
    let chinese = [
        "2/4 在线，待送 3 项".to_owned(),
        "在线".into(),
        "已同步".into(),
        "没有应答".into(),
        format!("上次核对 {seen}"),
        format!("待送 3 项，最早 {queued}"),
        "密钥变了，已停用".into(),
        "拒收 1 项".into(),
        "时钟不准".into(),
        "还没有核对".into(),
        format!("最后应答 {seen} · 时钟慢 0.4 秒 · 版本 0.1.0"),
        format!("最后应答 {seen} · 时钟快 95.0 秒 · 版本 0.1.0"),
    ];
    let english = [
        "2 of 4 answer, 3 waiting".to_owned(),
        "Answers".into(),
        "In step".into(),
        "Does not answer".into(),
        format!("last compared {seen}"),
        format!("3 waiting, oldest {queued}"),
        "Key changed, stopped".into(),
        "1 refused".into(),
        "Clock is off".into(),
        "not compared yet".into(),
        format!("Last answer {seen} · clock 0.4 s behind · version 0.1.0"),
        format!("Last answer {seen} · clock 95.0 s ahead · version 0.1.0"),
    ];
    for (texts, words) in both().iter().zip([chinese, english]) {
        let mut ui = window((1366.0, 1600.0), staff.view(texts));
        for said in words {
            assert!(ui.find(said.as_str()).is_ok(), "{said}");
        }
        for nobody in ["王𠮷小明", "王**", "3-1201"] {
            assert!(ui.find(nobody).is_err(), "gates and counts only: {nobody}");
        }
    }
}

#[test]
fn the_record_says_gate_by_gate_where_card_and_face_are_and_what_to_do() {
    let since = Timestamp::from_ms(1_795_310_000_000);
    let at_text = since.minute_text();
    let mut view = person(held());
    view.places = Places {
        card: vec![
            at(1, "东门", Place::Synced),
            at(2, "西门车库", Place::Pending(since)),
            at(3, "3 栋大堂", Place::Missing(since)),
            at(4, "地库门", Place::Refused(menka::domain::relay::reason::TWO_CARDS.into())),
            at(5, "南门", Place::OtherDay(since)),
        ],
        old_card: vec![at(1, "东门", Place::LeftOver(since))],
        face: vec![
            at(1, "东门", Place::Synced),
            at(2, "西门车库", Place::Missing(since)),
            at(3, "3 栋大堂", Place::LeftOver(since)),
        ],
    };
    let mut staff = unlocked();
    staff.apply(StaffEvent::Opened(Box::new(view)));
    let chinese = [
        "东门：已同步".to_owned(),
        format!("西门车库：待送，自 {at_text}"),
        format!("3 栋大堂：缺失，自 {at_text}"),
        "地库门：拒收".into(),
        "地库门 分不清这张卡和另一位住户的卡。 给其中一位住户换一张卡。".into(),
        format!("南门：有效期不对，自 {at_text}"),
        format!("东门：旧卡还在，自 {at_text}"),
        format!("西门车库：缺失，自 {at_text}"),
        format!("3 栋大堂：正在删除，自 {at_text}"),
        "人脸原来在，现在没有了。 请到“逐台核对”（控制板到“控制板”）恢复一致。".into(),
    ];
    let english = [
        "东门: there".to_owned(),
        format!("西门车库: waiting since {at_text}"),
        format!("3 栋大堂: missing since {at_text}"),
        "地库门: refused".into(),
        "地库门 cannot tell this card from another resident's. Issue another card to one of the two residents.".into(),
        format!("南门: other last day since {at_text}"),
        format!("东门: old card still there since {at_text}"),
        format!("西门车库: missing since {at_text}"),
        format!("3 栋大堂: being erased since {at_text}"),
        "The face was there and is gone. See \"Gate by gate\" (boards: \"Boards\") and have it put right.".into(),
    ];
    for (texts, words) in both().iter().zip([chinese, english]) {
        let mut ui = window((1366.0, 1600.0), staff.view(texts));
        for row in ["card-places", "old-card-places", "face-places"] {
            assert!(ui.find(id(row)).is_ok(), "{row}");
        }
        for said in words {
            assert!(ui.find(said.as_str()).is_ok(), "{said}");
        }
    }
}

#[test]
fn a_machine_with_a_warning_is_said_on_the_first_screen_to_everybody_who_sees_gates() {
    for role in [Role::FrontDesk, Role::Supervisor, Role::Technician] {
        let mut staff = unlocked();
        let standing = Standing::Works(CivilDate::parse("2027-11-21").unwrap());
        staff.apply(StaffEvent::Operators(OperatorsEvent::Entered { role, standing }));
        staff.apply(StaffEvent::Posture(PostureEvent::Report(super::ui_machine::troubled())));
        staff.update(Message::Go(Route::Home));
        press(&mut staff, "home-machine");
        assert!(matches!(staff.page(), Page::Machine(_)), "{role:?}");
        // The pages of the settings are offered to the supervisor only.
        let texts = &both()[0];
        let tabs = window(LARGE, staff.view(texts)).find(id("settings-gates")).is_ok();
        assert_eq!(tabs, role == Role::Supervisor, "{role:?}");
    }
}
