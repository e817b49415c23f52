//! Putting a whole new set of files in the place of the vault's, at once or not at all: for new master keys and for a
//! restored backup. The new set is made in a folder beside them; one small file, written last, is the moment from which
//! it counts. Whatever end comes before that moment leaves the old set; whatever end comes after is finished at the next
//! start, before anything is opened.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::database::{make_folder, sync_folder};
use super::epoch_secret;
use super::error::{EPOCH_FILE, KEYS_FILE, MAIN_FILE, SLOTS_FILE, SWAP_FILE, VaultError};
use super::slots::{read_small, write_at_once};
use super::steps;

/// Folder in which the next set is made.
pub(super) const NEXT: &str = "next";
/// Folder in which a backup is made ready, or tried out. Nothing in it ever counts.
pub(super) const SCRATCH: &str = "scratch";
/// Files of a set, in the order in which they take their place: the slots last, as at a first run.
const SET: [&str; 4] = [MAIN_FILE, KEYS_FILE, EPOCH_FILE, SLOTS_FILE];
/// Files that SQLite keeps beside a database.
pub(super) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// Largest accepted note of a swap, in bytes.
const LEN_MAX: u64 = 4096;
/// How long a set that was put aside is kept, in milliseconds: thirty days, like closed records.
pub(super) const ASIDE_MS: i64 = 30 * 86_400_000;
/// What stands in the name of a file that was put aside, before the instant.
pub(super) const ASIDE: &str = ".aside-";
/// The same of files that were there without slots when a vault was made beside them.
pub(super) const ORPHAN: &str = ".orphan-";

/// What becomes of the old set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Old {
    /// It is overwritten: everything in it is in the new one.
    Goes,
    /// It is put aside under this instant, for thirty days.
    Aside(i64),
}

#[derive(Serialize, Deserialize)]
struct Note {
    format: u32,
    old: Old,
}

/// An empty folder for a new set, for this account only.
///
/// # Errors
/// Those of the disk.
pub(super) fn fresh(dir: &Path, name: &str) -> Result<PathBuf, VaultError> {
    let place = dir.join(name);
    clear(&place)?;
    make_folder(&place)?;
    Ok(place)
}

/// Takes a folder of ours away with what is in it; the epoch secret in it is overwritten first.
///
/// # Errors
/// Those of the disk.
pub(super) fn clear(place: &Path) -> Result<(), VaultError> {
    epoch_secret::destroy(&place.join(EPOCH_FILE))?;
    match fs::remove_dir_all(place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// From here on the set in `next` counts. Everything in it must be closed and durable.
///
/// # Errors
/// Those of the disk: then the old set counts.
pub(super) fn decide(dir: &Path, old: Old) -> Result<(), VaultError> {
    for file in SET {
        fs::File::open(dir.join(NEXT).join(file))?.sync_all()?;
    }
    sync_folder(&dir.join(NEXT))?;
    sync_folder(dir)?;
    let note = Note { format: 1, old };
    let bytes = serde_json::to_vec(&note).map_err(|_| VaultError::corrupt(SWAP_FILE))?;
    write_at_once(dir, SWAP_FILE, &bytes)?;
    steps::reached("swap/decided");
    Ok(())
}

/// Whether a swap counts that waits to be finished.
pub(super) fn is_decided(dir: &Path) -> bool {
    dir.join(SWAP_FILE).exists()
}

/// Whether a swap waits to be finished, or a broken-off one to be swept up.
pub(super) fn is_unsettled(dir: &Path) -> bool {
    [SWAP_FILE, NEXT, SCRATCH].iter().any(|name| dir.join(name).exists())
}

/// Finishes a swap that counts, and sweeps up one that does not. Under the vault's lock, with no file open. Every step may
/// be done twice.
///
/// # Errors
/// Those of the disk; the next start tries again.
pub(super) fn settle(dir: &Path) -> Result<(), VaultError> {
    clear(&dir.join(SCRATCH))?;
    let next = dir.join(NEXT);
    let read = match read_small(&dir.join(SWAP_FILE), LEN_MAX) {
        Ok(None) => return clear(&next),
        Ok(Some(bytes)) => serde_json::from_slice(&bytes).ok(),
        Err(VaultError::Corrupt { .. }) => None,
        Err(error) => return Err(error),
    };
    let Some(note): Option<Note> = (match read {
        None => settle_unread(dir)?,
        read => read,
    }) else {
        return clear(&next);
    };
    for (file, step) in SET.into_iter().zip(["swap/first", "swap/second", "swap/third", "swap/fourth"]) {
        let new = next.join(file);
        if !new.exists() {
            continue;
        }
        // What SQLite keeps beside the old file must never be read together with the new one.
        for ending in BESIDE {
            let beside = dir.join(format!("{file}{ending}"));
            if beside.exists() {
                match note.old {
                    Old::Goes => fs::remove_file(&beside)?,
                    Old::Aside(at) => fs::rename(&beside, dir.join(format!("{file}{ending}{ASIDE}{at}")))?,
                }
            }
        }
        if let Old::Aside(at) = note.old
            && dir.join(file).exists()
        {
            fs::rename(dir.join(file), dir.join(format!("{file}{ASIDE}{at}")))?;
        }
        if note.old == Old::Goes && file == EPOCH_FILE {
            // Its blocks would be freed with what is in them.
            epoch_secret::destroy(&dir.join(file))?;
        }
        sync_folder(dir)?;
        fs::rename(&new, dir.join(file))?;
        sync_folder(dir)?;
        steps::reached(step);
    }
    clear(&next)?;
    steps::reached("swap/cleared");
    fs::remove_file(dir.join(SWAP_FILE))?;
    sync_folder(dir)?;
    Ok(())
}

/// What to do about a note that cannot be read: the disk's fault, or somebody's. Where nothing was moved yet the old set is whole, and counts;
/// the note is put aside. Where the change had begun it is finished, and nothing of the old set is overwritten.
fn settle_unread(dir: &Path) -> Result<Option<Note>, VaultError> {
    let path = dir.join(SWAP_FILE);
    let made = fs::metadata(&path)?.modified()?;
    let since = made.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let at = i64::try_from(since).unwrap_or(0);
    let waiting = SET.iter().filter(|file| dir.join(NEXT).join(file).exists()).count();
    let is_whole = SET.iter().all(|file| dir.join(file).exists());
    if waiting > 0 && !(is_whole && waiting == SET.len()) {
        tracing::error!("the note of a change of files cannot be read; the change had begun and is finished");
        return Ok(Some(Note { format: 1, old: Old::Aside(at) }));
    }
    tracing::error!("the note of a change of files cannot be read; nothing was changed yet, and the old files count");
    fs::rename(&path, dir.join(format!("{SWAP_FILE}{ASIDE}{at}")))?;
    sync_folder(dir)?;
    Ok(None)
}

/// Removes sets that were put aside more than thirty days ago, and files that were left without slots: what was erased by rule since is still
/// in them.
///
/// # Errors
/// Those of the disk.
pub(super) fn sweep(dir: &Path, now_ms: i64) -> Result<u32, VaultError> {
    let mut swept = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let of = |mark| name.rsplit_once(mark).and_then(|(_, at)| at.parse::<i64>().ok());
        let at = of(ASIDE).or(of(ORPHAN));
        if at.is_some_and(|at| now_ms.saturating_sub(at) >= ASIDE_MS) {
            if name.starts_with(EPOCH_FILE) {
                epoch_secret::destroy(&entry.path())?;
            }
            fs::remove_file(entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}
