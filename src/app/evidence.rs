//! The evidence at the desk: how the log stands, heads to be kept outside, the log for an inspector, and what was shown
//! to a person, exactly as it was. Rules: P63, P69, P14.
//!
//! Deliberately absent: editing or erasing anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::command::StaffCommand;
use super::desk::{Desk, failure_of};
use super::event::{Failure, GateLabel, StaffEvent};
use super::head_due::HeadDue;
use super::shown_again::{SHOWN_MAX, line, text_of};
use crate::domain::approval::Act;
use crate::domain::id::{ConsentId, ShowingId};
use crate::domain::notice::{Language, NoticeRef};
use crate::domain::time::Timestamp;
use crate::evidence::export::Witnessed;
use crate::evidence::head::{self, Short};
use crate::evidence::hex;
use crate::notice::Rendered;
use crate::vault::{HeadState, Vault, VaultError};

/// Most letters of an authority's name and of a case number.
const ASKED_CHARS_MAX: usize = 200;

/// What staff may ask of the evidence.
#[derive(Debug)]
pub enum EvidenceCommand {
    /// Reads the whole log again and compares it.
    CheckAll,
    /// Takes a signed head outside: a page for paper, written here.
    SaveHead(PathBuf),
    /// Compares a head that lay elsewhere, as typed from paper or scanned.
    CheckHead(String),
    /// Gives the log to an inspector.
    Export {
        /// Which authority, as typed.
        authority: String,
        /// Its case number, as typed.
        case_number: String,
        /// Where to write it.
        path: PathBuf,
    },
    /// Lists what was shown to the person whose record is open.
    ListShown,
    /// Shows one of them again, exactly as it was.
    ShowAgain(ShowingId),
    /// Writes one of them into a file for the person.
    SaveReplay(ShowingId, PathBuf),
}

/// What the desk says of the evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum EvidenceEvent {
    /// How the log stands.
    Chain(ChainView),
    /// The whole log was read again.
    Checked(CheckView),
    /// A head was taken outside.
    HeadSaved {
        /// The line on it.
        short: String,
        /// Where it was written.
        path: String,
    },
    /// A head from elsewhere was compared.
    HeadChecked(HeadVerdict),
    /// The log was written for an inspector.
    Exported {
        /// How many records.
        records: u64,
        /// Where.
        path: String,
        /// SHA-256 of the file, in hex.
        sha256: String,
    },
    /// What was shown to the person whose record is open.
    Shown(Vec<ShownView>),
    /// One of them again.
    ShownAgain(Box<ShownText>),
    /// What is kept of a showing fails its own check, at this step in both languages.
    NotAsShown {
        /// 中文.
        zh: &'static str,
        /// English.
        en: &'static str,
    },
    /// It was written into a file.
    ReplaySaved(String),
    /// Whether today's head on paper is due.
    HeadDue(Option<HeadDue>),
}

/// How the log stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainView {
    /// Records when this was read.
    pub records: u64,
    /// Records read again at the last unlock.
    pub start_read: u64,
    /// Whether that look found nothing.
    pub start_sound: bool,
    /// The file of the persons' keys is an older copy that was put back.
    pub keys_older: bool,
    /// Each gate as a witness.
    pub gates: Vec<(GateLabel, GateWitness)>,
    /// When a gate was last seen to keep a head that fits, and how many records it stands for.
    pub witnessed: Option<(Timestamp, u64)>,
    /// To whom the log was given, newest first: when, authority, case number.
    pub exports: Vec<(Timestamp, String, String)>,
}

impl ChainView {
    /// Whether something is wrong, so that the desk must not act on faces.
    pub fn is_alarming(&self) -> bool {
        !self.start_sound || self.keys_older || self.gates.iter().any(|(_, gate)| gate.is_conflict())
    }
}

/// One gate as a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateWitness {
    /// Keeps nothing of this log, as far as is known.
    None,
    /// Keeps a head that fits.
    Keeps {
        /// Records it stands for.
        size: u64,
        /// When this desk saw it.
        seen_at: Timestamp,
    },
    /// Has seen a longer log: an end was cut off here, or an older copy was put back.
    SawMore,
    /// Has seen another log: this one was written anew.
    SawOther,
    /// Keeps a head of this log that another key signed.
    OtherKey,
}

impl GateWitness {
    /// Whether it contradicts this log.
    pub fn is_conflict(self) -> bool {
        matches!(self, Self::SawMore | Self::SawOther | Self::OtherKey)
    }
}

/// The whole log was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckView {
    /// When.
    pub at: Timestamp,
    /// Records read.
    pub records: u64,
    /// How many things are wrong.
    pub faults: usize,
    /// The first record concerned, if it can be told.
    pub first: Option<u64>,
    /// Records that name nobody any more, at their term.
    pub erased_at_term: u64,
}

/// What a head from elsewhere says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadVerdict {
    /// The log still begins with what it stands for.
    Fits {
        /// Number of records.
        size: u64,
    },
    /// More records were there once.
    SawMore {
        /// Number of records at that time.
        kept: u64,
        /// Number of records now.
        here: u64,
    },
    /// Other records were there.
    SawOther {
        /// Number of records at that time.
        kept: u64,
    },
    /// It is not a head, or a letter of it is wrong, or it is signed by another station.
    Unreadable,
}

/// One showing in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownView {
    /// Which.
    pub showing: ShowingId,
    /// Number and version of the notice.
    pub notice: String,
    /// Its language.
    pub language: Language,
    /// When it opened.
    pub opened_at: Timestamp,
    /// Whether its end was on screen.
    pub read_to_end: bool,
}

/// What was shown, again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownText {
    /// Which showing.
    pub showing: ShowingId,
    /// The exact text.
    pub text: Arc<Rendered>,
    /// Size of the letters when it opened, in percent, if it was stated.
    pub letters_percent: Option<u16>,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When its end was on screen.
    pub reached_end_at: Option<Timestamp>,
    /// Whether a consent was given to this text.
    pub consented: bool,
}

/// What the windows were last told, so that news alone is told.
#[derive(Debug, Default)]
pub(super) struct ChainSeen {
    shown: Option<ChainView>,
}

impl ChainSeen {
    /// The window forgot it.
    pub(super) fn say_again(&mut self) {
        self.shown = None;
    }
}

/// Whether faces may be acted on as far as the log is concerned: the last look at it found nothing, no gate keeps a
/// head that it does not continue, and the persons' keys are not an older copy.
pub(super) fn log_is_whole(vault: &Vault) -> bool {
    let fits = vault.gate_heads().is_ok_and(|heads| heads.iter().all(|head| head.state == HeadState::Fits));
    vault.start_check().sound && fits && vault.keys_are_current().is_ok_and(|current| current)
}

impl Desk {
    pub(super) fn handle_evidence(&mut self, command: EvidenceCommand, now: Timestamp) {
        match command {
            EvidenceCommand::CheckAll => self.check_all(now),
            EvidenceCommand::SaveHead(path) => self.save_head(&path, now),
            EvidenceCommand::CheckHead(text) => self.check_head(&text),
            EvidenceCommand::Export { authority, case_number, path } => {
                self.export(&authority, &case_number, &path, now);
            }
            EvidenceCommand::ListShown => self.list_shown(),
            EvidenceCommand::ShowAgain(showing) => self.show_again(showing, now),
            EvidenceCommand::SaveReplay(showing, path) => {
                if self.is_of_the_open_record(showing)
                    && let Err(failure) = self.write_replay(showing, &path, now)
                {
                    self.fail(failure);
                }
            }
        }
    }

    /// Tells the staff window how the log stands, when that has changed.
    pub(super) fn show_chain_if_changed(&mut self) {
        let Some(open) = self.open.as_mut() else { return };
        let Ok(view) = chain(&open.vault) else { return };
        // The number of records alone is no news while the page is not looked at more closely.
        let mut same = open.chain.shown.clone().unwrap_or_default();
        same.records = view.records;
        if open.chain.shown.is_some() && same == view {
            return;
        }
        open.chain.shown = Some(view.clone());
        self.say(StaffEvent::Evidence(EvidenceEvent::Chain(view)));
    }

    fn check_all(&mut self, now: Timestamp) {
        let Some(report) = self.vault(|v| v.audit_logged(now)) else { return };
        self.say(StaffEvent::Evidence(EvidenceEvent::Checked(CheckView {
            at: now,
            records: report.records,
            faults: report.faults(),
            first: report.first_fault(),
            erased_at_term: report.erased_at_term,
        })));
    }

    fn save_head(&mut self, path: &Path, now: Timestamp) {
        let taken = self.vault(|v| {
            let (head, note) = v.take_head(now)?;
            let key = v.evidence_public();
            Ok((Short::of(&head).to_string(), head::line(&note, &key)?, head, key))
        });
        let Some((short, line, head, key)) = taken else { return };
        let markdown = include_str!("../../assets/evidence/head.md")
            .replace("{date}", &now.date().to_string())
            .replace("{time}", &now.minute_text())
            .replace("{short}", &short)
            .replace("{size}", &head.size.to_string())
            .replace("{origin}", &head.origin)
            .replace("{key}", &hex(&key));
        let sha256 = Sha256::digest(markdown.as_bytes()).into();
        let reference = NoticeRef { id: "MK-HEAD".into(), version: "1".into(), language: Language::Chinese, sha256 };
        let paper = crate::paper::receipt_pdf(&Rendered { markdown, reference }, &line);
        let written = paper.map_err(|e| e.to_string()).and_then(|pdf| write(path, &pdf));
        match written {
            Ok(()) => {
                let path = path.display().to_string();
                self.say(StaffEvent::Evidence(EvidenceEvent::HeadSaved { short, path }));
                self.tell_head_due(now);
            }
            Err(why) => self.fail(Failure::PaperNotWritten(why)),
        }
    }

    fn check_head(&mut self, text: &str) {
        let Some(open) = self.open.as_ref() else { return };
        let verdict = match open.vault.check_elsewhere(text) {
            Ok(Witnessed::Fits { size }) => HeadVerdict::Fits { size },
            Ok(Witnessed::Ahead { kept, here }) => HeadVerdict::SawMore { kept, here },
            Ok(Witnessed::Differs { kept }) => HeadVerdict::SawOther { kept },
            Err(VaultError::Evidence(_)) => HeadVerdict::Unreadable,
            Err(error) => return self.fail(failure_of(error)),
        };
        self.say(StaffEvent::Evidence(EvidenceEvent::HeadChecked(verdict)));
    }

    fn export(&mut self, authority: &str, case_number: &str, path: &Path, now: Timestamp) {
        let short = |text: &str| text.trim().chars().take(ASKED_CHARS_MAX).collect::<String>();
        let (authority, case_number) = (short(authority), short(case_number));
        // Who asked, and in which case, is part of the evidence: without it nothing is given away.
        if authority.is_empty() || case_number.is_empty() {
            return;
        }
        let again = EvidenceCommand::Export { authority, case_number, path: path.to_owned() };
        let given = self.approved(Act::ExportLog, StaffCommand::Evidence(again), now);
        let Some((approval, StaffCommand::Evidence(EvidenceCommand::Export { authority, case_number, .. }))) = given
        else {
            return;
        };
        let text = self.vault(|v| {
            v.second_person(Act::ExportLog, approval, now)?;
            v.export_log(&authority, &case_number, now)
        });
        let Some(text) = text else { return };
        match write(path, text.as_bytes()) {
            Ok(()) => {
                let records = text.lines().count().saturating_sub(2) as u64;
                let (path, sha256) = (path.display().to_string(), hex(&Sha256::digest(text.as_bytes())));
                self.say(StaffEvent::Evidence(EvidenceEvent::Exported { records, path, sha256 }));
            }
            Err(why) => self.fail(Failure::PaperNotWritten(why)),
        }
    }

    fn list_shown(&mut self) {
        let Some(resident) = self.open.as_ref().and_then(|o| o.opened) else { return };
        if let Some(rows) = self.vault(|v| v.showings(resident, SHOWN_MAX)) {
            self.say(StaffEvent::Evidence(EvidenceEvent::Shown(rows.into_iter().map(line).collect())));
        }
    }

    /// Staff look at what was shown to the person whose record is open, nobody else's.
    fn is_of_the_open_record(&mut self, showing: ShowingId) -> bool {
        let Some(resident) = self.open.as_ref().and_then(|o| o.opened) else { return false };
        let rows = self.vault(|v| v.showings(resident, SHOWN_MAX)).unwrap_or_default();
        rows.iter().any(|row| row.showing == showing)
    }

    fn show_again(&mut self, showing: ShowingId, now: Timestamp) {
        if !self.is_of_the_open_record(showing) {
            return;
        }
        let Some(open) = self.open.as_mut() else { return };
        let shown = match open.vault.show_again(showing, now) {
            Ok(shown) => shown,
            Err(error) => return self.not_shown(error),
        };
        self.say(StaffEvent::Evidence(EvidenceEvent::ShownAgain(Box::new(text_of(showing, shown)))));
    }

    pub(super) fn not_shown(&mut self, error: VaultError) {
        match error {
            VaultError::NotAsShown(step) => {
                let (zh, en) = (step.words(Language::Chinese), step.words(Language::English));
                self.say(StaffEvent::Evidence(EvidenceEvent::NotAsShown { zh, en }));
            }
            error => self.fail(failure_of(error)),
        }
    }

    /// Writes everything about one showing into a file that the person takes home.
    ///
    /// # Errors
    /// What to tell; a showing that fails its own check is told by itself.
    pub(super) fn write_replay(&mut self, showing: ShowingId, path: &Path, now: Timestamp) -> Result<(), Failure> {
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        let bytes = match open.vault.replay_bundle(showing, now) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.not_shown(error);
                return Ok(());
            }
        };
        write(path, &bytes).map_err(Failure::PaperNotWritten)?;
        self.say(StaffEvent::Evidence(EvidenceEvent::ReplaySaved(path.display().to_string())));
        Ok(())
    }

    /// Beside a receipt that is saved at `path`: what was shown before that consent, as `<name>.replay.json`.
    ///
    /// # Errors
    /// In words for the log and the staff window.
    pub(super) fn write_replay_of(&mut self, consent: ConsentId, path: &Path, now: Timestamp) -> Result<(), String> {
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        let bytes = open
            .vault
            .showing_of(consent)
            .and_then(|showing| open.vault.replay_bundle(showing, now))
            .map_err(|error| error.to_string())?;
        write(&path.with_extension("replay.json"), &bytes)
    }
}

fn chain(vault: &Vault) -> Result<ChainView, VaultError> {
    let heads = vault.gate_heads()?;
    let gates = vault.gates()?.into_iter().map(|gate| {
        let witness = match heads.iter().find(|head| head.gate == gate.id) {
            None => GateWitness::None,
            Some(head) => match head.state {
                HeadState::Fits => GateWitness::Keeps { size: head.size, seen_at: head.seen_at },
                HeadState::Ahead => GateWitness::SawMore,
                HeadState::Differs => GateWitness::SawOther,
                HeadState::OtherKey => GateWitness::OtherKey,
            },
        };
        (gate.name, witness)
    });
    let fits = heads.iter().filter(|head| head.state == HeadState::Fits);
    Ok(ChainView {
        records: vault.log_len()?,
        start_read: vault.start_check().read,
        start_sound: vault.start_check().sound,
        keys_older: !vault.keys_are_current()?,
        gates: gates.collect(),
        witnessed: fits.map(|head| (head.seen_at, head.size)).max(),
        exports: vault.exports()?,
    })
}

pub(super) fn language_of(tag: &str) -> Language {
    if tag == Language::English.tag() { Language::English } else { Language::Chinese }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| error.to_string())
}
