//! `menka-gate pair`: shows a code on the console of a gate that runs, until a desk has used it or its time is over.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use super::announce::{Announcement, can_announce, random_name};
use super::error::GateError;
use super::pairing::{self, Shown};
use super::store::Store;
use crate::domain::Realm;
use crate::ports::Clock;
use crate::secret::PairingCode;
use crate::wire::keys::fingerprint_text;
use crate::wire::pairing::CODE_LIFE_MS;

/// Codes that are shown one after another, each after three failed tries, before the person must ask anew.
const CODES_MAX: u8 = 5;

/// Pause between two looks at what became of the code.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Shows codes until one was used. Whatever happens, no code is left behind.
///
/// # Errors
/// [`GateError::NotRunning`], [`GateError::NotPaired`], and those of the store.
pub fn show(store: &Store, realm: Realm, clock: &mut dyn Clock, out: &mut dyn Write) -> Result<(), GateError> {
    let address = pairing::address(store)?.and_then(|text| text.parse::<SocketAddr>().ok());
    let address = address.ok_or(GateError::NotRunning)?;
    let name = random_name();
    let announcement = can_announce(&address).then(|| Announcement::start(&name, address, realm));
    let mut say = |text: std::fmt::Arguments<'_>| {
        let said = writeln!(out, "{text}").and_then(|()| out.flush());
        said.map_err(|source| GateError::File { file: "standard output".into(), source })
    };
    match &announcement {
        Some(Ok(_)) => say(format_args!("this gate: {name} at {address}"))?,
        Some(Err(_)) | None => say(format_args!("this gate: {address} (not found by itself: type the address)"))?,
    }
    let outcome = wait(store, clock, &mut say);
    pairing::hide(store)?;
    outcome
}

fn wait(
    store: &Store,
    clock: &mut dyn Clock,
    say: &mut dyn FnMut(std::fmt::Arguments<'_>) -> Result<(), GateError>,
) -> Result<(), GateError> {
    for number in 1..=CODES_MAX {
        let code = PairingCode::make();
        let before = pairing::show(store, &code, clock.now())?;
        let minutes = CODE_LIFE_MS / 60_000;
        say(format_args!("code: {} (type it at the desk within {minutes} minutes)", code.grouped().as_str()))?;
        drop(code);
        loop {
            std::thread::sleep(LOOK_EVERY);
            match pairing::look(store, before, clock.now())? {
                Shown::Waiting => {}
                Shown::Paired => {
                    let pin = store.station()?.map(|station| fingerprint_text(&station.pin)).unwrap_or_default();
                    return say(format_args!("paired with: {pin}"));
                }
                Shown::Over => return Err(GateError::NotPaired),
                Shown::UsedUp if number < CODES_MAX => {
                    say(format_args!("three tries with another code: this one is void, the next follows"))?;
                    break;
                }
                Shown::UsedUp => return Err(GateError::NotPaired),
            }
        }
    }
    Err(GateError::NotPaired)
}
