//! The deletion certificate as a paper: the text of part 5 filled from what was signed, the PDF with its QR code, and beside it the file for
//! `menka-verify`. Rules: P15, P47a, P47b, K1-10.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::desk::{Desk, failure_of};
use super::event::Failure;
use crate::domain::audit::Actor;
use crate::domain::id::{ConsentId, GateId};
use crate::domain::notice::Language;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::certificate::{GateState, Stop};
use crate::evidence::hex;
use crate::notice::{self, Text, Values};
use crate::vault::{Certificate, FaceCheck, Vault, VaultError};

/// Days until a gate that is away is expected to be reached, for the supplement (a product figure).
const SUPPLEMENT_DAYS: i64 = 15;
/// Fewest years that records are kept after the end (PIPL 56).
const EVIDENCE_YEARS_MIN: i64 = 3;

/// What the paper says besides the signed facts.
struct Paper {
    name: String,
    unit: String,
    card_last4: String,
    operator: String,
    check: FaceCheck,
    /// Gates that were switched off by hand, with who did it.
    switched_off: Vec<(GateId, String)>,
}

impl Desk {
    /// Issues the certificate of an ended consent, or of one place of a consent that goes on, as things stand; writes the PDF and, beside it,
    /// the file for `menka-verify`. Returns where.
    pub(super) fn save_certificate(
        &mut self,
        of: (ConsentId, Option<GateId>),
        path: &Path,
        who: Actor,
        now: Timestamp,
    ) -> Result<String, Failure> {
        self.save_certificate_in(of, path, self.language, who, now)
    }

    /// [`Self::save_certificate`], in this language.
    pub(super) fn save_certificate_in(
        &mut self,
        (consent, place): (ConsentId, Option<GateId>),
        path: &Path,
        language: Language,
        who: Actor,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let engine = self.devices.engine.engine();
        let Some(open) = self.open.as_mut() else { return Err(Failure::FaceNotOffered) };
        let certificate = open.vault.certificate_by(consent, place, who, now).map_err(failure_of)?;
        let paper = paper(&open.vault, &certificate).map_err(failure_of)?;
        let gates = open.vault.gates_ever().map_err(failure_of)?;
        let facts = open.facts.clone();
        let key = open.vault.evidence_public();
        let mut values = notice::values_for(&facts, &gates, language, &engine, None);
        values.extend(values_of(&certificate, &paper, &facts, language, now));
        let unwritten = |why: String| Failure::PaperNotWritten(why);
        let text =
            notice::render(Text::DeletionCertificate, language, &values).map_err(|e| unwritten(e.to_string()))?;
        let digest: [u8; 32] = Sha256::digest(&certificate.statement).into();
        let qr = format!("MENKA1:{}:{}", hex(&digest).to_uppercase(), hex(&key).to_uppercase());
        let pdf = crate::paper::receipt_pdf(&text, &qr).map_err(|e| unwritten(e.to_string()))?;
        std::fs::write(path, pdf).map_err(|e| unwritten(e.to_string()))?;
        std::fs::write(path.with_extension("json"), &certificate.file).map_err(|e| unwritten(e.to_string()))?;
        open.vault.record_handed(certificate.facts.id, now).map_err(failure_of)?;
        Ok(path.display().to_string())
    }
}

fn paper(vault: &Vault, certificate: &Certificate) -> Result<Paper, VaultError> {
    let facts = &certificate.facts;
    let resident = vault.resident(facts.resident)?;
    let card = vault.last_card(facts.resident)?;
    let mut switched_off = vec![];
    for step in &facts.gates {
        if let Some(entry) = vault.switch_off_since(step.gate, facts.ended_at)? {
            switched_off.push((step.gate, entry.by));
        }
    }
    Ok(Paper {
        name: resident.name.as_str().to_owned(),
        unit: resident.unit.as_str().to_owned(),
        card_last4: card.map_or_else(|| "—".into(), |uid| uid.last4()),
        operator: vault.operator().1,
        check: vault.check_no_face()?,
        switched_off,
    })
}

fn values_of(
    certificate: &Certificate,
    paper: &Paper,
    facts: &SiteFacts,
    language: Language,
    now: Timestamp,
) -> Values {
    let said = &certificate.facts;
    let pick = |chinese: &str, english: &str| match language {
        Language::Chinese => chinese.to_owned(),
        Language::English => english.to_owned(),
    };
    let between = pick("；", "; ");
    let dash = "—".to_owned();
    let mut values = Values::new();
    let mut put = |key: &str, value: String| {
        values.insert(key.to_owned(), value);
    };
    let number = hex(said.id.get(..6).unwrap_or_default()).to_uppercase();
    let supplement = said.supplement_of.map(|id| hex(id.get(..6).unwrap_or_default()).to_uppercase());
    put(
        "cert_no",
        match &supplement {
            Some(first) => {
                format!("{number}{}", pick(&format!("（补充证明，接 {first}）"), &format!(" (supplement to {first})")))
            }
            None => number,
        },
    );
    put("cert_time", said.stated_at.minute_text());
    put("person_name", paper.name.clone());
    put("unit", paper.unit.clone());
    put("card_last4", paper.card_last4.clone());
    put("consent_record_id", said.consent.to_string());
    put("ref_id_masked", format!("{}…", said.template.short()));
    put("requester_name", dash.clone());
    put("requester_relation", dash.clone());
    let why = reason(&said.reason, language);
    put(
        "delete_reason",
        match said.one_place {
            None => why,
            Some(_) => pick(
                &format!("只删下列一处（{why}），同意里的其他门照旧"),
                &format!("only the place below ({why}); the other doors of the consent go on"),
            ),
        },
    );
    put("request_time", said.ended_at.minute_text());
    let latest = pick("最迟 ", "at the latest ");
    let whole = said.is_complete();
    let blocked = said.blocked_at().minute_text();
    put("blocked_time", if whole { blocked } else { format!("{latest}{blocked}") });
    let (mut pending, mut measures) = (vec![], vec![]);
    for (row, step) in (1..).zip(&said.gates) {
        let (done_at, result, count) = match &step.state {
            GateState::Erased { at, read_back_at, .. } => {
                let read = read_back_at.minute_text();
                (at.minute_text(), pick(&format!("已无（{read} 回读）"), &format!("none left (read back {read})")), "1")
            }
            GateState::Pending(stop) => {
                pending.push(step.name.clone());
                let at = stop.stops_at().minute_text();
                measures.push(match stop {
                    Stop::Lease { contact_at, hours } => {
                        let seen = contact_at.minute_text();
                        pick(
                            &format!("{}：{seen} 后没有联系，满 {hours} 小时（{at}）自动停止人脸功能", step.name),
                            &format!("{}: no contact after {seen}; stops by itself after {hours} h ({at})", step.name),
                        )
                    }
                    Stop::SwitchedOff { .. } => {
                        let who = paper.switched_off.iter().find(|(gate, _)| *gate == step.gate);
                        let who = who.map_or("—", |(_, who)| who.as_str());
                        pick(
                            &format!("{}：{at} 由 {who} 到门前关闭人脸功能", step.name),
                            &format!("{}: switched off at the door by {who}, {at}", step.name),
                        )
                    }
                });
                (pick("尚未删除", "not yet deleted"), pick("暂时无法连接", "not reachable"), "0")
            }
        };
        put(&format!("gate_name.{row}"), step.name.clone());
        let place = if step.place.trim().is_empty() { dash.clone() } else { step.place.clone() };
        put(&format!("gate_place.{row}"), place);
        put(&format!("gate_serial.{row}"), step.gate.short());
        put(&format!("template_count.{row}"), count.to_owned());
        put(&format!("deleted_time.{row}"), done_at);
        put(&format!("readback_result.{row}"), result);
    }
    let check = &paper.check;
    put(
        "pc_check_result",
        if check.is_clean() {
            pick(&format!("未发现（查看 {} 项）", check.values), &format!("none found ({} values read)", check.values))
        } else {
            let (templates, files) = (check.templates, check.other_files);
            pick(
                &format!("疑似特征 {templates} 项、其他文件 {files} 个，正在核查"),
                &format!("{templates} value(s) and {files} other file(s) being looked into"),
            )
        },
    );
    put("pc_check_time", now.minute_text());
    for (key, fact) in
        [("entrusted_delete_result", Fact::EntrustedList), ("recipient_delete_result", Fact::RecipientList)]
    {
        let none = facts.get(fact) == fact.default_text();
        let never = pick("从未提供人脸信息", "face information was never given to them");
        put(key, if none { pick("无", "none") } else { never });
    }
    let mark = |on: bool| if on { "✓".to_owned() } else { "—".to_owned() };
    put("done_all", mark(whole));
    put("done_part", mark(!whole));
    let or_dash = |text: String| if text.is_empty() { "—".to_owned() } else { text };
    put("pending_gates", or_dash(pending.join(&pick("、", ", "))));
    put("pending_measures", or_dash(measures.join(&between)));
    let deadline = day(said.stated_at.date().plus_days(SUPPLEMENT_DAYS), language);
    put("pending_deadline", if whole { dash } else { deadline });
    let years: i64 = facts.get(Fact::EvidenceYears).trim().parse().unwrap_or(EVIDENCE_YEARS_MIN);
    let kept = said.ended_at.date().plus_days(years.max(EVIDENCE_YEARS_MIN).saturating_mul(366));
    put("evidence_end_date", day(kept, language));
    put("operator_name", paper.operator.clone());
    put("reviewer_name", "________".into());
    put("log_from", said.log_from.to_string());
    put("log_to", said.log_size.saturating_sub(1).to_string());
    values
}

fn day(day: CivilDate, language: Language) -> String {
    match language {
        Language::Chinese => day.chinese(),
        Language::English => day.to_string(),
    }
}

/// A reason's label in words of the certificate.
fn reason(label: &str, language: Language) -> String {
    let (chinese, english) = match label {
        "withdrawn" => ("撤回同意", "consent withdrawn"),
        "moved-out" => ("搬离", "moved out"),
        "term-over" => ("到期", "term over"),
        "gate-retired" => ("门禁停用", "gate out of use"),
        "correction" => ("更正重录", "correction"),
        "unlawful" => ("未依法取得同意", "no lawful consent"),
        "deceased" => ("本人身故，近亲属要求", "deceased, near relative's request"),
        "closed" => ("其他：注销", "other: record closed"),
        "not-accepted" | "capture-lost" => ("其他：录入没有完成", "other: enrolment not completed"),
        "practice-over" => ("其他：练习结束", "other: practice over"),
        "notice-changed" => ("其他：告知书变更后未重新同意", "other: changed notice not agreed to"),
        "next-age-band" => ("到期：年龄到了，改由另外的人决定", "term over: of an age at which somebody else decides"),
        "other-decider" => ("更正：应当由另外的人决定", "correction: somebody else decides"),
        "manager-left" => (
            "其他：更换物业服务单位，人脸一律删除、不移交",
            "other: the manager leaves; faces are erased, none is handed over",
        ),
        "found-erased" => ("其他：门禁机中已删除", "other: found erased at the gates"),
        _ => ("其他", "other"),
    };
    match language {
        Language::Chinese => chinese.into(),
        Language::English => english.into(),
    }
}
