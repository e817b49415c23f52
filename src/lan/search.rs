//! Looks for gates that wait to be paired: one question by multicast DNS a second, from a port of its own on the one interface that was
//! chosen, answers taken at that port. The socket is there only while somebody looks.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::domain::Realm;
use crate::network;
use crate::ports::{FoundGate, Lan, LinkError};
use crate::wire::address::is_lan;
use crate::wire::mdns::{self, MESSAGE_MAX};

/// Pause between two questions.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long a gate is shown after its last answer.
const SHOWN_FOR: Duration = Duration::from_secs(5);

/// Most gates that are shown.
const FOUND_MAX: usize = 16;

/// Most answers that are read at one look.
const READ_AT_ONCE: usize = 64;

/// A search on one interface. Over when dropped.
pub(super) struct Search {
    socket: UdpSocket,
    on: Ipv4Addr,
    realm: Realm,
    asked: Option<Instant>,
    found: Vec<(FoundGate, Instant)>,
}

impl Search {
    /// Opens the socket on the interface with this address.
    pub(super) fn open(on: &str, realm: Realm) -> Result<Self, LinkError> {
        let on: Ipv4Addr = on.parse().map_err(|_| LinkError::NotLan)?;
        if !may_search(on, realm) {
            return Err(LinkError::NotLan);
        }
        let open = || -> std::io::Result<UdpSocket> {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
            network::hear_on(&socket, on)?;
            socket.set_multicast_if_v4(&on)?;
            socket.set_multicast_ttl_v4(1)?;
            socket.set_nonblocking(true)?;
            Ok(socket.into())
        };
        let socket = open().map_err(|_| LinkError::Away)?;
        Ok(Self { socket, on, realm, asked: None, found: vec![] })
    }

    /// Whether this search is on that interface.
    pub(super) fn is_on(&self, on: &str) -> bool {
        on.parse() == Ok(self.on)
    }

    /// Asks when it is time, and brings back who has answered lately. Never waits.
    pub(super) fn look(&mut self) -> Vec<FoundGate> {
        let now = Instant::now();
        if self.asked.is_none_or(|at| now.duration_since(at) >= ASK_EVERY) {
            self.asked = Some(now);
            if let Err(error) = self.socket.send_to(&mdns::question(), mdns::GROUP) {
                tracing::warn!(%error, "nobody could be asked for gates");
            }
        }
        let mut message = [0u8; MESSAGE_MAX];
        for _ in 0..READ_AT_ONCE {
            let Ok((length, from)) = self.socket.recv_from(&mut message) else { break };
            let answer = message.get(..length).filter(|_| is_lan(from.ip())).unwrap_or_default();
            for gate in mdns::announced(answer, self.realm) {
                // Who speaks for another machine is not believed.
                if IpAddr::V4(*gate.address.ip()) != from.ip() {
                    continue;
                }
                let gate = FoundGate { name: gate.name, address: gate.address.to_string() };
                self.found.retain(|(known, _)| *known != gate);
                if self.found.len() < FOUND_MAX {
                    self.found.push((gate, now));
                }
            }
        }
        self.found.retain(|(_, at)| now.duration_since(*at) < SHOWN_FOR);
        let mut found: Vec<FoundGate> = self.found.iter().map(|(gate, _)| gate.clone()).collect();
        found.sort();
        found
    }
}

/// This machine's addresses on which gates may be looked for, with the interfaces' names.
pub(super) fn lans(realm: Realm) -> Vec<Lan> {
    let Ok(interfaces) = if_addrs::get_if_addrs() else { return vec![] };
    let mut lans: Vec<Lan> = interfaces
        .into_iter()
        .filter_map(|interface| match interface.ip() {
            IpAddr::V4(ip) if may_search(ip, realm) => Some(Lan { name: interface.name, address: ip.to_string() }),
            _ => None,
        })
        .collect();
    lans.sort();
    lans.dedup();
    lans
}

/// A private address; the machine itself only in practice, where the gates run on it.
fn may_search(ip: Ipv4Addr, realm: Realm) -> bool {
    is_lan(IpAddr::V4(ip)) && (realm == Realm::Practice || !ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Shows: P38
    #[test]
    fn p38_gates_are_looked_for_on_private_addresses_only() {
        let opens = |on: &str, realm| Search::open(on, realm).err();
        for public in ["8.8.8.8", "0.0.0.0", "224.0.0.251", "255.255.255.255", "100.64.0.1", "::1", "localhost", ""] {
            assert_eq!(opens(public, Realm::Practice), Some(LinkError::NotLan), "{public}");
        }
        assert_eq!(opens("127.0.0.1", Realm::Real), Some(LinkError::NotLan));
        assert_eq!(opens("127.0.0.1", Realm::Practice), None);
        assert!(lans(Realm::Real).iter().all(|lan| !lan.address.starts_with("127.")));
        assert!(lans(Realm::Practice).iter().any(|lan| lan.address == "127.0.0.1"));
    }
}
