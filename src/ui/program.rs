//! The daemon around the windows: opens and closes them, carries commands to the desk and events back. The only place in `ui` with
//! effects, a clock or tasks.
//!
//! Closing the resident window stops what runs there and opens it again. Closing the staff window closes the desk: locked, and in practice
//! erased, before the program ends.

mod dialogs;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::channel::mpsc::Receiver;
use iced::widget::container;
use iced::{Element, Fill, Point, Size, Subscription, Task, clipboard, window};

use super::focus::{self, Step};
use super::keys::{Shortcut, Touch, shortcut, touch};
pub use super::plan::{Geometry, WindowPlan};
#[cfg(feature = "practice")]
use super::practice_tools::{self, PracticeTools, Tools};
use super::resident::{self, AidMessage, Resident};
use super::staff::{self, Staff};
use super::{theme, widget};
use crate::app::aids::Paper as AidPaper;
use crate::app::command::{Command, ResidentCommand};
use crate::app::event::{Event, ResidentScene};
use crate::domain::Realm;
use crate::domain::notice::Language;
use crate::i18n::Texts;
use crate::tr;

/// Longest wait for the desk's goodbye. The gates' erasures of a practice site go on in the gates after that.
pub const GOODBYE_MAX: Duration = Duration::from_secs(10);

/// How long the last page is shown when there is something to say on it.
const FAREWELL: Duration = Duration::from_secs(4);

/// How often the desk is told that somebody is there.
const AWAKE_EVERY: Duration = Duration::from_millis(1_500);

/// Pause between opening the resident window and making it fill its screen: asked for at once, it would fill the first screen.
const FULLSCREEN_AFTER: Duration = Duration::from_millis(500);

/// What the windows need to begin.
pub struct Boot {
    /// Real or practice.
    pub realm: Realm,
    /// Takes a command to the desk. Must not block.
    pub commands: Box<dyn Fn(Command) + Send + Sync>,
    /// What the desk tells.
    pub events: Receiver<Event>,
    /// Where the windows open.
    pub windows: WindowPlan,
    /// The practice devices, on practice sites.
    #[cfg(feature = "practice")]
    pub practice: Option<PracticeTools>,
}

/// Runs the windows until the staff window is closed and the desk has said goodbye.
///
/// # Errors
/// No display, or no way to draw on it.
pub fn run(boot: Boot) -> iced::Result {
    let boot = Mutex::new(Some(boot));
    iced::daemon(
        move || {
            let boot = boot.lock().ok().and_then(|mut held| held.take());
            App::open(boot)
        },
        App::update,
        App::view,
    )
    .settings(theme::settings())
    .title(App::title)
    .theme(App::theme)
    .subscription(App::subscription)
    .run()
}

/// What a window is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Staff,
    Resident,
    #[cfg(feature = "practice")]
    Practice,
}

impl Role {
    /// The window class, by which tests and window managers find it; also the id of the window's root container.
    fn application_id(self) -> &'static str {
        match self {
            Self::Staff => "menka-staff",
            Self::Resident => "menka-resident",
            #[cfg(feature = "practice")]
            Self::Practice => "menka-practice",
        }
    }
}

/// Anything that reaches the windows.
#[derive(Clone, Debug)]
enum Message {
    /// From the desk.
    Desk(Event),
    /// The desk's end of the line is gone.
    DeskGone,
    /// From the staff window.
    Staff(staff::Message),
    /// From the resident window.
    Resident(resident::Message),
    /// From the practice tools.
    #[cfg(feature = "practice")]
    Tools(practice_tools::Message),
    /// A window is there.
    Opened(Role, window::Id),
    /// It is time to fill the screen.
    Fill(window::Id),
    /// A window was closed.
    Closed(window::Id),
    /// A key that works everywhere in a window.
    Key(window::Id, Shortcut),
    /// Somebody moved the mouse or pressed a key in a window.
    Moved(window::Id),
    /// A window was touched.
    Touched(window::Id, Touch),
    /// Time passes.
    Ticked(Instant),
    /// The desk did not say goodbye in time.
    WaitedEnough,
    /// A test asked where everything is.
    #[cfg(feature = "practice")]
    Probe,
    /// Where everything is.
    #[cfg(feature = "practice")]
    Probed(String),
}

struct App {
    commands: Box<dyn Fn(Command) + Send + Sync>,
    plan: WindowPlan,
    realm: Realm,
    windows: Vec<(window::Id, Role)>,
    staff: Staff,
    staff_texts: Texts,
    resident: Resident,
    resident_texts: Texts,
    #[cfg(feature = "practice")]
    practice: Option<(PracticeTools, Tools)>,
    ticked_at: Option<Instant>,
    closing: bool,
    /// Pages the resident window has shown.
    pages: u32,
    goodbye: bool,
}

impl App {
    fn open(boot: Option<Boot>) -> (Self, Task<Message>) {
        // iced may start a program once only; a second start finds nothing to run and ends.
        let (boot, start) = match boot {
            Some(boot) => (boot, true),
            None => (Boot::empty(), false),
        };
        let realm = boot.realm;
        let mut app = Self {
            commands: boot.commands,
            plan: boot.windows,
            realm,
            windows: vec![],
            staff: Staff::new(realm),
            staff_texts: Texts::new(Language::Chinese),
            resident: Resident::default(),
            resident_texts: Texts::new(Language::Chinese),
            #[cfg(feature = "practice")]
            practice: boot.practice.map(|devices| (devices, Tools::default())),
            ticked_at: None,
            closing: false,
            pages: 0,
            goodbye: false,
        };
        app.resident.apply(&Event::Realm(realm));
        if !start {
            return (app, iced::exit());
        }
        let desk = Task::run(boot.events, Message::Desk).chain(Task::done(Message::DeskGone));
        let mut tasks = vec![desk, app.open_window(Role::Resident)];
        #[cfg(feature = "practice")]
        tasks.extend(app.practice.is_some().then(|| app.open_window(Role::Practice)));
        tasks.push(app.open_window(Role::Staff));
        (app, Task::batch(tasks))
    }

    fn open_window(&self, role: Role) -> Task<Message> {
        let place = match role {
            Role::Staff => self.plan.staff,
            Role::Resident => self.plan.resident,
            #[cfg(feature = "practice")]
            Role::Practice => self.plan.practice,
        };
        let position = match (place.x, place.y) {
            (Some(x), Some(y)) => window::Position::Specific(Point::new(x, y)),
            _ => window::Position::Default,
        };
        let (_, opened) = window::open(window::Settings {
            size: Size::new(place.width, place.height),
            min_size: (role == Role::Staff).then_some(Size::new(960.0, 560.0)),
            position,
            decorations: !(role == Role::Resident && self.plan.resident_fullscreen),
            // Closing is answered by hand: the desk locks first, and the resident window comes back.
            exit_on_close_request: false,
            platform_specific: platform(role),
            ..window::Settings::default()
        });
        opened.map(move |id| Message::Opened(role, id))
    }

    fn role(&self, id: window::Id) -> Option<Role> {
        self.windows.iter().find(|(known, _)| *known == id).map(|(_, role)| *role)
    }

    /// The resident chooses between two sets of colours; every other window has the usual one.
    fn theme(&self, id: window::Id) -> iced::Theme {
        match self.role(id) {
            Some(Role::Resident) => self.resident.contrast().theme(),
            _ => theme::theme(),
        }
    }

    fn title(&self, id: window::Id) -> String {
        match self.role(id) {
            Some(Role::Staff) => tr!(self.staff_texts, "window-staff"),
            Some(Role::Resident) => tr!(self.resident_texts, "window-resident"),
            #[cfg(feature = "practice")]
            Some(Role::Practice) => tr!(self.staff_texts, "window-practice"),
            None => String::new(),
        }
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Desk(event) => self.hear(event),
            // After its goodbye the desk is meant to be gone; the last page stays for its few seconds.
            Message::DeskGone if self.goodbye => Task::none(),
            Message::DeskGone => {
                // The desk's thread ended by itself: nothing can be done any more, and nothing may look as if it could.
                self.closing = true;
                self.staff.gone();
                Task::perform(pause(FAREWELL), |()| Message::WaitedEnough)
            }
            Message::Staff(message) => {
                let action = self.staff.update(message);
                self.act(action)
            }
            Message::Resident(message) => {
                let looked = matches!(message, resident::Message::Aid(AidMessage::InView(_)));
                let action = self.resident.update(message);
                let look = if looked { Task::none() } else { self.look() };
                Task::batch([self.act_resident(action), look])
            }
            Message::Touched(id, touch) if self.role(id) == Some(Role::Resident) => {
                let action = self.resident.update(resident::Message::Aid(AidMessage::Touched(touch)));
                self.act_resident(action)
            }
            Message::Touched(..) => Task::none(),
            #[cfg(feature = "practice")]
            Message::Tools(message) => {
                if let Some((devices, tools)) = &mut self.practice {
                    (devices.act)(tools.update(message));
                }
                Task::none()
            }
            Message::Opened(role, id) => {
                self.windows.push((id, role));
                match role {
                    Role::Resident if self.plan.resident_fullscreen => {
                        Task::perform(pause(FULLSCREEN_AFTER), move |()| Message::Fill(id))
                    }
                    Role::Staff => {
                        // The desk may have spoken before there was a field to put the caret into.
                        let caret = self.staff.caret().map_or(staff::Action::None, staff::Action::Focus);
                        Task::batch([window::gain_focus(id), self.act(caret)])
                    }
                    _ => Task::none(),
                }
            }
            Message::Fill(id) => window::set_mode(id, window::Mode::Fullscreen),
            Message::Closed(id) => self.closed(id),
            Message::Key(id, shortcut) => self.key(id, shortcut),
            Message::Moved(id) => match self.role(id) {
                Some(Role::Resident) | None => Task::none(),
                // Practice: who moves the practice devices is the one who works at the desk.
                Some(_) => {
                    let action = self.staff.update(staff::Message::Awake);
                    self.act(action)
                }
            },
            Message::Ticked(now) => {
                let before = self.ticked_at.replace(now).unwrap_or(now);
                let ms = i64::try_from(now.duration_since(before).as_millis()).unwrap_or(i64::MAX);
                let action = self.staff.update(staff::Message::Ticked(ms));
                if !self.staff.counts_down() {
                    self.ticked_at = None;
                }
                self.act(action)
            }
            Message::WaitedEnough => iced::exit(),
            #[cfg(feature = "practice")]
            Message::Probe => super::probe::collect().map(Message::Probed),
            #[cfg(feature = "practice")]
            Message::Probed(text) => {
                if let Some(file) = super::probe::file() {
                    super::probe::write(&file, &text);
                }
                Task::none()
            }
        }
    }

    fn key(&mut self, id: window::Id, shortcut: Shortcut) -> Task<Message> {
        let Some(role) = self.role(id) else { return Task::none() };
        match (role, shortcut) {
            (role, Shortcut::NextField) => focus::caret(role.application_id(), Step::Next),
            (role, Shortcut::PreviousField) => focus::caret(role.application_id(), Step::Previous),
            (Role::Staff, Shortcut::Lock) => {
                let action = self.staff.update(staff::Message::LockPressed);
                self.act(action)
            }
            (Role::Staff, Shortcut::Stray(stray)) => {
                let action = self.staff.update(staff::Message::Stray(stray));
                self.act(action)
            }
            (Role::Resident, Shortcut::Stray(stray)) => {
                let touched = self.resident.update(resident::Message::Aid(AidMessage::Touched(Touch::Passing)));
                let typed = self.resident.stray(stray);
                Task::batch([self.act_resident(touched), self.act_resident(typed)])
            }
            (Role::Resident, Shortcut::Lock) => Task::none(),
            #[cfg(feature = "practice")]
            (Role::Practice, Shortcut::Lock | Shortcut::Stray(_)) => Task::none(),
        }
    }

    fn hear(&mut self, event: Event) -> Task<Message> {
        match event {
            Event::Realm(realm) => {
                self.realm = realm;
                self.staff.set_realm(realm);
                self.resident.apply(&Event::Realm(realm));
                Task::none()
            }
            Event::Staff(event) => {
                let action = self.staff.apply(event);
                if self.staff.counts_down() && self.ticked_at.is_none() {
                    self.ticked_at = Some(Instant::now());
                }
                self.act(action)
            }
            Event::ResidentLanguage(language) => {
                if self.resident_texts.language() != language {
                    self.resident_texts = Texts::new(language);
                }
                self.resident.apply(&Event::ResidentLanguage(language));
                Task::none()
            }
            Event::Goodbye { erased: 0, unanswered } if unanswered.is_empty() => iced::exit(),
            Event::Goodbye { erased, unanswered } => {
                self.closing = true;
                self.goodbye = true;
                self.staff.farewell(erased, unanswered);
                Task::perform(pause(FAREWELL), |()| Message::WaitedEnough)
            }
            event @ (Event::Resident(_) | Event::Preview(_) | Event::Guide { .. } | Event::Aid(_)) => {
                if let Event::Resident(scene) = &event
                    && !scene.is_same_page(self.resident.scene())
                {
                    self.pages += 1;
                }
                self.resident.apply(&event);
                match (&event, self.resident.section_read()) {
                    (Event::Aid(_), Some(section)) => Task::batch([super::sections::bring(section), self.look()]),
                    (Event::Aid(_) | Event::Resident(_), _) => self.look(),
                    _ => Task::none(),
                }
            }
        }
    }

    fn act_resident(&self, action: resident::Action) -> Task<Message> {
        match action {
            resident::Action::None => Task::none(),
            resident::Action::Ask(command) => self.ask(Command::Resident(command)),
            resident::Action::PickReceiptPath => {
                let name = match self.resident.scene() {
                    ResidentScene::Withdrawn { .. } => "menka-deletion.pdf",
                    _ => "menka-receipt.pdf",
                };
                self.pick_path(name, resident::Message::ReceiptPathPicked)
            }
            resident::Action::PickPaperPath(paper) => {
                let name = match paper {
                    AidPaper::Rules => "menka-rules.pdf",
                    AidPaper::Notice => "menka-notice.pdf",
                    AidPaper::Receipt => "menka-receipt.pdf",
                };
                self.pick_path(name, move |path| resident::Message::Aid(AidMessage::PathPicked(paper, path)))
            }
            resident::Action::PickRightsPath(pick) => self.pick_own_path(pick),
            resident::Action::ReadPage => {
                let words =
                    super::sections::words(Role::Resident.application_id(), &["frame", "tray", "practice-banner"]);
                words.map(|words| Message::Resident(resident::Message::Aid(AidMessage::PageRead(words))))
            }
        }
    }

    /// Looks which sections of a notice are on screen, while one is shown.
    fn look(&self) -> Task<Message> {
        if !self.resident.is_timed() {
            return Task::none();
        }
        super::sections::look().map(|sections| Message::Resident(resident::Message::Aid(AidMessage::InView(sections))))
    }

    fn act(&mut self, action: staff::Action) -> Task<Message> {
        match action {
            // `Staff` follows routes itself.
            staff::Action::None | staff::Action::Go(_) => Task::none(),
            staff::Action::Ask(command) => self.ask(Command::Staff(command)),
            staff::Action::Focus(id) => focus::caret(Role::Staff.application_id(), Step::To(id.into())),
            staff::Action::Copy(text) => clipboard::write(text),
            staff::Action::PickCertificatePath(consent, place) => {
                let dialog = rfd::AsyncFileDialog::new()
                    .set_title(tr!(self.staff_texts, "certificate-action"))
                    .set_file_name("menka-deletion.pdf")
                    .add_filter("PDF", &["pdf"]);
                Task::perform(dialog.save_file(), move |picked| {
                    let path = picked.map(|file| file.path().to_owned());
                    Message::Staff(staff::Message::Deletion(staff::deletion::Message::PathPicked(consent, place, path)))
                })
            }
            staff::Action::PickPath(pick) => self.pick_rights_path(pick),
            staff::Action::Pick(pick) => self.pick_evidence_path(pick),
            staff::Action::SaveSheet(paper) => self.pick_sheet_path(paper),
            staff::Action::PickFormPath => self.pick_form_path(),
            staff::Action::PickReportPath => self.pick_report_path(),
            staff::Action::PickKeep(pick) => self.pick_keep(pick),
            staff::Action::PickDuty(pick) => self.pick_duty_path(pick),
            staff::Action::Language(language) => {
                self.staff_texts = Texts::new(language);
                Task::none()
            }
            staff::Action::SavePaper(paper) => self.pick_paper_path(paper),
            staff::Action::OpenSiteFile => self.pick_site_file(),
        }
    }

    fn ask(&self, command: Command) -> Task<Message> {
        if !self.closing {
            (self.commands)(command);
        }
        Task::none()
    }

    fn closed(&mut self, id: window::Id) -> Task<Message> {
        match self.role(id) {
            Some(Role::Resident) => {
                self.windows.retain(|(known, _)| *known != id);
                let stop = self.ask(Command::Resident(ResidentCommand::Stop));
                let again = if self.closing { Task::none() } else { self.open_window(Role::Resident) };
                Task::batch([stop, window::close(id), again])
            }
            Some(Role::Staff) if !self.closing => {
                let _ = self.ask(Command::Close);
                self.closing = true;
                self.staff.closing();
                Task::perform(pause(GOODBYE_MAX), |()| Message::WaitedEnough)
            }
            Some(Role::Staff) => Task::none(),
            #[cfg(feature = "practice")]
            Some(Role::Practice) => {
                self.windows.retain(|(known, _)| *known != id);
                window::close(id)
            }
            None => Task::none(),
        }
    }

    fn view(&self, id: window::Id) -> Element<'_, Message> {
        let Some(role) = self.role(id) else { return widget::gap() };
        let picture = match role {
            Role::Staff => self.staff.view(&self.staff_texts).map(Message::Staff),
            Role::Resident => self.resident.view(&self.resident_texts).map(Message::Resident),
            #[cfg(feature = "practice")]
            Role::Practice => match &self.practice {
                Some((devices, tools)) => {
                    tools.view(&self.staff_texts, &devices.cards, &devices.people).map(Message::Tools)
                }
                None => widget::gap(),
            },
        };
        // The software renderer repaints what changed and leaves strokes of a drawing that is gone: a page of its own has a ground of its own,
        // by a difference nobody sees, so that the whole window is repainted when the page changes.
        let ground = theme::ground(self.pages % 2 == 1);
        let ground = if role == Role::Resident { self.resident.contrast().shade(ground) } else { ground };
        // The id by which the caret stays inside its window.
        container(picture)
            .id(role.application_id())
            .width(Fill)
            .height(Fill)
            .style(move |_theme| container::Style::default().background(ground))
            .into()
    }

    fn subscription(&self) -> Subscription<Message> {
        let tick = if self.staff.counts_down() {
            iced::time::every(Duration::from_secs(1)).map(Message::Ticked)
        } else {
            Subscription::none()
        };
        #[cfg(feature = "practice")]
        let probe = match super::probe::file() {
            Some(_) => iced::time::every(super::probe::EVERY).map(|_| Message::Probe),
            None => Subscription::none(),
        };
        #[cfg(not(feature = "practice"))]
        let probe = Subscription::none();
        Subscription::batch([
            probe,
            window::close_requests().map(Message::Closed),
            iced::event::listen_with(|event, status, id| match touch(&event) {
                Some(touch) => Some(Message::Touched(id, touch)),
                None => Some(Message::Key(id, shortcut(event, status)?)),
            }),
            iced::event::listen_with(|event, _status, id| is_alive(&event).then_some(Message::Moved(id))),
            tick,
        ])
    }
}

/// Whether an event tells that somebody is there; at most one in a while is passed on, since a moving mouse sends hundreds.
fn is_alive(event: &iced::Event) -> bool {
    static TOLD: Mutex<Option<Instant>> = Mutex::new(None);
    let moved = match event {
        iced::Event::Keyboard(event) => matches!(event, iced::keyboard::Event::KeyPressed { .. }),
        iced::Event::Mouse(_) | iced::Event::Touch(_) => true,
        _ => false,
    };
    let Ok(mut told) = TOLD.lock() else { return moved };
    let now = Instant::now();
    let passed_on = moved && told.is_none_or(|before| now.duration_since(before) > AWAKE_EVERY);
    if passed_on {
        *told = Some(now);
    }
    passed_on
}

impl Boot {
    fn empty() -> Self {
        let (_, events) = futures::channel::mpsc::channel(0);
        let commands = Box::new(|_| ());
        Self {
            realm: Realm::Practice,
            commands,
            events,
            windows: WindowPlan::default(),
            #[cfg(feature = "practice")]
            practice: None,
        }
    }
}

impl std::fmt::Debug for Boot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Boot({:?}, {:?})", self.realm, self.windows)
    }
}

/// Waits without holding up the windows. Used twice in the life of a program, so a thread is cheap enough.
async fn pause(time: Duration) {
    let (done, over) = futures::channel::oneshot::channel::<()>();
    std::thread::spawn(move || {
        std::thread::sleep(time);
        let _ = done.send(());
    });
    let _ = over.await;
}

#[cfg(target_os = "linux")]
fn platform(role: Role) -> window::settings::PlatformSpecific {
    window::settings::PlatformSpecific { application_id: role.application_id().into(), override_redirect: false }
}

#[cfg(not(target_os = "linux"))]
fn platform(_role: Role) -> window::settings::PlatformSpecific {
    window::settings::PlatformSpecific::default()
}
