//! Cards and faces at one gate: that a card was ever seen to open it (faces are taken only after that, rule J10a), and which card stands for
//! which template where a card must come first. A card is kept as a digest; who it is nobody here knows.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::error::GateError;
use super::store::Store;
use crate::domain::id::{GateId, TemplateId};
use crate::domain::time::Timestamp;

/// Made where it is not there yet.
pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS card_way (       -- a card was seen to open, or would have
        one     INTEGER PRIMARY KEY CHECK (one = 1),
        seen_at INTEGER NOT NULL
    ) STRICT;
    -- A gate of an earlier version that holds faces was tested by its station.
    INSERT OR IGNORE INTO card_way (one, seen_at) SELECT 1, last_instant FROM settings
        WHERE EXISTS (SELECT 1 FROM faces);
    CREATE TABLE IF NOT EXISTS bound (          -- which card comes first for which template
        template BLOB PRIMARY KEY CHECK (length(template) = 16),
        card     BLOB NOT NULL CHECK (length(card) = 32)            -- SHA-256 of gate id and number
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER IF NOT EXISTS bound_ends_with_its_face AFTER DELETE ON faces
        BEGIN DELETE FROM bound WHERE template = OLD.template; END;";

impl Store {
    /// Whether a card was ever seen to open this gate.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn card_way_seen(&self) -> Result<bool, GateError> {
        Ok(self.connection().prepare_cached("SELECT 1 FROM card_way")?.exists([])?)
    }

    /// A card was seen to open this gate.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn note_card_way(&self, now: Timestamp) -> Result<(), GateError> {
        self.connection().execute("INSERT OR IGNORE INTO card_way (one, seen_at) VALUES (1, ?1)", [now.ms()])?;
        Ok(())
    }

    /// Writes down which card stands for a held template. `false` when that template is not held.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn bind(&self, gate: GateId, template: &[u8; 16], uid: &[u8]) -> Result<bool, GateError> {
        let sql = "INSERT INTO bound (template, card) SELECT template, ?2 FROM faces WHERE template = ?1
             ON CONFLICT (template) DO UPDATE SET card = ?2";
        Ok(self.connection().execute(sql, params![template, digest(gate, uid)])? == 1)
    }

    /// The template that a card stands for.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn bound_to(&self, gate: GateId, uid: &[u8]) -> Result<Option<TemplateId>, GateError> {
        let db: &Connection = self.connection();
        let mut statement = db.prepare_cached("SELECT template FROM bound WHERE card = ?1")?;
        let found: Option<[u8; 16]> = statement.query_row([digest(gate, uid)], |row| row.get(0)).optional()?;
        Ok(found.map(TemplateId::from_bytes))
    }
}

fn digest(gate: GateId, uid: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(gate.bytes()).chain_update(uid).finalize().into()
}
