//! The resident window, scene by scene: what can be pressed, what comes of it, and that both languages fit both screens.

use std::path::PathBuf;
use std::sync::Arc;

use iced::{Event as Input, Point, Rectangle, Size, mouse};
use iced_test::Simulator;
use iced_test::selector::{Target, id};
use menka::app::command::ResidentCommand;
use menka::app::event::{Event, Failure, HandOver, Preview, ReceiptView, ResidentScene};
use menka::domain::Realm;
use menka::domain::consent::Signature;
use menka::domain::notice::Language;
use menka::domain::quality::Guidance;
use menka::domain::time::{CivilDate, Timestamp};
use menka::i18n::Texts;
use menka::notice::{Rendered, Text, consent_page, render};
use menka::ports::CameraError;
use menka::secret::Typed;
use menka::ui::resident::{Action, LetterSize, Message, Resident, SignMessage};
use menka::ui::theme;

const BOTH: [Language; 2] = [Language::Chinese, Language::English];
const SCREENS: [Size; 2] = [Size::new(1366.0, 768.0), Size::new(1024.0, 600.0)];

fn text(text: Text, language: Language) -> Rendered {
    render(text, language, &super::notice::all_values(language)).unwrap()
}

fn consent(language: Language) -> ResidentScene {
    let page = consent_page(language, &super::notice::all_values(language)).unwrap();
    ResidentScene::Consent { preamble: page.preamble, sentence: page.sentence, buttons: (page.no, page.yes) }
}

fn notice(language: Language, reached_end: bool) -> ResidentScene {
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
fn scenes(language: Language) -> Vec<(&'static str, ResidentScene, Vec<&'static str>)> {
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
        ("notice", notice(language, false), vec!["back", "continue"]),
        ("consent", consent(language), vec!["no", "yes"]),
        ("refused", S::Refused { text: words(Text::Refused) }, vec!["back"]),
        ("camera", S::Camera { hint: menka::notice::plain(&words(Text::CameraHint)) }, vec!["stop"]),
        ("working", S::Working { gates }, vec!["stop"]),
        ("try", S::TryGate { gate: "东门".into(), looking: false }, vec!["skip", "try"]),
        ("try-looking", S::TryGate { gate: "东门".into(), looking: true }, vec!["stop"]),
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
        ("ended", ended(Some(Failure::Camera(CameraError::Unplugged)), true), vec!["back", "retry"]),
        (
            "withdraw",
            S::WithdrawConfirm { text: words(Text::Withdraw), gates: vec!["东门".into(), "西门".into()] },
            vec!["withdraw-confirm", "back"],
        ),
        ("withdrawn", S::Withdrawn { erased: vec!["东门".into()], pending: vec!["西门".into()] }, vec!["back"]),
        ("closed", S::Closed, vec![]),
    ]
}

/// A window in a language that shows a scene, as the desk would have it shown.
fn window(language: Language, scene: ResidentScene) -> Resident {
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

fn show<'a>(window: &'a Resident, texts: &'a Texts, size: Size) -> Simulator<'a, Message> {
    Simulator::with_size(theme::settings(), size, window.view(texts))
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
fn shots() -> Option<PathBuf> {
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
                        let file = format!("{name}-{}-{}-{letters:?}", language.tag(), size.width);
                        let _ = snapshot.matches_image(folder.join(file)).unwrap();
                    }
                }
            }
        }
    }
}
