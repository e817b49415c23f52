//! Random acts of staff and residents, against a model that knows only what was done on the resident window: no camera, no look at a frame,
//! no template and no sending without a current, separate, own consent. Vault, desk, courier, TLS and gate are real; camera, engine and clock
//! are doubles that count.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use menka::app::command::{Command, ResidentCommand, StaffCommand};
use menka::app::courier::Courier;
use menka::app::desk::{Desk, DeskConfig, Devices};
use menka::app::event::{Event, ResidentScene, ResidentView, StaffEvent};
use menka::app::notice::NoticeCommand;
use menka::app::operators::OperatorsCommand;
use menka::app::pairing::{GateWords, PairingCommand};
use menka::app::runner::SystemClock;
use menka::domain::Realm;
use menka::domain::consent::{ConsentGranted, Signature, Warrant};
use menka::domain::gate::{GateRecord, GateStatus};
use menka::domain::id::ResidentId;
use menka::domain::notice::Language;
use menka::domain::permit::CameraPermit;
use menka::domain::quality::{FaceBox, Look};
use menka::domain::resident::AgeBand;
use menka::domain::role::LookWhy;
use menka::domain::time::Timestamp;
use menka::ports::{
    Camera, CameraError, CameraInfo, CardReader, Clock, FaceEngine, FaceError, GateLink, LinkError, ReaderError,
};
use menka::ports::{FoundGate, Lan, Networks, PairError};
use menka::posture::this_machine;
use menka::practice::drive::tls_links;
use menka::practice::practice_card;
use menka::practice::site::{GateProcess, KDF, OPERATOR, PASSPHRASE, assessment, facts};
use menka::printing::SystemPrinter;
use menka::secret::{EngineId, FaceTemplate, Frame, PairingCode, Passphrase, TEMPLATE_LEN};
use menka::speech::SystemSpeech;
use menka::vault::Vault;
use menka::wire::message::{Hello, Reply, Request};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::day::gate_program;

/// What was done with a face, in all.
#[derive(Debug, Default)]
struct Acts {
    opened: AtomicU32,
    looked: AtomicU32,
    extracted: AtomicU32,
    sent: AtomicU32,
}

impl Acts {
    fn count(&self) -> [u32; 4] {
        [&self.opened, &self.looked, &self.extracted, &self.sent].map(|n| n.load(Ordering::SeqCst))
    }
}

struct CountedCamera(Arc<Acts>, bool);

impl Camera for CountedCamera {
    fn cameras(&mut self) -> Vec<CameraInfo> {
        vec![CameraInfo { id: "counted".into(), name: "Counted camera".into() }]
    }
    fn choose(&mut self, _id: &str) {}
    fn open(&mut self, _consent: &ConsentGranted, _permit: &CameraPermit) -> Result<(), CameraError> {
        self.0.opened.fetch_add(1, Ordering::SeqCst);
        self.1 = true;
        Ok(())
    }
    fn newest(&mut self) -> Result<Option<Frame>, CameraError> {
        Ok(if self.1 { Frame::new(64, 64, vec![128; 3 * 64 * 64]) } else { None })
    }
    fn close(&mut self) {
        self.1 = false;
    }
}

struct CountedEngine(Arc<Acts>);

impl FaceEngine for CountedEngine {
    fn engine(&self) -> EngineId {
        EngineId::sface()
    }
    fn wake(&mut self) -> Result<(), FaceError> {
        Ok(())
    }
    fn locate(&mut self, _warrant: Warrant<'_>, _frame: &Frame) -> Result<Look, FaceError> {
        self.0.looked.fetch_add(1, Ordering::SeqCst);
        // A head that turns to one side and to the other, two frames each.
        let nose = match self.0.looked.load(Ordering::SeqCst) / 2 % 3 {
            0 => 32.0,
            1 => 34.0,
            _ => 30.0,
        };
        let landmarks = [(26.0, 27.0), (38.0, 27.0), (nose, 33.0), (28.0, 39.0), (36.0, 39.0)];
        let face = FaceBox { x: 20.0, y: 17.0, width: 24.0, height: 30.0, score: 0.99, landmarks };
        Ok(Look { frame: (64, 64), faces: vec![face], luma: 128.0, contrast: 40.0, sharpness: 200.0 })
    }
    fn extract(&mut self, _warrant: Warrant<'_>, _frame: Frame, _face: &FaceBox) -> Result<FaceTemplate, FaceError> {
        self.0.extracted.fetch_add(1, Ordering::SeqCst);
        let mut vector = [0.0; TEMPLATE_LEN];
        vector[0] = 1.0;
        FaceTemplate::from_unit_vector(EngineId::sface(), &mut vector).ok_or(FaceError::Unsound)
    }
    fn rest(&mut self) {}
}

/// Counts faces and probes that leave; everything else passes.
struct CountedLink(Box<dyn GateLink>, Arc<Acts>);

impl GateLink for CountedLink {
    fn keep_to(&mut self, networks: Networks) {
        self.0.keep_to(networks);
    }

    fn network_to(&self, address: &str) -> Option<String> {
        self.0.network_to(address)
    }

    fn ask(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        if matches!(request, Request::PutFace(_) | Request::Probe(_) | Request::ProbeOne(_)) {
            self.1.sent.fetch_add(1, Ordering::SeqCst);
        }
        self.0.ask(gate, request, limit)
    }
    fn pair(&mut self, address: &str, code: &PairingCode, limit: Duration) -> Result<(Hello, [u8; 32]), PairError> {
        self.0.pair(address, code, limit)
    }

    fn lans(&mut self) -> Vec<Lan> {
        self.0.lans()
    }

    fn search(&mut self, on: &str) -> Result<Vec<FoundGate>, LinkError> {
        self.0.search(on)
    }

    fn search_over(&mut self) {
        self.0.search_over();
    }
}

/// Cards are typed by a keyboard-wedge reader here.
struct NoReader;

impl CardReader for NoReader {
    fn present(&mut self) -> Result<Option<menka::domain::card::CardUid>, ReaderError> {
        Ok(None)
    }
}

/// What the person at the resident window has done, and nothing the program says of itself.
#[derive(Debug, Default)]
struct Model {
    /// Whose card was tapped for face entry.
    person: Option<usize>,
    /// The languages whose notice was read to its end.
    read: Vec<Language>,
    language: Language,
    /// Yes was pressed, with a signature, on the consent page, after all of the above.
    agreed: bool,
}

impl Model {
    fn forget(&mut self) {
        *self = Self { language: self.language, ..Self::default() };
    }
}

struct World {
    desk: Desk,
    courier: Option<Courier>,
    acts: Arc<Acts>,
    now: Timestamp,
    scene: ResidentScene,
    opened: Option<ResidentView>,
    gates: Vec<GateStatus>,
    fingerprint: Option<[u8; 32]>,
    model: Model,
    residents: Vec<ResidentId>,
    /// What was done, for the message of a failure.
    done: Vec<String>,
}

/// The people: two adults and a child.
const PEOPLE: [(&str, AgeBand); 3] =
    [("王小明", AgeBand::Adult), ("李秀英", AgeBand::Adult), ("孙小宝", AgeBand::Under14)];

fn wedge(card: usize) -> String {
    practice_card(card).unwrap().bytes().iter().map(|b| format!("{b:02x}")).collect()
}

impl World {
    fn new(folder: &Path) -> Self {
        let acts = Arc::<Acts>::default();
        let counted = Arc::clone(&acts);
        let tls = tls_links();
        let devices = Devices {
            camera: Box::new(CountedCamera(Arc::clone(&acts), false)),
            engine: Box::new(CountedEngine(Arc::clone(&acts))),
            reader: Box::new(NoReader),
            boards: menka::boards::links(),
            link: Box::new(move |keys, site, realm| {
                Box::new(CountedLink(tls(keys, site, realm), Arc::clone(&counted))) as Box<dyn GateLink>
            }),
            speech: Box::new(SystemSpeech::new()),
            printer: Box::new(SystemPrinter::new()),
            posture: this_machine(&folder.join("desk")),
            chip: menka::chip::none(),
        };
        let config = DeskConfig { data_dir: folder.join("desk"), realm: Realm::Practice, kdf: KDF.into() };
        let mut world = Self {
            desk: Desk::new(config, devices),
            courier: None,
            acts,
            now: SystemClock.now(),
            scene: ResidentScene::Closed,
            opened: None,
            gates: vec![],
            fingerprint: None,
            model: Model::default(),
            residents: vec![],
            done: vec![],
        };
        let events = world.desk.start(world.now);
        world.take(events);
        world
    }

    fn take(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Resident(scene) => self.scene = scene,
                Event::Staff(StaffEvent::Opened(view)) => self.opened = Some(*view),
                Event::Staff(StaffEvent::Closed) => self.opened = None,
                Event::Staff(StaffEvent::Gates(gates)) => self.gates = gates,
                Event::Staff(StaffEvent::StationFingerprint(text)) => {
                    self.fingerprint = menka::wire::keys::parse_fingerprint(&text);
                }
                _ => {}
            }
        }
        if self.desk.is_locked() {
            self.courier = None;
        }
        if let Some(courier) = self.desk.take_courier() {
            self.courier = Some(courier);
        }
    }

    /// Whatever happens in `act` may touch a face only when the model says so before and, for what ends a consent, after it.
    fn watched(&mut self, what: String, act: impl FnOnce(&mut Self)) {
        self.done.push(what);
        let before = self.acts.count();
        act(self);
        let after = self.acts.count();
        assert!(
            before == after || self.model.agreed,
            "camera, looks, templates, sent went from {before:?} to {after:?} without a consent: {:#?}\n{:?}",
            &self.done[self.done.len().saturating_sub(25)..],
            self.model
        );
    }

    fn staff(&mut self, command: StaffCommand) {
        self.watched(format!("staff: {command:?}"), |w| {
            let events = w.desk.handle(Command::Staff(command), w.now);
            w.take(events);
        });
    }

    fn operators(&mut self, command: OperatorsCommand) {
        self.staff(StaffCommand::Operators(command));
    }

    fn resident(&mut self, command: ResidentCommand) {
        self.watched(format!("resident: {command:?}"), |w| {
            let events = w.desk.handle(Command::Resident(command), w.now);
            w.take(events);
        });
    }

    fn tick(&mut self, ms: i64) {
        if ms < 60_000 {
            // Somebody is at the staff window: the desk does not lock itself.
            self.operators(OperatorsCommand::Awake);
        }
        self.now = self.now.plus_ms(ms);
        self.watched(format!("{ms} ms pass"), |w| {
            let events = w.desk.tick(w.now);
            w.take(events);
        });
        // The program gave up by itself (a time-out, an error): what was held is gone, and so is the leave to look.
        if matches!(self.scene, ResidentScene::Idle { .. } | ResidentScene::Closed) {
            self.model.forget();
        }
    }

    fn deliver(&mut self) {
        self.watched("the courier goes round".into(), |w| {
            if let Some(courier) = w.courier.as_mut() {
                courier.pass(w.now).unwrap();
            }
        });
    }

    fn unlock(&mut self) {
        self.staff(StaffCommand::Unlock { account: None, passphrase: Passphrase::new(PASSPHRASE.into()) });
    }

    /// First run, one gate, three people with cards that work.
    fn furnish(&mut self, folder: &Path) -> GateProcess {
        self.staff(StaffCommand::CreateVault {
            operator: OPERATOR.into(),
            passphrase: Passphrase::new(PASSPHRASE.into()),
            facts: facts(),
        });
        self.operators(OperatorsCommand::RecoveryKept);
        self.operators(OperatorsCommand::ReadRules(Language::Chinese));
        self.operators(OperatorsCommand::RulesReachedEnd);
        self.operators(OperatorsCommand::SignRules(OPERATOR.into()));
        let gate = GateProcess::start(&gate_program(), &folder.join("gate"), 0).unwrap();
        let words = GateWords {
            name: "东门".into(),
            place: "东门旁".into(),
            capture_area: "门前1米".into(),
            other_way: "刷卡，或者值班人员核对放行".into(),
            why_needed: "双手不便的住户较多".into(),
        };
        let shown = gate.show_code().unwrap();
        let (address, code) = (gate.address.clone(), PairingCode::parse(&shown.code));
        self.staff(StaffCommand::Pairing(PairingCommand::Pair { words, address, code }));
        self.deliver();
        self.tick(10);
        let assessed = Box::new(assessment(self.now.date()));
        self.staff(StaffCommand::Notice(NoticeCommand::RegisterAssessment(assessed)));
        for (number, (name, band)) in PEOPLE.iter().enumerate() {
            self.staff(StaffCommand::SaveResident {
                id: None,
                name: (*name).into(),
                unit: format!("{}-101", number + 1),
                age_band: *band,
                next_band_on: if *band == AgeBand::Adult {
                    String::new()
                } else {
                    self.now.date().plus_days(900).to_string()
                },
                ends_on: self.now.date().plus_days(300).to_string(),
            });
            let resident = self.opened.as_ref().expect("the record is open").resident.id;
            self.residents.push(resident);
            let gates = self.gates.iter().map(|g| g.id).collect();
            self.staff(StaffCommand::IssueCard { resident, uid: practice_card(number).unwrap(), gates });
            self.deliver();
            self.tick(10);
            self.staff(StaffCommand::CloseResident);
        }
        gate
    }

    /// One random act. What ends a consent ends the model's leave before the desk hears of it.
    fn random_act(&mut self, rng: &mut StdRng) {
        let card = rng.random_range(0..PEOPLE.len() + 1);
        match rng.random_range(0..36u8) {
            // The resident window, in any order, sensible or not.
            0..=3 => self.resident(ResidentCommand::AskFace),
            4..=7 => self.tap(card),
            8..=10 => {
                if let ResidentScene::Notice { .. } = self.scene {
                    self.model.read.push(self.model.language);
                }
                self.resident(ResidentCommand::NoticeReachedEnd);
            }
            11..=13 => self.resident(ResidentCommand::GoToConsent),
            14..=17 => self.agree(rng),
            18 => {
                self.model.forget();
                self.resident(ResidentCommand::Refuse);
            }
            19 => {
                self.model.forget();
                self.resident(ResidentCommand::Stop);
            }
            20 => self.back(),
            21 => {
                let language = *[Language::Chinese, Language::English].choose(rng).unwrap();
                self.model.language = language;
                self.resident(ResidentCommand::Language(language));
            }
            22 => self.resident(ResidentCommand::TryGate),
            23 => self.resident(ResidentCommand::TryAgain),
            24 => self.finish(),
            25 => self.resident(ResidentCommand::AskWithdraw),
            26 => {
                if matches!(self.scene, ResidentScene::WithdrawConfirm { .. }) {
                    self.model.forget();
                }
                self.resident(ResidentCommand::ConfirmWithdraw);
            }
            27 => self.resident(ResidentCommand::ShowRules),
            // The staff window.
            28 => {
                self.model.forget();
                self.staff(StaffCommand::StopFace);
            }
            29 => {
                self.model.forget();
                self.staff(StaffCommand::Lock);
                self.unlock();
            }
            30 => {
                let resident = self.residents[rng.random_range(0..self.residents.len())];
                self.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
            }
            31 => self.withdraw_for(rng),
            32 => {
                let who = *self.residents.choose(rng).unwrap();
                let uid = practice_card(card).unwrap();
                let gates = self.gates.iter().map(|g| g.id).collect();
                self.staff(StaffCommand::IssueCard { resident: who, uid, gates });
            }
            33 => self.deliver(),
            34 => self.tick(rng.random_range(60_000..1_000_000)),
            _ => {
                for _ in 0..rng.random_range(1..20) {
                    self.tick(130);
                }
            }
        }
    }

    /// What a person who wants to go on would do next, so that the walk gets deep.
    fn sensible_act(&mut self, rng: &mut StdRng) {
        match &self.scene {
            ResidentScene::Idle { face_offered: true, .. } => self.resident(ResidentCommand::AskFace),
            ResidentScene::Idle { .. } => {
                self.deliver();
                self.tick(200);
            }
            ResidentScene::TapCard { .. } => self.tap(rng.random_range(0..PEOPLE.len())),
            ResidentScene::Notice { reached_end: true, .. } => self.resident(ResidentCommand::GoToConsent),
            ResidentScene::Notice { .. } => {
                self.model.read.push(self.model.language);
                self.resident(ResidentCommand::NoticeReachedEnd);
            }
            ResidentScene::Consent { .. } => self.agree(rng),
            ResidentScene::Camera { .. } | ResidentScene::Working { .. } => self.tick(130),
            ResidentScene::TryGate { looking: false, .. } => self.resident(ResidentCommand::TryGate),
            ResidentScene::TryGate { .. } => self.tick(130),
            ResidentScene::WithdrawConfirm { .. } => {
                self.model.forget();
                self.resident(ResidentCommand::ConfirmWithdraw);
            }
            ResidentScene::Done { .. } => self.finish(),
            ResidentScene::Closed => self.unlock(),
            _ => self.back(),
        }
    }

    fn finish(&mut self) {
        self.resident(ResidentCommand::Finish);
        if matches!(self.scene, ResidentScene::Idle { .. }) {
            self.model.forget();
        }
    }

    /// A card is tapped. Only on the page that asks for a card for face entry does it begin something.
    fn tap(&mut self, card: usize) {
        let asked = matches!(self.scene, ResidentScene::TapCard { withdraw: false, .. });
        if asked {
            self.model.forget();
        }
        self.resident(ResidentCommand::WedgeTyped(wedge(card)));
        if asked && matches!(self.scene, ResidentScene::Notice { .. }) {
            self.model.person = Some(card);
        }
    }

    fn agree(&mut self, rng: &mut StdRng) {
        let signed = rng.random_range(0..4u8) > 0;
        let text = if signed { "本人" } else { "  " };
        let on_page = matches!(self.scene, ResidentScene::Consent { .. });
        let read = self.model.read.contains(&self.model.language);
        if on_page && signed && read && self.model.person.is_some() {
            self.model.agreed = true;
        }
        self.resident(ResidentCommand::Consent { signature: Signature::TypedName(text.into()) });
    }

    /// Back forgets what was begun, where the window has such a button.
    fn back(&mut self) {
        self.resident(ResidentCommand::Back);
        if matches!(self.scene, ResidentScene::Idle { .. }) {
            self.model.forget();
        }
    }

    /// Staff note a withdrawal by telephone.
    fn withdraw_for(&mut self, rng: &mut StdRng) {
        let who = rng.random_range(0..self.residents.len());
        // For a record that is open on the staff window, of somebody who has agreed; else the command does nothing.
        if self.model.agreed
            && self.model.person == Some(who)
            && self.opened.as_ref().is_some_and(|v| v.resident.id == self.residents[who])
        {
            self.model.forget();
        }
        self.staff(StaffCommand::WithdrawFor(self.residents[who]));
    }
}

// Shows: P13, P29, J02-3, L1-12, L1-13, L2-14, M2
#[test]
fn random_acts_reach_no_camera_template_or_sending_without_a_current_separate_own_consent() {
    let seeds = std::env::var("MENKA_MODEL_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(6);
    let mut total = [0; 4];
    for seed in 0..seeds {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(folder.path());
        let _gate = world.furnish(folder.path());
        assert_eq!(world.acts.count(), [0; 4]);
        let mut rng = StdRng::seed_from_u64(seed);
        for _ in 0..500 {
            if rng.random_range(0..3u8) == 0 { world.random_act(&mut rng) } else { world.sensible_act(&mut rng) }
        }
        let acts = world.acts.count();
        total.iter_mut().zip(acts).for_each(|(t, n)| *t += n);
        world.model.forget();
        world.staff(StaffCommand::Lock);
        on_disk(&world.desk, folder.path(), world.now);
    }
    println!("camera opened, frames looked at, templates, sent: {total:?}");
    assert!(total.iter().all(|n| *n > 0), "the walk never got there: {total:?}");
}

/// The same from the log on the disk: each opening of the camera lies between a consent and its end.
fn on_disk(desk: &Desk, folder: &Path, now: Timestamp) {
    assert!(desk.is_locked());
    let passphrase = Passphrase::new(PASSPHRASE.into());
    let vault = Vault::unlock(&folder.join("desk"), Realm::Practice, &passphrase, now).unwrap();
    let mut current = std::collections::BTreeSet::new();
    for record in vault.log_records(0, u32::MAX).unwrap() {
        let first = record.ids.first().cloned().unwrap_or_default();
        match record.what.as_str() {
            "consented" => {
                assert!(record.who.starts_with("resident:"), "{record:?}");
                current.insert(first);
            }
            "consent-ended" => {
                current.remove(&first);
            }
            "camera-opened" => assert!(current.contains(&first), "{record:?}"),
            _ => {}
        }
    }
    assert!(vault.audit().unwrap().is_sound());
}
