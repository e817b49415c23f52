//! What a restored vault does again because the gates' note says that it was done since the backup: nothing that a person stopped goes on.

use std::path::PathBuf;

use menka::domain::Realm;
use menka::domain::audit::Actor;
use menka::domain::change::{Part, Stand};
use menka::domain::consent::{ConsentDraft, EraseReason, Signature};
use menka::domain::delivery::GateOp;
use menka::domain::id::{ConsentId, GateId, ResidentId, ShowingId, TemplateId};
use menka::domain::notice::{Language, NoticeRef, NoticeShown};
use menka::domain::resident::AgeBand;
use menka::domain::time::Timestamp;
use menka::evidence::certificate;
use menka::evidence::consent::{ConsentFacts, consent_json};
use menka::secret::{RecoveryKey, random_bytes};
use menka::vault::{CardNumbers, EpochNote, RestoreReport, Vault};

use sha2::{Digest, Sha256};

use super::deletion::{DAY, HOUR, enrolled, later, own_key, words};
use super::site::*;

/// A backup on a stick, and the key that opens it.
struct Stick {
    folder: tempfile::TempDir,
    key: RecoveryKey,
    backup: PathBuf,
}

fn back_up(vault: &mut Vault) -> Stick {
    let folder = tempfile::tempdir().unwrap();
    let key = vault.make_backup_key(None, NOW).unwrap();
    vault.record_backup_key_kept(NOW).unwrap();
    let backup = folder.path().join(vault.back_up(folder.path(), later(1)).unwrap().name);
    Stick { folder, key, backup }
}

impl Stick {
    /// On a new computer, with what the gates keep.
    fn restore(&self, note: &EpochNote, now: Timestamp) -> (RestoreReport, Vault) {
        let dir = self.folder.path().join("menka");
        let mut restoring = begin_restore(&dir, &self.backup, &self.key, &[], now).unwrap();
        assert!(restoring.take_note(note.number, &note.sealed).unwrap());
        let report = restoring.finish(now).unwrap();
        assert!(report.sound, "{report:?}");
        (report, Vault::unlock(&dir, Realm::Real, &passphrase(), now).unwrap())
    }
}

fn frozen(vault: &Vault, gate: GateId) -> Vec<bool> {
    let expected = vault.expected(gate, &mut CardNumbers::new()).unwrap();
    expected.held.holdings().faces.iter().map(|face| face.frozen).collect()
}

#[test]
fn p44_a_face_that_a_gate_lets_rest_is_taken_up_by_its_person_only() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let ours = vault.expected(gates[0].id, &mut CardNumbers::new()).unwrap().held.holdings().faces.remove(0);
    assert!(!ours.frozen);
    let mut theirs = ours.clone();
    theirs.frozen = true;
    vault.put_face_right(gates[0].id, &ours, &theirs, later(1)).unwrap();
    let freeze = GateOp::FreezeFace { template: granted.template() };
    for gate in &gates {
        assert_eq!(gate.serve(&mut vault, later(2)), std::slice::from_ref(&freeze), "it rests everywhere");
        assert_eq!(frozen(&vault, gate.id), [true]);
    }
    assert_eq!(vault.doors(reader.resident).unwrap().unwrap().1, Some(later(1)), "the person sees it, and may go on");
    // Found again: nothing new.
    vault.put_face_right(gates[1].id, &ours, &theirs, later(3)).unwrap();
    assert_eq!(words(&vault).iter().filter(|word| *word == "face-paused").count(), 1);
    vault.resume_face(reader.resident, Actor::Resident(reader.resident), later(4)).unwrap();
    assert_eq!(gates[1].serve(&mut vault, later(5)), [GateOp::ThawFace { template: granted.template() }]);
}

#[test]
fn p44_a_pause_and_a_stop_of_the_notice_since_the_backup_hold_in_the_restored_vault() {
    for by_notice in [false, true] {
        let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
        let mut stand = Stand::default();
        stand.set(Part::Purpose, "开门");
        gates.iter().for_each(|gate| stand.set(Part::Gate(gate.id), "东侧"));
        vault.record_stand(&stand, NOW).unwrap();
        let stick = back_up(&mut vault);
        if by_notice {
            stand.set(Part::Gate(gates[0].id), "搬到南侧");
            vault.record_stand(&stand, later(2)).unwrap();
        } else {
            vault.pause_face(reader.resident, Actor::Resident(reader.resident), later(2)).unwrap();
        }
        // The gates are away; the desk is lost.
        let note = vault.epoch_note().unwrap();
        let (report, mut vault) = stick.restore(&note, later(DAY));
        assert_eq!((report.resting, report.faces, report.cut.is_none()), (1, 0, true), "{by_notice} {report:?}");
        assert!(vault.current_consent(reader.resident).unwrap().is_some());
        for gate in &gates {
            let told = gate.serve(&mut vault, later(DAY));
            assert!(told.contains(&GateOp::FreezeFace { template: granted.template() }), "{by_notice} {told:?}");
            assert!(!told.contains(&GateOp::ThawFace { template: granted.template() }));
            assert_eq!(frozen(&vault, gate.id), [true]);
        }
        assert!(vault.fills_due(gates[0].id, 9, later(DAY)).unwrap().is_empty());
        assert_eq!(vault.resume_face(reader.resident, Actor::Resident(reader.resident), later(2 * DAY)), Ok(true));
    }
}

#[test]
fn p51_5_all_faces_stopped_since_the_backup_are_stopped_in_the_restored_vault() {
    let (_folder, mut vault, gates, ..) = enrolled(Realm::Real, &["东门", "西门"]);
    let stick = back_up(&mut vault);
    vault.stop_faces(None, Actor::Station, later(2)).unwrap();
    let note = vault.epoch_note().unwrap();
    let (_, mut vault) = stick.restore(&note, later(DAY));
    assert_eq!(vault.faces_stopped().unwrap().len(), 2);
    assert!(gates.iter().all(|gate| gate.serve(&mut vault, later(DAY)).contains(&GateOp::StopFaces)));
}

#[test]
fn p15_a_door_taken_out_since_the_backup_stays_out_where_the_gate_was_away() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let stick = back_up(&mut vault);
    vault.drop_door(reader.resident, gates[0].id, Actor::Resident(reader.resident), later(2)).unwrap();
    let part = vault.certificate_at(granted.consent(), Some(gates[0].id), later(3)).unwrap();
    vault.record_handed(part.facts.id, later(3)).unwrap();
    let note = vault.epoch_note().unwrap();
    let (report, mut vault) = stick.restore(&note, later(DAY));
    assert_eq!((report.places, report.faces), (1, 0), "{report:?}");
    assert_eq!(frozen(&vault, gates[0].id), Vec::<bool>::new(), "not expected there any more");
    assert_eq!(frozen(&vault, gates[1].id), [false], "the other door goes on");
    let erase = GateOp::EraseFace { template: granted.template() };
    assert_eq!(gates[0].serve(&mut vault, later(DAY)), [GateOp::StopFaces, erase]);
    let whole = vault.certificate_at(granted.consent(), Some(gates[0].id), later(DAY + HOUR)).unwrap();
    let said = certificate::verify(&whole.file, &own_key(&vault)).unwrap();
    assert!(said.one_place && said.is_complete() && said.supplement_of.is_some(), "{said:?}");
    assert_eq!((whole.facts.supplement_of, whole.facts.ended_at), (Some(part.facts.id), later(2)));
    assert!(vault.places_ended(Some(reader.resident)).unwrap()[0].supplement_waits);
}

#[test]
fn p47a_what_ended_since_the_backup_is_certified_with_its_own_reason_day_and_paper() {
    let (_folder, mut vault, gates, reader, granted) = enrolled(Realm::Real, &["东门", "西门"]);
    let stick = back_up(&mut vault);
    vault.end_consent(reader.resident, EraseReason::Withdrawn, later(2)).unwrap();
    gates[0].serve(&mut vault, later(3));
    let part = vault.certificate(granted.consent(), later(4)).unwrap();
    vault.record_handed(part.facts.id, later(4)).unwrap();
    let note = vault.epoch_note().unwrap();
    let (report, mut vault) = stick.restore(&note, later(DAY));
    assert_eq!((report.faces, report.cut.is_none()), (1, true), "{report:?}");
    gates.iter().for_each(|gate| drop(gate.serve(&mut vault, later(DAY))));
    let whole = vault.certificate(granted.consent(), later(DAY + HOUR)).unwrap();
    let said = certificate::verify(&whole.file, &own_key(&vault)).unwrap();
    assert!(said.is_complete() && said.erased.len() == 2, "{said:?}");
    assert_eq!(said.reason, "withdrawn");
    assert_eq!((whole.facts.ended_at, whole.facts.supplement_of), (later(2), Some(part.facts.id)));
    let ended = &vault.endings_of(reader.resident).unwrap()[0];
    assert!(ended.supplement_waits && ended.reason == "withdrawn" && ended.ended_at == later(2), "{ended:?}");
}

/// People with a card and a consent each.
fn many(count: u32) -> (tempfile::TempDir, Vault, GateId, Vec<ResidentId>) {
    let (folder, mut vault) = new_vault(Realm::Real);
    let east = gate(&mut vault, "东门");
    let people = (1..=count).map(|n| {
        let reader = reader(&mut vault, "王小明", &format!("{n}-101"), n, &[east]);
        let _ = reader.consent(&mut vault, &[east]).unwrap();
        reader.resident
    });
    let people = people.collect();
    (folder, vault, east, people)
}

#[test]
fn p47_where_the_lists_do_not_reach_back_the_safe_side_is_taken_and_said() {
    let (_folder, mut vault, east, people) = many(5);
    let stick = back_up(&mut vault);
    // Four of five withdraw and lose their card; the gate was told of none of it.
    for (n, who) in (2i64..).zip(&people[..4]) {
        vault.end_consent(*who, EraseReason::Withdrawn, later(n)).unwrap();
        vault.end_card(*who, later(n)).unwrap();
    }
    // Without room for any.
    let short = vault.epoch_note_within(16).unwrap();
    let whole = vault.epoch_note().unwrap();
    {
        let (report, vault) = stick.restore(&whole, later(DAY));
        assert_eq!((report.faces, report.cards, report.cut.is_none()), (4, 4, true), "{report:?}");
        assert!(vault.current_consent(people[4]).unwrap().is_some());
    }
    std::fs::remove_dir_all(stick.folder.path().join("menka")).unwrap();
    let (report, mut vault) = stick.restore(&short, later(DAY));
    assert!(report.cut.faces && report.cut.cards && !report.cut.records, "{report:?}");
    assert_eq!(report.faces, 5, "nobody knows of the fifth: that face ends too");
    assert_eq!(report.cards, 0, "cards go on: {report:?}");
    let doubted = vault.current_card(people[4]).unwrap().unwrap();
    assert!(vault.card_is_doubted(doubted.id).unwrap());
    // One that is issued from here on is not.
    vault.issue_card(people[4], &uid(99), &[east], last_day(), later(DAY)).unwrap();
    let issued = vault.current_card(people[4]).unwrap().unwrap();
    assert!(!vault.card_is_doubted(issued.id).unwrap());
}

/// A card and a consent that came into being at an instant.
fn newcomer(vault: &mut Vault, card: u32, gates: &[GateId], at: Timestamp) -> ResidentId {
    let resident = resident(vault, "王小明", &format!("{card}-101"));
    vault.issue_card(resident, &uid(card), gates, last_day(), at).unwrap();
    vault.record_face_asked(resident, at).unwrap();
    let (id, sha256) = (ShowingId::from_bytes(random_bytes()), Sha256::digest(NOTICE.as_bytes()).into());
    let notice = NoticeRef { id: "MK-N1".into(), version: "1.0".into(), language: Language::Chinese, sha256 };
    let mut shown = NoticeShown { id, resident, notice, opened_at: at, reached_end_at: None };
    vault.record_showing(&shown, NOTICE, at).unwrap();
    vault.record_reached_end(id, at.plus_ms(20_000)).unwrap();
    shown.reached_end_at = Some(at.plus_ms(20_000));
    let (signature, signed) = (Signature::Strokes(vec![vec![(1, 2), (3, 4)]]), at.plus_ms(30_000));
    let sentence = "我同意用人脸开东门".into();
    let draft =
        ConsentDraft::new(&shown, resident, AgeBand::Adult, sentence, gates.to_vec(), last_day(), signature, signed);
    let (draft, consent) = (draft.unwrap(), ConsentId::from_bytes(random_bytes()));
    let (template, facts) = (TemplateId::from_bytes(random_bytes()), vault.facts().unwrap());
    let (site, realm) = (vault.site(), vault.realm());
    let about = ConsentFacts { consent, template, draft: &draft, facts: &facts, site, realm };
    let _ = vault.record_consent(&draft, consent, template, &consent_json(&about), signed).unwrap();
    resident
}

/// The gates' last note may be older than the backup: they were away since. What came into being after it is none of its business.
#[test]
fn what_came_after_the_gates_last_note_and_is_in_the_backup_comes_back_with_it() {
    for (everything_ended, nobody_yet) in [(false, false), (true, false), (false, true)] {
        let (_folder, mut vault) = new_vault(Realm::Real);
        let gates = ["东门", "西门"].map(|name| gate(&mut vault, name));
        if !nobody_yet {
            let early = newcomer(&mut vault, 1, &gates, NOW);
            if everything_ended {
                vault.end_consent(early, EraseReason::Withdrawn, later(HOUR)).unwrap();
                vault.end_card(early, later(HOUR)).unwrap();
            } else {
                vault.drop_door(early, gates[1], Actor::Resident(early), later(HOUR)).unwrap();
            }
        }
        let note = vault.epoch_note().unwrap();
        let newer = newcomer(&mut vault, 2, &gates, later(2 * HOUR));
        let stick = back_up(&mut vault);
        let (report, restored) = stick.restore(&note, later(DAY));
        let case = (everything_ended, nobody_yet);
        assert_eq!((report.faces, report.places, report.cards), (0, 0, 0), "{case:?} {report:?}");
        assert!(restored.current_consent(newer).unwrap().is_some(), "{case:?}");
        assert!(restored.current_card(newer).unwrap().is_some(), "{case:?}");
        let (doors, _) = restored.doors(newer).unwrap().unwrap();
        assert!(doors.iter().all(|door| !door.dropped), "{case:?} {doors:?}");
    }
}

#[test]
fn p22_when_everything_has_ended_no_list_needs_to_reach_back() {
    let (_folder, mut vault, _, people) = many(6);
    let stick = back_up(&mut vault);
    for who in &people {
        vault.close_record(*who, EraseReason::MovedOut, Actor::Station, later(2)).unwrap();
    }
    let note = vault.epoch_note_within(0).unwrap();
    let (report, vault) = stick.restore(&note, later(DAY));
    assert!(!report.cut.faces && !report.cut.cards && report.cut.records, "{report:?}");
    assert_eq!((report.faces, report.cards), (6, 6), "{report:?}");
    assert!(people.iter().all(|who| vault.current_consent(*who).unwrap().is_none()));
}

#[test]
fn p15_a_gate_that_no_consent_names_any_more_needs_no_list() {
    let (_folder, mut vault, _, people) = many(4);
    let west = gate(&mut vault, "西门");
    let both: Vec<ResidentId> = (11..15)
        .map(|n| {
            let gates = [vault.gates().unwrap()[0].id, vault.gates().unwrap()[1].id];
            let reader = reader(&mut vault, "李小红", &format!("{n}-101"), n, &gates);
            let _ = reader.consent(&mut vault, &gates).unwrap();
            reader.resident
        })
        .collect();
    let stick = back_up(&mut vault);
    for who in &both[..3] {
        vault.drop_door(*who, west, Actor::Resident(*who), later(2)).unwrap();
    }
    // One door of the fourth is still open: with no room nobody can tell the others from it, and all of them rest.
    let cut = vault.epoch_note_within(0).unwrap();
    {
        let (report, _) = stick.restore(&cut, later(DAY));
        assert!(report.cut.resting && !report.cut.faces, "{report:?}");
        assert_eq!((report.places, report.resting), (0, 8), "{report:?}");
    }
    std::fs::remove_dir_all(stick.folder.path().join("menka")).unwrap();
    vault.drop_door(both[3], west, Actor::Station, later(3)).unwrap();
    let note = vault.epoch_note_within(0).unwrap();
    let (report, vault) = stick.restore(&note, later(DAY));
    assert!(report.cut.is_none(), "{report:?}");
    assert_eq!((report.places, report.resting, report.faces), (4, 0, 0), "{report:?}");
    for who in both.iter().chain(&people) {
        let (doors, _) = vault.doors(*who).unwrap().unwrap();
        assert!(doors.iter().all(|door| door.dropped == (door.gate == west)), "{doors:?}");
    }
}

#[test]
fn p47_a_gate_that_is_heard_after_the_restore_ends_what_it_lists_and_nothing_that_came_later() {
    let (_folder, mut vault, east, people) = many(4);
    let west = gate(&mut vault, "西门");
    // The one gate keeps this note and is away from here on.
    let stale = vault.epoch_note().unwrap();
    let stick = back_up(&mut vault);
    vault.end_consent(people[0], EraseReason::Withdrawn, later(2)).unwrap();
    vault.end_card(people[1], later(3)).unwrap();
    vault.close_record(people[2], EraseReason::MovedOut, Actor::Station, later(4)).unwrap();
    let newest = vault.epoch_note().unwrap();
    assert_eq!(newest.number, stale.number + 1, "the number that the restored desk counts to next");
    drop(vault);

    let dir = stick.folder.path().join("menka");
    let mut restoring = begin_restore(&dir, &stick.backup, &stick.key, &[], later(DAY)).unwrap();
    assert!(restoring.take_note(stale.number, &stale.sealed).unwrap());
    restoring.heard(west);
    let report = restoring.finish(later(DAY)).unwrap();
    assert_eq!(
        (report.heard, report.gates_all, report.faces, report.cards, report.closed),
        (1, 2, 0, 0, 0),
        "{report:?}"
    );
    let mut vault = Vault::unlock(&dir, Realm::Real, &passphrase(), later(DAY)).unwrap();
    assert!(vault.is_unheard(east).unwrap() && !vault.is_unheard(west).unwrap());
    let own = vault.epoch_note().unwrap();
    assert_eq!(own.number, newest.number, "the same number, with other words");

    // Life goes on before the gate answers.
    let fresh = reader(&mut vault, "李小红", "9-909", 77, &[east]);
    let _ = fresh.consent(&mut vault, &[east]).unwrap();
    let report = vault.hear_late(east, Some((newest.number, &newest.sealed)), later(DAY + HOUR)).unwrap().unwrap();
    assert_eq!((report.faces, report.cards, report.closed), (1, 1, 1), "{report:?}");
    assert!(vault.current_consent(people[0]).unwrap().is_none());
    assert!(vault.current_card(people[1]).unwrap().is_none());
    assert!(vault.closed_since(people[2]).unwrap().is_some());
    assert!(vault.current_consent(people[3]).unwrap().is_some());
    assert!(vault.current_consent(fresh.resident).unwrap().is_some(), "none of the note's");
    assert!(!vault.is_unheard(east).unwrap());
    let next = vault.epoch_note().unwrap();
    assert!(next.number > newest.number, "only a higher number takes the place of what the gate keeps");
    let again = vault.hear_late(east, Some((newest.number, &newest.sealed)), later(DAY + 2 * HOUR)).unwrap();
    assert_eq!(again, None, "once");

    // A note of before, and a gate that keeps none, end nothing.
    drop(vault);
    std::fs::remove_dir_all(&dir).unwrap();
    let mut restoring = begin_restore(&dir, &stick.backup, &stick.key, &[], later(DAY)).unwrap();
    assert!(restoring.take_note(newest.number, &newest.sealed).unwrap());
    // Two that differ: the older one lists nothing more.
    assert!(restoring.take_note(stale.number, &stale.sealed).unwrap());
    let report = restoring.finish(later(DAY)).unwrap();
    assert_eq!((report.faces, report.cards, report.closed), (1, 1, 1), "{report:?}");
    let mut vault = Vault::unlock(&dir, Realm::Real, &passphrase(), later(DAY)).unwrap();
    let log = vault.log_len().unwrap();
    assert_eq!(vault.hear_late(east, Some((stale.number, &stale.sealed)), later(DAY)).unwrap(), None);
    assert_eq!(vault.hear_late(west, None, later(DAY)).unwrap(), None);
    assert_eq!(vault.log_len().unwrap(), log);
    assert!(vault.unheard().unwrap().is_empty());
}

#[test]
fn p47_whom_only_a_gate_knew_as_erased_is_erased_again_when_it_is_heard() {
    let (_folder, mut vault, east, _) = many(3);
    let moved = resident(&mut vault, "诸葛暖暖", "2-202");
    let stale = vault.epoch_note().unwrap();
    let stick = back_up(&mut vault);
    vault.close_record(moved, EraseReason::MovedOut, Actor::Station, later(2)).unwrap();
    vault.run_retention(later(40 * DAY)).unwrap();
    let newest = vault.epoch_note().unwrap();
    drop(vault);

    let dir = stick.folder.path().join("menka");
    let mut restoring = begin_restore(&dir, &stick.backup, &stick.key, &[], later(41 * DAY)).unwrap();
    assert!(restoring.take_note(stale.number, &stale.sealed).unwrap());
    assert_eq!(restoring.finish(later(41 * DAY)).unwrap().erased, 0);
    let mut vault = Vault::unlock(&dir, Realm::Real, &passphrase(), later(41 * DAY)).unwrap();
    let report = vault.hear_late(east, Some((newest.number, &newest.sealed)), later(41 * DAY)).unwrap().unwrap();
    assert_eq!(report.erased, 1, "{report:?}");
    let audit = vault.audit().unwrap();
    assert!(audit.is_sound(), "{audit:?}");
    // From here on no gate gives the name back: the note of now has that leaf no more.
    let note = vault.epoch_note().unwrap();
    drop(vault);
    std::fs::remove_dir_all(&dir).unwrap();
    let (report, _) = stick.restore(&note, later(42 * DAY));
    assert_eq!((report.erased, report.people), (1, 3), "{report:?}");
}
