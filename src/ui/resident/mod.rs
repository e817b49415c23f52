//! The resident window: one scene at a time, large letters, no time limit, two equal buttons where there is a decision.
//!
//! Deliberately absent: anything that ticks, chooses or presses for the resident; any countdown; any way to bring a picture in; any word
//! on another resident. What is shown came in an [`Event`]; what is pressed leaves as a [`ResidentCommand`].
//!
//! ```
//! use menka::{domain::notice::Language, i18n::Texts, ui::resident::{Action, Message, Resident}};
//! use menka::app::command::ResidentCommand;
//!
//! let (mut window, texts) = (Resident::default(), Texts::new(Language::Chinese));
//! drop(window.view(&texts));
//! assert!(matches!(window.update(Message::RulesPressed), Action::Ask(ResidentCommand::ShowRules)));
//! ```

mod aids;
mod camera;
mod change;
mod consent;
mod decision;
mod doors;
mod drawing;
mod ending;
pub mod guardian;
mod idle;
mod letters;
mod notice;
mod own_face;
mod pad;
mod parts;
pub mod rights;
pub mod shown;
mod withdraw;

use std::collections::BTreeSet;
use std::path::PathBuf;

use iced::Element;
use iced::widget::image;

use crate::app::aids::Paper;
use crate::app::command::ResidentCommand;
use crate::app::deletion::DoorChange;
use crate::app::event::{Event, Preview, ResidentScene};
use crate::app::notice::ChangeAnswer;
use crate::app::rights::RightsScene;
use crate::domain::Realm;
use crate::domain::id::GateId;
use crate::domain::notice::Language;
use crate::domain::quality::Guidance;
use crate::i18n::Texts;
use crate::notice::{Block, Page, blocks, explanations, page};
use crate::secret::Typed;
use crate::ui::keys::Stray;

use super::contrast::Contrast;
use super::theme::Sizes;

pub use aids::AidMessage;
use aids::Aids;
use decision::Decision;
pub use letters::LetterSize;

/// What happened in the window.
#[derive(Clone, Debug)]
pub enum Message {
    /// The other language.
    LanguagePressed,
    /// A letter size.
    SizePressed(LetterSize),
    /// "Read the rules."
    RulesPressed,
    /// "Use my face too."
    FacePressed,
    /// "Withdraw and delete my face."
    WithdrawPressed,
    /// Back to the first page.
    BackPressed,
    /// The end of the notice is on screen.
    EndShown,
    /// Scrolled; `true` at the end of the notice.
    Scrolled(bool),
    /// On to the consent page.
    ContinuePressed,
    /// No.
    NoPressed,
    /// The one box.
    Ticked(bool),
    /// Yes: the signature comes next.
    YesPressed,
    /// What was drawn or typed.
    Signed(SignMessage),
    /// From the signature back to the decision.
    SignBackPressed,
    /// "This is my signature."
    SignConfirmed,
    /// Stop.
    StopPressed,
    /// Try again.
    RetryPressed,
    /// Look once more for the gate.
    TryPressed,
    /// Leaves the try or the receipt.
    FinishPressed,
    /// "Save as PDF."
    SavePressed,
    /// Where to; `None` when the dialog was left.
    ReceiptPathPicked(Option<PathBuf>),
    /// Confirms the withdrawal.
    WithdrawConfirmed,
    /// "Only pause, or fewer doors."
    DoorsPressed,
    /// Pauses everywhere, or takes up again.
    DoorsChanged(DoorChange),
    /// "Take this door out": asks first; `None` goes back.
    DropPressed(Option<GateId>),
    /// On one's own information and rights, and the explanations of the notice.
    Rights(rights::Message),
    /// Answers a changed notice.
    ChangeAnswered(ChangeAnswer),
    /// On a page of a child, a ward or a guardian, or about a form on paper.
    Guardian(guardian::Message),
    /// Letters, colours, voice, paper.
    Aid(AidMessage),
}

/// The signature field.
#[derive(Clone, Debug)]
pub enum SignMessage {
    /// A stroke begins here, in thousandths of the field.
    PenDown(u16, u16),
    /// It goes on to here.
    PenMoved(u16, u16),
    /// "Draw again."
    Cleared,
    /// Draw or type.
    ByTyping(bool),
    /// The name as typed so far.
    NameTyped(Typed),
}

/// What the window wants done. The window itself does nothing.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// Ask the desk.
    Ask(ResidentCommand),
    /// Ask where to save the receipt, then send [`Message::ReceiptPathPicked`].
    PickReceiptPath,
    /// Ask where to save one's own information, then send [`rights::Message::PathPicked`].
    PickRightsPath(rights::Pick),
    /// Ask where to save a paper, then send [`AidMessage::PathPicked`].
    PickPaperPath(Paper),
    /// Collect the words on the page, then send [`AidMessage::PageRead`].
    ReadPage,
}

/// Guidance under the preview.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Guide {
    guidance: Guidance,
    taken: u8,
    needed: u8,
}

/// Longest card number that a keyboard-wedge reader types, in bytes.
const WEDGE_MAX: usize = 64;

/// The resident window.
pub struct Resident {
    realm: Realm,
    language: Language,
    letters: LetterSize,
    scene: ResidentScene,
    /// The scene's legal texts, read once.
    texts: Vec<Vec<Block>>,
    /// Words and buttons of the scene's short text.
    page: Page,
    end_shown: bool,
    /// The explanations of the notice in the window's language, and which of them are open.
    plain_words: Vec<Vec<Block>>,
    explained: BTreeSet<u8>,
    decision: Decision,
    preview: Option<(image::Handle, f32)>,
    guide: Option<Guide>,
    /// What a keyboard-wedge reader has typed so far, while a card is waited for.
    wedge: String,
    /// The door that the person was asked about.
    dropping: Option<GateId>,
    /// The pass-phrase for a copy of the own template, while its page is shown.
    phrase: own_face::Phrase,
    aids: Aids,
}

impl Default for Resident {
    fn default() -> Self {
        Self {
            realm: Realm::Real,
            language: Language::default(),
            letters: LetterSize::default(),
            scene: ResidentScene::Closed,
            texts: vec![],
            page: Page::default(),
            end_shown: false,
            plain_words: vec![],
            explained: BTreeSet::new(),
            decision: Decision::default(),
            preview: None,
            guide: None,
            wedge: String::new(),
            dropping: None,
            phrase: own_face::Phrase::default(),
            aids: Aids::default(),
        }
    }
}

impl Resident {
    /// Keys that no field took: a keyboard-wedge reader, which counts while the window waits for a card and never else.
    pub fn stray(&mut self, stray: Stray) -> Action {
        if !matches!(self.scene, ResidentScene::TapCard { .. } | ResidentScene::Rights(RightsScene::Tap { .. })) {
            self.wedge.clear();
            return Action::None;
        }
        match stray {
            Stray::Text(text) if self.wedge.len() + text.as_str().len() <= WEDGE_MAX => {
                self.wedge.push_str(text.as_str());
                Action::None
            }
            Stray::Text(_) => Action::None,
            Stray::Enter if self.wedge.is_empty() => Action::None,
            Stray::Enter => Action::Ask(ResidentCommand::WedgeTyped(std::mem::take(&mut self.wedge))),
        }
    }

    /// Takes in what the desk tells. Pictures are kept only while a scene with a camera is shown.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Realm(realm) => self.realm = *realm,
            Event::ResidentLanguage(language) => self.language = *language,
            Event::Resident(scene) => self.show(scene.clone()),
            Event::Preview(preview) if self.is_watching() => {
                self.preview = picture(preview);
            }
            Event::Guide { guidance, taken, needed } if self.is_watching() => {
                self.guide = Some(Guide { guidance: *guidance, taken: *taken, needed: *needed });
            }
            Event::Aid(event) => self.aids.apply(event),
            Event::Preview(_) | Event::Guide { .. } | Event::Staff(_) | Event::Goodbye { .. } => {}
        }
    }

    /// Which language the window is in.
    pub fn language(&self) -> Language {
        self.language
    }

    /// How large the letters are.
    pub fn letters(&self) -> LetterSize {
        self.letters
    }

    /// Which set of colours the window is in.
    pub fn contrast(&self) -> Contrast {
        self.aids.contrast()
    }

    /// Whether what is on screen is timed by sections, so that it has to be looked for after each change.
    pub fn is_timed(&self) -> bool {
        matches!(self.scene, ResidentScene::Notice { .. })
    }

    /// The section that is read aloud and belongs on screen.
    pub fn section_read(&self) -> Option<usize> {
        let by_section = matches!(self.scene, ResidentScene::Notice { .. } | ResidentScene::Rules { .. });
        self.aids.reading().filter(|_| by_section)
    }

    /// What is shown.
    pub fn scene(&self) -> &ResidentScene {
        &self.scene
    }

    fn is_watching(&self) -> bool {
        matches!(self.scene, ResidentScene::Camera { .. } | ResidentScene::TryGate { looking: true, .. })
    }

    fn show(&mut self, scene: ResidentScene) {
        use ResidentScene::{Change, Closed, Consent, Done, Idle, Notice, Refused, Rules, WithdrawConfirm};
        let same_page = self.scene.is_same_page(&scene);
        // The same sentence that comes again (a signature was missing) keeps its tick. In the other language it is another sentence, which
        // nobody has agreed to yet.
        let same_sentence = matches!((&self.scene, &scene), (Consent { sentence: old, .. }, Consent { sentence, .. })
            if old == sentence);
        if !same_sentence {
            self.decision = Decision::default();
        }
        if !same_page {
            self.aids.turn(matches!(scene, Idle { .. } | Closed));
        }
        self.page = Page::default();
        // What was typed is wiped with its page, and after each try.
        self.phrase = own_face::Phrase::default();
        self.dropping = self.dropping.filter(|_| same_page);
        self.texts = match &scene {
            Notice { text, .. } => vec![blocks(&text.markdown)],
            Rules { texts } => texts.iter().map(|text| blocks(&text.markdown)).collect(),
            Done { receipt, .. } => vec![blocks(&receipt.text.markdown)],
            ResidentScene::Rights(rights) => rights::texts_of(rights),
            Change { sheet, lines, buttons } => {
                self.page = Page { lines: lines.clone(), buttons: buttons.clone() };
                vec![blocks(&sheet.markdown)]
            }
            WithdrawConfirm { text, .. } | Refused { text } => {
                self.page = page(text);
                vec![]
            }
            _ => vec![],
        };
        if let Notice { reached_end, text, .. } = &scene {
            let same_text = matches!(&self.scene, Notice { text: old, .. } if old.reference == text.reference);
            self.end_shown = *reached_end || (self.end_shown && same_text);
        } else {
            self.end_shown = false;
        }
        self.plain_words = match &scene {
            Notice { text, .. } => explanations(text.reference.language),
            Rules { texts } => texts.first().map(|text| explanations(text.reference.language)).unwrap_or_default(),
            _ => vec![],
        };
        if !same_page {
            self.explained.clear();
        }
        if matches!(scene, Idle { .. } | Closed) && !same_page {
            // The next person begins with the usual letters.
            self.letters = LetterSize::default();
        }
        self.scene = scene;
        if !self.is_watching() || !same_page {
            self.preview = None;
            self.guide = None;
        }
    }

    /// What a message leads to. Messages that do not belong to the scene lead to nothing.
    pub fn update(&mut self, message: Message) -> Action {
        use ResidentCommand as Do;
        match message {
            Message::LanguagePressed => Action::Ask(Do::Language(other(self.language))),
            Message::SizePressed(letters) => {
                self.letters = letters;
                Action::None
            }
            Message::RulesPressed => Action::Ask(Do::ShowRules),
            Message::FacePressed => Action::Ask(Do::AskFace),
            Message::WithdrawPressed => Action::Ask(Do::AskWithdraw),
            Message::BackPressed => Action::Ask(Do::Back),
            Message::EndShown | Message::Scrolled(true) => self.reach_end(),
            Message::Scrolled(false) => Action::None,
            Message::ContinuePressed if self.end_shown => Action::Ask(Do::GoToConsent),
            Message::NoPressed => Action::Ask(Do::Refuse),
            Message::Ticked(ticked) => {
                self.decision.ticked = ticked && self.has_box();
                Action::None
            }
            Message::YesPressed => {
                self.decision.signing = self.decision.ticked;
                Action::None
            }
            Message::SignBackPressed => {
                // Back at the decision the box is empty again: a tick is one act, not a setting.
                self.decision = Decision::default();
                Action::None
            }
            Message::Signed(change) => {
                self.decision.sign(change);
                Action::None
            }
            Message::SignConfirmed if self.may_sign() && self.decision.is_signed() => self.signed(),
            Message::ContinuePressed | Message::SignConfirmed => Action::None,
            Message::StopPressed => Action::Ask(Do::Stop),
            Message::RetryPressed => Action::Ask(Do::TryAgain),
            Message::TryPressed => Action::Ask(Do::TryGate),
            Message::FinishPressed => Action::Ask(Do::Finish),
            Message::SavePressed => Action::PickReceiptPath,
            Message::ReceiptPathPicked(Some(path)) => Action::Ask(Do::SaveReceipt(path)),
            Message::ReceiptPathPicked(None) => Action::None,
            Message::WithdrawConfirmed => Action::Ask(Do::ConfirmWithdraw),
            Message::DoorsPressed => Action::Ask(Do::AskDoors),
            Message::DoorsChanged(change) => {
                self.dropping = None;
                Action::Ask(Do::ChangeDoors(change))
            }
            Message::DropPressed(door) => {
                self.dropping = door;
                Action::None
            }
            Message::Rights(rights::Message::ExplainPressed(section)) if !self.explained.insert(section) => {
                // Closing a panel is nobody's business.
                self.explained.remove(&section);
                Action::None
            }
            Message::Rights(rights::Message::PhraseTyped(again, text)) => {
                if matches!(self.scene, ResidentScene::Rights(RightsScene::OwnFace(_))) {
                    self.phrase.typed(again, text);
                }
                Action::None
            }
            Message::Rights(rights::Message::PathPicked(rights::Pick::Template, Some(path))) => self.phrase.make(path),
            Message::Rights(message) => rights::act(message),
            Message::ChangeAnswered(answer) => Action::Ask(Do::AnswerChange(answer)),
            Message::Guardian(message) => self.on_guardian(message),
            Message::Aid(message) => self.aids.update(message, &self.scene, &self.texts, self.letters),
        }
    }

    fn reach_end(&mut self) -> Action {
        if self.end_shown || !matches!(self.scene, ResidentScene::Notice { .. }) {
            return Action::None;
        }
        self.end_shown = true;
        Action::Ask(ResidentCommand::NoticeReachedEnd)
    }

    /// The picture of the window.
    pub fn view<'a>(&'a self, texts: &'a Texts) -> Element<'a, Message> {
        let sizes = Sizes { contrast: self.contrast(), ..self.letters.sizes() };
        let page = match &self.scene {
            ResidentScene::Idle { face_offered, site } => idle::view(sizes, texts, *face_offered, site),
            ResidentScene::Rules { .. } => {
                let words = notice::Explained { plain: &self.plain_words, open: &self.explained };
                notice::rules(sizes, texts, &self.texts, words, self.section_read())
            }
            ResidentScene::TapCard { withdraw, failure } => idle::tap_card(sizes, texts, *withdraw, failure.as_ref()),
            ResidentScene::Notice { text, .. } => {
                let words = notice::Explained { plain: &self.plain_words, open: &self.explained };
                let read = self.section_read();
                notice::view(sizes, texts, &self.texts, words, text.reference.sha256, self.end_shown, read)
            }
            ResidentScene::Consent { preamble, sentence, buttons } if self.decision.signing => {
                let _ = preamble;
                consent::sign(sizes, texts, sentence, &buttons.0, &self.decision)
            }
            ResidentScene::Consent { preamble, sentence, buttons } => {
                consent::view(sizes, texts, preamble, sentence, buttons, self.decision.ticked)
            }
            ResidentScene::Change { .. } => change::view(sizes, texts, &self.texts, &self.page),
            ResidentScene::Refused { .. } => ending::refused(sizes, texts, &self.page),
            ResidentScene::Camera { hint } => {
                camera::view(sizes, texts, camera::Words::Hint(hint), self.preview.as_ref(), self.guide)
            }
            ResidentScene::Working { gates } => camera::working(sizes, texts, gates),
            ResidentScene::TryGate { gate, looking: true, .. } => {
                camera::view(sizes, texts, camera::Words::Gate(gate), self.preview.as_ref(), self.guide)
            }
            ResidentScene::TryGate { gate, looking: false, failure } => {
                camera::try_gate(sizes, texts, gate, failure.as_ref())
            }
            ResidentScene::Done { recognised, receipt, saved_to } => {
                ending::done(sizes, texts, *recognised, receipt, &self.texts, saved_to.as_deref())
            }
            ResidentScene::Ended { failure, may_retry } => ending::ended(sizes, texts, failure.as_ref(), *may_retry),
            ResidentScene::WithdrawConfirm { gates, .. } => withdraw::confirm(sizes, texts, &self.page, gates),
            ResidentScene::Withdrawn { erased, pending, stops_at, saved_to } => {
                let pending: Vec<_> = pending.iter().zip(stops_at).collect();
                withdraw::done(sizes, texts, erased, &pending, saved_to.as_deref())
            }
            ResidentScene::Doors(view) => doors::view(sizes, texts, view, self.dropping),
            ResidentScene::Rights(scene) => rights::view(sizes, texts, scene, &self.texts, &self.phrase),
            ResidentScene::Closed => idle::closed(sizes, texts),
            ResidentScene::Guardian(scene) => guardian::view(sizes, texts, scene, &self.decision),
        };
        let masked_name = match &self.scene {
            ResidentScene::Notice { masked_name, .. } | ResidentScene::WithdrawConfirm { masked_name, .. } => {
                Some(masked_name.as_str())
            }
            ResidentScene::Rights(scene) => rights::masked_name(scene),
            _ => None,
        };
        parts::window(texts, self.realm, self.letters, masked_name, aids::papers(&self.scene), &self.aids, page)
    }
}

fn other(language: Language) -> Language {
    match language {
        Language::Chinese => Language::English,
        Language::English => Language::Chinese,
    }
}

/// A picture for the renderer, with its width over its height; `None` when the sizes do not fit the bytes.
fn picture(preview: &Preview) -> Option<(image::Handle, f32)> {
    let pixels = u64::from(preview.width) * u64::from(preview.height);
    let bytes = pixels.saturating_mul(4);
    if bytes == 0 || preview.rgba.len() as u64 != bytes {
        return None;
    }
    let ratio = preview.width as f32 / preview.height as f32;
    Some((image::Handle::from_rgba(preview.width, preview.height, preview.rgba.to_vec()), ratio))
}
