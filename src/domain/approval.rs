//! Four eyes: an act that a second person approves, and the proof that they did. Rule: P51-4.

use super::id::{GateId, ResidentId, StaffId};
use super::role::Role;

/// An act that needs a second person. It names what exactly is approved, so that an approval is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A new account of this role.
    AddAccount(Role),
    /// This account is switched off.
    DisableAccount(StaffId),
    /// This account gets another passphrase.
    ResetPassphrase(StaffId),
    /// This gate, known under other keys or stopped, is paired again.
    RepairGate(GateId),
    /// This gate is replaced by another at the same door.
    ReplaceGate(GateId),
    /// The printed recovery key is replaced.
    NewRecoveryKey,
    /// The key of backups is replaced.
    NewBackupKey,
    /// The master key and the files' keys are changed.
    ChangeKeys,
    /// The vault is bound to this computer.
    BindComputer,
    /// The vault is released from this computer.
    ReleaseComputer,
    /// The record of this minor is opened.
    MinorRecord(ResidentId),
    /// The manager leaves: every face of the site ends.
    EndSite,
    /// Templates at every gate get a new transform.
    RenewTemplates,
    /// The site's facts, which the notice is made of, are changed.
    ChangeSite,
    /// This gate is taken out of use: every face there ends.
    RetireGate(GateId),
    /// Faces are taken up again at every gate, or (`Some`) at this one while the whole site is stopped.
    ResumeFaces(Option<GateId>),
    /// The letters of the incident with this number are written: files with the names of everybody concerned.
    IncidentLetters(i64),
    /// The papers at the end of a manager's work are written: files with the names of everybody whose face ended.
    SitePapers,
    /// The log is given away as a file.
    ExportLog,
    /// A gate's random number is put together with the name of the person whose face it is; its first four bytes.
    JoinNumber(u32),
}

impl Act {
    /// The account that the act is done to: its holder does not approve it.
    pub fn account(self) -> Option<StaffId> {
        match self {
            Self::DisableAccount(id) | Self::ResetPassphrase(id) => Some(id),
            Self::AddAccount(_)
            | Self::RepairGate(_)
            | Self::ReplaceGate(_)
            | Self::NewRecoveryKey
            | Self::NewBackupKey
            | Self::ChangeKeys
            | Self::BindComputer
            | Self::ReleaseComputer
            | Self::MinorRecord(_)
            | Self::EndSite
            | Self::RenewTemplates
            | Self::ChangeSite
            | Self::RetireGate(_)
            | Self::ResumeFaces(_)
            | Self::IncidentLetters(_)
            | Self::SitePapers
            | Self::ExportLog
            | Self::JoinNumber(_) => None,
        }
    }

    /// The word in the log. Never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::AddAccount(_) => "add-account",
            Self::DisableAccount(_) => "disable-account",
            Self::ResetPassphrase(_) => "reset-passphrase",
            Self::RepairGate(_) => "repair-gate",
            Self::ReplaceGate(_) => "replace-gate",
            Self::NewRecoveryKey => "new-recovery-key",
            Self::NewBackupKey => "new-backup-key",
            Self::ChangeKeys => "change-keys",
            Self::BindComputer => "bind-computer",
            Self::ReleaseComputer => "release-computer",
            Self::MinorRecord(_) => "minor-record",
            Self::EndSite => "end-site",
            Self::RenewTemplates => "change-gate-transform",
            Self::ChangeSite => "change-site",
            Self::RetireGate(_) => "retire-gate",
            Self::ResumeFaces(_) => "resume-faces",
            Self::IncidentLetters(_) => "incident-letters",
            Self::SitePapers => "site-papers",
            Self::ExportLog => "export-log",
            Self::JoinNumber(_) => "join-number",
        }
    }
}

/// Proof that a supervisor, not the one who acts, typed their passphrase for exactly this act a moment ago.
///
/// Not `Clone`: one approval, one act. Made by the vault only.
///
/// ```compile_fail
/// # use menka::domain::{approval::{Act, Approval}, id::StaffId};
/// let forged = Approval::assert_checked(Act::NewRecoveryKey, StaffId::from_bytes([0; 16]));
/// ```
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub struct Approval {
    act: Act,
    by: StaffId,
}

impl Approval {
    /// Asserts that the second person's slot was opened. One caller: `vault/approvals.rs`.
    pub(crate) fn assert_checked(act: Act, by: StaffId) -> Self {
        Self { act, by }
    }

    /// What was approved.
    pub fn act(&self) -> Act {
        self.act
    }

    /// Spends it on an act; who approved, or `None` when something else was approved.
    pub fn spend(self, act: Act) -> Option<StaffId> {
        (self.act == act).then_some(self.by)
    }
}
