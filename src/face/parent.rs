//! The parent's side: starts the child, asks it, and ends it when it dies, hangs or has done its work.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::sandbox::SandboxReport;
use super::{EngineKind, child, pipe};
use crate::domain::consent::Warrant;
use crate::domain::quality::{FaceBox, Look};
use crate::ports::{FaceEngine, FaceError};
use crate::secret::{EngineId, FaceTemplate, Frame};

/// Longest wait for one answer. Unoptimised builds on a busy machine are given more.
const ANSWER_LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 3 });
/// Longest wait for a child to load its models; the same holds.
const WAKE_LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 20 });
/// After this many answers a child is replaced: nothing that saw faces lives on for days.
const ANSWERS_MAX: u32 = 10_000;

/// A face engine in a child process.
///
/// Started by the first use (or [`FaceEngine::wake`]), replaced when it dies or hangs, ended by [`FaceEngine::rest`]
/// and by dropping. It cannot outlive this process: the kernel ends it, however this process ends.
pub struct ChildEngine {
    kind: EngineKind,
    models: PathBuf,
    program: PathBuf,
    running: Option<Running>,
}

impl ChildEngine {
    /// An engine that is not started yet; see [`super::engine_for`].
    pub fn new(kind: EngineKind, models: &Path, program: &Path) -> Self {
        Self { kind, models: models.into(), program: program.into(), running: None }
    }

    /// What the running child could shut before its first frame; `None` while there is none.
    pub fn sandbox(&self) -> Option<SandboxReport> {
        self.running.as_ref().map(|running| running.report)
    }

    /// The child's process number; `None` while there is none.
    pub fn process_id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.locked().id())
    }

    /// Lets the child try what its sandbox forbids: the error numbers of opening a file, writing one, making a UDP
    /// socket, connecting by TCP and starting a program; 0 where it was let through.
    ///
    /// # Errors
    /// See [`FaceError`].
    #[cfg(feature = "practice")]
    pub fn probe(&mut self) -> Result<Vec<i32>, FaceError> {
        self.ask(pipe::kind::PROBE, &[], |body| {
            let numbers = body.chunks_exact(4).filter_map(|four| Some(i32::from_le_bytes(four.try_into().ok()?)));
            Some(numbers.collect())
        })
    }

    /// Lets the child hang, to see it replaced.
    ///
    /// # Errors
    /// `Restarted` when all is well.
    #[cfg(feature = "practice")]
    pub fn stall(&mut self) -> Result<(), FaceError> {
        self.ask(pipe::kind::STALL, &[], |_| Some(()))
    }

    /// Asks the child one thing. On death, hang or an answer that makes no sense it is replaced, once.
    fn ask<T>(&mut self, kind: u8, parts: &[&[u8]], read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, FaceError> {
        if self.running.as_ref().is_some_and(|running| running.answers >= ANSWERS_MAX) {
            self.rest();
        }
        self.wake()?;
        match self.running.as_mut().map(|running| running.exchange(kind, parts)) {
            Some(Ok((answer, body))) if answer == kind => {
                if let Some(read) = read(&body) {
                    return Ok(read);
                }
            }
            Some(Ok((pipe::kind::FAILED, body))) => {
                if let Some(error) = pipe::error_of(&body) {
                    return Err(error);
                }
            }
            Some(Ok(_) | Err(_)) | None => {}
        }
        tracing::warn!(engine = self.kind.name(), "the face engine died, hung or answered nonsense; restarting it");
        self.rest();
        self.wake()?;
        Err(FaceError::Restarted)
    }

    fn start(&self) -> Result<Running, FaceError> {
        let mut running = Running::spawn(self.kind, &self.models, &self.program)?;
        match running.read_within(WAKE_LIMIT) {
            Ok((pipe::kind::READY, body)) => {
                let nonsense = || FaceError::CannotStart("its report makes no sense".into());
                running.report = SandboxReport::from_bytes(&body).ok_or_else(nonsense)?;
            }
            Ok((pipe::kind::FAILED, body)) => {
                let nonsense = FaceError::CannotStart("its failure makes no sense".into());
                return Err(pipe::error_of(&body).unwrap_or(nonsense));
            }
            Ok(_) => return Err(FaceError::CannotStart("the program is no face engine".into())),
            Err(_) => return Err(FaceError::CannotStart("it ended while it was loading".into())),
        }
        if !running.report.is_full() {
            tracing::warn!(engine = self.kind.name(), "the face engine's sandbox is not whole: {}", running.report);
        }
        Ok(running)
    }
}

impl FaceEngine for ChildEngine {
    fn engine(&self) -> EngineId {
        self.kind.id()
    }

    fn wake(&mut self) -> Result<(), FaceError> {
        if self.running.is_none() {
            self.running = Some(self.start()?);
        }
        Ok(())
    }

    fn locate(&mut self, _warrant: Warrant<'_>, frame: &Frame) -> Result<Look, FaceError> {
        let head = pipe::frame_head(frame, None);
        self.ask(pipe::kind::LOOK, &[&head, frame.rgb()], |body| pipe::look_of(body, frame))
    }

    fn extract(&mut self, warrant: Warrant<'_>, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError> {
        if matches!(warrant, Warrant::Watch(_)) {
            return Err(FaceError::Unsound);
        }
        let id = self.engine();
        let head = pipe::frame_head(&frame, Some(face));
        let parts: [&[u8]; 2] = [&head, frame.rgb()];
        self.ask(pipe::kind::TEMPLATE, &parts, |body| {
            FaceTemplate::from_unit_vector(id, &mut *pipe::template_of(body)?)
        })
    }

    fn rest(&mut self) {
        // Dropping it kills and reaps the child.
        self.running = None;
    }
}

/// A started child.
struct Running {
    child: Arc<Mutex<Child>>,
    requests: ChildStdin,
    answers_from: ChildStdout,
    watch: Sender<Watch>,
    report: SandboxReport,
    answers: u32,
}

impl Running {
    fn spawn(kind: EngineKind, models: &Path, program: &Path) -> Result<Self, FaceError> {
        let mut command = Command::new(program);
        command.arg(child::FLAG).arg(kind.name()).arg(child::MODELS).arg(models);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        settle(&mut command);
        let cannot = |e: std::io::Error| FaceError::CannotStart(e.to_string());
        let (watch, orders) = channel();
        let (started, start) = channel();
        // The kernel ends the child with the *thread* that started it (`sandbox::bind_to_parent`), so it is started by
        // the one thread that lives exactly as long as it is needed.
        let watcher = std::thread::Builder::new().name("face-watch".into()).spawn(move || match command.spawn() {
            Ok(mut child) => {
                let pipes = child.stdin.take().zip(child.stdout.take());
                let child = Arc::new(Mutex::new(child));
                // Nobody there to take it: it has been given up already.
                if started.send(Ok((Arc::clone(&child), pipes))).is_ok() {
                    keep_watch(&orders, &child);
                }
                end(&child);
            }
            Err(error) => drop(started.send(Err(error))),
        });
        watcher.map_err(cannot)?;
        let nobody = |_| FaceError::CannotStart("the thread that starts it ended".into());
        let (child, pipes) = start.recv().map_err(nobody)?.map_err(cannot)?;
        let Some((requests, answers_from)) = pipes else {
            end(&child);
            return Err(FaceError::CannotStart("it has no pipes".into()));
        };
        let report = SandboxReport { files: super::Shut::No, calls: super::Shut::No, limits: super::Shut::No };
        Ok(Self { child, requests, answers_from, watch, report, answers: 0 })
    }

    fn exchange(&mut self, kind: u8, parts: &[&[u8]]) -> std::io::Result<(u8, Zeroizing<Vec<u8>>)> {
        self.answers = self.answers.saturating_add(1);
        // A child that does not read blocks the writing too, so the watch covers both.
        let watch = self.watch(ANSWER_LIMIT);
        let answer = pipe::write(&mut self.requests, kind, parts)
            .and_then(|()| pipe::read(&mut self.answers_from, pipe::ANSWER_MAX));
        drop(watch);
        answer
    }

    fn read_within(&mut self, limit: Duration) -> std::io::Result<(u8, Zeroizing<Vec<u8>>)> {
        let watch = self.watch(limit);
        let answer = pipe::read(&mut self.answers_from, pipe::ANSWER_MAX);
        drop(watch);
        answer
    }

    /// Has the child killed unless the returned value is dropped within `limit`.
    fn watch(&self, limit: Duration) -> Watched {
        // The watcher ends with this value only, so it is there; if not, the pipe's end still is an answer.
        let _ = self.watch.send(Watch::Within(limit));
        Watched(self.watch.clone())
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&self.child);
    }
}

/// While it lives, the child is on the clock.
struct Watched(Sender<Watch>);

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.0.send(Watch::Done);
    }
}

/// Orders to the watcher.
enum Watch {
    /// Kill the child unless `Done` comes within this time.
    Within(Duration),
    /// It answered.
    Done,
}

/// Kills a child that is late: that closes the pipes, and the blocked reader or writer comes back with an error.
fn keep_watch(orders: &Receiver<Watch>, child: &Mutex<Child>) {
    while let Ok(order) = orders.recv() {
        let Watch::Within(limit) = order else { continue };
        if matches!(orders.recv_timeout(limit), Err(RecvTimeoutError::Timeout)) {
            end(child);
        }
    }
}

/// Kills and reaps.
fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // Both fail only when it is gone already.
    let _ = child.kill();
    let _ = child.wait();
}

/// A bare environment, one thread for the numeric libraries, and freed memory overwritten.
#[cfg(unix)]
fn settle(command: &mut Command) {
    command.env_clear();
    command.envs([("OPENBLAS_NUM_THREADS", "1"), ("RTEN_NUM_THREADS", "1")]);
    // glibc: fills what is freed, so that pieces of faces do not lie about on the heap while the child lives.
    command.envs([("MALLOC_PERTURB_", "165"), ("MALLOC_ARENA_MAX", "1")]);
}

#[cfg(windows)]
fn settle(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
    command.envs([("OPENBLAS_NUM_THREADS", "1"), ("RTEN_NUM_THREADS", "1")]);
}
