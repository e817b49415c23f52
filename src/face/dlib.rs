//! The second engine: dlib's HOG detector, 5-point landmarks and ResNet descriptor.
//!
//! The library answers nonsense with a straight face (a rectangle off the frame gives a fixed, valid-looking
//! descriptor) and ends the process on an exception, so everything is checked before and after each call, and the
//! process it runs in is a child. One thread only: its networks share an unguarded random state.

use dlib_face_recognition::{
    FaceDetector, FaceDetectorTrait, FaceEncoderNetwork, FaceEncoderTrait, FaceLandmarks, ImageMatrix,
    LandmarkPredictor, LandmarkPredictorTrait, Rectangle,
};
use image024::{ImageBuffer, Rgb};
use zeroize::Zeroizing;

use super::models::Models;
use super::sface::Runtime;
use super::yunet::Yunet;
use super::{Engine, overlap, pixels, scaled};
use crate::domain::quality::{FaceBox, Look};
use crate::ports::FaceError;
use crate::secret::{EngineId, FRAME_SIDE_MAX, FaceTemplate, Frame};

/// The detector runs on a copy of this longer side; it finds faces from 80 of its pixels up.
const GLANCE_SIDE: u32 = 640;
/// YuNet runs on a copy of this longer side, as in the other engine.
const POINTS_SIDE: u32 = 320;
/// Smallest rectangle that still makes a template, in pixels of the frame.
const RECTANGLE_MIN: i32 = 64;
/// Two boxes that share more than this of their union are one face.
const OVERLAP_MAX: f32 = 0.3;
/// Lengths a real descriptor has (13,196 pictures: 1.18 to 1.71); anything else did not come from a face.
const NORM: std::ops::Range<f64> = 1.1..1.8;
/// A descriptor nearer than this to the one of an all-black picture is that one.
const BLANK_DISTANCE_MIN: f64 = 0.05;

/// dlib's three parts, loaded.
pub(super) struct DlibEngine {
    detector: FaceDetector,
    predictor: LandmarkPredictor,
    network: FaceEncoderNetwork,
    /// What the network says when there is nothing to see.
    blank: Vec<f64>,
    /// Finds eyes, nose and mouth, once [`Self::with_points`] was called.
    points: Option<(Runtime, Yunet)>,
}

impl DlibEngine {
    /// Loads both checked models. Must run before the sandbox closes: the library reads from a path only.
    pub(super) fn load(models: Models) -> Result<Self, FaceError> {
        let refused = |what: &'static str| move |_: String| FaceError::CannotStart(format!("{what} cannot be loaded"));
        let landmarks = Readable::new(&models.first)?;
        let predictor = LandmarkPredictor::open(landmarks.path()).map_err(refused("landmarks"))?;
        let descriptor = Readable::new(&models.second)?;
        let network = FaceEncoderNetwork::open(descriptor.path()).map_err(refused("descriptor network"))?;
        let mut engine = Self { detector: FaceDetector::new(), predictor, network, blank: Vec::new(), points: None };
        let side = 2 * RECTANGLE_MIN as u32;
        let black = matrix(side, side, &vec![0; 3 * (side * side) as usize])?;
        let inside = Rectangle { left: 32, top: 32, right: 95, bottom: 95 };
        let landmarks = engine.landmarks(&black, &inside)?;
        engine.blank = engine.describe(&black, landmarks)?.to_vec();
        Ok(engine)
    }

    /// [`Self::load`] and [`Self::with_points`] in one, where there is no sandbox to enter between them.
    pub(super) fn load_whole(mut models: Models) -> Result<Self, FaceError> {
        let points = models.points.take();
        let engine = Self::load(models)?;
        match points {
            Some(points) => engine.with_points(points),
            None => Ok(engine),
        }
    }

    /// With YuNet's five points in place of dlib's, which have no mouth: whether a head turns cannot be told by them. Detection and template stay
    /// dlib's. May run in the sandbox.
    pub(super) fn with_points(mut self, model: Vec<u8>) -> Result<Self, FaceError> {
        self.points = Some((Runtime::new(), Yunet::load(model)?));
        Ok(self)
    }

    /// Takes YuNet's points for each face that both found.
    fn mark(&self, frame: &Frame, faces: &mut [FaceBox]) -> Result<(), FaceError> {
        let Some((runtime, yunet)) = self.points.as_ref().filter(|_| !faces.is_empty()) else { return Ok(()) };
        let found = yunet.find_at(runtime, frame, POINTS_SIDE)?;
        for face in faces {
            let nearest = found.iter().max_by(|a, b| overlap(a, face).total_cmp(&overlap(b, face)));
            if let Some(same) = nearest.filter(|other| overlap(other, face) > OVERLAP_MAX) {
                face.landmarks = same.landmarks;
            }
        }
        Ok(())
    }

    fn find(&self, picture: &ImageMatrix) -> Vec<(Rectangle, FaceBox)> {
        let rectangles = self.detector.face_locations(picture);
        let mut faces: Vec<_> = rectangles.iter().filter_map(|r| Some((*r, self.face(picture, r).ok()?))).collect();
        faces.sort_by_key(|(r, _)| std::cmp::Reverse(r.width().saturating_mul(r.height())));
        faces
    }

    fn landmarks(&self, picture: &ImageMatrix, rectangle: &Rectangle) -> Result<FaceLandmarks, FaceError> {
        let landmarks = self.predictor.face_landmarks(picture, rectangle);
        if landmarks.len() == 5 { Ok(landmarks) } else { Err(FaceError::Unsound) }
    }

    fn face(&self, picture: &ImageMatrix, r: &Rectangle) -> Result<FaceBox, FaceError> {
        let landmarks = self.landmarks(picture, r)?;
        let point = |k: usize| landmarks.get(k).map_or((0.0, 0.0), |p| (p.x() as f32, p.y() as f32));
        let middle = |a: (f32, f32), b: (f32, f32)| ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
        // The model marks both corners of each eye and the base of the nose.
        let (left_eye, right_eye, nose) = (middle(point(0), point(1)), middle(point(2), point(3)), point(4));
        let between = middle(left_eye, right_eye);
        // It has no mouth: the corners are placed where an average face has them, until YuNet's take their place (`mark`).
        let down = ((nose.0 - between.0) * 1.6 + between.0, (nose.1 - between.1) * 1.6 + between.1);
        let across = ((left_eye.0 - right_eye.0) * 0.4, (left_eye.1 - right_eye.1) * 0.4);
        let mouth = [(down.0 - across.0, down.1 - across.1), (down.0 + across.0, down.1 + across.1)];
        Ok(FaceBox {
            x: r.left as f32,
            y: r.top as f32,
            width: (r.width() + 1) as f32,
            height: (r.height() + 1) as f32,
            score: 1.0,
            landmarks: [right_eye, left_eye, nose, mouth[0], mouth[1]],
        })
    }

    fn describe(&self, picture: &ImageMatrix, landmarks: FaceLandmarks) -> Result<Zeroizing<Vec<f64>>, FaceError> {
        let found = self.network.get_face_encodings(picture, &[landmarks], 0);
        let descriptor = found.first().ok_or(FaceError::Unsound)?;
        Ok(Zeroizing::new(descriptor.as_ref().to_vec()))
    }
}

impl Engine for DlibEngine {
    fn look(&mut self, frame: &Frame) -> Result<Look, FaceError> {
        let native = matrix(frame.width(), frame.height(), frame.rgb())?;
        let longer = frame.width().max(frame.height());
        let mut faces: Vec<FaceBox> = match pixels::shrunk(frame, GLANCE_SIDE) {
            Some((small, scale)) => {
                let small = matrix(small.width as u32, small.height as u32, &small.rgb)?;
                self.find(&small).iter().map(|(_, face)| scaled(face, scale)).collect()
            }
            None => self.find(&native).into_iter().map(|(_, face)| face).collect(),
        };
        // A frame with one face is searched again, enlarged, for smaller ones behind it.
        if faces.len() == 1 {
            let closer = if longer > GLANCE_SIDE {
                self.find(&native).into_iter().map(|(_, face)| face).collect::<Vec<_>>()
            } else {
                let double = native.resize(2 * frame.width() as usize, 2 * frame.height() as usize);
                self.find(&double).iter().map(|(_, face)| scaled(face, 0.5)).collect()
            };
            for face in closer {
                if faces.iter().all(|known| overlap(known, &face) <= OVERLAP_MAX) {
                    faces.push(face);
                }
            }
        }
        faces.sort_by(|a, b| (b.width * b.height).total_cmp(&(a.width * a.height)));
        self.mark(frame, &mut faces)?;
        Ok(super::look(frame, faces))
    }

    fn template(&mut self, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError> {
        let rectangle = rectangle(&frame, face).ok_or(FaceError::OutOfRange)?;
        let picture = matrix(frame.width(), frame.height(), frame.rgb())?;
        drop(frame);
        let landmarks = self.landmarks(&picture, &rectangle)?;
        let descriptor = self.describe(&picture, landmarks)?;
        let blank = self.blank.iter().zip(descriptor.iter()).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        // Written so that a distance that is not a number is refused too.
        // A distance that is not a number counts as blank.
        if blank.is_nan() || blank < BLANK_DISTANCE_MIN {
            return Err(FaceError::Unsound);
        }
        let numbers = Zeroizing::new(descriptor.iter().map(|v| *v as f32).collect::<Vec<_>>());
        let mut unit = super::unit_length(&numbers, NORM).ok_or(FaceError::Unsound)?;
        FaceTemplate::from_unit_vector(EngineId::dlib(), &mut unit).ok_or(FaceError::Unsound)
    }
}

/// The rectangle of a face, when it lies inside the frame and is large enough.
fn rectangle(frame: &Frame, face: &FaceBox) -> Option<Rectangle> {
    let numbers = [face.x, face.y, face.width, face.height];
    if !numbers.iter().all(|v| v.is_finite() && v.abs() <= FRAME_SIDE_MAX as f32) {
        return None;
    }
    let [left, top, width, height] = numbers.map(|v| v.round() as i32);
    let (right, bottom) = (left + width - 1, top + height - 1);
    let inside = left >= 0 && top >= 0 && right < frame.width() as i32 && bottom < frame.height() as i32;
    let fits = inside && width >= RECTANGLE_MIN && height >= RECTANGLE_MIN;
    fits.then(|| Rectangle { left: left.into(), top: top.into(), right: right.into(), bottom: bottom.into() })
}

/// dlib's own picture type. The sides are checked here, before any foreign code sees them.
fn matrix(width: u32, height: u32, rgb: &[u8]) -> Result<ImageMatrix, FaceError> {
    let picture: Option<ImageBuffer<Rgb<u8>, &[u8]>> = ImageBuffer::from_raw(width, height, rgb);
    match picture {
        Some(picture) if width.max(height) <= FRAME_SIDE_MAX && width.min(height) > 0 => {
            Ok(ImageMatrix::from_image(&picture))
        }
        _ => Err(FaceError::OutOfRange),
    }
}

/// Checked bytes behind a path nobody else can reach: an anonymous file in memory.
#[cfg(target_os = "linux")]
struct Readable(std::fs::File);

#[cfg(target_os = "linux")]
impl Readable {
    fn new(bytes: &[u8]) -> Result<Self, FaceError> {
        use std::io::Write;
        use std::os::fd::FromRawFd;

        // SAFETY: the name is a C string; the descriptor is checked and owned by nothing else.
        #[allow(unsafe_code)]
        let file = unsafe {
            let fd = libc::memfd_create(c"model".as_ptr(), libc::MFD_CLOEXEC);
            if fd < 0 { Err(std::io::Error::last_os_error()) } else { Ok(std::fs::File::from_raw_fd(fd)) }
        };
        let written = file.and_then(|mut file| file.write_all(bytes).map(|()| file));
        written.map(Self).map_err(|e| FaceError::CannotStart(format!("a model in memory: {e}")))
    }

    fn path(&self) -> String {
        use std::os::fd::AsRawFd;
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }
}

/// Elsewhere: a private temporary file, gone with the value.
#[cfg(not(target_os = "linux"))]
struct Readable(std::path::PathBuf);

#[cfg(not(target_os = "linux"))]
impl Readable {
    fn new(bytes: &[u8]) -> Result<Self, FaceError> {
        let name = crate::secret::random_bytes::<16>().iter().map(|b| format!("{b:02x}")).collect::<String>();
        let path = std::env::temp_dir().join(format!("menka-model-{name}"));
        std::fs::write(&path, bytes).map_err(|e| FaceError::CannotStart(format!("a model copy: {e}")))?;
        Ok(Self(path))
    }

    fn path(&self) -> &std::path::Path {
        &self.0
    }
}

#[cfg(not(target_os = "linux"))]
impl Drop for Readable {
    fn drop(&mut self) {
        // Nothing of a face is in it; a leftover is litter, not a leak.
        let _ = std::fs::remove_file(&self.0);
    }
}
