//! The register of requests at the staff window. A request can be refused in writing only.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::command::StaffCommand;
use super::desk::Desk;
use super::event::Failure;
use super::rights::{AllHeld, RequestFault, RequestView, RightsCommand, RightsTold, write_pdf};
use crate::domain::audit::Actor;
use crate::domain::id::ResidentId;
use crate::domain::notice::{Language, NoticeRef};
use crate::domain::rights::{
    Came, Given, Identity, RefusalWords, RequestKind, RequestLine, RequestNo, WrittenRefusal, section_label,
};
use crate::domain::role::LookWhy;
use crate::domain::site::Fact;
use crate::domain::time::Timestamp;
use crate::notice::{self, HeldWords, Rendered, Text, Values};
use crate::vault::NewRequest;

/// Longest words of a request, in characters.
const WORDS_CHARS_MAX: usize = 600;

impl Desk {
    pub(super) fn handle_rights(&mut self, command: RightsCommand, now: Timestamp) {
        if self.open.is_none() {
            return;
        }
        let Some(command) = self.with_its_record(command, now) else { return };
        match command {
            RightsCommand::Show => self.tell_register(now),
            RightsCommand::Receive { resident, kind, came, identity, asker, words } => {
                let due_on = self.terms().due_on(kind, now.date());
                let (asker, words) = (short(&asker), short(&words));
                let new = NewRequest { resident, kind, came, identity, asker, words, due_on };
                if let Some(no) = self.vault(|v| v.receive_request(&new, true, now)) {
                    self.told(RightsTold::Received(no));
                    self.tell_register(now);
                }
            }
            RightsCommand::Open(no) => self.open_request(no, now),
            RightsCommand::Grant(no) => {
                if self.vault(|v| v.grant_request(no, now)).is_some() {
                    self.tell_register(now);
                    self.tell_request(no, now);
                }
            }
            RightsCommand::Finish { no, answer } => {
                if answer.trim().is_empty() {
                    return self.fail(Failure::Request(RequestFault::AnswerMissing));
                }
                if self.vault(|v| v.finish_request(no, &short(&answer), now)).is_some() {
                    self.told(RightsTold::Noted);
                    self.tell_register(now);
                }
            }
            RightsCommand::Refuse { no, words } => self.refuse_request(no, &words, now),
            RightsCommand::SaveLetter { no, path } => self.save_letter(no, &path, now),
            RightsCommand::SeeAll(resident) => match self.all_held(resident, Given::Shown, true, now) {
                Ok((_, text)) => self.told(RightsTold::All(AllHeld(Arc::new(text)))),
                Err(failure) => self.fail(failure),
            },
            RightsCommand::SavePaper { resident, path } => {
                self.give(resident, RequestKind::See, "copy-paper", &path, now);
            }
            RightsCommand::SaveCopy { resident, path } => {
                self.give(resident, RequestKind::Transfer, "copy-electronic", &path, now);
            }
            RightsCommand::SaveGuardianPaper { resident, path } => match self.guardian_held(resident, now) {
                Ok(text) => self.saved(&path, Some(&text)),
                Err(failure) => self.fail(failure),
            },
            RightsCommand::SaveExplanations(path) => {
                let text = notice::render(Text::Explain, self.language, &Values::new()).ok();
                self.saved(&path, text.as_ref());
            }
            RightsCommand::Explained(resident) => {
                let noted = self.vault(|v| v.record_explained(resident, section_label(0), true, now)).is_some();
                if noted
                    && self.note_done_at_once(resident, RequestKind::Explain, "explained-done", true, now).is_some()
                {
                    self.told(RightsTold::Noted);
                }
            }
            RightsCommand::RefuseFace { resident, came, identity } => {
                self.refuse_face(resident, (came, identity), now);
            }
            RightsCommand::Died { resident, kin, relation } => self.died(resident, &kin, &relation, now),
        }
    }

    pub(super) fn tell_register(&mut self, now: Timestamp) {
        if let Some(lines) = self.vault(|v| v.open_requests(now)) {
            self.told(RightsTold::Register(lines));
        }
    }

    /// Opens the record that a command gives something out of, if it is not open already.
    fn with_its_record(&mut self, command: RightsCommand, now: Timestamp) -> Option<RightsCommand> {
        use RightsCommand as R;
        let resident = match &command {
            R::Open(no) | R::Grant(no) | R::Refuse { no, .. } | R::SaveLetter { no, .. } => {
                self.line(*no, now).and_then(|line| line.resident)
            }
            R::SeeAll(resident)
            | R::SavePaper { resident, .. }
            | R::SaveCopy { resident, .. }
            | R::SaveGuardianPaper { resident, .. } => Some(*resident),
            // Noted: nothing of the person is given out, and only a minor's record must be open.
            R::Finish { .. } | R::Explained(_) | R::Died { .. } => return self.noted_about_minor(command, now),
            // Taken in, since the clock runs, or stopped.
            R::Receive { resident, .. } => {
                if let Some(resident) = *resident {
                    self.note_minor_look(resident, LookWhy::Request, now);
                }
                None
            }
            R::RefuseFace { resident, .. } => {
                self.note_minor_look(*resident, LookWhy::Request, now);
                None
            }
            R::Show | R::SaveExplanations(_) => None,
        };
        let Some(resident) = resident else { return Some(command) };
        match self.with_record(resident, LookWhy::Request, StaffCommand::Rights(command), now)? {
            StaffCommand::Rights(command) => Some(command),
            _ => None,
        }
    }

    /// The same for what is noted about a minor.
    fn noted_about_minor(&mut self, command: RightsCommand, now: Timestamp) -> Option<RightsCommand> {
        let resident = match &command {
            RightsCommand::Finish { no, .. } => self.line(*no, now).and_then(|line| line.resident),
            RightsCommand::Explained(resident) | RightsCommand::Died { resident, .. } => Some(*resident),
            _ => None,
        };
        let Some(resident) = resident else { return Some(command) };
        match self.with_minor(resident, LookWhy::Request, StaffCommand::Rights(command), now)? {
            StaffCommand::Rights(command) => Some(command),
            _ => None,
        }
    }

    /// Opens a request; the person's record is open by now.
    fn open_request(&mut self, no: RequestNo, now: Timestamp) {
        if self.line(no, now).is_none() {
            return;
        }
        self.tell_request(no, now);
        self.show_opened(now);
    }

    fn tell_request(&mut self, no: RequestNo, now: Timestamp) {
        let Some(line) = self.line(no, now) else { return };
        let seen = self.vault(|v| {
            let full = v.open_request(no, now)?;
            let person = line.resident.map(|id| v.resident(id)).transpose()?;
            let letter = if line.refused { Some(v.refusal_letter(no)?) } else { None };
            Ok((full, person, letter))
        });
        let Some((full, person, letter)) = seen else { return };
        self.told(RightsTold::Request(Box::new(RequestView {
            line,
            person: person.map(|p| (p.name.as_str().to_owned(), p.unit.as_str().to_owned())),
            identity: Identity::parse(&full.identity),
            asker: full.asker,
            words: full.words,
            letter: letter.map(|l| notice::plain(&l)),
        })));
    }

    fn line(&mut self, no: RequestNo, now: Timestamp) -> Option<RequestLine> {
        self.vault(|v| v.request_line(no, now)).flatten()
    }

    /// Writes the letter, checks that it is complete, and only then closes the request as refused. Rule P50.
    fn refuse_request(&mut self, no: RequestNo, words: &RefusalWords, now: Timestamp) {
        let words = match words.checked() {
            Ok(words) => words,
            Err(fault) => return self.fail(Failure::Request(RequestFault::Refusal(fault))),
        };
        let Some(line) = self.line(no, now) else { return self.fail(Failure::Request(RequestFault::Decided)) };
        let language = self.language;
        let Some(mut values) = self.letter_values(&line, language, now) else { return };
        values.insert("refused_part".into(), words.part.clone());
        values.insert("refusal_reason".into(), words.reason.clone());
        values.insert("legal_basis".into(), words.basis.clone());
        let Ok(letter) = notice::render(Text::RefusalReply, language, &values) else {
            return self.fail(Failure::Request(RequestFault::FactsMissing));
        };
        let facts = self.open.as_ref().map(|o| o.facts.clone()).unwrap_or_default();
        let authorities = [facts.get(Fact::CacContact), facts.get(Fact::HousingContact)];
        let plain = notice::plain(&letter.markdown);
        match WrittenRefusal::new(&words, letter.markdown, &plain, &authorities) {
            Ok(refusal) => {
                if self.vault(|v| v.refuse_request(no, &refusal, now)).is_some() {
                    self.tell_register(now);
                    self.tell_request(no, now);
                }
            }
            Err(fault) => self.fail(Failure::Request(RequestFault::Refusal(fault))),
        }
    }

    fn letter_values(&mut self, line: &RequestLine, language: Language, now: Timestamp) -> Option<Values> {
        let mut values = self.site_values(language);
        let words = HeldWords::load(language);
        let person = match line.resident {
            Some(id) => self.vault(|v| v.resident(id))?.name.as_str().to_owned(),
            None => self.vault(|v| v.open_request(line.no, now))?.asker,
        };
        let operator = self.open.as_ref().map(|o| o.vault.operator().1)?;
        let said = if person.trim().is_empty() { words.say("none") } else { person };
        values.insert("person_name".into(), said);
        values.insert("request_time".into(), line.received_at.minute_text());
        values.insert("request_kind".into(), words.say(line.kind.label()));
        values.insert("request_no".into(), line.no.to_string());
        values.insert("operator_name".into(), operator);
        values.insert("reply_time".into(), now.minute_text());
        Some(values)
    }

    /// Saves the letter as it is kept, byte for byte, and stamps the request as done.
    fn save_letter(&mut self, no: RequestNo, path: &Path, now: Timestamp) {
        let Some(markdown) = self.vault(|v| v.refusal_letter(no)) else { return };
        let language = if markdown.starts_with("# Reply") { Language::English } else { Language::Chinese };
        let Ok(header) = notice::header(Text::RefusalReply, language) else { return };
        let sha256 = Sha256::digest(markdown.as_bytes()).into();
        let reference = NoticeRef { id: header.id, version: header.version, language, sha256 };
        match write_pdf(path, &Rendered { markdown, reference }) {
            Ok(()) => {
                if self.vault(|v| v.finish_request(no, "", now)).is_some() {
                    self.told(RightsTold::Saved(path.display().to_string()));
                    self.tell_register(now);
                }
            }
            Err(failure) => self.fail(failure),
        }
    }

    /// Hands out everything held, as a paper or an electronic copy; registered as a request that is done with it.
    fn give(&mut self, resident: ResidentId, kind: RequestKind, answer: &'static str, path: &Path, now: Timestamp) {
        let how = if kind == RequestKind::Transfer { Given::Electronic } else { Given::Paper };
        let given = self.give_to(resident, how, path, true, now);
        self.tell_joins();
        match given {
            Ok(_) => {
                self.note_done_at_once(resident, kind, answer, true, now);
                self.told(RightsTold::Saved(path.display().to_string()));
            }
            Err(failure) => self.fail(failure),
        }
    }

    /// The same for either window.
    pub(super) fn give_to(
        &mut self,
        resident: ResidentId,
        how: Given,
        path: &Path,
        by_staff: bool,
        now: Timestamp,
    ) -> Result<Rendered, Failure> {
        let (dossier, text) = self.all_held(resident, how, by_staff, now)?;
        match how {
            Given::Electronic => self.write_copy(path, &dossier)?,
            Given::Paper | Given::Shown => write_pdf(path, &text)?,
        }
        Ok(text)
    }

    fn saved(&mut self, path: &Path, text: Option<&Rendered>) {
        let Some(text) = text else { return self.fail(Failure::Request(RequestFault::FactsMissing)) };
        match write_pdf(path, text) {
            Ok(()) => self.told(RightsTold::Saved(path.display().to_string())),
            Err(failure) => self.fail(failure),
        }
    }

    /// Somebody who called, wrote or sent somebody refuses any processing of a face. Entered by staff, lifted by the person's card only.
    fn refuse_face(&mut self, resident: ResidentId, how: (Came, Identity), now: Timestamp) {
        let Some((staff, _)) = self.open.as_ref().map(|o| o.vault.operator()) else { return };
        self.stop_visit_of(resident, now);
        if self.vault(|v| v.restrict(resident, Actor::Staff(staff), now)).is_some() {
            self.note_done_as(resident, RequestKind::Restrict, "face-refused", (true, how), now);
            self.ring();
            self.told(RightsTold::Noted);
            self.show_opened(now);
        }
    }

    /// A resident has died: the face is stopped at every gate at once, and the family's request is on the register. Rule P49.
    fn died(&mut self, resident: ResidentId, kin: &str, relation: &str, now: Timestamp) {
        let (kin, relation) = (short(kin), short(relation));
        if kin.is_empty() || relation.is_empty() {
            return self.fail(Failure::Request(RequestFault::KinMissing));
        }
        self.stop_visit_of(resident, now);
        if self.vault(|v| v.record_death(resident, &kin, &relation, now)).is_none() {
            return;
        }
        self.ring();
        let due_on = self.terms().due_on(RequestKind::AfterDeath, now.date());
        let new = NewRequest {
            resident: Some(resident),
            kind: RequestKind::AfterDeath,
            came: Came::Desk,
            identity: Identity::ActsForPerson,
            asker: format!("{kin}, {relation}"),
            words: String::new(),
            due_on,
        };
        if let Some(no) = self.vault(|v| v.receive_request(&new, true, now)) {
            self.told(RightsTold::Received(no));
        }
        self.tell_register(now);
        self.show_opened(now);
    }

    /// Stops a visit that stands on this person's consent, so that the ending is recorded for what it is.
    fn stop_visit_of(&mut self, resident: ResidentId, now: Timestamp) {
        let stands = self.open.as_ref().and_then(|o| o.flow.consent()).is_some_and(|c| c.resident() == resident);
        if stands {
            self.wipe(now);
            self.ended(None);
        }
    }

    pub(super) fn ring(&mut self) {
        if let Some(open) = self.open.as_ref() {
            open.shared.ring();
        }
    }
}

fn short(text: &str) -> String {
    let kept = text.trim().chars().take(WORDS_CHARS_MAX);
    kept.map(|c| if c.is_control() { ' ' } else { c }).collect()
}
