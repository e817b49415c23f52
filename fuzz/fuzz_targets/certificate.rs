//! The certificate that a stranger shows in the TLS handshake.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::wire::keys::{IdentityKeys, spki_fingerprint};
use menka_fuzz::{room_for, within};

fuzz_target!(|bytes: &[u8]| {
    let _ = within(room_for(bytes), || spki_fingerprint(bytes));
    let _ = IdentityKeys::from_bytes(bytes);
});
