//! What a gate reads from whoever connects: a length, a body, a request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::wire::frame::{decode, encode, read_body};
use menka::wire::message::{FRAME_MAX, Request};
use menka_fuzz::{room_for, within};

fuzz_target!(|bytes: &[u8]| {
    let body = within(FRAME_MAX + 4096, || read_body(&mut &bytes[..], FRAME_MAX));
    for body in [bytes, body.as_deref().unwrap_or_default()] {
        if let Ok(request) = within(room_for(body), || decode::<Request>(body)) {
            // What was understood is said again in a way that is understood the same.
            let again = encode(&request);
            assert_eq!(decode::<Request>(&again).map(|r| encode(&r)).ok(), Some(again));
        }
    }
});
