//! The vault on real files: passphrases, realms, damage, crashes, full disks, and the duties it upholds.

mod crash;
mod deletion;
mod duties;
mod files;
mod guardians;
mod notice;
mod reading;
pub mod site;
mod verify;
