//! The program's own log for whoever mends it: two files of at most a mebibyte each beside the vault, for this account only. It holds ids, kinds
//! and counts, never a name.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The file that is written.
pub const FILE: &str = crate::vault::LOG_FILE;
/// The one before it.
pub const FILE_BEFORE: &str = crate::vault::LOG_FILE_BEFORE;
/// Longest file, in bytes; then it becomes the one before.
pub const LEN_MAX: u64 = 1 << 20;
/// Most bytes of the end that go into a report.
const TAIL_MAX: u64 = 32 * 1024;

/// Writes the log, and begins a new file when one is full.
#[derive(Debug)]
pub struct ProgramLog {
    folder: PathBuf,
    file: File,
    len: u64,
}

impl ProgramLog {
    /// Opens the log in a folder, which is made.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = append_to(&folder.join(FILE))?;
        let len = file.metadata()?.len();
        Ok(Self { folder: folder.to_owned(), file, len })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        std::fs::rename(self.folder.join(FILE), self.folder.join(FILE_BEFORE))?;
        self.file = append_to(&self.folder.join(FILE))?;
        self.len = self.file.metadata()?.len();
        Ok(())
    }
}

/// A fault that ends a thread is said in the log: which thread, and where in the program. Not its message, which may be made of anything.
pub fn note_faults() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |fault| {
        let thread = std::thread::current();
        let place = fault.location().map(|at| (at.file().rsplit(['/', '\\']).next().unwrap_or_default(), at.line()));
        let (file, line) = place.unwrap_or_default();
        tracing::error!(thread = thread.name().unwrap_or("without a name"), file, line, "a thread fell");
        before(fault);
    }));
}

impl Write for ProgramLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.len > 0 && self.len.saturating_add(bytes.len() as u64) > LEN_MAX {
            self.begin_anew()?;
        }
        let written = self.file.write(bytes)?;
        self.len = self.len.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let file = options.mode(0o600).open(path)?;
        // One of an earlier version may be readable by others.
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

/// The last whole lines of the log in a folder; none when there is no log.
pub fn tail(folder: &Path) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(folder.join(FILE))?;
        let from = file.metadata()?.len().saturating_sub(TAIL_MAX);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = vec![];
        file.take(TAIL_MAX).read_to_end(&mut bytes)?;
        // The first line may have lost its beginning.
        let cut =
            if from == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1) };
        Ok(bytes.split_off(cut))
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn two_files_of_a_mebibyte_are_the_most_and_nobody_else_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("desk");
        let line = |n: u32| format!("{n:08} {}\n", "x".repeat(90));
        let mut log = ProgramLog::open(&place).unwrap();
        for n in 0..30_000 {
            log.write_all(line(n).as_bytes()).unwrap();
        }
        drop(log);
        let mut names: Vec<_> = std::fs::read_dir(&place).unwrap().flatten().collect();
        names.sort_by_key(std::fs::DirEntry::file_name);
        let names: Vec<_> = names.iter().map(|entry| (entry.file_name(), entry.metadata().unwrap())).collect();
        assert_eq!(names.iter().map(|(name, _)| name.to_str().unwrap()).collect::<Vec<_>>(), [FILE, FILE_BEFORE]);
        assert!(names.iter().all(|(_, data)| data.len() <= LEN_MAX));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert!(names.iter().all(|(_, data)| data.permissions().mode() & 0o777 == 0o600));
        }
        // It goes on where it was, and its end is whole lines.
        ProgramLog::open(&place).unwrap().write_all(line(30_000).as_bytes()).unwrap();
        let tail = tail(&place);
        assert!(tail.len() > 100 && tail.iter().all(|line| line.len() == 99), "{}", tail.len());
        assert!(tail.last().unwrap().starts_with("00030000"));
        assert_eq!(super::tail(folder.path()), Vec::<String>::new());
    }
}
