//! The engine child as the rest of the program sees it: started by a binary, spoken to over pipes, ended.
//! What needs a warrant is tested inside the crate (`src/face/tests.rs`).

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use menka::face::{ChildEngine, EngineKind, Shut, engine_for};
use menka::ports::{FaceEngine, FaceError};

#[test]
fn both_engines_wake_rest_and_wake_again() {
    for kind in EngineKind::ALL {
        let mut engine = engine_for(kind, &models(), gate());
        assert_eq!(engine.engine(), kind.id());
        assert_eq!(engine.wake(), Ok(()));
        assert_eq!(engine.wake(), Ok(()), "waking twice is no error");
        engine.rest();
        engine.rest();
        assert_eq!(engine.wake(), Ok(()));
    }
}

#[test]
fn an_engine_moves_to_the_thread_that_uses_it() {
    let mut engine = engine_for(EngineKind::Sface, &models(), gate());
    let woken = std::thread::spawn(move || engine.wake()).join().unwrap();
    assert_eq!(woken, Ok(()));
}

#[test]
fn an_engine_without_models_says_which_folder_was_empty() {
    let folder = tempfile::tempdir().unwrap();
    for kind in EngineKind::ALL {
        let missing = FaceError::ModelMissing { folder: folder.path().display().to_string() };
        assert_eq!(engine_for(kind, folder.path(), gate()).wake(), Err(missing));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_child_says_how_far_it_is_shut_off() {
    let mut engine = ChildEngine::new(EngineKind::Sface, &models(), gate());
    assert_eq!(engine.sandbox(), None);
    engine.wake().unwrap();
    let report = engine.sandbox().unwrap();
    assert_eq!((report.calls, report.limits), (Shut::Full, Shut::Full), "{report}");
    assert_eq!(report.is_full(), report.files == Shut::Full);
}

#[test]
fn a_child_ends_when_its_pipe_closes_or_makes_no_sense() {
    for garbage in [&b""[..], &[2, 0xff, 0xff, 0xff, 0xff], &[9, 0, 0, 0, 0], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut child = raw_child(&["--face-engine", "sface", "--models"], &models());
        let mut ready = [0u8; 8];
        child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        let mut requests = child.stdin.take().unwrap();
        requests.write_all(garbage).unwrap();
        drop(requests);
        let status = child.wait().unwrap();
        assert_eq!(status.success(), garbage.is_empty(), "{garbage:?} {status}");
    }
}

#[test]
fn a_frame_whose_size_lies_is_refused_and_the_child_lives() {
    let mut child = raw_child(&["--face-engine", "sface", "--models"], &models());
    let (mut requests, mut answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    answers.read_exact(&mut [0u8; 8]).unwrap();
    for (width, height, bytes) in [(640u32, 480u32, 3usize), (0, 0, 0), (u32::MAX, u32::MAX, 9), (1281, 1, 3843)] {
        let body = [&width.to_le_bytes()[..], &height.to_le_bytes(), &vec![7; bytes]].concat();
        requests.write_all(&[2]).unwrap();
        requests.write_all(&(body.len() as u32).to_le_bytes()).unwrap();
        requests.write_all(&body).unwrap();
        let mut refused = [0u8; 6];
        answers.read_exact(&mut refused).unwrap();
        assert_eq!(refused, [4, 1, 0, 0, 0, 3], "failed, one byte, out of range");
    }
    drop(requests);
    assert!(child.wait().unwrap().success());
}

#[test]
fn arguments_that_are_not_an_engines_end_it_with_a_word() {
    let odd: [&[&str]; 3] =
        [&["--face-engine"], &["--face-engine", "other", "--models"], &["--face-engine", "sface", "--folder"]];
    for arguments in odd {
        let mut child = raw_child(arguments, Path::new("nowhere"));
        let mut said = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut said).unwrap();
        assert_eq!(said.first(), Some(&4), "failed");
        assert!(!child.wait().unwrap().success());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_programs_need_no_shared_dlib() {
    let binary = std::fs::read(gate()).unwrap();
    let named = |name: &[u8]| binary.windows(name.len()).any(|window| window == name);
    assert!(named(b"libopenblas.so"), "the numeric library is shared");
    assert!(!named(b"libdlib.so"), "dlib is linked in");
}

fn raw_child(arguments: &[&str], models: &Path) -> Child {
    let mut command = Command::new(gate());
    command.args(arguments).arg(models).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn gate() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_menka-gate"))
}

fn models() -> PathBuf {
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("var/models");
    std::env::var_os("MENKA_MODELS").map_or_else(usual, PathBuf::from)
}
