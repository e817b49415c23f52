//! A comparison: what a gate answers to whatever parts it is asked for, and what the desk makes of whatever a gate lists.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::wire::frame::decode;
use menka::wire::held::{AskDigests, AskEntries, Held, Kind, PART_DIGEST, PARTS_MAX};
use menka::wire::message::{HeldFace, Reply, Request};
use menka_fuzz::{room_for, within};

/// A few templates and cards, some in the same part.
fn held() -> Held {
    let mut held = Held::default();
    for n in 0..40u8 {
        let template = [n.wrapping_mul(7); 16];
        held.put_face(HeldFace { template, digest: [n; 32], ends_on: i64::from(n), frozen: n % 3 == 0 });
        held.put_card([n.wrapping_mul(11); 32], i64::from(n));
    }
    held
}

fuzz_target!(|bytes: &[u8]| {
    let held = held();
    // An answer may be longer than its question: so much for each part that may be asked for.
    let room = room_for(bytes) + PARTS_MAX * 40 * 256;
    match decode::<Request>(bytes) {
        Ok(Request::Digests(ask)) => {
            if let Ok(all) = within(room, || held.digests(&ask)) {
                assert_eq!(all.len(), ask.under.len() * 16 * PART_DIGEST);
                assert_eq!(held.differing(&ask, &all), Some(vec![]), "the same differs in nothing");
            }
        }
        Ok(Request::Entries(ask)) => {
            if let Ok(found) = within(room, || held.entries(&ask)) {
                assert!(held.compare(&ask, &found).is_empty(), "the same differs in nothing");
            }
        }
        Ok(Request::Find(ask)) => drop(within(room, || held.find(&ask))),
        _ => {}
    }
    match decode::<Reply>(bytes) {
        Ok(Reply::Digests(theirs)) => {
            for under in [0, 1, 16] {
                let ask = AskDigests { kind: Kind::Faces, depth: 1, under: vec![0; under] };
                drop(within(room, || held.differing(&ask, &theirs)));
            }
        }
        Ok(Reply::Entries(theirs) | Reply::List(theirs)) => {
            let ask = AskEntries { kind: Kind::Cards, depth: 1, parts: (0..16).collect() };
            drop(within(room, || held.compare(&ask, &theirs)));
            let _ = within(room, || theirs.digest());
        }
        _ => {}
    }
});
