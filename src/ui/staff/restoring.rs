//! Restoring a backup, from the lock screen or the first run: the backup, its key, and who of a vault that is there allows it.

use iced::widget::{column, container, row};
use iced::{Element, Fill};

use super::keep::{KEY, Message, Opening, Pick, key_wrong};
use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::app::keep::{KeepCommand, RESTORERS, RestoreBy};
use crate::app::operators::DoorView;
use crate::domain::id::StaffId;
use crate::i18n::Texts;
use crate::secret::{RecoveryKey, RecoveryKeyFault, Typed};
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// Ids of the fields for the passphrases of the vault that is there.
pub const WHO: [&str; RESTORERS] = ["restore-who-1", "restore-who-2"];
/// Id of the field for its recovery key.
pub const INSTEAD: &str = "restore-recovery";

/// Restoring, when nobody is logged in.
#[derive(Debug, Default)]
pub struct Restore {
    opening: Opening,
    working: bool,
    /// Something is on this computer already.
    over_old: bool,
    /// Its supervisors.
    supervisors: Vec<DoorView>,
    /// One or two of them, with what they typed.
    who: Vec<(StaffId, Typed)>,
    /// The printed recovery key, in their place.
    instead: Option<Typed>,
    instead_wrong: Option<RecoveryKeyFault>,
}

impl Restore {
    /// Before a backup is chosen, with the supervisors of a vault that is there.
    pub fn new(there: Option<Vec<DoorView>>) -> Self {
        let (over_old, supervisors) = (there.is_some(), there.unwrap_or_default());
        let who = supervisors.iter().take(RESTORERS).map(|account| (account.id, Typed::default())).collect();
        Self { over_old, supervisors, who, ..Self::default() }
    }

    /// It did not work; keys and passphrases are typed again.
    pub fn failed(&mut self) {
        self.working = false;
    }

    fn is_allowed(&self) -> bool {
        match &self.instead {
            Some(key) => !key.as_str().is_empty(),
            None => self.who.iter().all(|(_, typed)| !typed.as_str().is_empty()),
        }
    }

    /// Takes in what a person did; going back is the window's.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::FromPressed => return Action::PickKeep(Pick::From),
            Message::KeyTyped(key) => self.opening.type_key(key),
            Message::WhoChosen(at, id) => {
                // One person is not two.
                let taken = self.who.iter().position(|(other, _)| *other == id);
                if let (None, Some(entry)) = (taken, self.who.get_mut(at)) {
                    *entry = (id, Typed::default());
                    return WHO.get(at).map_or(Action::None, |field| Action::Focus(field));
                }
            }
            Message::WhoTyped(at, typed) => {
                if let Some(entry) = self.who.get_mut(at) {
                    entry.1 = typed;
                }
            }
            Message::InsteadPressed(open) => {
                (self.instead, self.instead_wrong) = (open.then(Typed::default), None);
                self.who.iter_mut().for_each(|(_, typed)| *typed = Typed::default());
                return Action::Focus(if open { INSTEAD } else { WHO[0] });
            }
            Message::InsteadTyped(key) if self.instead.is_some() => {
                (self.instead, self.instead_wrong) = (Some(key), None);
            }
            Message::Picked(Pick::From, _, Some(path)) => {
                self.opening.from = Some(path);
                return Action::Focus(KEY);
            }
            Message::TryPressed if !self.working && self.is_allowed() => {
                if let Some(from) = self.opening.from.clone()
                    && !self.opening.key.as_str().is_empty()
                {
                    self.instead_wrong = self.instead.as_ref().and_then(|key| RecoveryKey::parse(key).err());
                    if !self.opening.is_key() {
                        return Action::Focus(KEY);
                    }
                    if self.instead_wrong.is_some() {
                        return Action::Focus(INSTEAD);
                    }
                    self.working = true;
                    let by = RestoreBy {
                        recovery: self.instead.as_mut().map(std::mem::take),
                        supervisors: match self.instead {
                            Some(_) => vec![],
                            None => self.who.iter_mut().map(|(id, typed)| (*id, typed.take_passphrase())).collect(),
                        },
                    };
                    let key = std::mem::take(&mut self.opening.key);
                    return Action::Ask(StaffCommand::Keep(KeepCommand::Restore(from, key, by)));
                }
            }
            _ => {}
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let old =
            self.over_old.then(|| widget::telling(S, "restore-old", Tone::Told, tr!(texts, "keep-restore-old"), None));
        let content = column![S.title(tr!(texts, "keep-restore-title")), S.soft(tr!(texts, "keep-restore-hint"))]
            .push(old)
            .push(self.opening.view(
                texts,
                ("restore-action", tr!(texts, "keep-restore-action")),
                ("restore-back", Message::BackPressed),
                (self.door(texts), self.other_way(texts), self.is_allowed()),
                self.working,
            ))
            .spacing(S.space * 1.5);
        let panel = container(widget::panel(S, Tone::Plain, content).max_width(720)).center_x(Fill);
        container(widget::scroll("restore-scroll", panel)).center_y(Fill).into()
    }

    /// Who allows it; nothing on a new computer.
    fn door<'a>(&'a self, texts: &Texts) -> Option<Element<'a, Message>> {
        if self.who.is_empty() {
            return None;
        }
        let enter = Some(Message::TryPressed);
        if let Some(key) = &self.instead {
            let field = widget::Field::new(INSTEAD, tr!(texts, "recover-key"), key.as_str())
                .hint(tr!(texts, "recover-key-hint"))
                .wrong(key_wrong(texts, self.instead_wrong))
                .view(S, |text| Message::InsteadTyped(Typed::new(text)), enter);
            return Some(field);
        }
        let mut fields = row![].spacing(S.space * 2.0);
        for ((at, (id, typed)), field) in self.who.iter().enumerate().zip(WHO) {
            let whose = self.supervisors.iter().find(|account| account.id == *id);
            let name = whose.map(|account| shown_name(texts, account)).unwrap_or_default();
            let typed = widget::Field::new(field, tr!(texts, "keep-restore-passphrase", name = name), typed.as_str())
                .secret()
                .hint(tr!(texts, "keep-restore-who", count = self.who.len()))
                .view(S, move |text| Message::WhoTyped(at, Typed::new(text)), enter.clone());
            let choice = |(n, account): (usize, &'a DoorView)| {
                let name = format!("restore-account-{at}-{n}");
                let chosen = Message::WhoChosen(at, account.id);
                widget::choice(S, name, shown_name(texts, account), account.id == *id, chosen)
            };
            let several = self.supervisors.len() > self.who.len();
            let choices =
                several.then(|| column(self.supervisors.iter().enumerate().map(choice)).spacing(S.space * 0.5));
            fields = fields.push(column![].push(choices).push(typed).spacing(S.space).width(Fill));
        }
        Some(fields.into())
    }

    /// The way to the recovery key, and back.
    fn other_way<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        let (id, words, open) = match (&self.instead, self.who.is_empty()) {
            (_, true) => return None,
            (Some(_), _) => ("restore-by-passphrase", tr!(texts, "keep-restore-by-passphrase"), false),
            (None, _) => ("restore-by-recovery", tr!(texts, "keep-restore-by-recovery"), true),
        };
        let press = (!self.working).then_some(Message::InsteadPressed(open));
        Some(widget::action(S, id, words, Weight::Quiet, press))
    }
}

fn shown_name(texts: &Texts, account: &DoorView) -> String {
    if account.name.is_empty() { tr!(texts, "account-unnamed") } else { account.name.clone() }
}
