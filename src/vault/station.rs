//! What belongs to the station and the site: identity keys, staff names, gates.

use rusqlite::{Connection, OptionalExtension, Row, params};
use zeroize::Zeroizing;

use crate::domain::approval::{Act, Approval};
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, StaffId};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;

use super::Vault;
use super::error::{MAIN_FILE, VaultError};
use super::unpairings;

/// Names of interfaces, a line each. They are this machine's: a vault that is restored has none.
pub(super) const NETWORKS: &str = "networks";

impl Vault {
    /// The station's identity keys as `wire::keys` wrote them; `None` until they are recorded.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn identity_bytes(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        self.read_station_sealed("identity")
    }

    /// Records the station's identity keys, sealed.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_identity_bytes(&mut self, bytes: &[u8]) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.write_station_sealed(&work, "identity", bytes)?;
        Ok(work.commit()?)
    }

    /// The address of this machine on which gates are looked for, as a supervisor chose it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn search_address(&self) -> Result<Option<String>, VaultError> {
        let kept = self.read_station("search-address")?;
        Ok(kept.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// Records on which address gates are looked for.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_search_address(&mut self, address: &str) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.write_station(&work, "search-address", address.as_bytes())?;
        Ok(work.commit()?)
    }

    /// The networks over which gates and card boards are reached, by their interfaces' names on this machine; none before the first pairing.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn networks(&self) -> Result<Vec<String>, VaultError> {
        let kept = self.read_station(NETWORKS)?.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(kept.iter().flat_map(|names| names.lines()).map(Into::into).collect())
    }

    /// Records over which networks gates and card boards are reached.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn record_networks(&mut self, names: &[String]) -> Result<(), VaultError> {
        let work = self.begin()?;
        self.write_station(&work, NETWORKS, names.join("\n").as_bytes())?;
        Ok(work.commit()?)
    }

    /// All paired gates in use, by name.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gates(&self) -> Result<Vec<GateRecord>, VaultError> {
        self.gates_where("retired_at IS NULL")
    }

    /// Gates by a condition of ours, never typed text. Card boards are not among them (`vault::boards`).
    pub(super) fn gates_where(&self, condition: &'static str) -> Result<Vec<GateRecord>, VaultError> {
        let sql = format!(
            "SELECT * FROM gates WHERE ({condition}) AND id NOT IN (SELECT gate FROM boards) ORDER BY shown_name, id"
        );
        let mut statement = self.main.prepare(&sql)?;
        let rows = statement.query_map([], gate_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records a gate that was just paired for the first time, or what is said of a known one under the keys it has.
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`] for a known gate under other keys, or one that is stopped ([`Self::repair_gate`]), and those of the disk.
    pub fn record_gate(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        if self.needs_repair(gate)? {
            return Err(VaultError::ApprovalNeeded);
        }
        self.write_gate(gate, now)
    }

    /// Records a known gate that was paired again. Lifts a stop after a changed key. A second person approved it (rule P51-4).
    ///
    /// # Errors
    /// [`VaultError::ApprovalNeeded`] when something else was approved, and those of the disk.
    pub fn repair_gate(&mut self, gate: &GateRecord, approval: Approval, now: Timestamp) -> Result<(), VaultError> {
        let act = Act::RepairGate(gate.id);
        approval.spend(act).ok_or(VaultError::ApprovalNeeded)?;
        self.write_gate(gate, now)
    }

    /// Whether recording this gate would put other keys in the place of the pinned ones, or lift a stop.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn needs_repair(&self, gate: &GateRecord) -> Result<bool, VaultError> {
        let keys = |g: &GateRecord| (g.tls_pin, g.seal_key, g.sign_key);
        // Also of one that is out of use: what waits for it would go to whoever states its number, and count as its own.
        let other = self.gates_ever()?.iter().any(|known| known.id == gate.id && keys(known) != keys(gate));
        Ok(other || gate_is_stopped(&self.main, gate.id)? == Some(true))
    }

    fn write_gate(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        work.execute(
            "INSERT INTO gate_keys_before (gate, sign_key, until) SELECT id, sign_key, ?3 FROM gates
             WHERE id = ?1 AND sign_key <> ?2 ON CONFLICT (gate, sign_key) DO UPDATE SET until = excluded.until",
            params![gate.id.bytes(), gate.sign_key, now.ms()],
        )?;
        work.execute(
            "INSERT INTO gates (id, shown_name, place, capture_area, other_way, why_needed, address, tls_pin,
                 seal_key, sign_key, takes_faces, paired_at, card_way_tested_at, key_changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, NULL)
             ON CONFLICT (id) DO UPDATE SET shown_name = ?2, place = ?3, capture_area = ?4, other_way = ?5,
                 why_needed = ?6, address = ?7, tls_pin = ?8, seal_key = ?9, sign_key = ?10, takes_faces = ?11,
                 paired_at = ?12,
                 card_way_tested_at = ?13, key_changed_at = NULL, retired_at = NULL",
            params![
                gate.id.bytes(),
                gate.name,
                gate.place,
                gate.capture_area,
                gate.other_way,
                gate.why_needed,
                gate.address,
                gate.tls_pin,
                gate.seal_key,
                gate.sign_key,
                gate.takes_faces,
                now.ms(),
                gate.card_way_tested_at.map(Timestamp::ms),
            ],
        )?;
        unpairings::overtake(&work, gate.id, now)?;
        self.append(&work, Actor::Staff(self.staff), &AuditEvent::GatePaired(gate.id), now)?;
        self.stop_newcomer(&work, gate.id, now)?;
        Ok(work.commit()?)
    }

    /// Records that a card was seen to open a gate, and who tried it: staff, or the courier after a delivery.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_card_way_test(&mut self, gate: GateId, who: Actor, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        let sql = "UPDATE gates SET card_way_tested_at = ?2 WHERE id = ?1";
        if work.execute(sql, params![gate.bytes(), now.ms()])? == 0 {
            return Err(VaultError::Unknown);
        }
        self.append(&work, who, &AuditEvent::CardWayTested(gate), now)?;
        Ok(work.commit()?)
    }

    /// Whether a card was ever seen to open a gate of either kind.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn card_way_tested(&self, gate: GateId) -> Result<bool, VaultError> {
        let sql = "SELECT card_way_tested_at IS NOT NULL FROM gates WHERE id = ?1";
        Ok(self.main.query_row(sql, [gate.bytes()], |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// Records that a gate's key is not the pinned one: nothing is sent to it until it is paired again. Logged once.
    ///
    /// # Errors
    /// [`VaultError::Unknown`], and those of the disk.
    pub fn record_key_changed(&mut self, gate: GateId, now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        if gate_is_stopped(&work, gate)?.ok_or(VaultError::Unknown)? {
            return Ok(());
        }
        work.execute("UPDATE gates SET key_changed_at = ?2 WHERE id = ?1", params![gate.bytes(), now.ms()])?;
        self.append(&work, Actor::Station, &AuditEvent::GateKeyChanged(gate), now)?;
        Ok(work.commit()?)
    }

    /// Gates that are stopped because their key changed.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn gates_stopped(&self) -> Result<Vec<GateId>, VaultError> {
        let mut statement = self.main.prepare("SELECT id FROM gates WHERE key_changed_at IS NOT NULL ORDER BY id")?;
        let rows = statement.query_map([], |row| row.get(0).map(GateId::from_bytes))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn write_staff(
        &self,
        work: &Connection,
        staff: StaffId,
        name: &str,
        role: Role,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let sealed = self.ring.station.seal(&staff_place(staff), name.as_bytes())?;
        let sql = "INSERT INTO staff (id, shown_name, role, made_at) VALUES (?1, ?2, ?3, ?4)";
        work.execute(sql, params![staff.bytes(), sealed, role.label(), now.ms()])?;
        Ok(())
    }

    pub(super) fn read_staff(&self, staff: StaffId) -> Result<(String, Role), VaultError> {
        let damaged = || VaultError::corrupt(MAIN_FILE);
        let sql = "SELECT shown_name, role FROM staff WHERE id = ?1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found: Option<(Vec<u8>, String)> = self.main.query_row(sql, [staff.bytes()], read).optional()?;
        let (sealed, role) = found.ok_or_else(damaged)?;
        let plain = self.ring.station.open(&staff_place(staff), &sealed).ok_or_else(damaged)?;
        let name = String::from_utf8(plain.to_vec()).map_err(|_| damaged())?;
        Ok((name, Role::from_label(&role).ok_or_else(damaged)?))
    }

    pub(super) fn write_station(&self, work: &Connection, name: &str, value: &[u8]) -> Result<(), VaultError> {
        let sql = "INSERT INTO station (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
        work.execute(sql, params![name, value])?;
        Ok(())
    }

    pub(super) fn write_station_sealed(&self, work: &Connection, name: &str, value: &[u8]) -> Result<(), VaultError> {
        let sealed = self.ring.station.seal(&station_place(name), value)?;
        self.write_station(work, name, &sealed)
    }

    pub(super) fn read_station(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let sql = "SELECT value FROM station WHERE name = ?1";
        Ok(self.main.query_row(sql, [name], |row| row.get(0)).optional()?)
    }

    pub(super) fn read_station_sealed(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match self.read_station(name)? {
            None => Ok(None),
            Some(sealed) => {
                let plain = self.ring.station.open(&station_place(name), &sealed);
                plain.map(Some).ok_or_else(|| VaultError::corrupt(MAIN_FILE))
            }
        }
    }
}

/// Whether a gate is stopped; `None` when it is not known.
pub(super) fn gate_is_stopped(view: &Connection, gate: GateId) -> Result<Option<bool>, VaultError> {
    let mut statement = view.prepare_cached("SELECT key_changed_at IS NOT NULL FROM gates WHERE id = ?1")?;
    Ok(statement.query_row([gate.bytes()], |row| row.get(0)).optional()?)
}

fn station_place(name: &str) -> Vec<u8> {
    format!("station/{name}").into_bytes()
}

fn staff_place(staff: StaffId) -> Vec<u8> {
    format!("staff/{staff}/shown_name").into_bytes()
}

fn gate_of(row: &Row<'_>) -> rusqlite::Result<GateRecord> {
    Ok(GateRecord {
        id: row.get("id").map(GateId::from_bytes)?,
        name: row.get("shown_name")?,
        place: row.get("place")?,
        capture_area: row.get("capture_area")?,
        other_way: row.get("other_way")?,
        why_needed: row.get("why_needed")?,
        address: row.get("address")?,
        tls_pin: row.get("tls_pin")?,
        seal_key: row.get("seal_key")?,
        sign_key: row.get("sign_key")?,
        card_way_tested_at: row.get::<_, Option<i64>>("card_way_tested_at")?.map(Timestamp::from_ms),
        takes_faces: row.get("takes_faces")?,
    })
}
