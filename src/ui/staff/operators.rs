//! The supervisor's page: who works here, whose training ends when, a new account. Every change of somebody's access takes a second person.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::{Action, Route, S};
use crate::app::command::StaffCommand;
use crate::app::operators::{AccountView, OperatorsCommand};
use crate::domain::id::StaffId;
use crate::domain::role::Role;
use crate::domain::training::Standing;
use crate::i18n::Texts;
use crate::secret::{Passphrase, Typed};
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// Id of the new account's name.
pub const NAME: &str = "account-name";
const PASSPHRASE: &str = "account-passphrase";
const REPEAT: &str = "account-repeat";
const TRAINED: &str = "account-trained";

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// The form of a new account, or away with it.
    AddPressed(bool),
    /// A row's acts, or away with them.
    RowPressed(Option<StaffId>),
    /// The name changed.
    NameTyped(String),
    /// The role was chosen.
    RoleChosen(Role),
    /// A passphrase changed.
    PassphraseTyped(Typed),
    /// Its second entry changed.
    RepeatTyped(Typed),
    /// The day of the training changed.
    TrainedTyped(String),
    /// Adds the account.
    SavePressed,
    /// Records the training of the opened row.
    TrainedPressed(StaffId),
    /// Gives the opened row another passphrase.
    ResetPressed(StaffId),
    /// Switches the opened row off.
    DisablePressed(StaffId),
    /// A new recovery key.
    RecoveryPressed,
    /// To the sheet of looks.
    LooksPressed,
    /// To backups and keys.
    KeepPressed,
}

/// What is typed on the page.
#[derive(Debug, Default)]
pub struct Operators {
    adding: bool,
    opened: Option<StaffId>,
    name: String,
    role: Option<Role>,
    passphrase: Typed,
    repeat: Typed,
    trained: String,
    tried: bool,
}

impl Operators {
    /// A change was made: what was typed is done with.
    pub fn done(&mut self) {
        *self = Self::default();
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Operators(command));
        match message {
            Message::AddPressed(adding) => {
                *self = Self { adding, ..Self::default() };
                return if adding { Action::Focus(NAME) } else { Action::None };
            }
            Message::RowPressed(opened) => *self = Self { opened, ..Self::default() },
            Message::NameTyped(text) => self.name = text,
            Message::RoleChosen(role) => self.role = Some(role),
            Message::PassphraseTyped(text) => self.passphrase = text,
            Message::RepeatTyped(text) => self.repeat = text,
            Message::TrainedTyped(text) => self.trained = text,
            Message::SavePressed => return self.save(),
            Message::TrainedPressed(id) => return ask(OperatorsCommand::Trained(id, self.trained.clone())),
            Message::ResetPressed(id) => {
                self.tried = true;
                if self.passphrases_fit() {
                    self.repeat = Typed::default();
                    return ask(OperatorsCommand::Reset(id, self.passphrase.take_passphrase()));
                }
                return Action::Focus(PASSPHRASE);
            }
            Message::DisablePressed(id) => return ask(OperatorsCommand::Disable(id)),
            Message::RecoveryPressed => return ask(OperatorsCommand::NewRecoveryKey),
            Message::LooksPressed => return Action::Go(Route::Looks),
            Message::KeepPressed => return Action::Go(Route::Keep),
        }
        Action::None
    }

    fn save(&mut self) -> Action {
        self.tried = true;
        match self.role {
            _ if self.name.trim().is_empty() => Action::Focus(NAME),
            None => Action::None,
            Some(_) if !self.passphrases_fit() => Action::Focus(PASSPHRASE),
            Some(_) if self.trained.trim().is_empty() => Action::Focus(TRAINED),
            Some(role) => {
                self.repeat = Typed::default();
                Action::Ask(StaffCommand::Operators(OperatorsCommand::Add {
                    name: self.name.trim().to_owned(),
                    role,
                    passphrase: self.passphrase.take_passphrase(),
                    trained_on: self.trained.clone(),
                }))
            }
        }
    }

    fn passphrases_fit(&self) -> bool {
        self.passphrase.as_str().chars().count() >= Passphrase::CHARS_MIN && self.passphrase == self.repeat
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, accounts: &'a [AccountView], approvers: usize) -> Element<'a, Message> {
        let link =
            |id: &'static str, words: String, message| widget::action(S, id, words, Weight::Plain, Some(message));
        let head = row![
            S.title(tr!(texts, "accounts-title")),
            widget::gap(),
            link("accounts-keep", tr!(texts, "keep-title"), Message::KeepPressed),
            link("accounts-looks", tr!(texts, "looks-title"), Message::LooksPressed),
            link("accounts-recovery", tr!(texts, "accounts-recovery"), Message::RecoveryPressed),
            widget::action(
                S,
                "accounts-add",
                tr!(texts, "accounts-add"),
                Weight::Primary,
                Some(Message::AddPressed(true)),
            ),
        ]
        .spacing(S.space)
        .align_y(Center);
        let alone = (approvers == 0).then(|| {
            let todo = Some(tr!(texts, "accounts-alone-todo"));
            widget::telling(S, "accounts-alone", Tone::Told, tr!(texts, "accounts-alone"), todo)
        });
        let rows = accounts.iter().enumerate().map(|(at, account)| self.line(texts, at, account));
        let list = widget::panel(S, Tone::Plain, column(rows).spacing(S.space * 1.25));
        let form = self.adding.then(|| self.form(texts));
        let content = column![head].push(alone).push(form).push(list).spacing(S.space * 1.5);
        widget::scroll("accounts-scroll", content).height(Fill).into()
    }

    fn line<'a>(&'a self, texts: &Texts, at: usize, account: &'a AccountView) -> Element<'a, Message> {
        let (tone, state) = match (account.disabled, account.standing) {
            _ if account.slot_missing => (Tone::Alarm, tr!(texts, "account-slot-missing")),
            (true, _) => (Tone::Plain, tr!(texts, "account-off")),
            (false, Standing::Works(day)) => (Tone::Well, tr!(texts, "account-works", day = day.to_string())),
            (false, Standing::TrainingMissing) => (Tone::Warn, tr!(texts, "account-untrained")),
            (false, Standing::RulesUnsigned) => (Tone::Warn, tr!(texts, "account-unsigned")),
        };
        let name =
            if account.own { tr!(texts, "account-own", name = account.name.as_str()) } else { account.name.clone() };
        let open = self.opened == Some(account.id);
        let act = (!account.own && !account.disabled).then(|| {
            let (words, message) = if open {
                (tr!(texts, "close"), Message::RowPressed(None))
            } else {
                (tr!(texts, "account-change"), Message::RowPressed(Some(account.id)))
            };
            widget::action(S, format!("account-row-{at}"), words, Weight::Quiet, Some(message))
        });
        let line = row![
            container(S.text(name)).width(Length::FillPortion(3)),
            container(S.soft(words::role(texts, account.role))).width(Length::FillPortion(2)),
            container(widget::pill(S, tone, state)).width(Length::FillPortion(4)),
            container(act.unwrap_or_else(widget::gap)).width(Length::FillPortion(2)),
        ]
        .spacing(S.space * 1.5)
        .align_y(Center);
        if open { column![line, self.acts(texts, account.id)].spacing(S.space).into() } else { line.into() }
    }

    fn acts<'a>(&'a self, texts: &Texts, id: StaffId) -> Element<'a, Message> {
        let button =
            |name: &'static str, words: String, message| widget::action(S, name, words, Weight::Plain, Some(message));
        let trained = self.trained_field(texts, Message::TrainedPressed(id));
        let [new, repeat] = self.passphrase_fields(texts, Message::ResetPressed(id));
        let content = column![
            row![trained, button("account-train", tr!(texts, "account-train"), Message::TrainedPressed(id)),]
                .spacing(S.space * 1.5)
                .align_y(Center),
            row![
                new,
                repeat,
                // Level with the fields, which have a line of words above them.
                container(button("account-reset", tr!(texts, "account-reset"), Message::ResetPressed(id)))
                    .padding(iced::Padding::ZERO.top(S.body * 1.4 + S.space * 0.5)),
            ]
            .spacing(S.space * 1.5),
            row![
                container(S.hint(tr!(texts, "account-disable-hint"))).width(Fill),
                button("account-disable", tr!(texts, "account-disable"), Message::DisablePressed(id)),
            ]
            .spacing(S.space * 1.5)
            .align_y(Center),
        ]
        .spacing(S.space * 1.25);
        widget::panel(S, Tone::Told, content).into()
    }

    fn form<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let name = widget::Field::new(NAME, tr!(texts, "account-name"), &self.name)
            .wrong((self.tried && self.name.trim().is_empty()).then(|| tr!(texts, "first-operator-empty")))
            .view(S, Message::NameTyped, Some(Message::SavePressed));
        let roles = Role::ALL.map(|role| {
            let id = format!("account-role-{}", role.label());
            let label =
                tr!(texts, "account-role", role = words::role(texts, role), what = words::role_what(texts, role));
            widget::choice(S, id, label, self.role == Some(role), Message::RoleChosen(role))
        });
        let missing = (self.tried && self.role.is_none())
            .then(|| S.hint(tr!(texts, "account-role-missing")).color(crate::ui::theme::ALARM));
        let [new, repeat] = self.passphrase_fields(texts, Message::SavePressed);
        let content = column![S.heading(tr!(texts, "accounts-add")), name, column(roles).spacing(S.space * 0.25)]
            .push(missing)
            .push(row![new, repeat].spacing(S.space * 2.0))
            .push(self.trained_field(texts, Message::SavePressed))
            .push(S.hint(tr!(texts, "account-next")))
            .push(row![
                widget::action(
                    S,
                    "account-cancel",
                    tr!(texts, "back"),
                    Weight::Plain,
                    Some(Message::AddPressed(false)),
                ),
                widget::gap(),
                widget::action(
                    S,
                    "account-save",
                    tr!(texts, "account-save"),
                    Weight::Primary,
                    Some(Message::SavePressed),
                ),
            ])
            .spacing(S.space * 1.25);
        widget::panel(S, Tone::Plain, content).into()
    }

    fn trained_field<'a>(&'a self, texts: &Texts, submit: Message) -> Element<'a, Message> {
        let wrong = (self.adding && self.tried && self.trained.trim().is_empty())
            .then(|| tr!(texts, "account-trained-missing"));
        let field = widget::Field::new(TRAINED, tr!(texts, "account-trained"), &self.trained)
            .placeholder("2026-11-22")
            .hint(tr!(texts, "account-trained-hint"))
            .wrong(wrong);
        container(field.view(S, Message::TrainedTyped, Some(submit))).width(Fill).into()
    }

    fn passphrase_fields<'a>(&'a self, texts: &Texts, submit: Message) -> [Element<'a, Message>; 2] {
        let short = self.passphrase.as_str().chars().count() < Passphrase::CHARS_MIN;
        let rules = tr!(texts, "first-passphrase-rules", chars = Passphrase::CHARS_MIN);
        let new = widget::Field::new(PASSPHRASE, tr!(texts, "account-passphrase"), self.passphrase.as_str())
            .secret()
            .hint(rules.clone())
            .wrong((self.tried && short).then_some(rules))
            .view(S, |text| Message::PassphraseTyped(Typed::new(text)), Some(submit.clone()));
        let differ = self.tried && !short && self.passphrase != self.repeat;
        let repeat = widget::Field::new(REPEAT, tr!(texts, "first-repeat"), self.repeat.as_str())
            .secret()
            .wrong(differ.then(|| tr!(texts, "first-passphrase-differ")))
            .view(S, |text| Message::RepeatTyped(Typed::new(text)), Some(submit));
        [container(new).width(Fill).into(), container(repeat).width(Fill).into()]
    }
}
