//! What a webcam sends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::capture::jpeg::{decode, outline};
use menka_fuzz::within;

/// A decoded frame of the largest accepted size, and the decoder's own tables.
const ROOM: usize = 64 << 20;

// A panic of the decoder is caught and costs one picture (`capture::jpeg::decode`): it must not end the run, as the fuzzer's own hook would.
// A failed assertion below still does.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    let outlined = within(ROOM, || outline(bytes));
    if let Ok(frame) = within(ROOM, || decode(bytes)) {
        assert!(outlined.is_ok() && frame.width() > 0 && frame.height() > 0);
    }
});
