//! Cameras that this desk knows: those that were there at the vault's first look, and those that somebody accepted since. Rules: L2, K2.

use rusqlite::params;
use sha2::{Digest, Sha256};

use super::Vault;
use super::error::VaultError;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::posture::{CameraSeen, SERIAL};
use crate::domain::time::Timestamp;

/// Set once this vault has looked for cameras, also when there was none.
const LOOKED: &str = "cameras-looked-for";

impl Vault {
    /// The cameras that are known; `None` before this vault's first look.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn known_cameras(&self) -> Result<Option<Vec<CameraSeen>>, VaultError> {
        if self.read_station(LOOKED)?.is_none() {
            return Ok(None);
        }
        let mut statement = self.main.prepare("SELECT name, place FROM cameras ORDER BY name, place")?;
        let known = statement
            .query_map([], |row| Ok(CameraSeen { name: row.get(0)?, place: row.get(1)?, is_virtual: false }))?;
        Ok(Some(known.collect::<Result<_, _>>()?))
    }

    /// Takes the cameras of the first look as known; a program that poses as a camera never is.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn note_first_cameras(&mut self, cameras: &[CameraSeen], now: Timestamp) -> Result<(), VaultError> {
        let work = self.begin()?;
        for camera in cameras.iter().filter(|camera| !camera.is_virtual) {
            work.execute(
                "INSERT OR IGNORE INTO cameras (name, place, since) VALUES (?1, ?2, ?3)",
                params![camera.name, camera.place, now.ms()],
            )?;
        }
        self.write_station(&work, LOOKED, &now.ms().to_be_bytes())?;
        Ok(work.commit()?)
    }

    /// A known camera of which only name and socket were written down, by an earlier version, gets its serial number from what stands there now.
    /// Returns whether any did.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn note_serials(&mut self, cameras: &[CameraSeen]) -> Result<bool, VaultError> {
        let known = self.known_cameras()?.unwrap_or_default();
        let is_known = |name: &str, place: &str| known.iter().any(|k| k.name == name && k.place == place);
        let bare = |camera: &CameraSeen| camera.place.split_once(SERIAL).map(|(place, _)| place.to_owned());
        let news = cameras.iter().filter(|c| !c.is_virtual).filter_map(|c| Some((c, bare(c)?)));
        let news: Vec<_> = news.filter(|(c, place)| is_known(&c.name, place) && !is_known(&c.name, &c.place)).collect();
        if news.is_empty() {
            return Ok(false);
        }
        let work = self.begin()?;
        for (camera, place) in news {
            work.execute(
                "UPDATE OR IGNORE cameras SET place = ?3 WHERE name = ?1 AND place = ?2",
                params![camera.name, place, camera.place],
            )?;
        }
        work.commit()?;
        Ok(true)
    }

    /// Accepts a camera for good, in the name of the account that is logged in. The log keeps a digest, not the name.
    /// `false`, and nothing is written, for one that is known already and for a program that poses as a camera.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn accept_camera(&mut self, camera: &CameraSeen, now: Timestamp) -> Result<bool, VaultError> {
        if camera.is_virtual {
            return Ok(false);
        }
        let work = self.begin()?;
        let new = work.execute(
            "INSERT OR IGNORE INTO cameras (name, place, since, accepted_by) VALUES (?1, ?2, ?3, ?4)",
            params![camera.name, camera.place, now.ms(), self.staff.bytes()],
        )?;
        if new == 0 {
            return Ok(false);
        }
        let digest = Sha256::new().chain_update(&camera.name).chain_update([0]).chain_update(&camera.place).finalize();
        let event = AuditEvent::CameraAccepted;
        self.append_with(&work, Actor::Staff(self.staff), &event, None, Some(digest.into()), now)?;
        work.commit()?;
        Ok(true)
    }
}
