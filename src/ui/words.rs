//! Words for values that several screens show: facts, age bands, states of gates.

use super::theme::Tone;
use crate::domain::approval::Act;
use crate::domain::gate::{GateKind, GateStatus};
use crate::domain::incident::DataKind;
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
    if gate.key_changed {
        states.push((Tone::Alarm, tr!(texts, "gate-key-changed")));
    } else if gate.reachable {
        states.push((Tone::Well, tr!(texts, "gate-answers")));
    } else {
        states.push((Tone::Warn, tr!(texts, "gate-away")));
    }
    if gate.wedged > 0 {
        states.push((Tone::Alarm, tr!(texts, "gate-wedged", count = gate.wedged)));
    }
    if !gate.drift.is_empty() {
        states.push((Tone::Alarm, tr!(texts, "gate-differs", count = gate.drift.len())));
    }
    match (gate.pending, gate.oldest_pending_at) {
        (0, _) if gate.wedged == 0 && gate.drift.is_empty() => states.push((Tone::Well, tr!(texts, "gate-in-step"))),
        (0, _) => {}
        (count, Some(since)) => {
            let since = since.minute_text();
            states.push((Tone::Warn, tr!(texts, "gate-pending-since", count = count, since = since)));
        }
        (count, None) => states.push((Tone::Warn, tr!(texts, "gate-pending", count = count))),
    }
    if gate.card_first {
        states.push((Tone::Told, tr!(texts, "gate-card-first")));
    }
    if gate.clock_drift_ms.is_some_and(|ms| ms.saturating_abs() >= CLOCK_DRIFT_SHOWN_MS) {
        states.push((Tone::Warn, tr!(texts, "gate-clock-wrong")));
    }
    states.push(if gate.card_way_tested {
        (Tone::Well, tr!(texts, "gate-card-way-tested"))
    } else {
        (Tone::Warn, tr!(texts, "gate-card-way-untested"))
    });
    states
}

/// When a gate last answered, its clock, its version.
pub fn gate_numbers(texts: &Texts, gate: &GateStatus) -> String {
    let mut parts = vec![match gate.last_seen_at {
        Some(at) => tr!(texts, "gate-last-seen", at = at.minute_text()),
        None => tr!(texts, "gate-never-seen"),
    }];
    if let Some(ms) = gate.clock_drift_ms {
        let seconds = format!("{}.{}", ms.unsigned_abs() / 1000, ms.unsigned_abs() % 1000 / 100);
        parts.push(if ms < 0 {
            tr!(texts, "gate-clock-behind", seconds = seconds)
        } else {
            tr!(texts, "gate-clock-ahead", seconds = seconds)
        });
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
