//! One visit to the resident window, from the idle screen back to it. Each state owns exactly what that step may know; a move takes the
//! state and gives back the next one, and every give-up lands on a working card with nothing held.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::{HandOver, ReceiptView};
use super::guardian::{Case, Informing};
use super::on_paper::OnPaper;
use super::rights_window::{MINE_MS_MAX, RightsFlow};
use crate::domain::audit::Actor;
use crate::domain::consent::ConsentGranted;
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::notice::{Language, NoticeShown};
use crate::domain::presence::Presence;
use crate::domain::resident::Resident;
use crate::domain::time::{CivilDate, Timestamp};
use crate::notice::{ConsentPage, Rendered, Values};
use crate::secret::{EngineId, FaceTemplate};
use crate::wire::message::PutFace;

/// Pictures that become one template.
pub const PICTURES: u8 = 5;
/// After this long without the turn that was asked for, the other side is asked for, in milliseconds: some people turn one way only.
pub const TURN_MS_MAX: i64 = 10_000;
/// Pause between two taken pictures, in milliseconds, so that they differ.
pub const PICTURE_EVERY_MS: i64 = 120;
/// Longest search for good pictures, in milliseconds.
pub const CAPTURE_MS_MAX: i64 = 60_000;
/// The camera counts as lost after this long without a frame, in milliseconds.
pub const FRAME_MS_MAX: i64 = 3_000;
/// Longest wait for a card tap, in milliseconds.
pub const TAP_MS_MAX: i64 = 60_000;
/// Longest stay on the rules, the notice and the consent page without a touch, in milliseconds: reading takes its time.
pub const READ_MS_MAX: i64 = 15 * 60_000;
/// Longest wait for a decision about something that is held (a consent after camera trouble, the try, the receipt), in milliseconds.
pub const DECIDE_MS_MAX: i64 = 3 * 60_000;
/// Longest stay of a last page, in milliseconds.
pub const LEAVE_MS_MAX: i64 = 60_000;
/// Probes of one try at the gate.
pub const PROBES_MAX: u8 = 3;

/// So many turned looks in a row that are unlike the pictures are somebody else. A head turned far is unlike its own pictures too: of twelve of
/// the practice people, turned by 34 degrees, 3 of 10 good looks with dlib (least 0.90) and none of 14 with SFace (least 0.43) were below
/// [`same_face_min`], by 24 degrees none (0.948 and 0.72); of other people at most 0.93 and 0.35 (`make accuracy`, lines `head_…`). One look says
/// nothing.
pub const OTHERS_MAX: u8 = 12;

/// Two pictures of one face are at least this similar (cosine); below it somebody else sat down. The false-match thresholds at 1 in
/// 10,000 for single pictures, measured on all pairs of LFW.
pub fn same_face_min(engine: &EngineId) -> f32 {
    if *engine == EngineId::dlib() { 0.9408 } else { 0.4243 }
}

/// The person whose card was tapped, and the gates their sentence will name.
pub(super) struct Person {
    pub resident: Resident,
    pub gates: Vec<GateRecord>,
    pub ends_on: CivilDate,
    pub case: Case,
}

impl Person {
    pub fn gate_ids(&self) -> Vec<GateId> {
        self.gates.iter().map(|g| g.id).collect()
    }
}

/// The notice is on the screen, in one or both languages.
pub(super) struct Noticed {
    pub person: Person,
    pub values: BTreeMap<Language, Values>,
    pub language: Language,
    pub shown: BTreeMap<Language, (NoticeShown, Arc<Rendered>)>,
}

impl Noticed {
    pub fn current(&self) -> Option<&(NoticeShown, Arc<Rendered>)> {
        self.shown.get(&self.language)
    }
}

/// A yes on disk. The state that every capture trouble comes back to.
pub(super) struct Consented {
    pub consent: ConsentGranted,
    pub person: Person,
    pub page: ConsentPage,
    pub values: Values,
    pub language: Language,
    pub signed_at: Timestamp,
    /// Envelopes that went out and were not answered: a gate may hold them. They go again as they are, so that the gate answers the same
    /// operation with the same receipt.
    pub unsure: Vec<(GateId, PutFace)>,
}

/// The camera is on.
pub(super) struct Capturing {
    pub held: Consented,
    pub parts: Vec<FaceTemplate>,
    /// The turn of the head that is asked for when all pictures are taken.
    pub presence: Presence,
    /// When the side was last chosen.
    pub asked: Timestamp,
    pub begun: Timestamp,
    pub last_taken: Option<Timestamp>,
    pub last_frame: Timestamp,
    /// Turned looks in a row that showed another face.
    pub others: u8,
}

/// Sealed envelopes on their way, one gate a tick. The template is gone.
pub(super) struct Sending {
    pub held: Consented,
    pub waiting: Vec<(GateRecord, PutFace)>,
    pub done: Vec<(GateRecord, HandOver)>,
    pub last_failure: Option<super::event::Failure>,
    pub shutter_at: Timestamp,
    /// Repeats left for envelopes that were not answered.
    pub repeats: u8,
}

/// How often envelopes without an answer are sent again within one hand-over.
pub const REPEATS: u8 = 2;

/// At least one gate holds it; the resident looks once more and the gate answers.
pub(super) struct Trying {
    pub held: Consented,
    pub done: Vec<(GateRecord, HandOver)>,
    pub gate: GateRecord,
    pub looking: bool,
    pub begun: Timestamp,
    pub last_frame: Timestamp,
    pub probes: u8,
    /// The gate compares a face with one template only.
    pub card_first: bool,
}

/// What the resident window is doing.
#[derive(Default)]
pub(super) enum Flow {
    #[default]
    Idle,
    Rules,
    TapCard {
        withdraw: bool,
    },
    Noticed(Box<Noticed>),
    /// A child or ward is asked, before the guardian decides.
    Asking(Box<Noticed>),
    Deciding(Box<Noticed>, ConsentPage),
    /// A young person said yes; the guardian signs as informed.
    Informing(Box<Informing>),
    /// A form is printed and signed on paper.
    OnPaper(Box<OnPaper>),
    Refused,
    /// What changed in the notice is shown to this person.
    Changing {
        resident: ResidentId,
        asks: bool,
    },
    Resting(Box<Consented>),
    Capturing(Box<Capturing>),
    Sending(Box<Sending>),
    Trying(Box<Trying>),
    Done {
        receipt: Box<ReceiptView>,
        recognised: bool,
    },
    Ended,
    Withdrawing(Withdrawer),
    Doors(Withdrawer),
    Withdrawn {
        resident: ResidentId,
        gates: Vec<GateId>,
    },
    Rights(RightsFlow),
}

/// Who stands at the resident window about a face that is held, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawer {
    /// The person.
    pub resident: ResidentId,
    /// The person, by a card; or the staff who checked who it is.
    pub by: Actor,
}

impl Withdrawer {
    /// Known by the card.
    pub fn by_card(resident: ResidentId) -> Self {
        Self { resident, by: Actor::Resident(resident) }
    }
}

impl Flow {
    /// Whether somebody is being served.
    pub fn is_busy(&self) -> bool {
        !matches!(self, Self::Idle | Self::Rules)
    }

    /// Whether the camera is on, or a face on its way: a device sets the pace, with a limit of its own.
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Capturing(_) | Self::Sending(_)) || matches!(self, Self::Trying(trying) if trying.looking)
    }

    /// How long this may stand without anybody's doing, in milliseconds; `None` where a device sets the pace (with a limit of its own)
    /// or nobody is there. A resident who walks away leaves nothing that the next one could go on with.
    pub fn stay_ms_max(&self) -> Option<i64> {
        match self {
            Self::Idle | Self::Capturing(_) | Self::Sending(_) => None,
            Self::Trying(trying) if trying.looking => None,
            Self::TapCard { .. } | Self::Rights(RightsFlow::Tap) => Some(TAP_MS_MAX),
            Self::Rights(RightsFlow::Mine(_)) => Some(MINE_MS_MAX),
            Self::Rules
            | Self::Noticed(_)
            | Self::Asking(_)
            | Self::Deciding(..)
            | Self::Informing(_)
            | Self::OnPaper(_)
            | Self::Changing { .. } => Some(READ_MS_MAX),
            Self::Resting(_) | Self::Trying(_) | Self::Done { .. } | Self::Doors(_) => Some(DECIDE_MS_MAX),
            Self::Refused | Self::Ended | Self::Withdrawing(_) | Self::Withdrawn { .. } => Some(LEAVE_MS_MAX),
        }
    }

    /// The consent that is held, if any.
    pub fn consent(&self) -> Option<&ConsentGranted> {
        match self {
            Self::Resting(held) => Some(&held.consent),
            Self::Capturing(capturing) => Some(&capturing.held.consent),
            Self::Sending(sending) => Some(&sending.held.consent),
            Self::Trying(trying) => Some(&trying.held.consent),
            Self::Idle
            | Self::Rules
            | Self::TapCard { .. }
            | Self::Noticed(_)
            | Self::Asking(_)
            | Self::Deciding(..)
            | Self::Informing(_)
            | Self::OnPaper(_)
            | Self::Refused
            | Self::Changing { .. }
            | Self::Done { .. }
            | Self::Ended
            | Self::Withdrawing(_)
            | Self::Doors(_)
            | Self::Withdrawn { .. }
            | Self::Rights(_) => None,
        }
    }

    /// What was read, from any page before the yes is on disk; a signature that was given there is wiped by it.
    #[allow(clippy::result_large_err, reason = "what is not such a page comes back whole")]
    pub fn into_noticed(self) -> Result<Box<Noticed>, Self> {
        match self {
            Self::Noticed(noticed) | Self::Asking(noticed) | Self::Deciding(noticed, _) => Ok(noticed),
            Self::Informing(informing) => Ok(informing.noticed),
            Self::OnPaper(paper) => paper.page.into_noticed(),
            other => Err(other),
        }
    }
}

/// Whether a new part shows the same face as the parts before it.
pub(super) fn is_same_face(parts: &[FaceTemplate], new: &FaceTemplate) -> bool {
    parts.first().is_none_or(|first| {
        // EXPOSE: two pictures of one capture are compared with each other, with nothing stored.
        let cosine: f32 = first.expose().iter().zip(new.expose()).map(|(a, b)| a * b).sum();
        first.engine() == new.engine() && cosine >= same_face_min(first.engine())
    })
}
