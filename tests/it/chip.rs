//! A TPM 2.0 in software (swtpm), as a process of its own: one a computer.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use menka::ports::SecurityChip;

/// A computer's chip. Ends with the test.
pub struct Swtpm {
    process: Child,
    /// How it is named.
    pub at: String,
    _state: tempfile::TempDir,
}

impl Swtpm {
    /// Starts one, new from the factory. `None` where swtpm is not installed; with `MENKA_REQUIRE_DEVICES` that is a failure.
    pub fn start() -> Option<Self> {
        let state = tempfile::tempdir().unwrap();
        for _ in 0..20 {
            let port = free_pair();
            let started = Command::new("swtpm")
                .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate"])
                .arg(format!("dir={}", state.path().display()))
                .args(["--server", &format!("type=tcp,port={port},bindaddr=127.0.0.1")])
                .args(["--ctrl", &format!("type=tcp,port={},bindaddr=127.0.0.1", port + 1)])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let Ok(mut process) = started else {
                assert!(std::env::var_os("MENKA_REQUIRE_DEVICES").is_none(), "devices are required: no swtpm");
                println!("not run: swtpm is not installed");
                return None;
            };
            let until = Instant::now() + Duration::from_secs(5);
            // The control port is asked: a connection to the other one would be taken for a command.
            while Instant::now() < until && matches!(process.try_wait(), Ok(None)) {
                if TcpStream::connect((Ipv4Addr::LOCALHOST, port + 1)).is_ok() {
                    let at = format!("swtpm:host=127.0.0.1,port={port}");
                    return Some(Self { process, at, _state: state });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("swtpm does not start");
    }

    /// The desk's way to it.
    pub fn chip(&self) -> Box<dyn SecurityChip> {
        menka::chip::this_computer(Some(&self.at)).unwrap()
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two free ports, one above the other.
fn free_pair() -> u16 {
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind((Ipv4Addr::LOCALHOST, port + 1)).is_ok() {
            return port;
        }
    }
}
