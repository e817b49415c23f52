//! A face that ends at one place while its consent goes on: by the person, by a changed notice, by a gate taken out of use. One path, and a
//! deletion certificate of that place each time.

use menka::domain::Realm;
use menka::domain::approval::Act;
use menka::domain::audit::Actor;
use menka::domain::change::{Part, Stand};
use menka::domain::consent::{ConsentGranted, EraseReason};
use menka::domain::gate::GateRecord;
use menka::domain::id::{GateId, StaffId};
use menka::domain::time::Timestamp;
use menka::evidence::certificate::{self, GateState, HeardBy, Keys, Step, Stop};
use menka::evidence::{Kind, head, hex, statement};
use menka::secret::random_bytes;
use menka::vault::{Certificate, SwitchOff, Vault, VaultError};
use menka::wire::keys::IdentityKeys;

use super::deletion::{DAY, HOUR, Signer, enrolled, forged, later, own_key, words};
use super::site::{passphrase, with_second_supervisor};

fn checked(vault: &Vault, certificate: &Certificate) -> Result<certificate::Checked, Step> {
    certificate::verify(&certificate.file, &own_key(vault))
}

#[test]
fn p47a_a_door_taken_out_is_certified_alone_and_the_consent_goes_on() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let (consent, by) = (granted.consent(), Actor::Resident(reader.resident));
    let none = vault.certificate_at(consent, Some(gates[0].id), later(0)).unwrap_err();
    assert_eq!(none, VaultError::Unknown, "not taken out yet");
    vault.drop_door(reader.resident, gates[0].id, by, later(0)).unwrap();
    // The gate is away: partly done, with what stops the face there.
    let open = vault.endings_open().unwrap();
    assert_eq!((open[0].place, open[0].pending.clone()), (Some(gates[0].id), vec![gates[0].id]));
    let part = vault.certificate_at(consent, Some(gates[0].id), later(1)).unwrap();
    assert!(matches!(part.facts.gates[..], [ref step] if matches!(step.state, GateState::Pending(Stop::Lease { .. }))));
    let said = checked(&vault, &part).unwrap();
    assert!(said.one_place && !said.is_complete() && said.pending.len() == 1, "{said:?}");
    vault.record_handed(part.facts.id, later(1)).unwrap();
    assert_eq!(vault.certificates_at(consent, Some(gates[0].id)).unwrap(), [false]);
    // It signs: the supplement makes itself.
    assert_eq!(gates[0].serve(&mut vault, later(HOUR)).len(), 1);
    assert_eq!(vault.certificates_at(consent, Some(gates[0].id)).unwrap(), [false, true]);
    let ended = vault.places_ended(Some(reader.resident)).unwrap();
    assert!(ended[0].pending.is_empty() && ended[0].supplement_waits);
    assert_eq!(ended[0].reason, "withdrawn");
    let whole = vault.certificate_at(consent, Some(gates[0].id), later(2 * HOUR)).unwrap();
    assert_eq!(whole.facts.supplement_of, Some(part.facts.id));
    let said = checked(&vault, &whole).unwrap();
    assert!(said.one_place && said.is_complete() && said.erased.len() == 1, "{said:?}");
    assert!(vault.current_consent(reader.resident).unwrap().is_some(), "the other door goes on");
    assert_eq!(vault.certificates_of(consent).unwrap(), Vec::<bool>::new(), "nothing is said of the whole");
    assert_eq!(vault.certificate(consent, later(2 * HOUR)).unwrap_err(), VaultError::Unknown);
    // Later everything ends: that certificate names both gates, with the first erasure as it was.
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(DAY)).unwrap();
    gates[1].serve(&mut vault, later(DAY));
    assert_eq!(vault.certificates_of(consent).unwrap(), [true]);
    let all = vault.certificate(consent, later(DAY)).unwrap();
    let said = checked(&vault, &all).unwrap();
    assert_eq!((said.one_place, said.erased.len()), (false, 2));
    assert_eq!(vault.places_ended(Some(reader.resident)).unwrap(), [], "it stands in that one");
    assert!(vault.audit().unwrap().is_sound());
}

/// The paper of one place, handed over while its gate was away, was completed by nothing that anybody was told of, once everything had ended.
#[test]
fn p47a_a_partial_paper_of_one_place_is_completed_by_that_of_everything() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let consent = granted.consent();
    vault.drop_door(reader.resident, gates[0].id, Actor::Resident(reader.resident), later(0)).unwrap();
    let part = vault.certificate_at(consent, Some(gates[0].id), later(1)).unwrap();
    vault.record_handed(part.facts.id, later(1)).unwrap();
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(2)).unwrap();
    gates[1].serve(&mut vault, later(3));
    let waits = |vault: &Vault| {
        let open = vault.endings_open().unwrap();
        open.iter().map(|ended| (ended.pending.clone(), ended.supplement_waits)).collect::<Vec<_>>()
    };
    assert_eq!(waits(&vault), [(vec![gates[0].id], false)]);
    // It comes back: the whole is made by itself, and waits for the person who has half of it in hand.
    gates[0].serve(&mut vault, later(HOUR));
    assert_eq!(vault.certificates_of(consent).unwrap(), [true]);
    assert_eq!(waits(&vault), [(vec![], true)]);
    assert!(vault.endings_of(reader.resident).unwrap()[0].supplement_waits, "on the person's page too");
    let all = vault.certificate(consent, later(2 * HOUR)).unwrap();
    assert_eq!(all.facts.supplement_of, Some(part.facts.id));
    let said = checked(&vault, &all).unwrap();
    assert_eq!((said.one_place, said.is_complete(), said.erased.len()), (false, true, 2));
    vault.record_handed(all.facts.id, later(2 * HOUR)).unwrap();
    assert_eq!(waits(&vault), []);
    assert!(vault.audit().unwrap().is_sound());
}

/// The same certificate signed by a key of our own, so that only what it says is judged.
pub(super) fn signed_anew(vault: &Vault, genuine: Certificate, key: &ed25519_dalek::SigningKey) -> (Certificate, Keys) {
    let mut file: serde_json::Value = serde_json::from_slice(&genuine.file).unwrap();
    for (field, kind) in [("statement", Kind::Deletion), ("consent_record", Kind::Consent)] {
        let bytes = super::deletion::unhex(file[field].as_str().unwrap());
        let read = statement::verify(&bytes, &vault.evidence_public()).unwrap();
        file[field] = hex(&statement::sign(key, kind, &read.payload).unwrap()).into();
    }
    let keys = Keys { station: key.verifying_key().to_bytes(), ..Keys::default() };
    (Certificate { file: serde_json::to_vec(&file).unwrap(), ..genuine }, keys)
}

/// A certificate of one place must not be made of one for everything, nor speak of a door that the consent does not name.
#[test]
fn p47a_the_verifier_does_not_take_one_place_for_another_or_for_all() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    vault.drop_door(reader.resident, gates[0].id, Actor::Station, later(0)).unwrap();
    gates[0].serve(&mut vault, later(1));
    let genuine = vault.certificate_at(granted.consent(), Some(gates[0].id), later(2)).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (ours, keys) = signed_anew(&vault, genuine, &key);
    assert!(certificate::verify(&ours.file, &keys).is_ok());
    let told = |change: &dyn Fn(&mut serde_json::Value)| certificate::verify(&forged(&ours, &key, change), &keys);
    let west = gates[1].id.to_string();
    let all = told(&|said| drop(said.as_object_mut().unwrap().remove("one_place")));
    assert_eq!(all, Err(Step::GateMissing(west)), "for all it lacks a gate");
    let elsewhere = told(&|said| said["one_place"] = GateId::from_bytes([9; 16]).to_string().into());
    assert_eq!(elsewhere, Err(Step::Consent), "a door that the consent does not name");
    let none = told(&|said| said["gates"] = serde_json::json!([]));
    assert_eq!(none, Err(Step::GateMissing(gates[0].id.to_string())));
    let unsigned = told(&|said| drop(said["gates"][0].as_object_mut().unwrap().remove("erased")));
    assert_eq!(unsigned, Err(Step::Stop("东门".into())));
}

fn moved(vault: &mut Vault, gates: &[Signer], at: usize) {
    let mut stand = Stand::default();
    stand.set(Part::Purpose, "开门");
    gates.iter().for_each(|gate| stand.set(Part::Gate(gate.id), "东侧"));
    vault.record_stand(&stand, later(0)).unwrap();
    stand.set(Part::Gate(gates[at].id), "搬到南侧");
    vault.record_stand(&stand, later(1)).unwrap();
}

fn one_certificate(vault: &mut Vault, granted: &ConsentGranted, gate: &Signer, reason: &str) {
    assert_eq!(vault.certificates_at(granted.consent(), Some(gate.id)).unwrap(), [true], "{reason}");
    let certificate = vault.certificate_at(granted.consent(), Some(gate.id), later(40 * DAY)).unwrap();
    let said = checked(vault, &certificate).unwrap();
    assert!(said.one_place && said.is_complete());
    assert_eq!(said.reason, reason);
    assert_eq!(certificate.facts.one_place, Some(gate.id));
}

#[test]
fn p47a_a_changed_notice_and_a_retired_gate_end_one_place_by_the_same_path() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门", "北门"]);
    moved(&mut vault, &gates, 0);
    gates[0].serve(&mut vault, later(2));
    vault.record_change_refused(reader.resident, later(3)).unwrap();
    gates[0].serve(&mut vault, later(4));
    one_certificate(&mut vault, &granted, &gates[0], "notice-changed");
    vault.retire_gate(gates[1].id, Actor::Station, None, later(5)).unwrap();
    gates[1].serve(&mut vault, later(6));
    one_certificate(&mut vault, &granted, &gates[1], "gate-retired");
    let words = words(&vault);
    assert_eq!(words.iter().filter(|word| *word == "door-dropped").count(), 2, "{words:?}");
    assert_eq!(words.iter().filter(|word| *word == "notice-part-ended").count(), 1);
    let doors = vault.doors(reader.resident).unwrap().unwrap().0;
    assert_eq!(doors.iter().map(|door| door.dropped).collect::<Vec<_>>(), [true, true, false]);
    assert!(vault.news_of(reader.resident).unwrap().is_some_and(|news| !news.asks && news.stopped.is_empty()));
}

#[test]
fn p47a_a_changed_notice_without_an_answer_is_certified_too() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    moved(&mut vault, &gates, 1);
    assert_eq!(vault.end_unanswered(later(31 * DAY)).unwrap(), [reader.resident]);
    gates[1].serve(&mut vault, later(31 * DAY));
    one_certificate(&mut vault, &granted, &gates[1], "notice-changed");
}

#[test]
fn p47b_the_last_contact_is_never_stated_earlier_than_the_gate_has_signed() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    // The west gate signs for a pause a day after the last contact that was written down, and is away from then on.
    vault.pause_face(reader.resident, Actor::Station, later(DAY)).unwrap();
    gates[1].serve(&mut vault, later(DAY));
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(DAY + HOUR)).unwrap();
    gates[0].serve(&mut vault, later(DAY + HOUR));
    let part = vault.certificate(granted.consent(), later(DAY + HOUR)).unwrap();
    let GateState::Pending(Stop::Lease { contact_at, hours }) = part.facts.gates[1].state else { panic!("away") };
    assert_eq!((contact_at, hours), (later(DAY), 24), "by its signature, not by what the desk noted");
    assert!(matches!(part.facts.gates[1].heard, Some(HeardBy::Receipt(_))));
    assert_eq!(checked(&vault, &part).unwrap().pending, [("西门".to_owned(), Some(later(2 * DAY)))]);

    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (ours, keys) = signed_anew(&vault, part, &key);
    let told = |change: &dyn Fn(&mut serde_json::Value)| certificate::verify(&forged(&ours, &key, change), &keys);
    let earlier = told(&|said| {
        let pending = &mut said["gates"][1]["pending"];
        pending["last_contact_ms"] = (later(DAY).ms() - 1).into();
        pending["stops_at_ms"] = (later(2 * DAY).ms() - 1).into();
    });
    assert_eq!(earlier, Err(Step::Contact("西门".into())));
    let missing = told(&|said| said["gates"][1]["pending"]["signed_receipt_sha256"] = hex(&[7; 32]).into());
    assert_eq!(missing, Err(Step::ReceiptMissing("西门".into())));
    let others = told(&|said| {
        said["gates"][1]["pending"]["signed_receipt_sha256"] = said["gates"][0]["erased"]["receipt_sha256"].clone();
    });
    assert_eq!(others, Err(Step::Stop("西门".into())), "another gate's signature proves nothing");
}

#[test]
fn p47b_a_cosigned_head_is_a_signature_of_the_gate_too() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let west = &gates[1];
    let at = later(3 * DAY);
    let at_s = u64::try_from(at.ms() / 1_000).unwrap();
    let note = vault.checkpoint().unwrap();
    let sign = |bytes: &[u8]| west.keys.sign(bytes);
    let note = head::cosign(&note, &west.id.to_string(), &west.keys.sign_public(), at_s, sign).unwrap();
    vault.record_gate_head(west.id, &note, at).unwrap();
    vault.end_consent(reader.resident, EraseReason::Withdrawn, at).unwrap();
    let part = vault.certificate(granted.consent(), at).unwrap();
    let GateState::Pending(Stop::Lease { contact_at, .. }) = part.facts.gates[1].state else { panic!("away") };
    assert_eq!(contact_at.ms() / 1_000, at.ms() / 1_000);
    assert!(matches!(part.facts.gates[1].heard, Some(HeardBy::Head(_))));
    assert!(checked(&vault, &part).is_ok());
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (ours, keys) = signed_anew(&vault, part, &key);
    let told = |change: &dyn Fn(&mut serde_json::Value)| certificate::verify(&forged(&ours, &key, change), &keys);
    let earlier = told(&|said| {
        let pending = &mut said["gates"][1]["pending"];
        pending["last_contact_ms"] = later(DAY).ms().into();
        pending["stops_at_ms"] = later(2 * DAY).ms().into();
    });
    assert_eq!(earlier, Err(Step::Contact("西门".into())));
}

/// A gate like `signer`, which takes the place of another.
pub(super) fn replaced(vault: &mut Vault, second: StaffId, old: &Signer) -> Signer {
    let (id, keys) = (GateId::from_bytes(random_bytes()), IdentityKeys::make(vault.realm()).unwrap());
    let record = GateRecord {
        id,
        tls_pin: keys.fingerprint(),
        seal_key: keys.seal_public(),
        sign_key: keys.sign_public(),
        ..vault.gates_ever().unwrap().into_iter().find(|gate| gate.id == old.id).unwrap()
    };
    let approval = vault.approve(Act::ReplaceGate(old.id), second, &passphrase(), later(1)).unwrap();
    vault.replace_gate(old.id, &record, approval, later(1)).unwrap();
    Signer { id, keys }
}

#[test]
fn a_door_keeps_its_faces_however_often_its_gate_was_replaced() {
    let (folder, vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    let mut last = replaced(&mut vault, second, &gates[0]);
    for _ in 0..70 {
        last = replaced(&mut vault, second, &last);
    }
    let record = vault.gates().unwrap().into_iter().find(|gate| gate.id == last.id).unwrap();
    let word = vault.introduce(&record, &[granted.consent()], later(2)).unwrap();
    let word = menka::evidence::introduction::verify(&word, &vault.evidence_public()).unwrap();
    assert_eq!((word.gate, &word.replaces[..]), (last.id, &[gates[0].id][..]), "the gate that the consent names");
    assert_eq!(vault.introduce(&record, &[], later(2)).map(|word| word.len() < 1_000), Ok(true));
    let doors = vault.doors_in_use().unwrap();
    assert!(doors.iter().any(|door| door.id == gates[0].id), "it is the same door");
    let due = vault.fills_due(last.id, 9, later(2)).unwrap();
    assert_eq!(due.iter().map(|one| one.consent()).collect::<Vec<_>>(), [granted.consent()]);
    assert!(vault.current_consent(reader.resident).unwrap().is_some());
}

#[test]
fn p47a_a_door_at_which_a_gate_was_replaced_is_done_only_when_every_gate_that_stood_there_has_signed() {
    let (folder, vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    let (consent, east) = (granted.consent(), &gates[0]);
    // D dies, M replaces it and never tells what it holds, N replaces M.
    let middle = replaced(&mut vault, second, east);
    let new = replaced(&mut vault, second, &middle);
    vault.record_face_held(&granted, new.id, [7; 32], b"receipt", later(2)).unwrap();
    vault.drop_door(reader.resident, new.id, Actor::Resident(reader.resident), later(HOUR)).unwrap();
    new.serve(&mut vault, later(HOUR));
    assert_eq!(vault.certificates_at(consent, Some(new.id)).unwrap(), Vec::<bool>::new(), "not said before it is done");
    let pending = vault.places_ended(Some(reader.resident)).unwrap()[0].pending.clone();
    assert_eq!(pending, [middle.id, east.id]);
    let part = vault.certificate_at(consent, Some(new.id), later(2 * HOUR)).unwrap();
    let said = checked(&vault, &part).unwrap();
    assert!(said.one_place && !said.is_complete());
    assert_eq!((said.erased.len(), said.pending.len()), (1, 2));
    vault.record_handed(part.facts.id, later(2 * HOUR)).unwrap();
    // The file must name the gate that the consent names.
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (ours, keys) = signed_anew(&vault, part, &key);
    let left_out = forged(&ours, &key, |said| drop(said["gates"].as_array_mut().unwrap().pop()));
    assert_eq!(certificate::verify(&left_out, &keys), Err(Step::GateMissing(east.id.to_string())));
    // The old ones are found in a cupboard and switched on.
    middle.serve(&mut vault, later(DAY));
    assert_eq!(vault.certificates_at(consent, Some(new.id)).unwrap(), [false]);
    east.serve(&mut vault, later(2 * DAY));
    assert_eq!(vault.certificates_at(consent, Some(new.id)).unwrap(), [false, true], "the supplement comes by itself");
    assert!(vault.places_ended(Some(reader.resident)).unwrap()[0].supplement_waits);
    let whole = vault.certificate_at(consent, Some(new.id), later(3 * DAY)).unwrap();
    let said = checked(&vault, &whole).unwrap();
    assert!(said.one_place && said.is_complete() && said.erased.len() == 3);
    // At the end of everything the one in the middle answers too.
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(4 * DAY)).unwrap();
    gates[1].serve(&mut vault, later(4 * DAY));
    let all = vault.certificate(consent, later(4 * DAY)).unwrap();
    let mut named: Vec<GateId> = all.facts.gates.iter().map(|step| step.gate).collect();
    let mut ever = vec![new.id, middle.id, east.id, gates[1].id];
    named.sort();
    ever.sort();
    assert_eq!(named, ever);
    assert!(vault.audit().unwrap().is_sound());
}

#[test]
fn p47a_receipts_of_a_gate_from_before_its_keys_were_changed_are_checked_with_the_keys_of_then() {
    let (folder, vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    gates[0].serve(&mut vault, later(HOUR));
    // The east gate is paired anew: the same gate, really other keys.
    let keys = IdentityKeys::make(vault.realm()).unwrap();
    let known = vault.gates_ever().unwrap().into_iter().find(|gate| gate.id == gates[0].id).unwrap();
    let record = GateRecord {
        tls_pin: keys.fingerprint(),
        seal_key: keys.seal_public(),
        sign_key: keys.sign_public(),
        ..known.clone()
    };
    let approval = vault.approve(Act::RepairGate(gates[0].id), second, &passphrase(), later(2)).unwrap();
    vault.repair_gate(&record, approval, later(2 * HOUR)).unwrap();
    gates[1].serve(&mut vault, later(3 * HOUR));
    let whole = vault.certificate(granted.consent(), later(4 * HOUR)).unwrap();
    assert!(checked(&vault, &whole).unwrap().is_complete());
    assert_eq!(whole.facts.gates[0].sign_key, known.sign_key, "the key that signed");
    // What it signs from now on counts with the new key; what it has signed before still tells when it was heard.
    let east = Signer { id: gates[0].id, keys };
    let other = super::site::reader(&mut vault, "李小红", "3-1202", 2, &[east.id, gates[1].id]);
    let granted = other.consent(&mut vault, &[east.id, gates[1].id]).unwrap();
    vault.end_consent(other.resident, EraseReason::Withdrawn, later(5 * HOUR)).unwrap();
    gates[1].serve(&mut vault, later(5 * HOUR));
    let part = vault.certificate(granted.consent(), later(5 * HOUR)).unwrap();
    let said = checked(&vault, &part).unwrap();
    assert!(!said.is_complete() && said.unproved.is_empty(), "{said:?}");
    east.serve(&mut vault, later(6 * HOUR));
    let whole = vault.certificate(granted.consent(), later(6 * HOUR)).unwrap();
    assert!(checked(&vault, &whole).unwrap().is_complete());
    let of_east = whole.facts.gates.iter().find(|step| step.gate == east.id).unwrap();
    assert_eq!(of_east.sign_key, record.sign_key);
}

#[test]
fn p19_everybody_whose_face_was_on_a_replaced_gate_only_is_on_some_page_of_the_list() {
    let (folder, vault, gates, ..) = enrolled(Realm::Real, &["东门"]);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    for n in 1..=60u32 {
        let one = super::site::reader(&mut vault, "李小红", &format!("4-{n}"), n + 1, &[gates[0].id]);
        let granted = one.consent(&mut vault, &[gates[0].id]).unwrap();
        vault.record_face_held(&granted, gates[0].id, [7; 32], b"receipt", later(0)).unwrap();
    }
    let new = replaced(&mut vault, second, &gates[0]);
    assert_eq!(vault.replacements(later(2)).unwrap()[0].to_invite, 61);
    let pages: Vec<_> = (0..3).map(|page| vault.to_invite(new.id, page).unwrap()).collect();
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 11, 0]);
    let people: std::collections::BTreeSet<_> = pages.iter().flatten().map(|row| row.id).collect();
    assert_eq!(people.len(), 61, "nobody twice");
}

#[test]
fn p47b_a_switch_off_by_hand_is_stated_no_earlier_than_the_gate_was_heard() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let west = &gates[1];
    let cosign = |vault: &mut Vault, at: Timestamp| {
        let (note, at_s) = (vault.checkpoint().unwrap(), u64::try_from(at.ms() / 1_000).unwrap());
        let sign = |bytes: &[u8]| west.keys.sign(bytes);
        let note = head::cosign(&note, &west.id.to_string(), &west.keys.sign_public(), at_s, sign).unwrap();
        vault.record_gate_head(west.id, &note, at).unwrap();
    };
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    gates[0].serve(&mut vault, later(HOUR));
    let enter = |vault: &mut Vault, at: Timestamp, now: Timestamp| {
        let entry = SwitchOff { gate: west.id, at, by: "保安老李".into() };
        vault.record_switch_off(&entry, Actor::Station, now)
    };
    let stop = |vault: &Vault| vault.stops_at(west.id, Some(granted.consent()), later(HOUR)).unwrap();

    // It signed at two o'clock, and said at three that it matches faces.
    cosign(&mut vault, later(2 * HOUR));
    let early = enter(&mut vault, later(HOUR), later(4 * HOUR));
    assert_eq!(early, Err(VaultError::SwitchedOffEarlier { heard_at: whole_second(later(2 * HOUR)) }));
    vault.record_faces_on(west.id, later(3 * HOUR)).unwrap();
    let early = enter(&mut vault, later(2 * HOUR), later(4 * HOUR));
    assert_eq!(early, Err(VaultError::SwitchedOffEarlier { heard_at: later(3 * HOUR) }));
    assert_eq!(vault.switch_off_since(west.id, later(HOUR)).unwrap(), None, "nothing was entered");
    // Within the minute that is typed: accepted, and stated later rather than earlier.
    enter(&mut vault, later(3 * HOUR - 59_000), later(4 * HOUR)).unwrap();
    assert_eq!(stop(&vault), Some(later(3 * HOUR + 60_000)));
    enter(&mut vault, later(4 * HOUR), later(4 * HOUR)).unwrap();
    assert_eq!(stop(&vault), Some(later(4 * HOUR)));

    let part = vault.certificate(granted.consent(), later(5 * HOUR)).unwrap();
    assert_eq!(checked(&vault, &part).unwrap().pending, [("西门".to_owned(), Some(later(4 * HOUR)))]);
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (ours, keys) = signed_anew(&vault, part, &key);
    let said_at = |at: Timestamp| {
        let file = forged(&ours, &key, |said| said["gates"][1]["pending"]["stops_at_ms"] = at.ms().into());
        certificate::verify(&file, &keys)
    };
    assert!(said_at(later(2 * HOUR)).is_ok(), "when it signed");
    let wrong = said_at(whole_second(later(2 * HOUR)).plus_ms(-1)).unwrap_err();
    assert_eq!(wrong, Step::Contact("西门".into()), "the same file holds a later word of the gate");
    assert!(wrong.chinese().contains("人工关闭") && wrong.to_string().contains("switch-off"));

    // It stays off and signs on: the stop that is stated moves with its word, and the papers go on being true.
    cosign(&mut vault, later(6 * HOUR));
    assert_eq!(stop(&vault), Some(whole_second(later(6 * HOUR))));
    let next = vault.certificate(granted.consent(), later(7 * HOUR)).unwrap();
    assert!(checked(&vault, &next).is_ok());
    // With a clock that is days ahead: what is done now can be entered now.
    cosign(&mut vault, later(9 * DAY));
    let early = enter(&mut vault, later(7 * HOUR), later(8 * HOUR));
    assert_eq!(early, Err(VaultError::SwitchedOffEarlier { heard_at: later(8 * HOUR) }));
    enter(&mut vault, later(8 * HOUR), later(8 * HOUR)).unwrap();
    assert_eq!(stop(&vault), Some(whole_second(later(9 * DAY))));
}

/// As a cosigned head carries it.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_ms(at.ms() / 1_000 * 1_000)
}
