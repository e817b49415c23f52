//! A known face through a real camera device into a template: run inside the camera VM (`make test-camera`), never by the product.
//!
//! Practice person A is played into a `v4l2loopback` node. From there on all is the product's own: the desk with its vault, card, notice and
//! signed consent opens the V4L2 adapter through the port, the engine child makes the template, it is sealed to a gate process and handed
//! over TLS, and that gate says how similar the next face is. In the middle of the capture the camera is taken away and brought back. At the
//! end the same device is the camera of the gate, whose door is a line of a GPIO chip.
#![allow(clippy::print_stdout, reason = "its output is the result")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::drive::{Drive, DriveError};
use super::site::GateProcess;
use super::{Controls, Person, Variant, people, picture_frame};
use crate::app::command::{ResidentCommand, StaffCommand};
use crate::app::event::{Failure, ResidentScene};
use crate::capture::Webcam;
use crate::capture::selftest::{Feeder, Outcome, check};
use crate::face::{EngineKind, engine_for};
use crate::ports::{Camera, CameraError};
use crate::wire::message::Probed;

/// Runs `FOLDER NODE UNPLUG PLUG CHIP COUNTS`: an empty folder for vault and gate, the loopback node to play into, the commands that take the
/// device away and bring it back, the GPIO chip at the gate's door, and the folder where that chip counts. Models and pictures are where
/// `MENKA_MODELS` and `MENKA_PICTURES` say.
pub fn main(args: &[String]) -> ExitCode {
    let done = match args {
        [work, node, unplug, plug, chip, counts] => {
            run(Path::new(work), Path::new(node), (unplug, plug), (chip, Path::new(counts)))
        }
        _ => Err("usage: face FOLDER NODE UNPLUG PLUG CHIP COUNTS".into()),
    };
    match done {
        Ok(()) => {
            println!("PHASE face passed");
            ExitCode::SUCCESS
        }
        Err(what) => {
            println!("FAIL {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(work: &Path, node: &Path, (unplug, plug): (&str, &str), (chip, counts): (&str, &Path)) -> Outcome {
    let program = std::env::current_exe().map_err(text)?;
    let all = people(&folder("MENKA_PICTURES", "var/pictures")).map_err(text)?;
    let (Some(known), Some(stranger)) = (all.first(), all.get(1)) else { return Err("too few people".into()) };
    // The long one turns its head now and then: without that no face is handed over.
    let plain = film(known, Variant::Plain, TURNING)?;
    let (relit, other) = (film(known, Variant::Relit, FILM)?, film(stranger, Variant::Plain, FILM)?);
    let size_max = [&plain, &relit, &other].into_iter().flatten().map(Vec::len).max().unwrap_or(0);
    let feeder = Feeder::start(node, b"MJPG", plain.clone(), size_max, EVERY)?;
    wait_listed()?;

    // Emulated, one look of the engine takes longer than the desk waits: the machine may lend a way to one that runs outside.
    let child = std::env::var_os("MENKA_ENGINE").map_or_else(|| program.clone(), PathBuf::from);
    let mut engine = engine_for(EngineKind::Sface, &folder("MENKA_MODELS", "var/models"), &child);
    let start = Instant::now();
    engine.wake().map_err(text)?;
    println!("engine awake s: {:.1}", start.elapsed().as_secs_f64());
    let mut drive = Drive::with_camera(work, engine, Box::new(Webcam::new()), Controls::default());
    let mut gate = ready(&mut drive, &program, work).map_err(text)?;
    drive.ask_for_face(0).map_err(text)?;
    check("before the consent the camera is dark", drive.previews == 0, "")?;
    drive.read_and_consent().map_err(text)?;
    let taken = |d: &Drive| d.told.iter().any(|event| event.contains("taken: 1,"));
    let start = Instant::now();
    let seen = drive.until("the first good picture", LONG, taken);
    let looks = |d: &Drive| format!("{} previews, last advice {:?}", d.previews, d.guidance);
    seen.map_err(|error| format!("{error}; {}", looks(&drive)))?;
    let told = format!("{} previews in {:.1} s", drive.previews, start.elapsed().as_secs_f64());
    check("after it a known face is judged good", drive.previews > 0, &told)?;

    // A loopback device in use cannot be removed: its feeder falls silent first, the desk lets the camera go, and then it is gone.
    feeder.stop();
    let ended = |d: &Drive| matches!(d.scene, ResidentScene::Ended { may_retry: true, .. });
    drive.until("the desk to notice the lost camera", LONG, ended).map_err(text)?;
    let lost = shown_failure(&drive);
    check("in the middle of it the camera is lost", matches!(lost, Some(Failure::Camera(_))), &format!("{lost:?}"))?;
    until_done(unplug)?;
    drive.resident(ResidentCommand::TryAgain);
    drive.until("an answer to trying again", LONG, ended).map_err(text)?;
    let gone = shown_failure(&drive);
    let none = gone == Some(Failure::Camera(CameraError::None));
    check("unplugged, trying again says that there is none", none, &format!("{gone:?}"))?;
    check("and no gate holds a face", gate.faces().map_err(text)? == 0, "")?;

    until_done(plug)?;
    let feeder = Feeder::start(node, b"MJPG", plain, size_max, EVERY)?;
    wait_listed()?;
    let start = Instant::now();
    let mut tries = 0;
    while !matches!(drive.scene, ResidentScene::TryGate { .. }) {
        // An emulated machine that gets no processor for two seconds loses its camera: whoever stands before it tries again.
        tries += 1;
        drive.resident(ResidentCommand::TryAgain);
        let over = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. }) || tries < TRIES_MAX && ended(d);
        drive.until("the hand-over", LONG, over).map_err(|error| format!("{error}; {}", looks(&drive)))?;
    }
    let told = format!("{:.1} s, {tries} tries", start.elapsed().as_secs_f64());
    check("plugged in again: camera to template to gate", gate.faces().map_err(text)? == 1, &told)?;

    // Somebody else first, then the person in other light; the desk asks the gate up to three times.
    feeder.show(other.clone());
    std::thread::sleep(SETTLE);
    drive.resident(ResidentCommand::TryGate);
    drive.until("the gate's word on a stranger", LONG, |d| !probes(d).is_empty()).map_err(text)?;
    feeder.show(relit.clone());
    std::thread::sleep(SETTLE);
    let over = |d: &Drive| matches!(d.scene, ResidentScene::Done { .. } | ResidentScene::Ended { .. });
    drive.until("the gate's word on the known face", LONG, over).map_err(text)?;
    feeder.stop();

    let answers = probes(&drive);
    let (Some(first), Some(last)) = (answers.first(), answers.last()) else { return Err("no probes".into()) };
    let told = format!("threshold {}", shown(last.threshold));
    println!("known face template similarity: {}", shown(last.similarity));
    println!("another face template similarity: {}", shown(first.similarity));
    let apart = first.template.is_none() && first.similarity < first.threshold;
    check("another face before the camera is not recognised", apart, &told)?;
    let same = matches!(drive.scene, ResidentScene::Done { recognised: true, .. }) && last.similarity >= last.threshold;
    check("the known face before the camera is recognised", same, &told)?;
    drive.resident(ResidentCommand::Finish);
    let door = Door { node, unplug, plug, chip, counts, films: [relit, other], size_max };
    door.check(&mut drive, &mut gate)?;
    drive.close();
    Ok(())
}

/// The gate with a camera and a door of its own.
struct Door<'a> {
    node: &'a Path,
    unplug: &'a str,
    plug: &'a str,
    chip: &'a str,
    /// Where the chip counts.
    counts: &'a Path,
    /// The known person, and another.
    films: [Vec<Vec<u8>>; 2],
    size_max: usize,
}

impl Door<'_> {
    fn check(&self, drive: &mut Drive, gate: &mut GateProcess) -> Outcome {
        let [known, other] = &self.films;
        let file = format!(
            "[door]\nopen = \"line\"\nchip = \"{}\"\nline = 1\nhold_ms = 400\n[camera]\ndevice = \"{}\"\n",
            self.chip,
            self.node.display()
        );
        std::fs::write(gate.folder.join("gate.toml"), file).map_err(text)?;
        let address = gate.address.clone();
        gate.restart(&address).map_err(text)?;
        let feeder = Feeder::start(self.node, b"MJPG", known.clone(), self.size_max, EVERY)?;
        wait_listed()?;
        std::thread::sleep(STRANGER);
        check("restarted, the gate matches nobody before it hears its station", self.number("rises")? == 0, "")?;
        feeder.show(other.clone());
        hear(drive, STRANGER)?;
        check("a stranger before the gate's camera opens nothing", self.number("rises")? == 0, "")?;
        let start = Instant::now();
        feeder.show(known.clone());
        let opened = self.opens(drive, 1)?;
        let told = format!("{:.1} s", start.elapsed().as_secs_f64());
        check("the known face opens the gate's door: the GPIO line rises", opened, &told)?;
        std::thread::sleep(Duration::from_secs(5));
        let held = (self.number("rises")?, self.number("level")?, self.number("on_ms")?);
        let once = held.0 == 1 && held.1 == 0 && (350..1_500).contains(&held.2);
        check("once an approach, and the line falls again", once, &format!("rises, level, ms high: {held:?}"))?;

        feeder.stop();
        until_done(self.unplug)?;
        check("without its camera the gate goes on", gate.faces().map_err(text)? == 1, "")?;
        until_done(self.plug)?;
        let feeder = Feeder::start(self.node, b"MJPG", known.clone(), self.size_max, EVERY)?;
        check("plugged in again it opens again", self.opens(drive, 2)?, "")?;

        drive.resident(ResidentCommand::AskWithdraw);
        drive.tap_card(0).map_err(text)?;
        drive.resident(ResidentCommand::ConfirmWithdraw);
        let start = Instant::now();
        while gate.faces().map_err(text)? > 0 && start.elapsed() < LONG {
            drive.deliver().map_err(text)?;
            drive.tick();
            std::thread::sleep(Duration::from_millis(100));
        }
        check("withdrawn at the desk, erased at the gate", gate.faces().map_err(text)? == 0, "")?;
        feeder.show(other.clone());
        std::thread::sleep(Duration::from_secs(2));
        feeder.show(known.clone());
        hear(drive, STRANGER)?;
        let rises = self.number("rises")?;
        feeder.stop();
        check("and the face opens nothing any more", rises == 2, &format!("rises: {rises}"))
    }

    fn number(&self, what: &str) -> Result<u32, String> {
        std::fs::read_to_string(self.counts.join(what)).map_err(text)?.trim().parse().map_err(text)
    }

    /// Waits until the door was opened this often, while the desk runs.
    fn opens(&self, drive: &mut Drive, count: u32) -> Result<bool, String> {
        let start = Instant::now();
        while self.number("rises")? < count && start.elapsed() < LONG {
            hear(drive, Duration::from_millis(300))?;
        }
        Ok(self.number("rises")? == count)
    }
}

/// Lets the desk go on for a while, as it does in its window: a gate matches faces only while it hears from its station.
fn hear(drive: &mut Drive, how_long: Duration) -> Outcome {
    let start = Instant::now();
    loop {
        drive.deliver().map_err(text)?;
        drive.tick();
        if start.elapsed() >= how_long {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A desk with a vault, one paired gate and one resident whose card works.
fn ready(drive: &mut Drive, program: &Path, work: &Path) -> Result<GateProcess, DriveError> {
    drive.create();
    let gate = GateProcess::start(program, &work.join("gate"), 0)?;
    drive.pair(&gate, "东门");
    drive.deliver()?;
    drive.tick();
    let resident = drive.add("王小明", "1-101")?;
    drive.issue(resident, 0)?;
    drive.staff(StaffCommand::CloseResident);
    Ok(gate)
}

/// Some frames of a person, as a webcam would compress them.
fn film(person: &Person, variant: Variant, frames: u64) -> Result<Vec<Vec<u8>>, String> {
    let compress = |n: u64| {
        let frame = picture_frame(person, variant, n);
        let mut bytes = vec![];
        let (width, height) = (frame.width(), frame.height());
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
        encoder.write_image(frame.rgb(), width, height, ExtendedColorType::Rgb8).map_err(text)?;
        Ok(bytes)
    };
    (0..frames).map(compress).collect()
}

/// A loopback node turns into a camera with its first frame.
fn wait_listed() -> Outcome {
    let start = Instant::now();
    while Webcam::new().cameras().is_empty() {
        if start.elapsed() > Duration::from_secs(10) {
            return Err("the played camera is not listed".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Runs a command until it succeeds: the device is let go a moment after the camera is closed.
fn until_done(command: &str) -> Outcome {
    let start = Instant::now();
    loop {
        let output = Command::new("sh").args(["-c", command]).output().map_err(text)?;
        if output.status.success() {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(30) {
            return Err(format!("{command}: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn shown_failure(drive: &Drive) -> Option<Failure> {
    match &drive.scene {
        ResidentScene::Ended { failure, .. } => failure.clone(),
        _ => None,
    }
}

fn probes(drive: &Drive) -> Vec<Probed> {
    drive.probed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

fn shown(thousandths: i16) -> String {
    format!("{:.3}", f32::from(thousandths) / 1000.0)
}

fn folder(name: &str, usual: &str) -> PathBuf {
    std::env::var_os(name).map_or_else(|| usual.into(), PathBuf::from)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Frames of a film; it starts again after the last.
const FILM: u64 = 12;

/// A film that is long enough for a turn to either side, each of which lasts for some looks of an emulated desk.
const TURNING: u64 = 150;

/// Between two frames: an emulated processor that decodes thirty a second has no time left for anything else.
const EVERY: Duration = Duration::from_millis(100);

/// Most tries of a visit whose camera stalls.
const TRIES_MAX: u32 = 6;

/// Longest wait for anything: emulated, one look of the engine takes seconds.
const LONG: Duration = Duration::from_secs(150);

/// Longer than all tries of one approach take.
const STRANGER: Duration = Duration::from_secs(8);

/// After this a change before the camera has reached the newest frame.
const SETTLE: Duration = Duration::from_millis(600);
