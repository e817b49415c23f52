//! Is a person there, rather than a flat picture of one? Asks for a small turn of the head to a side chosen by chance and looks whether the
//! nose leaves the plane through eyes and mouth, as it does on a head and not on paper. A hint only (ISO/IEC 30107-3: a check against flat
//! prints; a mask, a bent print or a moving picture may pass); at a staffed desk the operator is the stronger check.

use super::quality::FaceBox;

/// Five points of a face, in pixels of the frame: right eye, left eye, nose tip, right and left mouth corner.
pub type Landmarks = [(f32, f32); 5];

/// A side, from the person's own point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The person's left: right in the picture, since the camera looks at the person.
    Left,
    /// The person's right.
    Right,
}

/// How far the nose must leave the plane, as a share of the distance between the eyes. Measured with `make accuracy`.
pub const DEPTH_MIN: f32 = 0.10;
/// How many frames must show it.
pub const FRAMES_MIN: u8 = 2;

/// How far the nose has left the plane through eyes and mouth corners between two frames: a share of the distance between the eyes now,
/// positive towards the person's left. `None` when the points are no face (eyes in one place, all on one line).
///
/// On a flat picture, however it is held (an affine view of a plane), the nose keeps its place among the other four points: the
/// least-squares weights that make it out of them before make it out of them after. What is left over is depth.
pub fn depth(before: &Landmarks, now: &Landmarks) -> Option<f32> {
    let weights = weights(before)?;
    let [right_eye, left_eye, nose, right_mouth, left_mouth] = *now;
    let points = [right_eye, left_eye, right_mouth, left_mouth];
    let flat = points.iter().zip(weights).fold((0.0, 0.0), |sum, (p, w)| (sum.0 + p.0 * w, sum.1 + p.1 * w));
    let axis = (left_eye.0 - right_eye.0, left_eye.1 - right_eye.1);
    let squared = axis.0 * axis.0 + axis.1 * axis.1;
    let off = (nose.0 - flat.0, nose.1 - flat.1);
    let depth = (off.0 * axis.0 + off.1 * axis.1) / squared;
    (squared > 1.0 && depth.is_finite()).then_some(depth)
}

/// The smallest weights, summing to one, that make the nose out of eyes and mouth corners.
fn weights(face: &Landmarks) -> Option<[f32; 4]> {
    let [right_eye, left_eye, nose, right_mouth, left_mouth] = *face;
    // Around the eyes' middle and in units of their distance, so that the 3 x 3 system is well scaled.
    let middle = ((right_eye.0 + left_eye.0) / 2.0, (right_eye.1 + left_eye.1) / 2.0);
    let unit = (left_eye.0 - right_eye.0).hypot(left_eye.1 - right_eye.1);
    if unit.is_nan() || unit <= 1.0 {
        return None;
    }
    let scaled = |p: (f32, f32)| [(p.0 - middle.0) / unit, (p.1 - middle.1) / unit, 1.0];
    let rows = [right_eye, left_eye, right_mouth, left_mouth].map(scaled);
    let target = scaled(nose);
    // Minimal weights w = A (AᵀA)⁻¹ t, where the rows of A are the four points.
    let mut gram = [[0.0f32; 3]; 3];
    for row in &rows {
        for i in 0..3 {
            for j in 0..3 {
                gram[i][j] += row[i] * row[j];
            }
        }
    }
    let solved = solve(gram, target)?;
    Some(rows.map(|row| row.iter().zip(solved).map(|(a, b)| a * b).sum()))
}

/// Cramer's rule for three unknowns; `None` when the points lie on one line.
fn solve(m: [[f32; 3]; 3], t: [f32; 3]) -> Option<[f32; 3]> {
    let det = |m: &[[f32; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = det(&m);
    if whole.is_nan() || whole.abs() < 1e-4 {
        return None;
    }
    let mut solved = [0.0; 3];
    for (column, value) in solved.iter_mut().enumerate() {
        let mut replaced = m;
        for (row, number) in replaced.iter_mut().zip(t) {
            row[column] = number;
        }
        *value = det(&replaced) / whole;
    }
    Some(solved)
}

/// Proof that a head was seen to turn as asked. Made by [`Presence::see`] only.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceShown(());

/// One check: which side was asked for, and what was seen so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Presence {
    side: Side,
    facing: Option<Landmarks>,
    seen: u8,
}

impl Presence {
    /// Begins a check. The side comes from a byte of chance.
    pub fn ask(chance: u8) -> Self {
        let side = if chance & 1 == 0 { Side::Left } else { Side::Right };
        Self { side, facing: None, seen: 0 }
    }

    /// The side to which the head is to be turned.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Asks for the other side instead.
    pub fn ask_other(&mut self) {
        self.side = match self.side {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        };
        self.seen = 0;
    }

    /// Notes how the face looks when it faces the camera; the first such frame counts.
    pub fn face(&mut self, face: &FaceBox) {
        self.facing.get_or_insert(face.landmarks);
    }

    /// Forgets what was seen, e.g. because somebody else sat down.
    pub fn forget(&mut self) {
        (self.facing, self.seen) = (None, 0);
    }

    /// Looks at a later frame of the same face; the proof comes with the frame that completes it.
    pub fn see(&mut self, face: &FaceBox) -> Option<PresenceShown> {
        let depth = depth(self.facing.as_ref()?, &face.landmarks)?;
        let towards = match self.side {
            Side::Left => depth,
            Side::Right => -depth,
        };
        // One frame may be a slip of the landmarks; they must follow each other.
        self.seen = if towards >= DEPTH_MIN { self.seen.saturating_add(1) } else { 0 };
        (self.seen >= FRAMES_MIN).then_some(PresenceShown(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of a head in units of the distance between the eyes: x to the person's left, y down, z towards the camera.
    const HEAD: [[f32; 3]; 5] =
        [[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.55, 0.45], [-0.38, 1.05, 0.08], [0.38, 1.05, 0.08]];

    /// A camera's view of the head (or, with `flat`, of a picture of it): turned by `yaw`, nodded by `pitch` (radians), from `distance`.
    fn view(flat: bool, yaw: f32, pitch: f32, distance: f32) -> Landmarks {
        HEAD.map(|[x, y, z]| {
            let z = if flat { 0.0 } else { z };
            let (x, z) = (x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin());
            let (y, z) = (y * pitch.cos() - z * pitch.sin(), z * pitch.cos() + y * pitch.sin());
            let scale = 80.0 * distance / (distance - z);
            (320.0 + x * scale, 210.0 + y * scale)
        })
    }

    fn boxed(landmarks: Landmarks) -> FaceBox {
        FaceBox { x: 230.0, y: 130.0, width: 180.0, height: 220.0, score: 0.9, landmarks }
    }

    #[test]
    fn a_head_has_depth_and_a_picture_of_it_has_none_however_it_is_held() {
        let facing = view(false, 0.0, 0.0, 8.0);
        for degrees in [15.0f32, 20.0, 25.0] {
            let turned = depth(&facing, &view(false, degrees.to_radians(), 0.0, 8.0)).unwrap();
            assert!(turned > DEPTH_MIN, "{degrees}: {turned}");
            let other = depth(&facing, &view(false, -degrees.to_radians(), 0.0, 8.0)).unwrap();
            assert!(other < -DEPTH_MIN, "{degrees}: {other}");
        }
        let picture = view(true, 0.0, 0.0, 8.0);
        for yaw in -45..=45 {
            for pitch in [-30, 0, 30] {
                let held = view(true, (yaw as f32).to_radians(), (pitch as f32).to_radians(), 8.0);
                let depth = depth(&picture, &held).unwrap();
                assert!(depth.abs() < DEPTH_MIN / 2.0, "{yaw}, {pitch}: {depth}");
            }
        }
    }

    #[test]
    fn the_turn_counts_to_the_side_that_was_asked_for_and_in_frames_that_follow_each_other() {
        let facing = boxed(view(false, 0.0, 0.0, 8.0));
        let left = boxed(view(false, 0.3, 0.0, 8.0));
        let right = boxed(view(false, -0.3, 0.0, 8.0));
        let mut check = Presence::ask(0);
        assert_eq!(check.side(), Side::Left);
        assert_eq!(check.see(&left), None, "nothing to compare with yet");
        check.face(&facing);
        assert_eq!(check.see(&left), None);
        assert_eq!(check.see(&facing), None);
        assert_eq!(check.see(&right), None);
        assert_eq!(check.see(&left), None);
        assert!(check.see(&left).is_some());

        let mut check = Presence::ask(0);
        check.ask_other();
        assert_eq!(check.side(), Side::Right);
        check.face(&facing);
        assert_eq!((check.see(&left), check.see(&left), check.see(&right)), (None, None, None));
        assert!(check.see(&right).is_some());
        check.forget();
        assert_eq!(check.see(&right), None, "whoever sits down next begins anew");
    }

    #[test]
    fn points_that_are_no_face_have_no_depth() {
        let facing = view(false, 0.0, 0.0, 8.0);
        let nan = [(f32::NAN, 0.0); 5];
        for broken in [[(5.0, 5.0); 5], [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0), (5.0, 5.0)], nan] {
            assert_eq!(depth(&broken, &facing), None);
        }
        assert_eq!(depth(&facing, &nan), None);
        assert_eq!(depth(&facing, &[(5.0, 5.0); 5]), None);
    }
}
