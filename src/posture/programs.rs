//! The programs for help from afar that are known by name, and the ports they usually listen at. Rule K2-12.
//!
//! A renamed program escapes the names; its port, service or menu entry may still give it away. This is a check against forgetting, not
//! against an enemy who owns the machine.

use crate::domain::posture::HelperKind;

/// A program by the names of its processes, files, services and menu entries.
pub(super) struct Known {
    /// What people call it.
    pub(super) name: &'static str,
    /// What it is for.
    pub(super) kind: HelperKind,
    /// Lower case; a name that begins so is it.
    pub(super) begins: &'static [&'static str],
    /// Lower case; a name that is exactly this, without its ending, is it.
    pub(super) is: &'static [&'static str],
}

const fn help(name: &'static str, begins: &'static [&'static str], is: &'static [&'static str]) -> Known {
    Known { name, kind: HelperKind::RemoteHelp, begins, is }
}

const fn sharing(name: &'static str, begins: &'static [&'static str], is: &'static [&'static str]) -> Known {
    Known { name, kind: HelperKind::Sharing, begins, is }
}

/// The list. Kept by hand; add what is met in the field.
pub(super) const KNOWN: &[Known] = &[
    help(
        "向日葵 Sunlogin",
        &["sunlogin", "oray_", "awesun", "slclient", "com.oray"],
        &["slservice", "oray", "oraynewph"],
    ),
    help("ToDesk", &["todesk", "com.youqu.todesk"], &[]),
    help("TeamViewer", &["teamviewer", "com.teamviewer"], &["tv_bin"]),
    help("AnyDesk", &["anydesk", "com.anydesk"], &[]),
    help("RustDesk", &["rustdesk", "com.rustdesk"], &[]),
    help("网易UU远程 GameViewer", &["gameviewer", "uuremote"], &[]),
    help("贝锐 AweRay", &["aweray"], &[]),
    help("RealVNC", &["vncserver", "realvnc", "vncagent"], &[]),
    help("TigerVNC", &["xtigervnc", "tigervnc", "x0tigervnc", "x0vncserver", "xvnc"], &[]),
    help("TightVNC", &["tightvnc", "xtightvnc", "tvnserver"], &[]),
    help("UltraVNC", &["ultravnc", "winvnc", "uvnc_service"], &[]),
    help("x11vnc", &["x11vnc"], &[]),
    help("wayvnc", &["wayvnc"], &[]),
    help("xrdp", &["xrdp"], &[]),
    help("NoMachine", &["nxserver", "nxnode", "nxclient", "nomachine"], &["nxd"]),
    help("Splashtop", &["splashtop", "srserver", "srmanager"], &[]),
    // Not `parsec`: so is called the service of the same name that stands before a security chip.
    help("Parsec", &["com.parsecgaming"], &["parsecd"]),
    help("Chrome Remote Desktop", &["chrome-remote-desktop", "remoting_host"], &[]),
    help("DWService", &["dwagent", "dwagsvc"], &[]),
    help("MeshCentral", &["meshagent"], &[]),
    help("LogMeIn", &["logmein", "lmiguardian"], &[]),
    help("ScreenConnect", &["screenconnect", "connectwisecontrol"], &[]),
    help("Zoho Assist", &["zohoassist", "za_connect"], &[]),
    help("Remote Utilities", &["rutserv", "rfusclient"], &[]),
    help("Radmin", &["radmin"], &["rserver3"]),
    help("Ammyy Admin", &["ammyy", "aa_v3"], &[]),
    help("Supremo", &["supremo"], &[]),
    help("Sunshine", &[], &["sunshine", "dev.lizardbyte.app.sunshine"]),
    help("HopToDesk", &["hoptodesk"], &[]),
    help("Quick Assist", &["quickassist"], &["msra"]),
    help("weston-rdp", &["weston-rdp"], &[]),
    sharing("GNOME Remote Desktop", &["gnome-remote-desktop", "grd-daemon"], &[]),
    sharing("KDE krfb", &["krfb", "krdp"], &["org.kde.krfb"]),
    sharing("Vino", &["vino-server"], &["vino", "org.gnome.vino"]),
    sharing("腾讯会议 Tencent Meeting", &["wemeet"], &[]),
    sharing("钉钉 DingTalk", &["dingtalk", "com.alibabainc.dingtalk"], &[]),
    sharing("飞书 Feishu", &["feishu", "bytedance-feishu"], &["lark", "bytedance-lark", "com.larksuite.lark"]),
    sharing("Zoom", &["zoom-client", "us.zoom"], &["zoom"]),
    sharing("QQ", &["linuxqq"], &["qq", "com.qq.im.deepin"]),
    sharing("微信 WeChat", &["wechat", "weixin", "com.tencent.wechat"], &[]),
    sharing("Microsoft Teams", &["ms-teams", "teams-for-linux"], &["teams"]),
    Known { name: "SSH", kind: HelperKind::RemoteShell, begins: &[], is: &["sshd", "dropbear"] },
];

/// Ports by which a program is known even when its name is changed.
pub(super) const PORTS: &[(u16, &str, HelperKind)] = &[
    (22, "SSH", HelperKind::RemoteShell),
    (3389, "RDP", HelperKind::RemoteHelp),
    (3350, "xrdp", HelperKind::RemoteHelp),
    (4000, "NoMachine", HelperKind::RemoteHelp),
    (5500, "VNC", HelperKind::RemoteHelp),
    (5800, "VNC", HelperKind::RemoteHelp),
    (5900, "VNC", HelperKind::RemoteHelp),
    (5901, "VNC", HelperKind::RemoteHelp),
    (5902, "VNC", HelperKind::RemoteHelp),
    (5903, "VNC", HelperKind::RemoteHelp),
    (5938, "TeamViewer", HelperKind::RemoteHelp),
    (5939, "TeamViewer", HelperKind::RemoteHelp),
    (6783, "Splashtop", HelperKind::RemoteHelp),
    (7070, "AnyDesk", HelperKind::RemoteHelp),
    (21118, "RustDesk", HelperKind::RemoteHelp),
    (47984, "Sunshine", HelperKind::RemoteHelp),
    (47989, "Sunshine", HelperKind::RemoteHelp),
];

/// Endings of services, menu entries and programs.
const ENDINGS: [&str; 6] = [".service", ".socket", ".desktop", ".exe", ".appimage", ".bin"];

/// Which program goes by this name: of a process, a file, a service or a menu entry.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    let lower = name.trim().to_lowercase();
    let bare = ENDINGS.iter().find_map(|ending| lower.strip_suffix(ending)).unwrap_or(&lower);
    KNOWN.iter().find(|known| known.is.contains(&bare) || known.begins.iter().any(|b| bare.starts_with(b)))
}

/// Which program usually listens at this port.
pub(super) fn at_port(port: u16) -> Option<(&'static str, HelperKind)> {
    PORTS.iter().find(|(known, ..)| *known == port).map(|(_, name, kind)| (*name, *kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k2_12_programs_are_known_by_their_processes_services_and_menu_entries() {
        for (name, known_as) in [
            ("sunloginclient", "向日葵 Sunlogin"),
            ("SunloginClient.exe", "向日葵 Sunlogin"),
            ("ToDesk_Service", "ToDesk"),
            ("todeskd.service", "ToDesk"),
            ("teamviewerd", "TeamViewer"),
            ("com.teamviewer.TeamViewer.desktop", "TeamViewer"),
            ("anydesk.service", "AnyDesk"),
            ("rustdesk", "RustDesk"),
            ("x11vnc", "x11vnc"),
            ("xrdp-sesman", "xrdp"),
            ("gnome-remote-desktop-daemon", "GNOME Remote Desktop"),
            ("Xtigervnc", "TigerVNC"),
            ("wemeetapp", "腾讯会议 Tencent Meeting"),
            ("sshd", "SSH"),
            ("parsecd", "Parsec"),
            ("com.parsecgaming.parsec.desktop", "Parsec"),
            ("oray_rundaemon", "向日葵 Sunlogin"),
            ("vino-server.desktop", "Vino"),
            ("Lark.exe", "飞书 Feishu"),
        ] {
            assert_eq!(known(name).map(|k| k.name), Some(known_as), "{name}");
        }
    }

    #[test]
    fn ordinary_programs_are_not_taken_for_them() {
        for name in
            ["menka", "menka-gate", "Xorg", "Xvfb", "openbox", "zoomer", "ssh-agent", "qqwing", "bash", "msrad", ""]
                .into_iter()
                .chain(["parsec", "parsec.service", "parsec-tool", "larkspur", "vinotheque", "orayon"])
        {
            assert!(known(name).is_none(), "{name}");
        }
        assert_eq!(at_port(443), None);
    }
}
