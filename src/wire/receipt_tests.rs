#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::domain::id::GateId;
use crate::wire::message::{CardDigest, HeldFace};

fn gate_record(keys: &IdentityKeys) -> GateRecord {
    GateRecord {
        id: GateId::from_bytes([9; 16]),
        name: String::new(),
        place: String::new(),
        capture_area: String::new(),
        other_way: String::new(),
        why_needed: String::new(),
        address: "127.0.0.1:1".into(),
        tls_pin: keys.fingerprint(),
        seal_key: keys.seal_public(),
        sign_key: keys.sign_public(),
        card_way_tested_at: None,
        takes_faces: true,
    }
}

fn erase() -> Request {
    Request::Apply(Apply { op: [7; 16], sequence: 3, what: What::EraseFace([5; 16]) })
}

fn receipt(request: &Request, keys: &IdentityKeys) -> Receipt {
    Receipt {
        op: [7; 16],
        gate: [9; 16],
        outcome: Outcome::FaceErased,
        request_digest: request_digest(request),
        stored_digest: [0; 32],
        at: 1_795_000_000_000,
        realm: "real".into(),
        signature: [0; 64],
    }
    .sign(keys)
}

#[test]
fn a_receipt_counts_only_for_what_was_asked() {
    let keys = IdentityKeys::make(Realm::Real).unwrap();
    let gate = gate_record(&keys);
    let good = receipt(&erase(), &keys);
    assert_eq!(good.check(&gate, Realm::Real, &erase()), Ok(()));

    let later = Request::Apply(Apply { op: [7; 16], sequence: 4, what: What::EraseFace([5; 16]) });
    assert_eq!(good.check(&gate, Realm::Real, &later), Err(ReceiptError::Operation));
    assert_eq!(good.check(&gate, Realm::Practice, &erase()), Err(ReceiptError::Realm));
    let mut other_gate = gate.clone();
    other_gate.id = GateId::from_bytes([8; 16]);
    assert_eq!(good.check(&other_gate, Realm::Real, &erase()), Err(ReceiptError::Gate));
    let stranger = IdentityKeys::make(Realm::Real).unwrap();
    assert_eq!(receipt(&erase(), &stranger).check(&gate, Realm::Real, &erase()), Err(ReceiptError::Signature));

    let signed = |change: fn(&mut Receipt)| {
        let mut receipt = good.clone();
        change(&mut receipt);
        receipt.sign(&keys).check(&gate, Realm::Real, &erase())
    };
    assert_eq!(signed(|r| r.outcome = Outcome::FaceStored), Err(ReceiptError::Outcome));
    assert_eq!(signed(|r| r.stored_digest[0] = 1), Err(ReceiptError::ReadBack));
}

#[test]
fn every_field_of_a_receipt_is_signed() {
    let keys = IdentityKeys::make(Realm::Real).unwrap();
    let good = receipt(&erase(), &keys);
    assert!(good.is_signed_by(&keys.sign_public()));
    let changes: [fn(&mut Receipt); 8] = [
        |r| r.op[0] ^= 1,
        |r| r.gate[0] ^= 1,
        |r| r.outcome = Outcome::FaceStored,
        |r| r.request_digest[31] ^= 1,
        |r| r.stored_digest[31] ^= 1,
        |r| r.at += 1,
        |r| r.realm = "practice".into(),
        |r| r.signature[0] ^= 1,
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut changed = good.clone();
        change(&mut changed);
        assert!(!changed.is_signed_by(&keys.sign_public()), "field {i}");
    }
    assert!(!good.is_signed_by(&[0; 32]), "a key of small order");
}

#[test]
fn an_overtaken_card_operation_is_told_from_one_that_was_done() {
    let put = Request::Apply(Apply { op: [7; 16], sequence: 3, what: What::PutCard(vec![1, 2, 3, 4], 9) });
    let keys = IdentityKeys::make(Realm::Real).unwrap();
    let mut receipt = receipt(&put, &keys);
    receipt.outcome = Outcome::CardRemoved;
    let receipt = receipt.sign(&keys);
    assert_eq!(receipt.check(&gate_record(&keys), Realm::Real, &put), Ok(()));
    assert!(receipt.was_overtaken(&put));
    assert!(!receipt.was_overtaken(&erase()));
}

#[test]
fn the_digest_of_the_holdings_sees_every_field() {
    let face = HeldFace { template: [1; 16], digest: [2; 32], ends_on: 5, frozen: false };
    let held = Holdings { faces: vec![face], cards: vec![CardDigest { digest: [3; 32], ends_on: 6 }] };
    let changes: [fn(&mut Holdings); 6] = [
        |h| h.faces[0].template[0] ^= 1,
        |h| h.faces[0].digest[0] ^= 1,
        |h| h.faces[0].ends_on += 1,
        |h| h.faces[0].frozen = true,
        |h| h.cards[0].ends_on += 1,
        |h| h.cards.clear(),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut changed = held.clone();
        change(&mut changed);
        assert_ne!(changed.digest(), held.digest(), "field {i}");
    }
    assert_ne!(face_digest(&[1; 16], "e", 1, &[0; 512]), face_digest(&[2; 16], "e", 1, &[0; 512]));
}
