//! The real adapter against real V4L2 devices: run inside the camera VM (`make test-camera`), never by the product.
//!
//! It drives the adapter below the port, since a consent needs a vault and this needs none: what is filmed here is a test card of the
//! kernel's `vivid` driver, or a practice picture played through `v4l2loopback`.
#![allow(clippy::print_stdout, reason = "its output is the result")]

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::{ImageReader, RgbImage};
use v4l::control::{Control, Value};
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, FourCC, Fraction};

use super::v4l::V4lCamera;
use super::{WISH, jpeg};
use crate::ports::{Camera, CameraError};
use crate::secret::Frame;

/// Runs one phase: `none`, `vivid`, or `loop PICTURE MJPG-NODE YUYV-NODE`. Prints one line a check.
pub fn main(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["none"] => without_camera(),
        ["vivid"] => on_vivid(),
        ["loop", picture, mjpg, yuyv] => on_loopback(Path::new(picture), Path::new(mjpg), Path::new(yuyv)),
        _ => Err("usage: none | vivid | loop PICTURE MJPG-NODE YUYV-NODE".into()),
    };
    match done {
        Ok(()) => {
            println!("PHASE {} passed", words.first().unwrap_or(&""));
            ExitCode::SUCCESS
        }
        Err(what) => {
            println!("FAIL {what}");
            ExitCode::FAILURE
        }
    }
}

/// Nothing, or what did not hold.
pub type Outcome = Result<(), String>;

fn without_camera() -> Outcome {
    let mut camera = V4lCamera::new();
    check("no camera: the list is empty", camera.cameras().is_empty(), "")?;
    let error = camera.open_unpermitted().err();
    check("no camera: opening says so", error == Some(CameraError::None), &format!("{error:?}"))
}

fn on_vivid() -> Outcome {
    let nodes = std::fs::read_dir("/sys/class/video4linux").map_or(0, Iterator::count);
    let mut camera = V4lCamera::new();
    let listed = camera.cameras();
    check("only the capture node is a camera", listed.len() == 1, &format!("{} of {nodes} nodes", listed.len()))?;
    let node = node_of(&listed[0].id)?;

    camera.open_unpermitted().map_err(text)?;
    let seen = watch(&mut camera, 20, None);
    check("frames arrive", seen.frames >= WANT && seen.lost.is_none(), &seen.told())?;
    camera.close();

    // As another program may have left it: a format that cannot be read and a rate that is no whole number.
    let left = until(Duration::from_secs(2), || leave_odd(&node, b"UYVY", Fraction::new(2, 25)).is_ok());
    check("another program can use the closed camera", left, "UYVY, 2/25 s")?;
    camera.open_unpermitted().map_err(text)?;
    let seen = watch(&mut camera, 10, None);
    check("opens whatever another program left there", seen.frames >= WANT, &seen.told())?;

    let mut second = V4lCamera::new();
    let start = Instant::now();
    let error = second.open_unpermitted().err();
    let told = format!("{error:?} after {} ms", start.elapsed().as_millis());
    check("a camera in use is busy", error == Some(CameraError::Busy), &told)?;
    let seen = watch(&mut camera, 10, None);
    check("and the first user keeps it", seen.frames >= WANT && seen.lost.is_none(), &seen.told())?;

    let start = Instant::now();
    camera.close();
    let closing = start.elapsed();
    let start = Instant::now();
    let freed = until(Duration::from_secs(2), || second.open_unpermitted().is_ok());
    let told = format!("close {closing:?}, free after {} ms", start.elapsed().as_millis());
    check("closing returns at once and frees the camera", closing < Duration::from_millis(50) && freed, &told)?;
    second.close();

    // Two adapters do not know of each other: the second one's thread lets go within a tenth of a second.
    check("a third opening", until(Duration::from_secs(2), || camera.open_unpermitted().is_ok()), "")?;
    watch(&mut camera, 3, None);
    driver("unbind")?;
    let start = Instant::now();
    let seen = watch_until_lost(&mut camera);
    let told = format!("{:?} after {} ms", seen.lost, start.elapsed().as_millis());
    check("an unplugged camera is unplugged", seen.lost == Some(CameraError::Unplugged), &told)?;
    check("and gone from the list", camera.cameras().is_empty(), "")?;
    let error = camera.open_unpermitted().err();
    check("and cannot be opened", error == Some(CameraError::None), &format!("{error:?}"))?;
    driver("bind")?;
    std::thread::sleep(Duration::from_millis(500));
    camera.open_unpermitted().map_err(text)?;
    let seen = watch(&mut camera, 10, None);
    check("plugged in again it opens", seen.frames >= WANT, &seen.told())?;
    camera.close();

    let node = node_of(&camera.cameras().first().ok_or("no camera after replugging")?.id)?;
    camera.open_unpermitted().map_err(text)?;
    control(&node, "Percentage of Dropped Buffers", 100)?;
    let start = Instant::now();
    let seen = watch_until_lost(&mut camera);
    control(&node, "Percentage of Dropped Buffers", 0)?;
    let told = format!("{:?} after {} ms", seen.lost, start.elapsed().as_millis());
    check("a silent camera is stalled", seen.lost == Some(CameraError::Stalled), &told)?;
    camera.open_unpermitted().map_err(text)?;
    let seen = watch(&mut camera, 10, None);
    check("and opens again when it speaks", seen.frames >= WANT, &seen.told())?;

    control(&node, "Inject Fatal Streaming Error", 1)?;
    let seen = watch_until_lost(&mut camera);
    check("a fatal driver error is a lost camera", seen.lost.is_some(), &seen.told())?;
    camera.open_unpermitted().map_err(text)?;
    let seen = watch(&mut camera, 10, None);
    check("and opens again", seen.frames >= WANT, &seen.told())
}

fn on_loopback(picture: &Path, mjpg: &Path, yuyv: &Path) -> Outcome {
    let known = known_face(picture)?;
    let mut bytes = vec![];
    JpegEncoder::new_with_quality(&mut bytes, 92).encode_image(&known).map_err(text)?;
    let decoded = jpeg::decode(&bytes).map_err(text)?;
    let size = bytes.len();
    let feeder = Feeder::start(mjpg, b"MJPG", vec![bytes], size, THIRTY_A_SECOND)?;
    let mut camera = V4lCamera::new();
    let id = id_of(&mut camera, mjpg)?;
    camera.choose(&id);
    camera.open_unpermitted().map_err(text)?;
    let seen = watch(&mut camera, 20, Some(decoded.rgb()));
    check("a known face through MJPG", seen.frames >= WANT && seen.worst_db > 45.0, &seen.told())?;

    feeder.manner.store(SOME_DAMAGED, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(300));
    let seen = watch(&mut camera, 20, Some(decoded.rgb()));
    let sound = seen.frames >= WANT && seen.lost.is_none() && seen.worst_db > 45.0;
    check("of damaged and whole pictures only the whole arrive", sound, &seen.told())?;

    feeder.manner.store(ALL_DAMAGED, Ordering::SeqCst);
    let seen = watch_until_lost(&mut camera);
    check("nothing but damage is a stall", seen.lost == Some(CameraError::Stalled), &seen.told())?;

    feeder.manner.store(WHOLE, Ordering::SeqCst);
    camera.open_unpermitted().map_err(text)?;
    let seen = watch(&mut camera, 10, None);
    check("and it comes back with whole pictures", seen.frames >= WANT, &seen.told())?;
    feeder.manner.store(SILENT, Ordering::SeqCst);
    let start = Instant::now();
    let seen = watch_until_lost(&mut camera);
    let told = format!("{:?} after {} ms", seen.lost, start.elapsed().as_millis());
    check("a stalled camera is noticed", seen.lost == Some(CameraError::Stalled), &told)?;
    let start = Instant::now();
    camera.close();
    check("and can be closed at once", start.elapsed() < Duration::from_millis(50), "")?;
    feeder.stop();

    let raw = to_yuyv(&known);
    let size = raw.len();
    let feeder = Feeder::start(yuyv, b"YUYV", vec![raw], size, THIRTY_A_SECOND)?;
    let id = id_of(&mut camera, yuyv)?;
    camera.choose(&id);
    camera.open_unpermitted().map_err(text)?;
    let seen = watch(&mut camera, 20, Some(known.as_raw()));
    check("a known face through YUYV", seen.frames >= WANT && seen.worst_db > 28.0, &seen.told())?;
    camera.close();
    feeder.stop();
    Ok(())
}

/// What was seen in some time.
struct Seen {
    frames: u64,
    lost: Option<CameraError>,
    seconds: f64,
    /// Likeness of the least similar frame to the known picture, in decibels.
    worst_db: f64,
}

impl Seen {
    fn told(&self) -> String {
        let rate = self.frames as f64 / self.seconds;
        let likeness =
            if self.worst_db.is_finite() { format!(", worst {:.1} dB", self.worst_db) } else { String::new() };
        let lost = self.lost.as_ref().map(|error| format!(", lost: {error}")).unwrap_or_default();
        format!("{} frames, {rate:.1} a second{likeness}{lost}", self.frames)
    }
}

/// Watches until `wanted` frames came, the camera is lost, or the time is over (emulation on a busy machine is slow).
fn watch(camera: &mut V4lCamera, wanted: u64, known: Option<&[u8]>) -> Seen {
    let (start, before) = (Instant::now(), camera.frames());
    let (mut worst_db, mut lost, mut frames) = (f64::INFINITY, None, before);
    while start.elapsed() < WATCH_MAX && lost.is_none() && frames - before < wanted {
        match camera.newest() {
            Ok(Some(frame)) => {
                worst_db = known.map_or(worst_db, |known| worst_db.min(likeness(&frame, known)));
                frames = camera.frames();
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => lost = Some(error),
        }
    }
    Seen { frames: frames - before, lost, seconds: start.elapsed().as_secs_f64(), worst_db }
}

/// Watches until the camera is lost.
fn watch_until_lost(camera: &mut V4lCamera) -> Seen {
    watch(camera, u64::MAX, None)
}

/// Fewest frames that count as a picture that moves.
const WANT: u64 = 10;

/// As webcams do.
const THIRTY_A_SECOND: Duration = Duration::from_millis(33);

/// Longest watch.
const WATCH_MAX: Duration = Duration::from_secs(12);

/// Peak signal-to-noise ratio; 0 when the sizes differ, 99 when the pictures are the same.
fn likeness(frame: &Frame, known: &[u8]) -> f64 {
    if frame.rgb().len() != known.len() {
        return 0.0;
    }
    let square = |(a, b): (&u8, &u8)| f64::from(i32::from(a.abs_diff(*b)).pow(2));
    let mean = frame.rgb().iter().zip(known).map(square).sum::<f64>() / known.len() as f64;
    if mean == 0.0 { 99.0 } else { 10.0 * (65_025.0 / mean).log10() }
}

/// Prints one line of a check that held.
///
/// # Errors
/// What did not hold.
pub fn check(what: &str, holds: bool, told: &str) -> Outcome {
    let told = if told.is_empty() { String::new() } else { format!(" ({told})") };
    if holds {
        println!("ok   {what}{told}");
        Ok(())
    } else {
        Err(format!("{what}{told}"))
    }
}

fn until(limit: Duration, mut step: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if step() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The node behind an id: the first whose bus says so.
fn node_of(id: &str) -> Result<std::path::PathBuf, String> {
    (0..64)
        .map(|number| std::path::PathBuf::from(format!("/dev/video{number}")))
        .find(|path| bus_of(path).as_deref() == Some(id))
        .ok_or_else(|| format!("no node for {id}"))
}

fn bus_of(path: &Path) -> Option<String> {
    Device::with_path(path).ok()?.query_caps().ok().map(|caps| caps.bus)
}

fn id_of(camera: &mut V4lCamera, node: &Path) -> Result<String, String> {
    let bus = bus_of(node).ok_or("no such node")?;
    let mut found = None;
    // The node turns into a camera with its feeder's first frame.
    until(Duration::from_secs(3), || {
        found = camera.cameras().into_iter().find(|info| info.id == bus).map(|info| info.id);
        found.is_some()
    });
    found.ok_or_else(|| format!("{} is not listed as a camera", node.display()))
}

fn leave_odd(node: &Path, code: &[u8; 4], interval: Fraction) -> Outcome {
    let device = Device::with_path(node).map_err(text)?;
    let got = Capture::set_format(&device, &Format::new(640, 480, FourCC::new(code))).map_err(text)?;
    device.set_params(&Parameters::new(interval)).map_err(text)?;
    let left = Capture::params(&device).map_err(text)?.interval;
    if got.fourcc.repr == *code && left.numerator * interval.denominator == left.denominator * interval.numerator {
        Ok(())
    } else {
        Err(format!("the driver left {} at {}/{} s", got.fourcc, left.numerator, left.denominator))
    }
}

fn control(node: &Path, name: &str, value: i64) -> Outcome {
    let device = Device::with_path(node).map_err(text)?;
    let controls = device.query_controls().map_err(text)?;
    let id = controls.iter().find(|control| control.name == name).ok_or_else(|| format!("no control {name}"))?.id;
    device.set_control(Control { id, value: Value::Integer(value) }).map_err(text)
}

/// What pulling and plugging a USB camera does, done to the test driver.
fn driver(act: &str) -> Outcome {
    std::fs::write(format!("/sys/bus/platform/drivers/vivid/{act}"), "vivid.0").map_err(text)
}

/// The middle of a picture as 640 x 480.
fn known_face(path: &Path) -> Result<RgbImage, String> {
    let file = ImageReader::open(path).map_err(text)?.decode().map_err(text)?.to_rgb8();
    let (width, height) = (file.width(), (file.width() * WISH.1 / WISH.0).min(file.height()));
    let part = image::imageops::crop_imm(&file, 0, 0, width, height).to_image();
    Ok(image::imageops::resize(&part, WISH.0, WISH.1, image::imageops::FilterType::Triangle))
}

fn to_yuyv(picture: &RgbImage) -> Vec<u8> {
    let yuv = |pixel: &[u8]| {
        let [r, g, b] = [f64::from(pixel[0]), f64::from(pixel[1]), f64::from(pixel[2])];
        let y = 16.0 + 0.256_788 * r + 0.504_129 * g + 0.097_906 * b;
        let u = 128.0 - 0.148_223 * r - 0.290_993 * g + 0.439_216 * b;
        let v = 128.0 + 0.439_216 * r - 0.367_788 * g - 0.071_427 * b;
        [y, u, v]
    };
    let pair = |two: &[u8]| {
        let (a, b) = (yuv(&two[..3]), yuv(&two[3..]));
        [a[0], (a[1] + b[1]) / 2.0, b[0], (a[2] + b[2]) / 2.0].map(|value| value.round() as u8)
    };
    picture.as_raw().chunks_exact(6).flat_map(pair).collect()
}

const WHOLE: u8 = 0;
const SOME_DAMAGED: u8 = 1;
const ALL_DAMAGED: u8 = 2;
/// Holds the device and sends nothing.
const SILENT: u8 = 3;
const STOP: u8 = 4;

/// Plays pictures of 640 x 480, over and over, into a loopback node: the other end of it is a camera.
pub struct Feeder {
    manner: Arc<AtomicU8>,
    pictures: Arc<Mutex<Vec<Vec<u8>>>>,
    thread: JoinHandle<()>,
}

impl Feeder {
    /// Starts with these pictures, already in the format `code`. None that is shown later may be larger than `size_max` bytes.
    /// A new one comes `every` so often.
    ///
    /// # Errors
    /// The node cannot be opened, or does not take the format.
    pub fn start(
        node: &Path,
        code: &[u8; 4],
        pictures: Vec<Vec<u8>>,
        size_max: usize,
        every: Duration,
    ) -> Result<Self, String> {
        let mut device = super::v4l::open(node).map_err(text)?;
        let mut format = Format::new(WISH.0, WISH.1, FourCC::new(code));
        format.size = u32::try_from(size_max).map_err(text)?;
        let got = v4l::video::Output::set_format(&device, &format).map_err(text)?;
        if got.fourcc.repr != *code {
            return Err(format!("the loopback node gave {}", got.fourcc));
        }
        let manner = Arc::new(AtomicU8::new(WHOLE));
        let told = manner.clone();
        let pictures = Arc::new(Mutex::new(pictures));
        let shown = pictures.clone();
        let thread = std::thread::spawn(move || {
            for n in 0u32.. {
                let damage = match told.load(Ordering::SeqCst) {
                    STOP => return,
                    WHOLE => 0,
                    SOME_DAMAGED => n % 4,
                    ALL_DAMAGED => n % 3 + 1,
                    _ => {
                        std::thread::sleep(Duration::from_millis(20));
                        continue;
                    }
                };
                let picture = {
                    let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
                    shown.get(n as usize % shown.len().max(1)).map(|bytes| damaged(bytes, damage))
                };
                let Some(picture) = picture else { return };
                if device.write_all(&picture).is_err() {
                    return;
                }
                std::thread::sleep(every);
            }
        });
        Ok(Self { manner, pictures, thread })
    }

    /// Plays other pictures from the next frame on.
    pub fn show(&self, pictures: Vec<Vec<u8>>) {
        *self.pictures.lock().unwrap_or_else(PoisonError::into_inner) = pictures;
    }

    /// Stops and lets the node go.
    pub fn stop(self) {
        self.manner.store(STOP, Ordering::SeqCst);
        let _ = self.thread.join();
    }
}

/// 0: whole. 1: cut in the middle. 2: a restart marker out of turn. 3: a segment that runs past the end.
fn damaged(bytes: &[u8], how: u32) -> Vec<u8> {
    let middle = bytes.len() / 2;
    let mut out = bytes.to_vec();
    match how {
        1 => out.truncate(middle),
        2 => out[middle..middle + 2].copy_from_slice(&[0xFF, 0xD5]),
        3 => out[4..6].copy_from_slice(&[0xFF, 0xFF]),
        _ => {}
    }
    out
}
