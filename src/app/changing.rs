//! A changed notice on the resident window, after the person's own card tap: what changed, old and new, and three equal answers (2.4); or,
//! for a change of wording, the same sheet and nothing to decide. Rules: P14b, P17c, NDR22-6.

use std::sync::Arc;

use super::desk::Desk;
use super::enroll::{Flow, Withdrawer};
use super::event::{Failure, ResidentScene};
use super::notice::{ChangeAnswer, NoticeFailure};
use crate::domain::audit::Actor;
use crate::domain::change::{News, ToldOn};
use crate::domain::gate::GateRecord;
use crate::domain::id::{ResidentId, ShowingId};
use crate::domain::notice::{Language, NoticeShown};
use crate::domain::time::Timestamp;
use crate::notice::{self, Page, Rendered, Text, Values};
use crate::secret::random_bytes;

impl Desk {
    /// Whether this person is just answering a changed notice: only then may face entry begin while a consent is there.
    pub(super) fn is_changing(&self, resident: ResidentId) -> bool {
        matches!(self.open.as_ref().map(|o| &o.flow), Some(Flow::Changing { resident: who, .. }) if *who == resident)
    }

    /// Shows what changed, when there is something to tell or to ask. `false` when there is not.
    pub(super) fn show_change(&mut self, resident: ResidentId, only_asked: bool, now: Timestamp) -> bool {
        let Some(found) = self.vault(|v| v.news_of(resident)) else { return false };
        let Some(news) = found.filter(|news| news.asks || (news.untold && !only_asked)) else { return false };
        let language = self.language;
        let (sheet, words) = match (self.sheet(&news, language), self.change_words(&news, language)) {
            (Ok(sheet), Ok(words)) => (Arc::new(sheet), words),
            _ => return false,
        };
        let shown = NoticeShown {
            id: ShowingId::from_bytes(random_bytes()),
            resident,
            notice: sheet.reference.clone(),
            opened_at: now,
            reached_end_at: None,
        };
        if self.vault(|v| v.record_showing(&shown, &sheet.markdown, now)).is_none() {
            return false;
        }
        self.set(Flow::Changing { resident, asks: news.asks });
        let Page { lines, buttons } = if news.asks { words } else { Page::default() };
        self.scene(ResidentScene::Change { sheet, lines, buttons });
        true
    }

    /// The same page again, in the other language.
    pub(super) fn show_change_again(&mut self, resident: ResidentId, now: Timestamp) {
        if !self.show_change(resident, false, now) {
            self.to_idle(now);
        }
    }

    pub(super) fn answer_change(&mut self, answer: ChangeAnswer, now: Timestamp) {
        let Some(Flow::Changing { resident, asks }) = self.open.as_ref().map(|o| &o.flow) else { return };
        let (resident, asks) = (*resident, *asks);
        if asks == (answer == ChangeAnswer::Seen) {
            // An answer that the page did not offer.
            return;
        }
        let by = Actor::Resident(resident);
        if self.vault(|v| v.record_told(resident, ToldOn::Screen, by, now)).is_none() {
            return self.ended(Some(Failure::FaceNotOffered));
        }
        match answer {
            ChangeAnswer::Seen => self.to_idle(now),
            ChangeAnswer::Agree => self.begin_face(resident, now),
            ChangeAnswer::Withdraw => {
                self.set(Flow::Withdrawing(Withdrawer::by_card(resident)));
                self.confirm_withdraw(now);
            }
            ChangeAnswer::Refuse => {
                let stopped = self.vault(|v| {
                    let stopped = v.news_of(resident)?.map(|news| news.stopped).unwrap_or_default();
                    v.record_change_refused(resident, now)?;
                    Ok(stopped)
                });
                let Some(gates) = stopped else { return self.ended(Some(Failure::FaceNotOffered)) };
                if let Some(open) = self.open.as_ref() {
                    open.shared.ring();
                }
                self.set(Flow::Withdrawn { resident, gates });
                self.refresh_withdrawn();
                self.show_opened(now);
            }
        }
    }

    /// The change sheet of one resident, for a paper.
    pub(super) fn change_sheet(&mut self, resident: ResidentId, language: Language) -> Result<Rendered, Failure> {
        let nothing = Failure::Notice(NoticeFailure::Nothing);
        let Some(Some(news)) = self.vault(|v| v.news_of(resident)) else { return Err(nothing) };
        self.sheet(&news, language).map_err(|unfilled| Failure::Notice(NoticeFailure::Unfilled(unfilled.0)))
    }

    fn sheet(&mut self, news: &News, language: Language) -> Result<Rendered, notice::Unfilled> {
        let values = self.change_values(news, language);
        let text = if news.asks { Text::ChangeSheet } else { Text::ChangeTold };
        notice::render(text, language, &values)
    }

    /// The words of 2.4 with their three buttons.
    fn change_words(&mut self, news: &News, language: Language) -> Result<Page, notice::Unfilled> {
        let values = self.change_values(news, language);
        notice::render(Text::Change, language, &values).map(|text| notice::page(&text.markdown))
    }

    fn change_values(&mut self, news: &News, language: Language) -> Values {
        let gates: Vec<GateRecord> = self.vault(|v| v.gates()).unwrap_or_default();
        let engine = self.devices.engine.engine();
        let Some(open) = self.open.as_ref() else { return Values::new() };
        let faces: Vec<GateRecord> = gates.iter().filter(|gate| gate.takes_faces).cloned().collect();
        let mut values = notice::values_for(&open.facts, &faces, language, &engine, None);
        notice::change_values(&mut values, &news.change, &gates, language);
        let stopped: Vec<String> =
            gates.iter().filter(|g| news.stopped.contains(&g.id)).map(|gate| gate.name.clone()).collect();
        let between = match language {
            Language::Chinese => "、",
            Language::English => ", ",
        };
        values.insert("stopped_gates".into(), stopped.join(between));
        values.insert("old_version".into(), news.from.to_string());
        let day = news.answer_by.map(|day| match language {
            Language::Chinese => day.chinese(),
            Language::English => day.to_string(),
        });
        values.insert("answer_by".into(), day.unwrap_or_default());
        values
    }
}
