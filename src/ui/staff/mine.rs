//! One's own account: a new passphrase.

use iced::widget::{column, container, row};
use iced::{Element, Fill};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::app::operators::OperatorsCommand;
use crate::domain::role::Role;
use crate::domain::training::Standing;
use crate::i18n::Texts;
use crate::secret::{Passphrase, Typed};
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// Id of the old passphrase's field.
pub const OLD: &str = "mine-old";
const NEW: &str = "mine-new";
const REPEAT: &str = "mine-repeat";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The old passphrase changed.
    OldTyped(Typed),
    /// The new one changed.
    NewTyped(Typed),
    /// Its second entry changed.
    RepeatTyped(Typed),
    /// Changes it.
    SavePressed,
}

/// What is typed.
#[derive(Debug, Default)]
pub struct Mine {
    old: Typed,
    new: Typed,
    repeat: Typed,
    tried: bool,
}

impl Mine {
    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::OldTyped(text) => self.old = text,
            Message::NewTyped(text) => self.new = text,
            Message::RepeatTyped(text) => self.repeat = text,
            Message::SavePressed => {
                self.tried = true;
                if self.short() {
                    return Action::Focus(NEW);
                }
                if self.new != self.repeat {
                    return Action::Focus(REPEAT);
                }
                let (old, new) = (self.old.take_passphrase(), self.new.take_passphrase());
                *self = Self::default();
                return Action::Ask(StaffCommand::Operators(OperatorsCommand::ChangePassphrase(old, new)));
            }
        }
        Action::None
    }

    fn short(&self) -> bool {
        self.new.as_str().chars().count() < Passphrase::CHARS_MIN
    }

    /// Draws the page.
    pub fn view<'a>(
        &'a self,
        texts: &Texts,
        name: &'a str,
        role: Role,
        standing: Option<Standing>,
    ) -> Element<'a, Message> {
        let enter = Some(Message::SavePressed);
        let rules = tr!(texts, "first-passphrase-rules", chars = Passphrase::CHARS_MIN);
        let old = widget::Field::new(OLD, tr!(texts, "mine-old"), self.old.as_str()).secret().view(
            S,
            |text| Message::OldTyped(Typed::new(text)),
            enter.clone(),
        );
        let new = widget::Field::new(NEW, tr!(texts, "recover-new"), self.new.as_str())
            .secret()
            .hint(rules.clone())
            .wrong((self.tried && self.short()).then_some(rules))
            .view(S, |text| Message::NewTyped(Typed::new(text)), enter.clone());
        let differ = self.tried && !self.short() && self.new != self.repeat;
        let repeat = widget::Field::new(REPEAT, tr!(texts, "first-repeat"), self.repeat.as_str())
            .secret()
            .wrong(differ.then(|| tr!(texts, "first-passphrase-differ")))
            .view(S, |text| Message::RepeatTyped(Typed::new(text)), enter.clone());
        let until = match standing {
            Some(Standing::Works(day)) => Some(S.soft(tr!(texts, "account-works", day = day.to_string()))),
            _ => None,
        };
        let content = column![
            S.title(tr!(texts, "mine-title")),
            row![S.heading(name), S.soft(words::role(texts, role))].push(until).spacing(S.space * 2.0),
            old,
            row![container(new).width(Fill), container(repeat).width(Fill)].spacing(S.space * 2.0),
            row![widget::gap(), widget::action(S, "mine-save", tr!(texts, "mine-save"), Weight::Primary, enter)],
        ]
        .spacing(S.space * 1.5);
        widget::scroll("mine-scroll", container(widget::panel(S, Tone::Plain, content).max_width(760)).center_x(Fill))
            .height(Fill)
            .into()
    }
}
