//! How a notice was read: kept with the showing, as a part of the proof that the text could be read (rule P17b). Never a limit of any kind.

/// Most sections of one notice that are timed.
pub const SECTIONS_MAX: usize = 64;

/// How one showing of a notice was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// For each section in order, how long some of it was on screen, in milliseconds.
    pub sections_ms: Vec<u64>,
    /// Size of the letters at the end, in percent of the usual size (100, 150, 200).
    pub letters_percent: u16,
    /// The high-contrast colours were on at the end.
    pub high_contrast: bool,
    /// Some of it was read aloud.
    pub read_aloud: bool,
}

impl Reading {
    /// Adds time to a section. Sections beyond [`SECTIONS_MAX`] are not timed.
    pub fn add(&mut self, section: u16, ms: i64) {
        let (at, ms) = (usize::from(section), u64::try_from(ms).unwrap_or(0));
        if at >= SECTIONS_MAX {
            return;
        }
        if self.sections_ms.len() <= at {
            self.sections_ms.resize(at + 1, 0);
        }
        if let Some(sum) = self.sections_ms.get_mut(at) {
            *sum = sum.saturating_add(ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p17b_times_add_up_a_step_back_counts_as_nothing_and_the_list_has_an_end() {
        let mut reading = Reading::default();
        reading.add(2, 1_500);
        reading.add(2, 500);
        reading.add(0, -9_000);
        reading.add(u16::MAX, 1_000);
        assert_eq!(reading.sections_ms, [0, 0, 2_000]);
        reading.add(2, i64::MAX);
        reading.add(2, i64::MAX);
        reading.add(2, i64::MAX);
        assert_eq!(reading.sections_ms[2], u64::MAX, "no overflow");
    }
}
