//! The recovery key: 160 random bits in eight groups that people can type. The last sign of each group checks the group and its place, so that
//! a mistyped group is named before anything is tried.

use zeroize::Zeroizing;

use super::{Passphrase, Typed, random_bytes};

/// Signs of the key: digits and capitals without I, L, O and U.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Groups of a key.
const GROUPS: usize = 8;
/// Signs of a group before its check sign.
const DATA: usize = 4;

/// The printed key that opens the vault when every supervisor's passphrase is lost. Wiped when dropped, never printed in logs.
pub struct RecoveryKey(Zeroizing<String>);

/// Why a typed recovery key is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryKeyFault {
    /// Too short or too long.
    #[error("a recovery key has eight groups of five signs")]
    Length,
    /// This group (from 1) is mistyped, or stands in another place.
    #[error("group {0} of the recovery key is mistyped")]
    Group(u8),
}

impl RecoveryKey {
    /// A new random key.
    pub fn make() -> Self {
        let bytes = Zeroizing::new(random_bytes::<32>());
        let mut text = Zeroizing::new(String::with_capacity(GROUPS * (DATA + 1)));
        for group in 0..GROUPS {
            let mut data = Zeroizing::new([0u8; DATA]);
            data.iter_mut().zip(&bytes[group * DATA..]).for_each(|(sign, byte)| *sign = byte & 31);
            data.iter().chain(&[check(&data[..], group)]).for_each(|value| text.push(sign(*value)));
        }
        Self(text)
    }

    /// Reads what was typed: small letters, spaces and dashes are fine, and O, I, L are read as 0, 1, 1.
    ///
    /// # Errors
    /// [`RecoveryKeyFault`] names the group.
    pub fn parse(typed: &Typed) -> Result<Self, RecoveryKeyFault> {
        let signs: Zeroizing<Vec<char>> =
            Zeroizing::new(typed.as_str().chars().filter(|c| !c.is_whitespace() && *c != '-').collect());
        if signs.len() != GROUPS * (DATA + 1) {
            return Err(RecoveryKeyFault::Length);
        }
        let mut text = Zeroizing::new(String::with_capacity(signs.len()));
        for (number, group) in signs.chunks(DATA + 1).enumerate() {
            let fault = RecoveryKeyFault::Group(u8::try_from(number + 1).unwrap_or(u8::MAX));
            let values: Option<Vec<u8>> = group.iter().map(|c| value(*c)).collect();
            let values = Zeroizing::new(values.ok_or(fault)?);
            let (data, last) = values.split_at(DATA);
            if last != [check(data, number)] {
                return Err(fault);
            }
            values.iter().for_each(|value| text.push(sign(*value)));
        }
        Ok(Self(text))
    }

    /// The groups with dashes, for the one page and the one sheet that show it.
    pub fn shown(&self) -> Typed {
        let mut shown = String::with_capacity(self.0.len() + GROUPS);
        for (at, sign) in self.0.chars().enumerate() {
            if at > 0 && at % (DATA + 1) == 0 {
                shown.push('-');
            }
            shown.push(sign);
        }
        Typed::new(shown)
    }

    /// As a passphrase, for the key derivation.
    pub fn passphrase(&self) -> Passphrase {
        Passphrase::new(self.0.to_string())
    }
}

impl std::fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryKey([REDACTED])")
    }
}

fn sign(value: u8) -> char {
    char::from(SIGNS[usize::from(value & 31)])
}

fn value(typed: char) -> Option<u8> {
    let upper = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = SIGNS.iter().position(|sign| char::from(*sign) == upper)?;
    u8::try_from(at).ok()
}

/// The check sign: a weighted sum in the field of 32 elements, which no single wrong sign, no swap of two neighbours and no other place of the
/// group leaves as it is.
fn check(data: &[u8], group: usize) -> u8 {
    let place = u8::try_from(group + 1).unwrap_or(0);
    data.iter().fold((place, 2u8), |(sum, weight), value| (sum ^ times(weight, *value), times(weight, 2))).0
}

/// Multiplies in GF(32), modulo x⁵ + x² + 1.
fn times(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a <<= 1;
        if a & 32 != 0 {
            a ^= 0x25;
        }
        b >>= 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Typed {
        Typed::new(text.to_owned())
    }

    #[test]
    fn a_key_reads_back_however_it_is_typed() {
        let key = RecoveryKey::make();
        let shown = key.shown().as_str().to_owned();
        assert_eq!(shown.len(), GROUPS * 6 - 1);
        for text in [shown.clone(), shown.to_lowercase(), shown.replace('-', "  "), shown.replace('0', "o")] {
            let read = RecoveryKey::parse(&typed(&text)).map(|k| k.passphrase().same_as(&key.passphrase()));
            assert_eq!(read, Ok(true));
        }
        assert!(!RecoveryKey::make().passphrase().same_as(&key.passphrase()));
        assert_eq!(format!("{key:?}"), "RecoveryKey([REDACTED])");
    }

    #[test]
    fn every_wrong_sign_every_swap_and_every_exchanged_group_is_named() {
        let key = RecoveryKey::make();
        let signs: Vec<char> = key.0.chars().collect();
        let read = |signs: &[char]| RecoveryKey::parse(&typed(&signs.iter().collect::<String>())).err();
        for at in 0..signs.len() {
            let group = u8::try_from(at / 5 + 1).unwrap_or(0);
            for other in SIGNS.iter().map(|s| char::from(*s)).filter(|s| *s != signs[at]) {
                let mut wrong = signs.clone();
                wrong[at] = other;
                assert_eq!(read(&wrong), Some(RecoveryKeyFault::Group(group)), "{at} {other}");
            }
            if at % 5 < 4 && signs[at] != signs[at + 1] {
                let mut swapped = signs.clone();
                swapped.swap(at, at + 1);
                assert_eq!(read(&swapped), Some(RecoveryKeyFault::Group(group)), "{at} swapped");
            }
        }
        let groups: Vec<&[char]> = signs.chunks(5).collect();
        let mut order: Vec<usize> = (0..8).collect();
        order.swap(2, 5);
        let exchanged: Vec<char> = order.iter().flat_map(|g| groups[*g].iter().copied()).collect();
        assert_eq!(read(&exchanged), Some(RecoveryKeyFault::Group(3)));
        assert_eq!(read(&signs[..39]), Some(RecoveryKeyFault::Length));
        assert_eq!(RecoveryKey::parse(&typed("口令")).err(), Some(RecoveryKeyFault::Length));
    }
}
