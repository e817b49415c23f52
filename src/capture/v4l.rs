//! Webcams on Linux, by the `v4l` crate.
//!
//! Not through nokhwa here: on real V4L2 devices it refuses formats and rates that another program left behind, lists output and metadata
//! nodes, blocks for ever on a silent camera and hands out frames that the driver flagged as damaged (each was reproduced).

use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use v4l::buffer::{Flags as BufferFlags, Type};
use v4l::capability::Flags as Abilities;
use v4l::framesize::FrameSizeEnum;
use v4l::io::traits::{CaptureStream, Stream as _};
use v4l::prelude::MmapStream;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, FourCC};

use super::pixels::{Raw, size_is_sound, to_frame};
use super::pump::{Pump, Source};
use super::{WISH, WISH_FPS, jpeg, shown_name};
use crate::domain::consent::{ConsentGranted, DoorWatch};
use crate::domain::permit::CameraPermit;
use crate::ports::{Camera, CameraError, CameraInfo, DoorCamera};
use crate::secret::Frame;

/// The webcams of a Linux machine.
pub struct V4lCamera {
    pump: Pump,
    chosen: Option<String>,
    /// No other will do.
    only: bool,
    listed: Vec<CameraInfo>,
    /// Which formats to try first at the next opening.
    order: Order,
    /// Whether `order` was already changed for what is open.
    gave_up: bool,
}

impl V4lCamera {
    /// Touches no device yet.
    pub fn new() -> Self {
        let order = Order::CompressedFirst;
        Self { pump: Pump::new(), chosen: None, only: false, listed: vec![], order, gave_up: false }
    }

    /// The camera of a door: this one and no other, by bus path or by device file; an empty word means the first.
    pub fn for_door(device: &str) -> Self {
        let chosen = Some(device.to_owned()).filter(|device| !device.is_empty());
        Self { only: chosen.is_some(), chosen, ..Self::new() }
    }

    /// The way in below the ports, without proofs. Private to `capture`: the ports and the practice self-test are its only callers.
    pub(super) fn open_unpermitted(&mut self) -> Result<(), CameraError> {
        let (chosen, only, order) = (self.chosen.clone(), self.only, self.order);
        self.gave_up = false;
        self.pump.open(move || V4lSource::start(&pick(&survey(), chosen.as_deref(), only)?, order))
    }

    /// Frames since it was opened.
    pub(super) fn frames(&self) -> u64 {
        self.pump.frames()
    }
}

impl Default for V4lCamera {
    fn default() -> Self {
        Self::new()
    }
}

impl Camera for V4lCamera {
    fn cameras(&mut self) -> Vec<CameraInfo> {
        // Opening a node can hang in a sick driver; the list must not.
        let (answer, listed) = mpsc::sync_channel(1);
        let asked = std::thread::Builder::new().name("camera list".into()).spawn(move || answer.send(survey()));
        if asked.is_ok()
            && let Ok(survey) = listed.recv_timeout(LIST_MAX)
        {
            self.listed = survey.nodes.into_iter().map(|node| node.info).collect();
        }
        self.listed.clone()
    }

    fn choose(&mut self, id: &str) {
        self.chosen = Some(id.into());
    }

    fn open(&mut self, _consent: &ConsentGranted, _permit: &CameraPermit) -> Result<(), CameraError> {
        self.open_unpermitted()
    }

    fn newest(&mut self) -> Result<Option<Frame>, CameraError> {
        let newest = self.pump.newest();
        // Some cheap cameras never end a JPEG properly, so that every one is dropped: the next opening tries another format.
        if matches!(newest, Err(CameraError::Stalled))
            && self.frames() == 0
            && !std::mem::replace(&mut self.gave_up, true)
        {
            self.order = self.order.other();
        }
        newest
    }

    fn close(&mut self) {
        self.pump.close();
    }
}

impl DoorCamera for V4lCamera {
    fn start(&mut self, _watch: &DoorWatch) -> Result<(), CameraError> {
        self.open_unpermitted()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, CameraError> {
        self.newest()
    }

    fn stop(&mut self) {
        self.close();
    }
}

/// A node that can capture in a format that can be read.
#[derive(Clone, Debug)]
struct Node {
    path: PathBuf,
    info: CameraInfo,
    has_colour: bool,
}

/// What is plugged in, and what could not be looked at.
#[derive(Default)]
struct Survey {
    nodes: Vec<Node>,
    refused: Option<CameraError>,
}

/// Looks at every video node. Colour cameras first, then by node number.
fn survey() -> Survey {
    let mut found = Survey::default();
    let mut paths: Vec<(u32, PathBuf)> = std::fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let number = entry.file_name().to_str()?.strip_prefix("video")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    paths.sort();
    for (_, path) in paths {
        match look(&path) {
            Ok(Some(node)) => found.nodes.push(node),
            Ok(None) | Err(CameraError::Unplugged) => {}
            Err(error) => found.refused = Some(error),
        }
    }
    found.nodes.sort_by_key(|node| !node.has_colour);
    number_doubles(&mut found.nodes);
    found
}

/// One device may have several cameras (colour and infrared) behind one bus path: the second gets `#2`.
fn number_doubles(nodes: &mut [Node]) {
    for at in 1..nodes.len() {
        let (before, rest) = nodes.split_at_mut(at);
        let same =
            before.iter().filter(|node| node.info.id.split('#').next() == Some(rest[0].info.id.as_str())).count();
        if same > 0 {
            rest[0].info.id.push_str(&format!("#{}", same + 1));
        }
    }
}

fn pick(survey: &Survey, chosen: Option<&str>, only: bool) -> Result<Node, CameraError> {
    let is_chosen = |node: &&Node| chosen == Some(node.info.id.as_str()) || chosen.map(Path::new) == Some(&node.path);
    let wanted = survey.nodes.iter().find(is_chosen);
    match (wanted.or(survey.nodes.first().filter(|_| !only)), &survey.refused) {
        (Some(node), _) => Ok(node.clone()),
        (None, Some(refused)) => Err(refused.clone()),
        (None, None) => Err(CameraError::None),
    }
}

/// Opens a node so that programs started later do not inherit it. The crate leaves that out, and a child that was started while the camera
/// was on would hold the device for as long as it lives: unplugged it could not go away.
pub(super) fn open(path: &Path) -> io::Result<Device> {
    let device = Device::with_path(path)?;
    let fd = device.handle().fd();
    // SAFETY: the descriptor is open for as long as `device` lives, and F_SETFD touches nothing but its flags.
    #[allow(unsafe_code)]
    let done = unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(device) }
}

/// Whether a node is a camera. Output, metadata and memory-to-memory nodes are not; nor is one without a readable format.
fn look(path: &Path) -> Result<Option<Node>, CameraError> {
    let device = open(path).map_err(|error| explain(&error))?;
    // The crate unwraps texts from the driver; a maker's odd bytes must not end the survey.
    let asked = catch_unwind(|| Ok((device.query_caps()?, Capture::enum_formats(&device).unwrap_or_default())));
    let (caps, formats) = match asked {
        Ok(answer) => answer.map_err(|error: io::Error| explain(&error))?,
        Err(_) => return Ok(None),
    };
    let captures = caps.capabilities.contains(Abilities::VIDEO_CAPTURE | Abilities::STREAMING);
    let readable: Vec<Kind> = formats.iter().filter_map(|format| Kind::of(format.fourcc)).collect();
    if !captures || readable.is_empty() {
        return Ok(None);
    }
    let has_colour = readable.iter().any(|kind| *kind != Kind::Raw(Raw::Grey));
    let info = CameraInfo { id: caps.bus, name: shown_name(&caps.card) };
    Ok(Some(Node { path: path.into(), info, has_colour }))
}

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Jpeg,
    Raw(Raw),
}

impl Kind {
    /// In order of preference: compressed pictures keep 30 frames a second on a shared USB 2 bus.
    const PREFERRED: [(&'static [u8; 4], Kind); 7] = [
        (b"MJPG", Kind::Jpeg),
        (b"JPEG", Kind::Jpeg),
        (b"YUYV", Kind::Raw(Raw::Yuyv)),
        (b"NV12", Kind::Raw(Raw::Nv12)),
        (b"RGB3", Kind::Raw(Raw::Rgb3)),
        (b"BGR3", Kind::Raw(Raw::Bgr3)),
        (b"GREY", Kind::Raw(Raw::Grey)),
    ];

    fn of(code: FourCC) -> Option<Self> {
        Self::PREFERRED.iter().find(|(name, _)| **name == code.repr).map(|(_, kind)| *kind)
    }
}

/// Which kind of format is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    CompressedFirst,
    RawFirst,
}

impl Order {
    fn other(self) -> Self {
        match self {
            Self::CompressedFirst => Self::RawFirst,
            Self::RawFirst => Self::CompressedFirst,
        }
    }

    fn formats(self) -> [(&'static [u8; 4], Kind); 7] {
        let mut formats = Kind::PREFERRED;
        if self == Self::RawFirst {
            formats.sort_by_key(|(_, kind)| *kind == Kind::Jpeg);
        }
        formats
    }
}

/// A streaming device.
struct V4lSource {
    /// Empty only while it is dropped.
    stream: Option<MmapStream<'static>>,
    kind: Kind,
    format: Format,
    /// Whether the stream holds a buffer, which its next step gives back to the driver.
    holds_buffer: bool,
}

impl V4lSource {
    /// Sets format and rate, whatever another program left there, and starts the stream.
    fn start(node: &Node, order: Order) -> Result<Self, CameraError> {
        let device = open(&node.path).map_err(|error| explain(&error))?;
        let (kind, format) = negotiate(&device, order)?;
        // The rate is a wish: many cameras lower it in the dark, some cannot set it at all.
        if let Err(error) = device.set_params(&Parameters::with_fps(WISH_FPS)) {
            tracing::debug!(code = error.raw_os_error(), "the camera keeps its own frame rate");
        }
        let stream = MmapStream::with_buffers(&device, Type::VideoCapture, BUFFERS).map_err(|error| explain(&error))?;
        let mut source = Self { stream: Some(stream), kind, format, holds_buffer: false };
        source.begin().map_err(|error| explain(&error))?;
        Ok(source)
    }

    /// The crate starts a stream only by waiting for its first frame: a millisecond of that is enough to get it going.
    fn begin(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        stream.set_timeout(Duration::from_millis(1));
        let first = stream.next().map(|_| ());
        stream.set_timeout(STEP_MAX);
        match first {
            Ok(()) => self.holds_buffer = true,
            Err(error) if is_only_waiting(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// One filled buffer to a frame; `None` when the driver or the decoder calls it damaged.
    fn step(&mut self) -> io::Result<Option<Frame>> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        if !self.holds_buffer {
            // After a wait in vain the crate would give back a buffer that the driver already has. Taking one, unread, puts it right.
            CaptureStream::dequeue(stream)?;
            self.holds_buffer = true;
            return Ok(None);
        }
        self.holds_buffer = false;
        let (buffer, meta) = stream.next()?;
        self.holds_buffer = true;
        if meta.flags.contains(BufferFlags::ERROR) {
            return Ok(None);
        }
        // Behind the used part lies the rest of some older frame.
        let used = buffer.get(..meta.bytesused as usize).unwrap_or(buffer);
        Ok(match self.kind {
            Kind::Jpeg => jpeg::decode(used).ok(),
            Kind::Raw(raw) => to_frame(raw, used, self.format.width, self.format.height, self.format.stride as usize),
        })
    }
}

impl Source for V4lSource {
    fn next(&mut self, wait: Duration) -> Result<Option<Frame>, CameraError> {
        let Some(stream) = &self.stream else { return Ok(None) };
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let ready = match stream.handle().poll(libc::POLLIN, wait_ms) {
            Ok(ready) => ready > 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            Err(error) => return Err(explain(&error)),
        };
        if !ready {
            return Ok(None);
        }
        match self.step() {
            Ok(frame) => Ok(frame),
            Err(error) if is_only_waiting(&error) => Ok(None),
            Err(error) => Err(explain(&error)),
        }
    }
}

impl Drop for V4lSource {
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        match stream.stop() {
            Err(error) if error.raw_os_error() != Some(libc::ENODEV) => {
                // The crate's own drop would panic on this, and again while unwinding, which ends the program. A few pages are the
                // smaller loss.
                tracing::warn!(code = error.raw_os_error(), "the camera's stream could not be stopped");
                std::mem::forget(stream);
            }
            _ => drop(stream),
        }
    }
}

/// Sets the first preferred format that the device really gives.
fn negotiate(device: &Device, order: Order) -> Result<(Kind, Format), CameraError> {
    let offered: Vec<FourCC> =
        Capture::enum_formats(device).map_err(|error| explain(&error))?.iter().map(|format| format.fourcc).collect();
    let mut refused = None;
    for (name, kind) in order.formats() {
        let code = FourCC::new(name);
        if !offered.iter().any(|have| have.repr == code.repr) {
            continue;
        }
        let (width, height) = nearest_size(&device.enum_framesizes(code).unwrap_or_default());
        match Capture::set_format(device, &Format::new(width, height, code)) {
            Ok(got) if got.fourcc.repr == code.repr && size_is_sound(got.width, got.height) => return Ok((kind, got)),
            Ok(_) => {}
            Err(error) => refused = Some(explain(&error)),
        }
    }
    let names: Vec<String> = offered.iter().map(|code| shown_name(&code.to_string())).collect();
    match refused {
        // "Stalled" is what an unknown error number becomes; here it means that the format was not taken.
        Some(error) if error != CameraError::Stalled => Err(error),
        _ => Err(CameraError::Unsupported(names.join(" "))),
    }
}

/// The offered size that is nearest to the wish; a smaller one counts as four times as far.
fn nearest_size(offered: &[v4l::FrameSize]) -> (u32, u32) {
    let far = |have: u32, wish: u32| if have < wish { 4 * (wish - have) } else { have - wish };
    offered
        .iter()
        .filter_map(|size| match &size.size {
            FrameSizeEnum::Discrete(one) => Some((one.width, one.height)),
            FrameSizeEnum::Stepwise(_) => None,
        })
        .filter(|(width, height)| size_is_sound(*width, *height))
        .min_by_key(|(width, height)| far(*width, WISH.0) + far(*height, WISH.1))
        .unwrap_or(WISH)
}

/// Says who can help with an error number.
fn explain(error: &io::Error) -> CameraError {
    match error.raw_os_error() {
        Some(libc::ENODEV | libc::ENXIO | libc::ENOENT) => CameraError::Unplugged,
        Some(libc::EBUSY) => CameraError::Busy,
        Some(libc::EACCES | libc::EPERM) => CameraError::NotAllowed,
        code => {
            tracing::debug!(code, "camera error");
            CameraError::Stalled
        }
    }
}

/// Whether an error only says that no frame is there yet.
fn is_only_waiting(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock | Interrupted)
}

/// Buffers that are asked of the driver.
const BUFFERS: u32 = 4;

/// Longest wait inside one step, after the device said that a frame is there.
const STEP_MAX: Duration = Duration::from_millis(500);

/// Longest wait for the list of cameras.
const LIST_MAX: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_program_does_not_inherit_an_open_node() {
        // Any node of the system does for this; what matters is the flag.
        let path = Path::new("/dev/null");
        let device = open(path).unwrap();
        // SAFETY: the descriptor is open for as long as `device` lives.
        #[allow(unsafe_code)]
        let flags = unsafe { libc::fcntl(device.handle().fd(), libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    }

    fn node(id: &str, has_colour: bool) -> Node {
        Node { path: "/dev/null".into(), info: CameraInfo { id: id.into(), name: "n".into() }, has_colour }
    }

    #[test]
    fn error_numbers_say_who_can_help() {
        for (code, expected) in [
            (libc::ENODEV, CameraError::Unplugged),
            (libc::ENOENT, CameraError::Unplugged),
            (libc::EBUSY, CameraError::Busy),
            (libc::EACCES, CameraError::NotAllowed),
            (libc::EPERM, CameraError::NotAllowed),
            (libc::EIO, CameraError::Stalled),
        ] {
            assert_eq!(explain(&io::Error::from_raw_os_error(code)), expected);
        }
    }

    #[test]
    fn an_unknown_choice_means_the_first_and_no_camera_is_told_from_a_forbidden_one() {
        let both = Survey { nodes: vec![node("usb-1", true), node("usb-2", true)], refused: None };
        assert_eq!(pick(&both, Some("usb-2"), false).unwrap().info.id, "usb-2");
        assert_eq!(pick(&both, Some("gone"), false).unwrap().info.id, "usb-1");
        assert_eq!(pick(&both, None, false).unwrap().info.id, "usb-1");
        assert_eq!(pick(&both, Some("usb-2"), true).unwrap().info.id, "usb-2");
        assert_eq!(
            pick(&both, Some("gone"), true).unwrap_err(),
            CameraError::None,
            "a door looks through no other camera"
        );
        assert_eq!(pick(&Survey::default(), None, false).unwrap_err(), CameraError::None);
        let refused = Survey { nodes: vec![], refused: Some(CameraError::NotAllowed) };
        assert_eq!(pick(&refused, None, false).unwrap_err(), CameraError::NotAllowed);
    }

    #[test]
    fn two_cameras_behind_one_plug_have_two_ids() {
        let mut nodes = vec![node("usb-1", true), node("usb-2", true), node("usb-1", false), node("usb-1", false)];
        number_doubles(&mut nodes);
        let ids: Vec<&str> = nodes.iter().map(|node| node.info.id.as_str()).collect();
        assert_eq!(ids, ["usb-1", "usb-2", "usb-1#2", "usb-1#3"]);
    }

    #[test]
    fn the_nearest_size_is_taken_and_smaller_ones_count_as_far() {
        use v4l::framesize::{Discrete, FrameSize};
        let offer = |sizes: &[(u32, u32)]| {
            let one = |(width, height): &(u32, u32)| FrameSize {
                index: 0,
                fourcc: FourCC::new(b"MJPG"),
                typ: 1,
                size: FrameSizeEnum::Discrete(Discrete { width: *width, height: *height }),
            };
            nearest_size(&sizes.iter().map(one).collect::<Vec<_>>())
        };
        assert_eq!(offer(&[(1920, 1080), (640, 480), (320, 240)]), (640, 480));
        assert_eq!(offer(&[(1280, 720), (640, 360), (320, 240)]), (640, 360));
        assert_eq!(offer(&[(1280, 720), (320, 240)]), (1280, 720));
        assert_eq!(offer(&[(16, 16), (12_000, 9_000)]), WISH);
        assert_eq!(offer(&[]), WISH);
    }

    #[test]
    fn every_preferred_format_is_recognised_and_no_other() {
        for (name, kind) in Kind::PREFERRED {
            assert_eq!(Kind::of(FourCC::new(name)), Some(kind));
        }
        for other in [b"UYVY", b"H264", b"BA81", b"\xFF\xFF\xFF\xFF"] {
            assert_eq!(Kind::of(FourCC::new(other)), None);
        }
    }

    #[test]
    fn after_a_camera_without_one_whole_jpeg_raw_formats_come_first() {
        let names = |order: Order| order.formats().map(|(name, _)| String::from_utf8_lossy(name).into_owned());
        assert_eq!(names(Order::CompressedFirst)[..3], ["MJPG", "JPEG", "YUYV"]);
        assert_eq!(names(Order::RawFirst)[..2], ["YUYV", "NV12"]);
        assert_eq!(names(Order::RawFirst)[5..], ["MJPG", "JPEG"]);
        assert_eq!(Order::RawFirst.other().other(), Order::RawFirst);
    }

    #[test]
    fn a_machine_without_cameras_answers_quietly() {
        let mut camera = V4lCamera::new();
        camera.choose("nothing");
        if camera.cameras().is_empty() {
            let error = camera.open_unpermitted().unwrap_err();
            assert!(matches!(error, CameraError::None | CameraError::NotAllowed), "{error}");
        }
        assert!(camera.newest().unwrap().is_none(), "a closed camera has no frame");
        camera.close();
        camera.close();
    }
}
