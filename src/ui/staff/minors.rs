//! Numbers for the yearly audit of minors' data: counts only, no names (rules M6, M7, A-MIN).

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill};

use super::{Action, Route, S};
use crate::app::command::StaffCommand;
use crate::app::guardian_desk::{GuardianCommand, GuardianEvent};
use crate::domain::guardian::MinorsFigures;
use crate::domain::time::CivilDate;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Another year.
    YearPressed(i32),
    /// To the site's facts.
    FactsPressed,
}

/// The page.
#[derive(Debug, Default)]
pub struct Minors {
    shown: Option<(i32, MinorsFigures, CivilDate)>,
}

impl Minors {
    /// Takes in the numbers of a year.
    pub fn apply(&mut self, event: &GuardianEvent) {
        if let GuardianEvent::Figures { year, figures, report_by } = event {
            self.shown = Some((*year, *figures, *report_by));
        }
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::YearPressed(year) => {
                Action::Ask(StaffCommand::Guardian(GuardianCommand::ShowFigures { year: Some(year) }))
            }
            Message::FactsPressed => Action::Go(Route::Facts),
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let tabs = row![
            widget::action(
                S,
                "settings-facts",
                tr!(texts, "settings-facts"),
                Weight::Quiet,
                Some(Message::FactsPressed),
            ),
            widget::action(S, "settings-minors", tr!(texts, "settings-minors"), Weight::Here, None),
        ]
        .spacing(S.space);
        let Some((year, figures, report_by)) = &self.shown else {
            return column![tabs, S.soft(tr!(texts, "minors-none"))].spacing(S.space * 1.5).into();
        };
        let turn =
            |id, words: String, to: i32| widget::action(S, id, words, Weight::Plain, Some(Message::YearPressed(to)));
        let head = row![
            container(S.title(tr!(texts, "minors-title", year = year.to_string()))).width(Fill),
            turn("minors-before", tr!(texts, "minors-before"), year - 1),
            turn("minors-after", tr!(texts, "minors-after"), year + 1),
        ]
        .spacing(S.space)
        .align_y(Center);
        let line = |label: String, count: u32| widget::fact(S, label, S.text(count.to_string()));
        let now = column![
            S.heading(tr!(texts, "minors-now")),
            line(tr!(texts, "minors-under-14"), figures.under_14),
            line(tr!(texts, "minors-under-14-faces"), figures.under_14_enrolled),
            line(tr!(texts, "minors-14-17"), figures.from_14_to_17),
            line(tr!(texts, "minors-14-17-faces"), figures.from_14_to_17_enrolled),
        ];
        let in_year = column![
            S.heading(tr!(texts, "minors-in-year")),
            line(tr!(texts, "minors-guardians"), figures.guardians_checked),
            line(tr!(texts, "minors-consents"), figures.consents),
            line(tr!(texts, "minors-said-no"), figures.said_no),
            line(tr!(texts, "minors-birthdays"), figures.ended_on_birthday),
            line(tr!(texts, "minors-looks"), figures.looks),
        ];
        let report = tr!(texts, "minors-report-by", date = report_by.to_string());
        let content = column![
            head,
            widget::telling(S, "minors-report", Tone::Told, report, Some(tr!(texts, "minors-report-todo"))),
            widget::panel(S, Tone::Plain, now.spacing(S.space)),
            widget::panel(S, Tone::Plain, in_year.spacing(S.space)),
        ]
        .spacing(S.space * 1.5);
        column![tabs, widget::scroll("minors-scroll", content).height(Fill)].spacing(S.space * 1.5).into()
    }
}
