//! Locked: who you are, one field, and the growing wait after wrong passphrases. The same page shuts this window while residents go on, and
//! takes the printed recovery key.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::{Action, Route, S};
use crate::app::command::StaffCommand;
use crate::app::operators::{DoorView, OperatorsCommand};
use crate::domain::id::StaffId;
use crate::domain::role::Role;
use crate::i18n::Texts;
use crate::secret::{Passphrase, RecoveryKey, RecoveryKeyFault, Typed};
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// Id of the passphrase field.
pub const PASSPHRASE: &str = "unlock-passphrase";
/// Id of the recovery key's field.
pub const RECOVERY: &str = "recover-key";
const NEW: &str = "recover-new";
const REPEAT: &str = "recover-repeat";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// An account was chosen.
    AccountChosen(StaffId),
    /// The passphrase changed.
    PassphraseTyped(Typed),
    /// Enter, or the button.
    UnlockPressed,
    /// Behind the curtain: close the desk altogether.
    ClosePressed,
    /// To restoring a backup.
    RestorePressed,
    /// To the recovery key, or back.
    RecoverPressed(bool),
    /// The recovery key changed.
    KeyTyped(Typed),
    /// The new passphrase changed.
    NewTyped(Typed),
    /// Its second entry changed.
    RepeatTyped(Typed),
    /// Use the recovery key.
    RecoverConfirmed,
}

/// What is typed for a recovery.
#[derive(Debug, Default)]
struct Recovery {
    key: Typed,
    new: Typed,
    repeat: Typed,
    tried: bool,
}

/// What keeps a recovery from being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Key(RecoveryKeyFault),
    TooShort,
    Differ,
}

/// The unlock page.
#[derive(Debug, Default)]
pub struct Unlock {
    passphrase: Typed,
    accounts: Vec<DoorView>,
    chosen: Option<StaffId>,
    wait_ms: i64,
    asked: bool,
    curtain: bool,
    /// The desk could not read who has an account: no passphrase opens anything here.
    nobody: bool,
    recovery: Option<Recovery>,
}

impl Unlock {
    /// With a wait that is left from before.
    pub fn new(wait_ms: i64) -> Self {
        Self { wait_ms: wait_ms.max(0), ..Self::default() }
    }

    /// Shut while residents and gates go on.
    pub fn curtain(accounts: Vec<DoorView>) -> Self {
        let mut page = Self { curtain: true, ..Self::default() };
        page.set_accounts(accounts);
        page
    }

    /// After a refusal: who was chosen stays chosen.
    pub fn again(&self, wait_ms: i64) -> Self {
        Self { wait_ms: wait_ms.max(0), accounts: self.accounts.clone(), chosen: self.chosen, ..Self::default() }
    }

    /// Who may unlock. The first one is chosen until somebody chooses.
    pub fn set_accounts(&mut self, accounts: Vec<DoorView>) {
        let known = |id: &StaffId| accounts.iter().any(|account| account.id == *id);
        self.chosen = self.chosen.filter(known).or_else(|| accounts.first().map(|account| account.id));
        self.nobody = accounts.is_empty();
        self.accounts = accounts;
        self.take_wait();
    }

    /// Milliseconds until the next try.
    pub fn wait_ms(&self) -> i64 {
        self.wait_ms
    }

    /// Whether the recovery key is asked for.
    pub fn recovers(&self) -> bool {
        self.recovery.is_some()
    }

    /// Whether the resident goes on behind it.
    pub fn is_curtain(&self) -> bool {
        self.curtain
    }

    /// So many milliseconds went by.
    pub fn tick(&mut self, ms: i64) {
        let less = |wait: i64| wait.saturating_sub(ms.max(0)).max(0);
        self.wait_ms = less(self.wait_ms);
        self.accounts.iter_mut().for_each(|account| account.wait_ms = less(account.wait_ms));
    }

    /// The passphrase was wrong.
    pub fn refused(&mut self, wait_ms: i64) {
        let curtain = self.curtain;
        let recovery = self.recovery.take();
        *self = Self { curtain, ..self.again(wait_ms) };
        // The passphrases were moved out; the key is typed again from the sheet.
        self.recovery = recovery.map(|_| Recovery::default());
        let chosen = self.chosen;
        if let Some(account) = self.accounts.iter_mut().find(|account| Some(account.id) == chosen)
            && self.recovery.is_none()
        {
            account.wait_ms = wait_ms;
        }
    }

    /// The desk answered with something else than yes.
    pub fn answered(&mut self) {
        self.asked = false;
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::AccountChosen(id) => {
                self.chosen = Some(id);
                self.passphrase = Typed::default();
                self.take_wait();
                return Action::Focus(if self.recovers() { RECOVERY } else { PASSPHRASE });
            }
            Message::PassphraseTyped(text) => self.passphrase = text,
            Message::UnlockPressed if self.ready() => {
                self.asked = true;
                let passphrase = self.passphrase.take_passphrase();
                return Action::Ask(StaffCommand::Unlock { account: self.chosen, passphrase });
            }
            Message::UnlockPressed => {}
            Message::RestorePressed => return Action::Go(Route::Restore),
            Message::ClosePressed => return Action::Ask(StaffCommand::Lock),
            Message::RecoverPressed(true) => {
                self.recovery = Some(Recovery::default());
                self.passphrase = Typed::default();
                self.wait_ms = 0;
                let chief = self.accounts.iter().find(|account| account.role == Role::Supervisor);
                if !self.chosen.is_some_and(|id| self.supervisors().any(|account| account.id == id)) {
                    self.chosen = chief.map(|account| account.id);
                }
                return Action::Focus(RECOVERY);
            }
            Message::RecoverPressed(false) => {
                self.recovery = None;
                self.take_wait();
                return Action::Focus(PASSPHRASE);
            }
            Message::KeyTyped(text) => self.in_recovery(|r| r.key = text),
            Message::NewTyped(text) => self.in_recovery(|r| r.new = text),
            Message::RepeatTyped(text) => self.in_recovery(|r| r.repeat = text),
            Message::RecoverConfirmed => return self.recover(),
        }
        Action::None
    }

    fn in_recovery(&mut self, change: impl FnOnce(&mut Recovery)) {
        if let Some(recovery) = &mut self.recovery {
            change(recovery);
        }
    }

    fn recover(&mut self) -> Action {
        let Some(wrong) = self.recovery.as_ref().map(wrong) else { return Action::None };
        let (Some(account), Some(recovery)) = (self.chosen, self.recovery.as_mut()) else { return Action::None };
        recovery.tried = true;
        match wrong {
            Some(Wrong::Key(_)) => Action::Focus(RECOVERY),
            Some(Wrong::TooShort) => Action::Focus(NEW),
            Some(Wrong::Differ) => Action::Focus(REPEAT),
            None if self.asked || self.wait_ms > 0 => Action::None,
            None => {
                self.asked = true;
                recovery.repeat = Typed::default();
                let (key, passphrase) = (std::mem::take(&mut recovery.key), recovery.new.take_passphrase());
                Action::Ask(StaffCommand::Operators(OperatorsCommand::Recover(account, key, passphrase)))
            }
        }
    }

    fn take_wait(&mut self) {
        let chosen = self.accounts.iter().find(|account| Some(account.id) == self.chosen);
        self.wait_ms = chosen.map_or(self.wait_ms, |account| account.wait_ms.max(0));
    }

    fn ready(&self) -> bool {
        self.wait_ms == 0 && !self.asked && !self.passphrase.as_str().is_empty()
    }

    /// Who may allow what takes a supervisor.
    pub fn supervisors(&self) -> impl Iterator<Item = &DoorView> {
        self.accounts.iter().filter(|account| account.role == Role::Supervisor)
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let content = match &self.recovery {
            Some(recovery) => self.recovery_page(texts, recovery),
            None if self.nobody && !self.curtain => nobody_page(texts),
            None => self.passphrase_page(texts),
        };
        let wide = if self.accounts.len() > 1 || self.recovers() { 720.0 } else { 480.0 };
        let panel = container(widget::panel(S, Tone::Plain, content).max_width(wide)).center_x(Fill);
        container(widget::scroll("unlock-scroll", panel)).center_y(Fill).align_x(Center).into()
    }

    fn passphrase_page<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let field = widget::Field::new(PASSPHRASE, tr!(texts, "passphrase-label"), self.passphrase.as_str())
            .secret()
            .view(S, |text| Message::PassphraseTyped(Typed::new(text)), Some(Message::UnlockPressed));
        let label = if self.asked { tr!(texts, "unlock-working") } else { tr!(texts, "unlock-action") };
        let press = self.ready().then_some(Message::UnlockPressed);
        let typed = column![field]
            .push(self.wait(texts))
            .push(widget::wide_action(S, "unlock-action", label, Weight::Primary, press))
            .spacing(S.space * 2.0)
            .width(Length::FillPortion(5));
        let several = self.accounts.len() > 1;
        let body: Element<'a, Message> = if several {
            row![
                column(self.choices(texts, self.accounts.iter())).spacing(S.space * 0.5).width(Length::FillPortion(4)),
                typed
            ]
            .spacing(S.space * 3.0)
            .into()
        } else {
            typed.into()
        };
        let (title, hint) = if self.curtain {
            (tr!(texts, "curtain-title"), tr!(texts, "curtain-hint"))
        } else {
            (tr!(texts, "unlock-title"), if several { tr!(texts, "unlock-who") } else { tr!(texts, "unlock-hint") })
        };
        let one = self.accounts.first().filter(|account| !several && !account.name.is_empty());
        let link = |id: &'static str, words, message| widget::action(S, id, words, Weight::Quiet, Some(message));
        let restore =
            (!self.curtain).then(|| link("unlock-restore", tr!(texts, "keep-restore-link"), Message::RestorePressed));
        let other = if self.curtain {
            Some(link("unlock-close", tr!(texts, "curtain-close"), Message::ClosePressed))
        } else {
            let known = !self.accounts.is_empty();
            known.then(|| link("unlock-recover", tr!(texts, "recover-link"), Message::RecoverPressed(true)))
        };
        let other = row![widget::gap()].push(restore).push(other).spacing(S.space);
        column![S.title(title), S.soft(hint)]
            .push(one.map(|account| S.heading(account.name.as_str())))
            .push(body)
            .push(other)
            .spacing(S.space * 1.5)
            .into()
    }

    fn recovery_page<'a>(&'a self, texts: &Texts, recovery: &'a Recovery) -> Element<'a, Message> {
        let wrong = wrong(recovery).filter(|_| recovery.tried);
        let key_wrong = match wrong {
            Some(Wrong::Key(RecoveryKeyFault::Length)) => Some(tr!(texts, "recover-length")),
            Some(Wrong::Key(RecoveryKeyFault::Group(group))) => Some(tr!(texts, "recover-group", group = group)),
            _ => None,
        };
        let key = widget::Field::new(RECOVERY, tr!(texts, "recover-key"), recovery.key.as_str())
            .hint(tr!(texts, "recover-key-hint"))
            .wrong(key_wrong);
        let short = tr!(texts, "first-passphrase-rules", chars = Passphrase::CHARS_MIN);
        let new = widget::Field::new(NEW, tr!(texts, "recover-new"), recovery.new.as_str())
            .secret()
            .hint(short.clone())
            .wrong((wrong == Some(Wrong::TooShort)).then_some(short));
        let repeat = widget::Field::new(REPEAT, tr!(texts, "first-repeat"), recovery.repeat.as_str())
            .secret()
            .wrong((wrong == Some(Wrong::Differ)).then(|| tr!(texts, "first-passphrase-differ")));
        let enter = Some(Message::RecoverConfirmed);
        let label = if self.asked { tr!(texts, "unlock-working") } else { tr!(texts, "recover-action") };
        let press = (!self.asked && self.wait_ms == 0).then_some(Message::RecoverConfirmed);
        let whose = (self.supervisors().count() > 1).then(|| {
            column![S.text(tr!(texts, "recover-whose")), row(self.choices(texts, self.supervisors())).spacing(S.space)]
                .spacing(S.space * 0.5)
        });
        column![S.title(tr!(texts, "recover-title")), S.soft(tr!(texts, "recover-hint"))]
            .push(whose)
            .push(key.view(S, |text| Message::KeyTyped(Typed::new(text)), enter.clone()))
            .push(
                row![
                    container(new.view(S, |text| Message::NewTyped(Typed::new(text)), enter.clone())).width(Fill),
                    container(repeat.view(S, |text| Message::RepeatTyped(Typed::new(text)), enter)).width(Fill),
                ]
                .spacing(S.space * 2.0),
            )
            .push(self.wait(texts))
            .push(
                row![
                    widget::action(
                        S,
                        "recover-back",
                        tr!(texts, "back"),
                        Weight::Plain,
                        Some(Message::RecoverPressed(false)),
                    ),
                    widget::gap(),
                    widget::action(S, "recover-action", label, Weight::Primary, press),
                ]
                .align_y(Center),
            )
            .spacing(S.space * 1.5)
            .into()
    }

    fn choices<'a>(&self, texts: &Texts, accounts: impl Iterator<Item = &'a DoorView>) -> Vec<Element<'a, Message>> {
        let choice = |(at, account): (usize, &'a DoorView)| {
            let name = if account.name.is_empty() { tr!(texts, "account-unnamed") } else { account.name.clone() };
            let words = tr!(texts, "unlock-account", name = name, role = words::role(texts, account.role));
            let here = Some(account.id) == self.chosen;
            widget::choice(S, format!("unlock-account-{at}"), words, here, Message::AccountChosen(account.id))
        };
        accounts.enumerate().map(choice).collect()
    }

    fn wait<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        let seconds = self.wait_ms.saturating_add(999) / 1000;
        (seconds > 0)
            .then(|| widget::telling(S, "unlock-wait", Tone::Warn, tr!(texts, "unlock-wait", seconds = seconds), None))
    }
}

/// The slots file cannot be read, so nobody is known who could unlock: no field for a passphrase, and the one way that is left.
fn nobody_page<'a>(texts: &Texts) -> Element<'a, Message> {
    let (label, press) = (tr!(texts, "keep-restore-link"), Some(Message::RestorePressed));
    column![
        S.title(tr!(texts, "unlock-nobody")),
        S.text(tr!(texts, "unlock-nobody-todo")),
        widget::wide_action(S, "unlock-restore", label, Weight::Primary, press),
    ]
    .spacing(S.space * 1.5)
    .into()
}

fn wrong(recovery: &Recovery) -> Option<Wrong> {
    match RecoveryKey::parse(&recovery.key) {
        Err(fault) => Some(Wrong::Key(fault)),
        Ok(_) if recovery.new.as_str().chars().count() < Passphrase::CHARS_MIN => Some(Wrong::TooShort),
        Ok(_) if recovery.new != recovery.repeat => Some(Wrong::Differ),
        Ok(_) => None,
    }
}
