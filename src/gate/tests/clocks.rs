//! Last days, the lease, a clock that goes wrong, and the limits of probes.

use super::support::*;
use crate::domain::card::CardUid;
use crate::domain::time::Timestamp;
use crate::gate::door::{Act, DoorOpens};
use crate::gate::watch::Answer;
use crate::wire::message::{FacesOff, Refusal, Reply, Request, What};

fn faces_off(site: &Site) -> Option<FacesOff> {
    site.with_gate(|gate, now| gate.faces_off(now))
}

// Shows: N8-13
#[test]
fn p19_a_template_is_not_matched_after_its_last_day_and_erased_three_days_later() {
    let mut site = Site::new();
    let over = site.sealed(1, &person(1), "2026-11-21");
    assert_eq!(site.refused(&Request::PutFace(over)), Refusal::Expired);
    site.put(2, &person(2), "2026-11-22");

    let midnight = NOON.date().end();
    site.clock.set(midnight.plus_ms(-1));
    assert_eq!(site.probe(&person(2)).template, Some([2; 16]));
    site.clock.set(midnight);
    assert_eq!(site.probe(&person(2)).template, None);

    let watch = |site: &Site, from: Timestamp, to: Timestamp| {
        let mut now = from;
        while now <= to {
            site.clock.set(now);
            site.with_gate(|gate, now| gate.tick(now)).unwrap();
            now = now.plus_ms(5 * 60_000);
        }
    };
    watch(&site, midnight.plus_ms(2 * DAY - 5 * 60_000), midnight.plus_ms(3 * DAY - 1));
    assert!(matches!(site.ask(&Request::ReadBack([2; 16])), Reply::Held(Some(_))));
    site.clock.set(midnight.plus_ms(9 * DAY));
    site.with_gate(|gate, now| gate.tick(now)).unwrap();
    assert!(matches!(site.ask(&Request::ReadBack([2; 16])), Reply::Held(Some(_))), "a jumping clock erases nothing");
    watch(&site, midnight.plus_ms(9 * DAY), midnight.plus_ms(10 * DAY));
    assert_eq!(site.ask(&Request::ReadBack([2; 16])), Reply::Held(None));
    let again = site.sealed(2, &person(2), "2027-01-31");
    assert_eq!(site.refused(&Request::PutFace(again)), Refusal::Spent);
}

// Shows: F10a, N8-10
#[test]
fn d12_without_contact_faces_stop_and_cards_go_on() {
    let mut site = Site::new();
    let card = CardUid::from_bytes(&[1, 2, 3, 4]).unwrap();
    site.put(1, &person(1), "2027-01-31");
    site.apply(What::PutCard(card.bytes().to_vec(), 20_849));
    site.clock.set(NOON.plus_ms(24 * HOUR + 1));
    assert_eq!(faces_off(&site), Some(FacesOff::NoContact));
    let answer = site.with_gate(|gate, now| {
        let act = gate.acted(Act::ButtonPressed);
        gate.recognise_frame(&mut NeverAsked, super::doors::frame(1), act, now)
    });
    assert_eq!(answer, Answer::FacesOff(FacesOff::NoContact));
    let opens = site.with_gate(|gate, now| gate.open_for_card(&card, now)).unwrap();
    assert_eq!(opens, Some(DoorOpens::Yes));

    site.restart();
    assert_eq!(faces_off(&site), Some(FacesOff::NoContact), "a restart is no contact");
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]), "the station's question is");
    assert_eq!(faces_off(&site), None);
}

// Shows: N8-10
#[test]
fn after_a_start_no_face_is_matched_until_the_station_was_heard() {
    let mut site = Site::new();
    let card = CardUid::from_bytes(&[1, 2, 3, 4]).unwrap();
    site.put(1, &person(1), "2027-01-31");
    site.apply(What::PutCard(card.bytes().to_vec(), 20_849));
    assert_eq!(faces_off(&site), None);
    // Cut off, shut down, and started days later with a clock that stood still meanwhile.
    site.restart();
    assert_eq!(faces_off(&site), Some(FacesOff::NoContact));
    let answer = site.with_gate(|gate, now| {
        let act = gate.acted(Act::ButtonPressed);
        gate.recognise_frame(&mut NeverAsked, super::doors::frame(1), act, now)
    });
    assert_eq!(answer, Answer::FacesOff(FacesOff::NoContact));
    assert_eq!(site.with_gate(|gate, now| gate.open_for_card(&card, now)).unwrap(), Some(DoorOpens::Yes));
    drop(Line::greet(&site.station, &site.record, site.address).unwrap());
    assert_eq!(faces_off(&site), Some(FacesOff::NoContact), "a greeting alone tells the station nothing");
    site.ask(&Request::Health);
    assert_eq!(faces_off(&site), None);
    // Where the clock is known to go on while the gate is off, so does the lease.
    site.restart();
    let kept = crate::gate::settings::FacePlan { clock_kept: true, ..Default::default() };
    site.with_gate(|gate, _| gate.limit_faces(kept));
    assert_eq!(faces_off(&site), None);
    site.clock.set(NOON.plus_ms(24 * HOUR + 1));
    assert_eq!(faces_off(&site), Some(FacesOff::NoContact));
}

#[test]
fn a_refused_peer_is_no_contact() {
    let site = Site::new();
    site.clock.set(NOON.plus_ms(24 * HOUR + 1));
    let stranger = crate::wire::keys::IdentityKeys::make(crate::domain::Realm::Real).unwrap();
    assert!(Line::greet(&stranger, &site.record, site.address).is_err());
    assert_eq!(faces_off(&site), Some(FacesOff::NoContact));
}

#[test]
fn a_clock_that_jumped_back_keeps_faces_off_and_says_so() {
    let mut site = Site::new();
    site.put(1, &person(1), "2026-11-22");
    site.apply(What::PutCard(vec![1, 2, 3, 4], 20_849));
    site.apply(What::PutCard(vec![5, 6, 7, 8], 20_779));
    site.clock.set(NOON.plus_ms(DAY));
    site.with_gate(|gate, now| gate.tick(now)).unwrap();
    site.restart();
    site.clock.set(NOON);
    let Reply::Health(health) = site.ask(&Request::Health) else { panic!("no health") };
    assert_eq!((health.faces_off, health.clock), (Some(FacesOff::ClockBack), NOON.ms()));
    let probe = site.probe_request(&person(1));
    assert_eq!(site.refused(&probe), Refusal::CardsOnly, "an ended template must not come back to life");
    assert_eq!(site.ask(&Request::TestCard(vec![1, 2, 3, 4])), Reply::CardTested(true));
    assert_eq!(site.ask(&Request::TestCard(vec![5, 6, 7, 8])), Reply::CardTested(false), "nor an ended card");

    site.pair_again();
    assert_eq!(faces_off(&site), None, "whoever stands at the gate can say that the clock is right");
}

#[test]
fn a_probe_is_answered_once_while_fresh_and_ten_times_in_ten_seconds() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    let probe = site.probe_request(&person(1));
    assert!(matches!(site.ask(&probe), Reply::Probed(_)));
    assert_eq!(site.refused(&probe), Refusal::Stale, "replayed");
    let old = site.probe_request(&person(1));
    site.clock.set(NOON.plus_ms(30_001));
    assert_eq!(site.refused(&old), Refusal::Stale, "too old");
    site.clock.set(NOON.plus_ms(60_000));
    for _ in 0..10 {
        site.probe(&person(1));
    }
    let more = site.probe_request(&person(1));
    assert_eq!(site.refused(&more), Refusal::TooMany);
    site.clock.set(NOON.plus_ms(70_000));
    assert_eq!(site.probe(&person(1)).template, Some([1; 16]));
}

// Shows: N8-11
#[test]
fn opening_records_are_erased_after_their_days() {
    let mut site = Site::new();
    let card = CardUid::from_bytes(&[1, 2, 3, 4]).unwrap();
    site.apply(What::PutCard(card.bytes().to_vec(), 20_849));
    site.put(1, &person(1), "2027-01-31");
    let mut at = vec![];
    for days in [0, 1, 29] {
        site.clock.set(NOON.plus_ms(days * DAY));
        site.ask(&Request::Health);
        site.with_gate(|gate, now| gate.open_for_card(&card, now)).unwrap();
        site.clock.set(NOON.plus_ms(days * DAY + 60_000));
        let answer = site.with_gate(|gate, now| {
            let act = gate.acted(Act::ButtonPressed);
            gate.open_for_face(&person_again(1), act, now)
        });
        assert_eq!(answer, Answer::Recognised(DoorOpens::Yes));
        at.extend([(NOON.plus_ms(days * DAY).ms(), "card"), (NOON.plus_ms(days * DAY + 60_000).ms(), "face")]);
    }
    site.with_gate(|gate, now| gate.tick(now)).unwrap();
    let rows = openings(&site);
    let said: Vec<_> = rows.iter().map(|row| (row.at, row.way.as_str())).collect();
    assert_eq!(said, at, "when and which way, of the same person and card each time");
    assert!(rows.iter().all(|row| row.door == "opened" && row.others == 0), "how it went, and nothing else");
    let pages = site.with_gate(|gate, _| gate.store().decrypted_pages());
    for (k, row) in rows.iter().enumerate() {
        assert_eq!(row.id.len(), 16);
        assert!(rows[..k].iter().all(|other| other.id != row.id), "another number each time");
        assert!(contains(&pages, &row.id), "the search finds what is there");
    }
    let elsewhere = everything_but_openings(&site);
    assert!(elsewhere.iter().any(|value| value == card.bytes()) && elsewhere.iter().any(|value| *value == [1; 16]));
    for row in &rows {
        assert!(elsewhere.iter().all(|value| !contains(value, &row.id)), "its number leads to nobody");
    }

    site.clock.set(NOON.plus_ms(30 * DAY + 60_001));
    site.with_gate(|gate, now| gate.tick(now)).unwrap();
    let left = openings(&site);
    let ids = |rows: &[Opening]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&left), ids(&rows[2..]), "the first two had their days, the others not yet");
    let pages = site.with_gate(|gate, _| gate.store().decrypted_pages());
    for row in &rows[..2] {
        assert!(!contains(&pages, &row.id) && !contains(&pages, &row.id[..8]), "in no page, free ones too");
    }
    assert!(left.iter().all(|row| contains(&pages, &row.id)));
    for (name, bytes) in site.raw_files() {
        assert!(!name.ends_with("-wal") || bytes.is_empty(), "the log was not emptied");
    }
}

/// A row of the opening records, whole.
struct Opening {
    id: Vec<u8>,
    at: i64,
    way: String,
    door: String,
    /// How many columns it has besides these.
    others: usize,
}

/// All of them, by their time.
fn openings(site: &Site) -> Vec<Opening> {
    site.with_gate(|gate, _| {
        let mut all = gate.store().connection().prepare("SELECT * FROM openings ORDER BY at").unwrap();
        let others = all.column_count() - 4;
        let row = |row: &rusqlite::Row<'_>| {
            let (id, at, way, door) = (row.get("id")?, row.get("at")?, row.get("way")?, row.get("door")?);
            Ok(Opening { id, at, way, door, others })
        };
        all.query_map([], row).unwrap().map(Result::unwrap).collect()
    })
}

/// Every text and blob of every other table.
fn everything_but_openings(site: &Site) -> Vec<Vec<u8>> {
    site.with_gate(|gate, _| {
        let db = gate.store().connection();
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'openings'";
        let mut names = db.prepare(sql).unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut found = vec![];
        for name in names {
            let mut all = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
            let columns = all.column_count();
            let mut rows = all.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for column in 0..columns {
                    if let rusqlite::types::ValueRef::Blob(bytes) | rusqlite::types::ValueRef::Text(bytes) =
                        row.get_ref(column).unwrap()
                    {
                        found.push(bytes.to_vec());
                    }
                }
            }
        }
        found
    })
}

// Shows: N8-11
#[test]
fn a_clock_that_jumped_ahead_and_was_put_right_keeps_nothing_longer() {
    let mut site = Site::new();
    let card = CardUid::from_bytes(&[1, 2, 3, 4]).unwrap();
    site.put(1, &person(1), "2026-11-30");
    site.put(2, &person(2), "2027-09-30");
    site.apply(What::PutCard(card.bytes().to_vec(), 22_000));
    let count = |site: &Site| site.with_gate(|gate, _| gate.store().openings()).unwrap();
    let open = |site: &Site| site.with_gate(|gate, now| gate.open_for_card(&card, now)).unwrap();
    // A year ahead for a moment, too short for anything to be believed over.
    site.clock.set(NOON.plus_ms(365 * DAY));
    assert_eq!(open(&site), Some(DoorOpens::Yes));
    site.with_gate(|gate, now| gate.tick(now)).unwrap();
    site.clock.set(NOON);
    assert_eq!(open(&site), Some(DoorOpens::Yes));
    assert_eq!((faces_off(&site), count(&site)), (Some(FacesOff::ClockBack), 2));
    let watch = |site: &Site, hours: std::ops::Range<i64>| {
        for quarter in hours.start * 4..hours.end * 4 {
            site.clock.set(NOON.plus_ms(quarter * HOUR / 4 + 300_000));
            site.with_gate(|gate, now| gate.tick(now)).unwrap();
            site.clock.set(NOON.plus_ms(quarter * HOUR / 4 + 600_000));
            site.with_gate(|gate, now| gate.tick(now)).unwrap();
            site.clock.set(NOON.plus_ms((quarter + 1) * HOUR / 4));
            site.with_gate(|gate, now| gate.tick(now)).unwrap();
        }
    };
    watch(&site, 0..15 * 24);
    site.restart();
    site.clock.set(NOON.plus_ms(15 * DAY));
    assert_eq!(open(&site), Some(DoorOpens::Yes));
    assert_eq!(count(&site), 3);
    assert_eq!(site.ask(&Request::ReadBack([1; 16])), Reply::Held(None), "ended by either time");
    assert!(
        matches!(site.ask(&Request::ReadBack([2; 16])), Reply::Held(Some(_))),
        "ended only in the year that never was"
    );
    watch(&site, 15 * 24..30 * 24 + 2);
    assert_eq!(count(&site), 1, "thirty days have passed for the first two, whatever the clock said");
    // Somebody pairs it anew: the openings of the year that never was do not wait for that year.
    site.pair_again();
    site.with_gate(|gate, now| gate.tick(now)).unwrap();
    assert_eq!(count(&site), 0);
}

/// An engine that fails the test when it is asked.
struct NeverAsked;

impl crate::ports::FaceEngine for NeverAsked {
    fn engine(&self) -> crate::secret::EngineId {
        panic!("the engine was asked while faces are off")
    }
    fn wake(&mut self) -> Result<(), crate::ports::FaceError> {
        panic!("the engine was woken while faces are off")
    }
    fn locate(
        &mut self,
        _: crate::domain::consent::Warrant<'_>,
        _: &crate::secret::Frame,
    ) -> Result<crate::domain::quality::Look, crate::ports::FaceError> {
        panic!("the engine was asked while faces are off")
    }
    fn extract(
        &mut self,
        _: crate::domain::consent::Warrant<'_>,
        _: crate::secret::Frame,
        _: &crate::domain::quality::FaceBox,
    ) -> Result<crate::secret::FaceTemplate, crate::ports::FaceError> {
        panic!("the engine was asked while faces are off")
    }
    fn rest(&mut self) {}
}
