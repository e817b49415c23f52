//! Separate consent (单独同意, PIPL 14, 29; Measures 6): drafted on the resident window, recorded by the vault, proved by a witness.

use super::guardian::{Decider, Party};
use super::id::{ConsentId, FormId, GateId, ResidentId, TemplateId};
use super::notice::{NoticeRef, NoticeShown};
use super::reading::Reading;
use super::resident::AgeBand;
use super::time::{CivilDate, Timestamp};

/// How the resident signed, after pressing "I consent". Never a photograph.
#[derive(Clone, PartialEq)]
pub enum Signature {
    /// Strokes by touch or mouse, points in thousandths of the signing field's width and height.
    Strokes(Vec<Vec<(u16, u16)>>),
    /// The typed name.
    TypedName(String),
    /// By hand on a printed form that carries the page's words and digest. Staff looked at the signed form; the box was ticked and
    /// *Yes* was pressed on the resident window all the same.
    Paper(FormId),
}

impl Signature {
    /// Most strokes and most points of one stroke that are kept.
    pub const STROKES_MAX: usize = 200;
    /// Most points of one stroke that are kept.
    pub const POINTS_MAX: usize = 2_000;

    /// Whether something was written: at least one stroke of two points, or a name of a character.
    pub fn is_given(&self) -> bool {
        match self {
            Self::Strokes(strokes) => strokes.iter().any(|s| s.len() >= 2),
            Self::TypedName(name) => !name.trim().is_empty(),
            Self::Paper(_) => true,
        }
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature([REDACTED])")
    }
}

/// Why a consent cannot be drafted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The notice was not shown to its end.
    #[error("the notice was not shown to its end")]
    NoticeNotRead,
    /// The notice was shown to somebody else.
    #[error("the notice was shown to another person")]
    OtherPerson,
    /// Nothing was signed.
    #[error("the signature is missing")]
    SignatureMissing,
    /// No gate was ticked.
    #[error("no gate is chosen")]
    NoGate,
    /// Who consented is not who must decide for this person.
    #[error("a minor's or a ward's consent needs the guardian steps")]
    GuardianNeeded,
    /// Ends before it begins, or after the person's own end date.
    #[error("the end date does not fit")]
    EndWrong,
}

/// A resident's yes, checked but not yet on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsentDraft {
    /// Who.
    pub resident: ResidentId,
    /// The exact text.
    pub notice: NoticeRef,
    /// The exact sentence beside the box.
    pub sentence: String,
    /// The gates named in it.
    pub gates: Vec<GateId>,
    /// Last day named in it.
    pub ends_on: CivilDate,
    /// How it was signed.
    pub signature: Signature,
    /// When.
    pub signed_at: Timestamp,
    /// Who gave it, and what a guardian said and signed.
    pub party: Party,
    /// How the notice was read; the desk adds it.
    pub reading: Option<Reading>,
}

impl ConsentDraft {
    /// An adult's own yes. Checks the conditions that do not need the vault. Rules: P14, P17, P29, P31, J04.
    ///
    /// # Errors
    /// The first condition that is not met.
    #[allow(clippy::too_many_arguments, reason = "each is one fact of the consent record")]
    pub fn new(
        shown: &NoticeShown,
        resident: ResidentId,
        age_band: AgeBand,
        sentence: String,
        gates: Vec<GateId>,
        ends_on: CivilDate,
        signature: Signature,
        now: Timestamp,
    ) -> Result<Self, ConsentError> {
        let decider = Decider::of(age_band, false);
        Self::decided(shown, resident, decider, Party::Own, sentence, gates, ends_on, signature, now)
    }

    /// A yes by whoever must decide for this person: the conditions that do not need the vault. Rules: P14, P17, P29, P31, F07a, J02-3,
    /// J04, M1, M2.
    ///
    /// # Errors
    /// The first condition that is not met.
    #[allow(clippy::too_many_arguments, reason = "each is one fact of the consent record")]
    pub fn decided(
        shown: &NoticeShown,
        resident: ResidentId,
        decider: Decider,
        party: Party,
        sentence: String,
        gates: Vec<GateId>,
        ends_on: CivilDate,
        signature: Signature,
        now: Timestamp,
    ) -> Result<Self, ConsentError> {
        if shown.resident != resident {
            return Err(ConsentError::OtherPerson);
        }
        if !shown.is_complete() {
            return Err(ConsentError::NoticeNotRead);
        }
        if party.decider() != decider {
            return Err(ConsentError::GuardianNeeded);
        }
        if gates.is_empty() {
            return Err(ConsentError::NoGate);
        }
        if ends_on < now.date() {
            return Err(ConsentError::EndWrong);
        }
        if !signature.is_given() || !party.is_signed() {
            return Err(ConsentError::SignatureMissing);
        }
        let notice = shown.notice.clone();
        Ok(Self { resident, notice, sentence, gates, ends_on, signature, signed_at: now, party, reading: None })
    }
}

/// Proof that a current consent of one resident was just written to, or re-read from, the vault's disk.
///
/// Opens the camera, the engine, the seal and the gates. Not `Clone`, not `Copy`, not `Serialize`; it says "was true", so the vault is
/// asked again before the camera opens and before each face is sent. Rules: P13, P14, P29, J04.
///
/// It cannot be made outside the crate:
/// ```compile_fail
/// let witness = menka::domain::consent::ConsentGranted::assert_recorded();
/// ```
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub struct ConsentGranted {
    resident: ResidentId,
    consent: ConsentId,
    template: TemplateId,
    gates: Vec<GateId>,
    ends_on: CivilDate,
}

impl ConsentGranted {
    /// Asserts that the row is on disk. One caller is allowed: `vault/consents.rs` (the layering test checks).
    pub(crate) fn assert_recorded(
        resident: ResidentId,
        consent: ConsentId,
        template: TemplateId,
        gates: Vec<GateId>,
        ends_on: CivilDate,
    ) -> Self {
        Self { resident, consent, template, gates, ends_on }
    }

    /// Whose consent.
    pub fn resident(&self) -> ResidentId {
        self.resident
    }

    /// Which record.
    pub fn consent(&self) -> ConsentId {
        self.consent
    }

    /// The random number that gates will know the template by.
    pub fn template(&self) -> TemplateId {
        self.template
    }

    /// The gates named in the sentence.
    pub fn gates(&self) -> &[GateId] {
        &self.gates
    }

    /// Last day named in the sentence.
    pub fn ends_on(&self) -> CivilDate {
        self.ends_on
    }
}

/// Proof that somebody deliberately asked a gate to recognise them (stood before it, or pressed try-it at the desk). Gone after one answer.
#[must_use]
#[derive(Debug)]
pub struct AtTheDoor(());

impl AtTheDoor {
    /// Asserts one deliberate act at a gate. One caller is allowed: `gate/door.rs` (the layering test checks).
    pub(crate) fn assert_act() -> Self {
        Self(())
    }
}

/// Proof that this is a gate whose own camera may look whether somebody stands before it: never a template, and never at the desk.
#[must_use]
#[derive(Debug)]
pub struct DoorWatch(());

impl DoorWatch {
    /// Asserts a gate with a camera of its own. One caller is allowed: `gate/door.rs` (the layering test checks).
    pub(crate) fn assert_gate() -> Self {
        Self(())
    }
}

/// What lets the face engine look at a frame.
#[derive(Clone, Copy, Debug)]
pub enum Warrant<'a> {
    /// At the desk: a consent on disk.
    Desk(&'a ConsentGranted),
    /// In a gate: one deliberate act.
    Door(&'a AtTheDoor),
    /// In a gate: whether and where somebody stands, before any act. No template is made under it.
    Watch(&'a DoorWatch),
}

/// Why a face ends; each ends the same way (rules P15, P19, P47).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EraseReason {
    /// The resident withdrew.
    Withdrawn,
    /// Moved out.
    MovedOut,
    /// The end date passed.
    TermOver,
    /// The gate is retired.
    GateRetired,
    /// A bad template is replaced.
    Correction,
    /// The try at the gate failed, or the capture was stopped after sending.
    NotAccepted,
    /// A practice session ended.
    PracticeOver,
    /// The record was closed at the person's wish (注销).
    Closed,
    /// The person died; a near relative asked.
    Deceased,
    /// The record turned out to be unlawful: no valid consent, or an agreement broken.
    Unlawful,
    /// The gates hold nothing under this consent any more: it was erased after this vault's backup was made.
    FoundErased,
    /// The notice changed, and the person did not agree to the change or did not answer in time (P14b).
    NoticeChanged,
    /// The person passed into the next age band: whoever decides now was not asked (rule M12).
    NextAgeBand,
    /// Staff corrected who must decide for this person: the yes was not given by who must give it.
    OtherDecider,
    /// The manager leaves the site: every face ends, none is handed over (P22).
    ManagerLeft,
}

impl EraseReason {
    /// The word stored in the vault and the log.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::MovedOut => "moved-out",
            Self::TermOver => "term-over",
            Self::GateRetired => "gate-retired",
            Self::Correction => "correction",
            Self::NotAccepted => "not-accepted",
            Self::PracticeOver => "practice-over",
            Self::Closed => "closed",
            Self::Deceased => "deceased",
            Self::Unlawful => "unlawful",
            Self::FoundErased => "found-erased",
            Self::NoticeChanged => "notice-changed",
            Self::NextAgeBand => "next-age-band",
            Self::OtherDecider => "other-decider",
            Self::ManagerLeft => "manager-left",
        }
    }

    /// Every reason.
    pub const ALL: [Self; 15] = [
        Self::Withdrawn,
        Self::MovedOut,
        Self::TermOver,
        Self::GateRetired,
        Self::Correction,
        Self::NotAccepted,
        Self::PracticeOver,
        Self::Closed,
        Self::Deceased,
        Self::Unlawful,
        Self::FoundErased,
        Self::NoticeChanged,
        Self::NextAgeBand,
        Self::OtherDecider,
        Self::ManagerLeft,
    ];

    /// The reason of a stored word.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.label() == label)
    }
}
