//! Which networks lead beyond the site: a private, link-local, loopback or multicast one does not. Rule K2-13.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a network reaches beyond private, link-local, loopback and multicast addresses. Shared carrier addresses (100.64.0.0/10) are
/// beyond: VPNs use them.
pub(super) fn leads_out4(network: Ipv4Addr, length: u32) -> bool {
    const INSIDE: [(Ipv4Addr, u32); 7] = [
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(224, 0, 0, 0), 4),
        (Ipv4Addr::new(255, 255, 255, 255), 32),
    ];
    let network = u32::from(network);
    !INSIDE.iter().any(|(inside, bits)| length >= *bits && (network ^ u32::from(*inside)) >> (32 - bits) == 0)
}

/// As [`leads_out4`].
pub(super) fn leads_out6(network: Ipv6Addr, length: u32) -> bool {
    const INSIDE: [(Ipv6Addr, u32); 4] = [
        (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
        (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
        (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
        (Ipv6Addr::LOCALHOST, 128),
    ];
    let network = u128::from(network);
    !INSIDE.iter().any(|(inside, bits)| length >= *bits && (network ^ u128::from(*inside)) >> (128 - bits) == 0)
}
