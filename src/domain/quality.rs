//! Is this frame good enough to become a template? Measurements in, a verdict or one piece of advice out (ISO/IEC 29794-5 terms).

/// A located face, in pixels of the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
    /// Detector confidence, 0 to 1 (dlib: 1).
    pub score: f32,
    /// Right eye, left eye, nose tip, right mouth corner, left mouth corner (the person's own right and left).
    pub landmarks: [(f32, f32); 5],
}

/// What the engine says of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Frame size in pixels.
    pub frame: (u32, u32),
    /// All faces above the detector's threshold, largest first.
    pub faces: Vec<FaceBox>,
    /// Mean luminance inside the largest face, 0 to 255; 0 without a face.
    pub luma: f32,
    /// Standard deviation of luminance inside the largest face.
    pub contrast: f32,
    /// Variance of the Laplacian over the largest face scaled to 112 pixels: small means blurred.
    pub sharpness: f32,
}

/// One thing to do, in the order of what helps most. Shown in big words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guidance {
    /// Nobody in the guide box.
    NoFace,
    /// More than one person: the frame is dropped (notice, section 5).
    OnePersonOnly,
    /// Too small.
    Closer,
    /// Too big.
    Farther,
    /// Move to the person's own left.
    Left,
    /// Move to the person's own right.
    Right,
    /// Head higher in the picture.
    Up,
    /// Head lower in the picture.
    Down,
    /// Too dark.
    MoreLight,
    /// Too bright.
    LessLight,
    /// Turned away or tilted.
    LookHere,
    /// Blurred.
    HoldStill,
    /// Good: being taken.
    Good,
    /// All pictures are taken: turn the head a little to the person's own left (see [`super::presence`]).
    TurnLeft,
    /// The same to the person's own right.
    TurnRight,
}

/// Thresholds. Lengths are shares of the frame's height or width; luminance is 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Smallest face height over frame height.
    pub face_min: f32,
    /// Largest face height over frame height.
    pub face_max: f32,
    /// Largest distance of the face's centre from the frame's centre, over the frame's width (x) and height (y).
    pub off_centre: (f32, f32),
    /// Darkest and brightest mean luminance.
    pub luma: (f32, f32),
    /// Smallest variance of the Laplacian.
    pub sharpness_min: f32,
    /// Largest share by which the nose may be nearer to one eye than to the other (0 is frontal).
    pub yaw_max: f32,
    /// Largest slope of the line between the eyes (tangent of the roll angle).
    pub roll_max: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            face_min: 0.24,
            face_max: 0.80,
            off_centre: (0.20, 0.22),
            luma: (50.0, 225.0),
            sharpness_min: 12.0,
            yaw_max: 0.45,
            roll_max: 0.36,
        }
    }
}

/// Proof that a frame was judged good. Carries the face that was judged.
#[must_use]
#[derive(Debug, PartialEq)]
pub struct QualityPassed(FaceBox);

impl QualityPassed {
    /// The face to extract.
    pub fn face(&self) -> &FaceBox {
        &self.0
    }
}

/// Decides on one frame.
///
/// # Errors
/// The one piece of advice that helps most.
pub fn judge(look: &Look, limits: &Limits) -> Result<QualityPassed, Guidance> {
    let Some(face) = look.faces.first() else { return Err(Guidance::NoFace) };
    // The notice (section 5) promises that a frame with another person in it is thrown away, however far behind.
    if look.faces.len() > 1 {
        return Err(Guidance::OnePersonOnly);
    }
    let (frame_w, frame_h) = (look.frame.0 as f32, look.frame.1 as f32);
    let size = face.height / frame_h;
    if size < limits.face_min {
        return Err(Guidance::Closer);
    }
    if size > limits.face_max {
        return Err(Guidance::Farther);
    }
    let dx = (face.x + face.width / 2.0) / frame_w - 0.5;
    let dy = (face.y + face.height / 2.0) / frame_h - 0.5;
    // The camera sees the person from the front: the frame's left is the person's right.
    if dx < -limits.off_centre.0 {
        return Err(Guidance::Left);
    }
    if dx > limits.off_centre.0 {
        return Err(Guidance::Right);
    }
    if dy < -limits.off_centre.1 {
        return Err(Guidance::Down);
    }
    if dy > limits.off_centre.1 {
        return Err(Guidance::Up);
    }
    if look.luma < limits.luma.0 {
        return Err(Guidance::MoreLight);
    }
    if look.luma > limits.luma.1 {
        return Err(Guidance::LessLight);
    }
    let [right_eye, left_eye, nose, _, _] = face.landmarks;
    let eyes = left_eye.0 - right_eye.0;
    let roll = (left_eye.1 - right_eye.1).abs() / eyes.abs().max(1.0);
    let yaw = ((nose.0 - right_eye.0) - (left_eye.0 - nose.0)).abs() / eyes.abs().max(1.0);
    if eyes <= 0.0 || roll > limits.roll_max || yaw > limits.yaw_max {
        return Err(Guidance::LookHere);
    }
    if look.sharpness < limits.sharpness_min {
        return Err(Guidance::HoldStill);
    }
    Ok(QualityPassed(*face))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frontal() -> Look {
        let landmarks = [(280.0, 210.0), (360.0, 210.0), (320.0, 250.0), (290.0, 300.0), (350.0, 300.0)];
        let face = FaceBox { x: 230.0, y: 130.0, width: 180.0, height: 220.0, score: 0.9, landmarks };
        Look { frame: (640, 480), faces: vec![face], luma: 120.0, contrast: 40.0, sharpness: 200.0 }
    }

    fn advice(change: impl FnOnce(&mut Look)) -> Option<Guidance> {
        let mut look = frontal();
        change(&mut look);
        judge(&look, &Limits::default()).err()
    }

    // Shows: P08
    #[test]
    fn a_good_frame_passes_and_each_fault_has_its_advice() {
        assert_eq!(advice(|_| ()), None);
        assert_eq!(advice(|l| l.faces.clear()), Some(Guidance::NoFace));
        assert_eq!(advice(|l| l.faces.push(l.faces[0])), Some(Guidance::OnePersonOnly));
        assert_eq!(advice(|l| l.faces[0].height = 60.0), Some(Guidance::Closer));
        assert_eq!(advice(|l| l.faces[0].height = 470.0), Some(Guidance::Farther));
        assert_eq!(advice(|l| l.faces[0].x = 10.0), Some(Guidance::Left));
        assert_eq!(advice(|l| l.faces[0].x = 440.0), Some(Guidance::Right));
        assert_eq!(advice(|l| l.faces[0].y = 0.0), Some(Guidance::Down));
        assert_eq!(advice(|l| l.faces[0].y = 255.0), Some(Guidance::Up));
        assert_eq!(advice(|l| l.luma = 20.0), Some(Guidance::MoreLight));
        assert_eq!(advice(|l| l.luma = 250.0), Some(Guidance::LessLight));
        assert_eq!(advice(|l| l.faces[0].landmarks[2].0 = 282.0), Some(Guidance::LookHere));
        assert_eq!(advice(|l| l.faces[0].landmarks[1].1 = 260.0), Some(Guidance::LookHere));
        assert_eq!(advice(|l| l.sharpness = 1.0), Some(Guidance::HoldStill));
    }

    // Shows: N8-6
    #[test]
    fn a_bystander_far_behind_stops_it_too() {
        let far = |l: &mut Look| {
            let mut other = l.faces[0];
            other.height = 40.0;
            l.faces.push(other);
        };
        assert_eq!(advice(far), Some(Guidance::OnePersonOnly));
    }
}
