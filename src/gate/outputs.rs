//! The ways out of a gate to its door: a log line, a command, a GPIO line, a card board. What is chosen stands in the gate's own `gate.toml`.
//!
//! A door that hangs or fails is logged and answered as failed in time; it holds up neither the card way nor the station.

use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use super::door::{Door, DoorOpens, LogDoor};
use super::settings::DoorPlan;
use crate::domain::board::{BoardSerial, DoorNumber};
use crate::ports::BoardLink;
use crate::wire::board::{Answer, Ask};

/// How long somebody at the door, and the gate with them, waits for a door to answer.
pub const DOOR_WITHIN: Duration = Duration::from_millis(1_500);

/// Longest run of a command; then it is ended.
const COMMAND_MAX: Duration = Duration::from_secs(5);

/// Why a door cannot be made ready (installer).
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The line is not there, in use by somebody else, or this build knows none.
    #[error("the GPIO line {line} of {chip} cannot be used: {why}")]
    Line {
        /// The chip's device file.
        chip: String,
        /// Its line.
        line: u32,
        /// What the system says.
        why: String,
    },
    /// No thread could be had.
    #[error("the door cannot be served: {0}")]
    Thread(#[from] std::io::Error),
}

/// Makes the door of a plan ready. `boards` is the wire to card boards.
///
/// # Errors
/// [`OutputError`]; a board or a command that is away now is not an error.
pub fn door(plan: &DoorPlan, boards: Box<dyn BoardLink>) -> Result<Box<dyn Door>, OutputError> {
    let inner: Box<dyn Output> = match plan {
        DoorPlan::Log => return Ok(Box::new(LogDoor)),
        DoorPlan::Command { command } => Box::new(CommandDoor { argv: command.clone() }),
        DoorPlan::Line { chip, line, active_low, hold_ms } => {
            line_door(chip, *line, *active_low, Duration::from_millis(u64::from(*hold_ms)))?
        }
        DoorPlan::Board { address, serial, door } => {
            Box::new(BoardDoor { link: boards, address: address.clone(), serial: *serial, door: *door })
        }
    };
    Ok(Box::new(PromptDoor::new(inner)?))
}

/// One way out. May take its time; [`PromptDoor`] sees to it that nobody waits.
trait Output: Send {
    /// Releases the lock.
    fn release(&mut self) -> Result<(), String>;
    /// What follows when the answer is given: the line goes back after its time. Who comes meanwhile is answered from here.
    fn afterwards(&mut self, _due: &Receiver<Job>) {}
}

/// Somebody waits for the door, for so long, and for this answer.
struct Job {
    answer: SyncSender<DoorOpens>,
    until: Instant,
}

/// Gives an output a thread of its own and answers in time.
struct PromptDoor {
    jobs: SyncSender<Job>,
}

impl PromptDoor {
    fn new(mut output: Box<dyn Output>) -> std::io::Result<Self> {
        let (jobs, due) = mpsc::sync_channel::<Job>(1);
        std::thread::Builder::new().name("door".into()).spawn(move || {
            while let Ok(Job { answer, until }) = due.recv() {
                if Instant::now() >= until {
                    // The one before took too long: whoever waited was told that it failed, and has gone.
                    continue;
                }
                let opens = match output.release() {
                    Ok(()) => DoorOpens::Yes,
                    Err(why) => {
                        tracing::trace!(why, "the door did not open");
                        DoorOpens::Failed
                    }
                };
                let _ = answer.send(opens);
                output.afterwards(&due);
            }
        })?;
        Ok(Self { jobs })
    }
}

impl Door for PromptDoor {
    fn release(&mut self) -> DoorOpens {
        let (answer, opens) = mpsc::sync_channel(1);
        match self.jobs.try_send(Job { answer, until: Instant::now() + DOOR_WITHIN }) {
            Ok(()) => match opens.recv_timeout(DOOR_WITHIN) {
                Ok(opens) => opens,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    tracing::trace!("the door did not answer in time");
                    DoorOpens::Failed
                }
            },
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                tracing::trace!("the door still has not answered");
                DoorOpens::Failed
            }
        }
    }
}

/// Runs a program with fixed words: no shell reads them, and nothing of who opened is among them.
struct CommandDoor {
    argv: Vec<String>,
}

impl Output for CommandDoor {
    fn release(&mut self) -> Result<(), String> {
        let (program, words) = self.argv.split_first().ok_or("no command")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let until = Instant::now() + COMMAND_MAX;
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{program}: {status}")),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                Ok(None) | Err(_) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("{program} did not end"));
                }
            }
        }
    }
}

/// Asks a card board to open one of its doors.
struct BoardDoor {
    link: Box<dyn BoardLink>,
    address: String,
    serial: BoardSerial,
    door: DoorNumber,
}

impl Output for BoardDoor {
    fn release(&mut self) -> Result<(), String> {
        match self.link.ask(&self.address, Some(self.serial), &Ask::Open(self.door), DOOR_WITHIN) {
            Ok((_, Answer::Opened(true))) => Ok(()),
            Ok(_) => Err("the board did not open it".into()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Waits until a door that stands open has been held for its time. Who opens it meanwhile is told that it is open, and it is held for as long
/// again from then on.
fn held_open(due: &Receiver<Job>, hold: Duration) {
    let mut until = Instant::now() + hold;
    loop {
        match due.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(job) => {
                until = Instant::now() + hold;
                let _ = job.answer.send(DoorOpens::Yes);
            }
            Err(RecvTimeoutError::Timeout) => return,
            // The gate ends; the door has its time all the same.
            Err(RecvTimeoutError::Disconnected) => {
                return std::thread::sleep(until.saturating_duration_since(Instant::now()));
            }
        }
    }
}

/// Drives a relay by a GPIO line: active for a while, then back.
#[cfg(target_os = "linux")]
struct LineDoor {
    request: gpiocdev::Request,
    line: u32,
    hold: Duration,
}

#[cfg(target_os = "linux")]
impl Output for LineDoor {
    fn release(&mut self) -> Result<(), String> {
        let set = self.request.set_value(self.line, gpiocdev::line::Value::Active);
        set.map(|_| ()).map_err(|error| error.to_string())
    }

    fn afterwards(&mut self, due: &Receiver<Job>) {
        held_open(due, self.hold);
        if let Err(error) = self.request.set_value(self.line, gpiocdev::line::Value::Inactive) {
            tracing::trace!(%error, "the door's line did not go back");
        }
    }
}

#[cfg(target_os = "linux")]
fn line_door(chip: &str, line: u32, active_low: bool, hold: Duration) -> Result<Box<dyn Output>, OutputError> {
    let mut wanted = gpiocdev::Request::builder();
    wanted.on_chip(chip).with_consumer("menka-gate door").with_line(line);
    if active_low {
        wanted.as_active_low();
    }
    // Inactive from the first moment on: starting the gate opens nothing.
    let request = wanted.as_output(gpiocdev::line::Value::Inactive).request();
    let request = request.map_err(|error| OutputError::Line { chip: chip.into(), line, why: error.to_string() })?;
    Ok(Box::new(LineDoor { request, line, hold }))
}

#[cfg(not(target_os = "linux"))]
fn line_door(chip: &str, line: u32, _active_low: bool, _hold: Duration) -> Result<Box<dyn Output>, OutputError> {
    Err(OutputError::Line { chip: chip.into(), line, why: "this system has no GPIO character device".into() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::boards::UdpBoards;

    fn command(words: &[&str]) -> Box<dyn Door> {
        let command = words.iter().map(ToString::to_string).collect();
        door(&DoorPlan::Command { command }, Box::new(UdpBoards::new())).unwrap()
    }

    #[test]
    fn a_command_gets_its_words_as_they_are_and_no_shell_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("a b; touch c $(id)");
        let mut door = command(&["touch", name.to_str().unwrap()]);
        assert_eq!(door.release(), DoorOpens::Yes);
        let made: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(made, [name.file_name().unwrap()]);
    }

    #[test]
    fn a_command_that_fails_is_missing_or_hangs_is_a_failed_door_in_time() {
        assert_eq!(command(&["false"]).release(), DoorOpens::Failed);
        assert_eq!(command(&["/nonexistent/opener"]).release(), DoorOpens::Failed);
        let mut hangs = command(&["sleep", "60"]);
        for _ in 0..3 {
            let begun = Instant::now();
            assert_eq!(hangs.release(), DoorOpens::Failed);
            assert!(begun.elapsed() < DOOR_WITHIN + Duration::from_millis(700));
        }
    }

    /// Somebody came while a slow command ran, heard that the door failed, and went: it opened for nobody, seconds later.
    #[test]
    fn a_slow_command_is_not_run_once_more_for_somebody_who_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let script = format!("echo run >> '{}'; sleep 4", runs.display());
        let mut door = command(&["sh", "-c", &script]);
        assert_eq!(door.release(), DoorOpens::Failed, "it did not say so in time");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(door.release(), DoorOpens::Failed, "the first one still runs");
        std::thread::sleep(Duration::from_millis(2_500));
        assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\n");
        assert_eq!(door.release(), DoorOpens::Failed);
        assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\nrun\n", "whoever is there gets another");
    }

    /// A line that is active from its release until it goes back.
    struct Held {
        hold: Duration,
        pulses: std::sync::Arc<std::sync::atomic::AtomicU32>,
        went_back: SyncSender<Instant>,
    }

    impl Output for Held {
        fn release(&mut self) -> Result<(), String> {
            self.pulses.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        }

        fn afterwards(&mut self, due: &Receiver<Job>) {
            held_open(due, self.hold);
            let _ = self.went_back.send(Instant::now());
        }
    }

    #[test]
    fn who_comes_while_a_line_is_held_finds_an_open_door_and_it_is_held_anew() {
        let (went_back, back) = mpsc::sync_channel(8);
        let pulses = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        // Longer than anybody waits for a door.
        let hold = DOOR_WITHIN + Duration::from_millis(700);
        let mut door = PromptDoor::new(Box::new(Held { hold, pulses: pulses.clone(), went_back })).unwrap();
        assert_eq!(door.release(), DoorOpens::Yes);
        std::thread::sleep(Duration::from_millis(200));
        for _ in 0..2 {
            let begun = Instant::now();
            assert_eq!(door.release(), DoorOpens::Yes, "it stands open");
            assert!(begun.elapsed() < DOOR_WITHIN);
        }
        let last = Instant::now();
        let closed = back.recv_timeout(hold * 2).unwrap();
        assert!(closed + Duration::from_millis(50) >= last + hold, "held for its whole time from the last one on");
        assert_eq!(pulses.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert!(back.recv_timeout(Duration::from_millis(300)).is_err(), "nothing pulses by itself afterwards");
    }

    #[test]
    fn a_line_that_is_not_there_is_said_at_the_start() {
        let plan = DoorPlan::Line { chip: "/dev/gpiochip99".into(), line: 3, active_low: false, hold_ms: 500 };
        let failed = door(&plan, Box::new(UdpBoards::new())).err().map(|error| error.to_string());
        assert!(failed.is_some_and(|why| why.contains("/dev/gpiochip99")));
    }

    /// With the kernel's own GPIO simulator (`gpio-sim`), where it is there: the line really goes active and back.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_line_goes_active_for_its_time_and_back() {
        let simulators = std::path::Path::new("/sys/kernel/config/gpio-sim");
        let place = simulators.join("menka-door-test");
        let bank = place.join("bank0");
        let made = std::fs::create_dir(&place).and_then(|()| std::fs::create_dir(&bank));
        let lit = made
            .and_then(|()| std::fs::write(bank.join("num_lines"), "4"))
            .and_then(|()| std::fs::write(place.join("live"), "1"));
        if let Err(why) = lit {
            use std::io::Write as _;
            let _ = writeln!(std::io::stdout(), "GPIO door: not run: {}: {why}", simulators.display());
            return;
        }
        let read = |file: &std::path::Path| std::fs::read_to_string(file).unwrap().trim().to_owned();
        let (chip, device) = (read(&bank.join("chip_name")), read(&place.join("dev_name")));
        let value = std::path::PathBuf::from(format!("/sys/devices/platform/{device}/{chip}/sim_gpio2/value"));
        let plan = DoorPlan::Line { chip: format!("/dev/{chip}"), line: 2, active_low: false, hold_ms: 300 };
        let mut door = door(&plan, Box::new(UdpBoards::new())).unwrap();
        assert_eq!(read(&value), "0", "starting opens nothing");
        assert_eq!(door.release(), DoorOpens::Yes);
        assert_eq!(read(&value), "1");
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(read(&value), "0");
        drop(door);
        std::thread::sleep(Duration::from_millis(50));
        std::fs::write(place.join("live"), "0").unwrap();
        std::fs::remove_dir(&bank).and_then(|()| std::fs::remove_dir(&place)).unwrap();
    }
}
