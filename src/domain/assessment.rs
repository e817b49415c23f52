//! The impact assessment (个人信息保护影响评估) as the program registers it: number, date, signer, the four heads of Measures 9, the
//! necessity finding, the scope it was made for, and a day on which it must be looked at again. Rules: P28, P55, P56, F09a–c.
//!
//! Deliberately absent: any judgement of the contents. The program checks that a person answers for a complete assessment of this scope.

use super::site::REASON_CHARS_MIN;
use super::time::{CivilDate, Timestamp};

/// Longest time until an assessment is looked at again, in days (product figure).
pub const REVIEW_DAYS_MAX: i64 = 366;
/// Years that assessments and their register are kept (PIPL 56; Measures 9).
pub const KEPT_YEARS: i64 = 3;
/// Fewest characters of each head, so that a cross or a dash is no assessment (product figure).
pub const HEAD_CHARS_MIN: usize = 20;

/// The four heads of Measures 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Head {
    /// Whether purpose and method are lawful, proper and necessary.
    Lawful,
    /// The effect on people, and whether what reduces it works.
    Effect,
    /// The risk of leak, change, loss, damage, theft, sale or misuse, and the possible harm.
    Risk,
    /// Whether the safeguards are lawful, work, and fit the risk.
    Safeguards,
}

impl Head {
    /// In the order of the law.
    pub const ALL: [Self; 4] = [Self::Lawful, Self::Effect, Self::Risk, Self::Safeguards];
}

/// Why an assessment is not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssessmentFault {
    /// No number.
    #[error("the assessment has no number")]
    Number,
    /// No signer.
    #[error("nobody signed the assessment")]
    Signer,
    /// The date is not readable or lies ahead.
    #[error("the date does not fit")]
    Date,
    /// The review date is not readable, has passed, or lies more than a year after the assessment.
    #[error("the review date does not fit")]
    Review,
    /// One of the four heads is empty or too short.
    #[error("a head is not written")]
    Head(Head),
    /// The necessity finding is empty or too short.
    #[error("the necessity finding is not written")]
    Necessity,
}

/// An assessment as a person entered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Its number in the company's books.
    pub number: String,
    /// The day it was signed.
    pub signed_on: CivilDate,
    /// Who signed it.
    pub signer: String,
    /// The four heads, in the order of [`Head::ALL`].
    pub heads: [String; 4],
    /// Why a face way is needed here beside cards, as found.
    pub necessity: String,
    /// The last day on which it holds without being looked at again.
    pub review_on: CivilDate,
    /// Digest over the material parts of the notice it was made for ([`super::change::Stand::scope_sha256`]).
    pub scope_sha256: [u8; 32],
}

impl Assessment {
    /// Longest accepted text, in characters.
    pub const CHARS_MAX: usize = 2_000;

    /// Checks what was entered. `scope_sha256` is the scope in force, never typed.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn check(mut self, today: CivilDate) -> Result<Self, AssessmentFault> {
        let clean = |text: &str| -> String {
            text.trim().chars().take(Self::CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
        };
        let said = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        self.number = clean(&self.number);
        self.signer = clean(&self.signer);
        self.heads = self.heads.map(|head| clean(&head));
        self.necessity = clean(&self.necessity);
        if self.number.is_empty() {
            return Err(AssessmentFault::Number);
        }
        if self.signer.is_empty() {
            return Err(AssessmentFault::Signer);
        }
        if self.signed_on > today {
            return Err(AssessmentFault::Date);
        }
        if self.review_on < today || self.review_on > self.signed_on.plus_days(REVIEW_DAYS_MAX) {
            return Err(AssessmentFault::Review);
        }
        if let Some((head, _)) = Head::ALL.iter().zip(&self.heads).find(|(_, text)| said(text) < HEAD_CHARS_MIN) {
            return Err(AssessmentFault::Head(*head));
        }
        if said(&self.necessity) < REASON_CHARS_MIN {
            return Err(AssessmentFault::Necessity);
        }
        Ok(self)
    }
}

/// Whether face entry may stand on the registered assessment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// None is registered.
    #[default]
    None,
    /// The registry cannot be read as signed.
    Damaged,
    /// It was made for another scope: purpose, kinds, method, place, recipients or gates changed since (F09c).
    OtherScope,
    /// It should have been looked at again by this day.
    ReviewOverdue(CivilDate),
    /// A major incident happened on or after its day, or was entered after it was registered (F09c).
    Incident(CivilDate),
    /// It holds until this day.
    Holds(CivilDate),
}

impl Standing {
    /// Whether it holds.
    pub fn holds(self) -> bool {
        matches!(self, Self::Holds(_))
    }
}

/// A major incident, as it was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MajorIncident {
    /// The day on which it happened.
    pub happened_on: CivilDate,
    /// When it was entered at the desk.
    pub entered_at: Timestamp,
}

/// Judges the newest assessment, with when it was registered, against the scope in force, the major incidents, and today. Rules: P28, P55, F09c.
///
/// An incident asks for a new assessment when this one cannot have known of it: it happened on the day of the signature or later, or it was
/// entered after this one was registered, however long ago it happened.
pub fn judge(
    assessment: Option<(&Assessment, Timestamp)>,
    scope_sha256: [u8; 32],
    incidents: &[MajorIncident],
    today: CivilDate,
) -> Standing {
    let Some((assessment, registered_at)) = assessment else { return Standing::None };
    if assessment.scope_sha256 != scope_sha256 {
        return Standing::OtherScope;
    }
    let unknown = |incident: &&MajorIncident| {
        incident.happened_on >= assessment.signed_on || incident.entered_at >= registered_at
    };
    if let Some(day) = incidents.iter().filter(unknown).map(|incident| incident.happened_on).max() {
        return Standing::Incident(day);
    }
    if assessment.review_on < today {
        return Standing::ReviewOverdue(assessment.review_on);
    }
    Standing::Holds(assessment.review_on)
}

/// The first day on which a record of an assessment of this day could be given up (P56). There is no command that does it earlier.
pub fn kept_until(signed_on: CivilDate) -> CivilDate {
    signed_on.plus_days(KEPT_YEARS * 366)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> CivilDate {
        CivilDate::from_epoch_days(20_000 + n)
    }

    fn assessment() -> Assessment {
        Assessment {
            number: "PIA-1".into(),
            signed_on: day(0),
            signer: "周敏".into(),
            heads: std::array::from_fn(|_| "评估".repeat(10)),
            necessity: "必要".repeat(30),
            review_on: day(365),
            scope_sha256: [1; 32],
        }
    }

    #[test]
    fn f09a_every_head_the_signer_and_the_day_are_required() {
        assert!(assessment().check(day(0)).is_ok());
        let wrong = |change: &dyn Fn(&mut Assessment)| {
            let mut made = assessment();
            change(&mut made);
            made.check(day(0)).err()
        };
        for (at, head) in Head::ALL.into_iter().enumerate() {
            assert_eq!(wrong(&|a| a.heads[at] = "略 略".repeat(9)), Some(AssessmentFault::Head(head)));
        }
        assert_eq!(wrong(&|a| a.number = "  ".into()), Some(AssessmentFault::Number));
        assert_eq!(wrong(&|a| a.signer.clear()), Some(AssessmentFault::Signer));
        assert_eq!(wrong(&|a| a.signed_on = day(1)), Some(AssessmentFault::Date));
        assert_eq!(wrong(&|a| a.necessity = "必要".repeat(29)), Some(AssessmentFault::Necessity));
    }

    #[test]
    fn p55_a_review_lies_within_a_year_and_not_behind() {
        let with = |review: i64| {
            let made = Assessment { review_on: day(review), ..assessment() };
            made.check(day(10)).err()
        };
        assert_eq!((with(9), with(10)), (Some(AssessmentFault::Review), None));
        assert_eq!((with(REVIEW_DAYS_MAX), with(REVIEW_DAYS_MAX + 1)), (None, Some(AssessmentFault::Review)));
    }

    /// At this hour of a day, 0 to 23.
    fn at(on: i64, hour: i64) -> Timestamp {
        day(on - 1).end().plus_ms(hour * 3_600_000)
    }

    fn incident(happened: i64, entered: Timestamp) -> MajorIncident {
        MajorIncident { happened_on: day(happened), entered_at: entered }
    }

    #[test]
    fn p55_it_holds_for_its_scope_until_its_review_and_no_longer() {
        let made = assessment();
        let made = Some((&made, at(0, 10)));
        assert_eq!(judge(None, [1; 32], &[], day(0)), Standing::None);
        assert_eq!(judge(made, [1; 32], &[], day(365)), Standing::Holds(day(365)));
        assert_eq!(judge(made, [1; 32], &[], day(366)), Standing::ReviewOverdue(day(365)));
        assert_eq!(judge(made, [2; 32], &[], day(1)), Standing::OtherScope);
    }

    // Shows: F09c
    #[test]
    fn f09c_a_major_incident_that_the_assessment_cannot_have_known_asks_for_a_new_one() {
        let made = assessment();
        let with = |incidents: &[MajorIncident]| judge(Some((&made, at(2, 10))), [1; 32], incidents, day(6));
        let holds = Standing::Holds(day(365));
        // Known when it was signed and registered.
        assert_eq!(with(&[incident(-1, at(-1, 12))]), holds);
        assert_eq!(with(&[incident(-30, at(2, 9))]), holds);
        // It happened on the day of the signature or later, entered whenever.
        assert_eq!(with(&[incident(5, at(5, 12))]), Standing::Incident(day(5)));
        assert_eq!(with(&[incident(0, at(1, 9))]), Standing::Incident(day(0)));
        // It happened long before, and was found and entered only afterwards.
        assert_eq!(with(&[incident(-30, at(2, 11))]), Standing::Incident(day(-30)));
        assert_eq!(with(&[incident(-30, at(5, 9))]), Standing::Incident(day(-30)));
        // An older one that was entered late is not hidden by a newer one that was known.
        assert_eq!(with(&[incident(-30, at(3, 9)), incident(-1, at(-1, 12))]), Standing::Incident(day(-30)));
        // An assessment that is registered afterwards knows of both.
        let again = Assessment { signed_on: day(6), review_on: day(300), ..assessment() };
        let both = [incident(-30, at(5, 9)), incident(5, at(5, 12))];
        assert_eq!(judge(Some((&again, at(6, 9))), [1; 32], &both, day(6)), Standing::Holds(day(300)));
        assert!(kept_until(day(0)) >= day(3 * 365));
    }
}
