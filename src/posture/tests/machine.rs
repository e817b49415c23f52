//! A prepared machine, and the kernel's texts as it prints them.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use crate::domain::posture::{Before, PostureReport, judge};
use crate::ports::Posture;
use crate::posture::linux::Linux;

/// A machine on which nothing is wrong, as files below a root.
pub struct Machine {
    folder: tempfile::TempDir,
}

pub const TCP_HEAD: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
pub const ROUTE_HEAD: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
/// 192.168.10.0/24 on eth0, as this machine's kernel would print it.
pub const LAN_ROUTE: &str = "eth0\t000AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
pub const MOUNTS: &str =
    "22 27 0:21 / /proc rw - proc proc rw\n27 1 253:1 / / rw,relatime shared:1 - ext4 /dev/mapper/root rw\n";

impl Machine {
    pub fn sound() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(machine.data()).unwrap();
        fs::set_permissions(machine.data(), fs::Permissions::from_mode(0o700)).unwrap();
        let uid = fs::metadata(machine.data()).unwrap().uid();
        for (path, text) in [
            ("/proc/1/comm", "systemd\n".to_owned()),
            ("/proc/1/cmdline", "/sbin/init\0".into()),
            ("/proc/self/status", format!("Name:\tmenka\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")),
            ("/proc/self/mountinfo", MOUNTS.into()),
            ("/proc/uptime", "3600.25 100.00\n".into()),
            ("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/dm-2 partition 1000 0 -2\n".into()),
            ("/proc/sys/kernel/osrelease", "6.1.0-30-amd64\n".into()),
            ("/proc/net/route", format!("{ROUTE_HEAD}{LAN_ROUTE}")),
            ("/proc/net/ipv6_route", six("fe80", "40", "00000001", "eth0")),
            ("/proc/net/if_inet6", "fe8000000000000000fc00fffe000001 02 40 20 80     eth0\n".into()),
            ("/proc/net/fib_trie", trie("Main", "192.168.10.0", "/24 link UNICAST")),
            ("/proc/net/tcp", format!("{TCP_HEAD}   0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 1\n")),
            ("/proc/net/tcp6", TCP_HEAD.into()),
            ("/etc/passwd", format!("root:x:0:0::/root:/bin/bash\ndesk:x:{uid}:{uid}::/home/desk:/bin/bash\n")),
            ("/etc/shadow", "root:*:1::::::\ndesk:$y$j9T$abc:1::::::\n".into()),
            ("/etc/group", "nopasswdlogin:x:110:\n".into()),
            ("/etc/os-release", "NAME=Debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n".into()),
            ("/home/desk/.config/kscreenlockerrc", "[Daemon]\nAutolock=true\n".into()),
            ("/sys/dev/block/253:1/uevent", "MAJOR=253\nDEVNAME=dm-1\n".into()),
            ("/sys/dev/block/253:1/dm/uuid", "LVM-abcdef\n".into()),
            ("/sys/dev/block/253:1/slaves/dm-0/uevent", "DEVNAME=dm-0\n".into()),
            ("/sys/dev/block/253:1/slaves/dm-0/dm/uuid", "CRYPT-LUKS2-0123-cryptroot\n".into()),
            ("/sys/class/block/dm-2/uevent", "DEVNAME=dm-2\n".into()),
            ("/sys/class/block/dm-2/dm/uuid", "CRYPT-PLAIN-cryptswap\n".into()),
            ("/sys/class/block/dm-2/dm/name", "cryptswap\n".into()),
            ("/usr/bin/bash", String::new()),
        ] {
            machine.write(path, &text);
        }
        // The tests may run as root, whose line comes first: then the account is root, and has that password.
        if uid == 0 {
            machine.write("/etc/passwd", "root:x:0:0::/home/desk:/bin/bash\n");
            machine.write("/etc/shadow", "root:$y$j9T$abc:1::::::\n");
        }
        machine.camera("video0", "HD Webcam", "devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0");
        machine
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.root().join(path.trim_start_matches('/'))).unwrap();
    }

    pub fn camera(&self, node: &str, name: &str, device: &str) {
        let place = format!("/sys/{device}/video4linux/{node}");
        self.write(&format!("{place}/name"), &format!("{name}\n"));
        self.write(&format!("{place}/index"), "0\n");
        let class = self.root().join("sys/class/video4linux");
        fs::create_dir_all(&class).unwrap();
        symlink(format!("../../{device}/video4linux/{node}"), class.join(node)).unwrap();
    }

    /// A process with its short name, its program file, and what it calls itself.
    pub fn process(&self, pid: u32, comm: &str, exe: &str, calls_itself: &str) {
        self.write(&format!("/proc/{pid}/comm"), &format!("{comm}\n"));
        self.write(&format!("/proc/{pid}/cmdline"), &format!("{calls_itself}\0--flag\0"));
        symlink(exe, self.root().join(format!("proc/{pid}/exe"))).unwrap();
    }

    pub fn report(&self) -> PostureReport {
        judge(&Linux::at_root(&self.root(), &self.data()).check(), &Before::default())
    }
}

/// A line of `/proc/net/ipv6_route`.
pub fn six(begins: &str, length: &str, flags: &str, interface: &str) -> String {
    let zero = "0".repeat(32);
    format!("{begins:0<32} {length} {zero} 00 {zero} 00000100 00000001 00000000 {flags}     {interface}\n")
}

pub fn trie(table: &str, network: &str, entry: &str) -> String {
    format!("{table}:\n  +-- 0.0.0.0/0 3 0 5\n     |-- {network}\n        {entry}\n")
}
