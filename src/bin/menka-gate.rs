//! The gate daemon: joins everything, decides nothing.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Place of the engine child: `--face-engine` as the first argument goes to `menka::face::child::main` (feature `face`).
    let level = tracing_subscriber::EnvFilter::try_from_env("MENKA_LOG");
    tracing_subscriber::fmt()
        .with_env_filter(level.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .init();
    match menka::gate::cli::run(&arguments, &mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "menka-gate: {error}");
            ExitCode::FAILURE
        }
    }
}
