//! The file that steers the fault library in another process (`fault.c`): which fault, at which write, and how many writes there were.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What happens at the n-th write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL before it.
    Kill,
    /// Half of it is written, then SIGKILL.
    Torn,
    /// SIGKILL before it, and nothing that was not synced is on the disk.
    PowerCut,
    /// The same, but each write that was not synced may have reached the disk all the same.
    PowerCutMixed,
    /// Half of it is written and said so.
    Short,
    /// From it on the disk is full.
    Full,
    /// It fails once.
    IoOnce,
    /// From it on every write fails.
    Io,
    /// From it on the disk cannot be written.
    ReadOnly,
}

impl Fault {
    /// Those that end the process.
    pub const KILLS: [Self; 4] = [Self::Kill, Self::Torn, Self::PowerCut, Self::PowerCutMixed];
    /// Those that the process lives through.
    pub const ERRORS: [Self; 5] = [Self::Short, Self::Full, Self::IoOnce, Self::Io, Self::ReadOnly];

    fn mode(self) -> u64 {
        match self {
            Self::Kill => 1,
            Self::Torn => 2,
            Self::PowerCut | Self::PowerCutMixed => 3,
            Self::Short => 4,
            Self::Full => 5,
            Self::IoOnce => 6,
            Self::Io => 7,
            Self::ReadOnly => 8,
        }
    }

    /// Whether the process dies of it.
    pub fn kills(self) -> bool {
        Self::KILLS.contains(&self)
    }
}

/// One control file, for one process at a time.
pub struct Control {
    file: File,
    path: PathBuf,
}

impl Control {
    pub fn new(path: &Path) -> Self {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).open(path).expect("a control file");
        file.write_all_at(&[0; 64], 0).expect("a control file");
        Self { file, path: path.to_owned() }
    }

    /// The environment of a process that this steers, for a folder.
    pub fn environment(&self, library: &Path, folder: &Path) -> [(&'static str, PathBuf); 3] {
        [
            ("LD_PRELOAD", library.to_owned()),
            ("MENKA_CHAOS_FOLDER", folder.to_owned()),
            ("MENKA_CHAOS_CONTROL", self.path.clone()),
        ]
    }

    fn put(&self, slot: u64, value: u64) {
        self.file.write_all_at(&value.to_ne_bytes(), slot * 8).expect("a control file");
    }

    fn get(&self, slot: u64) -> u64 {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, slot * 8).expect("a control file");
        u64::from_ne_bytes(bytes)
    }

    /// The fault happens at the `at`-th write from now on.
    pub fn arm(&self, fault: Fault, at: u64, seed: u64) {
        self.disarm();
        let seed = if fault == Fault::PowerCutMixed { seed.max(1) } else { 0 };
        for (slot, value) in [(1, at), (2, 0), (3, 0), (5, seed)] {
            self.put(slot, value);
        }
        self.put(0, fault.mode());
    }

    /// Writes are not counted and nothing fails.
    pub fn disarm(&self) {
        self.put(0, 0);
    }

    /// The same, and whatever happened is forgotten.
    pub fn clear(&self) {
        self.disarm();
        self.put(3, 0);
    }

    /// At which write the fault happened, if it did.
    pub fn fired(&self) -> Option<u64> {
        Some(self.get(3)).filter(|n| *n > 0)
    }

    /// Puts the clock of the process off by so much.
    pub fn clock(&self, offset_ms: i64) {
        self.put(4, offset_ms.cast_unsigned());
    }
}
