//! Keeps what goes to gates and card boards on the networks that were chosen, whatever the system's routes say, and what a gate hears on the
//! network of the address it listens on: on Linux the socket is bound to the interface itself, so that a route that appears later cannot lead it
//! elsewhere; on other systems to that interface's address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use if_addrs::{IfAddr, Interface};
use socket2::Socket;
#[cfg(target_os = "linux")]
use socket2::{Domain, Protocol, Type};

use crate::ports::{LinkError, Networks};

/// Binds a socket that is not connected yet to the chosen network on which `to` is. Does nothing while no network is chosen, and for this machine
/// itself, which is on none.
///
/// # Errors
/// [`LinkError::OtherNetwork`] when `to` is on no chosen network or the system does not bind: nothing may be sent then.
pub fn keep_to(networks: &Networks, socket: &Socket, to: SocketAddr) -> Result<(), LinkError> {
    let chosen = networks.chosen();
    if chosen.is_empty() || to.ip().is_loopback() {
        return Ok(());
    }
    let here = if_addrs::get_if_addrs().map_err(|_| LinkError::OtherNetwork)?;
    if is_itself(&here, to) {
        return Ok(());
    }
    let on = among(&chosen, &here, to).ok_or(LinkError::OtherNetwork)?;
    bind(socket, on).map_err(|error| {
        tracing::warn!(%error, interface = on.name, "a socket could not be kept to a network");
        LinkError::OtherNetwork
    })
}

/// Listens on one of this machine's addresses; port 0 takes a free one. Linux takes what is for an address on every interface it has (RFC 1122,
/// 3.3.4.2, the weak model): so the socket is bound to the interface of that address, and a second one to this machine itself, for a desk that
/// runs on it. Only one where there is no such interface, or where the system binds none (Linux before 5.7, which is said in the log); Windows
/// keeps to the interface by itself.
///
/// # Errors
/// The address is taken, or not of this machine.
pub fn listen(on: SocketAddr) -> std::io::Result<Vec<TcpListener>> {
    let Some(interface) = listening_interface(on) else { return Ok(vec![TcpListener::bind(on)?]) };
    let outside = listen_by(on, &interface)?;
    if !is_bound(&outside) {
        return Ok(vec![outside]);
    }
    // What this machine sends to an address of its own comes in over its loopback interface. A link-local address is not to be had there.
    let own = listen_by(outside.local_addr()?, LOOPBACK);
    let own = own.inspect_err(|error| tracing::info!(%error, "a desk on this machine itself does not reach this gate"));
    Ok(std::iter::once(outside).chain(own).collect())
}

/// Binds a datagram socket to one of this machine's addresses, a free port, and on Linux to the interface that has it: what comes in over another
/// one is not heard. To the address only where the system binds no interface (Linux before 5.7).
///
/// # Errors
/// The address is not of this machine.
pub fn hear_on(socket: &Socket, on: Ipv4Addr) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    if let Some(interface) = listening_interface(SocketAddr::from((on, 0)))
        && let Err(error) = socket.bind_device(Some(interface.as_bytes()))
    {
        tracing::warn!(%error, interface, "the search is kept to its address only");
    }
    socket.bind(&SocketAddr::from((on, 0)).into())
}

/// Whether the interface that a listener is bound to is gone. It hears nothing then, also once there is one of that name again.
pub fn is_lost(listener: &TcpListener) -> bool {
    #[cfg(target_os = "linux")]
    return socket2::SockRef::from(listener).device().is_err();
    #[cfg(not(target_os = "linux"))]
    return {
        let _ = listener;
        false
    };
}

/// As [`listen`], on the interface that has the address now, in place of a listener that is lost. `None` while none has it.
///
/// # Errors
/// As [`listen`].
pub fn listen_again(on: SocketAddr) -> std::io::Result<Option<TcpListener>> {
    listening_interface(on).map(|interface| listen_by(on, &interface)).transpose()
}

/// The interface that has an address, on a system that binds to it.
fn listening_interface(on: SocketAddr) -> Option<String> {
    if !cfg!(target_os = "linux") || on.ip().is_loopback() {
        return None;
    }
    let here = if_addrs::get_if_addrs().ok()?;
    here.into_iter().find(|one| one.ip() == on.ip() && !one.is_loopback()).map(|one| one.name)
}

#[cfg(target_os = "linux")]
fn is_bound(listener: &TcpListener) -> bool {
    socket2::SockRef::from(listener).device().is_ok_and(|name| name.is_some())
}

#[cfg(not(target_os = "linux"))]
fn is_bound(_listener: &TcpListener) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn listen_by(on: SocketAddr, interface: &str) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(on), Type::STREAM, Some(Protocol::TCP))?;
    if let Err(error) = socket.bind_device(Some(interface.as_bytes())) {
        tracing::warn!(%error, interface, "the listener is kept to its address only");
        return TcpListener::bind(on);
    }
    socket.set_reuse_address(true)?;
    socket.bind(&on.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(not(target_os = "linux"))]
fn listen_by(on: SocketAddr, _interface: &str) -> std::io::Result<TcpListener> {
    TcpListener::bind(on)
}

/// Connections that wait to be taken, as the standard library has it.
#[cfg(target_os = "linux")]
const BACKLOG: i32 = 128;

/// Linux' name of its loopback interface.
const LOOPBACK: &str = "lo";

/// The name of the interface by which an address is reached: of those chosen, or as the system's routes stand while none is. `None` for this
/// machine itself and when there is no way. Sends nothing.
pub fn interface_to(networks: &Networks, to: SocketAddr) -> Option<String> {
    let here = if_addrs::get_if_addrs().ok()?;
    if is_itself(&here, to) {
        return None;
    }
    let chosen = networks.chosen();
    let on = if chosen.is_empty() {
        let from = leads(to)?;
        here.iter().find(|one| one.ip() == from)
    } else {
        among(&chosen, &here, to)
    };
    on.map(|one| one.name.clone())
}

fn is_itself(here: &[Interface], to: SocketAddr) -> bool {
    to.ip().is_loopback() || here.iter().any(|one| one.ip() == to.ip())
}

/// The chosen interface for an address. A network that the address belongs to comes before one that only a route leads over.
fn among<'a>(chosen: &[String], here: &'a [Interface], to: SocketAddr) -> Option<&'a Interface> {
    let mut ours = here.iter().filter(|one| chosen.contains(&one.name));
    let direct = ours.clone().find(|one| holds(&one.addr, to.ip()));
    direct.or_else(|| leads(to).and_then(|from| ours.find(|one| one.ip() == from)))
}

/// Our own address on the way there, as the routes stand: a datagram socket that says for whom it is, and sends nothing.
fn leads(to: SocketAddr) -> Option<IpAddr> {
    let any = if to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Binds to the interface, which Linux allows everybody since 5.7; before that, and elsewhere, to its address.
#[cfg(target_os = "linux")]
fn bind(socket: &Socket, on: &Interface) -> std::io::Result<()> {
    match socket.bind_device(Some(on.name.as_bytes())) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => by_address(socket, on),
        done => done,
    }
}

#[cfg(not(target_os = "linux"))]
fn bind(socket: &Socket, on: &Interface) -> std::io::Result<()> {
    by_address(socket, on)
}

fn by_address(socket: &Socket, on: &Interface) -> std::io::Result<()> {
    socket.bind(&SocketAddr::new(on.ip(), 0).into())
}

/// Whether an address belongs to an interface's own network.
fn holds(network: &IfAddr, ip: IpAddr) -> bool {
    match (network, ip) {
        (IfAddr::V4(own), IpAddr::V4(ip)) => {
            let mask = own.netmask.to_bits();
            mask != 0 && own.ip.to_bits() & mask == ip.to_bits() & mask
        }
        (IfAddr::V6(own), IpAddr::V6(ip)) => {
            let mask = own.netmask.to_bits();
            mask != 0 && own.ip.to_bits() & mask == ip.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use socket2::{Domain, Type};

    use super::*;

    fn v4(ip: [u8; 4], prefixlen: u8) -> IfAddr {
        let netmask = Ipv4Addr::from_bits(u32::MAX.checked_shl(u32::from(32 - prefixlen)).unwrap_or(0));
        IfAddr::V4(if_addrs::Ifv4Addr { ip: ip.into(), netmask, prefixlen, broadcast: None })
    }

    #[test]
    fn an_address_belongs_to_the_network_of_its_mask_only() {
        let own = v4([192, 168, 7, 2], 24);
        assert!(holds(&own, [192, 168, 7, 200].into()));
        assert!(!holds(&own, [192, 168, 8, 2].into()));
        assert!(!holds(&own, "fe80::1".parse().unwrap()));
        assert!(!holds(&v4([192, 168, 7, 2], 0), [192, 168, 7, 3].into()), "no mask is no network");
    }

    #[test]
    fn this_machine_is_on_no_network_and_nothing_is_bound_before_a_choice() {
        let networks = Networks::default();
        let socket = || Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        assert_eq!(keep_to(&networks, &socket(), "192.168.250.9:1".parse().unwrap()), Ok(()));
        networks.choose(vec!["no such interface".into()]);
        assert_eq!(networks.number(), 1);
        networks.choose(vec!["no such interface".into()]);
        assert_eq!(networks.number(), 1, "the same choice is none");
        assert_eq!(keep_to(&networks, &socket(), "127.0.0.1:1".parse().unwrap()), Ok(()));
        let refused = keep_to(&networks, &socket(), "192.168.250.9:1".parse().unwrap());
        assert_eq!(refused, Err(LinkError::OtherNetwork));
        assert_eq!(interface_to(&networks, "127.0.0.1:1".parse().unwrap()), None);
    }
}
