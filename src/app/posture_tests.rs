//! What happens at the desk when its machine changes: real vault, real gate over TLS, practice camera; the engine and the machine are
//! played. A practice visit is made to count as a real one once the camera is on, since a real one cannot be begun on this machine.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::command::{Command, ResidentCommand, StaffCommand};
use super::enroll::Flow;
use super::event::{Failure, ResidentScene};
use super::posture::{CHECK_EVERY_MS, PostureCommand};
use super::runner::SystemClock;
use crate::domain::Realm;
use crate::domain::consent::Warrant;
use crate::domain::permit::{Blocker, Condition};
use crate::domain::posture::{
    CameraSeen, Check, FileAccess, Grade, Helper, HelperKind, HelperSeen, Login, MACHINE, MachineFacts, Reading,
    Storage,
};
use crate::domain::quality::{FaceBox, Look};
use crate::domain::time::Timestamp;
use crate::gate::daemon::Gate;
use crate::gate::key_file::Cost;
use crate::gate::pairing;
use crate::gate::place::Place;
use crate::gate::server::Server;
use crate::gate::store::Setup;
use crate::ports::{Clock, FaceEngine, FaceError, Posture};
use crate::practice::drive::Drive;
use crate::practice::site::PASSPHRASE;
use crate::practice::{Controls, PictureCamera, PracticeAct};
use crate::secret::{EngineId, FaceTemplate, Frame, PairingCode, Passphrase, TEMPLATE_LEN};

type Facts = Arc<Mutex<MachineFacts>>;

/// A machine that is as the test says.
struct MachineThatChanges(Facts);

impl Posture for MachineThatChanges {
    fn check(&mut self) -> MachineFacts {
        self.0.lock().unwrap().clone()
    }

    fn is_apart(&self, _path: &std::path::Path) -> bool {
        false
    }
}

/// An engine that sees one face that turns, always the same, or nobody.
struct EngineThatSees(Arc<AtomicBool>, usize);

impl FaceEngine for EngineThatSees {
    fn engine(&self) -> EngineId {
        EngineId::sface()
    }

    fn wake(&mut self) -> Result<(), FaceError> {
        Ok(())
    }

    fn locate(&mut self, _warrant: Warrant<'_>, _frame: &Frame) -> Result<Look, FaceError> {
        // The head turns to one side and to the other, two frames each.
        self.1 += 1;
        let nose = [320.0, 320.0, 334.0, 334.0, 306.0, 306.0][self.1 % 6];
        let landmarks = [(280.0, 210.0), (360.0, 210.0), (nose, 250.0), (290.0, 300.0), (350.0, 300.0)];
        let face = FaceBox { x: 230.0, y: 130.0, width: 180.0, height: 220.0, score: 0.9, landmarks };
        let faces = if self.0.load(Ordering::SeqCst) { vec![face] } else { vec![] };
        Ok(Look { frame: (640, 480), faces, luma: 120.0, contrast: 40.0, sharpness: 200.0 })
    }

    fn extract(&mut self, _: Warrant<'_>, _: Frame, _: &FaceBox) -> Result<FaceTemplate, FaceError> {
        let mut vector = [0.0; TEMPLATE_LEN];
        vector[0] = 1.0;
        FaceTemplate::from_unit_vector(EngineId::sface(), &mut vector).ok_or(FaceError::Unsound)
    }

    fn rest(&mut self) {}
}

fn sound() -> MachineFacts {
    MachineFacts {
        system: "a machine".into(),
        routes_out: Reading::Seen(vec![]),
        public_addresses: Reading::Seen(vec![]),
        helpers: Reading::Seen(vec![]),
        data_disk: Reading::Seen(Storage::Encrypted),
        plain_swaps: Reading::Seen(vec![]),
        login: Reading::Seen(Login { without_password: 0, own_has_password: true, automatic: vec![] }),
        screen_locks: Reading::Seen(true),
        cameras: Reading::Seen(vec![CameraSeen { name: "HD".into(), place: "usb".into(), is_virtual: false }]),
        uptime_ms: Reading::Unread,
        free_bytes: Reading::Seen(9 << 30),
        files: Reading::Seen(FileAccess::default()),
    }
}

type Spoil = fn(&mut MachineFacts);

/// One fault for each condition of the machine.
const FAULTS: [(Blocker, Spoil); 5] = [
    (Blocker::InternetRoute, |f| f.routes_out = Reading::Seen(vec!["wlan0".into()])),
    (Blocker::RemoteHelp, |f| {
        let todesk = Helper { name: "ToDesk".into(), kind: HelperKind::RemoteHelp, seen: HelperSeen::Runs };
        f.helpers = Reading::Seen(vec![todesk]);
    }),
    (Blocker::DiskEncryption, |f| f.plain_swaps = Reading::Seen(vec!["sda3".into()])),
    (Blocker::LoginPassword, |f| f.login = Reading::Unread),
    (Blocker::MachineState, |f| f.files = Reading::Seen(FileAccess { open_to_others: 1, of_others: 0 })),
];

pub(super) struct Site {
    pub drive: Drive,
    machine: Facts,
    pub face: Arc<AtomicBool>,
    _gate: Server,
    _folder: tempfile::TempDir,
}

/// A practice desk with one gate and one resident whose card works.
pub(super) fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let machine: Facts = Arc::new(Mutex::new(sound()));
    let face = Arc::new(AtomicBool::new(false));
    let controls = Controls::default();
    let camera = Box::new(PictureCamera::new(vec![], controls.clone()));
    let engine = Box::new(EngineThatSees(Arc::clone(&face), 0));
    let posture = Box::new(MachineThatChanges(Arc::clone(&machine)));
    let mut drive = Drive::with_machine(folder.path(), engine, camera, controls, (Realm::Practice, posture));
    drive.create();
    let place = Place::new(&folder.path().join("gate"), None);
    let setup = Setup { realm: Realm::Practice, ..Setup::default() };
    place.init(&setup, Cost { memory_kib: 64, passes: 1, lanes: 1 }, SystemClock.now()).unwrap();
    let gate = Gate::open_without_relay(&place, Realm::Practice).unwrap();
    let code = PairingCode::make();
    pairing::show(&place.open_beside(Realm::Practice).unwrap(), &code, SystemClock.now()).unwrap();
    let gate = Server::start(gate, "127.0.0.1:0".parse().unwrap(), Box::new(SystemClock)).unwrap();
    drive.pair_by(&code.grouped(), &gate.address().to_string(), "东门");
    drive.assess();
    drive.deliver().unwrap();
    drive.tick();
    let resident = drive.add("王小明", "1-101").unwrap();
    drive.issue(resident, 0).unwrap();
    drive.staff(StaffCommand::CloseResident);
    assert_eq!(drive.failures, vec![]);
    Site { drive, machine, face, _gate: gate, _folder: folder }
}

impl Site {
    fn spoil(&self, spoil: Spoil) {
        spoil(&mut self.machine.lock().unwrap());
    }

    fn mend(&self) {
        *self.machine.lock().unwrap() = sound();
    }

    /// The next look at the machine comes round, with everything else as it is.
    fn half_a_minute_later(&mut self) {
        let later = SystemClock.now().plus_ms(CHECK_EVERY_MS + 1);
        // A frame is there, or the jump of the clock alone would look like a silent camera.
        std::thread::sleep(Duration::from_millis(80));
        let events = self.drive.desk.tick(later);
        self.drive.hear(events);
    }

    fn count_as_real(&mut self) {
        self.drive.desk.config.realm = Realm::Real;
    }

    pub fn camera_on(&mut self) {
        self.drive.ask_for_face(0).unwrap();
        self.drive.read_and_consent().unwrap();
        assert!(matches!(self.flow(), Flow::Capturing(_)), "{:?}", self.drive.scene);
    }

    pub fn flow(&self) -> &Flow {
        &self.drive.desk.open.as_ref().unwrap().flow
    }

    fn consents(&mut self) -> usize {
        self.drive
            .desk
            .vault(|v| Ok(v.log_records(0, 1000)?.iter().filter(|r| r.what == "consent-ended").count()))
            .unwrap()
    }

    fn logged(&mut self) -> Vec<String> {
        let records = self.drive.desk.vault(|v| v.log_records(0, 1000)).unwrap();
        records.into_iter().filter(|r| r.what == "machine-found").filter_map(|r| r.label).collect()
    }
}

fn not_offered(scene: &ResidentScene) -> bool {
    matches!(scene, ResidentScene::Ended { failure: Some(Failure::FaceNotOffered), may_retry: false })
}

// Shows: F14a
#[test]
fn l1_a_machine_that_goes_bad_during_a_capture_ends_it_and_everything_held_is_wiped() {
    let mut site = site();
    for (n, (blocker, spoil)) in FAULTS.into_iter().enumerate() {
        site.camera_on();
        site.count_as_real();
        site.half_a_minute_later();
        assert!(matches!(site.flow(), Flow::Capturing(_)), "{blocker:?}: a sound machine stops nothing");
        let ended = site.consents();
        site.spoil(spoil);
        // Half a minute from the last look, which was half a minute ahead already.
        let later = SystemClock.now().plus_ms(2 * CHECK_EVERY_MS + 2);
        let awake = StaffCommand::Operators(super::operators::OperatorsCommand::Awake);
        let events = site.drive.desk.handle(Command::Staff(awake), later);
        site.drive.hear(events);
        let events = site.drive.desk.tick(later);
        site.drive.hear(events);
        assert!(not_offered(&site.drive.scene), "{blocker:?}: {:?}", site.drive.scene);
        assert!(site.flow().consent().is_none(), "{blocker:?}: nothing is held");
        assert_eq!(site.consents(), ended + 1, "{blocker:?}: the consent ended with it");
        let pictures = site.drive.previews;
        for _ in 0..10 {
            site.drive.tick();
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(site.drive.previews, pictures, "{blocker:?}: the camera is dark");
        let conditions = site.drive.blockers.iter().filter(|(b, _)| MACHINE.contains(b)).collect::<Vec<_>>();
        assert!(matches!(conditions[..], [(b, _)] if *b == blocker), "{conditions:?}");
        assert!(!site.logged().is_empty(), "{blocker:?}: what was found is in the log");
        // Mended: a new visit can begin; the realm goes back, so that it can on this machine.
        site.mend();
        site.drive.desk.config.realm = Realm::Practice;
        site.drive.staff(StaffCommand::Posture(PostureCommand::Check));
        site.drive.resident(ResidentCommand::Back);
        assert!(site.drive.machine.lets_faces(), "{n}: {blocker:?}");
    }
    assert_eq!(
        site.logged(),
        [
            "route-out",
            "no-route-out",
            "remote-help-runs",
            "no-remote-help",
            "swap-plain",
            "disk-encrypted",
            "login-unread",
            "password-set",
            "files-open",
            "files-closed",
        ]
    );
}

#[test]
fn l1_the_machine_is_looked_at_again_before_the_camera_opens() {
    let mut site = site();
    site.drive.ask_for_face(0).unwrap();
    site.drive.controls.act(PracticeAct::UnplugCamera);
    site.drive.read_and_consent().unwrap();
    assert!(matches!(site.flow(), Flow::Resting(_)), "no camera yet: {:?}", site.drive.scene);
    site.drive.controls.act(PracticeAct::PlugCamera);
    site.count_as_real();
    site.spoil(FAULTS[0].1);
    site.drive.resident(ResidentCommand::TryAgain);
    assert!(matches!(site.flow(), Flow::Resting(_)), "{:?}", site.drive.scene);
    assert_eq!(site.drive.previews, 0, "the camera never went on");
    let waits = site.drive.blockers.iter().find(|(b, _)| *b == Blocker::InternetRoute);
    assert_eq!(waits, Some(&(Blocker::InternetRoute, Condition::Fails)), "staff see why");
    site.half_a_minute_later();
    assert!(not_offered(&site.drive.scene), "what rests ends too: {:?}", site.drive.scene);
}

#[test]
fn l1_a_machine_that_goes_bad_during_the_try_turns_the_camera_off_and_keeps_what_the_gate_holds() {
    let mut site = site();
    site.face.store(true, Ordering::SeqCst);
    site.camera_on();
    let tries = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { looking: false, .. });
    site.drive.until("the try", Duration::from_secs(20), tries).unwrap();
    site.face.store(false, Ordering::SeqCst);
    site.drive.resident(ResidentCommand::TryGate);
    assert!(matches!(site.flow(), Flow::Trying(trying) if trying.looking));
    site.count_as_real();
    site.spoil(FAULTS[1].1);
    site.half_a_minute_later();
    assert!(matches!(site.flow(), Flow::Trying(trying) if !trying.looking), "{:?}", site.drive.scene);
    site.drive.resident(ResidentCommand::TryGate);
    assert!(matches!(site.flow(), Flow::Trying(trying) if !trying.looking), "the camera stays dark");
    site.drive.resident(ResidentCommand::Finish);
    assert!(matches!(site.drive.scene, ResidentScene::Done { recognised: false, .. }), "{:?}", site.drive.scene);
    assert_eq!(site.consents(), 0, "the consent stands");
}

#[test]
fn practice_shows_a_bad_machine_and_goes_on() {
    let mut site = site();
    site.camera_on();
    FAULTS.iter().for_each(|(_, spoil)| site.spoil(*spoil));
    site.half_a_minute_later();
    assert!(matches!(site.flow(), Flow::Capturing(_)), "{:?}", site.drive.scene);
    assert!(
        site.drive.machine.findings.iter().any(|f| f.what.grade() == Grade::Stop),
        "the findings are the real ones"
    );
    assert_eq!(site.drive.blockers, vec![]);
}

#[test]
fn the_machine_is_not_asked_more_often_than_it_must_be() {
    struct Counting(Arc<Mutex<u32>>);
    impl Posture for Counting {
        fn check(&mut self) -> MachineFacts {
            *self.0.lock().unwrap() += 1;
            sound()
        }

        fn is_apart(&self, _path: &std::path::Path) -> bool {
            false
        }
    }
    let mut site = site();
    let count = Arc::new(Mutex::new(0));
    site.drive.desk.devices.posture = Box::new(Counting(Arc::clone(&count)));
    for _ in 0..100 {
        site.drive.tick();
    }
    assert_eq!(*count.lock().unwrap(), 0, "it was looked at a moment ago");
    site.half_a_minute_later();
    assert_eq!(*count.lock().unwrap(), 1);
    let events = site.drive.desk.handle(Command::Staff(StaffCommand::Lock), SystemClock.now());
    site.drive.hear(events);
    site.half_a_minute_later();
    assert_eq!(*count.lock().unwrap(), 1, "nobody works: nothing is asked");
    site.drive.unlock();
    assert_eq!(*count.lock().unwrap(), 2, "work begins with a look");
}

#[test]
fn a_clock_that_went_back_while_the_desk_was_shut_is_found_at_unlock() {
    let mut site = site();
    let unlock_at = |site: &mut Site, now: Timestamp| {
        let events = site.drive.desk.handle(Command::Staff(StaffCommand::Lock), now);
        site.drive.hear(events);
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let events = site.drive.desk.handle(Command::Staff(StaffCommand::Unlock { account: None, passphrase }), now);
        site.drive.hear(events);
        assert!(!site.drive.desk.is_locked(), "{:?}", site.drive.failures);
        site.drive.machine.grade(Check::Clock)
    };
    let now = SystemClock.now();
    assert_eq!(unlock_at(&mut site, now), Grade::Well);
    assert_eq!(unlock_at(&mut site, now.plus_ms(-86_400_000)), Grade::CardOnly, "a day back");
    assert_eq!(site.drive.machine.condition(Blocker::MachineState), Condition::Fails);
    assert_eq!(unlock_at(&mut site, now.plus_ms(60_000)), Grade::Well, "set right");
}

fn camera(name: &str, place: &str, is_virtual: bool) -> CameraSeen {
    CameraSeen { name: name.into(), place: place.into(), is_virtual }
}

// Shows: F14a
#[test]
fn l2_a_camera_that_nobody_accepted_is_said_until_somebody_accepts_it_also_across_a_restart() {
    let mut site = site();
    let own = camera("HD", "usb", false);
    let new = camera("USB 2.0 Camera", "devices/pci0000:00/usb1/1-3/1-3:1.0", false);
    let with = |site: &Site, more: &[&CameraSeen]| {
        let cameras = [&own].into_iter().chain(more.iter().copied()).cloned().collect();
        site.machine.lock().unwrap().cameras = Reading::Seen(cameras);
    };
    let look = |site: &mut Site| {
        site.drive.staff(StaffCommand::Posture(PostureCommand::Check));
        (site.drive.machine.grade(Check::Cameras), site.drive.machine.strangers.clone())
    };
    let accept = |site: &mut Site, camera: &CameraSeen| {
        site.drive.staff(StaffCommand::Posture(PostureCommand::AcceptCamera(camera.clone())));
        (site.drive.machine.grade(Check::Cameras), site.drive.machine.strangers.clone())
    };
    let accepted = |site: &mut Site| {
        let records = site.drive.desk.vault(|v| v.log_records(0, 1000)).unwrap();
        records.into_iter().filter(|r| r.what == "camera-accepted").collect::<Vec<_>>()
    };
    let again = |site: &mut Site| {
        site.drive.staff(StaffCommand::Lock);
        site.drive.unlock();
    };
    assert_eq!(look(&mut site), (Grade::Well, vec![]), "what was there at the vault's first look is known");

    with(&site, &[&new]);
    assert_eq!(look(&mut site), (Grade::Warn, vec![new.clone()]));
    assert!(site.drive.machine.lets_faces(), "a warning, no more");
    again(&mut site);
    assert_eq!(look(&mut site), (Grade::Warn, vec![new.clone()]), "closing the desk accepts nothing");

    let gone = camera("Gone", "usb-9", false);
    let posing = camera("OBS Virtual Camera", "devices/virtual", true);
    with(&site, &[&new, &posing]);
    for other in [&gone, &posing] {
        assert_eq!(accept(&mut site, other), (Grade::Warn, vec![new.clone()]), "{other:?} is not accepted");
    }
    assert_eq!(site.drive.machine.grade(Check::VirtualCamera), Grade::Stop);
    assert_eq!(accepted(&mut site), vec![], "nothing was written");

    with(&site, &[&new]);
    assert_eq!(accept(&mut site, &new), (Grade::Well, vec![]));
    assert_eq!(accept(&mut site, &new), (Grade::Well, vec![]), "twice is once");
    let [record] = &accepted(&mut site)[..] else { panic!("one record") };
    assert!(record.who.starts_with("staff:") && record.label.is_none(), "who is in the log: {record:?}");
    assert!(!serde_json::to_string(record).unwrap().contains("USB 2.0"), "and the name is not");

    again(&mut site);
    assert_eq!(look(&mut site), (Grade::Well, vec![]), "a lock forgets nothing");
    // The program ends, and another one opens the same vault.
    let Site { drive, machine, _folder: folder, _gate: gate, .. } = site;
    drop(drive);
    let engine = Box::new(EngineThatSees(Arc::default(), 0));
    let posture = Box::new(MachineThatChanges(Arc::clone(&machine)));
    let (controls, realm) = (Controls::default(), Realm::Practice);
    let picture = Box::new(PictureCamera::new(vec![], controls.clone()));
    let mut drive = Drive::with_machine(folder.path(), engine, picture, controls, (realm, posture));
    drive.unlock();
    let mut site = Site { drive, machine, face: Arc::default(), _gate: gate, _folder: folder };
    assert_eq!(look(&mut site), (Grade::Well, vec![]), "what was accepted stands after a restart");
    // The same make in another socket is another camera.
    let moved = camera("USB 2.0 Camera", "devices/pci0000:00/usb1/1-4/1-4:1.0", false);
    with(&site, &[&moved]);
    assert_eq!(look(&mut site), (Grade::Warn, vec![moved]));
}

// Shows: F14a
#[test]
fn l2_a_desk_that_first_saw_no_camera_knows_none() {
    let mut site = site();
    let vault = |site: &mut Site| site.drive.desk.vault(|v| v.known_cameras()).unwrap();
    assert_eq!(vault(&mut site), Some(vec![camera("HD", "usb", false)]));
    let folder = tempfile::tempdir().unwrap();
    let none: Facts = Arc::new(Mutex::new(MachineFacts { cameras: Reading::Seen(vec![]), ..sound() }));
    let engine = Box::new(EngineThatSees(Arc::default(), 0));
    let posture = Box::new(MachineThatChanges(Arc::clone(&none)));
    let controls = Controls::default();
    let picture = Box::new(PictureCamera::new(vec![], controls.clone()));
    let mut drive = Drive::with_machine(folder.path(), engine, picture, controls, (Realm::Practice, posture));
    drive.create();
    assert_eq!(drive.machine.grade(Check::Cameras), Grade::Warn, "no camera");
    let first = camera("HD", "usb", false);
    none.lock().unwrap().cameras = Reading::Seen(vec![first.clone(), camera("OBS", "virtual", true)]);
    drive.staff(StaffCommand::Posture(PostureCommand::Check));
    assert_eq!(drive.machine.strangers, [first], "a program that poses as a camera is not offered for acceptance");
}

// Shows: F14a
#[test]
fn l2_another_camera_of_the_same_make_in_the_same_socket_is_a_stranger_by_its_serial_number() {
    let mut site = site();
    let look = |site: &mut Site, cameras: &[CameraSeen]| {
        site.machine.lock().unwrap().cameras = Reading::Seen(cameras.to_vec());
        site.drive.staff(StaffCommand::Posture(PostureCommand::Check));
        site.drive.machine.strangers.clone()
    };
    // What an earlier version knew by name and socket alone gets its number from what stands there at the first look.
    let own = camera("HD", "usb serial A1", false);
    assert_eq!(look(&mut site, std::slice::from_ref(&own)), vec![]);
    let other = camera("HD", "usb serial B2", false);
    assert_eq!(look(&mut site, std::slice::from_ref(&other)), vec![other.clone()]);
    assert_eq!(look(&mut site, &[camera("HD", "usb", false)]).len(), 1, "nor one that hides its number");
    assert_eq!(look(&mut site, &[own]), vec![]);
}
