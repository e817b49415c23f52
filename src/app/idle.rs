//! A desk that nobody is at: it says so for ten seconds, then locks; while a resident is being served, only the staff window is shut. Rules: P25,
//! K2-7, K2-8.
//!
//! The desk counts, not the window: a window that hangs does not keep the desk open. A card that is laid on the reader for staff counts as
//! somebody being there; what happens on the resident window does not.

use super::command::StaffCommand;
use super::desk::Desk;
use super::event::{Failure, StaffEvent};
use super::operators::{DoorView, OperatorsCommand, OperatorsEvent};
use crate::domain::id::StaffId;
use crate::domain::time::Timestamp;
use crate::secret::Passphrase;
use crate::vault::VaultError;

/// Without anybody at the staff window for so long, it locks, in milliseconds (product figure of rule P25).
pub const IDLE_LOCK_MS: i64 = 60_000;
/// While the recovery sheet is on screen, which takes its time to be copied by hand, in milliseconds.
pub const SHEET_LOCK_MS: i64 = 300_000;
/// For so long before that, it says so, in milliseconds.
pub const COUNTDOWN_MS: i64 = 10_000;

/// Who is at the staff window, and since when nobody is.
#[derive(Debug, Default)]
pub(super) struct Idle {
    acted_at: Timestamp,
    /// The seconds that were told last.
    told: Option<u8>,
    /// The staff window is shut; the resident goes on.
    curtain: bool,
}

impl Desk {
    /// Somebody did something at the staff window.
    pub(super) fn staff_acted(&mut self) {
        self.idle.acted_at = self.moment;
        if self.idle.told.take().is_some() {
            self.tell(OperatorsEvent::LocksIn(None));
        }
    }

    /// Counts down, and locks or draws the curtain.
    pub(super) fn watch_idle(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_ref() else { return };
        let busy = open.flow.is_busy();
        if self.idle.curtain {
            if !busy {
                // The resident is done and nobody came back.
                self.lock(now);
            }
            return;
        }
        let limit_ms =
            if self.operators.shows_sheet() || self.keep.shows_sheet() { SHEET_LOCK_MS } else { IDLE_LOCK_MS };
        let left_ms = limit_ms - self.moment.since(self.idle.acted_at);
        if left_ms > COUNTDOWN_MS {
            return;
        }
        if left_ms <= 0 {
            return if busy { self.draw_curtain() } else { self.lock(now) };
        }
        let seconds = u8::try_from((left_ms + 999) / 1_000).unwrap_or(u8::MAX);
        if self.idle.told != Some(seconds) {
            self.idle.told = Some(seconds);
            self.tell(OperatorsEvent::LocksIn(Some(seconds)));
        }
    }

    /// Nothing idle is left over for the next account.
    pub(super) fn idle_anew(&mut self) {
        self.idle = Idle { acted_at: self.moment, ..Idle::default() };
    }

    /// Whether the staff window is shut while the resident goes on.
    pub(super) fn is_curtained(&self) -> bool {
        self.idle.curtain
    }

    /// Nothing of anybody stays on the staff window; the resident, who did nothing wrong, is not sent away.
    fn draw_curtain(&mut self) {
        let Some(open) = self.open.as_mut() else { return };
        open.close_record();
        let (id, name) = open.vault.operator();
        let role = open.vault.role();
        self.idle.curtain = true;
        self.idle.told = None;
        self.operators = super::accounts::Operators::default();
        self.keep.forget();
        self.tell(OperatorsEvent::Curtain(DoorView { id, name, role, wait_ms: 0 }));
    }

    /// Behind the curtain nothing is done but opening it, locking, and stopping. Returns the command when it may go on.
    pub(super) fn through_curtain(&mut self, command: StaffCommand, now: Timestamp) -> Option<StaffCommand> {
        if !self.idle.curtain || self.open.is_none() {
            return Some(command);
        }
        match command {
            StaffCommand::Unlock { account, passphrase } => self.open_curtain(account, &passphrase, now),
            StaffCommand::Lock => self.lock(now),
            StaffCommand::StopFace => return Some(StaffCommand::StopFace),
            StaffCommand::Operators(OperatorsCommand::Awake) => {}
            // A press that was on its way when the curtain fell.
            other => tracing::debug!(command = super::roles::row(&other).name, "nothing is done behind the curtain"),
        }
        None
    }

    fn open_curtain(&mut self, account: Option<StaffId>, passphrase: &Passphrase, now: Timestamp) {
        let Some(open) = self.open.as_ref() else { return };
        if account.is_some_and(|id| id != open.vault.operator().0) {
            return;
        }
        match open.vault.check_own(passphrase, now) {
            Ok(()) => {
                self.idle_anew();
                self.say_all(now);
            }
            Err(VaultError::WrongPassphrase { wait_ms } | VaultError::TooSoon { wait_ms }) => {
                self.fail(Failure::WrongPassphrase { wait_ms });
            }
            Err(error) => self.fail(super::desk::failure_of(error)),
        }
    }

    /// Everything the staff window forgot behind the curtain.
    fn say_all(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        let (_, operator) = open.vault.operator();
        let fingerprint: String = open.keys.fingerprint().iter().map(|b| format!("{b:02x}")).collect();
        let facts = open.facts.clone();
        let gates = open.shared.gates().0;
        open.say_again();
        let missing = facts.missing();
        let (busy, reader) = (self.busy_shown, self.reader_state.clone());
        self.say(StaffEvent::Unlocked { operator });
        self.say(StaffEvent::StationFingerprint(fingerprint));
        self.say(StaffEvent::Facts(facts, missing));
        self.say(StaffEvent::Gates(gates));
        self.say(StaffEvent::ResidentBusy(busy));
        self.say(StaffEvent::Reader(reader));
        self.say_entered(now);
    }
}
