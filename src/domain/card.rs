//! Access cards. A card comes first, opens everything a face opens, and knows nothing of a face (rules J10, M10).

use super::id::{CardId, GateId, ResidentId};
use super::time::{CivilDate, Timestamp};

/// The number of an IC card, 4 to 10 bytes (ISO/IEC 14443-3 UID, or what a keyboard-wedge reader typed).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardUid(Vec<u8>);

impl CardUid {
    /// Accepts 4 to 10 bytes that are not all zero.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        ((4..=10).contains(&bytes.len()) && bytes.iter().any(|b| *b != 0)).then(|| Self(bytes.to_vec()))
    }

    /// Reads what a keyboard-wedge reader types: 8 to 20 hex digits (with or without `:`), or a decimal number of 8 or 10 digits
    /// (the low four bytes of the UID, most significant first, as EM/Mifare wedge readers print).
    pub fn from_wedge(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().filter(|c| !matches!(c, ':' | ' ' | '-')).collect();
        let decimal = matches!(text.len(), 8 | 10) && text.bytes().all(|b| b.is_ascii_digit());
        if decimal {
            return text.parse::<u32>().ok().and_then(|n| Self::from_bytes(&n.to_be_bytes()));
        }
        // Every character, or `u8::from_str_radix` would take `+4` for a byte.
        if !text.bytes().all(|b| b.is_ascii_hexdigit())
            || !text.len().is_multiple_of(2)
            || !(8..=20).contains(&text.len())
        {
            return None;
        }
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()))
            .collect();
        Self::from_bytes(&bytes?)
    }

    /// The bytes, for the vault and the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The last four hex digits, as on receipts and screens.
    pub fn last4(&self) -> String {
        let hex: String = self.0.iter().map(|b| format!("{b:02X}")).collect();
        hex.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect()
    }
}

impl std::fmt::Debug for CardUid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardUid([REDACTED])")
    }
}

/// A card in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRecord {
    /// This issue of the card.
    pub id: CardId,
    /// Whose.
    pub resident: ResidentId,
    /// The card's number.
    pub uid: CardUid,
    /// The gates that it opens, at all hours.
    pub gates: Vec<GateId>,
    /// Last day.
    pub ends_on: CivilDate,
    /// When it was issued.
    pub issued_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wedge_readers_type_hex_or_decimal() {
        assert_eq!(CardUid::from_wedge("04:A1:B2:C3").map(|c| c.last4()).as_deref(), Some("B2C3"));
        assert_eq!(CardUid::from_wedge("0012345678").map(|c| c.bytes().to_vec()), Some(vec![0x00, 0xBC, 0x61, 0x4E]));
        assert_eq!(CardUid::from_wedge("04a1b2c3d4e5f6").map(|c| c.bytes().len()), Some(7));
        for bad in ["", "hello", "04a1b", "9999999999", "卡卡卡卡", "00000000", "+1+2+3+4", "+4+a1+b2"] {
            assert_eq!(CardUid::from_wedge(bad), None, "{bad}");
        }
    }
}
