//! Keys rest in a few pages that the operating system is asked never to write to swap and to leave out of core dumps.
//!
//! Where it refuses, keys rest there all the same, and [`memory`] says so. The bytes are overwritten when a key goes.

use std::alloc::{Layout, alloc_zeroed};
use std::ptr::NonNull;
use std::sync::{Mutex, OnceLock, PoisonError};

use zeroize::Zeroize;

/// Bytes of a key.
const KEY: usize = 32;
/// Most keys that rest in the pages at once; what is more rests in ordinary memory.
const CELLS: usize = 1024;
const PAGE: usize = 4096;

/// 32 bytes in a locked page. Wiped when dropped; deliberately without `Clone` and `Debug`.
pub struct LockedKey {
    at: NonNull<[u8; KEY]>,
    /// Which cell; `None` for ordinary memory.
    cell: Option<usize>,
}

struct Pages {
    start: usize,
    state: Memory,
    taken: Mutex<[bool; CELLS]>,
}

/// How well the memory with keys is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Neither swapped nor dumped.
    Locked,
    /// The operating system did not lock it: it may be written to swap.
    MayBeSwapped,
    /// It may stand in a core dump.
    MayBeDumped,
    /// Not asked on this system.
    Unverified,
}

static PAGES: OnceLock<Option<Pages>> = OnceLock::new();

impl LockedKey {
    /// A copy of these bytes.
    #[allow(unsafe_code)]
    pub fn copy_of(bytes: &[u8; KEY]) -> Self {
        let mut made = Self::place();
        // SAFETY: the place is ours alone until this value is dropped, is aligned for bytes and has 32 of them.
        unsafe { made.at.as_mut() }.copy_from_slice(bytes);
        made
    }

    /// The bytes.
    #[allow(unsafe_code)]
    pub fn expose(&self) -> &[u8; KEY] {
        // SAFETY: initialised by `copy_of`, and nobody else has the place while this value lives.
        unsafe { self.at.as_ref() }
    }

    #[allow(unsafe_code)]
    fn place() -> Self {
        if let Some(pages) = pages() {
            let mut taken = pages.taken.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(cell) = taken.iter().position(|taken| !taken) {
                let at = (pages.start + cell * KEY) as *mut [u8; KEY];
                if let Some(at) = NonNull::new(at) {
                    taken[cell] = true;
                    return Self { at, cell: Some(cell) };
                }
            }
        }
        Self { at: NonNull::from(Box::leak(Box::new([0; KEY]))), cell: None }
    }
}

impl Drop for LockedKey {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: as in `copy_of`.
        unsafe { self.at.as_mut() }.zeroize();
        match (self.cell, pages()) {
            (Some(cell), Some(pages)) => pages.taken.lock().unwrap_or_else(PoisonError::into_inner)[cell] = false,
            // SAFETY: a place without a cell was made by `Box::leak` and is given back once.
            _ => drop(unsafe { Box::from_raw(self.at.as_ptr()) }),
        }
    }
}

// SAFETY: the place belongs to this value alone, and is written only while it is made and dropped.
#[allow(unsafe_code)]
unsafe impl Send for LockedKey {}
// SAFETY: shared references only read.
#[allow(unsafe_code)]
unsafe impl Sync for LockedKey {}

/// How well the memory with keys is kept. Asks for the pages when nobody has yet.
pub fn memory() -> Memory {
    pages().map_or(Memory::MayBeSwapped, |pages| pages.state)
}

#[allow(unsafe_code)]
fn pages() -> Option<&'static Pages> {
    let made = PAGES.get_or_init(|| {
        let layout = Layout::from_size_align(CELLS * KEY, PAGE).ok()?;
        // SAFETY: the layout is not empty. The pages are never given back: keys of the whole program rest in them.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        let state = lock(start, layout.size());
        Some(Pages { start: start.as_ptr() as usize, state, taken: Mutex::new([false; CELLS]) })
    });
    made.as_ref()
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn lock(start: NonNull<u8>, length: usize) -> Memory {
    let at = start.as_ptr().cast();
    // SAFETY: whole pages that were just reserved by us; neither call changes what is in them.
    let (locked, left_out) =
        unsafe { (libc::mlock(at, length) == 0, libc::madvise(at, length, libc::MADV_DONTDUMP) == 0) };
    match (locked, left_out) {
        (true, true) => Memory::Locked,
        (false, _) => Memory::MayBeSwapped,
        (true, false) => Memory::MayBeDumped,
    }
}

#[cfg(not(target_os = "linux"))]
fn lock(_start: NonNull<u8>, _length: usize) -> Memory {
    Memory::Unverified
}

/// Switches core dumps of this process off, and keeps other programs of the same user from reading its memory. Called once,
/// before anything else.
///
/// A limit of one byte, not none: a dump that the system pipes to a collecting program is refused by that value only.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub fn keep_process_private() -> bool {
    let one = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
    // SAFETY: both calls take plain values; the pointer is to a live local and is only read.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const one) == 0 && libc::prctl(libc::PR_SET_DUMPABLE, 0) == 0 }
}

/// Not asked on other systems.
#[cfg(not(target_os = "linux"))]
pub fn keep_process_private() -> bool {
    false
}

/// Whether core dumps of this process are off, as the operating system says it now.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub fn is_process_private() -> bool {
    let mut limit = libc::rlimit { rlim_cur: 2, rlim_max: 2 };
    // SAFETY: the first call writes into a live local of the right type; the second one takes plain values.
    unsafe {
        libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) == 0
            && limit.rlim_cur <= 1
            && libc::prctl(libc::PR_GET_DUMPABLE) == 0
    }
}

/// Unknown on other systems, which counts as not.
#[cfg(not(target_os = "linux"))]
pub fn is_process_private() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_goes_leaves_zeros_and_its_cell_to_the_next_one() {
        let key = LockedKey::copy_of(&[0xB7; KEY]);
        let at = key.at.as_ptr() as usize;
        assert_eq!((key.expose(), key.cell.is_some()), (&[0xB7; KEY], true));
        drop(key);
        let pages = pages().map(|pages| pages.start..pages.start + CELLS * KEY);
        assert!(pages.is_some_and(|pages| pages.contains(&at)));
        // More keys than there are cells: every one is itself.
        let many: Vec<LockedKey> =
            (0..CELLS + 10).map(|n| LockedKey::copy_of(&[u8::try_from(n % 251).unwrap_or(0); KEY])).collect();
        for (n, key) in many.iter().enumerate() {
            assert_eq!(usize::from(key.expose()[7]), n % 251);
        }
        assert!(many.iter().any(|key| key.cell.is_none()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_pages_with_keys_are_locked_and_left_out_of_dumps_as_the_kernel_says() {
        let key = LockedKey::copy_of(&[1; KEY]);
        let at = key.at.as_ptr() as usize;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        let holds = |line: &str| {
            let (from, to) = line.split_whitespace().next()?.split_once('-')?;
            let (from, to) = (usize::from_str_radix(from, 16).ok()?, usize::from_str_radix(to, 16).ok()?);
            Some((from..to).contains(&at))
        };
        let mut lines = maps.lines().skip_while(|line| holds(line) != Some(true));
        let flags = lines.find(|line| line.starts_with("VmFlags:")).unwrap_or_default();
        let told = memory();
        assert_eq!(told == Memory::Locked, flags.contains(" lo") && flags.contains(" dd"), "{told:?}: {flags}");
    }
}
