//! Passphrases, realms, damaged and full disks, and what can be read from the files without a key.

use std::path::Path;
use std::process::Command;

use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::resident::{AgeBand, ResidentDraft};
use menka::domain::role::LookWhy;
use menka::secret::{Passphrase, random_bytes};
use menka::vault::{FILES, KdfCost, OpenWhy, Vault, VaultError, VaultState};

use super::site::*;

fn wrong() -> Passphrase {
    Passphrase::new("not the passphrase".into())
}

#[test]
fn a_wrong_passphrase_is_counted_across_restarts() {
    let (folder, vault) = new_vault(Realm::Real);
    drop(vault);
    let try_at = |ms: i64| Vault::unlock(folder.path(), Realm::Real, &wrong(), NOW.plus_ms(ms)).unwrap_err();
    // Every call reads the count from the disk, as a restarted program would.
    assert_eq!(try_at(0), VaultError::WrongPassphrase { wait_ms: 0 });
    assert_eq!(try_at(1), VaultError::WrongPassphrase { wait_ms: 0 });
    assert_eq!(try_at(2), VaultError::WrongPassphrase { wait_ms: 1_000 });
    assert_eq!(try_at(3), VaultError::TooSoon { wait_ms: 999 });
    let locked = VaultState::Locked { realm: Realm::Real, wait_ms: 500 };
    assert_eq!(Vault::state(folder.path(), NOW.plus_ms(502)), Ok(locked));
    assert_eq!(try_at(1_002), VaultError::WrongPassphrase { wait_ms: 2_000 });
    // The right one has to wait as well, or the pause would tell the two apart.
    let early = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(1_003)).unwrap_err();
    assert_eq!(early, VaultError::TooSoon { wait_ms: 1_999 });
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(3_002)).unwrap();
    let refused = vault.log_records(0, 100).unwrap().iter().filter(|r| r.what == "unlock-refused").count();
    assert_eq!(refused, 4);
    drop(vault);
    assert_eq!(try_at(4_000), VaultError::WrongPassphrase { wait_ms: 0 }, "the right one starts the count again");
}

#[test]
fn a_clock_set_back_cannot_lock_the_desk_for_years() {
    let (folder, vault) = new_vault(Realm::Real);
    drop(vault);
    let year = 365 * 86_400_000;
    for _ in 0..3 {
        let _ = Vault::unlock(folder.path(), Realm::Real, &wrong(), NOW.plus_ms(year)).unwrap_err();
    }
    let open = |ms| Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(ms));
    assert_eq!(open(0).unwrap_err(), VaultError::TooSoon { wait_ms: 1_000 });
    assert!(open(1_000).is_ok());
}

#[test]
fn real_and_practice_do_not_open_each_other() {
    for (made, asked) in [(Realm::Real, Realm::Practice), (Realm::Practice, Realm::Real)] {
        let (folder, vault) = new_vault(made);
        drop(vault);
        assert_eq!(unlock(&folder, asked).unwrap_err(), VaultError::OtherRealm);
        // It is told from the header alone: no try was counted.
        assert_eq!(Vault::state(folder.path(), NOW), Ok(VaultState::Locked { realm: made, wait_ms: 0 }));

        // Somebody edits the header: the key inside does not open under another one.
        let slots = folder.path().join("slots");
        let text = std::fs::read_to_string(&slots).unwrap();
        let (from, to) = (format!("\"{}\"", made.label()), format!("\"{}\"", asked.label()));
        assert!(text.contains(&from));
        let edited = text.replace(&from, &to);
        std::fs::write(&slots, &edited).unwrap();
        assert_eq!(unlock(&folder, asked).unwrap_err(), VaultError::SlotDamaged);
        let without: Vec<&str> = edited.lines().filter(|line| !line.contains("\"check\"")).collect();
        std::fs::write(&slots, without.join("\n")).unwrap();
        assert_eq!(unlock(&folder, asked).unwrap_err(), VaultError::WrongPassphrase { wait_ms: 0 });
    }
}

#[test]
fn a_vault_is_made_once_with_a_long_passphrase_and_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Vault::state(folder.path(), NOW), Ok(VaultState::Absent));
    assert_eq!(unlock(&folder, Realm::Real).unwrap_err(), VaultError::Absent);
    let create = |passphrase: &Passphrase, cost| {
        Vault::create(folder.path(), Realm::Real, "前台", passphrase, &facts(), NOW, cost)
    };
    assert_eq!(create(&Passphrase::new("短口令".into()), CHEAP).unwrap_err(), VaultError::PassphraseTooShort);
    let absurd = KdfCost { memory_kib: u32::MAX, ..CHEAP };
    assert_eq!(create(&passphrase(), absurd).unwrap_err(), VaultError::CostWrong);
    let vault = create(&passphrase(), CHEAP).unwrap();
    assert_eq!(create(&passphrase(), CHEAP).unwrap_err(), VaultError::InUse);
    assert_eq!(unlock(&folder, Realm::Real).unwrap_err(), VaultError::InUse);
    let second = vault.second_connection().unwrap();
    drop(vault);
    assert_eq!(unlock(&folder, Realm::Real).unwrap_err(), VaultError::InUse, "the courier still holds it");
    drop(second);
    assert_eq!(create(&passphrase(), CHEAP).unwrap_err(), VaultError::AlreadyThere);
    assert!(unlock(&folder, Realm::Real).is_ok());
}

#[test]
fn the_real_cost_of_the_derivation_opens_too() {
    let folder = tempfile::tempdir().unwrap();
    let cost = KdfCost::default();
    assert_eq!((cost.memory_kib, cost.passes, cost.lanes), (65_536, 3, 1));
    drop(Vault::create(folder.path(), Realm::Real, "前台", &passphrase(), &facts(), NOW, cost).unwrap());
    assert!(unlock(&folder, Realm::Real).is_ok());
}

#[test]
fn a_first_run_that_broke_off_leaves_no_vault_and_destroys_nothing() {
    let (folder, vault) = new_vault(Realm::Real);
    drop(vault);
    std::fs::remove_file(folder.path().join("slots")).unwrap();
    assert_eq!(Vault::state(folder.path(), NOW), Ok(VaultState::Absent));
    drop(Vault::create(folder.path(), Realm::Real, "前台", &passphrase(), &facts(), NOW, CHEAP).unwrap());
    let names: Vec<String> = all_bytes(&folder).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().any(|name| name.starts_with("vault.db.orphan-")), "{names:?}");
    assert!(unlock(&folder, Realm::Real).is_ok());
}

#[cfg(unix)]
#[test]
fn the_files_are_for_this_account_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, mut vault) = new_vault(Realm::Real);
    resident(&mut vault, "王小明", "3-1201");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path()), 0o700);
    let names: Vec<String> = all_bytes(&folder).into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"vault.db-wal".into()), "{names:?}");
    for name in &names {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
}

// Shows: F14a
#[test]
fn nothing_of_a_person_can_be_read_from_the_files() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "欧阳锋Needleman", "77-NEEDLE-88", 0x4EED_1E42, &[east]);
    let _ = reader.consent(&mut vault, &[east]).unwrap();
    let needles: Vec<Vec<u8>> =
        ["欧阳锋Needleman", "Needleman", "77-NEEDLE-88", "4EED1E42", "4eed1e42", "前台小李", "SQLite format"]
            .into_iter()
            .flat_map(|text| {
                let wide: Vec<u16> = text.encode_utf16().collect();
                let le = wide.iter().flat_map(|unit| unit.to_le_bytes()).collect();
                let be = wide.iter().flat_map(|unit| unit.to_be_bytes()).collect();
                [text.as_bytes().to_vec(), le, be]
            })
            .chain([0x4EED_1E42u32.to_be_bytes().to_vec()])
            .collect();
    let clean = |when: &str| {
        for (name, bytes) in all_bytes(&folder) {
            for needle in &needles {
                // Four bytes meet by chance in some megabytes once in a thousand runs; nothing longer does.
                // The lock screen shows who may unlock: names of staff are in the slots file, and nowhere else.
                let staff = name == "slots" && needle == "前台小李".as_bytes();
                assert!(staff || !contains(&bytes, needle), "{when}: {needle:?} in {name}");
            }
        }
    };
    clean("open, with a write-ahead log");
    drop(vault);
    clean("closed");
    assert!(unlock(&folder, Realm::Real).unwrap().find("77-needle-88").unwrap().rows.len() == 1, "and yet it is found");
}

#[test]
fn a_damaged_file_is_named_and_nothing_panics() {
    for file in FILES {
        type Damage = fn(&mut Vec<u8>);
        let damages: [(&str, Damage); 6] = [
            ("cut in half", |bytes| bytes.truncate(bytes.len() / 2)),
            ("cut by a byte", |bytes| bytes.truncate(bytes.len() - 1)),
            ("emptied", Vec::clear),
            ("one bit changed in the middle", |bytes| {
                let at = bytes.len() / 2;
                bytes[at] ^= 1;
            }),
            ("overwritten", |bytes| bytes.fill(0xAA)),
            ("overwritten with zeros", |bytes| bytes.fill(0)),
        ];
        for (what, damage) in damages {
            let (folder, mut vault) = new_vault(Realm::Real);
            for number in 0..20 {
                resident(&mut vault, &format!("赵{number}"), "5-501");
            }
            drop(vault);
            let path = folder.path().join(file);
            let mut bytes = std::fs::read(&path).unwrap();
            damage(&mut bytes);
            std::fs::write(&path, &bytes).unwrap();
            let error = unlock(&folder, Realm::Real).unwrap_err();
            let bit_in_slots = file == "slots" && what.starts_with("one bit");
            if bit_in_slots {
                // A digit of the salt or of the wrapped key, or what makes the file one.
                let either = [VaultError::SlotDamaged, VaultError::Corrupt { file: file.into() }];
                assert!(either.contains(&error), "{file} {what}: {error:?}");
            } else {
                assert_eq!(error, VaultError::Corrupt { file: file.into() }, "{file} {what}");
            }
        }
        let (folder, vault) = new_vault(Realm::Real);
        drop(vault);
        std::fs::remove_file(folder.path().join(file)).unwrap();
        let gone = if file == "slots" { VaultError::Absent } else { VaultError::Corrupt { file: file.into() } };
        assert_eq!(unlock(&folder, Realm::Real).unwrap_err(), gone);
    }
}

#[test]
fn a_file_of_another_vault_is_refused() {
    let (mine, vault) = new_vault(Realm::Real);
    drop(vault);
    let (other, vault) = new_vault(Realm::Real);
    drop(vault);
    for file in ["keys.db", "vault.db", "epoch.key"] {
        let own = std::fs::read(mine.path().join(file)).unwrap();
        std::fs::copy(other.path().join(file), mine.path().join(file)).unwrap();
        assert_eq!(unlock(&mine, Realm::Real).unwrap_err(), VaultError::Corrupt { file: file.into() });
        std::fs::write(mine.path().join(file), own).unwrap();
    }
    assert!(unlock(&mine, Realm::Real).is_ok());
}

#[test]
fn a_damaged_count_of_tries_wins_nothing() {
    let (folder, vault) = new_vault(Realm::Real);
    drop(vault);
    std::fs::write(folder.path().join("attempts"), b"\xff\xff").unwrap();
    assert!(matches!(unlock(&folder, Realm::Real), Err(VaultError::TooSoon { wait_ms: 8_000 })));
    // The pause runs from then on, and ends.
    let right = passphrase();
    let soon = Vault::unlock(folder.path(), Realm::Real, &right, NOW.plus_ms(3_000));
    assert!(matches!(soon, Err(VaultError::TooSoon { wait_ms: 5_000 })));
    assert!(Vault::unlock(folder.path(), Realm::Real, &right, NOW.plus_ms(8_000)).is_ok());
}

#[test]
fn names_of_one_and_two_hundred_rare_characters_are_kept() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let names =
        ["𠮷".to_owned(), "㛃".repeat(200), "𪚥𠀀𫝀".into(), "买买提·艾力".into(), "O'Brien-Łukasiewicz".into()];
    let ids: Vec<ResidentId> = names.iter().map(|name| resident(&mut vault, name, "1-101")).collect();
    drop(vault);
    let mut vault = unlock(&folder, Realm::Real).unwrap();
    for (id, name) in ids.iter().zip(&names) {
        assert_eq!(vault.open_resident(*id, OpenWhy::Staff(LookWhy::Here), NOW).unwrap().name.as_str(), name);
    }
    assert_eq!(vault.find("1-101").unwrap().rows.len(), names.len());
    assert_eq!(vault.find("𠮷 1-101").unwrap().rows[0].id, ids[0]);

    // A change keeps the id and forgets the old name.
    let change = ResidentDraft::parse(Some(ids[0]), "张三", "2-202", AgeBand::Adult, None, last_day(), NOW).unwrap();
    assert_eq!(vault.record_resident(&change, ResidentId::from_bytes(random_bytes()), NOW), Ok(ids[0]));
    assert_eq!(vault.find("𠮷 1-101").unwrap().rows, []);
    assert_eq!(vault.find("张 2-202").unwrap().rows[0].id, ids[0]);
    let fresh = ResidentDraft { id: None, ..change.clone() };
    assert_eq!(vault.record_resident(&fresh, ids[1], NOW), Err(VaultError::IdUsed));
    let nobody = ResidentDraft { id: Some(ResidentId::from_bytes([0xEE; 16])), ..change };
    assert_eq!(vault.record_resident(&nobody, ids[1], NOW), Err(VaultError::Unknown));
}

/// A small disk of its own; `None` where this account may not mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "menka-test"])
            .arg(folder.path())
            .output();
        mounted.is_ok_and(|run| run.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_is_half_written() {
    // Without the right to mount, the vault's own unit test with `max_page_count` stands alone.
    let Some(disk) = SmallDisk::mount("1m") else { return };
    let dir = disk.0.path();
    let mut vault = Vault::create(dir, Realm::Real, "前台", &passphrase(), &facts(), NOW, CHEAP).unwrap();
    let east = gate(&mut vault, "东门");
    let mut written: Vec<(ResidentId, u32)> = vec![];
    let error = loop {
        let number = written.len() as u32 + 1;
        let draft = ResidentDraft::parse(None, "王小明", "3-1201", AgeBand::Adult, None, last_day(), NOW).unwrap();
        let id = ResidentId::from_bytes(random_bytes());
        if let Err(error) = vault.record_resident(&draft, id, NOW) {
            break error;
        }
        match vault.issue_card(id, &uid(number), &[east], last_day(), NOW) {
            Ok(_) => written.push((id, number)),
            Err(error) => break error,
        }
        assert!(number < 50_000, "the disk never filled");
    };
    assert_eq!(error, VaultError::DiskFull);
    assert!(!written.is_empty());
    // Still readable while full, and every acknowledged card is whole.
    let check = |vault: &Vault| {
        for (id, number) in &written {
            assert_eq!(vault.current_card(*id).unwrap().map(|card| card.uid), Some(uid(*number)));
        }
        assert!(vault.audit().unwrap().is_sound());
    };
    check(&vault);
    drop(vault);
    let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(dir).status().unwrap();
    assert!(grown.success());
    let mut vault = Vault::unlock(dir, Realm::Real, &passphrase(), NOW).unwrap();
    check(&vault);
    resident(&mut vault, "李雷", "9-901");
    assert_eq!(vault.find("9-901").unwrap().rows.len(), 1, "and it goes on");
}

#[test]
fn p13_no_file_of_the_schema_has_room_for_a_face() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vault/migrations");
    let mut seen = 0;
    for sub in ["vault", "keys"] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let sql = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let code: String =
                sql.lines().map(|line| line.split("--").next().unwrap_or("").to_lowercase() + "\n").collect();
            for word in [
                "template",
                "envelope",
                "vector",
                "embedding",
                "feature",
                "face ",
                "frame",
                "image",
                "photo",
                "picture",
                "biometric",
            ] {
                assert!(!code.contains(word), "{word} in the schema");
            }
            seen += 1;
        }
    }
    assert!(seen >= 2, "both files have a schema");
}

#[test]
fn a_count_of_tries_of_any_size_and_a_damaged_note_of_a_change_lock_nobody_out() {
    let (folder, vault) = new_vault(Realm::Real);
    drop(vault);
    let dir = folder.path();
    std::fs::write(dir.join("attempts"), vec![b'{'; 20_000]).unwrap();
    // Six wrong tries just now, as of a damaged one: eight seconds.
    let refused = Vault::unlock(dir, Realm::Real, &passphrase(), NOW).unwrap_err();
    assert_eq!(refused, VaultError::TooSoon { wait_ms: 8_000 });
    assert!(std::fs::metadata(dir.join("attempts")).unwrap().len() < 1_000);
    drop(Vault::unlock(dir, Realm::Real, &passphrase(), NOW.plus_ms(8_000)).unwrap());

    for note in [&b"{"[..], &[b' '; 9_000], br#"{"format":1,"old":"somehow"}"#] {
        std::fs::write(dir.join("swap"), note).unwrap();
        assert!(matches!(Vault::state(dir, NOW.plus_ms(9_000)), Ok(VaultState::Locked { .. })));
        assert!(!dir.join("swap").exists(), "put aside");
        drop(Vault::unlock(dir, Realm::Real, &passphrase(), NOW.plus_ms(9_000)).unwrap());
    }

    // The change had begun: the first file is in its place already, under a key of the slots that still wait.
    let (other, vault) = new_vault(Realm::Real);
    drop(vault);
    let next = dir.join("next");
    std::fs::create_dir(&next).unwrap();
    for file in ["keys.db", "epoch.key", "slots"] {
        std::fs::copy(other.path().join(file), next.join(file)).unwrap();
    }
    std::fs::copy(other.path().join("vault.db"), dir.join("vault.db")).unwrap();
    std::fs::write(dir.join("swap"), b"{").unwrap();
    assert!(matches!(Vault::state(dir, NOW.plus_ms(10_000)), Ok(VaultState::Locked { .. })));
    drop(Vault::unlock(dir, Realm::Real, &passphrase(), NOW.plus_ms(10_000)).unwrap());
    let names: Vec<String> = all_bytes(&folder).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().any(|name| name.starts_with("slots.aside-")), "nothing is overwritten: {names:?}");
}

#[test]
fn files_without_slots_are_said_and_go_after_thirty_days() {
    let (folder, vault) = new_vault(Realm::Real);
    drop(vault);
    let dir = folder.path();
    assert!(!Vault::has_data_without_slots(dir));
    std::fs::remove_file(dir.join("slots")).unwrap();
    assert!(Vault::has_data_without_slots(dir));
    let mut vault = Vault::create(dir, Realm::Real, "前台", &passphrase(), &facts(), NOW, CHEAP).unwrap();
    assert!(!Vault::has_data_without_slots(dir));
    let orphans = || all_bytes(&folder).iter().filter(|(name, _)| name.contains(".orphan-")).count();
    let day = 86_400_000;
    vault.run_retention(NOW.plus_ms(29 * day)).unwrap();
    assert!(orphans() >= 2);
    vault.run_retention(NOW.plus_ms(30 * day)).unwrap();
    assert_eq!(orphans(), 0);
}

#[test]
fn the_first_supervisors_name_is_as_short_as_everybodys() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str| Vault::create(folder.path(), Realm::Real, name, &passphrase(), &facts(), NOW, CHEAP).err();
    for name in ["", "  ", &"长".repeat(41), &"x".repeat(60_000), "两\n行"] {
        assert_eq!(made(name), Some(VaultError::NameWrong));
    }
    assert_eq!(Vault::state(folder.path(), NOW), Ok(VaultState::Absent));
    assert_eq!(made(&"长".repeat(40)), None);
}

#[test]
fn a_passphrase_or_a_key_that_could_not_be_written_is_not_logged_as_changed() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let dir = folder.path().to_owned();
    let logged = |vault: &Vault| {
        let records = vault.log_records(0, 1_000).unwrap().into_iter();
        records.filter(|r| ["passphrase-changed", "recovery-key-made"].contains(&r.what.as_str())).count()
    };
    let before = logged(&vault);
    vault.check_own(&passphrase(), NOW).unwrap();
    let slots = std::fs::read(dir.join("slots")).unwrap();
    // The draft of the slots file cannot be written.
    let block = || std::fs::create_dir(dir.join("slots.new")).unwrap();
    block();
    assert!(vault.make_recovery_key(None, NOW).is_err());
    assert_eq!(logged(&vault), before);
    assert_eq!(std::fs::read(dir.join("slots")).unwrap(), slots);
    std::fs::remove_dir(dir.join("slots.new")).unwrap();
    let changed = Passphrase::new("another long enough one".into());
    vault.change_passphrase(&passphrase(), &changed, NOW).unwrap();
    let key = vault.make_recovery_key(None, NOW).unwrap();
    assert_eq!(logged(&vault), before + 2);
    let first = vault.operator().0;
    drop(vault);
    // Nor is the way back by the printed key half done.
    block();
    let refused = Vault::recover(&dir, Realm::Real, &key, first, &passphrase(), NOW.plus_ms(1)).err();
    assert!(refused.is_some());
    std::fs::remove_dir(dir.join("slots.new")).unwrap();
    let vault = Vault::unlock(&dir, Realm::Real, &changed, NOW.plus_ms(2)).unwrap();
    assert!(!vault.log_records(0, 1_000).unwrap().iter().any(|r| r.what == "recovery-key-used"));
}
