//! Why the vault did not do it. Each variant says who must act; none holds personal data.

use crate::domain::time::Timestamp;
use crate::evidence::EvidenceError;
use crate::evidence::step::Step;
use crate::ports::ChipError;

/// Name of the main file.
pub(super) const MAIN_FILE: &str = "vault.db";
/// Name of the file of the per-person keys.
pub(super) const KEYS_FILE: &str = "keys.db";
/// Name of the file of the epoch secret.
pub(super) const EPOCH_FILE: &str = "epoch.key";
/// Name of the file of the passphrase slots.
pub(super) const SLOTS_FILE: &str = "slots";
/// Name of the file that counts wrong passphrases.
pub(super) const ATTEMPTS_FILE: &str = "attempts";
/// Name of the small file that says that a whole new set of files counts (`swap`).
pub(super) const SWAP_FILE: &str = "swap";
/// Name of the file that keeps a second program out.
pub(super) const LOCK_FILE: &str = "lock";

/// Why the vault did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// No vault in this folder.
    #[error("there is no vault in this folder")]
    Absent,
    /// A vault is there already.
    #[error("there is a vault in this folder already")]
    AlreadyThere,
    /// Another running program holds this vault.
    #[error("the vault is in use by another program")]
    InUse,
    /// The vault is of the other realm. Found in the header, before any key is derived.
    #[error("the vault is of the other realm")]
    OtherRealm,
    /// No slot opens with this passphrase.
    #[error("wrong passphrase; next try in {wait_ms} ms")]
    WrongPassphrase {
        /// Pause before the next try is looked at, in milliseconds.
        wait_ms: i64,
    },
    /// The slot is not as it was written and does not open: the passphrase may well be the right one. Another account, or the recovery key, opens
    /// the vault and gives this account a new slot.
    #[error("this account's entry in the slots file is damaged")]
    SlotDamaged,
    /// The pause after wrong passphrases is not over; nothing was tried.
    #[error("too soon; next try in {wait_ms} ms")]
    TooSoon {
        /// What is left of the pause, in milliseconds.
        wait_ms: i64,
    },
    /// A new passphrase is shorter than [`crate::secret::Passphrase::CHARS_MIN`].
    #[error("the passphrase is too short")]
    PassphraseTooShort,
    /// The Argon2id cost is out of range.
    #[error("the cost of the key derivation is out of range")]
    CostWrong,
    /// A file is damaged, or does not belong to the others: support must restore it.
    #[error("{file} is damaged")]
    Corrupt {
        /// File name inside the data folder.
        file: String,
    },
    /// The file of the persons' keys is from before an erasure: what opened it was destroyed. The right one, put back in its place, opens.
    #[error("keys.db is older than the last erasure")]
    KeysOlder,
    /// A file was written by a newer version of this program.
    #[error("{file} was written by a newer version")]
    TooNew {
        /// File name inside the data folder.
        file: String,
    },
    /// The disk is full; nothing was half written.
    #[error("the disk is full")]
    DiskFull,
    /// The disk cannot be read or written; nothing was half written.
    #[error("the disk cannot be used: {0:?}")]
    Disk(std::io::ErrorKind),
    /// Another thread writes; try again.
    #[error("the vault is busy")]
    Busy,
    /// SQLite refused a statement for a reason that has no variant of its own: a fault of this program.
    #[error("the database refused a statement (code {0})")]
    Refused(i32),
    /// No such resident, gate, showing, operation or consent.
    #[error("nothing is recorded under this id")]
    Unknown,
    /// The id is used already.
    #[error("this id is used already")]
    IdUsed,
    /// A search without a unit or a card: no list of people is given.
    #[error("a search needs a unit or a card")]
    NeedsUnit,
    /// Another person has the card.
    #[error("another person has this card")]
    CardTaken,
    /// The person has this card already, for these gates and to this day.
    #[error("the person has this card already")]
    CardSame,
    /// The person has no card in force; a card comes first (rule P16).
    #[error("the person has no card in force")]
    CardNeeded,
    /// A gate was heard after the instant at which somebody is said to have switched its face function off.
    #[error("the gate was heard later than it is said to have been switched off")]
    SwitchedOffEarlier {
        /// When it signed last, or said that it matches faces.
        heard_at: Timestamp,
    },
    /// No gate is named.
    #[error("no gate is named")]
    NoGate,
    /// A gate that the consent does not name.
    #[error("the consent does not name this gate")]
    GateNotNamed,
    /// The last day has passed, or lies after the person's own last day.
    #[error("the last day does not fit")]
    EndWrong,
    /// The text does not have the stated SHA-256.
    #[error("the text does not have the stated digest")]
    TextDiffers,
    /// This notice was not shown to this person to its end.
    #[error("this notice was not shown to this person to its end")]
    NoticeNotShown,
    /// Who consented is not who must decide for this person.
    #[error("a minor's or a ward's consent needs the guardian steps")]
    GuardianNeeded,
    /// No guardian of this person was checked in person today.
    #[error("no guardian was checked today")]
    GuardianNotChecked,
    /// The child or ward was not asked, or did not say yes.
    #[error("the person was not asked, or said no")]
    ViewMissing,
    /// The signed paper form was not seen, is used up, or carries other words.
    #[error("the paper form does not fit")]
    FormWrong,
    /// A refusal stands; only the person's own act lifts it.
    #[error("a refusal stands")]
    RefusalStands,
    /// A current consent is there already.
    #[error("a current consent is there already")]
    ConsentThere,
    /// A bad template is still to be erased at a gate; a new one comes after it.
    #[error("the old template is not erased everywhere")]
    OldFaceThere,
    /// The consent is not current: ended, refused since, expired, or without a card in force.
    #[error("the consent is not current")]
    ConsentNotCurrent,
    /// The consent record's JSON does not state what the draft states.
    #[error("the consent record does not state what was agreed")]
    RecordDiffers,
    /// The manager whom the facts name has left: faces stay off until another one is named.
    #[error("the manager has left")]
    ManagerLeft,
    /// A request was decided, or is done, already.
    #[error("the request is decided already")]
    RequestDecided,
    /// A request is not decided yet.
    #[error("the request is not decided yet")]
    RequestUndecided,
    /// The site file is not as this station signed it: its facts are not used until staff write them again.
    #[error("the site file is not as this station signed it")]
    SiteFileRefused,
    /// A registered assessment is not as this station signed it.
    #[error("the registry of assessments is not as this station signed it")]
    RegistryRefused,
    /// What is kept of a showing does not pass its own check; which step fails.
    #[error("what was shown cannot be shown again as it was: {}", .0.code())]
    NotAsShown(Step),
    /// No room for another account.
    #[error("no room for another account")]
    AccountsFull,
    /// The account is switched off.
    #[error("the account is switched off")]
    AccountDisabled,
    /// Another account has this name.
    #[error("another account has this name")]
    NameTaken,
    /// The name of an account is empty or too long.
    #[error("the name of an account is empty or too long")]
    NameWrong,
    /// Not on one's own account.
    #[error("not on one's own account")]
    OwnAccount,
    /// The last active supervisor stays.
    #[error("the last active supervisor stays")]
    LastSupervisor,
    /// A second person must approve this act first.
    #[error("a second person must approve this first")]
    ApprovalNeeded,
    /// Everything held was asked for by staff, of a record that they have not opened.
    #[error("the record is not open")]
    RecordShut,
    /// This account cannot approve: the one who acts, not a supervisor, switched off, or without training on record.
    #[error("this account cannot approve")]
    NotAnApprover,
    /// A day that lies in the future or is no day of this account's service.
    #[error("the day does not fit")]
    DayWrong,
    /// No key for backups was made yet.
    #[error("there is no backup key yet")]
    BackupKeyMissing,
    /// There is no backup of this program in this folder.
    #[error("this folder holds no backup")]
    NotABackup,
    /// The backup was changed or is not whole.
    #[error("the backup is damaged")]
    BackupDamaged,
    /// The backup opens by another key.
    #[error("this is not the key of this backup")]
    WrongBackupKey,
    /// No gate gave the other half of the backup's keys.
    #[error("no gate gave what the backup opens with")]
    KeptNowhere,
    /// No gate is paired that could keep the other half of a backup's keys.
    #[error("no gate is paired that could keep what a backup opens with")]
    NoKeeper,
    /// The backup is of another site than the vault that is there.
    #[error("this backup is of another site")]
    OtherSite,
    /// The tree of keys was dealt anew since this backup was made: it cannot be opened any more.
    #[error("this backup is too old to be opened")]
    BackupVoid,
    /// A slot is of an older shape: its account must log in once before the master key can be changed.
    #[error("an account must log in once before the keys are changed")]
    SlotsOld,
    /// The security chip that the passphrases are bound to is not in this computer, or a chip did not do its part.
    #[error(transparent)]
    Chip(#[from] ChipError),
    /// No printed recovery key was put away: without one a dead mainboard would lose the vault.
    #[error("a recovery key must be put away first")]
    RecoveryKeyNeeded,
    /// A document could not be signed.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl VaultError {
    /// Whether it may be the fault of one row: what that row stands for cannot be read, and the rows beside it can.
    pub fn is_of_a_row(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Unknown)
    }

    /// A damaged file.
    pub(super) fn corrupt(file: &str) -> Self {
        Self::Corrupt { file: file.to_owned() }
    }

    /// Puts a database error of `file` into our words.
    pub(super) fn of(file: &str, error: &rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        use rusqlite::ErrorCode as C;
        let E::SqliteFailure(failure, _) = error else {
            return match error {
                E::QueryReturnedNoRows => Self::Unknown,
                // A value of the wrong shape in a table that only we write.
                E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..) => {
                    Self::corrupt(file)
                }
                _ => Self::Refused(-1),
            };
        };
        match failure.code {
            C::NotADatabase | C::DatabaseCorrupt => Self::corrupt(file),
            C::DiskFull => Self::DiskFull,
            C::DatabaseBusy | C::DatabaseLocked => Self::Busy,
            // The shared index of the write-ahead log could not grow: the same full disk, seen by another call.
            C::SystemIoFailure if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Self::DiskFull,
            // A file shorter than its header says.
            C::SystemIoFailure if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ => {
                Self::corrupt(file)
            }
            C::SystemIoFailure => Self::Disk(std::io::ErrorKind::Other),
            C::CannotOpen | C::PermissionDenied => Self::Disk(std::io::ErrorKind::PermissionDenied),
            C::ReadOnly => Self::Disk(std::io::ErrorKind::ReadOnlyFilesystem),
            _ => Self::Refused(failure.extended_code),
        }
    }
}

impl From<rusqlite::Error> for VaultError {
    /// Errors of the main file; those of `keys.db` go through [`VaultError::of`].
    fn from(error: rusqlite::Error) -> Self {
        Self::of(MAIN_FILE, &error)
    }
}

impl From<std::io::Error> for VaultError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            kind => Self::Disk(kind),
        }
    }
}
