//! What the store holds: templates, cards, numbers that are spent.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::{LiveFace, Store};
use crate::domain::id::TemplateId;
use crate::domain::time::CivilDate;
use crate::gate::error::GateError;
use crate::gate::rows;
use crate::wire::message::{CardDigest, HeldFace, Holdings};

impl Store {
    /// The number of a held card with this SHA-256.
    ///
    /// # Errors
    /// [`GateError`].
    pub(in crate::gate) fn card_with(&self, number_sha256: &[u8; 32]) -> Result<Option<Vec<u8>>, GateError> {
        let mut statement = self.db.prepare_cached("SELECT uid FROM cards")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let uid: Vec<u8> = row.get(0)?;
            if <[u8; 32]>::from(Sha256::digest(&uid)) == *number_sha256 {
                return Ok(Some(uid));
            }
        }
        Ok(None)
    }

    /// A held template, if what is stored still gives its digest.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn held(&self, template: &[u8; 16]) -> Result<Option<HeldFace>, GateError> {
        Ok(rows::read_back_face(&self.db, template)?)
    }

    /// Whether a random number can never be used again.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn is_spent(&self, template: &[u8; 16]) -> Result<bool, GateError> {
        let mut statement = self.db.prepare_cached("SELECT 1 FROM spent WHERE template = ?1")?;
        Ok(statement.exists([template])?)
    }

    /// Last day of a card, if held.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn card_ends_on(&self, uid: &[u8]) -> Result<Option<CivilDate>, GateError> {
        let mut statement = self.db.prepare_cached("SELECT ends_on FROM cards WHERE uid = ?1")?;
        let days: Option<i64> = statement.query_row([uid], |row| row.get(0)).optional()?;
        Ok(days.map(CivilDate::from_epoch_days))
    }

    /// Number of cards.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn cards(&self) -> Result<u64, GateError> {
        let mut statement = self.db.prepare_cached("SELECT count(*) FROM cards")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// Number of templates.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn faces(&self) -> Result<u64, GateError> {
        let count: i64 = self.db.query_row("SELECT count(*) FROM faces", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Everything held, as numbers and digests. A template that does not give its digest is never matched, and is left out here too: the
    /// station finds that it is missing.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn holdings(&self) -> Result<Holdings, GateError> {
        Ok(self.holdings_and_damaged()?.0)
    }

    /// The same, and the numbers of the templates that do not give their digest.
    ///
    /// # Errors
    /// [`GateError`].
    pub(in crate::gate) fn holdings_and_damaged(&self) -> Result<(Holdings, Vec<[u8; 16]>), GateError> {
        let mut statement = self.db.prepare_cached("SELECT template FROM faces ORDER BY template")?;
        let all = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<[u8; 16]>, _>>()?;
        let (mut faces, mut damaged) = (Vec::with_capacity(all.len()), vec![]);
        for template in all {
            match self.held(&template)? {
                Some(held) => faces.push(held),
                None => damaged.push(template),
            }
        }
        let mut statement = self.db.prepare_cached("SELECT uid, ends_on FROM cards")?;
        let mut cards = statement
            .query_map([], |row| {
                let uid: Vec<u8> = row.get(0)?;
                Ok(CardDigest { digest: Sha256::digest(uid).into(), ends_on: row.get(1)? })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        cards.sort_unstable_by_key(|card| card.digest);
        Ok((Holdings { faces, cards }, damaged))
    }

    /// Erases templates that do not give their digest. Nobody is ever matched with them; where they belong another gate hands them over again, and
    /// where they do not, nobody would ask for their erasure, since they are not listed. Their numbers are not spent, and a pause goes on.
    ///
    /// # Errors
    /// [`GateError`]; then they are there still.
    pub(in crate::gate) fn forget_damaged(&self, damaged: &[[u8; 16]]) -> Result<(), GateError> {
        if damaged.is_empty() {
            return Ok(());
        }
        let tx = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        for template in damaged {
            tracing::error!(template = %TemplateId::from_bytes(*template).short(), "a damaged template is erased");
            tx.prepare_cached(
                "INSERT OR IGNORE INTO frozen_first (template) SELECT template FROM faces WHERE template = ?1 AND frozen = 1",
            )?
            .execute([template])?;
            tx.prepare_cached("DELETE FROM faces WHERE template = ?1")?.execute([template])?;
        }
        tx.commit()?;
        self.empty_log()
    }

    /// All templates as they are kept here, turned, for the memory of the matcher. One that does not give its digest is left out.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn live_faces(&self) -> Result<Vec<LiveFace>, GateError> {
        let mut statement = self.db.prepare("SELECT template, ends_on, frozen FROM faces ORDER BY template")?;
        let mut rows = statement.query([])?;
        let mut faces = Vec::new();
        while let Some(row) = rows.next()? {
            let template: [u8; 16] = row.get(0)?;
            let Some(rows::Kept { face, .. }) = rows::face_as_kept(&self.db, &template)? else {
                tracing::error!(template = %TemplateId::from_bytes(template).short(), "a stored template is damaged");
                continue;
            };
            faces.push(LiveFace {
                template: TemplateId::from_bytes(template),
                ends_on: CivilDate::from_epoch_days(row.get(1)?),
                frozen: row.get(2)?,
                face,
            });
        }
        Ok(faces)
    }
}
