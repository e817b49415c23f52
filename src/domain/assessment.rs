//! The impact assessment (个人信息保护影响评估) as the program registers it: number, date, signer, the four heads of Measures 9, the
//! necessity finding, the scope it was made for, and a day on which it must be looked at again. Rules: P28, P55, P56, F09a–c.
//!
//! Deliberately absent: any judgement of the contents. The program checks that a person answers for a complete assessment of this scope.

use super::site::REASON_CHARS_MIN;
use super::time::CivilDate;

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
    /// A major incident happened on or after its day (F09c).
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

/// Judges the newest assessment against the scope in force, today, and the last major incident. Rules: P28, P55, F09c.
pub fn judge(
    assessment: Option<&Assessment>,
    scope_sha256: [u8; 32],
    incident_on: Option<CivilDate>,
    today: CivilDate,
) -> Standing {
    let Some(assessment) = assessment else { return Standing::None };
    if assessment.scope_sha256 != scope_sha256 {
        return Standing::OtherScope;
    }
    if let Some(day) = incident_on.filter(|day| *day >= assessment.signed_on) {
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

    #[test]
    fn p55_it_holds_for_its_scope_until_its_review_and_no_longer() {
        let made = assessment();
        assert_eq!(judge(None, [1; 32], None, day(0)), Standing::None);
        assert_eq!(judge(Some(&made), [1; 32], None, day(365)), Standing::Holds(day(365)));
        assert_eq!(judge(Some(&made), [1; 32], None, day(366)), Standing::ReviewOverdue(day(365)));
        assert_eq!(judge(Some(&made), [2; 32], None, day(1)), Standing::OtherScope);
    }

    #[test]
    fn f09c_a_major_incident_asks_for_a_new_assessment() {
        let made = assessment();
        assert_eq!(judge(Some(&made), [1; 32], Some(day(5)), day(6)), Standing::Incident(day(5)));
        assert_eq!(judge(Some(&made), [1; 32], Some(day(-1)), day(6)), Standing::Holds(day(365)));
        assert!(kept_until(day(0)) >= day(3 * 365));
    }
}
