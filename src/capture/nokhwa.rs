//! Webcams on Windows (Media Foundation) and macOS (AVFoundation), by the `nokhwa` crate.
//!
//! Compiled and run on those systems only. nokhwa can block for ever while it opens a camera or waits for a frame, and some of its paths
//! panic: both are why it lives behind the pump. Its own decoders are not used.

use std::sync::mpsc;
use std::time::Duration;

use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};

use super::pixels::{Raw, to_frame};
use super::pump::{Pump, Source};
use super::{WISH, WISH_FPS, jpeg, shown_name};
use crate::domain::consent::{ConsentGranted, DoorWatch};
use crate::domain::permit::CameraPermit;
use crate::ports::{Camera, CameraError, CameraInfo, DoorCamera};
use crate::secret::Frame;

/// The webcams of a Windows or macOS machine.
pub struct NokhwaCamera {
    pump: Pump,
    chosen: Option<String>,
    listed: Vec<CameraInfo>,
}

impl NokhwaCamera {
    /// Touches no device yet.
    pub fn new() -> Self {
        Self { pump: Pump::new(), chosen: None, listed: vec![] }
    }
}

impl Default for NokhwaCamera {
    fn default() -> Self {
        Self::new()
    }
}

impl Camera for NokhwaCamera {
    fn cameras(&mut self) -> Vec<CameraInfo> {
        let (answer, listed) = mpsc::sync_channel(1);
        let asked = std::thread::Builder::new().name("camera list".into()).spawn(move || answer.send(survey()));
        if asked.is_ok()
            && let Ok(Ok(found)) = listed.recv_timeout(LIST_MAX)
        {
            self.listed = found.into_iter().map(|(_, info)| info).collect();
        }
        self.listed.clone()
    }

    fn choose(&mut self, id: &str) {
        self.chosen = Some(id.into());
    }

    fn open(&mut self, _consent: &ConsentGranted, _permit: &CameraPermit) -> Result<(), CameraError> {
        let chosen = self.chosen.clone();
        self.pump.open(move || NokhwaSource::start(chosen.as_deref()))
    }

    fn newest(&mut self) -> Result<Option<Frame>, CameraError> {
        self.pump.newest()
    }

    fn close(&mut self) {
        self.pump.close();
    }
}

impl NokhwaCamera {
    /// The camera of a door, by its id; an empty word means the first.
    pub fn for_door(device: &str) -> Self {
        Self { chosen: Some(device.to_owned()).filter(|device| !device.is_empty()), ..Self::new() }
    }
}

impl DoorCamera for NokhwaCamera {
    fn start(&mut self, _watch: &DoorWatch) -> Result<(), CameraError> {
        let chosen = self.chosen.clone();
        self.pump.open(move || NokhwaSource::start(chosen.as_deref()))
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, CameraError> {
        self.newest()
    }

    fn stop(&mut self) {
        self.close();
    }
}

/// A streaming device. Its thread is the only one that ever touches it.
struct NokhwaSource {
    camera: nokhwa::Camera,
}

impl NokhwaSource {
    fn start(chosen: Option<&str>) -> Result<Self, CameraError> {
        // macOS asks the person at the screen, once; until then there is no camera.
        if !nokhwa::nokhwa_check() {
            nokhwa::nokhwa_initialize(|_| {});
            return Err(CameraError::NotAllowed);
        }
        let found = survey()?;
        let wanted = found.iter().find(|(_, info)| chosen == Some(info.id.as_str())).or(found.first());
        let (index, _) = wanted.ok_or(CameraError::None)?;
        let mut refused = CameraError::Unsupported("MJPEG YUYV NV12 RGB BGR".into());
        for format in READABLE {
            let one = [format];
            let wish = CameraFormat::new(Resolution::new(WISH.0, WISH.1), format, WISH_FPS);
            let request = RequestedFormat::with_formats(RequestedFormatType::Closest(wish), &one);
            match nokhwa::Camera::new(index.clone(), request) {
                Ok(mut camera) => {
                    camera.open_stream().map_err(|error| explain(&error.to_string()))?;
                    return Ok(Self { camera });
                }
                Err(error) => match explain(&error.to_string()) {
                    CameraError::Stalled => {}
                    known => refused = known,
                },
            }
        }
        Err(refused)
    }
}

impl Source for NokhwaSource {
    /// The wait cannot be handed to nokhwa: a silent camera leaves this thread stuck, and the watchdog leaves the thread behind.
    fn next(&mut self, _wait: Duration) -> Result<Option<Frame>, CameraError> {
        let buffer = self.camera.frame().map_err(|error| explain(&error.to_string()))?;
        let (size, bytes) = (buffer.resolution(), buffer.buffer());
        let raw = match buffer.source_frame_format() {
            FrameFormat::MJPEG => return Ok(jpeg::decode(bytes).ok()),
            FrameFormat::YUYV => Raw::Yuyv,
            FrameFormat::NV12 => Raw::Nv12,
            FrameFormat::RAWRGB => Raw::Rgb3,
            FrameFormat::RAWBGR => Raw::Bgr3,
            FrameFormat::GRAY => Raw::Grey,
        };
        Ok(to_frame(raw, bytes, size.width(), size.height(), 0))
    }
}

impl Drop for NokhwaSource {
    fn drop(&mut self) {
        if let Err(error) = self.camera.stop_stream() {
            tracing::debug!(%error, "the camera's stream was not stopped cleanly");
        }
    }
}

fn survey() -> Result<Vec<(CameraIndex, CameraInfo)>, CameraError> {
    let found = nokhwa::query(ApiBackend::Auto).map_err(|error| explain(&error.to_string()))?;
    let one = |camera: nokhwa::utils::CameraInfo| {
        // The symbolic link (Windows) or the unique id (macOS) stays the same over replugging; the index does not.
        let stable = camera.misc();
        let id = if stable.is_empty() { camera.human_name() } else { stable };
        (camera.index().clone(), CameraInfo { id, name: shown_name(&camera.human_name()) })
    };
    Ok(found.into_iter().map(one).collect())
}

/// nokhwa hands errors over as text; the system's error numbers inside it are what can be relied on.
fn explain(text: &str) -> CameraError {
    let has = |codes: &[&str]| codes.iter().any(|code| text.to_ascii_uppercase().contains(code));
    // Access denied; the privacy switch of Windows answers with it too.
    if has(&["80070005", "NOT AUTHORIZED", "PERMISSION"]) {
        CameraError::NotAllowed
    // Sharing violation; hardware failed to start; device held exclusively.
    } else if has(&["80070020", "C00D3704", "C00D3E85", "LOCK REJECTED", "BUSY"]) {
        CameraError::Busy
    // Recording device invalidated; device removed; device not functioning.
    } else if has(&["C00D3EA2", "80070490", "8007001F", "DISCONNECTED"]) {
        CameraError::Unplugged
    } else {
        tracing::debug!(error = text, "camera error");
        CameraError::Stalled
    }
}

/// Formats in order of preference.
const READABLE: [FrameFormat; 5] =
    [FrameFormat::MJPEG, FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::RAWRGB, FrameFormat::RAWBGR];

/// Longest wait for the list of cameras.
const LIST_MAX: Duration = Duration::from_secs(2);
