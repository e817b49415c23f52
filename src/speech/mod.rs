//! The system's speech service, over its own protocol (SSIP of speech-dispatcher, on its Unix socket).
//!
//! A thread a reading holds one connection; the desk never waits for it. Own code because the protocol is a few lines of text, while the
//! kept clients bring an event loop. Deliberately absent: any network address, any file, any voice of our own; on systems other than Linux
//! there is no service yet, and that is said.

#[cfg(unix)]
mod ssip;

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use crate::domain::notice::Language;
use crate::ports::{Heard, Speech, SpeechError};

/// The speech service of the logged-in user.
#[derive(Debug, Default)]
pub struct SystemSpeech {
    running: Option<Running>,
}

/// A reading under way. Dropping `_stop` ends it.
#[derive(Debug)]
struct Running {
    _stop: Sender<()>,
    news: Receiver<Heard>,
}

impl SystemSpeech {
    /// Connects to nothing until something is to be read.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Speech for SystemSpeech {
    fn speak(&mut self, language: Language, sections: Vec<String>) {
        let (stop, stopped) = channel();
        let (tell, news) = channel();
        let failed = tell.clone();
        let work = move || {
            let end = match read(language, &sections, &stopped, &tell) {
                Ok(()) => Heard::Over,
                Err(error) => Heard::Failed(error),
            };
            // The window may have stopped listening.
            let _ = tell.send(end);
        };
        if std::thread::Builder::new().name("speech".into()).spawn(work).is_err() {
            let _ = failed.send(Heard::Failed(SpeechError::NoService));
        }
        self.running = Some(Running { _stop: stop, news });
    }

    fn hush(&mut self) {
        self.running = None;
    }

    fn heard(&mut self) -> Option<Heard> {
        let heard = match self.running.as_ref()?.news.try_recv() {
            Ok(heard) => heard,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Heard::Failed(SpeechError::Lost),
        };
        if !matches!(heard, Heard::Section(_)) {
            self.running = None;
        }
        Some(heard)
    }
}

#[cfg(unix)]
fn read(
    language: Language,
    sections: &[String],
    stopped: &Receiver<()>,
    tell: &Sender<Heard>,
) -> Result<(), SpeechError> {
    let mut service = ssip::Service::open(stopped)?;
    service.choose_voice(language)?;
    for (number, words) in sections.iter().enumerate() {
        if service.is_stopped() {
            break;
        }
        let _ = tell.send(Heard::Section(number));
        if !words.trim().is_empty() {
            service.say(words)?;
        }
    }
    service.leave();
    Ok(())
}

#[cfg(not(unix))]
fn read(
    _language: Language,
    _sections: &[String],
    _stopped: &Receiver<()>,
    _tell: &Sender<Heard>,
) -> Result<(), SpeechError> {
    Err(SpeechError::NoService)
}
