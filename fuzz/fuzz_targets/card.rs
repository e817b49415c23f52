//! What a card answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::cards::apdu::uid_of;
use menka_fuzz::{room_for, within};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(uid) = within(room_for(bytes), || uid_of(bytes)) {
        assert!((4..=10).contains(&uid.bytes().len()) && bytes.starts_with(uid.bytes()));
    }
});
