//! Gates and card boards are reached over the networks that were chosen and no other, whatever the routes say: two cables in a namespace of
//! their own, a gate and a board behind each of them as processes of their own, and the kernel's own count of what left by which.
//! Alone: `cargo test --features practice --test it posture::kept -- --nocapture`.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use menka::app::boards::BoardsCommand;
use menka::app::command::StaffCommand;
use menka::app::event::Failure;
use menka::app::pairing::{PairingCommand, PairingFailure};
use menka::domain::Realm;
use menka::domain::board::CardFormat;
use menka::domain::id::SiteId;
use menka::face::{self, EngineKind};
use menka::ports::{GateLink, LinkError, PairError};
use menka::practice::drive::Drive;
use menka::practice::people;
use menka::practice::site::GateProcess;
use menka::wire::mdns::{self, Announced};

use super::network::{ip, is_inside, run_inside};
use crate::day::{gate_program, models, pictures};
use crate::keep::{back_up, backup_key};

const CHOSEN: &str = "192.168.81.1";
const OTHER: &str = "192.168.82.1";

/// A network at the end of a cable, in a namespace of its own.
struct Far {
    holder: Child,
    program: PathBuf,
    near: String,
}

impl Far {
    fn new(folder: &Path, number: u8) -> Self {
        let holder = Command::new("unshare").args(["-n", "sleep", "600"]).spawn().unwrap();
        let net = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        while net(&holder.id().to_string()) == net("self") {
            std::thread::sleep(Duration::from_millis(10));
        }
        let (near, far, pid) = (format!("lan{number}"), format!("far{number}"), holder.id().to_string());
        ip(&format!("link add {near} type veth peer name {far}"));
        ip(&format!("link set {far} netns {pid}"));
        // Its own chatter of the kernel would be counted with what the desk sends.
        let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{near}/disable_ipv6"), "1");
        ip(&format!("addr add 192.168.8{number}.1/24 dev {near}"));
        ip(&format!("link set {near} up"));
        let program = folder.join(format!("gate-behind-{near}"));
        let words = format!("#!/bin/sh\nexec nsenter -t {pid} -n '{}' \"$@\"\n", gate_program().display());
        std::fs::write(&program, words).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let made = Self { holder, program, near };
        made.ip("link set lo up");
        made.ip(&format!("addr add 192.168.8{number}.10/24 dev {far}"));
        made.ip(&format!("link set {far} up"));
        made
    }

    /// Runs `ip` there.
    fn ip(&self, words: &str) {
        let pid = self.holder.id().to_string();
        let run = Command::new("nsenter").args(["-t", &pid, "-n", "ip"]).args(words.split(' ')).output().unwrap();
        assert!(run.status.success(), "ip {words}: {}", String::from_utf8_lossy(&run.stderr));
    }

    /// Frames that left this machine by that cable, as the kernel counts them.
    fn sent(&self) -> u64 {
        let here = std::fs::read_to_string("/proc/net/dev").unwrap();
        let line =
            here.lines().find(|line| line.trim_start().starts_with(&format!("{}:", self.near))).expect("it is there");
        line.split(':').nth(1).and_then(|numbers| numbers.split_whitespace().nth(9)).unwrap().parse().unwrap()
    }

    /// Whether somebody there gets through to an address.
    fn reaches(&self, host: &str, port: &str) -> bool {
        let pid = self.holder.id().to_string();
        let knock = format!("exec 3<>/dev/tcp/{host}/{port}");
        let words = ["-t", &pid, "-n", "timeout", "2", "bash", "-c", &knock];
        Command::new("nsenter").args(words).stderr(Stdio::null()).status().unwrap().success()
    }

    /// Sends a datagram from there.
    fn sends(&self, bytes: &[u8], to: SocketAddr) {
        let pid = self.holder.id().to_string();
        let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        // One write, or the shell would make a datagram of every line.
        let words =
            format!("printf '{escaped}' | dd bs=2000 iflag=fullblock status=none >/dev/udp/{}/{}", to.ip(), to.port());
        let sent = Command::new("nsenter").args(["-t", &pid, "-n", "bash", "-c", &words]).status().unwrap();
        assert!(sent.success());
    }

    fn gate(&self, folder: &Path, address: &str) -> GateProcess {
        let mut gate = GateProcess::start(&self.program, folder, 0).unwrap();
        gate.restart(address).unwrap();
        gate
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn pair(drive: &mut Drive, gate: &GateProcess, name: &str) -> Vec<Failure> {
    let shown = gate.show_code().unwrap();
    drive.pair_by(&shown.code, &gate.address, name);
    std::mem::take(&mut drive.failures)
}

/// Whether the courier finds the gate so within a while; it asks a gate that was away less often.
fn is_found(drive: &mut Drive, name: &str, reachable: bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        let _ = drive.deliver();
        drive.tick();
        if drive.gates.iter().find(|gate| gate.name == name).expect("the gate is known").reachable == reachable {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}

fn choose(drive: &mut Drive, address: &str) {
    drive.staff(StaffCommand::Pairing(PairingCommand::ChooseLan(address.into())));
}

// Shows: P38
#[test]
fn p38_what_goes_to_gates_and_boards_leaves_by_the_chosen_network_only() {
    if !is_inside() {
        run_inside("posture::kept::p38_what_goes_to_gates_and_boards_leaves_by_the_chosen_network_only");
        return;
    }
    ip("link set lo up");
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (Far::new(folder.path(), 1), Far::new(folder.path(), 2));
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let mut drive = Drive::new(folder.path(), engine, people(&pictures()).unwrap());
    drive.hasten();
    drive.create();
    drive.failures.clear();

    choose(&mut drive, CHOSEN);
    let east = ours.gate(&folder.path().join("east"), "192.168.81.10:7443");
    assert_eq!(pair(&mut drive, &east, "东门"), vec![]);
    assert!(is_found(&mut drive, "东门", true));

    // A gate on the other cable: nothing is sent there, and it is said why.
    let before = other.sent();
    let west = other.gate(&folder.path().join("west"), "192.168.82.10:7443");
    let refused = PairingFailure::Gate("西门".into(), PairError::Link(LinkError::OtherNetwork));
    assert_eq!(pair(&mut drive, &west, "西门"), vec![Failure::Pairing(refused)]);
    let add = |address: &str| {
        StaffCommand::Boards(BoardsCommand::Add {
            name: "车库".into(),
            place: "车库".into(),
            address: address.into(),
            serial: menka::practice::board::SERIAL.to_string(),
            doors: [true, false, false, false],
            format: CardFormat::ALL[0],
        })
    };
    drive.staff(add("192.168.82.10:60000"));
    let refused = Failure::Link("车库".into(), LinkError::OtherNetwork);
    assert_eq!(std::mem::take(&mut drive.failures), vec![refused]);
    assert_eq!(other.sent(), before, "not even a question");

    // A route that draws the gate's own address to the other cable, where somebody has it too: the desk goes on over its own.
    other.ip("addr add 192.168.81.10/32 dev far2");
    let posing = other.gate(&folder.path().join("posing"), "192.168.81.10:7443");
    ip("route add 192.168.81.10/32 dev lan2");
    let (before, sent) = (other.sent(), ours.sent());
    assert!(is_found(&mut drive, "东门", true));
    let board = Command::new(&ours.program)
        .args(["--practice-board", "--listen", "192.168.81.10:60000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut board = board.unwrap();
    let begun = Instant::now();
    loop {
        drive.staff(add("192.168.81.10:60000"));
        if std::mem::take(&mut drive.failures).is_empty() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the board is added once it runs");
    }
    let mut east = east;
    east.restart("192.168.81.10:7443").unwrap();
    assert!(is_found(&mut drive, "东门", true), "connected anew as well");
    assert_eq!(other.sent(), before, "nothing went to who poses there");
    assert!(ours.sent() > sent);
    drop(posing);

    // The cable is pulled: away, and still nothing by the other way.
    ip("link set lan1 down");
    assert!(is_found(&mut drive, "东门", false));
    assert_eq!(other.sent(), before);
    ip("link set lan1 up");
    ip("route del 192.168.81.10/32 dev lan2");

    // The supervisor chooses the other network too: both are served. Left again, what is on it is out of reach.
    choose(&mut drive, OTHER);
    assert_eq!(pair(&mut drive, &west, "西门"), vec![]);
    assert!(is_found(&mut drive, "西门", true) && is_found(&mut drive, "东门", true));
    drive.staff(StaffCommand::Pairing(PairingCommand::LeaveNetwork("lan2".into())));
    assert!(is_found(&mut drive, "西门", false) && is_found(&mut drive, "东门", true));
    // The open connection was closed; after that nothing more goes there.
    let before = other.sent();
    // The last one is not left.
    drive.staff(StaffCommand::Pairing(PairingCommand::LeaveNetwork("lan1".into())));
    assert!(is_found(&mut drive, "东门", true) && is_found(&mut drive, "西门", false));
    assert_eq!(other.sent(), before);

    let _ = board.kill();
    let _ = board.wait();

    // The interface has another name (another socket, another machine): out of reach until the network is chosen again.
    let rename = |from: &str, to: &str| {
        ip(&format!("link set {from} down"));
        ip(&format!("link set {from} name {to}"));
        ip(&format!("link set {to} up"));
    };
    let key = backup_key(&mut drive);
    let backup = back_up(&mut drive, &folder.path().join("stick"));
    rename("lan1", "enp7");
    east.restart("192.168.81.10:7443").unwrap();
    assert!(is_found(&mut drive, "东门", false));
    choose(&mut drive, CHOSEN);
    assert!(is_found(&mut drive, "东门", true));
    assert_eq!(drive.failures, vec![]);

    // A restored vault knows no machine yet: where its two gates are reached now are taken as its networks, and kept to.
    rename("enp7", "enp9");
    drive.staff(StaffCommand::Lock);
    drive.restore(&backup, &key);
    drive.unlock();
    assert_eq!(drive.failures, vec![]);
    assert!(is_found(&mut drive, "东门", true));
    drive.staff(StaffCommand::Pairing(PairingCommand::Look));
    let told = drive.told.iter().rev().find(|told| told.contains("Pairing(Search")).cloned().unwrap();
    assert!(told.contains(r#"networks: ["enp9", "lan2"]"#), "{told}");
}

// Shows: P38
#[test]
fn p38_a_gate_hears_nothing_on_an_interface_that_it_does_not_listen_on() {
    if !is_inside() {
        run_inside("posture::kept::p38_a_gate_hears_nothing_on_an_interface_that_it_does_not_listen_on");
        return;
    }
    ip("link set lo up");
    let folder = tempfile::tempdir().unwrap();
    let (chosen, other) = (Far::new(folder.path(), 1), Far::new(folder.path(), 2));
    // The kernel takes what is for an address of this machine on every cable, and on the other one there is a way to it.
    other.ip("route add 192.168.81.0/24 via 192.168.82.1");
    let open = std::net::TcpListener::bind("192.168.81.1:0").unwrap();
    let port = open.local_addr().unwrap().port().to_string();
    assert!(other.reaches(CHOSEN, &port), "so a socket that is bound to an address only hears it from there");
    drop(open);

    let mut gate = GateProcess::start(&gate_program(), &folder.path().join("gate"), 0).unwrap();
    gate.restart("192.168.81.1:7443").unwrap();
    assert!(chosen.reaches(CHOSEN, "7443"));
    assert!(!other.reaches(CHOSEN, "7443"), "over the other cable");
    assert!(!other.reaches(OTHER, "7443"));
    std::net::TcpStream::connect("192.168.81.1:7443").expect("a desk on this machine itself");
    assert!(std::net::TcpStream::connect("127.0.0.1:7443").is_err());

    // The adapter is pulled and comes back as a new one: heard again, and still there only.
    drop(chosen);
    let begun = Instant::now();
    while std::fs::exists("/sys/class/net/lan1").unwrap() {
        let _ = Command::new("ip").args(["link", "del", "lan1"]).stderr(Stdio::null()).status();
        assert!(begun.elapsed() < Duration::from_secs(10), "the cable goes");
    }
    let chosen = Far::new(folder.path(), 1);
    let begun = Instant::now();
    while !chosen.reaches(CHOSEN, "7443") {
        assert!(begun.elapsed() < Duration::from_secs(90), "heard again");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(!other.reaches(CHOSEN, "7443"), "over the other cable");
}

/// The port of the one datagram socket of this namespace on an address of the chosen network.
fn search_port() -> u16 {
    let open = std::fs::read_to_string("/proc/net/udp").unwrap();
    let ports: Vec<u16> = open
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1)?.strip_prefix("0151A8C0:"))
        .map(|port| u16::from_str_radix(port, 16).unwrap())
        .collect();
    assert_eq!(ports.len(), 1, "{open}");
    ports[0]
}

// Shows: P38
#[test]
fn p38_a_gate_on_another_network_than_the_one_that_is_searched_is_not_found() {
    if !is_inside() {
        run_inside("posture::kept::p38_a_gate_on_another_network_than_the_one_that_is_searched_is_not_found");
        return;
    }
    ip("link set lo up");
    let folder = tempfile::tempdir().unwrap();
    let (chosen, other) = (Far::new(folder.path(), 1), Far::new(folder.path(), 2));
    other.ip("route add 192.168.81.0/24 via 192.168.82.1");
    let says = |address: &str| {
        let announced = Announced { name: "gate-x".into(), address: address.parse().unwrap() };
        mdns::answer(0, &announced, Realm::Practice).unwrap()
    };
    let (true_one, false_one) = (says("192.168.81.10:7443"), says("192.168.82.10:7443"));
    // A socket that is bound to the address only hears what comes over the other cable.
    let plain = UdpSocket::bind("192.168.81.1:0").unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    other.sends(&false_one, plain.local_addr().unwrap());
    let mut heard = [0; 2_000];
    let (length, from) = plain.recv_from(&mut heard).unwrap();
    assert_eq!((&heard[..length], from.ip().to_string().as_str()), (&false_one[..], "192.168.82.10"));
    drop(plain);

    let keys = menka::wire::keys::IdentityKeys::make(Realm::Practice).unwrap();
    let mut link = menka::lan::TlsLink::new(keys.into(), SiteId::from_bytes([1; 16]));
    let left_by_the_other = other.sent();
    assert_eq!(link.search(CHOSEN), Ok(vec![]));
    let to = SocketAddr::new(CHOSEN.parse().unwrap(), search_port());
    let begun = Instant::now();
    loop {
        other.sends(&false_one, to);
        chosen.sends(&true_one, to);
        let found: Vec<String> = link.search(CHOSEN).unwrap().into_iter().map(|gate| gate.address).collect();
        assert!(!found.contains(&"192.168.82.10:7443".to_owned()), "over the other cable");
        if found == ["192.168.81.10:7443"] {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{found:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    // Neighbours are asked for their hardware address now and then: nothing else leaves there.
    assert!(other.sent() - left_by_the_other <= 3, "no question left by the other cable");
}

// Shows: P38
#[test]
fn p38_nothing_at_all_is_sent_to_a_public_address() {
    if !is_inside() {
        run_inside("posture::kept::p38_nothing_at_all_is_sent_to_a_public_address");
        return;
    }
    ip("link set lo up");
    let folder = tempfile::tempdir().unwrap();
    let out = Far::new(folder.path(), 2);
    ip("route add default via 192.168.82.10");
    let keys = menka::wire::keys::IdentityKeys::make(Realm::Real).unwrap();
    let mut link = menka::lan::TlsLink::new(keys.into(), SiteId::from_bytes([1; 16]));
    let code = menka::secret::PairingCode::parse("12345678").unwrap();
    let before = out.sent();
    for public in ["8.8.8.8:7443", "100.64.0.1:7443", "203.0.113.5:7443", "gate.example:7443"] {
        let refused = link.pair(public, &code, Duration::from_secs(2)).err();
        assert_eq!(refused, Some(PairError::Link(LinkError::NotLan)), "{public}");
    }
    assert_eq!(out.sent(), before, "the kernel counts nothing");
    // There is a way out, and the count sees what takes it.
    UdpSocket::bind("192.168.82.1:0").unwrap().send_to(b"x", "8.8.8.8:7443").unwrap();
    let begun = Instant::now();
    while out.sent() == before {
        assert!(begun.elapsed() < Duration::from_secs(5), "counted");
        std::thread::sleep(Duration::from_millis(20));
    }
}
