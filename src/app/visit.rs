//! The resident window's commands, from the idle screen over the tap and the notice to the decision. What follows is in [`super::capturing`],
//! [`super::handing_over`] and [`super::endings`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::command::ResidentCommand;
use super::conditions::PersonFacts;
use super::desk::Desk;
use super::enroll::{Consented, Flow, Noticed, Person, Withdrawer};
use super::event::{Event, Failure, ResidentScene};
use super::guardian::{Yes, notice_text};
use super::rights::{RequestFault, RightsScene};
use super::rights_window::RightsFlow;
use crate::domain::card::CardUid;
use crate::domain::consent::{ConsentGranted, Signature};
use crate::domain::gate::GateRecord;
use crate::domain::guardian::View;
use crate::domain::id::{ResidentId, ShowingId};
use crate::domain::notice::{Language, NoticeShown};
use crate::domain::permit::Blocker;
use crate::domain::site::Fact;
use crate::domain::time::{CivilDate, Timestamp};
use crate::notice::{self, ConsentPage, PersonCase, Text, Values};
use crate::secret::random_bytes;
use crate::vault::ShownFrom;

/// Longest face term: one year (the rule in the notice's `face_end_rule`).
const FACE_DAYS_MAX: i64 = 365;

impl Desk {
    pub(super) fn handle_resident(&mut self, command: ResidentCommand, now: Timestamp) {
        if self.open.is_none() {
            return self.handle_while_locked(command, now);
        }
        match command {
            ResidentCommand::Language(language) => self.switch_language(language, now),
            ResidentCommand::ShowRules => self.show_rules(),
            ResidentCommand::AskFace => self.ask_tap(false),
            ResidentCommand::AskWithdraw => self.ask_tap(true),
            ResidentCommand::Back => self.back(now),
            ResidentCommand::WedgeTyped(text) => self.resident_typed(&text, now),
            ResidentCommand::NoticeReachedEnd => self.reached_end(now),
            ResidentCommand::GoToConsent => self.go_to_consent(),
            ResidentCommand::Refuse => self.refuse(now),
            ResidentCommand::Consent { signature } => self.consent(signature, now),
            ResidentCommand::Stop => self.stop_visit(None, now),
            ResidentCommand::TryAgain => self.try_again(now),
            ResidentCommand::TryGate => self.try_gate(now),
            ResidentCommand::Finish => self.finish(now),
            ResidentCommand::ConfirmWithdraw => self.confirm_withdraw(now),
            ResidentCommand::AskDoors => self.ask_doors(),
            ResidentCommand::ChangeDoors(change) => self.change_doors(change, now),
            ResidentCommand::SaveReceipt(path) => {
                if matches!(self.open.as_ref().map(|o| &o.flow), Some(Flow::Withdrawn { .. })) {
                    self.save_own_certificate(&path, now);
                } else {
                    self.save_receipt(&path, now);
                }
            }
            ResidentCommand::Rights(act) => self.handle_rights_act(act, now),
            ResidentCommand::AnswerChange(answer) => self.answer_change(answer, now),
            ResidentCommand::Guardian(act) => self.handle_guardian(act, now),
            ResidentCommand::Aid(command) => self.handle_aid(command, now),
        }
    }

    pub(super) fn flow(&mut self) -> Flow {
        self.open.as_mut().map(|o| std::mem::take(&mut o.flow)).unwrap_or_default()
    }

    pub(super) fn set(&mut self, flow: Flow) {
        if let Some(open) = self.open.as_mut() {
            open.flow = flow;
        }
    }

    /// The idle screen. Whether face entry is offered depends on the desk alone, never on a person; not while nobody of the staff who may see
    /// people is there to be asked.
    pub(super) fn to_idle(&mut self, now: Timestamp) {
        let (staffed, trained) = (self.staffed(), self.standing(now).condition());
        let Some(open) = self.open.as_mut() else { return };
        open.flow = Flow::Idle;
        let site = open.facts.get(Fact::SiteName).to_owned();
        let gates = open.vault.gates().unwrap_or_default();
        let stopped = open.vault.faces_stopped().unwrap_or_default();
        let mut answering = super::conditions::answering(&gates, &open.shared.gates().0);
        answering.retain(|gate| !stopped.contains(&gate.id));
        let around = super::conditions::Around {
            assessment: open.notice.standing,
            log_is_whole: super::evidence::log_is_whole(&open.vault),
            staffed,
            trained,
            machine: self.watch.report.as_ref(),
            terms: super::conditions::terms(&open.shared.gates().0, &stopped),
        };
        let known = super::conditions::gather(self.config.realm, &open.facts, &gates, &answering, around, None);
        let face_offered = known.desk_blockers().is_empty();
        self.last_offered = face_offered;
        self.devices.engine.rest();
        self.scene(ResidentScene::Idle { face_offered, site });
    }

    fn ask_tap(&mut self, withdraw: bool) {
        let idle = matches!(self.open.as_ref().map(|o| &o.flow), Some(Flow::Idle | Flow::Rules | Flow::TapCard { .. }));
        if idle && (withdraw || self.last_offered) {
            self.set(Flow::TapCard { withdraw });
            self.scene(ResidentScene::TapCard { withdraw, failure: None });
        }
    }

    /// A keyboard-wedge reader typed into the resident window while it waits for a card.
    fn resident_typed(&mut self, text: &str, now: Timestamp) {
        let withdraw = match self.open.as_ref().map(|o| &o.flow) {
            Some(Flow::TapCard { withdraw }) => *withdraw,
            Some(Flow::Rights(RightsFlow::Tap)) => match CardUid::from_wedge(text) {
                Some(uid) => return self.rights_tapped(&uid, now),
                None => return self.tap_failed(Failure::CardTextUnreadable),
            },
            _ => return,
        };
        match CardUid::from_wedge(text) {
            Some(uid) => self.resident_tapped(uid, withdraw, now),
            None => self.tap_failed(Failure::CardTextUnreadable),
        }
    }

    /// A tap failed while the resident window waits for one.
    pub(super) fn tap_failed(&mut self, failure: Failure) {
        if let Some(Flow::Rights(RightsFlow::Tap)) = self.open.as_ref().map(|o| &o.flow) {
            return self.rights_scene(RightsScene::Tap { failure: Some(failure) });
        }
        if let Some(Flow::TapCard { withdraw, .. }) = self.open.as_ref().map(|o| &o.flow) {
            let withdraw = *withdraw;
            self.scene(ResidentScene::TapCard { withdraw, failure: Some(failure) });
        }
    }

    /// The person's own card tap on the resident window: the only beginning of face entry.
    pub(super) fn resident_tapped(&mut self, uid: CardUid, withdraw: bool, now: Timestamp) {
        // A yes that a bad disk did not let end must not stand in the way of a new one.
        self.end_owed(now);
        let Some(owner) = self.vault(|v| v.resident_by_card(&uid)) else {
            return self.tap_failed(Failure::CardUnknown);
        };
        let Some(resident) = owner else { return self.tap_failed(Failure::CardUnknown) };
        // A changed notice that waits for an answer is shown first; withdrawing is one of its answers.
        let shown = self.show_change(resident, withdraw, now);
        match (shown, withdraw) {
            (true, _) => {}
            (false, true) => self.begin_withdraw(Withdrawer::by_card(resident)),
            (false, false) => self.begin_face(resident, now),
        }
    }

    pub(super) fn begin_face(&mut self, id: ResidentId, now: Timestamp) {
        let looked_up = self.vault(|v| {
            let resident = v.resident(id)?;
            let card = v.current_card(id)?;
            let delivered = match &card {
                Some(card) => v.card_delivered_at(card.id)?,
                None => vec![],
            };
            Ok((resident, card, delivered, v.current_consent(id)?, v.gates()?))
        });
        let Some((resident, card, delivered, consent, gates)) = looked_up else {
            return self.ended(Some(Failure::FaceNotOffered));
        };
        let Some(card) = card else { return self.tap_failed(Failure::CardUnknown) };
        if card.ends_on < now.date() {
            return self.tap_failed(Failure::CardExpired);
        }
        match self.vault(|v| Ok((v.has_died(id)?, v.is_restricted(id)?))) {
            Some((false, false)) => {}
            Some((true, _)) => return self.tap_failed(Failure::Request(RequestFault::Died)),
            Some((_, true)) => return self.tap_failed(Failure::Request(RequestFault::FaceRefused)),
            None => return self.ended(Some(Failure::FaceNotOffered)),
        }
        if consent.is_some() && !self.is_changing(id) {
            return self.tap_failed(Failure::AlreadyEnrolled);
        }
        if self.vault(|v| v.correction_waits(id)).is_none_or(|waits| !waits.is_empty()) {
            return self.tap_failed(Failure::OldFaceThere);
        }
        let case = match self.case_of(id, now) {
            Ok(case) => case,
            Err(failure) => return self.tap_failed(failure),
        };
        let chosen: Vec<GateRecord> =
            gates.into_iter().filter(|g| g.takes_faces && card.gates.contains(&g.id)).collect();
        let (answering, failure) = self.answering_now(&chosen);
        let card_works = answering.iter().all(|g| delivered.iter().any(|(id, there)| *id == g.id && *there));
        let person = PersonFacts { decider: Some(case.decider), card_works, ..PersonFacts::default() };
        // The resident's own tap lifts a standing refusal (NDR 22(5)): that is the asking that the notice speaks of.
        let known = self.conditions(&answering, person);
        // Reading needs nobody of the staff: a window that was shut since is asked about again before the camera goes on. An account that sees
        // no people will not be there then either.
        let shut = self.is_curtained() && self.role_sees_people();
        let blockers = known.desk_blockers();
        let mut blocked = blockers.iter().filter(|(b, _)| !(shut && *b == Blocker::OperatorLoggedIn)).peekable();
        if blocked.peek().is_some() || !card_works || answering.is_empty() {
            let alone = blocked.all(|(b, _)| *b == Blocker::OperatorLoggedIn) && !blockers.is_empty() && !shut;
            let why = if alone { Failure::NobodyAtDesk } else { Failure::FaceNotOffered };
            return self.ended(Some(failure.unwrap_or(why)));
        }
        if self.vault(|v| v.record_face_asked(id, now)).is_none() {
            return self.to_idle(now);
        }
        let year = now.date().plus_days(FACE_DAYS_MAX);
        // A minor's term ends before the birthday on which somebody else begins to decide (M12).
        let (_, birthday) = resident.band_on(now.date());
        let band_ends_on = birthday.map_or(year, |day| day.plus_days(-1));
        let ends_on: CivilDate =
            [resident.ends_on, card.ends_on, year, band_ends_on].into_iter().min().unwrap_or(card.ends_on);
        let person = Person { resident, gates: chosen, ends_on, case };
        let values = self.values(&person, &card.uid, card.ends_on);
        let noticed = Noticed { person, values, language: self.language, shown: BTreeMap::new() };
        // Warm while the notice is read: loads models, sees no frame.
        if let Err(error) = self.devices.engine.wake() {
            return self.ended(Some(Failure::Face(error)));
        }
        self.show_notice(noticed, now);
    }

    fn values(&self, person: &Person, uid: &CardUid, card_valid_to: CivilDate) -> BTreeMap<Language, Values> {
        let Some(open) = self.open.as_ref() else { return BTreeMap::new() };
        let case = PersonCase {
            face_ends_on: person.ends_on,
            card_last4: uid.last4(),
            card_valid_to,
            card_gates: person.gates.iter().map(|g| g.name.clone()).collect(),
        };
        let engine = self.devices.engine.engine();
        [Language::Chinese, Language::English]
            .into_iter()
            .map(|l| {
                let mut values = notice::values_for(&open.facts, &person.gates, l, &engine, Some(&case));
                Self::add_guardian(&mut values, l, person);
                (l, values)
            })
            .collect()
    }

    /// Shows the notice in its current language; each language is a showing of its own, read to its own end.
    pub(super) fn show_notice(&mut self, mut noticed: Noticed, now: Timestamp) {
        let language = noticed.language;
        if !noticed.shown.contains_key(&language) {
            let values = noticed.values.get(&language).cloned().unwrap_or_default();
            let text = match notice::render(notice_text(noticed.person.case.decider), language, &values) {
                Ok(text) => Arc::new(text),
                Err(_) => return self.ended(Some(Failure::FaceNotOffered)),
            };
            let shown = NoticeShown {
                id: ShowingId::from_bytes(random_bytes()),
                resident: noticed.person.resident.id,
                notice: text.reference.clone(),
                opened_at: now,
                reached_end_at: None,
            };
            let from = ShownFrom { letters_percent: None, inputs: values };
            if self.vault(|v| v.record_showing_from(&shown, &text.markdown, &from, now)).is_none() {
                return self.to_idle(now);
            }
            noticed.shown.insert(language, (shown, text));
        }
        if let Some((shown, text)) = noticed.current() {
            let scene = ResidentScene::Notice {
                masked_name: noticed.person.resident.name.masked(),
                text: Arc::clone(text),
                reached_end: shown.is_complete(),
            };
            self.scene(scene);
        }
        self.set(Flow::Noticed(Box::new(noticed)));
    }

    fn switch_language(&mut self, language: Language, now: Timestamp) {
        self.language = language;
        self.out.push(Event::ResidentLanguage(language));
        let other = match self.flow() {
            Flow::Deciding(mut noticed, _) => {
                noticed.language = language;
                // The decision goes on in the other language only where that text was read to its end as well; its box is empty.
                if noticed.current().is_some_and(|(shown, _)| shown.is_complete()) {
                    self.set(Flow::Noticed(noticed));
                    return self.go_to_consent();
                }
                return self.show_notice(*noticed, now);
            }
            other => other,
        };
        let other = match other.into_noticed() {
            Ok(mut noticed) => {
                noticed.language = language;
                return self.show_notice(*noticed, now);
            }
            Err(other) => other,
        };
        match other {
            Flow::Rights(rights) => self.rights_again(rights, now),
            Flow::Rules => {
                self.set(Flow::Rules);
                self.show_rules();
            }
            Flow::Refused => {
                self.set(Flow::Refused);
                self.show_refused();
            }
            Flow::Changing { resident, .. } => self.show_change_again(resident, now),
            Flow::Withdrawing(who) => self.begin_withdraw(who),
            Flow::Doors(who) => {
                self.set(Flow::Doors(who));
                self.show_doors();
            }
            other => self.set(other),
        }
    }

    fn show_rules(&mut self) {
        let Some(open) = self.open.as_mut() else { return };
        if open.flow.is_busy() {
            return;
        }
        open.flow = Flow::Rules;
        let texts = self.public_texts(self.language);
        self.scene(ResidentScene::Rules { texts });
    }

    fn reached_end(&mut self, now: Timestamp) {
        let Some(Flow::Noticed(noticed)) = self.open.as_ref().map(|o| &o.flow) else { return };
        let Some((shown, _)) = noticed.current() else { return };
        if shown.is_complete() {
            return;
        }
        let id = shown.id;
        if self.vault(|v| v.record_reached_end(id, now)).is_none() {
            return;
        }
        if let Some(Flow::Noticed(noticed)) = self.open.as_mut().map(|o| &mut o.flow) {
            let language = noticed.language;
            if let Some((shown, _)) = noticed.shown.get_mut(&language) {
                // As the vault has it: a clock that was set back must not leave a read notice unread.
                shown.reached_end_at = Some(now.max(shown.opened_at));
            }
        }
        if let Flow::Noticed(noticed) = self.flow() {
            self.show_notice(*noticed, now);
        }
    }

    fn go_to_consent(&mut self) {
        match self.flow() {
            Flow::Noticed(noticed) if noticed.current().is_some_and(|(shown, _)| shown.is_complete()) => {
                self.decide(noticed);
            }
            other => self.set(other),
        }
    }

    /// No, in one tap, on the notice as on the consent page.
    fn refuse(&mut self, now: Timestamp) {
        if matches!(self.open.as_ref().map(|o| &o.flow), Some(Flow::Asking(_))) {
            return self.heard(View::No, now);
        }
        let noticed = match self.flow().into_noticed() {
            Ok(noticed) => noticed,
            Err(other) => {
                // A no that comes later than the yes counts all the same: what is held is wiped.
                let holds = other.consent().is_some();
                self.set(other);
                if holds {
                    self.stop_visit(None, now);
                }
                return;
            }
        };
        let Some((shown, _)) = noticed.current() else { return self.to_idle(now) };
        let (resident, showing) = (noticed.person.resident.id, shown.id);
        let by = Self::who_refused(&noticed.person);
        self.vault(|v| v.record_refusal_by(resident, showing, by, now));
        self.devices.engine.rest();
        self.set(Flow::Refused);
        self.show_refused();
    }

    pub(super) fn show_refused(&mut self) {
        let text = notice::render(Text::Refused, self.language, &Values::new()).map(|r| r.markdown).unwrap_or_default();
        self.scene(ResidentScene::Refused { text });
    }

    /// Yes, signed on the screen.
    fn consent(&mut self, signature: Signature, now: Timestamp) {
        let (mut noticed, page) = match self.flow() {
            Flow::Deciding(noticed, page) => (noticed, page),
            other => return self.set(other),
        };
        if self.is_outdated(&mut noticed, now) {
            // Staff changed what the notice says while it was read: what was read is not what would be agreed to.
            return self.show_notice(*noticed, now);
        }
        self.said_yes(noticed, page, Yes { signature, at: now }, now);
    }

    /// The yes is on disk: now the camera may be asked for.
    pub(super) fn consented(
        &mut self,
        noticed: Noticed,
        page: ConsentPage,
        granted: ConsentGranted,
        signed_at: Timestamp,
        now: Timestamp,
    ) {
        let Noticed { person, mut values, language, .. } = noticed;
        let values = values.remove(&language).unwrap_or_default();
        let held = Consented { consent: granted, person, page, values, language, signed_at, unsure: vec![] };
        self.begin_capture(Box::new(held), now);
    }

    /// Reads again what the notice was filled with. When any of it changed, the new words are put in and count as unread.
    pub(super) fn is_outdated(&mut self, noticed: &mut Noticed, now: Timestamp) -> bool {
        let (id, named) = (noticed.person.resident.id, noticed.person.gate_ids());
        let read = self.vault(|v| Ok((v.current_card(id)?, v.gates()?)));
        let Some((Some(card), gates)) = read else { return false };
        // The keys may be new as well: what is sealed later must open at the gate as it is paired now.
        noticed.person.gates = gates.into_iter().filter(|g| named.contains(&g.id)).collect();
        self.renew_case(&mut noticed.person, now);
        let values = self.values(&noticed.person, &card.uid, card.ends_on);
        if values == noticed.values {
            return false;
        }
        noticed.values = values;
        noticed.shown.clear();
        true
    }

    /// One tick of whatever is going on.
    pub(super) fn step(&mut self, now: Timestamp) {
        let Some(flow) = self.open.as_ref().map(|o| &o.flow) else { return };
        let Some(stay_ms) = flow.stay_ms_max() else {
            self.acted_at = self.moment;
            return match flow {
                Flow::Capturing(_) => self.capture_step(now),
                Flow::Sending(_) => self.send_step(now),
                Flow::Trying(_) => self.try_step(now),
                _ => {}
            };
        };
        if self.is_past(self.acted_at, stay_ms) {
            self.acted_at = self.moment;
            self.walked_away(now);
        } else {
            self.ask_before(stay_ms);
        }
    }
}

pub(super) fn scene_of(page: &ConsentPage) -> ResidentScene {
    ResidentScene::Consent {
        preamble: page.preamble.clone(),
        sentence: page.sentence.clone(),
        buttons: (page.no.clone(), page.yes.clone()),
    }
}
