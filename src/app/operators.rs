//! What is asked and told about staff accounts. What is done about it is in `accounts.rs` beside this file.

use std::path::PathBuf;
use std::sync::Arc;

use super::command::FactText;
pub use super::concerned::Concerned;
use crate::domain::approval::Act;
use crate::domain::id::StaffId;
use crate::domain::notice::Language;
use crate::domain::role::Role;
use crate::domain::time::CivilDate;
use crate::domain::training::Standing;
use crate::notice::Rendered;
use crate::secret::{Passphrase, RecoveryKeyFault, Typed};

/// What the staff window may ask about accounts.
#[derive(Debug)]
pub enum OperatorsCommand {
    /// The accounts.
    Show,
    /// A new account, with the training that the supervisor attests. Needs a second person.
    Add {
        /// Shown name.
        name: String,
        /// Its role.
        role: Role,
        /// Typed by its holder.
        passphrase: Passphrase,
        /// Day of the training, as typed.
        trained_on: String,
    },
    /// Switches an account off. Needs a second person.
    Disable(StaffId),
    /// Gives an account another passphrase, typed by its holder. Needs a second person.
    Reset(StaffId, Passphrase),
    /// Records a training; the day as typed.
    Trained(StaffId, String),
    /// Changes one's own passphrase: the old one, the new one.
    ChangePassphrase(Passphrase, Passphrase),
    /// The internal rules, to be read and signed.
    ReadRules(Language),
    /// Their end was on screen.
    RulesReachedEnd,
    /// Signs them, and the undertaking of confidentiality, with one's name.
    SignRules(String),
    /// A second person approves what was asked.
    Approve(StaffId, Passphrase),
    /// What was asked is dropped.
    ApproveNot,
    /// Makes a new recovery key. Needs a second person.
    NewRecoveryKey,
    /// Writes the recovery sheet as a PDF while its page is open.
    SaveRecoverySheet(PathBuf, Language),
    /// The recovery key was written down and put away.
    RecoveryKept,
    /// Opens the desk by the printed recovery key and gives a supervisor's account another passphrase.
    Recover(StaffId, Typed, Passphrase),
    /// Looks at records, by account, of the week so many weeks ago.
    ShowLooks(u8),
    /// The same as a PDF.
    SaveLooks(u8, PathBuf, Language),
    /// Somebody is at the staff window.
    Awake,
}

/// An account on the lock screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorView {
    /// Which.
    pub id: StaffId,
    /// Shown name; empty while only the vault knows it.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// What is left of its pause, in milliseconds.
    pub wait_ms: i64,
}

/// An account on the supervisor's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Which.
    pub id: StaffId,
    /// Shown name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Switched off.
    pub disabled: bool,
    /// The account that is logged in.
    pub own: bool,
    /// Day of the last training.
    pub trained_on: Option<CivilDate>,
    /// Day of the last signature.
    pub signed_on: Option<CivilDate>,
    /// Whether it may work today.
    pub standing: Standing,
    /// In use, and without a slot in the slots file: somebody took it out.
    pub slot_missing: bool,
}

/// One line of the sheet of looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooksRow {
    /// Shown name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// By a card on the reader.
    pub taps: u32,
    /// By reason, in the order of [`LookWhy::ALL`].
    pub by_why: [u32; 4],
    /// All.
    pub all: u32,
    /// Different people.
    pub people: u32,
    /// Everything held, or what was shown to somebody, shown in full or handed out.
    pub given: u32,
    /// Requests opened.
    pub requests: u32,
    /// Searches.
    pub searches: u32,
    /// A name put together with the number that gates know.
    pub joined: u32,
    /// Files about many: letters of an incident, papers at the end of a manager's work, the log.
    pub bulk: u32,
}

/// What the desk tells about accounts.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorsEvent {
    /// Who may unlock.
    AtTheDoor(Vec<DoorView>),
    /// Somebody is in: their role, and whether they may work.
    Entered {
        /// What the account may do.
        role: Role,
        /// Whether it may work today.
        standing: Standing,
    },
    /// The accounts; `approvers` is how many others could approve an act now.
    Accounts(Vec<AccountView>, usize),
    /// An act needs one of these people.
    ApprovalAsked {
        /// What.
        act: Act,
        /// By whom.
        by: Vec<(StaffId, String)>,
        /// Whose account or record, which gate.
        about: Concerned,
    },
    /// What of the site's facts would be changed by the act that waits: the second person sees the new words.
    ApprovalAbout(Vec<FactText>),
    /// The second person's passphrase was wrong; the next try is possible after this many milliseconds.
    ApprovalRefused {
        /// Pause in milliseconds.
        wait_ms: i64,
    },
    /// Nothing waits for an approval any more.
    ApprovalOver,
    /// The recovery key, for the page that shows it once. With the preview, the one secret that goes to a window.
    RecoverySheet(Typed),
    /// The recovery key is put away.
    RecoverySheetOver,
    /// The internal rules.
    Rules(Arc<Rendered>),
    /// An account was changed; which way.
    Done(AccountChange),
    /// The sheet of looks.
    Looks {
        /// How many weeks ago.
        weeks: u8,
        /// First day.
        from: CivilDate,
        /// Last day.
        until: CivilDate,
        /// One row an account.
        rows: Vec<LooksRow>,
    },
    /// How often a name was put together with a gate's number since a supervisor looked, and on which day first; `None`: never.
    Joins(Option<(u32, CivilDate)>),
    /// The oldest week that is over and whose sheet of looks no supervisor has looked at yet.
    LooksDue(Option<LooksWeek>),
    /// Names of accounts in use whose slot is not in the slots file any more; empty when all are there.
    SlotsMissing(Vec<String>),
    /// A paper was written to this path.
    PaperSaved(String),
    /// The desk locks in so many seconds unless somebody moves, 0: as soon as the camera is dark; `None`: no longer.
    LocksIn(Option<u8>),
    /// The staff window is shut while residents and gates go on; these accounts may open it, first the one that shut it.
    Curtain(Vec<DoorView>),
}

/// A week whose sheet of looks waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LooksWeek {
    /// Its Monday.
    pub from: CivilDate,
    /// How many weeks ago.
    pub weeks: u8,
}

/// What was done to an account, for the line under the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// Added.
    Added,
    /// Switched off.
    Disabled,
    /// Another passphrase.
    PassphraseChanged,
    /// A training was recorded.
    Trained,
    /// The rules are signed.
    RulesSigned,
}

/// What went wrong with accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorsFailure {
    /// This account may not work today.
    NotTrained(Standing),
    /// The account is switched off, or gone.
    AccountOff,
    /// No room for another account.
    AccountsFull,
    /// The name is empty or too long.
    NameWrong,
    /// Another account has this name.
    NameTaken,
    /// The last active supervisor stays.
    LastSupervisor,
    /// Not on one's own account.
    OwnAccount,
    /// The day is not readable, in the future, or more than a year ago.
    DayWrong,
    /// A second person must approve, and there is none.
    NobodyToApprove,
    /// The only other supervisor is the one whom it would be done to.
    OnlyTheOneConcerned,
    /// This account cannot approve.
    NotAnApprover,
    /// The typed recovery key is not one.
    RecoveryKey(RecoveryKeyFault),
    /// No recovery key is in force, or the account that was chosen is no active supervisor.
    NothingToRecover,
    /// The end of the rules was not on screen.
    RulesNotRead,
}
