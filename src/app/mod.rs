//! The use-cases of the desk: one command in, events out. Knows traits, no devices, no windows.

mod capturing;
mod changing;
pub mod command;
pub mod conditions;
pub mod courier;
pub mod desk;
mod endings;
mod enroll;
pub mod event;
pub mod evidence;
mod handing_over;
pub mod notice;
mod notice_acts;
mod notice_care;
mod preview;
pub mod promises;
pub mod rights;
mod rights_staff;
mod rights_window;
pub mod roles;
pub mod runner;
pub mod sheet;
mod staff;
mod visit;
mod witness;
