//! What the courier tells a gate before it asks anything, where more orders wait than one batch holds.

use menka::domain::consent::EraseReason;
use menka::domain::delivery::DeliveryState;

use super::deletion::{HOUR, later};
use super::refusing::rig;
use super::rig::Way;
use super::site::reader;

/// One more than a batch holds.
const PEOPLE: u32 = 401;

#[test]
fn more_orders_than_one_batch_holds_are_told_before_a_gate_is_asked_anything_and_again_when_the_answer_is_lost() {
    let mut rig = rig(&["东门", "西门"]);
    rig.passes(later(1), 10);
    let ids = rig.ids.clone();
    for n in 0..PEOPLE {
        let new = reader(&mut rig.vault, &format!("住户{n}"), &format!("9-{n}"), 1_000 + n, &ids);
        drop(new.consent(&mut rig.vault, &ids).unwrap());
        rig.vault.end_consent(new.resident, EraseReason::Withdrawn, later(HOUR)).unwrap();
    }
    let waiting = |rig: &super::refusing::Rig, gate: usize| rig.vault.orders_waiting(ids[gate], usize::MAX).unwrap();
    assert_eq!([0, 1].map(|gate| waiting(&rig, gate).len()), [PEOPLE as usize; 2]);

    // One hears the first of them and is gone; the other is of a revision that knows neither orders nor batches.
    rig.way(0, Way { swallows: 1, ..Way::default() });
    rig.way(1, Way { old: true, ..Way::default() });
    for gate in 0..2 {
        rig.asked(gate);
    }
    rig.pass(later(HOUR));
    assert_eq!(rig.asked(0), ["orders"], "nothing else after it");
    let status = rig.status(0);
    // The cards of the same people wait as well.
    assert_eq!((status.reachable, status.pending), (false, 2 * PEOPLE));
    let first = waiting(&rig, 0).remove(0);
    assert!(matches!(first.state, DeliveryState::Pending { attempts: 1, .. }), "a try that failed: {:?}", first.state);
    let old = rig.asked(1);
    assert_eq!(old[..2], ["orders", "batch"]);
    let told = old[2..].iter().take_while(|kind| **kind == "erase").count();
    assert_eq!(told, PEOPLE as usize, "each of them by itself, before any other question");
    assert!(rig.status(1).reachable);

    rig.way(0, Way::default());
    rig.pass(later(HOUR + 10_000));
    let back = rig.asked(0);
    assert_eq!(back[..3], ["orders", "erase", "batch"], "all of them, then one batch after the other");
    let told = back.iter().filter(|kind| **kind == "orders").count();
    assert_eq!(told, 1);
    assert_eq!((rig.status(0).reachable, rig.status(0).pending), (true, 0));
    rig.passes(later(HOUR + 20_000), 60);
    assert_eq!(rig.status(1).pending, 0);
    assert_eq!(rig.vault.erasures_pending().unwrap(), vec![]);
    assert!(ids.iter().all(|id| rig.vault.orders_waiting(*id, usize::MAX).unwrap().is_empty()));
}
