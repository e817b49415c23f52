//! Templates under a transform: another one at each gate, renewable without a face.

use super::support::*;
use crate::gate::matcher::{cosine, threshold};
use crate::secret::{EngineId, FaceTemplate};
use crate::wire::message::{Outcome, Reply, Request, What};

/// What a thief reads who has the store open: templates as they are kept.
fn stolen(site: &Site) -> Vec<FaceTemplate> {
    let faces = site.with_gate(|gate, _| gate.store().live_faces().unwrap());
    faces.into_iter().map(|live| live.face).collect()
}

/// The highest similarity between what was stolen and probes of the same people.
fn highest(stolen: &[FaceTemplate], probes: &[FaceTemplate]) -> f32 {
    let pairs = stolen.iter().zip(probes).map(|(a, b)| cosine(a.expose(), b.expose()).abs());
    pairs.fold(0.0, f32::max)
}

const PEOPLE: u8 = 8;

fn filled() -> Site {
    let mut site = Site::new();
    for n in 1..=PEOPLE {
        site.put(n, &person(u32::from(n)), "2027-01-31");
    }
    site
}

// Shows: N8-12
#[test]
fn n8_12_a_template_stolen_at_one_gate_matches_at_no_other_and_after_a_renewal_nowhere() {
    let (mut one, two) = (filled(), filled());
    let least = threshold(&EngineId::sface()).unwrap();
    let (at_one, at_two) = (stolen(&one), stolen(&two));
    let cameras: Vec<FaceTemplate> = (1..=PEOPLE).map(|n| person(n.into())).collect();
    assert!(highest(&at_one, &at_two) < least, "the same people at two gates are strangers to each other");
    assert!(highest(&at_one, &cameras) < least, "and to a picture of their own");

    let before = one.ask(&Request::List);
    let renewed = one.apply(What::RenewFaces);
    assert_eq!(renewed.outcome, Outcome::FacesRenewed);
    assert_eq!(one.ask(&Request::List), before, "the station's list stays as it is");
    let Reply::List(list) = before else { panic!("no list") };
    assert_eq!(renewed.stored_digest, list.digest());
    assert!(highest(&at_one, &stolen(&one)) < least, "the copy from before opens nothing any more");

    for round in 0..2 {
        for n in 1..=PEOPLE {
            assert_eq!(one.probe(&person_again(n.into())).template, Some([n; 16]), "no face was needed, round {round}");
        }
        one.restart();
        // A gate answers ten probes in ten seconds.
        one.clock.set(NOON.plus_ms(HOUR));
    }
    let pages = one.with_gate(|gate, _| gate.store().decrypted_pages());
    for old in &at_one {
        assert!(!contains(&pages, &bytes_of(old.expose())[..16]), "a page keeps a template as it was before");
    }
}

#[test]
fn a_gate_signs_for_the_digest_of_everything_that_it_holds() {
    let mut site = Site::new();
    let digest = |site: &mut Site| {
        let Reply::Health(health) = site.ask(&Request::Health) else { panic!("no health") };
        health.digest
    };
    let empty = site.apply(What::AttestHeld);
    assert_eq!((empty.outcome, empty.stored_digest), (Outcome::HeldAttested, digest(&mut site)));
    site.put(1, &person(1), "2027-01-31");
    site.apply(What::PutCard(vec![1, 2, 3, 4], 21_000));
    let request = apply(1, What::AttestHeld);
    let first = site.done(&request);
    assert_eq!(first.stored_digest, digest(&mut site));
    assert_ne!(first.stored_digest, empty.stored_digest);
    site.apply(What::FreezeFace([1; 16]));
    assert_eq!(site.done(&request), first, "the same operation is answered with its receipt");
    let resting = site.apply(What::AttestHeld).stored_digest;
    assert!(resting != first.stored_digest && resting == digest(&mut site), "a pause is in it");
    site.restart();
    assert_eq!(site.apply(What::AttestHeld).stored_digest, resting);
}

#[test]
fn a_repeated_renewal_is_done_once_and_frozen_ones_stay_frozen() {
    let mut site = filled();
    site.apply(What::FreezeFace([3; 16]));
    let request = apply(1, What::RenewFaces);
    let first = site.done(&request);
    let turned = stolen(&site);
    assert_eq!(site.done(&request), first);
    let again = stolen(&site);
    assert!(turned.iter().zip(&again).all(|(a, b)| a.expose() == b.expose()), "the repeat changed nothing");
    assert_eq!(site.probe(&person(3)).template, None);
    site.apply(What::ThawFace([3; 16]));
    assert_eq!(site.probe(&person(3)).template, Some([3; 16]));
    let handed = site.with_gate(|gate, _| gate.store().handed_over(&[3; 16]).unwrap().unwrap());
    assert!(cosine(handed.face.expose(), person(3).expose()) > 0.999_999);
}
