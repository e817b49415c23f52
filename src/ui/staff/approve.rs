//! Four eyes: what is asked for, who can approve it, and their passphrase. Takes the place of the page until it is answered.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::{Action, S};
use crate::app::command::{FactText, StaffCommand};
use crate::app::operators::{Concerned, OperatorsCommand};
use crate::domain::approval::Act;
use crate::domain::id::StaffId;
use crate::i18n::Texts;
use crate::secret::Typed;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// Id of the second person's passphrase field.
pub const PASSPHRASE: &str = "approve-passphrase";

/// Most height that the list of changed facts takes, in logical pixels.
const CHANGED_HEIGHT: f32 = 200.0;

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Who approves.
    Chosen(StaffId),
    /// Their passphrase changed.
    Typed(Typed),
    /// Approves.
    ApprovePressed,
    /// Not now.
    DropPressed,
}

/// An act that waits.
#[derive(Debug)]
pub struct Approve {
    act: Act,
    by: Vec<(StaffId, String)>,
    chosen: Option<StaffId>,
    passphrase: Typed,
    wait_ms: i64,
    wrong: bool,
    asked: bool,
    about: Concerned,
    changed: Vec<FactText>,
}

impl Approve {
    /// Asks one of these people.
    pub fn new(act: Act, by: Vec<(StaffId, String)>, about: Concerned) -> Self {
        let chosen = by.first().map(|(id, _)| *id);
        Self {
            act,
            by,
            chosen,
            passphrase: Typed::default(),
            wait_ms: 0,
            wrong: false,
            asked: false,
            about,
            changed: vec![],
        }
    }

    /// What would be changed, in its new words.
    pub fn about(&mut self, changed: Vec<FactText>) {
        self.changed = changed;
    }

    /// The passphrase was wrong.
    pub fn refused(&mut self, wait_ms: i64) {
        self.asked = false;
        self.wrong = true;
        self.wait_ms = wait_ms.max(0);
    }

    /// Milliseconds until the next try.
    pub fn wait_ms(&self) -> i64 {
        self.wait_ms
    }

    /// So many milliseconds went by.
    pub fn tick(&mut self, ms: i64) {
        self.wait_ms = self.wait_ms.saturating_sub(ms.max(0)).max(0);
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Chosen(id) => {
                self.chosen = Some(id);
                self.passphrase = Typed::default();
                (self.wrong, self.wait_ms) = (false, 0);
                Action::Focus(PASSPHRASE)
            }
            Message::Typed(text) => {
                self.passphrase = text;
                Action::None
            }
            Message::ApprovePressed => match self.chosen.filter(|_| self.ready()) {
                Some(by) => {
                    (self.asked, self.wrong) = (true, false);
                    let passphrase = self.passphrase.take_passphrase();
                    Action::Ask(StaffCommand::Operators(OperatorsCommand::Approve(by, passphrase)))
                }
                None => Action::None,
            },
            Message::DropPressed => Action::Ask(StaffCommand::Operators(OperatorsCommand::ApproveNot)),
        }
    }

    fn ready(&self) -> bool {
        !self.asked && self.wait_ms == 0 && !self.passphrase.as_str().is_empty()
    }

    /// Whom or what it is about: larger than what is said around it, so that it is read before a passphrase is typed.
    fn whom<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        let words = words::concerned(texts, &self.about)?;
        Some(container(widget::panel(S, Tone::Told, S.heading(words))).id("approve-about").into())
    }

    /// The facts that would be changed: a long list scrolls, the passphrase stays in reach.
    fn change<'a>(&'a self, texts: &Texts) -> Option<Element<'a, Message>> {
        if self.changed.is_empty() {
            return None;
        }
        let none = tr!(texts, "approve-empty");
        let lines = self.changed.iter().map(|(fact, text)| {
            let said = if text.trim().is_empty() { none.clone() } else { text.clone() };
            column![S.hint(words::fact(texts, *fact)), S.text(said)].spacing(S.space * 0.25).into()
        });
        let list = column(lines).spacing(S.space);
        Some(container(widget::scroll("approve-changed", list)).max_height(CHANGED_HEIGHT).into())
    }

    /// Draws it.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let people = self.by.iter().enumerate().map(|(at, (id, name))| {
            let here = Some(*id) == self.chosen;
            widget::choice(S, format!("approve-by-{at}"), name.as_str(), here, Message::Chosen(*id))
        });
        let wrong = match (self.wait_ms.saturating_add(999) / 1000, self.wrong) {
            (0, false) => None,
            (0, true) => Some(tr!(texts, "err-passphrase")),
            (seconds, _) => Some(tr!(texts, "unlock-wait", seconds = seconds)),
        };
        let field = widget::Field::new(PASSPHRASE, tr!(texts, "approve-passphrase"), self.passphrase.as_str())
            .secret()
            .wrong(wrong)
            .view(S, |text| Message::Typed(Typed::new(text)), Some(Message::ApprovePressed));
        let press = self.ready().then_some(Message::ApprovePressed);
        let content = column![
            S.title(tr!(texts, "approve-title")),
            S.heading(words::act(texts, self.act)),
            widget::at_times(self.whom(texts), 0.0),
            widget::at_times(self.change(texts), 0.0),
            S.text(tr!(texts, "approve-why")),
            column(people).spacing(S.space * 0.5),
            field,
            row![
                widget::action(S, "approve-no", tr!(texts, "approve-no"), Weight::Plain, Some(Message::DropPressed)),
                widget::gap(),
                widget::action(S, "approve-yes", tr!(texts, "approve-yes"), Weight::Primary, press),
            ]
            .align_y(Center),
        ]
        .spacing(S.space * 1.5);
        container(widget::panel(S, Tone::Plain, content).max_width(560)).id("approve").center(Fill).into()
    }
}
