//! That the door was asked to open: when, by which way and how it went; not for whom.

use std::ops::Range;

use rusqlite::params;

use super::{Store, Way};
use crate::domain::time::Timestamp;
use crate::gate::error::GateError;
use crate::secret::random_bytes;

impl Store {
    /// Writes down that the door was asked to open: when, by which way and how it went; not for whom.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn record_opening(&self, way: Way, opened: bool, now: Timestamp) -> Result<(), GateError> {
        let way = match way {
            Way::Card => "card",
            Way::Face => "face",
        };
        let door = if opened { "opened" } else { "failed" };
        self.db
            .prepare_cached("INSERT INTO openings (id, at, way, door) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![random_bytes::<16>(), now.ms(), way, door])?;
        Ok(())
    }

    /// Number of opening records.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn openings(&self) -> Result<u64, GateError> {
        let count: i64 = self.db.query_row("SELECT count(*) FROM openings", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Erases opening records of other times than these. Returns how many.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn erase_openings_outside(&self, kept: &Range<Timestamp>) -> Result<usize, GateError> {
        let sql = "DELETE FROM openings WHERE at < ?1 OR at >= ?2";
        Ok(self.db.execute(sql, params![kept.start.ms(), kept.end.ms()])?)
    }
}
