//! What is logged of backups and keys.

/// What happened to backups and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepEvent {
    /// A backup key was made; backups from here on open by it.
    BackupKeyMade,
    /// A backup was made and read back.
    BackedUp,
    /// A drill restored a backup into a scratch place.
    Drilled,
    /// A backup was put in the vault's place; the log goes on under another name.
    Restored,
    /// The master key and the files' keys were changed.
    KeysChanged,
    /// Accounts' passphrases open the vault on this computer only.
    ComputerBound,
    /// They open it on any computer again.
    ComputerReleased,
}

impl KeepEvent {
    /// The word in the log. Never changed.
    pub fn label(self) -> &'static str {
        match self {
            Self::BackupKeyMade => "backup-key-made",
            Self::BackedUp => "backed-up",
            Self::Drilled => "backup-drilled",
            Self::Restored => "backup-restored",
            Self::KeysChanged => "keys-changed",
            Self::ComputerBound => "computer-bound",
            Self::ComputerReleased => "computer-released",
        }
    }
}
