//! The desk as a process of its own, without windows: lines on standard input become commands at the same door as the windows', and what a
//! screen would then show is answered. An answer is what was confirmed to people: it must outlive any kill.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use menka::app::command::{ResidentCommand, StaffCommand};
use menka::app::deletion::{Closing, DeletionCommand};
use menka::app::event::{FaceState, Failure, ResidentScene};
use menka::app::operators::OperatorsCommand;
use menka::domain::card::CardUid;
use menka::domain::id::ResidentId;
use menka::domain::role::LookWhy;
use menka::face::{self, EngineKind};
use menka::practice::drive::Drive;
use menka::practice::{Person, PracticeAct, people, practice_card};

use super::{gate_program, models, pictures};

/// Runs until standard input closes.
pub fn main(folder: &Path, with_faces: bool) {
    let engine = face::engine_for(EngineKind::Sface, &models(), &gate_program());
    let all: Vec<Person> = match with_faces {
        true => people(&pictures()).expect("make pictures fetches them"),
        false => vec![],
    };
    let mut desk = Desk(Drive::new(folder, engine, all));
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

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody listens");
}

struct Desk(Drive);

type Answer = Result<String, String>;

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
            ["gates"] => {
                self.0.deliver().map_err(|e| e.to_string())?;
                self.0.tick();
                Ok(self.0.gates.len().to_string())
            }
            _ => Err(format!("no such act: {words:?}")),
        }
    }

    fn unless_failed(&mut self, answer: String) -> Answer {
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
    fn unlock(&mut self) -> Answer {
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
    fn settle(&mut self, seconds: u64) -> Answer {
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
        if !matches!(self.0.scene, ResidentScene::WithdrawConfirm { .. }) {
            return Err(self.scene());
        }
        self.0.resident(ResidentCommand::ConfirmWithdraw);
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
