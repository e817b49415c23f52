//! Lets a desk on the same LAN find this gate while its pairing code is shown: answers questions by multicast DNS, on the gate's own
//! interface, and only as long as this value lives.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::domain::Realm;
use crate::wire::address::is_lan;
use crate::wire::mdns::{Announced, GROUP, MESSAGE_MAX, answer, asks_for_gates};

/// Longest wait before the thread looks whether it shall end.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Most answers a second: more questions than that come from nobody who wants to pair.
const ANSWERS_A_SECOND_MAX: u32 = 20;

/// An announcement. Ends when dropped.
pub struct Announcement {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Announcement {
    /// Announces a gate that listens at `address` under `name`.
    ///
    /// # Errors
    /// The address is not an IPv4 one, or the operating system refused; the address can be typed at the desk all the same.
    pub fn start(name: &str, address: SocketAddr, realm: Realm) -> std::io::Result<Self> {
        let SocketAddr::V4(address) = address else { return Err(std::io::ErrorKind::Unsupported.into()) };
        let socket = open(*address.ip())?;
        let announced = Announced { name: name.to_owned(), address };
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = std::thread::Builder::new()
            .name("gate-announce".into())
            .spawn(move || serve(&socket, &announced, realm, &ends))?;
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A socket that hears the group on one interface. On Linux it is bound to the group itself: nothing that is sent to this machine alone
/// arrives.
fn open(interface: Ipv4Addr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    let bound = if cfg!(target_os = "linux") { *GROUP.ip() } else { Ipv4Addr::UNSPECIFIED };
    socket.bind(&SocketAddrV4::new(bound, GROUP.port()).into())?;
    #[cfg(target_os = "linux")]
    socket.set_multicast_all_v4(false)?;
    socket.join_multicast_v4(GROUP.ip(), &interface)?;
    socket.set_multicast_if_v4(&interface)?;
    socket.set_read_timeout(Some(LOOK_EVERY))?;
    Ok(socket.into())
}

fn serve(socket: &UdpSocket, announced: &Announced, realm: Realm, over: &AtomicBool) {
    let mut message = [0u8; MESSAGE_MAX];
    let mut since = std::time::Instant::now();
    let mut answers = 0;
    while !over.load(Ordering::SeqCst) {
        let Ok((length, from)) = socket.recv_from(&mut message) else { continue };
        if since.elapsed() >= Duration::from_secs(1) {
            (since, answers) = (std::time::Instant::now(), 0);
        }
        let question = message.get(..length).and_then(asks_for_gates).filter(|_| is_lan(from.ip()));
        let Some(id) = question.filter(|_| answers < ANSWERS_A_SECOND_MAX) else { continue };
        answers += 1;
        // A full querier hears the group; one that asks from a port of its own is answered there (RFC 6762, 6.7).
        let to = if from.port() == GROUP.port() { SocketAddr::V4(GROUP) } else { from };
        let number = if from.port() == GROUP.port() { 0 } else { id };
        if let Some(bytes) = answer(number, announced, realm)
            && let Err(error) = socket.send_to(&bytes, to)
        {
            tracing::warn!(%error, "a question could not be answered");
        }
    }
}

/// A name for one announcement, which says nothing of the gate.
pub fn random_name() -> String {
    let [a, b] = crate::secret::random_bytes::<2>();
    format!("gate-{a:02x}{b:02x}")
}

/// Whether a gate at this address can be announced.
pub fn can_announce(address: &SocketAddr) -> bool {
    matches!(address.ip(), IpAddr::V4(ip) if is_lan(IpAddr::V4(ip)))
}
