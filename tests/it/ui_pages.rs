//! Every page of the resident window in every language, size and set of colours: nothing is cut, nothing overlaps, nothing is small; and no
//! visible word anywhere presses.

use std::path::Path;
use std::sync::Mutex;

use iced::{Rectangle, Size};
use iced_test::core::widget::operation::{Operation, Outcome};
use iced_test::runtime::user_interface::{Cache, UserInterface};
use iced_test::selector::{Candidate, id};
use menka::app::aids::{AidCommand, AidEvent, Paper, PaperState};
use menka::app::command::ResidentCommand;
use menka::app::event::{Event, ResidentScene};
use menka::domain::notice::Language;
use menka::i18n::Texts;
use menka::ports::{PrintError, SpeechError};
use menka::ui::contrast::Contrast;
use menka::ui::keys::Touch;
use menka::ui::resident::{Action, AidMessage, LetterSize, Message, Resident};
use menka::ui::sections;

use super::ui_resident::{BOTH, consent, notice, scenes, shots, show, window};

const SCREENS: [Size; 3] = [Size::new(1366.0, 768.0), Size::new(1024.0, 768.0), Size::new(1024.0, 600.0)];
/// 18 pt at 96 dpi.
const LETTERS_MIN: f32 = 24.0;

/// A word or a button as it is on screen: what, where, and how much of it is to be seen.
#[derive(Clone, Debug)]
struct Seen {
    /// `None`: something that can be pressed.
    words: Option<String>,
    whole: Rectangle,
    visible: Option<Rectangle>,
}

/// Everything that is written, and everything that can be pressed; `actions` are buttons also while they are shut.
fn seen(window: &Resident, texts: &Texts, size: Size, actions: &[&'static str]) -> Vec<Seen> {
    let all = Mutex::new(vec![]);
    let ids: Vec<iced::widget::Id> = actions.iter().map(|at| iced::widget::Id::from(*at)).collect();
    let mut ui = show(window, texts, size);
    let _ = ui.find(|candidate: Candidate<'_>| -> Option<()> {
        let found = match candidate {
            Candidate::Text { bounds, visible_bounds, content, .. } => {
                Some(Seen { words: Some(content.to_owned()), whole: bounds, visible: visible_bounds })
            }
            Candidate::Focusable { bounds, visible_bounds, .. } => {
                Some(Seen { words: None, whole: bounds, visible: visible_bounds })
            }
            Candidate::Container { id: Some(id), bounds, visible_bounds } if ids.contains(id) => {
                Some(Seen { words: None, whole: bounds, visible: visible_bounds })
            }
            _ => None,
        };
        all.lock().unwrap().extend(found);
        None
    });
    all.into_inner().unwrap()
}

/// A page and what stands in its tray.
fn dressed(language: Language, scene: ResidentScene, letters: LetterSize, contrast: Contrast) -> Resident {
    let mut window = window(language, scene);
    let _ = window.update(Message::SizePressed(letters));
    if contrast == Contrast::High {
        let _ = window.update(Message::Aid(AidMessage::ContrastPressed));
    }
    window
}

/// What the tray can hold, by name.
fn trays(window: &mut Resident, tray: &str) {
    let aid = |event| Event::Aid(event);
    match tray {
        "asked" => window.apply(&aid(AidEvent::StillThere(true))),
        "mute" => window.apply(&aid(AidEvent::ReadingFailed(SpeechError::NoVoice))),
        "paper" => {
            let _ = window.update(Message::Aid(AidMessage::CopyPressed));
            window.apply(&aid(AidEvent::Paper(PaperState::NotPrinted(PrintError::Stuck))));
        }
        "reads" => window.apply(&aid(AidEvent::Reading(Some(1)))),
        _ => {}
    }
}

fn check(name: &str, seen: &[Seen], size: Size) {
    let words: Vec<&Seen> = seen.iter().filter(|s| s.words.is_some()).collect();
    for one in &words {
        let text = one.words.as_deref().unwrap_or_default();
        assert!(
            one.whole.x >= -0.5 && one.whole.x + one.whole.width <= size.width + 0.5,
            "{name}: {text} leaves the window"
        );
        // A label that does not fit its button is laid out as tall as the button, and the rest of it is lost.
        let button = seen.iter().filter(|s| s.words.is_none() && holds(&s.whole, &one.whole)).map(|s| s.whole.height);
        let tight = button.fold(f32::MAX, f32::min);
        // A tick box is as tall as its words.
        let boxed = one.whole.width > size.width / 2.0;
        assert!(boxed || one.whole.height < tight - 1.0, "{name}: {text} does not fit its button");
        assert!(one.whole.height >= LETTERS_MIN, "{name}: {text} is {} high", one.whole.height);
    }
    for (at, one) in words.iter().enumerate() {
        for other in &words[at + 1..] {
            let (Some(a), Some(b)) = (one.visible, other.visible) else { continue };
            if let Some(both) = a.intersection(&b) {
                assert!(both.width < 2.0 || both.height < 2.0, "{name}: {:?} lies on {:?}", one.words, other.words);
            }
        }
    }
}

fn holds(outer: &Rectangle, inner: &Rectangle) -> bool {
    outer.x <= inner.x + 0.5
        && outer.y <= inner.y + 0.5
        && outer.x + outer.width >= inner.x + inner.width - 0.5
        && outer.y + outer.height >= inner.y + inner.height - 0.5
}

#[test]
fn f05c_no_page_cuts_or_covers_a_word_in_any_language_or_size() {
    let mut pages = 0;
    for language in BOTH {
        let texts = Texts::new(language);
        for (name, scene, actions) in scenes(language) {
            for letters in LetterSize::ALL {
                for size in SCREENS {
                    let window = dressed(language, scene.clone(), letters, Contrast::Usual);
                    let name = format!("{name} {} {letters:?} {size:?}", language.tag());
                    check(&name, &seen(&window, &texts, size, &actions), size);
                    pages += 1;
                    if let Some(folder) = shots().filter(|_| size.height > 700.0) {
                        for contrast in [Contrast::Usual, Contrast::High] {
                            let window = dressed(language, scene.clone(), letters, contrast);
                            let mut ui = show(&window, &texts, size);
                            let snapshot = ui.snapshot(&contrast.theme()).unwrap();
                            let file = format!("page {name} {contrast:?}").replace([' ', ':', '{', '}', ',', '.'], "-");
                            let _ = snapshot.matches_image(folder.join(file)).unwrap();
                        }
                    }
                }
            }
            assert!(name == "closed" || !actions.is_empty());
        }
    }
    println!("resident pages checked: {pages}");
}

#[test]
fn f05c_what_is_said_beside_a_page_covers_nothing_and_leaves_its_actions_in_view() {
    for language in BOTH {
        let texts = Texts::new(language);
        let wanted = ["notice", "rules", "done", "consent"];
        for (name, scene, actions) in scenes(language).into_iter().filter(|(name, _, _)| wanted.contains(name)) {
            for (letters, size) in LetterSize::ALL.into_iter().flat_map(|l| SCREENS.map(|s| (l, s))) {
                for tray in ["asked", "mute", "paper", "reads"] {
                    let mut window = dressed(language, scene.clone(), letters, Contrast::Usual);
                    trays(&mut window, tray);
                    let name = format!("{name} with {tray} {} {letters:?} {size:?}", language.tag());
                    check(&name, &seen(&window, &texts, size, &actions), size);
                    let mut ui = show(&window, &texts, size);
                    for action in actions.iter().chain(if tray == "asked" { &["still-here"][..] } else { &[] }) {
                        let target = ui.find(id(*action)).unwrap_or_else(|e| panic!("{name}: {action}: {e}"));
                        let (whole, part) = (target.bounds(), target.visible_bounds());
                        assert!(part.is_some_and(|p| p.height >= whole.height - 1.0), "{name}: {action} is cut");
                    }
                    if let Some(folder) = shots().filter(|_| letters == LetterSize::Standard && size.height > 700.0) {
                        let snapshot = ui.snapshot(&Contrast::Usual.theme()).unwrap();
                        let file = format!("tray {name}").replace([' ', ':', '{', '}', ',', '.'], "-");
                        let _ = snapshot.matches_image(folder.join(file)).unwrap();
                    }
                }
            }
        }
    }
}

#[test]
fn p17b_no_letter_of_this_window_is_smaller_than_eighteen_points() {
    for letters in LetterSize::ALL {
        let sizes = letters.sizes();
        for size in [sizes.small, sizes.body, sizes.section, sizes.title, sizes.huge] {
            assert!(size >= LETTERS_MIN, "{letters:?}: {size}");
        }
        assert!((sizes.body - LETTERS_MIN * f32::from(letters.percent()) / 100.0).abs() < 0.01);
    }
    // And no page names a size of its own, nor takes the sizes of the staff window.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui/resident");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let named = line.split(".size(").skip(1).chain(line.split("text_size(").skip(1));
            for argument in named {
                assert!(
                    ["sizes.", "size)", ")"].iter().any(|known| argument.starts_with(known)),
                    "{}: {line}",
                    path.display()
                );
            }
            assert!(!line.contains("Sizes::STAFF"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn f05c_letters_and_colours_stay_through_the_visit_and_the_next_person_begins_with_the_usual_ones() {
    for language in BOTH {
        let texts = Texts::new(language);
        let all = scenes(language);
        let of = |name: &str| all.iter().find(|s| s.0 == name).unwrap().1.clone();
        let mut window = window(language, of("idle"));
        let _ = window.update(Message::SizePressed(LetterSize::Huge));
        let _ = window.update(Message::Aid(AidMessage::ContrastPressed));
        for name in ["tap", "notice", "consent", "camera", "working", "try", "done", "refused", "withdraw", "withdrawn"]
        {
            window.apply(&Event::Resident(of(name)));
            assert_eq!((window.letters(), window.contrast()), (LetterSize::Huge, Contrast::High), "{name}");
            // The control is on every page.
            let mut ui = show(&window, &texts, SCREENS[0]);
            for control in ["letters-1", "letters-2", "letters-3", "contrast", "read", "language"] {
                assert!(ui.find(id(control)).is_ok(), "{control} on {name}");
            }
        }
        window.apply(&Event::Resident(of("idle")));
        assert_eq!((window.letters(), window.contrast()), (LetterSize::Standard, Contrast::Usual));
    }
}

/// Runs an operation over the window, scrolled to nowhere.
fn operate<T: Clone + 'static>(window: &Resident, texts: &Texts, operation: &mut dyn Operation<T>) -> Option<T> {
    let settings = super::ui_staff::settings();
    let mut renderer = iced_test::renderer::Renderer::new(settings.default_font, settings.default_text_size);
    let root = iced::widget::container(window.view(texts)).id("menka-resident");
    let mut ui = UserInterface::build(root, SCREENS[0], Cache::default(), &mut renderer);
    ui.operate(&renderer, &mut iced_test::core::widget::operation::black_box(operation));
    match operation.finish() {
        Outcome::Some(found) => Some(found),
        _ => None,
    }
}

#[test]
fn p17b_the_sections_on_screen_are_found_and_told_once() {
    let texts = Texts::new(Language::Chinese);
    let mut window = window(Language::Chinese, notice(Language::Chinese, false));
    let found = operate(&window, &texts, &mut sections::looking()).expect("sections");
    assert_eq!(found.first(), Some(&0), "{found:?}");
    assert!(found.len() < 5, "the notice is far longer than a screen: {found:?}");
    let told = |window: &mut Resident, sections: &[u16]| match window
        .update(Message::Aid(AidMessage::InView(sections.to_vec())))
    {
        Action::Ask(ResidentCommand::Aid(AidCommand::InView(view))) => Some(view),
        _ => None,
    };
    let view = told(&mut window, &found).expect("told");
    assert_eq!((view.sections, view.letters_percent, view.high_contrast), (found.clone(), 100, false));
    assert_eq!(told(&mut window, &found), None, "once");
    let _ = window.update(Message::SizePressed(LetterSize::Large));
    assert_eq!(told(&mut window, &found).map(|v| v.letters_percent), Some(150), "the letters changed");
    window.apply(&Event::Resident(consent(Language::Chinese)));
    assert_eq!(told(&mut window, &found), None, "no notice, no sections");
}

#[test]
fn f05c_reading_aloud_takes_the_words_that_are_on_the_page_and_a_press_that_stops_it_does_not_begin_it_again() {
    for language in BOTH {
        let texts = Texts::new(language);
        // A text goes by its sections, to its last word.
        let mut reading = window(language, notice(language, false));
        let Action::Ask(ResidentCommand::Aid(AidCommand::Read(read))) =
            reading.update(Message::Aid(AidMessage::ReadPressed))
        else {
            panic!("nothing is read")
        };
        assert!(read.len() > 15, "{}", read.len());
        let ResidentScene::Notice { text, .. } = reading.scene() else { panic!("no notice") };
        let heads = text.markdown.lines().filter_map(|line| line.strip_prefix("## "));
        for (head, section) in heads.zip(&read[1..]) {
            assert!(section.starts_with(head), "{head}");
        }
        reading.apply(&Event::Aid(AidEvent::Reading(Some(3))));
        assert_eq!(reading.section_read(), Some(3));
        // Down: silent. The button says "read" again when the finger goes up, and that does not count.
        let down = reading.update(Message::Aid(AidMessage::Touched(Touch::Down)));
        assert!(matches!(down, Action::Ask(ResidentCommand::Aid(AidCommand::Hush))));
        reading.apply(&Event::Aid(AidEvent::Reading(None)));
        assert!(matches!(reading.update(Message::Aid(AidMessage::ReadPressed)), Action::None));
        let _ = reading.update(Message::Aid(AidMessage::Touched(Touch::Up)));
        let again = reading.update(Message::Aid(AidMessage::ReadPressed));
        assert!(matches!(again, Action::Ask(ResidentCommand::Aid(AidCommand::Read(_)))));
        // The wheel stops it too, and holds nothing back.
        reading.apply(&Event::Aid(AidEvent::Reading(Some(0))));
        let _ = reading.update(Message::Aid(AidMessage::Touched(Touch::Passing)));
        reading.apply(&Event::Aid(AidEvent::Reading(None)));
        let again = reading.update(Message::Aid(AidMessage::ReadPressed));
        assert!(matches!(again, Action::Ask(ResidentCommand::Aid(AidCommand::Read(_)))));

        // Any other page is read as it stands there, buttons and all, without the frame around it.
        let mut deciding = window(language, consent(language));
        assert!(matches!(deciding.update(Message::Aid(AidMessage::ReadPressed)), Action::ReadPage));
        let without = &["frame", "tray", "practice-banner"];
        let words = operate(&deciding, &texts, &mut sections::collecting("menka-resident", without)).expect("words");
        let ResidentScene::Consent { preamble, sentence, buttons } = deciding.scene() else { panic!("no page") };
        for line in preamble.iter().chain([sentence, &buttons.0, &buttons.1]) {
            assert!(words.contains(line), "{line} in {words:?}");
        }
        assert!(!words.iter().any(|w| w == "A++" || w == "English" || w == "中文"), "{words:?}");
        let read = deciding.update(Message::Aid(AidMessage::PageRead(words.clone())));
        assert!(matches!(read, Action::Ask(ResidentCommand::Aid(AidCommand::Read(said))) if said == words));
    }
}

#[test]
fn p17d_papers_are_offered_where_there_is_one_and_what_became_of_them_is_said() {
    for language in BOTH {
        let texts = Texts::new(language);
        for (name, scene, _) in scenes(language) {
            let offered: &[(Paper, &str, &str)] = match name {
                "rules" => &[(Paper::Rules, "print-rules", "save-rules")],
                "notice" => &[(Paper::Notice, "print-notice", "save-notice")],
                "done" => {
                    &[(Paper::Receipt, "print-receipt", "save-receipt"), (Paper::Notice, "print-notice", "save-notice")]
                }
                _ => &[],
            };
            let mut window = window(language, scene);
            assert_eq!(show(&window, &texts, SCREENS[0]).find(id("copy")).is_ok(), !offered.is_empty(), "{name}");
            let _ = window.update(Message::Aid(AidMessage::CopyPressed));
            for (paper, print, save) in offered {
                for (at, wanted) in [(print, true), (save, false)] {
                    let mut ui = show(&window, &texts, SCREENS[0]);
                    ui.click(id(*at)).unwrap_or_else(|e| panic!("{name}: {at}: {e}"));
                    let messages: Vec<Message> = ui.into_messages().collect();
                    let action = messages.into_iter().map(|m| window.update(m)).last();
                    match action {
                        Some(Action::Ask(ResidentCommand::Aid(AidCommand::Print(asked)))) => {
                            assert!(wanted && asked == *paper);
                        }
                        Some(Action::PickPaperPath(asked)) => assert!(!wanted && asked == *paper),
                        other => panic!("{name}: {at}: {other:?}"),
                    }
                }
            }
        }
        let mut window = window(language, notice(language, false));
        let _ = window.update(Message::Aid(AidMessage::CopyPressed));
        let said: std::collections::BTreeSet<String> = [
            PaperState::Printing,
            PaperState::Printed,
            PaperState::Saved("x.pdf".into()),
            PaperState::NotPrinted(PrintError::NoPrinter),
            PaperState::NotPrinted(PrintError::Stuck),
            PaperState::NotPrinted(PrintError::Refused("x".into())),
            PaperState::NotSaved("x".into()),
        ]
        .into_iter()
        .map(|state| {
            window.apply(&Event::Aid(AidEvent::Paper(state)));
            let all = seen(&window, &texts, SCREENS[0], &[]);
            all.iter().filter_map(|s| s.words.clone()).collect::<Vec<_>>().join("|")
        })
        .collect();
        assert_eq!(said.len(), 7, "each has words of its own");
        let left = window.update(Message::Aid(AidMessage::PathPicked(Paper::Notice, None)));
        assert!(matches!(left, Action::None), "a dialog that was left saves nothing");
    }
}

#[test]
fn f05c_the_question_before_a_page_is_put_away_is_answered_by_any_touch() {
    let mut window = window(Language::Chinese, notice(Language::Chinese, false));
    let touch = |window: &mut Resident| window.update(Message::Aid(AidMessage::Touched(Touch::Down)));
    assert!(matches!(touch(&mut window), Action::None), "nobody asked");
    window.apply(&Event::Aid(AidEvent::StillThere(true)));
    assert!(matches!(touch(&mut window), Action::Ask(ResidentCommand::Aid(AidCommand::Here))));
    window.apply(&Event::Aid(AidEvent::StillThere(false)));
    assert!(matches!(touch(&mut window), Action::None));
}

#[test]
fn f05c_every_action_of_a_page_can_be_reached_and_pressed_by_the_keyboard_alone() {
    use iced_test::core::clipboard;
    use iced_test::core::widget::operation::black_box;
    use menka::ui::focus::{self, Step};
    let settings = super::ui_staff::settings();
    let mut renderer = iced_test::renderer::Renderer::new(settings.default_font, settings.default_text_size);
    let texts = Texts::new(Language::Chinese);
    // What the mouse can press is what the keyboard can press: no more, no less.
    for (name, scene, actions) in scenes(Language::Chinese) {
        let window = window(Language::Chinese, scene);
        let root = iced::widget::container(window.view(&texts)).id("menka-resident");
        let mut ui = UserInterface::build(root, SCREENS[0], Cache::default(), &mut renderer);
        let mut pressed = vec![];
        let mut seen: Vec<String> = vec![];
        for _ in 0..24 {
            let mut next: Option<Box<dyn Operation<()>>> =
                Some(Box::new(focus::operation("menka-resident", Step::Next)));
            while let Some(mut operation) = next.take() {
                ui.operate(&renderer, &mut black_box(operation.as_mut()));
                if let Outcome::Chain(then) = operation.finish() {
                    next = Some(then);
                }
            }
            let mut messages = vec![];
            let space = iced_test::simulator::press_key(
                iced::keyboard::Key::Named(iced::keyboard::key::Named::Space),
                Some(" ".into()),
            );
            let _ = ui.update(
                &[space],
                iced_test::core::mouse::Cursor::Unavailable,
                &mut renderer,
                &mut clipboard::Null,
                &mut messages,
            );
            let said = format!("{messages:?}");
            if seen.contains(&said) {
                continue;
            }
            seen.push(said);
            pressed.extend(messages);
        }
        let by_mouse: Vec<String> = actions
            .iter()
            .flat_map(|at| {
                let mut ui = show(&window, &texts, SCREENS[0]);
                ui.click(id(*at)).unwrap_or_else(|e| panic!("{name}: {at}: {e}"));
                ui.into_messages().map(|m| format!("{m:?}")).filter(|m| !m.contains("EndShown")).collect::<Vec<_>>()
            })
            .collect();
        let by_key: Vec<String> = pressed.iter().map(|m| format!("{m:?}")).collect();
        for wanted in &by_mouse {
            assert!(by_key.contains(wanted), "{wanted} on {name} by key: {by_key:?}");
        }
        assert!(by_key.iter().any(|m| m == "LanguagePressed") && by_key.iter().any(|m| m.contains("ReadPressed")));
        // Yes stays shut before the tick, for the keyboard too.
        assert!(!by_key.iter().any(|m| m == "YesPressed"), "{name}");
    }
}

/// Words that push towards a face, or towards haste. Rules: P05, J04-3, F12.
const PRESSING: &[&str] = &[
    "必须录",
    "不录不能",
    "不录就不能",
    "不录进不",
    "优先通行",
    "优先进",
    "优先办",
    "录脸有礼",
    "有礼",
    "奖励",
    "积分",
    "抽奖",
    "优惠",
    "推荐",
    "强烈建议",
    "建议您录",
    "建议录",
    "更快",
    "更方便",
    "更安全",
    "抓紧",
    "尽快录",
    "赶快",
    "赶紧",
    "限时",
    "名额",
    "仅剩",
    "最后机会",
    "最后一次机会",
    "倒计时",
    "秒后",
    "否则不能进",
    "否则无法进",
    "人人都",
    "大家都已",
    "邻居都",
    "只需一秒",
    "一键开通",
    "must enroll",
    "must enrol",
    "have to enroll",
    "have to enrol",
    "recommended",
    "we recommend",
    "faster",
    "more convenient",
    "hurry",
    "last chance",
    "limited time",
    "reward",
    "bonus",
    "discount",
    "priority entry",
    "seconds left",
    "countdown",
    "everyone has",
    "your neighbours have",
    "don't miss",
];

/// Sentences that say the opposite with the same words.
const ALLOWED: &[&str] = &[
    "没有任何法律或合同要求您必须录",
    "有人要求您必须录人脸才能进门、办卡、缴费的，请打",
    "no law or contract requires",
];

fn rust_files(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push(path);
        }
    }
}

// Shows: F12
#[test]
fn p05_no_visible_word_of_any_window_text_or_paper_presses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![];
    for language in ["zh-CN", "en"] {
        for folder in ["i18n", "assets/notices"] {
            for entry in std::fs::read_dir(root.join(folder).join(language)).unwrap() {
                files.push(entry.unwrap().path());
            }
        }
    }
    assert!(files.len() >= 18, "{files:?}");
    let mut lines = 0;
    for file in files {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let mut words = line.to_lowercase().replace("**", "");
            for allowed in ALLOWED {
                words = words.replace(&allowed.to_lowercase(), "");
            }
            for pressing in PRESSING {
                assert!(!words.contains(pressing), "{pressing} in {}: {line}", file.display());
            }
            lines += 1;
        }
    }
    // Fixed words that papers and screens take from the program itself: every string literal with a Chinese character, and the English beside it.
    let mut sources = vec![root.join("assets/evidence/head.md")];
    for folder in
        ["src/app", "src/ui", "src/notice", "src/paper", "src/bin", "src/gate", "src/evidence", "src/printing"]
    {
        rust_files(&root.join(folder), &mut sources);
    }
    let mut literals = 0;
    for file in sources {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_paper = file.extension().is_some_and(|end| end == "md");
        for line in text.lines().filter(|line| is_paper || (!line.trim_start().starts_with("//") && line.contains('"')))
        {
            let said = if is_paper {
                line.to_owned()
            } else {
                line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ")
            };
            if !said.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) {
                continue;
            }
            let said = said.to_lowercase();
            for pressing in PRESSING {
                assert!(!said.contains(pressing), "{pressing} in {}: {line}", file.display());
            }
            literals += 1;
        }
    }
    assert!(literals > 60, "the scan finds the words in the program: {literals}");
    println!("visible lines scanned for pressing words: {lines}, and {literals} lines of fixed words in the program");
}
