//! The note about erasures: only newer ones are kept, and the one before is gone.

use super::support::*;
use crate::wire::message::{EPOCH_MAX, KeepEpoch, KeptEpoch, Refusal, Reply, Request};

const ORIGIN: &str = "menka.real/00000000000000000000000000000001";

fn offer(number: u64, sealed: &[u8]) -> Request {
    Request::KeepEpoch(KeepEpoch { origin: ORIGIN.into(), number, sealed: sealed.to_vec() })
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn p56_a_gate_keeps_the_newest_note_about_erasures_and_overwrites_the_one_before() {
    let mut site = Site::new();
    assert_eq!(site.ask(&Request::EpochOf(ORIGIN.into())), Reply::Epoch(None));
    let (first, second) = ([0xA7u8; 900], [0x5Cu8; 300]);
    let answer = |number| Reply::Epoch(Some(KeptEpoch { number, sealed: vec![] }));
    assert_eq!(site.ask(&offer(4, &first)), answer(4));
    assert_eq!(site.ask(&offer(9, &second)), answer(9));
    // An older one, and another one under the same number, change nothing.
    for number in [0, 4, 9] {
        assert_eq!(site.ask(&offer(number, &first)), answer(9));
    }
    let kept = Reply::Epoch(Some(KeptEpoch { number: 9, sealed: second.to_vec() }));
    assert_eq!(site.ask(&Request::EpochOf(ORIGIN.into())), kept);
    assert_eq!(site.ask(&Request::EpochOf("menka.real/02".into())), Reply::Epoch(None));
    let pages = site.with_gate(|gate, _| gate.store().decrypted_pages());
    assert!(holds(&pages, &second) && !holds(&pages, &first[..64]), "the note before is overwritten");
}

#[test]
fn a_note_of_another_realm_without_a_name_or_too_long_is_refused() {
    let mut site = Site::new();
    let note =
        |origin: &str, sealed: Vec<u8>| Request::KeepEpoch(KeepEpoch { origin: origin.into(), number: 1, sealed });
    assert_eq!(site.refused(&note("menka.practice/01", vec![1])), Refusal::Realm);
    assert_eq!(site.refused(&note("", vec![1])), Refusal::Malformed);
    assert_eq!(site.refused(&note(&format!("{ORIGIN}{}", "0".repeat(200)), vec![1])), Refusal::Malformed);
    assert_eq!(site.refused(&note(ORIGIN, vec![])), Refusal::Malformed);
    assert_eq!(site.refused(&note(ORIGIN, vec![1; EPOCH_MAX + 1])), Refusal::Malformed);
    assert_eq!(site.refused(&offer(u64::MAX, &[1])), Refusal::Malformed);
    assert_eq!(site.ask(&Request::EpochOf(ORIGIN.into())), Reply::Epoch(None));
}
