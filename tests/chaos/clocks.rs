//! Clocks that go forth and back, under running programs and between two starts: the library moves the wall clock of the process.

use std::path::Path;

use super::acts::Act;
use super::report::{Break, Report};
use super::world::{Known, World};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How far the desk's clock is off. Within ten days of the last believed instant nothing is asked; beyond, nothing ends by its date.
const OFFSETS_MS: [i64; 10] = [
    HOUR_MS,
    -HOUR_MS,
    DAY_MS,
    -DAY_MS,
    5 * DAY_MS,
    -5 * DAY_MS,
    40 * DAY_MS,
    -400 * DAY_MS,
    400 * DAY_MS,
    -20_000 * DAY_MS,
];

/// A card and a face that were confirmed are there after every walk of the clock, and nothing that ended is back.
pub fn forth_and_back(report: &Report, library: &Path) {
    let section = "clock of the desk";
    let mut world = World::new(report, library, section, 1, true);
    let (kept, gone) = (world.with_face(), world.with_face());
    let withdraw = Act::named("withdraw");
    let line = withdraw.line_for(&world, gone);
    world.must(&line);
    world.people[gone].face = Known::No;
    world.must("settle 30");
    for restart in [false, true] {
        for offset in OFFSETS_MS {
            if restart {
                world.desk = None;
            }
            world.desk_control.clock(offset);
            report.tried(section);
            report.fault(section);
            // What can be done is done; what the desk refuses at such an hour (an account before its training, say), it refuses.
            if world.desk_opens() {
                world.ask("settle 3");
            }
            if restart {
                world.desk = None;
            }
            world.desk_control.clock(0);
            world.must("settle 90");
            world.check(kept);
            world.check(gone);
        }
    }
    world.check_all();
    gates(report, library);
}

/// How far a gate's clock may fall behind the latest instant that it has seen (`menka::gate::lease`).
const BACK_MAX_MS: i64 = 120_000;

/// A gate's clock: back stops faces, for as long as it is behind and over a new start too, and never cards; forth within the term ends nothing.
fn gates(report: &Report, library: &Path) {
    let section = "clock of a gate";
    let mut world = World::new(report, library, section, 1, true);
    let person = world.with_face();
    let mut latest = 0;
    for offset in [30_000, -30_000, HOUR_MS, -HOUR_MS, 5 * DAY_MS, -5 * DAY_MS, 0, 5 * DAY_MS] {
        report.tried(section);
        report.fault(section);
        world.gate_controls[0].clock(offset);
        latest = latest.max(offset);
        // The walk itself takes some seconds, far less than what lies between these clocks.
        let stops = latest - offset > BACK_MAX_MS;
        for restart in [false, true] {
            if restart {
                world.start_gate(0);
            }
            world.must("settle 30");
            world.check(person);
            let answer = world.gates[0].ask(&format!("look {}", person % 6)).unwrap_or_default();
            match (stops, answer.as_str()) {
                (true, "FacesOff(ClockBack)") | (false, "recognised") => {}
                (true, other) => report.broke(Break::Unsound, &format!("{section}: {offset} ms: a face gets {other}")),
                (false, other) => report.broke(Break::Lost, &format!("{section}: {offset} ms: a face gets {other}")),
            }
        }
    }
    world.gate_controls[0].clock(0);
    world.check_all();
}
