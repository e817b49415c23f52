//! The desk process as the test holds it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::control::Control;

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Confirmed.
    Ok(String),
    /// Told as failed.
    Failed(String),
    /// The process ended before it answered.
    Dead,
}

impl Said {
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }
}

/// A running desk.
pub struct DeskProcess {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

/// Longest wait for one answer: an enrollment with every wait of its own in it.
const ANSWER_MAX: Duration = Duration::from_secs(240);

impl DeskProcess {
    pub fn start(folder: &Path, library: &Path, control: &Control, with_faces: bool) -> Self {
        Self::start_with(folder, library, control, with_faces, (None, None))
    }

    /// The same; it ends by itself when it reaches a named point (`menka::vault::STEPS`), and finds this security chip.
    pub fn start_with(
        folder: &Path,
        library: &Path,
        control: &Control,
        with_faces: bool,
        (end_at, chip): (Option<&str>, Option<&str>),
    ) -> Self {
        // Whatever it writes below the site's folder counts: the vault, and a backup beside it.
        let data: PathBuf = folder.to_owned();
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["desk", if with_faces { "faces" } else { "cards" }])
            .arg(folder)
            .envs(control.environment(library, &data))
            .envs(end_at.map(|step| ("MENKA_END_AT", step)))
            .envs(chip.map(|at| (super::child::CHIP, at)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the desk starts");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut desk = Self { child, input, lines };
        assert_eq!(desk.next(&mut || {}).as_deref(), Some("ready"), "the desk starts");
        desk
    }

    /// Gives a command and waits for its answer; `meanwhile` runs every few milliseconds.
    pub fn ask(&mut self, line: &str, mut meanwhile: impl FnMut()) -> Said {
        if writeln!(self.input, "{line}").and_then(|()| self.input.flush()).is_err() {
            return Said::Dead;
        }
        match self.next(&mut meanwhile) {
            None => Said::Dead,
            Some(answer) => match answer.split_once(' ') {
                Some(("ok", rest)) => Said::Ok(rest.trim().to_owned()),
                Some(("failed", rest)) => Said::Failed(rest.to_owned()),
                _ => Said::Failed(format!("an odd answer: {answer}")),
            },
        }
    }

    fn next(&mut self, meanwhile: &mut impl FnMut()) -> Option<String> {
        let start = Instant::now();
        loop {
            match self.lines.recv_timeout(Duration::from_millis(15)) {
                Ok(line) => return Some(line),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => meanwhile(),
            }
            if start.elapsed() > ANSWER_MAX {
                println!("  the desk does not answer");
                self.kill();
                return None;
            }
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for DeskProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
