//! One site in a temporary folder: a gate that listens on the loopback, and the station's keys.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use crate::domain::Realm;
use crate::domain::consent::ConsentGranted;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ConsentId, GateId, OpId, ResidentId, TemplateId};
use crate::domain::time::{CivilDate, Timestamp};
use crate::gate::daemon::Gate;
use crate::gate::key_file::Cost;
use crate::gate::place::Place;
use crate::gate::server::Server;
use crate::gate::store::Setup;
use crate::ports::Clock;
use crate::secret::{EngineId, FaceTemplate, PairingCode, TEMPLATE_LEN, random_bytes};
use crate::wire::envelope::{seal_face, seal_probe};
use crate::wire::frame::{decode, encode, read_body, write_body};
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{
    Apply, FRAME_MAX, Hello, PROTOCOL, Probed, PutFace, REPLY_MAX, REVISION, Receipt, Refusal, Reply, Request, What,
};
use crate::wire::pairing::{Channel, Station};
use crate::wire::tls::{self, Peer};

/// Enough for tests; the real cost is measured by the tests of the binary.
pub const LIGHT: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

/// 2026-11-22 12:00 in China.
pub const NOON: Timestamp = Timestamp::from_ms(1_795_320_000_000);

pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;

/// A clock that a test moves.
#[derive(Clone)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.ms(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

pub struct Site {
    pub folder: tempfile::TempDir,
    pub place: Place,
    pub clock: HandClock,
    pub station: IdentityKeys,
    pub record: GateRecord,
    pub server: Option<Server>,
    pub address: SocketAddr,
    line: Option<Line>,
}

impl Site {
    pub fn new() -> Self {
        Self::with(Setup { realm: Realm::Real, ..Setup::default() })
    }

    pub fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("gate"), None);
        place.init(&setup, LIGHT, NOON).unwrap();
        let station = IdentityKeys::make(setup.realm).unwrap();
        let mut gate = Gate::open_without_relay(&place, setup.realm).unwrap();
        gate.pin_station(&station.fingerprint(), &hello(&station), NOON).unwrap();
        // Faces come after a card was seen to open; the tests of that have a gate of their own.
        gate.store().note_card_way(NOON).unwrap();
        let record = record(gate.id(), gate.keys(), setup.takes_faces);
        let clock = HandClock(Arc::new(AtomicI64::new(NOON.ms())));
        let server = Server::start(gate, "127.0.0.1:0".parse().unwrap(), Box::new(clock.clone())).unwrap();
        let address = server.address();
        Self { folder, place, clock, station, record, server: Some(server), address, line: None }
    }

    /// Brings the store to what an older version of the program left, with person 1 alone in it; templates lay there as handed over.
    pub fn make_older(&self, version: i64, without: &str) {
        self.with_gate(|gate, _| {
            let db = gate.store().connection();
            let turned = "ALTER TABLE settings DROP COLUMN transform_salt; ALTER TABLE faces DROP COLUMN kept;";
            db.execute_batch(&format!("{without} {turned} PRAGMA user_version = {version};")).unwrap();
            db.execute("UPDATE faces SET vector = ?1", [bytes_of(&vector(1))]).unwrap();
        });
    }

    /// Stops the gate and starts it again on its files.
    pub fn restart(&mut self) {
        self.line = None;
        self.server.take().unwrap().stop();
        let gate = Gate::open_without_relay(&self.place, self.station.realm()).unwrap();
        let server = Server::start(gate, "127.0.0.1:0".parse().unwrap(), Box::new(self.clock.clone())).unwrap();
        self.address = server.address();
        self.server = Some(server);
    }

    /// Somebody stands at the gate and pairs it with the same station again.
    pub fn pair_again(&self) {
        let (pin, hello) = (self.station.fingerprint(), hello(&self.station));
        self.with_gate(|gate, now| gate.pin_station(&pin, &hello, now)).unwrap();
    }

    pub fn with_gate<T>(&self, use_it: impl FnOnce(&mut Gate, Timestamp) -> T) -> T {
        self.server.as_ref().unwrap().with_gate(use_it)
    }

    pub fn ask(&mut self, request: &Request) -> Reply {
        if self.line.is_none() {
            self.line = Some(Line::greet(&self.station, &self.record, self.address).expect("the gate answers"));
        }
        self.line.as_mut().unwrap().ask(request).expect("the gate answers")
    }

    /// A receipt, checked as the desk checks it.
    pub fn done(&mut self, request: &Request) -> Receipt {
        let reply = self.ask(request);
        let Reply::Done(receipt) = reply else { panic!("no receipt: {reply:?}") };
        assert_eq!(receipt.check(&self.record, self.station.realm(), request), Ok(()));
        receipt
    }

    pub fn refused(&mut self, request: &Request) -> Refusal {
        let reply = self.ask(request);
        let Reply::Refused(refusal) = reply else { panic!("not refused: {reply:?}") };
        refusal
    }

    pub fn sealed(&self, number: u8, face: &FaceTemplate, ends_on: &str) -> PutFace {
        let consent = consent(number, self.record.id, ends_on);
        seal_face(&consent, face, &self.record, &self.station, new_op()).unwrap()
    }

    pub fn put(&mut self, number: u8, face: &FaceTemplate, ends_on: &str) -> Receipt {
        let put = self.sealed(number, face, ends_on);
        self.done(&Request::PutFace(put))
    }

    pub fn probe_request(&self, face: &FaceTemplate) -> Request {
        self.probe_request_at(face, self.clock.now())
    }

    /// As sent by a station whose clock stands elsewhere.
    pub fn probe_request_at(&self, face: &FaceTemplate, now: Timestamp) -> Request {
        let consent = consent(1, self.record.id, "2027-01-01");
        Request::Probe(seal_probe(&consent, face, &self.record, &self.station, new_op(), now).unwrap())
    }

    pub fn probe(&mut self, face: &FaceTemplate) -> Probed {
        let request = self.probe_request(face);
        let reply = self.ask(&request);
        let Reply::Probed(probed) = reply else { panic!("no answer: {reply:?}") };
        probed
    }

    pub fn apply(&mut self, what: What) -> Receipt {
        self.done(&apply(1, what))
    }

    /// Every file of the gate, read raw.
    pub fn raw_files(&self) -> Vec<(String, Vec<u8>)> {
        let files = std::fs::read_dir(self.folder.path().join("gate")).unwrap();
        files
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap())
            })
            .collect()
    }
}

/// What the station says of itself.
pub fn hello(station: &IdentityKeys) -> Hello {
    Hello {
        protocol: PROTOCOL,
        realm: station.realm().label().into(),
        id: [0x51; 16],
        seal_key: station.seal_public(),
        sign_key: station.sign_public(),
        version: "test".into(),
        takes_faces: false,
        revision: Some(REVISION),
    }
}

/// One connection of the station.
pub struct Line(StreamOwned<ClientConnection, TcpStream>);

impl Line {
    pub fn greet(station: &IdentityKeys, gate: &GateRecord, address: SocketAddr) -> std::io::Result<Self> {
        let config = tls::client_config(station, Peer::Only(gate.tls_pin)).unwrap();
        let session = ClientConnection::new(config, tls::server_name().unwrap()).unwrap();
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut line = Self(StreamOwned::new(session, socket));
        let hello = hello(station);
        match line.ask(&Request::Hello(hello))? {
            Reply::Hello(said) if said.id == *gate.id.bytes() => Ok(line),
            other => panic!("no hello: {other:?}"),
        }
    }

    /// A connection to whoever listens there, as somebody makes one who wants to pair.
    pub fn to_anybody(station: &IdentityKeys, address: SocketAddr) -> std::io::Result<Self> {
        let config = tls::client_config(station, Peer::Anybody).unwrap();
        let session = ClientConnection::new(config, tls::server_name().unwrap()).unwrap();
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self(StreamOwned::new(session, socket)))
    }

    /// Begins a pairing and stops there.
    pub fn begin_pairing(&mut self, code: &str) -> Reply {
        let channel = Channel { realm: crate::domain::Realm::Real, exporter: [0; 32], station: [0; 32], gate: [0; 32] };
        let stranger = IdentityKeys::make(crate::domain::Realm::Real).unwrap();
        let (_, begin) = Station::begin(&PairingCode::parse(code).unwrap(), channel, hello(&stranger));
        self.ask(&begin).unwrap()
    }

    pub fn ask(&mut self, request: &Request) -> std::io::Result<Reply> {
        self.send(request)?;
        let body = read_body(&mut self.0, REPLY_MAX).map_err(std::io::Error::other)?;
        decode(&body).map_err(std::io::Error::other)
    }

    pub fn send(&mut self, request: &Request) -> std::io::Result<()> {
        write_body(&mut self.0, &encode(request), FRAME_MAX).map_err(std::io::Error::other)
    }
}

pub fn apply(sequence: u64, what: What) -> Request {
    Request::Apply(Apply { op: random_bytes(), sequence, what })
}

pub fn new_op() -> OpId {
    OpId::from_bytes(random_bytes())
}

pub fn consent(number: u8, gate: GateId, ends_on: &str) -> ConsentGranted {
    ConsentGranted::assert_recorded(
        ResidentId::from_bytes([1; 16]),
        ConsentId::from_bytes([2; 16]),
        TemplateId::from_bytes([number; 16]),
        vec![gate],
        CivilDate::parse(ends_on).unwrap(),
    )
}

pub fn record(id: GateId, keys: &IdentityKeys, takes_faces: bool) -> GateRecord {
    GateRecord {
        id,
        name: String::new(),
        place: String::new(),
        capture_area: String::new(),
        other_way: String::new(),
        why_needed: String::new(),
        address: String::new(),
        tls_pin: keys.fingerprint(),
        seal_key: keys.seal_public(),
        sign_key: keys.sign_public(),
        card_way_tested_at: None,
        takes_faces,
    }
}

/// The vector of a person: spread over all numbers, so that its bytes can be searched for.
pub fn vector(person: u32) -> [f32; TEMPLATE_LEN] {
    let mut seed = person.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut v = [0f32; TEMPLATE_LEN];
    for x in &mut v {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *x = (seed >> 8) as f32 / (1u32 << 24) as f32 - 0.5;
    }
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.map(|x| x / norm)
}

pub fn person(person: u32) -> FaceTemplate {
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut vector(person)).unwrap()
}

/// A face that is so similar to this person's, by its cosine.
pub fn likeness(of: u32, similarity: f32) -> FaceTemplate {
    let (own, mut other) = (vector(of), vector(of + 1_000_000));
    let along: f32 = own.iter().zip(&other).map(|(a, b)| a * b).sum();
    other.iter_mut().zip(&own).for_each(|(x, a)| *x -= along * a);
    let length = other.iter().map(|x| x * x).sum::<f32>().sqrt();
    let across = (1.0 - similarity * similarity).sqrt() / length;
    let mut v = own;
    v.iter_mut().zip(&other).for_each(|(x, n)| *x = similarity * *x + across * n);
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut v).unwrap()
}

/// Another picture of the same person: the vector turned a little.
pub fn person_again(person: u32) -> FaceTemplate {
    let noise = vector(person + 1_000_000);
    let mut v = vector(person);
    for (x, n) in v.iter_mut().zip(noise) {
        *x += 0.3 * n;
    }
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    let mut v = v.map(|x| x / norm);
    FaceTemplate::from_unit_vector(EngineId::sface(), &mut v).unwrap()
}

pub fn bytes_of(vector: &[f32; TEMPLATE_LEN]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

pub fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
