//! The reader of cards against the real smart card service (`pcscd`), with a virtual reader (`vpcd`) and a virtual card in it.
//!
//! One test for all, because there is one service a machine. Needs root (the service's socket) and the packages pcscd and vsmartcard-vpcd.
#![cfg(all(feature = "cards", target_os = "linux"))]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use menka::cards::PcscReader;
use menka::ports::{CardReader, ReaderError};

#[test]
fn cards_come_and_go_on_a_real_smart_card_service_that_comes_and_goes() {
    if let Some(reason) = cannot_run() {
        assert!(std::env::var_os("MENKA_REQUIRE_DEVICES").is_none(), "devices are required: {reason}");
        println!("skipped: {reason}");
        return;
    }
    let mut reader = PcscReader::new();
    wait_for(&mut reader, "the service is not there yet", |answer| *answer == Err(ReaderError::ServiceDown));

    let service = Service::start();
    wait_for(&mut reader, "an empty reader", |answer| *answer == Ok(None));

    let card = VirtualCard::lay(&[0xDE, 0xAD, 0xBE, 0xEF], Manner::Honest);
    wait_for(&mut reader, "the card's number", |answer| has_number(answer, &[0xDE, 0xAD, 0xBE, 0xEF]));
    stays_for(&mut reader, Duration::from_millis(700), |answer| has_number(answer, &[0xDE, 0xAD, 0xBE, 0xEF]));
    card.take_away();
    wait_for(&mut reader, "the card is gone", |answer| *answer == Ok(None));

    let again = VirtualCard::lay(&[0xDE, 0xAD, 0xBE, 0xEF], Manner::Honest);
    wait_for(&mut reader, "the same card a second time", |answer| has_number(answer, &[0xDE, 0xAD, 0xBE, 0xEF]));
    again.take_away();
    wait_for(&mut reader, "gone again", |answer| *answer == Ok(None));

    let seven = [0x04, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66];
    let other = VirtualCard::lay(&seven, Manner::Honest);
    wait_for(&mut reader, "a seven-byte number", |answer| has_number(answer, &seven));
    other.take_away();
    wait_for(&mut reader, "gone a third time", |answer| *answer == Ok(None));

    let hasty = VirtualCard::lay(&[1, 2, 3, 4], Manner::LeavesWhenAsked);
    wait_for(&mut reader, "pulled while it was read", |answer| *answer == Err(ReaderError::CardPulled));
    hasty.take_away();
    wait_for(&mut reader, "and then nothing", |answer| *answer == Ok(None));

    let silent = VirtualCard::lay(&[1, 2, 3, 4], Manner::Refuses);
    wait_for(&mut reader, "a card without a number", |answer| *answer == Err(ReaderError::Unreadable));
    silent.take_away();
    wait_for(&mut reader, "the refusing card is gone", |answer| *answer == Ok(None));

    let phone = VirtualCard::lay(&[0x08, 2, 3, 4], Manner::Honest);
    wait_for(&mut reader, "a random number is no card", |answer| *answer == Err(ReaderError::Unreadable));
    phone.take_away();

    drop(service);
    wait_for(&mut reader, "the service was killed", |answer| *answer == Err(ReaderError::ServiceDown));
    let service = Service::start();
    let back = VirtualCard::lay(&[0xCA, 0xFE, 0xBA, 0xBE], Manner::Honest);
    wait_for(&mut reader, "a card after the restart", |answer| has_number(answer, &[0xCA, 0xFE, 0xBA, 0xBE]));
    back.take_away();
    a_gate_reads_it(&[0xCA, 0xFE, 0xBA, 0xBE]);
    drop(service);
}

/// A gate process with a reader of its own opens its door for a card that is laid there, once, and again when it comes back.
fn a_gate_reads_it(number: &[u8]) {
    use menka::ports::GateLink;

    let site = crate::gate::Site::new(menka::domain::Realm::Real);
    let door = crate::gate_devices::CountingDoor::new(&site.data());
    std::fs::write(site.data().join("gate.toml"), door.file() + "[reader]\nkind = \"pcsc\"\n").unwrap();
    let daemon = site.run_with(&[]);
    site.link()
        .ask(&site.record(&daemon), &crate::gate::put_card(number), Duration::from_secs(10))
        .expect("a card is put");
    let (first, long) = (VirtualCard::lay(number, Manner::Honest), Duration::from_secs(10));
    door.wait(1, long, "the card opens");
    door.stays(1, Duration::from_secs(3), "once, however long it lies there");
    first.take_away();
    std::thread::sleep(Duration::from_millis(2_500));
    let other = VirtualCard::lay(&[1, 2, 3, 5], Manner::Honest);
    door.stays(1, Duration::from_secs(2), "another card does not");
    other.take_away();
    let again = VirtualCard::lay(number, Manner::Honest);
    door.wait(2, long, "the card again");
    again.take_away();
    let said = String::from_utf8_lossy(&site.gate(&["status"]).stdout).into_owned();
    assert!(said.contains("openings recorded: 2") && said.contains("card seen to open: yes"), "{said}");
}

type Answer = Result<Option<menka::domain::card::CardUid>, ReaderError>;

fn has_number(answer: &Answer, number: &[u8]) -> bool {
    matches!(answer, Ok(Some(uid)) if uid.bytes() == number)
}

/// Asks as the desk does, every 33 ms, and checks the port's promise of 50 ms each time.
fn ask(reader: &mut PcscReader) -> Answer {
    std::thread::sleep(Duration::from_millis(33));
    // A busy machine may take the processor away once; a reader that blocks is slow every time.
    for _ in 0..3 {
        let start = Instant::now();
        let answer = reader.present();
        if start.elapsed() < Duration::from_millis(50) {
            return answer;
        }
    }
    panic!("present() blocks");
}

fn wait_for(reader: &mut PcscReader, what: &str, wanted: impl Fn(&Answer) -> bool) {
    let start = Instant::now();
    loop {
        let answer = ask(reader);
        if wanted(&answer) {
            println!("{what}: after {} ms", start.elapsed().as_millis());
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{what}: still {answer:?} after ten seconds");
    }
}

fn stays_for(reader: &mut PcscReader, time: Duration, wanted: impl Fn(&Answer) -> bool) {
    let start = Instant::now();
    while start.elapsed() < time {
        let answer = ask(reader);
        assert!(wanted(&answer), "changed to {answer:?}");
    }
}

/// Why this machine cannot run the test.
fn cannot_run() -> Option<&'static str> {
    if !Path::new(SERVICE).exists() {
        return Some("pcscd is not installed");
    }
    if !Path::new(READER_CONFIG).exists() {
        return Some("the virtual reader (vsmartcard-vpcd) is not installed");
    }
    if std::os::unix::net::UnixStream::connect(SOCKET).is_ok() {
        return Some("a smart card service is already running here, and it is not ours to stop");
    }
    if std::fs::create_dir_all("/run/pcscd").and_then(|()| std::fs::write("/run/pcscd/menka-test", "")).is_err() {
        return Some("this account may not start a smart card service");
    }
    let _ = std::fs::remove_file("/run/pcscd/menka-test");
    None
}

/// `pcscd` in the foreground, ended with the test.
struct Service(Child);

impl Service {
    fn start() -> Self {
        let _ = std::fs::remove_file(SOCKET);
        let _ = std::fs::remove_file("/run/pcscd/pcscd.pid");
        let child = Command::new(SERVICE)
            .arg("--foreground")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pcscd starts");
        Self(child)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = std::fs::remove_file(SOCKET);
        let _ = std::fs::remove_file("/run/pcscd/pcscd.pid");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Honest,
    /// Leaves the field at the moment of the question.
    LeavesWhenAsked,
    /// Answers every command with "not supported".
    Refuses,
}

/// A card in the field of the virtual reader: speaks vpcd's framing (length, payload) over TCP.
struct VirtualCard {
    socket: TcpStream,
    thread: JoinHandle<()>,
}

impl VirtualCard {
    fn lay(uid: &[u8], manner: Manner) -> Self {
        let start = Instant::now();
        let socket = loop {
            match TcpStream::connect(VPCD) {
                Ok(socket) => break socket,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(10), "no virtual reader: {error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let (inside, uid) = (socket.try_clone().expect("a second handle"), uid.to_vec());
        let thread = std::thread::spawn(move || serve(inside, &uid, manner));
        Self { socket, thread }
    }

    fn take_away(self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        self.thread.join().expect("the card ends quietly");
    }
}

fn serve(mut socket: TcpStream, uid: &[u8], manner: Manner) {
    let mut length = [0u8; 2];
    while socket.read_exact(&mut length).is_ok() {
        let mut message = vec![0u8; usize::from(u16::from_be_bytes(length))];
        if socket.read_exact(&mut message).is_err() {
            return;
        }
        let answer = match message.as_slice() {
            [0..=2] => continue,
            [4] => ATR.to_vec(),
            _ if manner == Manner::LeavesWhenAsked => {
                let _ = socket.shutdown(Shutdown::Both);
                return;
            }
            [0xFF, 0xCA, 0, 0, ..] if manner == Manner::Honest => [uid, &[0x90, 0x00]].concat(),
            _ => vec![0x6D, 0x00],
        };
        let framed = [&(answer.len() as u16).to_be_bytes()[..], &answer].concat();
        if socket.write_all(&framed).is_err() {
            return;
        }
    }
}

const SERVICE: &str = "/usr/sbin/pcscd";
const SOCKET: &str = "/run/pcscd/pcscd.comm";
const READER_CONFIG: &str = "/etc/reader.conf.d/vpcd";
const VPCD: &str = "127.0.0.1:35963";
/// What a reader says of a MIFARE Classic 1K.
const ATR: [u8; 20] = [0x3B, 0x8F, 0x80, 1, 0x80, 0x4F, 0x0C, 0xA0, 0, 0, 3, 6, 3, 0, 1, 0, 0, 0, 0, 0x6A];
