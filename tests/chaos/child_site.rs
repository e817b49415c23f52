//! What the desk process does for the whole site: backups, keys, the chip, accounts, facts, gates and boards.

use std::time::Duration;

use menka::app::boards::BoardsCommand;
use menka::app::command::StaffCommand;
use menka::app::deletion::DeletionCommand;
use menka::app::duties::{DutiesCommand, IncidentCommand, IncidentTyped};
use menka::app::event::Failure;
use menka::app::keep::{KeepCommand, KeepTold};
use menka::app::operators::OperatorsCommand;
use menka::app::relay::RelayCommand;
use menka::app::runner::SystemClock;
use menka::domain::board::CardFormat;
use menka::domain::incident::DataKind;
use menka::domain::role::Role;
use menka::domain::site::Fact;
use menka::ports::Clock;
use menka::practice::site;
use menka::secret::{PairingCode, Passphrase, Typed};

use super::child::{Answer, Desk};

/// How often a pause is waited out: one a supervisor, and one more. A passphrase that is wrong stays so.
const PAUSES_MAX: usize = 3;

fn pause(failure: &Failure) -> Option<i64> {
    match failure {
        Failure::WrongPassphrase { wait_ms } => Some(*wait_ms),
        _ => None,
    }
}

impl Desk {
    fn keep(&mut self, command: KeepCommand) {
        self.0.keep.clear();
        self.0.staff(StaffCommand::Keep(command));
    }

    fn kept<T>(&self, find: impl Fn(&KeepTold) -> Option<T>) -> Result<T, String> {
        self.0.keep.iter().find_map(find).ok_or_else(|| format!("{:?}", self.0.failures))
    }

    pub fn backup_key(&mut self) -> Answer {
        self.keep(KeepCommand::NewKey);
        let key = self.kept(|told| if let KeepTold::Sheet(key) = told { Some(key.clone()) } else { None })?;
        self.keep(KeepCommand::SheetKept);
        self.unless_failed(key.as_str().to_owned())
    }

    pub fn back_up(&mut self, folder: &str) -> Answer {
        self.keep(KeepCommand::BackUp(folder.into()));
        self.kept(|told| if let KeepTold::BackedUp(report) = told { Some(report.name.clone()) } else { None })
    }

    pub fn drill(&mut self, folder: &str, key: &str) -> Answer {
        self.keep(KeepCommand::Drill(folder.into(), Typed::new(key.into())));
        self.kept(|told| if let KeepTold::Drilled(report) = told { Some(report.sound) } else { None })
            .and_then(|sound| if sound { Ok("sound".into()) } else { Err("not sound".into()) })
    }

    /// From the lock screen.
    pub fn restore(&mut self, folder: &str, key: &str) -> Answer {
        for _ in 0..PAUSES_MAX {
            self.0.keep.clear();
            self.0.failures.clear();
            self.0.restore(std::path::Path::new(folder), &Typed::new(key.into()));
            // A try is counted before it is checked: one that a kill broke off counts against whoever typed, who waits as after a wrong one.
            let Some(wait_ms) = self.0.failures.iter().find_map(pause) else { break };
            std::thread::sleep(Duration::from_millis(wait_ms.unsigned_abs()));
        }
        self.kept(|told| if let KeepTold::Restored(report) = told { Some(report.sound) } else { None })
            .and_then(|sound| if sound { Ok("sound".into()) } else { Err("not sound".into()) })
    }

    /// New keys; the desk is open again afterwards.
    pub fn rotate(&mut self) -> Answer {
        self.change(KeepCommand::ChangeKeys, |told| matches!(told, KeepTold::Changed(_)))
    }

    /// The vault is bound to this computer's chip.
    pub fn bind(&mut self) -> Answer {
        self.change(KeepCommand::BindComputer, |told| matches!(told, KeepTold::Bound))
    }

    /// And released.
    pub fn release(&mut self) -> Answer {
        self.change(KeepCommand::ReleaseComputer, |told| matches!(told, KeepTold::Released))
    }

    /// What is done alone with the files, approved by the colleague.
    fn change(&mut self, command: KeepCommand, is_done: impl Fn(&KeepTold) -> bool) -> Answer {
        self.keep(command);
        self.approved()?;
        for _ in 0..200 {
            self.0.tick();
            if self.0.keep.iter().any(&is_done) {
                return self.unlock();
            }
            if !self.0.failures.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(format!("{:?}", self.0.failures))
    }

    /// The colleague approves what waits.
    fn approved(&mut self) -> Result<(), String> {
        if self.0.asked.is_none() {
            return Err(format!("nobody is asked to approve: {:?}", self.0.failures));
        }
        self.0.failures.clear();
        let by = self.0.asked;
        for _ in 0..PAUSES_MAX {
            let told_before = self.0.told.len();
            self.0.asked = by;
            self.0.approve();
            let said = self.0.told.get(told_before..).unwrap_or_default();
            // Counted before it is checked, as at the door: who was broken off waits.
            let Some(wait_ms) = said.iter().find_map(|told| refused_for(told)) else { break };
            std::thread::sleep(Duration::from_millis(wait_ms));
        }
        Ok(())
    }

    /// An account for the front desk, trained today.
    pub fn new_operator(&mut self, name: &str) -> Answer {
        self.0.operators(OperatorsCommand::Add {
            name: name.into(),
            role: Role::FrontDesk,
            passphrase: Passphrase::new(site::PASSPHRASE.into()),
            trained_on: SystemClock.now().date().to_string(),
        });
        self.approved()?;
        self.unless_failed(String::new())
    }

    /// Another telephone number of the guards, approved by the colleague.
    pub fn new_fact(&mut self, text: &str) -> Answer {
        let mut facts = site::facts();
        facts.set(Fact::GuardPhone, text);
        self.0.staff(StaffCommand::SaveFacts(facts));
        self.approved()?;
        self.unless_failed(String::new())
    }

    /// An incident at the gates, entered: faces stop. Its number.
    pub fn incident(&mut self, what: &str) -> Answer {
        self.0.deliver().map_err(|e| e.to_string())?;
        let typed = IncidentTyped {
            happened_at: SystemClock.now().minute_text(),
            answers: [(); 5].map(|()| format!("门禁机外壳被人撬开，第{what}次")),
            kinds: vec![DataKind::Openings],
            gates: self.0.paired(),
            larger: false,
        };
        self.0.staff(StaffCommand::Duties(DutiesCommand::Incident(IncidentCommand::Enter(Box::new(typed)))));
        self.unless_failed(String::new())
    }

    /// The authority was told of it.
    pub fn report_incident(&mut self, number: &str, to: &str) -> Answer {
        let number = number.parse().map_err(|_| format!("no number: {number}"))?;
        let reported = IncidentCommand::Reported { number, to: to.into() };
        self.0.staff(StaffCommand::Duties(DutiesCommand::Incident(reported)));
        self.unless_failed(String::new())
    }

    /// A card board at this address.
    pub fn add_board(&mut self, name: &str, address: &str) -> Answer {
        self.0.staff(StaffCommand::Boards(BoardsCommand::Add {
            name: name.into(),
            place: format!("{name}旁"),
            address: address.into(),
            serial: menka::practice::board::SERIAL.to_string(),
            doors: [true, false, false, false],
            format: CardFormat::Wiegand34,
        }));
        self.unless_failed(String::new())
    }

    /// A new transform at every gate, approved by the colleague.
    pub fn renew(&mut self) -> Answer {
        let told_before = self.0.told.len();
        self.0.staff(StaffCommand::Deletion(DeletionCommand::RenewTemplates));
        self.approved()?;
        let said = self.0.told.get(told_before..).unwrap_or_default();
        let renewed = said.iter().find(|told| told.contains("Renewed {")).cloned();
        match renewed {
            Some(told) if told.contains("left: []") => self.unless_failed(String::new()),
            other => Err(format!("{other:?}; {:?}", self.0.failures)),
        }
    }

    pub fn replace(&mut self, name: &str, address: &str, code: &str) -> Answer {
        let old = self.gate(name)?;
        let code = PairingCode::parse(code);
        self.0.staff(StaffCommand::Relay(RelayCommand::Replace { old, address: address.into(), code }));
        self.approved()?;
        self.unless_failed(String::new())
    }

    /// Takes a gate out of use, and has it told.
    pub fn retire(&mut self, name: &str) -> Answer {
        let gate = self.gate(name)?;
        self.0.staff(StaffCommand::Deletion(DeletionCommand::RetireGate(gate)));
        self.approved()?;
        self.unless_failed(String::new())?;
        self.settle(2)
    }
}

/// How long an approval that was refused is to wait, in milliseconds.
fn refused_for(told: &str) -> Option<u64> {
    let (_, rest) = told.split_once("ApprovalRefused { wait_ms: ")?;
    rest.split([' ', '}']).next()?.parse().ok()
}
