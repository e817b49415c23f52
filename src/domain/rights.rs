//! Requests of people about their own information: kinds, clocks, and what a written refusal must hold. Rules: P24, P44–P50, P65, L4.
//!
//! Deliberately absent: any kind that asks for a reason or a fee; any way to close a request as refused without a [`WrittenRefusal`].
//!
//! ```
//! use menka::domain::rights::{RequestKind, Terms};
//! use menka::domain::{site::SiteFacts, time::CivilDate};
//! let terms = Terms::of(&SiteFacts::default());
//! let sunday = CivilDate::parse("2026-11-22").unwrap();
//! assert_eq!(terms.due_on(RequestKind::Complaint, sunday).to_string(), "2026-12-02");
//! ```

use super::id::{GateId, GuardianId, ResidentId, TemplateId};
use super::site::{Fact, SiteFacts};
use super::time::{CivilDate, Timestamp};

macro_rules! labelled {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $label:literal,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every one, in the order of the pages.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word stored in the vault and the log. Never shown.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// Reads a stored word back.
            pub fn parse(label: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.label() == label)
            }
        }
    )*};
}

labelled! {
    /// What may be asked, in the order of the notice's section 11.
    RequestKind {
        /// 撤回同意、删除人脸.
        Withdraw = "withdraw",
        /// 只停用，或者减少几道门.
        Pause = "pause",
        /// 查阅、复制.
        See = "see",
        /// 更正、补充.
        Correct = "correct",
        /// 人脸特征不准的，先删旧的再录.
        Redo = "redo",
        /// 转移.
        Transfer = "transfer",
        /// 限制或者拒绝处理.
        Restrict = "restrict",
        /// 要求解释说明.
        Explain = "explain",
        /// 注销.
        Close = "close",
        /// 亲属身故后的处理.
        AfterDeath = "after-death",
        /// 投诉.
        Complaint = "complaint",
    }

    /// How a request came in.
    Came {
        /// On the resident window.
        Window = "window",
        /// Said at the desk.
        Desk = "desk",
        /// By telephone.
        Phone = "phone",
        /// By letter or e-mail, or brought by somebody who was sent.
        Letter = "letter",
    }

    /// How it was known who asked. No copy of anything is kept.
    Identity {
        /// The person's own card on the reader of the resident window.
        CardTap = "card-tap",
        /// Staff looked at a document and gave it back.
        DocumentSeen = "document-seen",
        /// Somebody sent by the person, or near kin; the authority was looked at.
        ActsForPerson = "acts-for-person",
        /// Not asked: a complaint needs no name.
        NotAsked = "not-asked",
    }

    /// A field of a resident's record that can be corrected.
    Field {
        /// Name.
        Name = "name",
        /// Unit.
        Unit = "unit",
        /// Age band.
        AgeBand = "age-band",
        /// Day of the next age band.
        NextBand = "next-band",
        /// Last day.
        EndsOn = "ends-on",
        /// Card; the values are last four digits.
        Card = "card",
    }

    /// What was handed to the person.
    Given {
        /// Everything held, on a window.
        Shown = "shown",
        /// Everything held, as a paper.
        Paper = "paper",
        /// The electronic copy.
        Electronic = "electronic",
    }
}

/// Number of a request: counts up over the life of the site, is never used again, and is said with the year it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestNo {
    n: u32,
    received_on: CivilDate,
}

impl RequestNo {
    /// Number `n`, received on this day.
    pub fn new(n: u32, received_on: CivilDate) -> Self {
        Self { n, received_on }
    }

    /// The count.
    pub fn n(self) -> u32 {
        self.n
    }
}

impl std::fmt::Display for RequestNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let day = self.received_on.to_string();
        let year = day.split('-').next().unwrap_or_default();
        write!(f, "{year}-{:04}", self.n)
    }
}

/// The terms of answer that the site promises. Never longer than the notice allows, whatever is written in the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    rights_days: i64,
    complaint_days: i64,
}

impl Terms {
    /// Most working days for a request (notice, part 0).
    pub const RIGHTS_DAYS_MAX: i64 = 15;
    /// Most days for a complaint (Hangzhou 50(3), used everywhere: L4).
    pub const COMPLAINT_DAYS_MAX: i64 = 10;

    /// The site's terms.
    pub fn of(facts: &SiteFacts) -> Self {
        let days = |fact, max: i64| facts.get(fact).trim().parse().unwrap_or(max).clamp(1, max);
        Self {
            rights_days: days(Fact::RightsDays, Self::RIGHTS_DAYS_MAX),
            complaint_days: days(Fact::ComplaintDays, Self::COMPLAINT_DAYS_MAX),
        }
    }

    /// The last day for an answer. The day of receipt does not count (Civil Code 201).
    ///
    /// Working days are Monday to Friday. Public holidays are not taken out, which makes the day early rather than late; the
    /// weekends that are worked in exchange for a holiday are not known here, which is one more reason for [`Clock::Soon`].
    pub fn due_on(self, kind: RequestKind, received_on: CivilDate) -> CivilDate {
        if kind == RequestKind::Complaint {
            return received_on.plus_days(self.complaint_days);
        }
        let (mut day, mut left) = (received_on, self.rights_days);
        while left > 0 {
            day = day.plus_days(1);
            left -= i64::from(is_working_day(day));
        }
        day
    }
}

fn is_working_day(day: CivilDate) -> bool {
    // 1970-01-01 was a Thursday: Monday is 0.
    (day.epoch_days() + 3).rem_euclid(7) < 5
}

/// Where a request stands against its last day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// So many days are left.
    Running {
        /// Calendar days.
        days: i64,
    },
    /// Three days or fewer are left.
    Soon {
        /// Calendar days; 0 is today.
        days: i64,
    },
    /// The last day has passed.
    Overdue {
        /// Calendar days since.
        days: i64,
    },
    /// Done.
    Done,
}

impl Clock {
    /// Days left from which on a request counts as urgent.
    pub const SOON_DAYS: i64 = 3;

    /// Reads the clock. What is done has none.
    pub fn read(due_on: CivilDate, done_at: Option<Timestamp>, today: CivilDate) -> Self {
        let days = due_on.epoch_days() - today.epoch_days();
        match (done_at, days) {
            (Some(_), _) => Self::Done,
            (None, ..=-1) => Self::Overdue { days: -days },
            (None, 0..=Self::SOON_DAYS) => Self::Soon { days },
            (None, _) => Self::Running { days },
        }
    }
}

/// A row of the register without anything personal: what the list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// Number.
    pub no: RequestNo,
    /// Whose, if in the register.
    pub resident: Option<ResidentId>,
    /// What.
    pub kind: RequestKind,
    /// How it came.
    pub came: Came,
    /// When.
    pub received_at: Timestamp,
    /// Last day for an answer.
    pub due_on: CivilDate,
    /// Decided already.
    pub decided: bool,
    /// Refused.
    pub refused: bool,
    /// Where the clock stands.
    pub clock: Clock,
}

/// How many requests wait: what the first page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Not done, all of them.
    pub open: u32,
    /// Of them, with [`Clock::SOON_DAYS`] days left or fewer.
    pub soon: u32,
    /// Of them, past their last day.
    pub overdue: u32,
}

/// Why a request cannot be closed as refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusalFault {
    /// What is not done was not said.
    #[error("the part that is refused is missing")]
    PartMissing,
    /// No reason.
    #[error("the reason is missing")]
    ReasonMissing,
    /// No legal basis.
    #[error("the legal basis is missing")]
    BasisMissing,
    /// The letter lacks the words on complaint and court, or does not say what was typed.
    #[error("the letter is not complete")]
    LetterIncomplete,
}

/// What staff type for a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalWords {
    /// What is not done.
    pub part: String,
    /// Why.
    pub reason: String,
    /// Which law says so.
    pub basis: String,
}

impl RefusalWords {
    /// Fewest characters of a reason: "no" is none.
    pub const REASON_CHARS_MIN: usize = 10;
    /// Fewest characters of a legal basis.
    pub const BASIS_CHARS_MIN: usize = 6;
    /// Most characters of each field.
    pub const CHARS_MAX: usize = 600;

    /// Checks and trims what was typed.
    ///
    /// # Errors
    /// The first field that is missing or too short. Rule P50.
    pub fn checked(&self) -> Result<Self, RefusalFault> {
        let clean = |text: &str| -> String {
            let kept = text.trim().chars().take(Self::CHARS_MAX);
            kept.map(|c| if c.is_control() || matches!(c, '{' | '}') { ' ' } else { c }).collect()
        };
        let words = Self { part: clean(&self.part), reason: clean(&self.reason), basis: clean(&self.basis) };
        let chars = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        if chars(&words.part) < 2 {
            return Err(RefusalFault::PartMissing);
        }
        if chars(&words.reason) < Self::REASON_CHARS_MIN {
            return Err(RefusalFault::ReasonMissing);
        }
        if chars(&words.basis) < Self::BASIS_CHARS_MIN {
            return Err(RefusalFault::BasisMissing);
        }
        Ok(words)
    }
}

/// Proof that a refusal is in writing: part, reason, legal basis, where to complain, and the court. The only way to close a request as
/// refused. Rule P50.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRefusal {
    letter: String,
}

impl WrittenRefusal {
    /// Checks the finished letter. `plain` is the letter without marks of emphasis, `authorities` are the contacts that it must name.
    ///
    /// # Errors
    /// [`RefusalFault`]: a field is missing, or the letter does not hold it, or an authority or the court is not named.
    pub fn new(words: &RefusalWords, letter: String, plain: &str, authorities: &[&str]) -> Result<Self, RefusalFault> {
        let words = words.checked()?;
        let squeezed = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
        let text = squeezed(plain);
        let court = text.contains("人民法院起诉") || text.contains("sueinthepeople'scourt");
        // A full stop at the end of a field is the letter's own.
        let said = |part: &str| text.contains(squeezed(part).trim_end_matches(['。', '.']));
        let complete = [&words.part, &words.reason, &words.basis].into_iter().all(|part| said(part))
            && !authorities.is_empty()
            && authorities.iter().all(|contact| !contact.trim().is_empty() && said(contact));
        if court && complete { Ok(Self { letter }) } else { Err(RefusalFault::LetterIncomplete) }
    }

    /// The letter, byte for byte as it is handed over and stored.
    pub fn letter(&self) -> &str {
        &self.letter
    }
}

/// What goes into the log: ids, numbers and labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RightsEvent {
    /// A request came in.
    Received(Option<ResidentId>, RequestNo, RequestKind),
    /// It will be done.
    Granted(Option<ResidentId>, RequestNo),
    /// It was refused; the record's digest is that of the letter.
    Refused(Option<ResidentId>, RequestNo),
    /// It is done, or the letter was handed over.
    Done(Option<ResidentId>, RequestNo),
    /// A request was opened by staff.
    Opened(Option<ResidentId>, RequestNo),
    /// The person opened the own page on the resident window, with the own card.
    OwnPageOpened(ResidentId),
    /// Everything held was shown or handed over.
    Given(ResidentId, Given),
    /// Everything held about a guardian was handed to that guardian.
    GuardianGiven(ResidentId, GuardianId, Given),
    /// A gate was asked for a copy of the person's own template, sealed to the person's key.
    TemplateAsked(ResidentId, TemplateId, GateId),
    /// The copy was written where the person chose; the record's digest is that of the gate's receipt.
    TemplateGiven(ResidentId, TemplateId, GateId),
    /// A field was changed.
    Changed(ResidentId, Field),
    /// The person confirmed the changes.
    ChangesConfirmed(ResidentId),
    /// A section of the notice was explained, by staff or by the program's own panel.
    Explained(ResidentId, &'static str),
    /// The person refuses any processing of a face.
    Restricted(ResidentId),
    /// The person lifted that.
    Unrestricted(ResidentId),
    /// The resident has died.
    Died(ResidentId),
}

impl RightsEvent {
    /// The event's word, ids and label. Words are part of the log's format: never reuse one for something else.
    pub fn words(&self) -> (&'static str, Vec<String>, Option<&'static str>) {
        let request = |who: &Option<ResidentId>, no: &RequestNo| {
            let mut ids = vec![format!("request:{no}")];
            ids.extend(who.map(|id| id.to_string()));
            ids
        };
        let three = |who: &ResidentId, template: &TemplateId, gate: &GateId| {
            vec![who.to_string(), template.to_string(), gate.to_string()]
        };
        match self {
            Self::Received(who, no, kind) => ("request-received", request(who, no), Some(kind.label())),
            Self::Granted(who, no) => ("request-granted", request(who, no), None),
            Self::Refused(who, no) => ("request-refused", request(who, no), None),
            Self::Done(who, no) => ("request-done", request(who, no), None),
            Self::Opened(who, no) => ("request-opened", request(who, no), None),
            Self::OwnPageOpened(who) => ("own-page-opened", vec![who.to_string()], None),
            Self::Given(who, how) => ("everything-given", vec![who.to_string()], Some(how.label())),
            Self::GuardianGiven(who, guardian, how) => {
                ("guardian-sheet-given", vec![who.to_string(), guardian.to_string()], Some(how.label()))
            }
            Self::TemplateAsked(who, template, gate) => ("template-asked", three(who, template, gate), None),
            Self::TemplateGiven(who, template, gate) => ("template-given", three(who, template, gate), None),
            Self::Changed(who, field) => ("field-changed", vec![who.to_string()], Some(field.label())),
            Self::ChangesConfirmed(who) => ("changes-confirmed", vec![who.to_string()], None),
            Self::Explained(who, section) => ("explained", vec![who.to_string()], Some(section)),
            Self::Restricted(who) => ("face-processing-refused", vec![who.to_string()], None),
            Self::Unrestricted(who) => ("face-processing-allowed-again", vec![who.to_string()], None),
            Self::Died(who) => ("resident-died", vec![who.to_string()], None),
        }
    }
}

/// The label of an explanation by section: `0` is the whole notice, `1` to `17` a section; others count as the whole.
pub fn section_label(section: u8) -> &'static str {
    const LABELS: [&str; 18] =
        ["all", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17"];
    LABELS.get(usize::from(section)).copied().unwrap_or("all")
}

#[cfg(test)]
#[path = "rights_tests.rs"]
mod tests;
