//! What staff do for minors and wards: note that a guardian showed a proof, mark an adult under guardianship, and read the yearly figures.
//! None of it begins or decides anything about a face. Rules: M6, M7, M11.

use super::command::StaffCommand;
use super::desk::Desk;
use super::event::{Failure, FieldFault, StaffEvent};
use crate::domain::guardian::{Decider, GuardianDraft, GuardianRole, MinorsFigures, ProofSeen};
use crate::domain::id::{GuardianId, ResidentId};
use crate::domain::role::LookWhy;
use crate::domain::time::{CivilDate, Timestamp};
use crate::notice;
use crate::secret::random_bytes;

/// From the staff window.
#[derive(Debug)]
pub enum GuardianCommand {
    /// A guardian is here and showed a proof; only its kind is noted. Raw fields, checked by the desk.
    Check {
        /// Of whom.
        resident: ResidentId,
        /// As typed.
        name: String,
        /// Chosen.
        role: GuardianRole,
        /// Chosen.
        proof: ProofSeen,
        /// As typed; may be empty.
        phone: String,
    },
    /// An adult needs a guardian, or no longer does.
    MarkWard {
        /// Who.
        resident: ResidentId,
        /// Needs one.
        is_ward: bool,
    },
    /// The numbers of one calendar year.
    ShowFigures {
        /// The year; `None` for the one that runs.
        year: Option<i32>,
    },
}

/// To the staff window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardianEvent {
    /// Who decides for the opened resident, and the guardian who was last checked.
    Shown {
        /// Whose record.
        resident: ResidentId,
        /// Who decides.
        decider: Decider,
        /// The guardian.
        guardian: Option<GuardianView>,
        /// Under fourteen, and the named person for children's data is not written: card only.
        is_card_only: bool,
    },
    /// The guardian was noted.
    Checked,
    /// The numbers of a year.
    Figures {
        /// The year.
        year: i32,
        /// The numbers.
        figures: MinorsFigures,
        /// Until when the audit is to be reported: the end of January after it (A-MIN).
        report_by: CivilDate,
    },
}

/// A guardian as staff see one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardianView {
    /// Full name.
    pub name: String,
    /// What they are to the person.
    pub role: GuardianRole,
    /// The kind of proof that was looked at.
    pub proof: ProofSeen,
    /// May be empty.
    pub phone: String,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// By whom.
    pub checked_by: String,
    /// Whether the check still stands: the guardian is at the desk.
    pub is_here: bool,
}

impl Desk {
    pub(super) fn handle_guardian_desk(&mut self, command: GuardianCommand, now: Timestamp) {
        let command = match command {
            GuardianCommand::Check { resident, .. } | GuardianCommand::MarkWard { resident, .. } => {
                let again = StaffCommand::Guardian(command);
                match self.with_minor(resident, LookWhy::Here, again, now) {
                    Some(StaffCommand::Guardian(command)) => command,
                    _ => return,
                }
            }
            GuardianCommand::ShowFigures { .. } => command,
        };
        match command {
            GuardianCommand::Check { resident, name, role, proof, phone } => {
                self.check_guardian(resident, &name, role, proof, &phone, now);
            }
            GuardianCommand::MarkWard { resident, is_ward } => {
                if self.vault(|v| v.mark_ward(resident, is_ward, now)).is_some() {
                    self.ring();
                    self.show_opened(now);
                }
            }
            GuardianCommand::ShowFigures { year } => {
                self.show_figures(year.unwrap_or_else(|| now.date().year()).clamp(1970, 9_998));
            }
        }
    }

    fn check_guardian(
        &mut self,
        resident: ResidentId,
        name: &str,
        role: GuardianRole,
        proof: ProofSeen,
        phone: &str,
        now: Timestamp,
    ) {
        let Some(decider) = self.vault(|v| v.decider(resident, now)) else { return };
        let draft = match GuardianDraft::parse(resident, decider, name, role, proof, phone) {
            Ok(draft) => draft,
            Err(fault) => return self.fail(Failure::Field(FieldFault::Guardian(fault))),
        };
        let id = GuardianId::from_bytes(random_bytes());
        if self.vault(|v| v.record_guardian(&draft, id, now)).is_some() {
            self.say(StaffEvent::Guardian(GuardianEvent::Checked));
            if self.open.as_ref().is_some_and(|open| open.opened == Some(resident)) {
                self.show_guardian(resident, now);
            }
        }
    }

    /// Tells the staff window who decides for the open record.
    pub(super) fn show_guardian(&mut self, resident: ResidentId, now: Timestamp) {
        let shown = self.vault(|v| {
            let decider = v.decider(resident, now)?;
            let guardian = v.current_guardian(resident)?;
            let by = guardian.as_ref().map(|g| v.checker_name(g)).transpose()?.unwrap_or_default();
            Ok((decider, guardian, by))
        });
        let Some((decider, guardian, checked_by)) = shown else { return };
        let has_rules = self.open.as_ref().is_some_and(|o| notice::has_childrens_rules(&o.facts));
        let guardian = guardian.filter(|_| decider.needs_guardian()).map(|g| GuardianView {
            name: g.name.as_str().to_owned(),
            role: g.role,
            proof: g.proof,
            is_here: g.is_here(now),
            checked_at: g.checked_at,
            phone: g.phone,
            checked_by,
        });
        let is_card_only = decider == Decider::ChildsGuardian && !has_rules;
        self.say(StaffEvent::Guardian(GuardianEvent::Shown { resident, decider, guardian, is_card_only }));
    }

    fn show_figures(&mut self, year: i32) {
        let day = |text: String| CivilDate::parse(&text);
        let (Some(first), Some(next), Some(report_by)) = (
            day(format!("{year:04}-01-01")),
            day(format!("{:04}-01-01", year + 1)),
            day(format!("{:04}-01-31", year + 1)),
        ) else {
            return;
        };
        let (from, until) = (first.plus_days(-1).end(), next.plus_days(-1).end());
        if let Some(figures) = self.vault(|v| v.minors_figures(from, until)) {
            self.say(StaffEvent::Guardian(GuardianEvent::Figures { year, figures, report_by }));
        }
    }
}
