//! What the desk and a gate read from a card board's address: anybody on that wire can send it.
#![no_main]

use std::net::SocketAddrV4;

use libfuzzer_sys::fuzz_target;
use menka::domain::board::{BoardCard, BoardDoors, BoardEntry, BoardSerial, DoorNumber};
use menka::domain::time::{CivilDate, Timestamp};
use menka::wire::board::{Answer, Ask, Slot, event};
use menka_fuzz::{room_for, within};

fuzz_target!(|bytes: &[u8]| {
    let (Some(serial), Some(card)) = (BoardSerial::new(405_419_896), BoardCard::new(10_058_400)) else { return };
    let Some(door) = DoorNumber::new(2) else { return };
    let Some(doors) = BoardDoors::from_bits(0b1001) else { return };
    let entry = BoardEntry::of(card, CivilDate::from_epoch_days(21_000), doors);
    let asked = [
        Ask::Find,
        Ask::Status,
        Ask::Time,
        Ask::SetTime(Timestamp::from_ms(1_795_324_029_000)),
        Ask::Delete(card),
        Ask::Count,
        Ask::Card(card),
        Ask::CardAt(1),
        Ask::Listener,
        Ask::Put(entry),
        Ask::Open(door),
        Ask::SetListener(SocketAddrV4::new([192, 168, 1, 9].into(), 60_001), 0),
    ];
    within(room_for(bytes), || {
        for ask in asked {
            match ask.answer(Some(serial), bytes) {
                Ok((from, answer)) => {
                    assert_eq!(from, serial);
                    // What was read can be written and is read the same again.
                    if let Answer::Card(Some(entry)) | Answer::CardAt(Slot::Held(entry)) = answer {
                        let mut again = Ask::Put(entry).encode(Some(serial));
                        again[1] = bytes[1];
                        assert_eq!(ask.answer(Some(serial), &again), Ok((serial, answer)));
                    }
                    if let Answer::Time(Some(at)) = answer {
                        let mut again = Ask::SetTime(at).encode(Some(serial));
                        again[1] = bytes[1];
                        assert_eq!(ask.answer(Some(serial), &again), Ok((serial, answer)));
                    }
                }
                Err(_) => drop(ask.answer(None, bytes)),
            }
        }
        let _ = event(bytes);
    });
});
