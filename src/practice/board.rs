//! A card board in software, as a process of its own: `menka-gate --practice-board`. Practice only.
//!
//! Written from the field table of the protocol, not from our codec: places and numbers stand here once more, so that an error on either
//! side shows. Lines on standard input make it lose, repeat, hold back or spoil answers, change its list behind the desk's back, or let a
//! card pass.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Datagram = [u8; 64];

/// Serial number unless another is given.
pub const SERIAL: u32 = 405_419_896;

/// What a board does wrong next.
#[derive(Debug, Default)]
struct Mischief {
    lose: u32,
    twice: bool,
    hold_back: bool,
    held: Option<Datagram>,
    spoil: u32,
    pose_as: Option<u32>,
    deaf_to_puts: bool,
    deaf_to_deletes: bool,
    deaf_to_time: bool,
    deaf_to_listeners: bool,
    /// Milliseconds before each answer.
    slow: u32,
}

#[derive(Debug)]
struct Board {
    serial: u32,
    /// The list as it lies in memory: each place a card's bytes 8 to 27, or freed.
    places: Vec<Option<[u8; 20]>>,
    /// Seconds that its clock is ahead.
    ahead: i64,
    listener: [u8; 7],
    events: u32,
    last: [u8; 20],
    opened: BTreeMap<u8, u32>,
    asked: u64,
    mischief: Mischief,
}

/// Runs it: `--listen ADDRESS:PORT` (port 0 takes a free one), `--serial NUMBER`.
pub fn main(arguments: &[String]) -> ExitCode {
    let after = |word: &str| arguments.iter().position(|a| a == word).and_then(|at| arguments.get(at + 1));
    let listen = after("--listen").map_or("127.0.0.1:0", String::as_str);
    let serial = after("--serial").and_then(|text| text.parse().ok()).unwrap_or(SERIAL);
    let Ok(socket) = UdpSocket::bind(listen) else { return ExitCode::FAILURE };
    let Ok(address) = socket.local_addr() else { return ExitCode::FAILURE };
    if !say(&format!("listening: {address}")) {
        return ExitCode::FAILURE;
    }
    let board = Arc::new(Mutex::new(Board::new(serial)));
    let (serving, wire) = (Arc::clone(&board), socket.try_clone());
    let Ok(wire) = wire else { return ExitCode::FAILURE };
    std::thread::spawn(move || serve(&serving, &wire));
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let answer = lock(&board).told(&line, &socket);
        if !say(&answer) {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn say(line: &str) -> bool {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}

fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(board: &Mutex<Board>, wire: &UdpSocket) {
    let mut bytes = [0u8; 2048];
    while let Ok((length, from)) = wire.recv_from(&mut bytes) {
        let Some(request) = bytes.get(..length).and_then(|b| Datagram::try_from(b).ok()) else { continue };
        let mut board = lock(board);
        if let Some(answer) = board.answer(&request) {
            board.send(answer, wire, from);
        }
    }
}

impl Board {
    fn new(serial: u32) -> Self {
        Self {
            serial,
            places: vec![],
            ahead: 0,
            listener: [0; 7],
            events: 0,
            last: [0; 20],
            opened: BTreeMap::new(),
            asked: 0,
            mischief: Mischief::default(),
        }
    }

    /// What a line on standard input does.
    fn told(&mut self, line: &str, wire: &UdpSocket) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|w| w.parse::<u32>().ok());
        match (words.first().copied().unwrap_or_default(), number(1)) {
            ("lose", Some(n)) => self.mischief.lose = n,
            ("twice", None) => self.mischief.twice = true,
            ("hold-back", None) => self.mischief.hold_back = true,
            ("spoil", Some(n)) => self.mischief.spoil = n,
            ("pose-as", n) => self.mischief.pose_as = n,
            ("deaf-to-puts", None) => self.mischief.deaf_to_puts = true,
            ("deaf-to-deletes", None) => self.mischief.deaf_to_deletes = true,
            ("deaf-to-time", None) => self.mischief.deaf_to_time = true,
            ("deaf-to-listeners", None) => self.mischief.deaf_to_listeners = true,
            ("slow", Some(n)) => self.mischief.slow = n,
            ("well", None) => self.mischief = Mischief::default(),
            ("ahead", Some(seconds)) => self.ahead = i64::from(seconds),
            ("add", Some(card)) => self.put(entry(card, [0x20, 0x20, 1, 1], [0x20, 0x99, 0x12, 0x31], [1; 4])),
            ("forget", Some(card)) => drop(self.delete(card)),
            ("shut-door", Some(card)) => {
                if let Some(place) = self.place(card).and_then(|at| self.places[at].as_mut()) {
                    place[12..16].fill(0);
                }
            }
            ("cards", None) => return self.places.iter().flatten().count().to_string(),
            ("opened", Some(door)) => {
                let times = u8::try_from(door).ok().and_then(|d| self.opened.get(&d)).copied();
                return times.unwrap_or(0).to_string();
            }
            ("asked", None) => return self.asked.to_string(),
            // The card is held to the reader of the door.
            ("swipe", Some(card)) => {
                let door = number(2).and_then(|n| u8::try_from(n).ok()).unwrap_or(1);
                let opens = self.opens(card, door);
                if opens {
                    *self.opened.entry(door).or_default() += 1;
                }
                self.happened(1, opens, door, card, wire);
                return if opens { "opens" } else { "shut" }.into();
            }
            _ => return "what?".into(),
        }
        "done".into()
    }

    fn answer(&mut self, request: &Datagram) -> Option<Datagram> {
        let addressed = u32_at(request, 4);
        let finding = request[1] == 0x94;
        if request[0] != 0x17 || !(addressed == self.serial || finding && addressed == 0) {
            return None;
        }
        self.asked += 1;
        let mut reply: Datagram = [0; 64];
        reply[0] = 0x17;
        reply[1] = request[1];
        reply[4..8].copy_from_slice(&self.serial.to_le_bytes());
        match request[1] {
            0x20 => self.status(&mut reply),
            0x30 => {
                let wanted = from_bcd(&request[8..15]);
                if !self.mischief.deaf_to_time {
                    self.ahead = wanted - now();
                }
                reply[8..15].copy_from_slice(&to_bcd(wanted));
            }
            0x32 => reply[8..15].copy_from_slice(&to_bcd(now() + self.ahead)),
            0x40 => {
                reply[8] = u8::from((1..=4).contains(&request[8]));
                *self.opened.entry(request[8]).or_default() += 1;
            }
            0x50 => {
                let mut place = [0; 20];
                place.copy_from_slice(&request[8..28]);
                if !self.mischief.deaf_to_puts {
                    self.put(place);
                }
                reply[8] = 1;
            }
            0x52 => {
                let (card, deaf) = (u32_at(request, 8), self.mischief.deaf_to_deletes);
                reply[8] = u8::from(if deaf { self.place(card).is_some() } else { self.delete(card) });
            }
            0x54 => {
                let all = u32_at(request, 8) == 0x55AA_AA55;
                if all {
                    self.places.clear();
                }
                reply[8] = u8::from(all);
            }
            0x58 => {
                let count = u32::try_from(self.places.iter().flatten().count()).unwrap_or(u32::MAX);
                reply[8..12].copy_from_slice(&count.to_le_bytes());
            }
            0x5A => {
                let found = self.place(u32_at(request, 8)).and_then(|at| self.places[at]);
                reply[8..28].copy_from_slice(&found.unwrap_or_default());
            }
            0x5C => {
                let index = usize::try_from(u32_at(request, 8)).unwrap_or(usize::MAX);
                match index.checked_sub(1).and_then(|at| self.places.get(at)) {
                    Some(Some(place)) => reply[8..28].copy_from_slice(place),
                    Some(None) => reply[8..12].fill(0xFF),
                    None => {}
                }
            }
            0x90 => {
                if !self.mischief.deaf_to_listeners {
                    self.listener.copy_from_slice(&request[8..15]);
                }
                reply[8] = 1;
            }
            0x92 => reply[8..15].copy_from_slice(&self.listener),
            0x94 => {
                reply[8..12].copy_from_slice(&[127, 0, 0, 1]);
                reply[12..16].copy_from_slice(&[255, 255, 255, 0]);
                reply[20..26].copy_from_slice(&[0x02, 0, 0, 0, 0, 1]);
                reply[26..28].copy_from_slice(&[0x08, 0x92]);
                reply[28..32].copy_from_slice(&[0x20, 0x26, 0x11, 0x22]);
            }
            0xB4 => reply[8..12].copy_from_slice(&self.events.to_le_bytes()),
            _ => return None,
        }
        Some(reply)
    }

    /// Sends an answer, or what the mischief of the hour makes of it.
    fn send(&mut self, answer: Datagram, wire: &UdpSocket, to: SocketAddr) {
        std::thread::sleep(std::time::Duration::from_millis(u64::from(self.mischief.slow)));
        if self.mischief.lose > 0 {
            self.mischief.lose -= 1;
            return;
        }
        if self.mischief.hold_back {
            // Each answer waits for the next one and goes out after it: out of order.
            let before = self.mischief.held.replace(answer);
            let Some(before) = before else { return };
            let _ = wire.send_to(&answer, to);
            let _ = wire.send_to(&before, to);
            self.mischief.held = None;
            return;
        }
        if let Some(serial) = self.mischief.pose_as {
            let mut posed = answer;
            posed[4..8].copy_from_slice(&serial.to_le_bytes());
            let _ = wire.send_to(&posed, to);
            return;
        }
        if self.mischief.spoil > 0 {
            self.mischief.spoil -= 1;
            let mut spoilt = answer;
            spoilt[0] ^= 0x40;
            let _ = wire.send_to(&spoilt, to);
            let _ = wire.send_to(answer.get(..40).unwrap_or_default(), to);
            let _ = wire.send_to(&[0x17; 200], to);
            return;
        }
        let _ = wire.send_to(&answer, to);
        if self.mischief.twice {
            let _ = wire.send_to(&answer, to);
        }
    }

    fn place(&self, card: u32) -> Option<usize> {
        let wanted = card.to_le_bytes();
        self.places.iter().position(|p| p.as_ref().is_some_and(|p| p[..4] == wanted))
    }

    fn put(&mut self, place: [u8; 20]) {
        let card = u32::from_le_bytes([place[0], place[1], place[2], place[3]]);
        match self.place(card).or_else(|| self.places.iter().position(Option::is_none)) {
            Some(at) => self.places[at] = Some(place),
            None => self.places.push(Some(place)),
        }
    }

    fn delete(&mut self, card: u32) -> bool {
        let found = self.place(card);
        if let Some(at) = found {
            self.places[at] = None;
        }
        found.is_some()
    }

    fn opens(&self, card: u32, door: u8) -> bool {
        let Some(place) = self.place(card).and_then(|at| self.places[at]) else { return false };
        let today = to_bcd(now() + self.ahead);
        let in_time = place[4..8] <= today[..4] && place[8..12] >= today[..4];
        in_time && place.get(11 + usize::from(door)).is_some_and(|p| (1..=4).contains(&door) && *p == 1)
    }

    fn happened(&mut self, kind: u8, granted: bool, door: u8, card: u32, wire: &UdpSocket) {
        self.events += 1;
        let last = &mut self.last;
        last[0..4].copy_from_slice(&self.events.to_le_bytes());
        last[4..8].copy_from_slice(&[kind, u8::from(granted), door, 1]);
        last[8..12].copy_from_slice(&card.to_le_bytes());
        last[12..19].copy_from_slice(&to_bcd(now() + self.ahead));
        last[19] = if granted { 1 } else { 6 };
        let [a, b, c, d, low, high, _] = self.listener;
        let port = u16::from_le_bytes([low, high]);
        if port != 0 {
            let mut event: Datagram = [0; 64];
            event[0] = 0x17;
            event[1] = 0x20;
            event[4..8].copy_from_slice(&self.serial.to_le_bytes());
            self.status(&mut event);
            let _ = wire.send_to(&event, SocketAddr::from(([a, b, c, d], port)));
        }
    }

    fn status(&self, reply: &mut Datagram) {
        reply[8..28].copy_from_slice(&self.last);
        let clock = to_bcd(now() + self.ahead);
        reply[37..40].copy_from_slice(&clock[4..7]);
        reply[51..54].copy_from_slice(&clock[1..4]);
    }
}

fn entry(card: u32, from: [u8; 4], until: [u8; 4], doors: [u8; 4]) -> [u8; 20] {
    let mut place = [0; 20];
    place[0..4].copy_from_slice(&card.to_le_bytes());
    place[4..8].copy_from_slice(&from);
    place[8..12].copy_from_slice(&until);
    place[12..16].copy_from_slice(&doors);
    place
}

fn u32_at(bytes: &Datagram, at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Seconds since 1970 on a clock that stands in China.
#[allow(clippy::disallowed_methods, reason = "a board has a clock of its own")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0)) + 8 * 3_600
}

/// Civil date and time as seven BCD bytes (Howard Hinnant's days-from-civil, the other way round).
fn to_bcd(seconds: i64) -> [u8; 7] {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let pairs = [year / 100, year % 100, month, day, of_day / 3_600, of_day / 60 % 60, of_day % 60];
    pairs.map(|n| u8::try_from(n / 10 * 16 + n % 10).unwrap_or(0))
}

fn from_bcd(bytes: &[u8]) -> i64 {
    let two: Vec<i64> = bytes.iter().map(|b| i64::from(b >> 4) * 10 + i64::from(b & 15)).collect();
    let [c, y, month, day, hour, minute, second] = two[..] else { return 0 };
    let year = c * 100 + y - i64::from(month <= 2);
    let (era, yoe) = (year.div_euclid(400), year.rem_euclid(400));
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    days * 86_400 + hour * 3_600 + minute * 60 + second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boards_own_calendar_goes_there_and_back() {
        assert_eq!(to_bcd(0), [0x19, 0x70, 1, 1, 0, 0, 0]);
        assert_eq!(to_bcd(1_709_164_799), [0x20, 0x24, 0x02, 0x28, 0x23, 0x59, 0x59]);
        for seconds in (0..4_000_000_000).step_by(86_399 * 37) {
            assert_eq!(from_bcd(&to_bcd(seconds)), seconds);
        }
    }
}
