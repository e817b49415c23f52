//! Writes sound samples for every target, from which the fuzzer starts: `seeds FOLDER`.

use std::path::Path;

use menka::domain::Realm;
use menka::domain::audit::{Actor, AuditEvent};
use menka::domain::id::{ConsentId, GateId};
use menka::domain::time::Timestamp;
use menka::evidence::checkpoint::{self, Head};
use menka::evidence::consent;
use menka::evidence::introduction::{self, Introduction};
use menka::evidence::record::Draft;
use menka::evidence::statement::{self, Kind};
use menka::secret::PairingCode;
use menka::wire::frame::{encode, write_body};
use menka::wire::held::{AskDigests, AskEntries, AskHeld, Kind as Held, PART_DIGEST};
use menka::wire::keys::IdentityKeys;
use menka::wire::mdns::{self, Announced};
use menka::wire::message::{
    Apply, CardDigest, FRAME_MAX, Health, HeldFace, Hello, Holdings, Outcome, PutFace, REVISION, Receipt, Refusal,
    Reply, Request, What,
};
use menka::wire::pairing::{Channel, Gate, Station};
use menka::wire::relay::{PassOn, PutPassed, Want};

// Only so that the coverage calls in the instrumented library find their runtime.
extern crate libfuzzer_sys as _;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let folder = std::env::args().nth(1).ok_or("usage: seeds FOLDER")?;
    let folder = Path::new(&folder);
    let keys = IdentityKeys::make(Realm::Practice)?;
    requests(folder)?;
    replies(folder, &keys)?;
    write(folder, "certificate", "der", keys.tls_cert_der())?;
    write(folder, "certificate", "keys", &keys.to_bytes())?;
    evidence(folder)?;
    for (n, text) in ["192.168.1.20:7443", "[fe80::1]:80", "3-1201", "04:a1:b2:c3", "2027年1月31日", "# 标题\n| a | b |\n|---|---|\n> **重**"]
        .iter()
        .enumerate()
    {
        write(folder, "typed", &n.to_string(), text.as_bytes())?;
    }
    write(folder, "typed", "fingerprint", "0123 4567 89ab cdef ".repeat(4).as_bytes())?;
    pairing(folder)?;
    passing(folder)?;
    comparing(folder)?;
    write(folder, "typed", "code", "4821 7730".as_bytes())?;
    for (n, function) in [0x20u8, 0x32, 0x50, 0x58, 0x5A, 0x5C, 0x92, 0x94].into_iter().enumerate() {
        // A card board's answer: start, function, serial number, card 10058400, its days and doors.
        let mut datagram = [0u8; 64];
        datagram[..24].copy_from_slice(&[
            0x17, function, 0, 0, 0x78, 0x37, 0x2A, 0x18, 0xA0, 0x7A, 0x99, 0, 0x20, 0x20, 1, 1, 0x20, 0x27, 0x12, 0x31, 1, 0, 1, 0,
        ]);
        write(folder, "board", &n.to_string(), &datagram)?;
    }
    write(folder, "card", "four", &[0x04, 0xA1, 0xB2, 0xC3, 0x90, 0x00])?;
    write(folder, "card", "seven", &[0x04, 1, 2, 3, 4, 5, 6, 0x90, 0x00])?;
    for side in [8, 48] {
        let picture = image::RgbImage::from_fn(side, side, |x, y| image::Rgb([x as u8 * 5, y as u8 * 5, 90]));
        let mut bytes = std::io::Cursor::new(vec![]);
        picture.write_to(&mut bytes, image::ImageFormat::Jpeg)?;
        write(folder, "jpeg", &side.to_string(), bytes.get_ref())?;
    }
    Ok(())
}

fn pairing(folder: &Path) -> Result<(), Failed> {
    let code = PairingCode::parse("48217730").ok_or("a code")?;
    let channel = Channel { realm: Realm::Practice, exporter: [1; 32], station: [2; 32], gate: [3; 32] };
    let (station, begin) = Station::begin(&code, channel.clone(), hello());
    let Request::PairBegin(asked) = &begin else { return Err("no beginning".into()) };
    let body = encode(&begin);
    let (_, share) = Gate::answer(&code, &channel, (&body, asked), hello())?;
    let (_, confirm) = station.confirm(&encode(&share))?;
    for (n, body) in [body.clone(), encode(&share), encode(&confirm), encode(&Reply::Paired([7; 32]))].iter().enumerate() {
        write(folder, "pairing", &n.to_string(), body)?;
    }
    write(folder, "mdns", "question", &mdns::question())?;
    let gate = Announced { name: "gate-4f2a".into(), address: "192.168.1.20:7443".parse()? };
    write(folder, "mdns", "answer", &mdns::answer(7, &gate, Realm::Practice).ok_or("no answer")?)
}

/// A record of invented people, as `docs/evidence.md` has it.
const CONSENT: &str = r#"{"record_metadata":{"schema_version":"SCHEMA","record_id":"00000000-0000-0000-0000-000000000001",
"pii_principal_id":"00000000-0000-0000-0000-000000000002","realm":"practice","site_id":"s"},"party_identification":[],"pii_processing":{
"privacy_notice":{"notice_id":"n","notice_version":"1","notice_sha256":"00","language":"en"},"statement_sha256":"00","purposes":[{"purpose":"p",
"purpose_type":"t","lawful_basis":"l","pii_type":"f","sensitive_pii":true,"collection_method":"c","processing_method":"m","storage_location":[
"02020202-0202-0202-0202-020202020202"],"storage_link":"03030303-0303-0303-0303-030303030303","retention_end":"2027-01-31","recipients":"-"}],
"jurisdiction":"CN","withdrawal_method":"w","withdrawal_contact":"w"},"consent_event":{"consent_type":"c","state":"s","method_of_expression":"m",
"event_time_ms":1,"event_time":"t"}}"#;

/// A request to pass a template on, its two papers, and what the other gate gets.
fn passing(folder: &Path) -> Result<(), Failed> {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let states = Introduction {
        realm: Realm::Practice,
        gate: GateId::from_bytes([2; 16]),
        seal_key: [2; 32],
        replaces: vec![GateId::from_bytes([4; 16])],
        at: Timestamp::from_ms(1_795_276_800_000),
    };
    let introduced = introduction::sign(&key, &states)?;
    write(folder, "pass", "introduction", &statement::verify(&introduced, &key.verifying_key().to_bytes())?.payload)?;
    let consent = CONSENT.replace("SCHEMA", consent::SCHEMA);
    consent::read(consent.as_bytes())?;
    write(folder, "pass", "consent", consent.as_bytes())?;
    let signed = statement::sign(&key, Kind::Consent, consent.as_bytes())?;
    let want = Want { op: [1; 16], template: [3; 16], consent: signed };
    let wants = vec![want.clone(), want];
    write(folder, "pass", "ask", &encode(&Request::PassOn(PassOn { introduction: introduced, wants })))?;
    let passed = PutPassed { put: face(), from: [5; 16], from_seal: [9; 32] };
    write(folder, "pass", "put", &encode(&Request::PutPassed(passed)))
}

/// Questions and answers of a comparison.
fn comparing(folder: &Path) -> Result<(), Failed> {
    let bodies = [
        encode(&Request::Digests(AskDigests { kind: Held::Faces, depth: 2, under: (0..16).collect() })),
        encode(&Request::Entries(AskEntries { kind: Held::Cards, depth: 1, parts: (0..16).collect() })),
        encode(&Request::Find(AskHeld { faces: vec![7; 32], cards: vec![11; 64] })),
        encode(&Reply::Digests(vec![7; 16 * PART_DIGEST])),
        encode(&Reply::Entries(Holdings { faces: vec![], cards: vec![CardDigest { digest: [11; 32], ends_on: 1 }] })),
    ];
    for (n, body) in bodies.iter().enumerate() {
        write(folder, "compare", &n.to_string(), body)?;
    }
    Ok(())
}

fn write(folder: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<(), Failed> {
    std::fs::create_dir_all(folder.join(target))?;
    std::fs::write(folder.join(target).join(name), bytes)?;
    Ok(())
}

fn face() -> PutFace {
    PutFace {
        op: [1; 16],
        gate: [2; 16],
        template: [3; 16],
        engine: "sface/1".into(),
        ends_on: 21_000,
        sealed: vec![7; menka::wire::envelope::SEALED_LEN],
    }
}

fn requests(folder: &Path) -> Result<(), Failed> {
    let apply = |what| Request::Apply(Apply { op: [4; 16], sequence: 9, what });
    let requests = [
        Request::Hello(hello()),
        Request::Health,
        Request::PutFace(face()),
        apply(What::EraseFace([3; 16])),
        apply(What::FreezeFace([3; 16])),
        apply(What::PutCard(vec![4, 5, 6, 7], 21_000)),
        apply(What::RemoveCard(vec![4, 5, 6, 7])),
        Request::ReadBack([3; 16]),
        Request::List,
        Request::TestCard(vec![4, 5, 6, 7]),
    ];
    for (n, request) in requests.iter().enumerate() {
        let body = encode(request);
        let mut framed = vec![];
        write_body(&mut framed, &body, FRAME_MAX)?;
        write(folder, "request", &format!("body{n}"), &body)?;
        write(folder, "request", &format!("framed{n}"), &framed)?;
        write(folder, "sealed", &n.to_string(), &body)?;
    }
    Ok(())
}

fn hello() -> Hello {
    Hello {
        protocol: menka::wire::message::PROTOCOL,
        realm: "practice".into(),
        id: [1; 16],
        seal_key: [2; 32],
        sign_key: [3; 32],
        version: "menka 0".into(),
        takes_faces: true,
        revision: Some(REVISION),
    }
}

fn replies(folder: &Path, keys: &IdentityKeys) -> Result<(), Failed> {
    let receipt = Receipt {
        op: [1; 16],
        gate: [2; 16],
        outcome: Outcome::FaceErased,
        request_digest: [3; 32],
        stored_digest: [0; 32],
        at: 1_795_276_800_000,
        realm: "practice".into(),
        signature: [0; 64],
    };
    let held = HeldFace { template: [3; 16], digest: [4; 32], ends_on: 21_000, frozen: false };
    let health =
        Health { clock: 1, faces: 2, cards: 3, version: "menka-gate 0".into(), digest: [5; 32], faces_off: None, offline_hours: None, passlog_days: None, people_max: None, strangers_in_ppm: None, clock_offset_ms: None };
    let replies = [
        Reply::Hello(hello()),
        Reply::Health(health),
        Reply::Done(receipt.sign(keys)),
        Reply::Held(Some(held.clone())),
        Reply::List(Holdings { faces: vec![held], cards: vec![] }),
        Reply::CardTested(true),
        Reply::Refused(Refusal::Malformed),
    ];
    for (n, reply) in replies.iter().enumerate() {
        write(folder, "reply", &n.to_string(), &encode(reply))?;
    }
    Ok(())
}

fn evidence(folder: &Path) -> Result<(), Failed> {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let event = AuditEvent::Consented(ConsentId::from_bytes([2; 16]));
    let at = Timestamp::from_ms(1_795_276_800_000);
    let (record, opening) = Draft::new(Actor::Station, &event, None, None).seal(0, at, [7; 32], |_| false);
    write(folder, "evidence", "record", &record.to_bytes())?;
    if let Some(opening) = opening {
        write(folder, "evidence", "opening", &opening.to_bytes())?;
    }
    let head = Head { origin: "menka.practice/1".into(), size: 3, root: [9; 32] };
    write(folder, "evidence", "head", checkpoint::sign(&key, &head)?.as_bytes())?;
    write(folder, "evidence", "statement", &statement::sign(&key, Kind::Consent, br#"{"schema":"menka-consent/1"}"#)?)
}
