//! Locked: one field, one action, and the growing wait after wrong passphrases.

use iced::widget::{column, container};
use iced::{Center, Element, Fill};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::i18n::Texts;
use crate::secret::Typed;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// Id of the passphrase field.
pub const PASSPHRASE: &str = "unlock-passphrase";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The passphrase changed.
    PassphraseTyped(Typed),
    /// Enter, or the button.
    UnlockPressed,
}

/// The unlock page.
#[derive(Debug, Default)]
pub struct Unlock {
    passphrase: Typed,
    wait_ms: i64,
    asked: bool,
}

impl Unlock {
    /// With a wait that is left from before.
    pub fn new(wait_ms: i64) -> Self {
        Self { wait_ms: wait_ms.max(0), ..Self::default() }
    }

    /// Milliseconds until the next try.
    pub fn wait_ms(&self) -> i64 {
        self.wait_ms
    }

    /// So many milliseconds went by.
    pub fn tick(&mut self, ms: i64) {
        self.wait_ms = self.wait_ms.saturating_sub(ms.max(0)).max(0);
    }

    /// The passphrase was wrong.
    pub fn refused(&mut self, wait_ms: i64) {
        *self = Self::new(wait_ms);
    }

    /// The desk answered with something else than yes.
    pub fn answered(&mut self) {
        self.asked = false;
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::PassphraseTyped(text) => {
                self.passphrase = text;
                Action::None
            }
            Message::UnlockPressed if self.ready() => {
                self.asked = true;
                Action::Ask(StaffCommand::Unlock { passphrase: self.passphrase.take_passphrase() })
            }
            Message::UnlockPressed => Action::None,
        }
    }

    fn ready(&self) -> bool {
        self.wait_ms == 0 && !self.asked && !self.passphrase.as_str().is_empty()
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let field = widget::Field::new(PASSPHRASE, tr!(texts, "passphrase-label"), self.passphrase.as_str())
            .secret()
            .view(S, |text| Message::PassphraseTyped(Typed::new(text)), Some(Message::UnlockPressed));
        let seconds = self.wait_ms.saturating_add(999) / 1000;
        let wait = (seconds > 0).then(|| {
            widget::telling(S, "unlock-wait", Tone::Warn, tr!(texts, "unlock-wait", seconds = seconds), None)
        });
        let label = if self.asked { tr!(texts, "unlock-working") } else { tr!(texts, "unlock-action") };
        let content = column![
            S.title(tr!(texts, "unlock-title")),
            S.soft(tr!(texts, "unlock-hint")),
            field,
        ]
        .push(wait)
        .push(widget::wide_action(S, "unlock-action", label, Weight::Primary, self.ready().then_some(Message::UnlockPressed)))
        .spacing(S.space * 2.0);
        container(widget::panel(S, Tone::Plain, content).max_width(480)).center(Fill).align_x(Center).into()
    }
}
