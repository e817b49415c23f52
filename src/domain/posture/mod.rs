//! The machine that the desk runs on, judged: what was read goes in, findings with a grade come out. Rules: K2-6, K2-7, K2-12 to K2-14, L1,
//! F14.
//!
//! Nothing here names a person: findings carry names of programs, interfaces and devices, never of accounts.
//!
//! ```
//! use menka::domain::permit::{Blocker, Condition};
//! use menka::domain::posture::{Before, MachineFacts, Reading, judge};
//! let mut facts = MachineFacts::unread();
//! facts.routes_out = Reading::Seen(vec!["eth0".into()]);
//! let report = judge(&facts, &Before::default());
//! assert_eq!(report.condition(Blocker::InternetRoute), Condition::Fails);
//! assert_eq!(report.condition(Blocker::DiskEncryption), Condition::NotYetChecked);
//! ```

mod facts;
mod finding;
mod report;
#[cfg(test)]
mod tests;

pub use facts::{
    Before, CameraSeen, FileAccess, Helper, HelperKind, HelperSeen, Login, MachineFacts, Reading, SERIAL, Storage,
};
pub use finding::{Check, Grade, What};
pub use report::{Finding, MACHINE, PostureReport};

use super::time::Timestamp;

/// The clock may be this much behind the newest record, in milliseconds: two threads write, and clocks are trimmed.
const CLOCK_BEHIND_MS_MAX: i64 = 60_000;
/// A clock that was moved by more than this while the program ran was set by hand, in milliseconds.
const CLOCK_MOVED_MS_MAX: i64 = 5 * 60_000;
/// Less room than this is said, in bytes.
const ROOM_MIN: u64 = 1 << 30;

/// Judges what was read.
pub fn judge(facts: &MachineFacts, before: &Before) -> PostureReport {
    let mut found = Found(vec![]);
    internet(facts, &mut found);
    helpers(facts, &mut found);
    disk(facts, &mut found);
    login(facts, &mut found);
    found.judged(&facts.screen_locks, What::ScreenLockUnread, |locks| match locks {
        true => (What::ScreenLocks, vec![]),
        false => (What::ScreenNeverLocks, vec![]),
    });
    found.judged(&facts.cameras, What::VirtualCameraUnread, |cameras| {
        let posing: Vec<String> = cameras.iter().filter(|c| c.is_virtual).map(|c| c.name.clone()).collect();
        if posing.is_empty() { (What::NoVirtualCamera, vec![]) } else { (What::VirtualCameraThere, posing) }
    });
    found.judged(&facts.files, What::FilesUnread, |files| match files {
        FileAccess { open_to_others: 1.., .. } => (What::FilesOpen, vec![]),
        FileAccess { of_others: 1.., .. } => (What::FilesOfOthers, vec![]),
        FileAccess { .. } => (What::FilesClosed, vec![]),
    });
    clock(facts, before, &mut found);
    found.judged(&facts.free_bytes, What::RoomUnread, |bytes| {
        if *bytes < ROOM_MIN { (What::RoomLittle, vec![]) } else { (What::RoomEnough, vec![]) }
    });
    let strangers = cameras(facts, before, &mut found);
    PostureReport { system: facts.system.clone(), findings: found.0, strangers }
}

/// When the machine was started, reckoned by the clock.
pub fn booted_at(facts: &MachineFacts, now: Timestamp) -> Option<Timestamp> {
    facts.uptime_ms.value().map(|ms| now.plus_ms(ms.saturating_neg()))
}

struct Found(Vec<Finding>);

impl Found {
    fn add(&mut self, what: What, names: Vec<String>, proven: bool) {
        self.0.push(Finding { what, names, proven });
    }

    fn judged<T>(&mut self, reading: &Reading<T>, unread: What, judge: impl FnOnce(&T) -> (What, Vec<String>)) {
        match reading.value() {
            Some(value) => {
                let (what, names) = judge(value);
                self.add(what, names, reading.is_proven());
            }
            None => self.add(unread, vec![], true),
        }
    }
}

fn internet(facts: &MachineFacts, found: &mut Found) {
    let (routes, addresses) = (&facts.routes_out, &facts.public_addresses);
    let proven = routes.is_proven() && addresses.is_proven();
    let out = routes.value().cloned().unwrap_or_default();
    let public = addresses.value().cloned().unwrap_or_default();
    if !public.is_empty() {
        found.add(What::PublicAddress, public.clone(), addresses.is_proven());
    }
    if !out.is_empty() {
        found.add(What::RouteOut, out, routes.is_proven());
    } else if routes.value().is_none() || addresses.value().is_none() {
        found.add(What::RoutesUnread, vec![], true);
    } else if public.is_empty() {
        found.add(What::NoRouteOut, vec![], proven);
    }
}

fn helpers(facts: &MachineFacts, found: &mut Found) {
    let Some(seen) = facts.helpers.value() else { return found.add(What::ProgramsUnread, vec![], true) };
    let proven = facts.helpers.is_proven();
    let mut any = false;
    for what in
        [What::RemoteHelpRuns, What::RemoteHelpInstalled, What::SharingRuns, What::SharingInstalled, What::RemoteShell]
    {
        let mut names: Vec<String> = seen.iter().filter(|h| helper_means(h) == what).map(|h| h.name.clone()).collect();
        names.sort();
        names.dedup();
        if !names.is_empty() {
            any = true;
            found.add(what, names, proven);
        }
    }
    if !any {
        found.add(What::NoRemoteHelp, vec![], proven);
    }
}

fn helper_means(helper: &Helper) -> What {
    use HelperKind as K;
    use HelperSeen as S;
    match (helper.kind, helper.seen) {
        (K::RemoteHelp, S::Runs | S::Listens) => What::RemoteHelpRuns,
        (K::RemoteHelp, S::Installed | S::Enabled) => What::RemoteHelpInstalled,
        (K::Sharing, S::Runs | S::Listens | S::Enabled) => What::SharingRuns,
        (K::Sharing, S::Installed) => What::SharingInstalled,
        (K::RemoteShell, _) => What::RemoteShell,
    }
}

fn disk(facts: &MachineFacts, found: &mut Found) {
    let (data, swaps) = (&facts.data_disk, &facts.plain_swaps);
    let mut bad = false;
    if let Some(Storage::Plain(device)) = data.value() {
        bad = true;
        found.add(What::DataPlain, vec![device.clone()], data.is_proven());
    }
    if let Some(plain) = swaps.value().filter(|p| !p.is_empty()) {
        bad = true;
        found.add(What::SwapPlain, plain.clone(), swaps.is_proven());
    }
    if data.value().is_none() || swaps.value().is_none() {
        found.add(What::DiskUnread, vec![], true);
    } else if !bad {
        found.add(What::DiskEncrypted, vec![], data.is_proven() && swaps.is_proven());
    }
}

fn login(facts: &MachineFacts, found: &mut Found) {
    let Some(login) = facts.login.value() else { return found.add(What::LoginUnread, vec![], true) };
    let proven = facts.login.is_proven();
    if login.without_password > 0 || !login.own_has_password {
        found.add(What::NoPassword, vec![], proven);
    }
    if !login.automatic.is_empty() {
        found.add(What::AutomaticLogin, login.automatic.clone(), proven);
    }
    if login.without_password == 0 && login.own_has_password && login.automatic.is_empty() {
        found.add(What::PasswordSet, vec![], proven);
    }
}

fn clock(facts: &MachineFacts, before: &Before, found: &mut Found) {
    if before.latest_record.is_some_and(|latest| latest.since(before.now) > CLOCK_BEHIND_MS_MAX) {
        return found.add(What::ClockBehind, vec![], true);
    }
    let moved = match (booted_at(facts, before.now), before.booted_at) {
        (Some(now), Some(first)) => now.since(first).saturating_abs() > CLOCK_MOVED_MS_MAX,
        _ => false,
    };
    found.add(if moved { What::ClockMoved } else { What::ClockSound }, vec![], true);
}

/// What is said of cameras, and those that nobody accepted. A program that poses as one has a finding of its own and is never accepted.
fn cameras(facts: &MachineFacts, before: &Before, found: &mut Found) -> Vec<CameraSeen> {
    let Some(cameras) = facts.cameras.value() else { return vec![] };
    let proven = facts.cameras.is_proven();
    let names = |cameras: &[CameraSeen]| cameras.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    if cameras.is_empty() {
        found.add(What::NoCamera, vec![], proven);
        return vec![];
    }
    let is_new = |camera: &CameraSeen| {
        !camera.is_virtual && before.cameras.as_ref().is_some_and(|known| !known.contains(camera))
    };
    let new: Vec<CameraSeen> = cameras.iter().filter(|camera| is_new(camera)).cloned().collect();
    if new.is_empty() {
        found.add(What::CamerasAsBefore, names(cameras), proven);
    } else {
        found.add(What::CameraAppeared, names(&new), proven);
    }
    new
}
