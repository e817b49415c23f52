//! `make e2e FACES=folder`: the whole flow over labelled pictures (a folder a person), enrolled from one picture and tried with another.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::drive::Drive;
use super::site::GateProcess;
use super::{LabelledFolder, Person, PracticeAct, PracticeError};
use crate::app::command::{ResidentCommand, StaffCommand};
use crate::face::{EngineKind, engine_for};

/// People that are enrolled; as many more are strangers.
const ENROLLED: usize = 20;

/// Who takes part: first those with two pictures, who are enrolled, then as many strangers. Returns them and how many are enrolled.
///
/// # Errors
/// No readable pictures.
pub fn cast(folder: &Path) -> Result<(Vec<Person>, usize), PracticeError> {
    let all = LabelledFolder::load(folder)?.into_people();
    let (with_two, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|p| p.pictures() >= 2);
    let enrolled = with_two.len().min(ENROLLED);
    let mut people: Vec<_> = with_two.into_iter().take(enrolled).collect();
    people.extend(others.into_iter().take(ENROLLED));
    Ok((people, enrolled))
}

/// Enrolls people that have two pictures, tries each at the gate with the other one, and shows strangers to it.
///
/// # Errors
/// What could not be read, started or waited for.
pub fn run(folder: &Path, models: &Path, gate_program: &Path, out: &mut dyn Write) -> Result<(), String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let (people, enrolled) = cast(folder).map_err(|e| text(&e))?;
    let total = people.len();
    let place = std::env::temp_dir().join(format!("menka-e2e-{}", std::process::id()));
    std::fs::create_dir_all(&place).map_err(|e| text(&e))?;
    let program = std::env::current_exe().map_err(|e| text(&e))?;
    let mut drive = Drive::new(&place, engine_for(EngineKind::Sface, models, &program), people);
    drive.create();
    let mut gate = GateProcess::start(gate_program, &place.join("gate"), 0).map_err(|e| text(&e))?;
    drive.pair(&gate, "门");
    let started = Instant::now();
    let mut held = vec![false; total];
    for (n, known) in held.iter_mut().enumerate().take(enrolled) {
        let resident = drive.add(&format!("住户{n}"), &format!("1-{n}")).map_err(|e| text(&e))?;
        drive.issue(resident, n).map_err(|e| text(&e))?;
        drive.staff(StaffCommand::CloseResident);
        drive.controls.act(PracticeAct::Seat(n));
        match drive.enroll(n) {
            Ok(recognised) => *known = recognised,
            Err(error) => {
                // No picture of this person passes the quality checks (most often somebody else is in it): the card works.
                writeln!(out, "person {n} not enrolled: {error}").map_err(|e| text(&e))?;
                drive.resident(ResidentCommand::Stop);
                drive.resident(ResidentCommand::Back);
            }
        }
    }
    gate.ask(&format!("folder {}", folder.display())).map_err(|e| text(&e))?;
    let (mut known, mut shown, mut let_in, mut strangers, mut unusable) = (0, 0, 0, 0, 0);
    for (n, held) in held.iter().enumerate() {
        match gate.knows(n) {
            Ok(opened) if *held => (known, shown) = (known + usize::from(opened), shown + 1),
            Ok(opened) => (let_in, strangers) = (let_in + usize::from(opened), strangers + 1),
            Err(_) => unusable += 1,
        }
    }
    let mut line = |name: &str, value: String| writeln!(out, "{name}: {value}").map_err(|e| e.to_string());
    line("people enrolled", format!("{} of {enrolled}", held.iter().filter(|h| **h).count()))?;
    line("recognised at the gate from another picture", format!("{known} of {shown}"))?;
    line("not enrolled and let in", format!("{let_in} of {strangers}"))?;
    line("pictures at the gate without exactly one face", format!("{unusable} of {total}"))?;
    let mut times = drive.shutter_to_acknowledged_ms.clone();
    times.sort_by(f64::total_cmp);
    if let Some(median) = times.get(times.len() / 2) {
        line("shutter to acknowledged ms", format!("{median:.0}"))?;
    }
    line("seconds", format!("{:.0}", started.elapsed().as_secs_f64()))?;
    drive.close();
    drop(gate);
    std::fs::remove_dir_all(&place).map_err(|e| text(&e))
}
