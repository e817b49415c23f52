//! Where a bench writes what must be durable. In a folder that is memory a durable write costs nothing, so no figure that rests on one is told
//! there. An overlay does not say what lies under it: the disk's own durable writes are printed beside.
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::targets;

/// `f_type` of file systems that are memory (`statfs(2)`).
const IN_MEMORY: [(u32, &str); 2] = [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs")];

/// The folder for files, and why durable writes in it say nothing.
pub struct Disk {
    place: PathBuf,
    reason: Option<String>,
}

impl Disk {
    /// The system's temporary folder, or one of the build where that one is memory. Prints which.
    pub fn find() -> Self {
        let (usual, own) = (std::env::temp_dir(), PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
        let (place, reason) = match not_durable(&usual) {
            None => (usual, None),
            Some(why) => {
                println!("durable folder: not the temporary one: {why}");
                let reason = not_durable(&own);
                (if reason.is_none() { own } else { usual }, reason)
            }
        };
        println!("durable folder: {}", reason.clone().unwrap_or_else(|| place.display().to_string()));
        Self { place, reason }
    }

    /// A folder that goes when the bench is through.
    pub fn folder(&self) -> std::io::Result<TempDir> {
        tempfile::tempdir_in(&self.place)
    }

    /// Prints a figure that rests on durable writes, or why it is none.
    pub fn print(&self, name: &str, figure: &str) {
        match &self.reason {
            None => println!("{name}: {figure}"),
            Some(reason) => println!("{name}: not run: {reason}"),
        }
    }

    /// Prints whether a target that rests on durable writes is met.
    pub fn judge(&self, what: &str, met: bool, figure: &str) {
        match &self.reason {
            None => targets::judge(what, met, figure),
            Some(reason) => targets::not_run(what, reason),
        }
    }
}

/// Why a durable write into a folder would say nothing about a disk.
#[cfg(target_os = "linux")]
fn not_durable(folder: &Path) -> Option<String> {
    let kind = match rustix::fs::statfs(folder) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "these numbers have 32 bits")]
        Ok(found) => found.f_type as u32,
        Err(error) => return Some(format!("{} has no file system that can be asked: {error}", folder.display())),
    };
    let (_, name) = IN_MEMORY.into_iter().find(|(magic, _)| *magic == kind)?;
    Some(format!("{} is memory ({name})", folder.display()))
}

#[cfg(not(target_os = "linux"))]
fn not_durable(folder: &Path) -> Option<String> {
    Some(format!("what {} lies on is asked on Linux only", folder.display()))
}
