//! What ended, what rests and who refuses, as the note at the gates lists it: eight bytes of each random number, the newest first, as many as
//! the note has room for. Each list says from which instant on it is whole, so that a restored desk knows whether it reaches back to its
//! backup. Rules: P47, P56, P44.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use rusqlite::{Connection, Row};

use crate::domain::consent::EraseReason;
use crate::domain::time::Timestamp;
use crate::wire::message::EPOCH_MAX;

use super::endings::CAPTURE_LOST;
use super::error::VaultError;

/// Bytes of a random number that are listed: enough to tell apart everything that a site ever makes.
const SHORT: usize = 8;
/// Bytes of an ended face that is told with its paper.
const TOLD: usize = SHORT + PAPER;
/// Bytes of a place.
const PLACE: usize = 2 * SHORT + PAPER;
/// Bytes of a closed record.
const CLOSED: usize = SHORT + 6 + 1;
/// When, why, which certificate, and when that was issued.
const PAPER: usize = 6 + 1 + 16 + 6;
/// Bytes of a gate with an instant.
const DOOR: usize = SHORT + 8;
/// Set beside the reason: a certificate that says "partly" may be in the person's hand.
const WAITS: u8 = 0x80;
/// Most accounts, and most stopped gates.
const FEW: i64 = 64;
/// What the seal, the first fields and the short lists take at most, in bytes.
const OVERHEAD: usize = 4_096;
/// The room is divided into so many parts.
const PARTS: usize = 16;

/// Words of endings by their number in a note; a number is never given to another word. 0 is a word that is not listed.
const REASONS: [&str; 17] = [
    EraseReason::FoundErased.label(),
    EraseReason::Withdrawn.label(),
    EraseReason::MovedOut.label(),
    EraseReason::TermOver.label(),
    EraseReason::GateRetired.label(),
    EraseReason::Correction.label(),
    EraseReason::NotAccepted.label(),
    EraseReason::PracticeOver.label(),
    EraseReason::Closed.label(),
    EraseReason::Deceased.label(),
    EraseReason::Unlawful.label(),
    EraseReason::FoundErased.label(),
    EraseReason::NoticeChanged.label(),
    EraseReason::NextAgeBand.label(),
    EraseReason::OtherDecider.label(),
    EraseReason::ManagerLeft.label(),
    CAPTURE_LOST,
];

/// The first bytes of a random number.
pub(super) type Short = [u8; SHORT];

/// Bytes that the lists of a note may take beside a tree of this size.
pub(super) fn room(branches: usize) -> usize {
    EPOCH_MAX.saturating_sub(OVERHEAD + branches)
}

/// The lists of a note.
#[derive(Clone, Default, Encode, Decode)]
pub(super) struct Lists {
    /// Faces that ended, with what the last certificate was.
    #[cbor(n(0), with = "minicbor::bytes")]
    told: Vec<u8>,
    /// Those before.
    #[cbor(n(1), with = "minicbor::bytes")]
    faces: Vec<u8>,
    /// No face that ended at this instant or later is missing.
    #[n(2)]
    pub(super) faces_from: i64,
    /// Every consent that was signed before this instant has ended.
    #[n(3)]
    pub(super) oldest_consent: i64,
    /// Places at which a face ended while its consent goes on.
    #[cbor(n(4), with = "minicbor::bytes")]
    places: Vec<u8>,
    #[n(5)]
    pub(super) places_from: i64,
    /// Gates with an instant: of the consents that were signed before it, none names that gate any more.
    #[cbor(n(17), with = "minicbor::bytes")]
    doors: Vec<u8>,
    #[cbor(n(6), with = "minicbor::bytes")]
    cards: Vec<u8>,
    #[n(7)]
    pub(super) cards_from: i64,
    /// Every card that was issued before this instant has ended.
    #[n(8)]
    pub(super) oldest_card: i64,
    #[cbor(n(9), with = "minicbor::bytes")]
    closed: Vec<u8>,
    #[n(10)]
    pub(super) closed_from: i64,
    /// Who refuses any processing of a face.
    #[cbor(n(11), with = "minicbor::bytes")]
    refusing: Vec<u8>,
    #[n(12)]
    pub(super) refusing_from: i64,
    /// Faces that rest: paused by the person, or stopped until the person has answered a change of the notice.
    #[cbor(n(13), with = "minicbor::bytes")]
    resting: Vec<u8>,
    #[n(14)]
    pub(super) resting_from: i64,
    /// Gates at which all faces are stopped; sixteen zero bytes for the site.
    #[cbor(n(15), with = "minicbor::bytes")]
    stopped: Vec<u8>,
    /// The slot of the recovery key in force.
    #[cbor(n(16), with = "minicbor::bytes")]
    pub(super) recovery: Vec<u8>,
}

/// How a face ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    pub(super) reason: &'static str,
    pub(super) paper: Option<Paper>,
}

/// The last certificate of an ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paper {
    pub(super) id: [u8; 16],
    pub(super) issued_at: Timestamp,
    /// It says "partly", and the person may have it.
    pub(super) waits: bool,
}

/// Asked for with every note: answered from an index, also at a site of 100,000 people.
///
/// Where none is in force: just after the newest. What comes later than the note is none of its business; who was erased with all rows is known by
/// the tree.
pub(super) const OLDEST_CONSENT: &str = "SELECT coalesce((SELECT min(signed_at) FROM consents WHERE ended_at IS NULL),
     (SELECT max(signed_at) + 1 FROM consents))";
/// The same of cards.
pub(super) const OLDEST_CARD: &str = "SELECT coalesce((SELECT min(issued_at) FROM cards WHERE ended_at IS NULL),
     (SELECT max(issued_at) + 1 FROM cards))";

impl Lists {
    /// Reads them from the vault, within so many bytes.
    pub(super) fn read(view: &Connection, room: usize) -> Result<Self, VaultError> {
        let part = room / PARTS;
        let fits = |parts: usize, each: usize| part * parts / each;
        let (told_max, more_max) = (fits(3, TOLD), fits(3, SHORT));
        let mut lists = Self {
            oldest_consent: oldest(view, OLDEST_CONSENT)?,
            oldest_card: oldest(view, OLDEST_CARD)?,
            ..Self::default()
        };
        // Of somebody whose identity is erased it is known by the tree.
        let sql = "SELECT ended_at, substr(link, 1, 8), end_reason, consents.id, signed_at, identity_ended_at IS NULL FROM consents
             JOIN residents ON residents.id = resident WHERE ended_at IS NOT NULL
             ORDER BY identity_ended_at IS NOT NULL, ended_at DESC, consents.id";
        let (mut statement, mut count, mut more) = (view.prepare_cached(sql)?, 0, 0);
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (at, short): (i64, Short) = (row.get(0)?, row.get(1)?);
            if count < told_max {
                count += 1;
                lists.told.extend(short);
                lists.told.extend(paper_bytes(view, (at, row.get(2)?), (row.get(3)?, None))?);
            } else if row.get::<_, i64>(4)? < lists.oldest_consent {
                // Known by its age.
            } else if more < more_max {
                more += 1;
                lists.faces.extend(short);
            } else if row.get(5)? {
                lists.faces_from = at.saturating_add(1);
                break;
            }
        }
        drop(rows);
        lists.read_places(view, fits(2, PLACE))?;
        let short = |row: &Row<'_>, bytes: &mut Vec<u8>| -> Result<(), VaultError> {
            bytes.extend(row.get::<_, Short>(1)?);
            Ok(())
        };
        let sql = format!(
            "SELECT ended_at, substr(cards.id, 1, 8) FROM cards JOIN residents ON residents.id = resident
             WHERE ended_at IS NOT NULL AND identity_ended_at IS NULL AND issued_at >= {}
             ORDER BY ended_at DESC, cards.id",
            lists.oldest_card
        );
        (lists.cards, lists.cards_from) = list(view, &sql, fits(3, SHORT), short)?;
        // Of whom the identity is erased it only says from when on the evidence's term counts: its end is no cut.
        let sql = "SELECT CASE WHEN identity_ended_at IS NULL THEN closed_at ELSE 0 END, substr(id, 1, 8),
                 coalesce(close_reason, ''), closed_at
             FROM residents WHERE closed_at IS NOT NULL
             ORDER BY identity_ended_at IS NOT NULL, closed_at DESC, id";
        (lists.closed, lists.closed_from) = list(view, sql, fits(2, CLOSED), |row, bytes| {
            bytes.extend(row.get::<_, Short>(1)?);
            bytes.extend(instant(row.get(3)?));
            bytes.push(code(&row.get::<_, String>(2)?));
            Ok(())
        })?;
        let sql =
            "SELECT since, substr(resident, 1, 8) FROM restrictions WHERE lifted_at IS NULL ORDER BY since DESC, n";
        (lists.refusing, lists.refusing_from) = list(view, sql, fits(1, SHORT), short)?;
        // A stop of the notice has no instant of its own: it counts as one of today, so that a cut list is never taken for a whole one.
        let sql = "SELECT CASE WHEN paused_at IS NULL THEN 9223372036854775806 ELSE paused_at END, substr(link, 1, 8)
             FROM (SELECT consent FROM pauses WHERE resumed_at IS NULL
                 UNION SELECT consent FROM notice_stopped WHERE ended_at IS NULL) AS resting
             JOIN consents ON consents.id = resting.consent
             LEFT JOIN pauses ON pauses.consent = consents.id AND resumed_at IS NULL
             WHERE consents.ended_at IS NULL ORDER BY 1 DESC, consents.id";
        (lists.resting, lists.resting_from) = list(view, sql, fits(2, SHORT), short)?;
        let sql = format!(
            "SELECT DISTINCT coalesce(gate, zeroblob(16)) FROM face_stops WHERE resumed_at IS NULL ORDER BY 1 LIMIT {FEW}"
        );
        let mut statement = view.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| row.get::<_, [u8; 16]>(0))?;
        lists.stopped = rows.collect::<Result<Vec<_>, _>>()?.concat();
        Ok(lists)
    }

    /// Places: the newest one by one, and of each gate from which age on no consent names it any more (it was retired, or its part of the notice
    /// changed).
    fn read_places(&mut self, view: &Connection, max: usize) -> Result<(), VaultError> {
        let sql = "SELECT DISTINCT d.gate FROM dropped_doors AS d JOIN consents ON consents.id = d.consent
             WHERE ended_at IS NULL ORDER BY d.gate LIMIT ?1";
        let mut statement = view.prepare_cached(sql)?;
        let gates = statement.query_map([FEW], |row| row.get::<_, [u8; 16]>(0))?.collect::<Result<Vec<_>, _>>()?;
        let sql = "SELECT coalesce((SELECT min(signed_at) FROM consents JOIN consent_gates AS named ON named.consent = consents.id
             WHERE ended_at IS NULL AND coalesce(taken_over_by, gate) = ?1
                 AND NOT EXISTS (SELECT 1 FROM dropped_doors AS d WHERE d.consent = consents.id AND d.gate = ?1)),
             (SELECT max(signed_at) + 1 FROM consents))";
        let mut statement = view.prepare_cached(sql)?;
        let mut ages = BTreeMap::new();
        for gate in &gates {
            let age: Option<i64> = statement.query_row([gate], |row| row.get(0))?;
            let age = age.unwrap_or(i64::MIN);
            self.doors.extend(short(gate).into_iter().chain(age.to_be_bytes()));
            ages.insert(*gate, age);
        }
        let sql = "SELECT dropped_at, substr(link, 1, 8), d.gate, reason, d.consent, signed_at
             FROM dropped_doors AS d JOIN consents ON consents.id = d.consent WHERE ended_at IS NULL
             ORDER BY dropped_at DESC, d.consent, d.gate";
        let (mut statement, mut count) = (view.prepare_cached(sql)?, 0);
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (at, link, gate): (i64, Short, [u8; 16]) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if count < max {
                count += 1;
                self.places.extend(link.into_iter().chain(short(&gate)));
                self.places.extend(paper_bytes(view, (at, row.get(3)?), (row.get(4)?, Some(gate)))?);
            } else if ages.get(&gate).is_none_or(|age| row.get::<_, i64>(5).is_ok_and(|signed_at| signed_at >= *age)) {
                self.places_from = at.saturating_add(1);
                break;
            }
        }
        Ok(())
    }

    /// Accounts that were switched off, the newest first.
    pub(super) fn accounts(view: &Connection) -> Result<Vec<u8>, VaultError> {
        let sql = "SELECT id FROM staff WHERE disabled_at IS NOT NULL ORDER BY disabled_at DESC, id LIMIT ?1";
        let mut statement = view.prepare_cached(sql)?;
        let rows = statement.query_map([FEW], |row| row.get::<_, [u8; 16]>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Faces that ended; how, where that is told.
    pub(super) fn faces(&self) -> BTreeMap<Short, Option<Told>> {
        let more = self.faces.as_chunks::<SHORT>().0.iter().map(|short| (*short, None));
        let told = self.told.as_chunks::<TOLD>().0.iter().filter_map(|entry| {
            let (short, paper) = entry.split_first_chunk::<SHORT>()?;
            Some((*short, Some(told_of(paper)?)))
        });
        more.chain(told).collect()
    }

    /// Places at which a face ended: link, gate, how.
    pub(super) fn places(&self) -> Vec<(Short, Short, Told)> {
        let of = |entry: &[u8; PLACE]| {
            let (link, rest) = entry.split_first_chunk::<SHORT>()?;
            let (gate, paper) = rest.split_first_chunk::<SHORT>()?;
            Some((*link, *gate, told_of(paper)?))
        };
        self.places.as_chunks::<PLACE>().0.iter().filter_map(of).collect()
    }

    /// Gates, and before which instant a consent was signed that names them no more.
    pub(super) fn doors(&self) -> Vec<(Short, i64)> {
        let of = |entry: &[u8; DOOR]| {
            let (gate, age) = entry.split_first_chunk::<SHORT>()?;
            Some((*gate, i64::from_be_bytes(*age.first_chunk::<8>()?)))
        };
        self.doors.as_chunks::<DOOR>().0.iter().filter_map(of).collect()
    }

    /// Cards that ended.
    pub(super) fn cards(&self) -> Vec<Short> {
        self.cards.as_chunks::<SHORT>().0.to_vec()
    }

    /// Records that were closed, when and why.
    pub(super) fn closed(&self) -> Vec<(Short, Timestamp, &'static str)> {
        let of = |entry: &[u8; CLOSED]| {
            let (short, rest) = entry.split_first_chunk::<SHORT>()?;
            let (at, rest) = rest.split_first_chunk::<6>()?;
            Some((*short, read_instant(*at), word(*rest.first()?)))
        };
        self.closed.as_chunks::<CLOSED>().0.iter().filter_map(of).collect()
    }

    /// Who refuses.
    pub(super) fn refusing(&self) -> Vec<Short> {
        self.refusing.as_chunks::<SHORT>().0.to_vec()
    }

    /// Faces that rest.
    pub(super) fn resting(&self) -> Vec<Short> {
        self.resting.as_chunks::<SHORT>().0.to_vec()
    }

    /// Gates at which all faces are stopped; `None` stands for the site.
    pub(super) fn stopped(&self) -> Vec<Option<[u8; 16]>> {
        self.stopped.as_chunks::<16>().0.iter().map(|gate| (*gate != [0; 16]).then_some(*gate)).collect()
    }
}

/// The first bytes of a random number.
pub(super) fn short(id: &[u8; 16]) -> Short {
    let mut first = [0; SHORT];
    first.copy_from_slice(&id[..SHORT]);
    first
}

/// The first entries of a query whose first column is an instant, the newest first, and from which instant on none is missing.
fn list(
    view: &Connection,
    sql: &str,
    max: usize,
    entry: impl Fn(&Row<'_>, &mut Vec<u8>) -> Result<(), VaultError>,
) -> Result<(Vec<u8>, i64), VaultError> {
    let (mut bytes, mut from, mut count) = (vec![], 0, 0);
    let mut statement = view.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if count < max {
            entry(row, &mut bytes)?;
        } else {
            // The newest that is missing.
            from = row.get::<_, i64>(0)?.saturating_add(1);
            break;
        }
        count += 1;
    }
    Ok((bytes, from))
}

/// What came into being before this instant is over; nothing was, where a query knows of nothing.
fn oldest(view: &Connection, sql: &str) -> Result<i64, VaultError> {
    Ok(view.query_row(sql, [], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(i64::MIN))
}

type Ending = ([u8; 16], Option<[u8; 16]>);

/// When and why, and the last certificate: one that the person has before one that nobody took.
fn paper_bytes(view: &Connection, (at, reason): (i64, String), (consent, gate): Ending) -> Result<Vec<u8>, VaultError> {
    // Whether a partial one was handed over may not have reached the gates: it counts as one that was.
    let sql = "SELECT id, issued_at, NOT complete FROM certificates
         WHERE consent = ?1 AND gate IS ?2 ORDER BY handed_at IS NOT NULL DESC, number DESC LIMIT 1";
    let mut statement = view.prepare_cached(sql)?;
    let mut rows = statement.query((consent, gate))?;
    let (id, issued_at, waits) = match rows.next()? {
        Some(row) => (row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?),
        None => ([0; 16], 0, false),
    };
    let mut bytes = instant(at).to_vec();
    bytes.push(code(&reason) | if waits { WAITS } else { 0 });
    bytes.extend(id.into_iter().chain(instant(issued_at)));
    Ok(bytes)
}

fn told_of(bytes: &[u8]) -> Option<Told> {
    let (at, rest) = bytes.split_first_chunk::<6>()?;
    let (reason, rest) = rest.split_first()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    let issued_at = read_instant(*rest.first_chunk::<6>()?);
    let paper = Paper { id: *id, issued_at, waits: reason & WAITS != 0 };
    Some(Told { at: read_instant(*at), reason: word(reason & !WAITS), paper: (*id != [0; 16]).then_some(paper) })
}

fn code(reason: &str) -> u8 {
    let found = REASONS.iter().skip(1).position(|word| *word == reason);
    found.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0)
}

fn word(code: u8) -> &'static str {
    REASONS.get(usize::from(code)).copied().unwrap_or(REASONS[0])
}

/// Milliseconds since 1970 in six bytes.
fn instant(ms: i64) -> [u8; 6] {
    let [_, _, rest @ ..] = u64::try_from(ms).unwrap_or(0).to_be_bytes();
    rest
}

fn read_instant(bytes: [u8; 6]) -> Timestamp {
    Timestamp::from_ms(bytes.iter().fold(0, |all, byte| (all << 8) | i64::from(*byte)))
}
