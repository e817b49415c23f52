//! Envelopes at a live gate: sealed here by the words of the protocol's document, not by the program, with the station's own key.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable, Kem as _, OpModeS, Serializable};
use menka::domain::Realm;
use menka::secret::random_bytes;
use menka::wire::frame::encode;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{Outcome, Probe, PutFace, Refusal, Reply, Request, What};

use super::{apply, days, is_well, memory_mb, receipt};
use crate::gate::{Site, Wire};

const ENGINE: &str = "yunet-2023mar+sface-2021dec/1";

/// Where the sealing secret stands among the stored keys: after the magic (12) and the realm (1).
fn secret_of(keys: &IdentityKeys) -> <Kem as hpke::Kem>::PrivateKey {
    Deserializable::from_bytes(&keys.to_bytes()[13..45]).unwrap()
}

fn seal(by: &IdentityKeys, to: &[u8; 32], purpose: &str, header: &[u8]) -> Vec<u8> {
    let mut vector = [0f32; 128];
    (vector[3], vector[90]) = (0.8, 0.6);
    let mut body: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    let secret = secret_of(by);
    let public = Kem::sk_to_pk(&secret);
    let info = format!("menka/1 practice {purpose}");
    let (enc, tag) = hpke::single_shot_seal_in_place_detached::<ChaCha20Poly1305, HkdfSha256, Kem, _>(
        &OpModeS::Auth((secret, public)),
        &Deserializable::from_bytes(to).unwrap(),
        info.as_bytes(),
        &mut body,
        header,
        &mut rand::rng(),
    )
    .unwrap();
    [&enc.to_bytes()[..], &body, &tag.to_bytes()].concat()
}

fn length_of_engine() -> [u8; 1] {
    [u8::try_from(ENGINE.len()).unwrap()]
}

/// A template for a gate, sealed to a key.
fn put(by: &IdentityKeys, gate: [u8; 16], to: &[u8; 32]) -> PutFace {
    let (op, template, ends_on) = (random_bytes(), random_bytes(), days());
    let header = [&op[..], &gate, &template, &length_of_engine(), ENGINE.as_bytes(), &ends_on.to_be_bytes()].concat();
    PutFace { op, gate, template, engine: ENGINE.into(), ends_on, sealed: seal(by, to, "face", &header) }
}

fn probe(by: &IdentityKeys, gate: [u8; 16], to: &[u8; 32]) -> Probe {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let (op, sent_at) = (random_bytes(), i64::try_from(now.as_millis()).unwrap());
    let header = [&op[..], &gate, &length_of_engine(), ENGINE.as_bytes(), &sent_at.to_be_bytes()].concat();
    Probe { op, gate, engine: ENGINE.into(), sent_at, sealed: seal(by, to, "probe", &header) }
}

#[test]
fn an_envelope_for_another_gate_or_from_nobody_is_refused() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    let here = site.record(&daemon);
    // A second gate of the same station.
    let elsewhere = IdentityKeys::make(Realm::Practice).unwrap();
    let stranger = IdentityKeys::make(Realm::Practice).unwrap();
    let own = *here.id.bytes();
    let mut wire = Wire::greeted(&site, &daemon);
    let card = vec![1, 2, 3, 4];
    assert_eq!(receipt(wire.say(&encode(&apply(1, What::PutCard(card.clone(), days()))))).outcome, Outcome::CardStored);
    assert_eq!(wire.say(&encode(&Request::TestCard(card))), Some(Reply::CardTested(true)));

    // For this gate: taken, and known again.
    let sound = put(&site.keys, own, &here.seal_key);
    assert_eq!(receipt(wire.say(&encode(&Request::PutFace(sound.clone())))).outcome, Outcome::FaceStored);
    let Some(Reply::Probed(known)) = wire.say(&encode(&Request::Probe(probe(&site.keys, own, &here.seal_key)))) else {
        panic!("no answer to a sound probe");
    };
    assert_eq!(known.template, Some(sound.template));

    let to_other = put(&site.keys, [8; 16], &elsewhere.seal_public());
    let refused = [
        ("for another gate, as it is", Request::PutFace(to_other.clone())),
        ("for another gate, with this one's id written over it", Request::PutFace(PutFace { gate: own, ..to_other })),
        (
            "for this gate's id, sealed to another one's key",
            Request::PutFace(put(&site.keys, own, &elsewhere.seal_public())),
        ),
        ("for another gate's id, sealed to this one's key", Request::PutFace(put(&site.keys, [8; 16], &here.seal_key))),
        ("from somebody else", Request::PutFace(put(&stranger, own, &here.seal_key))),
        ("this gate's own, under another number", {
            let (op, template) = (random_bytes(), random_bytes());
            Request::PutFace(PutFace { op, template, ..sound.clone() })
        }),
        (
            "noise",
            Request::PutFace(PutFace { op: random_bytes(), template: random_bytes(), sealed: vec![7; 560], ..sound }),
        ),
        ("a probe for another gate", Request::Probe(probe(&site.keys, [8; 16], &elsewhere.seal_public()))),
        ("a probe sealed to another gate's key", Request::Probe(probe(&site.keys, own, &elsewhere.seal_public()))),
        ("a probe from somebody else", Request::Probe(probe(&stranger, own, &here.seal_key))),
    ];
    for (name, request) in refused {
        assert_eq!(wire.say(&encode(&request)), Some(Reply::Refused(Refusal::Envelope)), "{name}");
    }
    let Some(Reply::Health(health)) = wire.say(&encode(&Request::Health)) else { panic!("no health") };
    assert_eq!(health.faces, 1, "nothing of it was stored");
    is_well(&site, &mut daemon, before, "envelope for another gate");
}
