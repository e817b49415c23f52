//! The gate's own camera, looked at while faces may be matched: somebody who stands before it is looked up and the door opens; a stranger
//! leaves nothing. Rhythm: [`super::approach`].
//!
//! The picture goes to the engine's child process and is wiped; the template is compared in memory and wiped. Nothing of either is written.
//! The gate itself is held only for the comparison: cards and the station never wait for a camera or an engine.

use std::time::{Duration, Instant};

use super::approach::{self, Approach};
use super::door::{Act, DoorOpens};
use super::reader::Held;
use super::server::Within;
use super::watch::{Answer, Looks};
use crate::domain::consent::{DoorWatch, Warrant};
use crate::ports::{CameraError, DoorCamera, FaceEngine, FaceError};
use crate::secret::Frame;

/// Between two looks while nobody is there.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Between two looks while somebody is there. What the camera took in between is never looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(60);

/// Between two tries to turn on a camera that is away, or to start an engine that does not.
const RETRY: Duration = Duration::from_secs(2);

/// Longest sleep in one piece, so that a stop is noticed.
const NAP: Duration = Duration::from_millis(100);

/// What a gate looks with.
pub struct Eye {
    /// Its camera.
    pub camera: Box<dyn DoorCamera>,
    /// Its engine, in a child process.
    pub engine: Box<dyn FaceEngine>,
    /// Smallest face that counts as near, as a share of the picture's width.
    pub near: f32,
}

/// Looks until the gate stops.
pub fn run(eye: Eye, gate: &Within, held: &Held) {
    let watch = gate.with_gate(|gate, _| gate.watches());
    let mut looking = Looking {
        eye,
        gate,
        held,
        watch,
        approach: Approach::default(),
        began: Instant::now(),
        is_on: false,
        camera_trouble: None,
        engine_trouble: None,
    };
    held.set_able(true);
    while !gate.is_stopping() {
        let wait = looking.round();
        let until = Instant::now() + wait;
        while Instant::now() < until && !gate.is_stopping() {
            std::thread::sleep(NAP.min(until.saturating_duration_since(Instant::now())));
        }
    }
    held.set_able(false);
    looking.dark();
}

struct Looking<'a> {
    eye: Eye,
    gate: &'a Within,
    held: &'a Held,
    watch: DoorWatch,
    approach: Approach,
    began: Instant,
    is_on: bool,
    /// What was said of the camera and the engine last.
    camera_trouble: Option<CameraError>,
    engine_trouble: Option<FaceError>,
}

impl Looking<'_> {
    /// One round; how long to wait before the next.
    fn round(&mut self) -> Duration {
        let is_wanted = match self.gate.with_gate(|gate, now| gate.looks(now)) {
            Looks::AtAll => true,
            Looks::AfterACard => self.held.card().is_some(),
            Looks::No => false,
        };
        if !is_wanted {
            self.dark();
            // Nothing is known of a camera that is dark, so the next card may try it.
            self.held.set_able(true);
            return NAP;
        }
        if !self.is_on {
            match self.eye.camera.start(&self.watch) {
                Ok(()) => self.is_on = true,
                Err(error) => return self.lost(error),
            }
        }
        match self.eye.camera.next_frame() {
            Err(error) => self.lost(error),
            Ok(None) => Duration::from_millis(20),
            Ok(Some(frame)) => {
                if self.camera_trouble.take().is_some() {
                    tracing::info!("the camera is back");
                }
                self.held.set_able(self.engine_trouble.is_none());
                self.look(frame)
            }
        }
    }

    fn look(&mut self, frame: Frame) -> Duration {
        let look = match self.eye.engine.locate(Warrant::Watch(&self.watch), &frame) {
            Ok(look) => look,
            Err(error) => return self.engine_failed(error),
        };
        if self.engine_trouble.take().is_some() {
            tracing::info!("the face engine is back");
            self.held.set_able(true);
        }
        let at = self.began.elapsed();
        let face = approach::near(&look, self.eye.near);
        let stands = self.approach.step(face, at);
        let card = self.held.card();
        // A card is an act of its own: its holder need not stand still first.
        let (face, act) = match (&card, face, stands) {
            (Some(_), Some(face), _) => (face, Act::CardShown),
            (None, _, Some(face)) => (face, Act::StoodBefore),
            _ => return if self.approach.is_somebody_there() { LOOK_AGAIN } else { LOOK_EVERY },
        };
        let act = self.gate.with_gate(|gate, _| gate.acted(act));
        let template = match self.eye.engine.extract(Warrant::Door(&act), frame, &face) {
            Ok(template) => template,
            Err(FaceError::NotAlone | FaceError::Unsound) => {
                self.approach.tried(false, self.began.elapsed());
                return LOOK_AGAIN;
            }
            Err(error) => return self.engine_failed(error),
        };
        let held = self.held;
        let answer = self.gate.with_gate(|gate, now| match &card {
            None => gate.open_for_face(&template, act, now),
            // Only one of reader and camera opens for a card that waited.
            Some(card) if gate.is_face_of(&template, card, now) && held.take(card) => gate.released_for_face(act),
            Some(_) => Answer::Unknown,
        });
        drop(template);
        let opened = matches!(answer, Answer::Recognised(DoorOpens::Yes));
        tracing::trace!(opened, "somebody was looked up");
        self.approach.tried(opened, self.began.elapsed());
        LOOK_AGAIN
    }

    /// The camera is away: said once, tried again later. A card that waits for a face waits no more.
    fn lost(&mut self, error: CameraError) -> Duration {
        self.held.set_able(false);
        self.dark();
        if self.camera_trouble.as_ref() != Some(&error) {
            tracing::warn!(%error, "the door is not looked at; cards go on");
            self.camera_trouble = Some(error);
        }
        RETRY
    }

    fn engine_failed(&mut self, error: FaceError) -> Duration {
        if error == FaceError::Restarted {
            tracing::warn!("the face engine was restarted");
            return LOOK_EVERY;
        }
        self.held.set_able(false);
        if self.engine_trouble.as_ref() != Some(&error) {
            tracing::error!(%error, "no face is looked up; cards go on");
            self.engine_trouble = Some(error);
        }
        RETRY
    }

    /// Camera off; the process that saw faces ends.
    fn dark(&mut self) {
        if std::mem::take(&mut self.is_on) {
            self.eye.camera.stop();
        }
        self.eye.engine.rest();
        self.approach = Approach::default();
    }
}
