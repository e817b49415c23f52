//! A gate's no.

use minicbor::{Decode, Encode};

/// Why a gate will not do something.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum Refusal {
    /// The frame was not a message of this protocol.
    #[error("malformed message")]
    #[n(0)]
    Malformed,
    /// Another protocol version.
    #[error("another protocol version")]
    #[n(1)]
    Version,
    /// Practice and real do not mix.
    #[error("another realm")]
    #[n(2)]
    Realm,
    /// The envelope is not for this gate, not from the paired station, or was changed.
    #[error("the envelope does not open")]
    #[n(3)]
    Envelope,
    /// The template's model is not the one this gate matches.
    #[error("another face engine")]
    #[n(4)]
    Engine,
    /// The last day has passed by the gate's clock.
    #[error("already expired")]
    #[n(5)]
    Expired,
    /// The random number is used by another operation, or was erased before.
    #[error("this random number cannot be used again")]
    #[n(6)]
    Spent,
    /// The gate is full.
    #[error("the gate is full")]
    #[n(7)]
    Full,
    /// The gate's disk failed; nothing was changed.
    #[error("the gate's storage failed")]
    #[n(8)]
    Storage,
    /// A probe that is too old or from the future, or was seen before.
    #[error("the probe is stale")]
    #[n(9)]
    Stale,
    /// This gate matches cards only.
    #[error("this gate takes cards only")]
    #[n(10)]
    CardsOnly,
    /// Too many probes, copies of templates, or templates passed on, in a short time; or more than one answer holds.
    #[error("too many probes")]
    #[n(11)]
    TooMany,
    /// The gate does not hold this template. Since revision 3.
    #[error("the gate does not hold this template")]
    #[n(12)]
    NotHeld,
    /// The station's signature does not authorise it, or the template is frozen. Since revision 3.
    #[error("not authorised")]
    #[n(13)]
    NotAuthorised,
    /// No code is shown at this gate, or it has run out. Since revision 3.
    #[error("no pairing code is shown")]
    #[n(20)]
    NoCode,
    /// The code was another one, or somebody stands between the two. Since revision 3.
    #[error("another pairing code")]
    #[n(21)]
    OtherCode,
    /// No card was ever seen to open this gate: faces are taken only after that. Since revision 4.
    #[error("no card was seen to open this gate yet")]
    #[n(30)]
    CardWay,
    /// Too many templates for looking one up among all: [`super::Request::ProbeOne`]. Since revision 4.
    #[error("too many people for looking one up: the card first")]
    #[n(31)]
    CardFirst,
    /// [`super::What::SetClock`] to an instant before one that the gate has seen. Since revision 5.
    #[error("the gate has seen a later instant")]
    #[n(32)]
    ClockBack,
}
