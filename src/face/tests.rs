//! The engines with real models and real pictures, each in its child process.
//!
//! Warrants are made here as the gate makes them: these tests are inside the crate for that reason alone.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::*;
use crate::domain::consent::{AtTheDoor, DoorWatch, Warrant};
use crate::domain::quality::{Limits, judge};

#[test]
fn one_person_matches_and_another_does_not_with_either_engine() {
    for kind in EngineKind::ALL {
        let mut engine = engine(kind);
        let obama = template(&mut engine, "obama.jpg");
        let again = template(&mut engine, "obama2.jpg");
        let biden = template(&mut engine, "biden.jpg");
        let (same, other) = (distance(&obama, &again), distance(&obama, &biden));
        let limit = if kind == EngineKind::Sface { 1.05 } else { 0.40 };
        assert!(same < limit && other > limit, "{}: {same} {other}", kind.name());
        assert_eq!(obama.engine(), &kind.id());
    }
}

#[test]
fn a_watch_finds_faces_and_makes_no_template_of_them() {
    let (watch, mut engine) = (DoorWatch::assert_gate(), engine(EngineKind::Sface));
    let frame = picture("obama.jpg");
    let look = engine.locate(Warrant::Watch(&watch), &frame).unwrap();
    let refused = engine.extract(Warrant::Watch(&watch), frame, &look.faces[0]);
    assert_eq!(refused.unwrap_err(), FaceError::Unsound);
}

#[test]
fn the_same_picture_gives_the_same_template() {
    for kind in EngineKind::ALL {
        let mut engine = engine(kind);
        let (first, second) = (template(&mut engine, "biden.jpg"), template(&mut engine, "biden.jpg"));
        assert!(distance(&first, &second) < 1e-6, "{}", kind.name());
    }
}

#[test]
fn templates_of_two_engines_are_never_brought_together() {
    let parts = EngineKind::ALL.map(|kind| template(&mut engine(kind), "obama.jpg"));
    assert_ne!(parts[0].engine(), parts[1].engine());
    assert!(FaceTemplate::mean(parts.into_iter().collect()).is_none());
}

#[test]
fn a_portrait_is_found_measured_and_judged_good() {
    for kind in EngineKind::ALL {
        let mut engine = engine(kind);
        let frame = portrait();
        let look = locate(&mut engine, &frame).unwrap();
        assert_eq!(look.frame, (frame.width(), frame.height()));
        assert!(look.luma > 60.0 && look.contrast > 15.0 && look.sharpness > 12.0, "{look:?}");
        let face =
            *judge(&look, &Limits::default()).unwrap_or_else(|g| panic!("{}: {g:?} {look:?}", kind.name())).face();
        let [right_eye, left_eye, nose, right_mouth, left_mouth] = face.landmarks;
        // The person faces us: their right eye is on the left of the picture, the mouth below the nose.
        assert!(right_eye.0 < nose.0 && nose.0 < left_eye.0 && right_mouth.0 < left_mouth.0);
        assert!(right_eye.1 < nose.1 && nose.1 < right_mouth.1 && nose.1 < left_mouth.1);
    }
}

// Shows: NDR24, N8-6
#[test]
fn p29_a_second_person_in_the_picture_is_seen_however_far_behind() {
    for kind in EngineKind::ALL {
        let mut engine = engine(kind);
        // The other head is a twelfth (dlib: a fifth) of the frame; the face in it half of that.
        let frame = two_people(if kind == EngineKind::Sface { 12 } else { 5 });
        let look = locate(&mut engine, &frame).unwrap();
        if look.faces.len() > 1 {
            assert!(look.faces[0].height > look.faces[1].height);
            assert!(judge(&look, &Limits::default()).is_err());
            continue;
        }
        // A glance for the preview may miss somebody far behind; nothing is made of such a frame all the same.
        let face = look.faces[0];
        assert_eq!(extract(&mut engine, frame, &face).unwrap_err(), FaceError::NotAlone, "{}", kind.name());
    }
}

/// The practice camera's turning heads: everybody can show depth to one side at least, in a frame that is good otherwise.
#[cfg(feature = "practice")]
#[test]
fn practice_heads_turn_in_depth() {
    use crate::domain::presence::{DEPTH_MIN, depth};
    use crate::practice::{Variant, people, picture_frame};
    let mut engine = sface_in_process();
    let (mut all, mut sides) = (0, 0);
    for person in people(&pictures()).unwrap() {
        let facing = engine.look(&picture_frame(&person, Variant::Plain, 0)).unwrap().faces[0].landmarks;
        // Within each half of the turn to the person's left, and of the turn to their right.
        let shown = [(35, 1.0), (60, 1.0), (110, -1.0), (135, -1.0)].map(|(n, towards)| {
            let look = engine.look(&picture_frame(&person, Variant::Plain, n)).unwrap();
            let depth = depth(&facing, &look.faces[0].landmarks).unwrap() * towards;
            assert!(depth > -DEPTH_MIN / 2.0, "{} turned {depth} at frame {n}", person.label());
            depth >= DEPTH_MIN && judge(&look, &Limits::default()).is_ok()
        });
        let count = u32::from(shown[0] || shown[1]) + u32::from(shown[2] || shown[3]);
        assert!(count >= 1, "{}", person.label());
        (all, sides) = (all + 2, sides + count);
    }
    println!("turns that show depth: {sides} of {all}");
}

#[test]
fn an_empty_wall_has_no_face() {
    for kind in EngineKind::ALL {
        let wall = Frame::new(640, 480, vec![180; 3 * 640 * 480]).unwrap();
        let look = locate(&mut engine(kind), &wall).unwrap();
        assert!(look.faces.is_empty());
        assert_eq!((look.luma, look.contrast, look.sharpness), (0.0, 0.0, 0.0));
    }
}

#[test]
fn odd_frames_are_answered_and_odd_faces_refused() {
    for kind in EngineKind::ALL {
        let mut engine = engine(kind);
        for (width, height) in [(1, 1), (1, 1280), (1280, 1), (33, 7), (1280, 1280)] {
            let frame = Frame::new(width, height, vec![90; 3 * (width * height) as usize]).unwrap();
            assert_eq!(locate(&mut engine, &frame).unwrap().faces, [], "{} {width}x{height}", kind.name());
        }
        let good = largest(&mut engine, &picture("obama.jpg"));
        let off_frame = FaceBox { x: 5_000.0, landmarks: good.landmarks.map(|(x, y)| (x + 5_000.0, y)), ..good };
        let tiny = FaceBox { width: 8.0, height: 8.0, landmarks: [(40.0, 40.0); 5], ..good };
        let inverted = FaceBox { width: -200.0, landmarks: [(0.0, 0.0); 5], ..good };
        let huge = FaceBox { width: 1e30, landmarks: good.landmarks.map(|(x, y)| (x * 1e30, y * 1e30)), ..good };
        for face in [off_frame, tiny, inverted, huge] {
            assert_eq!(extract(&mut engine, picture("obama.jpg"), &face).unwrap_err(), FaceError::OutOfRange);
        }
        let not_numbers = FaceBox { x: f32::NAN, landmarks: [(f32::NAN, 0.0); 5], ..good };
        assert_eq!(extract(&mut engine, picture("obama.jpg"), &not_numbers).unwrap_err(), FaceError::OutOfRange);
        assert!(extract(&mut engine, picture("obama.jpg"), &good).is_ok(), "still the same child");
    }
}

#[test]
fn a_face_that_is_not_there_makes_no_template_of_dlib() {
    let mut engine = engine(EngineKind::Dlib);
    let black = Frame::new(320, 240, vec![0; 3 * 320 * 240]).unwrap();
    let (x, y, landmarks) = (50.0, 50.0, [(0.0, 0.0); 5]);
    let face = FaceBox { x, y, width: 100.0, height: 100.0, score: 1.0, landmarks };
    assert_eq!(extract(&mut engine, black, &face).unwrap_err(), FaceError::Unsound);
}

#[test]
fn a_killed_child_is_replaced_and_the_next_frame_works() {
    for kind in EngineKind::ALL {
        let mut engine = engine(kind);
        engine.wake().unwrap();
        let first = engine.process_id().unwrap();
        kill(first);
        let frame = picture("obama.jpg");
        assert_eq!(locate(&mut engine, &frame).unwrap_err(), FaceError::Restarted);
        assert_ne!(engine.process_id().unwrap(), first);
        assert_eq!(locate(&mut engine, &frame).unwrap().faces.len(), 1);
    }
}

#[test]
fn a_child_outlives_the_thread_that_woke_it() {
    let engine = std::thread::spawn(|| {
        let mut engine = engine(EngineKind::Sface);
        engine.wake().unwrap();
        engine
    });
    let mut engine = engine.join().unwrap();
    assert!(locate(&mut engine, &picture("obama.jpg")).is_ok());
}

#[cfg(feature = "practice")]
#[test]
fn a_child_that_hangs_is_killed_in_time_and_replaced() {
    let mut engine = engine(EngineKind::Sface);
    let started = std::time::Instant::now();
    assert_eq!(engine.stall().unwrap_err(), FaceError::Restarted);
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
    assert!(locate(&mut engine, &picture("obama.jpg")).is_ok());
}

#[test]
fn nothing_that_saw_a_face_is_left_after_rest_or_drop() {
    let mut engine = engine(EngineKind::Sface);
    engine.wake().unwrap();
    let first = engine.process_id().unwrap();
    engine.rest();
    assert!(!alive(first) && engine.process_id().is_none() && engine.sandbox().is_none());
    locate(&mut engine, &picture("obama.jpg")).unwrap();
    let second = engine.process_id().unwrap();
    drop(engine);
    assert!(!alive(second));
}

#[cfg(all(feature = "practice", target_os = "linux"))]
#[test]
fn the_sandbox_refuses_files_sockets_and_programs() {
    for kind in EngineKind::ALL {
        let mut engine = engine(kind);
        engine.wake().unwrap();
        let report = engine.sandbox().unwrap();
        assert_eq!(report.calls, Shut::Full, "{report}");
        assert_eq!(report.limits, Shut::Full, "{report}");
        let outcomes = engine.probe().unwrap();
        assert_eq!(outcomes.len(), 5);
        let refused = |number: &i32| [libc::EPERM, libc::EACCES].contains(number);
        assert!(outcomes.iter().all(refused), "{}: {outcomes:?}", kind.name());
        assert!(!std::env::temp_dir().join("menka-sandbox-probe").exists());
        // Not traceable and without a core: its memory file belongs to root, and its limits are set.
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", engine.process_id().unwrap())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_child_gets_no_environment_but_its_own() {
    let mut engine = engine(EngineKind::Sface);
    engine.wake().unwrap();
    let environment = std::fs::read(format!("/proc/{}/environ", engine.process_id().unwrap())).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("HOME="));
}

#[test]
fn missing_models_and_a_changed_model_are_told_apart_in_the_child() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = ChildEngine::new(EngineKind::Sface, folder.path(), &program());
    let missing = FaceError::ModelMissing { folder: folder.path().display().to_string() };
    assert_eq!(engine.wake().unwrap_err(), missing);
    for (name, change) in [("yunet_2023mar_fp32.onnx", 0usize), ("sface_2021dec_fp32.onnx", 1_000_000)] {
        for file in ["yunet_2023mar_fp32.onnx", "sface_2021dec_fp32.onnx"] {
            std::fs::copy(models().join(file), folder.path().join(file)).unwrap();
        }
        let mut bytes = std::fs::read(folder.path().join(name)).unwrap();
        bytes[change] ^= 1;
        std::fs::write(folder.path().join(name), &bytes).unwrap();
        assert_eq!(engine.wake().unwrap_err(), FaceError::ModelWrong { file: name.into() });
        bytes[change] ^= 1;
        bytes.push(0);
        std::fs::write(folder.path().join(name), &bytes).unwrap();
        assert_eq!(engine.wake().unwrap_err(), FaceError::ModelWrong { file: name.into() }, "one byte longer");
    }
}

#[test]
fn a_program_that_is_no_engine_cannot_be_started() {
    for program in ["/nowhere/menka", "/bin/true"] {
        let mut engine = ChildEngine::new(EngineKind::Sface, &models(), Path::new(program));
        assert!(matches!(engine.wake().unwrap_err(), FaceError::CannotStart(_)), "{program}");
    }
    // Talks, but nonsense: `cat` gives an empty answer, `yes` gives a length nobody agreed to.
    let mut engine = ChildEngine::new(EngineKind::Sface, &models(), Path::new("/usr/bin/yes"));
    assert!(matches!(engine.wake().unwrap_err(), FaceError::CannotStart(_)));
}

/// What OpenCV's `FaceDetectorYN` and `FaceRecognizerSF` say with the unfolded models on the same files.
#[test]
fn boxes_landmarks_and_distances_agree_with_opencv() {
    let expected = [
        (
            "obama.jpg",
            [373.7, 94.7, 231.2, 321.4],
            [(443.1, 208.2), (550.2, 210.5), (500.5, 271.4), (445.1, 317.4), (544.4, 319.5)],
        ),
        (
            "obama2.jpg",
            [195.3, 225.2, 275.2, 389.5],
            [(252.8, 361.5), (376.0, 382.5), (282.0, 445.8), (238.2, 502.4), (343.6, 520.0)],
        ),
    ];
    let mut engine = sface_in_process();
    let mut templates = Vec::new();
    for (name, corner, landmarks) in expected {
        let frame = native(name);
        let face = *engine.find(&frame, 2_000).unwrap().first().unwrap();
        let near = |a: f32, b: f32| (a - b).abs() < 2.5;
        let got = [face.x, face.y, face.width, face.height];
        assert!(got.iter().zip(corner).all(|(a, b)| near(*a, b)), "{name}: {got:?}");
        assert!(
            face.landmarks.iter().zip(landmarks).all(|(a, b)| near(a.0, b.0) && near(a.1, b.1)),
            "{name}: {face:?}"
        );
        templates.push(engine.template(frame, &face).unwrap());
    }
    // OpenCV samples without smoothing, so the numbers are near, not the same.
    let distance = distance(&templates[0], &templates[1]);
    assert!((distance - 0.734).abs() < 0.06, "{distance}");
}

fn sface_in_process() -> sface::SfaceEngine {
    sface::SfaceEngine::load(models::Models::read(EngineKind::Sface, &models()).unwrap()).unwrap()
}

fn template(engine: &mut ChildEngine, name: &str) -> FaceTemplate {
    let face = largest(engine, &picture(name));
    extract(engine, picture(name), &face).unwrap()
}

fn largest(engine: &mut ChildEngine, frame: &Frame) -> FaceBox {
    *locate(engine, frame).unwrap().faces.first().unwrap()
}

fn locate(engine: &mut ChildEngine, frame: &Frame) -> Result<Look, FaceError> {
    let act = AtTheDoor::assert_act();
    engine.locate(Warrant::Door(&act), frame)
}

fn extract(engine: &mut ChildEngine, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError> {
    let act = AtTheDoor::assert_act();
    engine.extract(Warrant::Door(&act), frame, face)
}

fn distance(a: &FaceTemplate, b: &FaceTemplate) -> f32 {
    // EXPOSE: a test compares two templates of press photos.
    a.expose().iter().zip(b.expose()).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

fn engine(kind: EngineKind) -> ChildEngine {
    ChildEngine::new(kind, &models(), &program())
}

/// The gate's binary beside the test binary; `cargo test` builds both.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let beside = test.parent().and_then(Path::parent).unwrap().join("menka-gate");
    assert!(beside.is_file(), "build it with `cargo build --bin menka-gate`: {}", beside.display());
    beside
}

fn models() -> PathBuf {
    std::env::var_os("MENKA_MODELS").map_or_else(|| var().join("models"), PathBuf::from)
}

fn var() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("var")
}

fn pictures() -> PathBuf {
    std::env::var_os("MENKA_PICTURES").map_or_else(|| var().join("pictures"), PathBuf::from)
}

/// A picture fetched at set-up, brought to a camera's size.
fn picture(name: &str) -> Frame {
    static CACHE: OnceLock<std::sync::Mutex<std::collections::BTreeMap<String, image::RgbImage>>> = OnceLock::new();
    let mut cache = CACHE.get_or_init(Default::default).lock().unwrap();
    let picture = cache.entry(name.into()).or_insert_with(|| {
        let path = pictures().join(name);
        let picture = image::open(&path).unwrap_or_else(|e| panic!("{}: {e}: run `make pictures`", path.display()));
        picture.thumbnail(640, 640).to_rgb8()
    });
    Frame::new(picture.width(), picture.height(), picture.as_raw().clone()).unwrap()
}

/// A picture in its own size.
fn native(name: &str) -> Frame {
    let picture = image::open(pictures().join(name)).unwrap().to_rgb8();
    Frame::new(picture.width(), picture.height(), picture.into_raw()).unwrap()
}

/// One face in the middle of a camera's frame, cut from a larger picture.
fn portrait() -> Frame {
    let whole = picture("obama.jpg");
    let face = sface_in_process().look(&whole).unwrap().faces[0];
    let height = (face.height * 2.0) as u32;
    let (width, middle) = (height * 4 / 3, (face.x + face.width / 2.0, face.y + face.height / 2.0));
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (px, py) = (
                middle.0 as i64 + i64::from(x) - i64::from(width / 2),
                middle.1 as i64 + i64::from(y) - i64::from(height / 2),
            );
            let (px, py) = (px.clamp(0, i64::from(whole.width()) - 1), py.clamp(0, i64::from(whole.height()) - 1));
            let at = 3 * (py * i64::from(whole.width()) + px) as usize;
            rgb.extend_from_slice(&whole.rgb()[at..at + 3]);
        }
    }
    let picture = image::RgbImage::from_raw(width, height, rgb).unwrap();
    let picture = image::imageops::resize(&picture, 640, 480, image::imageops::FilterType::Triangle);
    Frame::new(640, 480, picture.into_raw()).unwrap()
}

/// The portrait, with another face in the corner, its head `smaller` times as small as the frame.
fn two_people(smaller: u32) -> Frame {
    let first = portrait();
    let mut picture = image::RgbImage::from_raw(640, 480, first.rgb().to_vec()).unwrap();
    let other = picture_of_head("biden.jpg", 480 / smaller);
    image::imageops::replace(&mut picture, &other, 8, 8);
    Frame::new(640, 480, picture.into_raw()).unwrap()
}

fn picture_of_head(name: &str, side: u32) -> image::RgbImage {
    let whole = picture(name);
    let face = sface_in_process().look(&whole).unwrap().faces[0];
    let picture = image::RgbImage::from_raw(whole.width(), whole.height(), whole.rgb().to_vec()).unwrap();
    let reach = face.height * 2.0;
    let (x, y) = (face.x + face.width / 2.0 - reach / 2.0, face.y + face.height / 2.0 - reach / 2.0);
    let head = image::imageops::crop_imm(&picture, x.max(0.0) as u32, y.max(0.0) as u32, reach as u32, reach as u32);
    image::imageops::resize(&head.to_image(), side, side, image::imageops::FilterType::Triangle)
}

#[cfg(unix)]
fn kill(process: u32) {
    assert!(std::process::Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

#[cfg(unix)]
fn alive(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}
