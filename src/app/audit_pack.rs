//! The compliance audit pack (P54) and the controls sheet for the graded protection file (F14b): states and counts as they are when asked, no names of
//! residents and none of staff. The words stand in the texts; here are the values.

use std::path::Path;

use serde_json::json;

use super::desk::{Desk, failure_of};
use super::duties::{DutyFailure, DutyPaper};
use super::event::Failure;
use crate::domain::entrusted;
use crate::domain::guardian::MinorsFigures;
use crate::domain::notice::Language;
use crate::domain::posture::{Check, Grade};
use crate::domain::rights::RequestCounts;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::evidence::hex;
use crate::notice::{self, HeldWords, Text};
use crate::vault::{DutyFigures, Vault, VaultError};

/// Days that the pack looks back.
const SPAN_DAYS: i64 = 365;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// Values by placeholder, in the order in which they are filled.
type Filled = Vec<(&'static str, String)>;

impl Desk {
    /// Writes a paper; beside the audit pack the same values as JSON. Returns the number of files.
    pub(super) fn write_duty_paper(
        &mut self,
        paper: DutyPaper,
        language: Language,
        path: &Path,
        now: Timestamp,
    ) -> Result<u32, Failure> {
        let said = self.duty_values(language, now)?;
        let mut values = self.site_values(language);
        values.extend(said.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let which = match paper {
            DutyPaper::Audit => Text::AuditPack,
            DutyPaper::Controls => Text::Controls,
        };
        let text = notice::render(which, language, &values).map_err(|unfilled| {
            tracing::error!(?unfilled, "a paper for an audit has unfilled places");
            Failure::Duty(DutyFailure::FactsMissing)
        })?;
        let unwritten = |error: std::io::Error| Failure::PaperNotWritten(error.to_string());
        let pdf = crate::paper::text_pdf(&text).map_err(|error| Failure::PaperNotWritten(error.to_string()))?;
        std::fs::write(path, pdf).map_err(unwritten)?;
        let mut files = 1;
        if paper == DutyPaper::Audit {
            let fields: serde_json::Map<String, serde_json::Value> =
                said.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
            let all = json!({ "schema": "menka-audit/1", "values": fields });
            std::fs::write(path.with_extension("json"), format!("{all:#}\n")).map_err(unwritten)?;
            files += 1;
        }
        let Some(open) = self.open.as_mut() else { return Err(Failure::Duty(DutyFailure::Nothing)) };
        open.vault.record_audit_paper(paper.label(), now).map_err(failure_of)?;
        Ok(files)
    }

    /// Everything that the two papers say of this station now.
    fn duty_values(&mut self, language: Language, now: Timestamp) -> Result<Filled, Failure> {
        let words = HeldWords::load(language);
        let machine = self.machine_values(language);
        let open = self.open.as_mut().ok_or(Failure::Duty(DutyFailure::Nothing))?;
        let report = open.vault.audit().map_err(failure_of)?;
        let standing = open.notice.standing;
        let (from, until) = (now.plus_ms(-SPAN_DAYS * DAY_MS), now.plus_ms(1));
        let read = || -> Result<Filled, VaultError> {
            let vault = &open.vault;
            let figures = vault.duty_figures(from, until)?;
            let minors = vault.minors_figures(from, until)?;
            let counts = vault.request_counts(now)?;
            let mut said: Filled = vec![
                ("audit_from", from.date().to_string()),
                ("audit_until", now.date().to_string()),
                ("made_time", now.minute_text()),
                ("audit_log_state", yes_no(report.is_sound(), language)),
                ("audit_log_records", report.records.to_string()),
                ("audit_log_faults", report.faults().to_string()),
            ];
            said.extend(of_notice(vault, standing, language)?);
            said.extend(of_consents(&figures, &minors, &words, language));
            said.extend(of_rights(&figures, counts));
            said.extend(of_safety(vault, &figures, now, language)?);
            Ok(said)
        };
        let mut said = read().map_err(failure_of)?;
        said.extend(machine);
        Ok(said)
    }

    /// The machine as last looked at, by check.
    fn machine_values(&self, language: Language) -> Filled {
        let state = |check: Check| {
            let grade = self.watch.report.as_ref().map_or(Grade::Unknown, |report| report.grade(check));
            let (chinese, english) = match grade {
                Grade::Well => ("符合", "as it should be"),
                Grade::Warn => ("有提醒", "warned of"),
                Grade::Unknown => ("无法确认", "not known"),
                Grade::CardOnly | Grade::Stop => ("不符合", "not met"),
            };
            pick(language, chinese, english)
        };
        vec![
            ("ctl_internet", state(Check::Internet)),
            ("ctl_remote", state(Check::RemoteHelp)),
            ("ctl_disk", state(Check::Disk)),
            ("ctl_login", state(Check::Login)),
            ("ctl_screen", state(Check::ScreenLock)),
            ("ctl_cameras", state(Check::VirtualCamera)),
            ("ctl_files", state(Check::Files)),
            ("ctl_clock", state(Check::Clock)),
        ]
    }
}

fn pick(language: Language, chinese: &str, english: &str) -> String {
    match language {
        Language::Chinese => chinese.to_owned(),
        Language::English => english.to_owned(),
    }
}

fn yes_no(yes: bool, language: Language) -> String {
    if yes { pick(language, "是", "yes") } else { pick(language, "否", "no") }
}

/// Rules, notice, assessment, signs.
fn of_notice(
    vault: &Vault,
    standing: crate::domain::assessment::Standing,
    language: Language,
) -> Result<Filled, VaultError> {
    let none = || pick(language, "无", "none");
    let version = vault.notice_version()?;
    let file = vault.site_file()?;
    let assessment = match vault.assessments() {
        Err(VaultError::RegistryRefused) => None,
        read => read?.pop(),
    };
    let news = vault.version_news()?;
    let faces: Vec<_> = vault.gates()?.into_iter().filter(|gate| gate.takes_faces).collect();
    let signs = vault.signs()?;
    let posted = faces.iter().filter(|gate| signs.iter().any(|sign| sign.gate == Some(gate.id))).count();
    let tested = faces.iter().filter(|gate| gate.card_way_tested_at.is_some()).count();
    let said = |text: Option<String>| text.unwrap_or_else(none);
    let pia = assessment.as_ref().map(|row| &row.assessment);
    Ok(vec![
        ("audit_notice", said(version.map(|v| format!("{} ({})", v.version, v.in_use_on)))),
        ("audit_site_file", said(file.map(|row| format!("{} · {}", row.number, hex(&row.sha256))))),
        ("audit_versions", news.len().to_string()),
        ("audit_untold", news.iter().map(|row| row.untold).sum::<u32>().to_string()),
        ("audit_unanswered", news.iter().map(|row| row.unanswered).sum::<u32>().to_string()),
        ("audit_pia", said(pia.map(|made| format!("{} ({})", made.number, made.signed_on)))),
        ("audit_pia_review", said(pia.map(|made| made.review_on.to_string()))),
        ("audit_pia_scope", said(pia.map(|made| hex(&made.scope_sha256)))),
        ("audit_pia_holds", yes_no(standing.holds(), language)),
        ("audit_gates", faces.len().to_string()),
        ("audit_signs", posted.to_string()),
        ("audit_card_ways", tested.to_string()),
    ])
}

/// Consents, refusals, erasures, minors.
fn of_consents(figures: &DutyFigures, minors: &MinorsFigures, words: &HeldWords, language: Language) -> Filled {
    let minutes = |ms: i64| format!("{}.{}", ms / MINUTE_MS, ms % MINUTE_MS / (MINUTE_MS / 10));
    let (middle, longest) = figures.erase_times().map_or_else(
        || (pick(language, "无", "none"), pick(language, "无", "none")),
        |(middle, longest)| (minutes(middle), minutes(longest)),
    );
    let reasons: Vec<String> =
        figures.endings.iter().map(|(label, count)| format!("{} {count}", words.say(label))).collect();
    let between = pick(language, "；", "; ");
    let [adults, youths, children] = figures.people;
    let [issued, handed] = figures.certificates;
    vec![
        ("audit_people", (adults + youths + children).to_string()),
        ("audit_consents", figures.consents.to_string()),
        ("audit_guarded", figures.consents_guarded.to_string()),
        ("audit_in_force", figures.in_force.to_string()),
        ("audit_refusals", figures.refusals.to_string()),
        ("audit_endings", if reasons.is_empty() { pick(language, "无", "none") } else { reasons.join(&between) }),
        ("audit_erase_middle", middle),
        ("audit_erase_longest", longest),
        ("audit_endings_open", figures.endings_open.to_string()),
        ("audit_orphans", figures.orphans.to_string()),
        ("audit_drift", figures.count("face-drift").to_string()),
        ("audit_certificates", issued.to_string()),
        ("audit_handed", handed.to_string()),
        ("audit_under_14", format!("{} / {}", minors.under_14, minors.under_14_enrolled)),
        ("audit_14_17", format!("{} / {}", minors.from_14_to_17, minors.from_14_to_17_enrolled)),
        ("audit_guardians", minors.guardians_checked.to_string()),
        ("audit_said_no", minors.said_no.to_string()),
        ("audit_minor_looks", minors.looks.to_string()),
    ]
}

/// Requests.
fn of_rights(figures: &DutyFigures, counts: RequestCounts) -> Filled {
    let [received, done, refused, late] = figures.requests;
    vec![
        ("audit_requests", received.to_string()),
        ("audit_requests_done", done.to_string()),
        ("audit_requests_refused", refused.to_string()),
        ("audit_requests_late", late.to_string()),
        ("audit_requests_open", counts.open.to_string()),
        ("audit_seen", (figures.count("everything-given") + figures.count("own-page-opened")).to_string()),
    ]
}

/// Entrusted parties, accounts, the log, incidents.
fn of_safety(vault: &Vault, figures: &DutyFigures, now: Timestamp, language: Language) -> Result<Filled, VaultError> {
    let register = vault.entrusted()?;
    let in_force = register.iter().filter(|row| row.entry.is_in_force(now.date())).count();
    let list = entrusted::list(register.iter().map(|row| &row.entry), now.date());
    let accounts = vault.accounts()?;
    let active: Vec<_> = accounts.iter().filter(|account| !account.disabled).collect();
    let role = |role: Role| active.iter().filter(|account| account.role == role).count();
    let trained = active.iter().filter(|account| vault.standing_of(account, now).works()).count();
    let heads = vault.gate_heads()?;
    let witness = heads.iter().map(|head| head.seen_at).max();
    let cases = vault.incident_cases()?;
    let looks: u32 = figures.count("resident-opened");
    let none = || pick(language, "无", "none");
    let check = vault.check_no_face()?;
    let backups: u32 = figures.logged.iter().filter(|(what, _)| what.starts_with("backup")).map(|(_, n)| n).sum();
    Ok(vec![
        ("audit_entrusted", in_force.to_string()),
        ("audit_entrusted_list", if list.is_empty() { none() } else { list }),
        ("audit_accounts", active.len().to_string()),
        (
            "audit_roles",
            [Role::FrontDesk, Role::Supervisor, Role::Technician, Role::Auditor]
                .map(|of| role(of).to_string())
                .join(" / "),
        ),
        ("audit_trained", trained.to_string()),
        ("audit_approvals", figures.count("approved").to_string()),
        ("audit_act_refused", figures.count("act-refused").to_string()),
        ("audit_unlock_refused", figures.count("unlock-refused").to_string()),
        ("audit_looks", looks.to_string()),
        ("audit_searches", figures.count("searched").to_string()),
        ("audit_exports", figures.count("log-exported").to_string()),
        ("audit_heads", figures.count("head-taken").to_string()),
        ("audit_head_last", vault.head_taken_on()?.map_or_else(none, |day| day.to_string())),
        ("audit_witness", witness.map_or_else(none, Timestamp::minute_text)),
        ("audit_machine", figures.count("machine-found").to_string()),
        ("audit_stops", figures.count("faces-stopped").to_string()),
        ("audit_incidents", cases.len().to_string()),
        ("audit_incidents_open", cases.iter().filter(|case| !case.is_done()).count().to_string()),
        ("audit_incident_people", cases.iter().map(|case| case.people).sum::<u32>().to_string()),
        ("audit_incident_told", cases.iter().map(|case| case.told).sum::<u32>().to_string()),
        ("audit_no_face", yes_no(check.is_clean(), language)),
        ("ctl_backups", backups.to_string()),
        ("ctl_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("ctl_cipher", vault.cipher_version()?),
        ("ctl_key", hex(&vault.evidence_public())),
    ])
}
