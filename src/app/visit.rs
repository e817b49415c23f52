//! The resident window's commands, from the idle screen over the tap and the notice to the decision. What follows is in [`super::capturing`],
//! [`super::handing_over`] and [`super::endings`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::command::ResidentCommand;
use super::conditions::PersonFacts;
use super::desk::{Desk, failure_of};
use super::enroll::{Consented, Flow, Noticed, Person};
use super::event::{Event, Failure, ResidentScene};
use super::rights::{RequestFault, RightsScene};
use super::rights_window::RightsFlow;
use crate::domain::card::CardUid;
use crate::domain::consent::{ConsentDraft, ConsentError, Signature};
use crate::domain::gate::GateRecord;
use crate::domain::id::{ConsentId, ResidentId, ShowingId, TemplateId};
use crate::domain::notice::{Language, NoticeShown};
use crate::domain::resident::AgeBand;
use crate::domain::site::Fact;
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::consent::{ConsentFacts, consent_json};
use crate::notice::{self, ConsentPage, PersonCase, Text, Values};
use crate::secret::random_bytes;

/// Longest face term: one year (the rule in the notice's `face_end_rule`).
const FACE_DAYS_MAX: i64 = 365;

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
            ResidentCommand::AskDoors => self.ask_doors(),
            ResidentCommand::ChangeDoors(change) => self.change_doors(change, now),
            ResidentCommand::SaveReceipt(path) => {
                if matches!(self.open.as_ref().map(|o| &o.flow), Some(Flow::Withdrawn { .. })) {
                    self.save_own_certificate(&path, now);
                } else {
                    self.save_receipt(&path);
                }
            }
            ResidentCommand::Rights(act) => self.handle_rights_act(act, now),
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

    /// The idle screen. Whether face entry is offered depends on the desk alone, never on a person.
    pub(super) fn to_idle(&mut self, _now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        open.flow = Flow::Idle;
        let site = open.facts.get(Fact::SiteName).to_owned();
        let gates = open.vault.gates().unwrap_or_default();
        let stopped = open.vault.faces_stopped().unwrap_or_default();
        let mut answering = super::conditions::answering(&gates, &open.shared.gates().0);
        answering.retain(|gate| !stopped.contains(&gate.id));
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
        match self.vault(|v| Ok((v.has_died(id)?, v.is_restricted(id)?))) {
            Some((false, false)) => {}
            Some((true, _)) => return self.tap_failed(Failure::Request(RequestFault::Died)),
            Some((_, true)) => return self.tap_failed(Failure::Request(RequestFault::FaceRefused)),
            None => return self.ended(Some(Failure::FaceNotOffered)),
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
    pub(super) fn show_notice(&mut self, mut noticed: Noticed, now: Timestamp) {
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
            Flow::Rights(rights) => self.rights_again(rights, now),
            Flow::Rules => {
                self.set(Flow::Rules);
                self.show_rules();
            }
            Flow::Refused => {
                self.set(Flow::Refused);
                self.show_refused();
            }
            Flow::Withdrawing(resident) => self.begin_withdraw(resident),
            Flow::Doors(resident) => {
                self.set(Flow::Doors(resident));
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
                let held =
                    Consented { consent: granted, person, page, values, language, signed_at: now, unsure: vec![] };
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
}

fn scene_of(page: &ConsentPage) -> ResidentScene {
    ResidentScene::Consent {
        preamble: page.preamble.clone(),
        sentence: page.sentence.clone(),
        buttons: (page.no.clone(), page.yes.clone()),
    }
}
