//! Gathers what is known of each condition of rule L1. Decides nothing: [`crate::domain::permit::judge`] does.

use super::{posture, promises};
use crate::domain::Realm;
use crate::domain::gate::{GateRecord, GateStatus};
use crate::domain::permit::{Blocker, Condition, Conditions};
use crate::domain::posture::PostureReport;
use crate::domain::resident::AgeBand;
use crate::domain::site::{Fact, SiteFacts};

/// What is known of one person in one session.
#[derive(Clone, Copy, Debug, Default)]
pub struct PersonFacts {
    /// Age band, when a person is known.
    pub age_band: Option<AgeBand>,
    /// The card is in force and every answering gate signed for it.
    pub card_works: bool,
    /// The end of the notice was on screen.
    pub reached_end: bool,
    /// A consent of this session is on disk and was confirmed just now.
    pub consented: bool,
    /// A refusal stands.
    pub refusal_stands: bool,
}

fn known(holds: bool) -> Condition {
    if holds { Condition::Holds } else { Condition::Fails }
}

/// Everything known. `answering` are the gates that answered a moment ago, `machine` the last look at the machine.
pub fn gather(
    realm: Realm,
    facts: &SiteFacts,
    gates: &[GateRecord],
    answering: &[GateRecord],
    person: Option<PersonFacts>,
    machine: Option<&PostureReport>,
) -> Conditions {
    let mut conditions = Conditions::unchecked(realm);
    let practice_or_unchecked = match realm {
        Realm::Practice => Condition::Practice,
        Realm::Real => Condition::NotYetChecked,
    };
    let missing: Vec<Fact> =
        facts.missing().into_iter().filter(|f| !matches!(f, Fact::PiaNo | Fact::PiaDate)).collect();
    let described = gates.iter().filter(|g| g.takes_faces).all(is_described);
    conditions.set(Blocker::ProcessorFields, known(missing.is_empty() && described));
    conditions.facts_missing = missing;
    let assessed = [Fact::PiaNo, Fact::PiaDate].iter().all(|f| !facts.is_missing(*f));
    // The registry of assessments (scope, review date) is not built: two filled fields are not a registered assessment.
    conditions.set(Blocker::ImpactAssessment, if assessed { practice_or_unchecked } else { Condition::Fails });
    posture::note(&mut conditions, realm, machine);
    conditions.set(Blocker::OperatorLoggedIn, Condition::Holds);
    conditions.set(Blocker::OperatorTrained, practice_or_unchecked);
    conditions.set(Blocker::GateAnswers, known(answering.iter().any(|g| g.takes_faces)));
    let tested = answering.iter().any(|g| g.takes_faces)
        && answering.iter().filter(|g| g.takes_faces).all(|g| g.card_way_tested_at.is_some());
    conditions.set(Blocker::CardWayTested, known(tested));
    let promises = match (promises::all_kept(), realm) {
        (true, _) => Condition::Holds,
        (false, Realm::Practice) => Condition::Practice,
        (false, Realm::Real) => Condition::Fails,
    };
    conditions.set(Blocker::PromiseNotKept, promises);
    if let Some(person) = person {
        conditions.set(Blocker::CardWorks, known(person.card_works));
        conditions.set(Blocker::AgeBandKnown, known(person.age_band.is_some()));
        let guardian = match person.age_band {
            Some(AgeBand::Adult) => Condition::NotNeeded,
            Some(AgeBand::Under14 | AgeBand::From14To17) | None => Condition::NotYetChecked,
        };
        conditions.set(Blocker::GuardianChecked, guardian);
        conditions.set(Blocker::ChildrensRules, guardian);
        conditions.set(Blocker::NoticeReachedEnd, known(person.reached_end));
        conditions.set(Blocker::SeparateConsent, known(person.consented));
        conditions.set(Blocker::StandingRefusal, known(!person.refusal_stands));
    }
    conditions
}

/// Whether the notice's gate list can be filled for this gate.
pub fn is_described(gate: &GateRecord) -> bool {
    [&gate.name, &gate.place, &gate.capture_area, &gate.other_way, &gate.why_needed]
        .iter()
        .all(|t| !t.trim().is_empty() && !t.contains(['{', '}']))
}

/// The gates that answered lately, out of the paired ones.
pub fn answering(gates: &[GateRecord], seen: &[GateStatus]) -> Vec<GateRecord> {
    gates.iter().filter(|g| seen.iter().any(|s| s.id == g.id && s.reachable && !s.key_changed)).cloned().collect()
}
