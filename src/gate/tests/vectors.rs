//! The test vectors of `docs/gate-protocol.md`.
