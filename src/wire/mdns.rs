//! What a desk and a gate that waits to be paired say to each other by multicast DNS (RFC 6762, DNS-SD RFC 6763): bytes only, no sockets.
//!
//! The desk asks once, from a port of its own, and is answered to that port (RFC 6762, 5.1 and 6.7): nobody has to listen on port 5353 at
//! the desk. What is found is a hint where to look. It is trusted for nothing: the code decides.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use simple_dns::rdata::{A, PTR, RData, SRV, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, ResourceRecord, TYPE};

use super::address::is_lan;
use crate::domain::Realm;

/// Where questions go: the group of multicast DNS.
pub const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 251), 5353);

/// The kind of service that is asked for.
pub const SERVICE: &str = "_menka-gate._tcp.local";

/// Longest message that is looked at, in bytes.
pub const MESSAGE_MAX: usize = 1_500;

/// Most records of one kind in a message that is looked at.
const RECORDS_MAX: u16 = 16;

/// Longest name of a gate that is shown, in bytes.
const NAME_MAX: usize = 32;

/// How long an answer may be remembered, in seconds (RFC 6762, 6.7: at most ten).
const TTL_S: u32 = 10;

/// A gate that says it waits to be paired.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announced {
    /// Its own word for itself: lower-case letters, digits and dashes.
    pub name: String,
    /// Where it says that it listens.
    pub address: SocketAddrV4,
}

/// The desk's question.
pub fn question() -> Vec<u8> {
    let mut packet = Packet::new_query(0);
    packet.questions.push(Question::new(Name::new_unchecked(SERVICE), QTYPE::TYPE(TYPE::PTR), CLASS::IN.into(), true));
    packet.build_bytes_vec().unwrap_or_default()
}

/// Whether a message asks for gates; its number, which a direct answer repeats.
pub fn asks_for_gates(message: &[u8]) -> Option<u16> {
    let packet = parse(message).filter(|packet| !packet.has_flags(PacketFlag::RESPONSE))?;
    let service = Name::new_unchecked(SERVICE);
    let asks = packet
        .questions
        .iter()
        .any(|question| question.qname == service && matches!(question.qtype, QTYPE::TYPE(TYPE::PTR) | QTYPE::ANY));
    asks.then(|| packet.id())
}

/// A gate's answer to question number `id`. `None` when the name is not one.
pub fn answer(id: u16, announced: &Announced, realm: Realm) -> Option<Vec<u8>> {
    if !is_name(&announced.name) {
        return None;
    }
    let (instance, host) = (format!("{}.{SERVICE}", announced.name), format!("{}.local", announced.name));
    let name = |text| Name::new(text).ok();
    let record = |of, data| Some(ResourceRecord::new(name(of)?, CLASS::IN, TTL_S, data));
    let mut packet = Packet::new_reply(id);
    packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    packet.questions.push(Question::new(name(SERVICE)?, QTYPE::TYPE(TYPE::PTR), CLASS::IN.into(), false));
    packet.answers.push(record(SERVICE, RData::PTR(PTR(name(&instance)?)))?);
    let server = SRV { priority: 0, weight: 0, port: announced.address.port(), target: name(&host)? };
    packet.additional_records.push(record(&instance, RData::SRV(server))?);
    let text = TXT::new().with_string(realm_text(realm)).ok()?;
    packet.additional_records.push(record(&instance, RData::TXT(text))?);
    let address = A { address: u32::from(*announced.address.ip()) };
    packet.additional_records.push(record(&host, RData::A(address))?);
    packet.build_bytes_vec().ok()
}

/// The gates of a realm that an answer tells of: on the LAN, complete, under a plain name. Everything else in it is passed over.
pub fn announced(message: &[u8], realm: Realm) -> Vec<Announced> {
    let Some(packet) = parse(message).filter(|packet| packet.has_flags(PacketFlag::RESPONSE)) else { return vec![] };
    let service = Name::new_unchecked(SERVICE);
    let all = || packet.answers.iter().chain(&packet.additional_records);
    let mut found: Vec<Announced> = all()
        .filter_map(|record| match &record.rdata {
            RData::PTR(PTR(instance)) if record.name == service => Some((gate_of(instance, &service)?, instance)),
            _ => None,
        })
        .filter_map(|(name, instance)| {
            let of_realm = all().any(|record| match &record.rdata {
                RData::TXT(text) if record.name == *instance => is_realm(text, realm),
                _ => false,
            });
            let (host, port) = all().find_map(|record| match &record.rdata {
                RData::SRV(server) if record.name == *instance => Some((&server.target, server.port)),
                _ => None,
            })?;
            let ip = all().find_map(|record| match &record.rdata {
                RData::A(address) if record.name == *host => Some(Ipv4Addr::from(address.address)),
                _ => None,
            })?;
            let usable = of_realm && port != 0 && is_lan(IpAddr::V4(ip));
            usable.then(|| Announced { name, address: SocketAddrV4::new(ip, port) })
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Reads a message whose head claims no more than it may: the parser reserves what the head claims.
fn parse(message: &[u8]) -> Option<Packet<'_>> {
    let counts = message.get(4..12).filter(|_| message.len() <= MESSAGE_MAX)?;
    let few = counts.chunks_exact(2).all(|two| u16::from_be_bytes([two[0], two[1]]) <= RECORDS_MAX);
    few.then(|| Packet::parse(message).ok()).flatten()
}

fn gate_of(instance: &Name<'_>, service: &Name<'_>) -> Option<String> {
    let (first, rest) = instance.get_labels().split_first()?;
    let of_service = rest.len() == service.get_labels().len() && instance.is_subdomain_of(service);
    let name = String::from_utf8(first.as_ref().to_vec()).ok()?;
    (of_service && is_name(&name)).then_some(name)
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(plain)
}

fn realm_text(realm: Realm) -> &'static str {
    match realm {
        Realm::Real => "realm=real",
        Realm::Practice => "realm=practice",
    }
}

fn is_realm(text: &TXT<'_>, realm: Realm) -> bool {
    text.iter_raw().any(|(key, value)| key == b"realm" && value == Some(realm.label().as_bytes()))
}

/// The group and port, as the socket library wants them.
pub fn group() -> SocketAddr {
    SocketAddr::V4(GROUP)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn gate(name: &str, address: &str) -> Announced {
        Announced { name: name.into(), address: address.parse().unwrap() }
    }

    #[test]
    fn a_question_is_answered_with_the_gate_that_waits() {
        let id = asks_for_gates(&question()).unwrap();
        let gate = gate("gate-4f2a", "192.168.1.20:7443");
        let bytes = answer(id, &gate, Realm::Real).unwrap();
        assert!(bytes.len() < 300, "{}", bytes.len());
        assert_eq!(announced(&bytes, Realm::Real), vec![gate]);
        assert_eq!(announced(&bytes, Realm::Practice), vec![], "practice and real do not mix");
        assert_eq!(asks_for_gates(&bytes), None, "an answer is no question");
        assert_eq!(announced(&question(), Realm::Real), vec![]);
    }

    // Shows: P38
    #[test]
    fn p38_a_gate_that_says_it_is_elsewhere_is_not_found() {
        for (name, address) in [("gate-1", "8.8.8.8:7443"), ("gate-1", "0.0.0.0:7443"), ("gate-1", "192.168.1.20:0")] {
            let bytes = answer(0, &gate(name, address), Realm::Real).unwrap();
            assert_eq!(announced(&bytes, Realm::Real), vec![], "{address}");
        }
        for name in ["", "Gate", "gate 1", "东门", "a.b", &"x".repeat(33)] {
            assert_eq!(answer(0, &gate(name, "192.168.1.20:7443"), Realm::Real), None, "{name}");
        }
    }

    #[test]
    fn a_message_that_claims_more_than_it_holds_reserves_nothing() {
        let mut bytes = answer(0, &gate("gate-1", "192.168.1.20:7443"), Realm::Real).unwrap();
        for at in [4, 6, 8, 10] {
            let mut claims = bytes.clone();
            claims[at] = 0xff;
            assert_eq!((announced(&claims, Realm::Real), asks_for_gates(&claims)), (vec![], None));
        }
        for length in 0..bytes.len() {
            assert_eq!(announced(&bytes[..length], Realm::Real), vec![], "{length}");
        }
        bytes.resize(MESSAGE_MAX + 1, 0);
        assert_eq!(announced(&bytes, Realm::Real), vec![]);
    }

    #[test]
    fn names_that_point_at_themselves_are_not_followed_for_ever() {
        // One question whose name is a pointer to itself, at offset 12.
        let looped = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 12, 0, 1];
        assert_eq!(asks_for_gates(&looped), None);
    }
}
