//! Arithmetic on pixels: shrinking, measuring a face, and turning it upright for the template.

use zeroize::Zeroizing;

use crate::domain::quality::FaceBox;
use crate::secret::Frame;

/// Side of the upright face the template is computed from, and of the copy sharpness is measured on, in pixels.
pub(super) const CHIP: usize = 112;

/// An RGB picture that is wiped when dropped.
pub(super) struct Picture {
    /// Width in pixels.
    pub(super) width: usize,
    /// Height in pixels.
    pub(super) height: usize,
    /// Rows top to bottom, 3 bytes a pixel.
    pub(super) rgb: Zeroizing<Vec<u8>>,
}

/// Luma, contrast and sharpness of one face; see [`crate::domain::quality::Look`] for the units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Measures {
    /// Mean luminance, 0 to 255.
    pub(super) luma: f32,
    /// Standard deviation of luminance.
    pub(super) contrast: f32,
    /// Variance of the Laplacian of the face at 112 pixels.
    pub(super) sharpness: f32,
}

/// Makes a copy whose longer side is `side`, each pixel the mean of the area it covers; `None` when it is no smaller.
///
/// The second value is how many frame pixels one pixel of the copy covers.
pub(super) fn shrunk(frame: &Frame, side: u32) -> Option<(Picture, f32)> {
    let longer = frame.width().max(frame.height());
    if longer <= side {
        return None;
    }
    let scale = longer as f32 / side as f32;
    let (w, h) = (frame.width() as usize, frame.height() as usize);
    let (width, height) = (((w as f32 / scale).round() as usize).max(1), ((h as f32 / scale).round() as usize).max(1));
    let columns = Shares::new(w, width);
    let rows = Shares::new(h, height);
    let mut rgb = Zeroizing::new(vec![0u8; 3 * width * height]);
    // Down first, then across. Shares are 256ths: 8 bits of light and twice 8 bits of share fit.
    let mut sums = Zeroizing::new(vec![0u32; 3 * w]);
    for (y, out) in rgb.chunks_exact_mut(3 * width).enumerate() {
        sums.fill(0);
        for (source_y, share) in rows.of(y) {
            let row = &frame.rgb()[3 * w * source_y..3 * w * (source_y + 1)];
            for (sum, light) in sums.iter_mut().zip(row) {
                *sum += share * u32::from(*light);
            }
        }
        for (x, pixel) in out.chunks_exact_mut(3).enumerate() {
            let mut mean = [1u32 << 15; 3];
            for (source_x, share) in columns.of(x) {
                for (m, sum) in mean.iter_mut().zip(&sums[3 * source_x..3 * source_x + 3]) {
                    *m += share * sum;
                }
            }
            for (p, m) in pixel.iter_mut().zip(mean) {
                *p = (m >> 16).min(255) as u8;
            }
        }
    }
    Some((Picture { width, height, rgb }, scale))
}

/// Measures the light and the sharpness of one face.
pub(super) fn measure(frame: &Frame, face: &FaceBox) -> Measures {
    let (left, right) = clamped(face.x, face.width, frame.width());
    let (top, bottom) = clamped(face.y, face.height, frame.height());
    if right - left < 2 || bottom - top < 2 {
        return Measures::default();
    }
    let w = frame.width() as usize;
    let columns = Shares::new(right - left, CHIP.min(right - left));
    let rows = Shares::new(bottom - top, CHIP.min(bottom - top));
    let (width, height) = (columns.len(), rows.len());
    let mut grey = Zeroizing::new(vec![0f32; width * height]);
    let mut sums = Zeroizing::new(vec![0f32; right - left]);
    for (y, out) in grey.chunks_exact_mut(width).enumerate() {
        sums.fill(0.0);
        for (source_y, share) in rows.of(y) {
            let start = 3 * (w * (top + source_y) + left);
            let row = frame.rgb()[start..start + 3 * (right - left)].chunks_exact(3);
            for (sum, pixel) in sums.iter_mut().zip(row) {
                *sum += share as f32 * luminance(pixel);
            }
        }
        for (x, light) in out.iter_mut().enumerate() {
            *light = columns.of(x).map(|(source_x, share)| share as f32 * sums[source_x]).sum::<f32>() / 65_536.0;
        }
    }
    let (luma, variance) = mean_and_variance(grey.iter().copied());
    let laplacian = (1..height.saturating_sub(1)).flat_map(|y| {
        let grey = &grey;
        (1..width.saturating_sub(1)).map(move |x| {
            let at = y * width + x;
            grey[at - 1] + grey[at + 1] + grey[at - width] + grey[at + width] - 4.0 * grey[at]
        })
    });
    let (_, sharpness) = mean_and_variance(laplacian);
    Measures { luma, contrast: variance.sqrt(), sharpness }
}

/// Turns a face upright: five landmarks go to `reference` by a rotation, one scale and a shift (least squares), and
/// a `CHIP`-sided picture is sampled bilinearly. Planes red, green, blue, values 0 to 255; black outside the frame.
///
/// Returns `None` when the landmarks are no face (all in one place, or not finite).
pub(super) fn upright(frame: &Frame, landmarks: &[(f32, f32); 5], reference: &[(f32, f32); 5]) -> Option<Vec<f32>> {
    let (to_frame, scale) = similarity(reference, landmarks)?;
    // Where one chip pixel covers several frame pixels, the mean of that many samples is taken, so that fine
    // structure does not turn into noise.
    let samples = (scale.round() as usize).clamp(1, 8);
    let share = 1.0 / (samples * samples) as f32;
    let mut planes = vec![0f32; 3 * CHIP * CHIP];
    for y in 0..CHIP {
        for x in 0..CHIP {
            let mut sum = [0f32; 3];
            for step in 0..samples * samples {
                let offset = |k: usize| (k as f32 + 0.5) / samples as f32 - 0.5;
                let point = (x as f32 + offset(step % samples), y as f32 + offset(step / samples));
                let sampled = bilinear(frame, to_frame(point));
                for (s, p) in sum.iter_mut().zip(sampled) {
                    *s += share * p;
                }
            }
            for (plane, s) in sum.iter().enumerate() {
                planes[plane * CHIP * CHIP + y * CHIP + x] = *s;
            }
        }
    }
    Some(planes)
}

/// The similarity (rotation, one scale, shift; no mirror) that brings `from` nearest to `to`, and its scale.
fn similarity(
    from: &[(f32, f32); 5],
    to: &[(f32, f32); 5],
) -> Option<(impl Fn((f32, f32)) -> (f32, f32) + use<>, f32)> {
    let centre = |points: &[(f32, f32); 5]| {
        let sum = points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
        (sum.0 / 5.0, sum.1 / 5.0)
    };
    let (from_centre, to_centre) = (centre(from), centre(to));
    let (mut cosine, mut sine, mut spread) = (0f32, 0f32, 0f32);
    for (p, q) in from.iter().zip(to) {
        let p = (p.0 - from_centre.0, p.1 - from_centre.1);
        let q = (q.0 - to_centre.0, q.1 - to_centre.1);
        cosine += p.0 * q.0 + p.1 * q.1;
        sine += p.0 * q.1 - p.1 * q.0;
        spread += p.0 * p.0 + p.1 * p.1;
    }
    let (a, b) = (cosine / spread, sine / spread);
    let scale = a.hypot(b);
    let map = move |p: (f32, f32)| {
        let (x, y) = (p.0 - from_centre.0, p.1 - from_centre.1);
        (a * x - b * y + to_centre.0, b * x + a * y + to_centre.1)
    };
    (scale.is_finite() && scale > 1e-3).then_some((map, scale))
}

fn bilinear(frame: &Frame, (x, y): (f32, f32)) -> [f32; 3] {
    let (w, h) = (frame.width() as i64, frame.height() as i64);
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let mut out = [0f32; 3];
    for (dx, dy, share) in
        [(0, 0, (1.0 - fx) * (1.0 - fy)), (1, 0, fx * (1.0 - fy)), (0, 1, (1.0 - fx) * fy), (1, 1, fx * fy)]
    {
        let (px, py) = (left as i64 + dx, top as i64 + dy);
        if (0..w).contains(&px) && (0..h).contains(&py) {
            let at = 3 * (py * w + px) as usize;
            for (o, p) in out.iter_mut().zip(&frame.rgb()[at..at + 3]) {
                *o += share * f32::from(*p);
            }
        }
    }
    out
}

/// ITU-R BT.601 luminance.
fn luminance(pixel: &[u8]) -> f32 {
    0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2])
}

/// The part of `start..start + length` that lies inside `0..side`.
fn clamped(start: f32, length: f32, side: u32) -> (usize, usize) {
    let inside = |v: f32| if v.is_finite() { v.clamp(0.0, side as f32) as usize } else { 0 };
    let (low, high) = (inside(start), inside(start + length));
    (low, high.max(low))
}

fn mean_and_variance(values: impl Iterator<Item = f32>) -> (f32, f32) {
    let (mut n, mut sum, mut squares) = (0f64, 0f64, 0f64);
    for v in values.map(f64::from) {
        n += 1.0;
        sum += v;
        squares += v * v;
    }
    if n == 0.0 {
        return (0.0, 0.0);
    }
    let mean = sum / n;
    (mean as f32, (squares / n - mean * mean).max(0.0) as f32)
}

/// Which source pixels each target pixel covers, and by how much, in 256ths that add up to 256.
struct Shares {
    starts: Vec<usize>,
    shares: Vec<(usize, u32)>,
}

impl Shares {
    fn new(source: usize, target: usize) -> Self {
        let mut starts = vec![0];
        let mut shares = Vec::new();
        let step = source as f64 / target as f64;
        for k in 0..target {
            let (from, to) = (k as f64 * step, (k + 1) as f64 * step);
            let mut left = 256u32;
            let first = shares.len();
            let mut at = from.floor() as usize;
            while (at as f64) < to && at < source && left > 0 {
                let covered = (to.min(at as f64 + 1.0) - from.max(at as f64)) / step;
                let share = ((covered * 256.0).round() as u32).min(left);
                if share > 0 {
                    shares.push((at, share));
                    left -= share;
                }
                at += 1;
            }
            // What rounding left over goes to the first pixel, so that a flat picture stays exactly as bright.
            match shares.get_mut(first) {
                Some(share) => share.1 += left,
                None => shares.push(((from as usize).min(source - 1), 256)),
            }
            starts.push(shares.len());
        }
        Self { starts, shares }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, target: usize) -> impl Iterator<Item = (usize, u32)> {
        self.shares[self.starts[target]..self.starts[target + 1]].iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u32, height: u32, pixel: impl Fn(u32, u32) -> u8) -> Frame {
        let grey = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y));
        Frame::new(width, height, grey.flat_map(|v| [v; 3]).collect()).unwrap()
    }

    fn whole(frame: &Frame) -> FaceBox {
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        FaceBox { x: 0.0, y: 0.0, width, height, score: 1.0, landmarks: [(0.0, 0.0); 5] }
    }

    #[test]
    fn a_flat_picture_stays_as_bright_at_any_size() {
        let flat = frame(641, 479, |_, _| 201);
        for side in [320, 333, 640] {
            let (small, scale) = shrunk(&flat, side).unwrap();
            assert_eq!(small.width, side as usize);
            assert!((scale - 641.0 / side as f32).abs() < 1e-6);
            assert!(small.rgb.iter().all(|v| *v == 201));
        }
        assert!(shrunk(&flat, 641).is_none());
        assert!(shrunk(&frame(1, 1280, |_, _| 9), 320).is_some_and(|(small, _)| small.width == 1));
    }

    #[test]
    fn halving_takes_the_mean_of_four() {
        let (small, _) = shrunk(&frame(4, 4, |x, y| if (x + y) % 2 == 0 { 100 } else { 0 }), 2).unwrap();
        assert!(small.rgb.iter().all(|v| *v == 50));
    }

    #[test]
    fn a_blurred_face_is_less_sharp_and_light_is_measured() {
        let fine =
            measure(&frame(112, 112, |x, _| if x % 2 == 0 { 0 } else { 200 }), &whole(&frame(112, 112, |_, _| 0)));
        let soft = frame(112, 112, |x, _| (x * 2) as u8);
        let soft = measure(&soft, &whole(&soft));
        assert!(fine.sharpness > 10_000.0 && soft.sharpness < 1.0, "{fine:?} {soft:?}");
        assert!((fine.luma - 100.0).abs() < 0.1 && (fine.contrast - 100.0).abs() < 0.1);
    }

    #[test]
    fn a_box_off_the_frame_measures_as_nothing() {
        let dark = frame(64, 64, |_, _| 40);
        for x in [f32::NAN, 1e9, -1e9, f32::INFINITY] {
            assert_eq!(measure(&dark, &FaceBox { x, ..whole(&dark) }), Measures::default());
        }
    }

    #[test]
    fn turning_a_face_upright_brings_its_landmarks_to_their_places() {
        let reference = [(38.0, 51.0), (73.0, 51.0), (56.0, 71.0), (41.0, 92.0), (70.0, 92.0)];
        // The reference turned by 90 degrees, twice as large, shifted.
        let turned = reference.map(|(x, y)| (300.0 - 2.0 * y, 2.0 * x + 20.0));
        let (map, scale) = similarity(&reference, &turned).unwrap();
        assert!((scale - 2.0).abs() < 1e-4);
        for (from, to) in reference.iter().zip(turned) {
            let mapped = map(*from);
            assert!((mapped.0 - to.0).abs() < 1e-3 && (mapped.1 - to.1).abs() < 1e-3);
        }
        assert!(similarity(&reference, &[(7.0, 7.0); 5]).is_none());
        assert!(similarity(&reference, &[(f32::NAN, 7.0); 5]).is_none());
    }

    #[test]
    fn an_untouched_face_is_sampled_unchanged() {
        let reference = [(38.0, 51.0), (73.0, 51.0), (56.0, 71.0), (41.0, 92.0), (70.0, 92.0)];
        let picture = frame(112, 112, |x, y| (x + y) as u8);
        let planes = upright(&picture, &reference, &reference).unwrap();
        let same = planes[..CHIP * CHIP].iter().zip(picture.rgb().iter().step_by(3));
        assert!(same.into_iter().all(|(a, b)| (a - f32::from(*b)).abs() < 0.02));
    }
}
