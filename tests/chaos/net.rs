//! Faults between the desk and a gate: every kind at every TLS record, in both directions, handshakes included.

use std::path::Path;
use std::time::Instant;

use super::acts::Act;
use super::desk::Said;
use super::proxy::NetFault;
use super::report::{Break, Report};
use super::world::{Known, World};

/// The acts that reach a gate. What people do otherwise (issue, withdraw, pause, close a record) is written down at the desk, and reaches gates as
/// one of these.
pub const ACTS: [&str; 7] =
    ["deliver a card", "take a card back", "enroll", "freeze", "thaw", "erase", "deliver an end"];

/// Every act with every fault at every `stride`-th record.
pub fn sweeps(report: &Report, library: &Path, faults: &[NetFault], acts: &[&str], stride: u64) {
    for name in acts {
        let act = Act::named(name);
        // One gate: when it does not answer, nobody else can.
        let mut world = World::new(report, library, "network", 1, act.is_long());
        let start = Instant::now();
        let records = records_of(&mut world, act);
        let (mut at, mut tried) = (1, 0);
        while at <= records {
            for fault in faults {
                once(&mut world, act, *fault, at);
                tried += 1;
            }
            at += stride;
        }
        world.check_all();
        report.stride(&format!("network: {name}: {}", NetFault::names(faults)), stride, "record");
        println!("network: {name}: {records} records, {tried} times, {} s", start.elapsed().as_secs());
    }
}

/// How many records an undisturbed act takes, over a connection of its own.
fn records_of(world: &mut World<'_>, act: Act) -> u64 {
    let person = act.prepare(world);
    world.proxies[0].count();
    let line = act.line_for(world, person);
    let said = world.ask(&line);
    act.note(world, person, &said);
    world.proxies[0].disarm().0
}

/// One act with one fault.
pub fn once(world: &mut World<'_>, act: Act, fault: NetFault, at: u64) {
    let person = act.prepare(world);
    let line = act.line_for(world, person);
    world.proxies[0].arm(fault, at);
    let said = world.ask(&line);
    let (_, fired) = world.proxies[0].disarm();
    // A connection that went silent ends when the desk is tired of it; here, before the next act.
    world.report.tried(&world.section);
    if fired {
        world.report.fault(&world.section);
    }
    match &said {
        Said::Failed(why) if why.contains("Spent") => world
            .report
            .broke(Break::Unsound, &format!("network: {}: {fault:?} at {at}: a repeat is refused: {why}", act.name)),
        Said::Dead => world.report.broke(Break::Unsound, &format!("network: {}: the desk ended", act.name)),
        Said::Failed(_) if !fired => {
            world.report.broke(Break::Unsound, &format!("network: {}: {said:?} without a fault", act.name));
        }
        _ => {}
    }
    act.note(world, person, &said);
    world.must("settle 90");
    world.check(person);
    if act.name == "enroll" && world.people[person].face != Known::Yes {
        // The envelope was sent, the gate was there again, and the resident had to begin anew.
        println!("  network: {fault:?} at {at}: the resident begins anew: {said:?}");
    }
    act.finish(world, person);
}

/// Every act a few times over a line that the kernel makes bad (`packaging/setup/chaos.sh`, or the machine of `make test-camera`, sets it up
/// around this process).
pub fn on_a_bad_line(report: &Report, library: &Path, acts: &[&str]) {
    for name in acts {
        let act = Act::named(name);
        let mut world = World::new(report, library, "bad line", 1, act.is_long());
        world.visits_more = 4;
        for _ in 0..5 {
            let person = act.prepare(&mut world);
            let line = act.line_for(&world, person);
            let said = world.ask(&line);
            report.tried("bad line");
            report.fault("bad line");
            act.note(&mut world, person, &said);
            world.must("settle 90");
            world.check(person);
            act.finish(&mut world, person);
        }
        world.check_all();
    }
}
