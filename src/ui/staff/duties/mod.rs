//! The seldom duties: incidents and their letters, the end of a manager's work, papers for an audit. Counts only; no list of people. Rules: P22, P54,
//! P57, M5, F14b.

mod incident;
mod papers;
mod site_end;

use std::path::PathBuf;

use iced::widget::{column, row};
use iced::{Element, Fill};

use super::{Action, Known, Route, S};
use crate::app::command::StaffCommand;
use crate::app::duties::{
    DutiesCommand, DutiesEvent, DutyPaper, IncidentCommand, IncidentView, SiteEndCommand, SiteEndView,
};
use crate::domain::notice::Language;
use crate::domain::role::Role;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// A page of this area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Incidents and letters.
    #[default]
    Incidents,
    /// The manager leaves.
    SiteEnd,
    /// Papers for an audit and the protection file.
    Papers,
}

/// Where something is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The letters of an incident: a folder.
    Letters(i64),
    /// The papers at the end of a manager's work: a folder.
    SiteEnd,
    /// A paper: a file.
    Paper(DutyPaper),
}

/// What the desk said of this area.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    incidents: Option<Vec<IncidentView>>,
    site_end: Option<Option<Box<SiteEndView>>>,
    saved: Option<(u32, String)>,
}

impl Heard {
    /// Takes in what the desk says.
    pub fn hear(&mut self, event: DutiesEvent) {
        match event {
            DutiesEvent::Incidents(views) => self.incidents = Some(views),
            DutiesEvent::SiteEnd(view) => self.site_end = Some(view),
            DutiesEvent::Saved(files, path) => self.saved = Some((files, path)),
            DutiesEvent::IncidentEntered(_) => {}
        }
    }
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Another page.
    GoPressed(Route),
    /// On the page of incidents.
    Incident(incident::Message),
    /// On the page of the manager who leaves.
    SiteEnd(site_end::Message),
    /// On the page of papers.
    SavePressed(Pick),
    /// Where to; `None` when the dialog was left.
    PathPicked(Pick, Option<PathBuf>),
}

pub use incident::Message as IncidentMessage;
pub use site_end::Message as SiteEndMessage;

/// The page and what is typed on it.
#[derive(Debug, Default)]
pub struct Duties {
    tab: Tab,
    incident: incident::Form,
    site_end: site_end::Form,
}

impl Duties {
    /// Opens at a tab.
    pub fn at(tab: Tab) -> Self {
        Self { tab, ..Self::default() }
    }

    /// What the page asks of the desk when it opens.
    pub fn opening(tab: Tab) -> Action {
        match tab {
            Tab::Incidents => ask(DutiesCommand::Incident(IncidentCommand::Show)),
            Tab::SiteEnd => ask(DutiesCommand::SiteEnd(SiteEndCommand::Show)),
            Tab::Papers => Action::None,
        }
    }

    /// Takes in what the desk says.
    pub fn hear(&mut self, event: &DutiesEvent) {
        match event {
            DutiesEvent::IncidentEntered(_) => self.incident = incident::Form::default(),
            DutiesEvent::SiteEnd(Some(_)) => self.site_end = site_end::Form::default(),
            DutiesEvent::SiteEnd(None) | DutiesEvent::Incidents(_) | DutiesEvent::Saved(..) => {}
        }
    }

    /// The desk did not accept it; what was typed stays.
    pub fn failed(&mut self) {
        self.incident.asked = false;
        self.site_end.asked = false;
    }

    /// Takes in what a person did; `language` is the window's.
    pub fn update(&mut self, message: Message, language: Language) -> Action {
        match message {
            Message::GoPressed(route) => Action::Go(route),
            Message::Incident(message) => self.incident.update(message),
            Message::SiteEnd(message) => self.site_end.update(message),
            Message::SavePressed(pick) => Action::PickDuty(pick),
            Message::PathPicked(_, None) => Action::None,
            Message::PathPicked(Pick::Letters(number), Some(folder)) => {
                ask(DutiesCommand::Incident(IncidentCommand::SaveLetters { number, folder }))
            }
            Message::PathPicked(Pick::SiteEnd, Some(folder)) => {
                ask(DutiesCommand::SiteEnd(SiteEndCommand::SavePapers { folder, language }))
            }
            Message::PathPicked(Pick::Paper(paper), Some(path)) => {
                ask(DutiesCommand::SavePaper { paper, language, path })
            }
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known, role: Role) -> Element<'a, Message> {
        let heard = &known.duties;
        let saved = heard.saved.as_ref().map(|(files, path)| {
            let (files, name) = (*files, path.rsplit(['/', '\\']).next().unwrap_or(path));
            widget::telling(S, "duty-saved", Tone::Well, tr!(texts, "duty-saved", count = files, name = name), None)
        });
        let body = match self.tab {
            Tab::Incidents => {
                self.incident.view(texts, heard.incidents.as_deref(), &known.gates, role).map(Message::Incident)
            }
            Tab::SiteEnd => {
                self.site_end.view(texts, heard.site_end.as_ref(), role == Role::Supervisor).map(Message::SiteEnd)
            }
            Tab::Papers => papers::view(texts),
        };
        let content = column![].push(saved).push(body).spacing(S.space * 2.0);
        let tabs = (role != Role::Technician).then(|| tabs(texts, Route::Duties(self.tab)).map(Message::GoPressed));
        column![].push(tabs).push(widget::scroll("duties-scroll", content).height(Fill)).spacing(S.space * 1.5).into()
    }
}

fn ask(command: DutiesCommand) -> Action {
    Action::Ask(StaffCommand::Duties(command))
}

/// The evidence and the seldom duties, with the page that is shown.
pub(super) fn tabs<'a>(texts: &Texts, here: Route) -> Element<'a, Route> {
    let tab = |id: &'static str, name: String, route: Route| {
        let weight = if route == here { Weight::Here } else { Weight::Quiet };
        widget::action(S, id, name, weight, (route != here).then_some(route))
    };
    row![
        tab("duties-evidence", tr!(texts, "duties-evidence"), Route::Evidence),
        tab("duties-incidents", tr!(texts, "duties-incidents"), Route::Duties(Tab::Incidents)),
        tab("duties-site-end", tr!(texts, "duties-site-end"), Route::Duties(Tab::SiteEnd)),
        tab("duties-papers", tr!(texts, "duties-papers"), Route::Duties(Tab::Papers)),
    ]
    .spacing(S.space)
    .into()
}
