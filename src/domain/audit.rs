//! What goes into the tamper-evident log: who, what kind, which id, when. No names, no numbers (rules CS1, F14).

use super::id::{ConsentId, GateId, OpId, ResidentId, ShowingId, StaffId, TemplateId};

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
    /// A command was refused for the account's role; which command.
    ActRefused(&'static str),
}
