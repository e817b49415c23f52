//! The courier's pauses. They spare the gates and the wire; no promise hangs on their length, and a shipped desk has one pace only.

/// Pauses in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Between two questions for a gate's health, or a board's state.
    pub(super) health_ms: i64,
    /// At least, between two looks for faces that are due while nothing was logged.
    pub(super) fill_ms: i64,
    /// At least, between two comparisons of a gate that holds little.
    pub(super) compare_ms: i64,
    /// Between the end of the comparison of a board's whole list and the next one: of three times this length one is the pause, and two lists that
    /// are read in as long each are through, also where the change came just after its place was read. So it is told within a minute.
    pub(super) board_ms: i64,
}

impl Pace {
    /// Of every desk that people use.
    pub(super) const USUAL: Self = Self { health_ms: 5_000, fill_ms: 10_000, compare_ms: 2_000, board_ms: 20_000 };
    /// Of a test that goes through thousands of acts.
    #[cfg(feature = "practice")]
    pub(super) const HASTY: Self = Self { health_ms: 200, fill_ms: 200, compare_ms: 100, board_ms: 400 };
}
