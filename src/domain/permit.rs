//! The camera permit: rule L1 as one pure function. Anything false, unknown or not yet checked keeps the camera dark; cards go on.

use super::Realm;
use super::site::Fact;

/// What is known of one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Checked, and true.
    Holds,
    /// Checked, and false.
    Fails,
    /// Nobody checks this yet.
    NotYetChecked,
    /// Answered by the word "practice"; accepted on a practice site only, and only for posture, training and acts not built yet.
    Practice,
    /// Does not apply to this person.
    NotNeeded,
}

/// Every condition of rule L1, plus the promises of the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blocker {
    /// A required fact of the notice is empty (the settings page says which).
    ProcessorFields,
    /// No impact assessment for the scope in force is registered, or it should have been looked at again.
    ImpactAssessment,
    /// A minor, and the children's rules are not present.
    ChildrensRules,
    /// A route to the internet exists.
    InternetRoute,
    /// A remote-help program is installed or running.
    RemoteHelp,
    /// The disk is not encrypted.
    DiskEncryption,
    /// The operating system has no login password, or the screen never locks.
    LoginPassword,
    /// Something else about the machine: a program poses as a camera, other accounts reach the files, the clock is behind.
    MachineState,
    /// Nobody is logged in.
    OperatorLoggedIn,
    /// The operator's training or undertaking is not on record.
    OperatorTrained,
    /// No chosen gate answers.
    GateAnswers,
    /// The card way of the answering gates was not tested.
    CardWayTested,
    /// A gate keeps opening records longer than the notice says, or stops faces later while they are not stopped there.
    GateTerms,
    /// The evidence log is not whole, or a gate keeps a head that it does not continue.
    LogNotWhole,
    /// The person's card is not issued or not working.
    CardWorks,
    /// The age band is not known.
    AgeBandKnown,
    /// A guardian is needed and was not checked.
    GuardianChecked,
    /// The end of the notice was not reached.
    NoticeReachedEnd,
    /// No separate consent in this session under this notice version.
    SeparateConsent,
    /// A refusal stands.
    StandingRefusal,
    /// An act that the notice promises has no command yet.
    PromiseNotKept,
}

impl Blocker {
    /// All, in the order in which they are shown.
    pub const ALL: &'static [Blocker] = &[
        Self::ProcessorFields,
        Self::ImpactAssessment,
        Self::ChildrensRules,
        Self::InternetRoute,
        Self::RemoteHelp,
        Self::DiskEncryption,
        Self::LoginPassword,
        Self::MachineState,
        Self::OperatorLoggedIn,
        Self::OperatorTrained,
        Self::GateAnswers,
        Self::CardWayTested,
        Self::GateTerms,
        Self::LogNotWhole,
        Self::CardWorks,
        Self::AgeBandKnown,
        Self::GuardianChecked,
        Self::NoticeReachedEnd,
        Self::SeparateConsent,
        Self::StandingRefusal,
        Self::PromiseNotKept,
    ];

    /// Whether a practice site may answer it with "practice": posture, and acts not built yet.
    fn practice_may_answer(self) -> bool {
        matches!(
            self,
            Self::InternetRoute
                | Self::RemoteHelp
                | Self::DiskEncryption
                | Self::LoginPassword
                | Self::MachineState
                | Self::PromiseNotKept
        )
    }

    /// Whether it concerns the machine, the site or the desk rather than the person and the session.
    pub fn is_of_the_desk(self) -> bool {
        self < Self::CardWorks && self != Self::ChildrensRules || self == Self::PromiseNotKept
    }
}

/// The state of every condition at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    realm: Realm,
    states: Vec<Condition>,
    /// Facts behind [`Blocker::ProcessorFields`].
    pub facts_missing: Vec<Fact>,
}

impl Conditions {
    /// Everything not yet checked.
    pub fn unchecked(realm: Realm) -> Self {
        Self { realm, states: vec![Condition::NotYetChecked; Blocker::ALL.len()], facts_missing: vec![] }
    }

    /// Notes what is known of one condition.
    pub fn set(&mut self, which: Blocker, state: Condition) {
        for (at, blocker) in Blocker::ALL.iter().enumerate() {
            if *blocker == which {
                self.states[at] = state;
            }
        }
    }

    /// What is known of one condition.
    pub fn get(&self, which: Blocker) -> Condition {
        Blocker::ALL.iter().position(|b| *b == which).map_or(Condition::NotYetChecked, |at| self.states[at])
    }

    /// The conditions that keep the camera shut, each with what is known of it.
    pub fn blockers(&self) -> Vec<(Blocker, Condition)> {
        let open = |blocker: Blocker, state: Condition| match state {
            Condition::Holds => true,
            Condition::NotNeeded => matches!(blocker, Blocker::ChildrensRules | Blocker::GuardianChecked),
            Condition::Practice => self.realm == Realm::Practice && blocker.practice_may_answer(),
            Condition::Fails | Condition::NotYetChecked => false,
        };
        Blocker::ALL.iter().copied().zip(self.states.iter().copied()).filter(|(b, s)| !open(*b, *s)).collect()
    }

    /// The blockers that no act of a resident could lift: shown to staff, and kept off the resident's screen.
    pub fn desk_blockers(&self) -> Vec<(Blocker, Condition)> {
        self.blockers().into_iter().filter(|(b, _)| b.is_of_the_desk()).collect()
    }
}

/// Proof that every condition of L1 held a moment ago. Not `Clone`; made by [`judge`] only.
///
/// ```compile_fail
/// let permit = menka::domain::permit::CameraPermit(());
/// ```
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub struct CameraPermit(());

/// Makes the permit, or returns what is in the way. Rule L1.
///
/// # Errors
/// Every blocker, in the order of [`Blocker::ALL`].
pub fn judge(conditions: &Conditions) -> Result<CameraPermit, Vec<(Blocker, Condition)>> {
    let blockers = conditions.blockers();
    if blockers.is_empty() { Ok(CameraPermit(())) } else { Err(blockers) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(realm: Realm, state: Condition) -> Conditions {
        let mut conditions = Conditions::unchecked(realm);
        Blocker::ALL.iter().for_each(|b| conditions.set(*b, state));
        conditions
    }

    // Shows: L1-1, L1-2, L1-3, L1-4, L1-5, L1-6, L1-7, L1-8, L1-9, L1-10, L1-11, L1-12, L1-13, L1-14
    #[test]
    fn l1_each_condition_alone_keeps_the_camera_shut() {
        for realm in [Realm::Real, Realm::Practice] {
            assert!(judge(&all(realm, Condition::Holds)).is_ok());
            for which in Blocker::ALL {
                for state in [Condition::Fails, Condition::NotYetChecked] {
                    let mut conditions = all(realm, Condition::Holds);
                    conditions.set(*which, state);
                    assert_eq!(judge(&conditions), Err(vec![(*which, state)]));
                }
            }
        }
    }

    #[test]
    fn l1_practice_answers_only_posture_and_training_and_only_in_practice() {
        for which in Blocker::ALL {
            let mut real = all(Realm::Real, Condition::Holds);
            real.set(*which, Condition::Practice);
            assert_eq!(judge(&real), Err(vec![(*which, Condition::Practice)]));

            let mut practice = all(Realm::Practice, Condition::Holds);
            practice.set(*which, Condition::Practice);
            assert_eq!(judge(&practice).is_ok(), which.practice_may_answer(), "{which:?}");
        }
        for never in [
            Blocker::ImpactAssessment,
            Blocker::SeparateConsent,
            Blocker::CardWorks,
            Blocker::StandingRefusal,
            Blocker::NoticeReachedEnd,
        ] {
            assert!(!never.practice_may_answer());
        }
    }

    #[test]
    fn l1_only_guardian_and_childrens_rules_can_be_not_needed() {
        for which in Blocker::ALL {
            let mut conditions = all(Realm::Real, Condition::Holds);
            conditions.set(*which, Condition::NotNeeded);
            let free = matches!(which, Blocker::ChildrensRules | Blocker::GuardianChecked);
            assert_eq!(judge(&conditions).is_ok(), free, "{which:?}");
        }
    }
}
