//! The weekly sheet: who opened how many records, and why. Names of residents are not on it.

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::{AccountPaper, Action, S};
use crate::app::command::StaffCommand;
use crate::app::operators::{LooksRow, OperatorsCommand};
use crate::domain::looks::WEEKS_BACK_MAX;
use crate::domain::role::LookWhy;
use crate::domain::time::CivilDate;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::{widget, words};

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Another week, counted back from this one.
    WeekPressed(u8),
    /// Saves the sheet as a PDF.
    SavePressed,
}

/// The sheet as told.
#[derive(Debug, Default)]
pub struct Looks {
    weeks: u8,
    days: Option<(CivilDate, CivilDate)>,
    rows: Vec<LooksRow>,
}

impl Looks {
    /// The desk counted.
    pub fn set(&mut self, weeks: u8, days: (CivilDate, CivilDate), rows: Vec<LooksRow>) {
        *self = Self { weeks, days: Some(days), rows };
    }

    /// Whether the desk has counted.
    pub fn is_told(&self) -> bool {
        self.days.is_some()
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::WeekPressed(weeks) => Action::Ask(StaffCommand::Operators(OperatorsCommand::ShowLooks(weeks))),
            Message::SavePressed => Action::SaveSheet(AccountPaper::Looks(self.weeks)),
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let days = self
            .days
            .map(|(from, until)| S.soft(tr!(texts, "looks-days", from = from.to_string(), until = until.to_string())));
        let week = |id: &'static str, words: String, to: Option<u8>| {
            widget::action(S, id, words, Weight::Plain, to.map(Message::WeekPressed))
        };
        let older = (self.weeks < WEEKS_BACK_MAX).then(|| self.weeks + 1);
        let head = row![S.title(tr!(texts, "looks-title"))]
            .push(days)
            .push(widget::gap())
            .push(week("looks-older", tr!(texts, "looks-older"), older))
            .push(week("looks-newer", tr!(texts, "looks-newer"), self.weeks.checked_sub(1)))
            .push(widget::action(
                S,
                "looks-save",
                tr!(texts, "looks-save"),
                Weight::Primary,
                Some(Message::SavePressed),
            ))
            .spacing(S.space)
            .align_y(Center);
        let cell = |words: String| container(S.text(words)).width(Length::FillPortion(2)).into();
        let title = |words: String| container(S.hint(words)).width(Length::FillPortion(2)).into();
        let titles = row([container(S.hint(tr!(texts, "looks-account"))).width(Length::FillPortion(4)).into()])
            .extend([title(tr!(texts, "looks-taps"))])
            .extend(LookWhy::ALL.map(|why| title(words::look(texts, why))))
            .extend([title(tr!(texts, "looks-all")), title(tr!(texts, "looks-people"))])
            .extend([
                title(tr!(texts, "looks-given")),
                title(tr!(texts, "looks-requests")),
                title(tr!(texts, "looks-searches")),
                title(tr!(texts, "looks-joined")),
                title(tr!(texts, "looks-bulk")),
            ])
            .spacing(S.space);
        let lines = self.rows.iter().map(|found| {
            let name = tr!(texts, "unlock-account", name = found.name.as_str(), role = words::role(texts, found.role));
            row([container(S.text(name)).width(Length::FillPortion(4)).into()])
                .extend([cell(found.taps.to_string())])
                .extend(found.by_why.map(|count| cell(count.to_string())))
                .extend(
                    [found.all, found.people, found.given, found.requests, found.searches, found.joined, found.bulk]
                        .map(|n| cell(n.to_string())),
                )
                .spacing(S.space)
                .into()
        });
        let table = column![titles].extend(lines).spacing(S.space * 1.25);
        let content = column![
            head,
            widget::panel(S, Tone::Plain, table),
            widget::telling(S, "looks-hint", Tone::Told, tr!(texts, "looks-hint"), None),
        ]
        .spacing(S.space * 2.0);
        widget::scroll("looks-scroll", content).height(Fill).into()
    }
}
