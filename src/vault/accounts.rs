//! Staff accounts: who there is, what each has on record, adding, switching off, passphrases. Rules: P51-1, P51-4, K2-5, K2-7.
//!
//! The vault says who there is and what each may do; the slots file, which anybody at the machine may edit, only opens. A new account's slot is
//! therefore written before its row: what broke off in between is a slot that nobody is known for, which opens nothing and is taken out at the
//! next entry. An active account without a slot is one whose slot somebody took out, and is said aloud.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use sha2::{Digest, Sha256};

use crate::domain::account::AccountEvent;
use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::StaffId;
use crate::domain::notice::NoticeRef;
use crate::domain::role::Role;
use crate::domain::time::{CivilDate, Timestamp};
use crate::domain::training::{self, OnRecord, Standing};
use crate::secret::{Passphrase, random_bytes};

use super::Vault;
use super::error::VaultError;
use super::slots::{Kind, Slots};

/// Longest name of an account, in characters.
pub const NAME_CHARS_MAX: usize = 40;

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub id: StaffId,
    /// Shown name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Switched off: opens nothing, stays in the log.
    pub disabled: bool,
    /// Training and undertaking.
    pub record: OnRecord,
    /// Version of the internal rules that were signed last.
    pub rules_version: Option<String>,
    /// Whether the slots file has a slot that its passphrase could open.
    pub has_slot: bool,
}

/// A new account.
#[derive(Debug)]
pub struct NewAccount {
    /// Shown name; no other active account has it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Chosen by its holder, typed on the screen.
    pub passphrase: Passphrase,
    /// Day of the training that the supervisor attests.
    pub trained_on: CivilDate,
}

impl Vault {
    /// All accounts in the order in which they were made, also those that are switched off.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn accounts(&self) -> Result<Vec<Account>, VaultError> {
        let slots = self.slots()?;
        let mut statement = self.main.prepare("SELECT id, disabled_at IS NOT NULL FROM staff ORDER BY made_at, id")?;
        let rows: Vec<(StaffId, bool)> = statement
            .query_map([], |row| Ok((row.get(0).map(StaffId::from_bytes)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut accounts = vec![];
        for (id, disabled) in rows {
            let (name, role) = self.read_staff(id)?;
            let (record, rules_version) = self.on_record(id)?;
            let has_slot = slots.slot(id).is_some();
            accounts.push(Account { id, name, role, disabled, record, rules_version, has_slot });
        }
        Ok(accounts)
    }

    /// Whether the account that is logged in may work today.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn standing(&self, now: Timestamp) -> Result<Standing, VaultError> {
        let (record, signed) = self.on_record(self.staff)?;
        Ok(self.standing_by(record, signed.as_ref(), now))
    }

    /// Whether an account may work today.
    pub fn standing_of(&self, account: &Account, now: Timestamp) -> Standing {
        self.standing_by(account.record, account.rules_version.as_ref(), now)
    }

    /// Which version of the internal rules counts as signed, from now on for everybody; until it is said, any does.
    pub fn require_rules(&mut self, version: Option<String>) {
        self.rules_in_force = version;
    }

    fn standing_by(&self, record: OnRecord, signed: Option<&String>, now: Timestamp) -> Standing {
        match (training::judge(record, now.date()), &self.rules_in_force) {
            (Standing::Works(_), Some(version)) if signed != Some(version) => Standing::RulesUnsigned,
            (standing, _) => standing,
        }
    }

    /// Whether an act that otherwise needs a second person may be done alone: the second supervisor of a site that has one only, a
    /// recovery key as long as none was put away, and what a site with one supervisor could never do otherwise (its facts, its gates, and
    /// the papers that a law asks of it within days). Done alone, it is logged as that.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn may_act_alone(&self, act: Act) -> Result<bool, VaultError> {
        Ok(match act {
            Act::AddAccount(Role::Supervisor) => self.active_supervisors()? < 2,
            Act::NewRecoveryKey => !self.recovery_key_is_kept()?,
            Act::NewBackupKey => self.backup_key_made_at()?.is_none(),
            Act::AddAccount(Role::FrontDesk | Role::Technician | Role::Auditor)
            | Act::DisableAccount(_)
            | Act::ResetPassphrase(_)
            | Act::RepairGate(_)
            | Act::ReplaceGate(_)
            | Act::ChangeKeys
            | Act::BindComputer
            | Act::ReleaseComputer
            | Act::MinorRecord(_)
            | Act::JoinNumber(_)
            | Act::EndSite
            | Act::RenewTemplates => false,
            Act::ChangeSite
            | Act::RetireGate(_)
            | Act::ResumeFaces(_)
            | Act::IncidentLetters(_)
            | Act::SitePapers
            | Act::ExportLog => !self.has_another_supervisor()?,
        })
    }

    /// Spends the approval of an act, or logs that it is done alone where it may be.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], and those of the disk.
    pub fn second_person(&mut self, act: Act, approval: Option<Approval>, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.second_person_in(&work, act, approval, now)?;
        Ok(work.commit()?)
    }

    /// The same in the transaction of the act.
    pub(super) fn second_person_in(
        &self,
        work: &Connection,
        act: Act,
        approval: Option<Approval>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        if self.take(act, approval)? {
            let alone = AuditEvent::Account(AccountEvent::DoneAlone(self.staff, act));
            self.append(work, Actor::Staff(self.staff), &alone, now)?;
        }
        Ok(())
    }

    /// Whether an active supervisor is there beside the account that is logged in; whether they may approve today is asked of them.
    fn has_another_supervisor(&self) -> Result<bool, VaultError> {
        let other = |a: &Account| a.role == Role::Supervisor && !a.disabled && a.id != self.staff;
        Ok(self.accounts()?.iter().any(other))
    }

    /// Adds an account with its training.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`], [`VaultError::NameWrong`], [`VaultError::NameTaken`],
    /// [`VaultError::PassphraseTooShort`], [`VaultError::DayWrong`], [`VaultError::AccountsFull`], and those of the disk.
    pub fn add_account(
        &mut self,
        new: &NewAccount,
        approval: Option<Approval>,
        now: Timestamp,
    ) -> Result<StaffId, VaultError> {
        let name = new.name.trim();
        self.check_new(new, now)?;
        let act = Act::AddAccount(new.role);
        let alone = self.take(act, approval)?;
        let mut slots = self.slots()?;
        let cost = slots.slot(self.staff).map(|slot| slot.cost).ok_or(VaultError::Unknown)?;
        let id = StaffId::from_bytes(random_bytes());
        let kind = Kind::Account { name: name.to_owned(), role: new.role };
        slots.put(id, kind, &new.passphrase, self.ring.master(), cost)?;
        slots.write(&self.dir)?;
        let added = self.write_added(id, new, alone.then_some(act), now);
        if added.is_err() {
            slots.remove(id);
            slots.write(&self.dir)?;
        }
        added.map(|()| id)
    }

    fn write_added(&self, id: StaffId, new: &NewAccount, alone: Option<Act>, now: Timestamp) -> Result<(), VaultError> {
        let by = Actor::Staff(self.staff);
        let work = self.begin()?;
        self.write_staff(&work, id, new.name.trim(), new.role, now)?;
        if let Some(act) = alone {
            self.append(&work, by, &AuditEvent::Account(AccountEvent::DoneAlone(id, act)), now)?;
        }
        self.append(&work, by, &AuditEvent::Account(AccountEvent::Added(id, new.role)), now)?;
        self.write_training(&work, id, new.trained_on, now)?;
        Ok(work.commit()?)
    }

    /// Takes out slots of accounts that the vault does not know, or that are switched off: what broke off between the two files.
    pub(super) fn sweep_slots(&self) -> Result<(), VaultError> {
        let mut slots = self.slots()?;
        let mut left = vec![];
        for id in slots.accounts().map(|slot| slot.id) {
            if self.is_disabled(id)? {
                left.push(id);
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        left.into_iter().for_each(|id| slots.remove(id));
        slots.write(&self.dir)
    }

    /// Whether a new account could be added, before anybody is asked to approve it.
    ///
    /// # Errors
    /// As [`Self::add_account`], without the approval.
    pub fn check_new(&self, new: &NewAccount, now: Timestamp) -> Result<(), VaultError> {
        let name = new.name.trim();
        if !is_a_name(name) {
            return Err(VaultError::NameWrong);
        }
        if new.passphrase.chars() < Passphrase::CHARS_MIN {
            return Err(VaultError::PassphraseTooShort);
        }
        check_day(new.trained_on, now)?;
        let accounts = self.accounts()?;
        if accounts.iter().any(|account| !account.disabled && account.name == name) {
            return Err(VaultError::NameTaken);
        }
        Ok(())
    }

    /// Switches an account off. It stays in the log; its passphrase opens nothing any more.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::OwnAccount`], [`VaultError::LastSupervisor`],
    /// [`VaultError::ApprovalNeeded`], and those of the disk.
    pub fn disable_account(
        &mut self,
        id: StaffId,
        approval: Option<Approval>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let account = self.active(id)?;
        if account.role == Role::Supervisor && self.active_supervisors()? < 2 {
            return Err(VaultError::LastSupervisor);
        }
        if id == self.staff {
            return Err(VaultError::OwnAccount);
        }
        self.take(Act::DisableAccount(id), approval)?;
        let mut slots = self.slots()?;
        slots.remove(id);
        let work = self.begin()?;
        work.execute("UPDATE staff SET disabled_at = ?2 WHERE id = ?1", params![id.bytes(), now.ms()])?;
        let event = AuditEvent::Account(AccountEvent::Disabled(id));
        self.append(&work, Actor::Staff(self.staff), &event, now)?;
        work.commit()?;
        slots.write(&self.dir)
    }

    /// Gives another account a new passphrase, typed by its holder.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::OwnAccount`], [`VaultError::PassphraseTooShort`],
    /// [`VaultError::ApprovalNeeded`], and those of the disk.
    pub fn reset_passphrase(
        &mut self,
        id: StaffId,
        passphrase: &Passphrase,
        approval: Option<Approval>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let account = self.active(id)?;
        if id == self.staff {
            return Err(VaultError::OwnAccount);
        }
        if passphrase.chars() < Passphrase::CHARS_MIN {
            return Err(VaultError::PassphraseTooShort);
        }
        self.take(Act::ResetPassphrase(id), approval)?;
        self.rewrap(&account, passphrase, AccountEvent::PassphraseReset(id), now)
    }

    /// Changes the passphrase of the account that is logged in; the old one is asked for and counted as at the door.
    ///
    /// # Errors
    /// [`VaultError::PassphraseTooShort`], [`VaultError::TooSoon`], [`VaultError::WrongPassphrase`], and those of the disk.
    pub fn change_passphrase(&mut self, old: &Passphrase, new: &Passphrase, now: Timestamp) -> Result<(), VaultError> {
        if new.chars() < Passphrase::CHARS_MIN {
            return Err(VaultError::PassphraseTooShort);
        }
        self.check_own(old, now)?;
        let account = self.active(self.staff)?;
        self.rewrap(&account, new, AccountEvent::PassphraseChanged(self.staff), now)
    }

    /// Records another account's training. One's own is renewed by reading and signing the rules ([`Self::record_undertaking`]).
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::OwnAccount`], [`VaultError::DayWrong`], and those of the disk.
    pub fn record_training(&mut self, id: StaffId, on: CivilDate, now: Timestamp) -> Result<(), VaultError> {
        self.active(id)?;
        if id == self.staff {
            return Err(VaultError::OwnAccount);
        }
        check_day(on, now)?;
        let work = self.begin()?;
        self.write_training(&work, id, on, now)?;
        Ok(work.commit()?)
    }

    /// Records that the account that is logged in read the internal rules to their end and signed the undertaking of confidentiality. For a
    /// supervisor this is the yearly training as well: nobody stands above them to record it.
    ///
    /// # Errors
    /// [`VaultError::TextDiffers`], [`VaultError::NameWrong`], and those of the disk.
    pub fn record_undertaking(
        &mut self,
        rules: &NoticeRef,
        text: &str,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        if digest != rules.sha256 {
            return Err(VaultError::TextDiffers);
        }
        let signature = signature.trim();
        if signature.is_empty() || signature.chars().count() > NAME_CHARS_MAX {
            return Err(VaultError::NameWrong);
        }
        let sealed = self.ring.station.seal(&signature_place(self.staff), signature.as_bytes())?;
        let work = self.begin()?;
        work.execute("INSERT OR IGNORE INTO texts (sha256, body) VALUES (?1, ?2)", params![digest, text])?;
        work.execute(
            "INSERT INTO undertakings (staff, rules_id, rules_version, language, text_sha256, signature, signed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![self.staff.bytes(), rules.id, rules.version, rules.language.tag(), digest, sealed, now.ms()],
        )?;
        let event = AuditEvent::Account(AccountEvent::RulesSigned(self.staff));
        self.append_with(&work, Actor::Staff(self.staff), &event, None, Some(digest), now)?;
        if self.role == Role::Supervisor {
            self.write_training(&work, self.staff, now.date(), now)?;
        }
        Ok(work.commit()?)
    }

    /// Records that a command was refused: for the account's role, or for want of training.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_refused_act(&mut self, event: AccountEvent, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Account(event), now)?;
        Ok(work.commit()?)
    }

    /// Whether the account that is logged in is not switched off.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn may_stay(&self) -> Result<bool, VaultError> {
        Ok(!self.is_disabled(self.staff)?)
    }

    /// Whether there is such an account.
    pub(super) fn knows_staff(&self, id: StaffId) -> Result<bool, VaultError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM staff WHERE id = ?1)";
        Ok(self.main.query_row(sql, [id.bytes()], |row| row.get(0))?)
    }

    /// Whether an account is switched off, or not known.
    pub(super) fn is_disabled(&self, id: StaffId) -> Result<bool, VaultError> {
        let sql = "SELECT disabled_at IS NOT NULL FROM staff WHERE id = ?1";
        Ok(self.main.query_row(sql, [id.bytes()], |row| row.get(0)).optional()?.unwrap_or(true))
    }

    fn active(&self, id: StaffId) -> Result<Account, VaultError> {
        self.accounts()?.into_iter().find(|a| a.id == id && !a.disabled).ok_or(VaultError::Unknown)
    }

    fn active_supervisors(&self) -> Result<usize, VaultError> {
        Ok(self.accounts()?.iter().filter(|a| a.role == Role::Supervisor && !a.disabled).count())
    }

    /// Spends the approval; `true` when the act is done alone.
    fn take(&self, act: Act, approval: Option<Approval>) -> Result<bool, VaultError> {
        match approval {
            Some(approval) => approval.spend(act).map(|_| false).ok_or(VaultError::ApprovalNeeded),
            None if self.may_act_alone(act)? => Ok(true),
            None => Err(VaultError::ApprovalNeeded),
        }
    }

    fn rewrap(
        &mut self,
        account: &Account,
        passphrase: &Passphrase,
        event: AccountEvent,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let mut slots = self.slots()?;
        // A slot that somebody took out of the file is made anew as the vault knows the account.
        let slot = slots.slot(account.id).or_else(|| slots.slot(self.staff)).ok_or(VaultError::Unknown)?;
        let (kind, cost) = (Kind::Account { name: account.name.clone(), role: account.role }, slot.cost);
        let before = slots.clone();
        slots.put(account.id, kind, passphrase, self.ring.master(), cost)?;
        let work = self.begin()?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::Account(event), now)?;
        self.write_with(work, &slots, &before)
    }

    /// Writes the slots and what the log says of them. The slots first: the log never says that a passphrase or a key counts that does not,
    /// and a failure puts the slots back. A program that ends in between leaves the new slots without their record.
    pub(super) fn write_with(&self, work: Transaction<'_>, slots: &Slots, before: &Slots) -> Result<(), VaultError> {
        let written = slots.write(&self.dir).and_then(|()| Ok(work.commit()?));
        if written.is_err()
            && let Err(error) = before.write(&self.dir)
        {
            tracing::error!(%error, "the slots could not be put back");
        }
        written
    }

    fn write_training(&self, work: &Connection, id: StaffId, on: CivilDate, now: Timestamp) -> Result<(), VaultError> {
        work.execute(
            "INSERT INTO trainings (staff, trained_on, recorded_by, recorded_at) VALUES (?1, ?2, ?3, ?4)",
            params![id.bytes(), on.epoch_days(), self.staff.bytes(), now.ms()],
        )?;
        self.append(work, Actor::Staff(self.staff), &AuditEvent::Account(AccountEvent::Trained(id)), now)
    }

    fn on_record(&self, id: StaffId) -> Result<(OnRecord, Option<String>), VaultError> {
        let sql = "SELECT trained_on FROM trainings WHERE staff = ?1 ORDER BY number DESC LIMIT 1";
        let trained: Option<i64> = self.main.query_row(sql, [id.bytes()], |row| row.get(0)).optional()?;
        let sql = "SELECT signed_at, rules_version FROM undertakings WHERE staff = ?1 ORDER BY number DESC LIMIT 1";
        let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let signed = self.main.query_row(sql, [id.bytes()], read).optional()?;
        let record = OnRecord {
            trained_on: trained.map(CivilDate::from_epoch_days),
            signed_on: signed.as_ref().map(|(at, _)| Timestamp::from_ms(*at).date()),
        };
        Ok((record, signed.map(|(_, version)| version)))
    }
}

/// Whether it can be an account's name: not empty, one line, no longer than [`NAME_CHARS_MAX`].
pub fn is_a_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control)
}

/// A training day that counts today: not in the future, and of the last year.
fn check_day(day: CivilDate, now: Timestamp) -> Result<(), VaultError> {
    let today = now.date();
    let counts = day <= today && today < day.plus_days(training::VALID_DAYS);
    if counts { Ok(()) } else { Err(VaultError::DayWrong) }
}

fn signature_place(id: StaffId) -> Vec<u8> {
    format!("undertakings/{id}/signature").into_bytes()
}
