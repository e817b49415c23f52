//! Tests that need to reach into the files: an attacker with the key, a full file, the settings in force.

use crate::domain::Realm;
use crate::domain::id::ResidentId;
use crate::domain::resident::{AgeBand, ResidentDraft};
use crate::domain::site::SiteFacts;
use crate::domain::time::Timestamp;
use crate::secret::{Passphrase, random_bytes};

use super::{KdfCost, Vault, VaultError};

pub(super) const NOW: Timestamp = Timestamp::from_ms(1_795_276_800_000);

pub(super) fn new_vault() -> Result<(tempfile::TempDir, Vault), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
    let passphrase = Passphrase::new("a long enough one".into());
    let vault = Vault::create(folder.path(), Realm::Real, "前台", &passphrase, &SiteFacts::default(), NOW, cost)?;
    Ok((folder, vault))
}

pub(super) fn add_resident(vault: &mut Vault) -> Result<ResidentId, VaultError> {
    let end = NOW.date().plus_days(300);
    let draft = ResidentDraft::parse(None, "王小明", "3-1201", AgeBand::Adult, None, end, NOW);
    vault.record_resident(&draft.map_err(|_| VaultError::Unknown)?, ResidentId::from_bytes(random_bytes()), NOW)
}

#[test]
fn a_new_vault_is_not_indexed_anew_at_its_first_unlock() -> Result<(), Box<dyn std::error::Error>> {
    let (folder, mut vault) = new_vault()?;
    add_resident(&mut vault)?;
    let indexed = |vault: &Vault| -> Result<i64, VaultError> {
        Ok(vault.main.query_row("SELECT count(*) FROM resident_surnames", [], |row| row.get(0))?)
    };
    assert!(indexed(&vault)? > 0);
    vault.main.execute("DELETE FROM resident_surnames", [])?;
    vault.lock(NOW)?;
    let passphrase = Passphrase::new("a long enough one".into());
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase, NOW)?;
    assert_eq!(indexed(&vault)?, 0, "what is there is of today's form");
    Ok(())
}

#[test]
fn rows_that_an_earlier_version_left_for_a_gate_out_of_use_are_settled_at_the_next_unlock()
-> Result<(), Box<dyn std::error::Error>> {
    let (folder, vault) = new_vault()?;
    vault.main.execute_batch(
        "INSERT INTO gates (id, shown_name, place, capture_area, other_way, why_needed, address, tls_pin, seal_key, sign_key,
             takes_faces, paired_at, retired_at)
         SELECT column1, '', '', '', '', '', '', zeroblob(32), zeroblob(32), zeroblob(32), 1, 0, column2
         FROM (VALUES (zeroblob(16), 1), (x'0102030405060708090a0b0c0d0e0f10', 1), (x'1102030405060708090a0b0c0d0e0f10', NULL));
         INSERT INTO unpairings (op, gate, asked_at, settled_at) VALUES (randomblob(16), zeroblob(16), 1, 2),
             (randomblob(16), x'0102030405060708090a0b0c0d0e0f10', 1, NULL);
         INSERT INTO outbox (op, gate, rank, kind, link, state, attempts, not_before, queued_at, reason)
         SELECT randomblob(16), id, 0, kind, CASE kind WHEN 'erase' THEN randomblob(16) END, state, 7, 0, 0, 'already expired'
         FROM gates, (SELECT column1 AS kind, column2 AS state FROM (VALUES ('erase', 'pending'), ('erase', 'wedged'),
             ('stop', 'wedged'), ('resume', 'wedged'), ('resume', 'pending')));",
    )?;
    vault.lock(NOW)?;
    let vault = Vault::unlock(folder.path(), Realm::Real, &Passphrase::new("a long enough one".into()), NOW)?;
    let states = |vault: &Vault, gate: &str| -> Result<Vec<String>, VaultError> {
        let sql = format!("SELECT kind || ' ' || state FROM outbox WHERE gate = {gate} ORDER BY sequence");
        let mut statement = vault.main.prepare(&sql)?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    };
    let all = "superseded";
    let ended = ["erase", "erase", "stop", "resume", "resume"].map(|kind| format!("{kind} {all}"));
    assert_eq!(states(&vault, "zeroblob(16)")?, ended, "it has forgotten this station");
    let met = ["erase pending", "erase pending", "stop pending", "resume superseded", "resume superseded"];
    assert_eq!(states(&vault, "x'0102030405060708090a0b0c0d0e0f10'")?, met, "it may be met and erased yet");
    let used = ["erase pending", "erase wedged", "stop wedged", "resume wedged", "resume pending"];
    assert_eq!(states(&vault, "x'1102030405060708090a0b0c0d0e0f10'")?, used, "a gate in use is none of this");
    let log = vault.log_records(0, 100)?;
    let labels: Vec<_> =
        log.iter().filter(|r| r.what == "gate-retired").map(|r| (r.who.as_str(), r.label.as_deref())).collect();
    assert_eq!(labels, [("station", Some("settled:5")), ("station", Some("settled:2"))]);
    let wedged: u32 = vault.queue_counts()?.iter().map(|count| count.wedged).sum();
    assert_eq!((wedged, vault.wedged()?.len()), (3, 2), "those of the gate in use");
    vault.lock(NOW)?;
    let vault = Vault::unlock(folder.path(), Realm::Real, &Passphrase::new("a long enough one".into()), NOW)?;
    assert_eq!(vault.log_records(0, 100)?.iter().filter(|r| r.what == "gate-retired").count(), 2, "once");
    assert!(vault.audit()?.is_sound());
    Ok(())
}

#[test]
fn cs1_an_edited_record_is_named() -> Result<(), Box<dyn std::error::Error>> {
    let (_folder, mut vault) = new_vault()?;
    for _ in 0..9 {
        add_resident(&mut vault)?;
    }
    assert!(vault.audit()?.is_sound());
    // The program itself cannot edit; an attacker with the key first removes what forbids it.
    assert!(vault.main.execute("UPDATE log SET record = x'00' WHERE n = 5", []).is_err());
    assert!(vault.main.execute("DELETE FROM log WHERE n = 5", []).is_err());
    vault.main.execute_batch("DROP TRIGGER log_stays; DROP TRIGGER log_keeps; DROP TRIGGER log_nodes_stay;")?;

    let record: Vec<u8> = vault.main.query_row("SELECT record FROM log WHERE n = 5", [], |row| row.get(0))?;
    let forged = String::from_utf8(record)?.replace("resident-recorded", "resident-opened");
    vault.main.execute("UPDATE log SET record = ?1 WHERE n = 5", [forged.as_bytes()])?;
    let report = vault.audit()?;
    assert_eq!((report.is_sound(), &report.edited[..]), (false, &[5][..]));
    Ok(())
}

#[test]
fn cs1_a_record_edited_together_with_its_tree_breaks_the_signed_head() -> Result<(), Box<dyn std::error::Error>> {
    let (_folder, mut vault) = new_vault()?;
    for _ in 0..5 {
        add_resident(&mut vault)?;
    }
    let work = vault.begin()?;
    vault.keep_head(&work)?;
    work.commit()?;
    vault.main.execute_batch("DROP TRIGGER log_stays; DROP TRIGGER log_nodes_stay;")?;
    let record: Vec<u8> = vault.main.query_row("SELECT record FROM log WHERE n = 3", [], |row| row.get(0))?;
    let forged = String::from_utf8(record)?.replace("resident-recorded", "resident-opened");
    vault.main.execute("UPDATE log SET record = ?1 WHERE n = 3", [forged.as_bytes()])?;
    let leaf = tlog_tiles::record_hash(forged.as_bytes()).0;
    let i = i64::try_from(tlog_tiles::stored_hash_index(0, 3))?;
    vault.main.execute("UPDATE log_nodes SET hash = ?2 WHERE i = ?1", rusqlite::params![i, leaf])?;
    assert_eq!(vault.audit()?.heads_broken, [7]);
    Ok(())
}

#[test]
fn cs1_records_cut_from_the_end_or_the_middle_are_missed() -> Result<(), Box<dyn std::error::Error>> {
    let (_folder, mut vault) = new_vault()?;
    for _ in 0..6 {
        add_resident(&mut vault)?;
    }
    vault.main.execute_batch("DROP TRIGGER log_keeps; DELETE FROM log WHERE n IN (3, 7);")?;
    let report = vault.audit()?;
    assert_eq!((report.is_sound(), &report.missing[..]), (false, &[3, 7][..]));
    Ok(())
}

#[test]
fn a_file_that_cannot_grow_is_told_as_full_and_nothing_is_half_written() -> Result<(), Box<dyn std::error::Error>> {
    let (_folder, mut vault) = new_vault()?;
    let pages: i64 = vault.main.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    vault.main.query_row(&format!("PRAGMA max_page_count = {}", pages + 3), [], |row| row.get::<_, i64>(0))?;
    let mut count = 0;
    let error = loop {
        match add_resident(&mut vault) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, VaultError::DiskFull);
    let kept: i64 = vault.main.query_row("SELECT count(*) FROM residents", [], |row| row.get(0))?;
    assert_eq!(kept, count);
    let logged = vault.log_records(0, 10_000)?.iter().filter(|r| r.what == "resident-recorded").count();
    assert_eq!(i64::try_from(logged)?, count, "the row and its log entry stand or fall together");
    assert!(vault.audit()?.is_sound());
    Ok(())
}

#[test]
fn the_settings_are_in_force_on_both_connections() -> Result<(), Box<dyn std::error::Error>> {
    let (_folder, vault) = new_vault()?;
    let second = vault.second_connection()?;
    for connection in [&vault.main, &*vault.people_keys, &second.main, &*second.people_keys] {
        let number = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
        let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        assert_eq!(journal, "wal");
        assert_eq!((number("synchronous")?, number("secure_delete")?, number("foreign_keys")?), (2, 1, 1));
        let cipher: String = connection.query_row("PRAGMA cipher_version", [], |row| row.get(0))?;
        assert!(cipher.starts_with("4."), "{cipher}");
    }
    Ok(())
}

#[test]
fn a_row_moved_to_another_person_does_not_open() -> Result<(), Box<dyn std::error::Error>> {
    let (_folder, mut vault) = new_vault()?;
    let (one, two) = (add_resident(&mut vault)?, add_resident(&mut vault)?);
    let sql = "UPDATE residents SET name = (SELECT name FROM residents WHERE id = ?1) WHERE id = ?2";
    vault.main.execute(sql, [one.bytes(), two.bytes()])?;
    assert!(vault.read_resident(&vault.main, one).is_ok());
    assert_eq!(vault.read_resident(&vault.main, two), Err(VaultError::corrupt("vault.db")));
    vault.people_keys.execute("DELETE FROM person_keys WHERE resident = ?1", [one.bytes()])?;
    assert_eq!(
        vault.read_resident(&vault.main, one),
        Err(VaultError::corrupt("keys.db")),
        "without the key nobody reads it"
    );
    Ok(())
}

#[test]
fn a_newer_file_is_not_opened() -> Result<(), Box<dyn std::error::Error>> {
    let (folder, vault) = new_vault()?;
    vault.main.execute_batch("PRAGMA user_version = 99")?;
    drop(vault);
    let passphrase = Passphrase::new("a long enough one".into());
    let error = Vault::unlock(folder.path(), Realm::Real, &passphrase, NOW).err();
    assert_eq!(error, Some(VaultError::TooNew { file: "vault.db".into() }));
    Ok(())
}

#[test]
fn p69_without_the_signature_key_nothing_opens_and_no_other_key_takes_its_place()
-> Result<(), Box<dyn std::error::Error>> {
    for damage in ["DELETE FROM station", "UPDATE station SET value = x'00'"] {
        let (folder, mut vault) = new_vault()?;
        add_resident(&mut vault)?;
        vault.main.execute(&format!("{damage} WHERE name = 'evidence-key'"), [])?;
        drop(vault);
        for _ in 0..2 {
            let opened = Vault::unlock(folder.path(), Realm::Real, &Passphrase::new("a long enough one".into()), NOW);
            assert_eq!(opened.err(), Some(VaultError::Corrupt { file: "vault.db".into() }), "{damage}");
        }
    }
    Ok(())
}

#[test]
fn a_slot_that_is_too_cheap_is_wrapped_anew_under_the_same_passphrase_only() -> Result<(), Box<dyn std::error::Error>> {
    let (folder, mut vault) = new_vault()?;
    let (right, wrong) = (Passphrase::new("a long enough one".into()), Passphrase::new("a wrong enough one".into()));
    let read = || std::fs::read(folder.path().join("slots"));
    let dearer = KdfCost { memory_kib: 128, passes: 2, lanes: 1 };
    let before = read()?;
    assert!(vault.raise_cost(&wrong, dearer).is_err());
    assert_eq!(vault.raise_cost(&right, KdfCost { passes: 0, ..dearer }).err(), Some(VaultError::CostWrong));
    assert_eq!(read()?, before, "the slot stays as it was");
    assert_eq!(vault.raise_cost(&right, dearer), Ok(true));
    let text = String::from_utf8(read()?)?;
    assert!(text.contains("\"memory_kib\": 128") && text.contains("\"passes\": 2"), "{text}");
    assert_eq!(vault.raise_cost(&right, dearer), Ok(false));
    let cheaper = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
    assert_eq!(vault.raise_cost(&right, cheaper), Ok(false), "never down");
    drop(vault);
    // Backups, accounts and the recovery key follow the slot of whoever makes them.
    let mut vault = Vault::unlock(folder.path(), Realm::Real, &right, NOW)?;
    vault.make_recovery_key(None, NOW)?;
    assert_eq!(String::from_utf8(read()?)?.matches("\"memory_kib\": 128").count(), 4, "two slots, each with its pair");
    assert!(Vault::unlock(folder.path(), Realm::Real, &wrong, NOW.plus_ms(1)).is_err());
    Ok(())
}

/// A first sync queues a card for each of a hundred thousand people: none may cost a look through the others.
#[test]
fn queueing_a_card_looks_at_rows_of_that_card_only() -> Result<(), Box<dyn std::error::Error>> {
    let (_folder, vault) = new_vault()?;
    let sql = format!("EXPLAIN QUERY PLAN {}", super::outbox::SUPERSEDE_CARD);
    let mut read = vault.main.prepare(&sql)?;
    let plan: Vec<String> = read.query_map([0i64; 3], |row| row.get(3))?.collect::<Result<_, _>>()?;
    assert!(plan.len() > 2, "{plan:?}");
    assert!(!plan.iter().any(|step| step.contains("SCAN") || step.contains("outbox_queue")), "{plan:?}");
    Ok(())
}
