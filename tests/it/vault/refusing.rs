//! Gates that answer and do not erase, that know no batches, and whose answers are lost: what the desk does, and what its papers say.

use std::sync::{Arc, Mutex};

use menka::app::courier::Courier;
use menka::domain::Realm;
use menka::domain::audit::Actor;
use menka::domain::consent::{ConsentGranted, EraseReason};
use menka::domain::gate::{FacesRest, GateStatus};
use menka::domain::id::GateId;
use menka::domain::relay::DriftKind;
use menka::domain::time::Timestamp;
use menka::evidence::certificate::{self, GateState, SCHEMA, SCHEMA_WIDER, Step, Stop};
use menka::evidence::hex;
use menka::vault::{CardNumbers, SwitchOff, Vault};
use menka::wire::message::FacesOff;

use super::deletion::{DAY, HOUR, Signer, enrolled, forged, later, own_key};
use super::places::signed_anew;
use super::rig::{self, Gates, Way};
use super::site::{Reader, reader};

pub(super) struct Rig {
    pub(super) folder: tempfile::TempDir,
    pub(super) vault: Vault,
    courier: Courier,
    pub(super) gates: Gates,
    pub(super) ids: Vec<GateId>,
    now: Arc<Mutex<Timestamp>>,
    pub(super) reader: Reader,
    pub(super) granted: ConsentGranted,
}

pub(super) fn rig(names: &[&str]) -> Rig {
    let (folder, vault, signers, reader, granted) = enrolled(Realm::Real, names);
    rig_of((folder, vault, signers, reader, granted))
}

pub(super) fn rig_of(made: (tempfile::TempDir, Vault, Vec<Signer>, Reader, ConsentGranted)) -> Rig {
    let (folder, vault, signers, reader, granted) = made;
    let ids: Vec<GateId> = signers.iter().map(|signer| signer.id).collect();
    let (courier, gates, now) = rig::courier(vault.second_connection().unwrap(), signers, later(0));
    for id in &ids {
        let held = vault.expected(*id, &mut CardNumbers::new()).unwrap().held.holdings();
        gates.lock().unwrap().get_mut(id).unwrap().holds(held.faces, held.cards);
    }
    Rig { folder, vault, courier, gates, ids, now, reader, granted }
}

impl Rig {
    /// Both connections shut; the folder.
    pub(super) fn close(self) -> tempfile::TempDir {
        let Self { folder, vault, courier, .. } = self;
        drop((vault, courier));
        folder
    }

    pub(super) fn pass(&mut self, at: Timestamp) {
        *self.now.lock().unwrap() = at;
        self.courier.pass(at).unwrap();
    }

    /// Passes every few seconds from an instant on, as the courier's thread does.
    pub(super) fn passes(&mut self, from: Timestamp, seconds: i64) {
        for second in (0..seconds).step_by(5) {
            self.pass(from.plus_ms(second * 1_000));
        }
    }

    pub(super) fn way(&self, gate: usize, way: Way) {
        self.gates.lock().unwrap().get_mut(&self.ids[gate]).unwrap().way = way;
    }

    pub(super) fn status(&self, gate: usize) -> GateStatus {
        self.courier.shared().gates().0.into_iter().find(|status| status.id == self.ids[gate]).unwrap()
    }

    /// What a gate was asked since the last time, in its order.
    pub(super) fn asked(&self, gate: usize) -> Vec<&'static str> {
        std::mem::take(&mut self.gates.lock().unwrap().get_mut(&self.ids[gate]).unwrap().asked)
    }

    fn faces_off(&self, gate: usize, off: Option<FacesOff>) {
        self.gates.lock().unwrap().get_mut(&self.ids[gate]).unwrap().faces_off = off;
    }

    pub(super) fn frozen(&self, gate: usize) -> Option<bool> {
        let faces = self.gates.lock().unwrap()[&self.ids[gate]].held.holdings().faces;
        faces.iter().find(|face| face.template == *self.granted.template().bytes()).map(|face| face.frozen)
    }
}

#[test]
fn p47b_a_gate_that_answers_and_does_not_erase_is_told_to_rest_that_number_and_the_paper_says_so() {
    let mut rig = rig(&["东门", "西门"]);
    rig.passes(later(1), 10);
    rig.way(1, Way { keeps: true, ..Way::default() });
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.passes(later(HOUR), 120);
    assert_eq!((rig.frozen(0), rig.frozen(1)), (None, Some(true)), "kept there, and matched no more");
    let consent = rig.granted.consent();
    let part = rig.vault.certificate(consent, later(2 * HOUR)).unwrap();
    let GateState::Pending(Stop::Frozen { at, .. }) = part.facts.gates[1].state else {
        panic!("{:?}", part.facts.gates[1].state)
    };
    assert!(
        at >= later(HOUR) && at < later(HOUR + 120_000),
        "when it signed, not when a lease that is renewed would end"
    );
    let checked = certificate::verify(&part.file, &own_key(&rig.vault)).unwrap();
    assert_eq!(checked.pending, [("西门".to_owned(), Some(at))]);
    assert!(!checked.is_complete() && checked.unproved.is_empty());
    assert_eq!(part.facts.blocked_at(), Some(at));
    // It answers for days: the paper never moves on with the lease.
    rig.passes(later(3 * DAY), 10);
    let same = rig.vault.certificate(consent, later(3 * DAY)).unwrap();
    assert_eq!(same.facts.id, part.facts.id);

    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (ours, keys) = signed_anew(&rig.vault, part, &key);
    let told = |change: &dyn Fn(&mut serde_json::Value)| certificate::verify(&forged(&ours, &key, change), &keys);
    assert!(told(&|_| ()).is_ok());
    let stop = Err(Step::Stop("西门".into()));
    assert_eq!(told(&|said| said["gates"][1]["pending"]["sequence"] = 9_999.into()), stop, "another operation");
    assert_eq!(
        told(&|said| said["gates"][1]["pending"]["stops_at_ms"] = later(0).ms().into()),
        stop,
        "an earlier stop"
    );
    let unsigned = told(&|said| {
        drop(said["gates"][1]["pending"].as_object_mut().unwrap().remove("signed_receipt_sha256"));
    });
    assert_eq!(unsigned, stop, "without the gate's receipt it is the desk's word");
    let older = told(&|said| said["schema_version"] = SCHEMA.into());
    assert_eq!(older, stop, "the shape before knew no such stop");

    // Its disk has room again: erased, and the supplement comes by itself.
    rig.way(1, Way::default());
    rig.passes(later(4 * DAY), 90);
    assert_eq!(rig.vault.certificates_of(consent).unwrap(), [false, true]);
    assert_eq!(rig.vault.queue_counts().unwrap().iter().map(|c| c.pending + c.wedged).sum::<u32>(), 0);
    let whole = rig.vault.certificate(consent, later(5 * DAY)).unwrap();
    assert!(certificate::verify(&whole.file, &own_key(&rig.vault)).unwrap().is_complete());
    assert!(rig.vault.audit().unwrap().is_sound());
}

#[test]
fn p47b_where_nothing_stops_the_face_no_paper_says_that_something_does() {
    let mut rig = rig(&["东门", "西门"]);
    rig.way(1, Way { keeps_all: true, ..Way::default() });
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.passes(later(HOUR), 180);
    let consent = rig.granted.consent();
    let part = rig.vault.certificate(consent, later(2 * HOUR)).unwrap();
    assert!(matches!(part.facts.gates[1].state, GateState::Pending(Stop::Refused { .. })), "{:?}", part.facts.gates[1]);
    assert_eq!(part.facts.blocked_at(), None);
    assert_eq!(rig.vault.stops_at(rig.ids[1], Some(consent), later(HOUR)).unwrap(), None);
    let checked = certificate::verify(&part.file, &own_key(&rig.vault)).unwrap();
    assert_eq!((checked.is_complete(), &checked.pending[..]), (false, &[("西门".to_owned(), None)][..]));
    // A desk that claims an end of the lease all the same is not believed under this word.
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let (ours, keys) = signed_anew(&rig.vault, part, &key);
    let claimed = forged(&ours, &key, |said| {
        assert_eq!(said["schema_version"], SCHEMA_WIDER);
        said["gates"][1]["pending"]["stops_at_ms"] = later(DAY).ms().into();
    });
    assert_eq!(certificate::verify(&claimed, &keys), Err(Step::Stop("西门".into())));
    // Somebody goes there.
    let entry = SwitchOff { gate: rig.ids[1], at: later(3 * HOUR), by: "保安老李".into() };
    rig.vault.record_switch_off(&entry, Actor::Station, later(3 * HOUR)).unwrap();
    let second = rig.vault.certificate(consent, later(4 * HOUR)).unwrap();
    assert_eq!(second.facts.blocked_at(), Some(later(3 * HOUR)));
}

#[test]
fn what_a_gate_did_not_take_is_told_as_waiting_at_once() {
    let mut rig = rig(&["东门"]);
    rig.passes(later(1), 10);
    rig.pass(later(HOUR - 1_000));
    assert_eq!(rig.status(0).pending, 0);
    // Its health was asked a second ago, and is not due for four more.
    rig.way(0, Way { keeps_all: true, ..Way::default() });
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.pass(later(HOUR));
    assert_eq!(rig.status(0).pending, 1, "nobody is told that nothing waits");
    rig.way(0, Way::default());
    rig.passes(later(HOUR + 1_000), 120);
    assert_eq!(rig.status(0).pending, 0);
}

#[test]
fn p47a_a_gate_that_knows_no_batches_is_told_one_by_one_and_the_certificate_follows() {
    let mut rig = rig(&["东门", "西门"]);
    rig.way(0, Way { old: true, ..Way::default() });
    let other = super::site::reader(&mut rig.vault, "李小红", "3-1202", 2, &rig.ids);
    let second = other.consent(&mut rig.vault, &rig.ids).unwrap();
    rig.passes(later(1), 20);
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.vault.end_consent(other.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.gates.lock().unwrap().values_mut().for_each(|gate| gate.asked.clear());
    rig.passes(later(HOUR), 20);
    for consent in [rig.granted.consent(), second.consent()] {
        assert_eq!(rig.vault.certificates_of(consent).unwrap(), [true]);
        let whole = rig.vault.certificate(consent, later(2 * HOUR)).unwrap();
        assert!(certificate::verify(&whole.file, &own_key(&rig.vault)).unwrap().is_complete());
    }
    let gates = rig.gates.lock().unwrap();
    let (old, new) = (&gates[&rig.ids[0]], &gates[&rig.ids[1]]);
    assert_eq!(old.asked.iter().filter(|kind| **kind == "erase").count(), 2, "one by one");
    assert!(new.kinds().contains("batch") && !new.kinds().contains("erase"), "the others together");
    assert_eq!((old.held.counts().0, new.held.counts().0), (0, 0));
}

#[test]
fn p47b_a_request_that_was_heard_and_not_answered_counts_as_contact_also_in_the_first_pass() {
    let mut rig = rig(&["东门", "西门"]);
    // The desk was locked for hours; the west gate was cut off meanwhile and hears one request of the first pass.
    let (unlocked, day) = (later(20 * HOUR), later(20 * HOUR).plus_ms(DAY));
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(10 * HOUR)).unwrap();
    rig.way(1, Way { swallows: 1, keeps: true, ..Way::default() });
    rig.pass(unlocked);
    let part = rig.vault.certificate(rig.granted.consent(), unlocked).unwrap();
    let stop = part.facts.blocked_at().unwrap();
    assert!(stop >= day, "its lease counts from what it heard: {} is before {}", stop.minute_text(), day.minute_text());
    // From then on it is away, and nothing moves any more.
    rig.passes(unlocked.plus_ms(HOUR), 20);
    assert_eq!(rig.vault.certificate(rig.granted.consent(), later(2 * DAY)).unwrap().facts.blocked_at(), Some(stop));
}

#[test]
fn p47a_an_erasure_and_the_freeze_in_its_place_that_go_together_make_the_certificate_complete() {
    let mut rig = rig(&["东门", "西门"]);
    rig.way(1, Way { keeps_all: true, ..Way::default() });
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.passes(later(HOUR), 180);
    let wedged = rig.vault.wedged().unwrap();
    assert_eq!(wedged.iter().map(|one| one.count).sum::<u32>(), 2, "the erasure and its freeze: {wedged:?}");
    // Staff had its disk mended: both go in one request.
    rig.way(1, Way::default());
    rig.vault.retry_wedged(rig.ids[1], later(2 * HOUR)).unwrap();
    rig.passes(later(2 * HOUR), 90);
    assert_eq!(rig.frozen(1), None);
    assert_eq!(rig.vault.certificates_of(rig.granted.consent()).unwrap(), [true]);
    let whole = rig.vault.certificate(rig.granted.consent(), later(3 * HOUR)).unwrap();
    assert!(certificate::verify(&whole.file, &own_key(&rig.vault)).unwrap().is_complete());
    assert!(rig.vault.endings_open().unwrap().iter().all(|ending| ending.pending.is_empty()));
}

#[test]
fn p47b_a_gate_that_comes_back_hears_the_orders_that_wait_before_anything_else() {
    let mut rig = rig(&["东门", "西门"]);
    rig.passes(later(1), 10);
    for minutes in 0..2 {
        let begun = later((1 + minutes) * HOUR);
        rig.asked(1);
        rig.way(1, Way { away: true, ..Way::default() });
        if minutes == 0 {
            rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, begun).unwrap();
        } else {
            rig.vault.stop_faces(None, Actor::Station, begun).unwrap();
        }
        // A minute and more away: the order rests for a minute after each try.
        rig.passes(begun, 60 + 7 * minutes);
        assert_eq!(rig.asked(1), Vec::<&str>::new());
        rig.way(1, Way::default());
        let back = begun.plus_ms((60 + 7 * minutes) * 1_000);
        for second in 1..=70 {
            rig.pass(back.plus_ms(second * 1_000));
        }
        let asked = rig.asked(1);
        let order = |kind: &&str| ["erase", "stop", "batch"].contains(kind);
        assert!(asked.first().is_some_and(order), "{minutes}: {:?}", &asked[..asked.len().min(4)]);
    }
}

#[test]
fn p47b_an_order_that_a_gate_refuses_is_repeated_before_each_question_for_its_health() {
    let mut rig = rig(&["东门", "西门"]);
    rig.passes(later(1), 10);
    rig.way(1, Way { keeps_all: true, ..Way::default() });
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.passes(later(HOUR), 300);
    rig.asked(1);
    // It may have been started anew between any two questions: then it knows of the order only what it hears first.
    rig.passes(later(HOUR).plus_ms(300_000), 60);
    let asked = rig.asked(1);
    assert!(asked.iter().filter(|kind| **kind == "health").count() >= 6, "{asked:?}");
    for (at, _) in asked.iter().enumerate().filter(|(_, kind)| **kind == "health") {
        let before = asked[..at].iter().rev().find(|kind| **kind != "other");
        assert!(matches!(before, Some(&("erase" | "batch" | "freeze"))), "{asked:?}");
    }
}

#[test]
fn p51_5_a_gate_that_lost_a_stop_is_told_again_and_one_that_is_stopped_for_no_known_reason_is_seen_and_can_be_resumed()
{
    let mut rig = rig(&["东门", "西门"]);
    rig.vault.stop_faces(Some(rig.ids[0]), Actor::Station, later(1)).unwrap();
    rig.passes(later(1), 20);
    assert_eq!(rig.status(0).faces_rest, Some(FacesRest::Stopped));
    assert!(rig.vault.stops_waiting().unwrap().is_empty());
    // Its disk was put back to an older state.
    rig.faces_off(0, None);
    rig.asked(0);
    rig.passes(later(HOUR), 20);
    assert_eq!(rig.asked(0).iter().filter(|kind| **kind == "stop").count(), 1);
    assert_eq!(rig.status(0).faces_rest, Some(FacesRest::Stopped));
    // A desk before this one stopped the other gate.
    assert_eq!(rig.vault.faces_stopped().unwrap(), [rig.ids[0]]);
    rig.faces_off(1, Some(FacesOff::Stopped));
    rig.passes(later(2 * HOUR), 20);
    let mut both = rig.ids.clone();
    both.sort();
    let mut stopped = rig.vault.faces_stopped().unwrap();
    stopped.sort();
    assert_eq!(stopped, both, "it stands on the page of stops, with the button that ends it");
    assert!(rig.asked(1).iter().all(|kind| *kind != "resume"), "nobody decided that");
    rig.vault.resume_faces(Some(rig.ids[1]), Actor::Station, None, later(3 * HOUR)).unwrap();
    rig.passes(later(3 * HOUR), 20);
    assert_eq!(rig.vault.faces_stopped().unwrap(), [rig.ids[0]]);
    assert_eq!(rig.status(1).faces_rest, None);
    assert!(rig.vault.audit().unwrap().is_sound());
    // A clock that once ran ahead is on the gate's row, although it says the right time now.
    rig.faces_off(1, Some(FacesOff::ClockBack));
    rig.passes(later(4 * HOUR), 20);
    assert_eq!(rig.status(1).faces_rest, Some(FacesRest::ClockBack));
}

#[test]
fn p47b_a_switch_off_by_hand_counts_no_more_once_the_gate_says_that_it_matches_faces() {
    let mut rig = rig(&["东门", "西门"]);
    rig.passes(later(1), 10);
    rig.way(1, Way { keeps_all: true, ..Way::default() });
    rig.faces_off(1, Some(FacesOff::CardsOnly));
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    let entry = SwitchOff { gate: rig.ids[1], at: later(2 * HOUR), by: "保安老李".into() };
    rig.vault.record_switch_off(&entry, Actor::Station, later(2 * HOUR)).unwrap();
    rig.passes(later(3 * HOUR), 90);
    let consent = Some(rig.granted.consent());
    assert_eq!(rig.vault.stops_at(rig.ids[1], consent, later(HOUR)).unwrap(), Some(later(2 * HOUR)));
    rig.faces_off(1, None);
    rig.passes(later(4 * HOUR), 10);
    assert_eq!(rig.vault.switch_off_since(rig.ids[1], later(HOUR)).unwrap(), None);
    assert_eq!(rig.vault.stops_at(rig.ids[1], consent, later(HOUR)).unwrap(), None, "it answers, refuses and matches");
    // Somebody goes there again.
    let again = SwitchOff { at: later(5 * HOUR), ..entry };
    rig.vault.record_switch_off(&again, Actor::Station, later(5 * HOUR)).unwrap();
    assert_eq!(rig.vault.stops_at(rig.ids[1], consent, later(HOUR)).unwrap(), Some(later(5 * HOUR)));
}

#[test]
fn p47_the_difference_is_counted_whole_although_its_lines_are_cut() {
    let mut rig = rig(&["东门"]);
    {
        let mut gates = rig.gates.lock().unwrap();
        let held = &mut gates.get_mut(&rig.ids[0]).unwrap().held;
        for n in 0..300u32 {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&(n * 7_919).to_be_bytes());
            held.put_card(digest, 20_849);
        }
    }
    rig.passes(later(1), 10);
    let status = rig.status(0);
    assert_eq!((status.drift_count, status.drift.len()), (300, 200));
    assert_eq!(status.drift_counts.get(&DriftKind::CardLeftOver), Some(&300));
}

#[test]
fn p69_somebody_whose_key_is_gone_keeps_nobody_elses_erasure_waiting_and_the_gate_stays_on_the_page() {
    let mut rig = rig(&["东门", "西门"]);
    rig.passes(later(1), 10);
    // An older file of keys was put back: of somebody recorded since there is no key, and the card's number cannot be read.
    let other = reader(&mut rig.vault, "李小红", "3-1202", 2, &rig.ids.clone());
    let key = format!("DELETE FROM person_keys WHERE resident = x'{}'", hex(other.resident.bytes()));
    rig.vault.execute_for_a_test(true, &key).unwrap();
    rig.vault.end_consent(rig.reader.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    rig.passes(later(HOUR), 60);
    let consent = rig.granted.consent();
    assert_eq!(rig.vault.certificates_of(consent).unwrap(), [true], "both gates have signed");
    for gate in [0, 1] {
        let status = rig.status(gate);
        assert!(status.reachable && rig.frozen(gate).is_none(), "{status:?}");
    }
    let counts = rig.vault.queue_counts().unwrap();
    let waits: Vec<(u32, u32)> = counts.iter().map(|count| (count.pending, count.wedged)).collect();
    assert_eq!(waits, [(0, 1), (0, 1)], "set aside for staff");
}
