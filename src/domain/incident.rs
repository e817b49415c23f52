//! Incidents (泄露、篡改、丢失): what happened, where, to which kinds of information, and how soon the authority must hear of it. Rules: P57, M5,
//! NDR11, NI1, F09c.
//!
//! Deliberately absent: a switch that leaves out the letter to the authority, and any judgement whether the words are true.

use super::id::{GateId, ResidentId};
use super::time::Timestamp;

/// Hours in which an incident of the grade 较大 or above is reported (国家网络安全事件报告管理办法 4).
pub const REPORT_HOURS: i64 = 4;
/// Fewest characters of each answer, so that a dash is no answer (product figure).
pub const ANSWER_CHARS_MIN: usize = 4;
/// Most characters of each answer: that of a typed placeholder.
pub const ANSWER_CHARS_MAX: usize = 500;
/// Most characters of an authority's name and number of receipt.
pub const TO_CHARS_MAX: usize = 120;

/// A kind of information that may be concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKind {
    /// Face templates in gates.
    Face,
    /// Opening records in gates.
    Openings,
    /// Names, units, card numbers, age bands at the desk.
    Identity,
    /// Records of notices, consents and refusals at the desk.
    Consents,
    /// The log of what staff did.
    StaffLog,
}

impl DataKind {
    /// In the order of the page.
    pub const ALL: [Self; 5] = [Self::Face, Self::Openings, Self::Identity, Self::Consents, Self::StaffLog];

    /// The word in the vault. Never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Openings => "openings",
            Self::Identity => "identity",
            Self::Consents => "consents",
            Self::StaffLog => "staff-log",
        }
    }

    /// Reads [`Self::label`].
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.label() == label)
    }

    /// Whether it lies at gates, never at the desk.
    pub fn is_at_gates(self) -> bool {
        matches!(self, Self::Face | Self::Openings)
    }
}

/// The five answers that the law asks for (PIPL 57).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// What happened.
    What,
    /// The cause, as far as it is known.
    Cause,
    /// The harm it may do.
    Harm,
    /// What was done.
    Measures,
    /// What people can do.
    SelfHelp,
}

impl Answer {
    /// In the order of the page.
    pub const ALL: [Self; 5] = [Self::What, Self::Cause, Self::Harm, Self::Measures, Self::SelfHelp];

    /// The placeholder that it fills.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::What => "incident_what",
            Self::Cause => "cause",
            Self::Harm => "possible_harm",
            Self::Measures => "measures_taken",
            Self::SelfHelp => "self_help",
        }
    }
}

/// Why an incident is not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncidentFault {
    /// The moment cannot be read, or lies ahead.
    #[error("the moment does not fit")]
    When,
    /// An answer is missing or too short.
    #[error("an answer is not written")]
    Answer(Answer),
    /// No kind of information was ticked.
    #[error("no kind of information was chosen")]
    Kinds,
    /// Something at gates is concerned, and no gate was ticked.
    #[error("no gate was chosen")]
    Gates,
    /// Whom the report went to is missing.
    #[error("whom it was reported to is missing")]
    To,
}

/// An incident as it was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// When it happened, or was noticed, as entered.
    pub happened_at: Timestamp,
    /// In the order of [`Answer::ALL`].
    pub answers: [String; 5],
    /// Which kinds of information.
    pub kinds: Vec<DataKind>,
    /// At which gates; none when only the desk is concerned.
    pub gates: Vec<GateId>,
    /// Of the grade 较大 or above: the authority hears of it within [`REPORT_HOURS`].
    pub larger: bool,
}

impl Incident {
    /// Checks what was entered.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(mut self, now: Timestamp) -> Result<Self, IncidentFault> {
        if self.happened_at > now {
            return Err(IncidentFault::When);
        }
        self.answers = self.answers.map(|answer| clean(&answer, ANSWER_CHARS_MAX));
        let short = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count() < ANSWER_CHARS_MIN;
        if let Some((answer, _)) = Answer::ALL.iter().zip(&self.answers).find(|(_, text)| short(text)) {
            return Err(IncidentFault::Answer(*answer));
        }
        self.kinds.sort_unstable();
        self.kinds.dedup();
        if self.kinds.is_empty() {
            return Err(IncidentFault::Kinds);
        }
        if self.kinds.iter().any(|kind| kind.is_at_gates()) {
            if self.gates.is_empty() {
                return Err(IncidentFault::Gates);
            }
        } else {
            self.gates.clear();
        }
        Ok(self)
    }

    /// Whether something at the desk is concerned, and with it everybody in the register.
    pub fn concerns_desk(&self) -> bool {
        self.kinds.iter().any(|kind| !kind.is_at_gates())
    }

    /// Until when the authority must have heard of it, for one that was entered at `entered_at`; "at once" has no hour.
    pub fn report_by(&self, entered_at: Timestamp) -> Option<Timestamp> {
        self.larger.then(|| entered_at.plus_ms(REPORT_HOURS * 3_600_000))
    }
}

/// How people were told (NDR 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// By telephone.
    Phone,
    /// By short message.
    Message,
    /// By letter, or handed over.
    Letter,
    /// By public notice, where somebody cannot be reached otherwise.
    Public,
}

impl Channel {
    /// In the order of the page.
    pub const ALL: [Self; 4] = [Self::Phone, Self::Message, Self::Letter, Self::Public];

    /// The word in the vault and the log. Never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::Phone => "by-phone",
            Self::Message => "by-message",
            Self::Letter => "by-letter",
            Self::Public => "by-public-notice",
        }
    }
}

/// What goes into the log about incidents, and about the end of a manager's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DutyEvent {
    /// An incident was entered.
    IncidentOpened,
    /// It concerns this person.
    IncidentConcerns(ResidentId),
    /// This person was told, in this way.
    IncidentTold(ResidentId, &'static str),
    /// Letters were written into a folder.
    LettersWritten,
    /// The authority was told.
    IncidentReported,
    /// The manager leaves: every face of the site ends.
    ManagerLeft,
    /// The papers of that were written into a folder.
    ManagerPapers,
    /// The papers for a compliance audit, or the controls sheet, were written.
    AuditPapers(&'static str),
}

impl DutyEvent {
    /// Word, ids and label for the log. Words are part of the log's format.
    pub fn words(&self) -> (&'static str, Vec<String>, Option<&'static str>) {
        match self {
            Self::IncidentOpened => ("incident-opened", vec![], None),
            Self::IncidentConcerns(resident) => ("incident-concerns", vec![resident.to_string()], None),
            Self::IncidentTold(resident, how) => ("incident-told", vec![resident.to_string()], Some(how)),
            Self::LettersWritten => ("incident-letters", vec![], None),
            Self::IncidentReported => ("incident-reported", vec![], None),
            Self::ManagerLeft => ("manager-left", vec![], None),
            Self::ManagerPapers => ("manager-papers", vec![], None),
            Self::AuditPapers(which) => ("audit-papers", vec![], Some(which)),
        }
    }
}

/// One line of words as staff typed it: control characters are spaces, and it is not longer than `max` characters.
pub fn clean(text: &str, max: usize) -> String {
    text.trim().chars().take(max).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_276_800_000);

    fn incident() -> Incident {
        Incident {
            happened_at: NOW.plus_ms(-3_600_000),
            answers: std::array::from_fn(|_| "门禁机被人打开过".into()),
            kinds: vec![DataKind::Openings, DataKind::Face, DataKind::Face],
            gates: vec![GateId::from_bytes([1; 16])],
            larger: false,
        }
    }

    #[test]
    fn p57_every_item_of_the_law_must_be_written() {
        let checked = incident().check(NOW).expect("complete");
        assert_eq!(checked.kinds, [DataKind::Face, DataKind::Openings]);
        for (at, answer) in Answer::ALL.into_iter().enumerate() {
            let mut made = incident();
            made.answers[at] = " 无 ".into();
            assert_eq!(made.check(NOW).err(), Some(IncidentFault::Answer(answer)));
        }
        let wrong = |change: &dyn Fn(&mut Incident)| {
            let mut made = incident();
            change(&mut made);
            made.check(NOW).err()
        };
        assert_eq!(wrong(&|i| i.happened_at = NOW.plus_ms(1)), Some(IncidentFault::When));
        assert_eq!(wrong(&|i| i.kinds.clear()), Some(IncidentFault::Kinds));
        assert_eq!(wrong(&|i| i.gates.clear()), Some(IncidentFault::Gates));
        assert_eq!(wrong(&|i| i.kinds = vec![DataKind::Identity]), None, "the desk needs no gate");
    }

    #[test]
    fn p57_a_larger_incident_has_four_hours_and_any_other_none_to_lose() {
        let larger = Incident { larger: true, ..incident() };
        assert_eq!(larger.report_by(NOW), Some(NOW.plus_ms(4 * 3_600_000)));
        assert_eq!(incident().report_by(NOW), None);
    }

    #[test]
    fn labels_read_back() {
        for kind in DataKind::ALL {
            assert_eq!(DataKind::parse(kind.label()), Some(kind));
        }
        assert_eq!(DataKind::parse("other"), None);
    }
}
