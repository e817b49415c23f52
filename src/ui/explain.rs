//! What happened, and what to do now: every failure in words, for staff in two lines, for residents in one neutral line.
//!
//! Every match is exhaustive, so that a new failure does not compile until it has words.

use crate::app::duties::DutyFailure;
use crate::app::event::{Failure, FieldFault};
use crate::app::keep::KeepFailure;
use crate::app::notice::NoticeFailure;
use crate::app::operators::OperatorsFailure;
use crate::app::pairing::PairingFailure;
use crate::domain::assessment::{AssessmentFault, HEAD_CHARS_MIN};
use crate::domain::entrusted::EntrustedFault;
use crate::domain::guardian::GuardianError;
use crate::domain::incident::IncidentFault;
use crate::domain::permit::{Blocker, Condition};
use crate::domain::relay::reason;
use crate::domain::resident::{PersonName, ResidentError, Unit};
use crate::domain::site::REASON_CHARS_MIN;
use crate::i18n::Texts;
use crate::ports::{CameraError, FaceError, LinkError, PairError, ReaderError};
use crate::secret::{Passphrase, RecoveryKeyFault};
use crate::tr;
use crate::wire::message::Refusal;

/// Two lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What happened.
    pub what: String,
    /// What to do now; empty when nothing needs doing.
    pub todo: String,
}

impl Words {
    /// What happened, with nothing to do.
    pub fn only(what: String) -> Self {
        Self { what, todo: String::new() }
    }
}

macro_rules! words {
    ($texts:expr, $what:literal, $todo:literal $(, $name:ident = $value:expr)* $(,)?) => {
        Words { what: tr!($texts, $what $(, $name = $value)*), todo: tr!($texts, $todo) }
    };
}

/// Any failure, for staff.
pub fn failure(texts: &Texts, failure: &Failure) -> Words {
    match failure {
        Failure::WrongPassphrase { .. } => words!(texts, "err-passphrase", "rec-passphrase"),
        Failure::PassphraseTooShort => Words {
            what: tr!(texts, "err-passphrase-short"),
            todo: tr!(texts, "first-passphrase-rules", chars = Passphrase::CHARS_MIN),
        },
        Failure::OtherRealm => words!(texts, "err-other-realm", "rec-other-realm"),
        Failure::SlotsGone => words!(texts, "err-slots-gone", "rec-slots-gone"),
        Failure::VaultDamaged(file) => words!(texts, "err-vault-damaged", "rec-vault-damaged", file = file.as_str()),
        Failure::SlotDamaged => words!(texts, "err-slot-damaged", "rec-slot-damaged"),
        Failure::KeysOlder => words!(texts, "err-keys-older", "rec-keys-older"),
        Failure::DiskFull => words!(texts, "err-disk-full", "rec-disk-full"),
        Failure::DiskFailed(why) => words!(texts, "err-disk-failed", "rec-disk-failed", why = why.as_str()),
        Failure::VaultInUse => words!(texts, "err-vault-in-use", "rec-vault-in-use"),
        Failure::VaultTooNew(file) => words!(texts, "err-vault-too-new", "rec-vault-too-new", file = file.as_str()),
        Failure::VaultBusy => words!(texts, "err-vault-busy", "rec-vault-busy"),
        Failure::GatesUnserved { again: true } => words!(texts, "err-courier", "rec-courier-again"),
        Failure::GatesUnserved { again: false } => words!(texts, "err-courier", "rec-courier"),
        Failure::ScreenInUse => words!(texts, "err-screen-in-use", "rec-screen-in-use"),
        Failure::NotRecorded => words!(texts, "err-not-recorded", "rec-not-recorded"),
        Failure::UsedAlready => words!(texts, "err-used-already", "rec-used-already"),
        Failure::NotDone(why) => words!(texts, "err-not-done", "rec-not-done", why = why.as_str()),
        Failure::Field(fault) => field(texts, *fault),
        Failure::CardTaken => words!(texts, "err-card-taken", "rec-card-taken"),
        Failure::CardSame => words!(texts, "err-card-same", "rec-card-same"),
        Failure::CardUnknown => words!(texts, "err-card-unknown", "rec-card-unknown"),
        Failure::CardExpired => words!(texts, "err-card-expired", "rec-card-expired"),
        Failure::CardTextUnreadable => words!(texts, "err-card-text", "rec-card-text"),
        Failure::NoGateChosen => words!(texts, "err-no-gate", "rec-no-gate"),
        Failure::Reader(error) => reader(texts, error),
        Failure::Camera(error) => camera(texts, error),
        Failure::Face(error) => face(texts, error),
        Failure::Link(gate, error) => link(texts, gate, error),
        Failure::Refused(gate, refusal) => refused(texts, gate, refusal),
        Failure::AlreadyEnrolled => words!(texts, "err-face-there", "rec-face-there"),
        Failure::OldFaceThere => words!(texts, "err-old-face-there", "rec-old-face-there"),
        Failure::DateDoubted => words!(texts, "err-date-doubted", "clock-ahead-todo"),
        Failure::FaceNotOffered => words!(texts, "err-face-not-offered", "rec-face-not-offered"),
        Failure::NobodyAtDesk => words!(texts, "err-nobody-at-desk", "rec-nobody-at-desk"),
        Failure::Pairing(failure) => pairing(texts, failure),
        Failure::NotRecognised => words!(texts, "err-not-recognised", "rec-not-recognised"),
        Failure::TooLong => words!(texts, "err-too-long", "rec-too-long"),
        Failure::DeciderChanged => words!(texts, "err-decider-changed", "rec-decider-changed"),
        Failure::GuardianNotChecked => words!(texts, "err-guardian-not-checked", "rec-guardian-not-checked"),
        Failure::ViewRests => words!(texts, "err-view-rests", "rec-view-rests"),
        Failure::ChildrensRulesMissing => words!(texts, "err-childrens-rules", "off-children-todo"),
        Failure::CaptureLost => words!(texts, "err-capture-lost", "rec-capture-lost"),
        Failure::NothingToWithdraw => words!(texts, "err-nothing-to-withdraw", "rec-nothing-to-withdraw"),
        Failure::RulesChanged => words!(texts, "err-rules-changed", "rec-rules-changed"),
        Failure::NotYourRole => words!(texts, "err-role", "rec-role"),
        Failure::Operators(failure) => operators(texts, *failure),
        Failure::Keep(failure) => keep(texts, *failure),
        Failure::Duty(failure) => duty(texts, *failure),
        Failure::PaperNotWritten(why) => words!(texts, "err-paper", "rec-paper", why = why.as_str()),
        Failure::KeyOnItsDisk => words!(texts, "err-key-here", "rec-key-here"),
        Failure::Request(fault) => super::words_rights::fault(texts, *fault),
        Failure::Notice(failure) => notice(texts, failure),
    }
}

/// What was not done about the notice.
pub fn notice(texts: &Texts, failure: &NoticeFailure) -> Words {
    match failure {
        NoticeFailure::SiteFileRefused => words!(texts, "site-file-refused", "site-file-refused-todo"),
        NoticeFailure::RegistryRefused => words!(texts, "pia-damaged", "pia-damaged-todo"),
        NoticeFailure::Assessment(fault) => {
            let what = match fault {
                AssessmentFault::Number => tr!(texts, "err-pia-number"),
                AssessmentFault::Signer => tr!(texts, "err-pia-signer"),
                AssessmentFault::Date => tr!(texts, "err-pia-date"),
                AssessmentFault::Review => tr!(texts, "err-pia-review"),
                AssessmentFault::Head(head) => {
                    let head = super::staff::notice::assessment::head_name(texts, *head);
                    tr!(texts, "err-pia-head", head = head, least = HEAD_CHARS_MIN)
                }
                AssessmentFault::Necessity => tr!(texts, "err-pia-necessity", least = REASON_CHARS_MIN),
            };
            Words { what, todo: tr!(texts, "rec-field") }
        }
        NoticeFailure::Entrusted(EntrustedFault::Field(field)) => {
            let name = super::staff::notice::entrusted_field(texts, *field);
            Words { what: tr!(texts, "err-entrusted-field", name = name), todo: tr!(texts, "rec-field") }
        }
        NoticeFailure::Entrusted(EntrustedFault::Dates) => words!(texts, "err-entrusted-dates", "rec-date"),
        NoticeFailure::Day => words!(texts, "err-day", "rec-date"),
        NoticeFailure::DayAhead => words!(texts, "err-day-ahead", "rec-date"),
        NoticeFailure::Unfilled(_) => words!(texts, "err-unfilled", "rec-unfilled"),
        NoticeFailure::Nothing => words!(texts, "err-nothing-there", "rec-nothing-there"),
        NoticeFailure::FileUnreadable(why) => words!(texts, "err-file-unreadable", "rec-paper", why = why.as_str()),
    }
}

/// Incidents, the end of a manager's work, papers for an audit.
fn duty(texts: &Texts, failure: DutyFailure) -> Words {
    match failure {
        DutyFailure::Incident(fault) => match fault {
            IncidentFault::When => words!(texts, "err-incident-when", "rec-incident-when"),
            IncidentFault::Answer(_) => words!(texts, "err-incident-answer", "rec-incident-answer"),
            IncidentFault::Kinds => words!(texts, "err-incident-kinds", "rec-incident-kinds"),
            IncidentFault::Gates => words!(texts, "err-incident-gates", "rec-incident-gates"),
            IncidentFault::To => words!(texts, "err-incident-to", "rec-incident-to"),
        },
        DutyFailure::Receiver => words!(texts, "err-receiver", "rec-receiver"),
        DutyFailure::ManagerLeft => words!(texts, "err-manager-left", "rec-manager-left"),
        DutyFailure::Nothing => words!(texts, "err-duty-nothing", "rec-duty-nothing"),
        DutyFailure::FactsMissing => words!(texts, "err-duty-facts", "rec-duty-facts"),
    }
}

/// Accounts, training, approvals.
pub fn operators(texts: &Texts, failure: OperatorsFailure) -> Words {
    match failure {
        OperatorsFailure::NotTrained(_) => words!(texts, "err-untrained", "rec-untrained"),
        OperatorsFailure::AccountOff => words!(texts, "err-account-off", "rec-account-off"),
        OperatorsFailure::AccountsFull => words!(texts, "err-accounts-full", "rec-accounts-full"),
        OperatorsFailure::NameWrong => words!(texts, "err-account-name", "rec-field"),
        OperatorsFailure::NameTaken => words!(texts, "err-name-taken", "rec-name-taken"),
        OperatorsFailure::LastSupervisor => words!(texts, "err-last-supervisor", "rec-last-supervisor"),
        OperatorsFailure::OwnAccount => words!(texts, "err-own-account", "rec-own-account"),
        OperatorsFailure::DayWrong => words!(texts, "err-trained-day", "rec-trained-day"),
        OperatorsFailure::NobodyToApprove => words!(texts, "err-nobody-to-approve", "rec-nobody-to-approve"),
        OperatorsFailure::OnlyTheOneConcerned => words!(texts, "err-only-concerned", "rec-only-concerned"),
        OperatorsFailure::NotAnApprover => words!(texts, "err-not-an-approver", "rec-not-an-approver"),
        OperatorsFailure::RecoveryKey(_) => words!(texts, "err-recovery-key", "rec-recovery-key"),
        OperatorsFailure::NothingToRecover => words!(texts, "err-nothing-to-recover", "rec-nothing-to-recover"),
        OperatorsFailure::RulesNotRead => words!(texts, "err-rules-not-read", "rec-rules-not-read"),
    }
}

/// Backups and keys.
pub fn keep(texts: &Texts, failure: KeepFailure) -> Words {
    match failure {
        KeepFailure::NoKey => words!(texts, "err-keep-no-key", "rec-keep-no-key"),
        KeepFailure::NoGate => words!(texts, "err-keep-no-gate", "rec-keep-no-gate"),
        KeepFailure::NotABackup => words!(texts, "err-keep-not-a-backup", "rec-keep-not-a-backup"),
        KeepFailure::OtherSite => words!(texts, "err-keep-other-site", "rec-keep-other-site"),
        KeepFailure::NotAllowed => words!(texts, "err-keep-not-allowed", "rec-keep-not-allowed"),
        KeepFailure::Damaged => words!(texts, "err-keep-damaged", "rec-keep-damaged"),
        KeepFailure::WrongKey => words!(texts, "err-keep-wrong-key", "rec-keep-wrong-key"),
        KeepFailure::Key(RecoveryKeyFault::Length) => words!(texts, "err-keep-key", "rec-keep-key-length"),
        KeepFailure::Key(RecoveryKeyFault::Group(group)) => {
            Words { what: tr!(texts, "err-keep-key"), todo: tr!(texts, "rec-keep-key-group", group = group) }
        }
        KeepFailure::KeptNowhere => words!(texts, "err-keep-nowhere", "rec-keep-nowhere"),
        KeepFailure::Void => words!(texts, "err-keep-too-old", "rec-keep-too-old"),
        KeepFailure::SlotsOld => words!(texts, "err-keep-slots", "rec-keep-slots"),
        KeepFailure::Serving => words!(texts, "err-keep-serving", "rec-keep-serving"),
        KeepFailure::NotLocked => words!(texts, "err-keep-not-locked", "rec-keep-not-locked"),
        KeepFailure::Busy => words!(texts, "err-keep-busy", "rec-keep-busy"),
        KeepFailure::ChipMissing => words!(texts, "err-keep-chip-missing", "rec-keep-chip-missing"),
        KeepFailure::ChipOther => words!(texts, "err-keep-chip-other", "rec-keep-chip-other"),
        KeepFailure::ChipRefused => words!(texts, "err-keep-chip-refused", "rec-keep-chip-refused"),
        KeepFailure::NoRecoveryKey => words!(texts, "err-keep-no-recovery", "rec-keep-no-recovery"),
    }
}

/// A size in bytes, as people say it.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

/// A field that was not accepted.
pub fn field(texts: &Texts, fault: FieldFault) -> Words {
    match fault {
        FieldFault::Name(error) => match error {
            ResidentError::NameEmpty => words!(texts, "err-name-empty", "rec-field"),
            ResidentError::NameTooLong => {
                words!(texts, "err-name-long", "rec-field", chars = PersonName::CHARS_MAX)
            }
            ResidentError::NameUnprintable => words!(texts, "err-name-unprintable", "rec-field"),
            ResidentError::UnitInvalid => words!(texts, "err-unit", "rec-field", chars = Unit::CHARS_MAX),
            ResidentError::NextBandMissing => words!(texts, "err-next-band-missing", "rec-date"),
            ResidentError::NextBandWrong => words!(texts, "err-next-band-wrong", "rec-date"),
            ResidentError::EndPast => words!(texts, "err-end-past", "rec-date"),
        },
        FieldFault::EndDate => words!(texts, "err-end-date", "rec-date"),
        FieldFault::SwitchedOffAt => words!(texts, "err-switched-at", "rec-switched-at"),
        FieldFault::HeardSince(at) => {
            words!(texts, "err-switched-early", "rec-switched-early", at = at.minute_text())
        }
        FieldFault::NextBandDate => words!(texts, "err-next-band-date", "rec-date"),
        FieldFault::Operator => words!(texts, "err-operator", "rec-field"),
        FieldFault::Board => words!(texts, "err-board-fields", "rec-board-fields"),
        FieldFault::Gate => words!(texts, "err-gate-fields", "rec-gate-fields"),
        FieldFault::PrivateRoom => words!(texts, "err-private-room", "rec-private-room"),
        FieldFault::Number => words!(texts, "err-number", "rec-number"),
        FieldFault::Guardian(fault) => guardian(texts, fault),
    }
}

/// A guardian's field that was not accepted.
pub fn guardian(texts: &Texts, fault: GuardianError) -> Words {
    match fault {
        GuardianError::Name(error) => field(texts, FieldFault::Name(error)),
        GuardianError::Phone => words!(texts, "err-guardian-phone", "rec-field"),
        GuardianError::NotNeeded => words!(texts, "err-guardian-not-needed", "rec-guardian-not-needed"),
        GuardianError::Role => words!(texts, "err-guardian-role", "rec-field"),
        GuardianError::Proof => words!(texts, "err-guardian-proof", "rec-guardian-proof"),
    }
}

/// The card reader.
pub fn reader(texts: &Texts, error: &ReaderError) -> Words {
    match error {
        ReaderError::None => words!(texts, "err-reader-none", "rec-reader-none"),
        ReaderError::ServiceDown => words!(texts, "err-reader-service", "rec-reader-service"),
        ReaderError::CardPulled => words!(texts, "err-card-pulled", "rec-card-pulled"),
        ReaderError::Unreadable => words!(texts, "err-card-unreadable", "rec-card-unreadable"),
    }
}

/// The camera.
pub fn camera(texts: &Texts, error: &CameraError) -> Words {
    match error {
        CameraError::None => words!(texts, "err-camera-none", "rec-camera-none"),
        CameraError::Busy => words!(texts, "err-camera-busy", "rec-camera-busy"),
        CameraError::NotAllowed => words!(texts, "err-camera-not-allowed", "rec-camera-not-allowed"),
        CameraError::Unplugged => words!(texts, "err-camera-unplugged", "rec-camera-unplugged"),
        CameraError::Stalled => words!(texts, "err-camera-stalled", "rec-camera-stalled"),
        CameraError::Unsupported(formats) => {
            words!(texts, "err-camera-unsupported", "rec-camera-unsupported", formats = formats.as_str())
        }
    }
}

/// The face engine.
pub fn face(texts: &Texts, error: &FaceError) -> Words {
    match error {
        FaceError::ModelMissing { folder } => {
            words!(texts, "err-model-missing", "rec-model-missing", folder = folder.as_str())
        }
        FaceError::ModelWrong { file } => words!(texts, "err-model-wrong", "rec-model-wrong", file = file.as_str()),
        FaceError::OutOfRange => words!(texts, "err-face-range", "rec-face-again"),
        FaceError::Restarted => words!(texts, "err-face-restarted", "rec-face-again"),
        FaceError::CannotStart(why) => words!(texts, "err-engine-start", "rec-engine-start", why = why.as_str()),
        FaceError::NotAlone => words!(texts, "err-face-not-alone", "rec-face-again"),
        FaceError::Unsound => words!(texts, "err-face-unsound", "rec-face-again"),
    }
}

/// A gate that could not be asked.
pub fn link(texts: &Texts, gate: &str, error: &LinkError) -> Words {
    match error {
        LinkError::Away => words!(texts, "err-gate-away", "rec-gate-away", gate = gate),
        LinkError::KeyChanged => words!(texts, "err-gate-key", "rec-gate-key", gate = gate),
        LinkError::NotPaired => words!(texts, "err-gate-not-paired", "rec-gate-not-paired", gate = gate),
        LinkError::OtherRealm => words!(texts, "err-gate-realm", "rec-gate-realm", gate = gate),
        LinkError::Protocol => words!(texts, "err-gate-protocol", "rec-gate-protocol", gate = gate),
        LinkError::OtherBoard => words!(texts, "err-board-other", "rec-board-other", gate = gate),
        LinkError::OtherNetwork => words!(texts, "err-gate-network", "rec-gate-network", gate = gate),
        LinkError::NotLan => words!(texts, "err-gate-not-lan", "rec-gate-not-lan", gate = gate),
    }
}

/// A gate that was not paired.
pub fn pairing(texts: &Texts, failure: &PairingFailure) -> Words {
    match failure {
        PairingFailure::CodeUnreadable => words!(texts, "err-pair-code", "rec-pair-code"),
        PairingFailure::Gate(gate, PairError::Link(error)) => link(texts, gate, error),
        PairingFailure::Gate(gate, PairError::NoCode) => words!(texts, "err-pair-none", "rec-pair-none", gate = gate),
        PairingFailure::Gate(gate, PairError::OtherCode) => {
            words!(texts, "err-pair-other", "rec-pair-other", gate = gate)
        }
        PairingFailure::OtherGate(gate) => words!(texts, "err-meet-other", "rec-meet-other", gate = gate),
        PairingFailure::TooManyTries(gate) => words!(texts, "err-pair-tries", "rec-pair-tries", gate = gate),
    }
}

/// A gate's no.
pub fn refused(texts: &Texts, gate: &str, refusal: &Refusal) -> Words {
    match refusal {
        Refusal::Malformed => words!(texts, "ref-malformed", "rec-gate-protocol", gate = gate),
        Refusal::Version => words!(texts, "ref-version", "rec-gate-protocol", gate = gate),
        Refusal::Realm => words!(texts, "err-gate-realm", "rec-gate-realm", gate = gate),
        Refusal::Envelope => words!(texts, "ref-envelope", "rec-gate-key", gate = gate),
        Refusal::Engine => words!(texts, "ref-engine", "rec-engine", gate = gate),
        Refusal::Expired => words!(texts, "ref-expired", "rec-expired", gate = gate),
        Refusal::Spent => words!(texts, "ref-spent", "rec-spent", gate = gate),
        Refusal::Full => words!(texts, "ref-full", "rec-full", gate = gate),
        Refusal::Storage => words!(texts, "ref-storage", "rec-storage", gate = gate),
        Refusal::Stale => words!(texts, "ref-stale", "rec-stale", gate = gate),
        Refusal::CardsOnly => words!(texts, "ref-cards-only", "rec-cards-only", gate = gate),
        Refusal::NoCode => words!(texts, "err-pair-none", "rec-pair-none", gate = gate),
        Refusal::OtherCode => words!(texts, "err-pair-other", "rec-pair-other", gate = gate),
        Refusal::CardWay => words!(texts, "ref-card-way", "rec-card-way-first", gate = gate),
        Refusal::CardFirst => words!(texts, "ref-card-first", "rec-card-first", gate = gate),
        Refusal::ClockBack => words!(texts, "ref-clock-back", "rec-clock-back", gate = gate),
        Refusal::NotHeld => words!(texts, "ref-not-held", "rec-not-held", gate = gate),
        Refusal::NotAuthorised => words!(texts, "ref-not-authorised", "rec-not-authorised", gate = gate),
        Refusal::TooMany => words!(texts, "ref-too-many", "rec-too-many", gate = gate),
    }
}

/// What a gate did not take, by the reason code that was written down.
pub fn wedged(texts: &Texts, gate: &str, code: &str) -> Words {
    let refusals = [
        Refusal::Malformed,
        Refusal::Version,
        Refusal::Realm,
        Refusal::Envelope,
        Refusal::Engine,
        Refusal::Expired,
        Refusal::Spent,
        Refusal::Full,
        Refusal::Storage,
        Refusal::Stale,
        Refusal::CardsOnly,
        Refusal::NotHeld,
        Refusal::NotAuthorised,
        Refusal::TooMany,
    ];
    if let Some(refusal) = refusals.iter().find(|refusal| refusal.to_string() == code) {
        return refused(texts, gate, refusal);
    }
    match code {
        reason::READ_BACK => words!(texts, "wedged-read-back", "rec-wedged", gate = gate),
        reason::RECEIPT => words!(texts, "wedged-receipt", "rec-wedged", gate = gate),
        reason::CARDS_ONLY => words!(texts, "wedged-cards-only", "rec-wedged-support", gate = gate),
        reason::NO_NUMBER => words!(texts, "wedged-no-number", "rec-wedged-no-number", gate = gate),
        reason::UNREADABLE => words!(texts, "wedged-unreadable", "rec-wedged-unreadable", gate = gate),
        reason::TWO_CARDS => words!(texts, "wedged-two-cards", "rec-wedged-two-cards", gate = gate),
        reason::BOARD => words!(texts, "wedged-board", "rec-wedged-board", gate = gate),
        _ => words!(texts, "wedged-other", "rec-wedged", gate = gate, reason = code),
    }
}

/// A condition that keeps face entry off. What is known of it changes the first line only where that helps.
pub fn blocker(texts: &Texts, blocker: Blocker, condition: Condition) -> Words {
    let mut words = match blocker {
        Blocker::ProcessorFields => words!(texts, "off-facts", "off-facts-todo"),
        Blocker::ImpactAssessment => words!(texts, "off-assessment", "off-assessment-todo"),
        Blocker::ChildrensRules => words!(texts, "off-children", "off-children-todo"),
        Blocker::InternetRoute => words!(texts, "off-internet", "off-internet-todo"),
        Blocker::RemoteHelp => words!(texts, "off-remote-help", "off-remote-help-todo"),
        Blocker::DiskEncryption => words!(texts, "off-disk", "off-disk-todo"),
        Blocker::LoginPassword => words!(texts, "off-login", "off-login-todo"),
        Blocker::MachineState => words!(texts, "off-machine", "off-machine-todo"),
        Blocker::OperatorLoggedIn => words!(texts, "off-operator", "off-operator-todo"),
        Blocker::OperatorTrained => words!(texts, "off-trained", "off-trained-todo"),
        Blocker::GateAnswers => words!(texts, "off-gate", "off-gate-todo"),
        Blocker::CardWayTested => words!(texts, "off-card-way", "off-card-way-todo"),
        Blocker::GateTerms => words!(texts, "off-gate-terms", "off-gate-terms-todo"),
        Blocker::LogNotWhole => words!(texts, "off-log", "off-log-todo"),
        Blocker::CardWorks => words!(texts, "off-card", "off-card-todo"),
        Blocker::AgeBandKnown => words!(texts, "off-age", "off-age-todo"),
        Blocker::GuardianChecked => words!(texts, "off-guardian", "off-guardian-todo"),
        Blocker::NoticeReachedEnd => words!(texts, "off-notice", "off-resident-todo"),
        Blocker::SeparateConsent => words!(texts, "off-consent", "off-resident-todo"),
        Blocker::StandingRefusal => words!(texts, "off-refusal", "off-refusal-todo"),
        Blocker::PromiseNotKept => words!(texts, "off-promise", "off-promise-todo"),
    };
    match condition {
        Condition::NotYetChecked => words.what = tr!(texts, "off-unchecked", what = words.what),
        Condition::Practice => words.what = tr!(texts, "off-practice-only", what = words.what),
        Condition::Holds | Condition::Fails | Condition::NotNeeded => {}
    }
    words
}

/// One neutral line for the resident: no cause that only staff can mend, never a hint at what staff see.
pub fn for_resident(texts: &Texts, failure: &Failure) -> String {
    match failure {
        Failure::CardUnknown | Failure::CardTaken | Failure::CardSame => tr!(texts, "say-card-unknown"),
        Failure::CardExpired => tr!(texts, "say-card-expired"),
        Failure::Reader(ReaderError::CardPulled | ReaderError::Unreadable) | Failure::CardTextUnreadable => {
            tr!(texts, "say-card-again")
        }
        Failure::Reader(ReaderError::None | ReaderError::ServiceDown) => tr!(texts, "say-reader"),
        Failure::Camera(_) => tr!(texts, "say-camera"),
        Failure::Link(..) => tr!(texts, "say-gate"),
        Failure::NotRecognised => tr!(texts, "say-not-recognised"),
        Failure::TooLong => tr!(texts, "say-too-long"),
        Failure::DeciderChanged | Failure::ChildrensRulesMissing => tr!(texts, "say-card-for-now"),
        Failure::GuardianNotChecked => tr!(texts, "say-guardian-not-checked"),
        Failure::ViewRests => tr!(texts, "say-view-rests"),
        Failure::CaptureLost => tr!(texts, "say-capture-lost"),
        Failure::NothingToWithdraw => tr!(texts, "say-nothing-to-withdraw"),
        Failure::PaperNotWritten(_) | Failure::KeyOnItsDisk => tr!(texts, "say-paper"),
        Failure::AlreadyEnrolled => tr!(texts, "say-face-there"),
        Failure::OldFaceThere => tr!(texts, "say-old-face-there"),
        Failure::Request(fault) => super::words_rights::fault_for_resident(texts, *fault),
        Failure::FaceNotOffered => tr!(texts, "say-face-not-offered"),
        Failure::NobodyAtDesk => tr!(texts, "say-nobody-at-desk"),
        Failure::RulesChanged
        | Failure::DateDoubted
        | Failure::WrongPassphrase { .. }
        | Failure::PassphraseTooShort
        | Failure::OtherRealm
        | Failure::SlotsGone
        | Failure::VaultDamaged(_)
        | Failure::SlotDamaged
        | Failure::KeysOlder
        | Failure::DiskFull
        | Failure::DiskFailed(_)
        | Failure::VaultInUse
        | Failure::VaultTooNew(_)
        | Failure::VaultBusy
        | Failure::ScreenInUse
        | Failure::NotRecorded
        | Failure::GatesUnserved { .. }
        | Failure::UsedAlready
        | Failure::NotDone(_)
        | Failure::Field(_)
        | Failure::NoGateChosen
        | Failure::Face(_)
        | Failure::Refused(..)
        | Failure::Notice(_)
        | Failure::Pairing(_)
        | Failure::NotYourRole
        | Failure::Keep(_)
        | Failure::Duty(_)
        | Failure::Operators(_) => tr!(texts, "say-staff"),
    }
}
