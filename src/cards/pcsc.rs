//! Card readers of the smart card service (PC/SC), watched on a thread of their own.
//!
//! The thread may hang in the service; [`PcscReader::present`] only looks at what the thread found last.

use std::ffi::{CStr, CString};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pcsc::{Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};

use super::apdu::{ANSWER_BYTES_MAX, AnswerError, GET_UID, uid_of};
use crate::domain::card::CardUid;
use crate::ports::{CardReader, ReaderError};

/// All readers of this machine, as one.
pub struct PcscReader {
    shared: Arc<Shared>,
}

impl PcscReader {
    /// Starts to watch. Needs neither a reader nor the service to be there yet.
    pub fn new() -> Self {
        let shared = Arc::new(Shared::new());
        let inside = shared.clone();
        if let Err(error) = std::thread::Builder::new().name("card reader".into()).spawn(move || watch(&inside)) {
            tracing::error!(%error, "the card reader's thread cannot be started");
            shared.publish(Err(ReaderError::ServiceDown));
        }
        Self { shared }
    }
}

impl Default for PcscReader {
    fn default() -> Self {
        Self::new()
    }
}

impl CardReader for PcscReader {
    fn present(&mut self) -> Result<Option<CardUid>, ReaderError> {
        self.shared.present()
    }
}

impl Drop for PcscReader {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
    }
}

type Found = Result<Option<CardUid>, ReaderError>;

/// What the thread found, and whether it should stop.
struct Shared {
    state: Mutex<Seen>,
    changed: Condvar,
}

struct Seen {
    found: Found,
    /// A tap, a pull or a complaint that was over before anybody asked, with its time. Told once.
    missed: Option<(Instant, Found)>,
    /// Whether what is in `found` was told at least once.
    is_told: bool,
    heard: Instant,
    stop: bool,
}

impl Shared {
    fn new() -> Self {
        let seen = Seen { found: Ok(None), missed: None, is_told: true, heard: Instant::now(), stop: false };
        Self { state: Mutex::new(seen), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn present(&self) -> Found {
        let mut seen = self.lock();
        if seen.heard.elapsed() > SILENCE_MAX {
            return Err(ReaderError::ServiceDown);
        }
        match seen.missed.take() {
            Some((at, missed)) if at.elapsed() < MISSED_MAX => missed,
            _ => {
                seen.is_told = true;
                seen.found.clone()
            }
        }
    }

    /// The thread's newest finding. A card that nobody has asked about yet stays tellable for a moment after it is gone.
    fn publish(&self, found: Found) {
        let mut seen = self.lock();
        seen.heard = Instant::now();
        if seen.found == found {
            return;
        }
        let before = std::mem::replace(&mut seen.found, found);
        if !seen.is_told && matches!(before, Ok(Some(_)) | Err(ReaderError::Unreadable)) {
            seen.missed = Some((Instant::now(), before));
        }
        seen.is_told = false;
    }

    fn publish_pull(&self) {
        self.lock().missed = Some((Instant::now(), Err(ReaderError::CardPulled)));
    }

    /// Waits, and says whether to go on.
    fn pause(&self, time: Duration) -> bool {
        let on = |seen: &mut Seen| !seen.stop;
        let (seen, _) = self.changed.wait_timeout_while(self.lock(), time, on).unwrap_or_else(PoisonError::into_inner);
        !seen.stop
    }
}

/// The thread: connects to the service again and again, as it comes and goes.
fn watch(shared: &Shared) {
    loop {
        match Context::establish(Scope::User) {
            Ok(context) => {
                if let Err(error) = serve(&context, shared) {
                    tracing::info!(%error, "the smart card service went away");
                }
            }
            Err(error) => tracing::debug!(%error, "no smart card service"),
        }
        if shared.lock().stop {
            return;
        }
        shared.publish(Err(ReaderError::ServiceDown));
        if !shared.pause(RETRY) {
            return;
        }
    }
}

/// Watches all readers until told to stop (`Ok`) or until the service is lost.
fn serve(context: &Context, shared: &Shared) -> Result<(), Error> {
    let mut states: Vec<ReaderState> = vec![];
    let mut lying: Vec<Lying> = vec![];
    loop {
        if !shared.pause(Duration::ZERO) {
            return Ok(());
        }
        let names = match context.list_readers_owned() {
            Ok(names) => names,
            Err(Error::NoReadersAvailable) => vec![],
            Err(error) => return Err(error),
        };
        follow(&names, &mut states, &mut lying);
        if states.is_empty() {
            shared.publish(Err(ReaderError::None));
            if !shared.pause(NO_READER_PAUSE) {
                return Ok(());
            }
            continue;
        }
        let has_changed = match context.get_status_change(WAIT, &mut states) {
            Ok(()) => true,
            Err(Error::Timeout) => false,
            // A reader was pulled between the two calls: list again.
            Err(Error::UnknownReader | Error::ReaderUnavailable) => {
                states.clear();
                lying.clear();
                continue;
            }
            Err(error) => return Err(error),
        };
        for (state, card) in states.iter_mut().zip(&mut lying) {
            // After a timeout only what was known before is sure (Windows leaves the event untouched).
            if has_changed {
                card.count = Some(state.event_count());
                card.state = state.event_state();
                state.sync_current_state();
            }
            card.update(context, state.name(), shared)?;
        }
        shared.publish(summary(&lying));
    }
}

/// Forgets readers that are gone and starts to watch new ones.
fn follow(names: &[CString], states: &mut Vec<ReaderState>, lying: &mut Vec<Lying>) {
    let wanted: Vec<&CString> = names.iter().filter(|name| takes_cards(name)).collect();
    let same = wanted.len() == states.len() && wanted.iter().zip(states.iter()).all(|(a, b)| a.as_c_str() == b.name());
    if !same {
        *states = wanted.into_iter().map(|name| ReaderState::new(name.clone(), State::UNAWARE)).collect();
        *lying = states.iter().map(|_| Lying::nothing()).collect();
    }
}

/// Combined readers have a second slot for their own security chip, which always holds a "card".
fn takes_cards(name: &CStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    !name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "SAM")
}

/// What lies on one reader.
struct Lying {
    state: State,
    /// The service's count of comings and goings, now and at the last reading.
    count: Option<u32>,
    read_count: Option<u32>,
    answer: Option<Result<CardUid, ReaderError>>,
    read_at: Option<Instant>,
}

impl Lying {
    fn nothing() -> Self {
        Self { state: State::UNAWARE, count: None, read_count: None, answer: None, read_at: None }
    }

    /// Reads a card that came, or one that could not be read a moment ago; forgets one that went. Fails only when the service is lost.
    fn update(&mut self, context: &Context, reader: &CStr, shared: &Shared) -> Result<(), Error> {
        if !self.state.contains(State::PRESENT) {
            (self.answer, self.read_at, self.read_count) = (None, None, None);
            return Ok(());
        }
        let is_new = self.read_count.is_none() || self.read_count != self.count;
        let is_due = !matches!(self.answer, Some(Ok(_))) && self.read_at.is_none_or(|at| at.elapsed() > REREAD);
        if !is_new && !is_due {
            return Ok(());
        }
        self.read_count = self.count;
        self.read_at = Some(Instant::now());
        self.answer = if self.state.contains(State::MUTE) {
            Some(Err(ReaderError::Unreadable))
        } else {
            match read(context, reader) {
                // Some drivers answer with nothing at all when the card leaves in the middle.
                Ok(Err(AnswerError::Short)) => {
                    shared.publish_pull();
                    None
                }
                Ok(answer) => Some(answer.map_err(|why| {
                    tracing::info!(%why, "a card without a usable number");
                    ReaderError::Unreadable
                })),
                Err(Error::NoService | Error::ServiceStopped | Error::InvalidHandle | Error::Shutdown) => {
                    return Err(Error::NoService);
                }
                Err(error) if is_pull(error) => {
                    shared.publish_pull();
                    None
                }
                Err(error) => {
                    tracing::info!(%error, "a card could not be read");
                    Some(Err(ReaderError::Unreadable))
                }
            }
        };
        Ok(())
    }
}

/// Asks one card for its number.
fn read(context: &Context, reader: &CStr) -> Result<Result<CardUid, AnswerError>, Error> {
    let card = context.connect(reader, ShareMode::Shared, Protocols::ANY)?;
    let mut room = [0u8; ANSWER_BYTES_MAX];
    let answer = card.transmit(&GET_UID, &mut room).map(uid_of);
    // Left as it is: another program may be talking to the same card. The crate's drop would reset it.
    if let Err((card, error)) = card.disconnect(Disposition::LeaveCard) {
        tracing::debug!(%error, "the card was not let go cleanly");
        drop(card);
    }
    answer
}

/// Whether an error only says that the card left while it was read.
fn is_pull(error: Error) -> bool {
    matches!(
        error,
        Error::RemovedCard | Error::NoSmartcard | Error::UnpoweredCard | Error::ResetCard | Error::NotTransacted
    )
}

/// One answer for all readers: a number before a complaint, a complaint before nothing.
fn summary(lying: &[Lying]) -> Found {
    let answers = || lying.iter().filter_map(|card| card.answer.as_ref());
    match answers().find_map(|answer| answer.as_ref().ok()) {
        Some(uid) => Ok(Some(uid.clone())),
        None => answers().next().map_or(Ok(None), |answer| answer.clone().map(Some)),
    }
}

/// How long one wait for a change lasts.
const WAIT: Duration = Duration::from_millis(150);

/// How long to wait before looking for readers again when there is none.
const NO_READER_PAUSE: Duration = Duration::from_millis(300);

/// How long to wait before asking for the service again.
const RETRY: Duration = Duration::from_millis(400);

/// How long an unreadable card is left alone before it is tried again.
const REREAD: Duration = Duration::from_millis(600);

/// How long a tap that nobody asked about stays tellable.
const MISSED_MAX: Duration = Duration::from_millis(1_500);

/// After this silence of the thread the service counts as hung.
const SILENCE_MAX: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(last: u8) -> CardUid {
        CardUid::from_bytes(&[4, 1, 2, last]).unwrap()
    }

    fn on_reader(answer: Option<Result<CardUid, ReaderError>>) -> Lying {
        Lying { answer, ..Lying::nothing() }
    }

    #[test]
    fn the_same_card_is_presented_as_long_as_it_lies_there() {
        let shared = Shared::new();
        shared.publish(Ok(Some(uid(1))));
        for _ in 0..3 {
            assert_eq!(shared.present(), Ok(Some(uid(1))));
            shared.publish(Ok(Some(uid(1))));
        }
        shared.publish(Ok(None));
        assert_eq!(shared.present(), Ok(None));
    }

    #[test]
    fn a_quick_tap_between_two_questions_is_told_once() {
        let shared = Shared::new();
        shared.publish(Ok(Some(uid(1))));
        shared.publish(Ok(None));
        assert_eq!(shared.present(), Ok(Some(uid(1))));
        assert_eq!(shared.present(), Ok(None));
        shared.lock().missed = Instant::now().checked_sub(MISSED_MAX).map(|at| (at, Ok(Some(uid(1)))));
        assert_eq!(shared.present(), Ok(None), "but not when it was long ago");
    }

    #[test]
    fn a_pulled_card_is_told_once_and_then_the_reader_is_empty() {
        let shared = Shared::new();
        shared.publish_pull();
        shared.publish(Ok(None));
        assert_eq!(shared.present(), Err(ReaderError::CardPulled));
        assert_eq!(shared.present(), Ok(None));
    }

    #[test]
    fn a_hung_service_is_a_service_that_is_down() {
        let shared = Shared::new();
        shared.publish(Ok(Some(uid(1))));
        if let Some(long_ago) = Instant::now().checked_sub(SILENCE_MAX * 2) {
            shared.lock().heard = long_ago;
            assert_eq!(shared.present(), Err(ReaderError::ServiceDown), "never a card that may be gone");
        }
    }

    #[test]
    fn with_several_readers_a_number_wins_over_a_complaint() {
        let bad = || on_reader(Some(Err(ReaderError::Unreadable)));
        assert_eq!(summary(&[on_reader(None), bad(), on_reader(Some(Ok(uid(7))))]), Ok(Some(uid(7))));
        assert_eq!(summary(&[on_reader(None), bad()]), Err(ReaderError::Unreadable));
        assert_eq!(summary(&[on_reader(None), on_reader(None)]), Ok(None));
    }

    #[test]
    fn security_chips_inside_readers_are_not_cards_on_readers() {
        assert!(takes_cards(c"ACS ACR1252 1S CL Reader PICC 0"));
        assert!(!takes_cards(c"ACS ACR1252 1S CL Reader SAM 0"));
        assert!(takes_cards(c"SAMSUNG Contactless 00"));
    }
}
