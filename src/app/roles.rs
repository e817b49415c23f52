//! Least rights: which role may give which command. The one door is [`Desk::is_allowed`], below the windows. Rule: P51-4.
//!
//! The match has no wildcard on purpose: a new command does not compile until somebody has said who may give it. An area with commands of
//! its own (`StaffCommand::Area(AreaCommand)`) is matched command by command here too.

use super::command::StaffCommand;
use super::deletion::{Closing, DeletionCommand};
use super::desk::Desk;
use super::duties::{DutiesCommand, IncidentCommand, SiteEndCommand};
use super::event::Failure;
use super::evidence::EvidenceCommand;
use super::guardian_desk::GuardianCommand;
use super::notice::{NoticeCommand, Paper};
use super::on_paper::FormCommand;
use super::operators::{OperatorsCommand, OperatorsFailure};
use super::pairing::PairingCommand;
use super::posture::PostureCommand;
use super::relay::RelayCommand;
use super::rights::RightsCommand;
use crate::domain::account::AccountEvent;
use crate::domain::permit::Condition;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;

/// Who may give a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody at the keyboard: these open or close the desk, and prove themselves by a passphrase where they need one.
    AtTheDoor,
    /// These roles, logged in, also while the account may not work yet: what leads to its training, or is about itself only.
    Own(&'static [Role]),
    /// These roles, logged in, with training and undertaking on record.
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
            Access::Own(roles) | Access::Roles(roles) => roles.contains(&role),
        }
    }
}

const EVERYBODY: &[Role] = &[Role::FrontDesk, Role::Supervisor, Role::Technician, Role::Auditor];
pub(super) const PEOPLE: &[Role] = &[Role::FrontDesk, Role::Supervisor];
pub(super) const GATES: &[Role] = &[Role::FrontDesk, Role::Supervisor, Role::Technician];
const SHEETS: &[Role] = &[Role::Supervisor, Role::Auditor];
pub(super) const SUPERVISOR: &[Role] = &[Role::Supervisor];
const REPORTS: &[Role] = &[Role::Supervisor, Role::Auditor];
const ENTERS: &[Role] = &[Role::Supervisor, Role::Technician];
const INCIDENTS: &[Role] = &[Role::Supervisor, Role::Technician, Role::Auditor];
const HEADS: &[Role] = &[Role::FrontDesk, Role::Supervisor, Role::Auditor];

const fn door(name: &'static str) -> Row {
    Row { name, access: Access::AtTheDoor }
}

pub(super) const fn only(name: &'static str, roles: &'static [Role]) -> Row {
    Row { name, access: Access::Roles(roles) }
}

const fn own(name: &'static str, roles: &'static [Role]) -> Row {
    Row { name, access: Access::Own(roles) }
}

/// The row of a command.
pub fn row(command: &StaffCommand) -> Row {
    use StaffCommand as C;
    match command {
        C::CreateVault { .. } => door("create-vault"),
        C::Unlock { .. } => door("unlock"),
        C::Shut => door("shut"),
        C::Lock => door("lock"),
        C::Find { .. } => only("find", PEOPLE),
        C::OpenResident(..) => only("open-resident", PEOPLE),
        C::CloseResident => only("close-resident", PEOPLE),
        C::SaveResident { .. } => only("save-resident", PEOPLE),
        C::WedgeTyped(_) => only("wedge-typed", PEOPLE),
        C::IssueCard { .. } => only("issue-card", PEOPLE),
        C::SaveFacts(_) => only("save-facts", SUPERVISOR),
        C::Pairing(PairingCommand::Look) => only("look-for-gates", SUPERVISOR),
        C::Pairing(PairingCommand::ChooseLan(_)) => only("choose-lan", SUPERVISOR),
        C::Pairing(PairingCommand::LeaveNetwork(_)) => only("leave-network", SUPERVISOR),
        C::Pairing(PairingCommand::Pair { .. }) => only("pair-gate", SUPERVISOR),
        C::Pairing(PairingCommand::Repair(_)) => only("repair-gate", SUPERVISOR),
        C::TestCardWay(_) => only("test-card-way", PEOPLE),
        C::ShowGates => only("show-gates", GATES),
        // Stopping wipes what is held: whoever sees that it must stop may stop it.
        C::StopFace => own("stop-face", EVERYBODY),
        C::WithdrawFor(_) => only("withdraw-for", PEOPLE),
        C::WithdrawAtScreen(_) => only("withdraw-at-screen", PEOPLE),
        C::Deletion(command) => deletion(command),
        C::Rights(command) => rights_row(command),
        C::Notice(command) => notice_row(command),
        C::Evidence(command) => evidence(command),
        C::Operators(command) => operators(command),
        C::Keep(command) => keep(command),
        C::Guardian(GuardianCommand::Check { .. }) => only("guardian-check", PEOPLE),
        C::Guardian(GuardianCommand::MarkWard { .. }) => only("mark-ward", PEOPLE),
        C::Guardian(GuardianCommand::ShowFigures { .. }) => only("minors-figures", SHEETS),
        C::Boards(command) => super::boards::row(command),
        C::Form(FormCommand::Save(_)) => only("form-save", PEOPLE),
        C::Form(FormCommand::Seen) => only("form-seen", PEOPLE),
        // Sees no people: whoever stands at the machine may know how it is.
        C::Relay(RelayCommand::Show) => only("show-relay", GATES),
        C::Relay(RelayCommand::Repair(_)) => only("put-gate-right", PEOPLE),
        C::Relay(RelayCommand::SetClock(_)) => only("set-gate-clock", SUPERVISOR),
        C::Relay(RelayCommand::Replace { .. }) => only("replace-gate", SUPERVISOR),
        C::Relay(RelayCommand::ReplaceProved(_)) => only("go-on-replacing", SUPERVISOR),
        C::Relay(RelayCommand::Retry(_)) => only("retry-refused", PEOPLE),
        C::Relay(RelayCommand::Concerned(_)) => only("show-concerned", PEOPLE),
        C::Relay(RelayCommand::Invited(..)) => only("show-invited", PEOPLE),
        C::Relay(RelayCommand::WhoseNumber { .. }) => only("whose-number", SUPERVISOR),
        C::Posture(PostureCommand::Check) => only("machine-check", GATES),
        C::Posture(PostureCommand::Examine) => only("machine-examine", GATES),
        C::Posture(PostureCommand::AcceptCamera(_)) => only("accept-device", ENTERS),
        C::Posture(PostureCommand::Save { .. }) => only("machine-save", GATES),
        C::Duties(command) => duties(command),
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
        R::SaveGuardianPaper { .. } => only("save-guardian-sheet", PEOPLE),
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
        D::RenewTemplates => only("change-gate-transform", SUPERVISOR),
        D::RetireGate(_) => only("retire-gate", SUPERVISOR),
        D::SwitchedOff { .. } => only("switched-off", GATES),
        D::MeetFormer { .. } => only("meet-former-gate", GATES),
        D::Show => only("show-deletions", EVERYBODY),
        D::RunRetention => only("run-retention", PEOPLE),
        D::ConfirmDate => only("confirm-date", PEOPLE),
    }
}

/// The rows of the seldom duties. Whoever sees an incident enters it, and faces stop; the letters name people, so they are the supervisor's, and so is
/// everything of a manager who leaves.
fn duties(command: &DutiesCommand) -> Row {
    match command {
        DutiesCommand::Incident(IncidentCommand::Show) => only("show-incidents", INCIDENTS),
        DutiesCommand::Incident(IncidentCommand::Enter(_)) => only("enter-incident-case", ENTERS),
        DutiesCommand::Incident(IncidentCommand::SaveLetters { .. }) => only("save-incident-letters", SUPERVISOR),
        DutiesCommand::Incident(IncidentCommand::Told { .. }) => only("note-incident-told", SUPERVISOR),
        DutiesCommand::Incident(IncidentCommand::Reported { .. }) => only("note-incident-reported", SUPERVISOR),
        DutiesCommand::SiteEnd(SiteEndCommand::Show) => only("show-site-end", SHEETS),
        DutiesCommand::SiteEnd(SiteEndCommand::End { .. }) => only("end-site", SUPERVISOR),
        DutiesCommand::SiteEnd(SiteEndCommand::SavePapers { .. }) => only("save-site-end", SUPERVISOR),
        DutiesCommand::SavePaper { .. } => only("save-duty-paper", SHEETS),
    }
}

/// The row of a command about the notice.
fn notice_row(command: &NoticeCommand) -> Row {
    use NoticeCommand as N;
    match command {
        N::SaveFactsAnyway(_) => only("save-facts-anyway", SUPERVISOR),
        N::RegisterAssessment(_) => only("register-assessment", SUPERVISOR),
        N::EnterIncident(_) => only("enter-incident", SUPERVISOR),
        N::EnterEntrusted { .. } => only("enter-entrusted", SUPERVISOR),
        N::EndEntrusted(_) => only("end-entrusted", SUPERVISOR),
        N::LoadSiteFile(_) => only("load-site-file", SUPERVISOR),
        N::SignPosted { .. } => only("sign-posted", PEOPLE),
        N::TellOnPaper(_) => only("tell-on-paper", PEOPLE),
        N::Save { paper, .. } => paper_row(*paper),
    }
}

/// A paper about one resident is for those who may see residents; the others name nobody of them.
fn paper_row(paper: Paper) -> Row {
    match paper {
        Paper::ChangeSheet(_) | Paper::OtherWaysFor(_) => only("save-own-paper", PEOPLE),
        Paper::Sign(_) | Paper::OtherWays | Paper::Assessment | Paper::EntrustedEnd(_) | Paper::SiteFile => {
            only("save-public-paper", EVERYBODY)
        }
    }
}

/// The log is compared by whoever answers for it; a head may be carried out by the front desk too; what was shown is
/// part of a person's record.
fn evidence(command: &EvidenceCommand) -> Row {
    use EvidenceCommand as E;
    match command {
        E::CheckAll => only("evidence-check", REPORTS),
        E::SaveHead(_) => only("evidence-head", HEADS),
        E::CheckHead(_) => only("evidence-compare-head", HEADS),
        E::Export { .. } => only("evidence-export", REPORTS),
        E::ListShown => only("evidence-list-shown", PEOPLE),
        E::ShowAgain(_) => only("evidence-show-again", PEOPLE),
        E::SaveReplay(..) => only("evidence-save-replay", PEOPLE),
    }
}

/// Keys and backups are the supervisor's; a lost desk is restored by whoever has the printed backup key.
fn keep(command: &super::keep::KeepCommand) -> Row {
    use super::keep::KeepCommand as K;
    match command {
        K::Show => only("show-backups", SUPERVISOR),
        K::NewKey => only("new-backup-key", SUPERVISOR),
        K::SaveSheet(..) => only("save-backup-sheet", SUPERVISOR),
        K::SheetKept => only("backup-key-kept", SUPERVISOR),
        K::BackUp(_) => only("back-up", SUPERVISOR),
        K::Drill(..) => only("restore-drill", SUPERVISOR),
        K::Restore(..) => door("restore"),
        K::ChangeKeys => only("change-keys", SUPERVISOR),
        K::BindComputer => only("bind-computer", SUPERVISOR),
        K::ReleaseComputer => only("release-computer", SUPERVISOR),
    }
}

fn operators(command: &OperatorsCommand) -> Row {
    use OperatorsCommand as C;
    match command {
        C::Show => only("show-accounts", SUPERVISOR),
        C::Add { .. } => only("add-account", SUPERVISOR),
        C::Disable(_) => only("disable-account", SUPERVISOR),
        C::Reset(..) => only("reset-passphrase", SUPERVISOR),
        C::Trained(..) => only("record-training", SUPERVISOR),
        C::ChangePassphrase(..) => own("change-passphrase", EVERYBODY),
        C::ReadRules(_) => own("read-rules", EVERYBODY),
        C::RulesReachedEnd => own("rules-reached-end", EVERYBODY),
        C::SignRules(_) => own("sign-rules", EVERYBODY),
        // Whose act waits may be any role; who approves is checked by their own slot.
        C::Approve(..) => only("approve", EVERYBODY),
        C::ApproveNot => own("approve-not", EVERYBODY),
        C::NewRecoveryKey => only("new-recovery-key", SUPERVISOR),
        // The sheet of the first run comes before the rules are signed.
        C::SaveRecoverySheet(..) => own("save-recovery-sheet", SUPERVISOR),
        C::RecoveryKept => own("recovery-kept", SUPERVISOR),
        C::Recover(..) => door("recover"),
        C::ShowLooks(_) => only("show-looks", SHEETS),
        C::SaveLooks(..) => only("save-looks", SHEETS),
        C::Awake => door("awake"),
    }
}

impl Desk {
    /// The door: whether the account that is logged in may give this command. A refusal is told and logged.
    ///
    /// With nobody logged in the command goes on, and finds nothing open to act on.
    pub(super) fn is_allowed(&mut self, command: &StaffCommand, now: Timestamp) -> bool {
        let row = row(command);
        let Some(role) = self.open.as_ref().map(|open| open.vault.role()) else { return true };
        if !row.allows(role) {
            self.refuse_act(AccountEvent::ActRefused(row.name), Failure::NotYourRole, now);
            return false;
        }
        let Access::Roles(_) = row.access else { return true };
        let standing = self.standing(now);
        if !standing.works() {
            let failure = Failure::Operators(OperatorsFailure::NotTrained(standing));
            self.refuse_act(AccountEvent::NotTrained(row.name), failure, now);
        }
        standing.works()
    }

    /// Whether the account that is logged in may see people now: a card on the reader opens no record for the others.
    pub(super) fn sees_people(&self, now: Timestamp) -> bool {
        self.open.as_ref().is_some_and(|open| open.vault.role().sees_people()) && self.standing(now).works()
    }

    /// Whether somebody who may see people is at the staff window, which is open: the camera goes on beside them only.
    pub(super) fn staffed(&self) -> Condition {
        super::conditions::known(!self.is_curtained() && self.role_sees_people())
    }

    /// Whether the role that is logged in is one of the desk.
    pub(super) fn role_sees_people(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.vault.role().sees_people())
    }

    /// Tells and logs that an act was refused.
    fn refuse_act(&mut self, event: AccountEvent, failure: Failure, now: Timestamp) {
        self.vault(|v| v.record_refused_act(event, now));
        self.fail(failure);
    }
}
