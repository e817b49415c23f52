//! A hostile LAN, against the real `menka-gate` as a process of its own. The desk's side is in `hostile/desk.rs`.

mod desk;
mod mutated;
mod sealed;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use menka::domain::Realm;
use menka::domain::id::SiteId;
use menka::lan::TlsLink;
use menka::ports::{GateLink, LinkError};
use menka::secret::random_bytes;
use menka::wire::frame::encode;
use menka::wire::keys::IdentityKeys;
use menka::wire::message::{Apply, Hello, Outcome, PROTOCOL, REVISION, Receipt, Refusal, Reply, Request, What};
use menka::wire::tls::{self, Peer};
use rustls::{ClientConnection, StreamOwned};

use crate::gate::{Daemon, Site, Wire};

const LIMIT: Duration = Duration::from_secs(10);

/// Most that a gate may grow under any of these, in MB.
const GROWTH_MB_MAX: f64 = 32.0;

fn apply(sequence: u64, what: What) -> Request {
    Request::Apply(Apply { op: random_bytes(), sequence, what })
}

fn days() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs() / 86_400).unwrap() + 30
}

fn receipt(reply: Option<Reply>) -> Receipt {
    let Some(Reply::Done(receipt)) = reply else { panic!("no receipt: {reply:?}") };
    receipt
}

/// Resident memory of the gate, in MB; 0 where the system does not say.
fn memory_mb(daemon: &Daemon) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn threads(daemon: &Daemon) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", daemon.child.id())).map_or(0, Iterator::count)
}

/// The gate runs, has not grown, and answers its station.
fn is_well(site: &Site, daemon: &mut Daemon, before_mb: f64, what: &str) {
    let gate = site.record(daemon);
    let asked = Instant::now();
    let answer = site.link().ask(&gate, &Request::Health, LIMIT);
    assert!(matches!(answer, Ok(Reply::Health(_))), "{what}: {answer:?}");
    let after_mb = memory_mb(daemon);
    println!(
        "{what}: gate memory MB: {before_mb:.1} -> {after_mb:.1}, next answer ms: {}",
        asked.elapsed().as_millis()
    );
    assert!(after_mb - before_mb < GROWTH_MB_MAX, "{what}: {before_mb} -> {after_mb} MB");
    assert!(daemon.is_running());
}

/// Passes everything on to the gate and keeps what the station sent.
fn recorder(gate: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Arc::new(Mutex::new(vec![]));
    let keep = Arc::clone(&sent);
    std::thread::spawn(move || {
        let Ok((mut station, _)) = listener.accept() else { return };
        let mut to_gate = TcpStream::connect(gate).unwrap();
        let (mut from_gate, mut back) = (to_gate.try_clone().unwrap(), station.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from_gate, &mut back));
        let mut bytes = [0u8; 4096];
        while let Ok(length @ 1..) = station.read(&mut bytes) {
            keep.lock().unwrap().extend_from_slice(&bytes[..length]);
            if to_gate.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
    });
    (address, sent)
}

#[test]
fn a_replay_on_the_wire_changes_nothing_and_a_replayed_operation_gets_its_receipt() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    let (address, sent) = recorder(daemon.address);
    let mut gate = site.record(&daemon);
    gate.address = address.to_string();
    let card = vec![1, 2, 3, 4];
    let put = apply(1, What::PutCard(card.clone(), days()));
    let mut link = site.link();
    let Ok(Reply::Done(first)) = link.ask(&gate, &put, LIMIT) else { panic!("no receipt") };
    gate.address = daemon.address.to_string();
    let mut link = site.link();
    let remove = link.ask(&gate, &apply(2, What::RemoveCard(card.clone())), LIMIT);
    assert!(matches!(remove, Ok(Reply::Done(_))));

    // What went over the wire, byte for byte, to the gate itself: another handshake, so nothing of it is understood.
    let bytes = sent.lock().unwrap().clone();
    assert!(bytes.len() > 500, "{}", bytes.len());
    for _ in 0..20 {
        let mut replay = TcpStream::connect(daemon.address).unwrap();
        replay.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let _ = replay.write_all(&bytes);
        let mut answer = vec![];
        let _ = replay.read_to_end(&mut answer);
    }
    assert_eq!(link.ask(&gate, &Request::TestCard(card.clone()), LIMIT), Ok(Reply::CardTested(false)));
    // The operation again, by the station itself: the identical receipt, and the card stays out.
    assert_eq!(link.ask(&gate, &put, LIMIT), Ok(Reply::Done(first)));
    assert_eq!(link.ask(&gate, &Request::TestCard(card), LIMIT), Ok(Reply::CardTested(false)));
    // The same operation id for something else.
    let Request::Apply(Apply { op, .. }) = put else { unreachable!() };
    let other = Request::Apply(Apply { op, sequence: 3, what: What::EraseFace([9; 16]) });
    assert_eq!(link.ask(&gate, &other, LIMIT), Ok(Reply::Refused(Refusal::Spent)));
    is_well(&site, &mut daemon, before, "replay");
}

#[test]
fn a_stale_sequence_changes_nothing() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    let mut wire = Wire::greeted(&site, &daemon);
    let card = vec![1, 2, 3, 4];
    let mut done = |request: Request| receipt(wire.say(&encode(&request))).outcome;
    assert_eq!(done(apply(5, What::PutCard(card.clone(), days()))), Outcome::CardStored);
    assert_eq!(done(apply(9, What::RemoveCard(card.clone()))), Outcome::CardRemoved);
    assert_eq!(done(apply(7, What::PutCard(card.clone(), days()))), Outcome::CardRemoved, "what holds is attested");
    assert_eq!(done(apply(20, What::StopFaces)), Outcome::FacesStopped);
    assert_eq!(done(apply(19, What::ResumeFaces)), Outcome::FacesStopped);
    assert_eq!(wire.say(&encode(&Request::TestCard(card))), Some(Reply::CardTested(false)));
    is_well(&site, &mut daemon, before, "stale sequence");
}

#[test]
fn an_unpaired_client_is_not_heard() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    let gate = site.record(&daemon);
    for _ in 0..50 {
        let keys = Arc::new(IdentityKeys::make(Realm::Practice).unwrap());
        let mut stranger = TlsLink::new(keys, SiteId::from_bytes([1; 16]));
        let card = apply(1, What::PutCard(vec![1, 2, 3, 4], days()));
        assert_eq!(stranger.ask(&gate, &card, LIMIT), Err(LinkError::NotPaired));
    }
    let mut link = site.link();
    assert_eq!(link.ask(&gate, &Request::TestCard(vec![1, 2, 3, 4]), LIMIT), Ok(Reply::CardTested(false)));
    is_well(&site, &mut daemon, before, "unpaired client");
}

/// A ClientHello of TLS 1.2: no `supported_versions`.
fn tls12_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    // signature_algorithms, supported_groups
    let extensions = [0, 13, 0, 6, 0, 4, 8, 7, 4, 3, 0, 10, 0, 4, 0, 2, 0, 29];
    body.extend_from_slice(&u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend_from_slice(&extensions);
    let mut handshake = vec![1, 0];
    handshake.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    handshake.extend_from_slice(&body);
    let mut record = vec![22, 3, 1];
    record.extend_from_slice(&u16::try_from(handshake.len()).unwrap().to_be_bytes());
    record.extend_from_slice(&handshake);
    record
}

#[test]
fn a_downgrade_is_refused_on_every_level() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    // TLS 1.2: a fatal alert (protocol_version is 70), and the end.
    let mut old = TcpStream::connect(daemon.address).unwrap();
    old.set_read_timeout(Some(LIMIT)).unwrap();
    old.write_all(&tls12_hello()).unwrap();
    let mut answer = vec![];
    let _ = old.read_to_end(&mut answer);
    assert_eq!((answer.first(), answer.get(5..7)), (Some(&21), Some(&[2, 70][..])), "{answer:?}");

    // Another protocol name, or none, under the paired station's own key.
    for names in [vec![b"menka/0".to_vec()], vec![b"http/1.1".to_vec()], vec![b"menka/1".to_vec()], vec![]] {
        let mut config = Arc::unwrap_or_clone(tls::client_config(&site.keys, Peer::Anybody).unwrap());
        config.alpn_protocols = names.clone();
        let session = ClientConnection::new(Arc::new(config), tls::server_name().unwrap()).unwrap();
        let socket = TcpStream::connect(daemon.address).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let mut stream = StreamOwned::new(session, socket);
        let body = encode(&Request::Hello(Wire::hello(&site)));
        let _ = stream.write_all(&u32::try_from(body.len()).unwrap().to_be_bytes());
        let _ = stream.write_all(&body).and_then(|()| stream.flush());
        let mut answer = vec![];
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{names:?}: {answer:?}");
    }

    // An earlier and a later protocol version inside a sound connection: refused, and the connection goes on.
    let mut wire = Wire::open(&site, &daemon);
    for protocol in [0, PROTOCOL + 1, u16::MAX] {
        let hello = Hello { protocol, ..Wire::hello(&site) };
        assert_eq!(wire.say(&encode(&Request::Hello(hello))), Some(Reply::Refused(Refusal::Version)));
        assert_eq!(wire.say(&encode(&Request::Health)), Some(Reply::Refused(Refusal::Malformed)), "nothing was agreed");
    }
    assert!(matches!(wire.say(&encode(&Request::Hello(Wire::hello(&site)))), Some(Reply::Hello(_))));
    is_well(&site, &mut daemon, before, "downgrade");
}

#[test]
fn a_station_of_an_earlier_or_later_revision_talks_to_this_gate() {
    let site = Site::new(Realm::Practice);
    let daemon = site.run();
    let earlier = encode(&Request::Hello(Hello { revision: None, ..Wire::hello(&site) }));
    let later = Hello { revision: Some(REVISION + 96), ..Wire::hello(&site) };
    // A field that nobody knows yet, at the end of the structure.
    let mut longer = encode(&Request::Hello(later.clone()));
    assert_eq!(longer[3], 0x88, "eight fields");
    longer[3] = 0x89;
    longer.push(0x01);
    for hello in [earlier, encode(&Request::Hello(later)), longer] {
        let mut wire = Wire::open(&site, &daemon);
        let Some(Reply::Hello(said)) = wire.say(&hello) else { panic!("no hello") };
        assert_eq!((said.protocol, said.revision), (PROTOCOL, Some(REVISION)));
        assert!(matches!(wire.say(&encode(&Request::Health)), Some(Reply::Health(_))));
        // A request of the later revision is refused cleanly.
        assert_eq!(wire.say(&[0x82, 0x18, 0x63, 0x80]), Some(Reply::Refused(Refusal::Malformed)));
        assert!(matches!(wire.say(&encode(&Request::Health)), Some(Reply::Health(_))));
    }
}

#[test]
fn a_thousand_idle_connections_do_not_shut_the_station_out() {
    // As many descriptors as this needs; where that is not allowed the next line says so.
    let me = std::process::id().to_string();
    let _ = std::process::Command::new("prlimit").args(["--pid", &me, "--nofile=8192:8192"]).status();
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    let gate = site.record(&daemon);
    let mut link = site.link();
    link.ask(&gate, &Request::Health, LIMIT).unwrap();
    let mut idle = vec![];
    let mut slowest = Duration::ZERO;
    for n in 0..1_000 {
        idle.push(TcpStream::connect(daemon.address).expect("a descriptor for each"));
        if n % 50 == 0 {
            let asked = Instant::now();
            assert!(matches!(link.ask(&gate, &Request::Health, LIMIT), Ok(Reply::Health(_))), "with {n} idle ones");
            slowest = slowest.max(asked.elapsed());
        }
    }
    println!(
        "idle connections: {}, slowest answer ms: {}, threads: {}",
        idle.len(),
        slowest.as_millis(),
        threads(&daemon)
    );
    // Those that were shown out end by themselves; on a busy machine a moment later.
    let since = Instant::now();
    while threads(&daemon) >= 40 && since.elapsed() < LIMIT {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(threads(&daemon) < 40, "{}", threads(&daemon));
    is_well(&site, &mut daemon, before, "1,000 idle connections");
}

#[test]
fn a_length_of_four_gigabytes_reserves_nothing() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    for _ in 0..50 {
        let mut wire = Wire::greeted(&site, &daemon);
        wire.write(&[0xff, 0xff, 0xff, 0xff]);
        assert_eq!(wire.reply(), Some(Reply::Refused(Refusal::Malformed)));
        assert_eq!(wire.reply(), None, "and the connection is closed");
        // The most that is allowed, claimed and not sent.
        let mut wire = Wire::greeted(&site, &daemon);
        wire.write(&[0, 4, 0, 0, 1, 2, 3]);
        // Without TLS.
        let mut raw = TcpStream::connect(daemon.address).unwrap();
        let _ = raw.write_all(&[0xff; 64]);
    }
    is_well(&site, &mut daemon, before, "4 GiB length header");
}

#[test]
fn whoever_sends_a_byte_now_and_then_is_cut_off_and_keeps_nobody_out() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let before = memory_mb(&daemon);
    let gate = site.record(&daemon);
    let mut link = site.link();
    let hello = tls12_hello();
    let mut slow: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(daemon.address).unwrap()).collect();
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    // A byte of a handshake each quarter of a second, on eight connections: as many as the gate has.
    for byte in hello.iter().cycle().take(28) {
        for socket in &mut slow {
            let _ = socket.write_all(std::slice::from_ref(byte));
        }
        let asked = Instant::now();
        assert!(matches!(link.ask(&gate, &Request::Health, LIMIT), Ok(Reply::Health(_))));
        slowest = slowest.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(250));
    }
    assert!(started.elapsed() > Duration::from_secs(6));
    for socket in &mut slow {
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let ended = matches!(socket.read(&mut [0u8; 64]), Ok(0) | Err(_));
        assert!(ended, "cut off after five seconds");
    }
    println!("slow senders: 8, slowest answer to the station ms: {}", slowest.as_millis());
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    is_well(&site, &mut daemon, before, "slow-loris");
}
