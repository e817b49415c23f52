//! A link to gates for tests: what is asked is answered by the test, and nothing is paired or looked for.

use std::time::Duration;

use super::{FoundGate, GateLink, Lan, LinkError, Networks, PairError};
use crate::domain::gate::GateRecord;
use crate::domain::id::GateId;
use crate::secret::PairingCode;
use crate::wire::message::{Hello, Reply, Request};

/// Answers in the place of gates.
pub trait Answers: Send {
    /// As [`GateLink::ask`].
    ///
    /// # Errors
    /// Those that the test gives.
    fn answer(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError>;

    /// As [`GateLink::take_heard`].
    fn heard(&mut self, _gate: GateId) -> bool {
        false
    }
}

/// A link over which questions go, and nothing else.
#[derive(Debug)]
pub struct OnlyAsked<A>(pub A);

impl<A: Answers> GateLink for OnlyAsked<A> {
    fn keep_to(&mut self, _: Networks) {}

    fn network_to(&self, _: &str) -> Option<String> {
        None
    }

    fn ask(&mut self, gate: &GateRecord, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        self.0.answer(gate, request, limit)
    }

    fn take_heard(&mut self, gate: GateId) -> bool {
        self.0.heard(gate)
    }

    fn pair(&mut self, _: &str, _: &PairingCode, _: Duration) -> Result<(Hello, [u8; 32]), PairError> {
        Err(PairError::NoCode)
    }

    fn lans(&mut self) -> Vec<Lan> {
        vec![]
    }

    fn search(&mut self, _: &str) -> Result<Vec<FoundGate>, LinkError> {
        Ok(vec![])
    }

    fn search_over(&mut self) {}
}

/// A gate of which nothing matters but that it is one.
#[cfg(test)]
pub(crate) fn some_gate() -> GateRecord {
    GateRecord {
        id: GateId::from_bytes([1; 16]),
        name: String::new(),
        place: String::new(),
        capture_area: String::new(),
        other_way: String::new(),
        why_needed: String::new(),
        address: String::new(),
        tls_pin: [0; 32],
        seal_key: [0; 32],
        sign_key: [0; 32],
        card_way_tested_at: None,
        takes_faces: true,
    }
}
