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
/// Most lines of one answer.
const LINES_MAX: usize = 200_000;
/// A little slower than usual, -100 to 100: legal texts, and people of any age.
const RATE: i32 = -15;

/// A connection.
pub(super) struct Service<'a> {
    stream: UnixStream,
    heard: Lines,
    events: VecDeque<u16>,
    stopped: &'a Receiver<()>,
}

/// What came from the service and is not a complete answer yet.
#[derive(Default)]
struct Lines {
    /// The start of a line.
    bytes: Vec<u8>,
    /// Complete lines of an answer that goes on. The list of voices has over ten thousand.
    lines: Vec<String>,
    done: VecDeque<Answer>,
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
        let mut service = Self { stream, heard: Lines::default(), events: VecDeque::new(), stopped };
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
        // Mandarin is `zh` in some modules and `cmn` in others; Cantonese (`yue`) would read it wrongly. The plainest voice first.
        let wanted: &[&str] = match language {
            Language::Chinese => &["zh-cn", "cmn", "zh"],
            Language::English => &["en-us", "en-gb", "en"],
        };
        let voices = self.ask("LIST SYNTHESIS_VOICES")?.lines;
        let voices = voices.iter().filter_map(|line| {
            let mut fields = line.split('\t');
            let (name, tag) = (fields.next()?, fields.next()?);
            let low = tag.to_ascii_lowercase();
            let first = low.split(['-', '_']).next().unwrap_or_default();
            let rank =
                wanted.iter().position(|w| *w == low).or_else(|| wanted.contains(&first).then_some(wanted.len()))?;
            Some((rank, name.to_owned(), tag.to_owned()))
        });
        let found = voices.min_by_key(|(rank, _, _)| *rank).map(|(_, name, tag)| (name, tag));
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
            if let Some(answer) = self.heard.done.pop_front() {
                return Ok(Some(answer));
            }
            let mut bytes = [0; 16 * 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(SpeechError::Lost),
                Ok(count) => self.heard.take(bytes.get(..count).unwrap_or_default())?,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(SpeechError::Lost),
            }
        }
    }
}

impl Lines {
    /// Takes in some bytes. An answer is lines `123-words` and a last line `123 words`; lines of another shape are passed over.
    fn take(&mut self, bytes: &[u8]) -> Result<(), SpeechError> {
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            self.bytes.extend_from_slice(piece);
            if self.bytes.len() > LINE_MAX || self.lines.len() > LINES_MAX {
                return Err(SpeechError::Lost);
            }
            if pieces.peek().is_none() {
                break;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.bytes)).trim_end_matches('\r').to_owned();
            let code = line.get(..3).and_then(|digits| digits.parse::<u16>().ok());
            match (code, line.as_bytes().get(3)) {
                (Some(code), Some(b' ') | None) => {
                    self.done.push_back(Answer { code, lines: std::mem::take(&mut self.lines) });
                }
                (Some(_), Some(b'-')) => self.lines.push(line.get(4..).unwrap_or_default().to_owned()),
                _ => {}
            }
        }
        Ok(())
    }
}

fn is_well(code: u16) -> bool {
    (200..300).contains(&code)
}

fn is_event(code: u16) -> bool {
    (700..800).contains(&code)
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
        let mut heard = Lines::default();
        let bytes = b"249-Chinese\tcmn\tnone\r\n249-English\ten\tnone\r\n249 OK\r\n702-21\r\n702-1\r\n702 END\r\n23";
        // However the bytes are cut.
        bytes.chunks(3).for_each(|chunk| heard.take(chunk).unwrap());
        let voices = heard.done.pop_front().unwrap();
        assert_eq!((voices.code, voices.lines.len()), (249, 2));
        let end = heard.done.pop_front().unwrap();
        assert!(is_event(end.code) && end.code == 702);
        assert!(heard.done.is_empty());
        heard.take(b"0 OK RECEIVING\r\n").unwrap();
        assert_eq!(heard.done.pop_front().unwrap().code, 230);
    }

    #[test]
    fn junk_from_the_service_is_passed_over_and_an_endless_line_ends_the_reading() {
        for junk in [&b"\n\n\n"[..], b"hello\r\n", b"12\r\n", b"\xff\xfe\n", "中文 行\n".as_bytes(), b"ab1 OK\n"] {
            let mut heard = Lines::default();
            heard.take(junk).unwrap();
            assert!(heard.done.is_empty(), "{junk:?}");
        }
        let mut heard = Lines::default();
        assert_eq!(heard.take(&[b'x'; LINE_MAX + 1]), Err(SpeechError::Lost));
    }
}
