//! The door of the desk: first run, unlocking, what is set up behind it, locking, and the end of a practice site.

use std::path::Path;
use std::sync::Arc;

use super::{Desk, LinkMaker, Open, failure_of};
use crate::app::accounts::{Operators, rules_version};
use crate::app::boards::BoardLinkMaker;
use crate::app::courier::{Courier, Shared};
use crate::app::enroll::Flow;
use crate::app::event::{Event, Failure, FieldFault, ResidentScene, StaffEvent};
use crate::app::evidence;
use crate::app::networks;
use crate::app::notice_care::NoticeCare;
use crate::domain::Realm;
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::StaffId;
use crate::domain::site::SiteFacts;
use crate::domain::time::Timestamp;
use crate::secret::Passphrase;
use crate::vault::{Vault, VaultError, VaultState};
use crate::wire::keys::{IdentityKeys, KeyError};

impl Desk {
    /// First run, or locked with the pause that applies.
    pub(in crate::app) fn say_door(&mut self, now: Timestamp) {
        match Vault::state(&self.config.data_dir, now) {
            Ok(VaultState::Absent) => {
                self.say(StaffEvent::FirstRun);
                if Vault::has_data_without_slots(&self.config.data_dir) {
                    self.fail(Failure::SlotsGone);
                }
            }
            Ok(VaultState::Locked { realm, wait_ms }) => {
                self.say(StaffEvent::Locked { wait_ms });
                self.say_who_may_unlock(now);
                if realm != self.config.realm {
                    self.fail(Failure::OtherRealm);
                }
            }
            Err(error) => {
                self.say(StaffEvent::Locked { wait_ms: 0 });
                // Or nobody could be chosen for whom a passphrase counts.
                self.say_who_may_unlock(now);
                self.fail(failure_of(error));
            }
        }
    }

    pub(in crate::app) fn create(
        &mut self,
        operator: &str,
        passphrase: &Passphrase,
        facts: &SiteFacts,
        now: Timestamp,
    ) {
        if self.open.is_some() {
            return;
        }
        if !crate::vault::is_a_name(operator.trim()) {
            return self.fail(Failure::Field(FieldFault::Operator));
        }
        if passphrase.chars() < Passphrase::CHARS_MIN {
            return self.fail(Failure::PassphraseTooShort);
        }
        let (dir, realm, cost) = (&self.config.data_dir, self.config.realm, self.config.kdf.cost());
        let made = Vault::create(dir, realm, operator, passphrase, facts, now, cost);
        match made {
            Ok(vault) => self.enter(vault, now),
            Err(error) => self.fail(failure_of(error)),
        }
    }

    pub(in crate::app) fn unlock(&mut self, account: Option<StaffId>, passphrase: &Passphrase, now: Timestamp) {
        if self.open.is_some() {
            return;
        }
        let (dir, realm, chip) = (&self.config.data_dir, self.config.realm, &mut *self.devices.chip);
        let opened = chosen(dir, realm, account, now)
            .and_then(|account| Vault::unlock_with(dir, realm, account, passphrase, chip, now));
        match opened {
            Ok(mut vault) => {
                // Of an older program, or of a slower machine. A slot that stays as it is opens as well.
                match vault.raise_cost(passphrase, self.config.kdf.cost()) {
                    Ok(false) => {}
                    Ok(true) => tracing::info!("the account's slot was wrapped anew at this machine's cost"),
                    Err(error) => tracing::warn!(%error, "the account's slot stays at its old cost"),
                }
                self.enter(vault, now);
            }
            // Nobody was chosen, or somebody who is there no more: shown again, and nothing was counted.
            Err(VaultError::Unknown) => self.say_door(now),
            Err(error) => self.refused_at_the_door(error, now),
        }
    }

    pub(in crate::app) fn refused_at_the_door(&mut self, error: VaultError, now: Timestamp) {
        let failure = failure_of(error);
        if let Failure::WrongPassphrase { wait_ms } = failure {
            self.say(StaffEvent::Locked { wait_ms });
            self.say_who_may_unlock(now);
        }
        self.fail(failure);
    }

    pub(in crate::app) fn enter(&mut self, vault: Vault, now: Timestamp) {
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

    pub(super) fn try_enter(&mut self, mut vault: Vault, now: Timestamp) -> Result<(), VaultError> {
        vault.require_rules(rules_version());
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
        let shared = Arc::new(Shared::default());
        let link = self.gate_link(Arc::clone(&keys), vault.site());
        self.courier = Some(self.make_courier(&vault, &keys, &shared)?);
        self.courier_falls = 0;
        self.open = Some(Box::new(Open {
            vault,
            link,
            keys,
            shared,
            facts,
            opened: None,
            last_issued: None,
            flow: Flow::Idle,
            owed: vec![],
            cared_on: now.date(),
            retention_failed: false,
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
            chain: evidence::ChainSeen::default(),
            replacements_shown: None,
            newcomer: None,
            wedged_shown: None,
            form_shown: None,
            pairing: crate::app::pairing::Pairing::default(),
            boards_shown: None,
        }));
        self.know_networks();
        self.idle_anew();
        self.say_desk();
        if lost > 0 {
            self.fail(Failure::CaptureLost);
        }
        self.check_public_rules();
        self.doubt_clock(trusted, now);
        self.retain(now);
        self.begin_watch(now);
        self.to_idle(now);
        self.say_what_waits(now);
        Ok(())
    }

    fn make_courier(
        &self,
        vault: &Vault,
        keys: &Arc<IdentityKeys>,
        shared: &Arc<Shared>,
    ) -> Result<Courier, VaultError> {
        let link = self.gate_link(Arc::clone(keys), vault.site());
        Ok(Courier::new(vault.second_connection()?, link, self.board_link(), Arc::clone(shared)))
    }

    /// The courier's thread ended by a fault, or could not begin: said at the staff window, and a new one is made, so often at most.
    pub fn courier_fell(&mut self) -> Vec<Event> {
        if let Some(open) = self.open.as_ref() {
            self.courier_falls = self.courier_falls.saturating_add(1);
            let mut again = self.courier_falls <= COURIER_FALLS_MAX;
            if again {
                match self.make_courier(&open.vault, &open.keys, &open.shared) {
                    Ok(courier) => self.courier = Some(courier),
                    Err(error) => {
                        tracing::error!(%error, "the courier could not be started again");
                        again = false;
                    }
                }
            }
            self.fail(Failure::GatesUnserved { again });
        }
        std::mem::take(&mut self.out)
    }

    pub(in crate::app) fn lock(&mut self, now: Timestamp) {
        self.drop_visit(now);
        if let Some(open) = self.open.take() {
            open.shared.end();
            if let Err(error) = open.vault.lock(now) {
                self.fail(failure_of(error));
            }
        }
        self.after_lock(now);
    }

    /// Nothing of the session is left, and the door is shown.
    pub(in crate::app) fn after_lock(&mut self, now: Timestamp) {
        networks::forget(&self.networks);
        self.courier = None;
        self.operators = Operators::default();
        self.keep.forget();
        self.idle_anew();
        self.say_door(now);
        self.scene(ResidentScene::Closed);
    }

    /// Locks; in practice first ends every consent and carries the erasures to the gates that answer.
    pub(super) fn close(&mut self, now: Timestamp) {
        self.drop_visit(now);
        let (mut erased, mut unanswered) = (0, vec![]);
        if self.config.realm == Realm::Practice
            && let Some(open) = self.open.as_mut()
        {
            match practice_over(open, &self.devices.link, &self.devices.boards, now) {
                Ok((count, names)) => (erased, unanswered) = (count, names),
                Err(error) => self.fail(failure_of(error)),
            }
        }
        self.lock(now);
        self.out.push(Event::Goodbye { erased, unanswered });
    }
}

/// For whom a passphrase was typed: never counted against somebody who was not chosen. The only account needs no choosing, and a practice
/// site, whose passphrase is no secret, opens as its first one.
fn chosen(dir: &Path, realm: Realm, account: Option<StaffId>, now: Timestamp) -> Result<StaffId, VaultError> {
    match account {
        Some(account) => Ok(account),
        None if realm == Realm::Practice => Vault::first_account(dir),
        None => match Vault::accounts_at_the_door(dir, now)?.as_slice() {
            [only] => Ok(only.id),
            [] => Err(VaultError::Absent),
            _ => Err(VaultError::Unknown),
        },
    }
}

/// How often in one session the courier is started again after a fault.
const COURIER_FALLS_MAX: u8 = 3;

/// Ends all faces and carries the erasures, twice at most: a gate that is away keeps its lease. Returns how many erasures gates signed for,
/// and the gates that did not answer.
fn practice_over(
    open: &mut Open,
    link: &LinkMaker,
    boards: &BoardLinkMaker,
    now: Timestamp,
) -> Result<(u32, Vec<String>), VaultError> {
    open.vault.end_all_faces(EraseReason::PracticeOver, now)?;
    let before = open.vault.erasures_pending()?.len();
    let link = link(Arc::clone(&open.keys), open.vault.site(), open.vault.realm());
    let mut courier = Courier::new(open.vault.second_connection()?, link, boards(), Arc::clone(&open.shared));
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
