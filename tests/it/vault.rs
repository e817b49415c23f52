//! The vault on real files: passphrases, realms, damage, crashes, full disks, and the duties it upholds.

mod again;
mod binding;
mod board_race;
mod crash;
pub mod deletion;
mod duties;
mod files;
mod former;
mod guardians;
mod keep;
mod notice;
mod orders;
mod places;
mod reading;
mod refusing;
mod restored;
mod retention;
mod rig;
mod shapes;
pub mod site;
mod verify;
