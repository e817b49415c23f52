//! Pausing, fewer doors, stopping all faces, closing a record, retiring a gate, retention, and the deletion certificate. Rules: P15, P19,
//! P44, P47a, P47b, P51-5.
//!
//! Every ending goes one way: the consent ends in the vault with an erasure for each gate in the same transaction; the courier carries
//! them and reads each back; the last signature makes the certificate.

use std::path::{Path, PathBuf};

use super::command::{StaffCommand, parse_date};
use super::deletion_view::{ALARM_MS, lines, person_view, site_view};
use super::desk::{Desk, failure_of};
use super::enroll::{Flow, Withdrawer};
use super::event::{Event, Failure, FieldFault, ResidentScene, StaffEvent};
use crate::domain::approval::Act;
use crate::domain::audit::Actor;
use crate::domain::consent::EraseReason;
use crate::domain::id::{ConsentId, GateId, ResidentId};
use crate::domain::role::{JoinWhy, LookWhy};
use crate::domain::time::Timestamp;
use crate::vault::{SwitchOff, Vault, VaultError};

pub use super::deletion_view::{DeletionEvent, DoorLine, DoorState, DoorsView, EndingView, PersonView, SiteView};

/// Days that the clock may have run ahead of the last believed instant before staff are asked for the date: a desk is closed for a long
/// holiday, not for longer without anybody's knowing.
pub const CLOCK_AHEAD_DAYS: i64 = 10;
/// Hours after which an ending that a gate has not signed for is an alarm on every staff page (rule L4).
pub const ALARM_HOURS: i64 = 24;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// Why staff close a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Moved out, or gave the card back.
    MovedOut,
    /// The person wants everything ended (注销).
    Closed,
    /// The person died; a near relative asked.
    Deceased,
    /// The record turned out to be unlawful.
    Unlawful,
}

impl Closing {
    /// In the order of the page.
    pub const ALL: [Self; 4] = [Self::MovedOut, Self::Closed, Self::Deceased, Self::Unlawful];

    fn reason(self) -> EraseReason {
        match self {
            Self::MovedOut => EraseReason::MovedOut,
            Self::Closed => EraseReason::Closed,
            Self::Deceased => EraseReason::Deceased,
            Self::Unlawful => EraseReason::Unlawful,
        }
    }
}

/// From the staff window.
#[derive(Debug)]
pub enum DeletionCommand {
    /// The person asked: pause the face at every gate.
    PauseFor(ResidentId),
    /// The person asked: take it up again.
    ResumeFor(ResidentId),
    /// The person asked: take one door out.
    DropDoorFor {
        /// Whose.
        resident: ResidentId,
        /// Which door.
        gate: GateId,
    },
    /// Ends card and face everywhere; the record is kept to its term.
    CloseRecord {
        /// Whose.
        resident: ResidentId,
        /// Why.
        why: Closing,
    },
    /// Saves the deletion certificate of an ended consent, or of one place at which a face ended, as it stands now.
    SaveCertificate {
        /// Which consent.
        consent: ConsentId,
        /// Which place; `None`: everywhere.
        place: Option<GateId>,
        /// Where.
        path: PathBuf,
    },
    /// Stops all faces at one gate, or at every gate: whoever sees that they must stop may stop them.
    StopFaces(Option<GateId>),
    /// Takes faces up again there: a deliberate act (supervisor; with a second one when it is the whole site).
    ResumeFaces(Option<GateId>),
    /// Asks every gate for a new transform of its templates (supervisor, with a second one).
    RenewTemplates,
    /// Takes a gate out of use (supervisor, with a second one).
    RetireGate(GateId),
    /// Somebody went to a gate that does not answer and switched its face function off.
    SwitchedOff {
        /// Which gate.
        gate: GateId,
        /// When, as typed (`2026-11-22 10:30`).
        at: String,
        /// Who, as typed.
        by: String,
    },
    /// Somebody knows where a gate out of use that has not signed yet can be met: switched on again under another address, say.
    MeetFormer {
        /// Which gate.
        gate: GateId,
        /// `ip:port`, as typed.
        address: String,
    },
    /// Asks for the page again.
    Show,
    /// Ends and erases now what is due by rule.
    RunRetention,
    /// The date on the page is right.
    ConfirmDate,
}

impl Desk {
    pub(super) fn handle_deletion(&mut self, command: DeletionCommand, now: Timestamp) {
        let Some((staff, _)) = self.open.as_ref().map(|o| o.vault.operator()) else { return };
        let by = Actor::Staff(staff);
        let Some(command) = self.about_minor(command, now) else { return };
        match command {
            DeletionCommand::PauseFor(resident) => self.try_change(|v| v.pause_face(resident, by, now)),
            DeletionCommand::ResumeFor(resident) => self.try_change(|v| v.resume_face(resident, by, now)),
            DeletionCommand::DropDoorFor { resident, gate } => {
                self.try_change(|v| v.drop_door(resident, gate, by, now).map(|_| true));
            }
            DeletionCommand::CloseRecord { resident, why } => self.close_record(resident, why, by, now),
            DeletionCommand::SaveCertificate { consent, place, path } => {
                self.hand_certificate((consent, place), path, by, now);
            }
            DeletionCommand::StopFaces(gate) => {
                // Whoever is being enrolled just now is stopped too. Somebody who withdraws is not.
                if self.open.as_ref().is_some_and(|o| o.flow.consent().is_some()) {
                    self.stop_visit(None, now);
                }
                self.try_change(|v| v.stop_faces(gate, by, now).map(|count| count > 0));
            }
            DeletionCommand::ResumeFaces(gate) => self.resume_faces(gate, by, now),
            DeletionCommand::RenewTemplates => self.renew_templates(now),
            DeletionCommand::RetireGate(gate) => {
                let again = StaffCommand::Deletion(DeletionCommand::RetireGate(gate));
                if let Some((approval, _)) = self.approved(Act::RetireGate(gate), again, now) {
                    self.try_change(|v| v.retire_gate(gate, by, approval, now).map(|_| true));
                }
            }
            DeletionCommand::SwitchedOff { gate, at, by: who } => self.switched_off(gate, &at, &who, by, now),
            DeletionCommand::MeetFormer { gate, address } => self.meet_former_at(gate, address.trim(), now),
            DeletionCommand::Show => {
                if let Some(open) = self.open.as_mut() {
                    open.site_shown = None;
                }
            }
            DeletionCommand::RunRetention => self.retain(now),
            DeletionCommand::ConfirmDate => {
                if self.vault(|v| v.trust(Some(by), now)).is_some() {
                    if let Some(open) = self.open.as_mut() {
                        open.clock_doubt = None;
                    }
                    self.retain(now);
                }
            }
        }
        self.show_deletions(now);
        self.show_opened(now);
    }

    /// A minor's face is taken up again, and their record is closed with their card, with a second person only; what stops a face or erases
    /// it (an unlawful record too) waits for nobody, and is a look. Rule M6.
    fn about_minor(&mut self, command: DeletionCommand, now: Timestamp) -> Option<DeletionCommand> {
        use DeletionCommand as D;
        match &command {
            D::ResumeFor(resident)
            | D::CloseRecord { resident, why: Closing::MovedOut | Closing::Closed | Closing::Deceased } => {
                let resident = *resident;
                match self.with_minor(resident, LookWhy::Request, StaffCommand::Deletion(command), now)? {
                    StaffCommand::Deletion(command) => Some(command),
                    _ => None,
                }
            }
            D::PauseFor(resident)
            | D::DropDoorFor { resident, .. }
            | D::CloseRecord { resident, why: Closing::Unlawful } => {
                self.note_minor_look(*resident, LookWhy::Request, now);
                Some(command)
            }
            // Asks by itself: its paper names the person.
            D::SaveCertificate { .. }
            | D::StopFaces(_)
            | D::ResumeFaces(_)
            | D::RenewTemplates
            | D::RetireGate(_)
            | D::SwitchedOff { .. }
            | D::MeetFormer { .. }
            | D::Show
            | D::RunRetention
            | D::ConfirmDate => Some(command),
        }
    }

    /// The certificate names its person: saving it from the list of endings is a look at that record, though the page stays as it is.
    fn hand_certificate(
        &mut self,
        (consent, place): (ConsentId, Option<GateId>),
        path: PathBuf,
        by: Actor,
        now: Timestamp,
    ) {
        let Some(resident) = self.vault(|v| v.whose_ending(consent)) else { return };
        let again = StaffCommand::Deletion(DeletionCommand::SaveCertificate { consent, place, path: path.clone() });
        if self.glance(resident, LookWhy::Request, again, now).is_none() {
            return;
        }
        // The file beside the paper holds the number that gates knew.
        if self.vault(|v| v.record_join(resident, JoinWhy::Certificate, now)).is_none() {
            return;
        }
        match self.save_certificate((consent, place), &path, by, now) {
            Ok(saved) => self.say(StaffEvent::Deletion(DeletionEvent::Saved(saved))),
            Err(failure) => self.fail(failure),
        }
        self.tell_joins();
    }

    /// One person stops faces; taking the whole site up again takes two.
    fn resume_faces(&mut self, gate: Option<GateId>, by: Actor, now: Timestamp) {
        let facts = self.open.as_ref().map(|open| open.facts.clone()).unwrap_or_default();
        // Said before a second person is asked to type a passphrase for nothing.
        let whole = self.vault(|v| {
            if v.manager_has_left(&facts)? { Err(VaultError::ManagerLeft) } else { v.resumes_the_site(gate) }
        });
        let Some(whole) = whole else { return };
        let mut approval = None;
        if whole {
            let again = StaffCommand::Deletion(DeletionCommand::ResumeFaces(gate));
            let Some((given, _)) = self.approved(Act::ResumeFaces(gate), again, now) else { return };
            approval = given;
        }
        self.try_change(|v| v.resume_faces(gate, by, approval, now).map(|count| count > 0));
    }

    /// Runs a change and rings the courier; what could not be changed is told.
    fn try_change(&mut self, act: impl FnOnce(&mut Vault) -> Result<bool, VaultError>) {
        let Some(open) = self.open.as_mut() else { return };
        match act(&mut open.vault) {
            Ok(true) => open.shared.ring(),
            Ok(false) => {}
            Err(VaultError::ConsentNotCurrent | VaultError::GateNotNamed) => self.fail(Failure::NothingToWithdraw),
            Err(error) => self.fail(failure_of(error)),
        }
    }

    fn close_record(&mut self, resident: ResidentId, why: Closing, by: Actor, now: Timestamp) {
        let stands_on_it = self.open.as_ref().and_then(|o| o.flow.consent()).is_some_and(|c| c.resident() == resident);
        if stands_on_it {
            self.wipe(now);
            self.ended(None);
        }
        self.try_change(|v| v.close_record(resident, why.reason(), by, now));
    }

    fn switched_off(&mut self, gate: GateId, at: &str, who: &str, by: Actor, now: Timestamp) {
        let who = who.trim();
        if who.is_empty() || who.chars().count() > 40 {
            return self.fail(Failure::Field(FieldFault::Operator));
        }
        let Some(at) = parse_moment(at).filter(|at| *at <= now) else {
            return self.fail(Failure::Field(FieldFault::SwitchedOffAt));
        };
        let entered = SwitchOff { gate, at, by: who.to_owned() };
        let mut is_entered = false;
        self.try_change(|v| {
            v.record_switch_off(&entered, by, now)?;
            is_entered = true;
            Ok(true)
        });
        if is_entered {
            self.say(StaffEvent::Deletion(DeletionEvent::SwitchedOff(gate)));
        }
    }

    /// Ends and erases what is due by rule, unless the clock cannot be believed.
    pub(super) fn retain(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        if open.clock_doubt.is_some_and(|trusted| is_ahead(trusted, now)) {
            return;
        }
        // Believed again: staff confirmed the date, or somebody put the clock right.
        open.clock_doubt = None;
        let ran = open.vault.run_retention(now);
        // What cannot be ended says nothing about the clock.
        let ran = open.vault.trust(None, now).and(ran);
        open.retention_failed = ran.is_err();
        match ran {
            Ok(report) => {
                open.cared_on = now.date();
                if report.faces + report.records > 0 {
                    open.shared.ring();
                }
                if report.faces + report.records + report.identities + report.evidence > 0 {
                    tracing::info!(?report, "ended and erased by rule");
                }
            }
            Err(error) => {
                // What could be ended goes to its gates.
                open.shared.ring();
                tracing::warn!(%error, "what is due could not be ended yet");
            }
        }
    }

    /// Whether the clock is further ahead of the last believed instant than a closed desk explains. Told once; nothing ends meanwhile.
    pub(super) fn doubt_clock(&mut self, trusted: Timestamp, now: Timestamp) {
        let Some(open) = self.open.as_mut().filter(|_| is_ahead(trusted, now)) else { return };
        if open.clock_doubt.is_none() {
            open.clock_doubt = Some(trusted);
            self.say(StaffEvent::Deletion(DeletionEvent::ClockAhead { trusted, now }));
        }
    }

    /// Tells the staff window how the site stands, when that has changed.
    pub(super) fn show_deletions(&mut self, now: Timestamp) {
        let doubt = self.open.as_ref().and_then(|o| o.clock_doubt);
        let Some(mut site) = self.vault(|v| site_view(v, now)) else { return };
        site.clock_doubt = doubt.map(|trusted| (trusted, now));
        site.retention_failed = self.open.as_ref().is_some_and(|open| open.retention_failed);
        let Some(open) = self.open.as_mut() else { return };
        let alarms = site.open.iter().filter(|e| !e.pending.is_empty()).map(|e| e.ended_at.plus_ms(ALARM_MS));
        open.overdue_at = alarms.filter(|at| *at > now).min();
        if open.site_shown.as_ref() == Some(&site) {
            return;
        }
        open.site_shown = Some(site.clone());
        self.say(StaffEvent::Deletion(DeletionEvent::Site(Box::new(site))));
    }

    /// Tells the staff window how the open record's face matters stand.
    pub(super) fn show_person(&mut self, resident: ResidentId) {
        if let Some(view) = self.vault(|v| person_view(v, resident)) {
            self.say(StaffEvent::Deletion(DeletionEvent::Person(Box::new(view))));
        }
    }

    /// From the withdrawal page: only pause, or fewer doors. Nothing is decided by looking.
    pub(super) fn ask_doors(&mut self) {
        match self.flow() {
            Flow::Withdrawing(who) | Flow::Doors(who) => {
                self.set(Flow::Doors(who));
                self.show_doors();
            }
            other => self.set(other),
        }
    }

    /// The doors of the person at the resident window, as they stand now.
    pub(super) fn show_doors(&mut self) {
        let Some(Flow::Doors(who)) = self.open.as_ref().map(|o| &o.flow) else { return };
        let (who, resident) = (*who, who.resident);
        let read = self.vault(|v| {
            let gates = v.gates_ever()?;
            Ok(v.doors(resident)?.map(|(doors, since)| DoorsView {
                doors: lines(&doors, since.is_some(), &gates),
                paused: since.is_some(),
            }))
        });
        match read {
            Some(Some(view)) => self.scene(ResidentScene::Doors(Box::new(view))),
            // The last door was taken out: that is a withdrawal, and is shown as one.
            Some(None) => {
                self.set(Flow::Withdrawing(who));
                self.begin_withdraw(who);
            }
            None => {}
        }
    }

    /// The resident changed something about their doors, by their own act.
    pub(super) fn change_doors(&mut self, change: DoorChange, now: Timestamp) {
        let Some(Flow::Doors(who)) = self.open.as_ref().map(|o| &o.flow) else { return };
        let Withdrawer { resident, by } = *who;
        self.try_change(|v| match change {
            DoorChange::Pause => v.pause_face(resident, by, now),
            DoorChange::Resume => v.resume_face(resident, by, now),
            DoorChange::Drop(gate) => v.drop_door(resident, gate, by, now).map(|_| true),
        });
        self.show_doors();
        self.show_opened(now);
    }

    /// Saves the certificate of the withdrawal that is on the resident window.
    pub(super) fn save_own_certificate(&mut self, path: &Path, now: Timestamp) {
        let Some(Flow::Withdrawn { resident, .. }) = self.open.as_ref().map(|o| &o.flow) else { return };
        let resident = *resident;
        let newest = self.vault(|v| Ok(v.endings_of(resident)?.into_iter().next().map(|e| e.consent))).flatten();
        let Some(consent) = newest else { return };
        match self.save_certificate((consent, None), path, Actor::Resident(resident), now) {
            Ok(saved) => {
                self.refresh_withdrawn();
                if let Some(Event::Resident(ResidentScene::Withdrawn { saved_to, .. })) = self.out.last_mut() {
                    *saved_to = Some(saved);
                }
            }
            Err(failure) => self.fail(failure),
        }
    }
}

/// Whether the clock is further ahead of the last believed instant than a closed desk explains.
pub(super) fn is_ahead(trusted: Timestamp, now: Timestamp) -> bool {
    trusted.ms() > 0 && now.since(trusted) > CLOCK_AHEAD_DAYS * DAY_MS
}

/// A change of doors on the resident window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorChange {
    /// Pause everywhere.
    Pause,
    /// Take up again.
    Resume,
    /// Take this door out.
    Drop(GateId),
}

/// `2026-11-22 10:30` as typed at the desk, in China time.
pub(super) fn parse_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace('：', ":");
    let (day, time) = text.rsplit_once([' ', 'T'])?;
    let (hours, minutes) = time.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let fits = (0..24).contains(&hours) && (0..60).contains(&minutes);
    let midnight = parse_date(day)?.end().plus_ms(-DAY_MS);
    fits.then(|| midnight.plus_ms((hours * 60 + minutes) * MINUTE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_type_them() {
        for text in ["2026-11-22 10:30", "2026/11/22 10:30", " 20261122 10：30 "] {
            assert_eq!(parse_moment(text).map(Timestamp::minute_text).as_deref(), Some("2026-11-22 10:30"), "{text}");
        }
        for bad in ["", "10:30", "2026-11-22", "2026-11-22 24:00", "2026-11-22 10:60", "2026-13-22 10:30"] {
            assert_eq!(parse_moment(bad), None, "{bad}");
        }
    }
}
