//! Thawing, stopping all faces, and a store of an older version.

use super::support::*;
use crate::gate::daemon::Gate;
use crate::gate::door::{Act, DoorOpens};
use crate::gate::watch::Answer;
use crate::secret::random_bytes;
use crate::wire::batch::{Step, StepReply};
use crate::wire::message::{Apply, FacesOff, Outcome, Refusal, Reply, Request, What};

#[test]
fn p44_a_thawed_template_is_matched_again_and_a_repeated_freeze_changes_nothing() {
    let mut site = Site::new();
    let stored = site.put(1, &person(1), "2027-01-31");
    let freeze = apply(1, What::FreezeFace([1; 16]));
    let frozen = site.done(&freeze);
    assert_eq!(site.probe(&person(1)).template, None);
    let thawed = site.done(&apply(2, What::ThawFace([1; 16])));
    assert_eq!((thawed.outcome, thawed.stored_digest), (Outcome::FaceThawed, stored.stored_digest));
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    // The answer to the freeze was lost and it comes again: the same receipt, and nothing freezes.
    assert_eq!(site.done(&freeze), frozen);
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    site.restart();
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    // What is not held is not made by thawing, and its number stays usable.
    assert_eq!(site.apply(What::ThawFace([2; 16])).stored_digest, [0; 32]);
    site.put(2, &person(2), "2027-01-31");
}

#[test]
fn p51_5_a_stopped_gate_matches_no_face_until_it_is_resumed_and_cards_go_on() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    let card = vec![0x04, 0xa1, 0xb2, 0xc3];
    site.done(&apply(1, What::PutCard(card.clone(), 20_849)));
    let stop = apply(2, What::StopFaces);
    let stopped = site.done(&stop);
    assert_eq!((stopped.outcome, stopped.stored_digest), (Outcome::FacesStopped, [0; 32]));
    for _ in 0..2 {
        let request = site.probe_request(&person(1));
        assert_eq!(site.refused(&request), Refusal::CardsOnly);
        let Reply::Health(health) = site.ask(&Request::Health) else { panic!("no health") };
        assert_eq!((health.faces_off, health.faces), (Some(FacesOff::Stopped), 1), "kept, not matched");
        assert_eq!(site.ask(&Request::TestCard(card.clone())), Reply::CardTested(true));
        site.restart();
    }
    assert_eq!(site.apply(What::EraseFace([9; 16])).outcome, Outcome::FaceErased, "erasing goes on");
    site.done(&apply(3, What::ResumeFaces));
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    assert_eq!(site.done(&stop), stopped, "a repeated stop is answered and done once");
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    let overtaken = apply(2, What::StopFaces);
    let receipt = site.done(&overtaken);
    assert_eq!(receipt.outcome, Outcome::FacesResumed, "a stop that a later resumption has overtaken");
    assert!(receipt.was_overtaken(&overtaken));
}

#[test]
fn a_gate_that_comes_back_matches_none_of_nine_hundred_who_wait_to_be_erased_while_it_is_told_of_them() {
    let mut site = Site::new();
    // The first and the last of each part are held here, and somebody who stays; of the others only the numbers are known.
    let places = [0, 399, 400, 799, 800, 899];
    let held = 1..=6u8;
    for number in held.clone() {
        site.put(number, &person(number.into()), "2027-01-31");
    }
    site.put(7, &person(7), "2027-01-31");
    site.restart();
    let number = |at: usize| match (1..).zip(places).find(|(_, place)| *place == at) {
        Some((number, _)) => [number; 16],
        None => random_bytes(),
    };
    let orders: Vec<Step> = (0..900)
        .map(|at| Step::Apply(Apply { op: random_bytes(), sequence: 1, what: What::EraseFace(number(at)) }))
        .collect();
    let looked_up = |site: &Site, who: u8| {
        site.with_gate(|gate, now| {
            let act = gate.acted(Act::ButtonPressed);
            gate.open_for_face(&person_again(who.into()), act, now)
        })
    };
    let nobody = |site: &Site, when: &str| {
        for who in 1..=7 {
            assert_eq!(looked_up(site, who), Answer::FacesOff(FacesOff::NoContact), "{who}: {when}");
        }
    };
    nobody(&site, "not heard yet");
    for part in [&orders[..400], &orders[400..800]] {
        let Reply::Batch(replies) = site.ask(&Request::Orders(part.to_vec())) else { panic!("no batch") };
        assert!(replies.iter().all(|reply| matches!(reply, StepReply::Done(_))));
        nobody(&site, "the link holds the next part back");
    }
    let Reply::Batch(_) = site.ask(&Request::Batch(orders[800..].to_vec())) else { panic!("no batch") };
    for who in held {
        assert_eq!(looked_up(&site, who), Answer::Unknown, "{who}");
    }
    assert_eq!(looked_up(&site, 7), Answer::Recognised(DoorOpens::Yes), "heard, with all that it had to be told");
    for step in &orders {
        let Step::Apply(Apply { what: What::EraseFace(template), .. }) = step else { panic!("{step:?}") };
        assert_eq!(site.ask(&Request::ReadBack(*template)), Reply::Held(None));
    }
}

#[test]
fn p47b_a_gate_states_its_lease_and_a_greeting_alone_does_not_renew_it() {
    let mut site = Site::new();
    let Reply::Health(health) = site.ask(&Request::Health) else { panic!("no health") };
    assert_eq!(health.offline_hours, Some(24));
    let late = NOON.plus_ms(25 * HOUR);
    site.clock.set(late);
    drop(Line::greet(&site.station, &site.record, site.address).unwrap());
    assert_eq!(site.with_gate(|gate, now| gate.faces_off(now)), Some(FacesOff::NoContact));
    site.ask(&Request::Health);
    assert_eq!(site.with_gate(|gate, now| gate.faces_off(now)), None);
}

#[test]
fn a_store_of_version_1_is_opened_and_brought_up() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    site.make_older(
        1,
        "DROP TABLE resealed; ALTER TABLE settings DROP COLUMN station_sign;
         ALTER TABLE settings DROP COLUMN faces_stopped; ALTER TABLE settings DROP COLUMN stop_sequence;",
    );
    site.restart();
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    assert_eq!(site.apply(What::StopFaces).outcome, Outcome::FacesStopped);
    let gate: Gate = Gate::open_without_relay(&site.place, site.station.realm()).unwrap();
    assert_eq!(gate.face_count(), 1);
    let plain = bytes_of(&vector(1));
    assert!(!contains(&gate.store().decrypted_pages(), &plain[..16]), "no page keeps it as it was");
}
