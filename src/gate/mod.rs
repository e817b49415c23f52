//! The gate daemon: holds templates and cards without names, matches them, signs for what it did.
//!
//! [`daemon::Gate`] is the whole gate without sockets, threads or a clock: one body in, one reply out. [`server`] puts
//! it on the LAN, [`reader`] and [`eye`] are its card reader and its camera, [`pairing`] shows a code and lets a station in, [`cli`] is what the
//! binary runs. [`reseal`] seals a single held template to another key when it is authorised. Deliberately absent: names, pictures at rest, any
//! way to read a template out, any window.

pub mod admit;
pub mod announce;
pub mod approach;
mod batch;
mod bound;
pub mod cli;
mod clock;
pub mod daemon;
pub mod door;
pub mod epochs;
pub mod error;
pub mod eye;
pub mod gallery;
pub mod heads;
mod index;
pub mod key_file;
pub mod lease;
pub mod limit;
pub mod matcher;
pub mod outputs;
pub mod pairing;
pub mod place;
mod process;
pub mod protect;
pub mod reader;
pub mod relay;
pub mod reseal;
mod rows;
pub mod server;
pub mod settings;
pub mod shown;
pub mod store;
mod unpair;
pub mod watch;
mod withheld;

#[cfg(test)]
mod tests;
