//! The slots file: the master key, wrapped once for each account's passphrase and once for the printed recovery key.
//!
//! Accounts' slots may lie under a second layer, whose key only the computer's security chip gives out (`binding`).
//!
//! Each slot is a pair of keys whose private half the passphrase opens, so that a new master key can be dealt to every account without
//! anybody's passphrase; a tag under the master key covers the pair, so that nobody gets one dealt to a pair of their own making.
//!
//! It names the accounts and their roles, which the lock screen shows; never a resident. The header (format, realm, site, account, role, name,
//! cost, salt) is authenticated together with each wrapped key: an edited one does not open. A digest beside each slot, which anybody could make,
//! tells a slot that was damaged from a wrong passphrase; slots of before it have none. The count of wrong passphrases beside it is not,
//! since it is written before any key is known; whoever can put back an old copy of this file and of the other count resets the pause. Against
//! a copied file the cost of Argon2id stands.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::Realm;
use crate::domain::id::{SiteId, StaffId};
use crate::domain::role::Role;
use crate::evidence::hex;
use crate::secret::{Passphrase, random_bytes};

use super::attempts::Attempts;
use super::binding::Bound;
use super::error::{SLOTS_FILE, VaultError};
use super::keys::{KdfCost, VaultKey};
use super::lockbox::{BoxShape, Lockbox};

/// Version of the file's shape. Shape 1 had no names, shape 2 no pairs; shape 3 is written while nothing is bound to a security chip.
const FORMAT: u32 = 4;
const FORMAT_UNBOUND: u32 = 3;
/// Largest accepted slots file, in bytes.
const LEN_MAX: u64 = 64 * 1024;
/// Most slots, the recovery key's among them.
pub(super) const SLOTS_MAX: usize = 16;

/// The slots file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slots {
    /// Realm of the vault.
    pub(super) realm: Realm,
    /// Which site.
    pub(super) site: SiteId,
    /// The layer over accounts' slots, when they are bound to a security chip.
    pub(super) bound: Option<Bound>,
    slots: Vec<Slot>,
}

/// What a slot is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of shape 1: an account whose name only the vault knows.
    Unnamed,
    /// An account.
    Account {
        /// Shown name.
        name: String,
        /// Its role; the vault's own record of it must agree.
        role: Role,
    },
    /// The printed recovery key.
    Recovery,
}

/// One wrapped key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Which account, or which recovery key.
    pub(super) id: StaffId,
    /// What for.
    pub(super) kind: Kind,
    /// Cost of its derivation.
    pub(super) cost: KdfCost,
    /// Wrong passphrases, counted here too.
    pub(super) attempts: Attempts,
    /// None in a slot of shape 2 or 1, which the passphrase opens directly.
    pair: Option<Pair>,
    salt: [u8; 16],
    wrapped: Vec<u8>,
    /// What was read was not what was written. Stays until the slot is wrapped anew.
    is_damaged: bool,
}

/// The pair of a slot, and the tag that says that the holder of the master key made it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    lockbox: Lockbox,
    tag: [u8; 32],
}

impl Slots {
    /// A file without slots; not written before it has one.
    pub(super) fn new(realm: Realm, site: SiteId) -> Self {
        Self { realm, site, bound: None, slots: vec![] }
    }

    /// The accounts, in the order in which they were made.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.kind != Kind::Recovery)
    }

    /// The recovery key's slot.
    pub(super) fn recovery(&self) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.kind == Kind::Recovery)
    }

    /// One slot.
    pub(super) fn slot(&self, id: StaffId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.id == id)
    }

    /// Wraps the master key under a passphrase, in a new slot or in the place of the one with this id.
    ///
    /// # Errors
    /// [`VaultError::AccountsFull`], and those of the derivation.
    pub(super) fn put(
        &mut self,
        id: StaffId,
        kind: Kind,
        passphrase: &Passphrase,
        master: &VaultKey,
        cost: KdfCost,
    ) -> Result<(), VaultError> {
        let attempts = Attempts::default();
        let mut slot =
            Slot { id, kind, cost, attempts, pair: None, salt: random_bytes(), wrapped: vec![], is_damaged: false };
        let header = slot.header(self.realm, self.site);
        let lockbox = Lockbox::make(passphrase, cost, &header)?;
        slot.wrapped = slot.covered(self.bound.as_ref(), &header, lockbox.put(&header, master)?)?;
        slot.pair = Some(Pair { tag: master.tag(TAGGED, &lockbox.stated(&header))?, lockbox });
        let full = self.slots.len() >= SLOTS_MAX;
        match self.slots.iter_mut().find(|old| old.id == id) {
            Some(old) => *old = slot,
            None if !full => self.slots.push(slot),
            None => return Err(VaultError::AccountsFull),
        }
        Ok(())
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, id: StaffId) {
        self.slots.retain(|slot| slot.id != id);
    }

    /// Notes the count of wrong passphrases.
    pub(super) fn note(&mut self, id: StaffId, attempts: Attempts) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.id == id) {
            slot.attempts = attempts;
        }
    }

    /// The master key, when this is the passphrase of the slot.
    pub(super) fn open(&self, id: StaffId, passphrase: &Passphrase) -> Result<Option<VaultKey>, VaultError> {
        let Some(slot) = self.slot(id) else { return Ok(None) };
        let header = slot.header(self.realm, self.site);
        let Some(pair) = &slot.pair else {
            let key = slot.cost.stretch(passphrase, &slot.salt)?;
            return Ok(key.open(&header, &slot.wrapped).and_then(|bytes| VaultKey::from_slice(&bytes)));
        };
        let Some(wrapped) = slot.uncovered(self.bound.as_ref(), &header)? else { return Ok(None) };
        match pair.lockbox.take(passphrase, &header, &wrapped)? {
            Some(master) if master.tag(TAGGED, &pair.lockbox.stated(&header))? == pair.tag => Ok(Some(master)),
            _ => Ok(None),
        }
    }

    /// Whether the slot is not as it was written, so that the right passphrase may not open it.
    pub(super) fn is_damaged(&self, id: StaffId) -> bool {
        self.slot(id).is_some_and(|slot| slot.is_damaged)
    }

    /// Accounts whose slot cannot be dealt a new key yet: their holders must log in once, or the recovery key be made anew.
    pub(super) fn without_pair(&self) -> Vec<StaffId> {
        self.slots.iter().filter(|slot| slot.pair.is_none()).map(|slot| slot.id).collect()
    }

    /// Deals a new master key to every slot, in the place of the old one. Needs no passphrase.
    ///
    /// # Errors
    /// [`VaultError::SlotsOld`] when a slot has no pair, and [`VaultError::Corrupt`] when one was not made under the old key.
    pub(super) fn deal(&mut self, old: &VaultKey, new: &VaultKey) -> Result<(), VaultError> {
        let (realm, site) = (self.realm, self.site);
        for slot in &mut self.slots {
            let header = slot.header(realm, site);
            let pair = slot.pair.as_mut().ok_or(VaultError::SlotsOld)?;
            let stated = pair.lockbox.stated(&header);
            if old.tag(TAGGED, &stated)? != pair.tag {
                return Err(VaultError::corrupt(SLOTS_FILE));
            }
            pair.tag = new.tag(TAGGED, &stated)?;
            let wrapped = pair.lockbox.put(&header, new)?;
            slot.wrapped = slot.covered(self.bound.as_ref(), &header, wrapped)?;
            slot.is_damaged = false;
        }
        Ok(())
    }

    /// Reads the file; `None` when it is not there.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, VaultError> {
        read_small(&dir.join(SLOTS_FILE), LEN_MAX)?.map(|bytes| Self::parse(&bytes)).transpose()
    }

    /// Reads what a file, or a backup, holds.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, VaultError> {
        let damaged = || VaultError::corrupt(SLOTS_FILE);
        let shape: FileShape = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        if shape.format > FORMAT {
            return Err(VaultError::TooNew { file: SLOTS_FILE.into() });
        }
        let realm =
            [Realm::Real, Realm::Practice].into_iter().find(|r| r.label() == shape.realm).ok_or_else(damaged)?;
        let site = SiteId::parse(&shape.site).ok_or_else(damaged)?;
        if shape.slots.is_empty() || shape.slots.len() > SLOTS_MAX || shape.format == 0 {
            return Err(damaged());
        }
        let slots: Option<Vec<Slot>> = shape.slots.iter().map(|slot| Slot::from_shape(slot, realm, site)).collect();
        let bound = match &shape.chip {
            Some(sealed) => Some(unhex(sealed).and_then(Bound::from_sealed).ok_or_else(damaged)?),
            None => None,
        };
        let read = Self { realm, site, bound, slots: slots.ok_or_else(damaged)? };
        // Without an account nobody could ever get in by a passphrase.
        if read.accounts().next().is_none() { Err(damaged()) } else { Ok(read) }
    }

    /// Writes the file at once or not at all.
    pub(super) fn write(&self, dir: &Path) -> Result<(), VaultError> {
        write_at_once(dir, SLOTS_FILE, &self.to_bytes()?)
    }

    /// As they are written.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, VaultError> {
        let slots = self.slots.iter().map(|slot| slot.shape(self.realm, self.site)).collect();
        let shape = FileShape {
            format: if self.bound.is_some() { FORMAT } else { FORMAT_UNBOUND },
            realm: self.realm.label().into(),
            site: self.site.to_string(),
            chip: self.bound.as_ref().map(|bound| hex(bound.sealed())),
            slots,
        };
        serde_json::to_vec_pretty(&shape).map_err(|_| VaultError::corrupt(SLOTS_FILE))
    }
}

/// What the tag of a pair is for.
const TAGGED: &str = "menka/slot-tag/1";

impl Slot {
    /// What is authenticated beside the wrapped key.
    fn header(&self, realm: Realm, site: SiteId) -> Vec<u8> {
        let what = match &self.kind {
            Kind::Unnamed => format!("1/{}/{site}/{}", realm.label(), self.id),
            Kind::Account { name, role } => {
                format!("2/{}/{site}/{}/account/{}/{}", realm.label(), self.id, role.label(), hex(name.as_bytes()))
            }
            Kind::Recovery => format!("2/{}/{site}/{}/recovery", realm.label(), self.id),
        };
        if self.pair.is_none() && !self.wrapped.is_empty() {
            return self.plain_header(&what);
        }
        // Cost and salt of the derivation are the pair's own.
        format!("menka/slot/3/{what}/{}", hex(&self.salt)).into_bytes()
    }

    /// Puts the chip's layer over what the slot is to hold. The printed recovery key's slot never has it.
    fn covered(&self, bound: Option<&Bound>, header: &[u8], wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        match bound.filter(|_| self.kind != Kind::Recovery) {
            Some(bound) => bound.cover(header, &wrapped),
            None => Ok(wrapped),
        }
    }

    /// What the slot holds under the chip's layer; `None` when the layer does not open.
    fn uncovered(&self, bound: Option<&Bound>, header: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        match bound.filter(|_| self.kind != Kind::Recovery) {
            Some(bound) => Ok(bound.uncover(header, &self.wrapped)?.map(|inner| inner.to_vec())),
            None => Ok(Some(self.wrapped.clone())),
        }
    }

    /// Of a slot without a pair.
    fn plain_header(&self, what: &str) -> Vec<u8> {
        let cost = self.cost;
        let kdf = format!("argon2id-{}-{}-{}", cost.memory_kib, cost.passes, cost.lanes);
        format!("menka/slot/{what}/{kdf}/{}", hex(&self.salt)).into_bytes()
    }

    /// A digest of everything that the passphrase needs, as lower-case hex.
    fn digest(&self, realm: Realm, site: SiteId) -> String {
        let header = self.header(realm, site);
        let mut hash = Sha256::new_with_prefix(b"menka/slot-check/1/");
        hash.update(&header);
        if let Some(pair) = &self.pair {
            hash.update(pair.lockbox.stated(&header));
            hash.update(pair.tag);
        }
        hash.update(&self.wrapped);
        hex(&hash.finalize())
    }

    fn shape(&self, realm: Realm, site: SiteId) -> SlotShape {
        let (kind, name, role) = match &self.kind {
            Kind::Unnamed => (None, None, None),
            Kind::Account { name, role } => (Some(ACCOUNT), Some(name.clone()), Some(role.label())),
            Kind::Recovery => (Some(RECOVERY), None, None),
        };
        SlotShape {
            operator: self.id.to_string(),
            kind: kind.map(str::to_owned),
            name,
            role: role.map(str::to_owned),
            kdf: "argon2id".into(),
            memory_kib: self.cost.memory_kib,
            passes: self.cost.passes,
            lanes: self.cost.lanes,
            salt: hex(&self.salt),
            wrapped: hex(&self.wrapped),
            pair: self.pair.as_ref().map(|pair| pair.lockbox.shape()),
            tag: self.pair.as_ref().map(|pair| hex(&pair.tag)),
            check: Some(if self.is_damaged { DAMAGED.into() } else { self.digest(realm, site) }),
            attempts: self.attempts,
        }
    }

    fn from_shape(shape: &SlotShape, realm: Realm, site: SiteId) -> Option<Self> {
        let cost = KdfCost { memory_kib: shape.memory_kib, passes: shape.passes, lanes: shape.lanes };
        let fits = shape.kdf == "argon2id" && cost.is_sane();
        let kind = match (shape.kind.as_deref(), &shape.name, shape.role.as_deref()) {
            (None, None, None) => Kind::Unnamed,
            (Some(ACCOUNT), Some(name), Some(role)) => {
                Kind::Account { name: name.clone(), role: Role::from_label(role)? }
            }
            (Some(RECOVERY), None, None) => Kind::Recovery,
            _ => return None,
        };
        let mut read = Self {
            id: StaffId::parse(&shape.operator).filter(|_| fits)?,
            kind,
            cost,
            attempts: shape.attempts,
            pair: match (&shape.pair, &shape.tag) {
                (Some(lockbox), Some(tag)) => {
                    Some(Pair { lockbox: Lockbox::from_shape(lockbox)?, tag: unhex(tag)?.try_into().ok()? })
                }
                (None, None) => None,
                _ => return None,
            },
            salt: unhex(&shape.salt)?.try_into().ok()?,
            wrapped: unhex(&shape.wrapped)?,
            is_damaged: false,
        };
        read.is_damaged = shape.check.as_ref().is_some_and(|check| *check != read.digest(realm, site));
        Some(read)
    }
}

const ACCOUNT: &str = "account";
const RECOVERY: &str = "recovery";
/// In the place of the digest of a slot that was found damaged.
const DAMAGED: &str = "damaged";

#[derive(Serialize, Deserialize)]
struct FileShape {
    format: u32,
    realm: String,
    site: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chip: Option<String>,
    slots: Vec<SlotShape>,
}

#[derive(Serialize, Deserialize)]
struct SlotShape {
    operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    wrapped: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pair: Option<BoxShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    #[serde(default)]
    attempts: Attempts,
}

/// Reads a small file; `None` when it is not there, [`VaultError::Corrupt`] when it is larger than any we write.
pub(super) fn read_small(path: &Path, len_max: u64) -> Result<Option<Vec<u8>>, VaultError> {
    use std::io::Read;
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = vec![];
    file.take(len_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > len_max {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        return Err(VaultError::Corrupt { file: name });
    }
    Ok(Some(bytes))
}

/// Writes a file of the data folder at once or not at all, and durably.
pub(super) fn write_at_once(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
    let (path, draft) = (dir.join(name), dir.join(format!("{name}.new")));
    let written = (|| {
        let mut file = super::database::create_private(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)
    })();
    if written.is_err() {
        // Best effort: the error that is returned is the first one.
        let _ = std::fs::remove_file(&draft);
    }
    written?;
    super::database::sync_folder(dir)?;
    Ok(())
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks(2).map(|pair| pair.iter().fold(0, |all, d| all << 4 | d)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: KdfCost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };

    #[test]
    fn a_header_that_was_edited_does_not_open() -> Result<(), VaultError> {
        let passphrase = Passphrase::new("an old iron key".into());
        let (site, account) = (SiteId::from_bytes([1; 16]), StaffId::from_bytes([2; 16]));
        for kind in [Kind::Unnamed, Kind::Account { name: "李".into(), role: Role::FrontDesk }, Kind::Recovery] {
            let mut slots = Slots::new(Realm::Practice, site);
            slots.put(account, kind.clone(), &passphrase, &VaultKey::make(), CHEAP)?;
            assert!(slots.open(account, &passphrase)?.is_some());
            assert!(slots.open(account, &Passphrase::new("another one".into()))?.is_none());
            assert!(slots.open(StaffId::from_bytes([3; 16]), &passphrase)?.is_none());
            assert!(Slots { realm: Realm::Real, ..slots.clone() }.open(account, &passphrase)?.is_none());
            assert!(Slots { site: SiteId::from_bytes([9; 16]), ..slots.clone() }.open(account, &passphrase)?.is_none());
            // Nobody makes themself a supervisor, or takes another name, by editing the file.
            let mut risen = slots.clone();
            risen.slots[0].kind = Kind::Account { name: "李".into(), role: Role::Supervisor };
            assert!(risen.open(account, &passphrase)?.is_none());
        }
        Ok(())
    }

    #[test]
    fn a_new_master_key_reaches_every_account_and_nobody_elses_pair() -> Result<(), VaultError> {
        let (old, new, passphrase) = (VaultKey::make(), VaultKey::make(), Passphrase::new("an old iron key".into()));
        let mut slots = Slots::new(Realm::Real, SiteId::from_bytes([1; 16]));
        for n in 0..3 {
            let kind = Kind::Account { name: format!("员工{n}"), role: Role::FrontDesk };
            slots.put(StaffId::from_bytes([n; 16]), kind, &passphrase, &old, CHEAP)?;
        }
        let before = slots.clone();
        slots.deal(&old, &new)?;
        for n in 0..3 {
            let opened = slots.open(StaffId::from_bytes([n; 16]), &passphrase)?;
            assert!(opened.is_some_and(|master| master.same_as(&new)));
        }
        // Somebody puts a pair of their own making into the file: no key is dealt to it, and it opens nothing.
        let mut forged = before.clone();
        let own = Passphrase::new("my own long one".into());
        let header = forged.slots[1].header(Realm::Real, SiteId::from_bytes([1; 16]));
        if let Some(pair) = &mut forged.slots[1].pair {
            pair.lockbox = Lockbox::make(&own, CHEAP, &header)?;
        }
        assert_eq!(forged.deal(&old, &new), Err(VaultError::corrupt(SLOTS_FILE)));
        assert!(forged.open(StaffId::from_bytes([1; 16]), &own)?.is_none());
        assert!(slots.deal(&old, &new).is_err(), "the old key has no say any more");
        Ok(())
    }

    #[test]
    fn no_damaged_byte_is_taken_for_a_wrong_passphrase() -> Result<(), Box<dyn std::error::Error>> {
        let passphrase = Passphrase::new("an old iron key".into());
        let (site, id) = (SiteId::from_bytes([1; 16]), StaffId::from_bytes([2; 16]));
        let mut slots = Slots::new(Realm::Real, site);
        let kind = Kind::Account { name: "李".into(), role: Role::FrontDesk };
        slots.put(id, kind, &passphrase, &VaultKey::make(), CHEAP)?;
        let bytes = slots.to_bytes()?;
        let mut told = [0; 3];
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            let Ok(read) = Slots::parse(&broken) else {
                told[0] += 1;
                continue;
            };
            let only = read.accounts().next().map(|slot| slot.id).ok_or("no account")?;
            if !read.is_damaged(only) {
                assert!(read.open(only, &passphrase)?.is_some(), "byte {at}");
                told[1] += 1;
                continue;
            }
            // It stays known when the count of tries is written, until the slot is wrapped anew.
            let mut again = Slots::parse(&read.to_bytes()?)?;
            assert!(again.is_damaged(only), "byte {at}");
            again.put(only, Kind::Recovery, &passphrase, &VaultKey::make(), CHEAP)?;
            assert!(!again.is_damaged(only), "byte {at}");
            told[2] += 1;
        }
        assert!(told.iter().all(|n| *n > 3), "{told:?} of {}", bytes.len());
        // A slot of an earlier version has no digest, and opens.
        let text = String::from_utf8(bytes)?;
        let before: Vec<&str> = text.lines().filter(|line| !line.contains("\"check\"")).collect();
        let read = Slots::parse(before.join("\n").as_bytes())?;
        assert!(before.len() < text.lines().count() && !read.is_damaged(id));
        assert!(read.open(id, &passphrase)?.is_some());
        Ok(())
    }

    #[test]
    fn a_file_reads_back_and_holds_sixteen_slots() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let mut slots = Slots::new(Realm::Real, SiteId::from_bytes([1; 16]));
        let (passphrase, master) = (Passphrase::new("an old iron key".into()), VaultKey::make());
        let kind = |n: u8| match n {
            0 => Kind::Recovery,
            n => Kind::Account { name: format!("员工{n}"), role: Role::ALL[usize::from(n) % 4] },
        };
        for n in 0..16 {
            slots.put(StaffId::from_bytes([n; 16]), kind(n), &passphrase, &master, CHEAP)?;
        }
        let more = slots.put(StaffId::from_bytes([99; 16]), kind(1), &passphrase, &master, CHEAP);
        assert_eq!(more, Err(VaultError::AccountsFull));
        slots.note(StaffId::from_bytes([3; 16]), Attempts { failed: 4, last_at: 7 });
        slots.write(folder.path())?;
        let read = Slots::read(folder.path())?;
        assert_eq!(read.as_ref(), Some(&slots));
        assert_eq!(slots.accounts().count(), 15);
        assert_eq!(slots.recovery().map(|slot| slot.id), Some(StaffId::from_bytes([0; 16])));
        Ok(())
    }
}
