//! The camera is on: from a consent on disk to sealed envelopes. Every trouble leads back to a dark camera with nothing held.

use super::conditions::PersonFacts;
use super::desk::{Desk, failure_of};
use super::enroll::{
    self, CAPTURE_MS_MAX, Capturing, Consented, FRAME_MS_MAX, Flow, OTHERS_MAX, PICTURE_EVERY_MS, PICTURES, REPEATS,
    Sending, TURN_MS_MAX,
};
use super::event::{Event, Failure, ResidentScene};
use super::preview::preview;
use crate::domain::audit::Actor;
use crate::domain::consent::{EraseReason, Warrant};
use crate::domain::id::{OpId, ResidentId};
use crate::domain::permit::{self, Blocker, Condition};
use crate::domain::presence::{Presence, PresenceShown, Side};
use crate::domain::quality::{self, FaceBox, Guidance, Limits};
use crate::domain::time::Timestamp;
use crate::notice::{self, Text, Values};
use crate::ports::{CameraError, FaceError, LinkError};
use crate::secret::{FaceTemplate, Frame, random_bytes};
use crate::wire::envelope;

/// Why a visit cannot go on, and whether the same consent may be tried again.
pub(super) struct Trouble {
    pub failure: Option<Failure>,
    pub may_retry: bool,
}

impl Trouble {
    pub fn retry(failure: Failure) -> Self {
        Self { failure: Some(failure), may_retry: true }
    }
}

/// What the resident is told of blockers: that the staff window is shut can be mended while they wait.
fn off(blockers: &[(Blocker, Condition)]) -> Failure {
    match blockers {
        [(Blocker::OperatorLoggedIn, _)] => Failure::NobodyAtDesk,
        _ => Failure::FaceNotOffered,
    }
}

impl Desk {
    /// Asks the vault again, judges every condition, and only then opens the camera.
    pub(super) fn begin_capture(&mut self, held: Box<Consented>, now: Timestamp) {
        match self.open_camera(&held, now) {
            Ok(()) => {
                let hint = notice::render(Text::CameraHint, held.language, &Values::new())
                    .map(|r| notice::plain(&r.markdown).trim().to_owned())
                    .unwrap_or_default();
                self.scene(ResidentScene::Camera { hint });
                let at = self.moment;
                let [chance] = random_bytes();
                let capturing = Capturing {
                    held: *held,
                    parts: vec![],
                    presence: Presence::ask(chance),
                    asked: at,
                    begun: at,
                    last_taken: None,
                    last_frame: at,
                    others: 0,
                };
                self.set(Flow::Capturing(Box::new(capturing)));
            }
            Err(trouble) => self.rest_on(held, trouble, now),
        }
    }

    pub(super) fn open_camera(&mut self, held: &Consented, now: Timestamp) -> Result<(), Trouble> {
        self.look_at_machine(now);
        let (answering, link) = self.answering_now(&held.person.gates);
        let Some(open) = self.open.as_mut() else { return Err(Trouble { failure: None, may_retry: false }) };
        let confirmed = open.vault.confirm(&held.consent, now);
        let refusal_stands = open.vault.refusal_stands(held.person.resident.id).unwrap_or(true);
        let card = open.vault.current_card(held.person.resident.id).ok().flatten();
        // As recorded now: staff may have corrected it since the tap.
        let decider = open.vault.decider(held.person.resident.id, now);
        let guardian = open.vault.current_guardian(held.person.resident.id).ok().flatten();
        let case = &held.person.case;
        let guardian_here =
            guardian.is_some_and(|g| g.is_here(now) && Some(g.id) == case.guardian.as_ref().map(|g| g.id));
        let childrens_rules = notice::has_childrens_rules(&open.facts);
        let delivered = card.as_ref().and_then(|c| open.vault.card_delivered_at(c.id).ok()).unwrap_or_default();
        let decider = decider.map_err(|e| Trouble::retry(failure_of(e)))?;
        if decider != case.decider {
            return Err(Trouble { failure: Some(Failure::DeciderChanged), may_retry: false });
        }
        if let Err(error) = confirmed {
            return Err(Trouble { failure: Some(failure_of(error)), may_retry: false });
        }
        let card_works = card.is_some_and(|c| c.ends_on >= now.date())
            && answering.iter().all(|g| delivered.iter().any(|(id, there)| *id == g.id && *there));
        let person = PersonFacts {
            decider: Some(decider),
            guardian_here,
            childrens_rules,
            card_works,
            reached_end: true,
            consented: true,
            refusal_stands,
        };
        let permit = permit::judge(&self.conditions(&answering, person))
            .map_err(|blockers| Trouble::retry(link.unwrap_or_else(|| off(&blockers))))?;
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
    pub(super) fn rest_on(&mut self, held: Box<Consented>, trouble: Trouble, now: Timestamp) {
        self.dark(&held, now);
        let Trouble { failure, may_retry } = trouble;
        if may_retry {
            self.set(Flow::Resting(held));
            if failure == Some(Failure::NobodyAtDesk) {
                // The staff window is where it can be mended.
                self.fail(Failure::NobodyAtDesk);
            }
        } else {
            let resident = held.person.resident.id;
            drop(held);
            self.give_up(resident, now);
            self.set(Flow::Ended);
        }
        self.scene(ResidentScene::Ended { failure, may_retry });
    }

    /// Ends a consent that nothing came of.
    pub(super) fn give_up(&mut self, resident: ResidentId, now: Timestamp) {
        if let Err(failure) = self.end_consent(resident, EraseReason::NotAccepted, Actor::Station, now) {
            self.fail(failure);
        }
    }

    pub(super) fn dark(&mut self, held: &Consented, now: Timestamp) {
        self.devices.camera.close();
        self.devices.engine.rest();
        self.vault(|v| v.record_capture_over(&held.consent, now));
    }

    pub(super) fn try_again(&mut self, now: Timestamp) {
        match self.flow() {
            Flow::Resting(held) => self.begin_capture(held, now),
            other => self.set(other),
        }
    }

    pub(super) fn capture_step(&mut self, now: Timestamp) {
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
        let full = capturing.parts.len() >= usize::from(PICTURES);
        if full && self.is_past(capturing.asked, TURN_MS_MAX) {
            capturing.presence.ask_other();
            capturing.asked = self.moment;
        }
        let wanted = capturing.last_taken.is_none_or(|at| self.moment.since(at) >= PICTURE_EVERY_MS);
        let Capturing { held, presence, .. } = &mut *capturing;
        let mut shown = None;
        self.out.push(Event::Preview(preview(&held.consent, &frame)));
        let looked = self.look(Warrant::Desk(&held.consent), frame, |face| {
            if full {
                shown = presence.see(face);
                shown.is_some()
            } else {
                if wanted {
                    presence.face(face);
                }
                wanted
            }
        });
        match looked {
            Ok((guidance, part)) => self.capture_next(capturing, guidance, part, shown, now),
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

    /// What one judged frame changes: a part more, the end, or a new beginning when somebody else sat down.
    fn capture_next(
        &mut self,
        mut capturing: Box<Capturing>,
        guidance: Guidance,
        part: Option<FaceTemplate>,
        shown: Option<PresenceShown>,
        now: Timestamp,
    ) {
        let same = part.as_ref().is_none_or(|part| enroll::is_same_face(&capturing.parts, part));
        let turned = capturing.parts.len() >= usize::from(PICTURES);
        if !same && turned && capturing.others < OTHERS_MAX {
            // Turned too far to be known, or not the same person: not taken either way, and the next look tells.
            capturing.others += 1;
        } else if !same {
            // Begin with them, under the same consent, from nothing.
            capturing.parts.clear();
            capturing.presence.forget();
            capturing.others = 0;
        } else if part.is_some() {
            capturing.others = 0;
        }
        if let (Some(_), Some(shown), true) = (&part, shown, same) {
            self.out.push(Event::Guide { guidance, taken: PICTURES + 1, needed: PICTURES + 1 });
            return self.seal(*capturing, shown, now);
        }
        if let (Some(part), true) = (part, same) {
            capturing.parts.push(part);
            capturing.last_taken = Some(self.moment);
            capturing.asked = self.moment;
        }
        let taken = u8::try_from(capturing.parts.len()).unwrap_or(PICTURES);
        let guidance = match (guidance, capturing.presence.side()) {
            // Turned too far for a picture is a turn all the same.
            (Guidance::Good | Guidance::LookHere, Side::Left) if taken >= PICTURES => Guidance::TurnLeft,
            (Guidance::Good | Guidance::LookHere, Side::Right) if taken >= PICTURES => Guidance::TurnRight,
            (other, _) => other,
        };
        self.out.push(Event::Guide { guidance, taken, needed: PICTURES + 1 });
        self.set(Flow::Capturing(capturing));
    }

    /// Judges one frame and, when it is good and its face is wanted, turns it into a part of the template. The frame is wiped either way.
    pub(super) fn look(
        &mut self,
        warrant: Warrant<'_>,
        frame: Frame,
        wanted: impl FnOnce(&FaceBox) -> bool,
    ) -> Result<(Guidance, Option<FaceTemplate>), FaceError> {
        let look = self.devices.engine.locate(warrant, &frame)?;
        match quality::judge(&look, &Limits::default()) {
            Err(guidance) => Ok((guidance, None)),
            Ok(passed) if !wanted(passed.face()) => Ok((Guidance::Good, None)),
            Ok(passed) => match self.devices.engine.extract(warrant, frame, passed.face()) {
                Ok(part) => Ok((Guidance::Good, Some(part))),
                Err(FaceError::NotAlone) => Ok((Guidance::OnePersonOnly, None)),
                Err(error) => Err(error),
            },
        }
    }

    /// Parts to template to envelopes; the camera goes dark and the template is wiped here.
    fn seal(&mut self, capturing: Capturing, shown: PresenceShown, now: Timestamp) {
        let Capturing { held, parts, last_frame, .. } = capturing;
        self.devices.camera.close();
        self.vault(|v| v.record_presence(&held.consent, shown, now));
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
            if let Some((_, sent)) = held.unsure.iter().find(|(id, _)| *id == gate.id) {
                waiting.push((gate.clone(), sent.clone()));
                continue;
            }
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
        let sending =
            Sending { held, waiting, done: vec![], last_failure: None, shutter_at: last_frame, repeats: REPEATS };
        self.show_working(&sending);
        self.set(Flow::Sending(Box::new(sending)));
    }
}
