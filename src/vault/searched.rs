//! What a test must know to look for it: every key that an open vault holds, as bytes. Practice builds only; nothing of the product calls it.

use super::Vault;
use super::error::{KEYS_FILE, MAIN_FILE, VaultError};
use crate::domain::id::ResidentId;

/// Bytes before the secrets: `menka-keys/1` and the realm.
const IDENTITY_HEAD: usize = 13;

impl Vault {
    /// Writes into the main file, or the file of keys, as nobody should: for tests of what notices that.
    ///
    /// # Errors
    /// Those of the disk, and of the statement.
    pub fn execute_for_a_test(&self, in_keys: bool, sql: &str) -> Result<(), VaultError> {
        let db = if in_keys { &self.people_keys } else { &self.main };
        Ok(db.execute_batch(sql)?)
    }

    /// Every key of this vault by name: the master key, what is derived from it, the keys that sign for the station, and one key a person.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn keys_for_a_test(&self) -> Result<Vec<(String, Vec<u8>)>, VaultError> {
        let mut all = vec![
            ("master key".to_owned(), self.ring.master().bytes().to_vec()),
            ("station's column key".to_owned(), self.ring.station.bytes().to_vec()),
            ("index key".to_owned(), self.ring.index.bytes().to_vec()),
            ("evidence key".to_owned(), self.signer.to_bytes().to_vec()),
        ];
        let secrets = self.people_keys.secrets();
        let of_files = [(MAIN_FILE, self.ring.file_key(MAIN_FILE)?), (KEYS_FILE, secrets.file_key(&self.ring)?)];
        for (file, key) in of_files {
            all.push((format!("key of {file}"), key.bytes().to_vec()));
        }
        all.extend(secrets.of(secrets.highest()).map(|secret| ("epoch secret".to_owned(), secret.bytes().to_vec())));
        // `IdentityKeys::to_bytes`: a name, the realm, two secrets, and the TLS key after its length.
        if let Some(identity) = self.identity_bytes()?
            && let Some((_, secrets)) = identity.split_at_checked(IDENTITY_HEAD)
            && let (Some(opens), Some(signs), Some(tls)) = (secrets.get(..32), secrets.get(32..64), secrets.get(66..))
        {
            all.push(("channel's opening key".to_owned(), opens.to_vec()));
            all.push(("channel's signing key".to_owned(), signs.to_vec()));
            // PKCS #8 of a short key: sixteen bytes say what it is.
            all.extend(tls.get(16..48).map(|key| ("TLS key".to_owned(), key.to_vec())));
        }
        all.push(("keys of the backups".to_owned(), self.people_keys.epoch()?.tree.to_bytes().to_vec()));
        let mut statement = self.people_keys.prepare("SELECT resident FROM person_keys")?;
        let people = statement.query_map([], |row| row.get(0).map(ResidentId::from_bytes))?;
        for (number, resident) in people.enumerate() {
            let pair = self.people_keys.pair_of(resident?)?.ok_or_else(|| VaultError::corrupt(KEYS_FILE))?;
            all.push((format!("key of person {number}"), pair.own.bytes().to_vec()));
            all.extend(pair.identity.map(|key| (format!("key of identity {number}"), key.bytes().to_vec())));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Realm;
    use crate::domain::site::SiteFacts;
    use crate::domain::time::Timestamp;
    use crate::secret::Passphrase;
    use crate::vault::KdfCost;

    const NOW: Timestamp = Timestamp::from_ms(1_795_276_800_000);

    /// A vault is moved (into the desk, into a closure, to another thread): each move copies its own bytes and wipes none of them.
    #[test]
    #[allow(unsafe_code, reason = "the bytes of a value can be looked at no other way")]
    fn no_key_lies_in_the_value_itself_which_every_move_copies() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
        let passphrase = || Passphrase::new("a long enough one".into());
        let made = Vault::create(folder.path(), Realm::Real, "前台", &passphrase(), &SiteFacts::default(), NOW, cost)?;
        drop(made);
        let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW)?;
        let keys = vault.keys_for_a_test()?;
        assert!(keys.len() >= 6, "{}", keys.len());
        let start = std::ptr::from_ref(&vault).cast::<u8>();
        let bytes: Vec<u8> = (0..size_of::<Vault>())
            // SAFETY: within one live value; a byte of padding is read as whatever it is, and only compared.
            .map(|at| unsafe { start.add(at).read_volatile() })
            .collect();
        for (name, key) in keys {
            assert!(!bytes.windows(16).any(|window| key.windows(16).any(|part| part == window)), "{name}");
        }
        Ok(())
    }
}
