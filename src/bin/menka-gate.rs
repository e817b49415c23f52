//! The gate daemon: joins everything, decides nothing.

use std::io::Write;
use std::process::ExitCode;

use menka::app::runner::SystemClock;
use menka::ports::Clock;

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
    #[cfg(all(feature = "practice", feature = "face"))]
    let console = Some(menka::practice::console::at_the_door());
    #[cfg(not(all(feature = "practice", feature = "face")))]
    let console = None;
    let joined = menka::gate::cli::Joined { console, boards: Box::new(menka::boards::UdpBoards::new()) };
    match menka::gate::cli::run_with(&arguments, &mut std::io::stdout(), joined) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "menka-gate: {error}");
            ExitCode::FAILURE
        }
    }
}
