//! Gates that fill and replace each other, and what a gate and the vault do not hold alike.

use std::collections::BTreeMap;

use super::id::{ConsentId, GateId, TemplateId};
use super::time::{CivilDate, Timestamp};

/// People on one page of the list of those to be invited again.
pub const INVITED_A_PAGE: u32 = 50;

/// Proof that the vault has just found a consent current that names a gate which does not hold its face yet: the face may be passed on to
/// that gate by another one of the same consent.
///
/// Not `Clone`: asked again before each send. Made in `vault/fills.rs` only.
///
/// ```compile_fail
/// let forged = menka::domain::relay::FillGranted::assert_current();
/// ```
#[must_use]
#[derive(Debug)]
pub struct FillGranted {
    consent: ConsentId,
    template: TemplateId,
    gate: GateId,
    ends_on: CivilDate,
    sources: Vec<GateId>,
    evidence: Vec<u8>,
}

impl FillGranted {
    /// Asserts that the rows were read a moment ago. One caller: `vault/fills.rs`.
    pub(crate) fn assert_current(
        consent: ConsentId,
        template: TemplateId,
        gate: GateId,
        ends_on: CivilDate,
        sources: Vec<GateId>,
        evidence: Vec<u8>,
    ) -> Self {
        Self { consent, template, gate, ends_on, sources, evidence }
    }

    /// Which consent.
    pub fn consent(&self) -> ConsentId {
        self.consent
    }

    /// The random number.
    pub fn template(&self) -> TemplateId {
        self.template
    }

    /// The gate to be filled.
    pub fn gate(&self) -> GateId {
        self.gate
    }

    /// Last day.
    pub fn ends_on(&self) -> CivilDate {
        self.ends_on
    }

    /// Gates that signed that they hold it.
    pub fn sources(&self) -> &[GateId] {
        &self.sources
    }

    /// The signed consent record, for the gate that passes it on.
    pub fn evidence(&self) -> &[u8] {
        &self.evidence
    }
}

/// What a gate and the vault do not hold alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftKind {
    /// The gate holds a face and must not: it is being erased.
    FaceLeftOver,
    /// The gate lost a face that it signed for.
    FaceMissing,
    /// The gate matches a face that must rest, or the other way round: it is being told again.
    FaceState,
    /// The gate lets a card in that the vault does not know there.
    CardLeftOver,
    /// The gate does not have a card that it signed for.
    CardMissing,
    /// The gate has another last day for a card.
    CardDay,
    /// The desk cannot read the number of a card that the gate should hold: it cannot say whether the gate does. The number stands for the
    /// row.
    CardUnread,
}

impl DriftKind {
    /// The word in the log. Never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::FaceLeftOver => "left-over",
            Self::FaceMissing => "missing",
            Self::FaceState => "state",
            Self::CardLeftOver => "card-left-over",
            Self::CardMissing => "card-missing",
            Self::CardDay => "card-day",
            Self::CardUnread => "card-unread",
        }
    }

    /// Whether it is about somebody in the register: a number too many is nobody's that the desk could name.
    pub fn names_somebody(self) -> bool {
        matches!(self, Self::FaceMissing | Self::CardMissing | Self::CardDay)
    }

    /// Whether staff can have it put right by the button; the rest is put right by itself.
    pub fn needs_staff(self) -> bool {
        match self {
            Self::FaceMissing | Self::CardLeftOver | Self::CardMissing | Self::CardDay => true,
            // A card whose number nobody knows is issued anew.
            Self::FaceLeftOver | Self::FaceState | Self::CardUnread => false,
        }
    }
}

/// One difference, without a person: the first digits of a random number, or of the digest of a card's number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DriftLine {
    /// What differs.
    pub kind: DriftKind,
    /// First eight hex digits.
    pub number: String,
}

/// How many lines of each kind there are.
pub type DriftCounts = BTreeMap<DriftKind, u32>;

/// Counts lines by their kind.
pub fn drift_counts(lines: &[DriftLine]) -> DriftCounts {
    let mut counts = DriftCounts::new();
    for line in lines {
        *counts.entry(line.kind).or_default() += 1;
    }
    counts
}

/// Reason codes of the desk's own, for operations that were not taken; the others are a gate's refusals in its words.
pub mod reason {
    /// The gate signed, and holds something else.
    pub const READ_BACK: &str = "read-back differs";
    /// What the gate signed is no receipt for this.
    pub const RECEIPT: &str = "receipt does not verify";
    /// Something about a face came to a card board.
    pub const CARDS_ONLY: &str = "a card board takes cards only";
    /// The wiring of the board's readers makes no number of this card.
    pub const NO_NUMBER: &str = "the board's readers give this card no number";
    /// The board's readers give two cards the same number.
    pub const TWO_CARDS: &str = "the board cannot tell this card from another one";
    /// The row of the operation cannot be read: an older file of keys was put back.
    pub const UNREADABLE: &str = "the desk cannot read the row";
    /// The board said no.
    pub const BOARD: &str = "the board refused";
}

/// Operations that a gate did not take for one reason: staff must act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wedged {
    /// Which gate.
    pub gate: GateId,
    /// The gate's reason code, or one of [`reason`].
    pub reason: String,
    /// How many.
    pub count: u32,
    /// They go again by themselves, and were refused each time so far.
    pub still_tried: bool,
}

/// Where what one person has stands at one gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// There: signed for, and nothing seen since that says otherwise.
    Synced,
    /// On its way since.
    Pending(Timestamp),
    /// Not taken, for this reason.
    Refused(String),
    /// Signed for, and gone: so since.
    Missing(Timestamp),
    /// There with another last day: so since.
    OtherDay(Timestamp),
    /// Still there, and must not be: so since.
    LeftOver(Timestamp),
}

/// A replacement of a gate, as staff see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The gate that stands there now.
    pub gate: GateId,
    /// The gate that stood there before.
    pub replaces: GateId,
    /// Shown name of the door.
    pub name: String,
    /// When.
    pub begun_at: Timestamp,
    /// When the last face that another gate had was there, and the new gate's own list was found to be what it should be.
    pub done_at: Option<Timestamp>,
    /// Faces that are there: as the new gate counted them at the end, and before that those it has signed for.
    pub faces: u32,
    /// Faces that another gate has and that are still to come.
    pub waiting: u32,
    /// Faces that another gate has and that rest (paused, a changed notice is not answered, no card in force): each comes by itself once
    /// its person has taken it up again.
    pub resting: u32,
    /// Faces that another gate has and that the new one will not take.
    pub not_taken: u32,
    /// At the end: SHA-256 of everything that the new gate holds, by its own word ([`crate::wire::message::Health::digest`]).
    pub digest: Option<[u8; 32]>,
    /// The new gate has signed for that digest: one of an earlier version only says it.
    pub signed: bool,
    /// People whose face was on the old gate only; their consent ended, and they may be invited again.
    pub to_invite: u32,
}
