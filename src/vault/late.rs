//! Gates that were not heard when a backup was restored. Such a gate may keep the only note of what ended after the backup, and under the
//! number that the restored desk counts to next: it is asked before it is given a newer one, and what it lists ends again then, as it would
//! have at the restore. Rules: P47, P56, K2-9.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::{GateId, ResidentId};
use crate::domain::keep::KeepEvent;
use crate::domain::time::Timestamp;

use super::Vault;
use super::end_again::Again;
use super::epoch::{self, Note};
use super::error::{MAIN_FILE, VaultError};
use super::punctures::{Leaf, Tree};
use super::restore::{RestoreReport, Restoring};

/// Where a restored vault keeps what it was restored from, and which gates were heard since.
const HEARD: &str = "heard-since-restore";

/// What the restored vault knows of the gates' notes.
#[derive(Encode, Decode)]
struct Heard {
    /// When the backup was made.
    #[n(0)]
    made_at: i64,
    /// Number of the note that it was restored with.
    #[n(1)]
    number: u64,
    /// SHA-256 of what that note says.
    #[cbor(n(2), with = "minicbor::bytes")]
    says: [u8; 32],
    /// The recovery key's slot after the restore; empty without one.
    #[cbor(n(3), with = "minicbor::bytes")]
    recovery: Vec<u8>,
    /// Gates that were heard; 16 bytes each.
    #[cbor(n(4), with = "minicbor::bytes")]
    gates: Vec<u8>,
}

impl Heard {
    fn knows(&self, gate: GateId) -> bool {
        self.gates.as_chunks::<16>().0.contains(gate.bytes())
    }
}

fn says(note: &Note) -> Result<[u8; 32], VaultError> {
    let plain = zeroize::Zeroizing::new(minicbor::to_vec(note).map_err(|_| VaultError::Refused(0))?);
    Ok(Sha256::digest(&plain[..]).into())
}

impl Restoring {
    /// A gate said what it keeps, or that it keeps nothing.
    pub fn heard(&mut self, gate: GateId) {
        self.heard.insert(gate);
    }

    /// Takes what a gate keeps; the one with the highest number counts, and what others list beside it ends as well. `false` when it is not of
    /// this station.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn take_note(&mut self, number: u64, sealed: &[u8]) -> Result<bool, VaultError> {
        let key = self.vault.note_key()?;
        let Some(note) = Note::open(&key, &self.vault.epoch_origin(), number, sealed) else { return Ok(false) };
        self.gates_heard += 1;
        if self.note.as_ref().is_none_or(|(known, _)| *known < number) {
            self.others.extend(self.note.replace((number, note)));
        } else {
            self.others.push((number, note));
        }
        Ok(true)
    }

    /// Gates keep one line of notes, of which the newest says everything; unless the desk was restored before without some of them.
    pub(super) fn end_what_others_keep(
        &mut self,
        (number, newest): &(u64, Note),
        report: &mut RestoreReport,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let newest = says(newest)?;
        for (other, note) in std::mem::take(&mut self.others) {
            if says(&note)? == newest {
                continue;
            }
            let (vault, slots) = (&mut self.vault, &mut self.slots);
            let (gone, erased) = vault.cut_by(&note, self.made_at)?;
            let mut again = Again { vault, slots, made_at: self.made_at, until: None, all: other >= *number };
            again.run(&note, (&gone, &erased), report, now)?;
            self.vault.join_trees(&note, *number)?;
        }
        Ok(())
    }

    /// Which gates were heard; the others are asked before they are given anything.
    pub(super) fn write_heard(&self, work: &Connection, (number, note): &(u64, Note)) -> Result<(), VaultError> {
        let heard = Heard {
            made_at: self.made_at.ms(),
            number: *number,
            says: says(note)?,
            recovery: self.slots.recovery().map(|slot| slot.id.bytes().to_vec()).unwrap_or_default(),
            gates: self.heard.iter().flat_map(|gate| *gate.bytes()).collect(),
        };
        self.vault.write_heard(work, &heard)
    }
}

type Gone = Vec<(ResidentId, u32)>;

impl Vault {
    fn heard(&self) -> Result<Option<Heard>, VaultError> {
        let Some(bytes) = self.read_station(HEARD)? else { return Ok(None) };
        minicbor::decode(&bytes).map(Some).map_err(|_| VaultError::corrupt(MAIN_FILE))
    }

    fn write_heard(&self, work: &Connection, heard: &Heard) -> Result<(), VaultError> {
        self.write_station(work, HEARD, &minicbor::to_vec(heard).map_err(|_| VaultError::Refused(0))?)
    }

    /// Whether a gate has not said what it keeps since this vault was restored.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn is_unheard(&self, gate: GateId) -> Result<bool, VaultError> {
        Ok(self.heard()?.is_some_and(|heard| !heard.knows(gate)))
    }

    /// Gates in use that have not said what they keep since this vault was restored.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn unheard(&self) -> Result<BTreeSet<GateId>, VaultError> {
        let Some(heard) = self.heard()? else { return Ok(BTreeSet::new()) };
        Ok(self.gates()?.into_iter().map(|gate| gate.id).filter(|gate| !heard.knows(*gate)).collect())
    }

    /// Takes what a gate keeps that was not heard at the restore (`None`: nothing that is this station's), and ends again what it lists. What
    /// that was; `None` when it says nothing new.
    ///
    /// # Errors
    /// Those of the disk; the gate is asked again then, and every step may be done twice.
    pub fn hear_late(
        &mut self,
        gate: GateId,
        kept: Option<(u64, &[u8])>,
        now: Timestamp,
    ) -> Result<Option<RestoreReport>, VaultError> {
        let Some(mut heard) = self.heard()?.filter(|heard| !heard.knows(gate)) else { return Ok(None) };
        let key = self.note_key()?;
        let opened =
            kept.and_then(|(number, sealed)| Some((number, Note::open(&key, &self.epoch_origin(), number, sealed)?)));
        if kept.is_some() && opened.is_none() {
            tracing::warn!(gate = %gate.short(), "a gate keeps a note that this vault does not open");
        }
        let mut report = RestoreReport { made_at: Timestamp::from_ms(heard.made_at), ..RestoreReport::default() };
        let mut news = false;
        if let Some((number, note)) = &opened
            && says(note)? != heard.says
        {
            // An older one lists nothing that the one of the restore did not, unless the desk had been restored before.
            news = *number >= heard.number;
            self.end_late(&heard, (*number, note), &mut report, now)?;
            news |= RestoreReport { made_at: report.made_at, cut: report.cut, ..RestoreReport::default() } != report;
        }
        heard.gates.extend(gate.bytes());
        let work = self.begin()?;
        if news {
            tracing::warn!(gate = %gate.short(), "a gate that was not heard at the restore knew of more that had ended");
            self.append(&work, Actor::Gate(gate), &AuditEvent::Keep(KeepEvent::EndedAgain), now)?;
        }
        self.write_heard(&work, &heard)?;
        work.commit()?;
        Ok(news.then_some(report))
    }

    fn end_late(
        &mut self,
        heard: &Heard,
        (number, note): (u64, &Note),
        report: &mut RestoreReport,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let made_at = Timestamp::from_ms(heard.made_at);
        let (gone, erased) = self.cut_by(note, made_at)?;
        let all = number >= heard.number;
        let mut slots = self.slots()?;
        let before = slots.clone();
        let mut again = Again { vault: self, slots: &mut slots, made_at, until: Some(made_at), all };
        again.run(note, (&gone, &erased), report, now)?;
        // The recovery key of the backup, which another one had taken the place of; not one that was made after the restore.
        if let Some(old) = slots.recovery().map(|slot| slot.id)
            && old.bytes()[..] == heard.recovery[..]
            && all
            && note.lists.as_ref().is_some_and(|lists| lists.recovery != old.bytes())
        {
            report.recovery_void = true;
            slots.remove(old);
            let work = self.begin()?;
            self.write_station(&work, super::recovery::KEPT, &[])?;
            work.commit()?;
        }
        if slots != before {
            slots.write(&self.dir)?;
        }
        self.join_trees(note, number)
    }

    /// Of whom a note's tree opens nothing any more, and of whom no identity: those who were in the backup and have both here.
    fn cut_by(&self, note: &Note, made_at: Timestamp) -> Result<(Gone, Vec<ResidentId>), VaultError> {
        let (mut gone, mut erased) = (vec![], vec![]);
        if note.generation != epoch::numbers(&self.people_keys)?.0 {
            // Dealt anew since: who was erased before that is among the closed records only.
            tracing::error!("a gate keeps another tree of keys");
            return Ok((gone, erased));
        }
        let tree: Tree = note.tree()?;
        let sql = "SELECT id, length(name) > 0 FROM residents WHERE evidence_ended_at IS NULL AND recorded_at <= ?1";
        let mut statement = self.main.prepare(sql)?;
        let mut rows = statement.query(params![made_at.ms()])?;
        while let Some(row) = rows.next()? {
            let (resident, named) = (ResidentId::from_bytes(row.get(0)?), row.get::<_, bool>(1)?);
            let Some(place) = epoch::place_of(&self.people_keys, resident)? else { continue };
            if !tree.has(place, Leaf::Evidence) {
                gone.push((resident, place));
            } else if named && !tree.has(place, Leaf::Identity) {
                erased.push(resident);
            }
        }
        Ok((gone, erased))
    }

    /// What was cut out there is cut out here, and the next note has a number above that one's.
    fn join_trees(&self, note: &Note, number: u64) -> Result<(), VaultError> {
        let theirs = note.tree()?;
        self.people_keys.join(|epoch| {
            if epoch.generation == note.generation {
                epoch.tree.keep_common(&theirs);
                epoch.next_place = epoch.next_place.max(note.next_place);
            }
            epoch.number = epoch.number.max(super::log::number(number));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_out_of_either_tree_is_gone() -> Result<(), VaultError> {
        let mut ours = Tree::make();
        let mut theirs = Tree::from_bytes(&ours.to_bytes())?;
        for place in [3, 9] {
            ours.cut(place, Leaf::Identity)?;
        }
        for place in [9, 100, 101] {
            theirs.cut(place, Leaf::Evidence)?;
        }
        let whole: Vec<bool> = (0..200).map(|place| ours.has(place, Leaf::Identity)).collect();
        assert_eq!(whole.iter().filter(|has| !**has).count(), 2);
        let key = ours.key(5, Leaf::Evidence).ok_or(VaultError::Unknown)?;
        ours.keep_common(&theirs);
        for place in 0..200 {
            assert_eq!(ours.has(place, Leaf::Identity), ![3, 9].contains(&place), "{place}");
            assert_eq!(ours.has(place, Leaf::Evidence), ![9, 100, 101].contains(&place), "{place}");
        }
        assert!(ours.key(5, Leaf::Evidence).is_some_and(|still| still.same_as(&key)));
        let again = ours.to_bytes().to_vec();
        ours.keep_common(&theirs);
        assert_eq!(*ours.to_bytes(), again, "done twice it is the same");
        Ok(())
    }
}
