//! Name, unit and card numbers are sealed under a key of the identity, which is destroyed when the identity is erased, thirty days after the record was
//! closed; what else is sealed with the person's own key is evidence, and stays readable for years. Vaults of an earlier version, in which the
//! person's own key sealed both, are sealed anew here, once. Rules: P19, P47.

use rusqlite::{Connection, params};

use crate::domain::id::{CardId, ResidentId};

use super::Vault;
use super::backup::{names, numbers};
use super::changes::{change_place, is_of_identity};
use super::error::VaultError;
use super::keys::VaultKey;
use super::residents::place;

/// Where the station keeps how identities are sealed.
pub(super) const SEALED_AT: &str = "identity-sealed";
/// Under a key of their own.
pub(super) const SHAPE: u8 = 1;

impl Vault {
    /// Seals what belongs to identities under their own keys, once, in one transaction.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn seal_identities(&self) -> Result<(), VaultError> {
        if self.has_identities_apart()? {
            return Ok(());
        }
        let work = self.begin()?;
        self.seal_identities_in(&work)?;
        Ok(work.commit()?)
    }

    /// Whether that was done.
    pub(super) fn has_identities_apart(&self) -> Result<bool, VaultError> {
        Ok(self.read_station(SEALED_AT)?.as_deref() == Some(&[SHAPE]))
    }

    /// The same inside a transaction. A value that does not open is left as it is: it reads as damaged later as it did before.
    pub(super) fn seal_identities_in(&self, work: &Connection) -> Result<(), VaultError> {
        for (id, name, unit) in names(work)? {
            let Some((own, identity)) = self.both(id)? else { continue };
            let anew = |column: &str, sealed: &[u8]| again(&own, &identity, &place(id, column), sealed);
            if let (Some(name), Some(unit)) = (anew("name", &name)?, anew("unit", &unit)?) {
                let sql = "UPDATE residents SET name = ?2, unit = ?3 WHERE id = ?1";
                work.prepare_cached(sql)?.execute(params![id.bytes(), name, unit])?;
            }
        }
        for (card, id, number) in numbers(work)? {
            let Some((own, identity)) = self.both(id)? else { continue };
            if let Some(number) = again(&own, &identity, &super::cards::place(card), &number)? {
                let sql = "UPDATE cards SET number = ?2 WHERE id = ?1";
                work.prepare_cached(sql)?.execute(params![CardId::bytes(&card), number])?;
            }
        }
        self.seal_changes(work)?;
        self.write_station(work, SEALED_AT, &[SHAPE])
    }

    /// Changes of names, units and cards; those of somebody whose identity was erased already are emptied.
    fn seal_changes(&self, work: &Connection) -> Result<(), VaultError> {
        let sql = "SELECT id FROM residents WHERE identity_ended_at IS NOT NULL";
        let erased: Vec<ResidentId> = {
            let mut statement = work.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0).map(ResidentId::from_bytes))?;
            rows.collect::<Result<_, _>>()?
        };
        for resident in erased {
            empty_changes(work, resident)?;
        }
        type Row = (i64, [u8; 16], String, Vec<u8>, Vec<u8>);
        let all: Vec<Row> = {
            let sql = "SELECT n, resident, field, old, new FROM changes WHERE length(old) > 0 OR length(new) > 0";
            let mut statement = work.prepare(sql)?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        // What forbids an edit stands aside within this transaction only.
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'change_stays'";
        let forbids: String = work.query_row(sql, [], |row| row.get(0))?;
        work.execute_batch("DROP TRIGGER change_stays;")?;
        for (n, resident, field, old, new) in all {
            let Some((own, identity)) = self.both(ResidentId::from_bytes(resident))? else { continue };
            if !is_of_identity(&field) {
                continue;
            }
            let anew = |column: &str, sealed: &[u8]| again(&own, &identity, &change_place(n, column), sealed);
            if let (Some(old), Some(new)) = (anew("old", &old)?, anew("new", &new)?) {
                work.prepare_cached("UPDATE changes SET old = ?2, new = ?3 WHERE n = ?1")?
                    .execute(params![n, old, new])?;
            }
        }
        Ok(work.execute_batch(&forbids)?)
    }

    /// The person's own key and the identity's; `None` where one of them is gone.
    fn both(&self, id: ResidentId) -> Result<Option<(VaultKey, VaultKey)>, VaultError> {
        let pair = match self.people_keys.pair_of(id) {
            Err(VaultError::Corrupt { .. }) => None,
            read => read?,
        };
        let Some(pair) = pair else { return Ok(None) };
        Ok(pair.of_identity()?.map(|identity| (pair.own, identity)))
    }
}

/// Empties what a person's changes say about name, unit and cards. The identity must be marked as ended.
pub(super) fn empty_changes(work: &Connection, resident: ResidentId) -> Result<(), VaultError> {
    let mut statement = work.prepare_cached("SELECT n, field FROM changes WHERE resident = ?1")?;
    let rows = statement.query_map([resident.bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    for (n, field) in rows.collect::<Result<Vec<_>, _>>()? {
        if is_of_identity(&field) {
            work.prepare_cached("UPDATE changes SET old = x'', new = x'' WHERE n = ?1")?.execute([n])?;
        }
    }
    Ok(())
}

/// Opens a value under one key and seals it under another; `None` when it does not open.
fn again(own: &VaultKey, identity: &VaultKey, place: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
    own.open(place, sealed).map(|plain| identity.seal(place, &plain)).transpose()
}
