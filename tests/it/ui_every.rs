//! No page of the resident window slips through: every scene that the desk can send is drawn in both languages, on both screens, in every letter
//! size and both sets of colours, and every pair of buttons of a decision is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use iced::Size;
use iced_test::Simulator;
use iced_test::selector::id;
use menka::app::event::{Event, ResidentScene};
use menka::app::guardian::GuardianScene;
use menka::app::rights::{OwnFaceScene, RightsScene};
use menka::app::shown_again::ShownScene;
use menka::domain::Realm;
use menka::domain::notice::Language;
use menka::i18n::Texts;
use menka::ui::resident::{AidMessage, LetterSize, Message, Resident};
use menka::ui::theme;

const BOTH: [Language; 2] = [Language::Chinese, Language::English];
const SCREENS: [Size; 2] = [Size::new(1366.0, 768.0), Size::new(1024.0, 600.0)];

/// The name of a scene. Exhaustive: a new one does not compile until it stands here, and [`EVERY`] asks for its pages.
fn name(scene: &ResidentScene) -> &'static str {
    use ResidentScene as S;
    match scene {
        S::Idle { .. } => "idle",
        S::Rules { .. } => "rules",
        S::TapCard { .. } => "tap-card",
        S::Notice { .. } => "notice",
        S::Consent { .. } => "consent",
        S::Change { .. } => "change",
        S::Refused { .. } => "refused",
        S::Camera { .. } => "camera",
        S::Working { .. } => "working",
        S::TryGate { .. } => "try-gate",
        S::Done { .. } => "done",
        S::Ended { .. } => "ended",
        S::WithdrawConfirm { .. } => "withdraw-confirm",
        S::Withdrawn { .. } => "withdrawn",
        S::Doors(_) => "doors",
        S::Closed => "closed",
        S::Rights(RightsScene::Tap { .. }) => "rights-tap",
        S::Rights(RightsScene::Mine(_)) => "rights-mine",
        S::Rights(RightsScene::All { .. }) => "rights-all",
        S::Rights(RightsScene::Asked { .. }) => "rights-asked",
        S::Rights(RightsScene::RefuseFace { .. }) => "rights-refuse-face",
        S::Rights(RightsScene::Shown(ShownScene::List(_))) => "shown-list",
        S::Rights(RightsScene::Shown(ShownScene::Again { .. })) => "shown-again",
        S::Rights(RightsScene::Shown(ShownScene::Broken { .. })) => "shown-broken",
        S::Rights(RightsScene::OwnFace(OwnFaceScene::Copy { .. })) => "own-copy",
        S::Rights(RightsScene::OwnFace(OwnFaceScene::Redo { .. })) => "own-redo",
        S::Guardian(GuardianScene::Ask { .. }) => "guardian-ask",
        S::Guardian(GuardianScene::Consent { .. }) => "guardian-consent",
        S::Guardian(GuardianScene::Informed { .. }) => "guardian-informed",
        S::Guardian(GuardianScene::Form { .. }) => "guardian-form",
    }
}

/// Every name above.
fn every() -> BTreeSet<String> {
    let own = include_str!("ui_every.rs");
    let body = own.split("fn name(").nth(1).and_then(|rest| rest.split("\n}\n").next()).unwrap_or_default();
    body.lines().filter_map(|line| line.split("=> \"").nth(1)?.split('"').next()).map(str::to_owned).collect()
}

/// Every scene of the other files' tables.
fn scenes(language: Language) -> Vec<(String, ResidentScene)> {
    let mut all: Vec<(String, ResidentScene)> = vec![];
    let mut add = |from: &str, name: &str, scene| all.push((format!("{from}: {name}"), scene));
    for (name, scene, _) in super::ui_resident::scenes(language) {
        add("resident", name, scene);
    }
    for (name, scene, _) in super::ui_notice::scenes(language) {
        add("notice", name, scene);
    }
    for (name, scene, _) in super::ui_rights::scenes(language) {
        add("rights", name, ResidentScene::Rights(scene));
    }
    for (name, scene, _) in super::ui_guardian::scenes(language) {
        add("guardian", name, ResidentScene::Guardian(scene));
    }
    all
}

/// The ids of each pair of equal buttons, read from the pages themselves.
fn pairs() -> BTreeSet<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui/resident");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for after in text.split("equal_pair(").skip(1) {
            let mut ids = after
                .split("Side::new(")
                .skip(1)
                .filter_map(|side| side.trim_start().strip_prefix('"')?.split('"').next());
            let (Some(left), Some(right)) = (ids.next(), ids.next()) else {
                panic!("a pair without ids in {}", entry.path().display())
            };
            found.insert((left.to_owned(), right.to_owned()));
        }
    }
    found
}

fn window(language: Language, scene: &ResidentScene, letters: LetterSize, dark: bool) -> Resident {
    let mut window = Resident::default();
    window.apply(&Event::Realm(Realm::Practice));
    window.apply(&Event::ResidentLanguage(language));
    window.apply(&Event::Resident(scene.clone()));
    let _ = window.update(Message::SizePressed(letters));
    if dark {
        let _ = window.update(Message::Aid(AidMessage::ContrastPressed));
    }
    window
}

// Shows: F05c, M9
#[test]
fn p05_every_scene_is_drawn_everywhere_and_every_decision_has_two_equal_buttons() {
    let pairs = pairs();
    assert!(pairs.len() >= 8, "{pairs:?}");
    let (mut drawn, mut measured) = (BTreeSet::new(), BTreeMap::<(String, String), usize>::new());
    for language in BOTH {
        let texts = Texts::new(language);
        for (from, scene) in scenes(language) {
            drawn.insert(name(&scene).to_owned());
            for (size, letters) in SCREENS.into_iter().flat_map(|size| LetterSize::ALL.map(|letters| (size, letters))) {
                // The dark colours change no place: one screen is enough for them.
                for dark in [false, true].into_iter().take(if size == SCREENS[1] { 2 } else { 1 }) {
                    let window = window(language, &scene, letters, dark);
                    let mut ui = Simulator::with_size(theme::settings(), size, window.view(&texts));
                    for pair in &pairs {
                        let (Ok(left), Ok(right)) = (ui.find(id(pair.0.clone())), ui.find(id(pair.1.clone()))) else {
                            continue;
                        };
                        let (left, right) = (left.bounds(), right.bounds());
                        let said = format!("{from}, {pair:?}, {size:?}, {letters:?}: {left:?} {right:?}");
                        // Two buttons of other pages may bear the same ids (a foot with "back"): a pair stands on one line.
                        if (left.y - right.y).abs() > 0.5 {
                            continue;
                        }
                        assert!(
                            (left.width - right.width).abs() < 0.5 && (left.height - right.height).abs() < 0.5,
                            "{said}"
                        );
                        assert!(right.x > left.x + left.width && left.height >= 44.0, "{said}");
                        assert!(left.x >= 0.0 && right.x + right.width <= size.width + 0.5, "{said}");
                        *measured.entry(pair.clone()).or_default() += 1;
                    }
                }
            }
        }
    }
    assert_eq!(drawn, every(), "a scene without a page in the tables");
    // The two that need a press first (a signature, a door) are measured in the tests of their own pages.
    let elsewhere: BTreeSet<(String, String)> =
        [("no", "sign-confirm"), ("drop-confirm", "drop-back")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    let left: Vec<_> =
        pairs.iter().filter(|pair| !measured.contains_key(*pair) && !elsewhere.contains(*pair)).collect();
    assert!(left.is_empty(), "not measured: {left:?}");
    println!(
        "{} scenes, {} pairs of buttons measured {} times",
        drawn.len(),
        measured.len(),
        measured.values().sum::<usize>()
    );
}
