//! The slots file: the master key, wrapped once for each operator's passphrase; and the file that counts wrong
//! passphrases.
//!
//! Neither holds a name. The header (format, realm, site, operator id, cost, salt) is authenticated together with each
//! wrapped key. Whoever can delete files in the data folder can also reset the count: the pause is against a person at
//! the keyboard; against a copied file the cost of Argon2id stands.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::Realm;
use crate::domain::id::{SiteId, StaffId};
use crate::domain::time::Timestamp;
use crate::evidence::hex;
use crate::secret::{Passphrase, random_bytes};

use super::error::{ATTEMPTS_FILE, SLOTS_FILE, VaultError};
use super::keys::{KdfCost, VaultKey};

/// Version of the file's shape.
const FORMAT: u32 = 1;
/// Largest accepted slots file, in bytes.
const LEN_MAX: u64 = 64 * 1024;
/// Most operators.
const SLOTS_MAX: usize = 16;

/// The slots file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slots {
    /// Realm of the vault.
    pub(super) realm: Realm,
    /// Which site.
    pub(super) site: SiteId,
    slots: Vec<Slot>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    operator: StaffId,
    cost: KdfCost,
    salt: [u8; 16],
    wrapped: Vec<u8>,
}

impl Slots {
    /// Makes a file with one operator.
    pub(super) fn make(
        realm: Realm,
        site: SiteId,
        operator: StaffId,
        passphrase: &Passphrase,
        master: &VaultKey,
        cost: KdfCost,
    ) -> Result<Self, VaultError> {
        let mut slot = Slot { operator, cost, salt: random_bytes(), wrapped: vec![] };
        let key = cost.stretch(passphrase, &slot.salt)?;
        slot.wrapped = key.seal(&slot.header(realm, site), master.bytes())?;
        Ok(Self { realm, site, slots: vec![slot] })
    }

    /// Finds the operator whose passphrase this is, and the master key.
    pub(super) fn open(&self, passphrase: &Passphrase) -> Result<Option<(StaffId, VaultKey)>, VaultError> {
        for slot in &self.slots {
            let key = slot.cost.stretch(passphrase, &slot.salt)?;
            let master = key.open(&slot.header(self.realm, self.site), &slot.wrapped);
            if let Some(master) = master.and_then(|bytes| VaultKey::from_slice(&bytes)) {
                return Ok(Some((slot.operator, master)));
            }
        }
        Ok(None)
    }

    /// Reads the file; `None` when it is not there.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, VaultError> {
        let Some(bytes) = read_small(&dir.join(SLOTS_FILE), LEN_MAX)? else {
            return Ok(None);
        };
        let damaged = || VaultError::corrupt(SLOTS_FILE);
        let shape: FileShape = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if shape.format > FORMAT {
            return Err(VaultError::TooNew { file: SLOTS_FILE.into() });
        }
        let realm =
            [Realm::Real, Realm::Practice].into_iter().find(|r| r.label() == shape.realm).ok_or_else(damaged)?;
        let site = SiteId::parse(&shape.site).ok_or_else(damaged)?;
        if shape.slots.is_empty() || shape.slots.len() > SLOTS_MAX || shape.format != FORMAT {
            return Err(damaged());
        }
        let slots: Option<Vec<Slot>> = shape.slots.iter().map(Slot::from_shape).collect();
        Ok(Some(Self { realm, site, slots: slots.ok_or_else(damaged)? }))
    }

    /// Writes the file at once or not at all.
    pub(super) fn write(&self, dir: &Path) -> Result<(), VaultError> {
        let slots = self.slots.iter().map(Slot::shape).collect();
        let shape = FileShape { format: FORMAT, realm: self.realm.label().into(), site: self.site.to_string(), slots };
        let bytes = serde_json::to_vec_pretty(&shape).map_err(|_| VaultError::corrupt(SLOTS_FILE))?;
        write_at_once(dir, SLOTS_FILE, &bytes)
    }
}

impl Slot {
    /// What is authenticated beside the wrapped key.
    fn header(&self, realm: Realm, site: SiteId) -> Vec<u8> {
        let cost = self.cost;
        format!(
            "menka/slot/{FORMAT}/{}/{site}/{}/argon2id-{}-{}-{}/{}",
            realm.label(),
            self.operator,
            cost.memory_kib,
            cost.passes,
            cost.lanes,
            hex(&self.salt)
        )
        .into_bytes()
    }

    fn shape(&self) -> SlotShape {
        SlotShape {
            operator: self.operator.to_string(),
            kdf: "argon2id".into(),
            memory_kib: self.cost.memory_kib,
            passes: self.cost.passes,
            lanes: self.cost.lanes,
            salt: hex(&self.salt),
            wrapped: hex(&self.wrapped),
        }
    }

    fn from_shape(shape: &SlotShape) -> Option<Self> {
        let cost = KdfCost { memory_kib: shape.memory_kib, passes: shape.passes, lanes: shape.lanes };
        let fits = shape.kdf == "argon2id" && cost.is_sane();
        Some(Self {
            operator: StaffId::parse(&shape.operator).filter(|_| fits)?,
            cost,
            salt: unhex(&shape.salt)?.try_into().ok()?,
            wrapped: unhex(&shape.wrapped)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct FileShape {
    format: u32,
    realm: String,
    site: String,
    slots: Vec<SlotShape>,
}

#[derive(Serialize, Deserialize)]
struct SlotShape {
    operator: String,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    wrapped: String,
}

/// How often the passphrase was wrong since it was last right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempts {
    /// Wrong tries.
    pub(super) failed: u32,
    /// When the last one was, in milliseconds since 1970.
    pub(super) last_at: i64,
}

/// Longest pause between two tries, in milliseconds.
const PAUSE_MAX_MS: i64 = 60_000;

impl Attempts {
    /// The pause after so many wrong tries: 0, 0, 1, 2, 4 … 60 seconds.
    pub(super) fn pause_ms(failed: u32) -> i64 {
        match failed {
            0..=2 => 0,
            n => (1_000i64 << (n - 3).min(16)).min(PAUSE_MAX_MS),
        }
    }

    /// What is left of the pause, in milliseconds. A clock that went back does not lengthen it.
    pub(super) fn wait_ms(self, now: Timestamp) -> i64 {
        let pause = Self::pause_ms(self.failed);
        (pause - now.since(Timestamp::from_ms(self.last_at)).max(0)).clamp(0, pause)
    }

    /// Reads the count. A damaged file counts as many wrong tries just now, so that damaging it wins nothing.
    pub(super) fn read(dir: &Path, now: Timestamp) -> Result<Self, VaultError> {
        let Some(bytes) = read_small(&dir.join(ATTEMPTS_FILE), 4096)? else {
            return Ok(Self::default());
        };
        Ok(serde_json::from_slice(&bytes).unwrap_or(Self { failed: DAMAGED_COUNTS_AS, last_at: now.ms() }))
    }

    /// Writes the count, durably.
    pub(super) fn write(self, dir: &Path) -> Result<(), VaultError> {
        let bytes = serde_json::to_vec(&self).map_err(|_| VaultError::corrupt(ATTEMPTS_FILE))?;
        write_at_once(dir, ATTEMPTS_FILE, &bytes)
    }
}

/// Wrong tries that a damaged count stands for.
const DAMAGED_COUNTS_AS: u32 = 6;

/// Reads a small file; `None` when it is not there, [`VaultError::Corrupt`] when it is larger than any we write.
fn read_small(path: &Path, len_max: u64) -> Result<Option<Vec<u8>>, VaultError> {
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
fn write_at_once(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
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

fn unhex(text: &str) -> Option<Vec<u8>> {
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

    #[test]
    fn the_pause_grows_to_a_minute() {
        let pauses: Vec<i64> = (1..=10).map(Attempts::pause_ms).collect();
        assert_eq!(pauses, [0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(Attempts::pause_ms(u32::MAX), 60_000);
    }

    #[test]
    fn a_clock_that_went_back_does_not_lengthen_the_pause() {
        let attempts = Attempts { failed: 4, last_at: 1_000_000 };
        assert_eq!(attempts.wait_ms(Timestamp::from_ms(1_000_500)), 1_500);
        assert_eq!(attempts.wait_ms(Timestamp::from_ms(1_002_000)), 0);
        assert_eq!(attempts.wait_ms(Timestamp::from_ms(0)), 2_000);
        assert_eq!(Attempts { failed: 9, last_at: i64::MIN }.wait_ms(Timestamp::from_ms(i64::MAX)), 0);
    }

    #[test]
    fn a_header_that_was_edited_does_not_open() -> Result<(), VaultError> {
        let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
        let passphrase = Passphrase::new("an old iron key".into());
        let (site, operator) = (SiteId::from_bytes([1; 16]), StaffId::from_bytes([2; 16]));
        let slots = Slots::make(Realm::Practice, site, operator, &passphrase, &VaultKey::make(), cost)?;
        assert!(slots.open(&passphrase)?.is_some_and(|(who, _)| who == operator));
        assert!(slots.open(&Passphrase::new("another one".into()))?.is_none());
        assert!(Slots { realm: Realm::Real, ..slots.clone() }.open(&passphrase)?.is_none());
        assert!(Slots { site: SiteId::from_bytes([9; 16]), ..slots.clone() }.open(&passphrase)?.is_none());
        Ok(())
    }
}
