//! Datagrams byte for byte (written by hand from the field table), and what is not one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use super::*;
use crate::domain::board::BoardDoors;

const SERIAL: BoardSerial = match BoardSerial::new(405_419_896) {
    Some(serial) => serial,
    None => unreachable!(),
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn bytes(text: &str) -> [u8; LENGTH] {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    let mut out = [0; LENGTH];
    for (to, pair) in out.iter_mut().zip(digits.chunks(2)) {
        *to = u8::try_from(pair[0] << 4 | pair[1]).unwrap();
    }
    out
}

fn day(text: &str) -> CivilDate {
    CivilDate::parse(text).unwrap()
}

fn sample() -> BoardEntry {
    let card = BoardCard::new(10_058_400).unwrap();
    BoardEntry::of(card, day("2027-12-31"), BoardDoors::from_bits(0b0101).unwrap())
}

/// 2026-11-22 13:07:09 in China.
const NOON: Timestamp = Timestamp::from_ms(1_795_324_029_000);

#[test]
fn questions_are_the_documented_bytes() {
    let ask = |ask: Ask, length: usize| hex(&ask.encode(Some(SERIAL))[..length]);
    // 405419896 is 0x182a3778.
    assert_eq!(ask(Ask::Status, 8), "1720000078372a18");
    assert_eq!(ask(Ask::Put(sample()), 28), "1750000078372a18a07a990020200101202712310100010000000000");
    assert_eq!(ask(Ask::SetTime(NOON), 16), "1730000078372a182026112213070900");
    assert_eq!(ask(Ask::Open(DoorNumber::new(3).unwrap()), 10), "1740000078372a180300");
    assert_eq!(ask(Ask::Delete(sample().card), 12), "1752000078372a18a07a9900");
    assert_eq!(ask(Ask::CardAt(258), 12), "175c000078372a1802010000");
    let to = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 100), 60_001);
    assert_eq!(ask(Ask::SetListener(to, 15), 16), "1790000078372a18c0a8016461ea0f00");
    assert_eq!(hex(&Ask::Find.encode(None)[..8]), "1794000000000000");
    for ask in [Ask::Time, Ask::Count, Ask::Listener] {
        assert!(ask.encode(Some(SERIAL))[8..].iter().all(|b| *b == 0));
    }
}

#[test]
fn answers_are_read_from_their_places() {
    let read = |ask: Ask, text: &str| ask.answer(Some(SERIAL), &bytes(text)).map(|(_, answer)| answer);
    let put = bytes("1750000078372a18a07a990020200101202712310100010000000000");
    let as_card = |function: u8| {
        let mut bytes = put;
        bytes[1] = function;
        hex(&bytes)
    };
    assert_eq!(read(Ask::Card(sample().card), &as_card(0x5A)), Ok(Answer::Card(Some(sample()))));
    assert_eq!(read(Ask::CardAt(1), &as_card(0x5C)), Ok(Answer::CardAt(Slot::Held(sample()))));
    assert_eq!(read(Ask::CardAt(1), "175c000078372a18ffffffff"), Ok(Answer::CardAt(Slot::Freed)));
    assert_eq!(read(Ask::CardAt(9), "175c000078372a1800000000"), Ok(Answer::CardAt(Slot::End)));
    assert_eq!(read(Ask::Card(sample().card), "175a000078372a18"), Ok(Answer::Card(None)));
    assert_eq!(read(Ask::Time, "1732000078372a1820261122130709"), Ok(Answer::Time(Some(NOON))));
    assert_eq!(read(Ask::Time, "1732000078372a1820261322130709"), Ok(Answer::Time(None)), "month 13");
    assert_eq!(read(Ask::Time, "1732000078372a18202611221a0709"), Ok(Answer::Time(None)), "no digit");
    assert_eq!(read(Ask::Count, "1758000078372a1802010000"), Ok(Answer::Count(258)));
    assert_eq!(read(Ask::Put(sample()), "1750000078372a1801"), Ok(Answer::Put(true)));
    assert_eq!(read(Ask::Put(sample()), "1750000078372a1800"), Ok(Answer::Put(false)));
    assert_eq!(read(Ask::Find, &format!("1794000078372a18{}0892", "00".repeat(18))), Ok(Answer::Found(0x0892)));
    let to = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 100), 60_001);
    assert_eq!(read(Ask::Listener, "1792000078372a18c0a8016461ea0f"), Ok(Answer::Listener(to, 15)));
}

#[test]
fn a_status_and_an_event_say_who_passed_and_when() {
    // Index 78, a card, granted, door 3, direction 1, card 10058400, 2026-11-22 13:07:09, reason 1; doors 1 and 3 open; clock 13:07:10.
    let mut raw = bytes("1720000078372a184e00000001010301a07a9900202611221307090101000100");
    raw[37..40].copy_from_slice(&[0x13, 0x07, 0x10]);
    raw[51..54].copy_from_slice(&[0x26, 0x11, 0x22]);
    let Ok((_, Answer::Status(status))) = Ask::Status.answer(Some(SERIAL), &raw) else { panic!("no status") };
    assert_eq!(status.clock, Some(NOON.plus_ms(1_000)));
    assert_eq!(status.doors_open, [true, false, true, false]);
    let last = status.last.unwrap();
    assert_eq!((last.index, last.kind, last.granted, last.door, last.reason), (78, 1, true, 3, 1));
    assert_eq!((last.card, last.at), (BoardCard::new(10_058_400), Some(NOON)));
    raw[0] = 0x19;
    assert_eq!(event(&raw), Ok((SERIAL, Some(last))), "firmware 6.62");
    assert_eq!(Ask::Status.answer(Some(SERIAL), &raw), Err(BoardError::Malformed), "but only for events");
    raw[8..12].fill(0);
    assert_eq!(event(&raw), Ok((SERIAL, None)), "nothing ever happened");
    assert!(!format!("{last:?}").contains("10058400"), "a card number is not printed");
}

#[test]
fn what_answers_something_else_or_is_from_elsewhere_is_not_taken() {
    let ask = Ask::Card(sample().card);
    let good = bytes("175a000078372a18a07a9900202001012027123101000100");
    assert!(ask.answer(Some(SERIAL), &good).is_ok());
    for length in [0, 1, 8, 63, 65, 128] {
        let mut cut = good.to_vec();
        cut.resize(length, 0);
        assert_eq!(ask.answer(Some(SERIAL), &cut), Err(BoardError::Malformed), "{length}");
    }
    let mut other = good;
    other[0] = 0x18;
    assert_eq!(ask.answer(Some(SERIAL), &other), Err(BoardError::Malformed));
    let mut other = good;
    other[1] = 0x5C;
    assert_eq!(ask.answer(Some(SERIAL), &other), Err(BoardError::Other));
    let mut other = good;
    other[4] ^= 1;
    assert_eq!(ask.answer(Some(SERIAL), &other), Err(BoardError::OtherBoard));
    assert!(ask.answer(None, &other).is_ok(), "whoever is there");
    other[4..8].fill(0);
    assert_eq!(ask.answer(None, &other), Err(BoardError::Malformed), "nobody has the number 0");
    let mut late = good;
    late[8] ^= 1;
    assert_eq!(ask.answer(Some(SERIAL), &late), Err(BoardError::Other), "another card's answer");
}

/// Found by fuzzing: a day so far away that it was read as another one.
#[test]
fn a_clock_further_than_our_days_reach_shows_no_time() {
    let serial = BoardSerial::new(405_419_896).unwrap();
    let mut bytes = Ask::Time.encode(Some(serial));
    bytes[8..15].copy_from_slice(&[0x99, 0x20, 0x01, 0x01, 0x20, 0x27, 0x12]);
    assert_eq!(Ask::Time.answer(Some(serial), &bytes), Ok((serial, Answer::Time(None))));
    bytes[8] = 0x20;
    assert!(matches!(Ask::Time.answer(Some(serial), &bytes), Ok((_, Answer::Time(Some(_))))));
}
