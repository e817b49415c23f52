//! The system's printer, over the `lp` of CUPS.
//!
//! A paper goes in by a pipe and is never a file of ours. What a printer does not take within [`TAKEN_MAX`] is taken back: a notice or a
//! receipt must not come out when the resident is gone. Deliberately absent: printer settings, and a list of printers to choose from.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use crate::ports::{PrintError, Printer};

/// Longest wait until a printer has taken a paper.
pub const TAKEN_MAX: Duration = Duration::from_secs(45);
/// Longest wait for one program of CUPS.
const PROGRAM_MAX: Duration = Duration::from_secs(10);
/// Pause between two looks at the queue.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The default printer of this account, or the first one where none is the default.
#[derive(Debug, Default)]
pub struct SystemPrinter {
    running: Option<Receiver<Result<(), PrintError>>>,
}

impl SystemPrinter {
    /// Asks nothing until something is to be printed.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Printer for SystemPrinter {
    fn print(&mut self, pdf: Vec<u8>) {
        let (tell, outcome) = channel();
        let failed = tell.clone();
        let work = move || drop(tell.send(print(&pdf)));
        if std::thread::Builder::new().name("printing".into()).spawn(work).is_err() {
            let _ = failed.send(Err(PrintError::NoService));
        }
        self.running = Some(outcome);
    }

    fn outcome(&mut self) -> Option<Result<(), PrintError>> {
        let outcome = match self.running.as_ref()?.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(PrintError::NoService),
        };
        self.running = None;
        Some(outcome)
    }
}

fn print(pdf: &[u8]) -> Result<(), PrintError> {
    let job = match submit(pdf, None) {
        Err(PrintError::NoPrinter) => {
            // Without a scheduler `lp` only says that there is no default.
            let running = run(program("lpstat").arg("-r"), &[])?;
            if String::from_utf8_lossy(&running.stdout).contains("not running") {
                return Err(PrintError::NoService);
            }
            let listed = run(program("lpstat").arg("-e"), &[])?;
            let names = String::from_utf8_lossy(&listed.stdout).into_owned();
            let first = names.lines().map(str::trim).find(|name| !name.is_empty()).ok_or(PrintError::NoPrinter)?;
            submit(pdf, Some(first))?
        }
        other => other?,
    };
    let since = Instant::now();
    while since.elapsed() < TAKEN_MAX {
        // Every job that is not done yet.
        let waiting = run(program("lpstat").args(["-W", "not-completed", "-o"]), &[])?;
        let there =
            String::from_utf8_lossy(&waiting.stdout).lines().any(|l| l.split_whitespace().next() == Some(&*job));
        if waiting.status.success() && !there {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let _ = run(program("cancel").args(["-x", &job]), &[]);
    Err(PrintError::Stuck)
}

/// Hands a paper to the queue; the number of the job.
fn submit(pdf: &[u8], printer: Option<&str>) -> Result<String, PrintError> {
    let mut lp = program("lp");
    // The title stands in the queue and in its history: no name, no number.
    lp.args(["-t", "Menka", "-o", "media=A4"]);
    if let Some(name) = printer {
        lp.args(["-d", name]);
    }
    let done = run(&mut lp, pdf)?;
    if done.status.success() {
        // `request id is desk-12 (1 file(s))`
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let id = said.split_whitespace().skip_while(|word| *word != "is").nth(1);
        return id.map(str::to_owned).ok_or_else(|| PrintError::Refused("lp gave no number".into()));
    }
    let said = String::from_utf8_lossy(&done.stderr).to_lowercase();
    Err(if ["no default destination", "no destinations", "does not exist"].iter().any(|w| said.contains(w)) {
        PrintError::NoPrinter
    } else if ["scheduler", "connection refused", "unable to connect", "no such file"].iter().any(|w| said.contains(w))
    {
        PrintError::NoService
    } else {
        PrintError::Refused(said.lines().next().unwrap_or_default().chars().take(160).collect())
    })
}

/// Where the printing system of this machine listens.
const SOCKET: &str = if cfg!(target_os = "macos") { "/private/var/run/cupsd" } else { "/run/cups/cups.sock" };

/// The printing system that is asked: a socket of this machine in any case. Left to themselves, the programs of CUPS ask a server in the network
/// where a settings file names one, and port 631 where the socket is missing.
fn server(wished: Option<OsString>) -> OsString {
    wished.filter(|place| Path::new(place).is_absolute()).unwrap_or_else(|| SOCKET.into())
}

fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("CUPS_SERVER", server(std::env::var_os("CUPS_SERVER")));
    // Its words are read above.
    command.env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a program of CUPS with this on its input, for [`PROGRAM_MAX`] at most.
fn run(command: &mut Command, input: &[u8]) -> Result<Output, PrintError> {
    let mut child = command.spawn().map_err(|_| PrintError::NoService)?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that ends early has said why on its error output.
        let _ = pipe.write_all(input);
    }
    let since = Instant::now();
    while since.elapsed() < PROGRAM_MAX {
        match child.try_wait() {
            Ok(Some(_)) => return child.wait_with_output().map_err(|_| PrintError::NoService),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => break,
        }
    }
    end(&mut child);
    Err(PrintError::NoService)
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printing_system_elsewhere_is_never_asked() {
        let with = |wished: &str| server(Some(wished.into()));
        for elsewhere in ["", "print.example", "192.168.1.9:631", "localhost", "localhost:631", "relative/cups.sock"] {
            assert_eq!(with(elsewhere), SOCKET, "{elsewhere}");
        }
        assert_eq!(server(None), SOCKET);
        assert_eq!(with("/var/run/cups/cups.sock"), "/var/run/cups/cups.sock", "another socket of this machine");
    }
}
