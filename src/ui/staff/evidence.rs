//! The evidence: how the log stands, who witnesses it, a head for paper, and the log for an inspector.

use std::path::PathBuf;

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};

use super::{Action, Message as WindowMessage, Pick, Route, S, duties};
use crate::app::command::StaffCommand;
use crate::app::evidence::{ChainView, CheckView, EvidenceCommand, EvidenceEvent, GateWitness, HeadVerdict};
use crate::app::head_due::HeadDue;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// Id of the field for a head from paper.
pub const HEAD: &str = "head-field";

/// What the desk said of the evidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    chain: Option<ChainView>,
    checked: Option<CheckView>,
    head: Option<(String, String)>,
    verdict: Option<HeadVerdict>,
    exported: Option<(u64, String, String)>,
    head_due: Option<HeadDue>,
}

impl Heard {
    /// Takes in what the desk says.
    pub fn hear(&mut self, event: EvidenceEvent) {
        match event {
            EvidenceEvent::Chain(chain) => self.chain = Some(chain),
            EvidenceEvent::Checked(check) => self.checked = Some(check),
            EvidenceEvent::HeadSaved { short, path } => self.head = Some((short, path)),
            EvidenceEvent::HeadChecked(verdict) => self.verdict = Some(verdict),
            EvidenceEvent::Exported { records, path, sha256 } => self.exported = Some((records, path, sha256)),
            EvidenceEvent::HeadDue(due) => self.head_due = due,
            EvidenceEvent::Shown(_)
            | EvidenceEvent::ShownAgain(_)
            | EvidenceEvent::NotAsShown { .. }
            | EvidenceEvent::ReplaySaved(_) => {}
        }
    }

    /// Today's head, while it is due.
    pub fn head_due(&self) -> Option<HeadDue> {
        self.head_due
    }

    /// What must be said on every page: the log does not fit what is known of it.
    pub fn alarm<'a>(&self, texts: &Texts) -> Option<Element<'a, WindowMessage>> {
        let chain = self.chain.as_ref().filter(|chain| chain.is_alarming())?;
        let said = chain.gates.iter().find_map(|(name, witness)| conflict(texts, name, *witness));
        let said = said.or_else(|| chain.keys_older.then(|| tr!(texts, "chain-keys-older")));
        let said = said.unwrap_or_else(|| tr!(texts, "chain-start-broken"));
        Some(widget::telling(S, "chain-alarm", Tone::Alarm, said, Some(tr!(texts, "chain-alarm-todo"))))
    }
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Reads everything again.
    CheckPressed,
    /// A head for paper.
    HeadPressed,
    /// The head from paper changed.
    HeadTyped(String),
    /// Compares it.
    HeadSubmitted,
    /// The authority changed.
    AuthorityTyped(String),
    /// The case number changed.
    CaseTyped(String),
    /// Writes the log for them.
    ExportPressed,
    /// Another page of the evidence.
    GoPressed(Route),
}

/// The page.
#[derive(Debug, Default)]
pub struct Evidence {
    typed: String,
    authority: String,
    case_number: String,
}

impl Evidence {
    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Evidence(command));
        match message {
            Message::CheckPressed => return ask(EvidenceCommand::CheckAll),
            Message::HeadPressed => return Action::Pick(Pick::Head),
            Message::HeadTyped(text) => self.typed = text,
            Message::HeadSubmitted if self.typed.trim().is_empty() => return Action::Focus(HEAD),
            Message::HeadSubmitted => return ask(EvidenceCommand::CheckHead(self.typed.clone())),
            Message::AuthorityTyped(text) => self.authority = text,
            Message::CaseTyped(text) => self.case_number = text,
            Message::ExportPressed if self.may_export() => return Action::Pick(Pick::Log),
            Message::ExportPressed => {}
            Message::GoPressed(route) => return Action::Go(route),
        }
        Action::None
    }

    /// A file was chosen.
    pub fn picked(&mut self, pick: Pick, path: PathBuf) -> Action {
        let command = match pick {
            Pick::Head => EvidenceCommand::SaveHead(path),
            Pick::Log => {
                let (authority, case_number) = (self.authority.clone(), self.case_number.clone());
                EvidenceCommand::Export { authority, case_number, path }
            }
            Pick::Replay => return Action::None,
        };
        Action::Ask(StaffCommand::Evidence(command))
    }

    fn may_export(&self) -> bool {
        !self.authority.trim().is_empty() && !self.case_number.trim().is_empty()
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, heard: &'a Heard) -> Element<'a, Message> {
        let content = column![
            duties::tabs(texts, Route::Evidence).map(Message::GoPressed),
            S.title(tr!(texts, "evidence-title")),
            state(texts, heard),
            self.paper(texts, heard),
            self.inspector(texts, heard),
        ]
        .spacing(S.space * 2.0);
        widget::scroll("evidence-scroll", content).height(Fill).into()
    }

    fn paper<'a>(&'a self, texts: &Texts, heard: &'a Heard) -> Element<'a, Message> {
        let taken = heard.head.as_ref().map(|(short, path)| {
            column![text(short.as_str()).size(S.section), S.hint(tr!(texts, "head-saved", path = path.as_str())),]
                .spacing(S.space * 0.5)
        });
        let field = widget::Field::new(HEAD, tr!(texts, "head-field"), &self.typed)
            .placeholder("MK1-…")
            .hint(tr!(texts, "head-field-hint"))
            .view(S, Message::HeadTyped, Some(Message::HeadSubmitted));
        let verdict = heard.verdict.map(|verdict| {
            let (tone, said) = verdict_words(texts, verdict);
            widget::telling(S, "head-verdict", tone, said, None)
        });
        let content = column![
            row![
                S.heading(tr!(texts, "head-title")),
                widget::gap(),
                widget::action(S, "head-take", tr!(texts, "head-take"), Weight::Plain, Some(Message::HeadPressed)),
            ]
            .align_y(Center),
            S.soft(tr!(texts, "head-why")),
        ]
        .push(taken)
        .push(
            row![
                container(field).width(Fill),
                widget::action(S, "head-check", tr!(texts, "head-check"), Weight::Plain, Some(Message::HeadSubmitted)),
            ]
            .spacing(S.space * 1.5)
            .align_y(Center),
        )
        .push(verdict)
        .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }

    fn inspector<'a>(&'a self, texts: &Texts, heard: &'a Heard) -> Element<'a, Message> {
        let authority = widget::Field::new("export-authority", tr!(texts, "export-authority"), &self.authority).view(
            S,
            Message::AuthorityTyped,
            None,
        );
        let case = widget::Field::new("export-case", tr!(texts, "export-case"), &self.case_number).view(
            S,
            Message::CaseTyped,
            Some(Message::ExportPressed),
        );
        let done = heard.exported.as_ref().map(|(records, path, sha256)| {
            let records = *records;
            let said = tr!(texts, "export-done", count = records, path = path.as_str());
            widget::telling(S, "export-done", Tone::Well, said, Some(format!("SHA-256 {sha256}")))
        });
        let before = heard.chain.iter().flat_map(|chain| &chain.exports).take(5).map(|(at, authority, case_number)| {
            S.hint(tr!(
                texts,
                "export-before",
                date = at.minute_text(),
                authority = authority.as_str(),
                number = case_number.as_str()
            ))
            .into()
        });
        let press = self.may_export().then_some(Message::ExportPressed);
        let content = column![
            S.heading(tr!(texts, "export-title")),
            S.soft(tr!(texts, "export-why")),
            row![container(authority).width(Fill), container(case).width(Fill)].spacing(S.space * 2.0),
            row![widget::gap(), widget::action(S, "export-write", tr!(texts, "export-write"), Weight::Plain, press)],
        ]
        .push(done)
        .push(column(before).spacing(S.space * 0.5))
        .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }
}

/// How the log stands, in one calm line, and who witnesses it.
fn state<'a>(texts: &Texts, heard: &'a Heard) -> Element<'a, Message> {
    let Some(chain) = &heard.chain else { return widget::panel(S, Tone::Plain, S.soft(tr!(texts, "starting"))).into() };
    let (tone, said) = line(texts, chain);
    let gates = chain.gates.iter().map(|(name, witness)| {
        let (tone, words) = match witness {
            GateWitness::None => (Tone::Warn, tr!(texts, "witness-none")),
            GateWitness::Keeps { size, seen_at } => {
                let size = *size;
                (Tone::Well, tr!(texts, "witness-keeps", count = size, date = seen_at.minute_text()))
            }
            GateWitness::SawMore => (Tone::Alarm, tr!(texts, "witness-more")),
            GateWitness::SawOther => (Tone::Alarm, tr!(texts, "witness-other")),
            GateWitness::OtherKey => (Tone::Alarm, tr!(texts, "witness-key")),
        };
        row![S.text(name.as_str()), widget::gap(), widget::pill(S, tone, words)].align_y(Center).into()
    });
    let checked = heard.checked.map(|check| {
        let (tone, said) = check_words(texts, check);
        let erased = (check.erased_at_term > 0).then(|| tr!(texts, "check-erased", count = check.erased_at_term));
        widget::telling(S, "check-result", tone, said, erased)
    });
    let content = column![
        widget::telling(S, "chain-state", tone, said, Some(tr!(texts, "chain-start", count = chain.start_read))),
        column(gates).spacing(S.space),
        row![
            container(S.hint(tr!(texts, "check-hint"))).width(Fill),
            widget::action(S, "check-all", tr!(texts, "check-all"), Weight::Plain, Some(Message::CheckPressed)),
        ]
        .spacing(S.space)
        .align_y(Center),
    ]
    .push(checked)
    .spacing(S.space * 1.5);
    widget::panel(S, Tone::Plain, content).into()
}

fn line(texts: &Texts, chain: &ChainView) -> (Tone, String) {
    if let Some(said) = chain.gates.iter().find_map(|(name, witness)| conflict(texts, name, *witness)) {
        return (Tone::Alarm, said);
    }
    if chain.keys_older {
        return (Tone::Alarm, tr!(texts, "chain-keys-older"));
    }
    if !chain.start_sound {
        return (Tone::Alarm, tr!(texts, "chain-start-broken"));
    }
    match chain.witnessed {
        None => (Tone::Warn, tr!(texts, "chain-unwitnessed", count = chain.records)),
        Some((at, size)) => {
            (Tone::Well, tr!(texts, "chain-witnessed", count = chain.records, size = size, date = at.minute_text()))
        }
    }
}

fn conflict(texts: &Texts, gate: &str, witness: GateWitness) -> Option<String> {
    match witness {
        GateWitness::None | GateWitness::Keeps { .. } => None,
        GateWitness::SawMore => Some(tr!(texts, "chain-cut", gate = gate)),
        GateWitness::SawOther => Some(tr!(texts, "chain-other", gate = gate)),
        GateWitness::OtherKey => Some(tr!(texts, "chain-key", gate = gate)),
    }
}

fn check_words(texts: &Texts, check: CheckView) -> (Tone, String) {
    let date = check.at.minute_text();
    match (check.faults, check.first) {
        (0, _) => (Tone::Well, tr!(texts, "check-sound", count = check.records, date = date)),
        (faults, Some(first)) => {
            (Tone::Alarm, tr!(texts, "check-broken-at", count = faults, first = first, date = date))
        }
        (faults, None) => (Tone::Alarm, tr!(texts, "check-broken", count = faults, date = date)),
    }
}

fn verdict_words(texts: &Texts, verdict: HeadVerdict) -> (Tone, String) {
    match verdict {
        HeadVerdict::Fits { size } => (Tone::Well, tr!(texts, "head-fits", count = size)),
        HeadVerdict::SawMore { kept, here } => (Tone::Alarm, tr!(texts, "head-more", kept = kept, here = here)),
        HeadVerdict::SawOther { kept } => (Tone::Alarm, tr!(texts, "head-other", kept = kept)),
        HeadVerdict::Unreadable => (Tone::Warn, tr!(texts, "head-unreadable")),
    }
}
