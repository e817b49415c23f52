//! The face engines, behind [`crate::ports::FaceEngine`], each in a child process of its own.
//!
//! A neural network or a C++ library leaves pieces of what it saw on heaps nobody can wipe, and may abort on bad
//! input. So the process that sees frames is not ours: [`ChildEngine`] starts `menka` or `menka-gate` again with a
//! hidden argument ([`child::FLAG`]), the child checks and loads the models, shuts itself off from files, network and
//! other processes, answers over a pipe, and is ended after each capture ([`FaceEngine::rest`]). It holds no authority:
//! the parent sends it no frame without a warrant.
//!
//! Two engines: [`EngineKind::Sface`] (YuNet detector + SFace, the default, run by rten) and [`EngineKind::Dlib`].
//! Templates of the two are never compared ([`crate::secret::EngineId`]).
//!
//! Why rten 0.27 and not tract-onnx 0.23 (release, one thread, fastest of 20 runs on one machine): SFace 20 against
//! 54 ms; YuNet at 640x480 34 to 50 against 29 ms, at 320x256 15 against 8 ms; loading SFace 30 against 140 ms; memory
//! with both 65 against 125 MB; and one loaded detector serves every picture size, where tract compiles one a size.
//! Detection is the slower half of either, and runs while the person poses. The answers agree to 2e-6.
//!
//! What each sees: YuNet finds faces from about 20 pixels of a 640-pixel copy up (a face a twentieth of the picture's
//! height), dlib from about 40; a smaller bystander is seen by neither.
//!
//! Deliberately absent: matching (that is the gate's), files other than the models, and any model whose licence
//! excludes commercial use.
//!
//! ```no_run
//! use menka::face::{EngineKind, engine_for};
//! let program = std::env::current_exe().unwrap();
//! let mut engine = engine_for(EngineKind::Sface, std::path::Path::new("var/models"), &program);
//! engine.wake().unwrap();
//! engine.rest();
//! ```

#[cfg(feature = "practice")]
pub mod accuracy;
pub mod child;
#[cfg(feature = "practice")]
mod depth;
mod dlib;
#[cfg(feature = "practice")]
pub mod heads;
mod models;
mod parent;
mod pipe;
mod pixels;
mod sandbox;
mod sface;
#[cfg(test)]
mod tests;
mod yunet;

use std::path::Path;

use zeroize::Zeroizing;

pub use parent::ChildEngine;
pub use sandbox::{SandboxReport, Shut};

use crate::domain::quality::{FaceBox, Look};
use crate::ports::{FaceEngine, FaceError};
use crate::secret::{EngineId, FaceTemplate, Frame, TEMPLATE_LEN};

/// Which engine to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// YuNet and SFace: the default.
    #[default]
    Sface,
    /// dlib's HOG detector and ResNet.
    Dlib,
}

impl EngineKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sface, Self::Dlib];

    /// The word in configuration files and on the child's command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sface => "sface",
            Self::Dlib => "dlib",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    /// What its templates are marked with.
    pub fn id(self) -> EngineId {
        match self {
            Self::Sface => EngineId::sface(),
            Self::Dlib => EngineId::dlib(),
        }
    }
}

/// An engine of `kind` in a child process, with the models in `models`.
///
/// `program` is what is started again: `std::env::current_exe()` of a program that calls [`child::main`] when its
/// first argument is [`child::FLAG`]. Nothing is started before the first use or [`FaceEngine::wake`].
pub fn engine_for(kind: EngineKind, models: &Path, program: &Path) -> Box<dyn FaceEngine> {
    Box::new(ChildEngine::new(kind, models, program))
}

/// An engine inside the child: no process, no warrant (the parent asked for it).
trait Engine {
    /// Finds faces and measures the largest one.
    fn look(&mut self, frame: &Frame) -> Result<Look, FaceError>;
    /// Turns one face into a template; consumes and wipes the frame.
    fn template(&mut self, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError>;
}

/// Puts found faces, largest first, together with the measurements of the largest.
fn look(frame: &Frame, faces: Vec<FaceBox>) -> Look {
    let measures = faces.first().map(|face| pixels::measure(frame, face)).unwrap_or_default();
    Look {
        frame: (frame.width(), frame.height()),
        faces,
        luma: measures.luma,
        contrast: measures.contrast,
        sharpness: measures.sharpness,
    }
}

/// Whether two findings are of one face: the centre of each lies inside the other.
fn is_same_place(one: &FaceBox, other: &FaceBox) -> bool {
    let holds = |outer: &FaceBox, inner: &FaceBox| {
        let (x, y) = (inner.x + inner.width / 2.0, inner.y + inner.height / 2.0);
        (outer.x..outer.x + outer.width).contains(&x) && (outer.y..outer.y + outer.height).contains(&y)
    };
    holds(one, other) && holds(other, one)
}

/// A face found in a copy that was `scale` times smaller, in pixels of the frame.
fn scaled(face: &FaceBox, scale: f32) -> FaceBox {
    FaceBox {
        x: face.x * scale,
        y: face.y * scale,
        width: face.width * scale,
        height: face.height * scale,
        score: face.score,
        landmarks: face.landmarks.map(|(x, y)| (x * scale, y * scale)),
    }
}

/// Shared area over the area of the union.
fn overlap(a: &FaceBox, b: &FaceBox) -> f32 {
    let across = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
    let down = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
    let shared = across.max(0.0) * down.max(0.0);
    shared / (a.width * a.height + b.width * b.height - shared).max(1e-6)
}

/// Divides a vector by its length; `None` when its count or length is not what a face gives.
fn unit_length(vector: &[f32], lengths: std::ops::Range<f64>) -> Option<Zeroizing<[f32; TEMPLATE_LEN]>> {
    let length = vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
    // A length that is not a number is in no range.
    if vector.len() != TEMPLATE_LEN || !lengths.contains(&length) {
        return None;
    }
    let mut unit = Zeroizing::new([0f32; TEMPLATE_LEN]);
    for (u, v) in unit.iter_mut().zip(vector) {
        *u = (f64::from(*v) / length) as f32;
    }
    Some(unit)
}
