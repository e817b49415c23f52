//! What people type and what files say: addresses, fingerprints, dates, card numbers, texts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::app::command::parse_date;
use menka::domain::card::CardUid;
use menka::evidence::parse_key;
use menka::notice::{blocks, plain};
use menka::secret::PairingCode;
use menka::wire::address::{is_lan, lan_address};
use menka::wire::keys::{fingerprint_text, parse_fingerprint};
use menka_fuzz::{room_for, within};

fuzz_target!(|text: &str| {
    let room = room_for(text.as_bytes());
    if let Some(address) = within(room, || lan_address(text)) {
        assert!(is_lan(address.ip()));
    }
    if let Some(fingerprint) = parse_fingerprint(text) {
        assert_eq!(parse_fingerprint(&fingerprint_text(&fingerprint)), Some(fingerprint));
    }
    if let Some(date) = parse_date(text) {
        assert_eq!(parse_date(&date.to_string()), Some(date));
    }
    if let Some(uid) = CardUid::from_wedge(text) {
        assert!(text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-') || c.is_whitespace()), "{uid:?}");
    }
    if let Some(code) = PairingCode::parse(text) {
        assert!(PairingCode::parse(&code.grouped()).is_some_and(|again| again.expose() == code.expose()));
    }
    let _ = parse_key(text);
    // A line of one letter is a paragraph of its own, with room for four spans: 256 bytes for two.
    within(room + 512 * text.len(), || (blocks(text), plain(text)));
});
