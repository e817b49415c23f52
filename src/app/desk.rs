//! The enrollment desk: one command in, events out. No threads, no clock, no windows; the runner gives it `now`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::accounts::Operators;
use super::aids::Aids;
use super::command::Command;
use super::conditions::{self, Around, PersonFacts};
use super::courier::{Courier, Shared};
use super::deletion::SiteView;
use super::enroll::Flow;
use super::event::{Event, Failure, FieldFault, ResidentScene, ResidentView, StaffEvent};
use super::idle::Idle;
use super::notice::NoticeFailure;
use super::notice_care::NoticeCare;
use super::on_paper::FormView;
use super::posture::Watch;
use super::public_rules::keep_public_rules;
use super::rights_window::RightsFlow;
use crate::domain::Realm;
use crate::domain::audit::Actor;
use crate::domain::card::CardUid;
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ResidentId, SiteId, StaffId};
use crate::domain::notice::Language;
use crate::domain::permit::Conditions;
use crate::domain::rights::RequestCounts;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::{CivilDate, Timestamp};
use crate::ports::{Camera, CardReader, FaceEngine, GateLink, LinkError, Posture, Printer, ReaderError, Speech};
use crate::secret::Passphrase;
use crate::vault::{KdfCost, Vault, VaultError, VaultState};
use crate::wire::keys::{IdentityKeys, KeyError};
use crate::wire::message::{Reply, Request};

/// Makes a link to gates once the vault has given up the station's keys.
pub type LinkMaker = Box<dyn Fn(Arc<IdentityKeys>, SiteId, Realm) -> Box<dyn GateLink> + Send>;

/// The machine's devices, joined by the binary.
pub struct Devices {
    /// The webcam.
    pub camera: Box<dyn Camera>,
    /// The face engine's child process.
    pub engine: Box<dyn FaceEngine>,
    /// The card reader.
    pub reader: Box<dyn CardReader>,
    /// The voice that reads aloud.
    pub speech: Box<dyn Speech>,
    /// The printer.
    pub printer: Box<dyn Printer>,
    /// The channel to gates.
    pub link: LinkMaker,
    /// The machine itself.
    pub posture: Box<dyn Posture>,
}

/// Where and how.
#[derive(Clone, Debug)]
pub struct DeskConfig {
    /// Folder of the vault.
    pub data_dir: PathBuf,
    /// Real or practice.
    pub realm: Realm,
    /// Cost of the passphrase's key derivation.
    pub kdf: KdfCost,
}

/// How often the reader is asked, in milliseconds.
const READER_EVERY_MS: i64 = 150;
/// Longest wait for a gate to say that it is there, when a resident is waiting.
const GATE_CHECK: Duration = Duration::from_millis(800);
/// Most gates that were away a moment ago and are asked again while a resident is waiting.
const AWAY_ASKED_MAX: u8 = 2;
/// Pause between two looks at what is due without anybody's doing, in milliseconds.
const CARE_EVERY_MS: i64 = 5_000;

/// What is open while an operator is logged in.
pub(super) struct Open {
    pub vault: Vault,
    pub link: Box<dyn GateLink>,
    pub keys: Arc<IdentityKeys>,
    pub shared: Arc<Shared>,
    pub facts: SiteFacts,
    pub opened: Option<ResidentId>,
    pub last_issued: Option<CardUid>,
    pub flow: Flow,
    /// Consents that should have ended while the disk did not take it: tried again until it does.
    owed: Vec<(ResidentId, EraseReason, Actor)>,
    /// The day on which overdue consents were last ended.
    pub cared_on: CivilDate,
    /// The last believed instant, while the clock is further ahead of it than can be believed: nothing ends by its date meanwhile.
    pub clock_doubt: Option<Timestamp>,
    /// The page of stops, endings and retention as last told.
    pub site_shown: Option<SiteView>,
    /// When the next ending that a gate has not signed for becomes an alarm.
    pub overdue_at: Option<Timestamp>,
    /// The paired gates as last read; read again after each command and each change the courier saw.
    gates: Vec<GateRecord>,
    pub(super) stale: bool,
    changes_seen: u64,
    desk_shown: Option<Conditions>,
    pub opened_shown: Option<ResidentView>,
    /// The counts of requests as last told.
    pub requests_told: Option<RequestCounts>,
    pub notice: NoticeCare,
    pub chain: super::evidence::ChainSeen,
    pub form_shown: Option<FormView>,
}

impl Open {
    /// What the staff window was told of readiness and of the open record counts as not told.
    pub(super) fn say_again(&mut self) {
        self.desk_shown = None;
        self.opened_shown = None;
        self.stale = true;
    }
}

impl Open {
    /// What the windows were told may no longer be so: it is gathered again.
    pub fn mark_stale(&mut self) {
        self.stale = true;
    }
}

/// The desk.
pub struct Desk {
    pub(super) config: DeskConfig,
    pub(super) devices: Devices,
    pub(super) open: Option<Box<Open>>,
    pub(super) language: Language,
    pub(super) out: Vec<Event>,
    courier: Option<Courier>,
    card_there: Option<CardUid>,
    reader_asked: Option<Timestamp>,
    pub(super) reader_state: Option<ReaderError>,
    pub(super) busy_shown: bool,
    pub(super) last_offered: bool,
    /// The clock as last told.
    told: Option<Timestamp>,
    /// A clock that never goes back: every wait is measured on it, so that a clock that is set back keeps no camera on.
    pub(super) moment: Timestamp,
    /// When somebody, or a device, last did something on the resident window.
    pub(super) acted_at: Timestamp,
    cared_at: Timestamp,
    pub(super) operators: Operators,
    pub(super) idle: Idle,
    pub(super) aids: Aids,
    pub(super) watch: Watch,
}

impl Desk {
    /// Looks at the data folder and says which first screen applies.
    pub fn new(config: DeskConfig, devices: Devices) -> Self {
        Self {
            config,
            devices,
            open: None,
            language: Language::Chinese,
            out: vec![],
            courier: None,
            card_there: None,
            reader_asked: None,
            reader_state: None,
            busy_shown: false,
            last_offered: false,
            told: None,
            moment: Timestamp::default(),
            acted_at: Timestamp::default(),
            cared_at: Timestamp::default(),
            operators: Operators::default(),
            idle: Idle::default(),
            aids: Aids::default(),
            watch: Watch::default(),
        }
    }

    /// Takes note of the clock. A step back counts as no time at all.
    fn pass_time(&mut self, now: Timestamp) {
        let passed = self.told.map_or(0, |told| now.since(told)).max(0);
        if let Some(told) = self.told {
            self.doubt_clock(told, now);
        }
        self.moment = self.moment.plus_ms(passed);
        self.told = Some(now);
    }

    /// Whether more than this many milliseconds went by since a moment.
    pub(super) fn is_past(&self, since: Timestamp, limit_ms: i64) -> bool {
        self.moment.since(since) > limit_ms
    }

    /// The first events: realm, and first run or locked.
    pub fn start(&mut self, now: Timestamp) -> Vec<Event> {
        self.out.push(Event::Realm(self.config.realm));
        self.say_door(now);
        self.scene(ResidentScene::Closed);
        std::mem::take(&mut self.out)
    }

    /// One command in, events out.
    pub fn handle(&mut self, command: Command, now: Timestamp) -> Vec<Event> {
        self.pass_time(now);
        match command {
            Command::Staff(command) => {
                self.handle_staff(command, now);
                self.care_notice(now);
            }
            Command::Resident(command) => {
                self.note_touch(&command);
                self.handle_resident(command, now);
            }
            Command::Close => self.close(now),
        }
        if let Some(open) = self.open.as_mut() {
            open.stale = true;
        }
        self.tell_request_counts(now);
        self.after(now);
        std::mem::take(&mut self.out)
    }

    /// A moment passed: reader, camera, gates.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Event> {
        self.pass_time(now);
        self.poll_reader(now);
        self.listen();
        self.watch_machine(now);
        self.step(now);
        self.care(now);
        self.care_notice_daily(now);
        self.watch_idle(now);
        self.after(now);
        std::mem::take(&mut self.out)
    }

    /// Whether the desk wants to be ticked soon (a camera is on, or envelopes wait).
    pub fn is_lively(&self) -> bool {
        self.open.as_ref().is_some_and(|o| matches!(o.flow, Flow::Capturing(_) | Flow::Sending(_) | Flow::Trying(_)))
    }

    /// Every value at the desk, decrypted: for tests that look for what must not be there.
    ///
    /// # Errors
    /// Those of the vault; nothing when it is locked.
    #[cfg(feature = "practice")]
    pub fn decrypted_values(&self) -> Result<Vec<u8>, VaultError> {
        self.open.as_ref().map_or(Ok(vec![]), |open| open.vault.decrypted_values())
    }

    /// Whether nobody is logged in.
    pub fn is_locked(&self) -> bool {
        self.open.is_none()
    }

    /// The courier of the vault that was just unlocked, once: the runner gives it a thread, a test drives it by hand.
    pub fn take_courier(&mut self) -> Option<Courier> {
        self.courier.take()
    }

    pub(super) fn say(&mut self, event: StaffEvent) {
        self.out.push(Event::Staff(event));
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.say(StaffEvent::Failed(failure));
    }

    pub(super) fn scene(&mut self, scene: ResidentScene) {
        self.note_scene(&scene);
        self.out.push(Event::Resident(scene));
    }

    /// First run, or locked with the pause that applies.
    fn say_door(&mut self, now: Timestamp) {
        match Vault::state(&self.config.data_dir, now) {
            Ok(VaultState::Absent) => self.say(StaffEvent::FirstRun),
            Ok(VaultState::Locked { realm, wait_ms }) => {
                self.say(StaffEvent::Locked { wait_ms });
                self.say_who_may_unlock(now);
                if realm != self.config.realm {
                    self.fail(Failure::OtherRealm);
                }
            }
            Err(error) => {
                self.say(StaffEvent::Locked { wait_ms: 0 });
                self.fail(failure_of(error));
            }
        }
    }

    pub(super) fn create(&mut self, operator: &str, passphrase: &Passphrase, facts: &SiteFacts, now: Timestamp) {
        if self.open.is_some() {
            return;
        }
        if operator.trim().is_empty() {
            return self.fail(Failure::Field(FieldFault::Operator));
        }
        if passphrase.chars() < Passphrase::CHARS_MIN {
            return self.fail(Failure::PassphraseTooShort);
        }
        let made =
            Vault::create(&self.config.data_dir, self.config.realm, operator, passphrase, facts, now, self.config.kdf);
        match made {
            Ok(vault) => self.enter(vault, now),
            Err(error) => self.fail(failure_of(error)),
        }
    }

    pub(super) fn unlock(&mut self, account: Option<StaffId>, passphrase: &Passphrase, now: Timestamp) {
        if self.open.is_some() {
            return;
        }
        let (dir, realm) = (&self.config.data_dir, self.config.realm);
        let opened = match account {
            Some(account) => Vault::unlock_as(dir, realm, account, passphrase, now),
            None => Vault::unlock(dir, realm, passphrase, now),
        };
        match opened {
            Ok(vault) => self.enter(vault, now),
            Err(error) => self.refused_at_the_door(error, now),
        }
    }

    pub(super) fn refused_at_the_door(&mut self, error: VaultError, now: Timestamp) {
        let failure = failure_of(error);
        if let Failure::WrongPassphrase { wait_ms } = failure {
            self.say(StaffEvent::Locked { wait_ms });
            self.say_who_may_unlock(now);
        }
        self.fail(failure);
    }

    pub(super) fn enter(&mut self, vault: Vault, now: Timestamp) {
        match self.try_enter(vault, now) {
            Ok(()) => {}
            Err(error) => {
                self.open = None;
                self.courier = None;
                self.say_door(now);
                self.fail(failure_of(error));
            }
        }
    }

    fn try_enter(&mut self, mut vault: Vault, now: Timestamp) -> Result<(), VaultError> {
        let keys = match vault.identity_bytes()? {
            Some(bytes) => {
                IdentityKeys::from_bytes(&bytes).map_err(|_| VaultError::Corrupt { file: "vault.db".into() })?
            }
            None => {
                let keys = IdentityKeys::make(self.config.realm).map_err(|e| keys_failed(&e))?;
                vault.record_identity_bytes(&keys.to_bytes())?;
                keys
            }
        };
        let keys = Arc::new(keys);
        let mut lost = vault.captures_lost()?;
        // A yes that no gate holds a face for: the last run ended between the decision and the hand-over. Nobody stands before the camera
        // now, so the yes must not wait there for the next person; the resident is asked anew.
        for resident in vault.consents_without_face()? {
            vault.end_consent(resident, EraseReason::NotAccepted, now)?;
            lost += 1;
        }
        // A site file that is not as it was signed keeps face entry off, and cards go on.
        let facts = match vault.facts() {
            Err(VaultError::SiteFileRefused) => SiteFacts::default(),
            read => read?,
        };
        let trusted = vault.trusted_at()?;
        let (_, operator) = vault.operator();
        let shared = Arc::new(Shared::default());
        let link = (self.devices.link)(Arc::clone(&keys), vault.site(), self.config.realm);
        let courier_link = (self.devices.link)(Arc::clone(&keys), vault.site(), self.config.realm);
        self.courier = Some(Courier::new(vault.second_connection()?, courier_link, Arc::clone(&shared)));
        let fingerprint: String = keys.fingerprint().iter().map(|b| format!("{b:02x}")).collect();
        self.open = Some(Box::new(Open {
            vault,
            link,
            keys,
            shared,
            facts: facts.clone(),
            opened: None,
            last_issued: None,
            flow: Flow::Idle,
            owed: vec![],
            cared_on: now.date(),
            clock_doubt: None,
            site_shown: None,
            overdue_at: None,
            gates: vec![],
            stale: true,
            changes_seen: 0,
            desk_shown: None,
            opened_shown: None,
            requests_told: None,
            notice: NoticeCare::default(),
            chain: super::evidence::ChainSeen::default(),
            form_shown: None,
        }));
        self.idle_anew();
        self.say(StaffEvent::Unlocked { operator });
        self.say(StaffEvent::StationFingerprint(fingerprint));
        let missing: Vec<Fact> = facts.missing();
        self.say(StaffEvent::Facts(facts, missing));
        if lost > 0 {
            self.fail(Failure::CaptureLost);
        }
        self.check_public_rules();
        self.doubt_clock(trusted, now);
        self.retain(now);
        self.show_deletions(now);
        self.begin_watch(now);
        self.to_idle(now);
        self.say_entered(now);
        Ok(())
    }

    /// What must happen without anybody's doing: consents end on their day, also when the desk is never locked; an ending that the disk
    /// did not take is tried again.
    fn care(&mut self, now: Timestamp) {
        if self.open.as_ref().and_then(|open| open.overdue_at).is_some_and(|at| now >= at) {
            self.show_deletions(now);
        }
        let Some(open) = self.open.as_mut() else { return };
        if (open.owed.is_empty() && open.cared_on == now.date()) || self.moment.since(self.cared_at) < CARE_EVERY_MS {
            return;
        }
        self.cared_at = self.moment;
        let owed = std::mem::take(&mut open.owed);
        let owes = !owed.is_empty();
        for (resident, reason, by) in owed {
            if let Err(failure) = self.end_consent(resident, reason, by, now) {
                tracing::warn!(?failure, "a consent could not be ended yet");
            }
        }
        if owes {
            self.show_opened(now);
        }
        if self.open.as_ref().is_some_and(|open| open.cared_on != now.date()) {
            self.retain(now);
            if let Some(open) = self.open.as_mut() {
                // A training may have ended with the day.
                open.stale = true;
            }
            self.tell_request_counts(now);
            self.show_deletions(now);
            self.show_opened(now);
        }
    }

    /// Ends a consent and lets the courier erase at once; `false` when there is none to end. What the disk does not take is tried again.
    pub(super) fn end_consent(
        &mut self,
        resident: ResidentId,
        reason: EraseReason,
        by: Actor,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let Some(open) = self.open.as_mut() else { return Ok(false) };
        match open.vault.end_consent_by(resident, reason, by, now) {
            Ok(_) => {
                open.shared.ring();
                Ok(true)
            }
            Err(VaultError::ConsentNotCurrent) => Ok(false),
            Err(error) => {
                open.owed.push((resident, reason, by));
                Err(failure_of(error))
            }
        }
    }

    pub(super) fn lock(&mut self, now: Timestamp) {
        self.drop_visit(now);
        if let Some(open) = self.open.take() {
            open.shared.end();
            if let Err(error) = open.vault.lock(now) {
                self.fail(failure_of(error));
            }
        }
        self.courier = None;
        self.operators = Operators::default();
        self.idle_anew();
        self.say_door(now);
        self.scene(ResidentScene::Closed);
    }

    /// Locks; in practice first ends every consent and carries the erasures to the gates that answer.
    fn close(&mut self, now: Timestamp) {
        self.drop_visit(now);
        let (mut erased, mut unanswered) = (0, vec![]);
        if self.config.realm == Realm::Practice
            && let Some(open) = self.open.as_mut()
        {
            match practice_over(open, &self.devices.link, now) {
                Ok((count, names)) => (erased, unanswered) = (count, names),
                Err(error) => self.fail(failure_of(error)),
            }
        }
        self.lock(now);
        self.out.push(Event::Goodbye { erased, unanswered });
    }

    /// What follows every command and tick: gates' states, desk's readiness, busy flag.
    fn after(&mut self, now: Timestamp) {
        self.say_form();
        let Some(open) = self.open.as_mut() else { return };
        let busy = open.flow.is_busy();
        // Most ticks end here: nothing was done and no gate changed.
        if !open.stale && open.shared.changes() == open.changes_seen && busy == self.busy_shown {
            return;
        }
        let trained = self.standing(now).condition();
        let Some(open) = self.open.as_mut() else { return };
        let (seen, changes) = open.shared.gates();
        let mut events = vec![];
        let refresh_record = changes != open.changes_seen;
        if refresh_record {
            events.push(StaffEvent::Gates(seen.clone()));
        }
        if refresh_record || open.stale {
            let read = open.vault.gates();
            open.stale = read.is_err();
            open.gates = read.unwrap_or_default();
        }
        open.changes_seen = changes;
        let place = (self.config.data_dir.as_path(), self.config.realm);
        keep_public_rules(&mut self.aids.public, open, &open.gates, &self.devices.engine.engine(), place, now);
        let stopped = open.vault.faces_stopped().unwrap_or_default();
        let mut answering = conditions::answering(&open.gates, &seen);
        answering.retain(|gate| !stopped.contains(&gate.id));
        let around = Around {
            assessment: open.notice.standing,
            log_is_whole: super::evidence::log_is_whole(&open.vault),
            trained,
            machine: self.watch.report.as_ref(),
        };
        let known = conditions::gather(self.config.realm, &open.facts, &open.gates, &answering, around, None);
        if open.desk_shown.as_ref() != Some(&known) {
            events.push(StaffEvent::Desk(known.desk_blockers()));
            open.desk_shown = Some(known.clone());
        }
        let offered = known.desk_blockers().is_empty();
        let idle = matches!(open.flow, Flow::Idle);
        if busy != self.busy_shown {
            self.busy_shown = busy;
            events.push(StaffEvent::ResidentBusy(busy));
        }
        for event in events {
            self.say(event);
        }
        if idle && offered != self.last_offered {
            self.to_idle(now);
        }
        self.show_chain_if_changed();
        if refresh_record {
            self.show_opened_if_changed();
            self.refresh_withdrawn();
            self.show_doors();
            self.show_deletions(now);
        }
    }

    fn poll_reader(&mut self, now: Timestamp) {
        if self.open.is_none() || self.reader_asked.is_some_and(|at| self.moment.since(at) < READER_EVERY_MS) {
            return;
        }
        self.reader_asked = Some(self.moment);
        let (state, card) = match self.devices.reader.present() {
            Ok(card) => (None, card),
            Err(error) => (Some(error), None),
        };
        if state != self.reader_state {
            self.reader_state = state.clone();
            if let Some(error) = state.clone() {
                self.tap_failed(Failure::Reader(error));
            }
            self.say(StaffEvent::Reader(state));
        }
        if card != self.card_there {
            self.card_there.clone_from(&card);
            if let Some(uid) = card {
                self.card_tapped(uid, now);
            }
        }
    }

    /// A card came onto the reader: the resident's window takes it when it waits for one, else it is for the staff.
    fn card_tapped(&mut self, uid: CardUid, now: Timestamp) {
        match self.open.as_ref().map(|o| &o.flow) {
            Some(Flow::Rights(RightsFlow::Tap)) => {
                self.acted_at = self.moment;
                self.rights_tapped(&uid, now);
            }
            Some(Flow::TapCard { withdraw, .. }) => {
                let withdraw = *withdraw;
                self.acted_at = self.moment;
                self.resident_tapped(uid, withdraw, now);
            }
            Some(_) if self.sees_people(now) && !self.is_curtained() => {
                self.staff_acted();
                self.staff_card(uid, now);
            }
            Some(_) => {}
            None => {}
        }
    }

    /// Asks gates, just now, whether they are there.
    pub(super) fn answering_now(&mut self, gates: &[GateRecord]) -> (Vec<GateRecord>, Option<Failure>) {
        let Some(open) = self.open.as_mut() else { return (vec![], None) };
        let mut failure = None;
        let mut there = vec![];
        let seen = open.shared.gates().0;
        let all_stopped = open.vault.faces_stopped().unwrap_or_default();
        let stopped = match open.vault.gates_stopped() {
            Ok(stopped) => stopped,
            Err(error) => return (vec![], Some(failure_of(error))),
        };
        // Somebody is waiting: of the gates that were away a moment ago, two are asked, not twenty.
        let mut away_left = AWAY_ASKED_MAX;
        for gate in gates.iter().filter(|gate| !all_stopped.contains(&gate.id)) {
            if stopped.contains(&gate.id) {
                failure = Some(Failure::Link(gate.name.clone(), LinkError::KeyChanged));
                continue;
            }
            if seen.iter().any(|s| s.id == gate.id && !s.reachable) {
                if away_left == 0 {
                    continue;
                }
                away_left -= 1;
            }
            match open.link.ask(gate, &Request::Health, GATE_CHECK) {
                Ok(Reply::Health(_)) => there.push(gate.clone()),
                Ok(Reply::Refused(refusal)) => failure = Some(Failure::Refused(gate.name.clone(), refusal)),
                Ok(_) => failure = Some(Failure::Link(gate.name.clone(), LinkError::Protocol)),
                Err(error) => failure = Some(Failure::Link(gate.name.clone(), error)),
            }
        }
        (there, failure)
    }

    /// Everything known for the permit, with the gates that answered a moment ago.
    pub(super) fn conditions(&self, answering: &[GateRecord], person: PersonFacts) -> Conditions {
        let empty = SiteFacts::default();
        let facts = self.open.as_ref().map_or(&empty, |o| &o.facts);
        let gates = self.open.as_ref().and_then(|o| o.vault.gates().ok()).unwrap_or_default();
        // The answering gates may have passed their card test since they were read.
        let fresh: Vec<GateRecord> = gates.iter().filter(|g| answering.iter().any(|a| a.id == g.id)).cloned().collect();
        let around = Around {
            assessment: self.open.as_ref().map(|o| o.notice.standing).unwrap_or_default(),
            log_is_whole: self.open.as_ref().is_some_and(|o| super::evidence::log_is_whole(&o.vault)),
            trained: self.standing(self.told.unwrap_or_default()).condition(),
            machine: self.watch.report.as_ref(),
        };
        conditions::gather(self.config.realm, facts, &gates, &fresh, around, Some(person))
    }

    /// Runs a vault operation; a failure is told to the staff.
    pub(super) fn vault<T>(&mut self, act: impl FnOnce(&mut Vault) -> Result<T, VaultError>) -> Option<T> {
        let open = self.open.as_mut()?;
        match act(&mut open.vault) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(failure_of(error));
                None
            }
        }
    }
}

/// Ends all faces and carries the erasures, twice at most: a gate that is away keeps its lease. Returns how many erasures gates signed for,
/// and the gates that did not answer.
fn practice_over(open: &mut Open, link: &LinkMaker, now: Timestamp) -> Result<(u32, Vec<String>), VaultError> {
    open.vault.end_all_faces(EraseReason::PracticeOver, now)?;
    let before = open.vault.erasures_pending()?.len();
    let link = link(Arc::clone(&open.keys), open.vault.site(), open.vault.realm());
    let mut courier = Courier::new(open.vault.second_connection()?, link, Arc::clone(&open.shared));
    courier.pass(now)?;
    courier.pass(now.plus_ms(crate::domain::delivery::PAUSE_MAX_MS))?;
    let left = open.vault.erasures_pending()?;
    let away = |gate: &GateRecord| left.iter().any(|(_, id)| *id == gate.id);
    let names = open.vault.gates()?.into_iter().filter(away).map(|g| g.name).collect();
    Ok((u32::try_from(before.saturating_sub(left.len())).unwrap_or(u32::MAX), names))
}

fn keys_failed(error: &KeyError) -> VaultError {
    tracing::error!(%error, "the station's keys could not be made");
    VaultError::Refused(0)
}

/// What a vault error means to a person.
pub(super) fn failure_of(error: VaultError) -> Failure {
    if let Some(failure) = super::accounts::account_failure(&error) {
        return Failure::Operators(failure);
    }
    match error {
        VaultError::WrongPassphrase { wait_ms } | VaultError::TooSoon { wait_ms } => {
            Failure::WrongPassphrase { wait_ms }
        }
        VaultError::PassphraseTooShort => Failure::PassphraseTooShort,
        VaultError::CardNeeded => Failure::CardUnknown,
        VaultError::GuardianNeeded => Failure::DeciderChanged,
        VaultError::GuardianNotChecked => Failure::GuardianNotChecked,
        VaultError::EndWrong => Failure::Field(FieldFault::EndDate),
        VaultError::ConsentNotCurrent
        | VaultError::RefusalStands
        | VaultError::NoticeNotShown
        | VaultError::ViewMissing
        | VaultError::FormWrong => Failure::FaceNotOffered,
        VaultError::NoGate => Failure::NoGateChosen,
        VaultError::ConsentThere => Failure::AlreadyEnrolled,
        VaultError::SiteFileRefused => Failure::Notice(NoticeFailure::SiteFileRefused),
        VaultError::RegistryRefused => Failure::Notice(NoticeFailure::RegistryRefused),
        VaultError::OtherRealm => Failure::OtherRealm,
        VaultError::Corrupt { file } => Failure::VaultDamaged(file),
        VaultError::DiskFull => Failure::DiskFull,
        VaultError::CardTaken => Failure::CardTaken,
        VaultError::CardSame => Failure::CardSame,
        VaultError::RequestDecided | VaultError::RequestUndecided => {
            super::rights::fault_of(&error).map_or(Failure::FaceNotOffered, Failure::Request)
        }
        other => Failure::DiskFailed(other.to_string()),
    }
}
