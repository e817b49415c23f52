//! Kills: at the n-th write for every n, and at random.

use std::path::Path;
use std::time::{Duration, Instant};

use super::acts::{ACTS, Act};
use super::control::Fault;
use super::desk::Said;
use super::report::{Break, Report};
use super::world::World;

/// Where the fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    Desk,
    Gate,
    /// The gate that seals what it holds to another.
    Giver,
}

/// How much of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct Dose {
    /// Every write is 1.
    pub stride: u64,
    /// One fault of the list at each write, in turn, instead of all of them.
    pub in_turn: bool,
}

impl Dose {
    /// The faults for the `turn`-th write that is tried.
    pub fn faults<T>(self, faults: &[T], turn: usize) -> &[T] {
        let one = turn % faults.len();
        if self.in_turn { &faults[one..=one] } else { faults }
    }

    /// Writes in a row at which nothing happens before there are no more of them. Some faults concern some kinds of write only.
    pub fn misses(self, faults: &[Fault]) -> u32 {
        match (self.in_turn, faults.iter().all(|fault| fault.kills())) {
            (true, false) => 5,
            (true, true) => 2,
            (false, _) => 1,
        }
    }

    /// Says what was left out.
    pub fn say(self, report: &Report, what: &str, faults: usize) {
        report.stride(what, self.stride, "write");
        if self.in_turn && faults > 1 {
            report.sampled(&format!("{what}: one of {faults} faults at a write, in turn"));
        }
    }
}

/// About half of the numbers, whatever the stride.
pub fn heads(at: u64) -> bool {
    at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63 == 0
}

/// No act has so many writes.
const WRITES_MAX: u64 = 3_000;

/// One act with a fault at its `at`-th write. Returns whether the fault happened.
pub fn once(world: &mut World<'_>, act: Act, place: Where, fault: Fault, at: u64) -> bool {
    let person = act.prepare(world);
    // What was prepared is on its way to the gates or there; nothing else is written meanwhile.
    let arm = |world: &World<'_>| match place {
        Where::Desk => world.desk_control.arm(fault, at, at * 7 + 1),
        Where::Gate | Where::Giver => world.gate_controls[0].arm(fault, at, at * 7 + 1),
    };
    world.desk();
    let revived = world.revived;
    arm(world);
    let line = act.line_for(world, person);
    // While the disk is bad nothing gets through: no use waiting long.
    let line = if fault.kills() { line } else { line.replace("settle 20", "settle 2") };
    let said = world.ask(&line);
    world.revive();
    let control = match place {
        Where::Desk => &world.desk_control,
        Where::Gate | Where::Giver => &world.gate_controls[0],
    };
    let fired = control.fired().is_some() || world.revived > revived;
    control.clear();
    if !fault.kills() && fired {
        world.report.fault(&world.section);
    }
    world.report.tried(&world.section);
    act.note(world, person, &said);
    if matches!(&said, Said::Failed(_)) && !fired {
        world.report.broke(Break::Unsound, &format!("{}: {}: {said:?}", world.section, act.name));
    }
    if place == Where::Desk && !fault.kills() && fired && heads(at) {
        // Half of the desks that heard an error are ended; the others go on as they are.
        world.desk = None;
    }
    // Who locked comes back; whoever was killed did so when the desk began again.
    if act.name == "lock" && world.desk.is_some() && world.revived == revived {
        world.must("unlock");
    }
    if !fault.kills() && fired && act.name == "enroll" && !said.is_ok() {
        // A yes that the bad disk did not let end is ended by the desk within some seconds.
        std::thread::sleep(std::time::Duration::from_millis(5_200));
    }
    world.must("settle 90");
    world.check(person);
    act.finish(world, person);
    fired
}

/// One act with faults at every n-th write, until it has no more writes.
pub fn sweep(world: &mut World<'_>, act: Act, place: Where, faults: &[Fault], dose: Dose) {
    let start = Instant::now();
    let (mut at, mut tried, mut misses, mut turn) = (1, 0, 0, 0);
    while at < WRITES_MAX && misses < dose.misses(faults) {
        let mut any = false;
        for fault in dose.faults(faults, turn) {
            any |= once(world, act, place, *fault, at);
            tried += 1;
        }
        misses = if any { 0 } else { misses + 1 };
        turn += 1;
        at += dose.stride;
    }
    world.check_all();
    dose.say(world.report, &format!("{}: {}", world.section, act.name), faults.len());
    println!("{}: {}: up to write {at}, {tried} times, {} s", world.section, act.name, start.elapsed().as_secs());
}

/// The acts of one kind against the desk or a gate, a site each: those before which somebody comes before the camera, or the others.
pub fn sweeps(report: &Report, library: &Path, place: Where, faults: &[Fault], (long, dose): (bool, Dose)) {
    for act in ACTS.iter().filter(|act| act.is_long() == long) {
        let on_the_way = act.line.starts_with("settle");
        let fits = match place {
            Where::Desk => true,
            // At the gate only what reaches it.
            Where::Gate | Where::Giver => on_the_way || act.name == "enroll",
        };
        if !fits {
            continue;
        }
        let kind = if faults.iter().all(|f| f.kills()) { "killed" } else { "with a bad disk" };
        let section = format!("{place:?} {kind}").to_lowercase();
        let mut world = World::new(report, library, &section, 2, long);
        sweep(&mut world, *act, place, faults, dose);
    }
}

/// Numbers that look random and come again with the same seed.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }
}

/// SIGKILL from outside at a random moment of a random act, so often.
pub fn random(report: &Report, library: &Path, place: Where, kills: u64, seed: u64) {
    let section = format!("{place:?} killed at random").to_lowercase();
    let mut world = World::new(report, library, &section, 2, true);
    let mut chance = Chance::new(seed);
    let (mut done, start) = (0, Instant::now());
    let mut faces: Vec<usize> = vec![];
    let mut lasts = std::collections::BTreeMap::new();
    while done < kills {
        let name = match chance.below(100) {
            0..=44 => "issue a card",
            45..=64 => "deliver a card",
            65..=72 => "take a card back",
            73..=80 => "enroll",
            _ => "withdraw",
        };
        let act = Act::named(name);
        let person = match (name, faces.pop()) {
            ("withdraw", Some(person)) => person,
            ("withdraw", None) => continue,
            (_, kept) => {
                faces.extend(kept);
                act.prepare(&mut world)
            }
        };
        let took: Duration = *lasts.get(name).unwrap_or(&Duration::from_millis(60));
        let wait = Duration::from_micros(chance.below(u64::try_from(took.as_micros()).unwrap_or(60_000) * 6 / 5));
        let line = act.line_for(&world, person);
        world.desk();
        let begun = Instant::now();
        let said = match place {
            Where::Desk => {
                let pid = world.desk().id();
                let killer = std::thread::spawn(move || {
                    std::thread::sleep(wait);
                    sigkill(pid);
                });
                let said = world.ask(&line);
                if said.is_ok() {
                    lasts.insert(name, begun.elapsed());
                }
                let _ = killer.join();
                // Answered just before the kill came.
                if let Some(mut desk) = world.desk.take() {
                    desk.kill();
                    world.report.killed(&world.section);
                }
                said
            }
            Where::Gate | Where::Giver => {
                let number = usize::try_from(chance.below(2)).unwrap_or(0);
                let gates = std::mem::take(&mut world.gates);
                let (gates, said) = {
                    let held = std::sync::Mutex::new(gates);
                    let said = std::thread::scope(|scope| {
                        scope.spawn(|| {
                            std::thread::sleep(wait);
                            let mut gates = held.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                            gates[number].kill();
                            if let Ok(()) = gates[number].restart("127.0.0.1:0") {
                                world.proxies[number].lead_to(&gates[number].address);
                            }
                        });
                        world.desk.as_mut().map_or(Said::Dead, |desk| desk.ask(&line, || {}))
                    });
                    (held.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner), said)
                };
                world.gates = gates;
                world.report.killed(&world.section);
                if said.is_ok() {
                    lasts.entry(name).or_insert(begun.elapsed());
                }
                said
            }
        };
        act.note(&mut world, person, &said);
        report.tried(&section);
        done += 1;
        world.must("settle 90");
        world.check(person);
        act.finish(&mut world, person);
        if world.people[person].face == super::world::Known::Yes {
            faces.push(person);
        }
        if done.is_multiple_of(100) {
            world.check_all();
            println!("{section}: {done} of {kills}, {} s", start.elapsed().as_secs());
        }
    }
    world.check_all();
}

#[allow(unsafe_code, reason = "std kills only a child that nobody else holds")]
fn sigkill(pid: u32) {
    // SAFETY: plain numbers; the process is a child that is not yet waited for, so the number is its own.
    unsafe { libc::kill(i32::try_from(pid).unwrap_or(i32::MAX), libc::SIGKILL) };
}
