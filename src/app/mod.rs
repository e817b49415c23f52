//! The use-cases of the desk: one command in, events out. Knows traits, no devices, no windows.

mod capturing;
mod certificate;
pub mod command;
pub mod conditions;
pub mod courier;
pub mod deletion;
mod deletion_view;
pub mod desk;
mod endings;
mod enroll;
pub mod event;
mod handing_over;
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
