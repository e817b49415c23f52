//! The desk watches the machine it runs on: at unlock, every half minute, and before the camera opens. On a real site a bad finding turns
//! face entry off and ends what is under way; cards go on. Rules: K2-12 to K2-14, L1, F14.

use std::path::PathBuf;

use super::desk::Desk;
use super::doctor::Doctor;
use super::enroll::Flow;
use super::event::{Failure, StaffEvent};
use crate::domain::Realm;
use crate::domain::permit::{Condition, Conditions};
use crate::domain::posture::{self, Before, CameraSeen, Grade, MACHINE, PostureReport, What};
use crate::domain::time::Timestamp;

/// What staff may ask about the machine. Sees no person: also for the technician.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostureCommand {
    /// Looks again, now.
    Check,
    /// Asks everything of the station how it is.
    Examine,
    /// This camera, which the last look named as unknown, is the desk's own. Stands for good.
    AcceptCamera(CameraSeen),
    /// Writes the last examination: JSON where the name ends so, else the words of the page.
    Save {
        /// Chosen in the file dialog.
        path: PathBuf,
        /// The page in words.
        text: String,
    },
}

/// What the desk tells about the machine.
#[derive(Clone, Debug, PartialEq)]
pub enum PostureEvent {
    /// How the machine is, whenever that changed.
    Report(PostureReport),
    /// The examination that was asked for.
    Examined(Box<Doctor>),
    /// It was written there.
    Saved(String),
}

/// Pause between two looks at the machine, in milliseconds.
pub const CHECK_EVERY_MS: i64 = 30_000;

/// What the desk knows of its machine.
#[derive(Default)]
pub(super) struct Watch {
    /// The last look; `None` before the first.
    pub report: Option<PostureReport>,
    looked_at: Timestamp,
    booted_at: Option<Timestamp>,
    pub examined: Option<Doctor>,
}

/// Puts what is known of the machine into the conditions of the permit.
pub(super) fn note(conditions: &mut Conditions, realm: Realm, report: Option<&PostureReport>) {
    for blocker in MACHINE {
        let state = match realm {
            Realm::Practice => Condition::Practice,
            Realm::Real => report.map_or(Condition::NotYetChecked, |r| r.condition(blocker)),
        };
        conditions.set(blocker, state);
    }
}

impl Desk {
    /// Work begins: what was seen in an earlier session is forgotten, but for the cameras that the vault knows.
    pub(super) fn begin_watch(&mut self, now: Timestamp) {
        self.watch = Watch::default();
        self.look_at_machine(now);
    }

    /// The last report, told again to a window that was shut.
    pub(super) fn say_machine(&mut self) {
        if let Some(report) = self.watch.report.clone() {
            self.say(StaffEvent::Posture(PostureEvent::Report(report)));
        }
    }

    /// One tick of the watch.
    pub(super) fn watch_machine(&mut self, now: Timestamp) {
        if self.open.is_some() && self.is_past(self.watch.looked_at, CHECK_EVERY_MS) {
            self.look_at_machine(now);
            self.stop_on_bad_machine(now);
        }
    }

    /// Looks, judges, and tells and logs what changed.
    pub(super) fn look_at_machine(&mut self, now: Timestamp) {
        self.watch.looked_at = self.moment;
        let facts = self.devices.posture.check();
        let Some(open) = self.open.as_mut() else { return };
        if let Some(cameras) = facts.cameras.value()
            && let Err(error) = open.vault.note_serials(cameras)
        {
            tracing::warn!(%error, "serial numbers of cameras could not be noted");
        }
        // A list that cannot be read knows nobody: then every camera is said to be new.
        let known = open.vault.known_cameras().unwrap_or_else(|error| {
            tracing::warn!(%error, "the known cameras could not be read");
            Some(vec![])
        });
        if known.is_none()
            && let Some(cameras) = facts.cameras.value()
            && let Err(error) = open.vault.note_first_cameras(cameras, now)
        {
            tracing::warn!(%error, "the first cameras could not be noted");
        }
        let before = Before {
            now,
            latest_record: open.vault.latest_record_at().ok().flatten(),
            booted_at: self.watch.booted_at,
            cameras: known,
        };
        let report = posture::judge(&facts, &before);
        self.watch.booted_at = self.watch.booted_at.or_else(|| posture::booted_at(&facts, now));
        if self.watch.report.as_ref() == Some(&report) {
            return;
        }
        let news = news(self.watch.report.as_ref(), &report);
        if !news.is_empty()
            && let Err(error) = open.vault.record_machine_found(&news, now)
        {
            tracing::warn!(%error, "findings about the machine could not be logged");
        }
        open.mark_stale();
        self.watch.report = Some(report.clone());
        self.say(StaffEvent::Posture(PostureEvent::Report(report)));
    }

    /// Ends what is under way towards a face when the machine is no longer fit for it.
    fn stop_on_bad_machine(&mut self, now: Timestamp) {
        let fit = self.watch.report.as_ref().is_some_and(PostureReport::lets_faces);
        if fit || self.config.realm == Realm::Practice {
            return;
        }
        let failure = Some(Failure::FaceNotOffered);
        match self.open.as_ref().map(|o| &o.flow) {
            Some(
                Flow::TapCard { withdraw: false }
                | Flow::Noticed(_)
                | Flow::Deciding(..)
                | Flow::Resting(_)
                | Flow::Capturing(_)
                | Flow::Sending(_),
            ) => self.stop_visit(failure, now),
            // The gate holds the face already, under a consent in force: only the camera goes dark.
            Some(Flow::Trying(trying)) if trying.looking => {
                if let Flow::Trying(trying) = self.flow() {
                    self.try_later(trying, failure, now);
                }
            }
            _ => {}
        }
    }

    /// Accepts a camera that the last look named; another one, or one that is gone, is not accepted unseen.
    fn accept_camera(&mut self, camera: &CameraSeen, now: Timestamp) {
        self.look_at_machine(now);
        if self.watch.report.as_ref().is_some_and(|report| report.strangers.contains(camera)) {
            self.vault(|v| v.accept_camera(camera, now));
            self.look_at_machine(now);
        }
        self.say_machine();
    }

    pub(super) fn handle_posture(&mut self, command: PostureCommand, now: Timestamp) {
        if self.open.is_none() {
            return;
        }
        match command {
            PostureCommand::Check => {
                self.look_at_machine(now);
                self.stop_on_bad_machine(now);
                if let Some(report) = self.watch.report.clone() {
                    self.say(StaffEvent::Posture(PostureEvent::Report(report)));
                }
            }
            PostureCommand::Examine => {
                self.look_at_machine(now);
                self.stop_on_bad_machine(now);
                self.examine(now);
            }
            PostureCommand::AcceptCamera(camera) => self.accept_camera(&camera, now),
            PostureCommand::Save { path, text } => match self.save_examination(&path, &text) {
                Ok(()) => self.say(StaffEvent::Posture(PostureEvent::Saved(path.display().to_string()))),
                Err(why) => self.fail(Failure::PaperNotWritten(why)),
            },
        }
    }
}

/// Findings for the log: whatever keeps face entry off and was not there before, and whatever is well again.
fn news(before: Option<&PostureReport>, after: &PostureReport) -> Vec<What> {
    let was = |what: What| before.is_some_and(|b| b.findings.iter().any(|f| f.what == what));
    let was_bad = |what: What| before.is_some_and(|b| b.grade(what.check()) >= Grade::Unknown);
    let all = after.findings.iter().map(|f| f.what);
    let mut news: Vec<What> = all.filter(|w| !was(*w) && (w.grade() >= Grade::Unknown || was_bad(*w))).collect();
    news.dedup();
    news
}
