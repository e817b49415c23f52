//! Programs for help from afar: running, listening, starting by themselves, installed. Rule K2-12.

use super::linux::Root;
use super::programs::{Known, at_port, known};
use crate::domain::posture::{Helper, HelperKind, HelperSeen, Reading};

/// Folders whose names show what is installed.
const INSTALLED: &[&str] = &[
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/etc/init.d",
    "/usr/share/applications",
    "/usr/local/share/applications",
    "/var/lib/flatpak/app",
    "/var/lib/flatpak/exports/share/applications",
    "/var/lib/snapd/desktop/applications",
    "/usr/bin",
    "/usr/sbin",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local",
    "/opt",
    "/opt/apps",
    "/snap",
];

/// Folders whose names show what starts by itself.
const ENABLED: &[&str] = &[
    "/etc/xdg/autostart",
    "/etc/systemd/system/multi-user.target.wants",
    "/etc/systemd/system/graphical.target.wants",
    "/etc/systemd/system/default.target.wants",
    "/etc/systemd/system/sockets.target.wants",
    "/etc/systemd/user/default.target.wants",
    "/etc/systemd/user/gnome-session.target.wants",
];

/// Most processes that are looked at.
const PROCESSES_MAX: usize = 20_000;

/// Everything known by name, each with how it was seen.
pub(super) fn seen(root: &Root, home: Option<&str>) -> Reading<Vec<Helper>> {
    // A /proc that hides other accounts' processes hides the first one too.
    if root.read("/proc/1/comm").is_none() {
        return Reading::Unread;
    }
    let mut found = vec![];
    let mut add = |known: &Known, seen| {
        // A remote shell that does not run is part of every system.
        if known.kind != HelperKind::RemoteShell || seen == HelperSeen::Runs {
            found.push(Helper { name: known.name.to_owned(), kind: known.kind, seen });
        }
    };
    let pids = root.names("/proc").into_iter().filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    for pid in pids.take(PROCESSES_MAX) {
        if let Some(known) = process(root, &pid) {
            add(known, HelperSeen::Runs);
        }
    }
    let own = |folder: &str| home.map(|home| format!("{home}/{folder}"));
    let enabled = ENABLED.iter().map(|f| (*f).to_owned());
    let enabled = enabled.chain(own(".config/autostart")).chain(own(".config/systemd/user/default.target.wants"));
    let installed = INSTALLED.iter().map(|f| (*f).to_owned()).chain(own(".local/share/applications"));
    let folders = enabled.map(|f| (f, HelperSeen::Enabled)).chain(installed.map(|f| (f, HelperSeen::Installed)));
    for (folder, seen) in folders {
        root.names(&folder).iter().filter_map(|name| known(name)).for_each(|known| add(known, seen));
    }
    // Without the second table where IPv6 is switched off; a table that cannot be read is not an empty one.
    let Some(four) = root.read("/proc/net/tcp") else { return Reading::Unread };
    let six = root.read("/proc/net/tcp6");
    if six.is_none() && root.read("/proc/net/if_inet6").is_some() {
        return Reading::Unread;
    }
    for text in [four, six.unwrap_or_default()] {
        for (name, kind) in text.lines().skip(1).filter_map(listening).filter_map(at_port) {
            found.push(Helper { name: name.to_owned(), kind, seen: HelperSeen::Listens });
        }
    }
    found.sort();
    found.dedup();
    Reading::Seen(found)
}

/// By its short name, by the name of its program file (also when it calls itself something else), or by the folder that lies in.
fn process(root: &Root, pid: &str) -> Option<&'static Known> {
    let comm = root.read(&format!("/proc/{pid}/comm"));
    let exe = root.link(&format!("/proc/{pid}/exe"));
    let first = root.read(&format!("/proc/{pid}/cmdline"));
    let first = first.as_deref().and_then(|line| line.split('\0').next());
    let exe = exe.as_deref().map(|path| path.trim_end_matches(" (deleted)"));
    // The folders of a program file count too, as in /opt/todesk/bin/service; those of an argument are anybody's.
    let parts = exe.into_iter().flat_map(|path| path.split('/'));
    comm.as_deref()
        .and_then(known)
        .or_else(|| parts.filter_map(known).next())
        .or_else(|| known(first?.rsplit('/').next()?))
}

/// The port of a line of `/proc/net/tcp` that listens.
fn listening(line: &str) -> Option<u16> {
    let mut fields = line.split_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let (_, port) = local.rsplit_once(':')?;
    (state == "0A").then(|| u16::from_str_radix(port, 16).ok()).flatten()
}
