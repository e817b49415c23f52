//! Least rights: which role may give which command. The one door is [`Desk::is_allowed`], below the windows. Rule: P51-4.
//!
//! The match has no wildcard on purpose: a new command does not compile until somebody has said who may give it. An area with commands of
//! its own (`StaffCommand::Area(AreaCommand)`) is matched command by command here too.

use super::command::StaffCommand;
use super::deletion::{Closing, DeletionCommand};
use super::desk::Desk;
use super::event::Failure;
use super::rights::RightsCommand;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;

/// Who may give a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody at the keyboard: these open or close the desk, and prove themselves by a passphrase where they need one.
    AtTheDoor,
    /// These roles, logged in.
    Roles(&'static [Role]),
}

/// A row of the table: the command's stable name, for the log, and who may give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name in the log.
    pub name: &'static str,
    /// Who.
    pub access: Access,
}

impl Row {
    /// Whether a role may give it.
    pub fn allows(&self, role: Role) -> bool {
        match self.access {
            Access::AtTheDoor => true,
            Access::Roles(roles) => roles.contains(&role),
        }
    }
}

const EVERYBODY: &[Role] = &[Role::FrontDesk, Role::Supervisor, Role::Technician, Role::Auditor];
const PEOPLE: &[Role] = &[Role::FrontDesk, Role::Supervisor];
const GATES: &[Role] = &[Role::FrontDesk, Role::Supervisor, Role::Technician];
const SUPERVISOR: &[Role] = &[Role::Supervisor];

const fn door(name: &'static str) -> Row {
    Row { name, access: Access::AtTheDoor }
}

const fn only(name: &'static str, roles: &'static [Role]) -> Row {
    Row { name, access: Access::Roles(roles) }
}

/// The row of a command.
pub fn row(command: &StaffCommand) -> Row {
    use StaffCommand as C;
    match command {
        C::CreateVault { .. } => door("create-vault"),
        C::Unlock { .. } => door("unlock"),
        C::Lock => door("lock"),
        C::Find { .. } => only("find", PEOPLE),
        C::OpenResident(..) => only("open-resident", PEOPLE),
        C::CloseResident => only("close-resident", PEOPLE),
        C::SaveResident { .. } => only("save-resident", PEOPLE),
        C::WedgeTyped(_) => only("wedge-typed", PEOPLE),
        C::IssueCard { .. } => only("issue-card", PEOPLE),
        C::SaveFacts(_) => only("save-facts", SUPERVISOR),
        C::PairGate { .. } => only("pair-gate", SUPERVISOR),
        C::TestCardWay(_) => only("test-card-way", PEOPLE),
        C::ShowGates => only("show-gates", GATES),
        // Stopping wipes what is held: whoever sees that it must stop may stop it.
        C::StopFace => only("stop-face", EVERYBODY),
        C::WithdrawFor(_) => only("withdraw-for", PEOPLE),
        C::Deletion(command) => deletion(command),
        C::Rights(command) => rights_row(command),
    }
}

/// The row of a command about requests. To refuse somebody a right is the supervisor's.
fn rights_row(command: &RightsCommand) -> Row {
    use RightsCommand as R;
    match command {
        R::Show => only("requests", PEOPLE),
        R::Receive { .. } => only("receive-request", PEOPLE),
        R::Open(_) => only("open-request", PEOPLE),
        R::Grant(_) => only("grant-request", PEOPLE),
        R::Finish { .. } => only("finish-request", PEOPLE),
        R::Refuse { .. } => only("refuse-request", SUPERVISOR),
        R::SaveLetter { .. } => only("save-letter", PEOPLE),
        R::SeeAll(_) => only("see-everything-held", PEOPLE),
        R::SavePaper { .. } => only("save-everything-held", PEOPLE),
        R::SaveCopy { .. } => only("save-electronic-copy", PEOPLE),
        R::SaveExplanations(_) => only("save-explanations", PEOPLE),
        R::Explained(_) => only("note-explained", PEOPLE),
        R::RefuseFace { .. } => only("note-face-refused", PEOPLE),
        R::Died { .. } => only("note-death", PEOPLE),
    }
}

/// The rows of pausing, stops, endings and retention. Whoever sees that faces must stop may stop them; taking them up again is a
/// supervisor's deliberate act.
fn deletion(command: &DeletionCommand) -> Row {
    use DeletionCommand as D;
    match command {
        D::PauseFor(_) => only("pause-for", PEOPLE),
        D::ResumeFor(_) => only("resume-for", PEOPLE),
        D::DropDoorFor { .. } => only("drop-door-for", PEOPLE),
        D::CloseRecord { why: Closing::Unlawful, .. } => only("close-record-unlawful", SUPERVISOR),
        D::CloseRecord { why: Closing::MovedOut | Closing::Closed | Closing::Deceased, .. } => {
            only("close-record", PEOPLE)
        }
        D::SaveCertificate { .. } => only("save-certificate", PEOPLE),
        D::StopFaces(_) => only("stop-faces", GATES),
        D::ResumeFaces(_) => only("resume-faces", SUPERVISOR),
        D::RetireGate(_) => only("retire-gate", SUPERVISOR),
        D::SwitchedOff { .. } => only("switched-off", GATES),
        D::Show => only("show-deletions", EVERYBODY),
        D::RunRetention => only("run-retention", PEOPLE),
        D::ConfirmDate => only("confirm-date", PEOPLE),
    }
}

impl Desk {
    /// The door: whether the account that is logged in may give this command. A refusal is told and logged.
    ///
    /// With nobody logged in the command goes on, and finds nothing open to act on.
    pub(super) fn is_allowed(&mut self, command: &StaffCommand, now: Timestamp) -> bool {
        let row = row(command);
        let Some(role) = self.open.as_ref().map(|open| open.vault.role()) else { return true };
        if row.allows(role) {
            return true;
        }
        self.refuse_act(row.name, now);
        false
    }

    /// Whether the account that is logged in may see people: a card on the reader opens no record for the others.
    pub(super) fn sees_people(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.vault.role().sees_people())
    }

    /// Tells and logs that an act was refused for the account's role.
    fn refuse_act(&mut self, name: &'static str, now: Timestamp) {
        self.vault(|v| v.record_refused_act(name, now));
        self.fail(Failure::NotYourRole);
    }
}
