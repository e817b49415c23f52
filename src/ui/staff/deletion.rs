//! Pausing, fewer doors, stopping all faces, closing a record, certificates, retention: one page for a person, one for the site. One
//! decision at a time; nothing here starts or suggests face entry.

use iced::widget::{Column, column, container, row};
use iced::{Center, Element, Fill};

use super::deletion_panels::{asked, clock, closing, doors, endings_of, open_endings, renewal, retention};
use super::{Action, Flash, Known, Route, S};
use crate::app::command::StaffCommand;
use crate::app::deletion::{Closing, DeletionCommand, DeletionEvent, PersonView, SiteView};
use crate::app::event::{Failure, FieldFault};
use crate::domain::id::{ConsentId, GateId, ResidentId};
use crate::domain::role::LookWhy;
use crate::i18n::Texts;
use crate::tr;
use crate::ui::theme::{Tone, Weight};
use crate::ui::widget;

/// Id of the field for the time of a switch-off.
pub const SWITCHED_AT: &str = "switched-at";
/// Id of the field for who switched it off.
pub const SWITCHED_BY: &str = "switched-by";

/// Id of the field for the address of a gate out of use.
pub const MEET_AT: &str = "meet-at";

/// What the desk told about these matters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The open record's.
    pub person: Option<PersonView>,
    /// The site's.
    pub site: SiteView,
    /// Gates with new transforms, and gates that did not sign, after the last renewal.
    pub renewed: Option<(Vec<String>, Vec<String>)>,
}

impl Told {
    /// Takes in what the desk tells. Returns what is to be said of it.
    pub(super) fn apply(&mut self, event: DeletionEvent) -> Option<Flash> {
        match event {
            DeletionEvent::Person(view) => self.person = Some(*view),
            DeletionEvent::Site(view) => self.site = *view,
            DeletionEvent::ClockAhead { trusted, now } => self.site.clock_doubt = Some((trusted, now)),
            DeletionEvent::Renewed { done, left } => self.renewed = Some((done, left)),
            DeletionEvent::Met(gate) => return Some(Flash::FormerMet(gate)),
            DeletionEvent::SwitchedOff(_) => return Some(Flash::Entered),
            DeletionEvent::Saved(path) => {
                // The folder is long and says nothing: the name is enough.
                let name = path.rsplit(['/', '\\']).next().unwrap_or(&path).to_owned();
                return Some(Flash::CertificateSaved(name));
            }
        }
        None
    }
}

/// Which of the two pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The open record.
    Person,
    /// The site.
    Site,
}

/// What is asked before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Pause this person's face.
    Pause(ResidentId),
    /// Take it up again.
    Resume(ResidentId),
    /// Take a door out.
    Drop(ResidentId, GateId, String),
    /// Close the record.
    Close(ResidentId, Closing),
    /// Stop faces at a gate (with its name), or everywhere.
    Stop(Option<(GateId, String)>),
    /// Take faces up again.
    ResumeAt(Option<(GateId, String)>),
    /// New transforms for the templates at every gate.
    Renew,
    /// Retire a gate.
    Retire(GateId, String),
}

/// What happens here.
#[derive(Clone, Debug)]
pub enum Message {
    /// Asks first.
    AskPressed(Ask),
    /// Yes.
    Confirmed,
    /// No.
    Dropped,
    /// Saves a certificate, of one place or of everything: where to, comes next.
    SavePressed(ConsentId, Option<GateId>),
    /// Where to; `None` when the dialog was left.
    PathPicked(ConsentId, Option<GateId>, Option<std::path::PathBuf>),
    /// Opens the record of an ending.
    OpenPressed(ResidentId),
    /// Back to the record.
    RecordPressed,
    /// Opens or closes the entry of a switch-off for a gate.
    SwitchedOffPressed(Option<GateId>),
    /// When.
    AtTyped(String),
    /// Who.
    ByTyped(String),
    /// Enters it.
    SwitchedOffSaved,
    /// Opens or closes the field for the address of a gate out of use.
    MeetPressed(Option<GateId>),
    /// Where it is.
    AddressTyped(String),
    /// Looks for it there.
    MeetConfirmed,
    /// Does now what is due by rule.
    RetentionPressed,
    /// The date is right.
    DatePressed,
}

/// The page.
#[derive(Debug)]
pub struct Deletion {
    about: About,
    asking: Option<Ask>,
    switching: Option<GateId>,
    meeting: Option<GateId>,
    address: String,
    at: String,
    by: String,
    /// A switch-off is with the desk, which has not answered yet.
    saving: bool,
}

impl Deletion {
    /// A page on which nothing is asked.
    pub fn new(about: About) -> Self {
        Self {
            about,
            asking: None,
            switching: None,
            meeting: None,
            address: String::new(),
            at: String::new(),
            by: String::new(),
            saving: false,
        }
    }

    /// A switch-off was entered: its form closes.
    pub fn switched_off_entered(&mut self, gate: GateId) {
        if self.switching == Some(gate) {
            self.open_switch_off(None);
        }
    }

    /// The desk did not accept it. What was typed stays, and the field that it is about is where one types next.
    pub fn failed(&mut self, failure: &Failure) -> Action {
        let asked = std::mem::take(&mut self.saving);
        match failure {
            Failure::Field(FieldFault::SwitchedOffAt | FieldFault::HeardSince(_)) if asked => {
                Action::Focus(SWITCHED_AT)
            }
            Failure::Field(FieldFault::Operator) if asked => Action::Focus(SWITCHED_BY),
            _ => Action::None,
        }
    }

    fn open_switch_off(&mut self, gate: Option<GateId>) {
        (self.switching, self.saving) = (gate, false);
        (self.at, self.by) = (String::new(), String::new());
    }

    /// Which of the two.
    pub fn about(&self) -> About {
        self.about
    }

    /// Takes in what a person did.
    pub fn update(&mut self, message: Message) -> Action {
        let ask = |command| Action::Ask(StaffCommand::Deletion(command));
        match message {
            Message::AskPressed(what) => self.asking = Some(what),
            Message::Dropped => self.asking = None,
            Message::Confirmed => {
                let Some(what) = self.asking.take() else { return Action::None };
                return ask(match what {
                    Ask::Pause(resident) => DeletionCommand::PauseFor(resident),
                    Ask::Resume(resident) => DeletionCommand::ResumeFor(resident),
                    Ask::Drop(resident, gate, _) => DeletionCommand::DropDoorFor { resident, gate },
                    Ask::Close(resident, why) => DeletionCommand::CloseRecord { resident, why },
                    Ask::Stop(gate) => DeletionCommand::StopFaces(gate.map(|(id, _)| id)),
                    Ask::ResumeAt(gate) => DeletionCommand::ResumeFaces(gate.map(|(id, _)| id)),
                    Ask::Renew => DeletionCommand::RenewTemplates,
                    Ask::Retire(gate, _) => DeletionCommand::RetireGate(gate),
                });
            }
            Message::SavePressed(consent, place) => return Action::PickCertificatePath(consent, place),
            Message::PathPicked(consent, place, Some(path)) => {
                return ask(DeletionCommand::SaveCertificate { consent, place, path });
            }
            Message::PathPicked(_, _, None) => {}
            Message::OpenPressed(resident) => {
                return Action::Ask(StaffCommand::OpenResident(resident, LookWhy::Request));
            }
            Message::RecordPressed => return Action::Go(Route::Record),
            Message::SwitchedOffPressed(gate) => {
                self.open_switch_off(gate);
                if gate.is_some() {
                    return Action::Focus(SWITCHED_AT);
                }
            }
            Message::AtTyped(text) => self.at = text,
            Message::ByTyped(text) => self.by = text,
            Message::SwitchedOffSaved if self.saving => {}
            Message::SwitchedOffSaved => {
                let Some(gate) = self.switching else { return Action::None };
                if self.at.trim().is_empty() {
                    return Action::Focus(SWITCHED_AT);
                }
                if self.by.trim().is_empty() {
                    return Action::Focus(SWITCHED_BY);
                }
                self.saving = true;
                let (at, by) = (self.at.clone(), self.by.clone());
                return ask(DeletionCommand::SwitchedOff { gate, at, by });
            }
            Message::MeetPressed(gate) => {
                (self.meeting, self.address) = (gate, String::new());
                if gate.is_some() {
                    return Action::Focus(MEET_AT);
                }
            }
            Message::AddressTyped(text) => self.address = text,
            Message::MeetConfirmed => {
                let Some(gate) = self.meeting else { return Action::None };
                let address = self.address.trim().to_owned();
                if address.is_empty() {
                    return Action::Focus(MEET_AT);
                }
                return ask(DeletionCommand::MeetFormer { gate, address });
            }
            Message::RetentionPressed => return ask(DeletionCommand::RunRetention),
            Message::DatePressed => return ask(DeletionCommand::ConfirmDate),
        }
        Action::None
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, texts: &Texts, known: &'a Known) -> Element<'a, Message> {
        let content = match (&self.asking, self.about, &known.deletion.person) {
            (Some(what), ..) => asked(texts, what),
            (None, About::Person, Some(person)) => self.person(texts, person),
            (None, About::Person, None) => column![S.soft(tr!(texts, "starting"))],
            (None, About::Site, _) => self.site(texts, &known.deletion),
        };
        widget::scroll("deletion-scroll", content.spacing(S.space * 2.0)).height(Fill).into()
    }

    fn person<'a>(&'a self, texts: &Texts, person: &'a PersonView) -> Column<'a, Message> {
        let back = widget::action(
            S,
            "deletion-record",
            tr!(texts, "deletion-record"),
            Weight::Quiet,
            Some(Message::RecordPressed),
        );
        let head = row![S.heading(tr!(texts, "deletion-person")), widget::gap(), back].align_y(Center);
        column![head].push(doors(texts, person)).push(endings_of(texts, person)).push(closing(texts, person))
    }

    fn site<'a>(&'a self, texts: &Texts, told: &'a Told) -> Column<'a, Message> {
        let site = &told.site;
        column![S.heading(tr!(texts, "deletion-site"))]
            .push(site.clock_doubt.map(|(trusted, now)| clock(texts, trusted, now)))
            .push(self.stops(texts, site))
            .push(self.former(texts, site))
            .push(renewal(texts, told))
            .push(open_endings(texts, site))
            .push(retention(texts, site))
    }

    fn stops<'a>(&'a self, texts: &Texts, site: &'a SiteView) -> Element<'a, Message> {
        let stopped = site.gates.iter().filter(|(_, _, stopped, _)| *stopped).count();
        let all = if stopped < site.gates.len() || site.gates.is_empty() {
            let press = (!site.gates.is_empty()).then_some(Message::AskPressed(Ask::Stop(None)));
            widget::action(S, "stop-all", tr!(texts, "stop-all"), Weight::Primary, press)
        } else {
            let press = Some(Message::AskPressed(Ask::ResumeAt(None)));
            widget::action(S, "resume-all", tr!(texts, "resume-all"), Weight::Plain, press)
        };
        let head = row![
            container(column![S.heading(tr!(texts, "stop-title")), S.soft(tr!(texts, "stop-text"))]).width(Fill),
            all
        ]
        .spacing(S.space * 1.5)
        .align_y(Center);
        let lines = site
            .gates
            .iter()
            .enumerate()
            .map(|(at, (gate, name, stopped, waiting))| self.gate_line(texts, at, *gate, name, *stopped, *waiting));
        let restored = site.restored_at.map(|at| {
            let what = tr!(texts, "restored-stop", day = at.minute_text());
            widget::telling(S, "restored-stop", Tone::Warn, what, Some(tr!(texts, "restored-stop-todo")))
        });
        let content = column![head].push(restored).extend(lines).spacing(S.space * 1.25);
        widget::panel(S, Tone::Plain, content).into()
    }

    /// Gates out of use that have not signed: where they are, or that somebody switched them off.
    fn former<'a>(&'a self, texts: &Texts, site: &'a SiteView) -> Option<Element<'a, Message>> {
        let lines = site.unmet.iter().enumerate().map(|(at, (gate, name))| {
            let (meeting, switching) = (self.meeting == Some(*gate), self.switching == Some(*gate));
            let button = |id: String, label: String, press| widget::action(S, id, label, Weight::Plain, Some(press));
            let next = |open: bool| if open { None } else { Some(*gate) };
            let line = row![
                container(S.text(tr!(texts, "former-line", gate = name.as_str(), number = gate.short()))).width(Fill),
                button(format!("meet-{at}"), tr!(texts, "meet-open"), Message::MeetPressed(next(meeting))),
                button(
                    format!("former-off-{at}"),
                    tr!(texts, "switched-off-action"),
                    Message::SwitchedOffPressed(next(switching))
                ),
            ]
            .spacing(S.space)
            .align_y(Center);
            let meet = meeting.then(|| self.meet(texts));
            column![line].push(meet).push(switching.then(|| self.switched_off(texts))).spacing(S.space).into()
        });
        let head = column![S.heading(tr!(texts, "former-title")), S.soft(tr!(texts, "former-text"))];
        let content = column![head].extend(lines).spacing(S.space * 1.25);
        (!site.unmet.is_empty()).then(|| widget::panel(S, Tone::Warn, content).into())
    }

    fn meet<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let address = widget::Field::new(MEET_AT, tr!(texts, "pair-address"), &self.address)
            .hint(tr!(texts, "pair-address-hint"))
            .view(S, Message::AddressTyped, Some(Message::MeetConfirmed));
        let label = tr!(texts, "meet-action");
        let look = widget::action(S, "meet-action", label, Weight::Primary, Some(Message::MeetConfirmed));
        widget::panel(S, Tone::Plain, row![container(address).width(Fill), look].spacing(S.space * 1.5)).into()
    }

    fn gate_line<'a>(
        &'a self,
        texts: &Texts,
        at: usize,
        gate: GateId,
        name: &'a str,
        stopped: bool,
        waiting: bool,
    ) -> Element<'a, Message> {
        let (tone, word) = match (stopped, waiting) {
            (true, true) => (Tone::Warn, tr!(texts, "stop-waiting")),
            (true, false) => (Tone::Alarm, tr!(texts, "stop-stopped")),
            (false, true) => (Tone::Warn, tr!(texts, "stop-resuming")),
            (false, false) => (Tone::Well, tr!(texts, "stop-running")),
        };
        let named = (gate, name.to_owned());
        let (label, ask) = if stopped {
            (tr!(texts, "resume-one"), Ask::ResumeAt(Some(named.clone())))
        } else {
            (tr!(texts, "stop-one"), Ask::Stop(Some(named.clone())))
        };
        let button = |id: String, label: String, message| widget::action(S, id, label, Weight::Plain, Some(message));
        let open = self.switching == Some(gate);
        let next = if open { None } else { Some(gate) };
        let line = row![
            container(S.text(name)).width(Fill),
            widget::pill(S, tone, word),
            button(format!("stop-{at}"), label, Message::AskPressed(ask)),
            button(format!("switched-off-{at}"), tr!(texts, "switched-off-action"), Message::SwitchedOffPressed(next)),
            button(
                format!("retire-{at}"),
                tr!(texts, "retire-action"),
                Message::AskPressed(Ask::Retire(named.0, named.1))
            ),
        ]
        .spacing(S.space)
        .align_y(Center);
        column![line].push(open.then(|| self.switched_off(texts))).spacing(S.space).into()
    }

    fn switched_off<'a>(&'a self, texts: &Texts) -> Element<'a, Message> {
        let at = widget::Field::new(SWITCHED_AT, tr!(texts, "switched-at"), &self.at)
            .placeholder("2026-11-22 10:30")
            .view(S, Message::AtTyped, Some(Message::SwitchedOffSaved));
        let by = widget::Field::new(SWITCHED_BY, tr!(texts, "switched-by"), &self.by).view(
            S,
            Message::ByTyped,
            Some(Message::SwitchedOffSaved),
        );
        let save = widget::action(
            S,
            "switched-save",
            tr!(texts, "switched-save"),
            Weight::Primary,
            Some(Message::SwitchedOffSaved),
        );
        let fields = row![container(at).width(Fill), container(by).width(Fill), save].spacing(S.space * 1.5);
        let content = column![S.soft(tr!(texts, "switched-text")), fields.align_y(iced::Bottom)].spacing(S.space);
        widget::panel(S, Tone::Told, content).into()
    }
}
