//! Whose face a gate knows under a number: for a gate that has to be put right, a complaint, or an authority. A supervisor only, with a reason
//! and a second person; what comes of it is said on every page until a supervisor has looked at the week.

use iced::widget::{column, container, row};
use iced::{Bottom, Element, Fill, Length};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::app::relay::{JoinedView, RelayCommand};
use crate::domain::role::JoinWhy;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// Id of the field for the number.
pub const DIGITS: &str = "whose-digits";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The number.
    Typed(String),
    /// Why it is asked. None is chosen beforehand.
    WhyPressed(JoinWhy),
    /// Enter, or the button.
    Asked,
}

/// The panel. Left behind with its page.
#[derive(Debug, Default)]
pub struct Whose {
    digits: String,
    why: Option<JoinWhy>,
    found: Vec<JoinedView>,
}

impl Whose {
    /// The desk said whose it is.
    pub fn found(&mut self, found: Vec<JoinedView>) {
        *self = Self { found, ..Self::default() };
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Typed(text) => self.digits = text,
            Message::WhyPressed(why) => self.why = Some(why),
            Message::Asked => match self.why {
                Some(why) if !self.digits.trim().is_empty() => {
                    self.found.clear();
                    let digits = self.digits.trim().to_owned();
                    return Action::Ask(StaffCommand::Relay(RelayCommand::WhoseNumber { digits, why }));
                }
                _ => return Action::Focus(DIGITS),
            },
        }
        Action::None
    }

    /// Draws it.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let field = widget::Field::new(DIGITS, tr!(texts, "whose-digits"), &self.digits)
            .hint(tr!(texts, "whose-hint"))
            .view(S, Message::Typed, Some(Message::Asked));
        let why = JoinWhy::CHOICES.iter().enumerate().map(|(at, why)| {
            let here = self.why == Some(*why);
            widget::choice(S, format!("whose-why-{at}"), words::join(texts, *why), here, Message::WhyPressed(*why))
        });
        let ready = self.why.is_some() && !self.digits.trim().is_empty();
        let press = ready.then_some(Message::Asked);
        let ask = widget::action(S, "whose-ask", tr!(texts, "whose-ask"), Weight::Plain, press);
        let rows = self.found.iter().map(|one| {
            row![
                container(S.text(one.number.as_str())).width(Length::FillPortion(4)),
                container(S.text(one.name.as_str())).width(Length::FillPortion(2)),
                container(S.text(one.unit.as_str())).width(Length::FillPortion(2)),
            ]
            .spacing(S.space)
            .into()
        });
        let content = column![
            S.heading(tr!(texts, "whose-title")),
            S.soft(tr!(texts, "whose-how")),
            row![container(field).width(Fill), ask].spacing(S.space * 1.5).align_y(Bottom),
            column(why).spacing(S.space * 0.5),
        ]
        .extend(rows)
        .spacing(S.space * 1.5);
        widget::panel(S, Tone::Plain, content).into()
    }
}
