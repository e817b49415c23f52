//! The gate daemon: joins everything, decides nothing.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(all(feature = "practice", feature = "camera", target_os = "linux"))]
    if std::env::args().nth(1).as_deref() == Some("--camera-selftest") {
        return menka::capture::selftest::main(&std::env::args().skip(2).collect::<Vec<_>>());
    }
    ExitCode::SUCCESS
}
