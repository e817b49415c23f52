//! The YuNet detector: picture in, faces with five landmarks out.

use rten::{Model, NodeId, Value};
use zeroize::Zeroizing;

use super::sface::Runtime;
use super::{overlap, pixels, scaled};
use crate::domain::quality::FaceBox;
use crate::ports::FaceError;
use crate::secret::Frame;

/// Faces below this confidence are not faces (OpenCV's figure for this model is 0.6 to 0.9).
const SCORE_MIN: f32 = 0.6;
/// Two boxes that share more than this of their union are one face.
const OVERLAP_MAX: f32 = 0.3;
/// The grids the model answers on, in pixels a cell.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Most faces kept of one picture; more mean a crowd, and a crowd is refused anyway.
pub(super) const FACES_MAX: usize = 32;

/// The loaded detector.
pub(super) struct Yunet {
    model: Model,
    input: NodeId,
    /// Class, object, box and landmarks of each stride.
    outputs: [[NodeId; 4]; 3],
}

impl Yunet {
    /// Loads the checked model.
    pub(super) fn load(bytes: Vec<u8>) -> Result<Self, FaceError> {
        let model = Model::load(bytes).map_err(|e| FaceError::CannotStart(format!("detector: {e}")))?;
        let node = |name: &str| model.node_id(name).map_err(|e| FaceError::CannotStart(format!("detector: {e}")));
        let input = node("input")?;
        let mut outputs = [[input; 4]; 3];
        for (row, stride) in outputs.iter_mut().zip(STRIDES) {
            for (id, kind) in row.iter_mut().zip(["cls", "obj", "bbox", "kps"]) {
                *id = node(&format!("{kind}_{stride}"))?;
            }
        }
        Ok(Self { model, input, outputs })
    }

    /// Finds faces in a copy of the frame with this longer side; boxes come back in pixels of the frame.
    pub(super) fn find_at(&self, runtime: &Runtime, frame: &Frame, side: u32) -> Result<Vec<FaceBox>, FaceError> {
        match pixels::shrunk(frame, side) {
            Some((small, scale)) => {
                let faces = self.find(runtime, small.width, small.height, &small.rgb)?;
                Ok(faces.iter().map(|face| scaled(face, scale)).collect())
            }
            None => self.find(runtime, frame.width() as usize, frame.height() as usize, frame.rgb()),
        }
    }

    /// Finds faces in an RGB picture, largest first, in pixels of that picture.
    pub(super) fn find(
        &self,
        runtime: &Runtime,
        width: usize,
        height: usize,
        rgb: &[u8],
    ) -> Result<Vec<FaceBox>, FaceError> {
        // The grids must fit: the picture is padded with black to whole cells of the coarsest one.
        let (padded_w, padded_h) = (width.next_multiple_of(32), height.next_multiple_of(32));
        let mut planes = vec![0f32; 3 * padded_w * padded_h];
        for (plane, channel) in planes.chunks_exact_mut(padded_w * padded_h).zip([2, 1, 0]) {
            let rows = plane.chunks_exact_mut(padded_w).zip(rgb.chunks_exact(3 * width));
            for (out, row) in rows {
                for (o, pixel) in out.iter_mut().zip(row.chunks_exact(3)) {
                    *o = f32::from(pixel[channel]);
                }
            }
        }
        let ids: Vec<NodeId> = self.outputs.iter().flatten().copied().collect();
        let answers = runtime.run(&self.model, self.input, [1, 3, padded_h, padded_w], planes, &ids)?;
        let mut answers = answers.into_iter();
        let mut faces = Vec::new();
        for stride in STRIDES {
            let grid = Grid { stride, columns: padded_w / stride, rows: padded_h / stride };
            grid.decode(&mut answers, &mut faces)?;
        }
        Ok(distinct(faces))
    }
}

/// One of the three grids of cells.
struct Grid {
    stride: usize,
    columns: usize,
    rows: usize,
}

impl Grid {
    /// Takes this grid's four answers and adds the faces in them.
    fn decode(&self, answers: &mut impl Iterator<Item = Value>, faces: &mut Vec<FaceBox>) -> Result<(), FaceError> {
        let cells = self.columns * self.rows;
        let (class, object) = (numbers(answers.next(), cells)?, numbers(answers.next(), cells)?);
        let (boxes, points) = (numbers(answers.next(), 4 * cells)?, numbers(answers.next(), 10 * cells)?);
        let unit = self.stride as f32;
        for cell in 0..cells {
            let score = (class[cell].clamp(0.0, 1.0) * object[cell].clamp(0.0, 1.0)).sqrt();
            // Written so that a score that is not a number is dropped too.
            if score.is_nan() || score < SCORE_MIN {
                continue;
            }
            let (column, row) = ((cell % self.columns) as f32, (cell / self.columns) as f32);
            let b = &boxes[4 * cell..4 * cell + 4];
            let (width, height) = (b[2].exp() * unit, b[3].exp() * unit);
            let (x, y) = ((column + b[0]) * unit - width / 2.0, (row + b[1]) * unit - height / 2.0);
            let mut landmarks = [(0.0, 0.0); 5];
            for (landmark, p) in landmarks.iter_mut().zip(points[10 * cell..].chunks_exact(2)) {
                *landmark = ((p[0] + column) * unit, (p[1] + row) * unit);
            }
            let finite =
                [x, y, width, height].iter().chain(landmarks.iter().flat_map(|(x, y)| [x, y])).all(|v| v.is_finite());
            if finite {
                faces.push(FaceBox { x, y, width, height, score, landmarks });
            }
        }
        Ok(())
    }
}

/// The numbers of one answer, `[1, cells, n]`, checked for their count.
fn numbers(value: Option<Value>, expected: usize) -> Result<Zeroizing<Vec<f32>>, FaceError> {
    let (_, numbers) = value.ok_or(FaceError::Unsound)?.into_shape_vec::<f32, 3>().map_err(|_| FaceError::Unsound)?;
    let numbers = Zeroizing::new(numbers);
    if numbers.len() == expected { Ok(numbers) } else { Err(FaceError::Unsound) }
}

/// Keeps the most confident of boxes that overlap; largest first.
fn distinct(mut faces: Vec<FaceBox>) -> Vec<FaceBox> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<FaceBox> = Vec::new();
    for face in faces {
        if kept.len() < FACES_MAX && kept.iter().all(|k| overlap(k, &face) <= OVERLAP_MAX) {
            kept.push(face);
        }
    }
    kept.sort_by(|a, b| (b.width * b.height).total_cmp(&(a.width * a.height)));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, side: f32, score: f32) -> FaceBox {
        FaceBox { x, y: 0.0, width: side, height: side, score, landmarks: [(0.0, 0.0); 5] }
    }

    #[test]
    fn overlapping_boxes_are_one_face_and_the_largest_comes_first() {
        let kept = distinct(vec![face(0.0, 10.0, 0.7), face(1.0, 10.0, 0.9), face(50.0, 20.0, 0.8)]);
        assert_eq!(kept.iter().map(|f| f.score).collect::<Vec<_>>(), [0.8, 0.9]);
    }

    #[test]
    fn a_crowd_is_cut_off() {
        let crowd = (0..500).map(|k| face(k as f32 * 20.0, 10.0, 0.9)).collect();
        assert_eq!(distinct(crowd).len(), FACES_MAX);
    }
}
