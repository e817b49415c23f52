//! The register of requests, and what is done for the person whose record is open. A request that is not done is answered in writing.

use std::path::PathBuf;

use iced::Element;

use super::{Action, Route};
use crate::app::command::StaffCommand;
use crate::app::rights::{RequestView, RightsCommand, RightsTold};
use crate::domain::id::ResidentId;
use crate::domain::resident::Resident;
use crate::domain::rights::{Came, Identity, RefusalWords, RequestKind, RequestLine, RequestNo};
use crate::i18n::Texts;
use crate::notice::{Block, blocks};

/// Id of the field for what was asked.
pub const WORDS: &str = "request-words";
/// Id of the field for what was done.
pub const ANSWER: &str = "request-answer";
/// Id of the field for what is refused.
pub const PART: &str = "refuse-part";
/// Id of the field for the relative's name.
pub const KIN: &str = "died-kin";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request was chosen from the list.
    LinePressed(RequestNo),
    /// "A request came in."
    ReceivePressed,
    /// What is asked.
    KindChosen(RequestKind),
    /// How it came.
    CameChosen(Came),
    /// How it was known who asked.
    IdentityChosen(Identity),
    /// Who asked, when it was not the resident.
    AskerTyped(String),
    /// What was asked.
    WordsTyped(String),
    /// Takes it.
    TakePressed,
    /// It will be done.
    GrantPressed,
    /// What was done.
    AnswerTyped(String),
    /// It is done.
    FinishPressed,
    /// It is not done: to the letter.
    RefusePressed,
    /// What is not done.
    PartTyped(String),
    /// Why.
    ReasonTyped(String),
    /// Which law says so.
    BasisTyped(String),
    /// Writes the letter.
    LetterPressed,
    /// Everything held, on this window.
    SeeAllPressed,
    /// Something is to be saved.
    SavePressed(Pick),
    /// Where to; `None` when the dialog was left.
    PathPicked(Pick, Option<PathBuf>),
    /// The notice was explained.
    ExplainedPressed,
    /// The person refuses any processing of a face: asks once more.
    RefuseFacePressed,
    /// Yes.
    RefuseFaceConfirmed,
    /// "The resident has died."
    DiedPressed,
    /// Name of the relative.
    KinTyped(String),
    /// The relation.
    RelationTyped(String),
    /// Notes it.
    DiedConfirmed,
    /// Back to the list, or off the page.
    BackPressed,
}

/// What is to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Everything held, as a PDF.
    Paper,
    /// The electronic copy.
    Copy,
    /// The letter of a refusal.
    Letter,
    /// What is held about the guardian who is here.
    Guardian,
    /// The explanations of the notice.
    Explanations,
}

impl Pick {
    /// The name that the dialog offers, and its ending. No name of a person is in it.
    pub fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Paper => ("menka-information.pdf", "pdf"),
            Self::Copy => ("menka-information.json", "json"),
            Self::Guardian => ("menka-guardian.pdf", "pdf"),
            Self::Letter => ("menka-reply.pdf", "pdf"),
            Self::Explanations => ("menka-notice-explained.pdf", "pdf"),
        }
    }
}

/// What the page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The list, and the person whose record is open.
    #[default]
    List,
    /// A request that comes in.
    Receive,
    /// One request.
    Request,
    /// The letter of a refusal.
    Refuse,
    /// Everything held.
    All,
    /// Refusal of any processing of a face, once more.
    RefuseFace,
    /// A death.
    Died,
}

/// The person whose record is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub(super) id: ResidentId,
    pub(super) name: String,
    pub(super) unit: String,
}

impl Person {
    /// Of an opened record.
    pub fn of(resident: &Resident) -> Self {
        Self { id: resident.id, name: resident.name.as_str().into(), unit: resident.unit.as_str().into() }
    }
}

/// A request that is being taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiving {
    pub(super) kind: RequestKind,
    pub(super) came: Came,
    pub(super) identity: Identity,
    pub(super) asker: String,
    pub(super) words: String,
}

impl Default for Receiving {
    fn default() -> Self {
        Self {
            kind: RequestKind::See,
            came: Came::Desk,
            identity: Identity::DocumentSeen,
            asker: String::new(),
            words: String::new(),
        }
    }
}

/// What the page said last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A request was taken.
    Received(RequestNo),
    /// A file was written, by its name.
    Saved(String),
    /// It was noted.
    Noted,
}

/// The page.
#[derive(Debug, Default)]
pub struct Rights {
    pub(super) mode: Mode,
    pub(super) lines: Vec<RequestLine>,
    pub(super) person: Option<Person>,
    pub(super) open: Option<RequestView>,
    pub(super) receiving: Receiving,
    pub(super) answer: String,
    pub(super) refusal: RefusalWords,
    pub(super) kin: String,
    pub(super) relation: String,
    pub(super) all: Vec<Block>,
    pub(super) said: Option<Said>,
}

impl Rights {
    /// The page, for the person whose record is open, if one is.
    pub fn new(person: Option<&Resident>) -> Self {
        Self { person: person.map(Person::of), ..Self::default() }
    }

    /// What it shows.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// A record was opened while the page is shown.
    pub fn person_opened(&mut self, resident: &Resident) {
        self.person = Some(Person::of(resident));
    }

    /// Takes in what the desk tells.
    pub fn hear(&mut self, told: RightsTold) {
        match told {
            RightsTold::Counts(_) => {}
            RightsTold::Register(lines) => {
                if self.open.as_ref().is_some_and(|open| lines.iter().all(|line| line.no != open.line.no)) {
                    (self.open, self.mode) = (None, Mode::List);
                }
                self.lines = lines;
            }
            RightsTold::Request(view) => {
                self.open = Some(*view);
                self.mode = Mode::Request;
            }
            RightsTold::All(text) => {
                self.all = blocks(&text.0.markdown);
                self.mode = Mode::All;
            }
            RightsTold::Received(no) => {
                (self.said, self.mode) = (Some(Said::Received(no)), Mode::List);
                self.receiving = Receiving::default();
                (self.kin, self.relation) = Default::default();
            }
            RightsTold::Saved(path) => {
                let name = path.rsplit(['/', '\\']).next().unwrap_or(&path).to_owned();
                self.said = Some(Said::Saved(name));
            }
            RightsTold::Noted => (self.said, self.mode) = (Some(Said::Noted), Mode::List),
        }
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Rights(command));
        let open = self.open.as_ref().map(|open| open.line.no);
        let person = self.person.as_ref().map(|person| person.id);
        self.said = None;
        match message {
            Message::LinePressed(no) => {
                self.answer.clear();
                self.refusal = RefusalWords::default();
                return ask(RightsCommand::Open(no));
            }
            Message::ReceivePressed => {
                self.mode = Mode::Receive;
                if person.is_none() {
                    self.receiving.kind = RequestKind::Complaint;
                    self.receiving.identity = Identity::NotAsked;
                }
                return Action::Focus(WORDS);
            }
            Message::KindChosen(kind) => self.receiving.kind = kind,
            Message::CameChosen(came) => self.receiving.came = came,
            Message::IdentityChosen(identity) => self.receiving.identity = identity,
            Message::AskerTyped(text) => self.receiving.asker = text,
            Message::WordsTyped(text) => self.receiving.words = text,
            Message::TakePressed => {
                let Receiving { kind, came, identity, asker, words } = self.receiving.clone();
                return ask(RightsCommand::Receive { resident: person, kind, came, identity, asker, words });
            }
            Message::GrantPressed => return open.map_or(Action::None, |no| ask(RightsCommand::Grant(no))),
            Message::AnswerTyped(text) => self.answer = text,
            Message::FinishPressed => {
                let answer = self.answer.clone();
                return open.map_or(Action::None, |no| ask(RightsCommand::Finish { no, answer }));
            }
            Message::RefusePressed => {
                self.mode = Mode::Refuse;
                return Action::Focus(PART);
            }
            Message::PartTyped(text) => self.refusal.part = text,
            Message::ReasonTyped(text) => self.refusal.reason = text,
            Message::BasisTyped(text) => self.refusal.basis = text,
            Message::LetterPressed => {
                let words = self.refusal.clone();
                return open.map_or(Action::None, |no| ask(RightsCommand::Refuse { no, words }));
            }
            Message::SeeAllPressed => return person.map_or(Action::None, |id| ask(RightsCommand::SeeAll(id))),
            Message::SavePressed(pick) => return Action::PickPath(pick),
            Message::PathPicked(pick, Some(path)) => {
                return match (pick, person, open) {
                    (Pick::Paper, Some(resident), _) => ask(RightsCommand::SavePaper { resident, path }),
                    (Pick::Copy, Some(resident), _) => ask(RightsCommand::SaveCopy { resident, path }),
                    (Pick::Guardian, Some(resident), _) => ask(RightsCommand::SaveGuardianPaper { resident, path }),
                    (Pick::Letter, _, Some(no)) => ask(RightsCommand::SaveLetter { no, path }),
                    (Pick::Explanations, ..) => ask(RightsCommand::SaveExplanations(path)),
                    (Pick::Paper | Pick::Copy | Pick::Guardian | Pick::Letter, ..) => Action::None,
                };
            }
            Message::PathPicked(_, None) => {}
            Message::ExplainedPressed => return person.map_or(Action::None, |id| ask(RightsCommand::Explained(id))),
            Message::RefuseFacePressed => {
                self.mode = Mode::RefuseFace;
                self.receiving = Receiving::default();
            }
            Message::RefuseFaceConfirmed => {
                let (came, identity) = (self.receiving.came, self.receiving.identity);
                return person
                    .map_or(Action::None, |resident| ask(RightsCommand::RefuseFace { resident, came, identity }));
            }
            Message::DiedPressed => {
                self.mode = Mode::Died;
                return Action::Focus(KIN);
            }
            Message::KinTyped(text) => self.kin = text,
            Message::RelationTyped(text) => self.relation = text,
            Message::DiedConfirmed => {
                let (kin, relation) = (self.kin.clone(), self.relation.clone());
                return person.map_or(Action::None, |resident| ask(RightsCommand::Died { resident, kin, relation }));
            }
            Message::BackPressed => return self.back(),
        }
        Action::None
    }

    fn back(&mut self) -> Action {
        match self.mode {
            Mode::List if self.person.is_some() => return Action::Go(Route::Record),
            Mode::List => return Action::Go(Route::Home),
            Mode::Refuse => self.mode = Mode::Request,
            Mode::Receive | Mode::Request | Mode::All | Mode::RefuseFace | Mode::Died => {
                (self.mode, self.open) = (Mode::List, None);
                self.all.clear();
                (self.kin, self.relation) = Default::default();
            }
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        super::rights_view::view(self, texts)
    }
}
