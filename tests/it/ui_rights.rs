//! The pages about requests and rights, in both windows: what can be pressed, what comes of it, and that both languages fit both screens.

use std::path::PathBuf;
use std::sync::Arc;

use iced::Size;
use iced_test::Simulator;
use iced_test::selector::id;
use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{Event, FaceState, Failure, ResidentScene, ResidentView, StaffEvent};
use menka::app::rights::{
    AllHeld, ChangeView, CopyTrouble, MineView, OwnFaceAct, OwnFaceScene, RequestFault, RequestView, RightsAct,
    RightsCommand, RightsScene, RightsTold,
};
use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::notice::Language;
use menka::domain::resident::{AgeBand, PersonName, Resident as Person, Unit};
use menka::domain::rights::{Came, Clock, Field, Identity, RequestCounts, RequestKind, RequestLine, RequestNo};
use menka::domain::time::{CivilDate, Timestamp};
use menka::i18n::Texts;
use menka::notice::{Rendered, Text, render};
use menka::secret::Typed;
use menka::ui::resident::{self, LetterSize, Resident};
use menka::ui::staff::{self, Route, Staff};
use menka::ui::theme;

const BOTH: [Language; 2] = [Language::Chinese, Language::English];
const SCREENS: [Size; 2] = [Size::new(1366.0, 768.0), Size::new(1024.0, 600.0)];

fn day(text: &str) -> CivilDate {
    CivilDate::parse(text).unwrap()
}

fn number(n: u32) -> RequestNo {
    RequestNo::new(n, day("2026-11-22"))
}

fn text(text: Text, language: Language) -> Rendered {
    render(text, language, &super::notice::all_values(language)).unwrap()
}

// -- the resident window -------------------------------------------------------

fn mine(has_face: bool, restricted: bool, busy: bool) -> RightsScene {
    let change = |field, old: &str, new: &str| ChangeView { field, old: old.into(), new: new.into() };
    RightsScene::Mine(Box::new(MineView {
        masked_name: "王**".into(),
        changes: if busy {
            vec![change(Field::Name, "王𠮷明", "王吉明"), change(Field::AgeBand, "14-to-17", "adult")]
        } else {
            vec![]
        },
        restricted,
        has_face,
        redo: false,
        waiting: if busy { vec![("2026-0003".into(), RequestKind::Complaint, day("2026-12-02"))] } else { vec![] },
    }))
}

/// Every scene with the ids of what can be pressed on it at once.
pub fn scenes(language: Language) -> Vec<(&'static str, RightsScene, Vec<&'static str>)> {
    let all = AllHeld(Arc::new(text(Text::Held, language)));
    vec![
        ("mine-tap", RightsScene::Tap { failure: None }, vec!["back"]),
        (
            "mine-tap-died",
            RightsScene::Tap { failure: Some(Failure::Request(RequestFault::Died)) },
            vec!["tap-trouble", "back"],
        ),
        (
            "mine",
            mine(true, false, false),
            vec!["mine-see", "mine-correct", "mine-pause", "mine-withdraw", "mine-refuse", "mine-explain", "back"],
        ),
        ("mine-busy", mine(false, true, true), vec!["change-right", "change-wrong", "back"]),
        ("all", RightsScene::All { text: all.clone(), saved_to: None }, vec!["mine-list", "save-paper", "save-copy"]),
        (
            "all-saved",
            RightsScene::All { text: all, saved_to: Some("/media/stick/my.pdf".into()) },
            vec!["saved", "save-copy"],
        ),
        (
            "asked",
            RightsScene::Asked { number: "2026-0007".into(), kind: RequestKind::Complaint, due_on: day("2026-12-02") },
            vec!["mine-list", "back"],
        ),
        ("mine-redo", mine_redo(), vec!["mine-redo", "mine-withdraw", "back"]),
        (
            "copy",
            RightsScene::OwnFace(OwnFaceScene::Copy { trouble: None, saved_to: None }),
            vec!["copy-first", "copy-again", "copy-save", "mine-list"],
        ),
        (
            "copy-away",
            RightsScene::OwnFace(OwnFaceScene::Copy {
                trouble: Some(CopyTrouble::Away(vec!["东门".into(), "地下车库".into()])),
                saved_to: None,
            }),
            vec!["copy-trouble", "copy-first", "copy-save", "mine-list"],
        ),
        (
            "copy-saved",
            RightsScene::OwnFace(OwnFaceScene::Copy {
                trouble: None,
                saved_to: Some("/media/stick/menka-my-face.menka".into()),
            }),
            vec!["mine-list", "back"],
        ),
        ("redo", redo([false, false], false, false), vec!["redo-confirm", "mine-list"]),
        ("redo-away", redo([true, false], true, false), vec!["redo-begin", "back"]),
        ("redo-ready", redo([true, true], true, true), vec!["redo-begin", "back"]),
        (
            "refuse-face",
            RightsScene::RefuseFace { gates: vec!["东门".into(), "西门".into()] },
            vec!["refuse-confirm", "mine-list"],
        ),
    ]
    .into_iter()
    .chain(super::ui_duties::shown_scenes(language))
    .collect()
}

fn redo(gone: [bool; 2], confirmed: bool, ready: bool) -> RightsScene {
    let gates = ["东门", "地下车库"].into_iter().map(str::to_owned).zip(gone).collect();
    RightsScene::OwnFace(OwnFaceScene::Redo { gates, confirmed, ready })
}

/// The own page while a bad template is being erased.
fn mine_redo() -> RightsScene {
    match mine(true, false, false) {
        RightsScene::Mine(mine) => RightsScene::Mine(Box::new(MineView { redo: true, ..*mine })),
        other => other,
    }
}

fn window(language: Language, scene: ResidentScene) -> Resident {
    let mut window = Resident::default();
    window.apply(&Event::Realm(Realm::Practice));
    window.apply(&Event::ResidentLanguage(language));
    window.apply(&Event::Resident(scene));
    window
}

fn show<'a>(window: &'a Resident, texts: &'a Texts, size: Size) -> Simulator<'a, resident::Message> {
    Simulator::with_size(theme::settings(), size, window.view(texts))
}

/// Presses what has this id and gives the last action.
fn press(window: &mut Resident, texts: &Texts, at: &str) -> resident::Action {
    let messages: Vec<resident::Message> = {
        // As tall as any page, so that nothing has to be scrolled to.
        let mut ui = show(window, texts, Size::new(1366.0, 24_000.0));
        ui.click(id(at.to_owned())).unwrap_or_else(|error| panic!("{at}: {error}"));
        ui.into_messages().collect()
    };
    let mut last = resident::Action::None;
    for message in messages {
        if !matches!(message, resident::Message::EndShown | resident::Message::Scrolled(_)) {
            last = window.update(message);
        }
    }
    last
}

fn shots() -> Option<PathBuf> {
    std::env::var_os("MENKA_SHOTS").map(PathBuf::from)
}

#[test]
fn every_own_page_shows_its_actions_in_both_languages_sizes_and_letters() {
    for language in BOTH {
        let texts = Texts::new(language);
        for (name, scene, ids) in scenes(language) {
            for size in SCREENS {
                for letters in LetterSize::ALL {
                    let mut window = window(language, ResidentScene::Rights(scene.clone()));
                    window.update(resident::Message::SizePressed(letters));
                    let mut ui = show(&window, &texts, size);
                    for what in &ids {
                        let found = ui.find(id(*what)).unwrap_or_else(|_| panic!("{name}: {what} is not there"));
                        let whole = found.bounds();
                        assert!(
                            whole.x >= 0.0 && whole.x + whole.width <= size.width + 0.5,
                            "{name}: {what} is cut off"
                        );
                        // In large letters a page may have to be scrolled; the foot is always in view.
                        let foot = [
                            "back",
                            "mine-list",
                            "save-paper",
                            "save-copy",
                            "refuse-confirm",
                            "shown-list",
                            "shown-save",
                        ]
                        .contains(what);
                        if letters == LetterSize::Standard && size == SCREENS[0] || foot {
                            assert!(found.visible_bounds().is_some(), "{name} {letters:?}: {what} is out of sight");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_way_to_ones_own_information_is_on_the_first_page_and_quiet() {
    for language in BOTH {
        let texts = Texts::new(language);
        for face_offered in [true, false] {
            for size in SCREENS {
                let mut window = window(language, ResidentScene::Idle { face_offered, site: "青禾苑".into() });
                {
                    let mut ui = show(&window, &texts, size);
                    let found = ui.find(id("ask-mine")).unwrap();
                    assert!(found.visible_bounds().is_some_and(|seen| seen.height >= found.bounds().height - 1.0));
                }
                let action = press(&mut window, &texts, "ask-mine");
                assert!(matches!(action, resident::Action::Ask(ResidentCommand::Rights(RightsAct::AskMine))));
            }
        }
    }
}

#[test]
fn p45a_each_button_of_the_own_page_asks_for_its_act() {
    use RightsAct as A;
    let texts = Texts::new(Language::Chinese);
    let asked = |scene: RightsScene, what: &str| {
        let mut window = window(Language::Chinese, ResidentScene::Rights(scene));
        match press(&mut window, &texts, what) {
            resident::Action::Ask(ResidentCommand::Rights(act)) => format!("{act:?}"),
            other => format!("{other:?}"),
        }
    };
    let expect: [(&str, RightsAct); 7] = [
        ("mine-see", A::SeeAll),
        ("mine-correct", A::Ask(RequestKind::Correct)),
        ("mine-pause", A::Ask(RequestKind::Pause)),
        ("mine-withdraw", A::Withdraw),
        ("mine-refuse", A::RefuseFace),
        ("mine-complaint", A::Ask(RequestKind::Complaint)),
        ("mine-close", A::Ask(RequestKind::Close)),
    ];
    for (what, act) in expect {
        assert_eq!(asked(mine(true, false, false), what), format!("{act:?}"), "{what}");
    }
    assert_eq!(asked(mine(false, true, true), "mine-allow"), format!("{:?}", A::AllowFace));
    assert_eq!(asked(mine(false, true, true), "change-right"), format!("{:?}", A::ConfirmChanges));
    assert_eq!(asked(mine(false, true, true), "change-wrong"), format!("{:?}", A::Ask(RequestKind::Correct)));
    let all = RightsScene::All { text: AllHeld(Arc::new(text(Text::Held, Language::Chinese))), saved_to: None };
    assert_eq!(asked(all, "save-copy"), "PickRightsPath(Copy)");
    let own = |act: OwnFaceAct| format!("{:?}", A::OwnFace(act));
    assert_eq!(asked(mine(true, false, false), "mine-template"), own(OwnFaceAct::AskCopy));
    assert_eq!(asked(mine(true, false, false), "mine-redo"), own(OwnFaceAct::AskRedo));
    assert_eq!(asked(redo([false; 2], false, false), "redo-confirm"), own(OwnFaceAct::ConfirmRedo));
    assert_eq!(asked(redo([true; 2], true, true), "redo-begin"), own(OwnFaceAct::BeginRedo));
    assert_eq!(asked(redo([true, false], true, false), "redo-begin"), "None", "not before the last gate");
    // The two answers of the refusal are of the same size: neither is nudged.
    let scene = RightsScene::RefuseFace { gates: vec![] };
    let window = window(Language::Chinese, ResidentScene::Rights(scene));
    let mut ui = show(&window, &texts, SCREENS[0]);
    let (left, right) = (ui.find(id("refuse-confirm")).unwrap(), ui.find(id("mine-list")).unwrap());
    assert_eq!(left.bounds().size(), right.bounds().size());
}

// Shows: P45a
#[test]
fn p45a_a_copy_waits_for_a_pass_phrase_typed_twice_and_what_was_typed_goes_with_the_page() {
    let texts = Texts::new(Language::Chinese);
    let page = || RightsScene::OwnFace(OwnFaceScene::Copy { trouble: None, saved_to: None });
    let mut window = window(Language::Chinese, ResidentScene::Rights(page()));
    let save = |window: &mut Resident| format!("{:?}", press(window, &texts, "copy-save"));
    let type_it = |window: &mut Resident, again: bool, text: &str| {
        let typed = resident::rights::Message::PhraseTyped(again, Typed::new(text.into()));
        assert!(matches!(window.update(resident::Message::Rights(typed)), resident::Action::None));
    };
    assert_eq!(save(&mut window), "None", "nothing typed");
    for (first, again, says) in [("19800101", "19800101", "None"), ("桥下的风吹过三遍", "桥下的风", "None")]
    {
        type_it(&mut window, false, first);
        type_it(&mut window, true, again);
        assert_eq!(save(&mut window), says, "{first} {again}");
    }
    type_it(&mut window, true, "桥下的风吹过三遍");
    if let Some(folder) = shots() {
        let mut ui = show(&window, &texts, SCREENS[0]);
        ui.snapshot(&theme::theme()).unwrap().matches_image(folder.join("own-copy-typed.png")).unwrap();
    }
    assert_eq!(save(&mut window), "PickRightsPath(Template)");
    let picked = resident::rights::Message::PathPicked(resident::rights::Pick::Template, Some("/x/f.menka".into()));
    match window.update(resident::Message::Rights(picked)) {
        resident::Action::Ask(ResidentCommand::Rights(RightsAct::OwnFace(OwnFaceAct::MakeCopy {
            first,
            again,
            path,
        }))) => {
            assert!(first.same_as(&again) && first.chars() == 8);
            assert_eq!(path, PathBuf::from("/x/f.menka"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(save(&mut window), "None", "handed over, and empty again");
    type_it(&mut window, false, "桥下的风吹过三遍");
    type_it(&mut window, true, "桥下的风吹过三遍");
    window.apply(&Event::Resident(ResidentScene::Rights(mine(true, false, false))));
    window.apply(&Event::Resident(ResidentScene::Rights(page())));
    assert_eq!(save(&mut window), "None", "wiped with its page");
}

#[test]
fn p48_each_section_of_the_notice_is_explained_by_one_tap() {
    for language in BOTH {
        let texts = Texts::new(language);
        let shown = Arc::new(text(Text::Notice, language));
        let scene = ResidentScene::Notice { masked_name: "王**".into(), text: shown, reached_end: false };
        let mut window = window(language, scene);
        for section in 1..=17u8 {
            let action = press(&mut window, &texts, &format!("explain-{section}"));
            assert!(
                matches!(action, resident::Action::Ask(ResidentCommand::Rights(RightsAct::Explain(n))) if n == section)
            );
            let mut ui = show(&window, &texts, Size::new(1366.0, 24_000.0));
            assert!(ui.find(id(format!("explained-{section}"))).is_ok());
        }
        // On the public rules the same, without a card; what comes of it there is nobody's affair.
        let texts_shown = vec![Arc::new(text(Text::OtherWays, language)), Arc::new(text(Text::Notice, language))];
        let mut public = self::window(language, ResidentScene::Rules { texts: texts_shown });
        press(&mut public, &texts, "explain-17");
        let mut ui = show(&public, &texts, Size::new(1366.0, 24_000.0));
        assert!(ui.find(id("explained-17")).is_ok());
        drop(ui);
        // A second press closes the panel, and nobody is told.
        assert!(matches!(press(&mut window, &texts, "explain-5"), resident::Action::None));
        let mut ui = show(&window, &texts, Size::new(1366.0, 24_000.0));
        assert!(ui.find(id("explained-5")).is_err());
    }
}

// -- the staff window ----------------------------------------------------------

fn line(n: u32, kind: RequestKind, clock: Clock, decided: bool, refused: bool) -> RequestLine {
    RequestLine {
        no: number(n),
        resident: Some(ResidentId::from_bytes([7; 16])),
        kind,
        came: if n.is_multiple_of(2) { Came::Window } else { Came::Letter },
        received_at: Timestamp::from_ms(1_795_317_000_000),
        due_on: day("2026-12-02"),
        decided,
        refused,
        clock,
    }
}

fn lines() -> Vec<RequestLine> {
    vec![
        line(3, RequestKind::Complaint, Clock::Overdue { days: 2 }, false, false),
        line(4, RequestKind::Pause, Clock::Soon { days: 0 }, true, false),
        line(9, RequestKind::Close, Clock::Soon { days: 3 }, true, true),
        line(12, RequestKind::AfterDeath, Clock::Running { days: 11 }, false, false),
    ]
}

fn opened() -> Staff {
    let mut staff = Staff::new(Realm::Practice);
    staff.apply(StaffEvent::Unlocked { operator: "李前台".into() });
    let resident = Person {
        id: ResidentId::from_bytes([7; 16]),
        name: PersonName::parse("王𠮷小明").unwrap(),
        unit: Unit::parse("3-1201").unwrap(),
        age_band: AgeBand::Adult,
        next_band_on: None,
        ends_on: day("2027-06-30"),
    };
    staff.apply(StaffEvent::Opened(Box::new(ResidentView {
        resident,
        card: None,
        face: FaceState::None,
        places: Default::default(),
    })));
    staff
}

fn told(staff: &mut Staff, told: RightsTold) {
    staff.apply(StaffEvent::Rights(told));
}

fn requests(staff: &mut Staff) {
    staff.update(staff::Message::Go(Route::Rights));
    told(staff, RightsTold::Register(lines()));
}

fn view(at: usize, letter: Option<&str>) -> RightsTold {
    RightsTold::Request(Box::new(RequestView {
        line: lines()[at].clone(),
        person: Some(("王𠮷小明".into(), "3-1201".into())),
        identity: Some(Identity::ActsForPerson),
        asker: "王大明，父亲".into(),
        words: "东门的人脸先不用了".into(),
        letter: letter.map(str::to_owned),
    }))
}

/// Every page with the ids of what can be pressed there at once.
fn pages() -> Vec<(&'static str, Staff, Vec<&'static str>)> {
    use staff::rights::Message as M;
    let with = |act: &dyn Fn(&mut Staff)| {
        let mut staff = opened();
        requests(&mut staff);
        act(&mut staff);
        staff
    };
    let send = |staff: &mut Staff, message: M| {
        staff.update(staff::Message::Rights(message));
    };
    let mut home = Staff::new(Realm::Practice);
    home.apply(StaffEvent::Unlocked { operator: "李前台".into() });
    told(&mut home, RightsTold::Counts(RequestCounts { open: 4, soon: 2, overdue: 1 }));
    let mut nobody = Staff::new(Realm::Practice);
    nobody.apply(StaffEvent::Unlocked { operator: "李前台".into() });
    requests(&mut nobody);
    let letter =
        "王𠮷小明：您于 2026-11-22 10:00 提出注销（编号 2026-0009）。您可以投诉、举报，也可以依法向人民法院起诉。";
    vec![
        ("home-counts", home, vec!["home-requests", "go-rights"]),
        ("requests-nobody", nobody, vec!["rights-nobody", "rights-receive", "rights-line-0"]),
        (
            "requests",
            with(&|_| ()),
            vec!["rights-see", "rights-paper", "rights-copy", "rights-died", "rights-receive", "rights-back"],
        ),
        ("requests-taken", with(&|s| told(s, RightsTold::Received(number(13)))), vec!["rights-said", "rights-see"]),
        (
            "receive",
            with(&|s| send(s, M::ReceivePressed)),
            vec!["kind-see", "kind-complaint", "came-phone", "identity-document-seen", "request-take", "rights-back"],
        ),
        ("request", with(&|s| told(s, view(0, None))), vec!["request-grant", "request-refuse", "rights-back"]),
        ("request-granted", with(&|s| told(s, view(1, None))), vec!["request-answer", "request-finish"]),
        (
            "refuse",
            with(&|s| {
                told(s, view(0, None));
                send(s, M::RefusePressed);
            }),
            vec!["refuse-part", "refuse-reason", "refuse-basis", "refuse-letter"],
        ),
        ("letter", with(&|s| told(s, view(2, Some(letter)))), vec!["request-refused", "letter-save"]),
        ("refuse-face", with(&|s| send(s, M::RefuseFacePressed)), vec!["rights-back", "refuse-face-yes"]),
        ("died", with(&|s| send(s, M::DiedPressed)), vec!["died-kin", "died-relation", "died-confirm"]),
        (
            "see-all",
            with(&|s| told(s, RightsTold::All(AllHeld(Arc::new(text(Text::Held, Language::Chinese)))))),
            vec!["rights-paper", "rights-back"],
        ),
    ]
}

fn settings() -> iced::Settings {
    theme::settings()
}

#[test]
fn every_page_of_requests_shows_its_actions_in_both_languages_and_sizes() {
    for language in BOTH {
        let texts = Texts::new(language);
        for (name, staff, ids) in pages() {
            for size in SCREENS {
                let mut ui = Simulator::with_size(settings(), size, staff.view(&texts));
                for what in &ids {
                    let found = ui.find(id(*what)).unwrap_or_else(|_| panic!("{name}: {what} is not there"));
                    let whole = found.bounds();
                    assert!(whole.x >= 0.0 && whole.x + whole.width <= size.width, "{name}: {what} is cut off");
                    let seen = found.visible_bounds();
                    assert!(seen.is_some() || size == SCREENS[1], "{name}: {what} is out of sight");
                }
            }
        }
    }
}

fn staff_press(staff: &mut Staff, what: &str) -> Vec<staff::Action> {
    let texts = Texts::new(Language::Chinese);
    let messages: Vec<staff::Message> = {
        let mut ui = Simulator::with_size(settings(), Size::new(1366.0, 2000.0), staff.view(&texts));
        ui.click(id(what.to_owned())).unwrap_or_else(|error| panic!("{what}: {error}"));
        ui.into_messages().collect()
    };
    messages.into_iter().map(|message| staff.update(message)).collect()
}

#[test]
fn p50_from_the_list_over_the_letter_to_its_handing_over() {
    use staff::rights::Message as M;
    let mut staff = opened();
    let shown = staff.update(staff::Message::Go(Route::Rights));
    assert!(matches!(shown, staff::Action::Ask(StaffCommand::Rights(RightsCommand::Show))), "the record stays open");
    told(&mut staff, RightsTold::Register(lines()));
    let asked = staff_press(&mut staff, "rights-line-0");
    assert!(
        matches!(&asked[..], [staff::Action::Ask(StaffCommand::Rights(RightsCommand::Open(no)))] if *no == number(3))
    );
    told(&mut staff, view(0, None));
    staff_press(&mut staff, "request-refuse");
    for message in [M::PartTyped("全部".into()), M::ReasonTyped("理由".into()), M::BasisTyped("依据".into())] {
        staff.update(staff::Message::Rights(message));
    }
    let asked = staff_press(&mut staff, "refuse-letter");
    assert!(matches!(&asked[..], [staff::Action::Ask(StaffCommand::Rights(RightsCommand::Refuse { no, words }))]
            if *no == number(3) && words.part == "全部" && words.basis == "依据"));
    told(&mut staff, view(2, Some("信")));
    assert!(matches!(
        &staff_press(&mut staff, "letter-save")[..],
        [staff::Action::PickPath(staff::rights::Pick::Letter)]
    ));
    let picked = M::PathPicked(staff::rights::Pick::Letter, Some("/x/letter.pdf".into()));
    let asked = staff.update(staff::Message::Rights(picked));
    assert!(
        matches!(asked, staff::Action::Ask(StaffCommand::Rights(RightsCommand::SaveLetter { no, .. })) if no == number(9))
    );
    // Done: it is off the list, and so is the page.
    told(&mut staff, RightsTold::Register(vec![]));
    assert!(matches!(staff.page(), staff::Page::Rights(page) if page.mode() == staff::rights::Mode::List));
}

#[test]
fn p49_a_death_takes_two_fields_and_never_a_number() {
    let mut staff = opened();
    requests(&mut staff);
    staff_press(&mut staff, "rights-died");
    use staff::rights::Message as M;
    staff.update(staff::Message::Rights(M::KinTyped("王敏".into())));
    staff.update(staff::Message::Rights(M::RelationTyped("女儿".into())));
    let asked = staff_press(&mut staff, "died-confirm");
    assert!(matches!(&asked[..], [staff::Action::Ask(StaffCommand::Rights(RightsCommand::Died { kin, relation, .. }))]
            if kin == "王敏" && relation == "女儿"));
    // Without an open record nothing about a person can be asked.
    let mut nobody = Staff::new(Realm::Practice);
    nobody.apply(StaffEvent::Unlocked { operator: "李前台".into() });
    requests(&mut nobody);
    for message in [M::SeeAllPressed, M::ExplainedPressed, M::RefuseFaceConfirmed, M::DiedConfirmed] {
        assert!(matches!(nobody.update(staff::Message::Rights(message)), staff::Action::None));
    }
    // A list of requests names nobody.
    let texts = Texts::new(Language::Chinese);
    let mut ui = Simulator::with_size(settings(), SCREENS[0], nobody.view(&texts));
    assert!(ui.find("王𠮷小明").is_err());
}

/// Writes pictures of every page into the folder named by `MENKA_SHOTS`; without it, draws nothing.
#[test]
fn pictures_of_every_page_about_rights_for_looking_at() {
    let Some(folder) = shots() else { return };
    for language in BOTH {
        let texts = Texts::new(language);
        let mut residents: Vec<(String, Resident)> = vec![];
        for (name, scene, _) in scenes(language) {
            for letters in LetterSize::ALL {
                let mut window = window(language, ResidentScene::Rights(scene.clone()));
                window.update(resident::Message::SizePressed(letters));
                residents.push((format!("rights-{name}-{letters:?}"), window));
            }
        }
        residents.push((
            "rights-idle".into(),
            window(language, ResidentScene::Idle { face_offered: true, site: "青禾苑".into() }),
        ));
        let shown = Arc::new(text(Text::Notice, language));
        let mut notice =
            window(language, ResidentScene::Notice { masked_name: "王**".into(), text: shown, reached_end: false });
        notice.update(resident::Message::Rights(resident::rights::Message::ExplainPressed(1)));
        residents.push(("rights-notice".into(), notice));
        let sizes = [("1366", SCREENS[0]), ("1024", SCREENS[1])];
        for (label, size) in sizes {
            for (name, window) in &residents {
                let size = if name == "rights-notice" { Size::new(size.width, 2400.0) } else { size };
                let path = folder.join(format!("{name}-{}-{label}", language.tag()));
                assert!(show(window, &texts, size).snapshot(&theme::theme()).unwrap().matches_image(path).unwrap());
            }
            for (name, staff, _) in pages() {
                let mut ui = Simulator::with_size(settings(), size, staff.view(&texts));
                let path = folder.join(format!("staff-{name}-{}-{label}", language.tag()));
                assert!(ui.snapshot(&theme::theme()).unwrap().matches_image(path).unwrap());
            }
        }
    }
}
