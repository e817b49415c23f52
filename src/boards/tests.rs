//! The adapter against a socket that answers as a hostile or broken wire would. The board in software is asked in `tests/it/boards.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::mpsc;

use super::*;
use crate::domain::board::{BoardCard, BoardDoors, BoardEntry};
use crate::domain::time::CivilDate;

const LIMIT: Duration = Duration::from_millis(1_200);

fn serial(number: u32) -> BoardSerial {
    BoardSerial::new(number).unwrap()
}

fn card(number: u32) -> BoardCard {
    BoardCard::new(number).unwrap()
}

/// A good answer to a question about a card: it holds it.
fn holds(question: &[u8], number: u32) -> Vec<u8> {
    let day = CivilDate::parse("2027-01-31").unwrap();
    let entry = BoardEntry::of(card(number), day, BoardDoors::from_bits(1).unwrap());
    let mut bytes = Ask::Put(entry).encode(Some(serial(7))).to_vec();
    bytes[1] = question[1];
    bytes
}

/// Answers each datagram with what `say` makes of it, until the test is over. Gives back how many came.
fn wire(mut say: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static) -> (String, mpsc::Receiver<usize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let (came, counts) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        let mut count = 0;
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            count += 1;
            // Counted before it is answered: whoever has the answer finds the count.
            if came.send(count).is_err() {
                return;
            }
            for answer in say(count, &bytes[..length]) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    (address, counts)
}

fn ask(address: &str) -> Result<Answer, LinkError> {
    UdpBoards::new().ask(address, Some(serial(7)), &Ask::Card(card(42)), LIMIT).map(|(_, answer)| answer)
}

fn is_42(answer: Result<Answer, LinkError>) -> bool {
    matches!(answer, Ok(Answer::Card(Some(entry))) if entry.card == card(42))
}

#[test]
fn a_lost_question_or_answer_is_asked_again() {
    let (address, counts) = wire(|n, question| if n < 3 { vec![] } else { vec![holds(question, 42)] });
    assert!(is_42(ask(&address)));
    assert_eq!(counts.try_iter().last(), Some(3));
}

#[test]
fn repeated_late_and_odd_datagrams_are_passed_over() {
    let (address, _counts) = wire(|_, question| {
        let mut other_board = holds(question, 42);
        other_board[4] = 9;
        let mut other_start = holds(question, 42);
        other_start[0] = 0;
        let mut longer = holds(question, 42);
        longer.push(0);
        let mut put = holds(question, 42);
        put[1] = 0x50;
        let good = holds(question, 42);
        vec![vec![], vec![0x17; 3], longer, other_start, other_board, put, holds(question, 41), good.clone(), good]
    });
    for _ in 0..3 {
        assert!(is_42(ask(&address)), "each question has a socket of its own: no answer is taken for another");
    }
}

#[test]
fn somebody_else_on_the_wire_is_not_heard() {
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            // Right in every byte, from another port.
            let _ = stranger.send_to(&holds(&bytes[..length], 42), from);
        }
    });
    assert_eq!(ask(&address), Err(LinkError::Away));
}

#[test]
fn a_board_with_another_serial_number_is_said_to_be_one() {
    let (address, _counts) = wire(|_, question| {
        let mut other = holds(question, 42);
        other[4] = 9;
        vec![other]
    });
    assert_eq!(ask(&address), Err(LinkError::OtherBoard));
}

#[test]
fn a_flood_ends_the_question_in_time() {
    let (address, _counts) = wire(|_, _| vec![vec![0x17; 64]; 3_000]);
    let begun = Instant::now();
    assert_eq!(ask(&address), Err(LinkError::Away));
    assert!(begun.elapsed() < LIMIT + Duration::from_secs(2));
}

#[test]
fn p38_a_board_is_asked_on_the_lan_only() {
    for address in ["8.8.8.8:60000", "0.0.0.0:60000", "255.255.255.255:60000", "board:60000", "[::1]:60000", ""] {
        assert_eq!(ask(address), Err(LinkError::NotLan), "{address}");
    }
    let listened = BoardListener::at("8.8.8.8:60001".parse().unwrap(), serial(7));
    assert_eq!(listened.err(), Some(LinkError::NotLan));
}
