//! How often a turned head is unlike its own face (practice builds only; `make accuracy`): the figures behind what an enrollment does with such a
//! look.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::EngineKind;
use super::accuracy::{AccuracyError, dot, load};
use crate::domain::quality::{self, Limits};
use crate::secret::{FaceTemplate, Frame};

/// A person facing the camera, and turned: degrees, and the frame.
pub type Heads = (Frame, Vec<(u32, Frame)>);

/// Of turned heads that would make a good picture: how many are less similar than `least` to their own face as it faces the camera, and how
/// similar other people's are at most. Writes lines of `name: value`.
///
/// # Errors
/// See [`AccuracyError`].
pub fn run(
    kind: EngineKind,
    models: &Path,
    people: Vec<Heads>,
    least: f32,
    out: &mut dyn Write,
) -> Result<(), AccuracyError> {
    let mut engine = load(kind, models)?;
    let mut good = |frame: Frame| {
        let look = engine.look(&frame).ok()?;
        let face = *quality::judge(&look, &Limits::default()).ok()?.face();
        engine.template(frame, &face).ok()
    };
    let mut facing = vec![];
    let mut turned: BTreeMap<u32, Vec<(usize, FaceTemplate)>> = BTreeMap::new();
    for (person, (front, sides)) in people.into_iter().enumerate() {
        facing.extend(good(front).map(|template| (person, template)));
        for (degrees, frame) in sides {
            turned.entry(degrees).or_default().extend(good(frame).map(|template| (person, template)));
        }
    }
    writeln!(out, "head_people: {}", facing.len())?;
    writeln!(out, "head_least: {least:.4}")?;
    for (degrees, turned) in &turned {
        Turned::of(&facing, turned, least).write(*degrees, out)?;
    }
    Ok(())
}

/// What comparing turned heads with faces that face the camera gave.
#[derive(Debug, PartialEq)]
struct Turned {
    looks: u32,
    unlike: u32,
    own_least: f32,
    others_most: f32,
}

impl Turned {
    fn of(facing: &[(usize, FaceTemplate)], turned: &[(usize, FaceTemplate)], least: f32) -> Self {
        let mut found = Self { looks: 0, unlike: 0, own_least: 1.0, others_most: -1.0 };
        for (person, side) in turned {
            for (other, front) in facing {
                let similarity = dot(front, side);
                if person == other {
                    found.looks += 1;
                    found.unlike += u32::from(similarity < least);
                    found.own_least = found.own_least.min(similarity);
                } else {
                    found.others_most = found.others_most.max(similarity);
                }
            }
        }
        found
    }

    fn write(&self, degrees: u32, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "head_{degrees}_looks: {}", self.looks)?;
        writeln!(out, "head_{degrees}_unlike: {}", self.unlike)?;
        writeln!(out, "head_{degrees}_own_least: {:.4}", self.own_least)?;
        writeln!(out, "head_{degrees}_others_most: {:.4}", self.others_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::TEMPLATE_LEN;

    #[test]
    fn of_turned_heads_those_unlike_their_own_face_are_counted() {
        let one = |angle: f32| {
            let mut v = [0f32; TEMPLATE_LEN];
            (v[0], v[1]) = (angle.to_radians().cos(), angle.to_radians().sin());
            FaceTemplate::from_unit_vector(crate::secret::EngineId::sface(), &mut v).unwrap()
        };
        // Two people at 0 and 90 degrees; turned by 20, 70 and 10. The third has no picture that faces us.
        let facing = [(0, one(0.0)), (1, one(90.0))];
        let found = Turned::of(&facing, &[(0, one(20.0)), (0, one(70.0)), (1, one(80.0)), (2, one(0.0))], 0.5);
        assert_eq!((found.looks, found.unlike), (3, 1));
        assert!((found.own_least - 70f32.to_radians().cos()).abs() < 1e-5, "{found:?}");
        assert!((found.others_most - 1.0).abs() < 1e-5, "{found:?}");
        let mut out = vec![];
        found.write(34, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("head_34_looks: 3\nhead_34_unlike: 1\nhead_34_own_least: 0.3420\n"), "{text}");
    }
}
