//! Disks that are full or cannot be written, for real: a small file system of its own under the desk's folder. Single failing writes are the
//! fault library's (`kills::sweeps` with `Fault::ERRORS`).

use std::path::{Path, PathBuf};
use std::process::Command;

use super::desk::Said;
use super::report::{Break, Report};
use super::world::World;

/// A file system of a few MiB in memory.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(|e| e.to_string())?;
        run("mount", &["-t", "tmpfs", "-o", "size=6m", "menka-chaos"], at)?;
        Ok(Self(at.to_owned()))
    }

    fn remount(&self, how: &str) -> Result<(), String> {
        run("mount", &["-o", &format!("remount,size=6m,{how}")], &self.0)
    }

    /// Leaves so many bytes.
    fn fill(&self, leave: usize) {
        use std::io::Write;
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).expect("room for a name");
        while file.write_all(&[7; 4_096]).is_ok() {}
        let size = file.metadata().map_or(0, |m| m.len());
        let _ = file.set_len(size.saturating_sub(leave as u64));
    }

    fn empty(&self) {
        let _ = std::fs::remove_file(self.0.join("filler"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn run(program: &str, words: &[&str], at: &Path) -> Result<(), String> {
    let run = Command::new(program).args(words).arg(at).output().map_err(|e| e.to_string())?;
    match run.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&run.stderr).trim().to_owned()),
    }
}

/// Full and read-only disks under the desk and under a gate.
pub fn full_and_read_only(report: &Report, library: &Path) {
    for gate in [false, true] {
        let section = if gate { "gate with a full disk" } else { "desk with a full disk" };
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join(if gate { "gate0" } else { "desk" });
        let disk = match SmallDisk::mount(&place) {
            Ok(disk) => disk,
            Err(why) => return report.not_run(&format!("full and read-only disks: {why}")),
        };
        {
            let mut world = World::in_folder(report, library, section, (1, false), folder.path());
            // From no room at all to enough for some pages: each is another place to fail.
            for leave in (0..40).map(|n| n * 4_096) {
                disk.fill(leave);
                write_something(&mut world, section);
                disk.empty();
                recover(&mut world, leave % 8_192 == 0);
            }
            read_only(&mut world, &disk, gate);
            world.check_all();
        }
        drop(disk);
    }
}

/// Files that are open for writing forbid it, so it is done between two runs; under a running program the library stands for it.
fn read_only(world: &mut World<'_>, disk: &SmallDisk, gate: bool) {
    for _ in 0..3 {
        if gate {
            world.gates[0].kill();
        } else {
            world.desk = None;
        }
        if let Err(why) = disk.remount("ro") {
            return world.report.not_run(&format!("{}: read-only: {why}", world.section));
        }
        world.report.tried(&world.section);
        world.report.fault(&world.section);
        if gate {
            // Whether or not it starts on such a disk: it must not say yes to anything.
            if world.gates[0].restart("127.0.0.1:0").is_ok() {
                world.proxies[0].lead_to(&world.gates[0].address);
            }
            let section = world.section.clone();
            write_something(world, &section);
            world.gates[0].kill();
        } else if world.desk_opens() {
            world.report.broke(Break::Unsound, "a desk opened that cannot write its log");
        }
        world.desk = None;
        disk.remount("rw").expect("it was writable before");
        if gate {
            world.start_gate(0);
        }
        recover(world, false);
    }
}

fn write_something(world: &mut World<'_>, section: &str) {
    world.report.tried(section);
    world.report.fault(section);
    // An unlock is written to the log: a desk that is not open yet stays shut.
    if !world.desk_opens() {
        return;
    }
    // Nothing that is said to be done may be lost; that it is refused is right.
    if let Said::Ok(id) = world.ask("add 住户 9-901") {
        world.adopt(id);
    }
    let cards: Vec<usize> = world.without_card();
    for person in cards {
        let (id, card) = (world.people[person].id.clone(), world.people[person].card_number);
        let said = world.ask(&format!("issue {id} {card}"));
        world.people[person].card = match said {
            Said::Ok(_) => super::world::Known::Yes,
            Said::Failed(_) => super::world::Known::Open,
            Said::Dead => return world.report.broke(Break::Unsound, &format!("{section}: the desk ended")),
        };
    }
    world.ask("settle 1");
}

fn recover(world: &mut World<'_>, restart: bool) {
    if restart {
        world.desk = None;
    }
    world.must("settle 90");
    for person in 0..world.people.len() {
        world.check(person);
    }
}
