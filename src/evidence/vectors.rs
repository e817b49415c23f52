//! Fixed bytes.
