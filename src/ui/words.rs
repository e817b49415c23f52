//! Words for values that several screens show: facts, age bands, states of gates.

use super::explain::{self, Words};
use super::theme::Tone;
use crate::app::event::GatePlace;
use crate::app::operators::Concerned;
use crate::domain::approval::Act;
use crate::domain::gate::{FacesRest, GateKind, GateStatus, Step};
use crate::domain::incident::DataKind;
use crate::domain::relay::Place;
use crate::domain::resident::AgeBand;
use crate::domain::role::{JoinWhy, LookWhy, Role};
use crate::domain::site::{Fact, FactFault};
use crate::i18n::Texts;
use crate::tr;

/// Drift of a gate's clock, in milliseconds, from which on staff are told. Rules about last days and leases need honest clocks.
pub const CLOCK_DRIFT_SHOWN_MS: i64 = 30_000;

/// An age band.
pub fn age_band(texts: &Texts, band: AgeBand) -> String {
    match band {
        AgeBand::Adult => tr!(texts, "band-adult"),
        AgeBand::From14To17 => tr!(texts, "band-14-17"),
        AgeBand::Under14 => tr!(texts, "band-under-14"),
    }
}

/// A role.
pub fn role(texts: &Texts, role: Role) -> String {
    match role {
        Role::FrontDesk => tr!(texts, "role-front-desk"),
        Role::Supervisor => tr!(texts, "role-supervisor"),
        Role::Technician => tr!(texts, "role-technician"),
        Role::Auditor => tr!(texts, "role-auditor"),
    }
}

/// What a role is for, in a few words.
pub fn role_what(texts: &Texts, role: Role) -> String {
    match role {
        Role::FrontDesk => tr!(texts, "role-what-front-desk"),
        Role::Supervisor => tr!(texts, "role-what-supervisor"),
        Role::Technician => tr!(texts, "role-what-technician"),
        Role::Auditor => tr!(texts, "role-what-auditor"),
    }
}

/// An act that a second person approves.
pub fn act(texts: &Texts, act: Act) -> String {
    match act {
        Act::AddAccount(added) => tr!(texts, "act-add-account", role = role(texts, added)),
        Act::DisableAccount(_) => tr!(texts, "act-disable-account"),
        Act::ResetPassphrase(_) => tr!(texts, "act-reset-passphrase"),
        Act::RepairGate(_) => tr!(texts, "act-repair-gate"),
        Act::ReplaceGate(_) => tr!(texts, "act-replace-gate"),
        Act::NewRecoveryKey => tr!(texts, "act-recovery-key"),
        Act::NewBackupKey => tr!(texts, "act-new-backup-key"),
        Act::ChangeKeys => tr!(texts, "act-change-keys"),
        Act::BindComputer => tr!(texts, "act-bind-computer"),
        Act::ReleaseComputer => tr!(texts, "act-release-computer"),
        Act::MinorRecord(_) => tr!(texts, "act-minor-record"),
        Act::EndSite => tr!(texts, "act-end-site"),
        Act::RenewTemplates => tr!(texts, "act-renew-templates"),
        Act::ChangeSite => tr!(texts, "act-change-site"),
        Act::RetireGate(_) => tr!(texts, "act-retire-gate"),
        Act::ResumeFaces(_) => tr!(texts, "act-resume-faces"),
        Act::IncidentLetters(_) => tr!(texts, "act-incident-letters"),
        Act::SitePapers => tr!(texts, "act-site-papers"),
        Act::ExportLog => tr!(texts, "act-export-log"),
        Act::JoinNumber(number) => tr!(texts, "act-join-number", number = format!("{number:08x}")),
    }
}

/// Whom or what an act is about; `None` where the act itself says everything.
pub fn concerned(texts: &Texts, about: &Concerned) -> Option<String> {
    Some(match about {
        Concerned::Site => return None,
        Concerned::Account { name, role: of } => {
            tr!(texts, "about-account", name = name.as_str(), role = role(texts, *of))
        }
        Concerned::Person { masked, unit } => {
            tr!(texts, "about-person", name = masked.as_str(), unit = unit.as_str())
        }
        Concerned::Gate(name) => tr!(texts, "about-gate", name = name.as_str()),
        Concerned::Incident { number, happened_at } => {
            tr!(texts, "about-incident", number = number.to_string(), day = happened_at.minute_text())
        }
        Concerned::Receiver { name, case_number } if case_number.is_empty() => {
            tr!(texts, "about-receiver", name = name.as_str())
        }
        Concerned::Receiver { name, case_number } => {
            tr!(texts, "about-receiver-case", name = name.as_str(), number = case_number.as_str())
        }
        Concerned::Reason(why) => join(texts, *why),
    })
}

/// Why a record is opened.
pub fn look(texts: &Texts, why: LookWhy) -> String {
    match why {
        LookWhy::Here => tr!(texts, "look-here"),
        LookWhy::Card => tr!(texts, "look-card"),
        LookWhy::Request => tr!(texts, "look-request"),
        LookWhy::Other => tr!(texts, "look-other"),
    }
}

/// Why a name is put together with a gate's number.
pub fn join(texts: &Texts, why: JoinWhy) -> String {
    match why {
        JoinWhy::Repair => tr!(texts, "join-repair"),
        JoinWhy::Complaint => tr!(texts, "join-complaint"),
        JoinWhy::Authority => tr!(texts, "join-authority"),
        JoinWhy::Copy => tr!(texts, "join-copy"),
        JoinWhy::Certificate => tr!(texts, "join-certificate"),
    }
}

/// A kind of information that an incident concerns.
pub fn data_kind(texts: &Texts, kind: DataKind) -> String {
    match kind {
        DataKind::Face => tr!(texts, "kind-face"),
        DataKind::Openings => tr!(texts, "kind-openings"),
        DataKind::Identity => tr!(texts, "kind-identity"),
        DataKind::Consents => tr!(texts, "kind-consents"),
        DataKind::StaffLog => tr!(texts, "kind-staff-log"),
    }
}

/// Names in a row, as the language writes it.
pub fn list<'a>(texts: &Texts, names: impl Iterator<Item = &'a str>) -> String {
    let between = tr!(texts, "list-between");
    // Fluent trims the ends of a value; the mark itself carries no space, the English one needs one.
    let between = if between == "," { ", ".to_owned() } else { between };
    names.collect::<Vec<_>>().join(&between)
}

/// The states of a gate, the worst first.
pub fn gate_states(texts: &Texts, gate: &GateStatus) -> Vec<(Tone, String)> {
    let mut states = vec![];
    if gate.kind == GateKind::Board {
        states.push((Tone::Told, tr!(texts, "gate-cards-only-wire")));
    }
    states.push(reach(texts, gate));
    states.extend(standing(texts, gate));
    if gate.card_first {
        states.push((Tone::Told, tr!(texts, "gate-card-first")));
    }
    states.extend(faces_rest(texts, gate));
    if gate.terms.lease_too_long {
        let hours = gate.terms.offline_hours.unwrap_or_default();
        states.push((Tone::Alarm, tr!(texts, "gate-lease-too-long", hours = hours)));
    }
    if gate.terms.passlog_too_long {
        let days = gate.terms.passlog_days.unwrap_or_default();
        states.push((Tone::Alarm, tr!(texts, "gate-passlog-too-long", days = days)));
    }
    if gate.clock_drift_ms.is_some_and(is_clock_off) {
        states.push((Tone::Warn, tr!(texts, "gate-clock-wrong")));
    }
    states.push(if gate.card_way_tested {
        (Tone::Well, tr!(texts, "gate-card-way-tested"))
    } else {
        (Tone::Warn, tr!(texts, "gate-card-way-untested"))
    });
    states
}

/// Why no face opens at a gate that answers, if so.
pub fn faces_rest(texts: &Texts, gate: &GateStatus) -> Option<(Tone, String)> {
    Some(match gate.faces_rest.filter(|_| gate.reachable)? {
        FacesRest::ClockBack => (Tone::Alarm, tr!(texts, "gate-clock-back")),
        FacesRest::Stopped => (Tone::Warn, tr!(texts, "gate-faces-stopped")),
        FacesRest::NoContact => (Tone::Warn, tr!(texts, "gate-no-contact")),
    })
}

/// Whether a gate answers.
pub fn reach(texts: &Texts, gate: &GateStatus) -> (Tone, String) {
    if gate.key_changed {
        (Tone::Alarm, tr!(texts, "gate-key-changed"))
    } else if gate.reachable {
        (Tone::Well, tr!(texts, "gate-answers"))
    } else {
        (Tone::Warn, tr!(texts, "gate-away"))
    }
}

/// What a gate refused, whether it holds what it should, and what waits for it.
pub fn standing(texts: &Texts, gate: &GateStatus) -> Vec<(Tone, String)> {
    let mut states = vec![];
    if gate.wedged > 0 {
        states.push((Tone::Alarm, tr!(texts, "gate-wedged", count = gate.wedged)));
    }
    states.extend(step(texts, gate.step()));
    match (gate.pending, gate.oldest_pending_at) {
        (0, _) => {}
        (count, Some(since)) => {
            let since = since.minute_text();
            states.push((Tone::Warn, tr!(texts, "gate-pending-since", count = count, since = since)));
        }
        (count, None) => states.push((Tone::Warn, tr!(texts, "gate-pending", count = count))),
    }
    states
}

/// Whether a gate holds what it should; nothing where another state says more.
fn step(texts: &Texts, step: Step) -> Option<(Tone, String)> {
    match step {
        Step::Stopped | Step::Behind => None,
        Step::NotCompared => Some((Tone::Told, tr!(texts, "step-not-yet"))),
        Step::Differs(count) => Some((Tone::Alarm, tr!(texts, "gate-differs", count = count))),
        Step::LastCompared(at) => Some((Tone::Told, tr!(texts, "step-last", at = at.minute_text()))),
        Step::InStep => Some((Tone::Well, tr!(texts, "gate-in-step"))),
    }
}

/// Where something of a person stands at a gate, with what to do about it where something is to be done.
pub fn place(texts: &Texts, at: &GatePlace, kind: Thing) -> (Tone, String, Option<Words>) {
    let gate = at.label.as_str();
    match &at.place {
        Place::Synced => (Tone::Well, tr!(texts, "place-synced", gate = gate), None),
        Place::Pending(since) => {
            (Tone::Warn, tr!(texts, "place-pending", gate = gate, since = since.minute_text()), None)
        }
        Place::Refused(reason) => {
            (Tone::Alarm, tr!(texts, "place-refused", gate = gate), Some(explain::wedged(texts, gate, reason)))
        }
        Place::Missing(since) => (
            Tone::Alarm,
            tr!(texts, "place-missing", gate = gate, since = since.minute_text()),
            Some(match kind {
                Thing::Face => Words { what: tr!(texts, "place-face-missing"), todo: tr!(texts, "place-put-right") },
                Thing::Card | Thing::OldCard => {
                    Words { what: tr!(texts, "place-card-missing"), todo: tr!(texts, "place-put-right") }
                }
            }),
        ),
        Place::OtherDay(since) => (
            Tone::Alarm,
            tr!(texts, "place-other-day", gate = gate, since = since.minute_text()),
            Some(Words { what: tr!(texts, "place-card-day"), todo: tr!(texts, "place-put-right") }),
        ),
        Place::LeftOver(since) => match kind {
            Thing::Face => (Tone::Warn, tr!(texts, "place-erasing", gate = gate, since = since.minute_text()), None),
            Thing::Card | Thing::OldCard => {
                (Tone::Warn, tr!(texts, "place-left-over", gate = gate, since = since.minute_text()), None)
            }
        },
    }
}

/// What stands at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The card in force.
    Card,
    /// One before it.
    OldCard,
    /// The face.
    Face,
}

/// Whether a gate's clock is so far from ours, in milliseconds, that it is said.
pub fn is_clock_off(drift_ms: i64) -> bool {
    drift_ms.saturating_abs() >= CLOCK_DRIFT_SHOWN_MS
}

/// How far a gate's clock is from ours.
pub fn clock_text(texts: &Texts, drift_ms: i64) -> String {
    let seconds = format!("{}.{}", drift_ms.unsigned_abs() / 1000, drift_ms.unsigned_abs() % 1000 / 100);
    if drift_ms < 0 {
        tr!(texts, "gate-clock-behind", seconds = seconds)
    } else {
        tr!(texts, "gate-clock-ahead", seconds = seconds)
    }
}

/// When a gate last answered, its clock, its version.
pub fn gate_numbers(texts: &Texts, gate: &GateStatus) -> String {
    let mut parts = vec![match gate.last_seen_at {
        Some(at) => tr!(texts, "gate-last-seen", at = at.minute_text()),
        None => tr!(texts, "gate-never-seen"),
    }];
    parts.extend(gate.clock_drift_ms.map(|ms| clock_text(texts, ms)));
    if let (Some(faces), Some(most), Some(ppm)) = (gate.terms.faces, gate.terms.people_max, gate.terms.strangers_in_ppm)
    {
        let share = format!("{}.{:02} %", ppm / 10_000, ppm / 100 % 100);
        parts.push(tr!(texts, "gate-people-max", faces = faces, most = most, share = share));
    }
    if let Some(version) = &gate.version {
        parts.push(tr!(texts, "gate-version", version = version.as_str()));
    }
    parts.join(" · ")
}

/// What is wrong with a fact.
pub fn fact_fault(texts: &Texts, fault: FactFault) -> String {
    match fault {
        FactFault::Empty => tr!(texts, "fact-missing"),
        FactFault::Placeholder => tr!(texts, "fact-placeholder"),
        FactFault::TooShort { chars_min } => tr!(texts, "fact-too-short", least = chars_min),
        FactFault::NoPhone => tr!(texts, "fact-no-phone"),
        FactFault::NoEmail => tr!(texts, "fact-no-email"),
        FactFault::NoCreditCode => tr!(texts, "fact-no-code"),
        FactFault::OutOfRange { min, max } => tr!(texts, "fact-range", min = min, max = max),
    }
}

/// A fact of the site.
pub fn fact(texts: &Texts, fact: Fact) -> String {
    match fact {
        Fact::ProcessorName => tr!(texts, "fact-processor-name"),
        Fact::Uscc => tr!(texts, "fact-uscc"),
        Fact::ProcessorAddress => tr!(texts, "fact-processor-address"),
        Fact::ContactPhone => tr!(texts, "fact-contact-phone"),
        Fact::ContactEmail => tr!(texts, "fact-contact-email"),
        Fact::PiOfficerName => tr!(texts, "fact-pi-officer-name"),
        Fact::PiOfficerPhone => tr!(texts, "fact-pi-officer-phone"),
        Fact::SiteName => tr!(texts, "fact-site-name"),
        Fact::SiteAddress => tr!(texts, "fact-site-address"),
        Fact::DeskPlace => tr!(texts, "fact-desk-place"),
        Fact::DeskHours => tr!(texts, "fact-desk-hours"),
        Fact::GuardPhone => tr!(texts, "fact-guard-phone"),
        Fact::NecessityReason => tr!(texts, "fact-necessity-reason"),
        Fact::BenefitText => tr!(texts, "fact-benefit-text"),
        Fact::CacContact => tr!(texts, "fact-cac-contact"),
        Fact::PoliceContact => tr!(texts, "fact-police-contact"),
        Fact::HousingContact => tr!(texts, "fact-housing-contact"),
        Fact::PiaNo => tr!(texts, "fact-pia-no"),
        Fact::PiaDate => tr!(texts, "fact-pia-date"),
        Fact::CardFee => tr!(texts, "fact-card-fee"),
        Fact::JointList => tr!(texts, "fact-joint-list"),
        Fact::EntrustedList => tr!(texts, "fact-entrusted-list"),
        Fact::RecipientList => tr!(texts, "fact-recipient-list"),
        Fact::FaceEndRule => tr!(texts, "fact-face-end-rule"),
        Fact::IdentityEndRule => tr!(texts, "fact-identity-end-rule"),
        Fact::EvidenceYears => tr!(texts, "fact-evidence-years"),
        Fact::LogMonths => tr!(texts, "fact-log-months"),
        Fact::OfflineHours => tr!(texts, "fact-offline-hours"),
        Fact::PasslogDays => tr!(texts, "fact-passlog-days"),
        Fact::RightsDays => tr!(texts, "fact-rights-days"),
        Fact::ComplaintDays => tr!(texts, "fact-complaint-days"),
        Fact::ChildOfficerName => tr!(texts, "fact-child-officer-name"),
        Fact::ChildOfficerPhone => tr!(texts, "fact-child-officer-phone"),
        Fact::LocalRuleLine => tr!(texts, "fact-local-rule-line"),
        Fact::EffectText => tr!(texts, "fact-effect-text"),
        Fact::NoticeVersion => tr!(texts, "fact-notice-version"),
        Fact::NoticeDate => tr!(texts, "fact-notice-date"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::domain::id::GateId;
    use crate::domain::notice::Language;
    use crate::domain::relay::{DriftCounts, DriftKind, DriftLine};
    use crate::domain::time::Timestamp;

    const AT: Timestamp = Timestamp::from_ms(1_795_317_000_000);

    /// Every combination of what the desk may know of a gate.
    fn every() -> Vec<GateStatus> {
        let mut all = vec![];
        for bits in 0..128u32 {
            let on = |n: u32| bits >> n & 1 == 1;
            for in_step in [None, Some(false), Some(true)] {
                let lines = u32::from(on(5));
                all.push(GateStatus {
                    id: GateId::from_bytes([1; 16]),
                    name: "东门".into(),
                    kind: if on(6) { GateKind::Board } else { GateKind::Signing },
                    reachable: on(0),
                    last_seen_at: Some(AT),
                    pending: u32::from(on(1)),
                    wedged: u32::from(on(2)),
                    oldest_pending_at: on(1).then_some(AT),
                    clock_drift_ms: None,
                    version: None,
                    card_way_tested: true,
                    key_changed: on(3),
                    in_step,
                    terms: crate::domain::gate::GateTerms::default(),
                    compared_at: on(4).then_some(AT),
                    drift: vec![DriftLine { kind: DriftKind::CardMissing, number: "1".into() }; lines as usize],
                    drift_counts: DriftCounts::new(),
                    drift_count: lines,
                    card_first: false,
                    faces_rest: None,
                });
            }
        }
        all
    }

    #[test]
    fn a_gate_is_said_to_be_in_step_only_when_a_comparison_with_an_answering_gate_has_shown_it() {
        let mut said_so = 0;
        for texts in [Texts::new(Language::Chinese), Texts::new(Language::English)] {
            let word = |id: &str| match (texts.language(), id) {
                (Language::Chinese, "in-step") => "已同步".to_owned(),
                (Language::English, "in-step") => "In step".to_owned(),
                (Language::Chinese, "not-yet") => "还没有核对".to_owned(),
                (Language::English, "not-yet") => "not compared yet".to_owned(),
                (Language::Chinese, "last") => format!("上次核对 {}", AT.minute_text()),
                (Language::English, "last") => format!("last compared {}", AT.minute_text()),
                (Language::Chinese, "differs") => "与台账不同：1 处".to_owned(),
                _ => "differs from the register in 1".to_owned(),
            };
            for gate in every() {
                let states = gate_states(&texts, &gate);
                let says = |id: &str| states.iter().any(|(_, said)| *said == word(id));
                let compared = gate.compared_at.is_some() && !gate.key_changed;
                let differs = compared && (gate.drift_count > 0 || gate.in_step == Some(false));
                let nothing_open = gate.pending == 0 && gate.wedged == 0;
                let sure = gate.reachable && compared && gate.in_step == Some(true) && !differs;
                assert_eq!(says("in-step"), sure && nothing_open, "{gate:?}");
                assert_eq!(says("differs"), differs, "{gate:?}");
                assert_eq!(says("not-yet"), gate.compared_at.is_none() && !gate.key_changed, "{gate:?}");
                let old = compared && !differs && (!gate.reachable || gate.in_step.is_none());
                assert_eq!(says("last"), old, "{gate:?}");
                let answers = tr!(texts, "gate-answers");
                assert!(!says("in-step") || states.iter().any(|(_, said)| *said == answers), "{gate:?}");
                said_so += u32::from(says("in-step"));
            }
        }
        assert_eq!(said_so, 4, "one combination for each kind of gate and language");
    }
}
