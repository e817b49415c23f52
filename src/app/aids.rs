//! What helps a resident to read, and to take the text home: reading aloud, paper and files, what is on screen for how long, and the question
//! before the page is put away. Rules: P07, P17b, P17d, P25, F05c.
//!
//! Deliberately absent: any pressure. A page is put away only so that the next person does not see it, and one touch keeps it.

use std::mem::{Discriminant, discriminant};
use std::path::{Path, PathBuf};

use super::command::ResidentCommand;
use super::desk::Desk;
use super::enroll::{Flow, READ_MS_MAX};
use super::event::{Event, ResidentScene};
use super::public_rules::PublicRules;
use crate::domain::id::{ConsentId, ShowingId};
use crate::domain::reading::Reading;
use crate::domain::time::Timestamp;
use crate::notice::Rendered;
use crate::ports::{Heard, PrintError, SpeechError};

/// How long before a page is put away the resident is asked, in milliseconds.
pub const ASK_BEFORE_MS: i64 = 60_000;
/// Most sections of one reading, and most letters of one section.
const READ_SECTIONS_MAX: usize = 128;
const READ_CHARS_MAX: usize = 20_000;

/// A paper that a resident may take along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// The public rules with the other ways in.
    Rules,
    /// The very notice that is shown, or that was agreed to.
    Notice,
    /// The receipt.
    Receipt,
}

/// What is on screen of a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Sections of which something is to be seen, counted from zero.
    pub sections: Vec<u16>,
    /// Size of the letters in percent.
    pub letters_percent: u16,
    /// The high-contrast colours are on.
    pub high_contrast: bool,
}

/// From the resident window.
#[derive(Debug)]
pub enum AidCommand {
    /// Read this aloud, section by section: what is on screen.
    Read(Vec<String>),
    /// Be silent.
    Hush,
    /// Something else of the notice is on screen now.
    InView(View),
    /// "I am still here."
    Here,
    /// Print.
    Print(Paper),
    /// Save as a PDF at this path, chosen in the system's dialog.
    Save(Paper, PathBuf),
}

/// To the resident window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AidEvent {
    /// This section is being read aloud; `None`: nothing is.
    Reading(Option<usize>),
    /// Nothing can be read aloud.
    ReadingFailed(SpeechError),
    /// The state of a paper.
    Paper(PaperState),
    /// The page will be put away soon, unless somebody is there; `false`: somebody is.
    StillThere(bool),
}

/// What became of a paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaperState {
    /// On its way to the printer.
    Printing,
    /// The printer has it.
    Printed,
    /// Saved under this name.
    Saved(String),
    /// Nothing was printed.
    NotPrinted(PrintError),
    /// It could not be made or written; in words for the log.
    NotSaved(String),
}

/// What the desk remembers of the aids.
#[derive(Default)]
pub(super) struct Aids {
    /// The kind of page that is being read aloud.
    reading: Option<Discriminant<ResidentScene>>,
    /// The kind of page that was shown last.
    page: Option<Discriminant<ResidentScene>>,
    printing: bool,
    asked: bool,
    watch: Option<Watch>,
    readings: Vec<(ShowingId, Reading)>,
    /// The rules are open although nobody is logged in.
    pub rules_while_locked: bool,
    /// What the public copy was last made of.
    pub public: PublicRules,
}

/// What is on screen since when.
struct Watch {
    showing: ShowingId,
    view: View,
    since: Timestamp,
}

impl Desk {
    pub(super) fn say_aid(&mut self, event: AidEvent) {
        self.out.push(Event::Aid(event));
    }

    /// What a touch of the resident window means before anything else: silence, and somebody is there.
    pub(super) fn note_touch(&mut self, command: &ResidentCommand) {
        // These come from the page itself while it is read aloud.
        let from_page = matches!(
            command,
            ResidentCommand::NoticeReachedEnd | ResidentCommand::Aid(AidCommand::InView(_) | AidCommand::Read(_))
        );
        if !from_page {
            self.hush();
        }
        self.be_sure();
    }

    /// Somebody is there: the question is taken back.
    fn be_sure(&mut self) {
        self.acted_at = self.moment;
        if std::mem::take(&mut self.aids.asked) {
            self.say_aid(AidEvent::StillThere(false));
        }
    }

    /// Asks whether somebody is still there when a page is about to be put away.
    pub(super) fn ask_before(&mut self, stay_ms: i64) {
        if stay_ms > 2 * ASK_BEFORE_MS && !self.aids.asked && self.is_past(self.acted_at, stay_ms - ASK_BEFORE_MS) {
            self.aids.asked = true;
            self.say_aid(AidEvent::StillThere(true));
        }
    }

    /// Every new page: what was read aloud of another page falls silent, and the time of a notice that is left is noted.
    pub(super) fn note_scene(&mut self, scene: &ResidentScene) {
        let page = discriminant(scene);
        if self.aids.reading.is_some_and(|read| read != page) {
            self.hush();
        }
        if self.aids.page != Some(page) {
            self.settle();
            self.be_sure();
            self.keep_readings();
        }
        self.aids.page = Some(page);
        if matches!(scene, ResidentScene::Idle { .. } | ResidentScene::Closed) {
            self.aids.readings.clear();
        }
        self.aids.rules_while_locked = self.open.is_none() && matches!(scene, ResidentScene::Rules { .. });
    }

    pub(super) fn handle_aid(&mut self, command: AidCommand, now: Timestamp) {
        match command {
            AidCommand::Read(sections) => self.read_aloud(sections),
            // Both were noted as a touch.
            AidCommand::Hush | AidCommand::Here => {}
            AidCommand::InView(view) => self.see(view),
            AidCommand::Print(paper) => self.print(paper, now),
            // The receipt brings its signed record along.
            AidCommand::Save(Paper::Receipt, path) => self.save_receipt(&path, now),
            AidCommand::Save(paper, path) => self.save(paper, &path, now),
        }
    }

    /// What happened to voice and printer since the last tick.
    pub(super) fn listen(&mut self) {
        while let Some(heard) = self.devices.speech.heard() {
            match heard {
                Heard::Section(number) => {
                    // Whoever listens does not touch.
                    self.be_sure();
                    self.say_aid(AidEvent::Reading(Some(number)));
                }
                Heard::Over => {
                    self.aids.reading = None;
                    self.say_aid(AidEvent::Reading(None));
                }
                Heard::Failed(error) => {
                    tracing::warn!(%error, "nothing can be read aloud");
                    self.aids.reading = None;
                    self.say_aid(AidEvent::ReadingFailed(error));
                }
            }
        }
        if let Some(outcome) = self.devices.printer.outcome() {
            self.aids.printing = false;
            self.say_aid(AidEvent::Paper(match outcome {
                Ok(()) => PaperState::Printed,
                Err(error) => {
                    tracing::warn!(%error, "nothing was printed");
                    PaperState::NotPrinted(error)
                }
            }));
        }
        if self.aids.rules_while_locked && self.is_past(self.acted_at, READ_MS_MAX) {
            self.scene(ResidentScene::Closed);
        }
    }

    fn read_aloud(&mut self, sections: Vec<String>) {
        let sections: Vec<String> = sections
            .into_iter()
            .take(READ_SECTIONS_MAX)
            .map(|words| words.chars().take(READ_CHARS_MAX).collect())
            .collect();
        let Some(page) = self.aids.page.filter(|_| !sections.is_empty()) else { return };
        if let Some(watch) = &self.aids.watch {
            let showing = watch.showing;
            self.reading_of(showing).read_aloud = true;
        }
        self.aids.reading = Some(page);
        self.devices.speech.speak(self.language, sections);
    }

    pub(super) fn hush(&mut self) {
        if self.aids.reading.take().is_some() {
            self.devices.speech.hush();
            self.say_aid(AidEvent::Reading(None));
        }
    }

    fn reading_of(&mut self, showing: ShowingId) -> &mut Reading {
        let readings = &mut self.aids.readings;
        let at = readings.iter().position(|(id, _)| *id == showing).unwrap_or_else(|| {
            readings.push((showing, Reading { letters_percent: 100, ..Reading::default() }));
            readings.len() - 1
        });
        &mut readings[at].1
    }

    fn see(&mut self, view: View) {
        let showing = match self.open.as_ref().map(|o| &o.flow) {
            Some(Flow::Noticed(noticed)) => noticed.current().map(|(shown, _)| shown.id),
            _ => None,
        };
        self.settle();
        let Some(showing) = showing else { return };
        let reading = self.reading_of(showing);
        (reading.letters_percent, reading.high_contrast) = (view.letters_percent, view.high_contrast);
        self.aids.watch = Some(Watch { showing, view, since: self.moment });
    }

    /// Adds the time since the last look to the sections that were on screen.
    fn settle(&mut self) {
        let Some(watch) = self.aids.watch.take() else { return };
        let ms = self.moment.since(watch.since);
        let reading = self.reading_of(watch.showing);
        for section in watch.view.sections {
            reading.add(section, ms);
        }
    }

    /// Writes how the notices of this visit were read so far.
    fn keep_readings(&mut self) {
        for (showing, reading) in self.aids.readings.clone() {
            self.vault(|v| v.record_reading(showing, &reading));
        }
    }

    /// How a showing was read, for the consent record.
    pub(super) fn how_read(&mut self, showing: ShowingId) -> Option<Reading> {
        self.settle();
        self.aids.readings.iter().find(|(id, _)| *id == showing).map(|(_, reading)| reading.clone())
    }

    fn print(&mut self, paper: Paper, now: Timestamp) {
        if self.aids.printing {
            return;
        }
        match self.paper(paper, now) {
            Ok(pdf) => {
                self.aids.printing = true;
                self.devices.printer.print(pdf);
                self.say_aid(AidEvent::Paper(PaperState::Printing));
            }
            Err(why) => self.say_aid(AidEvent::Paper(PaperState::NotSaved(why))),
        }
    }

    fn save(&mut self, paper: Paper, path: &Path, now: Timestamp) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let written =
            self.paper(paper, now).and_then(|pdf| std::fs::write(path, pdf).map_err(|error| error.kind().to_string()));
        self.say_aid(AidEvent::Paper(match written {
            Ok(()) => PaperState::Saved(name),
            Err(why) => PaperState::NotSaved(why),
        }));
    }

    /// The PDF of a paper that belongs to the page that is shown; an error in words otherwise.
    fn paper(&mut self, paper: Paper, now: Timestamp) -> Result<Vec<u8>, String> {
        let texts: Vec<Rendered> = match (paper, self.open.as_ref().map(|o| &o.flow)) {
            (Paper::Rules, Some(Flow::Rules)) => {
                self.public_texts(self.language).iter().map(|text| (**text).clone()).collect()
            }
            (Paper::Rules, None) if self.aids.rules_while_locked => self.locked_texts(self.language),
            (Paper::Notice, Some(Flow::Noticed(noticed))) => {
                noticed.current().map(|(_, text)| (**text).clone()).into_iter().collect()
            }
            (Paper::Notice, Some(Flow::Done { receipt, .. })) => {
                let record = ConsentId::parse(&receipt.record);
                self.agreed_notice(record).into_iter().collect()
            }
            (Paper::Receipt, Some(Flow::Done { receipt, .. })) => {
                let (text, record) = (receipt.text.clone(), ConsentId::parse(&receipt.record));
                return self.receipt_paper(&text, record);
            }
            _ => vec![],
        };
        if texts.is_empty() {
            return Err("no such paper on this page".into());
        }
        tracing::info!(?paper, at = now.ms(), "a paper is made");
        crate::paper::texts_pdf(&texts).map_err(|error| error.to_string())
    }

    /// The very text that was agreed to, byte for byte.
    fn agreed_notice(&mut self, record: Option<ConsentId>) -> Option<Rendered> {
        let record = record?;
        let (reference, markdown) = self.vault(|v| {
            let notice = v.consent(record)?.notice;
            let text = v.shown_text(&notice.sha256)?;
            Ok((notice, text))
        })?;
        Some(Rendered { markdown: markdown?, reference })
    }

    fn receipt_paper(&mut self, text: &Rendered, record: Option<ConsentId>) -> Result<Vec<u8>, String> {
        let signed = record.and_then(|record| self.vault(|v| Ok(v.consent(record)?.evidence)));
        let signed = signed.ok_or("the consent record cannot be read")?;
        crate::paper::receipt_pdf(text, &self.receipt_qr(&signed)).map_err(|error| error.to_string())
    }
}
