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
    fn p38_only_lan_addresses_are_accepted() {
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
            "0x0a000001:7443",
            "010.0.0.1:7443",
            "167772161:7443",
            "10.0.0.1:7443/../8.8.8.8",
            "10.0.0.1:65536",
        ] {
            assert_eq!(lan_address(bad), None, "{bad}");
        }
    }

    #[test]
    fn p38_the_address_after_the_last_private_one_and_before_the_first_is_refused() {
        for (outside, inside, last, beyond) in [
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("fbff:ffff::ffff", "fc00::", "fdff:ffff::ffff", "fe00::"),
            ("fe7f::ffff", "fe80::", "febf::ffff", "fec0::"),
        ] {
            let lan = |text: &str| text.parse().map(is_lan).ok();
            assert_eq!(
                (lan(outside), lan(inside), lan(last), lan(beyond)),
                (Some(false), Some(true), Some(true), Some(false))
            );
        }
    }

    #[test]
    fn p38_addresses_that_only_look_private_are_refused() {
        for tunnel in [
            "::",             // every interface
            "::a00:1",        // IPv4-compatible, long withdrawn
            "64:ff9b::a00:1", // NAT64: a translator outside
            "2002:a00:1::",   // 6to4: a relay outside
            "2001::1",        // Teredo
            "ff02::1",        // a group, not a gate
            "224.0.0.251",
            "255.255.255.255",
            "0.0.0.0",
            "100.64.0.1", // a carrier's shared space
            "192.0.0.1",
            "198.18.0.1",
        ] {
            assert_eq!(tunnel.parse().map(is_lan), Ok(false), "{tunnel}");
        }
    }
}
