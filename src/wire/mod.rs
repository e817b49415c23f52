//! Bytes between station and gate. Versioned, no I/O, no sockets. The protocol is written down in `docs/gate-protocol.md`.

pub mod message;
