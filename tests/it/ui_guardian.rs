//! The pages of guardians, children, wards and of the form on paper: what can be pressed, what comes of it, that both languages fit both
//! screens in every letter size, and that nobody is nudged.

use std::path::PathBuf;

use iced::{Rectangle, Size};
use iced_test::Simulator;
use iced_test::selector::{Target, id};
use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::event::{Event, FaceState, Failure, FieldFault, ResidentScene, ResidentView, StaffEvent};
use menka::app::guardian::{GuardianAct, GuardianScene};
use menka::app::guardian_desk::{GuardianCommand, GuardianEvent, GuardianView};
use menka::app::on_paper::{FormCommand, FormView};
use menka::domain::Realm;
use menka::domain::consent::Signature;
use menka::domain::guardian::{Decider, GuardianError, GuardianRole, MinorsFigures, ProofSeen, View};
use menka::domain::id::ResidentId;
use menka::domain::notice::Language;
use menka::domain::resident::{AgeBand, PersonName, Resident as Record, Unit};
use menka::domain::time::{CivilDate, Timestamp};
use menka::i18n::Texts;
use menka::notice::{
    GuardianCase, Text, Values, childs_words, decision_page, guardian_values, plain, render, statement,
};
use menka::ui::resident::{self, LetterSize, Message, Resident, SignMessage, guardian};
use menka::ui::staff::{self, Route, Staff};
use menka::ui::theme;

const BOTH: [Language; 2] = [Language::Chinese, Language::English];
const SCREENS: [Size; 2] = [Size::new(1366.0, 768.0), Size::new(1024.0, 600.0)];
const WHO: ResidentId = ResidentId::from_bytes([7; 16]);

fn shots() -> Option<PathBuf> {
    std::env::var_os("MENKA_SHOTS").map(PathBuf::from)
}

fn keep<M>(ui: &mut Simulator<'_, M>, name: &str, language: Language, size: Size, more: &str) {
    if let Some(folder) = shots() {
        let file = format!("guardian-{name}-{}-{}{more}", language.tag(), size.width);
        let _ = ui.snapshot(&theme::theme()).unwrap().matches_image(folder.join(file)).unwrap();
    }
}

fn bounds<M>(ui: &mut Simulator<'_, M>, at: &'static str) -> (Rectangle, Option<Rectangle>) {
    match ui.find(id(at)).unwrap_or_else(|error| panic!("{at}: {error}")) {
        Target::Container { bounds, visible_bounds, .. } => (bounds, visible_bounds),
        other => panic!("{at} is {other:?}"),
    }
}

// ---- the resident window

/// Everything that a text can ask for, with a guardian as a desk would know one.
fn values(language: Language, decider: Decider) -> Values {
    let mut values = super::notice::all_values(language);
    let (role, proof) = match decider {
        Decider::WardsGuardian => (GuardianRole::Spouse, ProofSeen::CourtDecision),
        _ => (GuardianRole::Mother, ProofSeen::HouseholdBook),
    };
    let case =
        GuardianCase { decider, person: "周小雨", role, proof, checked_by: "李前台", view: Some(View::Yes) };
    guardian_values(&mut values, language, &case);
    values
}

fn consent_scene(text: Text, language: Language) -> GuardianScene {
    let decider = if text == Text::WardConsent { Decider::WardsGuardian } else { Decider::ChildsGuardian };
    let page = decision_page(text, language, &values(language, decider)).unwrap();
    GuardianScene::Consent {
        title: page.title,
        preamble: page.preamble,
        sentence: page.sentence,
        buttons: (page.no, page.yes),
    }
}

/// Every page with the ids of what can be pressed on it.
pub fn scenes(language: Language) -> Vec<(&'static str, GuardianScene, Vec<&'static str>)> {
    let values = values(language, Decider::ChildsGuardian);
    let rules = render(Text::ChildrensRules, language, &values).unwrap().markdown;
    let plain_words = plain(&render(Text::WardWords, language, &values).unwrap().markdown);
    let ward = plain_words.lines().map(str::to_owned).collect();
    let no = "不录人脸，只用门禁卡".to_owned();
    let form = |seen| GuardianScene::Form { number: "7F3A2C91".into(), seen, no: no.clone() };
    let words = statement(Text::GuardianInformed, language, &values).unwrap();
    vec![
        ("child", GuardianScene::Ask { is_child: true, words: childs_words(&rules) }, vec!["view-no", "view-yes"]),
        ("ward", GuardianScene::Ask { is_child: false, words: ward }, vec!["view-no", "view-yes"]),
        ("consent", consent_scene(Text::GuardianConsent, language), vec!["no", "yes"]),
        ("ward-consent", consent_scene(Text::WardConsent, language), vec!["no", "yes"]),
        ("informed", GuardianScene::Informed { words, no: no.clone() }, vec!["no", "informed-sign"]),
        ("form", form(false), vec!["no", "form-confirm"]),
        ("form-seen", form(true), vec!["no", "form-confirm"]),
    ]
}

fn window(language: Language, scene: GuardianScene) -> Resident {
    let mut window = Resident::default();
    window.apply(&Event::Realm(Realm::Practice));
    window.apply(&Event::ResidentLanguage(language));
    window.apply(&Event::Resident(ResidentScene::Guardian(scene)));
    window
}

fn show<'a>(window: &'a Resident, texts: &'a Texts, size: Size) -> Simulator<'a, Message> {
    Simulator::with_size(theme::settings(), size, window.view(texts))
}

/// Clicks, lets the window take the messages, and gives the last action.
fn press(window: &mut Resident, texts: &Texts, at: &'static str) -> resident::Action {
    let messages: Vec<Message> = {
        let mut ui = show(window, texts, SCREENS[0]);
        ui.click(id(at)).unwrap_or_else(|error| panic!("{at}: {error}"));
        ui.into_messages().collect()
    };
    let mut last = resident::Action::None;
    for message in messages {
        last = window.update(message);
    }
    last
}

fn asked(action: resident::Action) -> Option<ResidentCommand> {
    match action {
        resident::Action::Ask(command) => Some(command),
        _ => None,
    }
}

#[test]
fn every_page_fits_both_screens_in_both_languages_and_every_letter_size() {
    for language in BOTH {
        let texts = Texts::new(language);
        for (name, scene, actions) in scenes(language) {
            for (size, letters) in SCREENS.into_iter().flat_map(|size| LetterSize::ALL.map(|letters| (size, letters))) {
                let mut window = window(language, scene.clone());
                let _ = window.update(Message::SizePressed(letters));
                let mut ui = show(&window, &texts, size);
                for action in actions.iter().copied() {
                    let (whole, visible) = bounds(&mut ui, action);
                    let visible = visible.unwrap_or_else(|| panic!("{action} on {name} is out of view"));
                    assert!(
                        visible.width >= whole.width - 1.0 && visible.height >= whole.height - 1.0,
                        "{action} on {name} at {size:?} {letters:?} is cut: {visible:?} of {whole:?}"
                    );
                    assert!(whole.height >= 44.0, "{action} on {name}: {whole:?}");
                }
                keep(&mut ui, name, language, size, &format!("-{letters:?}"));
            }
        }
    }
}

// Shows: M9
#[test]
fn p05_every_two_buttons_are_the_same_size_on_one_line_and_as_far_from_the_edges() {
    for language in BOTH {
        let texts = Texts::new(language);
        for (name, scene, actions) in scenes(language) {
            let [left, right] = actions[..] else { panic!("{name}: two buttons") };
            for (size, letters) in SCREENS.into_iter().flat_map(|size| LetterSize::ALL.map(|letters| (size, letters))) {
                let mut window = window(language, scene.clone());
                let _ = window.update(Message::SizePressed(letters));
                let mut ui = show(&window, &texts, size);
                let (left, right) = (bounds(&mut ui, left).0, bounds(&mut ui, right).0);
                assert!((left.width - right.width).abs() < 0.5 && (left.height - right.height).abs() < 0.5, "{name}");
                assert!((left.y - right.y).abs() < 0.5 && right.x > left.x + left.width, "{name}");
                assert!((left.x - (size.width - right.x - right.width)).abs() < 0.5, "{name}");
            }
        }
    }
}

#[test]
fn m2_the_child_and_the_ward_answer_with_one_press_and_nothing_is_chosen_before() {
    for (language, is_child) in BOTH.into_iter().flat_map(|language| [(language, true), (language, false)]) {
        let texts = Texts::new(language);
        let name = if is_child { "child" } else { "ward" };
        let scene = scenes(language).into_iter().find(|s| s.0 == name).unwrap().1;
        for (at, view) in [("view-no", View::No), ("view-yes", View::Yes)] {
            let mut window = window(language, scene.clone());
            let command = asked(press(&mut window, &texts, at));
            assert!(
                matches!(command, Some(ResidentCommand::Guardian(GuardianAct::Heard(said))) if said == view),
                "{command:?}"
            );
        }
        // There is no box, no signature and no way on but these two.
        let mut window = window(language, scene);
        for elsewhere in [Message::Ticked(true), Message::YesPressed, Message::SignConfirmed] {
            assert!(asked(window.update(elsewhere)).is_none());
        }
        let press_form = Message::Guardian(guardian::Message::FormPressed);
        assert!(asked(window.update(press_form)).is_none());
    }
}

#[test]
fn m2_what_is_read_to_the_child_is_short_and_set_larger_than_running_text() {
    let words = scenes(Language::Chinese).into_iter().find_map(|(name, scene, _)| match (name, scene) {
        ("child", GuardianScene::Ask { words, .. }) => Some(words),
        _ => None,
    });
    let words = words.unwrap();
    let all: String = words.concat();
    assert!(all.chars().count() <= 140, "{} characters", all.chars().count());
    for kept in ["两种都能回家", "你不想这样，说“不”就行，大家都不会怪你", "马上删掉"] {
        assert!(all.contains(kept), "{kept}");
    }
    for hard in ["特征", "模板", "加密", "同意", "授权", "处理"] {
        assert!(!all.contains(hard), "{hard} is no word for a child");
    }
}

#[test]
fn p29_a_guardians_yes_waits_for_the_tick_and_no_is_one_press_everywhere() {
    for text in [Text::GuardianConsent, Text::WardConsent] {
        let texts = Texts::new(Language::Chinese);
        let mut window = window(Language::Chinese, consent_scene(text, Language::Chinese));
        let refuses =
            |window: &mut Resident| matches!(asked(press(window, &texts, "no")), Some(ResidentCommand::Refuse));
        assert!(refuses(&mut window));
        assert!(asked(press(&mut window, &texts, "yes")).is_none());
        assert!(show(&window, &texts, SCREENS[0]).find(id("sign-confirm")).is_err(), "the box starts empty");
        press(&mut window, &texts, "tick");
        press(&mut window, &texts, "yes");
        assert!(refuses(&mut window), "at the signature too");
        assert!(asked(press(&mut window, &texts, "sign-confirm")).is_none(), "nothing is signed yet");
        let _ = window.update(Message::Signed(SignMessage::PenDown(10, 10)));
        let _ = window.update(Message::Signed(SignMessage::PenMoved(500, 500)));
        let signed = asked(press(&mut window, &texts, "sign-confirm"));
        assert!(matches!(signed, Some(ResidentCommand::Consent { signature: Signature::Strokes(_) })), "{signed:?}");
    }
}

#[test]
fn p31_the_informed_page_signs_as_informed_and_never_consents() {
    for language in BOTH {
        let texts = Texts::new(language);
        let scene = scenes(language).into_iter().find(|s| s.0 == "informed").unwrap().1;
        let mut window = window(language, scene);
        assert!(show(&window, &texts, SCREENS[0]).find(id("tick")).is_err(), "no box: it is no consent");
        assert!(asked(press(&mut window, &texts, "informed-sign")).is_none());
        let mut ui = show(&window, &texts, SCREENS[1]);
        keep(&mut ui, "informed-sign", language, SCREENS[1], "");
        drop(ui);
        let _ = window.update(Message::Signed(SignMessage::PenDown(10, 10)));
        let _ = window.update(Message::Signed(SignMessage::PenMoved(500, 500)));
        let signed = asked(press(&mut window, &texts, "sign-confirm"));
        assert!(matches!(signed, Some(ResidentCommand::Guardian(GuardianAct::SignInformed { .. }))), "{signed:?}");
    }
}

#[test]
fn p29_paper_is_asked_for_at_the_signature_only_and_confirmed_only_when_seen() {
    for language in BOTH {
        let texts = Texts::new(language);
        let mut window = window(language, consent_scene(Text::GuardianConsent, language));
        let form = || Message::Guardian(guardian::Message::FormPressed);
        assert!(asked(window.update(form())).is_none(), "not before tick and Yes");
        press(&mut window, &texts, "tick");
        assert!(asked(window.update(form())).is_none(), "not before Yes");
        press(&mut window, &texts, "yes");
        let command = asked(press(&mut window, &texts, "sign-paper"));
        assert!(matches!(command, Some(ResidentCommand::Guardian(GuardianAct::AskForm))), "{command:?}");

        for (seen, confirms) in [(false, false), (true, true)] {
            let scene = GuardianScene::Form { number: "7F3A2C91".into(), seen, no: "不".into() };
            let mut window = self::window(language, scene);
            let command = asked(press(&mut window, &texts, "form-confirm"));
            assert_eq!(matches!(command, Some(ResidentCommand::Guardian(GuardianAct::ConfirmForm))), confirms);
            let forced = asked(window.update(Message::Guardian(guardian::Message::FormConfirmed)));
            assert_eq!(forced.is_some(), confirms);
            assert!(matches!(asked(press(&mut window, &texts, "no")), Some(ResidentCommand::Refuse)));
            let back = asked(press(&mut window, &texts, "form-back"));
            assert!(matches!(back, Some(ResidentCommand::Guardian(GuardianAct::LeaveForm))), "{back:?}");
        }
    }
}

#[test]
fn p29_the_way_to_paper_is_on_the_signature_of_everybody() {
    for (language, letters) in BOTH.into_iter().flat_map(|language| LetterSize::ALL.map(|letters| (language, letters)))
    {
        let texts = Texts::new(language);
        let page = menka::notice::consent_page(language, &values(language, Decider::ChildsGuardian)).unwrap();
        let mut window = Resident::default();
        window.apply(&Event::ResidentLanguage(language));
        window.apply(&Event::Resident(ResidentScene::Consent {
            preamble: page.preamble,
            sentence: page.sentence,
            buttons: (page.no, page.yes),
        }));
        let _ = window.update(Message::SizePressed(letters));
        let _ = window.update(Message::Ticked(true));
        let _ = window.update(Message::YesPressed);
        let mut ui = show(&window, &texts, SCREENS[1]);
        assert!(ui.find(id("sign-paper")).is_ok(), "below the field, in large letters by scrolling");
        keep(&mut ui, "sign", language, SCREENS[1], &format!("-{letters:?}"));
    }
}

// ---- the staff window

fn record(band: AgeBand) -> ResidentView {
    ResidentView {
        resident: Record {
            id: WHO,
            name: PersonName::parse("周小雨").unwrap(),
            unit: Unit::parse("9-101").unwrap(),
            age_band: band,
            next_band_on: (band != AgeBand::Adult).then(|| CivilDate::parse("2030-05-01").unwrap()),
            ends_on: CivilDate::parse("2029-06-30").unwrap(),
        },
        card: None,
        face: FaceState::None,
        places: Default::default(),
    }
}

fn told(decider: Decider, guardian: Option<bool>, is_card_only: bool) -> StaffEvent {
    let guardian = guardian.map(|is_here| GuardianView {
        name: "王芳芳".into(),
        role: GuardianRole::Mother,
        proof: ProofSeen::HouseholdBook,
        phone: "138 0000 0000".into(),
        checked_at: Timestamp::from_ms(1_795_276_800_000),
        checked_by: "李前台".into(),
        is_here,
    });
    StaffEvent::Guardian(GuardianEvent::Shown { resident: WHO, decider, guardian, is_card_only })
}

fn staff(decider: Decider, guardian: Option<bool>, is_card_only: bool) -> Staff {
    let band = match decider {
        Decider::ChildsGuardian => AgeBand::Under14,
        Decider::OwnInformed => AgeBand::From14To17,
        Decider::Own | Decider::WardsGuardian => AgeBand::Adult,
    };
    let mut staff = Staff::new(Realm::Practice);
    staff.apply(StaffEvent::Unlocked { operator: "李前台".into() });
    staff.apply(StaffEvent::Opened(Box::new(record(band))));
    staff.apply(told(decider, guardian, is_card_only));
    staff
}

fn panel(message: staff::guardian::Message) -> staff::Message {
    staff::Message::Resident(staff::resident::Message::Guardian(message))
}

fn desk<'a>(staff: &'a Staff, texts: &Texts, size: (f32, f32)) -> Simulator<'a, staff::Message> {
    Simulator::with_size(theme::settings(), Size::new(size.0, size.1), staff.view(texts))
}

fn press_staff(staff: &mut Staff, at: &'static str) -> Vec<StaffCommand> {
    let texts = Texts::new(Language::Chinese);
    let messages: Vec<staff::Message> = {
        let mut ui = desk(staff, &texts, (1366.0, 1600.0));
        ui.click(id(at)).unwrap_or_else(|error| panic!("{at}: {error}"));
        ui.into_messages().collect()
    };
    let actions = messages.into_iter().map(|message| staff.update(message)).collect::<Vec<_>>();
    actions
        .into_iter()
        .filter_map(|action| match action {
            staff::Action::Ask(command) => Some(command),
            _ => None,
        })
        .collect()
}

#[test]
fn m11_staff_note_a_relation_and_a_kind_of_proof_and_nothing_that_could_hold_a_number() {
    let mut staff = staff(Decider::ChildsGuardian, None, false);
    press_staff(&mut staff, "guardian-check");
    let texts = Texts::new(Language::Chinese);
    {
        let mut ui = desk(&staff, &texts, (1366.0, 1600.0));
        for there in ["guardian-name", "guardian-phone", "guardian-look-only"] {
            assert!(ui.find(id(there)).is_ok(), "{there}");
        }
        for absent in ["guardian-number", "guardian-copy", "guardian-photo", "guardian-scan"] {
            assert!(ui.find(id(absent)).is_err(), "{absent}");
        }
        // Relations that do not make a guardian of a child are not offered.
        assert!(ui.find(id("guardian-role-0")).is_ok() && ui.find(id("guardian-role-2")).is_err());
    }
    assert!(press_staff(&mut staff, "guardian-save").is_empty(), "relation and proof are chosen first");
    let _ = staff.update(panel(staff::guardian::Message::NameTyped("王芳芳".into())));
    press_staff(&mut staff, "guardian-role-1");
    press_staff(&mut staff, "guardian-proof-0");
    let asked = press_staff(&mut staff, "guardian-save");
    assert!(
        matches!(
            &asked[..],
            [StaffCommand::Guardian(GuardianCommand::Check {
                resident: WHO,
                name,
                role: GuardianRole::Mother,
                proof: ProofSeen::HouseholdBook,
                ..
            })] if name == "王芳芳"
        ),
        "{asked:?}"
    );
    assert!(press_staff(&mut staff, "guardian-save").is_empty(), "asked once");
    // A fault is said beside the field, and the form may be sent again.
    staff.apply(StaffEvent::Failed(Failure::Field(FieldFault::Guardian(GuardianError::Phone))));
    assert_eq!(press_staff(&mut staff, "guardian-save").len(), 1);
    staff.apply(StaffEvent::Guardian(GuardianEvent::Checked));
    staff.apply(told(Decider::ChildsGuardian, Some(true), false));
    let mut ui = desk(&staff, &texts, (1366.0, 1600.0));
    assert!(ui.find(id("guardian-name")).is_err(), "the form is gone");
}

#[test]
fn m6_what_the_desk_tells_of_another_record_is_not_shown_on_this_one() {
    let mut staff = staff(Decider::ChildsGuardian, None, false);
    staff.apply(StaffEvent::Guardian(GuardianEvent::Shown {
        resident: ResidentId::from_bytes([8; 16]),
        decider: Decider::Own,
        guardian: None,
        is_card_only: false,
    }));
    let texts = Texts::new(Language::Chinese);
    let mut ui = desk(&staff, &texts, (1366.0, 1600.0));
    assert!(ui.find(id("guardian-check")).is_ok() && ui.find(id("ward-mark")).is_err());
}

#[test]
fn ndr22_5_the_guardians_panel_and_the_form_ask_for_exactly_these_commands() {
    let form = |seen| FormView { number: "7F3A2C91".into(), seen, saved_to: Some("/x/menka-form.pdf".into()) };
    let pages: Vec<(&str, Staff, &[&str])> = vec![
        ("adult", staff(Decider::Own, None, false), &["ward-mark"]),
        ("child-none", staff(Decider::ChildsGuardian, None, false), &[]),
        ("child-card-only", staff(Decider::ChildsGuardian, None, true), &[]),
        ("child-here", staff(Decider::ChildsGuardian, Some(true), false), &[]),
        ("youth-again", staff(Decider::OwnInformed, Some(false), false), &[]),
        ("ward-here", staff(Decider::WardsGuardian, Some(true), false), &["ward-mark"]),
        (
            "typing",
            {
                let mut staff = staff(Decider::ChildsGuardian, None, false);
                for message in [
                    staff::guardian::Message::FormPressed,
                    staff::guardian::Message::NameTyped("王芳芳".into()),
                    staff::guardian::Message::RoleChosen(GuardianRole::Mother),
                    staff::guardian::Message::ProofChosen(ProofSeen::HouseholdBook),
                ] {
                    let _ = staff.update(panel(message));
                }
                staff
            },
            &["guardian-check"],
        ),
        (
            "paper",
            {
                let mut staff = staff(Decider::Own, None, false);
                staff.apply(StaffEvent::Form(Some(form(false))));
                staff
            },
            &["form-seen", "ward-mark"],
        ),
        (
            "paper-seen",
            {
                let mut staff = staff(Decider::Own, None, false);
                staff.apply(StaffEvent::Form(Some(form(true))));
                staff
            },
            &["ward-mark"],
        ),
    ];
    for (name, staff, own) in pages {
        for language in BOTH {
            let texts = Texts::new(language);
            for size in SCREENS {
                let mut ui = desk(&staff, &texts, (size.width, size.height));
                keep(&mut ui, &format!("staff-{name}"), language, size, "");
            }
        }
        let texts = Texts::new(Language::Chinese);
        let mut asked = std::collections::BTreeSet::new();
        let messages: Vec<staff::Message> = {
            let mut ui = desk(&staff, &texts, (1366.0, 1400.0));
            for (x, y) in (8..1400).step_by(24).flat_map(|y| (8..1366).step_by(32).map(move |x| (x, y))) {
                ui.point_at(iced::Point::new(x as f32, y as f32));
                ui.simulate(iced_test::simulator::click());
            }
            ui.into_messages().collect()
        };
        // Each message is judged on the page as it was, so that one press does not lead to another's page.
        for message in messages {
            let guardian = matches!(
                message,
                staff::Message::Resident(staff::resident::Message::Guardian(_)) | staff::Message::Paper(_)
            );
            if let (true, Some(command)) = (guardian, ask_of(message, &staff)) {
                asked.insert(super::ui_staff::kind(&command));
            }
        }
        assert_eq!(asked.into_iter().collect::<Vec<_>>(), own, "{name}");
    }
}

/// What a message asks of the desk on a page like this one.
fn ask_of(message: staff::Message, like: &Staff) -> Option<StaffCommand> {
    let command = match message {
        staff::Message::Paper(message) => staff::paper::update(message),
        staff::Message::Resident(staff::resident::Message::Guardian(message)) => {
            let mut panel = staff::guardian::Panel::default();
            panel.apply(&GuardianEvent::Shown {
                resident: WHO,
                decider: Decider::ChildsGuardian,
                guardian: None,
                is_card_only: false,
            });
            if format!("{like:?}").contains("form: Some(Form") {
                for message in [
                    staff::guardian::Message::FormPressed,
                    staff::guardian::Message::RoleChosen(GuardianRole::Mother),
                    staff::guardian::Message::ProofChosen(ProofSeen::HouseholdBook),
                ] {
                    let _ = panel.update(message, WHO);
                }
            }
            panel.update(message, WHO)
        }
        _ => return None,
    };
    match command {
        staff::Action::Ask(command) => Some(command),
        _ => None,
    }
}

#[test]
fn p29_the_form_is_saved_and_seen_and_the_line_goes_when_it_is_over() {
    let mut staff = staff(Decider::Own, None, false);
    let form = FormView { number: "7F3A2C91".into(), seen: false, saved_to: None };
    staff.apply(StaffEvent::Form(Some(form.clone())));
    let picked = staff::Message::Paper(staff::paper::Message::SavePressed);
    assert!(matches!(staff.update(picked), staff::Action::PickFormPath));
    let path = staff::Message::Paper(staff::paper::Message::PathPicked(Some("/x/form.pdf".into())));
    assert!(matches!(
        staff.update(path),
        staff::Action::Ask(StaffCommand::Form(FormCommand::Save(path))) if path.ends_with("form.pdf")
    ));
    let left = staff::Message::Paper(staff::paper::Message::PathPicked(None));
    assert!(matches!(staff.update(left), staff::Action::None));
    assert!(matches!(press_staff(&mut staff, "paper-seen")[..], [StaffCommand::Form(FormCommand::Seen)]));
    staff.apply(StaffEvent::Form(Some(FormView { seen: true, ..form })));
    assert!(press_staff(&mut staff, "paper-seen").is_empty(), "once");
    staff.apply(StaffEvent::Form(None));
    let texts = Texts::new(Language::Chinese);
    assert!(desk(&staff, &texts, (1366.0, 1400.0)).find(id("paper-form")).is_err());
}

#[test]
fn m7_the_yearly_figures_are_numbers_with_the_day_of_the_report() {
    let mut staff = staff(Decider::Own, None, false);
    let action = staff.update(staff::Message::Go(Route::Minors));
    // Leaving the record closes it; the figures are asked for all the same.
    assert!(matches!(action, staff::Action::Ask(_)), "{action:?}");
    let figures = MinorsFigures {
        under_14: 41,
        under_14_enrolled: 3,
        from_14_to_17: 27,
        from_14_to_17_enrolled: 9,
        consents: 15,
        said_no: 6,
        ended_on_birthday: 2,
        guardians_checked: 19,
        looks: 88,
    };
    let report_by = CivilDate::parse("2027-01-31").unwrap();
    staff.apply(StaffEvent::Guardian(GuardianEvent::Figures { year: 2026, figures, report_by }));
    for language in BOTH {
        let texts = Texts::new(language);
        for size in SCREENS {
            let mut ui = desk(&staff, &texts, (size.width, size.height));
            keep(&mut ui, "staff-minors", language, size, "");
        }
        let mut ui = desk(&staff, &texts, (1366.0, 1400.0));
        for number in ["41", "3", "27", "9", "15", "6", "2", "19", "88"] {
            assert!(ui.find(number).is_ok(), "{number}");
        }
    }
    let asked = press_staff(&mut staff, "minors-before");
    assert!(
        matches!(asked[..], [StaffCommand::Guardian(GuardianCommand::ShowFigures { year: Some(2025) })]),
        "{asked:?}"
    );
}
