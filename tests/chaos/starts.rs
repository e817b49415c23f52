//! Kills of what happens once: the first run of a desk, each unlock, pairing a gate, making a gate.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::ports::Clock;
use menka::practice::site::GateProcess;
use menka::secret::Passphrase;
use menka::vault::{Vault, VaultError};

use super::control::{Control, Fault};
use super::desk::{DeskProcess, Said};
use super::gate_program;
use super::kills::Dose;
use super::report::{Break, Report};
use super::world::World;

/// The first run: afterwards there is a vault that opens, or none and the first run begins again.
pub fn first_run(report: &Report, library: &Path, faults: &[Fault], dose: Dose) {
    let section = if faults[0].kills() { "desk killed in its first run" } else { "first run with a bad disk" };
    let (mut at, mut misses, mut turn) = (1, 0, 0);
    loop {
        let mut any = false;
        for fault in dose.faults(faults, turn).iter().copied() {
            let folder = tempfile::tempdir().expect("a folder");
            let control = Control::new(&folder.path().join("control"));
            let start = || DeskProcess::start(folder.path(), library, &control, false);
            let mut desk = start();
            control.arm(fault, at, at);
            let said = desk.ask("create", || {});
            report.tried(section);
            any |= count(report, section, fault, &control);
            drop(desk);
            let mut desk = start();
            let opens = desk.ask("unlock", || {});
            let ends = match (&said, &opens) {
                (_, Said::Ok(_)) => opens.clone(),
                (Said::Dead | Said::Failed(_), _) => desk.ask("create", || {}),
                _ => opens.clone(),
            };
            if !ends.is_ok() {
                let how = if said.is_ok() { Break::Lost } else { Break::Unsound };
                report.broke(how, &format!("{section}: {fault:?} at {at}: {opens:?}, then {ends:?}"));
            }
        }
        misses = if any { 0 } else { misses + 1 };
        if misses >= dose.misses(faults) {
            dose.say(report, section, faults.len());
            return println!("{section}: up to write {at}");
        }
        turn += 1;
        at += dose.stride;
    }
}

/// Counts what was armed, if it happened, and disarms it.
fn count(report: &Report, section: &str, fault: Fault, control: &Control) -> bool {
    let fired = control.fired().is_some();
    control.disarm();
    match (fired, fault.kills()) {
        (true, true) => report.killed(section),
        (true, false) => report.fault(section),
        (false, _) => {}
    }
    fired
}

/// The passphrase of the kept vaults (`tests/it/vault/site.rs`).
const KEPT_PASSPHRASE: &str = "十个字以上的一句口令 1";
/// The vault of the earliest shape that is kept.
const SHAPE: &str = "tests/data/vault-0008";

fn kept_vault(folder: &Path) -> Result<Vault, VaultError> {
    Vault::unlock(folder, Realm::Real, &Passphrase::new(KEPT_PASSPHRASE.into()), SystemClock.now())
}

/// Opens a vault and ends: the child of [`migrations`].
pub fn open_only(folder: &Path) -> ExitCode {
    match kept_vault(folder) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!("the vault does not open: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A vault of an earlier shape is brought to the present one: afterwards it opens with everybody in it, of one shape or the other before.
pub fn migrations(report: &Report, library: &Path, faults: &[Fault], dose: Dose) {
    let section = if faults[0].kills() { "desk killed while it migrates" } else { "migration with a bad disk" };
    let copied = || {
        let folder = tempfile::tempdir().expect("a folder");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHAPE);
        for entry in std::fs::read_dir(from).expect("the kept vault").flatten() {
            if entry.file_name() != "README.md" {
                std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
            }
        }
        folder
    };
    let people = |vault: &Vault| {
        let rows = vault.find("3-1201").map(|found| found.rows.len()).unwrap_or_default();
        (rows, vault.gates().map(|gates| gates.len()).unwrap_or_default())
    };
    let whole = copied();
    let there = people(&kept_vault(whole.path()).expect("the kept vault opens"));
    assert!(there.0 > 0 && there.1 > 0, "somebody is in it");
    let (mut at, mut misses, mut turn) = (1, 0, 0);
    loop {
        let mut any = false;
        for fault in dose.faults(faults, turn).iter().copied() {
            let (folder, beside) = (copied(), tempfile::tempdir().expect("a folder"));
            let control = Control::new(&beside.path().join("control"));
            control.arm(fault, at, at * 7 + 1);
            let mut child = Command::new(std::env::current_exe().expect("this program"));
            child.arg("open").arg(folder.path()).envs(control.environment(library, folder.path()));
            let done = child.stdout(Stdio::null()).status().expect("the child runs").success();
            report.tried(section);
            any |= count(report, section, fault, &control);
            if !done && control.fired().is_none() {
                report.broke(Break::Unsound, &format!("{section}: {fault:?} at {at}: it does not migrate"));
            }
            control.clear();
            match kept_vault(folder.path()) {
                Err(error) => {
                    report.broke(Break::Unsound, &format!("{section}: {fault:?} at {at}: does not open: {error}"));
                }
                Ok(vault) => {
                    if people(&vault) != there {
                        report.broke(Break::Lost, &format!("{section}: {fault:?} at {at}: {:?}", people(&vault)));
                    }
                    if !vault.audit().is_ok_and(|log| log.is_sound()) || vault.check_rotation().is_err() {
                        report.broke(Break::Unsound, &format!("{section}: {fault:?} at {at}: the log or the slots"));
                    }
                }
            }
        }
        misses = if any { 0 } else { misses + 1 };
        if misses >= dose.misses(faults) {
            dose.say(report, section, faults.len());
            return println!("{section}: up to write {at}");
        }
        turn += 1;
        at += dose.stride;
    }
}

/// Each unlock, which is also the recovery from the kill before it; a capture that was cut off is among what it finds.
pub fn unlocks(report: &Report, library: &Path, faults: &[Fault], dose: Dose) {
    let section = if faults[0].kills() { "desk killed at unlock" } else { "unlock with a bad disk" };
    let mut world = World::new(report, library, section, 1, true);
    let kept = world.with_face();
    let (mut at, mut misses, mut turn) = (1, 0, 0);
    loop {
        let mut any = false;
        for fault in dose.faults(faults, turn).iter().copied() {
            if at % 16 == 1 {
                // Somebody was before the camera when the program ended.
                let person = world.with_card();
                let line = format!("enroll {} 1", world.people[person].card_number);
                world.desk_control.arm(Fault::Kill, 40, 0);
                world.ask(&line);
                world.people[person].face = super::world::Known::Open;
            }
            world.desk = None;
            world.locked_desk();
            world.desk_control.arm(fault, at, at);
            let said = world.ask("unlock");
            if fault.kills() {
                any |= said == Said::Dead;
            } else if count(report, section, fault, &world.desk_control) {
                any = true;
            }
            report.tried(section);
            world.desk_control.clear();
            world.desk = None;
        }
        world.must("settle 60");
        for person in 0..world.people.len() {
            world.check(person);
        }
        misses = if any { 0 } else { misses + 1 };
        if misses >= dose.misses(faults) {
            break;
        }
        turn += 1;
        at += dose.stride;
    }
    world.check(kept);
    world.check_all();
    dose.say(report, section, faults.len());
    println!("{section}: up to write {at}");
}

/// Making a gate, by its own command line.
pub fn gate_tools(report: &Report, library: &Path, stride: u64) {
    let section = "gate killed while it is made";
    let mut at = 1;
    loop {
        let mut any = false;
        for fault in Fault::KILLS {
            let folder = tempfile::tempdir().expect("a folder");
            let (data, control) = (folder.path().join("gate"), Control::new(&folder.path().join("control")));
            let run = |word: &str| {
                let mut run = Command::new(gate_program());
                run.args([word, "--realm", "practice", "--data"]).arg(&data);
                run.envs(control.environment(library, &data)).stdout(Stdio::null()).stderr(Stdio::null());
                run.status().expect("the gate program runs").success()
            };
            control.arm(fault, at, at);
            let done = run("init");
            control.disarm();
            report.tried(section);
            if !done {
                any = true;
                report.killed(section);
            }
            // Done, or it can be done again; and then it works.
            if !((done || run("init") || run("fingerprint")) && run("fingerprint")) {
                report.broke(Break::Unsound, &format!("{section}: {fault:?} at {at}"));
            }
        }
        if !any {
            break;
        }
        at += stride;
    }
    report.stride(section, stride, "write");
    println!("{section}: up to write {at}");
}

/// Pairing at the desk: the gate is there whole, or not at all and is paired again.
pub fn pairing(report: &Report, library: &Path, stride: u64) {
    let section = "desk killed while it pairs";
    let mut world = World::new(report, library, section, 1, false);
    let mut at = 1;
    loop {
        let mut any = false;
        for fault in [Fault::Kill, Fault::PowerCutMixed] {
            let number = world.gates.len();
            let gate = world.another_gate();
            // Shown in two groups; a command's words are parted by spaces.
            let line = |code: &str| format!("pair 门{number} {} {}", gate.address, code.replace(' ', ""));
            let shown = gate.show_code().expect("the gate shows a code");
            world.must("gates");
            world.desk_control.arm(fault, at, at);
            let said = world.ask(&line(&shown.code));
            world.desk_control.disarm();
            report.tried(section);
            any |= said == Said::Dead;
            let count = |world: &mut World<'_>| world.must("gates").parse::<usize>().unwrap_or(0);
            let there = count(&mut world) > number;
            if said.is_ok() && !there {
                report.broke(Break::Lost, &format!("{section}: {fault:?} at {at}"));
            }
            if !there {
                drop(shown);
                let shown = gate.show_code().expect("the gate shows another code");
                world.must(&line(&shown.code));
            }
            let now = count(&mut world);
            if now != number + 1 {
                report.broke(Break::Doubled, &format!("{section}: {fault:?} at {at}: {now} gates"));
            }
            world.gates.push(gate);
            world.must("settle 60");
        }
        if !any {
            break;
        }
        at += stride;
    }
    let person = world.with_card();
    world.check(person);
    report.stride(section, stride, "write");
    println!("{section}: up to write {at}");
}

impl World<'_> {
    /// A further gate, running and not yet paired at the desk.
    fn another_gate(&mut self) -> GateProcess {
        let number = self.gates.len();
        let data = self.folder.join(format!("gate{number}"));
        GateProcess::start(&gate_program(), &data, number).expect("a gate starts")
    }
}
