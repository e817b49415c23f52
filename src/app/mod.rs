//! The use-cases of the desk: one command in, events out. Knows traits, no devices, no windows.

pub mod command;
pub mod conditions;
pub mod courier;
pub mod desk;
mod enroll;
pub mod event;
mod preview;
pub mod promises;
pub mod runner;
mod staff;
mod visit;
