//! Both sides of a pairing, and somebody who is neither.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::wire::message::{PROTOCOL, REVISION};

fn hello(number: u8) -> Hello {
    Hello {
        protocol: PROTOCOL,
        realm: "real".into(),
        id: [number; 16],
        seal_key: [number; 32],
        sign_key: [number; 32],
        version: "test".into(),
        takes_faces: true,
        revision: Some(REVISION),
    }
}

fn channel() -> Channel {
    Channel { realm: Realm::Real, exporter: [7; 32], station: [1; 32], gate: [2; 32] }
}

fn code(text: &str) -> PairingCode {
    PairingCode::parse(text).unwrap()
}

fn asked(request: &Request) -> &PairShare {
    let Request::PairBegin(share) = request else { panic!("{request:?}") };
    share
}

fn tag(request: &Request) -> [u8; 32] {
    let Request::PairConfirm(tag) = request else { panic!("{request:?}") };
    *tag
}

/// One run; whether the gate, and then the station, was convinced.
fn run(ours: &str, theirs: &str, station_sees: Channel, gate_sees: Channel) -> (bool, bool) {
    let (station, begin) = Station::begin(&code(ours), station_sees, hello(1));
    let (gate, share) = Gate::answer(&code(theirs), &gate_sees, (&encode(&begin), asked(&begin)), hello(2)).unwrap();
    let (confirmed, confirm) = station.confirm(&encode(&share)).unwrap();
    let gate_tag = gate.tags.gate;
    let convinced = gate.check(&tag(&confirm)).is_ok();
    (convinced, confirmed.check(&encode(&Reply::Paired(gate_tag))).is_ok())
}

#[test]
fn one_code_on_one_connection_convinces_both_sides_of_the_keys_they_stated() {
    let (station, begin) = Station::begin(&code("48217730"), channel(), hello(1));
    assert_eq!(asked(&begin).share.len(), 33);
    let (gate, share) =
        Gate::answer(&code("4821 7730"), &channel(), (&encode(&begin), asked(&begin)), hello(2)).unwrap();
    let (confirmed, confirm) = station.confirm(&encode(&share)).unwrap();
    let (met, proof) = gate.check(&tag(&confirm)).unwrap();
    assert_eq!(met, hello(1));
    assert_eq!(confirmed.check(&encode(&Reply::Paired(proof))).unwrap(), (hello(2), [2; 32]));
}

#[test]
fn another_code_or_another_connection_convinces_neither_side() {
    assert_eq!(run("48217730", "48217730", channel(), channel()), (true, true));
    assert_eq!(run("48217730", "48217731", channel(), channel()), (false, false));
    for other in [
        Channel { realm: Realm::Practice, ..channel() },
        Channel { exporter: [8; 32], ..channel() },
        Channel { station: [8; 32], ..channel() },
        Channel { gate: [8; 32], ..channel() },
    ] {
        assert_eq!(run("48217730", "48217730", channel(), other), (false, false));
    }
}

#[test]
fn keys_that_were_swapped_on_the_way_convince_nobody() {
    let (station, begin) = Station::begin(&code("48217730"), channel(), hello(1));
    let forged = Request::PairBegin(PairShare { share: asked(&begin).share.clone(), hello: hello(9) });
    let (gate, share) =
        Gate::answer(&code("48217730"), &channel(), (&encode(&forged), asked(&forged)), hello(2)).unwrap();
    let Reply::PairShare(said) = &share else { panic!("{share:?}") };
    let forged = Reply::PairShare(PairShare { share: said.share.clone(), hello: hello(9) });
    let (confirmed, confirm) = station.confirm(&encode(&forged)).unwrap();
    let proof = gate.tags.gate;
    assert!(gate.check(&tag(&confirm)).is_err());
    assert_eq!(confirmed.check(&encode(&Reply::Paired(proof))).err(), Some(PairingError::OtherCode));
}

#[test]
fn a_share_that_is_none_is_malformed_and_a_mirrored_one_convinces_nobody() {
    let (_, begin) = Station::begin(&code("48217730"), channel(), hello(1));
    for share in [vec![], vec![0x41], vec![0x41; 32], vec![0x41; 34], vec![0xff; 33], vec![0x42; 33], vec![0; 70_000]] {
        let (station, _) = Station::begin(&code("48217730"), channel(), hello(1));
        let bad = PairShare { share: share.clone(), hello: hello(2) };
        let refused = station.confirm(&encode(&Reply::PairShare(bad.clone()))).err();
        assert!(matches!(refused, Some(PairingError::Malformed)), "{} bytes: {refused:?}", share.len());
        let refused =
            Gate::answer(&code("48217730"), &channel(), (b"", &PairShare { share, hello: hello(2) }), hello(2));
        // 33 times the letter of the station's side may happen to be a point: then it convinces nobody.
        if let Ok((gate, _)) = refused {
            assert!(gate.check(&[0; 32]).is_err());
        }
    }
    // The station's own message sent back to it.
    let (station, _) = Station::begin(&code("48217730"), channel(), hello(1));
    let mirrored = station.confirm(&encode(&Reply::PairShare(asked(&begin).clone())));
    assert!(matches!(mirrored.err(), Some(PairingError::Malformed)));
}

#[test]
fn a_refusal_is_told_as_one() {
    let begun = || Station::begin(&code("48217730"), channel(), hello(1)).0;
    let refused = |refusal| begun().confirm(&encode(&Reply::Refused(refusal))).err();
    assert_eq!(refused(Refusal::NoCode), Some(PairingError::Refused(Refusal::NoCode)));
    assert_eq!(begun().confirm(&encode(&Reply::CardTested(true))).err(), Some(PairingError::Malformed));
    assert_eq!(begun().confirm(&[]).err(), Some(PairingError::Malformed));
}
