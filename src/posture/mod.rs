//! Looks at the machine that the desk runs on: routes, programs for help from afar, disk encryption, login, cameras, clock, room, files.
//!
//! Reads what the operating system shows of itself; opens no socket and changes nothing. Linux reads `/proc`, `/sys` and `/etc` below one
//! root, so that a test points it at a prepared one. Windows asks PowerShell; that was never run, so what it says convicts but does not
//! acquit ([`crate::domain::posture::Reading::Unverified`]).

#[cfg(any(target_os = "linux", windows, test))]
mod beyond;
mod programs;

#[cfg(target_os = "linux")]
mod cameras;
#[cfg(target_os = "linux")]
mod disks;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod helpers;
#[cfg(target_os = "linux")]
pub mod linux;
#[cfg(target_os = "linux")]
mod login;
#[cfg(target_os = "linux")]
mod routes;
#[cfg(all(test, target_os = "linux"))]
mod tests;
#[cfg(any(windows, test))]
mod windows;

use std::path::Path;

use crate::ports::Posture;

/// The adapter for the machine that this runs on, for a vault in this folder.
pub fn this_machine(data: &Path) -> Box<dyn Posture> {
    #[cfg(target_os = "linux")]
    return Box::new(linux::Linux::new(data));
    #[cfg(windows)]
    return Box::new(windows::Windows::new(data));
    #[cfg(not(any(target_os = "linux", windows)))]
    {
        let _ = data;
        Box::new(Unread)
    }
}

/// The folder that a file would lie in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A system that nobody has looked at yet: every condition stays unchecked.
#[cfg(not(any(target_os = "linux", windows)))]
struct Unread;

#[cfg(not(any(target_os = "linux", windows)))]
impl Posture for Unread {
    fn check(&mut self) -> crate::domain::posture::MachineFacts {
        crate::domain::posture::MachineFacts::unread()
    }

    fn is_apart(&self, _path: &Path) -> bool {
        false
    }
}
