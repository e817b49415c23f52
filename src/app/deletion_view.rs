//! What the windows see of pausing, stops, endings and retention, and how it is read from the vault.

use super::deletion::ALARM_HOURS;
use super::event::GateLabel;
use crate::domain::gate::GateRecord;
use crate::domain::id::{ConsentId, GateId, ResidentId};
use crate::domain::time::Timestamp;
use crate::vault::{Door, Fill, RetentionPlan, RetentionReport, Vault, VaultError};

/// [`ALARM_HOURS`] in milliseconds.
pub(super) const ALARM_MS: i64 = ALARM_HOURS * 3_600_000;

/// What staff see of one person's face matters. Shown with an opened record only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    /// Whose.
    pub resident: ResidentId,
    /// Doors of the current consent.
    pub doors: Vec<DoorLine>,
    /// Since when the face is paused.
    pub paused_since: Option<Timestamp>,
    /// Places at which the face ended under the current consent, then ended consents; the newest first.
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
    /// Stopped by staff, or until the person has answered a changed notice.
    Stopped,
    /// The gate has not signed for the last change.
    Waiting,
    /// Taken out, erased, signed.
    Dropped,
    /// Taken out; the gate has not signed yet.
    Dropping,
    /// Named, but the gate never took the face.
    Empty,
    /// Named, not there yet: another gate of the consent passes it on.
    Filling,
    /// The gate lost it.
    Lost,
}

/// An ended consent, or a place at which a face ended while its consent goes on.
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
    /// It ended at this place only, and the consent goes on.
    pub place: Option<(GateId, GateLabel)>,
    /// Gates that have not signed, with the instant from which on the face opens nothing there; `None` for one that answers and refuses, where
    /// nothing is known to stop it.
    pub pending: Vec<(GateLabel, Option<Timestamp>)>,
    /// A supplement waits for the person.
    pub supplement_waits: bool,
}

/// What staff see of the whole site. No names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SiteView {
    /// Gates in use, whether all faces are stopped there, and whether the gate has still to sign for that.
    pub gates: Vec<(GateId, GateLabel, bool, bool)>,
    /// All faces rest since a backup was restored then: papers about withdrawals that only residents have come first.
    pub restored_at: Option<Timestamp>,
    /// Gates out of use that have not signed yet that they hold nobody any more.
    pub unmet: Vec<(GateId, GateLabel)>,
    /// Endings that are not done, or wait for their person.
    pub open: Vec<EndingView>,
    /// What is due by rule.
    pub plan: RetentionPlan,
    /// When what is due was looked for last.
    pub ran_at: Option<Timestamp>,
    /// The last run could not end or erase everything.
    pub retention_failed: bool,
    /// What was done by rule.
    pub reports: Vec<RetentionReport>,
    /// Endings that a gate has not signed for [`ALARM_HOURS`] and longer.
    pub overdue: usize,
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
    /// A gate out of use was met: what it holds is being erased.
    Met(GateLabel),
    /// That somebody switched this gate's faces off is entered.
    SwitchedOff(GateId),
    /// Gates that keep their templates under a new transform now, and gates that did not sign for one.
    Renewed {
        /// Signed.
        done: Vec<GateLabel>,
        /// Not.
        left: Vec<GateLabel>,
    },
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

fn label(gates: &[GateRecord], gate: GateId) -> GateLabel {
    gates.iter().find(|g| g.id == gate).map_or_else(|| gate.short(), |g| g.name.clone())
}

pub(super) fn lines(doors: &[Door], paused: bool, gates: &[GateRecord]) -> Vec<DoorLine> {
    let state = |door: &Door| match (door.dropped, door.waiting, door.holds) {
        (true, true, _) => DoorState::Dropping,
        (true, false, _) => DoorState::Dropped,
        (false, _, false) => match door.fill {
            Fill::Not => DoorState::Empty,
            Fill::Waits => DoorState::Filling,
            Fill::Lost => DoorState::Lost,
        },
        (false, true, true) => DoorState::Waiting,
        (false, false, true) if paused => DoorState::Paused,
        (false, false, true) if door.stopped => DoorState::Stopped,
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
        let pending =
            e.pending.iter().map(|gate| Ok((label(gates, *gate), vault.stops_at(*gate, Some(e.consent), e.ended_at)?)));
        Ok(EndingView {
            consent: e.consent,
            resident: e.resident,
            ended_at: e.ended_at,
            pending: pending.collect::<Result<_, VaultError>>()?,
            reason: e.reason,
            place: e.place.map(|gate| (gate, label(gates, gate))),
            supplement_waits: e.supplement_waits,
        })
    });
    views.collect()
}

pub(super) fn person_view(vault: &Vault, resident: ResidentId) -> Result<PersonView, VaultError> {
    let gates = vault.gates_ever()?;
    let (doors, paused_since) = vault.doors(resident)?.unwrap_or_default();
    let mut endings = vault.places_ended(Some(resident))?;
    endings.extend(vault.endings_of(resident)?);
    Ok(PersonView {
        resident,
        doors: lines(&doors, paused_since.is_some(), &gates),
        paused_since,
        endings: ending_views(vault, endings, &gates)?,
        closed_since: vault.closed_since(resident)?.map(|(at, _)| at),
    })
}

pub(super) fn site_view(vault: &Vault, now: Timestamp) -> Result<SiteView, VaultError> {
    let (stopped, waiting) = (vault.faces_stopped()?, vault.stops_waiting()?);
    let gates = vault.gates_ever()?;
    let in_use = vault.gates()?.into_iter().filter(|g| g.takes_faces);
    let open = ending_views(vault, vault.endings_open()?, &gates)?;
    Ok(SiteView {
        overdue: open.iter().filter(|e| !e.pending.is_empty() && now.since(e.ended_at) >= ALARM_MS).count(),
        gates: in_use.map(|g| (g.id, g.name, stopped.contains(&g.id), waiting.contains(&g.id))).collect(),
        restored_at: vault.stopped_by_restore()?,
        unmet: vault.gates_to_meet()?.into_iter().map(|g| (g.id, g.name)).collect(),
        open,
        plan: vault.retention_plan(now)?,
        ran_at: vault.retention_ran_at()?,
        retention_failed: false,
        reports: vault.retention_reports(REPORTS_SHOWN)?,
        clock_doubt: None,
    })
}

/// Reports on the page.
const REPORTS_SHOWN: u32 = 10;
