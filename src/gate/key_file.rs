//! The key of the store: 32 random bytes, wrapped under a key that Argon2id makes from the gate's secret.
//!
//! The secret is a file of its own (by default beside the store, better a credential of the service manager or a TPM),
//! so that the store and its key file alone open nothing. Layout of the key file: `menka-gate-key/1`, realm 1, memory
//! in KiB 4, passes 4, lanes 4, salt 16, nonce 24, wrapped key 48; numbers big endian; everything before the nonce is
//! authenticated.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::error::GateError;
use crate::domain::Realm;
use crate::secret::random_bytes;

const MAGIC: &[u8; 16] = b"menka-gate-key/1";
const HEADER: usize = 16 + 1 + 12 + 16;
const NONCE: usize = 24;
const WRAPPED: usize = 48;
const SECRET_MAX: usize = 4096;

/// How much work the derivation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// 64 MiB, three passes: about a third of a second.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    const MAX: Self = Self { memory_kib: 1024 * 1024, passes: 16, lanes: 8 };
}

/// Writes a new secret file, 64 random hex digits, readable by its owner only.
///
/// # Errors
/// [`GateError::File`]; an existing file is not touched.
pub fn make_secret(path: &Path) -> Result<(), GateError> {
    let random = Zeroizing::new(random_bytes::<32>());
    let mut text = Zeroizing::new(String::with_capacity(64));
    for byte in random.iter() {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    create_private(path, text.as_bytes())
}

/// Makes a random store key, writes it wrapped, and returns it.
///
/// # Errors
/// [`GateError`].
pub fn make_key(path: &Path, secret: &Path, realm: Realm, cost: Cost) -> Result<Zeroizing<[u8; 32]>, GateError> {
    let key = Zeroizing::new(random_bytes::<32>());
    let mut file = Vec::with_capacity(HEADER + NONCE + WRAPPED);
    file.extend_from_slice(MAGIC);
    file.push(realm_byte(realm));
    for number in [cost.memory_kib, cost.passes, cost.lanes] {
        file.extend_from_slice(&number.to_be_bytes());
    }
    file.extend_from_slice(&random_bytes::<16>());
    let nonce = random_bytes::<NONCE>();
    let wrapping = derive(&read_secret(secret)?, &file[HEADER - 16..], cost)?;
    let mut body = Zeroizing::new(*key);
    let tag = XChaCha20Poly1305::new((&*wrapping).into())
        .encrypt_in_place_detached((&nonce).into(), &file, body.as_mut_slice())
        .map_err(|_| GateError::Corrupt)?;
    file.extend_from_slice(&nonce);
    file.extend_from_slice(body.as_slice());
    file.extend_from_slice(&tag);
    create_private(path, &file)?;
    Ok(key)
}

/// Unwraps the store key.
///
/// # Errors
/// [`GateError::WrongSecret`], [`GateError::Corrupt`] for a file of another shape, [`GateError::Realm`].
pub fn open_key(path: &Path, secret: &Path, realm: Realm) -> Result<Zeroizing<[u8; 32]>, GateError> {
    let file = fs::read(path).map_err(GateError::file(path))?;
    if file.len() != HEADER + NONCE + WRAPPED || !file.starts_with(MAGIC) {
        return Err(GateError::Corrupt);
    }
    if file[MAGIC.len()] != realm_byte(realm) {
        return Err(GateError::Realm);
    }
    let (header, rest) = file.split_at(HEADER);
    let (nonce, wrapped) = rest.split_at(NONCE);
    let cost = Cost { memory_kib: number(header, 17), passes: number(header, 21), lanes: number(header, 25) };
    if cost.memory_kib > Cost::MAX.memory_kib || cost.passes > Cost::MAX.passes || cost.lanes > Cost::MAX.lanes {
        return Err(GateError::Corrupt);
    }
    let wrapping = derive(&read_secret(secret)?, &header[HEADER - 16..], cost)?;
    let (body, tag) = wrapped.split_at(32);
    let mut key = Zeroizing::new([0u8; 32]);
    key.copy_from_slice(body);
    XChaCha20Poly1305::new((&*wrapping).into())
        .decrypt_in_place_detached(nonce.into(), header, key.as_mut_slice(), tag.into())
        .map_err(|_| GateError::WrongSecret)?;
    Ok(key)
}

/// Makes a folder that only its owner may enter.
pub(super) fn create_folder(path: &Path) -> Result<(), GateError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(GateError::file(path))?;
    #[cfg(unix)]
    {
        // It may have existed with wider rights.
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(path, owner_only).map_err(GateError::file(path))?;
    }
    Ok(())
}

/// Creates a file that only its owner may read, with this content, durably and whole or not at all. Fails when it exists.
pub(super) fn create_private(path: &Path, content: &[u8]) -> Result<(), GateError> {
    if path.exists() {
        return Err(GateError::file(path)(std::io::ErrorKind::AlreadyExists.into()));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".draft");
    let draft = path.with_file_name(name);
    // What an earlier making left that broke off.
    let _ = fs::remove_file(&draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(GateError::file(&draft))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(GateError::file(&draft))?;
    rename_durably(&draft, path)
}

/// Gives a file its name for good.
pub(super) fn rename_durably(from: &Path, to: &Path) -> Result<(), GateError> {
    fs::rename(from, to).map_err(GateError::file(to))?;
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(GateError::file(folder))?;
    }
    Ok(())
}

fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, GateError> {
    let mut text = Zeroizing::new(Vec::with_capacity(SECRET_MAX));
    let file = File::open(path).map_err(GateError::file(path))?;
    file.take(SECRET_MAX as u64).read_to_end(&mut text).map_err(GateError::file(path))?;
    // An editor adds a line end; it is not part of the secret.
    while text.last().is_some_and(u8::is_ascii_whitespace) {
        text.pop();
    }
    if text.len() < 16 {
        return Err(GateError::Usage("the secret file holds fewer than 16 characters".into()));
    }
    Ok(text)
}

fn derive(secret: &[u8], salt: &[u8], cost: Cost) -> Result<Zeroizing<[u8; 32]>, GateError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| GateError::Corrupt)?;
    let mut key = Zeroizing::new([0u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret, salt, key.as_mut_slice())
        .map_err(|_| GateError::Corrupt)?;
    Ok(key)
}

fn realm_byte(realm: Realm) -> u8 {
    u8::from(realm == Realm::Practice)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const LIGHT: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    #[test]
    fn a_key_opens_with_its_secret_and_realm_only() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, other, key) =
            (folder.path().join("secret"), folder.path().join("other"), folder.path().join("key"));
        make_secret(&secret).unwrap();
        make_secret(&other).unwrap();
        let made = make_key(&key, &secret, Realm::Real, LIGHT).unwrap();
        assert_eq!(*open_key(&key, &secret, Realm::Real).unwrap(), *made);
        assert!(matches!(open_key(&key, &other, Realm::Real), Err(GateError::WrongSecret)));
        assert!(matches!(open_key(&key, &secret, Realm::Practice), Err(GateError::Realm)));
        let file = fs::read(&key).unwrap();
        assert!(!file.windows(32).any(|w| w == made.as_slice()));
    }

    #[test]
    fn a_changed_key_file_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, key) = (folder.path().join("secret"), folder.path().join("key"));
        make_secret(&secret).unwrap();
        make_key(&key, &secret, Realm::Real, LIGHT).unwrap();
        let good = fs::read(&key).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x80;
            fs::write(&key, &bad).unwrap();
            assert!(open_key(&key, &secret, Realm::Real).is_err(), "byte {at}");
        }
        fs::write(&key, &good[..good.len() - 1]).unwrap();
        assert!(matches!(open_key(&key, &secret, Realm::Real), Err(GateError::Corrupt)));
    }

    #[cfg(unix)]
    #[test]
    fn files_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("gate");
        create_folder(&inner).unwrap();
        make_secret(&inner.join("secret")).unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(inner.join("secret")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(make_secret(&inner.join("secret")).is_err(), "never written over");
    }
}
