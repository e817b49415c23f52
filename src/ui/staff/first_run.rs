//! First run, in three short steps: who you are, where this is, done. Whatever is left empty can follow in the settings.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::domain::site::{Fact, SiteFacts};
use crate::i18n::Texts;
use crate::secret::{Passphrase, Typed};
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::{widget, words};

/// Id of the first field.
pub const OPERATOR: &str = "first-operator";
/// Ids of the passphrase fields.
pub const PASSPHRASE: &str = "first-passphrase";
/// The second entry.
pub const REPEAT: &str = "first-repeat";

/// The facts asked for at once: what residents need to find and call somebody.
pub const FACTS_FIRST: [Fact; 6] =
    [Fact::SiteName, Fact::ProcessorName, Fact::DeskPlace, Fact::DeskHours, Fact::ContactPhone, Fact::GuardPhone];

/// Which step is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// Who you are, and a passphrase.
    #[default]
    You,
    /// Where this is.
    Site,
    /// What will be made.
    Done,
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The name changed.
    OperatorTyped(String),
    /// The passphrase changed.
    PassphraseTyped(Typed),
    /// Its second entry changed.
    RepeatTyped(Typed),
    /// A fact changed.
    FactTyped(Fact, String),
    /// On.
    NextPressed,
    /// To restoring a backup instead.
    RestorePressed,
    /// Back.
    BackPressed,
    /// Makes the vault.
    CreatePressed,
}

/// What is wrong with the first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No name.
    OperatorEmpty,
    /// The passphrase is too short.
    TooShort,
    /// The two entries differ.
    Differ,
}

/// The first run.
#[derive(Debug, Default)]
pub struct FirstRun {
    step: Step,
    operator: String,
    passphrase: Typed,
    repeat: Typed,
    facts: SiteFacts,
    tried: bool,
    asked: bool,
    /// Data of a vault are here already, without the slots that open them.
    data_there: bool,
}

impl FirstRun {
    /// Which step is shown.
    pub fn step(&self) -> Step {
        self.step
    }

    /// What keeps the first step from being left.
    pub fn wrong(&self) -> Option<Wrong> {
        if self.operator.trim().is_empty() {
            Some(Wrong::OperatorEmpty)
        } else if self.passphrase.as_str().chars().count() < Passphrase::CHARS_MIN {
            Some(Wrong::TooShort)
        } else if self.passphrase != self.repeat {
            Some(Wrong::Differ)
        } else {
            None
        }
    }

    /// Data are on this computer that a lost file opened: a new desk is not what is wanted.
    pub fn data_is_there(&mut self) {
        self.data_there = true;
    }

    /// The desk could not make the vault: the passphrase was moved out, so it is asked for again.
    pub fn failed(&mut self) -> Action {
        self.asked = false;
        self.tried = false;
        self.step = Step::You;
        Action::Focus(PASSPHRASE)
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::OperatorTyped(text) => self.operator = text,
            Message::PassphraseTyped(text) => self.passphrase = text,
            Message::RepeatTyped(text) => self.repeat = text,
            Message::FactTyped(fact, text) => self.facts.set(fact, &text),
            Message::BackPressed => {
                self.step = if self.step == Step::Done { Step::Site } else { Step::You };
            }
            Message::NextPressed => return self.next(),
            Message::RestorePressed => return Action::Go(super::Route::Restore),
            Message::CreatePressed if self.step == Step::Done && !self.asked && self.wrong().is_none() => {
                self.asked = true;
                let passphrase = self.passphrase.take_passphrase();
                self.repeat = Typed::default();
                return Action::Ask(StaffCommand::CreateVault {
                    operator: self.operator.trim().to_owned(),
                    passphrase,
                    facts: self.facts.clone(),
                });
            }
            Message::CreatePressed => {}
        }
        Action::None
    }

    fn next(&mut self) -> Action {
        match (self.step, self.wrong()) {
            (Step::You, Some(wrong)) => {
                self.tried = true;
                Action::Focus(match wrong {
                    Wrong::OperatorEmpty => OPERATOR,
                    Wrong::TooShort => PASSPHRASE,
                    Wrong::Differ => REPEAT,
                })
            }
            (Step::You, None) => {
                self.step = Step::Site;
                Action::Focus(FACTS_FIRST[0].key())
            }
            (Step::Site | Step::Done, _) => {
                self.step = Step::Done;
                Action::None
            }
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let steps = row![
            self.mark(Step::You, tr!(texts, "first-step-you")),
            self.mark(Step::Site, tr!(texts, "first-step-site")),
            self.mark(Step::Done, tr!(texts, "first-step-done")),
        ]
        .spacing(S.space);
        let body = match self.step {
            Step::You => self.you(texts),
            Step::Site => self.site(texts),
            Step::Done => self.done(texts),
        };
        let there = self.data_there.then(|| {
            let (what, todo) = (tr!(texts, "err-slots-gone"), tr!(texts, "rec-slots-gone"));
            widget::telling(S, "first-data-there", Tone::Alarm, what, Some(todo))
        });
        let content = column![steps].push(there).push(body).spacing(S.space * 2.0);
        let panel = widget::panel(S, Tone::Plain, content).max_width(760);
        widget::scroll("first-scroll", container(panel).center_x(Fill)).height(Fill).into()
    }

    fn mark<'a>(&self, step: Step, words: String) -> Element<'a, Message> {
        widget::pill(S, if step == self.step { Tone::Well } else { Tone::Plain }, words)
    }

    fn you<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let wrong = self.wrong().filter(|_| self.tried);
        let said = |which: Wrong, words: String| wrong.filter(|w| *w == which).map(|_| words);
        let operator = widget::Field::new(OPERATOR, tr!(texts, "first-operator"), &self.operator)
            .hint(tr!(texts, "first-operator-hint"))
            .wrong(said(Wrong::OperatorEmpty, tr!(texts, "first-operator-empty")));
        let passphrase = widget::Field::new(PASSPHRASE, tr!(texts, "passphrase-label"), self.passphrase.as_str())
            .secret()
            .hint(tr!(texts, "first-passphrase-rules", chars = Passphrase::CHARS_MIN))
            .wrong(said(Wrong::TooShort, tr!(texts, "first-passphrase-short", chars = Passphrase::CHARS_MIN)));
        let repeat = widget::Field::new(REPEAT, tr!(texts, "first-repeat"), self.repeat.as_str())
            .secret()
            .wrong(said(Wrong::Differ, tr!(texts, "first-passphrase-differ")));
        let next = Some(Message::NextPressed);
        column![
            S.title(tr!(texts, "first-you-title")),
            operator.view(S, Message::OperatorTyped, next.clone()),
            row![
                container(passphrase.view(S, |t| Message::PassphraseTyped(Typed::new(t)), next.clone())).width(Fill),
                container(repeat.view(S, |t| Message::RepeatTyped(Typed::new(t)), next.clone())).width(Fill),
            ]
            .spacing(S.space * 2.0),
            widget::telling(S, "first-no-reset", Tone::Told, tr!(texts, "first-no-reset"), None),
            row![
                widget::action(
                    S,
                    "first-restore",
                    tr!(texts, "keep-restore-link"),
                    Weight::Quiet,
                    Some(Message::RestorePressed)
                ),
                widget::gap(),
                widget::action(S, "first-next", tr!(texts, "next"), Weight::Primary, next),
            ],
        ]
        .spacing(S.space * 1.5)
        .into()
    }

    fn site<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let field = |fact: Fact| -> Element<'a, Message> {
            container(widget::Field::new(fact.key(), words::fact(texts, fact), self.facts.get(fact)).view(
                S,
                move |text| Message::FactTyped(fact, text),
                Some(Message::NextPressed),
            ))
            .width(Fill)
            .into()
        };
        let pairs =
            FACTS_FIRST.chunks(2).map(|pair| row(pair.iter().map(|fact| field(*fact))).spacing(S.space * 2.0).into());
        column![S.title(tr!(texts, "first-site-title")), S.soft(tr!(texts, "first-site-hint"))]
            .extend(pairs)
            .push(self.buttons(
                texts,
                widget::action(S, "first-next", tr!(texts, "next"), Weight::Primary, Some(Message::NextPressed)),
            ))
            .spacing(S.space * 1.75)
            .into()
    }

    fn done<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let left = FACTS_FIRST.iter().filter(|fact| self.facts.is_missing(**fact)).count();
        let label = if self.asked { tr!(texts, "first-working") } else { tr!(texts, "first-create") };
        column![
            S.title(tr!(texts, "first-done-title")),
            S.text(tr!(texts, "first-done-operator", name = self.operator.trim())),
            S.text(tr!(texts, "first-done-kept")),
            S.text(tr!(texts, "first-done-face")).color(theme::INK_SOFT),
        ]
        .push(
            (left > 0).then(|| {
                widget::telling(S, "first-left", Tone::Told, tr!(texts, "first-done-left", count = left), None)
            }),
        )
        .push(self.buttons(
            texts,
            widget::action(S, "first-create", label, Weight::Primary, (!self.asked).then_some(Message::CreatePressed)),
        ))
        .spacing(S.space * 1.75)
        .into()
    }

    fn buttons<'a>(&self, texts: &Texts, main: Element<'a, Message>) -> Element<'a, Message> {
        let back = (!self.asked).then_some(Message::BackPressed);
        row![widget::action(S, "first-back", tr!(texts, "back"), Weight::Plain, back), widget::gap(), main]
            .align_y(Center)
            .into()
    }
}
