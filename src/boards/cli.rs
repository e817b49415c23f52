//! `menka-gate board …`: what a technician does at a card board from the command line. Names nobody: of a card the last four digits.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use super::{BoardListener, UdpBoards};
use crate::domain::board::{BoardSerial, DoorNumber};
use crate::domain::time::Timestamp;
use crate::ports::{BoardLink, LinkError};
use crate::wire::address::lan_address;
use crate::wire::board::{Answer, Ask, BoardEvent};

/// How it is used.
pub const USAGE: &str = "\
menka-gate board: looks at a card board (UHPPOTE). The wire has no authentication: keep boards on a network of their own.

  menka-gate board find   --address IP:PORT               who is there
  menka-gate board status --address IP:PORT --serial N    clock, doors, cards, where events go, what happened last
  menka-gate board clock  --address IP:PORT --serial N    sets its clock to ours and reads it back
  menka-gate board open   --address IP:PORT --serial N --door 1..4
  menka-gate board listen --address IP:PORT --serial N --at OUR-IP:PORT [--seconds 30]
                          shows who passes for a while (nothing is written down), then sends events where they went before
";

const LIMIT: Duration = Duration::from_millis(1_500);
const SECONDS_MAX: u64 = 600;

/// Why it did not work; meant for the person at the keyboard.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Something was not understood.
    #[error("{0}\n\n{USAGE}")]
    Usage(&'static str),
    /// The board did not answer.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// It answered that it did not do it.
    #[error("the board did not do it")]
    Refused,
    /// Standard output is gone.
    #[error(transparent)]
    Out(#[from] std::io::Error),
}

/// Runs one command. `arguments` are those after `board`.
///
/// # Errors
/// [`CliError`].
pub fn run(arguments: &[String], now: Timestamp, out: &mut dyn Write) -> Result<(), CliError> {
    let after = |word: &str| arguments.iter().position(|a| a == word).and_then(|at| arguments.get(at + 1));
    let address = after("--address").ok_or(CliError::Usage("--address is missing"))?;
    let serial = || after("--serial").and_then(|t| BoardSerial::parse(t)).ok_or(CliError::Usage("--serial is missing"));
    let mut link = UdpBoards::new();
    match arguments.first().map(String::as_str) {
        Some("find") => {
            let (serial, answer) = link.ask(address, None, &Ask::Find, LIMIT)?;
            let Answer::Found(version) = answer else { return Err(CliError::Refused) };
            writeln!(out, "serial number: {serial}")?;
            writeln!(out, "version: {:x}.{:02x}", version >> 8, version & 0xFF)?;
        }
        Some("status") => status(&mut link, address, serial()?, out)?,
        Some("clock") => {
            let serial = Some(serial()?);
            link.ask(address, serial, &Ask::SetTime(now), LIMIT)?;
            let (_, answer) = link.ask(address, serial, &Ask::Time, LIMIT)?;
            writeln!(out, "clock: {}", clock_text(matching(answer)))?;
        }
        Some("open") => {
            let door = after("--door").and_then(|t| t.parse().ok()).and_then(DoorNumber::new);
            let door = door.ok_or(CliError::Usage("--door is 1 to 4"))?;
            match link.ask(address, Some(serial()?), &Ask::Open(door), LIMIT)?.1 {
                Answer::Opened(true) => writeln!(out, "opened: {}", door.get())?,
                _ => return Err(CliError::Refused),
            }
        }
        Some("listen") => {
            let at = after("--at").and_then(|t| lan_address(t)).and_then(v4);
            let at = at.ok_or(CliError::Usage("--at is an address of this machine, IP:PORT"))?;
            let seconds = after("--seconds").map_or(Some(30), |t| t.parse().ok()).filter(|n| *n <= SECONDS_MAX);
            let seconds = seconds.ok_or(CliError::Usage("--seconds is a number up to 600"))?;
            listen(&mut link, address, serial()?, at, Duration::from_secs(seconds), out)?;
        }
        _ => return Err(CliError::Usage("unknown command")),
    }
    Ok(())
}

fn matching(answer: Answer) -> Option<Timestamp> {
    if let Answer::Time(at) = answer { at } else { None }
}

fn status(link: &mut UdpBoards, address: &str, serial: BoardSerial, out: &mut dyn Write) -> Result<(), CliError> {
    let mut ask = |ask: Ask| link.ask(address, Some(serial), &ask, LIMIT).map(|(_, answer)| answer);
    let Answer::Status(status) = ask(Ask::Status)? else { return Err(CliError::Refused) };
    writeln!(out, "clock: {}", clock_text(status.clock))?;
    let open: Vec<String> =
        (1..).zip(status.doors_open).filter(|(_, open)| *open).map(|(n, _)| format!("{n}")).collect();
    writeln!(out, "doors open: {}", if open.is_empty() { "none".into() } else { open.join(" ") })?;
    writeln!(out, "error: {}", status.error)?;
    if let Answer::Count(cards) = ask(Ask::Count)? {
        writeln!(out, "cards: {cards}")?;
    }
    if let Answer::Listener(to, _) = ask(Ask::Listener)? {
        writeln!(out, "events go to: {}", if to.port() == 0 { "nobody".into() } else { to.to_string() })?;
    }
    match status.last {
        Some(event) => writeln!(out, "last: {}", event_text(&event))?,
        None => writeln!(out, "last: nothing")?,
    }
    Ok(())
}

fn listen(
    link: &mut UdpBoards,
    address: &str,
    serial: BoardSerial,
    at: SocketAddrV4,
    long: Duration,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let Answer::Listener(before, every) = link.ask(address, Some(serial), &Ask::Listener, LIMIT)?.1 else {
        return Err(CliError::Refused);
    };
    // Ours before the board hears of it: an address that is in use changes nothing there, and the first event finds somebody listening.
    let listener = BoardListener::at(at.into(), serial)?;
    // Set, and read back: a "yes" is no proof.
    let set = |link: &mut UdpBoards, to: SocketAddrV4, every| -> Result<SocketAddrV4, CliError> {
        link.ask(address, Some(serial), &Ask::SetListener(to, every), LIMIT)?;
        match link.ask(address, Some(serial), &Ask::Listener, LIMIT)?.1 {
            Answer::Listener(now, _) => Ok(now),
            _ => Err(CliError::Refused),
        }
    };
    let ours = set(link, at, 0);
    if !matches!(&ours, Ok(now) if *now == at) {
        // It may have taken it all the same.
        let _ = set(link, before, every);
        return Err(ours.err().unwrap_or(CliError::Refused));
    }
    let shown = show(&listener, at, long, out);
    // Also when our output is gone: the board must not go on sending to us.
    let now = set(link, before, every)?;
    writeln!(out, "events go to: {}", if now.port() == 0 { "nobody".into() } else { now.to_string() })?;
    if now != before {
        return Err(CliError::Refused);
    }
    Ok(shown?)
}

fn show(listener: &BoardListener, at: SocketAddrV4, long: Duration, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "listening: {at}")?;
    out.flush()?;
    let until = Instant::now() + long;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        if let Some(event) = listener.next(left) {
            writeln!(out, "{}", event_text(&event))?;
            out.flush()?;
        }
    }
    Ok(())
}

fn event_text(event: &BoardEvent) -> String {
    let card = event.card.map_or("-".into(), |card| format!("…{}", card.last4()));
    let granted = if event.granted { "granted" } else { "denied" };
    format!("{} door {} card {card} {granted} (reason {})", clock_text(event.at), event.door, event.reason)
}

fn clock_text(at: Option<Timestamp>) -> String {
    at.map_or("no time".into(), Timestamp::second_text)
}

fn v4(address: SocketAddr) -> Option<SocketAddrV4> {
    match address.ip() {
        IpAddr::V4(ip) => Some(SocketAddrV4::new(ip, address.port())),
        IpAddr::V6(_) => None,
    }
}
