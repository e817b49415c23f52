//! Figures behind [`crate::domain::presence`]: how often a turned head shows depth, and how often a tilted flat picture does (`make accuracy`).

use std::io::Write;

use super::Engine;
use crate::domain::presence::{DEPTH_MIN, Landmarks, depth};
use crate::domain::quality::FaceBox;
use crate::secret::Frame;

/// Tilts at which each picture is shown flat, in degrees about the upright and the level axis.
const TILTS: [(f32, f32); 4] = [(15.0, 0.0), (-25.0, 10.0), (35.0, -15.0), (-40.0, 0.0)];
/// A face counts as facing the camera below this yaw, and as turned within these bounds (nose off the eyes' middle, over the eyes' distance).
const FACING_MAX: f32 = 0.06;
const TURNED: std::ops::RangeInclusive<f32> = 0.12..=0.225;

/// What was seen.
#[derive(Default)]
pub(super) struct Depths {
    faces: Vec<(usize, Landmarks)>,
    flat: Vec<f32>,
}

impl Depths {
    /// Notes a face of a person, and looks at the picture as a flat print held at some tilts.
    pub fn add(&mut self, engine: &mut dyn Engine, person: usize, frame: &Frame, face: &FaceBox) {
        self.faces.push((person, face.landmarks));
        for (yaw, pitch) in TILTS {
            let Some(print) = tilted(frame, yaw.to_radians(), pitch.to_radians()) else { continue };
            let Ok(look) = engine.look(&print) else { continue };
            let near = |f: &FaceBox| (f.landmarks[2].0 - face.landmarks[2].0).abs();
            let found = look.faces.iter().min_by(|a, b| near(a).total_cmp(&near(b)));
            self.flat.extend(found.and_then(|f| depth(&face.landmarks, &f.landmarks)).map(f32::abs));
        }
    }

    /// Lines of `name: value`.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let mut turned = vec![];
        for (person, facing) in self.faces.iter().filter(|(_, face)| yaw(face).abs() <= FACING_MAX) {
            for (other, face) in &self.faces {
                let turn = yaw(face) - yaw(facing);
                if person == other && TURNED.contains(&turn.abs()) {
                    turned.extend(depth(facing, face).map(|depth| depth * turn.signum()));
                }
            }
        }
        let share = |of: &[f32]| of.iter().filter(|d| **d >= DEPTH_MIN).count() as f64 / of.len().max(1) as f64;
        writeln!(out, "depth_min: {DEPTH_MIN}")?;
        writeln!(out, "turned_heads: {}", turned.len())?;
        writeln!(out, "turned_heads_with_depth: {:.4}", share(&turned))?;
        writeln!(out, "flat_prints: {}", self.flat.len())?;
        writeln!(out, "flat_prints_with_depth: {:.4}", share(&self.flat))?;
        for (name, mut values) in [("turned_depth", turned), ("flat_depth", self.flat.clone())] {
            values.sort_by(f32::total_cmp);
            for part in [1, 5, 25, 50, 75, 95, 99] {
                writeln!(out, "{name}_p{part}: {:.3}", values.get(values.len() * part / 100).unwrap_or(&0.0))?;
            }
        }
        Ok(())
    }
}

/// Nose off the eyes' middle along the eyes' line, over their distance: positive towards the person's left.
fn yaw(face: &Landmarks) -> f32 {
    let [right, left, nose, ..] = *face;
    let (dx, dy) = (left.0 - right.0, left.1 - right.1);
    let off = (nose.0 - (right.0 + left.0) / 2.0, nose.1 - (right.1 + left.1) / 2.0);
    (off.0 * dx + off.1 * dy) / (dx * dx + dy * dy).max(1.0)
}

/// The picture as a print that is tilted before a pinhole camera, three picture widths away.
fn tilted(frame: &Frame, yaw: f32, pitch: f32) -> Option<Frame> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (cx, cy, far) = (width as f32 / 2.0, height as f32 / 2.0, 3.0 * width as f32);
    // Where the print's own axes and its middle's ray lie: a point (u, v) of it is seen at far * (x, y) / (far - z).
    let across = (yaw.cos(), -yaw.sin() * pitch.sin(), -yaw.sin() * pitch.cos());
    let down = (0.0, pitch.cos(), -pitch.sin());
    let mut rgb = vec![128u8; width * height * 3];
    for y in 0..height {
        for x in 0..width {
            let (sx, sy) = (x as f32 - cx, y as f32 - cy);
            // far*(u a + v d).xy = s (far - (u a + v d).z): two equations for u and v.
            let (a, b) = (far * across.0 + sx * across.2, far * down.0 + sx * down.2);
            let (c, d) = (far * across.1 + sy * across.2, far * down.1 + sy * down.2);
            let whole = a * d - b * c;
            let (u, v) = ((sx * far * d - b * sy * far) / whole, (a * sy * far - sx * far * c) / whole);
            let (px, py) = (u + cx, v + cy);
            if px < 0.0 || py < 0.0 || px >= (width - 1) as f32 || py >= (height - 1) as f32 {
                continue;
            }
            let (fx, fy) = (px.fract(), py.fract());
            let at = (py as usize * width + px as usize) * 3;
            let pixels = frame.rgb();
            for channel in 0..3 {
                let value = |i: usize| f32::from(pixels[i + channel]);
                let top = value(at) * (1.0 - fx) + value(at + 3) * fx;
                let low = value(at + width * 3) * (1.0 - fx) + value(at + width * 3 + 3) * fx;
                rgb[(y * width + x) * 3 + channel] = (top * (1.0 - fy) + low * fy) as u8;
            }
        }
    }
    Frame::new(frame.width(), frame.height(), rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_that_is_not_tilted_stays_and_a_tilted_one_is_narrower() {
        let (width, height) = (120u32, 90u32);
        let lit = |x: u32| if (40..80).contains(&x) { 255 } else { 0 };
        let rgb = (0..height).flat_map(|_| (0..width).flat_map(|x| [lit(x); 3])).collect();
        let frame = Frame::new(width, height, rgb).unwrap();
        let wide = |frame: &Frame| {
            let row = &frame.rgb()[45 * 120 * 3..46 * 120 * 3];
            row.chunks(3).filter(|pixel| pixel[0] > 200).count()
        };
        assert!((39..=40).contains(&wide(&tilted(&frame, 0.0, 0.0).unwrap())));
        let narrow = wide(&tilted(&frame, 60f32.to_radians(), 0.0).unwrap());
        assert!((16..=24).contains(&narrow), "cos 60° is a half: {narrow}");
    }
}
