//! `make chaos`: a real desk and real gates, each a process of its own, are killed, starved of disk, lied to by the clock and cut off by the
//! network; afterwards nothing that was confirmed may be lost, doubled or back from the dead. Not part of `make test` except for `smoke`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs, reason = "a test program")]

mod acts;
mod boards;
mod child;
mod child_site;
// As the integration tests start one.
#[allow(dead_code, reason = "not all of it is used here")]
#[path = "../it/chip.rs"]
mod chip;
mod clocks;
mod control;
mod desk;
mod disks;
mod duties;
mod duty_sweeps;
mod faces;
mod house;
mod kills;
mod late;
mod net;
mod proxy;
mod remains;
mod report;
mod starts;
mod theft;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use acts::Act;
use control::Fault;
use duties::Duty;
use kills::{Dose, Where};
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
        ["sweep", name, place, kind] => {
            let (place, act) = (place_named(place), Act::named(name));
            let mut world = World::new(&report, &library, place_name(place), 2, act.is_long());
            kills::sweep(&mut world, act, place, faults_named(kind), if act.is_long() { long() } else { short() });
        }
        ["duty", name, place, kind] => {
            let place = place_named(place);
            let names = [Duty::named(name).expect("a duty").name];
            duty_sweeps::sweeps(&report, &library, place, faults_named(kind), &names, duty());
        }
        ["net", name] => net::sweeps(&report, &library, &NetFault::ALL, &[name], stride()),
        ["line", name, kind] => {
            let faults = if kind == "slow" { &NetFault::SLOW[..] } else { &NetFault::QUICK };
            duty_sweeps::net(&report, &library, faults, &[name], duty());
        }
        [name] if SECTIONS.iter().any(|(known, _)| *known == name) => {
            SECTIONS.iter().filter(|(known, _)| *known == name).for_each(|(_, run)| run(&report, &library));
        }
        _ => {
            println!(
                "chaos: smoke | list | netem [ACT...] | SECTION | one ACT PLACE FAULT N | sweep ACT PLACE kills|errors | duty DUTY PLACE kills|errors | \
                 net ACT | line DUTY quick|slow; a PLACE is desk, gate or giver"
            );
            return ExitCode::FAILURE;
        }
    }
    report.print();
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A part of `make chaos`, by its name.
type Section = (&'static str, fn(&Report, &Path));

/// Duties of the vault; each is a section of its own.
const VAULT: [&str; 3] = ["backup", "restore", "rotate"];
/// Duties of gates among each other.
const GATES: [&str; 6] = ["renew", "fill", "replace", "pair", "unpair", "put right"];

/// Duties that come when something has happened.
const LATE: [&str; 2] = ["incident", "report"];

/// The longest first, so that those beside each other end together.
const SECTIONS: [Section; 36] = [
    ("network-slow", |r, l| net::sweeps(r, l, &NetFault::SLOW, &net::ACTS, slow_stride())),
    ("desk-duties", |r, l| duty_sweeps::sweeps(r, l, Where::Desk, &Fault::KILLS, &GATES, duty())),
    ("by-rule", |r, l| duty_sweeps::sweeps(r, l, Where::Desk, &Fault::KILLS, &["ends by rule"], duty())),
    ("desk-kills-faces", |r, l| kills::sweeps(r, l, Where::Desk, &Fault::KILLS, (true, long()))),
    ("network-duties-slow", |r, l| duty_sweeps::net(r, l, &NetFault::SLOW, &[], slow_duty())),
    ("chip", |r, l| duty_sweeps::sweeps(r, l, Where::Desk, &Fault::KILLS, &["bind", "release"], duty_errors())),
    ("vault-kills", |r, l| duty_sweeps::sweeps(r, l, Where::Desk, &Fault::KILLS, &VAULT, duty())),
    ("random-desk", |r, l| kills::random(r, l, Where::Desk, setting("CHAOS_KILLS", 1_000), seed())),
    ("network-duties", |r, l| duty_sweeps::net(r, l, &NetFault::QUICK, &[], duty())),
    ("vault-errors", |r, l| duty_sweeps::sweeps(r, l, Where::Desk, &Fault::ERRORS, &VAULT, duty_errors())),
    ("gate-duties", |r, l| duty_sweeps::sweeps(r, l, Where::Gate, &Fault::KILLS, &GATES, duty())),
    ("desk-errors-faces", |r, l| kills::sweeps(r, l, Where::Desk, &Fault::ERRORS, (true, long_errors()))),
    ("random-gate", |r, l| kills::random(r, l, Where::Gate, setting("CHAOS_KILLS", 1_000) / 2, seed())),
    ("giver-duties", |r, l| duty_sweeps::sweeps(r, l, Where::Giver, &Fault::KILLS, &GATES, duty())),
    ("desk-kills", |r, l| kills::sweeps(r, l, Where::Desk, &Fault::KILLS, (false, short()))),
    ("gate-kills", |r, l| kills::sweeps(r, l, Where::Gate, &Fault::KILLS, (false, short()))),
    ("gate-kills-faces", |r, l| kills::sweeps(r, l, Where::Gate, &Fault::KILLS, (true, long()))),
    ("desk-errors", |r, l| kills::sweeps(r, l, Where::Desk, &Fault::ERRORS, (false, short()))),
    ("gate-errors", |r, l| kills::sweeps(r, l, Where::Gate, &Fault::ERRORS, (false, short()))),
    ("gate-errors-faces", |r, l| kills::sweeps(r, l, Where::Gate, &Fault::ERRORS, (true, long_errors()))),
    ("house", |r, l| duty_sweeps::sweeps(r, l, Where::Desk, &Fault::KILLS, &["new account", "site fact"], duty())),
    ("late-duties", |r, l| duty_sweeps::sweeps(r, l, Where::Desk, &Fault::KILLS, &LATE, duty())),
    ("first-run", |r, l| starts::first_run(r, l, &Fault::KILLS, duty())),
    ("first-run-errors", |r, l| starts::first_run(r, l, &Fault::ERRORS, duty())),
    ("unlock", |r, l| starts::unlocks(r, l, &Fault::KILLS, duty())),
    ("unlock-errors", |r, l| starts::unlocks(r, l, &Fault::ERRORS, duty())),
    ("migrate", |r, l| starts::migrations(r, l, &Fault::KILLS, duty())),
    ("migrate-errors", |r, l| starts::migrations(r, l, &Fault::ERRORS, duty())),
    ("gate-tools", |r, l| starts::gate_tools(r, l, stride())),
    ("named-points", |r, l| duty_sweeps::points(r, l)),
    ("pairing", |r, l| starts::pairing(r, l, stride())),
    ("network", |r, l| net::sweeps(r, l, &NetFault::QUICK, &net::ACTS, stride())),
    ("boards", |r, l| boards::kills(r, l, short())),
    ("datagrams", |r, l| boards::net(r, l, stride())),
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

fn stride() -> u64 {
    setting("CHAOS_STRIDE", 1).max(1)
}

/// Whether each fault is tried at every write, where it would otherwise be one of them in turn.
fn all_kinds() -> bool {
    std::env::var("CHAOS_KINDS").is_ok_and(|kinds| kinds == "all")
}

/// Acts that take a moment.
fn short() -> Dose {
    Dose { stride: stride(), in_turn: false }
}

/// Acts before which somebody comes before the camera.
fn long() -> Dose {
    Dose { stride: setting("CHAOS_LONG_STRIDE", 1).max(1), in_turn: !all_kinds() }
}

/// The same with errors, after which a person begins again.
fn long_errors() -> Dose {
    Dose { stride: setting("CHAOS_LONG_STRIDE", 3).max(1), in_turn: !all_kinds() }
}

/// Duties take seconds each.
fn duty() -> Dose {
    Dose { stride: setting("CHAOS_DUTY_STRIDE", 1).max(1), in_turn: !all_kinds() }
}

/// The same with errors, and where the computer's chip answers at each turn.
fn duty_errors() -> Dose {
    Dose { stride: setting("CHAOS_DUTY_STRIDE", 4).max(1), in_turn: !all_kinds() }
}

/// Faults on the line that somebody must wait for.
fn slow_stride() -> u64 {
    setting("CHAOS_SLOW_STRIDE", 1).max(1)
}

fn slow_duty() -> Dose {
    Dose { stride: setting("CHAOS_SLOW_STRIDE", 1).max(1), in_turn: !all_kinds() }
}

fn place_named(name: &str) -> Where {
    match name {
        "gate" => Where::Gate,
        "giver" => Where::Giver,
        _ => Where::Desk,
    }
}

fn faults_named(kind: &str) -> &'static [Fault] {
    if kind == "errors" { &Fault::ERRORS } else { &Fault::KILLS }
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
    if place == Where::Desk { "desk killed" } else { "gate killed" }
}

/// One fault at one write, to look at what broke.
fn one(report: &Report, library: &Path, (name, place, fault, at): (&str, &str, &str, &str)) {
    let place = place_named(place);
    let all = Fault::KILLS.into_iter().chain(Fault::ERRORS);
    let fault = all.into_iter().find(|f| format!("{f:?}").eq_ignore_ascii_case(fault)).expect("a fault");
    let act = Act::named(name);
    let mut world = World::new(report, library, place_name(place), 2, act.is_long());
    let fired = kills::once(&mut world, act, place, fault, at.parse().expect("a number"));
    println!("happened: {fired}");
    world.check_all();
}
