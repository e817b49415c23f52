//! Many invented people at once, for the bench: what `record_resident` writes, in one transaction and without a record in
//! the log for each. In practice builds only.

use rusqlite::params;

use crate::domain::id::ResidentId;
use crate::domain::time::Timestamp;
use crate::secret::random_bytes;

use super::keys::VaultKey;
use super::residents::place;
use super::{Vault, VaultError, epoch};

impl Vault {
    /// Writes people by name and unit.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn fill(&mut self, people: &[(String, String)], now: Timestamp) -> Result<(), VaultError> {
        let keys = epoch::begin(&self.people_keys)?;
        let work = self.begin()?;
        let ends_on = now.date().plus_days(365).epoch_days();
        for (name, unit) in people {
            let (id, key) = (ResidentId::from_bytes(random_bytes()), VaultKey::make());
            let sql = "INSERT INTO person_keys (resident, sealing_key, made_at, place) VALUES (?1, ?2, ?3, ?4)";
            keys.prepare_cached(sql)
                .and_then(|mut s| s.execute(params![id.bytes(), key.bytes(), now.ms(), epoch::take_place(&keys).ok()]))
                .map_err(|error| epoch::in_keys(&error))?;
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
        }
        keys.commit().map_err(|error| epoch::in_keys(&error))?;
        Ok(work.commit()?)
    }
}
