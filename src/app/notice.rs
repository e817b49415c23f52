//! What staff may ask about the notice, its assessment, signs and entrusted parties, and what they are told of it.

use std::path::PathBuf;

use crate::domain::assessment::{Assessment, AssessmentFault, Standing};
use crate::domain::change::{Part, Version, VersionNews};
use crate::domain::entrusted::{Entrusted, EntrustedFault};
use crate::domain::id::{GateId, ResidentId};
use crate::domain::notice::Language;
use crate::domain::site::SiteFacts;
use crate::domain::time::{CivilDate, Timestamp};

use super::event::GateLabel;

/// A paper of this area, saved where staff choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// The sign (6.1) of a gate; `None` is the desk's.
    Sign(Option<GateId>),
    /// The other ways in (part 4), for the lobby.
    OtherWays,
    /// The same for one resident's card.
    OtherWaysFor(ResidentId),
    /// What changed, old and new, for one resident (2.4).
    ChangeSheet(ResidentId),
    /// The newest assessment as registered.
    Assessment,
    /// To an entrusted party whose contract ends.
    EntrustedEnd(i64),
    /// The signed site file itself.
    SiteFile,
}

impl Paper {
    /// The name that the file dialog offers.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Sign(_) => "menka-sign.pdf",
            Self::OtherWays | Self::OtherWaysFor(_) => "menka-other-ways.pdf",
            Self::ChangeSheet(_) => "menka-change.pdf",
            Self::Assessment => "menka-assessment.pdf",
            Self::EntrustedEnd(_) => "menka-entrusted-end.pdf",
            Self::SiteFile => "menka-site.cose",
        }
    }
}

/// An assessment as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssessmentTyped {
    /// Its number.
    pub number: String,
    /// `2026-11-01`.
    pub signed_on: String,
    /// Who signed.
    pub signer: String,
    /// The four heads of Measures 9.
    pub heads: [String; 4],
    /// The necessity finding.
    pub necessity: String,
    /// `2027-10-31`.
    pub review_on: String,
}

/// From the staff window.
#[derive(Debug)]
pub enum NoticeCommand {
    /// Writes the site's facts although faces stop by it: asked for after [`NoticeEvent::WouldStop`].
    SaveFactsAnyway(SiteFacts),
    /// Registers an impact assessment for the scope in force.
    RegisterAssessment(Box<AssessmentTyped>),
    /// Enters the day of a major incident.
    EnterIncident(String),
    /// Enters an entrusted party.
    EnterEntrusted {
        /// In the order of [`crate::domain::entrusted::Field::ALL`].
        fields: [String; 6],
        /// First day, as typed.
        begins_on: String,
        /// Last day, as typed.
        ends_on: String,
    },
    /// Ends an entrustment today.
    EndEntrusted(i64),
    /// Marks a sign as posted.
    SignPosted {
        /// Which gate; `None` is the desk.
        gate: Option<GateId>,
        /// The day, as typed.
        posted_on: String,
    },
    /// The change sheet was given to this resident on paper.
    TellOnPaper(ResidentId),
    /// Saves a paper.
    Save {
        /// Which.
        paper: Paper,
        /// In which language.
        language: Language,
        /// Where.
        path: PathBuf,
    },
    /// Takes over a site file that this station signed.
    LoadSiteFile(PathBuf),
}

/// Why something of this area was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeFailure {
    /// The site file is not as this station signed it.
    SiteFileRefused,
    /// A registered assessment is not as this station signed it.
    RegistryRefused,
    /// The assessment.
    Assessment(AssessmentFault),
    /// The entrusted party.
    Entrusted(EntrustedFault),
    /// A day that cannot be read.
    Day,
    /// A day that lies ahead.
    DayAhead,
    /// The paper has placeholders without a value.
    Unfilled(Vec<String>),
    /// There is nothing to print or to tell.
    Nothing,
    /// A file that cannot be read.
    FileUnreadable(String),
}

/// How a sign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignState {
    /// Never posted.
    Missing,
    /// Posted, but its words have changed since.
    Outdated(CivilDate),
    /// Posted with the words in force.
    Posted(CivilDate),
}

/// One sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignView {
    /// Which gate; `None` is the desk.
    pub gate: Option<GateId>,
    /// The gate's shown name; empty for the desk.
    pub name: GateLabel,
    /// How it stands.
    pub state: SignState,
    /// Who marked it; empty when nobody did.
    pub by: String,
}

/// One entry of the register of entrusted parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntrustedView {
    /// Its number.
    pub number: i64,
    /// What was entered.
    pub entry: Entrusted,
    /// Whether it is in force today.
    pub in_force: bool,
}

/// Everything of this area that the staff window shows. Companies and counts; no resident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeView {
    /// The version in use, and since when.
    pub version: Option<(Version, CivilDate)>,
    /// Number, digest in hex, and time of the site file in force.
    pub site_file: Option<(u64, String, Timestamp)>,
    /// The site file was refused: its facts are not used.
    pub site_file_refused: bool,
    /// Whether face entry may stand on the assessment.
    pub standing: Standing,
    /// The newest assessment.
    pub assessment: Option<Assessment>,
    /// Digest of the scope in force, in hex.
    pub scope: String,
    /// Counts by version, the newest first.
    pub versions: Vec<VersionNews>,
    /// Signs: the desk, then the gates that take faces.
    pub signs: Vec<SignView>,
    /// The register of entrusted parties.
    pub entrusted: Vec<EntrustedView>,
    /// Persons whose face some gate holds.
    pub persons_held: u64,
}

impl NoticeView {
    /// The signs that are not posted as they should be.
    pub fn signs_missing(&self) -> impl Iterator<Item = &SignView> {
        self.signs.iter().filter(|sign| !matches!(sign.state, SignState::Posted(_)))
    }
}

/// What an opened resident must be told or asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonNews {
    /// The version before.
    pub from: Version,
    /// The version in use.
    pub to: Version,
    /// An answer is waited for, until this day.
    pub answer_by: Option<CivilDate>,
    /// Gates at which the face has stopped.
    pub stopped: Vec<GateLabel>,
    /// Not all of it was told yet.
    pub untold: bool,
    /// When it was last told.
    pub told_at: Option<Timestamp>,
}

/// To the staff window.
#[derive(Clone, Debug, PartialEq)]
pub enum NoticeEvent {
    /// How everything stands now.
    View(Box<NoticeView>),
    /// These facts would stop faces: nothing was written yet.
    WouldStop {
        /// The facts as they were to be written.
        facts: Box<SiteFacts>,
        /// The parts that change.
        parts: Vec<Part>,
        /// How many persons' faces would stop.
        people: u32,
    },
    /// The notice has a new version.
    NewVersion {
        /// Which.
        version: Version,
        /// How many persons' faces stopped.
        stopped: u32,
        /// How many others must be told.
        told: u32,
    },
    /// The opened resident's news; `None` when there is none.
    Person(ResidentId, Option<Box<PersonNews>>),
    /// Something was entered or marked.
    Entered,
    /// A paper was saved under this name.
    Saved(String),
}

/// From the resident window: the answer to a changed notice (2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeAnswer {
    /// Not to the change: what it touches is erased now.
    Refuse,
    /// To the change: the new notice and its own consent page come next.
    Agree,
    /// Withdraw and delete.
    Withdraw,
    /// Nothing is asked; it was read.
    Seen,
}
