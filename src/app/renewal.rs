//! A new transform for the templates at every gate: the answer to a stolen gate or a stolen copy of its store. No face is seen again.
//! Rule: S40660b (renewable templates), notice §七(四).

use std::time::Duration;

use super::deletion::{DeletionCommand, DeletionEvent};
use super::desk::Desk;
use super::event::{Failure, StaffEvent};
use super::orders;
use crate::app::command::StaffCommand;
use crate::domain::approval::Act;
use crate::domain::gate::GateRecord;
use crate::domain::id::OpId;
use crate::domain::time::Timestamp;
use crate::ports::LinkError;
use crate::secret::random_bytes;
use crate::wire::message::{Apply, Reply, Request, What};

/// Longest wait for one gate: it turns everything it holds.
const RENEW_LIMIT: Duration = Duration::from_secs(20);

impl Desk {
    /// Asks every gate that takes faces for a new transform, at a second supervisor's approval. Gates that did not sign are named; doing it
    /// again is harmless.
    pub(super) fn renew_templates(&mut self, now: Timestamp) {
        let again = StaffCommand::Deletion(DeletionCommand::RenewTemplates);
        let Some((Some(approval), _)) = self.approved(Act::RenewTemplates, again, now) else { return };
        let Some(gates) = self.vault(|v| v.begin_renewal(approval, now)) else { return };
        let (mut done, mut left) = (vec![], vec![]);
        for gate in gates {
            match self.renew_at(&gate, now) {
                Ok(()) => done.push(gate.name),
                Err(failure) => {
                    tracing::warn!(gate = %gate.id.short(), why = %failure.kind(), "templates were not turned anew");
                    left.push(gate.name);
                }
            }
        }
        self.say(StaffEvent::Deletion(DeletionEvent::Renewed { done, left }));
    }

    fn renew_at(&mut self, gate: &GateRecord, now: Timestamp) -> Result<(), Failure> {
        let unclear = |error| Failure::Link(gate.name.clone(), error);
        let Some(open) = self.open.as_mut() else { return Err(unclear(LinkError::Away)) };
        let op = OpId::from_bytes(random_bytes());
        let request = Request::Apply(Apply { op: *op.bytes(), sequence: 0, what: What::RenewFaces });
        let told = orders::tell(&open.vault, open.link.as_mut(), gate, RENEW_LIMIT);
        let signed = match told.and_then(|()| open.link.ask(gate, &request, RENEW_LIMIT)) {
            Ok(Reply::Done(signed)) => signed,
            Ok(Reply::Refused(refusal)) => return Err(Failure::Refused(gate.name.clone(), refusal)),
            Ok(_) => return Err(unclear(LinkError::Protocol)),
            Err(error) => return Err(unclear(error)),
        };
        signed.check(gate, self.config.realm, &request).map_err(|_| unclear(LinkError::KeyChanged))?;
        // Everything is still held: what was signed is what the gate lists now.
        match open.link.ask(gate, &Request::Health, RENEW_LIMIT) {
            Ok(Reply::Health(health)) if health.digest == signed.stored_digest => {}
            Ok(_) => return Err(unclear(LinkError::Protocol)),
            Err(error) => return Err(unclear(error)),
        }
        let receipt = crate::wire::frame::encode(&signed);
        open.vault.record_renewed(gate.id, &receipt, now).map_err(super::desk::failure_of)
    }
}
