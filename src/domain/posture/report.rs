//! What one look at the machine means for the camera permit.

use super::facts::CameraSeen;
use super::finding::{Check, Grade, What};
use crate::domain::permit::{Blocker, Condition};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: What,
    /// Programs, interfaces or devices by name.
    pub names: Vec<String>,
    /// Whether the means by which it was read was ever run on such a system.
    pub proven: bool,
}

/// What one look at the machine means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostureReport {
    /// Name and version of the operating system.
    pub system: String,
    /// At least one a check, in the order of [`Check::ALL`].
    pub findings: Vec<Finding>,
    /// Cameras that nobody accepted: the ones of [`What::CameraAppeared`].
    pub strangers: Vec<CameraSeen>,
}

impl PostureReport {
    /// What is known of a condition of the camera permit, as far as it is about the machine. A bad finding counts however it was read; a good
    /// one only when it was proven.
    pub fn condition(&self, blocker: Blocker) -> Condition {
        let checks: &[Check] = match blocker {
            Blocker::InternetRoute => &[Check::Internet],
            Blocker::RemoteHelp => &[Check::RemoteHelp],
            Blocker::DiskEncryption => &[Check::Disk],
            Blocker::LoginPassword => &[Check::Login, Check::ScreenLock],
            Blocker::MachineState => &[Check::VirtualCamera, Check::Files, Check::Clock],
            _ => return Condition::NotYetChecked,
        };
        let of_it: Vec<&Finding> = self.findings.iter().filter(|f| checks.contains(&f.what.check())).collect();
        let all_looked_at = checks.iter().all(|c| of_it.iter().any(|f| f.what.check() == *c));
        if of_it.iter().any(|f| f.what.grade() >= Grade::CardOnly) {
            Condition::Fails
        } else if !all_looked_at || of_it.iter().any(|f| f.what.grade() == Grade::Unknown || !f.proven) {
            Condition::NotYetChecked
        } else {
            Condition::Holds
        }
    }

    /// Whether nothing about the machine keeps face entry off.
    pub fn lets_faces(&self) -> bool {
        MACHINE.iter().all(|b| self.condition(*b) == Condition::Holds)
    }

    /// The gravest grade of a check.
    pub fn grade(&self, check: Check) -> Grade {
        let of_it = self.findings.iter().filter(|f| f.what.check() == check);
        of_it.map(|f| f.what.grade()).max().unwrap_or(Grade::Unknown)
    }

    /// Findings for which work with faces stops at once.
    pub fn stops(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.what.grade() == Grade::Stop)
    }
}

/// The conditions that are about the machine.
pub const MACHINE: [Blocker; 5] = [
    Blocker::InternetRoute,
    Blocker::RemoteHelp,
    Blocker::DiskEncryption,
    Blocker::LoginPassword,
    Blocker::MachineState,
];
