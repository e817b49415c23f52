//! The gate's own camera: one frame, looked at after one deliberate act, wiped, answered.
//!
//! Deliberately absent: a loop that looks at whoever walks past.

use super::daemon::Gate;
use super::door::DoorOpens;
use super::store::Way;
use crate::domain::card::CardUid;
use crate::domain::consent::{AtTheDoor, Warrant};
use crate::domain::id::TemplateId;
use crate::domain::time::Timestamp;
use crate::ports::{FaceEngine, FaceError};
use crate::secret::Frame;
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

impl Gate {
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
                tracing::error!(%error, "a card could not be looked up");
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
