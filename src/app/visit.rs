//! The resident window's commands: from the idle screen over notice, decision, camera, hand-over and try, back to the idle screen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::command::ResidentCommand;
use super::conditions::PersonFacts;
use super::desk::{Desk, failure_of};
use super::enroll::{
    self, CAPTURE_MS_MAX, Capturing, Consented, Flow, Noticed, PICTURE_EVERY_MS, PICTURES, PROBES_MAX, Person, Sending,
    Trying,
};
use super::event::{Event, Failure, HandOver, ReceiptView, ResidentScene};
use super::preview::preview;
use crate::domain::audit::Actor;
use crate::domain::card::CardUid;
use crate::domain::consent::{ConsentDraft, ConsentError, EraseReason, Signature, Warrant};
use crate::domain::gate::GateRecord;
use crate::domain::id::{ConsentId, OpId, ResidentId, ShowingId, TemplateId};
use crate::domain::notice::{Language, NoticeShown};
use crate::domain::permit;
use crate::domain::quality::{self, Guidance, Limits};
use crate::domain::resident::AgeBand;
use crate::domain::site::Fact;
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::{
    self,
    consent::{ConsentFacts, consent_json},
};
use crate::notice::{self, ConsentPage, PersonCase, Text, Values};
use crate::ports::{CameraError, FaceError, LinkError};
use crate::secret::{FaceTemplate, Frame, random_bytes};
use crate::wire::message::{Reply, Request};
use crate::wire::{envelope, frame};

/// Longest wait for a gate to store a template and sign.
const PUT_LIMIT: Duration = Duration::from_millis(3_000);
/// Longest face term: one year (the rule in the notice's `face_end_rule`).
const FACE_DAYS_MAX: i64 = 365;
/// The camera counts as lost after this long without a frame, in milliseconds.
const FRAME_MS_MAX: i64 = 3_000;

/// Why a visit cannot go on, and whether the same consent may be tried again.
struct Trouble {
    failure: Option<Failure>,
    may_retry: bool,
}

impl Trouble {
    fn retry(failure: Failure) -> Self {
        Self { failure: Some(failure), may_retry: true }
    }
}

impl Desk {
    pub(super) fn handle_resident(&mut self, command: ResidentCommand, now: Timestamp) {
        if self.open.is_none() {
            return;
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
            ResidentCommand::SaveReceipt(path) => self.save_receipt(&path),
        }
    }

    /// A visit is over, for whatever reason: dark, nothing held, the card works.
    pub(super) fn ended(&mut self, failure: Option<Failure>) {
        self.devices.camera.close();
        self.devices.engine.rest();
        self.set(Flow::Ended);
        self.scene(ResidentScene::Ended { failure, may_retry: false });
    }

    fn flow(&mut self) -> Flow {
        self.open.as_mut().map(|o| std::mem::take(&mut o.flow)).unwrap_or_default()
    }

    fn set(&mut self, flow: Flow) {
        if let Some(open) = self.open.as_mut() {
            open.flow = flow;
        }
    }

    /// The idle screen. Whether face entry is offered depends on the desk alone, never on a person.
    pub(super) fn to_idle(&mut self, _now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        open.flow = Flow::Idle;
        let site = open.facts.get(Fact::SiteName).to_owned();
        let gates = open.vault.gates().unwrap_or_default();
        let answering = super::conditions::answering(&gates, &open.shared.gates().0);
        let known = super::conditions::gather(self.config.realm, &open.facts, &gates, &answering, None);
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
        let Some(Flow::TapCard { withdraw, .. }) = self.open.as_ref().map(|o| &o.flow) else { return };
        let withdraw = *withdraw;
        match CardUid::from_wedge(text) {
            Some(uid) => self.resident_tapped(uid, withdraw, now),
            None => self.tap_failed(Failure::CardTextUnreadable),
        }
    }

    /// A tap failed while the resident window waits for one.
    pub(super) fn tap_failed(&mut self, failure: Failure) {
        if let Some(Flow::TapCard { withdraw, .. }) = self.open.as_ref().map(|o| &o.flow) {
            let withdraw = *withdraw;
            self.scene(ResidentScene::TapCard { withdraw, failure: Some(failure) });
        }
    }

    /// The person's own card tap on the resident window: the only beginning of face entry.
    pub(super) fn resident_tapped(&mut self, uid: CardUid, withdraw: bool, now: Timestamp) {
        let Some(owner) = self.vault(|v| v.resident_by_card(&uid)) else {
            return self.tap_failed(Failure::CardUnknown);
        };
        let Some(resident) = owner else { return self.tap_failed(Failure::CardUnknown) };
        if withdraw { self.begin_withdraw(resident) } else { self.begin_face(resident, now) }
    }

    fn begin_face(&mut self, id: ResidentId, now: Timestamp) {
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
        if resident.age_band != AgeBand::Adult {
            return self.tap_failed(Failure::CardOnlyAge);
        }
        if consent.is_some() {
            return self.tap_failed(Failure::AlreadyEnrolled);
        }
        let chosen: Vec<GateRecord> =
            gates.into_iter().filter(|g| g.takes_faces && card.gates.contains(&g.id)).collect();
        let (answering, failure) = self.answering_now(&chosen);
        let card_works = answering.iter().all(|g| delivered.iter().any(|(id, there)| *id == g.id && *there));
        let person = PersonFacts { age_band: Some(resident.age_band), card_works, ..PersonFacts::default() };
        // The resident's own tap lifts a standing refusal (NDR 22(5)): that is the asking that the notice speaks of.
        let known = self.conditions(&answering, person);
        if !known.desk_blockers().is_empty() || !card_works || answering.is_empty() {
            return self.ended(Some(failure.unwrap_or(Failure::FaceNotOffered)));
        }
        if self.vault(|v| v.record_face_asked(id, now)).is_none() {
            return self.to_idle(now);
        }
        let year = now.date().plus_days(FACE_DAYS_MAX);
        let ends_on: CivilDate = [resident.ends_on, card.ends_on, year].into_iter().min().unwrap_or(card.ends_on);
        let person = Person { resident, gates: chosen, ends_on };
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
            .map(|l| (l, notice::values_for(&open.facts, &person.gates, l, &engine, Some(&case))))
            .collect()
    }

    /// Shows the notice in its current language; each language is a showing of its own, read to its own end.
    fn show_notice(&mut self, mut noticed: Noticed, now: Timestamp) {
        let language = noticed.language;
        if !noticed.shown.contains_key(&language) {
            let values = noticed.values.get(&language).cloned().unwrap_or_default();
            let text = match notice::render(Text::Notice, language, &values) {
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
            if self.vault(|v| v.record_showing(&shown, &text.markdown, now)).is_none() {
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
        match self.flow() {
            Flow::Noticed(mut noticed) | Flow::Deciding(mut noticed, _) => {
                noticed.language = language;
                self.show_notice(*noticed, now);
            }
            Flow::Rules => {
                self.set(Flow::Rules);
                self.show_rules();
            }
            Flow::Refused => {
                self.set(Flow::Refused);
                self.show_refused();
            }
            Flow::Withdrawing(resident) => self.begin_withdraw(resident),
            other => self.set(other),
        }
    }

    fn show_rules(&mut self) {
        let Some(open) = self.open.as_mut() else { return };
        if open.flow.is_busy() {
            return;
        }
        let gates: Vec<GateRecord> =
            open.vault.gates().unwrap_or_default().into_iter().filter(|g| g.takes_faces).collect();
        let engine = self.devices.engine.engine();
        let values = notice::values_for(&open.facts, &gates, self.language, &engine, None);
        let texts = [Text::OtherWays, Text::Notice]
            .into_iter()
            .filter_map(|t| notice::render(t, self.language, &values).ok())
            .map(Arc::new)
            .collect();
        open.flow = Flow::Rules;
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
                let values = noticed.values.get(&noticed.language).cloned().unwrap_or_default();
                match notice::consent_page(noticed.language, &values) {
                    Ok(page) => {
                        self.scene(scene_of(&page));
                        self.set(Flow::Deciding(noticed, page));
                    }
                    Err(_) => self.ended(Some(Failure::FaceNotOffered)),
                }
            }
            other => self.set(other),
        }
    }

    /// No, in one tap, on the notice as on the consent page.
    fn refuse(&mut self, now: Timestamp) {
        let noticed = match self.flow() {
            Flow::Noticed(noticed) | Flow::Deciding(noticed, _) => noticed,
            other => return self.set(other),
        };
        let Some((shown, _)) = noticed.current() else { return self.to_idle(now) };
        let (resident, showing) = (noticed.person.resident.id, shown.id);
        self.vault(|v| v.record_refusal(resident, showing, now));
        self.devices.engine.rest();
        self.set(Flow::Refused);
        self.show_refused();
    }

    fn show_refused(&mut self) {
        let text = notice::render(Text::Refused, self.language, &Values::new()).map(|r| r.markdown).unwrap_or_default();
        self.scene(ResidentScene::Refused { text });
    }

    /// Yes: written to the vault first; only then is the camera asked for.
    fn consent(&mut self, signature: Signature, now: Timestamp) {
        let (mut noticed, page) = match self.flow() {
            Flow::Deciding(noticed, page) => (noticed, page),
            other => return self.set(other),
        };
        if self.is_outdated(&mut noticed) {
            // Staff changed what the notice says while it was read: what was read is not what would be agreed to.
            return self.show_notice(*noticed, now);
        }
        let Some((shown, _)) = noticed.current().cloned() else { return self.to_idle(now) };
        let person = &noticed.person;
        let draft = ConsentDraft::new(
            &shown,
            person.resident.id,
            person.resident.age_band,
            page.sentence.clone(),
            person.gate_ids(),
            person.ends_on,
            signature,
            now,
        );
        let draft = match draft {
            Ok(draft) => draft,
            Err(ConsentError::SignatureMissing) => {
                // The page stays: the signature step asks again.
                self.scene(scene_of(&page));
                return self.set(Flow::Deciding(noticed, page));
            }
            Err(_) => return self.ended(Some(Failure::FaceNotOffered)),
        };
        let consent = ConsentId::from_bytes(random_bytes());
        let template = TemplateId::from_bytes(random_bytes());
        let Some(open) = self.open.as_mut() else { return };
        let record = consent_json(&ConsentFacts {
            consent,
            template,
            draft: &draft,
            facts: &open.facts,
            site: open.vault.site(),
            realm: self.config.realm,
        });
        match open.vault.record_consent(&draft, consent, template, &record, now) {
            Ok(granted) => {
                let Noticed { person, mut values, language, .. } = *noticed;
                let values = values.remove(&language).unwrap_or_default();
                let held = Consented { consent: granted, person, page, values, language, signed_at: now };
                self.begin_capture(Box::new(held), now);
            }
            Err(error) => {
                let failure = failure_of(error);
                self.fail(failure.clone());
                self.ended(Some(failure));
            }
        }
    }

    /// Reads again what the notice was filled with. When any of it changed, the new words are put in and count as unread.
    fn is_outdated(&mut self, noticed: &mut Noticed) -> bool {
        let (id, named) = (noticed.person.resident.id, noticed.person.gate_ids());
        let read = self.vault(|v| Ok((v.current_card(id)?, v.gates()?)));
        let Some((Some(card), gates)) = read else { return false };
        // The keys may be new as well: what is sealed later must open at the gate as it is paired now.
        noticed.person.gates = gates.into_iter().filter(|g| named.contains(&g.id)).collect();
        let values = self.values(&noticed.person, &card.uid, card.ends_on);
        if values == noticed.values {
            return false;
        }
        noticed.values = values;
        noticed.shown.clear();
        true
    }

    /// Asks the vault again, judges every condition, and only then opens the camera.
    fn begin_capture(&mut self, held: Box<Consented>, now: Timestamp) {
        match self.open_camera(&held, now) {
            Ok(()) => {
                let hint = notice::render(Text::CameraHint, held.language, &Values::new())
                    .map(|r| notice::plain(&r.markdown).trim().to_owned())
                    .unwrap_or_default();
                self.scene(ResidentScene::Camera { hint });
                let at = self.moment;
                let capturing = Capturing { held: *held, parts: vec![], begun: at, last_taken: None, last_frame: at };
                self.set(Flow::Capturing(Box::new(capturing)));
            }
            Err(trouble) => self.rest_on(held, trouble, now),
        }
    }

    fn open_camera(&mut self, held: &Consented, now: Timestamp) -> Result<(), Trouble> {
        let (answering, link) = self.answering_now(&held.person.gates);
        let Some(open) = self.open.as_mut() else { return Err(Trouble { failure: None, may_retry: false }) };
        let confirmed = open.vault.confirm(&held.consent, now);
        let refusal_stands = open.vault.refusal_stands(held.person.resident.id).unwrap_or(true);
        let card = open.vault.current_card(held.person.resident.id).ok().flatten();
        // As recorded now: staff may have corrected it since the tap.
        let age_band = open.vault.resident(held.person.resident.id).map(|r| r.age_band);
        let delivered = card.as_ref().and_then(|c| open.vault.card_delivered_at(c.id).ok()).unwrap_or_default();
        if let Err(error) = confirmed {
            return Err(Trouble { failure: Some(failure_of(error)), may_retry: false });
        }
        let age_band = age_band.map_err(|e| Trouble::retry(failure_of(e)))?;
        if age_band != AgeBand::Adult {
            return Err(Trouble { failure: Some(Failure::CardOnlyAge), may_retry: false });
        }
        let card_works = card.is_some_and(|c| c.ends_on >= now.date())
            && answering.iter().all(|g| delivered.iter().any(|(id, there)| *id == g.id && *there));
        let person =
            PersonFacts { age_band: Some(age_band), card_works, reached_end: true, consented: true, refusal_stands };
        let permit = permit::judge(&self.conditions(&answering, person))
            .map_err(|_| Trouble { failure: Some(link.unwrap_or(Failure::FaceNotOffered)), may_retry: true })?;
        self.devices.engine.wake().map_err(|e| Trouble::retry(Failure::Face(e)))?;
        // On disk before the lamp goes on: a crash from here on is seen at the next unlock.
        match self.open.as_mut().map(|o| o.vault.record_capture_begun(&held.consent, now)) {
            Some(Ok(())) => {}
            Some(Err(error)) => return Err(Trouble::retry(failure_of(error))),
            None => return Err(Trouble { failure: None, may_retry: false }),
        }
        self.devices.camera.open(&held.consent, &permit).map_err(|e| Trouble::retry(Failure::Camera(e)))
    }

    /// Capture trouble: the camera goes dark, what was held is wiped, the consent is kept so that the resident may try again.
    fn rest_on(&mut self, held: Box<Consented>, trouble: Trouble, now: Timestamp) {
        self.dark(&held, now);
        let Trouble { failure, may_retry } = trouble;
        if may_retry {
            self.set(Flow::Resting(held));
        } else {
            let resident = held.person.resident.id;
            drop(held);
            self.give_up(resident, now);
            self.set(Flow::Ended);
        }
        self.scene(ResidentScene::Ended { failure, may_retry });
    }

    /// Ends a consent that nothing came of.
    fn give_up(&mut self, resident: ResidentId, now: Timestamp) {
        if let Err(failure) = self.end_consent(resident, EraseReason::NotAccepted, Actor::Station, now) {
            self.fail(failure);
        }
    }

    fn dark(&mut self, held: &Consented, now: Timestamp) {
        self.devices.camera.close();
        self.devices.engine.rest();
        self.vault(|v| v.record_capture_over(&held.consent, now));
    }

    fn try_again(&mut self, now: Timestamp) {
        match self.flow() {
            Flow::Resting(held) => self.begin_capture(held, now),
            other => self.set(other),
        }
    }

    /// Stop, by either side: the camera goes dark, everything held is wiped, a recorded consent ends, the card works.
    pub(super) fn stop_visit(&mut self, failure: Option<Failure>, now: Timestamp) {
        let busy = self.open.as_ref().is_some_and(|o| o.flow.is_busy());
        if !busy {
            return;
        }
        let finished = matches!(
            self.open.as_ref().map(|o| &o.flow),
            Some(Flow::Done { .. } | Flow::Refused | Flow::Ended | Flow::Withdrawn { .. })
        );
        if finished {
            return self.to_idle(now);
        }
        self.drop_visit(now);
        self.set(Flow::Ended);
        self.scene(ResidentScene::Ended { failure, may_retry: false });
    }

    /// Wipes what a visit holds and ends its consent, without a word.
    pub(super) fn drop_visit(&mut self, now: Timestamp) {
        if let Some(resident) = self.wipe(now) {
            self.give_up(resident, now);
        }
    }

    /// Turns the camera off and wipes what a visit holds. Returns whose consent it stood on, which the caller ends.
    pub(super) fn wipe(&mut self, now: Timestamp) -> Option<ResidentId> {
        let flow = self.flow();
        self.devices.camera.close();
        self.devices.engine.rest();
        let consent = flow.consent()?;
        // A capture that is not over would be taken for a lost one at the next unlock.
        self.vault(|v| v.record_capture_over(consent, now));
        self.vault(|v| v.record_stopped(consent, now));
        Some(consent.resident())
    }

    fn back(&mut self, now: Timestamp) {
        let holds_nothing = matches!(
            self.open.as_ref().map(|o| &o.flow),
            Some(
                Flow::Idle
                    | Flow::Rules
                    | Flow::TapCard { .. }
                    | Flow::Noticed(_)
                    | Flow::Refused
                    | Flow::Done { .. }
                    | Flow::Ended
                    | Flow::Withdrawing(_)
                    | Flow::Withdrawn { .. }
            )
        );
        if holds_nothing {
            return self.to_idle(now);
        }
        // From the consent page one goes back to the notice; nothing is decided by that.
        match self.flow() {
            Flow::Deciding(noticed, _) => self.show_notice(*noticed, now),
            other => self.set(other),
        }
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
        }
    }

    /// Nobody touched the resident window for long: it goes back to the idle screen, over the same steps as if somebody had pressed them.
    fn walked_away(&mut self, now: Timestamp) {
        match self.open.as_ref().map(|o| &o.flow) {
            // The consent ends: the next resident must not be asked to go on with it.
            Some(Flow::Resting(_)) => self.stop_visit(None, now),
            // The gate holds the face already; only the try is left out.
            Some(Flow::Trying(_)) => self.finish(now),
            Some(_) => {
                self.drop_visit(now);
                self.to_idle(now);
            }
            None => {}
        }
    }

    fn capture_step(&mut self, now: Timestamp) {
        let Flow::Capturing(mut capturing) = self.flow() else { return };
        if self.is_past(capturing.begun, CAPTURE_MS_MAX) {
            let held = Box::new(capturing.held);
            return self.rest_on(held, Trouble::retry(Failure::TooLong), now);
        }
        let frame = match self.devices.camera.newest() {
            Ok(Some(frame)) => frame,
            Ok(None) if !self.is_past(capturing.last_frame, FRAME_MS_MAX) => {
                return self.set(Flow::Capturing(capturing));
            }
            Ok(None) => {
                let held = Box::new(capturing.held);
                return self.rest_on(held, Trouble::retry(Failure::Camera(CameraError::Stalled)), now);
            }
            Err(error) => {
                let held = Box::new(capturing.held);
                return self.rest_on(held, Trouble::retry(Failure::Camera(error)), now);
            }
        };
        capturing.last_frame = self.moment;
        let wanted = capturing.last_taken.is_none_or(|at| self.moment.since(at) >= PICTURE_EVERY_MS);
        let consent = &capturing.held.consent;
        self.out.push(Event::Preview(preview(consent, &frame)));
        match self.look(Warrant::Desk(consent), frame, wanted) {
            Ok((guidance, part)) => {
                if let Some(part) = part {
                    if enroll::is_same_face(&capturing.parts, &part) {
                        capturing.parts.push(part);
                    } else {
                        // Somebody else sat down: begin with them, under the same consent, from nothing.
                        capturing.parts.clear();
                    }
                    capturing.last_taken = Some(self.moment);
                }
                let taken = u8::try_from(capturing.parts.len()).unwrap_or(PICTURES);
                self.out.push(Event::Guide { guidance, taken, needed: PICTURES });
                if taken >= PICTURES { self.seal(*capturing, now) } else { self.set(Flow::Capturing(capturing)) }
            }
            // A died engine costs one picture: the next frame is asked again.
            Err(FaceError::Restarted | FaceError::OutOfRange | FaceError::Unsound) => {
                self.set(Flow::Capturing(capturing));
            }
            Err(error) => {
                let held = Box::new(capturing.held);
                self.rest_on(held, Trouble::retry(Failure::Face(error)), now);
            }
        }
    }

    /// Judges one frame and, when it is good and wanted, turns it into a part of the template. The frame is wiped either way.
    fn look(
        &mut self,
        warrant: Warrant<'_>,
        frame: Frame,
        wanted: bool,
    ) -> Result<(Guidance, Option<FaceTemplate>), FaceError> {
        let look = self.devices.engine.locate(warrant, &frame)?;
        match quality::judge(&look, &Limits::default()) {
            Err(guidance) => Ok((guidance, None)),
            Ok(_) if !wanted => Ok((Guidance::Good, None)),
            Ok(passed) => {
                match self.devices.engine.extract(warrant, frame, passed.face()) {
                    Ok(part) => Ok((Guidance::Good, Some(part))),
                    Err(FaceError::NotAlone) => Ok((Guidance::OnePersonOnly, None)),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Parts to template to envelopes; the camera goes dark and the template is wiped here.
    fn seal(&mut self, capturing: Capturing, now: Timestamp) {
        let Capturing { held, parts, last_frame, .. } = capturing;
        self.devices.camera.close();
        // The process that saw this face ends with the capture; the try at the gate gets one of its own.
        self.devices.engine.rest();
        let Some(template) = FaceTemplate::mean(parts) else {
            return self.rest_on(Box::new(held), Trouble::retry(Failure::Face(FaceError::Unsound)), now);
        };
        let Some(open) = self.open.as_mut() else { return };
        if let Err(error) = open.vault.confirm(&held.consent, now) {
            let failure = Some(failure_of(error));
            return self.rest_on(Box::new(held), Trouble { failure, may_retry: false }, now);
        }
        let mut waiting = vec![];
        for gate in &held.person.gates {
            let op = OpId::from_bytes(random_bytes());
            match envelope::seal_face(&held.consent, &template, gate, &open.keys, op) {
                Ok(sealed) => waiting.push((gate.clone(), sealed)),
                Err(_) => {
                    let failure = Failure::Link(gate.name.clone(), LinkError::KeyChanged);
                    return self.rest_on(Box::new(held), Trouble::retry(failure), now);
                }
            }
        }
        drop(template);
        let sending = Sending { held, waiting, done: vec![], last_failure: None, shutter_at: last_frame };
        self.show_working(&sending);
        self.set(Flow::Sending(Box::new(sending)));
    }

    fn show_working(&mut self, sending: &Sending) {
        let done = sending.done.iter().map(|(g, state)| (g.name.clone(), state.clone()));
        let waiting = sending.waiting.iter().map(|(g, _)| (g.name.clone(), HandOver::Waiting));
        self.scene(ResidentScene::Working { gates: done.chain(waiting).collect() });
    }

    /// One gate a tick: the consent is asked for again, the envelope goes, the gate signs, and is asked what it holds.
    fn send_step(&mut self, now: Timestamp) {
        let Flow::Sending(mut sending) = self.flow() else { return };
        if sending.waiting.is_empty() {
            return self.sent(*sending, now);
        }
        let (gate, put) = sending.waiting.remove(0);
        let Some(open) = self.open.as_mut() else { return };
        if let Err(error) = open.vault.confirm(&sending.held.consent, now) {
            let failure = Some(failure_of(error));
            return self.rest_on(Box::new(sending.held), Trouble { failure, may_retry: false }, now);
        }
        let request = Request::PutFace(put);
        let outcome = match open.link.ask(&gate, &request, PUT_LIMIT) {
            Ok(Reply::Done(signed)) => match signed.check(&gate, self.config.realm, &request) {
                Ok(()) => {
                    let template = *sending.held.consent.template().bytes();
                    match open.link.ask(&gate, &Request::ReadBack(template), PUT_LIMIT) {
                        Ok(Reply::Held(Some(held))) if held.digest == signed.stored_digest => Ok(signed),
                        Ok(_) => Err(Failure::Link(gate.name.clone(), LinkError::Protocol)),
                        Err(error) => Err(Failure::Link(gate.name.clone(), error)),
                    }
                }
                Err(_) => Err(Failure::Link(gate.name.clone(), LinkError::KeyChanged)),
            },
            Ok(Reply::Refused(refusal)) => Err(Failure::Refused(gate.name.clone(), refusal)),
            Ok(_) => Err(Failure::Link(gate.name.clone(), LinkError::Protocol)),
            Err(error) => Err(Failure::Link(gate.name.clone(), error)),
        };
        match outcome {
            Ok(signed) => {
                let consent = &sending.held.consent;
                let bytes = frame::encode(&signed);
                let digest = signed.stored_digest;
                if self.vault(|v| v.record_face_held(consent, gate.id, digest, &bytes, now)).is_none() {
                    return self.rest_on(Box::new(sending.held), Trouble { failure: None, may_retry: false }, now);
                }
                sending.done.push((gate, HandOver::Stored));
            }
            Err(failure) => {
                self.fail(failure.clone());
                sending.last_failure = Some(failure);
                sending.done.push((gate, HandOver::Away));
            }
        }
        self.show_working(&sending);
        if sending.waiting.is_empty() { self.sent(*sending, now) } else { self.set(Flow::Sending(sending)) }
    }

    fn sent(&mut self, sending: Sending, now: Timestamp) {
        let Sending { held, done, last_failure, shutter_at, .. } = sending;
        tracing::info!(ms = self.moment.since(shutter_at), gates = done.len(), "last accepted frame to acknowledged");
        let first = done.iter().find(|(_, state)| *state == HandOver::Stored).map(|(gate, _)| gate.clone());
        match first {
            Some(gate) => {
                // The camera is closed and the template wiped: this capture is over. The try opens one of its own.
                self.vault(|v| v.record_capture_over(&held.consent, now));
                let scene = ResidentScene::TryGate { gate: gate.name.clone(), looking: false };
                let at = self.moment;
                let trying = Trying { held, done, gate, looking: false, begun: at, last_frame: at, probes: 0 };
                self.set(Flow::Trying(Box::new(trying)));
                self.scene(scene);
            }
            None => {
                let failure = last_failure.unwrap_or(Failure::Link(String::new(), LinkError::Away));
                self.rest_on(Box::new(held), Trouble::retry(failure), now);
            }
        }
    }

    /// The camera opens once more, under the same consent and a permit of its own.
    fn try_gate(&mut self, now: Timestamp) {
        let mut trying = match self.flow() {
            Flow::Trying(trying) if !trying.looking => trying,
            other => return self.set(other),
        };
        match self.open_camera(&trying.held, now) {
            Ok(()) => {
                trying.looking = true;
                trying.begun = self.moment;
                trying.last_frame = self.moment;
                self.scene(ResidentScene::TryGate { gate: trying.gate.name.clone(), looking: true });
                self.set(Flow::Trying(trying));
            }
            // The gate holds the face already; a dark camera only means that the try is skipped or asked again.
            Err(trouble) if trouble.may_retry => self.try_later(trying, trouble.failure, now),
            // The consent ended meanwhile.
            Err(trouble) => {
                self.dark(&trying.held, now);
                let resident = trying.held.person.resident.id;
                drop(trying);
                self.give_up(resident, now);
                self.ended(trouble.failure);
            }
        }
    }

    /// The try did not come to an end: dark, and the resident may ask for it again or leave it.
    fn try_later(&mut self, mut trying: Box<Trying>, failure: Option<Failure>, now: Timestamp) {
        self.dark(&trying.held, now);
        if let Some(failure) = failure {
            self.fail(failure);
        }
        trying.looking = false;
        self.scene(ResidentScene::TryGate { gate: trying.gate.name.clone(), looking: false });
        self.set(Flow::Trying(trying));
    }

    fn try_step(&mut self, now: Timestamp) {
        let Flow::Trying(mut trying) = self.flow() else { return };
        if self.is_past(trying.begun, CAPTURE_MS_MAX) {
            return self.try_later(trying, Some(Failure::TooLong), now);
        }
        let frame = match self.devices.camera.newest() {
            Ok(Some(frame)) => frame,
            Ok(None) if !self.is_past(trying.last_frame, FRAME_MS_MAX) => return self.set(Flow::Trying(trying)),
            Ok(None) => return self.try_later(trying, Some(Failure::Camera(CameraError::Stalled)), now),
            Err(error) => return self.try_later(trying, Some(Failure::Camera(error)), now),
        };
        trying.last_frame = self.moment;
        let consent = &trying.held.consent;
        self.out.push(Event::Preview(preview(consent, &frame)));
        let (guidance, part) = match self.look(Warrant::Desk(consent), frame, true) {
            Ok(looked) => looked,
            Err(FaceError::Restarted | FaceError::OutOfRange | FaceError::Unsound) => {
                return self.set(Flow::Trying(trying));
            }
            // An engine that fails says nothing about the face that the gate holds.
            Err(error) => return self.try_later(trying, Some(Failure::Face(error)), now),
        };
        self.out.push(Event::Guide { guidance, taken: 0, needed: 1 });
        let Some(part) = part else { return self.set(Flow::Trying(trying)) };
        trying.probes += 1;
        let Some(open) = self.open.as_mut() else { return };
        let op = OpId::from_bytes(random_bytes());
        let probe = envelope::seal_probe(consent, &part, &trying.gate, &open.keys, op, now);
        drop(part);
        let Ok(probe) = probe else {
            let failure = Failure::Link(trying.gate.name.clone(), LinkError::KeyChanged);
            return self.try_later(trying, Some(failure), now);
        };
        let answer = open.link.ask(&trying.gate, &Request::Probe(probe), PUT_LIMIT);
        match answer {
            Ok(Reply::Probed(probed)) if probed.template == Some(*consent.template().bytes()) => {
                let gate = trying.gate.id;
                self.vault(|v| v.record_recognised(consent, gate, now));
                self.dark(&trying.held, now);
                self.done(*trying, true, now);
            }
            Ok(Reply::Probed(_)) if trying.probes < PROBES_MAX => self.set(Flow::Trying(trying)),
            Ok(Reply::Probed(_)) => {
                self.dark(&trying.held, now);
                self.not_recognised(*trying, now);
            }
            // The gate went away between storing and trying: it holds the face; the try can be made at the door.
            Ok(_) | Err(_) => {
                self.dark(&trying.held, now);
                self.fail(Failure::Link(trying.gate.name.clone(), LinkError::Away));
                self.done(*trying, false, now);
            }
        }
    }

    /// A template that its own owner is not known by is worth nothing: it is erased again, and the card works.
    fn not_recognised(&mut self, trying: Trying, now: Timestamp) {
        let resident = trying.held.person.resident.id;
        drop(trying);
        self.give_up(resident, now);
        self.ended(Some(Failure::NotRecognised));
    }

    fn finish(&mut self, now: Timestamp) {
        match self.flow() {
            Flow::Trying(trying) => {
                if trying.looking {
                    self.dark(&trying.held, now);
                }
                self.done(*trying, false, now);
            }
            other => {
                self.set(other);
                self.back(now);
            }
        }
    }

    fn done(&mut self, trying: Trying, recognised: bool, now: Timestamp) {
        let Trying { held, done, .. } = trying;
        self.devices.engine.rest();
        let names = |wanted: &HandOver| -> Vec<String> {
            done.iter().filter(|(_, state)| state == wanted).map(|(g, _)| g.name.clone()).collect()
        };
        let mut values = held.values;
        let record = held.consent.consent();
        values.insert("consent_time".into(), held.signed_at.minute_text());
        values.insert("consent_sentence".into(), held.page.sentence.clone());
        values.insert("consent_record_id".into(), record.to_string());
        if let Ok(code) = notice::check_code(Text::Notice, held.language, &values) {
            values.insert("notice_hash".into(), code);
        }
        self.vault(|v| v.record_receipt_issued(record, now));
        let text = match notice::render(Text::Receipt, held.language, &values) {
            Ok(text) => text,
            Err(unfilled) => {
                tracing::error!(?unfilled, "the receipt has unfilled placeholders");
                return self.to_idle(now);
            }
        };
        let view = ReceiptView {
            record: record.to_string(),
            consented_at: held.signed_at,
            gates: names(&HandOver::Stored),
            away: names(&HandOver::Away),
            ends_on: held.person.ends_on,
            text,
        };
        if let Some(open) = self.open.as_ref() {
            open.shared.ring();
        }
        self.scene(ResidentScene::Done { recognised, receipt: Box::new(view.clone()), saved_to: None });
        self.set(Flow::Done { receipt: Box::new(view), recognised });
        self.show_opened(now);
    }

    fn save_receipt(&mut self, path: &std::path::Path) {
        let Some(Flow::Done { receipt, recognised }) = self.open.as_ref().map(|o| &o.flow) else { return };
        let (view, recognised) = (receipt.clone(), *recognised);
        let Some(record) = ConsentId::parse(&view.record) else { return };
        let Some(signed) = self.vault(|v| Ok(v.consent(record)?.evidence)) else { return };
        match self.write_receipt(path, &view.text, &signed) {
            Ok(()) => {
                let saved_to = Some(path.display().to_string());
                self.scene(ResidentScene::Done { recognised, receipt: view, saved_to });
            }
            Err(why) => self.fail(Failure::PaperNotWritten(why)),
        }
    }

    /// The PDF for people and, beside it, the signed record for `menka-verify`; its digest is in the QR code.
    fn write_receipt(&self, path: &std::path::Path, text: &notice::Rendered, signed: &[u8]) -> Result<(), String> {
        let key = self.open.as_ref().map(|o| o.vault.evidence_public()).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest(signed).into();
        let qr = format!("MENKA1:{}:{}", evidence::hex(&digest).to_uppercase(), evidence::hex(&key).to_uppercase());
        let pdf = crate::paper::receipt_pdf(text, &qr).map_err(|e| e.to_string())?;
        std::fs::write(path, pdf).map_err(|e| e.to_string())?;
        std::fs::write(path.with_extension("cose"), signed).map_err(|e| e.to_string())
    }

    fn begin_withdraw(&mut self, resident: ResidentId) {
        let held = self.vault(|v| {
            let consent = v.current_consent(resident)?;
            let pending = v.erase_pending(resident)?;
            let gates = v.gates()?;
            Ok((consent, pending, gates))
        });
        let Some((consent, pending, gates)) = held else { return self.ended(Some(Failure::FaceNotOffered)) };
        let Some(consent) = consent else {
            if pending.is_empty() {
                return self.tap_failed(Failure::NothingToWithdraw);
            }
            self.set(Flow::Withdrawn { resident, gates: pending });
            return self.refresh_withdrawn();
        };
        let names = gates.iter().filter(|g| consent.gates.contains(&g.id)).map(|g| g.name.clone()).collect();
        let Some(open) = self.open.as_ref() else { return };
        let engine = self.devices.engine.engine();
        let values = notice::values_for(&open.facts, &gates, self.language, &engine, None);
        let text = notice::render(Text::Withdraw, self.language, &values).map(|r| r.markdown).unwrap_or_default();
        self.set(Flow::Withdrawing(resident));
        self.scene(ResidentScene::WithdrawConfirm { text, gates: names });
    }

    fn confirm_withdraw(&mut self, now: Timestamp) {
        let resident = match self.flow() {
            Flow::Withdrawing(resident) => resident,
            other => return self.set(other),
        };
        let gates = self.vault(|v| Ok(v.current_consent(resident)?.map(|c| c.gates))).flatten().unwrap_or_default();
        // "Erased" is said of no gate unless the ending is on disk.
        if let Err(failure) = self.end_face(resident, EraseReason::Withdrawn, Actor::Resident(resident), now) {
            self.fail(failure.clone());
            return self.ended(Some(failure));
        }
        self.set(Flow::Withdrawn { resident, gates });
        self.refresh_withdrawn();
        self.show_opened(now);
    }
}

fn scene_of(page: &ConsentPage) -> ResidentScene {
    ResidentScene::Consent {
        preamble: page.preamble.clone(),
        sentence: page.sentence.clone(),
        buttons: (page.no.clone(), page.yes.clone()),
    }
}
