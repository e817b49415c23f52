//! What is logged of staff accounts. Ids and labels only, as everything in the log.

use super::approval::Act;
use super::id::StaffId;
use super::role::Role;

/// What happened to an account, or through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// A new account, with its role.
    Added(StaffId, Role),
    /// Switched off.
    Disabled(StaffId),
    /// Its holder chose another passphrase.
    PassphraseChanged(StaffId),
    /// A supervisor gave it another passphrase.
    PassphraseReset(StaffId),
    /// A training was recorded.
    Trained(StaffId),
    /// The internal rules were read to the end and signed.
    RulesSigned(StaffId),
    /// A second person approved an act of this account.
    Approved(StaffId, Act),
    /// An act that needs a second person was done alone, since the site has no second supervisor yet.
    DoneAlone(StaffId, Act),
    /// A recovery key was made; an earlier one is void.
    RecoveryKeyMade,
    /// The recovery key was used to give this account another passphrase.
    RecoveryKeyUsed(StaffId),
    /// A command was refused for the account's role; which command.
    ActRefused(&'static str),
    /// A command was refused since the account's training or undertaking is not on record.
    NotTrained(&'static str),
    /// The weekly sheet of looks was looked at.
    LooksSeen,
}

impl AccountEvent {
    /// Word, ids and label for the log. Words are part of the format: never reuse one for something else.
    pub fn words(&self) -> (&'static str, Vec<String>, Option<&'static str>) {
        let one = |id: &StaffId| vec![id.to_string()];
        match self {
            Self::Added(id, role) => ("account-added", one(id), Some(role.label())),
            Self::Disabled(id) => ("account-disabled", one(id), None),
            Self::PassphraseChanged(id) => ("passphrase-changed", one(id), None),
            Self::PassphraseReset(id) => ("passphrase-reset", one(id), None),
            Self::Trained(id) => ("trained", one(id), None),
            Self::RulesSigned(id) => ("rules-signed", one(id), None),
            Self::Approved(id, act) => ("approved", one(id), Some(act.label())),
            Self::DoneAlone(id, act) => ("done-alone", one(id), Some(act.label())),
            Self::RecoveryKeyMade => ("recovery-key-made", vec![], None),
            Self::RecoveryKeyUsed(id) => ("recovery-key-used", one(id), None),
            Self::ActRefused(command) => ("act-refused", vec![], Some(command)),
            Self::NotTrained(command) => ("not-trained", vec![], Some(command)),
            Self::LooksSeen => ("looks-sheet-seen", vec![], None),
        }
    }
}
