//! What the two windows may ask of the desk. Moved, never cloned.
//!
//! Deliberately absent: any staff command that starts, suggests or repeats face entry, or consents; any import of a picture.

use super::aids::AidCommand;
use super::boards::BoardsCommand;
use super::deletion::{DeletionCommand, DoorChange};
use super::guardian::GuardianAct;
use super::guardian_desk::GuardianCommand;
use super::on_paper::FormCommand;
use super::operators::OperatorsCommand;
use super::pairing::PairingCommand;
use super::posture::PostureCommand;
use super::relay::RelayCommand;
use super::rights::{RightsAct, RightsCommand};
use crate::domain::card::CardUid;
use crate::domain::consent::Signature;
use crate::domain::id::{GateId, ResidentId, StaffId};
use crate::domain::notice::Language;
use crate::domain::resident::AgeBand;
use crate::domain::role::LookWhy;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::CivilDate;
use crate::secret::Passphrase;

use super::notice::{ChangeAnswer, NoticeCommand};

/// From the staff window.
#[derive(Debug)]
pub enum StaffCommand {
    /// First run: makes the vault.
    CreateVault {
        /// Shown name of the first account.
        operator: String,
        /// Typed twice on the screen, checked there.
        passphrase: Passphrase,
        /// Facts typed so far; the rest can follow in the settings.
        facts: SiteFacts,
    },
    /// Later runs.
    Unlock {
        /// Whose account; `None` is the one that was made first.
        account: Option<StaffId>,
        /// As typed.
        passphrase: Passphrase,
    },
    /// Shuts the staff window until somebody types a passphrase; residents go on withdrawing, and the gates are served.
    Shut,
    /// Closes the desk at once; stops whatever runs on the resident window and wipes every key from memory.
    Lock,
    /// By unit, or by surname + unit, or by a tapped card (then `CardTapped`). Never a list of everybody.
    Find {
        /// As typed, e.g. `3-1201` or `王 3-1201`.
        query: String,
    },
    /// Opens one record, for this reason (logged).
    OpenResident(ResidentId, LookWhy),
    /// Closes it.
    CloseResident,
    /// Adds or edits a resident; raw fields, checked by the desk.
    SaveResident {
        /// `None` for a new one.
        id: Option<ResidentId>,
        /// As typed.
        name: String,
        /// As typed.
        unit: String,
        /// Chosen.
        age_band: AgeBand,
        /// For minors, as typed (`2030-05-01`).
        next_band_on: String,
        /// As typed.
        ends_on: String,
    },
    /// A keyboard-wedge reader typed this into the card field.
    WedgeTyped(String),
    /// Issues the card that was last read to the opened resident.
    IssueCard {
        /// Whose.
        resident: ResidentId,
        /// The number that was read.
        uid: CardUid,
        /// Ticked.
        gates: Vec<GateId>,
    },
    /// Writes the site's facts.
    SaveFacts(SiteFacts),
    /// Looking for gates and pairing them.
    Pairing(PairingCommand),
    /// Asks a gate whether the last issued card would open it: the card way test.
    TestCardWay(GateId),
    /// Asks for the gates page again.
    ShowGates,
    /// Stops what runs on the resident window and wipes what is held.
    StopFace,
    /// Withdraws a consent by phone or paper for the opened resident.
    WithdrawFor(ResidentId),
    /// The opened resident is here without the card, and staff have checked who it is: the withdrawal comes on the resident's own screen, which
    /// the person confirms there.
    WithdrawAtScreen(ResidentId),
    /// Pausing, fewer doors, stops, endings, certificates, retention.
    Deletion(DeletionCommand),
    /// About requests and rights.
    Rights(RightsCommand),
    /// About the notice, its assessment, signs and entrusted parties.
    Notice(NoticeCommand),
    /// The evidence: the log, its heads outside, what was shown.
    Evidence(super::evidence::EvidenceCommand),
    /// Accounts, training, approvals.
    Operators(OperatorsCommand),
    /// Guardians, wards and the yearly figures of minors.
    Guardian(GuardianCommand),
    /// The form that is signed on paper.
    Form(FormCommand),
    /// The machine that the desk runs on.
    Posture(PostureCommand),
    /// Gates that are compared, put right and replaced.
    Relay(RelayCommand),
    /// Card boards.
    Boards(BoardsCommand),
    /// Backups and keys.
    Keep(super::keep::KeepCommand),
    /// Incidents, the end of a manager's work, papers for an audit.
    Duties(super::duties::DutiesCommand),
}

/// From the resident window.
#[derive(Debug)]
pub enum ResidentCommand {
    /// Language of the resident window.
    Language(Language),
    /// The public rules, without login.
    ShowRules,
    /// "Use my face too" on the idle screen: the card tap comes next.
    AskFace,
    /// "Withdraw and delete" on the idle screen: the card tap comes next.
    AskWithdraw,
    /// A keyboard-wedge reader typed this while the window waits for a card.
    WedgeTyped(String),
    /// Back to the idle screen from a screen on which nothing is held.
    Back,
    /// The end of the notice was on screen.
    NoticeReachedEnd,
    /// From the end of the notice to the consent page.
    GoToConsent,
    /// No: one tap.
    Refuse,
    /// The box was ticked, Yes was pressed, and this was signed.
    Consent {
        /// As drawn or typed.
        signature: Signature,
    },
    /// Stop, at any step: what is held is wiped.
    Stop,
    /// Camera trouble is mended: try again under the same consent.
    TryAgain,
    /// Look once more, for the gate.
    TryGate,
    /// Skips the try, or leaves the receipt.
    Finish,
    /// Confirms the withdrawal.
    ConfirmWithdraw,
    /// From the withdrawal page: only pause, or fewer doors.
    AskDoors,
    /// Changes something about the own doors.
    ChangeDoors(DoorChange),
    /// Saves the receipt, or after a withdrawal the deletion certificate, as a PDF at this path (chosen by the resident-facing save button).
    SaveReceipt(std::path::PathBuf),
    /// About one's own information and rights.
    Rights(RightsAct),
    /// The answer to a changed notice.
    AnswerChange(ChangeAnswer),
    /// Acts of a guardian, a child or a ward, and signing on paper.
    Guardian(GuardianAct),
    /// Reading aloud, paper, what is on screen.
    Aid(AidCommand),
}

/// Any command.
#[derive(Debug)]
pub enum Command {
    /// From the staff window.
    Staff(StaffCommand),
    /// From the resident window.
    Resident(ResidentCommand),
    /// The program is closing: lock, and in practice erase what was enrolled.
    Close,
}

/// One act on a practice device. Never reaches the desk: the tools window moves the practice camera and reader only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PracticeAct {
    /// Lays the card with this number on the reader, for as long as a tap takes.
    TapCard(usize),
    /// Takes away what lies on the reader.
    TakeCardAway,
    /// Seats the person with this number before the camera.
    Seat(usize),
    /// Leaves the chair empty.
    Nobody,
    /// Puts the next person beside the one who sits there.
    TwoPeople,
    /// Turns the light out on the one who sits there; seating somebody turns it on.
    Dark,
    /// Pulls the camera's plug.
    UnplugCamera,
    /// Plugs it in again; it must be opened anew. Also ends a stall.
    PlugCamera,
    /// Lets the camera fall silent without going away.
    StallCamera,
    /// Pulls the reader's plug.
    UnplugReader,
    /// Plugs it in again.
    PlugReader,
    /// Pulls the card while it is read.
    PullCard,
}

/// A fact and its text, as the settings page edits it.
pub type FactText = (Fact, String);

/// Reads a typed date: `2027-01-31`, `2027/1/31`, `20270131`.
pub fn parse_date(text: &str) -> Option<CivilDate> {
    let text = text.trim().replace(['/', '.', '年', '月'], "-").replace('日', "");
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        let (year, rest) = text.split_at(4);
        let (month, day) = rest.split_at(2);
        return CivilDate::parse(&format!("{year}-{month}-{day}"));
    }
    let parts: Vec<&str> = text.split('-').collect();
    match parts[..] {
        [y, m, d] => CivilDate::parse(&format!("{y:0>4}-{m:0>2}-{d:0>2}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_type_them() {
        for text in ["2027-01-31", "2027/1/31", "20270131", "2027年1月31日", " 2027.1.31 "] {
            assert_eq!(parse_date(text).map(|d| d.to_string()).as_deref(), Some("2027-01-31"), "{text}");
        }
        assert_eq!(parse_date("31/1/2027"), None);
        assert_eq!(parse_date(""), None);
    }
}
