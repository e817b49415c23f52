//! How near is near enough, and the one comparison that everything rests on.

use crate::domain::id::TemplateId;
use crate::secret::{EngineId, TEMPLATE_LEN};

/// Smallest cosine similarity that counts as the same person where one face is compared with one template; `None` for an unknown engine.
/// Among many: [`super::limit`].
///
/// Both stand for one false match in ten thousand comparisons on the engines' measured distances of unit vectors `d`
/// (SFace 1.028, dlib 0.305): `1 - d²/2`.
pub fn threshold(engine: &EngineId) -> Option<f32> {
    if *engine == EngineId::sface() {
        Some(0.471_6)
    } else if *engine == EngineId::dlib() {
        Some(0.953_5)
    } else {
        None
    }
}

/// The nearest held template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Its number.
    pub template: TemplateId,
    /// Cosine similarity, -1 to 1.
    pub similarity: f32,
}

/// Thousandths, rounded down, as on the wire.
pub fn thousandths(similarity: f32) -> i16 {
    #[allow(clippy::cast_possible_truncation, reason = "clamped to -1000..=1000")]
    let value = (similarity.clamp(-1.0, 1.0) * 1000.0).floor() as i16;
    value
}

/// Cosine similarity of two unit vectors. Sixteen running sums, so that the compiler can use wide registers.
pub fn cosine(a: &[f32; TEMPLATE_LEN], b: &[f32; TEMPLATE_LEN]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0f32; LANES];
    for (x, y) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn thresholds_are_those_of_the_measured_distances() {
        for (engine, distance) in [(EngineId::sface(), 1.028f32), (EngineId::dlib(), 0.305)] {
            let cosine = 1.0 - distance * distance / 2.0;
            assert!((threshold(&engine).unwrap() - cosine).abs() < 1e-4, "{engine:?}");
        }
        assert_eq!(threshold(&EngineId::parse("other/1").unwrap()), None);
    }

    #[test]
    fn sixteen_lanes_give_the_same_as_one() {
        let mut seed = 1u32;
        let mut vector = || {
            let mut v = [0f32; TEMPLATE_LEN];
            for x in &mut v {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *x = (seed >> 8) as f32 / (1u32 << 24) as f32 - 0.5;
            }
            v
        };
        for _ in 0..50 {
            let (a, b) = (vector(), vector());
            let plain: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            assert!((f64::from(cosine(&a, &b)) - plain).abs() < 1e-4);
        }
    }

    #[test]
    fn thousandths_are_rounded_down_and_clamped() {
        let values = [1.5, 1.0, 0.4716, 0.0, -0.0004, -2.0].map(thousandths);
        assert_eq!(values, [1000, 1000, 471, 0, -1, -1000]);
    }
}
