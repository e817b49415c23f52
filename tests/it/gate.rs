//! The real `menka-gate` as a second process, asked through the station's real link over TLS on the loopback.
//! Tests that seal a face need a consent and live in `src/gate/tests`.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use menka::domain::Realm;
use menka::domain::gate::GateRecord;
use menka::domain::id::{GateId, SiteId};
use menka::domain::time::{CivilDate, Timestamp};
use menka::lan::TlsLink;
use menka::ports::{GateLink, LinkError, PairError};
use menka::practice::site::ShownCode;
use menka::secret::{PairingCode, random_bytes};
use menka::wire::frame::{decode, encode, read_body};
use menka::wire::keys::{IdentityKeys, fingerprint_text, parse_fingerprint};
use menka::wire::message::{
    Apply, FRAME_MAX, Hello, Outcome, PROTOCOL, Probe, PutFace, REPLY_MAX, REVISION, Receipt, Refusal, Reply, Request,
    What,
};
use menka::wire::tls::{self, Peer};
use rustls::{ClientConnection, StreamOwned};

const LIMIT: Duration = Duration::from_secs(10);

/// A gate's folder and the station that it was paired with.
pub struct Site {
    folder: tempfile::TempDir,
    pub realm: Realm,
    pub keys: Arc<IdentityKeys>,
    pin: [u8; 32],
    met: RefCell<Option<Hello>>,
}

pub struct Daemon {
    pub child: Child,
    pub address: SocketAddr,
}

impl Site {
    pub fn new(realm: Realm) -> Self {
        let site = Self::unpaired(realm);
        let daemon = site.run();
        site.pair(&daemon);
        site
    }

    pub fn unpaired(realm: Realm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(IdentityKeys::make(realm).unwrap());
        let mut site = Self { folder, realm, keys, pin: [0; 32], met: RefCell::new(None) };
        let init = site.gate(&["init"]);
        assert!(init.status.success(), "{init:?}");
        site.pin = parse_fingerprint(&text(&init.stdout)).expect("init prints the fingerprint");
        site
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("gate")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_menka-gate"));
        command.args(arguments).arg("--data").arg(self.data()).args(["--realm", self.realm.label()]);
        command
    }

    pub fn gate(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// As [`Self::gate`], with something typed.
    pub fn gate_typing(&self, arguments: &[&str], typed: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), typed.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    pub fn run(&self) -> Daemon {
        self.run_on("127.0.0.1:0")
    }

    /// As [`Self::run`], with its log in a file.
    pub fn run_logging(&self, log: std::fs::File) -> Daemon {
        self.start("127.0.0.1:0", log.into())
    }

    fn run_on(&self, listen: &str) -> Daemon {
        self.start(listen, Stdio::null())
    }

    /// As [`Self::run`], with more options.
    pub fn run_with(&self, more: &[&str]) -> Daemon {
        self.start_with("127.0.0.1:0", Stdio::null(), more)
    }

    fn start(&self, listen: &str, log: Stdio) -> Daemon {
        self.start_with(listen, log, &[])
    }

    fn start_with(&self, listen: &str, log: Stdio, more: &[&str]) -> Daemon {
        let mut child = self
            .command(&["run", "--listen", listen, "--until-stdin-closes"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening: ").expect("the daemon says where it listens");
        Daemon { address: address.parse().unwrap(), child }
    }

    pub fn link(&self) -> TlsLink {
        TlsLink::new(self.keys.clone(), SiteId::from_bytes([0x51; 16]))
    }

    pub fn show_code(&self) -> ShownCode {
        ShownCode::at(Path::new(env!("CARGO_BIN_EXE_menka-gate")), &self.data(), self.realm).unwrap()
    }

    /// Pairs as the desk does, by the code on the gate's console.
    pub fn pair(&self, daemon: &Daemon) {
        let shown = self.show_code();
        let code = PairingCode::parse(&shown.code).unwrap();
        let (hello, pin) = self.link().pair(&daemon.address.to_string(), &code, LIMIT).unwrap();
        assert_eq!((pin, shown.paired().unwrap()), (self.pin, fingerprint_text(&self.keys.fingerprint())));
        *self.met.borrow_mut() = Some(hello);
    }

    /// What the station keeps of the gate since they were paired.
    pub fn record(&self, daemon: &Daemon) -> GateRecord {
        let hello = self.met.borrow().clone().expect("paired");
        record(&hello, &self.pin, daemon.address.to_string())
    }
}

impl Daemon {
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An operation that lets a card in for a month.
pub fn put_card(uid: &[u8]) -> Request {
    apply(1, What::PutCard(uid.to_vec(), in_days(30)))
}

pub fn record(hello: &Hello, pin: &[u8; 32], address: String) -> GateRecord {
    GateRecord {
        id: GateId::from_bytes(hello.id),
        name: "东门".into(),
        place: String::new(),
        capture_area: String::new(),
        other_way: String::new(),
        why_needed: String::new(),
        address,
        tls_pin: *pin,
        seal_key: hello.seal_key,
        sign_key: hello.sign_key,
        card_way_tested_at: None,
        takes_faces: hello.takes_faces,
    }
}

fn in_days(days: i64) -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let today: CivilDate = Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap()).date();
    today.epoch_days() + days
}

fn apply(sequence: u64, what: What) -> Request {
    Request::Apply(Apply { op: random_bytes(), sequence, what })
}

fn done(link: &mut TlsLink, gate: &GateRecord, realm: Realm, request: &Request) -> Receipt {
    let reply = link.ask(gate, request, LIMIT).unwrap();
    let Reply::Done(receipt) = reply else { panic!("no receipt: {reply:?}") };
    assert_eq!(receipt.check(gate, realm, request), Ok(()));
    receipt
}

#[test]
fn a_gate_is_set_up_paired_asked_and_stopped_from_the_command_line() {
    let site = Site::unpaired(Realm::Practice);
    let again = site.gate(&["init"]);
    assert!(!again.status.success() && text(&again.stderr).contains("already holds a gate"), "{again:?}");
    let shown = text(&site.gate(&["fingerprint"]).stdout);
    assert_eq!((parse_fingerprint(&shown), shown.trim().len()), (Some(site.pin), 79));
    assert!(text(&site.gate(&["status"]).stdout).contains("station: not paired"));
    let early = site.gate(&["pair"]);
    assert!(!early.status.success() && text(&early.stderr).contains("does not run"), "{early:?}");
    let mut daemon = site.run();
    site.pair(&daemon);
    let station = fingerprint_text(&site.keys.fingerprint());
    assert!(!site.gate(&["pair", &station]).status.success(), "a fingerprint is typed nowhere");
    let status = text(&site.gate(&["status"]).stdout);
    assert!(status.contains(&format!("station: {station}")) && status.contains("realm: practice"), "{status}");

    let gate = site.record(&daemon);
    let mut link = site.link();
    let card = vec![0x04, 0xa1, 0xb2, 0xc3];
    assert_eq!(text(&site.gate(&["swipe", "04a1b2c3"]).stdout), "opens: no\n");
    let receipt = done(&mut link, &gate, site.realm, &apply(1, What::PutCard(card.clone(), in_days(0))));
    assert_eq!(receipt.outcome, Outcome::CardStored);
    assert_eq!(text(&site.gate(&["swipe", "04:A1:B2:C3"]).stdout), "opens: yes\n");
    assert_eq!(link.ask(&gate, &Request::TestCard(card.clone()), LIMIT), Ok(Reply::CardTested(true)));
    done(&mut link, &gate, site.realm, &apply(2, What::RemoveCard(card)));
    assert_eq!(text(&site.gate(&["swipe", "04a1b2c3"]).stdout), "opens: no\n");

    drop(daemon.child.stdin.take());
    assert!(daemon.child.wait().unwrap().success(), "closing its input stops it in order");
    assert_eq!(link.ask(&gate, &Request::Health, LIMIT), Err(LinkError::Away));
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminated_gate_stops_in_order() {
    let site = Site::new(Realm::Real);
    let mut daemon = site.run();
    let terminated = Command::new("kill").args(["-TERM", &daemon.child.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn every_file_of_a_gate_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new(Realm::Real);
    let daemon = site.run();
    site.record(&daemon);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.data()), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(site.data()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names, ["gate.db", "gate.db-shm", "gate.db-wal", "gate.key", "gate.secret"]);
}

#[test]
fn a_gate_listens_on_the_lan_only() {
    let site = Site::unpaired(Realm::Real);
    for public in ["0.0.0.0:0", "[::]:0", "8.8.8.8:7443", "localhost:0"] {
        let refused = site.gate(&["run", "--listen", public]);
        assert!(!refused.status.success(), "{public}");
        assert!(text(&refused.stderr).contains("is not a LAN address"), "{public}: {refused:?}");
    }
}

#[test]
fn without_its_secret_a_gate_does_not_open() {
    let site = Site::unpaired(Realm::Real);
    let other = site.folder.path().join("other.secret");
    std::fs::write(&other, "another secret of enough letters").unwrap();
    let refused = site.gate(&["status", "--secret-file", other.to_str().unwrap()]);
    assert!(text(&refused.stderr).contains("the secret does not open this gate's key"), "{refused:?}");
    std::fs::rename(site.data().join("gate.secret"), site.folder.path().join("moved.secret")).unwrap();
    assert!(!site.gate(&["status"]).status.success());
    let moved = site.folder.path().join("moved.secret");
    assert!(site.gate(&["status", "--secret-file", moved.to_str().unwrap()]).status.success());
}

// Shows: F14a
#[test]
fn a_changed_key_on_either_side_is_told_apart() {
    let site = Site::new(Realm::Real);
    let daemon = site.run();
    let gate = site.record(&daemon);
    let mut link = site.link();
    assert!(matches!(link.ask(&gate, &Request::Health, LIMIT), Ok(Reply::Health(_))));

    let other_pin = GateRecord { tls_pin: [7; 32], ..gate.clone() };
    assert_eq!(link.ask(&other_pin, &Request::Health, LIMIT), Err(LinkError::KeyChanged));
    let other_seal = GateRecord { seal_key: [7; 32], ..gate.clone() };
    assert_eq!(site.link().ask(&other_seal, &Request::Health, LIMIT), Err(LinkError::KeyChanged));
    let other_sign = GateRecord { sign_key: [7; 32], ..gate.clone() };
    assert_eq!(site.link().ask(&other_sign, &Request::Health, LIMIT), Err(LinkError::KeyChanged));

    let stranger = Arc::new(IdentityKeys::make(Realm::Real).unwrap());
    let mut stranger = TlsLink::new(stranger, SiteId::from_bytes([0x52; 16]));
    for _ in 0..10 {
        assert_eq!(stranger.ask(&gate, &Request::Health, LIMIT), Err(LinkError::NotPaired));
    }
    let unpaired = Site::unpaired(Realm::Real);
    let daemon = unpaired.run();
    let strange = GateRecord { address: daemon.address.to_string(), tls_pin: unpaired.pin, ..gate };
    assert_eq!(unpaired.link().ask(&strange, &Request::Health, LIMIT), Err(LinkError::NotPaired));
}

#[test]
fn practice_and_real_refuse_each_other_both_ways() {
    for (ours, theirs) in [(Realm::Real, Realm::Practice), (Realm::Practice, Realm::Real)] {
        let gate_site = Site::unpaired(theirs);
        let keys = Arc::new(IdentityKeys::make(ours).unwrap());
        let daemon = gate_site.run();
        let shown = gate_site.show_code();
        let mut link = TlsLink::new(keys, SiteId::from_bytes([1; 16]));
        let met = link.pair(&daemon.address.to_string(), &PairingCode::parse(&shown.code).unwrap(), LIMIT);
        assert_eq!(met.err(), Some(PairError::Link(LinkError::OtherRealm)));
    }
    let site = Site::unpaired(Realm::Practice);
    let run = Command::new(env!("CARGO_BIN_EXE_menka-gate")).args(["status", "--data"]).arg(site.data()).output();
    assert!(text(&run.unwrap().stderr).contains("practice and real do not mix"));
}

#[test]
fn a_gate_that_is_away_or_silent_or_elsewhere_is_said_to_be_so_in_time() {
    let site = Site::new(Realm::Real);
    let daemon = site.run();
    let gate = site.record(&daemon);
    let mut link = site.link();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let speaks = TcpListener::bind("127.0.0.1:0").unwrap();
    let speaks_at = speaks.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in speaks.incoming() {
            let _ = socket.unwrap().write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n");
        }
    });
    let at = |address: String| GateRecord { address, ..gate.clone() };
    let limit = Duration::from_millis(400);
    let started = Instant::now();
    let hushed = link.ask(&at(silent.local_addr().unwrap().to_string()), &Request::Health, limit);
    assert_eq!(hushed, Err(LinkError::Away));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(link.ask(&at("127.0.0.1:1".into()), &Request::Health, limit), Err(LinkError::Away));
    assert_eq!(link.ask(&at(speaks_at.to_string()), &Request::Health, LIMIT), Err(LinkError::Protocol));
    for public in ["8.8.8.8:443", "gate.example:1", "0.0.0.0:1", "", "192.168.1.1"] {
        assert_eq!(link.ask(&at(public.into()), &Request::Health, limit), Err(LinkError::NotLan), "{public}");
        let code = PairingCode::parse("12345678").unwrap();
        assert_eq!(link.pair(public, &code, limit).err(), Some(PairError::Link(LinkError::NotLan)), "{public}");
    }
}

#[test]
fn one_connection_is_kept_and_a_stale_one_is_opened_again() {
    let site = Site::new(Realm::Real);
    let mut daemon = site.run();
    let gate = site.record(&daemon);
    let mut link = site.link();
    link.ask(&gate, &Request::Health, LIMIT).unwrap();
    let started = Instant::now();
    for _ in 0..50 {
        assert!(matches!(link.ask(&gate, &Request::Health, LIMIT), Ok(Reply::Health(_))));
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let address = daemon.address.to_string();
    daemon.kill();
    let _daemon = site.run_on(&address);
    assert!(matches!(link.ask(&gate, &Request::Health, LIMIT), Ok(Reply::Health(_))));
}

#[test]
fn twenty_kills_lose_no_acknowledged_operation_and_repeats_get_the_same_receipt() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let mut gate = site.record(&daemon);
    let mut link = site.link();
    let mut history: Vec<(Request, Receipt)> = Vec::new();
    for round in 0..20u8 {
        let what = match round % 4 {
            0 | 1 => What::PutCard(vec![round, 1, 2, 3], in_days(30)),
            2 => What::RemoveCard(vec![round - 1, 1, 2, 3]),
            _ => What::EraseFace([round; 16]),
        };
        let request = apply(u64::from(round) + 1, what);
        let receipt = done(&mut link, &gate, site.realm, &request);
        history.push((request, receipt));
        daemon.kill();
        daemon = site.run();
        gate.address = daemon.address.to_string();
        for (request, receipt) in &history {
            assert_eq!(link.ask(&gate, request, LIMIT), Ok(Reply::Done(receipt.clone())), "round {round}");
        }
    }
    let Ok(Reply::List(list)) = link.ask(&gate, &Request::List, LIMIT) else { panic!("no list") };
    assert_eq!(list.cards.len(), 5, "ten were let in and five taken out again");
    let Ok(Reply::Health(health)) = link.ask(&gate, &Request::Health, LIMIT) else { panic!("no health") };
    assert_eq!(health.digest, list.digest());
}

#[test]
fn twenty_silent_connections_do_not_shut_the_station_out() {
    let site = Site::new(Realm::Real);
    let mut daemon = site.run();
    let gate = site.record(&daemon);
    let mut link = site.link();
    let silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(daemon.address).unwrap()).collect();
    assert!(matches!(link.ask(&gate, &Request::Health, LIMIT), Ok(Reply::Health(_))));
    for mut socket in silent {
        let _ = socket.write_all(b"GET / HTTP/1.1\r\n\r\n");
        let _ = socket.shutdown(Shutdown::Write);
    }
    assert!(matches!(link.ask(&gate, &Request::Health, LIMIT), Ok(Reply::Health(_))));
    assert!(daemon.is_running());
}

/// A connection on which anything can be written.
pub struct Wire(StreamOwned<ClientConnection, TcpStream>);

impl Wire {
    pub fn open(site: &Site, daemon: &Daemon) -> Self {
        let config = tls::client_config(&site.keys, Peer::Only(site.pin)).unwrap();
        let session = ClientConnection::new(config, tls::server_name().unwrap()).unwrap();
        let socket = TcpStream::connect(daemon.address).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        Self(StreamOwned::new(session, socket))
    }

    pub fn hello(site: &Site) -> Hello {
        Hello {
            protocol: PROTOCOL,
            realm: site.realm.label().into(),
            id: [0x51; 16],
            seal_key: site.keys.seal_public(),
            sign_key: site.keys.sign_public(),
            version: "test".into(),
            takes_faces: false,
            revision: Some(REVISION),
        }
    }

    pub fn greeted(site: &Site, daemon: &Daemon) -> Self {
        let mut wire = Self::open(site, daemon);
        assert!(matches!(wire.say(&encode(&Request::Hello(Self::hello(site)))), Some(Reply::Hello(_))));
        wire
    }

    pub fn say(&mut self, body: &[u8]) -> Option<Reply> {
        let mut frame = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        frame.extend_from_slice(body);
        self.write(&frame);
        self.reply()
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).and_then(|()| self.0.flush());
    }

    /// The station has said everything: the stream ends here.
    pub fn end(&mut self) {
        self.0.conn.send_close_notify();
        let _ = self.0.flush();
        let _ = self.0.sock.shutdown(Shutdown::Write);
    }

    pub fn reply(&mut self) -> Option<Reply> {
        decode(&read_body(&mut self.0, REPLY_MAX).ok()?).ok()
    }
}

/// A CBOR head: kind 0 to 7, and a value.
fn head(kind: u8, value: u64) -> Vec<u8> {
    let mut bytes = vec![kind << 5 | 27];
    bytes.extend_from_slice(&value.to_be_bytes());
    bytes
}

fn malformed_bodies(site: &Site) -> Vec<(String, Vec<u8>)> {
    let hello = encode(&Request::Hello(Wire::hello(site)));
    let put = encode(&Request::PutFace(PutFace {
        op: [1; 16],
        gate: [2; 16],
        template: [3; 16],
        engine: "yunet-2023mar+sface-2021dec/1".into(),
        ends_on: 20_849,
        sealed: vec![7; 560],
    }));
    let erase = encode(&apply(1, What::EraseFace([1; 16])));
    let mut bodies: Vec<(String, Vec<u8>)> = vec![
        ("nothing".into(), vec![]),
        ("a zero".into(), vec![0]),
        ("all ones".into(), vec![0xff; 64]),
        ("a text".into(), b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("an unknown request".into(), vec![0x82, 24, 99, 0x80]),
        ("a request of a negative number".into(), vec![0x82, 0x20, 0x80]),
        ("a request of a huge number".into(), [vec![0x82], head(0, u64::MAX), vec![0x80]].concat()),
        ("a map".into(), vec![0xa1, 0, 0]),
        ("a claimed array of 2^60".into(), head(4, 1 << 60)),
        ("a claimed byte string of 2^40".into(), [vec![0x82, 7, 0x81], head(2, 1 << 40), vec![0; 8]].concat()),
        ("a claimed text of 2^63".into(), [vec![0x82, 0, 0x81], head(3, 1 << 63)].concat()),
        ("arrays ten thousand deep".into(), vec![0x81; 10_000]),
        ("tags ten thousand deep".into(), vec![0xc1; 10_000]),
        ("an array without an end".into(), vec![0x9f; 3_000]),
        ("a byte string in pieces without an end".into(), [vec![0x82, 7, 0x81, 0x5f], vec![0x41; 64]].concat()),
        ("a card number that is a text".into(), vec![0x82, 7, 0x81, 0x64, b'a', b'b', b'c', b'd']),
        ("a card number that is an array".into(), vec![0x82, 7, 0x81, 0x84, 1, 2, 3, 4]),
        ("a card number of one byte".into(), encode(&Request::TestCard(vec![9]))),
        ("a card number of 200 000 bytes".into(), encode(&Request::TestCard(vec![9; 200_000]))),
        ("a card of zeros".into(), encode(&apply(1, What::PutCard(vec![0; 4], in_days(1))))),
        ("a card for ever".into(), encode(&apply(1, What::PutCard(vec![1; 4], i64::MAX)))),
        ("a removal of nothing".into(), encode(&apply(1, What::RemoveCard(vec![])))),
        ("a short id".into(), vec![0x82, 4, 0x81, 0x4f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        ("a long id".into(), [vec![0x82, 4, 0x81, 0x51], vec![1; 17]].concat()),
        ("an id that is null".into(), vec![0x82, 4, 0x81, 0xf6]),
        ("a hello without fields".into(), vec![0x82, 0, 0x81, 0x80]),
        ("a text that is not UTF-8".into(), vec![0x82, 0, 0x81, 0x82, 1, 0x62, 0xff, 0xfe]),
        ("an operation that is a float".into(), vec![0x82, 3, 0x81, 0xfb, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("two requests in one frame".into(), [erase.clone(), erase.clone()].concat()),
        ("a byte after the request".into(), [encode(&Request::List), vec![0]].concat()),
    ];
    for (name, whole) in [("hello", &hello), ("put", &put), ("erase", &erase)] {
        for length in [1, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            bodies.push((format!("{name} cut to {length}"), whole[..length].to_vec()));
        }
    }
    bodies
}

#[test]
fn malformed_messages_are_refused_and_the_gate_goes_on_serving() {
    let site = Site::new(Realm::Practice);
    let mut daemon = site.run();
    let gate = site.record(&daemon);
    let bodies = malformed_bodies(&site);
    assert!(bodies.len() >= 42, "{}", bodies.len());
    for greeted in [false, true] {
        let mut wire = if greeted { Wire::greeted(&site, &daemon) } else { Wire::open(&site, &daemon) };
        for (name, body) in &bodies {
            assert_eq!(wire.say(body), Some(Reply::Refused(Refusal::Malformed)), "{name}, greeted: {greeted}");
        }
        let health = encode(&Request::Health);
        assert_eq!(matches!(wire.say(&health), Some(Reply::Health(_))), greeted, "the same connection still serves");
    }

    let broken_frames: [(&str, Vec<u8>); 6] = [
        ("half a length", vec![0, 0]),
        ("a body that never comes", vec![0, 0, 1, 0, 1, 2, 3]),
        (
            "a length over the limit",
            [u32::try_from(FRAME_MAX + 1).unwrap().to_be_bytes().to_vec(), vec![0; 16]].concat(),
        ),
        ("a length of four gigabytes", vec![0xff; 4]),
        ("an empty frame and then noise", [vec![0; 4], vec![0xff; 40]].concat()),
        ("a megabyte of noise", vec![0xa5; 1 << 20]),
    ];
    for (name, frame) in broken_frames {
        let mut wire = Wire::greeted(&site, &daemon);
        wire.write(&frame);
        wire.end();
        while let Some(reply) = wire.reply() {
            assert_eq!(reply, Reply::Refused(Refusal::Malformed), "{name}");
        }
        // What is left is at most the end of a TLS record; then the connection is closed.
        let mut rest = [0; 4096];
        let closed = (0..64).any(|_| match wire.0.sock.read(&mut rest) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        });
        assert!(closed, "{name}: the connection is closed");
    }

    let mut link = site.link();
    let Ok(Reply::Health(health)) = link.ask(&gate, &Request::Health, LIMIT) else { panic!("no health") };
    assert_eq!((health.faces, health.cards), (0, 0), "nothing was stored");
    assert!(daemon.is_running());
}

#[test]
fn what_no_consent_sealed_is_refused() {
    let site = Site::new(Realm::Practice);
    let daemon = site.run();
    let gate = site.record(&daemon);
    let mut link = site.link();
    let put = |sealed: Vec<u8>, ends_in: i64| {
        Request::PutFace(PutFace {
            op: random_bytes(),
            gate: *gate.id.bytes(),
            template: random_bytes(),
            engine: "yunet-2023mar+sface-2021dec/1".into(),
            ends_on: in_days(ends_in),
            sealed,
        })
    };
    let mut refused = |request: Request| match link.ask(&gate, &request, LIMIT) {
        Ok(Reply::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(put(vec![7; 560], 30)), Refusal::Envelope);
    assert_eq!(refused(put(vec![], 30)), Refusal::Envelope);
    assert_eq!(refused(put(vec![7; 200_000], 30)), Refusal::Envelope);
    assert_eq!(refused(put(vec![7; 560], -1)), Refusal::Expired);
    let probe = |engine: &str, sent_at: i64| {
        let (op, gate) = (random_bytes(), *gate.id.bytes());
        Request::Probe(Probe { op, gate, engine: engine.into(), sent_at, sealed: vec![7; 560] })
    };
    assert_eq!(refused(probe("yunet-2023mar+sface-2021dec/1", 0)), Refusal::Stale);
    assert_eq!(refused(probe("other/1", 0)), Refusal::Engine);
}

#[test]
fn another_version_and_another_realm_are_refused_at_the_hello() {
    let site = Site::new(Realm::Practice);
    let daemon = site.run();
    let mut wire = Wire::open(&site, &daemon);
    let later = Hello { protocol: PROTOCOL + 1, ..Wire::hello(&site) };
    assert_eq!(wire.say(&encode(&Request::Hello(later))), Some(Reply::Refused(Refusal::Version)));
    let real = Hello { realm: "real".into(), ..Wire::hello(&site) };
    assert_eq!(wire.say(&encode(&Request::Hello(real))), Some(Reply::Refused(Refusal::Realm)));
    assert_eq!(wire.say(&encode(&Request::List)), Some(Reply::Refused(Refusal::Malformed)), "still not greeted");
    let _greeted = Wire::greeted(&site, &daemon);
    let other_seal = Hello { seal_key: [9; 32], ..Wire::hello(&site) };
    assert_eq!(wire.say(&encode(&Request::Hello(other_seal))), Some(Reply::Refused(Refusal::Envelope)));
}
