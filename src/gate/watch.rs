//! The gate's own camera: one frame, looked at after one deliberate act, wiped, answered. The loop around it is [`super::eye`].
//!
//! Deliberately absent: looking up whoever walks past.

use super::daemon::Gate;
use super::door::DoorOpens;
use super::store::Way;
use crate::domain::card::CardUid;
use crate::domain::consent::{AtTheDoor, Warrant};
use crate::domain::id::TemplateId;
use crate::domain::time::Timestamp;
use crate::ports::{FaceEngine, FaceError};
use crate::secret::{FaceTemplate, Frame};
use crate::wire::message::FacesOff;

/// What the person at the door is told. Never who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Recognised; the door was asked to open.
    Recognised(DoorOpens),
    /// Not recognised: use the card.
    Unknown,
    /// Nobody in the picture.
    NoFace,
    /// Several people in the picture: nobody is looked up.
    OnePersonOnly,
    /// Too many people for looking one up among all: the card first, then the face.
    CardFirst,
    /// Faces are off just now: use the card.
    FacesOff(FacesOff),
    /// The engine makes other templates than this gate holds.
    OtherEngine,
    /// The engine failed: use the card.
    Engine(FaceError),
}

/// For whom the gate's camera is on now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// For whoever comes before it.
    AtAll,
    /// For the holder of a card that was just shown; dark otherwise.
    AfterACard,
    /// For nobody: no face is held, or faces are off.
    No,
}

impl Gate {
    /// For whom the gate's camera is on now.
    pub fn looks(&mut self, clock: Timestamp) -> Looks {
        match self.faces_off(clock) {
            _ if self.faces.is_empty() => Looks::No,
            None => Looks::AtAll,
            Some(FacesOff::CardFirst) => Looks::AfterACard,
            Some(_) => Looks::No,
        }
    }

    /// Whether the holder of this card has a face here that is compared before the card opens by itself.
    pub fn asks_for_face(&mut self, card: &CardUid, clock: Timestamp) -> bool {
        self.looks(clock) == Looks::AfterACard && matches!(self.held_for_card(card, clock), Ok(Some(_)))
    }

    /// Looks a template up among all that may be matched now and opens the door for a match. The act is used up.
    pub fn open_for_face(&mut self, template: &FaceTemplate, act: AtTheDoor, clock: Timestamp) -> Answer {
        match self.faces_off(clock) {
            Some(FacesOff::CardFirst) => return Answer::CardFirst,
            Some(reason) => return Answer::FacesOff(reason),
            None => {}
        }
        let today = self.today(clock);
        match self.recognise(template, today) {
            (Some(_), true) => self.released_for_face(act),
            _ => Answer::Unknown,
        }
    }

    /// Whether a template is of the person whose card this is. Opens nothing.
    pub fn is_face_of(&mut self, template: &FaceTemplate, card: &CardUid, clock: Timestamp) -> bool {
        let held = match self.faces_off_for_one(clock) {
            None => self.held_for_card(card, clock).ok().flatten(),
            Some(_) => None,
        };
        let today = self.today(clock);
        held.is_some_and(|held| matches!(self.verify(template, held, today), (Some(_), true)))
    }

    /// Opens the door for a face that was recognised a moment ago. The act is used up.
    pub(super) fn released_for_face(&mut self, act: AtTheDoor) -> Answer {
        drop(act);
        Answer::Recognised(self.release(Way::Face))
    }

    /// Recognises the one person in a frame and opens the door for a match. The frame is wiped on every path; the act
    /// is used up.
    pub fn recognise_frame(
        &mut self,
        engine: &mut dyn FaceEngine,
        frame: Frame,
        act: AtTheDoor,
        clock: Timestamp,
    ) -> Answer {
        match self.faces_off(clock) {
            Some(FacesOff::CardFirst) => Answer::CardFirst,
            Some(reason) => Answer::FacesOff(reason),
            None => self.compare_frame(engine, frame, act, None, clock),
        }
    }

    /// Compares the one person in a frame with the template that a card stands for, and with no other. The card alone opens the door too.
    pub fn recognise_card_holder(
        &mut self,
        engine: &mut dyn FaceEngine,
        frame: Frame,
        act: AtTheDoor,
        card: &CardUid,
        clock: Timestamp,
    ) -> Answer {
        if let Some(reason) = self.faces_off_for_one(clock) {
            return Answer::FacesOff(reason);
        }
        match self.held_for_card(card, clock) {
            Ok(Some(template)) => self.compare_frame(engine, frame, act, Some(template), clock),
            Ok(None) => Answer::Unknown,
            Err(error) => {
                tracing::trace!(%error, "a card could not be looked up");
                Answer::Unknown
            }
        }
    }

    fn compare_frame(
        &mut self,
        engine: &mut dyn FaceEngine,
        frame: Frame,
        act: AtTheDoor,
        one: Option<TemplateId>,
        clock: Timestamp,
    ) -> Answer {
        if engine.engine() != *self.engine() {
            return Answer::OtherEngine;
        }
        let warrant = Warrant::Door(&act);
        let look = match engine.locate(warrant, &frame) {
            Ok(look) => look,
            Err(error) => return Answer::Engine(error),
        };
        let face = match look.faces.as_slice() {
            [] => return Answer::NoFace,
            [face] => *face,
            _ => return Answer::OnePersonOnly,
        };
        let template = match engine.extract(warrant, frame, &face) {
            Ok(template) => template,
            Err(FaceError::NotAlone) => return Answer::OnePersonOnly,
            Err(error) => return Answer::Engine(error),
        };
        let today = self.today(clock);
        let found = match one {
            Some(one) => self.verify(&template, one, today),
            None => self.recognise(&template, today),
        };
        match found {
            (Some(_), true) => Answer::Recognised(self.release(Way::Face)),
            _ => Answer::Unknown,
        }
    }
}
