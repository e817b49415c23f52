//! Drives a whole desk by its commands, as the two windows would: for the end-to-end tests, `make e2e` and the bench. Everything behind it is
//! real (vault, engine child, TLS, gate processes); only camera and card reader are practice devices.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::site::{GateProcess, KDF, SiteError};
use super::{Controls, Person, PictureCamera, PracticeAct, PracticeReader, practice_card};
use crate::app::command::{Command, ResidentCommand, StaffCommand};
use crate::app::courier::Courier;
use crate::app::desk::{Desk, DeskConfig, Devices, LinkMaker};
use crate::app::doctor::Doctor;
use crate::app::event::{Event, Failure, ResidentScene, ResidentView, StaffEvent};
use crate::app::notice::NoticeCommand;
use crate::app::operators::{DoorView, OperatorsCommand, OperatorsEvent};
use crate::app::posture::PostureEvent;
use crate::app::rights::RightsTold;
use crate::app::runner::SystemClock;
use crate::domain::Realm;
use crate::domain::consent::{Signature, Warrant};
use crate::domain::gate::{GateRecord, GateStatus};
use crate::domain::id::{GateId, ResidentId, SiteId, StaffId};
use crate::domain::notice::Language;
use crate::domain::permit::{Blocker, Condition};
use crate::domain::posture::PostureReport;
use crate::domain::quality::{FaceBox, Guidance, Look};
use crate::domain::resident::AgeBand;
use crate::domain::role::Role;
use crate::lan::TlsLink;
use crate::ports::{Camera, Clock, FaceEngine, FaceError, GateLink, LinkError, Posture, Printer, Speech};
use crate::printing::SystemPrinter;
use crate::secret::{EngineId, FaceTemplate, Frame, Passphrase};
use crate::speech::SystemSpeech;
use crate::wire::keys::IdentityKeys;
use crate::wire::message::{Hello, Probed, Reply, Request};

/// Why a drive did not get where it should.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// Something that was waited for did not come.
    #[error("waited in vain for {what}; the resident window shows {scene}; failures: {failures}")]
    InVain {
        /// For what.
        what: String,
        /// The last scene.
        scene: String,
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

/// What went over the wire: sealed bytes and requests, kept so that a test can search disks for them.
pub type Tap = Arc<Mutex<Vec<Vec<u8>>>>;

/// How long each stage took, in milliseconds, by stage.
pub type Stages = Arc<Mutex<BTreeMap<&'static str, Vec<f64>>>>;

fn note(stages: &Stages, stage: &'static str, since: Instant) {
    let mut stages = stages.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    stages.entry(stage).or_default().push(since.elapsed().as_secs_f64() * 1e3);
}

/// An engine that is asked as before and whose answers are timed.
struct TimedEngine {
    inner: Box<dyn FaceEngine>,
    stages: Stages,
}

impl FaceEngine for TimedEngine {
    fn engine(&self) -> EngineId {
        self.inner.engine()
    }

    fn wake(&mut self) -> Result<(), FaceError> {
        let since = Instant::now();
        let done = self.inner.wake();
        note(&self.stages, "wake the engine child", since);
        done
    }

    fn locate(&mut self, warrant: Warrant<'_>, frame: &Frame) -> Result<Look, FaceError> {
        let since = Instant::now();
        let look = self.inner.locate(warrant, frame);
        note(&self.stages, "detect and measure", since);
        look
    }

    fn extract(&mut self, warrant: Warrant<'_>, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError> {
        let since = Instant::now();
        let template = self.inner.extract(warrant, frame, face);
        note(&self.stages, "second detection, align, template", since);
        template
    }

    fn rest(&mut self) {
        self.inner.rest();
    }
}

/// A link that lets everything pass, keeps a copy of what was sealed, and times the answers.
struct TappedLink {
    inner: Box<dyn GateLink>,
    tap: Tap,
    stages: Stages,
    probed: Arc<Mutex<Vec<Probed>>>,
}

impl GateLink for TappedLink {
    fn ask(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        let sealed = match request {
            Request::PutFace(put) => Some(put.sealed.clone()),
            Request::Probe(probe) => Some(probe.sealed.clone()),
            _ => None,
        };
        if let Some(sealed) = sealed {
            self.tap.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(sealed);
        }
        let since = Instant::now();
        let reply = self.inner.ask(gate, request, limit);
        if let Ok(Reply::Probed(probed)) = &reply {
            self.probed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(probed.clone());
        }
        let stage = match request {
            Request::PutFace(_) => "send, open, store, sign",
            Request::ReadBack(_) => "read back",
            Request::Probe(_) => "probe answered",
            Request::Apply(_) => "card or erasure signed",
            _ => "other questions",
        };
        note(&self.stages, stage, since);
        reply
    }

    fn meet(&mut self, address: &str, tls_pin: &[u8; 32], limit: Duration) -> Result<Hello, LinkError> {
        self.inner.meet(address, tls_pin, limit)
    }
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
        Self::with_all(folder, engine, camera, controls, (speech, printer), (Realm::Practice, posture))
    }

    /// The same for a site of either realm, on any machine.
    pub fn with_machine(
        folder: &Path,
        engine: Box<dyn FaceEngine>,
        camera: Box<dyn Camera>,
        controls: Controls,
        machine: (Realm, Box<dyn Posture>),
    ) -> Self {
        let aids =
            (Box::new(SystemSpeech::new()) as Box<dyn Speech>, Box::new(SystemPrinter::new()) as Box<dyn Printer>);
        Self::with_all(folder, engine, camera, controls, aids, machine)
    }

    fn with_all(
        folder: &Path,
        engine: Box<dyn FaceEngine>,
        camera: Box<dyn Camera>,
        controls: Controls,
        (speech, printer): (Box<dyn Speech>, Box<dyn Printer>),
        (realm, posture): (Realm, Box<dyn Posture>),
    ) -> Self {
        let probed = Arc::<Mutex<Vec<Probed>>>::default();
        let answers = Arc::clone(&probed);
        let tap = Tap::default();
        let stages = Stages::default();
        let (keep, times) = (Arc::clone(&tap), Arc::clone(&stages));
        let links = tls_links();
        let link: LinkMaker = Box::new(move |keys, site, realm| {
            let (tap, stages, probed) = (Arc::clone(&keep), Arc::clone(&times), Arc::clone(&answers));
            Box::new(TappedLink { inner: links(keys, site, realm), tap, stages, probed }) as Box<dyn GateLink>
        });
        let devices = Devices {
            camera,
            engine: Box::new(TimedEngine { inner: engine, stages: Arc::clone(&stages) }),
            reader: Box::new(PracticeReader::new(controls.clone())),
            speech,
            printer,
            link,
            posture,
        };
        let data = folder.join("desk");
        let config = DeskConfig { data_dir: data.clone(), realm, kdf: KDF };
        let mut drive = Self {
            desk: Desk::new(config, devices),
            courier: None,
            controls,
            tap,
            stages,
            probed,
            scene: ResidentScene::Closed,
            failures: vec![],
            opened: None,
            rights: vec![],
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
        };
        let events = drive.desk.start(SystemClock.now());
        drive.take(events);
        drive
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
        if let Some(courier) = self.desk.take_courier() {
            self.courier = Some(courier);
        }
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
                    failures: format!("{:?}", self.failures),
                });
            }
            self.tick();
            std::thread::sleep(Duration::from_millis(4));
        }
        Ok(())
    }

    /// Makes the vault with the practice facts; its supervisor puts the recovery sheet away, reads the internal rules and signs them.
    pub fn create(&mut self) {
        self.staff(StaffCommand::CreateVault {
            operator: super::site::OPERATOR.into(),
            passphrase: Passphrase::new(super::site::PASSPHRASE.into()),
            facts: super::site::facts(),
        });
        self.operators(OperatorsCommand::RecoveryKept);
        self.sign_rules(super::site::OPERATOR);
    }

    /// A second supervisor, ready to approve. The first account is logged in again afterwards.
    pub fn add_colleague(&mut self) {
        self.operators(OperatorsCommand::Add {
            name: super::site::COLLEAGUE.into(),
            role: Role::Supervisor,
            passphrase: Passphrase::new(super::site::PASSPHRASE.into()),
            trained_on: SystemClock.now().date().to_string(),
        });
        self.staff(StaffCommand::Lock);
        let account = self.door.last().map(|account| account.id);
        self.staff(StaffCommand::Unlock { account, passphrase: Passphrase::new(super::site::PASSPHRASE.into()) });
        self.sign_rules(super::site::COLLEAGUE);
        self.staff(StaffCommand::Lock);
        self.unlock();
    }

    /// The one who was asked approves what waits.
    pub fn approve(&mut self) {
        if let Some(by) = self.asked.take() {
            self.operators(OperatorsCommand::Approve(by, Passphrase::new(super::site::PASSPHRASE.into())));
        }
    }

    /// Reads the internal rules to their end and signs them.
    pub fn sign_rules(&mut self, name: &str) {
        self.operators(OperatorsCommand::ReadRules(Language::Chinese));
        self.operators(OperatorsCommand::RulesReachedEnd);
        self.operators(OperatorsCommand::SignRules(name.into()));
    }

    /// A command about accounts.
    pub fn operators(&mut self, command: OperatorsCommand) {
        self.staff(StaffCommand::Operators(command));
    }

    /// Unlocks it again.
    pub fn unlock(&mut self) {
        let passphrase = Passphrase::new(super::site::PASSPHRASE.into());
        self.staff(StaffCommand::Unlock { account: None, passphrase });
    }

    /// Pairs a running gate by its address and fingerprint, as staff would.
    pub fn pair(&mut self, gate: &GateProcess, name: &str) {
        self.staff(StaffCommand::PairGate {
            name: name.into(),
            place: format!("{name}旁"),
            capture_area: "门前1米".into(),
            other_way: "刷卡，或者值班人员核对放行".into(),
            why_needed: "双手不便的住户较多".into(),
            address: gate.address.clone(),
            fingerprint: gate.fingerprint.iter().map(|b| format!("{b:02x}")).collect(),
        });
        // The courier asks after the new gate, so that it is shown as reachable.
        let _ = self.deliver();
        self.assess();
        self.tick();
    }

    /// Registers the practice assessment for the gates as they are now, as a supervisor would after a change of scope.
    pub fn assess(&mut self) {
        let typed = Box::new(super::site::assessment(SystemClock.now().date()));
        self.staff(StaffCommand::Notice(NoticeCommand::RegisterAssessment(typed)));
    }

    /// Adds an adult and leaves the record open.
    ///
    /// # Errors
    /// The record was not accepted.
    pub fn add(&mut self, name: &str, unit: &str) -> Result<ResidentId, DriveError> {
        self.opened = None;
        self.staff(StaffCommand::SaveResident {
            id: None,
            name: name.into(),
            unit: unit.into(),
            age_band: AgeBand::Adult,
            next_band_on: String::new(),
            ends_on: SystemClock.now().date().plus_days(300).to_string(),
        });
        self.until("the new record", Duration::from_secs(2), |d| d.opened.is_some())?;
        self.opened.as_ref().map(|v| v.resident.id).ok_or_else(|| DriveError::InVain {
            what: "the record".into(),
            scene: String::new(),
            failures: format!("{:?}", self.failures),
        })
    }

    /// Issues practice card `card` to an open record for all gates and delivers it.
    ///
    /// # Errors
    /// The vault failed.
    pub fn issue(&mut self, resident: ResidentId, card: usize) -> Result<(), DriveError> {
        let gates: Vec<GateId> = self.paired();
        let Some(uid) = practice_card(card) else { return Ok(()) };
        self.staff(StaffCommand::IssueCard { resident, uid, gates });
        self.deliver()?;
        self.tick();
        Ok(())
    }

    /// The paired gates.
    pub fn paired(&mut self) -> Vec<GateId> {
        self.gates.iter().map(|g| g.id).collect()
    }

    /// Puts a card on the reader while the resident window waits for it, and takes it away again.
    ///
    /// # Errors
    /// The window did not react.
    pub fn tap_card(&mut self, card: usize) -> Result<(), DriveError> {
        self.controls.act(PracticeAct::TapCard(card));
        let asked = format!("{:?}", self.scene);
        self.until("an answer to the card", Duration::from_secs(15), |d| format!("{:?}", d.scene) != asked)?;
        self.controls.act(PracticeAct::TakeCardAway);
        // The reader is asked a few times a second: let it see that the card is gone.
        let gone = Instant::now();
        while gone.elapsed() < Duration::from_millis(400) {
            self.tick();
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// From the idle screen to the notice.
    ///
    /// # Errors
    /// The notice did not come.
    pub fn ask_for_face(&mut self, card: usize) -> Result<(), DriveError> {
        self.until("the idle screen with face entry", Duration::from_secs(10), |d| {
            matches!(d.scene, ResidentScene::Idle { face_offered: true, .. })
        })?;
        self.resident(ResidentCommand::AskFace);
        self.tap_card(card)?;
        self.until("the notice", Duration::from_secs(15), |d| matches!(d.scene, ResidentScene::Notice { .. }))
    }

    /// From the notice to a signed yes; the camera is on after it.
    ///
    /// # Errors
    /// The consent page did not come.
    pub fn read_and_consent(&mut self) -> Result<(), DriveError> {
        self.resident(ResidentCommand::NoticeReachedEnd);
        self.resident(ResidentCommand::GoToConsent);
        self.until("the consent page", Duration::from_secs(2), |d| matches!(d.scene, ResidentScene::Consent { .. }))?;
        self.resident(ResidentCommand::Consent { signature: Signature::TypedName("本人".into()) });
        Ok(())
    }

    /// The whole way: card tap, notice, consent, pictures, hand-over, try at the gate. The person is seated already.
    ///
    /// # Errors
    /// The step that did not come.
    pub fn enroll(&mut self, card: usize) -> Result<bool, DriveError> {
        self.ask_for_face(card)?;
        self.read_and_consent()?;
        self.until("the try at the gate", Duration::from_secs(40), |d| {
            matches!(d.scene, ResidentScene::TryGate { .. } | ResidentScene::Ended { .. })
        })?;
        if matches!(self.scene, ResidentScene::TryGate { .. }) {
            self.resident(ResidentCommand::TryGate);
            self.until("the gate's answer", Duration::from_secs(40), |d| {
                matches!(d.scene, ResidentScene::Done { .. } | ResidentScene::Ended { .. })
            })?;
        }
        let recognised = matches!(self.scene, ResidentScene::Done { recognised: true, .. });
        self.resident(ResidentCommand::Finish);
        self.until("the idle screen", Duration::from_secs(5), |d| matches!(d.scene, ResidentScene::Idle { .. }))?;
        Ok(recognised)
    }
}
