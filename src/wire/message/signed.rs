//! What a gate signs.

use minicbor::{Decode, Encode};

/// A signed receipt: the gate did it, durably, and read it back. Signed over [`Receipt::signed_bytes`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// Which operation.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub op: [u8; 16],
    /// Which gate.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub gate: [u8; 16],
    /// What was done.
    #[n(2)]
    pub outcome: Outcome,
    /// SHA-256 of the operation's bytes as received.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub request_digest: [u8; 32],
    /// SHA-256 of what the store held for it at the read-back (zeros after an erasure).
    #[cbor(n(4), with = "minicbor::bytes")]
    pub stored_digest: [u8; 32],
    /// The gate's clock, milliseconds since 1970.
    #[n(5)]
    pub at: i64,
    /// `real` or `practice`.
    #[n(6)]
    pub realm: String,
    /// Ed25519.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// What a receipt attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Outcome {
    /// A template is stored and was read back.
    #[n(0)]
    FaceStored,
    /// A template is gone and was looked for.
    #[n(1)]
    FaceErased,
    /// A template is kept but not matched.
    #[n(2)]
    FaceFrozen,
    /// A card lets in.
    #[n(3)]
    CardStored,
    /// A card lets in no more.
    #[n(4)]
    CardRemoved,
    /// A frozen template is matched again, or none is held. Since revision 2.
    #[n(5)]
    FaceThawed,
    /// No face is matched. Since revision 2.
    #[n(6)]
    FacesStopped,
    /// Faces are matched again. Since revision 2.
    #[n(7)]
    FacesResumed,
    /// A held template was sealed to another key and given out. Since revision 3.
    #[n(8)]
    FaceResealed,
    /// All templates are kept under a new transform; the digest is that of everything held, as before. Since revision 3.
    #[n(9)]
    FacesRenewed,
    /// The clock stands where the station set it, and runs on from there. Since revision 5.
    #[n(10)]
    ClockSet,
    /// This is the digest of everything held. Since revision 6.
    #[n(11)]
    HeldAttested,
    /// Nothing and nobody is held any more, and the station is forgotten. Since revision 3.
    #[n(20)]
    Unpaired,
}
