//! The notice's own pages: versions and who must be told, the impact assessment, signs, entrusted parties, the site file.

pub mod assessment;
mod changes;
mod entrusted;
mod signs;

use iced::widget::{column, row};
use iced::{Center, Element, Fill};

use super::{Action, Known, Route, S};
use crate::app::command::StaffCommand;
use crate::app::notice::{NoticeCommand, Paper};
use crate::domain::entrusted::Field;
use crate::domain::id::GateId;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

pub use assessment::AssessmentField;
pub use entrusted::field_name as entrusted_field;

/// One of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Versions, who is told, and the site file.
    #[default]
    Changes,
    /// The impact assessment.
    Assessment,
    /// Signs and other papers for the wall.
    Signs,
    /// Entrusted parties.
    Entrusted,
}

impl Tab {
    /// In the order of the page.
    pub const ALL: [Self; 4] = [Self::Changes, Self::Assessment, Self::Signs, Self::Entrusted];

    fn id(self) -> &'static str {
        match self {
            Self::Changes => "notice-tab-changes",
            Self::Assessment => "notice-tab-assessment",
            Self::Signs => "notice-tab-signs",
            Self::Entrusted => "notice-tab-entrusted",
        }
    }

    fn name(self, texts: &Texts) -> String {
        match self {
            Self::Changes => tr!(texts, "notice-tab-changes"),
            Self::Assessment => tr!(texts, "notice-tab-assessment"),
            Self::Signs => tr!(texts, "notice-tab-signs"),
            Self::Entrusted => tr!(texts, "notice-tab-entrusted"),
        }
    }
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Another page of the settings.
    GoPressed(Route),
    /// Another tab.
    TabPressed(Tab),
    /// A field of the assessment.
    AssessmentTyped(AssessmentField, String),
    /// Opens or closes the form of an assessment.
    AssessmentFormPressed,
    /// Registers it.
    RegisterPressed,
    /// The day of an incident.
    IncidentTyped(String),
    /// Enters it.
    IncidentPressed,
    /// The day on which signs were posted.
    PostedTyped(String),
    /// Marks a sign as posted.
    PostedPressed(Option<GateId>),
    /// Opens or closes the form of an entrusted party.
    EntrustedFormPressed,
    /// A field of it.
    EntrustedTyped(Field, String),
    /// Its first day.
    BeginsTyped(String),
    /// Its last day.
    EndsTyped(String),
    /// Enters it.
    EnterPressed,
    /// Ends an entrustment today.
    EndPressed(i64),
    /// Saves a paper.
    SavePressed(Paper),
    /// Takes over a saved site file.
    LoadPressed,
}

/// The page and what is typed on it.
#[derive(Debug, Default)]
pub struct Screen {
    tab: Tab,
    assessment: assessment::Form,
    incident_on: String,
    posted_on: String,
    entrusted: entrusted::Form,
    asked: bool,
}

impl Screen {
    /// Opens at a tab.
    pub fn at(tab: Tab) -> Self {
        Self { tab, ..Self::default() }
    }

    /// The desk entered what was asked for: the forms are empty again.
    pub fn entered(&mut self) {
        *self = Self { tab: self.tab, posted_on: std::mem::take(&mut self.posted_on), ..Self::default() };
    }

    /// The desk did not accept it; what was typed stays.
    pub fn failed(&mut self) {
        self.asked = false;
    }

    fn ask(&mut self, command: NoticeCommand) -> Action {
        self.asked = true;
        Action::Ask(StaffCommand::Notice(command))
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::GoPressed(route) => return Action::Go(route),
            Message::TabPressed(tab) => self.tab = tab,
            Message::AssessmentTyped(field, text) => self.assessment.set(field, text),
            Message::AssessmentFormPressed => self.assessment.open = !self.assessment.open,
            Message::RegisterPressed => {
                let typed = Box::new(self.assessment.typed.clone());
                return self.ask(NoticeCommand::RegisterAssessment(typed));
            }
            Message::IncidentTyped(text) => self.incident_on = text,
            Message::IncidentPressed => {
                let day = self.incident_on.clone();
                return self.ask(NoticeCommand::EnterIncident(day));
            }
            Message::PostedTyped(text) => self.posted_on = text,
            Message::PostedPressed(gate) => {
                let posted_on = self.posted_on.clone();
                return self.ask(NoticeCommand::SignPosted { gate, posted_on });
            }
            Message::EntrustedFormPressed => self.entrusted.open = !self.entrusted.open,
            Message::EntrustedTyped(field, text) => self.entrusted.fields[field as usize] = text,
            Message::BeginsTyped(text) => self.entrusted.begins_on = text,
            Message::EndsTyped(text) => self.entrusted.ends_on = text,
            Message::EnterPressed => {
                let form = &self.entrusted;
                let (fields, begins_on, ends_on) = (form.fields.clone(), form.begins_on.clone(), form.ends_on.clone());
                return self.ask(NoticeCommand::EnterEntrusted { fields, begins_on, ends_on });
            }
            Message::EndPressed(number) => return self.ask(NoticeCommand::EndEntrusted(number)),
            Message::SavePressed(paper) => return Action::SavePaper(paper),
            Message::LoadPressed => return Action::OpenSiteFile,
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known) -> Element<'a, Message> {
        let settings = tabs(texts, Route::Notice).map(Message::GoPressed);
        let choices = Tab::ALL.map(|tab| {
            let weight = if tab == self.tab { Weight::Here } else { Weight::Quiet };
            widget::action(S, tab.id(), tab.name(texts), weight, Some(Message::TabPressed(tab)))
        });
        let Some(view) = known.notice.as_ref() else {
            return column![settings, S.soft(tr!(texts, "starting"))].spacing(S.space * 1.5).into();
        };
        let refused = view.site_file_refused.then(|| {
            let (what, todo) = (tr!(texts, "site-file-refused"), tr!(texts, "site-file-refused-todo"));
            widget::telling(S, "site-file-refused", Tone::Alarm, what, Some(todo))
        });
        let body = match self.tab {
            Tab::Changes => changes::view(texts, view),
            Tab::Assessment => self.assessment.view(texts, view, &self.incident_on, !self.asked),
            Tab::Signs => signs::view(texts, view, &self.posted_on),
            Tab::Entrusted => self.entrusted.view(texts, view, !self.asked),
        };
        let content = column![].push(refused).push(body).spacing(S.space * 2.0);
        column![
            settings,
            row(choices).spacing(S.space).align_y(Center),
            widget::scroll("notice-scroll", content).height(Fill)
        ]
        .spacing(S.space)
        .into()
    }
}

/// The pages of the settings, with the one that is shown.
pub(super) fn tabs<'a>(texts: &Texts, here: Route) -> Element<'a, Route> {
    let tab = |id: &'static str, name: String, route: Route| {
        let weight = if route == here { Weight::Here } else { Weight::Quiet };
        widget::action(S, id, name, weight, (route != here).then_some(route))
    };
    row![
        tab("settings-facts", tr!(texts, "settings-facts"), Route::Facts),
        tab("settings-gates", tr!(texts, "settings-gates"), Route::Gates),
        tab("settings-boards", tr!(texts, "settings-boards"), Route::Boards),
        tab("settings-notice", tr!(texts, "settings-notice"), Route::Notice),
        tab("settings-minors", tr!(texts, "settings-minors"), Route::Minors),
        tab("settings-machine", tr!(texts, "settings-machine"), Route::Machine),
    ]
    .spacing(S.space)
    .into()
}
