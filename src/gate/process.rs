//! What the daemon asks of the operating system: no memory dumps, and a signal that stops it in order.

use std::sync::mpsc;

/// Keeps templates and keys out of core dumps and away from debuggers of the same user. Best effort: the service unit
/// says it too.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(super) fn keep_memory_private() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls take plain values; the pointer is to a live local and is only read.
    let done = unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) == 0 && libc::prctl(libc::PR_SET_DUMPABLE, 0) == 0 };
    if !done {
        tracing::warn!("memory dumps could not be switched off");
    }
}

/// Nothing to ask for on other systems.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_memory_private() {}

/// Sends `None` when SIGTERM or SIGINT arrives. Must be called before any other thread starts: they inherit the
/// blocked signals.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(super) fn stop_on_signal(stop: mpsc::Sender<Option<String>>) {
    // SAFETY: a zeroed signal set is valid to initialise, and every pointer is to it.
    let set = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGTERM);
        libc::sigaddset(&mut set, libc::SIGINT);
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        set
    };
    std::thread::spawn(move || {
        let mut signal = 0;
        // SAFETY: both pointers are to live locals.
        if unsafe { libc::sigwait(&set, &mut signal) } == 0 {
            let _ = stop.send(None);
        }
    });
}

/// Other systems end the process; every answered operation is durable.
#[cfg(not(target_os = "linux"))]
pub(super) fn stop_on_signal(stop: mpsc::Sender<Option<String>>) {
    std::mem::forget(stop);
}
