//! A vault of every shape that was ever released is opened and brought to the present one.

use std::path::Path;

use menka::domain::Realm;
use menka::vault::Vault;

use super::site::*;

fn kept(shape: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(shape);
    for entry in std::fs::read_dir(from).unwrap().flatten().filter(|entry| entry.file_name() != "README.md") {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

#[test]
fn a_vault_of_shape_8_opens_with_everybody_in_it_and_takes_part_in_backups_and_new_keys() {
    let folder = kept("vault-0008");
    let later = NOW.plus_ms(3_600_000);
    let open = || Vault::unlock(folder.path(), Realm::Real, &passphrase(), later).unwrap();
    let vault = open();
    assert!(vault.audit().unwrap().is_sound());
    let found = vault.find("王 3-1201").unwrap();
    assert!(!found.rows.is_empty());
    assert!(found.rows.iter().all(|row| row.masked_name == "王**"));
    // Found by the sound of the surname too, which that shape did not know.
    assert_eq!(vault.find("wang 3-1201").unwrap().rows.len(), found.rows.len());
    assert!(vault.check_rotation().is_ok(), "the slot got its pair of keys at this unlock");
    drop(vault);
    // And once more, as the shape that it is now.
    let mut vault = open();
    let before = vault.epoch_note().unwrap();
    resident(&mut vault, "赵小红", "8-808");
    assert_eq!(vault.epoch_note().unwrap().number, before.number, "somebody new changes nothing for the gates");
    assert!(vault.audit().unwrap().is_sound());
}
