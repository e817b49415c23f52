//! Requests and rights in words, for both windows.

use super::explain::Words;
use crate::app::rights::RequestFault;
use crate::domain::rights::{Came, Clock, Field, Identity, RefusalFault, RefusalWords, RequestKind};
use crate::i18n::Texts;
use crate::ui::theme::Tone;
use crate::{tr, trr};

/// A kind of request, at the staff window.
pub fn kind(texts: &Texts, kind: RequestKind) -> String {
    match kind {
        RequestKind::Withdraw => tr!(texts, "right-withdraw"),
        RequestKind::Pause => tr!(texts, "right-pause"),
        RequestKind::See => tr!(texts, "right-see"),
        RequestKind::Correct => tr!(texts, "right-correct"),
        RequestKind::Redo => tr!(texts, "right-redo"),
        RequestKind::Transfer => tr!(texts, "right-transfer"),
        RequestKind::Restrict => tr!(texts, "right-restrict"),
        RequestKind::Explain => tr!(texts, "right-explain"),
        RequestKind::Close => tr!(texts, "right-close"),
        RequestKind::AfterDeath => tr!(texts, "right-after-death"),
        RequestKind::Complaint => tr!(texts, "right-complaint"),
    }
}

/// A kind of request, at the resident window.
pub fn kind_for_resident(texts: &Texts, kind: RequestKind) -> String {
    match kind {
        RequestKind::Withdraw => trr!(texts, "mine-withdraw"),
        RequestKind::Pause => trr!(texts, "mine-pause"),
        RequestKind::See => trr!(texts, "mine-see"),
        RequestKind::Correct => trr!(texts, "mine-correct"),
        RequestKind::Redo => trr!(texts, "mine-redo"),
        RequestKind::Transfer => trr!(texts, "mine-copy"),
        RequestKind::Restrict => trr!(texts, "mine-refuse"),
        RequestKind::Explain => trr!(texts, "mine-explain"),
        RequestKind::Close => trr!(texts, "mine-close"),
        RequestKind::AfterDeath => trr!(texts, "mine-after-death"),
        RequestKind::Complaint => trr!(texts, "mine-complaint"),
    }
}

/// How a request came.
pub fn came(texts: &Texts, came: Came) -> String {
    match came {
        Came::Window => tr!(texts, "came-window"),
        Came::Desk => tr!(texts, "came-desk"),
        Came::Phone => tr!(texts, "came-phone"),
        Came::Letter => tr!(texts, "came-letter"),
    }
}

/// How it was known who asked.
pub fn identity(texts: &Texts, identity: Identity) -> String {
    match identity {
        Identity::CardTap => tr!(texts, "identity-card"),
        Identity::DocumentSeen => tr!(texts, "identity-document"),
        Identity::ActsForPerson => tr!(texts, "identity-for"),
        Identity::NotAsked => tr!(texts, "identity-none"),
    }
}

/// A field of the record, at the resident window.
pub fn field_for_resident(texts: &Texts, field: Field) -> String {
    match field {
        Field::Name => trr!(texts, "field-name"),
        Field::Unit => trr!(texts, "field-unit"),
        Field::AgeBand => trr!(texts, "field-age-band"),
        Field::NextBand => trr!(texts, "field-next-band"),
        Field::EndsOn => trr!(texts, "field-ends-on"),
        Field::Card => trr!(texts, "field-card"),
    }
}

/// The value of a changed field, at the resident window: an age band is stored as a word.
pub fn value_for_resident(texts: &Texts, field: Field, value: &str) -> String {
    match (field, value) {
        (_, "") => "—".into(),
        (Field::AgeBand, "adult") => trr!(texts, "band-adult"),
        (Field::AgeBand, "14-to-17") => trr!(texts, "band-14"),
        (Field::AgeBand, "under-14") => trr!(texts, "band-under-14"),
        _ => value.to_owned(),
    }
}

/// Where a clock stands.
pub fn clock(texts: &Texts, clock: Clock) -> (Tone, String) {
    match clock {
        Clock::Running { days } => (Tone::Told, tr!(texts, "clock-running", days = days)),
        Clock::Soon { days: 0 } => (Tone::Warn, tr!(texts, "clock-today")),
        Clock::Soon { days } => (Tone::Warn, tr!(texts, "clock-running", days = days)),
        Clock::Overdue { days } => (Tone::Alarm, tr!(texts, "clock-overdue", days = days)),
        Clock::Done => (Tone::Well, tr!(texts, "clock-done")),
    }
}

/// Why something about a request was not done.
pub fn fault(texts: &Texts, fault: RequestFault) -> Words {
    let (what, todo) = match fault {
        RequestFault::Refusal(RefusalFault::PartMissing) => {
            (tr!(texts, "err-refusal-part"), tr!(texts, "rec-refusal-part"))
        }
        RequestFault::Refusal(RefusalFault::ReasonMissing) => {
            (tr!(texts, "err-refusal-reason"), tr!(texts, "rec-refusal-reason", chars = RefusalWords::REASON_CHARS_MIN))
        }
        RequestFault::Refusal(RefusalFault::BasisMissing) => {
            (tr!(texts, "err-refusal-basis"), tr!(texts, "rec-refusal-basis"))
        }
        RequestFault::Refusal(RefusalFault::LetterIncomplete) => {
            (tr!(texts, "err-refusal-letter"), tr!(texts, "rec-refusal-letter"))
        }
        RequestFault::Decided => (tr!(texts, "err-request-decided"), tr!(texts, "rec-request-decided")),
        RequestFault::Undecided => (tr!(texts, "err-request-undecided"), tr!(texts, "rec-request-undecided")),
        RequestFault::FaceRefused => (tr!(texts, "err-face-refused"), tr!(texts, "rec-face-refused")),
        RequestFault::Died => (tr!(texts, "err-died"), tr!(texts, "rec-died")),
        RequestFault::KinMissing => (tr!(texts, "err-kin"), tr!(texts, "rec-kin")),
        RequestFault::AnswerMissing => (tr!(texts, "err-answer"), tr!(texts, "rec-answer")),
        RequestFault::FactsMissing => (tr!(texts, "err-paper-facts"), tr!(texts, "rec-paper-facts")),
    };
    Words { what, todo }
}

/// The same in one neutral line for a resident.
pub fn fault_for_resident(texts: &Texts, fault: RequestFault) -> String {
    match fault {
        RequestFault::FaceRefused => tr!(texts, "say-face-refused"),
        RequestFault::Died
        | RequestFault::Refusal(_)
        | RequestFault::Decided
        | RequestFault::Undecided
        | RequestFault::KinMissing
        | RequestFault::AnswerMissing
        | RequestFault::FactsMissing => tr!(texts, "say-staff"),
    }
}
