//! Where what one person has stands at each gate: what the vault knows, and on top of it what the last comparison with each gate found.

use sha2::{Digest, Sha256};

use super::courier::{LeftOver, Shared};
use super::event::{GatePlace, Places};
use crate::domain::board::AnyGate;
use crate::domain::card::CardUid;
use crate::domain::id::{GateId, ResidentId};
use crate::domain::relay::{DriftKind, Place};
use crate::vault::{Vault, VaultError};

/// Card, earlier cards and face of a person, gate by gate; `gates` are all that were ever known.
///
/// # Errors
/// Those of the disk.
pub(super) fn of(
    vault: &Vault,
    shared: &Shared,
    resident: ResidentId,
    gates: &[AnyGate],
) -> Result<Places, VaultError> {
    let named = |(gate, place): (GateId, Place)| {
        let label = gates.iter().find(|g| g.id() == gate).map_or_else(|| gate.short(), |g| g.name().to_owned());
        GatePlace { gate, label, place }
    };
    let mut card = vec![];
    if let Some(current) = vault.current_card(resident)? {
        for (gate, mut place) in vault.card_places(current.id)? {
            // What is on its way or was refused explains the difference.
            if let (Place::Synced, Some((kind, since))) = (&place, shared.differs(gate).cards.get(&current.id)) {
                place = match kind {
                    DriftKind::CardDay => Place::OtherDay(*since),
                    _ => Place::Missing(*since),
                };
            }
            card.push(named((gate, place)));
        }
    }
    let mut old = vault.old_card_places(resident)?;
    let numbers = vault.old_cards(resident)?;
    for gate in gates.iter().filter(|_| !numbers.is_empty()) {
        let left = shared.differs(gate.id()).left_over;
        let known_as = |uid: &CardUid| match gate {
            AnyGate::Gate(_) => Some(LeftOver::Digest(Sha256::digest(uid.bytes()).into())),
            AnyGate::Board(board) => board.format.number(uid).map(LeftOver::Board),
        };
        let since = numbers.iter().filter_map(known_as).filter_map(|number| left.get(&number)).min();
        if let (Some(since), false) = (since, old.iter().any(|(there, _)| *there == gate.id())) {
            old.push((gate.id(), Place::LeftOver(*since)));
        }
    }
    let face = vault.face_places(resident)?;
    let all = |places: Vec<(GateId, Place)>| places.into_iter().map(named).collect();
    Ok(Places { card, old_card: all(old), face: all(face) })
}
