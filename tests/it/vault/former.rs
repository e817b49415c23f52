//! Gates out of use, and the gate that takes the place of one: nothing waits for ever, and "done" is the new gate's own word.

use menka::domain::Realm;
use menka::domain::audit::Actor;
use menka::domain::consent::EraseReason;
use menka::domain::relay::Replacement;
use menka::evidence::certificate::{GateState, Stop};
use menka::vault::{CardNumbers, Vault};

use super::deletion::{DAY, HOUR, enrolled, later};
use super::places::replaced;
use super::refusing::{Rig, rig, rig_of};
use super::rig::Way;
use super::site::{passphrase, with_second_supervisor};

/// What waits for a gate, and what it refused.
fn open(vault: &Vault, rig: usize, ids: &[menka::domain::id::GateId]) -> (u32, u32) {
    let counts = vault.queue_counts().unwrap();
    counts.iter().find(|count| count.gate == ids[rig]).map_or((0, 0), |count| (count.pending, count.wedged))
}

/// Labels of the records which say that rows of a gate out of use were settled.
fn settled(vault: &Vault) -> Vec<String> {
    let log = vault.log_records(0, 10_000).unwrap();
    let of = log.into_iter().filter(|record| record.what == "gate-retired" && record.who == "station");
    of.filter_map(|record| record.label).collect()
}

#[test]
fn p47_what_a_gate_out_of_use_refuses_for_good_keeps_it_neither_paired_nor_on_the_list_for_ever() {
    let mut rig = rig(&["东门", "西门"]);
    rig.passes(later(1), 10);
    rig.way(1, Way { refuses: true, ..Way::default() });
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.passes(later(HOUR), 20);
    assert_eq!(open(&rig.vault, 1, &rig.ids), (0, 1), "staff must act");
    assert_eq!(rig.vault.wedged().unwrap().len(), 1);
    let consent = rig.granted.consent();
    let stop = |rig: &mut Rig, at| {
        let part = rig.vault.certificate(consent, at).unwrap();
        part.facts.gates[1].state.clone()
    };
    assert!(matches!(stop(&mut rig, later(2 * HOUR)), GateState::Pending(Stop::Frozen { .. })));

    // It is taken out of use while it is away: nobody is asked to act, and it goes once more when it answers. Papers say what they said.
    rig.way(1, Way { refuses: true, away: true, ..Way::default() });
    rig.vault.retire_gate(rig.ids[1], Actor::Station, None, later(3 * HOUR)).unwrap();
    rig.passes(later(3 * HOUR), 20);
    assert_eq!((open(&rig.vault, 1, &rig.ids).1, rig.vault.wedged().unwrap()), (0, vec![]));
    assert!(matches!(stop(&mut rig, later(4 * HOUR)), GateState::Pending(Stop::Frozen { .. })));
    assert_eq!(rig.vault.gates_to_meet().unwrap().len(), 1);

    // It refuses again; then it erases everybody, and is forgotten. Nothing is left of it.
    rig.way(1, Way { refuses: true, ..Way::default() });
    rig.gates.lock().unwrap().get_mut(&rig.ids[1]).unwrap().asked.clear();
    rig.passes(later(5 * HOUR), 90);
    let asked = rig.gates.lock().unwrap()[&rig.ids[1]].asked.clone();
    assert!(asked.contains(&"unpair"), "{asked:?}");
    assert_eq!(rig.frozen(1), None, "it holds nobody");
    assert_eq!(open(&rig.vault, 1, &rig.ids), (0, 0));
    assert_eq!((rig.vault.gates_to_meet().unwrap(), rig.vault.gates_to_serve().unwrap().len()), (vec![], 1));
    assert!(rig.vault.unpairings(rig.ids[1]).unwrap()[0].receipt.is_some());
    assert_eq!(rig.vault.erase_pending(rig.reader.resident).unwrap(), []);
    assert_eq!(settled(&rig.vault), ["settled:1"]);
    // It never signed for that number: no paper says so.
    assert!(matches!(stop(&mut rig, later(DAY)), GateState::Pending(_)));
    assert!(rig.vault.audit().unwrap().is_sound());
}

#[test]
fn p47_what_would_let_somebody_in_never_goes_to_a_gate_out_of_use() {
    let mut rig = rig(&["东门", "西门"]);
    rig.passes(later(1), 10);
    rig.way(1, Way { away: true, ..Way::default() });
    rig.vault.pause_face(rig.reader.resident, Actor::Station, later(HOUR)).unwrap();
    rig.vault.stop_faces(Some(rig.ids[1]), Actor::Station, later(HOUR)).unwrap();
    rig.vault.resume_faces(Some(rig.ids[1]), Actor::Station, None, later(HOUR + 1)).unwrap();
    rig.vault.retire_gate(rig.ids[1], Actor::Station, None, later(2 * HOUR)).unwrap();
    assert_eq!(settled(&rig.vault), ["settled:1"], "the resumption");
    let due: Vec<String> = {
        let due = rig.vault.due_together(rig.ids[1], 9, later(2 * HOUR)).unwrap();
        due.into_iter().map(|delivery| format!("{:?}", delivery.what)).collect()
    };
    assert!(!due.is_empty() && due.iter().all(|what| !what.contains("Resume")), "{due:?}");
}

fn replacement(rig: &Rig) -> Replacement {
    rig.vault.replacements(later(DAY)).unwrap().remove(0)
}

/// The west gate is replaced; the face comes there beside this test.
fn with_newcomer() -> Rig {
    let (folder, vault, mut gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    let new = replaced(&mut vault, second, &gates[1]);
    vault.record_face_held(&granted, new.id, [7; 32], b"receipt", later(2)).unwrap();
    new.serve(&mut vault, later(2));
    gates[1] = new;
    rig_of((folder, vault, gates, reader, granted))
}

#[test]
fn p51_4_a_replacement_is_not_done_while_the_new_gate_signs_for_another_list() {
    let mut rig = with_newcomer();
    assert!(rig.vault.replacement_may_end(rig.ids[1], later(2)).unwrap());
    rig.way(1, Way { attests: Some([9; 32]), ..Way::default() });
    rig.passes(later(HOUR), 30);
    let open = replacement(&rig);
    assert_eq!((open.done_at, open.digest, open.signed, open.faces), (None, None, false, 1));
    // The truth, signed: done, with that digest.
    let held = rig.vault.expected(rig.ids[1], &mut CardNumbers::new()).unwrap().held;
    rig.way(1, Way { attests: Some(held.digest()), ..Way::default() });
    rig.passes(later(2 * HOUR), 30);
    let done = replacement(&rig);
    assert!(done.done_at.is_some() && done.signed);
    assert_eq!((done.faces, done.digest), (1, Some(held.digest())));
    assert!(rig.vault.replacement_receipt(rig.ids[1]).unwrap().is_some());
    // Opened anew it still stands.
    let folder = rig.close();
    let vault = Vault::unlock(folder.path(), Realm::Real, &passphrase(), later(DAY)).unwrap();
    assert!(vault.replacements(later(DAY)).unwrap()[0].signed);
}

#[test]
fn p51_4_a_new_gate_of_an_earlier_version_ends_the_replacement_by_its_list_and_is_said_not_to_sign() {
    let mut rig = with_newcomer();
    // A face too many is put right first.
    let stranger =
        menka::wire::message::HeldFace { template: [5; 16], digest: [5; 32], ends_on: 20_900, frozen: false };
    rig.gates.lock().unwrap().get_mut(&rig.ids[1]).unwrap().held.put_face(stranger);
    rig.pass(later(HOUR));
    assert_eq!(replacement(&rig).done_at, None);
    rig.passes(later(HOUR + 5_000), 60);
    let done = replacement(&rig);
    let held = rig.vault.expected(rig.ids[1], &mut CardNumbers::new()).unwrap().held;
    assert_eq!((done.faces, done.digest, done.signed), (1, Some(held.digest()), false));
    assert_eq!(rig.vault.replacement_receipt(rig.ids[1]).unwrap(), None);
}

#[test]
fn p51_4_where_a_card_gate_takes_the_place_the_door_leaves_the_consents() {
    let (folder, vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    let mut record = vault.gates_ever().unwrap().into_iter().find(|gate| gate.id == gates[1].id).unwrap();
    (record.id, record.tls_pin, record.takes_faces) = (menka::domain::id::GateId::from_bytes([9; 16]), [9; 32], false);
    let act = menka::domain::approval::Act::ReplaceGate(gates[1].id);
    let approval = vault.approve(act, second, &passphrase(), later(1)).unwrap();
    vault.replace_gate(gates[1].id, &record, approval, later(1)).unwrap();
    let one = vault.replacements(later(2)).unwrap().remove(0);
    assert_eq!((one.waiting, one.resting, one.faces), (0, 0, 0), "nothing is to come that cannot come");
    assert_eq!(vault.places_ended(Some(reader.resident)).unwrap()[0].place, Some(gates[1].id));
    assert!(vault.current_consent(reader.resident).unwrap().is_some(), "the other door goes on");
    gates[1].serve(&mut vault, later(3));
    assert_eq!(vault.certificates_at(granted.consent(), Some(gates[1].id)).unwrap(), [true]);
}

#[test]
fn p19_a_copy_at_a_door_that_the_person_took_out_is_no_source_and_whoever_has_no_other_is_invited_again() {
    let (folder, vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    // The eastern gate is away: what it holds waits to be erased. Then the western one burns.
    vault.drop_door(reader.resident, gates[0].id, Actor::Resident(reader.resident), later(0)).unwrap();
    let new = replaced(&mut vault, second, &gates[1]);
    assert_eq!(vault.current_consent(reader.resident).unwrap(), None, "nobody has the face for a door that is named");
    let one = vault.replacements(later(2)).unwrap().remove(0);
    assert_eq!((one.waiting, one.resting, one.to_invite), (0, 0, 1));
    let listed = vault.to_invite(new.id, 0).unwrap();
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), [reader.resident]);
    assert!(vault.fills_due(new.id, 9, later(2)).unwrap().is_empty());
    gates[0].serve(&mut vault, later(3));
    new.serve(&mut vault, later(3));
    assert!(vault.replacement_may_end(new.id, later(4)).unwrap());
    let paper = vault.certificate(granted.consent(), later(5)).unwrap();
    let states: Vec<bool> = paper.facts.gates.iter().map(|gate| matches!(gate.state, GateState::Pending(_))).collect();
    assert_eq!(states, [false, true], "erased at the door taken out, waiting for the one that burnt");
}

#[test]
fn p19_a_door_taken_out_while_its_gate_is_the_last_source_keeps_no_replacement_open() {
    let (folder, vault, gates, reader, _) = enrolled(Realm::Real, &["东门", "西门"]);
    let (mut vault, second) = with_second_supervisor(&folder, vault);
    let new = replaced(&mut vault, second, &gates[1]);
    assert_eq!(vault.replacements(later(2)).unwrap()[0].waiting, 1);
    assert_eq!(vault.fills_due(new.id, 9, later(2)).unwrap().len(), 1);
    vault.drop_door(reader.resident, gates[0].id, Actor::Resident(reader.resident), later(3)).unwrap();
    assert_eq!(vault.replacements(later(4)).unwrap()[0].waiting, 0);
    assert!(vault.fills_due(new.id, 9, later(4)).unwrap().is_empty(), "an erasure is due there, not a hand-over");
    new.serve(&mut vault, later(5));
    assert!(vault.replacement_may_end(new.id, later(6)).unwrap());
}
