//! Breaking lines: Han characters anywhere, Latin words between words, no closing mark at the start of a line, no opening mark at its end.

use crate::notice::Span;

use super::font::Widths;

/// A run of one weight on one line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    /// Characters.
    pub text: String,
    /// Weight.
    pub bold: bool,
    /// Distance from the line's start, in points.
    pub x: f32,
}

/// One line of runs.
pub(super) type Line = Vec<Run>;

/// Both weights.
pub(super) struct Fonts {
    /// 400.
    pub regular: Widths,
    /// 700; has fewer characters.
    pub bold: Widths,
}

impl Fonts {
    /// Whether the character is drawn in the bold font: rare characters of names are not in it.
    fn is_bold(&self, c: char, wanted: bool) -> bool {
        wanted && self.bold.of(c).is_some()
    }

    /// Width of a character in ems.
    pub(super) fn width(&self, c: char, bold: bool) -> f32 {
        let font = if self.is_bold(c, bold) { &self.bold } else { &self.regular };
        font.of(c).unwrap_or(1.0)
    }

    /// Width of some spans on one line, in ems.
    pub(super) fn measure(&self, spans: &[Span]) -> f32 {
        spans.iter().flat_map(|s| s.text.chars().map(|c| self.width(drawn(c), s.bold))).sum()
    }

    /// Breaks spans into lines of at most `width` points at `size` points.
    pub(super) fn lines(&self, spans: &[Span], size: f32, width: f32) -> Vec<Line> {
        let chars: Vec<(char, bool)> = spans.iter().flat_map(|s| s.text.chars().map(|c| (drawn(c), s.bold))).collect();
        let mut lines = vec![];
        let mut start = 0;
        while start < chars.len() {
            let end = self.line_end(&chars[start..], size, width) + start;
            lines.push(self.runs(&chars[start..end], size));
            start = end;
            while chars.get(start).is_some_and(|(c, _)| *c == ' ') {
                start += 1;
            }
        }
        lines
    }

    /// Where the first line of `chars` ends; at least one character.
    fn line_end(&self, chars: &[(char, bool)], size: f32, width: f32) -> usize {
        let mut used = 0.0;
        let mut last_break = 0;
        for (at, (c, bold)) in chars.iter().enumerate() {
            if at > 0 && may_break(chars[at - 1].0, *c) {
                last_break = at;
            }
            used += self.width(*c, *bold) * size;
            // A space at the end may hang over.
            if used > width && *c != ' ' && at > 0 {
                return if last_break > 0 { last_break } else { at };
            }
        }
        chars.len()
    }

    fn runs(&self, chars: &[(char, bool)], size: f32) -> Line {
        let mut line: Line = vec![];
        let mut x = 0.0;
        for (c, wanted) in chars {
            let bold = self.is_bold(*c, *wanted);
            match line.last_mut() {
                Some(run) if run.bold == bold => run.text.push(*c),
                _ => line.push(Run { text: c.to_string(), bold, x }),
            }
            x += self.width(*c, *wanted) * size;
        }
        if let Some(run) = line.last_mut() {
            run.text.truncate(run.text.trim_end_matches(' ').len());
        }
        line
    }
}

/// The character that is drawn: the fonts have no ballot box, but the white square that looks like it.
fn drawn(c: char) -> char {
    if c == '☐' { '□' } else { c }
}

/// Whether a line may end after `left` when `right` follows.
pub(super) fn may_break(left: char, right: char) -> bool {
    if NO_START.contains(right) || NO_END.contains(left) || right == ' ' {
        return false;
    }
    left == ' ' || left == '-' || is_wide(left) || is_wide(right)
}

/// Marks that do not begin a line.
const NO_START: &str = "，。、；：？！）》〉」』】〕”’…—–·％,.;:?!)]}%／";
/// Marks that do not end a line.
const NO_END: &str = "（《〈「『【〔“‘([{";

/// Characters between which a line may break without a space.
fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x2E80..=0x9FFF | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFFEF | 0x20000..=0x3FFFF)
        || matches!(c, '“' | '”' | '‘' | '’' | '…' | '—')
}
