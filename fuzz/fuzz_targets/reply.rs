//! What the desk reads from a gate: replies with their receipts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::wire::frame::{decode, encode};
use menka::wire::message::Reply;
use menka_fuzz::{room_for, within};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reply) = within(room_for(bytes), || decode::<Reply>(bytes)) {
        let again = encode(&reply);
        assert_eq!(decode::<Reply>(&again).map(|r| encode(&r)).ok(), Some(again));
    }
});
