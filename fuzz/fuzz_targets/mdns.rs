//! What desk and gate read from anybody on the LAN while a gate is looked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::domain::Realm;
use menka::wire::address::is_lan;
use menka::wire::mdns::{announced, answer, asks_for_gates};
use menka_fuzz::{room_for, within};

fuzz_target!(|bytes: &[u8]| {
    let _ = within(room_for(bytes), || asks_for_gates(bytes));
    for gate in within(room_for(bytes), || announced(bytes, Realm::Practice)) {
        assert!(is_lan((*gate.address.ip()).into()) && gate.address.port() != 0);
        // What was found can be said again and is found the same.
        let again = answer(1, &gate, Realm::Practice).unwrap_or_default();
        assert_eq!(announced(&again, Realm::Practice), vec![gate]);
    }
});
