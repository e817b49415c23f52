//! A template that a gate holds, sealed again for its own person; and everything that a gate refuses.

use super::support::*;
use crate::domain::consent::ConsentGranted;
use crate::domain::time::Timestamp;
use crate::gate::daemon::Gate;
use crate::gate::reseal::{COPIES_A_DAY_MAX, given};
use crate::secret::Passphrase;
use crate::wire::copy_file::{self, CopyError, PersonKey};
use crate::wire::message::{Health, Outcome, Refusal, Reply, Request, What};
use crate::wire::reseal::{Reseal, ResealFor, Resealed};

const RECORD: [u8; 32] = [0x5c; 32];

fn phrase(text: &str) -> Passphrase {
    Passphrase::new(text.into())
}

fn asked(site: &Site, number: u8, to: [u8; 32], now: Timestamp) -> Reseal {
    let granted: ConsentGranted = consent(number, site.record.id, "2027-01-31");
    Reseal::authorised(&granted, RECORD, ResealFor::Copy, (&site.record, to), (&site.station, new_op(), now)).unwrap()
}

fn resealed(site: &mut Site, ask: &Reseal) -> Resealed {
    let request = Request::Reseal(ask.clone());
    let reply = site.ask(&request);
    let Reply::Resealed(resealed) = reply else { panic!("not given: {reply:?}") };
    assert_eq!(resealed.receipt.check(&site.record, site.station.realm(), &request), Ok(()));
    resealed
}

// Shows: P45a
#[test]
fn p45_a_copy_opens_with_the_persons_own_pass_phrase_and_is_the_template() {
    let mut site = Site::new();
    let stored = site.put(1, &person(1), "2027-01-31");
    site.put(2, &person(2), "2027-01-31");
    let key = PersonKey::make(&phrase("桥下的风吹过三遍")).unwrap();
    let ask = asked(&site, 1, key.public(), NOON);
    let sealed = resealed(&mut site, &ask);
    assert_eq!(sealed.receipt.outcome, Outcome::FaceResealed);
    assert_eq!(sealed.receipt.stored_digest, stored.stored_digest, "of the very template that was enrolled");
    let (public, salt) = key.forget_secret();
    let file = copy_file::write(site.station.realm(), &ask, &sealed, &site.record.seal_key, (&public, &salt));
    let plain = bytes_of(&vector(1));
    assert!(!contains(&file, &plain[..16]));

    let opened = copy_file::open(&file, &phrase("桥下的风吹过三遍")).unwrap();
    let same = crate::gate::matcher::cosine(opened.face.expose(), person(1).expose());
    assert!(same > 0.999_999, "{same}");
    assert_eq!((opened.template, opened.consent), ([1; 16], RECORD));
    assert_eq!(opened.face.engine(), person(1).engine());
    assert_eq!(copy_file::open(&file, &phrase("桥下的风吹过两遍")).unwrap_err(), CopyError::Passphrase);
    for cut in [0, 1, file.len() / 2, file.len() - 3] {
        assert_eq!(copy_file::open(&file[..cut], &phrase("桥下的风吹过三遍")).unwrap_err(), CopyError::Malformed);
    }
    // Somebody else's sealed bytes, or another day, in this file: noticed although the pass-phrase fits.
    let text = String::from_utf8(file).unwrap();
    let later = text.replace("2027-01-31", "2028-01-31");
    let other_number = text.replace(&"01".repeat(16), &"02".repeat(16));
    for changed in [later, other_number] {
        assert_ne!(changed, text);
        let refused = copy_file::open(changed.as_bytes(), &phrase("桥下的风吹过三遍")).unwrap_err();
        assert_eq!(refused, CopyError::Changed);
    }
    let all = site.with_gate(|gate, _| given(gate.store())).unwrap();
    assert_eq!(all.iter().map(|g| (*g.template.bytes(), *g.op.bytes())).collect::<Vec<_>>(), [([1; 16], ask.op)]);
}

// Shows: L2-6
#[test]
fn l2_6_a_gate_gives_nothing_without_the_stations_authorisation_for_this_person_and_purpose() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    let good = asked(&site, 1, [9; 32], NOON);
    let refused = |site: &mut Site, ask: Reseal| site.refused(&Request::Reseal(ask));
    for changed in [
        Reseal { template: [2; 16], ..good.clone() },
        Reseal { consent: [1; 32], ..good.clone() },
        Reseal { to: [8; 32], ..good.clone() },
        Reseal { op: [1; 16], ..good.clone() },
        Reseal { sent_at: good.sent_at + 1, ..good.clone() },
        Reseal { signature: [0; 64], ..good.clone() },
    ] {
        assert_eq!(refused(&mut site, changed), Refusal::NotAuthorised);
    }
    let elsewhere = Reseal { gate: [7; 16], ..good.clone() };
    assert_eq!(refused(&mut site, elsewhere), Refusal::Envelope);
    let unknown = asked(&site, 3, [9; 32], NOON);
    assert_eq!(refused(&mut site, unknown), Refusal::NotHeld);
    for ms in [-30_001, 30_001] {
        let old = asked(&site, 1, [9; 32], NOON.plus_ms(ms));
        assert_eq!(refused(&mut site, old), Refusal::Stale);
    }
    assert_eq!(site.with_gate(|gate, _| given(gate.store())).unwrap(), vec![], "nothing was given out");

    // A good one is answered once: also after a restart, and a repeat of its bytes gets nothing.
    resealed(&mut site, &good);
    assert_eq!(refused(&mut site, good.clone()), Refusal::Spent);
    site.restart();
    assert_eq!(refused(&mut site, good), Refusal::Spent);

    // Stopped, ended, erased: the gate gives nothing, whatever the station says.
    site.apply(What::FreezeFace([1; 16]));
    let frozen = asked(&site, 1, [9; 32], NOON);
    assert_eq!(refused(&mut site, frozen), Refusal::NotAuthorised);
    site.apply(What::EraseFace([1; 16]));
    let gone = asked(&site, 1, [9; 32], NOON);
    assert_eq!(refused(&mut site, gone), Refusal::NotHeld);
    site.put(4, &person(4), "2026-11-22");
    let tomorrow = NOON.plus_ms(DAY);
    site.clock.set(tomorrow);
    let ended = asked(&site, 4, [9; 32], tomorrow);
    assert_eq!(refused(&mut site, ended), Refusal::Expired);
}

#[test]
fn l2_6_a_gate_cannot_be_emptied_by_copies() {
    let mut site = Site::new();
    let limit = u8::try_from(COPIES_A_DAY_MAX).unwrap();
    for number in 1..=limit + 1 {
        site.put(number, &person(number.into()), "2027-01-31");
    }
    for number in 1..=limit {
        let ask = asked(&site, number, [9; 32], NOON);
        resealed(&mut site, &ask);
    }
    let one_more = asked(&site, limit + 1, [9; 32], NOON);
    assert_eq!(site.refused(&Request::Reseal(one_more)), Refusal::TooMany);
    site.restart();
    let one_more = asked(&site, limit + 1, [9; 32], NOON);
    assert_eq!(site.refused(&Request::Reseal(one_more)), Refusal::TooMany, "a restart forgets nothing");
    let tomorrow = NOON.plus_ms(DAY + 1);
    site.clock.set(tomorrow);
    let next_day = asked(&site, limit + 1, [9; 32], tomorrow);
    resealed(&mut site, &next_day);
    let Reply::Health(Health { faces, .. }) = site.ask(&Request::Health) else { panic!("no health") };
    assert_eq!(faces, u64::from(limit) + 1, "giving out changes nothing that is held");
}

#[test]
fn a_key_that_is_none_is_refused_and_not_written_down() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    // The identity point: every shared secret with it would be known.
    let ask = asked(&site, 1, [0; 32], NOON);
    assert_eq!(site.refused(&Request::Reseal(ask)), Refusal::Malformed);
    assert_eq!(site.with_gate(|gate, _| given(gate.store())).unwrap(), vec![]);
}

#[test]
fn a_store_of_version_2_learns_the_stations_signing_key_at_its_next_hello_and_pins_it() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    site.make_older(2, "DROP TABLE resealed; ALTER TABLE settings DROP COLUMN station_sign;");
    site.restart();
    let key = site.station.sign_public();
    assert_eq!(site.with_gate(|gate, _| gate.store().station()).unwrap().unwrap().sign, None);
    let ask = asked(&site, 1, [9; 32], NOON);
    resealed(&mut site, &ask);
    assert_eq!(site.with_gate(|gate, _| gate.store().station()).unwrap().unwrap().sign, Some(key));
    let gate: Gate = Gate::open_without_relay(&site.place, site.station.realm()).unwrap();
    assert_eq!(gate.face_count(), 1);
}
