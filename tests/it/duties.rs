//! The seldom duties over real gate processes: the manager leaves, an incident with its letters, papers for an audit, the daily head, and what was
//! shown, again on the own screen.

use std::path::{Path, PathBuf};
use std::time::Duration;

use menka::app::command::{Command, ResidentCommand, StaffCommand};
use menka::app::deletion::DeletionCommand;
use menka::app::duties::{
    DutiesCommand, DutiesEvent, DutyFailure, DutyPaper, IncidentCommand, IncidentTyped, IncidentView, SiteEndCommand,
    SiteEndView,
};
use menka::app::event::{Event, Failure, FieldFault, ResidentScene, StaffEvent};
use menka::app::evidence::{EvidenceCommand, EvidenceEvent};
use menka::app::guardian_desk::GuardianCommand;
use menka::app::head_due::HeadDue;
use menka::app::operators::{OperatorsCommand, OperatorsFailure};
use menka::app::pairing::{GateWords, PairingCommand};
use menka::app::rights::{RightsAct, RightsScene};
use menka::app::runner::SystemClock;
use menka::app::shown_again::{ShownAct, ShownScene};
use menka::domain::Realm;
use menka::domain::guardian::{GuardianRole, ProofSeen};
use menka::domain::id::{ResidentId, ShowingId};
use menka::domain::incident::{Channel, DataKind, IncidentFault};
use menka::domain::notice::Language;
use menka::domain::permit::Blocker;
use menka::domain::resident::AgeBand;
use menka::domain::site::Fact;
use menka::domain::time::Timestamp;
use menka::evidence::bundle;
use menka::evidence::certificate;
use menka::ports::Clock;
use menka::practice::site::{PASSPHRASE, facts};
use menka::practice::{PracticeAct, practice_card};
use menka::secret::{PairingCode, Passphrase};
use menka::vault::Vault;

use super::deletion::{NAME, Site, UNIT, enrolled, files, holds, name_of, with_card};

const CHILD: &str = "慕容小鹿";
const GUARDIAN: &str = "慕容大山";
const HOUR_MS: i64 = 3_600_000;

fn duties(site: &mut Site, command: DutiesCommand) -> Vec<StaffEvent> {
    at(site, StaffCommand::Duties(command), SystemClock.now())
}

/// A staff command at an instant, with what the staff window is told.
fn at(site: &mut Site, command: StaffCommand, now: Timestamp) -> Vec<StaffEvent> {
    let events = site.drive.desk.handle(Command::Staff(command), now);
    let told = events.iter().filter_map(|e| if let Event::Staff(event) = e { Some(event.clone()) } else { None });
    let told = told.collect();
    site.drive.hear(events);
    told
}

/// The same, once the second supervisor who is asked has approved it.
fn approved(site: &mut Site, command: DutiesCommand) -> Vec<StaffEvent> {
    let waiting = duties(site, command);
    let by = site.drive.asked.take().unwrap_or_else(|| panic!("nobody is asked: {waiting:?}"));
    assert!(!waiting.iter().any(|event| matches!(event, StaffEvent::Duties(_))), "{waiting:?}");
    let approve = OperatorsCommand::Approve(by, Passphrase::new(PASSPHRASE.into()));
    at(site, StaffCommand::Operators(approve), SystemClock.now())
}

fn site_end(told: &[StaffEvent]) -> SiteEndView {
    let found = told.iter().rev().find_map(|event| match event {
        StaffEvent::Duties(DutiesEvent::SiteEnd(Some(view))) => Some((**view).clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{told:?}"))
}

fn incidents(told: &[StaffEvent]) -> Vec<IncidentView> {
    let found = told.iter().rev().find_map(|event| match event {
        StaffEvent::Duties(DutiesEvent::Incidents(views)) => Some(views.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{told:?}"))
}

fn saved(told: &[StaffEvent]) -> u32 {
    let found = told.iter().find_map(|event| match event {
        StaffEvent::Duties(DutiesEvent::Saved(files, _)) => Some(*files),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{told:?}"))
}

fn folder(site: &Site, name: &str) -> PathBuf {
    let folder = site.folder.path().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The words of a PDF without spaces; none where the machine has no `pdftotext`.
fn words(path: &Path) -> Option<String> {
    let out = std::process::Command::new("pdftotext").arg("-raw").arg(path).arg("-").output().ok()?;
    Some(String::from_utf8(out.stdout).unwrap().chars().filter(|c| !c.is_whitespace()).collect())
}

/// Keeps a paper for looking at.
fn keep(path: &Path, name: &str) {
    if let Ok(shots) = std::env::var("MENKA_SHOTS") {
        std::fs::copy(path, Path::new(&shots).join(name)).unwrap();
    }
}

fn second_person(site: &mut Site) -> ResidentId {
    let second = site.drive.add("上官晴", "9-1910").unwrap();
    site.drive.issue(second, 1).unwrap();
    site.drive.staff(StaffCommand::CloseResident);
    site.drive.controls.act(PracticeAct::Seat(1));
    assert!(site.drive.enroll(1).unwrap(), "{:?}", site.drive.failures);
    second
}

fn logged(site: &mut Site, what: &str) -> Vec<(String, Option<String>)> {
    site.drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let vault = Vault::unlock(site.drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap();
    let records = vault.log_records(0, 10_000).unwrap();
    drop(vault);
    site.drive.unlock();
    records.into_iter().filter(|record| record.what == what).map(|record| (record.who, record.label)).collect()
}

// Shows: P22, L2-6
#[test]
fn n8_20_when_the_manager_leaves_every_face_is_erased_none_is_handed_over_and_cards_go_on() {
    let (mut site, _) = enrolled(3);
    second_person(&mut site);
    site.deliver_until("both faces everywhere", Duration::from_secs(20), |s| {
        s.gates.iter_mut().all(|gate| gate.faces().unwrap() == 2)
    });
    let vectors = site.vectors();
    assert_eq!(vectors.len(), 2 + 3 * 2, "as handed over, and as each gate keeps them");
    let keys = site.key();
    let end = |receiver: &str| DutiesCommand::SiteEnd(SiteEndCommand::End { receiver: receiver.into() });

    // Alone, or without a word on who takes the registers, nothing ends.
    duties(&mut site, end(" "));
    duties(&mut site, end("青禾苑业主委员会"));
    assert_eq!(
        site.drive.failures.split_off(0),
        [Failure::Duty(DutyFailure::Receiver), Failure::Operators(OperatorsFailure::NobodyToApprove)]
    );
    site.drive.add_colleague();
    let told = duties(&mut site, end("青禾苑业主委员会"));
    assert!(!told.iter().any(|event| matches!(event, StaffEvent::Duties(_))), "it waits for the second person");
    site.drive.deliver().unwrap();
    assert!(site.gates.iter_mut().all(|gate| gate.faces().unwrap() == 2));

    // One gate is away when the second supervisor approves.
    let address = site.gates[2].address.clone();
    site.gates[2].kill();
    site.drive.approve();
    assert_eq!(site.drive.failures, vec![]);
    site.deliver_until("two gates", Duration::from_secs(30), |s| {
        s.gates.iter_mut().take(2).all(|gate| gate.faces().unwrap() == 0)
    });

    // The program ends in the middle: what was begun goes on.
    site.drive.staff(StaffCommand::Lock);
    site.drive.unlock();
    let show = || DutiesCommand::SiteEnd(SiteEndCommand::Show);
    site.deliver_until("two signatures", Duration::from_secs(30), |s| {
        let told = duties(s, show());
        site_end(&told).gates.iter().filter(|gate| gate.left == 0).count() == 2
    });
    let view = site_end(&duties(&mut site, show()));
    assert_eq!((view.people, view.certified), (2, 0));
    let away: Vec<_> = view.gates.iter().filter(|gate| gate.left > 0).collect();
    assert_eq!(away.len(), 1);
    assert_eq!((away[0].name.clone(), away[0].left), (name_of(2), 2), "the gate that is away is named");
    assert!(away[0].stops_at.is_some_and(|at| at > SystemClock.now()), "with the end of its lease");

    // The papers as things stand: partly, never "done".
    let first = folder(&site, "first");
    let save = |folder: &Path| {
        let language = Language::Chinese;
        DutiesCommand::SiteEnd(SiteEndCommand::SavePapers { folder: folder.to_owned(), language })
    };
    assert_eq!(saved(&approved(&mut site, save(&first))), 7);
    let read = |folder: &Path, n: u32| {
        let path = folder.join(format!("certificates/{n:04}.json"));
        certificate::verify(&std::fs::read(path).unwrap(), &keys).unwrap()
    };
    for n in 1..=2 {
        let checked = read(&first, n);
        assert_eq!((checked.erased.len(), checked.pending.len()), (2, 1));
    }
    keep(&first.join("total.pdf"), "site-end-total.pdf");
    if let Some(text) = words(&first.join("total.pdf")) {
        for word in
            ["人脸信息清理总表", "青禾苑业主委员会", "不移交给任何单位和个人", "共涉及2人", "3号门", "暂时无法连接"]
        {
            assert!(text.contains(word), "{word} is missing in {text}");
        }
        assert!(!text.contains(NAME), "the total names nobody");
    }
    // Evidence and registers go over, without a face and without a name.
    for name in ["log.jsonl", "registers.json"] {
        let text = std::fs::read_to_string(first.join(name)).unwrap();
        assert!(!text.contains(NAME) && !text.contains(UNIT) && !text.contains("上官晴"), "{name} names somebody");
    }
    assert!(std::fs::read_to_string(first.join("registers.json")).unwrap().contains("none handed over"));
    for file in files(&first) {
        let bytes = std::fs::read(&file).unwrap();
        for vector in &vectors {
            assert!(!holds(&bytes, &vector[..16]), "{} holds a template", file.display());
        }
    }

    // No way back under the manager who left: not by resuming, not by a second end, not at the resident window.
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::ResumeFaces(None)));
    duties(&mut site, end("青禾苑业主委员会"));
    let left = Failure::Duty(DutyFailure::ManagerLeft);
    assert_eq!(site.drive.failures.split_off(0), [left.clone(), left]);
    site.drive.tick();
    assert!(!matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }), "{:?}", site.drive.scene);

    // The gate comes back: erased by itself, and the next papers are whole.
    site.gates[2].restart(&address).unwrap();
    site.deliver_until("the third gate", Duration::from_secs(40), |s| s.gates[2].faces().unwrap() == 0);
    site.deliver_until("its signatures", Duration::from_secs(30), |s| {
        let told = duties(s, show());
        site_end(&told).certified == 2
    });
    let second = folder(&site, "second");
    approved(&mut site, save(&second));
    for n in 1..=2 {
        let checked = read(&second, n);
        assert!(checked.is_complete() && checked.supplement_of.is_some(), "{checked:?}");
    }
    for gate in &mut site.gates {
        for card in 0..2 {
            assert!(gate.opens_for(&practice_card(card).unwrap()).unwrap(), "cards go on");
        }
    }
    assert_eq!(logged(&mut site, "manager-left").len(), 1);
    assert_eq!(logged(&mut site, "manager-papers").len(), 2);

    // Another company in the facts may take faces up again, under its own notice.
    let mut next = facts();
    next.set(Fact::ProcessorName, "清源物业服务有限公司");
    next.set(Fact::Uscc, "91310000MA1FL0AA06");
    site.drive.staff(StaffCommand::SaveFacts(next));
    site.drive.approve();
    assert!(site_end(&duties(&mut site, show())).successor);
    site.drive.failures.clear();
    site.drive.staff(StaffCommand::Deletion(DeletionCommand::ResumeFaces(None)));
    site.drive.approve();
    assert_eq!(site.drive.failures, vec![]);
}

fn typed(kinds: &[DataKind], gates: &[menka::domain::id::GateId], larger: bool, now: Timestamp) -> IncidentTyped {
    // An hour ago, but today: what happened before the day of the assessment asks for no new one.
    let hour_ago = now.plus_ms(-HOUR_MS);
    let happened_at = if hour_ago.date() == now.date() { hour_ago } else { now };
    IncidentTyped {
        happened_at: happened_at.minute_text(),
        answers: [
            "门禁机外壳被人撬开".into(),
            "防拆开关失灵，正在查".into(),
            "可能有人取走机内数据".into(),
            "已停用人脸，封存设备，报警".into(),
            "留意冒用您身份的来电".into(),
        ],
        kinds: kinds.to_vec(),
        gates: gates.to_vec(),
        larger,
    }
}

fn child(site: &mut Site) -> ResidentId {
    let now = SystemClock.now();
    site.drive.staff(StaffCommand::SaveResident {
        id: None,
        name: CHILD.into(),
        unit: "9-1911".into(),
        age_band: AgeBand::Under14,
        next_band_on: now.date().plus_days(900).to_string(),
        ends_on: now.date().plus_days(300).to_string(),
    });
    let child = site.drive.opened.as_ref().expect("the record opens").resident.id;
    site.drive.issue(child, 1).unwrap();
    child
}

// Shows: M5, NDR11, F09c
#[test]
fn p57_an_incident_stops_all_faces_writes_to_each_person_and_to_guardians_and_drafts_the_report() {
    let (mut site, _) = enrolled(1);
    let gate = site.drive.paired()[0];
    let young = child(&mut site);
    site.drive.staff(StaffCommand::CloseResident);
    assert!(site.knows(0));
    let now = SystemClock.now();
    let enter = |typed| DutiesCommand::Incident(IncidentCommand::Enter(Box::new(typed)));

    // What the law asks for is missing: nothing is entered.
    let mut short = typed(&[DataKind::Face], &[gate], false, now);
    short.answers[2].clear();
    duties(&mut site, enter(short));
    duties(&mut site, enter(typed(&[DataKind::Face], &[], false, now)));
    let mut when = typed(&[DataKind::Face], &[gate], false, now);
    when.happened_at = "昨天".into();
    duties(&mut site, enter(when));
    let faults: Vec<bool> = site
        .drive
        .failures
        .split_off(0)
        .into_iter()
        .map(|f| matches!(f, Failure::Duty(DutyFailure::Incident(_))))
        .collect();
    assert_eq!(faults, [true; 3]);
    assert!(incidents(&duties(&mut site, DutiesCommand::Incident(IncidentCommand::Show))).is_empty());

    // Entered: faces stop at once, cards go on, the two people with a face or a card there are counted, the child without a guardian is named as one.
    let told = duties(&mut site, enter(typed(&[DataKind::Face, DataKind::Openings], &[gate], true, now)));
    let view = &incidents(&told)[0];
    assert_eq!((view.people, view.minors, view.without_guardian, view.told), (2, 1, 1, 0));
    assert_eq!(view.report_by, Some(view.entered_at.plus_ms(4 * HOUR_MS)));
    assert!(!view.late && view.reports.is_empty());
    site.deliver_until("the stop", Duration::from_secs(20), |s| {
        let told = duties(s, DutiesCommand::Incident(IncidentCommand::Show));
        incidents(&told)[0].stops_waiting.is_empty()
    });
    assert_eq!(site.gates[0].ask("look 0").unwrap(), "FacesOff(Stopped)", "no face opens");
    assert!(site.gates[0].opens_for(&practice_card(0).unwrap()).unwrap(), "the card does");
    site.drive.tick();
    let blocked: Vec<Blocker> = site.drive.blockers.iter().map(|(blocker, _)| *blocker).collect();
    assert!(blocked.contains(&Blocker::ImpactAssessment), "a larger incident asks for a new assessment: {blocked:?}");

    // The guardian is found and checked.
    site.drive.add_colleague();
    site.drive.staff(StaffCommand::OpenResident(young, menka::domain::role::LookWhy::Other));
    site.drive.approve();
    let (name, phone) = (GUARDIAN.to_owned(), "138 0000 0000".to_owned());
    let (role, proof) = (GuardianRole::Father, ProofSeen::HouseholdBook);
    site.drive.staff(StaffCommand::Guardian(GuardianCommand::Check { resident: young, name, role, proof, phone }));
    site.drive.staff(StaffCommand::CloseResident);
    assert_eq!(site.drive.failures, vec![]);

    // Letters, notice, report.
    let papers = folder(&site, "letters-out");
    let letters = DutiesCommand::Incident(IncidentCommand::SaveLetters { number: 1, folder: papers.clone() });
    assert_eq!(saved(&approved(&mut site, letters)), 6);
    keep(&papers.join("report-zh-CN.pdf"), "incident-report.pdf");
    keep(&papers.join("letters/0001.pdf"), "incident-letter.pdf");
    let both: Vec<String> = (1..=2).filter_map(|n| words(&papers.join(format!("letters/{n:04}.pdf")))).collect();
    if both.len() == 2 {
        let grown = both.iter().find(|text| text.contains(NAME)).expect("the adult's letter");
        let childs = both.iter().find(|text| text.contains(CHILD)).expect("the child's letter");
        assert!(grown.contains("您的人脸已停用") && grown.contains("人脸特征") && !grown.contains("监护人"), "{grown}");
        assert!(childs.contains(&format!("{CHILD}（及监护人{GUARDIAN}）")), "{childs}");
        assert!(childs.contains("您没有录入人脸") && childs.contains("门禁卡照常有效"), "{childs}");
        for text in &both {
            for said in
                ["门禁机外壳被人撬开", "防拆开关失灵", "可能有人取走机内数据", "封存设备", "留意冒用您身份的来电"]
            {
                assert!(text.contains(said), "{said} is missing in {text}");
            }
        }
        let report = words(&papers.join("report-zh-CN.pdf")).unwrap();
        for said in ["涉及2人，其中未成年人1人", "较大以上", "12387", "最迟报告时间", "需要重新评估"]
        {
            assert!(report.contains(said), "{said} is missing in {report}");
        }
        let public = words(&papers.join("public-notice-zh-CN.pdf")).unwrap();
        assert!(!public.contains(NAME) && !public.contains(CHILD), "the public notice names nobody");
    }

    // The clock: after four hours without a report it is late; a report ends that.
    let later = SystemClock.now().plus_ms(4 * HOUR_MS + 60_000);
    at(&mut site, StaffCommand::Operators(OperatorsCommand::Awake), later);
    assert!(
        incidents(&at(&mut site, StaffCommand::Duties(DutiesCommand::Incident(IncidentCommand::Show)), later))[0].late
    );
    let reported = |to: &str| DutiesCommand::Incident(IncidentCommand::Reported { number: 1, to: to.into() });
    duties(&mut site, reported("  "));
    assert_eq!(site.drive.failures.split_off(0), [Failure::Duty(DutyFailure::Incident(IncidentFault::To))]);
    duties(&mut site, reported("区网信办 2026-118"));
    let told = duties(&mut site, DutiesCommand::Incident(IncidentCommand::Told { number: 1, how: Channel::Letter }));
    let view = &incidents(&told)[0];
    assert_eq!((view.told, view.reports[0].1.as_str(), view.late), (2, "区网信办 2026-118", false));
    // Each person's own log says so.
    let said = logged(&mut site, "incident-told");
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|(_, how)| how.as_deref() == Some("by-letter")));
    assert_eq!(logged(&mut site, "incident-concerns").len(), 2);
}

// Shows: F14b
#[test]
fn p54_the_audit_pack_and_the_controls_sheet_say_the_state_of_the_station_and_name_nobody() {
    let (mut site, _) = enrolled(1);
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.tap_card(0).unwrap();
    site.drive.resident(ResidentCommand::ConfirmWithdraw);
    site.deliver_until("the erasure", Duration::from_secs(20), |s| s.gates[0].faces().unwrap() == 0);
    site.drive.deliver().unwrap();
    site.drive.tick();
    let papers = folder(&site, "audit");
    let save = |paper: DutyPaper, language, name: &str| {
        let path = papers.join(name);
        DutiesCommand::SavePaper { paper, language, path }
    };
    assert_eq!(saved(&duties(&mut site, save(DutyPaper::Audit, Language::Chinese, "audit.pdf"))), 2);
    assert_eq!(saved(&duties(&mut site, save(DutyPaper::Controls, Language::Chinese, "controls.pdf"))), 1);
    for language in [Language::Chinese, Language::English] {
        for (paper, name) in [(DutyPaper::Audit, "audit"), (DutyPaper::Controls, "controls")] {
            let name = format!("{name}-{}.pdf", language.tag());
            duties(&mut site, save(paper, language, &name));
            assert!(std::fs::read(papers.join(&name)).unwrap().starts_with(b"%PDF-"));
            keep(&papers.join(&name), &name);
        }
    }
    assert_eq!(site.drive.failures, vec![]);
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(papers.join("audit.json")).unwrap()).unwrap();
    let value = |key: &str| json["values"][key].as_str().unwrap_or_else(|| panic!("{key} is missing")).to_owned();
    for (key, expected) in [
        ("audit_consents", "1"),
        ("audit_in_force", "0"),
        ("audit_refusals", "0"),
        ("audit_endings_open", "0"),
        ("audit_orphans", "0"),
        ("audit_certificates", "1"),
        ("audit_gates", "1"),
        ("audit_accounts", "1"),
        ("audit_log_state", "是"),
        ("audit_log_faults", "0"),
        ("audit_no_face", "是"),
        ("audit_incidents", "0"),
    ] {
        assert_eq!(value(key), expected, "{key}");
    }
    assert!(value("audit_endings").contains("撤回") && value("audit_erase_longest").contains('.'));
    assert!(value("audit_log_records").parse::<u32>().unwrap() > 20);
    let text = json.to_string();
    for name in [NAME, UNIT, menka::practice::site::OPERATOR] {
        assert!(!text.contains(name), "{name}");
    }
    if let Some(text) = words(&papers.join("controls.pdf")) {
        for said in ["7.1.4.3安全审计", "核对完好：是", "GB/T22239-2019", "外部路由"] {
            assert!(text.contains(said), "{said} is missing in {text}");
        }
        assert!(!text.contains(NAME));
    }
    assert_eq!(logged(&mut site, "audit-papers").len(), 6);
}

fn heads(told: &[StaffEvent]) -> Option<Option<HeadDue>> {
    told.iter().rev().find_map(|event| match event {
        StaffEvent::Evidence(EvidenceEvent::HeadDue(due)) => Some(*due),
        _ => None,
    })
}

// Shows: P69
#[test]
fn the_paper_head_is_asked_for_once_a_day_and_skipped_days_are_said() {
    let (mut site, _) = with_card(1);
    let unlock = || {
        let passphrase = Passphrase::new(PASSPHRASE.into());
        StaffCommand::Unlock { account: None, passphrase }
    };
    let now = SystemClock.now();
    site.drive.staff(StaffCommand::Lock);
    let due = heads(&at(&mut site, unlock(), now)).expect("told at unlock");
    assert_eq!(due, Some(HeadDue { last_on: None, skipped: 0 }));
    let head = folder(&site, "heads").join("head.pdf");
    let told = at(&mut site, StaffCommand::Evidence(EvidenceCommand::SaveHead(head.clone())), now);
    assert_eq!(heads(&told), Some(None), "done for today");
    assert!(std::fs::read(head).unwrap().starts_with(b"%PDF-"));
    site.drive.staff(StaffCommand::Lock);
    assert_eq!(heads(&at(&mut site, unlock(), now.plus_ms(HOUR_MS / 60))), Some(None), "nobody is asked twice");
    // Four days later, three of them without one.
    let later = now.plus_ms(4 * 24 * HOUR_MS);
    at(&mut site, StaffCommand::Lock, later);
    let due = heads(&at(&mut site, unlock(), later)).expect("told at unlock").expect("due");
    assert_eq!((due.last_on, due.skipped), (Some(now.date()), 3));
}

fn shown(site: &Site) -> ShownScene {
    match &site.drive.scene {
        ResidentScene::Rights(RightsScene::Shown(scene)) => scene.clone(),
        other => panic!("{other:?}; {:?}", site.drive.failures),
    }
}

// Shows: P69, J06
#[test]
fn p17d_the_own_card_shows_again_what_was_shown_byte_for_byte_and_takes_it_home() {
    let (mut site, _) = with_card(1);
    site.drive
        .until("face entry", Duration::from_secs(20), |d| {
            matches!(d.scene, ResidentScene::Idle { face_offered: true, .. })
        })
        .unwrap();
    site.drive.ask_for_face(0).unwrap();
    let ResidentScene::Notice { text, .. } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    let exact = text.markdown.clone();
    site.drive.resident(ResidentCommand::NoticeReachedEnd);
    site.drive.resident(ResidentCommand::Stop);
    site.drive.resident(ResidentCommand::Back);

    let act = |site: &mut Site, act: RightsAct| site.drive.resident(ResidentCommand::Rights(act));
    // Without the own card there is no list.
    act(&mut site, RightsAct::Shown(ShownAct::List));
    assert!(!matches!(site.drive.scene, ResidentScene::Rights(_)), "{:?}", site.drive.scene);
    act(&mut site, RightsAct::AskMine);
    site.drive.tap_card(0).unwrap();
    act(&mut site, RightsAct::Shown(ShownAct::List));
    let ShownScene::List(rows) = shown(&site) else { panic!("{:?}", site.drive.scene) };
    assert_eq!(rows.len(), 1);
    assert!(rows[0].read_to_end);
    act(&mut site, RightsAct::Shown(ShownAct::Again(rows[0].showing)));
    let ShownScene::Again { shown: again, saved_to: None } = shown(&site) else { panic!("{:?}", site.drive.scene) };
    assert_eq!(again.text.markdown, exact, "to the last byte");
    assert!(!again.consented);

    // Taken home: a stranger checks it with the station's public key.
    let path = folder(&site, "home").join("shown.json");
    act(&mut site, RightsAct::Shown(ShownAct::Save(path.clone())));
    assert!(matches!(shown(&site), ShownScene::Again { saved_to: Some(_), .. }));
    // A folder that is not there ends nothing: the text stays.
    let nowhere = site.folder.path().join("none/shown.json");
    act(&mut site, RightsAct::Shown(ShownAct::Save(nowhere)));
    assert!(matches!(shown(&site), ShownScene::Again { saved_to: None, .. }));
    assert!(matches!(site.drive.failures.pop(), Some(Failure::PaperNotWritten(_))));
    // In the other language of the window the text stays as it was shown.
    site.drive.resident(ResidentCommand::Language(Language::English));
    let ShownScene::Again { shown: again, .. } = shown(&site) else { panic!("{:?}", site.drive.scene) };
    assert_eq!(again.text.markdown, exact);
    // Somebody else's text is not shown: the list comes instead.
    act(&mut site, RightsAct::Shown(ShownAct::Again(ShowingId::from_bytes([9; 16]))));
    assert!(matches!(shown(&site), ShownScene::List(_)));
    let bytes = std::fs::read(&path).unwrap();
    let key = site.key().station;
    assert_eq!(bundle::verify(&bytes, &key).unwrap().text, exact);
    let mut changed = bytes.clone();
    let at = changed.len() / 2;
    changed[at] ^= 1;
    assert!(bundle::verify(&changed, &key).is_err(), "one changed character is refused");
    let said = logged(&mut site, "shown-again");
    assert!(!said.is_empty() && said.iter().all(|(who, _)| who.starts_with("resident:")), "{said:?}");
}

#[test]
fn f13b_a_gate_in_a_changing_room_is_not_paired() {
    let (mut site, _) = with_card(1);
    let words = GateWords {
        name: "泳池门".into(),
        place: "女更衣室内".into(),
        capture_area: "门前1米".into(),
        other_way: "刷卡".into(),
        why_needed: "无".into(),
    };
    let address = site.gates[0].address.clone();
    let code = PairingCode::parse("12345678");
    site.drive.staff(StaffCommand::Pairing(PairingCommand::Pair { words, address, code }));
    assert_eq!(site.drive.failures.split_off(0), [Failure::Field(FieldFault::PrivateRoom)]);
}
