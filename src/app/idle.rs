//! A desk that nobody is at: it says so for ten seconds, then its staff window is shut. Residents can go on withdrawing on their own window, and
//! what the gates must do still reaches them. After a day without anybody the desk closes. Rules: P15a, P25, K2-7, K2-8.
//!
//! The desk counts, not the window: a window that hangs does not keep the desk open. A card that is laid on the reader for staff counts as
//! somebody being there; what happens on the resident window does not: a resident's tap shows nobody of the staff, and the camera counts on
//! one. Whoever helps a resident is warned longer instead, and a capture that has begun comes to its end before the window shuts.

use super::capturing::Trouble;
use super::command::StaffCommand;
use super::desk::Desk;
use super::enroll::Flow;
use super::event::{Failure, StaffEvent};
use super::operators::{OperatorsCommand, OperatorsEvent};
use crate::domain::id::StaffId;
use crate::domain::time::Timestamp;
use crate::secret::Passphrase;
use crate::vault::VaultError;

/// Without anybody at the staff window for so long, it is shut, in milliseconds (product figure of rule P25).
pub const IDLE_LOCK_MS: i64 = 60_000;
/// The same while the recovery sheet is on screen, which takes its time to be copied by hand, in milliseconds; then the desk closes.
pub const SHEET_LOCK_MS: i64 = 300_000;
/// For so long before that, it says so, in milliseconds.
pub const COUNTDOWN_MS: i64 = 10_000;
/// The same while somebody is served on the resident window, in milliseconds: whoever helps them read looks at the other screen.
pub const VISIT_COUNTDOWN_MS: i64 = 30_000;
/// A staff window that stays shut for so long closes the desk, in milliseconds (product figure: one day, the longest contact lease of a gate, so
/// that a desk nobody comes back to stops matching everywhere within two).
pub const CLOSE_AFTER_MS: i64 = 86_400_000;

/// Who is at the staff window, and since when nobody is.
#[derive(Debug, Default)]
pub(super) struct Idle {
    acted_at: Timestamp,
    /// The seconds that were told last.
    told: Option<u8>,
    /// Since when the staff window is shut.
    curtain: Option<Timestamp>,
    /// Somebody waits at the staff window for the command that has the desk's thread.
    waits: bool,
}

impl Desk {
    /// Somebody did something at the staff window.
    pub(super) fn staff_acted(&mut self) {
        self.idle.acted_at = self.moment;
        self.idle.waits = true;
        if self.idle.told.take().is_some() {
            self.tell(OperatorsEvent::LocksIn(None));
        }
    }

    /// A command begins that nobody is known to wait for.
    pub(super) fn nobody_waits(&mut self) {
        self.idle.waits = false;
    }

    /// The last command is done, at `now`: whatever of staff it was, the time that it took is none without anybody at the window, and its
    /// result can be read for as long as any other.
    pub fn command_over(&mut self, now: Timestamp) {
        self.pass_time(now);
        if std::mem::take(&mut self.idle.waits) {
            self.idle.acted_at = self.moment;
        }
    }

    /// Counts down and draws the curtain; closes a desk that nobody comes back to.
    pub(super) fn watch_idle(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_ref() else { return };
        if let Some(since) = self.idle.curtain {
            if !open.flow.is_busy() && self.moment.since(since) >= CLOSE_AFTER_MS {
                self.lock(now);
            }
            return;
        }
        let sheet = self.operators.shows_sheet() || self.keep.shows_sheet();
        let limit_ms = if sheet { SHEET_LOCK_MS } else { IDLE_LOCK_MS };
        let left_ms = limit_ms - self.moment.since(self.idle.acted_at);
        let countdown_ms = if open.flow.is_busy() { VISIT_COUNTDOWN_MS } else { COUNTDOWN_MS };
        if left_ms > countdown_ms {
            return;
        }
        if left_ms <= 0 && open.flow.is_under_way() {
            // Somebody was there when it began, and it ends by itself within its own limits.
            if self.idle.told != Some(0) {
                self.idle.told = Some(0);
                self.tell(OperatorsEvent::LocksIn(Some(0)));
            }
            return;
        }
        if left_ms <= 0 {
            return if sheet { self.lock(now) } else { self.draw_curtain(now) };
        }
        let seconds = u8::try_from((left_ms + 999) / 1_000).unwrap_or(u8::MAX);
        if self.idle.told != Some(seconds) {
            self.idle.told = Some(seconds);
            self.tell(OperatorsEvent::LocksIn(Some(seconds)));
        }
    }

    /// Nothing idle is left over for the next account.
    pub(super) fn idle_anew(&mut self) {
        self.idle = Idle { acted_at: self.moment, waits: self.idle.waits, ..Idle::default() };
    }

    /// Whether the staff window is shut while the resident goes on.
    pub(super) fn is_curtained(&self) -> bool {
        self.idle.curtain.is_some()
    }

    /// Nothing of anybody stays on the staff window; the residents, who did nothing wrong, are not sent away.
    fn draw_curtain(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        open.forget_staff();
        // Face entry is not offered any more.
        open.mark_stale();
        if let Err(error) = open.vault.note_shut(now) {
            tracing::warn!(%error, "that the staff window was shut could not be logged");
        }
        self.operators = super::accounts::Operators::default();
        self.keep.forget();
        self.say_curtain(now);
        self.idle.curtain = Some(self.moment);
        self.idle.told = None;
        self.camera_waits(now);
    }

    /// Somebody shut the window while the camera is on: it goes dark until one of the desk is there again.
    fn camera_waits(&mut self, now: Timestamp) {
        match self.flow() {
            Flow::Capturing(capturing) => {
                self.rest_on(Box::new(capturing.held), Trouble::retry(Failure::NobodyAtDesk), now);
            }
            Flow::Trying(trying) if trying.looking => self.try_later(trying, Some(Failure::NobodyAtDesk), now),
            other => self.set(other),
        }
    }

    /// Who may open the window; the account that shut it comes first.
    fn say_curtain(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_ref() else { return };
        let own = open.vault.operator().0;
        let mut accounts = self.who_may_unlock(now);
        accounts.sort_by_key(|account| account.id != own);
        self.tell(OperatorsEvent::Curtain(accounts));
    }

    /// What is told to a staff window that is shut: how to open it, and that something failed; nothing else, since everything is told again
    /// when it opens.
    pub(super) fn reaches_staff(&self, event: &StaffEvent) -> bool {
        !self.is_curtained()
            || matches!(event, StaffEvent::Operators(OperatorsEvent::Curtain(_)) | StaffEvent::Failed(_))
            || matches!(event, StaffEvent::FirstRun | StaffEvent::Locked { .. })
    }

    /// Behind the curtain nothing is done but opening it, locking, and stopping. Returns the command when it may go on.
    pub(super) fn through_curtain(&mut self, command: StaffCommand, now: Timestamp) -> Option<StaffCommand> {
        if self.open.is_none() {
            return Some(command);
        }
        if !self.is_curtained() {
            if matches!(command, StaffCommand::Shut) {
                self.draw_curtain(now);
                return None;
            }
            return Some(command);
        }
        match command {
            StaffCommand::Unlock { account, passphrase } => self.open_curtain(account, &passphrase, now),
            StaffCommand::Lock => self.lock(now),
            StaffCommand::Shut => {}
            StaffCommand::StopFace => return Some(StaffCommand::StopFace),
            StaffCommand::Operators(OperatorsCommand::Awake) => {}
            // A press that was on its way when the curtain fell.
            other => tracing::debug!(command = super::roles::row(&other).name, "nothing is done behind the curtain"),
        }
        None
    }

    fn open_curtain(&mut self, account: Option<StaffId>, passphrase: &Passphrase, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        let account = account.unwrap_or(open.vault.operator().0);
        match open.vault.hand_over(account, passphrase, now) {
            Ok(()) => {
                self.idle_anew();
                self.say_all(now);
            }
            Err(VaultError::WrongPassphrase { wait_ms } | VaultError::TooSoon { wait_ms }) => {
                self.say_curtain(now);
                self.fail(Failure::WrongPassphrase { wait_ms });
            }
            Err(error) => self.fail(super::desk::failure_of(error)),
        }
    }

    /// Everything the staff window forgot behind the curtain.
    fn say_all(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        open.say_again();
        let gates = open.shared.gates().0;
        self.say_desk();
        let (busy, reader) = (self.busy_shown, self.reader_state.clone());
        self.say(StaffEvent::Gates(gates));
        self.say(StaffEvent::ResidentBusy(busy));
        self.say(StaffEvent::Reader(reader));
        self.say_machine();
        self.say_what_waits(now);
    }

    /// What waits for whoever came in, and who that is: told at the door and when a shut window opens, so that neither can leave out what the
    /// other tells.
    pub(super) fn say_what_waits(&mut self, now: Timestamp) {
        self.show_deletions(now);
        self.show_replacements(now);
        self.show_boards();
        self.tell_head_due(now);
        self.say_entered(now);
        self.advise_new_keys();
        self.tell_looks_due(now);
        self.tell_joins();
    }

    /// Who is at the desk, whose desk it is, and the site's facts.
    pub(super) fn say_desk(&mut self) {
        let Some(open) = self.open.as_ref() else { return };
        let (_, operator) = open.vault.operator();
        let fingerprint: String = open.keys.fingerprint().iter().map(|b| format!("{b:02x}")).collect();
        let facts = open.facts.clone();
        let missing = facts.missing();
        self.say(StaffEvent::Unlocked { operator });
        self.say(StaffEvent::StationFingerprint(fingerprint));
        self.say(StaffEvent::Facts(facts, missing));
    }
}
