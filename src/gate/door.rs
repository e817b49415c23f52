//! The door, and the one place where somebody's deliberate act before it is asserted.

use super::daemon::Gate;
use crate::domain::consent::{AtTheDoor, DoorWatch};

/// What the door did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorOpens {
    /// It was released.
    Yes,
    /// The relay, the command or the board did not say in time that it opened (installer).
    Failed,
}

/// The lock of one door. Fails shut; the way out is mechanical and not our business.
pub trait Door: Send {
    /// Releases the lock once.
    fn release(&mut self) -> DoorOpens;
}

/// A door without a relay, for pairing and for the desk's tests: a line in the program log at its finest level, and nothing at the usual one.
#[derive(Debug, Default)]
pub struct LogDoor;

impl Door for LogDoor {
    fn release(&mut self) -> DoorOpens {
        tracing::trace!("door released");
        DoorOpens::Yes
    }
}

/// How a person shows that they want to be recognised. Walking past is not among them (rule J10: recognition is asked
/// for).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The face button beside the camera was pressed.
    ButtonPressed,
    /// A card was held to the reader and the gate asks for the face as well.
    CardShown,
    /// Somebody came near, alone, and stood facing the camera ([`super::approach`]).
    StoodBefore,
}

impl Gate {
    /// Turns a deliberate act before this gate into the proof that one frame may be looked at. It takes an opened gate:
    /// the desk has none.
    pub fn acted(&self, act: Act) -> AtTheDoor {
        tracing::trace!(?act, "asked to recognise");
        AtTheDoor::assert_act()
    }

    /// Lets this gate's own camera look whether somebody stands before it. No template is made under this.
    pub fn watches(&self) -> DoorWatch {
        DoorWatch::assert_gate()
    }
}
