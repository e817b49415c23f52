//! How hard a pass-phrase is to guess that a person chooses for a copy of the own template. Whoever finds the file may try for years, so a weak
//! one is refused, and the page says how it stands. Rule: P45a (sealed under the person's pass-phrase).

/// How hard it is to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Refused: too short, or digits only (a birthday, a telephone number).
    Weak,
    /// Accepted.
    Enough,
    /// Hard to guess.
    Strong,
}

/// Bits from which on it is accepted, counted as below.
const ENOUGH_BITS: f64 = 50.0;
/// Bits from which on it counts as strong.
const STRONG_BITS: f64 = 75.0;

/// Judges a pass-phrase: the choices of each character by its kind, one bit for a character that repeats or continues the one before. It does
/// not know words; the costly key derivation (`wire::copy_file::COST`) is there for what it overrates.
///
/// ```
/// use menka::domain::phrase::{Strength, judge};
/// assert_eq!(judge("19800101"), Strength::Weak);
/// assert_eq!(judge("桥下的风吹过三遍"), Strength::Strong);
/// ```
pub fn judge(text: &str) -> Strength {
    if text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace()) {
        return Strength::Weak;
    }
    let (mut bits, mut before) = (0.0, None::<char>);
    for c in text.chars() {
        let kind: f64 = match c {
            'a'..='z' | 'A'..='Z' => 26.0,
            '0'..='9' => 10.0,
            c if c.is_ascii() => 32.0,
            // The characters that people write from memory.
            _ => 2_000.0,
        };
        let continues = before.is_some_and(|b| u32::from(b).abs_diff(u32::from(c)) <= 1);
        bits += if continues { 1.0 } else { kind.log2() };
        before = Some(c);
    }
    match bits {
        bits if bits >= STRONG_BITS => Strength::Strong,
        bits if bits >= ENOUGH_BITS => Strength::Enough,
        _ => Strength::Weak,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p45a_what_can_be_guessed_is_refused_and_a_sentence_is_strong() {
        for weak in [
            "",
            "123456",
            "13800138000",
            "1980 01 01",
            "password",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "我我我我",
        ] {
            assert_eq!(judge(weak), Strength::Weak, "{weak}");
        }
        for enough in ["quite-late-42", "门前两棵树"] {
            assert_eq!(judge(enough), Strength::Enough, "{enough}");
        }
        for strong in ["correct horse battery", "雨后去东门买两把青菜"] {
            assert_eq!(judge(strong), Strength::Strong, "{strong}");
        }
    }
}
