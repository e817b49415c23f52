//! An envelope that the station's key did not seal never opens, whatever stands in it.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use menka::domain::Realm;
use menka::wire::envelope::{open_face, open_probe};
use menka::wire::frame::decode;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::Request;
use menka_fuzz::{room_for, within};

static GATE: OnceLock<Option<IdentityKeys>> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let Some(gate) = GATE.get_or_init(|| IdentityKeys::make(Realm::Practice).ok()) else { return };
    match decode::<Request>(bytes) {
        Ok(Request::PutFace(put)) => {
            assert!(within(room_for(bytes), || open_face(&put, gate, &[9; 32])).is_err());
        }
        Ok(Request::Probe(probe)) => {
            assert!(within(room_for(bytes), || open_probe(&probe, gate, &[9; 32])).is_err());
        }
        Ok(Request::ProbeOne(one)) => {
            assert!(within(room_for(bytes), || open_probe(&one.probe, gate, &[9; 32])).is_err());
        }
        Ok(Request::Reseal(ask)) => {
            assert!(!within(room_for(bytes), || ask.is_signed_by(&[1; 32], Realm::Practice)));
        }
        _ => {}
    }
});
