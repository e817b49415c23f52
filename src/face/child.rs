//! The child process: loads the models, shuts itself off, answers requests on its pipes until they close.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use super::dlib::DlibEngine;
use super::models::Models;
use super::sface::SfaceEngine;
use super::{Engine, EngineKind, pipe, sandbox};
use crate::ports::FaceError;

/// The hidden first argument that makes a program a face engine.
pub const FLAG: &str = "--face-engine";

/// The argument before the models folder.
pub const MODELS: &str = "--models";

/// Runs the child. `arguments` are those after the program's name: `--face-engine <sface|dlib> --models <folder>`.
///
/// Never returns to the desk's code: the caller passes the code on from its own `main`, before it opens anything.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    sandbox::bind_to_parent();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let Some((mut requests, mut answers)) = pipes() else { return ExitCode::FAILURE };
    let engine = match arguments.as_slice() {
        [flag, kind, models, folder] if flag == FLAG && models == MODELS => {
            kind.to_str().and_then(EngineKind::parse).map(|kind| load_and_shut(kind, Path::new(folder)))
        }
        _ => None,
    };
    let engine = engine.unwrap_or_else(|| Err(FaceError::CannotStart("the arguments are not an engine's".into())));
    match engine {
        Ok((engine, report)) => {
            if pipe::write(&mut answers, pipe::kind::READY, &[&report.to_bytes()]).is_err() {
                return ExitCode::FAILURE;
            }
            serve(engine, &mut requests, &mut answers)
        }
        Err(error) => {
            // The parent may be gone; then nobody needs the answer.
            let _ = pipe::write(&mut answers, pipe::kind::FAILED, &[&pipe::put_error(&error)]);
            ExitCode::FAILURE
        }
    }
}

/// Reads the models, then shuts the process off, then builds the network where that is possible: rten starts a
/// thread and parses the model inside the sandbox already. dlib reads from a path, so it must come first; the bytes
/// behind that path were checked and lie in memory.
fn load_and_shut(kind: EngineKind, folder: &Path) -> Result<(Box<dyn Engine>, sandbox::SandboxReport), FaceError> {
    let mut models = Models::read(kind, folder)?;
    match kind {
        EngineKind::Sface => {
            let report = sandbox::enter();
            Ok((Box::new(SfaceEngine::load(models)?), report))
        }
        EngineKind::Dlib => {
            let points = models.points.take();
            let engine = DlibEngine::load(models)?;
            let report = sandbox::enter();
            let engine = match points {
                Some(points) => engine.with_points(points)?,
                None => engine,
            };
            Ok((Box::new(engine), report))
        }
    }
}

/// Answers until the parent closes the pipe. A request that does not fit ends the process: ours always do.
fn serve(mut engine: Box<dyn Engine>, requests: &mut File, answers: &mut File) -> ExitCode {
    loop {
        let (kind, body) = match pipe::read(requests, pipe::REQUEST_MAX) {
            Ok(request) => request,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return ExitCode::SUCCESS,
            Err(_) => return ExitCode::FAILURE,
        };
        let answered = match kind {
            pipe::kind::LOOK => match pipe::frame_of(body, false) {
                Some((frame, _)) => engine.look(&frame).map(|look| pipe::put_look(&look).into()),
                None => Err(FaceError::OutOfRange),
            },
            pipe::kind::TEMPLATE => match pipe::frame_of(body, true) {
                // EXPOSE: the numbers go to the parent, which asked for them with a warrant.
                Some((frame, Some(face))) => engine.template(frame, &face).map(|t| pipe::put_template(t.expose())),
                _ => Err(FaceError::OutOfRange),
            },
            #[cfg(feature = "practice")]
            pipe::kind::PROBE => Ok(forbidden_attempts().into()),
            #[cfg(feature = "practice")]
            pipe::kind::STALL => loop {
                std::thread::sleep(std::time::Duration::from_secs(60));
            },
            _ => return ExitCode::FAILURE,
        };
        let written = match answered {
            Ok(body) => pipe::write(answers, kind, &[&body]),
            Err(error) => pipe::write(answers, pipe::kind::FAILED, &[&pipe::put_error(&error)]),
        };
        if written.is_err() {
            return ExitCode::FAILURE;
        }
    }
}

/// Standard input and output as plain files: the buffers of the standard library would keep pieces of frames.
#[cfg(unix)]
fn pipes() -> Option<(File, File)> {
    use std::os::fd::AsFd;
    let requests = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
    let answers = std::io::stdout().as_fd().try_clone_to_owned().ok()?;
    Some((requests.into(), answers.into()))
}

#[cfg(windows)]
fn pipes() -> Option<(File, File)> {
    use std::os::windows::io::AsHandle;
    let requests = std::io::stdin().as_handle().try_clone_to_owned().ok()?;
    let answers = std::io::stdout().as_handle().try_clone_to_owned().ok()?;
    Some((requests.into(), answers.into()))
}

/// Tries what the sandbox forbids: the error number of each attempt, 0 where it was let through.
#[cfg(feature = "practice")]
fn forbidden_attempts() -> Vec<u8> {
    let number = |error: std::io::Error| error.raw_os_error().unwrap_or(-1);
    let outcomes = [
        File::open("/etc/passwd").err().map_or(0, number),
        std::fs::write(std::env::temp_dir().join("menka-sandbox-probe"), b"x").err().map_or(0, number),
        std::net::UdpSocket::bind("127.0.0.1:0").err().map_or(0, number),
        std::net::TcpStream::connect("127.0.0.1:9").err().map_or(0, number),
        std::process::Command::new("/bin/true").status().err().map_or(0, number),
    ];
    outcomes.iter().flat_map(|outcome| outcome.to_le_bytes()).collect()
}
