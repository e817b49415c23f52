//! Operations on their way to gates: order, retry arithmetic. A face is never among them (it goes from memory, once).

use super::card::CardUid;
use super::id::{OpId, TemplateId};
use super::time::{CivilDate, Timestamp};

/// What a gate is told to do. Nothing here names a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateOp {
    /// Erase a template.
    EraseFace {
        /// Which.
        template: TemplateId,
    },
    /// Stop matching a template but keep it.
    FreezeFace {
        /// Which.
        template: TemplateId,
    },
    /// Match a frozen template again, at the person's word.
    ThawFace {
        /// Which.
        template: TemplateId,
    },
    /// Match no face at all.
    StopFaces,
    /// Match faces again.
    ResumeFaces,
    /// Let a card in until a day.
    PutCard {
        /// The card.
        uid: CardUid,
        /// Last day.
        ends_on: CivilDate,
    },
    /// Let a card in no more.
    RemoveCard {
        /// The card.
        uid: CardUid,
    },
}

impl GateOp {
    /// Lower goes first: stops, erasures, then freezes, then cards. What undoes another has the same rank, so that their order stays.
    pub fn rank(&self) -> i8 {
        match self {
            Self::StopFaces | Self::ResumeFaces => -1,
            Self::EraseFace { .. } => 0,
            Self::FreezeFace { .. } | Self::ThawFace { .. } => 1,
            Self::RemoveCard { .. } => 2,
            Self::PutCard { .. } => 3,
        }
    }
}

/// Where an operation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for the gate.
    Pending {
        /// Tries so far.
        attempts: u32,
        /// Not before this instant.
        not_before: Timestamp,
    },
    /// The gate signed for it.
    Delivered,
    /// The gate refused it: staff must act.
    Wedged {
        /// The gate's reason code.
        reason: String,
    },
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Idempotency key.
    pub op: OpId,
    /// Order of queueing.
    pub sequence: u64,
    /// What to do.
    pub what: GateOp,
    /// Where it stands.
    pub state: DeliveryState,
}

/// Longest pause between two tries, in milliseconds.
pub const PAUSE_MAX_MS: i64 = 60_000;

/// Failed tries from which on a gate's refusal is shown, although it may pass and is tried again: about half a minute after the first.
pub const NOTED_FROM: u32 = 6;

/// The pause after the `attempts`-th failed try: 1, 2, 4 … seconds, at most [`PAUSE_MAX_MS`].
pub fn pause_ms(attempts: u32) -> i64 {
    (1_000i64 << attempts.saturating_sub(1).min(16)).min(PAUSE_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let pauses: Vec<i64> = (1..=8).map(pause_ms).collect();
        assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(pause_ms(u32::MAX), PAUSE_MAX_MS);
    }
}
