//! The short code of a pairing: shown at a gate, typed at the desk, used up within minutes.

use zeroize::{Zeroize, Zeroizing};

use super::random_bytes;

/// Eight random decimal digits. Wiped when dropped; printing it shows nothing.
pub struct PairingCode(Zeroizing<[u8; PairingCode::DIGITS]>);

impl PairingCode {
    /// How many digits.
    pub const DIGITS: usize = 8;

    /// A new random one.
    pub fn make() -> Self {
        // 2^64 is no multiple of 10^8: the first codes are more likely by 2^-37, which helps nobody.
        let mut number = u64::from_be_bytes(random_bytes());
        let mut digits = Zeroizing::new([b'0'; Self::DIGITS]);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        number.zeroize();
        Self(digits)
    }

    /// Reads what a person typed: eight digits, also full-width ones; spaces and dashes between them do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = Zeroizing::new([0u8; Self::DIGITS]);
        let mut count = 0;
        for c in text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '－' | '–' | '—')) {
            let value = match c {
                '0'..='9' => u32::from(c) - u32::from('0'),
                '０'..='９' => u32::from(c) - u32::from('０'),
                _ => return None,
            };
            *digits.get_mut(count)? = b'0' + u8::try_from(value).ok()?;
            count += 1;
        }
        (count == Self::DIGITS).then_some(Self(digits))
    }

    /// The digits, for the key exchange, the gate's store and the gate's console only.
    pub fn expose(&self) -> &[u8; Self::DIGITS] {
        &self.0
    }

    /// In two groups of four, as it is read aloud.
    pub fn grouped(&self) -> Zeroizing<String> {
        let (head, tail) = self.0.split_at(4);
        Zeroizing::new(format!("{} {}", String::from_utf8_lossy(head), String::from_utf8_lossy(tail)))
    }
}

impl std::fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PairingCode([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for text in ["48217730", "4821 7730", " 4821-7730 ", "４８２１ ７７３０", "4 8 2 1 7 7 3 0"] {
            assert_eq!(PairingCode::parse(text).unwrap().expose(), b"48217730", "{text}");
        }
        for text in ["", "4821773", "482177301", "4821773a", "4821.7730", "٤٨٢١٧٧٣٠"] {
            assert!(PairingCode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn codes_differ_and_do_not_print() {
        let codes: std::collections::BTreeSet<_> = (0..64).map(|_| *PairingCode::make().expose()).collect();
        assert!(codes.len() > 60 && codes.iter().flatten().all(u8::is_ascii_digit));
        let code = PairingCode::parse("48217730").unwrap();
        assert_eq!((code.grouped().as_str(), format!("{code:?}")), ("4821 7730", "PairingCode([REDACTED])".into()));
    }
}
