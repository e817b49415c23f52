//! The daemon as a second process that is killed between and within requests. The process is this test binary, started
//! again: it runs the same `cli::run_with` as `menka-gate` and is never older than the code under test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::support::*;
use crate::domain::Realm;
use crate::domain::time::{CivilDate, Timestamp};
use crate::gate::daemon::Gate;
use crate::gate::place::Place;
use crate::gate::store::Setup;
use crate::wire::envelope::seal_face;
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{Reply, Request, What};

const ARGUMENTS: &str = "MENKA_TEST_GATE_ARGUMENTS";

/// The child's side of the tests below; on its own it checks that the command line refuses nonsense.
#[test]
fn the_daemon_runs_in_a_process_of_its_own() {
    let arguments: Vec<String> = match std::env::var(ARGUMENTS) {
        Ok(text) => text.split('\n').map(String::from).collect(),
        Err(_) => vec!["run".into(), "--data".into(), "nowhere".into(), "--listen".into(), "8.8.8.8:1".into()],
    };
    let joined = crate::gate::cli::Joined {
        console: None,
        boards: Box::new(crate::boards::UdpBoards::new()),
        reader: || None,
        camera: Box::new(|_| None),
        engine: |_, _| None,
    };
    let result = crate::gate::cli::run_with(&arguments, &mut std::io::stdout(), joined);
    if std::env::var(ARGUMENTS).is_ok() {
        result.unwrap();
    } else {
        assert!(matches!(result, Err(crate::gate::error::GateError::NotLan(_))));
    }
}

struct Daemon {
    child: Child,
    address: SocketAddr,
}

impl Daemon {
    fn start(folder: &std::path::Path) -> Self {
        let arguments = ["run", "--data", folder.to_str().unwrap(), "--listen", "127.0.0.1:0"].join("\n");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["gate::tests::kills::the_daemon_runs_in_a_process_of_its_own", "--exact", "--nocapture"])
            .env(ARGUMENTS, arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .find_map(|line| line.unwrap().split_once("listening: ").map(|(_, address)| address.parse().unwrap()))
            .expect("the daemon says where it listens");
        // The pipe stays open for as long as somebody reads it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn today() -> CivilDate {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap()).date()
}

#[test]
fn twenty_kills_lose_nothing_that_was_acknowledged_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("gate");
    let place = Place::new(&data, None);
    let station = IdentityKeys::make(Realm::Real).unwrap();
    place.init(&Setup::default(), LIGHT, NOON).unwrap();
    place.open_beside(Realm::Real).unwrap().pair(&station.fingerprint(), &hello(&station), NOON).unwrap();
    let gate = {
        let gate = Gate::open_without_relay(&place, Realm::Real).unwrap();
        gate.store().note_card_way(NOON).unwrap();
        record(gate.id(), gate.keys(), true)
    };
    let ends_on = today().plus_days(30).to_string();

    let mut receipts = Vec::new();
    let mut in_flight: Option<Request> = None;
    for round in 0..20u8 {
        let mut daemon = Daemon::start(&data);
        let mut line = Line::greet(&station, &gate, daemon.address).unwrap();
        // What was under way when the last one was killed is simply sent again.
        if let Some(request) = in_flight.take() {
            let Reply::Done(receipt) = line.ask(&request).unwrap() else { panic!("round {round}: repeat refused") };
            receipts.push((request, receipt));
        }
        for (request, receipt) in &receipts {
            assert_eq!(line.ask(request).unwrap(), Reply::Done(receipt.clone()), "round {round}: another receipt");
        }
        let consent = consent(round + 1, gate.id, &ends_on);
        let put = seal_face(&consent, &person(u32::from(round)), &gate, &station, new_op()).unwrap();
        let acknowledged = Request::PutFace(put);
        let Reply::Done(receipt) = line.ask(&acknowledged).unwrap() else { panic!("round {round}: refused") };
        assert_eq!(receipt.check(&gate, Realm::Real, &acknowledged), Ok(()));
        receipts.push((acknowledged, receipt));
        // Half of the kills fall into an operation: an erasure of an earlier template.
        if round % 2 == 1 {
            let erase = apply(u64::from(round), What::EraseFace([round; 16]));
            line.send(&erase).unwrap();
            std::thread::sleep(std::time::Duration::from_micros(u64::from(round) * 300));
            in_flight = Some(erase);
        }
        daemon.kill();
    }

    let daemon = Daemon::start(&data);
    let mut line = Line::greet(&station, &gate, daemon.address).unwrap();
    if let Some(request) = in_flight {
        assert!(matches!(line.ask(&request).unwrap(), Reply::Done(_)));
    }
    let Reply::List(list) = line.ask(&Request::List).unwrap() else { panic!("no list") };
    let held: Vec<u8> = list.faces.iter().map(|face| face.template[0]).collect();
    // Rounds 1, 3, 5 … erased the templates of the rounds before them.
    let expected: Vec<u8> = (1..=20).filter(|n| n % 2 == 0).collect();
    assert_eq!(held, expected);
    drop(daemon);

    let store = place.open_beside(Realm::Real).unwrap();
    let sound: String = store.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let damaged = store.connection().prepare("PRAGMA cipher_integrity_check").unwrap().exists([]).unwrap();
    assert!(!damaged);
}
