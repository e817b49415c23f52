//! Who decides for whom: the adult alone; from fourteen the young person, with a guardian who signs as informed; under fourteen a guardian,
//! after the child was asked; for an adult under guardianship the guardian, after the adult was asked.
//! Rules: P31a, P31b, F07a, F07b, M1, M2, M11, M12; notice 2.6, 2.7 and part 3.
//!
//! Deliberately absent: the number or a copy of any document, a guardian's birth date or address, and any way in which a guardian's yes
//! could stand against the person's no.

use super::consent::Signature;
use super::id::{GuardianId, ResidentId, ShowingId, StaffId, ViewId};
use super::resident::{AgeBand, PersonName, ResidentError};
use super::time::Timestamp;

/// Who must decide about a person's face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decider {
    /// An adult: alone.
    Own,
    /// Fourteen to seventeen: the young person; a guardian signs as informed and decides nothing.
    OwnInformed,
    /// Under fourteen: the guardian, and only after the child's own yes.
    ChildsGuardian,
    /// An adult under guardianship: the guardian, and only after the adult's own yes.
    WardsGuardian,
}

impl Decider {
    /// All.
    pub const ALL: [Self; 4] = [Self::Own, Self::OwnInformed, Self::ChildsGuardian, Self::WardsGuardian];

    /// Follows from the age band, and for adults from whether they are under guardianship.
    pub fn of(band: AgeBand, ward: bool) -> Self {
        match (band, ward) {
            (AgeBand::Under14, _) => Self::ChildsGuardian,
            (AgeBand::From14To17, _) => Self::OwnInformed,
            (AgeBand::Adult, true) => Self::WardsGuardian,
            (AgeBand::Adult, false) => Self::Own,
        }
    }

    /// Whether a guardian must be there, checked in person.
    pub fn needs_guardian(self) -> bool {
        self != Self::Own
    }

    /// Whether a guardian gives the consent, so that the person is asked first in words of their own.
    pub fn hears_person(self) -> bool {
        matches!(self, Self::ChildsGuardian | Self::WardsGuardian)
    }

    /// The word in the consent record.
    pub fn label(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::OwnInformed => "own, guardian informed",
            Self::ChildsGuardian => "guardian of a child under fourteen",
            Self::WardsGuardian => "guardian of an adult",
        }
    }
}

/// What a guardian is to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardianRole {
    /// 父亲.
    Father,
    /// 母亲.
    Mother,
    /// 配偶; of an adult only.
    Spouse,
    /// 成年子女; of an adult only.
    AdultChild,
    /// Any other guardian by law or appointment.
    Other,
}

impl GuardianRole {
    /// All, in the order of the form.
    pub const ALL: [Self; 5] = [Self::Father, Self::Mother, Self::Spouse, Self::AdultChild, Self::Other];

    /// Whether it can be a guardian of this person.
    pub fn fits(self, decider: Decider) -> bool {
        match decider {
            Decider::Own => false,
            Decider::OwnInformed | Decider::ChildsGuardian => !matches!(self, Self::Spouse | Self::AdultChild),
            Decider::WardsGuardian => true,
        }
    }

    /// The word in the vault, the log and the consent record.
    pub fn label(self) -> &'static str {
        match self {
            Self::Father => "father",
            Self::Mother => "mother",
            Self::Spouse => "spouse",
            Self::AdultChild => "adult child",
            Self::Other => "other guardian",
        }
    }

    /// Reads [`Self::label`] back.
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.label() == label)
    }
}

/// Which kind of proof staff looked at. The kind only: no number, no copy, no picture (rules M11, ID1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProofSeen {
    /// 户口簿.
    HouseholdBook,
    /// 出生医学证明.
    BirthCertificate,
    /// 监护证明 (by the neighbourhood committee, the civil-affairs office or a notary).
    GuardianshipPaper,
    /// 法院判决书.
    CourtDecision,
}

impl ProofSeen {
    /// All, in the order of the form.
    pub const ALL: [Self; 4] =
        [Self::HouseholdBook, Self::BirthCertificate, Self::GuardianshipPaper, Self::CourtDecision];

    /// Whether it can prove the guardianship of this person. That an adult needs a guardian follows from a court's decision or from an
    /// appointment, never from a household book (Civil Code 24, 28, 33).
    pub fn fits(self, decider: Decider) -> bool {
        match decider {
            Decider::Own => false,
            Decider::OwnInformed | Decider::ChildsGuardian => true,
            Decider::WardsGuardian => matches!(self, Self::GuardianshipPaper | Self::CourtDecision),
        }
    }

    /// The word in the vault, the log and the consent record.
    pub fn label(self) -> &'static str {
        match self {
            Self::HouseholdBook => "household book",
            Self::BirthCertificate => "birth certificate",
            Self::GuardianshipPaper => "guardianship paper",
            Self::CourtDecision => "court decision",
        }
    }

    /// Reads [`Self::label`] back.
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.label() == label)
    }
}

/// Why a guardian was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardianError {
    /// The name.
    #[error(transparent)]
    Name(#[from] ResidentError),
    /// The phone number is too long or holds something that no number has.
    #[error("the phone number cannot be read")]
    Phone,
    /// An adult who decides alone has no guardian.
    #[error("this person decides alone")]
    NotNeeded,
    /// Such a relation does not make a guardian of this person.
    #[error("this relation does not fit")]
    Role,
    /// This kind of paper does not prove the guardianship of this person.
    #[error("this proof does not fit")]
    Proof,
}

/// A guardian as typed by staff, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardianDraft {
    /// Of whom.
    pub resident: ResidentId,
    /// As typed.
    pub name: PersonName,
    /// What they are to the person.
    pub role: GuardianRole,
    /// Which kind of proof was looked at.
    pub proof: ProofSeen,
    /// Digits, spaces, `+`, `-`; empty when none was given. Needed to tell the guardian of an incident (rule M5), so it may be left out.
    pub phone: String,
}

impl GuardianDraft {
    /// Longest phone number, in characters.
    pub const PHONE_CHARS_MAX: usize = 24;

    /// Checks what was typed for a person about whom `decider` decides.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn parse(
        resident: ResidentId,
        decider: Decider,
        name: &str,
        role: GuardianRole,
        proof: ProofSeen,
        phone: &str,
    ) -> Result<Self, GuardianError> {
        if !decider.needs_guardian() {
            return Err(GuardianError::NotNeeded);
        }
        let name = PersonName::parse(name)?;
        if !role.fits(decider) {
            return Err(GuardianError::Role);
        }
        if !proof.fits(decider) {
            return Err(GuardianError::Proof);
        }
        let phone = phone.trim();
        let readable = phone.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '(' | ')'));
        if !readable || phone.chars().count() > Self::PHONE_CHARS_MAX {
            return Err(GuardianError::Phone);
        }
        Ok(Self { resident, name, role, proof, phone: phone.to_owned() })
    }
}

/// A guardian who was checked in person. Personal: sealed with the key of the person they guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardian {
    /// This check.
    pub id: GuardianId,
    /// Of whom.
    pub resident: ResidentId,
    /// As typed.
    pub name: PersonName,
    /// What they are to the person.
    pub role: GuardianRole,
    /// Which kind of proof was looked at.
    pub proof: ProofSeen,
    /// May be empty.
    pub phone: String,
    /// By which account.
    pub checked_by: StaffId,
    /// When.
    pub checked_at: Timestamp,
}

impl Guardian {
    /// How long a check stands, in hours: the guardian is at the desk in person, so it does not outlast the day's work.
    pub const CHECK_HOURS: i64 = 12;

    /// Whether the guardian was checked a short while ago. A clock that was set back makes it no.
    pub fn is_here(&self, now: Timestamp) -> bool {
        (0..=Self::CHECK_HOURS * 3_600_000).contains(&now.since(self.checked_at))
    }
}

/// What a child or ward answered, on the resident window, in words of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// No: final, whatever anybody else says.
    No,
    /// Yes: the guardian may decide now.
    Yes,
}

impl View {
    /// The word in the log and the consent record.
    pub fn label(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
        }
    }

    /// Days for which a child's or ward's no keeps everybody from asking again, so that nobody is asked until they say yes. A product
    /// rule, after MPL 19 (their own will) and NDR 22(5) (no repeated asking).
    pub const NO_RESTS_DAYS: i64 = 30;
}

/// An answer with where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewHeard {
    /// This answer.
    pub id: ViewId,
    /// Whose.
    pub resident: ResidentId,
    /// The showing of the rules that came before it.
    pub showing: ShowingId,
    /// The answer.
    pub view: View,
}

/// Who gave a consent, and what a guardian said and signed for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Party {
    /// The person alone.
    Own,
    /// The young person; the guardian signed as informed.
    Informed {
        /// Which check of the guardian.
        guardian: GuardianId,
        /// The exact words that the guardian signed (2.6).
        statement: String,
        /// How.
        signature: Signature,
        /// When.
        signed_at: Timestamp,
    },
    /// The guardian of a child; the consent's own signature is the guardian's.
    ForChild(ByGuardian),
    /// The guardian of an adult; the consent's own signature is the guardian's.
    ForWard(ByGuardian),
}

/// A consent that a guardian gave after the person's own yes.
#[derive(Clone, Debug, PartialEq)]
pub struct ByGuardian {
    /// Which check of the guardian.
    pub guardian: GuardianId,
    /// The person's own yes.
    pub view: ViewId,
    /// The whole page as it was shown, with the names in it.
    pub statement: String,
}

impl Party {
    /// Whose decision it was.
    pub fn decider(&self) -> Decider {
        match self {
            Self::Own => Decider::Own,
            Self::Informed { .. } => Decider::OwnInformed,
            Self::ForChild(_) => Decider::ChildsGuardian,
            Self::ForWard(_) => Decider::WardsGuardian,
        }
    }

    /// The guardian, if one took part.
    pub fn guardian(&self) -> Option<GuardianId> {
        match self {
            Self::Own => None,
            Self::Informed { guardian, .. } => Some(*guardian),
            Self::ForChild(by) | Self::ForWard(by) => Some(by.guardian),
        }
    }

    /// The person's own answer, where a guardian consented.
    pub fn view(&self) -> Option<ViewId> {
        match self {
            Self::Own | Self::Informed { .. } => None,
            Self::ForChild(by) | Self::ForWard(by) => Some(by.view),
        }
    }

    /// Whether what a guardian signs besides the consent is signed.
    pub fn is_signed(&self) -> bool {
        match self {
            Self::Informed { signature, .. } => signature.is_given(),
            Self::Own | Self::ForChild(_) | Self::ForWard(_) => true,
        }
    }
}

/// Numbers for the yearly audit of minors' data (rules M6, M7, A-MIN). No names, no ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinorsFigures {
    /// Records of children under fourteen now.
    pub under_14: u32,
    /// Records of young people of fourteen to seventeen now.
    pub from_14_to_17: u32,
    /// Of the first, with a consent in force now.
    pub under_14_enrolled: u32,
    /// Of the second.
    pub from_14_to_17_enrolled: u32,
    /// Consents for minors that were recorded in the year.
    pub consents: u32,
    /// Times that a child or ward said no in the year.
    pub said_no: u32,
    /// Consents that ended on a birthday in the year.
    pub ended_on_birthday: u32,
    /// Guardians checked in the year.
    pub guardians_checked: u32,
    /// Looks of staff at minors' records in the year.
    pub looks: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p31a_who_decides_follows_from_the_band_and_the_guardianship() {
        for (band, ward, decider) in [
            (AgeBand::Under14, false, Decider::ChildsGuardian),
            (AgeBand::Under14, true, Decider::ChildsGuardian),
            (AgeBand::From14To17, false, Decider::OwnInformed),
            (AgeBand::Adult, false, Decider::Own),
            (AgeBand::Adult, true, Decider::WardsGuardian),
        ] {
            assert_eq!(Decider::of(band, ward), decider);
            assert_eq!(decider.needs_guardian(), decider != Decider::Own);
        }
        assert!(Decider::ChildsGuardian.hears_person() && Decider::WardsGuardian.hears_person());
        assert!(!Decider::OwnInformed.hears_person(), "from fourteen the consent is the person's own");
    }

    #[test]
    fn m11_a_guardian_needs_a_relation_and_a_proof_that_fit() {
        let id = ResidentId::from_bytes([1; 16]);
        let parse = |decider, name, role, proof, phone| {
            GuardianDraft::parse(id, decider, name, role, proof, phone).map(|draft| draft.phone)
        };
        use {Decider as D, GuardianError as E, GuardianRole as R, ProofSeen as P};
        let child = D::ChildsGuardian;
        assert_eq!(parse(child, " 王芳 ", R::Mother, P::HouseholdBook, " 138 0000 0000 "), Ok("138 0000 0000".into()));
        assert_eq!(parse(child, "", R::Mother, P::HouseholdBook, ""), Err(E::Name(ResidentError::NameEmpty)));
        assert_eq!(parse(child, "王芳", R::Spouse, P::HouseholdBook, ""), Err(E::Role));
        assert_eq!(parse(child, "王芳", R::Mother, P::BirthCertificate, "call me"), Err(E::Phone));
        assert_eq!(parse(D::Own, "王芳", R::Mother, P::HouseholdBook, ""), Err(E::NotNeeded));
        assert_eq!(parse(D::WardsGuardian, "王芳", R::Spouse, P::HouseholdBook, ""), Err(E::Proof));
        assert_eq!(parse(D::WardsGuardian, "王芳", R::Spouse, P::CourtDecision, ""), Ok(String::new()));
    }

    #[test]
    fn m11_a_check_ends_with_the_day_and_with_a_clock_that_goes_back() {
        let at = Timestamp::from_ms(1_795_276_800_000);
        let guardian = Guardian {
            id: GuardianId::from_bytes([1; 16]),
            resident: ResidentId::from_bytes([2; 16]),
            name: PersonName::parse("王芳").expect("a name"),
            role: GuardianRole::Mother,
            proof: ProofSeen::HouseholdBook,
            phone: String::new(),
            checked_by: StaffId::from_bytes([3; 16]),
            checked_at: at,
        };
        let hours = |h: i64| at.plus_ms(h * 3_600_000);
        assert!(guardian.is_here(at) && guardian.is_here(hours(12)));
        assert!(!guardian.is_here(hours(12).plus_ms(1)) && !guardian.is_here(at.plus_ms(-1)));
    }

    #[test]
    fn labels_read_back() {
        for role in GuardianRole::ALL {
            assert_eq!(GuardianRole::parse(role.label()), Some(role));
        }
        for proof in ProofSeen::ALL {
            assert_eq!(ProofSeen::parse(proof.label()), Some(proof));
        }
    }
}
