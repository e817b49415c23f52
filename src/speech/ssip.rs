//! One connection to speech-dispatcher. Source of the commands: the SSIP manual of speech-dispatcher 0.11.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use crate::domain::notice::Language;
use crate::ports::SpeechError;

/// Longest wait for one read; also how soon a stop is noticed.
const LISTEN: Duration = Duration::from_millis(40);
/// Longest wait for an answer to a command. Modules load at the first one.
const ANSWER_MAX: Duration = Duration::from_secs(8);
/// Longest wait for a service that was just started.
const START_MAX: Duration = Duration::from_secs(4);
/// Longest silence that a section of no letters may take, and what each letter adds: far slower than any voice.
const SILENCE_MAX: Duration = Duration::from_secs(20);
const LETTER_MAX: Duration = Duration::from_millis(800);
/// Longest line that is read, in bytes.
const LINE_MAX: usize = 64 * 1024;
/// A little slower than usual, -100 to 100: legal texts, and people of any age.
const RATE: i32 = -15;

/// A connection.
pub(super) struct Service<'a> {
    stream: UnixStream,
    buffer: Vec<u8>,
    events: VecDeque<u16>,
    stopped: &'a Receiver<()>,
}

/// A complete answer: its code, and what came before the last line.
struct Answer {
    code: u16,
    lines: Vec<String>,
}

impl<'a> Service<'a> {
    /// Connects, and starts the service of this user when it does not run.
    pub(super) fn open(stopped: &'a Receiver<()>) -> Result<Self, SpeechError> {
        let place = place().ok_or(SpeechError::NoService)?;
        let stream = match UnixStream::connect(&place) {
            Ok(stream) => stream,
            Err(_) => start_and_connect(&place)?,
        };
        let timed = stream.set_read_timeout(Some(LISTEN)).and_then(|()| stream.set_write_timeout(Some(ANSWER_MAX)));
        timed.map_err(|_| SpeechError::NoService)?;
        let mut service = Self { stream, buffer: vec![], events: VecDeque::new(), stopped };
        service.ask("SET self CLIENT_NAME resident:menka:reading")?;
        service.ask("SET self NOTIFICATION ALL on")?;
        service.ask(&format!("SET self RATE {RATE}"))?;
        Ok(service)
    }

    /// Whether the reading is to stop.
    pub(super) fn is_stopped(&self) -> bool {
        !matches!(self.stopped.try_recv(), Err(TryRecvError::Empty))
    }

    /// Looks for a voice of the language, with the usual module first.
    pub(super) fn choose_voice(&mut self, language: Language) -> Result<(), SpeechError> {
        if self.take_voice(language)? {
            return Ok(());
        }
        for module in self.ask("LIST OUTPUT_MODULES")?.lines {
            let known = self.ask(&format!("SET self OUTPUT_MODULE {}", module.trim()))?.code;
            if is_well(known) && self.take_voice(language)? {
                return Ok(());
            }
        }
        Err(SpeechError::NoVoice)
    }

    fn take_voice(&mut self, language: Language) -> Result<bool, SpeechError> {
        // Mandarin is `zh` in some modules and `cmn` in others; Cantonese (`yue`) would read it wrongly.
        let wanted: &[&str] = match language {
            Language::Chinese => &["zh", "cmn"],
            Language::English => &["en"],
        };
        let voices = self.ask("LIST SYNTHESIS_VOICES")?.lines;
        let found = voices.iter().find_map(|line| {
            let mut fields = line.split('\t');
            let (name, tag) = (fields.next()?, fields.next()?);
            let first = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
            wanted.contains(&first.as_str()).then(|| (name.to_owned(), tag.to_owned()))
        });
        let Some((name, tag)) = found else { return Ok(false) };
        let language = self.ask(&format!("SET self LANGUAGE {tag}"))?.code;
        let voice = self.ask(&format!("SET self SYNTHESIS_VOICE {name}"))?.code;
        Ok(is_well(language) && is_well(voice))
    }

    /// Reads one section to its end; returns early when it is stopped.
    pub(super) fn say(&mut self, words: &str) -> Result<(), SpeechError> {
        self.events.clear();
        if self.ask("SPEAK")?.code != 230 {
            return Err(SpeechError::Lost);
        }
        // A line of one dot would end the message.
        let body: String = words
            .lines()
            .map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") })
            .collect();
        if !is_well(self.ask(&format!("{body}."))?.code) {
            return Err(SpeechError::Lost);
        }
        let letters = u32::try_from(words.chars().count()).unwrap_or(u32::MAX);
        let limit = SILENCE_MAX + LETTER_MAX.saturating_mul(letters);
        let since = Instant::now();
        while since.elapsed() < limit {
            if self.is_stopped() {
                self.ask("CANCEL self")?;
                return Ok(());
            }
            match self.events.pop_front() {
                // End, or cancelled by another program.
                Some(702 | 703) => return Ok(()),
                Some(_) => {}
                None => {
                    if let Some(answer) = self.listen()? {
                        self.note(&answer);
                    }
                }
            }
        }
        Err(SpeechError::Lost)
    }

    /// Says goodbye.
    pub(super) fn leave(&mut self) {
        let _ = self.send("QUIT");
    }

    fn send(&mut self, line: &str) -> Result<(), SpeechError> {
        let bytes = format!("{line}\r\n");
        self.stream.write_all(bytes.as_bytes()).map_err(|_| SpeechError::Lost)
    }

    /// Sends a command and waits for its answer; events that come between are kept.
    fn ask(&mut self, line: &str) -> Result<Answer, SpeechError> {
        self.send(line)?;
        let since = Instant::now();
        while since.elapsed() < ANSWER_MAX {
            match self.listen()? {
                Some(answer) if is_event(answer.code) => self.note(&answer),
                Some(answer) => return Ok(answer),
                None => {}
            }
        }
        Err(SpeechError::Lost)
    }

    fn note(&mut self, answer: &Answer) {
        if is_event(answer.code) {
            self.events.push_back(answer.code);
        }
    }

    /// The next complete answer or event; `None` when nothing came within [`LISTEN`].
    fn listen(&mut self) -> Result<Option<Answer>, SpeechError> {
        loop {
            if let Some(answer) = take_answer(&mut self.buffer) {
                return Ok(Some(answer));
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(SpeechError::Lost),
                Ok(count) => self.buffer.extend_from_slice(bytes.get(..count).unwrap_or_default()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(SpeechError::Lost),
            }
            if self.buffer.len() > 16 * LINE_MAX {
                return Err(SpeechError::Lost);
            }
        }
    }
}

fn is_well(code: u16) -> bool {
    (200..300).contains(&code)
}

fn is_event(code: u16) -> bool {
    (700..800).contains(&code)
}

/// Takes one complete answer off the front: lines `123-words`, and a last line `123 words`. Lines of another shape are passed over.
fn take_answer(buffer: &mut Vec<u8>) -> Option<Answer> {
    let mut lines = vec![];
    let mut at = 0;
    while let Some(length) = buffer.get(at..)?.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(buffer.get(at..at + length)?).trim_end_matches('\r').to_owned();
        at += length + 1;
        let code = line.get(..3).and_then(|digits| digits.parse::<u16>().ok());
        match (code, line.as_bytes().get(3)) {
            (Some(code), Some(b' ') | None) => {
                buffer.drain(..at);
                return Some(Answer { code, lines });
            }
            (Some(_), Some(b'-')) => lines.push(line.get(4..).unwrap_or_default().to_owned()),
            _ => {}
        }
    }
    None
}

/// Where the service listens: what the environment names, else the usual place of this user.
fn place() -> Option<PathBuf> {
    if let Some(address) = std::env::var_os("SPEECHD_ADDRESS") {
        // A service on another machine (`inet_socket:`) is never asked: what is read stays here.
        let address = address.to_string_lossy().into_owned();
        return address.strip_prefix("unix_socket:").map(PathBuf::from);
    }
    let run = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let cache = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    run.or(cache).map(|folder| folder.join("speech-dispatcher/speechd.sock"))
}

/// Starts the service as its own clients do, and waits until it listens.
fn start_and_connect(place: &std::path::Path) -> Result<UnixStream, SpeechError> {
    let started = Command::new("speech-dispatcher")
        .arg("--spawn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !started.is_ok_and(|status| status.success()) {
        return Err(SpeechError::NoService);
    }
    let since = Instant::now();
    while since.elapsed() < START_MAX {
        if let Ok(stream) = UnixStream::connect(place) {
            return Ok(stream);
        }
        std::thread::sleep(LISTEN);
    }
    Err(SpeechError::NoService)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_events_are_told_apart_and_halves_wait() {
        let mut buffer =
            b"249-Chinese\tcmn\tnone\r\n249-English\ten\tnone\r\n249 OK\r\n702-21\r\n702-1\r\n702 END\r\n23".to_vec();
        let voices = take_answer(&mut buffer).unwrap();
        assert_eq!((voices.code, voices.lines.len()), (249, 2));
        let end = take_answer(&mut buffer).unwrap();
        assert!(is_event(end.code) && end.code == 702);
        assert!(take_answer(&mut buffer).is_none());
        buffer.extend_from_slice(b"0 OK RECEIVING\r\n");
        assert_eq!(take_answer(&mut buffer).unwrap().code, 230);
    }

    #[test]
    fn junk_from_the_service_is_passed_over() {
        for junk in [&b"\n\n\n"[..], b"hello\r\n", b"12\r\n", b"\xff\xfe\n", "中文 行\n".as_bytes(), b"ab1 OK\n"] {
            let mut buffer = junk.to_vec();
            assert!(take_answer(&mut buffer).is_none(), "{junk:?}");
        }
    }
}
