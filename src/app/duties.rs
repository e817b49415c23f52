//! The duties of the site that are seldom and weighty: incidents and their letters, the end of a manager's work, the papers for an audit. Rules: P22,
//! P54, P57, M5, F14b.

use std::path::PathBuf;

use super::desk::Desk;
use super::event::{Failure, GateLabel, StaffEvent};
use crate::domain::id::GateId;
use crate::domain::incident::{Answer, Channel, DataKind, IncidentFault};
use crate::domain::notice::Language;
use crate::domain::time::Timestamp;

/// From the staff window.
#[derive(Debug)]
pub enum DutiesCommand {
    /// About incidents.
    Incident(IncidentCommand),
    /// The manager leaves.
    SiteEnd(SiteEndCommand),
    /// A paper for the file or an audit, written here.
    SavePaper {
        /// Which.
        paper: DutyPaper,
        /// In which language.
        language: Language,
        /// Where.
        path: PathBuf,
    },
}

/// About incidents.
#[derive(Debug)]
pub enum IncidentCommand {
    /// Asks for the page.
    Show,
    /// Enters an incident; all faces stop.
    Enter(Box<IncidentTyped>),
    /// Writes a letter to each person, a notice for everybody, and the draft of the report to the authority, into this folder.
    SaveLetters {
        /// Which incident.
        number: i64,
        /// Chosen in the dialog.
        folder: PathBuf,
    },
    /// Everybody who was not told yet was told now, in this way.
    Told {
        /// Which incident.
        number: i64,
        /// How.
        how: Channel,
    },
    /// The authority was told.
    Reported {
        /// Which incident.
        number: i64,
        /// Whom, as typed.
        to: String,
    },
}

/// An incident as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentTyped {
    /// `2026-11-22 10:30`.
    pub happened_at: String,
    /// In the order of [`Answer::ALL`].
    pub answers: [String; 5],
    /// Ticked.
    pub kinds: Vec<DataKind>,
    /// Ticked.
    pub gates: Vec<GateId>,
    /// Of the grade 较大 or above.
    pub larger: bool,
}

/// The manager leaves.
#[derive(Debug)]
pub enum SiteEndCommand {
    /// Asks for the page.
    Show,
    /// Ends every face of the site; a second supervisor approves.
    End {
        /// Who takes over the registers, as typed.
        receiver: String,
    },
    /// Writes the papers as things stand into this folder: a certificate for each person, the total, the log, the registers.
    SavePapers {
        /// Chosen in the dialog.
        folder: PathBuf,
        /// Language of the total and of the certificates.
        language: Language,
    },
}

/// A paper for the file or an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutyPaper {
    /// The compliance audit pack (P54): figures and states, no names; beside it the same as JSON.
    Audit,
    /// The controls sheet for the graded protection file (F14b).
    Controls,
}

impl DutyPaper {
    /// The name that the file dialog offers.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Audit => "menka-audit-pack.pdf",
            Self::Controls => "menka-controls.pdf",
        }
    }

    /// The word in the log.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Audit => "audit-pack",
            Self::Controls => "controls-sheet",
        }
    }
}

/// To the staff window.
#[derive(Clone, Debug, PartialEq)]
pub enum DutiesEvent {
    /// Incidents, the newest first.
    Incidents(Vec<IncidentView>),
    /// An incident was entered under this number.
    IncidentEntered(i64),
    /// How the end of a manager's work stands; `None` while no manager has left.
    SiteEnd(Option<Box<SiteEndView>>),
    /// Papers were written there: how many files.
    Saved(u32, String),
}

/// One incident, without people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentView {
    /// Counts from 1.
    pub number: i64,
    /// When it happened.
    pub happened_at: Timestamp,
    /// When it was entered.
    pub entered_at: Timestamp,
    /// What happened.
    pub what: String,
    /// Kinds of information.
    pub kinds: Vec<DataKind>,
    /// Where; empty for the desk alone.
    pub gates: Vec<GateLabel>,
    /// Until when the authority must have heard of it; `None` is "at once, no hour".
    pub report_by: Option<Timestamp>,
    /// The instant has passed and nothing was reported.
    pub late: bool,
    /// How many people it concerns.
    pub people: u32,
    /// Of them minors.
    pub minors: u32,
    /// Minors and wards without a guardian on record.
    pub without_guardian: u32,
    /// How many were told.
    pub told: u32,
    /// Reports: when, to whom.
    pub reports: Vec<(Timestamp, String)>,
    /// Gates that have not signed for the stop.
    pub stops_waiting: Vec<GateLabel>,
}

/// How the end of a manager's work stands. Counts and gates, no people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteEndView {
    /// Who leaves.
    pub processor: String,
    /// Who takes over the registers.
    pub receiver: String,
    /// When.
    pub ended_at: Timestamp,
    /// Who did it and who approved.
    pub by: (String, String),
    /// Consents that ended with it.
    pub people: u32,
    /// Of them with every gate's signature.
    pub certified: u32,
    /// Each gate.
    pub gates: Vec<SiteEndGate>,
    /// When the papers were last written.
    pub papers_at: Option<Timestamp>,
    /// Another manager is named in the facts: face entry may begin anew under that manager's own notice.
    pub successor: bool,
}

/// One gate at the end of a manager's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteEndGate {
    /// Shown name.
    pub name: GateLabel,
    /// Templates erased and signed since.
    pub erased: u32,
    /// Templates not signed for.
    pub left: u32,
    /// From when on, at the latest, the rest opens nothing there.
    pub stops_at: Option<Timestamp>,
}

/// Why something of this area was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutyFailure {
    /// The incident as typed.
    Incident(IncidentFault),
    /// Who takes over the registers is missing.
    Receiver,
    /// The facts name no manager, or one who has left.
    ManagerLeft,
    /// There is nothing to write.
    Nothing,
    /// The site's facts that a paper must name are missing.
    FactsMissing,
}

impl From<IncidentFault> for DutyFailure {
    fn from(fault: IncidentFault) -> Self {
        Self::Incident(fault)
    }
}

/// The answers in the order of the page, for the windows.
pub const ANSWERS: [Answer; 5] = Answer::ALL;

impl Desk {
    pub(super) fn handle_duties(&mut self, command: DutiesCommand, now: Timestamp) {
        if self.open.is_none() {
            return;
        }
        match command {
            DutiesCommand::Incident(command) => self.handle_incident(command, now),
            DutiesCommand::SiteEnd(command) => self.handle_site_end(command, now),
            DutiesCommand::SavePaper { paper, language, path } => {
                match self.write_duty_paper(paper, language, &path, now) {
                    Ok(files) => self.duty(DutiesEvent::Saved(files, path.display().to_string())),
                    Err(failure) => self.fail(failure),
                }
            }
        }
    }

    pub(super) fn duty(&mut self, event: DutiesEvent) {
        self.say(StaffEvent::Duties(event));
    }

    pub(super) fn duty_failed(&mut self, failure: impl Into<DutyFailure>) {
        self.fail(Failure::Duty(failure.into()));
    }
}

/// Writes a file below a folder that may have to be made first.
pub(super) fn write_below(folder: &std::path::Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(&path, bytes)).map_err(|error| Failure::PaperNotWritten(error.to_string()))
}
