//! Pausing, fewer doors, stopping all faces, closing a record, retiring a gate, retention, and the deletion certificate. Rules: P15, P19,
//! P44, P47a, P47b, P51-5.
//!
//! Every ending goes one way: the consent ends in the vault with an erasure for each gate in the same transaction; the courier carries
//! them and reads each back; the last signature makes the certificate.

use std::path::{Path, PathBuf};

use super::command::parse_date;
use super::desk::{Desk, failure_of};
use super::enroll::Flow;
use super::event::{Event, Failure, FieldFault, GateLabel, ResidentScene, StaffEvent};
use crate::domain::audit::Actor;
use crate::domain::consent::EraseReason;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ConsentId, GateId, ResidentId};
use crate::domain::time::Timestamp;
use crate::vault::{Door, RetentionPlan, RetentionReport, SwitchOff, Vault, VaultError};

/// Days that the clock may have run ahead of the last believed instant before staff are asked for the date: a desk is closed for a long
/// holiday, not for longer without anybody's knowing.
pub const CLOCK_AHEAD_DAYS: i64 = 10;
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
    /// Saves the deletion certificate of an ended consent as it stands now.
    SaveCertificate {
        /// Which consent.
        consent: ConsentId,
        /// Where.
        path: PathBuf,
    },
    /// Stops all faces at one gate, or (supervisor) at every gate.
    StopFaces(Option<GateId>),
    /// Takes faces up again there: a deliberate act.
    ResumeFaces(Option<GateId>),
    /// Takes a gate out of use (supervisor).
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
    /// Asks for the page again.
    Show,
    /// Ends and erases now what is due by rule.
    RunRetention,
    /// The date on the page is right.
    ConfirmDate,
}

/// What staff see of one person's face matters. Shown with an opened record only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    /// Whose.
    pub resident: ResidentId,
    /// Doors of the current consent.
    pub doors: Vec<DoorLine>,
    /// Since when the face is paused.
    pub paused_since: Option<Timestamp>,
    /// Ended consents, the newest first.
    pub endings: Vec<EndingView>,
    /// Since when the record is closed.
    pub closed_since: Option<Timestamp>,
}

/// One door of a consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorLine {
    /// Which.
    pub gate: GateId,
    /// Shown name.
    pub label: GateLabel,
    /// How it is.
    pub state: DoorState,
}

/// How a door is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorState {
    /// Opens for the face.
    Open,
    /// Paused, signed by the gate.
    Paused,
    /// The gate has not signed for the last change.
    Waiting,
    /// Taken out, erased, signed.
    Dropped,
    /// Taken out; the gate has not signed yet.
    Dropping,
    /// Named, but the gate never took the face.
    Empty,
}

/// An ended consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingView {
    /// Which.
    pub consent: ConsentId,
    /// Whose.
    pub resident: ResidentId,
    /// When.
    pub ended_at: Timestamp,
    /// Label of the reason.
    pub reason: String,
    /// Gates that have not signed, with the instant from which on the face opens nothing there.
    pub pending: Vec<(GateLabel, Timestamp)>,
    /// A supplement waits for the person.
    pub supplement_waits: bool,
}

/// What staff see of the whole site. No names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SiteView {
    /// Gates in use, whether all faces are stopped there, and whether the gate has still to sign for that.
    pub gates: Vec<(GateId, GateLabel, bool, bool)>,
    /// Endings that are not done, or wait for their person.
    pub open: Vec<EndingView>,
    /// What is due by rule.
    pub plan: RetentionPlan,
    /// What was done by rule.
    pub reports: Vec<RetentionReport>,
    /// The clock is further ahead than can be believed: the last believed instant, and the clock.
    pub clock_doubt: Option<(Timestamp, Timestamp)>,
}

/// To the staff window.
#[derive(Clone, Debug, PartialEq)]
pub enum DeletionEvent {
    /// One person.
    Person(Box<PersonView>),
    /// The site.
    Site(Box<SiteView>),
    /// A certificate was saved there.
    Saved(String),
    /// The clock is further ahead than can be believed: nothing ends until staff confirm the date.
    ClockAhead {
        /// The last believed instant.
        trusted: Timestamp,
        /// The clock.
        now: Timestamp,
    },
}

/// What the resident window shows of a person's doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorsView {
    /// Doors in the order of the consent.
    pub doors: Vec<DoorLine>,
    /// Paused everywhere.
    pub paused: bool,
}

impl Desk {
    pub(super) fn handle_deletion(&mut self, command: DeletionCommand, now: Timestamp) {
        let Some((staff, _)) = self.open.as_ref().map(|o| o.vault.operator()) else { return };
        let by = Actor::Staff(staff);
        match command {
            DeletionCommand::PauseFor(resident) => self.told(|v| v.pause_face(resident, by, now)),
            DeletionCommand::ResumeFor(resident) => self.told(|v| v.resume_face(resident, by, now)),
            DeletionCommand::DropDoorFor { resident, gate } => {
                self.told(|v| v.drop_door(resident, gate, by, now).map(|_| true));
            }
            DeletionCommand::CloseRecord { resident, why } => self.close_record(resident, why, by, now),
            DeletionCommand::SaveCertificate { consent, path } => match self.save_certificate(consent, &path, now) {
                Ok(saved) => self.say(StaffEvent::Deletion(DeletionEvent::Saved(saved))),
                Err(failure) => self.fail(failure),
            },
            DeletionCommand::StopFaces(gate) => {
                // Whoever is being enrolled just now is stopped too: a gate that was stopped takes no face.
                self.stop_visit(None, now);
                self.told(|v| v.stop_faces(gate, by, now).map(|count| count > 0));
            }
            DeletionCommand::ResumeFaces(gate) => self.told(|v| v.resume_faces(gate, by, now).map(|count| count > 0)),
            DeletionCommand::RetireGate(gate) => self.told(|v| v.retire_gate(gate, by, now).map(|_| true)),
            DeletionCommand::SwitchedOff { gate, at, by: who } => self.switched_off(gate, &at, &who, by, now),
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

    /// Runs a change and rings the courier; what could not be changed is told.
    fn told(&mut self, act: impl FnOnce(&mut Vault) -> Result<bool, VaultError>) {
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
        self.told(|v| v.close_record(resident, why.reason(), by, now));
    }

    fn switched_off(&mut self, gate: GateId, at: &str, who: &str, by: Actor, now: Timestamp) {
        let who = who.trim();
        if who.is_empty() || who.chars().count() > 40 {
            return self.fail(Failure::Field(FieldFault::Operator));
        }
        let Some(at) = parse_moment(at).filter(|at| *at <= now) else {
            return self.fail(Failure::Field(FieldFault::EndDate));
        };
        self.told(|v| v.record_switch_off(&SwitchOff { gate, at, by: who.to_owned() }, by, now).map(|()| true));
    }

    /// Ends and erases what is due by rule, unless the clock cannot be believed.
    pub(super) fn retain(&mut self, now: Timestamp) {
        let Some(open) = self.open.as_mut() else { return };
        if open.clock_doubt.is_some_and(|trusted| is_ahead(trusted, now)) {
            return;
        }
        // Believed again: staff confirmed the date, or somebody put the clock right.
        open.clock_doubt = None;
        match open.vault.run_retention(now).and_then(|report| open.vault.trust(None, now).map(|()| report)) {
            Ok(report) => {
                open.cared_on = now.date();
                if report.faces + report.records > 0 {
                    open.shared.ring();
                }
                if report.faces + report.records + report.identities + report.evidence > 0 {
                    tracing::info!(?report, "ended and erased by rule");
                }
            }
            Err(error) => tracing::warn!(%error, "what is due could not be ended yet"),
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
        match self.open.as_mut() {
            Some(open) if open.site_shown.as_ref() != Some(&site) => open.site_shown = Some(site.clone()),
            _ => return,
        }
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
            Flow::Withdrawing(resident) | Flow::Doors(resident) => {
                self.set(Flow::Doors(resident));
                self.show_doors();
            }
            other => self.set(other),
        }
    }

    /// The doors of the person at the resident window, as they stand now.
    pub(super) fn show_doors(&mut self) {
        let Some(Flow::Doors(resident)) = self.open.as_ref().map(|o| &o.flow) else { return };
        let resident = *resident;
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
                self.set(Flow::Withdrawing(resident));
                self.begin_withdraw(resident);
            }
            None => {}
        }
    }

    /// The resident changed something about their doors, by their own act.
    pub(super) fn change_doors(&mut self, change: DoorChange, now: Timestamp) {
        let Some(Flow::Doors(resident)) = self.open.as_ref().map(|o| &o.flow) else { return };
        let (resident, by) = (*resident, Actor::Resident(*resident));
        self.told(|v| match change {
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
        match self.save_certificate(consent, path, now) {
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

fn is_ahead(trusted: Timestamp, now: Timestamp) -> bool {
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
fn parse_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace('：', ":");
    let (day, time) = text.rsplit_once([' ', 'T'])?;
    let (hours, minutes) = time.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let fits = (0..24).contains(&hours) && (0..60).contains(&minutes);
    let midnight = parse_date(day)?.end().plus_ms(-DAY_MS);
    fits.then(|| midnight.plus_ms((hours * 60 + minutes) * MINUTE_MS))
}

fn label(gates: &[GateRecord], gate: GateId) -> GateLabel {
    gates.iter().find(|g| g.id == gate).map_or_else(|| gate.short(), |g| g.name.clone())
}

fn lines(doors: &[Door], paused: bool, gates: &[GateRecord]) -> Vec<DoorLine> {
    let state = |door: &Door| match (door.dropped, door.waiting, door.holds) {
        (true, true, _) => DoorState::Dropping,
        (true, false, _) => DoorState::Dropped,
        (false, _, false) => DoorState::Empty,
        (false, true, true) => DoorState::Waiting,
        (false, false, true) if paused => DoorState::Paused,
        (false, false, true) => DoorState::Open,
    };
    doors.iter().map(|d| DoorLine { gate: d.gate, label: label(gates, d.gate), state: state(d) }).collect()
}

fn ending_views(
    vault: &Vault,
    endings: Vec<crate::vault::Ended>,
    gates: &[GateRecord],
) -> Result<Vec<EndingView>, VaultError> {
    let views = endings.into_iter().map(|e| {
        let pending = e.pending.iter().map(|gate| Ok((label(gates, *gate), vault.stops_at(*gate, e.ended_at)?)));
        Ok(EndingView {
            consent: e.consent,
            resident: e.resident,
            ended_at: e.ended_at,
            pending: pending.collect::<Result<_, VaultError>>()?,
            reason: e.reason,
            supplement_waits: e.supplement_waits,
        })
    });
    views.collect()
}

fn person_view(vault: &Vault, resident: ResidentId) -> Result<PersonView, VaultError> {
    let gates = vault.gates_ever()?;
    let (doors, paused_since) = vault.doors(resident)?.unwrap_or_default();
    Ok(PersonView {
        resident,
        doors: lines(&doors, paused_since.is_some(), &gates),
        paused_since,
        endings: ending_views(vault, vault.endings_of(resident)?, &gates)?,
        closed_since: vault.closed_since(resident)?.map(|(at, _)| at),
    })
}

fn site_view(vault: &Vault, now: Timestamp) -> Result<SiteView, VaultError> {
    let (stopped, waiting) = (vault.faces_stopped()?, vault.stops_waiting()?);
    let gates = vault.gates_ever()?;
    let in_use = vault.gates()?.into_iter().filter(|g| g.takes_faces);
    Ok(SiteView {
        gates: in_use.map(|g| (g.id, g.name, stopped.contains(&g.id), waiting.contains(&g.id))).collect(),
        open: ending_views(vault, vault.endings_open()?, &gates)?,
        plan: vault.retention_plan(now)?,
        reports: vault.retention_reports(REPORTS_SHOWN)?,
        clock_doubt: None,
    })
}

/// Reports on the page.
const REPORTS_SHOWN: u32 = 10;

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
