//! What a gate reads when it shall pass a template on: the station's introduction of the other gate and the person's consent; and what the
//! other gate reads then. Nobody else's signature counts, and what stands behind a good one is read without harm too.
#![no_main]

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use libfuzzer_sys::fuzz_target;
use menka::domain::Realm;
use menka::evidence::{Kind, consent, introduction, statement};
use menka::wire::frame::decode;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::Request;
use menka::wire::relay::{PASSES_MAX, open_passed};
use menka_fuzz::{room_for, within};

/// A point on the curve for which nobody here has the private key.
const NOBODY: [u8; 32] = [1; 32];

static GATE: OnceLock<Option<IdentityKeys>> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let room = room_for(bytes);
    match decode::<Request>(bytes) {
        Ok(Request::PassOn(ask)) => {
            assert!(within(room, || introduction::verify(&ask.introduction, &NOBODY)).is_err());
            for want in ask.wants.iter().take(PASSES_MAX) {
                assert!(within(room, || statement::verify(&want.consent, &NOBODY)).is_err());
            }
        }
        Ok(Request::PutPassed(passed)) => {
            let Some(gate) = GATE.get_or_init(|| IdentityKeys::make(Realm::Practice).ok()) else { return };
            assert!(within(room, || open_passed(&passed, gate)).is_err());
        }
        _ => {}
    }
    // The same bytes as the text of a statement that the station did sign: as a station would that somebody has taken over.
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key().to_bytes();
    if let Ok(signed) = statement::sign(&key, Kind::Introduction, bytes)
        && let Ok(states) = within(room_for(&signed), || introduction::verify(&signed, &public))
    {
        // What was read can be said again and is read the same.
        let again = introduction::sign(&key, &states).unwrap_or_default();
        assert_eq!(introduction::verify(&again, &public), Ok(states));
    }
    if let Ok(signed) = statement::sign(&key, Kind::Consent, bytes) {
        assert!(introduction::verify(&signed, &public).is_err(), "a consent is no introduction");
        let read = within(room_for(&signed), || statement::verify(&signed, &public));
        assert!(read.is_ok_and(|read| read.kind == Kind::Consent && read.payload == bytes));
        let _ = within(room, || consent::read(bytes));
    }
});
