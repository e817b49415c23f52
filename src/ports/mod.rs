//! Small traits to the outside. Real adapters sit beside `app`; doubles live in `practice`, at the outermost edge only. (`only_asked` is what tests
//! of every layer need of a link.)

mod aids;
mod board;
mod chip;
mod door;
mod network;
#[cfg(any(test, feature = "practice"))]
pub mod only_asked;

use std::path::Path;
use std::time::Duration;

use crate::domain::card::CardUid;
use crate::domain::consent::{ConsentGranted, Warrant};
use crate::domain::gate::GateRecord;
use crate::domain::id::GateId;
use crate::domain::permit::CameraPermit;
use crate::domain::posture::MachineFacts;
use crate::domain::quality::{FaceBox, Look};
use crate::domain::time::Timestamp;
use crate::secret::{EngineId, FaceTemplate, Frame, PairingCode};
use crate::wire::message::{Reply, Request};

pub use aids::{Heard, PrintError, Printer, Speech, SpeechError};
pub use board::BoardLink;
pub use chip::{ChipError, NoChip, SecurityChip};
pub use door::DoorCamera;
pub use network::Networks;

/// A camera that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraInfo {
    /// Stable over replugging (bus path), not an index.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
}

/// Why there is no picture. Each says who can help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    /// None is plugged in.
    #[error("no camera is connected")]
    None,
    /// Another program holds it.
    #[error("the camera is in use by another program")]
    Busy,
    /// This account may not open it.
    #[error("this account may not open the camera")]
    NotAllowed,
    /// It was unplugged.
    #[error("the camera was unplugged")]
    Unplugged,
    /// No picture for two seconds.
    #[error("the camera stopped answering")]
    Stalled,
    /// It offers no format that can be read.
    #[error("the camera offers no usable format: {0}")]
    Unsupported(String),
}

/// A camera. Dark until [`Camera::open`], which takes both proofs.
///
/// Without the proofs it does not compile:
/// ```compile_fail
/// fn peek(camera: &mut dyn menka::ports::Camera) { let _ = camera.open(); }
/// ```
pub trait Camera: Send {
    /// The cameras that can capture, best first. Output and metadata nodes are not among them.
    fn cameras(&mut self) -> Vec<CameraInfo>;
    /// Which one to open next time; an unknown id means the first.
    fn choose(&mut self, id: &str);
    /// Turns it on. Rules: L1, F08b.
    ///
    /// # Errors
    /// See [`CameraError`]. Never blocks longer than three seconds.
    fn open(&mut self, consent: &ConsentGranted, permit: &CameraPermit) -> Result<(), CameraError>;
    /// The newest frame, once; `None` when there is no newer one. Never blocks.
    ///
    /// # Errors
    /// The camera was lost since.
    fn newest(&mut self) -> Result<Option<Frame>, CameraError>;
    /// Turns it off and wipes what is left.
    fn close(&mut self);
}

/// Why a face engine did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaceError {
    /// The model files are not there; the text names the command that fetches them.
    #[error("the face models are missing in {folder}: run `make models`")]
    ModelMissing {
        /// Where they were looked for.
        folder: String,
    },
    /// A model file is not the pinned one.
    #[error("the model file {file} is not the pinned one")]
    ModelWrong {
        /// Which.
        file: String,
    },
    /// The frame is too large, or the rectangle does not fit it.
    #[error("the picture or the rectangle is out of range")]
    OutOfRange,
    /// The child process died or hung and was restarted; ask again with a new frame.
    #[error("the face engine had to be restarted")]
    Restarted,
    /// The child process cannot be started.
    #[error("the face engine cannot be started: {0}")]
    CannotStart(String),
    /// A closer look found another person in the picture: it is thrown away.
    #[error("another person is in the picture")]
    NotAlone,
    /// The template was not sound.
    #[error("no usable template came out of this picture")]
    Unsound,
}

/// A face engine. Looks at nothing without a warrant.
///
/// ```compile_fail
/// use menka::{ports::FaceEngine, secret::Frame};
/// fn peek(engine: &mut dyn FaceEngine, frame: &Frame) { let _ = engine.locate(frame); }
/// ```
pub trait FaceEngine: Send {
    /// Which model it runs.
    fn engine(&self) -> EngineId;
    /// Gets ready ahead of the first frame (loads the models). Sees no frame, so needs no warrant.
    ///
    /// # Errors
    /// Missing or wrong models, or no child process.
    fn wake(&mut self) -> Result<(), FaceError>;
    /// Finds faces and measures the largest one.
    ///
    /// # Errors
    /// See [`FaceError`].
    fn locate(&mut self, warrant: Warrant<'_>, frame: &Frame) -> Result<Look, FaceError>;
    /// Turns one face of one frame into a template of unit length. Consumes and wipes the frame. A [`Warrant::Watch`] is not enough.
    ///
    /// # Errors
    /// See [`FaceError`].
    fn extract(&mut self, warrant: Warrant<'_>, frame: Frame, face: &FaceBox) -> Result<FaceTemplate, FaceError>;
    /// Ends the process that saw faces.
    fn rest(&mut self);
}

/// Why no card could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// No reader is plugged in.
    #[error("no card reader is connected")]
    None,
    /// The smart card service is not running.
    #[error("the smart card service is not running")]
    ServiceDown,
    /// The card was pulled before it was read.
    #[error("the card was taken away too early")]
    CardPulled,
    /// The card gave no number.
    #[error("this card gives no number")]
    Unreadable,
}

/// A card reader.
pub trait CardReader: Send {
    /// The card that lies on the reader now. Never blocks longer than 50 ms.
    ///
    /// # Errors
    /// See [`ReaderError`]. After an error the next call tries again from the start.
    fn present(&mut self) -> Result<Option<CardUid>, ReaderError>;
}

/// Why a gate did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Off, or not on this network: try again later.
    #[error("the gate does not answer")]
    Away,
    /// Its key is not the pinned one: a supervisor must pair it again.
    #[error("the gate's key has changed")]
    KeyChanged,
    /// The gate does not accept this station's key.
    #[error("the gate is not paired with this station")]
    NotPaired,
    /// A real station met a practice gate, or the other way round.
    #[error("practice and real do not talk to each other")]
    OtherRealm,
    /// It spoke something that is not this protocol version.
    #[error("the gate speaks another protocol version")]
    Protocol,
    /// Only a card board with another serial number answers there.
    #[error("another card board answers at this address")]
    OtherBoard,
    /// Its address is not on the LAN.
    #[error("the gate's address is not a LAN address")]
    NotLan,
    /// It is on none of the networks that a supervisor chose: nothing was sent.
    #[error("the gate is on a network that was not chosen")]
    OtherNetwork,
}

/// The channel to gates: one question, one answer, within `limit`.
pub trait GateLink: Send {
    /// Asks one gate.
    ///
    /// # Errors
    /// See [`LinkError`]. A refusal by the gate is a [`Reply`], not an error.
    fn ask(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError>;
    /// Whether the gate may have heard a request since this was asked last: one was sent to it after the greeting, answered or not.
    fn take_heard(&mut self, _gate: GateId) -> bool {
        false
    }
    /// Pairs with a gate that shows this code: brings back what it says of itself, and the fingerprint of its key. Both are proved by the
    /// code.
    ///
    /// # Errors
    /// See [`PairError`].
    fn pair(
        &mut self,
        address: &str,
        code: &PairingCode,
        limit: Duration,
    ) -> Result<(crate::wire::message::Hello, [u8; 32]), PairError>;
    /// Keeps to these networks from now on.
    fn keep_to(&mut self, networks: Networks);
    /// The name of the interface by which the system would reach this address; `None` for this machine itself, and without a way.
    fn network_to(&self, address: &str) -> Option<String>;
    /// The addresses of this machine on which gates may be looked for.
    fn lans(&mut self) -> Vec<Lan>;
    /// Looks for gates that wait to be paired, on the interface with this address: asks at most once a second, never waits, and brings back
    /// who has answered lately.
    ///
    /// # Errors
    /// See [`LinkError`].
    fn search(&mut self, on: &str) -> Result<Vec<FoundGate>, LinkError>;
    /// Looks no more: nothing is sent or heard.
    fn search_over(&mut self);
}

/// Why a pairing did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// The gate could not be asked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The gate shows no code, or its time is over.
    #[error("the gate shows no pairing code")]
    NoCode,
    /// The gate shows another code, or somebody stands between.
    #[error("the gate shows another pairing code")]
    OtherCode,
}

/// An address of this machine on a LAN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lan {
    /// The interface's name.
    pub name: String,
    /// Its address.
    pub address: String,
}

/// A gate that says it waits to be paired. A hint where to look, nothing more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundGate {
    /// Its own word for itself, as its console shows it.
    pub name: String,
    /// `ip:port`.
    pub address: String,
}

/// The machine that the desk runs on.
pub trait Posture: Send {
    /// Looks at everything. Called at unlock, every half minute and before the camera opens; takes milliseconds, and changes nothing.
    fn check(&mut self) -> MachineFacts;

    /// Whether a file at this path would lie on other disks than the data folder, followed down to the disks themselves: another partition,
    /// volume or image file of one disk is that disk. What cannot be told is not apart.
    fn is_apart(&self, path: &Path) -> bool;
}

/// The clock. Read by the runner and the binaries only; everyone else is told `now`.
pub trait Clock: Send {
    /// Now.
    fn now(&self) -> Timestamp;
}
