//! The manager leaves (物业退出): one act of two supervisors ends every face of the site; then the papers. Rules: P22, LHZ3, F15c, N8-20.
//!
//! What is handed over is the evidence and the registers, in which no face is, because the desk has none and gates give none out. Cards go on.
//! Resumable by its nature: what was ended is in the vault, what gates have to sign waits in the outbox, and papers say how far it is.

use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::desk::{Desk, failure_of};
use super::duties::{DutiesCommand, DutiesEvent, DutyFailure, SiteEndCommand, SiteEndGate, SiteEndView, write_below};
use super::event::Failure;
use crate::app::command::StaffCommand;
use crate::domain::approval::Act;
use crate::domain::gate::GateRecord;
use crate::domain::incident::{TO_CHARS_MAX, clean};
use crate::domain::notice::Language;
use crate::domain::site::Fact;
use crate::domain::time::Timestamp;
use crate::evidence::hex;
use crate::notice::{self, Text};
use crate::vault::{SiteEndRow, Vault, VaultError};

/// Digits of a certificate's number in its file name.
const NUMBER_DIGITS: usize = 4;

impl Desk {
    pub(super) fn handle_site_end(&mut self, command: SiteEndCommand, now: Timestamp) {
        match command {
            SiteEndCommand::Show => self.show_site_end(),
            SiteEndCommand::End { receiver } => self.end_site(&receiver, now),
            SiteEndCommand::SavePapers { folder, language } => self.save_site_papers(&folder, language, now),
        }
    }

    /// Files with the names of everybody whose face ended: two people, where there are two.
    fn save_site_papers(&mut self, folder: &Path, language: Language, now: Timestamp) {
        let again = SiteEndCommand::SavePapers { folder: folder.to_owned(), language };
        let again = StaffCommand::Duties(DutiesCommand::SiteEnd(again));
        let Some((approval, _)) = self.approved(Act::SitePapers, again, now) else { return };
        if self.vault(|v| v.second_person(Act::SitePapers, approval, now)).is_none() {
            return;
        }
        match self.write_site_end(folder, language, now) {
            Ok(files) => {
                self.duty(DutiesEvent::Saved(files, folder.display().to_string()));
                self.show_site_end();
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn end_site(&mut self, receiver: &str, now: Timestamp) {
        let receiver = clean(receiver, TO_CHARS_MAX);
        if receiver.is_empty() {
            return self.duty_failed(DutyFailure::Receiver);
        }
        let Some(open) = self.open.as_ref() else { return };
        let facts = open.facts.clone();
        match open.vault.manager_has_left(&facts) {
            Ok(false) if !facts.get(Fact::ProcessorName).trim().is_empty() => {}
            Ok(_) => return self.duty_failed(DutyFailure::ManagerLeft),
            Err(error) => return self.fail(failure_of(error)),
        }
        let again = StaffCommand::Duties(DutiesCommand::SiteEnd(SiteEndCommand::End { receiver: receiver.clone() }));
        let Some((Some(approval), _)) = self.approved(Act::EndSite, again, now) else { return };
        if self.open.as_ref().is_some_and(|open| open.flow.consent().is_some()) {
            self.stop_visit(None, now);
        }
        if self.vault(|v| v.end_site(&facts, &receiver, approval, now)).is_some() {
            self.ring();
            self.show_site_end();
            self.show_deletions(now);
            self.show_opened(now);
        }
    }

    pub(super) fn show_site_end(&mut self) {
        let facts = self.open.as_ref().map(|open| open.facts.clone()).unwrap_or_default();
        let read = self.vault(|v| {
            let Some(end) = v.site_end()? else { return Ok(None) };
            let gates = v.gates_ever()?;
            let successor = !v.manager_has_left(&facts)?;
            view(v, &end, &gates, successor).map(|view| Some(Box::new(view)))
        });
        if let Some(view) = read {
            self.duty(DutiesEvent::SiteEnd(view));
        }
    }

    /// The folder: a certificate for each person (with its file for `menka-verify`), the total for the owners' committee, the log, the registers.
    fn write_site_end(&mut self, folder: &Path, language: Language, now: Timestamp) -> Result<u32, Failure> {
        let nothing = || Failure::Duty(DutyFailure::Nothing);
        let Some(open) = self.open.as_ref() else { return Err(nothing()) };
        let end = open.vault.site_end().map_err(failure_of)?.ok_or_else(nothing)?;
        let ended = open.vault.ended_with_manager(end.ended_at).map_err(failure_of)?;
        let (mut files, by) = (0u32, open.vault.who());
        let certificates = folder.join("certificates");
        if !ended.is_empty() {
            std::fs::create_dir_all(&certificates).map_err(|error| Failure::PaperNotWritten(error.to_string()))?;
        }
        for (at, one) in (1..).zip(&ended) {
            let path = certificates.join(format!("{at:0width$}.pdf", width = NUMBER_DIGITS));
            self.save_certificate_in((one.consent, None), &path, language, by, now)?;
            files += 2;
        }
        let Some(open) = self.open.as_mut() else { return Err(nothing()) };
        let log =
            open.vault.export_log(&end.receiver, "更换物业服务单位 / change of manager", now).map_err(failure_of)?;
        write_below(folder, "log.jsonl", log.as_bytes())?;
        let registers = registers(&open.vault, &end).map_err(failure_of)?;
        write_below(folder, "registers.json", registers.as_bytes())?;
        files += 2;
        let digests = [("log_digest", log.as_bytes()), ("registers_digest", registers.as_bytes())];
        let digests = digests.map(|(key, bytes)| (key.to_owned(), hex(&Sha256::digest(bytes))));
        let text = self.total(&end, language, digests, now)?;
        let pdf = crate::paper::text_pdf(&text).map_err(|error| Failure::PaperNotWritten(error.to_string()))?;
        write_below(folder, "total.pdf", &pdf)?;
        let Some(open) = self.open.as_mut() else { return Err(nothing()) };
        open.vault.record_manager_papers(now).map_err(failure_of)?;
        Ok(files + 1)
    }

    /// The total for the owners' committee: counts and gates, no person.
    fn total(
        &mut self,
        end: &SiteEndRow,
        language: Language,
        digests: [(String, String); 2],
        now: Timestamp,
    ) -> Result<notice::Rendered, Failure> {
        let mut values = self.site_values(language);
        let Some(open) = self.open.as_ref() else { return Err(Failure::Duty(DutyFailure::Nothing)) };
        let gates = open.vault.gates_ever().map_err(failure_of)?;
        let view = view(&open.vault, end, &gates, false).map_err(failure_of)?;
        let check = open.vault.check_no_face().map_err(failure_of)?;
        let (_, operator) = open.vault.operator();
        let pick = |chinese: &str, english: &str| match language {
            Language::Chinese => chinese.to_owned(),
            Language::English => english.to_owned(),
        };
        let mut put = |key: &str, value: String| {
            values.insert(key.to_owned(), value);
        };
        put("processor_name", end.processor.clone());
        put("end_receiver", end.receiver.clone());
        put("ended_time", end.ended_at.minute_text());
        put("made_time", now.minute_text());
        put("people_count", view.people.to_string());
        put("certified_count", view.certified.to_string());
        put("end_by", format!("{}、{}", end.by.0, end.by.1));
        put("operator_name", operator);
        let left: u32 = view.gates.iter().map(|gate| gate.left).sum();
        put("left_count", left.to_string());
        put(
            "pc_check_result",
            if check.is_clean() {
                pick(
                    &format!("未发现（查看 {} 项）", check.values),
                    &format!("none found ({} values read)", check.values),
                )
            } else {
                pick("发现疑似内容，正在核查", "something is being looked into")
            },
        );
        for (row, gate) in (1..).zip(&view.gates) {
            let place = gates.iter().find(|known| known.name == gate.name).map(|known| known.place.trim());
            put(&format!("gate_name.{row}"), gate.name.clone());
            put(&format!("gate_place.{row}"), place.filter(|p| !p.is_empty()).unwrap_or("—").to_owned());
            put(&format!("erased_count.{row}"), gate.erased.to_string());
            put(&format!("gate_left.{row}"), gate.left.to_string());
            let stop = match gate.stops_at {
                None if gate.left == 0 => pick("全部删除，已回读", "all erased and read back"),
                None => pick(
                    "有回应，没有删除，也没有停用；须到门前关闭",
                    "answers, has not erased, and nothing stops faces there; it must be switched off at the door",
                ),
                Some(at) => {
                    let at = at.minute_text();
                    pick(
                        &format!("暂时无法连接，最迟 {at} 起人脸停用"),
                        &format!("not reachable; stopped by {at} at the latest"),
                    )
                }
            };
            put(&format!("gate_stop.{row}"), stop);
        }
        values.extend(digests);
        notice::render(Text::ManagerLeft, language, &values).map_err(|unfilled| {
            tracing::error!(?unfilled, "the total has unfilled places");
            Failure::Duty(DutyFailure::FactsMissing)
        })
    }
}

fn view(vault: &Vault, end: &SiteEndRow, gates: &[GateRecord], successor: bool) -> Result<SiteEndView, VaultError> {
    let ended = vault.ended_with_manager(end.ended_at)?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let waits = vault.erasures_pending()?;
    let mut lines = vec![];
    for left in vault.faces_left(end.ended_at)? {
        let Some(gate) = gates.iter().find(|gate| gate.id == left.gate) else { continue };
        if !gate.takes_faces {
            continue;
        }
        // An erasure that the gate has not signed for counts also where it never told that it holds the face.
        let unsigned = waits.iter().filter(|(_, id)| *id == left.gate).count();
        let left_here = left.left.max(count(unsigned));
        let stops_at = if left_here > 0 { vault.stops_at(left.gate, None, end.ended_at)? } else { None };
        lines.push(SiteEndGate { name: gate.name.clone(), erased: left.erased, left: left_here, stops_at });
    }
    Ok(SiteEndView {
        processor: end.processor.clone(),
        receiver: end.receiver.clone(),
        ended_at: end.ended_at,
        by: end.by.clone(),
        people: count(ended.len()),
        certified: count(ended.iter().filter(|one| one.pending.is_empty()).count()),
        gates: lines,
        papers_at: end.papers_at,
        successor,
    })
}

/// The registers that a successor, or whoever keeps the records of processing, needs: of the site and its gates, with no resident in them.
fn registers(vault: &Vault, end: &SiteEndRow) -> Result<String, VaultError> {
    let gates = vault.gates_ever()?;
    let name = |id| gates.iter().find(|gate| gate.id == id).map(|gate| gate.name.clone());
    let facts = match vault.facts() {
        Err(VaultError::SiteFileRefused) => None,
        read => Some(read?),
    };
    let facts: Vec<_> = facts
        .iter()
        .flat_map(|facts| facts.pairs())
        .map(|(fact, text)| json!({ "fact": fact.key(), "text": text }))
        .collect();
    let assessments: Vec<_> = vault
        .assessments()?
        .into_iter()
        .map(|row| {
            json!({
                "number": row.assessment.number, "signed_on": row.assessment.signed_on.to_string(),
                "signer": row.assessment.signer, "review_on": row.assessment.review_on.to_string(),
                "sha256": hex(&row.sha256),
            })
        })
        .collect();
    let entrusted: Vec<_> = vault
        .entrusted()?
        .into_iter()
        .map(|row| {
            json!({
                "number": row.number, "fields": row.entry.fields,
                "begins_on": row.entry.begins_on.to_string(), "ends_on": row.entry.ends_on.to_string(),
            })
        })
        .collect();
    let signs: Vec<_> = vault
        .signs()?
        .into_iter()
        .map(|row| {
            json!({
                "gate": row.gate.map_or_else(|| Some("desk".to_owned()), name),
                "posted_on": row.posted_on.to_string(), "words_sha256": hex(&row.words_sha256),
            })
        })
        .collect();
    let gate_list: Vec<_> = gates
        .iter()
        .map(|gate| {
            json!({
                "name": gate.name, "place": gate.place, "capture_area": gate.capture_area,
                "other_way": gate.other_way, "why_needed": gate.why_needed,
                "card_way_tested_at": gate.card_way_tested_at.map(Timestamp::minute_text),
            })
        })
        .collect();
    let incidents: Vec<_> = vault
        .incident_cases()?
        .into_iter()
        .map(|row| {
            json!({
                "number": row.number, "happened_at": row.incident.happened_at.minute_text(),
                "people": row.people, "told": row.told,
                "reported": row.reports.iter().map(|(at, to)| json!({ "at": at.minute_text(), "to": to })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let all = json!({
        "schema": "menka-registers/1",
        "processor": end.processor, "uscc": end.uscc, "receiver": end.receiver,
        "faces_ended_at": end.ended_at.minute_text(),
        "faces": "none: erased at every gate, none handed over",
        "station_key": hex(&vault.evidence_public()),
        "site": facts, "gates": gate_list, "assessments": assessments, "entrusted": entrusted, "signs": signs,
        "incidents": incidents,
    });
    Ok(format!("{all:#}\n"))
}
