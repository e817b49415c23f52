//! The whole gate over real TLS with a hand-moved clock, and as a second process that is killed. Sealing takes a
//! consent, so these tests live inside the crate; those of the real binary are in `tests/it/gate.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod batches;
mod clocks;
mod console;
mod doors;
mod epochs;
mod faces;
mod heads;
mod kills;
mod pairings;
mod relay;
mod renewal;
mod reseal;
mod set_clock;
mod stops;
mod strangers;
mod support;
