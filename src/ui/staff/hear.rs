//! What the desk tells, taken into the staff window.

use super::{Action, Flash, Page, Route, Staff, first_run, home, resident, unlock};
use crate::app::boards::{BoardDone, BoardsEvent};
use crate::app::deletion::DeletionEvent;
use crate::app::event::{Failure, FieldFault, StaffEvent};
use crate::app::evidence::EvidenceEvent;
use crate::app::keep::KeepTold;
use crate::app::notice::NoticeEvent;
use crate::app::pairing::PairingEvent;
use crate::app::posture::PostureEvent;
use crate::app::relay::RelayEvent;
use crate::app::rights::RightsTold;

impl Staff {
    /// Takes in what the desk tells.
    pub fn apply(&mut self, event: StaffEvent) -> Action {
        match event {
            StaffEvent::FirstRun => {
                self.forget();
                self.page = Page::FirstRun(first_run::FirstRun::default());
                return Action::Focus(first_run::OPERATOR);
            }
            StaffEvent::Locked { wait_ms } => {
                // Who was chosen before a refusal stays chosen.
                let again = match &self.page {
                    Page::Unlock(screen) if !screen.is_curtain() => screen.again(wait_ms),
                    _ => unlock::Unlock::new(wait_ms),
                };
                let recovers = matches!(&self.page, Page::Unlock(screen) if screen.recovers());
                self.forget();
                self.page = Page::Unlock(again);
                if recovers && let Page::Unlock(screen) = &mut self.page {
                    return screen.update(unlock::Message::RecoverPressed(true));
                }
                return Action::Focus(unlock::PASSPHRASE);
            }
            StaffEvent::Unlocked { operator } => {
                self.known.operator = operator;
                self.flash = None;
                return self.go(Route::Home);
            }
            StaffEvent::Gates(gates) => {
                if let Some(record) = &mut self.record {
                    record.gates_changed(&gates);
                }
                self.known.gates = gates;
            }
            StaffEvent::Pairing(event) => {
                if let PairingEvent::Paired(name) = &event {
                    self.flash = Some(Flash::GatePaired(name.clone()));
                }
                if let Page::Gates(screen) = &mut self.page {
                    screen.hear(event);
                }
            }
            StaffEvent::StationFingerprint(digits) => self.known.fingerprint = digits,
            StaffEvent::Facts(facts, missing) => {
                if let Page::Facts(screen) = &mut self.page
                    && screen.saved(&facts)
                {
                    self.flash = Some(Flash::FactsSaved);
                }
                self.known.facts = facts;
                self.known.facts_missing = missing;
            }
            StaffEvent::Desk(blockers) => self.known.blockers = Some(blockers),
            StaffEvent::Found { rows, more } => self.home.found(rows, more),
            StaffEvent::Opened(view) => {
                match &mut self.record {
                    Some(record) if record.id() == view.resident.id => record.refresh(*view),
                    _ => self.record = Some(resident::Record::new(*view, &self.known.gates)),
                }
                if let (Page::Rights(screen), Some(record)) = (&mut self.page, &self.record) {
                    screen.person_opened(record.resident());
                    return Action::None;
                }
                // An open form is not torn from under the hands of who types, unless it was this save that was answered.
                let about_it = matches!(&self.page, Page::Deletion(_)) && self.shows_record();
                if !matches!(&self.page, Page::Form(form) if !form.is_saved())
                    && !matches!(self.page, Page::Resident | Page::Shown(_))
                    && !about_it
                {
                    self.page = Page::Resident;
                    return Action::Focus(resident::CARD_FIELD);
                }
            }
            StaffEvent::Closed => {
                // When it was this window that closed it, another page is shown already.
                self.known.deletion.person = None;
                if self.record.take().is_some() && self.shows_record() {
                    return self.go(Route::Home);
                }
                return self.after_closed();
            }
            StaffEvent::Deletion(event) => {
                if let (DeletionEvent::SwitchedOff(gate), Page::Deletion(screen)) = (&event, &mut self.page) {
                    screen.switched_off_entered(*gate);
                }
                if let Some(flash) = self.known.deletion.apply(event) {
                    self.flash = Some(flash);
                }
            }
            StaffEvent::Saved(_) => {
                self.flash = Some(Flash::Saved);
                if let Page::Form(form) = &mut self.page {
                    form.mark_saved();
                }
            }
            StaffEvent::CardRead(card) => {
                if let Some(record) = &mut self.record {
                    record.card_read(card);
                }
            }
            StaffEvent::CardIssued(resident) => {
                self.flash = Some(Flash::CardIssued);
                if let Some(record) = self.record.as_mut().filter(|record| record.id() == resident) {
                    record.card_issued();
                }
            }
            StaffEvent::CardWay(gate, opens) => {
                self.known.card_ways.retain(|(id, _)| *id != gate);
                self.known.card_ways.push((gate, opens));
                self.flash = Some(Flash::CardWay(opens));
            }
            StaffEvent::Reader(state) => self.known.reader = state,
            StaffEvent::ResidentBusy(busy) => self.known.resident_busy = busy,
            StaffEvent::Rights(RightsTold::Counts(counts)) => self.known.requests = counts,
            StaffEvent::Rights(told) => {
                if let Page::Rights(screen) = &mut self.page {
                    screen.hear(told);
                }
            }
            StaffEvent::Notice(event) => self.hear_notice(event),
            StaffEvent::Evidence(event) => {
                if let Page::Shown(screen) = &mut self.page {
                    screen.hear(&event);
                }
                if let (EvidenceEvent::HeadSaved { path, .. }, Page::Home) = (&event, &self.page) {
                    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
                    self.flash = Some(Flash::PaperSaved(name));
                }
                self.known.evidence.hear(event);
            }
            StaffEvent::Guardian(event) => {
                if let Page::Minors(screen) = &mut self.page {
                    screen.apply(&event);
                }
                if let Some(record) = &mut self.record {
                    record.guardian_told(&event);
                }
            }
            StaffEvent::Keep(told) => self.hear_keep(told),
            StaffEvent::Form(form) => self.known.form = form,
            StaffEvent::Posture(event) => self.posture(event),
            StaffEvent::Relay(RelayEvent::Joined(found)) => {
                if let Page::Relay(screen) = &mut self.page {
                    screen.joined(found);
                }
            }
            StaffEvent::Relay(event) => {
                if self.known.relay.apply(event) {
                    if let Page::Relay(screen) = &mut self.page {
                        screen.replaced();
                    }
                    self.flash = Some(Flash::Replaced);
                }
            }
            StaffEvent::Boards(event) => self.hear_boards(event),
            StaffEvent::Duties(event) => {
                if let Page::Duties(screen) = &mut self.page {
                    screen.hear(&event);
                }
                self.known.duties.hear(event);
            }
            StaffEvent::Failed(failure) => return self.failed(failure),
            StaffEvent::Operators(event) => return self.hear_accounts(event),
        }
        Action::None
    }

    fn hear_notice(&mut self, event: NoticeEvent) {
        match event {
            NoticeEvent::View(view) => self.known.notice = Some(view),
            NoticeEvent::WouldStop { facts, parts, people } => {
                if !matches!(self.page, Page::Facts(_)) {
                    self.page = Page::Facts(super::settings::Facts::new(&facts));
                }
                if let Page::Facts(screen) = &mut self.page {
                    screen.would_stop(*facts, parts, people);
                }
            }
            NoticeEvent::NewVersion { version, stopped, told } => {
                self.flash = Some(Flash::NewVersion(version, stopped, told));
            }
            NoticeEvent::Person(resident, news) => self.known.news = news.map(|news| (resident, news)),
            NoticeEvent::Entered => {
                if let Page::Notice(screen) = &mut self.page {
                    screen.entered();
                }
                self.flash = Some(Flash::Entered);
            }
            NoticeEvent::Saved(name) => self.flash = Some(Flash::PaperSaved(name)),
        }
    }

    fn hear_boards(&mut self, event: BoardsEvent) {
        match event {
            BoardsEvent::Told(boards) => self.known.boards = boards,
            BoardsEvent::Done(done) => {
                if let (Page::Boards(screen), BoardDone::Added) = (&mut self.page, done) {
                    screen.added();
                }
                self.flash = Some(Flash::Board(done));
            }
        }
    }

    fn hear_keep(&mut self, told: KeepTold) {
        if let Page::Keep(screen) = &mut self.page {
            screen.hear(&told);
        }
        match told {
            KeepTold::View(_) | KeepTold::Sheet(_) | KeepTold::SheetOver => {}
            KeepTold::SheetSaved(path) => self.flash = Some(Flash::PaperSaved(path)),
            told => self.flash = Some(Flash::Keep(told)),
        }
    }

    fn posture(&mut self, event: PostureEvent) {
        if let Page::Machine(screen) = &mut self.page {
            screen.answered();
        }
        match event {
            PostureEvent::Report(report) => self.known.posture = Some(report),
            PostureEvent::Examined(doctor) => self.known.doctor = Some(*doctor),
            PostureEvent::Saved(path) => self.flash = Some(Flash::ReportSaved(path)),
        }
    }

    fn failed(&mut self, failure: Failure) -> Action {
        let action = match (&mut self.page, &failure) {
            (Page::Unlock(screen), Failure::WrongPassphrase { wait_ms }) => {
                screen.refused(*wait_ms);
                Action::Focus(unlock::PASSPHRASE)
            }
            (Page::Rules(screen), _) => {
                screen.failed();
                Action::None
            }
            (Page::Unlock(screen), _) => {
                screen.answered();
                Action::None
            }
            (Page::FirstRun(screen), Failure::SlotsGone) => {
                screen.data_is_there();
                Action::None
            }
            (Page::FirstRun(screen), _) => screen.failed(),
            (Page::Keep(screen), _) => {
                screen.failed();
                Action::None
            }
            (Page::Restore(screen, _), _) => {
                screen.failed();
                Action::None
            }
            // Said beside the field; saying it twice helps nobody.
            (Page::Form(screen), Failure::Field(fault)) => return screen.failed(*fault),
            (Page::Resident, Failure::Field(FieldFault::Guardian(fault))) => {
                if let Some(record) = &mut self.record {
                    record.guardian_failed(*fault);
                }
                return Action::None;
            }
            (Page::Gates(screen), _) => {
                screen.failed();
                Action::None
            }
            (Page::Relay(screen), _) => {
                screen.failed();
                Action::None
            }
            (Page::Boards(screen), _) => {
                screen.failed();
                Action::None
            }
            (Page::Deletion(screen), failure) => screen.failed(failure),
            (Page::Notice(screen), _) => {
                screen.failed();
                Action::None
            }
            (Page::Duties(screen), _) => {
                screen.failed();
                Action::None
            }
            (Page::Facts(screen), _) => {
                screen.failed();
                Action::None
            }
            (Page::Resident, _) => {
                if let Some(record) = &mut self.record {
                    record.failed();
                }
                Action::Focus(resident::CARD_FIELD)
            }
            (Page::Home, Failure::CardUnknown | Failure::CardTextUnreadable) => Action::Focus(home::SEARCH),
            _ => Action::None,
        };
        self.flash = Some(Flash::Failed(failure));
        action
    }
}
