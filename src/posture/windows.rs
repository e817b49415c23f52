//! One look at a Windows machine, by the PowerShell that ships with it.
//!
//! Never run on Windows so far. What it reads is therefore [`Reading::Unverified`]: a route out, a remote-help program or a disk that is not
//! encrypted keeps face entry off; the absence of one does not open it. Type-checked and its answers' reader tested on every system.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::programs::{at_port, known};
use crate::domain::posture::{CameraSeen, Helper, HelperKind, HelperSeen, Login, MachineFacts, Reading, Storage};
use crate::ports::Posture;

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

/// Every part in a `try` of its own: what fails is left out and stays unread.
const SCRIPT: &str = r#"
$o = @{}
function Part($name, $code) { try { $o[$name] = @(& $code) } catch { } }
[Console]::OutputEncoding = [Text.Encoding]::UTF8
Part 'system' { (Get-CimInstance Win32_OperatingSystem).Caption }
Part 'routes' { Get-NetRoute -ErrorAction Stop | Where-Object { $_.DestinationPrefix -in '0.0.0.0/0','::/0' } | ForEach-Object { $_.InterfaceAlias } }
Part 'processes' { Get-Process | ForEach-Object { $_.ProcessName } }
Part 'services' { Get-Service | ForEach-Object { $_.Name } }
Part 'ports' { Get-NetTCPConnection -State Listen -ErrorAction Stop | ForEach-Object { $_.LocalPort } | Sort-Object -Unique }
Part 'disk' { $d = (Split-Path -Qualifier $env:MENKA_DATA); "$d " + (New-Object -ComObject Shell.Application).NameSpace($d).Self.ExtendedProperty('System.Volume.BitLockerProtection') }
Part 'autologin' { (Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon' -ErrorAction Stop).AutoAdminLogon }
Part 'password' { $a = Get-LocalUser -ErrorAction Stop | Where-Object { $_.SID -eq [Security.Principal.WindowsIdentity]::GetCurrent().User }; [string]$a.PasswordRequired }
Part 'locks' { (Get-ItemProperty 'HKCU:\Control Panel\Desktop' -ErrorAction Stop).ScreenSaverIsSecure }
Part 'cameras' { Get-CimInstance Win32_PnPEntity -Filter "PNPClass='Camera' OR PNPClass='Image'" -ErrorAction Stop | ForEach-Object { $_.Name + '|' + $_.PNPDeviceID } }
Part 'uptime' { [string][Environment]::TickCount64 }
$o | ConvertTo-Json -Compress
"#;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    system: Option<Vec<String>>,
    routes: Option<Vec<String>>,
    processes: Option<Vec<String>>,
    services: Option<Vec<String>>,
    ports: Option<Vec<u16>>,
    disk: Option<Vec<String>>,
    autologin: Option<Vec<String>>,
    password: Option<Vec<String>>,
    locks: Option<Vec<String>>,
    cameras: Option<Vec<String>>,
    uptime: Option<Vec<String>>,
}

/// Reads the answer. What is not in it, or not as expected, stays unread.
fn facts(json: &str) -> MachineFacts {
    let said: Said = serde_json::from_str(json.trim_start_matches('\u{feff}').trim()).unwrap_or_default();
    let unverified = |reading: Option<Vec<String>>| reading.map_or(Reading::Unread, Reading::Unverified);
    let first = |list: &Option<Vec<String>>| list.as_ref().and_then(|l| l.first()).map(|t| t.trim().to_owned());
    let disk = first(&said.disk).and_then(|text| {
        let (drive, protection) = text.split_once(' ')?;
        // 1 on, 3 being encrypted, 5 suspended; 2 off.
        match protection {
            "1" => Some(Storage::Encrypted),
            "2" | "3" | "4" | "5" => Some(Storage::Plain(drive.to_owned())),
            _ => None,
        }
    });
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
        routes_out: unverified(said.routes.clone()),
        // A machine with a public address has a route out as well.
        public_addresses: if said.routes.is_some() { Reading::Unverified(vec![]) } else { Reading::Unread },
        helpers: helpers(&said),
        data_disk: disk.clone().map_or(Reading::Unread, Reading::Unverified),
        // The page file lies on the system's disk; where that is the data's disk, it shares its encryption.
        plain_swaps: if disk.is_some() { Reading::Unverified(vec![]) } else { Reading::Unread },
        login,
        screen_locks: first(&said.locks).map_or(Reading::Unread, |locks| Reading::Unverified(locks == "1")),
        cameras: said
            .cameras
            .map_or(Reading::Unread, |list| Reading::Unverified(list.iter().map(|c| camera(c)).collect())),
        uptime_ms: said.uptime.and_then(|u| u.first()?.parse().ok()).map_or(Reading::Unread, Reading::Unverified),
        free_bytes: Reading::Unread,
        files: Reading::Unread,
    }
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
        let clean = r#"{"system":["Microsoft Windows 11 Pro"],"routes":[],"processes":["explorer","menka"],"services":["Spooler"],
            "ports":[445],"disk":["C: 1"],"autologin":["0"],"password":["True"],"locks":["1"],
            "cameras":["HD Webcam|USB\\VID_046D&PID_0825\\1"],"uptime":["123456"]}"#;
        let report = judge(&facts(clean), &Before::default());
        for blocker in MACHINE {
            assert_eq!(report.condition(blocker), Condition::NotYetChecked, "{blocker:?}");
        }
        let bad = r#"{"routes":["以太网"],"processes":["ToDesk_Service","SunloginClient"],"services":[],"ports":[3389],
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
}
