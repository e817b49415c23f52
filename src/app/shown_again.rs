//! "What I was shown" on the resident window: after the own card tap, each text that was on this person's screen, again, byte for byte, and as a
//! file to take home. Rules: P17d, P45a, P69.
//!
//! Deliberately absent: anybody else's texts, and any text that does not pass its own check.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::desk::Desk;
use super::enroll::Flow;
use super::event::Failure;
use super::evidence::{ShownText, ShownView, language_of};
use super::rights::RightsScene;
use super::rights_window::{Mine, RightsFlow};
use crate::domain::audit::Actor;
use crate::domain::id::ShowingId;
use crate::domain::notice::{Language, NoticeRef};
use crate::domain::time::Timestamp;
use crate::evidence::bundle::{self, Replayed};
use crate::notice::Rendered;
use crate::vault::{ShownRow, VaultError};

/// Most showings of one person in a list.
pub(super) const SHOWN_MAX: u32 = 50;

/// From the resident window, after the person's own card tap.
#[derive(Debug)]
pub enum ShownAct {
    /// The list.
    List,
    /// One of them again.
    Again(ShowingId),
    /// The one that is shown, as a file for `menka-verify`.
    Save(std::path::PathBuf),
}

/// What the resident window shows of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ShownScene {
    /// Every text that was on this person's screen, the newest first.
    List(Vec<ShownView>),
    /// One of them, byte for byte.
    Again {
        /// The text, and how it was shown.
        shown: Box<ShownText>,
        /// Where it was saved.
        saved_to: Option<String>,
    },
    /// What is kept of a text does not pass its own check at this step: it is not shown as if it were right.
    Broken {
        /// 中文.
        zh: &'static str,
        /// English.
        en: &'static str,
    },
}

/// One line of the list.
pub(super) fn line(row: ShownRow) -> ShownView {
    ShownView {
        showing: row.showing,
        notice: format!("{} {}", row.notice_id, row.version),
        language: language_of(&row.language),
        opened_at: row.opened_at,
        read_to_end: row.reached_end_at.is_some(),
    }
}

/// A checked text, as the windows show it.
pub(super) fn text_of(showing: ShowingId, shown: Replayed) -> ShownText {
    let language = language_of(&shown.showing.language);
    let sha256 = Sha256::digest(shown.text.as_bytes()).into();
    let (id, version) = (shown.showing.notice_id, shown.showing.notice_version);
    let text = Rendered { markdown: shown.text, reference: NoticeRef { id, version, language, sha256 } };
    ShownText {
        showing,
        text: Arc::new(text),
        letters_percent: shown.showing.letters_percent,
        opened_at: Timestamp::from_ms(shown.showing.opened_at),
        reached_end_at: shown.reached_end_at.map(Timestamp::from_ms),
        consented: shown.consent.is_some(),
    }
}

impl Desk {
    pub(super) fn handle_shown(&mut self, mine: Box<Mine>, act: ShownAct, now: Timestamp) {
        match act {
            ShownAct::List => self.list_own(mine),
            ShownAct::Again(showing) => self.show_own_again(mine, showing, now),
            ShownAct::Save(path) => self.save_own_shown(mine, &path, now),
        }
    }

    fn list_own(&mut self, mut mine: Box<Mine>) {
        mine.shown = None;
        let rows = self.vault(|v| v.showings(mine.resident, SHOWN_MAX)).unwrap_or_default();
        self.set(Flow::Rights(RightsFlow::Mine(mine)));
        self.rights_scene(RightsScene::Shown(ShownScene::List(rows.into_iter().map(line).collect())));
    }

    /// The person's own text and nobody else's: another's id leads back to the list.
    fn is_own(&mut self, mine: &Mine, showing: ShowingId) -> bool {
        let rows = self.vault(|v| v.showings(mine.resident, SHOWN_MAX)).unwrap_or_default();
        rows.iter().any(|row| row.showing == showing)
    }

    pub(super) fn show_own_again(&mut self, mut mine: Box<Mine>, showing: ShowingId, now: Timestamp) {
        if !self.is_own(&mine, showing) {
            return self.list_own(mine);
        }
        let by = Actor::Resident(mine.resident);
        let Some(open) = self.open.as_mut() else { return };
        let read = open.vault.show_again_by(showing, by, now);
        mine.shown = read.is_ok().then_some(showing);
        self.set(Flow::Rights(RightsFlow::Mine(mine)));
        match read {
            Ok(shown) => {
                let shown = Box::new(text_of(showing, shown));
                self.rights_scene(RightsScene::Shown(ShownScene::Again { shown, saved_to: None }));
            }
            Err(error) => self.own_not_shown(error),
        }
    }

    fn own_not_shown(&mut self, error: VaultError) {
        if let VaultError::NotAsShown(step) = error {
            let (zh, en) = (step.words(Language::Chinese), step.words(Language::English));
            self.rights_scene(RightsScene::Shown(ShownScene::Broken { zh, en }));
        }
        // Staff hear of it too: the evidence page says what to do.
        self.not_shown(error);
    }

    fn save_own_shown(&mut self, mine: Box<Mine>, path: &Path, now: Timestamp) {
        let Some(showing) = mine.shown else { return self.list_own(mine) };
        let by = Actor::Resident(mine.resident);
        let Some(open) = self.open.as_mut() else { return };
        let key = open.vault.evidence_public();
        let read = open.vault.replay_bundle_by(showing, by, now).and_then(|bytes| {
            let shown = bundle::verify(&bytes, &key).map_err(|failed| VaultError::NotAsShown(failed.0))?;
            Ok((bytes, shown))
        });
        self.set(Flow::Rights(RightsFlow::Mine(mine)));
        match read {
            Ok((bytes, shown)) => {
                let saved_to = match std::fs::write(path, bytes) {
                    Ok(()) => Some(path.display().to_string()),
                    // A folder that cannot be written ends nothing: the page stays.
                    Err(error) => {
                        self.fail(Failure::PaperNotWritten(error.to_string()));
                        None
                    }
                };
                let shown = Box::new(text_of(showing, shown));
                self.rights_scene(RightsScene::Shown(ShownScene::Again { shown, saved_to }));
            }
            Err(error) => self.own_not_shown(error),
        }
    }
}
