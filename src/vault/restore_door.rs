//! Who may put a backup in the place of a vault that is there: its supervisors, two where there are two, or the printed recovery key; and only
//! a backup of the same site. The slots file alone decides, so that a desk whose data is damaged is restored as well. Rules: P51-4, P56.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::domain::Realm;
use crate::domain::id::{SiteId, StaffId};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::ports::SecurityChip;
use crate::secret::{Passphrase, RecoveryKey};

use super::Vault;
use super::backup::Header;
use super::database;
use super::door::try_slot;
use super::error::VaultError;
use super::restore::Restoring;
use super::slots::{Kind, Slots};
use super::swap;

/// Supervisors that it takes, where the vault has so many.
pub const RESTORERS: usize = 2;

/// Whose word it is that what is on this computer is put aside.
#[derive(Debug, Default)]
pub struct Restorers {
    /// Supervisors of the vault that is there.
    pub supervisors: Vec<(StaffId, Passphrase)>,
    /// Its printed recovery key, in their place.
    pub recovery: Option<RecoveryKey>,
}

impl Vault {
    /// Begins to restore a backup into a data folder in which nothing is open. A vault that is there is put aside for thirty days when the
    /// restored one takes its place; its supervisors say so with their passphrases, counted as at the door.
    ///
    /// # Errors
    /// [`VaultError::NotABackup`], [`VaultError::OtherRealm`], [`VaultError::OtherSite`], [`VaultError::ApprovalNeeded`] without enough of its
    /// supervisors, [`VaultError::TooSoon`], [`VaultError::WrongPassphrase`], [`VaultError::Chip`], [`VaultError::WrongBackupKey`],
    /// [`VaultError::BackupDamaged`], [`VaultError::InUse`], and those of both disks.
    pub fn begin_restore(
        dir: &Path,
        realm: Realm,
        (from, key): (&Path, &RecoveryKey),
        by: Restorers,
        chip: &mut dyn SecurityChip,
        now: Timestamp,
    ) -> Result<Restoring, VaultError> {
        database::make_folder(dir)?;
        let lock = Arc::new(super::take_lock(dir)?);
        swap::settle(dir)?;
        let header = Header::read(from)?;
        // Only a passphrase that was checked here counts later.
        let allowed = match Slots::read(dir) {
            Ok(Some(slots)) => check(dir, slots, (realm, header.site()?), by, chip, now)?,
            Ok(None) => Allowed::default(),
            Err(VaultError::Corrupt { .. }) => {
                tracing::warn!("the slots of the vault that is there cannot be read");
                Allowed::default()
            }
            Err(error) => return Err(error),
        };
        let content = header.open(key, realm)?;
        let mut restoring = Restoring::unpack(from, header, &content, (dir, swap::NEXT), lock)?;
        restoring.allowed = allowed.by;
        restoring.typed = allowed.typed;
        Ok(restoring)
    }
}

/// Who allowed it; nobody where there is no vault whose slots can be read.
#[derive(Default)]
struct Allowed {
    /// Supervisors; `None` stands for the recovery key.
    by: Vec<Option<StaffId>>,
    typed: Vec<(StaffId, Passphrase)>,
}

fn supervisors(slots: &Slots) -> BTreeSet<StaffId> {
    let is_one = |kind: &Kind| matches!(kind, Kind::Unnamed | Kind::Account { role: Role::Supervisor, .. });
    slots.accounts().filter(|slot| is_one(&slot.kind)).map(|slot| slot.id).collect()
}

fn check(
    dir: &Path,
    mut slots: Slots,
    (realm, site): (Realm, SiteId),
    mut by: Restorers,
    chip: &mut dyn SecurityChip,
    now: Timestamp,
) -> Result<Allowed, VaultError> {
    if slots.realm != realm {
        return Err(VaultError::OtherRealm);
    }
    if slots.site != site {
        return Err(VaultError::OtherSite);
    }
    if let Some(key) = &by.recovery {
        let id = slots.recovery().map(|slot| slot.id).ok_or(VaultError::Unknown)?;
        try_slot(dir, &mut slots, id, &key.passphrase(), now)?;
        return Ok(Allowed { by: vec![None], typed: vec![] });
    }
    let known = supervisors(&slots);
    by.supervisors.retain(|(id, _)| known.contains(id));
    let typed: BTreeSet<StaffId> = by.supervisors.iter().map(|(id, _)| *id).collect();
    if typed.len() < known.len().clamp(1, RESTORERS) {
        return Err(VaultError::ApprovalNeeded);
    }
    slots.ask(chip)?;
    for (id, passphrase) in &by.supervisors {
        try_slot(dir, &mut slots, *id, passphrase, now)?;
    }
    let allowed = typed.into_iter().map(Some).collect();
    Ok(Allowed { by: allowed, typed: by.supervisors })
}
