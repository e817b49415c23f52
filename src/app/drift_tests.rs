//! How many bytes a comparison takes: against a gate that answers by the gate's own code, over the protocol's own encoding.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail by panicking and say what they measured")]

use super::*;
use crate::ports::only_asked::{Answers, OnlyAsked, some_gate};
use crate::wire::frame::encode;
use crate::wire::message::HeldFace;

/// A gate that holds so much, and counts what goes over the wire.
struct Counted {
    held: Held,
    bytes: usize,
    old: bool,
}

impl Answers for Counted {
    fn answer(&mut self, _gate: &GateRecord, request: &Request, _limit: Duration) -> Result<Reply, LinkError> {
        let reply = match request {
            Request::Digests(_) | Request::Entries(_) if self.old => Reply::Refused(Refusal::Malformed),
            Request::Digests(ask) => self.held.digests(ask).map_or_else(Reply::Refused, Reply::Digests),
            Request::Entries(ask) => self.held.entries(ask).map_or_else(Reply::Refused, Reply::Entries),
            Request::List => Reply::List(self.held.holdings()),
            _ => Reply::Refused(Refusal::Malformed),
        };
        self.bytes += encode(request).len() + encode(&reply).len() + 8;
        Ok(reply)
    }
}

fn number(n: u32) -> [u8; 32] {
    sha2::Sha256::digest(n.to_le_bytes()).into()
}

fn people(count: u32) -> Held {
    let mut held = Held::default();
    for n in 0..count {
        held.put_card(number(n), 20_000);
        let digest = number(n ^ 0x8000_0000);
        let mut template = [0u8; 16];
        template.copy_from_slice(&digest[..16]);
        held.put_face(HeldFace { template, digest, ends_on: 20_000, frozen: false });
    }
    held
}

#[test]
fn a_change_of_one_in_a_hundred_among_a_hundred_thousand_costs_a_fraction_of_the_list() {
    const PEOPLE: u32 = 100_000;
    let ours = people(PEOPLE);
    let whole = encode(&Reply::List(ours.holdings())).len();
    for changed in [0u32, 1, 10, 1_000] {
        let mut held = people(PEOPLE);
        for n in 0..changed {
            held.put_card(number(n * 97), 20_001);
        }
        let mut link = OnlyAsked(Counted { held, bytes: 0, old: false });
        let found = differences(&mut link, &some_gate(), &ours).unwrap();
        assert_eq!(found.len(), changed as usize);
        println!("{PEOPLE} people, {changed} changed: {} bytes (the whole list: {whole})", link.0.bytes);
        assert!(link.0.bytes < whole / 12 && link.0.bytes < 1_000 + changed as usize * 5_000, "{}", link.0.bytes);
    }
}

#[test]
fn a_gate_with_far_more_than_we_know_is_listed_in_parts_and_an_old_gate_whole() {
    let (few, many) = (people(10), people(60_000));
    let mut link = OnlyAsked(Counted { held: many, bytes: 0, old: false });
    assert_eq!(differences(&mut link, &some_gate(), &few).unwrap().len(), 2 * (60_000 - 10));
    let mut link = OnlyAsked(Counted { held: people(12), bytes: 0, old: true });
    assert_eq!(differences(&mut link, &some_gate(), &few).unwrap().len(), 4);
}
