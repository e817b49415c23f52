//! The files of a gate: the store, its wrapped key and, unless it is elsewhere, the secret that opens the key.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::GateError;
use super::key_file::{self, Cost};
use super::store::{Setup, Store};
use crate::domain::Realm;
use crate::domain::time::Timestamp;
use crate::wire::keys::IdentityKeys;

/// Where a gate keeps its files.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    secret: PathBuf,
}

impl Place {
    /// A folder, with the secret in a file of its own, by default inside it.
    pub fn new(folder: &Path, secret: Option<&Path>) -> Self {
        let secret = secret.map_or_else(|| folder.join("gate.secret"), Path::to_path_buf);
        Self { folder: folder.to_path_buf(), secret }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn store(&self) -> PathBuf {
        self.folder.join("gate.db")
    }

    fn key(&self) -> PathBuf {
        self.folder.join("gate.key")
    }

    /// The key while the gate is being made.
    fn key_draft(&self) -> PathBuf {
        self.folder.join("gate.key.new")
    }

    /// Makes keys and an empty store. A secret file that is not there is made. The key file gets its name last: a making that breaks off
    /// leaves no gate, and can be begun again.
    ///
    /// # Errors
    /// [`GateError::Exists`] when there is a gate already; then nothing is changed.
    pub fn init(&self, setup: &Setup, cost: Cost, now: Timestamp) -> Result<(), GateError> {
        if self.key().exists() {
            return Err(GateError::Exists(self.folder.clone()));
        }
        key_file::create_folder(&self.folder)?;
        self.set_aside_leftovers(now)?;
        if !self.secret.exists() {
            key_file::make_secret(&self.secret)?;
        }
        let keys = IdentityKeys::make(setup.realm)?;
        let key = key_file::make_key(&self.key_draft(), &self.secret, setup.realm, cost)?;
        Store::create(&self.store(), &key, setup, &keys, now)?;
        key_file::rename_durably(&self.key_draft(), &self.key())
    }

    /// A store without a key file opens for nobody. It is never destroyed here all the same: the key file may have been lost by mistake.
    fn set_aside_leftovers(&self, now: Timestamp) -> Result<(), GateError> {
        for ending in ["", "-wal", "-shm"] {
            let path = self.folder.join(format!("gate.db{ending}"));
            if path.exists() {
                let aside = self.folder.join(format!("gate.db{ending}.orphan-{}", now.ms()));
                std::fs::rename(&path, aside).map_err(GateError::file(&path))?;
            }
        }
        let draft = self.key_draft();
        if draft.exists() {
            std::fs::remove_file(&draft).map_err(GateError::file(&draft))?;
        }
        Ok(())
    }

    /// Opens the store for one question beside a running daemon.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn open_beside(&self, realm: Realm) -> Result<Store, GateError> {
        Store::open_beside(&self.store(), &*self.store_key(realm)?)
    }

    /// Opens the store for the daemon.
    ///
    /// # Errors
    /// [`GateError`].
    pub(super) fn open(&self, realm: Realm) -> Result<Store, GateError> {
        Store::open(&self.store(), &*self.store_key(realm)?)
    }

    fn store_key(&self, realm: Realm) -> Result<Zeroizing<[u8; 32]>, GateError> {
        if !self.key().exists() {
            return Err(GateError::Absent(self.folder.clone()));
        }
        key_file::open_key(&self.key(), &self.secret, realm)
    }
}
