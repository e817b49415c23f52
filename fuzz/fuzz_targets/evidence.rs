//! Papers that a stranger hands to the verifier: statements, records, heads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::evidence::record::LogRecord;
use menka::evidence::certificate::{self, Keys};
use menka::evidence::head::{self, Short};
use menka::evidence::opening::Opening;
use menka::evidence::{bundle, checkpoint, consent, statement};
use menka_fuzz::{room_for, within};

/// A point on the curve for which nobody here has the private key.
const KEY: [u8; 32] = [1; 32];

fuzz_target!(|bytes: &[u8]| {
    let room = room_for(bytes);
    assert!(within(room, || statement::verify(bytes, &KEY)).is_err());
    let _ = within(room, || consent::read(bytes));
    let keys = Keys { station: KEY, gates: Default::default() };
    assert!(within(room, || certificate::verify(bytes, &keys)).is_err());
    assert!(within(room, || bundle::verify(bytes, &KEY)).is_err());
    let _ = within(room, || Opening::from_bytes(bytes));
    if let Ok(record) = within(room, || LogRecord::from_bytes(bytes)) {
        assert_eq!(LogRecord::from_bytes(&record.to_bytes()), Ok(record));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(within(room, || checkpoint::verify(text, &KEY)).is_err());
        let _ = within(room, || Short::parse(text));
        // A head as a gate gives it back.
        assert!(within(room, || head::cosigned_at(text, "0", &KEY)).is_err());
        assert!(within(room, || head::note_of(text, &KEY)).is_err());
    }
});
