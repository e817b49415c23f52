//! What staff do about the notice: register, enter, mark, print. Rules: P17c, P21, P26, P28, P55, F09a, F10b, F13a.

use std::path::Path;

use super::command::{FactText, StaffCommand, parse_date};
use super::desk::{Desk, failure_of};
use super::event::{Failure, StaffEvent};
use super::notice::{AssessmentTyped, NoticeCommand, NoticeEvent, NoticeFailure, Paper};
use super::notice_care::{sign_digest, sign_words};
use super::operators::OperatorsEvent;
use crate::domain::approval::Act;
use crate::domain::assessment::{self, Assessment, AssessmentFault};
use crate::domain::audit::Actor;
use crate::domain::change::ToldOn;
use crate::domain::entrusted::{Entrusted, EntrustedFault, Field};
use crate::domain::gate::GateRecord;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::notice::Language;
use crate::domain::role::LookWhy;
use crate::domain::site::{Fact, SiteFacts};
use crate::domain::time::{CivilDate, Timestamp};
use crate::evidence::hex;
use crate::notice::{self, PersonCase, Rendered, Text, Values};
use crate::vault::VaultError;

/// Largest site file that is read, in bytes.
const SITE_FILE_MAX: u64 = 256 * 1024;

impl Desk {
    pub(super) fn handle_notice(&mut self, command: NoticeCommand, now: Timestamp) {
        let done = match command {
            NoticeCommand::SaveFactsAnyway(facts) => {
                self.write_facts(facts, now);
                return;
            }
            NoticeCommand::RegisterAssessment(typed) => self.register_assessment(*typed, now),
            NoticeCommand::EnterIncident(day) => {
                past_day(&day, now).and_then(|day| self.kept(|v| v.record_incident(day, now)))
            }
            NoticeCommand::EnterEntrusted { fields, begins_on, ends_on } => {
                self.enter_entrusted(fields, &begins_on, &ends_on, now)
            }
            NoticeCommand::EndEntrusted(number) => self.kept(|v| v.end_entrusted(number, now)),
            NoticeCommand::SignPosted { gate, posted_on } => self.sign_posted(gate, &posted_on, now),
            NoticeCommand::TellOnPaper(resident) => {
                let again = StaffCommand::Notice(NoticeCommand::TellOnPaper(resident));
                if self.with_minor(resident, LookWhy::Other, again, now).is_none() {
                    return;
                }
                self.tell_on_paper(resident, now)
            }
            NoticeCommand::Save { paper, language, path } => {
                // A paper about one person is a look at that record, though the page stays as it is.
                if let Paper::ChangeSheet(resident) | Paper::OtherWaysFor(resident) = paper {
                    let again = StaffCommand::Notice(NoticeCommand::Save { paper, language, path: path.clone() });
                    let known = self.open.as_ref().map(|open| open.vault.needs_second_person(resident, now));
                    if matches!(known, Some(Err(VaultError::Unknown))) {
                        return self.fail(Failure::Notice(NoticeFailure::Nothing));
                    }
                    if self.glance(resident, LookWhy::Other, again, now).is_none() {
                        return;
                    }
                }
                match self.save_paper(paper, language, &path) {
                    Ok(()) => {
                        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                        self.say(StaffEvent::Notice(NoticeEvent::Saved(name)));
                    }
                    Err(failure) => self.fail(failure),
                }
                return;
            }
            NoticeCommand::LoadSiteFile(path) => {
                match self.load_site_file(&path) {
                    Ok(facts) => self.save_facts(facts, now),
                    Err(failure) => self.fail(failure),
                }
                return;
            }
        };
        match done {
            Ok(()) => self.say(StaffEvent::Notice(NoticeEvent::Entered)),
            Err(failure) => self.fail(failure),
        }
    }

    /// Runs a vault operation and gives its error back as a failure.
    fn kept<T>(&mut self, act: impl FnOnce(&mut crate::vault::Vault) -> Result<T, VaultError>) -> Result<T, Failure> {
        let open = self.open.as_mut().ok_or(Failure::Notice(NoticeFailure::Nothing))?;
        act(&mut open.vault).map_err(failure_of)
    }

    /// Facts that would stop somebody's face are not written before staff have seen how many.
    pub(super) fn save_facts(&mut self, facts: SiteFacts, now: Timestamp) {
        match self.foresee(&facts, now) {
            Ok((parts, people)) if people > 0 => {
                let facts = Box::new(facts);
                self.say(StaffEvent::Notice(NoticeEvent::WouldStop { facts, parts, people }));
            }
            Ok(_) => self.write_facts(facts, now),
            Err(failure) => self.fail(failure),
        }
    }

    fn foresee(
        &mut self,
        typed: &SiteFacts,
        now: Timestamp,
    ) -> Result<(Vec<crate::domain::change::Part>, u32), Failure> {
        let engine = self.devices.engine.engine();
        let open = self.open.as_mut().ok_or(Failure::Notice(NoticeFailure::Nothing))?;
        let mut facts = match open.vault.facts_on(now.date()) {
            Ok(facts) => facts,
            // Nothing can be compared with a file that was refused; writing it anew is the way out.
            Err(VaultError::SiteFileRefused) => return Ok((vec![], 0)),
            Err(error) => return Err(failure_of(error)),
        };
        Fact::typed().for_each(|fact| facts.set(fact, typed.get(fact)));
        let gates = open.vault.doors_in_use().map_err(failure_of)?;
        let stand = notice::stand(&facts, &gates, &engine)
            .map_err(|unfilled| Failure::Notice(NoticeFailure::Unfilled(unfilled.0)))?;
        let (change, people) = open.vault.foresee_stand(&stand).map_err(failure_of)?;
        Ok((change.parts.iter().map(|changed| changed.part).filter(|part| part.is_material()).collect(), people))
    }

    /// Writes the facts; a second person approves what changes, and is shown it.
    fn write_facts(&mut self, facts: SiteFacts, now: Timestamp) {
        let Some(changed) = self.changed_facts(&facts) else { return };
        let (mut approval, mut facts) = (None, facts);
        if !changed.is_empty() {
            let again = StaffCommand::Notice(NoticeCommand::SaveFactsAnyway(facts));
            match self.approved(Act::ChangeSite, again, now) {
                Some((given, StaffCommand::Notice(NoticeCommand::SaveFactsAnyway(again)))) => {
                    (approval, facts) = (given, again);
                }
                _ => {
                    if self.operators.waits_for(Act::ChangeSite) {
                        self.tell(OperatorsEvent::ApprovalAbout(changed));
                    }
                    return;
                }
            }
        }
        if self.vault(|v| v.record_facts(&facts, approval, now)).is_some() {
            let in_force = self.vault(|v| v.facts_on(now.date()));
            if let (Some(open), Some(facts)) = (self.open.as_mut(), in_force) {
                open.facts = facts.clone();
                let missing = facts.missing();
                self.say(StaffEvent::Facts(facts, missing));
            }
        }
    }

    /// What would be written otherwise than it is, with its new words; everything that is typed when the file in force was refused.
    fn changed_facts(&mut self, typed: &SiteFacts) -> Option<Vec<FactText>> {
        let open = self.open.as_ref()?;
        let before = match open.vault.facts() {
            Ok(before) => before,
            Err(VaultError::SiteFileRefused) => SiteFacts::default(),
            Err(error) => {
                self.fail(failure_of(error));
                return None;
            }
        };
        let changed = Fact::typed().filter(|fact| before.get(*fact) != typed.get(*fact));
        Some(changed.map(|fact| (fact, typed.get(fact).to_owned())).collect())
    }

    fn register_assessment(&mut self, typed: AssessmentTyped, now: Timestamp) -> Result<(), Failure> {
        let wrong = |fault| Failure::Notice(NoticeFailure::Assessment(fault));
        let engine = self.devices.engine.engine();
        let open = self.open.as_mut().ok_or(Failure::Notice(NoticeFailure::Nothing))?;
        let gates = open.vault.doors_in_use().map_err(failure_of)?;
        let stand = notice::stand(&open.facts, &gates, &engine)
            .map_err(|unfilled| Failure::Notice(NoticeFailure::Unfilled(unfilled.0)))?;
        let made = Assessment {
            number: typed.number,
            signed_on: parse_date(&typed.signed_on).ok_or(wrong(AssessmentFault::Date))?,
            signer: typed.signer,
            heads: typed.heads,
            necessity: typed.necessity,
            review_on: parse_date(&typed.review_on).ok_or(wrong(AssessmentFault::Review))?,
            scope_sha256: stand.scope_sha256(),
        };
        let made = made.check(now.date()).map_err(wrong)?;
        open.vault.record_assessment(&made, now).map_err(failure_of)
    }

    fn enter_entrusted(
        &mut self,
        fields: [String; 6],
        begins_on: &str,
        ends_on: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let wrong = |fault| Failure::Notice(NoticeFailure::Entrusted(fault));
        let day = |text: &str| parse_date(text).ok_or(wrong(EntrustedFault::Dates));
        let entry = Entrusted { fields, begins_on: day(begins_on)?, ends_on: day(ends_on)? };
        let entry = entry.check().map_err(wrong)?;
        self.kept(|v| v.record_entrusted(&entry, now))
    }

    fn sign_posted(&mut self, gate: Option<GateId>, posted_on: &str, now: Timestamp) -> Result<(), Failure> {
        let day = past_day(posted_on, now)?;
        let record = self.gate_record(gate)?;
        let engine = self.devices.engine.engine();
        let open = self.open.as_ref().ok_or(Failure::Notice(NoticeFailure::Nothing))?;
        let words = sign_digest(&open.facts, record.as_ref(), &engine);
        let words = words.ok_or_else(|| Failure::Notice(NoticeFailure::Unfilled(vec![])))?;
        self.kept(|v| v.record_sign(gate, words, day, now))
    }

    fn gate_record(&mut self, gate: Option<GateId>) -> Result<Option<GateRecord>, Failure> {
        let Some(id) = gate else { return Ok(None) };
        let found = self.kept(|v| v.gates())?.into_iter().find(|record| record.id == id);
        found.map(Some).ok_or(Failure::Notice(NoticeFailure::Nothing))
    }

    fn tell_on_paper(&mut self, resident: ResidentId, now: Timestamp) -> Result<(), Failure> {
        let open = self.open.as_mut().ok_or(Failure::Notice(NoticeFailure::Nothing))?;
        let by = Actor::Staff(open.vault.operator().0);
        match open.vault.record_told(resident, ToldOn::Paper, by, now) {
            Ok(()) => Ok(()),
            Err(VaultError::ConsentNotCurrent) => Err(Failure::Notice(NoticeFailure::Nothing)),
            Err(error) => Err(failure_of(error)),
        }
    }

    fn load_site_file(&mut self, path: &Path) -> Result<SiteFacts, Failure> {
        let cannot = |error: std::io::Error| Failure::Notice(NoticeFailure::FileUnreadable(error.to_string()));
        if std::fs::metadata(path).map_err(cannot)?.len() > SITE_FILE_MAX {
            return Err(Failure::Notice(NoticeFailure::SiteFileRefused));
        }
        let bytes = std::fs::read(path).map_err(cannot)?;
        self.kept(|v| v.read_site_file(&bytes))
    }

    fn save_paper(&mut self, paper: Paper, language: Language, path: &Path) -> Result<(), Failure> {
        let cannot = |error: std::io::Error| Failure::PaperNotWritten(error.to_string());
        if paper == Paper::SiteFile {
            let row = self.kept(|v| v.site_file())?.ok_or(Failure::Notice(NoticeFailure::Nothing))?;
            return std::fs::write(path, row.file).map_err(cannot);
        }
        let text = self.words_of(paper, language)?;
        let pdf = crate::paper::text_pdf(&text).map_err(|error| Failure::PaperNotWritten(error.to_string()))?;
        std::fs::write(path, pdf).map_err(cannot)
    }

    /// The rendered words of a paper.
    fn words_of(&mut self, paper: Paper, language: Language) -> Result<Rendered, Failure> {
        let unfilled = |unfilled: notice::Unfilled| Failure::Notice(NoticeFailure::Unfilled(unfilled.0));
        let nothing = || Failure::Notice(NoticeFailure::Nothing);
        let engine = self.devices.engine.engine();
        let facts = self.open.as_ref().map(|open| open.facts.clone()).ok_or_else(nothing)?;
        let gates = self.kept(|v| v.gates())?;
        let faces: Vec<GateRecord> = gates.iter().filter(|gate| gate.takes_faces).cloned().collect();
        let public = |language| notice::values_for(&facts, &faces, language, &engine, None);
        match paper {
            Paper::Sign(gate) => {
                let gate = self.gate_record(gate)?;
                sign_words(&facts, gate.as_ref(), &engine, language).map_err(unfilled)
            }
            Paper::OtherWays => notice::render(Text::OtherWays, language, &public(language)).map_err(unfilled),
            Paper::OtherWaysFor(resident) => {
                let card = self.kept(|v| v.current_card(resident))?.ok_or_else(nothing)?;
                let opens: Vec<GateRecord> = gates.into_iter().filter(|gate| card.gates.contains(&gate.id)).collect();
                let case = PersonCase {
                    face_ends_on: card.ends_on,
                    card_last4: card.uid.last4(),
                    card_valid_to: card.ends_on,
                    card_gates: opens.iter().map(|gate| gate.name.clone()).collect(),
                };
                let values = notice::values_for(&facts, &opens, language, &engine, Some(&case));
                notice::render(Text::OtherWays, language, &values).map_err(unfilled)
            }
            Paper::ChangeSheet(resident) => self.change_sheet(resident, language),
            Paper::Assessment => {
                let row = self.kept(|v| v.assessments())?.pop().ok_or_else(nothing)?;
                let mut values = public(language);
                assessment_values(&mut values, &row.assessment, &hex(&row.sha256));
                notice::render(Text::Assessment, language, &values).map_err(unfilled)
            }
            Paper::EntrustedEnd(number) => {
                let row = self.kept(|v| v.entrusted())?.into_iter().find(|row| row.number == number);
                let entry = row.ok_or_else(nothing)?.entry;
                let mut values = public(language);
                for (key, field) in [
                    ("entrusted_name", Field::Name),
                    ("entrusted_task", Field::Task),
                    ("entrusted_kinds", Field::Kinds),
                    ("entrusted_contract", Field::ContractNo),
                ] {
                    values.insert(key.into(), entry.get(field).to_owned());
                }
                values.insert("entrusted_ends_on".into(), entry.ends_on.to_string());
                notice::render(Text::EntrustedEnd, language, &values).map_err(unfilled)
            }
            Paper::SiteFile => Err(nothing()),
        }
    }
}

/// A day as typed, which must not lie ahead.
fn past_day(text: &str, now: Timestamp) -> Result<CivilDate, Failure> {
    let day = parse_date(text).ok_or(Failure::Notice(NoticeFailure::Day))?;
    if day > now.date() { Err(Failure::Notice(NoticeFailure::DayAhead)) } else { Ok(day) }
}

fn assessment_values(values: &mut Values, assessment: &Assessment, record: &str) {
    let [lawful, effect, risk, safeguards] = assessment.heads.clone();
    let written = [
        ("pia_no", assessment.number.clone()),
        ("pia_date", assessment.signed_on.to_string()),
        ("pia_signer", assessment.signer.clone()),
        ("pia_review", assessment.review_on.to_string()),
        ("pia_scope", hex(&assessment.scope_sha256)),
        ("pia_lawful", lawful),
        ("pia_effect", effect),
        ("pia_risk", risk),
        ("pia_safeguards", safeguards),
        ("pia_necessity", assessment.necessity.clone()),
        ("pia_kept_until", assessment::kept_until(assessment.signed_on).to_string()),
        ("pia_record", record.to_owned()),
    ];
    values.extend(written.map(|(key, value)| (key.to_owned(), value)));
}
