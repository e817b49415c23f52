//! The courier shows the log's head to gates and compares what they keep: the witness that is always there. Rule: P69.

use super::courier::{ANSWER_LIMIT, Courier};
use crate::domain::gate::GateRecord;
use crate::domain::time::Timestamp;
use crate::vault::{HeadState, VaultError};
use crate::wire::message::{KeepHead, Reply, Request};

/// Shortest pause between two heads given to one gate, in milliseconds: each is a durable write there.
const HEAD_EVERY_MS: i64 = 60_000;

/// What is known of one gate as a witness, since the desk was unlocked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// When it was last given a head.
    given_at: Option<Timestamp>,
    /// Records in the head that it keeps; 0 for none.
    kept: u64,
    /// How that head compares; nothing before the first answer.
    state: Option<HeadState>,
    /// It does not know these questions.
    unable: bool,
}

impl Courier {
    /// Asks which head a gate keeps, compares it, and gives it the head of now when there is news.
    ///
    /// # Errors
    /// The vault failed. A gate that cannot be a witness is not an error.
    pub(super) fn witness(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        let mut asked = self.heads.get(&gate.id).copied().unwrap_or_default();
        if asked.unable {
            return Ok(());
        }
        if asked.state != Some(HeadState::Fits) {
            let request = Request::HeadOf(self.vault.log_origin());
            match self.link.ask(gate, &request, ANSWER_LIMIT) {
                Ok(Reply::Head(None)) => {
                    // Paired anew since, or never given one: nothing there contradicts this log.
                    self.vault.forget_gate_head(gate.id)?;
                    (asked.kept, asked.state, asked.given_at) = (0, Some(HeadState::Fits), None);
                    self.shared().touch();
                }
                Ok(Reply::Head(Some(note))) => self.compare(gate, &note, &mut asked, now)?,
                Ok(_) => asked.unable = true,
                Err(_) => {}
            }
        }
        let rested = asked.given_at.is_none_or(|at| now.since(at) >= HEAD_EVERY_MS || now < at);
        if asked.state == Some(HeadState::Fits) && rested && self.vault.log_len()? > asked.kept {
            let offer = self.vault.offer_head(asked.kept)?;
            let key = self.vault.evidence_public();
            let request = Request::KeepHead(KeepHead { note: offer.note, key, proof: offer.proof.concat() });
            asked.given_at = Some(now);
            match self.link.ask(gate, &request, ANSWER_LIMIT) {
                Ok(Reply::Head(Some(note))) => self.compare(gate, &note, &mut asked, now)?,
                Ok(_) => asked.unable = true,
                Err(_) => {}
            }
        }
        self.heads.insert(gate.id, asked);
        Ok(())
    }

    fn compare(&mut self, gate: &GateRecord, note: &str, asked: &mut Asked, now: Timestamp) -> Result<(), VaultError> {
        match self.vault.record_gate_head(gate.id, note, now) {
            Ok(head) => {
                if head.state != HeadState::Fits {
                    let gate = gate.id.short();
                    tracing::error!(%gate, state = ?head.state, "the log does not continue the head that a gate keeps");
                }
                (asked.kept, asked.state) = (head.size, Some(head.state));
                self.shared().touch();
                Ok(())
            }
            // Not cosigned by this gate: it witnesses nothing.
            Err(VaultError::Evidence(_)) => {
                asked.unable = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
