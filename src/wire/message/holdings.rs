//! What a gate holds, as it lists it.

use minicbor::{Decode, Encode};

/// A template as a gate lists it: never the numbers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HeldFace {
    /// The random number.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub template: [u8; 16],
    /// Digest of the template as it was handed over ([`crate::wire::receipt::face_digest`]).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Last day, days since 1970-01-01.
    #[n(2)]
    pub ends_on: i64,
    /// Not matched.
    #[n(3)]
    pub frozen: bool,
}

/// Everything a gate holds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Holdings {
    /// Templates, ordered by random number.
    #[n(0)]
    pub faces: Vec<HeldFace>,
    /// SHA-256 of each card number, ordered.
    #[n(1)]
    pub cards: Vec<CardDigest>,
}

/// A card as a gate lists it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CardDigest {
    /// SHA-256 of the card's number.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Last day, days since 1970-01-01.
    #[n(1)]
    pub ends_on: i64,
}
