//! The test vectors at the end of `docs/gate-protocol.md` and in `tests/vectors/gate`: made here from fixed keys, compared with document and
//! files byte for byte.
//! `MENKA_BLESS=1 cargo test --features practice --lib wire::vectors` writes them anew.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod refused;

use std::fmt::Write as _;

use hpke::{Kem as _, Serializable};
use rand::{CryptoRng, RngCore};

use super::batch::Step;
use super::envelope::{open_face, open_probe, seal_face_with, seal_probe_with};
use super::frame::{decode, encode};
use super::keys::{IdentityKeys, Kem};
use super::message::{Apply, Hello, KeepHead, Outcome, PutFace, REVISION, Receipt, Refusal, Reply, Request, What};
use super::pairing::{self, Channel, Station};
use super::receipt::{face_digest, request_digest};
use super::reseal::{Reseal, ResealFor, info};
use crate::domain::Realm;
use crate::domain::consent::ConsentGranted;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ConsentId, GateId, OpId, ResidentId, TemplateId};
use crate::domain::time::{CivilDate, Timestamp};
use crate::secret::{EngineId, FaceTemplate, PairingCode, TEMPLATE_LEN};

const BEGIN: &str = "<!-- vectors: begin -->\n";
const END: &str = "<!-- vectors: end -->";

/// A random source that always gives the same byte.
struct SameByte(u8);

impl RngCore for SameByte {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes([self.0; 4])
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes([self.0; 8])
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

impl CryptoRng for SameByte {}

/// The same for the key exchange of a pairing, whose library wants an older interface.
impl rand_core::RngCore for SameByte {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes([self.0; 4])
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes([self.0; 8])
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl rand_core::CryptoRng for SameByte {}

/// Bodies that no gate may take for a message. Each has one thing wrong.
const MALFORMED: [(&str, &str); 64] = [
    ("empty body", ""),
    ("not an array", "00"),
    ("a map", "a10000"),
    ("a text", "6548656c6c6f"),
    ("a break alone", "ff"),
    ("array of one", "8101"),
    ("array cut after its head", "82"),
    ("request 99 is unknown", "82186380"),
    ("request of a negative number", "822080"),
    ("request number of 64 bits", "821bffffffffffffffff80"),
    ("request number is a text", "826130"),
    ("bytes after the message", "82058000"),
    ("two messages in one body", "820580820580"),
    ("claimed array of 2^60", "9b1000000000000000"),
    ("claimed map of 2^60", "bb1000000000000000"),
    ("card number: claimed length 2^40", "8207815b000001000000000000"),
    ("card number: cut", "82078144010203"),
    ("card number: a text", "8207816461626364"),
    ("card number: an array of numbers", "8207818401020304"),
    ("card number: pieces without an end", "8207815f41014102"),
    ("card number: a float", "820781fb3ff0000000000000"),
    ("card number: null", "820781f6"),
    ("read-back: no id", "820480"),
    ("read-back: id of 15 bytes", "8204814f010101010101010101010101010101"),
    ("read-back: id of 17 bytes", "820481510101010101010101010101010101010101"),
    ("read-back: id is null", "820481f6"),
    ("hello: no fields", "82008180"),
    ("hello: only a version", "8200818101"),
    ("hello: version over 16 bits", "820081871a00010000"),
    ("hello: realm is not UTF-8", "820081820162fffe"),
    ("template: no fields", "82028180"),
    ("operation: no fields", "82038180"),
    ("operation: unknown kind", "8203818350070707070707070707070707070707070182186380"),
    (
        "operation: negative order",
        "820381835007070707070707070707070707070707208200815005050505050505050505050505050505",
    ),
    ("pairing: no share", "821680"),
    ("pairing: empty share", "82168180"),
    ("pairing: a share without a hello", "821681814101"),
    ("pairing: a share that is a text", "8216818261618701647265616c"),
    ("pairing: claimed share of 2^60", "821681825b1000000000000000"),
    ("pairing: no proof", "821780"),
    ("pairing: proof of 31 bytes", "821781581f01010101010101010101010101010101010101010101010101010101010101"),
    ("pairing: proof is null", "821781f6"),
    ("pairing: a proof that is an array", "8217818101"),
    ("request between the known ones", "820880"),
    ("array of three", "83058000"),
    ("a tag before the message", "c1820580"),
    ("batch: no steps", "82181e80"),
    ("batch: claimed steps of 2^60", "82181e819b1000000000000000"),
    ("batch: a step of an unknown kind", "82181e8181820980"),
    ("batch: a step that is a number", "82181e818105"),
    ("digests: unknown kind", "82181f8183020180"),
    ("digests: depth over 8 bits", "82181f81830019010080"),
    ("digests: a negative part", "82181f818300018120"),
    ("digests: claimed parts of 2^40", "82181f818300019b0000010000000000"),
    ("entries: a part over 32 bits", "82182081830001811b0000000100000000"),
    ("find: keys as an array", "8218218182810140"),
    ("passing on: the introduction is a text", "82182281826161f680"),
    ("passing on: claimed wants of 2^60", "8218228182409b1000000000000000"),
    ("passed: no fields", "8218238180"),
    ("receipt of: id of 15 bytes", "821824814f010101010101010101010101010101"),
    ("note: the number is a text", "82182a81836178613140"),
    ("note: no origin", "82182b80"),
    ("probe of one: no probe", "8218288182f65007070707070707070707070707070707"),
    ("bound card: null", "82182981825007070707070707070707070707070707f6"),
];

struct Fixed {
    station: IdentityKeys,
    gate: IdentityKeys,
    record: GateRecord,
    consent: ConsentGranted,
}

fn fixed() -> Fixed {
    let station = IdentityKeys::fixed(Realm::Real, 0x11, 0x44).unwrap();
    let gate = IdentityKeys::fixed(Realm::Real, 0x22, 0x33).unwrap();
    let record = GateRecord {
        id: GateId::from_bytes([0x09; 16]),
        name: String::new(),
        place: String::new(),
        capture_area: String::new(),
        other_way: String::new(),
        why_needed: String::new(),
        address: String::new(),
        tls_pin: [0; 32],
        seal_key: gate.seal_public(),
        sign_key: gate.sign_public(),
        card_way_tested_at: None,
        takes_faces: true,
    };
    let consent = ConsentGranted::assert_recorded(
        ResidentId::from_bytes([0; 16]),
        ConsentId::from_bytes([0; 16]),
        TemplateId::from_bytes([0x03; 16]),
        vec![record.id],
        CivilDate::parse("2027-01-31").unwrap(),
    );
    Fixed { station, gate, record, consent }
}

fn face() -> FaceTemplate {
    let mut vector = [0f32; TEMPLATE_LEN];
    vector[0] = 0.6;
    vector[127] = -0.8;
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut vector).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn receipt(request: &Request, put: &PutFace, gate: &IdentityKeys) -> Receipt {
    let vector: Vec<u8> = face().expose().iter().flat_map(|number| number.to_le_bytes()).collect();
    Receipt {
        op: put.op,
        gate: put.gate,
        outcome: Outcome::FaceStored,
        request_digest: request_digest(request),
        stored_digest: face_digest(&put.template, &put.engine, put.ends_on, &vector),
        at: 1_795_320_000_000,
        realm: "real".into(),
        signature: [0; 64],
    }
    .sign(gate)
}

/// A pairing whose random scalars come from fixed bytes.
fn pairing(f: &Fixed, line: &mut impl FnMut(&str, String)) {
    let code = PairingCode::parse("4821 7730").unwrap();
    let channel = Channel { realm: Realm::Real, exporter: [0x61; 32], station: [0x62; 32], gate: [0x63; 32] };
    let hello = |id, keys: &IdentityKeys, version: &str| Hello {
        protocol: 1,
        realm: "real".into(),
        id,
        seal_key: keys.seal_public(),
        sign_key: keys.sign_public(),
        version: version.into(),
        takes_faces: version.contains("gate"),
        revision: Some(3),
    };
    let said = hello([0x51; 16], &f.station, "menka 0.1.0");
    let (station, begin) = Station::begin_with(&code, channel.clone(), said.clone(), SameByte(0x44));
    let Request::PairBegin(asked) = &begin else { panic!("{begin:?}") };
    let of_gate = hello([0x09; 16], &f.gate, "menka-gate 0.1.0");
    let answered = (encode(&begin), asked);
    let (gate, share) =
        pairing::Gate::answer_with(&code, &channel, (&answered.0, answered.1), of_gate.clone(), SameByte(0x45))
            .unwrap();
    let (confirmed, confirm) = station.confirm(&encode(&share)).unwrap();
    let Request::PairConfirm(tag) = &confirm else { panic!("{confirm:?}") };
    let (met, proof) = gate.check(tag).unwrap();
    assert_eq!(met, said);
    assert_eq!(confirmed.check(&encode(&Reply::Paired(proof))).unwrap(), (of_gate, [0x63; 32]));
    line("pairing: code", "48217730".into());
    line("pairing: exporter", hex(&channel.exporter));
    line("pairing: fingerprints", format!("{} {}", hex(&channel.station), hex(&channel.gate)));
    line("pairing: random bytes of each scalar", "64 times 44 (station), 64 times 45 (gate)".into());
    line("pairing: begin body", hex(&answered.0));
    line("pairing: share body", hex(&encode(&share)));
    line("pairing: confirm body", hex(&encode(&confirm)));
    line("pairing: paired body", hex(&encode(&Reply::Paired(proof))));
}

fn text() -> String {
    let f = fixed();
    let op = OpId::from_bytes([0x07; 16]);
    let put = seal_face_with(&f.consent, &face(), &f.record, &f.station, op, &mut SameByte(0x42)).unwrap();
    let now = Timestamp::from_ms(1_795_320_000_000);
    let probe = seal_probe_with(&f.consent, &face(), &f.record, &f.station, op, now, &mut SameByte(0x43)).unwrap();
    assert!(open_face(&put, &f.gate, &f.station.seal_public()).is_ok());
    assert!(open_probe(&probe, &f.gate, &f.station.seal_public()).is_ok());
    let hello = Hello {
        protocol: 1,
        realm: "real".into(),
        id: [0x51; 16],
        seal_key: f.station.seal_public(),
        sign_key: f.station.sign_public(),
        version: "menka 0.1.0".into(),
        takes_faces: false,
        revision: Some(REVISION),
    };
    let request = Request::PutFace(put.clone());
    let receipt = receipt(&request, &put, &f.gate);
    let mut out = String::from("```text\n");
    let mut line = |name: &str, value: String| writeln!(out, "{name} = {value}").unwrap();
    line("station seal secret", hex(&[0x11; 32]));
    line("station seal public", hex(&f.station.seal_public()));
    line("gate seal secret", hex(&[0x22; 32]));
    line("gate seal public", hex(&f.gate.seal_public()));
    line("gate sign secret (seed)", hex(&[0x33; 32]));
    line("gate sign public", hex(&f.gate.sign_public()));
    line("plaintext", "number 0 is 0.6, number 127 is -0.8, all others 0".into());
    line("face: ikm of the ephemeral key", hex(&[0x42; 32]));
    line("face: info", "menka/1 real face".into());
    line("face: aad", hex(&super::envelope::face_header(&put)));
    line("face: sealed", hex(&put.sealed));
    line("face: request body", hex(&encode(&request)));
    line("face: request digest", hex(&receipt.request_digest));
    line("face: stored digest", hex(&receipt.stored_digest));
    line("face: receipt, signed bytes", hex(&receipt.signed_bytes()));
    line("face: receipt, signature", hex(&receipt.signature));
    line("face: reply body", hex(&encode(&Reply::Done(receipt))));
    line("probe: ikm of the ephemeral key", hex(&[0x43; 32]));
    line("probe: info", "menka/1 real probe".into());
    line("probe: aad", hex(&super::envelope::probe_header(&probe)));
    line("probe: sealed", hex(&probe.sealed));
    line("hello body", hex(&encode(&Request::Hello(hello))));
    line("health body", hex(&encode(&Request::Health)));
    line("list body", hex(&encode(&Request::List)));
    line("read-back body", hex(&encode(&Request::ReadBack([0x03; 16]))));
    line("test card body", hex(&encode(&Request::TestCard(vec![0x04, 0xa1, 0xb2, 0xc3]))));
    line("head of body", hex(&encode(&Request::HeadOf("menka.real/x".into()))));
    let offer = KeepHead { note: "n".into(), key: [0x09; 32], proof: vec![0x0a; 32] };
    line("keep head body", hex(&encode(&Request::KeepHead(offer))));
    line("no head body", hex(&encode(&Reply::Head(None))));
    let kinds = [
        ("erase", What::EraseFace([0x05; 16])),
        ("freeze", What::FreezeFace([0x05; 16])),
        ("put card", What::PutCard(vec![0x04, 0xa1, 0xb2, 0xc3], 20_849)),
        ("remove card", What::RemoveCard(vec![0x04, 0xa1, 0xb2, 0xc3])),
        ("thaw", What::ThawFace([0x05; 16])),
        ("stop faces", What::StopFaces),
        ("resume faces", What::ResumeFaces),
        ("renew faces", What::RenewFaces),
        ("set clock", What::SetClock(1_795_320_000_000)),
        ("attest held", What::AttestHeld),
    ];
    for (name, what) in kinds {
        line(&format!("{name} body"), hex(&encode(&Request::Apply(Apply { op: [0x07; 16], sequence: 1, what }))));
    }
    let order = |what| Step::Apply(Apply { op: [0x07; 16], sequence: 1, what });
    line("batch body", hex(&encode(&Request::Batch(vec![order(What::EraseFace([0x05; 16]))]))));
    line("orders body", hex(&encode(&Request::Orders(vec![order(What::EraseFace([0x05; 16]))]))));
    line("unpair body", hex(&encode(&Request::Apply(Apply { op: [0x07; 16], sequence: 1, what: What::Unpair }))));
    pairing(&f, &mut line);
    let to = Kem::derive_keypair(&[0x66; 32]).1;
    let mut key = [0u8; 32];
    to.write_exact(&mut key);
    let by = (&f.station, OpId::from_bytes([0x08; 16]), now);
    let ask = Reseal::authorised(&f.consent, [0x0c; 32], ResealFor::Copy, (&f.record, key), by).unwrap();
    line("reseal: recipient's public key (DeriveKeyPair of 32 times 66)", hex(&key));
    line("reseal: signed bytes", hex(&ask.signed_bytes(Realm::Real)));
    line("reseal: request body", hex(&encode(&Request::Reseal(ask.clone()))));
    line("reseal: info", String::from_utf8(info(Realm::Real, ask.purpose, &ask.consent)).unwrap());
    line("refused (not held) body", hex(&encode(&Reply::Refused(Refusal::NotHeld))));
    line("refused (expired) body", hex(&encode(&Reply::Refused(Refusal::Expired))));
    out.push_str("```\n\nEvery one of these bodies is malformed:\n\n```text\n");
    for (name, body) in MALFORMED {
        writeln!(out, "{name} = {}", hex(&from_hex(body))).unwrap();
    }
    out.push_str("```\n\nNone of these must be taken for good (what must happen instead stands above):\n\n```text\n");
    for (name, bytes) in refused::lines() {
        writeln!(out, "{name} = {bytes}").unwrap();
    }
    out.push_str("```\n");
    out
}

#[test]
fn the_vectors_in_the_document_are_those_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gate-protocol.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let made = text();
    if std::env::var_os("MENKA_BLESS").is_some() {
        std::fs::write(path, [before, BEGIN, &made, END, after].concat()).unwrap();
        for (file, lines) in files(&made) {
            std::fs::write(file, lines).unwrap();
        }
        return;
    }
    assert_eq!(written, made);
    for (file, lines) in files(&made) {
        assert_eq!(std::fs::read_to_string(&file).unwrap(), lines, "{file}");
    }
}

/// The same as files: what is sound, what every gate must refuse as malformed, and what must not be taken for good.
fn files(made: &str) -> [(String, String); 3] {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/gate");
    let blocks: Vec<&str> = made.split("```").collect();
    let lines = |block: &str| block.trim_start_matches("text\n").to_owned();
    [("sound", 1), ("malformed", 3), ("refused", 5)]
        .map(|(name, block)| (format!("{folder}/{name}.txt"), lines(blocks[block])))
}

#[test]
fn malformed_bodies_are_refused() {
    for (name, body) in MALFORMED {
        assert!(decode::<Request>(&from_hex(body)).is_err(), "{name}");
    }
    assert!(decode::<Request>(&from_hex("820580")).is_ok(), "what the broken ones are made of is sound");
}

#[test]
fn no_single_changed_bit_of_an_envelope_opens() {
    let f = fixed();
    let op = OpId::from_bytes([0x07; 16]);
    let put = seal_face_with(&f.consent, &face(), &f.record, &f.station, op, &mut SameByte(0x42)).unwrap();
    for at in (0..put.sealed.len()).step_by(7) {
        let mut changed = put.clone();
        changed.sealed[at] ^= 1 << (at % 8);
        // The top bit of an X25519 key is not part of it (RFC 7748), but it is part of the key schedule's context.
        assert!(open_face(&changed, &f.gate, &f.station.seal_public()).is_err(), "byte {at}");
    }
}
