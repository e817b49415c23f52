//! The practice devices with the real practice pictures (`make pictures`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use menka::app::command::StaffCommand;
use menka::ports::Camera;
use menka::practice::drive::Drive;
use menka::practice::site::GateProcess;
use menka::practice::{Controls, LabelledFolder, Person, PictureCamera, PracticeAct, Variant, people, picture_frame};
use menka::secret::Frame;

use super::day;

/// The people, or `None` with a printed reason when the pictures were not fetched.
fn everybody() -> Option<Vec<Person>> {
    // Loaded once for all tests: composing takes a second or two.
    static LOADED: OnceLock<Result<Vec<Person>, String>> = OnceLock::new();
    match LOADED.get_or_init(|| people(&folder()).map_err(|error| error.to_string())) {
        Ok(people) => Some(people.clone()),
        Err(error) => {
            assert!(std::env::var_os("MENKA_REQUIRE_DEVICES").is_none(), "pictures are required: {error}");
            println!("skipped: {error}");
            None
        }
    }
}

fn folder() -> PathBuf {
    let chosen = std::env::var_os("MENKA_PICTURES").map(PathBuf::from);
    chosen.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("var/pictures"))
}

/// Mean difference of two frames, in steps of brightness.
fn difference(a: &Frame, b: &Frame) -> f64 {
    let sum: u64 = a.rgb().iter().zip(b.rgb()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.rgb().len() as f64
}

#[test]
fn there_are_enough_people_and_several_come_twice() {
    let Some(people) = everybody() else { return };
    assert!(people.len() >= 8, "{}", people.len());
    assert!(people.iter().filter(|person| person.pictures() >= 2).count() >= 4);
    for person in &people {
        assert!(person.label().starts_with("Practice person "), "a neutral name: {}", person.label());
    }
}

#[test]
fn every_person_looks_different_and_fills_the_middle_of_the_frame() {
    let Some(people) = everybody() else { return };
    let frames: Vec<Frame> = people.iter().map(|person| picture_frame(person, Variant::Plain, 0)).collect();
    for (at, frame) in frames.iter().enumerate() {
        assert_eq!((frame.width(), frame.height()), (640, 480));
        // A face in the middle has contrast; flat grey has none.
        let middle: Vec<u8> =
            (140..340).flat_map(|y| (245..395).map(move |x| (y * 640 + x) * 3)).map(|i| frame.rgb()[i]).collect();
        let mean = middle.iter().map(|v| f64::from(*v)).sum::<f64>() / middle.len() as f64;
        let spread = middle.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / middle.len() as f64;
        assert!(spread.sqrt() > 15.0, "{}: {:.1}", people[at].label(), spread.sqrt());
        for other in &frames[..at] {
            assert!(difference(frame, other) > 5.0, "{} looks like somebody before", people[at].label());
        }
    }
}

#[test]
fn other_light_and_another_day_differ_from_the_first_picture_more_than_jitter_does() {
    let Some(people) = everybody() else { return };
    for person in &people {
        let plain = picture_frame(person, Variant::Plain, 3);
        assert_eq!(plain.rgb(), picture_frame(person, Variant::Plain, 3).rgb(), "deterministic");
        let neighbour = difference(&plain, &picture_frame(person, Variant::Plain, 4));
        assert!(neighbour > 0.3, "{}: frames must differ, {neighbour:.2}", person.label());
        assert!(difference(&plain, &picture_frame(person, Variant::Relit, 3)) > 5.0);
        if person.pictures() >= 2 {
            assert!(difference(&plain, &picture_frame(person, Variant::Probe, 3)) > 8.0, "{}", person.label());
        }
    }
}

#[test]
fn the_picture_camera_is_one_camera_that_stays_dark_until_it_is_opened() {
    let Some(people) = everybody() else { return };
    let controls = Controls::new();
    let mut camera = PictureCamera::new(people, controls.clone());
    assert_eq!(camera.cameras().len(), 1);
    assert!(camera.newest().is_ok_and(|frame| frame.is_none()));
    controls.act(PracticeAct::UnplugCamera);
    assert!(camera.cameras().is_empty());
}

#[test]
fn a_folder_of_the_same_files_can_be_used_instead() {
    let Some(_) = everybody() else { return };
    let home = tempfile::tempdir().expect("a folder");
    for (name, file) in [("first", "biden.jpg"), ("second", "astronaut.png")] {
        std::fs::create_dir(home.path().join(name)).expect("a person's folder");
        std::fs::copy(folder().join(file), home.path().join(name).join(file)).expect("a copy");
    }
    let loaded = LabelledFolder::load(home.path()).expect("two people");
    assert_eq!((loaded.people().len(), loaded.skipped()), (2, 0));
}

#[test]
fn fetching_the_pictures_a_second_time_only_compares_digests() {
    let Some(_) = everybody() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/setup/pictures.sh");
    let start = Instant::now();
    let done = Command::new(script).arg(folder()).output().expect("the script runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(start.elapsed() < Duration::from_secs(5), "it fetched again");
    assert!(String::from_utf8_lossy(&done.stdout).contains("are in"));
}

// The other engine, from the card to the gate's word: its templates are its own, its detector too, and the head must turn as with the first.
#[test]
fn a_resident_is_enrolled_and_known_with_dlib() {
    let folder = tempfile::tempdir().unwrap();
    let engine = menka::face::engine_for(menka::face::EngineKind::Dlib, &day::models(), &day::gate_program());
    let mut drive = Drive::new(folder.path(), engine, day::persons());
    drive.create();
    let mut gate = GateProcess::start_with(&day::gate_program(), &folder.path().join("gate"), 0, "dlib").unwrap();
    drive.pair(&gate, "东门");
    drive.deliver().unwrap();
    drive.tick();
    let resident = drive.add("王小明", "1-101").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::Seat(0));
    assert!(drive.enroll(0).unwrap(), "known at the gate: {:?} {:?}", drive.failures, drive.scene);
    assert_eq!(gate.faces().unwrap(), 1);
}
