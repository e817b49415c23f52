//! Over which of this machine's networks gates and card boards are reached: the one that a supervisor chose on the pairing page, and those over
//! which one was paired. A network that turns up beside them gets nothing.

use std::sync::Arc;

use super::desk::{Desk, Open};
use crate::domain::Realm;
use crate::domain::id::SiteId;
use crate::ports::{BoardLink, GateLink, Lan, Networks};
use crate::wire::keys::IdentityKeys;

impl Desk {
    /// A link to gates that keeps to the networks.
    pub(super) fn gate_link(&self, keys: Arc<IdentityKeys>, site: SiteId) -> Box<dyn GateLink> {
        let mut link = (self.devices.link)(keys, site, self.config.realm);
        link.keep_to(self.networks.clone());
        link
    }

    /// A link to card boards that keeps to the networks.
    pub(super) fn board_link(&self) -> Box<dyn BoardLink> {
        let mut link = (self.devices.boards)();
        link.keep_to(self.networks.clone());
        link
    }

    /// What was chosen holds from now on. A vault that knows of none and has gates was restored or is of an earlier build: the networks on which
    /// the system reaches them now are taken as theirs.
    pub(super) fn know_networks(&mut self) {
        let Some(open) = self.open.as_mut() else { return };
        if open.vault.networks().is_ok_and(|known| known.is_empty()) {
            let gates = open.vault.gates().unwrap_or_default().into_iter().map(|gate| gate.address);
            let boards = open.vault.boards().unwrap_or_default().into_iter().map(|board| board.address);
            let mut found: Vec<String> =
                gates.chain(boards).filter_map(|address| open.link.network_to(&address)).collect();
            found.sort();
            found.dedup();
            if !found.is_empty()
                && let Err(error) = open.vault.record_networks(&found)
            {
                tracing::warn!(%error, "the networks of the gates could not be written down");
            }
        }
        self.choose_networks();
    }

    /// Something was paired at this address: its network is one of ours.
    pub(super) fn take_network_of(&mut self, address: &str) {
        let Some(name) = self.open.as_ref().and_then(|open| open.link.network_to(address)) else { return };
        let Some(mut known) = self.vault(|v| v.networks()) else { return };
        if !known.contains(&name) {
            known.push(name);
            self.vault(|v| v.record_networks(&known));
        }
        self.choose_networks();
    }

    /// A network is used no more. The last one stays: nothing would be kept to any.
    pub(super) fn leave_network(&mut self, name: &str) {
        let Some(open) = self.open.as_mut() else { return };
        let Ok(mut known) = open.vault.networks() else { return };
        known.retain(|one| one != name);
        let searched = open.searched_network().filter(|searched| searched.name == name);
        let left = !known.is_empty() || searched.is_none() && open.searched_network().is_some();
        if left && self.vault(|v| v.record_networks(&known)).is_some() && searched.is_some() {
            if let Some(open) = self.open.as_mut() {
                open.link.search_over();
            }
            self.vault(|v| v.record_search_address(""));
        }
        self.choose_networks();
    }

    /// Tells every link what the vault says.
    pub(super) fn choose_networks(&mut self) {
        let Some(open) = self.open.as_mut() else { return };
        // What cannot be read changes nothing.
        let Ok(mut names) = open.vault.networks() else { return };
        names.extend(open.searched_network().map(|lan| lan.name).filter(|name| !names.contains(name)));
        self.networks.choose(names);
    }
}

impl Open {
    /// The network that was chosen for looking for gates, where this machine is on it. Itself, in practice, is none.
    fn searched_network(&mut self) -> Option<Lan> {
        let chosen = self.vault.search_address().ok().flatten()?;
        let itself = |lan: &Lan| self.vault.realm() == Realm::Practice && lan.address.starts_with("127.");
        self.link.lans().into_iter().find(|lan| lan.address == chosen && !itself(lan))
    }
}

/// The networks that links keep to while no vault is open: none was chosen.
pub(super) fn forget(networks: &Networks) {
    networks.choose(vec![]);
}
