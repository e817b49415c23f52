//! Gathers what is known of each condition of rule L1. Decides nothing: [`crate::domain::permit::judge`] does.

use super::{posture, promises};
use crate::domain::Realm;
use crate::domain::assessment::Standing;
use crate::domain::gate::{GateRecord, GateStatus, GateTerms};
use crate::domain::guardian::Decider;
use crate::domain::id::GateId;
use crate::domain::permit::{Blocker, Condition, Conditions};
use crate::domain::posture::PostureReport;
use crate::domain::site::{Fact, SiteFacts};

/// What is known of one person in one session.
#[derive(Clone, Copy, Debug, Default)]
pub struct PersonFacts {
    /// Who decides, when a person is known: it follows from the age band.
    pub decider: Option<Decider>,
    /// The guardian of this visit was checked in person a short while ago.
    pub guardian_here: bool,
    /// The children's rules can be shown: the named person for children's data is written.
    pub childrens_rules: bool,
    /// The card is in force and every answering gate signed for it.
    pub card_works: bool,
    /// The end of the notice was on screen.
    pub reached_end: bool,
    /// A consent of this session is on disk and was confirmed just now.
    pub consented: bool,
    /// A refusal stands.
    pub refusal_stands: bool,
}

pub(super) fn known(holds: bool) -> Condition {
    if holds { Condition::Holds } else { Condition::Fails }
}

/// What is known of the desk itself, apart from gates and facts.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The registered impact assessment.
    pub assessment: Standing,
    /// The evidence log was found whole.
    pub log_is_whole: bool,
    /// Somebody who may see people is at an open staff window.
    pub staffed: Condition,
    /// The account that is logged in has its training and undertaking.
    pub trained: Condition,
    /// The machine, as last looked at.
    pub machine: Option<&'a PostureReport>,
    /// Every gate keeps to what the notice says of it.
    pub terms: Condition,
}

/// Everything known. `answering` are the gates that answered a moment ago, `machine` the last look at the machine.
pub fn gather(
    realm: Realm,
    facts: &SiteFacts,
    gates: &[GateRecord],
    answering: &[GateRecord],
    around: Around<'_>,
    person: Option<PersonFacts>,
) -> Conditions {
    let mut conditions = Conditions::unchecked(realm);
    let missing: Vec<Fact> = facts.missing();
    let described = gates.iter().filter(|g| g.takes_faces).all(is_described);
    conditions.set(Blocker::ProcessorFields, known(missing.is_empty() && described));
    conditions.facts_missing = missing;
    conditions.set(Blocker::OperatorTrained, around.trained);
    conditions.set(Blocker::ImpactAssessment, known(around.assessment.holds()));
    posture::note(&mut conditions, realm, around.machine);
    conditions.set(Blocker::OperatorLoggedIn, around.staffed);
    conditions.set(Blocker::GateAnswers, known(answering.iter().any(|g| g.takes_faces)));
    let tested = answering.iter().any(|g| g.takes_faces)
        && answering.iter().filter(|g| g.takes_faces).all(|g| g.card_way_tested_at.is_some());
    conditions.set(Blocker::CardWayTested, known(tested));
    conditions.set(Blocker::GateTerms, around.terms);
    conditions.set(Blocker::LogNotWhole, known(around.log_is_whole));
    let promises = match (promises::all_kept(), realm) {
        (true, _) => Condition::Holds,
        (false, Realm::Practice) => Condition::Practice,
        (false, Realm::Real) => Condition::Fails,
    };
    conditions.set(Blocker::PromiseNotKept, promises);
    if let Some(person) = person {
        conditions.set(Blocker::CardWorks, known(person.card_works));
        conditions.set(Blocker::AgeBandKnown, known(person.decider.is_some()));
        let guardian = match person.decider {
            Some(Decider::Own) => Condition::NotNeeded,
            Some(_) => known(person.guardian_here),
            None => Condition::Fails,
        };
        conditions.set(Blocker::GuardianChecked, guardian);
        // The children's rules are those of under fourteen (P31b, F07b).
        let rules = match person.decider {
            Some(Decider::ChildsGuardian) => known(person.childrens_rules),
            Some(_) => Condition::NotNeeded,
            None => Condition::Fails,
        };
        conditions.set(Blocker::ChildrensRules, rules);
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

/// Whether every gate keeps to what the notice says of it. Opening records are written for cards too, and the notice is one for all gates: one
/// that keeps them longer makes it untrue for everybody who reads it. How long faces go on without contact concerns faces only: where they
/// are stopped (the courier stops them at such a gate), nothing untrue is said.
pub fn terms(seen: &[GateStatus], stopped: &[GateId]) -> Condition {
    let fits = |gate: &GateStatus| {
        let GateTerms { lease_too_long, passlog_too_long, .. } = gate.terms;
        !passlog_too_long && (!lease_too_long || stopped.contains(&gate.id))
    };
    known(seen.iter().all(fits))
}

/// The gates that answered lately, out of the paired ones.
pub fn answering(gates: &[GateRecord], seen: &[GateStatus]) -> Vec<GateRecord> {
    gates.iter().filter(|g| seen.iter().any(|s| s.id == g.id && s.reachable && !s.key_changed)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l1_opening_records_beyond_the_notice_concern_everybody_and_a_longer_lease_only_faces_that_are_not_stopped() {
        let gate = GateId::from_bytes([1; 16]);
        let of = |offline_hours, passlog_days, stopped: &[GateId]| {
            let said = GateTerms { offline_hours, passlog_days, ..GateTerms::default() };
            let seen = [GateStatus { id: gate, terms: said.against(12, 30), ..status() }, status()];
            terms(&seen, stopped)
        };
        use Condition::{Fails, Holds};
        let other = GateId::from_bytes([2; 16]);
        assert_eq!((of(None, None, &[]), of(Some(12), Some(30), &[])), (Holds, Holds));
        assert_eq!(
            (of(Some(13), None, &[]), of(Some(13), None, &[other]), of(Some(13), None, &[gate])),
            (Fails, Fails, Holds)
        );
        assert_eq!((of(None, Some(31), &[]), of(Some(13), Some(31), &[gate])), (Fails, Fails));
    }

    fn status() -> GateStatus {
        GateStatus {
            id: GateId::from_bytes([9; 16]),
            name: "东门".into(),
            kind: crate::domain::gate::GateKind::Signing,
            reachable: true,
            last_seen_at: None,
            pending: 0,
            wedged: 0,
            oldest_pending_at: None,
            clock_drift_ms: None,
            version: None,
            card_way_tested: true,
            key_changed: false,
            in_step: Some(true),
            compared_at: None,
            drift: vec![],
            drift_counts: crate::domain::relay::DriftCounts::new(),
            drift_count: 0,
            card_first: false,
            faces_rest: None,
            terms: GateTerms::default(),
        }
    }

    #[test]
    fn l1_guardian_and_childrens_rules_are_always_known_and_needed_where_they_are() {
        let facts = SiteFacts::default();
        let of = |decider, guardian_here, childrens_rules| {
            let person = PersonFacts { decider, guardian_here, childrens_rules, ..PersonFacts::default() };
            let around = Around {
                assessment: Standing::default(),
                log_is_whole: true,
                staffed: Condition::Holds,
                trained: Condition::Holds,
                machine: None,
                terms: Condition::Holds,
            };
            let known = gather(Realm::Real, &facts, &[], &[], around, Some(person));
            (known.get(Blocker::GuardianChecked), known.get(Blocker::ChildrensRules))
        };
        use Condition::{Fails, Holds, NotNeeded};
        assert_eq!(of(None, true, true), (Fails, Fails), "an unknown band is no adult's");
        assert_eq!(of(Some(Decider::Own), false, false), (NotNeeded, NotNeeded));
        for decider in [Decider::OwnInformed, Decider::WardsGuardian] {
            assert_eq!(of(Some(decider), true, false), (Holds, NotNeeded));
            assert_eq!(of(Some(decider), false, true), (Fails, NotNeeded));
        }
        for (here, rules) in [(false, false), (false, true), (true, false), (true, true)] {
            let state = |holds: bool| if holds { Holds } else { Fails };
            assert_eq!(of(Some(Decider::ChildsGuardian), here, rules), (state(here), state(rules)));
        }
    }
}
