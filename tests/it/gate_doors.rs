//! The door of the real gate, as its own file says: a log line, a command, a door of a card board; and what hangs or fails holds nothing up.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use menka::domain::card::CardUid;
use menka::practice::site::GateProcess;
use menka::wire::keys::IdentityKeys;

use crate::boards::Board;
use crate::day::gate_program;

/// A practice gate with this file, and one card that lets in.
fn gate(folder: &Path, file: &str) -> GateProcess {
    let keys = IdentityKeys::make(menka::domain::Realm::Practice).unwrap();
    let place = folder.join("gate");
    let data = place.to_string_lossy().into_owned();
    let init = ["init", "--data", &data, "--realm", "practice"];
    assert!(Command::new(gate_program()).args(init).output().unwrap().status.success());
    std::fs::write(place.join("gate.toml"), file).unwrap();
    let mut gate = GateProcess::start(&gate_program(), &place, 0).unwrap();
    let hello = {
        use menka::ports::GateLink;
        let mut link = menka::lan::TlsLink::new(keys.into(), menka::domain::id::SiteId::from_bytes([1; 16]));
        let shown = gate.show_code().unwrap();
        let code = menka::secret::PairingCode::parse(&shown.code).unwrap();
        let (hello, pin) = link.pair(&gate.address, &code, Duration::from_secs(5)).unwrap();
        let record = crate::gate::record(&hello, &pin, gate.address.clone());
        let put = crate::gate::put_card(card().bytes());
        assert!(matches!(
            link.ask(&record, &put, Duration::from_secs(5)).unwrap(),
            menka::wire::message::Reply::Done(_)
        ));
        hello
    };
    assert!(hello.takes_faces);
    assert_eq!(gate.ask("count").unwrap(), "0");
    gate
}

fn card() -> CardUid {
    CardUid::from_bytes(&[4, 0xa1, 0xb2, 0xc3]).unwrap()
}

fn status(folder: &Path) -> String {
    let data = folder.join("gate").to_string_lossy().into_owned();
    let said = Command::new(gate_program()).args(["status", "--data", &data, "--realm", "practice"]).output().unwrap();
    String::from_utf8_lossy(&said.stdout).into_owned()
}

#[test]
fn a_card_opens_the_door_by_the_command_of_the_gates_own_file() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("opened; $(touch no)");
    let file = format!("[door]\nopen = \"command\"\ncommand = [\"touch\", {:?}]", made.to_str().unwrap());
    let mut gate = gate(folder.path(), &file);
    assert!(status(folder.path()).contains("card seen to open: no"));
    assert!(gate.opens_for(&card()).unwrap());
    assert!(made.exists(), "the command ran, its word as it is");
    assert!(!folder.path().join("no").exists());
    let said = status(folder.path());
    for line in ["openings recorded: 1", "card seen to open: yes", "door (gate.toml): command", "at most: 2000"] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn a_door_that_hangs_or_fails_is_written_down_and_holds_nothing_up() {
    for command in ["[\"sleep\", \"60\"]", "[\"false\"]", "[\"/nonexistent/opener\"]"] {
        let folder = tempfile::tempdir().unwrap();
        let mut gate = gate(folder.path(), &format!("[door]\nopen = \"command\"\ncommand = {command}"));
        for _ in 0..2 {
            let begun = Instant::now();
            assert!(gate.opens_for(&card()).unwrap(), "the card is good, whatever the door does");
            assert!(begun.elapsed() < Duration::from_secs(4), "{command}");
            assert_eq!(gate.ask("count").unwrap(), "0", "the gate goes on");
        }
        let said = status(folder.path());
        assert!(said.contains("openings recorded: 2") && said.contains("card seen to open: no"), "{command}: {said}");
    }
}

#[test]
fn a_gate_opens_a_door_of_a_card_board() {
    let (folder, mut board) = (tempfile::tempdir().unwrap(), Board::start());
    let file = format!(
        "[door]\nopen = \"board\"\naddress = \"{}\"\nserial = {}\ndoor = 3",
        board.address,
        menka::practice::board::SERIAL
    );
    let mut gate = gate(folder.path(), &file);
    assert!(gate.opens_for(&card()).unwrap());
    assert_eq!((board.tell("opened 3"), board.tell("opened 1")), ("1".into(), "0".into()));
    drop(board);
    let begun = Instant::now();
    assert!(gate.opens_for(&card()).unwrap());
    assert!(begun.elapsed() < Duration::from_secs(4), "a board that is away is a failed door");
}

#[test]
fn a_file_that_is_wrong_stops_the_start_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("gate").to_string_lossy().into_owned();
    let init = ["init", "--data", &data, "--realm", "practice"];
    assert!(Command::new(gate_program()).args(init).output().unwrap().status.success());
    for (file, why) in [("[door]\nopen = \"shell\"", "shell"), ("[faces]\nstrangers_in_max = 1", "0 to 0.1")] {
        std::fs::write(folder.path().join("gate/gate.toml"), file).unwrap();
        let run = ["run", "--data", &data, "--realm", "practice", "--listen", "127.0.0.1:0", "--until-stdin-closes"];
        let said = Command::new(gate_program()).args(run).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success() && text.contains("gate.toml") && text.contains(why), "{text}");
    }
}
