//! What is left on the disk of somebody who was erased, tried with the master key in hand, as a thief of the computer and the passphrase has it; and
//! erasures beside the courier's connection.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use crate::domain::Realm;
use crate::domain::audit::Actor;
use crate::domain::card::CardUid;
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::resident::{AgeBand, ResidentDraft};
use crate::secret::Passphrase;

use super::backup::{card_place, names, numbers, sealed_place};
use super::changes::change_place;
use super::database::{self, Opening};
use super::epoch;
use super::epoch_secret::Secrets;
use super::error::{EPOCH_FILE, KEYS_FILE, MAIN_FILE};
use super::identity_apart::SEALED_AT;
use super::keys::{Ring, VaultKey};
use super::people_keys::{PeopleKeys, opened};
use super::punctures::{BRANCHES_MAX, Leaf, Tree};
use super::residents::place;
use super::retention::IDENTITY_DAYS;
use super::tests::{NOW, add_resident, new_vault};
use super::{Vault, VaultError};

/// Byte copies of every file of a vault as it is now, write-ahead logs too.
fn image(vault: &Path, into: &Path, name: &str) -> PathBuf {
    let place = into.join(name);
    std::fs::create_dir(&place).unwrap();
    for entry in std::fs::read_dir(vault).unwrap().flatten() {
        // The index in memory is made anew at a first opening.
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), place.join(entry.file_name())).unwrap();
        }
    }
    place
}

/// What a thief has: the master key, as the passphrase gives it out.
fn ring(vault: &Vault) -> Ring {
    vault.ring.again().unwrap()
}

fn secret_number(vault: &Vault) -> i64 {
    epoch::stored_secret(&vault.people_keys).unwrap().unwrap()
}

#[test]
fn no_image_of_the_disk_from_before_an_erasure_gives_the_key_back() {
    let (folder, mut vault) = new_vault().unwrap();
    let images = tempfile::tempdir().unwrap();
    let (dir, into) = (folder.path(), images.path());
    let mut kept = vec![];
    let (goes, stays) = (add_resident(&mut vault).unwrap(), add_resident(&mut vault).unwrap());
    kept.push(image(dir, into, "recorded"));
    vault.empty_logs().unwrap();
    kept.push(image(dir, into, "logs emptied"));
    let third = add_resident(&mut vault).unwrap();
    vault.people_keys.cut(&[(third, Leaf::Evidence)], BRANCHES_MAX).unwrap();
    kept.push(image(dir, into, "somebody else erased"));
    vault.epoch_note().unwrap();
    kept.push(image(dir, into, "right before"));
    let keys = [goes, stays].map(|who| *vault.person_key(who).unwrap().bytes());

    // Until then each of them opens, with the epoch secret that is on the disk at that time.
    for place in &kept {
        let copy = tempfile::tempdir().unwrap();
        let copied = image(place, copy.path(), "tried");
        let file = PeopleKeys::open(&copied, &ring(&vault), None, Opening::Checked).unwrap();
        for (who, key) in [goes, stays].into_iter().zip(keys) {
            assert_eq!(*file.pair_of(who).unwrap().unwrap().own.bytes(), key, "{place:?}");
        }
    }

    vault.erase_evidences(&[goes], NOW).unwrap();
    assert_eq!(vault.person_key(goes).err(), Some(VaultError::corrupt(KEYS_FILE)));
    let now = Secrets::read(dir, &ring(&vault)).unwrap().unwrap();
    let number = secret_number(&vault);
    assert!(now.of(number).is_some() && now.of(number - 1).is_none());
    let tree_now = vault.people_keys.epoch().unwrap().tree;
    for place in &kept {
        let copy = tempfile::tempdir().unwrap();
        let copied = image(place, copy.path(), "tried");
        // The copies and what is on the disk today: as the program opens them.
        std::fs::copy(dir.join(EPOCH_FILE), copied.join(EPOCH_FILE)).unwrap();
        let opening = PeopleKeys::open(&copied, &ring(&vault), None, Opening::Checked);
        assert_eq!(opening.err(), Some(VaultError::KeysOlder), "{place:?}");
        // By hand: the file itself opens, since its own key is the same, and holds the row.
        let file = database::open(&copied, KEYS_FILE, &now.file_key(&ring(&vault)).unwrap(), Opening::Checked).unwrap();
        let row = |who: ResidentId| -> (Vec<u8>, u32) {
            let sql = "SELECT sealing_key, place FROM person_keys WHERE resident = ?1";
            file.query_row(sql, [who.bytes()], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        };
        // The tree in it opens with nothing that is left, under whatever number.
        let stored = epoch::stored(&file).unwrap();
        let master = VaultKey::from_slice(ring(&vault).master().bytes()).unwrap();
        let station = VaultKey::from_slice(vault.ring.station.bytes()).unwrap();
        for key in [now.of(number).unwrap(), master, station] {
            for number in [stored.secret, number, 1] {
                let place = [&b"menka/keys/1/tree"[..], &number.to_be_bytes()].concat();
                assert!(key.open(&place, &stored.branches).is_none());
            }
        }
        assert!(Tree::from_bytes(&stored.branches).is_err(), "nor is it in plain");
        // The tree of today opens who stays, also in the old copy, and not who was erased.
        let (sealed, at) = row(stays);
        let opens = opened(&tree_now, stays, (at, Leaf::Evidence), &sealed).unwrap().unwrap();
        assert_eq!(*opens.bytes(), keys[1], "{place:?}: the way that is tried is one");
        let (sealed, at) = row(goes);
        for leaf in [Leaf::Evidence, Leaf::Identity] {
            assert!(opened(&tree_now, goes, (at, leaf), &sealed).unwrap().is_none(), "{place:?}");
        }
    }
    // No block of an image is in the file of the secret any more.
    let bytes = std::fs::read(dir.join(EPOCH_FILE)).unwrap();
    for place in &kept {
        for block in std::fs::read(place.join(EPOCH_FILE)).unwrap().chunks(4096) {
            assert!(!bytes.chunks(4096).any(|now| now[..128] == block[..128]), "{place:?}");
        }
    }
    assert!(vault.read_resident(&vault.main, stays).is_ok());
}

#[test]
fn fifty_people_are_erased_under_one_secret_and_nobody_else_with_them() {
    let (folder, mut vault) = new_vault().unwrap();
    let go: Vec<ResidentId> = (0..50).map(|_| add_resident(&mut vault).unwrap()).collect();
    let stays = add_resident(&mut vault).unwrap();
    for resident in &go {
        vault.close_record(*resident, EraseReason::MovedOut, Actor::Station, NOW).unwrap();
    }
    let before = secret_number(&vault);
    let due = NOW.plus_ms((IDENTITY_DAYS + 1) * 86_400_000);
    assert_eq!(vault.run_retention(due).unwrap().identities, 50);
    assert_eq!(secret_number(&vault), before + 1);
    let term = due.plus_ms(super::audit::TERM_MS + 86_400_000);
    assert_eq!(vault.run_retention(term).unwrap().evidence, 50);
    assert_eq!(secret_number(&vault), before + 2);
    for resident in go {
        assert!(vault.people_keys.pair_of(resident).unwrap().is_none());
    }
    drop(vault);
    let vault = Vault::unlock(folder.path(), Realm::Real, &Passphrase::new("a long enough one".into()), term).unwrap();
    assert!(vault.read_resident(&vault.main, stays).is_ok() && vault.audit().unwrap().is_sound());
}

#[test]
fn the_couriers_connection_reads_keys_while_the_desk_erases_and_both_may_erase() {
    let (folder, mut vault) = new_vault().unwrap();
    let stay: Vec<ResidentId> = (0..5).map(|_| add_resident(&mut vault).unwrap()).collect();
    let keys: Vec<[u8; 32]> = stay.iter().map(|who| *vault.person_key(*who).unwrap().bytes()).collect();
    let mut go: Vec<ResidentId> = (0..40).map(|_| add_resident(&mut vault).unwrap()).collect();
    let theirs = go.split_off(20);
    let before = secret_number(&vault);
    let courier = vault.second_connection().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let (mut read, desk, sets) = std::thread::scope(|scope| {
        let both = scope.spawn(|| {
            let (mut read, mut sets) = (0, std::collections::BTreeSet::new());
            for who in &theirs {
                courier.people_keys.cut(&[(*who, Leaf::Evidence)], BRANCHES_MAX).unwrap();
            }
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                for (who, key) in stay.iter().zip(&keys) {
                    assert_eq!(courier.person_key(*who).unwrap().bytes(), key);
                    read += 1;
                }
                let (_view, epoch) = courier.people_keys.view().unwrap();
                sets.insert(epoch.secret);
            }
            (read, sets, courier)
        });
        for who in &go {
            vault.people_keys.cut(&[(*who, Leaf::Evidence)], BRANCHES_MAX).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        let (read, sets, courier) = both.join().unwrap();
        (read, courier, sets)
    });
    for (who, key) in stay.iter().zip(&keys) {
        assert_eq!(desk.person_key(*who).unwrap().bytes(), key);
        read += 1;
    }
    println!("{read} keys read beside erasures, under {} secrets", sets.len());
    assert_eq!(secret_number(&vault), before + 40);
    drop((vault, desk));
    let vault = Vault::unlock(folder.path(), Realm::Real, &Passphrase::new("a long enough one".into()), NOW).unwrap();
    assert!(stay.iter().all(|who| vault.person_key(*who).is_ok()));
    assert!(go.iter().chain(&theirs).all(|who| vault.people_keys.pair_of(*who).unwrap().is_none()));
}

#[test]
fn a_change_that_broke_off_before_it_counted_is_swept_up_by_the_next_one() {
    let (folder, mut vault) = new_vault().unwrap();
    let (goes, stays) = (add_resident(&mut vault).unwrap(), add_resident(&mut vault).unwrap());
    let secrets = vault.people_keys.secrets();
    let number = secret_number(&vault);
    // As a commit that the disk refused leaves it.
    let (next, left) = secrets.begin_next(number).unwrap();
    assert!(!secrets.is_settled());
    vault.people_keys.cut(&[(goes, Leaf::Identity)], BRANCHES_MAX).unwrap();
    assert!(secrets.is_settled());
    let now = secrets.of(next).unwrap();
    assert!(secret_number(&vault) == next && !now.same_as(&left));
    // As an overwriting that the disk refused leaves it: cut already, and yet nothing is called done before the secret is gone.
    let (stale, _) = secrets.begin_next(next).unwrap();
    vault.people_keys.cut(&[(goes, Leaf::Identity)], BRANCHES_MAX).unwrap();
    assert!(secrets.is_settled() && secrets.of(stale).is_none() && secret_number(&vault) == next);
    // A secret that cannot be written: nothing is cut.
    let path = folder.path().join(EPOCH_FILE);
    let aside = folder.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    assert!(vault.people_keys.cut(&[(goes, Leaf::Evidence)], BRANCHES_MAX).is_err());
    assert!(vault.person_key(goes).is_ok() && secret_number(&vault) == next);
    std::fs::rename(&aside, &path).unwrap();
    vault.people_keys.cut(&[(goes, Leaf::Evidence)], BRANCHES_MAX).unwrap();
    drop(secrets);
    drop(vault);
    let vault = Vault::unlock(folder.path(), Realm::Real, &Passphrase::new("a long enough one".into()), NOW).unwrap();
    assert!(vault.person_key(goes).is_err() && vault.person_key(stays).is_ok());
}

#[test]
fn new_holes_until_the_tree_is_dealt_anew_keep_everybodys_keys() {
    let (_folder, mut vault) = new_vault().unwrap();
    let people: Vec<ResidentId> = (0..30).map(|_| add_resident(&mut vault).unwrap()).collect();
    let keys = |vault: &Vault, who: ResidentId| {
        let pair = vault.people_keys.pair_of(who).unwrap().unwrap();
        (*pair.own.bytes(), pair.identity.map(|key| *key.bytes()))
    };
    let before: Vec<_> = people.iter().map(|who| keys(&vault, *who)).collect();
    let generation = vault.people_keys.epoch().unwrap().generation;
    for who in people.iter().step_by(3) {
        vault.people_keys.cut(&[(*who, Leaf::Identity)], 30).unwrap();
    }
    assert_ne!(vault.people_keys.epoch().unwrap().generation, generation);
    for (n, (who, (own, identity))) in people.iter().zip(before).enumerate() {
        let wanted = (own, identity.filter(|_| n % 3 != 0));
        assert_eq!(keys(&vault, *who), wanted, "{n}");
    }
}

fn gate(vault: &mut Vault) -> GateId {
    let id = GateId::from_bytes([7; 16]);
    let record = GateRecord {
        id,
        name: "东门".into(),
        place: "东侧".into(),
        capture_area: "门前一米".into(),
        other_way: "刷卡".into(),
        why_needed: "人多".into(),
        address: "127.0.0.1:1".into(),
        tls_pin: [1; 32],
        seal_key: [2; 32],
        sign_key: [3; 32],
        card_way_tested_at: None,
        takes_faces: true,
    };
    vault.record_gate(&record, NOW).unwrap();
    id
}

/// Somebody with a card, whose name was put right once.
fn renamed(vault: &mut Vault, gate: GateId, number: u8) -> ResidentId {
    let who = add_resident(vault).unwrap();
    let uid = CardUid::from_bytes(&[4, 0xA1, 0xB2, number]).unwrap();
    vault.issue_card(who, &uid, &[gate], NOW.date().plus_days(300), NOW).unwrap();
    let end = NOW.date().plus_days(300);
    let draft = ResidentDraft::parse(Some(who), "王晓明", "3-1201", AgeBand::Adult, None, end, NOW).unwrap();
    vault.record_resident(&draft, who, NOW).unwrap()
}

/// Name, card number and the changed name as they are stored.
fn stored(main: &rusqlite::Connection, who: ResidentId) -> [(Vec<u8>, Vec<u8>); 3] {
    let text = |sql: &str| main.query_row(sql, [who.bytes()], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let card: [u8; 16] =
        main.query_row("SELECT id FROM cards WHERE resident = ?1", [who.bytes()], |r| r.get(0)).unwrap();
    let n: i64 = main.query_row("SELECT n FROM changes WHERE resident = ?1", [who.bytes()], |row| row.get(0)).unwrap();
    [
        (place(who, "name"), text("SELECT name FROM residents WHERE id = ?1")),
        (
            super::cards::place(crate::domain::id::CardId::from_bytes(card)),
            text("SELECT number FROM cards WHERE resident = ?1"),
        ),
        (change_place(n, "old"), text("SELECT old FROM changes WHERE resident = ?1")),
    ]
}

#[test]
fn no_image_of_the_disk_from_before_gives_the_name_back_while_the_evidence_is_kept() {
    let (folder, mut vault) = new_vault().unwrap();
    let images = tempfile::tempdir().unwrap();
    let gate = gate(&mut vault);
    let (goes, stays) = (renamed(&mut vault, gate, 1), renamed(&mut vault, gate, 2));
    vault.empty_logs().unwrap();
    let before = image(folder.path(), images.path(), "before");
    let main = |dir: &Path| {
        let key = ring(&vault).file_key(MAIN_FILE).unwrap();
        database::open(dir, MAIN_FILE, &key, Opening::Checked).unwrap()
    };
    // With the secret of that time both are read from the image.
    let copied = image(&before, images.path(), "with its own secret");
    let (db, keys) = (main(&copied), PeopleKeys::open(&copied, &ring(&vault), None, Opening::Checked).unwrap());
    for who in [goes, stays] {
        let key = keys.pair_of(who).unwrap().unwrap().of_identity().unwrap().unwrap();
        assert!(stored(&db, who).iter().all(|(place, sealed)| key.open(place, sealed).is_some()));
    }
    drop((db, keys));

    vault.erase_identities(&[goes], NOW).unwrap();
    assert!(vault.person_key(goes).is_ok(), "the evidence is kept");
    assert_eq!(vault.identity_key(goes).err(), Some(VaultError::Unknown));
    assert!(stored(&vault.main, goes).iter().all(|(_, sealed)| sealed.is_empty()), "nor does the vault hold it");
    assert!(
        vault.main.execute("UPDATE changes SET old = x'' WHERE length(old) > 0", []).is_err(),
        "no other is edited"
    );

    let db = main(&before);
    let now = Secrets::read(folder.path(), &ring(&vault)).unwrap().unwrap();
    let file = database::open(&before, KEYS_FILE, &now.file_key(&ring(&vault)).unwrap(), Opening::Checked).unwrap();
    let tree_now = vault.people_keys.epoch().unwrap().tree;
    let identity = |who: ResidentId| {
        let sql = "SELECT identity_key, place FROM person_keys WHERE resident = ?1";
        let (sealed, at): (Vec<u8>, u32) =
            file.query_row(sql, [who.bytes()], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        opened(&tree_now, who, (at, Leaf::Identity), &sealed).unwrap()
    };
    assert!(identity(goes).is_none() && now.of(epoch::stored_secret(&file).unwrap().unwrap()).is_none());
    let own = vault.person_key(goes).unwrap();
    for (place, sealed) in stored(&db, goes) {
        assert!(!sealed.is_empty() && own.open(&place, &sealed).is_none(), "the person's own key does not open it");
    }
    // The same way opens who stays.
    let pair = super::people_keys::Pair { own: vault.person_key(stays).unwrap(), identity: identity(stays) };
    let key = pair.of_identity().unwrap().unwrap();
    assert!(stored(&db, stays).iter().all(|(place, sealed)| key.open(place, sealed).is_some()));
}

/// Seals what belongs to identities as versions before this one did.
fn as_before(vault: &Vault, people: &[ResidentId]) {
    let sql = "SELECT sql FROM sqlite_schema WHERE name = 'change_stays'";
    let forbids: String = vault.main.query_row(sql, [], |row| row.get(0)).unwrap();
    vault.main.execute_batch("DROP TRIGGER change_stays;").unwrap();
    for who in people {
        let (own, key) = (vault.person_key(*who).unwrap(), vault.identity_key(*who).unwrap());
        let back = |place: &[u8], sealed: &[u8]| own.seal(place, &key.open(place, sealed).unwrap()).unwrap();
        let n: i64 =
            vault.main.query_row("SELECT n FROM changes WHERE resident = ?1", [who.bytes()], |r| r.get(0)).unwrap();
        for (table, id, column) in [
            ("residents", "id", "name"),
            ("residents", "id", "unit"),
            ("changes", "resident", "old"),
            ("changes", "resident", "new"),
        ] {
            let sql = format!("SELECT {column} FROM {table} WHERE {id} = ?1");
            let sealed: Vec<u8> = vault.main.query_row(&sql, [who.bytes()], |row| row.get(0)).unwrap();
            let at = if table == "changes" { change_place(n, column) } else { place(*who, column) };
            let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {id} = ?1");
            vault.main.execute(&sql, rusqlite::params![who.bytes(), back(&at, &sealed)]).unwrap();
        }
        let [_, (at, number), _] = stored(&vault.main, *who);
        let sql = "UPDATE cards SET number = ?2 WHERE resident = ?1";
        vault.main.execute(sql, rusqlite::params![who.bytes(), back(&at, &number)]).unwrap();
    }
    vault.main.execute_batch(&forbids).unwrap();
    vault.main.execute("DELETE FROM station WHERE name = ?1", [SEALED_AT]).unwrap();
}

#[test]
fn names_of_an_earlier_vault_are_sealed_apart_at_its_first_unlock() {
    let (folder, mut vault) = new_vault().unwrap();
    let gate = gate(&mut vault);
    let people = [1, 2].map(|number| renamed(&mut vault, gate, number));
    let [stays, erased] = people;
    as_before(&vault, &people);
    assert!(vault.read_resident(&vault.main, stays).is_err(), "as it was before");
    // An earlier version erased somebody's identity, and left the change of the name.
    let sql = "UPDATE residents SET name = x'', unit = x'', identity_ended_at = 1 WHERE id = ?1";
    vault.main.execute(sql, [erased.bytes()]).unwrap();
    drop(vault);
    let open = || Vault::unlock(folder.path(), Realm::Real, &Passphrase::new("a long enough one".into()), NOW).unwrap();
    let vault = open();
    let own = vault.person_key(stays).unwrap();
    assert!(stored(&vault.main, stays).iter().all(|(place, sealed)| own.open(place, sealed).is_none()));
    let read = vault.read_resident(&vault.main, stays).unwrap();
    assert_eq!((read.name.as_str(), read.unit.as_str()), ("王晓明", "3-1201"));
    let changes = vault.changes_of(&vault.main, stays).unwrap();
    assert_eq!((changes.len(), changes[0].old.as_str(), changes[0].new.as_str()), (1, "王小明", "王晓明"));
    let [_, _, (_, old)] = stored(&vault.main, erased);
    assert!(old.is_empty() && vault.changes_of(&vault.main, erased).unwrap()[0].old.is_empty());
    assert!(vault.main.execute("UPDATE changes SET old = x'00'", []).is_err(), "a change is not edited");
    let before = stored(&vault.main, stays);
    drop(vault);
    assert_eq!(stored(&open().main, stays), before, "once");
}

#[test]
fn a_backup_of_an_earlier_version_opens_and_is_sealed_as_today() {
    let (_folder, mut vault) = new_vault().unwrap();
    let gate = gate(&mut vault);
    let people = [1, 2].map(|number| renamed(&mut vault, gate, number));
    let key = vault.make_backup_key(None, NOW).unwrap();
    vault.record_backup_key_kept(NOW).unwrap();
    let stick = tempfile::tempdir().unwrap();
    let made = stick.path().join(vault.back_up(stick.path(), NOW).unwrap().name);
    let mut tried = vault.begin_drill(&made, &key).unwrap();
    tried.take_live(&vault).unwrap();

    // As that version wrote it: one key a person, sealed under the leaf, and names under that key.
    let tree = vault.people_keys.epoch().unwrap().tree;
    let wrapped = rusqlite::Connection::open_in_memory().unwrap();
    wrapped.execute_batch("CREATE TABLE wrapped (resident, place, made_at, sealed);").unwrap();
    let main = &tried.vault.main;
    for who in people {
        let place_of = epoch::place_of(&vault.people_keys, who).unwrap().unwrap();
        let leaf = tree.key(place_of, Leaf::Evidence).unwrap();
        let sealed = leaf.seal(&sealed_place(who, "key"), vault.person_key(who).unwrap().bytes()).unwrap();
        let sql = "INSERT INTO wrapped VALUES (?1, ?2, ?3, ?4)";
        wrapped.execute(sql, rusqlite::params![who.bytes(), place_of, NOW.ms(), sealed]).unwrap();
        let (leaf, own) = (tree.key(place_of, Leaf::Identity).unwrap(), vault.person_key(who).unwrap());
        let identity = vault.identity_key(who).unwrap();
        let as_was = |outer: &[u8], inner: &[u8], sealed: &[u8]| {
            let plain = identity.open(inner, &leaf.open(outer, sealed).unwrap()).unwrap();
            leaf.seal(outer, &own.seal(inner, &plain).unwrap()).unwrap()
        };
        for (_, name, unit) in names(main).unwrap().into_iter().filter(|(id, ..)| *id == who) {
            for (column, sealed) in [("name", name), ("unit", unit)] {
                let sealed = as_was(&sealed_place(who, column), &place(who, column), &sealed);
                let sql = format!("UPDATE residents SET {column} = ?2 WHERE id = ?1");
                main.execute(&sql, rusqlite::params![who.bytes(), sealed]).unwrap();
            }
        }
        for (card, _, number) in numbers(main).unwrap().into_iter().filter(|(_, id, _)| *id == who) {
            let sealed = as_was(&card_place(card), &super::cards::place(card), &number);
            let sql = "UPDATE cards SET number = ?2 WHERE id = ?1";
            main.execute(sql, rusqlite::params![card.bytes(), sealed]).unwrap();
        }
    }
    main.execute_batch("DELETE FROM changes").unwrap();
    main.execute("DELETE FROM station WHERE name = ?1", [SEALED_AT]).unwrap();
    (tried.format, tried.wrapped) = (1, wrapped);
    assert_eq!(tried.open_everybody().unwrap().0, 2);
    for who in people {
        assert_eq!(tried.vault.read_resident(&tried.vault.main, who).unwrap().name.as_str(), "王晓明");
        assert_eq!(tried.vault.person_key(who).unwrap().bytes(), vault.person_key(who).unwrap().bytes());
        assert!(!tried.vault.identity_key(who).unwrap().same_as(&vault.identity_key(who).unwrap()), "made anew");
    }
    assert!(tried.vault.has_identities_apart().unwrap());
}
