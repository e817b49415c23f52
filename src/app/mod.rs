//! The use-cases of the desk: one command in, events out. Knows traits, no devices, no windows.

mod capturing;
pub mod command;
pub mod conditions;
pub mod courier;
pub mod desk;
mod endings;
mod enroll;
pub mod event;
pub mod guardian;
pub mod guardian_desk;
mod handing_over;
pub mod on_paper;
mod preview;
pub mod promises;
pub mod roles;
pub mod runner;
mod staff;
mod visit;
