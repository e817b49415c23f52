//! What goes into the tamper-evident log: who, what kind, which id, when. No names, no numbers (rules CS1, F14).

use super::account::AccountEvent;
use super::change::NoticeAudit;
use super::id::{ConsentId, FormId, GateId, GuardianId, OpId, ResidentId, ShowingId, StaffId, TemplateId, ViewId};
use super::posture::What;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A staff account.
    Staff(StaffId),
    /// The resident, on the resident window.
    Resident(ResidentId),
    /// A gate, by its signature.
    Gate(GateId),
    /// The program itself.
    Station,
    /// A guardian who was checked in person, on the resident window.
    Guardian(GuardianId),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditEvent {
    /// A new vault.
    VaultCreated,
    /// Unlocked.
    Unlocked,
    /// A wrong passphrase.
    UnlockRefused,
    /// Locked.
    Locked,
    /// The site's facts changed.
    SiteFactsRecorded,
    /// A gate was paired.
    GatePaired(GateId),
    /// A gate's key was not the pinned one.
    GateKeyChanged(GateId),
    /// A person's record was opened.
    ResidentOpened(ResidentId),
    /// A person's record was written.
    ResidentRecorded(ResidentId),
    /// A card was issued.
    CardIssued(ResidentId),
    /// A card ended: returned, lost, replaced, or given to another person after its last day.
    CardEnded(ResidentId),
    /// A card was seen to open a gate.
    CardWayTested(GateId),
    /// The resident asked for face entry, by card tap on the resident window.
    FaceAsked(ResidentId),
    /// A notice was opened.
    NoticeOpened(ShowingId),
    /// Its end was on screen.
    NoticeReachedEnd(ShowingId),
    /// The resident refused.
    Refused(ResidentId),
    /// The resident consented.
    Consented(ConsentId),
    /// The camera opened.
    CameraOpened(ConsentId),
    /// A head was seen to turn as asked: a hint against flat pictures.
    PresenceShown(ConsentId),
    /// The camera closed.
    CameraClosed(ConsentId),
    /// A gate acknowledged a template.
    FaceHeld(TemplateId, GateId),
    /// A gate recognised the person at the try.
    Recognised(TemplateId, GateId),
    /// What was held was wiped before an end was reached.
    Stopped(ConsentId),
    /// A consent ended, with the reason's label.
    ConsentEnded(ConsentId, &'static str),
    /// A gate signed for an operation.
    Delivered(OpId, GateId),
    /// A gate refused an operation.
    Wedged(OpId, GateId),
    /// A gate signed that a template is erased.
    FaceErased(TemplateId, GateId),
    /// A receipt or certificate was made.
    ReceiptIssued(ConsentId),
    /// A face was paused at every gate.
    FacePaused(ConsentId),
    /// A paused face was taken up again.
    FaceResumed(ConsentId),
    /// A door was taken out of a consent.
    DoorDropped(ConsentId, GateId),
    /// All faces were stopped at a gate.
    FacesStopped(GateId),
    /// Faces were resumed at a gate.
    FacesResumed(GateId),
    /// New transforms for the templates at the gates were asked for.
    RenewalBegun,
    /// A gate signed for a new transform.
    TemplatesRenewed(GateId),
    /// A gate was taken out of use.
    GateRetired(GateId),
    /// A gate signed that nobody is held there any more, and forgot this station.
    GateUnpaired(GateId),
    /// Somebody entered that a gate's face function was switched off by hand.
    SwitchedOff(GateId),
    /// A gate and the vault differed: something was found there and queued for erasure, or was missing.
    FaceDrift(TemplateId, GateId, &'static str),
    /// A person's record was closed, with the reason's label.
    RecordClosed(ResidentId, &'static str),
    /// A person's name, unit and card numbers were erased by rule.
    IdentityErased(ResidentId),
    /// A person's key was destroyed by rule: what it sealed cannot be read by anybody.
    EvidenceErased(ResidentId),
    /// Staff confirmed the date after the clock had jumped ahead.
    DateConfirmed,
    /// About a person's rights.
    Rights(super::rights::RightsEvent),
    /// About versions of the notice, assessments, entrusted parties and signs.
    Notice(NoticeAudit),
    /// A template goes to a gate now.
    FaceSent(TemplateId, GateId),
    /// A person's name was put together with the random number that gates know, with the reason's label.
    NumberJoined(ResidentId, &'static str),
    /// Staff searched: at most ten masked rows were shown.
    Searched,
    /// What a gate had refused was put back into its queue.
    GateRetried(GateId),
    /// What was shown to a person was shown again, from the vault.
    ShownAgain(ShowingId),
    /// What was shown was given away as a file.
    ReplaySaved(ShowingId),
    /// A signed head was taken outside, on paper.
    HeadTaken,
    /// The log was given to an inspector.
    LogExported,
    /// The whole log was read and compared, with the verdict's label.
    LogChecked(&'static str),
    /// A gate keeps a head that this log does not continue, with the reason's label.
    HeadConflict(GateId, &'static str),
    /// A staff account.
    Account(AccountEvent),
    /// Backups and keys.
    Keep(super::keep::KeepEvent),
    /// A guardian was checked in person; the log's label names the proof's kind.
    GuardianChecked(ResidentId, GuardianId),
    /// A guardian's phone, or name and phone (label), reached its term and was overwritten.
    GuardianErased(ResidentId, GuardianId, &'static str),
    /// An adult was marked as needing a guardian, or the mark was taken away (label).
    WardMarked(ResidentId, &'static str),
    /// A child or ward was asked in words of their own and answered (label).
    ViewHeard(ViewId, &'static str),
    /// A minor passed into the next age band on the day.
    AgeBandPassed(ResidentId),
    /// A form to be signed on paper was made, at the resident's wish.
    FormMade(FormId),
    /// Staff looked at the signed form.
    FormSeen(FormId),
    /// A gate took the place of another at the same door: old, new. The log's label names who approved.
    GateReplaced(GateId, GateId),
    /// Every face that another gate had is at the new gate: old, new. The log's label says how many, its digest is over them.
    ReplacementDone(GateId, GateId),
    /// A gate holds cards otherwise than the vault, in this way.
    CardDrift(GateId, &'static str),
    /// Staff had what a gate holds put right.
    GateRepaired(GateId),
    /// Staff set a gate's clock to the desk's.
    GateClockSet(GateId),
    /// A card board was added, or described anew.
    BoardRecorded(GateId),
    /// A card board and the desk differ, or agree again (label).
    BoardDrift(GateId, &'static str),
    /// Somebody did something at a card board from the desk (label).
    BoardAct(GateId, &'static str),
    /// Incidents, the end of a manager's work, papers for an audit.
    Duty(super::incident::DutyEvent),
    /// Something about the machine came up, or is well again.
    MachineFound(What),
    /// Somebody accepted a camera as the desk's own. The log's digest is over its name and place.
    CameraAccepted,
}
