//! What people may ask about their own information, through the whole desk: vault, windows' commands, papers, gate processes. Only camera and
//! card reader are practice devices.

use std::path::Path;
use std::time::Duration;

use menka::app::command::{Command, ResidentCommand, StaffCommand};
use menka::app::deletion::DeletionCommand;
use menka::app::event::{Event, Failure, ResidentScene, StaffEvent};
use menka::app::operators::OperatorsCommand;
use menka::app::rights::{MineView, RequestFault, RequestView, RightsAct, RightsCommand, RightsScene, RightsTold};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::id::ResidentId;
use menka::domain::notice::Language;
use menka::domain::resident::AgeBand;
use menka::domain::rights::{Came, Clock, Field, Given, Identity, RefusalFault, RefusalWords, RequestKind, RequestNo};
use menka::domain::role::LookWhy;
use menka::domain::site::{Fact, SiteFacts};
use menka::domain::time::Timestamp;
use menka::face::{self, EngineKind};
use menka::notice::{self, HeldWords};
use menka::ports::Clock as _;
use menka::practice::drive::Drive;
use menka::practice::site::{GateProcess, PASSPHRASE, facts};
use menka::practice::{PracticeAct, people, practice_card};
use menka::secret::Passphrase;
use menka::vault::{Dossier, OpenWhy, Vault};
use sha2::Digest;

use super::day::{gate_program, models, pictures};

/// A desk without gates: enough for everything but faces.
fn desk(folder: &Path) -> Drive {
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let mut drive = Drive::new(folder, engine, people(&pictures()).expect("make pictures fetches them"));
    drive.create();
    drive
}

/// The same with one gate that takes faces.
fn desk_with_gate(folder: &Path) -> (Drive, GateProcess) {
    let mut drive = desk(folder);
    let gate = GateProcess::start(&gate_program(), &folder.join("gate0"), 0).unwrap();
    drive.pair(&gate, "东门");
    drive.deliver().unwrap();
    drive.tick();
    assert_eq!(drive.failures, vec![]);
    (drive, gate)
}

fn rights(drive: &mut Drive, command: RightsCommand) {
    drive.staff(StaffCommand::Rights(command));
}

fn act(drive: &mut Drive, act: RightsAct) {
    drive.resident(ResidentCommand::Rights(act));
}

/// From the idle screen to the own page.
fn tap_mine(drive: &mut Drive, card: usize) -> MineView {
    drive.resident(ResidentCommand::Back);
    act(drive, RightsAct::AskMine);
    assert!(matches!(drive.scene, ResidentScene::Rights(RightsScene::Tap { failure: None })), "{:?}", drive.scene);
    drive.tap_card(card).unwrap();
    mine(drive)
}

fn mine(drive: &Drive) -> MineView {
    match &drive.scene {
        ResidentScene::Rights(RightsScene::Mine(mine)) => (**mine).clone(),
        other => panic!("{other:?}; {:?}", drive.failures),
    }
}

fn all_text(drive: &Drive) -> String {
    match &drive.scene {
        ResidentScene::Rights(RightsScene::All { text, .. }) => notice::plain(&text.0.markdown),
        other => panic!("{other:?}; {:?}", drive.failures),
    }
}

fn register(drive: &Drive) -> Vec<menka::domain::rights::RequestLine> {
    let told =
        drive.rights.iter().rev().find_map(|t| if let RightsTold::Register(l) = t { Some(l.clone()) } else { None });
    told.unwrap_or_default()
}

fn counts(drive: &Drive) -> (u32, u32, u32) {
    let told = drive.rights.iter().rev().find_map(|t| if let RightsTold::Counts(c) = t { Some(*c) } else { None });
    told.map_or((0, 0, 0), |c| (c.open, c.soon, c.overdue))
}

fn shown(drive: &Drive) -> RequestView {
    let told =
        drive.rights.iter().rev().find_map(|t| if let RightsTold::Request(v) = t { Some(v.clone()) } else { None });
    *told.expect("a request was shown")
}

/// Locks the desk and reads the vault beside it.
fn vault(drive: &mut Drive) -> Vault {
    drive.staff(StaffCommand::Lock);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    Vault::unlock(drive.data(), Realm::Practice, &passphrase, SystemClock.now()).unwrap()
}

fn logged(vault: &Vault, what: &str) -> Vec<(String, Option<String>)> {
    let records = vault.log_records(0, 10_000).unwrap();
    records.into_iter().filter(|r| r.what == what).map(|r| (r.who, r.label)).collect()
}

fn save_again(drive: &mut Drive, id: ResidentId, name: &str, unit: &str) {
    drive.staff(StaffCommand::SaveResident {
        id: Some(id),
        name: name.into(),
        unit: unit.into(),
        age_band: AgeBand::Adult,
        next_band_on: String::new(),
        ends_on: SystemClock.now().date().plus_days(200).to_string(),
    });
}

fn receive(drive: &mut Drive, resident: Option<ResidentId>, kind: RequestKind) -> RequestNo {
    rights(
        drive,
        RightsCommand::Receive {
            resident,
            kind,
            came: Came::Phone,
            identity: Identity::NotAsked,
            asker: "路人甲，13900000000".into(),
            words: "门口的提示牌看不清".into(),
        },
    );
    drive.rights.iter().rev().find_map(|t| if let RightsTold::Received(no) = t { Some(*no) } else { None }).unwrap()
}

fn good_words() -> RefusalWords {
    RefusalWords {
        part: "删除同意记录".into(),
        reason: "同意记录用来证明我们依法办理，依法须留存三年，期满自动删除".into(),
        basis: "《个人信息保护法》第五十六条".into(),
    }
}

/// Every leaf of the electronic copy, with the path to it.
fn leaves(at: &str, value: &serde_json::Value, into: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(map) => map.iter().for_each(|(k, v)| leaves(&format!("{at}/{k}"), v, into)),
        serde_json::Value::Array(list) => list.iter().for_each(|v| leaves(&format!("{at}/-"), v, into)),
        serde_json::Value::Null => {}
        serde_json::Value::String(text) => into.push((at.into(), text.clone())),
        other => into.push((at.into(), other.to_string())),
    }
}

// Shows: P45b
#[test]
fn p45a_the_own_card_shows_prints_and_copies_everything_held_and_who_looked() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, _gate) = desk_with_gate(folder.path());
    drive.add("钱多多", "9-909").unwrap();
    drive.staff(StaffCommand::CloseResident);
    let resident = drive.add("王小明", "3-1201").unwrap();
    drive.issue(resident, 0).unwrap();
    save_again(&mut drive, resident, "王晓明", "3-1201");
    drive.staff(StaffCommand::CloseResident);
    drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::Seat(0));
    assert!(drive.enroll(0).unwrap());

    tap_mine(&mut drive, 0);
    act(&mut drive, RightsAct::SeeAll);
    let text = all_text(&drive);
    let uid: String = practice_card(0).unwrap().bytes().iter().map(|b| format!("{b:02X}")).collect();
    for held in ["王晓明", "王小明", "3-1201", "东门", "正在使用", "打开了您的登记", "住户本人在场", uid.as_str()]
    {
        assert!(text.contains(held), "{held} is missing in\n{text}");
    }
    assert!(!text.contains("钱多多") && !text.contains("9-909"), "nobody else's");

    // A paper and an electronic copy to take away.
    let (paper, copy) = (folder.path().join("mine.pdf"), folder.path().join("mine.json"));
    act(&mut drive, RightsAct::SavePaper(paper.clone()));
    assert!(
        matches!(&drive.scene, ResidentScene::Rights(RightsScene::All { saved_to: Some(_), .. })),
        "{:?}",
        drive.failures
    );
    act(&mut drive, RightsAct::SaveCopy(copy.clone()));
    assert_eq!(drive.failures, vec![]);
    assert!(std::fs::read(&paper).unwrap().starts_with(b"%PDF-"));
    if let Some(shots) = std::env::var_os("MENKA_SHOTS") {
        std::fs::copy(&paper, Path::new(&shots).join("held.pdf")).unwrap();
        std::fs::copy(copy.with_extension("statement.pdf"), Path::new(&shots).join("transfer.pdf")).unwrap();
    }
    assert!(
        std::fs::read(copy.with_extension("statement.pdf")).unwrap().starts_with(b"%PDF-"),
        "the statement lies beside the copy"
    );

    let (first, second) =
        (std::fs::read(&paper).unwrap(), std::fs::read(copy.with_extension("statement.pdf")).unwrap());
    assert_ne!(first, second, "neither took the other's place");

    // What the copy says, the paper says: each value of the copy stands on the paper made in the same moment.
    let text = all_text(&drive);
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&copy).unwrap()).unwrap();
    let mut found = vec![];
    leaves("", json.pointer("/held").unwrap(), &mut found);
    assert!(found.len() > 150, "{}", found.len());
    let words = HeldWords::load(Language::Chinese);
    let (mut checked, squeezed) = (0, text.split_whitespace().collect::<String>());
    for (at, value) in found {
        // These bytes are in the copy; the paper has their check codes, and says so.
        if at.ends_with("_hex")
            || at == "/texts/-/body"
            || at == "/forms/-/body"
            || at == "/notices/-/record"
            || at.contains("signed_strokes")
            || value.is_empty()
            || at.ends_with("signed_how")
        {
            continue;
        }
        // On paper a time on screen is in seconds, and a switch is a word.
        let value = match value.as_str() {
            "true" => "yes".to_owned(),
            "false" => "no".to_owned(),
            ms if at.ends_with("/sections_ms/-") => {
                let ms: u64 = ms.parse().unwrap();
                format!("{}.{}", ms / 1_000, ms % 1_000 / 100)
            }
            _ => value,
        };
        let look = format!("look-{value}");
        let code = if at == "/log/-/why" && words.has(&look) { &look } else { &value };
        let said: String = words.say(code).split_whitespace().collect();
        assert!(squeezed.contains(&said), "{at} = {value} ({said}) is not on the paper");
        checked += 1;
    }
    assert!(checked > 150, "{checked}");
    // The very text that was agreed to is in the copy, and fits its check code.
    let shown = json.pointer("/held/texts/0").unwrap();
    let body = shown["body"].as_str().unwrap();
    let digest: String = sha2::Sha256::digest(body.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    assert!(body.contains("人脸识别门禁告知书"));
    assert_eq!(shown["sha256"].as_str(), Some(digest.as_str()));
    assert_eq!(json.pointer("/held/consents/0/text_sha256"), Some(&shown["sha256"]));
    // The reasons for what is left out, and for the template, are said.
    assert!(json.pointer("/left_out").unwrap().as_array().unwrap().len() > 20);
    assert!(json.pointer("/statement").unwrap().as_str().unwrap().contains("人脸特征没有通用格式"));
    assert!(!json.to_string().contains("钱多多"));

    // Each look and copy is logged as the resident's own, and the requests are numbered and done, one a kind and visit.
    drive.resident(ResidentCommand::Back);
    let vault = vault(&mut drive);
    let given = logged(&vault, "everything-given");
    let own = format!("resident:{resident}");
    let labels: Vec<&str> = given.iter().filter_map(|(who, label)| label.as_deref().filter(|_| *who == own)).collect();
    assert_eq!(labels, ["shown", "paper", "electronic"]);
    assert_eq!(vault.request_counts(SystemClock.now()).unwrap().open, 0);
    assert_eq!(logged(&vault, "request-done").len(), 2, "one for seeing and paper, one for the electronic copy");
    assert!(vault.audit().unwrap().is_sound());
}

#[test]
fn p45a_at_the_staff_window_each_look_is_logged_and_a_folder_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = desk(folder.path());
    let resident = drive.add("李秀英", "2-202").unwrap();
    // A site that has written nothing about itself shows people their information all the same.
    drive.staff(StaffCommand::SaveFacts(SiteFacts::default()));
    rights(&mut drive, RightsCommand::SeeAll(resident));
    let text = drive.rights.iter().find_map(|t| if let RightsTold::All(text) = t { Some(text.clone()) } else { None });
    assert!(notice::plain(&text.unwrap().0.markdown).contains("李秀英"));
    let nowhere = folder.path().join("no/such/folder/x.pdf");
    rights(&mut drive, RightsCommand::SavePaper { resident, path: nowhere });
    assert!(matches!(drive.failures[..], [Failure::PaperNotWritten(_)]), "{:?}", drive.failures);
    let path = folder.path().join("x.json");
    rights(&mut drive, RightsCommand::SaveCopy { resident, path: path.clone() });
    assert!(matches!(drive.rights.last(), Some(RightsTold::Saved(_))));
    assert!(path.exists());
    let printed = format!("{:?} {:?}", drive.rights, drive.told);
    assert!(!printed.contains("李秀英"), "what is told does not print itself");
    let explained = folder.path().join("explained.pdf");
    rights(&mut drive, RightsCommand::SaveExplanations(explained.clone()));
    assert!(std::fs::read(explained).unwrap().starts_with(b"%PDF-"));
    let vault = vault(&mut drive);
    let given = logged(&vault, "everything-given");
    assert!(given.iter().all(|(who, _)| who.starts_with("staff:")));
    let labels: Vec<&str> = given.iter().filter_map(|(_, label)| label.as_deref()).collect();
    assert_eq!(labels, ["shown", "paper", "electronic"], "a paper that could not be written was a look all the same");
}

#[test]
fn p46_a_correction_keeps_old_and_new_sealed_and_the_resident_confirms_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, _gate) = desk_with_gate(folder.path());
    let resident = drive.add("欧阳静", "1-101").unwrap();
    drive.issue(resident, 0).unwrap();
    save_again(&mut drive, resident, "欧阳靖", "1-102");
    drive.issue(resident, 1).unwrap();
    drive.staff(StaffCommand::CloseResident);
    let seen = tap_mine(&mut drive, 1);
    let fields: Vec<Field> = seen.changes.iter().map(|c| c.field).collect();
    assert_eq!(fields, [Field::Name, Field::Unit, Field::EndsOn, Field::Card]);
    assert_eq!((seen.changes[0].old.as_str(), seen.changes[0].new.as_str()), ("欧阳静", "欧阳靖"));
    act(&mut drive, RightsAct::ConfirmChanges);
    assert_eq!(mine(&drive).changes, vec![]);
    // The log has ids and field names, no values; nor does the file as it lies on the disk.
    let vault = vault(&mut drive);
    let records = vault.log_records(0, 10_000).unwrap();
    let text: String = records.iter().map(|r| String::from_utf8(r.to_bytes()).unwrap()).collect();
    assert!(!text.contains("欧阳") && !text.contains("1-102"));
    assert_eq!(logged(&vault, "field-changed").len(), 4);
    assert_eq!(logged(&vault, "changes-confirmed"), [(format!("resident:{resident}"), None)]);
    let all = vault.decrypted_values().unwrap();
    assert!(!all.windows("欧阳静".len()).any(|w| w == "欧阳静".as_bytes()), "sealed inside the file too");
    let copy: Dossier = {
        let mut vault = vault;
        vault.open_resident(resident, OpenWhy::Staff(LookWhy::Request), SystemClock.now()).unwrap();
        vault.everything_held(resident, Given::Paper, true, SystemClock.now()).unwrap()
    };
    assert!(copy.changes.iter().all(|c| c.confirmed_at.is_some()));
}

// Shows: M4
#[test]
fn p50_a_request_is_numbered_and_cannot_be_refused_without_reason_basis_and_the_words_on_the_court() {
    let folder = tempfile::tempdir().unwrap();
    let mut drive = desk(folder.path());
    let resident = drive.add("周建国", "5-501").unwrap();
    let first = receive(&mut drive, Some(resident), RequestKind::Close);
    let second = receive(&mut drive, None, RequestKind::Complaint);
    assert_eq!((first.n(), second.n()), (1, 2));
    let today = SystemClock.now().date();
    let lines = register(&drive);
    assert_eq!(lines[0].no, second, "the nearer day comes first");
    assert_eq!(lines[0].due_on, today.plus_days(10), "a complaint has ten days");
    assert_eq!(counts(&drive), (2, 0, 0));

    // Not without a decision, not without words.
    rights(&mut drive, RightsCommand::Finish { no: first, answer: "办了".into() });
    assert_eq!(drive.failures.pop(), Some(Failure::Request(RequestFault::Undecided)));
    rights(&mut drive, RightsCommand::Open(first));
    assert_eq!(shown(&drive).person, Some(("周建国".into(), "5-501".into())));
    let tries = [
        (RefusalWords::default(), RefusalFault::PartMissing),
        (RefusalWords { reason: "不行".into(), ..good_words() }, RefusalFault::ReasonMissing),
        (RefusalWords { basis: String::new(), ..good_words() }, RefusalFault::BasisMissing),
    ];
    for (words, fault) in tries {
        rights(&mut drive, RightsCommand::Refuse { no: first, words });
        assert_eq!(drive.failures.pop(), Some(Failure::Request(RequestFault::Refusal(fault))));
    }
    // A site that does not say where to complain cannot refuse anybody anything.
    let mut empty = facts();
    empty.set(Fact::CacContact, "");
    drive.staff(StaffCommand::SaveFacts(empty));
    rights(&mut drive, RightsCommand::Refuse { no: first, words: good_words() });
    assert_eq!(drive.failures.pop(), Some(Failure::Request(RequestFault::FactsMissing)));
    assert_eq!(counts(&drive).0, 2, "still open");
    drive.staff(StaffCommand::SaveFacts(facts()));

    rights(&mut drive, RightsCommand::Refuse { no: first, words: good_words() });
    assert_eq!(drive.failures, vec![]);
    let letter = shown(&drive).letter.expect("the letter");
    for part in ["周建国", "依法须留存三年", "第五十六条", "依法向人民法院起诉", &first.to_string(), "注销"]
    {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    // Decided once; not done until it is in the person's hands.
    rights(&mut drive, RightsCommand::Grant(first));
    assert_eq!(drive.failures.pop(), Some(Failure::Request(RequestFault::Decided)));
    assert_eq!(counts(&drive).0, 2);
    let path = folder.path().join("letter.pdf");
    rights(&mut drive, RightsCommand::SaveLetter { no: first, path: path.clone() });
    assert!(std::fs::read(&path).unwrap().starts_with(b"%PDF-"));
    assert_eq!(counts(&drive).0, 1);

    // Granted and done, with what was done.
    rights(&mut drive, RightsCommand::Open(second));
    assert_eq!(shown(&drive).asker, "路人甲，13900000000");
    rights(&mut drive, RightsCommand::Grant(second));
    rights(&mut drive, RightsCommand::Finish { no: second, answer: " ".into() });
    assert_eq!(drive.failures.pop(), Some(Failure::Request(RequestFault::AnswerMissing)));
    rights(&mut drive, RightsCommand::Finish { no: second, answer: "换了大字的提示牌".into() });
    assert_eq!(drive.failures, vec![]);
    assert_eq!(counts(&drive), (0, 0, 0));
    if let Some(shots) = std::env::var_os("MENKA_SHOTS") {
        std::fs::copy(&path, Path::new(&shots).join("letter.pdf")).unwrap();
    }

    let vault = vault(&mut drive);
    assert!(vault.refusal_letter(first).unwrap().contains("人民法院"));
    let third = logged(&vault, "request-received");
    assert_eq!(third.len(), 2);
    let inside = vault.decrypted_values().unwrap();
    for sealed in ["路人甲", "看不清", "依法须留存三年"] {
        assert!(!inside.windows(sealed.len()).any(|w| w == sealed.as_bytes()), "{sealed} is sealed");
    }
}

#[test]
fn l4_complaints_and_requests_from_the_window_count_down_and_are_overdue_after_their_term() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, _gate) = desk_with_gate(folder.path());
    let resident = drive.add("赵奶奶", "1-1").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    tap_mine(&mut drive, 0);
    act(&mut drive, RightsAct::Ask(RequestKind::Complaint));
    let today = SystemClock.now().date();
    match &drive.scene {
        ResidentScene::Rights(RightsScene::Asked { kind: RequestKind::Complaint, due_on, number }) => {
            assert_eq!(*due_on, today.plus_days(10));
            assert!(number.ends_with("-0001"));
        }
        other => panic!("{other:?}"),
    }
    // Twice in a visit is one request; a kind that the window does not offer is none.
    act(&mut drive, RightsAct::Ask(RequestKind::Complaint));
    act(&mut drive, RightsAct::Ask(RequestKind::Withdraw));
    act(&mut drive, RightsAct::Mine);
    assert_eq!(mine(&drive).waiting.len(), 1);
    assert_eq!(counts(&drive), (1, 0, 0));
    drive.resident(ResidentCommand::Back);

    let told_at = |drive: &mut Drive, days: i64| {
        let now = Timestamp::from_ms(SystemClock.now().ms() + days * 86_400_000);
        let events = drive.desk.handle(Command::Staff(StaffCommand::Rights(RightsCommand::Show)), now);
        let lines = events.iter().find_map(|e| match e {
            Event::Staff(StaffEvent::Rights(RightsTold::Register(lines))) => Some(lines.clone()),
            _ => None,
        });
        let counts = events.iter().find_map(|e| match e {
            Event::Staff(StaffEvent::Rights(RightsTold::Counts(counts))) => Some(*counts),
            _ => None,
        });
        (lines.unwrap()[0].clock, counts)
    };
    assert_eq!(told_at(&mut drive, 3), (Clock::Running { days: 7 }, None));
    let (clock, counts) = told_at(&mut drive, 7);
    assert_eq!((clock, counts.map(|c| (c.open, c.soon, c.overdue))), (Clock::Soon { days: 3 }, Some((1, 1, 0))));
    let (clock, counts) = told_at(&mut drive, 11);
    assert_eq!((clock, counts.map(|c| (c.open, c.soon, c.overdue))), (Clock::Overdue { days: 1 }, Some((1, 0, 1))));
}

#[test]
fn p44_who_refuses_processing_loses_the_face_at_every_gate_and_only_the_own_card_lifts_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, mut gate) = desk_with_gate(folder.path());
    let resident = drive.add("陈", "1-1").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::Seat(1));
    assert!(drive.enroll(0).unwrap());
    assert_eq!(gate.faces().unwrap(), 1);

    assert!(tap_mine(&mut drive, 0).has_face);
    // Not by one stray press: the confirmation comes between.
    act(&mut drive, RightsAct::ConfirmRefuseFace);
    assert!(!mine(&drive).restricted);
    act(&mut drive, RightsAct::RefuseFace);
    assert!(matches!(&drive.scene, ResidentScene::Rights(RightsScene::RefuseFace { gates }) if gates == &["东门"]));
    act(&mut drive, RightsAct::ConfirmRefuseFace);
    assert!(mine(&drive).restricted);
    drive.deliver().unwrap();
    assert_eq!(gate.faces().unwrap(), 0);
    assert!(gate.opens_for(&practice_card(0).unwrap()).unwrap(), "the card is not touched");

    drive.resident(ResidentCommand::Back);
    drive
        .until("the idle screen", Duration::from_secs(5), |d| {
            matches!(d.scene, ResidentScene::Idle { face_offered: true, .. })
        })
        .unwrap();
    drive.resident(ResidentCommand::AskFace);
    drive.tap_card(0).unwrap();
    assert!(
        matches!(
            &drive.scene,
            ResidentScene::TapCard { failure: Some(Failure::Request(RequestFault::FaceRefused)), .. }
        ),
        "{:?}",
        drive.scene
    );
    // Staff cannot lift it: there is no such command. The person can, and is free again.
    tap_mine(&mut drive, 0);
    act(&mut drive, RightsAct::AllowFace);
    assert!(!mine(&drive).restricted);
    drive.resident(ResidentCommand::Back);
    assert!(drive.enroll(0).unwrap());
    // By telephone, entered by staff.
    let (came, identity) = (Came::Phone, Identity::ActsForPerson);
    rights(&mut drive, RightsCommand::RefuseFace { resident, came, identity });
    drive.deliver().unwrap();
    assert_eq!(gate.faces().unwrap(), 0);
    let vault = vault(&mut drive);
    let noted = logged(&vault, "face-processing-refused");
    assert_eq!(noted[0].0, format!("resident:{resident}"));
    assert!(noted[1].0.starts_with("staff:"));
}

#[test]
fn p49_after_a_death_the_face_is_stopped_at_once_and_the_card_in_other_hands_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, mut gate) = desk_with_gate(folder.path());
    let resident = drive.add("吴老先生", "4-404").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    drive.controls.act(PracticeAct::Seat(2));
    assert!(drive.enroll(0).unwrap());
    drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    rights(&mut drive, RightsCommand::Died { resident, kin: "吴敏".into(), relation: " ".into() });
    assert_eq!(drive.failures.pop(), Some(Failure::Request(RequestFault::KinMissing)));
    assert_eq!(gate.faces().unwrap(), 1);
    rights(&mut drive, RightsCommand::Died { resident, kin: "吴敏".into(), relation: "女儿".into() });
    drive.deliver().unwrap();
    assert_eq!(gate.faces().unwrap(), 0);
    assert_eq!(drive.failures, vec![]);
    let lines = register(&drive);
    assert_eq!(lines.iter().map(|l| l.kind).collect::<Vec<_>>(), [RequestKind::AfterDeath]);
    rights(&mut drive, RightsCommand::Open(lines[0].no));
    assert_eq!(shown(&drive).asker, "吴敏, 女儿");
    // The deletion certificate names who asked.
    let open = vault(&mut drive);
    let consent = open.endings_of(resident).unwrap()[0].consent;
    drop(open);
    drive.unlock();
    drive.deliver().unwrap();
    drive.tick();
    drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    let certificate = folder.path().join("certificate.pdf");
    let save = DeletionCommand::SaveCertificate { consent, place: None, path: certificate.clone() };
    drive.staff(StaffCommand::Deletion(save));
    assert_eq!(drive.failures, vec![]);
    let said = super::deletion::pdf_text(&certificate);
    assert!(said.contains("吴敏，关系女儿") && said.contains("人脸特征1组"), "{said}");
    drive.staff(StaffCommand::CloseResident);

    drive.resident(ResidentCommand::Back);
    act(&mut drive, RightsAct::AskMine);
    drive.tap_card(0).unwrap();
    let died = Some(Failure::Request(RequestFault::Died));
    assert_eq!(drive.scene, ResidentScene::Rights(RightsScene::Tap { failure: died.clone() }));
    drive.resident(ResidentCommand::Back);
    drive.resident(ResidentCommand::AskFace);
    drive.tap_card(0).unwrap();
    assert_eq!(drive.scene, ResidentScene::TapCard { withdraw: false, failure: died });

    // The family may see and copy at the desk; the kinship is on record without a copy or a number.
    let path = folder.path().join("family.pdf");
    rights(&mut drive, RightsCommand::SavePaper { resident, path: path.clone() });
    assert!(path.exists());
    let mut vault = vault(&mut drive);
    vault.open_resident(resident, OpenWhy::Staff(LookWhy::Request), SystemClock.now()).unwrap();
    let copy = vault.everything_held(resident, Given::Paper, true, SystemClock.now()).unwrap();
    let known: Vec<&str> = copy.requests.iter().map(|r| r.identity.as_str()).collect();
    assert_eq!(known, ["acts-for-person", "acts-for-person"], "nobody is said to have shown a document of the dead");
    assert_eq!(copy.death.map(|d| (d.kin, d.relation)), Some(("吴敏".into(), "女儿".into())));
    assert_eq!(copy.consents[0].end_reason.as_deref(), Some("deceased"));
}

#[test]
fn p48_an_explanation_is_logged_with_who_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, _gate) = desk_with_gate(folder.path());
    let resident = drive.add("郑", "1-1").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    act(&mut drive, RightsAct::Explain(3));
    drive.ask_for_face(0).unwrap();
    act(&mut drive, RightsAct::Explain(7));
    assert!(matches!(drive.scene, ResidentScene::Notice { .. }), "the notice stays");
    drive.resident(ResidentCommand::Back);
    drive.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
    rights(&mut drive, RightsCommand::Explained(resident));
    let vault = vault(&mut drive);
    let given = logged(&vault, "explained");
    assert_eq!(given.len(), 2, "nobody was there the first time: {given:?}");
    assert_eq!(given[0], ("station".into(), Some("7".into())));
    assert!(given[1].0.starts_with("staff:") && given[1].1.as_deref() == Some("all"));
}

#[test]
fn a_visit_to_ones_own_information_ends_by_itself_and_a_language_is_changed_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let (mut drive, _gate) = desk_with_gate(folder.path());
    let resident = drive.add("冯", "1-1").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    tap_mine(&mut drive, 0);
    act(&mut drive, RightsAct::SeeAll);
    assert!(all_text(&drive).contains("我们持有的您的全部信息"));
    drive.resident(ResidentCommand::Language(Language::English));
    assert!(all_text(&drive).contains("Everything we hold about you"));
    act(&mut drive, RightsAct::SavePaper(folder.path().join("no/where.pdf")));
    assert!(matches!(drive.failures.pop(), Some(Failure::PaperNotWritten(_))));
    mine(&drive);
    // Five minutes without a touch, then nothing personal is on the screen.
    let later = |minutes: i64| Timestamp::from_ms(SystemClock.now().ms() + minutes * 60_000);
    let awake = || Command::Staff(StaffCommand::Operators(OperatorsCommand::Awake));
    drive.desk.handle(awake(), later(4));
    let events = drive.desk.tick(later(4));
    assert!(!events.iter().any(|e| matches!(e, Event::Resident(ResidentScene::Idle { .. }))));
    drive.desk.handle(awake(), later(6));
    let events = drive.desk.tick(later(6));
    assert!(events.iter().any(|e| matches!(e, Event::Resident(ResidentScene::Idle { .. }))), "{events:?}");
    // Without a card nothing can be asked, and a strange card opens nothing.
    for act_without_card in [RightsAct::SeeAll, RightsAct::ConfirmChanges, RightsAct::Mine, RightsAct::AllowFace] {
        act(&mut drive, act_without_card);
        assert!(!matches!(drive.scene, ResidentScene::Rights(RightsScene::All { .. })));
    }
    act(&mut drive, RightsAct::AskMine);
    drive.tap_card(5).unwrap();
    assert!(matches!(&drive.scene, ResidentScene::Rights(RightsScene::Tap { failure: Some(Failure::CardUnknown) })));
}
