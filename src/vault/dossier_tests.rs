//! Completeness of what a person is given: every column that hangs on a resident is in it, or on a named list with a reason.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::domain::card::CardUid;
use crate::domain::consent::{ConsentDraft, EraseReason, Signature};
use crate::domain::gate::GateRecord;
use crate::domain::guardian::{ByGuardian, GuardianDraft, GuardianRole, Party, ProofSeen, View, ViewHeard};
use crate::domain::id::{ConsentId, FormId, GateId, GuardianId, ResidentId, ShowingId, TemplateId, ViewId};
use crate::domain::notice::{Language, NoticeRef, NoticeShown};
use crate::domain::reading::Reading;
use crate::domain::resident::{AgeBand, ResidentDraft};
use crate::domain::rights::{Came, Given, Identity, RefusalWords, RequestKind, RequestNo, WrittenRefusal};
use crate::domain::role::LookWhy;
use crate::domain::time::CivilDate;
use crate::evidence::consent::{ConsentFacts, consent_json, decided_json};

type Faults = Box<dyn std::error::Error>;

const GUARDIAN: &str = "欧阳配偶";
const GUARDIAN_PHONE: &str = "13800138000";

const NOW: Timestamp = Timestamp::from_ms(1_795_276_800_000);

/// Where each column is in the electronic copy (JSON pointers).
const IN_IT: &[(&str, &str, &str)] = &[
    ("wards", "marked_at", "/person/ward_since"),
    ("guardians", "id", "/guardians/0/id"),
    ("guardians", "name", "/guardians/0/masked_name"),
    ("guardians", "role", "/guardians/0/role"),
    ("guardians", "proof", "/guardians/0/proof"),
    ("guardians", "checked_at", "/guardians/0/checked_at"),
    ("guardians", "checked_by", "/guardians/0/checked_by"),
    ("guardians", "ended_at", "/guardians/0/ended_at"),
    ("guardians", "phone_ended_at", "/guardians/2/phone_ended_at"),
    ("guardians", "name_ended_at", "/guardians/2/name_ended_at"),
    ("views", "id", "/answers/0/id"),
    ("views", "showing", "/answers/0/showing"),
    ("views", "answer", "/answers/0/answer"),
    ("views", "heard_at", "/answers/0/heard_at"),
    ("views", "guardian", "/answers/0/guardian"),
    ("consent_parties", "given_by", "/consents/1/party/given_by"),
    ("consent_parties", "guardian", "/consents/1/party/guardian"),
    ("consent_parties", "statement", "/consents/1/party/statement"),
    ("consent_parties", "signed_at", "/consents/1/party/signed_at"),
    ("paper_forms", "id", "/forms/0/id"),
    ("paper_forms", "words_sha256", "/forms/0/words_sha256"),
    ("paper_forms", "body", "/forms/0/body"),
    ("paper_forms", "made_at", "/forms/0/made_at"),
    ("paper_forms", "seen_by", "/forms/0/seen_by"),
    ("paper_forms", "seen_at", "/forms/0/seen_at"),
    ("paper_forms", "consent", "/forms/0/consent"),
    ("notice_news", "version", "/news/0/notice_version"),
    ("notice_news", "consent", "/news/0/consent"),
    ("notice_news", "asks", "/news/0/asks"),
    ("notice_news", "told_at", "/news/0/told_at"),
    ("notice_news", "told_on", "/news/0/told_on"),
    ("notice_news", "answer", "/news/0/answer"),
    ("notice_news", "answered_at", "/news/0/answered_at"),
    ("notice_stopped", "version", "/stopped_by_change/0/notice_version"),
    ("notice_stopped", "consent", "/stopped_by_change/0/consent"),
    ("notice_stopped", "gate", "/stopped_by_change/0/gate"),
    ("notice_stopped", "ended_at", "/stopped_by_change/0/ended_at"),
    ("showing_reading", "sections_ms", "/notices/0/read/sections_ms/0"),
    ("showing_reading", "letters_percent", "/notices/0/read/letters_percent"),
    ("showing_reading", "high_contrast", "/notices/0/read/high_contrast"),
    ("showing_reading", "read_aloud", "/notices/0/read/read_aloud"),
    ("showing_records", "sealed", "/notices/0/record"),
    ("residents", "id", "/person/id"),
    ("residents", "name", "/person/name"),
    ("residents", "unit", "/person/unit"),
    ("residents", "age_band", "/person/age_band"),
    ("residents", "next_band_on", "/changes/1/old"),
    ("residents", "ends_on", "/person/ends_on"),
    ("residents", "recorded_at", "/person/recorded_at"),
    ("person_keys", "made_at", "/person/key_made_at"),
    ("cards", "id", "/cards/0/id"),
    ("cards", "number", "/cards/0/number"),
    ("cards", "ends_on", "/cards/0/ends_on"),
    ("cards", "issued_at", "/cards/0/issued_at"),
    ("cards", "ended_at", "/cards/0/ended_at"),
    ("card_gates", "gate", "/cards/0/gates/0"),
    ("showings", "id", "/notices/0/id"),
    ("showings", "notice_id", "/notices/0/notice_id"),
    ("showings", "notice_version", "/notices/0/notice_version"),
    ("showings", "language", "/notices/0/language"),
    ("showings", "text_sha256", "/notices/0/text_sha256"),
    ("showings", "opened_at", "/notices/0/opened_at"),
    ("showings", "reached_end_at", "/notices/0/reached_end_at"),
    ("refusals", "number", "/refusals/0/number"),
    ("refusals", "showing", "/refusals/0/showing"),
    ("refusals", "refused_at", "/refusals/0/refused_at"),
    ("refusals", "lifted_at", "/refusals/0/lifted_at"),
    ("consents", "id", "/consents/0/id"),
    ("consents", "link", "/consents/0/random_number"),
    ("consents", "notice_id", "/consents/0/notice_id"),
    ("consents", "notice_version", "/consents/0/notice_version"),
    ("consents", "language", "/consents/0/language"),
    ("consents", "text_sha256", "/consents/0/text_sha256"),
    ("consents", "sentence", "/consents/0/sentence"),
    ("consents", "signature", "/consents/0/signed_strokes/0/0/0"),
    ("consents", "ends_on", "/consents/0/ends_on"),
    ("consents", "signed_at", "/consents/0/signed_at"),
    ("consents", "evidence", "/consents/0/signed_record_hex"),
    ("consents", "ended_at", "/consents/0/ended_at"),
    ("consents", "end_reason", "/consents/0/end_reason"),
    ("consent_gates", "gate", "/consents/0/gates/0"),
    ("captures", "number", "/consents/0/captures/0/number"),
    ("captures", "begun_at", "/consents/0/captures/0/begun_at"),
    ("captures", "over_at", "/consents/0/captures/0/over_at"),
    ("captures", "lost_at", "/consents/0/captures/1/lost_at"),
    ("held", "gate", "/consents/0/held/0/gate"),
    ("held", "digest", "/consents/0/held/0/digest"),
    ("held", "receipt", "/consents/0/held/0/receipt_hex"),
    ("held", "since", "/consents/0/held/0/since"),
    ("held", "recognised_at", "/consents/0/held/0/recognised_at"),
    ("held", "erased_at", "/consents/0/held/0/erased_at"),
    ("certificates", "statement", "/consents/0/certificates_hex/0"),
    ("outbox", "sequence", "/messages/0/sequence"),
    ("outbox", "op", "/messages/0/op"),
    ("outbox", "gate", "/messages/0/gate"),
    ("outbox", "kind", "/messages/0/kind"),
    ("outbox", "consent", "/messages/3/consent"),
    ("outbox", "card", "/messages/0/card"),
    ("outbox", "state", "/messages/0/state"),
    ("outbox", "attempts", "/messages/0/attempts"),
    ("outbox", "queued_at", "/messages/0/queued_at"),
    ("outbox", "settled_at", "/messages/0/settled_at"),
    ("outbox", "reason", "/messages/1/reason"),
    ("outbox", "receipt", "/messages/0/receipt_hex"),
    ("requests", "n", "/requests/0/number"),
    ("requests", "kind", "/requests/0/kind"),
    ("requests", "came", "/requests/0/came"),
    ("requests", "identity", "/requests/0/identity"),
    ("requests", "asker", "/requests/0/asker"),
    ("requests", "words", "/requests/0/words"),
    ("requests", "received_at", "/requests/0/received_at"),
    ("requests", "due_on", "/requests/0/due_on"),
    ("requests", "received_by", "/requests/0/received_by"),
    ("requests", "outcome", "/requests/0/outcome"),
    ("requests", "decided_at", "/requests/0/decided_at"),
    ("requests", "decided_by", "/requests/0/decided_by"),
    ("requests", "answer", "/requests/0/answer"),
    ("requests", "letter_sha256", "/requests/0/letter_sha256"),
    ("requests", "done_at", "/requests/0/done_at"),
    ("changes", "field", "/changes/0/field"),
    ("changes", "old", "/changes/0/old"),
    ("changes", "new", "/changes/0/new"),
    ("changes", "changed_at", "/changes/0/changed_at"),
    ("changes", "changed_by", "/changes/0/changed_by"),
    ("changes", "confirmed_at", "/changes/0/confirmed_at"),
    ("restrictions", "since", "/restrictions/0/since"),
    ("restrictions", "entered_by", "/restrictions/0/entered_by"),
    ("restrictions", "lifted_at", "/restrictions/0/lifted_at"),
    ("deceased", "kin", "/death/kin"),
    ("deceased", "relation", "/death/relation"),
    ("deceased", "noted_at", "/death/noted_at"),
    ("deceased", "noted_by", "/death/noted_by"),
];

#[test]
fn p45a_every_column_that_hangs_on_a_resident_is_given_or_is_a_named_exception() -> Result<(), Faults> {
    let (_folder, mut vault, resident) = somebody_with_everything()?;
    let mut columns = hanging(&vault.main)?;
    columns.extend(hanging(&vault.people_keys)?);
    assert!(columns.iter().any(|(table, column)| table == "person_keys" && column == "sealing_key"));
    assert!(columns.len() > 90, "the walk finds the schema: {}", columns.len());

    let copy = serde_json::to_value(vault.everything_held(resident, Given::Electronic, false, later(90))?)?;
    let given: BTreeMap<(&str, &str), &str> = IN_IT.iter().map(|(t, c, at)| ((*t, *c), *at)).collect();
    let excepted: BTreeSet<(&str, &str)> = NOT_IN_IT.iter().map(|(t, c, _)| (*t, *c)).collect();
    let mut undecided = vec![];
    for (table, column) in &columns {
        let key = (table.as_str(), column.as_str());
        match (given.get(&key), excepted.contains(&key)) {
            (Some(pointer), false) => {
                let value = copy.pointer(pointer);
                let there = value.is_some_and(|v| !v.is_null() && v.as_str() != Some(""));
                assert!(there, "{table}.{column} is not at {pointer}");
            }
            (None, true) => {}
            (Some(_), true) => panic!("{table}.{column} is given and excepted"),
            (None, false) => {
                undecided.push(format!("{table}.{column}"));
            }
        }
    }
    assert!(
        undecided.is_empty(),
        "these hang on a resident: give them in `Dossier`, or name them in `NOT_IN_IT`: {undecided:?}"
    );
    // No entry that stands for nothing.
    let known: BTreeSet<(&str, &str)> = columns.iter().map(|(t, c)| (t.as_str(), c.as_str())).collect();
    for key in given.keys().chain(&excepted) {
        assert!(known.contains(key), "{key:?} is in no table");
    }
    Ok(())
}

#[test]
fn p45a_who_looked_when_and_why_is_in_it_and_nobody_elses_business_is() -> Result<(), Faults> {
    let (_folder, mut vault, resident) = somebody_with_everything()?;
    let other = add(&mut vault, "李雷", "9-902", None)?;
    vault.open_resident(other, OpenWhy::Staff(LookWhy::Card), later(80))?;
    vault.open_resident(resident, OpenWhy::Staff(LookWhy::Other), later(81))?;
    let copy = vault.everything_held(resident, Given::Paper, true, later(82))?;
    let looks: Vec<(&str, &str, Option<&str>)> = copy
        .log
        .iter()
        .filter(|entry| entry.what == "resident-opened" || entry.what == "everything-given")
        .map(|entry| (entry.who.as_str(), entry.at.as_str(), entry.why.as_deref()))
        .collect();
    let at = |seconds| later(seconds).second_text();
    assert_eq!(
        looks,
        [("前台小李", at(81).as_str(), Some("other")), ("前台小李", at(82).as_str(), Some("paper"))],
        "this very look is in it, and the other person's is not"
    );
    for what in ["consented", "camera-opened", "face-held", "delivered", "consent-ended", "notice-opened"] {
        assert!(copy.log.iter().any(|entry| entry.what == what), "{what}");
    }
    let text = serde_json::to_string(&copy)?;
    assert!(!text.contains("李雷") && !text.contains(&other.to_string()));
    assert!(text.contains("王晓明") && !format!("{copy:?}").contains("王晓明"));
    Ok(())
}

// Shows: P45a
#[test]
fn p45a_a_guardian_is_a_relation_on_the_wards_sheet_and_has_a_sheet_of_the_own() -> Result<(), Faults> {
    let (_folder, mut vault, resident) = somebody_with_everything()?;
    let copy = serde_json::to_string(&vault.everything_held(resident, Given::Electronic, false, later(90))?)?;
    for others in [GUARDIAN, GUARDIAN_PHONE, "赵第三"] {
        assert!(!copy.contains(others), "{others} is another person's");
    }
    assert!(copy.contains("欧***") && copy.contains("spouse") && copy.contains("court decision"));

    // Given only while that guardian is here, and logged.
    let decider = vault.decider(resident, later(91))?;
    let again = |vault: &mut Vault, name: &str, at: Timestamp| -> Result<(), Faults> {
        let (role, proof) = (GuardianRole::Spouse, ProofSeen::CourtDecision);
        let draft = GuardianDraft::parse(resident, decider, name, role, proof, "")?;
        vault.record_guardian(&draft, GuardianId::from_bytes(random_bytes()), at)?;
        Ok(())
    };
    let gone = vault.everything_held_of_guardian(resident, Given::Paper, later(91));
    assert_eq!(gone.err(), Some(VaultError::GuardianNotChecked));
    again(&mut vault, GUARDIAN, later(92))?;
    let sheet = vault.everything_held_of_guardian(resident, Given::Paper, later(93))?;
    assert_eq!(sheet.name, GUARDIAN);
    assert_eq!(sheet.checks.len(), 3, "every check under this name, and not the third person's");
    assert_eq!(sheet.checks.iter().filter(|(_, phone)| phone == GUARDIAN_PHONE).count(), 2);
    assert_eq!(sheet.signed.iter().map(|s| s.how.as_str()).collect::<Vec<_>>(), ["paper"]);
    assert!(sheet.log.iter().any(|entry| entry.what == "guardian-sheet-given"), "this very look is in it");
    assert!(sheet.log.iter().any(|entry| entry.what == "guardian-checked"));
    let text = serde_json::to_string(&sheet)?;
    for others in ["王晓明", "3-1201", "赵第三"] {
        assert!(!text.replace("我是王晓明的配偶", "").contains(others), "{others} is another person's");
    }
    // On a later day the guardian must show who they are again.
    let tomorrow = later(93).plus_ms(13 * 3_600_000);
    assert!(vault.everything_held_of_guardian(resident, Given::Paper, tomorrow).is_err());
    Ok(())
}

// Shows: P19
#[test]
fn p19_a_guardians_name_and_phone_end_with_the_duty_to_keep_them() -> Result<(), Faults> {
    let (_folder, mut vault, resident) = somebody_with_everything()?;
    let kept = |vault: &Vault| -> Result<(i64, i64, i64), Faults> {
        let count = |sql: &str| vault.main.query_row(sql, [], |row| row.get::<_, i64>(0));
        Ok((
            count("SELECT count(*) FROM guardians WHERE phone <> x''")?,
            count("SELECT count(*) FROM guardians WHERE name <> x''")?,
            count("SELECT count(*) FROM guardians")?,
        ))
    };
    assert_eq!(kept(&vault)?, (2, 2, 3));
    let days = |days: i64| NOW.plus_ms(days * 86_400_000);
    vault.run_retention(days(29))?;
    assert_eq!(kept(&vault)?, (2, 2, 3));
    // The death ended the consent: nobody needs to be reached about a face. The check without a consent proves nothing.
    vault.run_retention(days(32))?;
    assert_eq!(kept(&vault)?, (0, 1, 3));
    let dossier = vault.everything_held(resident, Given::Shown, false, days(33))?;
    assert_eq!(dossier.guardians.iter().filter(|g| g.name_ended_at.is_some()).count(), 2);
    vault.run_retention(days(3 * 366 - 1))?;
    assert_eq!(kept(&vault)?, (0, 1, 3), "three years prove the consent");
    vault.run_retention(days(3 * 366 + 2))?;
    assert_eq!(kept(&vault)?, (0, 0, 3), "the record itself goes on");
    assert!(vault.audit()?.is_sound());
    // A name can be overwritten, never written.
    let forged = vault.main.execute("UPDATE guardians SET name = x'01'", []);
    assert!(forged.is_err());
    let early = vault.main.execute("UPDATE consent_parties SET statement = x''", []);
    assert!(early.is_err());
    Ok(())
}

#[test]
fn p24_no_score_and_no_profile_is_kept_of_anybody() -> Result<(), Faults> {
    let (_folder, vault, _) = somebody_with_everything()?;
    let mut columns = hanging(&vault.main)?;
    columns.extend(hanging(&vault.people_keys)?);
    for (table, column) in columns {
        for word in ["score", "similarity", "distance", "rating", "mood", "gender", "visits", "last_pass"] {
            assert!(!column.contains(word), "{table}.{column}");
        }
    }
    Ok(())
}

/// Every column of every table that has a foreign key to residents, or to such a table, or a column named `resident`.
fn hanging(file: &Connection) -> Result<BTreeSet<(String, String)>, rusqlite::Error> {
    let mut names = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
    let tables: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut parents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for table in &tables {
        let mut info = file.prepare(&format!("PRAGMA table_info(\"{table}\")"))?;
        let found = info.query_map([], |row| row.get(1))?.collect::<Result<_, _>>()?;
        columns.insert(table.clone(), found);
        let mut keys = file.prepare(&format!("PRAGMA foreign_key_list(\"{table}\")"))?;
        parents.insert(table.clone(), keys.query_map([], |row| row.get(2))?.collect::<Result<_, _>>()?);
    }
    let mut hang: BTreeSet<String> = tables
        .iter()
        .filter(|t| *t == "residents" || columns.get(*t).is_some_and(|c| c.iter().any(|c| c == "resident")))
        .cloned()
        .collect();
    loop {
        let more: Vec<String> = tables
            .iter()
            .filter(|t| !hang.contains(*t) && parents.get(*t).is_some_and(|p| p.iter().any(|p| hang.contains(p))))
            .cloned()
            .collect();
        if more.is_empty() {
            break;
        }
        hang.extend(more);
    }
    Ok(hang
        .iter()
        .flat_map(|t| columns.get(t).into_iter().flatten().map(|c| (t.clone(), c.clone())).collect::<Vec<_>>())
        .collect())
}

fn later(seconds: i64) -> Timestamp {
    NOW.plus_ms(seconds * 1_000)
}

fn add(vault: &mut Vault, name: &str, unit: &str, next: Option<CivilDate>) -> Result<ResidentId, Faults> {
    let band = if next.is_some() { AgeBand::From14To17 } else { AgeBand::Adult };
    let draft = ResidentDraft::parse(None, name, unit, band, next, NOW.date().plus_days(300), NOW)?;
    Ok(vault.record_resident(&draft, ResidentId::from_bytes(random_bytes()), NOW)?)
}

/// Somebody of whom every table has a row in which every column has a value.
fn somebody_with_everything() -> Result<(tempfile::TempDir, Vault, ResidentId), Faults> {
    let folder = tempfile::tempdir()?;
    let passphrase = Passphrase::new("十个字以上的一句口令 1".into());
    let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
    let mut vault =
        Vault::create(folder.path(), Realm::Real, "前台小李", &passphrase, &SiteFacts::default(), NOW, cost)?;
    let gate = GateId::from_bytes(random_bytes());
    let text = |words: &str| words.to_owned();
    vault.record_gate(
        &GateRecord {
            id: gate,
            name: text("东门"),
            place: text("东侧"),
            capture_area: text("门前"),
            other_way: text("刷卡"),
            why_needed: text("人多"),
            address: text("192.168.1.2:7443"),
            tls_pin: [1; 32],
            seal_key: [2; 32],
            sign_key: [3; 32],
            card_way_tested_at: None,
            takes_faces: true,
        },
        NOW,
    )?;
    // Seventeen until a moment ago: the correction keeps the old band's day.
    let resident = add(&mut vault, "王小明", "3-1201", Some(NOW.date().plus_days(20)))?;
    let ends_on = NOW.date().plus_days(300);
    let grown = ResidentDraft::parse(Some(resident), "王小明", "3-1201", AgeBand::Adult, None, ends_on, NOW)?;
    vault.record_resident(&grown, resident, later(1))?;
    let corrected = ResidentDraft::parse(Some(resident), "王晓明", "3-1201", AgeBand::Adult, None, ends_on, NOW)?;
    vault.record_resident(&corrected, resident, later(2))?;
    vault.confirm_changes(resident, later(3))?;
    let uid = |n: u32| CardUid::from_bytes(&n.to_be_bytes()).ok_or("card");
    vault.issue_card(resident, &uid(77)?, &[gate], ends_on, later(4))?;
    settle(&mut vault, gate)?;
    vault.issue_card(resident, &uid(78)?, &[gate], ends_on, later(5))?;
    refuse_next(&mut vault, gate)?;
    settle(&mut vault, gate)?;

    let exact = "# 告知书\n";
    let notice = NoticeRef {
        id: "MK-N1".into(),
        version: "1.0".into(),
        language: Language::Chinese,
        sha256: Sha256::digest(exact.as_bytes()).into(),
    };
    let id = ShowingId::from_bytes(random_bytes());
    let shown = NoticeShown { id, resident, notice, opened_at: later(6), reached_end_at: Some(later(7)) };
    vault.record_showing(&shown, exact, later(7))?;
    vault.record_refusal(resident, id, later(8))?;
    vault.record_face_asked(resident, later(9))?;

    let signature = Signature::Strokes(vec![vec![(1, 2), (3, 4)]]);
    let sentence = "我单独同意".to_owned();
    let draft =
        ConsentDraft::new(&shown, resident, AgeBand::Adult, sentence, vec![gate], ends_on, signature, later(10))?;
    let (consent, template) = (ConsentId::from_bytes(random_bytes()), TemplateId::from_bytes(random_bytes()));
    let facts = vault.facts()?;
    let about =
        ConsentFacts { consent, template, draft: &draft, facts: &facts, site: vault.site(), realm: vault.realm() };
    let granted = vault.record_consent(&draft, consent, template, &consent_json(&about), later(10))?;
    vault.record_capture_begun(&granted, later(11))?;
    vault.record_capture_over(&granted, later(12))?;
    vault.record_face_held(&granted, gate, [9; 32], b"signed by the gate", later(13))?;
    vault.record_recognised(&granted, gate, later(14))?;
    vault.record_capture_begun(&granted, later(15))?;
    vault.main.execute("UPDATE captures SET lost_at = 1 WHERE over_at IS NULL", [])?;
    vault.end_consent(resident, EraseReason::Withdrawn, later(16))?;
    for ended in vault.endings_of(resident)? {
        vault.certificate(ended.consent, later(16))?;
    }
    settle(&mut vault, gate)?;

    vault.restrict(resident, Actor::Staff(vault.staff), later(17))?;
    vault.unrestrict(resident, later(18))?;
    under_guardianship(&mut vault, &shown, gate)?;
    let new = NewRequest {
        resident: Some(resident),
        kind: RequestKind::Correct,
        came: Came::Letter,
        identity: Identity::ActsForPerson,
        asker: "王大明，兄".into(),
        words: "删除同意记录".into(),
        due_on: NOW.date().plus_days(15),
    };
    let no: RequestNo = vault.receive_request(&new, true, later(19))?;
    let words = RefusalWords {
        part: "删除同意记录".into(),
        reason: "同意记录依法须留存三年，用来证明我们依法办理".into(),
        basis: "《个人信息保护法》第五十六条".into(),
    };
    let letter = format!("{}；{}；{}；12377；可以向人民法院起诉。", words.part, words.reason, words.basis);
    let refusal = WrittenRefusal::new(&words, letter.clone(), &letter, &["12377"])?;
    vault.refuse_request(no, &refusal, later(20))?;
    vault.finish_request(no, "", later(21))?;
    vault.record_death(resident, "王大明", "兄", later(22))?;
    Ok((folder, vault, resident))
}

/// The same person comes under guardianship: checks, the own answer, a form on paper, a consent by the guardian, news of a changed notice.
fn under_guardianship(vault: &mut Vault, shown: &NoticeShown, gate: GateId) -> Result<(), Faults> {
    let resident = shown.resident;
    let letters = Reading { sections_ms: vec![12_300, 4_000], letters_percent: 150, ..Reading::default() };
    vault.record_reading(shown.id, &letters)?;
    vault.mark_ward(resident, true, later(18))?;
    let check = |vault: &mut Vault, name: &str, at: Timestamp| -> Result<GuardianId, Faults> {
        let decider = vault.decider(resident, at)?;
        let (role, proof) = (GuardianRole::Spouse, ProofSeen::CourtDecision);
        let draft = GuardianDraft::parse(resident, decider, name, role, proof, GUARDIAN_PHONE)?;
        Ok(vault.record_guardian(&draft, GuardianId::from_bytes(random_bytes()), at)?.id)
    };
    check(vault, GUARDIAN, later(18))?;
    let guardian = check(vault, GUARDIAN, later(19))?;
    let view = ViewId::from_bytes(random_bytes());
    vault.record_view(&ViewHeard { id: view, resident, showing: shown.id, view: View::Yes }, later(19))?;
    let sentence = "我单独同意采集其人脸".to_owned();
    let form = FormId::from_bytes(random_bytes());
    vault.record_form(form, resident, &sentence, "# 表格\n签名：____\n", later(19))?;
    vault.record_form_seen(form, later(20))?;
    let (ends_on, at) = (NOW.date().plus_days(300), later(20));
    let signature = Signature::Paper(form);
    let mut draft = ConsentDraft::new(shown, resident, AgeBand::Adult, sentence, vec![gate], ends_on, signature, at)?;
    draft.party = Party::ForWard(ByGuardian { guardian, view, statement: "我是王晓明的配偶".into() });
    let (consent, template) = (ConsentId::from_bytes(random_bytes()), TemplateId::from_bytes(random_bytes()));
    let facts = vault.facts()?;
    let about =
        ConsentFacts { consent, template, draft: &draft, facts: &facts, site: vault.site(), realm: vault.realm() };
    let json = decided_json(&about, vault.guardian(guardian)?.as_ref());
    let _granted = vault.record_consent(&draft, consent, template, &json, at)?;
    let third = check(vault, "赵第三", later(21))?;
    vault.erase_guardian(&GuardianDue { resident, guardian: third, name: true }, later(21))?;
    let news = "INSERT INTO notice_versions (number, major, minor, in_use_on, parts) VALUES (2, 2, 0, 20779, '{}')";
    vault.main.execute(news, [])?;
    let sql = "INSERT INTO notice_news (version, consent, asks, told_at, told_on, answer, answered_at)
         VALUES (2, ?1, 1, ?2, 'screen', 'no', ?2)";
    vault.main.execute(sql, params![consent.bytes(), at.ms()])?;
    let sql = "INSERT INTO notice_stopped (version, consent, gate, ended_at) VALUES (2, ?1, ?2, ?3)";
    vault.main.execute(sql, params![consent.bytes(), gate.bytes(), at.ms()])?;
    Ok(())
}

/// The gate signs for everything that waits.
fn settle(vault: &mut Vault, gate: GateId) -> Result<(), Faults> {
    while let Some(due) = vault.next_due(gate, later(60))? {
        vault.record_delivered(due.op, gate, b"receipt", later(60))?;
    }
    Ok(())
}

/// The gate refuses the next operation.
fn refuse_next(vault: &mut Vault, gate: GateId) -> Result<(), Faults> {
    if let Some(due) = vault.next_due(gate, later(60))? {
        vault.record_wedged(due.op, "full", later(60))?;
    }
    Ok(())
}

/// What the pointers of a copy look like, so that a failing test can be read.
#[test]
fn an_electronic_copy_is_one_json_object() -> Result<(), Faults> {
    let (_folder, mut vault, resident) = somebody_with_everything()?;
    let copy: Value = serde_json::to_value(vault.everything_held(resident, Given::Shown, false, later(90))?)?;
    assert_eq!(copy.pointer("/person/name").and_then(Value::as_str), Some("王晓明"));
    assert_eq!(copy.pointer("/changes/0/field").and_then(Value::as_str), Some("age-band"));
    assert_eq!(copy.pointer("/changes/2/old").and_then(Value::as_str), Some("王小明"));
    assert_eq!(copy.pointer("/requests/0/number").and_then(Value::as_str), Some("2026-0001"));
    Ok(())
}
