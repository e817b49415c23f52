//! The courier gives each gate the newest note about erasures, so that a backup opens only what was not erased since.
//! Rules: P47, P56.

use super::courier::{ANSWER_LIMIT, Courier};
use crate::domain::gate::GateRecord;
use crate::domain::time::Timestamp;
use crate::vault::VaultError;
use crate::wire::message::{EPOCH_MAX, KeepEpoch, Refusal, Reply, Request};

/// What is known of one gate as a keeper, since the desk was unlocked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// The number that it was seen to keep.
    number: u64,
    /// How long the log was when the note was last looked at: nothing is erased or ended without a record.
    log_len: u64,
    /// It does not know these questions.
    unable: bool,
}

/// What a gate keeps that was not heard when a backup was restored: a number and what is sealed under it.
pub(super) type KeptNote = Option<(u64, Vec<u8>)>;

impl Courier {
    /// Asks a gate that was not heard at the restore what it keeps, before it is given anything newer. The desk ends again what that lists,
    /// since it holds the slots.
    ///
    /// # Errors
    /// The vault failed.
    pub(super) fn hear_late(&mut self, gate: &GateRecord) -> Result<(), VaultError> {
        if !self.vault.is_unheard(gate.id)? || self.shared().read(|state| state.late.contains_key(&gate.id)) {
            return Ok(());
        }
        let kept: KeptNote = match self.link.ask(gate, &Request::EpochOf(self.vault.epoch_origin()), ANSWER_LIMIT) {
            Ok(Reply::Epoch(kept)) => kept.map(|kept| (kept.number, kept.sealed)),
            // Of an earlier revision: it keeps none.
            Ok(Reply::Refused(Refusal::Malformed)) => None,
            // Asked again at the next visit.
            Ok(_) | Err(_) => return Ok(()),
        };
        self.shared().change(|state| state.late.insert(gate.id, kept).is_none());
        Ok(())
    }

    /// Gives a gate the note when it keeps an older one.
    ///
    /// # Errors
    /// The vault failed. A gate that cannot keep it is not an error.
    pub(super) fn keep_epoch(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        let mut known = self.kept.get(&gate.id).copied().unwrap_or_default();
        let log_len = self.vault.log_len()?;
        // Not before what it keeps is known here: that may be the only record of what ended.
        if self.vault.is_unheard(gate.id)? {
            return Ok(());
        }
        if known.unable || (known.number > 0 && known.log_len == log_len) {
            return Ok(());
        }
        let note = self.vault.epoch_note()?;
        if note.number > known.number {
            if note.sealed.len() > EPOCH_MAX {
                tracing::error!(bytes = note.sealed.len(), "the note about erasures is too long for a gate");
                return Ok(());
            }
            let offer = KeepEpoch { origin: note.origin, number: note.number, sealed: note.sealed };
            match self.link.ask(gate, &Request::KeepEpoch(offer), ANSWER_LIMIT) {
                Ok(Reply::Epoch(Some(kept))) => {
                    if kept.number > note.number {
                        // It was given by a later state of this vault, or of its keys: an old copy was put back. Recorded below as
                        // what keeps faces off.
                        tracing::error!(gate = %gate.id.short(), "a gate keeps a later note about erasures");
                        self.shared().touch();
                    }
                    known.number = kept.number;
                    self.vault.record_gate_epoch(gate.id, kept.number, now)?;
                }
                Ok(_) => known.unable = true,
                // Asked again at the next visit.
                Err(_) => return Ok(()),
            }
        }
        known.log_len = log_len;
        self.kept.insert(gate.id, known);
        Ok(())
    }
}
