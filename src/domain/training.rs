//! Whether a staff account may work: training and a signed undertaking, each not older than a year. Rules: P51-1, P51-4, K2-4, K2-5.

use super::permit::Condition;
use super::time::CivilDate;

/// How long a training and an undertaking count, in days (product figure: twelve months).
pub const VALID_DAYS: i64 = 365;

/// What is on record for an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnRecord {
    /// Day of the last training.
    pub trained_on: Option<CivilDate>,
    /// Day on which the internal rules were last read and the undertaking signed.
    pub signed_on: Option<CivilDate>,
}

/// Whether the account may work, or what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It works, until this day included.
    Works(CivilDate),
    /// No training of the last year is on record; a supervisor records it.
    TrainingMissing,
    /// The internal rules were not read and signed within the year; the person does it here.
    RulesUnsigned,
}

impl Standing {
    /// Whether the account may work.
    pub fn works(self) -> bool {
        matches!(self, Self::Works(_))
    }

    /// What rule L1 makes of it: face entry needs a trained operator, in practice too.
    pub fn condition(self) -> Condition {
        if self.works() { Condition::Holds } else { Condition::Fails }
    }
}

/// Judges an account on a day. A day in the future counts as not on record: a wrong clock or a typing mistake must not buy years.
pub fn judge(record: OnRecord, today: CivilDate) -> Standing {
    let last_day = |day: Option<CivilDate>| day.filter(|d| *d <= today).map(|d| d.plus_days(VALID_DAYS - 1));
    let in_force = |day: Option<CivilDate>| last_day(day).filter(|end| today <= *end);
    match (in_force(record.trained_on), in_force(record.signed_on)) {
        (None, _) => Standing::TrainingMissing,
        (Some(_), None) => Standing::RulesUnsigned,
        (Some(trained), Some(signed)) => Standing::Works(trained.min(signed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> CivilDate {
        CivilDate::from_epoch_days(20_000 + days)
    }

    #[test]
    fn p51_4_an_account_works_for_a_year_from_its_training_and_its_signature() {
        let both = |trained, signed| OnRecord { trained_on: Some(day(trained)), signed_on: Some(day(signed)) };
        assert_eq!(judge(OnRecord::default(), day(0)), Standing::TrainingMissing);
        assert_eq!(judge(OnRecord { trained_on: Some(day(0)), signed_on: None }, day(0)), Standing::RulesUnsigned);
        assert_eq!(judge(OnRecord { trained_on: None, signed_on: Some(day(0)) }, day(0)), Standing::TrainingMissing);
        assert_eq!(judge(both(0, 0), day(0)), Standing::Works(day(364)));
        assert_eq!(judge(both(0, 10), day(364)), Standing::Works(day(364)));
        assert_eq!(judge(both(0, 10), day(365)), Standing::TrainingMissing);
        assert_eq!(judge(both(10, 0), day(364)), Standing::Works(day(364)));
        assert_eq!(judge(both(10, 0), day(365)), Standing::RulesUnsigned);
        // Not yet.
        assert_eq!(judge(both(1, 0), day(0)), Standing::TrainingMissing);
        assert_eq!(judge(both(0, 1), day(0)), Standing::RulesUnsigned);
    }

    #[test]
    fn l1_only_a_working_account_holds_the_condition() {
        assert_eq!(Standing::Works(day(0)).condition(), Condition::Holds);
        assert_eq!(Standing::TrainingMissing.condition(), Condition::Fails);
        assert_eq!(Standing::RulesUnsigned.condition(), Condition::Fails);
    }
}
