//! The notice at a site, end to end: texts that cannot change unseen, every item of the law in them, versions, the assessment, signs, papers.
//! Real gates, vault, TLS and engine; only camera and card reader are practice devices.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use menka::app::command::{Command, ResidentCommand, StaffCommand};
use menka::app::event::{Event, Failure, ResidentScene, StaffEvent};
use menka::app::notice::{ChangeAnswer, NoticeCommand, NoticeEvent, NoticeFailure, NoticeView, Paper, SignState};
use menka::app::operators::OperatorsCommand;
use menka::app::pairing::{GateWords, PairingCommand};
use menka::app::runner::SystemClock;
use menka::domain::assessment::Standing;
use menka::domain::change::Part;
use menka::domain::id::{GateId, ResidentId};
use menka::domain::notice::Language;
use menka::domain::permit::{Blocker, Condition};
use menka::domain::site::{Fact, SiteFacts};
use menka::domain::time::Timestamp;
use menka::face::{self, EngineKind};
use menka::notice::{self, Source, Text, blocks, placeholder, plain, render};
use menka::ports::Clock;
use menka::practice::drive::Drive;
use menka::practice::site::GateProcess;
use menka::practice::{PracticeAct, people, practice_card, site as practice};
use menka::secret::PairingCode;
use sha2::{Digest, Sha256};

use super::day::{gate_program, models, pictures};
use super::notice::all_values;

const BOTH: [Language; 2] = [Language::Chinese, Language::English];

// ---- the texts ----

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/notices")
}

/// Path under `assets/notices`, and the bytes with LF line ends.
fn files() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for language in BOTH {
        for entry in std::fs::read_dir(assets().join(language.tag())).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{}/{}", language.tag(), path.file_name().unwrap().to_string_lossy());
            found.insert(name, std::fs::read_to_string(path).unwrap().replace("\r\n", "\n"));
        }
    }
    found
}

#[test]
fn p17a_no_character_of_a_text_changes_without_a_new_version() {
    let pins = std::fs::read_to_string(assets().join("pins.txt")).unwrap();
    let mut pinned = BTreeMap::new();
    for line in pins.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let [path, version, digest] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        let earlier = pinned.insert((path.to_owned(), version.to_owned()), digest.to_owned());
        assert_eq!(earlier, None, "{path} {version} is pinned twice: raise the version");
    }
    let mut missing = vec![];
    for (path, raw) in files() {
        let version = raw.lines().find_map(|line| line.strip_prefix("version: ")).expect("a version").to_owned();
        let digest: String = Sha256::digest(raw.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        match pinned.get(&(path.clone(), version.clone())) {
            Some(known) => assert_eq!(*known, digest, "{path} changed: raise its version, then pin it in pins.txt"),
            None => missing.push(format!("{path} {version} {digest}")),
        }
    }
    assert!(missing.is_empty(), "not pinned yet; add to pins.txt:\n{}", missing.join("\n"));
}

#[test]
fn p17a_every_placeholder_of_every_text_is_in_the_table_and_none_is_idle() {
    // The texts of the notice and its papers. A paper that lists what is held takes its values from the columns of the vault, one by one; its
    // own test walks those.
    let texts = [
        "assessment",
        "camera-hint",
        "change",
        "change-sheet",
        "change-told",
        "children",
        "consent",
        "deletion-certificate",
        "entrusted-end",
        "guardian-consent",
        "guardian-informed",
        "incident",
        "notice",
        "other-ways",
        "provision",
        "receipt",
        "refusal-reply",
        "refused",
        "sign",
        "ward",
        "withdraw",
    ];
    let is_of_the_notice = |path: &str| texts.iter().any(|text| path.ends_with(&format!("/{text}.md")));
    let mut used = BTreeSet::new();
    for (path, raw) in files().into_iter().filter(|(path, _)| is_of_the_notice(path)) {
        for name in notice::placeholders(&raw) {
            assert!(placeholder(&name).is_some(), "{path}: {{{name}}} is in no table");
            used.insert(name);
        }
    }
    for fact in Fact::ALL {
        assert!(used.contains(fact.key()), "{fact:?} stands in no text");
        assert_eq!(placeholder(fact.key()).map(|known| known.source), Some(Source::Site(*fact)));
    }
    // Words that staff type are few and known (†); a receiver's fields are filled nowhere, since there is none.
    let typed: Vec<&str> = used
        .iter()
        .map(String::as_str)
        .filter(|name| placeholder(name).is_some_and(|p| p.typed && !matches!(p.source, Source::Site(_))))
        .collect();
    let expected = [
        "cause",
        "child_view",
        "entrusted_delete_result",
        "incident_what",
        "legal_basis",
        "measures_taken",
        "pia_effect",
        "pia_lawful",
        "pia_necessity",
        "pia_risk",
        "pia_safeguards",
        "possible_harm",
        "recipient_delete_result",
        "refusal_reason",
        "refused_part",
        "self_help",
        "ward_view",
    ];
    assert_eq!(typed, expected);
}

#[test]
fn a_value_that_would_drown_its_text_counts_as_missing() {
    let mut values = all_values(Language::Chinese);
    values.insert("pia_risk".into(), "险".repeat(2_001));
    assert_eq!(render(Text::Assessment, Language::Chinese, &values).unwrap_err().0, ["pia_risk"]);
    values.insert("pia_risk".into(), "险".repeat(2_000));
    assert!(render(Text::Assessment, Language::Chinese, &values).is_ok());
}

/// The sections of a rendered text: what stands before the first heading is number 0.
fn sections(markdown: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for line in markdown.lines() {
        if line.starts_with("## ") {
            out.push(String::new());
        }
        out.last_mut().unwrap().push_str(line);
        out.last_mut().unwrap().push('\n');
    }
    out.iter().map(|section| plain(section)).collect()
}

// Shows: P20, J02-2, F05a, NDR21b, NDR21d
#[test]
fn p17a_every_item_of_the_law_is_in_the_rendered_notice_where_it_belongs() {
    // Article and item, section of the notice, words in Chinese and in English. P17 = PIPL 17, P30 = PIPL 30, M5 = Measures 5, N21 = NDR 21.
    let items: &[(&str, usize, &[&str], &[&str])] = &[
        (
            "P17(1)(一) name and contact; M5(一); N21(一)",
            1,
            &["青禾物业服务有限公司", "91310000MA1K000000", "021-5550100", "privacy@example.cn", "周敏"],
            &["91310000MA1K000000", "021-5550100", "周敏"],
        ),
        (
            "P17(1)(二) purpose; M5(二); N21(二)",
            4,
            &["只有一个目的"],
            &["your gate recognises you", "recognises you and opens"],
        ),
        ("P17(1)(二) method; M5(二)", 5, &["换算成人脸特征", "比对"], &["computes the template", "compares"]),
        (
            "P17(1)(二) kinds; N21(二)",
            3,
            &["拍摄时的画面", "人脸特征（一组加密数字）", "开门记录", "30 天"],
            &["live frames", "face template", "opening record", "30 days"],
        ),
        (
            "P17(1)(二) term of the face, apart from other terms; M5(二); N21(三)",
            8,
            &["2027年11月21日", "依据是"],
            &["2027-11-21", "under this rule"],
        ),
        (
            "N21(三) what happens after the term",
            8,
            &["程序自动从全部门禁机里删除", "我们不会自行延长"],
            &["automatic in all gates", "we never extend by ourselves"],
        ),
        (
            "N21(三) terms of everything else",
            3,
            &["处理结束后 3 年", "不少于 6 个月", "退卡或者搬离后三十日内删除"],
            &["3 years after processing ends", "at least 6 months"],
        ),
        (
            "P17(1)(三) rights and ways; M5(四); N21(四)",
            11,
            &[
                "撤回同意、删除人脸",
                "查阅、复制",
                "更正、补充",
                "转移",
                "限制或者拒绝处理",
                "注销",
                "要求解释",
                "亲属身故",
                "15 个工作日",
            ],
            &[
                "withdraw, delete",
                "see and copy",
                "correct, complete",
                "transfer",
                "restrict or refuse",
                "close the record",
                "explained",
                "after a death",
                "15 working days",
            ],
        ),
        (
            "P17(1)(四) other: complaint and court",
            15,
            &["12377", "110", "12345", "人民法院", "10 日内"],
            &["12377", "110", "12345", "people's court", "10 days"],
        ),
        (
            "P30 necessity; M5(三); P28",
            7,
            &["部分老人双手提物", "PIA-2026-01", "2026-11-01"],
            &["部分老人双手提物", "PIA-2026-01"],
        ),
        (
            "P30 effect on rights; M5(三)",
            7,
            &["人脸与您终身相连", "结合本处的情况", "两道门都在小区内部"],
            &["stays with you for life", "Here in particular", "两道门都在小区内部"],
        ),
        ("M5(三) what reduces it", 7, &["不留照片；不集中存放"], &["no photos; no central store"]),
        ("P20 joint processors", 1, &["共同处理者：无", "任何一方"], &["Joint processors: none", "any of them"]),
        (
            "N21(2) list of receivers; P21, P23",
            10,
            &["受托方", "：无。", "提供给其他单位或者个人"],
            &["Entrusted parties", ": none.", "Other recipients"],
        ),
        ("P14(2), P17(2) changes; M5(2)", 14, &["变更部分", "单独同意"], &["told separately", "new separate consent"]),
        ("P16, M10 no face needed", 2, &["刷门禁卡", "不会反复劝您"], &["opens by card", "not keep asking"]),
        ("P31, N21(2) children's own rules", 12, &["专门的规则"], &["special rules"]),
        ("P57 incidents", 13, &["可能的危害", "怎样联系我们"], &["possible harm", "how to reach us"]),
        (
            "M13 gates, capture area, other way, need",
            6,
            &["东门", "门前一米以内", "刷卡，值班人员核对", "推婴儿车"],
            &["东门", "门前一米以内"],
        ),
        ("P17(3) public and kept", 17, &["任何人可以查阅", "校验码"], &["Open to anyone", "Check code"]),
    ];
    for language in BOTH {
        let text = render(Text::Notice, language, &all_values(language)).unwrap().markdown;
        let sections = sections(&text);
        assert_eq!(sections.len(), 18);
        for (item, section, chinese, english) in items {
            let words = match language {
                Language::Chinese => *chinese,
                Language::English if *section == 4 => &english[1..],
                Language::English => *english,
            };
            for word in words {
                assert!(sections[*section].contains(word), "{item}: {word:?} is not in {}", sections[*section]);
            }
        }
        // N21(2): the two lists are tables or stand in the section of their own; the summary warns in bold (P30, M5).
        let tables = blocks(&text).iter().filter(|b| matches!(b, notice::Block::Table(..))).count();
        assert_eq!(tables, 3);
    }
}

#[test]
fn ndr21c_all_nine_rights_stand_in_the_notice_each_with_a_way() {
    let text = render(Text::Notice, Language::Chinese, &all_values(Language::Chinese)).unwrap().markdown;
    let parsed = blocks(&text);
    let mut rights =
        parsed.iter().filter_map(|b| if let notice::Block::Table(head, rows) = b { Some((head, rows)) } else { None });
    let (_, rows) = rights.next_back().expect("the table of rights");
    for right in ["查阅", "复制", "转移", "更正", "补充", "删除", "限制", "注销", "撤回"] {
        let row =
            rows.iter().find(|row| notice::plain_spans(&row[0]).contains(right)).unwrap_or_else(|| panic!("{right}"));
        assert!(notice::plain_spans(&row[1]).chars().count() >= 4, "{right} has no way");
    }
}

// ---- a site with gates ----

struct Site {
    drive: Drive,
    gates: Vec<GateProcess>,
    folder: tempfile::TempDir,
}

fn site(gates: usize) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let people = people(&pictures()).expect("make pictures fetches them");
    let mut site = Site { drive: Drive::new(folder.path(), engine, people), gates: vec![], folder };
    site.drive.create();
    for name in ["东门", "西门"].into_iter().take(gates) {
        let gate = site.start_gate();
        site.drive.pair(&gate, name);
        site.gates.push(gate);
    }
    assert_eq!(site.drive.failures, vec![]);
    site
}

impl Site {
    fn start_gate(&self) -> GateProcess {
        let number = self.gates.len();
        GateProcess::start(&gate_program(), &self.folder.path().join(format!("gate{number}")), number).unwrap()
    }

    /// A resident with a card that every gate has signed for, and with a face in all of them.
    fn enrolled(&mut self, name: &str, card: usize) -> ResidentId {
        let resident = self.drive.add(name, &format!("{}-101", card + 1)).unwrap();
        self.drive.issue(resident, card).unwrap();
        self.drive.staff(StaffCommand::CloseResident);
        self.drive.controls.act(PracticeAct::Seat(0));
        assert!(self.drive.enroll(card).unwrap(), "{:?}", self.drive.failures);
        resident
    }

    fn notice(&mut self, command: NoticeCommand) -> Vec<NoticeEvent> {
        notice_events(self.drive.desk.handle(Command::Staff(StaffCommand::Notice(command)), SystemClock.now()))
    }

    fn staff(&mut self, command: StaffCommand) -> Vec<Event> {
        self.drive.desk.handle(Command::Staff(command), SystemClock.now())
    }

    /// How everything stands: the last view that was told, after an act that changes nothing.
    fn answer(&mut self, answer: ChangeAnswer) {
        self.drive.resident(ResidentCommand::AnswerChange(answer));
    }

    /// The resident taps their card at "use my face too".
    fn tap(&mut self, card: usize) {
        let idle = |d: &Drive| matches!(d.scene, ResidentScene::Idle { face_offered: true, .. });
        self.drive.until("the idle screen with face entry", Duration::from_secs(10), idle).unwrap();
        self.drive.resident(ResidentCommand::AskFace);
        self.drive.tap_card(card).unwrap();
    }

    fn deliver(&mut self) {
        self.drive.deliver().unwrap();
        self.drive.tick();
    }

    fn faces(&mut self) -> Vec<usize> {
        self.gates.iter_mut().map(|gate| gate.faces().unwrap()).collect()
    }

    fn cards_open(&mut self, card: usize) -> bool {
        let uid = practice_card(card).unwrap();
        self.gates.iter_mut().all(|gate| gate.opens_for(&uid).unwrap())
    }
}

fn notice_events(events: Vec<Event>) -> Vec<NoticeEvent> {
    let of = |event| if let Event::Staff(StaffEvent::Notice(event)) = event { Some(event) } else { None };
    events.into_iter().filter_map(of).collect()
}

fn view(events: &[NoticeEvent]) -> Option<NoticeView> {
    events
        .iter()
        .rev()
        .find_map(|event| if let NoticeEvent::View(view) = event { Some((**view).clone()) } else { None })
}

fn blockers(events: &[Event]) -> Option<Vec<(Blocker, Condition)>> {
    events.iter().rev().find_map(|e| if let Event::Staff(StaffEvent::Desk(b)) = e { Some(b.clone()) } else { None })
}

fn moved() -> SiteFacts {
    let mut facts = practice::facts();
    facts.set(Fact::SiteAddress, "练习市另一条路9号");
    facts
}

fn in_days(days: i64) -> Timestamp {
    SystemClock.now().plus_ms(days * 86_400_000)
}

// Shows: P28
#[test]
fn p55_face_entry_stands_on_an_assessment_of_this_very_scope_in_practice_too() {
    let mut site = site(1);
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }), "no card way was tested yet");
    let resident = site.drive.add("周", "1-101").unwrap();
    site.drive.issue(resident, 0).unwrap();
    site.deliver();
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }), "{:?}", site.drive.scene);

    // Another gate is another scope: faces off, cards on, until it is assessed.
    let gate = site.start_gate();
    let shown = gate.show_code().unwrap();
    let words = GateWords {
        name: "西门".into(),
        place: "西侧".into(),
        capture_area: "门前1米".into(),
        other_way: "刷卡".into(),
        why_needed: "双手不便".into(),
    };
    let (address, code) = (gate.address.clone(), PairingCode::parse(&shown.code));
    let events = site.staff(StaffCommand::Pairing(PairingCommand::Pair { words, address, code }));
    let standing = view(&notice_events(events.clone())).map(|view| view.standing);
    assert_eq!(standing, Some(Standing::OtherScope));
    let off = blockers(&events).unwrap();
    assert!(off.contains(&(Blocker::ImpactAssessment, Condition::Fails)), "{off:?}");
    site.gates.push(gate);
    site.deliver();
    site.drive.issue(resident, 1).unwrap();
    site.deliver();
    assert!(site.cards_open(1), "cards go on");
    site.drive.assess();
    site.deliver();
    site.drive.tick();
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }), "{:?}", site.drive.scene);

    // A major incident, then an overdue review, turn it off again.
    let today = SystemClock.now().date().to_string();
    let events = site.notice(NoticeCommand::EnterIncident(today));
    assert!(matches!(view(&events).map(|v| v.standing), Some(Standing::Incident(_))));
    site.drive.tick();
    assert!(site.notice(NoticeCommand::EnterIncident("2999-01-01".into())).is_empty(), "a day ahead is refused");
}

// Shows: F09c
#[test]
fn f09c_an_old_incident_that_is_entered_late_asks_for_a_new_assessment() {
    let mut site = site(1);
    let resident = site.drive.add("周", "1-101").unwrap();
    site.drive.issue(resident, 0).unwrap();
    site.deliver();
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }), "{:?}", site.drive.scene);
    // It happened a month before the assessment's day, which cannot have known of it.
    let long_ago = SystemClock.now().date().plus_days(-30);
    let events = site.staff(StaffCommand::Notice(NoticeCommand::EnterIncident(long_ago.to_string())));
    let standing = view(&notice_events(events.clone())).map(|view| view.standing);
    assert_eq!(standing, Some(Standing::Incident(long_ago)));
    let off = blockers(&events).unwrap();
    assert!(off.contains(&(Blocker::ImpactAssessment, Condition::Fails)), "{off:?}");
    assert!(site.cards_open(0), "cards go on");
    site.drive.assess();
    site.deliver();
    site.drive.tick();
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }), "{:?}", site.drive.scene);
}

#[test]
fn p55_an_overdue_review_turns_face_entry_off_by_itself_and_cards_go_on() {
    let mut site = site(1);
    let resident = site.drive.add("周", "1-101").unwrap();
    site.drive.issue(resident, 0).unwrap();
    site.deliver();
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }));
    // Somebody is at the staff window; a desk that nobody is at would be locked.
    let awake = Command::Staff(StaffCommand::Operators(OperatorsCommand::Awake));
    let mut events = site.drive.desk.handle(awake, in_days(366));
    events.extend(site.drive.desk.tick(in_days(366)));
    let standing = view(&notice_events(events.clone())).map(|view| view.standing);
    assert!(matches!(standing, Some(Standing::ReviewOverdue(_))), "{standing:?}");
    let offered = events.iter().rev().find_map(|event| match event {
        Event::Resident(ResidentScene::Idle { face_offered, .. }) => Some(*face_offered),
        _ => None,
    });
    assert_eq!(offered, Some(false));
    assert!(site.cards_open(0));
}

#[test]
fn p14b_a_material_change_is_asked_first_then_stops_the_face_and_a_no_erases_it() {
    let mut site = site(2);
    site.enrolled("周", 0);
    assert_eq!(site.faces(), [1, 1]);
    assert!(site.gates[0].knows(0).unwrap());

    // Staff are told how many faces would stop before anything is written.
    let events = notice_events(site.staff(StaffCommand::SaveFacts(moved())));
    let asked = events.iter().find_map(|event| match event {
        NoticeEvent::WouldStop { parts, people, .. } => Some((parts.clone(), *people)),
        _ => None,
    });
    assert_eq!(asked, Some((vec![Part::Place], 1)));
    site.deliver();
    assert!(site.gates[0].knows(0).unwrap(), "nothing has stopped");

    let events = site.notice(NoticeCommand::SaveFactsAnyway(moved()));
    assert!(events.iter().any(|e| matches!(e, NoticeEvent::NewVersion { stopped: 1, told: 0, .. })), "{events:?}");
    let counts = view(&events).unwrap().versions[0];
    assert_eq!((counts.version.to_string().as_str(), counts.asked, counts.unanswered), ("2.0", 1, 1));
    site.deliver();
    for gate in &mut site.gates {
        assert!(!gate.knows(0).unwrap(), "the face is stopped");
    }
    assert_eq!(site.faces(), [1, 1], "kept until the answer");
    assert!(site.cards_open(0), "the card is not touched");

    // The scope is another one: face entry needs a new assessment. Then the resident's own tap shows what changed.
    site.drive.assess();
    site.deliver();
    site.tap(0);
    let ResidentScene::Change { sheet, lines, buttons } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    assert_eq!(buttons[..], ["不同意变更", "同意变更", "撤回并删除"]);
    assert!(lines[0].contains("存放地点") && lines[1].contains("版本 2.0"), "{lines:?}");
    for words in ["练习市示范路2号", "练习市另一条路9号", "东门、西门", "版本 1.0"] {
        assert!(sheet.markdown.contains(words), "{words}: {}", sheet.markdown);
    }
    site.answer(ChangeAnswer::Refuse);
    site.deliver();
    assert_eq!(site.faces(), [0, 0]);
    assert!(site.cards_open(0));
    assert!(matches!(site.drive.scene, ResidentScene::Withdrawn { .. }), "{:?}", site.drive.scene);
}

#[test]
fn p14b_who_agrees_reads_the_new_notice_consents_anew_and_is_known_again() {
    let mut site = site(1);
    site.enrolled("周", 0);
    site.notice(NoticeCommand::SaveFactsAnyway(moved()));
    site.drive.assess();
    site.deliver();
    site.tap(0);
    site.answer(ChangeAnswer::Agree);
    let ResidentScene::Notice { text, reached_end, .. } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    assert!(text.markdown.contains("版本：2.0") && text.markdown.contains("练习市另一条路9号") && !reached_end);
    assert_eq!(text.reference.version, "2.0");
    // Leaving now changes nothing: the old face waits, stopped, until it is answered or the day comes.
    site.drive.resident(ResidentCommand::Back);
    assert_eq!(site.faces(), [1]);
    site.tap(0);
    site.answer(ChangeAnswer::Agree);
    site.drive.read_and_consent().unwrap();
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. });
    site.drive.until("the try", Duration::from_secs(40), tries).unwrap();
    site.drive.resident(ResidentCommand::Finish);
    site.deliver();
    assert_eq!(site.faces(), [1], "the new one; the old one is erased");
    assert!(site.gates[0].knows(0).unwrap());
    // There is nothing left to ask.
    site.drive.resident(ResidentCommand::Back);
    site.tap(0);
    let scene = &site.drive.scene;
    assert!(matches!(scene, ResidentScene::TapCard { failure: Some(Failure::AlreadyEnrolled), .. }), "{scene:?}");
}

#[test]
fn p14b_an_unanswered_change_is_erased_at_the_set_date_by_itself() {
    let mut site = site(1);
    site.enrolled("周", 0);
    site.notice(NoticeCommand::SaveFactsAnyway(moved()));
    site.deliver();
    // Somebody is at the staff window on both days; a desk that was locked does the same at its unlocking.
    let awake = || Command::Staff(StaffCommand::Operators(OperatorsCommand::Awake));
    // Day by day, as a desk runs: a clock that jumps so far would be asked about first, and end nothing meanwhile.
    let walk = |site: &mut Site, to: i64| {
        for day in (3..=to).step_by(9) {
            site.drive.desk.handle(awake(), in_days(day));
            site.drive.desk.tick(in_days(day));
        }
    };
    walk(&mut site, 30);
    site.deliver();
    assert_eq!(site.faces(), [1], "the last day has not passed");
    walk(&mut site, 30);
    site.drive.desk.handle(awake(), in_days(31));
    site.drive.desk.tick(in_days(31));
    site.deliver();
    assert_eq!(site.faces(), [0]);
    assert!(site.cards_open(0));
}

#[test]
fn p15a_withdrawing_is_one_of_the_answers_and_needs_no_further_step() {
    let mut site = site(1);
    site.enrolled("周", 0);
    site.notice(NoticeCommand::SaveFactsAnyway(moved()));
    site.deliver();
    // Face entry is off (the scope is not assessed yet); withdrawing never is.
    site.drive.resident(ResidentCommand::AskWithdraw);
    site.drive.tap_card(0).unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Change { .. }), "{:?}", site.drive.scene);
    site.answer(ChangeAnswer::Withdraw);
    site.deliver();
    assert_eq!(site.faces(), [0]);
    assert!(matches!(&site.drive.scene, ResidentScene::Withdrawn { pending, .. } if pending.is_empty()));
}

// Shows: F05b
#[test]
fn p17c_a_change_of_wording_is_told_at_the_next_tap_and_asks_for_nothing() {
    let mut site = site(1);
    let resident = site.enrolled("周", 0);
    let mut facts = practice::facts();
    facts.set(Fact::ContactPhone, "000-0000-0099");
    let events = notice_events(site.staff(StaffCommand::SaveFacts(facts)));
    assert!(events.iter().any(|e| matches!(e, NoticeEvent::NewVersion { stopped: 0, told: 1, .. })), "{events:?}");
    let counts = view(&events).unwrap().versions[0];
    assert_eq!((counts.version.to_string().as_str(), counts.untold, counts.asked), ("1.1", 1, 0));
    site.deliver();
    assert!(site.gates[0].knows(0).unwrap(), "the face goes on");

    // Staff see it on that person's record, and nowhere else.
    let events = notice_events(site.staff(StaffCommand::OpenResident(resident, menka::domain::role::LookWhy::Here)));
    let news = events.iter().find_map(|event| match event {
        NoticeEvent::Person(who, Some(news)) if *who == resident => Some(news.clone()),
        _ => None,
    });
    assert!(news.is_some_and(|news| news.untold && news.answer_by.is_none()));
    site.drive.staff(StaffCommand::CloseResident);

    site.tap(0);
    let ResidentScene::Change { sheet, buttons, .. } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    assert!(buttons.is_empty() && sheet.markdown.contains("000-0000-0001") && sheet.markdown.contains("000-0000-0099"));
    // An answer that the page did not offer leads nowhere.
    site.answer(ChangeAnswer::Refuse);
    assert!(matches!(site.drive.scene, ResidentScene::Change { .. }));
    site.drive.resident(ResidentCommand::Language(Language::English));
    let ResidentScene::Change { sheet, .. } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    assert!(sheet.markdown.contains("nothing to decide"), "{}", sheet.markdown);
    site.drive.resident(ResidentCommand::Language(Language::Chinese));
    site.answer(ChangeAnswer::Seen);
    assert!(matches!(site.drive.scene, ResidentScene::Idle { .. }));
    site.tap(0);
    let scene = &site.drive.scene;
    assert!(
        matches!(scene, ResidentScene::TapCard { failure: Some(Failure::AlreadyEnrolled), .. }),
        "told once: {scene:?}"
    );
}

#[test]
fn p14b_a_change_while_somebody_is_before_the_camera_stops_the_visit() {
    let mut site = site(1);
    let resident = site.drive.add("周", "1-101").unwrap();
    site.drive.issue(resident, 0).unwrap();
    site.drive.staff(StaffCommand::CloseResident);
    site.drive.controls.act(PracticeAct::Nobody);
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Camera { .. }), "{:?}", site.drive.scene);
    site.drive.staff(StaffCommand::Notice(NoticeCommand::SaveFactsAnyway(moved())));
    assert!(matches!(site.drive.scene, ResidentScene::Ended { .. }), "{:?}", site.drive.scene);
    site.deliver();
    assert_eq!(site.faces(), [0]);
    assert!(site.cards_open(0));
}

#[test]
fn p09_a_site_file_is_taken_over_only_as_this_station_signed_it() {
    let mut site = site(1);
    let path = site.folder.path().join("site.cose");
    let save =
        |path: &Path| NoticeCommand::Save { paper: Paper::SiteFile, language: Language::Chinese, path: path.into() };
    assert_eq!(site.notice(save(&path)), [NoticeEvent::Saved("site.cose".into())]);
    let mut facts = practice::facts();
    facts.set(Fact::DeskHours, "全天");
    site.staff(StaffCommand::SaveFacts(facts));

    let edited = site.folder.path().join("edited.cose");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&edited, bytes).unwrap();
    for (path, failure) in [
        (edited, NoticeFailure::SiteFileRefused),
        (site.folder.path().join("nothing.cose"), NoticeFailure::FileUnreadable(String::new())),
    ] {
        site.drive.failures.clear();
        site.drive.staff(StaffCommand::Notice(NoticeCommand::LoadSiteFile(path)));
        let told = site.drive.failures.clone();
        match failure {
            NoticeFailure::FileUnreadable(_) => {
                assert!(matches!(told[..], [Failure::Notice(NoticeFailure::FileUnreadable(_))]), "{told:?}");
            }
            failure => assert_eq!(told, [Failure::Notice(failure)]),
        }
    }
    let events = site.staff(StaffCommand::Notice(NoticeCommand::LoadSiteFile(path)));
    let hours = events.iter().rev().find_map(|event| match event {
        Event::Staff(StaffEvent::Facts(facts, _)) => Some(facts.get(Fact::DeskHours).to_owned()),
        _ => None,
    });
    assert_eq!(hours.as_deref(), Some("每天 8:00–20:00"), "the saved one is in force again, under a new number");
}

#[test]
fn p09_a_star_fact_that_is_emptied_turns_face_entry_off_and_names_it() {
    let mut site = site(1);
    let resident = site.drive.add("周", "1-101").unwrap();
    site.drive.issue(resident, 0).unwrap();
    site.deliver();
    for (fact, text) in [(Fact::Uscc, ""), (Fact::EffectText, "没有影响"), (Fact::PasslogDays, "31")] {
        let mut facts = practice::facts();
        facts.set(fact, text);
        let events = site.staff(StaffCommand::SaveFacts(facts));
        let missing = events
            .iter()
            .find_map(|e| if let Event::Staff(StaffEvent::Facts(_, m)) = e { Some(m.clone()) } else { None });
        assert_eq!(missing, Some(vec![fact]));
        let scene =
            events.iter().rev().find_map(|e| if let Event::Resident(scene) = e { Some(scene.clone()) } else { None });
        assert!(!matches!(scene, Some(ResidentScene::Idle { face_offered: true, .. })), "{fact:?}: {scene:?}");
        assert!(site.cards_open(0));
    }
}

#[test]
fn p21_an_entrusted_party_is_in_the_notice_while_it_acts_and_gets_its_letter() {
    let mut site = site(1);
    let today = SystemClock.now().date();
    let fields = ["安信智能科技", "021-5550107", "门禁机维保", "不接触人脸", "全程陪同", "HT-7"].map(String::from);
    let enter = |fields: [String; 6], ends: String| NoticeCommand::EnterEntrusted {
        fields,
        begins_on: today.to_string(),
        ends_on: ends,
    };
    site.drive.failures.clear();
    site.drive.staff(StaffCommand::Notice(enter(fields.clone(), "昨天".into())));
    assert_eq!(site.drive.failures.len(), 1);
    let events = site.notice(enter(fields, today.plus_days(20).to_string()));
    assert!(events.contains(&NoticeEvent::Entered));
    let number = view(&events).unwrap().entrusted[0].number;
    site.drive.resident(ResidentCommand::ShowRules);
    let ResidentScene::Rules { texts } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    assert!(texts.iter().any(|t| t.markdown.contains("安信智能科技（021-5550107；门禁机维保")), "public rules name it");
    site.drive.resident(ResidentCommand::Back);

    let letter = site.folder.path().join("letter.pdf");
    let words = words_of(&mut site, Paper::EntrustedEnd(number), Language::Chinese, &letter);
    assert!(words.contains("安信智能科技") && words.contains("HT-7") && words.contains("全部删除"), "{words}");

    // Its term is over: the list drops it by itself.
    let events = site.drive.desk.tick(in_days(21));
    let facts =
        events.iter().find_map(|e| if let Event::Staff(StaffEvent::Facts(f, _)) = e { Some(f.clone()) } else { None });
    assert_eq!(facts.unwrap().get(Fact::EntrustedList), "无");
}

#[test]
fn p26_every_gate_and_the_desk_have_a_sign_to_print_and_to_mark() {
    let mut site = site(2);
    let gates: Vec<GateId> = site.drive.paired();
    for gate in std::iter::once(None).chain(gates.iter().copied().map(Some)) {
        for language in BOTH {
            let path = site.folder.path().join("sign.pdf");
            let words = words_of(&mut site, Paper::Sign(gate), language, &path);
            assert!(words.contains("000-0000-0003") && words.contains("000-0000-0001"), "{words}");
            let area = match (gate, language) {
                (Some(_), _) => "门前1米",
                (None, Language::Chinese) => "引导框",
                (None, Language::English) => "guide box",
            };
            assert!(words.replace('\n', " ").contains(area), "{words}");
        }
    }
    let today = SystemClock.now().date();
    let posted = |gate| NoticeCommand::SignPosted { gate, posted_on: today.to_string() };
    site.notice(posted(None));
    let events = site.notice(posted(Some(gates[0])));
    let states: Vec<SignState> = view(&events).unwrap().signs.iter().map(|sign| sign.state).collect();
    let marked = states.iter().filter(|state| **state == SignState::Posted(today)).count();
    assert_eq!((states.len(), marked), (3, 2));
    assert_eq!(view(&events).unwrap().signs_missing().count(), 1);

    // The telephone on it changed: the posted ones are no longer right.
    let mut facts = practice::facts();
    facts.set(Fact::GuardPhone, "000-0000-0077");
    let events = notice_events(site.staff(StaffCommand::SaveFacts(facts)));
    let signs = view(&events).unwrap().signs;
    assert_eq!(signs.iter().filter(|sign| sign.state == SignState::Outdated(today)).count(), 2, "{signs:?}");
}

#[test]
fn f10b_the_other_ways_in_are_printed_for_the_lobby_and_for_each_card() {
    let mut site = site(2);
    let resident = site.drive.add("周", "1-101").unwrap();
    site.drive.issue(resident, 0).unwrap();
    let path = site.folder.path().join("ways.pdf");
    for language in BOTH {
        let lobby = words_of(&mut site, Paper::OtherWays, language, &path);
        let own = words_of(&mut site, Paper::OtherWaysFor(resident), language, &path);
        let last4 = practice_card(0).unwrap().last4();
        let (on_card, public) = match language {
            Language::Chinese => (format!("后四位：{last4}"), "以您手中的卡为准"),
            Language::English => (format!("ending {last4}"), "as on your card"),
        };
        assert!(own.contains(&on_card) && !own.contains(public), "{own}");
        assert!(!lobby.contains(&on_card) && lobby.contains(public), "{lobby}");
        for words in [&lobby, &own] {
            assert!(words.contains("000-0000-0003") && words.contains("东门") && words.contains("西门"), "{words}");
        }
    }
    site.drive.failures.clear();
    let nobody = ResidentId::from_bytes([9; 16]);
    let command = NoticeCommand::Save { paper: Paper::ChangeSheet(nobody), language: Language::Chinese, path };
    site.drive.staff(StaffCommand::Notice(command));
    assert_eq!(site.drive.failures, [Failure::Notice(NoticeFailure::Nothing)]);
}

#[test]
fn p17c_the_change_sheet_on_paper_says_old_and_new_and_is_marked_as_handed_over() {
    let mut site = site(1);
    let resident = site.enrolled("周", 0);
    site.notice(NoticeCommand::SaveFactsAnyway(moved()));
    let path = site.folder.path().join("change.pdf");
    for language in BOTH {
        let words = words_of(&mut site, Paper::ChangeSheet(resident), language, &path).replace(['\n', ' '], "");
        for expected in ["练习市示范路2号", "练习市另一条路9号", "东门"] {
            assert!(words.contains(expected), "{expected}: {words}");
        }
    }
    let events = site.notice(NoticeCommand::TellOnPaper(resident));
    assert_eq!(view(&events).map(|v| (v.versions[0].told, v.versions[0].unanswered)), Some((1, 1)));
}

#[test]
fn f09a_the_registered_assessment_is_printed_with_its_four_heads() {
    let mut site = site(1);
    let path = site.folder.path().join("assessment.pdf");
    let typed = practice::assessment(SystemClock.now().date());
    for language in BOTH {
        let words = words_of(&mut site, Paper::Assessment, language, &path).replace(['\n', ' '], "");
        for expected in typed.heads.iter().chain([&typed.necessity, &typed.number, &typed.signer]) {
            let expected: String = expected.chars().filter(|c| !c.is_whitespace()).take(20).collect();
            assert!(words.contains(&expected), "{expected}: {words}");
        }
    }
    site.drive.failures.clear();
    let bad = menka::app::notice::AssessmentTyped { heads: Default::default(), ..typed };
    site.drive.staff(StaffCommand::Notice(NoticeCommand::RegisterAssessment(Box::new(bad))));
    let told = &site.drive.failures;
    assert!(matches!(told[..], [Failure::Notice(NoticeFailure::Assessment(_))]), "{told:?}");
}

/// Saves a paper through the desk and reads its words back (poppler); a PDF without poppler is checked for being one.
fn words_of(site: &mut Site, paper: Paper, language: Language, path: &Path) -> String {
    let events = site.notice(NoticeCommand::Save { paper, language, path: path.into() });
    assert!(matches!(events[..], [NoticeEvent::Saved(_)]), "{events:?}");
    assert!(std::fs::read(path).unwrap().starts_with(b"%PDF-"));
    if let Some(folder) = std::env::var_os("MENKA_SHOTS") {
        let name = format!("{paper:?}-{}.pdf", language.tag()).replace(['(', ')', '"'], "-");
        std::fs::copy(path, Path::new(&folder).join(name)).unwrap();
    }
    let read = std::process::Command::new("pdftotext").args(["-raw"]).arg(path).arg("-").output();
    String::from_utf8(read.expect("poppler-utils is installed by `make setup`").stdout).unwrap()
}
