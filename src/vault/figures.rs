//! Counts for the yearly audit of minors' data: numbers only, no names, no ids. Rules: M6, M7, A-MIN.

use crate::domain::consent::EraseReason;
use crate::domain::guardian::MinorsFigures;
use crate::domain::resident::AgeBand;
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::VaultError;
use super::residents::band_number;

impl Vault {
    /// Numbers for the yearly audit of minors' data, from `from` to before `until`. Rules: M6, M7, A-MIN.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn minors_figures(&self, from: Timestamp, until: Timestamp) -> Result<MinorsFigures, VaultError> {
        let view = self.main.unchecked_transaction()?;
        let count = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<u32, VaultError> {
            Ok(view.query_row(sql, values, |row| row.get(0))?)
        };
        let (from, until) = (from.ms(), until.ms());
        let (child, youth) = (band_number(AgeBand::Under14), band_number(AgeBand::From14To17));
        let recorded = "SELECT count(*) FROM residents WHERE age_band = ?1";
        let enrolled = "SELECT count(*) FROM residents WHERE age_band = ?1
             AND EXISTS (SELECT 1 FROM consents WHERE resident = residents.id AND ended_at IS NULL)";
        let consents = "SELECT count(*) FROM consents JOIN consent_parties ON consent = consents.id
             WHERE given_by <> 'guardian of an adult' AND consents.signed_at >= ?1 AND consents.signed_at < ?2";
        let said_no = "SELECT count(*) FROM views WHERE answer = 'no' AND heard_at >= ?1 AND heard_at < ?2";
        let birthdays = "SELECT count(*) FROM consents WHERE end_reason = ?3 AND ended_at >= ?1 AND ended_at < ?2";
        let checked = "SELECT count(*) FROM guardians WHERE checked_at >= ?1 AND checked_at < ?2";
        // Whose record a look was at is in the log; that it is a minor's is told by the record as it is now.
        let looks = "SELECT count(*) FROM log JOIN log_details USING (n)
             JOIN residents ON residents.id = log_details.resident AND age_band <> ?3
             WHERE json_extract(CAST(record AS TEXT), '$.what') = 'resident-opened'
             AND json_extract(CAST(record AS TEXT), '$.who') LIKE 'staff:%'
             AND json_extract(CAST(record AS TEXT), '$.at') >= ?1 AND json_extract(CAST(record AS TEXT), '$.at') < ?2";
        Ok(MinorsFigures {
            under_14: count(recorded, &[&child])?,
            from_14_to_17: count(recorded, &[&youth])?,
            under_14_enrolled: count(enrolled, &[&child])?,
            from_14_to_17_enrolled: count(enrolled, &[&youth])?,
            consents: count(consents, &[&from, &until])?,
            said_no: count(said_no, &[&from, &until])?,
            ended_on_birthday: count(birthdays, &[&from, &until, &EraseReason::NextAgeBand.label()])?,
            guardians_checked: count(checked, &[&from, &until])?,
            looks: count(looks, &[&from, &until, &band_number(AgeBand::Adult)])?,
        })
    }
}
