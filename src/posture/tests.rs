//! Prepared machines: every fault below a root of its own, with the exact answer of the adapter. And the machine that runs the tests.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod machine;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::linux::Linux;
use super::programs::{KNOWN, PORTS};
use crate::domain::permit::{Blocker, Condition};
use crate::domain::posture::{Before, Check, Grade, HelperKind, MACHINE, What, booted_at, judge};
use crate::domain::time::Timestamp;
use crate::ports::Posture;
use machine::{LAN_ROUTE, MOUNTS, Machine, ROUTE_HEAD, TCP_HEAD, six, trie};

/// A machine with one fault: this is found under these names, its condition fails or is open, and every other one holds.
fn fault(blocker: Blocker, state: Condition, what: What, names: &[&str], spoil: impl FnOnce(&Machine)) {
    let machine = Machine::sound();
    spoil(&machine);
    let report = machine.report();
    let found = report.findings.iter().find(|f| f.what == what);
    let found = found.unwrap_or_else(|| panic!("{what:?} is not in {:?}", report.findings));
    assert_eq!(found.names, names, "{what:?}");
    for other in MACHINE {
        let wanted = if other == blocker { state } else { Condition::Holds };
        assert_eq!(report.condition(other), wanted, "{what:?}: {other:?}: {:?}", report.findings);
    }
}

#[test]
fn l1_a_sound_machine_is_seen_as_sound() {
    let report = Machine::sound().report();
    assert!(report.lets_faces(), "{:?}", report.findings);
    assert_eq!(report.system, "Debian GNU/Linux 12 (bookworm), Linux 6.1.0-30-amd64");
    assert!(report.findings.iter().all(|f| f.proven && f.what.grade() == crate::domain::posture::Grade::Well));
}

#[test]
fn l1_an_empty_machine_is_unknown_and_not_sound() {
    let folder = tempfile::tempdir().unwrap();
    let report = judge(&Linux::at_root(folder.path(), folder.path()).check(), &Before::default());
    for blocker in MACHINE {
        assert_eq!(report.condition(blocker), Condition::NotYetChecked, "{blocker:?}");
    }
}

#[test]
fn k2_13_every_kind_of_way_to_the_internet_is_found() {
    let out = |names: &[&str], spoil: &dyn Fn(&Machine)| {
        fault(Blocker::InternetRoute, Condition::Fails, What::RouteOut, names, spoil);
    };
    let four =
        |line: &'static str| move |m: &Machine| m.write("/proc/net/route", &format!("{ROUTE_HEAD}{LAN_ROUTE}{line}"));
    out(&["eth0"], &four("eth0\t00000000\t010AA8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"));
    // The halves that VPNs use so as to leave the default route alone, a public network, and a carrier's.
    out(&["tun0"], &four("tun0\t00000080\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"));
    out(&["wlan0"], &four("wlan0\t00007108\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"));
    out(&["tailscale0"], &four("tailscale0\t00004064\t00000000\t0001\t0\t0\t0\t0000C0FF\t0\t0\t0\n"));
    out(&["eth0"], &|m| m.write("/proc/net/ipv6_route", &six("", "00", "00000003", "eth0")));
    out(&["table 52"], &|m| {
        let both = trie("Main", "192.168.10.0", "/24 link UNICAST") + &trie("Id 52", "0.0.0.0", "/0 universe UNICAST");
        m.write("/proc/net/fib_trie", &both);
    });
}

#[test]
fn k2_13_routes_that_lead_nowhere_or_stay_inside_are_none() {
    let machine = Machine::sound();
    let inside = "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\neth0\t000000E0\t0\t0001\t0\t0\t0\t000000F0\t0\t0\t0\n";
    let down = "eth1\t00000000\t010AA8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n";
    let refused = "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n";
    machine.write("/proc/net/route", &format!("{ROUTE_HEAD}{LAN_ROUTE}{inside}{down}{refused}"));
    let lines = [
        six("", "00", "00200200", "lo"),
        six("fd12", "40", "00000001", "eth0"),
        six("ff", "08", "00000001", "eth0"),
        six("00000000000000000000000000000001", "80", "80200001", "lo"),
    ];
    machine.write("/proc/net/ipv6_route", &lines.concat());
    machine.write("/proc/net/fib_trie", &trie("Id 52", "10.8.0.0", "/16 link UNICAST"));
    assert_eq!(machine.report().condition(Blocker::InternetRoute), Condition::Holds);
}

#[test]
fn k2_13_an_address_of_the_internet_is_found_and_routes_that_cannot_be_read_are_not_none() {
    fault(Blocker::InternetRoute, Condition::Fails, What::PublicAddress, &["203.0.113.9"], |m| {
        m.write("/proc/net/fib_trie", &trie("Local", "203.0.113.9", "/32 host LOCAL"));
    });
    fault(Blocker::InternetRoute, Condition::Fails, What::PublicAddress, &["2408:8000::9"], |m| {
        m.write("/proc/net/if_inet6", "24088000000000000000000000000009 02 40 00 80     eth0\n");
    });
    for file in ["/proc/net/route", "/proc/net/ipv6_route", "/proc/net/fib_trie"] {
        fault(Blocker::InternetRoute, Condition::NotYetChecked, What::RoutesUnread, &[], |m| m.remove(file));
    }
}

#[test]
fn k2_12_remote_help_is_found_by_name_file_folder_port_service_and_menu() {
    let runs = |names: &[&str], spoil: &dyn Fn(&Machine)| {
        fault(Blocker::RemoteHelp, Condition::Fails, What::RemoteHelpRuns, names, spoil);
    };
    runs(&["向日葵 Sunlogin"], &|m| m.process(70, "sunloginclient", "/usr/local/sunlogin/bin/sunloginclient", "x"));
    // Calls itself something else: the program file tells, also after it was deleted.
    runs(&["ToDesk"], &|m| m.process(71, "kworker", "/opt/x/ToDesk (deleted)", "[kworker/0:1]"));
    runs(&["TeamViewer"], &|m| m.process(72, "helper", "/opt/teamviewer/bin/helper", "helper"));
    runs(&["AnyDesk"], &|m| m.process(73, "", "/x", "/opt/any/anydesk"));
    runs(&["VNC"], &|m| m.write("/proc/net/tcp", &format!("{TCP_HEAD}   0: 0100007F:170C 00000000:0000 0A 0 0 0 0\n")));
    runs(&["RDP"], &|m| {
        let any = "0".repeat(32);
        m.write("/proc/net/tcp6", &format!("{TCP_HEAD}   0: {any}:0D3D {any}:0000 0A 0 0 0 0\n"));
    });
    for path in [
        "/etc/systemd/system/rustdesk.service",
        "/usr/share/applications/rustdesk.desktop",
        "/usr/bin/rustdesk",
        "/opt/rustdesk/rustdesk",
        "/var/lib/flatpak/app/com.rustdesk.RustDesk/x",
        "/home/desk/.config/autostart/rustdesk.desktop",
    ] {
        fault(Blocker::RemoteHelp, Condition::Fails, What::RemoteHelpInstalled, &["RustDesk"], |m| m.write(path, ""));
    }
}

#[test]
fn k2_12_a_port_that_is_only_used_and_a_folder_in_an_argument_are_nobodys() {
    let machine = Machine::sound();
    // An established connection from port 5900, and an editor that has a file of that name open.
    machine.write("/proc/net/tcp", &format!("{TCP_HEAD}   0: 0100007F:170C 0100007F:1F90 01 0 0 0 0\n"));
    machine.process(70, "vi", "/usr/bin/vi", "vi");
    machine.write("/proc/70/cmdline", "vi\0/home/desk/anydesk\0");
    assert_eq!(machine.report().condition(Blocker::RemoteHelp), Condition::Holds);
}

#[test]
fn screen_sharing_that_is_off_is_a_warning_and_on_is_a_fault() {
    let machine = Machine::sound();
    machine.write("/usr/libexec/gnome-remote-desktop-daemon", "");
    let report = machine.report();
    assert!(report.findings.iter().any(|f| f.what == What::SharingInstalled));
    assert!(report.lets_faces());
    fault(Blocker::RemoteHelp, Condition::Fails, What::SharingRuns, &["GNOME Remote Desktop"], |m| {
        m.write("/etc/systemd/user/gnome-session.target.wants/gnome-remote-desktop.service", "");
    });
    let machine = Machine::sound();
    machine.process(80, "sshd", "/usr/sbin/sshd", "sshd");
    let report = machine.report();
    assert!(report.findings.iter().any(|f| f.what == What::RemoteShell) && report.lets_faces());
}

#[test]
fn k2_12_processes_that_are_hidden_are_not_taken_for_absent() {
    fault(Blocker::RemoteHelp, Condition::NotYetChecked, What::ProgramsUnread, &[], |m| m.remove("/proc/1/comm"));
    fault(Blocker::RemoteHelp, Condition::NotYetChecked, What::ProgramsUnread, &[], |m| m.remove("/proc/net/tcp"));
}

#[test]
fn k2_6_a_disk_is_encrypted_only_when_everything_below_it_is() {
    let plain = |name: &str, spoil: &dyn Fn(&Machine)| {
        fault(Blocker::DiskEncryption, Condition::Fails, What::DataPlain, &[name], spoil);
    };
    let one = "/sys/dev/block/253:1";
    plain("sda2", &|m| {
        m.write("/proc/self/mountinfo", "27 1 8:2 / / rw - ext4 /dev/sda2 rw\n");
        m.write("/sys/dev/block/8:2/uevent", "DEVNAME=sda2\n");
    });
    // One of two halves, checked but not encrypted, a volume on a plain disk, a file on a plain disk.
    plain("sdb1", &|m| m.write(&format!("{one}/slaves/sdb1/uevent"), "DEVNAME=sdb1\n"));
    plain("dm-0", &|m| m.write(&format!("{one}/slaves/dm-0/dm/uuid"), "CRYPT-VERITY-0123-root\n"));
    plain("sda2", &|m| {
        m.write(
            "/proc/self/mountinfo",
            &format!(
                "{MOUNTS}30 27 7:0 / {} rw - ext4 /dev/loop0 rw\n30 27 8:2 / /img rw - ext4 x rw\n",
                m.data().display()
            ),
        );
        m.write("/sys/dev/block/7:0/uevent", "DEVNAME=loop0\n");
        m.write("/sys/dev/block/7:0/loop/backing_file", "/img/disk\n");
        m.write("/sys/dev/block/8:2/uevent", "DEVNAME=sda2\n");
    });
    for (file, text) in [
        ("/proc/self/mountinfo", "27 1 0:40 / / rw - overlay overlay rw,lowerdir=/x\n"),
        ("/proc/self/mountinfo", "27 1 0:41 / / rw - nfs4 server:/x rw\n"),
        ("/proc/self/mountinfo", "27 1 9:9 / / rw - ext4 /dev/unknown rw\n"),
        ("/proc/self/mountinfo", ""),
    ] {
        fault(Blocker::DiskEncryption, Condition::NotYetChecked, What::DiskUnread, &[], |m| m.write(file, text));
    }
}

#[test]
fn k2_6_btrfs_memory_and_mapped_names_are_followed() {
    for (mounts, device) in [
        ("27 1 0:30 /@ / rw - btrfs /dev/mapper/cryptswap rw\n", "dm-2"),
        ("27 1 0:30 / / rw - tmpfs tmpfs rw\n", ""),
        ("27 1 8:2 / / rw - ext4 /dev/sda2 rw\n28 27 253:1 / /tmp rw - ext4 /dev/mapper/tmp rw\n", "dm-1"),
    ] {
        let machine = Machine::sound();
        if device == "dm-1" && !machine.data().starts_with("/tmp") {
            continue;
        }
        machine.write("/proc/self/mountinfo", mounts);
        if mounts.contains("btrfs") {
            machine.write("/sys/fs/btrfs/0123/devices/dm-2/x", "");
        }
        assert_eq!(machine.report().condition(Blocker::DiskEncryption), Condition::Holds, "{mounts}");
    }
}

#[test]
fn k2_6_a_file_system_over_several_devices_is_as_well_kept_as_the_worst_of_them() {
    let mounted = "27 1 0:30 /@ / rw - btrfs /dev/mapper/cryptswap rw\n";
    fault(Blocker::DiskEncryption, Condition::Fails, What::DataPlain, &["sdb1"], |m| {
        m.write("/proc/self/mountinfo", mounted);
        m.write("/sys/fs/btrfs/0123/devices/dm-2/x", "");
        m.write("/sys/fs/btrfs/0123/devices/sdb1/x", "");
        m.write("/sys/class/block/sdb1/uevent", "DEVNAME=sdb1\n");
    });
    // One of them cannot be told.
    fault(Blocker::DiskEncryption, Condition::NotYetChecked, What::DiskUnread, &[], |m| {
        m.write("/proc/self/mountinfo", mounted);
        m.write("/sys/fs/btrfs/0123/devices/dm-2/x", "");
        m.write("/sys/fs/btrfs/0123/devices/sdc1/x", "");
    });
    // The kernel lists no file system that the device named belongs to, or another one only: there may be more devices.
    for listed in [None, Some("sdc1")] {
        fault(Blocker::DiskEncryption, Condition::NotYetChecked, What::DiskUnread, &[], |m| {
            m.write("/proc/self/mountinfo", mounted);
            if let Some(other) = listed {
                m.write(&format!("/sys/fs/btrfs/0123/devices/{other}/x"), "");
            }
        });
    }
}

#[test]
fn k2_6_plain_swap_is_found_and_compressed_memory_is_not_swap() {
    let swaps = |line: &str| format!("Filename\tType\tSize\tUsed\tPriority\n{line}\n");
    fault(Blocker::DiskEncryption, Condition::Fails, What::SwapPlain, &["sda3"], |m| {
        m.write("/proc/swaps", &swaps("/dev/sda3 partition 1000 0 -2"));
        m.write("/sys/class/block/sda3/uevent", "DEVNAME=sda3\n");
    });
    let machine = Machine::sound();
    machine.write("/proc/swaps", &swaps("/dev/zram0 partition 1000 0 -2\n/swapfile file 1000 0 -3"));
    machine.write("/sys/class/block/zram0/uevent", "DEVNAME=zram0\n");
    assert_eq!(
        machine.report().condition(Blocker::DiskEncryption),
        Condition::Holds,
        "the file lies on the encrypted disk"
    );
    fault(Blocker::DiskEncryption, Condition::NotYetChecked, What::DiskUnread, &[], |m| {
        m.write("/proc/swaps", &swaps("/dev/nothing partition 1000 0 -2"));
    });
}

#[test]
fn k2_14_a_login_without_a_password_is_found() {
    let uid = |m: &Machine| fs::metadata(m.data()).unwrap().uid();
    let accounts = |m: &Machine, own: &str, other: &str| {
        m.write(
            "/etc/passwd",
            &format!("a:x:{}:0::/home/desk:/bin/bash\nb:x:4242:0::/h:/bin/sh\nd:x:1:1::/:/usr/sbin/nologin\n", uid(m)),
        );
        m.write("/etc/shadow", &format!("a:{own}:1::::::\nb:{other}:1::::::\nd::1::::::\n"));
    };
    for (own, other) in [("", "$y$x"), ("!", "$y$x"), ("*", "$y$x"), ("!$y$x", "$y$x"), ("$y$x", "")] {
        fault(Blocker::LoginPassword, Condition::Fails, What::NoPassword, &[], |m| accounts(m, own, other));
    }
    let machine = Machine::sound();
    accounts(&machine, "$y$x", "!");
    assert_eq!(machine.report().condition(Blocker::LoginPassword), Condition::Holds, "others may be locked");
    // Without the shadow file a prepared machine has nobody to ask; an account of a directory service is in no file.
    fault(Blocker::LoginPassword, Condition::NotYetChecked, What::LoginUnread, &[], |m| m.remove("/etc/shadow"));
    fault(Blocker::LoginPassword, Condition::NotYetChecked, What::LoginUnread, &[], |m| {
        m.write("/etc/passwd", "other:x:4242:0::/home/desk:/bin/bash\n");
        m.write("/etc/xdg/kscreenlockerrc", "Autolock=true\n");
    });
}

#[test]
fn k2_7_automatic_login_of_every_known_manager_is_found() {
    for (program, file, text) in [
        ("gdm", "/etc/gdm3/daemon.conf", "[daemon]\nAutomaticLoginEnable = True\nAutomaticLogin=desk\n"),
        ("gdm", "/etc/gdm/custom.conf", "[daemon]\nTimedLoginEnable=true\n"),
        ("lightdm", "/etc/lightdm/lightdm.conf", "[Seat:*]\nautologin-user=desk\n"),
        ("lightdm", "/etc/lightdm/lightdm.conf.d/50.conf", "autologin-user = desk\n"),
        ("sddm", "/etc/sddm.conf", "[Autologin]\nUser=desk\n"),
        ("lxdm", "/etc/lxdm/lxdm.conf", "[base]\nautologin=desk\n"),
        (
            "console",
            "/etc/systemd/system/getty@tty1.service.d/a.conf",
            "[Service]\nExecStart=-/sbin/agetty --autologin desk %I\n",
        ),
        ("greetd", "/etc/greetd/config.toml", "[initial_session]\ncommand = \"sway\"\n"),
        ("nopasswdlogin", "/etc/group", "nopasswdlogin:x:110:desk\n"),
    ] {
        fault(Blocker::LoginPassword, Condition::Fails, What::AutomaticLogin, &[program], |m| m.write(file, text));
    }
    for (file, text) in [
        ("/etc/gdm3/daemon.conf", "#AutomaticLoginEnable = true\nAutomaticLoginEnable=false\n"),
        ("/etc/lightdm/lightdm.conf", "#autologin-user=desk\nautologin-user=\n"),
        ("/etc/sddm.conf", "[Autologin]\nUser=\n"),
    ] {
        let machine = Machine::sound();
        machine.write(file, text);
        assert_eq!(machine.report().condition(Blocker::LoginPassword), Condition::Holds, "{text}");
    }
}

#[test]
fn k2_14_a_screen_that_never_locks_is_found_where_the_settings_say_so() {
    for (file, text) in [
        ("/home/desk/.config/kscreenlockerrc", "[Daemon]\nAutolock=false\n"),
        ("/home/desk/.xscreensaver", "timeout: 0:05:00\nlock: False\n"),
        ("/etc/dconf/db/local.d/00-lock", "[org/gnome/desktop/screensaver]\nlock-enabled=false\n"),
        ("/etc/dconf/db/local.d/00-lock", "[org/gnome/desktop/session]\nidle-delay=uint32 0\n"),
    ] {
        fault(Blocker::LoginPassword, Condition::Fails, What::ScreenNeverLocks, &[], |m| m.write(file, text));
    }
    let machine = Machine::sound();
    machine.remove("/home/desk/.config/kscreenlockerrc");
    let report = machine.report();
    assert!(report.findings.iter().any(|f| f.what == What::ScreenLockUnread) && report.lets_faces());
}

#[test]
fn l2_a_program_that_poses_as_a_camera_is_found() {
    for (name, device) in [
        ("OBS Virtual Camera", "devices/virtual"),
        ("HD Webcam", "devices/virtual"),
        ("vivid-000-vid-cap", "devices/platform/vivid.0"),
    ] {
        fault(Blocker::MachineState, Condition::Fails, What::VirtualCameraThere, &[name], |m| {
            m.camera("video9", name, device);
        });
    }
    let report = judge(&Linux::at_root(&Machine::sound().root(), Path::new("/")).check(), &Before::default());
    assert_ne!(report.condition(Blocker::MachineState), Condition::Holds, "no machine, no cameras");
}

#[test]
fn files_that_other_accounts_reach_are_found() {
    let mode = |path: PathBuf, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    fault(Blocker::MachineState, Condition::Fails, What::FilesOpen, &[], |m| mode(m.data(), 0o755));
    fault(Blocker::MachineState, Condition::Fails, What::FilesOpen, &[], |m| mode(m.data(), 0o710));
    let machine = Machine::sound();
    fs::write(machine.data().join("vault.db"), "x").unwrap();
    mode(machine.data().join("vault.db"), 0o644);
    assert_eq!(machine.report().condition(Blocker::MachineState), Condition::Holds, "nobody passes the closed folder");
    fault(Blocker::MachineState, Condition::NotYetChecked, What::FilesUnread, &[], |m| {
        fs::remove_dir(m.data()).unwrap()
    });
    let machine = Machine::sound();
    if std::os::unix::fs::chown(machine.data(), Some(4242), None).is_ok() {
        let report = machine.report();
        assert!(report.findings.iter().any(|f| f.what == What::FilesOfOthers), "{:?}", report.findings);
    }
}

#[test]
fn this_machine_is_read_and_what_it_shows_agrees_with_its_own_programs() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = super::this_machine(folder.path());
    machine.check();
    let start = std::time::Instant::now();
    let facts = machine.check();
    println!("one look at this machine: {} ms", start.elapsed().as_millis());
    let run = |program: &str, args: &[&str]| {
        let said = std::process::Command::new(program).args(args).output().ok()?;
        Some(String::from_utf8_lossy(&said.stdout).into_owned())
    };
    if let Some(routes) = run("ip", &["route", "show", "default"]) {
        let out = facts.routes_out.value().expect("routes are read");
        let interface = routes.split(" dev ").nth(1).and_then(|rest| rest.split_whitespace().next());
        assert!(interface.is_none_or(|interface| out.iter().any(|o| o == interface)), "{routes}: {out:?}");
    }
    let said = run("df", &["--output=avail", "-B1", &folder.path().to_string_lossy()]).expect("df");
    let free: u64 = said.lines().nth(1).and_then(|l| l.trim().parse().ok()).expect("df says bytes");
    let ours = *facts.free_bytes.value().expect("room is read");
    assert!(ours.abs_diff(free) < 1 << 30, "{ours} {free}");
    assert!(facts.uptime_ms.value().is_some_and(|ms| *ms > 0));
    assert!(facts.helpers.value().is_some(), "processes are listed");
}

#[test]
fn passwd_status_is_read_as_it_is_printed() {
    for (said, usable) in [
        ("desk P 2026-01-05 0 99999 7 -1\n", Some(true)),
        ("desk NP 2026-01-05 0 99999 7 -1\n", Some(false)),
        ("desk L 2026-01-05 0 99999 7 -1\n", Some(false)),
        ("passwd: permission denied\n", None),
        ("", None),
    ] {
        assert_eq!(super::login::status(said), usable, "{said}");
    }
}

/// The grade that a prepared machine gets, and the names that are said with it.
fn graded(check: Check, spoil: impl FnOnce(&Machine)) -> (Grade, Vec<String>) {
    let machine = Machine::sound();
    assert_eq!(machine.report().grade(check), Grade::Well, "{check:?}: sound before");
    spoil(&machine);
    let report = machine.report();
    let worst = report.findings.iter().filter(|f| f.what.check() == check).max_by_key(|f| f.what.grade());
    (report.grade(check), worst.map(|f| f.names.clone()).unwrap_or_default())
}

#[test]
fn k2_12_every_known_program_and_port_is_graded_by_what_it_is_for() {
    let grade = |kind: HelperKind| match kind {
        HelperKind::RemoteHelp => Grade::Stop,
        HelperKind::Sharing => Grade::CardOnly,
        HelperKind::RemoteShell => Grade::Warn,
    };
    for program in KNOWN {
        for name in program.begins.iter().chain(program.is) {
            let found = graded(Check::RemoteHelp, |m| m.process(70, name, &format!("/opt/x/{name}"), name));
            assert_eq!(found, (grade(program.kind), vec![program.name.to_owned()]), "{name}");
        }
    }
    for (port, name, kind) in PORTS {
        let line = format!("{TCP_HEAD}   0: 00000000:{port:04X} 00000000:0000 0A 0:0 00:0 0 0 0 1\n");
        let found = graded(Check::RemoteHelp, |m| m.write("/proc/net/tcp", &line));
        assert_eq!(found, (grade(*kind), vec![(*name).to_owned()]), "port {port}");
    }
    for name in ["向日葵 Sunlogin", "ToDesk", "TeamViewer", "AnyDesk", "RustDesk"] {
        assert!(KNOWN.iter().any(|known| known.name == name && known.kind == HelperKind::RemoteHelp), "{name}");
    }
    for name in ["RDP", "VNC"] {
        assert!(PORTS.iter().any(|(_, known, kind)| *known == name && *kind == HelperKind::RemoteHelp), "{name}");
    }
}

#[test]
fn every_other_item_that_is_watched_has_its_grade_through_the_adapter() {
    let is = |check: Check, grade: Grade, names: &[&str], spoil: &dyn Fn(&Machine)| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(graded(check, spoil), (grade, names), "{check:?}");
    };
    is(Check::Internet, Grade::Stop, &["eth0"], &|m| {
        let way_out = "eth0\t00000000\t010AA8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
        m.write("/proc/net/route", &format!("{ROUTE_HEAD}{LAN_ROUTE}{way_out}"));
    });
    is(Check::Disk, Grade::CardOnly, &["dm-0"], &|m| m.write("/sys/dev/block/253:1/slaves/dm-0/dm/uuid", "LVM-abc\n"));
    is(Check::Disk, Grade::CardOnly, &["dm-2"], &|m| m.write("/sys/class/block/dm-2/dm/uuid", "LVM-abc\n"));
    is(Check::Login, Grade::CardOnly, &[], &|m| {
        m.write("/etc/passwd", "root:x:0:0::/home/desk:/bin/bash\nguest:x:9000:9000::/home/guest:/bin/bash\n");
        m.write("/etc/shadow", "root:$y$j9T$abc:1::::::\nguest::1::::::\n");
    });
    is(Check::ScreenLock, Grade::CardOnly, &[], &|m| {
        m.write("/home/desk/.config/kscreenlockerrc", "[Daemon]\nAutolock=false\n");
    });
    is(Check::VirtualCamera, Grade::Stop, &["OBS Virtual Camera"], &|m| {
        m.camera("video9", "OBS Virtual Camera", "devices/virtual");
    });
    is(Check::Files, Grade::CardOnly, &[], &|m| {
        fs::set_permissions(m.data(), fs::Permissions::from_mode(0o755)).unwrap();
    });
}

#[test]
fn the_clock_the_room_and_a_strange_camera_are_graded_through_the_adapter() {
    let machine = Machine::sound();
    let look = |before: &Before| judge(&Linux::at_root(&machine.root(), &machine.data()).check(), before);
    let found = |report: &crate::domain::posture::PostureReport, check: Check| {
        let of_it: Vec<(What, Grade)> =
            report.findings.iter().filter(|f| f.what.check() == check).map(|f| (f.what, f.what.grade())).collect();
        of_it
    };
    // The machine says 3,600.25 s since its start.
    let now = Timestamp::from_ms(1_800_000_000_000);
    let facts = Linux::at_root(&machine.root(), &machine.data()).check();
    let first =
        Before { now, booted_at: booted_at(&facts, now), cameras: facts.cameras.value().cloned(), ..Before::default() };
    assert_eq!(first.booted_at, Some(now.plus_ms(-3_600_250)));
    assert_eq!(found(&look(&first), Check::Clock), [(What::ClockSound, Grade::Well)]);
    let behind = Before { latest_record: Some(now.plus_ms(3_600_000)), ..first.clone() };
    assert_eq!(found(&look(&behind), Check::Clock), [(What::ClockBehind, Grade::CardOnly)]);
    // Ten minutes by the machine's own count, two hours by the clock.
    machine.write("/proc/uptime", "4200.25 100.00\n");
    let set = Before { now: now.plus_ms(7_200_000), ..first.clone() };
    assert_eq!(found(&look(&set), Check::Clock), [(What::ClockMoved, Grade::Warn)]);
    let ran = Before { now: now.plus_ms(600_000), ..first.clone() };
    assert_eq!(found(&look(&ran), Check::Clock), [(What::ClockSound, Grade::Well)]);

    // No room at all: the kernel's own file system has none.
    let full = judge(&Linux::at_root(&machine.root(), Path::new("/proc")).check(), &Before::default());
    assert_eq!(found(&full, Check::Room), [(What::RoomLittle, Grade::Warn)]);

    let before = Before { now: ran.now, ..first };
    assert_eq!(found(&look(&before), Check::Cameras), [(What::CamerasAsBefore, Grade::Well)]);
    machine.camera("video2", "USB 2.0 Camera", "devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0");
    let report = look(&before);
    assert_eq!(found(&report, Check::Cameras), [(What::CameraAppeared, Grade::Warn)]);
    let strange: Vec<(&str, &str)> = report.strangers.iter().map(|c| (c.name.as_str(), c.place.as_str())).collect();
    assert_eq!(strange, [("USB 2.0 Camera", "devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0")]);
    let gone = Before { cameras: Some(report.strangers.clone()), ..before };
    assert_eq!(look(&gone).strangers.len(), 1, "another one is accepted, this one is not");
}

/// A machine whose data folder is on a volume of one disk, with a second disk, a stick and memory beside it.
fn with_disks() -> (Machine, std::path::PathBuf) {
    let machine = Machine::sound();
    let away = machine.data().parent().unwrap().join("away");
    fs::create_dir(&away).unwrap();
    let disk = |path: &str, name: &str, parts: &[&str]| {
        machine.write(&format!("/sys/devices/{path}/uevent"), &format!("DEVNAME={name}\n"));
        for part in parts {
            machine.write(&format!("/sys/devices/{path}/{part}/uevent"), &format!("DEVNAME={part}\n"));
            machine.write(&format!("/sys/devices/{path}/{part}/partition"), "1\n");
        }
    };
    disk("pci/sda", "sda", &["sda1", "sda2", "sda3"]);
    disk("pci/usb/sdb", "sdb", &["sdb1"]);
    for (link, to) in [
        ("/sys/dev/block/8:1", "pci/sda/sda1"),
        ("/sys/dev/block/8:3", "pci/sda/sda3"),
        ("/sys/dev/block/8:17", "pci/usb/sdb/sdb1"),
        ("/sys/class/block/sda3", "pci/sda/sda3"),
        ("/sys/class/block/sdb1", "pci/usb/sdb/sdb1"),
        ("/sys/dev/block/253:1/slaves/dm-0/slaves/sda2", "pci/sda/sda2"),
    ] {
        let link = machine.root().join(link.trim_start_matches('/'));
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(machine.root().join("sys/devices").join(to), link).unwrap();
    }
    (machine, away)
}

#[test]
fn a_key_is_apart_from_the_vault_only_on_another_disk() {
    let (machine, away) = with_disks();
    let mounted = |line: &str| {
        let line = line.replace("AT", away.to_str().unwrap());
        machine.write("/proc/self/mountinfo", &format!("{MOUNTS}{line}"));
        Linux::at_root(&machine.root(), &machine.data()).is_apart(&away.join("sheet.pdf"))
    };
    let apart = ["40 27 8:17 / AT rw - vfat /dev/sdb1 rw\n", "40 27 0:50 / AT rw - tmpfs tmpfs rw\n"];
    let apart = apart.into_iter().chain(["40 27 0:51 / AT rw - fuseblk /dev/sdb1 rw\n"]);
    for line in apart {
        assert!(mounted(line), "{line}");
    }
    // The same file system, another partition of the disk, its own volume in btrfs, over FUSE, and what cannot be told.
    for line in [
        "",
        "40 27 8:1 / AT rw - ext4 /dev/sda1 rw\n",
        "40 27 253:1 /sub AT rw - ext4 /dev/mapper/root rw\n",
        "40 27 0:52 /@keys AT rw - btrfs /dev/sda3 rw\n",
        "40 27 0:53 / AT rw - fuseblk /dev/sda3 rw\n",
        "40 27 0:54 / AT rw - nfs4 server:/x rw\n",
        "40 27 9:9 / AT rw - ext4 /dev/unknown rw\n",
    ] {
        assert!(!mounted(line), "{line}");
    }
    // A file system over two disks, one of which is the vault's; and an image file that lies on it.
    machine.write("/sys/fs/btrfs/0123/devices/sdb1/x", "");
    assert!(mounted("40 27 0:52 / AT rw - btrfs /dev/sdb1 rw\n"), "alone on the stick");
    machine.write("/sys/fs/btrfs/0123/devices/sda3/x", "");
    assert!(!mounted("40 27 0:52 / AT rw - btrfs /dev/sdb1 rw\n"), "half of it is on the vault's disk");
    machine.write("/sys/dev/block/7:0/loop/backing_file", &format!("{}/img\n", machine.data().display()));
    assert!(!mounted("40 27 7:0 / AT rw - ext4 /dev/loop0 rw\n"));
    machine.write("/proc/self/mountinfo", "");
    assert!(!Linux::at_root(&machine.root(), &machine.data()).is_apart(&away.join("sheet.pdf")));
    assert!(!Linux::at_root(&machine.root(), &machine.data()).is_apart(&machine.data().join("sheet.pdf")));
}

#[test]
fn l2_a_camera_is_known_by_its_serial_number_where_it_states_one() {
    let machine = Machine::sound();
    let place = |machine: &Machine| {
        let facts = Linux::at_root(&machine.root(), &machine.data()).check();
        facts.cameras.value().unwrap()[0].place.clone()
    };
    let socket = "devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0";
    assert_eq!(place(&machine), socket);
    let serial = format!("/sys/{}/serial", socket.rsplit_once('/').unwrap().0);
    machine.write(&serial, "SN/0042\n");
    assert_eq!(place(&machine), format!("{socket} serial SN0042"));
    // Factories that give every device the same nothing.
    machine.write(&serial, "0000\n");
    assert_eq!(place(&machine), socket);
}
