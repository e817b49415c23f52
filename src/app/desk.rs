//! The enrollment desk: one command in, events out. No threads, no clock, no windows; the runner gives it `now`.

mod around;
mod opening;
mod upkeep;

use std::path::PathBuf;
use std::sync::Arc;

use super::accounts::Operators;
use super::aids::Aids;
use super::boards::{BoardLinkMaker, BoardView};
use super::command::Command;
use super::courier::{Courier, Shared};
use super::deletion::SiteView;
use super::enroll::Flow;
use super::event::{Event, Failure, FieldFault, ResidentScene, ResidentView, StaffEvent};
use super::idle::Idle;
use super::kdf::Kdf;
use super::notice::NoticeFailure;
use super::notice_care::NoticeCare;
use super::on_paper::FormView;
use super::posture::Watch;
use crate::domain::Realm;
use crate::domain::audit::Actor;
use crate::domain::card::CardUid;
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ResidentId, SiteId};
use crate::domain::notice::Language;
use crate::domain::permit::Conditions;
use crate::domain::rights::RequestCounts;
use crate::domain::site::SiteFacts;
use crate::domain::time::{CivilDate, Timestamp};
use crate::ports::{
    Camera, CardReader, FaceEngine, GateLink, Networks, Posture, Printer, ReaderError, SecurityChip, Speech,
};
use crate::vault::{Vault, VaultError};
use crate::wire::keys::IdentityKeys;

/// Makes a link to gates once the vault has given up the station's keys.
pub type LinkMaker = Box<dyn Fn(Arc<IdentityKeys>, SiteId, Realm) -> Box<dyn GateLink> + Send>;

/// The machine's devices, joined by the binary.
pub struct Devices {
    /// The webcam.
    pub camera: Box<dyn Camera>,
    /// The face engine's child process.
    pub engine: Box<dyn FaceEngine>,
    /// The card reader.
    pub reader: Box<dyn CardReader>,
    /// The voice that reads aloud.
    pub speech: Box<dyn Speech>,
    /// The printer.
    pub printer: Box<dyn Printer>,
    /// The channel to gates.
    pub link: LinkMaker,
    /// The wire to card boards.
    pub boards: BoardLinkMaker,
    /// The machine itself.
    pub posture: Box<dyn Posture>,
    /// The machine's security chip.
    pub chip: Box<dyn SecurityChip>,
}

/// Where and how.
#[derive(Clone, Debug)]
pub struct DeskConfig {
    /// Folder of the vault.
    pub data_dir: PathBuf,
    /// Real or practice.
    pub realm: Realm,
    /// Cost of the passphrase's key derivation.
    pub kdf: Kdf,
}

/// What is open while an operator is logged in.
pub(super) struct Open {
    pub vault: Vault,
    pub link: Box<dyn GateLink>,
    pub keys: Arc<IdentityKeys>,
    pub shared: Arc<Shared>,
    pub facts: SiteFacts,
    pub opened: Option<ResidentId>,
    pub last_issued: Option<CardUid>,
    pub flow: Flow,
    /// Consents that should have ended while the disk did not take it: tried again until it does.
    owed: Vec<(ResidentId, EraseReason, Actor)>,
    /// The day on which overdue consents were last ended.
    pub cared_on: CivilDate,
    /// The last run of retention could not end or erase everything.
    pub retention_failed: bool,
    /// The last believed instant, while the clock is further ahead of it than can be believed: nothing ends by its date meanwhile.
    pub clock_doubt: Option<Timestamp>,
    /// The page of stops, endings and retention as last told.
    pub site_shown: Option<SiteView>,
    /// When the next ending that a gate has not signed for becomes an alarm.
    pub overdue_at: Option<Timestamp>,
    /// The paired gates as last read; read again after each command and each change the courier saw.
    gates: Vec<GateRecord>,
    pub(super) stale: bool,
    changes_seen: u64,
    desk_shown: Option<Conditions>,
    pub opened_shown: Option<ResidentView>,
    /// The counts of requests as last told.
    pub requests_told: Option<RequestCounts>,
    pub notice: NoticeCare,
    pub chain: super::evidence::ChainSeen,
    /// Replacements as last told.
    pub replacements_shown: Option<Vec<crate::domain::relay::Replacement>>,
    /// A gate that has proved its code and is to replace this one, until a second person approves.
    pub newcomer: Option<(crate::domain::id::GateId, crate::domain::gate::GateRecord)>,
    /// What gates refused, as last told.
    pub wedged_shown: Option<Vec<crate::domain::relay::Wedged>>,
    pub form_shown: Option<FormView>,
    pub pairing: super::pairing::Pairing,
    /// The card boards as last told.
    pub boards_shown: Option<Vec<BoardView>>,
}

impl Open {
    /// Whatever the staff window was told counts as not told.
    pub(super) fn say_again(&mut self) {
        self.desk_shown = None;
        self.opened_shown = None;
        self.site_shown = None;
        self.requests_told = None;
        self.replacements_shown = None;
        self.wedged_shown = None;
        self.form_shown = None;
        self.boards_shown = None;
        self.chain.say_again();
        self.notice.say_again();
        self.stale = true;
    }

    /// Nobody is at the staff window any more: what was begun there is put away.
    pub(super) fn forget_staff(&mut self) {
        self.close_record();
        self.last_issued = None;
        self.newcomer = None;
        self.pairing = super::pairing::Pairing::default();
        self.link.search_over();
    }
}

impl Open {
    /// No record is open any more.
    pub(super) fn close_record(&mut self) {
        self.opened = None;
        self.vault.close_look();
    }

    /// What the windows were told may no longer be so: it is gathered again.
    pub fn mark_stale(&mut self) {
        self.stale = true;
    }
}

/// The desk.
pub struct Desk {
    pub(super) config: DeskConfig,
    pub(super) devices: Devices,
    pub(super) open: Option<Box<Open>>,
    pub(super) language: Language,
    pub(super) out: Vec<Event>,
    /// Over which gates and boards are reached; known to every link.
    pub(super) networks: Networks,
    courier: Option<Courier>,
    /// How often the courier ended by a fault in this session.
    courier_falls: u8,
    card_there: Option<CardUid>,
    reader_asked: Option<Timestamp>,
    pub(super) reader_state: Option<ReaderError>,
    pub(super) busy_shown: bool,
    pub(super) last_offered: bool,
    /// The clock as last told.
    told: Option<Timestamp>,
    /// A clock that never goes back: every wait is measured on it, so that a clock that is set back keeps no camera on.
    pub(super) moment: Timestamp,
    /// When somebody, or a device, last did something on the resident window.
    pub(super) acted_at: Timestamp,
    cared_at: Timestamp,
    pub(super) operators: Operators,
    pub(super) keep: super::keep::Keep,
    pub(super) idle: Idle,
    pub(super) aids: Aids,
    pub(super) watch: Watch,
}

impl Desk {
    /// Looks at the data folder and says which first screen applies.
    pub fn new(config: DeskConfig, devices: Devices) -> Self {
        Self {
            config,
            devices,
            open: None,
            language: Language::Chinese,
            out: vec![],
            networks: Networks::default(),
            courier: None,
            courier_falls: 0,
            card_there: None,
            reader_asked: None,
            reader_state: None,
            busy_shown: false,
            last_offered: false,
            told: None,
            moment: Timestamp::default(),
            acted_at: Timestamp::default(),
            cared_at: Timestamp::default(),
            operators: Operators::default(),
            keep: super::keep::Keep::default(),
            idle: Idle::default(),
            aids: Aids::default(),
            watch: Watch::default(),
        }
    }

    /// Takes note of the clock. A step back counts as no time at all.
    pub(super) fn pass_time(&mut self, now: Timestamp) {
        let passed = self.told.map_or(0, |told| now.since(told)).max(0);
        if let Some(told) = self.told {
            self.doubt_clock(told, now);
        }
        self.moment = self.moment.plus_ms(passed);
        self.told = Some(now);
    }

    /// Whether more than this many milliseconds went by since a moment.
    pub(super) fn is_past(&self, since: Timestamp, limit_ms: i64) -> bool {
        self.moment.since(since) > limit_ms
    }

    /// The first events: realm, and first run or locked.
    pub fn start(&mut self, now: Timestamp) -> Vec<Event> {
        self.out.push(Event::Realm(self.config.realm));
        self.say_door(now);
        self.scene(ResidentScene::Closed);
        std::mem::take(&mut self.out)
    }

    /// One command in, events out. Who knows how long it took says when it was over ([`Self::command_over`]).
    pub fn handle(&mut self, command: Command, now: Timestamp) -> Vec<Event> {
        self.pass_time(now);
        self.nobody_waits();
        match command {
            Command::Staff(command) => {
                self.handle_staff(command, now);
                self.care_notice(now);
            }
            Command::Resident(command) => {
                self.note_touch(&command);
                self.handle_resident(command, now);
            }
            Command::Close => self.close(now),
        }
        if let Some(open) = self.open.as_mut() {
            open.stale = true;
        }
        self.tell_request_counts(now);
        self.after(now);
        std::mem::take(&mut self.out)
    }

    /// A moment passed: reader, camera, gates.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Event> {
        self.pass_time(now);
        self.poll_reader(now);
        self.listen();
        self.watch_machine(now);
        self.go_on_changing(now);
        self.hear_gates_late(now);
        self.step(now);
        self.care(now);
        self.care_notice_daily(now);
        self.mind_search();
        self.watch_idle(now);
        self.after(now);
        std::mem::take(&mut self.out)
    }

    /// Whether the desk wants to be ticked soon (a camera is on, or envelopes wait).
    pub fn is_lively(&self) -> bool {
        self.open.as_ref().is_some_and(|o| matches!(o.flow, Flow::Capturing(_) | Flow::Sending(_) | Flow::Trying(_)))
    }

    /// Every value at the desk, decrypted: for tests that look for what must not be there.
    ///
    /// # Errors
    /// Those of the vault; nothing when it is locked.
    #[cfg(feature = "practice")]
    pub fn decrypted_values(&self) -> Result<Vec<u8>, VaultError> {
        self.open.as_ref().map_or(Ok(vec![]), |open| open.vault.decrypted_values())
    }

    /// Whether nobody is logged in.
    pub fn is_locked(&self) -> bool {
        self.open.is_none()
    }

    /// The courier of the vault that was just unlocked, once: the runner gives it a thread, a test drives it by hand.
    pub fn take_courier(&mut self) -> Option<Courier> {
        self.courier.take()
    }

    pub(super) fn say(&mut self, event: StaffEvent) {
        if self.reaches_staff(&event) {
            self.out.push(Event::Staff(event));
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.say(StaffEvent::Failed(failure));
    }

    pub(super) fn scene(&mut self, scene: ResidentScene) {
        self.note_scene(&scene);
        self.out.push(Event::Resident(scene));
    }

    /// Runs a vault operation; a failure is told to the staff.
    pub(super) fn vault<T>(&mut self, act: impl FnOnce(&mut Vault) -> Result<T, VaultError>) -> Option<T> {
        let open = self.open.as_mut()?;
        match act(&mut open.vault) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(failure_of(error));
                None
            }
        }
    }
}

/// What a vault error means to a person.
pub(super) fn failure_of(error: VaultError) -> Failure {
    if let Some(failure) = super::accounts::account_failure(&error) {
        return Failure::Operators(failure);
    }
    if let Some(failure) = super::keep::keep_failure(&error) {
        return Failure::Keep(failure);
    }
    match error {
        VaultError::WrongPassphrase { wait_ms } | VaultError::TooSoon { wait_ms } => {
            Failure::WrongPassphrase { wait_ms }
        }
        VaultError::PassphraseTooShort => Failure::PassphraseTooShort,
        VaultError::CardNeeded => Failure::CardUnknown,
        VaultError::GuardianNeeded => Failure::DeciderChanged,
        VaultError::GuardianNotChecked => Failure::GuardianNotChecked,
        VaultError::EndWrong => Failure::Field(FieldFault::EndDate),
        VaultError::SwitchedOffEarlier { heard_at } => Failure::Field(FieldFault::HeardSince(heard_at)),
        VaultError::ConsentNotCurrent
        | VaultError::RefusalStands
        | VaultError::NoticeNotShown
        | VaultError::ViewMissing
        | VaultError::FormWrong => Failure::FaceNotOffered,
        VaultError::NoGate => Failure::NoGateChosen,
        VaultError::ConsentThere => Failure::AlreadyEnrolled,
        VaultError::OldFaceThere => Failure::OldFaceThere,
        VaultError::SiteFileRefused => Failure::Notice(NoticeFailure::SiteFileRefused),
        VaultError::RegistryRefused => Failure::Notice(NoticeFailure::RegistryRefused),
        VaultError::OtherRealm => Failure::OtherRealm,
        VaultError::Corrupt { file } => Failure::VaultDamaged(file),
        VaultError::SlotDamaged => Failure::SlotDamaged,
        VaultError::KeysOlder => Failure::KeysOlder,
        VaultError::DiskFull => Failure::DiskFull,
        VaultError::CardTaken => Failure::CardTaken,
        VaultError::CardSame => Failure::CardSame,
        VaultError::ManagerLeft => Failure::Duty(super::duties::DutyFailure::ManagerLeft),
        VaultError::RequestDecided | VaultError::RequestUndecided => {
            super::rights::fault_of(&error).map_or(Failure::FaceNotOffered, Failure::Request)
        }
        VaultError::InUse => Failure::VaultInUse,
        VaultError::TooNew { file } => Failure::VaultTooNew(file),
        VaultError::Busy => Failure::VaultBusy,
        VaultError::Unknown | VaultError::Absent => Failure::NotRecorded,
        VaultError::IdUsed => Failure::UsedAlready,
        VaultError::Disk(_) => Failure::DiskFailed(error.to_string()),
        // No command of a window comes here in ordinary use; whoever helps is told which it was.
        other => Failure::NotDone(other.to_string()),
    }
}
