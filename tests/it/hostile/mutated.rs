//! Ten thousand bodies that are nearly right, and the vectors that must be refused, against a live gate.

use std::collections::HashSet;
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Instant;

use menka::domain::Realm;
use menka::wire::frame::{decode, encode};
use menka::wire::message::{Apply, Refusal, Reply, Request, What};

use super::{is_well, memory_mb};
use crate::gate::{Site, Wire};

/// Refusals of whole bodies that are asked for.
const BODIES: usize = 10_000;

/// After so many bodies a frame is broken too, on a connection of its own.
const FRAME_EVERY: usize = 50;

/// The vectors of one file of the protocol. Lines that are not bytes are left out.
fn vectors(file: &str) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/gate").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let bytes = |hex: &str| -> Option<Vec<u8>> {
        let digits: Vec<u8> =
            hex.trim().chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
        Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
    };
    text.lines()
        .filter_map(|line| line.split_once(" = ").or_else(|| line.strip_suffix(" =").map(|name| (name, ""))))
        .filter_map(|(name, hex)| Some((name.to_owned(), bytes(hex)?)))
        .collect()
}

/// Fixed numbers (splitmix64), so that each run sends the same.
struct Dice(u64);

impl Dice {
    fn number(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(below.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.number(256)).unwrap()
    }

    /// One to three changes of a sound body.
    fn changed(&mut self, sound: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut body = sound[self.number(sound.len())].1.clone();
        for _ in 0..=self.number(3) {
            let at = self.number(body.len());
            match self.number(7) {
                // Flipped bits, most of them where the structure is.
                0 => {
                    let at = if self.number(2) == 0 { at.min(self.number(12)) } else { at };
                    body.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1u8 << self.number(8));
                }
                // Cut.
                1 => body.truncate(at),
                // The beginning of one and the end of another.
                2 => {
                    let other = &sound[self.number(sound.len())].1;
                    body.truncate(at);
                    body.extend_from_slice(&other[self.number(other.len())..]);
                }
                // A length that lies: of an array, bytes, a text or a map, with one to eight bytes.
                3 => {
                    let kind = [0x40u8, 0x60, 0x80, 0xa0][self.number(4)];
                    let size = self.number(4);
                    let mut head = vec![kind | (24 + u8::try_from(size).unwrap())];
                    head.extend((0..(1usize << size)).map(|_| self.byte()));
                    let end = (at + 1).min(body.len());
                    drop(body.splice(at..end, head));
                }
                // Bytes too many, bytes too few.
                4 => {
                    let noise: Vec<u8> = (0..=self.number(16)).map(|_| self.byte()).collect();
                    drop(body.splice(at..at, noise));
                }
                5 => {
                    let end = (at + 1 + self.number(8)).min(body.len());
                    drop(body.drain(at..end));
                }
                // Said twice.
                _ => {
                    let twice = body[at..].to_vec();
                    body.extend_from_slice(&twice);
                }
            }
        }
        body.truncate(4_096);
        body
    }
}

/// A frame that is none, on a connection of its own: a stranger's, or the station's.
fn break_a_frame(dice: &mut Dice, site: &Site, daemon: &crate::gate::Daemon) {
    match dice.number(4) {
        // Noise without TLS.
        0 => {
            let mut raw = TcpStream::connect(daemon.address).unwrap();
            let noise: Vec<u8> = (0..64).map(|_| dice.byte()).collect();
            let _ = raw.write_all(&noise);
        }
        // A length over the limit.
        1 => {
            let mut wire = Wire::greeted(site, daemon);
            let length = u32::try_from(0x0004_0001 + dice.number(0xff00_0000)).unwrap();
            wire.write(&length.to_be_bytes());
            assert_eq!(wire.reply(), Some(Reply::Refused(Refusal::Malformed)), "{length}");
            assert_eq!(wire.reply(), None, "and the connection is closed");
        }
        // A body that ends early, and half a length.
        2 => {
            let mut wire = Wire::greeted(site, daemon);
            let length = u32::try_from(2 + dice.number(0x0003_fff0)).unwrap();
            wire.write(&[&length.to_be_bytes()[..], &[0x82]].concat());
            wire.end();
            assert_eq!(wire.reply(), None);
        }
        _ => {
            let mut wire = Wire::greeted(site, daemon);
            wire.write(&[0, 0, 0][..1 + dice.number(3)]);
            wire.end();
            assert_eq!(wire.reply(), None);
        }
    }
}

/// What would change the gate for the rest of the run, should a changed body still be sound.
fn is_left_out(body: &[u8]) -> bool {
    matches!(decode::<Request>(body), Ok(Request::Apply(Apply { what: What::Unpair, .. })))
}

#[test]
fn ten_thousand_malformed_frames_are_refused_logged_and_outlived() {
    let site = Site::new(Realm::Practice);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut daemon = site.run_logging(log.reopen().unwrap());
    let before = memory_mb(&daemon);
    let sound: Vec<_> = vectors("sound.txt").into_iter().filter(|(name, _)| name.ends_with("body")).collect();
    assert!(sound.len() > 25, "{}", sound.len());
    let mut dice = Dice(20_261_122);
    let mut wire = Wire::greeted(&site, &daemon);
    let (mut sent, mut refused, mut malformed, mut answered, mut frames) = (HashSet::new(), 0, 0, 0, 0);
    let mut seen = HashSet::new();
    let started = Instant::now();
    while malformed < BODIES {
        let body = dice.changed(&sound);
        if is_left_out(&body) || !sent.insert(body.clone()) {
            continue;
        }
        match wire.say(&body) {
            Some(Reply::Refused(refusal)) => {
                refused += 1;
                malformed += usize::from(refusal == Refusal::Malformed);
                seen.insert(refusal.to_string());
            }
            // Changed, and still a message: another card, another number.
            Some(_) => answered += 1,
            None => panic!("no answer to {body:02x?}"),
        }
        if sent.len().is_multiple_of(FRAME_EVERY) {
            break_a_frame(&mut dice, &site, &daemon);
            frames += 1;
            let good = wire.say(&encode(&Request::Health));
            assert!(matches!(good, Some(Reply::Health(_))), "the next good one, on the same connection: {good:?}");
        }
    }
    let took = started.elapsed();
    println!(
        "distinct bodies: {}, refused: {refused} (malformed {malformed}, other refusals {}), still messages: {answered}, broken frames: {frames}, \
         in {took:.1?}",
        sent.len(),
        refused - malformed,
    );
    assert!(refused >= BODIES && answered * 2 < refused && seen.len() >= 3, "{answered} of {refused}, {seen:?}");
    is_well(&site, &mut daemon, before, "10,000 malformed frames");
    let said = std::fs::read_to_string(log.path()).unwrap();
    // Broken frames are in the log too, in other words.
    let of_a_body =
        |line: &&str| line.contains("refused") && !line.contains("a connection was") && !line.contains("is too long");
    assert_eq!(said.lines().filter(of_a_body).count(), refused, "each is in the log");
}

#[test]
fn the_vectors_that_must_be_refused_are_refused_by_a_live_gate() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    let mut wire = Wire::greeted(&site, &daemon);
    for (name, body) in vectors("malformed.txt") {
        assert_eq!(wire.say(&body), Some(Reply::Refused(Refusal::Malformed)), "{name}");
    }
    assert!(matches!(wire.say(&encode(&Request::Health)), Some(Reply::Health(_))));
    let (mut frames, mut envelopes) = (0, 0);
    for (name, bytes) in vectors("refused.txt") {
        if name.starts_with("frame") {
            frames += 1;
            let mut wire = Wire::greeted(&site, &daemon);
            wire.write(&bytes);
            if name.contains("too long") {
                assert_eq!(wire.reply(), Some(Reply::Refused(Refusal::Malformed)), "{name}");
            } else {
                wire.end();
            }
            assert_eq!(wire.reply(), None, "{name}: closed");
        } else if name.starts_with("envelope") {
            envelopes += 1;
            // Of the vectors' gate and the real realm: to this gate they are all for another one.
            let Some(Reply::Refused(refusal)) = wire.say(&bytes) else { panic!("{name}") };
            assert!(matches!(refusal, Refusal::Envelope | Refusal::Expired), "{name}: {refusal}");
        } else {
            assert!(matches!(wire.say(&bytes), Some(Reply::Refused(_))), "{name}: a receipt is no request");
        }
    }
    assert!(frames >= 10 && envelopes >= 20, "{frames} {envelopes}");
    is_well(&site, &mut daemon, before, "vectors");
}
