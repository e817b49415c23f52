//! How many people one face may be looked up among, and how alike it must be. Each comparison with a stranger goes wrong at a measured rate;
//! what a stranger who looks in may hope for is that rate times the number of people held. The more are held, the stricter is the working
//! point, as far as enough comparisons were measured; beyond that a card comes first, and the face is compared with that card's template only.

use super::settings::FacePlan;
use crate::secret::EngineId;

/// A measured working point of an engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// False matches in one comparison of two strangers, at most.
    pub rate: f64,
    /// Smallest cosine similarity that counts as the same person.
    pub similarity: f32,
}

/// SFace, by distance of unit vectors 1.028, 1.000 and 0.950. An eighth of LFW by `make accuracy` (its lines `gate_…`, ARCHITECTURE.md): of
/// 1,027,356 comparisons with templates of up to five pictures 17, 2 and 0 went wrong, of 1,002,999 of single pictures 12, 4 and 1. So few do
/// not exceed, 19 times in 20, 25, 6.2 and 3.0, and 20, 9.2 and 4.8 in a million. Each rate here is above both; the first is left where
/// the threshold of one comparison has it. Stricter points rest on too few errors to be told from wrong labels.
const SFACE: [Point; 3] = [
    Point { rate: 1e-4, similarity: 0.471_6 },
    Point { rate: 1e-5, similarity: 0.5 },
    Point { rate: 5e-6, similarity: 0.548_8 },
];

/// dlib, by distance of unit vectors 0.305 and 0.297, from the same run: at the first 30 of 1,023,012 comparisons with templates of up to five
/// pictures went wrong, and 42 of 994,519 of single pictures (at most 40 and 55 in a million); below 0.2975 so few that neither way
/// exceeds 30 in a million. There 84 % of own pictures are known still; at 10 in a million 64 %: then a card first is the better way.
const DLIB: [Point; 2] = [Point { rate: 1e-4, similarity: 0.953_5 }, Point { rate: 3e-5, similarity: 0.955_8 }];

/// What was measured of an engine, loosest first; nothing of an unknown one.
pub fn points(engine: &EngineId) -> &'static [Point] {
    if *engine == EngineId::sface() {
        &SFACE
    } else if *engine == EngineId::dlib() {
        &DLIB
    } else {
        &[]
    }
}

/// A hair, so that a limit that is met exactly counts as met.
const HAIR: f64 = 1e-6;

/// The least similarity with which one face may be looked up among so many: the loosest measured one at which rate times people stays within
/// the site's limit. `None` when there is none: a card comes first.
pub fn threshold_for(engine: &EngineId, people: usize, plan: FacePlan) -> Option<f32> {
    #[allow(clippy::cast_precision_loss, reason = "no gate holds 2^52 people")]
    let people = people as f64;
    let fits = |point: &&Point| people <= plan.strangers_in_max / point.rate + HAIR;
    points(engine).iter().find(fits).map(|point| point.similarity)
}

/// Most people among whom one face is looked up.
pub fn people_max(engine: &EngineId, plan: FacePlan) -> usize {
    let Some(strictest) = points(engine).last() else { return 0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 20,000: the plan is limited")]
    let most = (plan.strangers_in_max / strictest.rate + HAIR).floor() as usize;
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(strangers_in_max: f64) -> FacePlan {
        FacePlan { strangers_in_max, ..FacePlan::default() }
    }

    #[test]
    fn the_more_people_the_stricter_and_then_the_card_comes_first() {
        let sface = EngineId::sface();
        let least = |people| threshold_for(&sface, people, limit(0.01));
        assert_eq!((least(0), least(1), least(100)), (Some(0.471_6), Some(0.471_6), Some(0.471_6)));
        assert_eq!((least(101), least(1_000)), (Some(0.5), Some(0.5)));
        assert_eq!((least(1_001), least(2_000)), (Some(0.548_8), Some(0.548_8)));
        assert_eq!((least(2_001), people_max(&sface, limit(0.01))), (None, 2_000));
        assert_eq!(people_max(&sface, limit(0.1)), 20_000);
        let dlib = EngineId::dlib();
        let least = |people| threshold_for(&dlib, people, limit(0.01));
        assert_eq!(
            (least(100), least(101), least(333), least(334)),
            (Some(0.953_5), Some(0.955_8), Some(0.955_8), None)
        );
        assert_eq!(people_max(&dlib, limit(0.01)), 333);
        assert_eq!((people_max(&sface, limit(0.0)), threshold_for(&sface, 1, limit(0.0))), (0, None));
    }

    #[test]
    fn rate_times_people_stays_within_the_sites_limit_for_every_engine_and_number() {
        for engine in [EngineId::sface(), EngineId::dlib()] {
            for (number, allowed) in (0..40_000).step_by(37).flat_map(|n| [0.000_1, 0.01, 0.1].map(|l| (n, l))) {
                let found = threshold_for(&engine, number, limit(allowed));
                let point = points(&engine).iter().find(|point| Some(point.similarity) == found);
                assert!(point.is_none_or(|point| point.rate * number as f64 <= allowed + 1e-9), "{number} {allowed}");
                assert_eq!(found.is_some(), number <= people_max(&engine, limit(allowed)), "{number} {allowed}");
            }
        }
    }

    #[test]
    fn stricter_points_have_lower_rates_and_what_was_not_measured_looks_nobody_up() {
        for engine in [EngineId::sface(), EngineId::dlib()] {
            let points = points(&engine);
            assert!(points.is_sorted_by(|a, b| a.rate > b.rate && a.similarity < b.similarity));
            assert_eq!(Some(points[0].similarity), super::super::matcher::threshold(&engine), "one for one");
        }
        let other = EngineId::parse("other/1").map(|engine| people_max(&engine, FacePlan::default()));
        assert_eq!(other, Some(0));
    }
}
