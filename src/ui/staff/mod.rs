//! The staff window: who is at the desk, whose record is open, how the gates are.
//!
//! Deliberately absent: any control that starts, suggests or repeats face entry. That begins on the resident window only.

pub mod accounts;
pub mod approve;
pub mod boards;
pub mod deletion;
mod deletion_panels;
pub mod duties;
pub mod evidence;
pub mod first_run;
pub mod form;
pub mod gates;
pub mod guardian;
mod hear;
pub mod home;
pub mod keep;
pub mod looks;
pub mod machine;
pub mod machine_words;
pub mod mine;
pub mod minors;
pub mod news;
pub mod notice;
pub mod operators;
pub mod pairing;
pub mod paper;
pub mod relay;
pub mod resident;
pub mod restoring;
pub mod rights;
mod rights_view;
mod routes;
pub mod rules;
pub mod settings;
pub mod sheet;
mod shell;
pub mod shown;
pub mod unlock;
pub mod whose;
pub mod why_off;

use crate::app::boards::{BoardDone, BoardView};
use crate::app::command::StaffCommand;
use crate::app::doctor::Doctor;
use crate::app::event::{Failure, GateLabel};
use crate::app::notice::{NoticeCommand, NoticeView, Paper, PersonNews};
use crate::app::on_paper::FormView;
use crate::app::operators::{AccountChange, LooksWeek, OperatorsCommand};
use crate::domain::Realm;
use crate::domain::change::Version;
use crate::domain::gate::GateStatus;
use crate::domain::id::{ConsentId, GateId, ResidentId};
use crate::domain::notice::Language;
use crate::domain::permit::{Blocker, Condition};
use crate::domain::posture::PostureReport;
use crate::domain::rights::RequestCounts;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::CivilDate;
use crate::ports::ReaderError;
pub use crate::ui::keys::Stray;
pub use routes::Route;

/// Sizes of this window.
pub(crate) const S: super::theme::Sizes = super::theme::Sizes::STAFF;

/// What a staff screen asks for. `program` alone acts on it.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// A command to the desk.
    Ask(StaffCommand),
    /// Another page of this window.
    Go(Route),
    /// The caret into the field with this id.
    Focus(&'static str),
    /// Text into the clipboard. Only the station's own fingerprint goes there.
    Copy(String),
    /// Another language for this window.
    Language(Language),
    /// Ask where to save a deletion certificate, then send [`deletion::Message::PathPicked`].
    PickCertificatePath(ConsentId, Option<GateId>),
    /// Ask where to save something, then send [`rights::Message::PathPicked`].
    PickPath(rights::Pick),
    /// Ask where to save a paper, then send [`Message::PaperPicked`].
    SavePaper(Paper),
    /// Ask which site file to take over, then send [`Message::SiteFilePicked`].
    OpenSiteFile,
    /// Where to write a file; answered with [`Message::Picked`].
    Pick(Pick),
    /// A place for a paper; answered by [`Message::SheetPicked`].
    SaveSheet(AccountPaper),
    /// Asks where to save the form, then sends [`paper::Message::PathPicked`].
    PickFormPath,
    /// A place for the report of the examination.
    PickReportPath,
    /// Asks for a place, then sends [`keep::Message::Picked`].
    PickKeep(keep::Pick),
    /// A file or a folder for papers of the seldom duties; answered by [`duties::Message::PathPicked`].
    PickDuty(duties::Pick),
}

/// A file that staff may have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// A head of the log for paper.
    Head,
    /// The log for an inspector.
    Log,
    /// What was shown, for the person.
    Replay,
}

/// A paper about accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountPaper {
    /// The sheet with the recovery key.
    RecoverySheet,
    /// The sheet of looks, of the week so many weeks ago.
    Looks(u8),
}

/// What the desk told so far; screens read it, `apply` writes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Shown name of the account.
    pub operator: String,
    /// Gates.
    pub gates: Vec<GateStatus>,
    /// Facts of the site.
    pub facts: SiteFacts,
    /// Facts that keep face entry off.
    pub facts_missing: Vec<Fact>,
    /// What keeps face entry off; `None` until the desk has said so.
    pub blockers: Option<Vec<(Blocker, Condition)>>,
    /// This station's fingerprint, 64 hex digits.
    pub fingerprint: String,
    /// The machine, as last looked at.
    pub posture: Option<PostureReport>,
    /// The last examination.
    pub doctor: Option<Doctor>,
    /// What is wrong with the card reader.
    pub reader: Option<ReaderError>,
    /// Somebody uses the resident window.
    pub resident_busy: bool,
    /// Results of card way tests of this session.
    pub card_ways: Vec<(GateId, bool)>,
    /// Stops, endings, retention.
    pub deletion: deletion::Told,
    /// How many requests wait.
    pub requests: RequestCounts,
    /// The notice: version, assessment, signs, entrusted parties.
    pub notice: Option<Box<NoticeView>>,
    /// What the opened resident must be told or asked.
    pub news: Option<(ResidentId, Box<PersonNews>)>,
    /// How often a name stood beside a gate's number since a supervisor looked, and since when.
    pub joins: Option<(u32, CivilDate)>,
    /// Accounts in use whose slot was taken out of the slots file.
    pub slots_missing: Vec<String>,
    /// The oldest week whose sheet of looks waits for a supervisor, when this account is one.
    pub looks_due: Option<LooksWeek>,
    /// What is known of the evidence.
    pub evidence: evidence::Heard,
    /// The form that somebody wants to sign on paper.
    pub form: Option<FormView>,
    /// Replaced gates.
    pub relay: relay::Told,
    /// The card boards.
    pub boards: Vec<BoardView>,
    /// The seldom duties.
    pub duties: duties::Heard,
}

/// A line under the header: the newest thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Flash {
    /// It did not work.
    Failed(Failure),
    /// A gate was paired under this name.
    GatePaired(String),
    /// A card was issued.
    CardIssued,
    /// A record was saved.
    Saved,
    /// The facts were saved.
    FactsSaved,
    /// Copied.
    Copied,
    /// A gate was asked whether the last card opens it.
    CardWay(bool),
    /// A certificate was saved.
    CertificateSaved(String),
    /// Something about the notice was entered.
    Entered,
    /// A paper was saved under this name.
    PaperSaved(String),
    /// The notice has a new version; so many faces stopped, so many people are to be told.
    NewVersion(Version, u32, u32),
    /// An account was changed.
    Account(AccountChange),
    /// About backups and keys.
    Keep(crate::app::keep::KeepTold),
    /// The report of the examination was saved there.
    ReportSaved(String),
    /// A gate took the place of another.
    Replaced,
    /// The gate out of use at this door was met.
    FormerMet(String),
    /// Something about a card board was done.
    Board(BoardDone),
}

/// A page with what it holds.
#[derive(Debug)]
pub enum Page {
    /// The desk has not spoken yet.
    Starting,
    /// No vault yet.
    FirstRun(first_run::FirstRun),
    /// Locked.
    Unlock(unlock::Unlock),
    /// Gates, counts, search.
    Home,
    /// A record.
    Resident,
    /// New or edited.
    Form(form::Form),
    /// The site's facts.
    Facts(settings::Facts),
    /// The gates.
    Gates(gates::Gates),
    /// Why face entry is off.
    WhyOff,
    /// Stops, endings, certificates, retention.
    Deletion(deletion::Deletion),
    /// Requests and rights.
    Rights(Box<rights::Rights>),
    /// Versions of the notice, assessment, signs, entrusted parties.
    Notice(Box<notice::Screen>),
    /// The log and its heads.
    Evidence(evidence::Evidence),
    /// What was shown to the person whose record is open.
    Shown(shown::Shown),
    /// The internal rules, to be read and signed.
    Rules(rules::Rules),
    /// This account does not work today; only a supervisor can help.
    Untrained,
    /// The recovery key, once.
    Sheet(sheet::Sheet),
    /// The accounts.
    Operators(operators::Operators),
    /// The weekly sheet of looks.
    Looks(looks::Looks),
    /// One's own account.
    Mine(mine::Mine),
    /// The yearly figures of minors.
    Minors(minors::Minors),
    /// The machine.
    Machine(machine::Machine),
    /// Gates beside each other.
    Relay(relay::Relay),
    /// Card boards.
    Boards(boards::Boards),
    /// Backups and keys.
    Keep(keep::Keep),
    /// Restoring a backup, and the page that was there before.
    Restore(restoring::Restore, Box<Page>),
    /// Incidents, the end of a manager's work, papers for an audit.
    Duties(Box<duties::Duties>),
    /// Closing: the desk erases and locks.
    Closing,
    /// The desk ended by itself; the program ends too.
    Gone,
    /// Closed: what was erased, and which gates did not answer.
    Farewell {
        /// Practice faces whose erasure gates have signed.
        erased: u32,
        /// Gates that did not answer.
        unanswered: Vec<GateLabel>,
    },
}

impl Page {
    /// Whether it is shown to somebody who has unlocked.
    fn is_inside(&self) -> bool {
        match self {
            Self::Home
            | Self::Resident
            | Self::Form(_)
            | Self::Facts(_)
            | Self::Gates(_)
            | Self::WhyOff
            | Self::Deletion(_)
            | Self::Notice(_)
            | Self::Evidence(_)
            | Self::Shown(_)
            | Self::Minors(_)
            | Self::Machine(_)
            | Self::Relay(_)
            | Self::Boards(_)
            | Self::Keep(_)
            | Self::Duties(_)
            | Self::Rights(_) => true,
            Self::Rules(_) | Self::Untrained | Self::Sheet(_) => true,
            Self::Operators(_) | Self::Looks(_) | Self::Mine(_) => true,
            Self::Starting
            | Self::FirstRun(_)
            | Self::Unlock(_)
            | Self::Restore(..)
            | Self::Closing
            | Self::Gone
            | Self::Farewell { .. } => false,
        }
    }
}

/// Anything that happens in this window.
#[derive(Clone, Debug)]
pub enum Message {
    /// In the first run.
    FirstRun(first_run::Message),
    /// On the unlock page.
    Unlock(unlock::Message),
    /// On the home page.
    Home(home::Message),
    /// On a record.
    Resident(resident::Message),
    /// In the form.
    Form(form::Message),
    /// In the facts.
    Facts(settings::Message),
    /// On the gates page.
    Gates(gates::Message),
    /// On the deletion pages.
    Deletion(deletion::Message),
    /// On the page of requests.
    Rights(rights::Message),
    /// On the notice's pages.
    Notice(notice::Message),
    /// On the news of an opened record.
    News(news::Message),
    /// Where a paper goes; `None` when the dialog was left.
    PaperPicked(Paper, Language, Option<std::path::PathBuf>),
    /// Which site file; `None` when the dialog was left.
    SiteFilePicked(Option<std::path::PathBuf>),
    /// On the evidence page.
    Evidence(evidence::Message),
    /// On the page of what was shown.
    Shown(shown::Message),
    /// A file was chosen, or not.
    Picked(Pick, Option<std::path::PathBuf>),
    /// On the rules page.
    Rules(rules::Message),
    /// On the recovery sheet.
    Sheet(sheet::Message),
    /// On the page of accounts.
    Operators(operators::Message),
    /// On the sheet of looks.
    Looks(looks::Message),
    /// On one's own account.
    Mine(mine::Message),
    /// In the question to a second person.
    Approve(approve::Message),
    /// Where a paper goes, if anywhere.
    SheetPicked(AccountPaper, Option<std::path::PathBuf>),
    /// The mouse moved or a key was pressed.
    Awake,
    /// On the page of figures.
    Minors(minors::Message),
    /// About the form that is signed on paper.
    Paper(paper::Message),
    /// On the machine page.
    Machine(machine::Message),
    /// On the page of gates beside each other.
    Relay(relay::Message),
    /// On the page of card boards.
    Boards(boards::Message),
    /// On the page about backups and keys, or on that of restoring.
    Keep(keep::Message),
    /// On the pages of the seldom duties.
    Duties(duties::Message),
    /// A link in the header or on a page.
    Go(Route),
    /// Shut the window, by button or Ctrl+L.
    LockPressed,
    /// Stops what runs on the resident window.
    StopPressed,
    /// The other language.
    LanguagePressed(Language),
    /// The line under the header is read.
    FlashClosed,
    /// Typed while no field had the caret.
    Stray(Stray),
    /// So many milliseconds went by.
    Ticked(i64),
}

/// The staff window.
#[derive(Debug)]
pub struct Staff {
    realm: Realm,
    known: Known,
    page: Page,
    home: home::Home,
    record: Option<resident::Record>,
    flash: Option<Flash>,
    accounts: accounts::Accounts,
    language: Language,
}

impl Staff {
    /// Before the desk has spoken.
    pub fn new(realm: Realm) -> Self {
        Self {
            realm,
            known: Known::default(),
            page: Page::Starting,
            home: home::Home::default(),
            record: None,
            flash: None,
            accounts: accounts::Accounts::default(),
            language: Language::default(),
        }
    }

    /// The realm, as the desk states it.
    pub fn set_realm(&mut self, realm: Realm) {
        self.realm = realm;
    }

    /// The page that is shown.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// What the desk told so far.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Whether a waiting time runs on the page, so that ticks are needed.
    pub fn counts_down(&self) -> bool {
        let asked = self.accounts.approval.as_ref().is_some_and(|approval| approval.wait_ms() > 0);
        asked
            || matches!(&self.page, Page::Unlock(unlock) if unlock.wait_ms() > 0)
            || matches!(&self.page, Page::Gates(gates) if gates.looks())
    }

    /// The field that wants the caret on the page that is shown.
    pub fn caret(&self) -> Option<&'static str> {
        match &self.page {
            Page::FirstRun(_) => Some(first_run::OPERATOR),
            Page::Unlock(_) => Some(unlock::PASSPHRASE),
            Page::Mine(_) => Some(mine::OLD),
            Page::Home => Some(home::SEARCH),
            Page::Resident => Some(resident::CARD_FIELD),
            Page::Form(_) => Some(form::NAME),
            Page::Restore(..) => Some(keep::KEY),
            Page::Starting
            | Page::Facts(_)
            | Page::Gates(_)
            | Page::Minors(_)
            | Page::WhyOff
            | Page::Deletion(_)
            | Page::Rights(_)
            | Page::Notice(_)
            | Page::Evidence(_)
            | Page::Shown(_)
            | Page::Rules(_)
            | Page::Untrained
            | Page::Sheet(_)
            | Page::Operators(_)
            | Page::Looks(_)
            | Page::Machine(_)
            | Page::Relay(_)
            | Page::Boards(_)
            | Page::Keep(_)
            | Page::Duties(_)
            | Page::Closing
            | Page::Gone
            | Page::Farewell { .. } => None,
        }
    }

    /// The desk locks and goes; nothing more can be asked.
    pub fn closing(&mut self) {
        self.forget();
        self.page = Page::Closing;
    }

    /// The desk ended by itself.
    pub fn gone(&mut self) {
        self.forget();
        self.page = Page::Gone;
    }

    /// The desk is closed; says what was erased before the program ends.
    pub fn farewell(&mut self, erased: u32, unanswered: Vec<GateLabel>) {
        self.forget();
        self.page = Page::Farewell { erased, unanswered };
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let action = match (message, &mut self.page) {
            (Message::FirstRun(message), Page::FirstRun(screen)) => {
                self.flash = None;
                screen.update(message)
            }
            (Message::Unlock(message), Page::Unlock(screen)) => {
                self.flash = None;
                screen.update(message)
            }
            (Message::Awake, _) => return Action::Ask(StaffCommand::Operators(OperatorsCommand::Awake)),
            (Message::SheetPicked(_, None), _) => return Action::None,
            (Message::SheetPicked(paper, Some(path)), _) => {
                let language = self.language;
                Action::Ask(StaffCommand::Operators(match paper {
                    AccountPaper::RecoverySheet => OperatorsCommand::SaveRecoverySheet(path, language),
                    AccountPaper::Looks(weeks) => OperatorsCommand::SaveLooks(weeks, path, language),
                }))
            }
            (Message::Approve(message), _) => {
                return self.accounts.approval.as_mut().map_or(Action::None, |screen| screen.update(message));
            }
            (Message::Rules(message), Page::Rules(screen)) => screen.update(message),
            (Message::Sheet(message), Page::Sheet(screen)) => screen.update(message),
            (Message::Operators(message), Page::Operators(screen)) => screen.update(message),
            (Message::Looks(message), Page::Looks(screen)) => screen.update(message),
            (Message::Mine(message), Page::Mine(screen)) => screen.update(message),
            (Message::Home(message), Page::Home) => self.home.update(message),
            (Message::Resident(message), Page::Resident) => {
                self.record.as_mut().map_or(Action::None, |record| record.update(message))
            }
            (Message::Form(message), Page::Form(screen)) => screen.update(message),
            (Message::Facts(message), Page::Facts(screen)) => screen.update(message),
            (Message::Gates(message), Page::Gates(screen)) => screen.update(message),
            (Message::Deletion(message), Page::Deletion(screen)) => screen.update(message),
            (Message::Rights(message), Page::Rights(screen)) => screen.update(message),
            (Message::Notice(message), Page::Notice(screen)) => screen.update(message),
            (Message::News(message), Page::Resident) => self.news(message),
            (Message::PaperPicked(paper, language, Some(path)), page) if page.is_inside() => {
                Action::Ask(StaffCommand::Notice(NoticeCommand::Save { paper, language, path }))
            }
            (Message::SiteFilePicked(Some(path)), page) if page.is_inside() => {
                Action::Ask(StaffCommand::Notice(NoticeCommand::LoadSiteFile(path)))
            }
            (Message::Evidence(message), Page::Evidence(screen)) => screen.update(message),
            (Message::Shown(message), Page::Shown(screen)) => screen.update(message),
            (Message::Picked(pick, Some(path)), Page::Evidence(screen)) => screen.picked(pick, path),
            (Message::Picked(Pick::Replay, Some(path)), Page::Shown(screen)) => screen.picked(path),
            (Message::Ticked(ms), _) if self.accounts.approval.is_some() => {
                self.accounts.approval.iter_mut().for_each(|approval| approval.tick(ms));
                Action::None
            }
            // Not an act of a person: what is said under the header stays.
            (Message::Ticked(ms), Page::Gates(screen)) => return screen.tick(ms),
            (Message::Minors(message), Page::Minors(screen)) => screen.update(message),
            (Message::Paper(message), _) => paper::update(message),
            (Message::Machine(message), Page::Machine(screen)) => screen.update(message),
            (Message::Relay(message), Page::Relay(screen)) => screen.update(message),
            (Message::Boards(message), Page::Boards(screen)) => screen.update(message),
            (Message::Keep(message), Page::Keep(screen)) => screen.update(message),
            (Message::Keep(keep::Message::BackPressed), page @ Page::Restore(..)) => {
                if let Page::Restore(_, before) = std::mem::replace(page, Page::Starting) {
                    *page = *before;
                }
                Action::None
            }
            (Message::Keep(message), Page::Restore(screen, _)) => screen.update(message),
            (Message::Duties(message), Page::Duties(screen)) => screen.update(message, self.language),
            (Message::Picked(Pick::Head, Some(path)), Page::Home) => {
                Action::Ask(StaffCommand::Evidence(crate::app::evidence::EvidenceCommand::SaveHead(path)))
            }
            (Message::Ticked(ms), Page::Unlock(screen)) => {
                screen.tick(ms);
                Action::None
            }
            (Message::Stray(stray), Page::Home) => self.home.stray(stray),
            (Message::Stray(stray), Page::Resident) => {
                self.record.as_mut().map_or(Action::None, |record| record.stray(stray))
            }
            (Message::Go(route), _) => Action::Go(route),
            (Message::LockPressed, page) if !page.is_inside() => Action::None,
            (Message::LockPressed, _) => Action::Ask(StaffCommand::Shut),
            (Message::StopPressed, _) => Action::Ask(StaffCommand::StopFace),
            (Message::LanguagePressed(language), _) => {
                self.language = language;
                Action::Language(language)
            }
            (Message::FlashClosed, _) => {
                self.flash = None;
                Action::None
            }
            // A message of a page that was left meanwhile.
            _ => Action::None,
        };
        match action {
            Action::Go(route) => self.go(route),
            Action::Copy(text) => {
                self.flash = Some(Flash::Copied);
                Action::Copy(text)
            }
            Action::Ask(command) => {
                self.flash = None;
                Action::Ask(command)
            }
            other => other,
        }
    }

    /// What staff do about the opened resident's news: hand over a sheet, say that they did. The answer is never theirs.
    fn news(&mut self, message: news::Message) -> Action {
        let Some(resident) = self.record.as_ref().map(resident::Record::id) else { return Action::None };
        match message {
            news::Message::SheetPressed => Action::SavePaper(Paper::ChangeSheet(resident)),
            news::Message::GivenPressed => Action::Ask(StaffCommand::Notice(NoticeCommand::TellOnPaper(resident))),
        }
    }

    /// Nothing of anybody stays on a locked screen.
    fn forget(&mut self) {
        let reader = self.known.reader.take();
        self.known = Known { reader, ..Known::default() };
        self.accounts = accounts::Accounts::default();
        self.home = home::Home::default();
        self.record = None;
        self.flash = None;
    }
}
