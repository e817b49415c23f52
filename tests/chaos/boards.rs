//! A card board in software (`menka-gate --practice-board`), a process of its own, behind a proxy that loses, doubles, holds back and reorders
//! datagrams. A board signs nothing and its wire has no numbers, so what is asked of the desk is: what was read back is so, and what an old
//! datagram changes behind its back is found and put right.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use menka::domain::board::CardFormat;
use menka::domain::card::CardUid;

use super::acts::Act;
use super::control::Fault;
use super::desk::Said;
use super::gate_program;
use super::kills::{self, Dose, Where};
use super::report::{Break, Report};
use super::world::World;

/// What happens to the n-th datagram, in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdpFault {
    /// It does not arrive.
    Lost,
    /// It arrives twice.
    Twice,
    /// It arrives after the desk has asked again.
    Late,
    /// It arrives after the next one of its direction.
    Swapped,
    /// It arrives when the question is long over.
    Old,
}

impl UdpFault {
    pub const ALL: [Self; 5] = [Self::Lost, Self::Twice, Self::Late, Self::Swapped, Self::Old];
}

/// More than the desk waits before it asks again, less than it waits for an answer (`menka::boards`).
const LATE: Duration = Duration::from_millis(400);
/// More than it waits for an answer.
const OLD: Duration = Duration::from_millis(1_300);
/// Longest wait of the proxy for an answer of the board.
const ANSWER_MAX: Duration = Duration::from_secs(3);

type Sending = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Plan {
    fault: Option<(UdpFault, u64)>,
    /// Every datagram with this function code towards the board is kept, once.
    keep: Option<u8>,
    kept: Option<Sending>,
    seen: u64,
    fired: bool,
    held: [Option<Sending>; 2],
}

/// The board and the proxy before it. Both end when dropped.
pub struct Board {
    child: Child,
    said: BufReader<ChildStdout>,
    /// Where the desk finds it.
    pub address: String,
    plan: Arc<Mutex<Plan>>,
    over: Arc<AtomicBool>,
}

impl Board {
    pub fn start() -> Self {
        let mut child = Command::new(gate_program())
            .args(["--practice-board", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a board starts");
        let mut said = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        said.read_line(&mut line).expect("a board says where it is");
        let board: SocketAddr = line.trim().strip_prefix("listening: ").and_then(|at| at.parse().ok()).expect("where");
        let front = UdpSocket::bind("127.0.0.1:0").expect("a port");
        front.set_read_timeout(Some(Duration::from_millis(100))).expect("a limit");
        let address = front.local_addr().expect("a port").to_string();
        let (plan, over) = (Arc::<Mutex<Plan>>::default(), Arc::new(AtomicBool::new(false)));
        let (inner, ends) = (Arc::clone(&plan), Arc::clone(&over));
        std::thread::spawn(move || serve(&Arc::new(front), board, &inner, &ends));
        Self { child, said, address, plan, over }
    }

    fn tell(&mut self, line: &str) -> String {
        let mut answer = String::new();
        let input = self.child.stdin.as_mut().expect("piped");
        let told = writeln!(input, "{line}").and_then(|()| input.flush());
        told.and_then(|()| self.said.read_line(&mut answer).map(drop)).expect("the board is there");
        answer.trim().to_owned()
    }

    /// Holds a card to the reader of its first door.
    pub fn opens_for(&mut self, uid: &CardUid) -> bool {
        let number = CardFormat::Wiegand34.number(uid).expect("a number").get();
        self.tell(&format!("swipe {number} 1")) == "opens"
    }

    /// Cards that it holds.
    pub fn cards(&mut self) -> usize {
        self.tell("cards").parse().unwrap_or(usize::MAX)
    }

    /// The fault happens to the `at`-th datagram from now on.
    pub fn arm(&self, fault: UdpFault, at: u64) {
        *lock(&self.plan) = Plan { fault: Some((fault, at)), ..Plan::default() };
    }

    /// No fault. How many datagrams there were, and whether it happened; what was held arrives.
    pub fn disarm(&self) -> (u64, bool) {
        let plan = std::mem::take(&mut *lock(&self.plan));
        plan.held.into_iter().flatten().for_each(|send| send());
        (plan.seen, plan.fired)
    }

    /// The next datagram to the board with this function code is kept until [`Self::let_go`].
    fn keep(&self, code: u8) {
        *lock(&self.plan) = Plan { keep: Some(code), ..Plan::default() };
    }

    /// The kept datagram arrives. Whether there was one.
    fn let_go(&self) -> bool {
        let kept = std::mem::take(&mut *lock(&self.plan)).kept;
        kept.map(|send| send()).is_some()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Carries questions from the desk; each peer of it has a way of its own to the board.
fn serve(front: &Arc<UdpSocket>, board: SocketAddr, plan: &Arc<Mutex<Plan>>, over: &AtomicBool) {
    // A port that comes again much later belongs to another question.
    let mut ways: BTreeMap<SocketAddr, (Arc<UdpSocket>, Instant)> = BTreeMap::new();
    let mut bytes = [0u8; 2_048];
    while !over.load(Ordering::SeqCst) {
        let Ok((length, peer)) = front.recv_from(&mut bytes) else { continue };
        ways.retain(|_, (_, since)| since.elapsed() < ANSWER_MAX / 2);
        let (way, _) = ways.entry(peer).or_insert_with(|| {
            let way = UdpSocket::bind("127.0.0.1:0").and_then(|way| way.connect(board).map(|()| way));
            let way = Arc::new(way.expect("a way to the board"));
            let (back, front, plan) = (Arc::clone(&way), Arc::clone(front), Arc::clone(plan));
            std::thread::spawn(move || answers(&back, &front, peer, &plan));
            (way, Instant::now())
        });
        let (way, datagram) = (Arc::clone(way), bytes[..length].to_vec());
        let code = datagram.get(1).copied();
        carry(plan, 0, code, Arc::new(move || drop(way.send(&datagram))));
    }
}

fn answers(back: &UdpSocket, front: &Arc<UdpSocket>, peer: SocketAddr, plan: &Arc<Mutex<Plan>>) {
    let mut bytes = [0u8; 2_048];
    let _ = back.set_read_timeout(Some(ANSWER_MAX));
    while let Ok(length) = back.recv(&mut bytes) {
        let (front, datagram) = (Arc::clone(front), bytes[..length].to_vec());
        carry(plan, 1, None, Arc::new(move || drop(front.send_to(&datagram, peer))));
    }
}

fn carry(plan: &Mutex<Plan>, direction: usize, code: Option<u8>, send: Arc<dyn Fn() + Send + Sync>) {
    let mut state = lock(plan);
    if code.is_some() && state.keep == code {
        state.keep = None;
        state.kept = Some(Box::new(move || send()));
        return;
    }
    state.seen += 1;
    let due = state.fault.filter(|(_, at)| !state.fired && state.seen == *at).map(|(fault, _)| fault);
    state.fired |= due.is_some();
    let held = state.held[direction].take();
    let later = |wait: Duration, send: Arc<dyn Fn() + Send + Sync>| {
        std::thread::spawn(move || {
            std::thread::sleep(wait);
            send();
        });
    };
    match due {
        None => send(),
        Some(UdpFault::Lost) => {}
        Some(UdpFault::Twice) => {
            send();
            send();
        }
        Some(UdpFault::Late) => later(LATE, send),
        Some(UdpFault::Old) => later(OLD, send),
        Some(UdpFault::Swapped) => {
            state.held[direction] = Some(Box::new(move || send()));
        }
    }
    if let Some(held) = held {
        held();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shown name of the board's door.
const DOOR: &str = "地库门";
/// What reaches a board.
const ACTS: [&str; 3] = ["issue a card", "deliver a card", "take a card back"];

/// A site that has a board and no other gate.
fn site<'a>(report: &'a Report, library: &Path, section: &str) -> World<'a> {
    let mut world = World::new(report, library, section, 0, false);
    let board = Board::start();
    world.must(&format!("board {DOOR} {}", board.address));
    world.boards.push(board);
    world.must("settle 20");
    world
}

/// The desk killed, and with a bad disk, at every `stride`-th write while a card goes to a board and is taken from it.
pub fn kills(report: &Report, library: &Path, dose: Dose) {
    for (faults, section) in
        [(&Fault::KILLS[..], "board: desk killed"), (&Fault::ERRORS, "board: desk with a bad disk")]
    {
        for name in ACTS {
            let mut world = site(report, library, section);
            kills::sweep(&mut world, Act::named(name), Where::Desk, faults, dose);
        }
    }
}

/// Every fault at every `stride`-th datagram.
pub fn net(report: &Report, library: &Path, stride: u64) {
    let section = "board: datagrams";
    for name in &ACTS[1..] {
        let (act, start) = (Act::named(name), Instant::now());
        let mut world = site(report, library, section);
        let datagrams = datagrams_of(&mut world, act);
        let (mut at, mut tried) = (1, 0);
        while at <= datagrams {
            for fault in UdpFault::ALL {
                let person = act.prepare(&mut world);
                let line = act.line_for(&world, person);
                world.desk();
                world.boards[0].arm(fault, at);
                let said = world.ask(&line);
                let (_, fired) = world.boards[0].disarm();
                tried += 1;
                report.tried(section);
                if fired {
                    report.fault(section);
                }
                if said == Said::Dead || !fired && !said.is_ok() {
                    report.broke(Break::Unsound, &format!("{section}: {name}: {fault:?} at {at}: {said:?}"));
                }
                act.note(&mut world, person, &said);
                if fault == UdpFault::Old {
                    // It changed nothing, or the next comparison finds what it changed.
                    std::thread::sleep(OLD);
                }
                world.must("settle 60");
                world.check(person);
                act.finish(&mut world, person);
            }
            at += stride;
        }
        world.check_all();
        report.stride(&format!("{section}: {name}"), stride, "datagram");
        println!("{section}: {name}: {datagrams} datagrams, {tried} times, {} s", start.elapsed().as_secs());
    }
    old_word(report, library);
}

/// How many datagrams an undisturbed act takes. The more cards a board holds, the more of them read its list.
fn datagrams_of(world: &mut World<'_>, act: Act) -> u64 {
    let person = act.prepare(world);
    let line = act.line_for(world, person);
    world.desk();
    world.boards[0].arm(UdpFault::Lost, u64::MAX);
    let said = world.ask(&line);
    act.note(world, person, &said);
    world.boards[0].disarm().0
}

/// The datagram that puts a card arrives after the card was taken away again: nobody can keep that from happening on such a wire, so the desk
/// must find it, say it, and put it right.
fn old_word(report: &Report, library: &Path) {
    const PUT: u8 = 0x50;
    let section = "board: an old datagram";
    let mut world = site(report, library, section);
    for _ in 0..3 {
        let act = Act::named("deliver a card");
        let person = act.prepare(&mut world);
        world.desk();
        world.boards[0].keep(PUT);
        world.must(&act.line_for(&world, person));
        world.check(person);
        let line = Act::named("end everything").line_for(&world, person);
        world.must(&line);
        world.people[person].card = super::world::Known::No;
        world.must("settle 20");
        world.check(person);
        if !world.boards[0].let_go() {
            report.broke(Break::Unsound, &format!("{section}: nothing was kept"));
        }
        report.fault(section);
        report.tried(section);
        world.must(&format!("drifts {DOOR}"));
        world.must(&format!("repair {DOOR}"));
        world.check(person);
    }
    world.check_all();
    println!("{section}: 3 times");
}
