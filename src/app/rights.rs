//! What may be asked about one's own information, from either window: the commands, what is told, and the words between them. The acts are in
//! [`super::rights_staff`] and [`super::rights_window`]. Rules: P24, P44–P50, P65, L4.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::desk::{Desk, failure_of};
use super::event::{Event, Failure, GateLabel, ResidentScene, StaffEvent};
pub use super::own_face::{CopyTrouble, OwnFaceAct, OwnFaceScene};
use super::sheet;
use super::shown_again::{ShownAct, ShownScene};
use crate::domain::id::ResidentId;
use crate::domain::notice::Language;
use crate::domain::rights::{
    Came, Clock, Field, Given, Identity, RefusalFault, RefusalWords, RequestCounts, RequestKind, RequestLine,
    RequestNo, Terms,
};
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::{CivilDate, Timestamp};
use crate::notice::{self, HeldWords, Rendered, Text, Values};
use crate::paper;
use crate::vault::{Dossier, NewRequest, VaultError};

/// From the staff window.
#[derive(Debug)]
pub enum RightsCommand {
    /// The register of open requests.
    Show,
    /// A request came in.
    Receive {
        /// About whose information; `None` for somebody who is not in the register.
        resident: Option<ResidentId>,
        /// What is asked.
        kind: RequestKind,
        /// How it came.
        came: Came,
        /// How it was known who asked.
        identity: Identity,
        /// Who asked, when it was not the resident.
        asker: String,
        /// What was asked, in short.
        words: String,
    },
    /// Opens one request, and the record of the person (logged).
    Open(RequestNo),
    /// It will be done.
    Grant(RequestNo),
    /// It is done.
    Finish {
        /// Which.
        no: RequestNo,
        /// What was done.
        answer: String,
    },
    /// It, or a part of it, is not done: in writing, or not at all.
    Refuse {
        /// Which.
        no: RequestNo,
        /// Part, reason, legal basis.
        words: RefusalWords,
    },
    /// Saves the letter of a refusal; handed over with that.
    SaveLetter {
        /// Which.
        no: RequestNo,
        /// Chosen in the dialog.
        path: PathBuf,
    },
    /// Everything held about the opened resident, on the staff window (logged).
    SeeAll(ResidentId),
    /// The same as a paper.
    SavePaper {
        /// Whose.
        resident: ResidentId,
        /// Chosen in the dialog.
        path: PathBuf,
    },
    /// The electronic copy, with the statement beside it.
    SaveCopy {
        /// Whose.
        resident: ResidentId,
        /// Chosen in the dialog.
        path: PathBuf,
    },
    /// What is held about the guardian who was checked a short while ago, as a paper for that guardian.
    SaveGuardianPaper {
        /// Under whose record.
        resident: ResidentId,
        /// Chosen in the dialog.
        path: PathBuf,
    },
    /// Saves the plain explanations of the notice.
    SaveExplanations(PathBuf),
    /// Staff explained the notice to the opened resident.
    Explained(ResidentId),
    /// The opened resident, or somebody sent by them, refuses any processing of a face.
    RefuseFace {
        /// Who.
        resident: ResidentId,
        /// How it came.
        came: Came,
        /// How it was known who asked.
        identity: Identity,
    },
    /// The resident has died: the face is stopped at once.
    Died {
        /// Who.
        resident: ResidentId,
        /// Name of the near relative who came.
        kin: String,
        /// The relation, as looked at; nothing is copied.
        relation: String,
    },
}

/// From the resident window, after the person's own card tap (but for [`RightsAct::AskMine`] and [`RightsAct::Explain`]).
#[derive(Debug)]
pub enum RightsAct {
    /// "My information and rights" on the idle screen: the card tap comes next.
    AskMine,
    /// Everything held.
    SeeAll,
    /// Saves it as a paper.
    SavePaper(PathBuf),
    /// Saves the electronic copy.
    SaveCopy(PathBuf),
    /// The corrections are right.
    ConfirmChanges,
    /// Asks for something that staff do.
    Ask(RequestKind),
    /// Wants to refuse any processing of a face: the confirmation comes next.
    RefuseFace,
    /// Confirms that.
    ConfirmRefuseFace,
    /// Lifts it.
    AllowFace,
    /// A copy of the own template, or a new one in place of a bad one.
    OwnFace(OwnFaceAct),
    /// To the withdrawal.
    Withdraw,
    /// Back to what may be asked.
    Mine,
    /// A section's explanation was opened while the notice is shown.
    Explain(u8),
    /// What was on the own screen, again.
    Shown(ShownAct),
}

/// Everything held, as rendered, on its way to a window. Does not print itself.
#[derive(Clone, PartialEq)]
pub struct AllHeld(pub Arc<Rendered>);

impl std::fmt::Debug for AllHeld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AllHeld([REDACTED])")
    }
}

/// To the staff window.
#[derive(Clone, Debug, PartialEq)]
pub enum RightsTold {
    /// How many requests wait.
    Counts(RequestCounts),
    /// The open requests.
    Register(Vec<RequestLine>),
    /// One request.
    Request(Box<RequestView>),
    /// Everything held about the opened resident.
    All(AllHeld),
    /// A request was taken under this number.
    Received(RequestNo),
    /// A paper was saved here.
    Saved(String),
    /// It was noted.
    Noted,
}

/// One request as staff see it. Personal; does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestView {
    /// Number, kind, clock.
    pub line: RequestLine,
    /// Whose: name and unit.
    pub person: Option<(String, String)>,
    /// How it was known who asked; `None` for a word of a newer version.
    pub identity: Option<Identity>,
    /// Who asked, when it was not the resident.
    pub asker: String,
    /// What was asked.
    pub words: String,
    /// The letter, after a refusal.
    pub letter: Option<String>,
}

impl std::fmt::Debug for RequestView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RequestView({}, {}, [REDACTED])", self.line.no, self.line.kind.label())
    }
}

/// A correction that waits for the person's confirmation. Personal; does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ChangeView {
    /// Which field.
    pub field: Field,
    /// What it was.
    pub old: String,
    /// What it is.
    pub new: String,
}

impl std::fmt::Debug for ChangeView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChangeView({}, [REDACTED])", self.field.label())
    }
}

/// What a person sees first after tapping the own card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MineView {
    /// `王**`.
    pub masked_name: String,
    /// Corrections to be confirmed.
    pub changes: Vec<ChangeView>,
    /// Refuses any processing of a face.
    pub restricted: bool,
    /// Gates hold a face, or still have to sign that it is erased.
    pub has_face: bool,
    /// A bad template was or is being erased; a new one may come in its place.
    pub redo: bool,
    /// Own requests that are not done: number, kind, last day for an answer.
    pub waiting: Vec<(String, RequestKind, CivilDate)>,
}

/// What the resident window shows of it.
#[derive(Clone, Debug, PartialEq)]
pub enum RightsScene {
    /// Please put your card on the reader.
    Tap {
        /// Something went wrong with the last tap.
        failure: Option<Failure>,
    },
    /// What may be asked.
    Mine(Box<MineView>),
    /// Everything held.
    All {
        /// The paper.
        text: AllHeld,
        /// Where it was saved.
        saved_to: Option<String>,
    },
    /// A request was taken.
    Asked {
        /// Number.
        number: String,
        /// What.
        kind: RequestKind,
        /// Last day for an answer.
        due_on: CivilDate,
    },
    /// A copy of the own template, or a new one in place of a bad one.
    OwnFace(OwnFaceScene),
    /// Confirm the refusal of any processing of a face.
    RefuseFace {
        /// Gates that hold it now.
        gates: Vec<GateLabel>,
    },
    /// What was on the own screen, again.
    Shown(ShownScene),
}

/// Why something about a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// The refusal is not in writing.
    Refusal(RefusalFault),
    /// Decided already.
    Decided,
    /// Not decided yet.
    Undecided,
    /// The person refuses any processing of a face.
    FaceRefused,
    /// The person is noted as deceased: the desk helps the family.
    Died,
    /// The relative's name or the relation is missing.
    KinMissing,
    /// What was done is missing.
    AnswerMissing,
    /// The site's facts that a paper must name are missing.
    FactsMissing,
}

impl Desk {
    pub(super) fn told(&mut self, told: RightsTold) {
        self.say(StaffEvent::Rights(told));
    }

    pub(super) fn rights_scene(&mut self, scene: RightsScene) {
        self.out.push(Event::Resident(ResidentScene::Rights(scene)));
    }

    /// Tells how many requests wait, when that changed or a day went by. Asked after every command; one indexed count.
    pub(super) fn tell_request_counts(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        match open.vault.request_counts(now) {
            Ok(counts) if open.requests_told != Some(counts) => {
                open.requests_told = Some(counts);
                self.told(RightsTold::Counts(counts));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the requests could not be counted"),
        }
    }

    /// A request that the program answers in this instant: numbered and stamped all the same.
    pub(super) fn note_done_at_once(
        &mut self,
        resident: ResidentId,
        kind: RequestKind,
        answer: &'static str,
        by_staff: bool,
        now: Timestamp,
    ) -> Option<RequestNo> {
        // Handed out at the desk: to the person, or after a death to the family.
        let died = by_staff && self.vault(|v| v.has_died(resident))?;
        let how = match (by_staff, died) {
            (false, _) => (Came::Window, Identity::CardTap),
            (true, false) => (Came::Desk, Identity::DocumentSeen),
            (true, true) => (Came::Desk, Identity::ActsForPerson),
        };
        self.note_done_as(resident, kind, answer, (by_staff, how), now)
    }

    /// The same, saying how the request came and how it was known who asked.
    pub(super) fn note_done_as(
        &mut self,
        resident: ResidentId,
        kind: RequestKind,
        answer: &'static str,
        (by_staff, (came, identity)): (bool, (Came, Identity)),
        now: Timestamp,
    ) -> Option<RequestNo> {
        let due_on = self.terms().due_on(kind, now.date());
        let (asker, words) = (String::new(), String::new());
        let new = NewRequest { resident: Some(resident), kind, came, identity, asker, words, due_on };
        self.vault(|v| v.request_done_at_once(&new, answer, by_staff, now))
    }

    pub(super) fn terms(&self) -> Terms {
        self.open.as_ref().map_or_else(|| Terms::of(&SiteFacts::default()), |open| Terms::of(&open.facts))
    }

    /// The values of the site's facts, as papers about rights need them.
    pub(super) fn site_values(&self, language: Language) -> Values {
        let Some(open) = self.open.as_ref() else { return Values::new() };
        let gates = open.vault.gates().unwrap_or_default();
        notice::values_for(&open.facts, &gates, language, &self.devices.engine.engine(), None)
    }

    /// The same, with a dash for what the site has not written: nobody is kept from their own information by a missing setting.
    fn site_values_or_none(&self, language: Language) -> Values {
        let mut values = self.site_values(language);
        let none = HeldWords::load(language).say("none");
        for fact in Fact::ALL {
            let value = values.entry(fact.key().to_owned()).or_default();
            if value.trim().is_empty() || value.contains(['{', '}']) {
                value.clone_from(&none);
            }
        }
        values
    }

    /// Puts together everything held (logged), and renders it in the language of the resident window.
    pub(super) fn all_held(
        &mut self,
        resident: ResidentId,
        how: Given,
        by_staff: bool,
        now: Timestamp,
    ) -> Result<(Dossier, Rendered), Failure> {
        let language = self.language;
        let site = self.site_values_or_none(language);
        let Some(open) = self.open.as_mut() else { return Err(Failure::Request(RequestFault::FactsMissing)) };
        let dossier = open.vault.everything_held(resident, how, by_staff, now).map_err(failure_of)?;
        let text = sheet::paper(&dossier, &site, language).map_err(|unfilled| {
            tracing::error!(?unfilled, "the paper of everything held has unfilled places");
            Failure::Request(RequestFault::FactsMissing)
        })?;
        Ok((dossier, text))
    }

    /// What is held about the guardian who is here (logged), rendered.
    pub(super) fn guardian_held(&mut self, resident: ResidentId, now: Timestamp) -> Result<Rendered, Failure> {
        let language = self.language;
        let site = self.site_values_or_none(language);
        let Some(open) = self.open.as_mut() else { return Err(Failure::Request(RequestFault::FactsMissing)) };
        let held = open.vault.everything_held_of_guardian(resident, Given::Paper, now).map_err(failure_of)?;
        super::sheet_parties::guardian_paper(&held, &site, language).map_err(|unfilled| {
            tracing::error!(?unfilled, "the guardian's paper has unfilled places");
            Failure::Request(RequestFault::FactsMissing)
        })
    }

    /// Writes the electronic copy, and beside it the statement on the template as a PDF.
    pub(super) fn write_copy(&mut self, path: &Path, dossier: &Dossier) -> Result<(), Failure> {
        let mut values = self.site_values_or_none(self.language);
        values.insert("person_name".into(), dossier.person.name.clone());
        values.insert("taken_at".into(), dossier.taken_at.clone());
        let statement = notice::render(Text::Transfer, self.language, &values)
            .map_err(|_| Failure::Request(RequestFault::FactsMissing))?;
        let json = sheet::electronic(dossier, &notice::plain(&statement.markdown)).map_err(Failure::PaperNotWritten)?;
        let pdf = paper::text_pdf(&statement).map_err(|e| Failure::PaperNotWritten(e.to_string()))?;
        write(path, &json)?;
        // Not `.pdf` alone: that is the name of the paper, which may lie beside it.
        write(&path.with_extension("statement.pdf"), &pdf)
    }
}

/// Writes a rendered text as a PDF.
pub(super) fn write_pdf(path: &Path, text: &Rendered) -> Result<(), Failure> {
    let pdf = paper::text_pdf(text).map_err(|e| Failure::PaperNotWritten(e.to_string()))?;
    write(path, &pdf)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|e| Failure::PaperNotWritten(e.to_string()))
}

/// Writes a file that nobody else on this computer may read.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::PaperNotWritten(e.to_string());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    // One that was there keeps the rights it had, and is emptied already. A stick without rights of its own (FAT) refuses: it has one reader.
    #[cfg(unix)]
    if let Err(error) = file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)) {
        tracing::debug!(%error, "the file system keeps no rights of its own");
    }
    std::io::Write::write_all(&mut file, bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// What a vault error about a request means; `None` for others.
pub(super) fn fault_of(error: &VaultError) -> Option<RequestFault> {
    match error {
        VaultError::RequestDecided => Some(RequestFault::Decided),
        VaultError::RequestUndecided => Some(RequestFault::Undecided),
        _ => None,
    }
}

/// Whether a clock wants attention today.
pub fn is_urgent(clock: Clock) -> bool {
    matches!(clock, Clock::Soon { .. } | Clock::Overdue { .. })
}
