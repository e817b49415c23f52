//! How large the letters of the resident window are. Rules: P17b, F05c.

use crate::ui::theme::Sizes;

/// How large the letters are. The smallest running text is 18 pt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LetterSize {
    /// 18 pt.
    #[default]
    Standard,
    /// Half as large again.
    Large,
    /// Twice as large.
    Huge,
}

impl LetterSize {
    /// All, in the order of the buttons.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Large, Self::Huge];

    /// In percent of the usual size.
    pub fn percent(self) -> u16 {
        match self {
            Self::Standard => 100,
            Self::Large => 150,
            Self::Huge => 200,
        }
    }

    /// Letters and distances of the page.
    pub fn sizes(self) -> Sizes {
        let factor = f32::from(self.percent()) / 100.0;
        let base = Sizes { small: Sizes::RESIDENT.body, ..Sizes::RESIDENT };
        let sizes = base.times(factor);
        // Headings need to grow less than what is read: at twice the size a heading of 36 would fill the page alone.
        let calm = (1.0 + factor) / 2.0;
        Sizes {
            title: base.title * calm,
            section: (base.section * calm).max(sizes.body),
            huge: base.huge * calm,
            ..sizes
        }
    }
}
