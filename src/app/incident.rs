//! Incidents at the desk: all faces stop, the people concerned are counted, and for each of them a letter is written; the report to the
//! authority is drafted with it. Rules: P57, M5, NDR11, NI1.
//!
//! Deliberately absent: a list of the people on a screen, and letters without the report.

use std::path::Path;

use super::command::StaffCommand;
use super::deletion::parse_moment;
use super::desk::{Desk, failure_of};
use super::duties::{
    DutiesCommand, DutiesEvent, DutyFailure, IncidentCommand, IncidentTyped, IncidentView, write_below,
};
use super::event::{Failure, GateLabel};
use crate::domain::approval::Act;
use crate::domain::gate::GateRecord;
use crate::domain::id::GateId;
use crate::domain::incident::{Answer, DataKind, Incident, IncidentFault, TO_CHARS_MAX, clean};
use crate::domain::notice::Language;
use crate::domain::time::Timestamp;
use crate::notice::{self, HeldWords, Rendered, Text, Values};
use crate::vault::{IncidentPerson, IncidentRow, Vault, VaultError};

/// Digits of a letter's number in its file name.
const NUMBER_DIGITS: usize = 4;

impl Desk {
    pub(super) fn handle_incident(&mut self, command: IncidentCommand, now: Timestamp) {
        match command {
            IncidentCommand::Show => self.show_incidents(now),
            IncidentCommand::Enter(typed) => self.enter_incident(*typed, now),
            IncidentCommand::SaveLetters { number, folder } => self.save_letters(number, &folder, now),
            IncidentCommand::Told { number, how } => {
                if self.vault(|v| v.record_incident_told(number, how, now)).is_some() {
                    self.show_incidents(now);
                }
            }
            IncidentCommand::Reported { number, to } => {
                let to = clean(&to, TO_CHARS_MAX);
                if to.is_empty() {
                    return self.duty_failed(IncidentFault::To);
                }
                if self.vault(|v| v.record_incident_report(number, &to, now)).is_some() {
                    self.show_incidents(now);
                }
            }
        }
    }

    /// Files with the names of up to the whole register: two people, where there are two.
    fn save_letters(&mut self, number: i64, folder: &Path, now: Timestamp) {
        let (act, folder) = (Act::IncidentLetters(number), folder.to_owned());
        let again = DutiesCommand::Incident(IncidentCommand::SaveLetters { number, folder: folder.clone() });
        let Some((approval, _)) = self.approved(act, StaffCommand::Duties(again), now) else { return };
        if self.vault(|v| v.second_person(act, approval, now)).is_none() {
            return;
        }
        match self.write_letters(number, &folder, now) {
            Ok(files) => self.duty(DutiesEvent::Saved(files, folder.display().to_string())),
            Err(failure) => self.fail(failure),
        }
    }

    fn enter_incident(&mut self, typed: IncidentTyped, now: Timestamp) {
        let Some(happened_at) = parse_moment(&typed.happened_at) else {
            return self.duty_failed(IncidentFault::When);
        };
        let IncidentTyped { answers, kinds, gates, larger, .. } = typed;
        let incident = match (Incident { happened_at, answers, kinds, gates, larger }).check(now) {
            Ok(incident) => incident,
            Err(fault) => return self.duty_failed(fault),
        };
        // Whoever is being enrolled just now is stopped too. Somebody who withdraws is not.
        if self.open.as_ref().is_some_and(|open| open.flow.consent().is_some()) {
            self.stop_visit(None, now);
        }
        let Some(number) = self.vault(|v| v.record_incident_case(&incident, now)) else { return };
        self.ring();
        self.duty(DutiesEvent::IncidentEntered(number));
        self.show_incidents(now);
        self.show_deletions(now);
    }

    pub(super) fn show_incidents(&mut self, now: Timestamp) {
        let read = self.vault(|v| {
            let (gates, waiting) = (v.gates_ever()?, v.stops_waiting()?);
            Ok(v.incident_cases()?.into_iter().map(|row| view(row, &gates, &waiting, now)).collect())
        });
        if let Some(views) = read {
            self.duty(DutiesEvent::Incidents(views));
        }
    }

    /// Writes the folder: one letter a person in the language that the person last read, a public notice, and the draft of the report.
    fn write_letters(&mut self, number: i64, folder: &Path, now: Timestamp) -> Result<u32, Failure> {
        let nothing = || Failure::Duty(DutyFailure::Nothing);
        let missing = |unfilled: notice::Unfilled| {
            tracing::error!(?unfilled, "a letter has unfilled places");
            Failure::Duty(DutyFailure::FactsMissing)
        };
        let site = [Language::Chinese, Language::English].map(|language| (language, self.site_values(language)));
        let values_in = |wanted: Language| {
            site.iter().find(|(language, _)| *language == wanted).map(|(_, values)| values.clone()).unwrap_or_default()
        };
        let Some(open) = self.open.as_mut() else { return Err(nothing()) };
        let rows = open.vault.incident_cases().map_err(failure_of)?;
        let row = rows.into_iter().find(|row| row.number == number).ok_or_else(nothing)?;
        let gates = open.vault.gates_ever().map_err(failure_of)?;
        let people = open.vault.incident_people(number).map_err(failure_of)?;
        let mut files = 0u32;
        let mut put = |name: String, text: &Rendered| -> Result<(), Failure> {
            let pdf = crate::paper::text_pdf(text).map_err(|error| Failure::PaperNotWritten(error.to_string()))?;
            write_below(folder, &name, &pdf)?;
            files += 1;
            Ok(())
        };
        for language in [Language::Chinese, Language::English] {
            let mut values = values_in(language);
            incident_values(&mut values, &row, &gates, language);
            let report = notice::render(Text::IncidentReport, language, &values).map_err(missing)?;
            put(format!("report-{}.pdf", language.tag()), &report)?;
            let public = notice::render(Text::IncidentPublic, language, &values).map_err(missing)?;
            put(format!("public-notice-{}.pdf", language.tag()), &public)?;
        }
        for (at, person) in (1..).zip(&people) {
            let language = match open.vault.language_read(person.resident).map_err(failure_of)? {
                Some(tag) if tag == Language::English.tag() => Language::English,
                _ => Language::Chinese,
            };
            let mut values = values_in(language);
            incident_values(&mut values, &row, &gates, language);
            letter_values(&mut values, &open.vault, person, language, now).map_err(failure_of)?;
            let letter = notice::render(Text::Incident, language, &values).map_err(missing)?;
            put(format!("letters/{at:0width$}.pdf", width = NUMBER_DIGITS), &letter)?;
        }
        open.vault.record_letters_written(now).map_err(failure_of)?;
        Ok(files)
    }
}

fn view(row: IncidentRow, gates: &[GateRecord], waiting: &[GateId], now: Timestamp) -> IncidentView {
    let name = |id: &GateId| gates.iter().find(|gate| gate.id == *id).map(|gate| gate.name.clone());
    let labels = |ids: &[GateId]| -> Vec<GateLabel> { ids.iter().filter_map(name).collect() };
    let report_by = row.incident.report_by(row.entered_at);
    IncidentView {
        number: row.number,
        happened_at: row.incident.happened_at,
        entered_at: row.entered_at,
        what: row.incident.answers.first().cloned().unwrap_or_default(),
        gates: labels(&row.incident.gates),
        late: row.reports.is_empty() && report_by.is_some_and(|by| now >= by),
        report_by,
        kinds: row.incident.kinds,
        people: row.people,
        minors: row.minors,
        without_guardian: row.without_guardian,
        told: row.told,
        reports: row.reports,
        stops_waiting: labels(waiting),
    }
}

/// What every paper of an incident says.
fn incident_values(values: &mut Values, row: &IncidentRow, gates: &[GateRecord], language: Language) {
    let words = HeldWords::load(language);
    let pick = |chinese: &str, english: &str| match language {
        Language::Chinese => chinese.to_owned(),
        Language::English => english.to_owned(),
    };
    let incident = &row.incident;
    let between = pick("、", ", ");
    let names: Vec<&str> =
        gates.iter().filter(|gate| incident.gates.contains(&gate.id)).map(|gate| gate.name.as_str()).collect();
    let kinds: Vec<String> = incident
        .kinds
        .iter()
        .map(|kind| {
            let said = words.say(&format!("kind-{}", kind.label()));
            if kind.is_at_gates() {
                pick(&format!("{said}（{}）", names.join(&between)), &format!("{said} ({})", names.join(&between)))
            } else {
                said
            }
        })
        .collect();
    for (answer, said) in Answer::ALL.iter().zip(&incident.answers) {
        values.insert(answer.placeholder().to_owned(), said.trim_end_matches(['。', '.', '；', ';']).to_owned());
    }
    let mut put = |key: &str, value: String| {
        values.insert(key.to_owned(), value);
    };
    put("incident_no", row.number.to_string());
    put("incident_time", incident.happened_at.minute_text());
    put("entered_time", row.entered_at.minute_text());
    put("data_kinds", kinds.join(&between));
    put("people_count", row.people.to_string());
    put("minors_count", row.minors.to_string());
    put(
        "incident_grade",
        if incident.larger { pick("较大以上", "larger (较大 or above)") } else { pick("一般", "general") },
    );
    let by = incident.report_by(row.entered_at);
    put("report_by", by.map_or_else(|| pick("立即", "at once"), |by| by.minute_text()));
    let has_face = incident.kinds.contains(&DataKind::Face);
    put(
        "reassess",
        if incident.larger || has_face {
            pick("需要重新评估", "to be made anew")
        } else {
            pick("按影响评估制度复核", "to be reviewed")
        },
    );
}

/// Whom a letter goes to: the person, and for a child or ward the guardian too (M5). What it says of the face is true of this person.
fn letter_values(
    values: &mut Values,
    vault: &Vault,
    person: &IncidentPerson,
    language: Language,
    now: Timestamp,
) -> Result<(), VaultError> {
    let resident = vault.resident(person.resident)?;
    let name = resident.name.as_str();
    let guarded = vault.decider(person.resident, now)?.needs_guardian();
    let guardian = if guarded { vault.current_guardian(person.resident)? } else { None };
    let to = match (guarded, guardian, language) {
        (false, ..) => name.to_owned(),
        (true, Some(guardian), Language::Chinese) => format!("{name}（及监护人 {}）", guardian.name.as_str()),
        (true, Some(guardian), Language::English) => format!("{name} (and guardian {})", guardian.name.as_str()),
        (true, None, Language::Chinese) => format!("{name}（及监护人）"),
        (true, None, Language::English) => format!("{name} (and guardian)"),
    };
    values.insert("letter_to".into(), to);
    let face = match (person.enrolled, language) {
        (true, Language::Chinese) => "您的人脸已停用",
        (true, Language::English) => "Your face is stopped",
        (false, Language::Chinese) => "您没有录入人脸",
        (false, Language::English) => "You have no face enrolled",
    };
    values.insert("face_state".into(), face.to_owned());
    Ok(())
}
