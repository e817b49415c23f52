//! What is read of a machine, before anybody judges it.

use crate::domain::time::Timestamp;

/// Something that was read from the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// Read by a means that a test has shown to work.
    Seen(T),
    /// Read by a means that was never run on such a system: it may convict, it cannot acquit.
    Unverified(T),
    /// Could not be read.
    Unread,
}

impl<T> Reading<T> {
    /// What was read, if anything.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Seen(value) | Self::Unverified(value) => Some(value),
            Self::Unread => None,
        }
    }

    pub(super) fn is_proven(&self) -> bool {
        matches!(self, Self::Seen(_))
    }
}

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HelperKind {
    /// Made so that somebody elsewhere sees or moves this desktop.
    RemoteHelp,
    /// A part of the desktop, or a meeting program, that can share the screen once it is switched on.
    Sharing,
    /// A remote shell.
    RemoteShell,
}

/// How a program was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HelperSeen {
    /// Its files, service or menu entry are there.
    Installed,
    /// It starts by itself.
    Enabled,
    /// A process of it runs.
    Runs,
    /// Its usual port is open.
    Listens,
}

/// A program through which somebody elsewhere could look at this desk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Helper {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub kind: HelperKind,
    /// How it was noticed.
    pub seen: HelperSeen,
}

/// Where bytes of the data folder come to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Every block device below it is encrypted.
    Encrypted,
    /// Memory: gone with the power.
    Memory,
    /// A device that is not encrypted, by its name.
    Plain(String),
}

/// How one can log in to the operating system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// Accounts that need no password at all.
    pub without_password: u32,
    /// Whether the account that runs the desk has a password.
    pub own_has_password: bool,
    /// Programs that log somebody in by themselves.
    pub automatic: Vec<String>,
}

/// Stands between the place of a camera and its serial number.
pub const SERIAL: &str = " serial ";

/// A camera as the operating system lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CameraSeen {
    /// What its maker calls it.
    pub name: String,
    /// Stable while it stays in its socket; then [`SERIAL`] and the device's own number, where it states one.
    pub place: String,
    /// Not a device but a program that plays pictures.
    pub is_virtual: bool,
}

/// Who else may reach the files of the vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileAccess {
    /// Files and folders that other accounts may read or write.
    pub open_to_others: u32,
    /// Files and folders that belong to another account.
    pub of_others: u32,
}

/// Everything that one look at the machine brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineFacts {
    /// Name and version of the operating system.
    pub system: String,
    /// Interfaces (or route tables) that lead beyond private addresses.
    pub routes_out: Reading<Vec<String>>,
    /// Addresses of this machine that are reachable from the internet.
    pub public_addresses: Reading<Vec<String>>,
    /// Programs through which somebody elsewhere could look.
    pub helpers: Reading<Vec<Helper>>,
    /// Where the data folder lies.
    pub data_disk: Reading<Storage>,
    /// Swap areas that are not encrypted.
    pub plain_swaps: Reading<Vec<String>>,
    /// How one logs in.
    pub login: Reading<Login>,
    /// Whether the screen locks by itself.
    pub screen_locks: Reading<bool>,
    /// Cameras.
    pub cameras: Reading<Vec<CameraSeen>>,
    /// Milliseconds since the machine was started, also through sleep; not moved by setting the clock.
    pub uptime_ms: Reading<i64>,
    /// Bytes free for the vault.
    pub free_bytes: Reading<u64>,
    /// Who else may reach the vault's files.
    pub files: Reading<FileAccess>,
}

impl MachineFacts {
    /// Nothing could be read.
    pub fn unread() -> Self {
        Self {
            system: String::new(),
            routes_out: Reading::Unread,
            public_addresses: Reading::Unread,
            helpers: Reading::Unread,
            data_disk: Reading::Unread,
            plain_swaps: Reading::Unread,
            login: Reading::Unread,
            screen_locks: Reading::Unread,
            cameras: Reading::Unread,
            uptime_ms: Reading::Unread,
            free_bytes: Reading::Unread,
            files: Reading::Unread,
        }
    }
}

/// What the desk knew before this look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The clock.
    pub now: Timestamp,
    /// When the newest record of the evidence log was written.
    pub latest_record: Option<Timestamp>,
    /// When the machine was started, reckoned by the clock at the first look of this session.
    pub booted_at: Option<Timestamp>,
    /// The cameras that the vault knows; `None` before its first look.
    pub cameras: Option<Vec<CameraSeen>>,
}
