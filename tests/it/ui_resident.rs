//! The resident window, scene by scene: what can be pressed, what comes of it, and that both languages fit both screens.

use std::path::PathBuf;
use std::sync::Arc;

use iced::{Event as Input, Point, Rectangle, Size, mouse};
use iced_test::Simulator;
use iced_test::selector::{Target, id};
use menka::app::command::ResidentCommand;
use menka::app::deletion::{DoorChange, DoorLine, DoorState, DoorsView};
use menka::app::event::{Event, Failure, HandOver, Preview, ReceiptView, ResidentScene};
use menka::domain::Realm;
use menka::domain::consent::Signature;
use menka::domain::id::GateId;
use menka::domain::notice::Language;
use menka::domain::quality::Guidance;
use menka::domain::time::{CivilDate, Timestamp};
use menka::i18n::Texts;
use menka::notice::{Rendered, Text, consent_page, render};
use menka::ports::CameraError;
use menka::secret::Typed;
use menka::ui::resident::{Action, LetterSize, Message, Resident, SignMessage};
use menka::ui::theme;

pub const BOTH: [Language; 2] = [Language::Chinese, Language::English];
const SCREENS: [Size; 3] = [Size::new(1366.0, 768.0), Size::new(1024.0, 600.0), Size::new(1024.0, 768.0)];

fn text(text: Text, language: Language) -> Rendered {
    render(text, language, &super::notice::all_values(language)).unwrap()
}

pub fn consent(language: Language) -> ResidentScene {
    let page = consent_page(language, &super::notice::all_values(language)).unwrap();
    ResidentScene::Consent { preamble: page.preamble, sentence: page.sentence, buttons: (page.no, page.yes) }
}

pub fn notice(language: Language, reached_end: bool) -> ResidentScene {
    ResidentScene::Notice { masked_name: "王**".into(), text: Arc::new(text(Text::Notice, language)), reached_end }
}

fn receipt(language: Language) -> ReceiptView {
    ReceiptView {
        record: "7f3a2c91".into(),
        consented_at: Timestamp::from_ms(1_795_276_800_000),
        gates: vec!["东门".into()],
        away: vec!["地库北门".into()],
        ends_on: CivilDate::parse("2027-11-21").unwrap(),
        text: text(Text::Receipt, language),
    }
}

/// Every scene with the ids of what can be pressed on it.
pub fn scenes(language: Language) -> Vec<(&'static str, ResidentScene, Vec<&'static str>)> {
    use ResidentScene as S;
    let words = |t| text(t, language).markdown;
    let idle = |face_offered| S::Idle { face_offered, site: "青禾苑".into() };
    let ended = |failure, may_retry| S::Ended { failure, may_retry };
    let gates = vec![
        ("东门".to_owned(), HandOver::Stored),
        ("西门".to_owned(), HandOver::Waiting),
        ("地库北门".to_owned(), HandOver::Away),
    ];
    vec![
        ("idle", idle(true), vec!["rules", "ask-face", "ask-withdraw"]),
        ("idle-card-only", idle(false), vec!["rules", "ask-withdraw"]),
        (
            "rules",
            S::Rules { texts: vec![Arc::new(text(Text::OtherWays, language)), Arc::new(text(Text::Notice, language))] },
            vec!["back"],
        ),
        ("tap", S::TapCard { withdraw: false, failure: None }, vec!["back"]),
        ("tap-again", S::TapCard { withdraw: true, failure: Some(Failure::CardUnknown) }, vec!["back"]),
        ("notice", notice(language, false), vec!["back", "no", "continue"]),
        ("consent", consent(language), vec!["no", "yes"]),
        ("refused", S::Refused { text: words(Text::Refused) }, vec!["back"]),
        ("camera", S::Camera { hint: menka::notice::plain(&words(Text::CameraHint)) }, vec!["stop"]),
        ("working", S::Working { gates }, vec!["stop"]),
        ("try", S::TryGate { gate: "东门".into(), looking: false, failure: None }, vec!["skip", "try"]),
        (
            "try-nobody",
            S::TryGate { gate: "东门".into(), looking: false, failure: Some(Failure::NobodyAtDesk) },
            vec!["skip", "try"],
        ),
        ("try-looking", S::TryGate { gate: "东门".into(), looking: true, failure: None }, vec!["stop"]),
        (
            "done",
            S::Done {
                recognised: true,
                receipt: Box::new(receipt(language)),
                saved_to: Some("/x/回执-7f3a.pdf".into()),
            },
            vec!["save", "finish"],
        ),
        ("stopped", ended(None, false), vec!["back"]),
        ("ended-nobody", ended(Some(Failure::NobodyAtDesk), true), vec!["back", "retry"]),
        ("ended", ended(Some(Failure::Camera(CameraError::Unplugged)), true), vec!["back", "retry"]),
        (
            "withdraw",
            S::WithdrawConfirm {
                masked_name: "王**".into(),
                text: words(Text::Withdraw),
                gates: vec!["东门".into(), "西门".into()],
            },
            vec!["withdraw-confirm", "back"],
        ),
        (
            "withdrawn",
            S::Withdrawn {
                erased: vec!["东门".into()],
                pending: vec!["西门".into()],
                stops_at: vec![Some(Timestamp::from_ms(1_795_363_200_000))],
                saved_to: Some("/x/删除证明.pdf".into()),
            },
            vec!["save", "back"],
        ),
        (
            "withdrawn-refused",
            S::Withdrawn {
                erased: vec![],
                pending: vec!["东门".into(), "西门".into()],
                stops_at: vec![None, Some(Timestamp::from_ms(1_795_363_200_000))],
                saved_to: None,
            },
            vec!["save", "back"],
        ),
        ("doors", S::Doors(Box::new(doors(false))), vec!["pause", "back"]),
        ("doors-paused", S::Doors(Box::new(doors(true))), vec!["resume", "back"]),
        ("closed", S::Closed, vec!["rules"]),
    ]
    .into_iter()
    .chain(super::ui_notice::scenes(language))
    .collect()
}

/// Three doors: one in use or paused, one that waits, one taken out.
fn doors(paused: bool) -> DoorsView {
    let state = if paused { DoorState::Paused } else { DoorState::Open };
    let door = |n: u8, label: &str, state| DoorLine { gate: GateId::from_bytes([n; 16]), label: label.into(), state };
    DoorsView {
        doors: vec![
            door(1, "东门", state),
            door(2, "地库北门", DoorState::Waiting),
            door(3, "3 栋大堂", DoorState::Dropped),
        ],
        paused,
    }
}

/// A window in a language that shows a scene, as the desk would have it shown.
pub fn window(language: Language, scene: ResidentScene) -> Resident {
    let mut window = Resident::default();
    window.apply(&Event::Realm(Realm::Practice));
    window.apply(&Event::ResidentLanguage(language));
    window.apply(&Event::Resident(scene));
    window.apply(&Event::Preview(preview()));
    window.apply(&Event::Guide { guidance: Guidance::Closer, taken: 2, needed: 5 });
    window
}

/// A grey gradient: no picture of anybody.
fn preview() -> Preview {
    let (width, height) = (320u32, 240u32);
    let rgba = (0..width * height)
        .flat_map(|at| {
            let (x, y) = (at % width, at / width);
            let shade = (70 + x * 90 / width + y * 60 / height) as u8;
            [shade, shade, shade + 12, 255]
        })
        .collect();
    Preview { width, height, rgba: Arc::new(rgba) }
}

pub fn show<'a>(window: &'a Resident, texts: &'a Texts, size: Size) -> Simulator<'a, Message> {
    Simulator::with_size(super::ui_staff::settings(), size, window.view(texts))
}

/// What a click on an id says.
fn click(window: &Resident, texts: &Texts, at: &'static str) -> Vec<Message> {
    let mut ui = show(window, texts, SCREENS[0]);
    ui.click(id(at)).unwrap_or_else(|error| panic!("{at}: {error}"));
    ui.into_messages().filter(|m| !matches!(m, Message::EndShown | Message::Scrolled(_))).collect()
}

/// Clicks, lets the window take the messages, and gives the last action.
fn press(window: &mut Resident, texts: &Texts, at: &'static str) -> Action {
    let mut last = Action::None;
    for message in click(window, texts, at) {
        last = window.update(message);
    }
    last
}

fn bounds(ui: &mut Simulator<'_, Message>, at: &'static str) -> (Rectangle, Option<Rectangle>) {
    match ui.find(id(at)).unwrap_or_else(|error| panic!("{at}: {error}")) {
        Target::Container { bounds, visible_bounds, .. } => (bounds, visible_bounds),
        other => panic!("{at} is {other:?}"),
    }
}

fn scroll(lines: f32) -> Vec<Input> {
    let wheel = mouse::Event::WheelScrolled { delta: mouse::ScrollDelta::Lines { x: 0.0, y: -lines } };
    vec![Input::Mouse(wheel), Input::Window(iced::window::Event::RedrawRequested(std::time::Instant::now()))]
}

/// Where pictures of the screens go when somebody wants to look at them.
pub fn shots() -> Option<PathBuf> {
    std::env::var_os("MENKA_SHOTS").map(PathBuf::from)
}

#[test]
fn every_scene_fits_both_screens_in_both_languages_with_its_actions_in_view() {
    for language in BOTH {
        let texts = Texts::new(language);
        for (name, scene, actions) in scenes(language) {
            for size in SCREENS {
                for letters in LetterSize::ALL {
                    let mut window = window(language, scene.clone());
                    let _ = window.update(Message::SizePressed(letters));
                    let mut ui = show(&window, &texts, size);
                    let fixed = ["language", "letters-1", "letters-2", "letters-3", "practice-banner"];
                    for action in actions.iter().copied().chain(fixed) {
                        let (whole, visible) = bounds(&mut ui, action);
                        let visible = visible.unwrap_or_else(|| panic!("{action} on {name} is out of view"));
                        assert!(
                            visible.width >= whole.width - 1.0 && visible.height >= whole.height - 1.0,
                            "{action} on {name} at {size:?} {letters:?} is cut: {visible:?} of {whole:?}"
                        );
                        assert!(whole.height >= 44.0 || action == "practice-banner", "{action} on {name}: {whole:?}");
                    }
                    if let Some(folder) = shots() {
                        let snapshot = ui.snapshot(&theme::theme()).unwrap();
                        let file = format!("{name}-{}-{}x{}-{letters:?}", language.tag(), size.width, size.height);
                        let _ = snapshot.matches_image(folder.join(file)).unwrap();
                    }
                }
            }
        }
    }
}

#[test]
fn the_signature_fits_both_screens_in_both_languages() {
    for language in BOTH {
        let texts = Texts::new(language);
        for (size, typing) in SCREENS.into_iter().flat_map(|size| [(size, false), (size, true)]) {
            for letters in LetterSize::ALL {
                let mut window = window(language, consent(language));
                let _ = window.update(Message::SizePressed(letters));
                let _ = window.update(Message::Ticked(true));
                let _ = window.update(Message::YesPressed);
                if typing {
                    let _ = window.update(Message::Signed(SignMessage::ByTyping(true)));
                } else {
                    draw(&mut window, &texts);
                }
                let mut ui = show(&window, &texts, size);
                for action in ["no", "sign-confirm", "sign-back", "sign-draw", "sign-type", "sign-clear"] {
                    let (whole, visible) = bounds(&mut ui, action);
                    let visible = visible.unwrap_or_else(|| panic!("{action} is out of view"));
                    assert!(
                        visible.width >= whole.width - 1.0 && visible.height >= whole.height - 1.0,
                        "{action} {letters:?} {size:?}"
                    );
                    assert!(whole.width >= 90.0, "{action} {letters:?} {size:?}: {whole:?}");
                }
                if !typing {
                    let (whole, visible) = bounds(&mut ui, "sign-pad");
                    assert!(visible.is_some_and(|v| v.height >= whole.height - 1.0), "{letters:?} {size:?}");
                }
                if let Some(folder) = shots() {
                    let snapshot = ui.snapshot(&theme::theme()).unwrap();
                    let how = if typing { "type" } else { "draw" };
                    let file = format!("sign-{how}-{}-{}-{letters:?}", language.tag(), size.width);
                    let _ = snapshot.matches_image(folder.join(file)).unwrap();
                }
            }
        }
    }
}

#[test]
fn p14a_yes_cannot_be_pressed_before_the_box_is_ticked() {
    for language in BOTH {
        let texts = Texts::new(language);
        let mut window = window(language, consent(language));
        assert!(click(&window, &texts, "yes").is_empty(), "the box starts empty");
        // Nor does the message by itself lead on.
        assert!(matches!(window.update(Message::YesPressed), Action::None));
        assert!(matches!(window.update(Message::SignConfirmed), Action::None));
        assert!(show(&window, &texts, SCREENS[0]).find(id("sign-confirm")).is_err());

        let ticked = click(&window, &texts, "tick");
        assert!(matches!(ticked[..], [Message::Ticked(true)]));
        press(&mut window, &texts, "tick");
        assert!(matches!(click(&window, &texts, "yes")[..], [Message::YesPressed]));
        press(&mut window, &texts, "tick");
        assert!(click(&window, &texts, "yes").is_empty(), "unticked again");
    }
}

#[test]
fn p16_no_is_one_tap_at_every_point_of_the_decision() {
    for language in BOTH {
        let texts = Texts::new(language);
        let mut window = window(language, consent(language));
        let refuses =
            |window: &mut Resident| matches!(press(window, &texts, "no"), Action::Ask(ResidentCommand::Refuse));
        assert!(refuses(&mut self::window(language, notice(language, false))), "while the notice is read");
        assert!(refuses(&mut window), "before the tick");
        press(&mut window, &texts, "tick");
        assert!(refuses(&mut window), "after the tick");
        press(&mut window, &texts, "yes");
        assert!(refuses(&mut window), "at the signature");
        draw(&mut window, &texts);
        assert!(refuses(&mut window), "after the signature was drawn");
    }
}

#[test]
fn p05_both_buttons_of_a_decision_are_the_same_size_and_side_by_side() {
    for language in BOTH {
        let texts = Texts::new(language);
        for size in SCREENS {
            for letters in LetterSize::ALL {
                let pairs = [
                    (consent(language), "no", "yes"),
                    (scenes(language).into_iter().find(|s| s.0 == "withdraw").unwrap().1, "withdraw-confirm", "back"),
                ];
                for (scene, left, right) in pairs {
                    let mut window = window(language, scene);
                    let _ = window.update(Message::SizePressed(letters));
                    let mut ui = show(&window, &texts, size);
                    let (left, right) = (bounds(&mut ui, left).0, bounds(&mut ui, right).0);
                    assert!((left.width - right.width).abs() < 0.5 && (left.height - right.height).abs() < 0.5);
                    assert!((left.y - right.y).abs() < 0.5 && right.x > left.x + left.width);
                    // The same distance to both edges of the window.
                    assert!((left.x - (size.width - right.x - right.width)).abs() < 0.5);
                }
            }
        }
    }
}

#[test]
fn p14a_going_back_from_the_signature_empties_the_box() {
    let texts = Texts::new(Language::Chinese);
    let mut window = window(Language::Chinese, consent(Language::Chinese));
    press(&mut window, &texts, "tick");
    press(&mut window, &texts, "yes");
    draw(&mut window, &texts);
    press(&mut window, &texts, "sign-back");
    assert!(click(&window, &texts, "yes").is_empty(), "unticked");
    press(&mut window, &texts, "tick");
    press(&mut window, &texts, "yes");
    assert!(click(&window, &texts, "sign-confirm").is_empty(), "the old strokes are gone");
}

#[test]
fn p14a_the_box_is_empty_again_for_the_next_page() {
    let texts = Texts::new(Language::Chinese);
    let mut window = window(Language::Chinese, consent(Language::Chinese));
    press(&mut window, &texts, "tick");
    window.apply(&Event::Resident(ResidentScene::Idle { face_offered: true, site: String::new() }));
    assert!(matches!(window.update(Message::Ticked(true)), Action::None), "no page, no box");
    window.apply(&Event::Resident(consent(Language::Chinese)));
    assert!(click(&window, &texts, "yes").is_empty());
}

/// Draws a stroke over the pad with the mouse.
fn draw(window: &mut Resident, texts: &Texts) {
    let messages: Vec<Message> = {
        let mut ui = show(window, texts, SCREENS[0]);
        let pad = bounds(&mut ui, "sign-pad").0;
        let mut at = |x: f32, y: f32, event: mouse::Event| {
            ui.point_at(Point::new(pad.x + pad.width * x, pad.y + pad.height * y));
            let _ = ui.simulate([Input::Mouse(event)]);
        };
        let moved = mouse::Event::CursorMoved { position: Point::ORIGIN };
        at(0.2, 0.3, mouse::Event::ButtonPressed(mouse::Button::Left));
        at(0.4, 0.6, moved);
        at(0.6, 0.3, moved);
        at(0.6, 0.3, mouse::Event::ButtonReleased(mouse::Button::Left));
        at(0.9, 0.9, moved);
        ui.into_messages().collect()
    };
    for message in messages {
        let _ = window.update(message);
    }
}

// Shows: F06a, ES1
#[test]
fn p29_a_drawn_signature_is_the_consent_and_holds_what_was_drawn() {
    for language in BOTH {
        let texts = Texts::new(language);
        let mut window = window(language, consent(language));
        press(&mut window, &texts, "tick");
        assert!(matches!(press(&mut window, &texts, "yes"), Action::None), "the desk is told by the signature only");
        assert!(click(&window, &texts, "sign-confirm").is_empty(), "nothing is signed yet");
        draw(&mut window, &texts);
        let Action::Ask(ResidentCommand::Consent { signature: Signature::Strokes(strokes) }) =
            press(&mut window, &texts, "sign-confirm")
        else {
            panic!("no consent")
        };
        assert_eq!(strokes.len(), 1);
        assert_eq!(strokes[0].len(), 3, "nothing after the pen was lifted");
        assert!((198..=202).contains(&strokes[0][0].0) && (298..=302).contains(&strokes[0][0].1), "{strokes:?}");
        assert!(matches!(window.update(Message::SignConfirmed), Action::None), "once");
    }
}

#[test]
fn a_finger_draws_and_a_second_finger_does_not() {
    use iced::touch::{Event as Touch, Finger};
    let texts = Texts::new(Language::Chinese);
    let mut window = window(Language::Chinese, consent(Language::Chinese));
    press(&mut window, &texts, "tick");
    press(&mut window, &texts, "yes");
    let messages: Vec<Message> = {
        let mut ui = show(&window, &texts, SCREENS[1]);
        let pad = bounds(&mut ui, "sign-pad").0;
        let at = |x: f32, y: f32| Point::new(pad.x + pad.width * x, pad.y + pad.height * y);
        let finger = |n, x, y, event: fn(Finger, Point) -> Touch| (at(x, y), event(Finger(n), at(x, y)));
        let down = |id, position| Touch::FingerPressed { id, position };
        let moved = |id, position| Touch::FingerMoved { id, position };
        let touches = [
            finger(1, 0.1, 0.1, down),
            finger(2, 0.9, 0.9, down),
            finger(2, 0.8, 0.8, moved),
            finger(1, 0.5, 0.5, moved),
            // Over the edge: the line stays on the edge.
            finger(1, 0.5, -0.1, moved),
            finger(1, 0.5, 0.5, |id, position| Touch::FingerLifted { id, position }),
            finger(1, 0.7, 0.7, moved),
        ];
        for (place, touch) in touches {
            ui.point_at(place);
            let _ = ui.simulate([Input::Touch(touch)]);
        }
        ui.into_messages().collect()
    };
    for message in messages {
        let _ = window.update(message);
    }
    let Action::Ask(ResidentCommand::Consent { signature: Signature::Strokes(strokes) }) =
        window.update(Message::SignConfirmed)
    else {
        panic!("no consent")
    };
    assert_eq!(strokes.len(), 1);
    assert_eq!(strokes[0].len(), 3, "{strokes:?}");
    // On the edge, within the width of its border.
    assert!(strokes[0].last().is_some_and(|p| p.1 <= 5), "{strokes:?}");
}

#[test]
fn p29_a_typed_name_is_a_signature_and_an_empty_one_is_none() {
    let texts = Texts::new(Language::Chinese);
    let mut window = window(Language::Chinese, consent(Language::Chinese));
    press(&mut window, &texts, "tick");
    press(&mut window, &texts, "yes");
    press(&mut window, &texts, "sign-type");
    let _ = window.update(Message::Signed(SignMessage::NameTyped(Typed::new("   ".into()))));
    assert!(click(&window, &texts, "sign-confirm").is_empty());
    let typed: Vec<Message> = {
        let mut ui = show(&window, &texts, SCREENS[0]);
        let _ = ui.click(id("sign-name")).unwrap();
        let _ = ui.typewrite("王小明");
        ui.into_messages().collect()
    };
    assert!(typed.iter().any(|m| matches!(m, Message::Signed(SignMessage::NameTyped(_)))));
    assert!(!format!("{typed:?}").contains("王"), "a name is in no log line");
    let _ = window.update(Message::Signed(SignMessage::NameTyped(Typed::new(" 王小明 ".into()))));
    let Action::Ask(ResidentCommand::Consent { signature }) = press(&mut window, &texts, "sign-confirm") else {
        panic!("no consent")
    };
    assert_eq!(signature, Signature::TypedName("王小明".into()));
}

#[test]
fn p14a_a_signature_without_the_page_before_it_is_nothing() {
    let mut window = window(Language::Chinese, consent(Language::Chinese));
    let _ = window.update(Message::Signed(SignMessage::PenDown(1, 1)));
    let _ = window.update(Message::Signed(SignMessage::PenMoved(9, 9)));
    assert!(matches!(window.update(Message::SignConfirmed), Action::None));
    let _ = window.update(Message::Ticked(true));
    assert!(matches!(window.update(Message::SignConfirmed), Action::None));
}

#[test]
fn a_signature_has_an_end() {
    let mut window = window(Language::Chinese, consent(Language::Chinese));
    let _ = window.update(Message::Ticked(true));
    let _ = window.update(Message::YesPressed);
    for _ in 0..Signature::STROKES_MAX + 5 {
        let _ = window.update(Message::Signed(SignMessage::PenDown(1, 1)));
    }
    for at in 0..u16::try_from(Signature::POINTS_MAX).unwrap() + 5 {
        let _ = window.update(Message::Signed(SignMessage::PenMoved(at % 1000, 1)));
    }
    let Action::Ask(ResidentCommand::Consent { signature: Signature::Strokes(strokes) }) =
        window.update(Message::SignConfirmed)
    else {
        panic!("no consent")
    };
    assert_eq!(strokes.len(), Signature::STROKES_MAX);
    assert!(strokes.iter().all(|s| s.len() <= Signature::POINTS_MAX));
}

#[test]
fn p14a_continue_waits_until_the_end_of_the_notice_was_on_screen() {
    for language in BOTH {
        let texts = Texts::new(language);
        for size in SCREENS {
            let mut window = window(language, notice(language, false));
            let first: Vec<Message> = {
                let mut ui = show(&window, &texts, size);
                let _ = ui.simulate(scroll(0.0));
                let _ = ui.click(id("continue")).unwrap();
                ui.into_messages().collect()
            };
            assert!(
                !first
                    .iter()
                    .any(|m| matches!(m, Message::ContinuePressed | Message::EndShown | Message::Scrolled(true)))
            );
            assert!(matches!(window.update(Message::ContinuePressed), Action::None));

            let read: Vec<Message> = {
                let mut ui = show(&window, &texts, size);
                ui.point_at(Point::new(size.width / 2.0, size.height / 2.0));
                for _ in 0..60 {
                    let _ = ui.simulate(scroll(20.0));
                }
                ui.into_messages().collect()
            };
            assert!(read.iter().any(|m| matches!(m, Message::EndShown)), "the end mark says so");
            assert!(read.iter().any(|m| matches!(m, Message::Scrolled(true))), "and so does the position");
            let told: Vec<Action> = read.into_iter().map(|m| window.update(m)).collect();
            let ends = told.iter().filter(|a| matches!(a, Action::Ask(ResidentCommand::NoticeReachedEnd))).count();
            assert_eq!(ends, 1, "told once");
            assert!(matches!(press(&mut window, &texts, "continue"), Action::Ask(ResidentCommand::GoToConsent)));
        }
    }
}

#[test]
fn p14a_a_text_that_fits_the_page_is_read_at_once() {
    let texts = Texts::new(Language::Chinese);
    let short = Arc::new(text(Text::Refused, Language::Chinese));
    let scene = ResidentScene::Notice { masked_name: "王**".into(), text: short, reached_end: false };
    let mut window = window(Language::Chinese, scene);
    let messages: Vec<Message> = {
        let mut ui = show(&window, &texts, SCREENS[0]);
        let _ = ui.simulate(scroll(0.0));
        ui.into_messages().collect()
    };
    let told: Vec<Action> = messages.into_iter().map(|m| window.update(m)).collect();
    assert!(told.iter().any(|a| matches!(a, Action::Ask(ResidentCommand::NoticeReachedEnd))));
    assert!(matches!(press(&mut window, &texts, "continue"), Action::Ask(ResidentCommand::GoToConsent)));
}

#[test]
fn p29_the_language_can_be_switched_at_any_time_and_a_tick_does_not_go_over_to_another_sentence() {
    for (name, scene, _) in scenes(Language::Chinese) {
        let mut window = window(Language::Chinese, scene);
        let action = press(&mut window, &Texts::new(Language::Chinese), "language");
        assert!(matches!(action, Action::Ask(ResidentCommand::Language(Language::English))), "{name}");
    }
    // The decision page comes again in the other language: the box is empty, since that sentence was never agreed to.
    let english = Texts::new(Language::English);
    let mut decision = window(Language::Chinese, consent(Language::Chinese));
    let _ = decision.update(Message::Ticked(true));
    // The same sentence again (the desk asks for the signature once more) keeps the tick.
    decision.apply(&Event::Resident(consent(Language::Chinese)));
    assert!(matches!(click(&decision, &Texts::new(Language::Chinese), "yes")[..], [Message::YesPressed]));
    decision.apply(&Event::ResidentLanguage(Language::English));
    decision.apply(&Event::Resident(consent(Language::English)));
    assert!(click(&decision, &english, "yes").is_empty());
    // The notice: the desk says whether its end was on screen, in any language.
    let mut reading = window(Language::Chinese, notice(Language::Chinese, false));
    let _ = reading.update(Message::EndShown);
    reading.apply(&Event::ResidentLanguage(Language::English));
    reading.apply(&Event::Resident(notice(Language::English, true)));
    assert!(matches!(click(&reading, &english, "continue")[..], [Message::ContinuePressed]));
    // Letters stay as large as they were.
    let _ = reading.update(Message::SizePressed(LetterSize::Huge));
    reading.apply(&Event::Resident(notice(Language::Chinese, true)));
    assert_eq!(reading.letters(), LetterSize::Huge);
}

#[test]
fn the_next_person_begins_with_the_usual_letters() {
    let mut window = window(Language::Chinese, notice(Language::Chinese, false));
    let _ = window.update(Message::SizePressed(LetterSize::Huge));
    window.apply(&Event::Resident(ResidentScene::Idle { face_offered: true, site: String::new() }));
    assert_eq!(window.letters(), LetterSize::Standard);
}

#[test]
fn every_button_asks_for_what_it_says() {
    use ResidentCommand as Do;
    let texts = Texts::new(Language::Chinese);
    let ask = |scene: &str, at: &'static str| {
        let scene = scenes(Language::Chinese).into_iter().find(|s| s.0 == scene).unwrap().1;
        press(&mut window(Language::Chinese, scene), &texts, at)
    };
    assert!(matches!(ask("idle", "rules"), Action::Ask(Do::ShowRules)));
    assert!(matches!(ask("idle", "ask-face"), Action::Ask(Do::AskFace)));
    assert!(matches!(ask("idle", "ask-withdraw"), Action::Ask(Do::AskWithdraw)));
    for scene in ["rules", "tap", "notice", "refused", "stopped", "ended", "withdraw", "withdrawn"] {
        assert!(matches!(ask(scene, "back"), Action::Ask(Do::Back)), "{scene}");
    }
    for scene in ["camera", "working", "try-looking"] {
        assert!(matches!(ask(scene, "stop"), Action::Ask(Do::Stop)), "{scene}");
    }
    assert!(matches!(ask("try", "try"), Action::Ask(Do::TryGate)));
    assert!(matches!(ask("try", "skip"), Action::Ask(Do::Finish)));
    assert!(matches!(ask("done", "finish"), Action::Ask(Do::Finish)));
    assert!(matches!(ask("done", "save"), Action::PickReceiptPath));
    assert!(matches!(ask("ended", "retry"), Action::Ask(Do::TryAgain)));
    assert!(matches!(ask("withdraw", "withdraw-confirm"), Action::Ask(Do::ConfirmWithdraw)));
}

#[test]
fn face_entry_is_not_offered_while_something_keeps_it_off() {
    let texts = Texts::new(Language::Chinese);
    let scene = ResidentScene::Idle { face_offered: false, site: String::new() };
    let window = window(Language::Chinese, scene);
    let mut ui = show(&window, &texts, SCREENS[0]);
    assert!(ui.find(id("ask-face")).is_err());
    assert!(ui.find(id("ask-withdraw")).is_ok(), "withdrawing is always there");
}

#[test]
fn p10_the_only_path_that_leaves_the_window_is_where_a_receipt_is_saved() {
    let mut window =
        window(Language::Chinese, scenes(Language::Chinese).into_iter().find(|s| s.0 == "done").unwrap().1);
    assert!(matches!(window.update(Message::ReceiptPathPicked(None)), Action::None));
    let picked = window.update(Message::ReceiptPathPicked(Some("回执.pdf".into())));
    assert!(matches!(picked, Action::Ask(ResidentCommand::SaveReceipt(path)) if path.as_os_str() == "回执.pdf"));
}

// Shows: F11, L2-1
#[test]
fn p10_nothing_on_this_window_brings_a_picture_in() {
    // Every picture shown comes from `Event::Preview`; the code of the window opens no file, no clipboard and no dropped file.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui/resident");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let code = std::fs::read_to_string(&path).unwrap();
        for banned in
            ["from_path", "from_bytes", "std::fs", "File::", "clipboard", "FileDropped", "rfd", "include_bytes"]
        {
            assert!(!code.contains(banned), "{banned} in {}", path.display());
        }
        assert!(!code.contains("crate::ui::staff") && !code.contains("super::super"), "{}", path.display());
        files += 1;
    }
    assert!(files >= 8);
    // And no words on any button promise it.
    for language in BOTH {
        let words = std::fs::read_to_string(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("i18n").join(language.tag()).join("resident.ftl"),
        )
        .unwrap();
        for banned in ["import", "upload", "导入", "上传", "相册", "照片文件"] {
            assert!(!words.contains(banned), "{banned}");
        }
    }
}

#[test]
fn f13a_a_preview_is_shown_only_while_the_camera_scene_is() {
    let texts = Texts::new(Language::Chinese);
    let scene = |name: &str| scenes(Language::Chinese).into_iter().find(|s| s.0 == name).unwrap().1;
    let seen = |window: &Resident| {
        // The dots come with the guidance, and both come and go with the picture.
        let mut ui = show(window, &texts, SCREENS[0]);
        ui.find("近一点").is_ok()
    };
    assert!(seen(&window(Language::Chinese, scene("camera"))));
    assert!(seen(&window(Language::Chinese, scene("try-looking"))));
    let mut after = window(Language::Chinese, scene("camera"));
    after.apply(&Event::Resident(scene("idle")));
    after.apply(&Event::Preview(preview()));
    after.apply(&Event::Guide { guidance: Guidance::Closer, taken: 1, needed: 5 });
    after.apply(&Event::Resident(scene("camera")));
    assert!(!seen(&after), "nothing of the last look is left");
}

#[test]
fn a_preview_that_does_not_fit_its_size_is_dropped() {
    let texts = Texts::new(Language::Chinese);
    for (width, height, bytes) in [(0, 0, 0), (2, 2, 15), (u32::MAX, u32::MAX, 4)] {
        let mut window = window(Language::Chinese, ResidentScene::Camera { hint: "x".into() });
        window.apply(&Event::Preview(Preview { width, height, rgba: Arc::new(vec![0; bytes]) }));
        let mut ui = show(&window, &texts, SCREENS[1]);
        assert!(ui.find(id("preview")).is_ok());
    }
}

#[test]
fn every_guidance_has_its_own_words_in_both_languages() {
    let all = [
        Guidance::NoFace,
        Guidance::OnePersonOnly,
        Guidance::Closer,
        Guidance::Farther,
        Guidance::Left,
        Guidance::Right,
        Guidance::Up,
        Guidance::Down,
        Guidance::MoreLight,
        Guidance::LessLight,
        Guidance::LookHere,
        Guidance::HoldStill,
        Guidance::Good,
    ];
    for language in BOTH {
        let texts = Texts::new(language);
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("i18n").join(language.tag());
        let words = std::fs::read_to_string(file.join("resident.ftl")).unwrap();
        let of = |guidance: Guidance| {
            let mut window = window(language, ResidentScene::Camera { hint: "x".into() });
            window.apply(&Event::Guide { guidance, taken: 0, needed: 3 });
            let mut ui = show(&window, &texts, SCREENS[1]);
            let lines: Vec<&str> =
                words.lines().filter_map(|l| l.strip_prefix("guide-")?.split_once(" = ")).map(|(_, w)| w).collect();
            let found: Vec<&str> = lines.iter().copied().filter(|line| ui.find(*line).is_ok()).collect();
            assert_eq!(found.len(), 1, "{guidance:?}: {found:?}");
            found[0].to_owned()
        };
        let distinct: std::collections::BTreeSet<String> = all.into_iter().map(of).collect();
        assert_eq!(distinct.len(), all.len());
    }
}

#[test]
fn both_languages_have_the_same_words_with_the_same_values() {
    let keys = |language: Language| -> std::collections::BTreeMap<String, Vec<String>> {
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("i18n").join(language.tag()).join("resident.ftl");
        let words = std::fs::read_to_string(file).unwrap();
        words
            .lines()
            .filter(|line| !line.starts_with('#') && line.contains(" = "))
            .map(|line| {
                let (key, value) = line.split_once(" = ").unwrap();
                let names = value.split('$').skip(1).map(|rest| rest.split([' ', '}']).next().unwrap().to_owned());
                (key.to_owned(), names.collect())
            })
            .collect()
    };
    assert_eq!(keys(Language::Chinese), keys(Language::English));
    assert!(keys(Language::Chinese).len() > 60);
}

#[test]
fn p29_the_title_of_the_decision_is_the_title_of_its_text() {
    for language in BOTH {
        let texts = Texts::new(language);
        let page = consent_page(language, &super::notice::all_values(language)).unwrap();
        let window = window(language, consent(language));
        let mut ui = show(&window, &texts, SCREENS[0]);
        for words in page.preamble.iter().chain([&page.title, &page.no, &page.yes]) {
            assert!(ui.find(words.as_str()).is_ok(), "{words}");
        }
        // Alone on its page: apart from language and letters there are three things to press.
        for other in ["rules", "back", "stop", "ask-face", "continue", "finish"] {
            assert!(ui.find(id(other)).is_err(), "{other}");
        }
    }
}

#[test]
fn p05_no_word_on_this_window_presses_or_counts_down() {
    for language in BOTH {
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("i18n").join(language.tag()).join("resident.ftl");
        let words = std::fs::read_to_string(file).unwrap();
        for banned in [
            "必须录",
            "不录不能",
            "优先",
            "更快",
            "有礼",
            "推荐",
            "倒计时",
            "秒后",
            "recommended",
            "faster",
            "seconds",
            "hurry",
        ] {
            assert!(!words.contains(banned), "{banned}");
        }
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui/resident");
    for entry in std::fs::read_dir(folder).unwrap() {
        let code = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for banned in ["Duration", "Instant", "time::every", "progress_bar"] {
            assert!(!code.contains(banned), "{banned}");
        }
    }
}

#[test]
fn a_keyboard_reader_counts_as_the_residents_tap_only_while_a_card_is_waited_for() {
    use menka::ui::keys::Stray;
    let typed = |resident: &mut menka::ui::resident::Resident| {
        let _ = resident.stray(Stray::Text("04A1B2C3".to_owned().into()));
        format!("{:?}", resident.stray(Stray::Enter))
    };
    let mut resident = menka::ui::resident::Resident::default();
    assert_eq!(typed(&mut resident), "None", "nothing is waited for");
    let scene = menka::app::event::ResidentScene::TapCard { withdraw: false, failure: None };
    resident.apply(&menka::app::event::Event::Resident(scene));
    assert!(typed(&mut resident).contains("WedgeTyped"));
    assert_eq!(format!("{:?}", resident.stray(Stray::Enter)), "None", "an empty line is no card");
}

#[test]
fn p44_pausing_is_one_press_and_a_door_is_taken_out_after_a_question_with_equal_buttons() {
    let texts = Texts::new(Language::Chinese);
    let mut window = window(Language::Chinese, ResidentScene::Doors(Box::new(doors(false))));
    assert!(matches!(
        press(&mut window, &texts, "pause"),
        Action::Ask(ResidentCommand::ChangeDoors(DoorChange::Pause))
    ));
    assert!(matches!(press(&mut window, &texts, "drop-0"), Action::None), "asked first");
    {
        let mut ui = show(&window, &texts, SCREENS[1]);
        let (yes, no) = (bounds(&mut ui, "drop-confirm").0, bounds(&mut ui, "drop-back").0);
        assert_eq!((yes.width, yes.height), (no.width, no.height), "neither is nudged");
    }
    assert!(matches!(press(&mut window, &texts, "drop-back"), Action::None));
    assert!(matches!(press(&mut window, &texts, "drop-1"), Action::None));
    let asked = press(&mut window, &texts, "drop-confirm");
    let second = GateId::from_bytes([2; 16]);
    assert!(matches!(asked, Action::Ask(ResidentCommand::ChangeDoors(DoorChange::Drop(gate))) if gate == second));
    let mut ui = show(&window, &texts, SCREENS[0]);
    assert!(ui.find(id("drop-2")).is_err(), "a door that is out already has no button");
}

#[test]
fn p15a_fewer_doors_are_offered_below_the_withdrawal_and_never_instead_of_it() {
    for language in BOTH {
        let texts = Texts::new(language);
        let text = text(Text::Withdraw, language).markdown;
        let masked_name = "王**".into();
        let window = window(language, ResidentScene::WithdrawConfirm { masked_name, text, gates: vec!["东门".into()] });
        let mut ui = show(&window, &texts, SCREENS[0]);
        let (withdraw, fewer) = (bounds(&mut ui, "withdraw-confirm"), bounds(&mut ui, "doors"));
        assert!(withdraw.1.is_some(), "the withdrawal is in view");
        assert!(withdraw.0.height >= fewer.0.height, "and not smaller");
        assert!(matches!(click(&window, &texts, "doors")[..], [Message::DoorsPressed]));
    }
}
