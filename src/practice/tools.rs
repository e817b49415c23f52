//! What the practice tools window and tests can do to the practice devices.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use crate::app::command::PracticeAct;

/// Who is before the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seated {
    /// An empty chair.
    Nobody,
    /// The person with this number.
    One(usize),
    /// That person and the next.
    Two(usize),
    /// That person in the dark.
    Dark(usize),
}

/// What the practice devices are like now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PracticeState {
    /// Who is before the camera.
    pub seated: Seated,
    /// Whether the camera is plugged in.
    pub camera_plugged: bool,
    /// Whether the camera is silent.
    pub camera_stalled: bool,
    /// Whether the reader is plugged in.
    pub reader_plugged: bool,
    /// The card on the reader.
    pub card: Option<usize>,
}

/// A handle on the practice devices. Clones move the same devices.
#[derive(Clone, Debug)]
pub struct Controls(Arc<Mutex<Devices>>);

impl Controls {
    /// How long a tapped card lies on the reader.
    pub const TAP: Duration = Duration::from_millis(1_500);

    /// Both devices plugged in, the first person seated, no card on the reader.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Devices {
            seat: 0,
            company: Company::Alone,
            camera_plugs: 1,
            camera_plugged: true,
            camera_stalled: false,
            reader_plugged: true,
            card: None,
            card_pulled: false,
        })))
    }

    /// Does one act.
    pub fn act(&self, act: PracticeAct) {
        let mut devices = self.lock();
        match act {
            PracticeAct::TapCard(number) => devices.card = Some((number, Some(Instant::now()))),
            PracticeAct::TakeCardAway => devices.card = None,
            PracticeAct::Seat(number) => (devices.seat, devices.company) = (number, Company::Alone),
            PracticeAct::Nobody => devices.company = Company::Empty,
            PracticeAct::TwoPeople => devices.company = Company::Two,
            PracticeAct::Dark => devices.company = Company::Dark,
            PracticeAct::UnplugCamera => devices.camera_plugged = false,
            PracticeAct::PlugCamera => {
                if !devices.camera_plugged {
                    devices.camera_plugs += 1;
                }
                (devices.camera_plugged, devices.camera_stalled) = (true, false);
            }
            PracticeAct::StallCamera => devices.camera_stalled = true,
            PracticeAct::UnplugReader => devices.reader_plugged = false,
            PracticeAct::PlugReader => devices.reader_plugged = true,
            PracticeAct::PullCard => (devices.card, devices.card_pulled) = (None, true),
        }
    }

    /// Lays the card with this number on the reader until it is taken away.
    pub fn lay_card(&self, number: usize) {
        self.lock().card = Some((number, None));
    }

    /// What the devices are like now, for the tools window.
    pub fn state(&self) -> PracticeState {
        let mut devices = self.lock();
        PracticeState {
            seated: devices.seated(),
            camera_plugged: devices.camera_plugged,
            camera_stalled: devices.camera_stalled,
            reader_plugged: devices.reader_plugged,
            card: devices.card_now(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Devices> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Controls {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
pub(super) struct Devices {
    seat: usize,
    company: Company,
    /// Counts pluggings: a camera that was opened before the last one is lost.
    pub(super) camera_plugs: u64,
    pub(super) camera_plugged: bool,
    pub(super) camera_stalled: bool,
    pub(super) reader_plugged: bool,
    /// Which card, and when it was tapped; without a time it stays.
    card: Option<(usize, Option<Instant>)>,
    card_pulled: bool,
}

impl Devices {
    pub(super) fn seated(&self) -> Seated {
        match self.company {
            Company::Empty => Seated::Nobody,
            Company::Alone => Seated::One(self.seat),
            Company::Two => Seated::Two(self.seat),
            Company::Dark => Seated::Dark(self.seat),
        }
    }

    /// The card on the reader; a tap that is over is forgotten.
    pub(super) fn card_now(&mut self) -> Option<usize> {
        if let Some((_, Some(since))) = self.card
            && since.elapsed() >= Controls::TAP
        {
            self.card = None;
        }
        self.card.map(|(number, _)| number)
    }

    /// Whether a card was pulled since this was last asked.
    pub(super) fn take_pull(&mut self) -> bool {
        std::mem::take(&mut self.card_pulled)
    }
}

#[derive(Clone, Copy, Debug)]
enum Company {
    Empty,
    Alone,
    Two,
    Dark,
}
