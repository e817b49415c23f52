//! What the law and the notice ask of the vault.

use std::process::Command;

use menka::domain::Realm;
use menka::domain::approval::Act;
use menka::domain::audit::Actor;
use menka::domain::consent::EraseReason;
use menka::domain::delivery::{DeliveryState, GateOp};
use menka::domain::gate::GateRecord;
use menka::domain::id::{ConsentId, GateId, OpId, ResidentId, ShowingId, TemplateId};
use menka::domain::resident::{AgeBand, ResidentDraft};
use menka::domain::role::LookWhy;
use menka::domain::site::Fact;
use menka::domain::time::Timestamp;
use menka::evidence::{Kind, checkpoint, consent, hex, statement};
use menka::secret::random_bytes;
use menka::vault::{OpenWhy, Vault, VaultError};
use sha2::{Digest, Sha256};

use super::site::*;

fn later(ms: i64) -> Timestamp {
    NOW.plus_ms(60_000 + ms)
}

/// Takes and signs for everything that waits for a gate; returns what it was.
fn deliver_all(vault: &mut Vault, gate: GateId, now: Timestamp) -> Vec<GateOp> {
    let mut done = vec![];
    while let Some(delivery) = vault.next_due(gate, now).unwrap() {
        vault.record_delivered(delivery.op, gate, b"receipt", now).unwrap();
        done.push(delivery.what);
    }
    done
}

#[test]
fn p17_the_text_that_was_shown_replays_byte_for_byte() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    drop(vault);
    let mut vault = unlock(&folder, Realm::Real).unwrap();
    let sha256 = reader.shown.notice.sha256;
    assert_eq!(vault.shown_text(&sha256).unwrap().unwrap().as_bytes(), NOTICE.as_bytes());
    assert_eq!(vault.shown_text(&[0; 32]), Ok(None));

    let mut other = reader.shown.clone();
    other.id = ShowingId::from_bytes(random_bytes());
    assert_eq!(vault.record_showing(&other, "另一段文字", NOW), Err(VaultError::TextDiffers));
    assert_eq!(vault.record_showing(&reader.shown, NOTICE, NOW), Err(VaultError::IdUsed));
}

#[test]
fn p14_no_consent_without_a_notice_read_to_its_end() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let mut draft = reader.draft(&[east]);
    draft.notice.sha256 = [9; 32];
    assert_eq!(record(&mut vault, &draft).unwrap_err(), VaultError::NoticeNotShown);

    // Another person's reading does not count.
    let other = resident(&mut vault, "李雷", "3-1202");
    vault.issue_card(other, &uid(2), &[east], last_day(), NOW).unwrap();
    let mut draft = reader.draft(&[east]);
    draft.resident = other;
    assert_eq!(record(&mut vault, &draft).unwrap_err(), VaultError::NoticeNotShown);
}

#[test]
fn p18_there_is_no_way_around_the_end_of_the_notice() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let read = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    // The same text, opened for another person who has not reached its end.
    let other = resident(&mut vault, "李雷", "3-1202");
    vault.issue_card(other, &uid(2), &[east], last_day(), NOW).unwrap();
    let mut shown = read.shown.clone();
    (shown.id, shown.resident, shown.reached_end_at) = (ShowingId::from_bytes(random_bytes()), other, None);
    vault.record_showing(&shown, NOTICE, NOW).unwrap();
    let mut draft = read.draft(&[east]);
    draft.resident = other;
    assert_eq!(record(&mut vault, &draft).unwrap_err(), VaultError::NoticeNotShown);
    vault.record_reached_end(shown.id, NOW.plus_ms(20_000)).unwrap();
    assert!(record(&mut vault, &draft).is_ok());
    let nobody = ShowingId::from_bytes([0xEE; 16]);
    assert_eq!(vault.record_reached_end(nobody, NOW), Err(VaultError::Unknown));
    assert_eq!(vault.record_refusal(other, read.showing, NOW), Err(VaultError::Unknown), "another person's showing");
}

// Shows: J04-1, N8-1
#[test]
fn p16_a_card_is_issued_without_any_face_step_and_no_consent_without_a_card() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    assert_eq!(vault.current_consent(reader.resident).unwrap(), None);
    assert_eq!(deliver_all(&mut vault, east, later(0)), [GateOp::PutCard { uid: uid(1), ends_on: last_day() }]);

    vault.end_card(reader.resident, later(0)).unwrap();
    assert_eq!(reader.consent(&mut vault, &[east]).unwrap_err(), VaultError::CardNeeded);
    assert_eq!(vault.end_card(reader.resident, later(0)), Err(VaultError::CardNeeded));
    assert!(vault.log_records(0, 100).unwrap().iter().any(|r| r.what == "card-ended"));
}

#[test]
fn p16_a_consent_is_not_current_once_the_card_is_gone() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let granted = reader.consent(&mut vault, &[east]).unwrap();
    vault.end_card(reader.resident, later(0)).unwrap();
    assert_eq!(vault.confirm(&granted, later(0)), Err(VaultError::ConsentNotCurrent));
    vault.issue_card(reader.resident, &uid(7), &[east], last_day(), later(0)).unwrap();
    assert_eq!(vault.confirm(&granted, later(0)), Ok(()), "a new card stands in for the lost one");
}

// Shows: J04-3
#[test]
fn p16_refusing_changes_nothing_about_the_card() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let before = vault.current_card(reader.resident).unwrap();
    vault.record_refusal(reader.resident, reader.showing, later(0)).unwrap();
    assert_eq!(vault.current_card(reader.resident).unwrap(), before);
    assert_eq!(deliver_all(&mut vault, east, later(0)).len(), 1);
}

// Shows: NDR62, ES1
#[test]
fn p29_a_consent_is_recorded_with_signed_evidence_before_there_is_a_witness() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let (east, west) = (gate(&mut vault, "东门"), gate(&mut vault, "西门"));
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let before = vault.log_len().unwrap();
    let granted = reader.consent(&mut vault, &[west, east]).unwrap();
    assert_eq!(vault.confirm(&granted, later(0)), Ok(()));
    assert_eq!(granted.gates(), [west, east]);
    assert!(vault.log_len().unwrap() > before);

    // Another connection, and another run, see the same.
    assert_eq!(vault.second_connection().unwrap().confirm(&granted, later(0)), Ok(()));
    drop(vault);
    let vault = unlock(&folder, Realm::Real).unwrap();
    assert_eq!(vault.confirm(&granted, later(0)), Ok(()));
    let row = vault.current_consent(reader.resident).unwrap().unwrap();
    assert_eq!((row.consent, row.template, &row.gates[..]), (granted.consent(), granted.template(), &[west, east][..]));
    assert_eq!(row.sentence, "我同意用人脸开东门");
    assert_eq!(row.notice, reader.shown.notice);
    assert!(vault.consent_signature(row.consent).unwrap() == reader.draft(&[east]).signature);

    let signed = statement::verify(&row.evidence, &vault.evidence_public()).unwrap();
    assert_eq!(signed.kind, Kind::Consent);
    let states = consent::read(&signed.payload).unwrap();
    assert_eq!((states.consent, states.resident), (granted.consent(), reader.resident));
    assert!(!contains(&signed.payload, "王小明".as_bytes()));
    let records = vault.log_records(0, 1_000).unwrap();
    let logged = records.iter().find(|r| r.what == "consented").unwrap();
    assert_eq!(logged.who, format!("resident:{}", reader.resident));
    assert_eq!(logged.digest.as_deref(), Some(hex(&Sha256::digest(&row.evidence)).as_str()));
}

#[test]
fn p29_a_record_that_states_something_else_is_not_signed() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let (east, west) = (gate(&mut vault, "东门"), gate(&mut vault, "西门"));
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let (id, template) = (ConsentId::from_bytes(random_bytes()), TemplateId::from_bytes(random_bytes()));
    let (draft, wider, facts) = (reader.draft(&[east]), reader.draft(&[east, west]), facts());
    let about = consent::ConsentFacts {
        consent: id,
        template,
        draft: &wider,
        facts: &facts,
        site: vault.site(),
        realm: vault.realm(),
    };
    let json = consent::consent_json(&about);
    let length = vault.log_len().unwrap();
    for bytes in [&json[..], b"{}", b""] {
        assert_eq!(vault.record_consent(&draft, id, template, bytes, later(0)).unwrap_err(), VaultError::RecordDiffers);
    }
    assert_eq!(vault.current_consent(reader.resident).unwrap(), None);
    assert_eq!(vault.log_len().unwrap(), length, "a refused consent leaves nothing behind");
}

#[test]
fn p29_one_current_consent_a_person_and_used_numbers_are_refused() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let granted = reader.consent(&mut vault, &[east]).unwrap();
    assert_eq!(reader.consent(&mut vault, &[east]).unwrap_err(), VaultError::ConsentThere);

    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(0)).unwrap();
    let (draft, facts) = (reader.draft(&[east]), facts());
    let (consent, template) = (ConsentId::from_bytes(random_bytes()), granted.template());
    let (site, realm) = (vault.site(), vault.realm());
    let about = consent::ConsentFacts { consent, template, draft: &draft, facts: &facts, site, realm };
    let json = consent::consent_json(&about);
    assert_eq!(vault.record_consent(&draft, consent, template, &json, later(0)).unwrap_err(), VaultError::IdUsed);
    assert!(reader.consent(&mut vault, &[east]).is_ok(), "with new numbers it is possible again");
}

#[test]
fn p31_a_minor_and_an_end_after_the_persons_own_are_refused() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let mut draft = reader.draft(&[east]);
    draft.ends_on = last_day().plus_days(1);
    assert_eq!(record(&mut vault, &draft).unwrap_err(), VaultError::EndWrong);
    draft.ends_on = NOW.date().plus_days(-1);
    assert_eq!(record(&mut vault, &draft).unwrap_err(), VaultError::EndWrong);
    draft = reader.draft(&[GateId::from_bytes([0xEE; 16])]);
    assert_eq!(record(&mut vault, &draft).unwrap_err(), VaultError::Unknown);

    let birthday = Some(NOW.date().plus_days(200));
    let change =
        ResidentDraft::parse(Some(reader.resident), "王小明", "3-1201", AgeBand::From14To17, birthday, last_day(), NOW);
    vault.record_resident(&change.unwrap(), ResidentId::from_bytes(random_bytes()), NOW).unwrap();
    assert_eq!(reader.consent(&mut vault, &[east]).unwrap_err(), VaultError::GuardianNeeded);
}

#[test]
fn p15_a_refusal_ends_the_consent_and_only_the_own_tap_lifts_it() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let granted = reader.consent(&mut vault, &[east]).unwrap();
    vault.record_refusal(reader.resident, reader.showing, later(0)).unwrap();

    assert_eq!(vault.confirm(&granted, later(1)), Err(VaultError::ConsentNotCurrent));
    assert_eq!(vault.record_capture_begun(&granted, later(1)), Err(VaultError::ConsentNotCurrent));
    assert_eq!(vault.refusal_stands(reader.resident), Ok(true));
    assert_eq!(reader.consent(&mut vault, &[east]).unwrap_err(), VaultError::RefusalStands);
    assert_eq!(vault.erase_pending(reader.resident).unwrap(), [east]);

    vault.record_face_asked(reader.resident, later(2)).unwrap();
    assert_eq!(vault.refusal_stands(reader.resident), Ok(false));
    assert_eq!(vault.confirm(&granted, later(2)), Err(VaultError::ConsentNotCurrent), "the old yes stays over");
    assert!(reader.consent(&mut vault, &[east]).is_ok());
}

#[test]
fn p15_withdrawal_queues_an_erasure_for_each_named_gate_ahead_of_all_cards() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let gates = [gate(&mut vault, "东门"), gate(&mut vault, "西门"), gate(&mut vault, "南门")];
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &gates);
    let granted = reader.consent(&mut vault, &gates).unwrap();
    // One gate of three acknowledged; the erasure goes to all of them.
    vault.record_face_held(&granted, gates[0], [7; 32], b"receipt", later(0)).unwrap();
    assert_eq!(vault.faces_held(reader.resident).unwrap().len(), 1);
    let ops = vault.end_consent(reader.resident, EraseReason::Withdrawn, later(1)).unwrap();
    assert_eq!(ops.len(), 3);
    assert_eq!(vault.erase_pending(reader.resident).unwrap().len(), 3);
    assert_eq!(vault.confirm(&granted, later(1)), Err(VaultError::ConsentNotCurrent));
    assert_eq!(
        vault.end_consent(reader.resident, EraseReason::Withdrawn, later(1)),
        Err(VaultError::ConsentNotCurrent)
    );

    for gate in gates {
        let done = deliver_all(&mut vault, gate, later(2));
        let erase = GateOp::EraseFace { template: granted.template() };
        assert_eq!(done, [erase, GateOp::PutCard { uid: uid(1), ends_on: last_day() }]);
    }
    assert_eq!(vault.erase_pending(reader.resident).unwrap(), []);
    assert_eq!(vault.faces_held(reader.resident).unwrap(), []);
    assert_eq!(vault.erasures_pending().unwrap(), []);
    let records = vault.log_records(0, 1_000).unwrap();
    assert_eq!(records.iter().filter(|r| r.what == "face-erased").count(), 3);
}

#[test]
fn p15_an_erasure_that_waits_for_its_gate_holds_everything_behind_it() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let _ = reader.consent(&mut vault, &[east]).unwrap();
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(0)).unwrap();
    let first = vault.next_due(east, later(0)).unwrap().unwrap();
    assert!(matches!(first.what, GateOp::EraseFace { .. }));
    vault.record_try_failed(first.op, later(0)).unwrap();
    assert_eq!(vault.next_due(east, later(999)).unwrap(), None, "the card does not overtake");
    let again = vault.next_due(east, later(1_000)).unwrap().unwrap();
    assert_eq!((again.op, again.sequence), (first.op, first.sequence));
    assert_eq!(again.state, DeliveryState::Pending { attempts: 1, not_before: later(1_000) });
}

#[test]
fn p15_a_withdrawal_entered_by_staff_is_logged_as_theirs() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let _ = reader.consent(&mut vault, &[east]).unwrap();
    let staff = vault.operator().0;
    vault.end_consent_by(reader.resident, EraseReason::Withdrawn, Actor::Staff(staff), later(0)).unwrap();
    let records = vault.log_records(0, 1_000).unwrap();
    let ended = records.iter().find(|r| r.what == "consent-ended").unwrap();
    assert_eq!((ended.who.clone(), ended.label.as_deref()), (format!("staff:{staff}"), Some("withdrawn")));
}

#[test]
fn p15_a_face_that_arrives_after_the_withdrawal_is_recorded_and_erased() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let granted = reader.consent(&mut vault, &[east]).unwrap();
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(0)).unwrap();
    deliver_all(&mut vault, east, later(0));
    let answer = vault.record_face_held(&granted, east, [7; 32], b"receipt", later(1));
    assert_eq!(answer, Err(VaultError::ConsentNotCurrent));
    assert_eq!(vault.faces_held(reader.resident).unwrap().len(), 1, "what is true is on record");
    assert_eq!(deliver_all(&mut vault, east, later(1)), [GateOp::EraseFace { template: granted.template() }]);
    assert_eq!(vault.faces_held(reader.resident).unwrap(), []);

    let other = GateId::from_bytes([0xEE; 16]);
    assert_eq!(vault.record_face_held(&granted, other, [7; 32], b"r", later(2)), Err(VaultError::GateNotNamed));
    assert_eq!(vault.record_recognised(&granted, east, later(2)), Err(VaultError::Unknown));
}

#[test]
fn p19_a_consent_is_due_the_day_after_its_last_day_or_the_persons_own() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let granted = reader.consent(&mut vault, &[east]).unwrap();
    let over = last_day().end();
    assert_eq!(vault.consents_due(over.plus_ms(-1)).unwrap(), []);
    assert_eq!(vault.confirm(&granted, over.plus_ms(-1)), Ok(()));
    assert_eq!(vault.consents_due(over).unwrap(), [reader.resident]);
    assert_eq!(vault.confirm(&granted, over), Err(VaultError::ConsentNotCurrent));

    // The tenancy is cut short: so is the face.
    let sooner = NOW.date().plus_days(10);
    let change =
        ResidentDraft::parse(Some(reader.resident), "王小明", "3-1201", AgeBand::Adult, None, sooner, NOW).unwrap();
    vault.record_resident(&change, ResidentId::from_bytes(random_bytes()), NOW).unwrap();
    assert_eq!(vault.consents_due(sooner.end()).unwrap(), [reader.resident]);
    assert_eq!(vault.end_consent(reader.resident, EraseReason::TermOver, sooner.end()).unwrap().len(), 1);
    assert_eq!(vault.consents_due(sooner.end()).unwrap(), []);
}

#[test]
fn p55_a_stranger_checks_a_record_and_a_head_with_the_posted_key_and_nothing_else() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &[east]);
    let _ = reader.consent(&mut vault, &[east]).unwrap();
    let record = vault.current_consent(reader.resident).unwrap().unwrap().evidence;
    let key = hex(&vault.evidence_public());
    let (receipt, head) = (folder.path().join("consent.cose"), folder.path().join("head.txt"));
    std::fs::write(&receipt, &record).unwrap();
    std::fs::write(&head, vault.checkpoint().unwrap()).unwrap();
    let verify = |what: &str, file: &std::path::Path, key: &str| {
        let run =
            Command::new(env!("CARGO_BIN_EXE_menka-verify")).arg(what).arg(file).args(["--key", key]).output().unwrap();
        (run.status.code(), String::from_utf8(run.stdout).unwrap())
    };
    let (code, text) = verify("receipt", &receipt, &key);
    assert_eq!(code, Some(0));
    assert!(text.starts_with("GENUINE: consent record"), "{text}");
    assert_eq!(verify("checkpoint", &head, &key).0, Some(0));
    assert_eq!(verify("receipt", &receipt, &"11".repeat(32)).0, Some(1));
    assert_eq!(verify("checkpoint", &receipt, &key).0, Some(1));
    assert_eq!(verify("receipt", &folder.path().join("nowhere"), &key).0, Some(2));
    assert_eq!(verify("receipt", &receipt, "no key").0, Some(2));
    assert_eq!(verify("print", &receipt, &key).0, Some(2));
}

#[test]
fn l3_practice_ends_every_face_at_its_close() {
    let (_folder, mut vault) = new_vault(Realm::Practice);
    let east = gate(&mut vault, "东门");
    for (number, name) in ["王一", "王二", "王三"].into_iter().enumerate() {
        let reader = reader(&mut vault, name, "1-1", 10 + number as u32, &[east]);
        let _ = reader.consent(&mut vault, &[east]).unwrap();
    }
    assert_eq!(vault.end_all_faces(EraseReason::PracticeOver, later(0)).unwrap().len(), 3);
    assert_eq!(vault.end_all_faces(EraseReason::PracticeOver, later(0)).unwrap(), []);
    assert_eq!(vault.erasures_pending().unwrap().len(), 3);
}

#[test]
fn l3_a_capture_cut_short_is_found_at_the_next_unlock() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let (east, west) = (gate(&mut vault, "东门"), gate(&mut vault, "西门"));
    let lost = reader(&mut vault, "王一", "1-1", 1, &[east]);
    let (kept, whole) = (reader(&mut vault, "王二", "1-2", 2, &[east]), reader(&mut vault, "王三", "1-3", 3, &[east]));
    let lost_consent = lost.consent(&mut vault, &[east, west]).unwrap();
    let (kept_consent, whole_consent) =
        (kept.consent(&mut vault, &[east]).unwrap(), whole.consent(&mut vault, &[east]).unwrap());
    // Cut short before any gate answered; cut short during the try; and properly over.
    vault.record_capture_begun(&lost_consent, later(0)).unwrap();
    vault.record_capture_begun(&kept_consent, later(0)).unwrap();
    vault.record_face_held(&kept_consent, east, [7; 32], b"r", later(0)).unwrap();
    vault.record_capture_begun(&whole_consent, later(0)).unwrap();
    vault.record_capture_over(&whole_consent, later(0)).unwrap();
    assert_eq!(vault.captures_lost(), Ok(0), "they are running, not lost");
    drop(vault);

    let mut vault = unlock(&folder, Realm::Real).unwrap();
    assert_eq!(vault.confirm(&lost_consent, later(1)), Err(VaultError::ConsentNotCurrent));
    assert_eq!(vault.erase_pending(lost.resident).unwrap().len(), 2, "a gate may have taken it before the crash");
    assert_eq!(vault.confirm(&kept_consent, later(1)), Ok(()));
    assert_eq!(vault.confirm(&whole_consent, later(1)), Ok(()));
    assert_eq!(vault.captures_lost(), Ok(1));
    assert_eq!(vault.captures_lost(), Ok(0), "told once");
    let records = vault.log_records(0, 1_000).unwrap();
    assert!(records.iter().any(|r| r.what == "consent-ended" && r.label.as_deref() == Some("capture-lost")));
    drop(vault);
    assert_eq!(unlock(&folder, Realm::Real).unwrap().captures_lost(), Ok(0));
}

#[test]
fn l3_a_capture_whose_end_was_not_written_ends_no_newer_consent_of_the_same_person() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let person = reader(&mut vault, "王一", "1-1", 1, &[east]);
    let first = person.consent(&mut vault, &[east]).unwrap();
    vault.record_capture_begun(&first, later(0)).unwrap();
    // The disk took the end of the consent and not that of the capture; then the person came again.
    vault.end_consent(person.resident, EraseReason::NotAccepted, later(1)).unwrap();
    let second = person.consent(&mut vault, &[east]).unwrap();
    vault.record_capture_begun(&second, later(2)).unwrap();
    vault.record_face_held(&second, east, [7; 32], b"r", later(2)).unwrap();
    vault.record_capture_over(&second, later(2)).unwrap();
    drop(vault);
    let mut vault = unlock(&folder, Realm::Real).unwrap();
    assert_eq!(vault.confirm(&second, later(3)), Ok(()));
    assert_eq!(vault.captures_lost(), Ok(0));
}

#[test]
fn f14_opening_a_record_is_logged_with_its_reason_and_no_name() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let id = resident(&mut vault, "欧阳锋", "3-1201");
    let opened = vault.open_resident(id, OpenWhy::CardTap, later(0)).unwrap();
    assert_eq!((opened.name.as_str(), opened.unit.as_str(), opened.ends_on), ("欧阳锋", "3-1201", last_day()));
    let records = vault.log_records(0, 1_000).unwrap();
    let last = records.last().unwrap();
    assert_eq!((last.what.as_str(), last.label.as_deref()), ("resident-opened", Some("card-tap")));
    for record in &records {
        let bytes = record.to_bytes();
        assert!(!contains(&bytes, "欧阳".as_bytes()) && !contains(&bytes, b"3-1201"));
    }
    let nobody = ResidentId::from_bytes([0xEE; 16]);
    assert_eq!(vault.open_resident(nobody, OpenWhy::Staff(LookWhy::Here), later(0)), Err(VaultError::Unknown));
}

#[test]
fn cs1_the_log_verifies_and_grows_under_the_posted_key() {
    let (folder, mut vault) = new_vault(Realm::Real);
    let early = checkpoint::verify(&vault.checkpoint().unwrap(), &vault.evidence_public()).unwrap();
    resident(&mut vault, "王小明", "3-1201");
    vault.lock(later(0)).unwrap();
    let vault = unlock(&folder, Realm::Real).unwrap();
    let late = checkpoint::verify(&vault.checkpoint().unwrap(), &vault.evidence_public()).unwrap();
    assert_eq!(early.origin, late.origin);
    assert!(late.size > early.size);
    let report = vault.audit().unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.records, report.root), (late.size, late.root));
    let words: Vec<String> = vault.log_records(0, 100).unwrap().into_iter().map(|r| r.what).collect();
    assert_eq!(words, ["vault-created", "site-facts-recorded", "resident-recorded", "locked", "unlocked"]);
}

// Shows: CR1
#[test]
fn l2_a_search_needs_a_unit_or_a_card_and_shows_ten_at_most() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let wang = resident(&mut vault, "王小明", "3-1201");
    let ouyang = resident(&mut vault, "欧阳锋", "3-1201");
    let zola = resident(&mut vault, "Émile Zola", "3栋1202");
    vault.issue_card(wang, &uid(0x04A1_B2C3), &[east], last_day(), NOW).unwrap();
    let ids =
        |query: &str| -> Vec<ResidentId> { vault.find(query).unwrap().rows.into_iter().map(|row| row.id).collect() };
    assert_eq!(ids("３－１２０１").len(), 2);
    for query in ["王 3-1201", "3-1201 王", "王\u{3000}3-1201", " 王小明  3-1201 ", "04:A1:B2:C3", "04a1b2c3"] {
        assert_eq!(ids(query), [wang], "{query}");
    }
    for query in ["欧 3-1201", "欧阳 3-1201", "3-1201 欧阳锋"] {
        assert_eq!(ids(query), [ouyang], "{query}");
    }
    for query in ["zola 3栋1202", "3栋 1202 ZOLA", "émile 3栋1202", "3栋１２０２"] {
        assert_eq!(ids(query), [zola], "{query}");
    }
    assert_eq!(ids("李 3-1201"), []);
    assert_eq!(ids("9-9999"), []);
    for query in ["", "   ", "王", "王小明", "zola", "王 欧阳"] {
        assert_eq!(vault.find(query), Err(VaultError::NeedsUnit), "{query}");
    }
    let row = vault.find("王 3-1201").unwrap().rows.remove(0);
    assert_eq!((row.masked_name.as_str(), row.unit.as_str(), row.has_card), ("王**", "3-1201", true));

    for number in 0..10 {
        resident(&mut vault, &format!("赵{number}"), "5-501");
    }
    let found = vault.find("5-501").unwrap();
    assert_eq!((found.rows.len(), found.more), (10, false));
    resident(&mut vault, "赵十", "5-501");
    let found = vault.find("5-501").unwrap();
    assert_eq!((found.rows.len(), found.more), (10, true));
}

#[test]
fn j10_a_card_is_one_persons_and_replaces_the_older_one() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let (east, west) = (gate(&mut vault, "东门"), gate(&mut vault, "西门"));
    let (wang, li) = (resident(&mut vault, "王小明", "3-1201"), resident(&mut vault, "李雷", "3-1202"));
    let first = vault.issue_card(wang, &uid(1), &[east, west, east], last_day(), NOW).unwrap();
    assert_eq!(first.gates, [east, west], "a gate ticked twice counts once");
    assert_eq!(vault.issue_card(wang, &uid(1), &[west, east], last_day(), NOW), Err(VaultError::CardSame));
    assert_eq!(vault.issue_card(li, &uid(1), &[east], last_day(), NOW), Err(VaultError::CardTaken));
    assert_eq!(vault.issue_card(li, &uid(2), &[], last_day(), NOW), Err(VaultError::NoGate));
    let stranger = GateId::from_bytes([0xEE; 16]);
    assert_eq!(vault.issue_card(li, &uid(2), &[stranger], last_day(), NOW), Err(VaultError::Unknown));
    assert_eq!(vault.issue_card(li, &uid(2), &[east], last_day().plus_days(1), NOW), Err(VaultError::EndWrong));
    assert_eq!(vault.card_delivered_at(first.id).unwrap(), [(east, false), (west, false)]);
    let put = |number, ends_on| GateOp::PutCard { uid: uid(number), ends_on };
    assert_eq!(deliver_all(&mut vault, east, NOW), [put(1, last_day())]);
    assert_eq!(vault.card_delivered_at(first.id).unwrap(), [(east, true), (west, false)]);

    // A new card: the old number goes first, everywhere; where it never arrived it is not sent any more.
    vault.issue_card(wang, &uid(9), &[east, west], last_day(), NOW).unwrap();
    let remove = |number| GateOp::RemoveCard { uid: uid(number) };
    assert_eq!(deliver_all(&mut vault, east, NOW), [remove(1), put(9, last_day())]);
    assert_eq!(deliver_all(&mut vault, west, NOW), [remove(1), put(9, last_day())]);
    assert_eq!(vault.resident_by_card(&uid(1)).unwrap(), None);
    assert_eq!(vault.resident_by_card(&uid(9)).unwrap(), Some(wang));
    assert!(vault.issue_card(li, &uid(1), &[east], last_day(), NOW).is_ok(), "a freed card can be another person's");

    // The same card for fewer gates and another day: removed where it no longer opens, overwritten where it does.
    deliver_all(&mut vault, east, NOW);
    let sooner = last_day().plus_days(-100);
    vault.issue_card(wang, &uid(9), &[east], sooner, NOW).unwrap();
    assert_eq!(deliver_all(&mut vault, east, NOW), [put(9, sooner)]);
    assert_eq!(deliver_all(&mut vault, west, NOW), [remove(9)]);
    let card = vault.current_card(wang).unwrap().unwrap();
    assert_eq!((card.uid, card.gates, card.ends_on), (uid(9), vec![east], sooner));
}

#[test]
fn j10_a_removed_card_is_never_let_in_again_by_an_old_entry() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let wang = resident(&mut vault, "王小明", "3-1201");
    vault.issue_card(wang, &uid(1), &[east], last_day(), NOW).unwrap();
    let put = vault.next_due(east, NOW).unwrap().unwrap();
    vault.record_try_failed(put.op, NOW).unwrap();
    vault.end_card(wang, NOW).unwrap();
    assert_eq!(deliver_all(&mut vault, east, later(60_000)), [GateOp::RemoveCard { uid: uid(1) }]);

    // Issued again while the removal still waits: first the removal, then the new entry.
    vault.issue_card(wang, &uid(1), &[east], last_day(), NOW).unwrap();
    vault.end_card(wang, NOW).unwrap();
    vault.issue_card(wang, &uid(1), &[east], last_day(), NOW).unwrap();
    let done = deliver_all(&mut vault, east, later(60_000));
    assert!(matches!(done[..], [GateOp::RemoveCard { .. }, GateOp::PutCard { .. }]), "{done:?}");
}

#[test]
fn j10_a_card_whose_last_day_has_passed_can_be_given_to_another_person() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let (wang, li) = (resident(&mut vault, "王小明", "3-1201"), resident(&mut vault, "李雷", "3-1202"));
    let day = NOW.date().plus_days(3);
    vault.issue_card(wang, &uid(1), &[east], day, NOW).unwrap();
    assert_eq!(vault.issue_card(li, &uid(1), &[east], last_day(), day.end().plus_ms(-1)), Err(VaultError::CardTaken));
    vault.issue_card(li, &uid(1), &[east], last_day(), day.end()).unwrap();
    assert_eq!(vault.current_card(wang).unwrap(), None);
    assert_eq!(vault.resident_by_card(&uid(1)).unwrap(), Some(li));
}

#[test]
fn a_refused_operation_waits_for_staff_and_can_be_tried_again() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let (east, west) = (gate(&mut vault, "东门"), gate(&mut vault, "西门"));
    let wang = resident(&mut vault, "王小明", "3-1201");
    vault.issue_card(wang, &uid(1), &[east], last_day(), NOW).unwrap();
    let op = vault.next_due(east, NOW).unwrap().unwrap().op;
    assert_eq!(
        vault.record_delivered(op, west, b"r", NOW),
        Err(VaultError::Unknown),
        "another gate cannot sign for it"
    );
    assert_eq!(vault.record_delivered(OpId::from_bytes([1; 16]), east, b"r", NOW), Err(VaultError::Unknown));
    vault.record_wedged(op, "full", NOW).unwrap();
    assert_eq!(vault.next_due(east, later(0)).unwrap(), None);
    let counts = |vault: &Vault| {
        let all = vault.queue_counts().unwrap();
        let of = all.iter().find(|count| count.gate == east).unwrap();
        (all.len(), of.pending, of.wedged, of.oldest_pending_at)
    };
    assert_eq!(counts(&vault), (2, 0, 1, None));
    assert_eq!(vault.retry_wedged(east, later(0)), Ok(1));
    assert_eq!(counts(&vault), (2, 1, 0, Some(NOW)));
    vault.record_delivered(op, east, b"r", later(0)).unwrap();
    let length = vault.log_len().unwrap();
    vault.record_delivered(op, east, b"r", later(0)).unwrap();
    assert_eq!(vault.log_len().unwrap(), length, "a repeated receipt changes nothing");
}

#[test]
fn a_gate_with_a_changed_key_gets_nothing_until_it_is_paired_again() {
    let (folder, vault) = new_vault(Realm::Real);
    let (mut vault, colleague) = with_second_supervisor(&folder, vault);
    let east = gate(&mut vault, "东门");
    let wang = resident(&mut vault, "王小明", "3-1201");
    vault.issue_card(wang, &uid(1), &[east], last_day(), NOW).unwrap();
    vault.record_key_changed(east, NOW).unwrap();
    vault.record_key_changed(east, NOW).unwrap();
    assert_eq!((vault.gates_stopped().unwrap(), vault.next_due(east, NOW).unwrap()), (vec![east], None));
    vault.record_card_way_test(east, vault.who(), later(0)).unwrap();
    let mut record = vault.gates().unwrap().remove(0);
    assert_eq!(record.card_way_tested_at, Some(later(0)));
    record.tls_pin = [8; 32];
    assert_eq!(vault.record_gate(&record, later(1)), Err(VaultError::ApprovalNeeded), "not by one person");
    let act = Act::RepairGate(east);
    let approval = vault.approve(act, colleague, &passphrase(), later(1)).unwrap();
    vault.repair_gate(&record, approval, later(1)).unwrap();
    assert_eq!(vault.gates_stopped().unwrap(), []);
    assert_eq!(vault.gates().unwrap(), [record]);
    assert!(vault.next_due(east, later(1)).unwrap().is_some());
    let words = vault.log_records(0, 100).unwrap();
    assert_eq!(words.iter().filter(|r| r.what == "gate-key-changed").count(), 1);
}

/// A gate's number is no secret: a machine that states it under keys of its own would be handed what waits for a gate out of use, and its
/// signatures would count as that gate's.
#[test]
fn other_keys_in_the_place_of_any_gate_that_was_ever_known_take_two_people() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let record = vault.gates().unwrap().remove(0);
    let posed = GateRecord { tls_pin: [8; 32], sign_key: [9; 32], ..record.clone() };
    assert_eq!(
        vault.record_gate(&posed, NOW),
        Err(VaultError::ApprovalNeeded),
        "of a gate in use that was never stopped"
    );
    vault.retire_gate(east, vault.who(), None, NOW).unwrap();
    assert_eq!(vault.record_gate(&posed, NOW), Err(VaultError::ApprovalNeeded), "of one that is out of use");
    assert!(vault.gates().unwrap().is_empty());
    let kept = vault.gates_ever().unwrap().remove(0);
    assert_eq!((kept.tls_pin, kept.sign_key), (record.tls_pin, record.sign_key));
}

#[test]
fn facts_identity_and_operator_are_there_after_a_restart() {
    let (folder, mut vault) = new_vault(Realm::Real);
    assert_eq!(vault.identity_bytes().unwrap(), None);
    vault.record_identity_bytes(b"the station's private keys").unwrap();
    let mut facts = vault.facts().unwrap();
    facts.set(Fact::GuardPhone, "12345");
    facts.set(Fact::SiteName, "");
    vault.record_facts(&facts, None, NOW).unwrap();
    let (site, public, operator) = (vault.site(), vault.evidence_public(), vault.operator());
    drop(vault);
    let vault = unlock(&folder, Realm::Real).unwrap();
    assert_eq!((vault.site(), vault.evidence_public(), vault.operator()), (site, public, operator.clone()));
    assert_eq!(operator.1, "前台小李");
    assert_eq!(vault.identity_bytes().unwrap().unwrap().as_slice(), b"the station's private keys");
    let read = vault.facts().unwrap();
    let texts = [Fact::GuardPhone, Fact::ProcessorName, Fact::SiteName, Fact::LogMonths].map(|fact| read.get(fact));
    assert_eq!(texts, ["12345", "春江物业服务有限公司", "", "6"]);
}

#[test]
fn the_couriers_connection_sees_and_writes_the_same_vault() {
    let (_folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let wang = resident(&mut vault, "王小明", "3-1201");
    let mut courier = vault.second_connection().unwrap();
    vault.issue_card(wang, &uid(1), &[east], last_day(), NOW).unwrap();
    let writing = std::thread::spawn(move || deliver_all(&mut courier, east, NOW).len());
    for number in 2..12 {
        vault.issue_card(wang, &uid(number), &[east], last_day(), NOW).unwrap();
    }
    assert!(writing.join().unwrap() >= 1);
    deliver_all(&mut vault, east, NOW);
    assert!(vault.audit().unwrap().is_sound(), "two writers, one log");
}
