//! Datagrams of card boards (UHPPOTE UT0311-L0x, 微耕): 64 bytes, a first byte 0x17, a function, the board's serial number, then fixed
//! places; numbers little-endian, days and times as BCD in the board's own (China) time. Pure: bytes in, values out.
//!
//! There is no authentication and no encryption in this protocol: what is read here is what somebody on that wire said. Deliberately absent:
//! "delete all", passcodes, door modes and the board's memory of who passed when (`get-event`), which the desk has no purpose for (rule P06).

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::domain::board::{BoardCard, BoardEntry, BoardSerial, DOORS, DoorNumber};
use crate::domain::time::{CivilDate, Timestamp};

/// Bytes of every datagram.
pub const LENGTH: usize = 64;

/// The usual port of boards.
pub const PORT: u16 = 60_000;

const START: u8 = 0x17;
/// First byte of events of firmware 6.62.
const START_OLD_EVENT: u8 = 0x19;

const STATUS: u8 = 0x20;
const SET_TIME: u8 = 0x30;
const GET_TIME: u8 = 0x32;
const OPEN: u8 = 0x40;
const PUT_CARD: u8 = 0x50;
const DELETE_CARD: u8 = 0x52;
const COUNT_CARDS: u8 = 0x58;
const GET_CARD: u8 = 0x5A;
const GET_CARD_AT: u8 = 0x5C;
const SET_LISTENER: u8 = 0x90;
const GET_LISTENER: u8 = 0x92;
const FIND: u8 = 0x94;

const DAY_MS: i64 = 86_400_000;

/// A place that held a card once.
const FREED: u32 = 0xFFFF_FFFF;

/// What a board is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Who are you? Also answered when asked without a serial number.
    Find,
    /// How are you, and what happened last?
    Status,
    /// What time is it?
    Time,
    /// Set your clock.
    SetTime(Timestamp),
    /// Open a door once.
    Open(DoorNumber),
    /// Hold this card.
    Put(BoardEntry),
    /// Hold this card no more.
    Delete(BoardCard),
    /// How many cards do you hold?
    Count,
    /// What do you hold of this card?
    Card(BoardCard),
    /// What is in this place (from 1)?
    CardAt(u32),
    /// Where do you send events?
    Listener,
    /// Send events there, and every so many seconds your status; `0.0.0.0:0` sends none.
    SetListener(SocketAddrV4, u8),
}

/// What a board answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Ask::Find`]: its version, e.g. 0x0892 for 8.92.
    Found(u16),
    /// To [`Ask::Status`].
    Status(Status),
    /// To [`Ask::Time`]; `None` for a clock that shows no time.
    Time(Option<Timestamp>),
    /// To [`Ask::SetTime`]: its clock as it is now.
    TimeSet(Option<Timestamp>),
    /// To [`Ask::Open`].
    Opened(bool),
    /// To [`Ask::Put`].
    Put(bool),
    /// To [`Ask::Delete`].
    Deleted(bool),
    /// To [`Ask::Count`].
    Count(u32),
    /// To [`Ask::Card`]; `None` when it holds none.
    Card(Option<BoardEntry>),
    /// To [`Ask::CardAt`].
    CardAt(Slot),
    /// To [`Ask::Listener`].
    Listener(SocketAddrV4, u8),
    /// To [`Ask::SetListener`].
    ListenerSet(bool),
}

/// A place in a board's list of cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Beyond the last one.
    End,
    /// A card was here.
    Freed,
    /// A card.
    Held(BoardEntry),
}

/// How a board is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its clock, if that shows a time.
    pub clock: Option<Timestamp>,
    /// Which doors stand open.
    pub doors_open: [bool; DOORS as usize],
    /// Its own error number, 0 for none.
    pub error: u8,
    /// The last thing that happened, if anything ever did.
    pub last: Option<BoardEvent>,
}

/// Something that happened at a door of a board. Held in memory for a technician who asked to see it, never written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardEvent {
    /// Number in the board's own memory.
    pub index: u32,
    /// 1 a card or keypad, 2 a door, 3 an alarm.
    pub kind: u8,
    /// Whether it let in.
    pub granted: bool,
    /// Which door.
    pub door: u8,
    /// The card, if it was one.
    pub card: Option<BoardCard>,
    /// When, by the board's clock.
    pub at: Option<Timestamp>,
    /// The board's reason number.
    pub reason: u8,
}

/// Why a datagram is not an answer of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// Another length, first byte or function.
    #[error("not a datagram of a card board")]
    Malformed,
    /// It answers something else.
    #[error("the answer is to another question")]
    Other,
    /// From a board with another serial number.
    #[error("another board answered")]
    OtherBoard,
}

impl Ask {
    /// Sends events to nobody.
    pub const STOP_EVENTS: Self = Self::SetListener(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0), 0);

    /// The function's number.
    const fn function(&self) -> u8 {
        match self {
            Self::Find => FIND,
            Self::Status => STATUS,
            Self::Time => GET_TIME,
            Self::SetTime(_) => SET_TIME,
            Self::Open(_) => OPEN,
            Self::Put(_) => PUT_CARD,
            Self::Delete(_) => DELETE_CARD,
            Self::Count => COUNT_CARDS,
            Self::Card(_) => GET_CARD,
            Self::CardAt(_) => GET_CARD_AT,
            Self::Listener => GET_LISTENER,
            Self::SetListener(..) => SET_LISTENER,
        }
    }

    /// The datagram. Without a serial number every board takes [`Ask::Find`] as meant for it.
    pub fn encode(&self, serial: Option<BoardSerial>) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[0] = START;
        bytes[1] = self.function();
        put(&mut bytes, 4, &serial.map_or(0, BoardSerial::get).to_le_bytes());
        match self {
            Self::Find | Self::Status | Self::Time | Self::Count | Self::Listener => {}
            Self::SetTime(at) => {
                put(&mut bytes, 8, &bcd_day(Some(at.date())));
                put(&mut bytes, 12, &bcd_time(*at));
            }
            Self::Open(door) => bytes[8] = door.get(),
            Self::Put(entry) => {
                put(&mut bytes, 8, &entry.card.get().to_le_bytes());
                put(&mut bytes, 12, &bcd_day(entry.from));
                put(&mut bytes, 16, &bcd_day(entry.until));
                put(&mut bytes, 20, &entry.doors);
                put(&mut bytes, 24, entry.pin.to_le_bytes().get(..3).unwrap_or_default());
            }
            Self::Delete(card) | Self::Card(card) => put(&mut bytes, 8, &card.get().to_le_bytes()),
            Self::CardAt(index) => put(&mut bytes, 8, &index.to_le_bytes()),
            Self::SetListener(to, seconds) => {
                put(&mut bytes, 8, &to.ip().octets());
                put(&mut bytes, 12, &to.port().to_le_bytes());
                bytes[14] = *seconds;
            }
        }
        bytes
    }

    /// Reads a datagram as the answer to this question from this board (any board for `None`). Returns who answered.
    ///
    /// # Errors
    /// [`BoardError`]: it is none, and the wait goes on.
    pub fn answer(&self, from: Option<BoardSerial>, bytes: &[u8]) -> Result<(BoardSerial, Answer), BoardError> {
        let bytes: &[u8; LENGTH] = bytes.try_into().map_err(|_| BoardError::Malformed)?;
        if bytes[0] != START {
            return Err(BoardError::Malformed);
        }
        if bytes[1] != self.function() {
            return Err(BoardError::Other);
        }
        let serial = BoardSerial::new(number(bytes, 4)).ok_or(BoardError::Malformed)?;
        if from.is_some_and(|asked| asked != serial) {
            return Err(BoardError::OtherBoard);
        }
        let answer = match self {
            Self::Find => Answer::Found(u16::from_be_bytes([bytes[26], bytes[27]])),
            Self::Status => Answer::Status(status(bytes)),
            Self::Time => Answer::Time(instant(bytes, 8)),
            Self::SetTime(_) => Answer::TimeSet(instant(bytes, 8)),
            Self::Open(_) => Answer::Opened(bytes[8] == 1),
            Self::Put(_) => Answer::Put(bytes[8] == 1),
            Self::Delete(_) => Answer::Deleted(bytes[8] == 1),
            Self::Count => Answer::Count(number(bytes, 8)),
            Self::Card(card) => match number(bytes, 8) {
                0 | FREED => Answer::Card(None),
                answered if answered == card.get() => Answer::Card(Some(entry(bytes, *card))),
                // The answer to an earlier question came late.
                _ => return Err(BoardError::Other),
            },
            Self::CardAt(_) => Answer::CardAt(match number(bytes, 8) {
                0 => Slot::End,
                held => BoardCard::new(held).map_or(Slot::Freed, |card| Slot::Held(entry(bytes, card))),
            }),
            Self::Listener => {
                let ip = Ipv4Addr::new(bytes[8], bytes[9], bytes[10], bytes[11]);
                Answer::Listener(SocketAddrV4::new(ip, u16::from_le_bytes([bytes[12], bytes[13]])), bytes[14])
            }
            Self::SetListener(..) => Answer::ListenerSet(bytes[8] == 1),
        };
        Ok((serial, answer))
    }
}

/// Reads an event that a board sent by itself.
///
/// # Errors
/// [`BoardError::Malformed`].
pub fn event(bytes: &[u8]) -> Result<(BoardSerial, Option<BoardEvent>), BoardError> {
    let bytes: &[u8; LENGTH] = bytes.try_into().map_err(|_| BoardError::Malformed)?;
    if !matches!(bytes[0], START | START_OLD_EVENT) || bytes[1] != STATUS {
        return Err(BoardError::Malformed);
    }
    let serial = BoardSerial::new(number(bytes, 4)).ok_or(BoardError::Malformed)?;
    Ok((serial, happened(bytes)))
}

fn status(bytes: &[u8; LENGTH]) -> Status {
    // 20YYMMDD and hhmmss stand apart.
    let day = [0x20, bytes[51], bytes[52], bytes[53]];
    let clock = day_of(day).and_then(|day| time_of([bytes[37], bytes[38], bytes[39]]).map(|ms| at(day, ms)));
    let doors_open = [28, 29, 30, 31].map(|place: usize| bytes[place] != 0);
    Status { clock, doors_open, error: bytes[36], last: happened(bytes) }
}

fn happened(bytes: &[u8; LENGTH]) -> Option<BoardEvent> {
    let index = number(bytes, 8);
    (index != 0).then(|| BoardEvent {
        index,
        kind: bytes[12],
        granted: bytes[13] != 0,
        door: bytes[14],
        card: (bytes[12] == 1).then(|| BoardCard::new(number(bytes, 16))).flatten(),
        at: instant(bytes, 20),
        reason: bytes[27],
    })
}

fn entry(bytes: &[u8; LENGTH], card: BoardCard) -> BoardEntry {
    BoardEntry {
        card,
        from: day_of([bytes[12], bytes[13], bytes[14], bytes[15]]),
        until: day_of([bytes[16], bytes[17], bytes[18], bytes[19]]),
        doors: [bytes[20], bytes[21], bytes[22], bytes[23]],
        pin: u32::from_le_bytes([bytes[24], bytes[25], bytes[26], 0]),
    }
}

fn put(bytes: &mut [u8; LENGTH], place: usize, what: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(place).zip(what) {
        *to = *from;
    }
}

fn number(bytes: &[u8; LENGTH], place: usize) -> u32 {
    let mut le = [0; 4];
    for (to, from) in le.iter_mut().zip(bytes.iter().skip(place)) {
        *to = *from;
    }
    u32::from_le_bytes(le)
}

fn two(value: u8) -> Option<u8> {
    let (tens, ones) = (value >> 4, value & 15);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

fn bcd(value: u32) -> u8 {
    u8::try_from(((value / 10 % 10) << 4) | (value % 10)).unwrap_or(0)
}

fn bcd_day(day: Option<CivilDate>) -> [u8; 4] {
    let Some(day) = day else { return [0; 4] };
    // `2027-01-31`; a year that is no four digits is no day for a board.
    let digits: Vec<u32> = day.to_string().chars().filter_map(|c| c.to_digit(10)).collect();
    match digits[..] {
        [a, b, c, d, e, f, g, h] => [bcd(a * 10 + b), bcd(c * 10 + d), bcd(e * 10 + f), bcd(g * 10 + h)],
        _ => [0; 4],
    }
}

fn day_of(bytes: [u8; 4]) -> Option<CivilDate> {
    let [c, y, m, d] = bytes.map(two);
    CivilDate::parse(&format!("{:02}{:02}-{:02}-{:02}", c?, y?, m?, d?))
}

fn start_of(day: CivilDate) -> Timestamp {
    day.plus_days(-1).end()
}

fn at(day: CivilDate, ms: i64) -> Timestamp {
    start_of(day).plus_ms(ms)
}

fn bcd_time(instant: Timestamp) -> [u8; 3] {
    let second = u32::try_from(instant.since(start_of(instant.date())).rem_euclid(DAY_MS) / 1_000).unwrap_or(0);
    [bcd(second / 3_600), bcd(second / 60 % 60), bcd(second % 60)]
}

/// Milliseconds into the day.
fn time_of(bytes: [u8; 3]) -> Option<i64> {
    let [h, m, s] = bytes.map(two);
    let (h, m, s) = (i64::from(h?), i64::from(m?), i64::from(s?));
    (h < 24 && m < 60 && s < 60).then_some(((h * 60 + m) * 60 + s) * 1_000)
}

fn instant(bytes: &[u8; LENGTH], place: usize) -> Option<Timestamp> {
    let mut seven = [0; 7];
    for (to, from) in seven.iter_mut().zip(bytes.iter().skip(place)) {
        *to = *from;
    }
    let [a, b, c, d, h, m, s] = seven;
    let day = day_of([a, b, c, d])?;
    let at = at(day, time_of([h, m, s])?);
    // Further than our days reach (`CivilDate`) is no time.
    (at.date() == day).then_some(at)
}

impl Answer {
    /// Where events go, for the screen; `None` for nowhere or another answer.
    pub fn events_to(&self) -> Option<String> {
        match self {
            Self::Listener(to, _) if to.port() != 0 => Some(to.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
