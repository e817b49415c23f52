//! A resident as the desk knows one: name, unit, age band, end date. No ID number, no birth date, no photo (rule P06).

use super::id::ResidentId;
use super::time::{CivilDate, Timestamp};

/// Why a typed value was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResidentError {
    /// Empty, or only spaces.
    #[error("the name is empty")]
    NameEmpty,
    /// Longer than [`PersonName::CHARS_MAX`].
    #[error("the name is too long")]
    NameTooLong,
    /// A control character or a line break.
    #[error("the name holds a character that cannot be printed")]
    NameUnprintable,
    /// Empty or longer than [`Unit::CHARS_MAX`].
    #[error("the unit is empty or too long")]
    UnitInvalid,
    /// A minor without the date of the next age band.
    #[error("the date of the next age band is missing")]
    NextBandMissing,
    /// An adult with a date of the next age band, or one in the past.
    #[error("the date of the next age band does not fit")]
    NextBandWrong,
    /// The end date is in the past.
    #[error("the end date is in the past")]
    EndPast,
}

/// A person's name as typed, trimmed: 1 to 200 characters of any script, nothing that cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Longest accepted name, in characters.
    pub const CHARS_MAX: usize = 200;

    /// Accepts a typed name.
    ///
    /// # Errors
    /// Empty, too long, or holding a control character.
    pub fn parse(text: &str) -> Result<Self, ResidentError> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err(ResidentError::NameEmpty),
            n if n > Self::CHARS_MAX => Err(ResidentError::NameTooLong),
            _ if text.chars().any(char::is_control) => Err(ResidentError::NameUnprintable),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The name, for sealing in the vault and for the person's own page.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// First character and stars: what lists and the resident window show.
    pub fn masked(&self) -> String {
        let mut chars = self.0.chars();
        let first: String = chars.next().into_iter().collect();
        first + &"*".repeat(chars.count().clamp(1, 3))
    }
}

impl std::fmt::Debug for PersonName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonName([REDACTED])")
    }
}

/// A unit such as `3-1201`, trimmed: 1 to 40 printable characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Unit(String);

impl Unit {
    /// Longest accepted unit, in characters.
    pub const CHARS_MAX: usize = 40;

    /// Accepts a typed unit.
    ///
    /// # Errors
    /// [`ResidentError::UnitInvalid`].
    pub fn parse(text: &str) -> Result<Self, ResidentError> {
        let text = text.trim();
        let fits = (1..=Self::CHARS_MAX).contains(&text.chars().count());
        if fits && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ResidentError::UnitInvalid)
        }
    }

    /// The unit.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unit([REDACTED])")
    }
}

/// Who must consent follows from this alone (PIPL 31; no birth date is kept).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgeBand {
    /// Under fourteen: a guardian consents.
    Under14,
    /// Fourteen to seventeen: own consent, a guardian signs as informed.
    From14To17,
    /// Eighteen or older: own consent.
    Adult,
}

/// A resident's record. Personal: sealed with the person's own key in the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    /// Stays at the desk.
    pub id: ResidentId,
    /// As typed.
    pub name: PersonName,
    /// As typed.
    pub unit: Unit,
    /// Who must consent.
    pub age_band: AgeBand,
    /// For minors: the day the next band begins.
    pub next_band_on: Option<CivilDate>,
    /// Last day of the tenancy or of the right to enter; the card and a face end with it at the latest.
    pub ends_on: CivilDate,
}

impl Resident {
    /// The band and the day of the next one, as they are on `day`; see [`AgeBand::on`].
    pub fn band_on(&self, day: CivilDate) -> (AgeBand, Option<CivilDate>) {
        self.age_band.on(self.next_band_on, day)
    }
}

impl AgeBand {
    /// From a band as recorded, with the day of the next one, to both as they are on `day`: a birthday that has passed counts, whether or
    /// not anybody noted it. The eighteenth birthday follows the fourteenth by four years, so that no birth date is needed.
    pub fn on(self, next_band_on: Option<CivilDate>, day: CivilDate) -> (Self, Option<CivilDate>) {
        let (mut band, mut next) = (self, next_band_on);
        while let Some(birthday) = next.filter(|birthday| *birthday <= day) {
            (band, next) = match band {
                AgeBand::Under14 => (AgeBand::From14To17, Some(birthday.plus_years(YEARS_FROM_14_TO_18))),
                AgeBand::From14To17 | AgeBand::Adult => (AgeBand::Adult, None),
            };
        }
        (band, next)
    }
}

/// Years between the two birthdays that matter.
const YEARS_FROM_14_TO_18: i32 = 4;

/// A checked record that is about to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidentDraft {
    /// `None` for a new resident.
    pub id: Option<ResidentId>,
    /// As typed.
    pub name: PersonName,
    /// As typed.
    pub unit: Unit,
    /// Who must consent.
    pub age_band: AgeBand,
    /// For minors only.
    pub next_band_on: Option<CivilDate>,
    /// Last day.
    pub ends_on: CivilDate,
}

impl ResidentDraft {
    /// Checks what was typed.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn parse(
        id: Option<ResidentId>,
        name: &str,
        unit: &str,
        age_band: AgeBand,
        next_band_on: Option<CivilDate>,
        ends_on: CivilDate,
        now: Timestamp,
    ) -> Result<Self, ResidentError> {
        let name = PersonName::parse(name)?;
        let unit = Unit::parse(unit)?;
        match (age_band, next_band_on) {
            (AgeBand::Adult, Some(_)) => return Err(ResidentError::NextBandWrong),
            (AgeBand::Adult, None) => {}
            (_, None) => return Err(ResidentError::NextBandMissing),
            (_, Some(day)) if day <= now.date() => return Err(ResidentError::NextBandWrong),
            // A fourteenth birthday is never more than fourteen years away, an eighteenth never more than four.
            (AgeBand::Under14, Some(day)) if day > now.date().plus_years(14) => {
                return Err(ResidentError::NextBandWrong);
            }
            (AgeBand::From14To17, Some(day)) if day > now.date().plus_years(YEARS_FROM_14_TO_18) => {
                return Err(ResidentError::NextBandWrong);
            }
            (AgeBand::Under14 | AgeBand::From14To17, Some(_)) => {}
        }
        if ends_on < now.date() {
            return Err(ResidentError::EndPast);
        }
        Ok(Self { id, name, unit, age_band, next_band_on, ends_on })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_and_two_hundred_characters_are_fine() {
        assert_eq!(PersonName::parse(" 𠮷 ").map(|n| n.masked()), Ok("𠮷*".into()));
        assert!(PersonName::parse(&"㛃".repeat(200)).is_ok());
        assert_eq!(PersonName::parse(&"㛃".repeat(201)), Err(ResidentError::NameTooLong));
        assert_eq!(PersonName::parse("  "), Err(ResidentError::NameEmpty));
        assert_eq!(PersonName::parse("张\u{7}三"), Err(ResidentError::NameUnprintable));
    }

    #[test]
    fn m12_a_band_ends_on_the_birthday_itself() {
        let day = |text: &str| CivilDate::parse(text).expect("a day");
        let mut child = Resident {
            id: ResidentId::from_bytes([1; 16]),
            name: PersonName::parse("小周").expect("a name"),
            unit: Unit::parse("1-1").expect("a unit"),
            age_band: AgeBand::Under14,
            next_band_on: Some(day("2028-02-29")),
            ends_on: day("2040-01-01"),
        };
        assert_eq!(child.band_on(day("2028-02-28")), (AgeBand::Under14, Some(day("2028-02-29"))));
        assert_eq!(child.band_on(day("2028-02-29")), (AgeBand::From14To17, Some(day("2032-02-29"))));
        assert_eq!(child.band_on(day("2032-02-28")).0, AgeBand::From14To17);
        assert_eq!(child.band_on(day("2032-02-29")), (AgeBand::Adult, None));
        child.age_band = AgeBand::From14To17;
        assert_eq!(child.band_on(day("2028-02-29")), (AgeBand::Adult, None));
    }

    #[test]
    fn a_minor_needs_the_date_of_the_next_band() {
        let now = Timestamp::from_ms(1_795_276_800_000);
        let day = CivilDate::parse("2027-06-01");
        let end = now.date().plus_days(300);
        let draft = |band, next| ResidentDraft::parse(None, "李", "1-101", band, next, end, now).map(|_| ());
        assert_eq!(draft(AgeBand::Under14, None), Err(ResidentError::NextBandMissing));
        assert_eq!(draft(AgeBand::From14To17, day), Ok(()));
        let years = |years| Some(now.date().plus_years(years));
        assert_eq!(draft(AgeBand::Under14, years(14)), Ok(()));
        assert_eq!(draft(AgeBand::Under14, years(15)), Err(ResidentError::NextBandWrong));
        assert_eq!(draft(AgeBand::From14To17, years(4)), Ok(()));
        assert_eq!(draft(AgeBand::From14To17, years(5)), Err(ResidentError::NextBandWrong));
        assert_eq!(draft(AgeBand::Adult, day), Err(ResidentError::NextBandWrong));
        assert_eq!(draft(AgeBand::Adult, None), Ok(()));
    }
}
