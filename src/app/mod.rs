//! The use-cases of the desk: one command in, events out. Knows traits, no devices, no windows.

pub mod command;
pub mod event;
