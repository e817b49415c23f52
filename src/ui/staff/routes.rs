//! The ways between the staff window's pages.

use super::{
    Action, Flash, Page, Staff, boards, deletion, duties, evidence, form, gates, home, keep, machine, mine, minors,
    notice, relay, resident, restoring, rights, settings, shown,
};
use crate::app::boards::BoardsCommand;
use crate::app::command::StaffCommand;
use crate::app::deletion::DeletionCommand;
use crate::app::evidence::EvidenceCommand;
use crate::app::guardian_desk::GuardianCommand;
use crate::app::keep::KeepCommand;
use crate::app::relay::RelayCommand;
use crate::app::rights::RightsCommand;
use crate::domain::role::Role;

impl Staff {
    pub(super) fn go(&mut self, route: Route) -> Action {
        self.flash = self.flash.take().filter(|flash| matches!(flash, Flash::Saved | Flash::CardIssued));
        let focus = match route {
            Route::Operators => self.go_operators(),
            Route::Looks => self.go_looks(),
            Route::Mine => {
                self.page = Page::Mine(mine::Mine::default());
                Action::Focus(mine::OLD)
            }
            // Who sees no gates and no people begins with the sheets.
            Route::Home if self.accounts.role() == Role::Auditor => self.go_looks(),
            Route::Home => {
                self.page = Page::Home;
                self.home = home::Home::default();
                Action::Focus(home::SEARCH)
            }
            Route::Add => {
                self.page = Page::Form(form::Form::new());
                Action::Focus(form::NAME)
            }
            Route::Edit => match &self.record {
                Some(record) => {
                    self.page = Page::Form(form::Form::of(record.resident()));
                    Action::Focus(form::NAME)
                }
                None => return self.go(Route::Home),
            },
            Route::Record if self.record.is_some() => {
                self.page = Page::Resident;
                Action::Focus(resident::CARD_FIELD)
            }
            Route::Record => return self.go(Route::Home),
            Route::Facts => {
                self.page = Page::Facts(settings::Facts::new(&self.known.facts));
                Action::None
            }
            Route::Gates => {
                self.page = Page::Gates(gates::Gates::default());
                Action::Ask(StaffCommand::ShowGates)
            }
            Route::WhyOff => {
                self.page = Page::WhyOff;
                Action::None
            }
            Route::Deletion => {
                self.page = Page::Deletion(deletion::Deletion::new(deletion::About::Site));
                Action::Ask(StaffCommand::Deletion(DeletionCommand::Show))
            }
            Route::PersonDeletion if self.record.is_some() => {
                self.page = Page::Deletion(deletion::Deletion::new(deletion::About::Person));
                Action::None
            }
            Route::PersonDeletion => return self.go(Route::Home),
            Route::Rights => {
                let person = self.record.as_ref().map(|record| record.resident());
                self.page = Page::Rights(Box::new(rights::Rights::new(person)));
                Action::Ask(StaffCommand::Rights(RightsCommand::Show))
            }
            Route::Notice | Route::Signs | Route::Assessment => {
                let tab = match route {
                    Route::Signs => notice::Tab::Signs,
                    Route::Assessment => notice::Tab::Assessment,
                    _ => notice::Tab::Changes,
                };
                self.page = Page::Notice(Box::new(notice::Screen::at(tab)));
                Action::None
            }
            Route::Evidence => {
                self.page = Page::Evidence(evidence::Evidence::default());
                Action::None
            }
            Route::Shown if self.record.is_some() => {
                self.page = Page::Shown(shown::Shown::default());
                Action::Ask(StaffCommand::Evidence(EvidenceCommand::ListShown))
            }
            Route::Shown => return self.go(Route::Home),
            Route::Minors => {
                self.page = Page::Minors(minors::Minors::default());
                Action::Ask(StaffCommand::Guardian(GuardianCommand::ShowFigures { year: None }))
            }
            Route::Boards => {
                self.page = Page::Boards(boards::Boards::default());
                Action::Ask(StaffCommand::Boards(BoardsCommand::Show))
            }
            Route::Keep => {
                self.page = Page::Keep(keep::Keep::default());
                Action::Ask(StaffCommand::Keep(KeepCommand::Show))
            }
            Route::Restore => {
                let there = match &self.page {
                    Page::FirstRun(_) => None,
                    Page::Unlock(screen) if !screen.is_curtain() => Some(screen.supervisors().cloned().collect()),
                    _ => return Action::None,
                };
                let before = std::mem::replace(&mut self.page, Page::Starting);
                self.page = Page::Restore(restoring::Restore::new(there), Box::new(before));
                Action::None
            }
            Route::Duties(tab) => {
                self.page = Page::Duties(Box::new(duties::Duties::at(tab)));
                duties::Duties::opening(tab)
            }
            Route::Machine => {
                self.page = Page::Machine(machine::Machine::default());
                Action::None
            }
            Route::Relay => {
                self.page = Page::Relay(relay::Relay::default());
                Action::Ask(StaffCommand::Relay(RelayCommand::Show))
            }
        };
        // A record stays open only while its page or its form is shown.
        if self.record.is_some() && (route == Route::Add || !self.shows_record()) {
            self.record = None;
            self.known.deletion.person = None;
            return Action::Ask(StaffCommand::CloseResident);
        }
        focus
    }

    /// Whether the page is one of the opened record's.
    pub(super) fn shows_record(&self) -> bool {
        match &self.page {
            Page::Resident | Page::Form(_) | Page::Rights(_) | Page::Shown(_) => true,
            Page::Deletion(screen) => screen.about() == deletion::About::Person,
            _ => false,
        }
    }
}

/// A page that can be gone to without an answer from the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Gates, counts and the search field.
    Home,
    /// A new resident.
    Add,
    /// The opened resident's form.
    Edit,
    /// The opened resident's record.
    Record,
    /// The site's facts.
    Facts,
    /// The gates: list and pairing.
    Gates,
    /// Why face entry is off.
    WhyOff,
    /// Stops, endings, retention of the site.
    Deletion,
    /// Pause, doors, endings, certificates of the opened resident.
    PersonDeletion,
    /// Requests, and the rights of the person whose record is open.
    Rights,
    /// Versions of the notice, assessment, signs, entrusted parties.
    Notice,
    /// The same, at the signs.
    Signs,
    /// The same, at the assessment.
    Assessment,
    /// The log and its heads.
    Evidence,
    /// What was shown to the person whose record is open.
    Shown,
    /// The accounts.
    Operators,
    /// The weekly sheet of looks.
    Looks,
    /// One's own account.
    Mine,
    /// The yearly figures of minors.
    Minors,
    /// The machine.
    Machine,
    /// Gates beside each other.
    Relay,
    /// Card boards.
    Boards,
    /// Backups and keys.
    Keep,
    /// Restoring a backup, when nobody is logged in.
    Restore,
    /// Incidents, the end of a manager's work, papers for an audit.
    Duties(super::duties::Tab),
}
