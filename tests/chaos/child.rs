//! The desk as a process of its own, without windows: lines on standard input become commands at the same door as the windows', and what a
//! screen would then show is answered. An answer is what was confirmed to people: it must outlive any kill.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::deletion::{Closing, DeletionCommand};
use menka::app::event::{FaceState, Failure, ResidentScene};
use menka::app::operators::OperatorsCommand;
use menka::app::relay::RelayCommand;
use menka::domain::card::CardUid;
use menka::domain::consent::ConsentGranted;
use menka::domain::id::{GateId, ResidentId};
use menka::domain::permit::CameraPermit;
use menka::domain::role::LookWhy;
use menka::face::{self, EngineKind};
use menka::ports::{Camera, CameraError, CameraInfo};
use menka::practice::drive::Drive;
use menka::practice::{Controls, Person, PictureCamera, PracticeAct, people, practice_card};
use menka::secret::Frame;

use super::faces::{Memory, RememberingEngine};
use super::{gate_program, models, pictures};

/// Names the security chip of the computer, where it has one.
pub const CHIP: &str = "MENKA_CHAOS_CHIP";

/// Runs until standard input closes.
pub fn main(folder: &Path, with_faces: bool) {
    let memory = Memory::new();
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let engine = Box::new(RememberingEngine { inner: engine, memory: memory.clone() });
    let controls = Controls::default();
    let camera =
        LateCamera { with_faces, controls: controls.clone(), camera: None, memory: memory.clone(), shown_at: None };
    let chip = match std::env::var(CHIP) {
        Ok(at) => menka::chip::this_computer(Some(&at)).expect("a chip"),
        Err(_) => menka::chip::none(),
    };
    let mut desk = Desk(Drive::with_camera_and_chip(folder, engine, Box::new(camera), controls, chip), memory);
    desk.0.hasten();
    say("ready");
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        desk.0.operators(OperatorsCommand::Awake);
        desk.0.failures.clear();
        match desk.act(&words) {
            Ok(answer) => say(&format!("ok {answer}")),
            Err(why) => say(&format!("failed {why}")),
        }
    }
    // As a power cut: `lock` is a command of its own.
    std::process::exit(0);
}

/// The practice camera, whose pictures are read when it is first opened: most desks here end before.
struct LateCamera {
    with_faces: bool,
    controls: Controls,
    camera: Option<PictureCamera>,
    memory: Memory,
    /// Of somebody whose pictures are known: when the last one was shown.
    shown_at: Option<Instant>,
}

/// A quick camera: the desk takes its pictures in its own time.
const PICTURE_EVERY: Duration = Duration::from_millis(12);

impl LateCamera {
    fn camera(&mut self) -> &mut PictureCamera {
        self.camera.get_or_insert_with(|| {
            let all: Vec<Person> = match self.with_faces {
                true => people(&pictures()).expect("make pictures fetches them"),
                false => vec![],
            };
            PictureCamera::new(all, self.controls.clone())
        })
    }
}

impl Camera for LateCamera {
    fn cameras(&mut self) -> Vec<CameraInfo> {
        PictureCamera::new(vec![], self.controls.clone()).cameras()
    }

    fn choose(&mut self, id: &str) {
        if let Some(camera) = &mut self.camera {
            camera.choose(id);
        }
    }

    fn open(&mut self, consent: &ConsentGranted, permit: &CameraPermit) -> Result<(), CameraError> {
        if self.memory.is_known() {
            self.shown_at = Some(Instant::now());
            return Ok(());
        }
        self.camera().open(consent, permit)
    }

    fn newest(&mut self) -> Result<Option<Frame>, CameraError> {
        if let Some(at) = self.shown_at {
            if at.elapsed() < PICTURE_EVERY {
                return Ok(None);
            }
            self.shown_at = Some(Instant::now());
            return Ok(self.memory.frame());
        }
        self.camera.as_mut().map_or(Ok(None), Camera::newest)
    }

    fn close(&mut self) {
        self.shown_at = None;
        if let Some(camera) = &mut self.camera {
            camera.close();
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody listens");
}

pub struct Desk(pub Drive, Memory);

pub type Answer = Result<String, String>;

impl Desk {
    fn act(&mut self, words: &[&str]) -> Answer {
        match *words {
            ["create"] => self.create(),
            ["unlock"] => self.unlock(),
            ["lock"] => {
                self.0.staff(StaffCommand::Lock);
                self.unless_failed(String::new())
            }
            ["pair", name, address, code] => self.pair(name, address, code),
            ["add", name, unit] => {
                let id = self.0.add(name, unit).map_err(|e| e.to_string())?;
                self.0.staff(StaffCommand::CloseResident);
                self.unless_failed(id.to_string())
            }
            ["issue", resident, card] => self.issue(resident, card),
            ["deliver"] => self.0.deliver().map(|n| n.to_string()).map_err(|e| e.to_string()),
            ["settle", seconds] => self.settle(number(seconds)? as u64),
            ["enroll", card, seat] => self.enroll(number(card)?, number(seat)?),
            ["withdraw", card] => self.withdraw(number(card)?),
            ["pause", resident] => self.deletion(resident, DeletionCommand::PauseFor),
            ["resume", resident] => self.deletion(resident, DeletionCommand::ResumeFor),
            ["close", resident] => {
                let why = |resident| DeletionCommand::CloseRecord { resident, why: Closing::MovedOut };
                self.deletion(resident, why)
            }
            ["state", resident] => self.state(resident),
            ["colleague"] => {
                self.0.add_colleague();
                self.settle(20)
            }
            ["backup-key"] => self.backup_key(),
            ["backup", folder] => self.back_up(folder),
            ["drill", folder, key] => self.drill(folder, key),
            ["restore", folder, key] => self.restore(folder, key),
            ["rotate"] => self.rotate(),
            ["bind"] => self.bind(),
            ["release"] => self.release(),
            ["operator", name] => self.new_operator(name),
            ["fact", text] => self.new_fact(text),
            ["incident", what] => self.incident(what),
            ["report", number, to] => self.report_incident(number, to),
            ["board", name, address] => self.add_board(name, address),
            ["renew"] => self.renew(),
            ["replace", name, address, code] => self.replace(name, address, code),
            ["replace", name, address, code, resident] => {
                self.replace(name, address, code)?;
                self.filled(resident, 2)
            }
            ["retire", name] => self.retire(name),
            ["repair", name] => {
                let gate = self.gate(name)?;
                self.0.staff(StaffCommand::Relay(RelayCommand::Repair(gate)));
                self.rounds(60, |desk| {
                    let gate = desk.0.gates.iter().find(|other| other.id == gate)?;
                    (gate.in_step == Some(true)).then(String::new)
                })
            }
            ["drifts", name] => self.drifts(name),
            ["who", name] => Ok(self.gate(name).map_or_else(|_| "nobody".to_owned(), |gate| gate.to_string())),
            ["stands", name, id, seconds] => {
                // The old gate is listed too until it has signed for the last time.
                let stands = |desk: &mut Self| {
                    let there = desk.0.gates.iter().any(|gate| gate.name == name && gate.id.to_string() == id);
                    there.then(String::new)
                };
                self.rounds(number(seconds)? as u64, stands)
            }
            ["gone", name] => {
                self.rounds(20, |desk| desk.0.gates.iter().all(|gate| gate.name != name).then(String::new))
            }
            ["away", name] => self.away(name),
            ["filled", resident, count] => self.filled(resident, number(count)?),
            ["gates"] => {
                self.0.deliver().map_err(|e| e.to_string())?;
                self.0.tick();
                Ok(self.0.gates.len().to_string())
            }
            _ => Err(format!("no such act: {words:?}")),
        }
    }

    pub fn unless_failed(&mut self, answer: String) -> Answer {
        match self.0.failures.first() {
            None => Ok(answer),
            Some(failure) => Err(format!("{failure:?}")),
        }
    }

    fn create(&mut self) -> Answer {
        self.0.create();
        self.unless_failed(String::new())
    }

    /// Waits out the pause that a try leaves which was killed before it was known to be right.
    pub fn unlock(&mut self) -> Answer {
        let start = Instant::now();
        loop {
            self.0.failures.clear();
            self.0.unlock();
            match self.0.failures.first() {
                Some(Failure::WrongPassphrase { wait_ms }) if *wait_ms > 0 && start.elapsed().as_secs() < 90 => {
                    std::thread::sleep(Duration::from_millis(wait_ms.unsigned_abs() + 20));
                }
                None | Some(Failure::CaptureLost) => {
                    let told = format!("{:?}", self.0.failures);
                    self.0.failures.clear();
                    self.0.deliver().map_err(|e| e.to_string())?;
                    self.0.tick();
                    return self.unless_failed(told);
                }
                Some(other) => return Err(format!("{other:?}")),
            }
        }
    }

    fn pair(&mut self, name: &str, address: &str, code: &str) -> Answer {
        self.0.pair_by(code, address, name);
        self.unless_failed(String::new())
    }

    fn issue(&mut self, resident: &str, card: &str) -> Answer {
        let (resident, card) = (id(resident)?, number(card)?);
        self.open(resident)?;
        let uid = uid(card)?;
        let last4 = uid.last4();
        let gates = self.0.paired();
        self.0.staff(StaffCommand::IssueCard { resident, uid, gates });
        let shown = self.0.opened.as_ref().and_then(|view| view.card.as_ref()).is_some_and(|c| c.last4 == last4);
        self.0.staff(StaffCommand::CloseResident);
        self.unless_failed(String::new())?;
        if shown { Ok(String::new()) } else { Err("the card is not shown".into()) }
    }

    /// Rounds of the courier until every gate answers and nothing waits.
    pub fn settle(&mut self, seconds: u64) -> Answer {
        let start = Instant::now();
        loop {
            let sent = self.0.deliver().map_err(|e| e.to_string())?;
            self.0.tick();
            let quiet = self.0.gates.iter().all(|g| g.reachable && g.pending == 0);
            if sent == 0 && quiet && !self.0.gates.is_empty() {
                let wedged: u32 = self.0.gates.iter().map(|g| g.wedged).sum();
                return if wedged == 0 { Ok(String::new()) } else { Err(format!("wedged {wedged}")) };
            }
            if start.elapsed().as_secs() >= seconds {
                let waits: Vec<(bool, u32, u32)> =
                    self.0.gates.iter().map(|g| (g.reachable, g.pending, g.wedged)).collect();
                return Err(format!("not settled: {waits:?}"));
            }
            if sent == 0 {
                std::thread::sleep(Duration::from_millis(60));
            }
        }
    }

    fn enroll(&mut self, card: usize, seat: usize) -> Answer {
        self.0.controls.act(PracticeAct::Seat(seat));
        self.1.seat(seat);
        self.0.resident(ResidentCommand::Back);
        let offered = |d: &Drive| matches!(d.scene, ResidentScene::Idle { face_offered: true, .. });
        let start = Instant::now();
        while !offered(&self.0) {
            // Gates count as answering once the courier has asked them.
            self.0.deliver().map_err(|e| e.to_string())?;
            self.0.tick();
            if start.elapsed().as_secs() > 20 {
                return Err(format!("face entry is not offered: {:?}", self.0.blockers));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.0.resident(ResidentCommand::AskFace);
        self.0.resident(ResidentCommand::WedgeTyped(typed(card)?));
        if !matches!(self.0.scene, ResidentScene::Notice { .. }) {
            return Err(self.scene());
        }
        self.0.read_and_consent().map_err(|e| e.to_string())?;
        let over = |d: &Drive| matches!(d.scene, ResidentScene::TryGate { .. } | ResidentScene::Ended { .. });
        for again in 0..4 {
            self.0.until("the hand-over", Duration::from_secs(60), over).map_err(|e| e.to_string())?;
            match &self.0.scene {
                ResidentScene::Ended { may_retry: true, .. } if again < 3 => {
                    // As somebody would who reads that the gate was away: a moment, then once more.
                    std::thread::sleep(Duration::from_millis(700));
                    self.0.resident(ResidentCommand::TryAgain);
                }
                _ => break,
            }
        }
        if matches!(self.0.scene, ResidentScene::Ended { .. }) {
            let why = self.scene();
            self.0.resident(ResidentCommand::Stop);
            self.0.resident(ResidentCommand::Back);
            return Err(why);
        }
        self.1.keep();
        self.0.resident(ResidentCommand::Finish);
        let ResidentScene::Done { receipt, .. } = &self.0.scene else { return Err(self.scene()) };
        let answer = format!("{} {}", receipt.gates.len(), receipt.away.len());
        self.0.resident(ResidentCommand::Finish);
        Ok(answer)
    }

    fn withdraw(&mut self, card: usize) -> Answer {
        self.0.resident(ResidentCommand::Back);
        self.0.resident(ResidentCommand::AskWithdraw);
        self.0.resident(ResidentCommand::WedgeTyped(typed(card)?));
        if matches!(self.0.scene, ResidentScene::WithdrawConfirm { .. }) {
            self.0.resident(ResidentCommand::ConfirmWithdraw);
        }
        // Without a question: the desk owed it since a disk did not take it, and did it by itself in the meantime. What is left is compared after.
        let done = matches!(self.0.scene, ResidentScene::Withdrawn { .. });
        let scene = self.scene();
        self.0.resident(ResidentCommand::Back);
        if done { self.unless_failed(String::new()) } else { Err(scene) }
    }

    fn deletion(&mut self, resident: &str, command: impl FnOnce(ResidentId) -> DeletionCommand) -> Answer {
        let resident = id(resident)?;
        self.open(resident)?;
        self.0.staff(StaffCommand::Deletion(command(resident)));
        self.0.staff(StaffCommand::CloseResident);
        self.unless_failed(String::new())
    }

    fn open(&mut self, resident: ResidentId) -> Result<(), String> {
        self.0.staff(StaffCommand::OpenResident(resident, LookWhy::Here));
        match (&self.0.opened, self.0.failures.first()) {
            (Some(view), None) if view.resident.id == resident => Ok(()),
            (_, failure) => Err(format!("the record does not open: {failure:?}")),
        }
    }

    /// `card face gates-of-card gates-with-card`: `card` is yes or no; `face` is none, erasing, or the number of gates that hold it.
    fn state(&mut self, resident: &str) -> Answer {
        self.open(id(resident)?)?;
        let view = self.0.opened.clone().ok_or("no record")?;
        self.0.staff(StaffCommand::CloseResident);
        let face = match view.face {
            FaceState::None => "none".to_owned(),
            FaceState::Held { gates, .. } => gates.len().to_string(),
            FaceState::Erasing { .. } => "erasing".to_owned(),
        };
        let (card, named, there) = match view.card {
            None => ("no".to_owned(), 0, 0),
            Some(card) => {
                (card.last4.clone(), card.gates.len(), card.gates.iter().filter(|(_, _, there)| *there).count())
            }
        };
        self.unless_failed(format!("{card} {face} {named} {there}"))
    }

    pub fn gate(&mut self, name: &str) -> Result<GateId, String> {
        self.0.deliver().map_err(|e| e.to_string())?;
        self.0.tick();
        let found = self.0.gates.iter().find(|gate| gate.name == name).map(|gate| gate.id);
        found.ok_or_else(|| format!("no gate {name}"))
    }

    /// Waits until a gate counts as away.
    fn away(&mut self, name: &str) -> Answer {
        self.rounds(30, |desk| desk.0.gates.iter().any(|gate| gate.name == name && !gate.reachable).then(String::new))
    }

    /// Waits until a gate is known to differ from the record; how many differences there are.
    fn drifts(&mut self, name: &str) -> Answer {
        self.rounds(60, |desk| {
            let gate = desk.0.gates.iter().find(|gate| gate.name == name)?;
            (!gate.drift.is_empty()).then(|| gate.drift.len().to_string())
        })
    }

    /// Waits until so many gates signed for somebody's face.
    fn filled(&mut self, resident: &str, count: usize) -> Answer {
        let resident = id(resident)?;
        self.rounds(60, |desk| {
            desk.open(resident).ok()?;
            let face = desk.0.opened.as_ref().map(|view| view.face.clone());
            desk.0.staff(StaffCommand::CloseResident);
            matches!(face, Some(FaceState::Held { gates, .. }) if gates.len() >= count).then(String::new)
        })
    }

    /// Rounds of the courier until something is so.
    pub fn rounds(&mut self, seconds: u64, mut done: impl FnMut(&mut Self) -> Option<String>) -> Answer {
        let start = Instant::now();
        loop {
            self.0.deliver().map_err(|e| e.to_string())?;
            self.0.tick();
            if let Some(answer) = done(self) {
                return self.unless_failed(answer);
            }
            if start.elapsed().as_secs() >= seconds {
                return Err(format!("waited in vain; {:?}", self.0.failures));
            }
            std::thread::sleep(Duration::from_millis(80));
        }
    }

    fn scene(&self) -> String {
        let scene: String = format!("{:?}", self.0.scene).chars().take(160).collect();
        format!("{scene}; {:?}", self.0.failures)
    }
}

fn id(text: &str) -> Result<ResidentId, String> {
    ResidentId::parse(text).ok_or_else(|| "no id".into())
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

fn uid(card: usize) -> Result<CardUid, String> {
    practice_card(card).ok_or_else(|| "no card".into())
}

/// What a keyboard-wedge reader types for a practice card.
fn typed(card: usize) -> Result<String, String> {
    Ok(uid(card)?.bytes().iter().map(|b| format!("{b:02X}")).collect())
}
