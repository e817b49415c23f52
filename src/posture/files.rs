//! Who else may reach the vault's files, and how much room is left. Looks at the data folder itself, not below a prepared root.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::domain::posture::{FileAccess, Reading};

/// Most files that are looked at.
const FILES_MAX: usize = 5_000;
/// Rights of group and others.
const OTHERS: u32 = 0o077;

/// Owner and rights of the data folder and everything in it.
pub(super) fn access(folder: &Path, own: Option<u32>) -> Reading<FileAccess> {
    let (Some(own), Ok(top)) = (own, std::fs::symlink_metadata(folder)) else { return Reading::Unread };
    let mut access = FileAccess::default();
    // Nobody passes a closed folder, whatever the rights of what is in it.
    let closed = top.mode() & OTHERS == 0;
    let (mut waiting, mut left) = (vec![folder.to_owned()], FILES_MAX);
    while let Some(path) = waiting.pop() {
        let Ok(found) = std::fs::symlink_metadata(&path) else { continue };
        left = left.saturating_sub(1);
        if left == 0 {
            return Reading::Unread;
        }
        access.of_others += u32::from(found.uid() != own);
        access.open_to_others += u32::from(!closed && !found.is_symlink() && found.mode() & OTHERS != 0);
        if found.is_dir() {
            let Ok(inside) = std::fs::read_dir(&path) else { return Reading::Unread };
            waiting.extend(inside.flatten().map(|entry| entry.path()));
        }
    }
    Reading::Seen(access)
}

/// Bytes that this account may still write there.
pub(super) fn free_bytes(folder: &Path) -> Reading<u64> {
    let there = folder.ancestors().find(|f| f.exists());
    let room = there.and_then(|f| rustix::fs::statvfs(f).ok());
    room.map_or(Reading::Unread, |room| Reading::Seen(room.f_bavail.saturating_mul(room.f_frsize)))
}
