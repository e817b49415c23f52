//! What a second person is told of the act that they are to approve: whose account, whose record, which gate. An approval of something that
//! was not named is none. Rule: P51-4.

use super::command::StaffCommand;
use super::desk::Desk;
use super::duties::{DutiesCommand, SiteEndCommand};
use super::evidence::EvidenceCommand;
use super::operators::OperatorsCommand;
use super::relay::RelayCommand;
use crate::domain::approval::Act;
use crate::domain::id::{GateId, StaffId};
use crate::domain::role::{JoinWhy, Role};
use crate::domain::time::Timestamp;
use crate::vault::{Vault, VaultError};

/// Whom or what an act is about, in words that the second person knows it by.
#[derive(Clone, PartialEq, Eq)]
pub enum Concerned {
    /// The whole site; the act itself says everything.
    Site,
    /// An account.
    Account {
        /// Shown name.
        name: String,
        /// Its role.
        role: Role,
    },
    /// One resident.
    Person {
        /// Masked as in a search.
        masked: String,
        /// Their unit.
        unit: String,
    },
    /// A gate or a board.
    Gate(String),
    /// An incident.
    Incident {
        /// Its number.
        number: i64,
        /// When it happened.
        happened_at: Timestamp,
    },
    /// Who gets what is given away, and in which case.
    Receiver {
        /// Who.
        name: String,
        /// Their case; may be empty.
        case_number: String,
    },
    /// Why a number is put together with a name.
    Reason(JoinWhy),
}

/// Names stay out of program logs.
impl std::fmt::Debug for Concerned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Site => f.write_str("Site"),
            Self::Account { role, .. } => write!(f, "Account([REDACTED], {})", role.label()),
            Self::Person { .. } => f.write_str("Person([REDACTED])"),
            Self::Gate(name) => write!(f, "Gate({name})"),
            Self::Incident { number, .. } => write!(f, "Incident({number})"),
            Self::Receiver { .. } => f.write_str("Receiver([REDACTED])"),
            Self::Reason(why) => write!(f, "Reason({})", why.label()),
        }
    }
}

impl Desk {
    /// What the second person is told about an act that `command` asks for; `None` when it cannot be read, and then nobody is asked.
    pub(super) fn concerned(&mut self, act: Act, command: &StaffCommand) -> Option<Concerned> {
        match act {
            Act::AddAccount(role) => {
                let StaffCommand::Operators(OperatorsCommand::Add { name, .. }) = command else { return None };
                Some(Concerned::Account { name: name.trim().to_owned(), role })
            }
            Act::DisableAccount(id) | Act::ResetPassphrase(id) => self.vault(|v| account(v, id)),
            Act::RepairGate(gate) | Act::ReplaceGate(gate) | Act::RetireGate(gate) | Act::ResumeFaces(Some(gate)) => {
                self.vault(|v| Ok(Concerned::Gate(gate_name(v, gate)?)))
            }
            Act::MinorRecord(id) => self.vault(|v| {
                let person = v.resident(id)?;
                Ok(Concerned::Person { masked: person.name.masked(), unit: person.unit.as_str().to_owned() })
            }),
            Act::IncidentLetters(number) => self.vault(|v| {
                let case = v.incident_cases()?.into_iter().find(|case| case.number == number);
                let happened_at = case.ok_or(VaultError::Unknown)?.incident.happened_at;
                Ok(Concerned::Incident { number, happened_at })
            }),
            Act::EndSite => {
                let StaffCommand::Duties(DutiesCommand::SiteEnd(SiteEndCommand::End { receiver })) = command else {
                    return None;
                };
                Some(Concerned::Receiver { name: receiver.trim().to_owned(), case_number: String::new() })
            }
            Act::ExportLog => {
                let StaffCommand::Evidence(EvidenceCommand::Export { authority, case_number, .. }) = command else {
                    return None;
                };
                Some(Concerned::Receiver { name: authority.clone(), case_number: case_number.clone() })
            }
            Act::JoinNumber(_) => {
                let StaffCommand::Relay(RelayCommand::WhoseNumber { why, .. }) = command else { return None };
                Some(Concerned::Reason(*why))
            }
            Act::NewRecoveryKey
            | Act::NewBackupKey
            | Act::ChangeKeys
            | Act::BindComputer
            | Act::ReleaseComputer
            | Act::RenewTemplates
            | Act::ChangeSite
            | Act::ResumeFaces(None)
            | Act::SitePapers => Some(Concerned::Site),
        }
    }
}

fn account(vault: &Vault, id: StaffId) -> Result<Concerned, VaultError> {
    let found = vault.accounts()?.into_iter().find(|account| account.id == id && !account.disabled);
    found.map(|a| Concerned::Account { name: a.name, role: a.role }).ok_or(VaultError::Unknown)
}

fn gate_name(vault: &Vault, gate: GateId) -> Result<String, VaultError> {
    let gates = vault.doors_ever()?;
    gates.iter().find(|g| g.id() == gate).map(|g| g.name().to_owned()).ok_or(VaultError::Unknown)
}
