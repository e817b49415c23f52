//! Puts a gate on the LAN: a TLS listener that hears the paired station only, one thread a connection, every wait
//! limited.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::{ServerConnection, StreamOwned};

use super::daemon::{Caller, Gate};
use super::error::GateError;
use crate::domain::time::Timestamp;
use crate::network;
use crate::ports::Clock;
use crate::wire::address::is_lan;
use crate::wire::frame::{FrameError, encode, read_body, write_body};
use crate::wire::keys::spki_fingerprint;
use crate::wire::message::{FRAME_MAX, REPLY_MAX, Refusal, Reply};
use crate::wire::pairing::EXPORTER;
use crate::wire::tls;

/// Connections at a time; for a new one the oldest is closed that has not proved to be the station, so that strangers cannot shut it out.
pub const CONNECTIONS_MAX: usize = 8;

/// Longest handshake.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(5);

/// Longest wait for the next request, the request included.
pub const IDLE_MAX: Duration = Duration::from_secs(120);

/// Longest time for sending a reply.
pub const REPLY_WITHIN: Duration = Duration::from_secs(10);

/// Time between two calls of [`Gate::tick`].
pub const TICK: Duration = Duration::from_secs(30);

/// How long a refused peer may take to read why.
const DRAIN_MAX: Duration = Duration::from_millis(300);

/// A gate that listens. Stops when told, or when dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
    ticks: Option<mpsc::Sender<()>>,
}

/// The sockets it listens with, each with the thread that accepts from it.
struct Listening {
    address: SocketAddr,
    listeners: Vec<(TcpListener, JoinHandle<()>)>,
}

struct Shared {
    gate: Mutex<Gate>,
    clock: Mutex<Box<dyn Clock>>,
    open: Mutex<Open>,
    stopping: AtomicBool,
}

/// The open connections, oldest first.
#[derive(Default)]
struct Open {
    next: u64,
    sockets: BTreeMap<u64, Connected>,
}

/// An open connection.
struct Connected {
    socket: TcpStream,
    /// It proved to be the paired station.
    trusted: bool,
}

impl Server {
    /// Listens on a LAN address and on no other interface than its own ([`network::listen`]); port 0 takes a free one.
    ///
    /// # Errors
    /// [`GateError::NotLan`], or [`GateError::File`] naming the address when it is taken.
    pub fn start(gate: Gate, listen: SocketAddr, clock: Box<dyn Clock>) -> Result<Self, GateError> {
        if !is_lan(listen.ip()) {
            return Err(GateError::NotLan(listen.to_string()));
        }
        let failed = |source| GateError::File { file: listen.to_string().into(), source };
        let made = network::listen(listen).map_err(failed)?;
        let first = made.first().map(TcpListener::local_addr);
        let address = first.unwrap_or_else(|| Err(ErrorKind::AddrNotAvailable.into())).map_err(failed)?;
        let shared = Arc::new(Shared {
            gate: Mutex::new(gate),
            clock: Mutex::new(clock),
            open: Mutex::new(Open::default()),
            stopping: AtomicBool::new(false),
        });
        let (ticks, due) = mpsc::channel();
        let mut listening = Listening { address, listeners: vec![] };
        listening.take(&shared, made).map_err(failed)?;
        let ticking = shared.clone();
        let thread = std::thread::spawn(move || tick(&ticking, &due, listening));
        Ok(Self { shared, address, thread: Some(thread), ticks: Some(ticks) })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Looks into the gate, or uses it from its own devices, between two requests.
    pub fn with_gate<T>(&self, use_it: impl FnOnce(&mut Gate, Timestamp) -> T) -> T {
        let now = self.shared.now();
        use_it(&mut self.shared.gate(), now)
    }

    /// A way to the gate for its own devices, which may outlive this.
    pub fn within(&self) -> Within {
        Within(self.shared.clone())
    }

    /// Stops listening, closes every connection and waits for the threads.
    pub fn stop(mut self) {
        self.close();
    }

    fn close(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.ticks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for connected in lock(&self.shared.open).sockets.values() {
            let _ = connected.socket.shutdown(Shutdown::Both);
        }
        let deadline = Instant::now() + Duration::from_secs(2);
        while !lock(&self.shared.open).sockets.is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The running gate, for a thread that serves one of its own devices.
#[derive(Clone)]
pub struct Within(Arc<Shared>);

impl Within {
    /// As [`Server::with_gate`].
    pub fn with_gate<T>(&self, use_it: impl FnOnce(&mut Gate, Timestamp) -> T) -> T {
        let now = self.0.now();
        use_it(&mut self.0.gate(), now)
    }

    /// Whether the gate ends.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn now(&self) -> Timestamp {
        lock(&self.clock).now()
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        lock(&self.gate)
    }

    /// The handshake of a connection is over: the paired station's is closed last when room is needed.
    fn trust(&self, number: u64, pin: [u8; 32]) {
        let trusted = self.gate().is_station(&pin);
        if let Some(connected) = lock(&self.open).sockets.get_mut(&number) {
            connected.trusted = trusted;
        }
    }
}

/// A thread that panicked changed nothing that is not in one transaction: what it held can be used again.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tick(shared: &Arc<Shared>, due: &mpsc::Receiver<()>, mut listening: Listening) {
    loop {
        let now = shared.now();
        if let Err(error) = shared.gate().tick(now) {
            tracing::warn!(%error, "housekeeping failed");
        }
        listening.keep_up(shared);
        match due.recv_timeout(TICK) {
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => return listening.end(),
        }
    }
}

impl Listening {
    fn take(&mut self, shared: &Arc<Shared>, made: Vec<TcpListener>) -> std::io::Result<()> {
        for listener in made {
            let (accepting, kept) = (shared.clone(), listener.try_clone()?);
            self.listeners.push((kept, std::thread::spawn(move || accept(&accepting, &listener))));
        }
        Ok(())
    }

    /// A socket that is bound to an interface hears nothing any more once that is gone, also when it comes back (a USB adapter that was pulled).
    fn keep_up(&mut self, shared: &Arc<Shared>) {
        if !self.listeners.iter().any(|(listener, _)| network::is_lost(listener)) {
            return;
        }
        match network::listen_again(self.address) {
            Ok(None) => {}
            Ok(Some(made)) => match self.take(shared, vec![made]) {
                Ok(()) => {
                    let (lost, kept) = self.listeners.drain(..).partition(|(listener, _)| network::is_lost(listener));
                    self.listeners = kept;
                    Self { address: self.address, listeners: lost }.end();
                    tracing::info!(address = %self.address, "listening again");
                }
                Err(error) => tracing::warn!(%error, "not listening again yet"),
            },
            Err(error) => tracing::warn!(%error, "not listening again yet"),
        }
    }

    fn end(self) {
        for (listener, thread) in self.listeners {
            // Wakes who accepts: Linux at the end of the socket itself, other systems with a last connection.
            if socket2::SockRef::from(&listener).shutdown(Shutdown::Both).is_err() {
                let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
            }
            let _ = thread.join();
        }
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    loop {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            // It was ended (Linux; EINVAL).
            Err(error) if error.kind() == ErrorKind::InvalidInput => return,
            // Out of descriptors: wait instead of spinning.
            Err(_) => {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
        };
        if !is_lan(peer.ip()) {
            continue;
        }
        let Some(number) = admit_socket(shared, &socket) else { continue };
        let worker = shared.clone();
        let started = std::thread::Builder::new().name("gate-connection".into()).spawn(move || {
            let guard = Registered { shared: &worker, number };
            serve(&worker, socket, number);
            drop(guard);
        });
        if started.is_err() {
            lock(&shared.open).sockets.remove(&number);
        }
    }
}

fn admit_socket(shared: &Shared, socket: &TcpStream) -> Option<u64> {
    let kept = socket.try_clone().ok()?;
    let mut open = lock(&shared.open);
    while open.sockets.len() >= CONNECTIONS_MAX {
        let stranger = open.sockets.iter().find(|(_, connected)| !connected.trusted);
        let number = *stranger.or(open.sockets.first_key_value())?.0;
        let oldest = open.sockets.remove(&number)?;
        let _ = oldest.socket.shutdown(Shutdown::Both);
    }
    let number = open.next;
    open.next += 1;
    open.sockets.insert(number, Connected { socket: kept, trusted: false });
    Some(number)
}

/// Takes the connection off the list on every way out of its thread.
struct Registered<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        lock(&self.shared.open).sockets.remove(&self.number);
    }
}

fn serve(shared: &Shared, socket: TcpStream, number: u64) {
    let Some(mut stream) = shake_hands(shared, socket) else { return };
    let Some(pin) = peer_pin(&stream.conn) else { return };
    shared.trust(number, pin);
    let exporter = stream.conn.export_keying_material([0u8; 32], EXPORTER, None).ok();
    let mut caller = Caller::new(pin, exporter);
    while !shared.stopping.load(Ordering::SeqCst) {
        stream.sock.until = Instant::now() + IDLE_MAX;
        let (reply, last) = match read_body(&mut stream, FRAME_MAX) {
            Ok(body) => {
                let now = shared.now();
                let mut gate = shared.gate();
                // Paired anew since: this one must shake hands again, and may be refused there.
                if !gate.hears(&caller, now).is_ok_and(|hears| hears) {
                    break;
                }
                (gate.answer(&mut caller, &body, now), false)
            }
            Err(error @ (FrameError::TooLong(_) | FrameError::Malformed)) => {
                tracing::warn!(%error, "refused");
                (Reply::Refused(Refusal::Malformed), true)
            }
            Err(FrameError::Closed | FrameError::Io(_)) => break,
        };
        stream.sock.until = Instant::now() + REPLY_WITHIN;
        if write_body(&mut stream, &encode(&reply), REPLY_MAX).is_err() || last {
            break;
        }
    }
    say_goodbye(&mut stream);
}

fn shake_hands(shared: &Shared, socket: TcpStream) -> Option<StreamOwned<ServerConnection, Timed>> {
    let config = {
        let gate = shared.gate();
        let peer = gate.expects(shared.now()).ok()?;
        tls::server_config(gate.keys(), peer).ok()?
    };
    socket.set_nodelay(true).ok()?;
    let session = ServerConnection::new(config).ok()?;
    let mut stream = StreamOwned::new(session, Timed { socket, until: Instant::now() + HANDSHAKE_MAX });
    while stream.conn.is_handshaking() {
        if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
            tracing::warn!(%error, "a connection was refused");
            drain(&mut stream);
            return None;
        }
    }
    // The last flight of the handshake may still be waiting.
    stream
        .conn
        .complete_io(&mut stream.sock)
        .map_or(None, |_| Some(stream))
        .filter(|s| s.conn.alpn_protocol().is_some())
}

/// Lets a refused peer read the reason: closing with unread bytes would reset the connection before the alert arrives.
fn drain(stream: &mut StreamOwned<ServerConnection, Timed>) {
    stream.sock.until = Instant::now() + DRAIN_MAX;
    while stream.conn.wants_write() {
        if stream.conn.write_tls(&mut stream.sock).is_err() {
            return;
        }
    }
    let _ = stream.sock.socket.shutdown(Shutdown::Write);
    let mut unread = [0u8; 1024];
    for _ in 0..64 {
        match stream.sock.read(&mut unread) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn say_goodbye(stream: &mut StreamOwned<ServerConnection, Timed>) {
    stream.conn.send_close_notify();
    drain(stream);
}

fn peer_pin(session: &ServerConnection) -> Option<[u8; 32]> {
    spki_fingerprint(session.peer_certificates()?.first()?)
}

/// A socket that fails with `TimedOut` once an instant has passed.
struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> std::io::Result<Duration> {
        let left = self.until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        left.ok_or_else(|| ErrorKind::TimedOut.into())
    }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(bytes)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.socket.flush()
    }
}
