//! Whether the machine asks for a password: accounts without one, automatic login, automatic lock of the screen. Rules K2-7, K2-14.
//!
//! Whose account it is stays here: nothing of this module's answer names anybody.

use std::time::{Duration, Instant};

use super::linux::Root;
use crate::domain::posture::{Login, Reading};

/// What `passwd --status` said last. It is asked when the shadow file may not be read, which is usual.
#[derive(Debug, Default)]
pub(super) struct Asked {
    last: Option<(Instant, Option<bool>)>,
}

/// A program is not started for every look.
const ASK_EVERY: Duration = Duration::from_secs(300);

struct Account<'a> {
    name: &'a str,
    password: &'a str,
    uid: u32,
    home: &'a str,
    shell: &'a str,
}

fn account(line: &str) -> Option<Account<'_>> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, password, uid, _, _, home, shell] = fields[..] else { return None };
    Some(Account { name, password, uid: uid.parse().ok()?, home, shell })
}

impl Account<'_> {
    fn logs_in(&self) -> bool {
        !["nologin", "false", "sync"].iter().any(|shell| self.shell.rsplit('/').next() == Some(shell))
    }
}

/// The home folder of an account.
pub(super) fn home(root: &Root, uid: u32) -> Option<String> {
    let accounts = root.read("/etc/passwd")?;
    accounts.lines().filter_map(account).find(|a| a.uid == uid).map(|a| a.home.to_owned())
}

/// How one logs in. With the shadow file every account is seen; without it only whether the own account has a password, which the system's
/// `passwd --status` tells everybody about themselves.
pub(super) fn read(root: &Root, own: Option<u32>, asked: &mut Asked) -> Reading<Login> {
    let (Some(own), Some(text)) = (own, root.read("/etc/passwd")) else { return Reading::Unread };
    let accounts: Vec<Account> = text.lines().filter_map(account).collect();
    // An account of a directory service is not in the file; how its password is asked for cannot be seen here.
    let Some(mine) = accounts.iter().find(|a| a.uid == own) else { return Reading::Unread };
    let automatic = automatic(root);
    let login = match root.read("/etc/shadow") {
        Some(shadow) => {
            let hash = |account: &Account| match account.password {
                "x" => shadow.lines().find_map(|line| {
                    let (name, rest) = line.split_once(':')?;
                    (name == account.name).then(|| rest.split(':').next().unwrap_or_default().to_owned())
                }),
                own => Some(own.to_owned()),
            };
            let empty = |a: &&Account| a.logs_in() && hash(a).is_some_and(|h| h.is_empty());
            let without_password = u32::try_from(accounts.iter().filter(empty).count()).unwrap_or(u32::MAX);
            Login { without_password, own_has_password: hash(mine).is_some_and(|h| is_usable(&h)), automatic }
        }
        None => {
            let empty = |a: &&Account| a.logs_in() && a.password.is_empty();
            let without_password = u32::try_from(accounts.iter().filter(empty).count()).unwrap_or(u32::MAX);
            match asked.own(root) {
                Some(own_has_password) => Login { without_password, own_has_password, automatic },
                None => return Reading::Unread,
            }
        }
    };
    Reading::Seen(login)
}

/// Whether a password can be typed that fits: an empty field needs none, `!` and `*` fit none.
fn is_usable(hash: &str) -> bool {
    !hash.is_empty() && !hash.starts_with(['!', '*'])
}

impl Asked {
    fn own(&mut self, root: &Root) -> Option<bool> {
        if !root.is_machine() {
            return None;
        }
        if let Some((at, answer)) = self.last
            && at.elapsed() < ASK_EVERY
        {
            return answer;
        }
        let run = std::process::Command::new("/usr/bin/passwd")
            .args(["--status"])
            .env("LC_ALL", "C")
            .stdin(std::process::Stdio::null())
            .output();
        let answer = run.ok().filter(|r| r.status.success()).and_then(|r| status(&String::from_utf8_lossy(&r.stdout)));
        self.last = Some((Instant::now(), answer));
        answer
    }
}

/// The second word of `passwd --status`: `P` usable, `NP` none, `L` locked.
pub(super) fn status(said: &str) -> Option<bool> {
    match said.split_whitespace().nth(1)? {
        "P" | "PS" => Some(true),
        "NP" | "L" | "LK" => Some(false),
        _ => None,
    }
}

/// What logs somebody in without asking, by the name of the program that does.
fn automatic(root: &Root) -> Vec<String> {
    let mut found = vec![];
    let mut in_files = |program: &str, files: &[&str], says: &dyn Fn(&str, &str) -> bool| {
        let texts = files.iter().flat_map(|file| with_folder(root, file));
        let mut settings = texts.flat_map(|text| {
            let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
            let pairs = lines.filter_map(|line| line.split_once('='));
            pairs.map(|(key, value)| (key.trim().to_lowercase(), value.trim().to_owned())).collect::<Vec<_>>()
        });
        if settings.any(|(key, value)| says(&key, &value)) {
            found.push(program.to_owned());
        }
    };
    in_files(
        "gdm",
        &["/etc/gdm3/daemon.conf", "/etc/gdm3/custom.conf", "/etc/gdm/custom.conf", "/etc/gdm/daemon.conf"],
        &|key, value| ["automaticloginenable", "timedloginenable"].contains(&key) && is_true(value),
    );
    in_files(
        "lightdm",
        &["/etc/lightdm/lightdm.conf", "/etc/lightdm/lightdm.conf.d/", "/usr/share/lightdm/lightdm.conf.d/"],
        &|key, value| key == "autologin-user" && !value.is_empty(),
    );
    in_files("sddm", &["/etc/sddm.conf", "/etc/sddm.conf.d/", "/usr/lib/sddm/sddm.conf.d/"], &|key, value| {
        key == "user" && !value.is_empty()
    });
    in_files("lxdm", &["/etc/lxdm/lxdm.conf"], &|key, value| key == "autologin" && !value.is_empty());
    in_files(
        "console",
        &["/etc/systemd/system/getty@tty1.service.d/", "/etc/systemd/system/getty@.service.d/"],
        &|key, value| key == "execstart" && (value.contains("--autologin") || value.contains(" -a ")),
    );
    if root.read("/etc/greetd/config.toml").is_some_and(|text| text.lines().any(|l| l.trim() == "[initial_session]")) {
        found.push("greetd".into());
    }
    let groups = root.read("/etc/group").unwrap_or_default();
    let no_password = |line: &str| {
        let mut fields = line.split(':');
        fields.next() == Some("nopasswdlogin") && fields.nth(2).is_some_and(|members| !members.trim().is_empty())
    };
    if groups.lines().any(no_password) {
        found.push("nopasswdlogin".into());
    }
    found
}

/// A settings file, or every settings file of a folder (written with a `/` at its end).
fn with_folder(root: &Root, path: &str) -> Vec<String> {
    if !path.ends_with('/') {
        return root.read(path).into_iter().collect();
    }
    let mut names = root.names(path);
    names.sort();
    names.iter().filter_map(|name| root.read(&format!("{path}{name}"))).collect()
}

fn is_true(value: &str) -> bool {
    ["true", "1", "yes"].contains(&value.trim().to_lowercase().as_str())
}

/// Whether the screen locks by itself, where the desktop's settings say so.
pub(super) fn screen_locks(root: &Root, home: Option<&str>) -> Reading<bool> {
    let mut said = vec![];
    let settings = |text: &str, key: &str| -> Vec<String> {
        let pairs = text.lines().filter_map(|line| line.split_once(['=', ':']));
        pairs.filter(|(k, _)| k.trim().eq_ignore_ascii_case(key)).map(|(_, v)| v.trim().to_owned()).collect()
    };
    let own = |file: &str| home.and_then(|home| root.read(&format!("{home}/{file}")));
    for text in [own(".config/kscreenlockerrc"), root.read("/etc/xdg/kscreenlockerrc")].into_iter().flatten() {
        said.extend(settings(&text, "Autolock").iter().map(|v| is_true(v)));
    }
    if let Some(text) = own(".xscreensaver") {
        said.extend(settings(&text, "lock").iter().map(|v| is_true(v)));
    }
    for folder in ["/etc/dconf/db/local.d/", "/etc/dconf/db/site.d/", "/etc/dconf/db/gdm.d/"] {
        for text in with_folder(root, folder) {
            said.extend(settings(&text, "lock-enabled").iter().map(|v| is_true(v)));
            said.extend(
                settings(&text, "idle-delay")
                    .iter()
                    .filter(|v| v.trim_start_matches("uint32").trim() == "0")
                    .map(|_| false),
            );
        }
    }
    match said.first() {
        None => Reading::Unread,
        Some(_) => Reading::Seen(said.into_iter().all(|locks| locks)),
    }
}
