//! The staff window: messages in, actions out; every page in both languages and both sizes.

use iced::{Element, Settings, Size};
use iced_test::Simulator;
use menka::app::event::{
    CardRead, CardView, FaceState, Failure, FieldFault, ResidentRow, ResidentView, StaffEvent,
};
use menka::domain::Realm;
use menka::domain::card::CardUid;
use menka::domain::gate::GateStatus;
use menka::domain::id::{GateId, ResidentId};
use menka::domain::notice::Language;
use menka::domain::permit::{Blocker, Condition};
use menka::domain::resident::{AgeBand, PersonName, Resident, ResidentError, Unit};
use menka::domain::site::{Fact, SiteFacts};
use menka::domain::time::{CivilDate, Timestamp};
use menka::i18n::Texts;
use menka::ui::staff::{self, Message, Route, Staff};
use menka::ui::theme;

/// The fonts once for the whole binary: loading ten megabytes for every simulator would take seconds.
fn settings() -> Settings {
    static FONTS: std::sync::Once = std::sync::Once::new();
    let mut settings = theme::settings();
    let fonts = std::mem::take(&mut settings.fonts);
    FONTS.call_once(|| {
        let mut system = iced_test::renderer::graphics::text::font_system().write().unwrap();
        fonts.into_iter().for_each(|font| system.load_font(font));
    });
    settings
}

fn window<'a, M>(size: (f32, f32), view: Element<'a, M>) -> Simulator<'a, M> {
    Simulator::with_size(settings(), Size::new(size.0, size.1), view)
}

const LARGE: (f32, f32) = (1366.0, 768.0);
const SMALL: (f32, f32) = (1024.0, 600.0);

fn both() -> [Texts; 2] {
    [Texts::new(Language::Chinese), Texts::new(Language::English)]
}

fn gate(n: u8, name: &str) -> GateStatus {
    GateStatus {
        id: GateId::from_bytes([n; 16]),
        name: name.into(),
        reachable: true,
        last_seen_at: Some(Timestamp::from_ms(1_795_317_000_000)),
        pending: 0,
        wedged: 0,
        oldest_pending_at: None,
        clock_drift_ms: Some(-420),
        version: Some("0.1.0".into()),
        card_way_tested: true,
        key_changed: false,
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

fn person(face: FaceState) -> ResidentView {
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
        face,
    }
}

fn held() -> FaceState {
    FaceState::Held {
        gates: vec![(GateId::from_bytes([1; 16]), "东门".into())],
        ends_on: CivilDate::parse("2027-06-30").unwrap(),
    }
}

fn read(taken: bool) -> CardRead {
    CardRead { uid: CardUid::from_wedge("04A1B2C3").unwrap(), last4: "B2C3".into(), taken }
}

fn unlocked() -> Staff {
    let mut staff = Staff::new(Realm::Practice);
    staff.apply(StaffEvent::Unlocked { operator: "李前台".into() });
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
    results.apply(StaffEvent::Found {
        rows: vec![row(1, "王**", true), row(2, "李*", false)],
        more: true,
    });
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
        ("home-trouble", troubled, vec!["home-search", "reader-said", "flash-close"]),
        ("record-issue", issuing, vec!["record-edit", "record-close", "card-field", "card-gate-2"]),
        ("record-face", face, vec!["stop", "card-field"]),
        ("record-withdraw", withdrawing, vec!["record-close", "card-field"]),
        ("form", at(Route::Add), vec!["form-name", "form-unit", "form-ends-on", "form-band-14", "form-save", "form-back"]),
        ("form-wrong", wrong, vec!["form-name", "form-next-band"]),
        ("facts", at(Route::Facts), vec!["settings-gates", "facts-save", "facts-group-terms", "site_name"]),
        ("gates", at(Route::Gates), vec!["settings-facts", "pair-open", "gate-test-0"]),
        ("pair", pairing, vec!["pair-name", "pair-address"]),
        ("why", at(Route::WhyOff), vec!["why-facts", "why-gates", "why-cards-work"]),
    ]
}

/// Writes pictures of every page into the folder named by `MENKA_PICTURES`; without it, draws nothing.
#[test]
fn pictures_of_every_page_for_looking_at() {
    let Some(folder) = std::env::var_os("MENKA_PICTURES") else { return };
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
