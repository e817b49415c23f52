//! Signing on paper, for whoever cannot or will not sign on the screen: the box is ticked and *Yes* is pressed on the resident window, the
//! form is printed, signed and seen, and the resident confirms on the same window. The paper replaces the signature and nothing else.
//! Rules: P14a, P29; notice, section 16.
//!
//! Deliberately absent: any staff command that consents. What staff note is that they saw a signed form.

use std::path::{Path, PathBuf};

use super::desk::{Desk, failure_of};
use super::enroll::Flow;
use super::event::{Failure, StaffEvent};
use super::guardian::{GuardianScene, Yes, notice_text};
use crate::domain::consent::Signature;
use crate::domain::id::FormId;
use crate::domain::time::Timestamp;
use crate::evidence;
use crate::notice::{self, Rendered};
use crate::secret::random_bytes;

/// From the staff window, while a form is asked for.
#[derive(Debug)]
pub enum FormCommand {
    /// Writes the form as a PDF, to be printed.
    Save(PathBuf),
    /// The signed form is here and was looked at.
    Seen,
}

/// The form that is under way, for the staff window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormView {
    /// Its short number, as printed on it.
    pub number: String,
    /// Staff looked at the signed form.
    pub seen: bool,
    /// Where it was saved.
    pub saved_to: Option<String>,
}

/// A form under way. The page that it belongs to waits inside.
pub(super) struct OnPaper {
    pub page: Flow,
    pub form: FormId,
    pub sheet: Rendered,
    pub seen: bool,
    pub saved_to: Option<String>,
}

impl OnPaper {
    fn no(&self) -> String {
        match &self.page {
            Flow::Deciding(_, page) => page.no.clone(),
            Flow::Informing(informing) => informing.page.no.clone(),
            _ => String::new(),
        }
    }

    fn view(&self) -> FormView {
        FormView { number: self.form.short().to_uppercase(), seen: self.seen, saved_to: self.saved_to.clone() }
    }
}

impl Desk {
    pub(super) fn handle_form(&mut self, command: FormCommand, now: Timestamp) {
        let mut paper = match self.flow() {
            Flow::OnPaper(paper) => paper,
            other => return self.set(other),
        };
        match command {
            FormCommand::Save(path) => match write_form(&path, &paper) {
                Ok(()) => paper.saved_to = Some(path.display().to_string()),
                Err(why) => self.fail(Failure::PaperNotWritten(why)),
            },
            FormCommand::Seen => {
                let form = paper.form;
                paper.seen |= self.vault(|v| v.record_form_seen(form, now)).is_some();
            }
        }
        self.show_paper(paper);
    }

    /// From the signature to the form: its words are those of the page, and its number goes into the consent record.
    pub(super) fn ask_form(&mut self, now: Timestamp) {
        let page = self.flow();
        let (noticed, whole, words) = match &page {
            Flow::Deciding(noticed, page) => (noticed, page.markdown.clone(), page.sentence.clone()),
            Flow::Informing(informing) => (&informing.noticed, informing.words.clone(), informing.words.clone()),
            _ => return self.set(page),
        };
        let (resident, language) = (noticed.person.resident.id, noticed.language);
        let mut values = noticed.values.get(&language).cloned().unwrap_or_default();
        if let Ok(code) = notice::check_code(notice_text(noticed.person.case.decider), language, &values) {
            values.insert("notice_hash".into(), code);
        }
        let form = FormId::from_bytes(random_bytes());
        values.insert("form_no".into(), form.short().to_uppercase());
        values.insert("words_hash".into(), digest(&words));
        let Ok(sheet) = notice::paper_form(&whole, language, &values) else {
            return self.ended(Some(Failure::FaceNotOffered));
        };
        let recorded = self.open.as_mut().map(|o| o.vault.record_form(form, resident, &words, &sheet.markdown, now));
        match recorded {
            Some(Ok(())) => {
                self.show_paper(Box::new(OnPaper { page, form, sheet, seen: false, saved_to: None }));
            }
            Some(Err(error)) => {
                self.fail(failure_of(error));
                self.show_page(page);
            }
            None => {}
        }
    }

    fn show_paper(&mut self, paper: Box<OnPaper>) {
        let (number, seen, no) = (paper.view().number, paper.seen, paper.no());
        self.set(Flow::OnPaper(paper));
        self.say_scene(GuardianScene::Form { number, seen, no });
    }

    /// The resident's own act on the resident window; without it a signed form is nothing.
    pub(super) fn confirm_form(&mut self, now: Timestamp) {
        let paper = match self.flow() {
            Flow::OnPaper(paper) if paper.seen => paper,
            other => return self.set(other),
        };
        let signature = Signature::Paper(paper.form);
        match paper.page {
            Flow::Deciding(mut noticed, page) => {
                if self.is_outdated(&mut noticed, now) {
                    return self.show_notice(*noticed, now);
                }
                self.said_yes(noticed, page, Yes { signature, at: now }, now);
            }
            Flow::Informing(informing) => self.informed(informing, signature, now),
            other => self.set(other),
        }
    }

    pub(super) fn leave_form(&mut self) {
        match self.flow() {
            Flow::OnPaper(paper) => self.show_page(paper.page),
            other => self.set(other),
        }
    }

    /// Tells the staff window which form is under way, when that changed.
    pub(super) fn say_form(&mut self) {
        let Some(open) = self.open.as_mut() else { return };
        let now = match &open.flow {
            Flow::OnPaper(paper) => Some(paper.view()),
            _ => None,
        };
        if open.form_shown != now {
            open.form_shown.clone_from(&now);
            self.say(StaffEvent::Form(now));
        }
    }
}

/// The PDF with a code that carries the form's number and the digest of the sheet.
fn write_form(path: &Path, paper: &OnPaper) -> Result<(), String> {
    let qr = format!("MENKA-FORM1:{}:{}", paper.form, evidence::hex(&paper.sheet.reference.sha256).to_uppercase());
    let pdf = crate::paper::receipt_pdf(&paper.sheet, &qr).map_err(|e| e.to_string())?;
    std::fs::write(path, pdf).map_err(|e| e.to_string())
}

fn digest(words: &str) -> String {
    use sha2::Digest;
    evidence::hex(&sha2::Sha256::digest(words.as_bytes()))
}
