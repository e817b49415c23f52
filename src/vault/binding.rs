//! The vault bound to this computer: a second layer over every account's slot, whose key only the computer's security chip gives out. The
//! files alone, on a stolen or copied disk, then open by no passphrase. Rules: P51, K2-7.
//!
//! The printed recovery key's slot stays without that layer: a dead mainboard must not lose the vault. Whoever has the disk and that sheet
//! therefore gets in, which is why the sheet lies elsewhere; the way back binds to the chip of the computer on which it was typed.
//!
//! Binding and releasing deal a new master key as well (`rotation`): an older slots file, also one that lies in freed blocks of the disk,
//! opens nothing that is written from then on.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::domain::approval::{Act, Approval};
use crate::domain::keep::KeepEvent;
use crate::domain::time::Timestamp;
use crate::ports::{ChipError, SecurityChip};
use crate::secret::random_bytes;

use super::Vault;
use super::error::{SLOTS_FILE, VaultError};
use super::keys::VaultKey;
use super::rotation::Rotated;
use super::slots::Slots;

/// Where the vault keeps when a recovery key was used without the chip that the slots were bound to.
pub(super) const SETTLED_AT: &str = "binding-settled-at";

/// The layer: what the chip sealed, and the key in it once the chip was asked.
#[derive(Clone)]
pub(super) struct Bound {
    sealed: Vec<u8>,
    key: Option<Arc<VaultKey>>,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bound({} bytes, [REDACTED])", self.sealed.len())
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.sealed == other.sealed
    }
}

impl Eq for Bound {}

impl Bound {
    /// Largest accepted piece that a chip sealed, in bytes.
    const SEALED_MAX: usize = 4096;

    /// A new layer, whose key only this chip gives out.
    pub(super) fn make(chip: &mut dyn SecurityChip) -> Result<Self, VaultError> {
        let secret = Zeroizing::new(random_bytes::<32>());
        let mut made = Self { sealed: chip.seal(&secret)?, key: None };
        // Read back before anything depends on it.
        made.ask(chip)?;
        let same = made.key.as_ref().is_some_and(|key| key.bytes() == &*secret);
        if same { Ok(made) } else { Err(ChipError::Other.into()) }
    }

    /// As it was written.
    pub(super) fn from_sealed(sealed: Vec<u8>) -> Option<Self> {
        (1..=Self::SEALED_MAX).contains(&sealed.len()).then_some(Self { sealed, key: None })
    }

    /// What the chip sealed.
    pub(super) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// Asks the chip for the key.
    pub(super) fn ask(&mut self, chip: &mut dyn SecurityChip) -> Result<(), VaultError> {
        let secret = chip.unseal(&self.sealed)?;
        self.key = VaultKey::from_slice(&secret[..]).map(Arc::new);
        Ok(())
    }

    /// The key, once the chip was asked.
    pub(super) fn key(&self) -> Option<Arc<VaultKey>> {
        self.key.clone()
    }

    /// Takes a key that the chip gave out earlier in this session.
    pub(super) fn know(&mut self, key: Option<Arc<VaultKey>>) {
        self.key = key;
    }

    /// Puts the layer over what a slot holds.
    pub(super) fn cover(&self, header: &[u8], wrapped: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.key.as_ref().ok_or(ChipError::Missing)?.seal(&place(header), wrapped)
    }

    /// Takes it off; `None` when it does not open.
    pub(super) fn uncover(&self, header: &[u8], covered: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        Ok(self.key.as_ref().ok_or(ChipError::Missing)?.open(&place(header), covered))
    }
}

fn place(header: &[u8]) -> Vec<u8> {
    [b"menka/slot-chip/1/", header].concat()
}

/// What a change of keys does about the security chip.
pub(super) enum Binding<'a> {
    /// It stays as it is.
    Kept,
    /// The slots are bound to this chip.
    To(&'a mut dyn SecurityChip),
    /// They are released.
    Released,
}

impl Binding<'_> {
    /// The act that a second person approves.
    pub(super) fn act(&self) -> Act {
        match self {
            Self::Kept => Act::ChangeKeys,
            Self::To(_) => Act::BindComputer,
            Self::Released => Act::ReleaseComputer,
        }
    }

    /// What is logged.
    pub(super) fn event(&self) -> KeepEvent {
        match self {
            Self::Kept => KeepEvent::KeysChanged,
            Self::To(_) => KeepEvent::ComputerBound,
            Self::Released => KeepEvent::ComputerReleased,
        }
    }

    /// Sets the layer that the next dealing puts on.
    pub(super) fn set(self, slots: &mut Slots) -> Result<(), VaultError> {
        match self {
            Self::Kept => {}
            Self::To(chip) => slots.bound = Some(Bound::make(chip)?),
            Self::Released => slots.bound = None,
        }
        Ok(())
    }
}

impl Slots {
    /// Asks the chip for the key of the layer, where there is one.
    ///
    /// # Errors
    /// [`VaultError::Chip`]: the passphrases of these slots open nothing on this computer.
    pub(super) fn ask(&mut self, chip: &mut dyn SecurityChip) -> Result<(), VaultError> {
        self.bound.as_mut().map_or(Ok(()), |bound| bound.ask(chip))
    }

    /// Of slots whose chip is lost: they are bound to this one, or to none where there is none. What is to be logged; `None` when the chip
    /// is the right one, or none was asked for.
    ///
    /// # Errors
    /// [`VaultError::Chip`] when a chip is there that refuses for a reason of the moment.
    pub(super) fn settle_binding(
        &mut self,
        master: &VaultKey,
        chip: &mut dyn SecurityChip,
    ) -> Result<Option<KeepEvent>, VaultError> {
        match self.ask(chip) {
            _ if self.bound.is_none() => return Ok(None),
            Ok(()) => return Ok(None),
            // The chip is not here, or this is another one.
            Err(VaultError::Chip(ChipError::Missing | ChipError::Other)) => {}
            // It may be the right one, which does not do it just now: nothing is released for that.
            Err(error) => return Err(error),
        }
        self.bound = match Bound::make(chip) {
            Ok(bound) => Some(bound),
            Err(VaultError::Chip(ChipError::Missing)) => None,
            Err(error) => return Err(error),
        };
        self.deal(master, master)?;
        Ok(Some(if self.bound.is_some() { KeepEvent::ComputerBound } else { KeepEvent::ComputerReleased }))
    }
}

impl Vault {
    /// Whether the accounts' passphrases open this vault on this computer only.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn is_bound(&self) -> Result<bool, VaultError> {
        Ok(self.slots()?.bound.is_some())
    }

    /// Whether the recovery key was used without the chip, under the master key that there was, and no new keys were dealt since: the old slots
    /// with the old chip open what is written.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn new_keys_advised(&self) -> Result<bool, VaultError> {
        let stored = self.read_station(SETTLED_AT)?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        let settled = stored.map(|bytes| Timestamp::from_ms(i64::from_be_bytes(bytes)));
        Ok(settled.is_some_and(|at| self.keys_changed_at().is_ok_and(|changed| changed.is_none_or(|c| c <= at))))
    }

    /// Binds the vault to this computer's security chip, under new keys. Locked and resumed like [`Self::rotate_keys`].
    ///
    /// # Errors
    /// [`VaultError::Chip`], [`VaultError::RecoveryKeyNeeded`], and as [`Self::rotate_keys`]; then nothing is changed.
    pub fn bind_to(
        self,
        chip: &mut dyn SecurityChip,
        approval: Approval,
        now: Timestamp,
    ) -> Result<Rotated, VaultError> {
        if !self.recovery_key_is_kept()? {
            return Err(VaultError::RecoveryKeyNeeded);
        }
        self.change_keys(Binding::To(chip), approval, now)
    }

    /// Releases the vault from the chip, under new keys. Locked and resumed like [`Self::rotate_keys`].
    ///
    /// # Errors
    /// As [`Self::rotate_keys`].
    pub fn release(self, approval: Approval, now: Timestamp) -> Result<Rotated, VaultError> {
        self.change_keys(Binding::Released, approval, now)
    }

    /// The slots file, with the key of its layer as the chip gave it out when this vault was opened.
    pub(super) fn slots(&self) -> Result<Slots, VaultError> {
        let mut slots = Slots::read(&self.dir)?.ok_or_else(|| VaultError::corrupt(SLOTS_FILE))?;
        if let Some(bound) = &mut slots.bound {
            bound.know(self.chip_key.clone());
        }
        Ok(slots)
    }
}
