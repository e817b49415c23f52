//! The gate daemon: joins everything, decides nothing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use menka::app::runner::SystemClock;
use menka::gate::cli::Joined;
use menka::gate::settings::FIRST_CAMERA;
use menka::ports::{CardReader, Clock, DoorCamera, FaceEngine};
use menka::secret::EngineId;

/// Freed memory is wiped, whatever type held it.
#[global_allocator]
static WIPED: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    #[cfg(feature = "face")]
    if arguments.first().is_some_and(|a| a == menka::face::child::FLAG) {
        return menka::face::child::main(std::env::args_os().skip(1));
    }
    #[cfg(all(feature = "practice", feature = "camera", target_os = "linux"))]
    if arguments.first().is_some_and(|a| a == "--camera-selftest") {
        let phase = arguments.get(1..).unwrap_or_default();
        #[cfg(feature = "face")]
        if phase.first().is_some_and(|name| name == "face") {
            return menka::practice::camera_check::main(phase.get(1..).unwrap_or_default());
        }
        return menka::capture::selftest::main(phase);
    }
    #[cfg(feature = "practice")]
    if arguments.first().is_some_and(|a| a == "--practice-board") {
        return menka::practice::board::main(arguments.get(1..).unwrap_or_default());
    }
    if arguments.first().is_some_and(|a| a == "board") {
        let now = SystemClock.now();
        return match menka::boards::cli::run(arguments.get(1..).unwrap_or_default(), now, &mut std::io::stdout()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "menka-gate: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let level = tracing_subscriber::EnvFilter::try_from_env("MENKA_LOG");
    tracing_subscriber::fmt()
        .with_env_filter(level.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .init();
    match menka::gate::cli::run_with(&arguments, &mut std::io::stdout(), joined()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "menka-gate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The devices of this build.
fn joined() -> Joined {
    #[cfg(all(feature = "practice", feature = "face"))]
    let (console, practice) = {
        let controls = menka::practice::Controls::new();
        (Some(menka::practice::console::at_the_door(controls.clone())), controls)
    };
    #[cfg(not(all(feature = "practice", feature = "face")))]
    let console = None;
    let camera = move |device: &str| -> Option<Box<dyn DoorCamera>> {
        #[cfg(all(feature = "practice", feature = "face"))]
        if device == menka::practice::console::CAMERA {
            return menka::practice::console::camera(&practice);
        }
        webcam(if device == FIRST_CAMERA { "" } else { device })
    };
    Joined { console, boards: Box::new(menka::boards::UdpBoards::new()), reader, camera: Box::new(camera), engine }
}

#[cfg(feature = "camera")]
#[allow(clippy::unnecessary_wraps, reason = "other builds have none")]
fn webcam(device: &str) -> Option<Box<dyn DoorCamera>> {
    Some(Box::new(menka::capture::Webcam::for_door(device)))
}

#[cfg(not(feature = "camera"))]
fn webcam(_device: &str) -> Option<Box<dyn DoorCamera>> {
    None
}

#[cfg(feature = "cards")]
#[allow(clippy::unnecessary_wraps, reason = "other builds have none")]
fn reader() -> Option<Box<dyn CardReader>> {
    Some(Box::new(menka::cards::PcscReader::new()))
}

#[cfg(not(feature = "cards"))]
fn reader() -> Option<Box<dyn CardReader>> {
    None
}

#[cfg(feature = "face")]
fn engine(engine: &EngineId, models: Option<&Path>) -> Option<Box<dyn FaceEngine>> {
    let kind = menka::face::EngineKind::ALL.into_iter().find(|kind| kind.id() == *engine)?;
    let usual = || std::env::var_os("MENKA_MODELS").map_or_else(|| "/usr/share/menka/models".into(), PathBuf::from);
    let models = models.map_or_else(usual, Path::to_path_buf);
    // A practice build may be lent an engine that runs elsewhere: the camera test's virtual machine is too slow for one.
    #[cfg(feature = "practice")]
    let lent = std::env::var_os("MENKA_ENGINE").map(PathBuf::from);
    #[cfg(not(feature = "practice"))]
    let lent = None;
    let program = lent.or_else(|| std::env::current_exe().ok())?;
    Some(menka::face::engine_for(kind, &models, &program))
}

#[cfg(not(feature = "face"))]
fn engine(_engine: &EngineId, _models: Option<&Path>) -> Option<Box<dyn FaceEngine>> {
    None
}
