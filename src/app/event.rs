//! What the desk tells the two windows. Holds ids, verdicts and words to show; never a frame, template, key or witness.
//! The one pixel carrier is [`Preview`], downscaled, and only while a consent is held.

use std::sync::Arc;

use super::aids::AidEvent;
use super::boards::BoardsEvent;
use super::deletion::{DeletionEvent, DoorsView};
use super::guardian::GuardianScene;
use super::guardian_desk::GuardianEvent;
use super::on_paper::FormView;
use super::operators::{OperatorsEvent, OperatorsFailure};
use super::pairing::{PairingEvent, PairingFailure};
use super::posture::PostureEvent;
use super::relay::RelayEvent;
use super::rights::{RequestFault, RightsScene, RightsTold};
use crate::domain::Realm;
use crate::domain::card::CardUid;
use crate::domain::gate::GateStatus;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::notice::Language;
use crate::domain::permit::{Blocker, Condition};
use crate::domain::quality::Guidance;
use crate::domain::relay::Place;
use crate::domain::resident::{AgeBand, Resident};
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::{CivilDate, Timestamp};
use crate::notice::Rendered;
use crate::ports::{CameraError, FaceError, LinkError, ReaderError};
use crate::wire::message::Refusal;

use super::notice::{NoticeEvent, NoticeFailure};

/// Something a person did, or a device: what happened, and so what to do about it (`ui/explain.rs` turns it into words).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Wrong passphrase; the next try is possible after this many milliseconds.
    WrongPassphrase {
        /// Pause in milliseconds.
        wait_ms: i64,
    },
    /// Too short.
    PassphraseTooShort,
    /// The vault is of the other realm.
    OtherRealm,
    /// Data of a vault lie here, and the file of slots that opens them does not.
    SlotsGone,
    /// The vault file is damaged (which file).
    VaultDamaged(String),
    /// The account's entry in the slots file is damaged; no passphrase opens it.
    SlotDamaged,
    /// The file of the persons' keys is from before an erasure.
    KeysOlder,
    /// The disk is full; nothing was half written.
    DiskFull,
    /// The disk cannot be written.
    DiskFailed(String),
    /// Another running copy of the program holds the vault.
    VaultInUse,
    /// A newer version of the program wrote this file.
    VaultTooNew(String),
    /// Something else was being written for too long.
    VaultBusy,
    /// What serves the gates ended by a fault; whether it was started again.
    GatesUnserved {
        /// It was started again.
        again: bool,
    },
    /// Somebody is being served on the resident window.
    ScreenInUse,
    /// What was asked for is not recorded here, or not any more.
    NotRecorded,
    /// It is recorded here already, such as a gate that is to take another's place.
    UsedAlready,
    /// What was asked for did not fit what is recorded: nothing was done.
    NotDone(String),
    /// A field was not accepted.
    Field(FieldFault),
    /// The card belongs to somebody else already.
    CardTaken,
    /// This is the card the person has already.
    CardSame,
    /// No such card here.
    CardUnknown,
    /// The card's last day has passed.
    CardExpired,
    /// What the wedge reader typed is not a card number.
    CardTextUnreadable,
    /// No gate ticked.
    NoGateChosen,
    /// The reader.
    Reader(ReaderError),
    /// The camera.
    Camera(CameraError),
    /// The face engine.
    Face(FaceError),
    /// A gate could not be asked.
    Link(GateLabel, LinkError),
    /// A gate refused.
    Refused(GateLabel, Refusal),
    /// A gate was not paired.
    Pairing(PairingFailure),
    /// The gate did not know the face at the try; it was erased again.
    NotRecognised,
    /// No good picture within the time.
    TooLong,
    /// Who must decide for this person is somebody else now (a birthday, or a correction by staff): card only until they ask anew.
    DeciderChanged,
    /// A guardian must be there and was not checked in person today.
    GuardianNotChecked,
    /// The child or ward said no a short while ago: nobody asks again for now.
    ViewRests,
    /// The named person for children's data is not written: children under fourteen have a card only.
    ChildrensRulesMissing,
    /// The last run ended in the middle of a capture: the capture is lost, nothing else.
    CaptureLost,
    /// Nobody is enrolled under this card.
    NothingToWithdraw,
    /// This person's face is enrolled already: withdraw first, then enroll anew.
    AlreadyEnrolled,
    /// A bad template is still to be erased at a gate that does not answer; a new one comes after it.
    OldFaceThere,
    /// The computer's own date is in doubt: it is not passed on.
    DateDoubted,
    /// Something keeps face entry off just now (staff see what); the card works.
    FaceNotOffered,
    /// The camera waits: nobody who may see people is at the staff window.
    NobodyAtDesk,
    /// The paper could not be written there.
    PaperNotWritten(String),
    /// A key was to be saved on the disk that it opens.
    KeyOnItsDisk,
    /// Something about a request.
    Request(RequestFault),
    /// Something about the notice, its assessment, signs or entrusted parties.
    Notice(NoticeFailure),
    /// The public copy of the rules was changed while the desk was locked; it is made anew.
    RulesChanged,
    /// The account's role does not have this command.
    NotYourRole,
    /// Accounts, training, approvals.
    Operators(OperatorsFailure),
    /// Backups and keys.
    Keep(super::keep::KeepFailure),
    /// Incidents, the end of a manager's work, papers for an audit.
    Duty(super::duties::DutyFailure),
}

impl Failure {
    /// Which failure, for the program's log: without the names, paths and numbers that it may carry.
    pub fn kind(&self) -> String {
        match self {
            Self::Link(_, error) => format!("Link({error:?})"),
            Self::Refused(_, refusal) => format!("Refused({refusal:?})"),
            Self::Reader(error) => format!("Reader({error:?})"),
            other => format!("{other:?}").split(['(', '{', ' ']).next().unwrap_or_default().to_owned(),
        }
    }
}

/// A gate's shown name.
pub type GateLabel = String;

/// Which field, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// Name: empty, too long, unprintable.
    Name(crate::domain::resident::ResidentError),
    /// End date not readable.
    EndDate,
    /// When a gate was switched off by hand: not readable, or not yet.
    SwitchedOffAt,
    /// It is said to have been switched off before this instant, at which it was heard.
    HeardSince(Timestamp),
    /// Date of the next age band not readable.
    NextBandDate,
    /// The operator's name is empty.
    Operator,
    /// The gate's name or address is empty or not readable.
    Gate,
    /// Name, address or serial number of a card board is not readable, or no door is ticked.
    Board,
    /// The gate would stand in a room in which no face reader may be.
    PrivateRoom,
    /// The number of a face at a gate is not readable, or nobody's begins so.
    Number,
    /// A field of the guardian.
    Guardian(crate::domain::guardian::GuardianError),
}

/// A row of a search: partly masked until opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidentRow {
    /// Which.
    pub id: ResidentId,
    /// `王**`.
    pub masked_name: String,
    /// Unit.
    pub unit: String,
    /// Has a card in force.
    pub has_card: bool,
}

/// A card as staff see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardView {
    /// Last four digits.
    pub last4: String,
    /// Last day.
    pub ends_on: CivilDate,
    /// Gates, with whether each has it (signed).
    pub gates: Vec<(GateId, GateLabel, bool)>,
}

/// The state of face entry as staff may know it. No control hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaceState {
    /// Never raised, refused or withdrawn: staff are not told which.
    None,
    /// In these gates until this day.
    Held {
        /// Gates.
        gates: Vec<(GateId, GateLabel)>,
        /// Last day.
        ends_on: CivilDate,
    },
    /// Being erased; these gates have not answered.
    Erasing {
        /// Gates.
        pending: Vec<GateLabel>,
    },
}

/// Where something of a person stands at one gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatePlace {
    /// The gate.
    pub gate: GateId,
    /// Its name.
    pub label: GateLabel,
    /// How it is there.
    pub place: Place,
}

/// Where everything of a person stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The card in force.
    pub card: Vec<GatePlace>,
    /// Earlier cards that are still somewhere.
    pub old_card: Vec<GatePlace>,
    /// The face.
    pub face: Vec<GatePlace>,
}

/// One opened record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidentView {
    /// The record.
    pub resident: Resident,
    /// The card in force.
    pub card: Option<CardView>,
    /// Face.
    pub face: FaceState,
    /// Gate by gate.
    pub places: Places,
}

/// A card that lies on the reader while a record is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRead {
    /// The number.
    pub uid: CardUid,
    /// Last four digits.
    pub last4: String,
    /// Issued to somebody else.
    pub taken: bool,
}

/// To the staff window.
#[derive(Clone, Debug, PartialEq)]
pub enum StaffEvent {
    /// No vault yet.
    FirstRun,
    /// Locked; a try is possible after this many milliseconds.
    Locked {
        /// Pause.
        wait_ms: i64,
    },
    /// Open. Followed by `Gates`, `Facts` and `Desk`.
    Unlocked {
        /// Shown name of the account.
        operator: String,
    },
    /// Gates and counts.
    Gates(Vec<GateStatus>),
    /// About pairing gates.
    Pairing(PairingEvent),
    /// This station's fingerprint, to compare with what a gate states (64 hex digits).
    StationFingerprint(String),
    /// Facts, and which keep face entry off.
    Facts(SiteFacts, Vec<Fact>),
    /// What keeps face entry off at this desk (empty: ready). Cards work whatever it says.
    Desk(Vec<(Blocker, Condition)>),
    /// Search result, at most ten; `more` says that the query was too wide.
    Found {
        /// Rows.
        rows: Vec<ResidentRow>,
        /// More than ten matched.
        more: bool,
    },
    /// A record.
    Opened(Box<ResidentView>),
    /// No record is open.
    Closed,
    /// A resident was written; `Opened` follows.
    Saved(ResidentId),
    /// A card was put on the reader (a record is open).
    CardRead(CardRead),
    /// A card was issued; how many gates have signed for it so far is in `Opened`.
    CardIssued(ResidentId),
    /// A card way was tested.
    CardWay(GateId, bool),
    /// The reader's state changed; `None` is well.
    Reader(Option<ReaderError>),
    /// The resident window is busy (with whom is not said), or free.
    ResidentBusy(bool),
    /// About requests and rights.
    Rights(RightsTold),
    /// The evidence.
    Evidence(super::evidence::EvidenceEvent),
    /// The machine that the desk runs on.
    Posture(PostureEvent),
    /// Gates that are compared, put right and replaced.
    Relay(RelayEvent),
    /// Card boards.
    Boards(BoardsEvent),
    /// Backups and keys.
    Keep(super::keep::KeepTold),
    /// Incidents, the end of a manager's work, papers for an audit.
    Duties(super::duties::DutiesEvent),
    /// Something did not work.
    Failed(Failure),
    /// Pausing, fewer doors, stops, endings, certificates, retention.
    Deletion(DeletionEvent),
    /// About the notice, its assessment, signs and entrusted parties.
    Notice(NoticeEvent),
    /// Accounts, training, approvals, and who is at the window.
    Operators(OperatorsEvent),
    /// Guardians, wards and the yearly figures of minors.
    Guardian(GuardianEvent),
    /// The form that is under way, to be printed and signed; `None` when there is none.
    Form(Option<FormView>),
}

/// A gate during hand-over, on the resident window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// Waiting.
    Waiting,
    /// Stored, read back, signed.
    Stored,
    /// Did not answer; the card works there.
    Away,
}

/// What is on a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptView {
    /// Number of the consent record.
    pub record: String,
    /// When.
    pub consented_at: Timestamp,
    /// Gates that hold the template.
    pub gates: Vec<GateLabel>,
    /// Gates that were away.
    pub away: Vec<GateLabel>,
    /// Last day.
    pub ends_on: CivilDate,
    /// The rendered receipt text.
    pub text: Rendered,
}

/// What the resident window shows.
#[derive(Clone, Debug, PartialEq)]
pub enum ResidentScene {
    /// Nobody: welcome, the ways in, rules, and two quiet buttons (use my face too; withdraw and delete). `face_offered` is false while
    /// something keeps face entry off; then the first is not there.
    Idle {
        /// Whether face entry could begin here.
        face_offered: bool,
        /// Site name, if written.
        site: String,
    },
    /// The public rules, and other ways in.
    Rules {
        /// Texts in the order shown.
        texts: Vec<Arc<Rendered>>,
    },
    /// Please put your card on the reader.
    TapCard {
        /// For withdrawal rather than face entry.
        withdraw: bool,
        /// Something went wrong with the last tap.
        failure: Option<Failure>,
    },
    /// The full notice.
    Notice {
        /// `王**`.
        masked_name: String,
        /// The text.
        text: Arc<Rendered>,
        /// Whether its end was on screen (also after a language switch).
        reached_end: bool,
    },
    /// The consent page.
    Consent {
        /// Lines above the box.
        preamble: Vec<String>,
        /// The one sentence beside the box.
        sentence: String,
        /// Text on *No* and *Yes*.
        buttons: (String, String),
    },
    /// The notice changed since this person consented: what changed, and the three answers (2.4); without buttons it is told only.
    Change {
        /// Old and new.
        sheet: Arc<Rendered>,
        /// The words of 2.4.
        lines: Vec<String>,
        /// *Not to the change*, *consent*, *withdraw*; none when nothing is asked.
        buttons: Vec<String>,
    },
    /// The refusal was recorded: the text of 2.2.
    Refused {
        /// The words.
        text: String,
    },
    /// Camera on: preview and guidance follow as [`Event::Preview`] and [`Event::Guide`].
    Camera {
        /// Beside the camera (6.2).
        hint: String,
    },
    /// Sealing and handing over.
    Working {
        /// Each gate.
        gates: Vec<(GateLabel, HandOver)>,
    },
    /// Look once more: the gate itself answers.
    TryGate {
        /// Which gate.
        gate: GateLabel,
        /// The camera is on again.
        looking: bool,
        /// Why the last look came to nothing.
        failure: Option<Failure>,
    },
    /// Done.
    Done {
        /// The gate's own word: recognised.
        recognised: bool,
        /// The receipt.
        receipt: Box<ReceiptView>,
        /// Where it was saved, after [`super::command::ResidentCommand::SaveReceipt`].
        saved_to: Option<String>,
    },
    /// Stopped or failed; the card works; nothing is held.
    Ended {
        /// Why; `None` when the resident or staff stopped it.
        failure: Option<Failure>,
        /// Whether [`super::command::ResidentCommand::TryAgain`] makes sense.
        may_retry: bool,
    },
    /// Confirm the withdrawal (2.3).
    WithdrawConfirm {
        /// `王**`: whose face it is about.
        masked_name: String,
        /// The words.
        text: String,
        /// Gates that hold it.
        gates: Vec<GateLabel>,
    },
    /// Withdrawn: which gates signed, which are still to answer.
    Withdrawn {
        /// Erased and signed.
        erased: Vec<GateLabel>,
        /// Not yet reached.
        pending: Vec<GateLabel>,
        /// From when on, at the latest, the face opens nothing at the gates that have not signed; in the same order. `None`: the gate answers
        /// and has not erased, and nothing is known to stop the face there.
        stops_at: Vec<Option<Timestamp>>,
        /// Where the certificate was saved.
        saved_to: Option<String>,
    },
    /// The person's doors: pause, take up again, take a door out.
    Doors(Box<DoorsView>),
    /// About one's own information and rights.
    Rights(RightsScene),
    /// The desk is locked or closed.
    Closed,
    /// A guardian, a child or a ward acts, or somebody signs on paper.
    Guardian(GuardianScene),
}

/// A downscaled, mirrored camera picture.
#[derive(Clone)]
pub struct Preview {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// RGBA, rows top to bottom.
    pub rgba: Arc<Vec<u8>>,
}

impl std::fmt::Debug for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Preview({}x{}, [REDACTED])", self.width, self.height)
    }
}

impl PartialEq for Preview {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rgba, &other.rgba)
    }
}

/// Any event.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Once, first.
    Realm(Realm),
    /// To the staff window.
    Staff(StaffEvent),
    /// The resident window shows this now.
    Resident(ResidentScene),
    /// Language of the resident window.
    ResidentLanguage(Language),
    /// To the resident window: reading aloud, papers, the question whether somebody is there.
    Aid(AidEvent),
    /// A camera picture; the newest wins.
    Preview(Preview),
    /// Advice under the picture, and how many of the needed pictures are taken.
    Guide {
        /// What to do.
        guidance: Guidance,
        /// Taken so far.
        taken: u8,
        /// Needed.
        needed: u8,
    },
    /// The program may end now.
    Goodbye {
        /// Practice: faces erased, signed by gates; and gates that did not answer.
        erased: u32,
        /// Gates that did not answer.
        unanswered: Vec<GateLabel>,
    },
}

/// The age bands in the order of the form.
pub const AGE_BANDS: [AgeBand; 3] = [AgeBand::Adult, AgeBand::From14To17, AgeBand::Under14];
