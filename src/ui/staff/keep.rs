//! Backups and keys: how things stand in three plain panels, the backup key once, the drill. Restoring has a page of its own (`restoring`).

use std::path::{Path, PathBuf};

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};

use super::{Action, S};
use crate::app::command::StaffCommand;
use crate::app::keep::{BackupRow, ComputerView, Cut, KeepCommand, KeepTold, KeepView};
use crate::domain::id::StaffId;
use crate::domain::notice::Language;
use crate::i18n::Texts;
use crate::secret::{RecoveryKey, RecoveryKeyFault, Typed};
use crate::tr;
use crate::ui::explain;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::widget;

/// Id of the field for the backup key.
pub const KEY: &str = "keep-key";

/// A place that staff choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Below which folder a backup is made.
    Into,
    /// Which backup is tried or restored.
    From,
    /// Where the sheet with the key goes.
    Sheet,
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Makes a backup key.
    KeyPressed,
    /// Writes its sheet as a PDF.
    SheetSavePressed,
    /// "It is put away."
    SheetTicked(bool),
    /// On.
    SheetDonePressed,
    /// Asks where a backup goes.
    BackUpPressed,
    /// Opens or closes the drill.
    DrillPressed(bool),
    /// Asks which backup.
    FromPressed,
    /// The backup key changed.
    KeyTyped(Typed),
    /// Tries it, or restores it.
    TryPressed,
    /// Changes the master key.
    MasterPressed,
    /// Binds the vault to this computer, or releases it.
    ComputerPressed(bool),
    /// A supervisor of the vault that is there was chosen, for the first or the second passphrase.
    WhoChosen(usize, StaffId),
    /// Their passphrase changed.
    WhoTyped(usize, Typed),
    /// To the recovery key in their place, or back.
    InsteadPressed(bool),
    /// The recovery key changed.
    InsteadTyped(Typed),
    /// Back from restoring.
    BackPressed,
    /// A place was chosen, or not.
    Picked(Pick, Language, Option<PathBuf>),
}

/// A backup that is to be opened by its key.
#[derive(Debug, Default)]
pub(super) struct Opening {
    pub(super) from: Option<PathBuf>,
    pub(super) key: Typed,
    wrong: Option<RecoveryKeyFault>,
}

/// What is wrong with a typed key, beside its field: it stays there, and only the group that is said is typed again.
pub(super) fn key_wrong(texts: &Texts, fault: Option<RecoveryKeyFault>) -> Option<String> {
    fault.map(|fault| match fault {
        RecoveryKeyFault::Length => tr!(texts, "recover-length"),
        RecoveryKeyFault::Group(group) => tr!(texts, "recover-group", group = group),
    })
}

impl Opening {
    /// The key changed.
    pub(super) fn type_key(&mut self, key: Typed) {
        (self.key, self.wrong) = (key, None);
    }

    /// Whether what is typed is a key at all; where not, the field says why.
    pub(super) fn is_key(&mut self) -> bool {
        self.wrong = RecoveryKey::parse(&self.key).err();
        self.wrong.is_none()
    }

    pub(super) fn view<'a>(
        &'a self,
        texts: &Texts,
        action: (&'static str, String),
        back: (&'static str, Message),
        (more, instead, ready): (Option<Element<'a, Message>>, Option<Element<'a, Message>>, bool),
        working: bool,
    ) -> Element<'a, Message> {
        let name = self.from.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let picked = name.map(|name| S.soft(tr!(texts, "keep-picked", name = name)));
        let field = widget::Field::new(KEY, tr!(texts, "keep-key-label"), self.key.as_str())
            .hint(tr!(texts, "recover-key-hint"))
            .wrong(key_wrong(texts, self.wrong))
            .view(S, |text| Message::KeyTyped(Typed::new(text)), Some(Message::TryPressed));
        let ready = ready && self.from.is_some() && !self.key.as_str().is_empty() && !working;
        let label = if working { tr!(texts, "keep-working") } else { action.1 };
        column![
            row![widget::action(
                S,
                "keep-pick",
                tr!(texts, "keep-pick-backup"),
                Weight::Plain,
                (!working).then_some(Message::FromPressed)
            ),]
            .push(picked)
            .spacing(S.space * 1.5)
            .align_y(Center),
            field,
        ]
        .push(more)
        .push(
            row![
                widget::action(S, back.0, tr!(texts, "back"), Weight::Plain, (!working).then_some(back.1)),
                widget::gap(),
            ]
            .push(instead)
            .push(widget::action(S, action.0, label, Weight::Primary, ready.then_some(Message::TryPressed)))
            .spacing(S.space),
        )
        .spacing(S.space * 1.5)
        .into()
    }
}

/// The page.
#[derive(Debug, Default)]
pub struct Keep {
    view: Option<KeepView>,
    sheet: Option<(Typed, bool)>,
    drill: Option<Opening>,
    working: bool,
}

impl Keep {
    /// The desk told.
    pub fn hear(&mut self, told: &KeepTold) {
        self.working = false;
        match told {
            KeepTold::View(view) => self.view = Some((**view).clone()),
            KeepTold::Sheet(key) => self.sheet = Some((key.clone(), false)),
            KeepTold::SheetOver => self.sheet = None,
            KeepTold::Drilled(_) => self.drill = None,
            _ => {}
        }
    }

    /// It did not work.
    pub fn failed(&mut self) {
        self.working = false;
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Keep(command));
        match message {
            Message::KeyPressed => return ask(KeepCommand::NewKey),
            Message::SheetSavePressed => return Action::PickKeep(Pick::Sheet),
            Message::SheetTicked(ticked) => {
                if let Some((_, put_away)) = &mut self.sheet {
                    *put_away = ticked;
                }
            }
            Message::SheetDonePressed if matches!(self.sheet, Some((_, true))) => return ask(KeepCommand::SheetKept),
            Message::BackUpPressed if !self.working => return Action::PickKeep(Pick::Into),
            Message::DrillPressed(open) => {
                self.drill = open.then(Opening::default);
                if open {
                    return Action::PickKeep(Pick::From);
                }
            }
            Message::FromPressed => return Action::PickKeep(Pick::From),
            Message::KeyTyped(key) => {
                if let Some(drill) = &mut self.drill {
                    drill.type_key(key);
                }
            }
            Message::TryPressed if !self.working => {
                if let Some(drill) = &mut self.drill
                    && let Some(from) = drill.from.clone()
                    && !drill.key.as_str().is_empty()
                {
                    if !drill.is_key() {
                        return Action::Focus(KEY);
                    }
                    self.working = true;
                    return ask(KeepCommand::Drill(from, std::mem::take(&mut drill.key)));
                }
            }
            Message::MasterPressed => return ask(KeepCommand::ChangeKeys),
            Message::ComputerPressed(true) => return ask(KeepCommand::BindComputer),
            Message::ComputerPressed(false) => return ask(KeepCommand::ReleaseComputer),
            Message::Picked(Pick::Into, _, Some(path)) => {
                self.working = true;
                return ask(KeepCommand::BackUp(path));
            }
            Message::Picked(Pick::From, _, Some(path)) => {
                if let Some(drill) = &mut self.drill {
                    drill.from = Some(path);
                    return Action::Focus(KEY);
                }
            }
            Message::Picked(Pick::Sheet, language, Some(path)) if self.sheet.is_some() => {
                return ask(KeepCommand::SaveSheet(path, language));
            }
            _ => {}
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        if let Some((key, ticked)) = &self.sheet {
            return sheet(texts, key, *ticked);
        }
        let Some(view) = &self.view else { return container(S.soft(tr!(texts, "starting"))).center(Fill).into() };
        let panels = match &self.drill {
            Some(drill) => column![self.drilling(texts, drill)],
            None => column![
                self.backups(texts, view),
                keepers(texts, view),
                key(texts, view),
                master(texts, view),
                computer(texts, view),
            ],
        };
        let restored = view.restored_at.map(|at| {
            let words = tr!(texts, "keep-restored", day = at.date().to_string());
            widget::telling(S, "keep-restored", Tone::Told, words, None)
        });
        let advised = view.keys_advised.then(|| {
            let (words, todo) = (tr!(texts, "keep-keys-advised"), tr!(texts, "keep-keys-advised-todo"));
            widget::telling(S, "keep-keys-advised", Tone::Warn, words, Some(todo))
        });
        let unheard = (!view.unheard.is_empty()).then(|| {
            let words = tr!(texts, "keep-unheard", names = view.unheard.join("、"));
            widget::telling(S, "keep-unheard", Tone::Warn, words, Some(tr!(texts, "keep-unheard-todo")))
        });
        let content = column![S.title(tr!(texts, "keep-title"))]
            .push(restored)
            .push(unheard)
            .push(advised)
            .push(panels.spacing(S.space * 1.5))
            .spacing(S.space * 1.5);
        widget::scroll("keep-scroll", content).height(Fill).into()
    }

    fn backups<'a>(&'a self, texts: &Texts, view: &KeepView) -> Element<'a, Message> {
        let (tone, last, drilled) = match view.backups.first() {
            None if view.restored_at.is_some() => (Tone::Warn, tr!(texts, "keep-none-since"), None),
            None => (Tone::Warn, tr!(texts, "keep-none"), None),
            Some(last) if !last.opens => (Tone::Warn, tr!(texts, "keep-void"), None),
            Some(last) => {
                let (day, size) = (last.made_at.minute_text(), explain::size(last.bytes));
                let (worked, failed) = (|row: &BackupRow| row.drilled_at, |row: &BackupRow| row.drill_failed_at);
                let worked = view.backups.iter().filter_map(worked).max();
                let failed = view.backups.iter().filter_map(failed).max().filter(|at| worked.is_none_or(|w| w < *at));
                let (tone, tried) = match (failed, worked) {
                    (Some(at), _) => (Tone::Warn, tr!(texts, "keep-drill-failed", day = at.date().to_string())),
                    (None, Some(at)) => (Tone::Well, tr!(texts, "keep-drilled", day = at.date().to_string())),
                    (None, None) => (Tone::Well, tr!(texts, "keep-not-drilled")),
                };
                (tone, tr!(texts, "keep-last", day = day, people = last.people, size = size), Some(tried))
            }
        };
        let ready = view.key_made_at.is_some() && !self.working;
        let label = if self.working { tr!(texts, "keep-working") } else { tr!(texts, "keep-back-up") };
        let drill = (!view.backups.is_empty() && !self.working).then_some(Message::DrillPressed(true));
        let content = column![
            widget::telling(S, "keep-last", tone, last, drilled),
            S.soft(tr!(texts, "keep-how")),
            row![
                widget::action(S, "keep-back-up", label, Weight::Primary, ready.then_some(Message::BackUpPressed)),
                widget::action(S, "keep-drill", tr!(texts, "keep-drill"), Weight::Plain, drill),
            ]
            .spacing(S.space * 1.5),
        ];
        widget::panel(S, Tone::Plain, content.spacing(S.space * 1.5)).into()
    }

    fn drilling<'a>(&'a self, texts: &Texts, drill: &'a Opening) -> Element<'a, Message> {
        let content = column![
            S.heading(tr!(texts, "keep-drill")),
            S.soft(tr!(texts, "keep-drill-hint")),
            drill.view(
                texts,
                ("keep-try", tr!(texts, "keep-try")),
                ("keep-drill-back", Message::DrillPressed(false)),
                (None, None, true),
                self.working
            ),
        ];
        widget::panel(S, Tone::Plain, content.spacing(S.space * 1.5)).into()
    }
}

fn keepers<'a>(texts: &Texts, view: &KeepView) -> Element<'a, Message> {
    let newest = view.keepers.iter().filter(|gate| gate.newest == Some(true)).count();
    let any = view.keepers.iter().any(|gate| gate.newest.is_some());
    let words = if newest == view.keepers.len() && newest > 0 {
        tr!(texts, "keep-keepers-well", count = newest)
    } else if any {
        tr!(texts, "keep-keepers-some", some = newest, count = view.keepers.len())
    } else {
        tr!(texts, "keep-keepers-none")
    };
    let content = column![S.heading(tr!(texts, "keep-keepers")), container(S.text(words)).id("keep-keepers")];
    widget::panel(S, Tone::Plain, content.spacing(S.space)).into()
}

fn key<'a>(texts: &Texts, view: &KeepView) -> Element<'a, Message> {
    let (words, label, weight) = match view.key_made_at {
        None => (tr!(texts, "keep-key-none"), tr!(texts, "keep-key-make"), Weight::Primary),
        Some(at) => {
            let words = tr!(texts, "keep-key-made", day = at.date().to_string());
            (words, tr!(texts, "keep-key-new"), Weight::Plain)
        }
    };
    let content = row![
        column![S.heading(tr!(texts, "keep-sheet-title")), S.text(words)].spacing(S.space).width(Fill),
        widget::action(S, "keep-key-make", label, weight, Some(Message::KeyPressed)),
    ];
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.5).align_y(Center)).into()
}

fn master<'a>(texts: &Texts, view: &KeepView) -> Element<'a, Message> {
    let words = match view.keys_changed_at {
        None => tr!(texts, "keep-master-never"),
        Some(at) => tr!(texts, "keep-master-changed", day = at.date().to_string()),
    };
    let said = column![S.heading(tr!(texts, "keep-master")), S.text(words), S.soft(tr!(texts, "keep-master-hint"))];
    let content = row![
        said.spacing(S.space).width(Fill),
        widget::action(
            S,
            "keep-master-change",
            tr!(texts, "keep-master-change"),
            Weight::Plain,
            Some(Message::MasterPressed)
        ),
    ];
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.5).align_y(Center)).into()
}

fn computer<'a>(texts: &Texts, view: &KeepView) -> Element<'a, Message> {
    let (words, hint, action) = match view.computer {
        ComputerView::NoChip => (tr!(texts, "keep-computer-no-chip"), tr!(texts, "keep-computer-free-hint"), None),
        ComputerView::Free => {
            let bind = ("keep-computer-bind", tr!(texts, "keep-computer-bind"), true);
            (tr!(texts, "keep-computer-free"), tr!(texts, "keep-computer-free-hint"), Some(bind))
        }
        ComputerView::Bound => {
            let release = ("keep-computer-release", tr!(texts, "keep-computer-release"), false);
            (tr!(texts, "keep-computer-bound"), tr!(texts, "keep-computer-bound-hint"), Some(release))
        }
    };
    let said = column![S.heading(tr!(texts, "keep-computer")), S.text(words), S.soft(hint)];
    let action = action
        .map(|(id, label, bind)| widget::action(S, id, label, Weight::Plain, Some(Message::ComputerPressed(bind))));
    let content = row![said.spacing(S.space).width(Fill)].push(action);
    widget::panel(S, Tone::Plain, content.spacing(S.space * 1.5).align_y(Center)).into()
}

/// The backup key, shown once.
fn sheet<'a>(texts: &Texts, key: &'a Typed, ticked: bool) -> Element<'a, Message> {
    let groups: Vec<&str> = key.as_str().split('-').collect();
    let line = |from: usize| {
        let shown = groups.iter().enumerate().skip(from).take(4).map(|(at, group)| {
            let group = text((*group).to_owned()).size(28.0).font(theme::BOLD).line_height(1.4);
            row![S.hint((at + 1).to_string()), group].spacing(S.space).align_y(Center).into()
        });
        row(shown).spacing(S.space * 4.0)
    };
    let shown = container(column![line(0), line(4)].spacing(S.space)).id("keep-sheet-key").padding(S.space * 2.0);
    let content = column![
        S.title(tr!(texts, "keep-sheet-title")),
        S.text(tr!(texts, "keep-sheet-hint")),
        container(shown).center_x(Fill).style(|_theme| theme::panel_style(Tone::Told)),
        widget::action(
            S,
            "keep-sheet-save",
            tr!(texts, "keep-sheet-save"),
            Weight::Plain,
            Some(Message::SheetSavePressed)
        ),
        widget::tick(S, "keep-sheet-tick", tr!(texts, "keep-sheet-tick"), ticked, Some(Message::SheetTicked)),
        row![
            widget::gap(),
            widget::action(
                S,
                "keep-sheet-done",
                tr!(texts, "keep-sheet-done"),
                Weight::Primary,
                ticked.then_some(Message::SheetDonePressed),
            ),
        ],
    ];
    let panel = widget::panel(S, Tone::Plain, content.spacing(S.space * 1.5)).max_width(760);
    widget::scroll("keep-sheet-scroll", container(panel).center_x(Fill)).height(Fill).into()
}

/// What a result says, for the line under the header: its tone, what happened, what more there is to know.
pub fn said(texts: &Texts, told: &KeepTold) -> Option<(Tone, explain::Words)> {
    let words = |tone, what: String, todo: Vec<String>| Some((tone, explain::Words { what, todo: todo.join(" ") }));
    match told {
        KeepTold::BackedUp(report) => {
            let what = tr!(texts, "keep-backed-up", name = report.name.as_str(), people = report.people);
            words(Tone::Well, what, vec![])
        }
        KeepTold::Drilled(report) => {
            let day = report.made_at.minute_text();
            let what = tr!(texts, "keep-drill-well", day = day, people = report.people, records = report.records);
            let more = [Some(since(texts, report)), heard(texts, report)].into_iter().flatten().collect();
            if report.sound { words(Tone::Well, what, more) } else { unsound(texts) }
        }
        KeepTold::Restored(report) => {
            let what = tr!(texts, "keep-restored-well", day = report.made_at.minute_text(), people = report.people);
            let mut more = vec![since(texts, report)];
            // Whoever allowed it typed the passphrase of today, and that one was taken over.
            more.insert(
                0,
                match report.passphrases {
                    0 => tr!(texts, "keep-restored-passphrases-then"),
                    count => tr!(texts, "keep-restored-passphrases-typed", count = count),
                },
            );
            if report.fresh_keys {
                more.push(tr!(texts, "keep-restored-keys"));
            }
            if report.recovery_void {
                more.push(tr!(texts, "keep-restored-recovery"));
            }
            if report.stopped {
                more.push(tr!(texts, "keep-restored-stopped"));
            }
            more.extend(heard(texts, report));
            if let Some(lost) = report.lost.filter(|lost| *lost > 0) {
                more.push(tr!(texts, "keep-restored-lost", lost = lost));
            }
            if report.sound { words(Tone::Well, what, more) } else { unsound(texts) }
        }
        KeepTold::HeardLate(name, report) => {
            let what = tr!(texts, "keep-heard-late", name = name.as_str());
            let (closed, accounts) = (report.closed, report.accounts);
            let mut more = vec![since(texts, report)];
            more.push(tr!(texts, "keep-heard-late-more", closed = closed, accounts = accounts));
            if report.recovery_void {
                more.push(tr!(texts, "keep-restored-recovery"));
            }
            words(Tone::Warn, what, more)
        }
        KeepTold::Changing => words(Tone::Told, tr!(texts, "keep-changing"), vec![]),
        KeepTold::Changed(accounts) => {
            words(Tone::Well, tr!(texts, "keep-changed", accounts = accounts.to_string()), vec![])
        }
        KeepTold::Bound => words(Tone::Well, tr!(texts, "keep-computer-bound-now"), vec![]),
        KeepTold::Released => words(Tone::Well, tr!(texts, "keep-computer-released-now"), vec![]),
        KeepTold::KeysAdvised => {
            words(Tone::Warn, tr!(texts, "keep-keys-advised"), vec![tr!(texts, "keep-keys-advised-todo")])
        }
        KeepTold::View(_) | KeepTold::Sheet(_) | KeepTold::SheetOver | KeepTold::SheetSaved(_) => None,
    }
}

fn since(texts: &Texts, report: &crate::app::keep::RestoreReport) -> String {
    let (erased, faces, cards) = (report.erased, report.faces, report.cards);
    let mut said = vec![tr!(texts, "keep-drill-since", erased = erased, faces = faces, cards = cards)];
    let (places, resting) = (report.places, report.resting);
    if places > 0 || resting > 0 {
        said.push(tr!(texts, "keep-drill-rest", places = places, resting = resting));
    }
    let Cut { faces, resting, cards, records } = report.cut;
    if faces || resting {
        said.push(tr!(texts, "keep-drill-cut-faces"));
    }
    if cards {
        said.push(tr!(texts, "keep-drill-cut-cards"));
    }
    if records {
        said.push(tr!(texts, "keep-drill-cut-records"));
    }
    said.join(" ")
}

/// How many gates were asked in vain, and what that means.
fn heard(texts: &Texts, report: &crate::app::keep::RestoreReport) -> Option<String> {
    let (heard, all) = (report.heard, report.gates_all);
    (heard < all).then(|| tr!(texts, "keep-heard-some", heard = heard, all = all))
}

fn unsound(texts: &Texts) -> Option<(Tone, explain::Words)> {
    Some((Tone::Alarm, explain::Words::only(tr!(texts, "keep-unsound"))))
}
