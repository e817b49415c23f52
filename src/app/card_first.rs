//! Gates that hold too many faces for looking one up among all: the courier tells such a gate which card stands for which template, so that a
//! card can come first. Other gates are not told: they have no use for it (rule P06).

use std::collections::BTreeMap;

use super::courier::{ANSWER_LIMIT, Courier};
use crate::domain::card::CardUid;
use crate::domain::gate::GateRecord;
use crate::domain::id::TemplateId;
use crate::vault::VaultError;
use crate::wire::message::{BindCard, Reply, Request};

/// What one gate was told since the desk was unlocked.
pub(super) type Bound = BTreeMap<TemplateId, CardUid>;

/// Most cards told to one gate in one pass.
const PER_PASS: usize = 200;

impl Courier {
    /// Tells a gate which card stands for which template, as far as it was not told yet.
    ///
    /// # Errors
    /// The vault failed. A gate that does not answer is not an error: it is told at the next look.
    pub(super) fn bind_cards(&mut self, gate: &GateRecord) -> Result<(), VaultError> {
        let should = self.vault.cards_of_faces(gate.id)?;
        let told = self.bound.entry(gate.id).or_default();
        told.retain(|template, _| should.iter().any(|(held, _)| held == template));
        let news = should.into_iter().filter(|(template, card)| told.get(template) != Some(card));
        for (template, card) in news.take(PER_PASS).collect::<Vec<_>>() {
            let bind = BindCard { template: *template.bytes(), card: card.bytes().to_vec() };
            match self.link.ask(gate, &Request::BindCard(bind), ANSWER_LIMIT) {
                Ok(Reply::Bound(true)) => drop(told.insert(template, card)),
                // The gate holds no such template: the comparison of what it holds finds that.
                Ok(_) => {}
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}
