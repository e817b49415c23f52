//! What the benches with a target say in the same words: how busy the machine is, and whether a target is met. `packaging/setup/bench.sh`
//! counts the lines that begin with `target, `.
#![allow(dead_code, reason = "each bench uses a part of it")]

/// Prints how many processes wanted a processor before the bench began: the targets are for an otherwise idle machine.
pub fn print_load() {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    match load.split_whitespace().take(3).collect::<Vec<_>>()[..] {
        [one, five, fifteen] => println!("load at start: {one}, {five}, {fifteen} (1, 5, 15 minutes), {cores} cores"),
        _ => println!("load at start: not known, {cores} cores"),
    }
}

/// Prints whether a target is met, and by which figure. A missed one fails nothing: the machine may be slow or busy.
pub fn judge(what: &str, met: bool, figure: &str) {
    println!("target, {what}: {} ({figure})", if met { "met" } else { "missed" });
}

/// Prints why a target could not be measured.
pub fn not_run(what: &str, reason: &str) {
    println!("target, {what}: not run: {reason}");
}
