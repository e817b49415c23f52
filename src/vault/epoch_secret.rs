//! The epoch secret: 32 random bytes that seal the tree of keys (`punctures`) and are destroyed at each erasure, so that what the disk still holds
//! of an earlier `keys.db` opens with nothing that is left.
//!
//! They lie in a small file beside the vault, in one of two blocks that take turns and are written in place, never truncated, renamed or freed: the
//! next secret is written into the other block, `keys.db` says in one transaction which one counts, and the block of the last one is overwritten
//! with random bytes. A block is sealed under a key from the master key; a torn or overwritten one does not open. On a medium that writes elsewhere
//! than it is told (flash, copy-on-write) an overwritten block may survive: SECURITY.md says so.
//!
//! The file also holds half of the key of `keys.db` itself, so that the two databases have keys that do not follow from one another.
//!
//! Deliberately absent: a copy of it in a backup. Rules: P47, P56.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::secret::random_bytes;

use super::error::{EPOCH_FILE, KEYS_FILE, VaultError};
use super::keys::{Ring, VaultKey};
use super::slots::{read_small, write_at_once};

/// Bytes of one block: what a disk writes at once.
const BLOCK: usize = 4096;
/// Bytes of what is sealed in a block: number, whether there is a file secret, file secret, epoch secret.
const PLAIN: usize = 8 + 1 + 32 + 32;
/// Bytes of it sealed: a nonce before it, a tag after it.
const SEALED: usize = 24 + PLAIN + 16;
/// The number of a vault's first secret.
pub(super) const FIRST: i64 = 1;

/// The file, as both connections of an open vault share it.
pub(super) struct Secrets {
    path: PathBuf,
    /// Seals the blocks.
    seal: VaultKey,
    /// Half of the key of `keys.db`; `None` for a vault of an earlier version, until it gets new keys.
    file: Option<VaultKey>,
    /// Held through a whole change of the secret, so that two connections never write the blocks in turns.
    turn: Mutex<()>,
    blocks: Mutex<[Block; 2]>,
}

/// What is known of a block.
enum Block {
    /// A secret and its number.
    Holds(i64, VaultKey),
    /// It does not open, and was not overwritten by this program since it started.
    Unknown,
    /// It was overwritten.
    Gone,
}

/// Which block a number's secret is in.
fn block_of(number: i64) -> usize {
    usize::from(number & 1 == 1)
}

/// What a block is bound to, beside the key, which has the realm in it.
fn place(block: usize) -> Vec<u8> {
    format!("menka/epoch-secret/1/{block}").into_bytes()
}

impl Secrets {
    /// Makes the file with the secret of a number, and a new half of the key of `keys.db`.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn make(dir: &Path, ring: &Ring, number: i64, secret: VaultKey) -> Result<Self, VaultError> {
        Self::write_first(dir, ring, number, secret, Some(VaultKey::make()))
    }

    /// The same for a vault of an earlier version, whose `keys.db` is under a key from the master key alone.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn make_for_earlier(dir: &Path, ring: &Ring) -> Result<Self, VaultError> {
        Self::write_first(dir, ring, FIRST, VaultKey::make(), None)
    }

    fn write_first(
        dir: &Path,
        ring: &Ring,
        number: i64,
        secret: VaultKey,
        file: Option<VaultKey>,
    ) -> Result<Self, VaultError> {
        let seal = ring.file_key(EPOCH_FILE)?;
        let mut bytes = Zeroizing::new(random_bytes::<{ 2 * BLOCK }>());
        let at = block_of(number) * BLOCK;
        bytes[at..at + SEALED].copy_from_slice(&sealed(&seal, number, file.as_ref(), &secret)?);
        write_at_once(dir, EPOCH_FILE, &bytes[..])?;
        let mut blocks = [Block::Gone, Block::Gone];
        blocks[block_of(number)] = Block::Holds(number, secret);
        let path = dir.join(EPOCH_FILE);
        Ok(Self { path, seal, file, turn: Mutex::new(()), blocks: Mutex::new(blocks) })
    }

    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] for a file of another length, and one of which neither block opens; those of the disk.
    pub(super) fn read(dir: &Path, ring: &Ring) -> Result<Option<Self>, VaultError> {
        let path = dir.join(EPOCH_FILE);
        let Some(bytes) = read_small(&path, 2 * BLOCK as u64)? else { return Ok(None) };
        let damaged = || VaultError::corrupt(EPOCH_FILE);
        let (halves, rest) = bytes.as_chunks::<BLOCK>();
        let [first, second] = halves else { return Err(damaged()) };
        if !rest.is_empty() {
            return Err(damaged());
        }
        let seal = ring.file_key(EPOCH_FILE)?;
        let mut file = None;
        let mut open = |at: usize, block: &[u8; BLOCK]| {
            let Some(plain) = seal.open(&place(at), &block[..SEALED]) else { return Block::Unknown };
            let read = || -> Option<(i64, bool, VaultKey, VaultKey)> {
                let (number, rest) = plain.split_first_chunk::<8>()?;
                let (kind, rest) = rest.split_first()?;
                let (half, secret) = rest.split_at_checked(32)?;
                let number = i64::from_be_bytes(*number);
                Some((number, *kind == 1, VaultKey::from_slice(half)?, VaultKey::from_slice(secret)?))
            };
            match read() {
                Some((number, has_file, half, secret)) if block_of(number) == at => {
                    if has_file {
                        file = Some(half);
                    }
                    Block::Holds(number, secret)
                }
                _ => Block::Unknown,
            }
        };
        let blocks = [open(0, first), open(1, second)];
        if blocks.iter().all(|block| matches!(block, Block::Unknown)) {
            return Err(damaged());
        }
        Ok(Some(Self { path, seal, file, turn: Mutex::new(()), blocks: Mutex::new(blocks) }))
    }

    /// The SQLCipher key of `keys.db`.
    ///
    /// # Errors
    /// The crypto library refused.
    pub(super) fn file_key(&self, ring: &Ring) -> Result<VaultKey, VaultError> {
        match &self.file {
            Some(half) => ring.file_key_with(KEYS_FILE, half),
            None => ring.file_key(KEYS_FILE),
        }
    }

    /// Whether the key of `keys.db` is independent of the master key.
    pub(super) fn has_own_file_key(&self) -> bool {
        self.file.is_some()
    }

    /// The secret with this number; `None` when it was destroyed, or never was.
    pub(super) fn of(&self, number: i64) -> Option<VaultKey> {
        self.blocks().iter().find_map(|block| match block {
            Block::Holds(held, secret) if *held == number => VaultKey::from_slice(secret.bytes()),
            _ => None,
        })
    }

    /// Whether there is one secret and nothing else.
    pub(super) fn is_settled(&self) -> bool {
        self.blocks().iter().filter(|block| matches!(block, Block::Gone)).count() == 1
    }

    /// The highest number that is there.
    pub(super) fn highest(&self) -> i64 {
        let of = |block: &Block| if let Block::Holds(number, _) = block { *number } else { 0 };
        self.blocks().iter().map(of).max().unwrap_or(0)
    }

    /// Only one connection at a time changes the secret, from here until this is dropped.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the secret that follows this one, beside it. It counts once `keys.db` says so.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn begin_next(&self, number: i64) -> Result<(i64, VaultKey), VaultError> {
        let (next, secret) = (number + 1, VaultKey::make());
        let mut bytes = Zeroizing::new(random_bytes::<BLOCK>());
        bytes[..SEALED].copy_from_slice(&sealed(&self.seal, next, self.file.as_ref(), &secret)?);
        let mut blocks = self.blocks();
        // Until it is written whole, nothing is known of the block.
        blocks[block_of(next)] = Block::Unknown;
        write_block(&self.path, block_of(next), &bytes)?;
        let kept = VaultKey::from_slice(secret.bytes()).ok_or(VaultError::Refused(0))?;
        blocks[block_of(next)] = Block::Holds(next, kept);
        Ok((next, secret))
    }

    /// Destroys whatever else there is than the secret with this number.
    ///
    /// # Errors
    /// Those of the disk: then it is tried again at the next change and the next start.
    pub(super) fn keep_only(&self, number: i64) -> Result<(), VaultError> {
        let other = 1 - block_of(number);
        let mut blocks = self.blocks();
        if matches!(blocks[other], Block::Gone) {
            return Ok(());
        }
        // Gone from memory whatever the disk says.
        blocks[other] = Block::Unknown;
        write_block(&self.path, other, &random_bytes::<BLOCK>())?;
        blocks[other] = Block::Gone;
        Ok(())
    }

    fn blocks(&self) -> MutexGuard<'_, [Block; 2]> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sealed(
    seal: &VaultKey,
    number: i64,
    file: Option<&VaultKey>,
    secret: &VaultKey,
) -> Result<[u8; SEALED], VaultError> {
    let mut plain = Zeroizing::new([0u8; PLAIN]);
    plain[..8].copy_from_slice(&number.to_be_bytes());
    if let Some(file) = file {
        plain[8] = 1;
        plain[9..41].copy_from_slice(file.bytes());
    }
    plain[41..].copy_from_slice(secret.bytes());
    let sealed = seal.seal(&place(block_of(number)), &plain[..])?;
    sealed.try_into().map_err(|_| VaultError::Refused(0))
}

/// Writes one block in its place, and waits until the disk says that it is there.
fn write_block(path: &Path, block: usize, bytes: &[u8; BLOCK]) -> Result<(), VaultError> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start((block * BLOCK) as u64))?;
    file.write_all(bytes)?;
    Ok(file.sync_data()?)
}

/// Overwrites the whole file in a folder where it stands, before it is taken away or replaced; one that is not there is none to overwrite.
///
/// # Errors
/// Those of the disk.
pub(super) fn destroy(path: &Path) -> Result<(), VaultError> {
    let mut file: File = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let blocks = file.metadata()?.len().div_ceil(BLOCK as u64).min(2);
    for _ in 0..blocks {
        file.write_all(&random_bytes::<BLOCK>())?;
    }
    Ok(file.sync_data()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Realm;

    fn ring(of: u8) -> Result<Ring, VaultError> {
        Ring::derive(VaultKey::from_slice(&[of; 32]).ok_or(VaultError::Refused(0))?, Realm::Real)
    }

    fn bytes(secrets: &Secrets, number: i64) -> Option<[u8; 32]> {
        secrets.of(number).map(|key| *key.bytes())
    }

    fn made(dir: &Path) -> Result<Secrets, VaultError> {
        Secrets::make(dir, &ring(1)?, FIRST, VaultKey::make())
    }

    #[test]
    fn the_next_secret_stands_beside_the_last_until_that_is_destroyed() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let secrets = made(folder.path())?;
        let path = folder.path().join(EPOCH_FILE);
        let first = bytes(&secrets, 1).ok_or("the first")?;
        let before = std::fs::read(&path)?;
        let (next, second) = secrets.begin_next(1)?;
        assert_eq!((next, bytes(&secrets, 1), bytes(&secrets, 2)), (2, Some(first), Some(*second.bytes())));
        let beside = std::fs::read(&path)?;
        assert_eq!((&before[BLOCK..], before.len()), (&beside[BLOCK..], 2 * BLOCK), "the first is where it was");
        let again = Secrets::read(folder.path(), &ring(1)?)?.ok_or("there")?;
        assert_eq!((bytes(&again, 1), bytes(&again, 2)), (Some(first), Some(*second.bytes())));
        secrets.keep_only(2)?;
        let after = std::fs::read(&path)?;
        assert_eq!((bytes(&secrets, 1), &after[..BLOCK], after.len()), (None, &beside[..BLOCK], 2 * BLOCK));
        assert!(after[BLOCK..].iter().zip(&beside[BLOCK..]).filter(|(a, b)| a == b).count() < BLOCK / 64);
        let again = Secrets::read(folder.path(), &ring(1)?)?.ok_or("there")?;
        assert_eq!((bytes(&again, 1), bytes(&again, 2), again.highest()), (None, Some(*second.bytes()), 2));
        assert_eq!(again.file_key(&ring(1)?)?.bytes(), secrets.file_key(&ring(1)?)?.bytes());
        Ok(())
    }

    #[test]
    fn a_block_torn_at_any_byte_is_the_old_state_or_the_new_one() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(EPOCH_FILE);
        let secrets = made(folder.path())?;
        let before = std::fs::read(&path)?;
        let first = bytes(&secrets, 1);
        let (_, second) = secrets.begin_next(1)?;
        let beside = std::fs::read(&path)?;
        secrets.keep_only(2)?;
        let after = std::fs::read(&path)?;
        let torn = |from: &[u8], to: &[u8], cut: usize| -> Result<Secrets, Box<dyn std::error::Error>> {
            std::fs::write(&path, [&to[..cut], &from[cut..]].concat())?;
            Ok(Secrets::read(folder.path(), &ring(1)?)?.ok_or("there")?)
        };
        for cut in 0..=BLOCK {
            // While the next one is written.
            let read = torn(&before, &beside, cut)?;
            assert_eq!(bytes(&read, 1), first, "{cut}: the first one stays whole");
            let is_there = bytes(&read, 2);
            assert!(
                is_there.is_none_or(|key| key == *second.bytes()) && is_there.is_some() == (cut >= SEALED),
                "{cut}"
            );
            // While the last one is overwritten.
            let read = torn(&beside, &after, BLOCK + cut)?;
            assert_eq!(bytes(&read, 2), Some(*second.bytes()), "{cut}: the next one stays whole");
            assert_eq!(bytes(&read, 1).is_some(), cut == 0, "{cut}");
            if cut % 64 == 0 {
                read.keep_only(2)?;
                let again = std::fs::read(&path)?;
                assert!(
                    again[BLOCK..] != beside[BLOCK..] && again[..BLOCK] == beside[..BLOCK],
                    "{cut}: done to its end"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn it_opens_with_its_own_master_key_and_whole_only() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        assert!(Secrets::read(folder.path(), &ring(1)?)?.is_none());
        let secrets = made(folder.path())?;
        let damaged = Some(VaultError::corrupt(EPOCH_FILE));
        assert_eq!(Secrets::read(folder.path(), &ring(2)?).err(), damaged);
        let path = folder.path().join(EPOCH_FILE);
        let whole = std::fs::read(&path)?;
        for length in [0, 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK + 1] {
            let mut bytes = whole.clone();
            bytes.resize(length, 0);
            std::fs::write(&path, &bytes)?;
            assert_eq!(Secrets::read(folder.path(), &ring(1)?).err(), damaged, "{length}");
        }
        for at in 0..SEALED {
            let mut bytes = whole.clone();
            bytes[BLOCK + at] ^= 1;
            std::fs::write(&path, &bytes)?;
            assert_eq!(Secrets::read(folder.path(), &ring(1)?).err(), damaged, "{at}");
        }
        // A block in the other one's place is none.
        std::fs::write(&path, [&whole[BLOCK..], &whole[..BLOCK]].concat())?;
        assert_eq!(Secrets::read(folder.path(), &ring(1)?).err(), damaged);
        std::fs::write(&path, &whole)?;
        destroy(&path)?;
        let gone = std::fs::read(&path)?;
        assert!(gone.len() == 2 * BLOCK && Secrets::read(folder.path(), &ring(1)?).err() == damaged);
        assert!(secrets.of(2).is_none() && destroy(&folder.path().join("nothing")).is_ok());
        Ok(())
    }

    #[test]
    fn the_key_of_the_file_of_keys_does_not_follow_from_the_master_key() -> Result<(), Box<dyn std::error::Error>> {
        let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let (a, b) = (made(one.path())?, made(two.path())?);
        assert_ne!(a.file_key(&ring(1)?)?.bytes(), b.file_key(&ring(1)?)?.bytes());
        assert_ne!(a.file_key(&ring(1)?)?.bytes(), a.file_key(&ring(2)?)?.bytes());
        let earlier = tempfile::tempdir()?;
        let of_before = Secrets::make_for_earlier(earlier.path(), &ring(1)?)?;
        assert_eq!(of_before.file_key(&ring(1)?)?.bytes(), ring(1)?.file_key(KEYS_FILE)?.bytes());
        assert!(a.has_own_file_key() && !of_before.has_own_file_key());
        let read = Secrets::read(earlier.path(), &ring(1)?)?.ok_or("there")?;
        assert!(!read.has_own_file_key() && read.of(FIRST).is_some());
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn it_is_for_this_account_only_and_stays_the_same_file() -> Result<(), Box<dyn std::error::Error>> {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir()?;
        let secrets = made(folder.path())?;
        let look = || std::fs::metadata(folder.path().join(EPOCH_FILE)).map(|m| (m.mode() & 0o777, m.ino(), m.len()));
        let before = look()?;
        for number in 1..20 {
            secrets.begin_next(number)?;
            secrets.keep_only(number + 1)?;
        }
        assert_eq!((look()?, before.0), (before, 0o600));
        Ok(())
    }
}
