//! Whether the data folder and the swap lie on encrypted block devices, and whether two folders share a disk. Rules K2-6, P51-3.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::linux::Root;
use crate::domain::posture::{Reading, Storage};

/// Devices upon devices (a mapper over a volume over a loop …) that are followed at most.
const DEPTH_MAX: u8 = 8;

/// Where the data folder comes to rest.
pub(super) fn data(root: &Root, folder: &Path) -> Reading<Storage> {
    // Before the first run the folder is not there: what holds it then holds it later.
    let there = folder.ancestors().find_map(|f| std::fs::canonicalize(f).ok());
    there.and_then(|path| of_path(root, &path, DEPTH_MAX)).map_or(Reading::Unread, Reading::Seen)
}

/// Swap areas on devices that are not encrypted.
pub(super) fn plain_swaps(root: &Root) -> Reading<Vec<String>> {
    if !root.has("/proc/swaps") {
        // A kernel without swap.
        return if root.has("/proc/uptime") { Reading::Seen(vec![]) } else { Reading::Unread };
    }
    let Some(text) = root.read("/proc/swaps") else { return Reading::Unread };
    let mut plain = vec![];
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let Some(area) = line.split_whitespace().next().map(unescaped) else { return Reading::Unread };
        let kept = match area.strip_prefix("/dev/") {
            Some(device) => of_device(root, &format!("/sys/class/block/{}", mapped(root, device)), DEPTH_MAX),
            None => of_path(root, Path::new(&area), DEPTH_MAX),
        };
        match kept {
            Some(Storage::Encrypted | Storage::Memory) => {}
            Some(Storage::Plain(device)) => plain.push(device),
            None => return Reading::Unread,
        }
    }
    Reading::Seen(plain)
}

/// Whether two folders share no disk; `false` where that cannot be told.
pub(super) fn are_apart(root: &Root, one: &Path, other: &Path) -> bool {
    let bottoms = |folder: &Path| below_path(root, &std::fs::canonicalize(folder).ok()?, 2 * DEPTH_MAX);
    match (bottoms(one), bottoms(other)) {
        (Some(one), Some(other)) => !one.is_empty() && !other.is_empty() && one.is_disjoint(&other),
        _ => false,
    }
}

/// The disks that a path rests on in the end, by the kernel's names for them.
fn below_path(root: &Root, path: &Path, depth: u8) -> Option<BTreeSet<String>> {
    let depth = depth.checked_sub(1)?;
    let on = mount_of(root, path)?;
    match on.kind.as_str() {
        "tmpfs" | "ramfs" => return Some(BTreeSet::from([format!("memory {}", on.device)])),
        // A folder over a folder.
        "ecryptfs" | "fuse.gocryptfs" | "fuse.cryfs" | "fuse.encfs" => {
            return below_path(root, Path::new(&on.source), depth);
        }
        _ => {}
    }
    if on.device.starts_with("0:") {
        let mut all = BTreeSet::new();
        for member in members(root, &on)? {
            all.extend(below_device(root, &format!("/sys/class/block/{member}"), depth)?);
        }
        return Some(all);
    }
    below_device(root, &format!("/sys/dev/block/{}", on.device), depth)
}

/// All devices of a file system that has a number of its own: of a btrfs those that the kernel lists, of others the one named. `None` for a
/// btrfs that is in none of the kernel's lists: the one device named may be one of several.
fn members(root: &Root, on: &Mount) -> Option<Vec<String>> {
    let device = mapped(root, on.source.strip_prefix("/dev/")?);
    let mut systems = root.names("/sys/fs/btrfs").into_iter();
    let listed = systems.find_map(|uuid| {
        let names = root.names(&format!("/sys/fs/btrfs/{uuid}/devices"));
        names.contains(&device).then_some(names)
    });
    if on.kind == "btrfs" { listed } else { Some(vec![device]) }
}

/// Follows a block device down to whole disks.
fn below_device(root: &Root, device: &str, depth: u8) -> Option<BTreeSet<String>> {
    let depth = depth.checked_sub(1)?;
    if root.has(&format!("{device}/partition")) {
        // The kernel follows the link before it goes up: to the disk that the partition is of.
        return below_device(root, &format!("{device}/.."), depth);
    }
    if let Some(file) = root.read(&format!("{device}/loop/backing_file")) {
        return below_path(root, Path::new(file.trim_end_matches('\n')), depth);
    }
    let below = root.names(&format!("{device}/slaves"));
    if below.is_empty() {
        let uevent = root.read(&format!("{device}/uevent"))?;
        let name = uevent.lines().find_map(|line| line.strip_prefix("DEVNAME="))?.trim().to_owned();
        return Some(BTreeSet::from([name]));
    }
    let mut all = BTreeSet::new();
    for slave in below {
        all.extend(below_device(root, &format!("{device}/slaves/{slave}"), depth)?);
    }
    Some(all)
}

struct Mount {
    device: String,
    point: PathBuf,
    kind: String,
    source: String,
}

/// The file system that a path is on.
fn mount_of(root: &Root, path: &Path) -> Option<Mount> {
    let mounts = root.read("/proc/self/mountinfo")?;
    let mounts = mounts.lines().filter_map(mount);
    // Of two mounts at one place the later one is on top.
    mounts.filter(|m| path.starts_with(&m.point)).max_by_key(|m| m.point.components().count())
}

/// Where a path comes to rest; `None` when it cannot be told.
fn of_path(root: &Root, path: &Path, depth: u8) -> Option<Storage> {
    let on = mount_of(root, path)?;
    match on.kind.as_str() {
        "tmpfs" | "ramfs" => return Some(Storage::Memory),
        "ecryptfs" | "fuse.gocryptfs" | "fuse.cryfs" | "fuse.encfs" => return Some(Storage::Encrypted),
        _ => {}
    }
    if on.device.starts_with("0:") {
        // Btrfs and others have a number of their own and name their device; overlays and network folders cannot be told.
        // One of several devices is named; the file may lie on any of them.
        let members = members(root, &on)?.into_iter();
        return worst(members.map(|member| of_device(root, &format!("/sys/class/block/{member}"), depth)).collect());
    }
    of_device(root, &format!("/sys/dev/block/{}", on.device), depth)
}

/// Follows a block device down to what it is made of.
fn of_device(root: &Root, device: &str, depth: u8) -> Option<Storage> {
    let depth = depth.checked_sub(1)?;
    let uevent = root.read(&format!("{device}/uevent"))?;
    let name = uevent.lines().find_map(|line| line.strip_prefix("DEVNAME="))?.trim().to_owned();
    if name.starts_with("zram") || name.starts_with("ram") {
        return Some(Storage::Memory);
    }
    let uuid = root.read(&format!("{device}/dm/uuid")).unwrap_or_default();
    if ENCRYPTED.iter().any(|kind| uuid.starts_with(kind)) {
        return Some(Storage::Encrypted);
    }
    if let Some(file) = root.read(&format!("{device}/loop/backing_file")) {
        return of_path(root, Path::new(file.trim_end_matches('\n')), depth);
    }
    let below = root.names(&format!("{device}/slaves"));
    if below.is_empty() {
        return Some(Storage::Plain(name));
    }
    worst(below.iter().map(|slave| of_device(root, &format!("{device}/slaves/{slave}"), depth)).collect())
}

/// What rests on all of these is as well kept as the worst of them; `None` when one cannot be told.
fn worst(all: Option<Vec<Storage>>) -> Option<Storage> {
    all?.into_iter().max_by_key(|s| match s {
        Storage::Memory => 0,
        Storage::Encrypted => 1,
        Storage::Plain(_) => 2,
    })
}

/// How device-mapper names its encryption. `CRYPT-VERITY-` and `CRYPT-INTEGRITY-` only check, and are not among them.
const ENCRYPTED: [&str; 7] = [
    "CRYPT-LUKS1-",
    "CRYPT-LUKS2-",
    "CRYPT-PLAIN-",
    "CRYPT-TCRYPT-",
    "CRYPT-BITLK-",
    "CRYPT-LOOPAES-",
    "CRYPT-FVAULT2-",
];

/// The kernel's name of a device below `/dev`: `mapper/cryptswap` is some `dm-1`.
fn mapped(root: &Root, device: &str) -> String {
    let Some(name) = device.strip_prefix("mapper/") else { return device.to_owned() };
    let is_it = |dm: &String| {
        let read = root.read(&format!("/sys/class/block/{dm}/dm/name"));
        read.is_some_and(|n| n.trim() == name)
    };
    let all = root.names("/sys/class/block");
    all.into_iter().filter(|n| n.starts_with("dm-")).find(is_it).unwrap_or_else(|| device.to_owned())
}

fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let before: Vec<&str> = before.split(' ').collect();
    let [_, _, device, _, point, ..] = before[..] else { return None };
    let mut after = after.split(' ');
    let (kind, source) = (after.next()?, after.next()?);
    Some(Mount {
        device: device.to_owned(),
        point: unescaped(point).into(),
        kind: kind.to_owned(),
        source: unescaped(source),
    })
}

/// The kernel writes blank, tab, newline and backslash as `\040` and the like.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}
