//! Orders of the station to match somebody no more whose write is not known to be on disk. A failed write is undone by reading the disk
//! again, and the disk still holds what was to go: nothing of this is matched meanwhile, whatever the disk does.
//!
//! Kept in memory only: a gate that starts anew matches nobody before its station was heard, which repeats the order first.

use std::collections::BTreeSet;

use super::daemon::Gate;
use super::store::LiveFace;
use crate::wire::message::What;

/// What is not matched although the disk may hold it.
#[derive(Default)]
pub(super) struct Withheld {
    erased: BTreeSet<[u8; 16]>,
    frozen: BTreeSet<[u8; 16]>,
    everybody: bool,
    stopped: bool,
    /// Done inside the write that many operations share.
    in_batch: Vec<What>,
}

impl Withheld {
    /// An order was heard.
    pub(super) fn heard(&mut self, what: &What) {
        match what {
            What::EraseFace(template) => drop(self.erased.insert(*template)),
            What::FreezeFace(template) => drop(self.frozen.insert(*template)),
            What::StopFaces => self.stopped = true,
            What::Unpair => self.everybody = true,
            _ => {}
        }
    }

    fn durable(&mut self, what: &What) {
        match what {
            What::EraseFace(template) => {
                self.erased.remove(template);
                self.frozen.remove(template);
            }
            What::FreezeFace(template) | What::ThawFace(template) => drop(self.frozen.remove(template)),
            What::StopFaces | What::ResumeFaces => self.stopped = false,
            What::Unpair => *self = Self::default(),
            _ => {}
        }
    }

    /// Whether all faces are stopped, where the store says so or not.
    pub(super) fn stops(&self, stored: bool) -> bool {
        stored || self.stopped
    }

    /// Of what the store holds: what may be matched.
    pub(super) fn keep_out(&self, live: &mut Vec<LiveFace>) {
        live.retain(|face| !self.everybody && !self.erased.contains(face.template.bytes()));
        for face in live {
            face.frozen |= self.frozen.contains(face.template.bytes());
        }
    }

    /// A person stands at the gate and pairs it: that all shall go was an order of the station before.
    pub(super) fn paired(&mut self) {
        self.everybody = false;
    }
}

impl Gate {
    /// An operation and its receipt are written: what it ordered is on disk, or will be with the rest of the batch.
    pub(super) fn written(&mut self, what: &What) {
        if self.store.in_batch() {
            self.withheld.in_batch.push(what.clone());
        } else {
            self.withheld.durable(what);
        }
    }

    /// The batch is on disk.
    pub(super) fn batch_written(&mut self) {
        for what in std::mem::take(&mut self.withheld.in_batch) {
            self.withheld.durable(&what);
        }
    }

    /// Nothing of the batch is.
    pub(super) fn batch_undone(&mut self) {
        self.withheld.in_batch.clear();
    }
}
