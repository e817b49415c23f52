//! What the desk tells about accounts, taken into the staff window; which page comes first after logging in.

use super::{Action, Flash, Page, Route, Staff, approve, looks, operators, rules, sheet, unlock};
use crate::app::command::StaffCommand;
use crate::app::operators::{AccountView, OperatorsCommand, OperatorsEvent};
use crate::domain::role::Role;
use crate::domain::training::Standing;
use crate::secret::Typed;

/// What the desk told of the account that is logged in, and of the others.
#[derive(Debug, Default)]
pub struct Accounts {
    role: Option<Role>,
    standing: Option<Standing>,
    sheet: Option<Typed>,
    /// The list of the supervisor's page.
    pub list: Vec<AccountView>,
    /// How many others could approve an act.
    pub approvers: usize,
    /// An act that waits for a second person.
    pub approval: Option<approve::Approve>,
    /// Seconds until the desk locks.
    pub locks_in: Option<u8>,
}

impl Accounts {
    /// What the account may do. Decides what is drawn only; the desk decides what is done.
    pub fn role(&self) -> Role {
        self.role.unwrap_or(Role::Supervisor)
    }

    /// Whether the account may work, as told.
    pub fn standing(&self) -> Option<Standing> {
        self.standing
    }

    /// Whether pages of work are offered.
    pub fn works(&self) -> bool {
        self.sheet.is_none() && self.standing.is_none_or(Standing::works)
    }
}

impl Staff {
    pub(super) fn hear_accounts(&mut self, event: OperatorsEvent) -> Action {
        match event {
            OperatorsEvent::AtTheDoor(accounts) => {
                if let Page::Unlock(screen) = &mut self.page {
                    screen.set_accounts(accounts);
                }
            }
            OperatorsEvent::Entered { role, standing } => {
                self.accounts.role = Some(role);
                self.accounts.standing = Some(standing);
                return self.settle();
            }
            OperatorsEvent::Accounts(list, approvers) => {
                self.accounts.list = list;
                self.accounts.approvers = approvers;
            }
            OperatorsEvent::ApprovalAsked { act, by, about } => {
                self.accounts.approval = Some(approve::Approve::new(act, by, about));
                return Action::Focus(approve::PASSPHRASE);
            }
            OperatorsEvent::ApprovalAbout(changed) => {
                if let Some(approval) = &mut self.accounts.approval {
                    approval.about(changed);
                }
            }
            OperatorsEvent::ApprovalRefused { wait_ms } => {
                if let Some(approval) = &mut self.accounts.approval {
                    approval.refused(wait_ms);
                }
                return Action::Focus(approve::PASSPHRASE);
            }
            OperatorsEvent::ApprovalOver => self.accounts.approval = None,
            OperatorsEvent::RecoverySheet(key) => {
                self.accounts.sheet = Some(key);
                return self.settle();
            }
            OperatorsEvent::RecoverySheetOver => {
                self.accounts.sheet = None;
                self.flash = None;
                return self.settle();
            }
            OperatorsEvent::Rules(text) => {
                if let Page::Rules(screen) = &mut self.page {
                    screen.set_text(&text);
                }
            }
            OperatorsEvent::Done(change) => {
                self.flash = Some(Flash::Account(change));
                if let Page::Operators(screen) = &mut self.page {
                    screen.done();
                }
            }
            OperatorsEvent::Looks { weeks, from, until, rows } => {
                if let Page::Looks(screen) = &mut self.page {
                    screen.set(weeks, (from, until), rows);
                }
            }
            OperatorsEvent::SlotsMissing(names) => self.known.slots_missing = names,
            OperatorsEvent::Joins(joins) => self.known.joins = joins,
            OperatorsEvent::LooksDue(due) => {
                self.known.looks_due = due.filter(|_| self.accounts.role() == Role::Supervisor);
            }
            OperatorsEvent::PaperSaved(path) => self.flash = Some(Flash::PaperSaved(path)),
            OperatorsEvent::LocksIn(seconds) => self.accounts.locks_in = seconds,
            OperatorsEvent::Curtain(accounts) => {
                match &mut self.page {
                    // After a refusal: who was chosen stays chosen.
                    Page::Unlock(screen) if screen.is_curtain() => screen.set_accounts(accounts),
                    _ => {
                        self.forget();
                        self.page = Page::Unlock(unlock::Unlock::curtain(accounts));
                    }
                }
                return Action::Focus(unlock::PASSPHRASE);
            }
        }
        Action::None
    }

    /// The page that comes first: the recovery sheet until it is put away, the rules until they are signed, then work.
    fn settle(&mut self) -> Action {
        if let Some(key) = &self.accounts.sheet {
            self.page = Page::Sheet(sheet::Sheet::new(key.clone()));
            return Action::None;
        }
        let own = self.accounts.role() == Role::Supervisor;
        match self.accounts.standing {
            // A supervisor's yearly training is reading and signing the rules again.
            Some(Standing::RulesUnsigned) => self.read_rules(),
            Some(Standing::TrainingMissing) if own => self.read_rules(),
            Some(Standing::TrainingMissing) => {
                self.page = Page::Untrained;
                Action::None
            }
            Some(Standing::Works(_)) | None => {
                if matches!(self.page, Page::Sheet(_) | Page::Rules(_) | Page::Untrained | Page::Home) {
                    return self.go(Route::Home);
                }
                Action::None
            }
        }
    }

    /// A page that was gone to from an open record could not ask before that was closed.
    pub(super) fn after_closed(&mut self) -> Action {
        match &self.page {
            Page::Operators(_) if self.accounts.list.is_empty() => self.go_operators(),
            Page::Looks(screen) if !screen.is_told() => self.go_looks(),
            _ => Action::None,
        }
    }

    /// Asks for the rules in the language of this window.
    pub(super) fn read_rules(&mut self) -> Action {
        self.page = Page::Rules(rules::Rules::default());
        Action::Ask(StaffCommand::Operators(OperatorsCommand::ReadRules(self.language)))
    }

    /// To the supervisor's page of accounts.
    pub(super) fn go_operators(&mut self) -> Action {
        self.page = Page::Operators(operators::Operators::default());
        Action::Ask(StaffCommand::Operators(OperatorsCommand::Show))
    }

    /// To the sheet of looks that waits, else to this week's.
    pub(super) fn go_looks(&mut self) -> Action {
        self.page = Page::Looks(looks::Looks::default());
        let weeks = self.known.looks_due.map_or(0, |due| due.weeks);
        Action::Ask(StaffCommand::Operators(OperatorsCommand::ShowLooks(weeks)))
    }
}
