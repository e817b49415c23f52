//! Drives a whole desk by its commands, as the two windows would: for the end-to-end tests, `make e2e` and the bench. Everything behind it is
//! real (vault, engine child, TLS, gate processes); only camera and card reader are practice devices.

mod acts;
mod timed;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::site::{KDF, SiteError};
use super::{Controls, Person, PictureCamera, PracticeReader};
use crate::app::command::{Command, ResidentCommand, StaffCommand};
use crate::app::courier::Courier;
use crate::app::desk::{Desk, DeskConfig, Devices, LinkMaker};
use crate::app::doctor::Doctor;
use crate::app::event::{Event, Failure, ResidentScene, ResidentView, StaffEvent};
use crate::app::keep::KeepTold;
use crate::app::operators::{DoorView, OperatorsCommand, OperatorsEvent};
use crate::app::posture::PostureEvent;
use crate::app::rights::RightsTold;
use crate::app::runner::SystemClock;
use crate::domain::Realm;
use crate::domain::gate::GateStatus;
use crate::domain::id::{SiteId, StaffId};
use crate::domain::permit::{Blocker, Condition};
use crate::domain::posture::PostureReport;
use crate::domain::quality::Guidance;
use crate::lan::TlsLink;
use crate::ports::{Camera, Clock, FaceEngine, GateLink, Posture, Printer, SecurityChip, Speech};
use crate::printing::SystemPrinter;
use crate::speech::SystemSpeech;
use crate::wire::keys::IdentityKeys;
use crate::wire::message::Probed;
pub use timed::{Puts, Stages, Tap};
use timed::{TappedLink, TimedEngine};

/// Why a drive did not get where it should.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// Something that was waited for did not come.
    #[error("waited in vain for {what}; the resident window shows {scene}, the camera {seen}; failures: {failures}")]
    InVain {
        /// For what.
        what: String,
        /// The last scene.
        scene: String,
        /// The last guidance, and how many pictures were shown.
        seen: String,
        /// Failures told so far.
        failures: String,
    },
    /// The practice site.
    #[error(transparent)]
    Practice(#[from] SiteError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] crate::vault::VaultError),
}

/// Links over TLS, as the shipped desk makes them.
pub fn tls_links() -> LinkMaker {
    Box::new(|keys: Arc<IdentityKeys>, site: SiteId, _realm: Realm| {
        Box::new(TlsLink::new(keys, site)) as Box<dyn GateLink>
    })
}

/// How often the one at the staff window moves the mouse.
const AWAKE_EVERY: Duration = Duration::from_secs(10);

/// A desk with practice camera and reader, driven by hand.
pub struct Drive {
    /// The desk.
    pub desk: Desk,
    /// The courier of the unlocked vault.
    pub courier: Option<Courier>,
    /// Camera and reader switches.
    pub controls: Controls,
    /// Sealed bytes that went out.
    pub tap: Tap,
    /// Hand-overs, whole.
    pub puts: Puts,
    /// How long each stage took.
    pub stages: Stages,
    /// What gates answered to probes, in order.
    pub probed: Arc<Mutex<Vec<Probed>>>,
    /// What the resident window shows.
    pub scene: ResidentScene,
    /// Everything that failed, in order.
    pub failures: Vec<Failure>,
    /// The open record.
    pub opened: Option<ResidentView>,
    /// What was told about requests, in order.
    pub rights: Vec<RightsTold>,
    /// What was told about backups and keys.
    pub keep: Vec<KeepTold>,
    /// What keeps face entry off, as last told.
    pub blockers: Vec<(Blocker, Condition)>,
    /// The machine, as last told.
    pub machine: PostureReport,
    /// The last examination.
    pub doctor: Option<Doctor>,
    /// Gates as last told.
    pub gates: Vec<GateStatus>,
    /// This station's fingerprint.
    pub fingerprint: Option<[u8; 32]>,
    /// Last advice.
    pub guidance: Option<Guidance>,
    /// Every event as text: what a screen, and nothing else, learned.
    pub told: Vec<String>,
    /// Previews received.
    pub previews: u32,
    /// Who may unlock, as last told.
    pub door: Vec<DoorView>,
    /// Who was asked to approve.
    pub asked: Option<StaffId>,
    /// From the last accepted frame to all gates' acknowledgements, in milliseconds, one a capture.
    pub shutter_to_acknowledged_ms: Vec<f64>,
    last_taken_at: Option<Instant>,
    awake_at: Instant,
    data: PathBuf,
    hasty: bool,
}

impl Drive {
    /// Makes a locked desk over `folder/desk`, with the camera that plays practice people.
    pub fn new(folder: &Path, engine: Box<dyn FaceEngine>, people: Vec<Person>) -> Self {
        let controls = Controls::default();
        let camera = Box::new(PictureCamera::new(people, controls.clone()));
        Self::with_camera(folder, engine, camera, controls)
    }

    /// The same with any camera; the controls move the card reader (and the camera, if it listens to them).
    pub fn with_camera(
        folder: &Path,
        engine: Box<dyn FaceEngine>,
        camera: Box<dyn Camera>,
        controls: Controls,
    ) -> Self {
        let aids =
            (Box::new(SystemSpeech::new()) as Box<dyn Speech>, Box::new(SystemPrinter::new()) as Box<dyn Printer>);
        Self::with_aids(folder, engine, camera, controls, aids)
    }

    /// The same with any voice and any printer.
    pub fn with_aids(
        folder: &Path,
        engine: Box<dyn FaceEngine>,
        camera: Box<dyn Camera>,
        controls: Controls,
        (speech, printer): (Box<dyn Speech>, Box<dyn Printer>),
    ) -> Self {
        let posture = crate::posture::this_machine(&folder.join("desk"));
        let machine = (Realm::Practice, posture, crate::chip::none());
        Self::with_all(folder, engine, camera, controls, (speech, printer), machine)
    }

    /// The same for a site of either realm, on any machine.
    pub fn with_machine(
        folder: &Path,
        engine: Box<dyn FaceEngine>,
        camera: Box<dyn Camera>,
        controls: Controls,
        (realm, posture): (Realm, Box<dyn Posture>),
    ) -> Self {
        let aids =
            (Box::new(SystemSpeech::new()) as Box<dyn Speech>, Box::new(SystemPrinter::new()) as Box<dyn Printer>);
        Self::with_all(folder, engine, camera, controls, aids, (realm, posture, crate::chip::none()))
    }

    /// As [`Self::new`], on a computer with this security chip.
    pub fn with_chip(
        folder: &Path,
        engine: Box<dyn FaceEngine>,
        people: Vec<Person>,
        chip: Box<dyn SecurityChip>,
    ) -> Self {
        let controls = Controls::default();
        let camera = Box::new(PictureCamera::new(people, controls.clone()));
        Self::with_camera_and_chip(folder, engine, camera, controls, chip)
    }

    /// As [`Self::with_camera`], on a computer with this security chip.
    pub fn with_camera_and_chip(
        folder: &Path,
        engine: Box<dyn FaceEngine>,
        camera: Box<dyn Camera>,
        controls: Controls,
        chip: Box<dyn SecurityChip>,
    ) -> Self {
        let aids =
            (Box::new(SystemSpeech::new()) as Box<dyn Speech>, Box::new(SystemPrinter::new()) as Box<dyn Printer>);
        let posture = crate::posture::this_machine(&folder.join("desk"));
        Self::with_all(folder, engine, camera, controls, aids, (Realm::Practice, posture, chip))
    }

    fn with_all(
        folder: &Path,
        engine: Box<dyn FaceEngine>,
        camera: Box<dyn Camera>,
        controls: Controls,
        (speech, printer): (Box<dyn Speech>, Box<dyn Printer>),
        (realm, posture, chip): (Realm, Box<dyn Posture>, Box<dyn SecurityChip>),
    ) -> Self {
        let probed = Arc::<Mutex<Vec<Probed>>>::default();
        let answers = Arc::clone(&probed);
        let (tap, puts) = (Tap::default(), Puts::default());
        let handed = Arc::clone(&puts);
        let stages = Stages::default();
        let (keep, times) = (Arc::clone(&tap), Arc::clone(&stages));
        let links = tls_links();
        let link: LinkMaker = Box::new(move |keys, site, realm| {
            let puts = Arc::clone(&handed);
            let (tap, stages, probed) = (Arc::clone(&keep), Arc::clone(&times), Arc::clone(&answers));
            Box::new(TappedLink { inner: links(keys, site, realm), tap, puts, stages, probed }) as Box<dyn GateLink>
        });
        let devices = Devices {
            camera,
            engine: Box::new(TimedEngine { inner: engine, stages: Arc::clone(&stages) }),
            reader: Box::new(PracticeReader::new(controls.clone())),
            speech,
            printer,
            link,
            boards: crate::boards::links(),
            posture,
            chip,
        };
        let data = folder.join("desk");
        let config = DeskConfig { data_dir: data.clone(), realm, kdf: KDF.into() };
        let mut drive = Self {
            desk: Desk::new(config, devices),
            courier: None,
            controls,
            tap,
            puts,
            stages,
            probed,
            scene: ResidentScene::Closed,
            failures: vec![],
            opened: None,
            rights: vec![],
            keep: vec![],
            blockers: vec![],
            machine: PostureReport::default(),
            doctor: None,
            gates: vec![],
            fingerprint: None,
            guidance: None,
            told: vec![],
            previews: 0,
            door: vec![],
            asked: None,
            shutter_to_acknowledged_ms: vec![],
            last_taken_at: None,
            awake_at: Instant::now(),
            data,
            hasty: false,
        };
        let events = drive.desk.start(SystemClock.now());
        drive.take(events);
        drive
    }

    /// Whether nobody is logged in.
    pub fn is_locked(&self) -> bool {
        self.desk.is_locked()
    }

    /// Folder of the vault.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Takes in events of a desk that was ticked at a time of the caller's own.
    pub fn hear(&mut self, events: Vec<Event>) {
        self.take(events);
    }

    fn take(&mut self, events: Vec<Event>) {
        for event in events {
            if !matches!(event, Event::Preview(_)) {
                self.told.push(format!("{event:?}"));
            }
            match event {
                Event::Resident(scene) => {
                    let working = matches!(self.scene, ResidentScene::Working { .. });
                    if working
                        && matches!(scene, ResidentScene::TryGate { .. })
                        && let Some(taken) = self.last_taken_at.take()
                    {
                        self.shutter_to_acknowledged_ms.push(taken.elapsed().as_secs_f64() * 1e3);
                    }
                    self.scene = scene;
                }
                Event::Staff(StaffEvent::Failed(failure)) => self.failures.push(failure),
                Event::Staff(StaffEvent::Operators(OperatorsEvent::AtTheDoor(accounts))) => self.door = accounts,
                Event::Staff(StaffEvent::Operators(OperatorsEvent::ApprovalAsked { by, .. })) => {
                    self.asked = by.first().map(|(id, _)| *id);
                }
                Event::Staff(StaffEvent::Opened(view)) => self.opened = Some(*view),
                Event::Staff(StaffEvent::Closed) => self.opened = None,
                Event::Staff(StaffEvent::Rights(told)) => self.rights.push(told),
                Event::Staff(StaffEvent::Keep(told)) => self.keep.push(told),
                Event::Staff(StaffEvent::Gates(gates)) => self.gates = gates,
                Event::Staff(StaffEvent::Desk(blockers)) => self.blockers = blockers,
                Event::Staff(StaffEvent::Posture(PostureEvent::Report(report))) => self.machine = report,
                Event::Staff(StaffEvent::Posture(PostureEvent::Examined(doctor))) => self.doctor = Some(*doctor),
                Event::Staff(StaffEvent::StationFingerprint(text)) => {
                    self.fingerprint = crate::wire::keys::parse_fingerprint(&text);
                }
                Event::Guide { guidance, .. } => self.guidance = Some(guidance),
                Event::Preview(_) => self.previews += 1,
                _ => {}
            }
        }
        if self.desk.is_locked() {
            // As the runner does: a courier that lives on would keep the vault in use.
            self.courier = None;
        }
        if let Some(mut courier) = self.desk.take_courier() {
            if self.hasty {
                courier.hasten();
            }
            self.courier = Some(courier);
        }
    }

    /// From the next unlock on, the courier makes shorter pauses ([`Courier::hasten`]).
    pub fn hasten(&mut self) {
        self.hasty = true;
    }

    /// A staff command.
    pub fn staff(&mut self, command: StaffCommand) {
        let events = self.desk.handle(Command::Staff(command), SystemClock.now());
        self.take(events);
    }

    /// A resident command.
    pub fn resident(&mut self, command: ResidentCommand) {
        let events = self.desk.handle(Command::Resident(command), SystemClock.now());
        self.take(events);
    }

    /// Closes the desk.
    pub fn close(&mut self) {
        let events = self.desk.handle(Command::Close, SystemClock.now());
        self.take(events);
    }

    /// One tick of the desk.
    pub fn tick(&mut self) {
        let before = Instant::now();
        if before.duration_since(self.awake_at) > AWAKE_EVERY {
            // Somebody is at the staff window all the time.
            self.awake_at = before;
            self.operators(OperatorsCommand::Awake);
        }
        let events = self.desk.tick(SystemClock.now());
        if events.iter().any(|e| matches!(e, Event::Guide { taken, needed, .. } if taken == needed && *needed > 1)) {
            self.last_taken_at = Some(before);
        }
        self.take(events);
    }

    /// One round of the courier.
    ///
    /// # Errors
    /// The vault failed.
    pub fn deliver(&mut self) -> Result<u32, DriveError> {
        match self.courier.as_mut() {
            Some(courier) => Ok(courier.pass(SystemClock.now())?),
            None => Ok(0),
        }
    }

    /// Ticks until something holds.
    ///
    /// # Errors
    /// [`DriveError::InVain`] after `limit`.
    pub fn until(&mut self, what: &str, limit: Duration, holds: impl Fn(&Self) -> bool) -> Result<(), DriveError> {
        let start = Instant::now();
        while !holds(self) {
            if start.elapsed() > limit {
                return Err(DriveError::InVain {
                    what: what.into(),
                    scene: format!("{:?}", self.scene).chars().take(200).collect(),
                    seen: format!("{:?} after {} pictures", self.guidance, self.previews),
                    failures: format!("{:?}", self.failures),
                });
            }
            self.tick();
            std::thread::sleep(Duration::from_millis(4));
        }
        Ok(())
    }
}
