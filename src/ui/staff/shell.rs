//! The frame around every staff page: practice banner, header, the newest thing that happened, the page.

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};

use super::{Flash, Message, Page, Route, S, Staff, deletion, deletion_panels, why_off};
use crate::app::event::GateLabel;
use crate::domain::Realm;
use crate::domain::notice::Language;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{self, Tone, Weight};
use crate::ui::{explain, widget, words};

impl Staff {
    /// Draws the window.
    pub fn view<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let practice = (self.realm == Realm::Practice).then(|| widget::practice_banner(S, texts));
        let inside = self.page.is_inside();
        let body = match &self.page {
            Page::Starting => self.quiet(tr!(texts, "starting")),
            Page::Closing => self.closing_page(texts),
            Page::Gone => gone(texts),
            Page::Farewell { erased, unanswered } => farewell(texts, *erased, unanswered),
            Page::FirstRun(screen) => screen.view(texts).map(Message::FirstRun),
            Page::Unlock(screen) => screen.view(texts).map(Message::Unlock),
            Page::Home => self.home.view(texts, &self.known).map(Message::Home),
            Page::Resident => match &self.record {
                Some(record) => record.view(texts).map(Message::Resident),
                None => self.quiet(tr!(texts, "starting")),
            },
            Page::Form(screen) => screen.view(texts).map(Message::Form),
            Page::Facts(screen) => screen.view(texts).map(Message::Facts),
            Page::Gates(screen) => screen.view(texts, &self.known).map(Message::Gates),
            Page::WhyOff => why_off::view(texts, &self.known),
            Page::Deletion(screen) => screen.view(texts, &self.known).map(Message::Deletion),
            Page::Rights(screen) => screen.view(texts).map(Message::Rights),
        };
        let gap = S.space * 1.5;
        let page = column![
            widget::at_times(inside.then(|| self.busy(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.reader(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.stopped(texts)).flatten(), gap),
            widget::at_times(self.flash.as_ref().map(|flash| flash_line(texts, flash)), gap),
            body,
        ]
        .padding([S.space * 2.0, S.space * 3.0])
        .max_width(1240);
        column![
            widget::at_times(practice, 0.0),
            self.header(texts, inside),
            container(page).center_x(Fill).height(Fill),
        ]
        .into()
    }

    fn header<'a>(&'a self, texts: &Texts, inside: bool) -> Element<'a, Message> {
        let link = |id: &'static str, words: String, route: Route, here: bool| {
            let weight = if here { Weight::Here } else { Weight::Quiet };
            widget::action(S, id, words, weight, Some(Message::Go(route)))
        };
        let settings = matches!(self.page, Page::Facts(_) | Page::Gates(_));
        let mut bar = row![text(tr!(texts, "app-name")).size(20).font(theme::BOLD).color(theme::PRIMARY_DEEP),]
            .spacing(S.space)
            .align_y(Center);
        if inside {
            bar = bar
                .push(link("go-home", tr!(texts, "go-home"), Route::Home, matches!(self.page, Page::Home)))
                .push(link("go-rights", tr!(texts, "go-rights"), Route::Rights, matches!(self.page, Page::Rights(_))))
                .push(link("go-settings", tr!(texts, "go-settings"), Route::Facts, settings))
                .push(link("go-deletion", tr!(texts, "go-deletion"), Route::Deletion, self.is_site_deletion()))
                .push(widget::gap())
                .push(text(&self.known.operator).size(S.small).color(theme::INK_SOFT));
        } else {
            bar = bar.push(widget::gap());
        }
        // The name of the language that one would change to, in that language.
        let (other, name) = match texts.language() {
            Language::Chinese => (Language::English, "English"),
            Language::English => (Language::Chinese, "中文"),
        };
        bar = bar.push(widget::action(S, "language", name, Weight::Quiet, Some(Message::LanguagePressed(other))));
        if inside {
            bar = bar.push(widget::action(S, "lock", tr!(texts, "lock"), Weight::Plain, Some(Message::LockPressed)));
        }
        container(bar)
            .padding([S.space, S.space * 3.0])
            .width(Fill)
            .style(|_theme| theme::bar_style(theme::SURFACE, theme::INK))
            .into()
    }

    fn busy<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        self.known.resident_busy.then(|| {
            container(
                row![
                    container(S.text(tr!(texts, "resident-busy")).color(theme::TOLD)).width(Fill),
                    widget::action(S, "stop", tr!(texts, "resident-stop"), Weight::Plain, Some(Message::StopPressed)),
                ]
                .spacing(S.space)
                .align_y(Center),
            )
            .padding([S.space, S.space * 2.0])
            .style(|_theme| theme::panel_style(Tone::Told))
            .into()
        })
    }

    fn reader<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        let said = explain::reader(texts, self.known.reader.as_ref()?);
        Some(widget::telling(S, "reader-said", Tone::Warn, said.what, Some(said.todo)))
    }

    fn is_site_deletion(&self) -> bool {
        matches!(&self.page, Page::Deletion(screen) if screen.about() == deletion::About::Site)
    }

    /// All faces are stopped somewhere, the date waits to be confirmed, or a deletion is late: said on every page until it is over.
    fn stopped<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        if self.is_site_deletion() {
            return None;
        }
        if self.known.deletion.site.clock_doubt.is_some() {
            let words = tr!(texts, "clock-ahead-todo");
            return Some(widget::telling(S, "date-waits", Tone::Alarm, words, None));
        }
        let site = &self.known.deletion.site;
        if let Some(words) = deletion_panels::stopped_line(texts, site) {
            return Some(widget::telling(S, "faces-stopped", Tone::Alarm, words, None));
        }
        (site.overdue > 0).then(|| {
            let words = tr!(texts, "overdue-line", count = site.overdue);
            widget::telling(S, "endings-overdue", Tone::Alarm, words, Some(tr!(texts, "overdue-todo")))
        })
    }

    fn quiet<'a>(&self, words: String) -> Element<'a, Message> {
        container(S.soft(words)).center(Fill).into()
    }

    fn closing_page<'a>(&self, texts: &Texts) -> Element<'a, Message> {
        let words = match self.realm {
            Realm::Practice => tr!(texts, "closing-practice"),
            Realm::Real => tr!(texts, "closing"),
        };
        self.quiet(words)
    }
}

fn gone<'a>(texts: &Texts) -> Element<'a, Message> {
    let said = widget::telling(S, "gone", Tone::Alarm, tr!(texts, "err-desk-gone"), Some(tr!(texts, "rec-desk-gone")));
    container(container(said).max_width(640)).center(Fill).into()
}

fn farewell<'a>(texts: &Texts, erased: u32, unanswered: &[GateLabel]) -> Element<'a, Message> {
    let left = (!unanswered.is_empty()).then(|| {
        let gates = words::list(texts, unanswered.iter().map(String::as_str));
        let todo = Some(tr!(texts, "farewell-unanswered-todo"));
        widget::telling(S, "farewell-left", Tone::Warn, tr!(texts, "farewell-unanswered", gates = gates), todo)
    });
    let content = column![S.text(tr!(texts, "farewell-erased", count = erased))].push(left).spacing(S.space * 2.0);
    container(widget::panel(S, Tone::Plain, content).max_width(640)).center(Fill).into()
}

fn flash_line<'a>(texts: &Texts, flash: &Flash) -> Element<'a, Message> {
    let (tone, said) = match flash {
        Flash::Failed(failure) => (Tone::Alarm, explain::failure(texts, failure)),
        Flash::CardIssued => (Tone::Well, explain::Words::only(tr!(texts, "flash-card-issued"))),
        Flash::Saved => (Tone::Well, explain::Words::only(tr!(texts, "flash-saved"))),
        Flash::FactsSaved => (Tone::Well, explain::Words::only(tr!(texts, "flash-facts-saved"))),
        Flash::Copied => (Tone::Well, explain::Words::only(tr!(texts, "flash-copied"))),
        Flash::CertificateSaved(name) => {
            (Tone::Well, explain::Words::only(tr!(texts, "flash-certificate-saved", name = name.as_str())))
        }
        Flash::CardWay(true) => (Tone::Well, explain::Words::only(tr!(texts, "flash-card-way"))),
        Flash::CardWay(false) => {
            (Tone::Warn, explain::Words { what: tr!(texts, "flash-card-way-not"), todo: tr!(texts, "rec-card-way") })
        }
    };
    let todo = (!said.todo.is_empty()).then(|| S.text(said.todo));
    container(
        row![
            column![S.text(said.what).color(tone.ink())].push(todo.map(|t| t.color(theme::INK))).width(Fill),
            widget::action(S, "flash-close", tr!(texts, "flash-close"), Weight::Quiet, Some(Message::FlashClosed)),
        ]
        .spacing(S.space)
        .align_y(Center),
    )
    .id("flash")
    .padding([S.space, S.space * 2.0])
    .style(move |_theme| theme::panel_style(tone))
    .into()
}
