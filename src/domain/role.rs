//! What a staff account is for, and why a record is looked at. Rules: P51-4, L2.

/// The role of a staff account. One account has one role; nobody changes their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// 前台: residents and cards.
    FrontDesk,
    /// 主管: also the site's facts, gates, accounts and approvals.
    Supervisor,
    /// 技术员: the state of gates and of the machine; sees no people.
    Technician,
    /// 审计员: the log and the sheets only.
    Auditor,
}

impl Role {
    /// All, in the order of the pages.
    pub const ALL: [Self; 4] = [Self::FrontDesk, Self::Supervisor, Self::Technician, Self::Auditor];

    /// The word in files and in the log. Never shown, never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::FrontDesk => "front-desk",
            Self::Supervisor => "supervisor",
            Self::Technician => "technician",
            Self::Auditor => "auditor",
        }
    }

    /// Reads a label back.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.label() == label)
    }

    /// Whether this role may see a person's record.
    pub fn sees_people(self) -> bool {
        match self {
            Self::FrontDesk | Self::Supervisor => true,
            Self::Technician | Self::Auditor => false,
        }
    }
}

/// Why a member of staff opens a record; written to the log, counted on the weekly sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookWhy {
    /// The resident is here.
    Here,
    /// A card is to be issued, replaced or ended.
    Card,
    /// A request by phone or letter.
    Request,
    /// Something else: looked at more closely on the weekly sheet.
    Other,
}

impl LookWhy {
    /// The reasons in the order of the page.
    pub const ALL: [Self; 4] = [Self::Here, Self::Card, Self::Request, Self::Other];

    /// The word in the log. Never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Card => "card",
            Self::Request => "request",
            Self::Other => "other",
        }
    }
}

/// Why a person's name is put together with the random number by which gates know that person's face. Written to the log, counted on the
/// weekly sheet, and said on every staff page until a supervisor has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JoinWhy {
    /// A gate is to be put right.
    Repair,
    /// A resident complains of what a gate did.
    Complaint,
    /// An authority asks, in writing.
    Authority,
    /// The person's own copy of everything held, made by staff.
    Copy,
    /// The person's own deletion certificate, saved by staff.
    Certificate,
}

impl JoinWhy {
    /// What a supervisor may choose from; the others come with a paper that is the person's own.
    pub const CHOICES: [Self; 3] = [Self::Repair, Self::Complaint, Self::Authority];
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Repair, Self::Complaint, Self::Authority, Self::Copy, Self::Certificate];

    /// The word in the log. Never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::Repair => "join-repair",
            Self::Complaint => "join-complaint",
            Self::Authority => "join-authority",
            Self::Copy => "join-copy",
            Self::Certificate => "join-certificate",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_stable_and_read_back() {
        let labels = Role::ALL.map(Role::label);
        assert_eq!(labels, ["front-desk", "supervisor", "technician", "auditor"]);
        assert!(Role::ALL.into_iter().all(|role| Role::from_label(role.label()) == Some(role)));
        assert_eq!(Role::from_label("Supervisor"), None);
        assert_eq!(LookWhy::ALL.map(LookWhy::label), ["here", "card", "request", "other"]);
    }
}
