//! Constraints that carry the law, tried by raw SQL with the keys in hand; and what a backup must not hold.

use rusqlite::types::ValueRef;

use crate::domain::Realm;
use crate::domain::audit::Actor;
use crate::domain::consent::EraseReason;
use crate::domain::id::ResidentId;
use crate::domain::time::Timestamp;

use super::audit::TERM_MS;
use super::backup::Header;
use super::epoch_lists::{OLDEST_CARD, OLDEST_CONSENT};
use super::keys::derive;
use super::punctures::Leaf;
use super::tests::{NOW, add_resident, new_vault};
use super::{Vault, VaultError, database, epoch};

/// A vault with one person, written row by row: a gate, a notice that was read, a card, a consent.
fn lawful(vault: &mut Vault) -> ResidentId {
    let resident = add_resident(vault).unwrap();
    let sql = format!(
        "INSERT INTO gates (id, shown_name, place, capture_area, other_way, why_needed, address, tls_pin, seal_key,
             sign_key, takes_faces, paired_at) VALUES ({GATE}, '', '', '', '', '', '', zeroblob(32), zeroblob(32),
             zeroblob(32), 1, 0);
         INSERT INTO texts (sha256, body) VALUES (zeroblob(32), 'x');
         INSERT INTO showings (id, resident, notice_id, notice_version, language, text_sha256, opened_at, reached_end_at)
             SELECT randomblob(16), id, '', '', 'zh-CN', zeroblob(32), 1, 2 FROM residents;"
    );
    vault.main.execute_batch(&sql).unwrap();
    resident
}

const GATE: &str = "x'0102030405060708090a0b0c0d0e0f10'";
const CONSENT: &str = "x'1102030405060708090a0b0c0d0e0f11'";

fn card(vault: &Vault, ends_on: i64) {
    let sql = "INSERT INTO cards (id, resident, number, number_hash, ends_on, issued_at)
         SELECT randomblob(16), id, x'00', randomblob(32), ?1, 0 FROM residents";
    vault.main.execute(sql, [ends_on]).unwrap();
}

fn consent(vault: &Vault, ends_on: i64) -> Result<usize, rusqlite::Error> {
    let sql = format!(
        "INSERT INTO consents (id, resident, link, notice_id, notice_version, language, text_sha256, sentence, signature,
             ends_on, signed_at, evidence)
         SELECT {CONSENT}, id, randomblob(16), '', '', 'zh-CN', zeroblob(32), x'00', x'00', ?1, 0, x'00' FROM residents"
    );
    vault.main.execute(&sql, [ends_on])
}

fn capture(vault: &Vault, at: Timestamp) -> Result<usize, rusqlite::Error> {
    let sql = format!("INSERT INTO captures (consent, begun_at) VALUES ({CONSENT}, ?1)");
    vault.main.execute(&sql, [at.ms()])
}

fn refuses(result: Result<usize, rusqlite::Error>, why: &str) {
    let error = result.expect_err(why).to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn p13_no_capture_without_a_current_consent_and_a_card_in_force_even_by_hand() {
    let (_folder, mut vault) = new_vault().unwrap();
    lawful(&mut vault);
    let (today, later) = (NOW.date().epoch_days(), NOW.date().plus_days(90).epoch_days());
    refuses(consent(&vault, later), "a card comes first");
    card(&vault, later);
    vault.main.execute("UPDATE showings SET reached_end_at = NULL", []).unwrap();
    refuses(consent(&vault, later), "the notice was not read to its end");
    vault.main.execute("UPDATE showings SET reached_end_at = 2", []).unwrap();
    refuses(capture(&vault, NOW), "no current consent");
    consent(&vault, today).unwrap();
    capture(&vault, NOW).unwrap();
    // The next day of China, which begins at 16:00 UTC.
    let midnight = NOW.date().end();
    capture(&vault, midnight.plus_ms(-1)).unwrap();
    refuses(capture(&vault, midnight.plus_ms(1)), "no current consent");
    vault.main.execute("UPDATE cards SET ended_at = 1", []).unwrap();
    refuses(capture(&vault, NOW), "a card comes first");
    vault.main.execute("UPDATE cards SET ended_at = NULL, ends_on = ?1", [today - 1]).unwrap();
    refuses(capture(&vault, NOW), "a card comes first");
    vault.main.execute("UPDATE cards SET ends_on = ?1", [today]).unwrap();
    capture(&vault, NOW).unwrap();
    vault.main.execute("UPDATE consents SET ended_at = 5, end_reason = 'withdrawn'", []).unwrap();
    refuses(capture(&vault, NOW), "no current consent");
}

#[test]
fn p13_one_current_consent_a_person_which_is_neither_edited_nor_revived_nor_deleted_by_hand() {
    let (_folder, mut vault) = new_vault().unwrap();
    lawful(&mut vault);
    let later = NOW.date().plus_days(90).epoch_days();
    card(&vault, later);
    consent(&vault, later).unwrap();
    let by_hand = |sql: &str| vault.main.execute(sql, []);
    let second = format!(
        "INSERT INTO consents SELECT x'2202030405060708090a0b0c0d0e0f22', resident, randomblob(16), notice_id,
             notice_version, language, text_sha256, sentence, signature, ends_on, signed_at, evidence, NULL, NULL
         FROM consents WHERE id = {CONSENT}"
    );
    refuses(by_hand(&second), "UNIQUE");
    refuses(by_hand("UPDATE consents SET ends_on = ends_on + 1"), "not edited");
    refuses(by_hand("DELETE FROM consents"), "evidence");
    let held = format!(
        "INSERT INTO held (consent, gate, digest, receipt, since) VALUES ({CONSENT}, {GATE}, zeroblob(32), x'00', 1)"
    );
    refuses(by_hand(&held), "does not name this gate");
    let thaw = format!(
        "INSERT INTO outbox (op, gate, rank, kind, consent, state, not_before, queued_at)
             VALUES (randomblob(16), {GATE}, 1, 'thaw', {CONSENT}, 'pending', 0, 0)"
    );
    by_hand(&thaw).unwrap();
    // Nothing is sent, and nothing taken up again, without a card in force; nor under a consent that ended.
    let sent = format!(
        "INSERT INTO fills (consent, gate, state, op, request_digest, not_before)
             VALUES ({CONSENT}, {GATE}, 'sent', randomblob(16), zeroblob(32), 0)
         ON CONFLICT (consent, gate) DO UPDATE SET state = 'sent', op = excluded.op, request_digest = zeroblob(32)"
    );
    let waits = format!("INSERT INTO fills (consent, gate, state, not_before) VALUES ({CONSENT}, {GATE}, 'waits', 0)");
    by_hand("UPDATE cards SET ended_at = 1").unwrap();
    refuses(by_hand(&sent), "a card comes first");
    by_hand(&waits).unwrap();
    refuses(by_hand(&sent), "a card comes first");
    refuses(by_hand(&thaw), "a card comes first");
    by_hand("UPDATE cards SET ended_at = NULL").unwrap();
    by_hand(&sent).unwrap();
    by_hand("UPDATE fills SET state = 'waits', op = NULL, request_digest = NULL").unwrap();
    by_hand("UPDATE consents SET ended_at = 5, end_reason = 'withdrawn'").unwrap();
    refuses(by_hand(&thaw), "has ended");
    refuses(by_hand(&sent), "no current consent");
    refuses(by_hand("UPDATE consents SET ended_at = NULL"), "stays ended");
    // STRICT tables take no value of another type, and nothing hangs on nobody.
    refuses(by_hand("UPDATE residents SET ends_on = 'soon'"), "cannot store TEXT");
    refuses(
        by_hand("INSERT INTO refusals (resident, showing, refused_at) VALUES (zeroblob(16), zeroblob(16), 1)"),
        "FOREIGN KEY",
    );
}

#[test]
fn every_table_is_strict() {
    let (_folder, vault) = new_vault().unwrap();
    for file in [&vault.main, &*vault.people_keys] {
        let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0
             AND name NOT LIKE 'sqlite_%'";
        let mut statement = file.prepare(sql).unwrap();
        let loose: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(loose, Vec::<String>::new());
    }
}

#[test]
fn p56_a_backup_holds_no_name_no_key_and_no_hash_by_which_somebody_is_found() -> Result<(), Box<dyn std::error::Error>>
{
    let (_folder, mut vault) = new_vault()?;
    let resident = add_resident(&mut vault)?;
    let gates =
        "INSERT INTO gates (id, shown_name, place, capture_area, other_way, why_needed, address, tls_pin, seal_key,
             sign_key, takes_faces, paired_at) VALUES (zeroblob(16), '', '', '', '', '', '', zeroblob(32), zeroblob(32),
             zeroblob(32), 1, 0)";
    vault.main.execute(gates, [])?;
    card(&vault, NOW.date().plus_days(9).epoch_days());
    // A card that reads, as the program writes it.
    let uid = crate::domain::card::CardUid::from_bytes(&[9, 8, 7, 6]).ok_or("no number")?;
    let sealed = vault.identity_key(resident)?;
    let id: [u8; 16] = vault.main.query_row("SELECT id FROM cards", [], |row| row.get(0))?;
    let place = format!("cards/{}/number", crate::domain::id::CardId::from_bytes(id));
    vault.main.execute(
        "UPDATE cards SET number = ?1, number_hash = ?2",
        rusqlite::params![sealed.seal(place.as_bytes(), uid.bytes())?, vault.ring.index_hash("card", uid.bytes())?],
    )?;
    let key = vault.make_backup_key(None, NOW)?;
    vault.record_backup_key_kept(NOW)?;
    let stick = tempfile::tempdir()?;
    let made = stick.path().join(vault.back_up(stick.path(), NOW)?.name);

    // Whoever has the printed key and the stick, but no gate.
    let content = Header::read(&made)?.open(&key, Realm::Real)?;
    let hashes = |file: &rusqlite::Connection| -> Result<Vec<Vec<u8>>, rusqlite::Error> {
        let sql = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.name LIKE '%\\_hash' ESCAPE '\\'";
        let columns: Vec<(String, String)> =
            file.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        assert!(columns.len() >= 3, "unit, surname, card: {columns:?}");
        let mut found = vec![];
        for (table, column) in columns {
            let mut statement = file.prepare(&format!("SELECT {column} FROM {table}"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let ValueRef::Blob(bytes) = row.get_ref(0)? {
                    found.push(bytes.to_vec());
                }
            }
        }
        Ok(found)
    };
    let main = database::open_aside(&made.join("vault.db"), &derive(&content, Realm::Real, "backup/vault.db")?, false)?;
    let (live, kept) = (hashes(&vault.main)?, hashes(&main)?);
    assert!(live.len() >= 3 && live.iter().all(|hash| !kept.contains(hash)), "no keyed hash goes along");
    let keys = database::open_aside(&made.join("keys.db"), &derive(&content, Realm::Real, "backup/keys.db")?, false)?;
    let own = vault.person_key(resident)?;
    let root = vault.people_keys.epoch()?.tree.to_bytes();
    let (name, unit): (Vec<u8>, Vec<u8>) =
        vault.main.query_row("SELECT name, unit FROM residents", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for file in [&main, &keys] {
        let pages = pages(file);
        assert!(holds(&pages, b"CREATE TABLE"), "the search finds what is there");
        for secret in [&own.bytes()[..], &root[5..], &name, &unit] {
            assert!(!holds(&pages, secret), "not even in free pages");
        }
    }
    // The leaf is cut out: the same stick and key, together with every gate, open nothing of this person.
    vault.erase_evidences(&[resident], NOW)?;
    let tree = vault.people_keys.epoch()?.tree;
    let (place, _): (u32, i64) =
        keys.query_row("SELECT place, made_at FROM wrapped", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    assert!(tree.key(place, Leaf::Identity).is_none() && tree.key(place, Leaf::Evidence).is_none());
    Ok(())
}

#[test]
fn a_destruction_of_evidence_that_was_cut_off_between_the_two_files_is_done_by_the_next_run() -> Result<(), VaultError>
{
    let (_folder, mut vault) = new_vault().map_err(|_| VaultError::Unknown)?;
    let resident = add_resident(&mut vault)?;
    let other = add_resident(&mut vault)?;
    vault.close_record(resident, EraseReason::Closed, Actor::Station, NOW)?;
    vault.erase_identities(&[resident], NOW)?;
    // As a kill leaves it: the key is gone, and the other file does not say so yet.
    vault.people_keys.execute("DELETE FROM person_keys WHERE resident = ?1", [resident.bytes()])?;
    let over = NOW.plus_ms(TERM_MS + 1);
    vault.erase_evidences(&[resident], over)?;
    assert!(epoch::place_of(&vault.people_keys, resident)?.is_none(), "no key is left");
    let written: i64 = vault.main.query_row(
        "SELECT count(*) FROM residents WHERE id = ?1 AND evidence_ended_at IS NOT NULL",
        [resident.bytes()],
        |row| row.get(0),
    )?;
    assert_eq!(written, 1);
    let audit = vault.audit()?;
    assert!(audit.is_sound(), "{audit:?}");
    vault.run_retention(over)?;
    assert!(vault.read_resident(&vault.main, other).is_ok());
    Ok(())
}

#[test]
fn the_oldest_in_force_is_asked_of_an_index() -> Result<(), VaultError> {
    let (_folder, vault) = new_vault().map_err(|_| VaultError::Unknown)?;
    for (sql, index) in [(OLDEST_CONSENT, "consents_by_age"), (OLDEST_CARD, "cards_by_age")] {
        let mut plan = vault.main.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let plan: Vec<String> = plan.query_map([], |row| row.get(3))?.collect::<Result<_, _>>()?;
        assert!(plan.iter().any(|step| step.contains(index)), "{plan:?}");
    }
    Ok(())
}

#[test]
fn too_many_holes_deal_the_tree_anew_and_earlier_backups_say_that_they_are_void() -> Result<(), VaultError> {
    let (_folder, mut vault) = new_vault().map_err(|_| VaultError::Unknown)?;
    let people: Vec<ResidentId> = (0..40).map(|_| add_resident(&mut vault)).collect::<Result<_, _>>()?;
    let before = vault.people_keys.epoch()?;
    for resident in people.iter().step_by(2) {
        vault.people_keys.cut(&[(*resident, Leaf::Identity)], 40)?;
    }
    let after = vault.people_keys.epoch()?;
    assert!(before.generation != after.generation && after.number > before.number && after.tree.len() <= 40);
    for (n, resident) in people.into_iter().enumerate() {
        let place = epoch::place_of(&vault.people_keys, resident)?.ok_or(VaultError::Unknown)?;
        assert!(after.tree.key(place, Leaf::Evidence).is_some() && vault.person_key(resident).is_ok());
        let read = vault.read_resident(&vault.main, resident);
        assert_eq!(
            read.err(),
            (n % 2 == 0).then_some(VaultError::Unknown),
            "whose identity was cut out, and nobody else"
        );
    }
    Ok(())
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Every page of a file as the library sees it after decryption, free pages included.
#[allow(unsafe_code)]
fn pages(db: &rusqlite::Connection) -> Vec<u8> {
    let mut length = 0i64;
    // SAFETY: the handle is open; the returned block of `length` bytes is ours until it is freed, and is copied before.
    unsafe {
        let start = rusqlite::ffi::sqlite3_serialize(db.handle(), c"main".as_ptr(), &raw mut length, 0);
        let pages = std::slice::from_raw_parts(start, usize::try_from(length).unwrap_or(0)).to_vec();
        rusqlite::ffi::sqlite3_free(start.cast());
        pages
    }
}

#[test]
fn the_note_stays_within_the_gates_limit_whatever_ended_and_one_of_the_earlier_shape_is_read() -> Result<(), VaultError>
{
    use crate::wire::message::EPOCH_MAX;
    let (_folder, mut vault) = new_vault().map_err(|_| VaultError::Unknown)?;
    let resident = lawful(&mut vault);
    card(&vault, 30_000);
    consent(&vault, 30_000).map_err(VaultError::from)?;
    let rows = |sql: &str| {
        let each = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9000)";
        vault.main.execute_batch(&format!("INSERT INTO {sql}").replace("EACH", each)).unwrap();
    };
    rows("consents (id, resident, link, notice_id, notice_version, language, text_sha256, sentence, signature, ends_on, signed_at,
             evidence, ended_at, end_reason) EACH SELECT randomblob(16), (SELECT id FROM residents), randomblob(16), '', '', 'zh-CN',
             zeroblob(32), x'00', x'00', 30000, 5, x'00', 1000 + n, 'withdrawn' FROM n");
    rows(
        "cards (id, resident, number, number_hash, ends_on, issued_at, ended_at) EACH SELECT randomblob(16),
             (SELECT id FROM residents), x'00', randomblob(32), 30000, 5, 1000 + n FROM n",
    );
    rows("residents SELECT randomblob(16), name, unit, randomblob(32), age_band, NULL, ends_on, recorded_at, 7, 'moved-out', NULL, NULL
             FROM (SELECT * FROM residents LIMIT 1), (EACH SELECT n FROM n)");
    // The largest tree that is kept.
    let mut epoch = vault.people_keys.epoch()?;
    for place in (0..).step_by(9) {
        let last = epoch.tree.len();
        epoch.tree.cut(place, Leaf::Evidence)?;
        if epoch.tree.len() > super::punctures::BRANCHES_MAX || epoch.tree.len() < last {
            break;
        }
    }
    let note = epoch::note_of(&vault, &vault.main, &epoch, usize::MAX)?;
    let plain = minicbor::to_vec(&note).map_err(|_| VaultError::Unknown)?;
    let sealed = vault.note_key()?.seal(b"place", &plain)?;
    assert!(sealed.len() <= EPOCH_MAX && sealed.len() > EPOCH_MAX / 2, "{} of {EPOCH_MAX}", sealed.len());
    let lists = note.lists.as_ref().ok_or(VaultError::Unknown)?;
    let faces = lists.faces();
    assert!(faces.len() > 3_000 && lists.cards().len() > 2_500 && lists.closed().len() > 900);
    assert!(faces.values().flatten().all(|told| told.reason == "withdrawn"));
    assert!(lists.faces_from > 1_000, "and it says how far back it reaches");

    #[derive(minicbor::Encode)]
    struct Earlier {
        #[cbor(n(0), with = "minicbor::bytes")]
        generation: [u8; 16],
        #[cbor(n(1), with = "minicbor::bytes")]
        branches: Vec<u8>,
        #[n(2)]
        next_place: u32,
        #[n(3)]
        sequence: i64,
        #[cbor(n(4), with = "minicbor::bytes")]
        faces: Vec<u8>,
        #[cbor(n(5), with = "minicbor::bytes")]
        cards: Vec<u8>,
        #[cbor(n(6), with = "minicbor::bytes")]
        accounts: Vec<u8>,
        #[cbor(n(7), with = "minicbor::bytes")]
        refusing: Vec<u8>,
        #[n(8)]
        closed: Vec<epoch::Closed>,
    }
    let closed = vec![epoch::Closed { resident: *resident.bytes(), at: 3, reason: "moved-out".into() }];
    let (faces, list) = (vec![4; 32], vec![]);
    let earlier = Earlier {
        generation: [7; 16],
        branches: vec![],
        next_place: 3,
        sequence: 9,
        faces,
        cards: list.clone(),
        accounts: list.clone(),
        refusing: list,
        closed,
    };
    let bytes = minicbor::to_vec(&earlier).map_err(|_| VaultError::Unknown)?;
    let read: epoch::Note = minicbor::decode(&bytes).map_err(|_| VaultError::Unknown)?;
    assert!(read.lists.is_none() && read.faces == [4; 32] && read.closed.len() == 1 && read.sequence == 9);
    Ok(())
}
