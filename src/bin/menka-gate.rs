//! The gate daemon: joins everything, decides nothing.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "face")]
    if std::env::args_os().nth(1).is_some_and(|argument| argument == menka::face::child::FLAG) {
        return menka::face::child::main(std::env::args_os().skip(1));
    }
    ExitCode::SUCCESS
}
