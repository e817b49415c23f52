//! Ways to the internet: every route that leads beyond private addresses, whatever its length. No packet is sent and no socket opened.
//! Rule K2-13.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::beyond::{leads_out4, leads_out6};
use super::linux::Root;
use crate::domain::posture::Reading;
use crate::wire::address::is_lan;

/// Interfaces with a route beyond private addresses, and route tables of their own that have one (VPNs).
pub(super) fn out(root: &Root) -> Reading<Vec<String>> {
    let Some(four) = root.read("/proc/net/route") else { return Reading::Unread };
    let mut out: Vec<String> = four.lines().skip(1).filter_map(route4).collect();
    match root.read("/proc/net/ipv6_route") {
        Some(six) => out.extend(six.lines().filter_map(route6)),
        // A kernel without IPv6 has neither file.
        None if root.has("/proc/net/if_inet6") => return Reading::Unread,
        None => {}
    }
    out.extend(root.read("/proc/net/fib_trie").iter().flat_map(|trie| other_tables(trie)));
    out.sort();
    out.dedup();
    Reading::Seen(out)
}

/// Addresses of this machine outside of the private ranges.
pub(super) fn public_addresses(root: &Root) -> Reading<Vec<String>> {
    let Some(trie) = root.read("/proc/net/fib_trie") else { return Reading::Unread };
    let local = entries(&trie).filter(|e| e.kind == "LOCAL" && e.length == 32).map(|e| IpAddr::V4(e.network));
    let six = root.read("/proc/net/if_inet6").unwrap_or_default();
    let six = six.lines().filter_map(|line| hex6(line.split_whitespace().next()?)).map(IpAddr::V6);
    let mut public: Vec<String> = local.chain(six).filter(|ip| !is_lan(*ip)).map(|ip| ip.to_string()).collect();
    public.sort();
    public.dedup();
    Reading::Seen(public)
}

const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// The interface of a line of `/proc/net/route` that leads out.
fn route4(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [interface, network, _, flags, _, _, _, mask, ..] = fields[..] else { return None };
    let number = |hex| u32::from_str_radix(hex, 16).ok();
    let flags = number(flags)?;
    // As the kernel prints them: network byte order in a number of this machine.
    let (network, mask) = (Ipv4Addr::from(number(network)?.to_ne_bytes()), number(mask)?.count_ones());
    (flags & UP != 0 && flags & REJECT == 0 && leads_out4(network, mask)).then(|| interface.to_owned())
}

/// The interface of a line of `/proc/net/ipv6_route` that leads out.
fn route6(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [network, length, _, _, _, _, _, _, flags, interface] = fields[..] else { return None };
    let (network, length) = (hex6(network)?, u32::from_str_radix(length, 16).ok()?);
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let open = flags & UP != 0 && flags & REJECT == 0 && interface != "lo";
    (open && leads_out6(network, length)).then(|| interface.to_owned())
}

fn hex6(text: &str) -> Option<Ipv6Addr> {
    (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok().map(Ipv6Addr::from)).flatten()
}

struct Entry<'a> {
    table: &'a str,
    network: Ipv4Addr,
    length: u32,
    kind: &'a str,
}

/// The entries of `/proc/net/fib_trie`, which shows every table, also those that `/proc/net/route` leaves out.
fn entries(trie: &str) -> impl Iterator<Item = Entry<'_>> {
    let (mut table, mut leaf) = ("", None);
    trie.lines().filter_map(move |line| {
        let text = line.trim_start();
        if text.len() == line.len() {
            table = text.trim_end_matches(':');
        } else if let Some(address) = text.strip_prefix("|-- ") {
            leaf = address.trim().parse::<Ipv4Addr>().ok();
        } else if let (Some(rest), Some(network)) = (text.strip_prefix('/'), leaf) {
            let mut words = rest.split_whitespace();
            let length = words.next()?.parse().ok()?;
            return Some(Entry { table, network, length, kind: words.nth(1)? });
        }
        None
    })
}

/// Tables besides the usual two that lead out: policy routing, as VPNs set it up.
fn other_tables(trie: &str) -> Vec<String> {
    entries(trie)
        .filter(|e| !matches!(e.table, "Main" | "Local") && e.kind == "UNICAST" && leads_out4(e.network, e.length))
        .map(|e| format!("table {}", e.table.trim_start_matches("Id ")))
        .collect()
}
