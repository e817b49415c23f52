//! The frame around every staff page: practice banner, header, the newest thing that happened, the page.

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};

use super::{
    Flash, Message, Page, Route, S, Staff, deletion, deletion_panels, duties, keep, machine_words, news, paper, relay,
    resident, rules, why_off,
};
use crate::app::boards::BoardDone;
use crate::app::event::GateLabel;
use crate::app::operators::AccountChange;
use crate::domain::Realm;
use crate::domain::gate::GateKind;
use crate::domain::notice::Language;
use crate::domain::role::Role;
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
            Page::Home => self.home.view(texts, &self.known, self.accounts.role()).map(Message::Home),
            Page::Resident => match &self.record {
                Some(record) => self.record_page(texts, record),
                None => self.quiet(tr!(texts, "starting")),
            },
            Page::Form(screen) => screen.view(texts).map(Message::Form),
            Page::Facts(screen) => screen.view(texts).map(Message::Facts),
            Page::Gates(screen) => screen.view(texts, &self.known).map(Message::Gates),
            Page::WhyOff => why_off::view(texts, &self.known, self.accounts.role()),
            Page::Deletion(screen) => screen.view(texts, &self.known).map(Message::Deletion),
            Page::Rights(screen) => screen.view(texts).map(Message::Rights),
            Page::Notice(screen) => screen.view(texts, &self.known).map(Message::Notice),
            Page::Evidence(screen) => screen.view(texts, &self.known.evidence).map(Message::Evidence),
            Page::Shown(screen) => screen.view(texts).map(Message::Shown),
            Page::Minors(screen) => screen.view(texts).map(Message::Minors),
            Page::Duties(screen) => screen.view(texts, &self.known, self.accounts.role()).map(Message::Duties),
            Page::Machine(screen) => {
                screen.view(texts, &self.known, self.realm, self.accounts.role()).map(Message::Machine)
            }
            Page::Relay(screen) => screen.view(texts, &self.known, self.accounts.role()).map(Message::Relay),
            Page::Boards(screen) => screen.view(texts, &self.known, self.accounts.role()).map(Message::Boards),
            Page::Keep(screen) => screen.view(texts).map(Message::Keep),
            Page::Restore(screen, _) => screen.view(texts).map(Message::Keep),
            Page::Rules(screen) => screen.view(texts).map(Message::Rules),
            Page::Untrained => rules::untrained(texts, Message::LockPressed),
            Page::Sheet(screen) => screen.view(texts).map(Message::Sheet),
            Page::Operators(screen) => {
                screen.view(texts, &self.accounts.list, self.accounts.approvers).map(Message::Operators)
            }
            Page::Looks(screen) => screen.view(texts).map(Message::Looks),
            Page::Mine(screen) => screen
                .view(texts, &self.known.operator, self.accounts.role(), self.accounts.standing())
                .map(Message::Mine),
        };
        // What waits for a second person stands before everything else.
        let body = match &self.accounts.approval {
            Some(approval) if inside => approval.view(texts).map(Message::Approve),
            _ => body,
        };
        let gap = S.space * 1.5;
        let page = column![
            widget::at_times(self.locks_in(texts).filter(|_| inside), gap),
            widget::at_times(inside.then(|| self.busy(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.paper_form(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.reader(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.deletion_alarm(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.known.evidence.alarm(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.slots_alarm(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.joins_alarm(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.clock_alarm(texts)).flatten(), gap),
            widget::at_times(inside.then(|| self.drift_alarm(texts)).flatten(), gap),
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

    /// A record, below what its resident must be told or asked.
    fn record_page<'a>(&'a self, texts: &Texts, record: &'a resident::Record) -> Element<'a, Message> {
        let news = self.known.news.as_ref().filter(|(id, _)| *id == record.id());
        let news = news.map(|(_, news)| news::view(texts, news).map(Message::News));
        let page = record.view(texts).map(Message::Resident);
        column![widget::at_times(news, S.space), container(page).height(Fill)].into()
    }

    fn header<'a>(&'a self, texts: &Texts, inside: bool) -> Element<'a, Message> {
        let link = |id: &'static str, words: String, route: Route, here: bool| {
            let weight = if here { Weight::Here } else { Weight::Quiet };
            widget::action(S, id, words, weight, Some(Message::Go(route)))
        };
        let settings =
            matches!(self.page, Page::Facts(_) | Page::Gates(_) | Page::Notice(_) | Page::Minors(_) | Page::Machine(_))
                || matches!(self.page, Page::Boards(_));
        let mut bar = row![text(tr!(texts, "app-name")).size(20).font(theme::BOLD).color(theme::PRIMARY_DEEP),]
            .spacing(S.space)
            .align_y(Center);
        if inside {
            let (works, role) = (self.accounts.works(), self.accounts.role());
            let people = matches!(self.page, Page::Operators(_) | Page::Keep(_));
            let looks = matches!(self.page, Page::Looks(_));
            let home = link("go-home", tr!(texts, "go-home"), Route::Home, matches!(self.page, Page::Home));
            let settings = link("go-settings", tr!(texts, "go-settings"), Route::Facts, settings);
            let people = link("go-people", tr!(texts, "go-people"), Route::Operators, people);
            let looks = link("go-looks", tr!(texts, "go-looks"), Route::Looks, looks);
            let requests = matches!(self.page, Page::Rights(_));
            let requests = link("go-rights", tr!(texts, "go-rights"), Route::Rights, requests);
            let evidence = matches!(self.page, Page::Evidence(_) | Page::Duties(_));
            let evidence = link("go-evidence", tr!(texts, "go-evidence"), Route::Evidence, evidence);
            let incidents = Route::Duties(duties::Tab::Incidents);
            let here = matches!(self.page, Page::Duties(_));
            let incidents = link("go-incidents", tr!(texts, "duties-incidents"), incidents, here);
            let machine =
                link("go-machine", tr!(texts, "go-machine"), Route::Machine, matches!(self.page, Page::Machine(_)));
            let deletion = link("go-deletion", tr!(texts, "go-deletion"), Route::Deletion, self.is_site_deletion());
            bar = bar
                .push((works && role != Role::Auditor).then_some(home))
                .push((works && role.sees_people()).then_some(requests))
                .push((works && role.sees_people()).then_some(deletion))
                .push((works && role == Role::Supervisor).then_some(settings))
                .push((works && role == Role::Supervisor).then_some(people))
                .push((works && matches!(role, Role::Supervisor | Role::Auditor)).then_some(evidence))
                .push((works && role == Role::Auditor).then_some(looks))
                .push((works && role == Role::Technician).then_some(incidents))
                .push((works && matches!(role, Role::Technician | Role::FrontDesk)).then_some(machine))
                .push(widget::gap());
            bar = if works {
                let mine = matches!(self.page, Page::Mine(_));
                bar.push(link("go-mine", self.known.operator.clone(), Route::Mine, mine))
            } else {
                bar.push(text(&self.known.operator).size(S.small).color(theme::INK_SOFT))
            };
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
            bar = bar.push(widget::action(
                S,
                "lock",
                tr!(texts, "lock-hand-over"),
                Weight::Plain,
                Some(Message::LockPressed),
            ));
        }
        container(bar)
            .padding([S.space, S.space * 3.0])
            .width(Fill)
            .style(|_theme| theme::bar_style(theme::SURFACE, theme::INK))
            .into()
    }

    fn locks_in<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        let seconds = self.accounts.locks_in?;
        let words = match (seconds, self.known.resident_busy) {
            (0, _) => tr!(texts, "locks-in-camera"),
            (_, true) => tr!(texts, "locks-in-visit", seconds = seconds),
            (_, false) => tr!(texts, "locks-in", seconds = seconds),
        };
        Some(widget::telling(S, "locks-in", Tone::Warn, words, None))
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

    fn paper_form<'a>(&'a self, texts: &Texts) -> Option<Element<'a, Message>> {
        self.known.form.as_ref().map(|form| paper::view(texts, form).map(Message::Paper))
    }

    fn reader<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        let said = explain::reader(texts, self.known.reader.as_ref()?);
        Some(widget::telling(S, "reader-said", Tone::Warn, said.what, Some(said.todo)))
    }

    fn is_site_deletion(&self) -> bool {
        matches!(&self.page, Page::Deletion(screen) if screen.about() == deletion::About::Site)
    }

    /// All faces are stopped somewhere, the date waits to be confirmed, or a deletion is late: said on every page until it is over.
    fn deletion_alarm<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
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

    /// Somebody took an account's slot out of the file: on every page, whoever is logged in.
    fn slots_alarm<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        if self.known.slots_missing.is_empty() {
            return None;
        }
        let names = words::list(texts, self.known.slots_missing.iter().map(String::as_str));
        let todo = Some(tr!(texts, "slots-alarm-todo"));
        Some(widget::telling(S, "slots-alarm", Tone::Alarm, tr!(texts, "slots-alarm", names = names), todo))
    }

    /// A name was put together with the number that gates know: on every page until a supervisor has looked at that week.
    fn joins_alarm<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        let (count, first) = self.known.joins?;
        let words = tr!(texts, "joins-alarm", count = count, day = first.to_string());
        Some(widget::telling(S, "joins-alarm", Tone::Alarm, words, Some(tr!(texts, "joins-alarm-todo"))))
    }

    /// A gate has seen a later time than its clock shows now: on every page until somebody was there.
    fn clock_alarm<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        if !self.accounts.works() || self.accounts.role() == Role::Auditor {
            return None;
        }
        let words = relay::clock_alarm(texts, &self.known.gates)?;
        Some(widget::telling(S, "clock-back", Tone::Alarm, words, Some(tr!(texts, "step-clock-back"))))
    }

    /// A gate does not hold what it should: on every page but its own, until it is put right.
    fn drift_alarm<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        if !self.accounts.works() || self.accounts.role() == Role::Auditor {
            return None;
        }
        let of = |kind: GateKind, shown: bool| (!shown).then(|| relay::alarm(texts, &self.known.gates, kind)).flatten();
        let line = |words: String, id: &'static str, label: String, route: Route| {
            let said = container(S.text(words).color(Tone::Alarm.ink())).width(Fill);
            let open = widget::action(S, id, label, Weight::Plain, Some(Message::Go(route)));
            row![said, open].spacing(S.space).align_y(Center)
        };
        let signing = of(GateKind::Signing, matches!(self.page, Page::Relay(_))).map(|words| {
            let line = line(words, "drift-open", tr!(texts, "home-relay"), Route::Relay);
            column![line, S.hint(tr!(texts, "drift-alarm-todo"))].spacing(S.space * 0.5)
        });
        let boards = of(GateKind::Board, matches!(self.page, Page::Boards(_))).map(|words| {
            let line = line(words, "drift-boards", tr!(texts, "drift-to-boards"), Route::Boards);
            column![line, S.hint(tr!(texts, "drift-boards-todo"))].spacing(S.space * 0.5)
        });
        if signing.is_none() && boards.is_none() {
            return None;
        }
        let content = column![].push(signing).push(boards).spacing(S.space);
        let banner = container(content).id("drift-alarm").padding([S.space, S.space * 2.0]);
        Some(banner.style(|_theme| theme::panel_style(Tone::Alarm)).into())
    }

    /// Somebody may be looking in, or putting pictures in: on every page, until it is over. The machine page says more.
    fn stopped<'a>(&self, texts: &Texts) -> Option<Element<'a, Message>> {
        let report = self.known.posture.as_ref()?;
        let mut checks: Vec<_> = report.stops().map(|f| f.what.check()).collect();
        checks.dedup();
        if checks.is_empty() || self.realm == Realm::Practice || matches!(self.page, Page::Machine(_)) {
            return None;
        }
        let names: Vec<String> = checks.into_iter().map(|check| machine_words::check(texts, check)).collect();
        let names = words::list(texts, names.iter().map(String::as_str));
        let said = container(S.text(tr!(texts, "machine-banner", checks = names)).color(Tone::Alarm.ink())).width(Fill);
        let open = Some(Message::Go(Route::Machine));
        let banner = container(
            row![said, widget::action(S, "machine-open", tr!(texts, "machine-open"), Weight::Plain, open)]
                .spacing(S.space)
                .align_y(Center),
        );
        Some(
            banner
                .id("machine-banner")
                .padding([S.space, S.space * 2.0])
                .style(|_theme| theme::panel_style(Tone::Alarm))
                .into(),
        )
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
        Flash::GatePaired(gate) => {
            (Tone::Well, explain::Words::only(tr!(texts, "flash-gate-paired", gate = gate.as_str())))
        }
        Flash::CardIssued => (Tone::Well, explain::Words::only(tr!(texts, "flash-card-issued"))),
        Flash::Saved => (Tone::Well, explain::Words::only(tr!(texts, "flash-saved"))),
        Flash::FactsSaved => (Tone::Well, explain::Words::only(tr!(texts, "flash-facts-saved"))),
        Flash::Entered => (Tone::Well, explain::Words::only(tr!(texts, "flash-entered"))),
        Flash::PaperSaved(name) => {
            (Tone::Well, explain::Words::only(tr!(texts, "flash-paper-saved", name = name.as_str())))
        }
        Flash::NewVersion(version, stopped, told) => {
            let (stopped, told) = (stopped.to_string(), told.to_string());
            let what = tr!(texts, "flash-new-version", version = version.to_string());
            let todo = tr!(texts, "flash-new-version-todo", stopped = stopped, told = told);
            (Tone::Told, explain::Words { what, todo })
        }
        Flash::Copied => (Tone::Well, explain::Words::only(tr!(texts, "flash-copied"))),
        Flash::CertificateSaved(name) => {
            (Tone::Well, explain::Words::only(tr!(texts, "flash-certificate-saved", name = name.as_str())))
        }
        Flash::Account(change) => (
            Tone::Well,
            explain::Words::only(match change {
                AccountChange::Added => tr!(texts, "flash-account-added"),
                AccountChange::Disabled => tr!(texts, "flash-account-disabled"),
                AccountChange::PassphraseChanged => tr!(texts, "flash-passphrase"),
                AccountChange::Trained => tr!(texts, "flash-trained"),
                AccountChange::RulesSigned => tr!(texts, "flash-rules"),
            }),
        ),
        Flash::Replaced => (Tone::Well, explain::Words::only(tr!(texts, "flash-replaced"))),
        Flash::FormerMet(gate) => {
            (Tone::Well, explain::Words::only(tr!(texts, "flash-former-met", gate = gate.as_str())))
        }
        Flash::CardWay(true) => (Tone::Well, explain::Words::only(tr!(texts, "flash-card-way"))),
        Flash::Keep(told) => {
            keep::said(texts, told).unwrap_or_else(|| (Tone::Told, explain::Words::only(String::new())))
        }
        Flash::ReportSaved(path) => {
            (Tone::Well, explain::Words::only(tr!(texts, "doctor-saved", path = path.as_str())))
        }
        Flash::Board(done) => (
            Tone::Well,
            explain::Words::only(match done {
                BoardDone::Added => tr!(texts, "board-added"),
                BoardDone::Opened(door) => tr!(texts, "board-opened", door = door.get()),
                BoardDone::EventsStopped => tr!(texts, "board-events-stopped"),
            }),
        ),
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
