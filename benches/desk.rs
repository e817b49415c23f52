//! How fast the desk is: from the last accepted frame to the gates' signatures, by stage, and what a preview costs. Two gates as processes of
//! their own on this machine, practice pictures of 640x480. Prints `name: value` lines; nothing fails on a slow machine.
#![allow(clippy::print_stdout, reason = "its lines are its result")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::face::{EngineKind, engine_for};
use menka::practice::drive::Drive;
use menka::practice::site::GateProcess;
use menka::practice::{PracticeAct, people};

/// How many people are enrolled.
const PEOPLE: usize = 8;
/// How long the preview is watched.
const WATCH: Duration = Duration::from_secs(6);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `cargo test` also starts benches; there is nothing to test here.
    if std::env::args().any(|a| a == "--test") {
        return Ok(());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = |name: &str, usual: &str| std::env::var_os(name).map_or_else(|| root.join(usual), PathBuf::from);
    let (models, pictures) = (folder("MENKA_MODELS", "var/models"), folder("MENKA_PICTURES", "var/pictures"));
    let program = PathBuf::from(env!("CARGO_BIN_EXE_menka-gate"));
    for kind in EngineKind::ALL {
        let place = tempfile::tempdir()?;
        let mut drive = Drive::new(place.path(), engine_for(kind, &models, &program), people(&pictures)?);
        drive.create();
        let mut gates = vec![];
        for number in 0..2 {
            let data = place.path().join(format!("gate{number}"));
            let gate = GateProcess::start_with(&program, &data, number, kind.name())?;
            drive.pair(&gate, ["东门", "西门"][number]);
            gates.push(gate);
        }
        drive.deliver()?;
        drive.tick();
        let mut enrolled = 0;
        for n in 0..PEOPLE {
            let resident = drive.add(&format!("住户{n}"), &format!("1-{n}"))?;
            drive.issue(resident, n)?;
            drive.staff(StaffCommand::CloseResident);
            drive.controls.act(PracticeAct::Seat(n));
            match drive.enroll(n) {
                Ok(recognised) => enrolled += usize::from(recognised),
                // Told, and not waited for again: what the others took is still worth knowing.
                Err(error) => {
                    println!("not enrolled: person {n}: {error}");
                    drive.resident(ResidentCommand::Stop);
                    drive.resident(ResidentCommand::Finish);
                    drive.resident(ResidentCommand::Back);
                }
            }
        }
        println!("engine: {}", kind.name());
        println!("people enrolled and recognised: {enrolled} of {PEOPLE}");
        println!("frame: 640x480, pictures a template: 5, gates: 2");
        let stages = drive.stages.lock().map_err(|_| "poisoned")?.clone();
        for (stage, times) in &stages {
            println!("{stage} ms: {}", spread(times));
        }
        println!("shutter to acknowledged ms: {}", spread(&drive.shutter_to_acknowledged_ms));

        // A preview that never ends: two people sit there, so that every frame is looked at and none is taken.
        let resident = drive.add("预览", "9-1")?;
        drive.issue(resident, 20)?;
        drive.staff(StaffCommand::CloseResident);
        drive.controls.act(PracticeAct::TwoPeople);
        drive.ask_for_face(20)?;
        drive.read_and_consent()?;
        let (before, since) = (drive.previews, Instant::now());
        let cpu = cpu_seconds();
        while since.elapsed() < WATCH {
            drive.tick();
            std::thread::sleep(Duration::from_millis(2));
        }
        let seconds = since.elapsed().as_secs_f64();
        println!("preview frames a second with guidance: {:.1}", f64::from(drive.previews - before) / seconds);
        println!("preview cpu share of one core: {:.2}", (cpu_seconds() - cpu) / seconds);
        println!("engine child resident memory MB: {:.0}", children_rss_mb());
        drive.close();
        drop(gates);
    }
    Ok(())
}

/// Median, and the smallest and largest.
fn spread(times: &[f64]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(least), Some(median), Some(most)) => {
            format!("{median:.1} (from {least:.1} to {most:.1}, {} times)", sorted.len())
        }
        _ => "none".into(),
    }
}

/// This process and its engine children.
fn processes() -> Vec<PathBuf> {
    let me = std::process::id().to_string();
    let mut found = vec![PathBuf::from("/proc/self")];
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1).map(str::to_owned));
        let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if parent.as_deref() == Some(me.as_str()) && line.contains("--face-engine") {
            found.push(entry.path());
        }
    }
    found
}

fn cpu_seconds() -> f64 {
    let ticks = |process: &PathBuf| -> f64 {
        let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        let rest: Vec<f64> =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(|w| w.parse().unwrap_or(0.0)).collect();
        rest.get(11).unwrap_or(&0.0) + rest.get(12).unwrap_or(&0.0)
    };
    processes().iter().map(ticks).sum::<f64>() / 100.0
}

fn children_rss_mb() -> f64 {
    let kb = |process: &PathBuf| -> f64 {
        let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0");
        line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
    };
    processes().iter().skip(1).map(kb).sum::<f64>() / 1024.0
}
