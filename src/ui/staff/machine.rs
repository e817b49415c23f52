//! This machine: what was looked at, how it is, what to do. And the examination of the whole station, which can be saved. Names nobody.

use std::path::PathBuf;

use iced::widget::{column, container, row};
use iced::{Center, Element, Fill, Length};

use super::{Action, Known, Route, S, machine_words as words};
use crate::app::command::StaffCommand;
use crate::app::doctor::Doctor;
use crate::app::posture::PostureCommand;
use crate::domain::Realm;
use crate::domain::posture::{CameraSeen, Finding, Grade, PostureReport, What};
use crate::domain::role::Role;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// To another page.
    GoPressed(Route),
    /// Look again.
    CheckPressed,
    /// The checks.
    ChecksPressed,
    /// The examination of the whole station.
    DoctorPressed,
    /// This camera is ours.
    AcceptPressed(CameraSeen),
    /// Save the examination; what it says in words.
    SavePressed(String),
    /// Where to, or nowhere.
    PathPicked(Option<PathBuf>),
}

/// Which half of the page is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Half {
    #[default]
    Checks,
    Doctor,
}

/// The page.
#[derive(Debug, Default)]
pub struct Machine {
    half: Half,
    asked: bool,
    /// The words that wait for a place to be saved to.
    text: Option<String>,
}

impl Machine {
    /// The desk answered.
    pub fn answered(&mut self) {
        self.asked = false;
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::GoPressed(route) => return Action::Go(route),
            Message::CheckPressed => {
                self.asked = true;
                return Action::Ask(StaffCommand::Posture(PostureCommand::Check));
            }
            Message::ChecksPressed => self.half = Half::Checks,
            Message::DoctorPressed => {
                self.half = Half::Doctor;
                self.asked = true;
                return Action::Ask(StaffCommand::Posture(PostureCommand::Examine));
            }
            Message::AcceptPressed(camera) => {
                self.asked = true;
                return Action::Ask(StaffCommand::Posture(PostureCommand::AcceptCamera(camera)));
            }
            Message::SavePressed(text) => {
                self.text = Some(text);
                return Action::PickReportPath;
            }
            Message::PathPicked(None) => self.text = None,
            Message::PathPicked(Some(path)) => {
                if let Some(text) = self.text.take() {
                    return Action::Ask(StaffCommand::Posture(PostureCommand::Save { path, text }));
                }
            }
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known, realm: Realm, role: Role) -> Element<'a, Message> {
        // The pages beside it are the supervisor's.
        let tabs =
            (role == Role::Supervisor).then(|| super::notice::tabs(texts, Route::Machine).map(Message::GoPressed));
        let report = known.posture.as_ref();
        let content: Element<'a, Message> = match (self.half, report) {
            (_, None) => S.soft(tr!(texts, "machine-looking")).into(),
            (Half::Checks, Some(report)) => self.checks(texts, report, realm, role),
            (Half::Doctor, Some(report)) => self.doctor(texts, report, known.doctor.as_ref()),
        };
        column![].push(tabs).push(widget::scroll("machine-scroll", content).height(Fill)).spacing(S.space * 1.5).into()
    }

    fn checks<'a>(&self, texts: &Texts, report: &'a PostureReport, realm: Realm, role: Role) -> Element<'a, Message> {
        let label = if self.asked { tr!(texts, "machine-looking") } else { tr!(texts, "machine-again") };
        let head = row![
            container(S.title(tr!(texts, "machine-title"))).width(Fill),
            widget::action(
                S,
                "machine-doctor",
                tr!(texts, "machine-doctor"),
                Weight::Plain,
                Some(Message::DoctorPressed),
            ),
            widget::action(S, "machine-again", label, Weight::Primary, (!self.asked).then_some(Message::CheckPressed),),
        ]
        .spacing(S.space);
        let (tone, said) = if report.lets_faces() {
            (Tone::Well, tr!(texts, "machine-fit"))
        } else if report.stops().next().is_some() {
            (Tone::Alarm, tr!(texts, "machine-stop"))
        } else {
            (Tone::Warn, tr!(texts, "machine-unfit"))
        };
        let practice = (realm == Realm::Practice).then(|| tr!(texts, "machine-practice"));
        // What needs somebody comes first; within a grade the order of the checks stays.
        let mut findings: Vec<&Finding> = report.findings.iter().collect();
        findings.sort_by_key(|f| std::cmp::Reverse(words::shown_grade(f)));
        let (well, open): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| words::shown_grade(f) == Grade::Well);
        let open = (!open.is_empty()).then(|| {
            let rows = open.into_iter().map(|f| match f.what {
                What::CameraAppeared => {
                    column![finding_row(texts, f)].push(self.strangers(texts, report, role)).spacing(S.space).into()
                }
                _ => finding_row(texts, f),
            });
            widget::panel(S, Tone::Plain, column(rows).spacing(S.space * 1.75))
        });
        let well = (!well.is_empty()).then(|| {
            let rows = well.into_iter().map(|f| finding_row(texts, f));
            widget::panel(S, Tone::Plain, column(rows).spacing(S.space))
        });
        column![head, widget::telling(S, "machine-said", tone, said, practice)]
            .push(open)
            .push(well)
            .push(S.hint(tr!(texts, "machine-system", system = report.system.as_str())))
            .spacing(S.space * 2.0)
            .into()
    }

    /// Each camera that nobody accepted, with its socket, and the button for whoever answers for it (`app::roles`).
    fn strangers<'a>(&self, texts: &Texts, report: &'a PostureReport, role: Role) -> Option<Element<'a, Message>> {
        matches!(role, Role::Supervisor | Role::Technician).then(|| {
            let rows = report.strangers.iter().enumerate().map(|(at, camera)| {
                let socket = camera.place.rsplit('/').next().unwrap_or_default();
                let said = tr!(texts, "camera-in", name = camera.name.as_str(), place = socket);
                let pressed = (!self.asked).then(|| Message::AcceptPressed(camera.clone()));
                let accept = tr!(texts, "camera-accept");
                row![
                    container(S.text(said)).width(Fill),
                    widget::action(S, format!("camera-accept-{at}"), accept, Weight::Plain, pressed),
                ]
                .spacing(S.space * 1.5)
                .align_y(Center)
                .into()
            });
            let indent = iced::Padding::ZERO.left(STATE + CHECK + S.space * 3.0);
            container(column(rows).spacing(S.space)).padding(indent).into()
        })
    }

    fn doctor<'a>(&self, texts: &Texts, report: &'a PostureReport, doctor: Option<&'a Doctor>) -> Element<'a, Message> {
        let ready = doctor.filter(|_| !self.asked);
        let save = ready.map(|doctor| Message::SavePressed(words::doctor_text(texts, doctor, report)));
        let head = row![
            container(S.title(tr!(texts, "doctor-title"))).width(Fill),
            widget::action(S, "doctor-back", tr!(texts, "doctor-back"), Weight::Plain, Some(Message::ChecksPressed),),
            widget::action(S, "doctor-save", tr!(texts, "doctor-save"), Weight::Primary, save),
        ]
        .spacing(S.space);
        let body: Element<'a, Message> = match ready {
            None => S.soft(tr!(texts, "doctor-working")).into(),
            Some(doctor) => {
                let lines = words::doctor_lines(texts, doctor).into_iter().map(|line| {
                    row![
                        container(S.soft(line.label)).width(Length::FillPortion(2)),
                        container(S.text(line.value).color(line.tone.ink())).width(Length::FillPortion(5)),
                    ]
                    .spacing(S.space * 1.5)
                    .into()
                });
                let found = report.findings.iter().map(|f| finding_row(texts, f));
                column![
                    widget::panel(S, Tone::Plain, column(lines).spacing(S.space)),
                    widget::panel(S, Tone::Plain, column(found).spacing(S.space)),
                ]
                .spacing(S.space * 2.0)
                .into()
            }
        };
        column![head, S.hint(tr!(texts, "doctor-how")), body].spacing(S.space * 2.0).into()
    }
}

/// Width of the column of states, in logical pixels: the longest word in a pill.
const STATE: f32 = 100.0;
/// Width of the column of checks.
const CHECK: f32 = 140.0;

fn finding_row<'a>(texts: &Texts, finding: &Finding) -> Element<'a, Message> {
    let said = words::finding(texts, finding);
    let todo = (!said.todo.is_empty()).then(|| S.hint(said.todo));
    row![
        container(widget::pill(S, words::tone(finding), words::state(texts, finding))).width(STATE),
        container(S.soft(words::check(texts, finding.what.check()))).width(CHECK),
        column![S.text(said.what)].push(todo).spacing(S.space * 0.25).width(Fill),
    ]
    .spacing(S.space * 1.5)
    .align_y(Center)
    .into()
}
