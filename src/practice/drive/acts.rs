//! What the people at a practice desk do, one act each: the staff window's first, then the resident's.

use std::time::{Duration, Instant};

use super::{Drive, DriveError};
use crate::app::command::{ResidentCommand, StaffCommand};
use crate::app::event::ResidentScene;
use crate::app::keep::{KeepCommand, RESTORERS, RestoreBy};
use crate::app::notice::NoticeCommand;
use crate::app::operators::OperatorsCommand;
use crate::app::pairing::{GateWords, PairingCommand};
use crate::app::runner::SystemClock;
use crate::domain::consent::Signature;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::notice::Language;
use crate::domain::resident::AgeBand;
use crate::domain::role::Role;
use crate::ports::Clock;
use crate::practice::site::{self, GateProcess};
use crate::practice::{PracticeAct, practice_card};
use crate::secret::{PairingCode, Passphrase, Typed};

impl Drive {
    /// Makes the vault with the practice facts; its supervisor puts the recovery sheet away, reads the internal rules and signs them.
    pub fn create(&mut self) {
        self.staff(StaffCommand::CreateVault {
            operator: site::OPERATOR.into(),
            passphrase: Passphrase::new(site::PASSPHRASE.into()),
            facts: site::facts(),
        });
        self.operators(OperatorsCommand::RecoveryKept);
        self.sign_rules(site::OPERATOR);
    }

    /// A second supervisor, ready to approve. The first account is logged in again afterwards.
    pub fn add_colleague(&mut self) {
        self.operators(OperatorsCommand::Add {
            name: site::COLLEAGUE.into(),
            role: Role::Supervisor,
            passphrase: Passphrase::new(site::PASSPHRASE.into()),
            trained_on: SystemClock.now().date().to_string(),
        });
        self.staff(StaffCommand::Lock);
        let account = self.door.last().map(|account| account.id);
        self.staff(StaffCommand::Unlock { account, passphrase: Passphrase::new(site::PASSPHRASE.into()) });
        self.sign_rules(site::COLLEAGUE);
        self.staff(StaffCommand::Lock);
        self.unlock();
    }

    /// The one who was asked approves what waits.
    pub fn approve(&mut self) {
        if let Some(by) = self.asked.take() {
            self.operators(OperatorsCommand::Approve(by, Passphrase::new(site::PASSPHRASE.into())));
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
        let passphrase = Passphrase::new(site::PASSPHRASE.into());
        self.staff(StaffCommand::Unlock { account: None, passphrase });
    }

    /// Restores a backup from the lock screen, with the word of the supervisors that it shows.
    pub fn restore(&mut self, from: &std::path::Path, key: &Typed) {
        let here = self.door.iter().filter(|account| account.role == Role::Supervisor).take(RESTORERS);
        let passphrase = || Passphrase::new(site::PASSPHRASE.into());
        let supervisors = here.map(|account| (account.id, passphrase())).collect();
        let by = RestoreBy { supervisors, recovery: None };
        self.staff(StaffCommand::Keep(KeepCommand::Restore(from.to_owned(), key.clone(), by)));
    }

    /// Pairs a running gate by the code that it shows, as staff would.
    pub fn pair(&mut self, gate: &GateProcess, name: &str) {
        match gate.show_code() {
            Ok(shown) => self.pair_by(&shown.code, &gate.address, name),
            Err(error) => self.told.push(format!("no code: {error}")),
        }
        // The courier asks after the new gate, so that it is shown as reachable.
        let _ = self.deliver();
        self.assess();
        self.tick();
    }

    /// Types a pairing code and the address of the gate that shows it.
    pub fn pair_by(&mut self, code: &str, address: &str, name: &str) {
        let words = GateWords {
            name: name.into(),
            place: format!("{name}旁"),
            capture_area: "门前1米".into(),
            other_way: "刷卡，或者值班人员核对放行".into(),
            why_needed: "双手不便的住户较多".into(),
        };
        let (address, code) = (address.to_owned(), PairingCode::parse(code));
        self.staff(StaffCommand::Pairing(PairingCommand::Pair { words, address, code }));
    }

    /// Registers the practice assessment for the gates as they are now, as a supervisor would after a change of scope.
    pub fn assess(&mut self) {
        let typed = Box::new(site::assessment(SystemClock.now().date()));
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
            seen: String::new(),
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
