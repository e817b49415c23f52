//! The station sets a gate's clock: what follows it, what is refused, and what ends it.

use super::support::*;
use crate::domain::card::CardUid;
use crate::domain::time::Timestamp;
use crate::wire::batch::{Step, StepReply};
use crate::wire::message::{Apply, FacesOff, Health, Outcome, Refusal, Reply, Request, What};

fn set(at: Timestamp) -> Request {
    apply(1, What::SetClock(at.ms()))
}

fn health(site: &mut Site) -> Health {
    let Reply::Health(health) = site.ask(&Request::Health) else { panic!("no health") };
    health
}

#[test]
fn a_gate_whose_battery_is_empty_takes_the_time_from_its_station() {
    let mut site = Site::new();
    site.put(1, &person(1), "2026-11-24");
    site.apply(What::PutCard(vec![1, 2, 3, 4], 20_849));
    site.with_gate(|gate, now| gate.tick(now)).unwrap();
    // Its clock begins anew, years ago.
    let asleep = NOON.plus_ms(-2_000 * DAY);
    site.restart();
    site.clock.set(asleep);
    assert_eq!(health(&mut site).faces_off, Some(FacesOff::ClockBack));

    let now = NOON.plus_ms(HOUR);
    let request = set(now);
    let receipt = site.done(&request);
    assert_eq!((receipt.outcome, receipt.at, receipt.stored_digest), (Outcome::ClockSet, now.ms(), [0; 32]));
    let said = health(&mut site);
    assert_eq!((said.faces_off, said.clock, said.clock_offset_ms), (None, now.ms(), Some(2_000 * DAY + HOUR)));
    let known = |site: &mut Site, at: Timestamp| {
        let probe = site.probe_request_at(&person(1), at);
        let Reply::Probed(probed) = site.ask(&probe) else { panic!("no answer to a probe") };
        probed.template
    };
    assert_eq!(known(&mut site, now), Some([1; 16]), "a probe is fresh by the corrected clock");

    // It runs on, over a restart too; last days follow it.
    site.clock.set(asleep.plus_ms(DAY));
    site.restart();
    assert_eq!(health(&mut site).clock, now.plus_ms(DAY).ms());
    assert_eq!(site.done(&request), receipt, "the same operation a day later is answered and not done");
    assert_eq!(health(&mut site).clock, now.plus_ms(DAY).ms());
    site.clock.set(asleep.plus_ms(3 * DAY));
    assert_eq!(health(&mut site).faces_off, None, "it was heard a moment ago");
    assert_eq!(known(&mut site, now.plus_ms(3 * DAY)), None, "its last day is over");

    // Pairing says that the clock itself is right.
    site.clock.set(now.plus_ms(3 * DAY));
    site.pair_again();
    assert_eq!((health(&mut site).clock, health(&mut site).clock_offset_ms), (now.plus_ms(3 * DAY).ms(), None));
}

#[test]
fn a_clock_is_not_set_back_before_what_the_gate_has_seen() {
    let mut site = Site::new();
    let over = CardUid::from_bytes(&[5, 6, 7, 8]).unwrap();
    site.apply(What::PutCard(over.bytes().to_vec(), 20_779));
    site.clock.set(NOON.plus_ms(DAY));
    assert_eq!(
        site.ask(&Request::TestCard(over.bytes().to_vec())),
        Reply::CardTested(false),
        "its last day was yesterday"
    );
    for back in [DAY, HOUR, 120_001] {
        assert_eq!(site.refused(&set(NOON.plus_ms(DAY - back))), Refusal::ClockBack, "{back}");
    }
    assert_eq!(health(&mut site).clock_offset_ms, None, "a refusal changes nothing");
    assert_eq!(site.ask(&Request::TestCard(over.bytes().to_vec())), Reply::CardTested(false));

    // So little is no jump; days are judged by the latest instant all the same.
    site.done(&set(NOON.plus_ms(DAY - 90_000)));
    let said = health(&mut site);
    assert_eq!((said.clock_offset_ms, said.faces_off), (Some(-90_000), None));
    for senseless in [i64::MIN, -1, 0, 4_102_444_800_000, i64::MAX] {
        assert_eq!(site.refused(&apply(1, What::SetClock(senseless))), Refusal::Malformed, "{senseless}");
    }
    let step = Step::Apply(Apply { op: [9; 16], sequence: 1, what: What::SetClock(NOON.plus_ms(2 * DAY).ms()) });
    assert_eq!(site.ask(&Request::Batch(vec![step])), Reply::Batch(vec![StepReply::Refused(Refusal::Malformed)]));
}

#[test]
fn the_lease_follows_the_corrected_clock() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    let faces_off = |site: &Site| site.with_gate(|gate, now| gate.faces_off(now));
    site.done(&set(NOON.plus_ms(10 * DAY)));
    assert_eq!(faces_off(&site), None, "whoever sets it is heard at that moment");
    site.clock.set(NOON.plus_ms(24 * HOUR));
    assert_eq!(faces_off(&site), None);
    site.clock.set(NOON.plus_ms(24 * HOUR + 1));
    assert_eq!(faces_off(&site), Some(FacesOff::NoContact));
}

#[test]
fn a_clock_that_somebody_else_put_right_needs_no_correction() {
    let mut site = Site::new();
    site.clock.set(NOON.plus_ms(-HOUR));
    site.done(&set(NOON.plus_ms(1_000)));
    assert_eq!(health(&mut site).clock_offset_ms, Some(HOUR + 1_000));
    // A time server answers at last.
    site.clock.set(NOON.plus_ms(20_000));
    let said = health(&mut site);
    assert_eq!((said.clock, said.clock_offset_ms, said.faces_off), (NOON.plus_ms(20_000).ms(), None, None));
    site.restart();
    assert_eq!(health(&mut site).clock_offset_ms, None, "for good");
}
