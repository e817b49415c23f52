//! What the vault keeps of the notice: the signed site file, versions and who must be told, registers that nobody can give up.

use menka::domain::Realm;
use menka::domain::assessment::{Assessment, MajorIncident};
use menka::domain::audit::Actor;
use menka::domain::change::{Part, Stand, ToldOn, Version};
use menka::domain::delivery::GateOp;
use menka::domain::entrusted::Entrusted;
use menka::domain::id::{GateId, ResidentId};
use menka::domain::site::Fact;
use menka::domain::time::Timestamp;
use menka::evidence::hex;
use menka::vault::{Recorded, Vault, VaultError};
use sha2::{Digest, Sha256};

use super::site::*;

fn in_days(days: i64) -> Timestamp {
    NOW.plus_ms(60_000 + days * 86_400_000)
}

fn stand(gates: &[GateId]) -> Stand {
    let mut stand = Stand::default();
    stand.set(Part::Purpose, "开门");
    stand.set(Part::Place, "一号");
    stand.set(Part::Fact(Fact::ContactPhone), "110");
    gates.iter().for_each(|gate| stand.set(Part::Gate(*gate), "东侧"));
    stand
}

fn changed(before: &Stand, part: Part, words: &str) -> Stand {
    let mut after = before.clone();
    after.set(part, words);
    after
}

/// Signs for everything that waits for a gate; returns what it was.
fn deliver(vault: &mut Vault, gate: GateId, now: Timestamp) -> Vec<GateOp> {
    let mut done = vec![];
    while let Some(delivery) = vault.next_due(gate, now).unwrap() {
        vault.record_delivered(delivery.op, gate, b"receipt", now).unwrap();
        done.push(delivery.what);
    }
    done
}

/// Two gates, two people who consented to both, and a third with a card only.
fn site() -> (tempfile::TempDir, Vault, [GateId; 2], [ResidentId; 3], Stand) {
    let (folder, mut vault) = new_vault(Realm::Real);
    let gates = [gate(&mut vault, "东门"), gate(&mut vault, "西门")];
    let stand = stand(&gates);
    assert_eq!(vault.record_stand(&stand, NOW), Ok(Recorded::Draft));
    let mut people = vec![];
    for (n, name) in [(1, "王小明"), (2, "李秀英")] {
        let reader = reader(&mut vault, name, "3-1201", n, &gates);
        let granted = reader.consent(&mut vault, &gates).unwrap();
        for gate in gates {
            vault.record_face_held(&granted, gate, [7; 32], b"receipt", NOW).unwrap();
        }
        people.push(reader.resident);
    }
    people.push(resident(&mut vault, "赵奶奶", "1-1"));
    gates.iter().for_each(|gate| drop(deliver(&mut vault, *gate, in_days(0))));
    let people = people.try_into().unwrap();
    (folder, vault, gates, people, stand)
}

fn events(vault: &Vault, what: &str) -> usize {
    vault.log_records(0, 1_000).unwrap().iter().filter(|record| record.what == what).count()
}

#[test]
fn p09_the_site_file_is_signed_numbered_and_each_change_is_logged_with_old_and_new_digest() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let first = vault.site_file().unwrap().unwrap();
    let mut facts = vault.facts().unwrap();
    vault.record_facts(&facts, None, in_days(0)).unwrap();
    assert_eq!(vault.site_file().unwrap().unwrap().number, 1, "the same facts are no change");
    facts.set(Fact::ContactPhone, "021-5550100");
    vault.record_facts(&facts, None, in_days(1)).unwrap();
    let second = vault.site_file().unwrap().unwrap();
    assert_eq!(second.number, 2);
    let records = vault.log_records(0, 100).unwrap();
    let last = records.iter().rfind(|record| record.what == "site-facts-recorded").unwrap();
    assert_eq!(last.label.as_deref(), Some(hex(&first.sha256).as_str()));
    assert_eq!(last.digest.as_deref(), Some(hex(&Sha256::digest(&second.file)).as_str()));
    drop(vault);
    let vault = unlock(&folder, Realm::Real).unwrap();
    assert_eq!(vault.facts().unwrap().get(Fact::ContactPhone), "021-5550100");
    assert_eq!(vault.read_site_file(&second.file).unwrap().get(Fact::ContactPhone), "021-5550100");
}

#[test]
fn p09_a_site_file_that_was_edited_or_signed_elsewhere_is_refused_at_every_byte() {
    let (_folder, vault) = new_vault(Realm::Real);
    let file = vault.site_file().unwrap().unwrap().file;
    for at in 0..file.len() {
        let mut edited = file.clone();
        edited[at] ^= 1;
        assert_eq!(vault.read_site_file(&edited), Err(VaultError::SiteFileRefused), "byte {at}");
    }
    for bytes in [&b""[..], b"{}", &file[..file.len() / 2]] {
        assert_eq!(vault.read_site_file(bytes), Err(VaultError::SiteFileRefused));
    }
    let (_other_folder, other) = new_vault(Realm::Real);
    let theirs = other.site_file().unwrap().unwrap().file;
    assert_eq!(vault.read_site_file(&theirs), Err(VaultError::SiteFileRefused), "another station's");
}

#[test]
fn p14b_the_first_version_is_put_right_until_somebody_has_seen_it() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let before = stand(&[east]);
    assert_eq!(vault.record_stand(&before, NOW), Ok(Recorded::Draft));
    let after = changed(&before, Part::Purpose, "只开门");
    assert_eq!(vault.record_stand(&after, NOW), Ok(Recorded::Draft));
    assert_eq!(vault.record_stand(&after, NOW), Ok(Recorded::Same));
    assert_eq!(vault.notice_version().unwrap().map(|row| row.version), Some(Version::FIRST));
    reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let Recorded::New { version, stopped, told } = vault.record_stand(&before, NOW).unwrap() else {
        panic!("somebody has seen it")
    };
    assert_eq!((version.to_string().as_str(), stopped.len(), told), ("2.0", 0, 0));
}

#[test]
fn p14b_a_change_of_purpose_stops_every_face_and_ends_the_unanswered_at_the_set_date() {
    let (_folder, mut vault, gates, people, before) = site();
    let after = changed(&before, Part::Purpose, "开门和考勤");
    let (change, would_stop) = vault.foresee_stand(&after).unwrap();
    assert_eq!((change.is_material(), would_stop), (true, 2));
    let recorded = vault.record_stand(&after, in_days(0)).unwrap();
    assert!(matches!(recorded, Recorded::New { ref stopped, told: 0, .. } if stopped.len() == 2), "{recorded:?}");
    for gate in gates {
        let sent = deliver(&mut vault, gate, in_days(0));
        assert_eq!(sent.iter().filter(|op| matches!(op, GateOp::FreezeFace { .. })).count(), 2, "{sent:?}");
    }
    let news = vault.news_of(people[0]).unwrap().unwrap();
    assert!(news.asks && news.untold && news.is_open());
    assert_eq!((news.from.to_string(), news.to.to_string()), ("1.0".into(), "2.0".into()));
    let mut stopped = gates.to_vec();
    stopped.sort();
    assert_eq!(news.stopped, stopped);
    assert_eq!(news.answer_by, Some(in_days(0).date().plus_days(30)));
    assert_eq!(vault.news_of(people[2]), Ok(None), "no face, no news");

    // On the last day nothing is erased; after it everything of the change is, without anybody's doing.
    assert_eq!(vault.end_unanswered(in_days(30)).unwrap(), vec![]);
    let mut ended = vault.end_unanswered(in_days(31)).unwrap();
    ended.sort();
    let mut both = vec![people[0], people[1]];
    both.sort();
    assert_eq!(ended, both);
    for gate in gates {
        let sent = deliver(&mut vault, gate, in_days(31));
        assert_eq!(sent.iter().filter(|op| matches!(op, GateOp::EraseFace { .. })).count(), 2, "{sent:?}");
    }
    for person in [people[0], people[1]] {
        assert_eq!(vault.current_consent(person).unwrap(), None);
        assert_eq!(vault.faces_held(person).unwrap(), vec![]);
        assert!(vault.current_card(person).unwrap().is_some(), "the card is not touched");
    }
    let ends = vault.log_records(0, 1_000).unwrap();
    let labels: Vec<_> = ends.iter().filter(|r| r.what == "consent-ended").map(|r| r.label.as_deref()).collect();
    assert_eq!(labels, [Some("notice-changed"), Some("notice-changed")]);
    assert_eq!(vault.end_unanswered(in_days(40)).unwrap(), vec![], "once");
    assert!(vault.audit().unwrap().is_sound());
}

#[test]
fn p14b_a_moved_gate_stops_and_erases_there_only() {
    let (_folder, mut vault, gates, people, before) = site();
    vault.record_stand(&changed(&before, Part::Gate(gates[0]), "搬到南侧"), in_days(0)).unwrap();
    let frozen = |vault: &mut Vault, gate| deliver(vault, gate, in_days(0)).len();
    assert_eq!((frozen(&mut vault, gates[0]), frozen(&mut vault, gates[1])), (2, 0));
    // One says no, one does not answer: the same happens to both, at that gate only.
    vault.record_change_refused(people[0], in_days(1)).unwrap();
    assert_eq!(vault.end_unanswered(in_days(31)).unwrap(), vec![people[1]]);
    assert_eq!(deliver(&mut vault, gates[0], in_days(31)).len(), 2);
    assert_eq!(deliver(&mut vault, gates[1], in_days(31)).len(), 0);
    for person in [people[0], people[1]] {
        let held: Vec<GateId> = vault.faces_held(person).unwrap().iter().map(|face| face.gate).collect();
        assert_eq!(held, [gates[1]]);
        assert!(vault.current_consent(person).unwrap().is_some(), "the rest of the consent stands");
        assert!(vault.news_of(person).unwrap().is_some_and(|news| !news.asks && news.stopped.is_empty()));
    }
    assert_eq!((events(&vault, "notice-change-refused"), events(&vault, "notice-part-ended")), (1, 2));
    // A later change of the purpose concerns what is left.
    let later = changed(&changed(&before, Part::Gate(gates[0]), "搬到南侧"), Part::Purpose, "别的");
    vault.record_stand(&later, in_days(32)).unwrap();
    assert_eq!(vault.news_of(people[0]).unwrap().unwrap().stopped, [gates[1]]);
    vault.record_change_refused(people[0], in_days(33)).unwrap();
    assert_eq!(vault.current_consent(people[0]).unwrap(), None, "nothing is left of it");
}

#[test]
fn p14b_a_new_gate_raises_the_version_and_stops_nobody() {
    let (_folder, mut vault, gates, people, before) = site();
    let north = gate(&mut vault, "北门");
    let recorded = vault.record_stand(&changed(&before, Part::Gate(north), "北侧"), in_days(0)).unwrap();
    assert!(
        matches!(&recorded, Recorded::New { version, stopped, told: 2 }
        if version.to_string() == "2.0" && stopped.is_empty()),
        "{recorded:?}"
    );
    gates.iter().for_each(|gate| assert_eq!(deliver(&mut vault, *gate, in_days(0)), vec![]));
    let news = vault.news_of(people[0]).unwrap().unwrap();
    assert!(!news.asks && news.untold, "told at the next contact");
    assert_eq!(vault.record_change_refused(people[0], in_days(1)), Err(VaultError::ConsentNotCurrent));
    let consent = vault.current_consent(people[0]).unwrap().unwrap();
    assert!(!consent.gates.contains(&north), "a face goes there only under a new consent");
}

#[test]
fn p17c_who_was_told_and_who_was_not_is_on_record() {
    let (_folder, mut vault, _, people, before) = site();
    let after = changed(&before, Part::Fact(Fact::ContactPhone), "119");
    let recorded = vault.record_stand(&after, in_days(0)).unwrap();
    assert!(matches!(&recorded, Recorded::New { version, told: 2, .. } if version.to_string() == "1.1"));
    assert_eq!(vault.end_unanswered(in_days(365)).unwrap(), vec![], "nobody is asked");
    let count = |vault: &Vault| {
        let newest = vault.version_news().unwrap()[0];
        (newest.concerned, newest.asked, newest.told, newest.untold, newest.unanswered)
    };
    assert_eq!(count(&vault), (2, 0, 0, 2, 0));
    let staff = Actor::Staff(vault.operator().0);
    vault.record_told(people[0], ToldOn::Paper, staff, in_days(1)).unwrap();
    vault.record_told(people[0], ToldOn::Paper, staff, in_days(2)).unwrap();
    assert_eq!(count(&vault), (2, 0, 1, 1, 0));
    assert_eq!(events(&vault, "notice-change-told"), 1, "told once, it stays told");
    let news = vault.news_of(people[0]).unwrap().unwrap();
    assert_eq!((news.untold, news.is_open(), news.told_at), (false, false, Some(in_days(1))));
    assert_eq!(vault.record_told(people[2], ToldOn::Screen, staff, in_days(1)), Err(VaultError::ConsentNotCurrent));
    // Who withdraws needs no telling.
    vault.end_consent(people[1], menka::domain::consent::EraseReason::Withdrawn, in_days(2)).unwrap();
    assert_eq!(count(&vault), (2, 0, 1, 0, 0));
    let change = news.change;
    assert_eq!(change.parts.len(), 1);
    assert_eq!((change.parts[0].old.as_deref(), change.parts[0].new.as_deref()), (Some("110"), Some("119")));
}

#[test]
fn ndr22_6_a_new_consent_takes_the_place_of_the_old_one_only_under_a_changed_notice() {
    let (_folder, mut vault, gates, people, before) = site();
    let again = |vault: &mut Vault| {
        let mut reader = reader(vault, "王小明二", "9-1", 9, &gates);
        // The same person reads anew.
        let resident = people[0];
        reader.shown.id = menka::domain::id::ShowingId::from_bytes(menka::secret::random_bytes());
        reader.shown.resident = resident;
        reader.resident = resident;
        vault.record_showing(&reader.shown, NOTICE, NOW).unwrap();
        reader
    };
    let reader = again(&mut vault);
    assert_eq!(reader.consent(&mut vault, &gates).unwrap_err(), VaultError::ConsentThere);
    let old = vault.current_consent(people[0]).unwrap().unwrap();
    vault.record_stand(&changed(&before, Part::Purpose, "只开门"), in_days(0)).unwrap();
    let granted = reader.consent(&mut vault, &gates).unwrap();
    let new = vault.current_consent(people[0]).unwrap().unwrap();
    assert_ne!(old.consent, new.consent);
    assert_eq!(granted.consent(), new.consent);
    assert_eq!(vault.news_of(people[0]), Ok(None), "answered by the new consent");
    let sent = deliver(&mut vault, gates[0], in_days(1));
    assert!(sent.contains(&GateOp::EraseFace { template: old.template }), "{sent:?}");
    assert!(!sent.contains(&GateOp::EraseFace { template: new.template }), "{sent:?}");
    assert_eq!(reader.consent(&mut vault, &gates).unwrap_err(), VaultError::ConsentThere, "once");
}

#[test]
fn j02_4_nothing_is_sent_under_a_consent_whose_notice_changed() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let before = stand(&[east]);
    vault.record_stand(&before, NOW).unwrap();
    let granted = reader(&mut vault, "王小明", "3-1201", 1, &[east]).consent(&mut vault, &[east]).unwrap();
    assert_eq!(vault.confirm(&granted, in_days(0)), Ok(()));
    vault.record_stand(&changed(&before, Part::Gate(east), "别处"), in_days(0)).unwrap();
    assert_eq!(vault.confirm(&granted, in_days(0)), Err(VaultError::ConsentNotCurrent));
    // A face that a gate took in the same moment is erased there again.
    let held = vault.record_face_held(&granted, east, [1; 32], b"receipt", in_days(0));
    assert_eq!(held, Err(VaultError::ConsentNotCurrent));
    let sent = deliver(&mut vault, east, in_days(0));
    assert!(sent.iter().any(|op| matches!(op, GateOp::EraseFace { .. })), "{sent:?}");
}

#[test]
fn p55_assessments_incidents_and_entrusted_parties_stay_as_entered() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let made = |number: &str| Assessment {
        number: number.into(),
        signed_on: NOW.date(),
        signer: "周敏".into(),
        heads: std::array::from_fn(|_| "评估".repeat(10)),
        necessity: "必要".repeat(30),
        review_on: NOW.date().plus_days(300),
        scope_sha256: [3; 32],
    };
    vault.record_assessment(&made("PIA-1"), NOW).unwrap();
    vault.record_assessment(&made("PIA-2"), in_days(1)).unwrap();
    assert_eq!(vault.major_incidents(), Ok(vec![]));
    vault.record_incident(NOW.date(), NOW).unwrap();
    let day = NOW.date();
    let fields = ["维保公司", "021-1", "维修", "不接触", "陪同", "HT-7"].map(String::from);
    let entry = Entrusted { fields, begins_on: day, ends_on: day.plus_days(300) };
    vault.record_entrusted(&entry, NOW).unwrap();
    drop(vault);
    let mut vault = unlock(&folder, Realm::Real).unwrap();
    let numbers: Vec<String> = vault.assessments().unwrap().into_iter().map(|row| row.assessment.number).collect();
    assert_eq!(numbers, ["PIA-1", "PIA-2"], "the older one is kept");
    let facts = vault.facts_on(day).unwrap();
    assert_eq!((facts.get(Fact::PiaNo), facts.get(Fact::PiaDate)), ("PIA-2", day.to_string().as_str()));
    assert!(facts.get(Fact::EntrustedList).starts_with("维保公司（021-1；维修"), "p21: {facts:?}");
    assert_eq!(vault.major_incidents(), Ok(vec![MajorIncident { happened_on: day, entered_at: NOW }]));

    let number = vault.entrusted().unwrap()[0].number;
    vault.end_entrusted(number, in_days(2)).unwrap();
    assert_eq!(vault.end_entrusted(number, in_days(3)), Err(VaultError::EndWrong));
    assert_eq!(vault.end_entrusted(99, in_days(3)), Err(VaultError::Unknown));
    assert_eq!(vault.facts_on(in_days(2).date()).unwrap().get(Fact::EntrustedList), "无");
    assert_eq!(vault.entrusted().unwrap().len(), 1, "ndr12: the entry stays");
    assert_eq!(vault.entrusted().unwrap()[0].entry.ends_on, in_days(1).date());
}

#[test]
fn f13a_each_sign_keeps_its_day_its_words_and_who_posted_it() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    vault.record_sign(None, [1; 32], NOW.date(), NOW).unwrap();
    vault.record_sign(Some(east), [2; 32], NOW.date(), NOW).unwrap();
    vault.record_sign(Some(east), [3; 32], NOW.date().plus_days(1), in_days(1)).unwrap();
    let nobody = GateId::from_bytes([9; 16]);
    assert_eq!(vault.record_sign(Some(nobody), [2; 32], NOW.date(), NOW), Err(VaultError::Unknown));
    let signs = vault.signs().unwrap();
    assert_eq!(signs.len(), 2, "the newest of each");
    assert!(signs.iter().all(|sign| sign.by == "前台小李"));
    let of = |gate| signs.iter().find(|sign| sign.gate == gate).map(|sign| sign.words_sha256);
    assert_eq!((of(None), of(Some(east))), (Some([1; 32]), Some([3; 32])));
}
