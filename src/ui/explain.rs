//! What happened, and what to do now: every failure in words, for staff in two lines, for residents in one neutral line.
//!
//! Every match is exhaustive, so that a new failure does not compile until it has words.

use crate::app::event::{Failure, FieldFault};
use crate::domain::permit::{Blocker, Condition};
use crate::domain::resident::{PersonName, ResidentError, Unit};
use crate::i18n::Texts;
use crate::ports::{CameraError, FaceError, LinkError, ReaderError};
use crate::secret::Passphrase;
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
        Failure::VaultDamaged(file) => words!(texts, "err-vault-damaged", "rec-vault-damaged", file = file.as_str()),
        Failure::DiskFull => words!(texts, "err-disk-full", "rec-disk-full"),
        Failure::DiskFailed(why) => words!(texts, "err-disk-failed", "rec-disk-failed", why = why.as_str()),
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
        Failure::FaceNotOffered => words!(texts, "err-face-not-offered", "rec-face-not-offered"),
        Failure::FingerprintUnreadable => words!(texts, "err-fingerprint", "rec-fingerprint"),
        Failure::NotRecognised => words!(texts, "err-not-recognised", "rec-not-recognised"),
        Failure::TooLong => words!(texts, "err-too-long", "rec-too-long"),
        Failure::CardOnlyAge => words!(texts, "err-card-only-age", "rec-card-only-age"),
        Failure::CaptureLost => words!(texts, "err-capture-lost", "rec-capture-lost"),
        Failure::NothingToWithdraw => words!(texts, "err-nothing-to-withdraw", "rec-nothing-to-withdraw"),
        Failure::NotYourRole => words!(texts, "err-role", "rec-role"),
        Failure::PaperNotWritten(why) => words!(texts, "err-paper", "rec-paper", why = why.as_str()),
        Failure::Request(fault) => super::words_rights::fault(texts, *fault),
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
        FieldFault::NextBandDate => words!(texts, "err-next-band-date", "rec-date"),
        FieldFault::Operator => words!(texts, "err-operator", "rec-field"),
        FieldFault::Gate => words!(texts, "err-gate-fields", "rec-gate-fields"),
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
        LinkError::NotLan => words!(texts, "err-gate-not-lan", "rec-gate-not-lan", gate = gate),
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
        Refusal::TooMany => words!(texts, "ref-too-many", "rec-too-many", gate = gate),
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
        Blocker::OperatorLoggedIn => words!(texts, "off-operator", "off-operator-todo"),
        Blocker::OperatorTrained => words!(texts, "off-trained", "off-trained-todo"),
        Blocker::GateAnswers => words!(texts, "off-gate", "off-gate-todo"),
        Blocker::CardWayTested => words!(texts, "off-card-way", "off-card-way-todo"),
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
        Failure::CardOnlyAge => tr!(texts, "say-card-only-age"),
        Failure::CaptureLost => tr!(texts, "say-capture-lost"),
        Failure::NothingToWithdraw => tr!(texts, "say-nothing-to-withdraw"),
        Failure::PaperNotWritten(_) => tr!(texts, "say-paper"),
        Failure::AlreadyEnrolled => tr!(texts, "say-face-there"),
        Failure::Request(fault) => super::words_rights::fault_for_resident(texts, *fault),
        Failure::FaceNotOffered => tr!(texts, "say-face-not-offered"),
        Failure::WrongPassphrase { .. }
        | Failure::PassphraseTooShort
        | Failure::OtherRealm
        | Failure::VaultDamaged(_)
        | Failure::DiskFull
        | Failure::DiskFailed(_)
        | Failure::Field(_)
        | Failure::NoGateChosen
        | Failure::Face(_)
        | Failure::Refused(..)
        | Failure::FingerprintUnreadable
        | Failure::NotYourRole => tr!(texts, "say-staff"),
    }
}
