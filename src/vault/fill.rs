//! Many invented people at once, for the benches: what `record_resident` and `issue_card` write, in one transaction and without a record in
//! the log for each; and everybody, or one person, opened as the vault opens them. In practice builds only: staff get no list of everybody,
//! and every look of theirs is logged.

use rusqlite::params;

use crate::domain::id::{CardId, GateId, ResidentId};
use crate::domain::resident::Resident;
use crate::domain::time::{CivilDate, Timestamp};
use crate::secret::random_bytes;

use super::outbox::{self, Queued};
use super::residents::{open_text, place};
use super::{Vault, VaultError, backup, cards, epoch};

impl Vault {
    /// Writes people by name and unit. Returns their numbers, in the same order.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn fill(&mut self, people: &[(String, String)], now: Timestamp) -> Result<Vec<ResidentId>, VaultError> {
        let keys = epoch::begin(&self.people_keys)?;
        let work = self.begin()?;
        let ends_on = now.date().plus_days(365).epoch_days();
        let mut ids = Vec::with_capacity(people.len());
        for (name, unit) in people {
            let id = ResidentId::from_bytes(random_bytes());
            let key = self.people_keys.make_in(&keys, id, now)?.of_identity()?.ok_or(VaultError::Unknown)?;
            let sql = "INSERT INTO residents (id, name, unit, unit_hash, age_band, ends_on, recorded_at)
                 VALUES (?1, ?2, ?3, ?4, 2, ?5, ?6)";
            work.prepare_cached(sql)?.execute(params![
                id.bytes(),
                key.seal(&place(id, "name"), name.as_bytes())?,
                key.seal(&place(id, "unit"), unit.as_bytes())?,
                self.unit_hash(unit)?,
                ends_on,
                now.ms()
            ])?;
            self.index_surname(&work, id, name)?;
            ids.push(id);
        }
        keys.commit().map_err(|error| epoch::in_keys(&error))?;
        work.commit()?;
        Ok(ids)
    }

    /// Issues a card with an invented number to each, for one gate, and queues it there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn fill_cards(
        &mut self,
        people: &[ResidentId],
        gate: GateId,
        ends_on: CivilDate,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let work = self.begin()?;
        for resident in people {
            let (card, number): (CardId, [u8; 7]) = (CardId::from_bytes(random_bytes()), random_bytes());
            let sealed = self.identity_key(*resident)?.seal(&cards::place(card), &number)?;
            let hash = self.ring.index_hash("card", &number)?;
            let sql = "INSERT INTO cards (id, resident, number, number_hash, ends_on, issued_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let days = ends_on.epoch_days();
            work.prepare_cached(sql)?.execute(params![card.bytes(), resident.bytes(), sealed, hash, days, now.ms()])?;
            work.prepare_cached("INSERT INTO card_gates (card, gate, place) VALUES (?1, ?2, 0)")?
                .execute(params![card.bytes(), gate.bytes()])?;
            outbox::queue(&work, gate, Queued::PutCard(card), now)?;
        }
        Ok(work.commit()?)
    }

    /// Reads and opens everybody's name and unit, one after the other, as making the index of names anew does.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] for a row that does not open, and those of the disk.
    pub fn open_everybody(&self, mut each: impl FnMut(ResidentId, &str, &str)) -> Result<(), VaultError> {
        for (id, name, unit) in backup::names(&self.main)? {
            let key = self.identity_key(id)?;
            each(id, &open_text(&key, &place(id, "name"), &name)?, &open_text(&key, &place(id, "unit"), &unit)?);
        }
        Ok(())
    }

    /// Reads and opens one record, as every page about a person does once it may.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], [`VaultError::Corrupt`], and those of the disk.
    pub fn open_one(&self, id: ResidentId) -> Result<Resident, VaultError> {
        self.resident(id)
    }

    /// Operations that a gate signed for, and how many of them were read back.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn signed_and_read_back(&self, gate: GateId) -> Result<(u64, u64), VaultError> {
        let sql = "SELECT count(*), count(read_back_at) FROM outbox WHERE gate = ?1 AND state = 'delivered'";
        let counts: (i64, i64) = self.main.query_row(sql, [gate.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((counts.0.unsigned_abs(), counts.1.unsigned_abs()))
    }
}
