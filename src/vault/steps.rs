//! Named points of long acts, between two writes. A practice build ends there at once when the environment says so, as if
//! the power had failed: tests start the program again afterwards. A shipped build knows no such thing.

/// Every point, in the order in which it is passed.
pub const STEPS: &[&str] = &[
    "erase/secret",
    "erase/cut",
    "erase/emptied",
    "erase/overwritten",
    "backup/copied",
    "backup/blinded",
    "backup/wrapped",
    "backup/written",
    "backup/header",
    "backup/tried",
    "restore/unpacked",
    "restore/keys",
    "restore/opened",
    "restore/ended",
    "restore/slots",
    "rotate/secret",
    "rotate/copied",
    "rotate/carried",
    "rotate/sealed",
    "rotate/recorded",
    "rotate/slots",
    "swap/decided",
    "swap/first",
    "swap/second",
    "swap/third",
    "swap/fourth",
    "swap/cleared",
];

/// Environment variable that names the point at which a practice build ends.
#[cfg(feature = "practice")]
pub const END_AT: &str = "MENKA_END_AT";

/// A point is reached.
pub(super) fn reached(step: &'static str) {
    debug_assert!(STEPS.contains(&step), "{step} is not listed");
    #[cfg(feature = "practice")]
    if std::env::var_os(END_AT).is_some_and(|at| at == step) {
        // No destructor runs: connections stay open, files stay as they are.
        std::process::abort();
    }
}
