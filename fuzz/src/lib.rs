//! What all targets share: an allocator that knows how much is held at most, so that "no allocation without a bound" is checked too: one that is
//! too large as well as many small ones.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Watched;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn taken(size: usize) {
    MOST.fetch_max(HELD.fetch_add(size, Ordering::Relaxed) + size, Ordering::Relaxed);
}

fn given_back(size: usize) {
    HELD.fetch_sub(size, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged; only numbers are kept beside it.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        given_back(layout.size());
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both are there while the one is copied into the other.
        taken(size);
        given_back(layout.size());
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Runs `read` and fails when it held more than `bound` bytes at a time, in however many pieces.
pub fn within<T>(bound: usize, read: impl FnOnce() -> T) -> T {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let answer = read();
    let most = MOST.load(Ordering::Relaxed).saturating_sub(before);
    assert!(most <= bound, "{most} bytes held at a time, bound {bound}");
    answer
}

/// Room for what is read out of `input`: a few times its own length, and a page or two for tables.
pub fn room_for(input: &[u8]) -> usize {
    16 * 1024 + 64 * input.len()
}
