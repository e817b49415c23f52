//! The gate's own camera: one frame, looked at after one deliberate act, wiped, answered.
//!
//! Deliberately absent: a loop that looks at whoever walks past.

use super::daemon::Gate;
use super::door::DoorOpens;
use super::store::Way;
use crate::domain::consent::{AtTheDoor, Warrant};
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
        if let Some(reason) = self.faces_off(clock) {
            return Answer::FacesOff(reason);
        }
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
        match self.recognise(&template, today) {
            (Some(_), true) => Answer::Recognised(self.release(Way::Face)),
            _ => Answer::Unknown,
        }
    }
}
