//! Card boards (UHPPOTE, 微耕): the second kind of gate. Cards only, over a wire without any authentication, so a read-back is the only proof.
//!
//! A board is never a [`GateRecord`]: whatever handles a face takes that type, so that a board cannot be chosen for one.

use std::collections::{BTreeMap, BTreeSet};

use super::card::CardUid;
use super::gate::GateRecord;
use super::id::GateId;
use super::time::CivilDate;

/// Doors of one board.
pub const DOORS: u8 = 4;

/// Serial number of a board, as printed on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoardSerial(u32);

impl BoardSerial {
    /// Accepts any number but 0, which addresses every board.
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// Reads what somebody typed from the label, spaces allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|_| plain).and_then(Self::new)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for BoardSerial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One door of a board, 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DoorNumber(u8);

impl DoorNumber {
    /// Accepts 1 to [`DOORS`].
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= DOORS { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// Which doors of a board our cards open, at all hours; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardDoors(u8);

impl BoardDoors {
    /// Reads the stored form: bit 0 is door 1.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits >= 1 && bits < 1 << DOORS { Some(Self(bits)) } else { None }
    }

    /// The stored form.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The doors, in order.
    pub fn each(self) -> impl Iterator<Item = DoorNumber> {
        (1..=DOORS).filter(move |n| self.0 & (1 << (n - 1)) != 0).filter_map(DoorNumber::new)
    }

    /// Permissions as a board holds them: 1 at all hours, 0 never.
    pub fn permissions(self) -> [u8; DOORS as usize] {
        let mut doors = [0; DOORS as usize];
        for (n, door) in doors.iter_mut().enumerate() {
            *door = self.0 >> n & 1;
        }
        doors
    }
}

/// How the readers of a board turn a card into a number (Wiegand wiring).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CardFormat {
    /// 26 bits: the low three bytes, written as facility code (first) and five digits (the other two). The usual wiring.
    #[default]
    Wiegand26,
    /// 34 bits: the low four bytes as one number.
    Wiegand34,
}

impl CardFormat {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Wiegand26, Self::Wiegand34];

    /// Word in the vault.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Wiegand26 => "wiegand-26",
            Self::Wiegand34 => "wiegand-34",
        }
    }

    /// Reads the word of the vault.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.label() == label)
    }

    /// The number that a reader of this wiring makes of a card; `None` for one that a board cannot tell from an empty place.
    ///
    /// Several cards may give one number, most of all with 26 bits: whoever puts a card into a board looks for that first.
    pub fn number(self, uid: &CardUid) -> Option<BoardCard> {
        let [.., a, b, c, d] = *uid.bytes() else { return None };
        match self {
            Self::Wiegand26 => BoardCard::new(u32::from(b) * 100_000 + u32::from(u16::from_be_bytes([c, d]))),
            Self::Wiegand34 => BoardCard::new(u32::from_be_bytes([a, b, c, d])),
        }
    }
}

/// A card as a board knows it. Never printed whole: staff see its last four digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoardCard(u32);

impl BoardCard {
    /// Accepts what boards take for a card: 0 is "no card", 0xFFFFFFFF a freed place, 0x00FFFFFF an unprogrammed one.
    pub const fn new(number: u32) -> Option<Self> {
        match number {
            0 | 0xFFFF_FFFF | 0x00FF_FFFF => None,
            _ => Some(Self(number)),
        }
    }

    /// The number, for the wire.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The last four digits.
    pub fn last4(self) -> String {
        format!("{:04}", self.0 % 10_000)
    }
}

impl std::fmt::Debug for BoardCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoardCard([REDACTED])")
    }
}

/// What a board holds of one card. Foreign entries may be odd: a date that is none stays `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardEntry {
    /// The card.
    pub card: BoardCard,
    /// First day.
    pub from: Option<CivilDate>,
    /// Last day.
    pub until: Option<CivilDate>,
    /// Each door: 0 never, 1 at all hours, 2 to 254 a time profile.
    pub doors: [u8; DOORS as usize],
    /// Keypad number (24 bits), 0 for none.
    pub pin: u32,
}

impl BoardEntry {
    /// What a board must hold of one of our cards.
    pub fn of(card: BoardCard, ends_on: CivilDate, doors: BoardDoors) -> Self {
        // The same first day for everybody: the board need not know when somebody moved in.
        let from = CivilDate::from_epoch_days(FIRST_DAY);
        let until = ends_on.clamp(from, CivilDate::from_epoch_days(LAST_DAY));
        Self { card, from: Some(from), until: Some(until), doors: doors.permissions(), pin: 0 }
    }

    /// Whether it opens one of these doors at all hours on a day, without a keypad number.
    pub fn opens(&self, doors: BoardDoors, today: CivilDate) -> bool {
        let in_time = self.from.is_some_and(|day| day <= today) && self.until.is_some_and(|day| day >= today);
        in_time && self.pin == 0 && self.doors.iter().zip(doors.permissions()).all(|(has, ours)| *has == ours)
    }
}

/// 2020-01-01, the first day of every entry.
const FIRST_DAY: i64 = 18_262;
/// 2099-12-31: boards count years with two digits.
const LAST_DAY: i64 = 47_481;

/// A board that was added by its address and serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardRecord {
    /// The desk's own id for it: a board has none.
    pub id: GateId,
    /// Shown name, e.g. 地库门.
    pub name: String,
    /// Place.
    pub place: String,
    /// `ip:port` on the LAN (IPv4).
    pub address: String,
    /// Serial number.
    pub serial: BoardSerial,
    /// Which of its doors our cards open.
    pub doors: BoardDoors,
    /// What its readers make of a card.
    pub format: CardFormat,
}

/// A gate of either kind: one contract for the outbox, the lists and the cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyGate {
    /// With keys of its own: signs for what it did.
    Gate(Box<GateRecord>),
    /// A card board: read back by the desk.
    Board(BoardRecord),
}

impl AnyGate {
    /// Which.
    pub fn id(&self) -> GateId {
        match self {
            Self::Gate(gate) => gate.id,
            Self::Board(board) => board.id,
        }
    }

    /// Shown name.
    pub fn name(&self) -> &str {
        match self {
            Self::Gate(gate) => &gate.name,
            Self::Board(board) => &board.name,
        }
    }
}

/// How the desk and a board differ about one card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoardFault {
    /// The board lets somebody in whom the desk does not know.
    Extra,
    /// The board does not know a card that was read back before.
    Missing,
    /// Other days, doors or a keypad number.
    Differs,
}

/// The difference between a board and what it should hold, with what mends each: what it holds, and what it should.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardDrift(Vec<(BoardFault, BoardCard, Option<BoardEntry>)>);

impl BoardDrift {
    /// Compares everything a board holds with everything it should. Cards in `moving` are on their way and left out; of two entries of one card that
    /// should be there the first counts.
    pub fn judge(held: &[BoardEntry], should: &[BoardEntry], moving: &[BoardCard]) -> Self {
        let moving: BTreeSet<BoardCard> = moving.iter().copied().collect();
        let there: BTreeSet<BoardCard> = held.iter().map(|entry| entry.card).collect();
        let mut wanted = BTreeMap::new();
        for entry in should {
            wanted.entry(entry.card).or_insert(*entry);
        }
        let mut faults = vec![];
        for entry in held.iter().filter(|entry| !moving.contains(&entry.card)) {
            match wanted.get(&entry.card) {
                None => faults.push((BoardFault::Extra, entry.card, None)),
                Some(wanted) if wanted != entry => faults.push((BoardFault::Differs, entry.card, Some(*wanted))),
                Some(_) => {}
            }
        }
        let missing = wanted.values().filter(|w| !moving.contains(&w.card) && !there.contains(&w.card));
        faults.extend(missing.map(|wanted| (BoardFault::Missing, wanted.card, Some(*wanted))));
        faults.sort_by_key(|(fault, card, _)| (*fault, *card));
        faults.dedup();
        Self(faults)
    }

    /// Each difference with the card and what should be there (`None`: nothing).
    pub fn each(&self) -> impl Iterator<Item = (BoardFault, BoardCard, Option<BoardEntry>)> {
        self.0.iter().copied()
    }

    /// How many cards.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether both agree.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn uid(bytes: &[u8]) -> CardUid {
        CardUid::from_bytes(bytes).unwrap()
    }

    #[test]
    fn a_card_becomes_the_number_that_is_printed_beside_it() {
        // 0012345678 188,24910 as an EM card prints it.
        let card = CardUid::from_wedge("0012345678").unwrap();
        assert_eq!(CardFormat::Wiegand26.number(&card).map(BoardCard::get), Some(18_824_910));
        assert_eq!(CardFormat::Wiegand34.number(&card).map(BoardCard::get), Some(12_345_678));
        let seven = uid(&[0x04, 1, 2, 0xA0, 0xFF, 0xFF, 0xFF]);
        assert_eq!(CardFormat::Wiegand26.number(&seven).map(BoardCard::get), Some(25_565_535));
        assert_eq!(CardFormat::Wiegand34.number(&seven).map(BoardCard::get), Some(0xA0FF_FFFF));
        for nobody in [[0x11, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF]] {
            let both = CardFormat::ALL.map(|format| format.number(&uid(&nobody)));
            assert!(both.contains(&None), "{nobody:?}");
        }
        assert_eq!(CardFormat::Wiegand34.number(&uid(&[0, 0xFF, 0xFF, 0xFF])), None, "an unprogrammed place");
    }

    #[test]
    fn serial_numbers_and_doors_are_read_as_typed() {
        assert_eq!(BoardSerial::parse(" 405 419 896 ").map(BoardSerial::get), Some(405_419_896));
        for bad in ["", "0", "+5", "4294967296", "4054x", "-1"] {
            assert_eq!(BoardSerial::parse(bad), None, "{bad}");
        }
        assert_eq!([0, 5].map(DoorNumber::new), [None, None]);
        assert_eq!([0, 16].map(BoardDoors::from_bits), [None, None]);
        let doors = BoardDoors::from_bits(0b1010).unwrap();
        assert_eq!(doors.permissions(), [0, 1, 0, 1]);
        assert_eq!(doors.each().map(DoorNumber::get).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn an_entry_opens_its_doors_on_its_days_only() {
        let (card, doors) = (BoardCard::new(7).unwrap(), BoardDoors::from_bits(1).unwrap());
        let day = |text| CivilDate::parse(text).unwrap();
        let entry = BoardEntry::of(card, day("2027-01-31"), doors);
        assert_eq!(entry.from, Some(day("2020-01-01")));
        assert!(entry.opens(doors, day("2027-01-31")) && !entry.opens(doors, day("2027-02-01")));
        assert!(!BoardEntry { pin: 1, ..entry }.opens(doors, day("2027-01-01")), "asks for a number too");
        assert!(!BoardEntry { doors: [1, 1, 0, 0], ..entry }.opens(doors, day("2027-01-01")), "opens another door");
        assert!(!BoardEntry { doors: [2, 0, 0, 0], ..entry }.opens(doors, day("2027-01-01")), "not at all hours");
        let far = BoardEntry::of(card, day("2140-01-01"), doors);
        assert_eq!(far.until, Some(day("2099-12-31")));
    }

    #[test]
    fn the_difference_is_named_card_by_card_and_what_moves_is_left_out() {
        let doors = BoardDoors::from_bits(1).unwrap();
        let day = CivilDate::parse("2027-01-31").unwrap();
        let entry = |n| BoardEntry::of(BoardCard::new(n).unwrap(), day, doors);
        let other_day = BoardEntry { until: Some(day.plus_days(1)), ..entry(3) };
        let drift = BoardDrift::judge(&[entry(1), entry(2), other_day, entry(9)], &[entry(1), entry(3), entry(4)], &[]);
        let named: Vec<(BoardFault, u32)> = drift.each().map(|(fault, card, _)| (fault, card.get())).collect();
        assert_eq!(
            named,
            [(BoardFault::Extra, 2), (BoardFault::Extra, 9), (BoardFault::Missing, 4), (BoardFault::Differs, 3)]
        );
        let mends: Vec<bool> = drift.each().map(|(_, _, wanted)| wanted.is_some()).collect();
        assert_eq!(mends, [false, false, true, true]);
        let moving = [2, 3, 4, 9].map(|n| BoardCard::new(n).unwrap());
        assert!(BoardDrift::judge(&[entry(2)], &[entry(3)], &moving).is_empty());
    }
}
