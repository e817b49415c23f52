//! What is left of templates in a decrypted file and its write-ahead log, free pages and all, without knowing whose: a template is a row of small numbers (128 of 32 bits,
//! all between -1 and 1), and nothing else that desk and gates keep looks like that.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use menka::domain::Realm;
use menka::gate::place::Place;
use menka::gate::store::Store;

/// Numbers in a row that are taken for a remainder: 96 bytes. By chance, in bytes that are keys or digests, one in 10^25.
const RUN_MIN: usize = 24;

/// Remainders of templates in a gate's file, free pages and every frame of its write-ahead log too, besides those it may hold.
pub fn at_gate(folder: &Path, store: &Store) -> Result<usize, String> {
    let held = store.live_faces().map_err(|error| error.to_string())?;
    let known: Vec<Vec<u8>> =
        held.iter().map(|one| one.face.expose().iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let mut pages = store.decrypted_pages();
    let seen = remains(&pages).len();
    if take_out(&mut pages, &known) < known.len() || seen < known.len() {
        return Err("the search for templates does not find those that are there".into());
    }
    let mut found = remains(&pages).len();
    for mut pages in logged_pages(folder)? {
        take_out(&mut pages, &known);
        found += remains(&pages).len();
    }
    Ok(found)
}

/// What a gate's file was like at each stage that its write-ahead log still has frames of, decrypted.
fn logged_pages(folder: &Path) -> Result<Vec<Vec<u8>>, String> {
    let mut why = String::new();
    for _ in 0..5 {
        let scratch = tempfile::tempdir().map_err(|e| e.to_string())?;
        match stages(folder, "gate.db", scratch.path(), &["gate.key", "gate.secret"], |folder| {
            let store = Place::new(folder, None).open_beside(Realm::Practice).map_err(|e| e.to_string())?;
            Ok(store.decrypted_pages())
        }) {
            Ok(stages) => return Ok(stages),
            // The gate lives, and may have been writing.
            Err(error) => why = error,
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Err(format!("the log cannot be searched: {why}"))
}

/// Takes every copy of what may be there out of the pages. Returns how many there were.
fn take_out(pages: &mut [u8], known: &[Vec<u8>]) -> usize {
    let mut taken = 0;
    for template in known {
        let mut from = 0;
        while let Some(at) = find(&pages[from..], template) {
            let start = from + at;
            pages[start..start + template.len()].fill(0);
            (taken, from) = (taken + 1, start + template.len());
        }
    }
    taken
}

/// Where remainders of templates lie.
pub fn remains(pages: &[u8]) -> Vec<usize> {
    let mut found = vec![];
    for offset in 0..4 {
        let mut run = 0;
        for (number, bytes) in pages[offset.min(pages.len())..].chunks_exact(4).enumerate() {
            let value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).abs();
            run = if (1e-7..1.0).contains(&value) { run + 1 } else { 0 };
            if run == RUN_MIN {
                found.push(offset + (number + 1 - RUN_MIN) * 4);
            }
        }
    }
    found
}

/// A sealed SQLite file as it was at each stage of which its write-ahead log still has frames, of an earlier round of the log too: copies of the file
/// with the pages of the log laid over it, the oldest of each page first, opened by `open` in `scratch` with `beside` copied there.
///
/// The layout of the log is SQLite's (<https://www.sqlite.org/fileformat2.html#walformat>): a header of 32 bytes with the size of a page at 8, then
/// frames of 24 bytes, the number of the page first, and the page.
fn stages(
    folder: &Path,
    file: &str,
    scratch: &Path,
    beside: &[&str],
    open: impl Fn(&Path) -> Result<Vec<u8>, String>,
) -> Result<Vec<Vec<u8>>, String> {
    let read = |name: &str| std::fs::read(folder.join(name)).map_err(|e| format!("{name}: {e}"));
    let (base, log) = (read(file)?, read(&format!("{file}-wal"))?);
    let Some(header) = log.get(..32) else { return Ok(vec![]) };
    let size = u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize;
    let mut versions: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
    for frame in log[32..].chunks_exact(24 + size) {
        let number = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
        versions.entry(number).or_default().push(&frame[24..]);
    }
    for name in beside {
        std::fs::copy(folder.join(name), scratch.join(name)).map_err(|e| format!("{name}: {e}"))?;
    }
    let depth = versions.values().map(Vec::len).max().unwrap_or(0);
    let mut all = vec![];
    for stage in 0..depth {
        let mut image = base.clone();
        for (number, pages) in &versions {
            let start = number.checked_sub(1).ok_or("a page without a number")? * size;
            // The first page says how long the file is: its newest, so that none is passed over. No template lies there.
            let at = if *number == 1 { pages.len() - 1 } else { stage.min(pages.len() - 1) };
            image.resize(image.len().max(start + size), 0);
            image[start..start + size].copy_from_slice(pages[at]);
        }
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(scratch.join(format!("{file}{ending}")));
        }
        std::fs::write(scratch.join(file), image).map_err(|e| e.to_string())?;
        let pages = open(scratch)?;
        if pages.len() < base.len() {
            return Err(format!("stage {stage} of {depth} does not open"));
        }
        all.push(pages);
    }
    Ok(all)
}

fn find(pages: &[u8], what: &[u8]) -> Option<usize> {
    let first = what.first()?;
    let mut from = 0;
    while let Some(at) = pages[from..].iter().position(|byte| byte == first) {
        if pages[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
