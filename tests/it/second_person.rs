//! Four eyes below the windows: every command of the table, given to a real desk about a child, tells and writes nothing of that child before a
//! second person has approved. Real vault, engine child, TLS and gate process.

use std::collections::BTreeSet;
use std::path::Path;

use menka::app::command::{Command, StaffCommand};
use menka::app::deletion::{DeletionCommand, DeletionEvent};
use menka::app::duties::{DutiesCommand, IncidentCommand, IncidentTyped};
use menka::app::event::{Event, StaffEvent};
use menka::app::evidence::{EvidenceCommand, EvidenceEvent};
use menka::app::guardian_desk::{GuardianCommand, GuardianEvent};
use menka::app::notice::{NoticeCommand, Paper};
use menka::app::operators::{Concerned, LooksRow, OperatorsCommand, OperatorsEvent};
use menka::app::relay::{RelayCommand, RelayEvent};
use menka::app::rights::{RightsCommand, RightsTold};
use menka::app::roles::row;
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::approval::Act;
use menka::domain::audit::Actor;
use menka::domain::guardian::{GuardianRole, ProofSeen, View};
use menka::domain::id::ResidentId;
use menka::domain::incident::DataKind;
use menka::domain::notice::Language;
use menka::domain::resident::AgeBand;
use menka::domain::rights::{Came, Given, Identity, RefusalWords, RequestKind, RequestNo};
use menka::domain::role::{JoinWhy, Role};
use menka::domain::site::{Fact, SiteFacts};
use menka::ports::Clock as _;
use menka::practice::site::{PASSPHRASE, facts};
use menka::secret::Passphrase;
use menka::vault::{Vault, VaultError};

use super::guardian::{Site, site};
use super::roles::{About, May, rows_about};
use super::vault::site::CHEAP;

/// Papers that name nobody, and the backup, which opens with the printed key only: they may be there without a second person.
const PUBLIC: &[&str] = &[
    "save-public-paper",
    "back-up",
    "save-explanations",
    "evidence-head",
    "machine-save",
    "save-duty-paper",
    "save-looks",
    "save-recovery-sheet",
    "save-backup-sheet",
];

/// What a supervisor's line of the weekly sheet says, and whether a name beside a number waits to be looked at.
fn sheet(events: &[Event]) -> (LooksRow, Option<Option<u32>>) {
    let mut rows = events.iter().filter_map(|event| match event {
        Event::Staff(StaffEvent::Operators(OperatorsEvent::Looks { rows, .. })) => Some(rows.clone()),
        _ => None,
    });
    (rows.next().expect("the sheet").remove(0), joins(events))
}

fn joins(events: &[Event]) -> Option<Option<u32>> {
    events.iter().rev().find_map(|event| match event {
        Event::Staff(StaffEvent::Operators(OperatorsEvent::Joins(joins))) => Some(joins.map(|(count, _)| count)),
        _ => None,
    })
}

fn approve(site: &mut Site) -> Vec<Event> {
    let by = site.drive.asked.take().expect("somebody is asked");
    give(site, StaffCommand::Operators(OperatorsCommand::Approve(by, Passphrase::new(PASSPHRASE.into()))))
}

/// What gives a child's information out, and does so once somebody has approved: shows that this test would see a leak.
const GIVES: &[&str] = &[
    "open-resident",
    "save-certificate",
    "open-request",
    "grant-request",
    "refuse-request",
    "save-letter",
    "see-everything-held",
    "save-everything-held",
    "save-electronic-copy",
    "save-guardian-sheet",
    "save-own-paper",
];

/// What writes about a child and gives nothing out: the record is open first, with a second person.
const WRITES: &[&str] = &[
    "save-resident",
    "issue-card",
    "guardian-check",
    "mark-ward",
    "resume-for",
    "close-record",
    "note-death",
    "note-explained",
    "finish-request",
    "tell-on-paper",
];

/// What stops, erases or takes in: waits for nobody, and is logged as a look while the record is shut.
const IMMEDIATE: &[&str] = &[
    "withdraw-for",
    "withdraw-at-screen",
    "pause-for",
    "drop-door-for",
    "note-face-refused",
    "receive-request",
    "close-record-unlawful",
];

/// A child whose face was entered and erased again, with a request on the register, and no record open.
fn child(site: &mut Site) -> About {
    let resident = site.begun(AgeBand::Under14, GuardianRole::Mother, ProofSeen::HouseholdBook);
    site.heard(View::Yes);
    site.signed_and_done();
    site.drive.staff(StaffCommand::WithdrawFor(resident));
    for _ in 0..20 {
        site.drive.deliver().unwrap();
        site.drive.tick();
    }
    let request = receive(site, resident);
    let vault = site.vault();
    let consent = vault.endings_of(resident).unwrap()[0].consent;
    let showing = vault.showings(resident, 10).unwrap()[0].showing;
    drop(vault);
    site.drive.unlock();
    let folder = site.folder.path().join("papers");
    std::fs::create_dir(&folder).unwrap();
    About { resident, request, consent, showing, folder }
}

fn receive(site: &mut Site, resident: ResidentId) -> RequestNo {
    site.drive.staff(StaffCommand::Rights(RightsCommand::Receive {
        resident: Some(resident),
        kind: RequestKind::See,
        came: Came::Phone,
        identity: Identity::NotAsked,
        asker: String::new(),
        words: String::new(),
    }));
    let no = |told: &RightsTold| if let RightsTold::Received(no) = told { Some(*no) } else { None };
    site.drive.rights.iter().rev().find_map(no).unwrap()
}

/// Whether an event tells something of this person: the record, the person behind a request, a paper, the guardian, what was shown.
fn tells(event: &Event, about: &About) -> bool {
    let Event::Staff(event) = event else { return false };
    match event {
        StaffEvent::Opened(view) => view.resident.id == about.resident,
        StaffEvent::Rights(RightsTold::Request(view)) => view.person.is_some() || view.letter.is_some(),
        StaffEvent::Rights(RightsTold::All(_)) => true,
        StaffEvent::Deletion(DeletionEvent::Person(view)) => view.resident == about.resident,
        StaffEvent::Guardian(GuardianEvent::Shown { resident, .. }) => *resident == about.resident,
        StaffEvent::Evidence(EvidenceEvent::Shown(rows)) => !rows.is_empty(),
        StaffEvent::Evidence(EvidenceEvent::ShownAgain(_)) => true,
        // A search says masked names and the unit that was typed; this sample searches elsewhere.
        other => format!("{other:?}").contains("周小雨") || format!("{other:?}").contains("9-101"),
    }
}

fn files(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

fn empty(folder: &Path) {
    for name in files(folder) {
        let path = folder.join(name);
        if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
    }
}

fn give(site: &mut Site, command: StaffCommand) -> Vec<Event> {
    let events = site.drive.desk.handle(Command::Staff(command), SystemClock.now());
    site.drive.hear(events.clone());
    events
}

/// The sample, where the one of the table is refused for its words before anybody is asked about.
fn good(command: StaffCommand) -> StaffCommand {
    match command {
        StaffCommand::Rights(RightsCommand::Refuse { no, .. }) => {
            let words = RefusalWords {
                part: "删除同意记录".into(),
                reason: "同意记录用来证明我们依法办理，依法须留存三年".into(),
                basis: "《个人信息保护法》第四十七条第二款".into(),
            };
            StaffCommand::Rights(RightsCommand::Refuse { no, words })
        }
        other => other,
    }
}

// Shows: N8-18
#[test]
fn m6_no_command_tells_or_writes_anything_of_a_child_before_a_second_person_approved() {
    let mut site = site();
    let about = child(&mut site);
    let before = site.vault().log_len().unwrap();
    site.drive.unlock();
    // What ends the session or the record comes last, so that nothing before it finds the child gone.
    let ends = |name: &str| name.starts_with("close-record") || ["lock", "note-death", "end-site"].contains(&name);
    let mut rows = rows_about(about.clone());
    rows.retain(|(_, may)| !matches!(may, May::Door));
    rows.sort_by_key(|(command, _)| ends(row(command).name));
    let (mut asked, mut waited_for_nobody) = (BTreeSet::new(), 0);
    for (command, may) in rows {
        let name = row(&command).name;
        let supervisor = match may {
            May::Own(roles) | May::Only(roles) => roles.contains(&Role::Supervisor),
            May::Door => false,
        };
        if !supervisor {
            continue;
        }
        empty(&about.folder);
        waited_for_nobody += usize::from(IMMEDIATE.contains(&name));
        let events = give(&mut site, good(command));
        for event in &events {
            assert!(!tells(event, &about), "{name}: {event:?}");
        }
        if !PUBLIC.contains(&name) {
            assert_eq!(files(&about.folder), BTreeSet::new(), "{name}");
        }
        let waits = |event: &Event| {
            let minor = Act::MinorRecord(about.resident);
            matches!(event, Event::Staff(StaffEvent::Operators(OperatorsEvent::ApprovalAsked { act, .. })) if *act == minor)
        };
        if events.iter().any(waits) {
            asked.insert(name);
        }
        site.drive.operators(OperatorsCommand::ApproveNot);
    }
    let expected: BTreeSet<&str> = GIVES.iter().chain(WRITES).copied().collect();
    assert_eq!(asked, expected, "who is asked");
    // What the log has of the child: what waits for nobody, each a look under the name of who did it, and nothing else by staff.
    let vault = site.vault();
    let log = vault.log_records(before, 10_000).unwrap();
    let (child, staff) = (about.resident.to_string(), format!("staff:{}", vault.operator().0));
    let of_child: Vec<&str> =
        log.iter().filter(|r| r.who == staff && r.ids.contains(&child)).map(|r| r.what.as_str()).collect();
    let looks = log.iter().filter(|r| r.what == "resident-opened" && r.ids.contains(&child));
    assert!(looks.clone().all(|look| look.who == staff && look.label.as_deref() == Some("request")));
    assert_eq!((looks.count(), waited_for_nobody), (IMMEDIATE.len(), IMMEDIATE.len()), "{of_child:?}");
    let writes = ["guardian-checked", "ward-marked", "card-issued", "face-thawed", "face-resumed", "died", "deceased"];
    assert!(!of_child.iter().any(|what| writes.contains(what)), "{of_child:?}");
    assert_eq!(vault.has_died(about.resident), Ok(false));
}

#[test]
fn m6_what_is_written_about_a_child_goes_on_once_the_second_person_has_opened_the_record() {
    let mut site = site();
    let about = child(&mut site);
    let check = |name: &str| {
        let (resident, name) = (about.resident, name.to_owned());
        let (role, proof, phone) = (GuardianRole::Mother, ProofSeen::HouseholdBook, String::new());
        StaffCommand::Guardian(GuardianCommand::Check { resident, name, role, proof, phone })
    };
    let checked = |events: &[Event]| {
        events.iter().any(|event| matches!(event, Event::Staff(StaffEvent::Guardian(GuardianEvent::Checked))))
    };
    let events = give(&mut site, check("王秀兰"));
    assert!(!checked(&events) && site.drive.asked.is_some());
    let events = approve(&mut site);
    assert!(checked(&events), "in one go, nothing is typed twice");
    assert!(site.drive.opened.is_some());
    // The record is open with two people by now: what follows at the counter takes no second passphrase.
    for command in [check("王秀兰"), StaffCommand::Deletion(DeletionCommand::ResumeFor(about.resident))] {
        give(&mut site, command);
        assert_eq!(site.drive.asked, None);
    }
    site.drive.issue(about.resident, 1).unwrap();
    assert_eq!(site.drive.asked, None);
    // The approval named the child, masked, and their unit.
    site.drive.staff(StaffCommand::CloseResident);
    let events = give(&mut site, check("王秀兰"));
    let told = events.iter().find_map(|event| match event {
        Event::Staff(StaffEvent::Operators(OperatorsEvent::ApprovalAsked { about, .. })) => Some(about.clone()),
        _ => None,
    });
    assert_eq!(told, Some(Concerned::Person { masked: "周**".into(), unit: "9-101".into() }));
    assert!(!format!("{told:?}").contains("9-101"), "and no log of this program says whose");
}

/// The same commands give it once the second supervisor has approved, in one go: nothing is typed twice, and a request can be decided.
#[test]
fn m6_what_waited_for_the_second_person_is_done_once_they_approved() {
    let mut site = site();
    let about = child(&mut site);
    for name in GIVES {
        // A letter needs a refusal, and a decided request is decided once.
        let request = match *name {
            "save-letter" => about.request,
            _ => receive(&mut site, about.resident),
        };
        let about = About { request, ..about.clone() };
        if *name == "save-letter" {
            site.drive.staff(good(StaffCommand::Rights(RightsCommand::Refuse {
                no: request,
                words: RefusalWords::default(),
            })));
            site.drive.approve();
            site.drive.staff(StaffCommand::CloseResident);
        }
        empty(&about.folder);
        let (command, _) =
            rows_about(about.clone()).into_iter().find(|(command, _)| row(command).name == *name).unwrap();
        give(&mut site, good(command));
        assert_eq!(site.drive.opened, None, "{name}");
        let (told, failures) = (site.drive.rights.len(), site.drive.failures.len());
        site.drive.approve();
        assert!(site.drive.failures.len() == failures, "{name}: {:?}", site.drive.failures);
        let given = site.drive.opened.is_some() || !files(&about.folder).is_empty();
        assert!(given, "{name}: nothing came of the approval");
        if matches!(*name, "open-request" | "grant-request" | "refuse-request") {
            let request = site.drive.rights[told..].iter().find_map(|told| match told {
                RightsTold::Request(view) => Some(view.clone()),
                _ => None,
            });
            let request = request.unwrap_or_else(|| panic!("{name}: the request is not shown"));
            assert_eq!(request.person, Some(("周小雨".into(), "9-101".into())));
        }
        site.drive.staff(StaffCommand::CloseResident);
    }
    let vault = site.vault();
    let log = vault.log_records(0, 10_000).unwrap();
    let count = |what: &str| log.iter().filter(|record| record.what == what).count();
    // One more for the letter's refusal, and one for the guardian at the beginning. A withdrawal by telephone and requests that were taken in
    // are looks too, and waited for nobody.
    let (two_people, nobody) = (GIVES.len() + 2, 1 + GIVES.len());
    assert_eq!(
        (count("approved"), count("resident-opened")),
        (two_people, two_people + nobody),
        "every look at the record took two people"
    );
}

#[test]
fn a_name_stands_beside_a_gates_number_only_with_a_second_person_a_reason_and_out_loud() {
    let mut site = site();
    let about = child(&mut site);
    let mut vault = site.vault();
    let own = vault.everything_held(about.resident, Given::Electronic, false, SystemClock.now()).unwrap();
    let number = own.consents[0].random_number.clone();
    drop(vault);
    site.drive.unlock();

    // What staff see of everything held has the name, and says where the number is.
    give(&mut site, StaffCommand::Rights(RightsCommand::SeeAll(about.resident)));
    let events = approve(&mut site);
    let text = events.iter().find_map(|event| match event {
        Event::Staff(StaffEvent::Rights(RightsTold::All(all))) => Some(all.0.markdown.clone()),
        _ => None,
    });
    let text = text.expect("everything held");
    assert!(text.contains("周小雨") && text.contains("只写在您本人的副本和本人屏幕上"), "{text}");
    assert!(!text.contains(&number) && !text.contains(&number[..8]), "the number is not on the staff window");
    assert_eq!(joins(&events), None);
    // The person's own paper is whole: staff make it, and that is said aloud.
    let path = about.folder.join("own.json");
    let events =
        give(&mut site, StaffCommand::Rights(RightsCommand::SaveCopy { resident: about.resident, path: path.clone() }));
    assert!(std::fs::read_to_string(&path).unwrap().contains(&number));
    assert_eq!(joins(&events), Some(Some(1)));
    site.drive.staff(StaffCommand::CloseResident);

    // From a number to a name: a second person, whatever the reason; a number that nobody has says nothing.
    let ask =
        |digits: &str| StaffCommand::Relay(RelayCommand::WhoseNumber { digits: digits.into(), why: JoinWhy::Repair });
    let is_told = |events: &[Event]| {
        events.iter().find_map(|event| match event {
            Event::Staff(StaffEvent::Relay(RelayEvent::Joined(rows))) => Some(rows.clone()),
            _ => None,
        })
    };
    for unread in ["", "0a1b", "not a number"] {
        let events = give(&mut site, ask(unread));
        assert!(is_told(&events).is_none() && site.drive.asked.is_none(), "{unread}");
    }
    let events = give(&mut site, ask(&number[..8]));
    assert_eq!(is_told(&events), None, "not before a second person approved");
    let events = approve(&mut site);
    let rows = is_told(&events).expect("whose it is");
    assert_eq!(
        (rows[0].number.as_str(), rows[0].name.as_str(), rows[0].unit.as_str()),
        (number.as_str(), "周小雨", "9-101")
    );
    assert_eq!(joins(&events), Some(Some(2)), "every staff page says so");
    assert!(!format!("{events:?}").contains("周小雨"), "and no log of this program does");

    // On the sheet, and then the line goes; not for a week in which it was not.
    let events = give(&mut site, StaffCommand::Operators(OperatorsCommand::ShowLooks(1)));
    assert_eq!(joins(&events), Some(Some(2)));
    let (row, left) = sheet(&give(&mut site, StaffCommand::Operators(OperatorsCommand::ShowLooks(0))));
    // The withdrawal and the request at the beginning, and everything held.
    assert_eq!((row.joined, row.given, row.by_why[2]), (2, 2, 3), "{row:?}");
    assert_eq!(left, Some(None));
    site.drive.staff(StaffCommand::Find { query: "9-101".into() });
    give(&mut site, StaffCommand::Rights(RightsCommand::Open(about.request)));
    approve(&mut site);
    let (row, _) = sheet(&give(&mut site, StaffCommand::Operators(OperatorsCommand::ShowLooks(0))));
    assert_eq!((row.searches, row.requests, row.people), (1, 1, 1), "{row:?}");

    let vault = site.vault();
    let log = vault.log_records(0, 10_000).unwrap();
    let joined: Vec<_> = log.iter().filter(|record| record.what == "number-joined").collect();
    let labels: Vec<_> = joined.iter().filter_map(|record| record.label.as_deref()).collect();
    assert_eq!(labels, ["join-copy", "join-repair"]);
    let approved = log.iter().filter(|r| r.what == "approved" && r.label.as_deref() == Some("join-number"));
    assert_eq!(approved.count(), 1);
    assert!(joined.iter().all(|record| record.ids == [about.resident.to_string()]));
}

/// The practice facts with another telephone number.
fn other_facts(phone: &str) -> SiteFacts {
    let mut facts = facts();
    facts.set(Fact::ContactPhone, phone);
    facts
}

fn facts_now(site: &mut Site) -> String {
    let vault = site.vault();
    let phone = vault.facts().unwrap().get(Fact::ContactPhone).to_owned();
    drop(vault);
    site.drive.unlock();
    phone
}

#[test]
fn the_sites_facts_change_with_a_second_person_who_sees_what_changes() {
    let mut site = site();
    let before = facts_now(&mut site);
    // Each of the three ways in.
    let file = site.folder.path().join("site.cose");
    let (language, path) = (Language::Chinese, file.clone());
    site.drive.staff(StaffCommand::Notice(NoticeCommand::Save { paper: Paper::SiteFile, language, path }));
    let ways = [
        StaffCommand::SaveFacts(other_facts("021-60000001")),
        StaffCommand::Notice(NoticeCommand::SaveFactsAnyway(other_facts("021-60000001"))),
    ];
    for way in ways {
        let events = give(&mut site, way);
        let about = events.iter().find_map(|event| match event {
            Event::Staff(StaffEvent::Operators(OperatorsEvent::ApprovalAbout(changed))) => Some(changed.clone()),
            _ => None,
        });
        assert_eq!(about, Some(vec![(Fact::ContactPhone, "021-60000001".to_owned())]));
        assert_eq!(facts_now(&mut site), before);
    }
    give(&mut site, StaffCommand::SaveFacts(other_facts("021-60000001")));
    approve(&mut site);
    assert_eq!(facts_now(&mut site), "021-60000001");
    // The earlier file put back is a change like any other; the same facts again are none.
    give(&mut site, StaffCommand::Notice(NoticeCommand::LoadSiteFile(file)));
    assert_eq!(facts_now(&mut site), "021-60000001");
    give(&mut site, StaffCommand::SaveFacts(other_facts("021-60000001")));
    assert_eq!((site.drive.asked.take().is_some(), facts_now(&mut site).as_str()), (true, "021-60000001"));
    give(&mut site, StaffCommand::SaveFacts(other_facts("021-60000001")));
    assert_eq!(site.drive.asked, None, "nothing changes, nobody is asked");
    // Below the desk too.
    let mut vault = site.vault();
    let now = SystemClock.now();
    assert_eq!(vault.record_facts(&other_facts("021-60000002"), None, now), Err(VaultError::ApprovalNeeded));
    let others = vault.approvers(now).unwrap();
    let other = vault.approve(Act::ExportLog, others[0].0, &Passphrase::new(PASSPHRASE.into()), now).unwrap();
    assert_eq!(vault.record_facts(&other_facts("021-60000002"), Some(other), now), Err(VaultError::ApprovalNeeded));
    let gate = vault.gates().unwrap()[0].id;
    let by = Actor::Staff(vault.operator().0);
    assert_eq!(vault.retire_gate(gate, by, None, now), Err(VaultError::ApprovalNeeded));
    assert_eq!(vault.resume_faces(None, by, None, now), Err(VaultError::ApprovalNeeded));
}

/// Makes a command anew: they are moved.
type Give<'a> = Box<dyn Fn() -> StaffCommand + 'a>;

#[test]
fn what_concerns_everybody_takes_two_and_stopping_takes_one() {
    let mut site = site();
    let gate = site.drive.gates[0].id;
    let papers = site.folder.path().join("bulk");
    std::fs::create_dir(&papers).unwrap();
    let typed = IncidentTyped {
        happened_at: SystemClock.now().plus_ms(-3_600_000).minute_text(),
        answers: [
            "门禁机外壳被人撬开".into(),
            "防拆开关失灵，正在查".into(),
            "可能有人取走机内数据".into(),
            "已停用人脸，封存设备，报警".into(),
            "留意冒用您身份的来电".into(),
        ],
        kinds: vec![DataKind::Face],
        gates: vec![gate],
        larger: false,
    };
    give(&mut site, StaffCommand::Duties(DutiesCommand::Incident(IncidentCommand::Enter(Box::new(typed)))));
    assert!(site.drive.asked.is_none() && site.drive.failures.is_empty(), "{:?}", site.drive.failures);
    let letters = |papers: &Path| {
        let folder = papers.join("letters-out");
        StaffCommand::Duties(DutiesCommand::Incident(IncidentCommand::SaveLetters { number: 1, folder }))
    };
    let export = |papers: &Path| {
        let (authority, case_number) = ("公安".to_owned(), "1".to_owned());
        StaffCommand::Evidence(EvidenceCommand::Export { authority, case_number, path: papers.join("log.jsonl") })
    };
    let deletion = |command| StaffCommand::Deletion(command);
    let stopped = |site: &mut Site| {
        let vault = site.vault();
        let (stopped, gates) = (vault.faces_stopped().unwrap().len(), vault.gates().unwrap().len());
        drop(vault);
        site.drive.unlock();
        (stopped, gates)
    };
    assert_eq!(stopped(&mut site), (1, 1), "an incident stops faces, entered by one");
    let acts: [(Act, Give<'_>); 5] = [
        (Act::IncidentLetters(1), Box::new(|| letters(&papers))),
        (Act::ExportLog, Box::new(|| export(&papers))),
        (Act::ResumeFaces(Some(gate)), Box::new(|| deletion(DeletionCommand::ResumeFaces(Some(gate))))),
        (Act::ResumeFaces(None), Box::new(|| deletion(DeletionCommand::ResumeFaces(None)))),
        (Act::RetireGate(gate), Box::new(|| deletion(DeletionCommand::RetireGate(gate)))),
    ];
    for (act, command) in &acts {
        let events = give(&mut site, command());
        let asked = events.iter().find_map(|event| match event {
            Event::Staff(StaffEvent::Operators(OperatorsEvent::ApprovalAsked { act, .. })) => Some(*act),
            _ => None,
        });
        assert_eq!(asked, Some(*act));
        give(&mut site, StaffCommand::Operators(OperatorsCommand::ApproveNot));
        site.drive.asked = None;
    }
    assert_eq!((files(&papers), stopped(&mut site)), (BTreeSet::new(), (1, 1)), "nothing is done before");
    for (act, command) in acts.iter().filter(|(act, _)| *act != Act::ResumeFaces(None)) {
        give(&mut site, command());
        approve(&mut site);
        assert_eq!(site.drive.failures, vec![], "{act:?}");
    }
    assert!(papers.join("log.jsonl").exists() && papers.join("letters-out").exists());
    assert_eq!(stopped(&mut site).0, 0);
    let (row, _) = sheet(&give(&mut site, StaffCommand::Operators(OperatorsCommand::ShowLooks(0))));
    assert_eq!(row.bulk, 2, "the letters and the log, on the weekly sheet: {row:?}");
    let vault = site.vault();
    let log = vault.log_records(0, 10_000).unwrap();
    let approved: Vec<_> = log.iter().filter(|r| r.what == "approved").filter_map(|r| r.label.as_deref()).collect();
    assert_eq!(approved, ["incident-letters", "export-log", "resume-faces", "retire-gate"]);
    let alone = |label: &str| log.iter().any(|r| r.what == "done-alone" && r.label.as_deref() == Some(label));
    assert!(!approved.iter().any(|label| alone(label)), "there was somebody to ask");
}

/// A site with one supervisor works on; what is done alone is written down as that.
#[test]
fn a_site_with_one_supervisor_works_on_and_the_log_says_that_it_was_done_alone() {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemClock.now();
    let secret = Passphrase::new(PASSPHRASE.into());
    let mut vault = Vault::create(folder.path(), Realm::Practice, "主管甲", &secret, &facts(), now, CHEAP).unwrap();
    vault.record_facts(&other_facts("021-60000003"), None, now).unwrap();
    vault.second_person(Act::ExportLog, None, now).unwrap();
    vault.second_person(Act::IncidentLetters(1), None, now).unwrap();
    assert_eq!(vault.second_person(Act::JoinNumber(1), None, now), Err(VaultError::ApprovalNeeded));
    assert_eq!(vault.second_person(Act::EndSite, None, now), Err(VaultError::ApprovalNeeded));
    let log = vault.log_records(0, 100).unwrap();
    let alone: Vec<_> = log.iter().filter(|r| r.what == "done-alone").filter_map(|r| r.label.as_deref()).collect();
    assert_eq!(alone, ["change-site", "export-log", "incident-letters"]);
}
