//! How many people one face may be looked up among. Each comparison with a stranger goes wrong at the measured rate; what a stranger who
//! looks in may hope for is that rate times the number of people held. Beyond the site's limit a card comes first, and the face is compared
//! with that card's template only.

use super::settings::FacePlan;
use crate::secret::EngineId;

/// Measured false matches in one comparison of two strangers, at [`super::matcher::threshold`]: one in ten thousand for both engines, on all
/// pairs of different people of LFW (`make accuracy`, table in ARCHITECTURE.md). `None` for an unknown engine.
pub fn false_match_rate(engine: &EngineId) -> Option<f64> {
    super::matcher::threshold(engine).map(|_| 1e-4)
}

/// Most people among whom one face is looked up.
pub fn people_max(engine: &EngineId, plan: FacePlan) -> usize {
    let Some(rate) = false_match_rate(engine) else { return 0 };
    // A hair more than the quotient, so that a limit that is met exactly counts as met.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1,000: the plan is limited")]
    let most = (plan.strangers_in_max / rate + 1e-6).floor() as usize;
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_times_people_stays_within_the_sites_limit() {
        let sface = EngineId::sface();
        let most = |limit: f64| people_max(&sface, FacePlan { strangers_in_max: limit });
        assert_eq!((most(0.01), most(0.05), most(0.1)), (100, 500, 1_000));
        assert_eq!((most(0.0), most(0.000_05), most(0.000_1)), (0, 0, 1));
        for people in 1..=1_000usize {
            let limit = people as f64 * 1e-4;
            assert_eq!(most(limit), people, "met exactly");
        }
        let other = EngineId::parse("other/1").map(|engine| people_max(&engine, FacePlan::default()));
        assert_eq!(other, Some(0), "what was not measured looks nobody up");
    }
}
