//! What a change of the notice does (PIPL 14(2), 17(2); notice, section 14). The notice is taken apart into parts; a change of a material
//! part (purpose, kinds, method, place, recipients, a gate) is a new version and needs a new consent for what it touches; any other change
//! is a new sub-version and is told.
//!
//! Deliberately absent: any way to call a change of a material part a change of wording.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::id::{ConsentId, GateId};
use super::site::Fact;
use super::time::{CivilDate, Timestamp};

/// Days that people have to answer a changed notice; after them the faces under the old one are erased (product figure).
pub const ANSWER_DAYS: i64 = 30;

/// The last day to answer a change that came into use on a day.
pub fn answer_by(in_use_on: CivilDate) -> CivilDate {
    in_use_on.plus_days(ANSWER_DAYS)
}

/// Version of the notice at a site: `major.minor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Raised by a change of a material part.
    pub major: u32,
    /// Raised by a change of wording.
    pub minor: u32,
}

impl Version {
    /// The first.
    pub const FIRST: Self = Self { major: 1, minor: 0 };

    /// The version after a change; `None` when nothing changed.
    pub fn after(self, change: &Change) -> Option<Self> {
        if change.parts.is_empty() {
            return None;
        }
        Some(if change.is_material() {
            Self { major: self.major.saturating_add(1), minor: 0 }
        } else {
            Self { major: self.major, minor: self.minor.saturating_add(1) }
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A part of the notice that can change by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Section 4: what a face is used for.
    Purpose,
    /// Section 3: what is collected, and where it is kept.
    Kinds,
    /// Section 5 and the template method.
    Method,
    /// The site whose gates keep templates.
    Place,
    /// Section 10, joint processors, recipients.
    Recipients,
    /// A gate: its place and what its camera takes in.
    Gate(GateId),
    /// A gate's name, other way in and reason.
    GateWords(GateId),
    /// A fact of the site that is no part of the above.
    Fact(Fact),
    /// The wording of another section of the governing text.
    Section(u8),
    /// The English text, by its digest.
    English,
}

impl Part {
    /// Whether its change needs a new consent.
    pub fn is_material(self) -> bool {
        match self {
            Self::Purpose | Self::Kinds | Self::Method | Self::Place | Self::Recipients | Self::Gate(_) => true,
            Self::GateWords(_) | Self::Fact(_) | Self::Section(_) | Self::English => false,
        }
    }

    /// The name under which it is stored.
    pub fn label(self) -> String {
        match self {
            Self::Purpose => "purpose".into(),
            Self::Kinds => "kinds".into(),
            Self::Method => "method".into(),
            Self::Place => "place".into(),
            Self::Recipients => "recipients".into(),
            Self::Gate(gate) => format!("gate/{gate}"),
            Self::GateWords(gate) => format!("gate-words/{gate}"),
            Self::Fact(fact) => format!("fact/{}", fact.key()),
            Self::Section(number) => format!("section/{number}"),
            Self::English => "english".into(),
        }
    }

    /// Reads [`Self::label`] back; `None` for a part that a later version dropped.
    pub fn parse(label: &str) -> Option<Self> {
        Some(match label.split_once('/') {
            None => match label {
                "purpose" => Self::Purpose,
                "kinds" => Self::Kinds,
                "method" => Self::Method,
                "place" => Self::Place,
                "recipients" => Self::Recipients,
                "english" => Self::English,
                _ => return None,
            },
            Some(("gate", id)) => Self::Gate(GateId::parse(id)?),
            Some(("gate-words", id)) => Self::GateWords(GateId::parse(id)?),
            Some(("fact", key)) => Self::Fact(Fact::by_key(key)?),
            Some(("section", number)) => Self::Section(number.parse().ok()?),
            Some(_) => return None,
        })
    }
}

/// Where the notice stands: every part with its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    parts: BTreeMap<Part, String>,
}

impl Stand {
    /// Writes one part.
    pub fn set(&mut self, part: Part, words: impl Into<String>) {
        self.parts.insert(part, words.into());
    }

    /// The parts in their order.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &str)> {
        self.parts.iter().map(|(part, words)| (*part, words.as_str()))
    }

    /// The words of a part.
    pub fn get(&self, part: Part) -> Option<&str> {
        self.parts.get(&part).map(String::as_str)
    }

    /// Digest over the material parts: what an impact assessment was made for (P55, F09c), and what a consent was given to.
    pub fn scope_sha256(&self) -> [u8; 32] {
        digest(self.parts().filter(|(part, _)| part.is_material()))
    }

    /// Digest over everything.
    pub fn sha256(&self) -> [u8; 32] {
        digest(self.parts())
    }

    /// What changed since an earlier stand.
    pub fn change_since(&self, earlier: &Self) -> Change {
        let mut parts = vec![];
        for part in self.parts.keys().chain(earlier.parts.keys().filter(|part| !self.parts.contains_key(part))) {
            let (old, new) = (earlier.parts.get(part), self.parts.get(part));
            if old != new {
                parts.push(Changed { part: *part, old: old.cloned(), new: new.cloned() });
            }
        }
        parts.sort_by_key(|changed| changed.part);
        Change { parts }
    }
}

/// Each part as its label and its words, lengths first, so that no two stands have the same bytes.
fn digest<'a>(parts: impl Iterator<Item = (Part, &'a str)>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (part, words) in parts {
        for bytes in [part.label().as_bytes(), words.as_bytes()] {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
    }
    hash.finalize().into()
}

/// One part, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub part: Part,
    /// Before; `None` when it is new.
    pub old: Option<String>,
    /// After; `None` when it is gone.
    pub new: Option<String>,
}

/// What changed between two stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// In the order of [`Part`]: the material ones first.
    pub parts: Vec<Changed>,
}

impl Change {
    /// Whether a material part changed.
    pub fn is_material(&self) -> bool {
        self.parts.iter().any(|changed| changed.part.is_material())
    }

    /// Of the gates that a consent names, those at which the face stops until the person has answered: all of them for a change of purpose,
    /// kinds, method, place or recipients, else the changed ones. A gate that is new stops nothing: no face is there.
    pub fn stops(&self, named: &[GateId]) -> Vec<GateId> {
        let everywhere = self.parts.iter().any(|changed| match changed.part {
            Part::Purpose | Part::Kinds | Part::Method | Part::Place | Part::Recipients => true,
            Part::Gate(_) | Part::GateWords(_) | Part::Fact(_) | Part::Section(_) | Part::English => false,
        });
        let touched =
            |gate: &GateId| self.parts.iter().any(|changed| changed.part == Part::Gate(*gate) && changed.old.is_some());
        named.iter().copied().filter(|gate| everywhere || touched(gate)).collect()
    }
}

/// How a person was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldOn {
    /// On the resident window, after their own card tap.
    Screen,
    /// The sheet was given to them.
    Paper,
}

/// What one person must be told or asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The consent that it is about.
    pub consent: ConsentId,
    /// The version before.
    pub from: Version,
    /// The version in use.
    pub to: Version,
    /// Since when.
    pub in_use_on: CivilDate,
    /// An answer is waited for; else the person is told only.
    pub asks: bool,
    /// Not all of it was told yet.
    pub untold: bool,
    /// When it was last told.
    pub told_at: Option<Timestamp>,
    /// Gates at which the face has stopped until the answer.
    pub stopped: Vec<GateId>,
    /// Last day to answer.
    pub answer_by: Option<CivilDate>,
    /// What changed in between.
    pub change: Change,
}

impl News {
    /// Whether anything is left to tell or to answer.
    pub fn is_open(&self) -> bool {
        self.asks || self.untold
    }
}

/// Counts of one version, for the list of who has been told and who has not (P17c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionNews {
    /// Which.
    pub version: Version,
    /// Since when.
    pub in_use_on: CivilDate,
    /// Last day to answer.
    pub answer_by: Option<CivilDate>,
    /// Persons concerned when it came into use.
    pub concerned: u32,
    /// Of them asked for a decision.
    pub asked: u32,
    /// Told so far.
    pub told: u32,
    /// Still to be told; their consent is in force.
    pub untold: u32,
    /// Asked, and not answered yet; their consent is in force.
    pub unanswered: u32,
}

/// What goes into the evidence log from this area: ids and words of a fixed list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeAudit {
    /// The notice has a new version.
    VersionRaised,
    /// The notice has a new sub-version.
    WordingChanged,
    /// A version that nobody had seen was put right.
    DraftChanged,
    /// The affected person was told what changed.
    ChangeTold(ConsentId),
    /// The affected person does not agree to the change.
    ChangeRefused(ConsentId),
    /// Faces of the changed part ended at one gate, unanswered or refused.
    PartEnded(ConsentId, GateId),
    /// An impact assessment was registered.
    AssessmentRegistered,
    /// A major incident was entered: the assessment must be made anew (F09c).
    IncidentEntered,
    /// An entrusted party was entered.
    EntrustedEntered,
    /// An entrustment ended.
    EntrustedEnded,
    /// A gate's sign was posted.
    SignPosted(GateId),
    /// The desk's sign was posted.
    DeskSignPosted,
}

impl NoticeAudit {
    /// Word and ids for the log. Words are part of the log's format.
    pub fn words(&self) -> (&'static str, Vec<String>) {
        match self {
            Self::VersionRaised => ("notice-version-raised", vec![]),
            Self::WordingChanged => ("notice-wording-changed", vec![]),
            Self::DraftChanged => ("notice-draft-changed", vec![]),
            Self::ChangeTold(consent) => ("notice-change-told", vec![consent.to_string()]),
            Self::ChangeRefused(consent) => ("notice-change-refused", vec![consent.to_string()]),
            Self::PartEnded(consent, gate) => ("notice-part-ended", vec![consent.to_string(), gate.to_string()]),
            Self::AssessmentRegistered => ("assessment-registered", vec![]),
            Self::IncidentEntered => ("incident-entered", vec![]),
            Self::EntrustedEntered => ("entrusted-entered", vec![]),
            Self::EntrustedEnded => ("entrusted-ended", vec![]),
            Self::SignPosted(gate) => ("sign-posted", vec![gate.to_string()]),
            Self::DeskSignPosted => ("desk-sign-posted", vec![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(n: u8) -> GateId {
        GateId::from_bytes([n; 16])
    }

    fn stand() -> Stand {
        let mut stand = Stand::default();
        stand.set(Part::Purpose, "开门");
        stand.set(Part::Kinds, "人脸特征");
        stand.set(Part::Method, "SFace");
        stand.set(Part::Place, "一号");
        stand.set(Part::Recipients, "无");
        stand.set(Part::Gate(gate(1)), "东侧");
        stand.set(Part::Gate(gate(2)), "西侧");
        stand.set(Part::GateWords(gate(1)), "东门");
        stand.set(Part::Fact(Fact::ContactPhone), "110");
        stand.set(Part::Section(11), "权利");
        stand.set(Part::English, "ab");
        stand
    }

    #[test]
    fn p14b_each_material_part_raises_the_version_and_each_other_the_sub_version() {
        let before = stand();
        for (part, _) in before.parts() {
            let mut after = before.clone();
            after.set(part, "别的");
            let change = after.change_since(&before);
            let expected = if part.is_material() { (2, 0) } else { (1, 5) };
            let raised = Version { major: 1, minor: 4 }.after(&change).map(|v| (v.major, v.minor));
            assert_eq!(raised, Some(expected), "{part:?}");
            assert_eq!(before.scope_sha256() != after.scope_sha256(), part.is_material(), "{part:?}");
            assert_ne!(before.sha256(), after.sha256());
        }
        assert_eq!(Version::FIRST.after(&before.change_since(&before)), None);
    }

    #[test]
    fn p14b_faces_stop_for_the_changed_part_only() {
        let before = stand();
        let named = [gate(1), gate(2)];
        let stops = |part, words: &str| {
            let mut after = before.clone();
            after.set(part, words);
            after.change_since(&before).stops(&named)
        };
        for part in [Part::Purpose, Part::Kinds, Part::Method, Part::Place, Part::Recipients] {
            assert_eq!(stops(part, "别的"), named, "{part:?}");
        }
        assert_eq!(stops(Part::Gate(gate(2)), "别处"), [gate(2)]);
        assert_eq!(stops(Part::Gate(gate(3)), "新门"), [], "a new gate holds nobody's face");
        assert_eq!(stops(Part::Fact(Fact::ContactPhone), "119"), []);

        let mut without = Stand::default();
        before.parts().filter(|(part, _)| *part != Part::Gate(gate(1))).for_each(|(p, w)| without.set(p, w));
        assert_eq!(without.change_since(&before).stops(&named), [gate(1)], "a gate that takes faces no more");
    }

    #[test]
    fn a_part_reads_back_from_its_label_and_an_unknown_one_is_passed_over() {
        for (part, _) in stand().parts() {
            assert_eq!(Part::parse(&part.label()), Some(part));
        }
        for label in ["", "x", "gate/x", "fact/nothing", "section/x", "a/b"] {
            assert_eq!(Part::parse(label), None, "{label}");
        }
    }

    #[test]
    fn words_cannot_slide_from_one_part_into_the_next() {
        let (mut a, mut b) = (Stand::default(), Stand::default());
        a.set(Part::Purpose, "xkinds");
        b.set(Part::Purpose, "x");
        b.set(Part::Kinds, "");
        assert_ne!(a.sha256(), b.sha256());
    }

    #[test]
    fn p14b_the_answer_is_due_after_thirty_days() {
        let day = CivilDate::from_epoch_days(20_000);
        assert_eq!(answer_by(day), day.plus_days(30));
    }
}
