//! What the gate holds, kept in memory beside the store so that a comparison reads no table. Made anew when another process changed the file.

use sha2::{Digest, Sha256};

use super::daemon::{Gate, Halt};
use super::error::GateError;
use super::store::Store;
use crate::wire::held::Held;
use crate::wire::message::{Holdings, REPLY_MAX, Refusal};

/// The holdings as of one state of the file.
pub(super) struct Index {
    version: i64,
    held: Held,
    digest: Option<[u8; 32]>,
}

impl Index {
    fn read(store: &Store, version: i64) -> Result<Self, GateError> {
        let mut held = Held::default();
        let (all, damaged) = store.holdings_and_damaged()?;
        if let Err(error) = store.forget_damaged(&damaged) {
            // They are not listed and not matched; the next reading tries again.
            tracing::error!(%error, "damaged templates could not be erased");
        }
        all.faces.into_iter().for_each(|face| held.put_face(face));
        all.cards.into_iter().for_each(|card| held.put_card(card.digest, card.ends_on));
        Ok(Self { version, held, digest: None })
    }
}

impl Gate {
    /// What is held.
    pub(super) fn held(&mut self) -> Result<&Held, GateError> {
        Ok(&self.fresh_index()?.held)
    }

    /// Digest and counts of everything held.
    pub(super) fn held_digest(&mut self) -> Result<([u8; 32], u64, u64), GateError> {
        let index = self.fresh_index()?;
        let digest = *index.digest.get_or_insert_with(|| index.held.digest());
        let (faces, cards) = index.held.counts();
        Ok((digest, faces, cards))
    }

    /// The whole list, as long as it fits into one answer.
    pub(super) fn list(&mut self) -> Result<Holdings, Halt> {
        let held = self.held()?;
        let (faces, cards) = held.counts();
        // A listed template takes up to 72 bytes, a card up to 48.
        if faces.saturating_mul(72).saturating_add(cards.saturating_mul(48)) > REPLY_MAX as u64 {
            return Err(Refusal::TooMany.into());
        }
        Ok(held.holdings())
    }

    fn fresh_index(&mut self) -> Result<&mut Index, GateError> {
        let version = self.store.data_version()?;
        let index = match self.index.take() {
            Some(index) if index.version == version => index,
            Some(_) => {
                // Another process wrote the file: what is matched follows it too.
                self.reload_faces()?;
                Index::read(&self.store, version)?
            }
            None => Index::read(&self.store, version)?,
        };
        Ok(self.index.insert(index))
    }

    /// An operation touched a template: its row is read again.
    pub(super) fn note_face(&mut self, template: &[u8; 16]) {
        let Some(index) = self.index.as_mut() else { return };
        index.digest = None;
        match self.store.held(template) {
            Ok(Some(face)) => index.held.put_face(face),
            Ok(None) => index.held.drop_face(template),
            Err(_) => self.index = None,
        }
    }

    /// An operation touched a card: its row is read again.
    pub(super) fn note_card(&mut self, uid: &[u8]) {
        let Some(index) = self.index.as_mut() else { return };
        index.digest = None;
        let key: [u8; 32] = Sha256::digest(uid).into();
        match self.store.card_ends_on(uid) {
            Ok(Some(ends_on)) => index.held.put_card(key, ends_on.epoch_days()),
            Ok(None) => index.held.drop_card(&key),
            Err(_) => self.index = None,
        }
    }
}
