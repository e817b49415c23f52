//! A prepared machine as files below a root. Its network is the one that the test really runs in.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Everything sound: encrypted disk and swap, a login password, a locking screen, one webcam, no program for help from afar.
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// Under `folder/root`, for an account that owns `folder`.
    pub fn sound(folder: &Path) -> Self {
        let machine = Self { root: folder.join("root") };
        let uid = fs::metadata(folder).unwrap().uid();
        for (path, text) in [
            ("proc/1/comm", "systemd\n".to_owned()),
            ("proc/self/status", format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n")),
            ("proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/mapper/root rw\n".into()),
            ("proc/uptime", fs::read_to_string("/proc/uptime").unwrap()),
            ("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n".into()),
            ("etc/passwd", format!("desk:x:{uid}:{uid}::/home/desk:/bin/bash\n")),
            ("etc/shadow", "desk:$y$j9T$abc:1::::::\n".into()),
            ("etc/os-release", "PRETTY_NAME=\"A prepared machine\"\n".into()),
            ("home/desk/.config/kscreenlockerrc", "Autolock=true\n".into()),
            ("sys/dev/block/254:0/uevent", "DEVNAME=dm-0\n".into()),
            ("sys/dev/block/254:0/dm/uuid", "CRYPT-LUKS2-0123-root\n".into()),
            ("sys/devices/usb1/1-2/video4linux/video0/name", "HD Webcam\n".into()),
            ("sys/devices/usb1/1-2/video4linux/video0/index", "0\n".into()),
            ("usr/bin/bash", String::new()),
        ] {
            machine.write(path, &text);
        }
        let class = machine.root.join("sys/class/video4linux");
        fs::create_dir_all(&class).unwrap();
        symlink("../../devices/usb1/1-2/video4linux/video0", class.join("video0")).unwrap();
        symlink("/proc/self/net", machine.root.join("proc/net")).unwrap();
        machine
    }

    /// Where `/` is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file of it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Takes a file of it away.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).unwrap();
    }
}

/// Only for this account.
pub fn close(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
}
