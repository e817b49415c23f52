//! Instants and civil dates: arithmetic, never "now" (the caller passes it).

use jiff::civil::Date;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Offset of China standard time from UTC, in milliseconds. The whole country keeps one zone without summer time.
const CHINA_OFFSET_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// Wraps milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Later by `ms` milliseconds (saturating).
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self` (saturating; negative when `earlier` is later).
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The calendar day in China.
    pub fn date(self) -> CivilDate {
        let days = self.0.saturating_add(CHINA_OFFSET_MS).div_euclid(DAY_MS);
        CivilDate::from_epoch_days(days)
    }

    /// `2026-11-22 11:20` in China time, for screens and papers.
    pub fn minute_text(self) -> String {
        let in_day = self.0.saturating_add(CHINA_OFFSET_MS).rem_euclid(DAY_MS) / 60_000;
        format!("{} {:02}:{:02}", self.date(), in_day / 60, in_day % 60)
    }
}

impl Timestamp {
    /// `2026-11-22 11:20:05` in China time, where the second matters: registers and copies.
    pub fn second_text(self) -> String {
        let second = self.0.saturating_add(CHINA_OFFSET_MS).rem_euclid(60_000) / 1_000;
        format!("{}:{second:02}", self.minute_text())
    }
}

/// A calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(Date);

impl CivilDate {
    /// Days since 1970-01-01; values outside the calendar are clamped to its ends.
    pub fn from_epoch_days(days: i64) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        let clamped = days.clamp(-719_000, 2_900_000);
        Self(epoch.saturating_add(jiff::Span::new().days(clamped)))
    }

    /// Days since 1970-01-01.
    pub fn epoch_days(self) -> i64 {
        let epoch = jiff::civil::date(1970, 1, 1);
        epoch.until(self.0).map(|span| i64::from(span.get_days())).unwrap_or(0)
    }

    /// Reads `2027-01-31`. Returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        text.trim().parse::<Date>().ok().map(Self)
    }

    /// The day `days` later.
    pub fn plus_days(self, days: i64) -> Self {
        Self::from_epoch_days(self.epoch_days().saturating_add(days))
    }

    /// The calendar year.
    pub fn year(self) -> i32 {
        i32::from(self.0.year())
    }

    /// The same day `years` later; the 29th of February becomes the 28th where there is none.
    pub fn plus_years(self, years: i32) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().years(years.clamp(-200, 200))))
    }

    /// The first instant after this day in China: what ends "on" the day is over then.
    pub fn end(self) -> Timestamp {
        Timestamp((self.epoch_days().saturating_add(1)).saturating_mul(DAY_MS).saturating_sub(CHINA_OFFSET_MS))
    }

    /// `2027年1月31日`.
    pub fn chinese(self) -> String {
        format!("{}年{}月{}日", self.0.year(), self.0.month(), self.0.day())
    }
}

impl std::fmt::Display for CivilDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_china_starts_at_sixteen_hours_utc() {
        let last_of_day = Timestamp::from_ms(1_795_276_799_999);
        assert_eq!(last_of_day.date().to_string(), "2026-11-21");
        assert_eq!(last_of_day.plus_ms(1).date().to_string(), "2026-11-22");
        assert_eq!(last_of_day.date().end(), last_of_day.plus_ms(1));
    }

    #[test]
    fn days_go_there_and_back() {
        for text in ["1970-01-01", "2024-02-29", "2026-11-22", "2099-12-31", "1949-10-01"] {
            let day = CivilDate::parse(text).map(|d| CivilDate::from_epoch_days(d.epoch_days()).to_string());
            assert_eq!(day.as_deref(), Some(text));
        }
        assert!(CivilDate::parse("2026-13-01").is_none());
        assert_eq!(CivilDate::parse("2027-01-31").map(|d| d.chinese()).as_deref(), Some("2027年1月31日"));
    }

    #[test]
    fn extremes_do_not_panic() {
        for ms in [i64::MIN, i64::MAX, 0] {
            let _ = Timestamp::from_ms(ms).minute_text();
        }
    }
}
