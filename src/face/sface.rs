//! The default engine: YuNet finds faces, SFace makes the template. Both run in rten, pure Rust.

use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use zeroize::{Zeroize, Zeroizing};

use super::Engine;
use super::models::Models;
use super::pixels;
use super::yunet::Yunet;
use crate::domain::quality::{FaceBox, Look};
use crate::ports::FaceError;
use crate::secret::{EngineId, FaceTemplate, Frame};

/// First detection runs on a copy of this longer side: fast enough for every preview frame.
const GLANCE_SIDE: u32 = 320;
/// Before a face becomes a template the frame is searched again at this size: better landmarks, and small faces far behind are found.
const STARE_SIDE: u32 = 640;
/// Smallest distance between the eyes that still makes a template, in pixels of the frame.
const EYES_MIN: f32 = 16.0;
/// Lengths a template of a face has before it is brought to 1; anything else did not come from a face.
const NORM: std::ops::Range<f64> = 1.0..100.0;
/// Where the landmarks go in the upright face (the points SFace was trained with).
const REFERENCE: [(f32, f32); 5] =
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)];

/// YuNet and SFace, loaded.
pub(super) struct SfaceEngine {
    runtime: Runtime,
    detector: Yunet,
    model: Model,
    input: NodeId,
    output: NodeId,
}

impl SfaceEngine {
    /// Loads both checked models from memory; touches no file.
    pub(super) fn load(models: Models) -> Result<Self, FaceError> {
        let runtime = Runtime::new();
        let detector = Yunet::load(models.first)?;
        let model = Model::load(models.second).map_err(|e| FaceError::CannotStart(format!("template model: {e}")))?;
        let (Some(&input), Some(&output)) = (model.input_ids().first(), model.output_ids().first()) else {
            return Err(FaceError::CannotStart("template model: no input or output".into()));
        };
        Ok(Self { runtime, detector, model, input, output })
    }

    /// Detects at one size; boxes come back in pixels of the frame.
    pub(super) fn find(&self, frame: &Frame, side: u32) -> Result<Vec<FaceBox>, FaceError> {
        self.detector.find_at(&self.runtime, frame, side)
    }
}

impl SfaceEngine {
    /// The upright face as the model takes it: planes red, green, blue.
    pub(super) fn aligned(&self, frame: &Frame, face: &FaceBox) -> Option<Vec<f32>> {
        pixels::upright(frame, &face.landmarks, &REFERENCE)
    }
}

impl Engine for SfaceEngine {
    fn look(&mut self, frame: &Frame) -> Result<Look, FaceError> {
        let faces = self.find(frame, GLANCE_SIDE)?;
        Ok(super::look(frame, faces))
    }

    fn template(&mut self, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError> {
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        let inside = |&(x, y): &(f32, f32)| (0.0..width).contains(&x) && (0.0..height).contains(&y);
        if !face.landmarks.iter().all(inside) {
            return Err(FaceError::OutOfRange);
        }
        // A glance misses people far behind; the notice promises that their frame is thrown away.
        let found = match frame.width().max(frame.height()) > GLANCE_SIDE {
            true => self.find(&frame, STARE_SIDE)?,
            false => vec![],
        };
        if found.len() > 1 {
            return Err(FaceError::NotAlone);
        }
        let face = found.first().filter(|closer| super::is_same_place(closer, face)).unwrap_or(face);
        let (right_eye, left_eye) = (face.landmarks[0], face.landmarks[1]);
        let eyes = (left_eye.0 - right_eye.0).hypot(left_eye.1 - right_eye.1);
        if eyes < EYES_MIN {
            return Err(FaceError::OutOfRange);
        }
        let chip = self.aligned(&frame, face).ok_or(FaceError::OutOfRange)?;
        drop(frame);
        let shape = [1, 3, pixels::CHIP, pixels::CHIP];
        let answers = self.runtime.run(&self.model, self.input, shape, chip, &[self.output])?;
        let answer = answers.into_iter().next().ok_or(FaceError::Unsound)?;
        let (_, vector) = answer.into_shape_vec::<f32, 2>().map_err(|_| FaceError::Unsound)?;
        let vector = Zeroizing::new(vector);
        let mut unit = super::unit_length(&vector, NORM).ok_or(FaceError::Unsound)?;
        FaceTemplate::from_unit_vector(EngineId::sface(), &mut unit).ok_or(FaceError::Unsound)
    }
}

/// rten on a small pool of threads.
///
/// A second thread halves detection, but takes a core the windows draw with: only where there are four. The answers
/// are the same numbers either way.
pub(super) struct Runtime {
    pool: Arc<ThreadPool>,
}

impl Runtime {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { pool: Arc::new(ThreadPool::with_num_threads(if cores >= 4 { 2 } else { 1 })) }
    }

    /// Runs a model on one input of four dimensions; the input is given back to the heap wiped.
    pub(super) fn run(
        &self,
        model: &Model,
        input: NodeId,
        shape: [usize; 4],
        mut values: Vec<f32>,
        outputs: &[NodeId],
    ) -> Result<Vec<Value>, FaceError> {
        let view = rten::ValueView::from_shape(&shape, values.as_slice()).map_err(|_| FaceError::OutOfRange);
        let options = RunOptions::default().with_thread_pool(Some(self.pool.clone()));
        let answers = view.and_then(|view| {
            model.run(vec![(input, view.into())], outputs, Some(options)).map_err(|_| FaceError::Unsound)
        });
        values.zeroize();
        answers
    }
}
