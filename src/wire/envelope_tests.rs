#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::domain::id::{ConsentId, GateId, ResidentId, TemplateId};
use crate::domain::time::CivilDate;

fn face(at: usize) -> FaceTemplate {
    let mut vector = [0f32; TEMPLATE_LEN];
    vector[at] = 0.6;
    vector[at + 1] = 0.8;
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut vector).unwrap()
}

fn record(gate: &IdentityKeys, id: u8) -> GateRecord {
    GateRecord {
        id: GateId::from_bytes([id; 16]),
        name: String::new(),
        place: String::new(),
        capture_area: String::new(),
        other_way: String::new(),
        why_needed: String::new(),
        address: "127.0.0.1:1".into(),
        tls_pin: gate.fingerprint(),
        seal_key: gate.seal_public(),
        sign_key: gate.sign_public(),
        card_way_tested_at: None,
        takes_faces: true,
    }
}

fn consent(gates: Vec<GateId>) -> ConsentGranted {
    ConsentGranted::assert_recorded(
        ResidentId::from_bytes([1; 16]),
        ConsentId::from_bytes([2; 16]),
        TemplateId::from_bytes([3; 16]),
        gates,
        CivilDate::parse("2027-01-31").unwrap(),
    )
}

struct Scene {
    station: IdentityKeys,
    gate: IdentityKeys,
    record: GateRecord,
    consent: ConsentGranted,
    op: OpId,
}

fn scene(realm: Realm) -> Scene {
    let gate = IdentityKeys::make(realm).unwrap();
    let record = record(&gate, 9);
    let consent = consent(vec![record.id]);
    Scene { station: IdentityKeys::make(realm).unwrap(), gate, record, consent, op: OpId::from_bytes([7; 16]) }
}

#[test]
fn a_sealed_template_opens_at_its_gate_only() {
    let s = scene(Realm::Real);
    let put = seal_face(&s.consent, &face(4), &s.record, &s.station, s.op).unwrap();
    assert_eq!(put.sealed.len(), SEALED_LEN);
    assert_eq!(put.ends_on, 20_849);
    let opened = open_face(&put, &s.gate, &s.station.seal_public()).unwrap();
    assert_eq!(opened.expose(), face(4).expose());
    let other = IdentityKeys::make(Realm::Real).unwrap();
    assert!(open_face(&put, &other, &s.station.seal_public()).is_err(), "another gate");
    assert!(open_face(&put, &s.gate, &other.seal_public()).is_err(), "another station");
}

// Shows: J02-6, N8-4
#[test]
fn p29_a_gate_that_the_consent_does_not_name_gets_nothing() {
    let s = scene(Realm::Real);
    let elsewhere = consent(vec![GateId::from_bytes([8; 16])]);
    let refused = seal_face(&elsewhere, &face(4), &s.record, &s.station, s.op);
    assert_eq!(refused.err(), Some(SealError::GateNotNamed));
    let probe = seal_probe(&elsewhere, &face(4), &s.record, &s.station, s.op, Timestamp::from_ms(5));
    assert_eq!(probe.err(), Some(SealError::GateNotNamed));
    let cards = GateRecord { takes_faces: false, ..s.record.clone() };
    assert_eq!(seal_face(&s.consent, &face(4), &cards, &s.station, s.op).err(), Some(SealError::CardsOnly));
}

#[test]
fn every_field_of_the_header_is_sealed() {
    let s = scene(Realm::Real);
    let put = seal_face(&s.consent, &face(4), &s.record, &s.station, s.op).unwrap();
    let changes: [fn(&mut PutFace); 6] = [
        |p| p.op[0] ^= 1,
        |p| p.gate[15] ^= 1,
        |p| p.template[0] ^= 1,
        |p| p.engine = EngineId::dlib().as_str().into(),
        |p| p.ends_on += 1,
        |p| p.engine.push('x'),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut changed = put.clone();
        change(&mut changed);
        assert!(open_face(&changed, &s.gate, &s.station.seal_public()).is_err(), "field {i}");
    }
    for at in [0, 31, 32, 300, SEALED_LEN - 17, SEALED_LEN - 1] {
        let mut changed = put.clone();
        changed.sealed[at] ^= 1;
        assert!(open_face(&changed, &s.gate, &s.station.seal_public()).is_err(), "byte {at}");
    }
    for length in [0, 1, 32, 48, SEALED_LEN - 1] {
        let mut changed = put.clone();
        changed.sealed.truncate(length);
        assert!(open_face(&changed, &s.gate, &s.station.seal_public()).is_err(), "length {length}");
    }
}

#[test]
fn a_probe_is_not_a_template_and_practice_is_not_real() {
    let s = scene(Realm::Real);
    let probe = seal_probe(&s.consent, &face(4), &s.record, &s.station, s.op, Timestamp::from_ms(5)).unwrap();
    assert!(open_probe(&probe, &s.gate, &s.station.seal_public()).is_ok());
    let mut later = probe.clone();
    later.sent_at += 1;
    assert!(open_probe(&later, &s.gate, &s.station.seal_public()).is_err());
    let put = PutFace {
        op: probe.op,
        gate: probe.gate,
        template: [3; 16],
        engine: probe.engine.clone(),
        ends_on: 0,
        sealed: probe.sealed.clone(),
    };
    assert!(open_face(&put, &s.gate, &s.station.seal_public()).is_err());
    let practice_bytes = {
        let mut bytes = s.gate.to_bytes();
        bytes[12] = 1;
        bytes
    };
    let practice = IdentityKeys::from_bytes(&practice_bytes).unwrap();
    assert!(open_probe(&probe, &practice, &s.station.seal_public()).is_err(), "same keys, other realm");
}

#[test]
fn p29_a_vector_that_is_not_of_unit_length_does_not_become_a_template() {
    let long = [0x41u8; PLAIN];
    assert!(template_from_bytes(EngineId::sface(), &long).is_none());
    assert!(template_from_bytes(EngineId::sface(), &[0xff; PLAIN]).is_none());
}
