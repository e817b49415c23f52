//! Bytes between station and gate. Versioned, no sockets. The protocol is written down in `docs/gate-protocol.md`.
//!
//! [`frame`] cuts a stream into messages, [`message`] says what they are, [`envelope`] seals a face to one gate,
//! [`pairing`] makes two sides trust each other's keys by a short code, [`mdns`] lets a desk find a gate that waits for that,
//! [`receipt`] signs what a gate did, [`reseal`] seals a held template again, [`copy_file`] is what a person takes home of it, [`keys`] holds
//! the keys of either side, [`tls`] pins them, [`address`] keeps everything on the LAN. [`board`] is the other wire: card boards, datagrams
//! without authentication.

pub mod address;
pub mod batch;
pub mod board;
pub mod copy_file;
pub mod envelope;
pub mod frame;
pub mod held;
pub mod keys;
pub mod mdns;
pub mod message;
pub mod pairing;
pub mod receipt;
pub mod relay;
pub mod reseal;
pub mod tls;

#[cfg(test)]
mod vectors;
