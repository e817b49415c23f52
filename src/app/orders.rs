//! What a gate hears first, whoever asks it and whatever for: the orders to match somebody no more. A gate that was away matches nobody until
//! its station is heard, and the first request ends that; so nothing but these may be the first.

use std::time::Duration;

use super::carry::BATCH;
use super::courier::what_of;
use crate::domain::gate::GateRecord;
use crate::ports::{GateLink, LinkError};
use crate::vault::Vault;
use crate::wire::batch::Step;
use crate::wire::message::{Apply, Refusal, Reply, Request};

/// Tells a gate the stops, erasures and freezes that wait for it, also those that rest after a failed try. Nothing is recorded: the courier
/// sends the same operations, and the gate answers them with the same receipts.
///
/// # Errors
/// The gate did not answer, or the orders could not be read: then nothing else may be asked.
pub(super) fn tell(
    vault: &Vault,
    link: &mut dyn GateLink,
    gate: &GateRecord,
    limit: Duration,
) -> Result<(), LinkError> {
    let orders = vault.orders_waiting(gate.id, BATCH).map_err(|error| {
        tracing::warn!(gate = %gate.id.short(), %error, "what waits for a gate could not be read");
        LinkError::Protocol
    })?;
    let orders: Vec<Apply> = orders
        .iter()
        .map(|order| Apply { op: *order.op.bytes(), sequence: order.sequence, what: what_of(&order.what) })
        .collect();
    if orders.len() > 1 {
        let steps = orders.iter().cloned().map(Step::Apply).collect();
        match link.ask(gate, &Request::Batch(steps), limit)? {
            // A gate of an earlier revision.
            Reply::Refused(Refusal::Malformed) => {}
            _ => return Ok(()),
        }
    }
    for order in orders {
        // Refused or not: it was heard.
        link.ask(gate, &Request::Apply(order), limit)?;
    }
    Ok(())
}
