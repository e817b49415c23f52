//! What either side reads while two sides pair: shares and proofs from whoever connects. Nobody is ever convinced without the code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use menka::domain::Realm;
use menka::secret::PairingCode;
use menka::wire::frame::decode;
use menka::wire::message::{Hello, PROTOCOL, Request};
use menka::wire::pairing::{Channel, Gate, Station};
use menka_fuzz::{room_for, within};

fn hello() -> Hello {
    Hello {
        protocol: PROTOCOL,
        realm: "practice".into(),
        id: [1; 16],
        seal_key: [2; 32],
        sign_key: [3; 32],
        version: String::new(),
        takes_faces: true,
        revision: None,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(code) = PairingCode::parse("48217730") else { return };
    let channel = Channel { realm: Realm::Practice, exporter: [1; 32], station: [2; 32], gate: [3; 32] };
    match decode::<Request>(bytes) {
        Ok(Request::PairBegin(asked)) => {
            let answered = within(room_for(bytes), || Gate::answer(&code, &channel, (bytes, &asked), hello()));
            if let Ok((gate, _)) = answered {
                assert!(gate.check(&[0; 32]).is_err());
            }
        }
        Ok(_) => {}
        Err(_) => {
            let (station, _) = Station::begin(&code, channel, hello());
            if let Ok((confirmed, _)) = within(room_for(bytes), || station.confirm(bytes)) {
                assert!(confirmed.check(bytes).is_err());
            }
        }
    }
});
