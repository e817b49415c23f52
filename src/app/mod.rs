//! The use-cases of the desk: one command in, events out. Knows traits, no devices, no windows.

mod accounts;
pub mod aids;
mod capturing;
mod changing;
pub mod command;
pub mod conditions;
pub mod courier;
pub mod desk;
pub mod doctor;
mod endings;
mod enroll;
pub mod event;
pub mod evidence;
pub mod guardian;
pub mod guardian_desk;
mod handing_over;
pub mod idle;
pub mod notice;
mod notice_acts;
mod notice_care;
pub mod on_paper;
pub mod operators;
pub mod posture;
#[cfg(all(test, feature = "practice"))]
mod posture_tests;
mod preview;
pub mod promises;
mod public_rules;
pub mod rights;
mod rights_staff;
mod rights_window;
pub mod roles;
pub mod runner;
pub mod sheet;
mod staff;
mod visit;
mod witness;
