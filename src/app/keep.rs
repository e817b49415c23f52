//! Backups and keys at the desk: the backup key, making a backup, the drill, restoring, changing the master key. Rules:
//! P47, P56, P51-4, K2-7.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::command::StaffCommand;
use super::desk::{Desk, failure_of};
use super::event::{Failure, StaffEvent};
use crate::domain::approval::{Act, Approval};
use crate::domain::id::StaffId;
use crate::domain::notice::Language;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::notice::{Text, Values};
use crate::ports::ChipError;
use crate::secret::{Passphrase, RecoveryKey, RecoveryKeyFault, Typed};
pub use crate::vault::{BackupReport, BackupRow, Cut, RESTORERS, RestoreReport};
use crate::vault::{Restorers, Restoring, Vault, VaultError};
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{Refusal, Reply, Request};

/// Longest wait for one gate's half of a backup's keys.
const KEPT_LIMIT: Duration = Duration::from_millis(3_000);
/// Longest wait for the courier to end before the keys are changed, in milliseconds.
const ALONE_MS: i64 = 20_000;
/// Backups that the page shows.
const ROWS: u32 = 5;

/// What the staff window may ask about backups and keys.
#[derive(Debug)]
pub enum KeepCommand {
    /// How things stand.
    Show,
    /// Makes a backup key. Needs a second person when there is one already.
    NewKey,
    /// Writes the sheet with the key as a PDF while its page is open.
    SaveSheet(PathBuf, Language),
    /// The sheet was put away.
    SheetKept,
    /// Makes a backup below this folder, and reads it back.
    BackUp(PathBuf),
    /// Tries whether the backup in this folder can be restored by the key.
    Drill(PathBuf, Typed),
    /// Restores the backup in this folder. From the lock screen or the first run only; where a vault is there, its supervisors allow it.
    Restore(PathBuf, Typed, RestoreBy),
    /// Changes the master key and the files' keys. Needs a second person.
    ChangeKeys,
    /// Binds the vault to this computer's security chip. Needs a second person.
    BindComputer,
    /// Releases it. Needs a second person.
    ReleaseComputer,
}

/// Who allows that a vault is put aside for a backup.
#[derive(Debug, Default)]
pub struct RestoreBy {
    /// Supervisors of that vault.
    pub supervisors: Vec<(StaffId, Passphrase)>,
    /// Its printed recovery key, in their place.
    pub recovery: Option<Typed>,
}

/// A gate as a keeper of the backups' other half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeeperView {
    /// Shown name.
    pub name: String,
    /// Whether it keeps the newest; `None`: nothing yet.
    pub newest: Option<bool>,
}

/// Whether the accounts' passphrases open the vault on this computer only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputerView {
    /// This computer has no security chip that answers.
    #[default]
    NoChip,
    /// They open it on any computer; here is a chip that it could be bound to.
    Free,
    /// On this one only.
    Bound,
}

/// How things stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepView {
    /// When the backup key was made.
    pub key_made_at: Option<Timestamp>,
    /// The last backups, the newest first.
    pub backups: Vec<BackupRow>,
    /// Gates that keep what backups open with.
    pub keepers: Vec<KeeperView>,
    /// When the master key was changed last.
    pub keys_changed_at: Option<Timestamp>,
    /// Since when this vault is a restored one.
    pub restored_at: Option<Timestamp>,
    /// Gates that have not been heard since then, by name.
    pub unheard: Vec<String>,
    /// Whether new keys should be dealt: the recovery key was used without the chip that the vault was bound to.
    pub keys_advised: bool,
    /// Whether it is bound to this computer.
    pub computer: ComputerView,
}

/// What the desk tells about backups and keys.
#[derive(Clone, Debug, PartialEq)]
pub enum KeepTold {
    /// How things stand.
    View(Box<KeepView>),
    /// The backup key, for the page that shows it once.
    Sheet(Typed),
    /// The sheet is put away.
    SheetOver,
    /// The sheet was written to this path.
    SheetSaved(String),
    /// A backup was made and read back.
    BackedUp(BackupReport),
    /// A drill restored a backup.
    Drilled(RestoreReport),
    /// A gate that was not heard at the restore, by its name, has answered: what it knew of ended again.
    HeardLate(String, RestoreReport),
    /// A backup was restored; whoever has an account of that time logs in.
    Restored(RestoreReport),
    /// The keys are being changed; the desk is locked meanwhile.
    Changing,
    /// The keys were changed for so many accounts.
    Changed(usize),
    /// The vault is bound to this computer.
    Bound,
    /// It is bound no more.
    Released,
    /// The recovery key was used without the chip: new keys should be dealt.
    KeysAdvised,
}

/// What went wrong with backups or keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepFailure {
    /// No backup key yet.
    NoKey,
    /// No gate is paired that could keep the other half.
    NoGate,
    /// There is no backup in this folder.
    NotABackup,
    /// It is of another site than the vault that is there.
    OtherSite,
    /// Its supervisors have not allowed it.
    NotAllowed,
    /// The backup is damaged.
    Damaged,
    /// It opens by another key.
    WrongKey,
    /// The typed key is not one.
    Key(RecoveryKeyFault),
    /// No gate gave the other half.
    KeptNowhere,
    /// The backup is too old.
    Void,
    /// An account must log in once before.
    SlotsOld,
    /// A resident is being served.
    Serving,
    /// The desk must be locked first.
    NotLocked,
    /// The courier did not end in time.
    Busy,
    /// No security chip answers in this computer.
    ChipMissing,
    /// The vault is bound to another computer's chip.
    ChipOther,
    /// The chip refused.
    ChipRefused,
    /// A printed recovery key must be put away first.
    NoRecoveryKey,
}

/// What the desk holds for it.
#[derive(Default)]
pub(super) struct Keep {
    /// The backup key while its page is open.
    sheet: Option<RecoveryKey>,
    /// The keys are to be changed as soon as this is the only connection; since when.
    changing: Option<(Vault, Approval, Timestamp)>,
    /// What gates that were heard late knew of, until somebody is at the staff window who can read it.
    late: Vec<KeepTold>,
}

impl Keep {
    /// Whether a key is on screen.
    pub(super) fn shows_sheet(&self) -> bool {
        self.sheet.is_some()
    }

    /// Nothing is left over for the next account.
    pub(super) fn forget(&mut self) {
        self.sheet = None;
    }
}

impl Desk {
    pub(super) fn handle_keep(&mut self, command: KeepCommand, now: Timestamp) {
        match command {
            KeepCommand::Show => self.show_keep(),
            KeepCommand::NewKey => self.new_backup_key(now),
            KeepCommand::SaveSheet(path, language) => self.save_backup_sheet(&path, language, now),
            KeepCommand::SheetKept => {
                if self.keep.sheet.is_some() && self.vault(|v| v.record_backup_key_kept(now)).is_some() {
                    self.keep.sheet = None;
                    self.tell_keep(KeepTold::SheetOver);
                    self.show_keep();
                }
            }
            // Both take the desk's thread for a while, on which a resident's Stop is heard as well.
            KeepCommand::BackUp(_) | KeepCommand::Drill(..) if self.is_serving() => {
                self.keep_failed(KeepFailure::Serving);
            }
            KeepCommand::BackUp(into) => {
                if let Some(report) = self.vault(|v| v.back_up(&into, now)) {
                    self.tell_keep(KeepTold::BackedUp(report));
                    self.show_keep();
                }
            }
            KeepCommand::Drill(from, typed) => self.drill(&from, &typed, now),
            KeepCommand::Restore(from, typed, by) => self.restore(&from, &typed, by, now),
            KeepCommand::ChangeKeys => self.change_keys(Act::ChangeKeys, KeepCommand::ChangeKeys, now),
            KeepCommand::BindComputer => self.bind_computer(now),
            KeepCommand::ReleaseComputer => {
                self.change_keys(Act::ReleaseComputer, KeepCommand::ReleaseComputer, now);
            }
        }
    }

    fn is_serving(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.flow.is_busy())
    }

    fn tell_keep(&mut self, told: KeepTold) {
        self.say(StaffEvent::Keep(told));
    }

    fn keep_failed(&mut self, failure: KeepFailure) {
        self.fail(Failure::Keep(failure));
    }

    fn show_keep(&mut self) {
        let chip = self.devices.chip.is_there();
        let read = self.vault(|v| {
            let (epochs, unheard) = (v.gate_epochs()?, v.unheard()?);
            let named = |gate: &crate::domain::gate::GateRecord| unheard.contains(&gate.id);
            let unheard = v.gates()?.into_iter().filter(named).map(|gate| gate.name).collect();
            let keeper = |gate: crate::domain::gate::GateRecord| {
                let newest = epochs.iter().find(|kept| kept.gate == gate.id).map(|kept| kept.is_newest);
                KeeperView { name: gate.name, newest }
            };
            Ok(KeepView {
                key_made_at: v.backup_key_made_at()?,
                backups: v.backups(ROWS)?,
                keepers: v.gates()?.into_iter().map(keeper).collect(),
                keys_changed_at: v.keys_changed_at()?,
                restored_at: v.restored_at()?,
                unheard,
                keys_advised: v.new_keys_advised()?,
                computer: match (v.is_bound()?, chip) {
                    (true, _) => ComputerView::Bound,
                    (false, true) => ComputerView::Free,
                    (false, false) => ComputerView::NoChip,
                },
            })
        });
        if let Some(view) = read {
            self.tell_keep(KeepTold::View(Box::new(view)));
        }
    }

    fn new_backup_key(&mut self, now: Timestamp) {
        let again = StaffCommand::Keep(KeepCommand::NewKey);
        let Some((approval, _)) = self.approved(Act::NewBackupKey, again, now) else { return };
        if let Some(key) = self.vault(|v| v.make_backup_key(approval, now)) {
            let shown = key.shown();
            self.keep.sheet = Some(key);
            self.tell_keep(KeepTold::Sheet(shown));
        }
    }

    fn save_backup_sheet(&mut self, path: &Path, language: Language, now: Timestamp) {
        let Some(key) = &self.keep.sheet else { return };
        let site = self.open.as_ref().map(|open| open.vault.site().short()).unwrap_or_default();
        let values: Values = [
            ("backup_key".to_owned(), key.shown().as_str().to_owned()),
            ("made_on".to_owned(), now.minute_text()),
            ("site_id".to_owned(), site),
        ]
        .into();
        match self.write_key(Text::BackupSheet, language, &values, path) {
            Ok(()) => self.tell_keep(KeepTold::SheetSaved(path.display().to_string())),
            Err(why) => self.fail(why),
        }
    }

    fn drill(&mut self, from: &Path, typed: &Typed, now: Timestamp) {
        let Some(key) = self.backup_key(typed) else { return };
        let Some(open) = self.open.as_ref() else { return };
        let begun = open.vault.begin_drill(from, &key);
        let ended = begun.and_then(|mut restoring| {
            let id = restoring.id();
            self.ask_keepers(&mut restoring)?;
            Ok((id, restoring.finish(now)?))
        });
        match ended {
            Ok((id, report)) => {
                let noted = |v: &mut Vault| {
                    if report.sound { v.record_drill(id, now) } else { v.record_failed_drill(from, now) }
                };
                if self.vault(noted).is_some() {
                    self.tell_keep(KeepTold::Drilled(report));
                    self.show_keep();
                }
            }
            Err(error) => {
                // A key that was mistyped, or gates that are away, say nothing about the backup.
                let failed = matches!(error, VaultError::BackupDamaged | VaultError::BackupVoid);
                if failed && self.vault(|v| v.record_failed_drill(from, now)).is_some() {
                    self.show_keep();
                }
                self.fail(failure_of(error));
            }
        }
    }

    fn restore(&mut self, from: &Path, typed: &Typed, by: RestoreBy, now: Timestamp) {
        if self.open.is_some() || self.keep.changing.is_some() {
            return self.keep_failed(KeepFailure::NotLocked);
        }
        let Some(key) = self.backup_key(typed) else { return };
        let recovery = match by.recovery.as_ref().map(|typed| self.backup_key(typed)) {
            Some(None) => return,
            other => other.flatten(),
        };
        let by = Restorers { supervisors: by.supervisors, recovery };
        let (dir, realm, chip) = (&self.config.data_dir, self.config.realm, &mut *self.devices.chip);
        let begun = Vault::begin_restore(dir, realm, (from, &key), by, chip, now);
        let ended = begun.and_then(|mut restoring| {
            self.ask_keepers(&mut restoring)?;
            restoring.finish(now)
        });
        match ended {
            Ok(report) => {
                self.say_door(now);
                self.tell_keep(KeepTold::Restored(report));
            }
            // Said before failures of accounts: nobody else is logged in who could be asked.
            Err(VaultError::ApprovalNeeded) => self.keep_failed(KeepFailure::NotAllowed),
            Err(error) => self.fail(failure_of(error)),
        }
    }

    /// Takes what gates keep that were not heard at the restore, and says what ended by it. Whose account ended with it is logged out.
    pub(super) fn hear_gates_late(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        let mut late = std::collections::BTreeMap::new();
        if open.shared.read(|state| !state.late.is_empty()) {
            late = open.shared.read(|state| state.late.clone());
        }
        for (gate, kept) in late {
            let kept = kept.as_ref().map(|(number, sealed)| (*number, &sealed[..]));
            let heard = self.vault(|v| {
                let report = v.hear_late(gate, kept, now)?;
                Ok((report, v.gates()?.into_iter().find(|known| known.id == gate)))
            });
            let Some(open) = self.open.as_mut() else { return };
            open.shared.change(|state| {
                state.late.remove(&gate);
                true
            });
            open.shared.ring();
            open.mark_stale();
            if let Some((Some(report), known)) = heard {
                let name = known.map(|gate| gate.name).unwrap_or_default();
                self.keep.late.push(KeepTold::HeardLate(name, report));
                let own = |v: &mut Vault| v.may_stay();
                if self.vault(own) == Some(false) {
                    self.lock(now);
                }
            }
        }
        if self.open.is_some() && !self.is_curtained() {
            std::mem::take(&mut self.keep.late).into_iter().for_each(|told| self.tell_keep(told));
        }
    }

    /// Said at every entry of a supervisor until they are dealt.
    pub(super) fn advise_new_keys(&mut self) {
        if self.vault(|v| Ok(v.role() == Role::Supervisor && v.new_keys_advised()?)) == Some(true) {
            self.tell_keep(KeepTold::KeysAdvised);
        }
    }

    fn backup_key(&mut self, typed: &Typed) -> Option<RecoveryKey> {
        match RecoveryKey::parse(typed) {
            Ok(key) => Some(key),
            Err(fault) => {
                self.keep_failed(KeepFailure::Key(fault));
                None
            }
        }
    }

    /// Asks every gate of the backup for its half of the keys, and how much of the log it has seen.
    fn ask_keepers(&self, restoring: &mut Restoring) -> Result<(), VaultError> {
        let damaged = || VaultError::BackupDamaged;
        let bytes = restoring.identity_bytes()?.ok_or_else(damaged)?;
        let keys = Arc::new(IdentityKeys::from_bytes(&bytes).map_err(|_| damaged())?);
        let mut link = self.gate_link(keys, restoring.site());
        let (note_of, head_of) = restoring.origins();
        for gate in restoring.gates()? {
            match link.ask(&gate, &Request::EpochOf(note_of.clone()), KEPT_LIMIT) {
                Ok(Reply::Epoch(Some(kept))) => {
                    restoring.heard(gate.id);
                    if !restoring.take_note(kept.number, &kept.sealed)? {
                        tracing::warn!(gate = %gate.id.short(), "a gate keeps a note that this backup does not open");
                    }
                }
                Ok(Reply::Epoch(None) | Reply::Refused(Refusal::Malformed)) => restoring.heard(gate.id),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(gate = %gate.id.short(), %error, "a gate did not say what it keeps");
                    continue;
                }
            }
            if let Ok(Reply::Head(Some(note))) = link.ask(&gate, &Request::HeadOf(head_of.clone()), KEPT_LIMIT) {
                restoring.take_head(&note);
            }
        }
        Ok(())
    }

    /// What is missing is said before a second person is asked to type a passphrase for nothing.
    fn bind_computer(&mut self, now: Timestamp) {
        match self.vault(|v| v.recovery_key_is_kept()) {
            Some(true) => {}
            Some(false) => return self.keep_failed(KeepFailure::NoRecoveryKey),
            None => return,
        }
        if !self.devices.chip.is_there() {
            return self.keep_failed(KeepFailure::ChipMissing);
        }
        self.change_keys(Act::BindComputer, KeepCommand::BindComputer, now);
    }

    /// New keys, and with some acts another binding.
    fn change_keys(&mut self, act: Act, again: KeepCommand, now: Timestamp) {
        if self.is_serving() {
            return self.keep_failed(KeepFailure::Serving);
        }
        // Said before a second person is asked to type a passphrase for nothing.
        if self.vault(|v| v.check_rotation()).is_none() {
            return;
        }
        let Some((Some(approval), _)) = self.approved(act, StaffCommand::Keep(again), now) else { return };
        self.drop_visit(now);
        let Some(open) = self.open.take() else { return };
        open.shared.end();
        self.keep.changing = Some((open.vault, approval, self.moment));
        self.after_lock(now);
        self.tell_keep(KeepTold::Changing);
        self.go_on_changing(now);
    }

    /// Changes the keys once the courier of the session has ended.
    pub(super) fn go_on_changing(&mut self, now: Timestamp) {
        let Some((vault, approval, since)) = self.keep.changing.take() else { return };
        if !vault.is_alone() {
            if self.is_past(since, ALONE_MS) {
                return self.keep_failed(KeepFailure::Busy);
            }
            self.keep.changing = Some((vault, approval, since));
            return;
        }
        let act = approval.act();
        let changed = match act {
            Act::BindComputer => vault.bind_to(&mut *self.devices.chip, approval, now),
            Act::ReleaseComputer => vault.release(approval, now),
            _ => vault.rotate_keys(approval, now),
        };
        match changed {
            Ok(rotated) => {
                self.say_door(now);
                self.tell_keep(match act {
                    Act::BindComputer => KeepTold::Bound,
                    Act::ReleaseComputer => KeepTold::Released,
                    _ => KeepTold::Changed(rotated.accounts),
                });
            }
            Err(error) => {
                self.say_door(now);
                self.fail(failure_of(error));
            }
        }
    }
}

/// What the vault's errors about backups and keys mean to a person; `None` for the others.
pub(super) fn keep_failure(error: &VaultError) -> Option<KeepFailure> {
    use KeepFailure as F;
    Some(match error {
        VaultError::BackupKeyMissing => F::NoKey,
        VaultError::NotABackup => F::NotABackup,
        VaultError::OtherSite => F::OtherSite,
        VaultError::BackupDamaged => F::Damaged,
        VaultError::WrongBackupKey => F::WrongKey,
        VaultError::KeptNowhere => F::KeptNowhere,
        VaultError::NoKeeper => F::NoGate,
        VaultError::BackupVoid => F::Void,
        VaultError::SlotsOld => F::SlotsOld,
        VaultError::Chip(ChipError::Missing) => F::ChipMissing,
        VaultError::Chip(ChipError::Other) => F::ChipOther,
        VaultError::Chip(ChipError::Refused(why)) => {
            tracing::warn!(%why, "the security chip refused");
            F::ChipRefused
        }
        VaultError::RecoveryKeyNeeded => F::NoRecoveryKey,
        _ => return None,
    })
}
