//! What is logged of backups and keys.

use super::id::StaffId;

/// What happened to backups and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepEvent {
    /// A backup key was made; backups from here on open by it.
    BackupKeyMade,
    /// A backup was made and read back.
    BackedUp,
    /// A drill restored a backup into a scratch place.
    Drilled,
    /// A drill could not restore one, or what it restored did not read back whole.
    DrillFailed,
    /// A backup was put in the vault's place; the log goes on under another name.
    Restored,
    /// A gate that was not heard at a restore has answered: what it keeps ended again.
    EndedAgain,
    /// A supervisor of the vault that was there allowed the restore, or its printed recovery key did.
    RestoreAllowed(Option<StaffId>),
    /// The master key and the files' keys were changed.
    KeysChanged,
    /// Accounts' passphrases open the vault on this computer only.
    ComputerBound,
    /// They open it on any computer again.
    ComputerReleased,
}

impl KeepEvent {
    /// Whom it names, and a word beside it.
    pub fn about(self) -> (Vec<String>, Option<&'static str>) {
        match self {
            Self::RestoreAllowed(Some(who)) => (vec![who.to_string()], None),
            Self::RestoreAllowed(None) => (vec![], Some("recovery-key")),
            _ => (vec![], None),
        }
    }

    /// The word in the log. Never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::BackupKeyMade => "backup-key-made",
            Self::BackedUp => "backed-up",
            Self::Drilled => "backup-drilled",
            Self::DrillFailed => "backup-drill-failed",
            Self::Restored => "backup-restored",
            Self::EndedAgain => "ended-again",
            Self::RestoreAllowed(_) => "restore-allowed",
            Self::KeysChanged => "keys-changed",
            Self::ComputerBound => "computer-bound",
            Self::ComputerReleased => "computer-released",
        }
    }
}
