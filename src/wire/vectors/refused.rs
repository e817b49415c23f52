//! Vectors that are messages, or nearly, and must not be taken for good: frames that lie, envelopes that must not open, receipts that must
//! not count. One thing is wrong with each.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable, OpModeS, Serializable};

use super::{Fixed, SameByte, face, fixed, from_hex, hex, receipt};
use crate::domain::Realm;
use crate::domain::id::OpId;
use crate::secret::TEMPLATE_LEN;
use crate::wire::envelope::{SEALED_LEN, face_header, open_face, seal_face_with};
use crate::wire::frame::{FrameError, decode, encode, read_body};
use crate::wire::keys::{IdentityKeys, Kem, SealPublic};
use crate::wire::message::{FRAME_MAX, Outcome, PutFace, Receipt, Reply, Request};

/// What is written after a Hello, and is not a frame. `too long`: Refused(Malformed), then the end. `cut`, and then the end of the stream: the
/// end without an answer.
const FRAMES: [(&str, &str); 10] = [
    ("too long: one byte over the limit", "00040001"),
    ("too long: two megabytes", "00200000"),
    ("too long: the top bit alone", "80000000"),
    ("too long: four gigabytes", "ffffffff"),
    ("too long: a length in little endian", "03000000820180"),
    ("too long: a message without a length", "8207814404a1b2c3"),
    ("cut: two bytes of a length", "0000"),
    ("cut: a length alone", "00000003"),
    ("cut: one byte short", "000000038201"),
    ("cut: the most that is allowed, three bytes of it", "00040000010203"),
];

/// How an envelope was made, when not as it should be.
struct Sealing<'a> {
    plain: [f32; TEMPLATE_LEN],
    to: [u8; 32],
    by: Option<&'a IdentityKeys>,
    info: &'static [u8],
}

impl<'a> Sealing<'a> {
    fn sound(f: &'a Fixed) -> Self {
        let mut plain = [0f32; TEMPLATE_LEN];
        (plain[0], plain[127]) = (0.6, -0.8);
        Self { plain, to: f.gate.seal_public(), by: Some(&f.station), info: b"menka/1 real face" }
    }

    /// By the words of the document, without `wire::envelope`.
    fn seal(&self, put: &PutFace, little_endian: bool) -> PutFace {
        let bytes = |x: &f32| if little_endian { x.to_le_bytes() } else { x.to_be_bytes() };
        let mut body: Vec<u8> = self.plain.iter().flat_map(bytes).collect();
        let mode = self.by.map_or(OpModeS::Base, |by| OpModeS::Auth(by.seal_pair().unwrap()));
        let (enc, tag) = hpke::single_shot_seal_in_place_detached::<ChaCha20Poly1305, HkdfSha256, Kem, _>(
            &mode,
            &SealPublic::from_bytes(&self.to).unwrap(),
            self.info,
            &mut body,
            &face_header(put),
            &mut SameByte(0x42),
        )
        .unwrap();
        PutFace { sealed: [&enc.to_bytes()[..], &body, &tag.to_bytes()].concat(), ..put.clone() }
    }
}

fn sound() -> PutFace {
    let f = fixed();
    seal_face_with(&f.consent, &face(), &f.record, &f.station, OpId::from_bytes([0x07; 16]), &mut SameByte(0x42))
        .unwrap()
}

/// Operations that the gate of the sound vectors must refuse with Envelope.
fn envelopes() -> Vec<(&'static str, PutFace)> {
    let (f, put) = (fixed(), sound());
    let stranger = IdentityKeys::fixed(Realm::Real, 0x77, 0x78).unwrap();
    let changed = |change: fn(&mut PutFace)| {
        let mut put = put.clone();
        change(&mut put);
        put
    };
    let sealed = |change: &dyn Fn(&mut Sealing<'_>)| {
        let mut sealing = Sealing::sound(&f);
        change(&mut sealing);
        sealing.seal(&put, true)
    };
    vec![
        ("another op in the header", changed(|put| put.op[0] ^= 1)),
        ("another gate in the header", changed(|put| put.gate[0] ^= 1)),
        ("another template in the header", changed(|put| put.template[15] ^= 0x80)),
        ("a later last day in the header", changed(|put| put.ends_on += 1)),
        ("a changed encapsulated key", changed(|put| put.sealed[0] ^= 1)),
        ("a changed ciphertext", changed(|put| put.sealed[32] ^= 1)),
        ("a changed tag", changed(|put| put.sealed[SEALED_LEN - 1] ^= 1)),
        ("a tag of zeros", changed(|put| put.sealed[SEALED_LEN - 16..].fill(0))),
        ("an encapsulated key of zeros", changed(|put| put.sealed[..32].fill(0))),
        ("cut by one byte", changed(|put| put.sealed.truncate(SEALED_LEN - 1))),
        ("one byte longer", changed(|put| put.sealed.push(0))),
        ("empty", changed(|put| put.sealed.clear())),
        ("sealed to another gate's key", sealed(&|s| s.to = stranger.seal_public())),
        ("sealed by another station", {
            let by = Some(&stranger);
            Sealing { by, ..Sealing::sound(&f) }.seal(&put, true)
        }),
        ("sealed by nobody (mode Base)", sealed(&|s| s.by = None)),
        ("sealed as a probe", sealed(&|s| s.info = b"menka/1 real probe")),
        ("sealed for practice", sealed(&|s| s.info = b"menka/1 practice face")),
        ("sealed for another version", sealed(&|s| s.info = b"menka/2 real face")),
        ("a vector of length 1.01", sealed(&|s| s.plain.iter_mut().for_each(|x| *x *= 1.01))),
        ("a vector of zeros", sealed(&|s| s.plain.fill(0.0))),
        ("a vector with a NaN", sealed(&|s| s.plain[5] = f32::NAN)),
        ("a vector with an infinity", sealed(&|s| s.plain[5] = f32::NEG_INFINITY)),
        ("a vector in big endian", Sealing::sound(&f).seal(&put, false)),
    ]
}

/// The order of the group, little endian: a signature plus it would verify too where verification is not strict.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn add_order(receipt: &mut Receipt) {
    let mut carry = 0u16;
    for (byte, order) in receipt.signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [_, *byte] = sum.to_be_bytes();
        carry = sum >> 8;
    }
}

/// Receipts for the operation of the sound vectors that no station must count.
fn receipts() -> Vec<(&'static str, Receipt)> {
    let (f, put) = (fixed(), sound());
    let stranger = IdentityKeys::fixed(Realm::Real, 0x77, 0x78).unwrap();
    let good = receipt(&Request::PutFace(put.clone()), &put, &f.gate);
    let after = |change: fn(&mut Receipt)| {
        let mut receipt = good.clone();
        change(&mut receipt);
        receipt
    };
    let before = |change: fn(&mut Receipt)| after(change).sign(&f.gate);
    vec![
        ("a changed signature", after(|r| r.signature[0] ^= 1)),
        ("a signature of zeros", after(|r| r.signature.fill(0))),
        ("a signature plus the group's order", after(add_order)),
        ("signed by another gate's key", good.clone().sign(&stranger)),
        ("signed by the station", good.clone().sign(&f.station)),
        ("the instant changed after signing", after(|r| r.at += 1)),
        ("the read-back changed after signing", after(|r| r.stored_digest[0] ^= 1)),
        ("the outcome changed after signing", after(|r| r.outcome = Outcome::FaceErased)),
        ("of another gate", before(|r| r.gate[0] ^= 1)),
        ("of another op", before(|r| r.op[0] ^= 1)),
        ("of another realm", before(|r| r.realm = "practice".into())),
        ("for other bytes", before(|r| r.request_digest[31] ^= 1)),
        ("of something else that was done", before(|r| r.outcome = Outcome::FaceErased)),
        ("stored, but nothing was read back", before(|r| r.stored_digest.fill(0))),
    ]
}

/// Lines of the document and of `refused.txt`.
pub(super) fn lines() -> Vec<(String, String)> {
    let frames = FRAMES.iter().map(|(name, bytes)| (format!("frame {name}"), hex(&from_hex(bytes))));
    let body = |put| hex(&encode(&Request::PutFace(put)));
    let envelopes = envelopes().into_iter().map(|(name, put)| (format!("envelope: {name}"), body(put)));
    let body = |receipt| hex(&encode(&Reply::Done(receipt)));
    let receipts = receipts().into_iter().map(|(name, receipt)| (format!("receipt: {name}"), body(receipt)));
    frames.chain(envelopes).chain(receipts).collect()
}

#[test]
fn frames_that_lie_are_told_apart_from_a_stream_that_ended() {
    for (name, bytes) in FRAMES {
        let bytes = from_hex(bytes);
        let read = read_body(&mut bytes.as_slice(), FRAME_MAX);
        match name.starts_with("too long") {
            true => assert!(matches!(read, Err(FrameError::TooLong(_))), "{name}: {read:?}"),
            false => assert!(matches!(read, Err(FrameError::Io(_))), "{name}: {read:?}"),
        }
    }
}

#[test]
fn envelopes_with_one_thing_wrong_do_not_open() {
    let (f, put) = (fixed(), sound());
    let station = f.station.seal_public();
    let made = Sealing::sound(&f).seal(&put, true);
    assert_eq!(made, put, "what the others are changed from is made as the document says");
    assert!(open_face(&put, &f.gate, &station).is_ok());
    for (name, put) in envelopes() {
        // As it comes over the wire.
        let Ok(Request::PutFace(put)) = decode(&encode(&Request::PutFace(put))) else { panic!("{name}") };
        assert!(open_face(&put, &f.gate, &station).is_err(), "{name}");
    }
}

#[test]
fn receipts_with_one_thing_wrong_do_not_count() {
    let (f, put) = (fixed(), sound());
    let request = Request::PutFace(put.clone());
    assert_eq!(receipt(&request, &put, &f.gate).check(&f.record, Realm::Real, &request), Ok(()));
    for (name, receipt) in receipts() {
        let Ok(Reply::Done(receipt)) = decode(&encode(&Reply::Done(receipt))) else { panic!("{name}") };
        assert!(receipt.check(&f.record, Realm::Real, &request).is_err(), "{name}");
    }
}

#[test]
fn more_vectors_are_bad_than_good() {
    let bad = super::MALFORMED.len() + lines().len();
    let good = super::text().split("```").nth(1).unwrap().lines().filter(|line| line.contains(" = ")).count();
    assert!(bad > good, "{bad} bad, {good} good");
}
