//! `make chaos`: a real desk and real gates, each a process of its own, are killed, starved of disk, lied to by the clock and cut off by the
//! network; afterwards nothing that was confirmed may be lost, doubled or back from the dead. Not part of `make test` except for `smoke`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs, reason = "a test program")]

mod acts;
mod child;
mod clocks;
mod control;
mod desk;
mod disks;
mod duties;
mod kills;
mod net;
mod proxy;
mod report;
mod starts;
mod theft;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use acts::Act;
use control::Fault;
use duties::Duty;
use kills::Where;
use proxy::NetFault;
use report::Report;
use world::World;

/// The gate program: where `packaging/setup/chaos.sh` put a copy, so that a build in the meantime changes nothing.
pub fn gate_program() -> PathBuf {
    std::env::var_os("MENKA_CHAOS_GATE").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_menka-gate")), Into::into)
}

/// As in the shipped desk: freed memory is wiped.
#[global_allocator]
static WIPED: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

pub fn models() -> PathBuf {
    found("MENKA_MODELS", "var/models")
}

pub fn pictures() -> PathBuf {
    found("MENKA_PICTURES", "var/pictures")
}

fn found(name: &str, usual: &str) -> PathBuf {
    std::env::var_os(name).map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(usual), Into::into)
}

/// A number from the environment.
fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["desk", kind, folder] = words[..] {
        child::main(Path::new(folder), kind == "faces");
        return ExitCode::SUCCESS;
    }
    if let ["open", folder] = words[..] {
        return starts::open_only(Path::new(folder));
    }
    if let ["keys", folder] = words[..] {
        return theft::print_keys(Path::new(folder));
    }
    let Some(library) = std::env::var_os("MENKA_CHAOS_LIBRARY").map(PathBuf::from) else {
        println!("chaos: run `make chaos`, which builds the fault library");
        return ExitCode::FAILURE;
    };
    let report = Report::default();
    match words[..] {
        ["smoke"] => smoke(&report, &library),
        ["theft"] => theft::search(&report, &library),
        ["list"] => return list(),
        ["netem"] => net::on_a_bad_line(&report, &library, &net::ACTS),
        ["netem", ref acts @ ..] => net::on_a_bad_line(&report, &library, acts),
        ["one", name, place, fault, at] => one(&report, &library, (name, place, fault, at)),
        ["sweep", name, place] => {
            let place = if place == "gate" { Where::Gate } else { Where::Desk };
            let act = Act::named(name);
            let mut world = World::new(&report, &library, place_name(place), 2, act.is_long());
            kills::sweep(&mut world, act, place, &Fault::KILLS, stride(1));
        }
        ["duty", name, place] => {
            let place = if place == "gate" { Where::Gate } else { Where::Desk };
            let mut site = duties::Site::new(&report, &library, place_name(place));
            duties::sweep(&mut site, Duty::named(name).expect("a duty"), place, stride(1));
        }
        ["net", name] => net::sweeps(&report, &library, &NetFault::ALL, &[name], stride(1)),
        [name] if SECTIONS.iter().any(|(known, _)| *known == name) => {
            SECTIONS.iter().filter(|(known, _)| *known == name).for_each(|(_, run)| run(&report, &library));
        }
        _ => {
            println!(
                "chaos: smoke | list | netem [ACT...] | SECTION | one ACT desk|gate FAULT N | sweep ACT desk|gate | duty DUTY desk|gate | net ACT"
            );
            return ExitCode::FAILURE;
        }
    }
    report.print();
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A part of `make chaos`, by its name.
type Section = (&'static str, fn(&Report, &Path));

/// Acts before which somebody must come before the camera take a stride of their own (`CHAOS_LONG_STRIDE`); 1 is every write.
const SECTIONS: [Section; 20] = [
    ("desk-kills", |r, l| kills::sweeps(r, l, Where::Desk, &Fault::KILLS, long_stride(), stride(1))),
    ("gate-kills", |r, l| kills::sweeps(r, l, Where::Gate, &Fault::KILLS, long_stride(), stride(1))),
    ("desk-errors", |r, l| kills::sweeps(r, l, Where::Desk, &Fault::ERRORS, long_stride(), stride(1))),
    ("gate-errors", |r, l| kills::sweeps(r, l, Where::Gate, &Fault::ERRORS, long_stride(), stride(1))),
    ("first-run", |r, l| starts::first_run(r, l, stride(1))),
    ("unlock", |r, l| starts::unlocks(r, l, stride(1))),
    ("gate-tools", |r, l| starts::gate_tools(r, l, stride(1))),
    ("migrate", |r, l| starts::migrations(r, l, stride(1))),
    ("named-points", |r, l| duties::points(r, l)),
    ("desk-duties", |r, l| duties::sweeps(r, l, Where::Desk, duty_stride())),
    ("gate-duties", |r, l| duties::sweeps(r, l, Where::Gate, duty_stride())),
    ("network-duties", |r, l| duties::net(r, l, &NetFault::QUICK, duty_stride())),
    ("network-duties-slow", |r, l| duties::net(r, l, &NetFault::SLOW, duty_stride())),
    ("pairing", |r, l| starts::pairing(r, l, stride(1))),
    ("random-desk", |r, l| kills::random(r, l, Where::Desk, setting("CHAOS_KILLS", 1_000), seed())),
    ("random-gate", |r, l| kills::random(r, l, Where::Gate, setting("CHAOS_KILLS", 1_000) / 2, seed())),
    ("network", |r, l| net::sweeps(r, l, &NetFault::QUICK, &net::ACTS, stride(1))),
    ("network-slow", |r, l| net::sweeps(r, l, &NetFault::SLOW, &net::ACTS, long_stride())),
    ("disks", |r, l| disks::full_and_read_only(r, l)),
    ("clocks", |r, l| clocks::forth_and_back(r, l)),
];

fn list() -> ExitCode {
    SECTIONS.iter().for_each(|(name, _)| println!("{name}"));
    ExitCode::SUCCESS
}

fn seed() -> u64 {
    setting("CHAOS_SEED", 20_261_122)
}

fn stride(usual: u64) -> u64 {
    setting("CHAOS_STRIDE", usual).max(1)
}

fn long_stride() -> u64 {
    setting("CHAOS_LONG_STRIDE", 5).max(1)
}

/// Duties take seconds each; 1 is every write.
fn duty_stride() -> u64 {
    setting("CHAOS_DUTY_STRIDE", 9).max(1)
}

/// A little of everything, under a minute.
fn smoke(report: &Report, library: &Path) {
    let mut world = World::new(report, library, "smoke", 1, true);
    let start = std::time::Instant::now();
    let issue = Act::named("issue a card");
    for (at, fault) in (1..).zip(Fault::KILLS.into_iter().cycle()).take(12).map(|(n, fault)| (n * 4, fault)) {
        kills::once(&mut world, issue, Where::Desk, fault, at);
    }
    for (at, fault) in (1..).zip(Fault::KILLS) {
        kills::once(&mut world, Act::named("deliver a card"), Where::Gate, fault, at * 2);
    }
    for (at, fault) in (1..).zip(NetFault::QUICK) {
        net::once(&mut world, Act::named("deliver a card"), fault, at * 3);
    }
    kills::once(&mut world, Act::named("enroll"), Where::Desk, Fault::PowerCutMixed, 90);
    kills::once(&mut world, Act::named("erase"), Where::Gate, Fault::Kill, 3);
    world.check_all();
    println!("smoke seconds: {}", start.elapsed().as_secs());
}

fn place_name(place: Where) -> &'static str {
    if place == Where::Gate { "gate killed" } else { "desk killed" }
}

/// One fault at one write, to look at what broke.
fn one(report: &Report, library: &Path, (name, place, fault, at): (&str, &str, &str, &str)) {
    let place = if place == "gate" { Where::Gate } else { Where::Desk };
    let all = Fault::KILLS.into_iter().chain(Fault::ERRORS);
    let fault = all.into_iter().find(|f| format!("{f:?}").eq_ignore_ascii_case(fault)).expect("a fault");
    let act = Act::named(name);
    let mut world = World::new(report, library, place_name(place), 2, act.is_long());
    let fired = kills::once(&mut world, act, place, fault, at.parse().expect("a number"));
    println!("happened: {fired}");
    world.check_all();
}
