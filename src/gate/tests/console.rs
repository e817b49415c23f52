//! What is typed at the gate's console beside the running daemon: an unpairing, other limits. The daemon heeds it before it matches again.

use super::support::*;
use crate::domain::Realm;
use crate::gate::error::GateError;
use crate::gate::unpair::unpair;
use crate::gate::watch::Looks;
use crate::wire::frame::{decode, encode};
use crate::wire::message::{Outcome, Receipt, Reply, Request, What};
use sha2::{Digest, Sha256};

fn type_word(site: &Site, word: &str) -> (Result<(), GateError>, String) {
    let mut out = vec![];
    let mut store = site.place.open_beside(Realm::Real).unwrap();
    let done = unpair(&mut store, NOON, &mut word.as_bytes(), &mut out);
    (done, String::from_utf8(out).unwrap())
}

fn bytes(said: &str, what: &str) -> Vec<u8> {
    let hex = said.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[test]
fn an_unpairing_at_the_console_ends_the_matching_of_the_running_daemon_and_is_signed_for() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    site.apply(What::PutCard(vec![4, 0xa1, 0xb2, 0xc3], 20_849));
    let (done, said) = type_word(&site, "yes\n");
    assert!(matches!(done, Err(GateError::NotConfirmed)) && said.contains("1 faces and 1 cards"), "{said}");
    assert_eq!(site.with_gate(|gate, now| gate.looks(now)), Looks::AtAll, "nothing was changed");

    let (done, said) = type_word(&site, "ERASE\n");
    done.unwrap();
    let (looks, faces) = site.with_gate(|gate, now| (gate.looks(now), gate.face_count()));
    assert_eq!((looks, faces), (Looks::No, 0), "the daemon matches nobody any more");
    let (order, receipt) = (bytes(&said, "order: "), bytes(&said, "receipt: "));
    let receipt: Receipt = decode(&receipt).unwrap();
    assert_eq!(receipt.outcome, Outcome::Unpaired);
    assert_eq!(receipt.check(&site.record, Realm::Real, &decode::<Request>(&order).unwrap()), Ok(()));
    assert_eq!(receipt.request_digest, <[u8; 32]>::from(Sha256::digest(&order)));
    assert_eq!(encode(&decode::<Request>(&order).unwrap()), order);
    let pages = site.with_gate(|gate, _| gate.store().openings().unwrap());
    assert_eq!(pages, 0);
    let hears = site.with_gate(|gate, _| gate.is_station(&site.station.fingerprint()));
    assert!(!hears, "and the station is a stranger");
}

#[test]
fn limits_that_are_changed_at_the_console_hold_at_once_and_are_said() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    let health = |site: &mut Site| match site.ask(&Request::Health) {
        Reply::Health(health) => (health.offline_hours, health.passlog_days),
        other => panic!("{other:?}"),
    };
    assert_eq!(health(&mut site), (Some(24), Some(30)));
    site.place.open_beside(Realm::Real).unwrap().change_limits(2, 7).unwrap();
    assert_eq!(health(&mut site), (Some(2), Some(7)));
    site.clock.set(NOON.plus_ms(2 * HOUR + 60_001));
    assert_eq!(site.with_gate(|gate, now| gate.looks(now)), Looks::No, "two hours without contact");
    site.place.open_beside(Realm::Real).unwrap().change_limits(24, 7).unwrap();
    assert_eq!(site.with_gate(|gate, now| gate.looks(now)), Looks::AtAll);
}
