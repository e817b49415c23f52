//! Keeps the notice true without anybody's doing: counts its version, stops what a change touches, judges the assessment, ends what was not
//! answered, and tells the staff window. Rules: P14b, P17c, P28, P55, F09c.

use sha2::{Digest, Sha256};

use super::desk::{Desk, Open, failure_of};
use super::event::{Event, Failure, GateLabel, StaffEvent};
use super::notice::{EntrustedView, NoticeEvent, NoticeFailure, NoticeView, PersonNews, SignState, SignView};
use crate::domain::assessment::{self, Standing};
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::notice::Language;
use crate::domain::site::SiteFacts;
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::hex;
use crate::notice::{self, Rendered, Text, Unfilled};
use crate::secret::EngineId;
use crate::vault::{Recorded, Vault, VaultError};

/// What the desk keeps of this area while somebody is logged in.
#[derive(Default)]
pub(super) struct NoticeCare {
    /// Whether face entry may stand on the assessment.
    pub standing: Standing,
    /// The site file was refused.
    pub refused: bool,
    /// The day on which everything was last looked at.
    pub looked_on: Option<CivilDate>,
    /// As last told.
    view: Option<NoticeView>,
    person: Option<(ResidentId, Option<PersonNews>)>,
}

impl NoticeCare {
    /// The window forgot it.
    pub(super) fn say_again(&mut self) {
        self.view = None;
        self.person = None;
    }
}

/// What one look came to.
struct Looked {
    view: NoticeView,
    facts: SiteFacts,
    recorded: Recorded,
    unanswered: Vec<ResidentId>,
}

impl Desk {
    /// Looks again at facts, gates and registers after whatever staff did, and once a day.
    pub(super) fn care_notice(&mut self, now: Timestamp) {
        let engine = self.devices.engine.engine();
        let Some(open) = self.open.as_mut() else { return };
        match look(open, &engine, now) {
            Ok(looked) => self.noticed(looked, now),
            Err(error) => self.fail(failure_of(error)),
        }
    }

    /// Once a day, also when nobody does anything.
    pub(super) fn care_notice_daily(&mut self, now: Timestamp) {
        if self.open.as_ref().is_some_and(|open| open.notice.looked_on != Some(now.date())) {
            self.care_notice(now);
        }
    }

    fn noticed(&mut self, looked: Looked, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        let Looked { view, facts, recorded, unanswered } = looked;
        let newly_refused = view.site_file_refused && !open.notice.refused;
        open.notice.refused = view.site_file_refused;
        open.notice.standing = view.standing;
        open.notice.looked_on = Some(now.date());
        let facts_changed = open.facts != facts;
        open.facts = facts.clone();
        let view_changed = open.notice.view.as_ref() != Some(&view);
        // What face entry stands on may have changed: the idle screen and the reasons are looked at again.
        open.stale |= view_changed || facts_changed;
        open.notice.view = Some(view.clone());
        if !unanswered.is_empty() {
            open.shared.ring();
        }
        if newly_refused {
            self.fail(Failure::Notice(NoticeFailure::SiteFileRefused));
        }
        if facts_changed {
            let missing = facts.missing();
            self.say(StaffEvent::Facts(facts, missing));
        }
        if let Recorded::New { version, stopped, told } = recorded {
            self.stopped_by_change(&stopped, now);
            let stopped = u32::try_from(stopped.len()).unwrap_or(u32::MAX);
            self.say(StaffEvent::Notice(NoticeEvent::NewVersion { version, stopped, told }));
        }
        if view_changed {
            self.say(StaffEvent::Notice(NoticeEvent::View(Box::new(view))));
        }
        self.tell_person();
    }

    /// Freezes go out at once; a visit that stands on a stopped consent ends.
    fn stopped_by_change(&mut self, stopped: &[ResidentId], now: Timestamp) {
        let Some(open) = self.open.as_ref() else { return };
        open.shared.ring();
        if open.flow.consent().is_some_and(|consent| stopped.contains(&consent.resident())) {
            self.stop_visit(Some(Failure::FaceNotOffered), now);
        }
        self.show_opened(now);
    }

    /// The opened resident's news, when they changed.
    fn tell_person(&mut self) {
        let Some(open) = self.open.as_ref() else { return };
        let Some(resident) = open.opened else {
            if let Some(open) = self.open.as_mut() {
                open.notice.person = None;
            }
            return;
        };
        let Some(news) = self.vault(|v| person_news(v, resident)) else { return };
        let told = Some((resident, news.clone()));
        if let Some(open) = self.open.as_mut()
            && open.notice.person != told
        {
            open.notice.person = told;
            self.out.push(Event::Staff(StaffEvent::Notice(NoticeEvent::Person(resident, news.map(Box::new)))));
        }
    }
}

fn person_news(vault: &Vault, resident: ResidentId) -> Result<Option<PersonNews>, VaultError> {
    let Some(news) = vault.news_of(resident)? else { return Ok(None) };
    let gates = vault.gates()?;
    let label = |id: &GateId| -> GateLabel {
        gates.iter().find(|gate| gate.id == *id).map_or_else(|| id.short(), |gate| gate.name.clone())
    };
    Ok(Some(PersonNews {
        from: news.from,
        to: news.to,
        answer_by: news.answer_by.filter(|_| news.asks),
        stopped: news.stopped.iter().map(label).collect(),
        untold: news.untold,
        told_at: news.told_at,
    }))
}

fn look(open: &mut Open, engine: &EngineId, now: Timestamp) -> Result<Looked, VaultError> {
    let today = now.date();
    // Nothing ends by its date while the clock cannot be believed.
    let unanswered = if open.clock_doubt.is_some() { vec![] } else { open.vault.end_unanswered(now)? };
    let (mut facts, refused) = match open.vault.facts_on(today) {
        Ok(facts) => (facts, false),
        // Facts that cannot be trusted are none: face entry is off, and nothing is counted as a change.
        Err(VaultError::SiteFileRefused) => (SiteFacts::default(), true),
        Err(error) => return Err(error),
    };
    let gates = open.vault.gates()?;
    let stand = notice::stand(&facts, &open.vault.doors_in_use()?, engine).map_err(|unfilled| text_lost(&unfilled))?;
    let mut recorded = Recorded::Same;
    if !refused {
        recorded = open.vault.record_stand(&stand, now)?;
        if recorded != Recorded::Same {
            // Version and day are part of the facts.
            facts = open.vault.facts_on(today)?;
        }
    }
    let (assessments, damaged) = match open.vault.assessments() {
        Ok(all) => (all, false),
        Err(VaultError::RegistryRefused) => (vec![], true),
        Err(error) => return Err(error),
    };
    let newest = assessments.into_iter().next_back();
    let scope = stand.scope_sha256();
    let standing = match damaged || refused {
        true => Standing::Damaged,
        false => {
            let registered = newest.as_ref().map(|row| (&row.assessment, row.registered_at));
            assessment::judge(registered, scope, &open.vault.major_incidents()?, today)
        }
    };
    let register = open.vault.entrusted()?;
    let view = NoticeView {
        version: open.vault.notice_version()?.map(|row| (row.version, row.in_use_on)),
        site_file: open.vault.site_file()?.map(|row| (row.number, hex(&row.sha256), row.recorded_at)),
        site_file_refused: refused,
        standing,
        assessment: newest.map(|row| row.assessment),
        scope: hex(&scope),
        versions: open.vault.version_news()?,
        signs: signs(&open.vault, &facts, &gates, engine)?,
        entrusted: register
            .into_iter()
            .map(|row| {
                let in_force = row.entry.is_in_force(today);
                EntrustedView { number: row.number, entry: row.entry, in_force }
            })
            .collect(),
        persons_held: open.vault.persons_held()?,
    };
    Ok(Looked { view, facts, recorded, unanswered })
}

fn text_lost(unfilled: &Unfilled) -> VaultError {
    tracing::error!(%unfilled, "a built-in text cannot be read");
    VaultError::Refused(0)
}

/// The words of a sign: of a gate, or of the desk, whose camera takes in the guide box only.
pub(super) fn sign_words(
    facts: &SiteFacts,
    gate: Option<&GateRecord>,
    engine: &EngineId,
    language: Language,
) -> Result<Rendered, Unfilled> {
    let mut values =
        notice::values_for(facts, gate.map(std::slice::from_ref).unwrap_or_default(), language, engine, None);
    let area = match (gate, language) {
        (Some(gate), _) => gate.capture_area.clone(),
        (None, Language::Chinese) => "前台摄像头的引导框内，只在本人同意之后".to_owned(),
        (None, Language::English) => "the guide box of the desk camera, only after the person's own consent".to_owned(),
    };
    values.insert("capture_area".into(), area);
    notice::render(Text::Sign, language, &values)
}

/// Digest of the governing words of a sign; words that cannot be filled yet are no sign.
pub(super) fn sign_digest(facts: &SiteFacts, gate: Option<&GateRecord>, engine: &EngineId) -> Option<[u8; 32]> {
    let words = sign_words(facts, gate, engine, Language::Chinese).ok()?;
    Some(Sha256::digest(words.markdown.as_bytes()).into())
}

fn signs(
    vault: &Vault,
    facts: &SiteFacts,
    gates: &[GateRecord],
    engine: &EngineId,
) -> Result<Vec<SignView>, VaultError> {
    let posted = vault.signs()?;
    let view = |gate: Option<&GateRecord>| {
        let mark = posted.iter().find(|row| row.gate == gate.map(|g| g.id));
        let state = match mark {
            None => SignState::Missing,
            Some(mark) if Some(mark.words_sha256) == sign_digest(facts, gate, engine) => {
                SignState::Posted(mark.posted_on)
            }
            Some(mark) => SignState::Outdated(mark.posted_on),
        };
        SignView {
            gate: gate.map(|g| g.id),
            name: gate.map(|g| g.name.clone()).unwrap_or_default(),
            state,
            by: mark.map(|m| m.by.clone()).unwrap_or_default(),
        }
    };
    let faces = gates.iter().filter(|gate| gate.takes_faces);
    Ok(std::iter::once(view(None)).chain(faces.map(|gate| view(Some(gate)))).collect())
}
