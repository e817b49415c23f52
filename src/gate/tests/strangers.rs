//! What remains of somebody who is not enrolled and looks into a gate: nothing. Every file of the gate is searched, as it lies on the disk
//! and decrypted with the key in hand, for the picture and for the template in every form that a program might write.

use std::sync::{Arc, Mutex};

use super::doors::Strange;
use super::support::*;
use crate::domain::quality::{FaceBox, Look};
use crate::gate::daemon::{Caller, Gate};
use crate::gate::door::Act;
use crate::gate::watch::Answer;
use crate::secret::Frame;
use crate::wire::frame::encode;
use crate::wire::message::{Hello, PROTOCOL, REVISION, Reply, Request};

/// A picture that occurs nowhere by chance.
pub fn picture(of: u32) -> Vec<u8> {
    let mut seed = of.wrapping_mul(2_654_435_761).wrapping_add(99);
    let mut bytes = vec![0; 64 * 48 * 3];
    for byte in &mut bytes {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (seed >> 24) as u8;
    }
    bytes
}

/// Half precision, as a smaller store of templates would use (no subnormals needed: those round to zero).
fn half(x: f32) -> u16 {
    let bits = x.to_bits();
    let (sign, exponent) = ((bits >> 16 & 0x8000) as u16, (bits >> 23 & 0xFF) as i32 - 112);
    if exponent <= 0 { sign } else { sign | (exponent as u16) << 10 | (bits >> 13 & 0x3FF) as u16 }
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks_exact(3) {
        let n = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        text.extend([18, 12, 6, 0].map(|shift| char::from(SIGNS[(n >> shift & 63) as usize])));
    }
    text
}

/// Everything that could stand for these bytes: a stretch of them from several places, raw, as hex, as base64 in its three positions.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![];
    for start in (0..bytes.len() - 24).step_by(bytes.len() / 7) {
        let part = &bytes[start..start + 24];
        forms.push(part.to_vec());
        forms.push(part.iter().map(|b| format!("{b:02x}")).collect::<String>().into_bytes());
        forms.push(part.iter().map(|b| format!("{b:02X}")).collect::<String>().into_bytes());
        for skip in 0..3 {
            forms.push(base64(&part[skip..]).into_bytes());
        }
    }
    forms
}

fn template_forms(vector: &[f32]) -> Vec<Vec<u8>> {
    let of = |bytes: Vec<u8>| forms(&bytes);
    let mut all = of(vector.iter().flat_map(|x| x.to_le_bytes()).collect());
    all.extend(of(vector.iter().flat_map(|x| x.to_be_bytes()).collect()));
    all.extend(of(vector.iter().flat_map(|x| f64::from(*x).to_le_bytes()).collect()));
    all.extend(of(vector.iter().flat_map(|x| half(*x).to_le_bytes()).collect()));
    all.extend(of(vector.iter().map(|x| (x * 127.0).round() as i8 as u8).collect()));
    let text: Vec<String> = vector.iter().take(4).map(|x| format!("{x}")).collect();
    all.push(text.join(",").into_bytes());
    all.push(text.join(", ").into_bytes());
    all
}

fn is_anywhere(places: &[(String, Vec<u8>)], wanted: &[Vec<u8>]) -> Option<String> {
    places.iter().find(|(_, bytes)| wanted.iter().any(|form| contains(bytes, form))).map(|(name, _)| name.clone())
}

/// What the gate says to its log while it is used.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Shows a stranger to the gate's own camera path and to the station's probe, over and over.
fn strangers_look_in(site: &mut Site, gate: &mut Gate) -> usize {
    let mut caller = Caller::new(site.station.fingerprint(), None);
    let hello = Hello {
        protocol: PROTOCOL,
        realm: site.station.realm().label().into(),
        id: [0x51; 16],
        seal_key: site.station.seal_public(),
        sign_key: site.station.sign_public(),
        version: "test".into(),
        takes_faces: false,
        revision: Some(REVISION),
    };
    let said = gate.answer(&mut caller, &encode(&Request::Hello(hello)), NOON);
    assert!(matches!(said, Reply::Hello(_)));
    assert!(matches!(gate.answer(&mut caller, &encode(&Request::Health), NOON), Reply::Health(_)));
    let mut answers = 0;
    for stranger in 500..505u32 {
        let now = NOON.plus_ms(i64::from(stranger) * 20_000);
        let act = gate.acted(Act::ButtonPressed);
        let face = FaceBox { x: 0.0, y: 0.0, width: 1.0, height: 1.0, score: 1.0, landmarks: [(0.0, 0.0); 5] };
        let look = Look { frame: (64, 48), faces: vec![face], luma: 100.0, contrast: 40.0, sharpness: 100.0 };
        let mut engine = Strange { person: stranger, look };
        let frame = Frame::new(64, 48, picture(stranger)).unwrap();
        assert_eq!(gate.recognise_frame(&mut engine, frame, act, now), Answer::Unknown);
        site.clock.set(now);
        let reply = gate.answer(&mut caller, &encode(&site.probe_request(&person(stranger))), now);
        let Reply::Probed(probed) = reply else { panic!("{reply:?}") };
        assert_eq!(probed.template, None);
        gate.tick(now).unwrap();
        answers += 2;
    }
    answers
}

#[test]
fn n8_17_of_a_stranger_no_picture_and_no_template_is_in_any_file_of_the_gate() {
    let mut site = Site::new();
    site.put(1, &person(1), "2027-01-31");
    site.server.take().unwrap().stop();
    let mut gate = Gate::open_without_relay(&site.place, site.station.realm()).unwrap();
    let told = Told::default();
    let writer = told.clone();
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let answers = tracing::subscriber::with_default(log.finish(), || strangers_look_in(&mut site, &mut gate));
    assert_eq!(answers, 10);

    let turned = |of: u32| *gate.store().transform().unwrap().turn(&person(of)).unwrap().expose();
    let as_kept: Vec<_> = (500..505).map(turned).collect();
    let enrolled = template_forms(&turned(1));
    // While it runs, with the key in hand; then every file as it lies there, log included.
    let mut places = vec![("decrypted pages".to_owned(), gate.store().decrypted_pages())];
    places.extend(site.raw_files());
    let key = site.place.open_beside(site.station.realm()).unwrap();
    places.push(("decrypted pages, opened anew".into(), key.decrypted_pages()));
    drop(gate);
    places.extend(site.raw_files().into_iter().map(|(name, bytes)| (format!("{name} after the stop"), bytes)));
    places.push(("the log".into(), told.0.lock().unwrap().clone()));
    assert!(places.len() >= 7, "{}", places.len());
    for stranger in 500..505 {
        assert_eq!(is_anywhere(&places, &forms(&picture(stranger))), None, "a picture");
        assert_eq!(is_anywhere(&places, &template_forms(&vector(stranger))), None, "a template");
    }
    for vector in &as_kept {
        assert_eq!(is_anywhere(&places, &template_forms(vector)), None, "a template as this gate turns them");
    }
    // The search finds what is there: the enrolled template in the decrypted pages, and in no file as it lies on the disk.
    assert_eq!(is_anywhere(&places[..1], &enrolled).as_deref(), Some("decrypted pages"));
    let raw: Vec<_> = places.into_iter().filter(|(name, _)| !name.starts_with("decrypted")).collect();
    assert_eq!(is_anywhere(&raw, &enrolled), None, "sealed on the disk");
}

#[test]
fn every_form_that_is_searched_for_is_found_where_it_is() {
    let vector = vector(7);
    let written: Vec<Vec<u8>> = vec![
        bytes_of(&vector),
        vector.iter().flat_map(|x| half(*x).to_le_bytes()).collect(),
        base64(&bytes_of(&vector)).into_bytes(),
        [b"x".to_vec(), bytes_of(&vector)].concat().iter().map(|b| format!("{b:02x}")).collect::<String>().into(),
        base64(&[b"x".to_vec(), bytes_of(&vector)].concat()).into_bytes(),
        base64(&[b"xy".to_vec(), bytes_of(&vector)].concat()).into_bytes(),
    ];
    for (n, bytes) in written.into_iter().enumerate() {
        let place = [(n.to_string(), bytes)];
        assert_eq!(is_anywhere(&place, &template_forms(&vector)), Some(n.to_string()));
    }
    assert_eq!([0.5f32, -1.0, 0.0].map(half), [0x3800, 0xBC00, 0]);
}
