//! An insider with every key changes the evidence: what is found without help, and what only a head that was kept
//! elsewhere finds. Issue 3, shown by 2.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::time::Instant;

use rusqlite::params;
use sha2::{Digest, Sha256};

use crate::domain::Realm;
use crate::domain::audit::{Actor, AuditEvent};
use crate::domain::card::CardUid;
use crate::domain::consent::{ConsentDraft, EraseReason, Signature};
use crate::domain::gate::GateRecord;
use crate::domain::id::OpId;
use crate::domain::id::{ConsentId, GateId, ResidentId, ShowingId, TemplateId};
use crate::domain::notice::{Language, NoticeRef, NoticeShown};
use crate::domain::resident::{AgeBand, ResidentDraft};
use crate::domain::role::LookWhy;
use crate::domain::site::SiteFacts;
use crate::domain::time::Timestamp;
use crate::evidence::consent::{ConsentFacts, consent_json};
use crate::evidence::export::{self, Elsewhere, Witnessed};
use crate::evidence::head::Short;
use crate::evidence::step::{Failed, Step};
use crate::evidence::{bundle, hex};
use crate::secret::{Passphrase, random_bytes};

use super::audit::TERM_MS;
use super::{KdfCost, OpenWhy, ShownFrom, Vault, VaultError};

const NOW: Timestamp = Timestamp::from_ms(1_795_276_800_000);
const TEXT: &str = "# 告知书\n\n不录人脸也能进门。\n";

fn passphrase() -> Passphrase {
    Passphrase::new("a long enough one".into())
}

/// A vault in which everything has happened: two people, one with a consent that ended and erasures signed, one with a
/// consent in force; two sessions.
fn lived_in() -> (tempfile::TempDir, Vault, [ResidentId; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
    let facts = SiteFacts::default();
    let mut vault = Vault::create(folder.path(), Realm::Real, "前台", &passphrase(), &facts, NOW, cost).unwrap();
    let gate = GateId::from_bytes([7; 16]);
    let record = GateRecord {
        id: gate,
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
    let people = [("王小明", "3-1201", 1u8), ("欧阳锋", "3-1202", 2)].map(|(name, unit, number)| {
        let resident = add(&mut vault, name, unit);
        let uid = CardUid::from_bytes(&[4, 0xA1, 0xB2, number]).unwrap();
        vault.issue_card(resident, &uid, &[gate], NOW.date().plus_days(300), NOW).unwrap();
        agree(&mut vault, resident, gate);
        resident
    });
    vault.end_consent(people[0], EraseReason::Withdrawn, NOW.plus_ms(5)).unwrap();
    while let Some(delivery) = vault.next_due(gate, NOW.plus_ms(6)).unwrap() {
        vault.record_delivered(delivery.op, gate, &random_bytes::<40>(), NOW.plus_ms(6)).unwrap();
    }
    vault.lock(NOW.plus_ms(7)).unwrap();
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(8)).unwrap();
    assert_eq!(
        vault.audit().unwrap(),
        super::AuditReport {
            records: vault.log_len().unwrap(),
            root: vault.head(&vault.main).unwrap().root,
            ..Default::default()
        }
    );
    (folder, vault, people)
}

fn add(vault: &mut Vault, name: &str, unit: &str) -> ResidentId {
    let draft = ResidentDraft::parse(None, name, unit, AgeBand::Adult, None, NOW.date().plus_days(300), NOW).unwrap();
    vault.record_resident(&draft, ResidentId::from_bytes(random_bytes()), NOW).unwrap()
}

/// Reads the notice to its end, says yes, and a gate signs for the face.
fn agree(vault: &mut Vault, resident: ResidentId, gate: GateId) {
    let sha256 = Sha256::digest(TEXT.as_bytes()).into();
    let notice = NoticeRef { id: "MK-N1".into(), version: "1.0".into(), language: Language::Chinese, sha256 };
    let id = ShowingId::from_bytes(random_bytes());
    let shown = NoticeShown { id, resident, notice: notice.clone(), opened_at: NOW, reached_end_at: None };
    let inputs = BTreeMap::from([("site_name".to_owned(), "安和家园".to_owned())]);
    let from = ShownFrom { letters_percent: Some(150), inputs };
    vault.record_showing_from(&shown, TEXT, &from, NOW).unwrap();
    vault.record_reached_end(id, NOW.plus_ms(1)).unwrap();
    let draft = ConsentDraft {
        resident,
        notice,
        sentence: "我同意".into(),
        gates: vec![gate],
        ends_on: NOW.date().plus_days(200),
        signature: Signature::TypedName("王小明".into()),
        signed_at: NOW.plus_ms(2),
        party: crate::domain::guardian::Party::Own,
        reading: None,
    };
    let (consent, template) = (ConsentId::from_bytes(random_bytes()), TemplateId::from_bytes(random_bytes()));
    let facts = SiteFacts::default();
    let (site, realm) = (vault.site(), vault.realm());
    let json = consent_json(&ConsentFacts { consent, template, draft: &draft, facts: &facts, site, realm });
    let granted = vault.record_consent(&draft, consent, template, &json, NOW.plus_ms(2)).unwrap();
    let sent = (OpId::from_bytes([4; 16]), [5; 32]);
    vault.record_face_sent(&granted, gate, sent, NOW.plus_ms(3)).unwrap();
    vault.record_face_held(&granted, gate, [5; 32], &random_bytes::<40>(), NOW.plus_ms(3)).unwrap();
}

/// What an insider does first.
fn disarm(vault: &Vault) {
    let mut statement = vault.main.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for name in names {
        vault.main.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    vault.main.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
}

/// A small random source whose seed is printed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % end
    }
}

/// Tables, their key, the column that is changed, and whether it holds text.
type Target = (&'static str, &'static str, &'static str, bool);
const LOG: [Target; 5] = [
    ("log", "n", "record", false),
    ("log_nodes", "i", "hash", false),
    ("log_heads", "size", "note", true),
    ("log_details", "n", "sealed", false),
    ("log_details", "n", "resident", false),
];
const RECEIPT: [Target; 3] =
    [("consents", "id", "evidence", false), ("held", "consent", "receipt", false), ("outbox", "op", "receipt", false)];
const NOTICE: [Target; 5] = [
    ("texts", "sha256", "body", true),
    ("showing_records", "showing", "sealed", false),
    ("showings", "id", "notice_version", true),
    ("showings", "id", "text_sha256", false),
    ("showings", "id", "language", true),
];

/// Changes one byte of one value, or removes one row; says what it did.
fn tamper(vault: &Vault, dice: &mut Dice, targets: &[Target]) -> String {
    let (table, key, column, is_text) = targets[dice.below(targets.len())];
    let sql = format!("SELECT {key}, CAST({column} AS BLOB) FROM {table} WHERE {column} IS NOT NULL ORDER BY {key}");
    let mut statement = vault.main.prepare(&sql).unwrap();
    let rows: Vec<(rusqlite::types::Value, Vec<u8>)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let (id, mut bytes) = rows[dice.below(rows.len())].clone();
    if dice.below(4) == 0 && column != "resident" {
        vault.main.execute(&format!("DELETE FROM {table} WHERE {key} = ?1"), [&id]).unwrap();
        return format!("{table}: row {id:?} removed");
    }
    let at = dice.below(bytes.len());
    bytes[at] ^= u8::try_from(1 + dice.below(255)).unwrap();
    let value = if is_text { "CAST(?2 AS TEXT)" } else { "?2" };
    vault.main.execute(&format!("UPDATE {table} SET {column} = {value} WHERE {key} = ?1"), params![id, bytes]).unwrap();
    format!("{table}.{column}: byte {at} of row {id:?} changed")
}

// Shows: N8-16, F14a
#[test]
fn p69_a_thousand_changes_of_one_byte_or_one_row_are_all_found() {
    let (_folder, vault, _) = lived_in();
    disarm(&vault);
    let seed = u64::from_le_bytes(random_bytes());
    println!("seed {seed}");
    let mut dice = Dice(seed | 1);
    let begun = Instant::now();
    for (class, targets, count) in [("log", &LOG[..], 400), ("receipt", &RECEIPT, 300), ("notice", &NOTICE, 300)] {
        for _ in 0..count {
            vault.main.execute_batch("BEGIN").unwrap();
            let what = tamper(&vault, &mut dice, targets);
            let report = vault.audit_view(&vault.main);
            vault.main.execute_batch("ROLLBACK").unwrap();
            assert!(
                !report.as_ref().is_ok_and(super::AuditReport::is_sound),
                "{class}: not found: {what} (seed {seed})"
            );
        }
    }
    println!("1000 changes in {:?}", begun.elapsed());
    assert!(vault.audit().unwrap().is_sound());
}

// Shows: L2-13
#[test]
fn p69_a_change_is_located() {
    let (_folder, vault, _) = lived_in();
    disarm(&vault);
    let try_it = |sql: &str| {
        vault.main.execute_batch(&format!("BEGIN; {sql}")).unwrap();
        let report = vault.audit_view(&vault.main).unwrap();
        vault.main.execute_batch("ROLLBACK").unwrap();
        report
    };
    assert_eq!(try_it("UPDATE log SET record = x'7b7d' WHERE n = 9").edited, [9]);
    assert_eq!(try_it("DELETE FROM log WHERE n = 9").missing, [9]);
    // Two records change places.
    let swapped = "CREATE TEMP TABLE two AS SELECT n, record FROM log WHERE n IN (5, 6);
         UPDATE log SET record = (SELECT record FROM two WHERE two.n = 11 - log.n) WHERE n IN (5, 6);";
    assert_eq!(try_it(swapped).edited, [5, 6]);
    assert_eq!(try_it("UPDATE log_nodes SET hash = zeroblob(32) WHERE i = 2").nodes_broken, [2]);
    assert_eq!(try_it("UPDATE log_details SET sealed = x'00' WHERE n = 6").openings_broken, [6]);
    assert_eq!(try_it("DELETE FROM log_heads").heads_missing.len(), 2);
}

#[test]
fn p69_a_cut_end_is_found_with_a_head_kept_elsewhere_and_called_unwitnessed_without() {
    let (_folder, mut vault, people) = lived_in();
    vault.open_resident(people[1], OpenWhy::Staff(LookWhy::Here), NOW.plus_ms(20)).unwrap();
    let (head, note) = vault.take_head(NOW.plus_ms(21)).unwrap();
    let short = Short::of(&head).to_string();
    // Everything after the unlocking goes, with all that would tell.
    disarm(&vault);
    let size = i64::try_from(head.size - 2).unwrap();
    let nodes = i64::try_from(tlog_tiles::stored_hash_count(head.size - 2)).unwrap();
    for (sql, from) in [
        ("DELETE FROM log WHERE n >= ?1", size),
        ("DELETE FROM log_details WHERE n >= ?1", size),
        ("DELETE FROM log_nodes WHERE i >= ?1", nodes),
        ("DELETE FROM log_heads WHERE size > ?1", size),
    ] {
        vault.main.execute(sql, [from]).unwrap();
    }
    assert!(vault.audit().unwrap().is_sound(), "by itself a cut log looks whole");
    let ahead = Witnessed::Ahead { kept: head.size, here: head.size - 2 };
    assert_eq!(vault.check_elsewhere(&short), Ok(ahead));
    assert_eq!(vault.check_elsewhere(&note), Ok(ahead));

    // The same for whoever only has the file.
    let key = vault.evidence_public();
    let file = vault.export_log("公安", "1", NOW.plus_ms(30)).unwrap();
    let unwitnessed = export::verify(file.as_bytes(), &key, &[]).unwrap();
    assert_eq!((unwitnessed.witnessed_to, unwitnessed.first_at), (None, Some(NOW.ms())));
    let witness = Elsewhere::parse(&short, &key).unwrap();
    let refused = export::verify(file.as_bytes(), &key, &[witness]).unwrap_err();
    assert_eq!((refused.step, refused.witness.is_some()), (Step::Witness, true));
}

#[test]
fn p69_a_log_written_and_signed_anew_is_found_with_a_head_kept_elsewhere() {
    let (_folder, mut vault, people) = lived_in();
    vault.open_resident(people[1], OpenWhy::Staff(LookWhy::Here), NOW.plus_ms(20)).unwrap();
    let (head, _) = vault.take_head(NOW.plus_ms(21)).unwrap();
    let short = Short::of(&head).to_string();
    assert_eq!(vault.check_elsewhere(&short), Ok(Witnessed::Fits { size: head.size }));
    // The look at the record is written out of the log; what followed is written and signed again.
    disarm(&vault);
    let cut = i64::try_from(head.size - 2).unwrap();
    let nodes = i64::try_from(tlog_tiles::stored_hash_count(head.size - 2)).unwrap();
    vault.main.execute("DELETE FROM log WHERE n >= ?1", [cut]).unwrap();
    vault.main.execute("DELETE FROM log_details WHERE n >= ?1", [cut]).unwrap();
    vault.main.execute("DELETE FROM log_nodes WHERE i >= ?1", [nodes]).unwrap();
    vault.main.execute("DELETE FROM log_heads WHERE size > ?1", [cut]).unwrap();
    for _ in 0..3 {
        vault.record_searched(NOW.plus_ms(22)).unwrap();
    }
    vault.take_head(NOW.plus_ms(23)).unwrap();
    assert!(vault.audit().unwrap().is_sound(), "by itself it looks whole");
    assert_eq!(vault.check_elsewhere(&short), Ok(Witnessed::Differs { kept: head.size }));
    assert!(vault.check_elsewhere("MK1-9-AAAAA-AAAAA-AAAAA-AAAAA-AAAAAA").is_err());
}

#[test]
fn lsz4_after_its_term_the_chain_verifies_and_names_nobody() {
    let (_folder, mut vault, people) = lived_in();
    let named = people[0].to_string();
    let whom = |vault: &Vault| {
        let records = vault.log_records(0, 10_000).unwrap();
        records.iter().filter(|r| r.who.contains(&named) || r.ids.contains(&named)).count()
    };
    assert!(whom(&vault) > 5, "the keeper can read whom the records are about");
    let raw: Vec<Vec<u8>> = {
        let mut statement = vault.main.prepare("SELECT record FROM log ORDER BY n").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    // Nothing in the records themselves leads to a person: no resident, consent, showing, card or operation.
    let mut ids: Vec<String> = vec![];
    for sql in [
        "SELECT id FROM residents",
        "SELECT id FROM consents",
        "SELECT link FROM consents",
        "SELECT id FROM showings",
        "SELECT op FROM outbox",
        "SELECT id FROM cards",
    ] {
        let mut statement = vault.main.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0).map(ResidentId::from_bytes)).unwrap();
        ids.extend(rows.map(|id| id.unwrap().to_string()));
    }
    for (sql, column) in [("SELECT evidence FROM consents", "consent"), ("SELECT receipt FROM held", "receipt")] {
        let mut statement = vault.main.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        let digests: Vec<String> = rows.map(|bytes| hex(&Sha256::digest(bytes.unwrap()))).collect();
        assert!(!digests.is_empty(), "{column}");
        ids.extend(digests);
    }
    for record in &raw {
        let text = String::from_utf8(record.clone()).unwrap();
        for id in &ids {
            assert!(!text.contains(id.as_str()), "{text}");
        }
    }

    // The key goes. Too early, that is a fault with a place.
    vault.people_keys.execute("DELETE FROM person_keys WHERE resident = ?1", [people[0].bytes()]).unwrap();
    let early = vault.audit().unwrap();
    assert!(!early.is_sound() && !early.keys_gone.is_empty() && early.erased_at_term == 0);
    // Three years after the last record about the person, it is as it should be.
    vault.record_searched(NOW.plus_ms(TERM_MS + 60_000)).unwrap();
    let late = vault.audit().unwrap();
    assert!(late.is_sound(), "{late:?}");
    assert_eq!(late.erased_at_term, early.keys_gone.len() as u64);
    assert_eq!(whom(&vault), 0, "nobody can read whom they were about");
    let key = vault.evidence_public();
    let file = vault.export_log("公安", "1", NOW.plus_ms(TERM_MS + 70_000)).unwrap();
    assert!(export::verify(file.as_bytes(), &key, &[]).is_ok());
}

/// Puts one file back as it was, without what SQLite kept beside it.
fn put_back(folder: &std::path::Path, file: &str, bytes: &[u8]) {
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("{file}{ending}")));
    }
    std::fs::write(folder.join(file), bytes).unwrap();
}

#[test]
fn p69_an_older_file_of_keys_is_found_at_the_start_and_stays_found() {
    let (folder, mut vault, people) = lived_in();
    let keys = folder.path().join("keys.db");
    let gate = GateId::from_bytes([7; 16]);
    let note = vault.epoch_note().unwrap();
    vault.record_gate_epoch(gate, note.number, NOW.plus_ms(10)).unwrap();
    let start = |ms: i64| Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(ms)).unwrap();
    let current = |vault: &Vault| vault.keys_are_current().unwrap();
    vault.lock(NOW.plus_ms(11)).unwrap();
    let old = std::fs::read(&keys).unwrap();

    // Somebody moves out, and the gate takes the new note.
    let mut vault = start(20);
    assert!(current(&vault));
    vault.close_record(people[0], EraseReason::MovedOut, Actor::Station, NOW.plus_ms(21)).unwrap();
    while let Some(delivery) = vault.next_due(gate, NOW.plus_ms(21)).unwrap() {
        vault.record_delivered(delivery.op, gate, &random_bytes::<40>(), NOW.plus_ms(21)).unwrap();
    }
    let note = vault.epoch_note().unwrap();
    vault.record_gate_epoch(gate, note.number, NOW.plus_ms(22)).unwrap();
    assert!(current(&vault));
    vault.lock(NOW.plus_ms(23)).unwrap();
    let right = std::fs::read(&keys).unwrap();

    // Only the file of keys is put back.
    put_back(folder.path(), "keys.db", &old);
    let mut vault = start(30);
    assert!(!current(&vault) && vault.start_check().sound, "the log itself is whole");
    let log = vault.log_records(0, 10_000).unwrap();
    assert!(log.iter().any(|r| r.what == "log-checked" && r.label.as_deref() == Some("not-sound")));
    // What is done with it afterwards does not make it current, and nothing is destroyed that the right one opens with.
    for leaf in [super::punctures::Leaf::Identity, super::punctures::Leaf::Evidence] {
        assert_eq!(vault.cut_leaves(&[(people[0], leaf)]), Err(VaultError::KeysOlder));
    }
    let month = NOW.plus_ms(40 * 86_400_000);
    assert_eq!(vault.retention_plan(month).unwrap().identities, [people[0]]);
    assert_eq!(vault.run_retention(month).unwrap().identities, 0);
    assert_eq!(vault.retention_plan(month).unwrap().identities, [people[0]], "it stays due");
    assert!(vault.epoch_note().unwrap().number >= note.number);
    vault.lock(NOW.plus_ms(31)).unwrap();
    let vault = start(40);
    assert!(!current(&vault));
    drop(vault);
    // The right one is.
    put_back(folder.path(), "keys.db", &right);
    let mut vault = start(50);
    assert!(current(&vault));

    // A gate that keeps a later note than this file knows: the same, said once.
    for ms in [60, 61] {
        vault.record_gate_epoch(gate, note.number + 7, NOW.plus_ms(ms)).unwrap();
    }
    assert!(!current(&vault));
    let log = vault.log_records(0, 10_000).unwrap();
    let said = log.iter().filter(|r| r.what == "head-conflict" && r.label.as_deref() == Some("erasures-ahead"));
    assert_eq!(said.count(), 1);
}

#[test]
fn p69_a_file_from_before_an_erasure_does_not_open_and_the_right_one_does() {
    let (folder, vault, people) = lived_in();
    vault.lock(NOW.plus_ms(11)).unwrap();
    let read = |file: &str| std::fs::read(folder.path().join(file)).unwrap();
    let (old_keys, old_secret) = (read("keys.db"), read("epoch.key"));
    let start = |ms: i64| Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(ms));
    let vault = start(20).unwrap();
    vault.erase_evidences(&[people[0]], NOW.plus_ms(21)).unwrap();
    vault.lock(NOW.plus_ms(22)).unwrap();
    assert!(start(30).unwrap().keys_are_current().unwrap());
    let (keys, secret) = (read("keys.db"), read("epoch.key"));

    put_back(folder.path(), "keys.db", &old_keys);
    for ms in [40, 41] {
        assert_eq!(start(ms).err(), Some(VaultError::KeysOlder));
    }
    assert_eq!(read("epoch.key"), secret, "nothing is touched");
    // The secret from before alone, and none at all.
    put_back(folder.path(), "keys.db", &keys);
    put_back(folder.path(), "epoch.key", &old_secret);
    assert_eq!(start(50).err(), Some(VaultError::corrupt("epoch.key")));
    assert_eq!(read("epoch.key"), old_secret);
    std::fs::remove_file(folder.path().join("epoch.key")).unwrap();
    assert_eq!(start(51).err(), Some(VaultError::corrupt("epoch.key")));
    put_back(folder.path(), "epoch.key", &secret);
    let vault = start(60).unwrap();
    assert!(vault.keys_are_current().unwrap() && vault.audit().unwrap().keys_back.is_empty());
    assert_eq!(vault.resident(people[1]).unwrap().name.as_str(), "欧阳锋");
}

#[test]
fn p69_a_key_of_somebody_whose_evidence_ended_is_found_without_any_gate() {
    let (folder, vault, people) = lived_in();
    vault.erase_evidences(&[people[0]], NOW.plus_ms(21)).unwrap();
    assert!(vault.audit().unwrap().keys_back.is_empty());
    vault.make_person_key(people[0], NOW.plus_ms(22)).unwrap();
    let report = vault.audit().unwrap();
    assert_eq!((report.keys_back.len(), report.is_sound()), (1, false));
    vault.lock(NOW.plus_ms(23)).unwrap();
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(40)).unwrap();
    assert!(!vault.keys_are_current().unwrap());
}

#[test]
fn p69_each_start_reads_a_part_again_and_says_when_it_does_not_fit() {
    let (folder, vault, _) = lived_in();
    let check = vault.start_check();
    assert!(check.sound && check.read > 0 && check.records >= check.read, "{check:?}");
    disarm(&vault);
    vault.main.execute("UPDATE log SET record = CAST(replace(record, 'locked', 'looked') AS BLOB) WHERE n = (SELECT max(n) - 1 FROM log)", []).unwrap();
    drop(vault);
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(60)).unwrap();
    assert!(!vault.start_check().sound);
    drop(vault);

    // What a start did not read, a comparison of everything finds; from then on the log does not count as whole.
    let (_folder, mut vault, _) = lived_in();
    disarm(&vault);
    vault.main.execute("UPDATE texts SET body = body || ' '", []).unwrap();
    assert!(vault.start_check().sound);
    assert!(!vault.audit_logged(NOW.plus_ms(70)).unwrap().is_sound());
    assert!(!vault.start_check().sound);
    assert_eq!(vault.log_records(0, 10_000).unwrap().last().unwrap().label.as_deref(), Some("not-sound"));
}

#[test]
fn p14_a_changed_text_or_record_is_refused_with_the_step_that_fails() {
    let (_folder, mut vault, people) = lived_in();
    disarm(&vault);
    let showing = vault.showings(people[1], 1).unwrap()[0].showing;
    let bytes = vault.replay_bundle(showing, NOW.plus_ms(40)).unwrap();
    let key = vault.evidence_public();
    let read = bundle::verify(&bytes, &key).unwrap();
    assert_eq!((read.text.as_str(), read.showing.letters_percent), (TEXT, Some(150)));
    assert_eq!(read.showing.inputs.get("site_name").map(String::as_str), Some("安和家园"));
    assert_eq!(read.reached_end_at, Some(NOW.plus_ms(1).ms()));
    assert!(read.consent.is_some_and(|stated| stated.resident == people[1]));

    let refused = |sql: &str, step: Step| {
        vault.main.execute_batch(&format!("SAVEPOINT t; {sql}")).unwrap();
        let found = {
            // Inside the insider's own transaction the vault cannot begin another: the pure part is asked.
            let made = vault.bundle(&vault.main, showing, NOW.plus_ms(41));
            made.and_then(|bytes| bundle::verify(&bytes, &key).map_err(|Failed(step)| VaultError::NotAsShown(step)))
        };
        vault.main.execute_batch("ROLLBACK TO t; RELEASE t").unwrap();
        assert_eq!(found.err(), Some(VaultError::NotAsShown(step)), "{sql}");
    };
    refused("UPDATE texts SET body = replace(body, '也能', '不能')", Step::Text);
    refused("UPDATE consents SET evidence = x'00' WHERE ended_at IS NULL", Step::Consent);
    refused("UPDATE log_nodes SET hash = zeroblob(32)", Step::Inclusion);
    vault.append(&vault.main, Actor::Station, &AuditEvent::Searched, NOW.plus_ms(50)).unwrap();
    assert_eq!(vault.show_again(showing, NOW.plus_ms(51)).unwrap().text, TEXT);
}

#[test]
fn p69_the_look_at_a_start_does_not_grow_with_the_log() {
    let (folder, vault, _) = lived_in();
    let work = vault.begin().unwrap();
    for _ in 0..20_000 {
        vault.append(&work, Actor::Station, &AuditEvent::Searched, NOW.plus_ms(10)).unwrap();
    }
    vault.keep_head(&work).unwrap();
    vault.append(&work, Actor::Station, &AuditEvent::Searched, NOW.plus_ms(10)).unwrap();
    vault.keep_head(&work).unwrap();
    work.commit().unwrap();
    drop(vault);
    let begun = Instant::now();
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(60)).unwrap();
    let (opened, check) = (begun.elapsed(), vault.start_check());
    assert!(check.sound && check.records > 20_000 && check.read <= 2_000, "{check:?}");
    let begun = Instant::now();
    assert!(vault.audit().unwrap().is_sound());
    println!(
        "{} records: unlock with {} read again {opened:?}, all of them {:?}",
        check.records,
        check.read,
        begun.elapsed()
    );
    // The slice moves on: in the end every record was read again.
    let mut read = check.read;
    drop(vault);
    for n in 0..21 {
        let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), NOW.plus_ms(70 + n)).unwrap();
        read += vault.start_check().read;
    }
    assert!(read >= check.records);
}
