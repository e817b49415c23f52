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

/// Tells a gate all stops, erasures and freezes that wait for it, also those that rest after a failed try. Nothing is recorded: the courier
/// sends the same operations, and the gate answers them with the same receipts.
///
/// `limit` is for each batch.
///
/// # Errors
/// The gate did not answer, or the orders could not be read: then nothing else may be asked.
pub(super) fn tell(
    vault: &Vault,
    link: &mut dyn GateLink,
    gate: &GateRecord,
    limit: Duration,
) -> Result<(), LinkError> {
    let orders = vault.orders_waiting(gate.id, usize::MAX).map_err(|error| {
        tracing::warn!(gate = %gate.id.short(), %error, "what waits for a gate could not be read");
        LinkError::Protocol
    })?;
    let orders: Vec<Apply> = orders
        .iter()
        .map(|order| Apply { op: *order.op.bytes(), sequence: order.sequence, what: what_of(&order.what) })
        .collect();
    tell_all(&orders, link, gate, limit)
}

/// In batches, of which only the last may count as contact.
fn tell_all(orders: &[Apply], link: &mut dyn GateLink, gate: &GateRecord, limit: Duration) -> Result<(), LinkError> {
    let mut parts = orders.chunks(BATCH).peekable();
    while let Some(part) = parts.next() {
        let steps = || part.iter().cloned().map(Step::Apply).collect();
        // A gate of an earlier revision refuses what it does not know, and is asked as it always was.
        if parts.peek().is_some() && is_known(&link.ask(gate, &Request::Orders(steps()), limit)?) {
            continue;
        }
        if part.len() > 1 && is_known(&link.ask(gate, &Request::Batch(steps()), limit)?) {
            continue;
        }
        for order in part {
            // Refused or not: it was heard.
            link.ask(gate, &Request::Apply(order.clone()), limit)?;
        }
    }
    Ok(())
}

fn is_known(reply: &Reply) -> bool {
    !matches!(reply, Reply::Refused(Refusal::Malformed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::ports::only_asked::{Answers, OnlyAsked, some_gate};
    use crate::wire::message::What;

    /// What a gate was asked: 'o' for orders that more follow, 'b' for a batch, 'a' for one alone; and for whom.
    #[derive(Default)]
    struct Heard {
        asked: Vec<(char, usize)>,
        faces: Vec<[u8; 16]>,
        /// What it does not know.
        unknown: &'static str,
        /// The link breaks before this request.
        breaks_at: Option<usize>,
    }

    impl Answers for Heard {
        fn answer(&mut self, _: &GateRecord, request: &Request, _: Duration) -> Result<Reply, LinkError> {
            if self.breaks_at == Some(self.asked.len()) {
                return Err(LinkError::Away);
            }
            let (kind, steps) = match request {
                Request::Orders(steps) => ('o', steps.clone()),
                Request::Batch(steps) => ('b', steps.clone()),
                Request::Apply(apply) => ('a', vec![Step::Apply(apply.clone())]),
                other => panic!("nothing but orders: {other:?}"),
            };
            self.asked.push((kind, steps.len()));
            if self.unknown.contains(kind) {
                return Ok(Reply::Refused(Refusal::Malformed));
            }
            for step in steps {
                let Step::Apply(Apply { what: What::EraseFace(template), .. }) = step else { panic!("{step:?}") };
                self.faces.push(template);
            }
            Ok(Reply::Batch(vec![]))
        }
    }

    fn number(n: u64) -> [u8; 16] {
        let mut number = [0; 16];
        number[..8].copy_from_slice(&n.to_be_bytes());
        number
    }

    fn told(count: u64, unknown: &'static str, breaks_at: Option<usize>) -> (Heard, Result<(), LinkError>) {
        let orders: Vec<Apply> =
            (0..count).map(|n| Apply { op: number(n), sequence: n, what: What::EraseFace(number(n)) }).collect();
        let mut link = OnlyAsked(Heard { unknown, breaks_at, ..Heard::default() });
        let done = tell_all(&orders, &mut link, &some_gate(), Duration::from_secs(1));
        (link.0, done)
    }

    #[test]
    fn all_orders_are_told_and_only_the_last_batch_of_them_is_contact() {
        let (heard, done) = told(900, "", None);
        assert!(done.is_ok());
        assert_eq!(heard.asked, [('o', 400), ('o', 400), ('b', 100)]);
        assert_eq!(heard.faces, (0..900).map(number).collect::<Vec<_>>());
        assert_eq!(told(801, "", None).0.asked, [('o', 400), ('o', 400), ('a', 1)]);
        assert_eq!(told(400, "", None).0.asked, [('b', 400)]);
        assert!(told(0, "", None).0.asked.is_empty());
    }

    #[test]
    fn a_link_that_breaks_between_them_lets_nothing_else_be_asked() {
        let (heard, done) = told(900, "", Some(1));
        assert_eq!(done, Err(LinkError::Away));
        assert_eq!(heard.asked, [('o', 400)], "no contact yet");
    }

    #[test]
    fn gates_of_earlier_revisions_are_told_all_of_them_too() {
        let (heard, done) = told(900, "o", None);
        assert!(done.is_ok());
        assert_eq!(heard.asked, [('o', 400), ('b', 400), ('o', 400), ('b', 400), ('b', 100)]);
        assert_eq!(heard.faces.len(), 900);
        let (heard, done) = told(402, "ob", None);
        assert!(done.is_ok());
        assert_eq!(heard.faces, (0..402).map(number).collect::<Vec<_>>());
    }
}
