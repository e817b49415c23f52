//! Templates: hand-over, recognition, repeats, erasure.

use super::support::*;
use crate::domain::Realm;
use crate::domain::id::{GateId, TemplateId};
use crate::gate::daemon::READ_AGAIN_AFTER;
use crate::gate::store::Setup;
use crate::secret::EngineId;
use crate::wire::message::{FacesOff, Health, Holdings, Outcome, Refusal, Reply, Request, What};

fn health(site: &mut Site) -> Health {
    let reply = site.ask(&Request::Health);
    let Reply::Health(health) = reply else { panic!("no health: {reply:?}") };
    health
}

#[test]
fn a_handed_over_template_is_read_back_and_recognised() {
    let mut site = Site::new();
    let receipt = site.put(1, &person(1), "2027-01-31");
    assert_eq!(receipt.outcome, Outcome::FaceStored);
    site.put(2, &person(2), "2027-01-31");

    let Reply::Held(Some(held)) = site.ask(&Request::ReadBack([1; 16])) else { panic!("not held") };
    assert_eq!(held.digest, receipt.stored_digest);
    assert_eq!((held.ends_on, held.frozen), (20_849, false));
    assert_eq!(site.ask(&Request::ReadBack([3; 16])), Reply::Held(None));

    for round in 0..2 {
        let same = site.probe(&person_again(1));
        assert_eq!(same.template, Some([1; 16]), "round {round}");
        assert!(same.similarity > 900 && same.threshold == 471, "{same:?}");
        let stranger = site.probe(&person(77));
        assert_eq!(stranger.template, None);
        assert!(stranger.similarity < 300, "{stranger:?}");
        site.restart();
    }

    let Reply::List(list) = site.ask(&Request::List) else { panic!("no list") };
    assert_eq!(list.faces.iter().map(|f| f.template).collect::<Vec<_>>(), [[1; 16], [2; 16]]);
    let health = health(&mut site);
    assert_eq!((health.faces, health.cards, health.faces_off), (2, 0, None));
    assert_eq!(health.digest, list.digest());
}

#[test]
fn a_repeated_operation_gets_the_identical_receipt_and_is_done_once() {
    let mut site = Site::new();
    let put = site.sealed(1, &person(1), "2027-01-31");
    let request = Request::PutFace(put.clone());
    let first = site.done(&request);
    site.clock.set(NOON.plus_ms(HOUR));
    assert_eq!(site.done(&request), first);
    site.restart();
    assert_eq!(site.done(&request), first, "also after a restart");
    assert_eq!(health(&mut site).faces, 1);

    // Sealed anew it is another operation: the same content is said to be held, other content is refused.
    let again = site.sealed(1, &person(1), "2027-01-31");
    let receipt = site.done(&Request::PutFace(again.clone()));
    assert_eq!((receipt.outcome, receipt.stored_digest), (Outcome::FaceStored, first.stored_digest));
    assert_eq!((receipt.op, health(&mut site).faces), (again.op, 1));
    for other in [site.sealed(1, &person(2), "2027-01-31"), site.sealed(1, &person(1), "2027-02-28")] {
        assert_eq!(site.refused(&Request::PutFace(other)), Refusal::Spent, "the number is taken");
    }
    let mut other = site.sealed(1, &person(1), "2027-01-31");
    other.op = put.op;
    assert_eq!(site.refused(&Request::PutFace(other)), Refusal::Spent, "the operation was another one");
}

#[test]
fn p47_an_erased_template_is_in_no_file_and_its_number_never_returns() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    site.put(2, &person(2), "2027-01-31");
    let turned = |site: &Site, n| {
        site.with_gate(|gate, _| bytes_of(gate.store().transform().unwrap().turn(&person(n)).unwrap().expose()))
    };
    let (erased, kept) = (turned(&site, 1), turned(&site, 2));
    let pages = site.with_gate(|gate, _| gate.store().decrypted_pages());
    assert!(contains(&pages, &erased) && contains(&pages, &kept), "the search finds what is there");
    for n in [1, 2] {
        assert!(!contains(&pages, &bytes_of(&vector(n))[..16]), "as it was handed over it is nowhere");
    }

    let request = apply(2, What::EraseFace([1; 16]));
    let receipt = site.done(&request);
    assert_eq!((receipt.outcome, receipt.stored_digest), (Outcome::FaceErased, [0; 32]));
    assert_eq!(site.ask(&Request::ReadBack([1; 16])), Reply::Held(None));
    assert_eq!(site.probe(&person(1)).template, None);
    assert_eq!(site.probe(&person(2)).template, Some([2; 16]));

    let pages = site.with_gate(|gate, _| gate.store().decrypted_pages());
    assert!(!contains(&pages, &erased), "free pages hold it");
    assert!(!contains(&pages, &erased[..32]), "free pages hold a part of it");
    assert!(contains(&pages, &kept));
    for (name, bytes) in site.raw_files() {
        assert!(!contains(&bytes, &erased[..16]) && !contains(&bytes, &kept[..16]), "{name} is not sealed");
        assert!(!name.ends_with("-wal") || bytes.is_empty(), "the log was not emptied");
    }

    let again = site.sealed(1, &person(1), "2027-01-31");
    assert_eq!(site.refused(&Request::PutFace(again)), Refusal::Spent);
    assert_eq!(site.done(&request), receipt);
    site.restart();
    let again = site.sealed(1, &person(3), "2027-01-31");
    assert_eq!(site.refused(&Request::PutFace(again)), Refusal::Spent);
    assert_eq!(site.apply(What::EraseFace([9; 16])).outcome, Outcome::FaceErased, "what is not there counts as erased");
}

#[test]
fn a_frozen_template_is_kept_but_not_matched() {
    let mut site = Site::new();
    let stored = site.put(1, &person(1), "2027-01-31");
    let frozen = site.apply(What::FreezeFace([1; 16]));
    assert_eq!((frozen.outcome, frozen.stored_digest), (Outcome::FaceFrozen, stored.stored_digest));
    assert_eq!(site.probe(&person(1)).template, None);
    site.restart();
    assert_eq!(site.probe(&person(1)).template, None);
    let Reply::Held(Some(held)) = site.ask(&Request::ReadBack([1; 16])) else { panic!("not held") };
    assert!(held.frozen);

    assert_eq!(site.apply(What::FreezeFace([2; 16])).stored_digest, [0; 32]);
    site.put(2, &person(2), "2027-01-31");
    for round in 0..2 {
        assert_eq!(site.probe(&person(2)).template, None, "a freeze that came first wins, round {round}");
        let Reply::Held(Some(held)) = site.ask(&Request::ReadBack([2; 16])) else { panic!("not held") };
        assert!(held.frozen);
        site.restart();
    }
    site.apply(What::ThawFace([2; 16]));
    assert_eq!(site.probe(&person(2)).template, Some([2; 16]), "and costs the person nothing");
}

#[test]
fn a_thaw_or_an_erasure_before_the_template_ends_the_freeze_before_it() {
    let mut site = Site::new();
    for what in
        [What::FreezeFace([1; 16]), What::ThawFace([1; 16]), What::FreezeFace([2; 16]), What::EraseFace([2; 16])]
    {
        site.apply(what);
    }
    site.put(1, &person(1), "2027-01-31");
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    let late = site.sealed(2, &person(2), "2027-01-31");
    assert_eq!(site.refused(&Request::PutFace(late.clone())), Refusal::Spent);
    site.apply(What::FreezeFace([2; 16]));
    assert_eq!(site.refused(&Request::PutFace(late)), Refusal::Spent, "a freeze gives no number back");
}

#[test]
fn an_envelope_that_was_changed_or_is_for_another_gate_changes_nothing() {
    let mut site = Site::new();
    let good = site.sealed(1, &person(1), "2027-01-31");
    let mut later = good.clone();
    later.ends_on += 365;
    assert_eq!(site.refused(&Request::PutFace(later)), Refusal::Envelope);
    let mut moved = good.clone();
    moved.template = [5; 16];
    assert_eq!(site.refused(&Request::PutFace(moved)), Refusal::Envelope);
    let mut elsewhere = good.clone();
    elsewhere.gate = [7; 16];
    assert_eq!(site.refused(&Request::PutFace(elsewhere)), Refusal::Envelope);
    let mut other_engine = good.clone();
    other_engine.engine = EngineId::dlib().as_str().into();
    assert_eq!(site.refused(&Request::PutFace(other_engine)), Refusal::Engine);
    assert_eq!(health(&mut site).faces, 0);
    site.done(&Request::PutFace(good));
}

#[test]
fn a_card_only_gate_takes_no_face() {
    let mut site = Site::with(Setup { realm: Realm::Real, takes_faces: false, ..Setup::default() });
    assert_eq!(health(&mut site).faces_off, Some(FacesOff::CardsOnly));
    let reachable = crate::domain::gate::GateRecord { takes_faces: true, ..site.record.clone() };
    let consent = consent(1, site.record.id, "2027-01-31");
    let put = crate::wire::envelope::seal_face(&consent, &person(1), &reachable, &site.station, new_op()).unwrap();
    assert_eq!(site.refused(&Request::PutFace(put)), Refusal::CardsOnly);
    site.apply(What::PutCard(vec![1, 2, 3, 4], 20_849));
    assert_eq!(site.ask(&Request::TestCard(vec![1, 2, 3, 4])), Reply::CardTested(true));
}

#[test]
fn nothing_but_a_hello_is_answered_before_the_hello() {
    let site = Site::new();
    let mut caller = crate::gate::daemon::Caller::new(site.station.fingerprint(), None);
    let list = crate::wire::frame::encode(&Request::List);
    let reply = site.with_gate(|gate, now| gate.answer(&mut caller, &list, now));
    assert_eq!(reply, Reply::Refused(Refusal::Malformed));
    let mut stranger = crate::gate::daemon::Caller::new([7; 32], None);
    let reply = site.with_gate(|gate, now| gate.answer(&mut stranger, &list, now));
    assert_eq!(reply, Reply::Refused(Refusal::Envelope));
}

#[test]
fn a_damaged_template_is_neither_matched_nor_listed_and_can_be_handed_over_again() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    site.apply(What::FreezeFace([1; 16]));
    let before = health(&mut site);
    assert_eq!(before.faces, 1);
    site.with_gate(|gate, _| {
        let changed = "UPDATE faces SET ends_on = ends_on + 365 WHERE template = ?1";
        gate.store().connection().execute(changed, [[1u8; 16]]).unwrap();
    });
    assert_eq!(site.ask(&Request::ReadBack([1; 16])), Reply::Held(None));
    // Within an hour the gate reads its rows again: what it says it holds differs from what it was given.
    for _ in 0..READ_AGAIN_AFTER {
        site.with_gate(|gate, now| gate.tick(now)).unwrap();
    }
    let after = health(&mut site);
    assert_eq!(after.faces, 0);
    assert_ne!(after.digest, before.digest, "the station sees a difference");
    assert_eq!(site.ask(&Request::List), Reply::List(Holdings { faces: vec![], cards: vec![] }));
    site.restart();
    assert_eq!(site.probe(&person(1)).template, None);
    assert_eq!(health(&mut site).digest, after.digest);
    // Another gate hands it over again: the person's pause goes on.
    site.put(1, &person(1), "2027-01-31");
    assert_eq!(site.probe(&person(1)).template, None);
    site.apply(What::ThawFace([1; 16]));
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
    assert_eq!(site.with_gate(|gate, _| gate.face_count()), 1);
}

// Shows: N8-7
#[test]
fn no_column_of_the_store_can_hold_a_name() {
    let site = Site::new();
    let columns = site.with_gate(|gate, _| {
        let db = gate.store().connection();
        let sql =
            "SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'
                   AND c.type = 'TEXT' ORDER BY 1";
        let mut statement = db.prepare(sql).unwrap();
        let columns: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        columns
    });
    // The heads hold the name of a log (`menka.real/<site>`), counts and signatures.
    let heads = ["epochs.origin", "heads.note", "heads.origin"];
    // A pairing code is eight digits for ten minutes; the other is where this gate listens.
    let pairing = ["pairing.code", "pairing.listens"];
    let expected = [
        heads[0],
        "faces.engine",
        heads[1],
        heads[2],
        "openings.door",
        "openings.way",
        pairing[0],
        pairing[1],
        "settings.engine",
        "settings.realm",
    ];
    assert_eq!(columns, expected);
    assert_ne!(site.record.id, GateId::from_bytes([0; 16]));
    assert_ne!(TemplateId::from_bytes([1; 16]).short(), "");
}
