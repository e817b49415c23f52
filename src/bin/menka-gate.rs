//! The gate daemon: joins everything, decides nothing.

fn main() {}
