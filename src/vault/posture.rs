//! What the evidence log keeps of the machine: findings that came up, and how late the newest record is. Rules: F14, K2.

use super::Vault;
use super::database::check_pages;
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::posture::What;
use crate::domain::time::Timestamp;

/// Records that tell what time it was.
const RECORDS_LOOKED_AT: u32 = 100;

impl Vault {
    /// The latest time on the last [`RECORDS_LOOKED_AT`] records of the log: unlocking itself writes one, also with a clock that went back.
    /// Not over all of them, so that a day on which the clock was ahead is over after a few visits with the right one.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn latest_record_at(&self) -> Result<Option<Timestamp>, VaultError> {
        let from = self.log_len()?.saturating_sub(u64::from(RECORDS_LOOKED_AT));
        let records = self.log_records(from, RECORDS_LOOKED_AT)?;
        Ok(records.iter().map(|record| Timestamp::from_ms(record.at)).max())
    }

    /// Reads every page of both files again and checks them.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] names the file; those of the disk.
    pub fn check_whole(&self) -> Result<(), VaultError> {
        check_pages(&self.main, MAIN_FILE)?;
        check_pages(&self.people_keys, KEYS_FILE)
    }

    /// Notes findings about the machine: those that keep face entry off, and their end.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_machine_found(&mut self, found: &[What], now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        for what in found {
            self.append(&work, Actor::Station, &AuditEvent::MachineFound(*what), now)?;
        }
        work.commit()?;
        Ok(())
    }
}
