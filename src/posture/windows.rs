//! One look at a Windows machine, by the PowerShell that ships with it.
//!
//! Never run on Windows so far. What it reads is therefore [`Reading::Unverified`]: a route out, a remote-help program or a disk that is not
//! encrypted keeps face entry off; the absence of one does not open it. Type-checked and its answers' reader tested on every system.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::beyond::{leads_out4, leads_out6};
use super::programs::{at_port, known};
use crate::domain::posture::{
    CameraSeen, FileAccess, Helper, HelperKind, HelperSeen, Login, MachineFacts, Reading, Storage,
};
use crate::ports::Posture;
use crate::wire::address::is_lan;

/// One look at this machine, made on a thread of its own since PowerShell takes seconds to start.
#[derive(Debug)]
pub(super) struct Windows {
    data: PathBuf,
    latest: Arc<Mutex<Latest>>,
}

#[derive(Debug)]
struct Latest {
    facts: MachineFacts,
    asked_at: Option<Instant>,
    is_asking: bool,
}

/// Pause between two questions.
const ASK_EVERY: Duration = Duration::from_secs(20);

impl Windows {
    /// This machine; the first question goes out at once.
    pub(super) fn new(data: &Path) -> Self {
        let latest = Latest { facts: MachineFacts::unread(), asked_at: None, is_asking: false };
        let windows = Self { data: data.to_owned(), latest: Arc::new(Mutex::new(latest)) };
        windows.ask();
        windows
    }

    fn ask(&self) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = latest.asked_at.is_some_and(|at| at.elapsed() < ASK_EVERY);
        if latest.is_asking || fresh {
            return;
        }
        latest.is_asking = true;
        let (keep, data) = (Arc::clone(&self.latest), self.data.clone());
        let asked = std::thread::Builder::new().name("posture".into()).spawn(move || {
            let facts = said(&data).as_deref().map_or_else(MachineFacts::unread, facts);
            let mut latest = keep.lock().unwrap_or_else(PoisonError::into_inner);
            *latest = Latest { facts, asked_at: Some(Instant::now()), is_asking: false };
        });
        if asked.is_err() {
            latest.is_asking = false;
        }
    }
}

impl Posture for Windows {
    fn check(&mut self) -> MachineFacts {
        self.ask();
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).facts.clone()
    }

    /// By the letter of the drive: two letters of one disk are not told apart from two disks.
    fn is_apart(&self, path: &Path) -> bool {
        let drive = |folder: &Path| {
            let whole = std::fs::canonicalize(folder).ok()?;
            whole.components().next().map(|first| first.as_os_str().to_owned())
        };
        match (drive(super::folder_of(path)), drive(&self.data)) {
            (Some(there), Some(here)) => there != here,
            _ => false,
        }
    }
}

/// What PowerShell said, as JSON.
fn said(data: &Path) -> Option<String> {
    let run = std::process::Command::new("powershell.exe")
        .args(["-NoProfile", "-NonInteractive", "-Command", SCRIPT])
        .env("MENKA_DATA", data)
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    run.status.success().then(|| String::from_utf8_lossy(&run.stdout).into_owned())
}

/// Every part in a `try` of its own: what fails is left out and stays unread. Nothing newer than the PowerShell 5.1 that every Windows 10 has.
///
/// `pages` is where memory comes to rest: the drives of page files, and the system's, where the file for hibernation is. `files` counts what
/// somebody besides this account, the system and administrators may reach, and what belongs to another account.
const SCRIPT: &str = r#"
$o = @{}
function Part($name, $code) { try { $o[$name] = @(& $code | Where-Object { $null -ne $_ }) } catch { } }
function Guard($drive) { "$drive " + (New-Object -ComObject Shell.Application).NameSpace($drive).Self.ExtendedProperty('System.Volume.BitLockerProtection') }
[Console]::OutputEncoding = [Text.Encoding]::UTF8
Part 'system' { (Get-CimInstance Win32_OperatingSystem).Caption }
Part 'routes' { Get-NetRoute -ErrorAction Stop | ForEach-Object { $_.DestinationPrefix + '|' + $_.InterfaceAlias } }
Part 'addresses' { Get-NetIPAddress -ErrorAction Stop | ForEach-Object { $_.IPAddress } }
Part 'processes' { Get-Process | ForEach-Object { $_.ProcessName } }
Part 'services' { Get-Service | ForEach-Object { $_.Name } }
Part 'ports' { Get-NetTCPConnection -State Listen -ErrorAction Stop | ForEach-Object { $_.LocalPort } | Sort-Object -Unique }
Part 'disk' { Guard (Split-Path -Qualifier $env:MENKA_DATA) }
Part 'pages' { @($env:SystemDrive) + @(Get-CimInstance Win32_PageFileUsage -ErrorAction Stop | ForEach-Object { Split-Path -Qualifier $_.Name }) | Sort-Object -Unique | ForEach-Object { Guard $_ } }
Part 'free' { [string](New-Object IO.DriveInfo (Split-Path -Qualifier $env:MENKA_DATA)).AvailableFreeSpace }
Part 'files' {
  $sid = [Security.Principal.SecurityIdentifier]
  $own = @([Security.Principal.WindowsIdentity]::GetCurrent().User.Value, 'S-1-5-18', 'S-1-5-32-544', 'S-1-3-0', 'S-1-3-4')
  $open = 0; $others = 0
  @(Get-Item -LiteralPath $env:MENKA_DATA -Force -ErrorAction Stop) + @(Get-ChildItem -LiteralPath $env:MENKA_DATA -Recurse -Force -ErrorAction Stop) | ForEach-Object {
    $acl = Get-Acl -LiteralPath $_.FullName -ErrorAction Stop
    if ($acl.GetAccessRules($true, $true, $sid) | Where-Object { $_.AccessControlType -eq 'Allow' -and $_.IdentityReference.Value -notin $own }) { $open++ }
    if ($acl.GetOwner($sid).Value -notin $own) { $others++ }
  }
  "$open $others"
}
Part 'autologin' { (Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon' -ErrorAction Stop).AutoAdminLogon }
Part 'password' { $a = Get-LocalUser -ErrorAction Stop | Where-Object { $_.SID -eq [Security.Principal.WindowsIdentity]::GetCurrent().User }; [string]$a.PasswordRequired }
Part 'locks' { (Get-ItemProperty 'HKCU:\Control Panel\Desktop' -ErrorAction Stop).ScreenSaverIsSecure }
Part 'cameras' { Get-CimInstance Win32_PnPEntity -Filter "PNPClass='Camera' OR PNPClass='Image'" -ErrorAction Stop | ForEach-Object { $_.Name + '|' + $_.PNPDeviceID } }
Part 'uptime' { [string][long](1000 * [Diagnostics.Stopwatch]::GetTimestamp() / [Diagnostics.Stopwatch]::Frequency) }
$o | ConvertTo-Json -Compress
"#;

/// A list in which PowerShell may say `null`, for a value of the registry that is not set.
fn without_nulls<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    let all = Option::<Vec<Option<T>>>::deserialize(from)?;
    Ok(all.map(|all| all.into_iter().flatten().collect()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    #[serde(deserialize_with = "without_nulls")]
    system: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    routes: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    addresses: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    processes: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    services: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    ports: Option<Vec<u16>>,
    #[serde(deserialize_with = "without_nulls")]
    disk: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    pages: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    free: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    files: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    autologin: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    password: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    locks: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    cameras: Option<Vec<String>>,
    #[serde(deserialize_with = "without_nulls")]
    uptime: Option<Vec<String>>,
}

/// Reads the answer. What is not in it, or not as expected, stays unread.
fn facts(json: &str) -> MachineFacts {
    let said: Said = serde_json::from_str(json.trim_start_matches('\u{feff}').trim()).unwrap_or_default();
    let first = |list: &Option<Vec<String>>| list.as_ref().and_then(|l| l.first()).map(|t| t.trim().to_owned());
    let disk = first(&said.disk).and_then(|text| storage(&text));
    let login = match (first(&said.password), first(&said.autologin)) {
        (Some(required), Some(automatic)) => Reading::Unverified(Login {
            without_password: 0,
            own_has_password: required.eq_ignore_ascii_case("true"),
            automatic: if automatic == "1" { vec!["Winlogon".into()] } else { vec![] },
        }),
        _ => Reading::Unread,
    };
    MachineFacts {
        system: first(&said.system).unwrap_or_else(|| "Windows".into()),
        routes_out: routes_out(&said),
        public_addresses: public_addresses(&said),
        helpers: helpers(&said),
        data_disk: disk.map_or(Reading::Unread, Reading::Unverified),
        plain_swaps: plain_swaps(&said),
        login,
        screen_locks: first(&said.locks).map_or(Reading::Unread, |locks| Reading::Unverified(locks == "1")),
        cameras: said
            .cameras
            .map_or(Reading::Unread, |list| Reading::Unverified(list.iter().map(|c| camera(c)).collect())),
        uptime_ms: said.uptime.and_then(|u| u.first()?.parse().ok()).map_or(Reading::Unread, Reading::Unverified),
        free_bytes: first(&said.free).and_then(|free| free.parse().ok()).map_or(Reading::Unread, Reading::Unverified),
        files: first(&said.files).and_then(|counts| access(&counts)).map_or(Reading::Unread, Reading::Unverified),
    }
}

/// What a drive's letter and its protection say: 1 on, 3 being encrypted, 5 suspended; 2 off.
fn storage(text: &str) -> Option<Storage> {
    let (drive, protection) = text.split_once(' ')?;
    match protection {
        "1" => Some(Storage::Encrypted),
        "2" | "3" | "4" | "5" => Some(Storage::Plain(drive.to_owned())),
        _ => None,
    }
}

/// Interfaces with a route beyond private addresses, whatever its length; unread when one line is none.
fn routes_out(said: &Said) -> Reading<Vec<String>> {
    let leads_out = |line: &String| {
        let (prefix, interface) = line.split_once('|')?;
        let (network, length) = prefix.split_once('/')?;
        let (length, bits): (u32, u32) = (length.parse().ok()?, if network.contains(':') { 128 } else { 32 });
        if length > bits {
            return None;
        }
        let out = match network.parse().ok()? {
            IpAddr::V4(network) => network == Ipv4Addr::UNSPECIFIED || leads_out4(network, length),
            IpAddr::V6(network) => network == Ipv6Addr::UNSPECIFIED || leads_out6(network, length),
        };
        Some(out.then(|| interface.to_owned()))
    };
    let lines: Option<Vec<_>> = said.routes.as_ref().and_then(|all| all.iter().map(leads_out).collect());
    let Some(lines) = lines else { return Reading::Unread };
    let mut out: Vec<String> = lines.into_iter().flatten().collect();
    out.sort();
    out.dedup();
    Reading::Unverified(out)
}

/// Addresses of this machine outside of the private ranges.
fn public_addresses(said: &Said) -> Reading<Vec<String>> {
    // An address of one link is followed by its interface: fe80::1%12.
    let address = |text: &String| text.split('%').next().and_then(|a| a.parse::<IpAddr>().ok());
    let all: Option<Vec<IpAddr>> = said.addresses.as_ref().and_then(|all| all.iter().map(address).collect());
    all.map_or(Reading::Unread, |all| {
        Reading::Unverified(all.into_iter().filter(|ip| !is_lan(*ip)).map(|ip| ip.to_string()).collect())
    })
}

/// Drives to which memory is written out and that are not encrypted.
fn plain_swaps(said: &Said) -> Reading<Vec<String>> {
    let drives: Option<Vec<Storage>> = said.pages.as_ref().and_then(|all| all.iter().map(|d| storage(d)).collect());
    let plain = |drive| if let Storage::Plain(name) = drive { Some(name) } else { None };
    drives.map_or(Reading::Unread, |drives| Reading::Unverified(drives.into_iter().filter_map(plain).collect()))
}

fn access(counts: &str) -> Option<FileAccess> {
    let (open, others) = counts.split_once(' ')?;
    Some(FileAccess { open_to_others: open.parse().ok()?, of_others: others.parse().ok()? })
}

fn helpers(said: &Said) -> Reading<Vec<Helper>> {
    let (Some(processes), Some(services)) = (&said.processes, &said.services) else { return Reading::Unread };
    let running = processes.iter().map(|name| (name, HelperSeen::Runs));
    let named = running.chain(services.iter().map(|name| (name, HelperSeen::Installed)));
    let named = named.filter_map(|(name, seen)| {
        let known = known(name)?;
        let silent = known.kind == HelperKind::RemoteShell && seen == HelperSeen::Installed;
        (!silent).then(|| Helper { name: known.name.to_owned(), kind: known.kind, seen })
    });
    let ports = said.ports.iter().flatten().filter_map(|port| at_port(*port));
    let listening = ports.map(|(name, kind)| Helper { name: name.to_owned(), kind, seen: HelperSeen::Listens });
    let mut found: Vec<Helper> = named.chain(listening).collect();
    found.sort();
    found.dedup();
    Reading::Unverified(found)
}

fn camera(line: &str) -> CameraSeen {
    let (name, place) = line.split_once('|').unwrap_or((line, ""));
    let is_device = place.starts_with("USB\\") || place.starts_with("PCI\\") || place.starts_with("ACPI\\");
    CameraSeen { name: name.to_owned(), place: place.to_owned(), is_virtual: !is_device }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::permit::{Blocker, Condition};
    use crate::domain::posture::{Before, MACHINE, What, judge};

    #[test]
    fn l1_without_an_answer_nothing_is_known() {
        for answer in ["", "{}", "[1]", "{\"routes\": 7}", "no JSON"] {
            let report = judge(&facts(answer), &Before::default());
            assert!(MACHINE.iter().all(|b| report.condition(*b) == Condition::NotYetChecked), "{answer}");
        }
        let mut windows = Windows::new(Path::new("data"));
        let report = judge(&windows.check(), &Before::default());
        assert!(!report.lets_faces(), "no PowerShell here, or one that was never proven");
    }

    #[test]
    fn l1_a_clean_answer_leaves_every_condition_unchecked_and_a_bad_one_fails_it() {
        let clean = r#"{"system":["Microsoft Windows 11 Pro"],
            "routes":["192.168.1.0/24|以太网","224.0.0.0/4|以太网","127.0.0.0/8|Loopback","255.255.255.255/32|以太网",
            "fe80::/64|以太网","ff00::/8|以太网","::1/128|Loopback"],"processes":["explorer","menka"],"services":["Spooler"],
            "ports":[445],"disk":["C: 1"],"autologin":["0"],"password":["True"],"locks":["1"],
            "addresses":["192.168.1.20","fe80::1%12","127.0.0.1","::1"],"pages":["C: 1"],"free":["80000000000"],"files":["0 0"],
            "cameras":["HD Webcam|USB\\VID_046D&PID_0825\\1"],"uptime":["123456"]}"#;
        let report = judge(&facts(clean), &Before::default());
        for blocker in MACHINE {
            assert_eq!(report.condition(blocker), Condition::NotYetChecked, "{blocker:?}");
        }
        let bad = r#"{"routes":["0.0.0.0/0|以太网"],"processes":["ToDesk_Service","SunloginClient"],"services":[],"ports":[3389],
            "disk":["C: 2"],"autologin":["1"],"password":["True"],"locks":["0"],"cameras":["OBS Virtual Camera|ROOT\\CAMERA\\0"]}"#;
        let report = judge(&facts(bad), &Before::default());
        for blocker in [
            Blocker::InternetRoute,
            Blocker::RemoteHelp,
            Blocker::DiskEncryption,
            Blocker::LoginPassword,
            Blocker::MachineState,
        ] {
            assert_eq!(report.condition(blocker), Condition::Fails, "{blocker:?}");
        }
        let names = report.findings.iter().find(|f| f.what == What::RemoteHelpRuns).map(|f| f.names.clone());
        assert_eq!(names, Some(vec!["RDP".to_owned(), "ToDesk".into(), "向日葵 Sunlogin".into()]));
    }

    #[test]
    fn l1_split_routes_page_files_rights_and_room_are_read() {
        let out = |route: &str| {
            facts(&format!(r#"{{"routes":["192.168.1.0/24|LAN","{route}"]}}"#)).routes_out.value().cloned()
        };
        let one = |name: &str| Some(vec![name.to_owned()]);
        // The two halves of everything, as VPNs set them, and a single far network.
        for route in ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "203.0.113.0/24", "100.64.0.0/10", "::/0", "2000::/3"] {
            assert_eq!(out(&format!("{route}|VPN")), one("VPN"), "{route}");
        }
        assert_eq!(out("10.0.0.0/8|LAN"), Some(vec![]));
        for nonsense in ["", "0.0.0.0/0", "0.0.0.0/33|LAN", "x/0|LAN", "::/129|LAN"] {
            assert_eq!(out(nonsense), None, "{nonsense}: a line that is none leaves the whole unread");
        }

        let read = facts(
            r#"{"addresses":["192.168.1.20","203.0.113.9"],"disk":["D: 1"],"pages":["C: 2","D: 1"],"free":["1048576"],
            "files":["3 1"],"uptime":["5000"]}"#,
        );
        assert_eq!(read.public_addresses, Reading::Unverified(vec!["203.0.113.9".into()]));
        assert_eq!(read.plain_swaps, Reading::Unverified(vec!["C:".into()]));
        assert_eq!(read.free_bytes, Reading::Unverified(1 << 20));
        assert_eq!(read.files, Reading::Unverified(FileAccess { open_to_others: 3, of_others: 1 }));
        let report = judge(&read, &Before::default());
        for (blocker, what) in [
            (Blocker::InternetRoute, What::PublicAddress),
            (Blocker::DiskEncryption, What::SwapPlain),
            (Blocker::MachineState, What::FilesOpen),
        ] {
            assert_eq!(report.condition(blocker), Condition::Fails, "{blocker:?}");
            assert!(report.findings.iter().any(|finding| finding.what == what), "{what:?}");
        }
        assert!(report.findings.iter().any(|finding| finding.what == What::RoomLittle));
        let unset =
            facts(r#"{"routes":["0.0.0.0/0|LAN"],"locks":[null],"autologin":[null],"password":["True"],"ports":null}"#);
        assert_eq!(unset.routes_out, Reading::Unverified(vec!["LAN".into()]), "what is not set loses nothing else");
        assert_eq!((&unset.screen_locks, &unset.login), (&Reading::Unread, &Reading::Unread));
        for nonsense in [r#"{"files":["3"]}"#, r#"{"free":["-1"]}"#, r#"{"pages":["C: "]}"#, r#"{"addresses":["x"]}"#] {
            assert_eq!(
                facts(nonsense),
                MachineFacts { system: "Windows".into(), ..MachineFacts::unread() },
                "{nonsense}"
            );
        }
    }
}
