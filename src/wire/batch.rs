//! Several operations in one request: done in their order, made durable by one write, each with a receipt of its own.
//!
//! The receipt of a step is the one that the same operation would get alone, so that an operation whose answer was lost may be asked again
//! either way.

use minicbor::{Decode, Encode};

use super::message::{Apply, PutFace, Receipt, Refusal, Request};
use super::relay::PutPassed;

/// Most steps of one batch.
pub const BATCH_MAX: usize = 512;

/// Bytes of a batch's steps that a station puts together: well below the largest frame.
pub const BATCH_BYTES: usize = 200 * 1024;

/// One operation of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Step {
    /// As [`Request::PutFace`].
    #[n(0)]
    Put(#[n(0)] PutFace),
    /// As [`Request::Apply`].
    #[n(1)]
    Apply(#[n(0)] Apply),
    /// As [`Request::PutPassed`].
    #[n(2)]
    Passed(#[n(0)] PutPassed),
}

impl Step {
    /// The same operation as a request of its own: what its receipt is made over.
    pub fn request(self) -> Request {
        match self {
            Self::Put(put) => Request::PutFace(put),
            Self::Apply(apply) => Request::Apply(apply),
            Self::Passed(passed) => Request::PutPassed(passed),
        }
    }
}

/// The answer to one step.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum StepReply {
    /// Durable, read back, signed.
    #[n(0)]
    Done(#[n(0)] Receipt),
    /// Not done; the other steps are not touched by that.
    #[n(1)]
    Refused(#[n(0)] Refusal),
}
