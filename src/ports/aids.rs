//! What helps a resident to read: a voice and a printer. Rules: P17b, P17d, F05c.

use crate::domain::notice::Language;

/// Why nothing is read aloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// There is no speech service, or it does not run and cannot be started.
    #[error("there is no speech service on this machine")]
    NoService,
    /// The service has no voice for this language.
    #[error("the speech service has no voice for this language")]
    NoVoice,
    /// The service stopped answering in the middle.
    #[error("the speech service stopped answering")]
    Lost,
}

/// What a voice tells while it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It begins with this section, counted from zero.
    Section(usize),
    /// Everything was read.
    Over,
    /// It cannot go on.
    Failed(SpeechError),
}

/// A voice. Nothing of what it reads is kept.
pub trait Speech: Send {
    /// Begins to read the sections in their order; what was being read stops. Never blocks.
    fn speak(&mut self, language: Language, sections: Vec<String>);
    /// Falls silent at once. Never blocks; nothing is heard of the old reading afterwards.
    fn hush(&mut self);
    /// What happened since the last call. Never blocks.
    fn heard(&mut self) -> Option<Heard>;
}

/// Why nothing came out of a printer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// There is no printing system on this machine, or it does not run.
    #[error("there is no printing system on this machine")]
    NoService,
    /// No printer is set up.
    #[error("no printer is set up")]
    NoPrinter,
    /// The printer did not take the paper in time (off, out of paper); the job was taken back.
    #[error("the printer did not take the job, which was taken back")]
    Stuck,
    /// The printing system refused; its own words, which hold no personal data.
    #[error("the printing system refused: {0}")]
    Refused(String),
}

/// A printer. One paper at a time.
pub trait Printer: Send {
    /// Begins to print a PDF. Never blocks; [`Printer::outcome`] tells what came of it.
    fn print(&mut self, pdf: Vec<u8>);
    /// What came of the last paper, once. Never blocks.
    fn outcome(&mut self) -> Option<Result<(), PrintError>>;
}
