//! What the daemon asks of the operating system: no memory dumps, and a signal that stops it in order.

use std::sync::mpsc;

/// Keeps templates and keys out of core dumps and away from debuggers of the same user. Best effort: the service unit
/// says it too.
pub(super) fn keep_memory_private() {
    if !crate::secret::keep_process_private() {
        tracing::warn!("memory dumps could not be switched off");
    }
}

/// Where the signal handler writes.
#[cfg(target_os = "linux")]
static BELL: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(-1);

/// Rings the bell. Only what a signal handler may do: one atomic load and one write.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
extern "C" fn ring(_signal: libc::c_int) {
    let bell = BELL.load(std::sync::atomic::Ordering::Relaxed);
    // SAFETY: `write` is async-signal-safe; the pointer is to a static byte.
    unsafe { libc::write(bell, b"!".as_ptr().cast(), 1) };
}

/// Sends `None` when SIGTERM or SIGINT arrives. A handler rather than a blocked signal: a linked library may have threads of its own that were
/// started before `main` and block nothing.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(super) fn stop_on_signal(stop: mpsc::Sender<Option<String>>) {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for the two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return tracing::warn!("signals end this gate at once");
    }
    BELL.store(ends[1], std::sync::atomic::Ordering::Relaxed);
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler is a plain function that stays, and does only what a handler may.
        unsafe { libc::signal(signal, ring as *const () as libc::sighandler_t) };
    }
    std::thread::spawn(move || {
        let mut byte = 0u8;
        // SAFETY: one byte of room; the descriptor is this function's own and stays open.
        while unsafe { libc::read(ends[0], std::ptr::from_mut(&mut byte).cast(), 1) } < 1 {}
        let _ = stop.send(None);
    });
}

/// Other systems end the process; every answered operation is durable.
#[cfg(not(target_os = "linux"))]
pub(super) fn stop_on_signal(stop: mpsc::Sender<Option<String>>) {
    std::mem::forget(stop);
}
