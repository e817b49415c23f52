//! Pairing by code at a gate that listens, and what follows: tries, time, re-pairing, unpairing, old receipts.

use super::support::*;
use crate::domain::id::SiteId;
use crate::domain::time::Timestamp;
use crate::gate::daemon::RECEIPTS_KEPT_DAYS;
use crate::gate::pairing;
use crate::lan::TlsLink;
use crate::ports::{Clock, GateLink, LinkError, PairError};
use crate::secret::PairingCode;
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{FacesOff, KeepEpoch, Outcome, Refusal, Reply, Request, What};
use crate::wire::pairing::{CODE_LIFE_MS, TRIES_MAX};
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);

fn code(text: &str) -> PairingCode {
    PairingCode::parse(text).unwrap()
}

fn desk(realm: crate::domain::Realm) -> TlsLink {
    TlsLink::new(Arc::new(IdentityKeys::make(realm).unwrap()), SiteId::from_bytes([0x52; 16]))
}

fn show(site: &Site, text: &str) {
    pairing::show(&site.place.open_beside(site.station.realm()).unwrap(), &code(text), site.clock.now()).unwrap();
}

#[test]
fn a_station_that_types_the_code_is_paired_and_the_earlier_one_is_not_heard() {
    let mut site = Site::new();
    site.ask(&Request::Health);
    show(&site, "48217730");
    let mut other = desk(site.station.realm());
    let (hello, pin) = other.pair(&site.address.to_string(), &code("4821 7730"), LIMIT).unwrap();
    assert_eq!((hello.id, pin), (*site.record.id.bytes(), site.record.tls_pin));
    let record = crate::domain::gate::GateRecord { address: site.address.to_string(), ..site.record.clone() };
    assert!(matches!(other.ask(&record, &Request::Health, LIMIT), Ok(Reply::Health(_))));
    assert!(Line::greet(&site.station, &site.record, site.address).is_err(), "one station a gate");
    let again = other.pair(&site.address.to_string(), &code("48217730"), LIMIT);
    assert_eq!(again.err(), Some(PairError::NoCode), "a code is used up by the pairing");
}

#[test]
fn three_wrong_codes_void_the_code_and_time_does_too() {
    let site = Site::new();
    show(&site, "48217730");
    let mut other = desk(site.station.realm());
    let address = site.address.to_string();
    for _ in 0..TRIES_MAX {
        assert_eq!(other.pair(&address, &code("48217731"), LIMIT).err(), Some(PairError::OtherCode));
    }
    assert_eq!(
        other.pair(&address, &code("48217730"), LIMIT).err(),
        Some(PairError::NoCode),
        "the right one, too late"
    );

    show(&site, "11112222");
    site.clock.set(NOON.plus_ms(CODE_LIFE_MS));
    assert_eq!(other.pair(&address, &code("11112222"), LIMIT).err(), Some(PairError::NoCode));
    site.clock.set(NOON.plus_ms(-1));
    assert_eq!(other.pair(&address, &code("11112222"), LIMIT).err(), Some(PairError::NoCode), "a clock set back");
    site.clock.set(NOON.plus_ms(CODE_LIFE_MS - 1));
    assert!(other.pair(&address, &code("11112222"), LIMIT).is_ok());
}

#[test]
fn who_breaks_off_has_used_up_a_try_all_the_same() {
    let site = Site::new();
    show(&site, "48217730");
    for _ in 0..TRIES_MAX {
        let begun = Line::to_anybody(&IdentityKeys::make(site.station.realm()).unwrap(), site.address)
            .unwrap()
            .begin_pairing("48217731");
        assert!(matches!(begun, Reply::PairShare(_)));
    }
    let mut other = desk(site.station.realm());
    let late = other.pair(&site.address.to_string(), &code("48217730"), LIMIT);
    assert_eq!(late.err(), Some(PairError::NoCode));
}

#[test]
fn while_a_code_is_shown_a_stranger_may_pair_and_do_nothing_else() {
    let mut site = Site::new();
    show(&site, "48217730");
    let stranger = IdentityKeys::make(site.station.realm()).unwrap();
    let mut line = Line::to_anybody(&stranger, site.address).unwrap();
    let asked = [
        Request::Hello(hello(&stranger)),
        Request::Health,
        Request::List,
        Request::TestCard(vec![1, 2, 3, 4]),
        apply(1, What::PutCard(vec![1, 2, 3, 4], 21_000)),
        apply(1, What::Unpair),
    ];
    for request in asked {
        assert_eq!(line.ask(&request).unwrap(), Reply::Refused(Refusal::Envelope), "{request:?}");
    }
    assert_eq!(line.ask(&Request::PairConfirm([0; 32])).unwrap(), Reply::Refused(Refusal::NoCode));
    // The paired station goes on meanwhile.
    assert!(matches!(site.ask(&Request::Health), Reply::Health(_)));
    let practice = desk(crate::domain::Realm::Practice).pair(&site.address.to_string(), &code("48217730"), LIMIT);
    assert_eq!(practice.err(), Some(PairError::Link(LinkError::OtherRealm)));
}

#[test]
fn without_a_code_a_stranger_does_not_get_through_the_handshake() {
    let site = Site::new();
    let mut other = desk(site.station.realm());
    assert_eq!(other.pair(&site.address.to_string(), &code("48217730"), LIMIT).err(), Some(PairError::NoCode));
}

#[test]
fn a_re_pairing_leaves_no_open_connection_that_is_answered_as_malformed() {
    // An open connection of the same station, as the courier keeps one.
    let mut site = Site::new();
    assert!(matches!(site.ask(&Request::Health), Reply::Health(_)));
    site.pair_again();
    assert!(matches!(site.ask(&Request::Health), Reply::Health(_)), "the same keys: it goes on");

    // The same TLS key, paired anew under another sealing key: the connection ends, so that it is opened and greeted anew.
    let mut line = Line::greet(&site.station, &site.record, site.address).unwrap();
    let changed = crate::wire::message::Hello { seal_key: [9; 32], ..hello(&site.station) };
    let pin = site.station.fingerprint();
    site.with_gate(|gate, now| gate.pin_station(&pin, &changed, now)).unwrap();
    let answer = line.ask(&Request::Health);
    assert!(answer.is_err(), "closed, not refused as malformed: {answer:?}");
}

#[test]
fn unpairing_erases_everybody_signs_for_it_and_repeats_the_receipt() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    site.apply(What::PutCard(vec![1, 2, 3, 4], 21_000));
    site.apply(What::StopFaces);
    let note =
        KeepEpoch { origin: "menka.real/00000000000000000000000000000001".into(), number: 4, sealed: vec![0xA7; 900] };
    assert!(matches!(site.ask(&Request::KeepEpoch(note.clone())), Reply::Epoch(Some(_))));
    // As it is kept, which is not as it came.
    let kept: Vec<u8> = site.with_gate(|gate, _| {
        let db = gate.store().connection();
        db.query_row("SELECT vector FROM faces", [], |row| row.get(0)).unwrap()
    });
    assert!(site.with_gate(|gate, _| contains(&gate.store().decrypted_pages(), &kept)));
    let request = apply(9, What::Unpair);
    let receipt = site.done(&request);
    assert_eq!((receipt.outcome, receipt.stored_digest), (Outcome::Unpaired, [0; 32]));
    for (file, bytes) in site.raw_files() {
        assert!(!contains(&bytes, &bytes_of(&vector(1))), "{file}");
    }
    let (pages, faces, cards, memory) = site.with_gate(|gate, _| {
        let store = gate.store();
        (store.decrypted_pages(), store.faces().unwrap(), store.cards().unwrap(), gate.face_count())
    });
    assert!(!contains(&pages, &kept), "nor in free pages");
    assert!(!contains(&pages, &note.sealed[..64]), "the note about erasures would grow old here");
    assert_eq!((faces, cards, memory), (0, 0, 0));
    assert!(!site.with_gate(|gate, _| gate.store().card_way_seen()).unwrap(), "whose card opens next nobody has seen");

    // The answer was lost: the same request gets the same receipt, also after a restart, and nothing else is answered.
    assert_eq!(site.ask(&request), Reply::Done(receipt.clone()));
    site.restart();
    assert_eq!(site.ask(&request), Reply::Done(receipt));
    let Reply::Health(health) = site.ask(&Request::Health) else { panic!("no health") };
    assert_eq!((health.faces, health.cards), (0, 0));
    assert_eq!(health.faces_off, Some(FacesOff::NoContact), "a station that unpaired it is no contact");
    assert_eq!(site.refused(&apply(10, What::Unpair)), Refusal::Envelope);
    assert_eq!(site.refused(&apply(11, What::PutCard(vec![5, 6, 7, 8], 21_000))), Refusal::Envelope);
    assert_eq!(site.refused(&Request::List), Refusal::Envelope);
    // Its number stays spent when the gate is paired again.
    site.pair_again();
    site.restart();
    let put = site.sealed(1, &person(1), "2027-01-31");
    assert_eq!(site.refused(&Request::PutFace(put)), Refusal::Spent);
}

#[test]
fn receipts_are_forgotten_after_their_time_and_a_late_repeat_changes_nothing() {
    let mut site = Site::new();
    site.put(1, &person(1), "2030-01-31");
    let erase = apply(1, What::EraseFace([1; 16]));
    let put_card = apply(2, What::PutCard(vec![1, 2, 3, 4], 22_000));
    let first = site.done(&erase);
    site.done(&put_card);
    site.done(&apply(3, What::RemoveCard(vec![1, 2, 3, 4])));
    assert_eq!(site.ask(&erase), Reply::Done(first.clone()), "within its time: the identical receipt");
    let ops = |site: &Site| site.with_gate(|gate, _| gate.store().operations().unwrap());
    let kept = ops(&site);
    assert!(kept >= 4);

    // A clock that jumped is not believed: nothing is forgotten yet.
    let run = |site: &Site, from: Timestamp, minutes: i64| {
        for minute in (0..=minutes).step_by(5) {
            site.clock.set(from.plus_ms(minute * 60_000));
            site.with_gate(|gate, now| gate.tick(now)).unwrap();
        }
    };
    let later = NOON.plus_ms((RECEIPTS_KEPT_DAYS + 1) * DAY);
    run(&site, later, 23 * 60);
    assert_eq!(ops(&site), kept);
    run(&site, later.plus_ms(23 * HOUR), 2 * 60);
    assert_eq!(ops(&site), 0, "after a day of a clock that runs");

    // The same requests, long after: done anew, and nothing comes back.
    let again = site.done(&erase);
    assert_ne!(again.at, first.at);
    assert_eq!(site.done(&put_card).outcome, Outcome::CardRemoved, "a later operation on this card was done before");
    let put = site.sealed(1, &person(1), "2030-01-31");
    assert_eq!(site.refused(&Request::PutFace(put)), Refusal::Spent);
}
