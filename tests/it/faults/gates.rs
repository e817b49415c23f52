//! Gates that refuse, change their key, belong to the other realm, or are away.

use std::time::Duration;

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::deletion::DeletionCommand;
use menka::app::desk::{Desk, DeskConfig, Devices};
use menka::app::event::StaffEvent;
use menka::app::event::{Failure, ResidentScene};
use menka::app::pairing::{GateWords, PairingCommand, PairingFailure};
use menka::domain::notice::Language;
use menka::ports::{LinkError, PairError};
use menka::practice::site::ShownCode;
use menka::practice::site::{KDF, facts};
use menka::practice::{Controls, PictureCamera, PracticeReader};
use menka::secret::PairingCode;
use menka::wire::message::Refusal;

use super::*;

fn pass_later(site: &mut Site, seconds: i64) {
    let later = SystemClock.now().plus_ms(seconds * 1_000);
    site.drive.courier.as_mut().unwrap().pass(later).unwrap();
    site.drive.tick();
}

#[test]
fn a_gate_of_another_engine_refuses_and_the_other_gate_holds_the_face() {
    let mut site = site_in(tempfile::tempdir().unwrap(), &[&["--engine", "dlib"], &[]]);
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. } | ResidentScene::Ended { .. });
    site.drive.until("the try", Duration::from_secs(40), tries).unwrap();
    assert_eq!(site.drive.failures, vec![Failure::Refused("东门".into(), Refusal::Engine)]);
    site.drive.resident(ResidentCommand::Finish);
    let ResidentScene::Done { receipt, .. } = &site.drive.scene else { panic!("{:?}", site.drive.scene) };
    assert_eq!((&receipt.gates[..], &receipt.away[..]), (&["西门".to_owned()][..], &["东门".to_owned()][..]));
    assert_eq!((site.gates[0].faces().unwrap(), site.gates[1].faces().unwrap()), (0, 1));
    site.assert_card_opens(0);
}

#[test]
fn when_every_gate_refuses_the_same_consent_may_try_again_and_a_stop_ends_it() {
    let mut site = site_in(tempfile::tempdir().unwrap(), &[&["--engine", "dlib"]]);
    let resident = site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    site.drive.read_and_consent().unwrap();
    site.drive.until("the end", Duration::from_secs(40), |d| ended(&d.scene).is_some()).unwrap();
    let refused = Failure::Refused("东门".into(), Refusal::Engine);
    assert_eq!(ended(&site.drive.scene), Some((Some(refused), true)));
    site.assert_dark();
    site.drive.resident(ResidentCommand::Stop);
    assert_eq!(ended(&site.drive.scene), Some((None, false)));
    site.assert_card_opens(0);
    let vault = site.vault();
    assert_eq!(vault.current_consent(resident).unwrap(), None);
}

// Shows: J10a
#[test]
fn a_gate_for_cards_only_takes_the_card_and_is_never_offered_a_face() {
    let mut site = site_in(tempfile::tempdir().unwrap(), &[&["--cards-only"]]);
    site.resident("周", 0);
    site.assert_card_opens(0);
    site.drive
        .until("the idle screen", Duration::from_secs(2), |d| matches!(d.scene, ResidentScene::Idle { .. }))
        .unwrap();
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }));
    site.drive.resident(ResidentCommand::AskFace);
    assert!(
        matches!(site.drive.scene, ResidentScene::Idle { .. }),
        "the button is not there, and the command does nothing"
    );
}

#[test]
fn a_changed_key_stops_the_gate_until_staff_pair_it_again() {
    let mut site = site_in(tempfile::tempdir().unwrap(), &[&[], &["--cards-only"]]);
    let zhou = site.resident("周", 0);
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }));
    let address = site.gates[0].address.clone();
    site.gates[0].kill();
    std::fs::remove_dir_all(&site.gates[0].folder).unwrap();
    site.gates[0] = start_gate(site.folder.path(), 0);
    site.gates[0].restart(&address).unwrap();
    pass_later(&mut site, 6);
    let east = |d: &Drive| d.gates.iter().find(|g| g.name == "东门").cloned().unwrap();
    assert!(east(&site.drive).key_changed && !east(&site.drive).reachable);
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }), "face entry is off");

    // Cards of the other gate go on; nothing goes to the stranger.
    let wu = site.drive.add("吴", "2-2").unwrap();
    site.drive.issue(wu, 1).unwrap();
    assert!(site.gates[1].opens_for(&uid(1)).unwrap());
    assert!(!site.gates[0].opens_for(&uid(1)).unwrap());
    assert_eq!(east(&site.drive).name, "东门");

    // Staff pair the new key; the card is issued for it; the whole way works.
    let old = east(&site.drive).id;
    let fresh = &site.gates[0];
    site.drive.pair(fresh, "新东门");
    assert_eq!(site.drive.failures, vec![]);
    pass_later(&mut site, 12);
    let gates = site.drive.gates.iter().map(|g| g.id).filter(|id| *id != old).collect();
    site.drive.staff(StaffCommand::IssueCard { resident: zhou, uid: uid(0), gates });
    pass_later(&mut site, 18);
    site.drive.tick();
    site.assert_card_opens(0);
    site.drive.staff(StaffCommand::CloseResident);
    site.assert_enrolls(0);
    assert_eq!(site.gates[0].faces().unwrap(), 1);
}

#[test]
fn a_stopped_gate_stays_stopped_when_its_old_key_is_back() {
    let mut site = site(1);
    site.drive.add_colleague();
    site.resident("周", 0);
    let (address, folder) = (site.gates[0].address.clone(), site.gates[0].folder.clone());
    let kept = site.folder.path().join("kept");
    site.gates[0].kill();
    std::fs::rename(&folder, &kept).unwrap();
    let mut stranger = start_gate(site.folder.path(), 0);
    stranger.restart(&address).unwrap();
    pass_later(&mut site, 6);
    assert!(site.drive.gates[0].key_changed);
    stranger.kill();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::rename(&kept, &folder).unwrap();
    site.gates[0].restart(&address).unwrap();
    pass_later(&mut site, 12);
    assert!(site.drive.gates[0].key_changed, "only staff lift a stop");
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }));
    // Paired again, what waited goes.
    let wu = site.drive.add("吴", "2-2").unwrap();
    site.drive.issue(wu, 1).unwrap();
    assert!(!site.gates[0].opens_for(&uid(1)).unwrap());
    site.drive.pair(&site.gates[0], "东门");
    assert!(site.drive.gates[0].key_changed, "not by one person");
    site.drive.approve();
    pass_later(&mut site, 18);
    assert!(!site.drive.gates[0].key_changed && site.drive.gates[0].reachable);
    site.assert_card_opens(1);
    site.drive.staff(StaffCommand::CloseResident);
    site.assert_enrolls(0);
}

#[test]
fn a_gate_that_is_away_at_hand_over_is_named_and_the_other_holds_the_face() {
    let mut site = site(2);
    site.resident("周", 0);
    site.camera_on_nobody(0);
    site.gates[1].kill();
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. } | ResidentScene::Ended { .. });
    site.drive.until("the try", Duration::from_secs(40), tries).unwrap();
    site.drive.resident(ResidentCommand::TryGate);
    let done = |d: &Drive| matches!(d.scene, ResidentScene::Done { .. } | ResidentScene::Ended { .. });
    site.drive.until("the answer", Duration::from_secs(40), done).unwrap();
    let ResidentScene::Done { receipt, recognised: true, .. } = &site.drive.scene else {
        panic!("{:?}", site.drive.scene)
    };
    assert_eq!((&receipt.gates[..], &receipt.away[..]), (&["东门".to_owned()][..], &["西门".to_owned()][..]));
    assert_eq!(site.drive.failures, vec![Failure::Link("西门".into(), LinkError::Away)]);
    assert!(site.gates[0].knows(0).unwrap());
}

#[test]
fn with_every_gate_away_the_camera_stays_dark_and_the_consent_may_try_again() {
    let mut site = site(2);
    site.resident("周", 0);
    site.drive.ask_for_face(0).unwrap();
    let addresses: Vec<String> = site.gates.iter().map(|g| g.address.clone()).collect();
    site.gates.iter_mut().for_each(GateProcess::kill);
    site.drive.read_and_consent().unwrap();
    assert_eq!(ended(&site.drive.scene), Some((Some(Failure::Link("西门".into(), LinkError::Away)), true)));
    assert_eq!(site.drive.previews, 0);
    // The gates come back: the same consent goes on.
    for (gate, address) in site.gates.iter_mut().zip(&addresses) {
        gate.restart(address).unwrap();
    }
    site.drive.resident(ResidentCommand::TryAgain);
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. });
    site.drive.until("the try", Duration::from_secs(40), tries).unwrap();
}

/// A desk of its own realm over an empty folder, without a Drive.
fn real_desk(folder: &std::path::Path, realm: Realm) -> Desk {
    let controls = Controls::default();
    let devices = Devices {
        camera: Box::new(PictureCamera::new(vec![], controls.clone())),
        engine: face::engine_for(EngineKind::Sface, &models(), &gate_program()),
        reader: Box::new(PracticeReader::new(controls)),
        speech: Box::new(menka::speech::SystemSpeech::new()),
        printer: Box::new(menka::printing::SystemPrinter::new()),
        link: menka::practice::drive::tls_links(),
        boards: menka::boards::links(),
        posture: menka::posture::this_machine(folder),
        chip: menka::chip::none(),
    };
    Desk::new(DeskConfig { data_dir: folder.to_owned(), realm, kdf: KDF.into() }, devices)
}

fn failures(events: &[Event]) -> Vec<Failure> {
    let failed = |event: &Event| match event {
        Event::Staff(StaffEvent::Failed(failure)) => Some(failure.clone()),
        _ => None,
    };
    events.iter().filter_map(failed).collect()
}

fn unlock_events(folder: &std::path::Path, realm: Realm) -> (Vec<Failure>, Vec<Failure>, bool) {
    let mut desk = real_desk(folder, realm);
    let start = failures(&desk.start(SystemClock.now()));
    let unlock =
        failures(&desk.handle(
            Command::Staff(StaffCommand::Unlock { account: None, passphrase: passphrase() }),
            SystemClock.now(),
        ));
    (start, unlock, desk.is_locked())
}

fn create(desk: &mut Desk) -> Vec<Event> {
    let mut events = desk.start(SystemClock.now());
    let command = StaffCommand::CreateVault { operator: "前台".into(), passphrase: passphrase(), facts: facts() };
    events.extend(desk.handle(Command::Staff(command), SystemClock.now()));
    let rules = [
        OperatorsCommand::ReadRules(Language::Chinese),
        OperatorsCommand::RulesReachedEnd,
        OperatorsCommand::SignRules("前台".into()),
    ];
    for command in rules {
        events.extend(desk.handle(Command::Staff(StaffCommand::Operators(command)), SystemClock.now()));
    }
    events
}

#[test]
fn vaults_of_the_other_realm_stay_shut_both_ways() {
    for (made, other) in [(Realm::Practice, Realm::Real), (Realm::Real, Realm::Practice)] {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = real_desk(folder.path(), made);
        assert_eq!(failures(&create(&mut desk)), vec![]);
        drop(desk);
        let refused = vec![Failure::OtherRealm];
        assert_eq!(unlock_events(folder.path(), other), (refused.clone(), refused, true));
        // Nothing was counted or changed: the right program opens it at once.
        assert_eq!(unlock_events(folder.path(), made), (vec![], vec![], false));
    }
}

#[test]
fn gates_of_the_other_realm_are_not_paired_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    for (desk_realm, gate_realm) in [(Realm::Real, Realm::Practice), (Realm::Practice, Realm::Real)] {
        let mut desk = real_desk(&folder.path().join(format!("desk-for-{}", gate_realm.label())), desk_realm);
        create(&mut desk);
        let gate = RawGate::start(&folder.path().join(format!("gate-{}", gate_realm.label())), gate_realm);
        let events = desk.handle(Command::Staff(gate.pairing()), SystemClock.now());
        let refused = PairingFailure::Gate("东门".into(), PairError::Link(LinkError::OtherRealm));
        assert_eq!(failures(&events), vec![Failure::Pairing(refused)], "{gate_realm:?}");
    }
}

/// A gate of any realm, which shows a code.
struct RawGate(std::process::Child, String, ShownCode);

impl RawGate {
    fn start(folder: &std::path::Path, realm: Realm) -> Self {
        use std::io::{BufRead, BufReader};
        init_gate(folder, realm.label(), &[]);
        let data = folder.to_string_lossy().into_owned();
        let run = ["run", "--data", &data, "--realm", realm.label(), "--listen", "127.0.0.1:0", "--until-stdin-closes"];
        let mut child = std::process::Command::new(gate_program())
            .args(run)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening: ").unwrap().to_owned();
        let shown = ShownCode::at(&gate_program(), folder, realm).unwrap();
        Self(child, address, shown)
    }

    fn pairing(&self) -> StaffCommand {
        let words = GateWords { name: "东门".into(), ..GateWords::default() };
        let (address, code) = (self.1.clone(), PairingCode::parse(&self.2.code));
        StaffCommand::Pairing(PairingCommand::Pair { words, address, code })
    }
}

impl Drop for RawGate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

// Shows: P19
#[test]
fn a_gate_that_goes_on_for_longer_than_the_notice_says_keeps_face_entry_off_until_it_is_put_right() {
    let mut site = site(1);
    site.resident("周", 0);
    assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }));
    let place = menka::gate::place::Place::new(&site.gates[0].folder, None);
    let older = |sql: &str| assert!(place.open_beside(Realm::Practice).unwrap().execute_for_a_test(sql));
    let limits = |more: &[&str]| {
        let (program, folder) = (gate_program(), place.folder().to_string_lossy().into_owned());
        let args = [&["limits", "--realm", "practice", "--data", &folder], more].concat();
        std::process::Command::new(program).args(args).output().unwrap()
    };
    // As a gate of an earlier version could be set up; this one takes no such number.
    assert!(!limits(&["--offline-hours", "25"]).status.success());
    assert!(!limits(&["--passlog-days", "31"]).status.success());
    for (at, (sql, mended)) in [
        ("UPDATE settings SET offline_hours = 720", ["--offline-hours", "24"]),
        ("PRAGMA ignore_check_constraints = ON; UPDATE settings SET passlog_days = 31", ["--passlog-days", "30"]),
    ]
    .into_iter()
    .enumerate()
    {
        older(sql);
        let later = i64::try_from(at).unwrap() * 40;
        pass_later(&mut site, later + 6);
        let terms = site.drive.gates[0].terms;
        assert_eq!((terms.lease_too_long, terms.passlog_too_long), (at == 0, at == 1), "said of the gate");
        assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: false, .. }), "{sql}");
        site.drive.resident(ResidentCommand::AskFace);
        assert!(matches!(site.drive.scene, ResidentScene::Idle { .. }), "no camera: {:?}", site.drive.scene);
        site.assert_card_opens(0);
        let said = limits(&mended);
        assert!(said.status.success() && String::from_utf8_lossy(&said.stdout).contains("(was "), "{said:?}");
        pass_later(&mut site, later + 14);
        if at == 0 {
            // Its faces were stopped, and a supervisor takes them up again.
            let gate = site.drive.gates[0].id;
            site.drive.staff(StaffCommand::Deletion(DeletionCommand::ResumeFaces(Some(gate))));
        }
        pass_later(&mut site, later + 20);
        assert!(site.drive.gates[0].terms.are_kept());
        assert!(matches!(site.drive.scene, ResidentScene::Idle { face_offered: true, .. }), "{sql}");
    }
    site.assert_enrolls(0);
}
