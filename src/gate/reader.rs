//! The gate's own card reader: a reader of the smart card service, or one that types its numbers on standard input. A card opens at once,
//! whatever the camera does; only where a card comes first and its holder has a face here is it held for [`FACE_WITHIN`], so that the face can
//! be compared with that card's template. It opens then all the same (rule J10a).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::server::Within;
use crate::domain::card::CardUid;
use crate::ports::{CardReader, ReaderError};

/// Between two looks at the reader.
const LOOK_EVERY: Duration = Duration::from_millis(33);

/// The same card again within this time of being seen last is the same tap: cards tremble at the edge of a reader's field, and wedge readers
/// repeat themselves.
pub const SAME_TAP: Duration = Duration::from_secs(2);

/// How long a card is held for its holder's face.
pub const FACE_WITHIN: Duration = Duration::from_secs(3);

/// Most typed cards that wait.
const TYPED_MAX: usize = 8;

/// Longest line that is read as a card.
const LINE_MAX: usize = 64;

/// A reader that types: each line is a card.
#[derive(Clone, Default)]
pub struct TypedCards(Arc<Mutex<VecDeque<CardUid>>>);

impl TypedCards {
    /// Takes one line in. `false` for what is no card, or when too many wait.
    pub fn line(&self, line: &str) -> bool {
        let card = Some(line).filter(|line| line.len() <= LINE_MAX).and_then(CardUid::from_wedge);
        let mut waiting = lock(&self.0);
        match card {
            Some(card) if waiting.len() < TYPED_MAX => {
                waiting.push_back(card);
                true
            }
            _ => false,
        }
    }
}

impl CardReader for TypedCards {
    fn present(&mut self) -> Result<Option<CardUid>, ReaderError> {
        Ok(lock(&self.0).pop_front())
    }
}

/// Which card lies there, and which one a moment ago.
#[derive(Default)]
struct Taps {
    last: Option<(CardUid, Duration)>,
}

impl Taps {
    /// The card, if it was tapped now. `at` is the time since the loop began.
    fn seen(&mut self, card: &CardUid, at: Duration) -> bool {
        let same = self.last.as_ref().is_some_and(|(last, seen)| last == card && at.saturating_sub(*seen) < SAME_TAP);
        self.last = Some((card.clone(), at));
        !same
    }
}

/// The card that waits for its holder's face. Whoever takes it out opens the door for it: reader or camera, never both.
#[derive(Clone, Default)]
pub struct Held(Arc<HeldCard>);

#[derive(Default)]
struct HeldCard {
    card: Mutex<Option<CardUid>>,
    /// The camera and its engine work, as far as is known.
    able: AtomicBool,
}

impl Held {
    /// The card that waits.
    pub(super) fn card(&self) -> Option<CardUid> {
        lock(&self.0.card).clone()
    }

    /// Takes the card out, if it still is this one.
    pub(super) fn take(&self, card: &CardUid) -> bool {
        lock(&self.0.card).take_if(|held| held == card).is_some()
    }

    /// Whether a card may wait for the camera.
    pub(super) fn set_able(&self, able: bool) {
        self.0.able.store(able, Ordering::SeqCst);
    }

    fn is_able(&self) -> bool {
        self.0.able.load(Ordering::SeqCst)
    }

    fn hold(&self, card: CardUid) {
        *lock(&self.0.card) = Some(card);
    }
}

/// Reads cards until the gate stops.
pub fn run(mut reader: Box<dyn CardReader>, gate: &Within, held: &Held) {
    let began = Instant::now();
    let (mut taps, mut due, mut trouble) = (Taps::default(), None::<(CardUid, Duration)>, None);
    while !gate.is_stopping() {
        let at = began.elapsed();
        let found = reader.present();
        tell(&mut trouble, found.as_ref().err());
        let tapped = found.ok().flatten().filter(|card| taps.seen(card, at));
        // Nobody came before the camera in time, or the next person is at the reader.
        if let Some((card, _)) = due.take_if(|(_, until)| tapped.is_some() || at >= *until || !held.is_able())
            && held.take(&card)
        {
            open(gate, &card);
        }
        match tapped {
            Some(card) if held.is_able() && gate.with_gate(|gate, now| gate.asks_for_face(&card, now)) => {
                held.hold(card.clone());
                due = Some((card, at + FACE_WITHIN));
            }
            Some(card) => open(gate, &card),
            None => {}
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn open(gate: &Within, card: &CardUid) {
    // The program log has a term of its own: who passed when is in the opening records alone, and they end.
    match gate.with_gate(|gate, now| gate.open_for_card(card, now)) {
        Ok(Some(opens)) => tracing::trace!(?opens, "a card opens"),
        Ok(None) => tracing::trace!("a card that does not open here"),
        Err(error) => tracing::trace!(%error, "a card could not be looked up"),
    }
}

/// Says a trouble once when it comes, and once when it is over. A card that was read badly is nobody's trouble but its holder's.
fn tell(told: &mut Option<ReaderError>, now: Option<&ReaderError>) {
    let now = now.filter(|error| matches!(error, ReaderError::None | ReaderError::ServiceDown));
    match now {
        Some(error) if told.as_ref() != Some(error) => {
            tracing::warn!(%error, "no cards are read");
            *told = Some(error.clone());
        }
        None if told.take().is_some() => tracing::info!("cards are read again"),
        _ => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn card(n: u8) -> CardUid {
        CardUid::from_bytes(&[4, 1, 2, n]).unwrap()
    }

    #[test]
    fn a_card_that_lies_or_trembles_is_one_tap() {
        let (mut taps, ms) = (Taps::default(), Duration::from_millis);
        assert!(taps.seen(&card(1), ms(0)));
        for at in (33..10_000).step_by(33) {
            assert!(!taps.seen(&card(1), ms(at)), "it lies there at {at}");
        }
        assert!(!taps.seen(&card(1), ms(11_500)), "gone for a moment");
        assert!(taps.seen(&card(1), ms(13_600)), "back after two seconds");
        assert!(taps.seen(&card(2), ms(13_633)), "another card is another tap at once");
    }

    #[test]
    fn typed_lines_are_cards_or_nothing_and_wait_in_bounded_number() {
        let mut typed = TypedCards::default();
        for wrong in ["", "hello", "12", &"ab".repeat(60), "0x04a1b2c3", "00000000"] {
            assert!(!typed.line(wrong), "{wrong}");
        }
        assert!(typed.line(" 04:a1:b2:c3\r"));
        assert_eq!(typed.present().unwrap(), CardUid::from_bytes(&[4, 0xa1, 0xb2, 0xc3]));
        assert_eq!(typed.present().unwrap(), None);
        let taken = (0..100).filter(|_| typed.line("04a1b2c3")).count();
        assert_eq!(taken, TYPED_MAX);
    }

    #[test]
    fn a_held_card_is_taken_once() {
        let held = Held::default();
        assert!(!held.is_able(), "no camera, no waiting");
        held.hold(card(1));
        assert!(!held.take(&card(2)));
        assert_eq!((held.take(&card(1)), held.take(&card(1))), (true, false));
    }
}
