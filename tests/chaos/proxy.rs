//! A proxy between the desk and one gate that reads TLS records (it cannot read what is in them) and does one fault at the n-th of them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What happens to the n-th record, in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetFault {
    /// Both ends are reset before it.
    ResetBefore,
    /// Both ends are reset after half of it.
    ResetMid,
    /// Both ends are reset right after it.
    ResetAfter,
    /// It is lost, and whatever comes later on this connection.
    HalfOpen,
    /// It arrives later than the other side waits.
    Late,
    /// It arrives within the time, but late.
    Jitter,
    /// It is lost, and later ones arrive.
    Lost,
    /// It arrives twice.
    Twice,
    /// One bit of it is another.
    Flipped,
    /// It arrives after the next one.
    Swapped,
    /// It arrives in many small pieces.
    Chopped,
    /// All that the desk has said so far is said again over a second connection.
    SecondConnection,
}

impl NetFault {
    pub const ALL: [Self; 12] = [
        Self::ResetBefore,
        Self::ResetMid,
        Self::ResetAfter,
        Self::HalfOpen,
        Self::Late,
        Self::Jitter,
        Self::Lost,
        Self::Twice,
        Self::Flipped,
        Self::Swapped,
        Self::Chopped,
        Self::SecondConnection,
    ];
    /// Their names.
    pub fn names(faults: &[Self]) -> String {
        faults.iter().map(|fault| format!("{fault:?}")).collect::<Vec<_>>().join(", ")
    }

    /// Those that somebody must wait for.
    pub const SLOW: [Self; 7] =
        [Self::HalfOpen, Self::Late, Self::Jitter, Self::Lost, Self::Twice, Self::Flipped, Self::Swapped];
    /// Those that cost no waiting.
    pub const QUICK: [Self; 5] =
        [Self::ResetBefore, Self::ResetMid, Self::ResetAfter, Self::Chopped, Self::SecondConnection];
}

#[derive(Default)]
struct Plan {
    fault: Option<(NetFault, u64)>,
    seen: u64,
    fired: bool,
}

struct Shared {
    gate: Mutex<SocketAddr>,
    plan: Mutex<Plan>,
    open: Mutex<Vec<TcpStream>>,
    /// Grows when every connection is cut, so that a silent one ends too.
    round: AtomicU64,
    over: AtomicBool,
}

/// The proxy. Ends when dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    pub address: String,
}

/// How long the desk waits for an answer, and some more.
const LATER_THAN_WAITED: Duration = Duration::from_millis(3_400);
const JITTER: Duration = Duration::from_millis(350);

impl Proxy {
    pub fn start(gate: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a port").to_string();
        let shared = Arc::new(Shared {
            gate: Mutex::new(gate.parse().expect("an address")),
            plan: Mutex::default(),
            open: Mutex::default(),
            round: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        let inner = Arc::clone(&shared);
        std::thread::spawn(move || {
            for desk in listener.incoming().flatten() {
                if inner.over.load(Ordering::SeqCst) {
                    return;
                }
                inner.join(desk);
            }
        });
        Self { shared, address }
    }

    /// The gate listens somewhere else now.
    pub fn lead_to(&self, gate: &str) {
        *lock(&self.shared.gate) = gate.parse().expect("an address");
    }

    /// The fault happens to the `at`-th record from now on, on new connections.
    pub fn arm(&self, fault: NetFault, at: u64) {
        self.cut_all();
        *lock(&self.shared.plan) = Plan { fault: Some((fault, at)), ..Plan::default() };
    }

    /// No fault. Returns the number of records since it was armed, and whether the fault happened.
    pub fn disarm(&self) -> (u64, bool) {
        let mut plan = lock(&self.shared.plan);
        plan.fault = None;
        (plan.seen, plan.fired)
    }

    /// Counts records on new connections.
    pub fn count(&self) {
        self.cut_all();
        *lock(&self.shared.plan) = Plan::default();
    }

    /// Ends every connection.
    pub fn cut_all(&self) {
        self.shared.round.fetch_add(1, Ordering::SeqCst);
        for socket in lock(&self.shared.open).drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.cut_all();
        let _ = TcpStream::connect(&self.address);
    }
}

impl Shared {
    fn join(self: &Arc<Self>, desk: TcpStream) {
        let limit = Duration::from_millis(500);
        // A gate that is down: the desk sees a connection that closes, as with a door controller whose program restarts.
        let Ok(gate) = TcpStream::connect_timeout(&lock(&self.gate), limit) else { return };
        let _ = (desk.set_nodelay(true), gate.set_nodelay(true));
        let pair = |from: &TcpStream, to: &TcpStream| Some((from.try_clone().ok()?, to.try_clone().ok()?));
        let (Some(up), Some(down)) = (pair(&desk, &gate), pair(&gate, &desk)) else { return };
        lock(&self.open).extend([desk, gate]);
        let round = self.round.load(Ordering::SeqCst);
        let silent = Arc::new(AtomicBool::new(false));
        for (sockets, from_desk) in [(up, true), (down, false)] {
            let (shared, silent) = (Arc::clone(self), Arc::clone(&silent));
            std::thread::spawn(move || shared.carry(sockets, from_desk, &silent, round));
        }
    }

    fn carry(&self, (mut from, mut to): (TcpStream, TcpStream), from_desk: bool, silent: &AtomicBool, round: u64) {
        let (mut said, mut held) = (vec![], None::<Vec<u8>>);
        while let Some(record) = read_record(&mut from) {
            if silent.load(Ordering::SeqCst) {
                continue;
            }
            if from_desk {
                said.extend_from_slice(&record);
            }
            let fault = self.due();
            let sent = match fault {
                None => to.write_all(&record).and_then(|()| held.take().map_or(Ok(()), |late| to.write_all(&late))),
                Some(NetFault::Swapped) => {
                    held = Some(record);
                    continue;
                }
                Some(NetFault::Chopped) => record.chunks(record.len().div_ceil(20)).try_for_each(|piece| {
                    std::thread::sleep(Duration::from_millis(2));
                    to.write_all(piece)
                }),
                Some(NetFault::ResetBefore) => return reset(&from, &to),
                Some(NetFault::ResetMid) => {
                    let _ = to.write_all(&record[..record.len() / 2]);
                    return reset(&from, &to);
                }
                Some(NetFault::ResetAfter) => {
                    let _ = to.write_all(&record);
                    // The other side has it; only what it answers is lost.
                    std::thread::sleep(Duration::from_millis(60));
                    return reset(&from, &to);
                }
                Some(NetFault::HalfOpen) => {
                    silent.store(true, Ordering::SeqCst);
                    continue;
                }
                Some(NetFault::Late) => {
                    std::thread::sleep(LATER_THAN_WAITED);
                    to.write_all(&record)
                }
                Some(NetFault::Jitter) => {
                    std::thread::sleep(JITTER);
                    to.write_all(&record)
                }
                Some(NetFault::Lost) => Ok(()),
                Some(NetFault::Twice) => to.write_all(&record).and_then(|()| to.write_all(&record)),
                Some(NetFault::Flipped) => {
                    let mut other = record.clone();
                    if let Some(last) = other.last_mut() {
                        *last ^= 1;
                    }
                    to.write_all(&other)
                }
                Some(NetFault::SecondConnection) => {
                    let again = TcpStream::connect_timeout(&lock(&self.gate), Duration::from_millis(500));
                    if let Ok(mut again) = again {
                        let _ = again.write_all(&said);
                        lock(&self.open).push(again);
                    }
                    to.write_all(&record)
                }
            };
            if sent.is_err() || self.round.load(Ordering::SeqCst) != round {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Read), to.shutdown(Shutdown::Write));
    }

    fn due(&self) -> Option<NetFault> {
        let mut plan = lock(&self.plan);
        plan.seen += 1;
        let (fault, at) = plan.fault?;
        if plan.fired || plan.seen != at {
            return None;
        }
        plan.fired = true;
        Some(fault)
    }
}

fn read_record(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut record = vec![0; 5];
    from.read_exact(&mut record).ok()?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    from.read_exact(&mut record[5..]).ok()?;
    Some(record)
}

/// Both ends see a reset (RST), not an orderly end.
fn reset(from: &TcpStream, to: &TcpStream) {
    for socket in [from, to] {
        dissolve(socket);
    }
}

/// Sends RST at once, whoever else holds the socket.
#[allow(unsafe_code, reason = "std closes in order only")]
fn dissolve(socket: &TcpStream) {
    use std::os::fd::AsRawFd;
    // On Linux, connecting to an address of no family gives the connection up.
    let none = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    let size = libc::socklen_t::try_from(size_of::<libc::sockaddr>()).unwrap_or(16);
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the address is a live local of this size.
    unsafe { libc::connect(socket.as_raw_fd(), &raw const none, size) };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
