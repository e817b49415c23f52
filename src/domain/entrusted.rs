//! The register of entrusted parties (PIPL 21, NDR 12): who does what for the processor, until when, under which contract.

use super::time::CivilDate;

/// Years that an entry is kept after its end (NDR 12).
pub const KEPT_YEARS: i64 = 3;

/// Why an entry is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntrustedFault {
    /// A field is empty, or holds a brace.
    #[error("a field is not written")]
    Field(Field),
    /// The dates are not readable, or the end lies before the beginning.
    #[error("the dates do not fit")]
    Dates,
}

/// What PIPL 21 asks to be agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Name of the party.
    Name,
    /// How to reach it.
    Contact,
    /// What it does, and how.
    Task,
    /// Which kinds of information it comes near.
    Kinds,
    /// What protects them.
    Measures,
    /// Number of the contract.
    ContractNo,
}

impl Field {
    /// In the order of the form.
    pub const ALL: [Self; 6] = [Self::Name, Self::Contact, Self::Task, Self::Kinds, Self::Measures, Self::ContractNo];
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrusted {
    /// Texts in the order of [`Field::ALL`].
    pub fields: [String; 6],
    /// First day.
    pub begins_on: CivilDate,
    /// Last day.
    pub ends_on: CivilDate,
}

impl Entrusted {
    /// Longest text, in characters.
    pub const CHARS_MAX: usize = 200;

    /// Checks and trims what was typed.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn check(mut self) -> Result<Self, EntrustedFault> {
        for (text, field) in self.fields.iter_mut().zip(Field::ALL) {
            *text = text.trim().chars().take(Self::CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
            if text.is_empty() || text.contains(['{', '}']) {
                return Err(EntrustedFault::Field(field));
            }
        }
        if self.ends_on < self.begins_on { Err(EntrustedFault::Dates) } else { Ok(self) }
    }

    /// One field.
    pub fn get(&self, field: Field) -> &str {
        &self.fields[field as usize]
    }

    /// Whether the party may act on a day.
    pub fn is_in_force(&self, today: CivilDate) -> bool {
        (self.begins_on..=self.ends_on).contains(&today)
    }
}

/// The words for `{entrusted_list}`: name, contact, task, kinds and term of everyone in force; empty when there is none.
pub fn list<'a>(entries: impl IntoIterator<Item = &'a Entrusted>, today: CivilDate) -> String {
    let one = |entry: &Entrusted| {
        format!(
            "{}（{}；{}；{}；{} – {}）",
            entry.get(Field::Name),
            entry.get(Field::Contact),
            entry.get(Field::Task),
            entry.get(Field::Kinds),
            entry.begins_on,
            entry.ends_on
        )
    };
    let now: Vec<String> = entries.into_iter().filter(|entry| entry.is_in_force(today)).map(one).collect();
    now.join("；")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entrusted {
        let day = CivilDate::from_epoch_days(20_000);
        let fields = ["维保公司", "021-1", "门禁机维修", "不接触", "陪同", "HT-7"].map(String::from);
        Entrusted { fields, begins_on: day, ends_on: day.plus_days(30) }
    }

    #[test]
    fn p21_an_entry_needs_everything_that_must_be_agreed() {
        assert!(entry().check().is_ok());
        for field in Field::ALL {
            for bad in ["  ", "{x}"] {
                let mut made = entry();
                made.fields[field as usize] = bad.into();
                assert_eq!(made.check(), Err(EntrustedFault::Field(field)));
            }
        }
        let turned = Entrusted { ends_on: entry().begins_on.plus_days(-1), ..entry() };
        assert_eq!(turned.check(), Err(EntrustedFault::Dates));
    }

    #[test]
    fn p21_the_list_names_who_is_in_force_and_nobody_else() {
        let (made, day) = (entry(), entry().begins_on);
        let said = list([&made], day.plus_days(30));
        for field in [Field::Name, Field::Contact, Field::Task, Field::Kinds] {
            assert!(said.contains(made.get(field)), "{said}");
        }
        assert!(said.contains(&made.ends_on.to_string()));
        assert_eq!(list([&made], day.plus_days(31)), "");
        assert_eq!(list([&made], day.plus_days(-1)), "");
    }
}
