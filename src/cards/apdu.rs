//! The one question asked of a card, and how its answer is read. Pure bytes; knows no reader.

use crate::domain::card::CardUid;

/// PC/SC part 3, 3.2.2.1.3: get the UID. The reader answers it, so it works with every contactless card.
pub const GET_UID: [u8; 5] = [0xFF, 0xCA, 0x00, 0x00, 0x00];

/// Room for any short answer: 256 bytes and two status bytes.
pub const ANSWER_BYTES_MAX: usize = 258;

/// Why an answer holds no number that can be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Too short to hold a status.
    #[error("the answer has no status")]
    Short,
    /// The card or the reader refused; the two status bytes.
    #[error("status {0:04X}")]
    Status(u16),
    /// Not 4 to 10 bytes, or all zero.
    #[error("not a card number")]
    Length,
    /// A number that is new at each tap, as telephones and some bank cards give (ISO/IEC 14443-3, first byte 08).
    #[error("the card gives a random number at each tap")]
    Random,
}

/// Reads the answer to [`GET_UID`].
///
/// # Errors
/// See [`AnswerError`].
pub fn uid_of(answer: &[u8]) -> Result<CardUid, AnswerError> {
    let (uid, status) = answer.split_last_chunk::<2>().ok_or(AnswerError::Short)?;
    match u16::from_be_bytes(*status) {
        0x9000 => {}
        other => return Err(AnswerError::Status(other)),
    }
    if uid.len() == 4 && uid.first() == Some(&RANDOM_UID) {
        return Err(AnswerError::Random);
    }
    CardUid::from_bytes(uid).ok_or(AnswerError::Length)
}

/// First byte of a four-byte number that is made up for each activation.
const RANDOM_UID: u8 = 0x08;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_four_seven_and_ten_bytes_are_read() {
        for uid in [&[0xDE, 0xAD, 0xBE, 0xEF][..], &[4, 1, 2, 3, 4, 5, 6], &[4, 1, 2, 3, 4, 5, 6, 7, 8, 9]] {
            let answer = [uid, &[0x90, 0x00]].concat();
            assert_eq!(uid_of(&answer).unwrap().bytes(), uid);
        }
    }

    #[test]
    fn anything_else_is_no_number() {
        assert_eq!(uid_of(&[]), Err(AnswerError::Short));
        assert_eq!(uid_of(&[0x90]), Err(AnswerError::Short));
        assert_eq!(uid_of(&[0x90, 0x00]), Err(AnswerError::Length));
        assert_eq!(uid_of(&[0x6A, 0x81]), Err(AnswerError::Status(0x6A81)));
        assert_eq!(uid_of(&[1, 2, 3, 4, 0x63, 0x00]), Err(AnswerError::Status(0x6300)));
        assert_eq!(uid_of(&[1, 2, 3, 0x90, 0x00]), Err(AnswerError::Length));
        assert_eq!(uid_of(&[0, 0, 0, 0, 0x90, 0x00]), Err(AnswerError::Length));
        assert_eq!(uid_of(&[[7; 11].as_slice(), &[0x90, 0x00]].concat()), Err(AnswerError::Length));
    }

    #[test]
    fn j10_a_number_that_changes_at_each_tap_is_not_registered_as_a_card() {
        assert_eq!(uid_of(&[0x08, 1, 2, 3, 0x90, 0x00]), Err(AnswerError::Random));
        assert!(uid_of(&[0x08, 1, 2, 3, 4, 5, 6, 0x90, 0x00]).is_ok(), "seven bytes are never random");
    }
}
