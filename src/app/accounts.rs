//! Staff accounts at the desk: adding, switching off, passphrases, training, the internal rules, the recovery sheet, four eyes, the weekly sheet
//! of looks. Rules: P51-1, P51-4, K2-4, K2-5, K2-7.
//!
//! Deliberately absent: changing a role (a new account is made), and any way to act for somebody whose passphrase was not typed.

use std::path::Path;
use std::sync::Arc;

use super::command::{StaffCommand, parse_date};
use super::desk::{Desk, failure_of};
use super::event::{Failure, StaffEvent};
use super::operators::{
    AccountChange, AccountView, DoorView, LooksRow, OperatorsCommand, OperatorsEvent, OperatorsFailure,
};
use crate::domain::Realm;
use crate::domain::approval::{Act, Approval};
use crate::domain::id::StaffId;
use crate::domain::notice::Language;
use crate::domain::role::{LookWhy, Role};
use crate::domain::time::{CivilDate, Timestamp};
use crate::domain::training::Standing;
use crate::notice::{self, Rendered, Text, Values};
use crate::secret::{Passphrase, RecoveryKey, Typed};
use crate::vault::{Looks, NewAccount, Vault, VaultError};

/// What the desk holds for the account that is logged in.
#[derive(Debug, Default)]
pub(super) struct Operators {
    /// An act that waits for a second person.
    pending: Option<(Act, StaffCommand)>,
    /// The approval that was just given, until its act takes it.
    approval: Option<Approval>,
    /// The recovery key while its page is open.
    sheet: Option<RecoveryKey>,
    /// The rules while they are read, and whether their end was on screen.
    rules: Option<(Arc<Rendered>, bool)>,
}

impl Operators {
    /// Whether this act waits for a second person.
    pub(super) fn waits_for(&self, act: Act) -> bool {
        self.pending.as_ref().is_some_and(|(waiting, _)| *waiting == act)
    }

    /// Whether the recovery key is on screen.
    pub(super) fn shows_sheet(&self) -> bool {
        self.sheet.is_some()
    }
}

/// Days of a week.
const WEEK: i64 = 7;

impl Desk {
    pub(super) fn handle_operators(&mut self, command: OperatorsCommand, now: Timestamp) {
        use OperatorsCommand as C;
        match command {
            C::Show => self.show_accounts(now),
            command @ C::Add { .. } => self.add_account(command, now),
            C::Disable(id) => self.disable_account(id, now),
            C::Reset(id, passphrase) => self.reset_passphrase(id, passphrase, now),
            C::Trained(id, day) => self.record_training(id, &day, now),
            C::ChangePassphrase(old, new) => {
                if self.vault(|v| v.change_passphrase(&old, &new, now)).is_some() {
                    self.account_done(AccountChange::PassphraseChanged, now);
                }
            }
            C::ReadRules(language) => self.read_rules(language),
            C::RulesReachedEnd => {
                if let Some((_, end)) = &mut self.operators.rules {
                    *end = true;
                }
            }
            C::SignRules(name) => self.sign_rules(&name, now),
            C::Approve(by, passphrase) => self.approve(by, &passphrase, now),
            C::ApproveNot => self.drop_pending(),
            C::NewRecoveryKey => self.new_recovery_key(now),
            C::SaveRecoverySheet(path, language) => self.save_recovery_sheet(&path, language, now),
            C::RecoveryKept => {
                if self.operators.sheet.is_some() && self.vault(Vault::record_recovery_key_kept).is_some() {
                    self.operators.sheet = None;
                    self.tell(OperatorsEvent::RecoverySheetOver);
                }
            }
            C::Recover(account, key, passphrase) => self.recover(account, &key, &passphrase, now),
            C::ShowLooks(weeks) => {
                if let Some((from, until, rows)) = self.looks(weeks, now) {
                    self.tell(OperatorsEvent::Looks { weeks, from, until, rows });
                    self.looks_were_seen(from, until, now);
                }
            }
            C::SaveLooks(weeks, path, language) => self.save_looks(weeks, &path, language, now),
            // The door has taken note already.
            C::Awake => {}
        }
    }

    /// Whether the account that is logged in may work today: training, undertaking, and the rules as they are now.
    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        let Some(open) = self.open.as_ref() else { return Standing::TrainingMissing };
        open.vault.standing(now).unwrap_or_else(|error| {
            tracing::warn!(%error, "training and undertaking could not be read");
            Standing::TrainingMissing
        })
    }

    /// Who may unlock, beside [`StaffEvent::Locked`].
    pub(super) fn say_who_may_unlock(&mut self, now: Timestamp) {
        let accounts = self.who_may_unlock(now);
        self.tell(OperatorsEvent::AtTheDoor(accounts));
    }

    pub(super) fn who_may_unlock(&self, now: Timestamp) -> Vec<DoorView> {
        let accounts = Vault::accounts_at_the_door(&self.config.data_dir, now).unwrap_or_default();
        let view = |a: crate::vault::DoorAccount| DoorView { id: a.id, name: a.name, role: a.role, wait_ms: a.wait_ms };
        accounts.into_iter().map(view).collect()
    }

    /// Told after every entry: role and standing; the first run goes on with the recovery sheet until it is put away.
    pub(super) fn say_entered(&mut self, now: Timestamp) {
        let Some(role) = self.open.as_ref().map(|open| open.vault.role()) else { return };
        let standing = self.standing(now);
        self.tell(OperatorsEvent::Entered { role, standing });
        self.tell_slots_missing();
        if let Some(key) = &self.operators.sheet {
            let shown = key.shown();
            return self.tell(OperatorsEvent::RecoverySheet(shown));
        }
        if role != Role::Supervisor || self.vault(|v| v.recovery_key_is_kept()) != Some(false) {
            return;
        }
        if let Some(key) = self.vault(|v| v.make_recovery_key(None, now)) {
            self.show_sheet(key);
        }
    }

    /// The approval of an act, with the command given back: `None` inside when the act may be done alone. Asks for a second person otherwise,
    /// keeps the command, and gives it again once they approved.
    pub(super) fn approved(
        &mut self,
        act: Act,
        command: StaffCommand,
        now: Timestamp,
    ) -> Option<(Option<Approval>, StaffCommand)> {
        match self.operators.approval.take() {
            Some(approval) if approval.act() == act => return Some((Some(approval), command)),
            _ => {}
        }
        if self.vault(|v| v.may_act_alone(act))? {
            return Some((None, command));
        }
        let (by, all) = self.vault(|v| Ok((v.approvers_of(act, now)?, v.approvers(now)?.len())))?;
        if by.is_empty() {
            let failure =
                if all > 0 { OperatorsFailure::OnlyTheOneConcerned } else { OperatorsFailure::NobodyToApprove };
            self.fail(Failure::Operators(failure));
            return None;
        }
        let about = self.concerned(act, &command)?;
        self.operators.pending = Some((act, command));
        self.tell(OperatorsEvent::ApprovalAsked { act, by, about });
        None
    }

    fn approve(&mut self, by: StaffId, passphrase: &Passphrase, now: Timestamp) {
        let Some((act, command)) = self.operators.pending.take() else { return };
        let Some(open) = self.open.as_mut() else { return };
        match open.vault.approve(act, by, passphrase, now) {
            Ok(approval) => {
                self.operators.approval = Some(approval);
                self.tell(OperatorsEvent::ApprovalOver);
                self.handle_staff(command, now);
                // What the act did not take is void.
                self.operators.approval = None;
            }
            Err(VaultError::WrongPassphrase { wait_ms } | VaultError::TooSoon { wait_ms }) => {
                self.operators.pending = Some((act, command));
                self.tell(OperatorsEvent::ApprovalRefused { wait_ms });
            }
            Err(error) => {
                self.tell(OperatorsEvent::ApprovalOver);
                self.fail(failure_of(error));
            }
        }
    }

    fn drop_pending(&mut self) {
        self.operators.pending = None;
        self.tell(OperatorsEvent::ApprovalOver);
    }

    fn show_accounts(&mut self, now: Timestamp) {
        let read = self.vault(|v| {
            let view = |a: crate::vault::Account| AccountView {
                id: a.id,
                own: a.id == v.operator().0,
                standing: v.standing_of(&a, now),
                name: a.name,
                role: a.role,
                disabled: a.disabled,
                slot_missing: !a.has_slot && !a.disabled,
                trained_on: a.record.trained_on,
                signed_on: a.record.signed_on,
            };
            Ok((v.accounts()?.into_iter().map(view).collect(), v.approvers(now)?.len()))
        });
        if let Some((accounts, approvers)) = read {
            self.tell(OperatorsEvent::Accounts(accounts, approvers));
            self.tell_slots_missing();
        }
    }

    /// Tells the staff window whose slots somebody took out of the slots file: at every entry, and when accounts are looked at.
    fn tell_slots_missing(&mut self) {
        let missing = |a: crate::vault::Account| (!a.has_slot && !a.disabled).then_some(a.name);
        let names = self.vault(|v| Ok(v.accounts()?.into_iter().filter_map(missing).collect()));
        if let Some(names) = names {
            self.tell(OperatorsEvent::SlotsMissing(names));
        }
    }

    fn account_done(&mut self, change: AccountChange, now: Timestamp) {
        self.tell(OperatorsEvent::Done(change));
        if self.open.as_ref().is_some_and(|open| open.vault.role() == Role::Supervisor) {
            self.show_accounts(now);
        }
    }

    fn add_account(&mut self, command: OperatorsCommand, now: Timestamp) {
        let OperatorsCommand::Add { name, role, passphrase, trained_on } = command else { return };
        let Some(day) = parse_date(&trained_on) else {
            return self.fail(Failure::Operators(OperatorsFailure::DayWrong));
        };
        let new = NewAccount { name, role, passphrase, trained_on: day };
        // Said before a second person is asked to type a passphrase for nothing.
        if self.vault(|v| v.check_new(&new, now)).is_none() {
            return;
        }
        let NewAccount { name, passphrase, .. } = new;
        let again =
            StaffCommand::Operators(OperatorsCommand::Add { name, role, passphrase, trained_on: day.to_string() });
        let Some((approval, command)) = self.approved(Act::AddAccount(role), again, now) else { return };
        let StaffCommand::Operators(OperatorsCommand::Add { name, passphrase, .. }) = command else { return };
        let new = NewAccount { name, role, passphrase, trained_on: day };
        if self.vault(|v| v.add_account(&new, approval, now)).is_some() {
            self.account_done(AccountChange::Added, now);
        }
    }

    fn disable_account(&mut self, id: StaffId, now: Timestamp) {
        let again = StaffCommand::Operators(OperatorsCommand::Disable(id));
        let Some((approval, _)) = self.approved(Act::DisableAccount(id), again, now) else { return };
        if self.vault(|v| v.disable_account(id, approval, now)).is_some() {
            self.account_done(AccountChange::Disabled, now);
        }
    }

    fn reset_passphrase(&mut self, id: StaffId, passphrase: Passphrase, now: Timestamp) {
        if passphrase.chars() < Passphrase::CHARS_MIN {
            return self.fail(Failure::PassphraseTooShort);
        }
        let again = StaffCommand::Operators(OperatorsCommand::Reset(id, passphrase));
        let Some((approval, command)) = self.approved(Act::ResetPassphrase(id), again, now) else { return };
        let StaffCommand::Operators(OperatorsCommand::Reset(_, passphrase)) = command else { return };
        if self.vault(|v| v.reset_passphrase(id, &passphrase, approval, now)).is_some() {
            self.account_done(AccountChange::PassphraseChanged, now);
        }
    }

    fn record_training(&mut self, id: StaffId, day: &str, now: Timestamp) {
        let Some(day) = parse_date(day) else {
            return self.fail(Failure::Operators(OperatorsFailure::DayWrong));
        };
        if self.vault(|v| v.record_training(id, day, now)).is_some() {
            self.account_done(AccountChange::Trained, now);
        }
    }

    fn read_rules(&mut self, language: Language) {
        match notice::render(Text::InternalRules, language, &Values::new()) {
            Ok(text) => {
                let text = Arc::new(text);
                self.operators.rules = Some((Arc::clone(&text), false));
                self.tell(OperatorsEvent::Rules(text));
            }
            Err(error) => tracing::error!(%error, "the internal rules could not be filled"),
        }
    }

    fn sign_rules(&mut self, name: &str, now: Timestamp) {
        let Some((text, true)) = self.operators.rules.clone() else {
            return self.fail(Failure::Operators(OperatorsFailure::RulesNotRead));
        };
        if self.vault(|v| v.record_undertaking(&text.reference, &text.markdown, name, now)).is_none() {
            return;
        }
        self.operators.rules = None;
        self.tell(OperatorsEvent::Done(AccountChange::RulesSigned));
        self.say_entered(now);
    }

    fn new_recovery_key(&mut self, now: Timestamp) {
        let again = StaffCommand::Operators(OperatorsCommand::NewRecoveryKey);
        let Some((approval, _)) = self.approved(Act::NewRecoveryKey, again, now) else { return };
        if let Some(key) = self.vault(|v| v.make_recovery_key(approval, now)) {
            self.show_sheet(key);
        }
    }

    fn show_sheet(&mut self, key: RecoveryKey) {
        let shown = key.shown();
        self.operators.sheet = Some(key);
        self.tell(OperatorsEvent::RecoverySheet(shown));
    }

    fn recover(&mut self, account: StaffId, typed: &Typed, passphrase: &Passphrase, now: Timestamp) {
        if self.open.is_some() {
            return;
        }
        let key = match RecoveryKey::parse(typed) {
            Ok(key) => key,
            Err(fault) => return self.fail(Failure::Operators(OperatorsFailure::RecoveryKey(fault))),
        };
        let (dir, realm, chip) = (&self.config.data_dir, self.config.realm, &mut *self.devices.chip);
        match Vault::recover_with(dir, realm, &key, (account, passphrase), chip, now) {
            Ok((vault, new)) => {
                self.operators = Operators { sheet: Some(new), ..Operators::default() };
                self.enter(vault, now);
            }
            Err(VaultError::Unknown) => self.fail(Failure::Operators(OperatorsFailure::NothingToRecover)),
            Err(error) => self.refused_at_the_door(error, now),
        }
    }

    fn save_recovery_sheet(&mut self, path: &Path, language: Language, now: Timestamp) {
        let Some(key) = &self.operators.sheet else { return };
        let site = self.open.as_ref().map(|open| open.vault.site().short()).unwrap_or_default();
        let values: Values = [
            ("recovery_key".to_owned(), key.shown().as_str().to_owned()),
            ("made_on".to_owned(), now.minute_text()),
            ("site_id".to_owned(), site),
        ]
        .into();
        match self.write_key(Text::RecoverySheet, language, &values, path) {
            Ok(()) => self.tell(OperatorsEvent::PaperSaved(path.display().to_string())),
            Err(why) => self.fail(why),
        }
    }

    /// Writes the sheet of a key as a PDF that only this account of the computer can read.
    ///
    /// # Errors
    /// [`Failure::KeyOnItsDisk`] on a real site where the place is on the disk of the vault, and [`Failure::PaperNotWritten`].
    pub(super) fn write_key(
        &self,
        text: Text,
        language: Language,
        values: &Values,
        path: &Path,
    ) -> Result<(), Failure> {
        if self.config.realm == Realm::Real && !self.devices.posture.is_apart(path) {
            return Err(Failure::KeyOnItsDisk);
        }
        let pdf = sheet_pdf(text, language, values).map_err(Failure::PaperNotWritten)?;
        super::rights::write_private(path, &pdf)
    }

    fn looks(&mut self, weeks: u8, now: Timestamp) -> Option<(CivilDate, CivilDate, Vec<LooksRow>)> {
        let (from, until) = week(now.date(), weeks);
        let begin = from.plus_days(-1).end();
        let looks = self.vault(|v| v.looks(begin, until.end()))?;
        Some((from, until, looks.iter().map(row_of).collect()))
    }

    fn save_looks(&mut self, weeks: u8, path: &Path, language: Language, now: Timestamp) {
        let Some((from, until, rows)) = self.looks(weeks, now) else { return };
        let mut values = Values::new();
        values.insert("from".into(), from.to_string());
        values.insert("until".into(), until.to_string());
        values.insert("made_on".into(), now.minute_text());
        for (at, row) in rows.iter().enumerate() {
            let mut set = |name: &str, value: String| values.insert(format!("{name}.{}", at + 1), value);
            set("account", row.name.clone());
            set("taps", row.taps.to_string());
            for (why, count) in LookWhy::ALL.iter().zip(row.by_why) {
                set(why.label(), count.to_string());
            }
            set("all", row.all.to_string());
            set("people", row.people.to_string());
            set("given", row.given.to_string());
            set("requests", row.requests.to_string());
            set("searches", row.searches.to_string());
            set("joined", row.joined.to_string());
            set("bulk", row.bulk.to_string());
        }
        self.save_sheet(Text::LooksSheet, language, &values, path);
        self.looks_were_seen(from, until, now);
    }

    fn save_sheet(&mut self, text: Text, language: Language, values: &Values, path: &Path) {
        let written = sheet_pdf(text, language, values);
        match written.and_then(|pdf| std::fs::write(path, pdf).map_err(|error| error.to_string())) {
            Ok(()) => self.tell(OperatorsEvent::PaperSaved(path.display().to_string())),
            Err(why) => self.fail(Failure::PaperNotWritten(why)),
        }
    }

    pub(super) fn tell(&mut self, event: OperatorsEvent) {
        self.say(StaffEvent::Operators(event));
    }
}

/// A paper of the desk's own as a PDF.
fn sheet_pdf(text: Text, language: Language, values: &Values) -> Result<Vec<u8>, String> {
    let text = notice::render(text, language, values).map_err(|error| error.to_string())?;
    crate::paper::text_pdf(&text).map_err(|error| error.to_string())
}

/// The version of the internal rules that must be signed; both languages have the same (tested).
pub(super) fn rules_version() -> Option<String> {
    notice::header(Text::InternalRules, Language::Chinese).ok().map(|header| header.version)
}

/// Monday to Sunday of the week so many weeks ago.
pub(super) fn week(today: CivilDate, weeks: u8) -> (CivilDate, CivilDate) {
    let monday = crate::domain::looks::monday(today).plus_days(-WEEK * i64::from(weeks));
    (monday, monday.plus_days(WEEK - 1))
}

fn row_of(looks: &Looks) -> LooksRow {
    LooksRow {
        name: looks.name.clone(),
        role: looks.role,
        taps: looks.of("card-tap"),
        by_why: LookWhy::ALL.map(|why| looks.of(why.label())),
        all: looks.all(),
        people: looks.people,
        given: looks.given,
        requests: looks.requests,
        searches: looks.searches,
        joined: looks.joined,
        bulk: looks.bulk,
    }
}

/// What the vault's errors about accounts mean to a person; `None` for the others.
pub(super) fn account_failure(error: &VaultError) -> Option<OperatorsFailure> {
    use OperatorsFailure as F;
    Some(match error {
        VaultError::AccountDisabled => F::AccountOff,
        VaultError::AccountsFull => F::AccountsFull,
        VaultError::NameWrong => F::NameWrong,
        VaultError::NameTaken => F::NameTaken,
        VaultError::LastSupervisor => F::LastSupervisor,
        VaultError::OwnAccount => F::OwnAccount,
        VaultError::DayWrong => F::DayWrong,
        VaultError::ApprovalNeeded => F::NobodyToApprove,
        VaultError::NotAnApprover => F::NotAnApprover,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_runs_from_monday_to_sunday() {
        let day = |text: &str| CivilDate::parse(text).unwrap_or(CivilDate::from_epoch_days(0));
        // 2026-11-22 is a Sunday.
        for today in ["2026-11-16", "2026-11-19", "2026-11-22"] {
            assert_eq!(week(day(today), 0), (day("2026-11-16"), day("2026-11-22")), "{today}");
        }
        assert_eq!(week(day("2026-11-23"), 0), (day("2026-11-23"), day("2026-11-29")));
        assert_eq!(week(day("2026-11-22"), 2), (day("2026-11-02"), day("2026-11-08")));
    }

    #[test]
    fn p51_1_the_rules_have_one_version_in_both_languages() {
        let version = |language| notice::header(Text::InternalRules, language).ok().map(|h| (h.id, h.version));
        assert_eq!(version(Language::Chinese), version(Language::English));
        assert!(rules_version().is_some());
    }
}
