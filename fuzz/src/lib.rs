//! What all targets share: an allocator that knows the largest single reservation, so that "no allocation without a bound" is checked too.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Watched;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only a number is kept beside it.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Runs `read` and fails when one reservation was larger than `bound` bytes.
pub fn within<T>(bound: usize, read: impl FnOnce() -> T) -> T {
    LARGEST.store(0, Ordering::Relaxed);
    let answer = read();
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest <= bound, "a reservation of {largest} bytes, bound {bound}");
    answer
}

/// Room for what is read out of `input`: a few times its own length, and a page or two for tables.
pub fn room_for(input: &[u8]) -> usize {
    16 * 1024 + 64 * input.len()
}
