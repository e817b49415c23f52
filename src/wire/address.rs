//! Which addresses are on the LAN. Station and gate both refuse any other (the channel never leaves the compound).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Reads `ip:port` and accepts it only on a private, link-local or loopback address. Names are not resolved: a name can
/// be made to point anywhere.
pub fn lan_address(text: &str) -> Option<SocketAddr> {
    let address: SocketAddr = text.trim().parse().ok()?;
    is_lan(address.ip()).then_some(address)
}

/// Whether an address is private (RFC 1918, RFC 4193), link-local or loopback. The unspecified address is not: it
/// listens everywhere.
pub fn is_lan(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(inner) => is_lan(IpAddr::V4(inner)),
            None => ip.is_loopback() || is_unique_local(ip) || is_link_local(ip),
        },
    }
}

fn is_unique_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xfe00 == 0xfc00
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lan_addresses_are_accepted() {
        for good in [
            "10.0.0.9:7443",
            "172.16.0.1:1",
            "172.31.255.254:1",
            "192.168.10.20:7443",
            "169.254.3.4:7443",
            "127.0.0.1:7443",
            "[::1]:7443",
            "[fd12::1]:7443",
            "[fe80::1]:7443",
            "[::ffff:192.168.1.1]:7443",
        ] {
            assert!(lan_address(good).is_some(), "{good}");
        }
        for bad in [
            "8.8.8.8:443",
            "172.32.0.1:1",
            "100.64.0.1:1",
            "0.0.0.0:7443",
            "[::]:7443",
            "[2001:db8::1]:7443",
            "[::ffff:8.8.8.8]:7443",
            "gate.example:7443",
            "localhost:7443",
            "192.168.1.1",
            "",
        ] {
            assert_eq!(lan_address(bad), None, "{bad}");
        }
    }
}
