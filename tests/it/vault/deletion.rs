//! Pausing, doors, stops, endings, certificates and retention, on a real vault with gates that really sign.

use std::process::Command;

use menka::app::program_log::{FILE, FILE_BEFORE, LEN_MAX, ProgramLog};
use menka::domain::Realm;
use menka::domain::audit::Actor;
use menka::domain::consent::{ConsentGranted, EraseReason};
use menka::domain::delivery::GateOp;
use menka::domain::gate::GateRecord;
use menka::domain::id::{GateId, OpId, ResidentId, TemplateId};
use menka::domain::resident::{AgeBand, ResidentDraft};
use menka::domain::role::LookWhy;
use menka::domain::time::Timestamp;
use menka::evidence::certificate::{self, GateState, Keys, Step, Stop};
use menka::evidence::{Kind, hex, statement};
use menka::secret::random_bytes;
use menka::vault::{CardNumbers, Certificate, OpenWhy, SwitchOff, Vault, VaultError};
use menka::wire::frame::encode;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{Apply, Outcome, Receipt, Request, What};
use menka::wire::receipt::request_digest;
use sha2::{Digest, Sha256};

use super::site::*;

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

pub(super) fn later(ms: i64) -> Timestamp {
    NOW.plus_ms(60_000 + ms)
}

/// A gate that signs with a key of its own.
pub(super) struct Signer {
    pub(super) id: GateId,
    pub(super) keys: IdentityKeys,
}

fn signer(vault: &mut Vault, name: &str) -> Signer {
    let (id, keys) = (GateId::from_bytes(random_bytes()), IdentityKeys::make(vault.realm()).unwrap());
    let record = GateRecord {
        id,
        name: name.into(),
        place: format!("{name}外"),
        capture_area: "门前一米".into(),
        other_way: "刷卡".into(),
        why_needed: "人流大".into(),
        address: format!("192.168.10.{}:7443", 7 + vault.gates_ever().unwrap().len()),
        tls_pin: keys.fingerprint(),
        seal_key: keys.seal_public(),
        sign_key: keys.sign_public(),
        card_way_tested_at: None,
        takes_faces: true,
    };
    vault.record_gate(&record, NOW).unwrap();
    Signer { id, keys }
}

impl Signer {
    /// Signs for everything that waits, as the courier would bring it back. Returns what it was.
    pub(super) fn serve(&self, vault: &mut Vault, now: Timestamp) -> Vec<GateOp> {
        let mut done = vec![];
        while let Some(delivery) = vault.next_due(self.id, now).unwrap() {
            let (what, outcome) = match &delivery.what {
                GateOp::EraseFace { template } => (What::EraseFace(*template.bytes()), Outcome::FaceErased),
                GateOp::FreezeFace { template } => (What::FreezeFace(*template.bytes()), Outcome::FaceFrozen),
                GateOp::ThawFace { template } => (What::ThawFace(*template.bytes()), Outcome::FaceThawed),
                GateOp::StopFaces => (What::StopFaces, Outcome::FacesStopped),
                GateOp::ResumeFaces => (What::ResumeFaces, Outcome::FacesResumed),
                GateOp::PutCard { uid, ends_on } => {
                    (What::PutCard(uid.bytes().to_vec(), ends_on.epoch_days()), Outcome::CardStored)
                }
                GateOp::RemoveCard { uid } => (What::RemoveCard(uid.bytes().to_vec()), Outcome::CardRemoved),
            };
            let request = Request::Apply(Apply { op: *delivery.op.bytes(), sequence: delivery.sequence, what });
            let receipt = self.receipt(vault.realm(), delivery.op, &request, outcome, now);
            vault.record_read_back(delivery.op, self.id, &encode(&receipt), now).unwrap();
            done.push(delivery.what);
        }
        done
    }

    fn receipt(&self, realm: Realm, op: OpId, request: &Request, outcome: Outcome, now: Timestamp) -> Receipt {
        Receipt {
            op: *op.bytes(),
            gate: *self.id.bytes(),
            outcome,
            request_digest: request_digest(request),
            stored_digest: [0; 32],
            at: now.ms(),
            realm: realm.label().into(),
            signature: [0; 64],
        }
        .sign(&self.keys)
    }
}

/// A vault with gates, and a resident whose face every one of them holds.
pub(super) fn enrolled(
    realm: Realm,
    names: &[&str],
) -> (tempfile::TempDir, Vault, Vec<Signer>, Reader, ConsentGranted) {
    let (folder, mut vault) = new_vault(realm);
    let gates: Vec<Signer> = names.iter().map(|name| signer(&mut vault, name)).collect();
    let ids: Vec<GateId> = gates.iter().map(|g| g.id).collect();
    let reader = reader(&mut vault, "王小明", "3-1201", 1, &ids);
    let granted = reader.consent(&mut vault, &ids).unwrap();
    for gate in &gates {
        vault.record_face_held(&granted, gate.id, [7; 32], b"receipt", later(0)).unwrap();
        gate.serve(&mut vault, later(0));
    }
    (folder, vault, gates, reader, granted)
}

pub(super) fn own_key(vault: &Vault) -> Keys {
    Keys { station: vault.evidence_public(), ..Keys::default() }
}

pub(super) fn words(vault: &Vault) -> Vec<String> {
    vault.log_records(0, 10_000).unwrap().into_iter().map(|r| r.what).collect()
}

/// The numbers that a gate should hold.
pub(super) fn should_hold(vault: &Vault, gate: GateId) -> Vec<TemplateId> {
    let expected = vault.expected(gate, &mut CardNumbers::new()).unwrap();
    expected.held.holdings().faces.iter().map(|face| TemplateId::from_bytes(face.template)).collect()
}

// Shows: P15b
#[test]
fn p47a_the_last_signature_makes_the_certificate_by_itself() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    assert_eq!(vault.certificate(granted.consent(), later(0)).unwrap_err(), VaultError::Unknown, "not ended yet");
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(1)).unwrap();
    assert_eq!(gates[0].serve(&mut vault, later(2)).len(), 1);
    assert_eq!(
        vault.certificates_of(granted.consent()).unwrap(),
        Vec::<bool>::new(),
        "nothing is said before it is done"
    );
    gates[1].serve(&mut vault, later(3));
    assert_eq!(vault.certificates_of(granted.consent()).unwrap(), [true]);

    let certificate = vault.certificate(granted.consent(), later(DAY)).unwrap();
    assert_eq!(vault.certificates_of(granted.consent()).unwrap(), [true], "the same state, the same certificate");
    assert_eq!(certificate.facts.stated_at, later(3));
    let checked = certificate::verify(&certificate.file, &own_key(&vault)).unwrap();
    assert!(checked.is_complete() && checked.supplement_of.is_none());
    assert_eq!(checked.erased, [("东门".to_owned(), later(2)), ("西门".to_owned(), later(3))]);
    assert_eq!((checked.realm.as_str(), checked.reason.as_str()), ("real", "withdrawn"));
    assert_eq!(certificate.facts.blocked_at(), Some(later(3)));
    for secret in ["王小明", "3-1201", &reader_card()] {
        assert!(!contains(&certificate.file, secret.as_bytes()), "{secret}");
    }
}

fn reader_card() -> String {
    uid(1).bytes().iter().map(|b| format!("{b:02x}")).collect::<String>().repeat(2)
}

#[test]
fn p47b_a_gate_that_is_away_is_named_with_its_stop_and_a_supplement_follows_by_itself() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    vault.record_contact(gates[1].id, Some(48), later(0)).unwrap();
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    gates[0].serve(&mut vault, later(HOUR));
    let part = vault.certificate(granted.consent(), later(2 * HOUR)).unwrap();
    let checked = certificate::verify(&part.file, &own_key(&vault)).unwrap();
    assert!(!checked.is_complete());
    // The gate's own hours, from the last contact, a minute later rather than earlier.
    let stops_at = later(0).plus_ms(60_000 + 48 * HOUR);
    assert_eq!(checked.pending, [("西门".to_owned(), Some(stops_at))]);
    assert_eq!(part.facts.blocked_at(), Some(stops_at));
    vault.record_handed(part.facts.id, later(2 * HOUR)).unwrap();
    assert_eq!(vault.endings_open().unwrap()[0].pending, [gates[1].id]);

    // Somebody goes there and switches it off: that is another state, and a new certificate says so.
    let entry = SwitchOff { gate: gates[1].id, at: later(3 * HOUR), by: "保安老李".into() };
    vault.record_switch_off(&entry, Actor::Station, later(4 * HOUR)).unwrap();
    let nobody = SwitchOff { gate: GateId::from_bytes([0xEE; 16]), ..entry.clone() };
    assert_eq!(vault.record_switch_off(&nobody, Actor::Station, later(4 * HOUR)), Err(VaultError::Unknown));
    assert_eq!(vault.switch_off_since(gates[1].id, later(HOUR)).unwrap(), Some(entry));
    let second = vault.certificate(granted.consent(), later(5 * HOUR)).unwrap();
    assert!(
        matches!(&second.facts.gates[1].state, GateState::Pending(Stop::SwitchedOff { at }) if *at == later(3 * HOUR))
    );
    assert_eq!(second.facts.supplement_of, Some(part.facts.id));

    gates[1].serve(&mut vault, later(6 * HOUR));
    assert_eq!(
        vault.certificates_of(granted.consent()).unwrap(),
        [false, false, true],
        "the supplement came by itself"
    );
    let open = vault.endings_open().unwrap();
    assert!(open[0].pending.is_empty() && open[0].supplement_waits, "and waits for its person");
    let last = vault.certificate(granted.consent(), later(7 * HOUR)).unwrap();
    let checked = certificate::verify(&last.file, &own_key(&vault)).unwrap();
    assert!(checked.is_complete());
    assert_eq!(checked.supplement_of, Some(hex(&second.facts.id)));
    vault.record_handed(last.facts.id, later(7 * HOUR)).unwrap();
    assert_eq!(vault.endings_open().unwrap(), []);
    assert!(vault.audit().unwrap().is_sound());
}

/// The certificate's file with something done to it, the desk's signature made anew: what a desk that lies could hand out.
pub(super) fn forged(
    certificate: &Certificate,
    key: &ed25519_dalek::SigningKey,
    change: impl FnOnce(&mut serde_json::Value),
) -> Vec<u8> {
    let mut file: serde_json::Value = serde_json::from_slice(&certificate.file).unwrap();
    let signed = unhex(file["statement"].as_str().unwrap());
    let payload = statement::verify(&signed, &key.verifying_key().to_bytes()).unwrap().payload;
    let mut said: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    change(&mut said);
    let again = statement::sign(key, Kind::Deletion, &serde_json::to_vec(&said).unwrap()).unwrap();
    file["statement"] = hex(&again).into();
    serde_json::to_vec(&file).unwrap()
}

pub fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
}

pub fn verifier(path: &std::path::Path, keys: &Keys, language: &str) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_menka-verify"));
    command.arg("certificate").arg(path).args(["--key", &hex(&keys.station), "--lang", language]).output().unwrap()
}

#[test]
fn k1_10_each_missing_or_wrong_step_of_a_certificate_is_named() {
    let (folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门", "北门"]);
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(1)).unwrap();
    gates.iter().for_each(|gate| drop(gate.serve(&mut vault, later(2))));
    let certificate = vault.certificate(granted.consent(), later(3)).unwrap();
    let (good, keys) = (certificate.file.clone(), own_key(&vault));
    assert!(certificate::verify(&good, &keys).unwrap().is_complete());

    // One receipt removed: its gate is named, whichever it is.
    for (at, name) in ["东门", "西门", "北门"].into_iter().enumerate() {
        let mut file: serde_json::Value = serde_json::from_slice(&good).unwrap();
        file["receipts"].as_array_mut().unwrap().remove(at);
        let short = serde_json::to_vec(&file).unwrap();
        assert_eq!(certificate::verify(&short, &keys), Err(Step::ReceiptMissing(name.into())));
        let path = folder.path().join("short.json");
        std::fs::write(&path, &short).unwrap();
        for (language, step) in [("zh", "第5步"), ("en", "step 5")] {
            let run = verifier(&path, &keys, language);
            let said = String::from_utf8(run.stderr).unwrap();
            assert_eq!(run.status.code(), Some(1));
            assert!(said.contains(step) && said.contains(name), "{said}");
        }
    }
    // Whole: every gate is named with its day; so the statement alone, which has no receipts to check.
    let path = folder.path().join("whole.json");
    std::fs::write(&path, &good).unwrap();
    for (language, state) in [("zh", "全部完成"), ("en", "COMPLETE")] {
        let run = verifier(&path, &keys, language);
        let said = String::from_utf8(run.stdout).unwrap();
        assert_eq!(run.status.code(), Some(0), "{said}");
        assert!([state, "东门", "西门", "北门"].iter().all(|word| said.contains(word)), "{said}");
    }
    let whole: serde_json::Value = serde_json::from_slice(&good).unwrap();
    std::fs::write(&path, unhex(whole["statement"].as_str().unwrap())).unwrap();
    let run = verifier(&path, &keys, "en");
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success() && said.contains("every gate has signed"), "{said}");
    // Any changed byte of the signed statement.
    let mut file: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let mut signed = unhex(file["statement"].as_str().unwrap());
    let middle = signed.len() / 2;
    signed[middle] ^= 1;
    file["statement"] = hex(&signed).into();
    let changed = certificate::verify(&serde_json::to_vec(&file).unwrap(), &keys);
    assert!(matches!(changed, Err(Step::Signature(_))), "{changed:?}");
    assert!(matches!(certificate::verify(&good, &Keys::default()), Err(Step::Signature(_))));
    assert_eq!(certificate::verify(b"{}", &keys), Err(Step::File));
    // A gate whose key was noted at the door, and which another key signed for.
    let noted = Keys { gates: [(gates[1].id, [9; 32])].into(), ..keys.clone() };
    assert_eq!(certificate::verify(&good, &noted), Err(Step::ReceiptSignature("西门".into())));
}

#[test]
fn k1_10_a_desk_that_lies_over_its_own_signature_is_found_out_by_the_gates() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(1)).unwrap();
    gates[0].serve(&mut vault, later(2));
    let part = vault.certificate(granted.consent(), later(3)).unwrap();
    // The vault's signing key does not leave it: the same papers under a key of the test's own.
    let mut file: serde_json::Value = serde_json::from_slice(&part.file).unwrap();
    for (field, kind) in [("statement", Kind::Deletion), ("consent_record", Kind::Consent)] {
        let read = statement::verify(&unhex(file[field].as_str().unwrap()), &vault.evidence_public()).unwrap();
        file[field] = hex(&statement::sign(&key, kind, &read.payload).unwrap()).into();
    }
    let ours = Certificate { file: serde_json::to_vec(&file).unwrap(), ..part };
    let keys = Keys { station: key.verifying_key().to_bytes(), ..Keys::default() };
    assert!(certificate::verify(&ours.file, &keys).is_ok());
    let told = |change: fn(&mut serde_json::Value)| certificate::verify(&forged(&ours, &key, change), &keys);

    assert_eq!(told(|said| said["complete"] = true.into()), Err(Step::Conclusion), "said to be done");
    let west = gates[1].id.to_string();
    let dropped = told(|said| drop(said["gates"].as_array_mut().unwrap().pop()));
    assert_eq!(dropped, Err(Step::GateMissing(west)), "a gate is left out");
    let copied = told(|said| {
        let erased = said["gates"][0]["erased"].clone();
        said["gates"][1].as_object_mut().unwrap().remove("pending");
        said["gates"][1]["erased"] = erased;
        said["complete"] = true.into();
    });
    assert_eq!(copied, Err(Step::ReceiptSignature("西门".into())), "another gate's receipt");
    let moved = told(|said| said["gates"][0]["erased"]["sequence"] = 9_999.into());
    assert_eq!(moved, Err(Step::ReceiptOther("东门".into())), "the receipt of another operation");
    let sooner = told(|said| said["gates"][0]["erased"]["at_ms"] = 1.into());
    assert_eq!(sooner, Err(Step::ReceiptOther("东门".into())), "another time than the gate signed");
    let unread = told(|said| said["gates"][0]["erased"]["read_back_at_ms"] = serde_json::Value::Null);
    assert_eq!(unread, Err(Step::ReadBack("东门".into())));
    let unstopped = told(|said| said["gates"][1]["pending"]["stops_at_ms"] = 1.into());
    assert_eq!(unstopped, Err(Step::Stop("西门".into())), "a stop earlier than the lease allows");
    let template = TemplateId::from_bytes([0xAA; 16]);
    assert_ne!(template, granted.template());
    let other = told(|said| said["storage_link"] = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa".into());
    assert_eq!(other, Err(Step::Consent), "another person's number");
}

#[test]
fn p47_the_verifier_knows_a_request_as_the_wire_writes_it() {
    for (op, sequence) in [([7; 16], 1u64), ([0; 16], 0), ([9; 16], 300), ([1; 16], u64::from(u32::MAX) + 7)] {
        let request = Request::Apply(Apply { op, sequence, what: What::EraseFace([5; 16]) });
        let ours = certificate::erase_digest(OpId::from_bytes(op), sequence, TemplateId::from_bytes([5; 16]));
        assert_eq!(ours, request_digest(&request), "{sequence}");
        assert_eq!(ours[..], Sha256::digest(encode(&request))[..]);
    }
}

#[test]
fn p44_a_pause_freezes_every_gate_and_the_consent_stays_as_it_was_signed() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let before = vault.current_consent(reader.resident).unwrap().unwrap();
    let by = Actor::Resident(reader.resident);
    assert_eq!(vault.pause_face(reader.resident, by, later(1)), Ok(true));
    assert_eq!(vault.pause_face(reader.resident, by, later(2)), Ok(false), "once");
    let (doors, since) = vault.doors(reader.resident).unwrap().unwrap();
    assert_eq!(since, Some(later(1)));
    assert!(doors.iter().all(|door| door.waiting && door.holds));
    let freeze = GateOp::FreezeFace { template: granted.template() };
    for gate in &gates {
        assert_eq!(gate.serve(&mut vault, later(3)), std::slice::from_ref(&freeze));
    }
    assert_eq!(vault.resume_face(reader.resident, by, later(4)), Ok(true));
    assert_eq!(vault.resume_face(reader.resident, by, later(4)), Ok(false));
    // Not yet delivered, and paused again: the gate hears both, in their order.
    vault.pause_face(reader.resident, by, later(5)).unwrap();
    let thaw = GateOp::ThawFace { template: granted.template() };
    assert_eq!(gates[0].serve(&mut vault, later(6)), [thaw, freeze]);
    let after = vault.current_consent(reader.resident).unwrap().unwrap();
    assert_eq!(before, after, "amended by events, not edited");
    assert!(words(&vault).iter().filter(|w| *w == "face-paused").count() == 2);
    // A withdrawal goes ahead of a pause that still waits, and makes it pointless.
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(7)).unwrap();
    assert_eq!(gates[1].serve(&mut vault, later(8)), [GateOp::EraseFace { template: granted.template() }]);
    assert_eq!(vault.pause_face(reader.resident, by, later(9)), Err(VaultError::ConsentNotCurrent));
}

#[test]
fn p44_a_dropped_door_is_erased_there_only_and_the_last_door_ends_the_consent() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let by = Actor::Resident(reader.resident);
    vault.drop_door(reader.resident, gates[0].id, by, later(1)).unwrap();
    assert_eq!(vault.drop_door(reader.resident, gates[0].id, by, later(1)), Err(VaultError::GateNotNamed));
    assert_eq!(gates[1].serve(&mut vault, later(2)), [], "the other door hears nothing");
    assert_eq!(gates[0].serve(&mut vault, later(2)).len(), 1);
    assert_eq!(vault.certificates_of(granted.consent()).unwrap(), Vec::<bool>::new(), "the consent goes on");
    let held: Vec<GateId> = vault.faces_held(reader.resident).unwrap().iter().map(|f| f.gate).collect();
    assert_eq!(held, [gates[1].id]);
    let row = vault.current_consent(reader.resident).unwrap().unwrap();
    assert_eq!(row.gates, [gates[0].id, gates[1].id], "what was signed stays");
    let signed = statement::verify(&row.evidence, &vault.evidence_public()).unwrap();
    assert_eq!(menka::evidence::consent::read(&signed.payload).unwrap().gates.len(), 2);
    assert_eq!(
        vault.record_face_held(&granted, gates[0].id, [7; 32], b"r", later(3)),
        Err(VaultError::ConsentNotCurrent)
    );
    gates[0].serve(&mut vault, later(3));

    vault.drop_door(reader.resident, gates[1].id, by, later(4)).unwrap();
    assert_eq!(vault.current_consent(reader.resident).unwrap(), None);
    gates[1].serve(&mut vault, later(5));
    let certificate = vault.certificate(granted.consent(), later(6)).unwrap();
    let checked = certificate::verify(&certificate.file, &own_key(&vault)).unwrap();
    assert_eq!(checked.erased.len(), 2, "both doors stand in the certificate");
}

#[test]
fn p51_5_a_stop_goes_ahead_of_everything_and_a_newcomer_starts_stopped() {
    let (_folder, mut vault, gates, reader, _) = enrolled(Realm::Real, &["东门", "西门"]);
    let by = Actor::Station;
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(1)).unwrap();
    assert_eq!(vault.stop_faces(None, by, later(2)), Ok(2));
    assert_eq!(vault.stop_faces(None, by, later(2)), Ok(0), "once");
    assert_eq!(gates[0].serve(&mut vault, later(3))[0], GateOp::StopFaces, "even of an erasure");
    let newcomer = signer(&mut vault, "南门");
    assert_eq!(newcomer.serve(&mut vault, later(4)), [GateOp::StopFaces]);
    assert_eq!(vault.faces_stopped().unwrap().len(), 3);
    assert_eq!(vault.stops_waiting().unwrap(), [gates[1].id]);
    assert_eq!(vault.resume_faces(Some(gates[0].id), by, None, later(5)), Ok(1));
    assert_eq!(gates[0].serve(&mut vault, later(6)), [GateOp::ResumeFaces]);
    assert_eq!(vault.resume_faces(None, by, None, later(7)), Ok(2));
    let unknown = GateId::from_bytes([0xEE; 16]);
    assert_eq!(vault.stop_faces(Some(unknown), by, later(8)), Err(VaultError::Unknown));
    assert_eq!(words(&vault).iter().filter(|w| *w == "faces-stopped").count(), 3);
}

#[test]
fn p47a_a_retired_gate_gives_back_its_faces_and_cards_and_its_row_ends() {
    let (_folder, mut vault, gates, reader, _) = enrolled(Realm::Real, &["东门", "西门"]);
    let only_east = super::site::reader(&mut vault, "李雷", "3-1202", 2, &[gates[0].id]);
    let granted = only_east.consent(&mut vault, &[gates[0].id]).unwrap();
    vault.record_face_held(&granted, gates[0].id, [7; 32], b"receipt", later(0)).unwrap();
    gates[0].serve(&mut vault, later(0));
    assert_eq!(vault.retire_gate(gates[0].id, Actor::Station, None, later(1)), Ok(2));
    assert_eq!(vault.retire_gate(gates[0].id, Actor::Station, None, later(1)), Err(VaultError::Unknown));
    assert_eq!(vault.gates().unwrap().len(), 1, "out of use at once");
    assert!(vault.current_consent(only_east.resident).unwrap().is_none(), "its only door is gone");
    assert!(vault.current_consent(reader.resident).unwrap().is_some(), "the other consent keeps its other door");
    let ended = vault.endings_of(only_east.resident).unwrap();
    assert_eq!(ended[0].reason, "gate-retired");
    let served = |vault: &Vault| vault.gates_to_serve().unwrap().iter().any(|g| g.id == gates[0].id);
    assert!(served(&vault), "until it has signed");
    let done = gates[0].serve(&mut vault, later(2));
    assert_eq!(done.iter().filter(|op| matches!(op, GateOp::EraseFace { .. })).count(), 2);
    assert_eq!(done.iter().filter(|op| matches!(op, GateOp::RemoveCard { .. })).count(), 2);
    assert!(served(&vault), "until it has forgotten this station too");
    let op = vault.unpairing_due(gates[0].id).unwrap().expect("everything else is signed for");
    vault.record_unpaired(op, gates[0].id, b"receipt", later(3)).unwrap();
    assert!(!served(&vault), "and then no more");
    assert_eq!(vault.certificates_of(granted.consent()).unwrap(), [true]);
    assert!(vault.certificate(granted.consent(), later(3)).is_ok(), "papers still know its name");
}

#[test]
fn p47a_a_closed_record_ends_card_and_face_everywhere_and_is_kept_to_its_term() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let by = Actor::Station;
    assert_eq!(vault.close_record(reader.resident, EraseReason::MovedOut, by, later(1)), Ok(true));
    assert_eq!(vault.close_record(reader.resident, EraseReason::MovedOut, by, later(1)), Ok(false));
    let nobody = ResidentId::from_bytes([0xEE; 16]);
    assert_eq!(vault.close_record(nobody, EraseReason::MovedOut, by, later(1)), Err(VaultError::Unknown));
    let ops = gates[0].serve(&mut vault, later(2));
    assert_eq!(ops, [GateOp::EraseFace { template: granted.template() }, GateOp::RemoveCard { uid: uid(1) }]);
    assert_eq!(vault.current_card(reader.resident).unwrap(), None);
    let again = vault.issue_card(reader.resident, &uid(9), &[gates[0].id], NOW.date(), later(2));
    assert_eq!(again.unwrap_err(), VaultError::EndWrong, "no card for a closed record");
    assert_eq!(
        vault.open_resident(reader.resident, OpenWhy::Staff(LookWhy::Request), later(3)).unwrap().name.as_str(),
        "王小明"
    );
    // The person comes back: a new last day opens it again.
    let draft = ResidentDraft::parse(Some(reader.resident), "王小明", "3-1201", AgeBand::Adult, None, last_day(), NOW);
    vault.record_resident(&draft.unwrap(), reader.resident, later(4)).unwrap();
    assert_eq!(vault.closed_since(reader.resident).unwrap(), None);
    assert!(vault.issue_card(reader.resident, &uid(9), &[gates[0].id], last_day(), later(5)).is_ok());
}

#[test]
fn p19_retention_ends_faces_records_identities_and_keys_by_rule_and_nothing_is_left_in_any_page() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门"]);
    let key = vault.person_key_bytes(reader.resident).unwrap();
    let stored = vault.person_key_as_stored(reader.resident).unwrap();
    let name_sealed_by = |vault: &Vault| {
        let pages = vault.decrypted_pages();
        assert!(!contains(&pages, &key), "a key lies in no page in plain");
        contains(&pages, &stored)
    };
    assert!(name_sealed_by(&vault), "the search finds what is there");
    assert_eq!(vault.retention_plan(later(0)).unwrap(), Default::default());
    let over = last_day().end();
    let plan = vault.retention_plan(over).unwrap();
    assert_eq!((plan.faces.len(), &plan.records[..]), (1, &[reader.resident][..]));
    assert_eq!(
        vault.current_consent(reader.resident).unwrap().map(|c| c.consent),
        Some(granted.consent()),
        "a dry run"
    );

    let report = vault.run_retention(over).unwrap();
    assert_eq!((report.faces, report.records, report.identities, report.evidence), (1, 1, 0, 0));
    // Thirty days on, the gate has still not signed: name and unit wait, so that the certificate can be made out.
    let month = over.plus_ms(31 * DAY);
    assert_eq!(vault.retention_plan(month).unwrap().waiting, [reader.resident]);
    gates[0].serve(&mut vault, month);
    assert_eq!(vault.certificates_of(granted.consent()).unwrap(), [true]);
    let report = vault.run_retention(month).unwrap();
    assert_eq!((report.identities, report.evidence), (1, 0));
    assert_eq!(vault.open_resident(reader.resident, OpenWhy::Staff(LookWhy::Request), month), Err(VaultError::Unknown));
    assert!(vault.find("3-1201").unwrap().rows.is_empty());
    assert!(name_sealed_by(&vault), "the evidence is kept to its term");
    assert!(vault.consent_signature(granted.consent()).is_ok());

    let term = month.plus_ms(3 * 366 * DAY);
    assert_eq!(vault.retention_plan(term.plus_ms(-40 * DAY)).unwrap().evidence, []);
    let report = vault.run_retention(term).unwrap();
    assert_eq!((report.identities, report.evidence), (0, 1));
    assert!(!name_sealed_by(&vault), "no page of either file holds the key, free ones neither");
    assert!(vault.person_key_bytes(reader.resident).is_err());
    for (file, bytes) in all_bytes(&_folder) {
        assert!(!file.ends_with("-wal") || bytes.is_empty(), "{file} was not emptied");
    }
    assert!(vault.consent_signature(granted.consent()).is_err(), "what it sealed opens for nobody");
    assert!(vault.audit().unwrap().is_sound(), "and the chain still verifies");
    assert_eq!(vault.retention_plan(term.plus_ms(DAY)).unwrap(), Default::default());
    assert_eq!(vault.retention_reports(10).unwrap().len(), 3);
}

#[test]
fn k2_9_what_a_gate_holds_and_should_not_is_erased_and_what_is_gone_ends() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let (stranger, own) = (TemplateId::from_bytes([0xAB; 16]), granted.template());
    let should = should_hold(&vault, gates[0].id);
    assert_eq!(should, [own]);
    assert!(vault.reconcile(gates[0].id, &should, &[own], later(1)).unwrap().is_none());

    // A template that no consent here knows.
    let drift = vault.reconcile(gates[0].id, &should, &[own, stranger], later(1)).unwrap();
    assert_eq!(drift.left_over, [stranger]);
    assert!(vault.reconcile(gates[0].id, &should, &[own, stranger], later(1)).unwrap().is_none(), "queued once");
    assert_eq!(gates[0].serve(&mut vault, later(2)), [GateOp::EraseFace { template: stranger }]);

    // Gone at one gate: noted. Gone at both: the consent ends, and every gate is told to be sure.
    let drift = vault.reconcile(gates[0].id, &should, &[], later(3)).unwrap();
    assert_eq!((&drift.missing[..], &drift.ended[..]), (&[own][..], &[][..]));
    let should = should_hold(&vault, gates[1].id);
    let drift = vault.reconcile(gates[1].id, &should, &[], later(4)).unwrap();
    assert_eq!(drift.ended, [reader.resident]);
    gates.iter().for_each(|gate| drop(gate.serve(&mut vault, later(5))));
    assert_eq!(vault.endings_of(reader.resident).unwrap()[0].reason, "found-erased");

    // Back from somewhere after its erasure was signed: erased again, and the certificate is no longer the last word.
    let drift = vault.reconcile(gates[0].id, &[], &[own], later(6)).unwrap();
    assert_eq!(drift.left_over, [own]);
    let now = vault.certificate(granted.consent(), later(7)).unwrap();
    assert!(!now.facts.is_complete());
    gates[0].serve(&mut vault, later(8));
    assert!(vault.certificate(granted.consent(), later(9)).unwrap().facts.is_complete());
}

#[test]
fn l2_a_look_through_the_stations_own_files_finds_what_is_there() {
    let (folder, vault, ..) = enrolled(Realm::Real, &["东门"]);
    let check = vault.check_no_face().unwrap();
    assert!(check.is_clean() && check.values > 100, "{check:?}");
    // The desk's own log lies beside the vault, and the one before it.
    let mut log = ProgramLog::open(folder.path()).unwrap();
    for _ in 0..=LEN_MAX / 1_000 {
        std::io::Write::write_all(&mut log, &[b'x'; 1_000]).unwrap();
    }
    assert!([FILE, FILE_BEFORE].iter().all(|name| folder.path().join(name).exists()), "rotated once");
    assert!(vault.check_no_face().unwrap().is_clean(), "{:?}", vault.check_no_face());
    // Where a next set of files is made, with what belongs there and with what does not.
    let next = folder.path().join("next");
    std::fs::create_dir(&next).unwrap();
    std::fs::write(next.join("vault.db"), b"x").unwrap();
    assert!(vault.check_no_face().unwrap().is_clean());
    for (n, other) in ["picture.jpg", "lock-of-3-1201.jpg", "next/face.jpg", "menka.log.1.png"].into_iter().enumerate()
    {
        std::fs::write(folder.path().join(other), b"x").unwrap();
        assert_eq!(vault.check_no_face().unwrap().other_files, n as u64 + 1, "{other}");
    }
    std::fs::create_dir(folder.path().join("pictures")).unwrap();
    assert_eq!(vault.check_no_face().unwrap().other_files, 5, "a folder of somebody's");
}

#[test]
fn an_older_vault_keeps_its_outbox_in_order() {
    // The outbox is made anew by a migration: sequence numbers go on where they were.
    let (folder, mut vault, gates, reader, _) = enrolled(Realm::Real, &["东门"]);
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(1)).unwrap();
    let first = vault.next_due(gates[0].id, later(1)).unwrap().unwrap();
    drop(vault);
    let mut vault = unlock(&folder, Realm::Real).unwrap();
    let again = vault.next_due(gates[0].id, later(1)).unwrap().unwrap();
    assert_eq!((first.op, first.sequence), (again.op, again.sequence));
    vault.stop_faces(None, Actor::Station, later(2)).unwrap();
    let stop = vault.next_due(gates[0].id, later(2)).unwrap().unwrap();
    assert!(stop.sequence > first.sequence && stop.what == GateOp::StopFaces);
}
