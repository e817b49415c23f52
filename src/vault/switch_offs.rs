//! Entries that somebody went to a gate that has not signed and switched its face function off. Nothing is stated as earlier than what the gate
//! itself has said. Rules: P47a, P47b.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::id::GateId;
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::signatures::last_signature;
use super::stops::CONTACT_EVERY_MS;

/// How exactly the instant of an entry is typed, in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// A gate's face function was switched off by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchOff {
    /// Which gate.
    pub gate: GateId,
    /// When, as entered.
    pub at: Timestamp,
    /// Who went there.
    pub by: String,
}

impl Vault {
    /// A gate says that it matches faces: an entry that somebody switched them off there before says nothing any more, and one that is made later
    /// states no earlier time.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_faces_on(&mut self, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
        let known = self.faces_on_at(gate)?;
        let fresh = known.is_some_and(|at| (0..CONTACT_EVERY_MS).contains(&now.since(at)));
        if fresh {
            let sql =
                "SELECT EXISTS (SELECT 1 FROM switch_offs WHERE gate = ?1 AND entered_at > ?2 AND entered_at <= ?3)";
            let of = params![gate.bytes(), known.map_or(i64::MIN, Timestamp::ms), now.ms()];
            if !self.main.prepare_cached(sql)?.query_row(of, |row| row.get(0))? {
                return Ok(());
            }
        }
        let work = self.begin()?;
        self.write_station(&work, &faces_on_name(gate), &now.ms().to_be_bytes())?;
        Ok(work.commit()?)
    }

    /// When a gate last said that it matches faces; written down once a minute, and at once after an entry of a switch-off.
    fn faces_on_at(&self, gate: GateId) -> Result<Option<Timestamp>, VaultError> {
        let bytes = self.read_station(&faces_on_name(gate))?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        Ok(bytes.map(|bytes| Timestamp::from_ms(i64::from_be_bytes(bytes))))
    }

    /// The last that is known from a gate itself: its newest signature, or its word that it matches faces (later by `slack_ms`, since that is not
    /// written down each time). Nobody states an earlier stop.
    pub(super) fn heard_matching(
        &self,
        view: &Connection,
        gate: GateId,
        slack_ms: i64,
    ) -> Result<Option<Timestamp>, VaultError> {
        let signed = last_signature(view, gate)?.map(|signed| signed.at);
        Ok(signed.max(self.faces_on_at(gate)?.map(|at| at.plus_ms(slack_ms))))
    }

    /// Enters that somebody went to a gate and switched its face function off.
    ///
    /// # Errors
    /// [`VaultError::SwitchedOffEarlier`] when the gate was heard after that minute, [`VaultError::Unknown`], and those of the disk.
    pub fn record_switch_off(&mut self, entry: &SwitchOff, by: Actor, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        // A gate's clock may be ahead of this one: what was done by now can be entered by now.
        let heard_at = self.heard_matching(&work, entry.gate, 0)?.map(|heard| heard.min(now));
        // Typed to the minute.
        if let Some(heard_at) = heard_at.filter(|heard| entry.at.plus_ms(MINUTE_MS) <= *heard) {
            return Err(VaultError::SwitchedOffEarlier { heard_at });
        }
        let sealed = self.ring.station.seal(&switch_off_place(entry.gate, entry.at), entry.by.as_bytes())?;
        work.execute(
            "INSERT INTO switch_offs (gate, done_at, done_by, entered_at)
             SELECT id, ?2, ?3, ?4 FROM gates WHERE id = ?1",
            params![entry.gate.bytes(), entry.at.ms(), sealed, now.ms()],
        )?;
        if work.changes() == 0 {
            return Err(VaultError::Unknown);
        }
        self.append(&work, by, &AuditEvent::SwitchedOff(entry.gate), now)?;
        Ok(work.commit()?)
    }

    /// The last entry of a switch-off at a gate since an instant.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn switch_off_since(&self, gate: GateId, since: Timestamp) -> Result<Option<SwitchOff>, VaultError> {
        self.switch_off(&self.main, gate, since)
    }

    pub(super) fn switch_off(
        &self,
        view: &Connection,
        gate: GateId,
        since: Timestamp,
    ) -> Result<Option<SwitchOff>, VaultError> {
        // Not one from before the gate said that it matches faces again.
        let sql = "SELECT done_at, done_by FROM switch_offs WHERE gate = ?1 AND entered_at >= ?2 AND entered_at > ?3
             ORDER BY number DESC LIMIT 1";
        let on_at = self.faces_on_at(gate)?.map_or(i64::MIN, Timestamp::ms);
        let row: Option<(i64, Vec<u8>)> = view
            .query_row(sql, params![gate.bytes(), since.ms(), on_at], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((at, sealed)) = row else { return Ok(None) };
        let at = Timestamp::from_ms(at);
        let plain = self.ring.station.open(&switch_off_place(gate, at), &sealed);
        let plain = plain.ok_or_else(|| VaultError::corrupt(MAIN_FILE))?;
        Ok(Some(SwitchOff { gate, at, by: String::from_utf8_lossy(&plain).into_owned() }))
    }
}

fn faces_on_name(gate: GateId) -> String {
    format!("faces-on/{gate}")
}

fn switch_off_place(gate: GateId, at: Timestamp) -> Vec<u8> {
    format!("switch_offs/{gate}/{}/done_by", at.ms()).into_bytes()
}
