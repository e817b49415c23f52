//! A real site (not practice) on a prepared machine, in a network without a way out: nothing keeps face entry off, and a face is enrolled at a
//! real gate and erased again. Camera, reader and the files that describe the machine are the only practice parts. Alone:
//! `cargo test --features practice --test it posture::real -- --nocapture`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::posture::PostureCommand;
use menka::domain::Realm;
use menka::domain::permit::{Blocker, Condition};
use menka::domain::posture::{MACHINE, What};
use menka::face::{self, EngineKind};
use menka::posture::linux::Linux;
use menka::practice::drive::Drive;
use menka::practice::site::ShownCode;
use menka::practice::{Controls, PictureCamera, PracticeAct, people};

use super::machine::{Machine, close};
use super::network::{ip, is_inside, run_inside};
use crate::day::{gate_program, models, pictures};

/// A gate of a real site, as a process of its own. It ends when its standard input closes.
struct RealGate {
    child: Child,
    data: String,
    address: String,
    shown: Option<ShownCode>,
}

impl RealGate {
    fn start(folder: &Path, listen: &str) -> Self {
        let data = folder.to_string_lossy().into_owned();
        let init = Command::new(gate_program()).args(["init", "--data", &data]).output().unwrap();
        assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
        let mut child = Command::new(gate_program())
            .args(["run", "--data", &data, "--listen", listen, "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening: ").expect("the gate listens").to_owned();
        let shown = Some(ShownCode::at(&gate_program(), folder, Realm::Real).unwrap());
        Self { child, data, address, shown }
    }
}

impl RealGate {
    /// Templates that it holds, as its own program says.
    fn faces(&self) -> u32 {
        let run = Command::new(gate_program()).args(["status", "--data", &self.data]).output().unwrap();
        let said = String::from_utf8(run.stdout).unwrap();
        said.lines().find_map(|line| line.strip_prefix("faces: ")).and_then(|n| n.parse().ok()).expect("a count")
    }
}

impl Drop for RealGate {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn state(drive: &Drive, blocker: Blocker) -> Option<Condition> {
    drive.blockers.iter().find(|(b, _)| *b == blocker).map(|(_, state)| *state)
}

fn machine_blockers(drive: &Drive) -> Vec<(Blocker, Condition)> {
    drive.blockers.iter().copied().filter(|(b, _)| MACHINE.contains(b)).collect()
}

// Shows: F08a, N8-5
#[test]
fn l1_a_real_site_off_the_internet_meets_every_condition_of_its_machine() {
    if !is_inside() {
        run_inside("posture::real::l1_a_real_site_off_the_internet_meets_every_condition_of_its_machine");
        return;
    }
    // The LAN of the gates, and nothing else: a pair of interfaces with private addresses, no route beyond.
    ip("link set lo up");
    ip("link add desk0 type veth peer name gates0");
    ip("addr add 192.168.77.2/24 dev desk0");
    ip("addr add 192.168.77.3/24 dev gates0");
    ip("link set desk0 up");
    ip("link set gates0 up");

    let folder = tempfile::tempdir().unwrap();
    let machine = Machine::sound(folder.path());
    let data = folder.path().join("desk");
    std::fs::create_dir(&data).unwrap();
    close(&data);
    let controls = Controls::default();
    let camera = Box::new(PictureCamera::new(people(&pictures()).unwrap(), controls.clone()));
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let posture = Box::new(Linux::at_root(machine.root(), &data));
    let mut drive = Drive::with_machine(folder.path(), engine, camera, controls, (Realm::Real, posture));
    drive.create();
    let mut gate = RealGate::start(&folder.path().join("gate"), "192.168.77.3:0");
    let shown = gate.shown.take().unwrap();
    drive.pair_by(&shown.code, &gate.address, "东门");
    drop(shown);
    drive.deliver().unwrap();
    drive.tick();
    let resident = drive.add("王小明", "1-101").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.assess();
    drive.tick();
    assert_eq!(drive.failures, vec![]);
    let card = drive.opened.as_ref().and_then(|v| v.card.as_ref());
    assert!(card.is_none(), "the record is closed");

    assert_eq!(machine_blockers(&drive), vec![], "{:?}", drive.machine.findings);
    assert!(drive.machine.lets_faces());
    assert_eq!(drive.blockers, vec![], "nothing keeps faces off");

    // A way out appears: found at the next look, and gone again with it.
    let look = |drive: &mut Drive| drive.staff(StaffCommand::Posture(PostureCommand::Check));
    ip("route add default via 192.168.77.3 dev desk0");
    look(&mut drive);
    assert_eq!(state(&drive, Blocker::InternetRoute), Some(Condition::Fails));
    let found = drive.machine.findings.iter().find(|f| f.what == What::RouteOut).map(|f| f.names.clone());
    assert_eq!(found, Some(vec!["desk0".to_owned()]));
    ip("route del default");
    ip("-6 route add 2000::/3 dev desk0");
    look(&mut drive);
    assert_eq!(state(&drive, Blocker::InternetRoute), Some(Condition::Fails), "IPv6 as well, and not only a default");
    ip("-6 route del 2000::/3 dev desk0");
    // A table of its own, as VPNs use it: not in the plain list of routes.
    ip("route add default dev desk0 table 52");
    ip("rule add from all lookup 52");
    look(&mut drive);
    assert_eq!(state(&drive, Blocker::InternetRoute), Some(Condition::Fails), "policy routing as well");
    ip("route flush table 52");
    ip("addr add 203.0.113.9/32 dev desk0");
    look(&mut drive);
    assert_eq!(state(&drive, Blocker::InternetRoute), Some(Condition::Fails), "an address of the internet");
    ip("addr del 203.0.113.9/32 dev desk0");
    look(&mut drive);
    assert_eq!(machine_blockers(&drive), vec![], "{:?}", drive.machine.findings);

    // A port that listens for help from afar, really open in this namespace.
    let vnc = std::net::TcpListener::bind("127.0.0.1:5900").unwrap();
    look(&mut drive);
    assert_eq!(state(&drive, Blocker::RemoteHelp), Some(Condition::Fails));
    drop(vnc);
    // The other three, in the files of the prepared machine.
    for (blocker, path, text, sound) in [
        (Blocker::DiskEncryption, "sys/dev/block/254:0/dm/uuid", "LVM-0123\n", "CRYPT-LUKS2-0123-root\n"),
        (Blocker::LoginPassword, "etc/shadow", "desk::1::::::\n", "desk:$y$j9T$abc:1::::::\n"),
        (Blocker::RemoteHelp, "proc/900/comm", "ToDesk_Service\n", "bash\n"),
    ] {
        machine.write(path, text);
        look(&mut drive);
        assert_eq!(machine_blockers(&drive), vec![(blocker, Condition::Fails)], "{:?}", drive.machine.findings);
        machine.write(path, sound);
        look(&mut drive);
        assert_eq!(machine_blockers(&drive), vec![], "{path}");
    }
    machine.remove("proc/self/mountinfo");
    look(&mut drive);
    assert_eq!(machine_blockers(&drive), vec![(Blocker::DiskEncryption, Condition::NotYetChecked)]);
    machine.write("proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/mapper/root rw\n");
    look(&mut drive);

    // Cards went on all along.
    let second = drive.add("李秀英", "1-102").unwrap();
    drive.issue(second, 1).unwrap();
    let card = drive.opened.as_ref().and_then(|v| v.card.clone()).expect("a card was issued");
    assert!(card.gates.iter().all(|(_, _, there)| *there), "the gate signed for it");
    drive.staff(StaffCommand::CloseResident);

    drive.controls.act(PracticeAct::Seat(0));
    assert!(drive.enroll(0).unwrap(), "a real site enrolls a face: {:?}", drive.failures);
    assert_eq!(gate.faces(), 1, "at the gate, and nowhere else");
    drive.resident(ResidentCommand::AskWithdraw);
    drive.tap_card(0).unwrap();
    drive.resident(ResidentCommand::ConfirmWithdraw);
    for _ in 0..100 {
        drive.deliver().unwrap();
        drive.tick();
        if gate.faces() == 0 {
            break;
        }
    }
    assert_eq!(gate.faces(), 0, "and erased on the spot");
    println!("real site: a face was enrolled, recognised, and erased again");
    println!("real site without a route out: {} conditions of the machine hold", MACHINE.len());
}
