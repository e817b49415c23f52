//! A vault of every shape that was ever released is opened and brought to the present one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use menka::domain::Realm;
use menka::domain::consent::EraseReason;
use menka::domain::id::{OpId, ResidentId};
use menka::secret::random_bytes;
use menka::vault::Vault;
use sha2::{Digest, Sha256};

use super::site::*;

/// Every shape that was released: the folder with a copy, and how many migrations `vault.db` and `keys.db` had. The last row is the shape that
/// the pinned migrations make.
const RELEASED: &[(&str, usize, usize)] = &[("vault-0008", 8, 1), ("vault-0014", 14, 2), ("vault-0018", 18, 2)];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn no_released_migration_was_changed_and_every_released_shape_has_a_copy() {
    let pins = std::fs::read_to_string(root().join("tests/data/migrations.txt")).unwrap();
    let pins: BTreeMap<&str, &str> = pins.lines().filter_map(|line| line.split_once(' ')).collect();
    for (file, digest) in &pins {
        let bytes = std::fs::read(root().join("src/vault/migrations").join(file));
        let bytes = bytes.unwrap_or_else(|error| panic!("{file} was released and is gone: {error}"));
        let now: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(now, **digest, "{file} was released and is never edited: write another migration");
    }
    let count = |folder: &str| pins.keys().filter(|file| file.starts_with(folder)).count();
    let last = RELEASED.last().map(|(_, vault, keys)| (*vault, *keys));
    assert_eq!(last, Some((count("vault/"), count("keys/"))), "a released shape has a row, and a copy");
    for (folder, at_most) in [("vault/", count("vault/")), ("keys/", count("keys/"))] {
        let files = std::fs::read_dir(root().join("src/vault/migrations").join(folder)).unwrap().flatten();
        let mut names: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        for (number, name) in (1..).zip(&names) {
            assert!(name.starts_with(&format!("{number:04}_")), "{folder}{name}: numbered without a gap");
            let pinned = pins.contains_key(format!("{folder}{name}").as_str());
            assert_eq!(pinned, number <= at_most, "{folder}{name}: pinned are the released ones, in their order");
        }
    }
    for (shape, ..) in RELEASED {
        for file in ["vault.db", "keys.db", "slots"] {
            let kept = root().join("tests/data").join(shape).join(file);
            assert!(kept.metadata().is_ok_and(|found| found.len() > 0), "{shape} was released and has no {file}");
        }
    }
}

/// Writes a vault of the present shape into the folder named by `MENKA_SHAPE_INTO`, to be kept when that shape is released; without it,
/// nothing. Everybody in it is invented.
#[test]
fn a_vault_of_the_present_shape_to_be_kept() {
    let Some(into) = std::env::var_os("MENKA_SHAPE_INTO").map(PathBuf::from) else { return };
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let stays = reader(&mut vault, "诸葛暖暖", "1-101", 1, &[east]);
    let granted = stays.consent(&mut vault, &[east]).unwrap();
    vault.record_face_sent(&granted, east, (OpId::from_bytes(random_bytes()), [6; 32]), NOW.plus_ms(31_000)).unwrap();
    vault.record_face_held(&granted, east, [5; 32], &random_bytes::<40>(), NOW.plus_ms(31_000)).unwrap();
    let goes = reader(&mut vault, "司马元元", "2-202", 2, &[east]);
    let granted = goes.consent(&mut vault, &[east]).unwrap();
    vault.record_face_sent(&granted, east, (OpId::from_bytes(random_bytes()), [6; 32]), NOW.plus_ms(31_000)).unwrap();
    vault.record_face_held(&granted, east, [5; 32], &random_bytes::<40>(), NOW.plus_ms(31_000)).unwrap();
    vault.end_consent(goes.resident, EraseReason::Withdrawn, NOW.plus_ms(32_000)).unwrap();
    while let Some(delivery) = vault.next_due(east, NOW.plus_ms(33_000)).unwrap() {
        vault.record_delivered(delivery.op, east, b"signed", NOW.plus_ms(33_000)).unwrap();
    }
    let consent = vault.endings_of(goes.resident).unwrap().remove(0).consent;
    vault.certificate(consent, NOW.plus_ms(34_000)).unwrap();
    // One that waits.
    reader(&mut vault, "上官多多", "3-303", 3, &[east]);
    vault.make_recovery_key(None, NOW.plus_ms(35_000)).unwrap();
    vault.record_recovery_key_kept().unwrap();
    vault.make_backup_key(None, NOW.plus_ms(35_000)).unwrap();
    vault.record_backup_key_kept(NOW.plus_ms(35_000)).unwrap();
    vault.epoch_note().unwrap();
    vault.lock(NOW.plus_ms(36_000)).unwrap();
    std::fs::create_dir_all(&into).unwrap();
    for (name, bytes) in all_bytes(&folder).into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        std::fs::write(into.join(name), bytes).unwrap();
    }
}

/// The one person of this surname in this flat.
fn person(vault: &Vault, number: u32, search: &str) -> ResidentId {
    let found = vault.find(search).unwrap();
    assert_eq!(found.rows.len(), 1, "{search}");
    let resident = vault.resident_by_card(&uid(number)).unwrap().unwrap_or_else(|| panic!("{search}: no card"));
    assert_eq!(vault.current_card(resident).unwrap().map(|card| card.uid), Some(uid(number)), "{search}");
    resident
}

#[test]
fn vaults_of_the_shapes_14_and_18_open_with_consents_and_cards() {
    for shape in ["vault-0014", "vault-0018"] {
        opens_with_consents_and_cards(shape);
    }
}

fn opens_with_consents_and_cards(shape: &str) {
    let folder = kept(shape);
    let later = NOW.plus_ms(3_600_000);
    for _ in 0..2 {
        let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), later).unwrap();
        assert!(vault.audit().unwrap().is_sound() && vault.start_check().sound && vault.keys_are_current().unwrap());
        assert!(!vault.is_bound().unwrap() && vault.check_rotation().is_ok());
        assert!(
            folder.path().join("epoch.key").exists() && !vault.keys_file_has_own_key(),
            "until the keys are changed"
        );
        let [stays, goes, waits] = [(1, "诸葛 1-101"), (2, "司马 2-202"), (3, "上官 3-303")]
            .map(|(number, search)| person(&vault, number, search));
        // A consent in force, with its words and its signature, and the gate that holds the face.
        let consent = vault.current_consent(stays).unwrap().expect("the consent is in force");
        assert!(vault.granted_now(stays, later).unwrap().is_some());
        assert!(vault.consent_signature(consent.consent).is_ok());
        // One that ended, and that the gate was not yet asked about again.
        assert!(vault.current_consent(goes).unwrap().is_none());
        let ended = vault.endings_of(goes).unwrap();
        assert_eq!((ended.len(), ended[0].pending.len(), ended[0].reason.as_str()), (1, 1, "withdrawn"));
        assert!(vault.current_consent(waits).unwrap().is_none());
    }
}

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
    // Everybody's card, and an operation for the one gate that waits for each.
    let east = vault.gates().unwrap().remove(0);
    assert_eq!((east.name.as_str(), vault.gates().unwrap().len()), ("东门", 1));
    let mut cards = 0;
    for row in &found.rows {
        if let Some(card) = vault.current_card(row.id).unwrap() {
            assert_eq!(vault.resident_by_card(&card.uid).unwrap(), Some(row.id));
            assert!(vault.current_consent(row.id).unwrap().is_none(), "nobody had consented");
            cards += 1;
        }
    }
    assert!(cards > 0);
    assert!(vault.queue_counts().unwrap()[0].pending as usize >= cards, "of everybody, also beyond the first rows");
    assert!(vault.next_due(east.id, later).unwrap().is_some());
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

#[test]
fn new_keys_give_an_earlier_vault_a_key_of_its_own_for_the_file_of_keys() {
    let folder = kept("vault-0018");
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(3_600_000)).unwrap();
    let (vault, second) = with_second_supervisor(&folder, vault);
    assert!(!vault.keys_file_has_own_key());
    drop(vault);
    super::keep::rotate(folder.path(), second, NOW.plus_ms(3_700_000)).unwrap();
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(3_800_000)).unwrap();
    assert!(vault.keys_file_has_own_key() && vault.audit().unwrap().is_sound());
    for (number, search) in [(1, "诸葛 1-101"), (2, "司马 2-202"), (3, "上官 3-303")] {
        person(&vault, number, search);
    }
}
