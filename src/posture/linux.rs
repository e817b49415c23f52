//! One look at a Linux machine, below one root.

use std::path::{Path, PathBuf};

use super::{cameras, disks, files, helpers, login, routes};
use crate::domain::posture::{MachineFacts, Reading};
use crate::ports::Posture;

/// Reads `/proc`, `/sys` and `/etc` below a root; the data folder is looked at where it is.
#[derive(Debug)]
pub struct Linux {
    root: Root,
    data: PathBuf,
    passwd: login::Asked,
}

impl Linux {
    /// This machine.
    pub fn new(data: &Path) -> Self {
        Self::at_root(Path::new("/"), data)
    }

    /// A prepared root, for tests: nothing outside of it is asked, but for owner, mode and room of the data folder.
    pub fn at_root(root: &Path, data: &Path) -> Self {
        Self { root: Root(root.to_owned()), data: data.to_owned(), passwd: login::Asked::default() }
    }
}

impl Posture for Linux {
    fn check(&mut self) -> MachineFacts {
        let root = &self.root;
        let own = own_uid(root);
        let home = own.and_then(|uid| login::home(root, uid));
        MachineFacts {
            system: system(root),
            routes_out: routes::out(root),
            public_addresses: routes::public_addresses(root),
            helpers: helpers::seen(root, home.as_deref()),
            data_disk: disks::data(root, &self.data),
            plain_swaps: disks::plain_swaps(root),
            login: login::read(root, own, &mut self.passwd),
            screen_locks: login::screen_locks(root, home.as_deref()),
            cameras: cameras::seen(root),
            uptime_ms: uptime_ms(root).map_or(Reading::Unread, Reading::Seen),
            free_bytes: files::free_bytes(&self.data),
            files: files::access(&self.data, own),
        }
    }

    fn is_apart(&self, path: &Path) -> bool {
        disks::are_apart(&self.root, super::folder_of(path), &self.data)
    }
}

/// Where `/` is.
#[derive(Debug)]
pub(super) struct Root(PathBuf);

impl Root {
    /// A path of the machine, such as `/proc/swaps`.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    /// A text file; what is no UTF-8 in it is replaced. `None` when it is not there or may not be read.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        Some(String::from_utf8_lossy(&std::fs::read(self.at(path)).ok()?).into_owned())
    }

    /// Names in a folder; nothing when it is not there or may not be read.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.at(path)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Where a link points, as it is written.
    pub(super) fn link(&self, path: &str) -> Option<String> {
        Some(std::fs::read_link(self.at(path)).ok()?.to_string_lossy().into_owned())
    }

    /// Whether something is there.
    pub(super) fn has(&self, path: &str) -> bool {
        self.at(path).exists()
    }

    /// Whether this is the machine itself, so that its programs may be asked.
    pub(super) fn is_machine(&self) -> bool {
        self.0 == Path::new("/")
    }
}

fn own_uid(root: &Root) -> Option<u32> {
    let status = root.read("/proc/self/status")?;
    status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?.parse().ok()
}

fn uptime_ms(root: &Root) -> Option<i64> {
    let text = root.read("/proc/uptime")?;
    let (seconds, rest) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: i64 = rest.parse().ok()?;
    Some(seconds.parse::<i64>().ok()?.saturating_mul(1000).saturating_add(hundredths.saturating_mul(10)))
}

fn system(root: &Root) -> String {
    let release = root.read("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.map_or("Linux", |name| name.trim_matches('"'));
    match root.read("/proc/sys/kernel/osrelease") {
        Some(kernel) => format!("{name}, Linux {}", kernel.trim()),
        None => name.to_owned(),
    }
}
