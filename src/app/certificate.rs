//! The deletion certificate as a paper: the text of part 5 filled from what was signed, the PDF with its QR code, and beside it the file for
//! `menka-verify`. Rules: P15, P47a, P47b, K1-10.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::desk::{Desk, failure_of};
use super::event::Failure;
use crate::domain::audit::Actor;
use crate::domain::gate::GateStatus;
use crate::domain::guardian::Decider;
use crate::domain::id::{ConsentId, GateId};
use crate::domain::notice::Language;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::certificate::{CertificateFacts, GateState, Stop};
use crate::evidence::hex;
use crate::notice::{self, Text, Values};
use crate::vault::{Certificate, FaceCheck, SwitchOff, Vault, VaultError};

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
    /// Gates that were switched off by hand, with when and who, as entered.
    switched_off: Vec<SwitchOff>,
    /// Gates that signed that they hold the face, then or now.
    held: Vec<GateId>,
    /// Gates that nobody has found away: what they are to erase is on its way, and their receipt has not come yet.
    waiting: Vec<GateId>,
    /// Who asked, where it was not the person: name and relation.
    requester: Option<(String, String)>,
}

/// Longest time between a request on somebody's behalf and the ending that it led to, in days.
const REQUEST_DAYS: i64 = 31;
/// Reasons that somebody asks for.
const ASKED_FOR: [&str; 4] = ["withdrawn", "moved-out", "unlawful", "closed"];

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
        // Whoever had the staff window last may be gone long since.
        let alone = self.is_curtained() && matches!(who, Actor::Resident(_));
        let Some(open) = self.open.as_mut() else { return Err(Failure::FaceNotOffered) };
        let certificate = open.vault.certificate_by(consent, place, who, now).map_err(failure_of)?;
        let mut paper = paper(&open.vault, &certificate, language).map_err(failure_of)?;
        if alone {
            paper.operator = by_themselves(language);
        }
        paper.waiting = not_away(&open.vault, &open.shared.gates().0).map_err(failure_of)?;
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

/// Who asked for the ending, where it was not the person: the near relative, whoever asked on the person's behalf by the register, or the
/// guardian who decides, where staff entered what was said at the desk or on the telephone. Their own card is the person's own act.
fn requester(
    vault: &Vault,
    facts: &CertificateFacts,
    language: Language,
) -> Result<Option<(String, String)>, VaultError> {
    if facts.reason == "deceased" {
        return Ok(vault.death(facts.resident)?.map(|death| (death.kin, death.relation)));
    }
    if !ASKED_FOR.contains(&facts.reason.as_str()) {
        return Ok(None);
    }
    let since = facts.ended_at.plus_ms(-REQUEST_DAYS * 86_400_000);
    if let Some((no, asker)) = vault.asked_for(facts.resident, since, facts.ended_at)? {
        let on_register = match language {
            Language::Chinese => format!("见登记 {no}"),
            Language::English => format!("as on the register, {no}"),
        };
        return Ok(Some((asker, on_register)));
    }
    let decides = vault.consent_given_by(facts.consent)?;
    let entered = vault.log_records(facts.log_from, 1)?.first().is_some_and(|record| record.who.starts_with("staff:"));
    if !entered || !matches!(decides, Decider::ChildsGuardian | Decider::WardsGuardian) {
        return Ok(None);
    }
    let guardian = vault.current_guardian(facts.resident)?;
    Ok(guardian.map(|g| (g.name.as_str().to_owned(), notice::guardian_role(g.role, language).to_owned())))
}

/// In the place of whoever of the desk handled it, where nobody of the desk was there: the person did, on the window of their own.
fn by_themselves(language: Language) -> String {
    match language {
        Language::Chinese => "本人自助办理".into(),
        Language::English => "the person, by themselves".into(),
    }
}

/// Gates that answered when they were asked last, and those in use that were not asked yet. A gate out of use that nobody meets is away.
fn not_away(vault: &Vault, seen: &[GateStatus]) -> Result<Vec<GateId>, VaultError> {
    let asked = |id: GateId| seen.iter().find(|status| status.id == id);
    let mut waiting: Vec<GateId> = seen.iter().filter(|status| status.reachable).map(|status| status.id).collect();
    waiting.extend(vault.gates()?.iter().map(|gate| gate.id).filter(|id| asked(*id).is_none()));
    Ok(waiting)
}

fn paper(vault: &Vault, certificate: &Certificate, language: Language) -> Result<Paper, VaultError> {
    let facts = &certificate.facts;
    let resident = vault.resident(facts.resident)?;
    let card = vault.last_card(facts.resident)?;
    let mut switched_off = vec![];
    for step in &facts.gates {
        switched_off.extend(vault.switch_off_since(step.gate, facts.ended_at)?);
    }
    Ok(Paper {
        name: resident.name.as_str().to_owned(),
        unit: resident.unit.as_str().to_owned(),
        card_last4: card.map_or_else(|| "—".into(), |uid| uid.last4()),
        operator: vault.operator().1,
        check: vault.check_no_face()?,
        switched_off,
        held: vault.held_ever(facts.consent)?,
        waiting: vec![],
        requester: requester(vault, facts, language)?,
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
    let (name, relation) = paper.requester.clone().unwrap_or_else(|| (dash.clone(), dash.clone()));
    put("requester_name", name);
    put("requester_relation", relation);
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
    put(
        "blocked_time",
        match said.blocked_at() {
            Some(at) if whole => at.minute_text(),
            Some(at) => format!("{latest}{}", at.minute_text()),
            None => pick("尚未在每道门停止（见四）", "not yet at every door (see 4)"),
        },
    );
    let (mut pending, mut measures) = (vec![], vec![]);
    for (row, step) in (1..).zip(&said.gates) {
        let (done_at, result, count) = match &step.state {
            GateState::Erased { at, read_back_at, .. } => {
                let read = read_back_at.minute_text();
                let count = if paper.held.contains(&step.gate) { "1" } else { "0" };
                (
                    at.minute_text(),
                    pick(&format!("已无（{read} 回读）"), &format!("none left (read back {read})")),
                    count,
                )
            }
            GateState::Pending(stop) => {
                let answers = matches!(stop, Stop::Frozen { .. } | Stop::Refused { .. });
                let waits = matches!(stop, Stop::Lease { .. }) && paper.waiting.contains(&step.gate);
                pending.push(if answers {
                    pick(
                        &format!("{}（有回应，没有删除）", step.name),
                        &format!("{} (answers and has not erased)", step.name),
                    )
                } else if waits {
                    pick(
                        &format!("{}（正在发送，尚未收到回执）", step.name),
                        &format!("{} (being sent, no receipt yet)", step.name),
                    )
                } else {
                    step.name.clone()
                });
                let at = stop.stops_at().map(Timestamp::minute_text).unwrap_or_default();
                measures.push(match stop {
                    Stop::Lease { contact_at, hours } if waits => {
                        let seen = contact_at.minute_text();
                        pick(
                            &format!("{}：{seen} 后如果没有联系，满 {hours} 小时（{at}）自动停止人脸功能", step.name),
                            &format!(
                                "{}: if there is no contact after {seen}, stops by itself after {hours} h ({at})",
                                step.name
                            ),
                        )
                    }
                    Stop::Lease { contact_at, hours } => {
                        let seen = contact_at.minute_text();
                        pick(
                            &format!("{}：{seen} 后没有联系，满 {hours} 小时（{at}）自动停止人脸功能", step.name),
                            &format!("{}: no contact after {seen}; stops by itself after {hours} h ({at})", step.name),
                        )
                    }
                    Stop::SwitchedOff { .. } => {
                        let entry = paper.switched_off.iter().find(|entry| entry.gate == step.gate);
                        let who = entry.map_or("—", |entry| entry.by.as_str());
                        let at = entry.map_or(at, |entry| entry.at.minute_text());
                        pick(
                            &format!("{}：{at} 由 {who} 到门前关闭人脸功能", step.name),
                            &format!("{}: switched off at the door by {who}, {at}", step.name),
                        )
                    }
                    Stop::Frozen { .. } => pick(
                        &format!("{}：{at} 起不再比对这组人脸特征（有门禁机签名）", step.name),
                        &format!("{}: does not match this template since {at} (signed by the gate)", step.name),
                    ),
                    Stop::Refused { .. } => pick(
                        &format!("{}：尚未停用，将派人到门前关闭人脸功能", step.name),
                        &format!("{}: not stopped yet; somebody goes there to switch faces off", step.name),
                    ),
                });
                let result = if answers {
                    pick("有回应，没有删除", "answers, has not erased")
                } else if waits {
                    pick("正在发送，尚未收到回执", "being sent, no receipt yet")
                } else {
                    pick("暂时无法连接", "not reachable")
                };
                (pick("尚未删除", "not yet deleted"), result, "0")
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
    let years = years.max(EVIDENCE_YEARS_MIN);
    let soonest = day(said.ended_at.date().plus_days(years.saturating_mul(366)), language);
    // Not a day: who stays a resident keeps a record with a card, and the term runs from its end and from the last thing done for this person.
    put(
        "evidence_end_date",
        pick(
            &format!("您的住户登记结束、最后一次为您办理满 {years} 年之日（不早于 {soonest}）"),
            &format!(
                "{years} years after your resident record has ended and the last thing was done for you (not before {soonest})"
            ),
        ),
    );
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::domain::Realm;
    use crate::domain::id::{OpId, ResidentId, SiteId, TemplateId};
    use crate::evidence::certificate::GateStep;

    const AT: Timestamp = Timestamp::from_ms(1_795_320_000_000);

    fn step(n: u8, state: GateState) -> GateStep {
        let (gate, name) = (GateId::from_bytes([n; 16]), format!("{n}号门"));
        GateStep { gate, name, place: "外".into(), sign_key: [n; 32], state, heard: None }
    }

    fn erased(n: u8) -> GateStep {
        let (op, at) = (OpId::from_bytes([n; 16]), AT.plus_ms(60_000));
        step(n, GateState::Erased { op, sequence: 1, at, read_back_at: at, receipt: vec![] })
    }

    fn certificate(gates: Vec<GateStep>) -> Certificate {
        let facts = CertificateFacts {
            id: [0xAB; 16],
            supplement_of: None,
            consent: ConsentId::from_bytes([1; 16]),
            resident: ResidentId::from_bytes([2; 16]),
            template: TemplateId::from_bytes([3; 16]),
            site: SiteId::from_bytes([4; 16]),
            realm: Realm::Real,
            reason: "withdrawn".into(),
            ended_at: AT,
            stated_at: AT,
            one_place: None,
            gates,
            log_from: 3,
            log_size: 9,
            log_root: [0; 32],
        };
        Certificate { facts, file: vec![], statement: vec![], handed_at: None }
    }

    fn words(certificate: &Certificate, held: Vec<GateId>, requester: Option<(String, String)>) -> Values {
        words_of(certificate, |paper| (paper.held, paper.requester) = (held, requester))
    }

    fn words_of(certificate: &Certificate, with: impl FnOnce(&mut Paper)) -> Values {
        let check = FaceCheck { values: 9, templates: 0, other_files: 0 };
        let mut paper = Paper {
            name: "王小明".into(),
            unit: "3-1201".into(),
            card_last4: "1234".into(),
            operator: "小李".into(),
            check,
            switched_off: vec![],
            held: vec![],
            waiting: vec![],
            requester: None,
        };
        with(&mut paper);
        values_of(certificate, &paper, &SiteFacts::default(), Language::English, AT)
    }

    #[test]
    fn p47_a_template_is_counted_where_the_gate_signed_that_it_held_one() {
        let certificate = certificate(vec![erased(1), erased(2)]);
        let values = words(&certificate, vec![GateId::from_bytes([1; 16])], None);
        assert_eq!((values["template_count.1"].as_str(), values["template_count.2"].as_str()), ("1", "0"));
        assert!(values["readback_result.2"].contains("none left"), "it was asked all the same");
        assert_eq!((values["requester_name"].as_str(), values["requester_relation"].as_str()), ("—", "—"));
        let asked = words(&certificate, vec![], Some(("王芳".into(), "mother".into())));
        assert_eq!((asked["requester_name"].as_str(), asked["requester_relation"].as_str()), ("王芳", "mother"));
    }

    #[test]
    fn p47b_the_paper_tells_a_gate_that_is_away_from_one_that_answers() {
        let away = step(2, GateState::Pending(Stop::Lease { contact_at: AT, hours: 24 }));
        let frozen = Stop::Frozen { op: OpId::from_bytes([5; 16]), sequence: 7, at: AT.plus_ms(120_000) };
        let values =
            words(&certificate(vec![erased(1), away.clone(), step(3, GateState::Pending(frozen))]), vec![], None);
        assert!(values["pending_gates"].contains("3号门 (answers and has not erased)"), "{}", values["pending_gates"]);
        assert!(values["pending_gates"].contains("2号门,"), "{}", values["pending_gates"]);
        assert_eq!(values["readback_result.2"], "not reachable");
        assert_eq!(values["readback_result.3"], "answers, has not erased");
        assert!(values["pending_measures"].contains("2号门: no contact after"), "{}", values["pending_measures"]);
        assert!(values["pending_measures"].contains("3号门: does not match this template since"));
        assert!(values["blocked_time"].starts_with("at the latest "), "{}", values["blocked_time"]);

        // One that nobody has found away is not called so.
        let waiting = vec![GateId::from_bytes([2; 16])];
        let sent = words_of(&certificate(vec![erased(1), away.clone()]), |paper| paper.waiting = waiting);
        assert_eq!(sent["readback_result.2"], "being sent, no receipt yet");
        assert_eq!(sent["pending_gates"], "2号门 (being sent, no receipt yet)");
        assert!(sent["pending_measures"].starts_with("2号门: if there is no contact after"));
        assert_eq!((sent["done_part"].as_str(), sent["deleted_time.2"].as_str()), ("✓", "not yet deleted"));

        let refused = step(3, GateState::Pending(Stop::Refused { contact_at: AT }));
        let values = words(&certificate(vec![erased(1), away, refused]), vec![], None);
        assert_eq!(values["blocked_time"], "not yet at every door (see 4)");
        assert!(values["pending_measures"].contains("3号门: not stopped yet"), "{}", values["pending_measures"]);
        assert_eq!((values["done_all"].as_str(), values["done_part"].as_str()), ("—", "✓"));
    }
}
