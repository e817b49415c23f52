//! The duties with a fault at every write, at every named point, at every record of the line.

use std::path::Path;
use std::time::Instant;

use menka::vault::STEPS;

use super::control::Fault;
use super::desk::Said;
use super::duties::{DUTIES, Duty, Site};
use super::house;
use super::kills::{self, Dose, Where};
use super::proxy::NetFault;
use super::report::{Break, Report};

/// One duty with a fault at a write. Whether it happened.
pub fn once(site: &mut Site<'_>, duty: Duty, place: Where, fault: Fault, at: u64) -> bool {
    let line = (duty.before)(site);
    // The gate in question is the last one: the one that is filled, put right, paired or taken out.
    let gate = if place == Where::Giver { 0 } else { duty.line.unwrap_or(0).min(site.world.gates.len() - 1) };
    site.world.desk();
    let revived = site.world.revived;
    match place {
        Where::Desk => site.world.desk_control.arm(fault, at, at * 7 + 1),
        Where::Gate | Where::Giver => site.world.gate_controls[gate].arm(fault, at, at * 7 + 1),
    }
    let said = site.world.ask(&line);
    site.world.revive();
    let control = match place {
        Where::Desk => &site.world.desk_control,
        Where::Gate | Where::Giver => &site.world.gate_controls[gate],
    };
    let fired = control.fired().is_some() || site.world.revived > revived;
    control.clear();
    site.world.report.tried(&site.world.section);
    site.disk_was_bad = !fault.kills() && fired;
    if site.disk_was_bad {
        site.world.report.fault(&site.world.section);
        if kills::heads(at) {
            // Half of the desks that heard an error are ended; the others go on as they are.
            site.world.desk = None;
        }
        // The desk is locked while these run, and stays so when they fail.
        let locks = matches!(duty.name, "rotate" | "bind" | "release");
        if !said.is_ok() && locks && site.world.desk.is_some() {
            site.world.must("unlock");
        }
    }
    end(site, duty, &said, fired);
    fired
}

fn end(site: &mut Site<'_>, duty: Duty, said: &Said, fired: bool) {
    if matches!(said, Said::Failed(_)) && !fired {
        site.broke(Break::Unsound, &format!("{}: {said:?}", duty.name));
    }
    (duty.after)(site, said);
}

/// A duty with faults at every n-th write, until it has no more writes.
pub fn sweep(site: &mut Site<'_>, duty: Duty, place: Where, faults: &[Fault], dose: Dose) {
    const WRITES_MAX: u64 = 4_000;
    let start = Instant::now();
    let (mut at, mut tried, mut misses, mut turn) = (1, 0, 0, 0);
    while at < WRITES_MAX && misses < dose.misses(faults) {
        let mut any = false;
        for fault in dose.faults(faults, turn) {
            any |= once(site, duty, place, *fault, at);
            tried += 1;
        }
        misses = if any { 0 } else { misses + 1 };
        turn += 1;
        at += dose.stride;
    }
    site.world.check_all();
    dose.say(site.world.report, &format!("{}: {}", site.world.section, duty.name), faults.len());
    println!("{}: {}: up to write {at}, {tried} times, {} s", site.world.section, duty.name, start.elapsed().as_secs());
}

/// Duties at the desk or at a gate, a site each.
pub fn sweeps(report: &Report, library: &Path, place: Where, faults: &[Fault], names: &[&str], dose: Dose) {
    let all = DUTIES.iter().filter(|duty| duty.places.contains(&place));
    for duty in all.filter(|duty| names.is_empty() || names.contains(&duty.name)) {
        let how = if faults.iter().all(|fault| fault.kills()) { "killed" } else { "with a bad disk" };
        let mut site = Site::new(report, library, &format!("{place:?} {how}").to_lowercase());
        if matches!(duty.name, "bind" | "release")
            && let Err(why) = house::with_chip(&mut site)
        {
            report.not_run(&format!("{}: {why}", duty.name));
            continue;
        }
        sweep(&mut site, *duty, place, faults, dose);
    }
}

/// A desk that ends at every named point of the acts that have such.
pub fn points(report: &Report, library: &Path) {
    for duty in DUTIES.iter().filter(|duty| !duty.points.is_empty()) {
        let mut site = Site::new(report, library, "desk ended at a named point");
        if duty.name == "bind"
            && let Err(why) = house::with_chip(&mut site)
        {
            report.not_run(&format!("{}: {why}", duty.name));
            continue;
        }
        for step in STEPS.iter().filter(|step| duty.points.iter().any(|point| step.starts_with(point))) {
            let line = (duty.before)(&mut site);
            let locked = matches!(duty.name, "restore" | "ends by rule");
            site.world.desk = None;
            site.world.start_desk_until(step, locked);
            let said = site.world.ask(&line);
            report.tried(&site.world.section);
            if said != Said::Dead {
                site.broke(Break::Unsound, &format!("{} does not pass {step}: {said:?}", duty.name));
            }
            end(&mut site, *duty, &said, true);
        }
        site.world.check_all();
        println!("desk ended at a named point: {}", duty.name);
    }
}

/// Faults on the line to the gate in question, at every n-th record.
pub fn net(report: &Report, library: &Path, faults: &[NetFault], names: &[&str], dose: Dose) {
    for duty in DUTIES.iter().filter(|duty| names.is_empty() || names.contains(&duty.name)) {
        let Some(number) = duty.line else { continue };
        let mut site = Site::new(report, library, "network");
        let start = Instant::now();
        let (mut at, mut tried, mut misses, mut turn) = (1, 0, 0, 0);
        while misses < 2 && at < 400 {
            let mut any = false;
            for fault in dose.faults(faults, turn) {
                let line = (duty.before)(&mut site);
                site.world.desk();
                let proxy = number.min(site.world.proxies.len() - 1);
                site.world.proxies[proxy].arm(*fault, at);
                let said = site.world.ask(&line);
                let (_, fired) = site.world.proxies[proxy].disarm();
                report.tried(&site.world.section);
                if fired {
                    report.fault(&site.world.section);
                }
                if said == Said::Dead {
                    site.broke(Break::Unsound, &format!("{}: the desk ended", duty.name));
                }
                any |= fired;
                tried += 1;
                end(&mut site, *duty, &said, fired);
            }
            misses = if any { 0 } else { misses + 1 };
            turn += 1;
            at += dose.stride;
        }
        site.world.check_all();
        let what = format!("network: {}: {}", duty.name, NetFault::names(faults));
        report.stride(&what, dose.stride, "record");
        if dose.in_turn {
            report.sampled(&format!("{what}: one of them at a record, in turn"));
        }
        println!("network: {}: up to record {at}, {tried} times, {} s", duty.name, start.elapsed().as_secs());
    }
}
